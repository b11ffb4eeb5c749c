"""Views in a notebook: what a widget answers is what the server answers."""

import json
import queue
import random
import subprocess
import sys

import numpy as np
import pytest
from asgi import ask, desk
from asgi import told as all_of

from chainrule import Network, check_gradient, cost_and_gradient, random_theta, trace
from chainrule.web import checking, stepping, wire
from chainrule.web.asked import Asked

notebook = pytest.importorskip(
    "chainrule.notebook",
    reason="no anywidget here: pip install 'chainrule[notebook]'",
    exc_type=ImportError,
)
NETWORK = Network((2, 3, 1), hidden="tanh", output="identity")
THETA = random_theta(NETWORK, 3)
TRACE = trace(NETWORK, THETA, [0.1, -1e-7], [1 / 3], 0.25)
SETTING = {"layers": "2-3-1", "hidden": "tanh", "output": "sigmoid", "lam": 0.5, "rows": 3}


def asking(view, name, **values):
    """Yield what a widget sends to the page that asks it, up to the end."""
    sent, id = queue.Queue(), random.random()  # as the page's modules number them
    view.send = lambda content, buffers=(): sent.put((content, buffers))
    view._handle_custom_msg({"id": id, "name": name}, [memoryview(wire.pack(values))])
    while True:
        content, buffers = sent.get(timeout=60)
        assert content == {"id": id}
        if not buffers:
            return
        (frame,) = buffers
        assert int.from_bytes(frame[:4], "little") == len(frame) - 4
        yield wire.unpack(frame[4:])


def same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_equal(value, other[name], err_msg=name)


def problem(settings):
    """Return settings as the Step view asks for them."""
    rows = {"X": settings["X"], "Y": settings["Y"]}
    return {
        "layers": [int(size) for size in settings["layers"].split(",")],
        "hidden": [name for name in settings["hidden"].split(",") if name],
        "output": settings["output"],
        "theta": np.array(settings["theta"].split(","), float),
        **{name: np.array([row.split(",")], float) for name, row in rows.items()},
        "lam": float(settings["lam"]),
        "alpha": float(settings["alpha"]),
        "t": 1,
    }


def test_a_question_is_answered_with_every_digit_of_the_trace():
    view = notebook.step(TRACE)
    (answer,) = asking(view, "step", **problem(view.settings))
    for l, (a, z, delta) in enumerate(zip(TRACE.a[1:], TRACE.z, TRACE.delta, strict=True), start=2):
        np.testing.assert_array_equal(answer[f"a{l}"], a)
        np.testing.assert_array_equal(answer[f"z{l}"], z)
        np.testing.assert_array_equal(answer[f"delta{l}"], delta)
    np.testing.assert_array_equal(answer["theta"], THETA)
    assert answer["J"][0] == TRACE.J
    same(answer, ask(stepping.step, desk(), **problem(view.settings)))


def test_a_stream_comes_message_by_message_as_the_server_sends_it():
    view = notebook.check()
    values = SETTING | {"epsilon": 1e-4, "guess": [], "kind": None, "slip": 0}
    told = list(asking(view, "check", **values))
    asked = Asked(wire.unpack(wire.pack(values)))
    served = [wire.unpack(wire.pack(each)) for each in all_of(checking.check(desk(), asked))]
    assert len(told) == len(served) > 10
    for one, other in zip(told, served, strict=True):
        same(one, other)
    assert told[-1]["ok"] is False


def test_a_report_is_shown_once_as_the_readers_own():
    X, y = np.random.default_rng(0).normal(size=(5, 2)), np.arange(5.0)

    def wrong(theta):
        J, D = cost_and_gradient(NETWORK, theta, X, y)
        return J, D * 2

    report = check_gradient(wrong, THETA, network=NETWORK)
    view = notebook.check(report)
    (options,) = asking(view, "checks")
    assert options["own"] == "your gradient"
    assert options["path"] is None
    (told,) = asking(view, "own_code")
    np.testing.assert_array_equal(told["D"], report.D)
    np.testing.assert_array_equal(told["numerical"], report.numerical)
    assert told["ok"] is False
    assert [found["name"] for found in told["diagnosis"]] == [f.name for f in report.diagnosis]
    assert [row["name"] for row in told["table"]] == [part.name for part in report.parts]


def test_what_is_refused_comes_as_one_line():
    (told,) = asking(notebook.step(), "step", **problem(notebook.step(TRACE).settings) | {"t": 2})
    assert told == {"error": "t must be a whole number from 1 to 1"}


def test_a_mistake_of_ours_ends_the_question_and_says_so(monkeypatch, capsys):
    monkeypatch.delitem(notebook.ROUTES, "step")
    view, sent = notebook.step(), queue.Queue()
    view.send = lambda content, buffers=(): sent.put(buffers)
    view._handle_custom_msg({"id": 1, "name": "step"}, [memoryview(wire.pack({}))])
    (frame,) = sent.get(timeout=60)
    assert wire.unpack(frame[4:]) == {"error": "chainrule made a mistake: KeyError('step')"}
    assert "Traceback" in capsys.readouterr().err


def test_who_gives_up_is_told_nothing_more_and_the_work_ends(monkeypatch):
    view, sent, ended = notebook.check(), queue.Queue(), queue.Queue()

    def endless(desk, asked):
        try:
            while True:
                yield {"n": 1}
        finally:
            ended.put(sent.qsize())

    def send(content, buffers=()):
        sent.put(buffers)
        view._handle_custom_msg({"id": content["id"]}, [])

    view.send = send
    monkeypatch.setitem(notebook.ROUTES, "check", notebook.ROUTES["check"]._replace(answer=endless))
    view._handle_custom_msg({"id": 2, "name": "check"}, [memoryview(wire.pack({}))])
    assert ended.get(timeout=60) == 1
    assert not view.waiting


def test_the_modules_are_the_pages_own_and_none_is_missing():
    first, _, loader = notebook.module().partition("\n")
    modules = json.loads(first.removeprefix("const MODULES = ").removesuffix(";"))
    page = notebook.page_files()
    assert {"notebook.js", "step.js", "check.js", "unit.js", "wire.js"} <= modules.keys()
    for name, text in modules.items():
        assert text.encode() == page[f"/{name}"][0]
        assert set(notebook.IMPORTED.findall(text)) <= modules.keys()
        assert text.count('from "') == len(notebook.IMPORTED.findall(text)), name
        assert "import(" not in text
    assert not modules.keys() & {"main.js", "train.js", "keys.js"}
    assert "export default" in loader
    assert notebook.step().style.encode() == page["/style.css"][0]


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        (trace(NETWORK, THETA, [1, 2], [3], [0.1, 0.2]), "one lambda for all layers"),
        (trace(Network((40, 1)), np.zeros(41), np.ones(40), 1), "layers must"),
        (trace(Network((2, 1), output="exp"), np.zeros(3), [1, 2], 1), None),
    ],
    ids=["lambdas", "large", "exp"],
)
def test_a_trace_that_the_view_cannot_show_is_refused_at_once(shown, line):
    if line is None:
        assert notebook.step(shown).settings["output"] == "exp"
        return
    with pytest.raises(ValueError, match=line):
        notebook.step(shown)


def test_without_anywidget_the_line_says_what_to_type():
    code = "import sys; sys.modules['anywidget'] = None; import chainrule.notebook"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stderr.endswith(
        "the views in a notebook need anywidget: type pip install 'chainrule[notebook]'\n"
    )

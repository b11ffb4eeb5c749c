"""The answers of the Check view."""

import asyncio
import http.client
import os
import signal
import textwrap
import time
from contextlib import contextmanager

import numpy as np
import pytest
from asgi import desk, told
from conftest import looking

from chainrule import numerical_gradient
from chainrule.commands.looking import GIVEN
from chainrule.diagnosis.program import program
from chainrule.web import checking, wire
from chainrule.web.asked import Asked
from chainrule.web.own_code import changes

SETTING = {"layers": "4-5-3", "hidden": "sigmoid", "output": "sigmoid", "lam": 1.5, "rows": 7}
CHECK = SETTING | {"epsilon": 1e-4, "guess": []}
EVERYTHING = {"layers": "3-4-2", "lam": 1, "rows": 5}


def ask(function, at=None, **values):
    return function(at or desk(), Asked(wire.unpack(wire.pack(values))))


def stream(function, **values):
    return [wire.unpack(wire.pack(message)) for message in told(ask(function, **values))]


def test_what_can_be_chosen():
    found = wire.unpack(wire.pack(ask(checking.checks)))
    assert found["own"] is None
    for preset in found["presets"].values():
        assert ask(checking.code, **SETTING | preset)["mistakes"] == 0
    curve = [message for message in stream(checking.errors, **SETTING) if "epsilon" in message]
    np.testing.assert_array_equal(found["epsilons"], [message["epsilon"] for message in curve])
    for epsilon in found["epsilons"].tolist():
        assert stream(checking.check, **CHECK | {"epsilon": epsilon})[-1]["epsilon"] == epsilon
    assert found["kinds"]["sign"] == "the sign is wrong"


def test_a_right_gradient_passes_and_comes_component_by_component():
    first, *pieces, last = stream(checking.check, **CHECK)
    at = checking.workshop(Asked(SETTING))
    numerical = np.concatenate([piece["numerical"] for piece in pieces if "numerical" in piece])
    assert len([piece for piece in pieces if "numerical" in piece]) == 43
    np.testing.assert_allclose(numerical, numerical_gradient(at.objective(), at.theta), rtol=1e-8)
    np.testing.assert_allclose(first["D"], numerical, rtol=1e-6)
    assert first["names"][0] == "Theta(1) bias"
    assert np.bincount(first["part"]).tolist() == [5, 20, 3, 15]
    assert last["ok"]
    assert last["diagnosis"] == last["slips"] == last["found"] == []
    assert [part["ok"] for part in last["table"]] == 4 * [True]


@pytest.mark.slow
@pytest.mark.parametrize("preset", checking.PRESETS)
def test_each_slip_is_named_as_check_gradient_names_it(preset):
    setting = CHECK | checking.PRESETS[preset]
    for i in range(len(ask(checking.code, **setting)["slips"])):
        the_view_names(setting, i)


def test_a_slip_of_each_kind_is_named_as_check_gradient_names_it():
    slips = ask(checking.code, **SETTING)["slips"]
    each = {name: i for i, (name, _) in enumerate(slips)}
    for i in list(each.values())[::5]:
        the_view_names(CHECK, i)


def the_view_names(setting, i):
    at = checking.workshop(Asked(setting))
    last = stream(checking.check, **setting, slip=i)[-1]
    assert not last["ok"]
    [slip] = last["slips"]
    assert last["diagnosis"][0]["name"] in slip["names"]
    assert last["diagnosis"][0]["name"] == at.check([at.slips[i]]).diagnosis[0].name
    lines = program(at.network, [at.slips[i]])
    assert [k for k, right in enumerate(last["right"]) if right != lines[k]] == slip["lines"]


def test_a_guess_hits_by_its_line_or_by_its_name():
    game = CHECK | {"level": 1, "seed": 3}
    assert ask(checking.code, **game)["mistakes"] == 1
    solved = ask(checking.answer, **game)
    [slip] = solved["slips"]
    wrong = next(i for i in range(len(solved["right"])) if i not in slip["lines"])
    for guess, kind, found in [
        ([], None, False),
        ([wrong], None, False),
        (slip["lines"][:1], None, True),
        ([wrong], slip["names"][0], True),
        ([wrong], "no-such-name", False),
    ]:
        assert stream(checking.check, **game | {"guess": guess, "kind": kind})[-1]["found"] == [
            found
        ]


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_seed_gives_the_same_program_each_time_and_hides_what_is_wrong(level):
    game = SETTING | {"level": level, "seed": 11}
    shown = ask(checking.code, **game)
    checking.made.cache_clear()
    checking.drawn.cache_clear()
    assert ask(checking.code, **game) == shown
    assert shown["mistakes"] == (2 if level == 3 else 1)
    assert shown["lines"] != ask(checking.code, **SETTING)["lines"]
    assert set(shown) == {"lines", "mistakes", "weights", "slips", "kinds"}
    assert shown["slips"] == ask(checking.code, **SETTING)["slips"]


def test_the_error_of_the_numerical_gradient_falls_and_rises_again():
    curve = [message for message in stream(checking.errors, **SETTING) if "epsilon" in message]
    epsilons = [point["epsilon"] for point in curve]
    errors = np.array([point["off"] for point in curve])
    assert epsilons[0] == 0.1
    assert epsilons[-1] == pytest.approx(1e-12)
    best = errors.argmin()
    assert 1e-7 < epsilons[best] < 1e-4
    assert errors[0] > 1e5 * errors[best] < errors[-1]
    at = checking.workshop(Asked(SETTING))
    numerical = numerical_gradient(at.objective(), at.theta, 1e-4)
    same = curve[epsilons.index(pytest.approx(1e-4))]
    np.testing.assert_allclose(same["numerical"], numerical, rtol=1e-8)
    assert same["parts"].shape == (4,)
    assert errors.tolist() == [point["right_off"] for point in curve]


def test_no_epsilon_mends_a_wrong_gradient():
    messages = stream(checking.errors, **SETTING, slip=0)
    curve = [m for m in messages if "epsilon" in m]
    assert min(point["off"] for point in curve) > 1e-3
    assert min(point["right_off"] for point in curve) < 1e-7


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"layers": "4"}, "sizes as in 4-5-3"),
        ({"layers": "4-5-3; import os"}, "sizes as in 4-5-3"),
        ({"layers": [4, 5, 3]}, "sizes as in 4-5-3"),
        ({"layers": "4-0-3"}, "."),
        ({"layers": "2-" * 7 + "2"}, "at most 7"),
        ({"layers": "100-100-10"}, "take at most 2,000"),
        ({"layers": "9999-9999"}, "take at most 2,000"),
        ({"layers": "4-5-1", "output": "softmax"}, "."),
        ({"hidden": "step"}, "hidden must be one of"),
        ({"output": "huber:2"}, "output must be one of"),
        ({"lam": -1}, "lam must be a number"),
        ({"lam": True}, "lam must be a number"),
        ({"rows": 0}, "rows must be a whole number"),
        ({"level": 4, "seed": 0}, "level must be"),
        ({"level": 1, "seed": -1}, "seed must be"),
        ({"slip": 100_000}, "slip must be"),
        ({"layers": "2-1", "level": 2, "seed": 0}, "take more layers"),
    ],
)
def test_what_cannot_be_checked_is_told_in_one_line(values, line):
    for function in (checking.code, checking.answer):
        with pytest.raises(ValueError, match=line):
            ask(function, **SETTING | values)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"epsilon": 0}, "epsilon must be"),
        ({"epsilon": 1}, "epsilon must be"),
        ({"guess": [1000]}, "guess must be"),
        ({"guess": ["1"]}, "guess must be"),
    ],
)
def test_a_check_needs_its_values(values, line):
    with pytest.raises(ValueError, match=line):
        ask(checking.check, **CHECK | values)


@pytest.mark.parametrize("hidden", ask(checking.checks)["activations"])
def test_each_activation_passes(hidden):
    assert stream(checking.check, **CHECK | EVERYTHING | {"hidden": hidden})[-1]["ok"]


@pytest.mark.parametrize("output", ask(checking.checks)["outputs"])
def test_each_output_passes(output):
    assert stream(checking.check, **CHECK | EVERYTHING | {"output": output})[-1]["ok"]


RIGHT = """
    import numpy as np
    theta = np.array([1.0, 2.0])
    def cost(theta):
        return theta @ theta, 2 * theta
"""


@contextmanager
def own_file(folder, text=RIGHT, name="cost.py", function=":cost"):
    path = folder / name
    path.write_text("cost = 0")  # the command refuses a file without it
    at, what = desk(), f"{path}{function}"
    next(given for given in GIVEN if given.is_it(what)).lay(at, what)
    path.write_text(textwrap.dedent(text))
    yield at, path


def watch(at, *saves):
    """Watch a file; save it anew after each outcome; return all messages."""
    heard, waiting = [], list(saves)

    async def follow():
        messages = checking.watched(at, Asked({}))
        async for message in messages:
            heard.append(wire.unpack(wire.pack(message)))
            if "lines" not in message:
                if not waiting:
                    break
                save = waiting.pop(0)
                await asyncio.to_thread(save)
        await messages.aclose()

    asyncio.run(asyncio.wait_for(follow(), 120))
    return heard


def test_own_code_is_checked_again_at_each_save(tmp_path):
    with own_file(tmp_path) as (at, path):
        text = path.read_text()
        code, right, again, wrong, broken, failed = watch(
            at,
            lambda: path.write_text(text.replace("2 * theta", "-2 * theta")),
            lambda: path.write_text(text.replace("2 * theta", "2 * thet")),
        )
    assert code["lines"] == text.splitlines()
    assert code["changes"] == []
    assert right["ok"]
    assert right["D"].tolist() == [2, 4]
    assert again["changes"] == [
        [5, "    return theta @ theta, 2 * theta", "    return theta @ theta, -2 * theta"]
    ]
    assert wrong["diagnosis"][0]["name"] == "sign"
    assert broken["changes"][0][0] == 5
    assert failed["failed"].startswith("cost.py, line 5: NameError: name 'thet'")
    assert at.checking == 0


def test_a_file_that_is_gone_is_said_to_be_and_checked_when_it_is_back(tmp_path):
    with own_file(tmp_path) as (at, path):
        text = path.read_text()
        _, right, gone, back, again = watch(
            at, path.unlink, lambda: path.write_text("# back\n" + text)
        )
    assert right["ok"]
    assert gone == {"gone": "cost.py: cannot be read (no such file or directory)"}
    assert back["changes"] == [[1, "", "# back"]]
    assert again["ok"]


FOREVER = (
    "import os, pathlib\n"
    "pathlib.Path(__file__).with_suffix('.pid').write_text(str(os.getpid()))\n"
    "while True: pass\n"
    "cost = 0\n"
)


def test_own_code_that_runs_for_ever_is_left_by_a_save_and_by_leaving(tmp_path):
    with own_file(tmp_path, FOREVER) as (at, path):
        pid_file = path.with_suffix(".pid")

        async def follow():
            messages = checking.watched(at, Asked({}))
            assert "lines" in await anext(messages)
            coming = asyncio.ensure_future(anext(messages))
            first = await asyncio.to_thread(started, pid_file)
            path.write_text("# again\n" + FOREVER)
            assert (await coming)["changes"] == [[1, "", "# again"]]
            coming = asyncio.ensure_future(anext(messages))
            second = await asyncio.to_thread(started, pid_file)
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            await messages.aclose()
            return first, second

        for pid in asyncio.run(asyncio.wait_for(follow(), 120)):
            assert gone(pid)


def test_own_code_ends_with_its_reader_and_with_the_server(tmp_path):
    path = tmp_path / "cost.py"
    path.write_text(FOREVER)
    pid_file = path.with_suffix(".pid")
    pids = []
    with looking(f"{path}:cost") as (_, port, token):
        for leaves in (True, False):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {"X-Chainrule-Token": token}
            connection.request("POST", "/api/own_code", wire.pack({}), headers)
            answer = connection.getresponse()
            assert answer.status == 200
            pids.append(started(pid_file))
            if leaves:
                answer.close()
                connection.close()
                assert gone(pids[0])
    answer.close()
    connection.close()
    assert gone(pids[1])


def started(pid_file):
    """Wait until a process has written its number; take it away."""
    while not pid_file.exists() or not pid_file.read_text():
        time.sleep(0.05)
    pid = int(pid_file.read_text())
    pid_file.unlink()
    return pid


def gone(pid):
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import sys; sys.exit(3)", "cost.py, line 1: SystemExit: 3"),
        ("import os; os._exit(7)", "ended with code 7"),
        ("def cost(theta:", "cost.py, line 1: SyntaxError"),
        ("1 / 0", "cost.py, line 1: ZeroDivisionError"),
        ("print('x' * 10**6)\ndef other(theta): pass", "has no function cost; it has other"),
        (f"import os, signal; os.kill(os.getpid(), {int(signal.SIGKILL)})", "ended with code -9"),
    ],
)
def test_an_error_in_own_code_is_one_line(tmp_path, text, line):
    with own_file(tmp_path, text) as (at, _):
        _, failed = watch(at)
    assert line in failed["failed"]
    assert "\n" not in failed["failed"]


def test_modules_beside_own_code_do_not_take_the_place_of_python_s(tmp_path, monkeypatch):
    for name in ("json", "random", "chainrule"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    with own_file(tmp_path) as (at, _):
        assert watch(at)[-1]["ok"]


def test_no_page_names_a_file(tmp_path):
    async def first():
        return await anext(checking.watched(desk(), Asked({"path": str(tmp_path)})))

    with pytest.raises(ValueError, match="start chainrule look"):
        asyncio.run(first())


def test_a_file_has_few_readers(tmp_path):
    with own_file(tmp_path) as (at, _):
        at.checking = checking.MOST_READERS

        async def first():
            return await anext(checking.watched(at, Asked({})))

        with pytest.raises(ValueError, match="another page checks this file"):
            asyncio.run(first())


def test_removed_lines_stand_where_they_were():
    assert changes(["a", "b", "c"], ["a", "c"]) == [[2, "b", ""]]

"""What a reader takes along: the same bits as the page's run, from a command and from Python."""

import csv
import io
import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from asgi import ask, desk
from page_runs import table, trained
from typer.testing import CliRunner

from chainrule import Network, __version__, cost_and_gradient, model_file, reshape
from chainrule.commands.app import app
from chainrule.commands.looking import GIVEN
from chainrule.datasets import load, octave
from chainrule.driving.driver import save as save_driver
from chainrule.driving.recording import shipped
from chainrule.web import checking
from chainrule.web.asked import Asked
from chainrule.web.desk import Opened
from chainrule.web.lap import drive
from chainrule.web.stepping import step
from chainrule.web.teaching import forget
from chainrule.web.ways import copied, download, opened_model, own, settings_of, theta_hash

COMMAND = "from chainrule.commands.app import main; main()"
TRAININGS = {
    "digits by lbfgs": {"data": "digits", "hidden": [25], "lam": 1.0, "max_iter": 25},
    "a table by adam with validation": {
        "file": ("my people.csv", table()), "hidden": [6, 4], "activation": "relu", "lam": 0.3,
        "optimizer": "adam", "learning_rate": 0.01, "batch_size": 16, "validation": 0.2,
        "max_iter": 12, "seed": 4, "target": "answer",
    },
    "sine by lm": {
        "data": "sine", "hidden": [10], "activation": "tanh", "lam": 0.001, "optimizer": "lm",
        "max_iter": 20, "test_size": 0.25, "seed": 2,
    },
}  # fmt: skip


def in_a_fresh_process(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Return a folder to be in, with the table that one of the trainings reads."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my people.csv").write_bytes(table())
    return tmp_path


@pytest.mark.parametrize("name", TRAININGS)
def test_python_gives_the_pages_theta_to_the_bit(beside, name):
    settings = TRAININGS[name]
    at, run = trained(**settings)
    answer = ask(copied, at, run=run.id)
    assert answer["needs"]["python"] == ([settings["file"][0]] if "file" in settings else [])
    found = {}
    exec(answer["python"], found)
    np.testing.assert_array_equal(found["result"].theta, run.result.theta)
    assert found["result"].stopped == run.result.stopped


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_command_and_python_in_fresh_processes_give_the_pages_theta_to_the_bit(beside, name):
    tmp_path = beside
    at, run = trained(**TRAININGS[name])
    answer = ask(copied, at, run=run.id)
    (tmp_path / "again.py").write_text(answer["python"])
    said = in_a_fresh_process(tmp_path, sys.executable, "again.py")
    assert f"J = {run.result.J!r}" in said
    with np.load(tmp_path / "theta.npz") as saved:
        np.testing.assert_array_equal(saved["theta"], run.result.theta)
    chainrule, *words = shlex.split(answer["command"])
    assert chainrule == "chainrule"
    in_a_fresh_process(
        tmp_path, sys.executable, "-c", COMMAND, *words, "--threads", "1", "--out", "m.safetensors"
    )
    again = model_file.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.theta, run.result.theta)
    taken = model_file.load(io.BytesIO(bytes(of(at, run, "model", run.taken))))
    np.testing.assert_array_equal(taken.theta, again.theta)
    assert taken.encoder == again.encoder
    assert taken.provenance.data_sha256 == again.provenance.data_sha256
    assert taken.provenance.options == again.provenance.options


def of(at, run, what, iteration):
    answer = ask(download, at, run=run.id, iteration=iteration, what=what)
    return answer["content"].tobytes()


def test_a_run_that_was_stopped_is_copied_with_the_iterations_it_had(beside):
    settings = {"data": "digits", "hidden": [9], "lam": 0.1, "optimizer": "gd"}
    at, run = trained(stop_after=7, max_iter=10**6, **settings)
    done = len(run) - 1
    assert run.result.interrupted
    answer = ask(copied, at, run=run.id)
    assert f"--max-iter {done}" in answer["command"]
    found = {}
    exec(answer["python"], found)
    np.testing.assert_array_equal(found["result"].theta, run.result.theta)


def test_the_zero_start_has_no_command_and_its_python_is_the_same(beside):
    at, run = trained(data="moons", hidden=[3], lam=0.1, max_iter=4, start="zero")
    answer = ask(copied, at, run=run.id)
    assert "command" not in answer
    found = {}
    exec(answer["python"], found)
    np.testing.assert_array_equal(found["result"].theta, run.result.theta)


@pytest.mark.skipif(not shutil.which("octave-cli"), reason="no Octave here")
@pytest.mark.parametrize("data", ["digits", "spiral", "sine"])
def test_octave_computes_the_pages_J_and_D(tmp_path, data):
    output = {"output": "softmax"} if data == "spiral" else {}
    at, run = trained(
        data=data, hidden=[5, 4], activation=["tanh", "relu"], lam=0.5, max_iter=3, **output
    )
    answer = ask(copied, at, run=run.id)
    text, [name] = answer["octave"], answer["needs"]["octave"]
    assert ask(download, at, run=run.id, iteration=2, what="mat")["name"] == name
    (tmp_path / name).write_bytes(of(at, run, "mat", 2))
    text += "D1 = D{1};  D2 = D{2};  D3 = D{3};\nsave('-v7', 'out.mat', 'J', 'D1', 'D2', 'D3');\n"
    (tmp_path / "again.m").write_text(text)
    in_a_fresh_process(tmp_path, "octave-cli", "--norc", "--no-gui", "again.m")
    found = octave.read(tmp_path / "out.mat")
    J, D = cost_and_gradient(run.network, run.theta(2), *run.prepared.trained_on, lam=0.5)
    assert found["J"].item() == pytest.approx(J, rel=1e-12)
    first, *others = reshape(run.network, D)
    if data == "digits":  # Octave stores pictures column by column
        first = np.hstack([first[:, :1], octave.transpose_images(first[:, 1:], 8, 8)])
    for l, part in enumerate([first, *others], start=1):
        np.testing.assert_allclose(found[f"D{l}"], part, rtol=1e-9, atol=1e-14)


TYPED = {
    "layers": [2, 3, 2, 2], "hidden": ["tanh", "gelu"], "output": "softmax", "seed": 5, "t": 1,
    "X": np.array([[0.5, -1.25], [1 / 3, 2.0], [0.0, -0.0]]), "Y": np.eye(2)[[0, 1, 1]],
    "lam": 0.3, "alpha": 0.7, "descents": 4,
}  # fmt: skip


def test_python_gives_J_and_D_of_numbers_typed_in_to_the_bit(tmp_path):
    answer = ask(copied, desk(), **TYPED)
    assert answer["needs"] == {"python": [], "octave": []}
    (tmp_path / "again.py").write_text(answer["python"])
    said = in_a_fresh_process(tmp_path, sys.executable, "again.py").splitlines()
    page = ask(step, desk(), **TYPED)
    assert said[0] == f"J = {float(page['J'][-2])!r}"
    assert said[1] == f"D = {page['D'].tolist()!r}"
    assert said[2].startswith("Network(layers=(2, 3, 2, 2)")


@pytest.mark.skipif(not shutil.which("octave-cli"), reason="no octave-cli here")
def test_octave_computes_J_and_D_of_numbers_typed_in(tmp_path):
    text = ask(copied, desk(), **TYPED)["octave"]
    (tmp_path / "again.m").write_text(f"{text}save('-v7', 'out.mat', 'J', 'D1', 'D2', 'D3');\n")
    in_a_fresh_process(tmp_path, "octave-cli", "--norc", "--no-gui", "again.m")
    found, page = octave.read(tmp_path / "out.mat"), ask(step, desk(), **TYPED)
    assert found["J"].item() == pytest.approx(page["J"][-2], rel=1e-12)
    network = Network(TYPED["layers"], hidden=TYPED["hidden"], output="softmax")
    for l, part in enumerate(reshape(network, page["D"]), start=1):
        np.testing.assert_allclose(found[f"D{l}"], part, rtol=1e-9, atol=1e-14)


def test_a_cost_without_octave_text_says_so():
    answer = ask(copied, desk(), **TYPED | {"output": "huber:1"})
    assert "octave" not in answer
    assert "there is no Octave text for 'huber:1.0'" in answer["no_octave"]


SHOWN = {"layers": "4-5-3", "hidden": "sigmoid", "output": "sigmoid", "lam": 1.5, "rows": 7}
OTHERS = [{}, {"layers": "3-4-4-2", "hidden": "gelu", "output": "softmax"},
          {"layers": "2-4-1", "hidden": "relu", "output": "exp"}]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_the_program_that_is_shown_is_checked_by_the_command_alike(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    setting = SHOWN | other
    for more in ({}, {"level": 1, "seed": 3}, {"slip": 5}):
        answer = ask(copied, desk(), what="gradient", **setting | more)
        assert answer["needs"] == {"python": []}
        Path("cost.py").write_text(answer["python"])
        found = CliRunner().invoke(app, ["check-gradient", "cost.py:cost", "--json"])
        report = json.loads(found.stdout)
        at = checking.workshop(Asked(setting))
        expected = at.check(checking.chosen(at, Asked(setting | more)))
        assert report["ok"] == expected.ok
        assert [each["name"] for each in report["diagnosis"]] == [
            each.name for each in expected.diagnosis
        ]


def test_each_mistake_can_be_copied():
    for other in OTHERS:
        at = checking.workshop(Asked(SHOWN | other))
        for i, slip in enumerate(at.slips):
            names = {}
            exec(ask(copied, desk(), what="gradient", slip=i, **SHOWN | other)["python"], names)
            _, D = at.objective([slip])(at.theta)
            np.testing.assert_allclose(names["cost"](at.theta)[1], D, rtol=1e-9, atol=1e-12)


CARD = {"cover": "grass", "top": 2, "left": 3, "bottom": 9, "right": 30}


@pytest.mark.parametrize("change", [{"off": []}, {"off": [1, 4], **CARD}])
@pytest.mark.parametrize("own_driver", [False, True])
def test_the_lap_that_is_shown_is_copied(tmp_path, monkeypatch, capsys, change, own_driver):
    monkeypatch.chdir(tmp_path)
    at = desk()
    if own_driver:
        driver, _ = shipped()
        other = replace(driver, theta=driver.theta * np.float32(0.9))
        save_driver("mine.safetensors", other, seed=0, options={})
        assert at.lay(model_file.load("mine.safetensors"), "here/mine.safetensors") == "drive"
    answer = ask(copied, at, what="lap", **change)
    assert answer["needs"] == {"python": ["mine.safetensors"] if own_driver else []}
    names = {}
    exec(answer["python"], names)
    page = ask(drive, at, **change)
    np.testing.assert_array_equal(names["outputs"], page["outputs"])
    np.testing.assert_array_equal(names["hidden"], page["hidden"])
    assert str(page["apart"]) in capsys.readouterr().out


def test_the_files_of_a_run_hold_what_it_went_through():
    at, run = trained(file=("t.csv", table()), hidden=[4], lam=0.1, max_iter=6, validation=0.2)
    rows = list(csv.reader(io.StringIO(of(at, run, "history", 6).decode())))
    assert rows[0] == ["iteration", "J", "J_val", "gradient_norm", "seconds", "evaluations"]
    assert [float(row[1]) for row in rows[1:]] == run.history.J
    assert [float(row[2]) for row in rows[1:]] == run.history.J_val
    with np.load(io.BytesIO(of(at, run, "npz", 2))) as found:
        np.testing.assert_array_equal(found["theta"], run.theta(2))
        np.testing.assert_array_equal(found["Theta2"], reshape(run.network, run.theta(2))[1])
    assert of(at, run, "picture", 6).startswith(b"\x89PNG")
    record = json.loads(of(at, run, "record", 2))
    assert record["theta"]["sha256"] == theta_hash(run.theta(2))
    assert record["history"]["J"] == run.history.J
    assert record["versions"]["chainrule"] == __version__
    assert record["result"]["stopped"] == run.result.stopped
    assert record["data"]["sha256"] == run.data.sha256
    assert ask(download, at, run=run.id, iteration=2, what="model")["name"] == "t.safetensors"
    assert run.saved


def test_what_diverged_is_written_too():
    at, run = trained(
        data="sine", optimizer="sgd", learning_rate=50.0, lam=0.0, hidden=[5], max_iter=30
    )
    rows = list(csv.reader(io.StringIO(of(at, run, "history", 0).decode())))
    assert all(not row[1].startswith("-") for row in rows)
    assert json.loads(of(at, run, "record", 0))["history"]["gradient_norm"][1] == "nan"


def laid(path):
    """Return what the command's argument opens: settings as the page's address has them."""
    at = desk()
    place = next(given for given in GIVEN if given.is_it(str(path))).lay(at, str(path))
    view, *settings = place.split("&")
    assert view == "train"
    return at, dict(parse_qsl("&".join(settings)))


def test_a_record_opens_with_the_settings_of_its_run(tmp_path):
    settings = {"data": "moons", "hidden": [3, 2], "activation": "tanh", "lam": 0.1, "max_iter": 3}
    at, run = trained(**settings)
    path = tmp_path / "moons-run.json"
    path.write_bytes(of(at, run, "record", 3))
    _, found = laid(path)
    assert found == {
        "data": "moons", "hidden": "3,2", "activation": "tanh", "lam": "0.1", "max_iter": "3",
    }  # fmt: skip
    _, again = trained(**settings)
    assert theta_hash(again.theta(3)) == json.loads(path.read_text())["theta"]["sha256"]


def test_a_record_finds_its_table_beside_it_and_no_other(tmp_path):
    at, run = trained(file=("my people.csv", table()), hidden=[2], lam=0.1, max_iter=2, scale=False)
    path = tmp_path / "run.json"
    path.write_bytes(of(at, run, "record", 2))
    with pytest.raises(ValueError, match=r"my people\.csv, which it was trained on, is not in"):
        laid(path)
    (tmp_path / "my people.csv").write_bytes(table(90))
    with pytest.raises(ValueError, match=r"my people\.csv in this folder is not what it was"):
        laid(path)
    (tmp_path / "my people.csv").write_bytes(table())
    at, found = laid(path)
    assert found.pop("scale") == "false"
    problem = at.problems.problem({"table": int(found["table"])})
    assert (problem.name, problem.data.sha256) == ("my people.csv", run.data.sha256)


def test_a_table_in_json_is_no_record(tmp_path):
    for content in (b'[{"a": 1}]', b"{}", b"", b"\xff"):
        (tmp_path / "x.json").write_bytes(content)
        assert not GIVEN[0].is_it(str(tmp_path / "x.json"))
    assert not GIVEN[0].is_it(str(tmp_path / "y.json"))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b'{"chainrule run": 2}', b'{"chainrule run": 1}', b"\xff"]
)
def test_what_is_no_record_is_refused_in_a_line(content):
    with pytest.raises(ValueError, match=r"^x\.json: not a run that the page wrote"):
        settings_of(content, "x.json")


def test_a_record_writes_nothing_but_settings_into_the_address(tmp_path):
    path = tmp_path / "run.json"
    at, run = trained(data="moons", hidden=[2], lam=0.1, max_iter=1)
    content = json.loads(of(at, run, "record", 1))
    for name in ("token", "iteration&token", "\x1b[2J"):
        content["request"] = {"lam": 0.5, name: "another"}
        path.write_text(json.dumps(content))
        with pytest.raises(ValueError, match="there is no setting") as caught:
            laid(path)
        assert str(caught.value).isprintable()
    content["request"] = {"activation": "tanh&token=another"}
    path.write_text(json.dumps(content))
    assert laid(path)[1] == {"data": "moons", "activation": "tanh&token=another"}


def test_a_table_with_a_name_of_data_or_an_option_is_called_as_a_file():
    for name in ("moons", "--seed.csv"):
        at, run = trained(file=(name, table()), hidden=[2], lam=0.1, max_iter=1)
        answer = ask(copied, at, run=run.id)
        assert answer["command"].startswith(f"chainrule train ./{name} ")
        assert f"load('./{name}')" in answer["python"]


def test_own_digits_are_taken_along_labelled(tmp_path):
    at = desk()
    with pytest.raises(ValueError, match="nothing is labelled yet"):
        ask(own, at)
    rng = np.random.default_rng(0)
    drawn = rng.uniform(size=(12, 784)).astype(np.float32)
    at.own = [(x, i % 3) for i, x in enumerate(drawn)]
    (tmp_path / "own.npz").write_bytes(ask(own, at)["content"].tobytes())
    data = load(tmp_path / "own.npz", kind="classes")
    np.testing.assert_array_equal(data.X.astype(np.float32), drawn)
    assert data.classes == (0, 1, 2)
    ask(forget, at)
    assert at.own == []


def test_reading_a_photo_is_copied_with_the_network_that_is_open(beside, sheet, capsys):
    shutil.copy(sheet, beside / "page.jpg")
    at = desk()
    answer = ask(copied, at)
    assert answer["needs"] == {"python": ["page.jpg"], "command": ["page.jpg"]}
    exec(answer["python"], {})
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == list("0123456789")
    other = replace(at.opened.model, theta=at.opened.model.theta * np.float32(1.01))
    at.open(Opened(other, "mine; 2.safetensors"))
    answer = ask(copied, at)
    (beside / "mine;-2.safetensors").write_bytes(ask(opened_model, at)["content"].tobytes())
    assert answer["command"] == "chainrule classify page.jpg --model 'mine;-2.safetensors'"
    exec(answer["python"], {})
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == list("0123456789")


def test_the_open_network_is_taken_along():
    at = desk()
    answer = ask(opened_model, at)
    assert answer["name"] == "shipped-digits.safetensors"
    found = model_file.load(io.BytesIO(answer["content"].tobytes()))
    np.testing.assert_array_equal(found.theta, at.opened.model.theta)


@pytest.mark.parametrize("wrong", [{"what": "x"}, {"iteration": 9}, {"run": 77}, {}])
def test_what_is_not_there_cannot_be_taken_along(wrong):
    at, run = trained(data="moons", hidden=[2], lam=0.1, max_iter=1)
    asked = {"run": run.id, "iteration": 0, "what": "npz"} | wrong if wrong else {}
    with pytest.raises(ValueError, match=r"must be|is not there"):
        ask(download, at, **asked)

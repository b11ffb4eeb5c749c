"""`chainrule train` on a table: a committee, unless one network is asked for."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule import TableClassifier, TableRegressor, model_file
from chainrule.commands.app import app


def run(*args, stdin=None):
    """Run the command in this process; a traceback would raise."""
    return CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, catch_exceptions=False)


def guests(m=90, start=0):
    """Return a csv table with every mess, whose class is known but for a few rows."""
    rng = np.random.default_rng(start)
    lines = ["number,name,age,town,since,constant,note,stays"]
    for i in range(start, start + m):
        age, town = int(rng.integers(18, 90)), str(rng.choice(["Bonn", "Jena", "Ulm"]))
        stays = (age > 50) ^ (town == "Ulm") ^ (rng.random() < 0.05)
        told = "" if rng.random() < 0.1 else "?" if rng.random() < 0.02 else age
        day = f"{1 + i % 28}.{1 + i % 12}.2024"
        lines.append(f"{i + 1},guest {i},{told},{town},{day},de,,{'yes' if stays else 'no'}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guests.csv").write_text(guests())
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A committee on the guests, and what the command said."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "guests.csv").write_text(guests(300))
    found = run("train", folder / "guests.csv", "--out", folder / "guests.safetensors", "--seed", 3)
    assert found.exit_code == 0, found.stderr
    return folder, found


def test_a_table_with_every_mess_is_learnt_with_no_option(trained):
    folder, found = trained
    for says in (
        "target 'stays' (the last column): 300 texts, 2 distinct: classes no, yes",
        "1 column of numbers, in up to 12 pieces: age",
        "1 column of text, by their frequent categories: town (3)",
        "1 column of dates: since",
        "missing values are told by an input: age",
        "left out: 'number' numbers the rows",
        "left out: 'name' has another text in each row",
        "left out: 'constant' has one value",
        "left out: 'note' has no value",
        "training on 240 examples, held out: 60",
        "J_val",
        "together: J_val",
    ):
        assert says in found.stderr
    lines = found.stdout.splitlines()
    scores = {line[:20].strip(): line.split() for line in lines[:6]}
    assert float(next(line for line in lines if line.startswith("held out")).split()[3]) > 80
    assert any(line.startswith("out of fold") for line in lines), scores
    assert any(line.startswith("  a linear model") for line in lines)
    assert any(line.startswith("  always ") for line in lines)
    first = lines.index(next(line for line in lines if "when a column is shuffled" in line)) + 1
    assert {line.split()[0] for line in lines[first : first + 2]} == {"age", "town"}
    assert "█" in lines[first]
    assert (folder / "guests.png").read_bytes().startswith(b"\x89PNG")


def test_its_model_reads_later_files_and_is_the_estimators(trained):
    folder, _ = trained
    later = folder / "later.csv"
    later.write_text(guests(40, start=7))
    told = json.loads(run("evaluate", folder / "guests.safetensors", later, "--json").stdout)
    assert told["accuracy"] > 0.8
    facts = json.loads(run("info", folder / "guests.safetensors", "--json").stdout)
    assert (facts["target"], facts["seed"], facts["version"]) == ("stays", 3, facts["version"])
    assert facts["source"].endswith("guests.csv")
    assert len(facts["data_sha256"]) == 64
    net = TableClassifier.load(folder / "guests.safetensors")
    table = {"name": ["x"], "age": [30.0], "town": ["Ulm"]}
    table |= {"since": [np.datetime64("2024-03-01")], "constant": ["de"], "note": [None]}
    assert net.predict(table).tolist() == ["yes"]
    typed = "number,name,age,town,since,constant,note\n1,x,30,Ulm,1.3.2024,de,\n"
    answer = run("predict", folder / "guests.safetensors", "-", stdin=typed).stdout.splitlines()[1]
    assert answer == f"yes,{net.predict_proba(table)[0, 1]:.4f}"


def test_json_is_all_of_stdout_and_numbers_have_their_scores(here):
    rng = np.random.default_rng(0)
    x, noise = rng.uniform(-3, 3, 120), rng.normal(size=120)
    rows = "\n".join(f"{a},{b},{np.sin(a)}" for a, b in zip(x, noise, strict=True))
    found = run("train", "-", "--json", "--target", "y", stdin="x,noise,y\n" + rows)
    told = json.loads(found.stdout)
    assert told["held_out"]["r2"] > 0.95
    assert told["held_out"]["r2"] > told["beside"]["a linear model"]["r2"]
    assert told["held_out"]["examples"] == 24
    assert told["out_of_fold"]["examples"] == 96
    assert list(told["importances"]) == ["x", "noise"]
    assert sum(kind["share"] for kind in told["kinds"]) == pytest.approx(1)
    assert min(kind["J_val"] for kind in told["kinds"]) >= 0.99 * told["J_val"]
    assert TableRegressor.load(told["model"]).predict({"x": [0.0], "noise": [0.0]}) == (
        pytest.approx(0, abs=0.1)
    )


def test_the_same_seed_gives_the_same_model_for_any_number_of_threads(here):
    for name, seed, threads in (("a", 1, 1), ("b", 1, 2), ("c", 2, 1)):
        how = ["--seed", seed, "--threads", threads, "--out", f"{name}.safetensors"]
        assert run("train", "guests.csv", *how).exit_code == 0
    a, b, c = (model_file.load(f"{name}.safetensors").theta for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert a.shape != c.shape or not np.array_equal(a, c)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--plain"], ""),
        (["--hidden", "3"], "--hidden: one network by the notes' six steps, as with --plain"),
        (["--optimizer", "cg"], "--optimizer: one network by the notes' six steps"),
        (["--no-check", "--max-iter", "5"], "--max-iter: one network by the notes' six steps"),
        (["--memory", "1k"], "a table in blocks of rows: one network by the notes' six steps"),
    ],
)
def test_options_of_one_network_mean_one(here, options, says):
    gone = "number,name,since,constant,note"
    found = run("train", "guests.csv", "--drop", gone, "--na", "?", *options, "--missing", "mean")
    assert found.exit_code == 0, found.stderr
    assert says in found.stderr
    assert "1 Randomly initialize the weights" in found.stderr
    assert "as with --plain" in found.stderr or not says
    model = model_file.load("guests.safetensors")
    assert "estimator" not in model.provenance.options


def test_two_targets_are_one_network(here):
    rows = "\n".join(f"{i / 9},{i / 7},{i / 3}" for i in range(40))
    (here / "t.csv").write_text("x,u,v\n" + rows)
    found = run("train", "t.csv", "--target", "u,v")
    assert found.exit_code == 0
    assert "2 targets: one network by the notes' six steps" in found.stderr


def test_what_is_no_table_with_columns_is_one_network_and_nothing_is_said(here):
    np.savez("arrays.npz", X=np.random.default_rng(0).normal(size=(40, 2)), y=np.arange(40) % 2)
    for source in ("moons", "arrays.npz"):
        found = run("train", source, "--out", "m.safetensors")
        assert "1 Randomly initialize the weights" in found.stderr
        assert "plain" not in found.stderr
    pixels = np.zeros((60, 64))
    pixels[:, 20:30] = np.random.default_rng(0).integers(0, 16, (60, 1))
    lines = [",".join([*(f"{v:g}" for v in row), str(k % 3)]) for k, row in enumerate(pixels)]
    (here / "pixels.csv").write_text("\n".join(lines))
    assert "together" in run("train", "pixels.csv").stderr  # no picture: bars only


def test_max_time_is_refused_with_what_to_type(here):
    found = run("train", "guests.csv", "--max-time", "60")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "or add --plain" in found.stderr
    assert not (here / "guests.safetensors").exists()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("a,y\n1,x\n2,x\n", "target 'y' is 'x' in all rows"),
        ("a,y\n1,0\ninf,1\n3,0\n4,1\n", "column 'a' has inf in data row 2"),
        ("a,y\n7,0\n7,1\n7,0\n7,1\n", "no column tells anything: 'a' has one value"),
        ("a,y\n", "there is a header, but no data row"),
    ],
)
def test_what_cannot_be_learnt_is_one_line_and_3(here, table, says):
    (here / "t.csv").write_text(table)
    found = run("train", "t.csv")
    assert found.exit_code == 3, found.stderr
    last = found.stderr.splitlines()[-1]
    assert last.startswith("chainrule: t.csv: ")
    assert says in last


def test_without_held_out_rows_the_scores_are_out_of_fold(here):
    found = run("train", "guests.csv", "--test-size", "0")
    assert found.exit_code == 0
    assert "held out: none" in found.stderr
    assert "confusion matrix, out of fold" in found.stdout
    assert "shuffled" not in found.stdout


def test_ctrl_c_says_that_nothing_is_saved(here):
    script = (
        "import os, signal, sys\n"
        "from chainrule.commands import terminal\n"
        "def note(self, text, **more):\n"
        "    real(self, text, **more)\n"
        "    if 'J_val' in text: os.kill(os.getpid(), signal.SIGINT)\n"
        "real, terminal.Terminal.note = terminal.Terminal.note, note\n"
        "import chainrule_command\n"
        "sys.argv = ['chainrule', 'train', 'guests.csv']\n"
        "chainrule_command.main()\n"
    )
    heard = f"import signal; signal.signal({int(signal.SIGINT)}, signal.default_int_handler)\n"
    run = [sys.executable, "-c", heard + script]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 130
    assert "interrupted: nothing is saved" in done.stderr.splitlines()[-1]
    assert not (here / "guests.safetensors").exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", [[], ["--plain", "--missing", "mean", "--drop", "name,note"]])
def test_an_exported_model_answers_as_predict_does(trained, how, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="make test-slow installs it")
    folder, _ = trained
    model = tmp_path / "m.safetensors"
    drop = ["--drop", "number,constant"]
    assert run("train", folder / "guests.csv", *drop, *how, "--out", model).exit_code == 0
    found = run("export", model)
    assert found.exit_code == 0, found.stderr
    assert found.stdout.splitlines()[-1].split() == ["file", str(tmp_path / "m.onnx")]
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    day = np.array([["2024-03-01"], ["2024-12-24"]], "datetime64[s]").astype(np.int64)
    given = {"age": np.float32([[30], [np.nan]]), "town": np.array([["Ulm"], [""]]), "since": day}
    given["town"] = given["town"].astype(object)
    labels, p = session.run(None, given)
    typed = "age,town,since\n30,Ulm,1.3.2024\n,,24.12.2024\n"
    told = run("predict", model, "-", stdin=typed).stdout.splitlines()[1:]
    assert [line.split(",")[0] for line in told] == labels.tolist()
    assert [float(line.split(",")[1]) for line in told] == pytest.approx(p.max(axis=1), abs=1e-3)


@pytest.mark.slow
def test_an_exported_network_on_numbers_has_one_input(here):
    onnxruntime = pytest.importorskip("onnxruntime", reason="make test-slow installs it")
    from sklearn.datasets import load_digits

    assert run("train", "digits", "--hidden", "5", "--max-iter", "5").exit_code == 0
    assert run("export", "digits.safetensors", "--out", "d.onnx").exit_code == 0
    X = load_digits().data.astype(np.float32)
    labels, _ = onnxruntime.InferenceSession("d.onnx").run(None, {"X": X})
    told = json.loads(run("predict", "digits.safetensors", "digits", "--json").stdout)
    assert labels.tolist() == told["predictions"]
    refused = run("export", "digits.safetensors", "--out", "d.txt")
    assert (refused.exit_code, "must be a .onnx file" in refused.stderr) == (2, True)

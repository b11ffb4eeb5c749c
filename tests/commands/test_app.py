"""The command: what it prints, what it writes, and one line for everything that goes wrong."""

import errno
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule
from chainrule import model_file, plots
from chainrule.commands.app import app
from chainrule.datasets import octave

QUICK = ["--hidden", "8", "--max-iter", "30"]
HOMES = ("area", "district", "heating", "price")


def run(*args, stdin=None):
    """Run the command in this process; a traceback would raise."""
    return CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, catch_exceptions=False)


def command(*args, before="", **options):
    """Start the command as users do, or after some Python."""
    script = (
        "import sys; from chainrule.commands.app import main; sys.argv[0] = 'chainrule'; main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", before + script, *map(str, args)],
        stderr=subprocess.PIPE,
        text=True,
        **{"stdout": subprocess.PIPE} | options,
    )


def homes(rows=120):
    """Return a csv table with two text columns, whose price is known but for a little noise."""
    rng = np.random.default_rng(0)
    lines = [",".join(HOMES)]
    for _ in range(rows):
        area, district = int(rng.integers(30, 200)), str(rng.choice(["north", "south", "harbour"]))
        heating = str(rng.choice(["gas", "heat pump"]))
        price = area * {"north": 3, "south": 4, "harbour": 6}[district] + rng.normal(0, 5)
        values = {"area": area, "district": district, "heating": heating, "price": f"{price:.1f}"}
        lines.append(",".join(str(values[name]) for name in HOMES))
    return "\n".join(lines) + "\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homes.csv").write_text(homes())
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a folder with a model of the digits and one of the homes."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "homes.csv").write_text(homes())
    assert run("train", "digits", *QUICK, "--out", folder / "digits.safetensors").exit_code == 0
    source, out = folder / "homes.csv", folder / "homes.safetensors"
    assert run("train", source, *QUICK, "--out", out).exit_code == 0
    return folder


# Training


def test_training_on_digits_shows_the_six_steps_and_reaches_95_percent(here):
    found = run("train", "digits")
    assert found.exit_code == 0
    places = [
        found.stderr.index(words)
        for words in (
            "1 Randomly initialize the weights",
            "2 Implement forward propagation",
            "3 Implement the cost function",
            "4 Implement backpropagation",
            "5 Use gradient checking",
            "passed: largest relative error",
            "6 Minimize the cost function",
            "100/100  J ",
            "stopped after the 100 iterations of --max-iter",
        )
    ]
    assert places == sorted(places)
    held_out = next(line for line in found.stdout.splitlines() if line.startswith("held out"))
    assert float(held_out.split()[2]) >= 95.0
    assert "confusion matrix, held out" in found.stdout
    assert "gradient" not in found.stdout
    model, picture = found.stdout.splitlines()[-2:]
    assert (model, picture) == ("model    digits.safetensors", "picture  digits.png")
    assert (here / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert model_file.load("digits.safetensors").network.layers == (64, 25, 10)


def test_json_is_all_of_stdout(here):
    found = run("train", "digits", *QUICK, "--json", "--seed", "3")
    told = json.loads(found.stdout)
    assert told["network"] == {"layers": [64, 8, 10], "hidden": "sigmoid", "output": "sigmoid"}
    assert told["held_out"]["examples"] == np.sum(told["held_out"]["confusion"]) == 359
    assert told["trained_on"]["accuracy"] > 0.9
    assert (told["seed"], told["iterations"], told["converged"]) == (3, 30, False)
    assert (here / told["model"]).exists()
    assert (here / told["picture"]).exists()


def test_the_same_seed_gives_the_same_model(here):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("train", "digits", *QUICK, "--seed", seed, "--out", f"{name}.safetensors")
    a, b, c = (model_file.load(f"{name}.safetensors").theta for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_a_table_with_text_columns_is_encoded_standardised_and_said_so(here):
    found = run("train", "homes.csv", "--hidden", "10")
    assert found.exit_code == 0
    assert "column 'district' has 3 categories: one-hot" in found.stderr
    assert "inputs standardised" in found.stderr
    assert "J is in scaled units, 1 is" in found.stderr
    held_out = next(line for line in found.stdout.splitlines() if line.startswith("held out"))
    assert float(held_out.split()[-1]) > 0.95  # R2
    assert "RMSE (price)" in found.stdout


def test_no_scale_leaves_the_numbers_as_they_are(here):
    run("train", "homes.csv", "--no-scale", "--max-iter", "3")
    model = model_file.load("homes.safetensors")
    assert model.scaling is None
    assert model.target_scaling is None


def test_options_reach_the_network_and_the_file(here):
    run("train", "digits", "--hidden", "6,5", "--activation", "tanh,relu", "--output", "softmax",
        "--lam", "0.5", "--optimizer", "scipy:CG", "--max-iter", "2", "--test-size", "0",
        "--no-check", "--out", "other.safetensors")  # fmt: skip
    model = model_file.load("other.safetensors")
    assert model.network.layers == (64, 6, 5, 10)
    assert (model.network.hidden, model.network.output) == (("tanh", "relu"), "softmax")
    assert model.provenance.options["lam"] == 0.5
    assert model.provenance.options["optimizer"] == "scipy:CG"


def test_cross_validation_shows_its_table_and_uses_the_best(here):
    found = run("train", "homes.csv", "--cv", "--hidden", "5", "--max-iter", "15", "--json")
    table = json.loads(found.stdout)["cross_validation"]
    assert [row["lam"] for row in table][:3] == [0.1, 1.0, 10.0]
    best = max(table, key=lambda row: row["score"])
    tried = sorted(row["lam"] for row in table)
    assert best["lam"] not in (tried[0], tried[-1])  # it goes on until the best has two neighbours
    assert json.loads(found.stdout)["lam"] == best["lam"]
    assert f"best: 5 hidden units, lam = {best['lam']:g}" in found.stderr


def test_max_time_ends_training_with_a_model(here):
    found = run("train", "digits", "--max-time", "0")
    assert found.exit_code == 0
    assert "max_time = 0 s is over" in found.stderr
    assert (here / "digits.safetensors").exists()


@pytest.mark.parametrize("seed", range(5))
def test_the_course_exercise(here, data, seed):
    found = run("train", data("course/ex4data1.mat").absolute(), "--hidden", "25", "--lam", "1",
                "--max-iter", "50", "--test-size", "0", "--seed", seed, "--json")  # fmt: skip
    assert json.loads(found.stdout)["trained_on"]["accuracy"] >= 0.95
    assert json.loads(found.stdout)["held_out"] is None


@pytest.mark.parametrize(
    ("table", "score", "least"), [("letter", "accuracy", 0.5), ("diamonds", "r2", 0.9)]
)
def test_tables_of_others_give_the_same_form(here, data, table, score, least):
    source = data(f"tables/{table}.npz").absolute()
    found = run("train", source, "--max-iter", "30", "--json")
    assert json.loads(found.stdout)["held_out"][score] > least


# Using a model


def test_predict_prints_csv(trained):
    table = homes().splitlines()
    without_price = "\n".join(line.rsplit(",", 1)[0] for line in table[:4])
    found = run("predict", trained / "homes.safetensors", "-", stdin=without_price)
    lines = found.stdout.splitlines()
    assert lines[0] == "price"
    truth = [float(line.rsplit(",", 1)[1]) for line in table[1:4]]
    assert [float(line) for line in lines[1:]] == pytest.approx(truth, rel=0.2)


def test_predict_names_the_class_and_how_sure_it_is(trained):
    found = run("predict", trained / "digits.safetensors", "digits")
    lines = found.stdout.splitlines()
    assert lines[0] == "digit,probability"
    assert lines[1].startswith("0,0.")
    told = json.loads(run("predict", trained / "digits.safetensors", "digits", "--json").stdout)
    assert told["predictions"][:4] == [0, 1, 2, 3]
    assert np.shape(told["h"]) == (1797, 10)


def test_evaluate_agrees_with_predict(trained):
    model = trained / "digits.safetensors"
    told = json.loads(run("evaluate", model, "digits", "--json").stdout)
    answers = json.loads(run("predict", model, "digits", "--json").stdout)["predictions"]
    from sklearn.datasets import load_digits

    assert told["accuracy"] == np.mean(np.array(answers) == load_digits().target)
    assert "accuracy" in run("evaluate", model, "digits").stdout


def test_evaluate_scores_a_file_s_own_test_set(here):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    np.savez("both.npz", X_train=X[:40], y_train=y[:40], X_test=X[40:], y_test=y[40:])
    run("train", "both.npz", "--lam", "1", "--max-iter", "20")
    found = run("evaluate", "both.safetensors", "both.npz", "--json")
    assert "its own test set is scored, 20 rows" in found.stderr
    assert np.sum(json.loads(found.stdout)["confusion"]) == 20


def test_a_category_not_seen_in_training_is_said_once(trained):
    table = "area,district,heating\n50,moon,gas\n60,moon,gas\n"
    found = run("predict", trained / "homes.safetensors", "-", stdin=table)
    assert found.exit_code == 0
    assert found.stderr.count("not seen in training") == 1


def test_info_tells_where_a_model_came_from(trained):
    told = json.loads(run("info", trained / "homes.safetensors", "--json").stdout)
    assert told["network"]["layers"] == [5, 8, 1]
    assert (told["target"], told["seed"], told["standardised"]) == ("price", 0, True)
    assert len(told["data_sha256"]) == 64
    assert "district=harbour" in run("info", trained / "homes.safetensors").stdout


def test_check_gradient_shows_the_table_by_layer(trained):
    found = run("check-gradient", trained / "digits.safetensors", "digits")
    assert found.exit_code == 0
    assert "gradient check passed: 610 components" in found.stdout
    assert "Theta(2) weights" in found.stdout
    found = run("check-gradient", trained / "digits.safetensors", "digits", "--json")
    assert json.loads(found.stdout)["ok"] is True


def test_a_wrong_gradient_ends_with_1(trained, here, monkeypatch):
    from chainrule.training import checked as training

    right = training.finish_spread

    def wrong(*args):
        J, D = right(*args)
        return J, 1.01 * D

    monkeypatch.setattr(training, "finish_spread", wrong)
    found = run("check-gradient", trained / "digits.safetensors", "digits")
    assert (found.exit_code, "FAILED" in found.stdout) == (1, True)
    found = run("train", "digits")
    assert found.exit_code == 1
    assert found.stderr.splitlines()[-1].startswith("chainrule: gradient check FAILED")
    assert not (here / "digits.safetensors").exists()


def test_trace_prints_every_value_by_the_notes_names(trained):
    found = run("trace", trained / "homes.safetensors", trained / "homes.csv", "--row", "2")
    for name in ("a(1)", "z(2)", "a(2)", "z(3)", "delta(3)", "delta(2)", "Delta(1)", "D(2)"):
        assert f"\n{name}  [" in found.stdout


def test_trace_as_json_and_for_octave(trained, tmp_path):
    out = tmp_path / "trace.mat"
    arguments = [trained / "homes.safetensors", trained / "homes.csv", "--row", "3"]
    shown = json.loads(run("trace", *arguments, "--out", out, "--json").stdout)
    assert (shown["row"], np.shape(shown["a(1)"]), np.shape(shown["D(1)"])) == (3, (5,), (8, 6))
    there = octave.read(out)
    np.testing.assert_array_equal(there["D1"], shown["D(1)"])
    np.testing.assert_array_equal(there["delta2"][:, 0], shown["delta(2)"])
    z2 = there["Theta1"] @ np.vstack([[[1]], there["a1"]])
    np.testing.assert_allclose(z2, there["z2"], rtol=1e-12)
    np.testing.assert_allclose(there["a3"] - there["y"], there["delta3"], rtol=1e-12)
    refused = run("trace", *arguments, "--out", tmp_path / "trace.txt")
    assert (refused.exit_code, "must be a .mat file" in refused.stderr) == (2, True)


def test_a_trace_has_what_it_was_given_too(trained, tmp_path):
    out = tmp_path / "trace.mat"
    arguments = [trained / "homes.safetensors", trained / "homes.csv", "--row", "3", "--lam", "2"]
    shown = json.loads(run("trace", *arguments, "--out", out, "--json").stdout)
    there = octave.read(out)
    assert (shown["lambda"], shown["m"], there["lambda"], there["m"]) == (2, 1, 2, 1)
    np.testing.assert_array_equal(shown["[1; a(1)]"], [1, *shown["a(1)"]])
    np.testing.assert_array_equal(there["a1_with_bias"][:, 0], shown["[1; a(1)]"])
    np.testing.assert_array_equal(there["Theta2"], shown["Theta(2)"])
    np.testing.assert_array_equal(there["y"][:, 0], shown["y"])
    D, Delta, Theta = (np.array(shown[f"{name}(2)"]) for name in ("D", "Delta", "Theta"))
    np.testing.assert_allclose(D[:, 1:], Delta[:, 1:] + 2 * Theta[:, 1:])
    assert shown["formulas"]["z(2)"] == "Theta(1) [1; a(1)]"
    assert list(shown["formulas"])[:2] == ["a(1)", "z(2)"]
    assert there["J"] == shown["J"] > shown["cost"]


def test_a_trace_shows_raw_and_standardised_values(trained, tmp_path):
    arguments = [trained / "homes.safetensors", trained / "homes.csv", "--row", "2"]
    table, _, _ = run("trace", *arguments).stdout.partition("Network(")
    area = (trained / "homes.csv").read_text().splitlines()[2].split(",")[HOMES.index("area")]
    raw, mean, scale, scaled = re.search(r"x area +(\S+) +(\S+) +(\S+) +(\S+)", table).groups()
    assert raw == area
    assert (float(raw) - float(mean)) / float(scale) == pytest.approx(float(scaled), rel=1e-3)
    assert re.search(r"y price +\S+ +\S+ +\S+ +(\S+)", table)
    assert max(map(len, table.splitlines())) <= 80
    shown = json.loads(run("trace", *arguments, "--json").stdout)
    x = shown["standardised"]["x"]
    assert [number["scaled"] for number in x] == pytest.approx(shown["a(1)"])
    assert x[0]["name"] == "area"
    assert run("trace", trained / "digits.safetensors", "digits").stdout.startswith("Network(")


def test_one_units_arithmetic(trained):
    arguments = [trained / "homes.safetensors", trained / "homes.csv"]
    found = run("trace", *arguments, "--unit", "2,3")
    assert found.stdout.startswith("unit 3 of layer 2\nz_3^(2) = Theta_30 * 1 + Theta_31 * x_1")
    shown = json.loads(run("trace", *arguments, "--unit", "2,3", "--json").stdout)
    assert shown["arithmetic"] == found.stdout.splitlines()
    for unit, says in (
        ("3", "--unit '3': give a layer and a unit, as in 2,3"),
        ("2,x", "--unit '2,x': give a layer and a unit"),
        ("1,2", "layer 1 is the input"),
        ("2,99", "layer 2 has no unit 99: take one of 1 to 8"),
    ):
        refused = run("trace", *arguments, "--unit", unit)
        assert (refused.exit_code, says in refused.stderr) == (2, True), refused.stderr


def test_the_picture_of_a_trace(here):
    small = ["train", "homes.csv", "--drop", "district", "--drop", "heating", "--hidden", "3"]
    assert run(*small, "--max-iter", "5", "--out", "small.safetensors").exit_code == 0
    found = run("trace", "small.safetensors", "homes.csv", "--plot", "trace.png")
    assert found.exit_code == 0
    assert Path("trace.png").read_bytes().startswith(b"\x89PNG")
    refused = run("trace", "small.safetensors", "homes.csv", "--plot", "trace.jpg")
    assert (refused.exit_code, "must be a .png file" in refused.stderr) == (2, True)


def test_a_network_that_is_too_large_for_a_picture(trained, tmp_path):
    out = tmp_path / "trace.png"
    refused = run("trace", trained / "digits.safetensors", "digits", "--plot", out)
    assert refused.exit_code == 2
    assert "too many to draw with their numbers" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not out.exists()


# What goes wrong


BAD_USAGE = [
    (["--lam", "-1"], "for '--lam': Input should be greater than or equal to 0"),
    (["--activation", "sigmiod"], "unknown activation 'sigmiod': did you mean 'sigmoid'?"),
    (["--output", "sofmax"], "unknown output 'sofmax': did you mean 'softmax'?"),
    (["--output", "identity"], "--output identity predicts numbers and the target has classes"),
    (["--optimizer", "lbfgz"], "unknown optimizer 'lbfgz': did you mean 'lbfgs'?"),
    (["--hidden", "0"], "layer 2 must have a whole number >= 1 of units: 0"),
    (["--hidden", "many"], "--hidden 'many': give whole numbers, as 25 or 25,25"),
    (["--hidden", "4,4", "--activation", "tanh,tanh,tanh"], "hidden names 3 activations"),
    (
        ["--max-iter", "-1"],
        "for '--max-iter': Input should be greater than or equal to 0",
    ),
    (["--hidden", ""], "--hidden '': give whole numbers"),
    (["--test-size", "1"], "--test-size 1: must be at least 0 and less than 1"),
    (["--seed", "-1"], "Invalid value for '--seed': "),
    (["--hiden", "3"], "No such option: --hiden"),
    (["--out", "model.bin"], "--out model.bin: must be a .safetensors file"),
    (["--out", "nowhere/m.safetensors"], "in a folder that exists"),
    (["--out", "m" * 300 + ".safetensors"], "(file name too long)"),
    (["--out", "homes.csv/m.safetensors"], "(not a directory)"),
]


@pytest.mark.parametrize(("options", "message"), BAD_USAGE, ids=lambda value: str(value)[:40])
def test_wrong_usage_is_one_line_and_2(here, options, message):
    found = run("train", "digits", *options)
    assert found.exit_code == 2
    last = found.stderr.splitlines()[-1]
    assert last.startswith("chainrule: ")
    assert message in last
    assert [file.name for file in here.iterdir()] == ["homes.csv"]


BAD_TABLES = {
    "an empty file": ("", [], "the file is empty"),
    "ragged rows": ("a,b,y\n1,2,0\n3,4,1\n5,6\n", [], "line 4 has 2 fields"),
    "a missing value": (
        "a,b,y\n1,2,0\n3,,1\n5,6,0\n7,8,1\n",
        ["--plain"],
        "column 'b' has 1 missing value",
    ),
    "an infinity": ("a,b,y\n1,2,0\n3,inf,1\n5,6,0\n7,8,1\n", [], "has inf in data row 2"),
    "a single class": ("a,y\n1,x\n2,x\n", [], "target 'y' is 'x' in all rows"),
    "an absent target": ("price,b\n1,2\n3,4\n", ["--target", "prise"], "did you mean 'price'?"),
    "too many classes": (
        "a,y\n" + "".join(f"{i % 7},w{i // 2}\n" for i in range(300)),
        [],
        "target 'y' has 150 classes",
    ),
    "an identifier": (
        "id,a,y\n" + "".join(f"{i + 1},{i * i % 7},{i % 2}\n" for i in range(20)),
        ["--plain"],
        "column 'id'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_data_is_one_line_and_3(here, name):
    table, options, message = BAD_TABLES[name]
    (here / "bad.csv").write_text(table)
    found = run("train", "bad.csv", *options)
    assert found.exit_code == 3
    (line,) = found.stderr.splitlines()
    assert line.startswith("chainrule: bad.csv: ")
    assert message in line
    assert not list(here.glob("*.safetensors"))


def test_files_that_are_not_there_or_not_readable(here):
    assert run("train", "digist").stderr == (
        "chainrule: digist: there is no such file; did you mean 'digits'?\n"
    )
    (here / "empty").mkdir()
    assert run("train", "empty").stderr == "chainrule: empty: there is no file in it\n"
    assert "there is no file of that name" in run("train", "empty/*.csv").stderr
    (here / "noise.npz").write_bytes(b"no zip at all")
    assert "not an npz file that can be read" in run("train", "noise.npz").stderr
    np.savez(here / "lengths.npz", X=np.zeros((5, 2)), y=np.zeros(4))
    assert "X has 5 rows and y has 4" in run("train", "lengths.npz").stderr


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("area,district\n50,north\n", "column 'heating' is missing"),
        ("area,district,heating,colour\n50,north,gas,red\n", "column 'colour' was not there"),
        ("area,district,heating\nlarge,north,gas\n", "column 'area' has 'large' in data row 1"),
        ("area,district,heating\nnan,north,gas\n", "column 'area' has 1 missing value"),
    ],
)
def test_a_table_unlike_the_one_in_training(trained, table, message):
    found = run("predict", trained / "homes.safetensors", "-", stdin=table)
    assert found.exit_code == 3
    (line,) = found.stderr.splitlines()
    assert message in line


def test_a_table_without_a_truth_cannot_be_evaluated(trained):
    table = "area,district,heating\n50,north,gas\n"
    found = run("evaluate", trained / "homes.safetensors", "-", stdin=table)
    assert found.exit_code == 3
    assert "there is no target 'price' to compare with" in found.stderr


def test_bad_models_are_one_line_and_4(trained, here):
    whole = (trained / "digits.safetensors").read_bytes()
    files = {
        "truncated": whole[:1000],
        "altered": whole[:-8] + b"\0" * 8,
        "oversized": whole + b"\0" * 100,
        "no model": b"area,price\n1,2\n",
    }
    for name, content in files.items():
        (here / "m.safetensors").write_bytes(content)
        found = run("predict", "m.safetensors", "digits")
        assert (found.exit_code, found.stderr.count("\n")) == (4, 1), name
        assert found.stderr.startswith("chainrule: m.safetensors: not a model that can be used")
    assert run("info", "none.safetensors").exit_code == 4


def test_a_row_that_is_not_there(trained):
    found = run("trace", trained / "homes.safetensors", trained / "homes.csv", "--row", "121")
    assert found.exit_code == 2
    assert "has the data rows 1 to 120" in found.stderr


def test_a_folder_in_the_place_of_the_model_is_told_before_training(here):
    (here / "m.safetensors").mkdir()
    found = run("train", "digits", "--out", "m.safetensors", *QUICK)
    assert (found.exit_code, len(found.stderr.splitlines())) == (2, 1)
    assert "cannot be written there (it is a folder or a device" in found.stderr


def test_a_time_without_end_is_written_into_the_model(here):
    found = run("train", "digits", "--max-time", "inf", *QUICK)
    assert found.exit_code == 0
    assert model_file.load(here / "digits.safetensors").provenance.options["max_time"] == "inf"


def test_a_full_disk_leaves_the_old_model_alone(here, monkeypatch):
    (here / "digits.safetensors").write_bytes(b"the old one")

    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    found = run("train", "digits", *QUICK)
    assert found.exit_code == 4
    last = found.stderr.splitlines()[-1]
    assert last.startswith("chainrule: digits.safetensors: the model cannot be saved here")
    assert "no space left on device" in last
    assert sorted(file.name for file in here.iterdir()) == ["digits.safetensors", "homes.csv"]
    assert (here / "digits.safetensors").read_bytes() == b"the old one"


# As a process


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_standard_output_is_one_line(trained):
    with open("/dev/full", "w") as full:
        process = command("predict", trained / "digits.safetensors", "digits", stdout=full)
        _, err = process.communicate()
    assert process.returncode == 3
    assert err == "chainrule: standard output: failed (no space left on device)\n"


def test_a_table_through_pipes(trained):
    process = command("evaluate", trained / "homes.safetensors", "-", stdin=subprocess.PIPE)
    out, err = process.communicate(homes(10))
    assert (process.returncode, err) == (0, "")
    assert "R2" in out


PRESS_CTRL_C = """
import os, signal
from chainrule.commands import terminal

def press(live, step, show=terminal.Live.__call__):
    show(live, step)
    if step.iteration == 3:
        os.kill(os.getpid(), signal.SIGINT)

terminal.Live.__call__ = press
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_saves_the_best_theta_so_far(here):
    options = ["--max-iter", "1000000", "--lam", "0", "--optimizer", "sgd"]
    process = command("train", "digits", *options, before=PRESS_CTRL_C)
    out, err = process.communicate()
    assert process.returncode == 130
    assert "interrupted by Ctrl-C; this is the best theta so far" in err
    assert "is saved in digits.safetensors" in err.splitlines()[-1]
    assert "held out" in out
    assert model_file.load("digits.safetensors").network.layers == (64, 25, 10)


# What a stranger tried


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--drop", "price", "--target", "price"], "--drop price is the target, what to predict"),
        (["--optimizer", "lbfg"], "did you mean 'lbfgs'"),
        (["--max-iter", "-3"], "--max-iter"),
        (["--lam", "-1"], "--lam"),
        (["--hidden", "99999999999"], "not enough memory"),
    ],
)
def test_a_wrong_argument_is_one_line_and_nothing_is_written(here, options, words):
    found = run("train", "homes.csv", "--missing", "mean", *options)
    assert found.exit_code in (2, 3)
    assert words in found.stderr
    assert not list(here.glob("*.safetensors"))


def test_ctrl_c_while_a_choice_is_made_ends_it(here, monkeypatch):
    from chainrule.evaluation import selection
    from chainrule.optimize.result import INTERRUPTED

    class Stopped:
        theta, stopped = None, INTERRUPTED

    monkeypatch.setattr(selection, "train", lambda *args, **options: Stopped)
    found = run("train", "homes.csv", "--cv")
    assert found.exit_code == 130
    assert "nothing was saved" in found.stderr


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt, 130, "is saved in homes.safetensors, but not its picture"),
        (OSError(errno.ENOSPC, "No space left"), 3, "its picture could not be (no space left)"),
    ],
)
def test_what_is_saved_is_said_when_the_picture_fails(here, monkeypatch, error, code, words):
    from chainrule.workbench import picture

    def draw(*args):
        raise error

    monkeypatch.setattr(picture, "page", draw)
    found = run("train", "homes.csv", *QUICK)
    assert found.exit_code == code
    assert words in found.stderr
    assert model_file.load("homes.safetensors")


def test_what_is_saved_is_said_when_a_comparison_is_interrupted(here, monkeypatch):
    from chainrule.workbench import beside

    train = beside.train

    def cut(*given, **more):
        return replace(train(*given, **more), interrupted=True)

    monkeypatch.setattr(beside, "train", cut)
    found = run("train", "homes.csv", *QUICK)
    assert found.exit_code == 130
    last = found.stderr.splitlines()[-1]
    assert last.endswith("is saved in homes.safetensors, its picture in homes.png")


def test_ctrl_c_before_the_first_J_is_not_a_mistake_of_ours(here, monkeypatch):
    from chainrule.training import objective

    def cut(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(objective.TrainingObjective, "__call__", cut)
    found = run("train", "homes.csv", *QUICK, "--lam", "1")
    assert found.exit_code == 130
    assert found.stderr.splitlines()[-1] == "chainrule: interrupted: nothing was saved"
    assert not list(here.glob("*.safetensors"))


def test_two_inputs_and_classes_get_a_map_in_the_tables_units(here, monkeypatch):
    drawn = []
    draw = plots.training_figure

    def keep(*arguments, **options):
        drawn.append(draw(*arguments, **options))
        return drawn[0]

    monkeypatch.setattr("chainrule.workbench.picture.training_figure", keep)
    rows = np.random.default_rng(0).uniform((100, 0.1), (200, 0.2), size=(60, 2))
    lines = [f"{a},{b},{'big' if a > 150 else 'small'}" for a, b in rows]
    (here / "fruit.csv").write_text("\n".join(["weight,sugar,kind", *lines]))
    found = run("train", "fruit.csv", "--hidden", "3", "--max-iter", "20")
    assert found.exit_code == 0, found.stderr
    ax = drawn[0].axes[-1]
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == (
        "Decision regions",
        "weight",
        "sugar",
    )
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"big", "small"}
    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    assert (round(left, -1), round(right, -1)) == (100, 200)
    assert (round(bottom, 2), round(top, 2)) == (0.1, 0.2)


def test_a_fit_of_one_input_gets_its_curve_and_the_state_of_its_training(here, monkeypatch):
    titles = []
    drawn = plots.training_figure

    def draw(*arguments, **options):
        figure = drawn(*arguments, **options)
        titles.extend(ax.get_title() for ax in figure.axes)
        return figure

    monkeypatch.setattr("chainrule.workbench.picture.training_figure", draw)
    x = np.linspace(0, 10, 60)
    table = np.c_[x, 20 + 5 * np.sin(x) + 0.3 * np.cos(40 * x)]
    np.savetxt(here / "sensor.csv", table, delimiter=",", header="time,signal", comments="")
    found = run("train", "sensor.csv", "--optimizer", "br", "--activation", "tanh", "--hidden", "8")
    assert found.exit_code == 0, found.stderr
    assert titles == [
        "Training curve",
        "Predicted against true signal",
        "Errors",
        "Training set and predicted curve",
        "Error histogram",
    ]
    assert (here / "sensor-state.png").read_bytes().startswith(b"\x89PNG")
    lam = json.loads(run("info", "sensor.safetensors", "--json").stdout)["options"]["lam"]
    assert 0 < lam < 1  # what it found, not what it began with


# Tables as people bring them


def passengers():
    """Return a table like the Titanic's: identifiers, names, gaps."""
    rng = np.random.default_rng(0)
    lines = ["PassengerId,Survived,Pclass,Name,Sex,Age,Ticket,Cabin,Embarked"]
    for i in range(1, 201):
        sex, age = ("female", "male")[rng.integers(2)], "" if i % 5 == 0 else rng.integers(1, 80)
        survived = int(rng.random() < (0.9 if sex == "female" else 0.2))
        lines.append(
            f'{i},{survived},{rng.integers(1, 4)},"Doe, {i}",{sex},{age},A {i % 150},'
            f"{f'C{i}' if i % 6 == 0 else ''},{rng.choice(['S', 'C', 'Q'])}"
        )
    return "\n".join(lines) + "\n"


def test_all_that_is_wrong_with_a_table_ends_in_one_line_to_type(here):
    (here / "titanic.csv").write_text(passengers())
    typed = ["--target", "Survived", "--max-iter", "20", "--drop", "Ticket"]
    found = run("train", "titanic.csv", *typed)
    assert (found.exit_code, found.stdout) == (3, "")
    *told, line = found.stderr.splitlines()
    assert told == [
        "chainrule: titanic.csv: 4 things are in the way",
        "  column 'PassengerId' numbers the rows",
        "  column 'Name' is text that differs in every row, like an identifier",
        "  column 'Age' has 40 missing values, in data row 5 first",
        "  column 'Cabin' is text that differs in every row, like an identifier",
    ]
    assert line == (
        "type: chainrule train titanic.csv --target Survived --max-iter 20 "
        "--drop Ticket,PassengerId,Name,Cabin --missing mean"
    )
    words = shlex.split(line.removeprefix("type: chainrule "))
    mended = run(*words)
    assert mended.exit_code == 0, mended.stderr
    told = json.loads(run("info", "titanic.safetensors", "--json").stdout)
    assert told["inputs"] == ["Pclass", "Sex=male", "Age", "Embarked=C", "Embarked=Q", "Embarked=S"]


def test_one_fault_is_one_line_with_what_to_type(here):
    (here / "my table.csv").write_text(homes().replace("district", "the district", 1))
    found = run("train", "my table.csv", "--drop", "the distrct", "--hidden", "3")
    assert (found.exit_code, found.stderr) == (
        3,
        "chainrule: my table.csv: there is no column 'the distrct' to drop: did you mean 'the "
        "district'?\n",
    )
    rows = "".join(f"{i},{i * i},x{i % 2}\n" for i in range(40))
    (here / "my table.csv").write_text("the id,a,y\n" + rows)
    found = run("train", "my table.csv", "--hidden", "3", "--no-check")
    assert found.stderr == (
        "chainrule: my table.csv: column 'the id' numbers the rows: type: chainrule train "
        "'my table.csv' --hidden 3 --no-check --drop 'the id'\n"
    )


def test_notes_speak_of_options(here):
    (here / "t.csv").write_text("a,b,y\n" + "".join(f"{i * i % 17},3,{i % 7}\n" for i in range(60)))
    found = run("train", "t.csv", "--lam", "1", "--max-iter", "3")
    assert "classes 0, 1, 2, 3, 4, 5, 6 (--kind numbers for numbers)" in found.stderr
    assert "of no use: --drop b leaves it out" in found.stderr


def test_several_targets_and_a_row_without_one(here):
    rows = "".join(f"{i * 7 % 13},{i / 2},{'' if i == 3 else i / 3 + 1}\n" for i in range(40))
    (here / "t.csv").write_text("a,length,width\n" + rows)
    found = run("train", "t.csv", "--target", "length", "--target", "width", "--lam", "1", "--json")
    assert found.exit_code == 0, found.stderr
    assert "target 'length, width' is missing in 1 row, data row 4 first: left out" in found.stderr
    told = json.loads(found.stdout)
    assert (told["network"]["layers"], told["trained_on"]["examples"]) == ([1, 25, 2], 31)
    lines = run("predict", "t.safetensors", "t.csv").stdout.splitlines()
    assert (lines[0], len(lines)) == ("length,width", 41)  # a row without its targets, too
    found = run("evaluate", "t.safetensors", "t.csv")
    assert "left out" in found.stderr
    assert re.search(r"39 +[\d.]+, [\d.]+ ", found.stdout)  # an RMSE for each
    found = run("predict", "t.safetensors", "-", stdin="a,extra\n1,2\n")
    assert found.stderr.endswith("type: chainrule predict t.safetensors - --drop extra\n")
    found = run("predict", "t.safetensors", "-", "--drop", "extra", stdin="a,extra\n1,2\n")
    assert found.exit_code == 0


def test_the_scores_stand_beside_a_linear_model_and_the_commonest_answer(here):
    told = json.loads(run("train", "homes.csv", "--lam", "1", "--json").stdout)
    linear, always = told["beside"].values()
    assert linear["r2"] > 0.8 > 0.1 > always["r2"]
    found = run("train", "digits", *QUICK)
    shown = [line for line in found.stdout.splitlines() if line.startswith("  ")]
    assert shown[1].startswith("  a linear model")
    assert shown[2].startswith("  always ")


def test_a_model_that_is_replaced_is_said_so(here):
    options = ["--lam", "1", "--max-iter", "3"]
    assert "replaced" not in run("train", "homes.csv", *options).stderr
    found = run("train", "homes.csv", *options)
    assert "homes.safetensors was there: it is replaced" in found.stderr.splitlines()


def test_the_version_is_said(here):
    assert run("--version").stdout == f"chainrule {chainrule.__version__}\n"


def test_the_options_of_training_are_taken(here):
    words = (
        "--optimizer adam --learning-rate 0.01 --lam 0 --batch-size 16 --dropout 0.1,0.2 "
        "--patience 3 --validation 0.2 --n-restarts 2 --threads 1 --max-iter 5"
    )
    found = run("train", "homes.csv", *words.split())
    assert found.exit_code == 0, found.stderr
    options = json.loads(run("info", "homes.safetensors", "--json").stdout)["options"]
    assert options["dropout"] == [0.1, 0.2]
    assert (options["batch_size"], options["n_restarts"], options["patience"]) == (16, 2, 3)
    found = run("train", "homes.csv", "--dropout", "half")
    assert found.stderr == "chainrule: --dropout 'half': give shares, as 0.5 or 0.2,0.5\n"


def test_help_says_what_happens_without_a_target(here):
    words = " ".join(run("train", "--help").stdout.replace("│", " ").split())
    assert "the one called target, label, class or y, else the last" in words


def test_what_the_reader_says_is_in_the_words_of_the_command_too(here):
    (here / "t.csv").write_text("".join(f"{i * i % 7},{i % 3},{i / 2}\n" for i in range(40)))
    found = run("train", "t.csv", "--lam", "1", "--max-iter", "3")
    assert "(--header if it is one)" in found.stderr
    (here / "u.csv").write_bytes("straße,y\n1,2\n".encode("utf-16") + b"\xff")
    assert "header=" not in found.stderr + run("train", "u.csv").stderr

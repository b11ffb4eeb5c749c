"""A training as text: each activation and cost as Octave has it, names that shells take apart."""

import shlex
import shutil
import subprocess

import numpy as np
import pytest

from chainrule.datasets import octave
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.costs import COSTS
from chainrule.workbench.copies import (
    OCTAVE_ACTIVATIONS,
    OCTAVE_COSTS,
    as_command,
    as_octave,
    as_python,
    settled,
)
from chainrule.workbench.pipeline import loaded, prepare, run
from chainrule.workbench.request import Request

Z = np.array([[-900.0, -3.0, -0.5, -1e-9, 1e-9, 0.7, 4.0, 900.0]]).T


class Quiet:
    step = note = iteration = lambda *said, **more: None


def prepared(*source, **options):
    request = Request(*source, **options)
    return prepare(request, loaded(request), Quiet())


def computed_by_octave(folder, program):
    octave.write(folder / "z.mat", z=Z)
    (folder / "t.m").write_text(f"load z.mat\n{program}\n")
    command = ["octave-cli", "--norc", "--no-gui", "t.m"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return octave.read(folder / "out.mat")


def test_every_activation_has_its_octave():
    assert set(OCTAVE_ACTIVATIONS) == set(ACTIVATIONS)
    assert set(OCTAVE_COSTS) <= set(COSTS)


@pytest.mark.skipif(not shutil.which("octave-cli"), reason="no Octave here")
def test_octave_computes_each_activation_as_the_library_does(tmp_path):
    lines, names = [], []
    for name, (g, slope) in OCTAVE_ACTIVATIONS.items():
        lines += [f"a = {g};", f"{name}_g = a + 0 * z;", f"{name}_slope = ({slope}) + 0 * z;"]
        names += [f"'{name}_g'", f"'{name}_slope'"]
    found = computed_by_octave(
        tmp_path, "\n".join([*lines, f"save('-v7', 'out.mat', {', '.join(names)});"])
    )
    for name, activation in ACTIVATIONS.items():
        a = activation.g(Z.copy())
        slope = activation.slope(a, Z)
        np.testing.assert_allclose(found[f"{name}_g"], a, rtol=1e-12, atol=1e-300, err_msg=name)
        np.testing.assert_allclose(
            found[f"{name}_slope"], slope, rtol=1e-9, atol=1e-15, err_msg=name
        )


def test_a_cost_without_octave_says_so():
    with pytest.raises(ValueError, match=r"there is no Octave text for 'huber:1\.0'"):
        as_octave(prepared("sine", output="huber:1", lam=0.1), "run.mat")


@pytest.mark.parametrize(
    "name", ["a b.csv", "it's.csv", "$(rm x).csv", "-o.csv", "ü.csv", 'say "x".csv', "a;b.csv"]
)
def test_names_stay_whole_in_a_shell_and_in_python(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("x,the price\n" + "".join(f"{i},{i * i}.5\n" for i in range(30)))
    at = prepared(f"./{name}", ("the price",), hidden=(2,), lam=0.5, max_iter=2)
    assert shlex.split(as_command(settled(at)))[2:5] == [f"./{name}", "--target", "the price"]
    found = {}
    exec(as_python(at), found)
    assert found["data"].target == "the price"
    assert found["result"].n_iter == 2


def test_how_a_table_is_read_is_copied_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},{i % 9 if i % 7 else -999},{'ab'[i % 2]},{i % 3}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["id,size,what,kind", *rows]) + "\n")
    how = {"drop": ("id",), "missing": "mean", "kind": "classes", "na": ("-999",)}
    asked = {"hidden": (3,), "lam": 0.1, "max_iter": 4, "seed": 5, "test_size": 0.3}
    tanh = {"activation": "tanh", "output": "softmax", "scale": False, "dropout": (0.0, 0.2)}
    adam = {"optimizer": "adam", "batch_size": 8}
    request = Request("t.csv", ("kind",), **how, **asked, **tanh, **adam)
    outcome = run(request, Quiet())
    at = prepare(request, loaded(request), Quiet())
    found = {}
    exec(as_python(at), found)
    np.testing.assert_array_equal(found["result"].theta, outcome.result.theta)
    command = as_command(settled(at))
    for option in (
        "--target kind", "--drop id", "--missing mean", "--kind classes", "--na -999",
        "--test-size 0.3", "--hidden 3", "--no-scale", "--dropout 0.0,0.2", "--batch-size 8",
    ):  # fmt: skip
        assert f" {option}" in command


def test_what_was_decided_is_typed_so_that_nothing_is_left_to_cross_validation():
    at = prepared("moons", max_iter=3)
    command = as_command(settled(at))
    assert command == f"chainrule train moons --hidden 25 --lam {at.plan.lam} --max-iter 3"
    assert " --max-iter 2" in as_command(settled(at, 2))

"""A command that is killed: the same command goes on."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule import model_file
from chainrule.commands import keeping
from chainrule.commands.app import app
from chainrule.training import checkpoint

# What comes before the command in a process of its own
SIGNAL = """
import os, signal, sys
from chainrule.commands import keeping, tables, terminal
from chainrule.training import checkpoint
keeping.FIRST, checkpoint.SHARE, checkpoint.OFFERS = 0.0, 1e9, 1e9
init = checkpoint.Checkpoint.__init__
def often(self, path, every=0.0, *given, **more): init(self, path, 0.0, *given, **more)
checkpoint.Checkpoint.__init__ = often
def press(live, step, show=terminal.Live.__call__):
    show(live, step)
    if step.iteration == 7: SEND
terminal.Live.__call__ = press
from chainrule.commands.app import main
sys.argv[0] = "chainrule"
main()
"""
OPTIONS = ["--hidden", "5", "--max-iter", "20", "--lam", "1"]


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)


def ended_by(send, *args, **options):
    """Run the command in a process that does something to itself after 7 iterations."""
    process = subprocess.Popen(
        [sys.executable, "-c", SIGNAL.replace("SEND", send), *map(str, args)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options,
    )
    out, err = process.communicate()
    return process.returncode, out, err


def killed_by(name):
    return f"os.kill(os.getpid(), signal.{name})"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keeping, "FIRST", 0.0)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(150, 3))
    lines = [f"{a:.4f},{b:.4f},{c:.4f},{a * b + c:.4f}" for a, b, c in rows]
    (tmp_path / "big.csv").write_text("\n".join(["a,b,c,y", *lines, ""]))
    return tmp_path


def trained(path):
    """Return a model, and all that its file says but for the date."""
    model = model_file.load(path)
    return model.theta.tolist(), replace(model.provenance, date="")


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_killed_it_goes_on_when_it_is_typed_again(here, optimizer):
    options = ["big.csv", *OPTIONS, "--optimizer", optimizer]
    assert run("train", *options, "--out", "whole.safetensors", "--no-checkpoint").exit_code == 0
    code, _, _ = ended_by(killed_by("SIGKILL"), "train", *options, "--out", "m.safetensors")
    assert code == -signal.SIGKILL
    assert sorted(here.glob("m.*")) == [here / "m.safetensors.ckpt"]
    found = run("train", *options, "--out", "m.safetensors")
    assert found.exit_code == 0
    what = "iteration" if optimizer == "lbfgs" else "epoch"
    assert f"going on from {what} 7 of m.safetensors.ckpt (" in found.stderr
    assert " s ago)" in found.stderr
    assert trained("m.safetensors") == trained("whole.safetensors")
    assert not list(here.glob("*.ckpt*")), "the network is safe: nothing is to be gone on from"


def test_a_checkpoint_of_ones_own_name_stays(here):
    options = ["big.csv", *OPTIONS, "--checkpoint", "run.ckpt"]
    assert run("train", *options).exit_code == 0
    longer = [*options, "--max-iter", "25"]
    found = run("train", *longer)
    assert "going on from iteration 20 of run.ckpt" in found.stderr
    assert (here / "run.ckpt").exists()
    refused = run("train", *options, "--hidden", "6")
    assert refused.exit_code == 2
    assert "with another network" in refused.stderr
    assert "--no-resume begins anew, --resume anyway goes on all the same" in refused.stderr
    assert len(refused.stderr.strip().splitlines()[-1]) < 600
    assert run("train", *options, "--hidden", "6", "--no-resume").exit_code == 0
    options = ["big.csv", *OPTIONS, "--optimizer", "adam", "--checkpoint", "adam.ckpt"]
    assert run("train", *options).exit_code == 0
    otherwise = ["--lam", "2", "--max-iter", "25", "--resume", "anyway"]
    assert "going on from epoch 20" in run("train", *options, *otherwise).stderr


def test_a_short_training_leaves_no_checkpoint(here, monkeypatch):
    monkeypatch.setattr(keeping, "FIRST", 60.0)
    assert run("train", "big.csv", *OPTIONS).exit_code == 0
    assert sorted(path.name for path in here.iterdir()) == [
        "big.csv",
        "big.png",
        "big.safetensors",
    ]


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129)])
def test_a_signal_saves_the_best_theta_and_names_the_file(here, name, code):
    options = ["big.csv", *OPTIONS, "--optimizer", "adam"]
    found, _, err = ended_by(killed_by(name), "train", *options)
    by = "Ctrl-C" if name == "SIGINT" else name
    assert found == code, err
    assert f"stopped: interrupted by {by}; this is the best theta so far" in err
    assert err.splitlines()[-1].endswith(
        "is saved in big.safetensors; the same command goes on from big.safetensors.ckpt"
    )
    assert model_file.load("big.safetensors").provenance.stopped.startswith("stopped: interrupted")
    assert "going on from epoch 7" in run("train", *options).stderr
    assert not list(here.glob("*.ckpt*"))


def test_a_second_ctrl_c_leaves_at_once(here):
    again = f"keeping.save = lambda *given, **more: {killed_by('SIGINT')} or time.sleep(60)"
    send = f"import time; {again}; {killed_by('SIGINT')}"
    code, out, err = ended_by(send, "train", "big.csv", *OPTIONS)
    assert (code, out) == (130, "")
    assert "Traceback" not in err
    assert not list(here.glob("*.safetensors"))


def test_a_second_sigterm_lets_the_first_save(here):
    again = (
        "keeping.save = lambda *given, save=keeping.save, **more: "
        "signal.raise_signal(15) or save(*given, **more)"
    )
    code, _, err = ended_by(f"{again}; {killed_by('SIGTERM')}", "train", "big.csv", *OPTIONS)
    assert code == 143
    assert "is saved in big.safetensors" in err


def test_a_terminal_that_is_gone_does_not_lose_the_network(here):
    terminal, stderr = os.openpty()
    wait = "open('ready', 'w').close()\n        while not os.path.exists('gone'): pass\n        "
    process = subprocess.Popen(
        [
            sys.executable, "-c", SIGNAL.replace("SEND", f"\n        {wait}{killed_by('SIGHUP')}"),
            "train", "big.csv", *OPTIONS,
        ],
        stderr=stderr, stdout=stderr,
    )  # fmt: skip
    os.close(stderr)
    while process.poll() is None and not (here / "ready").exists():
        os.read(terminal, 10_000)
    os.close(terminal)
    (here / "gone").touch()
    assert process.wait(60) == 129
    assert model_file.load("big.safetensors")


def test_scipys_minimizers_say_before_training_that_they_cannot_go_on(here):
    options = ["big.csv", *OPTIONS, "--optimizer", "scipy:CG"]
    refused = run("train", *options, "--checkpoint", "run.ckpt")
    assert refused.exit_code == 2
    assert "keeps its state to itself" in refused.stderr
    assert "iteration" not in refused.stderr
    found = run("train", *options)
    assert found.exit_code == 0
    assert "no checkpoint is kept: SciPy's minimizers cannot go on from one" in found.stderr


def test_restarts_go_on_too(here):
    options = ["big.csv", *OPTIONS, "--n-restarts", "2", "--checkpoint", "run.ckpt"]
    first = run("train", *options)
    assert first.exit_code == 0, first.stderr
    assert len(list(here.glob("run.ckpt.*"))) == 2
    before = trained("big.safetensors")
    again = run("train", *options)
    assert again.stderr.count("going on from iteration 20") == 2
    assert trained("big.safetensors") == before


def test_folds_that_are_done_are_not_trained_again(here, monkeypatch):
    from chainrule.evaluation import selection

    options = ["big.csv", "--cv", "--max-iter", "10", "--checkpoint", "run.ckpt"]
    folds, train = [], selection.train

    def counted(*given, **more):
        folds.append(given)
        if len(folds) == 5:
            raise KeyboardInterrupt
        return train(*given, **more)

    monkeypatch.setattr(selection, "train", counted)
    assert run("train", *options).exit_code == 130
    assert len(checkpoint.load(here / "run.ckpt").notes["scores"]) == 4
    found = run("train", *options)
    assert found.exit_code == 0
    trained_again = len(folds) - 5
    before = trained("big.safetensors")
    again = run("train", *options)
    assert len(folds) == 5 + trained_again, "all were known"
    assert trained("big.safetensors") == before
    assert "going on from iteration 10" in again.stderr


def test_where_the_folder_fails_the_network_goes_elsewhere(here, monkeypatch):
    from chainrule import model_file

    (here / "full").mkdir()
    save = model_file.save

    def full(file, *given, **more):
        if file.parent.name == "full":
            raise model_file.ModelFileError(f"{file}: the model cannot be saved here (no space)")
        save(file, *given, **more)

    monkeypatch.setattr(model_file, "save", full)
    found = run("train", "big.csv", *OPTIONS, "--out", "full/m.safetensors")
    assert found.exit_code == 4
    assert "(no space); the network is saved in" in found.stderr.splitlines()[-1]
    assert model_file.load("m.safetensors")
    assert (here / "full" / "m.safetensors.ckpt").exists()

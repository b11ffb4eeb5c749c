"""A table that is read in blocks: the same training, scores and model as in memory."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from recording import Recording

from chainrule.common.checks import DataError
from chainrule.common.types import Stopped
from chainrule.engine import blocks, memory, passes, stream
from chainrule.training.checkpoint import Checkpoint
from chainrule.workbench import spooling
from chainrule.workbench.beside import advice, comparisons
from chainrule.workbench.picture import page
from chainrule.workbench.pipeline import run
from chainrule.workbench.request import Request
from chainrule.workbench.spooling import Large, few

M = 600


def table(kind="classes", order=False):
    """Return a table of numbers and text; its target is classes, numbers or several numbers."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, M)).round(3)
    colour = rng.choice(["red", "blue", "teal"], M)
    z = a - b + (colour == "red") + 0.1 * rng.normal(size=M)
    targets = {
        "classes": {"label": np.where(z > 0, "yes", "no")},
        "three": {"label": np.digitize(z, [-0.5, 0.8]).astype(str)},
        "numbers": {"label": z.round(3)},
        "several": {"one": z.round(3), "two": (z**2).round(3)},
    }[kind]
    frame = pl.DataFrame({"a": a, "b": b, "colour": colour, **targets})
    return frame.sort(frame.columns[3]) if order else frame


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where scratch files go; it is empty again at the end."""
    spool = tmp_path / "scratch"
    spool.mkdir()
    yield spool
    assert list(spool.iterdir()) == []


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 64 rows for all that is summed or trained on."""
    for module in (blocks, passes, stream, spooling):
        monkeypatch.setattr(module, "block_rows", lambda n, K, dtype: 64)
    monkeypatch.setattr("chainrule.datasets.scanning.block_rows", lambda width: 50)


def both(path, folder, **how):
    """Return what comes of a training in memory and in blocks."""
    how = {"hidden": (4,), "max_iter": 8, **how}
    in_blocks = Recording()
    return (
        run(Request(path, **how), Recording()),
        run(Request(path, memory=1, spool=folder, **how), in_blocks),
        in_blocks,
    )


def assert_same(one, other, rtol=0):
    np.testing.assert_allclose(other.result.theta, one.result.theta, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(other.result.history.J, one.result.history.J, rtol=rtol)
    assert other.lam == pytest.approx(one.lam, rel=rtol, abs=0)
    assert other.evaluations.keys() == one.evaluations.keys()
    for name, score in one.evaluations.items():
        assert len(other.evaluations[name].truth) == len(score.truth)
        assert other.evaluations[name].score == pytest.approx(score.score, rel=rtol, abs=0)
    assert other.model.provenance.data_sha256 == one.model.provenance.data_sha256


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("kind", ["classes", "three", "numbers", "several"])
def test_a_small_table_gives_the_same_bits_either_way(tmp_path, folder, suffix, kind):
    path = tmp_path / f"t.{suffix}"
    getattr(table(kind), f"write_{suffix}")(path)
    how = {"target": "one,two"} if kind == "several" else {}
    one, other, _ = both(path, folder, **how)
    assert_same(one, other)
    assert other.model.encoder == one.model.encoder
    for scaling in ("scaling", "target_scaling"):
        mine, its = getattr(other.model, scaling), getattr(one.model, scaling)
        assert (mine is None) == (its is None)
        if mine is not None:
            np.testing.assert_array_equal(mine.mean, its.mean)
            np.testing.assert_array_equal(mine.scale, its.scale)


@pytest.mark.parametrize("optimizer", ["lbfgs", "newton-cg", "adam"])
@pytest.mark.parametrize("kind", ["three", "numbers"])
def test_many_blocks_train_as_one(tmp_path, folder, small_blocks, optimizer, kind):
    path = tmp_path / "t.csv"
    table(kind).write_csv(path)
    one, other, _ = both(path, folder, optimizer=optimizer, lam=1.0)
    if optimizer == "adam":  # in another order
        scores = [outcome.evaluations["held out"].score for outcome in (one, other)]
        assert scores[1] == pytest.approx(scores[0], abs=0.1)
    else:
        assert_same(one, other, rtol=1e-6)


def test_the_same_rows_are_watched(tmp_path, folder, small_blocks):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    one, other, tell = both(path, folder, validation=0.25, lam=1.0)
    np.testing.assert_allclose(other.result.history.J_val, one.result.history.J_val, rtol=1e-6)
    assert_same(one, other, rtol=1e-6)
    assert any("J_val is watched on" in note for note in tell.notes)


def test_lambda_is_chosen_as_in_memory(tmp_path, folder):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    one, other, _ = both(path, folder)
    assert [choice.score for choice in other.plan.choices] == [
        choice.score for choice in one.plan.choices
    ]


@pytest.mark.parametrize(
    "how",
    [
        {"cv": True, "hidden": None, "max_iter": 3},
        {"n_restarts": 2, "lam": 1.0},
        {"scale": False, "lam": 1.0},
        {"test_size": 0.0, "lam": 1.0},
    ],
    ids=["cv", "restarts", "no scale", "no test"],
)
def test_other_options_do_the_same(tmp_path, folder, how):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    one, other, _ = both(path, folder, **how)
    assert_same(one, other)


@pytest.mark.parametrize("optimizer", ["lm", "br", "cg", "scg", "scipy:BFGS"])
def test_other_optimizers_do_the_same(tmp_path, folder, small_blocks, optimizer):
    path = tmp_path / "t.csv"
    table("numbers").write_csv(path)
    one, other, _ = both(path, folder, optimizer=optimizer, lam=1.0, max_iter=4)
    assert_same(one, other, rtol=1e-5)


def test_what_will_be_done_is_said_before_it_starts(tmp_path, folder):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    _, _, tell = both(path, folder)
    assert "of memory, and 1 bytes may be used for it: read in blocks" in tell.headings[0]
    assert "600 rows of 5 inputs in 1 block; a pass reads 28.8 kB; the blocks" in tell.notes[0]
    assert "of memory beside the program's own, whatever --memory says" in tell.notes[0]
    assert f"spooled to {folder}" in tell.notes[1]
    assert all(shares[-1] == 1 for shares in tell.shares.values())


@pytest.mark.parametrize(("order", "optimizer"), [(True, "adam"), (False, "adam"), (True, "lbfgs")])
def test_only_minibatches_ask_for_another_order(tmp_path, folder, small_blocks, order, optimizer):
    path = tmp_path / "t.csv"
    table("three", order).write_csv(path)
    tell = Recording()
    how = {"hidden": (4,), "max_iter": 2, "optimizer": optimizer, "lam": 1.0}
    outcome = run(Request(path, memory=1, spool=folder, **how), tell)
    shuffled = any("in the order of their targets: shuffled" in note for note in tell.notes)
    assert shuffled == (order and optimizer == "adam")
    first = outcome.training.Y[:100]
    assert (len(np.unique(first)) == 1) == (order and not shuffled)


def test_a_folder_is_trained_on(tmp_path, folder):
    parts = tmp_path / "parts"
    parts.mkdir()
    whole = tmp_path / "whole.parquet"
    table().write_parquet(whole)
    for i in range(3):
        table()[200 * i : 200 * (i + 1)].write_parquet(parts / f"{i}.parquet")
    how = {"hidden": (4,), "max_iter": 5, "lam": 1.0}
    one = run(Request(whole, **how), Recording())
    for source in (parts, f"{parts}/*.parquet"):
        other = run(Request(source, spool=folder, **how), Recording())
        np.testing.assert_array_equal(other.result.theta, one.result.theta)
        del other


def test_a_table_that_fits_is_read_as_ever(tmp_path):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    assert Large.of(path, None) is None
    assert Large.of("digits", 1) is None
    assert Large.of(path, 10**6) is None
    assert Large.of(path, 10**4) is not None


def test_what_is_free_decides_where_nobody_says(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    monkeypatch.setattr(memory, "available", lambda: 1000)
    assert Large.of(path, None).limit == 700
    monkeypatch.setattr(memory, "available", lambda: None)
    assert Large.of(path, None) is None


def test_comparisons_advice_and_the_picture_are_there(tmp_path, folder, small_blocks):
    for kind in ("classes", "numbers"):
        path = tmp_path / f"{kind}.csv"
        table(kind).write_csv(path)
        one, other, _ = both(path, folder, lam=1.0)
        mine, its = comparisons(other), comparisons(one)
        assert list(mine) == list(its)
        assert [score.score for score in mine.values()] == pytest.approx(
            [score.score for score in its.values()], rel=1e-6
        )
        assert advice(other, mine) == advice(one, its)
        titles = [[ax.get_title() for ax in page(o, "t").axes] for o in (one, other)]
        assert titles[0] == titles[1]
        del one, other


def test_curves_and_maps_are_drawn_of_some_rows(tmp_path, folder):
    for inputs in (["a"], ["a", "b"]):
        for kind in ("classes", "numbers"):
            path = tmp_path / f"{kind}.csv"
            table(kind).select([*inputs, "label"]).write_csv(path)
            outcome = run(
                Request(path, hidden=(3,), max_iter=3, memory=1, spool=folder), Recording()
            )
            assert page(outcome, "t").axes
            del outcome


def test_recipes_are_refused(tmp_path, folder):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    with pytest.raises(
        ValueError, match="--recipe plain needs the table in memory: raise --memory"
    ):
        run(Request(path, recipe="plain", memory=1, spool=folder), Recording())


def test_a_disk_that_is_too_small_is_named_before_anything_is_written(
    tmp_path, folder, monkeypatch
):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=5))
    with pytest.raises(
        DataError, match=r"take 37.4 kB, 67.1 MB are to stay free .* 5 bytes are free"
    ):
        run(Request(path, memory=1, spool=folder), Recording())


def test_asked_to_stop_it_leaves_nothing(tmp_path, folder):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    for times in (1, 2, 3):
        asked = iter([False] * times)
        with pytest.raises(Stopped):
            run(
                Request(path, memory=1, spool=folder),
                Recording(),
                stop=partial(next, asked, True),
            )


def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_bits(
    tmp_path, folder, small_blocks
):
    path, kept = tmp_path / "t.csv", tmp_path / "run.ckpt"
    table("three", order=True).write_csv(path)
    for optimizer in ("lbfgs", "adam"):
        how = {"hidden": (4,), "lam": 1.0, "optimizer": optimizer, "spool": folder, "memory": 1}
        whole = run(Request(path, max_iter=9, **how), Recording()).result
        run(Request(path, max_iter=4, **how), Recording(), checkpoint=Checkpoint(kept, 0.0))
        keeper = Checkpoint(kept, 0.0)
        rest = run(Request(path, max_iter=9, **how), Recording(), checkpoint=keeper).result
        np.testing.assert_array_equal(rest.theta, whole.theta)
        assert rest.history.J == whole.history.J
        keeper.remove()


def test_some_rows_are_evenly_spread():
    from chainrule.datasets import load

    assert few(load("digits"), 5).Y.tolist() == load("digits").Y[[0, 449, 898, 1347, 1796]].tolist()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no RssAnon")
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_table(tmp_path, suffix):
    """At most 250 MB over what the command takes for 60 rows, for a table of 100 MB and more."""
    rng = np.random.default_rng(0)
    m = 400_000
    frame = pl.DataFrame({f"x{j}": rng.normal(size=m) for j in range(28)})
    frame = frame.with_columns(label=pl.Series(rng.choice(["a", "b"], m)))
    peaks = []
    for rows in (60, m):
        path = tmp_path / f"t{rows}.{suffix}"
        getattr(frame[:rows], f"write_{suffix}")(path)
        options = ["--hidden", "5", "--max-iter", "2", "--lam", "1", "--out", "m.safetensors"]
        start = "from chainrule_command import main; main()"
        command = [sys.executable, "-c", start, "train", path, "--memory", "50MB", *options]
        program = (
            "import json, subprocess, sys, time\n"
            "process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
            "peak = 0\n"
            "while process.poll() is None:\n"
            "    try:\n"
            "        for line in open(f'/proc/{process.pid}/status'):\n"
            "            if line.startswith('RssAnon'):\n"
            "                peak = max(peak, int(line.split()[1]))\n"
            "    except OSError:\n"
            "        pass\n"
            "    time.sleep(0.003)\n"
            "print(json.dumps([process.returncode, peak]))\n"
        )
        told = subprocess.run(
            [sys.executable, "-c", program, *command],
            capture_output=True, check=True, cwd=tmp_path, text=True,
        )  # fmt: skip
        code, peak = json.loads(told.stdout)
        assert code == 0, told.stderr
        peaks.append(peak / 1024)
    assert peaks[1] - peaks[0] < 250

"""A training from a table that is read in blocks ends where the one in memory does, to the bit."""

import os

import numpy as np
import polars as pl
import pytest

from chainrule import Network, WrongGradientError, train
from chainrule import blocks as open_table
from chainrule.common.checks import DataError
from chainrule.engine import blocks, stream
from chainrule.engine.blocks import Arrays, Npy
from chainrule.engine.rows import Rows
from chainrule.engine.stream import Stream
from chainrule.notes.activations import Activation, sigmoid
from chainrule.optimize import OPTIMIZERS, is_rule
from chainrule.training.checkpoint import CheckpointError

M = 203
EPOCHS = sorted(name for name, method in OPTIMIZERS.items() if is_rule(method))
BATCH = [*sorted({*OPTIMIZERS} - {*EPOCHS}), "scipy:BFGS"]
NETWORK = Network((3, 4, 2), hidden="tanh", output="identity")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks of 16 rows, of which 2 are in a buffer."""
    monkeypatch.setattr(blocks, "LEAST", 16)
    monkeypatch.setattr(blocks, "BYTES", 100)
    monkeypatch.setattr(stream, "BUFFER", 2)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Return whole numbers, targets and weights in memory, and X and Y as files."""
    folder, rng = tmp_path_factory.mktemp("table"), np.random.default_rng(2)
    X = rng.integers(-2, 3, (M, 3)).astype(np.int8)
    Y = np.sin(X[:, :2] + X[:, 2:]) + 0.1 * rng.normal(size=(M, 2))
    w = rng.integers(0, 3, M).astype(float)
    for name, values in (("X", X), ("Y", Y), ("w", w)):
        np.save(folder / f"{name}.npy", values)
    return X, Y, w, folder


def mapped(folder):
    return np.load(folder / "X.npy", mmap_mode="r")


def bits(result):
    history = [result.history.J, result.history.gradient_norm, result.history.J_val]
    return result.theta.tobytes(), np.array(history[0]).tobytes(), repr(history), result.n_iter


def same_theta(one, other):
    """Check that theta has the same bits; an epoch's mean cost is added up by buffers."""
    assert one.theta.tobytes() == other.theta.tobytes()
    np.testing.assert_allclose(one.history.J, other.history.J, rtol=1e-14)
    assert one.history.J_val == other.history.J_val


@pytest.mark.parametrize("optimizer", BATCH)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_optimizer_over_all_rows_has_the_bits_of_memory(optimizer, weighted, table):
    X, Y, w, folder = table
    how = {"optimizer": optimizer, "max_iter": 4, "lam": 0.1}
    w = w if weighted else None
    wanted = bits(train(NETWORK, X.astype(float), Y, weights=w, threads=1, **how))
    files = Npy(folder / "X.npy", folder / "Y.npy", folder / "w.npy" if weighted else None)
    assert bits(train(NETWORK, files, threads=2, **how)) == wanted
    for given in (X, np.asfortranarray(X, float), mapped(folder)):
        assert bits(train(NETWORK, given, Y, weights=w, threads=2, **how)) == wanted


@pytest.mark.parametrize("optimizer", EPOCHS)
def test_minibatches_of_what_is_converted_in_memory_have_the_bits_of_floats(optimizer, table):
    X, Y, w, _ = table
    how = {"optimizer": optimizer, "max_iter": 3, "weights": w, "batch_size": 10, "dropout": 0.3}
    same_theta(train(NETWORK, X, Y, **how), train(NETWORK, X.astype(float), Y, **how))


@pytest.mark.parametrize("optimizer", EPOCHS)
@pytest.mark.parametrize("engine", ["kernel", "numpy"])
def test_minibatches_in_order_have_the_bits_of_memory(optimizer, engine, table):
    X, Y, w, folder = table
    how = {
        "optimizer": optimizer, "max_iter": 3, "batch_size": 10, "dropout": 0.3, "lam": 0.1,
        "shuffle": False, "engine": engine,
    }  # fmt: skip
    wanted = train(NETWORK, X.astype(float), Y, weights=w, **how)
    files = Npy(folder / "X.npy", folder / "Y.npy", folder / "w.npy")
    same_theta(train(NETWORK, files, **how), wanted)
    same_theta(train(NETWORK, mapped(folder), Y, weights=w, **how), wanted)


def test_shuffled_minibatches_depend_on_the_seed_and_not_on_what_holds_the_rows(table):
    X, Y, w, folder = table
    how = {"optimizer": "adam", "max_iter": 3, "batch_size": 10, "dropout": 0.3}
    files = Npy(folder / "X.npy", folder / "Y.npy", folder / "w.npy")
    wanted = bits(train(NETWORK, files, **how))
    floats = np.memmap(folder / "floats", float, "w+", shape=X.shape)
    floats[:] = X
    for given in (mapped(folder), floats):
        for threads in (1, 2):
            assert bits(train(NETWORK, given, Y, weights=w, threads=threads, **how)) == wanted
    assert bits(train(NETWORK, files, seed=1, **how)) != wanted


def test_a_table_of_few_blocks_has_the_minibatches_of_memory(table):
    X, Y, _, folder = table
    np.save(folder / "few.npy", X[:32])
    how = {"optimizer": "adam", "max_iter": 3, "batch_size": 10}
    wanted = bits(train(NETWORK, X[:32].astype(float), Y[:32], **how))
    assert bits(train(NETWORK, Npy(folder / "few.npy", Y[:32]), **how)) == wanted
    assert bits(train(NETWORK, np.load(folder / "few.npy", mmap_mode="r"), Y[:32], **how)) == wanted


class Killed(Exception):
    pass


@pytest.mark.parametrize("where", ["mapped", "memory", "file"])
@pytest.mark.parametrize("batches", [1, 4, 13, 17, 30])
def test_a_training_killed_within_an_epoch_goes_on_to_the_same_bits(
    where, batches, table, tmp_path
):
    X, Y, _, folder = table
    given = {
        "mapped": (mapped(folder), Y),
        "memory": (X, Y),
        "file": (Npy(folder / "X.npy", folder / "Y.npy"),),
    }
    how = {"optimizer": "adam", "max_iter": 3, "batch_size": 11, "every": 1, "dropout": 0.2}
    wanted = bits(train(NETWORK, *given[where], **how))
    seen = 0

    def kill(step):
        nonlocal seen
        seen += bool(step.batch)
        if seen == batches:
            raise Killed

    keeper = {"checkpoint": tmp_path / "run.state", "checkpoint_every": 0.0}
    with pytest.raises(Killed):
        train(NETWORK, *given[where], callback=kill, **keeper, **how)
    assert bits(train(NETWORK, *given[where], **keeper, **how)) == wanted


def test_a_checkpoint_of_another_table_is_refused(table, tmp_path):
    X, Y, _, folder = table
    how = {"max_iter": 2, "checkpoint": tmp_path / "run.state"}
    train(NETWORK, Npy(folder / "X.npy", Y), **how)
    train(NETWORK, Npy(folder / "X.npy", Y), **how)
    np.save(tmp_path / "other.npy", X + 1)
    with pytest.raises(CheckpointError, match="other data"):
        train(NETWORK, Npy(tmp_path / "other.npy", Y), **how)
    with pytest.raises(CheckpointError, match="other data"):
        train(NETWORK, Npy(folder / "X.npy", Y + 1), **how)


@pytest.mark.parametrize("form", ["csv", "parquet", "npy"])
def test_a_checkpoint_of_other_columns_of_the_same_file_is_refused(form, tmp_path):
    values = np.abs(np.random.default_rng(3).normal(size=(M, 5)))
    path, how = tmp_path / f"t.{form}", {"max_iter": 2, "checkpoint": tmp_path / "run.state"}
    if form == "npy":
        np.save(path, values)
        first, *others = [{"target": "x1"}, {"target": "x2"}]
    else:
        getattr(pl.DataFrame(values, list("abcde")), f"write_{form}")(path)
        first, *others = [
            {"target": "e", "columns": list("abcd")},
            {"target": "e", "columns": list("bacd")},
            {"target": "d", "columns": list("abce")},
        ]
    network = Network((4, 2, 1), output="identity")
    train(network, open_table(path, **first), **how)
    for other in others:
        with pytest.raises(CheckpointError, match="other data"):
            train(network, open_table(path, **other), **how)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_checkpoint_without_the_weights_of_the_same_file_is_refused(form, tmp_path):
    values = np.abs(np.random.default_rng(3).normal(size=(M, 3)))
    path, how = tmp_path / f"t.{form}", {"max_iter": 2, "checkpoint": tmp_path / "run.state"}
    getattr(pl.DataFrame(values, list("abc")), f"write_{form}")(path)
    network = Network((1, 2, 1), output="identity")
    train(network, open_table(path, "b", columns=["a"], weights="c"), **how)
    with pytest.raises(CheckpointError, match="other data"):
        train(network, open_table(path, "b", columns=["a"]), **how)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_validation_rows_may_be_a_source(optimizer, table):
    X, Y, _, folder = table
    how = {"optimizer": optimizer, "max_iter": 5, "shuffle": False, "patience": 2}
    memory = train(NETWORK, X.astype(float), Y, X_val=X[::2].astype(float), Y_val=Y[::2], **how)
    files = Npy(folder / "X.npy", folder / "Y.npy")
    read = train(NETWORK, files, X_val=Arrays(X[::2], Y[::2]), **how)
    same_theta(read, memory)
    with pytest.raises(ValueError, match="X_val and Y_val: the table has its own target"):
        train(NETWORK, files, X_val=files, Y_val=Y)
    with pytest.raises(ValueError, match="go together"):
        train(NETWORK, X, Y, X_val=X)


def test_codes_of_classes_are_targets(table):
    X, Y, _, folder = table
    codes = (Y[:, 0] > 0).astype(np.int8) + (Y[:, 1] > 0)
    for K, y in ((3, codes), (1, codes > 0)):
        output = "softmax" if K == 3 else "sigmoid"
        network = Network((3, 4, K), output=output)
        wanted = bits(train(network, X.astype(np.float32), y, max_iter=3))
        np.save(folder / "codes.npy", y)
        files = Npy(folder / "X.npy", folder / "codes.npy")
        assert bits(train(network, files, max_iter=3, dtype="float32")) == wanted
        assert bits(train(network, X, y, max_iter=3, dtype="float32")) == wanted


def test_a_wrong_gradient_is_found_in_what_is_streamed(table):
    _, Y, _, folder = table
    wrong = Network((3, 4, 2), hidden=Activation("wrong", sigmoid, np.ones_like), output="identity")
    with pytest.raises(WrongGradientError):
        train(wrong, Npy(folder / "X.npy", Y))


def test_distortions_are_of_what_a_buffer_holds(table):
    _, Y, _, folder = table
    seen = []

    def distort(X, rng):
        seen.append((len(X), rng.random()))
        return X + 0.0

    how = {"optimizer": "sgd", "max_iter": 2, "batch_size": 10}
    plain = bits(train(NETWORK, Npy(folder / "X.npy", Y), **how))
    assert bits(train(NETWORK, Npy(folder / "X.npy", Y), distort=distort, **how)) == plain
    assert len(seen) == len({number for _, number in seen}) == 2 * 7
    assert all(rows <= 2 * 16 + 10 for rows, _ in seen)


def test_a_training_that_is_stopped_keeps_what_it_has(table):
    _, Y, _, folder = table
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 200

    result = train(NETWORK, Npy(folder / "X.npy", Y), optimizer="adam", max_iter=10**6, stop=stop)
    assert "stop" in result.stopped
    assert np.isfinite(result.J)


def test_several_starts_read_one_table(table):
    X, Y, _, folder = table
    how = {"max_iter": 3, "n_restarts": 3}
    wanted = bits(train(NETWORK, X.astype(float), Y, **how))
    assert bits(train(NETWORK, Npy(folder / "X.npy", Y), **how)) == wanted


def test_a_source_is_not_read_into_memory(table, monkeypatch):
    _, Y, _, folder = table
    most = []
    load = Npy.read

    def read(self, first, last):
        most.append(last - first)
        return load(self, first, last)

    monkeypatch.setattr(Npy, "read", read)
    monkeypatch.setattr(Stream, "into_memory", None)
    monkeypatch.setattr(Rows, "checked", None)
    for optimizer in ("lbfgs", "adam"):
        train(NETWORK, Npy(folder / "X.npy", Y), optimizer=optimizer, max_iter=2)
    assert max(most) <= 16


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "scipy:BFGS"])
def test_a_file_that_changes_under_way_leaves_the_training_so_far(optimizer, tmp_path):
    rng = np.random.default_rng(4)
    np.save(tmp_path / "X.npy", rng.normal(size=(M, 3)))
    source = Npy(tmp_path / "X.npy", rng.normal(size=(M, 2)))
    how = {"optimizer": optimizer, "check": False}
    wanted = train(NETWORK, source, max_iter=2, **how)

    def change(step):
        if step.iteration == 2:
            os.utime(tmp_path / "X.npy", (1, 1))

    with pytest.raises(DataError, match="was changed while it was in use") as raised:
        train(NETWORK, source, callback=change, **how)
    result = raised.value.result
    assert result.n_iter == 2
    assert "was changed while it was in use" in result.stopped
    assert result.theta.tobytes() == wanted.theta.tobytes()
    assert not result.converged


def test_a_file_that_changes_before_the_last_J_leaves_the_training(tmp_path):
    rng = np.random.default_rng(4)
    np.save(tmp_path / "X.npy", rng.normal(size=(M, 3)))
    source = Npy(tmp_path / "X.npy", rng.normal(size=(M, 2)))

    def change(step):
        if step.iteration == 3:
            os.utime(tmp_path / "X.npy", (1, 1))

    with pytest.raises(DataError, match="was changed while it was in use") as raised:
        train(NETWORK, source, optimizer="adam", callback=change, check=False, max_iter=3)
    assert raised.value.result.n_iter == 3

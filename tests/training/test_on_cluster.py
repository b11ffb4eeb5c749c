"""A training by workers of Dask has the bits of one machine: theta and the history."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import dask_workers
import numpy as np
import pytest
from dask_workers import LOOPBACK, distributed

from chainrule import Network, train
from chainrule.common.checks import DataError
from chainrule.engine import blocks as engine_blocks
from chainrule.engine.blocks import Npy
from chainrule.engine.cluster import ClusterError, Workers
from chainrule.engine.lanes import Lanes
from chainrule.engine.readers import blocks
from chainrule.engine.stream import Stream

local, client = dask_workers.local, dask_workers.client  # fixtures
NETWORK = Network((8, 5, 3), output="softmax")
M = 17_000  # rows, in 17 blocks of which the last is short
LBFGS = {"optimizer": "lbfgs", "max_iter": 6}
WAYS = {
    "lbfgs": LBFGS,
    "cg": {"optimizer": "cg", "max_iter": 4, "lam": 0.1},
    "newton-cg": {"optimizer": "newton-cg", "max_iter": 2},
    "lanes": {"optimizer": "adam", "lanes": 3, "max_iter": 3, "batch_size": 64, "dropout": 0.2},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(M, 8)).astype("float32")
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", (X[:, :3] + 0.3 * rng.normal(size=(M, 3))).argmax(axis=1))
    np.save(folder / "w.npy", rng.uniform(0.5, 2, M).astype("float32"))
    return folder


@pytest.fixture(autouse=True)
def _blocks_of_1024_rows(monkeypatch):
    monkeypatch.setattr(engine_blocks, "BYTES", 1)


@pytest.fixture
def table(folder):
    return Npy(folder / "X.npy", folder / "y.npy")


def bits(result):
    of = result.history
    lists = (of.J, of.gradient_norm, of.J_val)
    return result.theta.tobytes(), result.J, [np.array(numbers).tobytes() for numbers in lists]


@pytest.mark.parametrize("name", WAYS)
def test_every_optimizer_has_the_bits_of_one_machine(client, table, name):
    alone = train(NETWORK, table, **WAYS[name])
    assert alone.history.J[0] > alone.J
    assert bits(train(NETWORK, table, client=client, **WAYS[name])) == bits(alone)


@pytest.mark.parametrize("name", ["lbfgs", "lanes"])
def test_a_kill_in_the_midst_changes_no_bit(client, table, name):
    def kill(step):
        if step.iteration == 1:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

    alone = train(NETWORK, table, **WAYS[name])
    assert bits(train(NETWORK, table, client=client, callback=kill, **WAYS[name])) == bits(alone)


def test_weights_validation_and_groups(client, folder):
    table = Npy(folder / "X.npy", folder / "y.npy", folder / "w.npy")
    alone = train(NETWORK, table, X_val=table, **LBFGS)
    for group in (1, 4):
        workers = Workers(client, group=group)
        got = train(NETWORK, table, X_val=table, client=workers, **LBFGS)
        assert bits(got) == bits(alone)
        assert sum(share.rows for share in workers.shares.values()) >= 7 * M
        workers.close()


def test_levenberg_marquardt(client, folder):
    network = Network((8, 3, 1), output="identity")
    table = Npy(folder / "X.npy", np.load(folder / "X.npy")[:, 0] ** 2)
    options = {"optimizer": "lm", "max_iter": 3, "dtype": "float64"}
    assert bits(train(network, table, client=client, **options)) == bits(
        train(network, table, **options)
    )


def test_a_training_goes_on_from_a_checkpoint_with_or_without_a_cluster(client, table, tmp_path):
    file = tmp_path / "run.state"
    for name in ("lbfgs", "lanes"):
        options = WAYS[name] | {"checkpoint": file, "resume": True}
        train(NETWORK, table, client=client, **(options | {"max_iter": 2}))
        assert bits(train(NETWORK, table, **options)) == bits(train(NETWORK, table, **WAYS[name]))
        file.unlink()


@pytest.mark.parametrize("alone_first", [True, False])
@pytest.mark.parametrize("kind", ["file", "arrays"])
def test_so_does_one_of_a_table_that_fits_memory(client, folder, tmp_path, kind, alone_first):
    for name in ("X", "y", "w"):
        np.save(tmp_path / f"{name}.npy", np.load(folder / f"{name}.npy")[:1500])
    names = [tmp_path / f"{name}.npy" for name in ("X", "y", "w")]
    X, y, weights = names if kind == "file" else map(np.load, names)
    if kind == "file":
        table = {"X": blocks(X, target=y, weights=weights)}
    else:
        table = {"X": X, "Y": y, "weights": weights}
    options = LBFGS | {"checkpoint": tmp_path / "run.state", "resume": True}
    ways = [{}, {"client": client}] if alone_first else [{"client": client}, {}]
    train(NETWORK, **table, **ways[0], **(options | {"max_iter": 2}))
    got = train(NETWORK, **table, **ways[1], **options)
    assert bits(got) == bits(train(NETWORK, **table, **LBFGS))


@pytest.mark.parametrize("shape", ["arrays", "frame"])
def test_arrays_and_frames_of_dask(client, table, folder, shape):
    alone = train(NETWORK, table, **LBFGS)
    import dask.array as da

    X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
    if shape == "arrays":
        X = da.from_array(X, chunks=(700, 5))
        got = train(NETWORK, X, da.from_array(y, chunks=999), client=client, **LBFGS)
    else:
        pd = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow", reason="dataframes of Dask need pyarrow")
        dd = pytest.importorskip("dask.dataframe")
        frame = pd.DataFrame(X, columns=list("abcdefgh")).assign(label=y)
        got = train(
            NETWORK, blocks(dd.from_pandas(frame, npartitions=7), "label"), client=client, **LBFGS
        )
    assert bits(got) == bits(alone)


def test_a_dataframe_with_a_series_as_its_target(client, table, folder):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow", reason="dataframes of Dask need pyarrow")
    dd = pytest.importorskip("dask.dataframe")
    y, w = (pd.Series(np.load(folder / f"{name}.npy")) for name in "yw")
    frame = pd.DataFrame(np.load(folder / "X.npy"), columns=list("abcdefgh"))
    parts = [dd.from_pandas(part, npartitions=7) for part in (frame, y, w.rename("a"))]
    got = train(NETWORK, parts[0], parts[1], weights=parts[2], client=client, **LBFGS)
    weighted = Npy(folder / "X.npy", folder / "y.npy", folder / "w.npy")
    assert bits(got) == bits(train(NETWORK, weighted, **LBFGS))


def test_what_workers_hold_for_dask_alone_is_refused(client, folder):
    import dask.array as da

    X = client.persist(da.from_array(np.load(folder / "X.npy"), chunks=(5000, 8)))
    y = da.from_array(np.load(folder / "y.npy"), chunks=5000)
    with pytest.raises(DataError, match=r"persisted.* as it was before persist\(\)"):
        train(NETWORK, X, y, client=client)


def test_the_current_client_is_taken_for_arrays_of_dask(local, table, folder):
    import dask.array as da

    X, y = (da.from_array(np.load(folder / f"{name}.npy"), chunks=5000) for name in "Xy")
    alone = train(NETWORK, table, **LBFGS)
    with distributed.Client(local):
        assert bits(train(NETWORK, X, y, **LBFGS)) == bits(alone)


def test_what_a_cluster_cannot_do_is_said(client, table):
    big = np.zeros((40_000, 8))
    with pytest.raises(ValueError, match=r"X is in the memory of this process.*chainrule\.blocks"):
        train(NETWORK, big, np.zeros(40_000, int), client=client)
    import dask.array as da

    of_big = r"the Dask collection that is given, was made of an array .* as \.npy .* or Zarr"
    with pytest.raises(ValueError, match=of_big):
        train(NETWORK, da.from_array(big), da.from_array(np.zeros(40_000, int)), client=client)
    with pytest.raises(ValueError, match=r"a cluster trains in lanes.*give lanes=8"):
        train(NETWORK, table, client=client, optimizer="adam")
    with pytest.raises(ValueError, match="lanes is for minibatches"):
        train(NETWORK, table, client=client, lanes=2)
    with pytest.raises(ValueError, match=r"lanes=99 needs .* has 17: give at most"):
        train(NETWORK, table, client=client, optimizer="adam", lanes=99)
    with pytest.raises(ValueError, match="distort and every are not for lanes"):
        train(NETWORK, table, optimizer="adam", lanes=2, every=3)
    for wrong in ("tcp://127.0.0.1:1", 3):
        with pytest.raises(ValueError, match=r"client must be a distributed\.Client"):
            train(NETWORK, table, client=wrong)
    with pytest.raises(ValueError, match="max_lost must be a number of minutes > 0, got 0"):
        train(NETWORK, table, client=client, max_lost=0)
    with pytest.raises(ValueError, match="lanes must be"):
        train(NETWORK, table, optimizer="adam", lanes=0)


@pytest.mark.slow
def test_a_block_that_fails_in_the_midst_keeps_the_best_theta(client, folder, tmp_path):
    for name in ("X.npy", "y.npy"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    table = Npy(tmp_path / "X.npy", tmp_path / "y.npy")

    def change(step):
        if step.iteration == 2:  # the workers forget what they hold, and read again
            np.save(tmp_path / "X.npy", np.load(folder / "X.npy") + 1)
            for pid in client.run(os.getpid).values():
                os.kill(pid, signal.SIGKILL)

    got = train(NETWORK, table, client=client, callback=change, **LBFGS)
    assert "X.npy was changed" in got.stopped
    assert "on worker tcp://127.0.0.1" in got.stopped
    assert got.n_iter == 2
    assert min(got.history.J) == got.J


def test_max_time_ends_a_training_on_a_cluster(client, table):
    got = train(NETWORK, table, client=client, max_time=1e-9, **LBFGS)
    assert got.stopped.startswith("stopped")
    over = threading.Event()
    got = train(
        NETWORK, table, client=client, callback=lambda step: over.set(), stop=over.is_set, **LBFGS
    )
    assert got.n_iter == 0


def test_no_worker_is_said_before_training(table):
    with (
        distributed.LocalCluster(n_workers=0, **LOOPBACK) as empty,
        distributed.Client(empty, set_as_default=False) as client,
        pytest.raises(ClusterError, match="has no workers"),
    ):
        train(NETWORK, table, client=client, max_lost=0.001)


def test_lanes_are_a_function_of_their_number_and_the_seed(table):
    options = WAYS["lanes"]
    one = train(NETWORK, table, **options, threads=1)
    assert bits(train(NETWORK, table, **options, threads=2)) == bits(one)
    half = train(NETWORK, table, **(options | {"max_iter": 1}))
    rest = train(NETWORK, table, **(options | {"max_iter": 2}), state=half.state)
    assert rest.theta.tobytes() == one.theta.tobytes()
    for other in ({"lanes": 2}, {"seed": 1}):
        assert bits(train(NETWORK, table, **(options | other))) != bits(one)


def test_the_lanes_share_the_blocks(table):
    lanes = Lanes(Stream.checked(NETWORK, table), 3)
    assert lanes.borders == [range(0, 5), range(5, 11), range(11, 17)]
    assert lanes.steps(64) == 6 * 1024 // 64


def test_lanes_that_diverge_say_so(table):
    got = train(NETWORK, table, optimizer="sgd", lanes=2, learning_rate=1e30, max_iter=3)
    assert got.stopped.startswith("diverged")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thirty_random_scenarios_have_one_hash():
    pytest.importorskip("zarr")
    run = [sys.executable, "-m", "benchmarks.scenarios", "--count", "30"]
    done = subprocess.run(run, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "30 of 30 with the same bits; processes left: 0" in done.stdout

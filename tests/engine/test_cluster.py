"""Sums by workers of Dask have the bits of one process, whatever happens to the workers."""

import os
import signal
import threading
from functools import partial
from types import SimpleNamespace

import dask_workers
import numpy as np
import pytest
from dask_workers import LOOPBACK, distributed, wait_until

from chainrule import Network, kernel, random_theta
from chainrule.common.checks import DataError
from chainrule.common.types import Stopped
from chainrule.engine import blocks as engine_blocks
from chainrule.engine import cluster, summing
from chainrule.engine.blocks import Blocks, Npy
from chainrule.engine.cluster import Alike, ClusterError, Workers, agreed, told
from chainrule.engine.sums import Tree

local, client = dask_workers.local, dask_workers.client  # fixtures
NETWORK = Network((8, 5, 1))
M = 17_000  # rows, in 17 blocks of which the last is short
DTYPE = np.dtype("float32")


def leaf_of(loaded, theta):
    return summing.accumulate(NETWORK, theta, *loaded, threads=1)


def leaf(theta):
    return wrapped(partial(leaf_of, theta=theta))


def wrapped(function):
    def leaf(loaded):
        return function(loaded)

    return leaf


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(M, 8)).astype(DTYPE)
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", (X[:, 0] > 0).astype(DTYPE))
    return folder


@pytest.fixture
def blocks(table, monkeypatch):
    monkeypatch.setattr(engine_blocks, "BYTES", 1)  # blocks of 1,024 rows
    return list(Blocks(Npy(table / "X.npy", table / "y.npy"), NETWORK, DTYPE))


@pytest.fixture
def theta():
    return random_theta(NETWORK, 0).astype(DTYPE)


@pytest.fixture
def alone(blocks, theta):
    """The sum that one process finds."""
    tree = Tree()
    for i, block in enumerate(blocks):
        tree.add(i, leaf_of(block.load(), theta))
    return tree.total()


def by(client, blocks, **options):
    workers = Workers(client, **options)
    workers.agree(by_kernel=kernel.BUILT)
    workers.hold(blocks)
    return workers


def same(one, other):
    return one[0] == other[0] and one[1].tobytes() == other[1].tobytes() and one[2] == other[2]


def pids(client):
    return list(client.run(os.getpid).values())


@pytest.mark.parametrize("group", [None, 1, 4, 8, 100])
def test_any_groups_of_blocks_give_the_same_bits(client, blocks, theta, alone, group):
    workers = by(client, blocks, group=group)
    for _ in range(2):
        assert same(workers.sums(leaf(theta)), alone)
    assert sum(share.rows for share in workers.shares.values()) == 2 * M


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("large", [True, False])
def test_a_large_theta_and_rows_that_do_not_fit_change_no_bit(
    client, blocks, theta, alone, monkeypatch, held, large
):
    monkeypatch.setattr(cluster, "LARGE", 0 if large else 2**20)
    monkeypatch.setattr(cluster, "FILLED", 0.5 if held else 0.0)
    workers = by(client, blocks)
    assert same(workers.sums(leaf(theta)), alone)
    assert workers.keeps == held


@pytest.mark.parametrize("how_many", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_workers_that_are_killed_change_no_bit(client, blocks, theta, alone, how_many):
    workers = by(client, blocks)
    assert same(workers.sums(leaf(theta)), alone)
    for pid in pids(client)[:how_many]:
        os.kill(pid, signal.SIGKILL)
    for _ in range(3):
        assert same(workers.sums(leaf(theta)), alone)


def test_a_worker_that_is_lost_is_told_once(client, blocks, theta, alone):
    told = []
    workers = by(client, blocks, tell=told.append)
    workers.sums(leaf(theta))
    killed, pid = next(iter(client.run(os.getpid).items()))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: killed not in client.nthreads())
    workers.others().threads()
    workers.threads()
    assert told == [f"lost 1 worker ({killed}): the rows that were there are read again"]
    assert same(workers.sums(leaf(theta)), alone)


@pytest.mark.parametrize("goes_on", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_worker_that_is_stopped_is_left_out(client, blocks, theta, alone, goes_on):
    workers = by(client, blocks)
    assert same(workers.sums(leaf(theta)), alone)
    said = client.run(os.getpid)
    stopped = next(iter(workers.shares))
    os.kill(said[stopped], signal.SIGSTOP)
    try:
        for _ in range(3):
            assert same(workers.sums(leaf(theta)), alone)
        rows = workers.shares[stopped].rows
        assert same(workers.sums(leaf(theta)), alone)
        assert workers.shares[stopped].rows == rows
    finally:
        os.kill(said[stopped], signal.SIGCONT if goes_on else signal.SIGKILL)
    for _ in range(3):
        assert same(workers.sums(leaf(theta)), alone)


def test_ranges_are_late_though_most_of_them_wait_for_one_worker():
    asked = cluster.Evaluation.__new__(cluster.Evaluation)
    asked.workers = SimpleNamespace(times={("sum", True): [0.2, 0.4]})
    asked.times, asked.enough, asked.last = [0.1], 2, 0.0
    assert not asked._is_late(1.9, 1)
    assert asked._is_late(2.1, 1)
    assert not asked._is_late(3.9, 2)
    asked.workers.times = {}
    assert not asked._is_late(149.0, 1)
    assert asked._is_late(151.0, 1)
    asked.times = [0.1, 10.0]
    assert not asked._is_late(25.0, 1)
    assert asked._is_late(26.0, 1)


def test_a_block_that_fails_says_which_and_where(client, blocks, theta, table, tmp_path):
    X = np.load(table / "X.npy")
    X[5000, 3] = np.nan
    np.save(tmp_path / "X.npy", X)
    bad = list(Blocks(Npy(tmp_path / "X.npy", table / "y.npy"), NETWORK, DTYPE))
    workers = by(client, bad)
    with pytest.raises(ClusterError, match=r"X\.npy.* nan .*rows 4096 to 5119 on worker tcp://127"):
        workers.sums(leaf(theta))


def test_a_failure_in_a_training_ends_it_with_what_there_is(client, blocks, theta):
    workers = by(client, blocks)
    workers.sums(leaf(theta))

    def wrong(loaded):
        raise ArithmeticError("no such number")

    with pytest.raises(Stopped, match=r"stopped: rows \d+ to \d+: ArithmeticError: no such number"):
        workers.sums(wrong)


def test_a_file_that_changes_under_way_is_refused(client, theta, table, tmp_path, monkeypatch):
    monkeypatch.setattr(engine_blocks, "BYTES", 1)
    monkeypatch.setattr(cluster, "FILLED", 0.0)  # it is read for each evaluation
    X = np.load(table / "X.npy")
    np.save(tmp_path / "X.npy", X)
    workers = by(client, list(Blocks(Npy(tmp_path / "X.npy", table / "y.npy"), NETWORK, DTYPE)))
    workers.sums(leaf(theta))
    np.save(tmp_path / "X.npy", X + 1)
    with pytest.raises(Stopped, match=r"X\.npy was changed .*rows \d+ to \d+ on worker tcp://127"):
        workers.sums(leaf(theta))


@pytest.mark.slow
def test_rows_that_take_their_workers_down_end_the_training(client, blocks, monkeypatch):
    monkeypatch.setattr(cluster, "KILLED", 0)
    workers = by(client, blocks, group=100)

    def deadly(loaded):
        os._exit(1)

    with pytest.raises(ClusterError, match=r"rows 0 to 16999 have .* more memory"):
        workers.sums(deadly)


@pytest.mark.skipif(not kernel.BUILT, reason="the kernel was not built: no C++20 compiler")
def test_a_training_ends_where_it_is_asked_to(client, blocks, theta):
    workers = by(client, blocks)

    def ask():
        raise Stopped("enough")

    with kernel.asking(ask), pytest.raises(Stopped, match="enough"):
        workers.sums(leaf(theta))


def test_a_client_that_is_closed_is_refused(local):
    with distributed.Client(local, set_as_default=False) as client:
        pass
    with pytest.raises(ClusterError, match=r"does not reach its scheduler \(it is closed\)"):
        Workers(client).agree(by_kernel=False)


def test_nobody_there_is_said(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENT", 0.0)
    told = []
    with (
        distributed.LocalCluster(n_workers=0, **LOOPBACK) as empty,
        distributed.Client(empty, set_as_default=False) as client,
        pytest.raises(ClusterError, match=r"has no workers, and that for 0\.01 minutes"),
    ):
        Workers(client, max_lost=0.01, tell=told.append).agree(by_kernel=True)
    (line,) = told
    assert "has no workers: waiting for a worker (at most 0.01 min)" in line


@pytest.mark.slow
def test_the_last_worker_may_go_and_another_one_come(blocks, theta, alone):
    with (
        distributed.LocalCluster(n_workers=1, **LOOPBACK) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        workers = by(client, blocks)
        assert same(workers.sums(leaf(theta)), alone)
        local.scale(0)
        wait_until(lambda: not workers.threads())
        later = threading.Timer(1.5, local.scale, [2])
        later.start()
        assert same(workers.sums(leaf(theta)), alone)
        later.join()
        wait_until(lambda: len(workers.threads()) == 2)
        assert same(workers.sums(leaf(theta)), alone)
        local.scale(0)
        wait_until(lambda: not workers.threads())
        workers.max_lost = 0.02
        with pytest.raises(Stopped, match=r"stopped: the scheduler tcp.* has no workers"):
            workers.sums(leaf(theta))


HERE, BUILDS = told()


def test_all_agree_on_the_best_build_that_all_can_run():
    if len(BUILDS) < 2:
        pytest.skip("one build runs here")
    assert agreed({"a": (HERE, BUILDS)}, True).build == BUILDS[0]
    assert agreed({"a": (HERE, BUILDS), "b": (HERE, BUILDS[1:])}, True).build == BUILDS[1]
    assert agreed({"a": (HERE, BUILDS), "b": (HERE, ())}, False).build is None


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ((HERE, ()), "worker b has no build of the kernel"),
        ((HERE, ("v9",)), "worker b has no build of the kernel"),
        ((Alike("9.9", HERE.numpy, None), BUILDS), r"worker b has chainrule 9\.9 with NumPy"),
        ((Alike(HERE.chainrule, "9.9", None), BUILDS), r"NumPy 9\.9, and this machine chainrule"),
    ],
)
def test_a_worker_that_is_not_alike_is_refused(theirs, said):
    with pytest.raises(ClusterError, match=said):
        agreed({"a": (HERE, BUILDS), "b": theirs}, by_kernel=kernel.BUILT)


@pytest.mark.skipif(not kernel.BUILT, reason="the kernel was not built: no C++20 compiler")
def test_the_build_that_was_agreed_computes(client, blocks, theta):
    workers, sums = by(client, blocks), {}
    for build in kernel.BUILDS:
        workers.alike = Alike.here(build)
        workers.hold(blocks)
        tree = Tree()
        with kernel.computed_by(build):
            for i, block in enumerate(blocks):
                tree.add(i, leaf_of(block.load(), theta))
        sums[build] = workers.sums(leaf(theta))
        assert same(sums[build], tree.total())


@pytest.mark.parametrize(
    ("alike", "said"),
    [
        (Alike(HERE.chainrule, HERE.numpy, "v9"), "worker tcp.* cannot run .* build v9"),
        (Alike("9.9", HERE.numpy, None), r"worker tcp.* has come with .* has chainrule 9\.9"),
    ],
)
def test_a_worker_that_joins_and_is_not_alike_ends_the_training(client, blocks, theta, alike, said):
    workers = by(client, blocks)
    workers.sums(leaf(theta))
    workers.alike = alike
    with pytest.raises(Stopped, match=said):
        workers.sums(leaf(theta))


def test_what_fails_says_which_file_where_the_error_does_not(blocks):
    here = cluster.Here(**vars(blocks[0]), worker="tcp://a:1")
    with (
        pytest.raises(DataError, match=r"X\.npy: no more \(rows 0 to 1023 on worker tcp://a:1\)"),
        cluster.named(here),
    ):
        raise OSError("no more")

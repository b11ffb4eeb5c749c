"""What is read in blocks gives the bits of what lies in memory; an epoch visits each row once."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from chainrule import Network, predict, random_theta
from chainrule.common.checks import DataError
from chainrule.engine import blocks, stream
from chainrule.engine.blocks import Arrays, Npy
from chainrule.engine.rows import Rows
from chainrule.engine.stream import Stream, ahead, examples_of

NETWORK = Network((3, 4, 2), output="identity")
M = 103


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks of 8 rows, of which 2 are in a buffer."""
    monkeypatch.setattr(blocks, "LEAST", 8)
    monkeypatch.setattr(blocks, "BYTES", 100)
    monkeypatch.setattr(stream, "BUFFER", 2)


def table(kind="float64", weighted=False):
    rng = np.random.default_rng(5)
    X = rng.integers(-9, 9, (M, 3)).astype(kind)
    Y = rng.normal(size=(M, 2))
    return X, Y, rng.random(M) if weighted else None


def sums(examples, theta):
    """Return all that examples are asked for, as bytes."""
    v = np.linspace(-1, 1, len(theta))
    found = [
        *examples.accumulate(NETWORK, theta),
        examples.cost(NETWORK, theta),
        examples.hessian_vector(NETWORK, theta, v),
        *examples.normal_equations(NETWORK, theta, np.ones(len(theta))),
        *(part for pair in examples.residuals(NETWORK, theta) for part in pair),
        examples.m,
    ]
    return [np.asarray(part).tobytes() for part in found]


@pytest.mark.parametrize("engine", ["kernel", "numpy"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["float64", "int8", "float16"])
def test_all_sums_have_the_bits_of_memory_for_any_threads(kind, weighted, engine, tmp_path):
    X, Y, w = table(kind, weighted)
    np.save(tmp_path / "X.npy", X)
    theta = random_theta(NETWORK, 1)
    memory = Rows(X.astype(float), Y, w, engine, 1)
    assert memory.n_blocks == 13
    wanted = sums(memory, theta)
    for threads in (1, 2, 3, 5):
        assert sums(Rows(X.astype(float), Y, w, engine, threads), theta) == wanted
        for source in (
            Arrays(X, Y, w),
            Arrays(np.asfortranarray(X), Y, w),
            Npy(tmp_path / "X.npy", Y, w),
        ):
            read = Stream.checked(NETWORK, source, None, engine, threads)
            assert sums(read, theta) == wanted


def test_a_table_of_one_block_is_summed_by_one_call(monkeypatch):
    monkeypatch.setattr(blocks, "BYTES", 10_000)
    X, Y, w = table(weighted=True)
    theta = random_theta(NETWORK, 1)
    from chainrule.engine import summing

    one = summing.accumulate(NETWORK, theta, X, Y, w)
    found = Rows(X, Y, w).accumulate(NETWORK, theta)
    assert [np.asarray(v).tobytes() for v in found] == [np.asarray(v).tobytes() for v in one]


def test_unknown_targets_have_the_bits_of_memory():
    X, Y, _ = table()
    Y[50, 1] = np.nan
    theta = random_theta(NETWORK, 1)
    memory = Rows.checked(NETWORK, X, Y)
    read = Stream.checked(NETWORK, Arrays(X, Y))
    assert read.computed_by(NETWORK) == "numpy"
    for a, b in zip(
        memory.accumulate(NETWORK, theta), read.accumulate(NETWORK, theta), strict=True
    ):
        assert np.array_equal(a, b)
    assert memory.m == read.m


def test_sparse_rows_with_few_zeros_have_the_bits_of_dense_ones():
    X, Y, _ = table()
    theta = random_theta(NETWORK, 1)
    wanted = sums(Rows(X, Y), theta)[:3]
    assert sums(Rows(csr_array(X), Y), theta)[:3] == wanted
    assert sums(Stream.checked(NETWORK, Arrays(csr_array(X), Y)), theta)[:3] == wanted


def test_thin_rows_stay_sparse():
    X = csr_array(random_array((M, 3), density=0.02, rng=0))
    _, Y, _ = table()
    read = Stream.checked(NETWORK, Arrays(X, Y))
    assert read.sparse
    theta = random_theta(NETWORK, 1)
    found, wanted = read.accumulate(NETWORK, theta), Rows(X.toarray(), Y).accumulate(NETWORK, theta)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    seen = [buffer.rows.X[buffer.order].toarray() for buffer in read.buffers(0, 0, 10, True)]
    assert sorted(map(tuple, np.vstack(seen))) == sorted(map(tuple, X.toarray()))


def visited(read, **how):
    """Return the rows of an epoch by their numbers, batch by batch; each is checked."""
    X, Y, w = (read.blocks.source.X, read.blocks.source.y, read.blocks.source.weights)
    batches, size = [], how.get("batch_size", 10)
    for rows, order, names, batch in read.buffers(
        **{"seed": 3, "number": 0, "batch_size": 10} | how
    ):
        assert len(order)
        assert np.array_equal(rows.X, X[names])
        assert np.array_equal(rows.Y, Y[names])
        assert w is None or np.array_equal(rows.weights, w[names])
        assert batch == len(batches) + how.get("batch", 0) or how.get("batch")
        batches += [tuple(names[order[i : i + size]]) for i in range(0, len(order), size)]
    return batches


def mapped(tmp_path, kind="int8", weighted=True):
    X, Y, w = table(kind, weighted)
    np.save(tmp_path / "X.npy", X)
    return Stream.checked(NETWORK, Arrays(np.load(tmp_path / "X.npy", mmap_mode="r"), Y, w))


@pytest.mark.parametrize("batch_size", [1, 7, 10, 16, 17, 40, 1000])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("where", ["memory", "mapped"])
def test_an_epoch_visits_each_row_once_in_full_batches(batch_size, shuffle, where, tmp_path):
    read = (
        mapped(tmp_path) if where == "mapped" else Stream.checked(NETWORK, Arrays(*table("int8")))
    )
    batches = visited(read, batch_size=batch_size, shuffle=shuffle)
    assert {len(batch) for batch in batches[:-1]} <= {batch_size}
    rows = [row for batch in batches for row in batch]
    assert sorted(rows) == list(range(M))
    assert (rows == list(range(M))) == (not shuffle)


def test_the_order_depends_on_seed_and_epoch_alone(tmp_path):
    read = mapped(tmp_path)
    first = visited(read, shuffle=True)
    assert visited(read, shuffle=True) == first
    assert visited(read, shuffle=True, number=1) != first
    assert visited(read, shuffle=True, seed=4) != first


def test_rows_in_memory_are_shuffled_as_a_whole_like_those_that_need_no_conversion():
    X, Y, _ = table("int8")
    read, memory = Stream.checked(NETWORK, Arrays(X, Y)), Rows(X.astype(float), Y)
    (whole,) = memory.buffers(3, 0, 10, True)
    rows = [row for batch in visited(read, shuffle=True) for row in batch]
    assert rows == whole.order.tolist()


@pytest.mark.parametrize("where", ["memory", "mapped"])
@pytest.mark.parametrize("batch_size", [3, 10, 40])
def test_an_epoch_that_goes_on_from_a_batch_visits_the_rest(where, batch_size, tmp_path):
    read = (
        mapped(tmp_path) if where == "mapped" else Stream.checked(NETWORK, Arrays(*table("int8")))
    )
    whole = visited(read, batch_size=batch_size, shuffle=True)
    for batch in range(len(whole)):
        rest = visited(read, batch_size=batch_size, shuffle=True, batch=batch)
        assert rest[-(len(whole) - batch) :] == whole[batch:]


def test_files_that_are_no_arrays_give_their_rows_by_number(tmp_path):
    X, Y, w = table("int8", weighted=True)
    np.save(tmp_path / "X.npy", X)
    read = Stream.checked(NETWORK, Npy(tmp_path / "X.npy", Y, w))
    names = np.array([100, 3, 57, 3, 8])
    some = read.take(names)
    assert np.array_equal(some.X, X[names])
    assert np.array_equal(some.Y, Y[names])
    assert np.array_equal(some.weights, w[names])
    assert len(read.sample(5)) == 5
    everything = read.into_memory()
    assert np.array_equal(everything.X, X)
    assert np.array_equal(everything.weights, w)


def test_a_file_that_changes_under_way_ends_the_sum(tmp_path):
    path = tmp_path / "X.npy"
    X, Y, _ = table()
    np.save(path, X)
    read = Stream.checked(NETWORK, Npy(path, Y), threads=2)
    np.save(path, X)
    os.utime(path, ns=(1, 1))
    with pytest.raises(DataError, match="was changed"):
        read.accumulate(NETWORK, random_theta(NETWORK, 1))
    with pytest.raises(DataError, match="was changed"):
        next(read.buffers(0, 0, 10, True))


@pytest.mark.parametrize("place", [(0, 0), (50, 1), (102, 2)])
def test_a_value_that_is_not_finite_is_named_by_its_row_of_the_table(place):
    X, Y, _ = table()
    X[place] = np.inf
    with pytest.raises(ValueError, match=f"inf in row {place[0]}, column {place[1]}"):
        Stream.checked(NETWORK, Arrays(X, Y))


def test_what_does_not_fit_the_network_is_said():
    X, Y, _ = table()
    with pytest.raises(ValueError, match=r"X must have shape \(m, 3\)"):
        Stream.checked(NETWORK, Arrays(X[:, :2], Y))
    with pytest.raises(ValueError, match="dtype must be float32 or float64"):
        Stream.checked(NETWORK, Arrays(X, Y), "float16")
    with pytest.raises(ValueError, match="has no target"):
        Stream.checked(NETWORK, Arrays(X))
    with pytest.raises(ValueError, match="weights"):
        Stream.checked(NETWORK, Arrays(X, Y, np.zeros(M)))
    with pytest.raises(ValueError, match="leave Y and weights out"):
        examples_of(NETWORK, Arrays(X, Y), Y)
    with pytest.raises(ValueError, match="Y is missing"):
        examples_of(NETWORK, X)


@pytest.mark.parametrize("Y", [None, np.zeros(3)])
def test_the_name_of_a_file_is_told_from_numbers(Y):
    with pytest.raises(ValueError, match=r"give chainrule\.blocks\('t\.parquet', target=\.\.\.\)"):
        examples_of(NETWORK, "t.parquet", Y)
    with pytest.raises(ValueError, match=r"give chainrule\.blocks\('X\.npy'"):
        predict(NETWORK, np.zeros(NETWORK.size), Path("X.npy"))


def test_what_is_streamed_is_large_and_mapped_or_to_be_converted(tmp_path):
    X, Y, _ = table("float32")
    np.save(tmp_path / "X.npy", X)
    disk = np.load(tmp_path / "X.npy", mmap_mode="r")

    def kind(*given, **how):
        return type(examples_of(NETWORK, *given, **how))

    assert kind(X, Y) is Rows
    assert kind(disk, Y) is kind(np.asarray(disk)[:90], Y[:90]) is Stream
    assert kind(disk[:16], Y[:16]) is Rows
    assert kind(X, Y, dtype="float64") is kind(np.asfortranarray(X), Y) is Stream
    assert kind(X.astype(np.uint8) // 9, Y) is Stream
    assert kind(Arrays(X[:16], Y[:16])) is Rows
    assert kind(X.tolist(), Y) is Rows


def test_the_next_item_is_made_meanwhile_and_an_end_waits_for_it():
    begun = [threading.Event() for _ in range(4)]

    def items():
        for event in begun:
            event.set()
            yield event

    coming = ahead(items())
    assert next(coming) is begun[0]
    assert begun[1].wait(10)
    assert not begun[2].is_set()
    coming.close()
    assert not begun[3].is_set()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weight", [1.0, 1e38, 1e308])
def test_weights_that_cannot_be_computed_with_are_told_as_those_in_memory(dtype, weight):
    X, weights = np.zeros((200, 1)), np.full(200, weight)
    network, said = Network((1, 1), output="identity"), []
    for source in (None, Arrays(X, X[:, 0], weights)):
        try:
            if source is None:
                said.append(Rows.checked(network, X, X[:, 0], weights, dtype).m)
            else:
                said.append(Stream.checked(network, source, dtype).m)
        except ValueError as error:
            said.append(str(error))
    assert said[0] == said[1]


@pytest.mark.parametrize("weight", [0.0, 1e-300])
def test_weights_that_are_all_0_are_refused(weight):
    source = Arrays(np.zeros((200, 1)), np.zeros(200), np.full(200, weight))
    with pytest.raises(ValueError, match="and not all 0; in float32 all are"):
        Stream.checked(Network((1, 1)), source, "float32")

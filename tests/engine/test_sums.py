"""The tree has the same bits whoever adds up which part of it."""

import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.engine.sums import Tree, nodes, summed
from chainrule.kernel import BUILDS, BUILT, agreed, computed_by


def leaves(n, seed=0):
    rng = np.random.default_rng(seed)
    return [(float(rng.normal()), rng.normal(size=3).astype(np.float32)) for _ in range(n)]


def copies(sums):
    return tuple(np.copy(part) if isinstance(part, np.ndarray) else part for part in sums)


def bits(sums):
    return tuple(np.asarray(part).tobytes() for part in sums)


def by_definition(parts, first, size):
    """Sum node [first, first + size) of the tree as it is defined."""
    if size == 1:
        return copies(parts[first])
    left = by_definition(parts, first, size // 2)
    if first + size // 2 >= len(parts):
        return left
    right = by_definition(parts, first + size // 2, size // 2)
    return tuple(a + b for a, b in zip(left, right, strict=True))


def in_order(parts):
    tree = Tree()
    for i, part in enumerate(parts):
        tree.add(i, copies(part))
    return tree.total()


@pytest.mark.parametrize("n", [*range(1, 34), 100])
def test_the_sum_is_that_of_the_binary_tree_over_the_blocks_numbers(n):
    parts = leaves(n)
    whole = by_definition(parts, 0, 1 << (n - 1).bit_length())
    assert bits(in_order(parts)) == bits(whole)


@given(st.integers(1, 130), st.randoms(use_true_random=False))
def test_any_ranges_summed_apart_and_given_in_any_order_have_the_same_bits(n, random):
    parts = leaves(n, n)
    borders = sorted({0, n, *(random.randrange(n + 1) for _ in range(random.randrange(6)))})
    ranges = list(pairwise(borders))
    random.shuffle(ranges)
    whole = Tree()
    for first, last in ranges:
        part = Tree()
        numbers = list(range(first, last))
        random.shuffle(numbers)
        for i in numbers:
            part.add(i, copies(parts[i]))
        found = list(part.parts())
        assert [(begin, size) for begin, size, _ in found] == nodes(first, last)
        for begin, size, sums in found:
            whole.add(begin, sums, size)
    assert bits(whole.total()) == bits(in_order(parts))


def test_few_partial_sums_are_alive_and_arrays_are_added_to_in_place():
    tree, first = Tree(), np.zeros(2)
    for i in range(1000):
        tree.add(i, (np.zeros(2) if i else first,))
        assert len(list(tree.parts())) <= 10
    assert tree.total()[0] is first


def test_a_block_that_lacks_is_named():
    tree = Tree()
    with pytest.raises(ValueError, match="no blocks"):
        tree.total()
    tree.add(0, (1.0,))
    tree.add(2, (1.0,))
    with pytest.raises(ValueError, match="lacks block 1"):
        tree.total()
    tree.add(1, (1.0,))
    assert tree.total() == (3.0,)


def test_an_overflow_is_infinite_and_warns_nobody():
    most = np.array([np.finfo(np.float32).max])
    tree = Tree()
    for i in range(2):
        tree.add(i, (most.copy(),))
    assert tree.total()[0] == np.inf


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_threads_add_up_blocks_to_the_same_bits(n, threads):
    parts = leaves(n)
    taken = []

    def sums_of(i, count):
        taken.append((i, count))
        return copies(parts[i])

    assert bits(summed(n, sums_of, threads)) == bits(in_order(parts))
    assert sorted(i for i, _ in taken) == list(range(n))
    alone = n - n % threads  # each of the others is summed by all the threads
    assert all(count == (1 if i < alone else threads) for i, count in taken)


@pytest.mark.parametrize("wrong", [0, 3, 7])
def test_what_fails_in_a_thread_is_raised_and_ends_the_others(wrong):
    def sums_of(i, _):
        if i == wrong:
            raise ArithmeticError(f"block {i}")
        return (1,)

    with pytest.raises(ArithmeticError, match=f"block {wrong}"):
        summed(8, sums_of, 4)


def test_ctrl_c_ends_the_other_threads():
    seen, before = [], threading.active_count()  # other tests may have left some

    def sums_of(i, _):
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        seen.append(i)
        time.sleep(0.01)
        return (1,)

    with pytest.raises(KeyboardInterrupt):
        summed(10_000, sums_of, 2)
    assert len(seen) < 1000
    assert threading.active_count() <= max(3, before)


@pytest.mark.skipif(not BUILT, reason="the kernel is not built")
def test_all_threads_take_the_build_that_was_agreed_on():
    seen, together = [], threading.Barrier(2, timeout=30)

    def sums_of(i, _):
        seen.append(agreed())
        together.wait()
        return (1,)

    with computed_by(BUILDS[-1]):
        summed(2, sums_of, 2)
    assert seen == [BUILDS[-1]] * 2
    assert agreed() is None

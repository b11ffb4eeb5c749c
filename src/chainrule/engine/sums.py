"""Sums over blocks of rows, added up in one order whoever computes them.

Floating-point additions give other bits in another order.  So the order is fixed by the blocks'
numbers: a binary tree whose node k of level l is the sum of the blocks k 2^l, ..., (k+1) 2^l - 1.
A thread, a process or another machine may sum any range of blocks: it answers with the tree's nodes
that make up that range, and whoever gets them all completes the same tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import wait
from threading import Event, Lock
from typing import Any

import numpy as np

from chainrule.common.threads import aside
from chainrule.common.types import Stopped
from chainrule.kernel import agreed, asking, computed_by

Sums = tuple[Any, ...]
"""Numbers and arrays that are sums over the same rows, such as cost_sum, Delta and m."""


class Tree:
    """The sum over blocks 0, 1, 2, ..., of which log2(n) partial sums are alive at a time.

    Examples
    --------
    >>> tree = Tree()
    >>> for i in range(6):
    ...     tree.add(i, (1, np.array([2.0 * i])))
    >>> [(first, size) for first, size, _ in tree.parts()]
    [(0, 4), (4, 2)]
    >>> tree.total()
    (6, array([30.]))
    """

    def __init__(self) -> None:
        self._parts: dict[int, tuple[int, Sums]] = {}  # by first block: how many, and their sums

    def add(self, first: int, sums: Sums, size: int = 1) -> None:
        """Add a block, or a node of the tree: `size` blocks from `first` on.

        The arrays belong to the tree from then on, which adds to them in place.
        """
        while size & first or first + size in self._parts:
            if size & first:  # the right half of a larger node
                left = first - size
                if self._parts.get(left, (0, ()))[0] != size:
                    break
                first, sums = left, added(self._parts.pop(left)[1], sums)
            elif self._parts[first + size][0] == size:
                sums = added(sums, self._parts.pop(first + size)[1])
            else:
                break
            size *= 2
        self._parts[first] = size, sums

    def parts(self) -> Iterator[tuple[int, int, Sums]]:
        """Yield the nodes that are known: their first block, how many blocks, and the sums."""
        for first in sorted(self._parts):
            yield first, *self._parts[first]

    def total(self) -> Sums:
        """Return the sum of all blocks, or raise ValueError if one of those before the last lacks.

        Where their number is no power of two, the last nodes are smaller than their neighbours;
        they are added up from the end.
        """
        parts = list(self.parts())
        missing = 0
        for first, size, _ in parts:
            if first != missing:
                raise ValueError(f"the sum lacks block {missing}")
            missing += size
        if not parts:
            raise ValueError("the sum has no blocks")
        self._parts.clear()
        *rest, (_, _, sums) = parts
        for _, _, before in reversed(rest):
            sums = added(before, sums)
        return sums


def added(left: Sums, right: Sums) -> Sums:
    """Return left + right, part by part; arrays of left are added to in place.

    Examples
    --------
    >>> added((1.5, np.array([1.0, 2.0])), (2.0, np.array([3.0, 4.0])))
    (3.5, array([4., 6.]))
    """
    total = []
    with np.errstate(over="ignore", invalid="ignore"):  # a network that diverges shows it by J
        for a, b in zip(left, right, strict=True):
            if isinstance(a, np.ndarray):
                a += b
                total.append(a)
            else:
                total.append(a + b)
    return tuple(total)


def nodes(first: int, last: int) -> list[tuple[int, int]]:
    """Return the fewest nodes that cover blocks first, ..., last - 1: first block and how many.

    Examples
    --------
    >>> nodes(3, 13)
    [(3, 1), (4, 4), (8, 4), (12, 1)]
    """
    found = []
    while first < last:
        size = 1 << ((last - first).bit_length() - 1)
        if first:
            size = min(size, first & -first)
        found.append((first, size))
        first += size
    return found


def summed(n: int, sums_of: Callable[[int, int], Sums], threads: int = 1) -> Sums:
    """Return the sum over blocks 0, ..., n - 1; each thread takes the next block and sums it alone.

    So no thread waits for the others within a block, and one reads while another computes.

    Parameters
    ----------
    n : int
    sums_of : callable
        ``sums_of(i, threads) -> sums`` of block i.
    threads : int, default=1

    Raises
    ------
    BaseException
        What `sums_of` raised first; the other threads are stopped.

    Examples
    --------
    >>> summed(5, lambda i, threads: (i, 1), threads=2)
    (10, 5)
    """
    tree, lock, over = Tree(), Lock(), Event()
    together = n - n % threads  # of the last ones, fewer than threads, each is summed by all
    numbers = iter(range(together))
    failures: list[BaseException] = []
    build = agreed()

    def heed() -> None:
        if over.is_set():
            raise Stopped

    def work() -> None:
        while not over.is_set():
            with lock:
                i = next(numbers, None)
            if i is None:
                return
            sums = sums_of(i, 1)
            with lock:
                tree.add(i, sums)

    def help_along() -> None:
        try:
            with computed_by(build), asking(heed):
                work()
        except BaseException as failure:
            failures.append(failure)
            over.set()

    helping = []
    try:
        if together and threads > 1:
            helping = [aside(help_along) for _ in range(threads - 1)]
        work()
    except BaseException:
        over.set()
        raise
    finally:
        wait(helping)
    if failures:
        raise failures[0]
    for i in range(together, n):
        tree.add(i, sums_of(i, threads))
    return tree.total()

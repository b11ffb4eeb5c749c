"""Training examples that are read a block at a time, again for each pass over them.

The counterpart of `Rows` for tables that are larger than memory, or that would have to be copied to
be computed with.  A pass over all rows gives each thread a block to read and to sum.  An epoch of
minibatches is trained on in buffers of a few blocks; a thread fills the next buffer meanwhile.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import check_weights, refuse_path, refuse_weights
from chainrule.common.shown import summary
from chainrule.common.threads import aside
from chainrule.common.types import Array
from chainrule.engine.blocks import Arrays, Blocks, Source, block_rows
from chainrule.engine.choice import chosen
from chainrule.engine.cores import available_threads
from chainrule.engine.examples import Buffer, Examples, Part
from chainrule.engine.rows import Rows
from chainrule.engine.sums import summed
from chainrule.notes.backprop import is_sparse, total_weight
from chainrule.notes.network import Network

T = TypeVar("T")
Read = Callable[[Array | None], Part]
"""``read(out)`` reads some rows, their X into out where it is given."""

BUFFER = 4  # blocks whose rows an epoch shuffles together; a table of no more is read into memory


class Plan(NamedTuple):
    """What a buffer holds, and in which order.

    Attributes
    ----------
    left : ndarray of int
        Which rows of the buffer before come first: too few for a batch, they were left over.
    blocks : ndarray of int
        Those that are read for it, in the table's order.
    names : ndarray of int
        The number in the table of each row.
    order : ndarray of int
        The rows in the order of visit; the others are left to the next buffer.
    batch : int
        How many batches of the epoch come before.
    """

    left: Array
    blocks: Array
    names: Array
    order: Array
    batch: int


@dataclass(frozen=True)
class Stream(Examples):
    """Examples of a source.

    Parameters
    ----------
    blocks : Blocks
    total : float
        The number of rows, or the sum of their weights.
    engine : {"kernel", "numpy"}, optional
    threads : int, optional
    sparse : bool, default=False
        Whether blocks are multiplied as they are, almost all zeros.

    Examples
    --------
    >>> source = Arrays(np.ones((3000, 1000), np.uint8), np.ones(3000))
    >>> network = Network((1000, 1), output="identity")
    >>> stream = Stream.checked(network, source, "float32")
    >>> stream.n_blocks, stream.m
    (2, 3000.0)
    >>> cost_sum, Delta, m = stream.accumulate(network, np.zeros(1001, np.float32))
    >>> cost_sum, m
    (1500.0, 3000.0)
    """

    blocks: Blocks
    total: float
    engine: str | None = None
    threads: int | None = None
    sparse: bool = False

    __repr__ = summary

    @classmethod
    def checked(
        cls,
        network: Network,
        source: Source,
        dtype: npt.DTypeLike | None = None,
        engine: str | None = None,
        threads: int | None = None,
    ) -> Stream:
        """Return a source's examples for a network, or raise ValueError with the reason.

        One pass over the table looks for what cannot be computed with.  The dtype is X's where that
        is float32, or float64, if none is asked for.
        """
        dtype = fitting_dtype(network, source, dtype)
        blocks = Blocks(source, network, dtype)
        most = np.zeros(len(blocks))  # of the weights

        def look(i: int, _: int) -> tuple[float, int, int]:
            X, Y, weights = blocks[i].load(check=True)
            if weights is not None:
                most[i] = weights.max()
            each = weights is not None and weights.ndim == 2
            with np.errstate(over="ignore"):  # which is told in words
                return total_weight(Y, weights), int(each), int(is_sparse(X))

        m, by_output, sparse = summed(len(blocks), look, threads or available_threads())
        if most.any() or source.weighted:
            refuse_weights(most.max(), m, dtype)
        blocks = Blocks(source, network, dtype, by_output > 0)
        return cls(blocks, m, engine, threads, sparse > 0)

    def __len__(self) -> int:
        return len(self.blocks.source)

    @property
    def m(self) -> float:
        """The number of rows, or the sum of their weights."""
        return self.total

    @property
    def dtype(self) -> np.dtype[Any]:
        """What is computed in."""
        return self.blocks.dtype

    @property
    def n_blocks(self) -> int:
        """How many blocks the rows are summed in."""
        return len(self.blocks)

    def block(self, i: int) -> Part:
        """Read block i."""
        return self.blocks[i].load()

    def computed_by(self, network: Network) -> str:
        """Return which engine computes the network on these rows."""
        each = np.empty((0, network.K)) if self.blocks.by_output else None
        if not self.sparse:
            return chosen(network, self.engine, None, each)
        from scipy.sparse import csr_array

        return chosen(network, self.engine, csr_array((0, self.blocks.source.n)), each)

    def few(self) -> tuple[Array, Array]:
        """Return X and Y of the first block."""
        X, Y, _ = self.block(0)
        return (X.toarray() if is_sparse(X) else X), Y

    def content(self) -> Iterator[Array]:
        """Yield what shows that the table is the same.

        A table of no more than BUFFER blocks is read into memory where no cluster reads it: there
        its values tell it from others, so they do here.
        """
        if self.n_blocks <= BUFFER:
            yield from self.into_memory().content()
            return
        yield np.frombuffer(repr((len(self), self.blocks.source.state())).encode(), np.uint8)

    def into_memory(self) -> Rows:
        """Return all the rows, read once."""
        return self._rows([self.block(i) for i in range(self.n_blocks)])

    def sample(self, most: int) -> Rows:
        """Return at most ``most`` rows, evenly spread in the first, middle and last block."""
        read = [self.blocks[i] for i in {0, self.n_blocks // 2, self.n_blocks - 1}]
        names = np.concatenate([np.arange(block.first, block.last) for block in read])
        return self.take(names[np.linspace(0, len(names) - 1, min(most, len(names))).astype(int)])

    def take(self, names: Array) -> Rows:
        """Return some rows, by their numbers."""
        return self._rows([self._named(names)])

    def buffers(
        self, seed: int, number: int, batch_size: int, shuffle: bool, batch: int = 0
    ) -> Iterator[Buffer]:
        """Yield the rows of an epoch from a batch on; the next ones are read meanwhile."""
        plans = self._whole if self.in_memory else self._by_blocks
        rng = np.random.default_rng((seed, number))
        plan = (
            plan
            for plan in plans(rng, batch_size, shuffle)
            if plan.batch + -(-len(plan.order) // batch_size) > batch
        )
        yield from ahead(self._filled(plan, batch_size))

    def by_blocks(
        self, rng: np.random.Generator, batch_size: int, shuffle: bool
    ) -> Iterator[Buffer]:
        """Yield the rows of an epoch by shuffled blocks, wherever they lie."""
        yield from ahead(self._filled(self._by_blocks(rng, batch_size, shuffle), batch_size))

    @property
    def in_memory(self) -> bool:
        """Whether any row is at hand at once: then an epoch shuffles all of them."""
        source = self.blocks.source
        return isinstance(source, Arrays) and not is_mapped(source.X)

    def _by_blocks(
        self, rng: np.random.Generator, batch_size: int, shuffle: bool
    ) -> Iterator[Plan]:
        """Yield the buffers of an epoch: blocks in random order, their rows shuffled together."""
        blocks, left, of_left = np.arange(self.n_blocks), np.arange(0), np.arange(0)
        if shuffle:
            rng.shuffle(blocks)
        batch = 0
        # A batch and more, also with the table's last block, which is shorter
        some = max(BUFFER, -(-batch_size // self.blocks.rows) + 1)
        for first in range(0, len(blocks), some):
            read = np.sort(blocks[first : first + some])
            each = [np.arange(b.first, b.last) for b in (self.blocks[i] for i in read)]
            names = np.concatenate([of_left, *each])
            order = np.arange(len(names))
            if shuffle:
                rng.shuffle(order)
            end = len(order)
            if first + some < len(blocks):
                end -= end % batch_size
            yield Plan(left, read, names, order[:end], batch)
            left, of_left, batch = order[end:], names[order[end:]], batch + end // batch_size

    def _whole(self, rng: np.random.Generator, batch_size: int, shuffle: bool) -> Iterator[Plan]:
        """Yield the buffers of an epoch that shuffles all rows."""
        names, none = np.arange(len(self)), np.arange(0)
        if shuffle:
            rng.shuffle(names)
        batches = max(1, BUFFER * self.blocks.rows // batch_size)
        for batch in range(0, -(-len(names) // batch_size), batches):
            some = names[batch * batch_size : (batch + batches) * batch_size]
            yield Plan(none, none, some, np.arange(len(some)), batch)

    def _filled(self, plans: Iterator[Plan], batch_size: int) -> Iterator[Buffer]:
        """Read the buffers; their X lie in two places in turn."""
        most = BUFFER * self.blocks.rows + batch_size
        places, before = self._places, None
        for k, plan in enumerate(plans):
            m, place = len(plan.names), places[k % 2]
            if not self.sparse and (place is None or len(place) < m):
                place = np.empty((max(m, most), self.blocks.source.n), self.blocks.dtype)
                places[k % 2] = place
            parts, begin = [], 0
            for rows, read in self._reads(plan, before):
                parts.append(read(None if place is None else place[begin : begin + rows]))
                begin += rows
            before = self._rows(parts, None if place is None else place[:m])
            yield Buffer(before, plan.order, plan.names, plan.batch)

    @cached_property
    def _places(self) -> list[Array | None]:
        """Where X of the buffers lies, kept for the next epoch: new memory has to be cleared."""
        return [None, None]

    def _reads(self, plan: Plan, before: Rows | None) -> Iterator[tuple[int, Read]]:
        """Yield how many rows come next, and what reads them."""
        left = plan.names[: len(plan.left)]
        if before is not None and len(left):
            rows = before.take(plan.left)
            yield len(left), partial(placed, (rows.X, rows.Y, rows.weights))
        elif len(left):  # training begins within an epoch
            yield len(left), partial(self._named, left)
        for block in (self.blocks[i] for i in plan.blocks):
            yield len(block), partial(block.load, False)
        if not len(plan.blocks):
            for first in range(0, len(plan.names), self.blocks.rows):
                names = plan.names[first : first + self.blocks.rows]
                yield len(names), partial(self._named, names)

    def _named(self, names: Array, out: Array | None = None) -> Part:
        """Read some rows by their numbers."""
        source = self.blocks.source
        if isinstance(source, Arrays):
            values = (source.X, source.y, source.weights)
            some = Arrays(*(None if v is None else v[names] for v in values))
            return replace(self.blocks[0], source=some, first=0, last=len(names)).load(out=out)
        of = names // self.blocks.rows
        numbers = np.unique(of)
        found = self._rows([self.block(i) for i in numbers])
        begin = np.searchsorted(numbers, of) * self.blocks.rows
        found = found.take(begin + names % self.blocks.rows)
        return placed((found.X, found.Y, found.weights), out)

    def _rows(self, parts: list[Part], X: Array | None = None) -> Rows:
        """Return parts as one, whose X may be together already."""
        Xs, Ys, ws = zip(*parts, strict=True)
        if X is None:
            X = together(Xs)
        weights = None if ws[0] is None else np.concatenate(ws)
        return Rows(X, np.concatenate(Ys), weights, self.engine, self.threads)


def fitting_dtype(network: Network, source: Source, dtype: npt.DTypeLike | None) -> np.dtype[Any]:
    """Return what to compute in, or raise ValueError where the table does not fit the network.

    That is X's dtype where it is float32, or float64, if none is asked for.
    """
    if source.n != network.layers[0] or not len(source):
        raise ValueError(
            f"X must have shape (m, {network.layers[0]}) with m >= 1, one example a row; "
            f"got {(source.m, source.n)}"
        )
    stored = source.read(0, 1)[0].dtype
    if dtype is None:
        dtype = np.float32 if stored == np.float32 else np.float64
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype}")
    return dtype


def examples_of(
    network: Network,
    X: Any,
    Y: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    dtype: npt.DTypeLike | None = None,
    engine: str | None = None,
    threads: int | None = None,
) -> Examples:
    """Return a user's examples as a network takes them, or raise ValueError with the reason.

    What would have to be copied, or lies in a file, is read a block at a time, unless it is small.

    Examples
    --------
    >>> network, X, y = Network((1000, 1)), np.zeros((9000, 1000), np.uint8), np.zeros(9000)
    >>> type(examples_of(network, X, y)).__name__, type(examples_of(network, X[:9], y[:9])).__name__
    ('Stream', 'Rows')
    """
    source = X
    if isinstance(X, Source):
        if Y is not None or weights is not None:
            raise ValueError("the table has its own target and weights: leave Y and weights out")
    else:
        refuse_path(X)
        if Y is None:
            raise ValueError("Y is missing: X alone is enough only where it is a table of blocks")
        if not streams(network, X, dtype):
            return Rows.checked(network, X, Y, weights, dtype, engine, threads)
        Y = np.asarray(Y)
        given = None if weights is None else check_weights(weights, len(X), network.K)
        if Y.ndim not in (1, 2) or len(Y) != len(X):
            network.check_targets(Y, len(X))  # which says what is wrong
        source = Arrays(X, Y, given)
    stream = Stream.checked(network, source, dtype, engine, threads)
    return stream if stream.n_blocks > BUFFER else stream.into_memory()


def streams(network: Network, X: Any, dtype: npt.DTypeLike | None) -> bool:
    """Whether an array is read a block at a time: it is large, and mapped or to be converted."""
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "fiub":
        return False
    floats = X.dtype in (np.float32, np.float64)
    to = np.dtype(dtype if dtype is not None else X.dtype if floats else np.float64)
    if len(X) <= BUFFER * block_rows(X.shape[1], network.K, to):
        return False
    return X.dtype != to or not X.flags.c_contiguous or is_mapped(X)


def is_mapped(X: Any) -> bool:
    """Whether an array, or that of which it is a view, is a file mapped into memory."""
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            return True
        X = X.base
    return isinstance(X, mmap.mmap)


def together(parts: Sequence[Any]) -> Any:
    """Return blocks of X as one."""
    if not any(is_sparse(part) for part in parts):
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
    from scipy.sparse import csr_array, vstack

    return csr_array(vstack([csr_array(part) for part in parts], format="csr"))


def placed(part: Part, out: Array | None) -> Part:
    """Return a part whose X is in its place, where it has one."""
    if out is None:
        return part
    out[...] = part[0]
    return out, *part[1:]


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield items; a thread makes the next one meanwhile.

    Examples
    --------
    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    end: Any = object()
    coming = aside(next, items, end)
    try:
        while (item := coming.result()) is not end:
            coming = aside(next, items, end)
            yield item
    finally:
        wait([coming])

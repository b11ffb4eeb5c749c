"""Examples that may be sparse: what multiplies them, and in which blocks of rows.

SciPy and NumPy multiply a thin X, almost all zeros, as it is.  Any other sparse X is made dense, a
block at a time, because the kernel is much faster with dense rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import as_dtype, weights_as_dtype
from chainrule.common.shown import summary
from chainrule.common.types import Array, Rule
from chainrule.engine import summing
from chainrule.engine.blocks import THIN, block_rows
from chainrule.engine.choice import chosen
from chainrule.engine.examples import Buffer, Examples, Part
from chainrule.engine.sums import summed
from chainrule.notes.backprop import total_weight
from chainrule.notes.minibatch import Minibatches
from chainrule.notes.network import Network

DENSE = 4_000_000  # values of a sparse X that may be made dense at once
MANY = 4096  # rows in a block of a thin X, or as many as X has columns: Delta must cost little


@dataclass(frozen=True)
class Rows(Examples):
    """Examples, their targets and weights, and what computes on them.

    Parameters
    ----------
    X : ndarray or scipy.sparse.csr_array of shape (m, n)
        A sparse one is never made dense as a whole.
    Y : ndarray of shape (m, K)
    weights : ndarray of shape (m,) or (m, K), optional
    engine : {"kernel", "numpy"}, optional
        Default: the kernel, where it was built and knows the network's activations and cost.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> X, Y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0], [0.0]])
    >>> dense, sparse = Rows(X, Y), Rows(csr_array(X), Y)
    >>> dense.accumulate(Network((2, 1)), np.zeros(3))
    (1.38629436111989..., array([ 0. , -0.5,  1. ]), 2.0)
    >>> sparse.accumulate(Network((2, 1)), np.zeros(3))
    (1.38629436111989..., array([ 0. , -0.5,  1. ]), 2.0)
    """

    X: Any
    Y: Array
    weights: Array | None = None
    engine: str | None = None
    threads: int | None = None

    __repr__ = summary

    @classmethod
    def checked(
        cls,
        network: Network,
        X: npt.ArrayLike,
        Y: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        dtype: npt.DTypeLike | None = None,
        engine: str | None = None,
        threads: int | None = None,
    ) -> Rows:
        """Return a user's examples as a network takes them, or raise ValueError with the reason.

        The dtype is X's, or float64, if none is asked for.
        """
        X = network.check_inputs(X)
        dtype = np.dtype(X.dtype if dtype is None else dtype)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, got {dtype}")
        Y, weights = network.known_targets(Y, len(X), weights)
        if weights is not None:
            weights = weights_as_dtype(weights, dtype)
        # Contiguous rows, made once here and not in each iteration
        X, Y = (np.ascontiguousarray(as_dtype(v, dtype, name)) for v, name in ((X, "X"), (Y, "Y")))
        return cls(X, Y, weights, engine, threads)

    @property
    def m(self) -> float:
        """The number of rows, or the sum of their weights."""
        if self.weights is None or self.n_blocks == 1:
            return total_weight(self.Y, self.weights)
        (m,) = summed(self.n_blocks, lambda i, _: (total_weight(*self.block(i)[1:]),))
        return float(m)

    @property
    def dtype(self) -> np.dtype[Any]:
        """What is computed in."""
        return self.Y.dtype

    @cached_property
    def n_blocks(self) -> int:
        """How many blocks the rows are summed in."""
        return -(-len(self.Y) // self._rows_of_a_block)

    def block(self, i: int) -> Part:
        """Return the rows of block i, as they are multiplied."""
        rows = self._rows_of_a_block
        if rows >= len(self.Y) and isinstance(self.X, np.ndarray):
            return self.X, self.Y, self.weights
        block = slice(i * rows, (i + 1) * rows)
        X = self.X[block]
        if not multiplied_as_it_is(self.X, self.engine):
            X = dense(X)
        return X, self.Y[block], None if self.weights is None else self.weights[block]

    @cached_property
    def _rows_of_a_block(self) -> int:
        n = int(self.X.shape[1])
        if not isinstance(self.X, np.ndarray) and multiplied_as_it_is(self.X, self.engine):
            return max(n, MANY)
        rows = block_rows(n, self.Y.shape[1], self.Y.dtype)
        return rows if isinstance(self.X, np.ndarray) else min(rows, max(1, DENSE // n))

    def accumulate(self, network: Network, theta: Array) -> tuple[float, Array, float]:
        """Add up costs and gradient terms, see `chainrule.notes.backprop.accumulate`."""
        if self.n_blocks > 1 or not isinstance(self.X, np.ndarray):
            return super().accumulate(network, theta)
        return summing.accumulate(  # much the usual case, in each evaluation of J
            network, theta, self.X, self.Y, self.weights, engine=self.engine, threads=self.threads
        )

    def computed_by(self, network: Network) -> str:
        """Return which engine computes the network on these rows."""
        thin = not isinstance(self.X, np.ndarray) and multiplied_as_it_is(self.X, self.engine)
        return chosen(network, self.engine, self.X if thin else None, self.weights)

    def few(self) -> tuple[Array, Array]:
        """Return X and Y of some rows."""
        return self.X, self.Y

    def content(self) -> Iterator[Array]:
        """Yield all that is known of the examples, as arrays."""
        X = self.X
        yield from (X,) if isinstance(X, np.ndarray) else (X.data, X.indices, X.indptr)
        yield from (self.Y,) if self.weights is None else (self.Y, self.weights)

    def __len__(self) -> int:
        return len(self.Y)

    def sample(self, most: int) -> Rows:
        """Return at most ``most`` rows, evenly spread."""
        rows = np.linspace(0, len(self) - 1, min(most, len(self))).astype(int)
        return self.take(rows)

    def take(self, rows: Array) -> Rows:
        """Return some rows, by their numbers."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, X=self.X[rows], Y=self.Y[rows], weights=weights)

    def buffers(
        self, seed: int, number: int, batch_size: int, shuffle: bool, batch: int = 0
    ) -> Iterator[Buffer]:
        """Yield all the rows."""
        order = np.arange(len(self))
        if shuffle:
            np.random.default_rng((seed, number)).shuffle(order)
        yield Buffer(self, order, None, 0)

    def epoch(
        self,
        network: Network,
        theta: Array,
        order: Array,
        how: Minibatches,
        *,
        rule: Rule,
        state: Array,
        steps: int,
        number: int,
        since: int | None = None,
        names: Array | None = None,
    ) -> tuple[float, float]:
        """Take a step for each batch, see `chainrule.notes.minibatch.epoch`."""
        if multiplied_as_it_is(self.X, self.engine):
            return summing.epoch(
                network, theta, self.X, self.Y, order, how, rule=rule, state=state, steps=steps,
                number=number, weights=self.weights, since=since, names=names,
                **self._on(self.threads),
            )  # fmt: skip
        cost_sum = w = 0.0
        piece = how.batch_size * max(1, DENSE // (how.batch_size * self.X.shape[1]))
        for first in range(0, len(order), piece):
            some = order[first : first + piece]
            block = self.take(some)
            sums = summing.epoch(
                network, theta, dense(block.X), block.Y, np.arange(len(some)), how, rule=rule,
                state=state, steps=steps, number=number, weights=block.weights,
                names=some if names is None else names[some],
                **self._on(self.threads),
            )  # fmt: skip
            steps += -(-len(some) // how.batch_size)
            cost_sum, w = cost_sum + sums[0], w + sums[1]
        return cost_sum, w


def multiplied_as_it_is(X: Any, engine: str | None = None) -> bool:
    """Whether X is an array, or sparse with too few values to be worth making dense.

    Parameters
    ----------
    X : ndarray or scipy.sparse.csr_array
    engine : {"kernel", "numpy"}, optional
        The user's choice: the kernel takes dense rows only.

    Examples
    --------
    >>> from scipy.sparse import eye_array
    >>> [multiplied_as_it_is(eye_array(n, format="csr")) for n in (5, 500)]
    [False, True]
    """
    if isinstance(X, np.ndarray):
        return True
    return engine != "kernel" and X.nnz < THIN * X.shape[0] * X.shape[1]


def blocks_of(X: Any, engine: str | None = None) -> Iterator[tuple[slice, Any]]:
    """Yield slices of rows with those rows of X as they are multiplied: all of an array at once."""
    if isinstance(X, np.ndarray):
        yield slice(None), X
        return
    m, n = X.shape
    thin = multiplied_as_it_is(X, engine)
    rows = max(n, MANY) if thin else max(1, DENSE // n)
    for first in range(0, m, rows):
        block = slice(first, first + rows)
        yield block, X[block] if thin else dense(X[block])


def dense(X: Any) -> Array:
    """Return a block of rows as an array."""
    return np.asarray(X if isinstance(X, np.ndarray) else X.toarray())

"""Examples that may be sparse: what multiplies them, and in which blocks of rows.

A thin X, almost all zeros, is multiplied as it is, by SciPy and NumPy.  The kernel is so much
faster with dense rows that it pays to make any other dense, a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule import engine
from chainrule.common.types import Array
from chainrule.notes.backprop import total_weight
from chainrule.notes.network import Network

DENSE = 4_000_000  # values of a sparse X that may be made dense at once
THIN = 0.1  # share of values that are not 0, below which the zeros cost more than the kernel saves
MANY = 4096  # rows of a thin X in a block, or as many as it has columns: Delta must cost little


@dataclass(frozen=True)
class Rows:
    """Examples, their targets and weights, as the engine's calls see them.

    Parameters
    ----------
    X : ndarray or scipy.sparse.csr_array of shape (m, n)
        A sparse one is never made dense as a whole.
    Y : ndarray of shape (m, K)
    weights : ndarray of shape (m,), optional
    options : dict
        ``engine`` and ``threads``, for every call of the engine.

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
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def m(self) -> float:
        """The number of rows, or the sum of their weights."""
        return total_weight(self.Y, self.weights)

    def __len__(self) -> int:
        return len(self.Y)

    def sample(self, most: int) -> Rows:
        """Return at most so many rows, evenly spread."""
        rows = np.linspace(0, len(self) - 1, min(most, len(self))).astype(int)
        weights = None if self.weights is None else self.weights[rows]
        return Rows(self.X[rows], self.Y[rows], weights, self.options)

    def accumulate(self, network: Network, theta: Array) -> tuple[float, Array, float]:
        """Add up costs and gradient terms, see `chainrule.notes.backprop.accumulate`."""
        cost_sum, m = 0.0, 0.0
        Delta = np.zeros_like(theta)
        for block in self._blocks():
            sums = engine.accumulate(network, theta, *block, **self.options)
            if len(block[1]) == len(self):
                return sums
            cost_sum, m = cost_sum + sums[0], m + sums[2]
            Delta += sums[1]
        return cost_sum, Delta, m

    def cost(self, network: Network, theta: Array) -> float:
        """Return the mean cost."""
        sums = [engine.cost(network, theta, *block, **self.options) for block in self._blocks()]
        return sum(cost_sum for cost_sum, _ in sums) / sum(m for _, m in sums)

    def _blocks(self) -> Iterator[tuple[Any, Array, Array | None]]:
        for block, X in blocks_of(self.X, self.options.get("engine")):
            yield X, self.Y[block], None if self.weights is None else self.weights[block]

    def epoch(
        self,
        network: Network,
        theta: Array,
        order: Array,
        *,
        steps: int,
        batch_size: int,
        number: int,
        **how: Any,
    ) -> tuple[float, float]:
        """Take a step for each batch, see `chainrule.notes.minibatch.epoch`."""
        how |= self.options | {"batch_size": batch_size}
        if multiplied_as_it_is(self.X, self.options.get("engine")):
            return engine.epoch(
                network, theta, self.X, self.Y, order, steps=steps, number=number,
                weights=self.weights, **how,
            )  # fmt: skip
        cost_sum = w = 0.0
        batches = max(1, DENSE // (batch_size * self.X.shape[1]))
        for first in range(0, len(order), batches * batch_size):
            rows = order[first : first + batches * batch_size]
            weights = None if self.weights is None else self.weights[rows]
            # Dropout's masks hang on the row and the number: rows are counted afresh in each piece,
            # so the number must be new, too
            sums = engine.epoch(
                network, theta, dense(self.X[rows]), self.Y[rows], np.arange(len(rows)),
                steps=steps, number=steps, weights=weights, **how,
            )  # fmt: skip
            steps += -(-len(rows) // batch_size)
            cost_sum, w = cost_sum + sums[0], w + sums[1]
        return cost_sum, w


def multiplied_as_it_is(X: Any, engine: str | None = None) -> bool:
    """Whether X is an array, or sparse with so few values that zeros are dear.

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

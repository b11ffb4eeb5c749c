"""Examples in blocks of rows: the same sums, by the same tree, whatever holds the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from chainrule.common.types import Array
from chainrule.engine import summing
from chainrule.engine.cores import _threads
from chainrule.engine.sums import Sums, summed
from chainrule.notes import second_order
from chainrule.notes.network import Network

Part = tuple[Any, Array, Array | None]
"""X, Y and weights of a block, as they are computed with."""


class Buffer(NamedTuple):
    """Rows that an epoch has in memory.

    Attributes
    ----------
    rows : Rows
    order : ndarray of int
        The rows in the order of visit.
    names : ndarray of int or None
        The number of each row in the table, where they are not 0, 1, 2, ...
    batch : int
        How many batches of the epoch come before.
    """

    rows: Any
    order: Array
    names: Array | None
    batch: int


class Examples(ABC):
    """Rows, their targets and weights, and what computes on them.

    Attributes
    ----------
    engine : {"kernel", "numpy"} or None
        What the user asks for.
    threads : int or None
    """

    engine: str | None
    threads: int | None

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @property
    @abstractmethod
    def m(self) -> float:
        """Return the number of rows, or the sum of their weights."""

    @property
    @abstractmethod
    def n_blocks(self) -> int:
        """Return how many blocks the rows are summed in."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Return what is computed in."""

    @abstractmethod
    def block(self, i: int) -> Part:
        """Return the rows of block i."""

    @abstractmethod
    def computed_by(self, network: Network) -> str:
        """Return which engine computes the network on these rows."""

    @abstractmethod
    def buffers(
        self, seed: int, number: int, batch_size: int, shuffle: bool, batch: int = 0
    ) -> Iterator[Buffer]:
        """Yield the rows of an epoch in the order of visit, in parts that fit memory.

        Parameters
        ----------
        seed, number : int
            Of the training and of the epoch; they alone decide the order.
        batch_size : int
            No batch is divided between two buffers.
        shuffle : bool
        batch : int, default=0
            Buffers whose batches all come before this one are left out.
        """

    @abstractmethod
    def sample(self, most: int) -> Any:
        """Return at most ``most`` rows, spread over the table, in memory."""

    @abstractmethod
    def few(self) -> tuple[Array, Array]:
        """Return X and Y of some rows, for the check of the gradient."""

    @abstractmethod
    def content(self) -> Iterator[Array]:
        """Yield arrays that tell these examples from others."""

    def accumulate(self, network: Network, theta: Array) -> tuple[float, Array, float]:
        """Add up costs and gradient terms, see `chainrule.notes.backprop.accumulate`."""
        cost_sum, Delta, m = self._summed(
            network, lambda part, on: summing.accumulate(network, theta, *part, **on)
        )
        return cost_sum, Delta, m

    def cost(self, network: Network, theta: Array) -> float:
        """Return the mean cost."""
        cost_sum, m = self._summed(
            network, lambda part, on: summing.cost(network, theta, *part, **on)
        )
        return float(cost_sum / m)

    def hessian_vector(self, network: Network, theta: Array, v: Array) -> Array:
        """Return the sum over the rows of the Hessian of cost(t), times v."""
        (RDelta,) = self._summed(
            network, lambda part, on: (summing.hessian_vector(network, theta, v, *part, **on),)
        )
        return np.asarray(RDelta)

    def normal_equations(
        self, network: Network, theta: Array, lams: Array | None
    ) -> tuple[float, Array, Array]:
        """Return J, D and the Gauss-Newton matrix of a squared error."""
        if self.n_blocks == 1:
            part, on = self.block(0), self._on(self.threads)
            return summing.normal_equations(network, theta, *part, lams, **on)
        cost_sum, Delta, m, H = self._summed(
            network,
            lambda part, on: summing.gauss_newton(network, theta, *part, **on),
            alone=not second_order.are_squares(network),  # NumPy computes, with threads of its own
        )
        return second_order.finish_gauss_newton(theta, cost_sum, Delta, m, H, lams)

    def residuals(self, network: Network, theta: Array) -> Iterator[tuple[Array, Array]]:
        """Yield residuals and their Jacobian, see `chainrule.notes.second_order.residuals`."""
        for i in range(self.n_blocks):
            yield from second_order.residuals(network, theta, *self.block(i))

    def _on(self, threads: int | None) -> dict[str, Any]:
        return {"engine": self.engine, "threads": threads}

    def _summed(
        self,
        network: Network,
        sums_of: Callable[[Part, dict[str, Any]], Sums],
        *,
        alone: bool = False,
    ) -> Sums:
        """Return the sum over the blocks; of the kernel's, each has a thread of its own."""
        if self.n_blocks == 1:
            return sums_of(self.block(0), self._on(self.threads))
        if alone or self.computed_by(network) != "kernel":
            on = self._on(self.threads)
            return summed(self.n_blocks, lambda i, _: sums_of(self.block(i), on))
        return summed(
            self.n_blocks,
            lambda i, threads: sums_of(self.block(i), self._on(threads)),
            _threads(self.threads, network, len(self)),
        )

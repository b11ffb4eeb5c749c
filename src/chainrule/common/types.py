"""The types that many packages share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]
Lambda = float | Sequence[float]
Objective = Callable[[Array], tuple[float, Array]]
"""``objective(theta) -> (J, D)``: all that an optimizer knows of what it minimises."""


class Rule(Protocol):
    """How a batch's gradient moves theta: pure arithmetic on flat vectors.

    A rule of your own may have two fields of the built-in ones: ``learning_rate``, which a training
    may set where the rule is a dataclass, and ``decay``: before each step the weights, not the
    biases, shrink by decay times the learning rate.

    Examples
    --------
    RMSprop (Tieleman and Hinton, 2012), whose steps are scaled by how large the gradient has been:

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class RMSprop:
    ...     learning_rate: float = 0.001
    ...     kept: float = 0.9
    ...
    ...     def init(self, theta):
    ...         return np.zeros((1, len(theta)), theta.dtype)
    ...
    ...     def update(self, theta, D, state, t):
    ...         (v,) = state
    ...         v *= self.kept
    ...         v += (1 - self.kept) * D * D
    ...         theta -= self.learning_rate * D / (np.sqrt(v) + 1e-8)
    >>> from chainrule import Network, train
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> options = {"batch_size": 2, "max_iter": 300, "patience": None, "seed": 1}
    >>> train(Network((2, 4, 1)), X, y, optimizer=RMSprop(0.05), **options).J < 0.01
    True
    """

    def init(self, theta: Array) -> Array:
        """Return the state before the first step, of shape (k, n)."""

    def update(self, theta: Array, D: Array, state: Array, t: int) -> None:
        """Take step t, counted from 1: each component of theta and the state changes in place.

        It is called for one part of theta after another, so each component may depend only on its
        own theta, D and state.
        """


class Stopped(Exception):
    """Raised within a computation that was asked to stop.  Its text says why.

    Attributes
    ----------
    at_once : bool
        Whether somebody waits for the end: then nothing more is computed.
    """

    def __init__(self, why: str = "asked to stop", *, at_once: bool = False) -> None:
        super().__init__(why)
        self.at_once = at_once

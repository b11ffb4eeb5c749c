"""The types that many packages share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class ElasticNet:
    """A lambda for the squares of the weights and one for their absolute values.

        J = ... + squares/(2m) sum Theta(l)_ij^2 + absolutes/m sum |Theta(l)_ij|      j > 0
        D(l)_ij = ... + (squares Theta(l)_ij + absolutes sign(Theta(l)_ij)) / m

    At 0, where |w| has no slope, D is the slope of least size that J has on either side: 0 where
    the absolute values hold the weight fast.

    Parameters
    ----------
    squares, absolutes : float or sequence of L - 1 float, default=0.0
        One for all Theta(l), or one for each.

    Notes
    -----
    Over minibatches a weight that a step would carry across 0 stops there, so that many end at
    exactly 0.  An optimizer over all the rows only comes near.

    Examples
    --------
    >>> from chainrule import Network, cost_and_gradient
    >>> network, theta = Network((1, 1)), np.array([0.0, -2.0])
    >>> J, D = cost_and_gradient(network, theta, [[0.0]], [1], lam=ElasticNet(absolutes=3.0))
    >>> round(J, 4), D  # log 2, and 3 times 2
    (6.6931, array([-0.5, -3. ]))
    """

    squares: float | Sequence[float] = 0.0
    absolutes: float | Sequence[float] = 0.0


Squares = float | Sequence[float]
"""Lambda as the notes have it, one for all Theta(l) or one for each."""
Lambda = Squares | ElasticNet
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

"""Stochastic gradient descent: a step down the gradient of each batch, with momentum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array


@dataclass(frozen=True)
class SGD:
    """The rule v := momentum v - alpha D, theta := theta + v.

    Parameters
    ----------
    learning_rate : float, default=0.01
        alpha.
    momentum : float, default=0.9
        How much of the last step is kept, in [0, 1); 0 is plain gradient descent.
    nesterov : bool, default=True
        Whether to look one step of v ahead: theta := theta + momentum v - alpha D, with the new v.
    decay : float, default=0.0
        Decoupled decay: before each step the weights, not the biases, shrink by alpha decay.

    Notes
    -----
    Notes, *Putting it Together*, step 6, on one batch at a time.  Momentum: Polyak (1964) and
    Nesterov (1983), in the form of Sutskever et al. (2013).

    Examples
    --------
    >>> rule, theta = SGD(learning_rate=0.5, momentum=0.0, nesterov=False), np.array([3.0])
    >>> rule.update(theta, np.array([2.0]), rule.init(theta), t=1)
    >>> theta
    array([2.])
    """

    learning_rate: float = 0.01
    momentum: float = 0.9
    nesterov: bool = True
    decay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), got {self.momentum!r}")

    def init(self, theta: Array) -> Array:
        """Return the state before the first step: v = 0, of shape (1, n)."""
        return np.zeros((1, len(theta)), theta.dtype)

    def update(self, theta: Array, D: Array, state: Array, t: int) -> None:
        """Take step t: theta and the state change in place."""
        (v,) = state
        v *= self.momentum
        v -= self.learning_rate * D
        theta += self.momentum * v - self.learning_rate * D if self.nesterov else v

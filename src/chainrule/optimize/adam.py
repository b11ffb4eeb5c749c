"""Adam: each component's step is scaled by how large its gradient has been."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array


@dataclass(frozen=True)
class Adam:
    """The rule theta := theta - alpha m / (sqrt(v) + epsilon), m and v running means of D and D^2.

    Parameters
    ----------
    learning_rate : float, default=0.001
        alpha.
    beta1, beta2 : float, default=0.9, 0.999
        How much of the running means of D and of D^2 is kept at each step, in [0, 1).
    epsilon : float, default=1e-8
        Keeps the step finite where the gradient has always been 0.
    decay : float, default=0.0
        Decoupled decay (AdamW): before each step the weights, not the biases, shrink by
        alpha decay.  Unlike lambda it is no part of J.

    Notes
    -----
    Kingma and Ba (2015), *Adam: a method for stochastic optimization*, the form at the end of
    their section 2, in which alpha carries the correction for the zero start; Loshchilov and
    Hutter (2019), *Decoupled weight decay regularization*.

    Examples
    --------
    The first step is alpha long in every component, whatever the gradient's scale:

    >>> rule, theta = Adam(learning_rate=0.1), np.array([3.0, 3.0])
    >>> rule.update(theta, np.array([2.0, -0.01]), rule.init(theta), t=1)
    >>> theta.round(3)
    array([2.9, 3.1])
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)!r}")

    def init(self, theta: Array) -> Array:
        """Return the state before the first step: m = v = 0, of shape (2, n)."""
        return np.zeros((2, len(theta)), theta.dtype)

    def update(self, theta: Array, D: Array, state: Array, t: int) -> None:
        """Take step t, counted from 1: theta and the state change in place."""
        m, v = state
        m *= self.beta1
        m += (1 - self.beta1) * D
        v *= self.beta2
        v += (1 - self.beta2) * D * D
        alpha = self.learning_rate * math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        theta -= alpha * m / (np.sqrt(v) + self.epsilon)

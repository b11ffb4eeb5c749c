"""Gradient descent, with a step length that backtracks where J would not fall."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainrule.common.shown import summary
from chainrule.common.types import Array, Objective
from chainrule.optimize.iterate import Iterate, Steps, iterate
from chainrule.optimize.vectors import dot

SUFFICIENT_DECREASE = 1e-4
GROWTH = 2.0  # a step that went well is tried longer next time
SHORTEST = 1e-16


@dataclass(frozen=True)
class Descent(Iterate):
    """An iterate of gradient descent: alpha is the step length to try next."""

    alpha: float = 1.0

    __repr__ = summary


def steps(objective: Objective, start: Array | Descent) -> Steps:
    """Go down the gradient: theta := theta - alpha D, alpha found by backtracking.

    Armijo's rule: alpha is halved until J falls by at least 1e-4 alpha |D|^2, so J never rises
    (notes, *Putting it Together*, step 6).

    Examples
    --------
    >>> from chainrule.optimize import minimize
    >>> bowl = lambda theta: (float(theta @ theta), 2 * theta)
    >>> minimize(bowl, np.array([3.0, 4.0]), "gd").J < 1e-12
    True
    """
    return iterate(advance, objective, Descent, start)


def advance(objective: Objective, now: Descent) -> Descent:
    """Take one step."""
    alpha, n_eval, square = now.alpha, now.n_eval, dot(now.D, now.D)
    while alpha >= SHORTEST:
        theta = now.theta - alpha * now.D
        J, D = objective(theta)
        n_eval += 1
        if now.J - SUFFICIENT_DECREASE * alpha * square >= J:
            return Descent(theta, J, D, n_eval, now.iteration + 1, GROWTH * alpha)
        alpha /= 2
    return replace(now, n_eval=n_eval)

"""Gradient descent, with a step length that backtracks where J would not fall."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainrule.common.types import Array
from chainrule.kernel import dot
from chainrule.optimize.loop import Iterate, run
from chainrule.optimize.result import Callback, Objective, Result

SUFFICIENT_DECREASE = 1e-4
GROWTH = 2.0  # a step that went well is tried longer next time
SHORTEST = 1e-16


@dataclass(frozen=True)
class Descent(Iterate):
    """An iterate of gradient descent: alpha is the step length to try next."""

    alpha: float = 1.0


def minimize(
    objective: Objective,
    theta: Array,
    *,
    max_iter: int = 100,
    callback: Callback | None = None,
    state: Descent | None = None,
) -> Result:
    """Minimise J by gradient descent: theta := theta - alpha D, alpha found by backtracking.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``.
    theta : ndarray of shape (n,)
        The start; not changed.
    max_iter : int, default=100
    callback : callable, optional
        Called with a `Step` after each iteration; true ends it.
    state : Descent, optional
        ``result.state`` of an earlier run, to go on from instead of theta.

    Returns
    -------
    Result

    Notes
    -----
    Notes, *Putting it Together*, step 6.  Armijo's rule: alpha is halved until J falls by at
    least 1e-4 alpha |D|^2, so J never rises.

    Examples
    --------
    >>> result = minimize(lambda theta: (float(theta @ theta), 2 * theta), np.array([3.0, 4.0]))
    >>> result.J < 1e-12
    True
    """
    return run(
        advance, objective, Descent, theta, max_iter=max_iter, callback=callback, state=state
    )


def advance(objective: Objective, now: Descent) -> Descent:
    """Take one step."""
    alpha, n_eval, square = now.alpha, now.n_eval, dot(now.D, now.D)
    while alpha >= SHORTEST:
        theta = now.theta - alpha * now.D
        J, D = objective(theta)
        n_eval += 1
        if now.J - SUFFICIENT_DECREASE * alpha * square >= J:
            return Descent(theta, J, D, n_eval, alpha=GROWTH * alpha)
        alpha /= 2
    return replace(now, n_eval=n_eval)

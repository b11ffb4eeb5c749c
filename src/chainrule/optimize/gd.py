"""Gradient descent, with a step length that backtracks where J would not fall."""

from __future__ import annotations

import numpy as np

from chainrule.activations import Array
from chainrule.optimize.result import (
    AT_MAX_ITER,
    BY_CALLBACK,
    COST_TOLERANCE,
    FLAT,
    GRADIENT_TOLERANCE,
    NO_DESCENT,
    NO_GAIN,
    NOT_FINITE,
    Callback,
    History,
    Objective,
    Result,
    Step,
)

SUFFICIENT_DECREASE = 1e-4
GROWTH = 2.0  # a step that went well is tried longer next time
SHORTEST = 1e-16


def minimize(
    objective: Objective, theta: Array, *, max_iter: int = 100, callback: Callback | None = None
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
    J, D = objective(theta)
    n_eval = 1
    square = float(np.sum(np.square(D, dtype=np.float64)))
    history = History()
    history.append(J, np.sqrt(square))
    alpha, stopped, converged, iteration = 1.0, AT_MAX_ITER.format(max_iter), False, 0
    if not np.isfinite(J + square):
        return Result(theta, J, history, 0, n_eval, NOT_FINITE, False)
    while iteration < max_iter:
        if np.abs(D).max() <= GRADIENT_TOLERANCE:
            stopped, converged = FLAT.format(np.abs(D).max()), True
            break
        while True:
            J_new, D_new = objective(theta - alpha * D)
            n_eval += 1
            if J_new <= J - SUFFICIENT_DECREASE * alpha * square or alpha < SHORTEST:
                break
            alpha /= 2
        if not J_new < J:
            stopped = NO_DESCENT
            break
        gain = J - J_new
        theta, J, D = theta - alpha * D, J_new, D_new
        alpha *= GROWTH
        square = float(np.sum(np.square(D, dtype=np.float64)))
        iteration += 1
        history.append(J, np.sqrt(square))
        if callback is not None and callback(Step(iteration, J, np.sqrt(square), theta, n_eval)):
            stopped = BY_CALLBACK
            break
        if gain <= COST_TOLERANCE * abs(J):
            stopped, converged = NO_GAIN.format(COST_TOLERANCE), True
            break
    return Result(theta, J, history, iteration, n_eval, stopped, converged)

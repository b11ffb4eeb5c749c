"""L-BFGS: a quasi-Newton direction from the last few steps, and a strong Wolfe line search.

Two-loop recursion: Nocedal and Wright, *Numerical Optimization* (2006), algorithm 7.4.  Line
search: their algorithms 3.5 (bracket) and 3.6 (zoom), with cubic interpolation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chainrule.activations import Array
from chainrule.kernel import dot
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

MEMORY = 10  # pairs (s, y) kept
SUFFICIENT_DECREASE = 1e-4  # c1 of Nocedal and Wright
CURVATURE = 0.9  # c2: loose, since a quasi-Newton step of length 1 is usually right
MAX_TRIALS = 20  # evaluations one line search may take


class Point(NamedTuple):
    """A trial along the search line: step length t, J, slope D.p, D."""

    t: float
    J: float
    slope: float
    D: Array


def minimize(
    objective: Objective, theta: Array, *, max_iter: int = 100, callback: Callback | None = None
) -> Result:
    """Minimise J by L-BFGS.

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

    Examples
    --------
    >>> result = minimize(lambda theta: (float(theta @ theta), 2 * theta), np.array([3.0, 4.0]))
    >>> result.J < 1e-12, result.stopped
    (True, 'converged: the gradient is flat (max |D_i| = ...)')
    """
    J, D = objective(theta)
    n_eval = 1
    history = History()
    history.append(J, norm(D))
    pairs: deque[tuple[Array, Array, float]] = deque(maxlen=MEMORY)
    stopped, converged, iteration = AT_MAX_ITER.format(max_iter), False, 0
    if not np.isfinite(J + norm(D)):
        return Result(theta, J, history, 0, n_eval, NOT_FINITE, False)
    while iteration < max_iter:
        if np.abs(D).max() <= GRADIENT_TOLERANCE:
            stopped, converged = FLAT.format(np.abs(D).max()), True
            break
        p = two_loop(D, pairs)
        slope = dot(D, p)
        if slope >= 0:  # rounding has spoilt the memory: start it afresh, downhill
            pairs.clear()
            p, slope = -D, -dot(D, D)
        first = 1.0 if pairs else min(1.0, 1 / float(np.abs(D).sum(dtype=np.float64)))

        def line(t: float, theta: Array = theta, p: Array = p) -> Point:
            J, D = objective(theta + t * p)
            slope = dot(D, p)
            return Point(t, J, slope, D) if np.isfinite(J + slope) else Point(t, np.inf, np.inf, D)

        found, trials = wolfe(line, Point(0.0, J, slope, D), first)
        n_eval += trials
        if found is None:
            if pairs:  # the steepest descent gets a try before giving up
                pairs.clear()
                continue
            stopped = NO_DESCENT
            break
        step = found.t * p
        change = found.D - D
        curvature = dot(step, change)
        if curvature > np.finfo(theta.dtype).eps * dot(change, change):
            pairs.append((step, change, curvature))
        gain = J - found.J
        theta, J, D = theta + step, found.J, found.D
        iteration += 1
        history.append(J, norm(D))
        if callback is not None and callback(Step(iteration, J, norm(D), theta, n_eval)):
            stopped = BY_CALLBACK
            break
        if gain <= COST_TOLERANCE * max(abs(J), abs(J + gain)):
            stopped, converged = NO_GAIN.format(COST_TOLERANCE), True
            break
    return Result(theta, J, history, iteration, n_eval, stopped, converged)


def two_loop(D: Array, pairs: deque[tuple[Array, Array, float]]) -> Array:
    """Return -H D, H the inverse Hessian that the pairs (s, y, s.y) tell of."""
    q = D.copy()
    alphas = []
    for s, y, sy in reversed(pairs):
        alpha = dot(s, q) / sy
        alphas.append(alpha)
        q -= alpha * y
    if pairs:
        _, y, sy = pairs[-1]
        q *= sy / dot(y, y)
    for (s, y, sy), alpha in zip(pairs, reversed(alphas), strict=True):
        q += (alpha - dot(y, q) / sy) * s
    return -q


def wolfe(line: Callable[[float], Point], start: Point, t: float) -> tuple[Point | None, int]:
    """Find a step that satisfies the strong Wolfe conditions.

    Parameters
    ----------
    line : callable
        ``line(t) -> Point``.
    start : Point
        The point t = 0, its slope negative.
    t : float
        The first trial.

    Returns
    -------
    point : Point or None
        The step; the best that lowers J where the conditions cannot be met; None where none does.
    trials : int
        Evaluations used.
    """

    def too_high(point: Point) -> bool:
        return start.J + SUFFICIENT_DECREASE * point.t * start.slope < point.J

    low, high, trials = start, None, 0
    while trials < MAX_TRIALS:
        point = line(t)
        trials += 1
        if too_high(point) or (point.J >= low.J and low is not start):
            high = point
        elif abs(point.slope) <= -CURVATURE * start.slope:
            return point, trials
        elif high is None and point.slope < 0:
            low, t = point, min(10 * t, max(2 * t, cubic(low, point)))  # further out
            continue
        else:
            if high is None or point.slope * (high.t - low.t) >= 0:
                high = low
            low = point
        t = inside(cubic(low, high), low.t, high.t)
        if abs(high.t - low.t) <= 1e-12 * max(high.t, low.t):  # no scale of t is assumed
            break
    return (low, trials) if low is not start else (None, trials)


def cubic(one: Point, two: Point) -> float:
    """Return the minimiser of the cubic with the values and slopes of two points, or nan."""
    with np.errstate(all="ignore"):
        d1 = one.slope + two.slope - 3 * (one.J - two.J) / (one.t - two.t)
        square = d1 * d1 - one.slope * two.slope
        d2 = np.copysign(np.sqrt(square), two.t - one.t)
        t = two.t - (two.t - one.t) * (two.slope + d2 - d1) / (two.slope - one.slope + 2 * d2)
    return float(t)


def inside(t: float, one: float, two: float) -> float:
    """Return t if it lies well between the two ends, else their middle."""
    low, high = min(one, two), max(one, two)
    margin = 0.1 * (high - low)
    return t if low + margin <= t <= high - margin else (low + high) / 2


def norm(v: Array) -> float:
    """Return the Euclidean norm, accumulated in float64."""
    return float(np.sqrt(dot(v, v)))

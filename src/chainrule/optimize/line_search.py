"""A step length that satisfies the strong Wolfe conditions.

Nocedal and Wright, *Numerical Optimization* (2006), algorithms 3.5 (bracket) and 3.6 (zoom), with
cubic interpolation.  A trial where J is infinite or nan counts as too far, so that a region
without a finite cost is only a wall.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chainrule.common.types import Array, Objective
from chainrule.optimize.iterate import Iterate
from chainrule.optimize.vectors import dot

SUFFICIENT_DECREASE = 1e-4  # c1 of Nocedal and Wright
MAX_TRIALS = 20  # evaluations one line search may take


class Point(NamedTuple):
    """A trial along the search line: step length t, J, slope D.p, D, theta."""

    t: float
    J: float
    slope: float
    D: Array
    theta: Array


def search(
    objective: Objective, now: Iterate, p: Array, t: float, curvature: float
) -> tuple[Point | None, int]:
    """Search along p, from now, for a step that satisfies the strong Wolfe conditions.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``.
    now : Iterate
    p : ndarray of shape (n,)
        A direction of descent.
    t : float
        The first trial.
    curvature : float
        c2: the slope at the step may be at most this share of the slope at now.

    Returns
    -------
    point : Point or None
        The step; the best that lowers J where the conditions cannot be met; None where none does.
    trials : int
        Evaluations used.

    Examples
    --------
    >>> def bowl(theta):
    ...     return float(theta @ theta), 2 * theta
    >>> now = Iterate.at(bowl, np.array([1.0]))
    >>> point, trials = search(bowl, now, np.array([-1.0]), 0.1, curvature=0.1)
    >>> round(point.t, 12), trials
    (1.0, 2)
    """

    def line(t: float) -> Point:
        theta = now.theta + t * p
        J, D = objective(theta)
        slope = dot(D, p)
        finite = np.isfinite(J + slope)
        return Point(t, J, slope, D, theta) if finite else Point(t, np.inf, np.inf, D, theta)

    return wolfe(line, Point(0.0, now.J, dot(now.D, p), now.D, now.theta), t, curvature)


def wolfe(
    line: Callable[[float], Point], start: Point, t: float, curvature: float
) -> tuple[Point | None, int]:
    """Find the step on a line; ``search`` says what it takes and returns."""

    def too_high(point: Point) -> bool:
        return start.J + SUFFICIENT_DECREASE * point.t * start.slope < point.J

    low, high, trials = start, None, 0
    while trials < MAX_TRIALS:
        point = line(t)
        trials += 1
        if too_high(point) or (point.J >= low.J and low is not start):
            high = point
        elif abs(point.slope) <= -curvature * start.slope:
            return point, trials
        elif high is None and point.slope < 0:
            low, t = point, min(10 * t, max(2 * t, cubic(low, point)))  # further out
            continue
        else:
            if high is None or point.slope * (high.t - low.t) >= 0:
                high = low
            low = point
        t = inside(cubic(low, high), low.t, high.t)
        if abs(high.t - low.t) <= 1e-12 * max(1.0, abs(low.t)):
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

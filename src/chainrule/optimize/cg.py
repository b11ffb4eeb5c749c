"""Nonlinear conjugate gradient like the course's fmincg, with few evaluations per step.

Directions: Dai and Kou (*A nonlinear conjugate gradient algorithm with an optimal property and an
improved Wolfe line search*, 2013).  Where the line search is exact, they are Polak and
Ribiere's (1969); where it is not, they correct for that as a quasi-Newton step would.  Where a
direction turns uphill, the search starts anew downhill.  H D stands in place of D, to precondition:
H is the inverse Hessian that L-BFGS would make of the cycle of ten steps before, and 1 in the first
cycle (Buckley and LeNir, *QN-like variable storage conjugate gradients*, 1983).

As in Rasmussen's *minimize* (2006), which the course's fmincg is, the first trial of a line search
is the last step scaled by the ratio of the slopes, at most ten times as long, and the line search
is fairly exact.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Self

from chainrule.common.shown import summary
from chainrule.common.types import Array, Objective
from chainrule.optimize.iterate import Iterate, Steps, iterate
from chainrule.optimize.lbfgs import direction
from chainrule.optimize.line_search import search
from chainrule.optimize.vectors import Pair, check_pairs, dot

CURVATURE = 0.3  # c2: conjugacy wants a line search more exact than a quasi-Newton step does
LEAST = 0.5  # beta >= LEAST (D_next . p) / (p . p / H), as Dai and Kou have it for H = 1
LONGEST = 10.0  # times the last step: the most a first trial may be
CYCLE = 10  # steps that make an H: cycles of 20 save no more evaluations


@dataclass(frozen=True)
class Conjugate(Iterate):
    """An iterate of conjugate gradient: the direction to search next, and the first trial on it.

    It also keeps the steps that H is made of, and those of the current cycle.
    """

    p: Array | None = None  # None: downhill
    first: float = 0.0
    pairs: tuple[Pair, ...] = ()
    begun: tuple[Pair, ...] = ()

    __repr__ = summary

    def resumed(self, objective: Objective) -> Self:
        """Return this iterate, to go on from, or raise ValueError where it cannot be one."""
        check_pairs((*self.pairs, *self.begun))
        return super().resumed(objective)


def steps(objective: Objective, start: Array | Conjugate, *, curvature: float = CURVATURE) -> Steps:
    """Go down by conjugate gradient, with one line search per iteration.

    Parameters
    ----------
    objective, start
        As everywhere in `chainrule.optimize`.
    curvature : float, default=0.3
        How exact the line search is: it ends where the slope is this share of the slope at its
        start.  The smaller it is, the closer to theory's n iterations on a quadratic of n
        variables, and the more evaluations each iteration takes.

    Examples
    --------
    >>> from chainrule.optimize import minimize
    >>> bowl = lambda theta: (float(theta @ theta), 2 * theta)
    >>> minimize(bowl, np.array([3.0, 4.0]), "cg").J < 1e-12
    True
    """
    step = functools.partial(advance, curvature=curvature)
    return iterate(step, objective, Conjugate, start)


def advance(objective: Objective, now: Conjugate, curvature: float) -> Conjugate:
    """Search along one direction, and make the next."""
    if now.p is None:
        p = -now.D
        first = 1 / (1 + dot(now.D, now.D))
    else:
        p, first = now.p, now.first
    found, trials = search(objective, now, p, first, curvature)
    n_eval = now.n_eval + trials
    if found is None:  # the steepest descent gets a try before giving up
        stuck = replace(now, p=None, pairs=(), begun=(), n_eval=n_eval)
        return stuck if now.p is None else advance(objective, stuck, curvature)
    slope, change = dot(now.D, p), found.D - now.D
    curved = found.slope - slope  # p . change: positive where the curvature condition is met
    pairs, begun = now.pairs, now.begun
    if curved > 0:
        begun = (*begun, (found.t * p, change, found.t * curved))
        if len(begun) == CYCLE:
            pairs, begun = begun, ()
    p_next = direction(found.D, pairs)  # -H D
    if curved > 0:
        bent = -dot(change, direction(change, pairs))  # change . H change
        beta = -(dot(p_next, change) + bent * found.slope / curved) / curved
        size = found.t * curved / dot(change, change) if pairs else 1.0  # of H, for its inverse
        beta = max(beta, LEAST * size * found.slope / dot(p, p))
        p_next = p_next + beta * p
    slope_next = dot(found.D, p_next)
    if slope_next >= 0:
        p_next, slope_next = -found.D, -dot(found.D, found.D)
    first = found.t * min(LONGEST, slope / slope_next) if slope_next else found.t
    return Conjugate(
        found.theta, found.J, found.D, n_eval, now.iteration + 1, p_next, first, pairs, begun
    )

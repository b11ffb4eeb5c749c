"""L-BFGS: a quasi-Newton direction from the last few steps, and a strong Wolfe line search.

Two-loop recursion: Nocedal and Wright, *Numerical Optimization* (2006), algorithm 7.4.  Where
theta is not large, a long memory is affordable; it saves up to half of the evaluations.  In
directions that no step has tried, the book estimates the inverse Hessian by s.y / y.y of the last
step, which the steepest directions determine; s.s / s.y, the other estimate of Barzilai and Borwein
(1988), is larger.  Here it is (s.y / y.y)^(2/3) (s.s / s.y)^(1/3), between the two, because
directions in which J is flat need long steps.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, Objective
from chainrule.optimize.iterate import Iterate, Steps, iterate
from chainrule.optimize.line_search import search
from chainrule.optimize.vectors import Pair, check_pairs, dot, two_loop

FEWEST, MOST = 10, 100  # pairs (s, y) kept
KEPT = 2**20  # numbers in all s: with as many in the y, 16 megabytes in float64
LONGER = 1 / 3  # exponent of the larger estimate, in H along directions that no step has tried
CURVATURE = 0.9  # c2: loose, since a quasi-Newton step of length 1 is usually right


@dataclass(frozen=True)
class QuasiNewton(Iterate):
    """An iterate of L-BFGS: for each of the last steps, s, the change y of D, and s . y."""

    pairs: tuple[Pair, ...] = ()

    __repr__ = summary

    def resumed(self, objective: Objective) -> Self:
        """Return this iterate, to go on from, or raise ValueError where it cannot be one."""
        check_pairs(self.pairs)
        return super().resumed(objective)


def steps(
    objective: Objective,
    start: Array | QuasiNewton,
    *,
    memory: int | None = None,
    longer: float = LONGER,
) -> Steps:
    """Go down by L-BFGS.

    Parameters
    ----------
    objective, start
        As everywhere in `chainrule.optimize`.
    memory : int, optional
        Steps remembered.  Default: 100 where theta has up to 10,000 numbers, fewer where it has
        more, but at least 10.
    longer : float, default=1/3
        How much longer steps are along directions that no step has tried.  H is there
        (s.y / y.y)^(1 - longer) (s.s / s.y)^longer of the last step; the book and SciPy have 0.

    Examples
    --------
    >>> from chainrule.optimize import minimize
    >>> result = minimize(lambda theta: (float(theta @ theta), 2 * theta), np.array([3.0, 4.0]))
    >>> result.J < 1e-12, result.stopped
    (True, 'converged: the gradient is flat (max |D_i| = ...)')
    """
    if memory is None:
        theta = start if isinstance(start, np.ndarray) else start.theta
        memory = min(MOST, max(FEWEST, KEPT // theta.size))
    step = functools.partial(advance, memory=memory, longer=longer)
    return iterate(step, objective, QuasiNewton, start)


def advance(objective: Objective, now: QuasiNewton, memory: int, longer: float) -> QuasiNewton:
    """Take one step."""
    p = direction(now.D, now.pairs, longer)
    if dot(now.D, p) >= 0:  # rounding has spoilt the memory: start it afresh, downhill
        now = replace(now, pairs=())
        p = -now.D
    # Nothing is known yet about the scale of J: the first step has length 1 at most
    first = 1.0 if now.pairs else min(1.0, 1 / float(np.sqrt(dot(now.D, now.D))))
    found, trials = search(objective, now, p, first, CURVATURE)
    n_eval = now.n_eval + trials
    if found is None:  # the steepest descent gets a try before giving up
        now = replace(now, n_eval=n_eval)
        if not now.pairs:
            return now
        return advance(objective, replace(now, pairs=()), memory, longer)
    pairs = now.pairs
    step, change = found.theta - now.theta, found.D - now.D
    curvature = dot(step, change)
    if curvature > np.finfo(step.dtype).eps * dot(change, change):
        pairs = (*pairs, (step, change, curvature))[-memory:]
    return QuasiNewton(found.theta, found.J, found.D, n_eval, now.iteration + 1, pairs)


def direction(D: Array, pairs: tuple[Pair, ...], longer: float = LONGER) -> Array:
    """Return -H D; the pairs (s, y, s.y) describe H, the inverse Hessian."""
    if not pairs:
        return -D
    s, y, sy = pairs[-1]
    short, long = sy / dot(y, y), dot(s, s) / sy
    return two_loop(D, pairs, scale=short * (long / short) ** longer)

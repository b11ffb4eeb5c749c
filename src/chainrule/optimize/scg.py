"""Scaled conjugate gradient: the step length from the curvature along p, without a line search.

Moller, *A scaled conjugate gradient algorithm for fast supervised learning*, Neural Networks 6
(1993).  The curvature p.Hp is exact where the objective offers Hessian-vector products, and the
difference of two gradients otherwise.  A scale keeps it positive.  It falls where
the quadratic model predicts J well and rises where it does not, as Levenberg-Marquardt's damping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, Objective
from chainrule.optimize.iterate import Iterate, Steps, hessian_vector, iterate
from chainrule.optimize.vectors import dot, one_blas_thread

START = 1e-9  # the first scale
LARGEST = 1e20  # a scale above this has shrunk the step to nothing


@dataclass(frozen=True)
class Scaled(Iterate):
    """An iterate of scaled conjugate gradient."""

    p: Array | None = None  # None: downhill
    scale: float = START  # Moller's lambda, added to the curvature along p
    since: int = 0  # steps since the last start downhill

    __repr__ = summary

    @property
    def extra(self) -> dict[str, float]:
        """The damping."""
        return {"damping": self.scale}


def steps(objective: Objective, start: Array | Scaled) -> Steps:
    """Go down by scaled conjugate gradient; the history tells the scale as ``"damping"``.

    Examples
    --------
    >>> from chainrule.optimize import minimize
    >>> bowl = lambda theta: (float(theta @ theta), 2 * theta)
    >>> minimize(bowl, np.array([3.0, 4.0]), "scg").J < 1e-12
    True
    """
    with one_blas_thread():
        return (yield from iterate(advance, objective, Scaled, start))


def advance(objective: Objective, now: Scaled) -> Scaled:
    """Take one step; a trial that does not lower J raises the scale, and is made again."""
    p = -now.D if now.p is None else now.p
    square, slope = dot(p, p), dot(now.D, p)
    bend = dot(p, hessian_vector(objective, now, p))
    n_eval, scale = now.n_eval + 1, now.scale
    if bend + scale * square <= 0:  # the model opens downwards: make it open upwards
        scale = 2 * (scale - bend / square)
    while scale <= LARGEST:
        curvature = bend + scale * square
        t = -slope / curvature
        theta = now.theta + t * p
        J, D = objective(theta)
        n_eval += 1
        predicted = -slope * t / 2
        agreement = (now.J - J) / predicted if np.isfinite(J) and predicted > 0 else -np.inf
        if agreement >= 0.75:
            scale_next = max(scale / 4, np.finfo(np.float64).tiny)
        elif agreement >= 0.25:
            scale_next = scale
        else:
            scale_next = scale + curvature * min(1 - agreement, 1e3) / square
        if agreement > 0 and np.isfinite(D).all():
            since = now.since + 1
            if since == len(theta):
                return Scaled(theta, J, D, n_eval, now.iteration + 1, scale=scale_next)
            p_next = -D + dot(D, D - now.D) / -slope * p
            if dot(D, p_next) >= 0:
                return Scaled(theta, J, D, n_eval, now.iteration + 1, scale=scale_next)
            return Scaled(theta, J, D, n_eval, now.iteration + 1, p_next, scale_next, since)
        scale = max(scale_next, 4 * scale)
    stuck = replace(now, p=None, scale=START, n_eval=n_eval)
    return stuck if now.p is None else advance(objective, stuck)

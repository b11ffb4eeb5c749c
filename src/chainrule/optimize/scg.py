"""Scaled conjugate gradient: the step length from the curvature along p, without a line search.

Moller, *A scaled conjugate gradient algorithm for fast supervised learning*, Neural Networks 6
(1993).  The curvature p.Hp is exact where the objective offers Hessian-vector products, and the
difference of two gradients otherwise.  A scale keeps it positive, and trusts the quadratic model as
far as its prediction of J came true, as the damping of Levenberg-Marquardt does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from chainrule.common.types import Array
from chainrule.kernel import dot
from chainrule.optimize.loop import Iterate, hessian_vector, one_blas_thread, run
from chainrule.optimize.result import Callback, Objective, Result

START = 1e-9  # the first scale
LARGEST = 1e20  # a scale above this has shrunk the step to nothing


@dataclass(frozen=True)
class Scaled(Iterate):
    """An iterate of scaled conjugate gradient."""

    p: Array | None = None  # None: downhill
    scale: float = START  # Moller's lambda, added to the curvature along p
    since: int = 0  # steps since the last start downhill

    @property
    def extra(self) -> dict[str, float]:
        """The damping."""
        return {"damping": self.scale}


def minimize(
    objective: Objective,
    theta: Array,
    *,
    max_iter: int = 100,
    callback: Callback | None = None,
    state: Scaled | None = None,
) -> Result:
    """Minimise J by scaled conjugate gradient.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``; may offer ``hvp(theta, v)``.
    theta : ndarray of shape (n,)
        The start; not changed.
    max_iter : int, default=100
    callback : callable, optional
        Called with a `Step` after each iteration; true ends it.
    state : Scaled, optional
        ``result.state`` of an earlier run, to go on from instead of theta.

    Returns
    -------
    Result
        ``history.extra["damping"]`` is the scale.

    Examples
    --------
    >>> result = minimize(lambda theta: (float(theta @ theta), 2 * theta), np.array([3.0, 4.0]))
    >>> result.J < 1e-12
    True
    """
    with one_blas_thread():
        return run(
            advance, objective, Scaled, theta, max_iter=max_iter, callback=callback, state=state
        )


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
                return Scaled(theta, J, D, n_eval, scale=scale_next)
            p_next = -D + dot(D, D - now.D) / -slope * p
            if dot(D, p_next) >= 0:
                return Scaled(theta, J, D, n_eval, scale=scale_next)
            return Scaled(theta, J, D, n_eval, p_next, scale_next, since)
        scale = max(scale_next, 4 * scale)
    stuck = replace(now, p=None, scale=START, n_eval=n_eval)
    return stuck if now.p is None else advance(objective, stuck)

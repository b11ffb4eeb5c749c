"""Newton's method for many parameters: the step is solved for by linear conjugate gradient.

Line-search Newton-CG, Nocedal and Wright, *Numerical Optimization* (2006), algorithm 7.1.  The
Hessian is never formed: conjugate gradient asks only for H v, which costs about as much as two
gradients (Pearlmutter, *Fast exact multiplication by the Hessian*, 1994).
"""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array
from chainrule.kernel import dot
from chainrule.optimize.line_search import search
from chainrule.optimize.loop import Iterate, hessian_vector, norm, one_blas_thread, run
from chainrule.optimize.result import Callback, Objective, Result

CURVATURE = 0.9  # c2: a Newton step of length 1 is usually right


def minimize(
    objective: Objective,
    theta: Array,
    *,
    max_iter: int = 100,
    callback: Callback | None = None,
    state: Iterate | None = None,
) -> Result:
    """Minimise J by truncated Newton steps.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``; may offer ``hvp(theta, v)``.
    theta : ndarray of shape (n,)
        The start; not changed.
    max_iter : int, default=100
    callback : callable, optional
        Called with a `Step` after each iteration; true ends it.
    state : Iterate, optional
        ``result.state`` of an earlier run, to go on from instead of theta.

    Returns
    -------
    Result

    Examples
    --------
    >>> result = minimize(lambda theta: (float(theta @ theta), 2 * theta), np.array([3.0, 4.0]))
    >>> result.J < 1e-12
    True
    """
    with one_blas_thread():
        return run(
            advance, objective, Iterate, theta, max_iter=max_iter, callback=callback, state=state
        )


def advance(objective: Objective, now: Iterate) -> Iterate:
    """Solve for a direction, and search along it."""
    p, products = newton_direction(objective, now)
    found, trials = search(objective, now, p, 1.0, CURVATURE)
    n_eval = now.n_eval + products + trials
    if found is None:
        return Iterate(now.theta, now.J, now.D, n_eval)
    return Iterate(found.theta, found.J, found.D, n_eval)


def newton_direction(objective: Objective, now: Iterate) -> tuple[Array, int]:
    """Solve H p = -D so far as it pays: the flatter the gradient, the more exactly.

    Where p meets a direction in which J bends downwards, the last p before it is taken, or that
    direction where it is the first.

    Returns
    -------
    p : ndarray of shape (n,)
        A direction of descent.
    products : int
        Hessian-vector products used.
    """
    size = norm(now.D)
    enough = min(0.5, np.sqrt(size)) * size
    p, residual = np.zeros_like(now.D), now.D.copy()  # residual = H p + D
    d, square = -residual, size * size
    for products in range(1, len(p) + 1):
        Hd = hessian_vector(objective, now, d)
        bend = dot(d, Hd)
        if bend <= np.finfo(p.dtype).eps * dot(d, d):
            return (d if products == 1 else p), products
        alpha = square / bend
        p = p + alpha * d
        residual = residual + alpha * Hd
        square, before = dot(residual, residual), square
        if np.sqrt(square) <= enough:
            break
        d = square / before * d - residual
    return p, products

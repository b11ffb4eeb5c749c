"""Newton's method for many parameters: the step is solved for by linear conjugate gradient.

Line-search Newton-CG, Nocedal and Wright, *Numerical Optimization* (2006), algorithm 7.1.  The
Hessian is never formed: conjugate gradient asks only for H v, which costs about as much as two
gradients (Pearlmutter, *Fast exact multiplication by the Hessian*, 1994).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.common.types import Array, Objective
from chainrule.optimize.iterate import Iterate, Steps, hessian_vector, iterate
from chainrule.optimize.line_search import search
from chainrule.optimize.vectors import dot, norm, one_blas_thread

CURVATURE = 0.9  # c2: a Newton step of length 1 is usually right


def steps(objective: Objective, start: Array | Iterate) -> Steps:
    """Go down by truncated Newton steps.

    Examples
    --------
    >>> from chainrule.optimize import minimize
    >>> bowl = lambda theta: (float(theta @ theta), 2 * theta)
    >>> minimize(bowl, np.array([3.0, 4.0]), "newton-cg").J < 1e-12
    True
    """
    with one_blas_thread():
        return (yield from iterate(advance, objective, Iterate, start))


def advance(objective: Objective, now: Iterate) -> Iterate:
    """Solve for a direction, and search along it."""
    p, products = newton_direction(objective, now)
    found, trials = search(objective, now, p, 1.0, CURVATURE)
    n_eval = now.n_eval + products + trials
    if found is None:
        return replace(now, n_eval=n_eval)
    return Iterate(found.theta, found.J, found.D, n_eval, now.iteration + 1)


def newton_direction(objective: Objective, now: Iterate) -> tuple[Array, int]:
    """Solve H p = -D as far as it pays: the smaller the gradient, the more exactly.

    Where J bends downwards along the next direction, p is taken as it is so far; if that is the
    first direction, that direction is taken.

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

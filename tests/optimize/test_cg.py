"""Conjugate gradient on what its theory is of: a quadratic, with exact line searches."""

from functools import partial
from itertools import islice, pairwise

import numpy as np
import pytest
from objectives import Quadratic, valley

from chainrule.optimize import cg, minimize
from chainrule.optimize.lbfgs import LONGER


@pytest.mark.parametrize("n", [1, 2, 5, 12, 18])
def test_conjugate_gradient_ends_on_a_quadratic_in_n_exact_line_searches(n):
    quadratic = Quadratic(n)
    result = minimize(quadratic, quadratic.start, partial(cg.steps, curvature=1e-9), max_iter=n)
    np.testing.assert_allclose(result.theta, quadratic.minimum, atol=1e-6)


def inverse_hessian(n, pairs):
    """Return H as Broyden, Fletcher, Goldfarb and Shanno update it, as a matrix."""
    H = np.eye(n)
    if pairs:
        s, y, sy = pairs[-1]
        H *= (sy / (y @ y)) ** (1 - LONGER) * (s @ s / sy) ** LONGER
    for s, y, sy in pairs:
        across = np.eye(n) - np.outer(s, y) / sy
        H = across @ H @ across.T + np.outer(s, s) / sy
    return H


def test_directions_are_those_of_dai_and_kou_preconditioned_by_the_cycle_before():
    n, seen = 6, set()
    iterates = [step.state for step in islice(cg.steps(valley, np.linspace(-2, 2, n)), 25)]
    for now, after in pairwise(iterates):
        p = -now.D if now.p is None else now.p
        step, y, D = after.theta - now.theta, after.D - now.D, after.D
        H, t = inverse_hessian(n, after.pairs), step @ p / (p @ p)
        py = p @ y
        assert py > 0
        beta = (D @ H @ y) / py - (y @ H @ y) * (D @ p) / py**2
        size = step @ y / (y @ y) if after.pairs else 1.0
        least = cg.LEAST * size * (D @ p) / (p @ p)
        expected = -H @ D + max(beta, least) * p
        if uphill := D @ expected >= 0:
            expected = -D
        np.testing.assert_allclose(after.p, expected, rtol=1e-6, atol=1e-9 * np.abs(D).max())
        ratio = (now.D @ p) / (D @ after.p)
        np.testing.assert_allclose(after.first, t * min(cg.LONGEST, ratio), rtol=1e-6)
        seen.add((bool(after.pairs), beta < least, uphill))
    assert seen >= {(pairs, bound, False) for pairs in (False, True) for bound in (False, True)}

"""Scaled conjugate gradient on what its theory is of: a quadratic."""

from itertools import islice, pairwise

import numpy as np
import pytest
from objectives import Quadratic, valley

from chainrule.optimize import minimize, scg
from chainrule.optimize.iterate import hessian_vector


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_scaled_conjugate_gradient_ends_on_a_quadratic_in_n_steps(n):
    quadratic = Quadratic(n)
    result = minimize(quadratic, quadratic.start, "scg", max_iter=n)
    np.testing.assert_allclose(result.theta, quadratic.minimum, atol=1e-4)


def test_the_scale_falls_where_the_model_predicts_J_well_and_rises_where_it_does_not():
    n, seen = 6, set()
    iterates = [step.state for step in islice(scg.steps(valley, np.linspace(-2, 2, n)), 90)]
    for now, after in pairwise(iterates):
        p = -now.D if now.p is None else now.p
        bend, square, slope = p @ hessian_vector(valley, now, p), p @ p, now.D @ p
        scale = now.scale
        if bend + scale * square <= 0:
            scale = 2 * (scale - bend / square)
        curvature = bend + scale * square
        t = -slope / curvature
        if not np.allclose(after.theta, now.theta + t * p, rtol=1e-12):
            continue  # it was not the first trial that lowered J
        agreement = 2 * (now.J - after.J) / (-slope * t)
        if agreement >= 0.75:
            expected, kind = scale / 4, "good"
        elif agreement >= 0.25:
            expected, kind = scale, "fair"
        else:
            expected, kind = scale + curvature * (1 - agreement) / square, "poor"
        np.testing.assert_allclose(after.scale, expected, rtol=1e-5)
        seen.add(kind)
    assert seen == {"good", "fair", "poor"}

"""The truncated Newton direction: as exact as it pays, and downhill where J bends down."""

import numpy as np
import pytest
from objectives import Quadratic

from chainrule.optimize import minimize
from chainrule.optimize.iterate import Iterate
from chainrule.optimize.newton_cg import newton_direction


@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e-8])
def test_the_flatter_the_gradient_the_more_exactly_the_direction_is_solved_for(scale):
    quadratic = Quadratic(8)
    now = Iterate.at(quadratic, quadratic.minimum + scale * (quadratic.start - quadratic.minimum))
    p, products = newton_direction(quadratic, now)
    size, residual = np.linalg.norm(now.D), np.linalg.norm(quadratic.hvp(None, p) + now.D)
    assert residual <= min(0.5, np.sqrt(size)) * size
    assert products <= 8
    assert p @ now.D < 0


def test_where_J_bends_down_the_first_direction_is_that_of_the_gradient():
    def saddle(theta):
        return float(theta[0] ** 2 - theta[1] ** 2), 2 * theta * [1, -1]

    now = Iterate.at(saddle, np.array([0.1, 1.0]))
    p, products = newton_direction(saddle, now)
    np.testing.assert_array_equal(p, -now.D)
    assert products == 1


def test_exact_products_and_differences_of_gradients_lead_to_the_same_minimum():
    quadratic = Quadratic(8)
    exact = minimize(quadratic, quadratic.start, "newton-cg")
    differences = minimize(lambda theta: quadratic(theta), quadratic.start, "newton-cg")
    np.testing.assert_allclose(exact.theta, quadratic.minimum, atol=1e-5)
    np.testing.assert_allclose(differences.theta, quadratic.minimum, atol=1e-5)

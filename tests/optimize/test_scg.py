"""Scaled conjugate gradient on what its theory is of: a quadratic."""

import numpy as np
import pytest
from objectives import Quadratic

from chainrule.optimize import minimize


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_scaled_conjugate_gradient_ends_on_a_quadratic_in_n_steps(n):
    quadratic = Quadratic(n)
    result = minimize(quadratic, quadratic.start, "scg", max_iter=n)
    np.testing.assert_allclose(result.theta, quadratic.minimum, atol=1e-4)

"""Conjugate gradient on what its theory is of: a quadratic, with exact line searches."""

from functools import partial

import numpy as np
import pytest
from objectives import Quadratic

from chainrule.optimize import cg, minimize


@pytest.mark.parametrize("n", [1, 2, 5, 12, 18])
def test_conjugate_gradient_ends_on_a_quadratic_in_n_exact_line_searches(n):
    quadratic = Quadratic(n)
    result = minimize(quadratic, quadratic.start, partial(cg.steps, curvature=1e-9), max_iter=n)
    np.testing.assert_allclose(result.theta, quadratic.minimum, atol=1e-6)

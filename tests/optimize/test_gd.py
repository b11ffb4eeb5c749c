"""Gradient descent, to the letter of the notes."""

import numpy as np
from objectives import START, bowl

from chainrule.optimize import minimize


def test_gradient_descent_is_theta_minus_alpha_D():
    result = minimize(bowl, START, "gd", max_iter=1)
    moved = (START - result.theta) / bowl(START)[1]
    np.testing.assert_allclose(moved, moved[0])
    assert moved[0] > 0

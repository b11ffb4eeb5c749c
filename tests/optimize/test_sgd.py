"""Momentum and Nesterov's rule against their definitions written out."""

import numpy as np
import pytest
from rule_steps import GRADIENTS, START, three_steps

from chainrule.optimize.sgd import SGD


def test_three_steps_of_momentum_and_of_nesterov():
    v, theta = np.zeros(6), START
    # Nesterov's rule as published: the gradient is taken one step of v ahead.  What the form in
    # use moves is that point ahead, theta + momentum v.
    ahead = theta.copy()
    for g in GRADIENTS:
        v = 0.9 * v - 0.1 * g
        theta = theta + v
        ahead = theta + 0.9 * v
    np.testing.assert_allclose(three_steps(SGD(0.1, nesterov=False)), theta, rtol=1e-13)
    np.testing.assert_allclose(three_steps(SGD(0.1)), ahead, rtol=1e-13)


def test_a_momentum_that_never_forgets_is_refused():
    with pytest.raises(ValueError, match="momentum must be in"):
        SGD(momentum=1.0)

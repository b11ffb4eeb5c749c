"""Adam and its decay against their definitions written out."""

import numpy as np
import pytest
from rule_steps import GRADIENTS, START, three_steps

from chainrule import Network, random_theta
from chainrule.notes.minibatch import Minibatches, epoch
from chainrule.notes.theta import blocks
from chainrule.optimize.adam import Adam


def test_three_steps_of_adam_are_those_of_the_paper():
    """Kingma and Ba's algorithm 1, with the bias corrections of m and v written out."""
    m = v = np.zeros(6)
    theta = START
    for t, g in enumerate(GRADIENTS, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        theta = theta - 0.01 * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t))
    np.testing.assert_allclose(three_steps(Adam(0.01, epsilon=0.0)), theta, rtol=1e-13)


def test_the_first_step_has_the_length_of_the_learning_rate():
    theta, rule = np.array([3.0, 3.0]), Adam()
    rule.update(theta, np.array([2.0, -0.01]), rule.init(theta), t=1)
    np.testing.assert_allclose(theta, [2.999, 3.001], atol=1e-8)


@pytest.mark.parametrize(("decay", "left"), [({}, 1.0), ({"decay": 0.1}, 0.95**2)])
def test_decoupled_decay_shrinks_weights_but_not_biases_and_nothing_unless_asked(decay, left):
    network = Network((3, 2))
    X, Y = np.zeros((4, 3)), np.full((4, 2), 0.5)
    theta = random_theta(network)
    theta[:2] = 0.0  # h = 1/2 = y: the gradient is 0, so only the decay moves anything
    start, rule = theta.copy(), Adam(0.5, **decay)
    order = np.arange(4)
    epoch(network, theta, X, Y, order, Minibatches(batch_size=2), rule=rule, state=rule.init(theta))
    (before,), (after,) = blocks(network, start), blocks(network, theta)
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_allclose(after[1:], before[1:] * left, rtol=1e-15)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"beta1": -0.1}, "beta1 must be in"), ({"beta2": 1.0}, "beta2 must be in")],
)
def test_a_mean_that_never_forgets_or_never_learns_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Adam(**wrong)


def test_without_decay_a_weight_without_slope_stays():
    rule, theta = Adam(), np.array([3.0, -2.0])
    rule.update(theta, np.zeros(2), rule.init(theta), t=1)
    np.testing.assert_array_equal(theta, [3.0, -2.0])

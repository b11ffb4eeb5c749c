"""SGD and Adam against their definitions written out."""

import numpy as np
import pytest

from chainrule import Network, random_theta
from chainrule.notes.minibatch import Minibatches, epoch
from chainrule.notes.theta import blocks
from chainrule.optimize.adam import Adam
from chainrule.optimize.sgd import SGD

GRADIENTS = np.random.default_rng(0).normal(size=(3, 6))


def steps(rule):
    theta = np.linspace(-1, 1, 6)
    state = rule.init(theta)
    for t, D in enumerate(GRADIENTS, start=1):
        rule.update(theta, D, state, t)
    return theta


def test_three_steps_of_adam_are_those_of_the_paper():
    """Kingma and Ba's algorithm 1, with the bias corrections of m and v written out."""
    m = v = np.zeros(6)
    theta = np.linspace(-1, 1, 6)
    for t, g in enumerate(GRADIENTS, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        theta = theta - 0.01 * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t))
    np.testing.assert_allclose(steps(Adam(0.01, epsilon=0.0)), theta, rtol=1e-13)


def test_three_steps_of_momentum_and_of_nesterov():
    v, theta = np.zeros(6), np.linspace(-1, 1, 6)
    # Nesterov's rule as published: the gradient is taken one step of v ahead.  What the form in
    # use moves is that point ahead, theta + momentum v.
    ahead = theta.copy()
    for g in GRADIENTS:
        v = 0.9 * v - 0.1 * g
        theta = theta + v
        ahead = theta + 0.9 * v
    np.testing.assert_allclose(steps(SGD(0.1, nesterov=False)), theta, rtol=1e-13)
    np.testing.assert_allclose(steps(SGD(0.1)), ahead, rtol=1e-13)


def test_decoupled_decay_shrinks_weights_but_not_biases():
    network = Network((3, 2))
    X, Y = np.zeros((4, 3)), np.full((4, 2), 0.5)
    theta = random_theta(network)
    theta[:2] = 0.0  # h = 1/2 = y: the gradient is 0, so only the decay moves anything
    start, rule = theta.copy(), Adam(0.5, decay=0.1)
    order = np.arange(4)
    epoch(network, theta, X, Y, order, Minibatches(batch_size=2), rule=rule, state=rule.init(theta))
    (before,), (after,) = blocks(network, start), blocks(network, theta)
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_allclose(after[1:], before[1:] * 0.95**2, rtol=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.0), "momentum must be in"),
        (lambda: Adam(beta1=-0.1), "beta1 must be in"),
        (lambda: Adam(beta2=1.0), "beta2 must be in"),
    ],
)
def test_a_rule_refuses_what_would_never_forget(make, message):
    with pytest.raises(ValueError, match=message):
        make()

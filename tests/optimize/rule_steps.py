"""Three steps of a minibatch rule on random gradients."""

import numpy as np

GRADIENTS = np.random.default_rng(0).normal(size=(3, 6))
START = np.linspace(-1, 1, 6)


def three_steps(rule):
    theta = START.copy()
    state = rule.init(theta)
    for t, D in enumerate(GRADIENTS, start=1):
        rule.update(theta, D, state, t)
    return theta

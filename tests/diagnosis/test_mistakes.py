"""The words of every mistake."""

import numpy as np
import pytest

from chainrule import Network, check_gradient
from chainrule.diagnosis.mistakes import MISTAKES, words


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "identity", "exp", "absolute"])
def test_each_mistake_has_words_for_each_network(output):
    for name in MISTAKES:
        for text in words(name, Network((2, 3, 2), hidden="tanh", output=output)):
            assert text
            assert not {"{", "}"} & set(text)


def test_a_bias_column_that_stands_last_is_named():
    network = Network((2, 3, 2))
    rng = np.random.default_rng(0)
    X, Y, theta = rng.normal(size=(5, 2)), np.arange(5) % 2, rng.normal(size=network.size)

    def cost(theta):
        from chainrule import cost_and_gradient

        J, D = cost_and_gradient(network, theta, X, Y, lam=0)
        parts = [D[:9].reshape(3, 3, order="F"), D[9:].reshape(2, 4, order="F")]
        return J, np.concatenate([np.roll(part, -1, axis=1).ravel("F") for part in parts])

    report = check_gradient(cost, theta, network=network, X=X, Y=Y, lam=0)
    assert report.diagnosis[0].name == "bias-misplaced"
    assert "s_(l+1) x (s_l + 1)" in str(report)

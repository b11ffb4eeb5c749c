"""Cross-validation finds what is known."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from chainrule import Network
from chainrule.evaluation import selection
from chainrule.evaluation.selection import Choice, cross_validate, search


def test_too_much_regularisation_loses():
    X, y = load_digits(return_X_y=True)
    choices = list(
        cross_validate(
            [Network((64, 8, 10))],
            [0.1, 1e4],
            X[:300] / 16,
            y[:300],
            classes=range(10),
            max_iter=40,
        )
    )
    assert [choice.lam for choice in choices] == [0.1, 1e4]
    assert choices[0].score > 0.8 > 0.5 > choices[1].score


def test_a_class_rarer_than_the_folds_is_no_obstacle():
    rng = np.random.default_rng(0)
    X, y = rng.random((30, 2)), np.array([0] * 29 + [1])
    (choice,) = cross_validate([Network((2, 2, 1))], [1.0], X, y, classes="ab", max_iter=5)
    assert choice.score > 0.9


def test_too_few_examples_are_refused():
    with pytest.raises(ValueError, match="needs 6 examples or more"):
        next(cross_validate([Network((1, 1))], [0.0], np.zeros((5, 1)), np.zeros(5)))


def test_a_search_goes_on_until_the_best_has_worse_neighbours(monkeypatch):
    networks = [Network((1, s, 1)) for s in (1, 2, 4, 8, 16)]
    lams = [0.01, 0.1, 1.0, 10.0]

    def scored(networks, lams, X, Y, **options):
        (network,), (lam,) = networks, lams
        yield Choice(network, lam, -abs(network.layers[1] - 16) - abs(np.log10(lam) + 1))

    monkeypatch.setattr(selection, "cross_validate", scored)
    first = (slice(1, 3), slice(2, 4))
    tried = [(c.network.layers[1], c.lam) for c in search(networks, lams, None, None, first=first)]
    assert tried[:4] == [(2, 1.0), (2, 10.0), (4, 1.0), (4, 10.0)]
    assert len(tried) == len(set(tried)) < 20
    assert {(16, 0.1), (16, 0.01), (16, 1.0), (8, 0.1)} <= set(tried)  # the best and those beside

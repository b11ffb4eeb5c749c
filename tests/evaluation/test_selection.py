"""Cross-validation finds what is known."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from chainrule import Network
from chainrule.evaluation.selection import cross_validate


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

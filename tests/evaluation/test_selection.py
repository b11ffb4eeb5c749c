"""Cross-validation finds what is known; evaluation counts what scikit-learn counts."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score

from chainrule import Network
from chainrule.evaluation.scores import Evaluation
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


def test_one_unit_is_split_at_a_half_and_k_units_at_the_largest():
    truth = np.array([0, 1, 1])
    one = Evaluation(np.array([[0.5], [0.51], [0.2]]), truth, classes="ab")
    two = Evaluation(np.array([[0.6, 0.5], [0.1, 0.2], [0.3, 0.2]]), truth, classes="ab")
    for evaluation in (one, two):
        np.testing.assert_array_equal(evaluation.answer, [0, 1, 0])
        assert evaluation.accuracy == accuracy_score(truth, evaluation.answer)
        np.testing.assert_array_equal(evaluation.mistakes, [2])


def test_regression_of_one_example_has_no_r2():
    assert Evaluation(np.array([[1.0]]), np.array([3.0])).as_dict() == {
        "examples": 1, "rmse": 2.0, "r2": None,
    }  # fmt: skip

"""Evaluation counts what scikit-learn counts."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from chainrule.evaluation.scores import Evaluation


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


def test_mistakes_begin_where_the_network_was_surest():
    truth = np.zeros(4, int)
    one = Evaluation(np.array([[0.6], [0.99], [0.2], [0.8]]), truth, classes="ab")
    np.testing.assert_array_equal(one.mistakes, [1, 3, 0])
    two = Evaluation(np.array([[0.4, 0.6], [0.01, 0.99], [0.8, 0.2], [0.2, 0.8]]), truth, "ab")
    np.testing.assert_array_equal(two.mistakes, [1, 3, 0])


def test_a_class_that_never_comes_has_a_row_and_a_column_of_zeros():
    evaluation = Evaluation(np.eye(3)[[0, 2, 2]], np.array([0, 0, 2]), classes="abc")
    assert evaluation.confusion.tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 1]]
    assert evaluation.as_dict()["classes"] == ["a", "b", "c"]
    assert evaluation.score == evaluation.accuracy


def test_a_regression_of_several_targets_is_scored_as_scikit_learn_scores_it():
    rng = np.random.default_rng(0)
    h, truth = rng.normal(size=(2, 20, 3))
    evaluation = Evaluation(h, truth)
    assert evaluation.score == evaluation.r2 == r2_score(truth, h)
    # root_mean_squared_error is the mean of the columns' roots
    assert evaluation.rmse == pytest.approx(np.sqrt(((h - truth) ** 2).mean(axis=0)).mean())


@pytest.mark.parametrize("shape", [(30,), (30, 1), (30, 3)])
def test_scores_are_scikit_learns(shape):
    from sklearn.metrics import confusion_matrix, root_mean_squared_error

    rng = np.random.default_rng(1)
    h, truth = rng.normal(size=(2, *shape))
    h[:5], truth[:5] = h[:5] * 1e6, 3.0
    for answers, true in ((h, truth), (h[:5], truth[:5]), (truth[:5], truth[:5])):
        evaluation = Evaluation(answers.reshape(len(answers), -1), true)
        assert evaluation.r2 == pytest.approx(r2_score(true, answers), rel=1e-12)
        rmse = root_mean_squared_error(true, answers)
        assert evaluation.rmse == pytest.approx(rmse, rel=1e-12)
    codes, h = rng.integers(0, 4, 50), rng.random((50, 4))
    evaluation = Evaluation(h, codes, classes="abcd")
    matrix = confusion_matrix(codes, evaluation.answer, labels=range(4))
    np.testing.assert_array_equal(evaluation.confusion, matrix)

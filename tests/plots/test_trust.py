"""Displays of how far answers can be trusted."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from chainrule import MLPClassifier, TableClassifier, TableRegressor
from chainrule.evaluation.importance import Importances
from chainrule.plots import CalibrationDisplay, ImportancesDisplay, ResidualsDisplay

RNG = np.random.default_rng(0)


def test_two_classes_are_scikit_learns_reliability_curve():
    p = RNG.random(500)
    y = np.where(RNG.random(500) < p**2, "yes", "no")
    display = CalibrationDisplay.from_predictions(y, np.c_[1 - p, p], ["no", "yes"]).plot()
    true, said = calibration_curve(y == "yes", p, n_bins=10)
    np.testing.assert_allclose(display.ax_.lines[1].get_xydata(), np.c_[said, true])
    assert display.ax_.get_ylabel() == "how often it is yes"


def test_of_more_classes_it_is_the_answer():
    p = RNG.dirichlet([1, 1, 1], 400)
    y = np.array([RNG.choice(3, p=row) for row in p])
    display = CalibrationDisplay.from_predictions(y, p)
    assert display.error < 0.1  # y was drawn by p
    assert CalibrationDisplay.from_predictions(y, np.eye(3)[y] * 0.97 + 0.01).error == (
        pytest.approx(0.02)
    )
    assert display.plot().ax_.get_ylabel() == "how often it is right"


def test_columns_that_are_not_the_classes_are_refused():
    with pytest.raises(ValueError, match="give a column for each of 3 classes"):
        CalibrationDisplay.from_predictions([0, 1], np.ones((2, 2)) / 2, ["a", "b", "c"])


def test_any_classifier_has_one():
    X = RNG.normal(size=(80, 2))
    y = X[:, 0] > 0
    net = MLPClassifier(4, max_iter=30, solver="lbfgs").fit(X, y)
    display = CalibrationDisplay.from_estimator(net, X, y).plot()
    assert display.what == "True"
    assert 0 <= display.error <= 1


def test_residuals_show_a_spread_that_grows():
    h = RNG.uniform(0, 10, 1000)
    display = ResidualsDisplay.from_predictions(h + h * RNG.normal(size=1000), h).plot()
    boxes = [path.get_extents() for c in display.ax_.collections for path in c.get_paths()]
    assert len(boxes) == 10
    assert boxes[-1].height > 5 * boxes[0].height
    assert (
        len(ResidualsDisplay.from_predictions([1.0, 2.0], [1.5, 2.0]).plot().ax_.collections) == 0
    )
    with pytest.raises(ValueError, match="3 true numbers and 2 predicted ones"):
        ResidualsDisplay.from_predictions([1, 2, 3], [1, 2])


def test_estimators_on_tables_have_all_three():
    X, y = RNG.normal(size=(120, 2)), RNG.normal(size=120)
    numbers = TableRegressor(cv=2, hidden=2, max_iter=9).fit(X, y)
    np.testing.assert_array_equal(
        ResidualsDisplay.from_estimator(numbers, X, y).h, numbers.predict(X)
    )
    classes = TableClassifier(cv=2, hidden=2, max_iter=9).fit(X, y > 0)
    said = CalibrationDisplay.from_estimator(classes, X, y > 0).said
    np.testing.assert_array_equal(said, classes.predict_proba(X)[:, 1])
    ax = ImportancesDisplay.from_estimator(numbers, X, y).plot().ax_
    assert {label.get_text() for label in ax.get_yticklabels()} == {"x0", "x1"}


def test_many_columns_are_cut():
    found = Importances(
        tuple(f"$c_{j}$" for j in range(30)), -np.sort(-RNG.random((30, 2)), 0), 1.0
    )
    ax = ImportancesDisplay(found).plot().ax_
    assert len(ax.get_yticklabels()) == 12
    assert ax.get_title() == "Importances, the first 12 of 30 columns"
    ax.figure.canvas.draw()

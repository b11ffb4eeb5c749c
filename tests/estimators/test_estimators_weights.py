"""Sample weights and class weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from irises import FITTED, LABELS, X, iris
from sklearn.base import clone
from sklearn.utils.class_weight import compute_sample_weight

from chainrule import MLPClassifier
from chainrule.estimators.weights import row_weights

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@settings(max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(["lbfgs", "sgd", "adam"]))
def test_a_weight_of_two_is_the_row_twice_and_of_zero_is_no_row(seed, solver):
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 3, 30)
    times[:3] = 1
    X30, y30 = X[::5], iris[::5]
    net = MLPClassifier(
        4, solver=solver, activation="tanh", max_iter=8, alpha=0.1, random_state=0, batch_size=60,
        shuffle=False,
    )  # fmt: skip
    weighted = clone(net).fit(X30, y30, sample_weight=times)
    repeated = clone(net).fit(np.repeat(X30, times, axis=0), np.repeat(y30, times))
    np.testing.assert_allclose(weighted.theta_, repeated.theta_, atol=1e-9)


def test_class_weight_is_a_sample_weight_for_each_class():
    net = MLPClassifier(4, solver="lbfgs", max_iter=10, random_state=0)
    weights = {0: 1.0, 1: 3.0, 2: 0.5}
    by_class = clone(net).set_params(class_weight=weights).fit(X, iris)
    by_row = clone(net).fit(X, iris, sample_weight=[weights[c] for c in iris])
    np.testing.assert_array_equal(by_class.theta_, by_row.theta_)
    with pytest.raises(ValueError, match="class_weight must be numbers >= 0"):
        clone(net).set_params(class_weight={0: 1, 1: -1, 2: 1}).fit(X, iris)
    few = np.r_[0:50, 50:55]
    y = iris[few]
    even = clone(net).set_params(class_weight="balanced", max_iter=100).fit(X[few], y)
    assert even.score(X[few], y) == 1.0


@pytest.mark.parametrize("kind", ["two classes", "three classes", "several columns"])
def test_balanced_classes_count_rows_by_their_weights(kind):
    y = FITTED[kind][1] if kind == "several columns" else LABELS[kind]
    rng = np.random.default_rng(0)
    times = rng.integers(0, 4, 150)
    net = MLPClassifier(
        4, solver="lbfgs", activation="tanh", max_iter=8, class_weight="balanced", random_state=0
    )
    weighted = clone(net).fit(X, y, sample_weight=times)
    repeated = clone(net).fit(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0))
    np.testing.assert_allclose(weighted.theta_, repeated.theta_, atol=1e-8)
    ones = clone(net).fit(X, y, sample_weight=np.full(150, 7.0))
    plain = clone(net).fit(X, y)
    np.testing.assert_allclose(ones.predict(X), plain.predict(X))


def test_balanced_weights_without_sample_weights_are_scikit_learns():
    for y in (*LABELS.values(), FITTED["several columns"][1]):
        np.testing.assert_allclose(
            row_weights(X, y, None, "balanced"), compute_sample_weight("balanced", y)
        )

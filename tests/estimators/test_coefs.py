"""coefs_ and intercepts_ are views of theta, which may be given in several forms."""

import numpy as np
import pytest
import sklearn.neural_network as reference
from irises import X, iris

import chainrule
from chainrule import MLPClassifier, reshape

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_what_is_assigned_to_coefs_is_what_predicts():
    net = MLPClassifier(5, max_iter=3, random_state=0).fit(X, iris)
    before = net.predict_proba(X)
    net.coefs_[0][0, 0] += 1.0  # in place: a view of theta_
    assert net.theta_[5] == net.coefs_[0][0, 0]
    moved = net.predict_proba(X)
    assert np.abs(moved - before).max() > 1e-3
    net.coefs_[1] = np.zeros((5, 3))  # another array
    net.intercepts_ = [net.intercepts_[0], np.array([0.0, 0.0, 1.0])]
    assert set(net.predict(X)) == {2}
    net.coefs_[1] = np.zeros((5, 2))
    with pytest.raises(ValueError, match=r"coefs\[1\] must have shape \(5, 3\), got \(5, 2\)"):
        net.predict(X)


def test_initial_weights_in_every_form_give_the_same_network():
    net = MLPClassifier((3, 2), max_iter=1, random_state=0).fit(X, iris)
    theta = net.theta_.copy()
    forms = [theta, reshape(net.network_, theta), (net.coefs_, net.intercepts_)]
    results = [
        MLPClassifier((3, 2), max_iter=2, random_state=1, theta=form).fit(X, iris).theta_
        for form in forms
    ]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    with pytest.raises(ValueError, match=r"shapes \(\(2, 2\),\), needed are"):
        MLPClassifier((3, 2), theta=[np.eye(2)]).fit(X, iris)


def test_random_weights_are_scikit_learns():
    for activation in ("logistic", "tanh"):
        for layers in ((), (3,), (3, 2)):
            nets = [
                package.MLPClassifier(layers, activation=activation, max_iter=1, random_state=5,
                                      learning_rate_init=1e-300)
                for package in (chainrule, reference)
            ]  # fmt: skip
            ours, theirs = (net.fit(X, iris) for net in nets)
            for mine, other in zip(
                ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
            ):
                np.testing.assert_array_equal(mine, other)

"""Bayesian regularisation fits y alike in every unit."""

import numpy as np
import pytest
from sklearn.base import clone

from chainrule import MLPClassifier, MLPRegressor, predict

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = np.linspace(-3, 3, 60)[:, None]
Y = np.sin(X[:, 0]) + 0.1 * RNG.normal(size=60)
NET = MLPRegressor(
    hidden_layer_sizes=3, activation="tanh", solver="br", max_iter=300, tol=1e-8, random_state=0
)


@pytest.mark.parametrize("offset", [0.0, -1e3])
@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e3, 1e6])
def test_another_unit_of_y_is_another_unit_of_the_answers(unit, offset):
    plain, other = clone(NET).fit(X, Y), clone(NET).fit(X, unit * (Y + offset))
    h, std = other.predict(X, return_std=True)
    expected, expected_std = plain.predict(X, return_std=True)
    np.testing.assert_allclose(h / unit - offset, expected, atol=1e-5)
    np.testing.assert_allclose(std / unit, expected_std, rtol=1e-4)
    assert other.alpha_ == pytest.approx(plain.alpha_, rel=1e-3)
    assert other.loss_ == pytest.approx(unit**2 * plain.loss_, rel=1e-3)
    assert other.score(X, unit * (Y + offset)) > 0.98


def test_a_factor_of_two_changes_no_bit():
    plain, other = clone(NET).fit(X, Y), clone(NET).fit(X, 1024 * Y)
    assert (other.alpha_, other.n_iter_) == (plain.alpha_, plain.n_iter_)
    np.testing.assert_array_equal(other.coefs_[0], plain.coefs_[0])
    np.testing.assert_array_equal(other.coefs_[1], 1024 * plain.coefs_[1])
    assert other.loss_curve_ == [2**20 * loss for loss in plain.loss_curve_]


def test_several_outputs_and_weights_have_one_unit():
    both, w = np.c_[Y, 3 * Y + 7], RNG.uniform(0.5, 2, 60)
    plain, other = (clone(NET).fit(X, unit * both, sample_weight=w) for unit in (1, 4096))
    np.testing.assert_allclose(other.predict(X), 4096 * plain.predict(X))
    repeated = clone(NET).fit(np.repeat(X, 2, axis=0), np.repeat(both, 2, axis=0))
    weighted = clone(NET).fit(X, both, sample_weight=np.full(60, 2.0))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-3)


def test_theta_is_that_of_y_as_it_is_at_any_time():
    seen = []

    def callback(step):
        seen.append(np.mean((predict(net.network_, step.theta, X)[:, 0] - 1e4 * Y) ** 2) / 2)
        assert 0 < seen[-1] <= step.J

    net = clone(NET).set_params(callback=callback, max_iter=20, early_stopping=True)
    net.fit(X, 1e4 * Y, X_val=X, y_val=1e4 * Y)
    np.testing.assert_allclose(net.validation_loss_curve_, seen)
    assert net.best_validation_score_ > 0.9
    assert net.stop_report_.gradient_norm >= 0


def test_a_warm_fit_begins_where_the_last_one_ended():
    net = clone(NET).set_params(warm_start=True).fit(X, 1e4 * Y)
    before, theta = net.loss_, net.theta_.copy()
    net.set_params(max_iter=1).fit(X, 1e4 * Y)
    assert net.loss_ < 2 * before
    given = clone(NET).set_params(theta=theta, max_iter=1).fit(X, 1e4 * Y)
    assert given.loss_ < 2 * before


def test_what_has_no_unit_has_none():
    constant = clone(NET).fit(X, np.full(60, 5.0))
    np.testing.assert_allclose(constant.predict(X), 5.0, atol=1e-3)
    classes = MLPClassifier(5, activation="tanh", solver="br", random_state=0).fit(X, Y > 0)
    assert classes.score(X, Y > 0) > 0.95


def test_an_output_without_weight_spoils_no_unit():
    both = np.c_[1e4 * Y, np.full(60, 7.0)]
    net = clone(NET).set_params(output_weights=[1, 0]).fit(X, both)
    assert np.corrcoef(net.predict(X)[:, 0], Y)[0, 1] > 0.98
    assert net.stop_report_.badly_scaled_targets == (0,)

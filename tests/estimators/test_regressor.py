"""Losses for numbers, and error bars."""

import copy
from datetime import date, datetime

import numpy as np
import pytest
from irises import X
from scipy.sparse import csr_array
from sklearn.base import clone

from chainrule import ErrorBars, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_quantiles_cover_and_never_cross(solver):
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, (400, 1))
    y = x[:, 0] + (0.2 + x[:, 0] ** 2 / 4) * rng.normal(size=400)
    net = MLPRegressor(
        loss="quantile", quantile=[0.1, 0.5, 0.9], hidden_layer_sizes=20, activation="tanh",
        solver=solver, random_state=0, max_iter=400, learning_rate_init=0.01,
    )  # fmt: skip
    h = net.fit(x, y).predict(x)
    assert (np.diff(h, axis=1) >= 0).all()
    below = (y[:, None] < h).mean(axis=0)
    np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.06)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_robust_losses_ignore_outliers(loss):
    y = 2 * X[:, 0] + 1
    spoilt = y.copy()
    spoilt[::10] += 100.0
    net = MLPRegressor(
        loss=loss, hidden_layer_sizes=(), solver="lbfgs", max_iter=2000, alpha=0.0, random_state=0
    )
    assert np.median(np.abs(net.fit(X, spoilt).predict(X) - y)) < 0.25
    squared = clone(net).set_params(loss="squared_error").fit(X, spoilt)
    assert np.median(np.abs(squared.predict(X) - y)) > 2


RNG = np.random.default_rng(0)
WAVE = np.linspace(-3, 3, 60)[:, None]
Y = np.sin(WAVE[:, 0]) + 0.1 * RNG.normal(size=60)
HOW = {"hidden_layer_sizes": 5, "activation": "tanh", "max_iter": 2000, "random_state": 0}


def test_bayesian_regularisation_finds_alpha_and_gives_error_bars_as_the_core_does():
    net = MLPRegressor(solver="br", **HOW).fit(WAVE, Y)
    bars = ErrorBars.at(net.network_, net.theta_, WAVE, Y, lam=net.alpha_)
    h, std = net.predict(WAVE, return_std=True)
    np.testing.assert_array_equal(h, net.predict(WAVE))
    np.testing.assert_allclose(std, bars.predict(WAVE)[2][:, 0], rtol=1e-12)
    assert 0.07 < std.mean() < 0.13


def test_of_several_outputs_each_has_its_error_bars():
    both = np.column_stack([Y, 2 * Y])
    h, std = (
        MLPRegressor(solver="lm", alpha=0.1, **HOW).fit(WAVE, both).predict(WAVE, return_std=True)
    )
    assert h.shape == std.shape == (60, 2)
    assert (std > 0).all()


def test_what_has_no_residuals_or_no_error_bars_is_refused():
    with pytest.raises(ValueError, match="no residuals"):
        MLPRegressor("absolute_error", solver="lm").fit(WAVE, Y)
    counts = MLPRegressor("poisson", solver="lm", **HOW | {"tol": 0}).fit(WAVE, np.abs(Y))
    with pytest.raises(ValueError, match="error bars are for squared error"):
        counts.predict(WAVE, return_std=True)
    with pytest.raises(ValueError, match="needs a dense X"):
        MLPRegressor(solver="br").fit(csr_array(WAVE), Y)
    with pytest.raises(ValueError, match="return_std=True needs"):
        MLPRegressor(solver="lbfgs", **HOW).fit(WAVE, Y).predict(WAVE, return_std=True)
    small = MLPRegressor(solver="lm", **HOW | {"alpha": 0, "max_iter": 2})
    with (
        pytest.warns(UserWarning, match="stopped at max_iter"),
        pytest.raises(ValueError, match="take a smaller network"),
    ):
        small.fit(WAVE[::20], Y[::20]).predict(WAVE, return_std=True)


@pytest.mark.filterwarnings("ignore:Training interrupted by user")
def test_bayesian_regularisation_that_is_interrupted_has_the_alpha_it_got_to():
    def stop(step):
        if step.iteration == 3:
            raise KeyboardInterrupt

    net = MLPRegressor(solver="br", callback=stop, **HOW).fit(WAVE, Y)
    h, std = net.predict(WAVE, return_std=True)
    assert net.alpha_ > 0
    assert np.isfinite(h).all()
    assert (std > 0).all()


@pytest.mark.parametrize(
    "y",
    [
        np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]"),
        np.arange(60).astype("timedelta64[h]"),
        [datetime(2024, 1, 1)] * 60,
        [date(2024, 1, 1)] * 60,
    ],
)
def test_dates_are_no_numbers(y):
    with pytest.raises(ValueError, match=r"y holds dates or times.*give, for example, days since"):
        MLPRegressor(hidden_layer_sizes=3).fit(WAVE, y)


def test_error_bars_of_a_sparse_x_are_those_of_the_dense_one():
    net = MLPRegressor(solver="br", **HOW).fit(WAVE, Y)
    for one, other in zip(
        net.predict(csr_array(WAVE), return_std=True), net.predict(WAVE, return_std=True),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("move", ["in place", "another array"])
def test_error_bars_are_of_the_weights_of_the_fit_alone(move):
    net = MLPRegressor(solver="lm", alpha=0.1, **HOW).fit(WAVE, Y)
    net = copy.deepcopy(net)  # which still has them
    net.predict(WAVE, return_std=True)
    if move == "in place":
        net.coefs_[0][0, 0] += 1
    else:
        net.intercepts_ = [b + 1 for b in net.intercepts_]
    with pytest.raises(ValueError, match=r"changed after the fit.*fit again"):
        net.predict(WAVE, return_std=True)


def test_the_error_bars_of_a_mean_of_networks_have_what_they_differ_by():
    how = HOW | {"max_iter": 15}
    net = MLPRegressor(solver="lm", alpha=0.01, n_restarts=3, average=True, **how).fit(WAVE, Y)
    far = 4 * WAVE
    h, std = net.predict(far, return_std=True)
    thetas = [net.theta_, *(other.theta for other in net._committee)]
    each = [ErrorBars.at(net.network_, theta, WAVE, Y, 0.01).predict(far) for theta in thetas]
    means, stds = (np.array([of_one[i][:, 0] for of_one in each]) for i in (0, 2))
    np.testing.assert_allclose(h, means.mean(axis=0))
    np.testing.assert_allclose(std**2, (stds**2).mean(axis=0) + means.var(axis=0))

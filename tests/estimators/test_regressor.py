"""Losses for numbers, and error bars."""

import copy
from datetime import date, datetime

import numpy as np
import pytest
from irises import X
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics import r2_score

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
    bars = ErrorBars.at(net.network_, net.theta_, WAVE, Y, lam=[Y.var() * net.alpha_, net.alpha_])
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


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "br"])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
def test_with_scale_y_the_unit_of_y_does_not_matter(solver, unit):
    how = HOW | {"solver": solver, "scale_y": True, "max_iter": 15 if solver == "lbfgs" else 100}
    net, plain = (MLPRegressor(**how).fit(WAVE, y) for y in (unit * Y + 7 * unit, Y))
    np.testing.assert_allclose(net.predict(WAVE), unit * plain.predict(WAVE) + 7 * unit, rtol=1e-6)
    assert net.loss_ == pytest.approx(plain.loss_, rel=1e-6)
    assert net.score(WAVE, unit * Y + 7 * unit) == pytest.approx(plain.score(WAVE, Y), abs=1e-6)
    np.testing.assert_allclose(
        net.input_gradient(WAVE), unit * plain.input_gradient(WAVE), rtol=1e-4, atol=1e-7 * unit
    )
    if solver == "br":
        stds = [one.predict(WAVE, return_std=True)[1] for one in (net, plain)]
        np.testing.assert_allclose(stds[0], unit * stds[1], rtol=1e-4)
        assert 0.07 < stds[1].mean() < 0.13


def test_scaled_y_is_what_a_scaled_target_gives_by_hand():
    y = np.column_stack([1000 * Y, Y - 5])
    scaled = (y - y.mean(axis=0)) / y.std(axis=0)
    how = HOW | {"max_iter": 20}
    net = MLPRegressor(scale_y=True, **how).fit(WAVE, y)
    by_hand = MLPRegressor(**how).fit(WAVE, scaled)
    np.testing.assert_allclose(net.theta_, by_hand.theta_, rtol=1e-9)
    expected = by_hand.predict(WAVE) * y.std(axis=0) + y.mean(axis=0)
    np.testing.assert_allclose(net.predict(WAVE), expected, rtol=1e-9)
    weights = np.repeat([1.0, 3.0], 30)
    twice = np.repeat(np.arange(60), weights.astype(int))
    one = MLPRegressor(scale_y=True, **how | {"solver": "lbfgs"})
    repeated = clone(one).fit(WAVE[twice], y[twice])
    np.testing.assert_allclose(
        one.fit(WAVE, y, weights).predict(WAVE), repeated.predict(WAVE), rtol=1e-5
    )


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_scale_y_goes_with_validation_rows_warm_starts_and_partial_fit(loss):
    y = 1e4 * Y + 1e5
    how = HOW | {"scale_y": True, "loss": loss, "max_iter": 30, "learning_rate_init": 0.01}
    early = MLPRegressor(early_stopping=True, **how).fit(WAVE, y)
    assert early.best_validation_score_ <= 1
    own = MLPRegressor(**how).fit(WAVE[::2], y[::2], X_val=WAVE[1::2], y_val=y[1::2])
    assert own.validation_loss_curve_[-1] < 1
    net = MLPRegressor(warm_start=True, **how).fit(WAVE, y)
    before = net.predict(WAVE)
    net.set_params(max_iter=1, learning_rate_init=1e-12).fit(WAVE[:30], y[:30])
    np.testing.assert_allclose(net.predict(WAVE), before, rtol=1e-6)  # in the first fit's scale
    parts = MLPRegressor(**how)
    for _ in range(100):
        parts.partial_fit(WAVE, y)
    assert parts.score(WAVE, y) > 0.5
    again = clone(net).set_params(warm_start=False, scale_y=False).fit(WAVE, Y)
    assert abs(again.predict(WAVE)).max() < 100


def test_scale_y_where_it_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="scale_y=True is for losses of numbers, and 'poisson'"):
        MLPRegressor("poisson", scale_y=True).fit(WAVE, np.abs(Y))


BOTH = np.column_stack([Y, 2 * Y + 1, -Y])
HOLES = np.where(np.random.default_rng(1).random(BOTH.shape) < 0.3, np.nan, BOTH)
HOLES[:2] = np.nan  # of two rows nothing is known


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "newton-cg", "lm", "br"])
@pytest.mark.parametrize("scale_y", [False, True])
def test_what_nobody_knows_of_several_numbers_counts_nothing(solver, scale_y):
    how = HOW | {"solver": solver, "max_iter": 60, "learning_rate_init": 0.02, "scale_y": scale_y}
    net = MLPRegressor(**how).fit(WAVE, HOLES)
    seen = MLPRegressor(**how).fit(WAVE[2:], HOLES[2:])
    np.testing.assert_allclose(net.predict(WAVE), seen.predict(WAVE), rtol=1e-6, atol=1e-8)
    of_each = [
        r2_score(HOLES[known, j], net.predict(WAVE)[known, j])
        for j, known in enumerate(~np.isnan(HOLES).T)
    ]
    assert net.score(WAVE, HOLES) == pytest.approx(np.mean(of_each))
    assert net.score(WAVE, BOTH) > (0.5 if solver in ("adam", "sgd") else 0.95)


def test_unknown_numbers_go_with_validation_weights_and_quantiles():
    how = HOW | {"max_iter": 5, "early_stopping": True}
    assert np.isfinite(MLPRegressor(**how).fit(WAVE, HOLES).best_validation_score_)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(HOLES).convert_dtypes()  # whose missing value is pandas.NA
    plain = HOW | {"max_iter": 5}
    one, other = (MLPRegressor(**plain).fit(WAVE, y).theta_ for y in (frame, HOLES))
    np.testing.assert_array_equal(one, other)
    net = MLPRegressor("quantile", quantile=[0.2, 0.8], **plain).fit(WAVE, HOLES, np.ones(60))
    assert net.predict(WAVE).shape == (60, 6)
    assert np.isfinite(net.score(WAVE, HOLES, np.ones(60)))
    counts = MLPRegressor("poisson", **plain).fit(WAVE, np.abs(HOLES))
    assert np.isfinite(counts.loss_)
    net.partial_fit(WAVE, HOLES)
    with pytest.raises(ValueError, match="Input y contains NaN"):  # such a row says nothing
        MLPRegressor(**plain).fit(WAVE, HOLES[:, 0])
    with pytest.raises(ValueError, match="the kernel knows no weights of single outputs"):
        MLPRegressor(engine="kernel", **plain).fit(WAVE, HOLES)


def test_weights_of_outputs_say_which_output_matters():
    how = HOW | {"hidden_layer_sizes": 1, "solver": "lbfgs", "max_iter": 300}
    y = np.tanh(2 * WAVE + np.array([-3.0, 3.0]))  # one hidden unit can be one of them

    def errors(weights):
        net = MLPRegressor(output_weights=weights, **how).fit(WAVE, y)
        return ((net.predict(WAVE) - y) ** 2).mean(axis=0)

    first, second = errors([1.0, 0.01]), errors([0.01, 1.0])
    assert first[0] < 0.01 * second[0]
    assert second[1] < 0.01 * first[1]
    for solver in ("adam", "lbfgs"):
        equal = HOW | {"solver": solver, "max_iter": 20}
        np.testing.assert_allclose(
            MLPRegressor(output_weights=[3, 3], **equal).fit(WAVE, y).theta_,
            MLPRegressor(**equal).fit(WAVE, y).theta_,
            rtol=1e-6,
        )
    how["alpha"] = 0  # weight 0 is a column that is unknown
    np.testing.assert_allclose(
        MLPRegressor(output_weights=[1, 0], **how).fit(WAVE, y).coefs_[0],
        MLPRegressor(**how).fit(WAVE, np.c_[y[:, 0], np.full(60, np.nan)]).coefs_[0],
        rtol=1e-6,
    )
    for wrong in ([1.0], [1.0, 2.0, 3.0], [-1.0, 2.0], [0.0, 0.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="output_weights must be"):
            MLPRegressor(output_weights=wrong).fit(WAVE, y)


@pytest.mark.parametrize("early", [False, True])
def test_validation_rows_may_have_weights(early):
    X_val, y_val = WAVE[1::2], Y[1::2]
    how = HOW | {"max_iter": 15, "early_stopping": early, "learning_rate_init": 0.05}

    def fitted(X_val, y_val, weights=None):
        net = MLPRegressor(**how)
        return net.fit(WAVE[::2], Y[::2], X_val=X_val, y_val=y_val, sample_weight_val=weights)

    weights = np.arange(30) % 3
    rows = np.repeat(np.arange(30), weights)
    weighted, repeated = fitted(X_val, y_val, weights), fitted(X_val[rows], y_val[rows])
    np.testing.assert_allclose(
        weighted.validation_loss_curve_, repeated.validation_loss_curve_, rtol=1e-10
    )
    alike = fitted(X_val, y_val)
    assert not np.allclose(weighted.validation_loss_curve_, alike.validation_loss_curve_)
    if early:
        np.testing.assert_allclose(weighted.validation_scores_, repeated.validation_scores_)
        np.testing.assert_array_equal(weighted.theta_, repeated.theta_)
    with pytest.raises(ValueError, match="sample_weight_val are the weights of X_val's rows"):
        MLPRegressor(**how).fit(WAVE, Y, sample_weight_val=np.ones(60))


@pytest.mark.parametrize("solver", ["lm", "br"])
def test_weights_are_counts_of_rows_or_precisions_up_to_a_factor(solver):
    sigma = np.where(WAVE[:, 0] > 0, 0.5, 0.05)
    y = np.sin(WAVE[:, 0]) + sigma * np.random.default_rng(1).normal(size=60)
    net = MLPRegressor(solver=solver, alpha=0.01, **HOW | {"hidden_layer_sizes": 3})
    precise = clone(net).set_params(weights_as="precisions")
    one, other = (clone(precise).fit(WAVE, y, sample_weight=c / sigma**2) for c in (1.0, 256.0))
    np.testing.assert_allclose(
        one.predict(WAVE, return_std=True), other.predict(WAVE, return_std=True)
    )
    plain = clone(net).fit(WAVE, y)
    alike = clone(precise).fit(WAVE, y, sample_weight=np.full(60, 0.25))
    np.testing.assert_array_equal(alike.theta_, plain.theta_)
    twice = clone(net).fit(WAVE, y, sample_weight=np.full(60, 2.0))
    rows = clone(net).fit(np.repeat(WAVE, 2, axis=0), np.repeat(y, 2))
    for mine, repeated in zip(
        twice.predict(WAVE, return_std=True), rows.predict(WAVE, return_std=True), strict=True
    ):
        np.testing.assert_allclose(mine, repeated, rtol=1e-3, atol=1e-4)


def test_of_precisions_the_noise_is_that_of_a_row_of_mean_weight():
    sigma = np.resize([0.05, 0.2], 600)
    x = np.linspace(-3, 3, 600)[:, None]
    y = 2 * x[:, 0] + sigma * np.random.default_rng(2).normal(size=600)
    net = MLPRegressor(
        hidden_layer_sizes=(), solver="lm", alpha=0, weights_as="precisions", random_state=0
    )
    _, std = net.fit(x, y, sample_weight=1 / sigma**2).predict(x, return_std=True)
    assert std.mean() == pytest.approx(np.mean(1 / sigma**2) ** -0.5, rel=0.1)
    with pytest.raises(ValueError, match="'weights_as' parameter of MLPRegressor"):
        net.set_params(weights_as="sigmas").fit(x, y)

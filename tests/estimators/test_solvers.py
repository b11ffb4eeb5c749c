"""The estimators' solvers beside scikit-learn's three: the core's optimizers, and error bars."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from chainrule import ErrorBars, MLPClassifier, MLPRegressor

RNG = np.random.default_rng(0)
X = np.linspace(-3, 3, 60)[:, None]
Y = np.sin(X[:, 0]) + 0.1 * RNG.normal(size=60)
HOW = {"hidden_layer_sizes": 5, "activation": "tanh", "max_iter": 2000, "random_state": 0}


@pytest.mark.filterwarnings("ignore:stopped at max")
@pytest.mark.parametrize("solver", ["cg", "scg", "newton-cg", "gd", "lm", "br"])
def test_a_regressor_fits_by_any_optimizer(solver):
    net = MLPRegressor(solver=solver, alpha=0.01, **HOW).fit(X, Y)
    assert net.score(X, Y) > (0.9 if solver == "gd" else 0.97)
    assert len(net.loss_curve_) == net.n_iter_
    if solver != "br":
        assert (np.diff(net.loss_curve_) <= 0).all()


@pytest.mark.filterwarnings("ignore:stopped at max")
@pytest.mark.parametrize("solver", ["cg", "scg", "newton-cg", "gd"])
@pytest.mark.parametrize("make", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_a_classifier_fits_by_any_optimizer_of_any_cost(solver, make):
    inputs = RNG.normal(size=(80, 2))
    y = (inputs[:, 0] * inputs[:, 1] > 0).astype(int)
    net = MLPClassifier(solver=solver, alpha=0.01, **HOW).fit(make(inputs), y)
    assert net.score(make(inputs), y) > 0.8


def test_bayesian_regularisation_finds_alpha_and_gives_error_bars_as_the_core_does():
    net = MLPRegressor(solver="br", **HOW).fit(X, Y)
    bars = ErrorBars.at(net.network_, net.theta_, X, Y, lam=net.alpha_)
    h, std = net.predict(X, return_std=True)
    np.testing.assert_array_equal(h, net.predict(X))
    np.testing.assert_allclose(std, bars.predict(X)[2][:, 0], rtol=1e-12)
    assert 0.07 < std.mean() < 0.13


def test_of_several_outputs_each_has_its_error_bars():
    both = np.column_stack([Y, 2 * Y])
    h, std = MLPRegressor(solver="lm", alpha=0.1, **HOW).fit(X, both).predict(X, return_std=True)
    assert h.shape == std.shape == (60, 2)
    assert (std > 0).all()


def test_what_has_no_residuals_or_no_error_bars_is_refused():
    with pytest.raises(ValueError, match="'solver' parameter of MLPClassifier"):
        MLPClassifier(solver="lm").fit(X, Y > 0)
    with pytest.raises(ValueError, match="no residuals"):
        MLPRegressor("poisson", solver="lm").fit(X, np.abs(Y))
    with pytest.raises(ValueError, match="needs a dense X"):
        MLPRegressor(solver="br").fit(csr_array(X), Y)
    with pytest.raises(ValueError, match="return_std=True needs"):
        MLPRegressor(solver="lbfgs", **HOW).fit(X, Y).predict(X, return_std=True)
    small = MLPRegressor(solver="lm", **HOW | {"alpha": 0, "max_iter": 2})
    with (
        pytest.warns(UserWarning, match="stopped at max_iter"),
        pytest.raises(ValueError, match="take a smaller network"),
    ):
        small.fit(X[::20], Y[::20]).predict(X, return_std=True)


@pytest.mark.filterwarnings("ignore:Training interrupted by user")
def test_bayesian_regularisation_that_is_interrupted_has_the_alpha_it_got_to():
    def stop(step):
        if step.iteration == 3:
            raise KeyboardInterrupt

    net = MLPRegressor(solver="br", callback=stop, **HOW).fit(X, Y)
    h, std = net.predict(X, return_std=True)
    assert net.alpha_ > 0
    assert np.isfinite(h).all()
    assert (std > 0).all()

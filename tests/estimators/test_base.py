"""What both estimators do alike in a fit: parameters, checks, reports."""

import copy

import numpy as np
import pytest
from irises import NAMES, X, iris
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

from chainrule import MLPClassifier, MLPRegressor, WrongGradientError
from chainrule.notes.activations import Activation
from chainrule.notes.costs import Cost

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": -1.0}, "The 'alpha' parameter of MLPClassifier must be a float in the range"),
        ({"activation": "rleu"}, "unknown activation 'rleu': did you mean 'relu'"),
        ({"activation": ["relu"]}, "hidden names 1 activations"),
        ({"hidden_layer_sizes": (5, 0)}, r"hidden_layer_sizes must be > 0, got \[5, 0\]"),
        ({"dropout": 0.5, "solver": "lbfgs"}, "dropout is for minibatches"),
        ({"dtype": "int8"}, "dtype must be float32 or float64, got 'int8'"),
        ({"engine": "abacus"}, "unknown engine 'abacus'"),
        ({"output": "softmx"}, "The 'output' parameter of MLPClassifier must be"),
    ],
)
def test_a_bad_parameter_is_named(parameters, message):
    net = MLPClassifier(**{"hidden_layer_sizes": (5, 4)} | parameters)
    with pytest.raises(ValueError, match=message):
        net.fit(X, iris)


def test_functions_of_ones_own_are_checked_before_the_first_step():
    swish = Activation("sine", np.sin, lambda a: np.sqrt(np.maximum(1 - a * a, 0)))  # wrong sign
    with pytest.raises(WrongGradientError):
        MLPRegressor(activation=swish, hidden_layer_sizes=5, random_state=0).fit(3 * X, X[:, 0])
    cube = Cost("cube", lambda z: z, lambda z, Y: (z - Y).__abs__().sum(-1) ** 3 / 3)
    with pytest.raises(WrongGradientError):
        MLPRegressor(loss=cube, hidden_layer_sizes=5, random_state=0).fit(X, X[:, 0])
    right = Cost(
        "cube", lambda z: z, lambda z, Y: (np.abs(z - Y) ** 3).sum(-1) / 3,
        lambda h, Y: (h - Y) * np.abs(h - Y),
    )  # fmt: skip
    bent = Activation("bent", lambda z: z**3, lambda a: 3 * np.cbrt(a) ** 2)
    net = MLPRegressor(
        loss=right, activation=bent, hidden_layer_sizes=5, solver="lbfgs", random_state=0
    )
    assert net.fit(X / 8, X[:, 0] / 8).score(X / 8, X[:, 0] / 8) > 0.8


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_stop_report_says_why_and_what_stands_out(solver):
    net = MLPClassifier(
        6, solver=solver, activation="tanh", max_iter=3, random_state=0, learning_rate_init=0.1
    )
    net.fit(100 * X, iris)
    report = net.stop_report_
    assert not report.converged
    assert report.badly_scaled == (0, 1, 2, 3)
    assert report.suggestion == "standardise the inputs"
    assert "3" in str(report).splitlines()[0]
    done = clone(net).set_params(solver="lbfgs", max_iter=500, alpha=1.0).fit(X, iris).stop_report_
    assert done.converged
    assert done.gradient_norm < 1e-3
    assert "nothing stands out" in done.suggestion


def test_dead_units_are_counted():
    net = MLPRegressor(hidden_layer_sizes=4, max_iter=1, random_state=0, learning_rate_init=1e-9)
    W = np.full((4, 4), 0.1)
    W[:, :2] = -1.0  # with positive inputs these two never switch on
    net.set_params(theta=([W, np.ones((4, 1))], [np.zeros(4), np.zeros(1)])).fit(X, X[:, 0])
    assert net.stop_report_.dead == (2,)
    assert "leaky_relu" in net.stop_report_.suggestion


@pytest.mark.parametrize("activation", ["silu", "gelu", "mish", "selu"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs", "newton-cg"])
def test_activations_whose_slope_needs_z_learn_the_irises(activation, solver):
    net = MLPClassifier(
        10, activation=activation, solver=solver, max_iter=200, learning_rate_init=0.02,
        random_state=0, check_gradient=True,
    )  # fmt: skip
    assert net.fit(X, iris).score(X, iris) > 0.95
    assert net.network_.activations[0].name == activation


def test_a_search_over_text_finds_the_layers():
    search = RandomizedSearchCV(
        MLPClassifier(max_iter=3, random_state=0), {"hidden_layer_sizes": ["3", "4,2"]}, n_iter=2,
        cv=2,
    )  # fmt: skip
    assert search.fit(X, iris).best_params_["hidden_layer_sizes"] in ("3", "4,2")


@pytest.mark.parametrize(
    "name", ["batch_size", "max_iter", "max_fun", "n_restarts", "transform_layer", "threads"]
)
def test_counts_that_are_no_whole_numbers_are_refused(name):
    with pytest.raises(ValueError, match=name):
        MLPClassifier(3, **{name: 2.5}).fit(X, iris)


@pytest.mark.parametrize("going_on", ["partial_fit", "warm_start"])
def test_all_networks_whose_mean_predicts_go_on(going_on):
    y = np.sin(X[:, 0])
    net = MLPRegressor(
        hidden_layer_sizes=4, n_restarts=3, average=True, random_state=0, max_iter=5,
        warm_start=going_on == "warm_start",
    )  # fmt: skip
    fit = net.partial_fit if going_on == "partial_fit" else net.fit
    first = [fit(X, y).theta_.copy(), *(other.theta.copy() for other in net._committee)]
    fit(X, y)
    second = [net.theta_, *(other.theta for other in net._committee)]
    assert len(first) == len(second) == 3
    moved = [min(np.abs(a - b).max() for b in first) for a in second]
    assert 0 < max(moved) < 0.05
    alone = [net._predicted(net.network_, theta, X) for theta in second]
    np.testing.assert_array_equal(net.predict(X), np.mean(alone, axis=0)[:, 0])
    assert len(copy.deepcopy(net)._committee) == 2


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "gd"])
def test_a_column_that_holds_no_numbers_is_named(solver):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=NAMES)
    frame["town"] = "Oslo"
    frame["day"] = pandas.Timestamp("2024-02-29")
    net = MLPClassifier(3, solver=solver, max_iter=3)
    where = "X must hold numbers: feature 'town' holds 'Oslo', feature 'day' holds '2024-02-29.*Enc"
    with pytest.raises(ValueError, match=where):
        net.fit(frame, iris)
    with pytest.raises(ValueError, match="feature 1 holds 'red'; make numbers"):
        net.fit([["1", "red"], ["2", "blue"]], [0, 1])
    net.fit(X, iris)
    with pytest.raises(ValueError, match="feature 3 holds 'wide'"):
        net.predict([[1, 2, 3, "wide"]])


def blas_at_work():
    """Return how many threads NumPy's BLAS has."""
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm"])
@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_one_thread_is_one_for_blas_too(solver, form):
    counts = []

    def g(z):
        counts.append(blas_at_work())
        return np.tanh(z)

    own = Activation("own", g, lambda a: 1 - a * a)
    rows = X if solver == "lm" else form(X)
    net = MLPRegressor(
        hidden_layer_sizes=3, activation=own, solver=solver, threads=1, max_iter=2, random_state=0
    )
    with threadpool_limits(2, user_api="blas"):
        net.fit(rows, X[:, 0])  # the gradient check and the stop report as well
        for call in (net.predict, net.transform, net.input_gradient):
            call(rows)
        net.score(rows, X[:, 0])
        if solver == "lm":
            net.predict(rows, return_std=True)
        else:
            net.fit(rows, X[:, 0], X_val=rows, y_val=X[:, 0])
        assert set(counts) == {1}
        assert blas_at_work() == 2


def test_the_types_of_fit_are_known_to_a_type_checker(tmp_path):
    script = tmp_path / "typed.py"
    script.write_text(
        "from chainrule import MLPClassifier, MLPRegressor\n"
        "reveal_type(MLPClassifier().fit([[0.0]], [0]))\n"
        "reveal_type(MLPRegressor().fit([[0.0]], [0.0]))\n"
        "reveal_type(MLPClassifier().partial_fit([[0.0]], [0]))\n"
        "MLPClassifier().fit([[0.0]], [0], X_value=1)\n"
    )
    api = pytest.importorskip("mypy.api", reason="make check installs it")
    said, _, _ = api.run([str(script), "--cache-dir", str(tmp_path / "cache")])
    for kind in ("classifier.MLPClassifier", "regressor.MLPRegressor"):
        assert f'Revealed type is "chainrule.estimators.{kind}"' in said, said
    assert 'Unexpected keyword argument "X_value" for "fit"' in said
    assert "Any" not in said


def test_the_stop_report_of_a_fit_looks_at_y_unless_the_fit_scales_it():
    how = {"hidden_layer_sizes": 3, "max_iter": 3, "random_state": 0}
    suggestion = {
        solver: MLPRegressor(solver=solver, scale_y=scale_y, **how)
        .fit((X - X.mean(0)) / X.std(0), 1e5 * X[:, 0])
        .stop_report_.suggestion
        for solver, scale_y in (("adam", False), ("lbfgs", False), ("br", False), ("sgd", True))
    }
    assert suggestion["adam"] == suggestion["lbfgs"] == "standardise y (scale_y=True)"
    assert "standardise" not in suggestion["br"] + suggestion["sgd"]


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "gd", "lm"])
def test_the_stop_report_names_only_what_the_solver_has(solver):
    W = np.full((4, 4), -1.0)  # with positive inputs no unit switches on
    net = MLPRegressor(hidden_layer_sizes=4, solver=solver, max_iter=1, learning_rate_init=1e-9)
    net.set_params(theta=([W, np.ones((4, 1))], [np.zeros(4), np.zeros(1)])).fit(X, X[:, 0])
    suggestion = net.stop_report_.suggestion
    assert "leaky_relu" in suggestion
    assert ("learning rate" in suggestion) == (solver == "adam")


def test_dates_alone_are_no_numbers_either():
    pandas = pytest.importorskip("pandas")
    days = np.arange("2024-01-01", "2024-05-30", dtype="datetime64[D]")
    for form, name in ((days[:, None], "0"), (pandas.DataFrame({"day": days}), "'day'")):
        with pytest.raises(
            ValueError, match=f"X must hold numbers: feature {name} holds '2024-01-01"
        ):
            MLPClassifier(3, max_iter=2).fit(form, iris)

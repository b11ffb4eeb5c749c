"""The estimators against scikit-learn's, and what only ours can do."""

import copy
import json
import pickle
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import sklearn.neural_network as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import d2_pinball_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import chainrule
from chainrule import MLPClassifier, MLPRegressor, WrongGradientError, check_gradient, reshape
from chainrule.engine import rows
from chainrule.estimators import fitting, to_onnx
from chainrule.notes.activations import Activation
from chainrule.notes.costs import Cost

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, iris = load_iris(return_X_y=True)
rng = np.random.default_rng(0)
LABELS = {
    "two classes": (iris > 0).astype(int),
    "three classes": iris,
    "words": np.array(["a", "b", "c"], dtype=object)[iris],
    "several labels": make_multilabel_classification(150, 4, random_state=0)[1],
}
NUMBERS = {"one": 2 * X[:, 0] + 1, "two": X[:, 2:] - 1, "counts": rng.poisson(2.0, 150)}
TARGETS = LABELS | NUMBERS
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
SOLVERS = {
    "adam": {"solver": "adam"},
    "adam, early stopping": {"solver": "adam", "early_stopping": True, "alpha": 1.0},
    "sgd": {"solver": "sgd", "alpha": 0.5},
    "sgd, in order": {"solver": "sgd", "shuffle": False, "batch_size": 37},
    "sgd, falling": {"solver": "sgd", "learning_rate": "invscaling", "nesterovs_momentum": False},
    "sgd, adaptive": {
        "solver": "sgd", "learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 1,
    },
}  # fmt: skip


def pair(kind, **parameters):
    """Return our estimator and scikit-learn's for a kind of target, with the same parameters."""
    parameters = {"hidden_layer_sizes": (7, 5), "random_state": 3} | parameters
    name = "MLPClassifier" if kind in LABELS else "MLPRegressor"
    if kind == "counts":
        parameters["loss"] = "poisson"
    return [getattr(package, name)(**parameters) for package in (chainrule, reference)]


# ---------------------------------------------------------------- the same as scikit-learn's


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_minibatches_give_scikit_learns_weights(solver, activation, kind):
    ours, theirs = pair(kind, activation=activation, max_iter=5, **SOLVERS[solver])
    for net in (ours, theirs):
        net.fit(X, TARGETS[kind])
    for mine, other in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-5)
    assert ours.validation_scores_ == theirs.validation_scores_ or np.allclose(
        ours.validation_scores_, theirs.validation_scores_
    )
    np.testing.assert_array_equal(np.round(ours.predict(X), 6), np.round(theirs.predict(X), 6)) if (
        kind != "words"
    ) else np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name)


def first_objective(monkeypatch, module, net, y):
    """Return the objective that a fit hands to its minimizer, and theta there."""
    seen = {}

    class Seen(Exception):
        pass

    def minimize(objective, theta, *others, **options):
        args = options.get("args", ())
        seen.update(objective=lambda t: objective(t, *args), theta=theta)
        raise Seen

    with monkeypatch.context() as patch:
        patch.setattr(module, "minimize", minimize)
        with pytest.raises(Seen):
            net.fit(X, y)
    return seen["objective"], np.array(seen["theta"])


def in_our_order(net, theta):
    """Return scikit-learn's packed vector (all weights, then all biases) as a theta."""
    layers = [4, 7, 5, net.n_outputs_]
    sizes = [a * b for a, b in pairwise(layers)]
    parts = np.split(theta, np.cumsum([*sizes, *layers[1:-1]]))
    weights, biases = parts[:3], parts[3:]
    return np.concatenate([np.r_[b, W] for W, b in zip(weights, biases, strict=True)])


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_lbfgs_starts_with_scikit_learns_gradient(monkeypatch, activation, kind):
    ours, theirs = pair(kind, activation=activation, solver="lbfgs", alpha=0.5)
    mine = first_objective(monkeypatch, fitting, ours, TARGETS[kind])
    other = first_objective(monkeypatch, scipy.optimize, theirs, TARGETS[kind])
    np.testing.assert_array_equal(mine[1], in_our_order(theirs, other[1]))
    (J, D), (J_other, D_other) = mine[0](mine[1]), other[0](other[1].copy())
    D_other = in_our_order(theirs, D_other)
    if kind == "two":
        return  # scikit-learn's is wrong, see below
    np.testing.assert_allclose(D, D_other, rtol=0, atol=1e-10)
    if kind != "counts":  # whose loss has a part that no theta changes
        np.testing.assert_allclose(J, J_other, rtol=1e-10)


def test_the_gradient_of_several_outputs_is_right_here_and_k_times_too_large_there(monkeypatch):
    ours, theirs = pair("two", activation="tanh", solver="lbfgs", alpha=0.0)
    objective, theta = first_objective(monkeypatch, fitting, ours, TARGETS["two"])
    assert check_gradient(objective, theta).ok
    objective, theta = first_objective(monkeypatch, scipy.optimize, theirs, TARGETS["two"])
    report = check_gradient(lambda t: objective(t.copy()), theta)
    assert not report.ok
    large = np.abs(report.numerical) > 1e-3
    np.testing.assert_allclose(report.D[large] / report.numerical[large], 2.0, rtol=1e-5)


@pytest.mark.parametrize("kind", TARGETS)
def test_lbfgs_ends_as_low_as_scikit_learns(kind):
    ours, theirs = pair(kind, solver="lbfgs", alpha=1.0, max_iter=2000, activation="tanh", tol=1e-6)
    if kind == "two":
        theirs.set_params(alpha=2.0)  # its gradient has the data twice
    for net in (ours, theirs):
        net.fit(X, TARGETS[kind])
    assert ours.loss_ == pytest.approx(ours.loss_curve_[-1])

    def loss(net):  # of squared errors; scikit-learn's loss_ has that other alpha
        squares = ((net.predict(X) - TARGETS[kind]) ** 2).mean()
        return squares / 2 + 1.0 / (2 * len(X)) * sum((W**2).sum() for W in net.coefs_)

    assert ours.loss_ <= 1.05 * (loss(theirs) if kind == "two" else theirs.loss_)
    if kind == "two":
        assert ours.loss_ == pytest.approx(loss(ours))


def test_lbfgs_ends_where_an_iteration_gains_as_little_as_scikit_learns_may():
    ours, theirs = pair("three classes", solver="lbfgs", alpha=1.0, tol=0.0, max_iter=5000)
    for net in (ours, theirs):
        net.fit(X, iris)
    assert "has lowered the loss by less than 2.2e-09" in ours.stop_report_.why
    assert ours.stop_report_.converged
    assert ours.n_iter_ < 5000
    gains = -np.diff(ours.loss_curve_)
    assert gains[-1] <= 1e7 * np.finfo(float).eps < gains[:-1].min()
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=0.05)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_goes_on_as_scikit_learns_does(solver):
    for kind in ("three classes", "two"):
        ours, theirs = pair(kind, solver=solver, batch_size=40)
        for first in (0, 50, 0):
            block = slice(first, first + 100)
            known = {"classes": [0, 1, 2]} if kind == "three classes" else {}
            for net in (ours, theirs):
                net.partial_fit(X[block], TARGETS[kind][block], **known)
        for mine, other in zip(ours.coefs_, theirs.coefs_, strict=True):
            np.testing.assert_allclose(mine, other, atol=1e-8)


def test_warm_start_goes_on_as_scikit_learns_does():
    ours, theirs = pair("one", solver="sgd", warm_start=True, max_iter=3)
    for net in (ours, theirs):
        net.fit(X, TARGETS["one"]).fit(X, TARGETS["one"])
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-8)
    assert len(ours.loss_curve_) == 6


def test_float32_is_kept():
    ours, theirs = pair("three classes", max_iter=5)
    for net in (ours, theirs):
        net.fit(X.astype(np.float32), iris)
    assert {W.dtype for W in ours.coefs_} == {np.dtype(np.float32)}
    assert ours.predict_proba(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-5)


# ---------------------------------------------------------------- theta and its views


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


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_predict_the_same_and_stand_alone(copied):
    net = MLPClassifier(5, max_iter=3, random_state=0).fit(X, iris)
    other = copied(net)
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))
    before = net.predict_proba(X)
    other.partial_fit(X, iris)
    np.testing.assert_array_equal(net.predict_proba(X), before)
    assert not hasattr(clone(net), "coefs_")
    with pytest.raises(NotFittedError):
        clone(net).predict(X)


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


def test_the_same_seed_gives_the_same_bits():
    fits = [MLPClassifier(20, max_iter=5, random_state=7).fit(X, iris) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].theta_, fits[1].theta_)
    fits = [
        MLPClassifier(20, max_iter=5, random_state=7, threads=n).fit(X, iris) for n in (1, 2, 3)
    ]
    np.testing.assert_array_equal(fits[0].theta_, fits[1].theta_)
    np.testing.assert_array_equal(fits[0].theta_, fits[2].theta_)


# ---------------------------------------------------------------- weights


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


# ---------------------------------------------------------------- sparse


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_sparse_x_is_never_dense_as_a_whole(monkeypatch, solver):
    monkeypatch.setattr(rows, "DENSE", 40)  # ten rows of four columns
    most = []
    whole = rows.dense

    def watched(block):
        if scipy.sparse.issparse(block):
            most.append(block.shape[0])
        return whole(block)

    monkeypatch.setattr(rows, "dense", watched)
    net = MLPClassifier(5, solver=solver, max_iter=10, batch_size=10, random_state=0)
    of_dense = clone(net).fit(X, iris)
    of_sparse = clone(net).fit(scipy.sparse.csc_array(X), iris)
    np.testing.assert_allclose(of_sparse.theta_, of_dense.theta_, atol=1e-9)
    S = scipy.sparse.csr_array(X)
    np.testing.assert_allclose(of_sparse.predict_proba(S), of_dense.predict_proba(X), atol=1e-9)
    np.testing.assert_allclose(of_sparse.transform(S), of_dense.transform(X), atol=1e-9)
    assert len(most) > 10
    assert max(most) <= 10


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
@pytest.mark.parametrize("make", [scipy.sparse.csr_array, scipy.sparse.csc_matrix])
def test_a_thin_sparse_x_gives_the_network_of_a_dense_one_and_never_becomes_dense(
    monkeypatch, solver, make
):
    rng = np.random.default_rng(0)
    words = rng.random((300, 400)) * (rng.random((300, 400)) < 0.02)
    topic = (words[:, :200].sum(axis=1) > words[:, 200:].sum(axis=1)).astype(int)
    weights = rng.uniform(0.5, 2, 300)
    drop = 0.0 if solver == "lbfgs" else (0.1, 0.2)
    net = MLPClassifier(5, solver=solver, max_iter=5, batch_size=30, dropout=drop, random_state=0)
    of_dense = clone(net).fit(words, topic, sample_weight=weights)

    def refuse(X):
        assert not scipy.sparse.issparse(X)
        return X

    monkeypatch.setattr(rows, "dense", refuse)
    monkeypatch.setattr(rows, "MANY", 64)
    S = make(words)
    of_sparse = clone(net).fit(S, topic, sample_weight=weights)
    for what in ("theta_", "loss_curve_"):
        np.testing.assert_allclose(getattr(of_sparse, what), getattr(of_dense, what), atol=1e-9)
    assert of_sparse.stop_report_.gradient_norm == pytest.approx(
        of_dense.stop_report_.gradient_norm
    )
    for method in ("predict_proba", "transform"):
        of_both = getattr(of_sparse, method)(S), getattr(of_dense, method)(words)
        np.testing.assert_allclose(*of_both, atol=1e-9)
    assert of_sparse.score(S, topic) == of_dense.score(words, topic)


def test_the_kernel_takes_sparse_x_where_it_is_asked_for():
    words = scipy.sparse.random_array((50, 100), density=0.02, rng=np.random.default_rng(0))
    y = np.arange(50) % 2
    net = MLPClassifier(5, solver="lbfgs", max_iter=5, random_state=0)
    by_kernel = clone(net).set_params(engine="kernel").fit(words, y)
    np.testing.assert_allclose(by_kernel.theta_, net.fit(words, y).theta_, atol=1e-9)
    with pytest.raises(ValueError, match="no sparse X"):
        chainrule.engine.summing.accumulate(
            net.network_, net.theta_, words.tocsr(), y[:, None], engine="kernel"
        )


# ---------------------------------------------------------------- more outputs, more losses


def test_k_logistic_units_are_the_notes_network():
    net = MLPClassifier(6, output="sigmoid", solver="lbfgs", random_state=0).fit(X, iris)
    assert net.out_activation_ == "logistic"
    assert net.network_.output == "sigmoid"
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1)
    assert net.score(X, iris) > 0.95


def test_several_columns_of_classes():
    y = np.c_[iris, (X[:, 0] > 5.8).astype(int) + 5]
    net = MLPClassifier(20, solver="lbfgs", alpha=0.01, random_state=0, max_iter=500).fit(X, y)
    assert [list(classes) for classes in net.classes_] == [[0, 1, 2], [5, 6]]
    p = net.predict_proba(X)
    assert [p_j.shape for p_j in p] == [(150, 3), (150, 2)]
    for p_j in p:
        np.testing.assert_allclose(p_j.sum(axis=1), 1)
    assert (net.predict(X) == y).mean() > 0.95


def test_partial_fit_of_several_columns_of_classes():
    y = np.c_[iris, (X[:, 0] > 5.8).astype(int) + 5]
    net = MLPClassifier(20, learning_rate_init=0.02, random_state=0)
    net.partial_fit(X[:50], y[:50], classes=[[2, 0, 1], [5, 6]])  # 50 rows of one species
    for _ in range(60):
        net.partial_fit(X, y, classes=[[0, 1, 2], [5, 6]])
    assert [list(classes) for classes in net.classes_] == [[0, 1, 2], [5, 6]]
    assert (net.predict(X) == y).mean() > 0.9
    for other in ([[0, 1, 2], [5, 7]], [[0, 1, 2]]):
        with pytest.raises(ValueError, match="not the same as on the last call"):
            net.partial_fit(X, y, classes=other)
    with pytest.raises(ValueError, match=r"unknown categories .*9.* in column 1"):
        net.partial_fit(X, np.where(y == 6, 9, y))


def test_the_input_gradient_of_each_of_two_classes():
    y = np.where(iris == 0, "no", "yes")
    net = MLPClassifier(5, activation="tanh", solver="lbfgs", random_state=0).fit(X, y)
    second = net.input_gradient(X, 1)
    e = 1e-6 * np.eye(4)

    def z(X):
        p = net.predict_proba(X)
        return np.log(p[:, 1] / p[:, 0])

    numerical = np.column_stack([(z(X + e_j) - z(X - e_j)) / 2e-6 for e_j in e])
    np.testing.assert_allclose(second, numerical, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(net.input_gradient(X, 0), -second)
    each = np.where(net.predict(X) == "yes", 1, -1)[:, None] * second
    np.testing.assert_array_equal(net.input_gradient(X), each)
    with pytest.raises(ValueError, match="0 or 1, the place of a class, got 2"):
        net.input_gradient(X, 2)


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


# ---------------------------------------------------------------- validation and stopping


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_early_stopping_by_any_scorer_with_every_solver(solver, scoring):
    y = np.array(["a", "b", "c"], dtype=object)[iris]
    net = MLPClassifier(
        30, solver=solver, early_stopping=True, scoring=scoring, n_iter_no_change=5, alpha=0.0,
        learning_rate_init=0.05, random_state=0, max_iter=300,
    )  # fmt: skip
    net.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert net.n_iter_ < 300
    n = len(net.validation_scores_)
    assert n == len(net.validation_loss_curve_) == len(net.loss_curve_) == net.n_iter_
    assert net.best_validation_score_ == max(net.validation_scores_)
    assert net.best_loss_ is None
    if scoring is None:
        assert net.score(X[1::2], y[1::2]) == net.best_validation_score_


def test_validation_loss_without_early_stopping():
    net = MLPRegressor(max_iter=4, random_state=0).fit(X, X[:, 2:], X_val=X, y_val=X[:, 2:])
    half = 0.5 * ((net.predict(X) - X[:, 2:]) ** 2).mean()
    assert net.validation_loss_curve_[-1] == pytest.approx(half)
    with pytest.raises(ValueError, match="X_val and y_val go together"):
        net.fit(X, X[:, 2:], X_val=X)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_plain_function_is_called_after_each_iteration_and_can_stop(solver):
    steps = []
    net = MLPClassifier(
        5, solver=solver, random_state=0, callback=lambda s: steps.append(s) or s.iteration == 3
    )
    net.fit(X, iris)
    assert [step.iteration for step in steps] == [1, 2, 3]
    assert [step.J for step in steps] == net.loss_curve_
    assert net.n_iter_ == 3


def test_scikit_learns_callbacks_are_called():
    class Count:
        def __init__(self):
            self.tasks, self.scores = [], []

        def setup(self, estimator, context):
            self.tasks.append("setup")

        def teardown(self, estimator, context):
            self.tasks.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
            self.tasks.append(context.task_name)
            if fitted_estimator is not None:
                self.scores.append(fitted_estimator.score(X, y))
            return len(self.scores) == 4

    count = Count()
    net = MLPClassifier(8, max_iter=20, random_state=0, learning_rate_init=0.05)
    net.set_callbacks(count).fit(X, iris)
    assert count.tasks == ["setup", *["iteration"] * 4, "teardown"]
    assert net.n_iter_ == 4
    assert count.scores[-1] == net.score(X, iris)
    monitor = ScoringMonitor(scoring="accuracy")
    net.set_callbacks(monitor).fit(X, iris)
    assert len(monitor.get_logs().data) == 20


def test_max_fun_ends_lbfgs_and_says_so():
    net = MLPClassifier(5, solver="lbfgs", max_fun=6, alpha=0.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="stopped at max_fun = 6 evaluations"):
        net.fit(X, iris)
    assert net.n_iter_ <= 6


@pytest.mark.parametrize("average", [False, True])
def test_restarts_keep_the_best_or_average(average):
    net = MLPRegressor(
        hidden_layer_sizes=3, solver="lbfgs", activation="tanh", max_iter=20, random_state=0
    )
    y = np.sin(3 * X[:, 0])
    single = clone(net).fit(X, y)
    several = clone(net).set_params(n_restarts=4, average=average).fit(X, y)
    assert several.loss_ <= single.loss_
    assert several.loss_ == several.loss_curve_[-1]
    alone = copy.deepcopy(several)
    alone._committee = []
    assert np.array_equal(alone.predict(X), several.predict(X)) is not average
    several.set_params(warm_start=True).fit(X, y)  # one network, from the best one's weights
    assert np.array_equal(several._hypothesis(X), several._predicted(*several._current(), X))


# ---------------------------------------------------------------- one row, and bad input


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_on_the_quick_way_too(bad):
    net = MLPClassifier(5, max_iter=3).fit(X, iris)
    row = X[:1].copy()
    row[0, 2] = bad
    for call in (net.predict, net.predict_proba, net.transform):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            call(row)
    large = np.full((1, 4), 1e200)  # whose square is not finite
    assert np.isfinite(net.predict_proba(large)).all()


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


def test_bad_data_is_named():
    net = MLPClassifier(5, max_iter=3)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net.fit(X, iris[:10])
    with pytest.raises(ValueError, match="must contain at least one non-zero number"):
        net.fit(X, iris, sample_weight=np.zeros(150))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        net.fit(X, iris, sample_weight=-np.ones(150))
    with pytest.raises(ValueError, match="y_val has the class 9"):
        net.fit(X, iris, X_val=X[:1], y_val=[9])
    with pytest.raises(ValueError, match="loss='poisson' needs y >= 0, got -1"):
        MLPRegressor(loss="poisson").fit(X, -np.ones(150))
    with pytest.raises(ValueError, match="with other layers"):
        net.fit(X, iris).set_params(hidden_layer_sizes=7, warm_start=True).fit(X, iris)


NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
FRAMES = {
    "pandas": lambda library, X: library.DataFrame(X, columns=NAMES),
    "polars": lambda library, X: library.DataFrame(X, schema=NAMES),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_data_frames_keep_their_names_and_refuse_nan_by_them(kind):
    library = pytest.importorskip(kind)
    frame = FRAMES[kind](library, X)
    net = MLPClassifier(5, max_iter=3, random_state=0).fit(frame, iris)
    assert list(net.feature_names_in_) == NAMES
    plain = clone(net).fit(X, iris)
    np.testing.assert_array_equal(net.predict_proba(frame), plain.predict_proba(X))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        net.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        net.predict(frame[NAMES[::-1]])
    holes = X.copy()
    holes[[7, 9], 2] = np.nan
    holes[8, 3] = np.inf
    frame = FRAMES[kind](library, holes)
    where = "features 'petal length', 'petal width' in 3 rows, the first is row 7; leave those"
    for call in (lambda: net.predict(frame), lambda: clone(net).fit(frame, iris),
                 lambda: net.fit(FRAMES[kind](library, X), iris, X_val=frame, y_val=iris),
                 lambda: MLPRegressor().fit(frame, X[:, 0])):  # fmt: skip
        with pytest.raises(ValueError, match=where):
            call()


@pytest.mark.parametrize("kind", FRAMES)
def test_set_output_names_the_hidden_units(kind):
    library = pytest.importorskip(kind)
    frame = FRAMES[kind](library, X)
    columns = ColumnTransformer(
        [("petals", StandardScaler(), NAMES[2:])], remainder="passthrough",
        verbose_feature_names_out=False,
    )  # fmt: skip
    net = MLPClassifier((5, 3), transform_layer=2, max_iter=3, random_state=0)
    piped = make_pipeline(columns, net).set_output(transform=kind).fit(frame, iris)
    assert list(net.feature_names_in_) == [*NAMES[2:], *NAMES[:2]]  # the steps see frames, too
    hidden = piped.transform(frame)
    assert isinstance(hidden, library.DataFrame)
    assert list(hidden.columns) == [f"mlpclassifier{j}" for j in range(5)]
    assert hidden.shape == (150, 5)


def test_a_sparse_nan_is_refused_by_its_place():
    holes = scipy.sparse.csr_array(X)
    holes[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN: feature 1 in 1 row, that is row 3"):
        MLPClassifier().fit(holes, iris)


def test_divergence_keeps_the_last_finite_theta_and_says_so():
    net = MLPRegressor(
        hidden_layer_sizes=5, activation="identity", solver="sgd", learning_rate_init=0.5,
        batch_size=150, random_state=0,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match="diverged: the loss is not finite in iteration"):
        net.fit(100 * X, X[:, 0])
    assert np.isfinite(net.theta_).all()


# ---------------------------------------------------------------- files, pictures, reports


FITTED = {
    "two classes": ({}, LABELS["two classes"]),
    "three classes": ({"activation": ("elu", "softplus")}, iris),
    "words": ({"output": "sigmoid"}, LABELS["words"]),
    "several labels": ({}, LABELS["several labels"]),
    "several columns": ({}, np.c_[iris, iris[::-1] + 5, iris > 0]),
    "columns of words": ({}, np.array([["a", "x"], ["b", "y"], ["c", "x"]], dtype=object)[iris]),
    "silu and gelu": ({"activation": ("silu", "gelu")}, iris),
    "mish and selu": ({"activation": ("mish", "selu")}, iris),
    "mean of three": ({"n_restarts": 3, "average": True}, iris),
    "one": ({"activation": "leaky_relu"}, NUMBERS["one"]),
    "two": ({"loss": "huber"}, NUMBERS["two"]),
    "counts": ({"loss": "poisson"}, NUMBERS["counts"]),
    "quantiles": ({"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}, NUMBERS["two"]),
}


def fitted(kind):
    """Return an estimator fitted to a kind of target."""
    parameters, y = FITTED[kind]
    regression = kind in NUMBERS or kind == "quantiles"
    Estimator = MLPRegressor if regression else MLPClassifier
    net = Estimator(hidden_layer_sizes=(6, 4), max_iter=5, random_state=0, **parameters)
    return net.fit(X, y)


@pytest.mark.parametrize("kind", [kind for kind in FITTED if kind != "mean of three"])
def test_a_saved_estimator_is_the_same_when_loaded(tmp_path, kind):
    net = fitted(kind)
    net.save(tmp_path / "net.safetensors")
    again = type(net).load(tmp_path / "net.safetensors")
    for call in ("predict", "predict_proba", "transform"):
        if hasattr(net, call):
            for mine, other in zip(getattr(again, call)(X), getattr(net, call)(X), strict=True):
                np.testing.assert_array_equal(mine, other)
    assert json.dumps(again.get_params()) == json.dumps(net.get_params())  # lists for tuples
    assert again.stop_report_ == net.stop_report_
    again.partial_fit(X, FITTED[kind][1])
    other = MLPClassifier if isinstance(net, MLPRegressor) else MLPRegressor
    with pytest.raises(ValueError, match=f"not saved by {other.__name__}"):
        other.load(tmp_path / "net.safetensors")


@pytest.mark.parametrize("dtype", [bool, float, int, str])
def test_classes_of_every_type_survive_the_file(tmp_path, dtype):
    y = (iris > 0).astype(dtype)
    net = MLPClassifier(5, max_iter=3).fit(X, y)
    net.save(tmp_path / "net.safetensors")
    again = MLPClassifier.load(tmp_path / "net.safetensors").predict(X)
    np.testing.assert_array_equal(again, net.predict(X))
    assert again.dtype == y.dtype


@pytest.mark.parametrize("kind", ["quantiles", "columns"])
def test_early_stopping_and_cross_validation_score_every_kind_of_target(kind):
    if kind == "quantiles":
        levels = [0.1, 0.5, 0.9]
        net, y = MLPRegressor("quantile", 5, quantile=levels), (X[:, 2] - 3.8) / 1.8
    else:
        net, y = MLPClassifier(5), np.column_stack([iris, iris > 0])
    net.set_params(max_iter=30, random_state=0, early_stopping=True, learning_rate_init=0.02)
    scores = cross_val_score(net, X, y, cv=KFold(3, shuffle=True, random_state=0))
    assert np.isfinite(scores).all()
    assert scores.max() <= 1
    net.fit(X, y)
    assert net.score(X, y) > 0
    if kind == "quantiles":
        h = net.predict(X)
        parts = [d2_pinball_score(y, h[:, i], alpha=a) for i, a in enumerate(levels)]
        assert net.score(X, y) == pytest.approx(np.mean(parts))
    else:
        assert net.score(X, y) == (net.predict(X) == y).all(axis=1).mean()


def test_feature_names_are_kept_in_the_file_and_functions_are_refused(tmp_path):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=list("abcd"))
    MLPClassifier(5, max_iter=3).fit(frame, iris).save(tmp_path / "net.safetensors")
    again = MLPClassifier.load(tmp_path / "net.safetensors")
    assert again.predict(frame).shape == (150,)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame.rename({"a": "z"}))
    own = Activation("mine", np.tanh, lambda a: 1 - a * a)
    with pytest.raises(ValueError, match="average=True predicts with 3"):
        fitted("mean of three").save(tmp_path / "mean")
    with pytest.raises(ValueError, match="functions of your own"):
        MLPClassifier(5, max_iter=3, activation=own).fit(X, iris).save(tmp_path / "own")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FITTED)
@pytest.mark.parametrize("scaled", [False, True])
def test_onnx_runtime_predicts_the_same(kind, scaled):
    onnxruntime = pytest.importorskip("onnxruntime", reason="make test-slow installs it")
    pytest.importorskip("onnx", reason="make test-slow installs it")
    net = fitted(kind)
    model = make_pipeline(StandardScaler(), net).fit(X, FITTED[kind][1]) if scaled else net
    session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString())
    got = session.run(None, {"X": X.astype(np.float32)})
    if isinstance(net, MLPRegressor):
        expected = [model.predict(X).reshape(150, -1)]
    else:
        np.testing.assert_array_equal(got.pop(0), model.predict(X))
        expected = model.predict_proba(X)
        expected = expected if isinstance(expected, list) else [expected]
    for mine, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_what_onnx_export_cannot_take_is_named():
    with pytest.raises(NotFittedError, match="MLPClassifier instance is not fitted"):
        to_onnx(MLPClassifier())
    with pytest.raises(TypeError, match="not LogisticRegression: skl2onnx"):
        to_onnx(make_pipeline(StandardScaler(), LogisticRegression()))
    parts = ColumnTransformer([("scaled", StandardScaler(), [0, 1])], remainder="passthrough")
    mixed = make_pipeline(parts, MLPClassifier(3, solver="lbfgs", max_iter=2)).fit(X, iris)
    with pytest.raises(ValueError, match=r"'columntransformer' is a ColumnTransformer.* skl2onnx"):
        to_onnx(mixed)


def test_the_sklearn_onnx_converter_works_on_ours():
    skl2onnx = pytest.importorskip("skl2onnx", reason="make test-slow installs it")
    onnxruntime = pytest.importorskip("onnxruntime", reason="make test-slow installs it")
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from skl2onnx.operator_converters.multilayer_perceptron import (
        convert_sklearn_mlp_classifier,
        convert_sklearn_mlp_regressor,
    )

    skl2onnx.update_registered_converter(
        MLPClassifier, "ChainruleMLPClassifier", calculate_linear_classifier_output_shapes,
        convert_sklearn_mlp_classifier,
        options={"zipmap": [False], "output_class_labels": [False], "nocl": [False]},
    )  # fmt: skip
    skl2onnx.update_registered_converter(
        MLPRegressor, "ChainruleMLPRegressor", calculate_linear_regressor_output_shapes,
        convert_sklearn_mlp_regressor,
    )  # fmt: skip
    for kind in ("three classes", "two classes", "one"):
        net = fitted(kind).set_params(activation="relu").fit(X, FITTED[kind][1])
        options = {"zipmap": False} if kind != "one" else None
        proto = skl2onnx.convert_sklearn(
            net, initial_types=[("X", FloatTensorType([None, 4]))], options=options
        )
        session = onnxruntime.InferenceSession(proto.SerializeToString())
        got = session.run(None, {"X": X.astype(np.float32)})[-1]
        expected = net.predict(X)[:, None] if kind == "one" else net.predict_proba(X)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


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


def test_a_notebook_shows_the_network_below_scikit_learns_representation():
    net = MLPClassifier((12, 5), activation=("tanh", "relu"), max_iter=3, random_state=0)
    assert "<svg" not in net._repr_html_()
    html = net.fit(X, iris)._repr_mimebundle_()["text/html"]
    assert "sk-top-container" in html
    picture = html[html.index("<svg") :]
    texts = [node.text for node in ElementTree.fromstring(picture).iter() if node.text]
    assert texts[0] == "4 - 12 - 5 - 3"
    assert texts[-5:] == ["4 inputs", "⋮", "12 tanh", "5 relu", "3 softmax"]
    assert picture.count("<line") == 4 * 8 + 8 * 5 + 5 * 3
    shallow = MLPClassifier((), max_iter=3).fit(X, iris)  # which has nothing to transform to
    assert shallow._repr_html_().count("<circle") == 7
    with pytest.raises(ValueError, match="this network has none"):
        shallow.transform(X)


# ---------------------------------------------------------------- invariances


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_order_of_rows_classes_and_hidden_units_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    net = MLPClassifier(
        5, solver="sgd", activation="tanh", batch_size=150, max_iter=5, random_state=seed,
        learning_rate_init=0.1,
    )  # fmt: skip
    plain = clone(net).fit(X, iris)
    rows = rng.permutation(150)
    shuffled = clone(net).fit(X[rows], iris[rows])
    np.testing.assert_allclose(shuffled.theta_, plain.theta_, atol=1e-10)

    start = clone(net).set_params(max_iter=1, learning_rate_init=1e-300).fit(X, iris)
    (W1, W2), (b1, b2) = start.coefs_, start.intercepts_
    units, classes = rng.permutation(5), rng.permutation(3)
    names = np.argsort(classes)  # class c is now called names[c]
    theta = ([W1[:, units], W2[units][:, classes]], [b1[units], b2[classes]])
    moved = clone(net).set_params(theta=theta).fit(X, names[iris])
    np.testing.assert_allclose(
        moved.predict_proba(X), plain.predict_proba(X)[:, classes], atol=1e-10
    )

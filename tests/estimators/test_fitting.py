"""The fits against scikit-learn's, and those of chainrule's other solvers."""

import copy
import signal
from itertools import pairwise
from operator import itemgetter

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from irises import ACTIVATIONS, TARGETS, X, iris, pair
from scipy.sparse import csr_array
from sklearn.base import clone

import chainrule
from chainrule import MLPClassifier, MLPRegressor, check_gradient
from chainrule.engine import rows
from chainrule.notes.regularisation import by_theta
from chainrule.optimize import lbfgs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

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


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_minibatches_give_scikit_learns_weights(monkeypatch, solver, activation, kind):
    # scikit-learn's split is stratified for two classes only
    monkeypatch.setattr(
        MLPClassifier, "_strata", lambda self, Y: Y if kind == "two classes" else None
    )
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


def first_objective(monkeypatch, module, name, net, y):
    """Return the objective that a fit hands to its minimizer, and theta there."""
    seen = {}

    class Seen(Exception):
        pass

    def minimize(objective, theta, *others, **options):
        args = options.get("args", ())
        seen.update(objective=lambda t: objective(t, *args), theta=theta)
        raise Seen

    with monkeypatch.context() as patch:
        patch.setattr(module, name, minimize)
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
    mine = first_objective(monkeypatch, lbfgs, "steps", ours, TARGETS[kind])
    other = first_objective(monkeypatch, scipy.optimize, "minimize", theirs, TARGETS[kind])
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
    objective, theta = first_objective(monkeypatch, lbfgs, "steps", ours, TARGETS["two"])
    assert check_gradient(objective, theta).ok
    objective, theta = first_objective(
        monkeypatch, scipy.optimize, "minimize", theirs, TARGETS["two"]
    )
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


def test_the_same_seed_gives_the_same_bits():
    fits = [MLPClassifier(20, max_iter=5, random_state=7).fit(X, iris) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].theta_, fits[1].theta_)
    fits = [
        MLPClassifier(20, max_iter=5, random_state=7, threads=n).fit(X, iris) for n in (1, 2, 3)
    ]
    np.testing.assert_array_equal(fits[0].theta_, fits[1].theta_)
    np.testing.assert_array_equal(fits[0].theta_, fits[2].theta_)


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


RNG = np.random.default_rng(0)
WAVE = np.linspace(-3, 3, 60)[:, None]
Y = np.sin(WAVE[:, 0]) + 0.1 * RNG.normal(size=60)
HOW = {"hidden_layer_sizes": 5, "activation": "tanh", "max_iter": 2000, "random_state": 0}


@pytest.mark.filterwarnings("ignore:stopped at max")
@pytest.mark.parametrize("solver", ["cg", "scg", "newton-cg", "gd", "lm", "br"])
def test_a_regressor_fits_by_any_optimizer(solver):
    net = MLPRegressor(solver=solver, alpha=0.01, **HOW).fit(WAVE, Y)
    assert net.score(WAVE, Y) > (0.9 if solver == "gd" else 0.97)
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
    several.set_params(warm_start=True).fit(X, y)  # all that predict go on
    assert len(several._committee) == (3 if average else 0)


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


# ---------------------------------------------------------------- Ctrl-C


def presses_ctrl_c(at):
    """Return a callback that presses Ctrl-C in the iteration that is told as number `at`."""
    told = []

    def callback(step):
        told.append((step.J, step.theta.copy()))
        if len(told) == at:
            signal.raise_signal(signal.SIGINT)

    return callback, told


def small(solver, **more):
    """Return an estimator that is quickly trained."""
    parameters = {"max_iter": 10, "hidden_layer_sizes": 3, "random_state": 0} | more
    return MLPRegressor(solver=solver, activation="tanh", **parameters)


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_ctrl_c_ends_all_restarts_and_keeps_the_best_of_them(solver, average):
    y = np.sin(3 * X[:, 0])
    callback, told = presses_ctrl_c(at=23)
    net = small(solver, n_restarts=5, average=average, tol=0.0, callback=callback)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        net.fit(X, y)
    assert len(told) == 23
    ends = [(10, *told[9]), (10, *told[19]), (3, *told[22])]  # the last is cut short
    n_iter, loss, theta = min(ends, key=itemgetter(1))
    assert (net.n_iter_, net.loss_, net.loss_curve_[-1]) == (n_iter, loss, loss)
    np.testing.assert_array_equal(net.theta_, theta)
    others = 2 if n_iter == 3 else 1  # what was cut short is no part of a mean
    assert len(net._committee) == (others if average else 0)
    assert np.isfinite(net.predict(X)).all()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_ctrl_c_in_the_first_training_keeps_where_it_stands(solver):
    callback, told = presses_ctrl_c(at=4)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        net = small(solver, n_restarts=3, callback=callback).fit(X, iris)
    assert net.loss_curve_ == [loss for loss, _ in told]
    assert net.n_iter_ == 4
    assert net.stop_report_.why == "stopped: interrupted by Ctrl-C"
    whole = small(solver, max_iter=4).fit(X, iris)
    np.testing.assert_array_equal(net.theta_, whole.theta_)


def test_ctrl_c_before_the_first_iteration_leaves_an_estimator_that_predicts(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(rows.Rows, "epoch", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        net = small("adam", n_restarts=3).fit(X, iris)
    assert net.n_iter_ == 0
    assert np.isnan(net.loss_)
    net.save(tmp_path / "net.safetensors")
    again = MLPRegressor.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    again.save(tmp_path / "again.safetensors")


def by_hand(solver, net, X, y, steps):
    """Take steps over all the rows by a minibatch rule, written out."""
    network, theta = net.network_, net.theta_.copy()
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    weights = by_theta(network, 1.0)
    for t in range(1, steps + 1):
        lam = 0.0 if solver == "adamw" else net.alpha
        _, D = chainrule.cost_and_gradient(network, theta, X, y, lam=lam)
        if solver == "adamw":
            theta = theta - net.learning_rate_init * net.alpha * weights * theta
        keep = 0.0 if solver == "rmsprop" else 0.9
        m, v = keep * m + (1 - keep) * D, 0.999 * v + 0.001 * D**2
        m_hat, v_hat = m / (1 - keep**t), v / (1 - 0.999**t)
        theta = theta - net.learning_rate_init * m_hat / (np.sqrt(v_hat) + 1e-12)
    return theta


@pytest.mark.parametrize("solver", ["adam", "adamw", "rmsprop"])
def test_the_rules_of_minibatches_are_their_formulas(solver):
    y = iris.copy()
    how = {
        "solver": solver, "hidden_layer_sizes": 5, "activation": "tanh", "alpha": 0.5,
        "batch_size": 150, "random_state": 0, "epsilon": 1e-12,
    }  # fmt: skip
    net = MLPClassifier(max_iter=6, **how).fit(X, y)
    start = MLPClassifier(max_iter=1, learning_rate_init=1e-300, **how).fit(X, y)
    start.set_params(learning_rate_init=0.001)
    np.testing.assert_allclose(net.theta_, by_hand(solver, start, X, y, 6), rtol=0, atol=1e-8)


@pytest.mark.parametrize("solver", ["adamw", "rmsprop"])
@pytest.mark.parametrize("kind", ["three classes", "two"])
def test_adamw_and_rmsprop_learn_stop_and_go_on(solver, kind):
    Estimator = MLPClassifier if kind == "three classes" else MLPRegressor
    how = {"solver": solver, "hidden_layer_sizes": 10, "learning_rate_init": 0.01}
    net = Estimator(random_state=0, max_iter=300, **how).fit(X, TARGETS[kind])
    assert net.score(X, TARGETS[kind]) > 0.9
    net.partial_fit(X, TARGETS[kind])
    early = Estimator(early_stopping=True, dropout=0.1, max_iter=5, **how).fit(X, TARGETS[kind])
    assert len(early.validation_scores_) == 5
    losses = [
        Estimator(random_state=0, max_iter=1, **how | {"alpha": alpha}).fit(X, TARGETS[kind]).loss_
        for alpha in (0.0, 1.0)
    ]
    assert (losses[0] == losses[1]) == (solver == "adamw")  # whose alpha is no part of the loss


@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop"])
def test_l1_leaves_weights_of_0_and_its_loss_is_what_it_says(solver):
    noise = np.random.default_rng(0).normal(size=(150, 12))
    wide = np.c_[X, noise]
    how = {
        "hidden_layer_sizes": 8, "solver": solver, "learning_rate_init": 0.02, "max_iter": 150,
        "batch_size": 50, "random_state": 0, "alpha": 2.0, "tol": 0, "activation": "tanh",
    }  # fmt: skip
    lasso = MLPClassifier(l1_ratio=1.0, **how).fit(wide, iris)
    ridge = MLPClassifier(**how).fit(wide, iris)
    of_noise = [(net.coefs_[0][4:] == 0).mean() for net in (lasso, ridge)]
    assert of_noise[0] > 0.3, of_noise
    assert of_noise[1] == 0
    assert lasso.score(wide, iris) > 0.9
    for ratio in (0.0, 0.3, 1.0):  # one step that goes nowhere: the loss is that at the start
        net = MLPClassifier(l1_ratio=ratio, **how | {"max_iter": 1, "learning_rate_init": 1e-300})
        net.fit(wide, iris)
        p = net.predict_proba(wide)[np.arange(150), iris]
        W = np.concatenate([w.ravel() for w in net.coefs_])
        penalty = 2.0 * (ratio * np.abs(W).sum() + (1 - ratio) / 2 * (W**2).sum())
        batches = penalty / 50  # each batch has its penalty over its own rows
        assert net.loss_ == pytest.approx(-np.log(p).mean() + batches, rel=1e-9)


@pytest.mark.parametrize("solver", ["lbfgs", "cg", "newton-cg", "gd"])
def test_l1_over_all_the_rows_brings_weights_near_0(solver):
    noise = np.random.default_rng(0).normal(size=(150, 6))
    how = {"hidden_layer_sizes": 5, "solver": solver, "max_iter": 150, "random_state": 0}
    how |= {"activation": "tanh", "alpha": 4.0}
    small, usual = (
        np.abs(MLPClassifier(l1_ratio=r, **how).fit(np.c_[X, noise], iris).coefs_[0][4:])
        for r in (1.0, 0.0)
    )
    assert np.median(small) < 0.3 * np.median(usual)


@pytest.mark.parametrize("solver", ["adamw", "lm", "br"])
def test_l1_where_it_has_no_part_is_refused(solver):
    with pytest.raises(ValueError, match=f"l1_ratio has no part in solver='{solver}'"):
        MLPClassifier(4, solver=solver, l1_ratio=0.5).fit(X, iris)


def test_functions_of_ones_own_are_checked_with_l1_too():
    net = MLPClassifier(4, l1_ratio=0.5, check_gradient=True, max_iter=3, random_state=0)
    net.fit(X, iris)
    net.set_params(warm_start=True, solver="lbfgs").fit(X, iris)
    assert np.isfinite(net.loss_)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "words", "several labels"])
@pytest.mark.parametrize("solver", ["lm", "br"])
@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_least_squares_solvers_learn_classes(kind, solver, output):
    how = {"hidden_layer_sizes": 4, "activation": "tanh", "random_state": 0, "output": output}
    net = MLPClassifier(solver=solver, max_iter=50, alpha=0.1, **how).fit(X, TARGETS[kind])
    slow = MLPClassifier(solver="gd", max_iter=50, alpha=0.1, **how).fit(X, TARGETS[kind])
    if kind != "several labels":  # which have nothing to do with X
        assert net.score(X, TARGETS[kind]) > 0.95
    if solver == "br":
        assert net.alpha_ > 0
    else:
        assert net.loss_ < slow.loss_


def test_least_squares_solvers_refuse_what_has_no_second_derivative():
    with pytest.raises(ValueError, match="output='softmax:3,2' has no residuals"):
        MLPClassifier(4, solver="lm").fit(X, np.c_[iris, iris > 0])


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm", "br"])
def test_ctrl_c_between_two_trainings_keeps_the_best_of_those_done(monkeypatch, solver):
    drawn, start = [], MLPRegressor._start

    def presses(net, *given):
        drawn.append(net)
        if len(drawn) == 3:
            signal.raise_signal(signal.SIGINT)
        return start(net, *given)

    monkeypatch.setattr(MLPRegressor, "_start", presses)
    net = small(solver, n_restarts=5)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        net.fit(X, X[:, 0])
    both = small(solver, n_restarts=2).fit(X, X[:, 0])
    np.testing.assert_array_equal(net.theta_, both.theta_)


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "gd", "br"])
def test_ctrl_c_in_a_scorer_ends_all_restarts(solver):
    scores = []

    def scoring(net, X, y):
        scores.append(net.score(X, y))
        if len(scores) == 8:
            signal.raise_signal(signal.SIGINT)
        return scores[-1]

    net = small(solver, n_restarts=4, max_iter=5, early_stopping=True, scoring=scoring)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        net.fit(X, X[:, 0])
    assert len(scores) == 8
    assert net.best_validation_score_ == max(scores[:7])  # the last one was never told


@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("kind", ["three classes", "one"])
def test_partial_fit_stops_early_by_validation_rows(solver, kind):
    y, some, rest = TARGETS[kind], slice(None, None, 3), np.arange(150) % 3 > 0
    Estimator = MLPClassifier if kind == "three classes" else MLPRegressor
    net = Estimator(
        hidden_layer_sizes=20, solver=solver, early_stopping=True, n_iter_no_change=4,
        learning_rate_init=0.02, random_state=0, tol=1e-3,
    )  # fmt: skip
    known = {"classes": [0, 1, 2]} if kind == "three classes" else {}
    held_out = {"X_val": X[some], "y_val": y[some]}
    scores = []
    for _ in range(300):
        net.partial_fit(X[rest], y[rest], **known, **held_out)
        scores.append(net.score(X[some], y[some]))
        if net.stopped_early_:
            break
    assert 5 < len(net.validation_scores_) == len(scores) < 300
    # until it stopped the weights were the last ones, then the best
    np.testing.assert_allclose(net.validation_scores_[:-1], scores[:-1])
    assert net.score(X[some], y[some]) == max(net.validation_scores_)
    assert net.best_validation_score_ == max(net.validation_scores_)
    for _ in range(3):  # calls that bring nothing change nothing
        net.partial_fit(X[rest], y[rest], **known, **held_out)
        assert net.score(X[some], y[some]) >= max(scores)
    weighted = clone(net)
    weighted.partial_fit(X, y, **known, **held_out, sample_weight_val=np.arange(50))
    assert np.isfinite(weighted.validation_scores_[0])


def test_partial_fit_stops_early_only_with_validation_rows():
    with pytest.raises(ValueError, match=r"without validation rows.*give X_val and y_val"):
        MLPRegressor(early_stopping=True).partial_fit(X, X[:, 0])
    net = MLPRegressor(hidden_layer_sizes=4, random_state=0)
    net.partial_fit(X, X[:, 0], X_val=X, y_val=X[:, 0])  # without early stopping: the loss alone
    assert len(net.validation_loss_curve_) == 1

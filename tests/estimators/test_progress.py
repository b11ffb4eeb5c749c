"""What a fit writes down, and that the estimator has it at any time."""

import copy

import numpy as np
import pytest
from irises import X, iris
from sklearn.exceptions import ConvergenceWarning

from chainrule import MLPClassifier, MLPRegressor
from chainrule.estimators.progress import Memory, Progress

NOT_FINITE = pytest.warns(ConvergenceWarning, match="the loss is not finite")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_small_gain_is_no_improvement_but_may_be_the_best_loss():
    progress = Progress(np.zeros(1), by_score=False)
    for loss in (1.0, 0.95, 0.5, np.nan):
        progress.add(loss, None, tol=0.1)
    assert (progress.no_improvement, progress.best_loss) == (0, 0.5)
    progress.add(0.45, None, tol=0.1)
    assert (progress.no_improvement, progress.best_loss) == (1, 0.45)


def test_the_best_score_brings_its_theta_back():
    progress = Progress(np.zeros(1), by_score=True)
    for score in (0.5, 0.9, 0.7):
        progress.theta[:] = score
        progress.add(1.0, None, tol=0.0)
        progress.add_score(score, tol=0.0)
    progress.restore_best()
    assert progress.theta == 0.9
    assert progress.badness() == -0.9
    assert progress.no_improvement == 1
    assert progress.best_loss == np.inf


def test_the_best_restart_has_the_lowest_validation_loss_or_without_one_the_lowest_loss():
    progress = Progress(np.zeros(1), by_score=False)
    assert np.isnan(progress.badness())
    progress.add(3.0, None, tol=0.0)
    assert progress.badness() == 3.0
    progress.add(2.0, 5.0, tol=0.0)
    assert progress.badness() == 5.0


@pytest.mark.parametrize("by_score", [False, True])
def test_attributes_tell_all_that_going_on_needs(by_score):
    theta = np.zeros(2)
    progress = Progress(theta, by_score, t=7, memory=Memory(np.ones((1, 2)), 0.1, 3))
    progress.add(2.0, 1.0, tol=0.0)
    if by_score:
        progress.add_score(0.5, tol=0.0)
    attributes = progress.attributes()
    assert (attributes["best_loss_"] is None) is by_score
    assert (attributes["validation_scores_"] is None) is not by_score
    assert Progress.going_on(theta, by_score, attributes) == progress


def test_a_fit_may_go_on_by_another_measure():
    how = {"max_iter": 3, "random_state": 0, "warm_start": True}
    net = MLPClassifier(5, early_stopping=True, **how).fit(X, iris)
    net.set_params(early_stopping=False).fit(X, iris)
    assert net.best_loss_ == min(net.loss_curve_[3:])
    assert net.validation_scores_ is None
    net.set_params(early_stopping=True).fit(X, iris)
    assert len(net.validation_scores_) == 3
    assert net.best_loss_ is None


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_attributes_are_there_while_a_fit_goes_on(solver):
    seen = []

    def scoring(net, X, y):
        seen.append((net.n_iter_, net.loss_, len(net.loss_curve_), len(net.validation_scores_)))
        return net.score(X, y)

    def callback(step):
        assert step.J == net.loss_ == net.loss_curve_[-1]
        assert net.coefs_[0][0, 0] == step.theta[5]
        assert net.t_ == (135 * step.iteration if solver == "adam" else 0)
        assert len(net.validation_scores_) == net.n_iter_ == step.iteration

    net = MLPClassifier(
        5, solver=solver, early_stopping=True, scoring=scoring, callback=callback, max_iter=4,
        random_state=0,
    )  # fmt: skip
    net.fit(X, iris)
    assert seen == [(i + 1, loss, i + 1, i) for i, loss in enumerate(net.loss_curve_)]


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(
    "solver", ["adam", "sgd", "lbfgs", "cg", "scg", "newton-cg", "gd", "lm", "br"]
)
def test_early_stopping_may_be_turned_off_and_on_between_two_fits(tmp_path, solver, loaded):
    net = MLPRegressor(
        hidden_layer_sizes=3, solver=solver, max_iter=4, random_state=0, early_stopping=True,
        activation="tanh", warm_start=True,
    )  # fmt: skip
    net.fit(X, X[:, 0])
    if loaded:
        net.save(tmp_path / "net.safetensors")
        net = MLPRegressor.load(tmp_path / "net.safetensors")
    net.set_params(early_stopping=False).fit(X, X[:, 0])
    assert np.isfinite(net.best_loss_)
    if solver in ("adam", "sgd"):
        net.partial_fit(X, X[:, 0])
    net.set_params(early_stopping=True).fit(X, X[:, 0])
    assert net.best_loss_ is None
    assert net.best_validation_score_ == max(net.validation_scores_[-net.n_iter_ :])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_fit_counts_anew(solver, early_stopping):
    net = MLPRegressor(
        hidden_layer_sizes=3, solver=solver, max_iter=50, random_state=0, warm_start=True, tol=0.0,
        early_stopping=early_stopping, n_iter_no_change=1, activation="tanh",
    )  # fmt: skip
    easy, hard = X[:, 0], 100 * X[:, 0]  # whose scores and losses never reach those of the first
    first = net.fit(X, easy).n_iter_
    net.set_params(n_iter_no_change=5, max_iter=4).fit(X, hard)
    assert net.n_iter_ == 4
    assert len(net.loss_curve_) == first + 4
    if early_stopping:
        assert net.best_validation_score_ == max(net.validation_scores_[-4:])
    else:
        assert net.best_loss_ == min(net.loss_curve_[-4:])


@pytest.mark.parametrize(
    ("solver", "size"),
    [("adam", 1e200), ("sgd", 1e200), ("adam", 1e100)],  # of the last D^2 alone overflows
)
def test_one_bad_batch_leaves_no_trace_in_the_optimizer(solver, size):
    net = MLPRegressor(hidden_layer_sizes=3, solver=solver, random_state=0, activation="relu")
    net.partial_fit(X, X[:, 0])
    other = copy.deepcopy(net)
    with pytest.raises(ValueError, match="non-finite") if size > 1e100 else NOT_FINITE:
        net.partial_fit(size * X, X[:, 0])
    before = other.theta_.copy()
    np.testing.assert_array_equal(net.theta_, before)
    for either in (net, other):
        either.partial_fit(X, X[:, 0])
    np.testing.assert_array_equal(net.theta_, other.theta_)
    assert np.abs(net.theta_ - before).max() > 0

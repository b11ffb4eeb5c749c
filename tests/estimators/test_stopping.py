"""What is told after each iteration, and what ends a fit."""

import numpy as np
import pytest
from irises import X, iris, pair
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import cohen_kappa_score, d2_pinball_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import MLPClassifier, MLPRegressor
from chainrule.estimators.stopping import FullBatchStopping, MinibatchStopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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


@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw"])
def test_divergence_keeps_the_best_finite_theta_and_says_so(solver):
    rate = 0.5 if solver == "sgd" else 1e80
    net = MLPRegressor(
        hidden_layer_sizes=5, activation="identity", solver=solver, learning_rate_init=rate,
        batch_size=150, random_state=0,
    )  # fmt: skip
    words = "diverged: the loss is not finite in iteration .*; kept is the best finite theta"
    with pytest.warns(ConvergenceWarning, match=words):
        net.fit(100 * X, X[:, 0])
    best = int(np.nanargmin(net.loss_curve_))
    assert len(net.loss_curve_) > best + 1
    assert net.loss_ == net.best_loss_ == net.loss_curve_[best]
    once = MLPRegressor(**net.get_params() | {"max_iter": best + 1})
    with pytest.warns(ConvergenceWarning):
        once.fit(100 * X, X[:, 0])
    np.testing.assert_array_equal(net.theta_, once.theta_)


WEIGHTS = np.arange(1.0, 151.0)


class AsObject:
    def __call__(self, net, X, y):
        return net.score(X, y)


@pytest.mark.parametrize(
    "scoring",
    [lambda net, X, y: net.score(X, y), AsObject(), make_scorer(lambda y, h: (y == h).mean()),
     "balanced_accuracy", make_scorer(cohen_kappa_score)],
)  # fmt: skip
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_a_scorer_gets_weights_where_it_takes_them(scoring, weights):
    net = MLPClassifier(5, max_iter=3, early_stopping=True, scoring=scoring, random_state=0)
    net.fit(X, iris, sample_weight=weights)
    assert len(net.validation_scores_) == 3


def test_a_function_that_takes_weights_gets_them():
    seen = []

    def scoring(net, X, y, sample_weight=None):
        seen.append(sample_weight)
        return 1.0

    MLPClassifier(5, max_iter=1, early_stopping=True, scoring=scoring).fit(X, iris, WEIGHTS)
    assert set(seen[0]) < set(WEIGHTS)


def through_a_pipeline(net):
    return make_pipeline(StandardScaler(), net)


def through_a_search(net):
    return GridSearchCV(net, {"alpha": [1.0]}, cv=2)


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("wrapped", [lambda net: net, through_a_pipeline, through_a_search])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_warning_points_at_the_users_line(wrapped, solver):
    net = wrapped(MLPClassifier(3, solver=solver, max_iter=2, random_state=0))
    with pytest.warns(ConvergenceWarning, match="stopped at max_iter") as found:
        net.fit(X, iris)
    assert {warning.filename for warning in found} == {__file__}


def test_warnings_of_batches_and_columns_point_at_the_users_line():
    with pytest.warns(UserWarning, match="Got `batch_size`") as found:
        MLPRegressor(batch_size=1000, max_iter=1).fit(X, X[:, 0])
    with pytest.warns(DataConversionWarning, match="column-vector") as of_column:
        MLPRegressor(max_iter=1).fit(X, X[:, :1])
    assert {warning.filename for warning in (*found, *of_column)} == {__file__}


def test_a_divergence_names_only_what_the_solver_has():
    words = [rules.remedy for rules in (MinibatchStopping, FullBatchStopping)]
    assert ["learning_rate" in remedy for remedy in words] == [True, False]

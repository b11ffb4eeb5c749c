"""What a fit writes down, and that the estimator has it at any time."""

import numpy as np
import pytest
from irises import X, iris

from chainrule import MLPClassifier
from chainrule.estimators.progress import Memory, Progress

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

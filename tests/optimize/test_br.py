"""Bayesian regularisation against the evidence written out."""

from dataclasses import replace

import numpy as np
import pytest
from objectives import SINE, sine

from chainrule import Network, random_theta, train
from chainrule.engine.rows import Rows
from chainrule.optimize import br
from chainrule.training.objective import TrainingObjective


def test_bayesian_regularisation_finds_the_most_probable_lambda_of_a_linear_model():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(40, 6)) * [1, 1, 1, 3, 3, 3]
    y = X @ np.array([1.0, -1, 0.5, 0, 0, 0]) + 2 + 0.3 * rng.normal(size=40)
    result = train(Network((6, 1), output="identity"), X, y, optimizer="br", max_iter=300)
    A = np.c_[np.ones(40), X]

    def negative_log_evidence(lam):  # MacKay, with the noise's variance at its own best
        R = np.diag([0.0] + [lam] * 6)
        theta = np.linalg.solve(A.T @ A + R, A.T @ y)
        misfit = np.sum((y - A @ theta) ** 2) + theta @ R @ theta
        return (
            (40 - 1) / 2 * np.log(misfit)
            + np.linalg.slogdet(A.T @ A + R)[1] / 2
            - 6 / 2 * np.log(lam)
        )

    lams = np.exp(np.linspace(-4, 4, 20001))
    best = lams[np.argmin([negative_log_evidence(lam) for lam in lams])]
    assert result.state.lam == pytest.approx(best, rel=1e-3)
    assert 1 < result.state.gamma < 7
    assert result.history.extra["effective parameters"][-1] == result.state.gamma
    R = np.diag([0.0] + [result.state.lam] * 6)
    np.testing.assert_allclose(result.theta, np.linalg.solve(A.T @ A + R, A.T @ y), atol=1e-5)


def test_what_it_goes_on_from_belongs_to_the_lambda_that_it_found():
    X, y = sine()
    found = train(SINE, X, y, optimizer="br", max_iter=7).state
    objective = TrainingObjective(SINE, Rows(X, y), lam=found.lam)
    J, D, H = objective.normal_equations(found.theta)
    assert found.lam != br.FIRST_LAM
    assert pytest.approx(J, rel=1e-10) == found.J
    np.testing.assert_allclose(found.D, D, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.H, H, rtol=1e-8, atol=1e-10)


def test_bayesian_regularisation_takes_one_lambda():
    with pytest.raises(ValueError, match="finds one lambda"):
        train(SINE, *sine(), optimizer="br", lam=[0.1, 0.2])


def test_bayesian_regularisation_keeps_its_lambda_where_no_step_lowers_J(monkeypatch):
    X, y = sine()
    objective = TrainingObjective(SINE, Rows(X, y), lam=0.5)
    start = br.Evidence.at(objective, random_theta(SINE))
    wall = (np.inf, start.D, start.H)
    monkeypatch.setattr(objective, "normal_equations", lambda theta: wall)
    after = br.advance(objective, start)
    assert after.theta is start.theta
    assert after == replace(start, n_eval=after.n_eval)
    assert after.n_eval > start.n_eval


def test_for_classes_it_finds_mackays_lambda_of_a_logistic_regression():
    """Lambda is gamma over the sum of w^2, and gamma is taken from the curvature there."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(120, 8))
    y = (rng.random(120) < 1 / (1 + np.exp(-2 * X[:, 0] + X[:, 1]))).astype(float)
    result = train(Network((8, 1)), X, y, optimizer="br", max_iter=200)
    lam, theta = result.state.lam, result.theta
    A = np.c_[np.ones(120), X]
    h = 1 / (1 + np.exp(-A @ theta))
    R = np.diag([0.0] + [1.0] * 8)
    slope = A.T @ (h - y) + lam * R @ theta
    np.testing.assert_allclose(slope, 0, atol=1e-4)
    covariance = np.linalg.inv(A.T @ (A * (h * (1 - h))[:, None]) + lam * R)
    gamma = 8 - lam * np.trace(R @ covariance)
    assert lam == pytest.approx(gamma / np.sum(theta[1:] ** 2), rel=1e-4)
    assert 1 < gamma < 8
    assert result.state.variance == 1

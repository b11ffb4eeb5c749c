"""What theory promises of the optimizers over the whole training set; going on after a stop."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import scipy.io

from chainrule import Network, random_theta, train
from chainrule.engine.rows import Rows
from chainrule.optimize import OPTIMIZERS, br, cg, lm, minimize
from chainrule.optimize.adam import Adam
from chainrule.optimize.sgd import SGD
from chainrule.training.objective import TrainingObjective

OURS = [name for name, found in OPTIMIZERS.items() if not isinstance(found, SGD | Adam)]
FIRST_ORDER = [name for name in OURS if name not in ("lm", "br")]
SINE = Network((1, 5, 1), hidden="tanh", output="identity")


class Quadratic:
    """|A theta - b|^2 / 2 with everything an objective may offer."""

    def __init__(self, n, rows=None, seed=0):
        rng = np.random.default_rng(seed)
        self.A = rng.normal(size=(rows or 2 * n, n)) / np.sqrt(rows or 2 * n)
        self.b = rng.normal(size=len(self.A))
        self.start = rng.normal(size=n)
        self.minimum = np.linalg.lstsq(self.A, self.b, rcond=None)[0]

    def __call__(self, theta):
        r = self.A @ theta - self.b
        return float(r @ r) / 2, self.A.T @ r

    def hvp(self, theta, v):
        return self.A.T @ (self.A @ v)

    def residuals(self, theta):
        yield self.A @ theta - self.b, self.A

    def normal_equations(self, theta):
        return *self(theta), self.A.T @ self.A


@pytest.mark.parametrize("n", [1, 2, 5, 12, 18])
def test_conjugate_gradient_ends_on_a_quadratic_in_n_exact_line_searches(n):
    quadratic = Quadratic(n)
    result = minimize(quadratic, quadratic.start, partial(cg.steps, curvature=1e-9), max_iter=n)
    np.testing.assert_allclose(result.theta, quadratic.minimum, atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_scaled_conjugate_gradient_ends_on_a_quadratic_in_n_steps(n):
    quadratic = Quadratic(n)
    result = minimize(quadratic, quadratic.start, "scg", max_iter=n)
    np.testing.assert_allclose(result.theta, quadratic.minimum, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in OURS if name != "br"])
def test_each_reaches_the_analytic_minimum(name):
    quadratic = Quadratic(8)
    result = minimize(quadratic, quadratic.start, name, max_iter=2000)
    np.testing.assert_allclose(result.theta, quadratic.minimum, atol=1e-3 if name == "gd" else 1e-4)
    assert result.converged
    assert (np.diff(result.history.J) <= 0).all()


def sine(m=30):
    X = np.linspace(-3, 3, m)[:, None]
    return X, np.sin(X)


@pytest.mark.parametrize("name", OURS)
def test_going_on_after_a_stop_is_as_if_there_had_been_none(name):
    X, Y = sine()
    options = {"lam": 0.01, "optimizer": name, "check": False}
    whole = train(SINE, X, Y, max_iter=12, **options)
    first = train(SINE, X, Y, max_iter=100, callback=lambda step: step.iteration == 5, **options)
    rest = train(SINE, X, Y, max_iter=7, state=first.state, **options)
    np.testing.assert_array_equal(rest.theta, whole.theta)
    assert first.history.J + rest.history.J[1:] == whole.history.J
    assert first.history.J[-1] == rest.history.J[0]
    assert first.n_eval + rest.n_eval == whole.n_eval
    assert [*first.history.extra] == [*whole.history.extra]


@pytest.mark.parametrize("name", OURS)
def test_ctrl_c_leaves_a_state_to_go_on_from(name):
    X, Y = sine()
    options = {"lam": 0.01, "optimizer": name, "check": False}
    whole = train(SINE, X, Y, max_iter=12, **options)

    def interrupt(step):
        if step.iteration == 5:
            raise KeyboardInterrupt

    first = train(SINE, X, Y, max_iter=100, callback=interrupt, **options)
    assert "Ctrl-C" in first.stopped
    rest = train(SINE, X, Y, max_iter=7, state=first.state, **options)
    np.testing.assert_array_equal(rest.theta, whole.theta)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_a_region_without_a_finite_cost_is_a_wall(name):
    def walled(theta):  # infinite beyond |theta| = 2, smallest on the wall's near side
        if not np.all(np.abs(theta) < 2):
            return np.inf, np.full_like(theta, np.nan)
        J = float(np.sum(np.log(np.cosh(theta - 1.9))))
        return J, np.tanh(theta - 1.9)

    result = minimize(walled, np.array([-1.5, -1.0, 0.0]), name, max_iter=5000)
    np.testing.assert_allclose(result.theta, 1.9, atol=1e-3)


def test_levenberg_marquardt_steps_back_from_an_infinite_cost():
    class Walled(Quadratic):
        def __call__(self, theta):
            J, D = super().__call__(theta)
            return (J, D) if theta[0] > self.minimum[0] - 0.01 else (np.inf, D * np.nan)

    walled = Walled(4)
    start = walled.minimum + np.array([1.0, 3, -2, 1])
    result = minimize(walled, start, "lm")
    np.testing.assert_allclose(result.theta, walled.minimum, atol=1e-4)


def test_levenberg_marquardt_leaves_the_normal_equations_where_they_lose_the_digits():
    quadratic = Quadratic(6, rows=12)
    quadratic.A[:, 1] = quadratic.A[:, 0] + 1e-7 * quadratic.A[:, 1]
    quadratic.minimum = np.linalg.lstsq(quadratic.A, quadratic.b, rcond=None)[0]
    J = quadratic(quadratic.minimum)[0]
    start = lm.Damped.at(quadratic, quadratic.start)
    one = np.ones(6)
    assert lm.cholesky_step(start.H, start.D, one, 1e-24) is None
    p, gain = lm.qr_step(lm.triangular(quadratic, quadratic.start), start.D, 1e-24 * one)
    assert gain == pytest.approx(start.J - J, rel=1e-9)
    assert quadratic(quadratic.start + p)[0] == pytest.approx(J, rel=1e-9)
    after = lm.advance(quadratic, replace(start, damping=1e-24))
    assert pytest.approx(J, rel=1e-9) == after.J
    # one Jacobian more than with the normal equations
    assert after.n_eval == start.n_eval + 2


def test_levenberg_marquardt_needs_residuals():
    with pytest.raises(ValueError, match="needs an objective with normal_equations"):
        minimize(lambda theta: (float(theta @ theta), 2 * theta), np.ones(2), "lm")


def test_a_state_of_another_optimizer_is_refused():
    X, Y = sine()
    state = train(SINE, X, Y, optimizer="cg", max_iter=2).state
    with pytest.raises(ValueError, match="state is a Conjugate, of another optimizer"):
        train(SINE, X, Y, optimizer="lbfgs", state=state)
    with pytest.raises(ValueError, match="state is from another optimizer than 'adam'"):
        train(SINE, X, Y, optimizer="adam", state=state)
    with pytest.raises(ValueError, match="keeps its state to itself and cannot go on"):
        train(SINE, X, Y, optimizer="scipy:CG", state=state)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OURS)
def test_each_fits_a_sine_in_either_precision(name, dtype):
    X, Y = sine()
    result = train(SINE, X, Y, optimizer=name, dtype=dtype, max_iter=200)
    assert result.theta.dtype == dtype
    assert (0.02 if name == "gd" else 0.01) > result.J


@pytest.mark.parametrize(
    ("name", "max_iter", "median", "worst"), [("cg", 200, 0.36, np.inf), ("lm", 50, 0.15, 0.3)]
)
def test_the_notes_linear_network_on_exercise_5(data, name, max_iter, median, worst):
    table = scipy.io.loadmat(data("course/ex5data1.mat"))
    network = Network((1, 8, 1), hidden="tanh", output="identity")
    J = [
        train(
            network, table["X"], table["y"], lam=0.01, optimizer=name, max_iter=max_iter,
            seed=seed, check=False,
        ).J
        for seed in range(50)
    ]  # fmt: skip
    assert np.median(J) <= median
    assert max(J) <= worst


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


MEMORY = """
import resource
import numpy as np
from chainrule import Network, random_theta
from chainrule.objective import TrainingObjective
from chainrule.optimize import minimize
from chainrule.optimize.vectors import one_blas_thread

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

with one_blas_thread():
    network = Network((20, 47, 1), hidden="tanh", output="identity")
    X = np.random.default_rng(0).normal(size=(50_000, 20))
    Y = np.sin(X[:, :1] + X[:, 1:2])
    objective = TrainingObjective(network, Rows(X, Y), 0.01)
    few = TrainingObjective(Network((1, 1), output="identity"), Rows(X[:5, :1], Y[:5]))
    minimize(few, np.zeros(2), "lm", max_iter=1)  # LAPACK is loaded
    before = peak()
    result = minimize(objective, random_theta(network), "lm", max_iter=4)
print(network.size, result.history.J[-1] < result.history.J[0], peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kB on Linux only")
def test_the_memory_of_levenberg_marquardt_stays_bounded():
    script = [sys.executable, "-c", MEMORY]
    said = subprocess.run(script, check=True, capture_output=True, text=True).stdout.split()
    assert said[:2] == ["1035", "True"]
    assert int(said[2]) < 200e6, f"{int(said[2]) / 1e6:.0f} MB above the data"

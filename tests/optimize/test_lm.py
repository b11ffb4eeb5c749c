"""Levenberg-Marquardt: where no cost is finite, where digits are lost, in bounded memory."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from objectives import Quadratic

from chainrule import ErrorBars, MLPRegressor, Network, train
from chainrule.optimize import lm, minimize


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


MEMORY = """
import resource
import numpy as np
from chainrule import Network, random_theta
from chainrule.engine.rows import Rows
from chainrule.optimize import minimize
from chainrule.optimize.vectors import one_blas_thread
from chainrule.training.objective import TrainingObjective

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


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "exp"])
def test_levenberg_marquardt_ends_where_l_bfgs_does_for_classes_and_counts(output):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    Y = {
        "sigmoid": (rng.random((60, 3)) < 0.4).astype(float),
        "softmax": np.eye(3)[rng.integers(0, 3, 60)],
        "exp": rng.poisson(2.0, (60, 3)),
    }[output]
    network = Network((3, 3), output=output)
    slow = train(network, X, Y, lam=0.5, max_iter=500)
    fast = train(network, X, Y, lam=0.5, optimizer="lm", max_iter=50)
    assert pytest.approx(slow.J, abs=1e-8) == fast.J
    deep = Network((3, 4, 3), hidden="tanh", output=output)
    assert train(deep, X, Y, lam=0.1, optimizer="lm", max_iter=60).J < fast.J


@pytest.mark.parametrize("optimizer", ["lm", "br"])
def test_too_many_parameters_are_refused_before_memory_is_asked_for(optimizer):
    network = Network((784, 2000, 10), hidden="tanh", output="identity")
    says = (
        r"1,590,010 parameters are too many for 'lm' and 'br': 4 matrices of 1,590,010 x 1,590,010 "
        r"numbers need 8.09e\+04 GB of memory, and there are .* GB; choose 'lbfgs' or 'scg'"
    )
    with pytest.raises(ValueError, match=says):
        train(network, np.zeros((3, 784)), np.zeros((3, 10)), optimizer=optimizer, check=False)
    with pytest.raises(ValueError, match=says):
        ErrorBars.at(network, np.zeros(network.size), np.zeros((3, 784)), np.zeros((3, 10)))
    regressor = MLPRegressor(hidden_layer_sizes=2000, solver=optimizer)
    with pytest.raises(ValueError, match=says):
        regressor.fit(np.zeros((3, 784)), np.zeros((3, 10)))


def test_the_machines_memory_is_what_there_is(monkeypatch):
    assert 1e8 < lm.memory() < 1e15
    monkeypatch.setattr(lm, "memory", lambda: 4 * 8 * 100.0**2)
    lm.check_room(100)
    with pytest.raises(ValueError, match="101 parameters are too many"):
        lm.check_room(101)

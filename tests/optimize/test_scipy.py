"""SciPy's minimizers through ours: the same numbers, and max_iter means iterations for all."""

import threading
from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
from objectives import rosenbrock

from chainrule.kernel import BUILT, asking
from chainrule.optimize import minimize
from chainrule.optimize.scipy import MANY, METHODS
from chainrule.optimize.scipy import minimize as minimize_by

START = np.array([-1.2, 1.0])


@pytest.mark.parametrize("method", METHODS.values())
def test_it_ends_where_scipy_itself_does(method):
    ours = minimize(rosenbrock, START, f"scipy:{method}", max_iter=500)
    theirs = scipy.optimize.minimize(
        rosenbrock,
        START,
        jac=True,
        method=method,
        options={"maxfun" if method == "TNC" else "maxiter": 500},
    )
    np.testing.assert_array_equal(ours.theta, theirs.x)
    assert ours.converged == theirs.success
    assert theirs.message in ours.stopped


@pytest.mark.parametrize("method", METHODS.values())
def test_max_iter_counts_iterations(method):
    result = minimize(rosenbrock, START, f"scipy:{method}", max_iter=3)
    assert result.n_iter == 3


def test_a_name_may_be_written_in_any_case():
    one, other = (minimize(rosenbrock, START, f"scipy:{name}") for name in ("BFGS", "bfgs"))
    np.testing.assert_array_equal(one.theta, other.theta)


@pytest.mark.parametrize("method", METHODS.values())
def test_each_step_tells_its_own_J_and_what_is_known_is_not_evaluated_again(method):
    tried, steps = [], []

    def objective(theta):
        tried.append(theta.copy())
        return rosenbrock(theta)

    result = minimize(objective, START, f"scipy:{method}", max_iter=20, callback=steps.append)
    assert [step.J for step in steps] == [rosenbrock(step.theta)[0] for step in steps]
    assert result.n_eval == len(tried)
    assert not any(np.array_equal(one, other) for one, other in pairwise(tried[1:]))


@pytest.mark.parametrize("method", METHODS.values())
def test_no_iteration_leaves_the_start(method):
    result = minimize(rosenbrock, START, f"scipy:{method}", max_iter=0)
    np.testing.assert_array_equal(result.theta, START)
    assert (result.n_iter, result.n_eval, result.converged) == (0, 1, False)
    assert result.stopped.startswith("stopped at max_iter = 0")


def bowl(theta):
    return float(((theta - 1) ** 4).sum()), 4 * (theta - 1) ** 3


@pytest.mark.parametrize(("n", "aside"), [(MANY, True), (MANY - 1, False)])
def test_the_matrices_of_many_weights_are_multiplied_aside(monkeypatch, n, aside):
    found, threads = scipy.optimize.minimize, []

    def recording(*given, **more):
        threads.append(threading.get_ident())
        return found(*given, **more)

    def callback(step):
        assert threading.get_ident() == here
        return step.iteration == 4

    def objective(theta):
        assert threading.get_ident() == here
        return bowl(theta)

    here = threading.get_ident()
    start = np.linspace(-1, 1, n)
    monkeypatch.setattr(scipy.optimize, "minimize", recording)
    result = minimize(objective, start, "scipy:BFGS", max_iter=9, callback=callback)
    assert [thread != here for thread in threads] == [aside]
    theirs = found(bowl, start, jac=True, method="BFGS", options={"maxiter": result.n_iter})
    np.testing.assert_array_equal(result.theta, theirs.x)
    assert result.n_iter == 4


@pytest.mark.skipif(not BUILT, reason="the kernel knows whom to ask")
def test_ctrl_c_is_heard_while_matrices_are_multiplied(monkeypatch):
    goes_on = threading.Event()

    def deaf(fun, start, **more):
        fun(start)
        goes_on.wait(60)
        fun(start)

    def ask():
        if evaluated:
            raise KeyboardInterrupt

    evaluated = []

    def objective(theta):
        evaluated.append(1)
        return bowl(theta)

    monkeypatch.setattr(scipy.optimize, "minimize", deaf)
    with asking(ask), pytest.raises(KeyboardInterrupt):
        minimize_by(objective, np.zeros(MANY), method="BFGS")
    goes_on.set()
    assert len(evaluated) == 1

"""SciPy's minimizers through ours: the same numbers, and max_iter means iterations for all."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
from objectives import rosenbrock

from chainrule.optimize import minimize
from chainrule.optimize.scipy import METHODS

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

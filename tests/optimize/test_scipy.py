"""SciPy's minimizers through ours: the same numbers, and max_iter means iterations for all."""

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

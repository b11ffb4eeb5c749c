import numpy as np
import pytest
from hypothesis import given
from problems import problems

from chainrule import Network, accumulate, finish
from chainrule.notes.regularisation import by_theta, check_lam, finish_spread, penalty


@given(problems())
def test_lambda_spread_over_theta_gives_the_same_j_and_d(problem):
    network, theta, X, Y, lam = problem
    by_layer = [lam * l for l in range(1, network.L)]
    cost_sum, Delta, m = accumulate(network, theta, X, Y)
    J, D = finish(network, theta, cost_sum, Delta.copy(), m, by_layer)
    lams = by_theta(network, by_layer)
    J_spread, D_spread = finish_spread(theta, cost_sum, Delta, m, lams)
    assert J_spread == pytest.approx(J, rel=1e-14)
    np.testing.assert_array_equal(D_spread, D)
    assert D_spread is Delta


def test_in_float32_the_regularisation_is_computed_in_float64():
    theta, Delta = np.array([1.0, 0.1], np.float32), np.zeros(2, np.float32)
    J, D = finish_spread(theta, 0.0, Delta, 3.0, np.array([0.0, 1.0]))
    assert pytest.approx(float(np.float32(0.1)) ** 2 / 6, rel=1e-15) == J
    assert D.dtype == np.float32
    seen = []
    finish_spread(theta, 0.0, D, 1.0, np.ones(2), lambda u, v: seen.extend([u, v]) or 0.0)
    assert [u.dtype for u in seen] == [np.float64, np.float64]


def test_without_lambda_only_m_divides():
    J, D = finish_spread(np.ones(2), 6.0, np.array([3.0, 9.0]), 3.0)
    assert (J, list(D)) == (2.0, [1.0, 3.0])


def test_the_penalty_leaves_the_biases_out():
    network, theta = Network((2, 2, 1)), np.arange(9.0)
    no_bias = theta.copy()
    no_bias[[0, 1, 6]] = 0
    assert penalty(network, theta, [2.0, 4.0]) == no_bias[:6] @ no_bias[:6] + 2 * (
        no_bias[6:] @ no_bias[6:]
    )


@pytest.mark.parametrize(
    ("lam", "message"),
    [
        (-1.0, "must be a finite number >= 0"),
        (np.nan, "must be a finite number >= 0"),
        ([1.0, 2.0, 3.0], "must be one number, or 2, one for each Theta"),
        ("much", "must hold numbers"),
    ],
)
def test_a_lambda_that_does_not_fit_is_refused(lam, message):
    with pytest.raises(ValueError, match=message):
        check_lam(Network((1, 1, 1)), lam)

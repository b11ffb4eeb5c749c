import numpy as np
import pytest
from hypothesis import given
from problems import SMOOTH, problems

from chainrule import (
    ElasticNet,
    ErrorBars,
    Network,
    accumulate,
    check_gradient,
    cost_and_gradient,
    finish,
    random_theta,
    reshape,
    trace,
    train,
)
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


NET = ElasticNet(squares=[0.5, 2.0], absolutes=[3.0, 0.25])


def test_an_elastic_net_adds_half_the_squares_and_the_absolute_values_of_weights():
    network = Network((2, 3, 1), hidden="tanh", output="identity")
    theta, X, Y = random_theta(network, 1), np.eye(2), np.ones((2, 1))
    cost_sum, Delta, m = accumulate(network, theta, X, Y)
    W = [Theta[:, 1:] for Theta in reshape(network, theta)]
    extra = sum(
        s / 2 * (w**2).sum() + a * np.abs(w).sum()
        for s, a, w in zip(NET.squares, NET.absolutes, W, strict=True)
    )
    J, D = finish(network, theta, cost_sum, Delta.copy(), m, NET)
    assert pytest.approx((cost_sum + extra) / 2, rel=1e-14) == J
    assert penalty(network, theta, NET) == pytest.approx(extra, rel=1e-14)
    for engine in ("numpy", "kernel"):
        J_engine, D_engine = cost_and_gradient(network, theta, X, Y, lam=NET, engine=engine)
        assert J_engine == pytest.approx(J, rel=1e-13)
        np.testing.assert_allclose(D_engine, D, rtol=1e-10)


@given(problems(SMOOTH))
def test_the_gradient_with_absolute_values_passes_the_gradient_check(problem):
    network, theta, X, Y, lam = problem
    net = ElasticNet(lam, 0.7)
    theta = np.where(np.abs(theta) < 1e-2, 0.5, theta)  # away from the kinks
    report = check_gradient(
        lambda t: cost_and_gradient(network, t, X, Y, lam=net), theta, epsilon=1e-5
    )
    assert report.ok, str(report)


def test_at_0_the_slope_is_the_least_of_both_sides():
    """Where the data pull a weight with less force than |w|, it is held fast."""
    network, X, Y = Network((2, 1), output="identity"), np.eye(2), np.array([[1.0], [5.0]])
    theta = np.zeros(3)
    _, D = cost_and_gradient(network, theta, X, Y, lam=ElasticNet(absolutes=2.0))
    np.testing.assert_allclose(D, [-3.0, 0.0, -2.5 + 1.0])
    # The check before training looks beside 0
    assert train(network, X, Y, lam=ElasticNet(absolutes=2.0), theta=theta).J > 0


def test_a_minibatch_rule_leaves_weights_of_exactly_0():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 10))
    y = X[:, :2] @ [1.0, -2.0] + 0.1 * rng.normal(size=200)
    network = Network((10, 1), output="identity")
    how = {"max_iter": 100, "batch_size": 50, "patience": None, "learning_rate": 0.01}
    for optimizer in ("adam", "sgd"):
        for by_batch in (False, True):
            lam = ElasticNet(absolutes=10.0 if by_batch else 40.0)
            w = train(
                network, X, y, lam=lam, optimizer=optimizer, penalty_by_batch=by_batch, **how
            ).theta[1:]
            assert (w[2:] == 0).sum() >= 4, w
            assert (np.abs(w[:2]) > 0.5).all()
    with pytest.raises(ValueError, match="the kernel knows no absolute values of weights"):
        train(network, X, y, lam=ElasticNet(absolutes=1.0), optimizer="sgd", engine="kernel")


def test_where_only_squares_make_sense_an_elastic_net_is_refused():
    network, X = Network((2, 1), output="identity"), np.eye(2)
    for use in (
        lambda: trace(network, np.ones(3), X[0], [1.0], lam=NET),
        lambda: ErrorBars.at(network, np.ones(3), X, [1.0, 2.0], lam=NET),
    ):
        with pytest.raises(ValueError, match=r"one for each Theta|an ElasticNet cannot stand here"):
            use()
    for wrong in (ElasticNet(-1.0), ElasticNet(0.0, -1.0), ElasticNet(absolutes=np.nan)):
        with pytest.raises(ValueError, match="must be a finite number >= 0"):
            check_lam(network, wrong)

from functools import partial

import numpy as np
import pytest

from chainrule import Network, Result, cost_and_gradient, random_theta, train
from chainrule.optimize import OPTIMIZERS, cg, find, lbfgs, line_search, minimize, scipy
from chainrule.optimize.result import NOT_FINITE

# The others are minibatch rules, or for squared error only
OURS = [name for name in OPTIMIZERS if callable(find(name)) and name not in ("lm", "br")]
SCIPY = [f"scipy:{name}" for name in scipy.METHODS.values()]
every = pytest.mark.parametrize("name", OURS + SCIPY)
ours = pytest.mark.parametrize("name", OURS)
START = np.array([3.0, -4.0, 1.0])


def bowl(theta):
    """Return a convex quadratic, smallest at (1, 2, 3), steeper along the later axes."""
    away = theta - np.array([1, 2, 3], theta.dtype)
    scale = np.array([1, 4, 9], theta.dtype)
    return float(away @ (scale * away)) / 2, scale * away


def rosenbrock(theta):
    x, y = theta
    D = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    return float((1 - x) ** 2 + 100 * (y - x * x) ** 2), np.array(D, theta.dtype)


@every
def test_the_minimum_of_a_bowl_is_found_and_the_start_left_alone(name):
    start = START.copy()
    result = minimize(bowl, start, name, max_iter=500)
    np.testing.assert_allclose(result.theta, [1, 2, 3], atol=1e-4)
    np.testing.assert_array_equal(start, START)
    assert bowl(result.theta)[0] == result.J
    assert result.converged
    assert result.stopped.startswith("converged: ")


@every
def test_history_counts_and_callback_agree(name):
    steps, calls = [], []

    def counted(theta):
        calls.append(theta.copy())
        return bowl(theta)

    result = minimize(counted, START, name, max_iter=500, callback=steps.append)
    assert result.n_eval == len(calls)
    assert [step.J for step in steps] == result.history.J
    assert [step.iteration for step in steps] == list(range(len(steps)))
    assert result.history.J[0] == bowl(START)[0]
    assert result.history.gradient_norm[0] == np.linalg.norm(bowl(START)[1])
    for step in steps:
        assert bowl(step.theta)[0] == step.J
        assert np.linalg.norm(bowl(step.theta)[1]) == pytest.approx(step.gradient_norm)


@every
def test_a_true_callback_ends_it_there(name):
    steps = []

    def stop(step):
        steps.append(step)
        return step.iteration == 2

    result = minimize(bowl, START, name, max_iter=500, callback=stop)
    assert len(steps) - 1 == result.n_iter == 2
    assert result.stopped == "stopped by the callback"
    assert not result.converged
    np.testing.assert_array_equal(result.theta, steps[-1].theta)
    assert result.J == steps[-1].J


@every
def test_max_iter_ends_it(name):
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), name, max_iter=3)
    assert result.n_iter <= 3
    assert not result.converged
    assert result.stopped.startswith("stopped")
    assert result.J == rosenbrock(result.theta)[0] <= rosenbrock(np.array([-1.2, 1.0]))[0]


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_theta_keeps_its_dtype(name, dtype):
    seen = set()

    def objective(theta):
        seen.add(theta.dtype)
        return bowl(theta)

    result = minimize(objective, START.astype(dtype), name, max_iter=200)
    assert seen == {np.dtype(dtype)}
    assert result.theta.dtype == dtype
    np.testing.assert_allclose(result.theta, [1, 2, 3], atol=2e-3)


def test_lbfgs_goes_round_the_bend_of_rosenbrocks_valley():
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), max_iter=100)
    np.testing.assert_allclose(result.theta, [1, 1], atol=1e-5)
    assert result.n_eval < 80


@ours
def test_J_never_rises(name):
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), name, max_iter=60)
    assert (np.diff(result.history.J) < 0).all()


@ours
@pytest.mark.parametrize("bad", [(np.inf, 1.0), (np.nan, 1.0), (1.0, np.nan), (1.0, np.inf)])
def test_a_start_that_is_not_finite_is_said_to_be(name, bad):
    result = minimize(lambda theta: (bad[0], bad[1] * theta), START, name)
    assert result.stopped == NOT_FINITE
    assert not result.converged


@ours
def test_trials_beyond_the_range_are_stepped_back_from(name):
    def log_barrier(theta):  # not a number for theta >= 1, its minimum at 0.5
        with np.errstate(invalid="ignore", divide="ignore"):
            J = -np.log(1 - theta[0]) - np.log(theta[0])
            return float(J), 1 / (1 - theta) - 1 / theta

    result = minimize(log_barrier, np.array([0.01]), name, max_iter=200)
    np.testing.assert_allclose(result.theta, [0.5], atol=1e-3)


@ours
def test_a_gradient_that_points_uphill_ends_with_advice(name):
    result = minimize(lambda theta: (bowl(theta)[0], -bowl(theta)[1]), START, name)
    assert "check the gradient (check_gradient)" in result.stopped
    assert not result.converged
    np.testing.assert_array_equal(result.theta, START)


@ours
def test_a_start_at_the_minimum_takes_no_step(name):
    result = minimize(bowl, np.array([1.0, 2.0, 3.0]), name)
    assert (result.n_iter, result.n_eval, result.converged) == (0, 1, True)
    assert "the gradient is flat" in result.stopped


@ours
@pytest.mark.parametrize("power", [-12, 12])
def test_the_scale_of_J_does_not_matter_for_the_way(name, power):
    scale = 2.0**power
    plain = minimize(bowl, START, name, max_iter=300)
    result = minimize(lambda t: (scale * bowl(t)[0], scale * bowl(t)[1]), START, name)
    np.testing.assert_allclose(result.theta, plain.theta, atol=1e-2)


def test_lbfgs_takes_slopes_of_any_size():
    steep = 1e14
    result = minimize(lambda t: (steep * bowl(t)[0], steep * bowl(t)[1]), START)
    np.testing.assert_allclose(result.theta, [1, 2, 3], atol=1e-4)


@pytest.mark.parametrize("curvature", [lbfgs.CURVATURE, cg.CURVATURE])
@pytest.mark.parametrize("t", [1e-9, 1e-3, 1.0, 50.0])
def test_the_line_search_meets_the_strong_wolfe_conditions(t, curvature):
    def line(t):
        J, D = float(np.cos(t) - 0.1 * t), np.array([-np.sin(t) - 0.1])
        return line_search.Point(t, J, float(D[0]), D, np.array([t]))

    start = line(0.0)
    point, trials = line_search.wolfe(line, start, t, curvature)
    assert trials <= line_search.MAX_TRIALS
    assert start.J + line_search.SUFFICIENT_DECREASE * point.t * start.slope >= point.J
    assert abs(point.slope) <= curvature * abs(start.slope)


def test_the_two_loops_give_newtons_step_where_the_pairs_span_the_space():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(4, 4))
    A = A @ A.T + np.eye(4)
    theta = rng.normal(size=4)
    result = minimize(lambda t: (float(t @ A @ t) / 2, A @ t), theta, max_iter=50)
    np.testing.assert_allclose(result.theta, 0, atol=1e-5)
    assert result.n_iter < 20


@every
def test_every_optimizer_trains_a_network(name):
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    network = Network((2, 3, 1), hidden="tanh")
    result = train(network, X, [0, 1, 1, 1], lam=0.01, optimizer=name, max_iter=30)
    J, _ = cost_and_gradient(network, result.theta, X, [0, 1, 1, 1], lam=0.01)
    assert pytest.approx(J, rel=1e-14) == result.J
    assert 0.5 * result.history.J[0] > result.J


def test_gradient_descent_is_theta_minus_alpha_D():
    result = minimize(bowl, START, "gd", max_iter=1)
    moved = (START - result.theta) / bowl(START)[1]
    np.testing.assert_allclose(moved, moved[0])
    assert moved[0] > 0


def test_a_callable_is_an_optimizer():
    def stay(objective, theta, *, max_iter, callback):
        J, _ = objective(theta)
        return Result(theta, J, None, 0, 1, "stopped: at once", False)

    network = Network((1, 2, 1))
    result = train(network, [[0.0], [1.0]], [0, 1], optimizer=stay)
    np.testing.assert_array_equal(result.theta, random_theta(network))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lbgfs", "unknown optimizer 'lbgfs': did you mean 'lbfgs'"),
        ("scipy:CGG", "unknown SciPy minimizer 'cgg': did you mean 'cg'"),
        ("scipy:Powell", "unknown SciPy minimizer 'powell'"),
        (None, "unknown optimizer None"),
    ],
)
def test_an_unknown_optimizer_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        find(name)


def test_identical_hidden_units_are_refused_unless_forced():
    network = Network((2, 3, 1))
    X, Y = [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    with pytest.raises(ValueError, match="units 1 and 2 of layer 2 have the same weights in and"):
        train(network, X, Y, theta=np.zeros(network.size))
    forced = train(network, X, Y, theta=np.zeros(network.size), allow_symmetry=True, max_iter=5)
    units = forced.theta[:9].reshape(3, 3)
    np.testing.assert_array_equal(units, units[:, :1].repeat(3, axis=1))  # one unit, still


@pytest.mark.parametrize("memory", [1, 3])
def test_lbfgs_remembers_no_more_than_it_is_told_to(memory):
    def bowl(theta):
        scale = np.arange(1.0, 21.0)
        return float(theta @ (scale * theta)), 2 * scale * theta

    result = minimize(bowl, np.ones(20), partial(lbfgs.steps, memory=memory), max_iter=8)
    assert len(result.state.pairs) == memory


def test_every_name_stands_in_the_documentation_of_train():
    for name in OPTIMIZERS:
        assert f'``"{name}"``' in train.__doc__

"""What all optimizers over the whole training set promise, whatever their algorithm."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.io
from objectives import ANY_COST, OURS, SINE, START, Quadratic, bowl, rosenbrock, sine

from chainrule import Network, Result, Step, cost_and_gradient, random_theta, train
from chainrule.optimize import OPTIMIZERS, find, minimize
from chainrule.optimize.result import NOT_FINITE
from chainrule.optimize.scipy import METHODS

SCIPY = [f"scipy:{name}" for name in METHODS.values()]
every = pytest.mark.parametrize("name", ANY_COST + SCIPY)
ours = pytest.mark.parametrize("name", OURS)
of_any_cost = pytest.mark.parametrize("name", ANY_COST)


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
    assert steps[0].n_eval == 1
    assert result.history.J[0] == bowl(START)[0]
    assert result.history.gradient_norm[0] == np.linalg.norm(bowl(START)[1])
    for step in steps:
        assert bowl(step.theta)[0] == step.J
        assert np.linalg.norm(bowl(step.theta)[1]) == pytest.approx(step.gradient_norm)


@every
def test_steps_of_a_long_way_are_numbered_one_by_one(name):
    steps = []
    minimize(rosenbrock, np.array([-1.2, 1.0]), name, max_iter=200, callback=steps.append)
    assert [step.iteration for step in steps] == list(range(len(steps)))


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


@of_any_cost
def test_J_never_rises(name):
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), name, max_iter=60)
    assert (np.diff(result.history.J) < 0).all()


@pytest.mark.parametrize("name", [*ANY_COST, "lm"])
def test_each_reaches_the_analytic_minimum(name):
    quadratic = Quadratic(8)
    result = minimize(quadratic, quadratic.start, name, max_iter=2000)
    np.testing.assert_allclose(result.theta, quadratic.minimum, atol=1e-3 if name == "gd" else 1e-4)
    assert result.converged
    assert (np.diff(result.history.J) <= 0).all()


@of_any_cost
@pytest.mark.parametrize("bad", [(np.inf, 1.0), (np.nan, 1.0), (1.0, np.nan), (1.0, np.inf)])
def test_a_start_that_is_not_finite_is_said_to_be(name, bad):
    result = minimize(lambda theta: (bad[0], bad[1] * theta), START, name)
    assert result.stopped == NOT_FINITE
    assert not result.converged


@of_any_cost
def test_trials_beyond_the_range_are_stepped_back_from(name):
    def log_barrier(theta):  # not a number for theta >= 1, its minimum at 0.5
        with np.errstate(invalid="ignore", divide="ignore"):
            J = -np.log(1 - theta[0]) - np.log(theta[0])
            return float(J), 1 / (1 - theta) - 1 / theta

    result = minimize(log_barrier, np.array([0.01]), name, max_iter=200)
    np.testing.assert_allclose(result.theta, [0.5], atol=1e-3)


@of_any_cost
def test_a_region_without_a_finite_cost_is_a_wall(name):
    def walled(theta):  # infinite beyond |theta| = 2, smallest on the wall's near side
        if not np.all(np.abs(theta) < 2):
            return np.inf, np.full_like(theta, np.nan)
        J = float(np.sum(np.log(np.cosh(theta - 1.9))))
        return J, np.tanh(theta - 1.9)

    result = minimize(walled, np.array([-1.5, -1.0, 0.0]), name, max_iter=5000)
    np.testing.assert_allclose(result.theta, 1.9, atol=1e-3)


@of_any_cost
def test_a_gradient_that_points_uphill_ends_with_advice(name):
    result = minimize(lambda theta: (bowl(theta)[0], -bowl(theta)[1]), START, name)
    assert "check the gradient (check_gradient)" in result.stopped
    assert not result.converged
    np.testing.assert_array_equal(result.theta, START)


@of_any_cost
def test_a_start_at_the_minimum_takes_no_step(name):
    result = minimize(bowl, np.array([1.0, 2.0, 3.0]), name)
    assert (result.n_iter, result.n_eval, result.converged) == (0, 1, True)
    assert "the gradient is flat" in result.stopped


@of_any_cost
@pytest.mark.parametrize("power", [-12, 12])
def test_the_scale_of_J_does_not_matter_for_the_way(name, power):
    scale = 2.0**power
    plain = minimize(bowl, START, name, max_iter=300)
    result = minimize(lambda t: (scale * bowl(t)[0], scale * bowl(t)[1]), START, name)
    np.testing.assert_allclose(result.theta, plain.theta, atol=1e-2)


@every
def test_every_optimizer_trains_a_network(name):
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    network = Network((2, 3, 1), hidden="tanh")
    result = train(network, X, [0, 1, 1, 1], lam=0.01, optimizer=name, max_iter=30)
    J, _ = cost_and_gradient(network, result.theta, X, [0, 1, 1, 1], lam=0.01)
    assert pytest.approx(J, rel=1e-14) == result.J
    assert 0.5 * result.history.J[0] > result.J


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@ours
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


@ours
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


@ours
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


def test_a_state_of_another_optimizer_is_refused():
    X, Y = sine()
    state = train(SINE, X, Y, optimizer="cg", max_iter=2).state
    with pytest.raises(ValueError, match="state is a Conjugate, of another optimizer"):
        train(SINE, X, Y, optimizer="lbfgs", state=state)
    with pytest.raises(ValueError, match="state is from another optimizer than 'adam'"):
        train(SINE, X, Y, optimizer="adam", state=state)
    with pytest.raises(ValueError, match="keeps its state to itself and cannot go on"):
        train(SINE, X, Y, optimizer="scipy:CG", state=state)


def test_a_callable_is_an_optimizer():
    def stay(objective, theta, *, max_iter, callback):
        J, _ = objective(theta)
        return Result(theta, J, None, 0, 1, "stopped: at once", False)

    network = Network((1, 2, 1))
    result = train(network, [[0.0], [1.0]], [0, 1], optimizer=stay)
    np.testing.assert_array_equal(result.theta, random_theta(network))


def test_a_callable_that_tells_its_start_too_adds_no_step():
    def told_start(objective, theta, *, max_iter, callback):
        for i in range(3):
            J, D = objective(theta / 2**i)
            callback(Step(i, J, float(np.linalg.norm(D)), theta / 2**i, i + 1))
        return Result(theta / 4, J, None, 2, 3, "converged: that will do", True)

    steps = []
    result = minimize(lambda t: (float(t @ t), 2 * t), START, told_start, callback=steps.append)
    assert [step.iteration for step in steps] == [0, 1, 2]
    assert result.history.J == [26.0, 6.5, 1.625]
    assert result.n_eval == 4  # its own three, and the start before it


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


def test_every_name_stands_in_the_documentation_of_train():
    for name in OPTIMIZERS:
        assert f'``"{name}"``' in train.__doc__


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_state_whose_gradient_is_of_another_length_is_refused(length):
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 1])
    given = {"optimizer": "newton-cg", "lam": 1}
    state = train(Network((1, 1)), X, y, max_iter=1, **given).state
    altered = replace(state, D=np.zeros(length))
    with pytest.raises(ValueError, match="state has a gradient of shape"):
        train(Network((1, 1)), X, y, max_iter=2, state=altered, **given)

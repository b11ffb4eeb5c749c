import naive
import numpy as np
import pytest
from hypothesis import given, settings
from problems import SMOOTH, problems, targets

from chainrule import ElasticNet, Network, check_gradient, random_theta, reshape, train
from chainrule.engine.rows import Rows
from chainrule.notes.activations import Activation
from chainrule.notes.costs import COSTS
from chainrule.notes.second_order import hessian_vector, jacobian, residuals
from chainrule.training.objective import TrainingObjective

REGRESSION = Network((2, 4, 3, 2), hidden=("tanh", "softplus"), output="identity")

ENGINES = [None, "numpy"]  # the kernel where it is built, and the reference


def example(network=REGRESSION, m=7, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, network.layers[0]))
    return random_theta(network, seed), X, targets(rng, network, m)


@settings(max_examples=60)
@given(problems(SMOOTH))
def test_the_hessian_vector_product_is_the_slope_of_the_gradient(problem):
    network, theta, X, Y, lam = problem
    objective = TrainingObjective(network, Rows(X, Y), lam)
    v = np.random.default_rng(1).normal(size=network.size)
    report = check_gradient(
        lambda theta: (objective(theta)[1] @ v, objective.hvp(theta, v)), theta, epsilon=1e-5
    )
    assert report.ok, str(report)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("output", COSTS)
@pytest.mark.parametrize("hidden", [*SMOOTH, "elu"])
def test_the_hessian_is_the_difference_of_the_naive_loops_gradients(hidden, output, engine):
    network = Network((2, 3, 2, 2), hidden=hidden, output=output)
    theta, X, Y = example(network, m=4)
    v = np.random.default_rng(2).normal(size=network.size)

    def naive_gradient(theta):
        _, D = naive.cost_and_gradient(reshape(network, theta), X, Y, 0.3, [hidden] * 2, output)
        return np.concatenate([D_l.ravel(order="F") for D_l in D])

    difference = (naive_gradient(theta + 1e-5 * v) - naive_gradient(theta - 1e-5 * v)) / 2e-5
    exact = TrainingObjective(network, Rows(X, Y, engine=engine), 0.3).hvp(theta, v)
    np.testing.assert_allclose(exact, difference, rtol=1e-6, atol=1e-9)


def test_the_hessian_is_symmetric():
    theta, X, Y = example()
    u, v = np.random.default_rng(3).normal(size=(2, REGRESSION.size))
    objective = TrainingObjective(REGRESSION, Rows(X, Y), [0.1, 0.2, 0.3])
    assert u @ objective.hvp(theta, v) == pytest.approx(v @ objective.hvp(theta, u), rel=1e-12)


@settings(max_examples=60)
@given(problems(SMOOTH))
def test_each_row_of_the_jacobian_passes_the_gradient_check(problem):
    network, theta, X, _, _ = problem
    t, k = len(X) - 1, network.K - 1

    def output(theta):
        z, rows = jacobian(network, theta, X)
        return z[t, k], rows[t, k]

    report = check_gradient(output, theta, epsilon=1e-5)
    assert report.ok, str(report)


@pytest.mark.parametrize("engine", ENGINES)
def test_jacobian_and_residuals_add_up_to_the_naive_loops_cost_and_gradient(engine):
    theta, X, Y = example(m=9)
    objective = TrainingObjective(REGRESSION, Rows(X, Y, engine=engine), lam=0.7)
    J, D = naive.cost_and_gradient(
        reshape(REGRESSION, theta), X, Y, 0.7, ["tanh", "softplus"], "identity"
    )
    D = np.concatenate([D_l.ravel(order="F") for D_l in D])
    parts = list(objective.residuals(theta))
    assert sum(r @ r for r, _ in parts) / 2 == pytest.approx(J, rel=1e-12)
    np.testing.assert_allclose(sum(rows.T @ r for r, rows in parts), D, rtol=1e-10, atol=1e-13)
    J2, D2, H = objective.normal_equations(theta)
    assert pytest.approx(J, rel=1e-12) == J2
    np.testing.assert_allclose(D2, D, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(H, sum(rows.T @ rows for _, rows in parts), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_weight_of_two_is_the_row_twice(engine):
    theta, X, Y = example(m=5)
    weights = np.array([1.0, 2.0, 1.0, 2.0, 1.0])
    twice = np.repeat(np.arange(5), weights.astype(int))
    weighted = TrainingObjective(REGRESSION, Rows(X, Y, weights, engine), 0.1)
    repeated = TrainingObjective(REGRESSION, Rows(X[twice], Y[twice], engine=engine), 0.1)
    assert weighted.N == repeated.N == 14
    v = np.arange(REGRESSION.size, dtype=float)
    np.testing.assert_allclose(weighted.hvp(theta, v), repeated.hvp(theta, v), rtol=1e-12)
    for one, other in zip(
        weighted.normal_equations(theta), repeated.normal_equations(theta), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_weight_of_an_output_multiplies_its_square(engine):
    theta, X, Y = example(m=5)
    weights = np.linspace(0, 3, Y.size).reshape(Y.shape)
    objective = TrainingObjective(REGRESSION, Rows(X, Y, weights, engine))
    z, rows = jacobian(REGRESSION, theta, X)
    root = np.sqrt(weights / weights.sum() * Y.shape[1])
    r, rows = (root * (z - Y)).ravel(), (root[..., None] * rows).reshape(Y.size, -1)
    J, D, H = objective.normal_equations(theta)
    assert pytest.approx(r @ r / 2, rel=1e-12) == J
    np.testing.assert_allclose(D, rows.T @ r, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(H, rows.T @ rows, rtol=1e-10, atol=1e-12)


def test_the_blocks_do_not_change_the_sums(monkeypatch):
    theta, X, Y = example(m=50)
    objective = TrainingObjective(REGRESSION, Rows(X, Y))
    whole = objective.normal_equations(theta)
    monkeypatch.setattr("chainrule.notes.second_order.HELD", 3 * 2 * REGRESSION.size)
    assert len(list(residuals(REGRESSION, theta, X, Y))) == 17
    for one, other in zip(whole, objective.normal_equations(theta), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


def test_the_memory_of_the_reference_stays_bounded():
    import tracemalloc

    network = Network((20, 47, 1), hidden="tanh", output="identity")  # 1,035 parameters
    theta, X, Y = example(network, m=50_000)
    objective = TrainingObjective(network, Rows(X, Y, engine="numpy"))
    tracemalloc.start()
    objective.normal_equations(theta)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60e6


def test_what_has_no_second_derivative_or_residuals_is_named():
    square = Activation("square", lambda z: z * z, lambda a: 2 * np.sqrt(a))
    network = Network((1, 2, 1), hidden=square)
    X, Y = np.ones((1, 1)), np.ones((1, 1))
    with pytest.raises(ValueError, match="'square' comes without its second derivative"):
        hessian_vector(network, np.ones(7), np.ones(7), X, Y)
    with pytest.raises(ValueError, match="output='absolute' has no residuals"):
        next(residuals(Network((1, 1), output="absolute"), np.ones(2), X, Y))
    with pytest.raises(ValueError, match="output='absolute' has no residuals"):
        train(Network((1, 2, 1), output="absolute"), X, Y, optimizer="lm")


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "exp"])
@pytest.mark.parametrize("weighted", [False, True])
def test_without_hidden_layers_the_normal_equations_have_the_hessian_of_any_canonical_cost(
    output, weighted
):
    network = Network((2, 3), output=output)
    theta, X, Y = example(network)
    weights = np.linspace(0.5, 2, 7) if weighted else None
    objective = TrainingObjective(network, Rows(X, Y, weights), 0.3)
    J, D, H = objective.normal_equations(theta)
    assert pytest.approx(objective(theta)[0], rel=1e-12) == J
    np.testing.assert_allclose(D, objective(theta)[1], rtol=1e-10)
    for v, column in zip(np.eye(network.size), H.T, strict=True):
        np.testing.assert_allclose(column, objective.hvp(theta, v), rtol=1e-9, atol=1e-12)


@settings(max_examples=60)
@given(problems(SMOOTH))
def test_the_squares_that_a_cost_is_taken_for_have_its_slope_and_its_bend(problem):
    network, theta, X, Y, lam = problem
    objective = TrainingObjective(network, Rows(X, Y), lam)
    J, D, H = objective.normal_equations(theta)
    r, rows = map(np.concatenate, zip(*objective.residuals(theta), strict=True))
    np.testing.assert_allclose(rows.T @ r, D, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(rows.T @ rows, H, rtol=1e-10, atol=1e-12)
    assert np.linalg.eigvalsh(H).min() > -1e-9
    assert pytest.approx(objective(theta)[0], rel=1e-10) == J


def test_the_absolute_values_of_weights_bend_nothing_and_are_no_squares():
    theta, X, Y = example()
    v = np.random.default_rng(1).normal(size=REGRESSION.size)
    both, squares = (
        TrainingObjective(REGRESSION, Rows(X, Y), lam) for lam in (ElasticNet(0.3, 2.0), 0.3)
    )
    np.testing.assert_array_equal(both.hvp(theta, v), squares.hvp(theta, v))
    for optimizer in ("lm", "br"):
        with pytest.raises(ValueError, match=r"an ElasticNet|finds one lambda"):
            train(REGRESSION, X, Y, lam=ElasticNet(0.3, 2.0), optimizer=optimizer)

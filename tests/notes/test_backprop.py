import naive
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import SMOOTH, problems, targets

from chainrule import (
    Network,
    accumulate,
    check_gradient,
    cost_and_gradient,
    engine,
    finish,
    forward,
    predict,
    random_theta,
    reshape,
    trace,
    train,
    unroll,
)
from chainrule.engine.rows import Rows
from chainrule.evaluation.stop_report import stop_report
from chainrule.notes import backprop
from chainrule.notes.activations import Activation
from chainrule.notes.backprop import input_gradient
from chainrule.notes.costs import Cost
from chainrule.notes.second_order import hessian_vector
from chainrule.training.objective import TrainingObjective

LINEAR = Network((1, 4, 1), hidden="tanh", output="identity")
LINEAR_THETA = np.array([31, 16, 15, -29, -13, -8, -7, 13, 54, -17, -11, -9, 16]) / 10


def close(got, expected, tolerance=1e-12):
    """Say whether two vectors agree, norm-wise."""
    expected = np.asarray(expected)
    return np.linalg.norm(got - expected) <= tolerance * max(1.0, np.linalg.norm(expected))


def test_the_notes_linear_network_to_every_printed_digit():
    J, D = cost_and_gradient(LINEAR, LINEAR_THETA, [[1], [2], [3]], [1, 4, 9], lam=0.01)
    assert f"{J:.6f}" == "0.020815"
    assert [f"{d:.7f}" for d in D] == [
        "-0.0131002",
        "-0.0110085",
        "-0.0070569",
        "0.0189212",
        "-0.0189639",
        "-0.0192539",
        "-0.0102291",
        "0.0344732",
        "0.0024947",
        "0.0080624",
        "0.0021964",
        "0.0031675",
        "-0.0064244",
    ]


@settings(max_examples=300)
@given(problems())
def test_backpropagation_is_the_notes_loop_over_examples(problem):
    network, theta, X, Y, lam = problem
    J, D = cost_and_gradient(network, theta, X, Y, lam)
    J_loop, D_loop = naive.cost_and_gradient(
        reshape(network, theta), X, Y, lam, [g.name for g in network.activations], network.output
    )
    assert close(J, J_loop)
    assert close(D, unroll(D_loop))


@given(problems(), st.data())
def test_accumulate_over_any_split_of_the_rows_adds_up(problem, data):
    network, theta, X, Y, _ = problem
    cost, Delta, m = accumulate(network, theta, X, Y)
    cuts = data.draw(st.lists(st.integers(1, max(1, len(X) - 1)), unique=True).map(sorted))
    parts = [
        accumulate(network, theta, x, y)
        for x, y in zip(np.split(X, cuts), np.split(Y, cuts), strict=True)
        if len(x)
    ]
    assert close(sum(part[0] for part in parts), cost)
    assert close(sum(part[1] for part in parts), Delta)
    assert sum(part[2] for part in parts) == m == len(X)


@given(problems(), st.data())
def test_weight_two_is_the_row_twice(problem, data):
    network, theta, X, Y, lam = problem
    weights = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(X), max_size=len(X))))
    weighted = finish(network, theta, *accumulate(network, theta, X, Y, weights), lam)
    repeated = [np.repeat(rows, weights, axis=0) for rows in (X, Y)]
    J, D = cost_and_gradient(network, theta, *repeated, lam)
    assert close(weighted[0], J)
    assert close(weighted[1], D)


@given(problems(), st.randoms(use_true_random=False))
def test_permuting_hidden_units_leaves_J_alone(problem, random):
    network, theta, X, Y, lam = problem
    Thetas = [Theta.copy() for Theta in reshape(network, theta)]
    for l in range(network.L - 2):
        order = random.sample(range(len(Thetas[l])), len(Thetas[l]))
        Thetas[l] = Thetas[l][order]
        Thetas[l + 1] = Thetas[l + 1][:, [0, *(j + 1 for j in order)]]
    J, _ = cost_and_gradient(network, theta, X, Y, lam)
    J_permuted, _ = cost_and_gradient(network, unroll(Thetas), X, Y, lam)
    assert close(J_permuted, J)


def digits_problem():
    rng = np.random.default_rng(0)
    network = Network((20, 7, 10))
    return network, random_theta(network), rng.normal(size=(50, 20)), rng.integers(0, 10, 50)


def test_K_logistic_units_have_the_cost_of_the_double_loop_and_of_scikit_learn():
    from sklearn.metrics import log_loss

    network, theta, X, y = digits_problem()
    J, _ = cost_and_gradient(network, theta, X, y)
    h, Y = predict(network, theta, X), np.eye(10)[y]
    loop = sum(naive.COST["sigmoid"](h[t, k], Y[t, k]) for t in range(50) for k in range(10)) / 50
    multilabel = sum(log_loss(Y[:, k], h[:, k], labels=[0, 1]) for k in range(10))
    assert close(J, loop)
    assert close(J, multilabel)


def test_softmax_has_the_cost_of_scikit_learns_log_loss():
    from sklearn.metrics import log_loss

    _, theta, X, y = digits_problem()
    network = Network((20, 7, 10), output="softmax")
    J, _ = cost_and_gradient(network, theta, X, y)
    assert close(J, log_loss(y, predict(network, theta, X), labels=range(10)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", ["sigmoid", "softmax", "identity"])
def test_extreme_z_gives_a_finite_J_and_D(output, dtype):
    network = Network((1, 2), output=output)
    theta = np.array([0, 0, 1000, -1000], dtype)
    J, D = cost_and_gradient(network, theta, np.array([[1.0], [-1.0]]), [[1, 0], [1, 0]], lam=0.1)
    assert np.isfinite(J)
    assert np.isfinite(D).all()


def test_a_diverged_network_has_an_infinite_J_and_warns_of_nothing():
    network = Network((1, 2, 1), hidden="relu", output="exp")
    theta = np.array([0, 0, 1000, -1000, 0.0, 1000, 1000])
    J, _ = cost_and_gradient(network, theta, [[1.0], [-1.0]], [1, 2])
    assert np.isposinf(J)


@given(problems())
def test_float32_stays_float32_and_is_near_float64(problem):
    network, theta, X, Y, lam = problem
    narrow = theta.astype(np.float32)
    a, z = forward(network, narrow, X)
    J, D = cost_and_gradient(network, narrow, X, Y, np.float64(lam))
    assert {array.dtype for array in (*a, z, D, predict(network, narrow, X))} == {
        np.dtype(np.float32)
    }
    J_wide, D_wide = cost_and_gradient(network, narrow.astype(np.float64), X, Y, lam)
    assert isinstance(J, float)
    assert close(J, J_wide, 1e-4)
    assert close(D, D_wide, 1e-4)


@pytest.mark.parametrize("lam", [-1, float("nan"), float("inf"), None, "1"])
def test_lam_must_be_a_finite_number_not_below_zero(lam):
    for call in (cost_and_gradient, trace):
        with pytest.raises(ValueError, match=r"lam \(lambda\) must (be a finite|hold) number"):
            call(Network((1, 1)), [0.0, 0.0], *(([1], 1) if call is trace else ([[1]], [1])), lam)


def test_the_arguments_of_cost_and_gradient_are_checked():
    network = Network((2, 1))
    with pytest.raises(ValueError, match="theta must have shape"):
        cost_and_gradient(network, [0.0], [[1, 2]], [1])
    with pytest.raises(ValueError, match="X must have shape"):
        cost_and_gradient(network, np.zeros(3), [[1, 2, 3]], [1])
    with pytest.raises(ValueError, match="must have the same length"):
        cost_and_gradient(network, np.zeros(3), [[1, 2]], [1, 0])


def test_the_arguments_are_left_as_they_were():
    network, theta, X, y = digits_problem()
    before = [array.copy() for array in (theta, X, y)]
    cost_and_gradient(network, theta, X, y, lam=1.0)
    predict(network, theta, X)
    trace(network, theta, X[0], y[0], lam=1.0)
    for array, copy in zip((theta, X, y), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@given(problems())
def test_trace_shows_what_the_computation_uses(problem):
    network, theta, X, Y, lam = problem
    shown = trace(network, theta, X[0], Y[0], lam)
    J, D = cost_and_gradient(network, theta, X[:1], Y[:1], lam)
    assert close(unroll(shown.D), D)
    _, Delta, _ = accumulate(network, theta, X[:1], Y[:1])
    assert close(unroll(shown.Delta), Delta)
    g = [activation.g for activation in network.activations] + [network.cost.g]
    for l, Theta in enumerate(reshape(network, theta)):
        with_bias = np.concatenate([[1.0], shown.a[l]])
        assert close(shown.z[l], Theta @ with_bias)
        assert close(shown.a[l + 1], g[l](shown.z[l]))
        assert close(shown.Delta[l], np.outer(shown.delta[l], with_bias))
    penalty = sum((Theta[:, 1:] ** 2).sum() for Theta in reshape(network, theta))
    assert close(shown.cost + lam / 2 * penalty, J)


def test_trace_names_every_value_as_the_notes_do():
    text = str(trace(Network((2, 3, 1)), np.ones(13), [1, 2], 1))
    for name in (
        "a(1)",
        "z(2)",
        "a(2)",
        "z(3)",
        "a(3)",
        "delta(3)",
        "delta(2)",
        "Delta(1)",
        "D(2)",
    ):
        assert f"\n{name}  [" in text


# J and the norm of D at a fixed theta and fixed data, to notice any change of the numbers.  The
# naive loop printed them: `python tests/test_backprop.py` does it again.
GOLDEN = {
    "sigmoid": (2.1024178520828554, 0.503387806546609),
    "softmax": (1.4538126993374698, 0.45441235510249495),
    "identity": (2.6037162300794066, 0.7523230331516892),
    "exp": (2.6877605718306095, 0.8095136036614616),
}


def golden_problem(output):
    network = Network((3, 4, 3, 2), hidden=("tanh", "softplus"), output=output)
    theta = np.sin(np.arange(network.size))
    X = np.cos(np.arange(15.0)).reshape(5, 3)
    Y = {
        "sigmoid": [[0, 1], [1, 1], [0, 0], [1, 0], [0, 1]],
        "softmax": [[0, 1], [1, 0], [0, 1], [1, 0], [0, 1]],
        "identity": [[0.5, -1], [2, 1], [0, 0.25], [-3, 1], [1, 1]],
        "exp": [[0, 1], [2, 1], [0, 5], [3, 0], [1, 1]],
    }[output]
    return network, theta, X, np.array(Y, dtype=float)


@pytest.mark.parametrize("output", GOLDEN)
def test_golden_numbers(output):
    network, theta, X, Y = golden_problem(output)
    J, D = cost_and_gradient(network, theta, X, Y, lam=0.5)
    np.testing.assert_allclose((J, np.linalg.norm(D)), GOLDEN[output], rtol=1e-13)


if __name__ == "__main__":
    for output in GOLDEN:
        network, theta, X, Y = golden_problem(output)
        J, D = naive.cost_and_gradient(
            reshape(network, theta), X, Y, 0.5, ("tanh", "softplus"), output
        )
        print(f'    "{output}": ({float(J)!r}, {float(np.linalg.norm(unroll(D)))!r}),')


@given(problems(SMOOTH))
def test_input_gradient_is_the_slope_of_z(problem):
    network, theta, X, _, _ = problem
    epsilon, k = 1e-6, network.K - 1
    D = input_gradient(network, theta, X, k)
    for j in range(X.shape[1]):
        e = epsilon * np.eye(X.shape[1])[j]
        slope = (forward(network, theta, X + e)[1] - forward(network, theta, X - e)[1])[:, k]
        np.testing.assert_allclose(D[:, j], slope / (2 * epsilon), atol=1e-6)


def test_an_activation_of_ones_own_may_give_its_slope_from_z():
    sine = Activation("sine", np.sin, np.cos, lambda z: -np.sin(z), from_z=True)
    network = Network((3, 5, 4, 2), hidden=["tanh", sine], output="identity")
    rng = np.random.default_rng(0)
    X, Y, theta = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), random_theta(network)
    masks = [rng.integers(0, 2, size=(6, s)) / 0.5 for s in network.layers[:-1]]

    def objective(theta):
        return accumulate(network, theta, X, Y, masks=masks)[:2]

    report = check_gradient(objective, theta)
    assert report.ok, str(report)
    v = rng.normal(size=network.size)
    Hv = hessian_vector(network, theta, v, X, Y)
    e = 1e-6
    D = [accumulate(network, theta + s * e * v, X, Y)[1] for s in (1, -1)]
    np.testing.assert_allclose(Hv, (D[0] - D[1]) / (2 * e), atol=1e-8)
    report = stop_report(network, theta, X, Y, why="")
    assert report.dead == (0, 0)


def test_input_gradient_refuses_an_output_that_is_not_there():
    network = Network((2, 3))
    with pytest.raises(ValueError, match="outputs must name units 0 to 2"):
        input_gradient(network, np.zeros(9), [[1.0, 2.0]], 3)
    with pytest.raises(ValueError, match="outputs must be an integer, or 1 of them"):
        input_gradient(network, np.zeros(9), [[1.0, 2.0]], 0.5)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_cost_alone_is_that_of_accumulate(weighted):
    network, rng = Network((3, 4, 2), output="softmax"), np.random.default_rng(0)
    theta, X, codes = random_theta(network), rng.normal(size=(7, 3)), rng.integers(2, size=7)
    weights = rng.random(7) if weighted else None
    cost_sum, _, m = accumulate(network, theta, X, codes, weights)
    assert backprop.cost(network, theta, X, codes, weights) == (cost_sum, m)
    assert engine.cost(network, theta, X, np.eye(2)[codes], weights, engine="numpy") == (
        cost_sum,
        m,
    )


def test_accumulate_takes_class_codes_too_even_as_many_as_classes():
    network = Network((6, 5, 3))
    X, codes = np.random.default_rng(0).normal(size=(3, 6)), np.array([0, 1, 2])
    theta = random_theta(network)
    cost, Delta, m = accumulate(network, theta.tolist(), X, codes)
    wanted = accumulate(network, theta, X, np.eye(3))
    assert cost == wanted[0]
    assert m == 3
    assert (Delta == wanted[1]).all()
    with pytest.raises(ValueError, match="X has 3 rows and Y has shape"):
        accumulate(network, theta, X, codes[:2])


def test_a_sparse_x_is_held_to_what_an_array_is():
    network = Network((3, 2))
    for X in (scipy.sparse.csr_array((2, 4)), scipy.sparse.csr_array([[1.0, np.nan, 0.0]])):
        with pytest.raises(ValueError, match=r"X must have shape|not finite"):
            predict(network, random_theta(network), X)
    X = scipy.sparse.coo_array([[1.0, 0.0, 2.0]])
    h = predict(network, random_theta(network), X)
    np.testing.assert_allclose(h, predict(network, random_theta(network), X.toarray()))


UNKNOWN = {  # each has another target, of its own columns, in these rows
    "identity": (3, 1), "sigmoid": (3, 1), "exp": (3, 1), "absolute": (3, 1), "huber:0.5": (3, 1),
    "quantile:0.2,0.7": (4, 2), "softmax": (3, 3),
}  # fmt: skip


def with_unknown(output, seed=0):
    """Return a problem in which some targets are unknown, and which."""
    K, q = UNKNOWN[output]
    network = Network((2, 4, K), hidden="tanh", output=output)
    rng = np.random.default_rng(seed)
    X, m = rng.normal(size=(9, 2)), 9
    Y = targets(rng, network, m)
    if q == 2:
        Y = np.repeat(Y[:, ::2], 2, axis=1)
    known = np.repeat(rng.random((m, K // q)) < 0.6, q, axis=1)
    known[0], known[1] = True, False
    return network, random_theta(network, seed), X, Y, known


@pytest.mark.parametrize("output", UNKNOWN)
@pytest.mark.parametrize("lam", [0.0, 0.3])
def test_an_unknown_target_counts_nothing_and_the_gradient_check_agrees(output, lam):
    network, theta, X, Y, known = with_unknown(output)
    J, D = cost_and_gradient(network, theta, X, np.where(known, Y, np.nan), lam=lam)
    # whatever stands there
    other = np.where(known, Y, np.roll(Y, 1, axis=0))
    sums = accumulate(network, theta, X, other, known.astype(float))
    J_other, D_other = finish(network, theta, *sums, lam)
    assert pytest.approx(J_other, rel=1e-13) == J
    np.testing.assert_allclose(D_other, D, rtol=1e-10, atol=1e-14)
    assert sums[2] == known.sum() / network.K
    report = check_gradient(
        lambda t: cost_and_gradient(network, t, X, np.where(known, Y, np.nan), lam=lam),
        theta,
        epsilon=1e-6,
    )
    assert report.ok, str(report)
    # a row of which nothing is known is no row
    rows = known.any(axis=1)
    without = cost_and_gradient(network, theta, X[rows], np.where(known, Y, np.nan)[rows], lam=lam)
    assert pytest.approx(without[0], rel=1e-13) == J
    np.testing.assert_allclose(without[1], D, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("output", ["identity", "sigmoid", "exp"])
def test_weights_of_outputs_are_those_of_networks_with_one_output_each(output):
    network, theta, X, Y, _ = with_unknown(output)
    w = np.random.default_rng(3).uniform(0, 2, Y.shape)
    cost_sum, Delta, m = accumulate(network, theta, X, Y, w)
    Thetas = reshape(network, theta)
    single = Network((2, 4, 1), hidden="tanh", output=output)
    of_each, hidden = 0.0, 0.0
    for k in range(3):
        alone = unroll([Thetas[0], Thetas[1][k : k + 1]])
        cost_k, Delta_k, _ = accumulate(single, alone, X, Y[:, k : k + 1], w[:, k])
        of_each, hidden = of_each + cost_k, hidden + reshape(single, Delta_k)[0]
    assert cost_sum == pytest.approx(of_each, rel=1e-12)
    np.testing.assert_allclose(reshape(network, Delta)[0], hidden, rtol=1e-9)
    assert m == pytest.approx(w.sum() / 3)
    same = accumulate(network, theta, X, Y, np.repeat(w[:, :1], 3, axis=1))
    alike = accumulate(network, theta, X, Y, w[:, 0].copy())
    assert same[0] == pytest.approx(alike[0])
    np.testing.assert_allclose(same[1], alike[1], rtol=1e-10)
    assert same[2] == pytest.approx(alike[2])


@pytest.mark.parametrize("output", ["identity", "sigmoid", "softmax", "exp"])
def test_second_derivatives_and_training_know_of_unknown_targets(output):
    network, theta, X, Y, known = with_unknown(output)
    rows = Rows.checked(network, X, np.where(known, Y, np.nan))
    objective = TrainingObjective(network, rows, 0.1)
    v = np.random.default_rng(1).normal(size=network.size)
    report = check_gradient(
        lambda t: (objective(t)[1] @ v, objective.hvp(t, v)), theta, epsilon=1e-5
    )
    assert report.ok, str(report)
    J, D, _ = objective.normal_equations(theta)
    assert pytest.approx(objective(theta)[0], rel=1e-12) == J
    np.testing.assert_allclose(D, objective(theta)[1], rtol=1e-9, atol=1e-12)
    assert objective.J(theta) == pytest.approx(J, rel=1e-12)
    seen = known.any(axis=1)
    for optimizer in ("lbfgs", "adam", "lm", "newton-cg"):
        how = {"optimizer": optimizer, "lam": 0.1, "max_iter": 5, "theta": theta, "shuffle": False}
        all_rows = train(network, X, np.where(known, Y, np.nan), **how)
        some = train(network, X[seen], np.where(known, Y, np.nan)[seen], **how)
        np.testing.assert_allclose(all_rows.theta, some.theta, rtol=1e-6, atol=1e-8)


def test_what_is_known_by_halves_or_cannot_be_taken_apart_is_refused():
    network, theta, X, Y, known = with_unknown("softmax")
    half = Y.copy()
    half[3, 0] = np.nan
    with pytest.raises(ValueError, match="of each target, 3 columns of Y are known"):
        cost_and_gradient(network, theta, X, half)
    with pytest.raises(ValueError, match="not all 0"):
        cost_and_gradient(network, theta, X, Y * np.nan)
    with pytest.raises(ValueError, match="Y has nan in row 0"):  # one output: the row says nothing
        cost_and_gradient(LINEAR, LINEAR_THETA, [[1.0], [2.0]], [np.nan, 1.0])
    numbers = Network((2, 3), output="identity")
    with pytest.raises(ValueError, match=r"weights must have shape \(9,\), or \(9, 3\)"):
        train(numbers, X, Y, weights=np.ones((9, 2)))
    with pytest.raises(ValueError, match="the kernel knows no weights of single outputs"):
        train(numbers, X, Y, weights=np.ones((9, 3)), engine="kernel")
    own = Cost("own", lambda z: z, lambda z, Y: ((z - Y) ** 2).sum(axis=1) / 2)
    with pytest.raises(ValueError, match="adds up along axis=-1 alone, and 'own' has another"):
        cost_and_gradient(Network((2, 3), output=own), np.zeros(9), X, np.where(known, Y, np.nan))

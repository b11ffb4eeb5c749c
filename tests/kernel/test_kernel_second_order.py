"""The kernel's second derivatives agree with the reference, bit for bit whatever the threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import SMOOTH
from test_kernel import ACTIVATIONS, OUTPUTS, TOLERANCE, close, problem

from chainrule import Network, check_gradient, engine, random_theta
from chainrule.common.types import Stopped
from chainrule.kernel import BUILT, asking
from chainrule.notes import second_order
from chainrule.optimize import lbfgs, lm, vectors

if BUILT:
    from chainrule.kernel import _kernel

pytestmark = pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")


@st.composite
def drawn(draw, outputs=OUTPUTS, most_rows=700):
    """Sizes about multiples of a vector, a panel and a slab; every activation, either dtype."""
    output = draw(st.sampled_from(outputs))
    layers = [draw(st.integers(1, 20)) for _ in range(draw(st.integers(1, 4)))]
    layers.append(draw(st.integers(2 if output == "softmax" else 1, 10)))
    hidden = tuple(draw(st.sampled_from(ACTIVATIONS)) for _ in layers[1:-1])
    m = draw(st.one_of(st.integers(1, 30), st.integers(1, most_rows)))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    seed = draw(st.integers(0, 2**32 - 1))
    return *problem(layers, hidden, output, m, dtype, seed), dtype


@given(drawn(outputs=("identity",), most_rows=300), *2 * [st.booleans()], st.integers(1, 4))
@settings(max_examples=40)
def test_the_normal_equations_agree_with_the_reference(drawn, weighted, regularised, threads):
    network, theta, X, Y, dtype = drawn
    weights = np.random.default_rng(0).random(len(X)).astype(dtype) if weighted else None
    lam = np.random.default_rng(1).random(network.size).astype(dtype) if regularised else None
    wanted = second_order.normal_equations(network, theta, X, Y, weights, lam)
    on = {"engine": "kernel", "threads": threads}
    got = engine.normal_equations(network, theta, X, Y, weights, lam, **on)
    for one, other in zip(got, wanted, strict=True):
        assert close(one, other, TOLERANCE[dtype])
    assert got[2].dtype == got[1].dtype == dtype
    np.testing.assert_array_equal(got[2], got[2].T)


@given(drawn(), st.booleans(), st.integers(1, 4))
@settings(max_examples=100)
def test_the_hessian_vector_product_agrees_with_the_reference(drawn, weighted, threads):
    network, theta, X, Y, dtype = drawn
    rng = np.random.default_rng(0)
    weights = rng.random(len(X)).astype(dtype) if weighted else None
    v = rng.normal(size=network.size).astype(dtype)
    wanted = second_order.hessian_vector(network, theta, v, X, Y, weights)
    on = {"engine": "kernel", "threads": threads}
    got = engine.hessian_vector(network, theta, v, X, Y, weights, **on)
    # A sum is known to the precision of its terms: a cost's bowl, and the bends of the activations
    terms = second_order.hessian_vector(network, theta, v, X, 0 * Y, weights)
    scale = max(np.linalg.norm(wanted), np.linalg.norm(terms), 1e-3)
    assert np.linalg.norm(got.astype(float) - wanted) <= TOLERANCE[dtype] * scale
    assert got.dtype == dtype


@pytest.mark.parametrize("layers", [(1, 5, 1), (30, 10, 7, 3), (20, 47, 1)])
def test_the_same_bits_for_any_number_of_threads(layers):
    network, theta, X, Y = problem(layers, "tanh", "identity", 900)
    v = np.random.default_rng(1).normal(size=network.size)
    squares, products = zip(
        *(
            (
                engine.normal_equations(network, theta, X, Y, threads=threads),
                engine.hessian_vector(network, theta, v, X, Y, threads=threads),
            )
            for threads in (1, 2, 3)
        ),
        strict=True,
    )
    for other in (1, 2):
        for got, wanted in zip(squares[other], squares[0], strict=True):
            np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(products[other], products[0])


@pytest.mark.parametrize("hidden", [g for g in SMOOTH if g in ACTIVATIONS])
def test_both_pass_the_gradient_check(hidden):
    network, theta, X, Y = problem((3, 5, 4, 2), hidden, "identity", 40)
    v = np.random.default_rng(1).normal(size=network.size)

    def slope_along_v(theta):
        _, Delta, _ = engine.accumulate(network, theta, X, Y, engine="kernel")
        return Delta @ v, engine.hessian_vector(network, theta, v, X, Y, engine="kernel")

    def squares(theta):
        return engine.normal_equations(network, theta, X, Y, engine="kernel")[:2]

    for function in (slope_along_v, squares):
        report = check_gradient(function, theta, epsilon=1e-5)
        assert report.ok, str(report)


def test_the_square_of_the_jacobian_is_that_of_its_rows_which_pass_the_gradient_check():
    network = Network((3, 5, 1), hidden="tanh", output="identity")
    theta, X = random_theta(network), np.array([[0.3, -1.0, 2.0]])
    y = engine.predict(network, theta, X) - 1  # the residual is 1: Jac^T r is the row itself

    def residual(theta):
        r = engine.predict(network, theta, X)[0, 0] - y[0, 0]
        return r, engine.normal_equations(network, theta, X, y, engine="kernel")[1] / r

    report = check_gradient(residual, theta, epsilon=1e-5)
    assert report.ok, str(report)
    _, row, H = engine.normal_equations(network, theta, X, y, engine="kernel")
    np.testing.assert_allclose(H, np.outer(row, row), rtol=1e-12)


def test_what_does_not_fit_is_refused():
    network, theta, X, Y = problem((2, 3, 1), "tanh", "sigmoid", 4)
    absolute = Network(network.layers, output="absolute")
    with pytest.raises(ValueError, match="has no residuals"):
        engine.normal_equations(absolute, theta, X, Y)
    with pytest.raises(ValueError, match="theta does not fit the layers"):
        engine.hessian_vector(network, theta, theta[:-1], X, Y)


@settings(max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(0, lbfgs.MOST),
    st.floats(0, 1),
    st.sampled_from([np.float64, np.float32]),
    st.integers(0, 2**32 - 1),
)
def test_the_two_loop_recursion_is_bfgs_of_the_pairs(n, count, longer, dtype, seed):
    rng = np.random.default_rng(seed)
    D = rng.normal(size=n).astype(dtype)
    pairs = []
    for _ in range(count):
        s = rng.normal(size=n).astype(dtype)
        y = s * rng.uniform(0.5, 2, n).astype(dtype)
        pairs.append((s, y, float(s.astype(float) @ y.astype(float))))
    H = np.eye(n)
    if pairs:
        s, y, sy = pairs[-1]
        long, short = np.linalg.norm(s) ** 2 / sy, sy / np.linalg.norm(y) ** 2
        H *= short ** (1 - longer) * long**longer
    for s, y, sy in pairs:  # Nocedal and Wright, (6.17)
        V = np.eye(n) - np.outer(y.astype(float), s) / sy
        H = V.T @ H @ V + np.outer(s.astype(float), s) / sy
    p = lbfgs.direction(D, tuple(pairs), longer)
    assert p.dtype == dtype
    tolerance = 1e-10 if dtype == np.float64 else 1e-4
    assert np.linalg.norm(p - -H @ D) <= tolerance * np.linalg.norm(H, 2) * np.linalg.norm(D)


@settings(max_examples=60)
@given(st.integers(1, 150), st.sampled_from([np.float64, np.float32]), st.integers(0, 2**32 - 1))
def test_the_damped_step_solves_its_equations(n, dtype, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n + 5, n)) * np.exp(rng.normal(size=n))
    H, D = (rows.T @ rows).astype(dtype), rng.normal(size=n).astype(dtype)
    p, scale = np.empty_like(D), H.diagonal().copy()
    share, gain = _kernel.solve_damped(H, scale, 0.1, D, p)
    A = H.astype(float) + 0.1 * np.diag(scale.astype(float))
    left = np.square(np.linalg.cholesky(A).diagonal()) / A.diagonal()
    tolerance = 1e-11 if dtype == np.float64 else 1e-3
    np.testing.assert_allclose(share, left.min(), rtol=tolerance)
    step = np.linalg.solve(A, -D.astype(float))
    roots = np.sqrt(A.diagonal())  # in the scale in which the condition is bounded
    assert np.linalg.norm(roots * (p - step)) <= tolerance * np.linalg.norm(roots * step)
    np.testing.assert_allclose(gain, -D @ step - step @ H.astype(float) @ step / 2, rtol=tolerance)


def test_the_damped_step_says_where_there_is_none():
    zero, one, p = np.zeros(2), np.ones(2), np.empty(2)
    assert _kernel.solve_damped(np.array([[1.0, 2.0], [2.0, 1.0]]), zero, 1, one, p)[0] == -3
    assert _kernel.solve_damped(np.zeros((2, 2)), one, 0, one, p)[0] == 0
    assert np.isnan(_kernel.solve_damped(np.full((2, 2), np.nan), zero, 1, one, p)[0])
    with pytest.raises(ValueError, match="solve_damped takes a square H and vectors as long"):
        _kernel.solve_damped(np.eye(2), zero, 1, np.ones(3), p)


@pytest.mark.parametrize("H", [np.diag([4.0, 1.0]), np.ones((2, 2)), np.diag([1.0, -1.0])])
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_with_and_without_the_kernel_the_damped_step_is_the_same(H, damping, monkeypatch):
    D, scale = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    one = lm.cholesky_step(H, D, scale, damping)
    monkeypatch.setattr(vectors, "BUILT", False)
    other = lm.cholesky_step(H, D, scale, damping)
    assert (one is None) == (other is None)
    if one is not None:
        for got, wanted in zip(one, other, strict=True):
            np.testing.assert_allclose(got, wanted)


def test_the_damped_step_takes_any_order_and_precision_of_H():
    H, D, scale = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0]), np.ones(2)
    p, gain = lm.cholesky_step(H, D, scale, 1.0)
    for other in (np.asfortranarray(H), np.repeat(H, 2, axis=1)[:, ::2]):
        got = lm.cholesky_step(other, D, scale, 1.0)
        np.testing.assert_array_equal(got[0], p)
        assert got[1] == gain
    single = lm.cholesky_step(H.astype(np.float32), D.astype(np.float32), scale, 1.0)
    np.testing.assert_allclose(single[0], p, rtol=1e-6)


def test_the_normal_equations_take_weights_and_lambdas_of_any_precision():
    network, theta, X, Y = problem((2, 3, 2), "tanh", "identity", 20, np.float32)
    rng = np.random.default_rng(0)
    weights, lams = rng.random(20), rng.random(network.size)
    wanted = second_order.normal_equations(network, theta, X, Y, weights, lams)
    got = engine.normal_equations(network, theta, X, Y, weights, lams, engine="kernel")
    for one, other in zip(got, wanted, strict=True):
        assert close(one, other, TOLERANCE[np.float32])
    with pytest.raises(ValueError, match="lams must have one lambda for each component"):
        engine.normal_equations(network, theta, X, Y, None, lams[:-1], engine="kernel")


def test_the_damped_step_of_a_diverged_network_is_none():
    D, scale = np.ones(2), np.ones(2)
    assert lm.cholesky_step(np.diag([np.inf, 1.0]), D, scale, 1.0) is None


def test_a_tiny_gain_is_no_zero_in_float32():
    D = np.full(2, 1e-23, np.float32)
    _, gain = lm.cholesky_step(np.eye(2, dtype=np.float32), D, np.ones(2), 1.0)
    assert gain == pytest.approx(0.75 * 1e-46, rel=1e-5)


def test_a_long_solve_hears_who_asks_it_to_stop():
    n = 1500
    H, ones = np.eye(n), np.ones(n)

    def ask():
        raise Stopped("enough")

    with asking(ask), pytest.raises(Stopped, match="enough"):
        vectors.solve_damped(H, ones, ones, 1.0)
    p, _, _ = vectors.solve_damped(H, ones, ones, 1.0)
    np.testing.assert_allclose(p, -ones / 2)

import naive
import numpy as np
import pytest

from chainrule.costs import COSTS

names = pytest.mark.parametrize("name", COSTS)
Z = np.array([[-3.0, 0.5, 2.0], [0.0, 1.0, -1.0]])
TARGETS = {
    "sigmoid": np.array([[0.0, 1.0, 0.25], [1.0, 1.0, 0.0]]),
    "softmax": np.array([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]]),
    "identity": np.array([[1.0, -2.0, 0.0], [5.0, 0.5, 1.0]]),
    "exp": np.array([[0.0, 3.0, 1.0], [2.0, 0.0, 7.0]]),
}


@names
def test_cost_is_its_definition_from_h(name):
    h = COSTS[name].g(Z)
    np.testing.assert_allclose(h, [naive.H[name](z) for z in Z], rtol=1e-14)
    expected = [
        sum(naive.COST[name](h_k, y_k) for h_k, y_k in zip(h_t, y_t, strict=True))
        for h_t, y_t in zip(h, TARGETS[name], strict=True)
    ]
    np.testing.assert_allclose(COSTS[name].per_example(Z, TARGETS[name]), expected, rtol=1e-13)


@names
def test_delta_is_the_derivative_of_the_cost_by_z(name):
    cost, Y, epsilon = COSTS[name], TARGETS[name], 1e-5
    delta = cost.delta(cost.g(Z), Y)
    for k in range(3):
        e = epsilon * np.eye(3)[k]
        slope = (cost.per_example(Z + e, Y) - cost.per_example(Z - e, Y)) / (2 * epsilon)
        np.testing.assert_allclose(delta[:, k], slope, atol=1e-8)


@pytest.mark.parametrize("name", ["sigmoid", "softmax", "identity"])
def test_extreme_z_is_finite(name):
    z, Y = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    cost = COSTS[name].per_example(z, Y)
    assert np.isfinite(cost).all()
    assert np.isfinite(COSTS[name].delta(COSTS[name].g(z), Y)).all()
    if name == "sigmoid":
        np.testing.assert_array_equal(cost, [0, 2000])
    if name == "softmax":
        np.testing.assert_array_equal(cost, [0, 2000])


@pytest.mark.parametrize(
    ("name", "z", "y", "expected"),
    [
        ("sigmoid", [[40.0, -40.0]], [[1.0, 0.0]], 2 * np.exp(-40.0)),
        ("sigmoid", [[1e4 + 0.5]], [[0.75]], 0.25 * (1e4 + 0.5)),
        ("softmax", [[1e4, 1e4 - 40.0]], [[1.0, 0.0]], np.exp(-40.0)),
        ("softmax", [[0.0, -40.0, -41.0]], [[1.0, 0, 0]], np.exp(-40.0) + np.exp(-41.0)),
    ],
)
def test_a_small_cost_keeps_its_relative_precision(name, z, y, expected):
    cost = COSTS[name].per_example(np.array(z), np.array(y))
    np.testing.assert_allclose(cost, [expected], rtol=1e-14)


def test_exp_beyond_the_range_is_infinite_without_a_warning():
    assert COSTS["exp"].per_example(np.array([[1000.0]]), np.array([[1.0]])) == np.inf


@names
def test_float32_stays_float32(name):
    z, Y = Z.astype(np.float32), TARGETS[name].astype(np.float32)
    h = COSTS[name].g(z)
    assert h.dtype == COSTS[name].per_example(z, Y).dtype == COSTS[name].delta(h, Y).dtype
    assert h.dtype == np.float32

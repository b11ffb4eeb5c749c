import naive
import numpy as np
import pytest

from chainrule import Network
from chainrule.notes import costs
from chainrule.notes.costs import COSTS, find_cost

names = pytest.mark.parametrize("name", COSTS)
Z = np.array([[-3.0, 0.5, 2.0], [0.0, 1.0, -1.0]])
BY_KIND = {
    "classes": np.array([[0.0, 1.0, 0.25], [1.0, 1.0, 0.0]]),
    "distribution": np.array([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]]),
    "numbers": np.array([[1.0, -2.0, 0.0], [5.0, 0.5, 1.0]]),
    "counts": np.array([[0.0, 3.0, 1.0], [2.0, 0.0, 7.0]]),
}
TARGETS = {name: BY_KIND[cost.targets] for name, cost in COSTS.items()}


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


def test_every_name_stands_where_users_look_for_it():
    for name in COSTS:
        assert f'``"{name}"``' in Network.__doc__
    for name in (*COSTS, *costs.WITH_PARAMETERS):
        assert f'``"{name}' in find_cost.__doc__


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


WITH_PARAMETERS = {
    "absolute": np.array([[1.0, -2.0, 0.0], [5.0, 0.5, 1.0]]),
    "huber:0.7": np.array([[-2.9, -2.0, 2.1], [5.0, 0.5, 1.0]]),
    "quantile:0.2,0.5,0.9": np.array([[-2.0, -2.0, -2.0], [3.0, 3.0, 3.0]]),
    "quantile:0.3": np.array([[-2.0, 1.0, 0.0], [3.0, 0.2, 3.0]]),
    "softmax:3": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
}


@pytest.mark.parametrize("name", WITH_PARAMETERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_cost_with_parameters_has_the_delta_of_its_cost(name, dtype):
    cost, Y, epsilon = find_cost(name), WITH_PARAMETERS[name], 1e-6
    delta = cost.delta(cost.g(Z.astype(dtype)), Y.astype(dtype))
    assert delta.dtype == cost.per_example(Z.astype(dtype), Y.astype(dtype)).dtype == dtype
    for k in range(3):
        e = epsilon * np.eye(3)[k]
        slope = (cost.per_example(Z + e, Y) - cost.per_example(Z - e, Y)) / (2 * epsilon)
        np.testing.assert_allclose(delta[:, k], slope, atol=1e-8 if dtype == np.float64 else 1e-6)


def test_costs_with_parameters_are_their_definitions():
    Y = WITH_PARAMETERS["absolute"]
    np.testing.assert_allclose(find_cost("absolute").per_example(Z, Y), np.abs(Z - Y).sum(axis=1))
    small, large = np.array([[0.3]]), np.array([[5.0]])
    assert find_cost("huber").name == "huber:1.0"
    huber = find_cost("huber:2")
    np.testing.assert_allclose(huber.per_example(small, 0 * small), 0.3**2 / 2)
    np.testing.assert_allclose(huber.per_example(large, 0 * large), 2 * (5 - 1))
    quantile = find_cost("quantile:0.2")
    np.testing.assert_allclose(quantile.per_example(large, 0 * large), 0.8 * 5)
    np.testing.assert_allclose(quantile.per_example(-large, 0 * large), 0.2 * 5)
    groups, pair = find_cost("softmax:2,3"), COSTS["softmax"]
    z, y = np.hstack([Z[:, :2], Z]), np.array([[1.0, 0, 0, 1, 0], [0, 1, 1, 0, 0]])
    apart = pair.per_example(z[:, :2], y[:, :2]) + pair.per_example(z[:, 2:], y[:, 2:])
    np.testing.assert_allclose(groups.per_example(z, y), apart)
    np.testing.assert_allclose(groups.g(z), np.hstack([pair.g(z[:, :2]), pair.g(z[:, 2:])]))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("huber:x", "output 'huber:x': could not convert"),
        ("huber:-1", "huber's threshold must be a number > 0"),
        ("quantile:0.5,0.1", "quantiles need rising levels between 0 and 1"),
        ("quantile:", "could not convert"),
        ("softmax:1", "groups of softmax units need whole numbers >= 2"),
        ("hubr:1", "unknown output 'hubr': did you mean 'huber'"),
        ("softmx", "unknown output 'softmx': did you mean 'softmax'"),
        ("quantil", "unknown output 'quantil': did you mean 'quantile'"),
        ("quantile", "quantiles need rising levels between 0 and 1"),
        ("sigmoid:2", "unknown output with parameters 'sigmoid'"),
    ],
)
def test_a_wrong_name_or_parameter_is_named(name, message):
    with pytest.raises(ValueError, match=message):
        find_cost(name)

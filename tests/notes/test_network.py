import dataclasses

import numpy as np
import pytest

from chainrule import Network
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.costs import COSTS

NAN, INF = float("nan"), float("inf")


def test_sizes_are_the_notes():
    network = Network([5, 4, 3, 2])
    assert network.layers == (5, 4, 3, 2)
    assert (network.L, network.K) == (4, 2)
    assert network.shapes == ((4, 6), (3, 5), (2, 4))
    assert network.size == 24 + 15 + 8


def test_a_network_is_a_value():
    assert Network((2, 3, 1)) == Network([np.int64(2), 3, 1])
    assert len({Network((2, 3, 1)), Network((2, 3, 1)), Network((2, 3, 1), hidden="tanh")}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        Network((2, 1)).layers = (3, 1)


def test_one_activation_for_all_or_one_for_each():
    assert [g.name for g in Network((2, 3, 4, 1), hidden="tanh").activations] == ["tanh", "tanh"]
    mixed = Network((2, 3, 4, 1), hidden=["relu", ACTIVATIONS["elu"]], output=COSTS["exp"])
    assert [g.name for g in mixed.activations] == ["relu", "elu"]
    assert mixed.cost is COSTS["exp"]


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ((2, 5), {"output": "quantile:0.1,0.9"}, "needs a multiple of 2 output units, got 5"),
        ("400", {}, r"layers must be a sequence such as \(400, 25, 10\), not '400'"),
        (5, {}, "layers must be a sequence"),
        ((5,), {}, r"layers needs at least inputs and outputs, got \(5,\)"),
        ((5, 0, 1), {}, "layer 2 must have a whole number >= 1 of units: 0"),
        ((5, 2.5, 1), {}, "layer 2 must have a whole number >= 1 of units: 2.5"),
        ((True, 1), {}, "layer 1 must have a whole number"),
        ((2, 3, 1), {"hidden": "sigmiod"}, "unknown activation 'sigmiod': did you mean 'sigmoid'"),
        ((2, 3, 1), {"hidden": None}, "unknown activation None"),
        ((2, 1), {"hidden": "sigmiod"}, "unknown activation 'sigmiod'"),
        ((2, 3, 1), {"hidden": ("relu", "tanh")}, r"hidden names 2 activations, but .* has 1 hid"),
        ((2, 3, 1), {"output": "sofmax"}, "unknown output 'sofmax': did you mean 'softmax'"),
        ((2, 3, 1), {"output": "softmax"}, "needs at least 2 output units, got 1: .*sigmoid"),
    ],
)
def test_network_refuses(layers, options, message):
    with pytest.raises(ValueError, match=message):
        Network(layers, **options)


X = np.zeros((6, 4))
CODES = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    ("Y", "options", "layers", "output"),
    [
        (CODES, {}, (4, 25, 3), "sigmoid"),
        (CODES, {"output": "softmax"}, (4, 25, 3), "softmax"),
        (CODES % 2, {}, (4, 25, 1), "sigmoid"),
        (CODES % 2 == 1, {}, (4, 25, 1), "sigmoid"),
        (CODES % 2, {"output": "softmax"}, (4, 25, 2), "softmax"),
        (CODES / 3, {}, (4, 25, 1), "identity"),
        (CODES, {"output": "exp"}, (4, 25, 1), "exp"),
        (CODES, {"output": "identity"}, (4, 25, 1), "identity"),
        (np.eye(6), {}, (4, 25, 6), "sigmoid"),
        (3 * np.eye(6), {}, (4, 25, 6), "identity"),
        (CODES, {"hidden_layers": 3, "hidden_units": 7}, (4, 7, 7, 7, 3), "sigmoid"),
        (CODES, {"hidden_layers": 0}, (4, 3), "sigmoid"),
    ],
)
def test_for_data_gives_the_notes_defaults_and_takes_the_targets(Y, options, layers, output):
    network = Network.for_data(X, Y, **options)
    assert network.layers == layers
    assert network.cost.name == output
    assert network.check_targets(Y, 6).shape == (6, network.K)


@pytest.mark.parametrize(
    ("X", "Y", "options", "message"),
    [
        (X, CODES[:4], {}, r"X must be \(m, n\) and Y .* got \(6, 4\) and \(4,\)"),
        (X[0], CODES, {}, r"got \(4,\) and \(6,\)"),
        (X[:0], CODES[:0], {}, "m >= 1"),
        (X, CODES, {"hidden_layers": -1}, "hidden_layers must be a whole number >= 0, got -1"),
        (X, CODES, {"hidden_units": 0}, "layer 2 must have a whole number >= 1 of units: 0"),
    ],
)
def test_for_data_refuses(X, Y, options, message):
    with pytest.raises(ValueError, match=message):
        Network.for_data(X, Y, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_that_conform_are_returned_as_they_are(dtype):
    network = Network((2, 1))
    X, Y, theta = np.ones((3, 2), dtype), np.ones((3, 1), dtype), np.ones(3, dtype)
    assert network.check_inputs(X) is X
    assert np.shares_memory(network.check_targets(Y, 3), Y)
    assert network.check_theta(theta) is theta


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float16])
def test_other_numbers_become_float64(dtype):
    assert Network((2, 1)).check_inputs(np.ones((3, 2), dtype)).dtype == np.float64


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, 2.0, 3.0]], r"X must have shape \(m, 2\) .* one example a row; got \(1, 3\)"),
        ([1.0, 2.0], r"got \(2,\)"),
        (np.empty((0, 2)), "with m >= 1"),
        ([[1, 2], [3, NAN]], r"X has nan in row 1, column 1 \(counted from 0\)"),
        ([[INF, 2]], "X has inf in row 0, column 0"),
        ([["a", "b"]], "X must hold numbers, got <U1"),
        ([[1j, 0]], "X must hold numbers, got complex128"),
        ([[1, 2], [3]], "X must be a rectangular array of numbers"),
        (np.array([[1, None]]), "X must hold numbers, got object"),
    ],
)
def test_inputs_refuses(X, message):
    with pytest.raises(ValueError, match=message):
        Network((2, 1)).check_inputs(X)


def test_large_finite_inputs_are_not_taken_for_infinite():
    X = np.full((4, 2), 3e38, dtype=np.float32)  # their sum overflows
    assert Network((2, 1)).check_inputs(X) is X


def test_codes_become_one_hot():
    expected = [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    for dtype in (np.uint8, np.int64):
        Y = Network((2, 3)).check_targets(np.array([0, 2, 1], dtype), 3)
        np.testing.assert_array_equal(Y, expected)


def test_a_vector_is_one_column_of_one_output():
    Y = Network((2, 1), output="identity").check_targets([1, -2, 3], 3)
    np.testing.assert_array_equal(Y, [[1.0], [-2.0], [3.0]])


@pytest.mark.parametrize(
    ("K", "output", "Y", "message"),
    [
        (1, "sigmoid", [0, 1], r"X has 3 rows and Y has shape \(2,\)"),
        (1, "sigmoid", 1, r"Y has shape \(\)"),
        (1, "sigmoid", [0, 1, 2], r"needs every y in \[0, 1\], got values from 0 to 2"),
        (1, "sigmoid", [0, 1, NAN], "Y has nan in row 2, column 0"),
        (1, "sigmoid", ["a", "b", "c"], "Y must hold numbers, got <U1"),
        (1, "identity", [[1], [2], [3, 4]], "Y must be a rectangular array of numbers"),
        (1, "identity", [[1, 2]] * 3, r"Y must have shape \(3, 1\), got \(3, 2\)"),
        (3, "sigmoid", [0, 1, 3], "Y has the class code 3, but this network's codes are 0 to 2"),
        (3, "softmax", [0, -1, 2], "Y has the class code -1"),
        (3, "sigmoid", [0.0, 1.0, 2.0], r"Y must be \(m,\) integer codes 0..K-1 or of shape \(3,"),
        (3, "identity", [0, 1, 2], r"has 3 outputs: Y must be of shape \(3, 3\), got \(3,\)"),
        (2, "softmax", [[1, 0], [0, 1], [1, 1]], "needs every row of Y to add up to 1"),
        (2, "softmax", [[1, 0], [0, 1], [2, -1]], r"needs every y in \[0, 1\]"),
        (1, "exp", [0, 5, -1], r"output='exp' needs every y in \[0, inf\], got values from -1"),
    ],
)
def test_targets_refuses(K, output, Y, message):
    with pytest.raises(ValueError, match=message):
        Network((2, K), output=output).check_targets(Y, 3)


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        (np.zeros(4), r"theta must have shape \(3,\) for layers \(2, 1\), got \(4,\)"),
        (np.zeros((3, 1)), r"got \(3, 1\)"),
        ([0.0, NAN, 0.0], r"theta has nan in position 1 \(counted from 0\)"),
        (["a", "b", "c"], "theta must hold numbers"),
    ],
)
def test_theta_refuses(theta, message):
    with pytest.raises(ValueError, match=message):
        Network((2, 1)).check_theta(theta)


def test_the_outputs_of_one_target_are_known_and_weighed_together():
    network = Network((1, 3), output="softmax")
    Y = np.eye(3)
    weights = np.ones((3, 3))
    weights[1] = 2.0
    np.testing.assert_array_equal(network.known_targets(Y, 3, weights)[1], weights)
    weights[1, 2] = 1.0
    with pytest.raises(ValueError, match="of each target, 3 columns of Y are known"):
        network.known_targets(Y, 3, weights)

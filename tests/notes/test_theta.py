import numpy as np
import pytest
from hypothesis import given
from problems import problems

from chainrule import Network, random_theta, reshape, unroll
from chainrule.notes.theta import blocks, identical_units


def octave_example():
    """Return the notes' 10x11, 10x11, 1x11, and Octave's [Theta1(:); Theta2(:); Theta3(:)]."""
    Thetas = [np.arange(110.0).reshape(10, 11), -np.arange(110.0).reshape(10, 11)]
    Thetas.append(100 * np.arange(11.0).reshape(1, 11))
    # (:) goes down the columns: all rows of the first column, then of the second ...
    vector = [Theta[i, j] for Theta in Thetas for j in range(11) for i in range(len(Theta))]
    return Thetas, np.array(vector)


def test_unroll_is_octaves_order_on_the_notes_example():
    Thetas, vector = octave_example()
    np.testing.assert_array_equal(unroll(Thetas), vector)
    assert len(vector) == 231


def test_reshape_is_octaves_order_on_the_notes_example():
    Thetas, vector = octave_example()
    for Theta, expected in zip(reshape(Network((10, 10, 10, 1)), vector), Thetas, strict=True):
        np.testing.assert_array_equal(Theta, expected)
    # thetaVector(1:110), (111:220), (221:231)
    np.testing.assert_array_equal(vector[110:220].reshape(10, 11, order="F"), Thetas[1])


@given(problems())
def test_unroll_and_reshape_are_each_others_inverse_and_share_memory(problem):
    network, theta = problem.network, problem.theta
    Thetas = reshape(network, theta)
    assert tuple(Theta.shape for Theta in Thetas) == network.shapes
    assert all(np.shares_memory(Theta, theta) for Theta in Thetas)
    again = unroll(Thetas)
    np.testing.assert_array_equal(again, theta)
    assert np.shares_memory(again, theta)
    apart = [Theta.copy() for Theta in Thetas]
    np.testing.assert_array_equal(unroll(apart), theta)


def test_writing_to_a_view_writes_to_theta():
    network = Network((2, 3, 1))
    theta = np.zeros(13)
    reshape(network, theta)[1][0, 2] = 7.0
    assert theta[11] == 7.0
    blocks(network, theta)[0][0] = 5.0  # the biases of layer 2
    np.testing.assert_array_equal(theta[:3], 5.0)


def test_unroll_of_a_part_of_a_longer_vector_is_that_part():
    longer = np.arange(20.0)
    part = unroll(reshape(Network((2, 3, 1)), longer[4:17]))
    np.testing.assert_array_equal(part, longer[4:17])
    assert np.shares_memory(part, longer)


def test_unroll_copies_where_the_matrices_are_not_in_order():
    network = Network((2, 2, 2))
    Theta1, Theta2 = reshape(network, np.arange(12.0))
    swapped = unroll([Theta2, Theta1])
    np.testing.assert_array_equal(swapped, [*range(6, 12), *range(6)])


@pytest.mark.parametrize(
    ("Thetas", "message"),
    [
        ([], "unroll takes a list of matrices"),
        ([np.zeros(3)], r"got shapes \[\(3,\)\]"),
        (
            [np.zeros((4, 3)), np.zeros((1, 4))],
            r"Theta\(2\) of shape \(1, 4\) does not follow Theta\(1\) of shape \(4, 3\): "
            r"it needs 4 \+ 1 columns",
        ),
    ],
)
def test_unroll_refuses(Thetas, message):
    with pytest.raises(ValueError, match=message):
        unroll(Thetas)


def test_random_theta_fills_the_notes_interval_and_follows_its_seed():
    network = Network((400, 25, 10))
    theta = random_theta(network, seed=3)
    for Theta, (inn, out) in zip(reshape(network, theta), [(400, 25), (25, 10)], strict=True):
        e = np.sqrt(6) / np.sqrt(inn + out)
        assert 0.98 * e < abs(Theta).max() <= e
    np.testing.assert_array_equal(theta, random_theta(network, seed=3))
    assert (theta != random_theta(network, seed=4)).all()
    assert (random_theta(network, seed=None) != random_theta(network, seed=None)).all()
    narrow = random_theta(network, seed=3, dtype=np.float32)
    assert narrow.dtype == np.float32
    np.testing.assert_array_equal(narrow, theta.astype(np.float32))


def test_identical_units_names_the_layer_and_the_units():
    network = Network((3, 4, 5, 2))
    theta = random_theta(network)
    assert identical_units(network, theta) is None
    _, Theta2, Theta3 = reshape(network, theta)
    Theta2[4] = Theta2[1]
    assert identical_units(network, theta) is None  # their weights out still differ
    Theta3[:, 5] = Theta3[:, 2]
    assert identical_units(network, theta) == (3, 2, 5)
    into = blocks(network, theta)[1]
    into[0, 1], into[0, 4], into[0, 2] = 0.0, -0.0, 2.0  # whose bytes lie between those of 0 and -0
    assert identical_units(network, theta) == (3, 2, 5)


def test_a_network_without_hidden_units_has_no_identical_ones():
    assert identical_units(Network((3, 2)), np.zeros(8)) is None

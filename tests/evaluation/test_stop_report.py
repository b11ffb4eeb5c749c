"""The stop report counts what cannot learn, and suggests one thing, the most urgent first."""

import numpy as np
import pytest

from chainrule import Network, cost_and_gradient, random_theta
from chainrule.evaluation.stop_report import stop_report
from chainrule.notes.theta import blocks

RNG = np.random.default_rng(0)
X, Y = RNG.uniform(-1, 1, size=(30, 3)), RNG.integers(0, 2, size=(30, 2)).astype(float)


def network_with(hidden, bias):
    """Return a network, and theta with this bias in three of its five hidden units."""
    network = Network((3, 5, 2), hidden=hidden)
    theta = random_theta(network, 1)
    blocks(network, theta)[0][0] = [bias, bias, bias, 0.5, 0.5]
    return network, theta


def test_a_relu_that_is_off_for_every_example_is_dead():
    report = stop_report(*network_with("relu", -9.0), X, Y, why="stopped")
    assert report.dead == (3,)
    assert report.saturated == (0,)
    assert "leaky_relu" in report.suggestion
    assert "layer 2: 3 of 5 units dead" in str(report).splitlines()


def test_a_unit_with_next_to_no_slope_is_saturated():
    report = stop_report(*network_with("tanh", 9.0), X, Y, why="stopped")
    assert report.dead == (0,)
    assert report.saturated == (3,)
    assert "smaller initial weights" in report.suggestion


def test_a_unit_that_one_example_switches_on_is_not_dead():
    network, theta = network_with("relu", -9.0)
    far = 100 * blocks(network, theta)[0][1:, 0]  # along the weights into unit 1
    report = stop_report(network, theta, np.vstack([X, far]), np.vstack([Y, Y[:1]]), why="stopped")
    assert report.dead[0] < 3


def test_inputs_far_from_order_one_come_first():
    network, theta = network_with("relu", -1e6)
    report = stop_report(network, theta, X * [1, 1, 50] + [0, 200, 0], Y, why="stopped")
    assert report.dead[0] >= 3
    assert report.badly_scaled == (1, 2)
    assert report.suggestion == "standardise the inputs"
    assert "2 of 3 inputs far from order 1: input 1 first" in str(report)


@pytest.mark.parametrize(
    ("converged", "suggestion"), [(False, "more iterations"), (True, "nothing stands out")]
)
def test_where_nothing_stands_out_convergence_decides(converged, suggestion):
    network, theta = network_with("tanh", 0.0)
    weights = RNG.random(30)
    report = stop_report(
        network, theta, X, Y, why="so", weights=weights, lam=0.5, converged=converged
    )
    assert report.suggestion.startswith(suggestion)
    assert str(report).startswith("so\ngradient norm ")


def test_the_gradient_norm_is_that_of_the_notes_D():
    network, theta = network_with("tanh", 0.0)
    report = stop_report(network, theta, X, Y, why="so", lam=0.5)
    _, D = cost_and_gradient(network, theta, X, Y, 0.5)
    assert report.gradient_norm == pytest.approx(np.linalg.norm(D))

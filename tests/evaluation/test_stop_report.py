"""The stop report counts what cannot learn, and suggests one thing, the most urgent first."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from chainrule import Network, cost_and_gradient, random_theta
from chainrule.evaluation.stop_report import far_targets, stop_report
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


NUMBERS = Network((3, 5, 2), hidden="tanh", output="identity")


@pytest.mark.parametrize(
    ("scale", "offset"), [(1e6, 0.0), (1e-6, 0.0), (1.0, 1e4), (1.0, -30.0), (0.1, 5.0)]
)
def test_y_far_from_order_one_is_named(scale, offset):
    far = RNG.normal(size=(30, 2)) * [1.0, scale] + [0.0, offset]
    report = stop_report(NUMBERS, random_theta(NUMBERS, 0), X, far, why="so")
    assert report.badly_scaled_targets == (1,)
    assert report.suggestion == "standardise y (scale_y=True)"
    assert "y of 1 of 2 outputs far from order 1: output 1 first" in str(report)
    both = stop_report(NUMBERS, random_theta(NUMBERS, 0), 1e3 * X, far, why="so")
    assert both.suggestion == "standardise the inputs and y (scale_y=True)"
    inside = stop_report(NUMBERS, random_theta(NUMBERS, 0), X, far, why="so", settings=())
    assert inside.suggestion == "more iterations"


def test_y_of_order_one_constant_y_and_classes_are_no_fault():
    for y in (RNG.normal(size=(30, 2)), np.full((30, 2), 7e3)):
        report = stop_report(NUMBERS, random_theta(NUMBERS, 0), X, y, why="so")
        assert report.badly_scaled_targets == ()
    weights = np.r_[np.ones(29), 0]
    spoilt = np.vstack([RNG.normal(size=(29, 2)), [[1e9, 1e9]]])
    assert far_targets(spoilt, weights) == ()
    assert far_targets(spoilt, np.c_[weights, np.ones(30)]) == (1,)
    rare = np.zeros((30, 2))
    rare[0] = 1.0
    network = Network((3, 5, 2), hidden="tanh")
    assert (
        stop_report(network, random_theta(network, 0), X, rare, why="").badly_scaled_targets == ()
    )


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_small_inputs_are_far_from_order_one_but_not_rare_or_constant_ones(form):
    network = Network((5, 4, 2), hidden="tanh")
    inputs = np.c_[RNG.normal(size=30), 1e-3 * RNG.normal(size=(30, 2)), np.full(30, 0.01), X[:, 0]]
    inputs[2:, 2] = 0
    report = stop_report(network, random_theta(network, 0), form(inputs), Y, why="so")
    assert report.badly_scaled == (1,)
    assert report.suggestion == "standardise the inputs"


@pytest.mark.parametrize(
    ("hidden", "bias", "settings", "words"),
    [
        ("relu", -9.0, ("learning rate",), "a smaller learning rate, or an activation"),
        ("relu", -9.0, (), "an activation that"),
        ("tanh", 9.0, ("regularisation",), "smaller initial weights, or more regularisation"),
        ("tanh", 9.0, (), "smaller initial weights"),
    ],
)
def test_only_settings_that_the_solver_has_are_suggested(hidden, bias, settings, words):
    report = stop_report(*network_with(hidden, bias), X, Y, why="so", settings=settings)
    assert report.suggestion.startswith(words)
    assert ("learning rate" in report.suggestion) == ("learning rate" in settings)
    assert ("regularisation" in report.suggestion) == ("regularisation" in settings)


def test_after_a_divergence_more_iterations_are_no_help():
    why = "diverged: the loss is not finite in iteration 3"
    report = stop_report(*network_with("tanh", 0.0), X, Y, why=why)
    assert report.suggestion == "a smaller learning rate"

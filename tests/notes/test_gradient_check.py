from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from problems import near_a_kink, problems, targets

from chainrule import (
    Network,
    accumulate,
    check_gradient,
    cost_and_gradient,
    finish,
    numerical_gradient,
    random_theta,
)
from chainrule.common.types import Stopped
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.costs import COSTS
from chainrule.notes.gradient_check import compare
from chainrule.notes.theta import blocks
from chainrule.training.checked import check_before_training


def objective_of(network, X, Y, lam):
    return lambda theta: cost_and_gradient(network, theta, X, Y, lam)


@settings(max_examples=200)
@given(problems())
def test_backpropagation_agrees_with_the_central_difference(problem):
    network, theta, X, Y, lam = problem
    epsilon = 1e-4
    assume(not near_a_kink(network, theta, X, epsilon))
    J, D = cost_and_gradient(network, theta, X, Y, lam)
    objective = objective_of(network, X, Y, lam)
    wide, near = (numerical_gradient(objective, theta, e) for e in (epsilon, epsilon / 2))
    num = (4 * near - wide) / 3  # Richardson: without the error of J's third derivative
    allowed = 1e-7 * (np.linalg.norm(D) + np.linalg.norm(num))
    rounding = 10 * np.finfo(float).eps * abs(J) / epsilon * (4 * 2 + 1) / 3
    assert np.linalg.norm(D - num) <= allowed + rounding * np.sqrt(len(D))


@given(problems())
def test_check_gradient_passes_what_is_right_and_prints_it_by_layer(problem):
    network, theta, X, Y, lam = problem
    assume(not near_a_kink(network, theta, X))
    report = compare(objective_of(network, X, Y, lam), theta, network=network)
    assert report
    assert [part.name for part in report.parts] == [
        f"Theta({l}) {part}" for l in range(1, network.L) for part in ("bias", "weights")
    ]
    assert sum(part.stop - part.start for part in report.parts) == network.size
    assert str(report).startswith(f"gradient check passed: {network.size} components")


def bowl(theta):
    return float(theta @ theta), 2 * theta


def test_a_wrong_component_is_found_and_named():
    def objective(theta):
        J, D = bowl(theta)
        return J, D + 1e-3 * (np.arange(len(D)) == 4)

    report = check_gradient(objective, np.linspace(0.5, 1, 7))
    assert not report
    assert report.where == 4
    assert "FAILED" in str(report)


def test_directions_find_a_wrong_gradient_of_a_large_theta():
    theta = np.random.default_rng(0).uniform(-1, 1, 20_000)
    assert check_gradient(bowl, theta, directions=5)
    report = check_gradient(lambda theta: (bowl(theta)[0], 2.001 * theta), theta, directions=5)
    assert not report
    assert len(report.D) == 5
    assert "5 random directions" in str(report)


def test_a_zero_gradient_of_a_constant_is_compared_like_any_other():
    report = compare(lambda theta: (3.0, np.zeros(2)), [1.0, 2.0])
    assert report
    assert report.largest_relative_error == 0.0


@pytest.mark.parametrize(
    ("objective", "theta", "options", "message"),
    [
        (bowl, [[1.0]], {}, r"theta must be a flat vector .* got shape \(1, 1\)"),
        (bowl, [], {}, r"got shape \(0,\)"),
        (bowl, [1.0], {"epsilon": 0}, "epsilon must be a number greater than 0, or 'auto', got 0"),
        (bowl, [1.0], {"directions": 0}, "directions must be at least 1, got 0"),
        (lambda t: (1.0, np.zeros((1, 1))), [1.0], {}, r"gradient has shape \(1, 1\), theta has"),
        (lambda t: (np.nan, t), [1.0], {}, "not finite at theta"),
        (lambda t: (1.0, t * np.inf), [1.0], {}, "not finite at theta"),
    ],
)
def test_check_gradient_refuses(objective, theta, options, message):
    with pytest.raises(ValueError, match=message):
        check_gradient(objective, theta, **options)


@pytest.mark.parametrize("epsilon", [1e-4, "auto"])
@pytest.mark.parametrize("directions", [None, 2])
def test_a_check_ends_where_stop_says_so(epsilon, directions):
    """Whatever is being computed: the epsilon, the slopes, a search for the wrong component."""
    theta = np.linspace(0.5, 1, 7)

    def wrong(theta):
        return bowl(theta)[0], 1.1 * bowl(theta)[1]

    options = {"epsilon": epsilon, "directions": directions}
    whole = compare(wrong, theta, **options).n_eval
    for most in range(whole):
        evaluations = []

        def objective(theta, evaluations=evaluations):
            evaluations.append(theta)
            return wrong(theta)

        with pytest.raises(Stopped):
            compare(objective, theta, **options, stop=lambda n=most, e=evaluations: len(e) >= n)
        assert len(evaluations) == most
    assert compare(wrong, theta, **options, stop=lambda: False).n_eval == whole


def test_a_numerical_gradient_ends_where_stop_says_so():
    with pytest.raises(Stopped):
        numerical_gradient(bowl, [1.0, 2.0], stop=lambda: True)
    np.testing.assert_allclose(numerical_gradient(bowl, [1.0], stop=lambda: False), [2.0])


# The check that every training starts with.


def training_problem(rng):
    """Draw what users train: any sizes, activations, scales of X, targets, lambda, dtype."""
    output = rng.choice(list(COSTS))
    middle = tuple(rng.integers(1, 40, size=rng.integers(0, 4)))
    hidden = tuple(rng.choice(list(ACTIVATIONS)) for _ in middle)
    K = rng.integers(2 if output == "softmax" else 1, 12)
    network = Network((rng.integers(1, 60), *middle, K), hidden=hidden, output=output)
    # h = e^z is beyond any number for inputs in the thousands: there J itself is infinite
    scale = 10 ** rng.uniform(-3, 0 if output == "exp" else 4)
    m = rng.integers(1, 60)
    X = (scale * rng.normal(size=(m, network.layers[0]))).astype(
        rng.choice([np.float32, np.float64])
    )
    Y = targets(rng, network, m)
    if output == "identity":
        Y = 10 ** rng.uniform(-3, 6) * Y
    lam = rng.choice([0.0, 1e-4, 0.1, 1.0, 100.0])
    return network, random_theta(network, int(rng.integers(2**31))), X, Y, float(lam)


def never_fails(seeds):
    failed = []
    for seed in seeds:
        problem = training_problem(np.random.default_rng(seed))
        report = check_before_training(*problem, seed=seed)
        if not report:
            failed.append(f"seed {seed}: {problem[0]}\n{report}")
    assert not failed, f"{len(failed)} of {len(seeds)}\n" + "\n".join(failed[:5])


def test_the_check_before_training_passes_correct_code():
    never_fails(range(300))


@pytest.mark.slow
def test_the_check_before_training_never_fails_correct_code():
    never_fails(range(10_000))


def test_a_network_that_is_certain_of_every_class_passes():
    X, Y = np.ones((3, 1)), np.tile([0.0, 1.0], (3, 1))
    network = Network((1, 2), output="softmax")
    theta = np.array([-60.0, 119.0, 0.1, 0.2])  # J and D are about 1e-78
    assert check_before_training(network, theta, X, Y)


def without_g_prime(network, theta, X, Y, **on):
    linear = [replace(g, g_prime=np.ones_like) for g in network.activations]
    wrong = Network(network.layers, hidden=linear, output=network.output)
    return accumulate(wrong, theta, X, Y)


def scaled_layer(layer, part, factor):
    def wrong(network, theta, X, Y, **on):
        cost, Delta, m = accumulate(network, theta, X, Y)
        blocks(network, Delta)[layer][part] *= factor
        return cost, Delta, m

    return wrong


def one_example_forgotten(network, theta, X, Y, **on):
    cost, _, m = accumulate(network, theta, X, Y)
    return cost, accumulate(network, theta, X[1:], Y[1:])[1], m


def delta_reversed_in_sign(network, theta, X, Y, **on):
    cost, Delta, m = accumulate(network, theta, X, Y)
    return cost, -Delta, m


def bias_regularised(network, theta, cost, Delta, m, lam):
    J, D = finish(network, theta, cost, Delta, m, lam)
    for D_T, Theta_T in zip(blocks(network, D), blocks(network, theta), strict=True):
        D_T[0] += lam / m * Theta_T[0]
    return J, D


def one_over_m_forgotten(network, theta, cost, Delta, m, lam):
    J, D = finish(network, theta, cost, Delta, m, lam)
    return J, m * D


def lambda_forgotten(network, theta, cost, Delta, m, lam):
    J, _ = finish(network, theta, cost, Delta.copy(), m, lam)
    return J, Delta / m


def lambda_without_one_over_m(network, theta, cost, Delta, m, lam):
    J, D = finish(network, theta, cost, Delta.copy(), m, lam)
    return J, Delta / m + m * (D - Delta / m)


BIAS, WEIGHTS = 0, slice(1, None)
WRONG = {
    "accumulate": [
        without_g_prime,
        one_example_forgotten,
        delta_reversed_in_sign,
        *(scaled_layer(layer, WEIGHTS, 1.001) for layer in range(2)),
        *(scaled_layer(layer, BIAS, 1.01) for layer in range(2)),
        scaled_layer(1, (WEIGHTS, 0), 1.01),
    ],
    "finish_spread": [
        bias_regularised,
        one_over_m_forgotten,
        lambda_forgotten,
        lambda_without_one_over_m,
    ],
}


@pytest.mark.parametrize(
    ("layers", "hidden"),
    [
        ((2, 3, 2), "tanh"),
        ((64, 25, 10), "relu"),
        ((400, 25, 10), "sigmoid"),
        ((784, 300, 10), "sigmoid"),
    ],
)
@pytest.mark.parametrize(
    ("where", "wrong"), [(where, wrong) for where in WRONG for wrong in WRONG[where]]
)
def test_the_check_before_training_catches_wrong_code(layers, hidden, where, wrong, monkeypatch):
    rng = np.random.default_rng(1)
    network = Network(layers, hidden=hidden)
    X, Y = rng.uniform(0, 1, (30, layers[0])), targets(rng, network, 30)
    theta = random_theta(network)
    assert check_before_training(network, theta, X, Y, lam=1.0)
    stand_in = wrong
    if where == "finish_spread":  # takes lambda spread over theta, and no network

        def stand_in(theta, cost, Delta, m, lams):
            return wrong(network, theta, cost, Delta, m, 1.0)

    monkeypatch.setattr(f"chainrule.training.checked.{where}", stand_in)
    assert not check_before_training(network, theta, X, Y, lam=1.0)

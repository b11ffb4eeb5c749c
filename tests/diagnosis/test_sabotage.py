"""The suite of wrong backpropagations is what it says: each is wrong, and wrong in its own way."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from sabotage import MISTAKES, PAIRS, SINGLES, SUITE, read
from sabotage.correct import KINDS

from chainrule import Network, check_gradient, cost_and_gradient

# Their gradient is right: J is wrong, or the point, the arithmetic, the data of the moment.
GRADIENT_RIGHT = {"cost-inconsistent", "not-differentiable", "not-deterministic", "precision"}


def network_of(arguments):
    layers, hidden, output = arguments["network"]
    return Network(layers, hidden=hidden, output=output)


def reference(arguments, theta):
    return cost_and_gradient(
        network_of(arguments), theta, arguments["X"], arguments["Y"], arguments["lam"]
    )


def canonical(entry):
    """Return (J, grad) of an entry with theta and grad in the notes' order."""
    numbered = read(np.arange(entry.theta.size), entry.setting().layers, entry.order)
    place = np.concatenate([Theta.ravel(order="F") for Theta in numbered])
    theta = np.empty_like(entry.theta)
    theta[place] = entry.theta  # place[i]: where the learner has the notes' component i
    J, grad = entry.cost(theta)
    return J, grad[place]


def distance(D, other):
    return np.linalg.norm(D - other) / (np.linalg.norm(D) + np.linalg.norm(other))


by_name = pytest.mark.parametrize("entry", SUITE, ids=lambda entry: entry.name)
by_kind = pytest.mark.parametrize("kind", KINDS)


def test_the_suite_has_its_size():
    assert len(SINGLES) >= 93
    assert len(PAIRS) >= 23
    assert len({entry.name for entry in SUITE}) == len(SUITE)
    assert all(len(entry.mistakes) in (1, 2) for entry in SUITE)
    assert len(KINDS) >= 20


def test_every_mistake_is_there_alone_and_more_than_once():
    alone = Counter(entry.mistakes[0] for entry in SINGLES)
    assert alone.keys() == set(MISTAKES)
    assert min(alone.values()) >= 2
    assert {name for entry in PAIRS for name in entry.mistakes} <= set(MISTAKES)


@by_name
def test_the_check_fails(entry):
    assert not check_gradient(entry.cost, entry.theta).ok
    assert np.abs(entry.theta).max() <= 1


@by_name
def test_the_reference_agrees_where_the_learner_fails(entry):
    arguments = entry.arguments
    theta = entry.setting().theta
    assert check_gradient(lambda theta: reference(arguments, theta), theta).ok


@by_name
def test_only_what_is_said_to_be_wrong_is_wrong(entry):
    J, D = canonical(entry)
    J_right, D_right = reference(entry.arguments, entry.theta)
    mistakes = set(entry.mistakes)
    if mistakes == {"not-deterministic"}:
        assert entry.cost(entry.theta)[0] != entry.cost(entry.theta)[0]
        return
    if "cost-inconsistent" in mistakes:
        assert abs(J - J_right) > 0.01 * J_right
    else:
        np.testing.assert_allclose(J, J_right, rtol=1e-6)
    if mistakes - GRADIENT_RIGHT:
        assert distance(D, D_right) > 0.001  # a mistake, not a rounding error
    elif not entry.at_kink:
        np.testing.assert_allclose(D, D_right, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "entry", [entry for entry in SUITE if entry.at_kink], ids=lambda entry: entry.name
)
def test_off_its_kink_a_relu_is_right(entry):
    theta = entry.setting().theta
    assert check_gradient(entry.cost, theta).ok
    assert not check_gradient(entry.cost, entry.theta).ok


def test_no_two_are_the_same():
    for one, other in combinations(SUITE, 2):
        if one.setting is other.setting and one.theta.tolist() == other.theta.tolist():
            (J, D), (J_other, D_other) = canonical(one), canonical(other)
            same = abs(J - J_other) < 1e-9 and distance(D, D_other) < 1e-9
            assert not same, f"{one.name} is {other.name}"


@by_kind
@pytest.mark.parametrize("seed", range(3))
def test_correct_ones_agree_with_the_numerical_gradient(kind, seed):
    objective, theta, arguments = KINDS[kind](seed)
    report = check_gradient(objective, theta)
    assert report.ok, report
    network_of(arguments).check_targets(arguments["Y"], len(arguments["X"]))


@by_kind
def test_correct_ones_agree_with_the_reference(kind):
    objective, theta, arguments = KINDS[kind](0)
    J, D = objective(theta)
    J_right, D_right = reference(arguments, theta)
    if kind.endswith("_by_row"):
        assert abs(J - J_right) > 1e-3  # another order of theta: another point
    else:
        np.testing.assert_allclose(J, J_right, rtol=1e-12)
        np.testing.assert_allclose(D, D_right, rtol=1e-10, atol=1e-12)

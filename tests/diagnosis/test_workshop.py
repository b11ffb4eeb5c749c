"""Slips made in a network's backpropagation: what they change, what they are called, the draw."""

import numpy as np
import pytest

from chainrule import Network, cost_and_gradient
from chainrule.diagnosis.sabotage import LEVELS, Workshop

NETWORKS = [
    Network((4, 5, 3)),
    Network((4, 5, 3), hidden="tanh", output="softmax"),
    Network((2, 4, 4, 1), hidden="tanh", output="identity"),
    Network((4, 5, 3), hidden="relu", output="softmax"),
    Network((3, 4, 4, 4, 2), hidden="silu"),
    Network((3, 3, 3)),
    Network((4, 6, 2), hidden="softplus", output="exp"),
]


def workshop(network, m=7, lam=1.5):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(m, network.layers[0]))
    if network.cost.targets == "numbers":
        Y = rng.normal(size=(m, network.K))
    elif network.cost.targets == "counts":
        Y = rng.poisson(2, (m, network.K)).astype(float)
    else:
        Y = np.eye(max(network.K, 2))[np.arange(m) % max(network.K, 2)][:, : network.K]
    return Workshop(network, rng.uniform(-1, 1, network.size), X, Y, lam)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_without_slips_it_is_the_notes_J_and_D(network):
    at = workshop(network)
    J, D = at.objective()(at.theta)
    expected, right = cost_and_gradient(network, at.theta, at.X, at.Y, lam=at.lam)
    assert pytest.approx(expected, rel=1e-12) == J
    np.testing.assert_allclose(D, right, rtol=1e-9, atol=1e-12)
    assert at.check().ok


@pytest.mark.parametrize("network", NETWORKS[:1], ids=str)
def test_one_slip_of_each_name_is_named(network):
    slips = {slip.name: slip for slip in workshop(network).slips}
    named_as_they_are(workshop(network), list(slips.values()))


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_each_slip_is_named(network):
    named_as_they_are(workshop(network), workshop(network).slips)


def named_as_they_are(at, slips):
    assert len({slip.name for slip in slips}) > 25
    for slip in slips:
        report = at.check([slip])
        assert not report.ok, slip.words
        assert report.diagnosis[0].name in at.names(slip), slip.words


@pytest.mark.parametrize("level", LEVELS)
def test_a_draw_is_named_and_is_the_same_each_time(level):
    at, again = workshop(NETWORKS[1]), workshop(NETWORKS[1])
    for seed in range(2):
        slips = at.drawn(level, seed)
        assert [slip.words for slip in slips] == [s.words for s in again.drawn(level, seed)]
        assert len(slips) == (2 if level == 3 else 1)
        if level < 3:
            assert (slips[0].layer is None) == (level == 1)
        found = [finding.name for finding in at.check(slips).diagnosis]
        assert all(set(found) & set(at.names(slip)) for slip in slips)


def test_other_seeds_draw_other_mistakes():
    at = workshop(NETWORKS[1])
    assert len({at.drawn(1, seed)[0].words for seed in range(5)}) > 2


def test_two_slips_that_are_the_same_function_have_both_names():
    at = workshop(NETWORKS[3], lam=0)
    missing = next(slip for slip in at.slips if slip.words == "labels exchanged")
    assert at.names(missing)[0] == "labels-shifted"
    one_unit = workshop(Network((2, 3, 1)))
    slip = next(s for s in one_unit.slips if s.words.startswith("0 in the first row,"))
    assert slip.name == "lambda-misplaced"
    last = next(
        s for s in one_unit.slips if s.words.startswith("0 in the first row,") and s.layer == 2
    )
    assert one_unit.names(last) == ["lambda-misplaced", "lambda-forgotten"]


def test_a_network_without_such_a_slip_says_so():
    with pytest.raises(ValueError, match="take more layers, or another level"):
        workshop(Network((2, 1))).drawn(2, 0)

"""Random networks with data, for tests that must hold for every one of them."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from chainrule import Network, forward
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.costs import COSTS

# The others have a kink in g or in g' at 0
SMOOTH = tuple(g for g in ACTIVATIONS if g not in ("relu", "leaky_relu", "elu", "selu"))


class Problem(NamedTuple):
    """A network, weights within 1, examples, targets it can take, and lambda."""

    network: Network
    theta: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    lam: float


def targets(rng, network, m):
    """Return random Y of shape (m, K) that the network's cost can take."""
    K = network.K
    match network.cost.targets:
        case "classes":
            return rng.integers(0, 2, (m, K)).astype(float)
        case "distribution":
            return np.eye(K)[rng.integers(0, K, m)]
        case "counts":
            return rng.poisson(2.0, (m, K)).astype(float)
    return rng.normal(size=(m, K))


@st.composite
def problems(draw, activations=tuple(ACTIVATIONS)):
    """Draw networks of 2 to 6 layers: every hidden activation, output pair, lam 0 and not."""
    output = draw(st.sampled_from(list(COSTS)))
    middle = draw(st.lists(st.integers(1, 4), max_size=4))
    layers = (
        draw(st.integers(1, 4)),
        *middle,
        draw(st.integers(2 if output == "softmax" else 1, 4)),
    )
    hidden = tuple(draw(st.sampled_from(activations)) for _ in middle)
    network = Network(layers, hidden=hidden, output=output)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m = draw(st.integers(1, 6))
    return Problem(
        network,
        theta=rng.uniform(-1, 1, network.size),
        X=rng.normal(size=(m, layers[0])),
        Y=targets(rng, network, m),
        lam=draw(st.sampled_from([0.0, 0.01, 1.0, 10.0])),
    )


def near_a_kink(network, theta, X, epsilon=1e-4):
    """Say whether a step of epsilon carries a unit over z = 0, where relu and elu have kinks.

    There the central difference is a mean of two slopes, and no measure of either.
    """

    def sides(theta):
        a, _ = forward(network, theta, X)
        kinked = [g.name not in SMOOTH for g in network.activations]
        return [a_l > 0 for a_l, has_kink in zip(a[1:-1], kinked, strict=True) if has_kink]

    here = sides(theta)
    return any(
        (before != after).any()
        for step in np.vstack([np.eye(network.size), -np.eye(network.size)])
        for before, after in zip(here, sides(theta + epsilon * step), strict=True)
    )

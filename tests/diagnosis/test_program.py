"""The program that is shown computes what the objective returns, with every slip."""

import numpy as np
import pytest
from test_workshop import NETWORKS, workshop

from chainrule import cost_and_gradient
from chainrule.diagnosis.program import changed, program
from chainrule.diagnosis.sabotage import objective
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.theta import blocks


def softmax(z, axis=1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def prime(g):
    return lambda z: g.slope(g.g(z), z)


FUNCTIONS = {
    "np": np,
    "softmax": softmax,
    "exp": np.exp,
    "bias": lambda a: np.c_[np.ones(len(a)), a],
    "no_bias": lambda T: np.c_[0 * T[:, 0], T[:, 1:]],
    **{name: g.g for name, g in ACTIVATIONS.items()},
    **{f"{name}_prime": prime(g) for name, g in ACTIVATIONS.items()},
}


def run(lines, at):
    """Run a program; return its D."""
    Thetas = {f"Theta{l}": T.T for l, T in enumerate(blocks(at.network, at.theta), start=1)}
    names = FUNCTIONS | Thetas | {"X": at.X, "Y": at.Y, "lam": at.lam, "m": len(at.X)}
    exec("\n".join(lines), names)
    return names["D"]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_right_program_is_backpropagation(network):
    at = workshop(network)
    _, D = cost_and_gradient(network, at.theta, at.X, at.Y, lam=at.lam)
    np.testing.assert_allclose(run(program(network), at), D, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_each_slip_stands_in_the_program_as_it_is_computed(network):
    at = workshop(network)
    assert len(at.slips) > 40
    for slip in at.slips:
        _, D = at.objective([slip])(at.theta)
        lines = program(network, [slip])
        np.testing.assert_allclose(run(lines, at), D, rtol=1e-9, atol=1e-12, err_msg=str(lines))
        assert len(lines) == len(program(network))
        [where] = changed(network, [slip])
        assert len(where) == 1 or slip.layer is None


@pytest.mark.parametrize("network", NETWORKS[1:3], ids=str)
def test_two_slips_stand_in_one_program(network):
    at = workshop(network)
    for seed in range(2):
        slips = at.drawn(3, seed)
        _, D = objective(network, at.X, at.Y, at.lam, slips)(at.theta)
        np.testing.assert_allclose(run(program(network, slips), at), D, rtol=1e-9, atol=1e-12)

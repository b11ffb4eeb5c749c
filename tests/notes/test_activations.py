import math

import naive
import numpy as np
import pytest

from chainrule import Network
from chainrule.common.checks import by_name
from chainrule.estimators.export import HIDDEN
from chainrule.notes.activations import ACTIVATIONS

names = pytest.mark.parametrize("name", ACTIVATIONS)
Z = np.linspace(-5, 5, 101)[1::2]  # not 0, where the relus have their kink


def at(name, z):
    """Return what the derivatives are written from."""
    return z if ACTIVATIONS[name].from_z else ACTIVATIONS[name].g(z)


@names
def test_g_and_g_prime_are_the_textbook_ones(name):
    g, g_prime = naive.G[name]
    a = ACTIVATIONS[name].g(Z)
    np.testing.assert_allclose(a, [g(z) for z in Z], rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(
        ACTIVATIONS[name].g_prime(at(name, Z)), [g_prime(z) for z in Z], rtol=1e-12, atol=1e-16
    )


@names
def test_the_derivatives_are_the_slopes_of_what_they_are_derived_from(name):
    g, epsilon = ACTIVATIONS[name], 1e-5

    def slope(f):
        return (f(Z + epsilon) - f(Z - epsilon)) / (2 * epsilon)

    np.testing.assert_allclose(g.g_prime(at(name, Z)), slope(g.g), atol=1e-9)
    np.testing.assert_allclose(
        g.g_second(at(name, Z)), slope(lambda z: g.g_prime(at(name, z))), atol=1e-9
    )


@names
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_shape_are_kept_and_extremes_are_finite(name, dtype):
    z = np.array([[-1e30, -1000, -1, 0], [1e-30, 1, 1000, 1e30]], dtype=dtype)
    a = ACTIVATIONS[name].g(z)
    for value in (
        a,
        ACTIVATIONS[name].g_prime(at(name, z)),
        ACTIVATIONS[name].g_second(at(name, z)),
    ):
        assert value.dtype == dtype
        assert value.shape == z.shape
        assert np.isfinite(value).all()


@pytest.mark.parametrize("name", ["silu", "gelu", "mish"])
def test_those_written_from_z_are_identity_and_zero_at_the_ends(name):
    g, z = ACTIVATIONS[name], np.array([-50.0, 50.0])
    np.testing.assert_allclose(g.g(z), [0, 50], atol=1e-18)
    np.testing.assert_allclose(g.g_prime(z), [0, 1], atol=1e-18)
    np.testing.assert_allclose(g.g_second(z), [0, 0], atol=1e-18)


def test_gelu_keeps_its_precision_on_the_left():
    a = ACTIVATIONS["gelu"].g(np.array([-10.0]))  # 1 + erf(z / sqrt(2)) would be 0
    np.testing.assert_allclose(a, -10 * math.erfc(10 / math.sqrt(2)) / 2, rtol=1e-13)


def test_every_name_stands_where_users_look_for_it():
    for name in ACTIVATIONS:
        assert f"``{name}``" in Network.__doc__
        assert name in HIDDEN  # of the ONNX export


def test_sigmoid_keeps_its_precision_at_both_ends():
    a = ACTIVATIONS["sigmoid"].g(np.array([-700.0, 700.0]))
    np.testing.assert_allclose(a, [np.exp(-700.0), 1.0], rtol=1e-15)


def test_an_unknown_name_gets_the_nearest_right_one():
    with pytest.raises(ValueError, match="unknown activation 'Tahn': did you mean 'tanh'"):
        by_name("Tahn", ACTIVATIONS, "activation")


@pytest.mark.parametrize("name", ["xyzzy", None, 3])
def test_an_unknown_name_without_a_near_one_gets_the_list(name):
    with pytest.raises(ValueError, match=r"unknown activation .*one of sigmoid, tanh, relu"):
        by_name(name, ACTIVATIONS, "activation")

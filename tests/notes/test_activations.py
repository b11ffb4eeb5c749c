import naive
import numpy as np
import pytest

from chainrule.common.checks import by_name
from chainrule.notes.activations import ACTIVATIONS

names = pytest.mark.parametrize("name", ACTIVATIONS)
Z = np.linspace(-5, 5, 101)[1::2]  # not 0, where the relus have their kink


@names
def test_g_and_g_prime_are_the_textbook_ones(name):
    g, g_prime = naive.G[name]
    a = ACTIVATIONS[name].g(Z)
    np.testing.assert_allclose(a, [g(z) for z in Z], rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(
        ACTIVATIONS[name].g_prime(a), [g_prime(z) for z in Z], rtol=1e-12, atol=1e-16
    )


@names
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_shape_are_kept_and_extremes_are_finite(name, dtype):
    z = np.array([[-1000, -1, 0], [1e-30, 1, 1000]], dtype=dtype)
    a = ACTIVATIONS[name].g(z)
    slope = ACTIVATIONS[name].g_prime(a)
    assert a.dtype == slope.dtype == dtype
    assert a.shape == slope.shape == z.shape
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()


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

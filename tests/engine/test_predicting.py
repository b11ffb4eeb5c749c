"""Forward propagation and prediction through the engine."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problems

import chainrule
from chainrule import Network, predict, random_theta
from chainrule.engine import blocks
from chainrule.engine.blocks import Arrays
from chainrule.kernel import BUILT, asking
from chainrule.notes import backprop


@given(problems(), st.sampled_from([np.float64, np.float32]), st.integers(1, 3))
@settings(max_examples=50)
def test_forward_gives_every_activation_as_the_reference_does(problem, dtype, threads):
    network, theta, X, _, _ = problem
    X = np.tile(X, (100, 1))  # several blocks of rows
    theta = theta.astype(dtype)
    a, z = chainrule.forward(network, theta, X, threads=threads)
    expected, z_expected = backprop.forward(network, theta, X)
    rtol = 1e-11 if dtype == np.float64 else 1e-4
    for got, wanted in zip([*a, z], [*expected, z_expected], strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * np.abs(wanted).max())
    again = chainrule.forward(network, theta, X)[0]
    assert all((one == two).all() for one, two in zip(a, again, strict=True))


def test_the_reference_is_one_word_away():
    network, X = Network((3, 4, 2)), np.ones((2, 3))
    theta = random_theta(network)
    a, z = chainrule.forward(network, theta, X, engine="numpy")
    expected, z_expected = backprop.forward(network, theta, X)
    assert all(
        (one == two).all() for one, two in zip([*a, z], [*expected, z_expected], strict=True)
    )
    masks = [np.zeros((2, 3)), np.zeros((2, 4))]
    masked = chainrule.forward(network, theta, X, masks)[0]
    np.testing.assert_array_equal(masked[-1], backprop.forward(network, theta, X, masks)[0][-1])


@pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")
def test_what_does_not_fit_is_refused():
    network = Network((3, 4, 2))
    with pytest.raises(ValueError, match="theta must have shape"):
        chainrule.forward(network, np.zeros(3), np.ones((2, 3)))
    with pytest.raises(ValueError, match="X must be"):
        chainrule.forward(network, np.zeros(network.size), np.ones((2, 4)))
    for m in (3, 4):  # as many examples as there are inputs, or units
        with pytest.raises(ValueError, match=r"X must have shape \(m, 3\)"):
            chainrule.predict(network, np.zeros(network.size), np.ones((m, 4)))


@pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_layers_whose_rows_lie_apart_give_every_activation(dtype):
    network = Network((5, 64, 128, 256, 2), hidden="tanh")  # rows a multiple of 512 bytes
    rng = np.random.default_rng(0)
    theta, X = random_theta(network, 0, dtype), rng.normal(size=(150, 5)).astype(dtype)
    wanted, got = (chainrule.forward(network, theta, X, engine=e) for e in ("numpy", "kernel"))
    for one, other in zip(got[0], wanted[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12 if dtype == np.float64 else 1e-5)


@pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")
def test_an_error_of_whoever_is_asked_on_the_way_is_not_taken_for_a_misfit():
    def ask():
        raise ValueError("the user's own")

    network, X = Network((400, 500, 500, 10)), np.ones((20_000, 400))
    with asking(ask), pytest.raises(ValueError, match="the user's own"):
        chainrule.predict(network, random_theta(network), X)


@pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")
@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.astype(np.float32),
        np.asfortranarray,
        lambda X: X[::-1],
        lambda X: X.astype(">f8"),
        lambda X: X.tolist(),
        lambda X: X.astype(np.float16),
    ],
)
def test_what_the_kernel_does_not_take_as_it_is_is_converted(change):
    network, X = Network((3, 4, 2)), np.arange(12.0).reshape(4, 3)
    theta = random_theta(network)
    wanted = backprop.forward(network, theta, np.asarray(change(X), float))[0][-1]
    np.testing.assert_allclose(chainrule.predict(network, theta, change(X)), wanted, rtol=1e-12)


def test_the_answers_to_a_table_are_in_memory_once(monkeypatch):
    monkeypatch.setattr(blocks, "BYTES", 2**18)
    network, X = Network((8, 50)), np.zeros((40_000, 8), np.uint8)
    theta = np.zeros(network.size, np.float32)
    tracemalloc.start()
    h = predict(network, theta, Arrays(X))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (h.shape, h.dtype) == ((40_000, 50), np.float32)
    assert most < 1.9 * h.nbytes

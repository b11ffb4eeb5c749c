"""What the Unit panel says adds up, and is what the library computes."""

import numpy as np
import pytest
from asgi import ask, desk

from chainrule import Network, forward, random_theta, reshape, trace, train
from chainrule.datasets import load
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.handwriting.frames import known_digits
from chainrule.handwriting.reading import shipped_model
from chainrule.model_file import Model
from chainrule.photos import normalise
from chainrule.photos.strokes import draw_digit
from chainrule.web.desk import Desk, Opened
from chainrule.web.unit import examples, unit

X = normalise(draw_digit(7, np.random.default_rng(0))).ravel()
MODEL = shipped_model()
NETWORK, THETA = MODEL.network, MODEL.theta.astype(np.float64)


@pytest.mark.parametrize(("l", "j"), [(2, 1), (2, 400), (3, 57), (4, 8)])
def test_the_terms_add_up_to_z_and_the_weights_are_a_row_of_Theta(l, j):
    answer = ask(unit, desk(), l=l, j=j, x=X)
    a, _ = forward(NETWORK, THETA, X[None].astype(np.float64))
    np.testing.assert_array_equal(answer["weights"], reshape(NETWORK, THETA)[l - 2][j - 1])
    np.testing.assert_allclose(answer["values"], [1, *a[l - 2][0]], rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(answer["adds"], answer["weights"] * answer["values"])
    shown = trace(NETWORK, THETA, X, np.eye(11)[0])
    assert answer["z"] == pytest.approx(shown.z[l - 2][j - 1], abs=1e-10)
    assert answer["a"] == pytest.approx(a[l - 1][0, j - 1], rel=1e-12)
    assert "delta" not in answer


def test_the_point_lies_on_the_curve_of_g():
    answer = ask(unit, desk(), l=2, j=364, x=X)
    assert answer["g"] == "relu"
    assert answer["formula"] == "max(0, z)"
    assert answer["numbers"] == f"max(0, {answer['z']:.4g})"
    on_curve = np.interp(answer["z"], answer["curve_z"], answer["curve_a"])
    assert on_curve == pytest.approx(answer["a"], abs=0.05)


@pytest.mark.parametrize(("l", "j"), [(2, 364), (3, 9), (4, 1)])
def test_a_target_gives_delta_and_the_units_row_of_Delta(l, j):
    answer = ask(unit, desk(), l=l, j=j, x=X, y=4)
    shown = trace(NETWORK, THETA, X, np.eye(11)[4])
    assert answer["delta"] == pytest.approx(shown.delta[l - 2][j - 1], rel=1e-9, abs=1e-14)
    np.testing.assert_allclose(answer["Delta"], shown.Delta[l - 2][j - 1], rtol=1e-9, atol=1e-14)


def test_pixels_come_as_they_are_seen_where_a_network_stores_them_column_by_column():
    network = Network((64, 3, 10))
    columns = tuple(Column(str(i)) for i in range(64))
    encoder = Encoder(columns, "y", tuple(range(10)), image_shape=(8, 8), column_major=True)
    theta = random_theta(network, 0)
    at = Desk(Opened(Model(network, theta, encoder), "course"))
    seen = np.random.default_rng(0).random((8, 8))
    answer = ask(unit, at, l=2, j=2, x=seen.ravel(), y=3)
    x = seen.T.ravel()  # as the network has it
    Theta = reshape(network, theta)[0][1]
    assert answer["z"] == pytest.approx(Theta @ [1, *x])
    weights = answer["weights"][1:].reshape(8, 8)
    np.testing.assert_array_equal(weights, Theta[1:].reshape(8, 8).T)
    np.testing.assert_array_equal(answer["values"], [1, *seen.ravel()])
    Delta = trace(network, theta, x, np.eye(10)[3]).Delta[0][1]
    np.testing.assert_allclose(answer["Delta"], [Delta[0], *Delta[1:].reshape(8, 8).T.ravel()])


@pytest.mark.parametrize(("l", "j"), [(2, 364), (3, 9), (4, 8)])
def test_the_digits_that_switch_a_unit_on_are_those_with_the_largest_a(l, j):
    answer = ask(examples, desk(), l=l, j=j)
    X, labels = known_digits(MODEL)
    a = forward(NETWORK, THETA, X.astype(np.float64))[0][l - 1][:, j - 1]
    np.testing.assert_allclose(answer["a"], np.sort(a)[::-1][:12], rtol=1e-12)
    assert answer["of"] == len(X) == 120
    assert answer["pictures"].shape == (12, 28, 28)
    for shown, label, activation in zip(
        answer["pictures"], answer["labels"], answer["a"], strict=True
    ):
        [i] = np.flatnonzero((np.rint(255 * X) == shown.ravel()).all(axis=1))
        assert str(labels[i]) == label
        assert a[i] == pytest.approx(activation, rel=1e-12)
    if (l, j) == (4, 8):
        assert set(answer["labels"]) == {"7"}


def test_a_network_of_8x8_pixels_is_shown_scikit_learns_digits():
    digits = load("digits")
    network = Network((64, 10), hidden=())
    theta = train(network, digits.X, digits.Y, lam=1.0, max_iter=30, check=False).theta
    at = Desk(Opened(Model(network, theta, digits.encoder), "small"))
    answer = ask(examples, at, l=2, j=4)
    assert answer["of"] == 1797
    assert answer["pictures"].shape == (12, 8, 8)
    assert set(answer["labels"]) == {"3"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"l": 1, "j": 1},
        {"l": 5, "j": 1},
        {"l": 2, "j": 401},
        {"l": 2, "j": 0},
        {"l": 2.0, "j": 1},
        {"l": 10**400, "j": 1},
        {"l": 2, "j": 1, "y": 11},
        {"l": 2, "j": 1, "x": X[:-1]},
        {"l": 2, "j": 1, "x": X * np.float32(np.nan)},
        {"l": 2, "j": 1, "x": "x"},
    ],
)
def test_a_unit_that_is_not_there_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        ask(unit, desk(), **{"x": X} | wrong)

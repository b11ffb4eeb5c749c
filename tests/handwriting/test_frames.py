"""Drawings become the pictures that a network was trained on, whatever those are like."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import Network, train
from chainrule.datasets import load
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.handwriting import learning
from chainrule.handwriting.frames import Frame, fitted, inputs
from chainrule.handwriting.reading import read_ink, recognise, shipped_model
from chainrule.model_file import Model
from chainrule.photos import normalise
from chainrule.photos.strokes import draw_digit


def naive(picture, side, top, left, length):
    """Return the mean of what each new pixel covers, by many points in it."""
    fine = 64
    at = (np.arange(side * fine) + 0.5) * length / side / fine
    rows, columns = np.floor(top + at).astype(int), np.floor(left + at).astype(int)
    inside = ((rows >= 0) & (rows < 28))[:, None] & ((columns >= 0) & (columns < 28))[None]
    seen = picture[np.clip(rows, 0, 27)][:, np.clip(columns, 0, 27)] * inside
    return seen.reshape(side, fine, side, fine).mean(axis=(1, 3))


@pytest.mark.parametrize("side", [7, 8, 20, 32])
def test_each_pixel_is_the_mean_of_what_it_covers(side):
    picture = np.random.default_rng(side).random((28, 28))
    np.testing.assert_allclose(
        Frame(side)(picture[None])[0], naive(picture, side, 0, 0, 28), atol=0.02
    )
    small = np.zeros((28, 28))
    small[5:21, 10:17] = np.random.default_rng(side).uniform(0.3, 1, (16, 7))
    filled = Frame(side, filled=True)(small[None])[0]
    np.testing.assert_allclose(filled, naive(small, side, 5, 5.5, 16), atol=0.02)


@given(st.integers(0, 26), st.integers(0, 26), st.integers(1, 28), st.integers(1, 28))
@settings(max_examples=50, deadline=None)
def test_a_digit_that_fills_the_picture_reaches_two_of_its_borders(top, left, height, width):
    picture = np.zeros((1, 28, 28))
    picture[0, top : top + height, left : left + width] = 1
    seen = Frame(9, filled=True)(picture)[0]
    across = seen[[0, -1]].sum(axis=1) > 0
    down = seen[:, [0, -1]].sum(axis=0) > 0
    assert across.all() or down.all()
    assert seen.sum() == pytest.approx(
        picture.sum() * (9 / max(picture.any(axis=a).sum() for a in (1, 2))) ** 2
    )


def test_dark_ink_and_pictures_on_their_side():
    pictures = np.random.default_rng(0).random((3, 28, 28))
    light = Frame(8)(pictures)
    np.testing.assert_allclose(Frame(8, dark=True)(pictures), 1 - light, atol=1e-6)
    np.testing.assert_array_equal(Frame(8, turned=True)(pictures), light.transpose(0, 2, 1))
    np.testing.assert_array_equal(Frame(28)(pictures), pictures.astype(np.float32))


def test_paper_without_ink_is_no_error():
    assert np.isfinite(Frame(8, filled=True)(np.zeros((1, 28, 28)))).all()


def trained(change=lambda images: images, **how):
    """Train on scikit-learn's digits of 8x8, as another hand stored them."""
    data = load("digits")
    images = change(data.X.reshape(-1, 8, 8))
    side = images.shape[1]
    columns = tuple(Column(str(i)) for i in range(side * side))
    encoder = Encoder(columns, "digit", data.classes, image_shape=(side, side), **how)
    network = Network((side * side, 25, 10))
    result = train(network, encoder.pixels(images), data.Y, lam=1.0, max_iter=60, check=False)
    return Model(network, result.theta, encoder)


UNSEEN = [(label, seed) for label in range(10) for seed in range(8)]


@pytest.mark.parametrize(
    ("change", "how", "frame"),
    [
        (lambda images: images, {}, Frame(8, filled=True)),
        (lambda images: images, {"column_major": True}, Frame(8, filled=True)),
        (lambda images: 1 - images, {}, Frame(8, filled=True, dark=True)),
        (lambda images: images.transpose(0, 2, 1), {}, Frame(8, filled=True, turned=True)),
        (lambda images: np.pad(images, ((0, 0), (2, 2), (2, 2))), {}, Frame(12)),
    ],
)
def test_what_the_training_pictures_were_like_is_found_by_trial(change, how, frame):
    model = trained(change, **how)
    found = fitted(model)
    assert found.frame == frame
    assert found.right > 0.7
    pictures = [
        normalise(draw_digit(label, np.random.default_rng((7, seed)))) for label, seed in UNSEEN
    ]
    read = [recognise(model, picture[None])[0].argmax() for picture in pictures]
    assert np.mean([a == label for a, (label, _) in zip(read, UNSEEN, strict=True)]) > 0.7


def test_a_network_of_28x28_pixels_sees_pictures_as_they_are():
    model = shipped_model()
    assert fitted(model).frame == Frame(28)
    assert fitted(model).right is None
    pictures = np.random.default_rng(0).random((2, 28, 28)).astype(np.float32)
    np.testing.assert_array_equal(inputs(model, pictures), pictures.reshape(2, -1))


def test_a_small_network_reads_a_drawing_and_learns_a_hand():
    model = trained()
    ink = draw_digit(0, np.random.default_rng(1))
    [digit] = read_ink(ink, model).digits
    assert digit.label == 0
    rehearsed = np.stack(
        [normalise(draw_digit(i % 10, np.random.default_rng(i))) for i in range(60)]
    )
    seven = normalise(draw_digit(7, np.random.default_rng(3)))
    before = recognise(model, seven[None])[0]
    result = learning.adapted(model, seven.reshape(1, -1), np.array([1]), rehearsed.reshape(60, -1))
    after = recognise(replace(model, theta=result.theta), seven[None])[0]
    assert after[1] > before[1]

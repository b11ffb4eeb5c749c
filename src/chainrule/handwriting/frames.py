"""A digit as the pictures are that a network was trained on: their size, margin, grey, orientation.

`chainrule.photos.normalise` makes 28x28 pixels with a margin, light ink on dark.  Another network
may have learnt from 8x8 pixels which the digit fills, dark ink, or pictures on their side.  Its
file says how many pixels; the rest is found by trial, on drawn digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

import numpy as np

from chainrule.common.types import Array
from chainrule.datasets import load
from chainrule.model_file import Model
from chainrule.photos import SIDE, normalise
from chainrule.photos.strokes import draw_digit

TRIED = 12  # drawings of each digit by which frames are compared
INK = 0.25  # from here on a pixel belongs to the digit


@dataclass(frozen=True)
class Frame:
    """What becomes of a 28x28 picture of a digit.

    Parameters
    ----------
    side : int
        Pixels of the new picture's side.
    filled : bool, default=False
        Whether the digit reaches the border, or keeps its margin.
    dark : bool, default=False
        Whether ink is 0 and paper 1.
    turned : bool, default=False
        Whether rows become columns.

    Examples
    --------
    >>> one = np.zeros((1, 28, 28))
    >>> one[0, 4:24, 12:16] = 1
    >>> Frame(7)(one)[0].round(2)[2:5, 2:5]
    array([[0., 1., 0.],
           [0., 1., 0.],
           [0., 1., 0.]], dtype=float32)
    >>> Frame(5, filled=True)(one)[0].round(2)[0]
    array([0., 0., 1., 0., 0.], dtype=float32)
    """

    side: int
    filled: bool = False
    dark: bool = False
    turned: bool = False

    def __call__(self, pictures: Array) -> Array:
        """Return pictures of shape (n, 28, 28) as those of shape (n, side, side), float32.

        Each pixel is the mean of what it covers.
        """
        if self == Frame(SIDE):
            return np.asarray(pictures, np.float32)
        n = len(pictures)
        start, length = np.zeros((n, 2)), np.full(n, float(SIDE))
        if self.filled:
            start, length = _squares(pictures)
        rows, columns = (_covering(start[:, axis], length, self.side) for axis in (0, 1))
        seen = rows @ pictures @ columns.transpose(0, 2, 1)
        seen = 1 - seen if self.dark else seen
        return np.asarray(seen.transpose(0, 2, 1) if self.turned else seen, np.float32)


def _squares(pictures: Array) -> tuple[Array, Array]:
    """Return the smallest square around each digit: its first row and column, and its side."""
    inked = pictures >= np.minimum(INK, pictures.max(axis=(1, 2), keepdims=True))
    first, last = [], []
    for axis in (2, 1):  # rows, columns
        along = inked.any(axis=axis)
        first.append(along.argmax(axis=1))
        last.append(SIDE - along[:, ::-1].argmax(axis=1))
    low, high = np.stack(first, axis=1), np.stack(last, axis=1)
    length = (high - low).max(axis=1)
    return (low + high) / 2 - length[:, None] / 2, length.astype(float)


def _covering(start: Array, length: Array, side: int) -> Array:
    """Return how much of each new pixel covers each old one, of shape (n, side, 28)."""
    step = length[:, None, None] / side
    edges = start[:, None, None] + step * np.arange(side + 1)[None, :, None]
    old = np.arange(SIDE)
    covered = np.minimum(edges[:, 1:], old + 1) - np.maximum(edges[:, :-1], old)
    return np.asarray(np.maximum(covered, 0) / step)


@dataclass(frozen=True)
class Fitted:
    """The frame of a network, and how well it then reads.

    Attributes
    ----------
    frame : Frame
    right : float or None
        The share of drawn digits that it reads right; None where there was nothing to try.
    """

    frame: Frame
    right: float | None


@lru_cache(maxsize=8)
def fitted(model: Model) -> Fitted:
    """Return the frame in which a network reads most of the drawn digits.

    Networks of 28x28 pixels see pictures as they are.

    Parameters
    ----------
    model : Model
        Its inputs are the pixels of a square, its classes the digits, perhaps among others.
    """
    assert model.encoder.image_shape is not None
    side = model.encoder.image_shape[0]
    if side == SIDE:
        return Fitted(Frame(side), None)
    pictures, labels = drawn()
    codes = np.array([(model.classes or ()).index(label) for label in labels])
    best, most = Fitted(Frame(side), None), (-1.0, -1.0)
    for looks in product((False, True), repeat=3):
        frame = Frame(side, *looks)
        h = model.predict(model.encoder.pixels(frame(pictures)))
        right = float((h.argmax(axis=1) == codes).mean())
        sure = float(h[np.arange(len(codes)), codes].mean())
        if (right, sure) > most:
            best, most = Fitted(frame, right), (right, sure)
    return best


def inputs(model: Model, pictures: Array) -> Array:
    """Return the network's inputs for pictures of shape (n, 28, 28), of shape (n, s_1), float32."""
    return model.encoder.pixels(fitted(model).frame(pictures))


@lru_cache(maxsize=8)
def known_digits(model: Model) -> tuple[Array, Array]:
    """Return digits as the network's inputs, of shape (m, s_1), and what they are.

    They are scikit-learn's where it reads pictures like those, else drawn ones.

    Examples
    --------
    >>> from chainrule.handwriting.reading import shipped_model
    >>> X, labels = known_digits(shipped_model())
    >>> X.shape, labels[:3]
    ((120, 784), array([0, 0, 0]))
    """
    if fitted(model).frame == Frame(8, filled=True):
        digits = load("digits")
        labels = np.array(digits.classes)[digits.Y]
        return model.encoder.pixels(digits.encoder.images(digits.X)), labels
    pictures, labels = drawn()
    return inputs(model, pictures), labels


@cache
def drawn() -> tuple[Array, Array]:
    """Return drawn digits, of shape (n, 28, 28), and their labels."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), TRIED)
    return np.stack([normalise(draw_digit(int(label), rng)) for label in labels]), labels

"""New examples from old: pictures turned, slanted, scaled, moved and bent, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array

CHUNK = 2000  # pictures bent at a time, so that they stay in the processor's caches
KNOTS = 6  # knots along a side; a Gaussian spreads their random displacements


@dataclass(frozen=True)
class Distortion:
    """Random affine and elastic distortions of square pictures.

    Parameters
    ----------
    turn : float
        Standard deviation of the rotation, in radians.
    slant : float
        Standard deviation of the shear, in columns per row.
    scale : float
        Standard deviation of the logarithm of the factor, drawn for each axis.
    move : float
        Standard deviation of the shift, in pixels, drawn for each axis.
    bend : float
        Standard deviation of a pixel's elastic displacement, in pixels, drawn for each axis.
    thicken : float, default=0.0
        Most that strokes grow or shrink: 1 is a pixel on either side.

    Notes
    -----
    Simard, Steinkraus and Platt (2003), *Best practices for convolutional neural networks*: random
    displacements, smoothed by a Gaussian.  They draw one for each pixel; here one is
    drawn for each of 6x6 knots, which is as smooth and far less work.

    Examples
    --------
    >>> distort = Distortion(turn=0.1, slant=0.1, scale=0.1, move=1.0, bend=1.0)
    >>> X = np.zeros((3, 784), np.float32)
    >>> distort(X, np.random.default_rng(0)).shape
    (3, 784)
    """

    turn: float
    slant: float
    scale: float
    move: float
    bend: float
    thicken: float = 0.0

    def __call__(self, X: Array, rng: np.random.Generator) -> Array:
        """Return each picture distorted in its own way.

        Parameters
        ----------
        X : array of shape (m, side * side)
        rng : Generator

        Returns
        -------
        ndarray of shape (m, side * side), float32
        """
        side = round(X.shape[1] ** 0.5)
        out = np.empty(X.shape, np.float32)
        for first in range(0, len(X), CHUNK):
            pictures = (
                X[first : first + CHUNK].reshape(-1, side, side).astype(np.float32, copy=False)
            )
            if self.thicken:
                pictures = self._thickened(pictures, rng)
            y, x = self._places(len(pictures), side, rng)
            out[first : first + CHUNK] = _bilinear(pictures, y, x).reshape(len(pictures), -1)
        return out

    def _places(self, m: int, side: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return where each pixel of the new pictures comes from, y and x of (m, side, side)."""

        def normal(spread: float, *shape: int) -> Array:
            return rng.standard_normal((m, *shape), np.float32) * np.float32(spread)

        turn, slant, scales = normal(self.turn), normal(self.slant), np.exp(normal(self.scale, 2))
        cos, sin = np.cos(turn), np.sin(turn)
        # Inverse map: rotation times shear times scale
        matrix = np.stack([cos, -sin + slant * cos, sin, cos + slant * sin], 1).reshape(m, 2, 2)
        matrix /= scales[:, None, :]
        grid = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
        knots = np.linspace(-side / 2, side / 2, KNOTS, dtype=np.float32)
        spread = np.exp(-0.5 * ((grid[:, None] - knots) / (side / KNOTS)) ** 2)
        spread /= np.sqrt((spread**2).sum(axis=1, keepdims=True))
        places = []
        for axis in (1, 0):  # y, x
            bend = spread @ normal(self.bend, KNOTS, KNOTS) @ spread.T
            place = bend + matrix[:, axis, 0, None, None] * grid[None, None, :]
            place += matrix[:, axis, 1, None, None] * grid[None, :, None]
            place += normal(self.move)[:, None, None] + np.float32((side - 1) / 2)
            places.append(place)
        return places[0], places[1]

    def _thickened(self, pictures: Array, rng: np.random.Generator) -> Array:
        """Return the pictures mixed with a grown or shrunken copy."""
        share = rng.uniform(-self.thicken, self.thicken, (len(pictures), 1, 1)).astype(np.float32)
        thin = share.ravel() < 0
        ink = pictures.copy()
        ink[thin] = 1 - ink[thin]  # strokes shrink where paper grows
        most = ink.copy()
        for axis in (1, 2):
            ahead = np.moveaxis(ink, axis, 0)
            grown = np.moveaxis(most, axis, 0)
            np.maximum(grown[1:], ahead[:-1], out=grown[1:])
            np.maximum(grown[:-1], ahead[1:], out=grown[:-1])
        ink += np.abs(share) * (most - ink)
        ink[thin] = 1 - ink[thin]
        return ink


def _bilinear(pictures: Array, y: Array, x: Array) -> Array:
    """Return the pictures' values at places between pixels; 0 outside."""
    m, side = pictures.shape[:2]
    wide = side + 2  # a border of zeros stands for all that is outside
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1))).ravel()
    y, x = np.clip(y + 1, 0, side + 0.999), np.clip(x + 1, 0, side + 0.999)
    row, column = y.astype(np.int32), x.astype(np.int32)
    y -= row
    x -= column
    at = row * wide + column + (np.arange(m, dtype=np.int32) * wide * wide)[:, None, None]
    top = padded[at]
    top += x * (padded[at + 1] - top)
    at += wide
    bottom = padded[at]
    bottom += x * (padded[at + 1] - bottom)
    return np.asarray(top + y * (bottom - top))

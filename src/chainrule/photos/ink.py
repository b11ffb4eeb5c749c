"""Where there is ink: the light is divided out, and which side is ink is told."""

from __future__ import annotations

import numpy as np

from chainrule.activations import Array

COARSE, COARSEST = (
    160,
    60,
)  # pixels of the longer side where the paper, or what is common, is looked for
WINDOW = 0.3  # of its shorter side: wider than any stroke
FAINTEST = 0.06  # of the paper's brightness: less is no ink
NIGHT = 16.0  # grey levels that make no difference in the dark
LUMINANCE = (0.299, 0.587, 0.114)


def flatten(rgb: Array) -> Array:
    """Divide the light out: how much darker than the paper around it each pixel is.

    Parameters
    ----------
    rgb : array of shape (height, width, 3), uint8

    Returns
    -------
    ndarray of shape (height, width), float32
        0 is paper, towards 1 is ink, whichever of the two is the darker.
    """
    from scipy import ndimage

    grey = rgb @ np.array(LUMINANCE, np.float32)
    grey = ndimage.gaussian_filter(grey, 1.0, truncate=2.5)
    return _contrast(grey if ink_is_dark(grey) else 255 - grey)


def ink_is_dark(grey: Array) -> bool:
    """Tell which side is ink: the one whose rare pixels lie farther from what is common around.

    Parameters
    ----------
    grey : array of shape (height, width)
        0 to 255.

    Returns
    -------
    bool
    """
    from scipy import ndimage

    light = np.log(grey + NIGHT)
    coarse, step = _coarse(light, COARSEST)
    common = ndimage.median_filter(coarse, max(3, min(coarse.shape) // 2) | 1)
    rare = (light - _enlarge(common, step, light.shape))[::2, ::2]
    low, middle, high = np.percentile(rare, [0.5, 50, 99.5])
    return bool(middle - low >= high - middle)


def _contrast(grey: Array) -> Array:
    """Return 1 - grey / paper, the paper being what a closing wider than any stroke leaves."""
    from scipy import ndimage

    coarse, step = _coarse(grey, COARSE)
    window = max(3, round(WINDOW * min(coarse.shape))) | 1
    paper = ndimage.gaussian_filter(ndimage.grey_closing(coarse, window), 1.0)
    return np.clip(1 - grey / np.maximum(_enlarge(paper, step, grey.shape), 8.0), 0, 1)


def _coarse(grey: Array, long_side: int) -> tuple[Array, int]:
    """Return means over squares, about long_side of them along the longer side, and their width."""
    step = max(1, min(round(max(grey.shape) / long_side), *grey.shape))
    height, width = (side // step for side in grey.shape)
    squares = grey[: height * step, : width * step].reshape(height, step, width, step)
    return squares.mean((1, 3)), step


def _enlarge(coarse: Array, step: int, shape: tuple[int, ...]) -> Array:
    """Undo `_coarse`, linearly between the squares' centres."""
    for axis in (0, 1):
        coarse = _between(coarse, (np.arange(shape[axis]) + 0.5) / step - 0.5, axis)
    return coarse


def _between(values: Array, places: Array, axis: int) -> Array:
    """Interpolate linearly along an axis, at places within it."""
    places = np.clip(places, 0, values.shape[axis] - 1)
    low = np.minimum(places.astype(np.intp), max(values.shape[axis] - 2, 0))
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = (places - low).astype(np.float32)
    share = share[:, None] if axis == 0 else share
    return np.asarray(values.take(low, axis) * (1 - share) + values.take(high, axis) * share)

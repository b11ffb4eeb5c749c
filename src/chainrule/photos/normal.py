"""A mark as the training set's digits are: upright, of one stroke width, 20x20 in 28x28.

Photos and training pictures both go through here, so that a network sees no difference.
"""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array

SIDE, BOX = 28, 20  # pixels: the picture, and the square in it that the digit fits in
FINE = 4  # pixels of the fine picture, where strokes are measured, per final pixel
STROKE = 3.0  # width that strokes are given, in final pixels
MOST_SHEAR = 0.5  # columns per row: a slant of 27 degrees


def normalise(ink: Array) -> Array:
    """Return what the network sees of a mark.

    Parameters
    ----------
    ink : array of shape (height, width)
        Of any size; the outline is where it is 0.5, around it 0.

    Returns
    -------
    ndarray of shape (28, 28), float32
        0 for paper to 1 for ink, the centre of mass in the middle.

    Examples
    --------
    >>> picture = normalise(np.ones((300, 30)))
    >>> picture.shape, float(picture.max())
    ((28, 28), 1.0)
    >>> int((picture.sum(axis=0) > 0).sum())  # columns: a bar 30 wide is a stroke like any other
    3
    """
    return stages(ink)[-1]


def stages(ink: Array) -> list[Array]:
    """Return what each step on the way to the network makes of a mark, in their order.

    Parameters
    ----------
    ink : array of shape (height, width)

    Returns
    -------
    list of ndarray, float32
        Cut out and resized, upright, of even strokes, and 28x28 as `normalise` returns it.

    Examples
    --------
    >>> [step.shape for step in stages(np.ones((300, 30)))]
    [(80, 8), (80, 10), (120, 50), (28, 28)]
    """
    cut = fit(ink)
    upright = deskew(cut)
    even = even_strokes(upright)
    return [cut, upright, even, center(even)]


def fit(ink: Array) -> Array:
    """Return the mark resized, so that its longer side is that of the fine box."""
    long = BOX * FINE
    ink = _trimmed(ink)
    scale = long / max(ink.shape)
    return _resized(ink, [max(1, round(side * scale)) for side in ink.shape])


def deskew(ink: Array) -> Array:
    """Return the mark sheared so that the centres of its rows lie above each other, or nearly so.

    The shear is that of the moments: the covariance of x and y over the variance of y.
    """
    total = ink.sum()
    y, x = np.arange(ink.shape[0])[:, None], np.arange(ink.shape[1])[None]
    y_mean, x_mean = (ink * y).sum() / total, (ink * x).sum() / total
    variance = (ink * (y - y_mean) ** 2).sum()
    covariance = (ink * (y - y_mean) * (x - x_mean)).sum()
    shear = float(np.clip(covariance / max(variance, 1e-6), -MOST_SHEAR, MOST_SHEAR))
    margin = int(np.ceil(abs(shear) * ink.shape[0])) + 1
    wide = np.pad(ink, ((0, 0), (margin, margin)))
    places = np.arange(wide.shape[1])[None] + shear * (y - y_mean)
    low = np.clip(np.floor(places).astype(np.intp), 0, wide.shape[1] - 2)
    share = np.clip(places - low, 0, 1)
    rows = np.arange(wide.shape[0])[:, None]
    return np.asarray(wide[rows, low] * (1 - share) + wide[rows, low + 1] * share, np.float32)


def even_strokes(ink: Array) -> Array:
    """Return the mark with strokes that are `STROKE` wide on average, with a smooth outline.

    The outline moves by half of the difference in width; strokes lose at most half of their width.
    """
    from scipy import ndimage

    ink = np.pad(ink, BOX)  # room to grow
    mask = ink >= 0.5
    if not mask.any():
        mask = ink >= 0.5 * ink.max()
    inside = ndimage.distance_transform_edt(mask)
    outside = ndimage.distance_transform_edt(~mask)
    distance = np.where(mask, 0.5 - inside, outside - 0.5)  # from the outline
    width = max(4 * float(inside[mask].mean()) - 1, 1.0)
    grow = (STROKE * FINE - width) / 2
    return np.asarray(np.clip(0.5 + max(grow, -0.25 * width) - distance, 0, 1), np.float32)


def center(ink: Array) -> Array:
    """Return the mark in a box of 20x20, its centre of mass in the middle of 28x28."""
    from scipy import ndimage

    ink = _trimmed(ink)
    scale = BOX / max(ink.shape)
    small = _resized(ink, [max(1, round(side * scale)) for side in ink.shape])
    y, x = ndimage.center_of_mass(small)
    page = np.zeros((SIDE, SIDE), np.float32)
    tops = []
    for middle, side in ((y, small.shape[0]), (x, small.shape[1])):
        tops.append(int(np.clip(round((SIDE - 1) / 2 - middle), 0, SIDE - side)))
    page[tops[0] : tops[0] + small.shape[0], tops[1] : tops[1] + small.shape[1]] = small
    return page


def _trimmed(ink: Array) -> Array:
    """Cut away what is empty around the mark."""
    rows, columns = np.flatnonzero(ink.max(axis=1) >= 0.5), np.flatnonzero(ink.max(axis=0) >= 0.5)
    if not len(rows):
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(ink: Array, shape: list[int]) -> Array:
    """Return the picture in another size, each pixel the mean of what it covers."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(ink, np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))

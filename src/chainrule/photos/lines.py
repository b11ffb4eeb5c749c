"""Ruled and squared paper: long straight lines are taken out, the strokes that cross them stay."""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array

POOL = 4  # pixels of the mask per pixel of the reduced picture that is searched
SLOPES = tuple(np.arange(-0.24, 0.2401, 0.02))
LENGTH = 0.3  # part of the picture's side: a straight run this long is a line
THICKEST = 0.025  # part of the picture's longer side
REPEATED = 4  # this many lines of half a picture's length need not reach the border


def remove_lines(mask: Array, contrast: Array) -> Array:
    """Take ruled lines out of a mask.

    A line runs straight over a third of the picture or more, and reaches its border or is one of
    at least four.  Where a stroke crosses a line, the ink is thicker or darker than the line: it
    stays.

    Parameters
    ----------
    mask : array of shape (height, width), bool
        From `binarise`.
    contrast : array of shape (height, width)
        From `flatten`.

    Returns
    -------
    ndarray of shape (height, width), bool
        The mask itself where there are no lines.

    Examples
    --------
    >>> mask = np.zeros((200, 200), bool)
    >>> mask[100:103] = mask[60:150, 50:60] = True
    >>> left = remove_lines(mask, mask.astype(float))
    >>> bool(left[101, 55]), bool(left[101, 120]), int(left[:, 50:60].sum())
    (True, False, 900)
    """
    mask = _without_horizontal(mask, contrast)
    return _without_horizontal(mask.T, contrast.T).T


def _without_horizontal(mask: Array, contrast: Array) -> Array:
    from scipy import ndimage

    height, width = (side // POOL for side in mask.shape)
    if min(height, width) < 10:
        return mask
    coarse = mask[: height * POOL, : width * POOL].reshape(height, POOL, width, POOL).any((1, 3))
    length = max(5, round(LENGTH * width))
    # Closed, since a thin line jumps from row to row and a faint one is broken
    closed = ndimage.maximum_filter(coarse.view(np.uint8), (3, 7))
    pieces = ndimage.find_objects(ndimage.label(closed, np.ones((3, 3)))[0])
    if all(columns.stop - columns.start < length for _, columns in pieces):
        return mask
    lines = _long_runs(closed > 0, length)
    labels, _ = ndimage.label(lines, np.ones((3, 3)))
    parts = ndimage.find_objects(labels)
    at_border = [s[1].start <= 2 or s[1].stop >= width - 2 for s in parts]
    long = [s[1].stop - s[1].start > 0.5 * max(height, width) for s in parts]
    chosen = [b or (l and sum(long) >= REPEATED) for b, l in zip(at_border, long, strict=True)]
    if not any(chosen):
        return mask
    lines = np.array([False, *chosen])[labels] & coarse
    lines = ndimage.maximum_filter(lines.view(np.uint8), (3, 3))
    region = np.zeros(mask.shape, bool)
    region[: height * POOL, : width * POOL] = np.repeat(np.repeat(lines, POOL, 0), POOL, 1)
    runs = _vertical_runs(mask)
    thick, dark = (float(np.median(values[region & mask])) for values in (runs, contrast))
    if thick > THICKEST * max(mask.shape):  # it is the bar of a large digit
        return mask
    return mask & ~(region & (runs <= 1.5 * thick + 1) & (contrast < 1.5 * dark))


def _long_runs(mask: Array, length: int) -> Array:
    """Return where the mask has straight runs of at least this length, at any of `SLOPES`."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    for slope in SLOPES:
        shift = np.round(slope * (columns - width / 2)).astype(np.intp)
        inside = rows + shift
        possible = (inside >= 0) & (inside < height)
        sheared = mask[np.clip(inside, 0, height - 1), columns] & possible
        y, x = np.nonzero(length <= _vertical_runs(sheared.T).T)
        found[y + shift[0, x], x] = True
    return found


def _vertical_runs(mask: Array) -> Array:
    """Return the length of the vertical run that each pixel of the mask is in; 0 elsewhere."""
    height = mask.shape[0]
    rows = np.arange(height)[:, None]
    above = np.maximum.accumulate(np.where(mask, -1, rows), axis=0)  # the last gap
    below = np.minimum.accumulate(np.where(mask, height, rows)[::-1], axis=0)[::-1]
    return np.where(mask, below - above - 1, 0)

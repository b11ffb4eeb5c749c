"""Ruled and squared paper: long straight lines are taken out, the strokes that cross them stay."""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array

POOL = 4  # pixels of the mask per pixel of the reduced picture that is searched
CLOSED = 6 * POOL  # pixels by which closing makes a line longer
SLOPES = tuple(np.arange(-0.24, 0.2401, 0.02))
LENGTH = 0.3  # part of the picture's side: a straight run this long is a line
COVERED = ((0.0025, 0.55), (0.007, 0.8), (0.032, 0.95))
"""Thickness, in parts of the picture's longer side, and the least share of a line's length that has
ink no thicker: a fine line may be broken, a thick one is not."""
CROSSED = 0.7  # least share of a frame's line where nothing crosses it
HEAVY = 80  # percentile of a frame's thickness: every third line may be a heavy one
REPEATED = 4  # this many lines of half a picture's length need not reach the border


def remove_lines(mask: Array, contrast: Array) -> Array:
    """Take ruled lines out of a mask.

    A line runs straight over a third of the picture or more, and reaches its border or is one of
    at least four.  It has ink all along, as thick here as there: so a row of letters or digits is
    none.  Where a stroke crosses a line, the ink is thicker or darker than the line: it stays.

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
    return without_lines(mask, contrast)


def without_lines(
    mask: Array, contrast: Array, frame: tuple[float, float, float] | None = None
) -> Array:
    """Take lines out that run across and down.

    Parameters
    ----------
    mask, contrast : array of shape (height, width)
    frame : tuple of float, optional
        Of a frame's lines: how long those across and those down are at least, and how thick they
        are at most.  Default: ruled lines, which reach the border of the picture or are many.
    """
    across, down, thickest = frame or (None, None, 0)
    side = max(mask.shape)
    levels = [(thickest, CROSSED)] if frame else [(part * side, share) for part, share in COVERED]
    mask = _without_horizontal(mask, contrast, across, levels)
    return _without_horizontal(mask.T, contrast.T, down, levels).T


def _without_horizontal(
    mask: Array, contrast: Array, least: float | None, levels: list[tuple[float, float]]
) -> Array:
    from scipy import ndimage

    height, width = (side // POOL for side in mask.shape)
    if min(height, width) < 10:
        return mask
    coarse = mask[: height * POOL, : width * POOL].reshape(height, POOL, width, POOL).any((1, 3))
    length = max(5, round(LENGTH * width if least is None else least / POOL))
    # Closed, since a thin line jumps from row to row and a faint one is broken
    closed = ndimage.maximum_filter(coarse.view(np.uint8), (3, 1 + CLOSED // POOL))
    pieces = ndimage.find_objects(ndimage.label(closed, np.ones((3, 3)))[0])
    if all(columns.stop - columns.start < length for _, columns in pieces):
        return mask
    runs = _vertical_runs(mask)
    found = _lines(closed > 0, runs, length, levels)
    lines = (_ruled(found) if least is None else found) & coarse
    if not lines.any():
        return mask
    lines = ndimage.maximum_filter(lines.view(np.uint8), (3, 3))
    region = np.zeros(mask.shape, bool)
    region[: height * POOL, : width * POOL] = np.repeat(np.repeat(lines, POOL, 0), POOL, 1)
    thick = float(np.percentile(runs[region & mask], 50 if least is None else HEAVY))
    dark = float(np.median(contrast[region & mask]))
    return mask & ~(region & (runs <= 1.5 * thick + 1) & (contrast < 1.5 * dark))


def _ruled(lines: Array) -> Array:
    """Return those lines that reach the border, and long ones if they are many."""
    from scipy import ndimage

    height, width = lines.shape
    labels, _ = ndimage.label(lines, np.ones((3, 3)))
    parts = ndimage.find_objects(labels)
    at_border = [s[1].start <= 2 or s[1].stop >= width - 2 for s in parts]
    long = [s[1].stop - s[1].start > 0.5 * max(height, width) for s in parts]
    chosen = [b or (l and sum(long) >= REPEATED) for b, l in zip(at_border, long, strict=True)]
    return np.asarray(np.array([False, *chosen])[labels])


def _lines(closed: Array, runs: Array, length: int, levels: list[tuple[float, float]]) -> Array:
    """Return where the reduced picture has straight lines this long, at any of `SLOPES`.

    Parameters
    ----------
    closed : array of shape (height, width), bool
        The reduced picture, closed so that a line has no gap.
    runs : array, of the full picture's shape
        From `_vertical_runs`.
    length : int
    levels : list of (float, float)
        Thickness in pixels, and the least share of a line that is no thicker.
    """
    from scipy import ndimage

    height, width = closed.shape
    thickness = np.where(runs > 0, runs, max(runs.shape))[: height * POOL, : width * POOL]
    thickness = thickness.reshape(height, POOL, width, POOL).min((1, 3))
    thickness = ndimage.minimum_filter1d(thickness, 3, axis=0)  # a line jumps from row to row
    found = np.zeros_like(closed)
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    for slope in SLOPES:
        shift = np.round(slope * (columns - width / 2)).astype(np.intp)
        inside = rows + shift
        possible = (inside >= 0) & (inside < height)
        inside = np.clip(inside, 0, height - 1)
        sheared = closed[inside, columns] & possible
        line = np.pad(sheared, ((0, 0), (1, 1))).astype(np.int8)
        y, start = np.nonzero(np.diff(line, axis=1) == 1)
        end = np.nonzero(np.diff(line, axis=1) == -1)[1]
        y, start, end = (side[end - start >= length] for side in (y, start, end))
        thin = np.zeros(len(y), bool)
        for thick, share in levels:
            here = np.cumsum(thickness[inside, columns] <= thick, axis=1)
            here = np.pad(here, ((0, 0), (1, 0)))
            thin |= here[y, end] - here[y, start] >= share * (end - start)
        for row, left, right in zip(y[thin], start[thin], end[thin], strict=True):
            found[row + shift[0, left:right], columns[0, left:right]] = True
    return found


def _vertical_runs(mask: Array) -> Array:
    """Return the length of the vertical run that each pixel of the mask is in; 0 elsewhere."""
    height = mask.shape[0]
    rows = np.arange(height)[:, None]
    above = np.maximum.accumulate(np.where(mask, -1, rows), axis=0)  # the last gap
    below = np.minimum.accumulate(np.where(mask, height, rows)[::-1], axis=0)[::-1]
    return np.where(mask, below - above - 1, 0)

"""Boxes and grids that digits are written in: the frame is taken out, its cells are told."""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array
from chainrule.photos.ink import rectangular
from chainrule.photos.lines import CLOSED, POOL, without_lines
from chainrule.photos.marks import Box, binarise, stroke_width
from chainrule.photos.rows import in_reading_order

FAINT = 0.2  # of the strong ink's contrast: frames are often fainter than what is written
LEAST_CELL = 0.03  # part of the picture's longer side
SQUARE = 0.88  # least part that a box fills of the rectangle around it; a 0 fills less
CELL_SQUARE, CELLS = 0.6, 3  # as many rectangular holes of this squareness are cells of a grid
THIN = 0.42  # most ink of a frame, of what it encloses
THICKEST = 2.5  # of a frame's lines, in its mean width of strokes
ALONG = 0.9  # a frame's lines are at least this long, in sides of a cell


def remove_grids(mask: Array, contrast: Array) -> tuple[Array, list[Box]]:
    """Take boxes and grids out of a mask; strokes that cross their lines stay.

    A frame is one piece of thin ink that lies wholly in the picture, and is a rectangle or encloses
    at least three.

    Parameters
    ----------
    mask : array of shape (height, width), bool
        From `binarise`.
    contrast : array of shape (height, width)
        From `flatten`.

    Returns
    -------
    mask : ndarray of shape (height, width), bool
    cells : list of (x0, y0, x1, y1)
        In no order.

    Examples
    --------
    >>> mask = np.zeros((400, 600), bool)
    >>> mask[50:253, 50:353] = True
    >>> for y in (53, 153):
    ...     for x in (53, 153, 253):
    ...         mask[y : y + 97, x : x + 97] = False
    >>> mask[80:120, 100:104] = True  # a stroke in the first cell
    >>> left, cells = remove_grids(mask, mask.astype(float))
    >>> int(left.sum()), len(cells), cell_numbers(cells)[:4]
    (160, 6, [(0, 0), (0, 1), (0, 2), (1, 0)])
    """
    from scipy import ndimage

    least = LEAST_CELL * max(mask.shape)
    ink = mask | binarise(contrast, FAINT)
    labels, n = ndimage.label(ink, np.ones((3, 3)))
    lines = np.zeros_like(mask)
    cells: list[Box] = []
    for i, part in enumerate(ndimage.find_objects(labels, n), start=1):
        inside = all(
            s.start > 0 and s.stop < side for s, side in zip(part, mask.shape, strict=True)
        )
        if not inside or min(s.stop - s.start for s in part) < least:
            continue
        own = labels[part] == i
        holes = _holes(own, least)
        if not _is_frame(own, holes):
            continue
        height, width = (
            float(np.median([s[axis].stop - s[axis].start for s in holes])) for axis in (0, 1)
        )
        around = np.pad(own, POOL), np.pad(contrast[part], POOL)
        across, down = (ALONG * side + CLOSED for side in (width, height))
        rest = without_lines(*around, (across, down, THICKEST * stroke_width(own)))
        rest = rest[POOL:-POOL, POOL:-POOL]
        frame = own & ~(rest & ~_slivers(rest, own & ~rest))
        lines[part] |= frame
        near = ndimage.binary_dilation(frame, np.ones((5, 5)))  # closed where strokes crossed
        y, x = part[0].start, part[1].start
        cells += [
            (x + s[1].start, y + s[0].start, x + s[1].stop, y + s[0].stop)
            for s in _holes(near, least / 2)
        ]
    return (mask & ~lines if cells else mask), cells


def _slivers(rest: Array, lines: Array) -> Array:
    """Return what is left of a frame's own lines: pieces no thicker than these."""
    from scipy import ndimage

    if not lines.any():
        return lines
    thick = 1.5 * stroke_width(lines) + 2
    labels, n = ndimage.label(rest, np.ones((3, 3)))
    thin = [
        min(s.stop - s.start for s in part) <= thick for part in ndimage.find_objects(labels, n)
    ]
    return np.asarray(np.array([False, *thin])[labels])


def cell_numbers(cells: list[Box]) -> list[tuple[int, int]]:
    """Return the row and the column of each cell, counted from 0."""
    turned = [(y0, x0, y1, x1) for x0, y0, x1, y1 in cells]
    row, column = (dict(in_reading_order(boxes)) for boxes in (cells, turned))
    return [(row[i], column[i]) for i in range(len(cells))]


def _holes(own: Array, least: float) -> list[tuple[slice, slice]]:
    """Return where the ink encloses about a rectangle of at least this side."""
    from scipy import ndimage

    labels, n = ndimage.label(ndimage.binary_fill_holes(own) & ~own)
    area = np.bincount(labels.ravel(), minlength=n + 1)
    return [
        part
        for i, part in enumerate(ndimage.find_objects(labels, n), start=1)
        if min(s.stop - s.start for s in part) > least
        and area[i] > CELL_SQUARE * np.prod([s.stop - s.start for s in part])
    ]


def _is_frame(own: Array, holes: list[tuple[slice, slice]]) -> bool:
    """Tell whether a piece of ink is a frame, and no digit with a hole."""
    from scipy import ndimage

    if not holes:
        return False
    filled = ndimage.binary_fill_holes(own)
    if own.sum() > THIN * filled.sum():
        return False
    return len(holes) >= CELLS or rectangular(filled) > SQUARE

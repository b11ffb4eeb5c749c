"""Digits that touch each other: where a mark may be cut, and the pieces between two cuts."""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array
from chainrule.photos.marks import Mark

LAST = -1  # number of a mark's right side
NARROWEST, WIDEST = 0.1, 1.2  # widths of a digit, in heights of the mark
BAND, APART = 0.3, 0.1  # width of the strip that a cut is sought in, and steps between strips
LOWEST = 0.6  # least height of a piece, in heights of the mark
MOST_CROSSED = 0.35  # most ink that a cut crosses, in heights of the mark


def pieces(mark: Mark) -> dict[tuple[int, int], Mark]:
    """Cut a mark from top to bottom at every place where little ink is in the way.

    Parameters
    ----------
    mark : Mark

    Returns
    -------
    dict of (int, int) to Mark
        The piece between each two cuts, by the cuts' numbers from the left: 0 is the mark's left
        side, `LAST` its right side.  A piece comes after those that may stand to its left.  Pieces
        too wide, too narrow or too low for a digit are left out.

    Examples
    --------
    >>> ink = np.zeros((40, 60), np.float32)
    >>> ink[:, 5:10] = ink[:, 40:45] = ink[20, 10:40] = 1  # two bars and what joins them
    >>> parts = pieces(Mark((100, 0, 160, 40), ink))
    >>> parts[0, 6].box, parts[6, LAST].box
    ((105, 0, 124, 40), (124, 0, 145, 40))
    """
    height, width = mark.ink.shape
    seams = [np.zeros(height, np.intp), *_seams(mark.ink), np.full(height, width, np.intp)]
    first, last = ([int(side(seam)) for seam in seams] for side in (np.min, np.max))
    found = {}
    for j, right in enumerate(seams):
        end = LAST if j == len(seams) - 1 else j
        for i, left in enumerate(seams[:j]):
            if first[j] - last[i] >= WIDEST * height:
                continue
            columns = np.arange(first[i], last[j])
            between = (left[:, None] <= columns) & (columns < right[:, None])
            ink = np.where(between, mark.ink[:, first[i] : last[j]], np.float32(0))
            part = _trimmed(ink, mark.box[0] + first[i], mark.box[1])
            if (
                part is not None
                and part.height > LOWEST * height
                and NARROWEST * height < part.width < WIDEST * height
            ):
                found[i, end] = part
    return found


def _seams(ink: Array) -> list[Array]:
    """Return the cuts: in each strip the path downwards that crosses the least ink."""
    height, width = ink.shape
    band, step = max(2, round(BAND * height)), max(1, round(APART * height))
    seams: list[Array] = []
    for start in range(step, width - band - step, step):
        strip = ink[:, start : start + band]
        cost = strip[:1].copy()
        rows = [cost[0]]
        for row in strip[1:]:
            wide = np.pad(rows[-1], 1, constant_values=np.inf)
            rows.append(row + np.minimum(np.minimum(wide[:-2], wide[2:]) + 0.01, wide[1:-1]))
        if rows[-1].min() > MOST_CROSSED * height:
            continue
        at = int(rows[-1].argmin())
        seam = np.empty(height, np.intp)
        for y in range(height - 1, -1, -1):
            low = max(at - 1, 0)
            at = low + int(rows[y][low : at + 2].argmin()) if y < height - 1 else at
            seam[y] = start + at
        # Strips overlap: a cut that strays to the left of the one before follows that one
        seams.append(np.maximum(seam, seams[-1]) if seams else seam)
    return seams


def _trimmed(ink: Array, left: int, top: int) -> Mark | None:
    """Return ink that begins at (left, top) as a mark in its own box; None if there is none."""
    y, x = np.nonzero(ink >= 0.5)
    if not len(y):
        return None
    x0, y0, x1, y1 = int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1
    return Mark((left + x0, top + y0, left + x1, top + y1), ink[y0:y1, x0:x1])

"""Points, commas and minus signs: small marks that stand beside digits and are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array
from chainrule.photos.marks import Box, Mark, stroke_width

POINT, COMMA, MINUS = ".", ",", "-"
# In heights of the marks on both sides, or of the one after a minus sign
LARGEST = 0.55  # longest side of a point or a comma
LOWEST = 0.5  # its top is at most this far above the base line
AT_LINE = 0.35  # its middle is at most this far from it
BESIDE, NEXT = 1.3, 1.5  # largest gaps from a point to the marks on its left and right
AFTER = 1.0  # largest gap from a minus sign to the mark after it
BAR = (0.2, 1.0)  # least and largest width of a minus sign
AT_MIDDLE = 0.33  # its distance from mid height, at most
INTO = 0.15  # how far it reaches under or over its neighbours, at most
ROWS = 0.6  # two signs above each other that are no farther apart are one: a colon
# In widths of the strokes
THICK = 0.6  # least thickness of a sign
APART = 0.3  # least gap to the ink beside a point
TAIL = 2.1  # least height of a comma
LONG = 1.7  # least length of a comma, in its widths
WIDE, FLAT = 2.5, 1.5  # widths of a point at most and of a minus sign at least, in its heights
HIGH = 0.5  # a piece of a mark may be a sign if it is lower than this, in heights of the highest
USUAL = 0.45  # least height of a mark that signs stand beside, in heights of the photo's marks


@dataclass(frozen=True)
class Sign:
    """A small mark beside digits.

    Attributes
    ----------
    kind : str
        ".", "," or "-".
    box : tuple of int
        (x0, y0, x1, y1) in the working picture.
    """

    kind: str
    box: Box


def part_signs(mask: Array, marks: list[Mark]) -> tuple[list[Mark], list[Sign]]:
    """Take signs out of marks, and find those that were too small for one.

    A point or a comma stands at the base line between two marks, a minus sign at mid height before
    one.  Each is a piece of ink of its own.

    Parameters
    ----------
    mask : array of shape (height, width), bool
        Ink.
    marks : list of Mark
        From `find_marks`.

    Returns
    -------
    marks : list of Mark
        In no order, without signs.
    signs : list of Sign

    Examples
    --------
    >>> ink = np.zeros((60, 100), np.float32)
    >>> ink[5:50, 20:26] = ink[5:50, 70:76] = ink[45:51, 45:51] = 1
    >>> bars = [Mark((x, 5, x + 6, 50), ink[5:50, x : x + 6]) for x in (20, 70)]
    >>> part_signs(ink > 0, bars)[1]
    [Sign(kind='.', box=(45, 45, 51, 51))]
    """
    from scipy import ndimage

    if not marks:
        return [], []
    width = float(np.median([stroke_width(np.pad(mark.ink >= 0.5, 1)) for mark in marks]))
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    found = ndimage.find_objects(labels)
    boxes = np.array([(x.start, y.start, x.stop, y.stop) for y, x in found], np.intp)
    own = [_pieces_of(mark, labels, boxes) for mark in marks]
    bodies = np.array([_body(boxes[of - 1], mark) for of, mark in zip(own, marks, strict=True)])
    heights = bodies[:, 3] - bodies[:, 1]
    bodies = bodies[heights > USUAL * np.median(heights)]
    sides = boxes[:, 2:] - boxes[:, :2]
    possible = (sides.min(axis=1) >= THICK * width) & (sides.max(axis=1) < heights.max())
    signs: dict[int, Sign] = {}
    for label in (1 + np.flatnonzero(possible)).tolist():
        box = x0, y0, x1, y1 = boxes[label - 1]
        low = _is_low(box, bodies, labels, label, width)
        if (low or _is_bar(box, bodies)) and not _has_twin(box, boxes, bodies):
            piece = labels[y0:y1, x0:x1] == label
            if _thickness(piece) >= THICK * width:
                kind = _point_or_comma(piece, width) if low else MINUS
                signs[label] = Sign(kind, (int(x0), int(y0), int(x1), int(y1)))
    left = [_without(mark, of, signs, labels, boxes) for mark, of in zip(marks, own, strict=True)]
    return [mark for mark in left if mark is not None], list(signs.values())


def _pieces_of(mark: Mark, labels: Array, boxes: Array) -> Array:
    """Return the numbers of the pieces that are wholly in a mark."""
    x0, y0, x1, y1 = mark.box
    touched = np.unique(labels[y0:y1, x0:x1][mark.ink >= 0.5])
    left, top, right, bottom = boxes[touched - 1].T
    inside = (left >= x0) & (top >= y0) & (right <= x1) & (bottom <= y1)
    return np.asarray(touched[(touched > 0) & inside])


def _body(boxes: Array, mark: Mark) -> Box:
    """Return the box of a mark's higher pieces."""
    heights = boxes[:, 3] - boxes[:, 1]
    return _around(boxes[heights >= HIGH * heights.max()]) if len(boxes) else mark.box


def _around(boxes: Array) -> Box:
    """Return the box around boxes."""
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return int(x0), int(y0), int(x1), int(y1)


def _is_low(box: Array, bodies: Array, labels: Array, label: int, width: float) -> bool:
    """Tell whether a piece is small and at the base line between two marks."""
    x0, y0, x1, y1 = box
    left, top, right, bottom = bodies.T
    height = bottom - top
    middle, middles = (x0 + x1) / 2, (left + right) / 2
    level = (y1 > top + HIGH * height) & ((y0 + y1) / 2 < bottom + HIGH * height)
    before = level & (middle > middles) & (x0 - right < BESIDE * height)
    after = level & (middle < middles) & (left - x1 < NEXT * height)
    if not before.any() or not after.any():
        return False
    end, start = right[before].max(), left[after].min()
    beside = [
        np.flatnonzero(before & (right == end))[0],
        np.flatnonzero(after & (left == start))[0],
    ]
    line, high = bottom[beside].mean(), height[beside].mean()
    if (
        max(y1 - y0, x1 - x0) > LARGEST * high
        or x1 - x0 > WIDE * (y1 - y0)
        or y0 < line - LOWEST * high
        or abs((y0 + y1) / 2 - line) > AT_LINE * high
    ):
        return False
    rows = slice(max(0, y0 - round(INTO * high)), y1)
    gap = max(1, round(APART * width))
    beyond = labels[rows, max(0, x0 - gap) : max(end, x0)], labels[rows, min(start, x1) : x1 + gap]
    return not any(((part > 0) & (part != label)).any() for part in beyond)


def _is_bar(box: Array, bodies: Array) -> bool:
    """Tell whether a piece lies flat at mid height before a mark."""
    x0, y0, x1, y1 = box
    left, top, right, bottom = bodies.T
    height = bottom - top
    if x1 - x0 < FLAT * (y1 - y0):
        return False
    level = abs((y0 + y1) - (top + bottom)) < 2 * AT_MIDDLE * height
    level &= (BAR[0] * height < x1 - x0) & (x1 - x0 < BAR[1] * height)
    gap = left - x1
    after = level & (-INTO * height < gap) & (gap < AFTER * height) & (x1 < (left + right) / 2)
    beside = (top - INTO * height < y1) & (y0 < bottom)
    over = beside & (x0 < right - INTO * height) & (x1 > left + INTO * height)
    return bool(after.any() and not over.any())


def _has_twin(box: Array, boxes: Array, bodies: Array) -> bool:
    """Tell whether a piece like it is over or under it, as in a colon."""
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    x0, y0, x1, y1 = box
    distance = abs(boxes[:, 1] + boxes[:, 3] - y0 - y1) / 2
    near = (distance > 0) & (distance < ROWS * np.median(bodies[:, 3] - bodies[:, 1]))
    shared = np.minimum(boxes[:, 2], x1) - np.maximum(boxes[:, 0], x0)
    size = np.maximum(width, height) / max(x1 - x0, y1 - y0)
    alike = (shared > 0.5 * np.minimum(width, x1 - x0)) & (size > 0.5) & (size < 2)
    return bool((near & alike).any())


def _thickness(own: Array) -> float:
    """Return how thick a piece is where it is thickest."""
    from scipy import ndimage

    return 2 * float(ndimage.distance_transform_edt(np.pad(own, 1)).max()) - 1


def _point_or_comma(own: Array, width: float) -> str:
    """Tell a point, which is round, from a comma, which has a tail."""
    y, x = np.nonzero(own)
    least, most = np.linalg.eigvalsh(np.cov(np.stack([y, x])) + np.eye(2) / 12)
    return COMMA if most > LONG**2 * least and own.shape[0] > TAIL * width else POINT


def _without(
    mark: Mark, own: Array, signs: dict[int, Sign], labels: Array, boxes: Array
) -> Mark | None:
    """Return a mark without the pieces of it that are signs; None if nothing is left."""
    from scipy import ndimage

    kept = np.setdiff1d(own, list(signs))
    if len(kept) == len(own):
        return mark
    if not len(kept):
        return None
    x0, y0, x1, y1 = _around(boxes[kept - 1])
    near = ndimage.maximum_filter(np.isin(labels[y0:y1, x0:x1], kept).view(np.uint8), 5)
    left, top = mark.box[:2]
    ink = np.where(near, mark.ink[y0 - top : y1 - top, x0 - left : x1 - left], np.float32(0))
    return Mark((x0, y0, x1, y1), ink)

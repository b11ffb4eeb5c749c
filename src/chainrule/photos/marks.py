"""From a picture of ink to marks: pieces of ink that belong together, specks and edges dropped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array

Box = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in pixels; x1 and y1 are one beyond the last pixel."""

FAINTEST = 0.06  # contrast below which nothing is ink, relative to the paper's brightness
OVER_NOISE = 4.0  # ink is above the paper's own spots by this many standard deviations
OF_STRONG = 0.4  # part of the strong ink's contrast; ruled lines and the back page are fainter
SMALLEST = 0.02  # part of the picture's longer side; a smaller mark is a speck
LINE = 2.5  # a mark so many times as wide as it is high is a line, or several digits
BROKEN = 6  # pieces that a digit is broken into at most
OWN = 0.75  # where more were joined, a piece of this part of their median size is a digit
MOST_PIECES = 3000  # a mask with more pieces shows a texture, not writing


@dataclass(frozen=True, eq=False)
class Mark:
    """Ink that may be a digit.

    Attributes
    ----------
    box : tuple of int
        (x0, y0, x1, y1) in the working picture.
    ink : ndarray of shape (y1 - y0, x1 - x0), float32
        Contrast, 0 where other marks are; the outline is where it is 0.5.
    """

    box: Box
    ink: Array

    __repr__ = summary

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.box[3] - self.box[1]

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.box[2] - self.box[0]

    @property
    def size(self) -> int:
        """The longer side, in pixels."""
        return max(self.height, self.width)


def binarise(contrast: Array, of_strong: float = OF_STRONG) -> Array:
    """Tell ink from paper, and from what is much fainter than the ink.

    Parameters
    ----------
    contrast : array of shape (height, width)
        From `flatten`.
    of_strong : float
        Part of the strong ink's contrast that ink has at least.

    Returns
    -------
    ndarray of shape (height, width), bool
    """
    from scipy import ndimage

    few = contrast[::3, ::3]
    few = few[few < 1] if (few < 1).any() else few  # beside the page there is no paper
    middle = float(np.median(few))
    noise = 1.48 * float(np.median(np.abs(few - middle)))
    level = max(FAINTEST, middle + OVER_NOISE * noise)
    mask = contrast > level
    labels, n = ndimage.label(mask, np.ones((3, 3)))
    inner = np.ones(n + 1, bool)
    inner[np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))] = False
    ink = contrast[inner[labels]]
    if len(ink) < 30:
        ink = contrast[mask]
    strong = float(np.percentile(ink, 95)) if len(ink) else 0.0
    return mask & (contrast > of_strong * strong)


def stroke_width(mask: Array) -> float:
    """Return the mean width of strokes: twice the area over the outline's length."""
    outline = (mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum()
    return float(2 * mask.sum() / max(outline, 1) * 1.27)  # a slanted outline counts 4/pi times


def find_marks(contrast: Array, mask: Array) -> list[Mark]:
    """Gather ink into marks: broken strokes are joined, specks and page edges dropped.

    Parameters
    ----------
    contrast : array of shape (height, width)
        From `flatten`.
    mask : array of shape (height, width), bool
        From `binarise`, perhaps without ruled lines.

    Returns
    -------
    list of Mark
        In no order.
    """
    from scipy import ndimage

    mask = _without_edges(mask)
    reach = 2 * max(1, round(0.35 * stroke_width(mask))) + 1
    near = ndimage.maximum_filter(mask.view(np.uint8), reach)
    labels, n = ndimage.label(near, np.ones((3, 3)))
    labels = np.where(mask, labels, 0)
    slices = ndimage.find_objects(labels, n)
    smallest = SMALLEST * max(mask.shape)
    pieces = []
    for label, part in enumerate(slices, start=1):
        if part is None:
            continue
        height, width = (s.stop - s.start for s in part)
        if max(height, width) >= smallest / 2:
            pieces.append((label, (part[1].start, part[0].start, part[1].stop, part[0].stop)))
    if len(pieces) > MOST_PIECES:
        return []
    groups = _joined([box for _, box in pieces])
    marks = []
    for group in groups:
        x0, y0, x1, y1 = _around([pieces[i][1] for i in group])
        if max(x1 - x0, y1 - y0) < smallest:
            continue
        own = np.isin(labels[y0:y1, x0:x1], [pieces[i][0] for i in group])
        marks.append(_mark(contrast, own, (x0, y0, x1, y1)))
    if not marks:
        return []
    height, width = mask.shape
    whole = [m for m in marks if min(m.box[:2]) > 0 and m.box[2] < width and m.box[3] < height]
    marks = whole or marks  # a mark at the border may be cut off: it counts only if all are
    sizes = [mark.size for mark in marks if mark.width < LINE * mark.height] or [
        mark.size for mark in marks
    ]
    largest = float(np.percentile(sizes, 90))
    return [mark for mark in marks if mark.size > 0.3 * largest]


def _without_edges(mask: Array) -> Array:
    """Remove page edges and shadows, which would spoil the measured stroke width."""
    from scipy import ndimage

    labels, n = ndimage.label(mask, np.ones((3, 3)))
    parts = ndimage.find_objects(labels, n)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    edges = [
        label
        for label in border[border > 0]
        if _is_edge(labels[parts[label - 1]] == label, parts[label - 1], mask.shape)
    ]
    return mask & ~np.isin(labels, edges) if edges else mask


def _is_edge(own: Array, part: tuple[slice, slice], shape: tuple[int, int]) -> bool:
    """Tell whether a piece is the page's edge or a shadow: it lies along the picture's border."""
    rows, columns = part
    contact = 0
    if rows.start == 0:
        contact = max(contact, int(own[0].sum()))
    if rows.stop == shape[0]:
        contact = max(contact, int(own[-1].sum()))
    if columns.start == 0:
        contact = max(contact, int(own[:, 0].sum()))
    if columns.stop == shape[1]:
        contact = max(contact, int(own[:, -1].sum()))
    return (
        contact > 0.35 * max(own.shape)
        or contact > 0.15 * min(shape)
        or (contact > 0 and min(own.shape) < 0.04 * max(shape))
    )


def _around(boxes: list[Box]) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _joined(boxes: list[Box], largest: float = np.inf) -> list[list[int]]:
    """Group boxes that are pieces of one digit; each group by the positions in the list.

    None larger than `largest` joins another.
    """
    hulls = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    groups = [[i] for i in range(len(boxes))]
    alive = np.ones(len(boxes), bool)
    changed = True
    while changed:
        changed = False
        sizes = (hulls[:, 2:] - hulls[:, :2]).max(axis=1)
        for i in np.argsort(-sizes, kind="stable"):
            if not alive[i]:
                continue
            pieces = alive & _belong(hulls, hulls[i]) & (sizes <= min(sizes[i], largest))
            pieces[i] = False
            for j in np.flatnonzero(pieces):
                groups[i] += groups[j]
                hulls[i, :2] = np.minimum(hulls[i, :2], hulls[j, :2])
                hulls[i, 2:] = np.maximum(hulls[i, 2:], hulls[j, 2:])
                changed = True
            alive &= ~pieces
    joined = []
    for group in (groups[i] for i in np.flatnonzero(alive)):
        if len(group) > BROKEN and largest == np.inf:  # digits that touch have swallowed others
            own = [boxes[i] for i in group]
            middle = float(np.median([max(x1 - x0, y1 - y0) for x0, y0, x1, y1 in own]))
            joined += [[group[i] for i in part] for part in _joined(own, OWN * middle)]
        else:
            joined.append(group)
    return joined


def _belong(pieces: Array, main: Array) -> Array:
    """Tell which boxes are part of the digit that a larger one began.

    Parameters
    ----------
    pieces : array of shape (n, 4)
    main : array of shape (4,)

    Returns
    -------
    ndarray of shape (n,), bool
    """
    width, height = (pieces[:, 2:] - pieces[:, :2]).T
    main_width, main_height = main[2:] - main[:2]
    size = max(main_width, main_height)
    # How far they overlap across and down; negative is a gap
    across, down = (np.minimum(pieces[:, 2:], main[2:]) - np.maximum(pieces[:, :2], main[:2])).T
    inside = (across > 0) & (down > 0) & (across * down > 0.5 * width * height)
    margins = np.concatenate([pieces[:, :2] - main[:2], main[2:] - pieces[:, 2:]], axis=1)
    framed = (margins.min(axis=1) > 0.04 * size) & (np.maximum(width, height) > 0.4 * size)
    inside &= ~framed  # a digit inside a box does not belong to the box
    near = (across > -0.08 * size) & (down > -0.08 * size)
    crumb = near & (np.maximum(width, height) < 0.4 * size)  # a piece of a broken stroke
    flat = (height < 0.35 * main_height) & (width < 1.3 * main_height)
    # The base of a 1, or the bar of a 5 or 7: above, below, or continued to the side
    level = (across > 0.5 * np.minimum(width, main_width)) & (down > -0.25 * main_height)
    beside = (width < 0.8 * main_height) & (down > 0) & (across > -0.12 * main_height)
    digit_like = main_width < LINE * main_height  # nothing belongs to a line
    return np.asarray(digit_like & (inside | crumb | (flat & (level | beside))))


def _mark(contrast: Array, own: Array, box: Box) -> Mark:
    """Cut a mark out and scale its contrast so that the outline lies at 0.5."""
    from scipy import ndimage

    x0, y0, x1, y1 = box
    inside = contrast[y0:y1, x0:x1]
    full = float(np.percentile(inside[own], 85))
    near = ndimage.maximum_filter(own.view(np.uint8), 5).astype(bool)
    ink = np.where(near, inside / full, 0).astype(np.float32)
    return Mark(box, np.minimum(ink, 1.0))

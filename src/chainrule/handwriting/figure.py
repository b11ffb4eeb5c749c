"""The picture of a reading: the photo with its digits, each step, and what the network saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.common.checks import counted
from chainrule.common.types import Array
from chainrule.common.words import drawn
from chainrule.handwriting.reading import UNSURE
from chainrule.handwriting.table import numbers, written
from chainrule.plots.panel import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from chainrule.handwriting.reading import Reading

MOST_SEEN = 40  # pictures shown at most of those that the network saw
LONGEST = 64  # characters of a title
PHOTO = (6.5, 6.4)  # inches that the photo has room for, across and down
DIGIT, SURENESS, EVERYTHING = 0, 1, 2  # what a label says: a probability too, "no digit" too
Label = tuple[int, float]
"""What it says, and the size of its letters in points."""
Said = tuple[tuple[str, str, str], str]
"""What may be written at a mark, from the least to everything, and the mark's colour."""
LABELS: tuple[Label, ...] = (
    (EVERYTHING, 8.0),
    (SURENESS, 8.0),
    (DIGIT, 8.0),
    (DIGIT, 6.0),
    (DIGIT, 4.5),
)  # the first that has room is taken
CROWDED = 0.05  # part of the labels that may lack room: these alone are smaller


def reading_figure(reading: Reading, title: str) -> Figure:
    """Draw a photo with boxes and readings, the steps, and what the network saw.

    Parameters
    ----------
    reading : Reading
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    found = reading.found
    said = _said(reading)
    labels = _labels(reading, said)
    dpi = 100 if LABELS[0] in labels or not labels else 200
    figure = Figure(figsize=(13, 7.5), dpi=dpi, layout="constrained")
    figure.suptitle(drawn(title), fontsize="x-large", fontweight="bold")
    left, right = figure.subfigures(1, 2, width_ratios=(1.1, 1), squeeze=False)[0]
    ax = left.subplots()
    height, width = found.mask.shape
    _show(ax, found.photo.rgb, 1400)
    _draw_boxes(ax, reading, said, labels)
    ax.set_title(_title(reading), fontsize="large")
    steps, seen = right.subfigures(2, 1, squeeze=False)[:, 0]
    panels = steps.subplots(1, 3)
    marks = np.ones((height, width))
    for mark in found.marks:
        x0, y0, x1, y1 = mark.box
        marks[y0:y1, x0:x1] = np.minimum(marks[y0:y1, x0:x1], 1 - mark.ink)
    for panel, picture, name in zip(
        panels,
        (1 - found.contrast, ~found.mask, marks),
        ("light divided out", "ink and paper", "marks"),
        strict=True,
    ):
        _show(panel, picture.astype(np.float32), 500)
        panel.set_title(name)
    for panel in (ax, *panels):
        panel.set_xticks([])
        panel.set_yticks([])
    _draw_rows(ax, reading)
    _draw_seen(seen, reading, said)
    return figure


def _show(ax: Axes, picture: Array, most: int) -> None:
    """Draw a photo, or numbers from black, 0, to white, 1, of at most so many pixels a side.

    Matplotlib goes through all the pixels that it is given, and hears no signal meanwhile.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    reduced = Image.fromarray(picture).reduce(-(-max(height, width) // most))
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    ax.imshow(np.asarray(reduced), extent=extent, cmap="gray", vmin=0, vmax=1)


def _title(reading: Reading) -> str:
    """Return the numbers row by row, or where they are many, how many there are."""
    digits = reading.digits
    if not digits:
        return "read: no digit"
    rows = numbers(digits)
    text = "read: " + " / ".join(" ".join(map(written, row)) for row in rows)
    if len(text) <= LONGEST:
        return text
    return f"{counted(len(digits), 'digit')} in {counted(len(rows), 'row')}"


def _labels(reading: Reading, said: list[Said]) -> list[Label]:
    """Return which of `LABELS` each mark has: all the first that has room, but for a few marks."""
    height, width = reading.found.mask.shape
    inch = max(width / PHOTO[0], height / PHOTO[1])  # in pixels of the photo
    boxes = np.array([mark.box for mark in reading.found.marks], np.float32).reshape(-1, 4)
    x0, y0 = boxes[:, 0], boxes[:, 1]
    labels, left = [LABELS[-1]] * len(boxes), np.ones(len(boxes), bool)
    for label in LABELS:
        much, points = label
        letters = np.array([len(texts[much]) for texts, _ in said])
        wide, high = (0.62 * letters + 0.4) * points / 72 * inch, 1.5 * points / 72 * inch
        places = np.stack([x0, y0 - high, x0 + wide, y0], axis=1)
        crowded = np.any(_overlap(places, places) | _overlap(places, boxes), axis=1)
        if left.all() and crowded.sum() > max(1, CROWDED * len(boxes)):
            continue
        for i in np.flatnonzero(left & ~crowded):
            labels[i] = label
        left &= crowded
    return labels


def _overlap(some: Array, others: Array) -> Array:
    """Tell which boxes have a place in common; a box and the one of its own number do not count."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    return np.asarray((high > low).all(axis=2) & ~np.eye(len(some), dtype=bool))


def _draw_rows(ax: Axes, reading: Reading) -> None:
    """Draw a line through each row, with its number beside the photo, where there are several."""
    digits, scale = reading.digits, reading.found.photo.scale
    rows = [np.array([d.box for number in row for d in number]) / scale for row in numbers(digits)]
    if len(rows) < 2:
        return
    middles = [(row[:, :2] + row[:, 2:]) / 2 for row in rows]
    for middle in middles:
        start = [[0, middle[0, 1]]]
        ax.plot(*np.concatenate([start, middle]).T, color=BLUE, lw=1, alpha=0.35, zorder=1)
    ax.set_yticks([middle[0, 1] for middle in middles], [str(i + 1) for i in range(len(rows))])
    ax.tick_params(axis="y", labelsize=8, labelcolor=BLUE, length=0)


def _draw_boxes(ax: Axes, reading: Reading, said: list[Said], labels: list[Label]) -> None:
    """Draw a box around each mark of the working picture, with what was read."""
    from matplotlib.patches import Rectangle

    for mark, (texts, colour), (much, points) in zip(
        reading.found.marks, said, labels, strict=True
    ):
        x0, y0, x1, y1 = mark.box
        thick = 1.5 * points / LABELS[0][1]
        ax.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec=colour, lw=thick))
        if texts[much]:
            ax.text(
                x0, y0, texts[much], color="white", fontsize=points, va="bottom",
                bbox={"facecolor": colour, "edgecolor": "none", "pad": points / 8},
            )  # fmt: skip


def _said(reading: Reading) -> list[Said]:
    """Return what may be written at each mark."""
    read = {digit.box: digit for digit in reading.digits}
    said: list[Said] = []
    for i in range(len(reading.h)):
        digit = read.get(reading.found.box(i))
        if digit is None:
            said.append((("", "", "no digit"), GREY))
        else:
            full = f"{digit}  {100 * digit.probability:.0f} %"
            colour = BLUE if digit.probability >= UNSURE else ORANGE
            said.append(((str(digit), full, full), colour))
    return said


def _draw_seen(figure: Figure, reading: Reading, said: list[Said]) -> None:
    """Draw what the network saw of each mark; where they are many, of those it is least sure of."""
    pictures, sure = reading.found.pictures, reading.h.max(axis=1, initial=0)
    shown = np.sort(np.argsort(sure, kind="stable")[:MOST_SEEN])
    few = len(shown) == len(pictures)
    least = f": the {MOST_SEEN} marks it is least sure of"
    figure.suptitle("what the network sees" + ("" if few else least), fontsize="large")
    if not len(shown):
        return
    columns = min(10, max(3, len(shown)))
    panels = np.atleast_1d(figure.subplots(-(-len(shown) // columns), columns)).ravel()
    for panel in panels:
        panel.set_axis_off()
    for panel, i in zip(panels, shown, strict=False):
        panel.imshow(pictures[i], cmap="gray_r", vmin=0, vmax=1)
        texts, colour = said[i]
        panel.set_title(texts[EVERYTHING], fontsize=8, color=colour)

"""The picture of a reading: the photo with its digits, each step, and what the network saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.common.types import Array
from chainrule.common.words import drawn
from chainrule.plots.panel import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from chainrule.handwriting.reading import Reading

UNSURE = 0.9  # a reading with a lower probability is drawn in another colour
MOST_SEEN = 40  # pictures shown at most of those that the network saw


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
    figure = Figure(figsize=(13, 7.5), dpi=100, layout="constrained")
    figure.suptitle(drawn(title), fontsize="x-large", fontweight="bold")
    left, right = figure.subfigures(1, 2, width_ratios=(1.1, 1), squeeze=False)[0]
    ax = left.subplots()
    height, width = found.mask.shape
    _show(ax, found.photo.rgb, 1400)
    _draw_boxes(ax, reading)
    digits = reading.digits
    rows = [
        "".join(str(d.label) for d in digits if d.row == r) for r in sorted({d.row for d in digits})
    ]
    ax.set_title("read: " + (" / ".join(rows) if digits else "no digit"), fontsize="large")
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
    _draw_seen(seen, reading)
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


def _draw_boxes(ax: Axes, reading: Reading) -> None:
    """Draw a box around each mark of the working picture, with what was read."""
    from matplotlib.patches import Rectangle

    for i, (mark, p) in enumerate(zip(reading.found.marks, reading.h, strict=True)):
        text, colour = _said(reading, i, p)
        x0, y0, x1, y1 = mark.box
        ax.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec=colour, lw=1.5))
        ax.text(
            x0, y0, text, color="white", fontsize=8, va="bottom",
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip


def _said(reading: Reading, i: int, p: np.ndarray) -> tuple[str, str]:
    """Return what is written at a mark, and its colour."""
    if not reading.is_digit(i):
        return "no digit", GREY
    label = int(p[:-1].argmax())
    return f"{label}  {100 * p[label]:.0f} %", BLUE if p[label] >= UNSURE else ORANGE


def _draw_seen(figure: Figure, reading: Reading) -> None:
    """Draw what the network saw of each mark."""
    pictures, more = reading.found.pictures[:MOST_SEEN], len(reading.h) - MOST_SEEN
    figure.suptitle(
        "what the network sees" + (f" ({more} more)" if more > 0 else ""), fontsize="large"
    )
    if not len(pictures):
        return
    columns = min(10, max(3, len(pictures)))
    panels = np.atleast_1d(figure.subplots(max(1, -(-len(pictures) // columns)), columns)).ravel()
    for panel in panels:
        panel.set_axis_off()
    for i, (panel, picture) in enumerate(zip(panels, pictures, strict=False)):
        panel.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
        text, colour = _said(reading, i, reading.h[i])
        panel.set_title(text, fontsize=8, color=colour)

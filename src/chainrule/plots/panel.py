"""What every display is drawn on, and the colours that all share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from chainrule.common.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#555555"  # distinct in any colour vision
LAYERS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # these too
Images = Callable[[Array], Array]
"""Turns rows of inputs, of shape (r, height * width), into images of shape (r, height, width)."""
MOST_NAMES = 40  # inputs or units named along an axis at most


@dataclass
class Panel:
    """What displays of one panel share: `plot` draws it.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Set by `plot`.

    Examples
    --------
    >>> class Nothing(Panel):
    ...     def draw(self, ax):
    ...         ax.set_title("Nothing")
    >>> Nothing().plot().ax_.get_title()
    'Nothing'
    """

    ax_: Axes = field(init=False, repr=False)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on ax, or on a new pyplot figure, which notebooks show by themselves."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(layout="constrained")[1]
        self.ax_ = ax
        self.draw(ax)
        return self

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        raise NotImplementedError


def mosaic(
    ax: Axes,
    images: Array,
    *,
    limit: tuple[float, float] | None = None,
    captions: Sequence[str] = (),
) -> None:
    """Draw images as tiles in a grid that is nearly square, with captions above them."""
    n, height, width = images.shape
    columns = int(np.ceil(np.sqrt(n)))
    gap = max(1, height // 10)
    head = gap + (height // 3 if captions else 0)
    page = np.full((-(-n // columns) * (height + head), columns * (width + gap) - gap), np.nan)
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        top, left = row * (height + head) + head, column * (width + gap)
        page[top : top + height, left : left + width] = image
        if captions:
            ax.text(
                left + (width - 1) / 2,
                top - 0.7,
                captions[i],
                ha="center",
                va="bottom",
                fontsize="small",
            )
    low, high = images.min(), images.max()
    low -= 0.1 * (
        high - low
    )  # the lightest value is light grey, so that a tile shows on the white page
    low, high = limit or (low, high)
    ax.imshow(page, cmap="gray_r", vmin=low, vmax=high, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)

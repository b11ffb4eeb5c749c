"""What a network predicted, beside what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.common.words import drawn
from chainrule.evaluation.scores import Evaluation
from chainrule.plots.panel import BLUE, GREY, ORANGE, Images, Panel, mosaic

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MOST_MISTAKES = 24  # wrong examples shown at most
MOST_COUNTS = 12  # classes at most for a confusion matrix with numbers in its cells


@dataclass
class MistakesDisplay(Panel):
    """The images that it got wrong, those first where the network was surest.

    Parameters
    ----------
    images : ndarray of shape (n, height, width)
    captions : sequence of str
        One for each: the true class, an arrow, the predicted one.
    total : int
        How many mistakes there are, shown or not.

    Examples
    --------
    >>> evaluation = Evaluation(np.array([[0.9], [0.2]]), np.array([1, 1]), classes=["no", "yes"])
    >>> X, images = np.arange(18.0).reshape(2, 9), lambda rows: rows.reshape(-1, 3, 3)
    >>> display = MistakesDisplay.from_evaluation(evaluation, X, images).plot()
    >>> display.captions, display.ax_.get_title()
    (['yes→no'], 'The example it got wrong (true→predicted)')
    """

    images: Array
    captions: Sequence[str]
    total: int

    __repr__ = summary

    @classmethod
    def from_evaluation(cls, evaluation: Evaluation, X: Array, images: Images) -> MistakesDisplay:
        """Return the display of a classifier's mistakes.

        Parameters
        ----------
        evaluation : Evaluation
        X : array of shape (m, s_1)
            The examples, in the evaluation's order.
        images : callable
            Turns rows of X into images of shape (r, height, width).
        """
        names = [str(label) for label in evaluation.classes or ()]
        wrong = evaluation.mistakes[:MOST_MISTAKES]
        captions = [f"{names[evaluation.truth[i]]}→{names[evaluation.answer[i]]}" for i in wrong]
        return cls(images(X[wrong]), captions, len(evaluation.mistakes))

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        if not self.total:
            ax.set_axis_off()
            ax.text(0.5, 0.5, "none", ha="center", va="center", color=GREY)
            ax.set_title("Examples it got wrong")
            return
        mosaic(ax, self.images, captions=[drawn(caption) for caption in self.captions])
        examples = "example" if self.total == 1 else f"{self.total:,} examples"
        ax.set_title(f"The {examples} it got wrong (true→predicted)")
        if len(self.images) < self.total:
            ax.set_xlabel(f"the {len(self.images)} it was surest of", color=GREY)


def confusion(ax: Axes, evaluation: Evaluation, target: str) -> None:
    """Draw a confusion matrix, with numbers in its cells where there is room for them."""
    from sklearn.metrics import ConfusionMatrixDisplay

    names, target = [drawn(label) for label in evaluation.classes or ()], drawn(target)
    few = len(names) <= MOST_COUNTS
    display = ConfusionMatrixDisplay(evaluation.confusion, display_labels=names).plot(
        ax=ax,
        cmap="Blues",
        colorbar=not few,
        include_values=few,
        values_format="d",
        xticks_rotation="vertical" if max(map(len, names)) > 3 else "horizontal",
    )
    if not few:
        display.im_.colorbar.set_label("examples")
    ax.set(title="Confusion matrix", xlabel=f"predicted {target}", ylabel=f"true {target}")


def prediction_errors(ax: Axes, evaluation: Evaluation, target: str, kind: str) -> None:
    """Draw predicted against true values."""
    from matplotlib.ticker import MaxNLocator
    from sklearn.metrics import PredictionErrorDisplay

    target = drawn(target)
    alpha = float(np.clip(50 / len(evaluation.truth), 0.25, 0.7))  # where points lie on each other
    PredictionErrorDisplay(y_true=evaluation.truth.ravel(), y_pred=evaluation.answer.ravel()).plot(
        ax=ax,
        kind=kind,
        scatter_kwargs={"color": BLUE, "alpha": alpha, "s": 14, "edgecolors": "none"},
        line_kwargs={"color": ORANGE, "linestyle": "--"},
    )
    if kind == "actual_vs_predicted":
        ax.set(title=f"Predicted against true {target}", ylabel=f"true {target}")
    else:
        ax.set(title="Errors", ylabel=f"true - predicted {target}")
    ax.set_xlabel(f"predicted {target}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter("{x:,g}")
    ax.grid(color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)


MOST_BINS = 20  # as many as MATLAB's error histogram has


@dataclass
class RegressionDisplay(Panel):
    """Predicted against true: a point for each example, the diagonal, and the line that fits them.

    Parameters
    ----------
    y, h : ndarray of shape (n,)
        True and predicted values.

    Examples
    --------
    >>> display = RegressionDisplay(np.array([1.0, 2.0, 3.0]), np.array([1.1, 1.9, 3.0])).plot()
    >>> display.ax_.get_title()
    'Predicted against true: R = 0.9959'
    """

    y: Array
    h: Array

    __repr__ = summary

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        slope, height = np.polyfit(self.y, self.h, 1)
        ends = np.array([min(self.y.min(), self.h.min()), max(self.y.max(), self.h.max())])
        ax.plot(ends, ends, "--", color=GREY, linewidth=1, label="predicted = true")
        ax.plot(self.y, self.h, "o", color=BLUE, alpha=0.4, markersize=4, markeredgewidth=0)
        ax.plot(ends, slope * ends + height, color=ORANGE, linewidth=2,
                label=f"predicted = {slope:.3g} true {height:+.3g}")  # fmt: skip
        R = np.corrcoef(self.y, self.h)[0, 1]
        ax.set(title=f"Predicted against true: R = {R:.4g}", xlabel="true", ylabel="predicted")
        ax.legend(frameon=False)
        ax.spines[["top", "right"]].set_visible(False)


@dataclass
class ErrorHistogramDisplay(Panel):
    """How large true - predicted is, and how often.

    Parameters
    ----------
    y, h : ndarray of shape (n,)
        True and predicted values.
    bins : int, optional
        Default: 20, and fewer below 100 examples.

    Examples
    --------
    >>> display = ErrorHistogramDisplay(np.array([1.0, 2.0, 3.0]), np.array([1.1, 1.9, 3.0])).plot()
    >>> int(sum(patch.get_height() for patch in display.ax_.patches))
    3
    """

    y: Array
    h: Array
    bins: int | None = None

    __repr__ = summary

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        from matplotlib.ticker import MaxNLocator

        bins = self.bins or min(MOST_BINS, round(2 * np.sqrt(len(self.y))))
        ax.hist(self.y - self.h, bins=bins, color=BLUE, edgecolor="white")
        ax.axvline(0, color=ORANGE, linewidth=2)
        ax.set(title="Error histogram", xlabel="true - predicted", ylabel="examples")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.spines[["top", "right"]].set_visible(False)

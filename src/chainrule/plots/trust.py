"""How far a network's answers can be trusted, and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.common.words import drawn
from chainrule.evaluation.importance import Importances
from chainrule.plots.panel import BLUE, GREY, ORANGE, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 10
SURE = 1.96  # standard errors on both sides
MOST_COLUMNS = 12
FEWEST = 10  # examples in a strip of residuals


@dataclass
class CalibrationDisplay(Panel):
    """Whether probabilities are true: how often it is right, by how sure it says it is.

    A point for each tenth of the probabilities; a bar of two standard errors says how far chance
    alone may move it.  Of two classes it is the probability of the second, of more that of
    the answer.

    Parameters
    ----------
    said, right : ndarray of shape (m,)
        A probability, and whether it has come true.
    what : str
        What is said.

    Attributes
    ----------
    error : float
        The expected calibration error: how far points are from the diagonal in the mean, weighted
        by their examples.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.15, 0.85], [0.9, 0.1]])
    >>> display = CalibrationDisplay.from_predictions([0, 1, 0, 0], p).plot()
    >>> round(display.error, 4), display.ax_.get_title()
    (0.2125, 'Calibration: off by 21.2 % in the mean')
    """

    said: Array
    right: Array
    what: str = "the class"

    __repr__ = summary

    @classmethod
    def from_predictions(cls, y: Any, p: Any, classes: Any = None) -> CalibrationDisplay:
        """Return the display of probabilities and what came true.

        Parameters
        ----------
        y : array-like of shape (m,)
            True labels.
        p : array-like of shape (m, n_classes)
        classes : array-like of shape (n_classes,), optional
            Their labels.  Default: 0, 1, ...
        """
        y, p = np.asarray(y), np.asarray(p)
        names = np.arange(p.shape[1]) if classes is None else np.asarray(classes)
        if p.shape != (len(y), len(names)):
            raise ValueError(
                f"p has the shape {p.shape}: give a column for each of {len(names)} classes, and "
                f"a row for each of {len(y)} labels"
            )
        if len(names) == 2:
            return cls(p[:, 1], y == names[1], str(names[1]))
        return cls(p.max(axis=1), y == names[p.argmax(axis=1)], "the answer")

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any) -> CalibrationDisplay:
        """Return the display of a fitted classifier, on rows that it was not fitted on."""
        return cls.from_predictions(y, estimator.predict_proba(X), estimator.classes_)

    @property
    def _bins(self) -> tuple[Array, Array, Array]:
        """How many examples each bin has, and what is said and true in it, in the mean."""
        place = np.minimum((self.said * BINS).astype(int), BINS - 1)
        count = np.bincount(place, minlength=BINS)
        said, right = (np.bincount(place, v, BINS) for v in (self.said, self.right))
        some = count > 0
        return count[some], said[some] / count[some], right[some] / count[some]

    @property
    def error(self) -> float:
        """The expected calibration error."""
        count, said, right = self._bins
        return float(np.average(abs(said - right), weights=count))

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        count, said, right = self._bins
        chance = SURE * np.sqrt(np.maximum(said * (1 - said), 0) / count)
        low, high = np.clip([right - chance, right + chance], 0, 1)
        ax.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1, label="as often as it says")
        ax.vlines(said, low, high, color=BLUE, alpha=0.4)
        ax.plot(said, right, "-", color=BLUE, linewidth=1)
        ax.scatter(said, right, 20 + 180 * count / count.max(), color=BLUE, zorder=3,
                   label="larger: more examples")  # fmt: skip
        what = drawn(self.what)
        ax.set(
            title=f"Calibration: off by {100 * self.error:.1f} % in the mean",
            xlabel=f"probability of {what}",
            ylabel=f"how often it is {what}",
            ylim=(-0.05, 1.05),
        )
        if self.what == "the answer":
            ax.set_ylabel("how often it is right")
        ax.legend(frameon=False, loc="lower right")
        ax.spines[["top", "right"]].set_visible(False)


@dataclass
class ResidualsDisplay(Panel):
    """How far off predicted numbers are: true - predicted, beside what is predicted.

    Steps show the median and where nine in ten lie, in strips with as many examples each: a median
    away from 0 is a mistake that the network could learn, a spread that grows is noise that it
    cannot.

    Parameters
    ----------
    y, h : ndarray of shape (m,)
        True and predicted numbers.

    Examples
    --------
    >>> h = np.linspace(0, 1, 50)
    >>> display = ResidualsDisplay.from_predictions(h + 0.1, h).plot()
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('predicted', 'true - predicted')
    """

    y: Array
    h: Array

    __repr__ = summary

    @classmethod
    def from_predictions(cls, y: Any, h: Any) -> ResidualsDisplay:
        """Return the display of true and predicted numbers, array-likes of shape (m,)."""
        y, h = np.ravel(y), np.ravel(h)
        if len(y) != len(h):
            raise ValueError(f"{len(y)} true numbers and {len(h)} predicted ones: give as many")
        return cls(y, h)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any) -> ResidualsDisplay:
        """Return the display of a fitted regressor, on rows that it was not fitted on."""
        return cls.from_predictions(y, estimator.predict(X))

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        from matplotlib.ticker import MaxNLocator

        wrong = self.y - self.h
        alpha = float(np.clip(50 / len(wrong), 0.25, 0.7))
        ax.plot(self.h, wrong, "o", color=BLUE, alpha=alpha, markersize=4, markeredgewidth=0)
        ax.axhline(0, color=GREY, linestyle="--", linewidth=1)
        strips = min(BINS, len(wrong) // FEWEST)
        order = np.argsort(self.h, kind="stable")
        parts = np.array_split(order, strips) if strips > 1 else []
        for j, rows in enumerate(parts):
            low, middle, high = np.quantile(wrong[rows], [0.05, 0.5, 0.95])
            ends = self.h[rows[[0, -1]]]
            label = "nine in ten" if j == 0 else None
            ax.fill_between(ends, low, high, color=ORANGE, alpha=0.2, linewidth=0, label=label)
            ax.plot(ends, [middle] * 2, color=ORANGE, label="median" if j == 0 else None)
        ax.set(title="Residuals", xlabel="predicted", ylabel="true - predicted")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(5))
            axis.set_major_formatter("{x:,g}")
        if parts:
            ax.legend(frameon=False)
        ax.spines[["top", "right"]].set_visible(False)


@dataclass
class ImportancesDisplay(Panel):
    """What a network goes by: by how much the cost J rises when a column is shuffled.

    Parameters
    ----------
    importances : Importances

    Examples
    --------
    >>> found = Importances(("age", "town"), np.array([[0.4, 0.5], [0.0, 0.1]]), 0.3)
    >>> display = ImportancesDisplay(found).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['age', 'town']
    """

    importances: Importances

    __repr__ = summary

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any) -> ImportancesDisplay:
        """Return the display of a `chainrule.TableClassifier` or `chainrule.TableRegressor`."""
        return cls(estimator.importances(X, y))

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        found = self.importances
        n = min(len(found.names), MOST_COLUMNS)
        spread = found.rises[:n].std(axis=1)
        ax.barh(range(n), found.means[:n], xerr=spread, color=BLUE, ecolor=GREY, height=0.7)
        ax.set_yticks(range(n), [drawn(name) for name in found.names[:n]])
        ax.invert_yaxis()
        ax.axvline(0, color=GREY, linewidth=1)
        some = "" if n == len(found.names) else f", the first {n} of {len(found.names)} columns"
        ax.set(
            title=f"Importances{some}", xlabel=f"rise of J, which is {found.J:.3g}, when shuffled"
        )
        ax.spines[["top", "right", "left"]].set_visible(False)

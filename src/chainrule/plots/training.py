"""How a training went: J, the gradient's norm, and what the optimizer reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.optimize import History
from chainrule.plots.panel import BLUE, GREY, ORANGE, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from chainrule.estimators import MLPClassifier, MLPRegressor


@dataclass
class TrainingCurveDisplay(Panel):
    """J after each iteration, on validation examples too, and the score that stopped it early.

    Parameters
    ----------
    J : array of shape (n,)
    J_val : array of shape (n,), optional
        J on the validation examples, without regularisation.
    scores : array of shape (n,), optional
        Scores on the validation examples, drawn on an axis of their own.
    first : int, default=0
        The iteration of the first value: 0 is the start.
    what : str, default="cost J"
        The axis label, with its units.

    Examples
    --------
    >>> from chainrule.optimize import History
    >>> history = History(J=[7.0, 2.0, 0.5], gradient_norm=[3.0, 1.0, 0.2])
    >>> display = TrainingCurveDisplay.from_history(history).plot()
    >>> display.ax_.get_title()
    'Training curve'
    """

    J: Array
    J_val: Array | None = None
    scores: Array | None = None
    first: int = 0
    what: str = "cost J"

    __repr__ = summary

    @classmethod
    def from_history(cls, history: History, what: str = "cost J") -> TrainingCurveDisplay:
        """Return the display of a `Result`'s history."""
        J_val = np.array(history.J_val) if history.J_val else None
        return cls(np.array(history.J), J_val, what=what)

    @classmethod
    def from_estimator(
        cls, estimator: MLPClassifier | MLPRegressor, what: str = "loss"
    ) -> TrainingCurveDisplay:
        """Return the display of a fitted estimator's loss, validation loss and validation scores.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
        what : str, default="loss"

        Examples
        --------
        >>> from chainrule import MLPRegressor
        >>> net = MLPRegressor(hidden_layer_sizes=3, solver="lbfgs", random_state=0)
        >>> net = net.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
        >>> len(TrainingCurveDisplay.from_estimator(net).J) == net.n_iter_
        True
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(estimator, "loss_curve_")
        optional = (estimator.validation_loss_curve_, estimator.validation_scores_)
        J_val, scores = (np.array(curve) if curve else None for curve in optional)
        return cls(np.array(estimator.loss_curve_), J_val, scores, first=1, what=what)

    def draw(self, ax: Axes) -> None:
        """Draw on ax, J on a logarithmic scale where it is positive."""
        from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

        curves = [("training ", self.J, BLUE)]
        if self.J_val is not None:
            curves.append(("validation ", self.J_val, ORANGE))
        lowest = min(J[-1] for _, J, _ in curves)
        iterations = np.arange(self.first, self.first + len(self.J))
        for name, J, colour in curves:
            below = len(curves) > 1 and J[-1] == lowest  # where two curves leave room
            ax.plot(iterations, J, color=colour, linewidth=2)
            ax.annotate(
                f"{name if len(curves) > 1 else ''}{J[-1]:.3g}",
                (iterations[-1], J[-1]),
                xytext=(0, -6 if below else 6),
                textcoords="offset points",
                ha="right",
                va="top" if below else "bottom",
                color=colour,
            )
        ax.margins(y=0.1)
        values = np.concatenate([J for _, J, _ in curves])
        if values.min() > 0 and values.max() > 5 * values.min():
            ax.set_yscale("log")
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            ax.yaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(title="Training curve", xlabel="iteration", ylabel=self.what)
        ax.grid(color="#dddddd", linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        if self.scores is not None:
            right = ax.twinx()
            right.plot(iterations, self.scores, color=GREY, linestyle="--", label="score")
            right.set_ylabel("validation score (dashed)", color=GREY)
            right.spines["top"].set_visible(False)


@dataclass
class TrainingStateDisplay:
    """How a training went: J, the gradient's norm, and what else the optimizer reported.

    Parameters
    ----------
    history : History
        Levenberg-Marquardt reports its damping; Bayesian regularisation also lambda and the
        effective number of parameters.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        Set by `plot`: one panel for each, above the others.

    Examples
    --------
    >>> history = History(J=[7.0, 2.0], gradient_norm=[3.0, 1.0], extra={"damping": [30.0, 10.0]})
    >>> [ax.get_ylabel() for ax in TrainingStateDisplay(history).plot().figure_.axes]
    ['J', 'gradient norm', 'damping']
    """

    history: History
    figure_: Figure = field(init=False, repr=False)

    __repr__ = summary

    def plot(self) -> TrainingStateDisplay:
        """Draw on a new figure."""
        import matplotlib.pyplot as plt
        from matplotlib.ticker import LogLocator, NullLocator

        told = {"J": self.history.J, "gradient norm": self.history.gradient_norm}
        if np.isnan(self.history.gradient_norm).all():  # minibatches have none
            del told["gradient norm"]
        told |= self.history.extra
        self.figure_, panels = plt.subplots(
            len(told),
            squeeze=False,
            sharex=True,
            figsize=(6.4, 1.8 * len(told) + 0.8),
            layout="constrained",
        )
        for ax, (name, values) in zip(panels[:, 0], told.items(), strict=True):
            ax.plot(values, color=BLUE, linewidth=2)
            if name != "effective parameters" and max(values) > 5 * min(values) > 0:
                ax.set_yscale("log")
                if max(values) < 100 * min(values):  # powers of ten would be too few
                    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
                    ax.yaxis.set_minor_locator(NullLocator())
            ax.set_ylabel(name)
            ax.grid(color="#dddddd", linewidth=0.6)
            ax.spines[["top", "right"]].set_visible(False)
        panels[0, 0].set_title("State of the training")
        panels[-1, 0].set_xlabel("iteration")
        self.figure_.align_ylabels()
        return self

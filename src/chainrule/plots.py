"""Pictures of a training: its curve, the weights, what hidden units look for, and what went wrong.

Each display is made by a ``from_...`` method and drawn by ``plot(ax=None)``, as scikit-learn's are;
scikit-learn's own draw what they can (the confusion matrix, predicted against target).
`training_figure` puts a training on one page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from chainrule.activations import Array
from chainrule.evaluation import Evaluation
from chainrule.gradient_check import GradientReport
from chainrule.network import Network
from chainrule.optimize import History
from chainrule.theta import blocks, reshape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from chainrule.estimators import MLPClassifier, MLPRegressor

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#555555"  # told apart with any colour vision
LAYERS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # so are these
Images = Callable[[Array], Array]
"""Turns rows of inputs, of shape (r, height * width), into images of shape (r, height, width)."""

MOST_UNITS = 100  # hidden units shown
MOST_MISTAKES = 24  # wrong examples shown
MOST_NAMES = 40  # inputs or units named along an axis
MOST_COUNTS = 12  # classes up to which a confusion matrix's cells have room for their numbers


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
        """Draw on ax, or on a new figure of pyplot's, which notebooks show by themselves."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(layout="constrained")[1]
        self.ax_ = ax
        self.draw(ax)
        return self

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        raise NotImplementedError


@dataclass
class TrainingCurveDisplay(Panel):
    """J after each iteration, on validation examples too, and the score that stopped it early.

    Parameters
    ----------
    J : array of shape (n,)
    J_val : array of shape (n,), optional
        On the validation examples, without regularisation.
    scores : array of shape (n,), optional
        On the validation examples; drawn on an axis of their own.
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
class HiddenUnitsDisplay(Panel):
    """What each unit of the first hidden layer looks for: its weights, as a picture.

    Black: ink there switches the unit on.  White: ink there switches it off.  Mid grey: no matter.
    Each tile has its own scale, symmetric around zero.

    Parameters
    ----------
    weights : ndarray of shape (s_2, height, width)

    Examples
    --------
    >>> from chainrule import Network, random_theta
    >>> network = Network((9, 4, 1))
    >>> images = lambda rows: rows.reshape(-1, 3, 3)
    >>> display = HiddenUnitsDisplay.from_theta(network, random_theta(network), images).plot()
    >>> display.ax_.get_title()
    'What the 4 hidden units look for'
    """

    weights: Array

    @classmethod
    def from_theta(cls, network: Network, theta: Array, images: Images) -> HiddenUnitsDisplay:
        """Return the display of Theta(1), its bias column left out.

        Parameters
        ----------
        network : Network
        theta : array of shape (size,)
        images : callable
            Turns rows of inputs, of shape (r, s_1), into images of shape (r, height, width).
        """
        W = blocks(network, network.theta(theta))[0][1:]  # (s_1, s_2)
        return cls(images(W.T))

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        shown = self.weights[:MOST_UNITS]
        largest = np.abs(shown).max(axis=(1, 2), keepdims=True)
        _mosaic(ax, shown / np.where(largest > 0, largest, 1), limit=(-1, 1))
        first = "first " if len(shown) < len(self.weights) else ""
        plural = "s look" if len(shown) > 1 else " looks"
        ax.set_title(f"What the {first}{len(shown)} hidden unit{plural} for")
        ax.set_xlabel("black: ink here switches it on · white: off", color=GREY)


@dataclass
class WeightsDisplay(Panel):
    """The weights of one layer as a map: a row for each unit, a column for each of its inputs.

    Red is positive, blue negative, white zero.  The first column is the bias, as in the notes'
    Theta(l).  For inputs that are images `HiddenUnitsDisplay` shows more.

    Parameters
    ----------
    Theta : ndarray of shape (s_{l+1}, s_l + 1)
    inputs, units : sequence of str, optional
        The names of the columns, without the bias, and of the rows.  Default: numbers, from 1.
    title : str, default="Weights"

    Examples
    --------
    >>> display = WeightsDisplay(np.array([[0.5, 1.0, -2.0]]), inputs=["size", "age"]).plot()
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['bias', 'size', 'age']
    """

    Theta: Array
    inputs: Sequence[str] | None = None
    units: Sequence[str] | None = None
    title: str = "Weights"

    @classmethod
    def from_estimator(
        cls, estimator: MLPClassifier | MLPRegressor, layer: int = 1
    ) -> WeightsDisplay:
        """Return the display of a fitted estimator's weights.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
        layer : int, default=1
            l of Theta(l), 1 to L - 1: the layer that the weights lead out of.

        Raises
        ------
        ValueError
            If there is no such layer.

        Examples
        --------
        >>> from chainrule import MLPRegressor
        >>> net = MLPRegressor(hidden_layer_sizes=3, solver="lbfgs", random_state=0)
        >>> net = net.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
        >>> WeightsDisplay.from_estimator(net, layer=2).Theta.shape
        (1, 4)
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(estimator)
        network = estimator.network_
        if not 1 <= layer < network.L:
            raise ValueError(f"layer must be 1 to {network.L - 1}, got {layer!r}")
        Theta = reshape(network, estimator.theta_)[layer - 1]
        inputs = getattr(estimator, "feature_names_in_", None) if layer == 1 else None
        classes = getattr(estimator, "classes_", ())
        units = [str(c) for c in classes] if layer == network.L - 1 else []
        named = len(units) == len(Theta)  # two classes share a unit
        return cls(Theta, inputs, units if named else None, f"Weights: Theta({layer})")

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        rows, columns = self.Theta.shape
        limit = float(np.abs(self.Theta).max()) or 1.0
        picture = ax.imshow(
            self.Theta, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto",
            interpolation="nearest",
        )  # fmt: skip
        inputs = self.inputs if self.inputs is not None else range(1, columns)
        units = self.units if self.units is not None else range(1, rows + 1)
        for axis, names in (
            (ax.xaxis, ["bias", *map(str, inputs)]),
            (ax.yaxis, [*map(str, units)]),
        ):
            every = -(-len(names) // MOST_NAMES)
            axis.set_ticks(range(0, len(names), every), names[::every])
        if max(map(len, map(str, inputs))) > 3:
            ax.tick_params(axis="x", labelrotation=90)
        ax.axvline(0.5, color=GREY, linewidth=1)
        ax.set(title=self.title, xlabel="from", ylabel="to unit" if self.units is None else "to")
        if (figure := ax.get_figure()) is not None:
            figure.colorbar(picture, ax=ax, label="weight")


@dataclass
class MistakesDisplay(Panel):
    """The images that got a wrong answer, those first where the network was surest.

    Parameters
    ----------
    images : ndarray of shape (n, height, width)
    captions : sequence of str
        One for each: the truth, an arrow, the answer.
    total : int
        How many mistakes there are, shown or not.

    Examples
    --------
    >>> evaluation = Evaluation(np.array([[0.9], [0.2]]), np.array([1, 1]), classes=["no", "yes"])
    >>> X, images = np.arange(18.0).reshape(2, 9), lambda rows: rows.reshape(-1, 3, 3)
    >>> display = MistakesDisplay.from_evaluation(evaluation, X, images).plot()
    >>> display.captions, display.ax_.get_title()
    (['yes→no'], 'The example it got wrong (truth→answer)')
    """

    images: Array
    captions: Sequence[str]
    total: int

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
        _mosaic(ax, self.images, captions=self.captions)
        examples = "example" if self.total == 1 else f"{self.total:,} examples"
        ax.set_title(f"The {examples} it got wrong (truth→answer)")
        if len(self.images) < self.total:
            ax.set_xlabel(f"the {len(self.images)} it was surest of", color=GREY)


@dataclass
class GradientCheckDisplay(Panel):
    """Analytic against numerical gradient, each Theta(l) in its colour; right ones on the diagonal.

    A constant factor shows as another line through 0, a mistake in one layer as one colour off the
    diagonal, a regularised bias as crosses off it.

    Parameters
    ----------
    report : GradientReport

    Examples
    --------
    >>> from chainrule import check_gradient
    >>> report = check_gradient(lambda theta: (theta @ theta, -2 * theta), [1.0, 2.0])
    >>> GradientCheckDisplay.from_report(report).plot().ax_.get_title()
    'Gradient check failed: sign'
    """

    report: GradientReport

    @classmethod
    def from_report(cls, report: GradientReport) -> GradientCheckDisplay:
        """Return the display of what `check_gradient` found."""
        return cls(report)

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        report = self.report
        ax.axline((0, 0), slope=1, color=GREY, linewidth=1, zorder=1)
        by_component = report.directions is None
        parts = [(part.name, part.start, part.stop) for part in report.parts if by_component]
        what = "components" if by_component else "slopes along random directions"
        for i, (name, start, stop) in enumerate(parts or [(what, 0, len(report.D))]):
            layer, weights = divmod(i, 2)
            ax.scatter(
                report.numerical[start:stop],
                report.D[start:stop],
                label=name,
                color=LAYERS[layer % len(LAYERS)],
                marker="o" if weights or not parts else "x",
                s=28,
                alpha=0.75,
                linewidths=1.2 if parts and not weights else 0,
            )
        found = ": " + report.diagnosis[0].name if report.diagnosis else ""
        ax.set_title(f"Gradient check {'passed' if report.ok else 'failed'}{found}")
        ax.set(xlabel="numerical gradient", ylabel="analytic gradient D")
        ax.legend(frameon=False, fontsize="small")
        ax.grid(color="#dddddd", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)


def training_figure(
    title: str,
    network: Network,
    theta: Array,
    history: History,
    evaluation: Evaluation,
    X: Array,
    *,
    target: str = "target",
    what: str = "cost J",
    images: Images | None = None,
    more: Sequence[Callable[[Axes], Any]] = (),
) -> Figure:
    """Put a training on one page.

    Parameters
    ----------
    title : str
    network : Network
    theta : array of shape (size,)
    history : History
    evaluation : Evaluation
        On the held-out examples, or on those trained on where none were held out.
    X : array of shape (m, s_1)
        The evaluation's examples.
    target : str, default="target"
        The name of what is predicted.
    what : str, default="cost J"
        The training curve's axis label.
    images : callable, optional
        Turns rows of X into images of shape (r, height, width): adds the hidden units and the
        mistakes.
    more : sequence of callable, optional
        Each draws one more panel on the axes it is given, as every display's ``plot`` does.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.savefig(path)`` writes it.

    Examples
    --------
    >>> from chainrule import train
    >>> network = Network((1, 4, 1), hidden="tanh", output="identity")
    >>> X, y = np.linspace(-1, 1, 20)[:, None], np.linspace(-1, 1, 20) ** 2
    >>> result = train(network, X, y, max_iter=5)
    >>> evaluation = Evaluation(np.zeros((20, 1)), y)
    >>> figure = training_figure("parabola", network, result.theta, result.history, evaluation, X)
    >>> [ax.get_title() for ax in figure.axes]
    ['Training curve', 'Predicted against true target', 'Errors']
    """
    from matplotlib.figure import Figure

    panels: list[Any] = [TrainingCurveDisplay.from_history(history, what).plot]
    if evaluation.classes is None:
        panels += [
            lambda ax: _prediction_errors(ax, evaluation, target, "actual_vs_predicted"),
            lambda ax: _prediction_errors(ax, evaluation, target, "residual_vs_predicted"),
        ]
    else:
        panels.append(lambda ax: _confusion(ax, evaluation, target))
        if images is not None:
            panels += [
                HiddenUnitsDisplay.from_theta(network, theta, images).plot,
                MistakesDisplay.from_evaluation(evaluation, X, images).plot,
            ]
    panels += more
    rows = 1 if len(panels) < 4 else 2
    columns = -(-len(panels) // rows)
    figure = Figure(figsize=(5 * columns, 4.6 * rows + 0.4), dpi=100)
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    figure.suptitle(title, fontsize="x-large", fontweight="bold")
    places = np.ravel(figure.subplots(rows, columns))
    for panel, ax in zip(panels, places, strict=False):
        panel(ax)
    for ax in places[len(panels) :]:
        ax.remove()
    return figure


def _confusion(ax: Axes, evaluation: Evaluation, target: str) -> None:
    from sklearn.metrics import ConfusionMatrixDisplay

    names = [str(label) for label in evaluation.classes or ()]
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
    ax.set(title="Confusion matrix", xlabel="answer", ylabel=f"truth ({target})")


def _prediction_errors(ax: Axes, evaluation: Evaluation, target: str, kind: str) -> None:
    from matplotlib.ticker import MaxNLocator
    from sklearn.metrics import PredictionErrorDisplay

    alpha = float(np.clip(50 / len(evaluation.truth), 0.25, 0.7))  # many points lie on each other
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


def _mosaic(
    ax: Axes,
    images: Array,
    *,
    limit: tuple[float, float] | None = None,
    captions: Sequence[str] = (),
) -> None:
    """Draw images as tiles, as near to a square as they go, with captions above them."""
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
    low -= 0.1 * (high - low)  # the lightest ink is light grey: a tile is seen on the white page
    low, high = limit or (low, high)
    ax.imshow(page, cmap="gray_r", vmin=low, vmax=high, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)

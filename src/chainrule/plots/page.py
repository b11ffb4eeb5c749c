"""A training on one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.common.types import Array
from chainrule.common.words import printable
from chainrule.evaluation.scores import Evaluation
from chainrule.notes.network import Network
from chainrule.optimize import History
from chainrule.plots.answers import MistakesDisplay, confusion, prediction_errors
from chainrule.plots.panel import Images
from chainrule.plots.training import TrainingCurveDisplay
from chainrule.plots.weights import HiddenUnitsDisplay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
    panels: list[Any] = [TrainingCurveDisplay.from_history(history, what).plot]
    if evaluation.classes is None:
        panels += [
            lambda ax: prediction_errors(ax, evaluation, target, "actual_vs_predicted"),
            lambda ax: prediction_errors(ax, evaluation, target, "residual_vs_predicted"),
        ]
    else:
        panels.append(lambda ax: confusion(ax, evaluation, target))
        if images is not None:
            panels += [
                HiddenUnitsDisplay.from_theta(network, theta, images).plot,
                MistakesDisplay.from_evaluation(evaluation, X, images).plot,
            ]
    return page_of(title, [*panels, *more])


def page_of(title: str, panels: Sequence[Callable[[Axes], Any]]) -> Figure:
    """Put panels on one page, in one row or two.

    Parameters
    ----------
    title : str
    panels : sequence of callable
        Each draws on the axes it is given, as every display's ``plot`` does.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    rows = 1 if len(panels) < 4 else 2
    columns = -(-len(panels) // rows)
    figure = Figure(figsize=(5 * columns, 4.6 * rows + 0.4), dpi=100)
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    title = printable(title, 200).replace("$", r"\$")
    figure.suptitle(title, fontsize="x-large", fontweight="bold")
    places = np.ravel(figure.subplots(rows, columns))
    for panel, ax in zip(panels, places, strict=False):
        panel(ax)
    for ax in places[len(panels) :]:
        ax.remove()
    return figure

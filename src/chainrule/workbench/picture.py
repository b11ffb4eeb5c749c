"""The pictures of a training: all of it on one page, and what its optimizer told on another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.common.words import drawn
from chainrule.datasets import Dataset
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.model_file import Model
from chainrule.plots.answers import ErrorHistogramDisplay, confusion, prediction_errors
from chainrule.plots.fit import DecisionRegionsDisplay, PredictionDisplay
from chainrule.plots.page import page_of, training_figure
from chainrule.plots.training import TrainingStateDisplay
from chainrule.plots.trust import CalibrationDisplay, ImportancesDisplay, ResidualsDisplay
from chainrule.workbench.committee import Committed
from chainrule.workbench.pipeline import Outcome, standardised, true_values
from chainrule.workbench.spooling import few
from chainrule.workbench.telling import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def page(outcome: Outcome, name: str) -> Figure:
    """Draw a training on one page, its title the network's name and score."""
    model = outcome.model
    examples, evaluation = list(outcome.evaluations.items())[-1]
    target = str(model.encoder.target)
    layers = "-".join(str(s) for s in model.network.layers)
    return training_figure(
        f"{name}, {layers}: {headline(evaluation, target)} "
        f"({len(evaluation.truth):,} examples {examples})",
        model.network,
        model.theta,
        outcome.result.history,
        evaluation,
        (outcome.held_out or outcome.training).X,
        target=target,
        what="cost J" if model.target_scaling is None else "cost J (target standardised)",
        images=None if model.encoder.image_shape is None else model.encoder.images,
        more=_more_panels(outcome),
    )


def committee(outcome: Committed, name: str) -> Figure:
    """Draw on one page what a committee answers, how far it can be trusted, what it goes by."""
    examples, evaluation = list(outcome.evaluations.items())[-1]
    target, classes = str(outcome.model.encoder.target), evaluation.classes
    panels: list[Callable[[Axes], Any]]
    if classes is None:
        truth, answer = evaluation.truth, evaluation.answer
        panels = [
            lambda ax: prediction_errors(ax, evaluation, target, "actual_vs_predicted"),
            ResidualsDisplay.from_predictions(truth, answer).plot,
        ]
    else:
        p = evaluation.h
        p = np.hstack([1 - p, p]) if p.shape[1] == 1 else p
        truth = np.array(classes)[evaluation.truth]
        panels = [
            lambda ax: confusion(ax, evaluation, target),
            CalibrationDisplay.from_predictions(truth, p, classes).plot,
        ]
    if outcome.importances is not None:
        panels.append(ImportancesDisplay(outcome.importances).plot)
    title = (
        f"{name}: {headline(evaluation, target)} ({len(evaluation.truth):,} examples {examples})"
    )
    return page_of(title, panels)


def state(outcome: Outcome) -> Figure | None:
    """Draw what else the optimizer told in each iteration, where it told anything."""
    history = outcome.result.history
    return TrainingStateDisplay(history).plot().figure_ if history.extra else None


def _more_panels(outcome: Outcome) -> list[Callable[[Axes], Any]]:
    """Return the panels that only networks of one or two inputs, or regressions, have."""
    model, evaluation = outcome.model, list(outcome.evaluations.values())[-1]
    target, names = drawn(model.encoder.target), [*map(drawn, model.encoder.feature_names)]
    panels: list[Callable[[Axes], Any]] = []
    if evaluation.classes is not None:
        if len(names) == 2:
            regions = decision_regions(model, _drawn(outcome))
            panels.append(lambda ax: regions.plot(ax).ax_.set(xlabel=names[0], ylabel=names[1]))
        return panels
    if (len(names), model.network.K) == (1, 1):
        curve = fitted_curve(model, _drawn(outcome), _bars(outcome))
        panels.append(lambda ax: curve.plot(ax).ax_.set(xlabel=names[0], ylabel=target))
    errors = ErrorHistogramDisplay(evaluation.truth.ravel(), evaluation.answer.ravel())
    panels.append(lambda ax: errors.plot(ax).ax_.set(xlabel=f"true - predicted {target}"))
    return panels


def _drawn(outcome: Outcome) -> Dataset:
    """Return the examples that are drawn: of a large table some."""
    return outcome.training if outcome.spooled is None else few(outcome.training)


def decision_regions(model: Model, training: Dataset) -> DecisionRegionsDisplay:
    """Return the map of a classifier of two inputs, in the units of the table."""
    X, codes = standardised(training, model.scaling, None)
    display = DecisionRegionsDisplay.from_theta(
        model.network, model.theta, X, codes, classes=model.classes
    )
    if model.scaling is not None:
        left, right, bottom, top = display.extent
        (left, bottom), (right, top) = model.scaling.undo(np.array([[left, bottom], [right, top]]))
        display.extent = (left, right, bottom, top)
    display.X = training.X
    return display


def _bars(outcome: Outcome) -> ErrorBars | None:
    """Return the error bars of a fit, where there are any; of a large table they are thin."""
    if outcome.spooled is not None:
        return None
    try:
        return error_bars(outcome.model, outcome.training, outcome.lam)
    except ValueError:  # another cost, or too few rows to tell the noise from the network
        return None


def error_bars(model: Model, training: Dataset, lam: float) -> ErrorBars:
    """Return how far a model may be off, in the units that its network sees."""
    X, Y = standardised(training, model.scaling, model.target_scaling)
    return ErrorBars.at(model.network, model.theta, X, Y, lam)


def fitted_curve(model: Model, training: Dataset, bars: ErrorBars | None) -> PredictionDisplay:
    """Return the curve of a model with one input, with its error bars, in the table's units."""
    X, Y = standardised(training, model.scaling, model.target_scaling)
    display = PredictionDisplay.from_theta(model.network, model.theta, X, Y, bars)
    if model.scaling is not None:
        display.x = model.scaling.undo(display.x)
    if model.target_scaling is not None:
        display.h = model.target_scaling.undo(display.h)
        if display.band is not None and display.std is not None:
            display.band = display.band * model.target_scaling.scale
            display.std = display.std * model.target_scaling.scale
    display.X, display.Y = training.X[:, 0], true_values(training).reshape(-1)
    return display

"""What the command does between reading its options and telling results: from a dataset to a model.

Each function is a few calls of the library in the order that the command promises, with what it
says in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.common.checks import DataError
from chainrule.common.types import Array
from chainrule.datasets import Dataset
from chainrule.datasets.encoding import Scaling
from chainrule.engine.predicting import predict
from chainrule.engine.summing import accumulate
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.evaluation.scores import Evaluation
from chainrule.model_file import Model
from chainrule.notes.backprop import finish
from chainrule.notes.gradient_report import GradientReport
from chainrule.notes.network import Network
from chainrule.notes.theta import random_theta
from chainrule.optimize import Result
from chainrule.plots.answers import ErrorHistogramDisplay
from chainrule.plots.fit import DecisionRegionsDisplay, PredictionDisplay
from chainrule.plots.page import training_figure
from chainrule.plots.training import TrainingStateDisplay
from chainrule.training.checked import WrongGradientError, check_before_training
from chainrule.training.recipes import RECIPES
from chainrule.training.steps import train
from chainrule.workbench import terminal as report

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def network_for(
    X: Array,
    Y: Array,
    classes: Sequence[object] | None,
    hidden: str,
    activation: str,
    output: str,
) -> Network:
    """Return the network that the options ask for: two classes share one sigmoid unit."""
    try:
        units = [int(part) for part in hidden.split(",")]
    except ValueError:
        raise ValueError(f"--hidden {hidden!r}: give whole numbers, as 25 or 25,25") from None
    if classes is None:
        K = 1 if Y.ndim == 1 else Y.shape[1]
    else:
        K = 1 if len(classes) == 2 and output != "softmax" else len(classes)
    names = activation.split(",")
    network = Network(
        (X.shape[1], *units, K), hidden=names[0] if len(names) == 1 else names, output=output
    )
    if classes is not None and network.cost.targets not in ("classes", "distribution"):
        raise ValueError(
            f"--output {output} predicts numbers and the target has classes: leave --output out, "
            "or add --kind numbers"
        )
    return network


def from_recipe(name: str, data: Dataset) -> tuple[Network, float, dict[str, Any]]:
    """Return the network, lambda and the arguments of `train` that a recipe asks for."""
    shape, classes = data.image_shape, data.classes
    if classes is None or shape is None or shape[0] != shape[1]:
        raise DataError(f"{data.source}: a recipe needs square pictures of classes, such as mnist")
    recipe = RECIPES[name]
    layers = (data.X.shape[1], *recipe.hidden, len(classes))
    network = Network(layers, hidden="relu", output="softmax")
    return network, recipe.lam, recipe.arguments()


def standardised(
    data: Dataset, scaling: Scaling | None, target_scaling: Scaling | None
) -> tuple[Array, Array]:
    """Return X and Y as the network sees them."""
    X, Y = data.X, truth(data)
    return (
        X if scaling is None else scaling.apply(X),
        Y if target_scaling is None else target_scaling.apply(Y),
    )


def truth(data: Dataset) -> Array:
    """Return Y, or raise an error where the table has no target."""
    if data.Y is None:
        raise DataError(f"{data.source}: there is no target {data.target!r} to compare with")
    return data.Y


def six_steps(
    network: Network,
    X: Array,
    Y: Array,
    lam: float,
    seed: int,
    check: bool,
    max_time: float | None,
    how: dict[str, Any],
) -> tuple[Result, GradientReport | None]:
    """Train, one call of the library for each of the notes' steps, and say what each gave."""
    Y = network.check_targets(Y, len(X))
    theta = random_theta(network, seed)
    report.step(1, f"theta has {network.size:,} weights, drawn with seed {seed}")
    report.step(
        2,
        f"h(x) of the first example: {report.vector(predict(network, theta, X[:1])[0])}",
    )
    J, D = finish(network, theta, *accumulate(network, theta, X, Y), lam)
    report.step(3, f"J = {J:.4g} at this theta, lam = {lam:g}")
    report.step(4, f"D has {len(D):,} partial derivatives, |D| = {report.norm(D):.2g}")
    checked = check_before_training(network, theta, X, Y, lam, seed) if check else None
    report.step(5, f"{report.gradient_check(checked)}; from here on it is off")
    if checked is not None and not checked:
        raise WrongGradientError(str(checked))
    report.step(6)
    with report.Live(how["max_iter"], max_time) as live:
        result = train(
            network,
            X,
            Y,
            lam=lam,
            theta=theta,
            max_time=max_time,
            check=False,
            callback=live,
            **how,
        )
    report.say(f"  J went from {J:.4g} to {result.J:.4g}; {result.stopped}")
    return result, checked


def evaluate(model: Model, data: Dataset) -> Evaluation:
    """Compare the model's answers on a dataset with the truth."""
    return Evaluation(model.predict(data.X), truth(data), model.classes)


def draw(
    out: Path,
    model: Model,
    result: Result,
    lam: float,
    evaluations: dict[str, Evaluation],
    training: Dataset,
    held_out: Dataset | None,
) -> Path:
    """Draw the training on one page, beside the model, and what its optimizer told on another."""
    name, evaluation = list(evaluations.items())[-1]
    target = str(model.encoder.target)
    layers = "-".join(str(s) for s in model.network.layers)
    more: list[Callable[[Axes], Any]] = []
    if evaluation.classes is None:
        errors = ErrorHistogramDisplay(evaluation.truth.ravel(), evaluation.answer.ravel())
        more.append(lambda ax: errors.plot(ax).ax_.set(xlabel=f"true - predicted {target}"))
    if evaluation.classes is None and (model.network.layers[0], model.network.K) == (1, 1):
        curve = fitted_curve(model, training, lam)
        names = {"xlabel": model.encoder.feature_names[0], "ylabel": target}
        more.insert(0, lambda ax: curve.plot(ax).ax_.set(**names))
    if evaluation.classes is not None and model.network.layers[0] == 2:
        regions = decision_regions(model, training)
        x1, x2 = model.encoder.feature_names
        more.append(lambda ax: regions.plot(ax).ax_.set(xlabel=x1, ylabel=x2))
    figure = training_figure(
        f"{out.stem}, {layers}: {report.headline(evaluation, target)} "
        f"({len(evaluation.truth):,} examples {name})",
        model.network,
        model.theta,
        result.history,
        evaluation,
        (held_out or training).X,
        target=target,
        what="cost J" if model.target_scaling is None else "cost J (target standardised)",
        images=None if model.encoder.image_shape is None else model.encoder.images,
        more=more,
    )
    path = out.with_suffix(".png")
    figure.savefig(path)
    if result.history.extra:
        state = TrainingStateDisplay(result.history).plot().figure_
        state.savefig(out.with_name(f"{out.stem}-state.png"))
    return path


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


def fitted_curve(model: Model, training: Dataset, lam: float) -> PredictionDisplay:
    """Return the curve of a model with one input, with error bars, in the units of the table."""
    network, theta = model.network, model.theta
    X, Y = standardised(training, model.scaling, model.target_scaling)
    try:
        bars = None if network.output != "identity" else ErrorBars.at(network, theta, X, Y, lam)
    except ValueError:  # too few rows to tell the noise from the network
        bars = None
    display = PredictionDisplay.from_theta(network, theta, X, Y, bars)
    if model.scaling is not None:
        display.x = model.scaling.undo(display.x)
    if model.target_scaling is not None:
        display.h = model.target_scaling.undo(display.h)
        if display.band is not None and display.std is not None:
            display.band = display.band * model.target_scaling.scale
            display.std = display.std * model.target_scaling.scale
    display.X, display.Y = training.X[:, 0], truth(training).reshape(-1)
    return display

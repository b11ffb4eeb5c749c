"""The pictures beside a training: what its network looks for and gets right at one theta.

The numbers are those of the library's displays and scores.  A cell of the confusion matrix gives
its examples, and a unit is explained as in every view.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.common.words import word
from chainrule.datasets import Dataset
from chainrule.engine.predicting import forward
from chainrule.evaluation.scores import Evaluation
from chainrule.model_file import Model
from chainrule.notes.theta import reshape
from chainrule.plots.fit import NORMAL_90
from chainrule.plots.weights import HiddenUnitsDisplay, WeightsDisplay
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk, Opened
from chainrule.web.runs import Run
from chainrule.web.training import run_of
from chainrule.web.unit import MOST, by_rows, explained
from chainrule.web.wire import as_bytes
from chainrule.workbench.picture import decision_regions, error_bars, fitted_curve
from chainrule.workbench.pipeline import evaluate, standardised, true_values
from chainrule.workbench.telling import headline

MOST_UNITS, MOST_INPUTS = 100, 30  # of a layer that are shown
MOST_CLASSES = 12  # of a confusion matrix; with more only the commonest confusions are listed
MOST_EXAMPLES = 60  # of a cell
MOST_NAMES = 1000  # of inputs
MOST_POINTS = 1000  # of a scatter
WITH_BARS = ("lm", "br")


def looks(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return all pictures of a run's network at one iteration."""
    run, model = at(desk, asked)
    data, evaluation = scored(run, model)
    answer = {
        "iteration": asked.values["iteration"],
        "examples": "trained on" if run.ready().held_out is None else "held out",
        "rows": len(data),
        "score": headline(evaluation, str(data.target)),
        "layers": list(model.network.layers),
        "target": word(data.target),
        "names": [word(name) for name in data.feature_names[:2]],
    }
    answer |= first_layer(model)
    if evaluation.classes is None:
        return answer | numbers(run, model, evaluation)
    return answer | classes(run, model, evaluation)


def at(desk: Desk, asked: Asked) -> tuple[Run, Model]:
    """Return the run that is asked for, and its network at the iteration that is."""
    run = run_of(desk, asked)
    return run, run.model(asked.whole("iteration", 0, 2**31))


def scored(run: Run, model: Model) -> tuple[Dataset, Evaluation]:
    """Return the rows that a network is scored on, and how it does."""
    data = scored_on(run)
    return data, evaluate(model, data)


def scored_on(run: Run) -> Dataset:
    """Return the held-out rows, or those trained on where none are."""
    return run.ready().held_out or run.ready().training


def first_layer(model: Model) -> dict[str, Any]:
    """Return Theta(1): a picture for each unit where inputs are pixels, else a map with names."""
    network, encoder = model.network, model.encoder
    if encoder.image_shape is not None:
        units = HiddenUnitsDisplay.from_theta(network, model.theta, encoder.images).weights
        return {"units": np.ascontiguousarray(units[:MOST_UNITS], np.float32)}
    Theta = reshape(network, model.theta)[0]
    display = WeightsDisplay(Theta, encoder.feature_names)
    order = np.argsort(-display.shares, kind="stable")[:MOST_INPUTS]
    columns = np.concatenate([[0], order + 1])
    return {
        "inputs": [word(encoder.feature_names[i]) for i in order],
        "shares": display.shares[order],
        "Theta": np.ascontiguousarray(Theta[:MOST_UNITS, columns].T, np.float64),
    }


def classes(run: Run, model: Model, evaluation: Evaluation) -> dict[str, Any]:
    """Return the confusion matrix, and the regions of the classes where there are two inputs."""
    names = [word(label) for label in evaluation.classes or ()]
    answer: dict[str, Any] = {"classes": names}
    confusion = evaluation.confusion.astype(np.int32)
    if len(names) <= MOST_CLASSES:
        answer["confusion"] = confusion
    else:
        wrong = confusion * (1 - np.eye(len(names), dtype=np.int32))
        commonest = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CLASSES]
        truth, given = np.unravel_index(commonest[wrong.flat[commonest] > 0], wrong.shape)
        answer["confused"] = np.stack([truth, given, wrong[truth, given]], 1).astype(np.int32)
    if model.network.layers[0] == 2:
        regions = decision_regions(model, run.ready().training)
        some = few(len(regions.X))
        answer |= {
            "regions": regions.answers.astype(np.int32),
            "extent": np.array(regions.extent, np.float64),
            "X": np.ascontiguousarray(regions.X[some], np.float64),
            "codes": regions.codes[some].astype(np.int32),
        }
    return answer


def numbers(run: Run, model: Model, evaluation: Evaluation) -> dict[str, Any]:
    """Return predicted beside true values, and the curve of a network with one input."""
    truth, given = evaluation.truth.ravel(), evaluation.answer.ravel()
    some = few(len(truth))
    answer = {"true": truth[some].astype(np.float64), "predicted": given[some].astype(np.float64)}
    if (model.network.layers[0], model.network.K) == (1, 1):
        answer |= curve(run, model)
    return answer


def curve(run: Run, model: Model) -> dict[str, Any]:
    """Return the fitted curve with its 90 % intervals, or why it has none."""
    training, bars, why = run.ready().training, None, ""
    if run.ready().plan.arguments["optimizer"] in WITH_BARS:
        try:
            bars = error_bars(model, training, run.lam)
        except ValueError as error:
            why = str(error)
    else:
        why = "optimizer"
    display = fitted_curve(model, training, bars)
    some = few(len(display.X))
    answer = {
        "curve_x": display.x,
        "curve_h": display.h,
        "X": display.X[some].astype(np.float64),
        "Y": display.Y[some].astype(np.float64),
        "no_bars": why,
    }
    if display.band is not None and display.std is not None:
        answer |= {"band": NORMAL_90 * display.band, "spread": NORMAL_90 * display.std}
    return {
        name: np.ascontiguousarray(value, np.float64) if isinstance(value, np.ndarray) else value
        for name, value in answer.items()
    }


def few(m: int) -> slice:
    """Return a slice of at most `MOST_POINTS` of m rows."""
    return slice(None, None, -(-m // MOST_POINTS) or 1)


def cell(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the examples of one class that were given another: pictures, or rows of a table."""
    run, model = at(desk, asked)
    data, evaluation = scored(run, model)
    most = len(evaluation.classes or ()) - 1
    truth, given = asked.whole("truth", 0, most), asked.whole("given", 0, most)
    rows = np.flatnonzero((evaluation.truth == truth) & (evaluation.answer == given))
    h = evaluation.h[rows]
    sure = np.abs(h[:, 0] - 0.5) + 0.5 if h.shape[1] == 1 else h[:, given]
    order = np.argsort(-sure, kind="stable")[:MOST_EXAMPLES]
    rows, X = rows[order], data.X[rows[order]]
    answer = {"in_all": len(h), "rows": rows.astype(np.int32), "sure": sure[order]}
    if data.image_shape is not None:
        return answer | {"pictures": as_bytes(model.encoder.images(X))}
    names = [word(name) for name in data.feature_names[:MOST_INPUTS]]
    return answer | {"inputs": names, "X": np.ascontiguousarray(X[:, :MOST_INPUTS], np.float64)}


def run_unit(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Explain a unit of a run's network for one of the examples on which it is scored."""
    run, model = at(desk, asked)
    data, network = scored_on(run), model.network
    row = asked.whole("row", 0, len(data) - 1)
    Y = standardised(data, None, model.target_scaling)[1]
    y = network.check_targets(Y[row : row + 1], 1)[0]
    if "y" in asked.values:
        y = network.check_targets(np.array([asked.whole("y", 0, max(1, network.K - 1))]), 1)[0]
    answer = explained(Opened(model, run.name), asked, np.asarray(data.X[row], np.float64), y)
    if data.classes is not None:
        answer["y"] = asked.values.get("y", int(true_values(data)[row]))
    if model.encoder.image_shape is not None:
        answer["picture"] = as_bytes(model.encoder.images(data.X[row : row + 1]))[0]
        answer = by_rows(model, answer)
        most = most_active(
            model, standardised(data, model.scaling, None)[0], answer["l"], answer["j"]
        )
        answer |= {"most": most, "most_pictures": as_bytes(model.encoder.images(data.X[most]))}
    elif answer["l"] == 2:
        answer["names"] = [word(name) for name in data.feature_names[:MOST_NAMES]]
    return answer


def most_active(model: Model, X: Array, l: int, j: int) -> Array:
    """Return the rows that switch unit j of layer l on, those with the largest a first."""
    a = forward(model.network, model.theta, X)[0][l - 1][:, j - 1]
    most = np.argsort(-a, kind="stable")[:MOST]
    return most[a[most] > 0].astype(np.int32)

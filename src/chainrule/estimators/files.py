"""Estimators in and out of the model file: no pickle needed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

import numpy as np

from chainrule import __version__
from chainrule.datasets.encoding import Column, Encoder
from chainrule.estimators.fitted import Fitted, Labels
from chainrule.evaluation.stop_report import StopReport
from chainrule.model_file import Model, ModelFileError, Provenance
from chainrule.model_file import load as load_model
from chainrule.model_file import save as save_model


def save(fitted: Fitted, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a model file, see `BaseMLP.save`."""
    if len(fitted.thetas) > 1:
        raise ModelFileError(
            f"{os.fspath(path)}: a model file holds one network, and average=True predicts with "
            f"{len(fitted.thetas)}: fit with average=False, or pickle it"
        )
    inputs = fitted.network.layers[0]
    columns = [f"x{j}" for j in range(inputs)] if fitted.names is None else fitted.names
    labels: dict[str, Any] = {}
    classes: list[int | str] = []  # as a table's: True and 1.0 are 1
    if fitted.labels is not None:
        labels = {"kind": fitted.labels.kind, "classes": plain(fitted.labels.classes)}
        if fitted.labels.kind == "classes":
            classes = [v if isinstance(v, str) else int(v) for v in labels["classes"]]
    options = {
        "estimator": fitted.estimator,
        "parameters": {name: v for name, v in fitted.parameters.items() if is_json(v)},
        "named": fitted.names is not None,
        "labels": labels,
    }
    if fitted.stop_report is not None:
        report = asdict(fitted.stop_report)
        report["gradient_norm"] = str(report["gradient_norm"])  # may be nan
        options["stop_report"] = report
    encoder = Encoder(tuple(map(Column, columns)), classes=tuple(classes) or None)
    about = Provenance(version=__version__, options=options, J=fitted.loss)
    save_model(path, Model(fitted.network, fitted.thetas[0], encoder, provenance=about))


def load(estimator: str, path: str | os.PathLike[str]) -> Fitted:
    """Read a fitted estimator of the class of this name from a model file, see `BaseMLP.load`."""
    model = load_model(path)
    options = model.provenance.options
    if options.get("estimator") != estimator:
        raise ModelFileError(
            f"{os.fspath(path)}: not saved by {estimator} but by "
            f"{options.get('estimator', 'the command or chainrule.train')}"
        )
    names = tuple(column.name for column in model.encoder.columns)
    return Fitted(
        estimator,
        options["parameters"],
        model.network,
        (model.theta,),
        names if options["named"] else None,
        labels_of(options["labels"]),
        model.provenance.J,
        report_of(options.get("stop_report")),
    )


def labels_of(written: dict[str, Any]) -> Labels | None:
    """Return the labels that a file tells of; a regressor's has none."""
    if not written:
        return None
    several, classes = written["kind"] == "several columns", written["classes"]
    return Labels(written["kind"], [np.array(c) for c in classes] if several else np.array(classes))


def report_of(written: dict[str, Any] | None) -> StopReport | None:
    """Return the stop report that a file tells of."""
    if written is None:
        return None
    lists = {name: tuple(value) for name, value in written.items() if isinstance(value, list)}
    return StopReport(**written | lists | {"gradient_norm": float(written["gradient_norm"])})


def plain(labels: Any) -> Any:
    """Return an array of labels, or a list of them, as JSON holds it.

    Examples
    --------
    >>> plain([np.array(["a", "b"]), np.array([True, False])])
    [['a', 'b'], [True, False]]
    """
    if isinstance(labels, list):
        return [plain(column) for column in labels]
    values = labels.tolist()
    if not all(isinstance(value, str | int | float) for value in values):
        raise ModelFileError(
            f"a model file holds classes that are text or numbers, not {type(values[0]).__name__}"
        )
    return values


def is_json(value: Any) -> bool:
    """Whether a parameter can be written down; random states and functions cannot.

    Examples
    --------
    >>> is_json((5, 3)), is_json(print)
    (True, False)
    """
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True

"""Estimators in and out of the model file: no pickle needed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import __version__
from chainrule.datasets.encoding import Column, Encoder
from chainrule.evaluation.stop_report import StopReport
from chainrule.model_file import Model, ModelFileError, Provenance
from chainrule.model_file import load as load_model
from chainrule.model_file import save as save_model

if TYPE_CHECKING:
    from chainrule.estimators.base import BaseMLP


def save(estimator: BaseMLP, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a model file, see `BaseMLP.save`."""
    network, theta = estimator._current()
    if estimator._committee:
        raise ModelFileError(
            f"{os.fspath(path)}: a model file holds one network, and average=True predicts with "
            f"{len(estimator._committee) + 1}: fit with average=False, or pickle it"
        )
    names = getattr(estimator, "feature_names_in_", None)
    columns = names if names is not None else [f"x{j}" for j in range(estimator.n_features_in_)]
    labels: dict[str, Any] = {}
    classes: list[int | str] = []  # as a table's: True and 1.0 are 1
    if hasattr(estimator, "classes_"):
        labels = {"kind": estimator._kind, "classes": plain(estimator.classes_)}
        if estimator._kind == "classes":
            classes = [v if isinstance(v, str) else int(v) for v in labels["classes"]]
    options = {
        "estimator": type(estimator).__name__,
        "parameters": {
            name: value
            for name, value in estimator.get_params(deep=False).items()
            if is_json(value)
        },
        "named": names is not None,
        "labels": labels,
    }
    if hasattr(estimator, "stop_report_"):
        report = asdict(estimator.stop_report_)
        options["stop_report"] = report | {
            "gradient_norm": str(report["gradient_norm"])
        }  # may be nan
    save_model(
        path,
        Model(
            network,
            theta,
            Encoder(
                tuple(Column(str(name)) for name in columns),
                classes=tuple(classes) or None,
            ),
            provenance=Provenance(version=__version__, options=options, J=float(estimator.loss_)),
        ),
    )


def load(cls: type[BaseMLP], path: str | os.PathLike[str]) -> BaseMLP:
    """Read a fitted estimator from a model file, see `BaseMLP.load`."""
    model = load_model(path)
    options = model.provenance.options
    if options.get("estimator") != cls.__name__:
        raise ModelFileError(
            f"{os.fspath(path)}: not saved by {cls.__name__} but by "
            f"{options.get('estimator', 'the command or chainrule.train')}"
        )
    known = cls._get_param_names()
    parameters = {k: v for k, v in options["parameters"].items() if k in known}
    estimator = cls(**parameters)
    names = np.array([column.name for column in model.encoder.columns], dtype=object)
    estimator.n_features_in_ = len(names)
    if options["named"]:
        estimator.feature_names_in_ = names
    estimator._learn_labels(options["labels"])
    estimator.n_outputs_ = model.network.K
    estimator.n_iter_ = 0
    estimator._forget(model.network)
    estimator.loss_ = model.provenance.J
    if "stop_report" in options:
        report = options["stop_report"] | {
            "gradient_norm": float(options["stop_report"]["gradient_norm"])
        }
        lists = {name: tuple(value) for name, value in report.items() if isinstance(value, list)}
        estimator.stop_report_ = StopReport(**report | lists)
    estimator._hold(model.network, model.theta)
    return estimator


def plain(labels: Any) -> Any:
    """Return an array of labels, or a list of them, as JSON holds it."""
    if isinstance(labels, list):
        return [plain(column) for column in labels]
    values = labels.tolist()
    if not all(isinstance(value, str | int | float) for value in values):
        raise ModelFileError(
            f"a model file holds classes that are text or numbers, not {type(values[0]).__name__}"
        )
    return values


def is_json(value: Any) -> bool:
    """Whether a parameter can be written down; random states and functions cannot."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True

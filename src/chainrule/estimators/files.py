"""Estimators in and out of the model file: no pickle needed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, cast

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names

from chainrule import __version__
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.estimators.fitted import Fitted, Labels
from chainrule.evaluation.stop_report import StopReport
from chainrule.model_file import Model, ModelFileError, Provenance
from chainrule.model_file import load as load_model
from chainrule.model_file import save as save_model
from chainrule.notes.activations import ACTIVATIONS, Activation
from chainrule.notes.costs import COSTS, Cost


def save(fitted: Fitted, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a model file, see `Predictor.save`."""
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
        several = isinstance(fitted.labels.classes, list)
        of_columns = fitted.labels.classes if several else [fitted.labels.classes]
        labels["dtypes"] = [of_column.dtype.str for of_column in of_columns]
        if fitted.labels.kind == "classes":
            classes = [v if isinstance(v, str) else int(v) for v in labels["classes"]]
    options = {
        "estimator": fitted.estimator,
        "parameters": {name: written(name, v) for name, v in fitted.parameters.items()},
        "named": fitted.names is not None,
        "labels": labels,
    }
    if fitted.stop_report is not None:
        report = asdict(fitted.stop_report)
        report["gradient_norm"] = str(report["gradient_norm"])  # may be nan
        options["stop_report"] = report
    encoder = Encoder(tuple(map(Column, columns)), classes=tuple(classes) or None)
    about = Provenance(version=__version__, options=options, J=fitted.loss)
    model = Model(
        fitted.network, fitted.thetas[0], encoder, target_scaling=fitted.scaling, provenance=about
    )
    save_model(path, model)


def load(estimator: str, path: str | os.PathLike[str]) -> Fitted:
    """Read a fitted estimator of the class of this name from a model file, see `Predictor.load`."""
    with saved_by(estimator, path) as model:
        options = model.provenance.options
        return Fitted(
            estimator,
            {name: read(value) for name, value in options["parameters"].items()},
            model.network,
            (model.theta,),
            tuple(c.name for c in model.encoder.columns) if options["named"] else None,
            labels_of(options["labels"]),
            model.provenance.J,
            report_of(options.get("stop_report")),
            model.target_scaling,
        )


@contextmanager
def saved_by(estimator: str, path: str | os.PathLike[str]) -> Iterator[Model]:
    """Read the model that an estimator of this name saved; what fails with it is said of the file.

    Raises
    ------
    ModelFileError
        If the file is no model, another's, or what is done with it in the block fails.
    """
    model = load_model(path)
    by = model.provenance.options.get("estimator", "the command or chainrule.train")
    if by != estimator:
        raise ModelFileError(f"{os.fspath(path)}: not saved by {estimator} but by {by}")
    try:
        yield model
    except Exception as error:  # what the header has is of another type than `save` writes
        raise ModelFileError(
            f"{os.fspath(path)}: not an estimator that can be used "
            f"({type(error).__name__}: {error})"
        ) from error


def labels_of(written: dict[str, Any]) -> Labels | None:
    """Return the labels that a file tells of; a regressor's has none."""
    if not written:
        return None
    several = written["kind"] == "several columns"
    columns = written["classes"] if several else [written["classes"]]
    dtypes = written.get("dtypes", [None] * len(columns))  # not in files of earlier versions
    arrays = [np.array(c, dtype=dtype) for c, dtype in zip(columns, dtypes, strict=True)]
    return Labels(written["kind"], arrays if several else arrays[0])


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


def written(name: str, value: Any) -> Any:
    """Return a parameter as JSON holds it, its types included.

    What JSON has no word for is a dict of one key: ``{"tuple": [5, 3]}``.

    Raises
    ------
    ModelFileError
        If it is a function without a name that the library knows, or another object.

    Examples
    --------
    >>> written("class_weight", {0: 1.0, 1: np.float32(2)})
    {'dict': [[0, 1.0], [1, {'float32': 2.0}]]}
    >>> written("n_iter_no_change", np.inf), written("hidden_layer_sizes", (5, 3))
    ({'float': 'inf'}, {'tuple': [5, 3]})
    """
    kind = type(value)
    if value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value)):
        return value
    if kind is float:
        return {"float": repr(value)}
    if kind is list:
        return [written(name, item) for item in value]
    if kind is tuple:
        return {"tuple": [written(name, item) for item in value]}
    if kind is dict:
        return {"dict": [[written(name, key), written(name, v)] for key, v in value.items()]}
    if isinstance(value, np.dtype):
        return {"dtype": value.str}
    if isinstance(value, type) and issubclass(value, np.generic | float):
        return {"type": value.__name__}
    if isinstance(value, np.generic) and kind.__name__ in SCALARS:
        return {kind.__name__: written(name, value.item())}
    if kind is np.ndarray and value.dtype.kind in "biufU":
        return {"array": written(name, value.tolist()), "dtype": value.dtype.str}
    if kind is np.random.RandomState:
        _, key, *others = value.get_state()
        return {"RandomState": [key.tolist(), *others]}
    if isinstance(value, Activation | Cost):
        tables: list[Mapping[str, Any]] = [ACTIVATIONS, COSTS]
        if any(value is table.get(value.name) for table in tables):
            return {kind.__name__: value.name}
        raise ModelFileError(
            f"{name}: a model file holds activations and costs by name, not functions of your own: "
            "pickle the estimator"
        )
    if callable(value) and (scorer := name_of_scorer(value)):
        return {"scorer": scorer}
    what = "a function" if callable(value) else f"of type {kind.__name__}"
    raise ModelFileError(
        f"{name} is {what}, which a model file cannot hold: set_params({name}=None) before save, "
        "or pickle the estimator"
    )


def read(value: Any) -> Any:
    """Return the parameter that `written` wrote.

    Examples
    --------
    >>> read({"dict": [[0, 1.0], [1, {"float32": 2.0}]]})
    {0: 1.0, 1: np.float32(2.0)}
    """
    if isinstance(value, list):
        return [read(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"array", "dtype"}:
        return np.array(read(value["array"]), dtype=np.dtype(value["dtype"]))
    if len(value) != 1:
        return value  # a dict in a file of an earlier version
    [(kind, content)] = value.items()
    if kind in READ:
        return READ[kind](content)
    if kind in SCALARS:
        return getattr(np, kind)(read(content))
    return value


def type_of(name: str) -> type:
    """Return the type of numbers that a name stands for."""
    if name == "float":
        return float
    if name not in SCALARS:
        raise ValueError(f"unknown dtype {name!r}")
    return cast(type, getattr(np, name))


def state_of(content: list[Any]) -> np.random.RandomState:
    """Return the random state of these numbers."""
    key, *others = content
    random = np.random.RandomState()
    random.set_state(("MT19937", np.array(key, dtype=np.uint32), *others))
    return random


def name_of_scorer(scorer: Any) -> str | None:
    """Return what scikit-learn calls one of its own scorers."""
    named = {name: get_scorer(name) for name in get_scorer_names()}
    same = (n for n, s in named.items() if type(s) is type(scorer) and vars(s) == vars(scorer))
    return next(same, None)


SCALARS = {np.dtype(code).type.__name__ for code in np.typecodes["AllInteger"] + "efd?U"}
READ: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "tuple": lambda content: tuple(map(read, content)),
    "dict": lambda content: {read(key): read(v) for key, v in content},
    "dtype": np.dtype,
    "type": type_of,
    "RandomState": state_of,
    "Activation": lambda name: ACTIVATIONS[name],
    "Cost": lambda name: COSTS[name],
    "scorer": lambda name: get_scorer(name),
}

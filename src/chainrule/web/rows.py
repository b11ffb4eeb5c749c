"""One row of a table for the open network: typed by columns, read as `predict` reads a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.datasets import Dataset, load_like
from chainrule.datasets.cells import COMMA, DATES, TIMES
from chainrule.datasets.columns import Column
from chainrule.model_file import Model, probability
from chainrule.web.asked import Asked, NamedFile

DIGITS = 4  # of the middle of a number


def columns_of(model: Model) -> list[dict[str, Any]]:
    """Return what the page needs to ask for a row: each column, then each of the target's.

    `start` is the middle of a number in training, the first of some categories, and no target.
    """
    encoder = model.encoder
    inputs = [
        {"name": column.name, "categories": column.categories, "start": start}
        for column, start in zip(encoder.columns, _starts(model), strict=True)
    ]
    classes = None if encoder.classes is None else [str(label) for label in encoder.classes]
    return inputs + [
        {"name": name, "categories": classes, "start": "", "target": True}
        for name in encoder.targets
    ]


def read_row(model: Model, asked: Asked) -> Dataset:
    """Return the row that is asked for: its X, its Y where the target is given, what to know of it.

    `cells` has the text of the columns that were changed.
    """
    cells = asked.values.get("cells")
    if not isinstance(cells, dict) or not all(isinstance(text, str) for text in cells.values()):
        raise ValueError("cells must be the text of each column by its name")
    row = {each["name"]: cells.get(each["name"], each["start"]) for each in columns_of(model)}
    labelled = bool(model.encoder.targets) and all(
        row[name].strip() for name in model.encoder.targets
    )
    if not labelled:
        row = {name: text for name, text in row.items() if name not in model.encoder.targets}
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([row.keys(), row.values()])
    file = NamedFile(text.getvalue().encode())
    file.name = "this row"
    data = load_like(file, model.encoder, labelled=labelled, header=True, encoding="utf-8")
    if len(data.X) != 1:
        raise ValueError("this row has no value in it")
    return data


def targets(model: Model, data: Dataset) -> Array | None:
    """Return y as the network was trained on it, or None where the row has no target."""
    if data.Y is None:
        return None
    Y = np.asarray(data.Y)
    return model.target_scaling.apply(Y.astype(np.float64)) if model.target_scaling else Y


def answered(model: Model, data: Dataset) -> dict[str, Any]:
    """Return the answer for a row, and its notes, as `chainrule predict` has them.

    It is a class with its probability, or numbers in the units of the target.
    """
    h = model.predict(data.X)
    answer: dict[str, Any] = {"target": model.encoder.target or "h", "notes": list(data.notes)}
    if model.classes is None:
        return answer | {"h": h[0], "outputs": list(model.encoder.outputs)}
    return answer | {"label": str(model.labels(data.X)[0]), "probability": float(probability(h)[0])}


def _starts(model: Model) -> list[str]:
    means = model.scaling.mean if model.scaling else np.zeros(len(model.encoder.feature_names))
    starts, at = [], 0
    for column in model.encoder.columns:
        form = model.encoder.reading.forms.get(column.name, "")
        starts.append(_start(column, means[at : at + len(column.inputs)], form))
        at += len(column.inputs)
    return starts


def _start(column: Column, means: Array, form: str) -> str:
    if column.categories is not None:
        return column.categories[0] if column.categories else ""
    if form == TIMES:
        return "{:02}:{:02}".format(*divmod(round(60 * means[0]), 60))
    if not column.parts:
        middle = np.format_float_positional(
            means[0], DIGITS, unique=False, fractional=False, trim="-"
        )
        return middle.replace(".", ",") if form == COMMA else middle
    days = means[column.parts.index("elapsed")] if "elapsed" in column.parts else 0
    day = np.datetime64(0, "s") + np.timedelta64(round(days), "D")
    pattern = form.removeprefix(f"{DATES} ") if "%" in form else "%Y-%m-%d"
    return str(day.item().strftime(pattern))

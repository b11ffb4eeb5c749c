"""What a model answers, a row for each row of a table: as csv or Parquet, part by part."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from chainrule.common.checks import DataError, counted
from chainrule.common.files import drafted, reason
from chainrule.common.types import Array
from chainrule.common.words import cell
from chainrule.engine.answers import to_parquet
from chainrule.model_file import Model, probability


def write(out: Path | None, model: Model, parts: Iterator[Array]) -> None:
    """Write the answers to the rows of X, which come in parts, to a file or to stdout."""
    from chainrule.commands import terminal

    if out is None:
        _write_csv(sys.stdout, model, parts)
        return
    rows = 0

    def counting() -> Iterator[Array]:
        nonlocal rows
        for X in parts:
            rows += len(X)
            yield X

    try:
        with drafted(out) as draft:
            if out.suffix.lower() == ".parquet":
                to_parquet(draft, (_frame(model, X) for X in counting()))
            else:
                with open(draft, "w", encoding="utf-8", newline="") as file:
                    _write_csv(file, model, counting())
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({reason(error)})") from None
    terminal.say(f"{counted(rows, 'answer')} in {out}")


def _write_csv(file: TextIO, model: Model, parts: Iterator[Array]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    for i, X in enumerate(parts):
        h = model.predict(X)
        if not i:
            writer.writerow(map(cell, _names(model, h.shape[1])))
        if model.classes is None:
            writer.writerows([f"{value:.9g}" for value in row] for row in h)
        else:
            labels = model.named(h)
            told = zip(labels, probability(h), strict=True)
            writer.writerows((cell(label), f"{p:.4f}") for label, p in told)


def _frame(model: Model, X: Array) -> Any:
    """Return the answers to some rows as a Polars frame."""
    import polars as pl

    h = model.predict(X)
    columns = [*h.T] if model.classes is None else [model.named(h), probability(h)]
    names = _names(model, h.shape[1])
    if len(set(names)) < len(names):
        names = [f"{name} {k}" for k, name in enumerate(names, start=1)]
    return pl.DataFrame(dict(zip(names, columns, strict=True)))


def _names(model: Model, K: int) -> list[str]:
    """Return the names of the columns of answers."""
    if model.classes is not None:
        return [str(model.encoder.target), "probability"]
    return list(model.encoder.outputs) or [str(model.encoder.target)] * K

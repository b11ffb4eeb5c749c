"""Tables that say what their columns hold: parquet, Arrow, Excel, JSON, ARFF, svmlight."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from chainrule.common.checks import DataError, counted
from chainrule.common.types import Array
from chainrule.datasets import cells, delimited, foreign
from chainrule.datasets.arrays import dense
from chainrule.datasets.contents import Contents, check_width
from chainrule.datasets.encoding import Reading

ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|\S+)\s+(.+)""", re.IGNORECASE)


def read_parquet(name: str, sha256: str, content: bytes, like: Reading) -> Contents:
    """Read Apache Parquet."""
    return _of_frame(name, sha256, lambda: _apart("parquet", content), "parquet", like)


def read_arrow(name: str, sha256: str, content: bytes, like: Reading) -> Contents:
    """Read an Arrow file, also called Feather: of its version 2, or a stream of Arrow."""
    return _of_frame(name, sha256, lambda: _apart("arrow", content), "Arrow", like)


def _apart(kind: str, content: bytes) -> Any:
    """Return the Polars frame that a file holds."""
    import polars as pl

    return pl.read_ipc_stream(io.BytesIO(foreign.read(kind, content)[1][0]))


def read_json(name: str, sha256: str, content: bytes, like: Reading) -> Contents:
    """Read JSON: a record on each line, or a list of records."""
    import polars as pl

    read = pl.read_json if content.lstrip().startswith(b"[") else pl.read_ndjson
    return _of_frame(
        name, sha256, lambda: read(io.BytesIO(content), infer_schema_length=None), "JSON", like
    )


def read_excel(
    name: str, sha256: str, content: bytes, like: Reading, target: str | None
) -> Contents:
    """Read the first sheet of a workbook, as csv with the same cells would be read."""
    if find_spec("fastexcel") is None:
        raise DataError(
            f"{name}: to read Excel's files, type pip install 'chainrule[excel]', or save it as csv"
        )
    try:
        (sheet, others), (text,) = foreign.read("excel", content)
    except foreign.Unreadable as error:
        raise DataError(
            f"{name}: not an Excel file that can be read ({error}): save it as csv"
        ) from None
    if not text:
        raise DataError(f"{name}: the sheet {sheet!r} is empty")
    read = delimited.read(name, sha256, text, like, target)
    note = f"the first sheet, {sheet!r}; {counted(others, 'other')} not read"
    return replace(read, notes=(note, *read.notes)) if others else read


def read_arff(name: str, sha256: str, content: bytes, like: Reading) -> Contents:
    """Read Weka's ARFF; its nominal attributes are text, also where they look like numbers."""
    text, notes = delimited.decoded(name, content, like.encoding)
    lines = text.split(b"\n")
    start = next((j for j, line in enumerate(lines) if line.strip().lower() == b"@data"), None)
    if start is None:
        raise DataError(f"{name}: not an ARFF file that can be read (it has no line @data)")
    found = [ATTRIBUTE.match(line.decode().strip()) for line in lines[:start]]
    kinds = {m[1].strip("'\""): m[2].strip().lower() for m in found if m}
    rows = [line for line in lines[start + 1 :] if not line.lstrip().startswith(b"%")]
    if any(line.lstrip().startswith(b"{") for line in rows):
        raise DataError(f"{name}: a sparse ARFF file is not read: save it as csv or svmlight")
    forms = {
        column: cells.NUMBERS if kind in ("numeric", "real", "integer") else cells.TEXT
        for column, kind in kinds.items()
        if not kind.startswith("date")
    }
    check_width(name, len(kinds))
    body = b"\n".join(rows)
    quote = "'" if b"'" in body else '"'
    layout = delimited.Layout(",", list(kinds), False, 0, notes, quote)
    read = delimited.table(name, sha256, body, layout, replace(like, forms={**forms, **like.forms}))
    return replace(read, reading=replace(read.reading, header=None))


def read_svmlight(name: str, sha256: str, content: bytes, like: Reading) -> Contents:
    """Read svmlight's and libsvm's format: the target, then index:value for all that is not 0."""
    from sklearn.datasets import load_svmlight_file

    lines = content.split(b"\n")
    zero = any(re.match(rb"\S+(?:\s+qid:\d+)?\s+0:", line.strip()) for line in lines)
    try:
        X, y = load_svmlight_file(io.BytesIO(content), zero_based=zero or "x0" in like.forms)
    except Exception as error:
        raise DataError(f"{name}: not an svmlight file that can be read ({error})") from None
    check_width(name, X.shape[1])
    first = 0 if zero or "x0" in like.forms else 1
    names = [f"x{j}" for j in range(first, X.shape[1] + first)]
    table = dict(zip(names, np.asfortranarray(dense(X, name)).T, strict=True))
    absent = {n for n in like.forms if re.fullmatch(r"x\d+", n)} - set(names)
    table |= dict.fromkeys(absent, np.zeros(len(y)))  # what no line names is 0
    return Contents(
        name,
        sha256,
        table,
        "y",
        y,
        named=False,
        reading=Reading(forms=dict.fromkeys(names, cells.NUMBERS)),
    )


def _of_frame(
    name: str, sha256: str, read: Callable[[], Any], what: str, like: Reading
) -> Contents:
    """Return what a Polars frame holds."""
    import polars as pl

    try:
        frame = read()
    except (
        pl.exceptions.PolarsError,
        OSError,
        pl.exceptions.PanicException,
        foreign.Unreadable,
    ) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{name}: not a {what} file that can be read ({reason})") from None
    if not len(frame):
        raise DataError(f"{name}: there is no data row")
    check_width(name, frame.width)
    text = [series.name for series in frame if _is_text(series, like.forms.get(series.name))]
    columns = cells.understand(
        pl.DataFrame([_as_text(frame[column]) for column in text]), like.forms, None
    )
    table = {
        series.name: columns[series.name].values if series.name in text else _vector(series)
        for series in frame
        if not re.fullmatch(r"__index_level_\d+__", series.name)  # pandas' row names
    }
    forms = {name: column.form for name, column in columns.items()}
    strays = {name: column.stray for name, column in columns.items() if column.stray}
    index = [column for column in frame.columns if column not in table]
    notes = (
        *(f"column {column!r} is pandas' index: left out" for column in index),
        *cells.notes(columns),
    )
    return Contents(name, sha256, table, notes=notes, reading=Reading(forms=forms), strays=strays)


def _is_text(series: Any, form: str | None) -> bool:
    """Tell whether a column is read as text is: numbers are where text or dates are known to be."""
    import polars as pl

    if series.dtype.is_numeric():
        if form is None and series.dtype.is_integer() and (series.abs().max() or 0) >= 2**53:
            return cells.lose_digits(series.cast(pl.String), series.cast(pl.Float64))
        return form is not None and form not in (cells.NUMBERS, cells.COMMA)
    return series.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Null)


def _as_text(series: Any) -> Any:
    import polars as pl

    if series.dtype.is_float() and (series.drop_nulls() % 1 == 0).all():
        series = series.cast(pl.Int64, strict=False)  # 12, not 12.0
    return series.cast(pl.String)


def _vector(series: Any) -> Array:
    """Return a column of numbers or of time; another is kept as the name of its type.

    Using that is an error, dropping it is not.
    """
    import polars as pl

    if series.dtype.is_numeric():
        numbers: Array = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return numbers
    if series.dtype in (pl.Date, pl.Datetime):
        naive = series.cast(pl.Datetime("us"))
        return np.asarray(naive.to_numpy(), dtype="datetime64[s]")
    if series.dtype in (pl.Time, pl.Duration):
        hours: Array = (
            (series.cast(pl.Duration("ns")).cast(pl.Int64) / 3.6e12).fill_null(np.nan).to_numpy()
        )
        return hours
    return np.array([series.dtype], dtype=object)

"""Tables that say what their columns hold: parquet, Arrow, Excel, JSON, ARFF, svmlight."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from chainrule.common.checks import DataError, counted
from chainrule.common.types import Array
from chainrule.datasets import cells, decoding, delimited, foreign
from chainrule.datasets.arrays import dense
from chainrule.datasets.contents import MOST_TEXT_COLUMNS, Contents, check_width
from chainrule.datasets.encoding import Reading
from chainrule.datasets.layout import Layout

RECORDS = "save it with df.to_json(path, orient='records')"
MOST_OF_A_REASON = 200
PANDAS_INDEX = b'"index_columns":'
ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|\S+)\s+(.+)""", re.IGNORECASE)


def read_parquet(name: str, sha256: str, content: bytes, like: Reading) -> Contents:
    """Read Apache Parquet."""
    index = pandas_index(content)
    return _of_frame(name, sha256, lambda: _apart("parquet", content), "parquet", like, index)


def read_arrow(name: str, sha256: str, content: bytes, like: Reading) -> Contents:
    """Read an Arrow file, also called Feather: of its version 2, or a stream of Arrow."""
    index = pandas_index(content)
    return _of_frame(name, sha256, lambda: _apart("arrow", content), "Arrow", like, index)


def _apart(kind: str, content: bytes) -> Any:
    """Return the Polars frame that a file holds."""
    import polars as pl

    return pl.read_ipc_stream(io.BytesIO(foreign.read(kind, content)[1][0]))


def pandas_index(content: bytes) -> list[str]:
    """Return the columns that were the row names of a frame of pandas, by what it wrote beside."""
    start = content.rfind(PANDAS_INDEX)
    if start < 0:
        return []
    written = content[start + len(PANDAS_INDEX) :][:10_000].decode(errors="ignore")
    try:
        found, _ = json.JSONDecoder().raw_decode(written.lstrip())
    except ValueError:
        return []
    return [part for part in found if isinstance(part, str)]


def read_json(name: str, sha256: str, content: bytes, like: Reading) -> Contents:
    """Read JSON: a record on each line, or a list of records."""
    return _of_frame(name, sha256, lambda: _records(content), "JSON", like)


def _records(content: bytes) -> Any:
    """Return a frame of records; pandas writes other forms as one object, a member a column."""
    import polars as pl

    listed = content.lstrip().startswith(b"[")
    read = pl.read_json if listed else pl.read_ndjson
    try:
        frame = read(io.BytesIO(content), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).splitlines()[0][:MOST_OF_A_REASON]
        raise foreign.Unreadable(f"{reason}: {RECORDS}") from None
    nested = [series.dtype.is_nested() for series in frame]
    if len(frame) == 1 and all(nested):
        raise foreign.Unreadable(f"it has no records: {RECORDS}")
    return frame


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
    text, notes = decoding.decoded(name, content, like.encoding)
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
    check_width(name, len(kinds), MOST_TEXT_COLUMNS)
    body = b"\n".join(rows)
    quote = "'" if b"'" in body else '"'
    layout = Layout(",", list(kinds), False, 0, notes, quote)
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
    name: str,
    sha256: str,
    read: Callable[[], Any],
    what: str,
    like: Reading,
    index: Sequence[str] = (),
) -> Contents:
    """Return what a Polars frame holds; some of its columns may be pandas' index."""
    frame = read_or_refuse(name, read, what)
    if not len(frame):
        raise DataError(f"{name}: there is no data row")
    check_width(name, frame.width, MOST_TEXT_COLUMNS)
    frame, left_out = without_index(frame, index, like)
    return understood(name, sha256, frame, like, left_out)


def read_or_refuse(name: str, read: Callable[[], Any], what: str) -> Any:
    """Return what Polars reads, or raise DataError that names the file and the reason."""
    import polars as pl

    try:
        return read()
    except (
        pl.exceptions.PolarsError,
        OSError,
        pl.exceptions.PanicException,
        foreign.Unreadable,
    ) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{name}: not a {what} file that can be read ({reason})") from None


def understood(
    name: str,
    sha256: str,
    frame: Any,
    like: Reading,
    notes: Sequence[str] = (),
    before: int = 0,
) -> Contents:
    """Return what a Polars frame holds, and what was decided about its columns of text.

    So many rows of the table come before.
    """
    import polars as pl

    text = [series.name for series in frame if _is_text(series, like.forms.get(series.name))]
    columns = cells.understand(
        pl.DataFrame([_as_text(frame[column]) for column in text]), like.forms, None
    )
    columns = {name: column.moved(before) for name, column in columns.items()}
    table = {
        series.name: columns[series.name].values if series.name in text else _vector(series)
        for series in frame
    }
    forms = {name: column.form for name, column in columns.items()}
    forms |= {s.name: form for s in frame if (form := _form_in_text(s.dtype)) is not None}
    return Contents(
        name,
        sha256,
        table,
        notes=(*notes, *cells.notes(columns)),
        reading=Reading(forms=forms),
        read=columns,
    )


def without_index(frame: Any, index: Sequence[str], like: Reading) -> tuple[Any, list[str]]:
    """Leave out pandas' row names, and put an index that has values to learn from first.

    Such values are dates, or come again, as those that rows were grouped by.
    """
    index = [name for name in index if name in frame.columns]
    row_names = [name for name in frame.columns if re.fullmatch(r"__index_level_\d+__", name)]
    for name in index:
        series = frame[name]
        differ = not series.dtype.is_nested() and series.n_unique() == len(series)
        if differ and not series.dtype.is_temporal() and name not in like.forms:
            row_names.append(name)
    others = [name for name in frame.columns if name not in index]
    frame = frame.select([*index, *others]).drop(set(row_names))
    return frame, [
        f"column {name!r} is pandas' index: left out (reset_index() makes it a column)"
        for name in dict.fromkeys(row_names)
    ]


def _is_text(series: Any, form: str | None) -> bool:
    """Tell whether a column is read as text is: numbers are where text or dates are known to be."""
    import polars as pl

    if series.dtype.is_numeric():
        if form is None and series.dtype.is_integer() and (series.abs().max() or 0) >= 2**53:
            return cells.lose_digits(series.cast(pl.String), series.cast(pl.Float64))
        return form is not None and form not in (cells.NUMBERS, cells.COMMA)
    return series.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Null)


def _form_in_text(dtype: Any) -> str | None:
    """Return how a csv, which has no types, will have to be read where a column is of time."""
    import polars as pl

    if dtype in (pl.Date, pl.Datetime):
        return cells.DATES  # in whatever format
    return cells.TIMES if dtype in (pl.Time, pl.Duration) else None


def _as_text(series: Any) -> Any:
    import polars as pl

    if series.dtype.is_float() and (series.drop_nulls() % 1 == 0).all():
        series = series.cast(pl.Int64, strict=False)  # 12, not 12.0
    return series.cast(pl.String)


def _vector(series: Any) -> Array:
    """Return a column of numbers or of time; of another only the type is kept.

    Using that is an error, dropping it is not.
    """
    import polars as pl

    if series.dtype.is_numeric():
        numbers: Array = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return numbers
    if series.dtype in (pl.Date, pl.Datetime):
        naive = series.cast(pl.Datetime("us"), strict=False)  # what is beyond it is missing
        return np.asarray(naive.to_numpy(), dtype="datetime64[s]")
    if series.dtype in (pl.Time, pl.Duration):
        hours: Array = (
            (series.cast(pl.Duration("ns"), strict=False).cast(pl.Int64) / 3.6e12)
            .fill_null(np.nan)
            .to_numpy()
        )
        return hours
    return np.full(len(series), series.dtype.base_type(), dtype=object)

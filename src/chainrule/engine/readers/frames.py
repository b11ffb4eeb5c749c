"""Tables with named columns, of one file or of many: Parquet, Arrow, frames in memory.

A *sheet* is one file of such a table.  It knows its rows, its columns and their types, and gives
some columns of some rows as a Polars frame.  `Frames` makes a source of sheets, one below another.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np

from chainrule.common.checks import DataError, shortened
from chainrule.common.types import Array
from chainrule.datasets import typed
from chainrule.datasets.contents import Contents
from chainrule.datasets.encoding import Reading
from chainrule.datasets.targets import MAX_CLASSES
from chainrule.engine.blocks import Rows, Source
from chainrule.engine.readers.spans import file_state
from chainrule.engine.readers.stored import computed, pieces, starts_of, travelling

SPAN = 1 << 24  # values of Parquet that are decoded together: 64 MB of float32
NEAR = 2  # blocks: as far from the last one may be what threads read in the table's order
AT_ONCE = 1 << 18  # rows of a single column
# Polars may decode all of a group of rows, in the columns that are read: of a large file, which
# pandas writes with a million rows in a group, only some columns at once
LARGE = 1 << 26  # bytes
COLUMN_GROUPS = 4
COUNTED = re.compile(r"__index_level_\d+__")  # row names that pandas has written


class Sheet(ABC):
    """One file of a table with named columns.

    Attributes
    ----------
    name : str
        What errors call it.
    state : FileState
    m : int
        How many rows.
    types : mapping of str to polars.DataType
        Of the columns, in the file's order.
    reading : Reading
        How cells are read that are text in the file.
    dear : bool
        Whether it is text, whose cells have no dtype.
    packed : bool
        Whether a few rows cost half of what the many do that are stored together with them.
    """

    name: str
    state: Any
    m: int
    types: Mapping[str, Any]
    reading: Reading = Reading()
    dear: bool = False
    packed: bool = False

    @abstractmethod
    def frame(self, first: int, last: int, columns: Sequence[str]) -> Any:
        """Return columns of rows first, ..., last - 1 as a Polars frame; from many threads."""


class Scanned(Sheet):
    """A file of Parquet or Arrow, of which Polars reads the pages that hold the rows.

    A group of rows, however large, is not read as a whole.
    """

    def __init__(self, path: str, kind: str) -> None:
        import polars as pl

        self.name, self.kind, self.state = path, kind, file_state(path)
        self.packed = kind == "parquet"
        try:
            scan = self._scan()
            self.types = dict(scan.collect_schema())
            self.m = int(scan.select(pl.len()).collect().item())
            left_out = self._row_names(scan)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise DataError(f"{path}: not a {kind} file that can be read ({reason})") from None
        self.types = {name: dtype for name, dtype in self.types.items() if name not in left_out}

    def _scan(self) -> Any:
        import polars as pl

        scan = pl.scan_parquet if self.kind == "parquet" else pl.scan_ipc
        return scan(self.state.path, glob=False)

    def _row_names(self, scan: Any) -> set[str]:
        """Return the columns that are pandas' row names, as `chainrule.datasets.typed` has it."""
        import polars as pl

        if self.kind != "parquet":
            return {name for name in self.types if COUNTED.fullmatch(name)}
        written = pl.read_parquet_metadata(self.state.path).get("pandas")
        index = json.loads(written)["index_columns"] if written else []
        named = [n for n in index if isinstance(n, str) and n in self.types]
        differ = [
            name
            for name in named
            if not (self.types[name].is_nested() or self.types[name].is_temporal())
            and scan.select(pl.col(name).n_unique()).collect().item() == self.m
        ]
        return {*differ, *(name for name in self.types if COUNTED.fullmatch(name))}

    def frame(self, first: int, last: int, columns: Sequence[str]) -> Any:
        """Let Polars read the pages with these rows."""
        import polars as pl

        self.state.check()
        width = len(columns)
        step = width if self.state.size < LARGE else -(-width // COLUMN_GROUPS)
        try:
            rows = self._scan().slice(first, last - first)
            found = pl.concat(
                (rows.select(columns[k : k + step]).collect() for k in range(0, width, step)),
                how="horizontal",
            )
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            reason = (str(error).splitlines() or [""])[0]
            if "os error 12" in reason:
                reason = (
                    "there is no room in memory, or among the addresses that ulimit -v leaves, to "
                    "which the file is mapped: split it into smaller files"
                )
            raise DataError(f"{self.name}: rows {first + 1:,} to {last:,}: {reason}") from None
        if len(found) != last - first:
            raise DataError(f"{self.name} has {first + len(found):,} rows, and had {self.m:,}")
        return found


def whole_if_they_are(y: Array) -> Array:
    """Return numbers that were text, and are all whole, as int64: they may be codes."""
    return y.astype(np.int64) if (y % 1 == 0).all() and np.abs(y).max() < 2**53 else y


class Held(Sheet):
    """A dataframe in memory, of Polars or of pandas."""

    name = "the dataframe"

    def __init__(self, frame: Any) -> None:
        import polars as pl

        if not isinstance(frame, pl.DataFrame):
            frame = pl.DataFrame({str(c): frame[c].to_numpy() for c in frame.columns})
        self.held, self.m, self.types = frame, len(frame), dict(frame.schema)

    @cached_property
    def state(self) -> Any:
        """The hash of all its rows."""
        return hashlib.sha256(self.held.hash_rows().to_numpy().tobytes()).hexdigest()

    def frame(self, first: int, last: int, columns: Sequence[str]) -> Any:
        """Return a view of the rows."""
        return self.held[first:last].select(columns)


class DaskFrame(Sheet):
    """A dataframe of Dask, whose partitions are computed when their rows are read."""

    name = "the Dask dataframe"

    def __init__(self, frame: Any) -> None:
        self.source = frame
        self.starts = starts_of(list(frame.map_partitions(len).compute()))
        self.m = self.starts[-1]
        self.types = dict(self._as_polars(frame._meta).schema)
        self.state = frame._name

    def frame(self, first: int, last: int, columns: Sequence[str]) -> Any:
        """Compute the partitions that have these rows."""
        import polars as pl

        return pl.concat(
            self._as_polars(computed(self.source[list(columns)].get_partition(k)))[a:b]
            for k, a, b in pieces(self.starts, first, last)
        )

    def __getstate__(self) -> dict[str, Any]:
        return travelling(self.source, self.__dict__)

    def _as_polars(self, frame: Any) -> Any:
        import polars as pl

        return pl.from_pandas(frame, nan_to_null=False)


class Frames(Source):
    """A source of sheets whose columns are the inputs, the target and the weights.

    Parameters
    ----------
    sheets : sequence of Sheet
        With the same columns.
    target : str or sequence of str, optional
        Column of codes, labels or numbers; several are several outputs.
    weights : str, optional
    columns : sequence of str, optional
        The inputs, in their order.  Default: all others.
    classes : tuple of str or int, optional
        The labels in the order of their codes, where the target holds labels.
    """

    _span: tuple[tuple[int, int, tuple[str, ...]], Any] | None  # its sheet, begin and columns; rows

    def __init__(
        self,
        sheets: Sequence[Sheet],
        target: Sequence[str] = (),
        weights: str | None = None,
        columns: Sequence[str] | None = None,
        classes: tuple[Any, ...] | None = None,
    ) -> None:
        self.sheets, self.target, self.weights = list(sheets), tuple(target), weights
        self.name = self.sheets[0].name
        self.all_columns = tuple(self.sheets[0].types)
        self._refuse_other_columns()
        self.starts = starts_of([sheet.m for sheet in self.sheets])
        self.m = self.starts[-1]
        others = {*self.target, weights}
        if columns is None:
            columns = [name for name in self.all_columns if name not in others]
        self.names = tuple(columns)
        self.n, self.K, self.classes = len(self.names), max(1, len(self.target)), classes
        self.weighted = weights is not None
        self.dear = any(sheet.dear for sheet in self.sheets)
        self._lock, self._span, self._at = Lock(), None, 0
        if not self.m:
            raise DataError(f"{self.sheets[0].name}: there is no data row")

    def _refuse_other_columns(self) -> None:
        first = self.sheets[0]
        for sheet in self.sheets[1:]:
            more = [name for name in sheet.types if name not in first.types]
            less = [name for name in first.types if name not in sheet.types]
            if more or less:
                what = f"has a column {more[0]!r}" if more else f"has no column {less[0]!r}"
                raise DataError(
                    f"{sheet.name} {what}, unlike {first.name}: files of one table must have the "
                    "same columns"
                )

    def frame(self, first: int, last: int, columns: Sequence[str] | None = None) -> Any:
        """Return columns of rows first, ..., last - 1 as one Polars frame."""
        import polars as pl

        columns = self.all_columns if columns is None else columns
        found = [
            self._rows_of(k, a, b, tuple(columns)) for k, a, b in pieces(self.starts, first, last)
        ]
        return found[0] if len(found) == 1 else pl.concat(found, how="vertical_relaxed")

    def _rows_of(self, k: int, first: int, last: int, columns: tuple[str, ...]) -> Any:
        """Return rows of sheet k, where it is packed from a span that serves many blocks.

        A span is decoded only for blocks that are read one after another, about in their order:
        one that is read by itself would pay for all the others.
        """
        sheet, rows = self.sheets[k], 1 << max(SPAN // len(columns), 1).bit_length() - 1
        begin = first - first % rows
        end = min(begin + rows, sheet.m)
        if not sheet.packed or last > end:
            return sheet.frame(first, last, columns)
        sheet.state.check()
        with self._lock:
            at, self._at = self._at, self.starts[k] + last
            known = self._span is not None and self._span[0] == (k, begin, columns)
            if known or abs(self.starts[k] + first - at) <= NEAR * (last - first):
                if self._span is None or not known:
                    self._span = None  # its memory is for the next one
                    self._span = (k, begin, columns), sheet.frame(begin, end, columns)
                return self._span[1][first - begin : last - begin]
        return sheet.frame(first, last, columns)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_span": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=Lock())

    def contents(self, first: int, last: int, like: Reading | None = None) -> Contents:
        """Return some rows as `chainrule.datasets` reads a file that has no others."""
        frame = self.frame(first, last)
        return typed.understood(self.name, "", frame, like or self.sheets[0].reading)

    def read(self, first: int, last: int) -> Rows:
        """Return the rows; X has the least dtype that holds all of its columns."""
        columns = dict.fromkeys([*self.names, *self.target])
        if self.weights is not None:
            columns[self.weights] = None
        frame = self.frame(first, last, list(columns))
        X = self._numbers(frame, self.names, self.dtype, first)
        y = self._targets(frame, first) if self.target else None
        return X, y, None if self.weights is None else self._weights(frame, first)

    def weights_of(self, first: int, last: int) -> Array:
        """Return the weights of rows first, ..., last - 1."""
        return self._weights(self.frame(first, last, [str(self.weights)]), first)

    def _weights(self, frame: Any, first: int) -> Array:
        column = [str(self.weights)]
        return self._numbers(frame, column, self._type_of(column), first)[:, 0]

    @cached_property
    def dtype(self) -> Any:
        """The dtype of X."""
        return self._type_of(self.names)

    def _type_of(self, names: Sequence[str]) -> Any:
        """Return the least dtype that holds the numbers of some columns, in all files."""
        import polars as pl

        found = set()
        for sheet in self.sheets:
            for name in names:
                dtype = sheet.types[name]
                if not (dtype.is_numeric() or dtype == pl.Boolean):
                    raise DataError(
                        f"{sheet.name}: column {name!r} holds {dtype}, no numbers: name the inputs "
                        "in columns=[...], or give encoder=chainrule.datasets.load(...).encoder, "
                        "of some rows"
                    )
                wide = dtype.is_decimal() or dtype in (pl.Int128, pl.UInt128)
                found.add(np.float64 if wide else pl.Series(dtype=dtype).to_numpy().dtype)
        return np.result_type(*found)

    def _numbers(self, frame: Any, names: Sequence[str], dtype: Any, first: int) -> Array:
        """Return columns as a matrix, by rows; a value that is missing is an error."""
        import polars as pl

        part = frame.select(names)
        for series in part:
            if series.null_count():
                row = first + int(series.is_null().arg_max())
                raise DataError(
                    f"{self.where(row)}: column {series.name!r} has a missing value: fill it, or "
                    "leave the column out with columns=[...]"
                )
        ours = pl.datatypes.numpy_char_code_to_dtype(np.dtype(dtype).char)
        return np.asarray(part.cast(ours).to_numpy(order="c"))

    def _targets(self, frame: Any, first: int) -> Array:
        """Return codes of labels, or numbers, with NaN where one is missing."""
        import polars as pl

        if self.classes is None:
            dtype = self._type_of(self.target)
            part = frame.select(self.target)
            if any(part.null_count().row(0)):
                part, dtype = part.cast(pl.Float64).fill_null(np.nan), np.float64
            ours = pl.datatypes.numpy_char_code_to_dtype(np.dtype(dtype).char)
            y = part.cast(ours).to_numpy(order="c")
            y = y[:, 0] if len(self.target) == 1 else y
            return whole_if_they_are(y) if self.dear else y
        (name,) = self.target
        labels = frame[name].cast(pl.String)
        codes = labels.replace_strict(
            [str(label) for label in self.classes],
            range(len(self.classes)),
            default=-1,
            return_dtype=pl.Int64,
        )
        if (wrong := codes == -1).any():
            row = int(wrong.arg_max())
            raise DataError(
                f"{self.where(first + row)}: target {name!r} is {labels[row]!r}, none of the "
                f"classes {shortened(self.classes)}"
            )
        return np.asarray(codes.to_numpy())

    def labels(self) -> tuple[str, ...] | None:
        """Return the labels of a target of text, in order, by a pass over it; else None."""
        import polars as pl

        (name,) = self.target
        kinds = (pl.String, pl.Categorical, pl.Enum, pl.Boolean)
        if not any(sheet.types[name] in kinds for sheet in self.sheets):
            return None
        found: set[str] = set()
        for first in range(0, self.m, AT_ONCE):
            labels = self.frame(first, min(first + AT_ONCE, self.m), [name])[name].cast(pl.String)
            if labels.null_count():
                row = first + int(labels.is_null().arg_max())
                raise DataError(f"{self.where(row)}: target {name!r} is missing: leave the row out")
            found |= set(labels.unique())
            if len(found) > MAX_CLASSES:
                raise DataError(
                    f"{self.sheets[0].name}: target {name!r} is text with more than {MAX_CLASSES} "
                    "different values, too many for classes: name another target"
                )
        return tuple(sorted(found))

    def where(self, row: int) -> str:
        """Return the file that has a row, and the row's number there, counted from 1."""
        k, first, _ = pieces(self.starts, row, row + 1)[0]
        return f"{self.sheets[k].name}, row {first + 1:,}"

    def state(self) -> tuple[Any, ...]:
        """Return the states of the files, and what is read of them."""
        chosen = (self.names, self.target, self.weights, self.classes)
        return (*(sheet.state for sheet in self.sheets), chosen)

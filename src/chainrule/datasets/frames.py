"""Tables in memory, of any library, as columns: what their cells mean is read as in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from numbers import Number
from typing import Any

import numpy as np
from scipy.sparse import issparse

from chainrule.common.checks import DataError
from chainrule.datasets.cells import TEXT
from chainrule.datasets.contents import Contents
from chainrule.datasets.encoding import Reading
from chainrule.datasets.pieces import NAME
from chainrule.datasets.typed import understood

MISSING = ("NoneType", "NAType", "NaTType")  # the types of pandas' missing values among them
PLAIN = (str, bool, Number, date, time, timedelta, np.datetime64, np.timedelta64)


def has_names(X: Any) -> bool:
    """Whether somebody named the columns of a table in memory."""
    if hasattr(X, "iloc"):
        return all(isinstance(name, str) for name in X.columns)
    of_polars = hasattr(type(X), "columns")
    return of_polars or isinstance(X, Mapping) or hasattr(X, "__arrow_c_stream__")


def frame_of(X: Any) -> Any:
    """Return a table in memory as a Polars frame, or as an array of numbers.

    Parameters
    ----------
    X : dataframe of pandas or Polars, table of Arrow, mapping of columns, or array-like

    Returns
    -------
    polars.DataFrame or ndarray of shape (m, n)
        The columns of an array, or of a list of rows, are called x0, x1, ...

    Raises
    ------
    DataError
        If it is no table.
    TypeError
        If it is sparse.
    """
    import polars as pl

    if issparse(X):
        raise TypeError("sparse X is no table: give a dense one, or choose MLPClassifier")
    if len(shape := getattr(X, "shape", (0, 0))) != 2:
        raise DataError(
            f"{NAME} must have rows and columns. Reshape your data: this has the shape {shape}"
        )
    if isinstance(X, np.ndarray) and X.dtype.kind in "iuf":
        return np.asarray(X)
    if isinstance(X, pl.DataFrame | pl.LazyFrame):
        return X.lazy().collect()
    try:
        if hasattr(X, "iloc"):  # pandas
            names = [str(name) for name in X.columns]
            if len(set(names)) < len(names):
                raise DataError(f"{NAME}: two columns have one name: rename one of them")
            return pl.DataFrame([_series(name, X.iloc[:, j]) for j, name in enumerate(names)])
        if isinstance(X, Mapping):
            return pl.DataFrame([_series(str(name), column) for name, column in X.items()])
        if hasattr(X, "__arrow_c_stream__"):
            return pl.DataFrame(X)
    except pl.exceptions.ShapeError as error:
        raise DataError(f"{NAME}: its columns are not of one length ({error})") from None
    rows = np.asarray(X) if hasattr(X, "__array__") else _rows(X)
    if rows.ndim != 2:
        raise DataError(
            f"{NAME} must have rows and columns. Reshape your data: this has the shape {rows.shape}"
        )
    if rows.dtype.kind == "c":
        raise ValueError("Complex data not supported: give the real and the imaginary part apart")
    return pl.DataFrame([_series(f"x{j}", column) for j, column in enumerate(rows.T)])


def contents_of(
    frame: Any, like: Reading | None = None, names: Sequence[str] | None = None
) -> Contents:
    """Return the columns of a table, their cells understood.

    Parameters
    ----------
    frame : as `frame_of` returns it
    like : Reading, optional
        How the cells of an earlier table were read, to read these in the same way.
    names : sequence of str, optional
        Of the columns, in place of their own.

    Returns
    -------
    Contents

    Examples
    --------
    >>> contents_of(frame_of([["3", "red"], ["4", None]])).table
    {'x0': array([3., 4.]), 'x1': array(['red', None], dtype=object)}
    """
    if isinstance(frame, np.ndarray):
        names = names or [f"x{j}" for j in range(frame.shape[1])]
        return Contents(NAME, "", dict(zip(names, frame.T, strict=True)), named=False)
    if names is not None:
        frame = frame.clone()
        frame.columns = list(names)
    if like is None:  # the words of a category are words, also where they are digits
        import polars as pl

        kinds = (pl.Categorical, pl.Enum)
        like = Reading(forms={c.name: TEXT for c in frame if c.dtype in kinds})
    return understood(NAME, "", frame, like)


def _rows(X: Any) -> Any:
    try:
        rows = [list(row) if isinstance(row, list | tuple) else row for row in X]
        return np.array(rows, dtype=object)
    except TypeError:
        raise DataError(f"{NAME} must have rows and columns, not {type(X).__name__}") from None
    except ValueError:
        raise DataError(f"{NAME}: its rows are not of one length") from None


def _series(name: str, column: Any) -> Any:
    """Return a column as a series of Polars; of objects of several types, as text."""
    import polars as pl

    category = str(getattr(column, "dtype", "")) == "category"
    if hasattr(column, "isna"):  # a series of pandas
        if category or str(column.dtype).startswith("datetime64[ns,"):
            column = column.astype(object)
        absent = column.isna().to_numpy()
        column = column.to_numpy(dtype=object, na_value=None) if absent.any() else column.to_numpy()
    values = np.asarray(column)
    if values.dtype.kind in "mM":
        values = values.astype(f"{'timedelta' if values.dtype.kind == 'm' else 'datetime'}64[us]")
    if values.dtype.kind not in "OS" and not category:
        return pl.Series(name, values)
    objects = [_plain(value) for value in values.tolist()]
    if category:
        texts = [None if value is None else str(value) for value in objects]
        return pl.Series(name, texts, dtype=pl.Categorical)
    try:
        return pl.Series(name, objects, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        return pl.Series(name, [None if value is None else str(value) for value in objects])


def _plain(value: Any) -> Any:
    """Return a cell as text, a number, a date, a list, or None where it is missing."""
    if type(value).__name__ in MISSING or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, (*PLAIN, list, tuple, np.ndarray)) else str(value)

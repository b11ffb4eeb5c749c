"""Tables in memory, of any library, as columns: what their cells mean is read as in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse

from chainrule.common.checks import DataError
from chainrule.datasets.contents import Contents
from chainrule.datasets.encoding import Reading
from chainrule.datasets.typed import understood

NAME = "the table"


def contents_of(X: Any, like: Reading | None = None) -> Contents:
    """Return the columns of a table in memory.

    Parameters
    ----------
    X : dataframe of pandas or Polars, table of Arrow, mapping of columns, or array of shape (m, n)
        An array's columns are called x0, x1, ...
    like : Reading, optional
        How the cells of an earlier table were read, to read these in the same way.

    Raises
    ------
    DataError
        If it is no such table.

    Examples
    --------
    >>> contents_of([["3", "red"], ["4", None]]).table
    {'x0': array([3., 4.]), 'x1': array(['red', None], dtype=object)}
    """
    if issparse(X):
        raise TypeError("sparse X is no table: give a dense one, or choose MLPClassifier")
    if isinstance(X, np.ndarray) and X.dtype.kind in "iuf" and X.ndim == 2:
        return Contents(NAME, "", {f"x{j}": column for j, column in enumerate(X.T)})
    return understood(NAME, "", _frame(X), Reading() if like is None else like)


def _frame(X: Any) -> Any:
    """Return a Polars frame."""
    import polars as pl

    if isinstance(X, pl.DataFrame):
        return X
    if isinstance(X, pl.LazyFrame):
        return X.collect()
    if hasattr(X, "iloc") and hasattr(X, "columns"):  # pandas
        columns = {str(name): X.iloc[:, j] for j, name in enumerate(X.columns)}
        if len(columns) < X.shape[1]:
            raise DataError(f"{NAME}: two columns have one name: rename one of them")
        return pl.DataFrame([_series(name, column) for name, column in columns.items()])
    if isinstance(X, Mapping):
        return pl.DataFrame([_series(str(name), column) for name, column in X.items()])
    if hasattr(X, "__arrow_c_stream__"):
        return pl.DataFrame(X)
    rows = np.asarray(X) if hasattr(X, "__array__") else np.array(_rows(X), dtype=object)
    if rows.ndim != 2:
        shape = "one number" if rows.ndim == 0 else f"an array of {rows.ndim} dimensions"
        raise DataError(f"{NAME} must have rows and columns. Reshape your data: this is {shape}")
    return pl.DataFrame([_series(f"x{j}", column) for j, column in enumerate(rows.T)])


def _rows(X: Any) -> Sequence[Any]:
    try:
        return list(X)
    except TypeError:
        raise DataError(f"{NAME} must have rows and columns, not {type(X).__name__}") from None


def _series(name: str, column: Any) -> Any:
    """Return a column as a series of Polars; of objects of several types, as text."""
    import polars as pl

    values = column
    if hasattr(column, "isna"):  # a series of pandas: its missing values have many names
        if str(column.dtype) == "category" or str(column.dtype).startswith("datetime64[ns,"):
            column = column.astype(object)
        absent = column.isna().to_numpy()
        values = column.to_numpy(dtype=object, na_value=None) if absent.any() else column.to_numpy()
    values = np.asarray(values)
    if values.dtype.kind != "O":
        return pl.Series(name, values)
    objects = [None if value is None or value != value else value for value in values.tolist()]
    try:
        return pl.Series(name, objects, strict=True)
    except (TypeError, pl.exceptions.PolarsError):
        return pl.Series(name, [None if value is None else str(value) for value in objects])

"""X as scikit-learn's rules let it in; what is not finite is refused by its place."""

from __future__ import annotations

import math
from datetime import date, time, timedelta
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from chainrule.common.checks import warn_user
from chainrule.common.types import Array

MOST_NAMES = 5  # of features that an error lists
MOST_LETTERS = 20  # of a value that an error shows
NOT_NUMBERS = (
    "X must hold numbers: {}; make numbers of them, for example with "
    "sklearn.preprocessing.OneHotEncoder in a sklearn.compose.ColumnTransformer, or leave them out"
)


def validated(estimator: Any, X: Any, *y: Any, reset: bool, **how: Any) -> Any:
    """Return X, and y if given, as scikit-learn validates them.

    Parameters
    ----------
    estimator : estimator
        Knows, or with reset learns, how many features there are and their names.
    X : {array-like, sparse matrix} of shape (m, n)
    *y : array-like
    reset : bool
    **how
        As for scikit-learn's `validate_data`.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    how |= {"accept_sparse": ["csr", "csc"], "dtype": (np.float64, np.float32)}
    dtypes = getattr(X, "dtypes", [getattr(X, "dtype", None)])
    if any(getattr(dtype, "kind", "") in ("m", "M") for dtype in dtypes):
        raise ValueError(NOT_NUMBERS.format(without_numbers(X)))  # and no nanoseconds since 1970
    try:
        return validate_data(estimator, X, *y, reset=reset, **how)
    except (ValueError, TypeError) as error:
        if not str(error).startswith("Input X contains"):
            if not (columns := without_numbers(X)):
                raise
            raise ValueError(NOT_NUMBERS.format(columns)) from None
        what = str(error).splitlines()[0].rstrip(".")
        raise ValueError(
            f"{what}: {not_finite(X)}; leave those rows out or fill them in, for example with "
            "sklearn.impute.SimpleImputer"
        ) from None


def one_column(y: Any) -> Any:
    """Return y, as one row of values where it is one column."""
    if y.ndim == 1 or y.shape[1] != 1:
        return y
    warn_user(
        "A column-vector y was passed when a 1d array was expected. Please change the shape of y "
        "to (n_samples,), for example using ravel().",
        DataConversionWarning,
    )
    return y.toarray().ravel() if issparse(y) else y.ravel()


def without_numbers(X: Any) -> str:
    """Say which features of X hold text or dates, each with an example; "" where none does.

    Examples
    --------
    >>> without_numbers([["1", "red"], [2.0, "blue"]])
    "feature 1 holds 'red'"
    """
    names = [repr(str(name)) for name in getattr(X, "columns", ())]
    if issparse(X) or np.ndim(X) != 2:
        return ""
    columns = [X[name] for name in X.columns] if names else np.array(X, dtype=object).T
    found = []
    for j, column in enumerate(columns):
        strange = next(
            (value for value in np.array(column, dtype=object) if is_strange(value)), None
        )
        if strange is not None:
            found.append(
                f"feature {names[j] if names else j} holds {str(strange)[:MOST_LETTERS]!r}"
            )
    return ", ".join(found[:MOST_NAMES]) + (", ..." if len(found) > MOST_NAMES else "")


def is_strange(value: Any) -> bool:
    """Whether a value is text that is no number, or a date.

    Examples
    --------
    >>> [is_strange(value) for value in ("1e3", "red", np.datetime64("2024-02-29"), None)]
    [False, True, True, False]
    """
    if isinstance(value, date | time | timedelta | np.datetime64 | np.timedelta64):
        return True
    if not isinstance(value, str | bytes):
        return False
    try:
        float(value)
    except ValueError:
        return True
    return False


def not_finite(X: Any) -> str:
    """Say which features of X have values that are not finite, and in which row the first is.

    Examples
    --------
    >>> not_finite([[1.0, 2.0], [3.0, np.nan], [4.0, np.inf]])
    'feature 1 in 2 rows, the first is row 1'
    """
    names = [repr(str(name)) for name in getattr(X, "columns", ())]
    values = check_array(X, accept_sparse="csc", ensure_all_finite=False, dtype=np.float64)
    if isinstance(values, np.ndarray):
        rows, columns = np.nonzero(~np.isfinite(values))
    else:
        values = values.tocoo()
        wrong = ~np.isfinite(values.data)
        rows, columns = values.row[wrong], values.col[wrong]
    features = [names[j] if names else str(j) for j in np.unique(columns)]
    shown = ", ".join(features[:MOST_NAMES]) + (", ..." if len(features) > MOST_NAMES else "")
    m = len(np.unique(rows))
    return (
        f"feature{'s' * (len(features) > 1)} {shown} in {m} row{'s' * (m > 1)}, "
        f"{'the first is' if m > 1 else 'that is'} row {rows.min()}"
    )


def has_finite_sum(X: Array) -> bool:
    """Whether the sum of X is finite: not where any value is not.

    NumPy adds it up on one thread, without BLAS.

    Examples
    --------
    >>> has_finite_sum(np.array([[1.0, np.inf]]))
    False
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(X.sum())


def whole_numbers(y: Any) -> Any:
    """Return pandas' nullable whole numbers as NumPy's, and anything else as it is.

    scikit-learn would make float64 of them, which loses the last digits of large ones.

    Examples
    --------
    >>> whole_numbers([2**53 + 1])
    [9007199254740993]
    """
    dtype: Any = getattr(y, "dtype", None)
    if isinstance(dtype, np.dtype) or getattr(dtype, "kind", "") not in ("i", "u"):
        return y
    return y if y.isna().any() else y.to_numpy(dtype=dtype.numpy_dtype)


def known_targets(y: Any) -> tuple[Any, Array | None]:
    """Return y without NaN, and which of its cells are known: None where all are.

    Where y is one column, NaN stays, and is refused: its row would say nothing.

    Examples
    --------
    >>> known_targets([[1.0, np.nan], [2.0, 3.0]])
    (array([[1., 0.],
           [2., 3.]]), array([[ True, False],
           [ True,  True]]))
    """
    if hasattr(y, "tocsr"):
        return y, None
    try:
        # pandas has a missing value of its own
        values = y.to_numpy(na_value=np.nan) if hasattr(y, "isna") else np.asarray(y)
        if values.ndim != 2 or values.shape[1] < 2 or values.dtype.kind not in "fO":
            return y, None
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):  # words, or rows of different lengths
        return y, None
    unknown = np.isnan(values)
    return (np.where(unknown, 0, values), ~unknown) if unknown.any() else (y, None)

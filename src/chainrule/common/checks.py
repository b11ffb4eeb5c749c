"""Checks of users' input; each fault is told in one line."""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array
from chainrule.common.words import printable, word

Named = TypeVar("Named")
LIBRARIES = ("chainrule", "sklearn", "joblib", "contextlib", "imblearn")


def by_name(name: str, table: Mapping[str, Named], what: str) -> Named:
    """Look a name up; an unknown one is an error that offers the nearest right name.

    Parameters
    ----------
    name : str
        What the user wrote.
    table : mapping of str to object
        Where to look.
    what : str
        What the names stand for, for the error's text.

    Returns
    -------
    object
        ``table[name]``.

    Raises
    ------
    ValueError
        If the table has no such name.

    Examples
    --------
    >>> by_name("sigmiod", {"sigmoid": 1, "tanh": 2}, "activation")
    Traceback (most recent call last):
        ...
    ValueError: unknown activation 'sigmiod': did you mean 'sigmoid'? (one of sigmoid, tanh)
    """
    if isinstance(name, str) and name in table:
        return table[name]
    near = difflib.get_close_matches(str(name).lower(), table, n=1)
    hint = f": did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown {what} {name!r}{hint} (one of {', '.join(table)})")


def floats(values: npt.ArrayLike, name: str) -> Array:
    """Return values as a float32 or float64 array; anything else than real numbers is refused."""
    array = _rectangular(values, name)
    if array.dtype in (np.float32, np.float64):
        return array
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    return array.astype(np.float64)


def refuse_path(X: Any) -> None:
    """Raise ValueError where examples are the name of a file, and say what opens it."""
    if isinstance(X, str | os.PathLike):
        name = os.fspath(X)
        raise ValueError(
            f"X must hold numbers, got the text {name!r}: to read a file, give "
            f"chainrule.blocks({name!r}, target=...)"
        )


def _rectangular(values: npt.ArrayLike, name: str) -> Array:
    try:
        return np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} must be a rectangular array of numbers: {error}") from None


def refuse_non_finite(array: Array, name: str, first: int = 0) -> None:
    """Raise ValueError that says where array has its first NaN or infinity.

    The array may be a part of a table, from row number `first` on.
    """
    # One pass and no temporary in the usual case: a sum is finite only where all its terms are
    # (an overflowing sum of finite terms merely takes the longer way).
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()) or np.isfinite(array).all():
            return
    where = np.argwhere(~np.isfinite(array))[0]
    value = array[tuple(where)]
    where[0] += first
    axes = ("row", "column") if array.ndim == 2 else ("position",)
    place = ", ".join(f"{axis} {i}" for axis, i in zip(axes, where, strict=True))
    raise ValueError(f"{name} has {value} in {place} (counted from 0): fill or drop it first")


def check_count(value: object, name: str, least: int = 1) -> None:
    """Raise ValueError unless value is a whole number that is not below the least one.

    Examples
    --------
    >>> check_count(2.5, "max_iter", 0)
    Traceback (most recent call last):
        ...
    ValueError: max_iter must be a whole number >= 0, got 2.5
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")


def as_dtype(values: Any, dtype: npt.DTypeLike, name: str) -> Any:
    """Return an array, dense or sparse, in dtype; what is beyond float32's range is refused.

    Examples
    --------
    >>> as_dtype(np.array([[1.0, 1e39]]), np.float32, "X")
    Traceback (most recent call last):
        ...
    ValueError: X has 1e+39, and float32 ends at 3.4e+38: scale it, or compute with dtype=float64
    """
    if values.dtype == dtype:
        return values
    with np.errstate(over="ignore", under="ignore"):
        found = values.astype(dtype)
    if found.dtype == np.float32:
        before, after = (
            getattr(v, "data", v) if hasattr(v, "tocsr") else v for v in (values, found)
        )
        beyond = ~np.isfinite(after) & np.isfinite(before)
        if beyond.any():
            raise ValueError(
                f"{name} has {before[beyond][0]:g}, and float32 ends at 3.4e+38: scale it, or "
                "compute with dtype=float64"
            )
    return found


def check_weights(weights: npt.ArrayLike, m: int, K: int, first: int | None = None) -> Array:
    """Return weights, of shape (m,) or (m, K), or raise ValueError unless each is >= 0.

    All may be 0 where these are the rows of a larger table from number `first` on.
    """
    weights = floats(weights, "weights")
    if weights.shape not in ((m,), (m, K)):
        raise ValueError(
            f"X has {m} rows: weights must have shape ({m},), or ({m}, {K}) with one for each "
            f"output; got {weights.shape}"
        )
    refuse_non_finite(weights, "weights", first or 0)
    if weights.min() < 0 or (first is None and weights.max() == 0):
        raise ValueError(
            f"weights must be >= 0, and not all 0; got {weights.min():g} to {weights.max():g}"
        )
    return weights


def weights_as_dtype(weights: Array, dtype: npt.DTypeLike) -> Array:
    """Return weights in dtype; those that vanish or overflow in its sums are refused.

    Examples
    --------
    >>> weights_as_dtype(np.array([1e-35, 1e-34]), np.float32)
    Traceback (most recent call last):
        ...
    ValueError: weights end at 1e-34 and add up to 1.1e-34, and float32 computes with weights from \
9.9e-32 to 3.4e+38: multiply them all, and lam, by one number, which leaves J as it is
    """
    found: Array = as_dtype(weights, dtype, "weights")
    with np.errstate(over="ignore"):
        refuse_weights(weights.max(), weights.sum(dtype=np.float64), dtype)
    return found


def refuse_weights(most: float, total: float, dtype: npt.DTypeLike) -> None:
    """Raise ValueError where weights vanish or overflow: told are the largest, and their sum."""
    limits = np.finfo(dtype)
    if not total:
        raise ValueError(f"weights must be >= 0, and not all 0; in {limits.dtype} all are")
    least, largest = float(limits.tiny / limits.eps), float(limits.max)
    if not (most >= least and total <= largest):
        raise ValueError(
            f"weights end at {most:.2g} and add up to {total:.2g}, and {limits.dtype} computes "
            f"with weights from {least:.2g} to {largest:.2g}: multiply them all, and lam, by one "
            "number, which leaves J as it is"
        )


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the user's line: the first one that belongs to none of the libraries that fit."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in LIBRARIES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


class DataError(ValueError):
    """A file or table that cannot be used; the message says where, why and what to do.

    Parameters
    ----------
    where : str
        What the message begins with, such as the file's name.
    *faults : str
        What is wrong, if it is more than one thing or has a remedy.
    **options : str or list of str
        Arguments of `chainrule.datasets.load` that mend it all; the message ends with them.

    Examples
    --------
    >>> print(DataError("t.csv", "column 'id' numbers the rows", drop=["id"]))
    t.csv: column 'id' numbers the rows: drop='id'
    """

    def __init__(self, where: str, *faults: str, **options: str | list[str]) -> None:
        self.where, self.faults, self.options = where, faults, options
        parts = [where] + (["; ".join(faults)] if faults else [])
        told = ": ".join([*parts, *([as_arguments(**options)] if options else [])])
        super().__init__(printable(told))


def as_arguments(**options: str | list[str]) -> str:
    """Return arguments as one writes them in Python.

    Examples
    --------
    >>> as_arguments(drop=["a", "b"], missing="mean")
    "drop=['a', 'b'], missing='mean'"
    """
    single = {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in options.items()}
    return ", ".join(f"{name}={value!r}" for name, value in single.items())


def counted(number: int, noun: str) -> str:
    """Return "1 row", "2 rows", "1,000 rows"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def shortened(values: Sequence[object], most: int = 8) -> str:
    """List values, the middle ones left out when there are many."""
    texts = [word(value) for value in values]
    if len(texts) > most:
        texts = [*texts[: most - 2], "...", texts[-1]]
    return ", ".join(texts)


def npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read what stands before the values of an npy file: shape, Fortran order or not, and dtype.

    Raises ValueError: NumPy itself raises almost any error on a damaged header.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> np.save(file, np.zeros((3, 2)))
    >>> _ = file.seek(0)
    >>> npy_header(file)
    ((3, 2), False, dtype('float64'))
    """
    form = np.lib.format
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's, that Python 2 wrote it
            old = form.read_magic(file) == (1, 0)
            read = form.read_array_header_1_0 if old else form.read_array_header_2_0
            shape, fortran, dtype = read(file)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(str(error)) from None
    if any(length < 0 for length in shape):
        raise ValueError(f"its header says shape {shape}")
    return shape, fortran, dtype

"""The columns of a table as vectors, and the words for where a value stands.

A vector holds numbers, NaN where one is missing; text (dtype object), None where it is missing; or
dates (datetime64), NaT where one is missing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import DataError
from chainrule.common.shown import summary
from chainrule.common.types import Array

Label = int | str
LARGEST = np.float64(1e150)  # beside float32 as well
WRITTEN_OUT = 1e15  # whole numbers below
HELD = {"List": "lists", "Array": "lists", "Struct": "records", "Binary": "bytes"}


@dataclass(frozen=True, eq=False)
class Place:
    """A column of a file, and the numbers of its data rows: what messages call a value's place.

    Examples
    --------
    >>> place = Place("t.csv", "price", np.array([1, 2, 5]))
    >>> prices = np.array([0.5, 7.0, np.inf])
    >>> f"{place} has {place.value(prices, prices > 1)}", place.first(np.isinf(prices))
    ("t.csv: column 'price' has 7 in data row 2", 'data row 5')
    """

    source: str
    column: str
    rows: Array
    what: str = "column"
    part: bool = False  # whether there are more rows elsewhere

    __repr__ = summary

    def __str__(self) -> str:
        return f"{self.source}: {self.what} {self.column!r}"

    def first(self, chosen: npt.ArrayLike) -> str:
        """Return the number of the first data row that is chosen."""
        return f"data row {self.rows[int(np.argmax(chosen))]}"

    def value(self, vector: Array, chosen: npt.ArrayLike) -> str:
        """Return the first value that is chosen, and its data row."""
        value = vector[int(np.argmax(chosen))]
        if isinstance(value, str):
            shown = repr(value)
        else:
            whole = vector.dtype.kind == "f" and value.is_integer() and abs(value) < WRITTEN_OUT
            shown = str(int(value) if whole else value)
        return f"{shown} in {self.first(chosen)}"


def held(vector: Array) -> str | None:
    """Say what a vector holds where that is neither numbers nor text nor dates, as lists are."""
    if vector.dtype != object or isinstance(vector[0], str | None):
        return None
    return HELD.get(str(vector[0]), f"values of the type {vector[0]}")


def absences(vector: Array) -> Array:
    """Return where a vector of numbers, text or dates has none."""
    if vector.dtype == object:
        return np.array([value is None for value in vector], dtype=bool)
    if vector.dtype.kind == "M":
        return np.asarray(np.isnat(vector))
    return np.asarray(np.isnan(vector)) if vector.dtype.kind == "f" else np.zeros(len(vector), bool)


def without(vector: Array, na: Collection[str]) -> Array:
    """Return a vector in which some values count as missing.

    Examples
    --------
    >>> without(np.array([1.0, -999.0]), ["-999"])
    array([ 1., nan])
    """
    if not na:
        return vector
    if vector.dtype == object:
        return np.array([None if value in na else value for value in vector], dtype=object)
    if vector.dtype.kind == "M":
        return vector
    marked = np.isin(vector, [float(value) for value in na if is_number(value)])
    return np.where(marked, np.nan, vector) if marked.any() else vector


def as_labels(values: Array) -> list[Label]:
    """Return a vector of integers (of any dtype) or text as a list of int or str."""
    if values.dtype == object:
        return [str(value) for value in values]
    return [int(value) if value == int(value) else str(value) for value in values.tolist()]


def as_text(vector: Array) -> list[str | None]:
    """Return a column as text, numbers in their shortest form."""
    if vector.dtype == object:
        return list(vector)
    if vector.dtype.kind == "M":
        return [None if value is None else str(value) for value in vector.tolist()]
    return [None if value != value else f"{value:g}" for value in vector.tolist()]


def is_number(value: object) -> bool:
    """Tell whether a value, such as a text, is a number; a missing one counts as one."""
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return value is None
    return True


def is_date(value: object) -> bool:
    """Tell whether a value is a date as NumPy reads it; a missing one counts as one."""
    try:
        np.datetime64(value, "s")  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return False
    return True


def text_among_numbers(vector: Array, place: Place) -> str | None:
    """Say where the first text stands among numbers; None where most, or none, are text."""
    texts = np.array([not is_number(value) for value in vector])
    told = sum(value is not None for value in vector)
    if not texts.any() or 2 * texts.sum() > told:
        return None
    row, value = place.first(texts), vector[int(np.argmax(texts))]
    return f"{row} has {value!r} where most have numbers"


def unusable(vector: Array) -> Array:
    """Return which numbers are infinite, or so large that their squares have no sum.

    Examples
    --------
    >>> unusable(np.array([1e150, -1e200, np.inf, np.nan]))
    array([False,  True,  True, False])
    """
    if vector.dtype.kind != "f":
        return np.zeros(vector.shape, dtype=bool)
    return np.asarray(np.abs(vector) > LARGEST)


def usable(value: float) -> str:
    """Say which numbers can be used, to somebody who has another."""
    return f"numbers up to {LARGEST:g}" if np.isfinite(value) else "finite numbers"


def refuse_unusable(vector: Array, place: Place) -> None:
    """Raise DataError if a vector of numbers has an infinity, or one as good as that."""
    if (wrong := unusable(vector)).any():
        raise DataError(
            f"{place} has {place.value(vector, wrong)}: only {usable(vector[wrong][0])} can be used"
        )

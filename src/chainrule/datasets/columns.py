"""What each column of a table becomes: a number, 0/1 inputs for categories, or parts of a date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.common.checks import DataError, counted, shortened
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.vectors import Place, absences, as_text, is_date, is_number, refuse_unusable

ENOUGH = 10  # of fewer rows nothing may be known of a column
NEARLY_ALL = 0.95
FAR = 1e100  # from there on all numbers are squashed to the same
MISSING = "missing"  # the category of a missing text, and the input that says so of a number


@dataclass(frozen=True)
class Column:
    """One column of a table and what it becomes.

    Attributes
    ----------
    name : str
    categories : tuple of str or None
        Categories of a text column, which becomes one 0/1 input per category; None for numbers.
    mean : float or None
        What fills a missing number, a missing date (in seconds since 1970), or, where there is one
        input for two categories, a missing or unknown text.  None where nothing is filled.
    two : bool
        Whether the two categories share one input: 0 for the first, 1 for the second.
    parts : tuple of str
        What is taken from each date, names of `DATE_PARTS`; empty for other columns.
    gaps : bool
        Whether another 0/1 input says where a number was missing.
    squash : (centre, spread) or None
        A number becomes z / sqrt(1 + (z/3)^2) with z = (x - centre) / spread: hardly altered near
        the centre, and between -3 and 3 however far away it is.
    edges : tuple of float
        Where a number's *pieces* begin, and where the last ends, ascending.  Each piece is another
        input: how much of it lies below the number, from 0 to 1.  A network that weighs them draws
        a line with a bend at each edge.
    """

    name: str
    categories: tuple[str, ...] | None = None
    mean: float | None = None
    two: bool = False
    parts: tuple[str, ...] = ()
    gaps: bool = False
    squash: tuple[float, float] | None = None
    edges: tuple[float, ...] = ()

    __repr__ = summary

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the network's inputs that this column becomes."""
        if self.parts:
            names = [f"{self.name}.{part}" for part in self.parts]
        elif self.categories is None:
            edges = [repr(edge).removesuffix(".0") for edge in self.edges[:-1]]
            names = [self.name, *(f"{self.name}>{edge}" for edge in edges)]
        else:
            names = [f"{self.name}={category}" for category in self.categories[self.two :]]
        return (*names, f"{self.name}={MISSING}") if self.gaps else tuple(names)

    def filled(self, count: int) -> str:
        """Say of how many missing values it is told, and what they become.

        Examples
        --------
        >>> Column("size", mean=2.5).filled(3), Column("colour", ("blue", "red", "teal")).filled(1)
        ("column 'size': 3 missing values filled with 2.5", "column 'colour': 1 missing value: \
all zeros")
        """
        if self.categories is not None:
            becomes = f": {self.unknown}"
        elif self.parts:
            becomes = f" filled with {np.datetime64(round(self.mean or 0), 's')}"
        else:
            becomes = f" filled with {self.mean:.6g}"
        return f"column {self.name!r}: {counted(count, 'missing value')}{becomes}"

    @property
    def unknown(self) -> str:
        """What a text becomes that is missing, or none of the categories."""
        return f"taken as {self.mean or 0.0:.2g}" if self.two else "all zeros"


def squashed(numbers: Array, centre: Array | float, spread: Array | float) -> Array:
    """Return z / sqrt(1 + (z/3)^2) with z = (x - centre) / spread.

    Examples
    --------
    >>> squashed(np.array([5.0, 6.0, 1e9]), centre=5.0, spread=1.0).round(2)
    array([0.  , 0.95, 3.  ])
    """
    with np.errstate(over="ignore"):
        z = np.minimum(np.maximum((numbers - centre) / spread, -FAR), FAR)  # np.clip takes longer
    return np.asarray(z / np.hypot(1, z / 3))


def in_pieces(numbers: Array, edges: Array) -> Array:
    """Return how much of each piece lies below each number, of shape (m, len(edges) - 1).

    Gorishniy, Rubachev and Babenko, *On embeddings for numerical features in tabular deep
    learning* (2022), section 3.2.

    Examples
    --------
    >>> in_pieces(np.array([-1.0, 0.5, 3.0]), np.array([0.0, 1.0, 5.0]))
    array([[0. , 0. ],
           [0.5, 0. ],
           [1. , 0.5]])
    """
    return np.clip((numbers[:, None] - edges[:-1]) / np.diff(edges), 0, 1)


def _year(dates: Array) -> Array:
    return np.asarray(dates.astype("datetime64[Y]").astype(np.int64) + 1970)


def _month(dates: Array) -> Array:
    return np.asarray(dates.astype("datetime64[M]").astype(np.int64) % 12 + 1)


def _weekday(dates: Array) -> Array:
    days = dates.astype("datetime64[D]").astype(np.int64)
    return np.asarray((days + 3) % 7 + 1)  # 1970 began on a Thursday


def _hour(dates: Array) -> Array:
    return np.asarray((dates - dates.astype("datetime64[D]")) / np.timedelta64(1, "h"))


def _elapsed(dates: Array) -> Array:
    return np.asarray((dates - np.datetime64(0, "s")) / np.timedelta64(1, "D"))


DATE_PARTS = {  # month from 1, weekday from 1 for Monday, hour with its fraction, elapsed in days
    "year": _year,
    "month": _month,
    "weekday": _weekday,
    "hour": _hour,
    "elapsed": _elapsed,
}


def write(
    column: Column, vector: Array, block: Array, missing: str | None, place: Place
) -> list[str]:
    """Write what a column becomes into its columns of X; return what the user should know.

    Parameters
    ----------
    column : Column
    vector : array of shape (m,)
    block : array of shape (m, len(column.inputs))
        Of zeros.
    missing : str or None
        See `chainrule.datasets.encoding.Encoder`.
    place : Place
    """
    if column.categories is not None:
        return _write_categories(column, vector, block, missing, place)
    vector = _of_its_kind(column, vector, place)
    refuse_unusable(vector, place)
    absent, notes = absences(vector), []
    if absent.any():
        if column.mean is None:
            raise DataError(_missing_values(absent, place, missing))
        if not column.gaps:
            _refuse_empty(absent, place, "dates" if column.parts else "numbers")
        fill = np.datetime64(round(column.mean), "s") if column.parts else column.mean
        vector = np.where(absent, fill, vector)
        notes = [column.filled(int(absent.sum()))]
    for j, part in enumerate(column.parts):
        block[:, j] = DATE_PARTS[part](vector)
    if not column.parts:
        block[:, 0] = vector if column.squash is None else squashed(vector, *column.squash)
        if column.edges:
            block[:, 1 : len(column.edges)] = in_pieces(vector, np.array(column.edges))
    if column.gaps:
        block[:, -1] = absent
    return notes


def _of_its_kind(column: Column, vector: Array, place: Place) -> Array:
    """Return a vector of numbers or of dates, as training had; of another kind none may be."""
    dates = bool(column.parts)
    if vector.dtype != object and (vector.dtype.kind == "M") == dates:
        return vector
    wrong = ~absences(vector)
    fits = is_date if dates else is_number
    words = wrong & ~np.array([fits(value) for value in vector])
    wrong = words if words.any() else wrong
    if wrong.any():
        raise DataError(
            f"{place} has {place.value(vector, wrong)}, where training had "
            f"{'dates' if dates else 'numbers'}: correct it"
        )
    return np.full(len(vector), np.datetime64("NaT", "s") if dates else np.nan)


def _write_categories(
    column: Column, vector: Array, block: Array, missing: str | None, place: Place
) -> list[str]:
    categories = column.categories or ()
    places: dict[str | None, int] = {name: j for j, name in enumerate(categories)}
    values = as_text(vector)
    if missing == "category":
        values = [MISSING if value is None else value for value in values]
    codes = np.array([places.get(value, -1) for value in values])
    absent = np.array([value is None for value in values])
    if absent.any() and missing != "mean":
        raise DataError(_missing_values(absent, place, missing))
    _refuse_empty(absent, place, shortened(categories))
    if column.two:
        block[:, 0] = np.where(codes < 0, column.mean or 0.0, codes)
    else:
        rows = np.flatnonzero(codes >= 0)
        block[rows, codes[rows]] = 1
    unknown = (codes < 0) & ~absent
    notes = []
    if absent.any():
        notes.append(column.filled(int(absent.sum())))
    if unknown.any():
        first = f"{values[int(np.argmax(unknown))]!r} in {place.first(unknown)} first"
        n, of = int(unknown.sum()), int((~absent).sum())
        if of >= ENOUGH and n >= NEARLY_ALL * of and not place.part:
            raise DataError(
                f"{place} has {counted(n, 'value')} of {of:,} not seen in training, {first}, where "
                f"training had {shortened(categories)}: correct it, or train without it"
            )
        most = f"most values, {n:,} of {of:,}," if of < 2 * n and of >= ENOUGH else ""
        notes.append(
            f"column {column.name!r}: {most or counted(n, 'value')} not seen in training, "
            f"{first}: {column.unknown}"
        )
    return notes


def _refuse_empty(absent: Array, place: Place, trained: str) -> None:
    """Raise DataError if many rows, and all of them, lack a value that training had."""
    if len(absent) >= ENOUGH and not place.part and absent.all():
        raise DataError(
            f"{place} has no value in {counted(len(absent), 'row')}, where training had {trained}: "
            "fill it in, or train without it"
        )


def _missing_values(absent: Array, place: Place, missing: str | None) -> str:
    """Say how many values are missing, and where the first is."""
    rows = "such rows were left out of training" if missing == "drop" else "training had none"
    return (
        f"{place} has {counted(absent.sum(), 'missing value')}, in {place.first(absent)} first, "
        f"and {rows}: fill them in, or train with missing='mean'"
    )

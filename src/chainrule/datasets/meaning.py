"""What the columns of a table mean to a network: numbers, categories, dates, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.common.checks import DataError, as_arguments, counted, shortened
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.columns import DATE_PARTS, MISSING, Column
from chainrule.datasets.contents import Contents
from chainrule.datasets.doubts import numbers_the_rows
from chainrule.datasets.encoding import FEW_NOTES, Table
from chainrule.datasets.vectors import Place, absences, held, text_among_numbers, unusable, usable

MAX_CATEGORIES = 100
MOSTLY = 0.5  # a column with a larger share of missing values is better dropped than filled


@dataclass(frozen=True)
class Beyond:
    """What is known of a whole table, of which some rows are looked at.

    Attributes
    ----------
    m : int
        Its rows to learn from.
    head : int
        How many of the rows that are looked at are its first, none left out between.
    absent : mapping of str to int
        How many values each column lacks.
    counting : collection of str
        Columns that hold 1, 2, ..., m or 0, ..., m - 1 in some order.
    """

    m: int
    head: int
    absent: Mapping[str, int]
    counting: Collection[str]

    __repr__ = summary


def learn_columns(
    table: Table,
    missing: str | None,
    contents: Contents,
    rows: Array,
    keep: Collection[str],
    beyond: Beyond | None = None,
) -> tuple[list[Column], list[DataError], list[str]]:
    """Decide what each column becomes; return that, what is wrong, and notes on text and dates."""
    head = None if beyond is None else beyond.head
    columns: list[Column] = []
    faults: list[DataError] = []
    for name, vector in table.items():
        sure = name in keep or not contents.named
        counts = None if beyond is None else name in beyond.counting
        alone = len(table) == 1
        why = None if sure else numbers_the_rows(name, vector[:head], alone=alone, counts=counts)
        try:
            if why is not None:
                raise DataError(contents.name, f"column {name!r} {why}", drop=[name])
            place = Place(contents.name, name, rows)
            stray = contents.strays.get(name, "")
            of = None if beyond is None else (beyond.absent.get(name, 0), beyond.m)
            columns.append(learn_column(vector, missing, place, stray, keep=name in keep, of=of))
        except DataError as fault:
            faults.append(fault)
    return columns, faults, _becomes(columns)


def _becomes(columns: Sequence[Column]) -> list[str]:
    """Say what text columns and dates become."""
    notes = []
    for column in columns:
        if column.parts:
            notes.append(f"column {column.name!r} holds dates: {', '.join(column.parts)}")
        elif column.two:
            no, yes = column.categories or ()
            notes.append(f"column {column.name!r}: {no} is 0, {yes} is 1")
        elif column.categories is not None and len(column.categories) > 1:
            notes.append(f"column {column.name!r} has {len(column.categories)} categories: one-hot")
    if len(notes) <= FEW_NOTES:
        return notes
    text = [column for column in columns if column.categories is not None]
    counts = shortened([f"{column.name} ({len(column.categories or ())})" for column in text])
    dates = [note for note in notes if "dates" in note]
    return [*dates, f"{len(text)} text columns become 0/1 inputs, by their categories: {counts}"]


def learn_column(
    vector: Array,
    missing: str | None,
    place: Place,
    stray: str = "",
    *,
    keep: bool = False,
    of: tuple[int, int] | None = None,
) -> Column:
    """Decide what a column becomes; a stray cell counts as missing, and is named as the reason.

    Where the vector is some of a longer one, `of` is how many values that lacks, and its length.
    """
    _refuse_useless(vector, place)
    absent = absences(vector)
    present, fills = vector[~absent], missing in ("mean", "category")
    if vector.dtype == object:
        column = _categories(vector, missing, place, keep)
    elif vector.dtype.kind == "M":
        seconds = float(present.astype("datetime64[s]").astype(np.int64).mean()) if fills else None
        varies = [part for part, of in DATE_PARTS.items() if len(np.unique(of(present))) > 1]
        column = Column(place.column, mean=seconds, parts=tuple(varies) or ("elapsed",))
    else:
        column = Column(place.column, mean=float(present.mean()) if fills else None)
    if missing == "category" and absent.any() and column.categories is None:
        column = replace(column, gaps=True)
    if missing is None and absent.any():
        count, m = of or (int(absent.sum()), len(absent))
        mostly = count > MOSTLY * m
        odd = f" ({stray} is no {'date' if column.parts else 'number'})" if stray else ""
        raise DataError(
            place.source,
            f"column {column.name!r} has {counted(count, 'missing value')}, in "
            f"{place.first(absent)} first{odd}"
            + (f", which is most ({as_arguments(missing='category')} keeps it)" if mostly else ""),
            **({"drop": [column.name]} if mostly else {"missing": "mean"}),
        )
    return column


def _refuse_useless(vector: Array, place: Place) -> None:
    """Raise DataError, with what mends it, if a column has no values or some that are unusable."""
    name, what = place.column, f"column {place.column!r}"
    if absences(vector).all():
        raise DataError(place.source, f"{what} has no value at all", drop=[name])
    if (values := held(vector)) is not None:
        raise DataError(place.source, f"{what} holds {values}, no numbers or text", drop=[name])
    if (wrong := unusable(vector)).any():
        first = vector[wrong][0]
        raise DataError(
            place.source,
            f"{what} has {place.value(vector, wrong)}, and only {usable(first)} can be used",
            na=[str(first)],
            missing="mean",
        )


def _categories(vector: Array, missing: str | None, place: Place, keep: bool) -> Column:
    """Return what a column of text becomes: of many categories only if it is to be kept."""
    present = [value for value in vector if value is not None]
    gaps = missing == "category" and len(present) < len(vector)
    categories = sorted({*present, *([MISSING] if gaps else [])})
    if len(categories) > MAX_CATEGORIES and not keep:
        odd = text_among_numbers(vector, place)
        more = f": {odd}" if odd else f" ({as_arguments(keep=place.column)} keeps it)"
        raise DataError(
            place.source,
            f"column {place.column!r} is text with {len(categories):,} different values, each an "
            f"input, more than {MAX_CATEGORIES}{more}",
            drop=[place.column],
        )
    two = len(categories) == 2
    share = float(np.mean([value == categories[-1] for value in present])) if two else None
    return Column(place.column, tuple(categories), share, two)

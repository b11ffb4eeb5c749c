"""What is doubtful in a table: numbers of the rows, copies of the target, values that mean missing.

A doubt is said together with the option that settles it.  Only a column that would make the network
useless is refused.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from chainrule.common.checks import as_arguments, shortened
from chainrule.common.types import Array
from chainrule.datasets.vectors import Label, absences, is_number

INDEX_NAMES = ("id", "idx", "index", "row", "rowid", "rownames", "unnamed: 0", "level_0", "rank")
CALLED_ID = re.compile(r"(?:[ _.\-]id|[a-z](?:Id|ID))$")
MANY = 2000  # rows that are looked at before all are
ENOUGH = 10  # fewer rows may be counted, or told apart, by chance
NINES = re.compile(r"-?99+$")


def numbers_the_rows(
    name: str, vector: Array, *, alone: bool = False, counts: bool | None = None
) -> str | None:
    """Say why a column only tells rows apart, if it does: a network would learn it by heart.

    A curve's only input may count, unless it is called an identifier.  `counts` says whether the
    whole column does where these are its first rows.

    Examples
    --------
    >>> numbers_the_rows("Nr", np.arange(1.0, 21.0))
    'numbers the rows'
    >>> numbers_the_rows("user_id", np.arange(20.0) ** 2)
    'looks like an identifier'
    """
    m = len(vector)
    called_so = name.lower() in INDEX_NAMES or CALLED_ID.search(name) is not None
    if vector.dtype == object:
        if not isinstance(vector[0], str | None):
            return None
        present = vector[~absences(vector)]
        differ = len(set(present)) == len(present) > (2 if len(present) == m else ENOUGH)
        if differ and not all(is_number(value) for value in present):
            return "is text that differs in every row, like an identifier"
    elif vector.dtype.kind == "M" or not _whole(vector):
        return None
    elif (
        m > ENOUGH and (called_so or not alone) and (_counts(vector) if counts is None else counts)
    ):
        in_order = bool((np.diff(vector) == 1).all())
        return "numbers the rows" + ("" if in_order else ", in another order")
    differ = called_so and m > 2 and len(set(vector.tolist())) >= 0.9 * m
    return "looks like an identifier" if differ else None


def _counts(vector: Array) -> bool:
    """Tell whether whole numbers are 0 to m - 1, or 1 to m, in any order."""
    if vector.min() not in (0, 1) or np.ptp(vector) != len(vector) - 1:
        return False
    return bool((np.diff(np.sort(vector)) == 1).all())


def _whole(vector: Array) -> bool:
    with np.errstate(invalid="ignore"):
        return bool((vector % 1 == 0).all())


def doubts(
    table: Mapping[str, Array], y: Array, classes: tuple[Label, ...] | None, target: str
) -> list[str]:
    """Return a sentence for each doubt about columns that are used, with the option to type.

    Parameters
    ----------
    table : mapping of str to array of shape (m,)
    y : array of shape (m,) or (m, K)
        Codes of the classes, or numbers.
    classes : sequence or None
    target : str
    """
    return [
        *_constants(table),
        *(_rising(table) if len(table) > 1 else ()),
        *(_copies(table, y, classes, target) if len(table) > 1 and y.ndim == 1 else ()),
        *_stand_ins(table if classes is not None or y.ndim > 1 else {**table, target: y}),
    ]


def _constants(table: Mapping[str, Array]) -> Iterator[str]:
    """Name columns that hold one value."""
    same = []
    for name, vector in table.items():
        present = vector[~absences(vector)]
        if len(present) == len(vector) > 1 and bool((present == present[0]).all()):
            same.append(name)
    if same:
        what = f"column {same[0]!r} is" if len(same) == 1 else f"{len(same)} columns are"
        names = "" if len(same) == 1 else f" ({shortened(same)})"
        yield (
            f"{what} the same in all rows and of no use{names}: {as_arguments(drop=same)} leaves "
            f"{'it' if len(same) == 1 else 'them'} out"
        )


def _rising(table: Mapping[str, Array]) -> Iterator[str]:
    """Name columns of whole numbers that rise from row to row, as a number of the rows does."""
    for name, vector in table.items():
        if vector.dtype.kind in "fiu" and len(vector) > 3 * ENOUGH and _whole(vector):
            steps = np.diff(vector)
            if bool((steps > 0).all()) or bool((steps < 0).all()):
                yield (
                    f"column {name!r} goes in one direction from row to row: if it only numbers "
                    f"the rows, {as_arguments(drop=[name])}"
                )


def _copies(
    table: Mapping[str, Array], y: Array, classes: tuple[Label, ...] | None, target: str
) -> Iterator[str]:
    """Name columns that give the target by themselves.

    Where several numbers do so by thresholds, the classes are simply far apart.
    """
    found: dict[str, bool] = {}  # whether a column has a value for each class
    for name, vector in table.items():
        there = ~absences(vector)
        if there.sum() <= ENOUGH or vector.dtype.kind == "M":
            continue
        x, t = vector[there], y[there]
        gives = _follows if classes is None else _tells_classes
        if gives(x[:MANY], t[:MANY]) and gives(x, t):
            found[name] = classes is None or x.dtype == object or len(np.unique(x)) <= len(classes)
    apart = sum(not code for code in found.values()) > 1
    for name in (name for name, code in found.items() if code or not apart):
        yield (
            f"column {name!r} alone gives {target!r} in all rows: if it would not be known "
            f"before {target!r} is, {as_arguments(drop=[name])}"
        )


def _proportional(x: Array, y: Array) -> bool:
    if x.dtype == object or x.min() == x.max() or y.min() == y.max():
        return False
    with np.errstate(all="ignore"):  # beyond its range it is NaN
        return bool(abs(np.corrcoef(x.astype(np.float64), y)[0, 1]) > 1 - 1e-9)


def _follows(x: Array, y: Array) -> bool:
    """Tell whether numbers are those of the target in another unit, or on another scale as log."""
    if _proportional(x, y):
        return True
    if x.dtype == object or len(np.unique(x)) <= ENOUGH:
        return False
    order = np.lexsort([y, x])
    steps, rises = np.diff(x[order].astype(np.float64)), np.diff(y[order].astype(np.float64))
    return bool(((steps > 0) == (rises != 0)).all() and ((rises >= 0).all() or (rises <= 0).all()))


def _tells_classes(x: Array, codes: Array) -> bool:
    """Tell whether a text, or thresholds of a number, give every class."""
    counts = np.bincount(codes)
    if min(counts[counts > 0]) < ENOUGH // 2 or (counts > 0).sum() < 2:
        return False
    values, places = np.unique(x.astype(str) if x.dtype == object else x, return_inverse=True)
    classes_of = np.unique(np.stack([places, codes]), axis=1)  # pairs that occur
    if classes_of.shape[1] != len(values):  # a value with two classes
        return False
    if x.dtype == object:
        return len(values) <= len(x) / 5
    return bool((np.diff(classes_of[1]) != 0).sum() == (counts > 0).sum() - 1)


def _stand_ins(table: Mapping[str, Array]) -> Iterator[str]:
    """Name numbers far from all others, as -999 is, that may stand for a missing one."""
    numbers = {name: vector for name, vector in table.items() if vector.dtype.kind in "fi"}
    columns = {name: vector[~absences(vector)] for name, vector in numbers.items()}
    found: dict[float, dict[str, int]] = defaultdict(dict)
    for name, values in columns.items():
        for value in (values.min(), values.max()) if len(values) else ():
            if _far_off(value, values):
                found[float(value)][name] = int((values == value).sum())
    lowest: dict[float, list[str]] = defaultdict(list)
    for name, values in columns.items():
        if len(values) and values.min() < 0:
            lowest[float(values.min())].append(name)
    for value, places in found.items():
        for name in lowest[value]:
            if (columns[name] > value).sum() > 2:
                places[name] = int((columns[name] == value).sum())
        named = ", ".join(f"{name!r} ({count:,})" for name, count in places.items())
        settled = as_arguments(na=f"{value:g}", missing="mean")
        yield (
            f"{value:g} is far from all other values of {named}: if it means that there is none, "
            f"{settled}"
        )


def _far_off(value: float, values: Array) -> bool:
    rest = values[values != value]
    count = len(values) - len(rest)
    if value % 1 or len(np.unique(rest[:1000])) < 3:
        return False
    spread = np.ptp(rest)
    nines = NINES.match(f"{value:g}") is not None
    if value > rest.max():
        return nines and count > 1 and value - rest.max() > spread
    positive = rest.min() >= 0
    if positive and nines and (value <= -99 or (value < 0 and count > 1)):
        return True
    gap = float(rest.min() - value)
    return value <= -9 and (count > 1 or nines) and gap > float(spread) / (1 + positive)

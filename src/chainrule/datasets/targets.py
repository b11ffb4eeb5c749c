"""The target of a table: which column it is, and whether it holds classes or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from chainrule.common.checks import DataError, as_arguments, counted, shortened
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.contents import Contents
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.names import columns_named, no_such
from chainrule.datasets.vectors import (
    Label,
    Place,
    absences,
    as_labels,
    held,
    is_number,
    refuse_unusable,
    text_among_numbers,
)

Kind = Literal["classes", "numbers"]

TARGET_NAMES = ("target", "label", "class", "y")
MAX_CLASSES = 100
FEW = 10  # a target with at most this many different whole numbers holds classes
FEWER = 4  # or with this many, if they are far apart


@dataclass(frozen=True, eq=False)
class Target:
    """The target of a table as it stands there.

    Attributes
    ----------
    names : tuple of str
        Of its columns.
    y : ndarray of shape (m,) or (m, K)
    why : str
        Why it was chosen, where nobody named it.
    """

    names: tuple[str, ...]
    y: Array
    why: str = ""

    __repr__ = summary

    @property
    def name(self) -> str:
        """What it is called."""
        return ", ".join(self.names)

    @property
    def absent(self) -> Array:
        """Of shape (m,): where it, or a part of it, is missing."""
        absent = absences(self.y.ravel()).reshape(len(self.y), -1)
        return np.asarray(absent.any(axis=1))


def inputs_and_target(contents: Contents, wanted: Sequence[str]) -> tuple[dict[str, Array], Target]:
    """Tell the inputs from the target, which has one column or several."""
    table = dict(contents.table)
    if contents.target is not None:
        if contents.y is None:
            name = contents.target
            if not wanted and contents.others:
                what = f"no array is called y or labels; there is {shortened(contents.others)}"
                raise DataError(contents.name, what, target=contents.others[0])
            raise no_such(f"target {name!r}", name, contents.others, contents.name)
        if len(wanted) > 1:
            raise DataError(
                f"{contents.name}: {shortened(wanted)} are several targets, and here one array "
                "holds the target: name that"
            )
        return table, Target((contents.target,), contents.y)
    names = list(table)
    if not wanted:
        by_name = {column.lower(): column for column in reversed(names)}
        known = [by_name[word] for word in TARGET_NAMES if word in by_name]
        name = known[0] if known else names[-1]
        why = " (by its name)" if known else " (the last column)"
        return table, Target((name,), table.pop(name), why)
    chosen = columns_named(wanted, names, "target column {!r}", contents.name)
    vectors = [table.pop(name) for name in chosen]
    if len(vectors) == 1:
        return table, Target(chosen, vectors[0])
    for name, vector in zip(chosen, vectors, strict=True):
        if vector.dtype.kind in "OM":
            what = "a date" if vector.dtype.kind == "M" else held(vector) or "text"
            raise DataError(
                f"{contents.name}: target {name!r} is {what}, and several targets must be "
                "numbers: train a network for each"
            )
    return table, Target(chosen, np.column_stack(vectors))


def understand_target(
    target: Target,
    kind: Kind | None,
    contents: Contents,
    rows: Array,
    *,
    pictures: bool = False,
    m: int | None = None,
) -> tuple[Array, tuple[Label, ...] | None, str]:
    """Decide between classes and numbers; return Y, the classes, and the decision in words.

    Whole numbers that belong to pictures say what is to be seen there.  m is the number of rows of
    the whole table, where these are some of it.
    """
    y, place = target.y, Place(contents.name, target.name, rows, "target")
    if y.dtype.kind == "M":
        raise DataError(f"{place} is a date: {another(contents, target.names)}")
    if (nested := held(y)) is not None:
        remedy = another(contents, target.names)
        raise DataError(f"{place} holds {nested}, no numbers or text: {remedy}")
    if y.ndim == 2:
        return _understand_several(target, kind, place)
    if y.dtype != object or kind == "numbers":
        y = numbers(y, place)
    text = y.dtype == object
    values = sorted(set(y)) if text else np.unique(y).tolist()
    some, K = m is not None, len(values)
    m = len(y) if m is None else m
    if m == 1:
        raise DataError(f"{contents.name}: 1 row has a target, and it takes more to learn from")
    if K == 1:
        raise DataError(
            f"{place} is {values[0]!r} in all rows: there is nothing to tell apart: "
            f"{another(contents, target.names)}"
        )
    whole = not text and all(value == int(value) for value in values)
    many = some and K > MAX_CLASSES
    how = f"{m:,} {'texts' if text else 'numbers'}, {'many' if many else f'{K:,}'} distinct"
    codes = whole and (min(MAX_CLASSES, m / 2) >= K if pictures else _are_codes(values, m))
    if kind == "numbers" or (kind is None and not (text or codes)):
        other = kind is None and _may_be_classes(K, m, whole)
        return y, None, f"{how}: regression" + _or(other, kind="classes")
    labels = _classes(y, values, m, place, another(contents, target.names))
    if contents.classes is not None and set(labels) <= set(contents.classes):
        labels = contents.classes
    Y = Encoder((), target.name, labels).codes(y, contents.name, rows)
    other = kind is None and not text
    return Y, labels, f"{how}: classes {shortened(labels, 12)}" + _or(other, kind="numbers")


def another(contents: Contents, but: Sequence[str]) -> str:
    """Say how another target is named."""
    columns = contents.others if contents.target is not None else list(contents.table)
    names = [name for name in columns if name not in but]
    return "name another column" + (f", as {as_arguments(target=names[-1])}" if names else "")


def _may_be_classes(K: int, m: int, whole: bool) -> bool:
    """Tell whether K different numbers in m rows may be classes, for somebody who says so."""
    return K <= MAX_CLASSES and (m >= 2 * K or (whole and K <= FEW))


def _classes(
    y: Array, values: Sequence[Any], m: int, place: Place, remedy: str
) -> tuple[Label, ...]:
    """Return the labels of the classes that the different values are, if these are not too many."""
    text, K = y.dtype == object, len(values)
    target = f"target {place.column!r}"
    if not text and not _may_be_classes(K, m, bool((y % 1 == 0).all())):
        many = f"{target} has {K:,} different numbers in {counted(m, 'row')}, too many for classes"
        raise DataError(place.source, many, kind="numbers")
    if text and (K > MAX_CLASSES or K == m > 2):
        most = f"more than {MAX_CLASSES}" if K > MAX_CLASSES else "each of them once"
        many = f"{place} has {K:,} classes in {counted(m, 'row')}, {most}"
        raise DataError(f"{many}: {text_among_numbers(y, place) or remedy}")
    return tuple(as_labels(np.array(values, dtype=object if text else np.float64)))


def _or(other: bool, **options: str) -> str:
    """Say how the other way is chosen, where there is one."""
    return f" ({as_arguments(**options)} for {options['kind']})" if other else ""


def _are_codes(values: Sequence[float], m: int) -> bool:
    """Tell whether the whole numbers of a target, in order, are codes of classes, not amounts."""
    K = len(values)
    close = values[-1] - values[0] < 3 * K
    return m >= 2 * K and (K <= FEWER or (K <= FEW and close))


def _understand_several(
    target: Target, kind: Kind | None, place: Place
) -> tuple[Array, tuple[Label, ...] | None, str]:
    """Tell classes that are written one-hot from several numbers for each row."""
    y = numbers(target.y, place)
    K = y.shape[1]
    if kind != "numbers" and is_one_hot(y):
        classes: tuple[Label, ...] = target.names if len(target.names) == K else tuple(range(K))
        what = f"{K} columns, one-hot: classes {shortened(classes, 12)}"
        return y.argmax(axis=1), classes, what + _or(kind is None, kind="numbers")
    if kind == "classes":
        odd = np.asarray((y.sum(axis=1) != 1) | ((y != 0) & (y != 1)).any(axis=1))
        raise DataError(
            f"{place} is not one-hot in {place.first(odd)}: several columns are classes where one "
            "is 1 and the others are 0"
        )
    return y, None, f"{K} numbers each: regression"


def is_one_hot(y: Array) -> bool:
    """Tell whether each row has a single 1 among zeros."""
    return y.shape[1] > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def numbers(y: Array, place: Place) -> Array:
    """Return a target of numbers, or of several columns of them, in float64; all are finite."""
    columns = y.reshape(len(y), -1).T
    for column in columns if y.dtype.kind in "OM" else ():
        if (wrong := np.array([not is_number(value) for value in column])).any():
            raise DataError(f"{place} has {place.value(column, wrong)}: not a number")
    y = y.astype(np.float64)
    for column in y.reshape(len(y), -1).T:
        refuse_unusable(column, place)
    return y

"""Columns of a table of any kind as inputs, with nothing asked and nothing refused.

Numbers are squashed and cut into pieces, so that a network can bend at each edge; missing ones have
an input of their own.  Text becomes its frequent categories: rare ones are as new ones will be, all
zeros.  What tells nothing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Self

import numpy as np

from chainrule.common.checks import counted, shortened
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.columns import DATE_PARTS, MISSING, Column, squashed
from chainrule.datasets.doubts import numbers_the_rows
from chainrule.datasets.vectors import LARGEST, Place, absences, held, refuse_unusable

PIECES = 12
MOST_CATEGORIES = 40
NAME = "the table"  # what errors call it
QUARTILES = np.array([0.25, 0.5, 0.75])
FREQUENT = 1.5  # rows that a category has more of: one is not enough


def learn_pieces(
    table: Mapping[str, Array],
    weights: Array | None = None,
    pieces: int = PIECES,
    *,
    named: bool = True,
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Decide what each column becomes.

    Parameters
    ----------
    table : mapping of str to array of shape (m,)
        See `chainrule.datasets.vectors`.
    weights : array of shape (m,), optional
        The weight of each row; 2 is the row twice.
    pieces : int, default=12
        Into how many a column of numbers is cut, each with as many rows.
    named : bool, default=True
        Whether somebody named the columns; then one that numbers the rows is left out.

    Returns
    -------
    columns : tuple of Column
    left_out : dict of str to str
        Why each of the other columns tells nothing.

    Raises
    ------
    DataError
        If a number cannot be used.

    Examples
    --------
    >>> table = {"age": np.array([31.0, 44.0, 58.0]), "id": np.array([7.0, 7.0, 7.0])}
    >>> (age,), left_out = learn_pieces(table, pieces=2)
    >>> age.inputs, left_out
    (('age', 'age>31', 'age>44'), {'id': 'has one value'})
    """
    columns: list[Column] = []
    left_out: dict[str, str] = {}
    seen: dict[bytes, str] = {}
    m = len(next(iter(table.values()), ()))
    w = np.ones(m) if weights is None else weights
    for name, all_values in table.items():
        if (values_are := held(all_values)) is not None:
            left_out[name] = f"holds {values_are}, no numbers or text"
            continue
        refuse_unusable(all_values, Place(NAME, name, np.arange(1, m + 1)))
        vector = all_values[w > 0]
        if named and vector.dtype != object:
            why = numbers_the_rows(name, vector, alone=len(table) == 1)
            if why is not None:
                left_out[name] = why
                continue
        absent = absences(vector)
        same = repr(vector.tolist()).encode() if vector.dtype == object else vector.tobytes()
        same = blake2b(same).digest()
        if absent.all():
            left_out[name] = "has no value"
            continue
        if (twin := seen.setdefault(same, name)) != name:
            left_out[name] = f"is the same as {twin!r}"
            continue
        text = vector.dtype == object
        values = np.where(absent, MISSING, vector) if text else vector[~absent]
        gaps = bool(absent.any()) and not text
        if values.dtype.kind in "iu":
            values = values.astype(np.float64)
        if len(np.unique(values)) == 1 and not gaps:
            left_out[name] = "has one value"
            continue
        column = _learnt(name, values, w[w > 0] if text else w[w > 0][~absent], pieces)
        if column.inputs:
            columns.append(replace(column, gaps=gaps))
        else:
            left_out[name] = "has another text in each row"
    return tuple(columns), left_out


def _learnt(name: str, present: Array, w: Array, pieces: int) -> Column:
    """Return what the values that are there become; those of numbers and dates may be one."""
    if present.dtype == object:
        texts, place = np.unique(present, return_inverse=True)
        rows = np.bincount(place, w)
        frequent = np.sort(np.argsort(-rows, kind="stable")[:MOST_CATEGORIES])
        known = tuple(str(texts[k]) for k in frequent if rows[k] > FREQUENT)
        if len(known) == len(texts) == 2:
            return Column(name, known, float(rows[1] / rows.sum()), two=True)
        return Column(name, known)
    if present.dtype.kind == "M":
        times = present.astype("datetime64[s]").astype(np.int64)
        seconds = float(np.average(times, weights=w))
        varies = [part for part, of in DATE_PARTS.items() if len(np.unique(of(present))) > 1]
        return Column(name, mean=seconds, parts=tuple(varies) or ("elapsed",))
    numbers = present.astype(np.float64)
    low, centre, high = _quantiles(numbers, w, QUARTILES).tolist()
    least, most = float(numbers.min()), float(numbers.max())
    if least == most:  # and there are gaps, which tell
        return Column(name, mean=centre, squash=(centre, 1.0))
    squash = (centre, high - low if high > low else (most - least) / 2)
    return Column(name, mean=centre, squash=squash, edges=_edges(numbers, w, pieces))


def _edges(numbers: Array, w: Array, pieces: int) -> tuple[float, ...]:
    """Return the borders between pieces with as many rows each; () of two values alone."""
    distinct = np.unique(numbers)
    if len(distinct) == 2:
        return ()
    if len(distinct) <= pieces:
        return tuple(distinct.tolist())
    shares = np.linspace(0, 1, pieces + 1)
    edges = np.unique(_quantiles(numbers, w, shares))
    if len(edges) < 3:  # nearly all have one value
        edges = np.unique(_quantiles(distinct, np.ones(len(distinct)), shares))
    return tuple(edges.tolist())


def _quantiles(numbers: Array, w: Array, shares: Array) -> Array:
    """Return numbers that are there, so that a row of weight 2 is the row twice."""
    return np.asarray(np.quantile(numbers, shares, weights=w, method="inverted_cdf"))


@dataclass(frozen=True, eq=False)
class Numbers:
    """Columns of numbers that become inputs all at once, to the bits of `Encoder.encode`.

    Attributes
    ----------
    of : ndarray of shape (n,) of int
        The columns' places in the table.
    squash : ndarray of shape (2, n)
        The centre and the spread of each; the centre is the median that fills.
    places : ndarray of shape (n,) of int
        The input that each squashed number becomes.
    pieces : ndarray of shape (p,) of int
        The column of each piece, among the n.
    ends : ndarray of shape (2, p)
        Where it begins, and its width.
    piece_places : ndarray of shape (p,) of int
        The input that it becomes.
    gaps, gap_places : ndarray of int
        The columns, among the n, whose gaps are told, and by which input.
    """

    of: Array
    squash: Array
    places: Array
    pieces: Array
    ends: Array
    piece_places: Array
    gaps: Array
    gap_places: Array

    __repr__ = summary

    @classmethod
    def among(cls, columns: Sequence[Column], names: Sequence[str]) -> Self | None:
        """Return what columns become, of a table with these names; None if not all are numbers.

        Examples
        --------
        >>> age = Column("age", mean=40.0, squash=(40.0, 10.0), edges=(20.0, 40.0, 60.0))
        >>> numbers = Numbers.among([age], ["height", "age"])
        >>> numbers.encode(np.array([[180.0, 50.0]])).round(3)
        array([[0.949, 1.   , 0.5  ]])
        """
        if any(column.squash is None for column in columns):
            return None
        starts = np.cumsum([0, *(len(column.inputs) for column in columns)])
        pieces = [(j, k) for j, c in enumerate(columns) for k in range(len(c.edges) - 1)]
        gaps = [j for j, column in enumerate(columns) if column.gaps]
        edges = [(columns[j].edges[k], columns[j].edges[k + 1]) for j, k in pieces]
        low, high = np.array(edges, dtype=float).reshape(-1, 2).T
        return cls(
            np.array([list(names).index(column.name) for column in columns]),
            np.array([column.squash for column in columns], dtype=float).T,
            starts[:-1],
            np.array([j for j, _ in pieces], dtype=int),
            np.array([low, high - low]),
            np.array([starts[j] + 1 + k for j, k in pieces], dtype=int),
            np.array(gaps, dtype=int),
            np.array([starts[j + 1] - 1 for j in gaps], dtype=int),
        )

    def encode(self, X: Array) -> Array | None:
        """Return the inputs of a table of numbers; None if one of these cannot be used."""
        numbers = X[:, self.of].astype(np.float64, copy=False)
        absent = None
        if not np.abs(numbers).max() <= LARGEST:  # NaN, too
            absent = np.isnan(numbers)
            numbers = np.where(absent, self.squash[0], numbers)
            if np.abs(numbers).max() > LARGEST:
                return None
        width = len(self.of) + len(self.pieces) + len(self.gaps)
        inputs = np.empty((len(X), width))
        inputs[:, self.places] = squashed(numbers, *self.squash)
        low, wide = self.ends
        part = (numbers[:, self.pieces] - low) / wide
        inputs[:, self.piece_places] = np.minimum(np.maximum(part, 0), 1)  # np.clip takes longer
        inputs[:, self.gap_places] = 0 if absent is None else absent[:, self.gaps]
        return inputs


def notes(columns: tuple[Column, ...], left_out: Mapping[str, str]) -> list[str]:
    """Say what was decided, a sentence for each kind of column.

    Examples
    --------
    >>> age = Column("age", squash=(40.0, 9.0), edges=(20.0, 40.0, 60.0))
    >>> notes((age,), {"id": "has one value"})
    ['1 column of numbers, in up to 2 pieces: age', "left out: 'id' has one value"]
    """
    found = []
    for what, some in (
        ("numbers", [c for c in columns if c.squash is not None]),
        ("text", [c for c in columns if c.categories is not None]),
        ("dates", [c for c in columns if c.parts]),
    ):
        if not some:
            continue
        names = [c.name for c in some]
        how = ""
        if what == "numbers":
            how = f", in up to {max(max(len(c.edges) for c in some) - 1, 1)} pieces"
        if what == "text":
            names = [f"{c.name} ({len(c.categories or ())})" for c in some]
            how = ", by their frequent categories"
        found.append(f"{counted(len(some), 'column')} of {what}{how}: {shortened(names)}")
    gaps = [c.name for c in columns if c.gaps or MISSING in (c.categories or ())]
    if gaps:
        found.append(f"missing values are told by an input: {shortened(gaps)}")
    found += [f"left out: {name!r} {why}" for name, why in left_out.items()]
    return found

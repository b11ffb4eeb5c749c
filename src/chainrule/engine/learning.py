"""What the columns of a table that does not fit memory mean, from one pass over it.

The rules are those of `chainrule.datasets`: they are asked about the first block of rows and, of
the later ones, about each row in which a column has something that no row before had: a missing
value, a new category, a new smallest or largest number.  What must be counted is added up over all
rows, in the blocks' tree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.common.checks import DataError
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets import cells
from chainrule.datasets.cells import ReadColumn
from chainrule.datasets.columns import DATE_PARTS, Column
from chainrule.datasets.contents import Contents
from chainrule.datasets.dataset import Dataset, LeftOut, as_learnt
from chainrule.datasets.encoding import Encoder, Reading, fewer
from chainrule.datasets.meaning import Beyond
from chainrule.datasets.scanning import Scan, Told
from chainrule.datasets.tables import Asked, Part, like
from chainrule.datasets.vectors import absences, unusable
from chainrule.engine.sums import Tree

MOST_VALUES = 1000  # different texts of a column; more are no categories, unless somebody says so
MOST_KEPT = 100_000
MOST_CELLS = 1000  # different cells of a column that count as missing, of which notes tell
AGAIN = 5  # times that a table is read because later rows show that a column was misread


@dataclass(frozen=True)
class Found:
    """What one pass over a table has found.

    Attributes
    ----------
    encoder : Encoder
    notes : list of str
    m : int
        How many rows there are to learn from.
    """

    encoder: Encoder
    notes: list[str]
    m: int

    __repr__ = summary


def learn(scan: Scan, asked: Asked, reading: Reading, told: Told = lambda share: None) -> Found:
    r"""Decide what the columns of a table mean, as `chainrule.datasets.load` does.

    Parameters
    ----------
    scan : Scan
    asked : Asked
    reading : Reading
        What the user says of how to read it.
    told : callable, optional
        Told which share of the table is read.

    Raises
    ------
    DataError
        As `chainrule.datasets.load` does.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from chainrule.datasets import scanning
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "t.csv")
    ...     _ = path.write_text("a,b\n1,x\n2,y\n3,y\n4,x\n")
    ...     found = learn(scanning.opened(path), Asked.of(), Reading())
    >>> found.encoder.feature_names, found.encoder.classes, found.m
    (('a',), ('x', 'y'), 4)
    """
    for _ in range(AGAIN):
        digest = Digest(asked)
        for contents in scan.blocks(reading, asked.array, told):
            digest.add(contents)
        misread = digest.misread()
        if not misread:
            return digest.found()
        forms = dict(digest.first.reading.forms)
        for name, block in misread.items():  # what the block that shows it would say by itself
            by_itself = scan.alone(block, reading).reading.forms.get(name, cells.TEXT)
            forms[name] = cells.TEXT if by_itself == forms[name] else by_itself
        reading = replace(reading, forms=forms)
    raise DataError(
        f"{scan.name}: later rows show columns otherwise than the rows before, as "
        f"{next(iter(misread))!r}: correct it, or leave it out"
    )


class Digest:
    """The rows of a table in which something is new, and what is counted in all of them.

    Parameters
    ----------
    asked : Asked
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.blocks = self.seen = self.m = self.head = 0
        self.parts: list[Part] = []
        self.read: dict[str, ReadColumn] = {}
        self.odd: dict[str, int] = {}  # the first block in which a column is not what it was
        self.left_out = LeftOut()
        self.news: dict[str, News] = {}
        self.tree = Tree()

    def add(self, contents: Contents) -> None:
        """Take in the next block of rows."""
        if not self.blocks:
            self.first = contents
        part = self.asked.part(contents, self.seen)
        self.left_out += part.left_out
        self._merge(contents.read)
        if not self.blocks:
            self.empty = part
        rows = np.zeros(len(part.rows), dtype=bool)
        sums = []
        for name, vector in part.table.items():
            news = self.news.setdefault(name, News(MOST_KEPT if self.asked.keep else MOST_VALUES))
            rows |= news.add(vector)
            sums.append(news.sums(vector))
        target = self.news.setdefault("", News(MOST_VALUES, numbers=True))
        rows |= target.of_targets(part.found.y)
        if not self.parts and len(part.rows):
            self.head, rows = len(part.rows), np.ones(len(part.rows), dtype=bool)
        if rows.any():
            self.parts.append(
                replace(
                    part,
                    table={name: vector[rows] for name, vector in part.table.items()},
                    found=replace(part.found, y=part.found.y[rows]),
                    rows=part.rows[rows],
                )
            )
        self.tree.add(self.blocks, (np.array(sums, dtype=np.float64),))
        self.m += len(part.rows)
        self.seen += len(next(iter(contents.table.values())))
        self.blocks += 1

    def _merge(self, read: Any) -> None:
        """Add up what was found in the cells of each column, with the rows' numbers."""
        for name, column in read.items():
            before = self.read.get(name)
            if before is None:
                self.read[name] = replace(column, values=column.values[:0])
                continue
            known = {cell: (n, row) for cell, n, row in before.absent}
            for cell, n, row in column.absent:
                if cell in known or len(known) < MOST_CELLS:
                    count, first = known.get(cell, (0, row))
                    known[cell] = count + n, first
            before.absent = [(cell, n, row) for cell, (n, row) in known.items()]
            before.fit += column.fit
            before.strays += column.strays
            before.stray = before.stray or column.stray
            if cells.too_many(column.fit, column.strays):
                self.odd.setdefault(name, self.blocks)

    def misread(self) -> dict[str, int]:
        """Return the columns that the first block has misread, each with a block that shows it."""
        return {
            name: block
            for name, block in self.odd.items()
            if cells.too_many(self.read[name].fit, self.read[name].strays)
        }

    def found(self) -> Found:
        """Ask the rules about the rows that were kept."""
        if not self.m:
            lacking = replace(self.empty, left_out=self.left_out)
            raise self.asked.no_rows(self.first, lacking)
        first = self.parts[0]
        part = Part(
            {
                name: np.concatenate([part.table[name] for part in self.parts])
                for name in first.table
            },
            replace(first.found, y=np.concatenate([part.found.y for part in self.parts])),
            np.concatenate([part.rows for part in self.parts]),
            first.dropped,
            self.left_out,
        )
        contents, beyond = self.first, None
        if self.blocks > 1:
            names = list(first.table)
            absent = {name: self.news[name].absent for name in names}
            counting = {name for name in names if self.news[name].counts_to(self.m)}
            beyond = Beyond(self.m, self.head, absent, counting)
            contents = replace(contents, notes=self._notes(), read=self.read)
        learnt = self.asked.learn(contents, part, beyond)
        encoder, notes = learnt.encoder, learnt.notes
        if beyond is not None:
            (sums,) = self.tree.total()
            filling = self.asked.missing in ("mean", "category")
            of = dict(zip(first.table, sums, strict=True))
            columns = tuple(
                _filled(column, of[column.name], self.news[column.name])
                if column.two or (filling and column.categories is None)
                else column
                for column in encoder.columns
            )
            encoder = replace(encoder, columns=columns)
            notes = self._filled_notes(notes, encoder, absent)
        return Found(encoder, notes, self.m)

    def _notes(self) -> tuple[str, ...]:
        """Return what was read as what: in the first block, but for cells taken as missing."""
        own = {name: replace(column, absent=[]) for name, column in self.read.items()}
        told = cells.notes(own)
        before = set(cells.notes(self.first.read))
        others = [note for note in self.first.notes if note not in before]
        rows = f" (of the first {self.head:,} rows)"
        gone = {name: replace(column, notes=[]) for name, column in self.read.items()}
        return (*others, *(note + rows for note in told), *cells.notes(gone))

    def _filled_notes(self, notes: list[str], encoder: Encoder, absent: Any) -> list[str]:
        """Count what is filled over all rows in place of those that were looked at."""
        said = [
            column.filled(absent[column.name])
            for column in encoder.columns
            if absent[column.name] and (column.mean is not None or column.categories is not None)
        ]
        if encoder.missing == "category":
            said = [note for note in said if "filled with" in note]
        names = {f"column {column.name!r}" for column in encoder.columns}
        kept = [
            note
            for note in notes
            if not (note.partition(": ")[0] in names and " missing value" in note)
            and not note.startswith("missing values of ")
        ]
        return [*kept, *fewer(said)]


def _filled(column: Column, sums: Array, news: News) -> Column:
    """Return a column with the mean over all rows: of numbers, of dates, or of two categories."""
    total, count = sums
    if column.two:
        total = news.values[(column.categories or ())[-1]]
    return replace(column, mean=float(total / count)) if count else column


@dataclass
class News:
    """What a column has shown so far, and in which rows it shows something new.

    Attributes
    ----------
    most : int
        How many different texts are told apart.
    numbers : bool
        Whether different numbers are told apart, too.
    absent : int
        How many values are missing.
    values : dict
        How often each text, or number, has come.
    """

    most: int
    numbers: bool = False
    absent: int = 0
    values: dict[Any, int] = field(default_factory=dict)
    ends: dict[str, tuple[float, float]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    whole: bool = True
    hashes: tuple[int, int] = (0, 0)
    rising: int = 0  # 1 and -1 for a direction that all rows have kept to, 2 for none
    last: float | None = None

    __repr__ = summary

    def add(self, vector: Array) -> Array:
        """Take in the next values; return an array of bool: which are new."""
        rows = np.zeros(len(vector), dtype=bool)
        if not len(vector):
            return rows
        absent = absences(vector)
        if absent.any():
            self.absent += int(absent.sum())
            self._mark(rows, absent, "missing")
        if vector.dtype == object:
            self._texts(vector, rows)
        elif vector.dtype.kind == "M":
            for part, of in DATE_PARTS.items():
                values = of(vector[~absent]).astype(np.float64)
                self._ends(values, np.flatnonzero(~absent), part, rows)
        else:
            self._numbers(vector, absent, rows)
        return rows

    def of_targets(self, y: Array) -> Array:
        """Take in the next targets, of one column or several; return which are new."""
        if y.ndim == 1:
            return self.add(y)
        rows = np.zeros(len(y), dtype=bool)
        if len(y) and y.dtype.kind in "fiub":
            odd = np.asarray((y.sum(axis=1) != 1) | ((y != 0) & (y != 1)).any(axis=1))
            self._mark(rows, odd, "not one-hot")
            self._mark(rows, unusable(y).any(axis=1), "infinite")
            self._distinct(y.argmax(axis=1), rows)
        return rows

    def sums(self, vector: Array) -> tuple[float, int]:
        """Return the sum of a column's values, and how many there are."""
        absent = absences(vector)
        if vector.dtype == object:
            return 0.0, int((~absent).sum())
        present = vector[~absent]
        if vector.dtype.kind == "M":
            present = present.astype("datetime64[s]").astype(np.int64)
        with np.errstate(over="ignore", invalid="ignore"):
            return float(present.sum()), len(present)

    def counts_to(self, m: int) -> bool:
        """Tell whether the column's m numbers are, in some order, 0 to m - 1 or 1 to m.

        Their sum and that of their squares are those of such numbers, modulo 2^64.
        """
        low, high = self.ends.get("", (np.nan, np.nan))
        if not self.whole or self.absent or low not in (0, 1) or high - low != m - 1:
            return False
        a, b = int(low), int(high)
        total = (a + b) * m // 2
        squares = b * (b + 1) * (2 * b + 1) // 6
        return self.hashes == (total % 2**64, squares % 2**64)

    def _mark(self, rows: Array, mask: Any, what: str) -> None:
        """Mark the first row of a mask, unless an earlier block had one."""
        if what not in self.told and mask.any():
            self.told.add(what)
            rows[int(np.argmax(mask))] = True

    def _texts(self, vector: Array, rows: Array) -> None:
        if len(self.values) > self.most:
            return
        seen = self.values
        for i, value in enumerate(vector):
            if value is None:
                continue
            if value in seen:
                seen[value] += 1
            elif len(seen) <= self.most:
                seen[value] = 1
                rows[i] = True

    def _numbers(self, vector: Array, absent: Array, rows: Array) -> None:
        infinite = unusable(vector)
        self._mark(rows, infinite, "infinite")
        places = np.flatnonzero(~(absent | infinite))
        present = vector[places].astype(np.float64)
        if not len(present):
            return
        self._ends(present, places, "", rows)
        if self.whole:
            broken = present % 1 != 0
            self.whole = not broken.any()
            if not self.whole:
                rows[places[int(np.argmax(broken))]] = True
            else:
                self._hash(present)
                self._direction(present, places, rows)
        if self.numbers:
            self._distinct(vector[places], rows, places)

    def _ends(self, values: Array, places: Array, part: str, rows: Array) -> None:
        """Mark a value below or above all before."""
        if not len(values):
            return
        low, high = self.ends.get(part, (np.inf, -np.inf))
        if values.min() < low:
            rows[places[int(values.argmin())]] = True
        if values.max() > high:
            rows[places[int(values.argmax())]] = True
        self.ends[part] = min(low, float(values.min())), max(high, float(values.max()))

    def _hash(self, values: Array) -> None:
        if max(-values.min(), values.max()) >= 2**62:
            self.whole = False
            return
        whole = values.astype(np.int64).view(np.uint64)
        total, squares = self.hashes
        self.hashes = (
            (total + int(whole.sum())) % 2**64,
            (squares + int((whole * whole).sum())) % 2**64,
        )

    def _direction(self, values: Array, places: Array, rows: Array) -> None:
        """Mark the rows where numbers that rose, or fell, from row to row do so no more."""
        before = values[0] if self.last is None else self.last
        steps = np.sign(np.diff(values, prepend=before))
        self.last = float(values[-1])
        if self.rising == 2:
            return
        if self.rising == 0 and len(values) > 1:
            self.rising = int(steps[1]) or 2
        turns = np.flatnonzero(steps[int(steps[0] == 0) :] != self.rising)
        if len(turns):
            self.rising = 2
            at = int(turns[0]) + int(steps[0] == 0)
            rows[places[[max(at - 1, 0), at]]] = True

    def _distinct(self, values: Array, rows: Array, places: Array | None = None) -> None:
        if len(self.values) > self.most:
            return
        found, first, counts = np.unique(values, return_index=True, return_counts=True)
        for value, i, n in zip(found.tolist(), first.tolist(), counts.tolist(), strict=True):
            if value not in self.values:
                if len(self.values) > self.most:
                    return
                rows[i if places is None else places[i]] = True
            self.values[value] = self.values.get(value, 0) + n


def encoded(
    scan: Scan, asked: Asked, encoder: Encoder, reading: Reading, told: Told = lambda share: None
) -> Iterator[tuple[Array, Array]]:
    """Yield X and Y of the rows to learn from, in blocks, as `chainrule.datasets.load` has them."""
    seen = 0
    for contents in scan.blocks(reading, asked.array, told):
        part = asked.part(contents, seen)
        if len(part.rows):
            X, _ = encoder.encode(part.table, scan.name, part.rows, part=True)
            yield X, as_learnt(encoder, part.found.y, scan.name, part.rows)
        seen += len(next(iter(contents.table.values())))


def like_training(
    scan: Scan,
    encoder: Encoder,
    reading: Reading,
    drop: str | Collection[str] = (),
    *,
    labelled: bool = True,
    told: Told = lambda share: None,
) -> Iterator[Dataset]:
    """Yield a table in blocks, as `chainrule.datasets.load_like` reads it for a trained model."""
    seen = 0
    for contents in scan.blocks(reading, encoder.target, told):
        yield like(encoder, contents, drop, labelled=labelled, first=seen)
        seen += len(next(iter(contents.table.values())))

"""A table as examples for a network: which rows are used, and those of a later table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from chainrule.common.checks import DataError, counted
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.common.words import printable
from chainrule.datasets.contents import Contents
from chainrule.datasets.encoding import Encoder, Table
from chainrule.datasets.targets import Target, is_one_hot, numbers
from chainrule.datasets.vectors import Label, Place, absences, without


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples ready for a network, and what was learnt about the table that they came from.

    Attributes
    ----------
    X : ndarray of shape (m, n)
        The inputs, not standardised; pixels lie in [0, 1].
    Y : ndarray of shape (m,) or (m, K), or None
        Class codes 0..K-1 (int64), or numbers (float64); None where a table has no target.
    encoder : Encoder
        How the table became X.
    source : str
        What errors call it: the file's name.
    sha256 : str
        Hash of the file's bytes, as ``sha256sum`` prints it; for ``digits``, of the arrays.
    notes : list of str
        What was decided and why, a sentence each.
    held_out : Dataset or None
        The file's own test set (X_test or Xtest).
    """

    X: Array
    Y: Array | None
    encoder: Encoder
    source: str
    sha256: str
    notes: list[str] = field(default_factory=list)
    held_out: Dataset | None = None

    __repr__ = summary

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", [printable(note) for note in self.notes])

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each input."""
        return self.encoder.feature_names

    @property
    def classes(self) -> tuple[Label, ...] | None:
        """The label of each class code, or None for regression."""
        return self.encoder.classes

    @property
    def target(self) -> str | None:
        """The target's name."""
        return self.encoder.target

    @property
    def image_shape(self) -> tuple[int, int] | None:
        """(height, width) where the inputs are pixels: such inputs need no standardising."""
        return self.encoder.image_shape

    def __len__(self) -> int:
        return len(self.X)


def encoded(
    encoder: Encoder,
    contents: Contents,
    table: Table,
    y: Array | None,
    *,
    labelled: bool = True,
    first: int | None = None,
) -> Dataset:
    """Return a dataset of other rows, encoded as those that the encoder learnt from.

    Rows without a target are left out, unless no target is wanted.  With `first`, they are rows of
    a larger table, which begin after so many others.
    """
    table = {name: without(vector, encoder.na) for name, vector in table.items()}
    target = None
    if labelled and y is not None:
        target = Target((str(encoder.target),), without(y, encoder.na))
    if target is not None and first is None and target.absent.all():
        target = None
    used = [column.name for column in encoder.columns if column.name in table]
    gaps = used if encoder.missing == "drop" and labelled else ()
    whole, left_out = whole_rows(table, target, gaps, first or 0)
    table, rows = rows_where(table, whole), np.flatnonzero(whole) + (first or 0) + 1
    X, more = encoder.encode(table, contents.name, rows, part=first is not None)
    Y = None if target is None else as_learnt(encoder, target.y[whole], contents.name, rows)
    notes = [*contents.notes, *left_out.notes(str(encoder.target)), *more]
    return Dataset(X, Y, encoder, contents.name, contents.sha256, notes)


def as_learnt(encoder: Encoder, y: Array, source: str, rows: Array) -> Array:
    """Return a target as the encoder's own became Y: codes of its classes, or numbers."""
    if encoder.classes is None:
        return numbers(y, Place(source, str(encoder.target), rows, "target"))
    if y.ndim == 2 and is_one_hot(y):
        return np.asarray(y.argmax(axis=1))
    return encoder.codes(y, source, rows)


@dataclass
class LeftOut:
    """How many rows are left out, and the number of the first: without a target, or with gaps."""

    untold: int = 0
    first_untold: int = 0
    gaps: int = 0
    first_gap: int = 0

    __repr__ = summary

    def __add__(self, later: LeftOut) -> LeftOut:
        return LeftOut(
            self.untold + later.untold,
            self.first_untold or later.first_untold,
            self.gaps + later.gaps,
            self.first_gap or later.first_gap,
        )

    def notes(self, target: str) -> list[str]:
        """Say so.

        Examples
        --------
        >>> (LeftOut(gaps=1, first_gap=7) + LeftOut(gaps=2, first_gap=9)).notes("y")
        ['3 rows with missing values, data row 7 first: left out']
        """
        notes = []
        if self.untold:
            notes.append(
                f"target {target!r} is missing in {counted(self.untold, 'row')}, data row "
                f"{self.first_untold} first: left out"
            )
        if self.gaps:
            what = f"{counted(self.gaps, 'row')} with missing values, data row {self.first_gap}"
            notes.append(f"{what} first: left out")
        return notes


def whole_rows(
    table: Table, target: Target | None, used: Collection[str], first: int = 0
) -> tuple[Array, LeftOut]:
    """Tell which rows have a target and no missing value in the columns `used`, and which lack.

    Return an array of bool, of shape (m,), and the others; the first row is number first + 1.
    """
    m = len(next(iter(table.values())))
    whole, left_out = np.ones(m, dtype=bool), LeftOut()
    if target is not None and (absent := target.absent).any():
        whole &= ~absent
        left_out.untold = int(absent.sum())
        left_out.first_untold = first + int(np.argmax(absent)) + 1
    gaps = np.zeros(m, dtype=bool)
    for name in used:
        gaps |= absences(table[name])
    gaps &= whole
    if gaps.any():
        left_out.gaps, left_out.first_gap = int(gaps.sum()), first + int(np.argmax(gaps)) + 1
    return whole & ~gaps, left_out


def rows_where(table: Table, whole: Array) -> dict[str, Array]:
    """Return the rows of a table that are whole."""
    return {name: vector[whole] for name, vector in table.items()}


def refuse_strays(names: Collection[str], contents: Contents) -> None:
    """Raise DataError where a later file has a cell that cannot be read as training's were."""
    for name in names:
        if name in contents.strays:
            raise DataError(
                f"{contents.name}: column {name!r} has {contents.strays[name]}, where training had "
                "numbers or dates: correct it"
            )

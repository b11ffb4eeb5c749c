"""What the columns of a table mean: inputs and target, classes and numbers, images."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from chainrule.common.checks import DataError, counted, shortened
from chainrule.common.types import Array
from chainrule.datasets.encoding import (
    Column,
    Encoder,
    Label,
    Table,
    as_labels,
    is_number,
    refuse_infinite,
)
from chainrule.datasets.formats import Contents, square

Kind = Literal["classes", "numbers"]


TARGET_NAMES = ("target", "label", "class", "y")
MAX_CLASSES = 100  # classes of a target, or categories of a text column, at most
FEW_INTEGERS = 30  # a target with at most this many different whole numbers holds classes
EVIDENCE_ROWS = 2000  # rows that are looked at to tell images from tables
FULL_PIXELS = (1.0, 16.0, 255.0, 65535.0)  # values of a full pixel that are in use


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


def inputs_and_target(
    contents: Contents, target: str | None
) -> tuple[dict[str, Array], Array, str, str]:
    """Return the inputs, the target, its name, and why it was chosen if nobody named it."""
    table = dict(contents.table)
    if contents.target is not None:
        if contents.y is None:
            raise no_such(
                f"target {contents.target!r}", contents.target, contents.others, contents.name
            )
        return table, contents.y, contents.target, ""
    names = list(table)
    if target is None:
        by_name = {column.lower(): column for column in reversed(names)}
        known = [by_name[word] for word in TARGET_NAMES if word in by_name]
        target = known[0] if known else names[-1]
        return table, table.pop(target), target, " (by its name)" if known else " (the last column)"
    if target not in table:
        position = int(target) if target.lstrip("-").isdecimal() else 0
        if not 1 <= abs(position) <= len(names):
            raise no_such(f"target column {target!r}", target, names, contents.name)
        target = names[position - 1 if position > 0 else position]
    return table, table.pop(target), target, ""


def no_such(what: str, wanted: str, names: Sequence[str], source: str) -> DataError:
    """Return the error for a name that is not there; it offers the nearest one."""
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), lower, n=1, cutoff=0.5)
    hint = (
        f"did you mean {lower[near[0]]!r}?" if near else f"there is {shortened(names) or 'nothing'}"
    )
    return DataError(f"{source}: there is no {what}: {hint}")


def understand_target(
    y: Array, name: str, kind: Kind | None, contents: Contents
) -> tuple[Array, tuple[Label, ...] | None, str]:
    """Decide between classes and numbers; return Y, the classes, and the decision in words."""
    where = f"{contents.name}: target {name!r}"
    if y.ndim == 2:
        return _numbers(y, where), None, f"{y.shape[1]} numbers each: regression"
    _refuse_missing_target(y, where)
    text = y.dtype == object
    values = sorted(set(y)) if text else np.unique(_numbers(y, where)).tolist()
    m, K = len(y), len(values)
    if K == 1:
        raise DataError(f"{where} is {values[0]!r} in all rows: there is nothing to tell apart")
    whole = not text and all(value == int(value) for value in values)
    few = text or (whole and K <= FEW_INTEGERS and m >= 2 * K)
    how = f"{m:,} {'texts' if text else 'numbers'}, {K:,} distinct"
    if kind == "numbers" or (kind is None and not few):
        if text:
            row = next(row for row, value in enumerate(y) if not is_number(value))
            raise DataError(f"{where} has {y[row]!r} in data row {row + 1}: not a number")
        return _numbers(y, where), None, f"{how}: regression"
    if not (text or whole):
        row = int(np.argmax(y % 1 != 0))
        raise DataError(
            f"{where} has {y[row]} in data row {row + 1}: classes are whole numbers or text"
        )
    if K > MAX_CLASSES or (text and K == m > 2):
        odd = _stray_text(y) if text else None
        raise DataError(
            f"{where} has {K:,} classes in {counted(m, 'row')}, more than can be told apart (at "
            f"most {MAX_CLASSES}): "
            + (odd or ("name another column" if text else "treat it as numbers"))
        )
    labels = tuple(as_labels(np.array(values, dtype=object if text else np.float64)))
    if contents.classes is not None and set(labels) <= set(contents.classes):
        labels = contents.classes
    Y = Encoder((), name, labels).codes(y, contents.name)
    return Y, labels, f"{how}: classes {shortened(labels, 12)}"


def _refuse_missing_target(y: Array, where: str) -> None:
    absent = np.array([value is None for value in y]) if y.dtype == object else np.isnan(y)
    if absent.any():
        raise DataError(
            f"{where} is missing in {counted(absent.sum(), 'row')}, data row "
            f"{int(np.argmax(absent)) + 1} first: remove those rows"
        )


def _numbers(y: Array, where: str) -> Array:
    y = y.astype(np.float64)
    for column in y.T if y.ndim == 2 else [y]:
        _refuse_missing_target(column, where)
        refuse_infinite(column, where)
    return y


def learn_columns(
    table: Table, missing: str | None, contents: Contents
) -> tuple[tuple[Column, ...], list[str]]:
    """Decide what each column becomes; return that, and notes on those that are text."""
    columns, notes = [], []
    for name, vector in table.items():
        if contents.named:
            _refuse_identifier(name, vector, contents.name)
        column = _learn_column(name, vector, missing, contents.name)
        columns.append(column)
        if column.categories is not None:
            K = len(column.categories)
            categories = "category" if K == 1 else "categories"
            notes.append(f"column {name!r} has {K} {categories}: one-hot")
    return tuple(columns), notes


def _learn_column(name: str, vector: Array, missing: str | None, source: str) -> Column:
    where = f"{source}: column {name!r}"
    if vector.dtype != object:
        present = vector[~np.isnan(vector)]
        if not len(present):
            raise DataError(f"{where} has no value at all: drop it")
        return Column(name, mean=float(present.mean()) if missing else None)
    if not isinstance(vector[0], str | None):
        raise DataError(f"{where} holds {vector[0]}: turn it into numbers or text, or drop it")
    categories = sorted({value for value in vector if value is not None})
    if len(categories) > MAX_CLASSES:
        raise DataError(
            f"{where} is text with {len(categories):,} different values, more than "
            f"{MAX_CLASSES}: {_stray_text(vector) or 'drop it'}"
        )
    return Column(name, tuple(categories))


def _refuse_identifier(name: str, vector: Array, source: str) -> None:
    """Raise DataError for a column that only tells rows apart: a network learns it by heart."""
    m = len(vector)
    if m < 3:
        return
    word = name.lower()
    called_so = word in ("id", "index", "row", "unnamed: 0") or word.endswith(("_id", " id"))
    if vector.dtype == object:
        distinct = len(set(vector)) if isinstance(vector[0], str | None) else 0
        if distinct == m:
            raise DataError(
                f"{source}: column {name!r} is text that differs in every row, like an "
                f"identifier: {_stray_text(vector) or 'drop it'}"
            )
    else:
        distinct = len(np.unique(vector))
        counting = m > 10 and bool((np.diff(vector) == 1).all()) and vector[0] in (0, 1)
        if counting:
            raise DataError(f"{source}: column {name!r} numbers the rows: drop it")
    if called_so and distinct >= 0.9 * m:
        raise DataError(f"{source}: column {name!r} looks like an identifier: drop it")


def _stray_text(vector: Array) -> str | None:
    """Say where a text stands among numbers; None where most values are text."""
    numbers = [is_number(value) for value in vector]
    if sum(numbers) * 2 < len(numbers):
        return None
    row = numbers.index(False)
    return f"data row {row + 1} has {vector[row]!r} where most have numbers; correct it or drop it"


def find_image(X: Array, contents: Contents) -> tuple[tuple[int, int] | None, float, list[str]]:
    """Tell whether the inputs are pixels: the image's shape, a full pixel's value, and why.

    In an image, neighbours across and down are alike, and pixels half a row apart are not.  The
    columns of a table, whatever its width, show no such pattern.  In a series, values half a row
    apart are more alike than values a whole row apart.
    """
    shape, why = contents.image_shape, "as the file says"
    if shape is None:
        width = square(X.shape[1])
        if width is None or len(X) < 30:
            return None, 1.0, []
        sample = X[:: -(-len(X) // EVIDENCE_ROWS)].astype(np.float64)
        spread = sample.std(axis=0)
        Z = (sample - sample.mean(axis=0)) / np.where(spread > 0, spread, 1)
        across, down, half = (
            float((Z[:, :-lag] * Z[:, lag:]).mean()) for lag in (1, width, width // 2)
        )
        reach = np.ptp(sample, axis=0)
        alike = bool((reach > 0.5 * np.ptp(sample)).mean() >= 0.25)
        why = (
            f"neighbours correlate by {across:.2f} across and {down:.2f} down, pixels half a row "
            f"apart by {half:.2f}"
        )
        if not (alike and min(across, down) > 0.2 and abs(half) < 0.5 * min(across, down)):
            return None, 1.0, [f"{X.shape[1]} inputs, but no image ({why}): a table"]
        shape = (width, width)
    top = float(X.max())
    # Bicubic enlarging overshoots: in the course's file a full pixel is 1, the largest value 1.13
    divisor = next((full for full in FULL_PIXELS if top <= 1.5 * full or full == 65535), 1.0)
    scaled = f", divided by {divisor:g}" if divisor != 1 else ""
    return shape, divisor, [f"inputs are images of {shape[0]}x{shape[1]} pixels ({why}){scaled}"]


def encoded(encoder: Encoder, contents: Contents, table: Table, y: Array | None) -> Dataset:
    """Return a dataset of other rows, encoded as those that the encoder learnt from."""
    X, notes = encoder.encode(table, contents.name)
    Y = None
    empty = y is not None and y.dtype.kind in "fO" and all(v is None or v != v for v in y.flat)
    if y is not None and not empty:
        where = f"{contents.name}: target {encoder.target!r}"
        if encoder.classes is not None:
            _refuse_missing_target(y, where)
            Y = encoder.codes(y, contents.name)
        elif y.dtype == object:
            row = next(row for row, value in enumerate(y) if not is_number(value))
            raise DataError(
                f"{where} has {y[row]!r} in data row {row + 1}, where training had numbers"
            )
        else:
            Y = _numbers(y, where)
    return Dataset(X, Y, encoder, contents.name, contents.sha256, [*contents.notes, *notes])

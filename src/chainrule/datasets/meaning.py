"""What the columns of a table mean: inputs and target, classes and numbers, images."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from chainrule.common.checks import DataError, as_arguments, counted, shortened
from chainrule.common.types import Array
from chainrule.common.words import printable
from chainrule.datasets.arrays import square
from chainrule.datasets.contents import Contents
from chainrule.datasets.doubts import numbers_the_rows
from chainrule.datasets.encoding import (
    DATE_PARTS,
    MISSING,
    Column,
    Encoder,
    Label,
    Place,
    Table,
    absences,
    as_labels,
    is_number,
)

Kind = Literal["classes", "numbers"]


TARGET_NAMES = ("target", "label", "class", "y")
MAX_CLASSES = 100  # classes of a target, or categories of a text column, at most
FEW_INTEGERS = 30  # a target with at most this many different whole numbers holds classes
CONSECUTIVE = 10  # unless more than this many of them are consecutive: then they are an amount
FEW_NOTES = 10  # where columns of text are more, one line tells of them all
MOSTLY = 0.5  # a column with a larger share of missing values is better dropped than filled
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
            what = "a date" if vector.dtype.kind == "M" else "text"
            raise DataError(
                f"{contents.name}: target {name!r} is {what}, and several targets must be "
                "numbers: train a network for each"
            )
    return table, Target(chosen, np.column_stack(vectors))


def columns_named(
    wanted: Sequence[str], names: Sequence[str], what: str, source: str
) -> tuple[str, ...]:
    """Return the columns meant by names, by positions from 1 or from -1, or by a list with commas.

    Examples
    --------
    >>> columns_named(["a,c", "-2"], ["a", "b,1", "c", "d"], "column {!r}", "t.csv")
    ('a', 'c')
    >>> columns_named(["b,1"], ["a", "b,1"], "column {!r}", "t.csv")
    ('b,1',)
    """
    found: dict[str, None] = {}
    for word in wanted:
        for name in [word] if word in names else (part.strip() for part in word.split(",")):
            position = int(name) if name.lstrip("-").isdecimal() else 0
            if name in names:
                found[name] = None
            elif 1 <= abs(position) <= len(names):
                found[names[position - 1 if position > 0 else position]] = None
            else:
                raise no_such(what.format(name), name, names, source)
    return tuple(found)


def no_such(what: str, wanted: str, names: Sequence[str], source: str) -> DataError:
    """Return the error for a name that is not there; it offers the nearest one."""
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), lower, n=1, cutoff=0.5)
    hint = (
        f"did you mean {lower[near[0]]!r}?" if near else f"there is {shortened(names) or 'nothing'}"
    )
    return DataError(f"{source}: there is no {what}: {hint}")


def understand_target(
    target: Target, kind: Kind | None, contents: Contents, rows: Array, *, pictures: bool = False
) -> tuple[Array, tuple[Label, ...] | None, str]:
    """Decide between classes and numbers; return Y, the classes, and the decision in words.

    Whole numbers that belong to pictures say what is to be seen there.
    """
    y, place = target.y, Place(contents.name, target.name, rows)
    where = f"{contents.name}: target {target.name!r}"
    if y.dtype.kind == "M":
        raise DataError(f"{where} is a date: name another column")
    if y.ndim == 2:
        return _understand_several(target, kind, contents, place)
    text = y.dtype == object
    values = sorted(set(y)) if text else np.unique(_numbers(y, where, place)).tolist()
    m, K = len(y), len(values)
    if K == 1:
        raise DataError(f"{where} is {values[0]!r} in all rows: there is nothing to tell apart")
    whole = not text and all(value == int(value) for value in values)
    how = f"{m:,} {'texts' if text else 'numbers'}, {K:,} distinct"
    codes = whole and (min(MAX_CLASSES, m / 2) >= K if pictures else _are_codes(values, m))
    if kind == "numbers" or (kind is None and not (text or codes)):
        if text:
            row = next(row for row, value in enumerate(y) if not is_number(value))
            raise DataError(f"{where} has {y[row]!r} in data row {rows[row]}: not a number")
        other = kind is None and whole and K <= MAX_CLASSES
        return _numbers(y, where, place), None, f"{how}: regression" + _or(other, kind="classes")
    if not (text or whole):
        wrong = np.asarray(y % 1 != 0)
        raise DataError(
            f"{where} has {y[int(np.argmax(wrong))]} in {place.first(wrong)}: classes are whole "
            "numbers or text"
        )
    if K > MAX_CLASSES or (text and K == m > 2):
        odd = _stray_text(y, rows) if text else None
        many = (
            f"target {target.name!r} has {K:,} classes in {counted(m, 'row')}, more than can be "
            f"told apart (at most {MAX_CLASSES})"
        )
        if text:
            raise DataError(f"{contents.name}: {many}: {odd or 'name another column'}")
        raise DataError(contents.name, many, kind="numbers")
    labels = tuple(as_labels(np.array(values, dtype=object if text else np.float64)))
    if contents.classes is not None and set(labels) <= set(contents.classes):
        labels = contents.classes
    Y = Encoder((), target.name, labels).codes(y, contents.name, rows)
    other = kind is None and not text
    return Y, labels, f"{how}: classes {shortened(labels, 12)}" + _or(other, kind="numbers")


def _or(other: bool, **options: str) -> str:
    """Say how the other way is chosen, where there is one."""
    return f" ({as_arguments(**options)} for {options['kind']})" if other else ""


def _are_codes(values: Sequence[float], m: int) -> bool:
    """Tell whether the whole numbers of a target, in order, are codes of classes, not amounts."""
    K = len(values)
    runs = np.split(np.array(values), np.flatnonzero(np.diff(values) > 1) + 1)
    return K <= FEW_INTEGERS and m >= 2 * K and max(map(len, runs)) <= CONSECUTIVE


def _understand_several(
    target: Target, kind: Kind | None, contents: Contents, place: Place
) -> tuple[Array, tuple[Label, ...] | None, str]:
    """Tell classes that are written one-hot from several numbers for each row."""
    y = _numbers(target.y, f"{contents.name}: target {target.name!r}", place)
    K = y.shape[1]
    if kind != "numbers" and is_one_hot(y):
        classes: tuple[Label, ...] = target.names if len(target.names) == K else tuple(range(K))
        what = f"{K} columns, one-hot: classes {shortened(classes, 12)}"
        return y.argmax(axis=1), classes, what + _or(kind is None, kind="numbers")
    if kind == "classes":
        odd = np.asarray((y.sum(axis=1) != 1) | ((y != 0) & (y != 1)).any(axis=1))
        raise DataError(
            f"{contents.name}: target {target.name!r} is not one-hot in {place.first(odd)}: "
            "several columns are classes where one is 1 and the others are 0"
        )
    return y, None, f"{K} numbers each: regression"


def is_one_hot(y: Array) -> bool:
    """Tell whether each row has a single 1 among zeros."""
    return y.shape[1] > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def _numbers(y: Array, where: str, place: Place) -> Array:
    y = y.astype(np.float64)
    infinite = np.isinf(y.reshape(len(y), -1)).any(axis=1)
    if infinite.any():
        value = y[infinite].ravel()[np.isinf(y[infinite].ravel())][0]
        raise DataError(
            f"{where} has {value} in {place.first(infinite)}: only finite numbers can be used"
        )
    return y


def learn_columns(
    table: Table, missing: str | None, contents: Contents, rows: Array, keep: Collection[str]
) -> tuple[list[Column], list[DataError], list[str]]:
    """Decide what each column becomes; return that, what is wrong, and notes on text and dates."""
    columns: list[Column] = []
    faults: list[DataError] = []
    for name, vector in table.items():
        sure = name in keep or not contents.named
        why = None if sure else numbers_the_rows(name, vector, alone=len(table) == 1)
        try:
            if why is not None:
                raise DataError(contents.name, f"column {name!r} {why}", drop=[name])
            place = Place(contents.name, name, rows)
            stray = contents.strays.get(name, "")
            columns.append(learn_column(name, vector, missing, place, stray))
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
    name: str, vector: Array, missing: str | None, place: Place, stray: str = ""
) -> Column:
    """Decide what a column becomes; a stray cell counts as missing, and is named as the reason."""
    absent = absences(vector)
    if absent.all():
        raise DataError(place.source, f"column {name!r} has no value at all", drop=[name])
    if vector.dtype == object and not isinstance(vector[0], str | None):
        raise DataError(
            place.source, f"column {name!r} holds {vector[0]}, no numbers or text", drop=[name]
        )
    if vector.dtype.kind == "f" and (infinite := np.isinf(vector)).any():
        value = f"{vector[infinite][0]:g}"
        what = f"column {name!r} has {value} in {place.first(infinite)}, and only finite numbers"
        raise DataError(place.source, f"{what} can be used", na=[value], missing="mean")
    fills = missing in ("mean", "category")
    present = vector[~absent]
    column = Column(name)
    if vector.dtype == object:
        seen = set(present)
        categories = sorted(seen | ({MISSING} if missing == "category" and absent.any() else seen))
        if len(categories) > MAX_CLASSES:
            odd = _stray_text(vector, place.rows)
            what = f"column {name!r} is text with {len(categories):,} different values, more than "
            what += f"{MAX_CLASSES}: {odd}" if odd else f"{MAX_CLASSES}"
            raise DataError(place.source, what, drop=[name])
        two = len(categories) == 2
        share = float(np.mean([value == categories[-1] for value in present])) if two else None
        column = Column(name, tuple(categories), share, two)
    elif vector.dtype.kind == "M":
        seconds = float(present.astype("datetime64[s]").astype(np.int64).mean()) if fills else None
        varies = [part for part, of in DATE_PARTS.items() if len(np.unique(of(present))) > 1]
        column = Column(name, mean=seconds, parts=tuple(varies) or ("elapsed",))
    else:
        column = Column(name, mean=float(present.mean()) if fills else None)
    if missing == "category" and absent.any() and column.categories is None:
        column = replace(column, gaps=True)
    if missing is None and absent.any():
        mostly = absent.mean() > MOSTLY
        odd = f" ({stray} is no {'date' if column.parts else 'number'})" if stray else ""
        raise DataError(
            place.source,
            f"column {name!r} has {counted(absent.sum(), 'missing value')}, in "
            f"{place.first(absent)} first{odd}",
            **({"drop": [name]} if mostly else {"missing": "mean"}),
        )
    return column


def _stray_text(vector: Array, rows: Array) -> str | None:
    """Say where a text stands among numbers; None where most values are text."""
    numbers = [is_number(value) for value in vector]
    if sum(numbers) * 2 < len(numbers):
        return None
    row = numbers.index(False)
    return f"data row {rows[row]} has {vector[row]!r} where most have numbers"


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


def encoded(
    encoder: Encoder, contents: Contents, table: Table, y: Array | None, *, labelled: bool = True
) -> Dataset:
    """Return a dataset of other rows, encoded as those that the encoder learnt from.

    Rows without a target are left out, unless no target is wanted.
    """
    table = {name: without(vector, encoder.na) for name, vector in table.items()}
    target = None
    if labelled and y is not None:
        target = Target((str(encoder.target),), without(y, encoder.na))
    if target is not None and target.absent.all():
        target = None
    used = [column.name for column in encoder.columns if column.name in table]
    gaps = used if encoder.missing == "drop" and labelled else ()
    whole, notes = whole_rows(table, target, gaps)
    table, rows = rows_of(table, whole), np.flatnonzero(whole) + 1
    X, more = encoder.encode(table, contents.name, rows)
    Y = None
    if target is not None:
        where = f"{contents.name}: target {encoder.target!r}"
        y = target.y[whole]
        if encoder.classes is not None and y.ndim == 2 and is_one_hot(y):
            Y = y.argmax(axis=1)
        elif encoder.classes is not None:
            Y = encoder.codes(y, contents.name, rows)
        elif y.dtype == object:
            row = next(row for row, value in enumerate(y) if not is_number(value))
            raise DataError(
                f"{where} has {y[row]!r} in data row {rows[row]}, where training had numbers"
            )
        else:
            Y = _numbers(y, where, Place(contents.name, str(encoder.target), rows))
    sha256 = contents.sha256
    return Dataset(X, Y, encoder, contents.name, sha256, [*contents.notes, *notes, *more])


def whole_rows(
    table: Table, target: Target | None, used: Collection[str]
) -> tuple[Array, list[str]]:
    """Tell which rows have a target and no missing value in the columns `used`; say how many lack.

    Return an array of bool, of shape (m,), and what to say.
    """
    m = max(len(vector) for vector in table.values())
    whole, notes = np.ones(m, dtype=bool), []
    if target is not None and (absent := target.absent).any():
        whole &= ~absent
        notes.append(
            f"target {target.name!r} is missing in {counted(absent.sum(), 'row')}, data row "
            f"{int(np.argmax(absent)) + 1} first: left out"
        )
    gaps = np.zeros(m, dtype=bool)
    for name in used:
        gaps |= absences(table[name])
    gaps &= whole
    if gaps.any():
        what = f"{counted(gaps.sum(), 'row')} with missing values, data row {np.argmax(gaps) + 1}"
        notes.append(f"{what} first: left out")
    return whole & ~gaps, notes


def rows_of(table: Table, whole: Array) -> dict[str, Array]:
    """Return the rows of a table that are whole."""
    return {name: v[whole] if len(v) == len(whole) else v for name, v in table.items()}


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


def refuse_strays(names: Collection[str], contents: Contents) -> None:
    """Raise DataError where a later file has a cell that cannot be read as training's were."""
    for name in names:
        if name in contents.strays:
            raise DataError(
                f"{contents.name}: column {name!r} has {contents.strays[name]}, where training had "
                "numbers or dates: correct it"
            )

"""How the columns of a table become the inputs of a network, and how a network's units scale.

An `Encoder` remembers what was learnt about a table when a network was trained on it (its columns,
their categories, its classes), so that a later table becomes the same inputs, or an error that
says where it differs.  A `Scaling` remembers means and scales.  Both travel in the model file.

A *table* here is a mapping from column names to vectors: of numbers, NaN where one is missing, of
text (dtype object), None where it is missing, or of dates (datetime64), NaT where one is missing.
*Data rows* are counted from 1, a header not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import DataError, counted, shortened
from chainrule.common.types import Array

Table = Mapping[str, Array]
Label = int | str

MISSING = "missing"  # the category of a missing text, and the input that says so of a number
FILLINGS = (None, "mean", "drop", "category")  # what can be done with missing values


@dataclass(frozen=True, eq=False)
class Scaling:
    """A mean and a scale for each column: standardised = (value - mean) / scale.

    Attributes
    ----------
    mean, scale : ndarray of shape (n,)
        In the units of the column; a constant column has scale 1.

    Examples
    --------
    >>> X = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> scaling = Scaling.fit(X)
    >>> scaling.apply(X)
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> scaling.undo(scaling.apply(X))
    array([[1., 5.],
           [3., 5.]])
    """

    mean: Array
    scale: Array

    @classmethod
    def fit(cls, values: Array, weights: Array | None = None) -> Self:
        """Return the scaling after which every column has mean 0 and standard deviation 1.

        Parameters
        ----------
        values : array of shape (m,) or (m, n)
            A vector is one column.  NaN does not count.
        weights : array of shape (m,), optional
            Weight of each row; 2 is the row twice.

        Returns
        -------
        Scaling
        """
        values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
        if weights is None and not np.isnan(values).any():
            mean, scale = values.mean(axis=0), values.std(axis=0)
        else:
            w = np.ones(len(values)) if weights is None else weights
            w = np.where(np.isnan(values), 0, w[:, None])
            total, values = w.sum(axis=0), np.nan_to_num(values)
            mean = (w * values).sum(axis=0) / total
            scale = np.sqrt((w * (values - mean) ** 2).sum(axis=0) / total)
        # The spread of a constant column is rounding error, not a scale
        constant = scale <= 1e-12 * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, scale))

    def apply(self, values: Array) -> Array:
        """Standardise values of shape (m,) or (m, n); float32 and float64 are kept."""
        return ((self._columns(values) - self.mean) / self.scale).astype(
            values.dtype if values.dtype == np.float32 else np.float64
        ).reshape(values.shape)  # fmt: skip

    def undo(self, values: Array) -> Array:
        """Return standardised values, of shape (m,) or (m, n), in their own units again."""
        return (self._columns(values) * self.scale + self.mean).reshape(values.shape)

    def _columns(self, values: Array) -> Array:
        return values.reshape(len(values), len(self.mean))


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
    """

    name: str
    categories: tuple[str, ...] | None = None
    mean: float | None = None
    two: bool = False
    parts: tuple[str, ...] = ()
    gaps: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the network's inputs that this column becomes."""
        if self.parts:
            names = [f"{self.name}.{part}" for part in self.parts]
        elif self.categories is None:
            names = [self.name]
        else:
            names = [f"{self.name}={category}" for category in self.categories[self.two :]]
        return (*names, f"{self.name}={MISSING}") if self.gaps else tuple(names)


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


@dataclass(frozen=True)
class Reading:
    """How a file was read: enough to read another one in the same way.

    Attributes
    ----------
    header : bool or None
        Whether the first line named the columns; None in files that name them otherwise.
    encoding : str or None
        That of the text, where the user named it.
    forms : mapping of str to str
        What the cells of each column were read as, in the file's order, in the words of
        `chainrule.datasets.cells`: "numbers", "text", "dates %d.%m.%Y" ...
    """

    header: bool | None = None
    encoding: str | None = None
    forms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Encoder:
    """What was learnt about a table in training: enough to read another one in the same way.

    Attributes
    ----------
    columns : tuple of Column
        In the order of the network's inputs.
    target : str or None
        The name of the target column.
    classes : tuple of int or str, or None
        The label of each class, in the order of its code; None for regression.
    dropped : tuple of str
        Columns that are known but not used.
    missing : "mean", "drop", "category" or None
        What is done with missing values.  "mean": a number becomes its column's mean in training, a
        text zeros for all its categories.  "drop": the row is left out.  "category": a text becomes
        a category of its own; for a number, filled with the mean, another input says so.
    image_shape : (height, width) or None
        Set where the inputs are the pixels of an image.
    column_major : bool
        Whether such an image is stored column by column, as in the course's files.
    divisor : float
        The inputs are divided by it: the value of a full pixel, 1 for tables.
    reading : Reading
        How the file was read.
    outputs : tuple of str
        The target's columns, where it has several.
    na : tuple of str
        Values that stand for a missing one.

    Examples
    --------
    >>> encoder = Encoder((Column("carat"), Column("cut", ("fair", "good"))), target="price")
    >>> encoder.feature_names
    ('carat', 'cut=fair', 'cut=good')
    >>> cut = np.array(["good", "ideal"], dtype=object)
    >>> X, notes = encoder.encode({"carat": np.array([0.3, 0.5]), "cut": cut}, "new.csv")
    >>> X
    array([[0.3, 0. , 1. ],
           [0.5, 0. , 0. ]])
    >>> notes
    ["column 'cut': 1 value not seen in training, 'ideal' in data row 2 first: all zeros"]
    """

    columns: tuple[Column, ...]
    target: str | None = None
    classes: tuple[Label, ...] | None = None
    dropped: tuple[str, ...] = ()
    missing: str | None = None
    image_shape: tuple[int, int] | None = None
    column_major: bool = False
    divisor: float = 1.0
    reading: Reading = field(default_factory=Reading)
    outputs: tuple[str, ...] = ()
    na: tuple[str, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each of the network's inputs."""
        return tuple(name for column in self.columns for name in column.inputs)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the columns that hold the target."""
        return self.outputs or (() if self.target is None else (self.target,))

    def encode(
        self, table: Table, source: str, rows: Array | None = None
    ) -> tuple[Array, list[str]]:
        """Turn a table into the inputs of the network.

        Parameters
        ----------
        table : mapping of str to array of shape (m,)
            The target may be among the columns, and those that were dropped in training.
        source : str
            What errors call the table: the file's name.
        rows : array of shape (m,) of int, optional
            The number of each data row, where some were left out.  Default: 1 to m.

        Returns
        -------
        X : ndarray of shape (m, n)
            float32 where all the columns are uint8 or float32, else float64.
        notes : list of str
            What the user should know: values that were filled or are unknown.

        Raises
        ------
        DataError
            If a column is missing or new, or a value cannot be used.
        """
        self._refuse_other_columns(table, source)
        vectors = [table[column.name] for column in self.columns]
        small = all(vector.dtype in (np.uint8, np.float32) for vector in vectors)
        X = np.zeros(
            (len(vectors[0]), len(self.feature_names)), np.float32 if small else np.float64
        )
        rows = np.arange(1, len(X) + 1) if rows is None else rows
        notes, start = [], 0
        for column, vector in zip(self.columns, vectors, strict=True):
            block = X[:, start : start + len(column.inputs)]
            write = _write_categories if column.categories is not None else _write_numbers
            notes += write(column, vector, block, self.missing, Place(source, column.name, rows))
            start += len(column.inputs)
        if self.divisor != 1:
            X /= self.divisor
        return X, notes

    def codes(self, labels: Array, source: str, rows: Array | None = None) -> Array:
        """Return the code, 0..K-1, of each label of a target column.

        Parameters
        ----------
        labels : array of shape (m,)
            Integers (of any dtype) or text.
        source : str
            What errors call the table.
        rows : array of shape (m,) of int, optional
            As for `encode`.

        Returns
        -------
        ndarray of shape (m,) of int64

        Raises
        ------
        DataError
            If a label is none of the classes, naming its row.
        """
        known = {label: code for code, label in enumerate(self.classes or ())}
        codes = np.array([known.get(label, -1) for label in as_labels(labels)], dtype=np.int64)
        if codes.min(initial=0) < 0:
            row = int(np.argmin(codes))
            number = row + 1 if rows is None else rows[row]
            raise DataError(
                f"{source}: column {self.target!r} has {labels[row]!r} in data row {number}, "
                f"which is none of the classes {shortened(self.classes or ())}"
            )
        return codes

    def images(self, pixels: Array) -> Array:
        """Return rows of pixels, or of one weight per pixel, as images to look at.

        Parameters
        ----------
        pixels : array of shape (r, n)

        Returns
        -------
        ndarray of shape (r, height, width)
            A view.

        Raises
        ------
        ValueError
            If the inputs are not pixels of an image.

        Examples
        --------
        >>> columns = tuple(Column(name) for name in "abcd")
        >>> Encoder(columns, image_shape=(2, 2), column_major=True).images(np.arange(4)[None])
        array([[[0, 2],
                [1, 3]]])
        """
        if self.image_shape is None:
            raise ValueError("the inputs of this data are no image")
        height, width = self.image_shape
        if self.column_major:
            return pixels.reshape(-1, width, height).transpose(0, 2, 1)
        return pixels.reshape(-1, height, width)

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a dict that `json.dumps` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the encoder that `to_json` described.

        Raises
        ------
        ValueError
            If a field is absent, unknown or of another type.
        """
        try:
            columns = tuple(
                Column(
                    _typed(part["name"], str),
                    _tuple(part["categories"], str),
                    _number(part["mean"]),
                    _typed(part.get("two", False), bool),  # older files have no more than these
                    _tuple(part.get("parts"), str) or (),
                    _typed(part.get("gaps", False), bool),
                )
                for part in fields["columns"]
            )
            shape = _tuple(fields["image_shape"], int)
            reading = fields.get("reading", {})  # older models have none
            encoder = cls(
                columns=columns,
                target=_typed(fields["target"], str | None),
                classes=_tuple(fields["classes"], Label),
                dropped=_tuple(fields["dropped"], str) or (),
                missing=_typed(fields["missing"], str | None),
                image_shape=None if shape is None else (shape[0], shape[1]),
                column_major=_typed(fields["column_major"], bool),
                divisor=_number(fields["divisor"]) or 1.0,
                reading=Reading(
                    None if reading.get("header") is None else _typed(reading["header"], bool),
                    _typed(reading.get("encoding"), str | None),
                    {
                        _typed(name, str): _typed(form, str)
                        for name, form in reading.get("forms", {}).items()
                    },
                ),
                outputs=_tuple(fields.get("outputs"), str) or (),
                na=_tuple(fields.get("na"), str) or (),
            )
        except (KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
            raise ValueError(f"bad encoder ({error!r})") from None
        n = len(encoder.feature_names)
        if not n or len({column.name for column in columns}) != len(columns):
            raise ValueError("bad encoder (no columns, or one name twice)")
        if shape is not None and (len(shape) != 2 or min(shape) < 1 or shape[0] * shape[1] != n):
            raise ValueError(f"bad encoder (image_shape {shape} for {n} inputs)")
        if encoder.missing not in FILLINGS or encoder.divisor <= 0:
            raise ValueError("bad encoder (missing or divisor)")
        for column in columns:
            binary = column.categories is not None and len(column.categories) == 2
            if (column.two and not binary) or not set(column.parts) <= set(DATE_PARTS):
                raise ValueError(f"bad encoder (column {column.name!r})")
        return encoder

    def _refuse_other_columns(self, table: Table, source: str) -> None:
        names = [column.name for column in self.columns]
        absent = [name for name in names if name not in table]
        if absent:
            raise DataError(
                f"{source}: column {absent[0]!r} is missing"
                + (f" (and {len(absent) - 1} more)" if len(absent) > 1 else "")
                + f"; training had the columns {shortened(names)}"
            )
        known = {*names, *self.targets, *self.dropped}
        new = [name for name in table if name not in known]
        if new:
            raise DataError(
                source,
                f"column {new[0]!r} was not there in training"
                + (f" (and {len(new) - 1} more)" if len(new) > 1 else ""),
                drop=new,
            )


@dataclass(frozen=True, eq=False)
class Place:
    """A column of a file, and the numbers of its data rows: what messages call a value's place."""

    source: str
    column: str
    rows: Array

    def __str__(self) -> str:
        return f"{self.source}: column {self.column!r}"

    def first(self, chosen: npt.ArrayLike) -> str:
        """Return the number of the first data row that is chosen."""
        return f"data row {self.rows[int(np.argmax(chosen))]}"


def _write_numbers(
    column: Column, vector: Array, block: Array, missing: str | None, place: Place
) -> list[str]:
    """Write numbers, or what is taken from dates."""
    dates, expected = vector.dtype.kind == "M", "dates" if column.parts else "numbers"
    if vector.dtype == object or dates != bool(column.parts):
        wrong = ~absences(vector)
        fits = _is_date if column.parts else is_number
        words = wrong & ~np.array([fits(value) for value in vector])
        wrong = words if words.any() else wrong
        if wrong.any():
            value = vector[int(np.argmax(wrong))]
            shown = repr(value) if isinstance(value, str) else str(value)
            raise DataError(
                f"{place} has {shown} in {place.first(wrong)}, where training had {expected}: "
                "correct it"
            )
        empty = np.datetime64("NaT", "s") if column.parts else np.nan
        vector = np.full(len(vector), empty)
    refuse_infinite(vector, place)
    absent, notes = absences(vector), []
    if absent.any():
        if missing not in ("mean", "category") or column.mean is None:
            raise DataError(missing_values(absent, place, missing))
        fill = np.datetime64(round(column.mean), "s") if column.parts else column.mean
        vector = np.where(absent, fill, vector)
        shown = str(fill) if column.parts else f"{column.mean:.6g}"
        notes = [
            f"column {column.name!r}: {counted(absent.sum(), 'missing value')} filled with {shown}"
        ]
    for j, part in enumerate(column.parts):
        block[:, j] = DATE_PARTS[part](vector)
    if not column.parts:
        block[:, 0] = vector
    if column.gaps:
        block[:, -1] = absent
    return notes


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
        raise DataError(missing_values(absent, place, missing))
    if column.two:
        fill = 0.0 if column.mean is None else column.mean
        block[:, 0] = np.where(codes < 0, fill, codes)
        becomes = f"taken as {fill:.2g}"
    else:
        rows = np.flatnonzero(codes >= 0)
        block[rows, codes[rows]] = 1
        becomes = "all zeros"
    unknown = (codes < 0) & ~absent
    notes = []
    if absent.any():
        notes.append(f"{counted(absent.sum(), 'missing value')}: {becomes}")
    if unknown.any():
        value = values[int(np.argmax(unknown))]
        notes.append(
            f"{counted(unknown.sum(), 'value')} not seen in training, {value!r} in "
            f"{place.first(unknown)} first: {becomes}"
        )
    return [f"column {column.name!r}: {note}" for note in notes]


def absences(vector: Array) -> Array:
    """Return where a vector of numbers, text or dates has none."""
    if vector.dtype == object:
        return np.array([value is None for value in vector], dtype=bool)
    if vector.dtype.kind == "M":
        return np.asarray(np.isnat(vector))
    return np.asarray(np.isnan(vector)) if vector.dtype.kind == "f" else np.zeros(len(vector), bool)


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


def missing_values(absent: Array, place: Place, missing: str | None) -> str:
    """Say how many values are missing, and where the first is."""
    rows = "such rows were left out of training" if missing == "drop" else "training had none"
    return (
        f"{place} has {counted(absent.sum(), 'missing value')}, in {place.first(absent)} first, "
        f"and {rows}: fill them in, or train with missing='mean'"
    )


def refuse_infinite(vector: Array, place: Place) -> None:
    """Raise DataError if a vector of numbers has an infinity."""
    if vector.dtype.kind != "f":
        return
    infinite = np.isinf(vector)
    if infinite.any():
        value = vector[int(np.argmax(infinite))]
        raise DataError(
            f"{place} has {value} in {place.first(infinite)}: only finite numbers can be used"
        )


def is_number(value: object) -> bool:
    """Tell whether a value, such as a text, is a number; a missing one counts as one."""
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return value is None
    return True


def _is_date(value: object) -> bool:
    try:
        np.datetime64(value, "s")  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return False
    return True


def _typed(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} is no {kind}")
    return value


def _tuple(values: Any, kind: Any) -> tuple[Any, ...] | None:
    return None if values is None else tuple(_typed(v, kind) for v in _typed(values, list | tuple))


def _number(value: Any) -> float | None:
    number = None if value is None else float(_typed(value, int | float))
    if number is not None and not np.isfinite(number):
        raise TypeError(f"{number} is not finite")
    return number

"""How a table becomes the inputs of a network, and another table the same inputs.

An `Encoder` remembers what was learnt about a table when a network was trained on it (its columns,
their categories, its classes), so that a later table becomes the same inputs, or an error that
says where it differs.  It travels in the model file.

A *table* is a mapping from column names to vectors, see `chainrule.datasets.vectors`.  *Data rows*
are counted from 1, a header not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from chainrule.common.checks import DataError, shortened
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.columns import DATE_PARTS, Column, write
from chainrule.datasets.vectors import Label, Place, as_labels

Table = Mapping[str, Array]

FEW_NOTES = 5  # where columns with something to say are more, one line tells of them all
FILLINGS = (None, "mean", "drop", "category")  # what can be done with missing values


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

    __repr__ = summary


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

    __repr__ = summary

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each of the network's inputs."""
        return tuple(name for column in self.columns for name in column.inputs)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the columns that hold the target."""
        return self.outputs or (() if self.target is None else (self.target,))

    def encode(
        self, table: Table, source: str, rows: Array | None = None, *, part: bool = False
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
        part : bool, default=False
            Whether these are some rows of a larger table: then a column may be empty here.

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
            place = Place(source, column.name, rows, part=part)
            notes += write(column, vector, block, self.missing, place)
            start += len(column.inputs)
        if self.divisor != 1:
            X /= self.divisor
        return X, fewer(notes)

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
        if (unknown := codes < 0).any():
            rows = np.arange(1, len(labels) + 1) if rows is None else rows
            place = Place(source, str(self.target), rows)
            raise DataError(
                f"{place} has {place.value(labels, unknown)}, which is none of the classes "
                f"{shortened(self.classes or ())}"
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

    def pixels(self, images: Array) -> Array:
        """Return images, of shape (r, height, width), as the inputs of a network: `images` undone.

        Returns
        -------
        ndarray of shape (r, n)

        Examples
        --------
        >>> columns = tuple(Column(name) for name in "abcd")
        >>> encoder = Encoder(columns, image_shape=(2, 2), column_major=True)
        >>> encoder.pixels(np.array([[[0, 2], [1, 3]]]))
        array([[0, 1, 2, 3]])
        """
        stored = images.transpose(0, 2, 1) if self.column_major else images
        return stored.reshape(len(images), -1)

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
            shape = _tuple(fields["image_shape"], int)
            encoder = cls(
                columns=tuple(map(_column, fields["columns"])),
                target=_typed(fields["target"], str | None),
                classes=_tuple(fields["classes"], Label),
                dropped=_tuple(fields["dropped"], str) or (),
                missing=_typed(fields["missing"], str | None),
                image_shape=None if shape is None else (shape[0], shape[1]),
                column_major=_typed(fields["column_major"], bool),
                divisor=_number(fields["divisor"]) or 1.0,
                reading=_reading(fields.get("reading", {})),  # older models have none of these
                outputs=_tuple(fields.get("outputs"), str) or (),
                na=_tuple(fields.get("na"), str) or (),
            )
        except (KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
            raise ValueError(f"bad encoder ({error!r})") from None
        n, columns = len(encoder.feature_names), encoder.columns
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
            squash, edges = column.squash, column.edges
            plain = column.categories is None and not column.parts
            squashes = squash is None or (plain and len(squash) == 2 and squash[1] > 0)
            bends = not edges or (plain and len(edges) > 1 and bool((np.diff(edges) > 0).all()))
            if not (squashes and bends):
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


def _column(fields: Mapping[str, Any]) -> Column:
    return Column(
        _typed(fields["name"], str),
        _tuple(fields["categories"], str),
        _number(fields["mean"]),
        _typed(fields.get("two", False), bool),  # older models have no more than the three above
        _tuple(fields.get("parts"), str) or (),
        _typed(fields.get("gaps", False), bool),
        _numbers(fields.get("squash")),  # type: ignore[arg-type]  # two, see Encoder.from_json
        _numbers(fields.get("edges")) or (),
    )


def _reading(fields: Mapping[str, Any]) -> Reading:
    header, forms = fields.get("header"), fields.get("forms", {}).items()
    return Reading(
        None if header is None else _typed(header, bool),
        _typed(fields.get("encoding"), str | None),
        {_typed(name, str): _typed(form, str) for name, form in forms},
    )


def _typed(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} is no {kind}")
    return value


def _tuple(values: Any, kind: Any) -> tuple[Any, ...] | None:
    return None if values is None else tuple(_typed(v, kind) for v in _typed(values, list | tuple))


def _numbers(values: Any) -> tuple[float, ...] | None:
    kind = int | float
    numbers = _tuple(values, kind)
    return None if numbers is None else tuple(_number(number) or 0.0 for number in numbers)


def _number(value: Any) -> float | None:
    number = None if value is None else float(_typed(value, int | float))
    if number is not None and not np.isfinite(number):
        raise TypeError(f"{number} is not finite")
    return number


def fewer(notes: list[str]) -> list[str]:
    """Return notes in which one tells of all the columns that were filled, where they are many."""
    filled = [note for note in notes if " filled with " in note]
    if len(filled) <= FEW_NOTES:
        return notes
    names = shortened([note.split(": ")[0].removeprefix("column ") for note in filled])
    one = f"missing values of {len(filled)} columns filled as in training: {names}"
    return [one, *(note for note in notes if note not in filled)]

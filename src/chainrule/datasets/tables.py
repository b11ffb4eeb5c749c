"""Tables from files of many formats, and the digits that scikit-learn ships.

`load` reads a table, decides what its columns mean, and says so in `Dataset.notes`; `load_like`
reads another one as a trained model needs it; `split` sets rows aside.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.common.checks import DataError, as_arguments, counted
from chainrule.common.files import File
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.contents import Contents
from chainrule.datasets.dataset import (
    Dataset,
    LeftOut,
    encoded,
    refuse_strays,
    rows_where,
    whole_rows,
)
from chainrule.datasets.doubts import doubts
from chainrule.datasets.encoding import FILLINGS, Encoder, Reading
from chainrule.datasets.formats import read
from chainrule.datasets.images import find_image
from chainrule.datasets.meaning import Beyond, learn_columns
from chainrule.datasets.names import columns_named
from chainrule.datasets.targets import (
    Kind,
    Target,
    another,
    inputs_and_target,
    understand_target,
)
from chainrule.datasets.vectors import without


def load(
    source: File,
    target: str | Sequence[str] | None = None,
    *,
    drop: str | Collection[str] = (),
    missing: str | None = None,
    kind: Kind | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    na: str | Collection[str] = (),
    keep: str | Collection[str] = (),
    name: str | None = None,
) -> Dataset:
    r"""Read a table to train on.

    Parameters
    ----------
    source : str, path or binary stream
        ``"digits"`` (1,797 handwritten digits of 8x8 pixels, from scikit-learn), ``"mnist"``
        (70,000 of 28x28: mnist.npz here or in the folder ``CHAINRULE_DATA``, else fetched from
        openml.org), a small computed table to draw a fit of (``"xor"``, ``"moons"``, ``"ring"``,
        ``"spiral"``: two inputs and classes; ``"sine"``, ``"bend"``: one input and a number), a
        file by its path or as a stream, or ``"-"``: standard input.  A file is
        text with any separator, Excel, parquet, Arrow, JSON, ARFF, svmlight, npz, npy or mat, by
        itself or compressed.
        Files of arrays hold ``X`` of shape (m, n) or (m, height, width) and ``y``, under these
        or other usual names, ``names`` of the columns, and a test set ``X_test``, ``y_test``
        with ``X_train``, ``y_train`` for the rest.
    target : str or sequence of str, optional
        The target column: its name, or its position counted from 1 (from -1 at the end).  Several
        columns, in a sequence or with commas between, are several outputs, or classes written
        one-hot.  In a file of arrays, the array to use in place of ``y``.  Default: the column
        called target, label, class or y, else the last.  Rows without it are left out.
    drop : str or collection of str
        Columns to leave out, named as the target is.
    missing : "mean", "drop" or "category", optional
        What to do with missing values.  "mean": fill numbers with the column's mean, and text with
        zeros for all its categories.  "drop": leave the rows out.  "category": make a category of
        those in text; fill numbers, and add an input that says where.  Default: refuse.  (The mean
        is over all rows, also those set aside later.)
    kind : "classes" or "numbers", optional
        What the target holds.  By default text is classes, and so are whole numbers when there
        are at most 10 different ones, close together or at most 4, and twice as many rows, or
        where the inputs are pictures; anything else is numbers (regression).
    header : bool, optional
        Whether the first line of a text file names the columns; without, they are x1, x2 and so
        on.  Default: by what stands there.
    encoding : str, optional
        That of a text file, as ``"latin-1"``.  Default: by its bytes.
    na : str or collection of str
        Values that stand for a missing one, such as "-999".
    keep : str or collection of str
        Columns to use although they look like identifiers, or have more than 100 categories.
    name : str, optional
        What a stream's file is called, for errors; its ending says the format where the first
        bytes do not.  Default: the stream's own name.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If anything in it cannot be used; the message names file, column, row and remedy.

    Examples
    --------
    >>> import io
    >>> table = io.BytesIO(b"width,colour,kind\n1.5,red,a\n2.5,blue,b\n1.0,red,b\n0.5,red,a")
    >>> data = load(table)
    >>> data.X
    array([[1.5, 1. ],
           [2.5, 0. ],
           [1. , 1. ],
           [0.5, 1. ]])
    >>> data.Y, data.classes
    (array([0, 1, 1, 0]), ('a', 'b'))
    >>> for note in data.notes:
    ...     print(note)
    target 'kind' (the last column): 4 texts, 2 distinct: classes a, b
    column 'colour': blue is 0, red is 1
    """
    asked = Asked.of(target, drop, missing, kind, na, keep)
    return asked.dataset(read(source, asked.array, Reading(header, encoding), name))


@dataclass(frozen=True)
class Part:
    """Rows to learn from: those of a table that have a target, and no gap where none may be.

    Attributes
    ----------
    table : dict of str to array
        The columns of the inputs.
    found : Target
    rows : ndarray
        The number of each data row.
    dropped : tuple of str
        Columns that are not used.
    left_out : LeftOut
    """

    table: dict[str, Array]
    found: Target
    rows: Array
    dropped: tuple[str, ...]
    left_out: LeftOut

    __repr__ = summary


@dataclass(frozen=True)
class Learnt:
    """What was learnt about a table: how it becomes X and Y, and what was decided."""

    encoder: Encoder
    X: Array
    Y: Array
    notes: list[str]

    __repr__ = summary


@dataclass(frozen=True)
class Asked:
    """What a user asks of a table to train on; see `load` for the fields.

    `load` asks the rules about all rows of a table, and `chainrule.engine.passes` about those in
    which something is new.
    """

    wanted: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    missing: str | None = None
    kind: Kind | None = None
    na: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    __repr__ = summary

    @classmethod
    def of(
        cls,
        target: str | Sequence[str] | None = None,
        drop: str | Collection[str] = (),
        missing: str | None = None,
        kind: Kind | None = None,
        na: str | Collection[str] = (),
        keep: str | Collection[str] = (),
    ) -> Asked:
        """Return the arguments of `load` that are about columns, checked."""
        if missing not in FILLINGS:
            raise DataError(f"missing must be 'mean', 'drop' or 'category', got {missing!r}")
        gone = tuple(part for word in _listed(na) for part in word.split(","))
        return cls(
            tuple(_listed(target)), tuple(_listed(drop)), missing, kind, gone, tuple(_listed(keep))
        )

    @property
    def array(self) -> str | None:
        """The name that may be that of an array."""
        return self.wanted[0] if len(self.wanted) == 1 else None

    def dataset(self, contents: Contents) -> Dataset:
        """Return what `load` does, of a source that has been read."""
        part = self.part(contents)
        if not len(part.rows):
            raise self.no_rows(contents, part)
        learnt = self.learn(contents, part)
        encoder, notes = learnt.encoder, learnt.notes
        held_out = None
        if contents.held_out is not None:
            held_out = encoded(encoder, contents, *contents.held_out)
            notes.append(f"the file brings its own test set of {counted(len(held_out), 'row')}")
        return Dataset(learnt.X, learnt.Y, encoder, contents.name, contents.sha256, notes, held_out)

    def part(self, contents: Contents, first: int = 0) -> Part:
        """Return the rows to learn from; the number of the first row is one more than `first`."""
        table, found, out = _parted(contents, self.wanted, self.drop)
        table = {column: without(vector, self.na) for column, vector in table.items()}
        found = replace(found, y=without(found.y, self.na))
        whole, left_out = whole_rows(
            table, found, list(table) if self.missing == "drop" else (), first
        )
        rows = np.flatnonzero(whole) + first + 1
        return Part(rows_where(table, whole), replace(found, y=found.y[whole]), rows, out, left_out)

    def no_rows(self, contents: Contents, part: Part) -> DataError:
        """Return the error for a table that has no row to learn from."""
        if not part.left_out.gaps:
            found = part.found
            return DataError(
                f"{contents.name}: target {found.name!r} has no value at all: "
                f"{another(contents, found.names)}"
            )
        return DataError(contents.name, "no row is without a missing value", missing="mean")

    def learn(self, contents: Contents, part: Part, beyond: Beyond | None = None) -> Learnt:
        """Decide what columns and target mean, and say so.

        Where the rows are only some of a table, `beyond` tells what is known of the others.
        """
        table, found, rows = part.table, part.found, part.rows
        kept = columns_named(self.keep, list(contents.table), "column {!r} to keep", contents.name)
        columns, faults, becomes = learn_columns(table, self.missing, contents, rows, kept, beyond)
        encoder = Encoder(
            tuple(columns), found.name, None, part.dropped, self.missing, reading=contents.reading,
            outputs=found.names if len(found.names) > 1 else (), na=self.na,
        )  # fmt: skip
        X, said = np.empty((0, 0)), list[str]()
        if not faults:
            encoder, X, said = _encoded_first(encoder, contents, table, rows)
        pictures = encoder.image_shape is not None
        try:
            m = None if beyond is None else beyond.m
            Y, classes, what = understand_target(
                found, self.kind, contents, rows, pictures=pictures, m=m
            )
        except DataError as fault:
            guessed = not self.wanted and contents.target is None and len(rows) > 1
            faults.insert(0, _of_a_guess(fault, found, table, faults) if guessed else fault)
        if faults:
            raise all_of(faults)
        encoder = replace(encoder, classes=classes)
        doubtful = [] if pictures or not contents.named else doubts(table, Y, classes, found.name)
        what = f"target {found.name!r}{found.why}: {what}"
        left_out = part.left_out.notes(found.name)
        notes = [*contents.notes, *left_out, what, *becomes, *said, *doubtful]
        return Learnt(encoder, X, Y, notes)


def _parted(
    contents: Contents, wanted: Sequence[str], drop: Sequence[str]
) -> tuple[dict[str, Array], Target, tuple[str, ...]]:
    """Return the columns of the inputs, the target, and the names of those that are dropped."""
    out = columns_named(drop, list(contents.table), "column {!r} to drop", contents.name)
    table, found = inputs_and_target(contents, wanted)
    if both := [column for column in found.names if column in out]:
        what = as_arguments(drop=both[0])
        raise DataError(f"{contents.name}: {what} is the target, what to predict: leave that out")
    table = {column: vector for column, vector in table.items() if column not in out}
    if not table:
        raise DataError(f"{contents.name}: no column is left for the inputs besides {found.name!r}")
    return table, found, out


def _of_a_guess(
    fault: DataError, found: Target, table: dict[str, Array], faults: Sequence[DataError]
) -> DataError:
    """Return the fault of a target that nobody named; what mends other faults mends it, too."""
    out = {column for other in faults for column in other.options.get("drop", ())}
    others = [column for column in table if column not in out]
    if fault.options or not faults or not others:
        return fault
    return DataError(fault.where, target=others[-1], drop=[found.name])


def _encoded_first(
    encoder: Encoder, contents: Contents, table: dict[str, Array], rows: Array
) -> tuple[Encoder, Array, list[str]]:
    """Return X, the encoder that knows whether these are pictures, and what was found."""
    X, filled = encoder.encode(table, contents.name, rows)
    shape, divisor, evidence = find_image(X, contents)
    if shape is not None:
        column_major = contents.column_major
        encoder = replace(encoder, image_shape=shape, column_major=column_major, divisor=divisor)
        X /= divisor
    return encoder, X, [*filled, *evidence]


def _listed(names: str | Collection[str] | None) -> list[str]:
    return [] if names is None else [names] if isinstance(names, str) else list(names)


def all_of(faults: Sequence[DataError]) -> DataError:
    """Return one error for all that is wrong, with all that mends it.

    Examples
    --------
    >>> print(all_of([DataError("t.csv", f"column {c!r} is empty", drop=[c]) for c in "ab"]))
    t.csv: column 'a' is empty; column 'b' is empty: drop=['a', 'b']
    """
    if len(faults) == 1:
        return faults[0]
    where = next((fault.where for fault in faults if fault.faults), faults[0].where)
    options: dict[str, str | list[str]] = {}
    told: list[str] = []
    for fault in faults:
        told += fault.faults or [fault.where.removeprefix(f"{where}: ")]
        for option, value in fault.options.items():
            before = options.get(option)
            if isinstance(value, list) and isinstance(before, list):
                value = list(dict.fromkeys([*before, *value]))
            options[option] = value
    return DataError(where, *told, **options)


def load_like(
    source: File,
    encoder: Encoder,
    *,
    drop: str | Collection[str] = (),
    labelled: bool = True,
    header: bool | None = None,
    encoding: str | None = None,
    name: str | None = None,
) -> Dataset:
    r"""Read a table in the same way as the one that a model was trained on.

    Parameters
    ----------
    source : str, path or binary stream
        As for `load`.
    encoder : Encoder
        That of the training data.
    drop : str or collection of str
        Columns that training did not have.
    header, encoding : optional
        As for `load`.  Default: as in training.
    labelled : bool, default=True
        Whether to read the target: rows without it are left out, as they are in training.  False
        keeps every row.
    name : str, optional
        As for `load`.

    Returns
    -------
    Dataset
        Its Y is None if the table has no target, or none was asked for; its notes say what was
        filled, unknown or left out.

    Raises
    ------
    DataError
        If the table cannot be used, or differs from the one in training.

    Examples
    --------
    >>> import io
    >>> data = load(io.BytesIO(b"a,b\n1,x\n2,y\n3,y\n4,x"))
    >>> load_like(io.BytesIO(b"a\n5\n6"), data.encoder).X
    array([[5.],
           [6.]])
    """
    contents = read(source, encoder.target, reading_like(encoder, header, encoding), name)
    data = like(encoder, contents, drop, labelled=labelled)
    if contents.held_out is None:
        return data
    return replace(data, held_out=encoded(encoder, contents, *contents.held_out))


def like(
    encoder: Encoder,
    contents: Contents,
    drop: str | Collection[str] = (),
    *,
    labelled: bool = True,
    first: int | None = None,
) -> Dataset:
    """Return contents as a dataset, in the way of the one that the encoder has learnt from.

    With `first`, they are rows of a larger table, which begin after so many others.
    """
    refuse_strays(encoder.targets if labelled else (), contents)
    if encoder.missing not in ("mean", "category"):
        refuse_strays([column.name for column in encoder.columns], contents)
    table, y = dict(contents.table), contents.y
    if contents.target is None:
        vectors = [table.pop(column) for column in encoder.targets if column in table]
        whole = len(vectors) == len(encoder.targets) > 0
        y = (np.column_stack(vectors) if encoder.outputs else vectors[0]) if whole else None
    out = columns_named(_listed(drop), list(contents.table), "column {!r} to drop", contents.name)
    table = {column: vector for column, vector in table.items() if column not in out}
    return encoded(encoder, contents, table, y, labelled=labelled, first=first)


def reading_like(encoder: Encoder, header: bool | None, encoding: str | None) -> Reading:
    """Return how a file is read whose columns are to be those of an encoder."""
    learnt, names = encoder.reading, [column.name for column in encoder.columns]
    text = [column.name for column in encoder.columns if column.categories is not None]
    names += encoder.targets
    if encoder.classes and isinstance(encoder.classes[0], str) and not encoder.outputs:
        text += encoder.targets
    forms = {**learnt.forms, **dict.fromkeys(names, "numbers"), **dict.fromkeys(text, "text")}
    return Reading(
        learnt.header if header is None else header,
        encoding or learnt.encoding,
        forms | dict(learnt.forms),
    )


def split(
    data: Dataset, test_size: float | None = None, seed: int = 0
) -> tuple[Dataset, Dataset | None]:
    """Set rows aside to test on, the same share of each class.

    Parameters
    ----------
    data : Dataset
    test_size : float, optional
        The share of the rows, in [0, 1).  Default: the file's own test set, or else 0.2.
    seed : int, default=0
        Seed of the choice of rows.

    Returns
    -------
    training : Dataset
        At least one row of each class.
    test : Dataset or None
        None when no row is set aside.

    Raises
    ------
    ValueError
        If test_size is not in [0, 1).

    Examples
    --------
    >>> training, test = split(load("digits"), 0.2)
    >>> len(training), len(test), np.bincount(test.Y).tolist()
    (1438, 359, [36, 36, 35, 37, 36, 36, 37, 35, 35, 36])
    """
    if test_size is None and data.held_out is not None:
        return replace(data, held_out=None), data.held_out
    share = 0.2 if test_size is None else test_size
    if not 0 <= share < 1:
        raise ValueError(f"test_size must be at least 0 and less than 1, got {test_size!r}")
    test = rows_aside(data, share, seed)
    if not test.any():
        return replace(data, held_out=None), None
    return _rows(data, ~test), _rows(data, test)


def rows_aside(data: Dataset, share: float, seed: int) -> Array:
    """Return, as an array of bool, which rows `split` sets aside."""
    m = len(data)
    order = np.arange(m, dtype=np.uint32 if m < 2**32 else np.int64)  # tables may be long
    np.random.default_rng(seed).shuffle(order)
    keep = np.zeros(m, dtype=bool)
    if data.classes is not None and data.Y is not None:
        codes = data.Y.astype(np.min_scalar_type(len(data.classes)))
        order = order[np.argsort(codes[order], kind="stable")]  # class by class
        codes = codes[order]
        keep[order[np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])]] = True
    else:
        keep[order[0]] = True
    choice = order[~keep[order]]
    n_test = min(round(share * m), len(choice))
    test = np.zeros(m, dtype=bool)
    if n_test:
        # Evenly spaced over the rows in class order: each class gives its share, to within one row
        aside = choice[((np.arange(n_test) + 0.5) * (len(choice) / n_test)).astype(np.intp)]
        test[aside] = True
    return test


def _rows(data: Dataset, rows: Array) -> Dataset:
    Y = None if data.Y is None else data.Y[rows]
    return replace(data, X=data.X[rows], Y=Y, held_out=None)

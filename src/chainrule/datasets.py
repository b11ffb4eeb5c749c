"""Tables from csv, parquet, npz and mat files, and the digits that scikit-learn ships.

`load` reads a table, decides what its columns mean, and says so in `Dataset.notes`; `load_like`
reads another one as a trained model needs it; `split` sets rows aside.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from chainrule import octave
from chainrule.activations import Array
from chainrule.encoding import (
    Column,
    DataError,
    Encoder,
    Label,
    Table,
    as_labels,
    counted,
    is_number,
    refuse_infinite,
    shortened,
)

Source = str | os.PathLike[str] | BinaryIO
Kind = Literal["classes", "numbers"]

TARGET_NAMES = ("target", "label", "class", "y")
MISSING = ("", "NA", "N/A", "null", "NULL", "None", "NaN", "nan", "?")  # how csv files say so
MAX_CLASSES = 100  # of a target, and categories of a text column
FEW_INTEGERS = 30  # a target of at most so many different whole numbers is taken for classes
FEWEST_PIXELS = 64  # the smallest image that anyone keeps: 8x8
EVIDENCE_ROWS = 2000  # that are looked at to tell images from tables
FULL_PIXELS = (1.0, 16.0, 255.0, 65535.0)  # the values of a full pixel that are in use


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples ready for a network, and what was learnt of the table that they came from.

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
        Of the file's bytes, as ``sha256sum`` prints it; for ``digits``, of the arrays.
    notes : list of str
        What was decided and why, a sentence each.
    held_out : Dataset or None
        The test set that the file itself brings (X_test or Xtest).
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


@dataclass(frozen=True)
class _Read:
    """What a file holds, before anything is decided."""

    name: str
    sha256: str
    table: Table
    target: str | None = None  # the target's name, where the file keeps it apart from the inputs
    y: Array | None = None
    others: tuple[str, ...] = ()  # what could be the target there
    named: bool = True  # whether the columns are somebody's, with names that say something
    image_shape: tuple[int, int] | None = None
    column_major: bool = False
    classes: tuple[Label, ...] | None = None  # their order, where it is a convention
    held_out: tuple[Table, Array] | None = None
    notes: tuple[str, ...] = ()


def load(
    source: Source,
    target: str | None = None,
    *,
    drop: Collection[str] = (),
    missing: str | None = None,
    kind: Kind | None = None,
) -> Dataset:
    r"""Read a table to train on.

    Parameters
    ----------
    source : str, path or binary stream
        ``"digits"`` (1,797 handwritten digits of 8x8 pixels, from scikit-learn), ``"mnist"``
        (70,000 of 28x28: mnist.npz here or in the folder ``CHAINRULE_DATA``, else fetched from
        openml.org), the path of a
        .csv, .tsv, .parquet, .npz or .mat file, or csv from a stream (``"-"`` is standard input).
        npz and mat files hold ``X`` of shape (m, n) or (m, height, width) and ``y``, in npz
        also ``names`` of the columns, and a test set ``X_test``, ``y_test`` (or ``Xtest``,
        ``ytest``) with ``X_train``, ``y_train`` for the rest.
    target : str, optional
        The target column: its name, or its position counted from 1 (from -1 at the end).  In an
        npz or mat file, the array to use in place of ``y``.  Default: the column called target,
        label, class or y, else the last.
    drop : collection of str
        Columns to leave out.
    missing : "mean", optional
        Fill missing numbers with the column's mean, and missing text with zeros for all its
        categories.  Default: refuse.  (The mean is of all rows, those set aside later too.)
    kind : "classes" or "numbers", optional
        What the target holds.  By default text is classes, and so are whole numbers when there
        are at most 30 different ones and twice as many rows; all else is numbers (regression).

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If anything in it cannot be used; the message names file, column, row and remedy.

    Examples
    --------
    >>> table = io.BytesIO(b"width,colour,kind\n1.5,red,a\n2.5,blue,b\n1.0,red,b\n0.5,red,a")
    >>> data = load(table)
    >>> data.X
    array([[1.5, 0. , 1. ],
           [2.5, 1. , 0. ],
           [1. , 0. , 1. ],
           [0.5, 0. , 1. ]])
    >>> data.Y, data.classes
    (array([0, 1, 1, 0]), ('a', 'b'))
    >>> for note in data.notes:
    ...     print(note)
    target 'kind' (the last column): 4 texts, 2 distinct: classes a, b
    column 'colour' has 2 categories: one-hot
    """
    if missing not in (None, "mean"):
        raise DataError(f"missing must be 'mean' or absent, got {missing!r}")
    read = _read(source, target)
    table, y, name, why = _apart(read, target)
    notes = list(read.notes)
    Y, classes, what = _understand(y, name, kind, read)
    notes.append(f"target {name!r}{why}: {what}")
    absent = [column for column in drop if column not in read.table]
    if absent:
        raise _no_such(f"column {absent[0]!r} to drop", absent[0], list(read.table), read.name)
    table = {column: vector for column, vector in table.items() if column not in drop}
    if not table:
        raise DataError(f"{read.name}: no column is left for the inputs besides {name!r}")
    columns = []
    for column, vector in table.items():
        if read.named:
            _refuse_identifier(column, vector, read.name)
        learnt = _learn(column, vector, missing, read.name)
        columns.append(learnt)
        if learnt.categories is not None:
            notes.append(
                f"column {column!r} has {len(learnt.categories)} "
                f"{'category' if len(learnt.categories) == 1 else 'categories'}: one-hot"
            )
    encoder = Encoder(tuple(columns), name, classes, tuple(drop), missing)
    X, filled = encoder.encode(table, read.name)
    notes += filled
    shape, divisor, evidence = _image(X, read)
    notes += evidence
    if shape is not None:
        encoder = replace(
            encoder, image_shape=shape, column_major=read.column_major, divisor=divisor
        )
        X /= divisor
    held_out = None
    if read.held_out is not None:
        held_out = _encode(encoder, read, *read.held_out)
        notes.append(f"the file brings its own test set of {counted(len(held_out), 'row')}")
    return Dataset(X, Y, encoder, read.name, read.sha256, notes, held_out)


def load_like(source: Source, encoder: Encoder, *, drop: Collection[str] = ()) -> Dataset:
    r"""Read a table as the one that a model was trained on was read.

    Parameters
    ----------
    source : str, path or binary stream
        As for `load`.
    encoder : Encoder
        Of the training data.
    drop : collection of str
        Columns that training did not have.

    Returns
    -------
    Dataset
        Its Y is None if the table has no target; its notes tell what was filled or unknown.

    Raises
    ------
    DataError
        If the table cannot be used, or differs from the one in training.

    Examples
    --------
    >>> data = load(io.BytesIO(b"a,b\n1,x\n2,y\n3,y\n4,x"))
    >>> load_like(io.BytesIO(b"a\n5\n6"), data.encoder).X
    array([[5.],
           [6.]])
    """
    text = {column.name for column in encoder.columns if column.categories is not None}
    if encoder.classes and isinstance(encoder.classes[0], str) and encoder.target:
        text.add(encoder.target)
    read = _read(source, encoder.target, text)
    table, y = dict(read.table), read.y
    if read.target is None and encoder.target in table:
        y = table.pop(encoder.target)
    table = {column: vector for column, vector in table.items() if column not in drop}
    data = _encode(encoder, read, table, y)
    if read.held_out is None:
        return data
    return replace(data, held_out=_encode(encoder, read, *read.held_out))


def split(
    data: Dataset, test_size: float | None = None, seed: int = 0
) -> tuple[Dataset, Dataset | None]:
    """Set rows aside to test on: of each class the same share.

    Parameters
    ----------
    data : Dataset
    test_size : float, optional
        The share of the rows, in [0, 1).  Default: the file's own test set, or else 0.2.
    seed : int, default=0
        Of the choice of rows.

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
    m = len(data)
    order = np.random.default_rng(seed).permutation(m)
    keep = np.zeros(m, dtype=bool)
    if data.classes is not None and data.Y is not None:
        order = order[np.argsort(data.Y[order], kind="stable")]  # class by class
        keep[order[np.unique(data.Y[order], return_index=True)[1]]] = True
    else:
        keep[order[0]] = True
    choice = order[~keep[order]]
    n_test = min(round(share * m), len(choice))
    if not n_test:
        return replace(data, held_out=None), None
    # Evenly spaced over the classes' rows: from each its share, to within one row
    aside = choice[((np.arange(n_test) + 0.5) * (len(choice) / n_test)).astype(np.intp)]
    test = np.zeros(m, dtype=bool)
    test[aside] = True
    return _rows(data, ~test), _rows(data, test)


def _rows(data: Dataset, rows: Array) -> Dataset:
    Y = None if data.Y is None else data.Y[rows]
    return replace(data, X=data.X[rows], Y=Y, held_out=None)


# Reading: from a file to columns, nothing decided


def _read(source: Source, target: str | None, text: Collection[str] = ()) -> _Read:
    if source == "digits":
        return _read_digits()
    if source == "mnist":
        local = next((file for file in _local_mnist() if file.is_file()), None)
        if local is None:
            return _fetch_mnist()
        source = local
    if source == "-":
        source = sys.stdin.buffer
    if not isinstance(source, str | os.PathLike):
        return _read_csv("<standard input>", source.read(), text)
    name = os.fspath(source)
    readers: dict[str, Callable[[str, bytes, Collection[str]], _Read]] = {
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".parquet": _read_parquet,
        ".npz": lambda name, content, _: _read_npz(name, content, target),
        ".mat": lambda name, content, _: _read_mat(name, content, target),
    }
    try:
        content = Path(name).read_bytes()
    except FileNotFoundError:
        hint = "; did you mean 'digits'?" if difflib.get_close_matches(name, ["digits"]) else ""
        raise DataError(f"{name}: there is no such file{hint}") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{name}: cannot be read ({reason})") from None
    suffix = Path(name).suffix.lower()
    if suffix not in readers:
        raise DataError(
            f"{name}: a file's name must end in {', '.join(readers)}; for csv of another name use "
            "standard input"
        )
    if not content:
        raise DataError(f"{name}: the file is empty")
    return readers[suffix](name, content, text)


def _read_digits() -> _Read:
    from sklearn.datasets import load_digits

    digits = load_digits()
    sha256 = hashlib.sha256(digits.data.tobytes() + digits.target.tobytes()).hexdigest()
    table = dict(zip(digits.feature_names, digits.data.T, strict=True))
    return _Read("digits", sha256, table, "digit", digits.target, image_shape=(8, 8))


def _local_mnist() -> list[Path]:
    return [Path(folder, "mnist.npz") for folder in (".", os.environ.get("CHAINRULE_DATA", "."))]


def _fetch_mnist() -> _Read:
    """Fetch MNIST from openml.org, once: scikit-learn keeps it in its data folder."""
    from sklearn.datasets import fetch_openml

    try:
        X, y = fetch_openml("mnist_784", version=1, as_frame=False, return_X_y=True)
    except (OSError, ValueError) as error:
        raise DataError(
            f"mnist: cannot be fetched from openml.org ({error}): put a file mnist.npz with "
            "X_train, y_train, X_test and y_test here, or give the path of one"
        ) from None
    X, y = X.astype(np.uint8), y.astype(np.int64)
    sha256 = hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()
    names, _, _ = _names(None, X.shape[1])
    training, test = (dict(zip(names, rows.T, strict=True)) for rows in (X[:60000], X[60000:]))
    return _Read(
        "mnist", sha256, training, "y", y[:60000],
        named=False, image_shape=(28, 28), held_out=(test, y[60000:]),
    )  # fmt: skip


def _read_csv(name: str, content: bytes, text: Collection[str]) -> _Read:
    import polars as pl

    try:
        first = content.split(b"\n", 1)[0].decode("utf-8-sig")
        separator = max(",;\t", key=first.count)
        lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        header = [part.strip() for part in next(csv.reader(lines, delimiter=separator), [])]
    except UnicodeDecodeError:
        raise DataError(f"{name}: not text in UTF-8: save it as csv in UTF-8") from None
    if not any(header):
        raise DataError(f"{name}: the file is empty")
    headed = not all(is_number(part) for part in header)
    names = [part or f"x{j}" for j, part in enumerate(header, start=1)]
    if not headed:
        names = [f"x{j}" for j in range(1, len(header) + 1)]
    twice = [part for part in names if names.count(part) > 1]
    if twice:
        raise DataError(f"{name}: two columns are called {twice[0]!r}: rename one")
    try:
        frame = pl.read_csv(
            content, infer_schema=False, separator=separator, has_header=headed, encoding="utf8"
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        _refuse_ragged(name, content, separator, len(names))
        reason = str(error).splitlines()[0]
        raise DataError(f"{name}: not a csv file that can be read ({reason})") from None
    if not len(frame):
        raise DataError(f"{name}: there is a header, but no data row")
    if frame[frame.columns[-1]].has_nulls():  # Polars fills up short rows without a word
        _refuse_ragged(name, content, separator, len(names))
    frame.columns = names
    notes = () if headed else ("the first line is all numbers: taken as data, not as a header",)
    table = _vectors(frame, text, name)
    return _Read(name, hashlib.sha256(content).hexdigest(), table, notes=notes)


def _refuse_ragged(name: str, content: bytes, separator: str, width: int) -> None:
    """Raise DataError that names the first row with more or fewer fields than the first line."""
    lines = io.TextIOWrapper(
        io.BytesIO(content), encoding="utf-8-sig", newline="", errors="replace"
    )
    reader = csv.reader(lines, delimiter=separator)
    try:
        for fields in reader:
            if len(fields) != width and (fields or width == 1):
                raise DataError(
                    f"{name}: line {reader.line_num} has {counted(len(fields), 'field')} where the "
                    f"first line has {width}: correct that line"
                )
    except csv.Error as error:
        raise DataError(f"{name}: line {reader.line_num} cannot be read ({error})") from None


def _read_parquet(name: str, content: bytes, text: Collection[str]) -> _Read:
    import polars as pl

    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{name}: not a parquet file that can be read ({reason})") from None
    if not len(frame):
        raise DataError(f"{name}: there is no data row")
    return _Read(name, hashlib.sha256(content).hexdigest(), _vectors(frame, text, name))


def _vectors(frame: Any, text: Collection[str], name: str) -> dict[str, Array]:
    """Turn a Polars frame into vectors of numbers or of text."""
    import polars as pl

    table = {}
    for series in frame:
        if series.dtype.is_numeric() and series.name not in text:
            table[series.name] = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
            continue
        if series.dtype.is_temporal() or series.dtype.is_nested() or series.dtype == pl.Object:
            # Kept as it is: an error if it is used, none if it is dropped
            table[series.name] = np.array([series.dtype], dtype=object)
            continue
        words = series.cast(pl.String).str.strip_chars()
        words = words.set(words.is_in(MISSING), None)
        numbers = words.cast(pl.Float64, strict=False)
        all_numbers = numbers.null_count() == words.null_count()
        if all_numbers and series.name not in text:
            table[series.name] = numbers.fill_null(np.nan).to_numpy()
        else:
            table[series.name] = np.array(words.to_list(), dtype=object)
    return table


def _read_npz(name: str, content: bytes, target: str | None) -> _Read:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except Exception as error:  # a damaged file makes zipfile and NumPy raise nearly anything
        raise DataError(f"{name}: not an npz file that can be read ({error})") from None
    return _read_arrays(name, content, arrays, target)


def _read_mat(name: str, content: bytes, target: str | None) -> _Read:
    read = _read_arrays(name, content, octave.read(name), target)
    read = replace(read, column_major=True)
    y = read.y
    courses = y is not None and y.ndim == 1 and y.max() == 10 and y.min() >= 1
    if y is None or not courses or _square(len(read.table)) is None or (y % 1).any():
        return read
    held_out = read.held_out and (read.held_out[0], octave.digits(read.held_out[1]))
    note = "label 10 means the digit 0, as in the course's files"
    return replace(
        read,
        y=octave.digits(y),
        held_out=held_out,
        classes=octave.DIGITS,
        notes=(*read.notes, note),
    )


def _read_arrays(
    name: str, content: bytes, arrays: Mapping[str, Array], target: str | None
) -> _Read:
    inputs = next((key for key in ("X", "X_train") if key in arrays), None)
    if inputs is None:
        raise DataError(
            f"{name}: needs an array X (or X_train); it has {shortened(list(arrays)) or 'none'}"
        )
    X = arrays[inputs]
    if X.dtype.kind not in "fiub" or X.ndim not in (2, 3) or not X.size:
        raise DataError(
            f"{name}: {inputs} must be numbers of shape (m, n) or (m, height, width); it is "
            f"{X.dtype} of shape {X.shape}"
        )
    shape = (X.shape[1], X.shape[2]) if X.ndim == 3 else None
    names, label, words = _names(arrays.get("names"), X[0].size)
    others = tuple(key for key in arrays if key not in (inputs, "names"))
    key = "y_train" if inputs == "X_train" else "y"
    if target not in (None, "y", label):
        key = str(target)
    pairs = [("X_test", "y_test"), ("Xtest", "ytest")]
    tests = [pair for pair in pairs if pair[0] in arrays and pair[1] in arrays][:1]
    parts = []
    for X_key, y_key in [(inputs, key if key in others else None), *tests]:
        X, y = arrays[X_key], None if y_key is None else arrays[y_key]
        if y is not None:
            y = _target_array(y, f"{name}: {y_key}", words)
            if len(X) != len(y):
                raise DataError(
                    f"{name}: {X_key} has {counted(len(X), 'row')} and {y_key} has {len(y):,}: "
                    "they must be as many"
                )
        pixels = X.reshape(len(X), -1)
        if pixels.shape[1] != len(names):
            raise DataError(f"{name}: {X_key} has {pixels.shape[1]} columns, {inputs} {len(names)}")
        parts.append((dict(zip(names, pixels.T, strict=True)), y))
    notes = []
    unused = [key for key in ("X_val", "Xval") if key in arrays]
    if unused:
        notes.append(f"{unused[0]} is not used")
    (table, y), held_out = parts[0], parts[1] if len(parts) > 1 else None
    return _Read(
        name,
        hashlib.sha256(content).hexdigest(),
        table,
        label or key.removesuffix("_train"),
        y,
        others,
        named=False,
        image_shape=shape,
        held_out=held_out,  # type: ignore[arg-type]
        notes=tuple(notes),
    )


def _names(names: Array | None, width: int) -> tuple[list[str], str | None, list[str] | None]:
    """Return the columns' names, the target's, and the classes' labels.

    ``names`` holds one for each column, or only ``"target:label,label,..."``.
    """
    numbered = [f"x{j}" for j in range(1, width + 1)]
    if names is None:
        return numbered, None, None
    found = [str(part) for part in names.ravel()]
    if len(found) == 1 and ":" in found[0]:
        label, words = found[0].split(":", 1)
        return numbered, label, words.split(",")
    return (found if len(found) == width == len(set(found)) else numbered), None, None


def _target_array(y: Array, where: str, words: list[str] | None) -> Array:
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.dtype.kind not in "fiubU" or y.ndim not in (1, 2) or (y.dtype.kind == "U" and y.ndim > 1):
        raise DataError(f"{where} must be numbers or text of shape (m,); it is {y.dtype} {y.shape}")
    if words is not None and y.dtype.kind in "iu" and y.max(initial=0) < len(words):
        return np.array(words, dtype=object)[y]
    return y.astype(object) if y.dtype.kind == "U" else y


# Deciding what the columns mean


def _apart(read: _Read, target: str | None) -> tuple[dict[str, Array], Array, str, str]:
    """Return the inputs, the target, its name, and why it was chosen where nobody said it."""
    table = dict(read.table)
    if read.target is not None:
        if read.y is None:
            raise _no_such(f"target {read.target!r}", read.target, read.others, read.name)
        return table, read.y, read.target, ""
    names = list(table)
    if target is None:
        by_name = {column.lower(): column for column in reversed(names)}
        known = [by_name[word] for word in TARGET_NAMES if word in by_name]
        target = known[0] if known else names[-1]
        return table, table.pop(target), target, " (by its name)" if known else " (the last column)"
    if target not in table:
        position = int(target) if target.lstrip("-").isdecimal() else 0
        if not 1 <= abs(position) <= len(names):
            raise _no_such(f"target column {target!r}", target, names, read.name)
        target = names[position - 1 if position > 0 else position]
    return table, table.pop(target), target, ""


def _no_such(what: str, wanted: str, names: Sequence[str], source: str) -> DataError:
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), lower, n=1, cutoff=0.5)
    hint = (
        f"did you mean {lower[near[0]]!r}?" if near else f"there is {shortened(names) or 'nothing'}"
    )
    return DataError(f"{source}: there is no {what}: {hint}")


def _understand(
    y: Array, name: str, kind: Kind | None, read: _Read
) -> tuple[Array, tuple[Label, ...] | None, str]:
    """Decide between classes and numbers; return Y, the classes, and the decision in words."""
    where = f"{read.name}: target {name!r}"
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
    if read.classes is not None and set(labels) <= set(read.classes):
        labels = read.classes
    Y = Encoder((), name, labels).codes(y, read.name)
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


def _learn(name: str, vector: Array, missing: str | None, source: str) -> Column:
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
    """Raise DataError for a column that only tells rows apart: it can be learnt by heart."""
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
    """Say where text stands among what else are numbers."""
    numbers = [is_number(value) for value in vector]
    if sum(numbers) * 2 < len(numbers):
        return None
    row = numbers.index(False)
    return f"data row {row + 1} has {vector[row]!r} where most have numbers; correct it or drop it"


def _square(n: int) -> int | None:
    """Return the width of a square image of n pixels, if it can be one."""
    width = round(n**0.5)
    return width if width * width == n >= FEWEST_PIXELS else None


def _image(X: Array, read: _Read) -> tuple[tuple[int, int] | None, float, list[str]]:
    """Tell whether the inputs are pixels: the image's shape, a full pixel's value, and why.

    In an image the neighbours across and down are alike, and pixels half a row apart are not;
    in a table, whatever its width, columns are alike in no such pattern, and in a series those
    half a row apart are more alike than those a whole row apart.
    """
    shape, why = read.image_shape, "as the file says"
    if shape is None:
        width = _square(X.shape[1])
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
    # Bicubic enlarging overshoots: the course's full pixel is 1, its largest value 1.13
    divisor = next((full for full in FULL_PIXELS if top <= 1.5 * full or full == 65535), 1.0)
    scaled = f", divided by {divisor:g}" if divisor != 1 else ""
    return shape, divisor, [f"inputs are images of {shape[0]}x{shape[1]} pixels ({why}){scaled}"]


def _encode(encoder: Encoder, read: _Read, table: Table, y: Array | None) -> Dataset:
    """Return a dataset of more rows, by what was learnt from others."""
    X, notes = encoder.encode(table, read.name)
    Y = None
    empty = y is not None and y.dtype.kind in "fO" and all(v is None or v != v for v in y.flat)
    if y is not None and not empty:
        where = f"{read.name}: target {encoder.target!r}"
        if encoder.classes is not None:
            _refuse_missing_target(y, where)
            Y = encoder.codes(y, read.name)
        elif y.dtype == object:
            row = next(row for row, value in enumerate(y) if not is_number(value))
            raise DataError(
                f"{where} has {y[row]!r} in data row {row + 1}, where training had numbers"
            )
        else:
            Y = _numbers(y, where)
    return Dataset(X, Y, encoder, read.name, read.sha256, [*read.notes, *notes])

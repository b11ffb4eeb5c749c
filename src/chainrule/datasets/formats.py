"""The formats that tables come in: each file becomes named columns or arrays."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.common.checks import DataError, counted, shortened
from chainrule.common.files import File, name_of, read_bytes, reason
from chainrule.common.types import Array
from chainrule.datasets import octave
from chainrule.datasets.encoding import Label, Reading, Table, is_number

FEWEST_PIXELS = 64  # the smallest image in use is 8x8
TESTS = (("X_test", "y_test"), ("Xtest", "ytest"))  # the arrays of a file's own test set
MISSING = ("", "NA", "N/A", "null", "NULL", "None", "NaN", "nan", "?")  # how csv files write it


@dataclass(frozen=True)
class Contents:
    """What a file holds, before anything is decided."""

    name: str
    sha256: str
    table: Table
    target: str | None = None  # name of the target, where the file keeps it apart from the inputs
    y: Array | None = None
    others: tuple[str, ...] = ()  # other arrays that could be the target
    named: bool = True  # whether somebody named the columns, so that the names mean something
    image_shape: tuple[int, int] | None = None
    column_major: bool = False
    classes: tuple[Label, ...] | None = None  # in the order of a convention, where there is one
    held_out: tuple[Table, Array] | None = None
    notes: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)


def read(
    source: File, target: str | None, like: Reading | None = None, name: str | None = None
) -> Contents:
    """Read a source of data, see `chainrule.datasets.load`.

    Parameters
    ----------
    source : str, path or binary stream
    target : str or None
        In an npz or mat file, the array to use in place of ``y``.
    like : Reading
        How it is to be read, as far as that is known.
    name : str, optional
        Name of a stream's file.  Default: the stream's own.
    """
    like = like or Reading()
    if source == "digits":
        return _read_digits()
    if source == "mnist":
        local = next((file for file in _local_mnist() if file.is_file()), None)
        if local is None:
            return _fetch_mnist()
        source = local
    if source == "-":
        return _read_csv("<standard input>", sys.stdin.buffer.read(), like, target)
    from_disk = isinstance(source, str | os.PathLike)
    name = name or name_of(source)
    content = _content(source, name)
    readers: dict[str, Callable[[str, bytes, Reading], Contents]] = {
        ".csv": lambda name, content, like: _read_csv(name, content, like, target),
        ".tsv": lambda name, content, like: _read_csv(name, content, like, target),
        ".parquet": _read_parquet,
        ".npz": lambda name, content, _: _read_npz(name, content, target),
        ".mat": lambda name, content, _: _read_mat(name, content, target),
    }
    suffix = Path(name).suffix.lower()
    if not suffix and not from_disk:
        suffix = ".csv"
    if suffix not in readers:
        raise DataError(
            f"{name}: a file's name must end in {', '.join(readers)}; for csv of another name use "
            "standard input"
        )
    if not content:
        raise DataError(f"{name}: the file is empty")
    return readers[suffix](name, content, like)


def _content(source: File, name: str) -> bytes:
    try:
        return read_bytes(source)
    except FileNotFoundError:
        hint = "; did you mean 'digits'?" if difflib.get_close_matches(name, ["digits"]) else ""
        raise DataError(f"{name}: there is no such file{hint}") from None
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({reason(error)})") from None


def _read_digits() -> Contents:
    from sklearn.datasets import load_digits

    digits = load_digits()
    sha256 = hashlib.sha256(digits.data.tobytes() + digits.target.tobytes()).hexdigest()
    table = dict(zip(digits.feature_names, digits.data.T, strict=True))
    return Contents("digits", sha256, table, "digit", digits.target, image_shape=(8, 8))


def _local_mnist() -> list[Path]:
    return [Path(folder, "mnist.npz") for folder in (".", os.environ.get("CHAINRULE_DATA", "."))]


def _fetch_mnist() -> Contents:
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
    return Contents(
        "mnist", sha256, training, "y", y[:60000],
        named=False, image_shape=(28, 28), held_out=(test, y[60000:]),
    )  # fmt: skip


def _read_csv(name: str, content: bytes, like: Reading, target: str | None) -> Contents:
    import polars as pl

    sha256 = hashlib.sha256(content).hexdigest()
    if like.encoding is not None:
        content = _decoded(name, content, like.encoding).encode()
    try:
        first = content.split(b"\n", 1)[0].decode("utf-8-sig")
        separator = max(",;\t", key=first.count)
        lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        header = [part.strip() for part in next(csv.reader(lines, delimiter=separator), [])]
    except UnicodeDecodeError:
        raise DataError(
            f"{name}: not text in UTF-8: name its encoding, as in --encoding latin-1"
        ) from None
    if not any(header):
        raise DataError(f"{name}: the file is empty")
    headed = not all(is_number(part) for part in header) if like.header is None else like.header
    names = [part or f"x{j}" for j, part in enumerate(header, start=1)]
    if not headed:
        names = [f"x{j}" for j in range(1, len(header) + 1)]
        if len(like.forms) == len(names) + 1:  # as in training, but for the target
            names = [known for known in like.forms if known != target]
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
    if frame[frame.columns[-1]].has_nulls():  # Polars fills short rows without a warning
        _refuse_ragged(name, content, separator, len(names))
    frame.columns = names
    notes: tuple[str, ...] = ()
    if not headed and like.header is None:
        notes = (
            "the first line is all numbers: taken as data, not as a header (--header if it is one)",
        )
    table = _vectors(frame, like, name)
    forms = {name: "text" if v.dtype == object else "numbers" for name, v in table.items()}
    reading = Reading(headed, like.encoding, forms)
    return Contents(name, sha256, table, notes=notes, reading=reading)


def _decoded(name: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except LookupError:
        raise DataError(
            f"there is no encoding {encoding!r}: try latin-1, cp1252 or utf-16"
        ) from None
    except UnicodeError as error:
        raise DataError(f"{name}: not text in {encoding} ({error})") from None


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


def _read_parquet(name: str, content: bytes, like: Reading) -> Contents:
    import polars as pl

    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{name}: not a parquet file that can be read ({reason})") from None
    if not len(frame):
        raise DataError(f"{name}: there is no data row")
    return Contents(name, hashlib.sha256(content).hexdigest(), _vectors(frame, like, name))


def _vectors(frame: Any, like: Reading, name: str) -> dict[str, Array]:
    """Turn a Polars frame into vectors of numbers or of text."""
    import polars as pl

    text = {column for column, form in like.forms.items() if form == "text"}
    table = {}
    for series in frame:
        if series.dtype.is_numeric() and series.name not in text:
            table[series.name] = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
            continue
        if series.dtype.is_temporal() or series.dtype.is_nested() or series.dtype == pl.Object:
            # Kept as it is: using it is an error, dropping it is not
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


def _read_npz(name: str, content: bytes, target: str | None) -> Contents:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except Exception as error:  # zipfile and NumPy raise almost any error on a damaged file
        raise DataError(f"{name}: not an npz file that can be read ({error})") from None
    return _read_arrays(name, content, arrays, target)


def _read_mat(name: str, content: bytes, target: str | None) -> Contents:
    read = _read_arrays(name, content, octave.matrices(content, name), target)
    read = replace(read, column_major=True)
    y = read.y
    courses = y is not None and y.ndim == 1 and y.max() == 10 and y.min() >= 1
    if y is None or not courses or square(len(read.table)) is None or (y % 1).any():
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
) -> Contents:
    """Tell inputs, target and test set apart by the arrays' names."""
    inputs = _inputs(name, arrays)
    X = arrays[inputs]
    names, label, words = _names(arrays.get("names"), X[0].size)
    others = tuple(key for key in arrays if key not in (inputs, "names"))
    key = "y_train" if inputs == "X_train" else "y"
    if target not in (None, "y", label):
        key = str(target)

    def examples(X_key: str, y_key: str) -> tuple[Table, Array]:
        width = math.prod(arrays[X_key].shape[1:])
        if width != len(names):
            raise DataError(f"{name}: {X_key} has {width} columns, {inputs} {len(names)}")
        y = _target_array(arrays[y_key], f"{name}: {y_key}", words)
        if len(arrays[X_key]) != len(y):
            raise DataError(
                f"{name}: {X_key} has {counted(len(arrays[X_key]), 'row')} and {y_key} has "
                f"{len(y):,}: they must be as many"
            )
        return _columns(arrays[X_key], names), y

    table, y = examples(inputs, key) if key in others else (_columns(X, names), None)
    tests = [pair for pair in TESTS if pair[0] in arrays and pair[1] in arrays]
    unused = [other for other in ("X_val", "Xval") if other in arrays]
    return Contents(
        name,
        hashlib.sha256(content).hexdigest(),
        table,
        label or key.removesuffix("_train"),
        y,
        others,
        named=False,
        image_shape=(X.shape[1], X.shape[2]) if X.ndim == 3 else None,
        held_out=examples(*tests[0]) if tests else None,
        notes=(f"{unused[0]} is not used",) if unused else (),
    )


def _inputs(name: str, arrays: Mapping[str, Array]) -> str:
    """Return the name of the array of inputs."""
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
    return inputs


def _columns(X: Array, names: list[str]) -> Table:
    return dict(zip(names, X.reshape(len(X), -1).T, strict=True))


def square(n: int) -> int | None:
    """Return the width of a square image of n pixels, or None if n pixels cannot be one."""
    width = round(n**0.5)
    return width if width * width == n >= FEWEST_PIXELS else None


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

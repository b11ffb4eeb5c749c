"""Files of arrays, npz, npy and mat: which of them are the inputs, the target and the test set.

Names tell it (X and y, Keras's x_train, scikit-learn's data and target, MATLAB's meas and species).
Where they do not, shapes do: the largest matrix has the inputs, a vector as long as it the target.
"""

from __future__ import annotations

import io
import math
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.common.checks import DataError, counted, npy_header, shortened
from chainrule.common.types import Array
from chainrule.datasets import foreign, octave
from chainrule.datasets.contents import Contents, bomb, check_width, most_unpacked
from chainrule.datasets.encoding import Table

FEWEST_PIXELS = 64  # the smallest image in use is 8x8
MOST_NUMBERS = 1 << 28  # of a sparse matrix that is made dense: 2 GiB
SPARE_NUMBERS, MORE_NUMBERS = 1 << 22, 1000  # and for each that a sparse matrix tells
# Names as `_bare` gives them: without case, underscores and spaces
PAIRS = (  # of inputs and target, the likeliest first
    (("xtrain", "trainx", "xtr", "traindata", "trainimages", "trainfeatures", "traininputs"),
     ("ytrain", "trainy", "ytr", "trainlabels", "trainlabel", "traintargets", "traintarget")),
    (("x", "data", "features", "inputs", "input", "images", "image", "meas", "samples", "fea",
      "arr0"),
     ("y", "labels", "label", "targets", "target", "classes", "class", "species", "gnd", "outputs",
      "output", "group", "t", "arr1")),
)  # fmt: skip
TEST = (
        ("xtest", "testx", "xte", "testdata", "testimages", "testfeatures", "testinputs"),
        ("ytest", "testy", "yte", "testlabels", "testlabel", "testtargets", "testtarget"),
)  # fmt: skip
COLUMN_NAMES = ("names", "featurenames", "columns", "columnnames")
CLASS_NAMES = ("targetnames", "classnames", "labelnames")
DESCRIPTIONS = {*COLUMN_NAMES, *CLASS_NAMES, "descr", "filename", "frame", "datamodule"}


def read_npz(name: str, sha256: str, content: bytes, target: str | None) -> Contents:
    """Read NumPy's npz: arrays by name, or a sparse matrix as SciPy saves it."""
    return _contents(name, sha256, npz_arrays(name, content), target)


def npz_arrays(name: str, content: bytes) -> dict[str, Array]:
    """Return the arrays of an npz by name, or raise DataError; a sparse matrix is dense, as X."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = [part for part in file.infolist() if part.filename.endswith(".npy")]
            if sum(part.file_size for part in parts) > most_unpacked(len(content)):
                raise bomb(name, len(content))
            arrays = {
                part.filename.removesuffix(".npy"): _array(
                    file.read(part), f"{name}: {part.filename}"
                )
                for part in parts
            }
        if {"indices", "indptr", "shape", "data"} <= set(arrays):
            arrays = {"X": dense(foreign.sparse(io.BytesIO(content)), name)}
    except DataError:
        raise
    except Exception as error:  # zipfile and NumPy raise almost any error on a damaged file
        raise DataError(f"{name}: not an npz file that can be read ({error})") from None
    return arrays


def read_npy(name: str, sha256: str, content: bytes, target: str | None) -> Contents:
    """Read NumPy's npy: a matrix is a table; an array with named fields has named columns."""
    array = _array(content, name)
    if array.dtype.names:
        table = {
            field: _target(_simple(array[field]), f"{name}: {field}", None)
            for field in array.dtype.names
        }
        return Contents(name, sha256, table)
    return _contents(name, sha256, {"X": array}, target)


def read_mat(name: str, sha256: str, content: bytes, target: str | None) -> Contents:
    """Read MATLAB's and Octave's mat; pixels with labels 1..10 follow the course's conventions."""
    arrays = {key: dense(value, name) for key, value in octave.values(content, name).items()}
    read = _contents(name, sha256, arrays, target)
    # A row of pixels was a matrix that Octave unrolled column by column
    read = replace(read, column_major=read.image_shape is None)
    y = read.y
    courses = (
        y is not None and y.ndim == 1 and y.dtype.kind in "fiu" and y.max() == 10 and y.min() >= 1
    )
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


def square(n: int) -> int | None:
    """Return the width of a square image of n pixels, or None if n pixels cannot be one."""
    width = round(n**0.5)
    return width if width * width == n >= FEWEST_PIXELS else None


def dense(values: Any, name: str) -> Array:
    """Return a matrix as an array; a sparse one must not be too large, or too empty, for that."""
    if isinstance(values, np.ndarray):
        return values
    if math.prod(values.shape) > min(MOST_NUMBERS, SPARE_NUMBERS + MORE_NUMBERS * values.nnz):
        raise DataError(
            f"{name}: a sparse matrix of {values.shape[0]:,} x {values.shape[1]:,} is too large "
            "for a table: give it to MLPClassifier or MLPRegressor, which take it as it is"
        )
    array: Array = values.toarray()
    return array


def _array(content: bytes, where: str) -> Array:
    """Return the array of npy bytes; what the header says must be there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's, that Python 2 wrote it
            _check_header(content, where)
            array: Array = np.load(io.BytesIO(content), allow_pickle=False)
        return array
    except DataError:
        raise
    except Exception as error:  # NumPy raises almost any error on a damaged file
        raise DataError(f"{where}: not an array that can be read ({error})") from None


def _check_header(content: bytes, where: str) -> None:
    """Refuse npy bytes whose header promises objects, or more than there is."""
    shape, _, dtype = npy_header(io.BytesIO(content))
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which could run code: save numbers or text, as with "
            ".astype(str)"
        )
    if math.prod(shape) * max(1, dtype.itemsize) > len(content):
        raise ValueError(f"its header says shape {shape}, which is more than there is")


def _bare(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "")


def _contents(name: str, sha256: str, arrays: Mapping[str, Array], target: str | None) -> Contents:
    """Tell inputs, target and test set apart."""
    arrays = {key: _simple(array) for key, array in arrays.items()}
    X_key, y_key = inputs_and_target(name, arrays)
    keys = _by_bare_name(arrays)
    label, words = described(arrays)
    label = label or ("y" if y_key is None else re.sub("(?i)_?train_?", "", y_key))
    others = tuple(key for key in arrays if key != X_key and _bare(key) not in DESCRIPTIONS)
    if target in others:
        label = y_key = target
    elif target not in (None, "y", label):
        label, y_key = str(target), None
    X, y, notes = _examples(name, arrays, X_key, y_key, words)
    check_width(name, X[0].size)
    names = column_names(arrays, X[0].size)
    X_test_key, y_test_key = (_first(wanted, keys) for wanted in TEST)
    held_out = None
    if X_test_key is not None and y_test_key is not None and X_test_key != X_key:
        X_test, y_test, _ = _examples(name, arrays, X_test_key, y_test_key, words)
        if X_test[0].size != len(names):
            raise DataError(
                f"{name}: {X_test_key} has {X_test[0].size} columns, {X_key} {len(names)}"
            )
        held_out = None if y_test is None else (_columns(X_test, names), y_test)
    used = {y_key, *((X_test_key, y_test_key) if held_out is not None else ())}
    unused = [key for key in others if key not in used]
    if unused and y_key is not None:
        notes.append(f"{shortened(unused)} {'is' if len(unused) == 1 else 'are'} not used")
    if X_key not in ("X", "X_train"):
        notes.insert(
            0, f"the inputs are {X_key!r}" + (f", the target is {y_key!r}" if y_key else "")
        )
    return Contents(
        name,
        sha256,
        _columns(X, names),
        label if others else None,  # a matrix alone is a table, its target one of the columns
        y,
        others,
        named=False,
        image_shape=(X.shape[1], X.shape[2]) if X.ndim == 3 else None,
        held_out=held_out,
        notes=tuple(notes),
    )


def _simple(array: Array) -> Array:
    """Return text as text, whether it was bytes or padded with blanks."""
    if array.dtype.kind == "S":
        array = np.char.decode(array, "latin-1")
    return np.char.strip(array) if array.dtype.kind == "U" else array


def _by_bare_name(arrays: Mapping[str, Any]) -> dict[str, str]:
    return {_bare(key): key for key in reversed(list(arrays))}


def inputs_and_target(name: str, arrays: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the names of the arrays of inputs and, where there is one, of the target.

    Of an array only dtype, shape and size are looked at.
    """
    keys = _by_bare_name(arrays)
    numbers = {bare: key for bare, key in keys.items() if arrays[key].dtype.kind in "fiub"}
    for inputs, targets in (*PAIRS, TEST):
        X_key = _first(inputs, numbers)
        if X_key is not None:
            return X_key, _first(targets, {b: key for b, key in keys.items() if key != X_key})
    broken = [key for key, array in arrays.items() if array.dtype.kind == "c"]
    if broken:
        raise DataError(
            f"{name}: {broken[0]} has complex numbers: save their real and imaginary parts, as "
            "np.hstack([X.real, X.imag])"
        )
    matrices = [key for key in numbers.values() if min(arrays[key].shape, default=0) > 1]
    if not matrices:
        held = [f"{key} ({array.dtype} {array.shape})" for key, array in arrays.items()]
        raise DataError(
            f"{name}: has no matrix of inputs, a row for each example; it has "
            f"{shortened(held) or 'nothing'}"
        )
    X_key = max(matrices, key=lambda key: arrays[key].size)
    fitting = [
        key
        for key, array in arrays.items()
        if key != X_key
        and max(array.shape, default=0) == array.size
        and array.size in arrays[X_key].shape
    ]
    return X_key, fitting[0] if len(fitting) == 1 else None


def _first(wanted: tuple[str, ...], keys: Mapping[str, str]) -> str | None:
    """Return the first array that is called so, or whose name ends so, as in irisInputs."""
    exact = next((keys[name] for name in wanted if name in keys), None)
    long = [name for name in wanted if len(name) > 3 and not name.startswith("arr")]
    return exact or next(
        (key for bare, key in keys.items() if bare.endswith(tuple(long)) and "test" not in bare),
        None,
    )


def _examples(
    name: str,
    arrays: Mapping[str, Array],
    X_key: str,
    y_key: str | None,
    words: list[str] | None,
) -> tuple[Array, Array | None, list[str]]:
    """Return inputs of shape (m, n) or (m, height, width), the target, and what was turned."""
    y = None if y_key is None else _target(arrays[y_key], f"{name}: {y_key}", words)
    X, y, notes = _rows_first(arrays[X_key], y)
    if y is not None and len(X) != len(y):
        raise DataError(
            f"{name}: {X_key} has {counted(len(X), 'row')} and {y_key} has {len(y):,}: they must "
            "be as many"
        )
    shape = X.shape
    if X.ndim == 1:
        X = X[:, None]
    elif X.ndim > 2 and X.shape[-1] == 1:  # one channel
        X = X[..., 0]
    elif X.ndim > 2 and X.shape[1] == 1:
        X = X[:, 0]
    elif X.ndim == 4:
        X = X.reshape(len(X), -1)
        notes.append(f"pictures of several channels, {shape[1:]}: {X.shape[1]:,} inputs")
    if X.ndim not in (2, 3) or not X.size:
        raise DataError(
            f"{name}: {X_key} must be numbers of shape (m, n) or (m, height, width); it is "
            f"{X.dtype} of shape {shape}"
        )
    return X, y, notes


def _rows_first(X: Array, y: Array | None) -> tuple[Array, Array | None, list[str]]:
    """Return X and y with an example in each row: MATLAB's toolbox has them in columns."""
    if y is None or not X.ndim or not len(y) or len(X) == len(y):
        return X, y, []
    if X.shape[-1] == len(y):
        X = np.moveaxis(X, -1, 0)
    elif y.ndim == 2 and X.shape[-1] == y.shape[1]:
        X, y = np.moveaxis(X, -1, 0), y.T
    else:
        return X, y, []
    return X, y, ["an example stands in each column: turned into rows"]


def _columns(X: Array, names: list[str]) -> Table:
    return dict(zip(names, X.reshape(len(X), -1).T, strict=True))


def numbered(width: int) -> list[str]:
    """Return the names of columns that have none: x1, x2, ..."""
    return [f"x{j}" for j in range(1, width + 1)]


def described(arrays: Mapping[str, Array]) -> tuple[str | None, list[str] | None]:
    """Return the target's name and the classes' labels, where an array says them.

    Either ``names`` is "target:label,label,...", or there are ``target_names`` as scikit-learn has.
    """
    keys = _by_bare_name(arrays)
    if "names" in keys:
        found = [str(part) for part in arrays[keys["names"]].ravel()]
        if len(found) == 1 and ":" in found[0]:
            label, words = found[0].split(":", 1)
            return label, words.split(",")
    classes = next((arrays[keys[key]] for key in CLASS_NAMES if key in keys), None)
    return None, None if classes is None else [str(part) for part in classes.ravel()]


def column_names(arrays: Mapping[str, Array], width: int) -> list[str]:
    """Return the names of the columns, where an array says them."""
    keys = _by_bare_name(arrays)
    for key in COLUMN_NAMES:
        found = [str(part) for part in arrays[keys[key]].ravel()] if key in keys else []
        if len(found) == width == len(set(found)):
            return found
    return numbered(width)


def _target(y: Array, where: str, words: list[str] | None) -> Array:
    if y.ndim == 2 and 1 in y.shape:
        y = y.ravel()
    if y.dtype.kind not in "fiubU" or y.ndim not in (1, 2) or (y.dtype.kind == "U" and y.ndim > 1):
        raise DataError(f"{where} must be numbers or text of shape (m,); it is {y.dtype} {y.shape}")
    if (
        words is not None
        and y.dtype.kind in "iu"
        and 0 <= y.min(initial=0) <= y.max(initial=0) < len(words)
    ):
        return np.array(words, dtype=object)[y]
    return y.astype(object) if y.dtype.kind == "U" else y

"""The front door: `blocks` opens a table, whatever it is, and reads little of it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from glob import glob, has_magic
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.common.checks import DataError, shortened
from chainrule.datasets.arrays import column_names, described, inputs_and_target, numbered
from chainrule.datasets.encoding import Encoder, Reading
from chainrule.datasets.formats import ENDINGS
from chainrule.datasets.names import columns_named, no_such
from chainrule.datasets.scanning import natural
from chainrule.datasets.tables import reading_like
from chainrule.datasets.targets import MAX_CLASSES, TARGET_NAMES
from chainrule.engine.blocks import Arrays, NpyFile, Source
from chainrule.engine.memory import bytes_of
from chainrule.engine.readers.frames import DaskFrame, Frames, Held, Scanned, Sheet
from chainrule.engine.readers.stored import (
    Binary,
    DaskArray,
    Hdf5,
    Stitched,
    Stored,
    Zarr,
    name_of,
    npz_members,
)
from chainrule.engine.readers.text import Csv, Svmlight
from chainrule.engine.readers.views import Encoded, Kept
from chainrule.notes.backprop import is_sparse

Path_ = str | os.PathLike[str]
MORE_ENDINGS = {".zarr": "zarr", ".h5": "hdf5", ".hdf5": "hdf5", ".hdf": "hdf5"}
ZARR = ("zarr.json", ".zgroup", ".zarray")  # one of these stands in a folder of Zarr
X_IN_A_NAME = re.compile(r"(?<![A-Za-z])([Xx])(?![A-Za-z])")  # X.npy, X-03.npy, 03_X.npy


def blocks(
    what: Any,
    target: Any = None,
    *,
    weights: Any = None,
    columns: Sequence[str] | None = None,
    encoder: Encoder | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    memory: int | str | None = None,
) -> Source:
    r"""Open a table of any size, to be read a block of rows at a time.

    Parameters
    ----------
    what : path, sequence of paths, or arrays
        A file, a folder, or a pattern such as ``"folder/*.parquet"``: the files of one table, one
        below the other in the order of their names, in which part-2 stands before part-10.
        Parquet, Arrow (Feather), csv (plain, gzip or zip), npy, npz, Zarr, HDF5 and svmlight are
        read.  Or an array: of NumPy (a memory map too), SciPy (sparse), Zarr, h5py or Dask, or a
        dataframe of Polars, pandas or Dask.
    target : str, sequence of str, path or array, optional
        The column to predict, by its name or position (from 1, or from -1 at the end); several are
        several outputs.  In a file of arrays the name of one.  For an array, and for .npy, where
        the target has a file of its own, that array or path.  Default: the column called target,
        label, class or y, the array that `chainrule.datasets.load` would take, or the file that is
        named as that of X is, with y for X.  Text is classes; numbers are codes or numbers.
    weights : str or array, optional
        The column, the array in the file, or the array that has the weight of each row.
    columns : sequence of str, optional
        The inputs, in their order.  Default: all other columns.
    encoder : Encoder, optional
        That of a table with the same columns, such as ``load("some rows.csv").encoder``: text,
        dates and missing values become inputs as there.
    header, encoding : optional
        Of csv, as for `chainrule.datasets.load`.
    memory : int or str, optional
        Bytes, or a text such as ``"2GB"``: rows are kept in memory once they were read, as far as
        that suffices, so that a table which fits is read once.  Default: none are kept.

    Returns
    -------
    Source
        With m rows and n inputs.  Of csv and svmlight, which say nowhere how many rows there are,
        all is read once; of other formats the headers, and text labels.

    Raises
    ------
    DataError
        If no file is found or one cannot be used; the message names it and says what to type.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> for part, rows in enumerate(["1,2,a\n3,4,b\n", "5,6,b\n"]):
    ...     _ = Path(folder.name, f"part-{part}.csv").write_text("width,height,label\n" + rows)
    >>> data = blocks(f"{folder.name}/*.csv")
    >>> data.m, data.names, data.classes
    (3, ('width', 'height'), ('a', 'b'))
    >>> X, y, weights = data.read(1, 3)
    >>> X, y
    (array([[3., 4.],
           [5., 6.]]), array([1, 1]))
    >>> folder.cleanup()
    """
    source = _opened(what, target, weights, columns, encoder, Reading(header, encoding))
    if encoder is not None:
        if isinstance(source, Arrays):
            raise DataError("encoder is for tables in files: an array's numbers are the inputs")
        if columns is not None:
            raise DataError("the encoder knows which columns are the inputs: leave columns out")
        if target is not None and isinstance(source, Frames) and source.target != encoder.targets:
            raise DataError(
                f"the encoder's target is {shortened(encoder.targets) or 'none'}, and target names "
                f"{shortened(source.target)}: leave target out, or give another encoder"
            )
        source = Encoded(source, encoder)
    return source if memory is None else Kept(source, bytes_of(memory))


def _opened(
    what: Any,
    target: Any,
    weights: Any,
    columns: Sequence[str] | None,
    encoder: Encoder | None,
    like: Reading,
) -> Any:
    if isinstance(what, Source):
        return what
    if what is None or (isinstance(what, str | list | tuple) and not len(what)):
        raise DataError("the table is empty: name a file, a folder or a pattern, or give an array")
    if not isinstance(what, str | os.PathLike) and not _is_paths(what):
        return _of_object(what, target, weights, columns)
    if encoder is not None:
        like = reading_like(encoder, like.header, like.encoding)
    paths = files(what)
    kind = _kind(paths)
    if kind in ("parquet", "arrow", "text"):
        if kind == "text":
            sheets: list[Any] = [Csv(paths[0], like)]
            later = Reading(like.header, like.encoding, like.forms or sheets[0].reading.forms)
            sheets += [Csv(path, later) for path in paths[1:]]
        else:
            sheets = [Scanned(path, kind) for path in paths]
        return _of_sheets(sheets, target, weights, columns, encoder)
    if columns is not None:
        raise DataError(
            f"{paths[0]}: columns names the inputs among named columns, and {kind} files have none"
        )
    if kind == "svmlight":
        return Svmlight(paths)
    if kind == "npy":
        return _of_npy(paths, target, weights)
    members = [ARRAYS[kind](path) for path in paths]
    return _of_members(paths, members, target, weights)


def _is_paths(what: Any) -> bool:
    return (
        isinstance(what, list | tuple)
        and len(what) > 0
        and all(isinstance(path, str | os.PathLike) for path in what)
    )


def files(what: Path_ | Sequence[Path_]) -> list[str]:
    """Return the files that are meant by a path, a folder, a pattern or a list, in order.

    Raises
    ------
    DataError
        If there is none.
    """
    if not isinstance(what, str | os.PathLike):
        return [path for part in what for path in files(part)]
    name = os.fspath(what)
    path = Path(name)
    if path.exists() and (path.is_file() or _is_zarr(path)):
        return [name]
    if path.is_dir():
        folder = path
        all_of = [f for f in path.rglob("*") if _is_data(f.relative_to(path))]
        stores = [f for f in all_of if _is_zarr(f) and not any(map(_is_zarr, f.parents))]
        found = [str(f) for f in stores or all_of if stores or f.is_file()]
        if not found:
            raise DataError(f"{name}: the folder has no files")
    elif has_magic(name):
        folder = Path(re.split(r"[*?[]", name)[0] + "_").parent  # that the pattern begins in
        found = [f for f in glob(name, recursive=True) if _is_data(Path(Path(f).name))]
        if not found:
            there = sorted(f.name for f in folder.iterdir()) if folder.is_dir() else []
            hint = f"; in {folder} there is {shortened(there)}" if there else ""
            raise DataError(f"{name}: no file matches{hint}")
    else:
        raise DataError(f"{name}: there is no such file or folder")
    divided = next((f for f in found if "=" in os.path.dirname(os.path.relpath(f, folder))), None)
    if divided is not None:
        raise DataError(
            f"{divided}: a column stands in the name of a folder, where it is not read: write the "
            "table with all columns in its files"
        )
    return sorted(found, key=lambda file: natural(Path(file)))


def _is_zarr(path: Path) -> bool:
    """Tell whether a folder is one of Zarr's."""
    return any((path / sign).is_file() for sign in ZARR)


def _is_data(path: Path) -> bool:
    """Tell data from what programs write beside it, such as _SUCCESS and .crc files."""
    return not any(part[0] in "._" for part in path.parts)


def _kind(paths: Sequence[str]) -> str:
    """Return the format of files, which must have the same."""
    kinds = {path: _kind_of(path) for path in paths}
    first = kinds[paths[0]]
    other = next((path for path in paths if kinds[path] != first), None)
    if other is not None:
        raise DataError(
            f"{paths[0]} is {first} and {other} is {kinds[other]}: name the files of one format, "
            f"as in {Path(other).parent / ('*' + Path(paths[0]).suffix)}"
        )
    if first not in (*ARRAYS, "npy", "parquet", "arrow", "text", "svmlight"):
        raise DataError(
            f"{paths[0]}: {first} is not read in blocks: save the table as parquet, or read it "
            "with chainrule.datasets.load"
        )
    return first


def _kind_of(path: str) -> str:
    """Return the format that a file's name says; gzip and zip are looked through."""
    if Path(path).is_dir():
        return "zarr"
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    while suffixes and ENDINGS.get(suffixes[-1]) in ("gz", "zip", "bz2", "xz"):
        suffixes.pop()
    kinds = {**ENDINGS, **MORE_ENDINGS}
    kind = kinds.get(suffixes[-1], "text") if suffixes else "text"
    if kind == "text":
        with open(path, "rb") as file:
            head = file.read(8)
        for begin, found in ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\x93NUMPY", "npy")):
            kind = found if head.startswith(begin) else kind
    return kind


def _of_sheets(
    sheets: Sequence[Sheet],
    target: Any,
    weights: Any,
    columns: Sequence[str] | None,
    encoder: Encoder | None = None,
) -> Frames:
    """Return the source of a table with named columns."""
    name, names = sheets[0].name, list(sheets[0].types)
    chosen = _target_columns(target, names, name)
    wanted = [weights] if isinstance(weights, str) else []
    if weights is not None and not wanted:
        raise DataError(f"{name}: weights must be the name of a column, got {type(weights)}")
    weight, *more = columns_named(wanted, names, "column of weights {!r}", name) or (None,)
    if more:
        raise DataError(f"{name}: one column has the weights, got {weights!r}")
    if columns is not None:
        wanted = [columns] if isinstance(columns, str) else list(columns)
        columns = columns_named(wanted, names, "column {!r}", name)
        if both := [column for column in columns if column in (*chosen, weight)]:
            raise DataError(f"{name}: column {both[0]!r} is no input: leave it out of columns")
    frames = Frames(sheets, chosen, weight, columns)
    if not frames.n:
        raise DataError(f"{name}: no column is left for the inputs")
    if len(chosen) == 1 and encoder is None:
        frames.classes = frames.labels()
    return frames


def _target_columns(target: Any, names: Sequence[str], name: str) -> tuple[str, ...]:
    if target is None:
        by_name = {column.lower(): column for column in reversed(names)}
        return tuple([by_name[word] for word in TARGET_NAMES if word in by_name][:1])
    wanted = [target] if isinstance(target, str) else target
    if not isinstance(wanted, Sequence) or not all(isinstance(word, str) for word in wanted):
        raise DataError(f"{name}: target must be the name of a column, got {type(target)}")
    return columns_named(wanted, names, "target column {!r}", name)


def _of_npy(paths: Sequence[str], target: Any, weights: Any) -> Stored:
    """Return the source of .npy files: of X with files of the target, or of whole tables."""
    y = column = None
    if isinstance(target, str | os.PathLike) and os.fspath(target).endswith(".npy"):
        of_y = files(target)
        y, paths = _stitched([NpyFile(path) for path in of_y]), [p for p in paths if p not in of_y]
    elif target is None:
        pairs = {path: found for path in paths if (found := _partner(path, paths))}
        alone = [path for path in paths if path not in (*pairs, *pairs.values())]
        if pairs and alone:
            raise DataError(
                f"{alone[0]}: has no partner: name the files in pairs, as X-1.npy and y-1.npy, or "
                "give those of the target, as in target='y*.npy'"
            )
        if pairs:
            y, paths = _stitched([NpyFile(path) for path in pairs.values()]), list(pairs)
    elif not isinstance(target, str):
        y = _as_array(target)
    if isinstance(weights, str | os.PathLike):
        w = _stitched([NpyFile(path) for path in files(weights)])
    else:
        w = _as_array(weights)
    X = _stitched([NpyFile(path) for path in paths])
    if y is None and target is not None:
        names = numbered(math.prod(X.shape[1:]))
        (name,) = columns_named([target], names, "target column {!r}", paths[0])
        column = names.index(name)
    return Stored(X, y, w, column=column)


def _partner(path: str, paths: Sequence[str]) -> str | None:
    """Return the file that is named as X's is, with y for X."""
    for y in "yY":
        found = str(Path(path).with_name(X_IN_A_NAME.sub(y, Path(path).name)))
        if found != path and found in paths:
            return found
    return None


def _of_members(
    paths: Sequence[str], members: Sequence[dict[str, Any]], target: Any, weights: Any
) -> Stored:
    """Return the source of files of arrays, which must have the same names."""
    first = members[0]
    if {"indices", "indptr", "data", "shape"} <= set(first):
        raise DataError(
            f"{paths[0]}: a sparse matrix as SciPy saves it: give "
            "blocks(scipy.sparse.load_npz(...), target)"
        )
    X_name, y_name = inputs_and_target(paths[0], first)
    if isinstance(target, str):
        y_name = target
    parts: list[Any] = []
    for name, what in ((X_name, "inputs"), (y_name, "target"), (weights, "weights")):
        if not isinstance(name, str):
            parts.append(None)
            continue
        for path, arrays in zip(paths, members, strict=True):
            if name not in arrays:
                raise no_such(f"array of the {what}, {name!r}", name, list(arrays), path)
        parts.append(_stitched([arrays[name] for arrays in members]))
    X, y, w = parts
    y = _as_array(target) if target is not None and not isinstance(target, str) else y
    w = _as_array(weights) if weights is not None and not isinstance(weights, str) else w
    width = math.prod(X.shape[1:])
    texts = {
        name: np.char.strip(array[0 : array.shape[0]].astype(str))
        for name, array in first.items()
        if array.dtype.kind in "US" and len(array.shape) == 1 and array.shape[0] <= width
    }
    names, classes = column_names(texts, width), _labels(y)
    _, words = described(texts)
    if words is not None and y is not None and y.dtype.kind in "iu":
        codes = y[0 : y.shape[0]]
        classes = tuple(words) if codes.min() >= 0 and codes.max() < len(words) else None
    return Stored(X, y, w, classes=classes, names=() if names[0] == "x1" else tuple(names))


def _labels(y: Any) -> tuple[str, ...] | None:
    """Return the labels that an array of text holds, in order."""
    if y is None or y.dtype.kind not in "US":
        return None
    found: set[Any] = set()
    for first in range(0, y.shape[0], 1 << 16):
        found |= set(np.unique(y[first : min(first + (1 << 16), y.shape[0])]).tolist())
    if len(found) > MAX_CLASSES:
        raise DataError(f"{name_of(y)}: has more than {MAX_CLASSES} classes")
    return tuple(sorted(found))


def _stitched(arrays: Sequence[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else Stitched(arrays)


def _of_object(what: Any, target: Any, weights: Any, columns: Any) -> Any:
    """Return the source of an array or of a dataframe."""
    if type(what).__module__.partition(".")[0] in ("polars", "pandas") and hasattr(what, "columns"):
        return _of_sheets([Held(what)], target, weights, columns)
    if hasattr(what, "to_delayed") and hasattr(what, "npartitions") and hasattr(what, "columns"):
        return _of_sheets([DaskFrame(what)], target, weights, columns)
    if columns is not None:
        raise DataError("columns names the inputs of a table with named columns; X is an array")
    if isinstance(target, str):
        raise DataError("target must be the array of the targets, as X is an array")
    X, y, weights = parts = [_as_array(part) for part in (what, target, weights)]
    here = all(part is None or is_sparse(part) or _is_numbers(part) for part in parts)
    if here and X.ndim == 2:  # so that an epoch shuffles all rows at once, as of X itself
        return Arrays(X, y, weights)
    return Stored(X, y, weights, classes=_labels(y))


def _is_numbers(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.dtype.kind in "fiub"


def _as_array(what: Any) -> Any:
    """Return what has rows: an array in memory, or one that is read from where it lies."""
    if what is None or isinstance(what, str):
        return None
    if isinstance(what, np.ndarray):
        return Binary.of_map(what) or what
    if is_sparse(what):
        from scipy.sparse import csr_array

        return csr_array(what)
    module = type(what).__module__.partition(".")[0]
    if module == "dask":
        return DaskArray(what)
    if module == "h5py":
        return Hdf5(what.file.filename, what.name, what.shape, what.dtype)
    if module == "zarr":
        path = getattr(what.store, "root", None)
        if path is None:
            raise DataError("a Zarr array must lie in a folder: name that folder")
        return Zarr(what, str(path))
    return np.asarray(what)


def _zarr(path: str) -> dict[str, Any]:
    if find_spec("zarr") is None:
        raise DataError(f"{path}: to read Zarr, type pip install 'chainrule[zarr]'")
    import zarr

    try:
        found = zarr.open(path, mode="r")
        members = found.members(max_depth=None) if isinstance(found, zarr.Group) else [("X", found)]
        arrays = {name: part for name, part in members if isinstance(part, zarr.Array)}
    except Exception as error:  # of many kinds, by what is damaged
        raise DataError(f"{path}: not a Zarr folder that can be read ({error})") from None
    return {name: Zarr(array, path) for name, array in arrays.items()}


def _hdf5(path: str) -> dict[str, Any]:
    if find_spec("h5py") is None:
        raise DataError(f"{path}: to read HDF5, type pip install 'chainrule[hdf5]'")
    import h5py

    found: dict[str, Any] = {}

    def note(name: str, part: Any) -> None:
        if isinstance(part, h5py.Dataset) and part.dtype.kind in "fiub" and part.shape:
            if "MATLAB_class" in part.attrs:
                raise DataError(
                    f"{path}: MATLAB's, with examples in columns: it is read as a whole, by "
                    "chainrule.datasets.load"
                )
            found[name] = Hdf5(path, name, part.shape, part.dtype)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
    except OSError as error:
        raise DataError(f"{path}: not an HDF5 file that can be read ({error})") from None
    return found


ARRAYS = {"npz": npz_members, "zarr": _zarr, "hdf5": _hdf5}

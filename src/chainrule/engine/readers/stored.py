"""Arrays that lie in files, of which rows are read: .npy, members of .npz, Zarr, HDF5.

Each has a shape, a dtype, the states of its files, and ``array[first:last]``, as an array in memory
has; so `Stored` makes a source of any of them, and `Stitched` one array of many.
"""

from __future__ import annotations

import io
import itertools
import math
import mmap
import os
import struct
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.common.checks import DataError, counted, npy_header
from chainrule.common.types import Array
from chainrule.datasets.arrays import numbered
from chainrule.datasets.contents import Contents
from chainrule.datasets.encoding import Reading
from chainrule.engine.blocks import Arrays, FileState, NpyFile, Rows, Source
from chainrule.engine.readers.spans import Packed, Plain, Span, file_state, unreadable
from chainrule.notes.backprop import is_sparse

AT_A_TIME = 1 << 26  # bytes by columns that are better unpacked as a whole than for each column
HEADER = 1 << 16  # bytes: no header of npy that can be used has more
LOCAL_HEADER = struct.Struct("<26xHH")  # of a member of a zip file: how long its name and extra are


class Stored(Source):
    """A source of arrays that have rows, wherever they lie.

    Parameters
    ----------
    X : array of shape (m, n), or of pictures, of shape (m, height, width)
    y : array of shape (m,) or (m, K), optional
    weights : array of shape (m,), optional
    column : int, optional
        The column of X that is the target.
    classes : tuple, optional
        The labels, in order, that y holds, or the codes of which it holds; else it has numbers.
    names : tuple of str, optional
        Of the columns.

    Examples
    --------
    >>> table = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]])
    >>> Stored(table, column=2).read(0, 2)
    (array([[1., 2.],
           [3., 4.]]), array([0., 1.]), None)
    """

    def __init__(
        self,
        X: Any,
        y: Any = None,
        weights: Any = None,
        *,
        column: int | None = None,
        classes: tuple[Any, ...] | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        self.names = names
        self.X, self.y, self.weights, self.column, self.classes = X, y, weights, column, classes
        self.dear = any(packed(array) for array in (X, y, weights))
        where = name_of(X)
        if len(X.shape) < 2 or X.dtype.kind not in "fiub":
            raise DataError(
                f"{where}: X must be numbers of shape (m, n), it is {X.dtype} of shape "
                f"{tuple(X.shape)}"
            )
        self.m, self.n = X.shape[0], math.prod(X.shape[1:]) - (column is not None)
        for what, values in (("the target", y), ("weights", weights)):
            if values is not None and values.shape[0] != self.m:
                raise DataError(
                    f"{where} has {counted(self.m, 'row')}, and {what} {name_of(values)} has "
                    f"{values.shape[0]:,}: they must be as many"
                )
        self.K = math.prod(y.shape[1:]) if y is not None else 1
        self.weighted = weights is not None

    def read(self, first: int, last: int) -> Rows:
        """Return the rows, of X as they are stored."""
        parts: list[Any] = [
            None if part is None else part[first:last] for part in (self.X, self.y, self.weights)
        ]
        X, y, weights = parts
        X = X if is_sparse(X) else np.asarray(X).reshape(last - first, -1)
        if self.column is not None:
            X, y = np.delete(X, self.column, axis=1), X[:, self.column]
        if y is not None:
            y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
            if self.classes is not None and y.dtype.kind in "US":
                y = codes_of(y, self.classes, self.where(first))
        return X, y, weights

    def contents(self, first: int, last: int, like: Reading | None = None) -> Contents:
        """Return some rows as `chainrule.datasets` reads a file that has no others."""
        X, y, _ = self.read(first, last)
        X = X.toarray() if is_sparse(X) else X
        table = dict(zip(self.names or numbered(self.n), X.T, strict=True))
        if y is not None and self.classes is not None:
            y = np.array(self.classes, dtype=object)[y]
        return Contents(name_of(self.X), "", table, "y", y, named=False)

    def weights_of(self, first: int, last: int) -> Array:
        """Return the weights of rows first, ..., last - 1."""
        return np.asarray(self.weights[first:last])

    def where(self, row: int) -> str:
        """Return the file that has a row, and the row's number there, counted from 1."""
        return place_of(self.X, row)

    def state(self) -> tuple[Any, ...]:
        """Return the states of the files, hashes of what lies in memory, and what is the target."""
        parts = [part for part in (self.X, self.y, self.weights) if part is not None]
        chosen = (self.column, self.classes, self.weighted)
        return (*(state for part in parts for state in states_of(part)), chosen)


class Stitched:
    """Arrays of many files, one below the other, as one.

    Examples
    --------
    >>> stitched = Stitched([np.zeros((2, 1)), np.ones((3, 1))])
    >>> stitched.shape, stitched[1:4].ravel()
    ((5, 1), array([0., 1., 1.]))
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        first, *rest = self.parts = list(parts)
        for part in rest:
            if part.shape[1:] != first.shape[1:]:
                raise DataError(
                    f"{name_of(part)} has shape {tuple(part.shape)}, and {name_of(first)} has "
                    f"{tuple(first.shape)}: files of one table must have the same columns"
                )
        self.starts = starts_of([len_of(part) for part in parts])
        self.shape = (self.starts[-1], *first.shape[1:])
        self.dtype = np.result_type(*{part.dtype for part in parts})

    def __getitem__(self, rows: slice) -> Array:
        found = [
            np.asarray(self.parts[k][a:b]) for k, a, b in pieces(self.starts, rows.start, rows.stop)
        ]
        if len(found) == 1:
            return found[0].astype(self.dtype, copy=False)
        return np.concatenate(found, dtype=self.dtype)


class Binary:
    """An array whose bytes stand in a file from a place on, by rows."""

    def __init__(self, span: Span, begin: int, shape: tuple[int, ...], dtype: Any, name: str):
        self.span, self.begin, self.shape, self.name = span, begin, shape, name
        self.dtype, self.states = np.dtype(dtype), (span.state, name)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def __getitem__(self, rows: slice) -> Array:
        of_row = math.prod(self.shape[1:])
        found = self._values(rows.start * of_row, (rows.stop - rows.start) * of_row)
        return found.reshape(-1, *self.shape[1:])

    def _values(self, first: int, count: int) -> Array:
        """Return numbers from a place on."""
        size = self.dtype.itemsize
        content = self.span.read(self.begin + first * size, count * size)
        if len(content) < count * size:
            raise DataError(f"{self.name} is cut off: get it once more")
        return np.frombuffer(content, self.dtype)

    @classmethod
    def of_map(cls, array: Any) -> Binary | None:
        """Return what a memory-mapped array is a map of, or None where it is a view of one."""
        shared = isinstance(array, np.memmap) and array.mode in ("r", "r+")
        whole = shared and isinstance(array.base, mmap.mmap) and array.flags.c_contiguous
        if not whole or array.filename is None or not array.ndim:
            return None
        path = os.fspath(array.filename)
        return cls(Plain(path), array.offset, array.shape, array.dtype, path)


class ByColumns(Binary):
    """A matrix whose bytes stand by columns, as those of pandas' numbers do."""

    def __getitem__(self, rows: slice) -> Array:
        m, n = self.shape
        if isinstance(self.span, Packed) and self.size * self.dtype.itemsize <= AT_A_TIME:
            whole = self._values(0, self.size).reshape(self.shape, order="F")
            return np.ascontiguousarray(whole[rows])
        count = rows.stop - rows.start
        return np.stack([self._values(j * m + rows.start, count) for j in range(n)], axis=1)


def npz_members(path: str) -> dict[str, Binary]:
    """Return the arrays of an npz file by name; none is read."""
    members = {}
    try:
        with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    name = info.filename.removesuffix(".npy")
                    members[name] = _npy_in(_member(path, file, info), f"{path}: {name}")
    except OSError as error:
        raise unreadable(path, error) from None
    except (zipfile.BadZipFile, struct.error) as error:
        raise DataError(f"{path}: not an npz file that can be read ({error})") from None
    return members


def zip_member(path: str) -> Span:
    """Return the only file that a zip file has."""
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        members = [info for info in archive.infolist() if not info.is_dir()]
        members = [info for info in members if not info.filename.startswith("__MACOSX")]
        if len(members) != 1:
            raise DataError(f"{path}: has {len(members)} files: unpack it and name one of them")
        return _member(path, file, members[0])


def _member(path: str, file: Any, info: zipfile.ZipInfo) -> Span:
    """Return the content of a member of a zip file, of which an open file is given."""
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{path}: {info.filename} is packed in a way that is not read: unpack it")
    file.seek(info.header_offset)
    begin = info.header_offset + LOCAL_HEADER.size
    begin += sum(LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size)))
    if info.compress_type == zipfile.ZIP_STORED:
        return Plain(path, begin, info.file_size)
    return Packed(path, begin, raw=True)


def _npy_in(span: Span, name: str) -> Binary:
    """Return the array whose npy file stands in a span."""
    file = io.BytesIO(span.read(0, HEADER))
    try:
        shape, fortran, dtype = npy_header(file)
    except ValueError as error:
        raise DataError(f"{name}: not an array that can be read ({error})") from None
    if dtype.hasobject:
        raise DataError(
            f"{name} holds Python objects, which could run code: save numbers or text, as with "
            ".astype(str)"
        )
    if fortran and len(shape) == 2:
        return ByColumns(span, file.tell(), shape, dtype, name)
    if fortran and len(shape) > 2:
        raise DataError(
            f"{name} is stored column by column: save it by rows, with np.ascontiguousarray"
        )
    return Binary(span, file.tell(), shape, dtype, name)


class Zarr:
    """An array of Zarr in a folder.

    Its files have no later date than the latest that there was when it was opened: else they were
    changed.  A chunk without a file is one of zeros, unless every chunk had one.
    """

    def __init__(self, array: Any, path: str) -> None:
        self.array, self.name = array, f"{path}: {array.path}" if array.path else path
        self.shape, self.dtype, self.folder = array.shape, np.dtype(array.dtype), Path(path)
        states = [file_state(found) for found in (self.folder, *self.folder.rglob("*"))]
        self.latest = max(state.written for state in states)
        self.states = ((path, sum(state.size for state in states), self.latest),)
        self.complete = all(file.exists() for file in self._files(slice(0, self.shape[0])))

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def __getitem__(self, rows: slice) -> Array:
        for file in self._files(rows):
            there = file.exists()
            late = [f for f in (file, file.parent) if f.exists() and self._is_late(f)]
            if late or (self.complete and not there):
                raise DataError(
                    f"{file} was changed while it was in use: begin anew with {self.folder}"
                )
        return np.asarray(self.array[rows])

    def _is_late(self, file: Path) -> bool:
        return file.stat().st_mtime_ns > self.latest

    def _files(self, rows: slice) -> Iterator[Path]:
        """Yield the files of the chunks, or of the shards of chunks, that hold some rows."""
        here = self.folder / self.array.path
        shape = getattr(self.array, "shards", None) or self.array.chunks
        counts = [range(-(-n // of)) for n, of in zip(self.shape[1:], shape[1:], strict=True)]
        ours = range(rows.start // shape[0], -(-rows.stop // shape[0]))
        for place in itertools.product(ours, *counts):
            yield here / self.array.metadata.encode_chunk_key(place)


class Hdf5:
    """A data set of an HDF5 file; the file is opened in each process that reads it."""

    def __init__(self, path: str, member: str, shape: tuple[int, ...], dtype: Any) -> None:
        self.path, self.member, self.shape, self.dtype = path, member, shape, dtype
        self.name, self.state = f"{path}: {member}", file_state(path)
        self.states = (self.state, member)
        self._file: Any = None
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def __getitem__(self, rows: slice) -> Array:
        import h5py

        self.state.check()
        with self._lock:
            try:
                if self._file is None:
                    self._file = h5py.File(self.path, "r")
                return np.asarray(self._file[self.member][rows])
            except OSError as error:
                raise DataError(f"{self.name}: cannot be read ({error})") from None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


class DaskArray:
    """An array of Dask, whose rows are computed when they are read."""

    def __init__(self, array: Any) -> None:
        if any(math.isnan(length) for length in array.shape):
            raise DataError(
                "a Dask array whose chunks have unknown lengths has no row numbers: call "
                "its compute_chunk_sizes() first"
            )
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.states, self.name = ((array.name,),), "the Dask array"

    def __getitem__(self, rows: slice) -> Array:
        return np.asarray(computed(self.array[rows]))

    def __getstate__(self) -> dict[str, Any]:
        return travelling(self.array, self.__dict__)


def computed(part: Any) -> Any:
    """Compute a part of an array or dataframe of Dask: here, or by the workers that hold it."""
    client = holder(part)
    if client is None:
        return part.compute(scheduler="synchronous")
    return client.compute(part).result()


def holder(collection: Any) -> Any:
    """Return the client whose workers hold what is in a collection of Dask, if any do."""
    graph = dict(collection.__dask_graph__())
    return next((step.client for step in graph.values() if hasattr(step, "client")), None)


def travelling(collection: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Return what a worker needs to compute a collection of Dask by itself."""
    if holder(collection) is not None:
        raise DataError(
            "X or y is persisted, and would be lost with its workers: give it as it was before "
            "persist(); the workers keep its rows where their memory is large enough"
        )
    return state


def codes_of(labels: Array, classes: tuple[Any, ...], where: str) -> Array:
    """Return the codes of labels, which the classes have in order."""
    known = np.array(classes)
    codes = np.minimum(np.searchsorted(known, labels), len(known) - 1)
    if (wrong := known[codes] != labels).any():
        raise DataError(
            f"{where}: {labels[int(np.argmax(wrong))]!r} is none of the classes {classes}"
        )
    return codes


def starts_of(lengths: Sequence[int]) -> list[int]:
    """Return where each part begins, and where the last one ends."""
    return [0, *np.cumsum(lengths).tolist()]


def pieces(starts: Sequence[int], first: int, last: int) -> list[tuple[int, int, int]]:
    """Return the parts that rows first, ..., last - 1 lie in: which, and its rows from, to.

    Examples
    --------
    >>> pieces([0, 4, 4, 10], 2, 6)
    [(0, 2, 4), (2, 0, 2)]
    """
    k = int(np.searchsorted(starts, first, side="right")) - 1
    found = []
    while first < last:
        end = min(last, starts[k + 1])
        if end > first:
            found.append((k, first - starts[k], end - starts[k]))
        first, k = end, k + 1
    return found


def len_of(array: Any) -> int:
    """Return how many rows an array has."""
    return int(array.shape[0])


def name_of(array: Any) -> str:
    """Return what errors call an array."""
    if isinstance(array, Stitched):
        return name_of(array.parts[0])
    state = getattr(array, "state", None)
    return str(getattr(array, "name", state.path if isinstance(state, FileState) else "X"))


def packed(array: Any) -> bool:
    """Tell whether an array must be unpacked from its beginning."""
    if isinstance(array, Stitched):
        return any(packed(part) for part in array.parts)
    return isinstance(array, Binary) and isinstance(array.span, Packed)


def place_of(array: Any, row: int) -> str:
    """Return the name of the array that has a row, and the row's number in it."""
    if isinstance(array, Stitched):
        k, first, _ = pieces(array.starts, row, row + 1)[0]
        return place_of(array.parts[k], first)
    return f"{name_of(array)}, row {row + 1:,}"


def states_of(array: Any) -> tuple[Any, ...]:
    """Return the states of an array's files, or the hash of one in memory."""
    if isinstance(array, Stitched):
        return tuple(state for part in array.parts for state in states_of(part))
    if isinstance(array, NpyFile):
        return (array.state,)
    if is_sparse(array):
        return Arrays(array).state()
    if isinstance(array, np.ndarray):
        return Arrays(array.reshape(len(array), -1)).state()
    return tuple(array.states)

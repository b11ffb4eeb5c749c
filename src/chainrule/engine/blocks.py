"""Tables that are read a block of rows at a time, wherever they lie.

A `Source` reads rows by their numbers, as they are stored.  A `Block` says which rows, of which
source, for which network: so little that it travels to another process, which then reads the rows
by itself.  What is stored becomes what is computed with inside the block: its dtype, the classes'
columns of Y, contiguous rows.

The blocks' borders are row numbers that follow from the table's shape alone.  So the same rows are
summed together whether they lie in memory, in one file or in many.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import (
    DataError,
    as_dtype,
    counted,
    npy_header,
    refuse_non_finite,
    shortened,
)
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.notes.backprop import is_sparse
from chainrule.notes.network import Network

BYTES = 2**23  # of X and Y in a block, in the dtype computed in
LEAST = 1024  # rows in a block, however long they are
THIN = 0.1  # share of values that are not 0, below which the zeros cost more than the kernel saves

Rows = tuple[Any, Array | None, Array | None]
"""X, y and weights of some rows."""


def block_rows(n: int, K: int, dtype: npt.DTypeLike) -> int:
    """Return how many rows a block has: a power of two, for at most 8 MB of X and Y.

    Examples
    --------
    >>> block_rows(64, 1, np.float32), block_rows(100_000, 10, np.float64)
    (16384, 1024)
    """
    fitting = BYTES // ((n + K) * np.dtype(dtype).itemsize)
    return max(LEAST, 1 << max(fitting, 1).bit_length() - 1)


class FileState(NamedTuple):
    """What shows that a file is the same as before: its size, and when it was written, in ns."""

    path: str
    size: int
    written: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileState:
        """Return the state of a file now."""
        now = os.stat(path)
        return cls(str(Path(path).absolute()), now.st_size, now.st_mtime_ns)

    def check(self) -> None:
        """Raise DataError if the file is another one now."""
        try:
            now = FileState.of(self.path)
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read any more ({error.strerror})") from None
        if now != self:
            raise DataError(f"{self.path} was changed while it was in use: begin anew with it")


class Source(ABC):
    """A table that is read by row numbers.

    Attributes
    ----------
    m : int
        How many rows.
    n : int
        How many columns X has.
    K : int, default=1
        How many columns y has; codes of classes are one.
    names : tuple of str
        Of the columns of X; empty where they have none.
    classes : tuple of str or int, or None
        The label of each class in the order of its code, where y is read as codes.
    weighted : bool
        Whether the rows have weights.
    dear : bool
        Whether reading costs much more than the same rows of a .npy file would.

    Notes
    -----
    A source is pickled as what is needed to open it again: paths and options, never data.
    """

    m: int
    n: int
    K: int = 1
    names: tuple[str, ...] = ()
    classes: tuple[Any, ...] | None = None
    weighted: bool = False
    dear: bool = False

    @abstractmethod
    def read(self, first: int, last: int) -> Rows:
        """Return rows first, ..., last - 1 of the table, counted from 0, as they are stored.

        Called from several threads at a time.

        Returns
        -------
        X : ndarray or scipy.sparse.csr_array of shape (last - first, n)
            Of any dtype of numbers; not to be written to.
        y : ndarray of shape (last - first,) or (last - first, K), or None
            Codes or numbers; None where the table has no target.
        weights : ndarray of shape (last - first,) or (last - first, K), or None

        Raises
        ------
        DataError
            If the file cannot be read, or was changed since the source was opened.
        """

    @abstractmethod
    def state(self) -> tuple[Any, ...]:
        """Return what shows that the data are the same: of files their `FileState`.

        And what is read of them: another target of the same file is another table.
        """

    def where(self, row: int) -> str:
        """Return what errors call a row, counted from 0: its file, and its number there from 1."""
        return f"row {row + 1:,}"

    def __len__(self) -> int:
        return self.m

    def __repr__(self) -> str:
        """Return what the table is, in a line."""
        told = [counted(self.m, "row"), counted(self.n, "column")]
        if self.classes is not None:
            told.append(f"classes {shortened(self.classes)}")
        return f"<{type(self).__name__}: {', '.join(told)}>"


class Arrays(Source):
    """Arrays in memory, or mapped there, as a source: nothing is copied.

    Parameters
    ----------
    X : ndarray or scipy.sparse.csr_array of shape (m, n)
        Of any dtype of numbers.
    y : ndarray of shape (m,) or (m, K), optional
    weights : ndarray of shape (m,) or (m, K), optional

    Examples
    --------
    >>> source = Arrays(np.array([[1], [3]], np.uint8), np.array([0.0, 1.0]))
    >>> source.read(1, 2)
    (array([[3]], dtype=uint8), array([1.]), None)
    """

    def __init__(self, X: Any, y: Array | None = None, weights: Array | None = None) -> None:
        self.X, self.y, self.weights = X, y, weights
        self.m, self.n = X.shape
        for name, values in (("y", y), ("weights", weights)):
            if values is not None and len(values) != self.m:
                raise ValueError(f"X has {self.m} rows and {name} has {len(values)}")
        self.K = y.shape[1] if y is not None and y.ndim == 2 else 1
        self.weighted = weights is not None
        self._state: tuple[Any, ...] | None = None

    def read(self, first: int, last: int) -> Rows:
        """Return views of the rows."""
        rows = slice(first, last)
        return tuple(None if v is None else v[rows] for v in (self.X, self.y, self.weights))  # type: ignore[return-value]

    def state(self) -> tuple[Any, ...]:
        """Return a hash of all the values, which takes a pass over them."""
        if self._state is None:
            import hashlib

            X = (self.X.data, self.X.indices, self.X.indptr) if is_sparse(self.X) else (self.X,)
            digest = hashlib.sha256()
            for values in (*X, self.y, self.weights):
                if values is not None:
                    digest.update(f"{values.dtype} {values.shape}".encode())
                    for first in range(0, len(values), LEAST):
                        digest.update(np.ascontiguousarray(values[first : first + LEAST]).data)
            self._state = (digest.hexdigest(),)
        return self._state


class Npy(Source):
    """Files of the format .npy as a source: X, and the target and the weights, where there are any.

    Parameters
    ----------
    X : path
        Of an array of shape (m, n) and any dtype of numbers.
    y, weights : path or ndarray, optional

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/X.npy", np.array([[1.0], [3.0]], np.float16))
    ...     source = Npy(f"{folder}/X.npy", np.array([0, 1]))
    ...     X, y, weights = source.read(1, 2)
    >>> X.tolist(), y.tolist(), source.m, source.n
    ([[3.0]], [1], 2, 1)
    """

    def __init__(
        self,
        X: str | os.PathLike[str],
        y: str | os.PathLike[str] | Array | None = None,
        weights: str | os.PathLike[str] | Array | None = None,
    ) -> None:
        self._X = NpyFile(X)
        if len(self._X.shape) != 2:
            raise DataError(f"{X}: X must have shape (m, n), got {self._X.shape}")
        self.m, self.n = self._X.shape
        self._y, self._weights = (
            v if v is None or isinstance(v, np.ndarray) else NpyFile(v) for v in (y, weights)
        )
        for name, values in (("y", self._y), ("weights", self._weights)):
            if values is not None and values.shape[:1] != (self.m,):
                raise DataError(f"{X} has {self.m} rows and {name} has shape {values.shape}")
        self.K = self._y.shape[1] if self._y is not None and len(self._y.shape) == 2 else 1
        self.weighted = weights is not None

    def read(self, first: int, last: int) -> Rows:
        """Return the rows, of the mapped files."""
        parts = (self._X, self._y, self._weights)
        return tuple(None if part is None else part[first:last] for part in parts)  # type: ignore[return-value]

    def state(self) -> tuple[Any, ...]:
        """Return the state of each file, and a hash of what is no file."""
        files = [v for v in (self._X, self._y, self._weights) if isinstance(v, NpyFile)]
        rest = [v for v in (self._y, self._weights) if isinstance(v, np.ndarray)]
        hashes = (Arrays(v.reshape(self.m, -1)).state() for v in rest)
        return (*(file.state for file in files), *hashes)


class NpyFile:
    """An array in a file of the format .npy, of which rows are read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self.state = FileState.of(path)
            with open(path, "rb") as file:
                self.shape, self.fortran, self.dtype = npy_header(file)
                self._begin = file.tell()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
        except ValueError as error:
            raise DataError(f"{path}: not a .npy file that can be used ({error})") from None
        if self.dtype.kind not in "fiub":
            raise DataError(f"{path} must hold numbers, got {self.dtype}")
        if not self.shape or 0 in self.shape:
            raise DataError(f"{path}: has no rows, its shape is {self.shape}")
        size = math.prod(self.shape) * self.dtype.itemsize
        if self.state.size < self._begin + size:
            raise DataError(f"{path}: is cut off, {self.shape} of {self.dtype} need {size:,} bytes")
        self._map: Array | None = None

    def __getitem__(self, rows: slice) -> Array:
        self.state.check()
        if self._map is None:
            try:
                order: Any = "F" if self.fortran else "C"
                self._map = np.memmap(
                    self.state.path, self.dtype, "r", self._begin, self.shape, order
                )
            except OSError:  # where addresses are limited, nothing can be mapped
                if self.fortran:
                    raise
                return self._read(rows)
        return self._map[rows]

    def _read(self, rows: slice) -> Array:
        of_row = math.prod(self.shape[1:])
        offset = self._begin + rows.start * of_row * self.dtype.itemsize
        count = (rows.stop - rows.start) * of_row
        return np.fromfile(self.state.path, self.dtype, count, offset=offset).reshape(
            -1, *self.shape[1:]
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}


class View(Source):
    """Another source's rows, of which something else is made when they are read."""

    def __init__(self, source: Source) -> None:
        self.source: Any = source
        for name in ("m", "n", "K", "names", "classes", "weighted", "dear"):
            setattr(self, name, getattr(source, name))

    def where(self, row: int) -> str:
        """Return what errors call a row, as the source does."""
        return str(self.source.where(row))

    def state(self) -> tuple[Any, ...]:
        """Return what shows that the source's data are the same."""
        return tuple(self.source.state())


class Standardised(View):
    """A source whose columns are scaled when they are read.

    Parameters
    ----------
    source : Source
    inputs, targets : chainrule.datasets.scaling.Scaling, optional
        What X and y are scaled by.

    Examples
    --------
    >>> from chainrule.datasets.scaling import Scaling
    >>> source = Arrays(np.array([[1.0], [3.0]]), np.array([5.0, 7.0]))
    >>> Standardised(source, Scaling.fit(source.X)).read(0, 2)[0]
    array([[-1.],
           [ 1.]])
    """

    def __init__(self, source: Source, inputs: Any = None, targets: Any = None) -> None:
        super().__init__(source)
        self.inputs, self.targets = inputs, targets

    def read(self, first: int, last: int) -> Rows:
        """Return the rows, scaled and not sparse: float32 stays, all else is float64."""
        X, y, weights = self.source.read(first, last)
        if self.inputs is not None:
            X = self.inputs.apply(X.toarray() if is_sparse(X) else X)
        if self.targets is not None and y is not None:
            y = self.targets.apply(y)
        return X, y, weights

    def state(self) -> tuple[Any, ...]:
        """Return the source's, and by what it is scaled."""
        scalings = (s for s in (self.inputs, self.targets) if s is not None)
        return (*self.source.state(), *((s.mean.tolist(), s.scale.tolist()) for s in scalings))


@dataclass(frozen=True)
class Block:
    """Rows first, ..., last - 1 of a source, for a network.

    Parameters
    ----------
    source : Source
    first, last : int
    network : Network
    dtype : dtype
        float64 or float32: what is computed in.
    by_output : bool, default=False
        Whether weights are of shape (m, K): somewhere in the table a target is not known.

    Examples
    --------
    >>> source = Arrays(np.array([[1], [3]], np.uint8), np.array([2, 0]))
    >>> Block(source, 0, 2, Network((1, 3)), np.dtype("float32")).load()
    (array([[1.],
           [3.]], dtype=float32), array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32), None)
    """

    source: Source
    first: int
    last: int
    network: Network
    dtype: np.dtype[Any]
    by_output: bool = False

    __repr__ = summary

    def __len__(self) -> int:
        return self.last - self.first

    def load(self, check: bool = False, out: Array | None = None) -> tuple[Any, Array, Any]:
        """Read the rows; return X, Y and weights as they are computed with.

        Parameters
        ----------
        check : bool, default=False
            Whether to look for values that are no finite numbers, or beyond float32.
        out : ndarray of shape (last - first, n), optional
            Where X is to be written.

        Returns
        -------
        X : ndarray of shape (last - first, n)
            The stored rows themselves, where they are as is needed; sparse, where nearly all is 0.
        Y : ndarray of shape (last - first, K)
        weights : ndarray of shape (last - first,) or (last - first, K), or None

        Raises
        ------
        DataError, ValueError
            If the rows cannot be read, or a value cannot be used.
        """
        X, y, weights = self.source.read(self.first, self.last)
        if y is None:
            raise ValueError("the table has no target: name one, as in target='label'")
        if check:
            self._check_inputs(X)
        Y, weights = self.targets(y, weights)
        if self.by_output and (weights is None or weights.ndim == 1):
            each = np.ones(len(Y), self.dtype) if weights is None else weights
            weights = np.repeat(each[:, None], Y.shape[1], axis=1)
        return self.inputs(X, out), Y, weights

    def inputs(self, X: Any, out: Array | None = None) -> Any:
        """Return stored rows of X as they are computed with."""
        if is_sparse(X):
            if out is None and X.nnz < THIN * X.shape[0] * X.shape[1]:
                return X.astype(self.dtype, copy=False)
            X = X.toarray()
        if out is None:
            if X.dtype == self.dtype and X.flags.c_contiguous:
                return X
            out = np.empty(X.shape, self.dtype)
        with np.errstate(over="ignore", under="ignore"):
            np.copyto(out, X, casting="unsafe")
        return out

    def targets(self, y: Array, weights: Array | None) -> tuple[Array, Array | None]:
        """Return stored targets and weights as they are computed with."""
        K = self.network.K
        Y, weights = self.network.known_targets(y, len(self), weights, first=self.first)
        Y = np.ascontiguousarray(as_dtype(Y, self.dtype, "Y")).reshape(-1, K)
        if weights is not None:
            weights = np.ascontiguousarray(as_dtype(weights, self.dtype, "weights"))
        return Y, weights

    def _check_inputs(self, X: Any) -> None:
        n = self.network.layers[0]
        if X.shape != (len(self), n):
            raise ValueError(f"X must have shape ({len(self)}, {n}), got {X.shape}")
        if X.dtype.kind not in "fiub":
            raise ValueError(f"X must hold numbers, got {X.dtype}")
        values = X.data if is_sparse(X) else X
        if values.dtype.kind == "f":
            try:
                refuse_non_finite(values, "X", self.first)
            except ValueError:
                if not self.source.names or is_sparse(X):
                    raise
                row, j = np.argwhere(~np.isfinite(X))[0]
                raise DataError(
                    f"{self.source.where(self.first + int(row))}: column {self.source.names[j]!r} "
                    f"has {X[row, j]}: fill it, or leave out that row or column"
                ) from None
            as_dtype(values, self.dtype, "X")


@dataclass(frozen=True)
class Blocks:
    """A source for a network, cut into blocks.

    Parameters
    ----------
    source : Source
    network : Network
    dtype : dtype
        float64 or float32: what is computed in.
    by_output : bool, default=False
        See `Block`.

    Examples
    --------
    >>> source = Arrays(np.zeros((3000, 5000), np.int8), np.zeros(3000))
    >>> blocks = Blocks(source, Network((5000, 1)), np.dtype("float32"))
    >>> [(block.first, block.last) for block in blocks]
    [(0, 1024), (1024, 2048), (2048, 3000)]
    """

    source: Source
    network: Network
    dtype: np.dtype[Any]
    by_output: bool = False

    __repr__ = summary

    @property
    def rows(self) -> int:
        """How many rows a block has; the last one has what is left."""
        return block_rows(self.source.n, self.network.K, self.dtype)

    def __len__(self) -> int:
        return -(-self.source.m // self.rows)

    def __iter__(self) -> Iterator[Block]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, i: int) -> Block:
        if not 0 <= i < len(self):
            raise IndexError(f"there are {len(self)} blocks, and none has the number {i}")
        first = i * self.rows
        last = min(first + self.rows, self.source.m)
        return Block(self.source, first, last, self.network, self.dtype, self.by_output)

"""A scratch folder on disk, to which a table is written once so that it is quick to read again.

A format that is dear to read, as text is, and rows that lie in the order of their targets are no
good to train from.  The files there are .npy.  The folder is removed when it is no longer needed;
what a killed process has left, the next one removes.
"""

from __future__ import annotations

import math
import os
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from chainrule.common.checks import DataError
from chainrule.common.files import LOCKS, reason
from chainrule.common.types import Array
from chainrule.engine.blocks import Npy, Source

if LOCKS:
    import fcntl

NAME = "chainrule-spool-"
BYTES = 2**23  # that are copied at a time
BUCKET = 2**26  # bytes of rows that are put in another order in memory
SPARE = 2**26  # bytes that stay free beside a spool
Told = Callable[[float], None]


made: weakref.WeakSet[Spool] = weakref.WeakSet()


@contextmanager
def cleared() -> Iterator[None]:
    """Remove the scratch folders at the end, also where Python is left at once after a signal."""
    try:
        yield
    finally:
        for spool in list(made):
            spool.remove()


class Spool:
    """A scratch folder that is removed at the end.

    Parameters
    ----------
    folder : path, optional
        Where it is made.  Default: the folder of TMPDIR, else /var/tmp, which is on a disk, else
        the system's for temporary files.

    Raises
    ------
    DataError
        If nothing can be written there.

    Examples
    --------
    >>> with Spool() as spool:
    ...     spool.write(3, {"X": ((2,), float)}, [(np.ones((2, 2)),), (np.zeros((1, 2)),)])
    ...     spool.source("X").read(1, 3)[0].tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    >>> spool.folder.exists()
    False
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.parent = default_folder() if folder is None else Path(folder)
        clear_litter(self.parent)
        name = f"{NAME}{secrets.token_hex(4)}"
        draft = self.parent / f".{name}"
        try:
            draft.mkdir(mode=0o700)
            lock = os.open(draft, os.O_RDONLY) if LOCKS else None
            if lock is not None:  # before it has a name that others take for litter
                with suppress(OSError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.folder = draft.rename(self.parent / name)
        except OSError as error:
            raise DataError(
                f"{self.parent}: no scratch folder can be made there ({reason(error)}): name "
                "another one with --spool DIR"
            ) from None
        self.remove = weakref.finalize(self, _remove, self.folder, lock)
        """Remove the folder with all that is in it; at the end of Python, that is done as well."""
        made.add(self)

    def __repr__(self) -> str:
        return f"Spool({os.fspath(self.folder)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self.remove()

    def refuse_no_room(self, size: int) -> None:
        """Raise DataError unless so many bytes fit on the disk."""
        free = shutil.disk_usage(self.folder).free
        if size + SPARE > free:
            raise DataError(
                f"{self.parent}: the scratch files take {in_bytes(size)}, {in_bytes(SPARE)} are to "
                f"stay free beside them, and {in_bytes(free)} are free there: name a folder on "
                "another disk with --spool DIR"
            )

    def path(self, name: str) -> Path:
        """Return the path of an array's file."""
        return self.folder / f"{name}.npy"

    def write(
        self, m: int, kinds: Mapping[str, tuple[tuple[int, ...], Any]], blocks: Iterable[Any]
    ) -> None:
        """Write arrays of m rows, which come together in blocks of rows.

        Parameters
        ----------
        m : int
        kinds : mapping of str to (shape, dtype)
            What a row of each array is.
        blocks : iterable of tuple of ndarray
            Some rows of each array.
        """
        with ExitStack() as stack:
            try:
                files = [stack.enter_context(open(self.path(name), "wb", 0)) for name in kinds]
                for file, (shape, dtype) in zip(files, kinds.values(), strict=True):
                    np.lib.format.write_array_header_1_0(file, _header(m, shape, np.dtype(dtype)))
            except OSError as error:
                raise self._cannot_write(error) from None
            for block in blocks:
                for file, rows, (_, dtype) in zip(files, block, kinds.values(), strict=True):
                    left = np.ascontiguousarray(rows, dtype).reshape(-1).view(np.uint8)
                    try:
                        while len(left):  # NumPy's tofile does not say that no space is left
                            left = left[file.write(left.data) :]
                    except OSError as error:
                        raise self._cannot_write(error) from None

    def array(self, name: str, mode: Any = "r") -> Array:
        """Return an array of the folder, mapped to memory."""
        mapped: Array = np.load(self.path(name), mmap_mode=mode)
        return mapped

    def source(self, X: str, y: str | None = None, state: tuple[Any, ...] = ()) -> Source:
        """Return arrays of the folder as a source; `state` says what they were made of."""
        return Spooled(self.path(X), None if y is None else self.path(y), state)

    def take_out(self, names: Mapping[str, str], rows: Array) -> None:
        """Move rows, marked in an array of bool, from arrays to others; all keep their order.

        Parameters
        ----------
        names : mapping of str to str
            From which array to which.
        rows : array of bool
        """
        moved = int(rows.sum())
        for name, into in names.items():
            array = self.array(name, "r+")
            shape, dtype, m = array.shape[1:], array.dtype, len(array)
            step = max(1, BYTES // array[:1].nbytes)
            pieces = [slice(i, i + step) for i in range(0, m, step)]
            self.write(moved, {into: (shape, dtype)}, ((array[at][rows[at]],) for at in pieces))
            end = 0
            for at in pieces:
                kept = array[at][~rows[at]]
                array[end : end + len(kept)] = kept
                end += len(kept)
            del array
            self._cut(name, end, shape, dtype)

    def _cut(self, name: str, m: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Keep the first m rows of an array: NumPy's header leaves room for any number of them."""
        with open(self.path(name), "r+b") as file:
            np.lib.format.write_array_header_1_0(file, _header(m, shape, dtype))
            file.truncate(file.tell() + m * math.prod(shape) * dtype.itemsize)

    def _room(self, name: str, m: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return an array in a file of its own, to write to; the disk keeps room for it."""
        array = np.lib.format.open_memmap(self.path(name), "w+", dtype, (m, *shape))
        if hasattr(os, "posix_fallocate"):  # a mapped file that finds no room kills the process
            try:
                with open(self.path(name), "r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, self.path(name).stat().st_size)
            except OSError as error:
                raise self._cannot_write(error) from None
        return array

    def _cannot_write(self, error: OSError) -> DataError:
        return DataError(
            f"{self.parent}: a scratch file cannot be written ({reason(error)}): name another "
            "folder with --spool DIR"
        )

    def shuffle(self, names: Sequence[str], seed: int, told: Told = lambda share: None) -> None:
        """Put the rows of arrays into one random order, which depends on seed and m alone.

        Each row has a random number, and the rows are sorted by it: first into buckets that fit
        memory, then within each.  Any order of the whole table is as likely as any other.
        """
        arrays = [self.array(name) for name in names]
        m = len(arrays[0])
        of_row = sum(array[:1].nbytes for array in arrays)
        bits = (m * of_row // BUCKET).bit_length()
        step = max(1, BYTES // of_row)
        pieces = [(first, min(first + step, m)) for first in range(0, m, step)]
        sizes = np.zeros(1 << bits, dtype=np.int64)
        for first, last in pieces:
            sizes += np.bincount(bucket(keys(seed, first, last), bits), minlength=1 << bits)
        ends = np.cumsum(sizes)
        outs = [
            self._room(f"{name}-sorted", m, array.shape[1:], array.dtype)
            for name, array in zip(names, arrays, strict=True)
        ]
        by_row = self._room("keys", m, (), np.dtype(np.uint64))
        free = ends - sizes
        for first, last in pieces:
            of_rows = keys(seed, first, last)
            buckets = bucket(of_rows, bits)
            order = np.argsort(buckets, kind="stable")
            values = [of_rows[order], *(array[first:last][order] for array in arrays)]
            begins = np.flatnonzero(np.diff(buckets[order], prepend=-1))
            for begin, end in zip(begins, [*begins[1:], last - first], strict=True):
                number = buckets[order[begin]]
                at = free[number]
                for out, value in zip([by_row, *outs], values, strict=True):
                    out[at : at + end - begin] = value[begin:end]
                free[number] += end - begin
            told(last / m / 2)
        for begin, end in zip(ends - sizes, ends, strict=True):
            order = np.argsort(by_row[begin:end], kind="stable")
            for out in outs:
                out[begin:end] = out[begin:end][order]
            told((1 + end / m) / 2)
        del arrays, outs, by_row
        self.path("keys").unlink()
        for name in names:
            self.path(f"{name}-sorted").replace(self.path(name))


class Spooled(Npy):
    """Arrays of a scratch folder as a source: what shows that they are the same is their origin."""

    def __init__(
        self,
        X: str | os.PathLike[str],
        y: str | os.PathLike[str] | None = None,
        origin: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(X, y)
        self.origin = origin

    def state(self) -> tuple[Any, ...]:
        """Return what the files were made of: another process makes the same again."""
        return self.origin or super().state()


def _remove(folder: Path, lock: int | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _header(m: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return what a .npy file says of its array."""
    descr = np.lib.format.dtype_to_descr(dtype)
    return {"descr": descr, "fortran_order": False, "shape": (m, *shape)}


def keys(seed: int, first: int, last: int) -> Array:
    """Return the random numbers of rows first, ..., last - 1.

    Examples
    --------
    >>> bool((keys(0, 2, 5) == keys(0, 0, 9)[2:5]).all())
    True
    """
    generator = np.random.PCG64(seed)
    generator.advance(first)
    return np.asarray(generator.random_raw(last - first), dtype=np.uint64)


def bucket(of_rows: Array, bits: int) -> Array:
    """Return the first bits of random numbers."""
    if not bits:
        return np.zeros(len(of_rows), dtype=np.int64)
    return np.asarray((of_rows >> np.uint64(64 - bits)).astype(np.int64))


def default_folder() -> Path:
    """Return where scratch folders are made if nobody says where.

    The system's folder for temporary files may lie in memory; /var/tmp does not.
    """
    large = Path("/var/tmp")
    if "TMPDIR" not in os.environ and os.access(large, os.W_OK):
        return large
    return Path(tempfile.gettempdir())


def clear_litter(parent: Path) -> None:
    """Remove the scratch folders that killed processes have left."""
    if not LOCKS:
        return
    with suppress(OSError):
        for folder in parent.glob(f"{NAME}*"):
            with suppress(OSError):
                number = os.open(folder, os.O_RDONLY)
                try:
                    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(number)


def in_bytes(size: float) -> str:
    """Return a number of bytes as people say it.

    Examples
    --------
    >>> in_bytes(999), in_bytes(1.25e9), in_bytes(3e6)
    ('999 bytes', '1.2 GB', '3.0 MB')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size:.0f} bytes"

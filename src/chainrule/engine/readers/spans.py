"""Bytes of a file from any place on: as they stand there, or as a gzip or zip file packs them."""

from __future__ import annotations

import os
import threading
import zlib
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from chainrule.common.checks import DataError
from chainrule.engine.blocks import FileState

PIECE = 1 << 16  # packed bytes that are read at once
AT_ONCE = 1 << 22  # bytes that are unpacked at once
APART = 1 << 23  # bytes between two places from which unpacking can begin


class Span(ABC):
    """Bytes that are read by their places, from several threads at a time."""

    state: FileState

    @abstractmethod
    def read(self, start: int, count: int) -> bytes:
        """Return ``count`` bytes from a place on, or as many as there are.

        Raises
        ------
        DataError
            If the file cannot be read, or was changed.
        """


class Plain(Span):
    """The bytes of a file as they stand there: ``size`` of them, from ``begin`` on."""

    def __init__(
        self, path: str | os.PathLike[str], begin: int = 0, size: int | None = None
    ) -> None:
        self.state, self.begin = file_state(path), begin
        self.size = self.state.size - begin if size is None else size

    def read(self, start: int, count: int) -> bytes:
        """Read, and never map: so an address limit is no limit to the file."""
        self.state.check()
        try:
            with open(self.state.path, "rb") as file:
                file.seek(self.begin + start)
                return file.read(max(0, min(count, self.size - start)))
        except OSError as error:
            raise unreadable(self.state.path, error) from None


class _Mark(NamedTuple):
    """A place from which unpacking can go on: unpacked and packed bytes before it, the decoder."""

    unpacked: int
    packed: int
    decoder: Any


class Packed(Span):
    """The bytes that a gzip file, or a member of a zip file, was made from.

    Unpacking remembers its state every few megabytes, and where it was last: so rows that are read
    in their order are unpacked once, and others from the nearest place before them.

    Parameters
    ----------
    path : path
    begin : int, default=0
        Where the packed bytes begin.
    raw : bool, default=False
        Whether they have no header of gzip, as in a zip file.

    Examples
    --------
    >>> import gzip, tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(gzip.compress(b"abc") + gzip.compress(b"def"))
    ...     file.flush()
    ...     Packed(file.name).read(2, 3)
    b'cde'
    """

    def __init__(self, path: str | os.PathLike[str], begin: int = 0, raw: bool = False) -> None:
        self.state, self.raw = file_state(path), raw
        self.begin = begin
        self._forget()

    def read(self, start: int, count: int) -> bytes:
        """Unpack from the nearest place before ``start``."""
        self.state.check()
        try:
            return self._read(start, start + count)
        except OSError as error:
            raise unreadable(self.state.path, error) from None
        except zlib.error as error:
            raise DataError(
                f"{self.state.path}: damaged, it cannot be unpacked ({error}): get it once more"
            ) from None

    def _read(self, start: int, end: int) -> bytes:
        parts = []
        at, packed, decoder = self._nearest(start)
        with open(self.state.path, "rb") as file:
            while at < end:
                file.seek(packed)
                piece = file.read(PIECE)
                if not piece or (decoder.eof and self.raw):
                    break
                if decoder.eof:  # gzip files may stand one behind the other in one file
                    decoder = self._decoder()
                border = start if at < start else end
                text = decoder.decompress(piece, min(border - at, AT_ONCE))
                left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
                packed += len(piece) - len(left)
                if at >= start:
                    parts.append(text)
                at += len(text)
                self._remember(_Mark(at, packed, decoder))
            if at < end and not decoder.eof:
                raise zlib.error("it is cut off")
        with self._lock:
            self._last = _Mark(at, packed, decoder.copy())
        return b"".join(parts)

    def _decoder(self) -> Any:
        return zlib.decompressobj(-zlib.MAX_WBITS if self.raw else zlib.MAX_WBITS | 16)

    def _nearest(self, start: int) -> _Mark:
        with self._lock:
            known = [mark for mark in (*self._marks, self._last) if mark.unpacked <= start]
            found = max(known, key=lambda mark: mark.unpacked)
            return found._replace(decoder=found.decoder.copy())

    def _remember(self, mark: _Mark) -> None:
        with self._lock:
            if mark.unpacked >= self._marks[-1].unpacked + APART:
                self._marks.append(mark._replace(decoder=mark.decoder.copy()))

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._last = _Mark(0, self.begin, self._decoder())
        self._marks = [self._last]

    def __getstate__(self) -> dict[str, Any]:
        return {key: self.__dict__[key] for key in ("state", "raw", "begin")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()


def file_state(path: str | os.PathLike[str]) -> FileState:
    """Return the state of a file that must be there."""
    try:
        return FileState.of(path)
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: str | os.PathLike[str], error: OSError) -> DataError:
    """Return the error for a file that the system does not give."""
    return DataError(f"{os.fspath(path)}: cannot be read ({error.strerror or error})")

"""Files read by their path or from a stream, and written wholly or not at all."""

from __future__ import annotations

import io
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ModuleNotFoundError:  # Windows, where nobody can replace or remove an open file
    LOCKS = False
else:
    LOCKS = True

BLOCK = 2**20  # bytes read at once
MOST_BYTES = 4 << 30  # of a stream, which may have no end
File = str | os.PathLike[str] | BinaryIO
"""A path, or a binary stream such as an upload; errors call it by its ``name``."""


def name_of(file: File) -> str:
    """Return what errors call a file: its path, or the stream's name where it has one.

    Examples
    --------
    >>> import io
    >>> name_of(Path("homes.csv")), name_of(io.BytesIO())
    ('homes.csv', '<stream>')
    """
    if isinstance(file, str | os.PathLike):
        return os.fspath(file)
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and name else "<stream>"  # a pipe's may be a number


def read_bytes(file: File, look: Callable[[bytes], object] = lambda head: None) -> bytes:
    """Return all of a file, or all that is left of a stream, if it ends at all.

    Parameters
    ----------
    file : path or binary stream
    look : callable, optional
        ``look(head)`` may refuse the file by its first bytes, before the others are read.

    Raises
    ------
    OSError
        If it cannot be read, is a device, or is a stream of more than `MOST_BYTES`.
    """
    if not isinstance(file, str | os.PathLike):
        return _read_stream(file, look)
    with open(file, "rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise OSError("it is a device, not a file")
        if not stat.S_ISREG(mode):  # a pipe
            return _read_stream(stream, look)
        look(stream.read(BLOCK))
        stream.seek(0)
        return stream.read()


def _read_stream(stream: BinaryIO, look: Callable[[bytes], object]) -> bytes:
    parts, size = [stream.read(BLOCK)], 0
    look(parts[0])
    while parts[-1]:
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise OSError(f"it has more than {MOST_BYTES:,} bytes: give a file")
        parts.append(stream.read(max(BLOCK, size)))
    return b"".join(parts)


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that at every moment either the old or the new one is there, whole.

    The new one is read back before it takes the old one's place, and has the old one's mode.

    Parameters
    ----------
    path : path
        Of a regular file, new or to be replaced.
    content : bytes

    Raises
    ------
    OSError
        If it cannot be written; then nothing has changed.
    """
    target = _target(path)
    clear_litter(target)
    draft = _draft(target)
    try:
        with open(draft, "x+b") as file:
            _lock(file)
            if target.exists():
                draft.chmod(stat.S_IMODE(target.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if not _holds(file, content):
                raise OSError("what was written reads back otherwise")
            if LOCKS:  # while nobody takes it for litter
                os.replace(draft, target)
        if not LOCKS:
            os.replace(draft, target)
    except BaseException as error:
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = os.fspath(path)  # not the draft's, which nobody knows
        with suppress(OSError):  # what went wrong is told, not that its draft stays behind
            draft.unlink(missing_ok=True)
        raise
    _sync(target.parent)


@contextmanager
def drafted(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Let a large file be written under another name; it gets its own once it is whole.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "numbers.npy")
    ...     with drafted(path) as draft:
    ...         draft.write_bytes(b"123")
    ...     path.read_bytes(), draft.exists()
    3
    (b'123', False)
    """
    target = _target(path)
    clear_litter(target)
    draft = _draft(target)
    try:
        with open(draft, "xb") as file:
            _lock(file)
            if target.exists():
                draft.chmod(stat.S_IMODE(target.stat().st_mode))
            yield draft
            os.fsync(file.fileno())
            os.replace(draft, target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    _sync(target.parent)


def write_whole(path: str | os.PathLike[str], write: Callable[[BinaryIO], object]) -> None:
    """Let a library write a file that is there wholly or not at all; may raise OSError.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "numbers.npy")
    ...     write_whole(path, lambda file: file.write(b"123"))
    ...     path.read_bytes()
    b'123'
    """
    stream = io.BytesIO()
    write(stream)
    write_atomically(path, stream.getvalue())


def try_to_write(path: str | os.PathLike[str]) -> None:
    """Raise the OSError that `write_atomically` would, as far as it can be known before."""
    draft = _draft(_target(path))
    try:
        open(draft, "xb").close()
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _target(path: str | os.PathLike[str]) -> Path:
    """Return the file to be written: a link stays, what it points to is replaced."""
    target = Path(os.path.realpath(path))
    with suppress(FileNotFoundError):  # any other error, such as a name too long, is one of writing
        if not stat.S_ISREG(target.lstat().st_mode):
            raise OSError("it is a folder or a device, not a file")
    return target


def _draft(target: Path) -> Path:
    return target.with_name(f"{_drafts(target)}{secrets.token_hex(4)}.part")


def clear_litter(path: str | os.PathLike[str]) -> None:
    """Remove what processes that were killed while they wrote a file have left beside it."""
    target = Path(os.path.realpath(path))
    begin = _drafts(target)
    with suppress(OSError):  # litter in a folder that nobody can change stays
        for draft in target.parent.iterdir():
            if draft.name.startswith(begin) and DRAFT.fullmatch(draft.name, len(begin)):
                _remove_unless_held(draft)


DRAFT = re.compile(r"[0-9a-f]{8}\.part")
LONGEST = 50  # letters of a file's name in its draft's, so that the draft's is not too long


def _drafts(target: Path) -> str:
    """Return how the names of a file's drafts begin."""
    return f".{target.name[:LONGEST]}."


def _lock(file: BinaryIO) -> None:
    """Show other processes that this one still writes the file, until it is closed."""
    if LOCKS:
        with suppress(OSError):  # some file systems of networks know no locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_unless_held(draft: Path) -> None:
    """Remove a draft, if the process that wrote it is gone."""
    with suppress(OSError):  # it is being written
        if LOCKS:
            with open(draft, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink()
        else:
            draft.unlink()


def _holds(file: BinaryIO, content: bytes) -> bool:
    """Whether a file holds these bytes and no other."""
    file.seek(0)
    view, at = memoryview(content), 0
    while block := file.read(BLOCK):
        if block != view[at : at + len(block)]:
            return False
        at += len(block)
    return at == len(content)


def _sync(folder: Path) -> None:
    """Ask the disk to keep a folder's new names."""
    with suppress(OSError):  # the file is there all the same; not every file system can do it
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def reason(error: OSError) -> str:
    """Return in a few words why a file could not be read or written."""
    return (error.strerror or str(error)).lower()

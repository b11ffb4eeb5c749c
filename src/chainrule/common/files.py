"""Files read by their path or from a stream, and written wholly or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import BinaryIO

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


def read_bytes(file: File) -> bytes:
    """Return all of a file, or all that is left of a stream; may raise OSError."""
    return Path(file).read_bytes() if isinstance(file, str | os.PathLike) else file.read()


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that at every moment either the old or the new one is there, whole.

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
    target = Path(os.path.realpath(path))  # a link stays, what it points to is replaced
    if target.exists() and not target.is_file():
        raise OSError("it is a folder or a device, not a file")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(draft, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def reason(error: OSError) -> str:
    """Return in a few words why a file could not be read or written."""
    return (error.strerror or str(error)).lower()

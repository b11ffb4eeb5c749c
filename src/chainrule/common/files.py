"""Files written wholly or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


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


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

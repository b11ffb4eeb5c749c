"""How the command ends: its exit codes, and one line for an error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import typer

CHECK_FAILED, USAGE, BAD_DATA, BAD_MODEL, CTRL_C = 1, 2, 3, 4, 130


def complain(message: str) -> None:
    """Print an error as one line."""
    print("chainrule: " + " ".join(message.split()), file=sys.stderr)


def fail(message: str, code: int) -> NoReturn:
    """Print an error as one line and end."""
    complain(message)
    raise typer.Exit(code)


def check_writable(option: str, path: Path, suffix: str) -> None:
    """Refuse, before the work, a file that could not be written after it."""
    if path.suffix != suffix or not os.access(path.absolute().parent, os.W_OK):
        raise ValueError(
            f"{option} {path}: must be a {suffix} file in a folder that exists and that you can "
            "write to"
        )

"""A file of the reader's own: checked by the command, in a process of its own, at each save.

It comes from the command line alone.  A page cannot name a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.notes.gradient_report import Finding, GradientReport, Part

MOST_SAID, MOST_REPORT = 2**16, 2**22  # bytes of what the file prints, and of a report
MOST_CHANGES = 50  # lines
ERROR = "chainrule: "  # what the command's own line begins with


@dataclass(frozen=True)
class OwnCode:
    """A function in a file, and the command that checks it.

    Attributes
    ----------
    name : str
        As it was typed: ``cost.py:cost``.
    path : Path
    command : tuple of str
        It prints a report as JSON; or it ends with code 2 and a line on stderr.
    """

    name: str
    path: Path
    command: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the file's lines."""
        return self.path.read_text("utf-8", errors="replace").splitlines()

    def saved(self) -> Any:
        """Return what is another thing once the file, or one of its kind beside it, is saved."""
        beside = sorted(self.path.parent.glob(f"*{self.path.suffix}"))
        stats = [(str(path), path.stat()) for path in beside]
        return [(name, stat.st_mtime_ns, stat.st_size) for name, stat in stats]


async def checked(own: OwnCode) -> tuple[GradientReport, list[str]]:
    """Run the command; return its report, and what it found out on the way.

    Raises
    ------
    ValueError
        With the command's line where there is no report.
    """
    process = await asyncio.create_subprocess_exec(
        *own.command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # so that what it starts, such as Octave, ends with it
    )
    assert process.stdout is not None
    assert process.stderr is not None
    pipes = (_last(process.stdout, MOST_REPORT), _last(process.stderr, MOST_SAID))
    try:
        printed, said = await asyncio.gather(*pipes)
        code = await process.wait()
    finally:
        _end(process)
        await asyncio.gather(_last(process.stdout, 1), _last(process.stderr, 1))
        await process.wait()
    lines = said.decode(errors="replace").splitlines()
    if code not in (0, 1):
        errors = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
        raise ValueError((errors or lines or [f"{own.name}: ended with code {code}"])[-1])
    told = f"{own.name}: "
    return read_report(printed), [x.removeprefix(told) for x in lines if x.startswith(told)]


def read_report(text: bytes) -> GradientReport:
    """Return the report whose JSON the command has printed."""
    found = json.loads(text)
    for name in ("D", "numerical"):
        found[name] = np.array(found[name] or [], float)
    found["parts"] = [Part(**part) for part in found["parts"]]
    found["diagnosis"] = [Finding(**finding) for finding in found["diagnosis"]]
    return GradientReport(**found)


def changes(before: list[str], after: list[str]) -> list[list[Any]]:
    """Return what is another line than before: its number now, what it was, what it is.

    Examples
    --------
    >>> changes(["a = 1", "b = 2"], ["a = 1", "b = 3", "c = 4"])
    [[2, 'b = 2', 'b = 3'], [3, '', 'c = 4']]
    """
    found: list[list[Any]] = []
    for kind, i0, i1, j0, j1 in difflib.SequenceMatcher(a=before, b=after).get_opcodes():
        if kind == "equal":
            continue
        for k in range(max(i1 - i0, j1 - j0)):
            old = before[i0 + k] if i0 + k < i1 else ""
            new = after[j0 + k] if j0 + k < j1 else ""
            found.append([min(j0 + k, max(j1 - 1, j0)) + 1, old, new])
    return found[:MOST_CHANGES]


async def _last(stream: asyncio.StreamReader, most: int) -> bytes:
    """Return the last bytes of a stream, however much it holds."""
    kept = b""
    while piece := await stream.read(most):
        kept = (kept + piece)[-most:]
    return kept


def _end(process: asyncio.subprocess.Process) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)

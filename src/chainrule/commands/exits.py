"""How the command ends: its exit codes, and one line for an error."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

from chainrule.common.checks import DataError
from chainrule.common.files import reason, try_to_write
from chainrule.common.words import printable
from chainrule_command import NOTHING_SAVED, interrupted, leave_if_asked

CHECK_FAILED, USAGE, BAD_DATA, BAD_MODEL, MISTAKE = 1, 2, 3, 4, 70


def complain(message: str) -> None:
    """Print an error as one line."""
    print("chainrule: " + printable(" ".join(message.split())), file=sys.stderr)


def fail(message: str, code: int) -> NoReturn:
    """Print an error as one line and end."""
    complain(message)
    raise typer.Exit(code)


def nothing_saved() -> NoReturn:
    """Say that a signal has ended the command, and end."""
    complain(NOTHING_SAVED)
    leave_if_asked()  # from within the except: to let go of a large table takes a while
    raise typer.Exit(interrupted())


@contextmanager
def saved(what: str) -> Iterator[None]:
    """Let a signal end the command with the word that this is saved."""
    try:
        yield
    except KeyboardInterrupt:
        fail(f"interrupted: {what}", interrupted())


def check_writable(option: str, path: Path, *suffixes: str) -> None:
    """Refuse, before the work, a file that could not be written after it."""
    suffix = " or ".join(suffixes)
    if path.suffix not in suffixes:
        raise ValueError(f"{option} {path}: must be a {suffix} file")
    try:
        try_to_write(path)
    except OSError as error:
        raise ValueError(
            f"{option} {path}: cannot be written there ({reason(error)}): choose a {suffix} file "
            "in a folder that exists and that you can write to"
        ) from None


def faulty(error: DataError, ctx: typer.Context | None) -> NoReturn:
    """Say what is wrong with the data, all at once, and the command that mends it; then end."""
    from chainrule.workbench.telling import in_options

    if ctx is None or not error.options:
        fail(in_options(str(error)), BAD_DATA)
    line = mended(ctx, error.options)
    if len(error.faults) == 1:
        fail(f"{error.where}: {in_options(error.faults[0])}: type: {line}", BAD_DATA)
    complain(f"{error.where}: {len(error.faults)} things are in the way")
    told = [*(f"  {in_options(fault)}" for fault in error.faults), f"type: {line}"]
    print("\n".join(map(printable, told)), file=sys.stderr)
    raise typer.Exit(BAD_DATA)


def mended(ctx: typer.Context, options: dict[str, Any]) -> str:
    """Return the command as it was typed, with some options added or replaced."""
    from chainrule.workbench.telling import options_typed

    typed: dict[str, Any] = {}
    arguments = []
    for parameter in ctx.command.params:
        name = str(parameter.name)
        source = ctx.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            continue
        if parameter.param_type_name == "argument":
            arguments.append(shlex.quote(str(ctx.params[name])))
            continue
        option = max(parameter.opts, key=len).removeprefix("--")
        typed[option] = ctx.params[name]
    for name, value in options.items():
        before = typed.get(name)
        if isinstance(before, list) and isinstance(value, list):
            value = [*before, *value]
        typed[name] = value
    return f"chainrule {ctx.info_name} {' '.join(arguments)} {options_typed(typed)}"

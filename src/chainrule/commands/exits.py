"""How the command ends: its exit codes, and one line for an error."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import typer

from chainrule.common.checks import DataError
from chainrule.common.files import reason, try_to_write
from chainrule.common.words import printable

CHECK_FAILED, USAGE, BAD_DATA, BAD_MODEL, MISTAKE = 1, 2, 3, 4, 70
ASK_TO_END = [
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
heard: list[signal.Signals] = []  # the signals that asked this process to end
terminals: list[int] = []  # of stdout and stderr, those that are one


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, and a second Ctrl-C at once.

    A signal that the process was started to ignore, as by nohup, stays ignored.
    """
    terminals.extend(stream for stream in (1, 2) if os.isatty(stream))
    for number in ASK_TO_END:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _hear)


def _hear(number: int, frame: object) -> None:
    first = not heard
    heard.append(signal.Signals(number))
    if heard[-1].name == "SIGHUP":  # the terminal is gone, and writing to it would fail
        for stream in terminals:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    if first:
        raise KeyboardInterrupt(*_by_name())
    if number == signal.SIGINT:
        if 2 in terminals:
            os.write(2, SHOW_CURSOR)
        os._exit(interrupted())


SHOW_CURSOR = b"\x1b[?25h\n"  # a bar that moves hides it


def _by_name() -> tuple[str, ...]:
    """Return what ended the command, unless it was Ctrl-C."""
    return () if heard[0] == signal.SIGINT else (heard[0].name,)


def interrupted() -> int:
    """Return the exit code of a command that a signal has ended: 130 for Ctrl-C."""
    return 128 + (heard[0] if heard else signal.SIGINT)


def complain(message: str) -> None:
    """Print an error as one line."""
    print("chainrule: " + printable(" ".join(message.split())), file=sys.stderr)


def fail(message: str, code: int) -> NoReturn:
    """Print an error as one line and end."""
    complain(message)
    raise typer.Exit(code)


def check_writable(option: str, path: Path, suffix: str) -> None:
    """Refuse, before the work, a file that could not be written after it."""
    if path.suffix != suffix:
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

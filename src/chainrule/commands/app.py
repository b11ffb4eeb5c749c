"""The command ``chainrule``: options turned into calls of the library.

Data go to stdout, messages to stderr.  Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 bad
data, 4 a bad model file, 70 a mistake of chainrule's own (``CHAINRULE_TRACEBACK=1`` shows where),
130 ended by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from chainrule.commands import checking, driving, exercise, exporting, looking, photos, tables
from chainrule.commands.exits import (
    BAD_DATA,
    BAD_MODEL,
    CHECK_FAILED,
    MISTAKE,
    USAGE,
    fail,
    nothing_saved,
)
from chainrule.common.files import reason
from chainrule_command import can_unwind, heed_signals, leave_if_asked, no_longer_heed

TRACEBACK = "CHAINRULE_TRACEBACK"
USAGE_ERROR: type[Any] = typer.BadParameter.__mro__[1]  # UsageError: Click's, or Typer's own


class Commands(TyperGroup):
    """The commands; an error of theirs is one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        can_unwind.set()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # while a full disk can still be reported
            return result
        except USAGE_ERROR as error:  # wrong options; Typer would draw a frame around it
            told = error.format_message()
            _, found, extra = told.partition("unexpected extra argument")
            files = list(filter(os.path.isfile, extra.partition(" (")[2][:-1].split()))
            if found and files:
                pattern = Path(files[0]).with_name(f"*{Path(files[0]).suffix}")
                told = (
                    f"one file, folder or pattern is read: put the pattern in quotes: '{pattern}'"
                )
            fail(f"{told} (see --help)", USAGE)
        except KeyboardInterrupt:
            nothing_saved()
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our stdout has closed it
                raise
            what = error.filename or "a file without a name"
            if error.filename is None:
                what = "standard output"
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python tries again when it exits
            fail(f"{what}: failed ({reason(error)})", BAD_DATA)
        except MemoryError as error:
            fail(f"not enough memory ({error}): take fewer hidden units, or fewer rows", USAGE)
        except (ValueError, ArithmeticError) as error:
            from chainrule.common.checks import DataError
            from chainrule.model_file import ModelFileError
            from chainrule.training.checked import WrongGradientError

            codes = {
                DataError: BAD_DATA,
                ModelFileError: BAD_MODEL,
                WrongGradientError: CHECK_FAILED,
            }
            from chainrule.workbench.telling import in_options

            fail(in_options(str(error)), codes.get(type(error), USAGE))
        except (typer.Exit, typer.Abort, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # the panic of a library in Rust is not even an Exception
            if os.environ.get(TRACEBACK):
                raise
            fail(
                f"a mistake of chainrule's own ({type(error).__name__}: {error}): please report "
                f"it, with what {TRACEBACK}=1 shows",
                MISTAKE,
            )


app = typer.Typer(
    cls=Commands,
    help="Feed-forward neural networks whose gradient you can check and whose every value you "
    "can see.\n\nExit codes: 0 done, 1 a check failed, 2 wrong usage, 3 bad data, 4 bad model "
    "file, 70 a mistake of chainrule's own, 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from chainrule import __version__

        print(f"chainrule {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


app.command()(tables.train)
app.command()(tables.predict)
app.command()(tables.evaluate)
app.command()(tables.info)
app.command()(exporting.export)
app.command("check-gradient")(checking.check_gradient)
app.command()(checking.trace)
app.command()(exercise.exercise)
app.command()(photos.classify)
app.command()(photos.collect)
app.command()(looking.look)
app.add_typer(driving.app, name="drive")


def main() -> None:
    """Run the command."""
    heed_signals()
    try:
        app()
    except SystemExit as over:
        leave_if_asked(over.code)
        no_longer_heed(over.code)
        raise

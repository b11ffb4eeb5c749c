"""The command look: the page where a network is seen at work."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import typer

if TYPE_CHECKING:
    from chainrule.web.desk import Desk

NEEDED = ("starlette", "uvicorn")


class Given(NamedTuple):
    """One kind of what the command may be given.

    `lay` puts it on the desk; it returns the view that shows it, with its settings as the page's
    address has them: ``draw&photo=1``.
    """

    is_it: Callable[[str], bool]
    lay: Callable[[Desk, str], str]


def look(
    what: Annotated[
        str | None,
        typer.Argument(
            help="What to look at: a table to train on, or data by name (moons, digits, ...), as "
            "train takes them; a photo of digits; your own backpropagation (FILE.py:function, "
            "FILE.m); a model (.safetensors): of digits, of a table, or one that drives; a run "
            "downloaded from the page (.json).  (default: the model that is shipped)"
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 is any free port.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open the page in a browser.")
    ] = True,
) -> None:
    """Open a page on which you draw digits, train networks and see all that they compute.

    The page is served at 127.0.0.1 alone, and nothing leaves this machine.  From another one:
    ssh -L 8000:127.0.0.1:8000 HOST chainrule look --port 8000 --no-browser
    """
    if not all(map(find_spec, NEEDED)):
        raise ValueError("the page needs a server: type pip install 'chainrule[page]'")
    from chainrule.handwriting.reading import read_ink, shipped_model
    from chainrule.web.desk import Desk, Opened
    from chainrule.web.server import IDLE_HOURS, serve

    desk = Desk(Opened(shipped_model(), "shipped digits"))
    place = ""
    if what is not None:
        given = next(given for given in GIVEN if given.is_it(what))
        place = given.lay(desk, what)
    with contextlib.ExitStack() as until_the_end:

        def warm_up() -> None:
            read_ink(np.eye(64), shipped_model())
            desk.problems.problem({"data": "digits"})

        def started(address: str) -> None:
            # What the first answers need is loaded while the browser starts
            threading.Thread(target=warm_up, daemon=True).start()
            print(f"chainrule look: {address}\nCtrl-C ends it.", flush=True)
            if browser:
                webbrowser.open(until_the_end.enter_context(leading_to(address)))

        try:
            idle = serve(desk, port, started, place)
        except OSError as error:
            raise ValueError(f"--port {port}: cannot be listened to ({error.strerror})") from None
    for run in desk.runs.end():
        print(f"not saved: {run}", file=sys.stderr)
    if idle:
        print(f"chainrule look: nobody used the page for {IDLE_HOURS} hours, so it ended.")


@contextlib.contextmanager
def leading_to(address: str) -> Iterator[str]:
    """Give an address for the browser's command line, which all users of this machine can read.

    It is that of a file that this user alone can read, and that leads to the page: so the secret in
    the page's address stays one.  The file lies in the home folder and is not hidden, because
    browsers that run in a sandbox of their own see no hidden file, and not this machine's /tmp.
    A browser of Windows cannot open a file of Linux, and is given the address itself.
    """
    if "WSL_DISTRO_NAME" in os.environ:
        yield address
        return
    link = escape(address)
    folder = Path.home() if os.access(Path.home(), os.W_OK) else None
    number, name = tempfile.mkstemp(".html", "chainrule-look-", folder)  # of mode 600
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(
                '<!doctype html><meta charset="utf-8"><title>chainrule look</title>'
                f'<meta http-equiv="refresh" content="0;url={link}"><a href="{link}">{link}</a>\n'
            )
        yield Path(name).as_uri()
    finally:
        Path(name).unlink(missing_ok=True)


def _lay_photo(desk: Desk, what: str) -> str:
    from chainrule.handwriting.reading import read

    return f"draw&photo={desk.keep(read(what, desk.opened.model))}"


def _lay_model(desk: Desk, what: str) -> str:
    from chainrule import model_file

    return desk.lay(model_file.load(what), Path(what).name)


def _is_own_code(what: str) -> bool:
    from chainrule.commands.own_code import is_own_code

    return is_own_code(what)


def _lay_own_code(desk: Desk, what: str) -> str:
    from chainrule.commands.own_code import place_of, refuse_unknown
    from chainrule.web.own_code import OwnCode

    path, functions = place_of(what)
    refuse_unknown(path, functions)
    run = "from chainrule.commands.app import main; main()"
    command = (sys.executable, "-P", "-c", run, "check-gradient", what, "--json")
    desk.own_code = OwnCode(what, path.resolve(), command)
    return "check"


def _is_photo(what: str) -> bool:
    """Tell a photo by its name's ending."""
    kind, _ = mimetypes.guess_type(Path(what).name, strict=False)
    return kind is not None and kind.startswith("image/")


def _is_model(what: str) -> bool:
    return Path(what).suffix == ".safetensors"


def _lay_data(desk: Desk, what: str) -> str:
    return f"train&data={what}"


def _is_data(what: str) -> bool:
    from chainrule.web.problems import names

    return what in names()


def _lay_table(desk: Desk, what: str) -> str:
    """Keep a table; what can be mended in it by options is asked on the page."""
    from chainrule.common.checks import DataError
    from chainrule.common.files import read_bytes
    from chainrule.datasets import load
    from chainrule.web.asked import NamedFile

    if not Path(what).exists() or Path(what).is_dir():
        load(what)  # fails, and says which names come close
    stream = NamedFile(read_bytes(what))
    stream.name = Path(what).name
    number = desk.problems.add(stream)
    try:
        desk.problems.problem({"table": number})
    except DataError as error:
        if not error.options:
            raise
    return f"train&table={number}"


def _lay_record(desk: Desk, what: str) -> str:
    from chainrule.web.ways import lay_record

    return lay_record(desk, Path(what))


def _is_record(what: str) -> bool:
    """Tell a run's record, which is JSON, from a table in JSON by how it begins."""
    from chainrule.web.ways import is_record

    path = Path(what)
    return path.suffix == ".json" and path.is_file() and is_record(path.read_bytes())


# The first that fits is taken, and the last fits all
GIVEN = (
    Given(_is_own_code, _lay_own_code),
    Given(_is_record, _lay_record),
    Given(_is_photo, _lay_photo),
    Given(_is_model, _lay_model),
    Given(_is_data, _lay_data),
    Given(lambda what: True, _lay_table),
)

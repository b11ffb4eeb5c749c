"""The command look: the page where a network is seen at work."""

from __future__ import annotations

import threading
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

NEEDED = ("starlette", "uvicorn")


def look(
    model: Annotated[
        Path | None,
        typer.Argument(help="A model that reads 28x28 digits.  (default: the one shipped)"),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 is any free port.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open the page in a browser.")
    ] = True,
) -> None:
    """Open a page on which you draw digits and see what a network does with them.

    The page is served at 127.0.0.1 alone, and nothing leaves this machine.  From another one:
    ssh -L 8000:127.0.0.1:8000 HOST chainrule look --port 8000 --no-browser
    """
    if not all(map(find_spec, NEEDED)):
        raise ValueError("the page needs a server: type pip install 'chainrule[page]'")
    from chainrule import model_file
    from chainrule.handwriting.reading import check_model, read_ink, shipped_model
    from chainrule.web.desk import Desk, Opened
    from chainrule.web.server import serve

    if model is None:
        opened = Opened(shipped_model(), "shipped digits")
    else:
        opened = Opened(check_model(model_file.load(model)), model.name)

    def started(address: str) -> None:
        # What reading needs is loaded while the browser starts
        threading.Thread(target=read_ink, args=(np.eye(64), opened.model), daemon=True).start()
        print(f"chainrule look: {address}\nCtrl-C ends it.", flush=True)
        if browser:
            webbrowser.open(address)

    try:
        serve(Desk(opened), port, started)
    except OSError as error:
        raise ValueError(f"--port {port}: cannot be listened to ({error.strerror})") from None

"""The page as a process of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from browsing import ENGLISH, PATIENCE, WIDE
from PIL import Image

from chainrule.photos.strokes import draw_digit
from chainrule.photos.synthetic import Scene, photograph


@contextmanager
def looking(*options, first=""):
    """Start `chainrule look`; give the process, its port and secret; end it as a person does."""
    start = f"{first}\nfrom chainrule.commands.app import main; main()"
    command = [sys.executable, "-c", start, "look"]
    process = subprocess.Popen(
        [*command, "--no-browser", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = process.stdout.readline()
    found = re.fullmatch(r"chainrule look: http://127\.0\.0\.1:(\d+)/#(\S*)token=(\S+)\n", said)
    assert found, said
    process.place = found[2]
    yield process, int(found[1]), found[3]
    process.send_signal(signal.SIGINT)
    _, process.said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert re.fullmatch(r"(not saved: run .*\n)*", process.said), process.said


@pytest.fixture(scope="module")
def running():
    """Give the port and the secret of a page that runs."""
    with looking() as (_, port, token):
        yield port, token


@pytest.fixture(scope="session")
def sheet(tmp_path_factory):
    """Return a photo of two rows of five digits."""
    file = tmp_path_factory.mktemp("sheet") / "sheet.jpg"
    scene = Scene(turn=2, shadow=0.3)
    rgb, _ = photograph(["01234", "56789"], scene, draw_digit, np.random.default_rng(8))
    Image.fromarray(rgb).save(file)
    return file


@pytest.fixture(scope="session")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="no Playwright here: make test-page")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("no Chromium here: apt-get install chromium, or name one in CHROMIUM")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()


@pytest.fixture
def visit(browser, running):
    """Return a context manager that opens the page; nothing may go wrong on it unseen."""
    port, token = running

    @contextmanager
    def opened(at=(port, token), viewport=WIDE, settings="", **options):
        origin = f"http://127.0.0.1:{at[0]}"
        options = {"reduced_motion": "reduce", "locale": ENGLISH} | options
        context = browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(PATIENCE)
        wrong, left, refused = [], [], []

        def route(handler):
            if handler.request.url.startswith((origin + "/", "data:", "blob:")):
                handler.continue_()
            else:
                left.append(handler.request.url)
                handler.abort()

        context.route("**/*", route)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type != "log" else None)
        page.on("response", lambda got: refused.append(got) if got.status >= 400 else None)
        page.goto(f"{origin}/#token={at[1]}")
        if settings:
            page.goto(f"{origin}/#{settings}")
        try:
            yield page
            expected = getattr(page, "expected", r"(?!)")
            assert [text for text in wrong if not re.search(expected, text)] == []
        except Exception as error:
            error.add_note(f"refused: {[(got.url, got.text()) for got in refused]}")
            raise
        assert left == []
        context.close()

    return opened

"""The page as a process of its own."""

import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from chainrule.photos.strokes import draw_digit
from chainrule.photos.synthetic import Scene, photograph


@contextmanager
def looking(*options):
    """Start `chainrule look`; give the process, its port and secret; end it as a person does."""
    command = [sys.executable, "-c", "from chainrule.commands.app import main; main()", "look"]
    process = subprocess.Popen(
        [*command, "--no-browser", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = process.stdout.readline()
    found = re.fullmatch(r"chainrule look: http://127\.0\.0\.1:(\d+)/#(\S*)token=(\S+)\n", first)
    assert found, first
    process.place = found[2]
    yield process, int(found[1]), found[3]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said == ""


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

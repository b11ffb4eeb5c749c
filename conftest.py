"""What the tests share: doctests know numpy as np, and real data is found or skipped."""

import os
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# No test asserts a time: on a busy machine any example may take long.  Where a change is judged the
# examples are the same each time; on a developer's machine they are new ones.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("untimed")

# Its examples need anywidget, which `make test` installs
collect_ignore = [] if find_spec("anywidget") else ["src/chainrule/notebook.py"]


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace):
    doctest_namespace["np"] = np


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    """Close what a test or an example has drawn: Matplotlib warns of many open figures."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def data():
    """Return a function that gives a file of the real data, or skips the test."""
    folder = Path(os.environ.get("CHAINRULE_DATA", Path(__file__).parents[1] / "shared/data"))

    def find(name: str) -> Path:
        if not (folder / name).exists():
            pytest.skip(f"real data {name} is not in {folder} (set CHAINRULE_DATA)")
        return folder / name

    return find


@pytest.fixture
def no_threads(monkeypatch):
    """Let no thread start, as where the system has as many as it may."""

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)

"""A table that the page was given, read in a process of its own, whose memory and time have limits.

So no file takes more than that, and none ends the server: what stops the process becomes one line.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chainrule.common.checks import DataError
from chainrule.datasets import Dataset
from chainrule.datasets.foreign import ENVIRONMENT, limit_memory, limit_time
from chainrule.web.asked import NamedFile

MEMORY = 700 << 20  # bytes beyond what the libraries take themselves
SECONDS = 120  # of the processor
MOST_BYTES = 10**8  # of the inputs, as numbers
PROGRAM = "from chainrule.web.apart import answer; answer()"
TOO_LARGE = (
    "{}: this table is too large for the page ({}): take fewer rows or columns, or type chainrule "
    "train in a terminal"
)


def load(file: NamedFile, options: Mapping[str, Any]) -> Dataset:
    r"""Return what `chainrule.datasets.load` does, or raise DataError.

    Examples
    --------
    >>> file = NamedFile(b"a,b,y\n1,0.5,2.5\n2,0.5,3.5\n4,0.7,5.5\n")
    >>> load(file, {"target": "y"}).feature_names
    ('a', 'b')
    """
    if not sys.executable:  # Python inside another program has nothing to start
        return read(file, options)
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", PROGRAM],
        input=pickle.dumps((file.name, file.getvalue(), dict(options))),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    if done.returncode:
        late = done.returncode == -24  # SIGXCPU
        why = f"over {SECONDS} s" if late else f"over {MEMORY >> 20:,} MiB of memory"
        raise DataError(TOO_LARGE.format(file.name, f"reading it takes {why}"))
    found = pickle.loads(done.stdout)  # of our own program
    if isinstance(found, DataError):
        raise found
    data: Dataset = found
    return data


def read(file: NamedFile, options: Mapping[str, Any]) -> Dataset:
    """Read a table here; refuse one whose inputs are too large."""
    from chainrule.datasets import load

    data = load(file, **options)
    if data.X.nbytes > MOST_BYTES:
        size = f"{len(data):,} x {data.X.shape[1]:,} inputs"
        raise DataError(TOO_LARGE.format(file.name, size))
    return data


def answer() -> None:
    """Be the process: read what stdin says, write what came of it."""
    import polars  # noqa: F401  (what it takes by itself does not count)

    import chainrule.datasets.tables  # noqa: F401

    name, content, options = pickle.load(sys.stdin.buffer)
    file = NamedFile(content)
    file.name = name
    limit_time(SECONDS)
    limit_memory(MEMORY)
    found: Dataset | DataError
    try:
        found = read(file, options)
    except DataError as error:
        if short_of_memory():  # libraries then say this and that
            os._exit(1)
        found = error
        found.__traceback__ = found.__cause__ = found.__context__ = None
    pickle.dump(found, sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
    sys.stdout.flush()
    os._exit(0)  # where memory is short, an orderly end may fail


def short_of_memory() -> bool:
    """Whether the process once had nearly all the memory that it may have."""
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        status = Path("/proc/self/status").read_text()
        peak = 1024 * int(status.partition("VmPeak:")[2].split()[0])
    except (ImportError, OSError, ValueError, IndexError):
        return False
    return most != resource.RLIM_INFINITY and peak > most - MEMORY // 4

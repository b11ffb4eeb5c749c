"""How much memory a training takes whose table is larger: that of a few blocks."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chainrule.engine.blocks import BYTES
from chainrule.engine.stream import BUFFER

STATUS = Path("/proc/self/status")
pytestmark = pytest.mark.skipif(
    not STATUS.exists() or "RssAnon" not in STATUS.read_text(),
    reason="this system does not say how much memory of its own a process has",
)
MB = 2**20
THREADS = 2

CHILD = """
import re, sys, threading, time
from pathlib import Path
import numpy as np
from chainrule import Network, train
from chainrule.engine.blocks import Npy

def own():
    return 1024 * int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

path, how, threads = sys.argv[1:]
X = np.load(path, mmap_mode="r")
y = np.zeros(len(X), np.float32)
network = Network((X.shape[1], 8, 1), output="identity")
given = {"mapped": (X, y), "file": (Npy(path, y),), "Fortran": (X.reshape(100, -1).T, y)}[how]
for optimizer in ("lbfgs", "adam"):
    few = {"max_iter": 1, "optimizer": optimizer, "dtype": "float32", "threads": int(threads)}
    train(network, np.zeros((3000, X.shape[1]), np.float32), y[:3000], **few)
    before, over = own(), threading.Event()
    peak = [before]
    def watch():
        while not over.wait(0.001):
            peak.append(own())
    watching = threading.Thread(target=watch)
    watching.start()
    result = train(network, *given, **few)
    over.set()
    watching.join()
    print(optimizer, max(peak) - before)
"""


@pytest.mark.parametrize(
    ("kind", "how"), [("float32", "mapped"), ("uint8", "file"), ("float64", "Fortran")]
)
def test_a_table_of_256_megabytes_takes_the_memory_of_a_few_blocks(kind, how, tmp_path):
    path, rows = tmp_path / "X.npy", 256 * MB // 400
    X = np.lib.format.open_memmap(path, "w+", kind, (rows, 100))  # zeros, which take no disk
    X[::5000] = 1
    del X
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), how, str(THREADS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    taken = {name: int(n) for name, n in re.findall(r"(\w+) (\d+)\n", run.stdout)}
    # A block for each thread and two more; two buffers of some blocks and two more
    assert taken["lbfgs"] < (THREADS + 2) * BYTES
    assert taken["adam"] < (2 * BUFFER + 2) * BYTES

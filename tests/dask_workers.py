"""Two workers of Dask as processes on this machine, for the tests of a module."""

import contextlib
import time

import psutil
import pytest

distributed = pytest.importorskip("distributed", reason="needs chainrule[cluster]")
LOOPBACK = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}


@pytest.fixture(scope="module")
def local():
    with distributed.LocalCluster(n_workers=2, **LOOPBACK) as local:
        yield local
        started = psutil.Process().children(recursive=True)
    started = [each for each in started if each.is_running() and is_worker(each)]
    assert psutil.wait_procs(started, timeout=60)[1] == []


def is_worker(process):
    """Whether a process is a worker of Dask's."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "spawn_main" in " ".join(process.cmdline())
    return False


@pytest.fixture
def client(local):
    with distributed.Client(local, set_as_default=False) as client:
        try:
            client.wait_for_workers(2, timeout=20)
        except TimeoutError:  # Dask starts none again that was killed while it started
            local.scale(0)
            wait_until(lambda: not client.nthreads())
            local.scale(2)
            client.wait_for_workers(2, timeout=60)
        yield client


def wait_until(ready, seconds=60):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.05)

"""A Dask cluster for one training: one that runs somewhere, or processes on this machine."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from importlib.util import find_spec
from typing import Any
from urllib.request import ProxyHandler, build_opener

from chainrule import kernel
from chainrule.common.checks import counted
from chainrule.engine.cluster import ClusterError, Workers
from chainrule.engine.cores import _deaf_to_ctrl_c
from chainrule.workbench.telling import Telling

LOCAL = re.compile(r"local:(\d+)")
EVERY = 30.0  # seconds between two lines on what each worker has done
NO_BOKEH = b"Dask needs bokeh"  # what Dask serves in a dashboard's place
SOON = 2.0  # seconds that a dashboard has to answer
QUIET = "import logging; logging.disable()"  # what a process runs before it works
MOST = 8  # workers that are named


def check(cluster: str) -> None:
    """Refuse what is no cluster, before anything is read."""
    if find_spec("distributed") is None:
        raise ValueError("--cluster needs Dask: type pip install 'chainrule[cluster]'")
    local = LOCAL.fullmatch(cluster)
    if (local is None and "://" not in cluster) or (local is not None and not int(local[1])):
        raise ValueError(
            f"--cluster {cluster}: give a scheduler's address, as tcp://host:8786, or local:4 for "
            "4 processes on this machine"
        )


@contextmanager
def workers_of(cluster: str | None, tell: Telling) -> Iterator[Workers | None]:
    """Yield the workers that a request asks for, if any; processes end with this."""
    if cluster is None:
        yield None
        return
    from distributed import Client

    with _quiet(), _started(cluster) as address:
        try:
            client = Client(address, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise ClusterError(f"--cluster {cluster}: nobody answers there ({error})") from None
        with client:
            workers = Workers(client, tell=tell.note)
            build = workers.agree(by_kernel=kernel.BUILT).build
            threads = workers.threads()
            each = f"{counted(len(threads), 'worker')}, {counted(sum(threads.values()), 'thread')}"
            by = "NumPy" if build is None else f"the kernel's build {build}"
            tell.note(f"{each} at {client.scheduler.address}: all compute by {by}", heading=True)
            if _is_served(client.dashboard_link):
                tell.note(f"Dask's dashboard: {client.dashboard_link}")
            try:
                yield workers
            finally:
                workers.close()


def _is_served(dashboard: str | None) -> bool:
    """Whether a dashboard is there: a scheduler may have none, or no Bokeh to draw it."""
    try:
        with build_opener(ProxyHandler({})).open(str(dashboard), timeout=SOON) as page:
            return NO_BOKEH not in page.read()
    except (OSError, ValueError, HTTPException):  # nobody there, no such page, no address
        return False


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nobody log in this process: what Dask says in many lines is said here in one."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _started(cluster: str) -> Iterator[Any]:
    """Yield what a client connects to."""
    local = LOCAL.fullmatch(cluster)
    if local is None:
        yield cluster
        return
    from distributed import LocalCluster

    with _deaf_to_ctrl_c():
        processes = LocalCluster(
            n_workers=int(local[1]), threads_per_worker=1, host="127.0.0.1",
            dashboard_address="127.0.0.1:0", preload=[QUIET],
        )  # fmt: skip
    with processes:
        yield processes


class Shares:
    """What each worker has done, told now and then."""

    def __init__(self, workers: Workers, tell: Telling) -> None:
        self.workers, self.tell, self._next = workers, tell, time.monotonic() + EVERY

    def __call__(self) -> None:
        """Tell it, if it is time."""
        if time.monotonic() > self._next:
            self.say()

    def say(self) -> None:
        """Tell it."""
        self._next = time.monotonic() + EVERY
        shares = sorted(self.workers.shares.items())
        for worker, share in shares[:MOST]:
            self.tell.note(
                f"{worker}: {counted(share.rows, 'row')} summed in {share.seconds:.1f} s"
            )
        if len(shares) > MOST:
            self.tell.note(f"and {counted(len(shares) - MOST, 'more worker')}")

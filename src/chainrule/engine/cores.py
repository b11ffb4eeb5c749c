"""How many cores there are, and how many a piece of work is worth."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import starmap
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any, TypeVar

from chainrule.common.checks import check_count
from chainrule.common.threads import begins
from chainrule.notes.network import Network

T = TypeVar("T")
WORTH_A_THREAD = 1_000_000  # multiplications below which a second thread costs more than it gives
# What libraries ask for how many threads they may start
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows knows the other alone
_pools: set[Any] = set()  # of processes at work
_pools_change = RLock()


@cache
def available_threads() -> int:
    """Return how many cores this process may use.

    The least of: the cores it may run on, its container's quota, ``OMP_NUM_THREADS``.

    Returns
    -------
    int

    Examples
    --------
    >>> available_threads() >= 1
    True
    """
    limits: list[float] = [_cores(), _quota()]
    wish = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if wish.isdecimal() and int(wish) > 0:
        limits.append(int(wish))
    return max(1, math.ceil(min(limits)))


def in_processes(
    function: Callable[..., T], calls: Iterable[tuple[Any, ...]], workers: int | None = None
) -> Iterator[T]:
    """Yield what a function returns for each tuple of arguments, in their order, on all cores.

    The processes end with this one, whatever ends it; Ctrl-C is for this one alone.  Where the
    system starts no more processes, this one calls the function, for one tuple after the other.

    Examples
    --------
    >>> list(in_processes(divmod, [(7, 2), (9, 4)], workers=1))
    [(3, 1), (2, 1)]
    """
    calls = list(calls)
    workers = workers or available_threads()
    begun = None if workers == 1 else _begin(function, calls, workers)
    if begun is None:
        yield from starmap(function, calls)
        return
    pool, answers = begun
    try:
        for answer in answers:
            yield answer.result()
    finally:
        _end(pool)


def end_processes() -> None:
    """End all that `in_processes` began, for a process that leaves at once; none begin then."""
    from multiprocessing import util

    _pools_change.acquire()  # and never let go: another thread may be about to begin
    # Their locks go back to the system first: later another thread may be half-way with that
    util._run_finalizers(0)  # type: ignore[attr-defined]
    for pool in [*_pools]:
        _end(pool)


def _begin(function: Callable[..., T], calls: list[Any], workers: int) -> tuple[Any, Any] | None:
    """Return processes at work and their answers, or None where they cannot be started."""
    from joblib.externals.loky import ProcessPoolExecutor

    each = max(1, available_threads() // workers)
    # Each watches its parent and has BLAS's threads; here are those of the pool and of its locks
    if not _can_begin((each + 2) * workers + 8):
        return None
    threads = dict.fromkeys(THREADS, str(each))
    with _pools_change, suppress(OSError, RuntimeError):
        pool = ProcessPoolExecutor(
            workers, initializer=_end_with, initargs=(os.getpid(),), env=threads
        )
        _pools.add(pool)
        try:
            with _deaf_to_ctrl_c():  # what they would say of it is nothing for the user
                return pool, [pool.submit(function, *given) for given in calls]
        except (OSError, RuntimeError):
            for process in pool._processes.values():
                process.terminate()
                process.join()
            pool._executor_manager_thread = None  # it has not begun, so it cannot be waited for
            _end(pool)
            raise
        except KeyboardInterrupt:
            _end(pool)
            raise
    return None


def _can_begin(threads: int) -> bool:
    """Whether the system starts so many more threads; it counts processes among them.

    A pool whose own threads cannot start would never answer.
    """
    over = Event()
    held = [Thread(target=over.wait, daemon=True) for _ in range(threads)]
    begun = [thread for thread in held if begins(thread)]
    over.set()
    for thread in begun:
        thread.join()
    return len(begun) == threads


def _end(pool: Any) -> None:
    with _pools_change:
        manager, processes = pool._executor_manager_thread, pool._processes or {}
        # For those that it still knows the pool runs pgrep, to end their children: there are none
        mine = [processes.popitem()[1] for _ in range(len(processes))]
        if manager is not None:
            # The pool drops the calls that its thread may be about to send: it fails, and so
            # nobody ends the processes
            manager._invoke_excepthook = lambda *of_thread: None
        pool.shutdown(wait=False, kill_workers=True)  # or it would take their end for a failure
        for process in mine:
            with suppress(OSError):  # it has ended
                os.kill(process.pid, KILL)
        for thing in [*mine, manager]:
            if thing is not None:
                thing.join()
    _pools.discard(pool)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let the processes that are started here never get Ctrl-C; this one gets it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # whose start lets a thread hear again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with(parent: int) -> None:
    """Let this process end soon after its parent."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    begins(Thread(target=watch, daemon=True))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Return how many cores' worth of time a Linux container gets, or inf."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]  # version 2
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text()
            period = (root / "cpu/cpu.cfs_period_us").read_text()
        except OSError:
            return math.inf
    return float(quota) / float(period) if quota != "max" and float(quota) > 0 else math.inf


def _threads(asked: int | None, network: Network, rows: int) -> int:
    if asked is not None:
        check_count(asked, "threads")
        return int(asked)
    if rows * network.size < WORTH_A_THREAD:
        return 1
    return available_threads()

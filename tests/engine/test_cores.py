"""Work in processes of its own ends with the process that asked for it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from chainrule.engine import cores
from chainrule.engine.cores import in_processes

PARENT = """
import os, time
from chainrule.engine import cores
from chainrule.engine.cores import in_processes

def work(seconds):
    time.sleep(seconds)
    return os.getpid()

if __name__ == "__main__":
    for pid in in_processes(work, [(0.0,), (0.0,), (600.0,), (600.0,)], workers=2):
        print(pid, flush=True)
"""


def test_answers_come_in_the_order_of_the_questions():
    assert list(in_processes(pow, [(2, n) for n in range(9)], workers=2)) == [
        2**n for n in range(9)
    ]


def is_alive(pid):
    """Whether a process is there, and no longer waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    workers = {int(parent.stdout.readline()), int(parent.stdout.readline())}
    assert all(is_alive(pid) for pid in workers)
    parent.kill()
    parent.communicate()
    for _ in range(600):  # 60 s, on a machine that has much else to do
        if not any(is_alive(pid) for pid in workers):
            break
        time.sleep(0.1)
    alive = [pid for pid in workers if is_alive(pid)]
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    assert not alive


def hears_ctrl_c():
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_is_for_the_parent_alone():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert list(in_processes(hears_ctrl_c, [()] * 3, workers=2)) == [False] * 3
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


@pytest.mark.parametrize(
    ("wish", "threads"), [("2,1", 2), ("3", 3), ("", 4), ("0", 4), ("many", 4), ("99", 4)]
)
def test_the_threads_are_what_is_wished_for_at_most(monkeypatch, wish, threads):
    monkeypatch.setattr(cores, "_cores", lambda: 4)
    monkeypatch.setattr(cores, "_quota", lambda: 8.0)
    monkeypatch.setenv("OMP_NUM_THREADS", wish)
    assert cores.available_threads.__wrapped__() == threads


LEAVING = """
import threading, time
from chainrule.engine.cores import in_processes
from chainrule_command import heard, leave_if_asked

answers = in_processes(time.sleep, [(0.0,), (SECONDS,), (SECONDS,)], workers=2)
next(answers)
threading.excepthook = lambda given: None  # whoever waits for the answers is told that none come
threading.Thread(target=lambda: list(answers), daemon=True).start()
time.sleep(0.5)
heard.append(2)
leave_if_asked(0)
"""


@pytest.mark.parametrize("seconds", ["0.0", "600.0"])
def test_a_process_that_leaves_at_once_leaves_nothing_behind(seconds):
    program = LEAVING.replace("SECONDS", seconds)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def a_process(_):
    return os.getpid()


def test_without_threads_the_work_is_done_here(no_threads):
    assert list(in_processes(a_process, [(0,), (1,)], workers=2)) == 2 * [os.getpid()]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("most", [0, 1])
def test_where_processes_cannot_be_started_the_work_is_done_here(monkeypatch, most):
    from joblib.externals.loky.backend import fork_exec

    begun, start = [], fork_exec.fork_exec

    def start_few(*given, **more):
        if len(begun) == most:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        begun.append(start(*given, **more))
        return begun[-1]

    monkeypatch.setattr(fork_exec, "fork_exec", start_few)
    calls = ((number,) for number in range(3))
    assert list(in_processes(a_process, calls, workers=2)) == 3 * [os.getpid()]
    assert len(begun) == most
    assert not any(is_alive(pid) for pid in begun)
    assert not cores._pools


def test_a_process_that_cannot_watch_its_parent_works_all_the_same(no_threads):
    cores._end_with(os.getppid())


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_ctrl_c_while_processes_begin_leaves_none(monkeypatch):
    pools = []

    @contextmanager
    def interrupted():
        yield
        pools.extend((pool, [*pool._processes]) for pool in cores._pools)
        raise KeyboardInterrupt

    monkeypatch.setattr(cores, "_deaf_to_ctrl_c", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(in_processes(time.sleep, [(600.0,)] * 2, workers=2))
    ((_, pids),) = pools
    assert len(pids) == 2
    assert not any(is_alive(pid) for pid in pids)
    assert not cores._pools


def test_processes_end_without_a_search_for_their_children(monkeypatch):
    from joblib.externals.loky import process_executor

    searched = []
    monkeypatch.setattr(process_executor, "kill_process_tree", searched.append)
    answers = in_processes(time.sleep, [(0.0,), (600.0,)], workers=2)
    next(answers)
    answers.close()
    assert not searched
    assert not cores._pools

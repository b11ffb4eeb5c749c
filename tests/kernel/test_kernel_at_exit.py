"""Ctrl-C ends a call of the kernel; a thread in the kernel lets the process end."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import pytest
from test_kernel import problem

from chainrule import engine
from chainrule.common.types import Stopped
from chainrule.engine.cores import available_threads
from chainrule.kernel import BUILT, asking
from chainrule.notes.minibatch import Minibatches
from chainrule.optimize import OPTIMIZERS
from chainrule.optimize.sgd import SGD

pytestmark = pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")

PROGRAM = """
import threading, time
import numpy as np
from chainrule import Network, engine, random_theta, train

rng = np.random.default_rng(0)
network = Network((100, 300, 10))
X = rng.random((20_000, 100), dtype=np.float32)
Y = np.eye(10, dtype=np.float32)[rng.integers(0, 10, len(X))]
theta = random_theta(network)
steps = 0

def count(*_):
    global steps
    steps += 1

def predict():
    while True:
        engine.predict(network, theta, X, engine="kernel", threads=2)
        count()

def learn(optimizer):
    train(network, X, Y, optimizer=optimizer, max_iter=10**6, engine="kernel", callback=count)

threading.Thread(target={work}, daemon=True).start()
while steps < 2:
    time.sleep(0.01)
{end}
"""
WORK = {
    "minibatches": "lambda: learn('adam')",
    "full batches": "lambda: learn('lbfgs')",
    "predictions": "predict",
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_a_process_ends_while_a_daemon_thread_is_in_the_kernel(work):
    program = PROGRAM.format(work=work, end="print('the end')")
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")


BUSY = """
rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 6))
Y = (X[:, :1] + X[:, 1:2] * X[:, 2:3] > 0) * 1.0
network = Network((6, 20, 1), output="identity" if {optimizer!r} in ("lm", "br") else "sigmoid")
def learn():
    while True:
        train(network, X, Y, optimizer={optimizer!r}, max_iter=10**6, engine={engine!r},
              patience=None, callback=count)
threading.Thread(target=learn, daemon=True).start()
while steps < 2:
    time.sleep(0.01)
print("the end")
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["kernel", "numpy"])
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "scipy:BFGS"])
def test_a_process_ends_while_a_daemon_thread_trains_on_a_busy_machine(optimizer, engine):
    program = PROGRAM[: PROGRAM.index("threading.Thread")]
    run = [sys.executable, "-c", program + BUSY.format(optimizer=optimizer, engine=engine)]
    burn = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(burn) for _ in range(available_threads())]
    try:
        done = subprocess.run(run, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_a_process_whose_other_thread_trains():
    program = PROGRAM.format(
        work=WORK["minibatches"], end="print('go', flush=True); time.sleep(300)"
    )
    run = [sys.executable, "-c", program]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "go\n"
        child.send_signal(signal.SIGINT)
        errors = child.communicate(timeout=300)[1].splitlines()
    assert child.returncode == -signal.SIGINT
    assert errors[0] == "Traceback (most recent call last):"
    assert errors[-1] == "KeyboardInterrupt"
    assert len(errors) < 6


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_an_epoch_at_once():
    network, theta, X, Y = problem((100, 100, 1), "relu", "sigmoid", 20000)
    order = np.tile(np.arange(len(X)), 1000)  # a minute of work
    rule, start = SGD(), theta.copy()
    state = rule.init(theta)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        engine.epoch(
            network,
            theta,
            X,
            Y,
            order,
            Minibatches(),
            rule=rule,
            state=state,
            engine="kernel",
        )
    timer.join()
    assert np.isfinite(theta).all()
    assert (theta != start).any()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("layers", [(100, 100, 1), (800, 1100, 2)])  # Delta by chunks, and whole
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_full_batch(layers, threads):
    network, theta, X, Y = problem(layers, "relu", "sigmoid", 20_000, np.float32)

    def work():
        while True:  # as long as it takes for the key to be pressed
            engine.accumulate(network, theta, X, Y, engine="kernel", threads=threads)

    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        work()
    timer.join()


LARGE = (1500, 1500, 1500, 2)  # 480 rows are one slab, and a fifth of a second's work for a core


def asked_in(work, most=None):
    """Return how often the kernel asks in a call; the question number `most` ends it."""
    asked = []

    def ask():
        asked.append(1)
        if len(asked) == most:
            raise Stopped("enough")

    with asking(ask):
        work()
    return len(asked)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("what", ["accumulate", "hessian_vector"])
def test_a_long_slab_is_left_in_the_middle(what, threads):
    network, theta, X, Y = problem(LARGE, "relu", "sigmoid", 480)
    calls = {
        "accumulate": lambda: engine.accumulate(
            network, theta, X, Y, engine="kernel", threads=threads
        ),
        "hessian_vector": lambda: engine.hessian_vector(
            network, theta, theta, X, Y, engine="kernel", threads=threads
        ),
    }
    assert asked_in(calls[what]) > 1
    with pytest.raises(Stopped, match="enough"):
        asked_in(calls[what], 1)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("most", [1, 2])
def test_a_step_that_is_left_has_not_moved_theta(most, threads):
    network, theta, X, Y = problem(LARGE, "relu", "sigmoid", 480)
    rule, order, how = SGD(), np.arange(len(X)), Minibatches(len(X))

    def after(most=None):
        moved, state = theta.copy(), rule.init(theta)
        with suppress(Stopped):
            asked_in(
                lambda: engine.epoch(
                    network, moved, X, Y, order, how, rule=rule, state=state, engine="kernel",
                    threads=threads,
                ),
                most,
            )  # fmt: skip
        return moved.tobytes()

    assert after(most) in (theta.tobytes(), after())


NO_THREADS = """
import resource
import numpy as np
from chainrule import Network, engine, random_theta

network, X = Network((100, 30, 10)), np.random.default_rng(0).random((2000, 100))
theta = random_theta(network)
alone = engine.predict(network, theta, X, engine="kernel", threads=1)
pages = int(open("/proc/self/statm").read().split()[0])
room = pages * resource.getpagesize() + 40 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (room, room))
for threads in (64, 2, 64):
    assert (engine.predict(network, theta, X, engine="kernel", threads=threads) == alone).all()
print("the same")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_threads_that_cannot_start_are_done_without():
    run = [sys.executable, "-c", NO_THREADS]
    done = subprocess.run(run, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "the same\n", done.stderr


AFTER_MANY_THREADS = """
import time
from pathlib import Path
import numpy as np
from chainrule import Network, engine, random_theta

tasks = Path("/proc/self/task")
network, X = Network((100, 30, 10)), np.random.default_rng(0).random((8000, 100))
theta = random_theta(network)

def compute(threads):
    for _ in range(20):
        engine.predict(network, theta, X, engine="kernel", threads=threads)

def runs(helpers):
    # How often each thread has got a core, once all of them sleep
    while True:
        before = [(tasks / name / "schedstat").read_text() for name in helpers]
        asleep = all("(sleeping)" in (tasks / name / "status").read_text() for name in helpers)
        time.sleep(0.05)
        if asleep and before == [(tasks / name / "schedstat").read_text() for name in helpers]:
            return before

first = {task.name for task in tasks.iterdir()}
compute(64)
helpers = sorted({task.name for task in tasks.iterdir()} - first)
before = runs(helpers)
time.sleep(1)
# ThreadSanitizer has a thread of its own, which is at work at times
own = {name for name, a, b in zip(helpers, before, runs(helpers)) if a != b}
first |= own
helpers = [name for name in helpers if name not in own]
for threads in (2, 1, 64):
    before = runs(helpers)
    compute(threads)
    print(sum(a != b for a, b in zip(before, runs(helpers))), end=" ")
print(len(helpers), len({task.name for task in tasks.iterdir()} - first))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_call_with_many_threads_leaves_sleepers_that_only_such_a_call_wakes():
    run = [sys.executable, "-c", AFTER_MANY_THREADS]
    done = subprocess.run(run, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "1 0 63 63 63\n", done.stderr

"""A thread that is in the kernel when Python ends lets the process end as it should."""

import signal
import subprocess
import sys

import pytest

from chainrule.kernel import BUILT

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

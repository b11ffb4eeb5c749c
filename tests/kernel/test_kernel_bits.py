"""The kernel's bits: the same for any number of threads, in any process, beside any memory."""

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from test_kernel import problem

from chainrule import engine
from chainrule.kernel import BUILT
from chainrule.notes.minibatch import Minibatches
from chainrule.optimize.adam import Adam

pytestmark = pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("zeros", [0.0, 0.9])
@pytest.mark.parametrize(
    "layers", [(400, 25, 10), (33, 68, 41, 3), (400, 68, 3), (800, 1100, 1300, 2)]
)
def test_the_same_bits_for_any_number_of_threads(layers, zeros, dtype):
    network, theta, X, Y = problem(layers, "tanh", "softmax", 1100, dtype, zeros=zeros)
    rule = Adam()

    def everything(threads):
        options = {"engine": "kernel", "threads": threads}
        cost, Delta, _ = engine.accumulate(network, theta, X, Y, **options)
        alone, _ = engine.cost(network, theta, X, Y, **options)
        h = engine.predict(network, theta, X, **options)
        mine, state = theta.copy(), rule.init(theta)
        order = np.random.default_rng(0).permutation(len(X))
        how = Minibatches(201, 1e-3, dropout=[0.1] * (network.L - 1), max_norm=2.0, seed=3)
        options |= {"rule": rule, "state": state, "number": 1}
        epoch_cost, _ = engine.epoch(network, mine, X, Y, order, how, **options)
        return b"".join(
            np.asarray(part).tobytes() for part in (cost, Delta, alone, h, epoch_cost, mine, state)
        )

    one = everything(1)
    assert [everything(threads) == one for threads in (2, 3, 4)] == [True] * 3


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_passing_over_zeros_of_x_changes_no_bit(dtype):
    network, theta, X, Y = problem((50, 70, 3), "tanh", "identity", 1003, dtype, zeros=0.9)
    among_full_rows = X.copy()
    among_full_rows[::2] = 1
    passed_over = engine.predict(network, theta, X, engine="kernel")
    multiplied = engine.predict(network, theta, among_full_rows, engine="kernel")
    assert passed_over[1::2].tobytes() == multiplied[1::2].tobytes()
    weights = np.arange(len(X)) % 2  # of the full rows: 0
    cost, Delta, _ = engine.accumulate(network, theta, X, Y, weights, engine="kernel")
    wanted, expected, _ = engine.accumulate(
        network, theta, among_full_rows, Y, weights, engine="kernel"
    )
    assert cost == wanted
    np.testing.assert_array_equal(Delta, expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("layers", [(5, 71), (300, 67)])
def test_what_fills_up_a_row_meets_nothing(layers, outputs, dtype):
    # 71 and 67 units end within a vector of every instruction set, the last 3 of 67 are products
    # along the inputs.  Weights are filled up with what memory held: NaN under
    # `make sanitize`, else by chance what a diverged network left there
    network, theta, X, Y = problem((*layers, outputs), "identity", "identity", 300, dtype)
    rule, order = Adam(), np.arange(len(X))

    def run(theta):
        options = {"rule": rule, "state": rule.init(theta)}
        cost, Delta, _ = engine.accumulate(network, theta, X, Y, engine="kernel", threads=1)
        cost_of_epoch, _ = engine.epoch(
            network, theta, X, Y, order, Minibatches(30), engine="kernel", threads=1, **options
        )
        return np.hstack([cost, Delta, cost_of_epoch, theta])

    first = run(theta.copy())
    with np.errstate(invalid="ignore"):
        run(np.full_like(theta, np.nan))
    assert run(theta.copy()).tobytes() == first.tobytes()
    assert np.isfinite(first).all()


def bits_of_a_gradient(_=None):
    network, theta, X, Y = problem((40, 25, 10), "sigmoid", "sigmoid", 900)
    cost, Delta, _ = engine.accumulate(network, theta, X, Y, engine="kernel", threads=2)
    return np.float64(cost).tobytes() + Delta.tobytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_same_bits_in_a_forked_child():
    here = bits_of_a_gradient()  # the pool has its threads by now; the child has not
    with multiprocessing.get_context("fork").Pool(2) as pool:
        there = pool.map_async(bits_of_a_gradient, range(4)).get(timeout=60)
    assert there == [here] * 4
    assert bits_of_a_gradient() == here


def test_the_same_bits_in_another_process():
    command = [
        sys.executable,
        "-c",
        "import test_kernel_bits as t, sys; sys.stdout.write(t.bits_of_a_gradient().hex())",
    ]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in Path(__file__).parents[:2])
    }
    there = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert bytes.fromhex(there.stdout) == bits_of_a_gradient()


def test_two_python_threads_at_once():
    here, there = bits_of_a_gradient(), []

    def run():
        there.extend(bits_of_a_gradient() for _ in range(20))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert there == [here] * 60

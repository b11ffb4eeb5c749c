"""What no peer is compared in: ``python -m benchmarks.promises`` prints it in about 3 minutes.

How soon Ctrl-C ends a training, and another thread by `stop=`; whether Adam's step grows slower
when units have died and their moments have faded for 20,000 steps (numbers next to 0 are slow on
most processors); what two trainings in two Python threads take, beside one after the other; how
long the report on a wrong gradient takes beyond the numerical gradient; what share of the time
writing checkpoints takes, and how soon a training goes on from one.
"""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

import chainrule
from chainrule import engine
from chainrule.notes.minibatch import Minibatches
from chainrule.optimize.adam import Adam
from chainrule.training import checkpoint


def main() -> None:
    print("| what | median | smallest | largest |\n|---|---:|---:|---:|")
    for words, layers, m, optimizer in (
        ("784-800-800-10, Adam, batch 200", (784, 800, 800, 10), 6_000, "adam"),
        ("400-25-10, L-BFGS, 60,000 rows", (400, 25, 10), 60_000, "lbfgs"),
    ):
        seconds = [until_interrupted(layers, m, optimizer, 0.3 + i / 20) for i in range(15)]
        line(f"from Ctrl-C to the result of `train`: {words}", seconds, 1e3, "ms")
        seconds = [until_stopped(layers, m, optimizer, 0.3 + i / 20) for i in range(15)]
        line(f"from `stop` to the result of `train`: {words}", seconds, 1e3, "ms")
    seconds = [until_stopped((784, 800, 800, 10), 6_000, "adam", 0.1 + i / 20) for i in range(5)]
    line("the same in the gradient check of 784-800-800-10", seconds, 1e3, "ms")
    for optimizer in ("lm", "br"):
        seconds = [until_interrupted((40, 50, 10), 300, optimizer, 0.5 + i / 3) for i in range(5)]
        line(f"from Ctrl-C to the result of `train`: 40-50-10, {optimizer}", seconds, 1e3, "ms")
    early, late, dead = adam_steps()
    line("Adam's step at step 100, 784-100-10, batch 32", early, 1e6, "µs")
    line(f"Adam's step at step 20,000, {dead} of 100 units dead since step 0", late, 1e6, "µs")
    for m in (20, 500):
        words = f"a report on an unknown mistake, the function itself aside: 38-25-25-10, {m} rows"
        line(words, reports(m), 1e3, "ms")
    for words, layers, m, optimizer, options in CHECKPOINTED:
        shares, resumed = checkpoints(layers, m, optimizer, options)
        line(f"checkpoints: share of the time, {words}", shares, 100, "%")
        line(f"from the call to the first step, resumed: {words}", resumed, 1e3, "ms")
    apart, together = two_trainings()
    line("two trainings one after the other, one thread each", apart, 1e3, "ms")
    line("the same two in two Python threads", together, 1e3, "ms")


def line(words: str, seconds: list[float], scale: float, unit: str) -> None:
    figures = (statistics.median(seconds), min(seconds), max(seconds))
    print(f"| {words} | " + " | ".join(f"{scale * s:.3g} {unit}" for s in figures) + " |")


def examples(layers: tuple[int, ...], m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return (
        rng.random((m, layers[0]), dtype=np.float32),
        np.eye(layers[-1], dtype=np.float32)[rng.integers(0, layers[-1], m)],
    )


def until_interrupted(layers: tuple[int, ...], m: int, optimizer: str, wait: float) -> float:
    """Return the seconds between the signal of Ctrl-C and the return of `train`."""
    X, Y = examples(layers, m)
    network = chainrule.Network(layers, hidden="sigmoid", output="softmax")
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    # The wait is counted from the first iteration on, so that it ends amid the work of a later one
    timer = threading.Timer(wait, press)

    def start_timer(step: object) -> None:
        if not timer.is_alive() and not pressed:
            timer.start()

    result = chainrule.train(
        network,
        X,
        Y,
        optimizer=optimizer,
        max_iter=100_000,
        patience=None,
        callback=start_timer,
    )
    ended = time.perf_counter()
    assert np.isfinite(result.theta).all()
    assert "interrupted" in result.stopped
    return ended - pressed[0]


def until_stopped(layers: tuple[int, ...], m: int, optimizer: str, wait: float) -> float:
    """Return the seconds between another thread's asking to stop and the return of `train`."""
    X, Y = examples(layers, m)
    network = chainrule.Network(layers, hidden="sigmoid", output="softmax")
    asked: list[float] = []
    timer = threading.Timer(wait, lambda: asked.append(time.perf_counter()))
    timer.start()
    options = {"optimizer": optimizer, "max_iter": 100_000, "patience": None}
    result = chainrule.train(network, X, Y, stop=lambda: bool(asked), **options)
    ended = time.perf_counter()
    assert "asked to stop" in result.stopped
    return ended - asked[0]


CHECKPOINTED: tuple[tuple[str, tuple[int, ...], int, str, dict[str, Any]], ...] = (
    ("784-800-800-10, Adam, 6,000 rows", (784, 800, 800, 10), 6_000, "adam", {}),
    ("784-2000-2000-10, SGD", (784, 2000, 2000, 10), 2_000, "sgd", {"dropout": 0.2}),
    ("400-25-10, L-BFGS, 60,000 rows", (400, 25, 10), 60_000, "lbfgs", {}),
    ("20-30-1, LM, 5,000 rows", (20, 30, 1), 5_000, "lm", {}),
    ("20-50-3, Adam, 100,000 rows", (20, 50, 3), 100_000, "adam", {}),
)


def checkpoints(
    layers: tuple[int, ...], m: int, optimizer: str, options: dict[str, Any]
) -> tuple[list[float], list[float]]:
    """Return the shares that writing takes of a training that writes as `train` does by itself.

    The training here is short and writes often; a writing's share is that of the 30 seconds, or
    more, that it waits after the one before.  The first has the hash of the data in it.
    """
    rng = np.random.default_rng(0)
    X = rng.random((m, layers[0]), dtype=np.float32)
    Y = rng.random((m, layers[-1]), dtype=np.float32)
    network = chainrule.Network(layers, output="identity" if optimizer == "lm" else "sigmoid")
    took: list[float] = []
    resumed, share, write = [], checkpoint.SHARE, checkpoint.Checkpoint._write

    def timed(self: checkpoint.Checkpoint, stopped: str) -> None:
        began = time.perf_counter()
        write(self, stopped)
        took.append(time.perf_counter() - began)

    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(checkpoint, "SHARE", 1e9),
        mock.patch.object(checkpoint.Checkpoint, "_write", timed),
    ):
        how: dict[str, Any] = {"checkpoint": f"{folder}/run.ckpt", "optimizer": optimizer}
        how |= {"max_iter": 10**6, "patience": None, "checkpoint_every": 0.3, **options}
        chainrule.train(network, X, Y, max_time=4.0, **how)
        for _ in range(3):
            began = time.perf_counter()
            chainrule.train(network, X, Y, callback=lambda step: True, **how)
            resumed.append(time.perf_counter() - began)
    waits = [30.0, *(max(30.0, seconds / share) for seconds in took)]
    return [seconds / wait for seconds, wait in zip(took, waits, strict=False)], resumed


def adam_steps() -> tuple[list[float], list[float], int]:
    """Return seconds of early and of late steps, in turns, and how many units are dead."""
    layers, batch, m, rule = (784, 100, 10), 32, 6_400, Adam()
    X, Y = examples(layers, m)
    network = chainrule.Network(layers, hidden="relu", output="softmax")
    start = chainrule.random_theta(network, seed=0).astype(np.float32)
    dead = 50
    chainrule.reshape(network, start)[0][:dead, 0] = -1000.0  # their z is never above 0 again
    order = np.arange(m)
    steps_an_epoch = m // batch

    def epoch(theta: np.ndarray, state: np.ndarray, steps: int) -> None:
        engine.epoch(
            network,
            theta,
            X,
            Y,
            order,
            Minibatches(batch),
            rule=rule,
            state=state,
            steps=steps,
            threads=1,
        )

    theta, state, kept = start, rule.init(start), {}
    # The dead units' moments are not 0 but what is left of one early step
    Thetas = chainrule.reshape(network, state[0])[0], chainrule.reshape(network, state[1])[0]
    Thetas[0][:dead], Thetas[1][:dead] = 1e-3, 1e-6
    for steps in range(0, 20_001, 100):
        if steps in (100, 20_000):
            kept[steps] = theta.copy(), state.copy()
        if steps % steps_an_epoch == 0:
            epoch(theta, state, steps)
    seconds: dict[int, list[float]] = {100: [], 20_000: []}
    for _ in range(30):
        for steps, (theta, state) in kept.items():
            theta, state = theta.copy(), state.copy()
            began = time.perf_counter()
            epoch(theta, state, steps)
            seconds[steps].append((time.perf_counter() - began) / steps_an_epoch)
    return seconds[100], seconds[20_000], dead


def reports(m: int) -> list[float]:
    """Return seconds of `check_gradient` without those of the function that is checked.

    Of 1,885 weights, D is wrong in the first layer, in the last, in both hidden ones, or in all.
    """
    rng = np.random.default_rng(0)
    network = chainrule.Network((38, 25, 25, 10))
    X, y = rng.uniform(-2, 2, (m, 38)), np.arange(m) % 10
    theta, noise = rng.uniform(-0.3, 0.3, (2, network.size))
    place = np.arange(network.size)
    known = {"network": network, "X": X, "Y": y, "lam": 1.5}
    seconds = []
    for wrong in (place < 975, place >= 1625, place < 1625, place >= 0):
        inside = 0.0

        def objective(theta: np.ndarray, wrong: np.ndarray = wrong) -> tuple[float, np.ndarray]:
            nonlocal inside
            began = time.perf_counter()
            J, D = chainrule.cost_and_gradient(network, theta, X, y, 1.5)
            inside += time.perf_counter() - began
            return J, D + noise * wrong

        began = time.perf_counter()
        report = chainrule.check_gradient(objective, theta, **known)
        seconds.append(time.perf_counter() - began - inside)
        assert report.diagnosis[0].name == "no-known-mistake"
    return seconds


def two_trainings() -> tuple[list[float], list[float]]:
    """Return seconds of two trainings one after the other, and at once, in turns."""
    layers = (400, 25, 10)
    X, Y = examples(layers, 5_000)
    network = chainrule.Network(layers)

    def fit() -> None:
        chainrule.train(network, X, Y, max_iter=50, threads=1)

    def at_once() -> None:
        threads = [threading.Thread(target=fit) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def one_by_one() -> None:
        fit()
        fit()

    seconds: dict[Callable[[], None], list[float]] = {one_by_one: [], at_once: []}
    for _ in range(7):
        for run, taken in seconds.items():
            began = time.perf_counter()
            run()
            taken.append(time.perf_counter() - began)
    return seconds[one_by_one], seconds[at_once]


if __name__ == "__main__":
    main()

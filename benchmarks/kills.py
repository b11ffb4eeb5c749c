"""Trainings that are killed again and again: ``python -m benchmarks.kills`` takes about 5 minutes.

Every optimizer and the command are killed by SIGKILL at random moments and started again until they
are through, 200 times and more in all.  After each kill the checkpoint is read.  At the end theta,
J, the history and the command's model file must have the bits of a training that nobody killed, and
the folder must have no litter.

``python -m benchmarks.kills 3600`` does that to one run of the command, stretched to an hour,
and killed 20 times.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import Network, Result, train
from chainrule.training import checkpoint, epochs

OPTIMIZERS = ("lbfgs", "cg", "scg", "newton-cg", "gd", "lm", "br", "sgd", "adam", "adamw")
LASTS = 8.0  # seconds that a training is stretched to, by sleeping after each step
LEAST, MOST = 0.1, 0.9  # seconds from the first step that a process makes to its end
KILLS = 20  # of the command
COMMAND = """
import sys, time
from pathlib import Path
from benchmarks import kills
from chainrule.commands import keeping, tables, terminal
from chainrule.commands.app import main
keeping.FIRST = 0.0
sleep, every = float(sys.argv.pop()), float(sys.argv.pop())
kills.write_often(every)
def shown(live, step, show=terminal.Live.__call__):
    show(live, step)
    Path("begun").touch()
    time.sleep(sleep)
terminal.Live.__call__ = shown
main()
"""


def main() -> None:
    rng, total = random.Random(0), 0
    if len(sys.argv) > 1:
        return long(float(sys.argv[1]), rng)
    print("| training | iterations | kills | the same bits |\n|---|---:|---:|---|")
    for optimizer in OPTIMIZERS:
        whole = fit(optimizer)
        script = f"from benchmarks import kills; kills.child({optimizer!r}, {LASTS / whole.n_iter})"
        with tempfile.TemporaryDirectory() as folder:
            count = killed_until_done([sys.executable, "-c", script], Path(folder), rng)
            with np.load(Path(folder, "done.npz")) as found:
                same = all(
                    np.array_equal(found[n], v, equal_nan=True) for n, v in numbers(whole).items()
                )
            clean = sorted(os.listdir(folder)) == ["begun", "done.npz", "run.ckpt"]
        report(optimizer, whole.n_iter, count, same and clean)
        total += count
    for options in (["--optimizer", "adam"], ["--optimizer", "lbfgs", "--cv", "--hidden", "5"]):
        count, same = command(options, rng)
        report(f"the command, {' '.join(options)}", 200, count, same)
        total += count
    print(f"\n{total} kills")


def long(seconds: float, rng: random.Random) -> None:
    """Kill one run of the command, stretched to some seconds, 20 times at random."""
    began, iterations = time.monotonic(), 2000
    gap = 0.0, 2 * seconds / (KILLS + 1)
    options = ["--optimizer", "adam", "--hidden", "20", "--lam", "1", "--dropout", "0.1"]
    options += ["--patience", str(iterations), "--max-iter", str(iterations)]
    kills, same = command(options, rng, seconds / iterations, seconds / 100, gap)
    print("| training | iterations | kills | the same bits |\n|---|---:|---:|---|")
    report(f"the command for {seconds:g} s", iterations, kills, same)
    print(f"\n{kills} kills in {time.monotonic() - began:.0f} s")


def report(what: str, iterations: int, kills: int, same: bool) -> None:
    print(f"| {what} | {iterations} | {kills} | {'yes' if same else 'NO'} |", flush=True)
    if not same:
        sys.exit(f"{what}: not the bits of an uninterrupted training")


def fit(optimizer: str, **how: Any) -> Result:
    """Train a small network, with validation examples, in engine calls of 4 batches."""
    epochs.MOST_BATCHES = 4
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 4))
    Y = (X @ rng.normal(size=(4, 2)) + rng.normal(size=(400, 2)) > 0).astype(float)
    squares = optimizer in ("lm", "br")
    network = Network((4, 8, 1 if squares else 2), output="identity" if squares else "sigmoid")
    Y = Y[:, :1] if squares else Y
    if optimizer in ("sgd", "adam", "adamw"):
        how |= {"batch_size": 16, "dropout": 0.1}
    return train(
        network, X[100:], Y[100:], X_val=X[:100], Y_val=Y[:100], optimizer=optimizer, patience=100,
        max_iter=150, **how,
    )  # fmt: skip


def numbers(result: Result) -> dict[str, np.ndarray]:
    history = result.history
    return {
        "theta": result.theta, "last": result.state.theta, "J": np.array(history.J),
        "J_val": np.array(history.J_val), "norm": np.array(history.gradient_norm),
        "counts": np.array([result.n_iter, result.n_eval, result.J]),
    }  # fmt: skip


def write_often(every: float = 0.1) -> None:
    """Write a checkpoint every so many seconds, whatever it costs."""
    checkpoint.SHARE = 1e9
    init = checkpoint.Checkpoint.__init__

    def often(self: Any, path: Any, usual: float = 30.0, *given: Any, **more: Any) -> None:
        init(self, path, every, *given, **more)

    checkpoint.Checkpoint.__init__ = often  # type: ignore[method-assign]


def child(optimizer: str, sleep: float) -> None:
    """Train in a process that will be killed; sleep after each step, which changes no bit."""
    write_often()

    def callback(step: object) -> None:
        Path("begun").touch()
        time.sleep(sleep)

    result = fit(optimizer, checkpoint="run.ckpt", callback=callback)
    np.savez("part.npz", **numbers(result))
    os.replace("part.npz", "done.npz")


def killed_until_done(
    command: list[str],
    folder: Path,
    rng: random.Random,
    most: int = 10**6,
    gap: tuple[float, float] = (LEAST, MOST),
) -> int:
    """Start a command and kill it at a random moment, until it ends by itself; count the kills."""
    kills = 0
    here = {**os.environ, "PYTHONPATH": os.getcwd()}
    while True:
        (folder / "begun").unlink(missing_ok=True)
        process = subprocess.Popen(
            command, cwd=folder, env=here, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while process.poll() is None and not (folder / "begun").exists():
            time.sleep(0.01)
        try:
            _, err = process.communicate(timeout=rng.uniform(*gap) if kills < most else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if process.returncode == 0:
            return kills
        if process.returncode != -signal.SIGKILL:
            sys.exit(err.decode())
        kills += 1
        for kept in folder.glob("*.ckpt"):
            checkpoint.load(kept)


def command(
    options: list[str],
    rng: random.Random,
    sleep: float = 0.06,
    every: float = 0.1,
    gap: tuple[float, float] = (LEAST, MOST),
) -> tuple[int, bool]:
    """Kill the command 20 times; compare its file with that of an uninterrupted one."""
    rows = np.random.default_rng(0).normal(size=(300, 3))
    lines = [f"{a:.4f},{b:.4f},{c:.4f},{a * b + c:.4f}" for a, b, c in rows]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "big.csv").write_text("\n".join(["a,b,c,y", *lines, ""]))
        train = ["train", "big.csv", "--max-iter", "200", "--out", "m.safetensors", *options]
        start = [sys.executable, "-c", COMMAND, *train]
        killed_until_done([*start, str(every), "0"], folder, rng, most=0)
        whole = but_for_the_date(folder / "m.safetensors")
        for path in folder.glob("m.*"):
            path.unlink()
        kills = killed_until_done([*start, str(every), str(sleep)], folder, rng, KILLS, gap)
        same = but_for_the_date(folder / "m.safetensors") == whole
        names = sorted(path.name for path in folder.iterdir())
        return kills, same and names == ["begun", "big.csv", "m.png", "m.safetensors"]


def but_for_the_date(path: Path) -> tuple[Any, bytes]:
    """Return a model file's header without its date and seal, and the bytes of its numbers."""
    content = path.read_bytes()
    n = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:n])
    said = json.loads(header["__metadata__"].pop("chainrule"))
    header["__metadata__"].pop("sha256")
    said["provenance"].pop("date")
    return (header, said), content[n:]


if __name__ == "__main__":
    main()

"""Trainings on two Dask workers that are killed or stopped: XGBoost, LightGBM and chainrule.

    .venv-bench/bin/pip install -r benchmarks/requirements-scale.txt
    .venv-bench/bin/python -m benchmarks.scale_kills --rows 400000 --timeout 180

Each trains on the same rows like HIGGS's, in a process of its own with a cluster of its own on this
machine, whose nannies start a killed worker again.  Twice nobody disturbs it.  Then, after half of
that time, a worker is killed (SIGKILL), or both at once, or a worker is stopped (SIGSTOP) and never
goes on.  A training that has not ended after the timeout is ended, and said to hang.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from benchmarks import higgs
from benchmarks.measured import family

SCENARIOS = {
    "a worker killed": (signal.SIGKILL, 1),
    "both workers killed": (signal.SIGKILL, 2),
    "a worker stopped": (signal.SIGSTOP, 1),
}
CHUNKS = 8


def rows(folder: Path, name: str, first: int, last: int) -> np.ndarray:
    """Return rows of a file, for a task on a worker: nothing is sent but its name."""
    return np.array(np.load(folder / f"{name}.npy", mmap_mode="r")[first:last])


def dask_arrays(folder: Path) -> tuple:
    import dask
    import dask.array as da

    shape = np.load(folder / "X.npy", mmap_mode="r").shape
    borders = np.linspace(0, shape[0], CHUNKS + 1).astype(int)
    pairs = list(itertools.pairwise(borders))
    return tuple(
        da.concatenate([
            da.from_delayed(
                dask.delayed(rows)(folder, name, a, b), (b - a, *shape[1:ndim]), dtype
            )
            for a, b in pairs
        ])
        for name, ndim, dtype in (("X", 2, np.float32), ("y", 1, np.int64))
    )  # fmt: skip


def xgboost(folder: Path, client, rounds: int) -> bytes:
    from xgboost import dask as dxgb

    X, y = dask_arrays(folder)
    data = dxgb.DaskDMatrix(client, X, y)
    how = {"objective": "binary:logistic", "tree_method": "hist", "seed": 0}
    return bytes(dxgb.train(client, how, data, num_boost_round=rounds)["booster"].save_raw("json"))


def lightgbm(folder: Path, client, rounds: int) -> bytes:
    import lightgbm as lgb

    X, y = dask_arrays(folder)
    model = lgb.DaskLGBMClassifier(
        client=client, n_estimators=rounds, verbose=-1, deterministic=True, random_state=0
    )
    model.fit(X, y)
    return model.booster_.model_to_string().encode()


def chainrule(folder: Path, client, rounds: int) -> bytes:
    import chainrule

    data = chainrule.blocks(str(folder / "X.npy"), target=str(folder / "y.npy"))
    network = chainrule.Network((data.n, 100, 2), hidden="relu", output="softmax")
    result = chainrule.train(
        network, data, optimizer="lbfgs", max_iter=rounds, client=client, dtype="float32"
    )
    return result.theta.tobytes() + np.array(result.history.J).tobytes()


TRAININGS: dict[str, Callable] = {
    "chainrule": chainrule, "XGBoost": xgboost, "LightGBM": lightgbm,
}  # fmt: skip


def child(who: str, folder: Path, rounds: int, what: str, after: float, out: Path) -> None:
    """Train on a cluster of this process, disturbed as asked; write what came of it."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        pids, disturbed = sorted(client.run(os.getpid).values()), threading.Event()
        if what in SCENARIOS:
            number, count = SCENARIOS[what]

            def disturb() -> None:
                disturbed.set()
                for pid in pids[:count]:
                    os.kill(pid, number)

            timer = threading.Timer(after, disturb)
            timer.daemon = True
            timer.start()
        began = time.perf_counter()
        model = TRAININGS[who](folder, client, rounds)
        facts = {
            "seconds": time.perf_counter() - began,
            "hash": hashlib.sha256(model).hexdigest()[:12],
            "disturbed": disturbed.is_set(),
        }
        out.write_text(json.dumps(facts))
        os._exit(0)  # the parent ends the workers, also a stopped one


def train(who: str, folder: Path, rounds: int, what: str, after: float, timeout: float) -> dict:
    """Run a child; say that it hangs if it has not ended in time."""
    out = folder / "said.json"
    out.unlink(missing_ok=True)
    words = [who, str(folder), str(rounds), what, str(after), str(out)]
    command = [sys.executable, "-m", "benchmarks.scale_kills", "--child", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    said: list[str] = []
    listener = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
    listener.start()
    deadline = time.monotonic() + timeout
    members: set[int] = set()
    while process.poll() is None and time.monotonic() < deadline:
        members |= set(family(process.pid))
        time.sleep(0.2)
    hangs = process.poll() is None
    for pid in (process.pid, *members):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    if out.exists():
        return json.loads(out.read_text())
    if hangs:
        return {"words": f"hangs: has not ended after {timeout:g} s"}
    listener.join(5)
    reason = [line.strip() for line in said if "Error" in line or "error" in line]
    return {"words": f"fails: {(reason or ['no reason said'])[-1][:200]}"}


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        who, folder, rounds, what, after, out = sys.argv[2:]
        child(who, Path(folder), int(rounds), what, float(after), Path(out))
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_kills")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=100, help="trees, or iterations of L-BFGS")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds")
    parser.add_argument("--who", default=",".join(TRAININGS))
    given = parser.parse_args()
    ours_failed = False
    print("| who | what is done to it | s | the same bits as undisturbed |\n|---|---|---:|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        parts = list(higgs.blocks(given.rows))
        np.save(folder / "X.npy", np.concatenate([X for X, _ in parts]))
        np.save(folder / "y.npy", np.concatenate([y for _, y in parts]))
        for who in given.who.split(","):
            first, after = None, 0.0
            for what in ("nothing", "nothing, again", *SCENARIOS):
                found = train(who, folder, given.rounds, what, after, given.timeout)
                while what in SCENARIOS and not found.get("disturbed", True):  # ended before
                    after /= 2
                    found = train(who, folder, given.rounds, what, after, given.timeout)
                if first is None and "hash" in found:
                    first, after = found, found["seconds"] / 2
                same = "-" if first is None or "hash" not in found else (
                    "yes" if found["hash"] == first["hash"] else "no"
                )  # fmt: skip
                seconds = f"{found['seconds']:.1f}" if "seconds" in found else found["words"]
                print(f"| {who} | {what} | {seconds} | {same} |", flush=True)
                ours_failed |= who == "chainrule" and same != "yes"
                if first is None:
                    break  # it does not train at all
    return ours_failed


if __name__ == "__main__":
    sys.exit(main())

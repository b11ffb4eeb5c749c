"""Trainings on a cluster to which things happen: one hash of theta and history for all of them.

    python -m benchmarks.scenarios                  # 30 scenarios, drawn by seed
    python -m benchmarks.scenarios --seed 7         # one of them again
    python -m benchmarks.scenarios --cost           # what an evaluation costs beyond its arithmetic

A scenario draws the format of the table, the optimizer, the number of workers and of blocks a task,
and what happens during the training: workers killed or stopped, one or all, a late one, a scheduler
that is killed and started again.  Scheduler and workers are processes on this machine, reached by
127.0.0.1; all of them are ended.  What has other bits than one machine in memory is printed, and
the exit code is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import psutil

from chainrule import Network, blocks, train
from chainrule.engine import blocks as of_blocks
from chainrule.engine.cluster import Workers

M, N = 40_000, 8
NETWORK = Network((N, 6, 3), output="softmax")
WAYS = {
    "lbfgs": {"optimizer": "lbfgs", "max_iter": 12},
    "cg": {"optimizer": "cg", "max_iter": 8},
    "lanes": {"optimizer": "adam", "lanes": 5, "max_iter": 10, "batch_size": 64},
}
FORMATS = ("npy", "parquet", "zarr", "dask")
EVENTS = ("kill", "kill", "kill all", "stop", "stop and go on", "join", "scheduler")
GROUPS = (None, 1, 4, 8)
PATIENCE = 240  # seconds in which a training has to end


class Cluster:
    """A scheduler and workers as processes on this machine."""

    def __init__(self) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self.folder = tempfile.mkdtemp()
        self.start_scheduler()

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *command, "--host", "127.0.0.1", "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def start_scheduler(self) -> None:
        self.scheduler = self._start("scheduler", "--port", str(self.port))

    def start_worker(self) -> None:
        self.workers.append(
            self._start(
                "worker", self.address, "--nthreads", "1", "--no-nanny", "--memory-limit", "1GB",
                "--local-directory", self.folder,
            )
        )  # fmt: skip

    def happens(self, what: str, rng: random.Random) -> None:
        """Let something happen; as many workers come back as were lost, as with Kubernetes."""
        if what == "join":
            self.start_worker()
        elif what == "scheduler":
            self.scheduler.kill()
            self.scheduler.wait()
            lost, self.workers = self.workers, []
            for worker in lost:  # a new scheduler does not know them
                worker.kill()
            self.start_scheduler()
            for _ in lost:
                self.start_worker()
        elif what.startswith("stop"):
            worker = rng.choice(self.workers)
            worker.send_signal(signal.SIGSTOP)
            if what == "stop":
                self.start_worker()
            else:
                threading.Timer(rng.uniform(0.5, 4), worker.send_signal, [signal.SIGCONT]).start()
        else:
            lost = list(self.workers) if what == "kill all" else [rng.choice(self.workers)]
            for worker in lost:
                worker.kill()
                self.workers.remove(worker)
                self.start_worker()

    def close(self) -> None:
        for process in self.processes:
            with suppress(OSError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def made(folder: Path) -> dict[str, object]:
    """Write a table in each format, and return how it is opened."""
    import polars as pl

    rng = np.random.default_rng(0)
    X = rng.normal(size=(M, N)).astype(np.float32)
    y = (X[:, :3] + 0.3 * rng.normal(size=(M, 3))).argmax(axis=1)
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    (folder / "parts").mkdir()
    frame = pl.DataFrame(X, schema=[f"x{j}" for j in range(N)]).with_columns(label=y)
    for part, (first, rows) in enumerate(((0, 7), (7, 1_000), (1_007, M))):
        group = (7, 1_000, 70_000)[part]
        frame[first : first + rows].write_parquet(
            folder / f"parts/{part}.parquet", row_group_size=group
        )
    ways: dict[str, object] = {
        "memory": (X, y),
        "npy": (str(folder / "X.npy"), str(folder / "y.npy")),
        "parquet": (str(folder / "parts/*.parquet"), "label"),
    }
    with suppress(ImportError):
        import dask.array as da
        import zarr

        group = zarr.open_group(folder / "table.zarr", mode="w")
        for name, values, chunks in (("X", X, (3_000, 5)), ("y", y, (5_000,))):
            group.create_array(name, data=values, chunks=chunks)
        ways["zarr"] = (str(folder / "table.zarr"), "y")
        ways["dask"] = tuple(
            da.from_zarr(str(folder / "table.zarr"), component=name).rechunk(7_001) for name in "Xy"
        )
    return ways


def digest(result: object) -> str:
    """Return a hash of theta and the history."""
    found = hashlib.sha256(result.theta.tobytes())
    for numbers in (result.history.J, result.history.gradient_norm):
        found.update(np.array(numbers).tobytes())
    return found.hexdigest()[:12]


def scenario(seed: int, tables: dict[str, object], expected: dict[str, str]) -> bool:
    """Run a scenario, say what happened, and return whether the bits are the same."""
    from distributed import Client

    rng = random.Random(seed)
    way, kind = rng.choice(list(WAYS)), rng.choice([f for f in FORMATS if f in tables])
    n, group = rng.randint(1, 3), rng.choice(GROUPS)
    events = sorted((rng.randint(1, 6), rng.choice(EVENTS)) for _ in range(rng.randint(1, 3)))
    said = f"{seed:3} {way:6} {kind:8} {n} workers, group {group}, {events}"
    cluster = Cluster()
    try:
        for _ in range(n):
            cluster.start_worker()
        with Client(cluster.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(n, timeout=60)
            pending = list(events)

            def callback(step: object) -> None:
                while pending and step.iteration >= pending[0][0]:
                    _, what = pending.pop(0)
                    threading.Timer(rng.uniform(0, 0.2), cluster.happens, [what, rng]).start()

            workers = Workers(client, max_lost=2, group=group)
            began = time.monotonic()
            result = train(
                NETWORK, blocks(*tables[kind]), client=workers, callback=callback,
                max_time=PATIENCE, **WAYS[way],
            )  # fmt: skip
            took = time.monotonic() - began
            workers.close()
    finally:
        cluster.close()
    found = digest(result)
    same = found == expected[way]
    print(f"{said}: {found} in {took:.1f} s{'' if same else f' OTHER BITS: {result.stopped}'}")
    sys.stdout.flush()
    return same


def cost() -> None:
    """Print what an evaluation costs: two workers of one thread beside two threads."""
    from distributed import Client, LocalCluster

    rng = np.random.default_rng(0)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        local = stack.enter_context(
            LocalCluster(
                n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
            )
        )
        client = stack.enter_context(Client(local, set_as_default=False))
        print("network, rows            2 threads     2 workers   ratio     CPU")
        for layers, m in (
            ((8, 4, 1), 20_000),
            ((28, 100, 1), 400_000),
            ((28, 300, 300, 1), 200_000),
        ):
            X = rng.normal(size=(m, layers[0])).astype(np.float32)
            np.save(folder / "X.npy", X)
            np.save(folder / "y.npy", (X[:, 0] > 0).astype(np.float32))
            table, network = blocks(folder / "X.npy", folder / "y.npy"), Network(layers)
            times = {"threads": [], "workers": []}
            used = {"threads": 0.0, "workers": 0.0}
            for _ in range(3):
                for name, options in (
                    ("threads", {"threads": 2}), ("workers", {"client": client}),
                ):  # fmt: skip
                    seen = []
                    before = cpu()
                    result = train(
                        network, table, check=False, max_iter=10,
                        callback=lambda step, seen=seen: seen.append(
                            (time.perf_counter(), step.n_eval)
                        ),
                        **options,
                    )  # fmt: skip
                    used[name] += (cpu() - before) / result.n_eval
                    (began, first), (ended, last) = seen[0], seen[-1]
                    times[name].append((ended - began) / (last - first))
            threads, workers = (np.median(times[name]) for name in times)
            print(
                f"{'-'.join(map(str, layers)):14} {m:9,} {1e3 * threads:9.1f} ms "
                f"{1e3 * workers:10.1f} ms {workers / threads:7.2f} "
                f"{used['workers'] / used['threads']:7.2f}"
            )


def cpu() -> float:
    """Return the CPU seconds of this process and those that it has started."""
    mine = psutil.Process()
    return sum(sum(each.cpu_times()[:2]) for each in (mine, *mine.children(recursive=True)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="one scenario, by its number")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--cost", action="store_true")
    options = parser.parse_args()
    if options.cost:
        cost()
        return 0
    of_blocks.BYTES = 1  # blocks of 1,024 rows: 40 of them
    seeds = range(options.count) if options.seed is None else [options.seed]
    with tempfile.TemporaryDirectory() as folder:
        tables = made(Path(folder))
        expected = {}
        for way, how in WAYS.items():
            X, y = tables["memory"]
            hashes = {digest(train(NETWORK, X, y, **how))}
            hashes |= {digest(train(NETWORK, blocks(*tables[kind]), **how)) for kind in tables}
            print(f"{way}: {' '.join(hashes)} in memory and from {', '.join(tables)}")
            if len(hashes) > 1:
                return 1
            expected[way] = hashes.pop()
        failed = [seed for seed in seeds if not scenario(seed, tables, expected)]
    left = psutil.Process().children(recursive=True)
    others = f", other bits: {failed}" if failed else ""
    print(f"{len(seeds) - len(failed)} of {len(seeds)} with the same bits{others}; ", end="")
    print(f"processes left: {len(left)}")
    return 1 if failed or left else 0


if __name__ == "__main__":
    sys.exit(main())

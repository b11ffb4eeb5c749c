"""Past memory and past one process, beside what users would pick: the time to the same J.

    .venv-bench/bin/pip install -r benchmarks/requirements-scale.txt
    python3 -m venv .venv-spark && .venv-spark/bin/pip install pyspark numpy
    .venv-bench/bin/python -m benchmarks.scale_peers --rows 400000 --spark .venv-spark/bin/python

A peer trains for a fixed number of passes over rows like HIGGS's, in npy on the disk.  Then
chainrule trains the same network on the same files until its J is as low.  J is that of all rows,
computed in NumPy from the weights, outside the time.  The two take turns, each in processes of
their own; starting these, and opening the data, is not in the time.  Without options it is a short
run.

The peers are dask-ml's `Incremental` around scikit-learn's `MLPClassifier`, in blocks of 32,768
rows, and PyTorch's Adam with gloo on two processes, whose batches are 2 x 100 (chainrule streams,
with Adam and batches of 200); PyTorch's L-BFGS on two processes, and Spark's
`MultilayerPerceptronClassifier` on `local[2]` (chainrule has L-BFGS on two workers of Dask).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from benchmarks import higgs
from benchmarks.measured import cpu, spread

HIDDEN = 100
OUTPUTS = {"dask-ml": 1}  # scikit-learn has one sigmoid unit for two classes; the others softmax
RELU = ("dask-ml", "torch-adam", "torch-lbfgs")  # Spark knows sigmoid units alone
BATCH, RATE = 200, 1e-3
CHUNK = 32_768
SPARK_MEMORY = "4g"
Weights = list[tuple[np.ndarray, np.ndarray]]  # W of shape (inputs, outputs), b; a pair a layer


class Clock:
    """The wall and CPU seconds of what is done within ``running``, with all child processes."""

    def __init__(self) -> None:
        self.seconds, self.cpu = 0.0, 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began, used = time.perf_counter(), cpu(os.getpid())
        yield
        self.seconds += time.perf_counter() - began
        self.cpu += cpu(os.getpid()) - used


def load(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return X as a map of the file, and y."""
    return np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "y.npy")


def cost(weights: Weights, X: np.ndarray, y: np.ndarray, relu: bool) -> float:
    """Return J without lambda: the mean of -log of the probability of the right class."""
    total = 0.0
    for first in range(0, len(X), CHUNK):
        a = X[first : first + CHUNK].astype(np.float64)
        for W, b in weights[:-1]:
            z = a @ W + b
            a = np.maximum(z, 0) if relu else 1 / (1 + np.exp(-z))
        z = a @ weights[-1][0] + weights[-1][1]
        if z.shape[1] == 1:  # sigmoid is softmax of (0, z)
            z = np.hstack([np.zeros_like(z), z])
        rows = np.arange(len(z))
        total += (np.logaddexp.reduce(z, axis=1) - z[rows, y[first : first + CHUNK]]).sum()
    return total / len(X)


# The peers: each trains and returns its weights; what it does before the clock is not counted


def dask_ml(folder: Path, passes: int, clock: Clock) -> Weights:
    """One thread: two are slower, since the batches are small."""
    import dask.array as da
    from dask_ml.wrappers import Incremental
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    X, y = load(folder)
    X, y = da.from_array(X, (CHUNK, -1)), da.from_array(y, CHUNK)
    net = MLPClassifier((HIDDEN,), batch_size=BATCH, learning_rate_init=RATE, alpha=0.0)
    model = Incremental(net, random_state=0)
    with threadpool_limits(1, "blas"), clock.running():
        for _ in range(passes):
            model.partial_fit(X, y, classes=[0, 1])
    found = model.estimator_
    return list(zip(found.coefs_, found.intercepts_, strict=True))


def torch_adam(folder: Path, passes: int, clock: Clock) -> Weights:
    return _torch(folder, passes, clock, "adam")


def torch_lbfgs(folder: Path, passes: int, clock: Clock) -> Weights:
    return _torch(folder, passes, clock, "lbfgs")


def _torch(folder: Path, passes: int, clock: Clock, optimizer: str) -> Weights:
    """Start the two processes; they wait for each other before and after the clock runs."""
    from torch import multiprocessing as mp

    with tempfile.TemporaryDirectory() as meeting:
        context = mp.get_context("spawn")
        times = context.SimpleQueue()
        started = mp.spawn(_rank, (folder, passes, optimizer, meeting, times), nprocs=2, join=False)
        both = [times.get() for _ in range(2)]
        while not started.join():
            pass
        clock.seconds = max(seconds for seconds, _ in both)
        clock.cpu = sum(used for _, used in both)
        with np.load(Path(meeting, "weights.npz")) as found:
            return [(found["W1"].T, found["b1"]), (found["W2"].T, found["b2"])]


def _rank(rank, folder, passes, optimizer, meeting, times) -> None:
    import torch
    from torch import distributed, nn

    torch.set_num_threads(1)
    torch.manual_seed(0)
    distributed.init_process_group("gloo", f"file://{meeting}/meet", rank=rank, world_size=2)
    X, y = (torch.from_numpy(np.array(part[rank::2])) for part in load(folder))
    net = nn.Sequential(nn.Linear(X.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))
    clock = Clock()
    distributed.barrier()
    with clock.running():
        if optimizer == "adam":
            model = nn.parallel.DistributedDataParallel(net)
            rule = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
            for _ in range(passes):
                order = torch.randperm(len(X))
                for batch in order.split(BATCH // 2):
                    rule.zero_grad()
                    nn.functional.cross_entropy(model(X[batch]), y[batch]).backward()
                    rule.step()
        else:
            for parameter in net.parameters():
                distributed.broadcast(parameter.data, 0)
            rule = torch.optim.LBFGS(
                net.parameters(), max_iter=passes, max_eval=10 * passes, history_size=10,
                tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe",
            )  # fmt: skip

            def closure():
                """All of J and D in one message, as few and as large as gloo likes them."""
                rule.zero_grad()
                J = sum(  # in blocks that stay in the cache: several times as fast as in one
                    _backward(net, X[i : i + 4096], y[i : i + 4096], len(X))
                    for i in range(0, len(X), 4096)
                )
                sums = torch.cat([J.reshape(1), *(p.grad.reshape(-1) for p in net.parameters())])
                distributed.all_reduce(sums)
                sums /= 2
                at = 1
                for p in net.parameters():
                    p.grad.copy_(sums[at : at + p.numel()].view_as(p))
                    at += p.numel()
                return sums[0]

            rule.step(closure)
        distributed.barrier()
    if rank == 0:
        W1, b1, W2, b2 = (p.detach().numpy() for p in net.parameters())
        np.savez(Path(meeting, "weights.npz"), W1=W1, b1=b1, W2=W2, b2=b2)
    times.put((clock.seconds, clock.cpu))
    distributed.destroy_process_group()


def _backward(net, X, y, m):
    from torch import nn

    J = nn.functional.cross_entropy(net(X), y, reduction="sum") / m
    J.backward()
    return J.detach()


def spark(folder: Path, passes: int, clock: Clock) -> Weights:
    from pyspark.ml.classification import MultilayerPerceptronClassifier
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", SPARK_MEMORY)
    builder = builder.config("spark.ui.enabled", "false").config("spark.log.level", "ERROR")
    session = builder.config("spark.local.dir", str(folder)).getOrCreate()
    names = list(higgs.COLUMNS)
    names = [name.replace("-", "_") for name in names]
    table = session.read.parquet(str(folder / "spark.parquet")).repartition(2)
    table = VectorAssembler(inputCols=names, outputCol="features").transform(table)
    table = table.select("features", "label").cache()
    table.count()  # the rows are read now
    trainer = MultilayerPerceptronClassifier(
        layers=[len(names), HIDDEN, 2], maxIter=passes, tol=1e-30, seed=0
    )
    with clock.running():
        model = trainer.fit(table)
    flat, weights = model.weights.toArray(), []
    for n, k in ((len(names), HIDDEN), (HIDDEN, 2)):
        weights.append((flat[: n * k].reshape(n, k), flat[n * k : n * k + k]))
        flat = flat[n * k + k :]
    session.stop()
    return weights


PEERS: dict[str, Callable[[Path, int, Clock], Weights]] = {
    "dask-ml": dask_ml, "torch-adam": torch_adam, "torch-lbfgs": torch_lbfgs, "spark": spark,
}  # fmt: skip


def ours(folder: Path, target: float, peer: str, clock: Clock) -> Weights:
    """Train until J of all rows is no higher than the peer's."""
    import chainrule

    X, y = load(folder)
    relu, outputs = peer in RELU, OUTPUTS.get(peer, 2)
    network = chainrule.Network(
        (X.shape[1], HIDDEN, outputs),
        hidden="relu" if relu else "sigmoid",
        output="softmax" if outputs > 1 else "sigmoid",
    )
    data = chainrule.blocks(str(folder / "X.npy"), target=str(folder / "y.npy"))
    minibatches = peer in ("dask-ml", "torch-adam")
    looked = Clock()  # at J, which the peer did not do

    def reached(step) -> bool:
        if not minibatches:
            return bool(target >= step.J)
        with looked.running():
            J = cost(_layers(network, step.theta), X, y, relu)
        return step.iteration > 0 and target >= J

    with _client(not minibatches) as client:
        how = {"client": client} if client else {"batch_size": BATCH}
        with clock.running():
            result = chainrule.train(
                network, data, optimizer="adam" if minibatches else "lbfgs", dtype="float32",
                max_iter=1000, patience=None, callback=reached, **how,
            )  # fmt: skip
    clock.seconds -= looked.seconds
    clock.cpu -= looked.cpu
    return _layers(network, result.theta)


def _layers(network, theta: np.ndarray) -> Weights:
    import chainrule

    return [(Theta[:, 1:].T, Theta[:, 0]) for Theta in chainrule.reshape(network, theta)]


@contextmanager
def _client(wanted: bool):
    if not wanted:
        yield None
        return
    from distributed import Client, LocalCluster

    with (
        LocalCluster(2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def child(peer: str, folder: Path, what: str, out: Path) -> None:
    """Train in this process and say what it took; ``what`` is the passes, or J to be reached."""
    clock = Clock()
    is_target = "." in what or "e" in what
    if is_target:
        weights = ours(folder, float(what), peer, clock)
    else:
        weights = PEERS[peer](folder, int(what), clock)
    X, y = load(folder)
    facts = {"seconds": clock.seconds, "cpu": clock.cpu, "J": cost(weights, X, y, peer in RELU)}
    out.write_text(json.dumps(facts))


def measure(python: str, peer: str, folder: Path, what: str) -> dict[str, float]:
    """Run a child by some Python; its seconds, its CPU seconds and its J."""
    out = folder / "said.json"
    out.unlink(missing_ok=True)
    command = [python, "-m", "benchmarks.scale_peers", "--child", peer, str(folder), what, str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not out.exists():
        raise RuntimeError(f"{peer}, {what}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return json.loads(out.read_text())


def write(folder: Path, rows: int, parquet: bool) -> None:
    """Write the rows, scaled, as npy; and as Parquet for Spark."""
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (rows, len(higgs.COLUMNS)))
    y, at, mean, std = np.empty(rows, np.int64), 0, 0.0, 1.0
    for part, codes in higgs.blocks(rows):
        if at == 0:
            mean, std = part.mean(axis=0), part.std(axis=0)
        X[at : at + len(part)], y[at : at + len(part)] = (part - mean) / std, codes
        at += len(part)
    X.flush()
    np.save(folder / "y.npy", y)
    if parquet:
        import polars

        names = [name.replace("-", "_") for name in higgs.COLUMNS]
        table = polars.DataFrame(dict(zip(names, X.T, strict=True)) | {"label": y.astype(float)})
        table.write_parquet(folder / "spark.parquet")


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_peers")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="of Adam")
    parser.add_argument("--iterations", type=int, default=30, help="of L-BFGS")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--spark", help="a Python that has pyspark; without, Spark is left out")
    given = parser.parse_args()
    peers = [peer for peer in given.peers.split(",") if peer != "spark" or given.spark]
    short = 0
    print("| peer | J | its s | CPU | chainrule's s | CPU | times as fast | by CPU |")
    print("|---|---:|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        write(Path(scratch), given.rows, "spark" in peers)
        for peer in peers:
            passes = given.epochs if peer in ("dask-ml", "torch-adam") else given.iterations
            theirs, own = [], []
            for _ in range(given.turns):
                python = given.spark if peer == "spark" else sys.executable
                theirs.append(measure(python, peer, Path(scratch), str(passes)))
                own.append(measure(sys.executable, peer, Path(scratch), f"{theirs[-1]['J']:.17e}"))
                assert own[-1]["J"] <= theirs[-1]["J"] * (1 + 1e-5), "J was not reached"
            cells = [
                spread([turn[key] for turn in side])
                for side in (theirs, own)
                for key in ("seconds", "cpu")
            ]
            times, by_cpu = (
                [a[key] / b[key] for a, b in zip(theirs, own, strict=True)]
                for key in ("seconds", "cpu")
            )
            short += median(times) < 3
            J = median(turn["J"] for turn in theirs)
            print(
                f"| {peer} | {J:.4f} | {' | '.join(cells)} | {spread(times)} | {spread(by_cpu)} |",
                flush=True,
            )
    return bool(short)


if __name__ == "__main__":
    sys.exit(main())

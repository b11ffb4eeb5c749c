"""Tables past memory and past one machine: what it costs beside a table in memory.

    python -m benchmarks.scale                      # all parts, small: a minute or two
    python -m benchmarks.scale memory --fraction 1  # 4 GB in 600 MB

memory: the most anonymous memory beyond that of a tiny table.  4 GB of float32 and pictures of
uint8 are trained on in a cgroup of 600 MB (RLIMIT_DATA where none may be made), 1 GB of csv and of
Parquet by the command.  Adam on the 4 GB stands beside a shuffle of all rows of the mapped file.

ratios: the CPU time of blocks beside one call of the kernel; of a table streamed from npy and
Parquet, and of an epoch of Adam, beside memory; of a small network from npy, as after the spool.

cluster: the wall time of two workers beside two threads; what a stopped worker costs.

linear: the CPU time by rows, from 1e5 to 1e7, and a plot of it.

sorted: MNIST, sorted by class, streamed by the command: how many of the test set are wrong.

``--fraction`` makes the tables smaller.  What is compared takes turns.  A figure is the median,
with the smallest and the largest in brackets; promised is what it may be at most, and the exit code
is 1 where it is more.  Figures with a small fraction are no judgement: in a table of few blocks,
what is done once counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import higgs
from benchmarks.cases import stored
from benchmarks.measured import Found, cpu, run, spread

import chainrule
from chainrule import engine
from chainrule.engine import summing
from chainrule.engine.stream import Stream, examples_of
from chainrule.notes.minibatch import Minibatches
from chainrule.optimize.adam import Adam

LIMIT = 600_000_000  # bytes, of the cgroup
ROWS = 4_000_000_000 // 400  # of 100 float32: 4 GB
AT_ONCE = 65_536  # rows written at a time
MB = 1e6
THREADS = 2


Taken = dict[str, list[tuple[float, float]]]  # wall and CPU seconds of each turn


@dataclass
class Table:
    """The lines printed so far, and whether a promise was broken."""

    broken: list[str] = field(default_factory=list)

    def line(self, what: str, values: list[float], promised: float, unit: str = "") -> None:
        """Print a figure with its promise."""
        kept = statistics.median(values) <= promised
        if not kept:
            self.broken.append(what)
        mark = "" if kept else " **broken**"
        print(f"| {what} | {spread(values)} | {promised:g}{mark} | {unit} |", flush=True)


# What is measured, written to the disk a part at a time


def write_npy(folder: Path, m: int, n: int, dtype: str = "float32", K: int = 0) -> int:
    """Write X.npy and y.npy: numbers, or codes of K classes; return the bytes of X."""
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", dtype, (m, n))
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", np.int64 if K else dtype, (m,))
    for number, first in enumerate(range(0, m, AT_ONCE)):
        rng = np.random.default_rng(number)
        last = min(first + AT_ONCE, m)
        part = rng.random((last - first, n), np.float32)
        signal_ = part[:, : max(K, 1)]
        y[first:last] = signal_.argmax(axis=1) if K else signal_[:, 0]
        X[first:last] = part * 255 if dtype == "uint8" else part - 0.5
    size = X.nbytes
    X.flush(), y.flush()
    return size


def write_parquet(folder: Path) -> None:
    """Write X.npy and y.npy as table.parquet, a row group for each 65,536 rows.

    Packed by snappy, as pandas, pyarrow and Spark do it.  To unpack zstd, as Polars packs, takes
    three times as long where floats are random, as here.
    """
    import polars

    X, y = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in "Xy")
    table = polars.DataFrame({**{f"x{i}": column for i, column in enumerate(X.T)}, "y": y})
    table.write_parquet(folder / "table.parquet", compression="snappy", row_group_size=AT_ONCE)


def write_higgs(path: Path, rows: int) -> int:
    """Write rows like HIGGS's to one csv or Parquet file, part by part; return its bytes."""
    import polars

    parts = (
        polars.DataFrame({higgs.TARGET: y} | dict(zip(higgs.COLUMNS, X.T, strict=True)))
        for X, y in higgs.blocks(rows)
    )
    if path.suffix == ".csv":
        with open(path, "wb") as file:
            for number, part in enumerate(parts):
                part.write_csv(file, include_header=not number)
    else:
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            for number, part in enumerate(parts):
                part.write_parquet(f"{scratch}/{number:05}.parquet")
            polars.scan_parquet(f"{scratch}/*.parquet").sink_parquet(path)
    return path.stat().st_size


# memory


def memory(table: Table, folder: Path, fraction: float, turns: int) -> None:
    """Print what trainings hold beyond a tiny table's, under the limit."""
    size = write_npy(folder, rows_of(ROWS, fraction), 100)
    tiny = folder / "tiny"
    tiny.mkdir()
    write_npy(tiny, 5_000, 100)
    what = f"{size / MB:,.0f} MB of float32"
    for optimizer in ("lbfgs", "adam"):
        base, found = limited("stream", tiny, optimizer), limited("stream", folder, optimizer)
        over = (found.anonymous - base.anonymous) / MB
        table.line(f"{what}, {optimizer}: memory of our own", [over], 150, unit_of(found))
    shuffled, blocks = (
        json.loads(limited(name, folder, "adam").lines[-1][1]) for name in ("shuffle", "epoch")
    )
    print(f"| Adam, shuffling all rows of the mapped file: a row | {shuffled * 1e6:,.2f} µs | | |")
    table.line("Adam by blocks: a row, as a share of that", [blocks / shuffled], 1e-3, "at 4 GB")
    pictures = folder / "pictures"
    pictures.mkdir()
    size = write_npy(pictures, rows_of(1_000_000, fraction), 784, "uint8", K=10)
    write_npy(tiny, 500, 784, "uint8", K=10)
    for optimizer in ("lbfgs", "adam"):
        base = limited("pictures", tiny, optimizer)
        found = limited("pictures", pictures, optimizer)
        share = (found.anonymous - base.anonymous) / size
        what = f"{size / MB:,.0f} MB of pictures in uint8, {optimizer}: memory beyond the file"
        table.line(what, [share], 0.1, unit_of(found))
    for ending in ("csv", "parquet"):
        small, large = folder / f"small.{ending}", folder / f"large.{ending}"
        write_higgs(small, 1_000)
        # A row is 260 bytes of text, or 93 of Parquet
        size = write_higgs(
            large, rows_of(1_000_000_000 // (260 if ending == "csv" else 93), fraction)
        )
        base, found = (commanded(path) for path in (small, large))
        over = (found.anonymous - base.anonymous) / MB
        what = f"`chainrule train`, {size / MB:,.0f} MB of {ending}: memory over its base"
        table.line(what, [over], 400, f"base {base.anonymous / MB:.0f} MB; {unit_of(found)}")
        large.unlink()


def rows_of(rows: int, fraction: float) -> int:
    return max(1_000, round(rows * fraction))


def unit_of(found: Found) -> str:
    """Say what else a run came to."""
    return f"{found}; limited by {found.limited}"


def limited(name: str, folder: Path, optimizer: str) -> Found:
    """Run a child under the limit; a table that the page cache has is forgotten first."""
    for file in folder.glob("*.npy"):
        forget(file)
    command = [sys.executable, "-m", "benchmarks.scale", "--child", name, str(folder), optimizer]
    found = run(command, limit=LIMIT)
    if found.code:
        said = "\n".join(text for _, text in found.lines[-5:])
        raise RuntimeError(f"{name}, {optimizer}, under {LIMIT / MB:.0f} MB: {found}\n{said}")
    return found


def forget(file: Path) -> None:
    """Let a file be read from the disk again."""
    handle = os.open(file, os.O_RDONLY)
    os.fsync(handle)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def commanded(path: Path) -> Found:
    """Run the command on a table for two iterations, in blocks whatever the memory at hand."""
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        command = [
            str(Path(sys.executable).with_name("chainrule")), "train", str(path),
            "--target", higgs.TARGET, "--hidden", "5", "--max-iter", "2", "--lam", "1",
            "--out", f"{scratch}/model.safetensors", *COMMAND_IN_BLOCKS,
        ]  # fmt: skip
        found = run(command, cwd=Path(scratch))
    if found.code:
        raise RuntimeError("\n".join(text for _, text in found.lines[-5:]))
    return found


COMMAND_IN_BLOCKS = ("--memory", "100MB")


def child(name: str, folder: Path, optimizer: str) -> None:
    """Train in this process, of which another one looks at the memory."""
    X, y = folder / "X.npy", folder / "y.npy"
    network = chainrule.Network((100, 25, 1), hidden="relu", output="identity")
    if name == "stream":
        data = chainrule.blocks(str(X), target=str(y))
        times = 2 if optimizer == "lbfgs" else 1
        chainrule.train(network, data, optimizer=optimizer, max_iter=times, threads=THREADS)
    elif name == "pictures":
        network = chainrule.Network((784, 25, 10), hidden="relu", output="softmax")
        pictures = np.load(X, mmap_mode="r")
        chainrule.train(
            network, pictures, np.load(y), dtype="float32", optimizer=optimizer, max_iter=2,
            threads=THREADS,
        )  # fmt: skip
    elif name == "epoch":
        data, at = chainrule.blocks(str(X), target=str(y)), []
        chainrule.train(
            network, data, optimizer="adam", max_iter=1, threads=THREADS,
            callback=lambda step: at.append(time.perf_counter()),
        )  # fmt: skip
        print((at[-1] - at[0]) / data.m)
    elif name == "shuffle":  # batches that gather their rows from all over the map
        pages, some = np.load(X, mmap_mode="r"), min(10_000, len(np.load(y)))
        theta, rule = chainrule.random_theta(network, seed=0).astype(np.float32), Adam()
        order = np.random.default_rng(0).permutation(len(pages))[:some]
        Y = np.load(y, mmap_mode="r")[:, None]
        began = time.perf_counter()
        engine.epoch(
            network, theta, pages, Y, order, Minibatches(200), rule=rule, state=rule.init(theta)
        )
        print((time.perf_counter() - began) / some)


# ratios


def ratios(table: Table, folder: Path, fraction: float, turns: int) -> None:
    """Print the CPU time of blocks, from memory and from the disk, beside the whole in memory."""
    for layers, rows, promised in (
        ((64, 100, 100, 1), 2_000_000, 1.05),
        ((28, 300, 300, 1), 400_000, 1.05),
        ((64, 25, 1), 2_000_000, 1.15),
    ):
        write_npy(folder, rows_of(rows, fraction), layers[0])
        found = blocks_and_whole(
            layers, np.load(folder / "X.npy"), np.load(folder / "y.npy"), turns
        )
        table.line(
            f"blocks in memory beside one call of the kernel, {dashed(layers)}: CPU",
            cpu_ratios(found, "blocks", "whole"),
            promised,
            wall_of(found, "blocks", "whole"),
        )
    streamed(table, folder, fraction, turns)


def blocks_and_whole(layers: tuple[int, ...], X: np.ndarray, y: np.ndarray, turns: int) -> Taken:
    network, theta = shaped(layers)
    rows, Y = examples_of(network, X, y, threads=THREADS), y[:, None]
    return in_turns(
        {
            "whole": lambda: summing.accumulate(network, theta, X, Y, threads=THREADS),
            "blocks": lambda: rows.accumulate(network, theta),
        },
        turns,
    )


def dashed(layers: tuple[int, ...]) -> str:
    return "-".join(map(str, layers))


def streamed(table: Table, folder: Path, fraction: float, turns: int) -> None:
    """Print what a pass and an epoch cost from npy and Parquet beside memory."""
    write_npy(folder, rows_of(2_000_000, fraction), 64)
    write_parquet(folder)
    X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
    sources: dict[str, Any] = {
        "npy": chainrule.blocks(str(folder / "X.npy"), target=str(folder / "y.npy")),
        "Parquet": chainrule.blocks(str(folder / "table.parquet"), target="y"),
    }
    for layers, promises in (
        ((64, 100, 100, 1), {"npy": 1.1, "Parquet": 1.5}),
        ((64, 25, 1), {"npy": 1.2}),  # as after the spool, which is npy
    ):
        network, theta = shaped(layers)
        memory_ = examples_of(network, X, y, threads=THREADS)
        works = {"memory": lambda: memory_.accumulate(network, theta)}  # noqa: B023
        for name in promises:
            stream = Stream.checked(network, sources[name], "float32", threads=THREADS)
            works[name] = lambda stream=stream: stream.accumulate(network, theta)  # noqa: B023
        found = in_turns(works, turns)
        for name, promised in promises.items():
            what = f"streamed from {name} beside memory, {dashed(layers)}: CPU of J and D"
            table.line(what, cpu_ratios(found, name, "memory"), promised,
                       wall_of(found, name, "memory"))  # fmt: skip
    network, _ = shaped((64, 100, 100, 1))
    found = {name: [] for name in ("memory", *sources)}
    for _ in range(turns):
        for name in found:
            given = (X, y) if name == "memory" else (sources[name],)
            found[name].append(epoch_of(network, *given))
    for name, promised in (("npy", 1.1), ("Parquet", 1.3)):
        table.line(
            f"an epoch of Adam from {name} beside memory, 64-100-100-1: CPU",
            cpu_ratios(found, name, "memory"), promised, wall_of(found, name, "memory"),
        )  # fmt: skip


def shaped(layers: tuple[int, ...]) -> tuple[chainrule.Network, np.ndarray]:
    network = chainrule.Network(layers, hidden="relu", output="identity")
    return network, chainrule.random_theta(network, seed=0).astype(np.float32)


def epoch_of(network: chainrule.Network, *given: Any) -> tuple[float, float]:
    """Return the wall and CPU seconds of the second of two epochs of Adam."""
    at: list[tuple[float, float]] = []

    def note(step: object) -> None:
        at.append((time.perf_counter(), time.process_time()))

    chainrule.train(
        network, *given, optimizer="adam", batch_size=200, max_iter=2, callback=note,
        dtype="float32",
    )  # fmt: skip
    return at[-1][0] - at[-2][0], at[-1][1] - at[-2][1]


def in_turns(works: dict[str, Callable[[], object]], turns: int) -> Taken:
    """Do the works in turns, after one that warms them up."""
    found: Taken = {name: [] for name in works}
    for turn in range(turns + 1):
        for name, work in works.items():
            began, used = time.perf_counter(), time.process_time()
            work()
            if turn:
                taken = time.perf_counter() - began, time.process_time() - used
                found[name].append(taken)
    return found


def cpu_ratios(found: Taken, name: str, to: str) -> list[float]:
    return [a[1] / b[1] for a, b in zip(found[name], found[to], strict=True)]


def wall_of(found: Taken, name: str, to: str) -> str:
    """Say the wall times of both."""
    return " beside ".join(
        f"{statistics.median(seconds for seconds, _ in found[one]):.3f} s" for one in (name, to)
    )


# cluster


@contextmanager
def two_workers() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def cluster(table: Table, folder: Path, fraction: float, turns: int) -> None:
    """Print what an iteration of L-BFGS takes on two workers beside two threads."""
    with two_workers() as client:
        for layers, rows, promised in (
            ((28, 300, 300, 1), 400_000, 1.15),
            ((28, 300, 300, 1), 70_000, 1.3),
        ):
            write_npy(folder, rows_of(rows, fraction), layers[0])
            data = chainrule.blocks(str(folder / "X.npy"), target=str(folder / "y.npy"))
            network, _ = shaped(layers)
            found: Taken = {"threads": [], "workers": []}
            thetas = set()
            for _ in range(turns):
                for name, how in (
                    ("threads", {"threads": THREADS}),
                    ("workers", {"client": client}),
                ):
                    taken, theta = iterations(network, data, **how)
                    found[name].append(taken)
                    thetas.add(theta.tobytes())
            seconds = statistics.median(wall for wall, _ in found["threads"])
            ratio = [a[0] / b[0] for a, b in zip(found["workers"], found["threads"], strict=True)]
            by_cpu = statistics.median(cpu_ratios(found, "workers", "threads"))
            same = "the same bits" if len(thetas) == 1 else "OTHER BITS"
            table.line(
                f"two workers beside two threads, {seconds:.2f} s an iteration: wall", ratio,
                promised, f"CPU x{by_cpu:.2f}, {same}",
            )  # fmt: skip
            if len(thetas) > 1:
                table.broken.append("the same bits on a cluster")
        stopped(table, data, network, client)


def iterations(
    network: chainrule.Network, data: Any, count: int = 8, **how: Any
) -> tuple[tuple[float, float], np.ndarray]:
    """Return the median wall and the mean CPU seconds of an iteration, and theta."""
    at: list[tuple[float, float]] = []

    def note(step: object) -> None:
        at.append((time.perf_counter(), cpu(os.getpid())))

    result = chainrule.train(network, data, max_iter=count, callback=note, dtype="float32", **how)
    walls, cpus = np.diff(np.array(at), axis=0)[1:].T  # the first reads the blocks
    return (float(np.median(walls)), float(np.mean(cpus))), result.theta


def stopped(table: Table, data: Any, network: chainrule.Network, client: Any) -> None:
    """Print what a worker costs that is stopped in the middle of a training, for good."""
    pids = list(client.run(os.getpid).values())
    at: list[float] = []

    def note(step: Any) -> None:
        at.append(time.perf_counter())
        if step.iteration == 8:
            threading.Timer(0.01, os.kill, (pids[0], signal.SIGSTOP)).start()

    try:
        chainrule.train(network, data, max_iter=16, callback=note, dtype="float32", client=client)
    finally:
        for pid in pids:
            with suppress(OSError):
                os.kill(pid, signal.SIGCONT)
    gaps = np.diff(at)
    usual = float(np.median(gaps[1:8]))
    table.line(
        f"a stopped worker: the longest iteration, {usual:.2f} s before", [gaps[8:].max()],
        5 * usual + 1 + usual, "s; promised are 5 medians, a second, and the iteration itself",
    )  # fmt: skip


# linear


def linear(table: Table, folder: Path, fraction: float, turns: int) -> None:
    """Print and draw the time of J and D, and of an epoch of Adam, by rows."""
    network, theta = shaped((28, 25, 1))
    counts = [rows_of(m, fraction) for m in (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)]
    times: dict[str, list[float]] = {"J and D": [], "an epoch of Adam": []}
    for m in counts:
        write_npy(folder, m, 28)
        data = chainrule.blocks(str(folder / "X.npy"), target=str(folder / "y.npy"))
        stream = Stream.checked(network, data, "float32", threads=THREADS)
        found = in_turns({"": lambda: stream.accumulate(network, theta)}, turns)  # noqa: B023
        times["J and D"].append(statistics.median(taken for _, taken in found[""]))
        epochs = [epoch_of(network, data)[1] for _ in range(turns)]
        times["an epoch of Adam"].append(statistics.median(epochs))
    for what, seconds in times.items():
        each = [1e6 * s / m for s, m in zip(seconds, counts, strict=True)]
        rows = ", ".join(f"{m:,}: {a:.3f}" for m, a in zip(counts, each, strict=True))
        table.line(
            f"{what}: CPU a row of the largest table, beside the median of all",
            [each[-1] / statistics.median(each)],
            1.1,
            f"µs a row with {rows}",
        )
    draw(counts, times, PLOT)


PLOT = Path("build/bench/scale.png")


def draw(counts: list[int], times: dict[str, list[float]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    for what, seconds in times.items():
        (line,) = axes.loglog(counts, seconds, "o-", label=what)
        straight = [seconds[0] * m / counts[0] for m in counts]
        axes.loglog(counts, straight, ":", color=line.get_color(), linewidth=1)
    axes.set(xlabel="rows, streamed from npy", ylabel="CPU seconds (dotted: linear)")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    print(f"| the plot | {path} | | |")


# sorted


def sorted_rows(table: Table, folder: Path, fraction: float, turns: int) -> None:
    """Print the test error of MNIST, trained in blocks by the command from a file in order."""
    file = stored("mnist.npz")
    if file is None:
        print("| sorted MNIST | left out: mnist.npz is absent (set CHAINRULE_DATA) | | |")
        return
    import polars

    parts = mnist(file)
    for name, (X, y) in parts.items():
        if name == "train":
            order = np.argsort(y, kind="stable")
            order = order[:: max(1, round(1 / max(fraction, 0.05)))]
            X, y = X[order], y[order]
        columns = {f"p{i}": X[:, i] for i in range(X.shape[1])} | {"digit": y}
        polars.DataFrame(columns).write_parquet(folder / f"{name}.parquet")
    command = str(Path(sys.executable).with_name("chainrule"))
    model = folder / "mnist.safetensors"
    options = "--hidden 100 --activation relu --output softmax --lam 0 --test-size 0"
    trained = run(
        [command, "train", str(folder / "train.parquet"), "--target", "digit", *options.split(),
         "--optimizer", "adam", "--max-iter", "10", "--out", str(model), *COMMAND_IN_BLOCKS],
        cwd=folder,
    )  # fmt: skip
    if trained.code:
        raise RuntimeError("\n".join(text for _, text in trained.lines[-5:]))
    tested = run(
        [command, "evaluate", str(model), str(folder / "test.parquet"), "--json"], cwd=folder
    )
    said = json.loads("\n".join(text for _, text in tested.lines if text.strip()))
    wrong = 100 * (1 - said["accuracy"])
    table.line("MNIST sorted by class, streamed: wrong in the test set", [wrong], 2.6,
               f"%; {trained}")  # fmt: skip


def mnist(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    with np.load(path) as file:
        return {
            name: (file[f"X_{name}"].reshape(-1, 784), file[f"y_{name}"])
            for name in ("train", "test")
        }


PARTS: dict[str, Callable[[Table, Path, float, int], None]] = {
    "memory": memory, "ratios": ratios, "cluster": cluster, "linear": linear,
    "sorted": sorted_rows,
}  # fmt: skip


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), sys.argv[4])
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--fraction", type=float, default=0.02, help="of the rows; 1 for figures")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--scratch", type=Path, help="a folder on a disk; 6 GB at fraction 1")
    given = parser.parse_args()
    if unknown := {*given.parts} - {*PARTS}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    table = Table()
    print("| what | measured | promised | |\n|---|---|---|---|")
    for name in given.parts or PARTS:
        with tempfile.TemporaryDirectory(dir=given.scratch) as scratch:
            free = shutil.disk_usage(scratch).free
            if free < 8e9 * given.fraction:
                sys.exit(f"{scratch} has {free / 1e9:.1f} GB free, too little: name --scratch")
            PARTS[name](table, Path(scratch), given.fraction, given.turns)
    if table.broken:
        print("\nbroken: " + "; ".join(table.broken))
    return bool(table.broken)


if __name__ == "__main__":
    sys.exit(main())

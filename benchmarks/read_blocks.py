"""What reading costs by format: `python -m benchmarks.read_blocks [--rows 1000000]`.

A table of 28 columns of float32, like HIGGS's, is written in each format, and read once in blocks
of 32,768 rows as float32, each format in a process of its own.  Printed are the file's size, the
time of the processor that opening it takes, and a pass over it for each row, and the most anonymous
memory (RssAnon) beyond what the process had before it opened the table.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

COLUMNS, BLOCK = 28, 32_768


def write(folder: Path, rows: int) -> dict[str, str]:
    """Write the table in each format; return the paths by the names of the formats."""
    import polars as pl

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((rows, COLUMNS), dtype=np.float32), rng.integers(0, 2, rows)
    names = [f"x{j}" for j in range(COLUMNS)]
    frame = pl.DataFrame(X, schema=names).with_columns(target=pl.Series(y))
    (folder / "npy").mkdir()
    np.save(folder / "npy/X.npy", X)
    np.save(folder / "npy/y.npy", y)
    np.savez(folder / "stored.npz", X=X, y=y)
    np.savez_compressed(folder / "packed.npz", X=X, y=y)
    frame.write_parquet(folder / "one.parquet", row_group_size=rows)
    frame.write_parquet(folder / "many.parquet", row_group_size=10_000)
    frame.write_ipc(folder / "one.arrow", record_batch_size=rows)
    frame.write_ipc(folder / "many.arrow", record_batch_size=65_536)
    frame.write_ipc(folder / "many.feather", record_batch_size=65_536, compression="zstd")
    frame.write_csv(folder / "t.csv", float_precision=6)
    with open(folder / "t.csv", "rb") as text, gzip.open(folder / "t.csv.gz", "wb", 1) as packed:
        while piece := text.read(1 << 22):
            packed.write(piece)
    paths = {
        "npy": "npy",
        "npz": "stored.npz",
        "npz, packed": "packed.npz",
        "Parquet, one row group": "one.parquet",
        "Parquet, groups of 10,000": "many.parquet",
        "Arrow, one batch": "one.arrow",
        "Arrow, batches of 65,536": "many.arrow",
        "Feather, zstd, batches of 65,536": "many.feather",
        "csv of floats": "t.csv",
        "csv.gz": "t.csv.gz",
    }
    try:
        import zarr

        group = zarr.open_group(folder / "t.zarr", mode="w")
        group.create_array("X", data=X, chunks=(BLOCK, COLUMNS))
        group.create_array("y", data=y, chunks=(BLOCK,))
        paths["Zarr, zstd, chunks of 32,768"] = "t.zarr"
    except ImportError:
        print("without Zarr, which is not installed", file=sys.stderr)
    try:
        import h5py

        with h5py.File(folder / "t.h5", "w") as file:
            file.create_dataset("X", data=X, chunks=(8192, COLUMNS))
            file["y"] = y
        paths["HDF5, chunks of 8,192"] = "t.h5"
    except ImportError:
        print("without HDF5: h5py is not installed", file=sys.stderr)
    return {name: str(folder / path) for name, path in paths.items()}


def anonymous() -> int:
    """Return the process's anonymous memory in kB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


def read(path: str) -> dict[str, float]:
    """Open a table, and read it once; return what it took."""
    import polars as pl

    from chainrule import blocks

    pl.LazyFrame({"a": [1.0]}).collect()  # Polars starts its threads
    before, peak, done = anonymous(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.002):
            peak = max(peak, anonymous())

    watching = threading.Thread(target=watch)
    watching.start()
    start = time.process_time()
    source = blocks(path)
    opened = time.process_time()
    X = np.empty((BLOCK, COLUMNS), np.float32)
    for first in range(0, source.m, BLOCK):
        last = min(first + BLOCK, source.m)
        np.copyto(X[: last - first], source.read(first, last)[0])
    read = time.process_time()
    done.set()
    watching.join()
    return {"open": opened - start, "read": read - opened, "MB": max(0, peak - before) / 1000}


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    return sum(f.stat().st_size for f in [path, *path.rglob("*")] if f.is_file())


def main() -> None:
    """Write, read, and print a row for each format."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read:
        print(json.dumps(read(args.read)))
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        paths = write(Path(folder), args.rows)
        print("| format | file | opening, CPU | a row, CPU | memory |")
        print("|---|---:|---:|---:|---:|")
        for name, path in paths.items():
            command = [sys.executable, "-m", "benchmarks.read_blocks", "--read", path]
            runs = [json.loads(subprocess.check_output(command)) for _ in range(3)]
            best = {key: min(run[key] for run in runs) for key in ("open", "read")}
            most = max(run["MB"] for run in runs)
            print(
                f"| {name} | {size(Path(path)) / 1e6:.0f} MB | {best['open']:.2f} s "
                f"| {best['read'] / args.rows * 1e6:.2f} µs | {most:.0f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    main()

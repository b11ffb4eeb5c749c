"""Eleven million rows like HIGGS's, from a folder of gzipped csv through one command.

``python -m benchmarks.higgs --rows 11000000`` writes the folder, trains on it with
``chainrule train``, limited to 1 GB, and prints when each line of the command came, so how long
each phase took, with the CPU time and the most anonymous memory that it held.  Without ``--rows``
it is a run of seconds.

The real table (11,000,000 rows of 28 columns, Baldi, Sadowski and Whiteson, 2014) is 8 GB of text,
which nobody downloads for a benchmark.  The columns here have its names and its kinds of numbers:
momenta, angles, b-tags of three values, invariant masses.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from benchmarks.measured import run

COLUMNS = (
    "lepton_pT", "lepton_eta", "lepton_phi", "missing_energy_magnitude", "missing_energy_phi",
    *(f"jet_{j}_{what}" for j in range(1, 5) for what in ("pt", "eta", "phi", "b-tag")),
    "m_jj", "m_jjj", "m_lv", "m_jlv", "m_bb", "m_wbb", "m_wwbb",
)  # fmt: skip
TARGET = "class"
BLOCK = 65_536  # rows made by one random generator
LIMIT = 1_000_000_000  # bytes


def blocks(rows: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield X in float32 and the classes 0 and 1, block by block; the last one is shorter."""
    for number, first in enumerate(range(0, rows, BLOCK)):
        rng = np.random.default_rng([seed, number])
        X, y = events(rng)
        count = min(BLOCK, rows - first)
        yield X[:count], y[:count]


def events(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a block: pT is lognormal, eta normal, phi even, a b-tag 0 or one of two values."""
    X = np.empty((BLOCK, len(COLUMNS)), np.float32)
    hidden = rng.standard_normal((BLOCK, 3), np.float32)
    y = hidden[:, 0] + 0.5 * hidden[:, 1] * hidden[:, 2] + rng.standard_normal(BLOCK) > -0.1
    for i, name in enumerate(COLUMNS):
        noise = rng.standard_normal(BLOCK, np.float32)
        if name.endswith("phi"):
            X[:, i] = (rng.random(BLOCK, np.float32) - 0.5) * 3.486
        elif name.endswith("eta"):
            X[:, i] = noise
        elif name.endswith("b-tag"):
            X[:, i] = np.float32([0.0, 1.0865, 2.173])[rng.integers(0, 3, BLOCK)]
        elif name.startswith("m_"):  # as in the real table, the masses tell most of the class
            X[:, i] = np.exp(0.35 * noise + 0.25 * hidden[:, i % 3]) + 0.1 * y
        else:
            X[:, i] = np.exp(0.5 * noise + 0.3 * hidden[:, i % 3])
    return X, y.astype(np.int64)


def write(folder: Path, rows: int, files: int) -> int:
    """Write the folder of gzipped csv; return its bytes."""
    import polars

    folder.mkdir(parents=True)
    of_file = max(1, -(-rows // BLOCK // files))  # blocks in all but the last file
    for number, parts in groupby(enumerate(blocks(rows)), lambda part: part[0] // of_file):
        with gzip.open(folder / f"part-{number:03}.csv.gz", "wb", compresslevel=1) as file:
            for i, (X, y) in parts:
                table = polars.DataFrame({TARGET: y} | dict(zip(COLUMNS, X.T, strict=True)))
                table.write_csv(file, include_header=i % of_file == 0)
    return sum(path.stat().st_size for path in folder.iterdir())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.higgs", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="HIGGS has 11000000")
    parser.add_argument("--files", type=int, default=22)
    parser.add_argument("--scratch", type=Path, help="folder for the csv; a temporary one if none")
    parser.add_argument("options", nargs="*", help="further options of the command, after --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.scratch) as scratch:
        folder = Path(scratch, "higgs")
        free = shutil.disk_usage(scratch).free
        need = given.rows * 700  # bytes: the gzipped text, the spool, and as much again
        if free < need:
            sys.exit(f"{scratch} has {free / 1e9:.1f} GB free; {need / 1e9:.1f} GB are needed")
        size = write(folder, given.rows, given.files)
        print(f"{given.rows:,} rows x {len(COLUMNS)}: {size / 1e6:,.0f} MB of gzipped csv")
        command = [
            str(Path(sys.executable).with_name("chainrule")), "train", f"{folder}/*.csv.gz",
            "--target", TARGET, "--hidden", "100", "--lam", "1",
            "--out", f"{scratch}/higgs.safetensors", *given.options,
        ]  # fmt: skip
        found = run(command, limit=LIMIT, cwd=Path(scratch))
        before = 0.0
        print("\n| s | since the last | the command says |\n|---:|---:|---|")
        for at, text in found.lines:
            print(f"| {at:.1f} | {at - before:.1f} | {text} |")
            before = at
        print(f"\n{found} (limit {LIMIT / 1e6:,.0f} MB by {found.limited})")
    return found.code


if __name__ == "__main__":
    sys.exit(main())

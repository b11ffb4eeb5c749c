"""How often the intervals of `TableRegressor` hold the true number, and how wide they are.

    CHAINRULE_DATA=FOLDER python -m benchmarks.intervals [TABLE ...] [--splits 1]

FOLDER/tables/tables.csv names the tables, of which those with numbers are taken.  A fifth of the
rows is held out.  Widths are in standard deviations of y; the interval score (Gneiting and Raftery
2007) is the width, and 20 times as much for what lies outside: smaller is better.  *alike* are
intervals of one width for all rows, by the same errors.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split

from chainrule import TableRegressor

LEVEL = 0.9
HELD_OUT = 0.2


def told(wrong: Any, width: Any, unit: float) -> tuple[float, float, float]:
    """Return the part of the errors within half a width, the mean width, the interval score.

    >>> [round(part, 6) for part in told(np.array([1.0, 3.0]), np.array([4.0, 4.0]), 2.0)]
    [0.5, 2.0, 7.0]
    """
    outside = np.maximum(wrong - width / 2, 0)
    score = width + 2 / (1 - LEVEL) * outside
    return (float(np.mean(outside == 0)), float(width.mean() / unit), float(score.mean() / unit))


def measured(X: pl.DataFrame, y: Any, split: int) -> list[tuple[float, float, float]]:
    """Return what `told` does of our intervals, and of those of one width."""
    rows, held = train_test_split(np.arange(len(X)), test_size=HELD_OUT, random_state=split)
    net = TableRegressor().fit(X[rows], y[rows])
    guess, low, high = net.predict(X[held], interval=LEVEL)
    wrong, unit = np.abs(guess - y[held]), float(np.std(y[held]))
    z = net.target_scaling_.undo(net.committee_.z)[:, 0]
    same = 2 * np.quantile(np.abs(z - y[rows]), LEVEL, method="inverted_cdf")
    return [told(wrong, high - low, unit), told(wrong, np.full(len(held), same), unit)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tables", nargs="*")
    parser.add_argument("--splits", type=int, default=1)
    given = parser.parse_args()
    folder = Path(os.environ.get("CHAINRULE_DATA", "../shared/data"), "tables")
    with (folder / "tables.csv").open() as file:
        listed = [table for table in csv.DictReader(file) if table["task"] == "number"]
    print("| table | covered | alike | width | alike | interval score | alike |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for entry in sorted(listed, key=lambda table: int(table["rows"])):
        name = Path(entry["file"]).stem
        if given.tables and name not in given.tables:
            continue
        X = pl.read_parquet(folder / entry["file"])
        y = X[entry["target"]].to_numpy().astype(float)
        X = X.drop(entry["target"])
        found = np.mean([measured(X, y, split) for split in range(given.splits)], axis=0)
        cells = " | ".join(f"{value:.3f}" for value in found.T.ravel())
        print(f"| {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()

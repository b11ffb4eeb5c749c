"""Held-out scores and times of the estimators beside scikit-learn's: five data sets, three solvers.

``python -m benchmarks.estimators [--data FOLDER] [--seeds 10] [--only NAME]`` prints the table of
docs/migrating-from-scikit-learn.md; ``--row`` the time of predict_proba for one row.  Both sides
get the same rows, scaled alike, the same parameters and one thread.
"""

from __future__ import annotations

import argparse
import time
import timeit
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import chainrule

ROWS = 5000  # of the larger tables
PARAMETERS: dict[str, dict[str, Any]] = {
    "lbfgs": {"max_iter": 200, "alpha": 1.0},
    "adam": {"max_iter": 50},
    "sgd": {"max_iter": 50, "learning_rate_init": 0.01},
}
CLASSES = ("digits", "breast cancer", "letter")
NAMES = (*CLASSES, "diabetes", "diamonds")


def load(name: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return X and y of a data set; numbers to predict are standardised."""
    loaders = {
        "digits": load_digits, "breast cancer": load_breast_cancer, "diabetes": load_diabetes,
    }  # fmt: skip
    if name in loaders:
        X, y = loaders[name](return_X_y=True)
    else:
        table = np.load(folder / f"{name}.npz")
        X, y = table["X"], table["y"]
        rows = np.random.default_rng(0).permutation(len(X))[:ROWS]
        X, y = X[rows], y[rows]
    return X, y if name in CLASSES else (y - y.mean()) / y.std()


def run(name: str, solver: str, seeds: int, folder: Path) -> str:
    """Return the table's line for a data set and a solver."""
    X, y = load(name, folder)
    kind = "MLPClassifier" if name in CLASSES else "MLPRegressor"
    scores: tuple[list[float], list[float]] = ([], [])
    seconds = [0.0, 0.0]
    for seed in range(seeds):
        parts = train_test_split(X, y, random_state=seed)
        scaler = StandardScaler().fit(parts[0])
        X_train, X_test = scaler.transform(parts[0]), scaler.transform(parts[1])
        for side, package in enumerate((chainrule, sklearn.neural_network)):
            net = getattr(package, kind)(
                hidden_layer_sizes=(50,), solver=solver, random_state=seed, **PARAMETERS[solver]
            )
            if side == 0:
                net.set_params(threads=1)
            began = time.perf_counter()
            net.fit(X_train, parts[2])
            seconds[side] += time.perf_counter() - began
            scores[side].append(net.score(X_test, parts[3]))
    ours, theirs = (f"{np.mean(s):.4f} ± {np.std(s):.4f}" for s in scores)
    per_fit = [s / seeds for s in seconds]
    return (
        f"| {name} | {solver} | {ours} | {theirs} | {per_fit[0]:.3f} | {per_fit[1]:.3f} | "
        f"{per_fit[1] / per_fit[0]:.1f} |"
    )


def one_row() -> str:
    """Return how long predict_proba takes for one row of the digits, here and there."""
    X, y = load_digits(return_X_y=True)
    row, best = X[:1].copy(), []
    for package in (chainrule, sklearn.neural_network):
        net = package.MLPClassifier((100,), max_iter=5, random_state=0).fit(X, y)
        times = timeit.repeat(lambda net=net: net.predict_proba(row), number=500, repeat=9)
        best.append(min(times) / 500 * 1e6)
    return (
        f"predict_proba of one row, 64-100-10: {best[0]:.1f} us here, {best[1]:.0f} us there, "
        f"{best[1] / best[0]:.0f} times as fast"
    )


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/tables"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--row", action="store_true")
    options = parser.parse_args()
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # of iterations that were not enough, on both sides
        if options.row:
            print(one_row())
            return
        print("| data | solver | score | scikit-learn's | s a fit | scikit-learn's | faster |")
        print("|---|---|---|---|---|---|---|")
        for name in NAMES if options.only is None else (options.only,):
            for solver in PARAMETERS:
                print(run(name, solver, options.seeds, options.data), flush=True)


if __name__ == "__main__":
    main()

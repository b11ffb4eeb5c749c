"""The estimators beside scikit-learn's: held-out scores, and how long `fit` and one row take.

``python -m benchmarks.estimators --out benchmarks/results/estimators.md`` takes about four
minutes; ``--only cases`` or ``--only letter`` does a part of it.  The table: five data sets, three
solvers, ten seeds; both sides get the same rows, scaled alike, the same parameters and one thread,
and take turns.  Before it, two cases of docs/benchmarks.md with the threads that each side takes by
itself, one row, and sparse X.
"""

from __future__ import annotations

import argparse
import time
import timeit
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.neural_network
from benchmarks.machine import description
from scipy.io import loadmat
from scipy.sparse import random_array
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import chainrule

SIDES = (chainrule, sklearn.neural_network)
REPEATS = 5  # of a case of docs/benchmarks.md
PARAMETERS: dict[str, dict[str, Any]] = {
    "lbfgs": {"max_iter": 200, "alpha": 1.0},
    "adam": {"max_iter": 50},
    "sgd": {"max_iter": 50, "learning_rate_init": 0.01},
}
CLASSES = ("digits", "breast cancer", "letter")
NAMES = (*CLASSES, "diabetes", "diamonds")
CASES = "cases"  # what comes before the table

TABLE = """
Score: accuracy or R2 on held-out rows, mean and standard deviation over the seeds; gain: the mean
of ours minus theirs and its standard error; s a fit: the median, and how many times faster ours is.

| data | solver | score | scikit-learn's | gain | s a fit | scikit-learn's | times |
|---|---|---|---|---|---|---|---|"""


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
    return X, y if name in CLASSES else (y - y.mean()) / y.std()


def run(name: str, solver: str, seeds: int, folder: Path) -> str:
    """Return the table's line for a data set and a solver; the two sides take turns."""
    X, y = load(name, folder)
    kind = "MLPClassifier" if name in CLASSES else "MLPRegressor"
    scores, seconds = np.zeros((2, seeds)), np.zeros((2, seeds))
    for seed in range(seeds):
        parts = train_test_split(X, y, random_state=seed)
        scaler = StandardScaler().fit(parts[0])
        X_train, X_test = scaler.transform(parts[0]), scaler.transform(parts[1])
        for side in (0, 1) if seed % 2 else (1, 0):
            net = getattr(SIDES[side], kind)(
                hidden_layer_sizes=(50,), solver=solver, random_state=seed, **PARAMETERS[solver]
            )
            if side == 0:
                net.set_params(threads=1)
            began = time.perf_counter()
            net.fit(X_train, parts[2])
            seconds[side, seed] = time.perf_counter() - began
            scores[side, seed] = net.score(X_test, parts[3])
    ours, theirs = (f"{mean:.4f} ± {std:.4f}" for mean, std in zip(
        scores.mean(axis=1), scores.std(axis=1), strict=True
    ))  # fmt: skip
    gain = (scores[0] - scores[1]).round(6)
    error = gain.std(ddof=1) / np.sqrt(seeds)
    fit = np.median(seconds, axis=1)
    return (
        f"| {name} | {solver} | {ours} | {theirs} | {gain.mean():+.4f} ± {error:.4f} | "
        f"{fit[0]:.3f} | {fit[1]:.3f} | {fit[1] / fit[0]:.1f} |"
    )


def fits(folder: Path) -> Iterator[str]:
    """Yield how long a whole `fit` takes in two cases of docs/benchmarks.md."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 20)).astype(np.float32)
    cases: list[tuple[str, np.ndarray, np.ndarray, dict[str, Any]]] = [
        ("20-32-2, Adam, 20 epochs, batch 32, 20,000 rows, float32", X,
         np.c_[X[:, 0] > 0, X[:, 1] > X[:, 2]].astype(int),
         {"hidden_layer_sizes": 32, "batch_size": 32, "max_iter": 20, "tol": 0.0}),
    ]  # fmt: skip
    digits = folder.parent / "course" / "ex4data1.mat"
    if digits.exists():
        table = loadmat(digits)
        cases.append(
            ("400-25-10, L-BFGS, 50 iterations, 5,000 rows, float64", table["X"],
             table["y"].ravel(), {"hidden_layer_sizes": 25, "activation": "logistic",
                                  "solver": "lbfgs", "alpha": 1.0, "max_iter": 50})
        )  # fmt: skip
    for what, X, y, parameters in cases:
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(REPEATS):
            for side, package in enumerate(SIDES):
                net = package.MLPClassifier(random_state=0, **parameters)
                began = time.perf_counter()
                net.fit(X, y)
                seconds[side].append(time.perf_counter() - began)
        ours, theirs = map(np.median, seconds)
        yield f"fit of {what}: {ours:.3f} s here, {theirs:.2f} s there, {theirs / ours:.0f} times"


def one_row() -> str:
    """Return how long predict_proba takes for one row of the digits, here and there."""
    X, y = load_digits(return_X_y=True)
    row = X[:1].copy()
    calls = [
        package.MLPClassifier((100,), max_iter=5, random_state=0).fit(X, y).predict_proba
        for package in SIDES
    ]
    times = [
        [timeit.timeit(lambda call=call: call(row), number=300) for call in calls] for _ in range(9)
    ]  # in turn
    ours, theirs = np.median(times, axis=0) / 300 * 1e6
    return (
        f"predict_proba of one row, 64-100-10: {ours:.1f} µs here, {theirs:.0f} µs there, "
        f"{theirs / ours:.0f} times"
    )


def sparse() -> Iterator[str]:
    """Yield how long `fit` and `predict_proba` take where X is sparse, as text has it."""
    for columns, density in ((3_000, 0.01), (20_000, 0.003)):
        rng = np.random.default_rng(0)
        X = random_array((5_000, columns), density=density, format="csr", rng=rng)
        y = (X @ rng.standard_normal((columns, 4))).argmax(axis=1)
        for solver, iterations in (("adam", 10), ("sgd", 10), ("lbfgs", 20)):
            seconds = np.zeros((2, 2, REPEATS))  # fit and predict_proba, here and there
            for turn in range(REPEATS):
                for side, package in enumerate(SIDES):
                    net = package.MLPClassifier(
                        50, solver=solver, max_iter=iterations, random_state=0
                    )
                    began = time.perf_counter()
                    net.fit(X, y)
                    fitted = time.perf_counter()
                    net.predict_proba(X)
                    seconds[:, side, turn] = fitted - began, time.perf_counter() - fitted
            (fit, fit_there), (predict, predict_there) = np.median(seconds, axis=2)
            yield (
                f"sparse X, 5,000 rows, {columns:,} columns, {density:.1%} not 0, {solver}: fit "
                f"{fit:.3f} s here, {fit_there:.3f} s there, {fit_there / fit:.1f} times; "
                f"predict_proba {predict * 1e3:.1f} ms here, {predict_there * 1e3:.1f} ms there, "
                f"{predict_there / predict:.1f} times"
            )


def lines(options: argparse.Namespace) -> Iterator[str]:
    """Yield the results, line by line, as Markdown."""
    versions = ", ".join(f"{p} {version(p)}" for p in ("chainrule", "scikit-learn", "numpy"))
    yield f"`python -m benchmarks.estimators`: {description()}; {versions}\n"
    if options.only in (None, CASES):
        yield f"- {one_row()}"
        for line in fits(options.data):
            yield f"- {line}"
        with threadpool_limits(1):
            for line in sparse():
                yield f"- {line}"
    if options.only == CASES:
        return
    yield TABLE
    with threadpool_limits(1):
        for name in NAMES if options.only is None else (options.only,):
            for solver in PARAMETERS:
                yield run(name, solver, options.seeds, options.data)


def main() -> None:
    """Print the results, and write them where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/tables"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", choices=(CASES, *NAMES), help="a part alone")
    parser.add_argument("--out", type=Path, help="file to write the results to, too")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # of max_iter, on both sides
    text = []
    for line in lines(options):
        print(line, flush=True)
        text.append(line + "\n")
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text("".join(text))


if __name__ == "__main__":
    main()

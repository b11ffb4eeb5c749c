"""`chainrule train --plain` on real tables, beside logistic or ridge regression.

    CHAINRULE_DATA=FOLDER python -m benchmarks.linear [NAME ...] [--seeds 5]

FOLDER/tables/tables.csv names the tables, their targets and what these are.  The command names the
target alone; where it is refused, what the refusal says is typed.  For each seed a fifth of the
rows is held out, and scikit-learn's LogisticRegression() or Ridge() is fitted to the same rows and
the same standardised inputs.  The score is the accuracy, or R2.

A table is "worse" where the mean difference of the scores, in pairs, is below 0 by more than its
noise: a one-sided t test at 5 %, with the variance that Nadeau and Bengio (Inference for the
generalization error, 2003) give for splits that share rows: s^2 (1/n + held out / trained on).
"""

import argparse
import csv
import os
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import t
from sklearn.linear_model import LogisticRegression, Ridge

from chainrule.common.checks import DataError
from chainrule.datasets import load
from chainrule.workbench.pipeline import run, standardised, true_values
from chainrule.workbench.request import Request
from chainrule.workbench.telling import options_typed

HELD_OUT = 0.2


class Quiet:
    """A Telling that says nothing."""

    step = note = iteration = lambda *said, **more: None


def options_for(path: Path, target: str) -> dict[str, object]:
    """Return what must be typed besides the target, as the refusal says."""
    try:
        load(path, target)
    except DataError as error:
        return dict(error.options)
    return {}


def compare(path: Path, target: str, options: dict[str, object], seed: int) -> tuple[float, ...]:
    """Return the network's score, the linear model's, and the seconds of the command's training."""
    asked = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    began = time.perf_counter()
    outcome = run(Request(path, target, seed=seed, test_size=HELD_OUT, **asked), Quiet())
    seconds = time.perf_counter() - began
    scaling = outcome.model.scaling
    (X, Y), (X_test, Y_test) = (
        (standardised(part, scaling, None)[0], true_values(part))
        for part in (outcome.training, outcome.held_out)
    )
    model = Ridge() if outcome.model.classes is None else LogisticRegression(max_iter=2000)
    linear = model.fit(X, Y).score(X_test, Y_test)
    return outcome.evaluations["held out"].score, linear, seconds


def verdict(gains: np.ndarray) -> tuple[float, str]:
    """Return the noise of the mean gain, and what it says."""
    n = len(gains)
    error = gains.std(ddof=1) * np.sqrt(1 / n + HELD_OUT / (1 - HELD_OUT))
    noise = t.ppf(0.95, n - 1) * error
    mean = gains.mean()
    return noise, "better" if mean > noise else "worse" if mean < -noise else "as good"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of tables, without their ending")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    folder = Path(os.environ.get("CHAINRULE_DATA", "."), "tables")
    print(
        "| table | rows | kind | network | linear | gain | noise | | s | typed besides --target |"
    )
    print("|---|--:|---|--:|--:|--:|--:|---|--:|---|")
    counts: dict[str, int] = {}
    for row in csv.DictReader((folder / "tables.csv").open()):
        path = folder / row["file"]
        if given.names and path.stem not in given.names:
            continue
        options = options_for(path, row["target"])
        kind = "class" if load(path, row["target"], **options).classes else "number"
        if kind != row["task"]:
            raise SystemExit(f"{path.stem} is taken for a {kind}, and holds a {row['task']}")
        scores = np.array(
            [compare(path, row["target"], options, seed) for seed in range(given.seeds)]
        )
        gains = scores[:, 0] - scores[:, 1]
        noise, word = verdict(gains)
        counts[word] = counts.get(word, 0) + 1
        network, linear, seconds = scores.mean(axis=0)
        cells = (
            path.stem, f"{int(row['rows']):,}", kind, f"{network:.4f}", f"{linear:.4f}",
            f"{gains.mean():+.4f}", f"{noise:.4f}", word, f"{seconds:.1f}", options_typed(options),
        )  # fmt: skip
        print(f"| {' | '.join(cells)} |", flush=True)
    print("\n" + ", ".join(f"{n} {word}" for word, n in counts.items()))


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()

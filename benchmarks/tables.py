"""`TableClassifier` and `TableRegressor` beside what people use on tables, each by its defaults.

    python -m venv .venv-tables
    .venv-tables/bin/pip install -r benchmarks/requirements-tables.txt .
    CHAINRULE_DATA=FOLDER .venv-tables/bin/python -m benchmarks.tables [WORD ...] [--splits 5]

FOLDER/tables/tables.csv names the tables.  Words choose methods, tables, or one of the halves:
settings were chosen on the *first*, every second table beginning with the first, and never on the
*other*.  For each split a fifth of the rows is held out; all methods have the same rows, two
threads, and come in turn.  A result is kept in --kept as soon as it is there, and not measured
again.  CPU time is that of all threads: on a machine with other work it tells more.  The loss is
the log loss, or the root of the mean square error over the standard deviation.

LightGBM, XGBoost and scikit-learn's boosting get text as pandas' categories, CatBoost as its
cat_features, scikit-learn's and our MLP numbers standardised (missing ones as the mean) and text
one-hot; pytabkit's methods encode by themselves.

With --ablate ours is measured beside itself without one of its parts.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from chainrule.training.committee import train_committee

THREADS = 2
HELD_OUT = 0.2
BINS = 10  # of the expected calibration error
OURS = "chainrule"
LEVEL = 0.9  # of the intervals

Fitted = Any  # has predict, and predict_proba where it tells classes apart


def is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) or column.dtype == bool


def ours(classes: bool) -> Fitted:
    from chainrule import TableClassifier, TableRegressor

    return (TableClassifier if classes else TableRegressor)(threads=THREADS)


def our_mlp(classes: bool) -> Fitted:
    from chainrule import MLPClassifier, MLPRegressor

    return encoded((MLPClassifier if classes else MLPRegressor)(random_state=0, threads=THREADS))


def sklearn_mlp(classes: bool) -> Fitted:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return encoded((MLPClassifier if classes else MLPRegressor)(random_state=0))


def encoded(estimator: Fitted) -> Fitted:
    """Return an estimator behind the steps that an MLP needs."""
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    inputs = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), lambda X: [c for c in X if is_text(X[c])]),
        remainder=make_pipeline(SimpleImputer(), StandardScaler()),
    )
    if not hasattr(estimator, "predict_proba"):
        estimator = TransformedTargetRegressor(estimator, transformer=StandardScaler())
    return make_pipeline(inputs, estimator)


class Boosted:
    """A boosting library that takes pandas' categories."""

    def __init__(self, estimator: Fitted) -> None:
        self.estimator = estimator
        self.known: dict[str, Any] = {}

    def table(self, X: pd.DataFrame) -> pd.DataFrame:
        X = X.copy()
        for name in X:
            if is_text(X[name]):
                text = X[name].astype(object).where(X[name].notna(), None)
                known = self.known.setdefault(name, sorted(set(text.dropna().astype(str))))
                X[name] = pd.Categorical(text.map(str, na_action="ignore"), categories=known)
        X.columns = [f"c{j}" for j in range(X.shape[1])]  # LightGBM refuses some names
        return X

    def fit(self, X: pd.DataFrame, y: Any) -> Boosted:
        self.estimator.fit(self.table(X), y)
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        return self.estimator.predict(self.table(X))

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return self.estimator.predict_proba(self.table(X))


def hist_boosting(classes: bool) -> Fitted:
    from sklearn import ensemble

    name = "HistGradientBoosting" + ("Classifier" if classes else "Regressor")
    return Boosted(getattr(ensemble, name)(categorical_features="from_dtype", random_state=0))


def lightgbm(classes: bool) -> Fitted:
    import lightgbm

    of = lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor
    return Boosted(of(n_jobs=THREADS, verbose=-1, random_state=0))


def xgboost(classes: bool) -> Fitted:
    import xgboost

    of = xgboost.XGBClassifier if classes else xgboost.XGBRegressor
    return Boosted(of(n_jobs=THREADS, enable_categorical=True, random_state=0))


class CatBoost:
    """CatBoost, which takes text as it is, but no missing text."""

    def __init__(self, estimator: Fitted) -> None:
        self.estimator = estimator

    @staticmethod
    def table(X: pd.DataFrame) -> pd.DataFrame:
        X = X.copy()
        for name in X:
            if is_text(X[name]):
                X[name] = X[name].astype(object).where(X[name].notna(), "missing").astype(str)
        return X

    def fit(self, X: pd.DataFrame, y: Any) -> CatBoost:
        text = [name for name in X if is_text(X[name])]
        self.estimator.fit(self.table(X), y, cat_features=text)
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        return np.ravel(self.estimator.predict(self.table(X)))

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return self.estimator.predict_proba(self.table(X))


def catboost(classes: bool) -> Fitted:
    import catboost

    of = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
    return CatBoost(of(thread_count=THREADS, verbose=0, allow_writing_files=False, random_seed=0))


def of_pytabkit(name: str) -> Callable[[bool], Fitted]:
    def made(classes: bool) -> Fitted:
        import pytabkit

        kind = getattr(pytabkit, f"{name}_{'Classifier' if classes else 'Regressor'}")
        return kind(n_threads=THREADS, device="cpu", random_state=0)

    return made


METHODS: dict[str, Callable[[bool], Fitted]] = {
    OURS: ours,
    "our plain MLP": our_mlp,
    "scikit-learn's MLP": sklearn_mlp,
    "hist boosting": hist_boosting,
    "LightGBM": lightgbm,
    "XGBoost": xgboost,
    "CatBoost": catboost,
    "RealMLP-TD-S": of_pytabkit("RealMLP_TD_S"),
    "RealMLP-TD": of_pytabkit("RealMLP_TD"),
    "TabM": of_pytabkit("TabM_D"),
}


def of_one_member(X: Any, Y: Any, splits: Any, **given: Any) -> Any:
    """Train the first member of each kind alone."""
    return train_committee(X, Y, splits[:1], **given)


COMMITTEE = "chainrule.training.committee"
TABLE = "chainrule.estimators.table"
WITHOUT: dict[str, tuple[str, dict[str, Any]]] = {  # what is put in the place of a part
    "pieces": ("chainrule.datasets.pieces", {"_edges": lambda *given: ()}),
    "relevance": (COMMITTEE, {"relevance": lambda theta, scale, *given: scale}),
    "a mean of kinds (the best alone)": (COMMITTEE, {"COUNTED": 1}),
    "several members (one of each kind)": (TABLE, {"train_committee": of_one_member}),
    "a search for lambda (10 for all)": (COMMITTEE, {"LAMS": (10.0,), "FIRST": 0}),
    "more than 16 hidden units": (COMMITTEE, {"MOST_UNITS": 16}),
    "haste (lambda by all members)": (COMMITTEE, {"SCOUTS": 1000}),
    "float32": (TABLE, {"LARGE": np.inf}),
}


def measured(method: str, X: pd.DataFrame, y: Any, classes: bool, split: int) -> dict[str, float]:
    """Return the scores on the held-out rows, and the seconds."""
    rows, held = train_test_split(
        np.arange(len(X)), test_size=HELD_OUT, random_state=split, stratify=y if classes else None
    )
    X_fit, X_held = X.iloc[rows].reset_index(drop=True), X.iloc[held].reset_index(drop=True)
    clocks = [clock()]
    fitted = METHODS[method](classes).fit(X_fit, y[rows])
    clocks.append(clock())
    answer = fitted.predict_proba(X_held) if classes else np.ravel(fitted.predict(X_held))
    clocks.append(clock())
    fit, prediction = np.diff(clocks, axis=0).tolist()
    seconds = dict(
        zip(("fit s", "fit cpu s", "predict s", "predict cpu s"), fit + prediction, strict=True)
    )
    if classes:
        return scores_of_classes(answer, y[held]) | seconds
    found = {"loss": float(np.sqrt(np.mean((answer - y[held]) ** 2)) / np.std(y[held]))}
    if method == OURS:
        _, low, high = fitted.predict(X_held, interval=LEVEL)
        found["covered"] = float(np.mean((low <= y[held]) & (y[held] <= high)))
    return found | seconds


def clock() -> tuple[float, float]:
    """Return the time, and that of all this process's threads on their cores."""
    return time.perf_counter(), time.process_time()


def measured_without(part: str, *given: Any) -> dict[str, float]:
    """Return our scores where something else stands in the place of a part."""
    target, instead = WITHOUT[part]
    with patch.multiple(target, **instead):
        return measured(OURS, *given)


def scores_of_classes(p: Any, y: Any) -> dict[str, float]:
    """Return the log loss, the share of errors, the area under the curve, the calibration error.

    >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    >>> found = scores_of_classes(p, np.array([0, 1, 1, 0]))
    >>> {name: round(value, 4) for name, value in found.items()}
    {'loss': 0.5108, 'error': 0.25, 'auc': 0.75, 'ece': 0.35}
    """
    p = np.clip(np.asarray(p, dtype=float), 1e-15, 1)
    p /= p.sum(axis=1, keepdims=True)
    right, sure = p.argmax(axis=1) == y, p.max(axis=1)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    ece = sum(
        abs(right[place == k].mean() - sure[place == k].mean()) * np.mean(place == k)
        for k in np.unique(place)
    )
    auc = roc_auc_score(y, p[:, 1] if p.shape[1] == 2 else p, multi_class="ovr")
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    return {"loss": float(loss), "error": float(1 - right.mean()), "auc": float(auc), "ece": ece}


def spread(ratios: Any) -> str:
    """Return the geometric mean of ratios, and where four fifths of them lie."""
    low, high = np.quantile(ratios, [0.1, 0.9])
    return f"{np.exp(np.mean(np.log(ratios))):.3f} ({low:.2f} to {high:.2f})"


def report(results: list[dict[str, Any]], halves: dict[str, str]) -> str:
    """Return Markdown: our losses over each method's, in each half, and every table's losses."""
    by: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        by[result["method"], result["table"]].append(result)
    methods = [name for name in METHODS if any(method == name for method, _ in by)]
    tables = [name for name in halves if (OURS, name) in by]

    def mean(method: str, table: str, what: str, splits: set[int]) -> float:
        found = [r[what] for r in by[method, table] if r["split"] in splits and what in r]
        return float(np.mean(found)) if found else np.nan

    def ratios(method: str, what: str, half: str | None) -> list[float]:
        found = []
        for table in tables:
            both = {r["split"] for r in by[OURS, table]} & {r["split"] for r in by[method, table]}
            if both and half in (None, halves[table]):
                found.append(
                    mean(OURS, table, what, both) / max(mean(method, table, what, both), 1e-9)
                )
        return [ratio for ratio in found if np.isfinite(ratio)]

    lines = [
        "Ours over each, as geometric means over tables (and where four fifths of these lie):", "",
        "| method | tables | loss | first half | other half | error | time to fit "
        "| CPU time to fit | CPU time to predict |",
        "|---|--:|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for method in methods:
        if method == OURS or not (all_of := ratios(method, "loss", None)):
            continue
        cells = [method, str(len(all_of)), spread(all_of)]
        for what, half in (
            ("loss", "first"), ("loss", "other"), ("error", None), ("fit s", None),
            ("fit cpu s", None), ("predict cpu s", None),
        ):  # fmt: skip
            some = ratios(method, what, half)
            cells.append(spread(some) if some else "")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"| table | half | {' | '.join(methods)} |", "|---|---|" + "--:|" * len(methods)]
    for table in tables:
        splits = {r["split"] for r in by[OURS, table]}
        losses = [mean(method, table, "loss", splits) for method in methods]
        best = np.nanmin(losses)
        shown = ["" if np.isnan(v) else f"**{v:.4f}**" if v == best else f"{v:.4f}" for v in losses]
        lines.append(f"| {table} | {halves[table]} | {' | '.join(shown)} |")
    for what in ("ece", "covered"):
        of = {
            method: [r[what] for (name, _), found in by.items() if name == method
                     for r in found if what in r]
            for method in methods
        }  # fmt: skip
        told = ", ".join(f"{method} {np.mean(v):.4f}" for method, v in of.items() if v)
        lines += ["", f"Mean {what}: {told}"] if told else []
    return "\n".join(lines) + "\n"


def drawing(results: list[dict[str, Any]], halves: dict[str, str]) -> Any:
    """Return a figure: each method's losses over CatBoost's, a row for each table."""
    from matplotlib.figure import Figure

    losses: defaultdict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for result in results:
        losses[result["method"], result["table"]][result["split"]] = result["loss"]

    def ratio(method: str, table: str) -> float:
        of, peer = losses[method, table], losses["CatBoost", table]
        both = of.keys() & peer.keys()
        return sum(of[k] for k in both) / sum(peer[k] for k in both) if both else np.nan

    tables = sorted((t for t in halves if not np.isnan(ratio(OURS, t))),
                    key=lambda t: ratio(OURS, t))  # fmt: skip
    figure = Figure(figsize=(7, 1.2 + 0.28 * len(tables)), layout="constrained")
    axes = figure.subplots()
    for method in METHODS:
        found = [ratio(method, table) for table in tables]
        if method != "CatBoost" and not np.isnan(found).all():
            ours = method == OURS
            axes.plot(found, range(len(tables)), "o" if ours else "|", label=method,
                      markersize=7 if ours else 10, color="black" if ours else None,
                      markeredgewidth=2, zorder=3 if ours else 2)  # fmt: skip
    axes.axvline(1, color="grey", linewidth=1)
    axes.set_xscale("log")
    ticks = [0.5, 0.7, 1, 1.4, 2, 3, 5]
    axes.set_xticks(ticks, map(str, ticks))
    axes.minorticks_off()
    axes.set_yticks(
        range(len(tables)), [f"{t}{'' if halves[t] == 'first' else ' *'}" for t in tables]
    )
    axes.set_xlabel("loss over CatBoost's (* nothing was chosen on)")
    axes.legend(fontsize="small", loc="lower right")
    return figure


def gains(results: list[dict[str, Any]]) -> str:
    """Return Markdown: our losses, and our CPU time, without each part over those with all."""
    of = {(r["method"], r["table"], r["split"]): r for r in results}
    lines = ["| without | fits | loss | CPU time to fit |", "|---|--:|---|---|"]
    for part in WITHOUT:
        both = [(r, of[OURS, *of_fit]) for (method, *of_fit), r in of.items()
                if method == part and (OURS, *of_fit) in of]  # fmt: skip
        if both:
            loss, seconds = (
                spread([less[what] / whole[what] for less, whole in both])
                for what in ("loss", "fit cpu s")
            )
            lines.append(f"| {part} | {len(both)} | {loss} | {seconds} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", help="methods, tables, first, other")
    parser.add_argument(
        "--ablate", action="store_true", help="ours, without one part after another"
    )
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--kept", type=Path, default=Path("build/tables.jsonl"))
    parser.add_argument("--out", type=Path, help="where the report is written, too")
    given = parser.parse_args()
    folder = Path(os.environ.get("CHAINRULE_DATA", "../shared/data"), "tables")
    with (folder / "tables.csv").open() as file:
        listed = list(csv.DictReader(file))
    halves = {Path(t["file"]).stem: ("other" if k % 2 else "first") for k, t in enumerate(listed)}
    unknown = set(given.words) - {*METHODS, *halves, *halves.values()}
    if unknown:
        raise SystemExit(f"no method, table or half: {', '.join(sorted(unknown))}")
    words = set(given.words)
    methods = [name for name in METHODS if name in words] or list(METHODS)
    if given.ablate:
        methods = [OURS, *WITHOUT]
    given.kept.parent.mkdir(parents=True, exist_ok=True)
    lines = given.kept.read_text().splitlines() if given.kept.exists() else []
    results = [json.loads(line) for line in lines]
    done = {(r["method"], r["table"], r["split"]) for r in results}
    by_size = sorted(listed, key=lambda table: int(table["rows"]))
    for split in range(given.splits):
        for entry in by_size:
            table = Path(entry["file"]).stem
            if words & {*halves, *halves.values()} and not words & {table, halves[table]}:
                continue
            X = pd.read_parquet(folder / entry["file"])
            y, classes = X.pop(entry["target"]).to_numpy(), entry["task"] == "class"
            y = np.unique(y.astype(str), return_inverse=True)[1] if classes else y.astype(float)
            for method in methods:
                if (method, table, split) in done:
                    continue
                measure = measured_without if method in WITHOUT else measured
                found = measure(method, X, y, classes, split)
                result = {"method": method, "table": table, "split": split} | found
                results.append(result)
                with given.kept.open("a") as kept:
                    kept.write(json.dumps(result) + "\n")
                print(f"{split} {table:15}{method:20}{found['loss']:.4f} {found['fit s']:.1f} s",
                      flush=True)  # fmt: skip
    text = gains(results) if given.ablate else report(results, halves)
    print(text)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "tables.md").write_text(text)
        if not given.ablate:
            drawing(results, halves).savefig(given.out / "tables.png", dpi=120)
        (given.out / "tables.json").write_text(json.dumps(results, indent=0) + "\n")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()

"""Whether a change leaves each training's bits as they were: ``python -m benchmarks.same_bits``.

About 200 small trainings are run in NumPy and in the kernel, built for each instruction set that
this processor has.  For each the SHA-256 of theta and of the history of J is written:

    python -m benchmarks.same_bits --out before.json       # on the old code
    python -m benchmarks.same_bits --against before.json   # on the new: exit code 1 if any differs

Other machines and other versions of NumPy round differently: compare on one machine only.  To run
it on a commit that lacks it, start that commit's Python in the folder of a checkout that has it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

import chainrule
from chainrule import SGD, Adam, MLPClassifier, MLPRegressor, Network
from chainrule.activations import ACTIVATIONS, Activation
from chainrule.costs import COSTS
from chainrule.model_file import load

try:
    from chainrule.training.recipes import RECIPES
except ModuleNotFoundError:  # before the modules were sorted into packages
    from chainrule.recipes import RECIPES

Training = Callable[[str | None], tuple[Any, Any]]  # called with engine; returns theta and Js
ISAS = ("v2", "v3", "v4", "native")  # what CHAINRULE_ISA can force
ENGINES = ("numpy", *ISAS)
ALL_ROWS = ("lbfgs", "cg", "scg", "newton-cg", "gd")  # optimizers for any cost
SQUARES = ("lm", "br")  # and for squared error alone
BATCHES = ("sgd", "adam", "adamw")
SCIPY = ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG")
WITH_PARAMETERS = ("absolute", "huber:0.7", "quantile:0.1,0.5,0.9", "softmax:2,4")  # outputs


def main() -> int:
    options = arguments()
    found: dict[str, dict[str, str]] = {}
    for engine in ENGINES:
        if not selected(engine, options.case):
            continue
        began = time.monotonic()
        if of_engine := in_a_process(engine, options.case):
            found |= of_engine
            seconds = time.monotonic() - began
            print(f"{engine}: {len(of_engine)} trainings, {seconds:.0f} s", file=sys.stderr)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")
    lines = [f"{name}: {bits['error']}" for name, bits in found.items() if "error" in bits]
    if options.against:
        before = json.loads(options.against.read_text())
        before = {name: bits for name, bits in before.items() if options.case in name}
        differing = differences(before, found)
        new = len(found.keys() - before.keys())
        print(f"{len(found) - new} trainings compared, {len(differing)} differ; {new} are new")
        lines += differing
    for line in lines:
        print(line)
    return bool(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same_bits", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the hashes to this file")
    parser.add_argument("--against", type=Path, help="print what differs from this file")
    parser.add_argument("--case", default="", help="only names with these words, as 'v3: lbfgs'")
    return parser.parse_args()


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return a line for each training whose bits differ, or that is there no longer."""
    lines = []
    for name in sorted(before):
        if name not in now:
            lines.append(f"{name}: only before")
        elif now[name] != before[name]:
            what = [part for part in now[name] if now[name][part] != before[name].get(part)]
            lines.append(f"{name}: other {' and '.join(what)}")
    return lines


# ------------------------------------------------------------------ an engine


def selected(engine: str, words: str) -> list[str]:
    """Return the names of an engine's trainings that have these words, the engine's included."""
    return [name for name in TRAININGS if words in f"{engine}: {name}"]


def in_a_process(engine: str, words: str) -> dict[str, dict[str, str]]:
    """Return what `hashes` prints in a process of its own: each has one instruction set."""
    # NumPy's BLAS would add up in another order with more threads
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    if engine in ISAS:
        environment["CHAINRULE_ISA"] = engine
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from benchmarks import same_bits; same_bits.hashes({engine!r}, {words!r})",
        ],
        env=environment,
        capture_output=True,
        text=True,
    )
    if f"CHAINRULE_ISA={engine} cannot run on this processor" in run.stderr:
        return {}
    if run.returncode:
        sys.exit(f"{engine}: {run.stderr}")
    return json.loads(run.stdout)


def hashes(engine: str, words: str) -> None:
    """Print the hashes of an engine's trainings as JSON."""
    warnings.simplefilter("ignore")  # hardly any of these trainings converges
    found = {}
    for name in selected(engine, words):
        try:
            theta, J = TRAININGS[name](None if engine in ISAS else engine)
        except Exception as error:  # the others are worth knowing all the same
            found[f"{engine}: {name}"] = {"error": f"{type(error).__name__}: {error}"}
        else:
            found[f"{engine}: {name}"] = {"theta": sha(theta), "J": sha(np.array(J, np.float64))}
    print(json.dumps(found))


def sha(array: np.ndarray) -> str:
    return sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()


# ------------------------------------------------------------------ chainrule.train


def examples(network: Network, m: int, zeros: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return random X, with a share of zeros, and Y that hangs on it, for any m in the same way."""
    rng = np.random.default_rng(m)
    X = rng.normal(size=(m, network.layers[0]))
    X[rng.random(X.shape) < zeros] = 0
    teacher = np.random.default_rng(0).normal(size=(network.layers[0], network.K))
    z = X @ teacher / np.sqrt(len(teacher)) + rng.normal(size=(m, network.K)) / 2
    match network.cost.targets:
        case "classes":
            return X, (z > 0).astype(float)
        case "distribution":
            return X, np.eye(network.K)[z.argmax(axis=1)]
        case "counts":
            return X, np.exp(z.clip(-3, 3)).round()
    return X, z


def train(
    layers: tuple[int, ...] = (13, 7, 6),
    hidden: Any = "tanh",
    output: str = "sigmoid",
    m: int = 61,
    zeros: float = 0.0,
    validation: bool = False,
    resumed: bool = False,
    **options: Any,
) -> Training:
    """Return a training of random examples; `resumed` stops it after 3 iterations and goes on."""

    def run(engine: str | None) -> tuple[Any, Any]:
        network = Network(layers, hidden=hidden, output=output)
        X, Y = examples(network, m, zeros)
        how = {
            "lam": 0.5,
            "max_iter": 8,
            "seed": 1,
            "dtype": "float64",
            "engine": engine,
            **options,
        }
        if validation:
            how["X_val"], how["Y_val"] = examples(network, m + 1)
        if resumed:
            how["state"] = chainrule.train(network, X, Y, **how | {"max_iter": 3}).state
        result = chainrule.train(network, X, Y, **how)
        return result.theta, result.history.J

    return run


def noise(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return X + rng.standard_normal(X.shape).astype(X.dtype)


WEIGHTS = np.random.default_rng(5).integers(0, 4, 61) / 2
ARCTAN = Activation("arctan", np.arctan, lambda a: np.cos(a) ** 2)
ADAM: dict[str, Any] = {"optimizer": "adam", "batch_size": 16}
SQUARED: dict[str, Any] = {"output": "identity"}
SMALL: dict[str, Any] = {"layers": (5, 4, 2)}


def optimizers() -> dict[str, Training]:
    """Return each optimizer with both dtypes, and going on after a stop."""
    found = {}
    for name in (*ALL_ROWS, *SQUARES, *BATCHES):
        how: dict[str, Any] = {"optimizer": name}
        how |= SQUARED if name in SQUARES else {"batch_size": 16} if name in BATCHES else {}
        for dtype in ("float64", "float32"):
            found[f"{name}, {dtype}"] = train(dtype=dtype, **how)
        found[f"{name}, gone on"] = train(resumed=True, **how)
    for name in SCIPY:
        found[f"scipy:{name}"] = train(optimizer=f"scipy:{name}", **SMALL)
    return found


def networks() -> dict[str, Training]:
    """Return activations and outputs, and shapes that fill the kernel's tiles differently."""
    found = {}
    for g in ACTIVATIONS:
        found[f"{g}, newton-cg"] = train(hidden=g, optimizer="newton-cg")
        found[f"{g}, adam, float32"] = train(hidden=g, dtype="float32", **ADAM)
    for output in COSTS:
        found[f"{output} output, newton-cg"] = train(output=output, optimizer="newton-cg")
        found[f"{output} output, adam, float32"] = train(output=output, dtype="float32", **ADAM)
    for output in WITH_PARAMETERS:
        found[f"{output} output, lbfgs"] = train(output=output)
        found[f"{output} output, adam"] = train(output=output, **ADAM)
    found["an activation of one's own"] = train(hidden=ARCTAN)
    found["an activation a layer"] = train((13, 7, 9, 6), hidden=("relu", "tanh"))
    for dtype in ("float64", "float32"):
        of_type: dict[str, Any] = {"dtype": dtype, "max_iter": 4}
        found |= {
            f"5-3, {dtype}": train((5, 3), **of_type),
            f"7-130-65-33-2, {dtype}": train((7, 130, 65, 33, 2), m=300, **of_type),
            f"4-32-16-4, lm, {dtype}": train(
                (4, 32, 16, 4), m=500, optimizer="lm", **SQUARED, **of_type
            ),
            f"400-25-10, {dtype}": train((400, 25, 10), m=1500, **of_type),
            f"784-100-10, adam, many zeros, {dtype}": train(
                (784, 100, 10), "relu", "softmax", m=1000, zeros=0.8, optimizer="adam", **of_type
            ),
            f"784-100-10, adam, {dtype}": train(
                (784, 100, 10), "relu", "softmax", m=1000, optimizer="adam", **of_type
            ),
            f"100-100-1, adam, batch 1,024, {dtype}": train(
                (100, 100, 1), m=5000, optimizer="adam", batch_size=1024, **of_type
            ),
        }
    return found


def arguments_of_train() -> dict[str, Training]:
    """Return what else `chainrule.train` can be asked for."""
    stop: dict[str, Any] = {"validation": True, "patience": 2, "max_iter": 40}
    return {
        "weights, lbfgs": train(weights=WEIGHTS),
        "weights, lm": train(weights=WEIGHTS, optimizer="lm", **SQUARED),
        "weights, adam": train(weights=WEIGHTS, **ADAM),
        "lam by layer, lbfgs": train(lam=(0.5, 2.0)),
        "lam by layer, newton-cg": train(lam=(0.5, 2.0), optimizer="newton-cg"),
        "lam by layer, lm": train(lam=(0.5, 2.0), optimizer="lm", **SQUARED),
        "lam by layer, sgd": train(lam=(0.5, 2.0), optimizer="sgd", batch_size=16),
        "lam 0, lbfgs": train(lam=0.0),
        "penalty by batch": train(penalty_by_batch=True, **ADAM),
        "dropout, one share": train(dropout=0.3, **ADAM),
        "dropout, a share a layer, float32": train(dropout=(0.1, 0.4), dtype="float32", **ADAM),
        "dropout, gone on": train(dropout=0.3, resumed=True, **ADAM),
        "max-norm": train(max_norm=0.5, **ADAM),
        "dropout, max-norm and weights": train(
            dropout=0.3, max_norm=0.8, weights=WEIGHTS, optimizer="sgd", batch_size=16
        ),
        "distort": train(distort=noise, **ADAM),
        "distort, gone on": train(distort=noise, resumed=True, **ADAM),
        "not shuffled": train(shuffle=False, **ADAM),
        "one batch": train(optimizer="adam"),
        "learning rate": train(learning_rate=0.05, **ADAM),
        "learning rate by epoch": train(learning_rate=lambda epoch: 0.1 / (1 + epoch), **ADAM),
        "SGD without momentum": train(optimizer=SGD(0.1, momentum=0.0), batch_size=16),
        "SGD, plain momentum, decay": train(
            optimizer=SGD(0.1, nesterov=False, decay=0.01), batch_size=16
        ),
        "Adam with parameters": train(
            optimizer=Adam(0.01, beta1=0.8, beta2=0.99, epsilon=1e-4, decay=0.1), batch_size=16
        ),
        "validation stop, lbfgs": train(**stop),
        "validation stop, cg": train(optimizer="cg", **stop),
        "validation stop, adam": train(learning_rate=0.05, **ADAM, **stop),
        "validation stop, scipy": train(optimizer="scipy:BFGS", **SMALL, **stop),
        "patience, adam": train(learning_rate=0.5, **ADAM | {"max_iter": 60, "patience": 2}),
        "until it converges, lbfgs": train(max_iter=500, lam=5.0),
        "callback, lbfgs": train(callback=lambda step: step.iteration == 4),
        "callback, adam": train(callback=lambda step: step.iteration == 4, **ADAM),
        "n_restarts, lbfgs": train(n_restarts=3),
        "n_restarts, adam, validation": train(n_restarts=2, validation=True, **ADAM),
        "theta": train(theta=np.linspace(-1, 1, Network((13, 7, 6)).size)),
        "identical units allowed": train(theta=np.zeros(146), allow_symmetry=True),
        "unchecked": train(check=False),
        "one thread": train((400, 25, 10), m=1500, threads=1, max_iter=4),
        "three threads": train((400, 25, 10), m=1500, threads=3, max_iter=4),
    }


def recipes() -> dict[str, Training]:
    """Return two epochs of each recipe, on random pictures."""

    def two_epochs(recipe: Any) -> Training:
        def run(engine: str | None) -> tuple[Any, Any]:
            network = Network((784, *recipe.hidden, 10), hidden="relu", output="softmax")
            X, Y = examples(network, 300, zeros=0.8)
            how = recipe.arguments() | {"lam": recipe.lam, "max_iter": 2, "engine": engine}
            result = chainrule.train(network, np.abs(X).clip(0, 1), Y, **how)
            return result.theta, result.history.J

        return run

    return {f"recipe {name}": two_epochs(recipe) for name, recipe in RECIPES.items()}


# ------------------------------------------------------------------ the estimators and the command

fill = np.random.default_rng(9)
TABLE = fill.normal(size=(120, 9))
CODES = (TABLE[:, 0] > 0) * 1 + (TABLE[:, 1] > 0.5)  # three classes
LABELS = np.column_stack([CODES > 0, TABLE[:, 2] > 0]).astype(int)
NUMBERS = TABLE[:, 0] - TABLE[:, 1] ** 2
TWO_NUMBERS = np.column_stack([NUMBERS, TABLE[:, 2]])
COUNTS = fill.poisson(np.exp(TABLE[:, 0]))
ROW_WEIGHTS = fill.integers(0, 3, 120)


def sparse(m: int, n: int, share: float) -> csr_array:
    """Return random rows, of which this share is not 0."""
    rng = np.random.default_rng(n)
    return csr_array(rng.normal(size=(m, n)) * (rng.random((m, n)) < share))


def codes_of(X: csr_array) -> np.ndarray:
    return (X.sum(axis=1) > 0) * 1


def fit(
    kind: type,
    X: Any = TABLE,
    y: Any = CODES,
    *,
    again: bool = False,
    fitting: Any = None,
    **how: Any,
) -> Training:
    """Return the fit of an estimator, `again` on the first 100 rows where it starts warm."""

    def run(engine: str | None) -> tuple[Any, Any]:
        parameters = {"random_state": 3, "max_iter": 6, "engine": engine, **how}
        net = kind(hidden_layer_sizes=(11,), **parameters).fit(X, y, **fitting or {})
        if again:
            net.fit(X[:100], y[:100])
        return fitted(net)

    return run


def partial_fits(kind: type, y: np.ndarray, **first: Any) -> Training:
    """Return three calls of `partial_fit`, on other rows each."""

    def run(engine: str | None) -> tuple[Any, Any]:
        net = kind(hidden_layer_sizes=(11,), random_state=3, engine=engine)
        net.partial_fit(TABLE[:50], y[:50], **first)
        net.partial_fit(TABLE[50:], y[50:]).partial_fit(TABLE, y)
        return fitted(net)

    return run


def fitted(net: Any) -> tuple[Any, Any]:
    theta = [part.ravel() for part in (*net.coefs_, *net.intercepts_)]
    return np.concatenate(theta), net.loss_curve_


def estimators() -> dict[str, Training]:
    """Return each solver of both, and each argument that changes how they train."""
    found = {}
    for solver in (*ALL_ROWS, "sgd", "adam"):
        found[f"MLPClassifier, {solver}"] = fit(MLPClassifier, solver=solver)
        found[f"MLPRegressor, {solver}"] = fit(MLPRegressor, y=TWO_NUMBERS, solver=solver)
    for solver in SQUARES:
        found[f"MLPRegressor, {solver}"] = fit(MLPRegressor, y=NUMBERS, solver=solver)
    losses: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "poisson": (COUNTS, {}),
        "huber": (NUMBERS, {}),
        "quantile": (NUMBERS, {"quantile": [0.1, 0.5, 0.9]}),
    }
    for loss, (y, how) in losses.items():
        for solver in ("adam", "lbfgs"):
            found[f"MLPRegressor, {loss}, {solver}"] = fit(
                MLPRegressor, y=y, loss=loss, solver=solver, **how
            )
    validation = {"X_val": TABLE[:30], "y_val": CODES[:30]}
    soon = {"max_iter": 60, "learning_rate_init": 0.05, "tol": 0.01, "n_iter_no_change": 2}
    table = {
        "sgd, adaptive": {"solver": "sgd", "learning_rate": "adaptive", **soon},
        "sgd, invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
        "sgd, momentum": {"solver": "sgd", "nesterovs_momentum": False},
        "adam, tol": {"max_iter": 200, "tol": 0.05, "n_iter_no_change": 2},
        "batch_size": {"batch_size": 32},
        "not shuffled": {"shuffle": False, "batch_size": 32},
        "alpha": {"alpha": 0.5, "batch_size": 32},
        "alpha, lbfgs": {"alpha": 0.5, "solver": "lbfgs"},
        "float32": {"dtype": "float32"},
        "float32, lbfgs": {"dtype": "float32", "solver": "lbfgs"},
        "sigmoid outputs": {"output": "sigmoid"},
        "several labels": {"y": LABELS},
        "two classes": {"y": (CODES > 0) * 1},
        "logistic": {"activation": "logistic", "solver": "lbfgs"},
        "class_weight": {"class_weight": "balanced"},
        "sample_weight": {"fitting": {"sample_weight": ROW_WEIGHTS}},
        "sample_weight, lbfgs": {"fitting": {"sample_weight": ROW_WEIGHTS}, "solver": "lbfgs"},
        "early_stopping": {"early_stopping": True, **soon},
        "early_stopping, lbfgs": {"early_stopping": True, "solver": "lbfgs", **soon},
        "early_stopping, scoring": {"early_stopping": True, "scoring": "f1_macro", **soon},
        "X_val": {"fitting": validation},
        "X_val, early_stopping": {"fitting": validation, "early_stopping": True, **soon},
        "X_val, lbfgs": {"fitting": validation, "solver": "lbfgs"},
        "warm_start": {"warm_start": True, "again": True},
        "warm_start, lbfgs": {"warm_start": True, "again": True, "solver": "lbfgs"},
        "dropout": {"dropout": 0.3, "batch_size": 32},
        "n_restarts": {"n_restarts": 3},
        "n_restarts, average, lbfgs": {"n_restarts": 3, "average": True, "solver": "lbfgs"},
        "callback": {"callback": lambda step: step.iteration == 3},
    }
    found |= {f"MLPClassifier, {name}": fit(MLPClassifier, **how) for name, how in table.items()}
    found["MLPClassifier, partial_fit"] = partial_fits(MLPClassifier, CODES, classes=[0, 1, 2])
    found["MLPRegressor, partial_fit"] = partial_fits(MLPRegressor, NUMBERS)
    return found


def sparse_rows() -> dict[str, Training]:
    """Return estimators on sparse rows: thin ones stay so, thick ones are made dense in blocks."""
    thin, thick = sparse(300, 200, 0.02), sparse(150, 40, 0.4)
    blocks = sparse(4200, 1000, 0.12)  # more values than are made dense at once
    found = {}
    for words, X, how in (
        ("thin", thin, {}),
        ("thin, made dense", thin, {"engine": "kernel"}),  # which takes dense rows only
        ("thick", thick, {}),
        ("thick, in blocks", blocks, {"max_iter": 2}),
    ):
        y, weights = codes_of(X), np.arange(X.shape[0]) % 3
        found |= {
            f"sparse, {words}, lbfgs": fit(MLPClassifier, X, y, solver="lbfgs", **how),
            f"sparse, {words}, adam": fit(MLPClassifier, X, y, **how),
            f"sparse, {words}, dropout": fit(MLPClassifier, X, y, dropout=0.3, **how),
            f"sparse, {words}, sample_weight": fit(
                MLPClassifier, X, y, fitting={"sample_weight": weights}, **how
            ),
        }
    return found


def commands() -> dict[str, Training]:
    """Return what the command trains, with the engine that it chooses by itself."""

    def command(*words: str) -> Training:
        def run(engine: str | None) -> tuple[Any, Any]:
            with tempfile.TemporaryDirectory() as folder:
                model = Path(folder) / "model.safetensors"
                program = Path(sys.executable).with_name("chainrule")
                subprocess.run(
                    [program, "train", *words, "--out", model], check=True, capture_output=True
                )
                return load(model).theta, []

        return run

    return {
        "command, digits": command("digits", "--max-iter", "5"),
        "command, digits, adam": command(
            "digits", "--max-iter", "3", "--optimizer", "adam", "--hidden", "20,10",
            "--activation", "tanh,relu", "--output", "softmax", "--scale", "--test-size", "0",
        ),
    }  # fmt: skip


TRAININGS: dict[str, Training] = {
    **optimizers(),
    **networks(),
    **arguments_of_train(),
    **recipes(),
    **estimators(),
    **sparse_rows(),
    **commands(),
}

if __name__ == "__main__":
    sys.exit(main())

"""What is measured: each case is a network, its data, a kind of work, and who takes part.

The work counted for a row is that of the matrix products alone, unpadded: with
P_l = s_l s_{l+1} multiplications and as many additions,

- forward propagation: 2 (P_1 + ... + P_{L-1}) operations,
- Delta(l) = delta(l+1) a(l)^T: the same again,
- delta(l) = Theta(l)^T delta(l+1): the same but for l = 1, since nothing needs delta(1).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import chainrule

Settings = dict[str, Any]

# Who takes part in which kind of work, and with which settings; each is tried with 1 thread and
# with all, and the best of a library in the run goes into the table.
EAGER_OR_COMPILED = [{"compiled": False}, {"compiled": True}]
STEPS_TO_ACCURACY = [
    {"batch_size": 128, "learning_rate": 0.001},
    {"batch_size": 256, "learning_rate": 0.002},
    {"batch_size": 512, "learning_rate": 0.003},
]
CONTESTANTS: dict[str, dict[str, list[Settings]]] = {
    "gradient": {
        "chainrule": [{}],
        "NumPy": [{}],
        "PyTorch": EAGER_OR_COMPILED,
        "JAX": [{}],
    },
    "public_gradient": {"chainrule": [{}], "chainrule's engine": [{}], "NumPy": [{}]},
    "lbfgs": {"chainrule": [{}], "scikit-learn": [{}]},
    "epoch": {
        "chainrule": [{}],
        "PyTorch": EAGER_OR_COMPILED,
        "JAX": [{}],
        "scikit-learn": [{}],
    },
    "predict": {
        "chainrule": [{}],
        "PyTorch": EAGER_OR_COMPILED,
        "JAX": [{}],
        "ONNX Runtime": [{}],
        "scikit-learn": [{}],
    },
    "accuracy": dict.fromkeys(("chainrule", "PyTorch", "JAX", "scikit-learn"), STEPS_TO_ACCURACY),
}


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Parameters
    ----------
    name : str
    kind : str
        A key of `CONTESTANTS`: ``gradient`` (J and D of all rows), ``public_gradient`` (the same,
        as a user of the library asks for them), ``lbfgs`` (50 iterations),
        ``epoch`` (Adam, once through the rows), ``predict`` (h of all rows) or ``accuracy``
        (Adam until 98 % of MNIST's test set is right).
    layers, hidden, output
        As in `chainrule.Network`.
    rows : int
    dtype : str
    data : str
        ``"ex4data1"``, ``"mnist"`` or ``"random"``.
    batch_size : int
    targets : dict of str to float
        How many times faster than a library ("any" is the fastest) chainrule is meant to be.
    passes_zeros : bool
        Whether X has so many zeros that the kernel passes over them.
    quick : bool
        Whether ``make bench-quick`` has it.
    """

    name: str
    kind: str
    layers: tuple[int, ...]
    hidden: str
    output: str
    rows: int
    dtype: str = "float32"
    data: str = "random"
    batch_size: int = 0
    targets: dict[str, float] = field(default_factory=dict)
    passes_zeros: bool = False
    quick: bool = True

    @property
    def network(self) -> chainrule.Network:
        """The network; its weights are made by `prepare`."""
        return chainrule.Network(self.layers, hidden=self.hidden, output=self.output)

    def flops(self, X: np.ndarray) -> float | None:
        """Return the operations of one repetition, or None where they are not known beforehand.

        Multiplying with the zeros of X is work only where the kernel does it.
        """
        P = [2.0 * inputs * outputs for inputs, outputs in pairwise(self.layers)]
        if self.passes_zeros:
            P[0] *= np.count_nonzero(X) / X.size
        per_row = {"predict": sum(P)}
        per_row |= dict.fromkeys(("gradient", "public_gradient", "epoch"), 3 * sum(P) - P[0])
        return self.rows * per_row[self.kind] if self.kind in per_row else None

    @property
    def streamed_bytes(self) -> int:
        """Bytes that have to come from memory at least: X and Y once."""
        return self.rows * (self.layers[0] + self.layers[-1]) * np.dtype(self.dtype).itemsize


CASES = [
    *(
        Case(
            f"J and D, 400-25-10, 5,000 rows, {dtype}",
            "gradient",
            (400, 25, 10),
            "sigmoid",
            "sigmoid",
            5_000,
            dtype=dtype,
            data="ex4data1",
            targets={"any": 2},
        )
        for dtype in ("float32", "float64")
    ),
    Case(
        "J and D, 4-32-16-4, tanh, 10,000 rows, float32",
        "gradient",
        (4, 32, 16, 4),
        "tanh",
        "identity",
        10_000,
        targets={"any": 5},
    ),
    Case(
        "chainrule.cost_and_gradient, 400-25-10, 5,000 rows, float32",
        "public_gradient",
        (400, 25, 10),
        "sigmoid",
        "sigmoid",
        5_000,
        data="ex4data1",
        targets={"NumPy": 3},
    ),
    Case(
        "whole L-BFGS training, 50 iterations, 400-25-10, 5,000 rows",
        "lbfgs",
        (400, 25, 10),
        "sigmoid",
        "sigmoid",
        5_000,
        dtype="float64",
        data="ex4data1",
        targets={"scikit-learn": 15},
    ),
    Case(
        "Adam epoch, 784-100-10, batch 200, 60,000 rows",
        "epoch",
        (784, 100, 10),
        "relu",
        "softmax",
        60_000,
        data="mnist",
        batch_size=200,
        targets={"any": 2.5},
        passes_zeros=True,
    ),
    Case(
        "Adam epoch, 784-100-10, batch 200, 60,000 rows, no zeros in X",
        "epoch",
        (784, 100, 10),
        "relu",
        "softmax",
        60_000,
        batch_size=200,
        quick=False,
    ),
    Case(
        "Adam epoch, 20-32-2, batch 32, 20,000 rows",
        "epoch",
        (20, 32, 2),
        "relu",
        "sigmoid",
        20_000,
        batch_size=32,
        targets={"JAX": 10, "scikit-learn": 50, "PyTorch": 80},
    ),
    Case(
        "Adam epoch, 784-800-800-10, batch 200, 60,000 rows",
        "epoch",
        (784, 800, 800, 10),
        "relu",
        "softmax",
        60_000,
        data="mnist",
        batch_size=200,
        targets={"any": 1.4},
        passes_zeros=True,
        quick=False,
    ),
    Case(
        "Adam epoch, 100-100-1, batch 1,024, 1,000,000 rows",
        "epoch",
        (100, 100, 1),
        "relu",
        "sigmoid",
        1_000_000,
        batch_size=1024,
        targets={"any": 2},
        quick=False,
    ),
    Case(
        "predict, 784-100-10, 10,000 rows",
        "predict",
        (784, 100, 10),
        "relu",
        "softmax",
        10_000,
        data="mnist",
        targets={"any": 1.5},
        passes_zeros=True,
    ),
    Case(
        "predict, 784-100-10, one row",
        "predict",
        (784, 100, 10),
        "relu",
        "softmax",
        1,
        data="mnist",
        targets={"PyTorch": 3, "ONNX Runtime": 1},
    ),
    Case(
        "Adam until 98 % of MNIST's test set, 784-300-10",
        "accuracy",
        (784, 300, 10),
        "relu",
        "softmax",
        60_000,
        data="mnist",
        targets={"any": 2},
        quick=False,
    ),
]


def stored(name: str) -> Path | None:
    """Return the file of real data, where CHAINRULE_DATA or ../shared/data has it."""
    path = Path(os.environ.get("CHAINRULE_DATA", "../shared/data")) / name
    return path if path.exists() else None


def prepare(case: Case, folder: Path) -> str:
    """Write the arrays of a case to folder, one .npy file each, and say where they come from.

    ``X`` and ``Y`` are the rows, and ``theta`` the weights that all start from.  An epoch visits
    the rows in a random ``order``; ``X_in_order`` and ``Y_in_order`` spare the peers the gathering,
    which chainrule does within the time measured.
    """
    source, arrays = _rows(case)
    codes = arrays.pop("codes", None)
    if codes is not None:
        arrays["Y"] = np.eye(case.layers[-1])[codes]
    arrays["theta"] = chainrule.random_theta(case.network, seed=1)
    # Row after row: a .mat file has its columns one after the other
    arrays = {name: array.astype(case.dtype, order="C") for name, array in arrays.items()}
    if case.kind == "epoch":
        order = np.random.default_rng(2).permutation(case.rows)
        arrays["X_in_order"], arrays["Y_in_order"] = arrays["X"][order], arrays["Y"][order]
        arrays["order"] = order
    if case.kind == "accuracy":
        arrays["codes_test"] = arrays["codes_test"].astype(np.int64)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return source


def _rows(case: Case) -> tuple[str, dict[str, np.ndarray]]:
    if case.data == "ex4data1" and (path := stored("course/ex4data1.mat")):
        from scipy.io import loadmat

        mat = loadmat(path)
        return "the course's ex4data1", {"X": mat["X"], "codes": mat["y"].ravel() % 10}
    if case.data == "mnist" and (path := stored("mnist.npz")):
        with np.load(path) as mnist:
            arrays = {
                "X": mnist["X_train"][: case.rows].reshape(-1, 784) / np.float32(255),
                "codes": mnist["y_train"][: case.rows],
            }
            if case.kind == "accuracy":
                arrays["X_test"] = mnist["X_test"].reshape(-1, 784) / np.float32(255)
                arrays["codes_test"] = mnist["y_test"]
        return "MNIST", arrays
    rng = np.random.default_rng(1)
    X = rng.standard_normal((case.rows, case.layers[0]), dtype=np.float32)
    teacher = rng.standard_normal((case.layers[0], case.layers[-1]), dtype=np.float32)
    Y = X @ teacher / np.float32(np.sqrt(case.layers[0]))
    source = "random numbers" if case.data == "random" else f"random numbers, {case.data} is absent"
    if case.output == "softmax" or case.data == "ex4data1":
        return source, {"X": X, "codes": Y.argmax(axis=1)}
    return source, {"X": X, "Y": (Y > 0) if case.output == "sigmoid" else Y}


class Task:
    """A case as a contestant gets it: the case and its arrays, loaded when first asked for."""

    def __init__(self, case: Case, folder: Path):
        self.case = case
        self.network = case.network
        self.folder = folder

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or not (self.folder / f"{name}.npy").exists():
            raise AttributeError(name)
        array = np.load(self.folder / f"{name}.npy")
        setattr(self, name, array)
        return array

    def layers(self, theta: np.ndarray | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return copies of (W, b) of each layer, W of shape (inputs, outputs)."""
        Thetas = chainrule.reshape(self.network, self.theta if theta is None else theta)
        return [(Theta[:, 1:].T.copy(), Theta[:, 0].copy()) for Theta in Thetas]

    def unroll(self, layers: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Return the inverse of `layers`."""
        return np.concatenate([np.vstack([b, W]).ravel() for W, b in layers])

    def first_batches(self, n: int) -> Task:
        """Return the task of an epoch's first n batches."""
        rows = min(n * self.case.batch_size, self.case.rows)
        first = Task(replace(self.case, rows=rows), self.folder)
        for name in ("X", "Y"):  # without reading the rest, for memory is measured
            stored_rows = np.load(self.folder / f"{name}_in_order.npy", mmap_mode="r")
            rows_of_name = np.array(stored_rows[:rows])
            setattr(first, name, rows_of_name)
            setattr(first, f"{name}_in_order", rows_of_name)
        first.order = np.arange(rows)
        return first

    def start(self, seed: int) -> np.ndarray:
        """Return the weights that all start from in run number seed."""
        return chainrule.random_theta(self.network, seed=seed).astype(self.case.dtype)

    def epoch_order(self, seed: int, epoch: int) -> np.ndarray:
        """Return the order of rows that chainrule's `train` takes, for the peers to take too."""
        order = np.arange(self.case.rows)
        np.random.default_rng((seed, epoch)).shuffle(order)
        return order

"""Whether the contestants computed the same thing: one number for each answer, and its error."""

from __future__ import annotations

import numpy as np
from benchmarks.cases import Task
from benchmarks.contestants import ACCURACY

from chainrule.notes import backprop

ROUNDING = {"float32": 1e-4, "float64": 1e-9}  # of J, D and h, relative to the reference
BATCHES = 20  # of an epoch: hundreds of steps amplify the rounding of the first to percents of J
SAME_J = 1e-3  # of J after them
ROWS = 20_000  # of those J is then computed on


def check(task: Task, answer: np.ndarray, best_peer: float | None) -> tuple[str, float, bool]:
    """Return what an answer amounts to, in words and as a number, and whether it is right.

    Parameters
    ----------
    task : Task
    answer : ndarray
    best_peer : float, optional
        The same number of the peers: a training's lowest J, the median J after some batches.
    """
    reference = Reference(task)
    kind, tolerance = task.case.kind, ROUNDING[task.case.dtype]
    if kind in ("gradient", "public_gradient"):
        J, D = reference.J_and_D(task.theta)
        error = max(abs(answer[0] - J) / abs(J), np.linalg.norm(answer[1:] - D) / np.linalg.norm(D))
        return f"J and D differ by {error:.0e}", float(error), bool(error <= tolerance)
    if kind == "predict":
        error = np.abs(answer - reference.h(task.X, task.theta)).max()
        return f"h differs by {error:.0e}", float(error), bool(error <= tolerance)
    if kind == "accuracy":
        right = reference.h(task.X_test, answer).argmax(axis=1) == task.codes_test
        return f"{right.mean():.2%} right", float(right.mean()), bool(right.mean() >= ACCURACY)
    J, _ = reference.J_and_D(answer, lam=1.0 if kind == "lbfgs" else 0.0)
    if best_peer is None:
        fits = reference.J_and_D(task.theta)[0] > J
    elif kind == "lbfgs":
        fits = best_peer >= J
    else:
        fits = abs(J - best_peer) <= SAME_J * best_peer
    return f"J = {J:.6f}", J, bool(fits)


class Reference:
    """What `chainrule.notes.backprop` says, in float64."""

    def __init__(self, task: Task):
        self.network = task.network
        self.task = task

    def J_and_D(self, theta: np.ndarray, lam: float = 0.0) -> tuple[float, np.ndarray]:
        """Return J and D of the first rows."""
        arrays = (theta, self.task.X[:ROWS], self.task.Y[:ROWS])
        theta, X, Y = (array.astype(np.float64) for array in arrays)
        sums = backprop.accumulate(self.network, theta, X, Y)
        return backprop.finish(self.network, theta, *sums, lam)

    def h(self, X: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return h for each row of X."""
        return backprop.forward(self.network, theta.astype(np.float64), X)[0][-1]

"""An entry of the suite: a learner's wrong function, what is wrong, and where to check it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .data import Setting


@dataclass(frozen=True)
class Sabotage:
    """One learner's wrong function.

    Attributes
    ----------
    name : str
    mistakes : tuple of str
        The public names of what is wrong with it: one, or two for a pair.
    learner : callable
        ``learner(theta, X, y, lam) -> (J, grad)``.
    setting : callable
        ``setting() -> Setting``: its data, network and theta.
    order : str
        How the learner reads theta and returns grad, see `read`: "columns" is the notes' own, the
        others are consistent too, so no mistake by themselves.
    at_kink : bool
        Whether the check is done at a theta with a hidden unit whose weights are all 0.
    """

    name: str
    mistakes: tuple[str, ...]
    learner: Callable[..., tuple[float, Any]]
    setting: Callable[[], Setting]
    order: str = "columns"
    at_kink: bool = False

    def cost(self, theta: Any) -> tuple[float, Any]:
        """Return (J, grad) of the learner's function on its data."""
        s = self.setting()
        return self.learner(theta, s.X, s.y, s.lam)

    @property
    def theta(self) -> Any:
        """Where to check."""
        s = self.setting()
        theta = s.theta.copy()
        if self.at_kink:
            columns = theta[: (s.layers[0] + 1) * s.layers[1]].reshape(-1, s.layers[1])
            columns[:, 1] = 0  # all the weights into the second hidden unit
        return theta

    @property
    def arguments(self) -> dict[str, Any]:
        """What the caller passes: network (layers, hidden, output), X, Y, lam."""
        return self.setting().arguments


def read(theta: Any, layers: tuple[int, ...], order: str) -> list[Any]:
    """Return the list of Theta(l), bias column first, out of a learner's unrolled vector.

    The orders: "columns", each Theta(l) column by column (the notes, Octave); "rows", each row by
    row (NumPy); "layers", for each layer W of shape (inputs, outputs) and then b, by row; "torch",
    the same with W of shape (outputs, inputs); "sklearn", every W of shape (inputs, outputs) and
    then every b.
    """
    sizes = list(pairwise(layers))
    weights = [inn * out for inn, out in sizes]
    if order == "sklearn":
        blocks = np.split(theta, np.cumsum(weights + list(layers[1:]))[:-1])
        parts = list(zip(blocks[: len(sizes)], blocks[len(sizes) :], strict=True))
    else:
        blocks = np.split(theta, np.cumsum([(inn + 1) * out for inn, out in sizes])[:-1])
        if order in ("columns", "rows"):
            shapes = [(out, inn + 1) for inn, out in sizes]
            octave = "F" if order == "columns" else "C"
            return [b.reshape(s, order=octave) for b, s in zip(blocks, shapes, strict=True)]
        parts = [(block[:n], block[n:]) for block, n in zip(blocks, weights, strict=True)]
    matrices = []
    for (W, b), (inn, out) in zip(parts, sizes, strict=True):
        W = W.reshape(out, inn) if order == "torch" else W.reshape(inn, out).T
        matrices.append(np.column_stack([b, W]))
    return matrices


SUITE: list[Sabotage] = []


def sabotage(setting: Callable[[], Setting], *mistakes: str, **how: Any) -> Any:
    """Return the decorator that puts a learner's function into the suite."""

    def record(learner: Callable[..., Any]) -> Callable[..., Any]:
        SUITE.append(Sabotage(learner.__name__, mistakes, learner, setting, **how))
        return learner

    return record

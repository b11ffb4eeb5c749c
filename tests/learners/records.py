"""Gradient programs of learners as data: what each is about, and how it goes wrong.

A program is a function ``(theta, X, y, lam) -> (J, D)``, or, where ``built``, a function
``(X, y, lam)`` that returns one of theta alone. It sees X and y as its author is used to
(examples as columns, labels from 1, one-hot rows); the checker is given the same examples as
`Network` takes them. An Octave program is the text of a file.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from chainrule import Network


@dataclass(frozen=True, eq=False)
class Problem:
    """A network with examples, once for the checker and once as the program sees them."""

    network: Network
    X: np.ndarray
    Y: np.ndarray
    lam: float
    seen_X: np.ndarray
    seen_y: np.ndarray
    seen_lam: float
    scale: float = 1.0  # theta is uniform within it
    known: bool = True  # whether the checker is given network, X, Y and lam

    def theta(self, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).uniform(-self.scale, self.scale, self.network.size)

    def told(self) -> dict[str, Any]:
        if not self.known:
            return {}
        return {"network": self.network, "X": self.X, "Y": self.Y, "lam": self.lam}

    def alone(self) -> Problem:
        """The same problem, about which the checker is told nothing."""
        return replace(self, known=False)


def classes(
    *layers: int,
    m: int = 7,
    lam: float = 1.5,
    hidden: Any = "sigmoid",
    output: str = "sigmoid",
    labels: int | str = 0,
    columns: bool = False,
    seen_lam: float | None = None,
    scale: float = 1.0,
) -> Problem:
    """Examples with classes; labels is the first label, or ``"one-hot"``."""
    rng = np.random.default_rng(sum(layers) + m)
    X = rng.uniform(-2, 2, (m, layers[0]))
    K = layers[-1]
    Y = np.arange(m) % max(K, 2)
    seen = np.eye(K)[Y] if labels == "one-hot" else Y + int(labels)
    if K == 1:
        seen = seen.astype(float)
    if columns:
        seen_X, seen = X.T, np.atleast_2d(seen.T) if K == 1 or labels == "one-hot" else seen
    else:
        seen_X = X
    network = Network(layers, hidden=hidden, output=output)
    own_lam = lam if seen_lam is None else seen_lam
    return Problem(network, X, Y, lam, seen_X, seen, own_lam, scale)


def numbers(
    *layers: int,
    m: int = 6,
    lam: float = 0.5,
    hidden: Any = "tanh",
    columns: bool = False,
    seen_lam: float | None = None,
) -> Problem:
    """Examples with numbers as targets, and identity outputs."""
    rng = np.random.default_rng(sum(layers) + m)
    X, Y = rng.uniform(-2, 2, (m, layers[0])), rng.uniform(-2, 2, (m, layers[-1]))
    network = Network(layers, hidden=hidden, output="identity")
    own_lam = lam if seen_lam is None else seen_lam
    return Problem(network, X, Y, lam, X.T if columns else X, Y.T if columns else Y, own_lam)


@dataclass(frozen=True, eq=False)
class Case:
    """One program.

    ``parts`` are those in which D is wrong, ``factor`` is D over the right gradient there (None
    where it is none). ``names`` are patterns of the names that the first finding may have, where
    the checker has one for this kind; outside the catalogue, names that would be true.
    """

    id: str
    style: str
    problem: Problem | None = None
    program: Callable[..., Any] | None = None
    text: str = ""
    function: str = "nnCostFunction"
    built: bool = False
    mistake: str = ""
    kind: str = ""
    catalogue: bool = False
    parts: tuple[str, ...] = ()
    factor: float | None = None
    packing: str = "columns"
    names: tuple[str, ...] = field(default=())

    def objective(self) -> Callable[[np.ndarray], tuple[Any, Any]]:
        assert self.problem is not None
        assert self.program is not None
        program, about = self.program, self.problem
        if self.built:
            return program(about.seen_X.copy(), about.seen_y.copy(), about.seen_lam)
        return lambda theta: program(theta, about.seen_X, about.seen_y, about.seen_lam)

    def where(self) -> np.ndarray:
        """Return the name of the part that each component belongs to, where there are parts."""
        assert self.problem is not None
        if not self.problem.known:
            return np.array([])
        return labels(self.packing, self.problem.network.shapes)


def labels(packing: str, shapes: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Name the part of each component.

    A packing lists blocks: W1 and b1; T1, Theta(1) row by row with the bias column first; R1, row
    by row with the bias column last. ``"columns"`` is Octave's ``Theta1(:)``.
    """
    if packing == "columns":
        packing = " ".join(f"b{l} W{l}" for l in range(1, len(shapes) + 1))
    names: list[str] = []
    for block in packing.split():
        l = int(block[1:])
        out, columns = shapes[l - 1]
        bias, weights = [f"Theta({l}) bias"], [f"Theta({l}) weights"] * (columns - 1)
        names += {
            "b": bias * out,
            "W": weights * out,
            "T": (bias + weights) * out,
            "R": (weights + bias) * out,
        }[block[0]]
    return np.array(names)


B1, W1, B2, W2 = "Theta(1) bias", "Theta(1) weights", "Theta(2) bias", "Theta(2) weights"
B3, W3 = "Theta(3) bias", "Theta(3) weights"
LAYER_1, LAYER_2, ALL = (B1, W1), (B2, W2), (B1, W1, B2, W2)


def right(style: str, problem: Problem, *, built: bool = False) -> Callable[[Any], Any]:
    """Mark a right program."""

    def mark(program: Callable[..., Any]) -> Callable[..., Any]:
        program.case = Case(_id(program), style, problem, program, built=built)
        return program

    return mark


def wrong(
    style: str,
    problem: Problem,
    *,
    mistake: str,
    kind: str,
    parts: tuple[str, ...] = (),
    factor: float | None = None,
    packing: str = "columns",
    built: bool = False,
) -> Callable[[Any], Any]:
    """Mark a wrong program; the kind ``outside`` is in no list of mistakes."""

    def mark(program: Callable[..., Any]) -> Callable[..., Any]:
        program.case = Case(
            _id(program),
            style,
            problem,
            program,
            built=built,
            mistake=mistake,
            kind=kind,
            catalogue=kind != "outside",
            parts=parts,
            factor=factor,
            packing=packing,
        )
        return program

    return mark


def _id(program: Callable[..., Any]) -> str:
    return program.__name__.replace("_", "-")


def cases(module: ModuleType) -> Iterator[Case]:
    """Yield the cases of a module, in its order."""
    for value in vars(module).values():
        if inspect.isfunction(value) and isinstance(case := getattr(value, "case", None), Case):
            yield case
        elif isinstance(value, Case):
            yield value

"""The lines of backpropagation as functions, and what a mistake in one of them is.

A mistake in backpropagation is a line of the notes written wrong.  `Lines` holds the notes' own
lines; a `Slip` is a mistake's name, the line it is made in, and what becomes of that line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.notes.activations import Activation
from chainrule.notes.costs import Cost


@dataclass(frozen=True)
class Lines:
    """The notes' lines, as functions; l is the layer as in the notes, matrices have their shapes.

    ``labels(Y)``, ``output(h, Y, z)``: delta(L), ``back(l, delta, Thetas)``: Theta(l)^T delta(l+1)
    without the bias unit, ``g_prime(l, a, z, g)``, ``hidden(l, delta, Thetas, a, z, g, lines)``:
    delta(l), ``Delta(l, delta, a, z)`` with a and z of all layers, ``penalty(l, Thetas)``: what
    lambda weights, ``order(matrices)``: the order of the layers, ``unroll(l, matrix, packing)``:
    the matrix as the vector will hold it, ``packing(packing)``: the order of the vector.
    """

    labels: Callable[[Array], Array]
    output: Callable[[Array, Array, Array], Array]
    back: Callable[[int, Array, list[Array]], Array]
    g_prime: Callable[[int, Array, Array, Activation], Array]
    hidden: Callable[..., Array]
    Delta: Callable[..., Array]
    penalty: Callable[[int, list[Array]], Array]
    order: Callable[[list[Array]], list[Array]]
    unroll: Callable[[int, Array, str], Array]
    packing: Callable[[str], str]


def with_bias(a: Array) -> Array:
    """Put the bias unit's 1 in front of each row."""
    return np.hstack([np.ones((len(a), 1)), a])


def without_bias(Theta: Array) -> Array:
    """Put zeros in place of the bias column."""
    return np.hstack([np.zeros((len(Theta), 1)), Theta[:, 1:]])


def right_lines(cost: Cost) -> Lines:
    """Return the notes' own lines."""
    return Lines(
        labels=lambda Y: Y,
        output=lambda h, Y, z: cost.delta(h, Y),
        back=lambda l, delta, Thetas: delta @ Thetas[l - 1][:, 1:],
        g_prime=lambda l, a, z, g: g.slope(a, z),
        hidden=lambda l, delta, Thetas, a, z, g, lines: (
            lines.back(l, delta, Thetas) * lines.g_prime(l, a, z, g)
        ),
        Delta=lambda l, delta, a, z: np.column_stack(
            [delta[l + 1].sum(axis=0), delta[l + 1].T @ a[l]]
        ),
        penalty=lambda l, Thetas: without_bias(Thetas[l - 1]),
        order=lambda matrices: matrices,
        unroll=lambda l, matrix, packing: matrix,
        packing=lambda packing: packing,
    )


@dataclass(frozen=True)
class Slip:
    """A known mistake as one line changed.

    Attributes
    ----------
    name : str
        The mistake's public name, a key of ``MISTAKES``.
    line : str
        The field of `Lines` that is changed.
    words : str
        This variant's own words, for the evidence.
    wrong : callable
        ``wrong(right, problem, *arguments)``: the line written wrong.  It is given the right line
        and the `Problem` before the line's own arguments, and raises ValueError where the shapes
        forbid it.
    layer : int or None
        The only l in which the line is written wrong; None where it is all.
    code : str or None
        The line as a program has it, see `chainrule.diagnosis.program`; None where that takes more
        than an expression.
    """

    name: str
    line: str
    words: str
    wrong: Callable[..., Any]
    layer: int | None = None
    code: str | None = None

    def reaches(self, l: int, L: int) -> bool:
        """Whether it changes delta(l): it is made in the line of delta(l), or of one above."""
        if self.line in ("labels", "output"):
            return True
        return self.line in ("back", "g_prime", "hidden") and l < L and (self.layer or l) >= l

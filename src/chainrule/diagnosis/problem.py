"""The learner's problem at one theta: what a gradient with given slips is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from chainrule.common.types import Array
from chainrule.diagnosis.lines import Lines, Slip, right_lines, with_bias
from chainrule.diagnosis.packing import pack
from chainrule.notes.activations import ACTIVATIONS, Activation
from chainrule.notes.backprop import forward
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks, unroll

DELTA, WEIGHTS, BIASES, ONES, DELTA_BIAS = range(5)
MOVING = {"order", "unroll", "packing"}  # lines that say where components stand
SOME = 40  # components of each part on which explanations are tried first


def drawn(components: Array) -> Array:
    """Draw SOME of the components, each several times where there are fewer.

    Examples
    --------
    >>> len(drawn(np.arange(1000))), len(set(drawn(np.arange(7))))
    (40, 7)
    """
    return np.resize(np.random.default_rng(0).permutation(components), SOME)


@dataclass(frozen=True)
class Layout:
    """Where the learner has what, component by component.

    Attributes
    ----------
    layers : ndarray of shape (n,)
        The l of Theta(l) that each component belongs to.
    bias : ndarray of bool, of shape (n,)
        Whether it is a bias.
    weights : ndarray of shape (n,)
        What lambda weights, 0 at a bias.
    biases : ndarray of shape (n,)
        The biases, 0 elsewhere.
    """

    layers: Array
    bias: Array
    weights: Array
    biases: Array

    @cached_property
    def parts(self) -> Array:
        """The part of each component: two a layer, its bias first, counted from 0."""
        return np.asarray(2 * (self.layers - 1) + ~self.bias)

    @cached_property
    def some(self) -> dict[int, Array]:
        """Some components of each part, as many of each: those of a small part several times."""
        return {part: drawn(np.flatnonzero(self.parts == part)) for part in np.unique(self.parts)}


@dataclass(frozen=True)
class Terms:
    """What a gradient is made of, component by component.

    Attributes
    ----------
    columns : ndarray of shape (n, 5)
        Delta without its bias columns, the weights, the biases, ones in place of the weights, and
        Delta's bias columns.
    layout : Layout
    """

    columns: Array
    layout: Layout


@dataclass(frozen=True)
class Problem:
    """The network and its data at one theta, read in the order that the learner's J reads it."""

    network: Network
    Thetas: list[Array]
    penalised: list[Array]  # what lambda weights: the Thetas, or what stood there before a tie
    a: dict[int, Array]  # a(1)..a(L)
    z: dict[int, Array]  # z(2)..z(L), z(1) = a(1)
    Y: Array
    packing: str
    lams: Array  # lambda of each Theta(l), relative to their mean

    @classmethod
    def at(
        cls,
        network: Network,
        theta: Array,
        X: Array,
        Y: Array,
        packing: str,
        lams: Array,
        tie: Callable[[list[Array]], list[Array]] | None = None,
        tie_penalty: bool = False,
    ) -> Problem:
        """Read theta in one order and propagate forward, with other matrices where tie says so."""
        own = [block.T for block in blocks(network, np.arange(network.size))]
        ours = np.empty_like(theta)
        ours[pack(own, packing)] = theta
        penalised = [block.T for block in blocks(network, ours)]
        Thetas = tie(penalised) if tie else penalised
        penalised = Thetas if tie_penalty else penalised
        activations, _ = forward(network, unroll(Thetas), X)
        a = dict(enumerate(activations, start=1))
        z = {1: a[1]} | {
            l + 1: with_bias(a[l]) @ Theta.T for l, Theta in enumerate(Thetas, start=1)
        }
        return cls(network, Thetas, penalised, a, z, Y, packing, lams)

    @property
    def costs(self) -> Array:
        """cost(t) of each example."""
        return self.network.cost.per_example(self.z[self.network.L], self.Y)

    @cached_property
    def squares(self) -> tuple[float, float]:
        """The sums of the squares of the weights and of the biases, as lambda weights them."""
        weighted = list(zip(self.lams, self.penalised, strict=True))
        return (
            sum(share * float(np.sum(Theta[:, 1:] ** 2)) for share, Theta in weighted),
            sum(share * float(np.sum(Theta[:, 0] ** 2)) for share, Theta in weighted),
        )

    def J(self, k: Array) -> float:
        """Return the J whose gradient is k[0] Delta + k[1] weights + k[2] biases."""
        weights, biases = self.squares
        return float(k[0] * self.costs.sum() + (k[1] * weights + k[2] * biases) / 2)

    @property
    def g_last(self) -> Activation:
        """The last hidden activation; the sigmoid where there is none."""
        return self.network.activations[-1] if self.network.L > 2 else ACTIVATIONS["sigmoid"]

    def several(self, Y: Array) -> Array:
        """Y, where there are several outputs."""
        if Y.shape[1] == 1:
            raise ValueError("one output only")
        return Y

    def classes(self, Y: Array) -> Array:
        """Y, where it holds classes."""
        if self.network.cost.targets not in ("classes", "distribution"):
            raise ValueError("not classes")
        return Y

    def lines(self, slips: Sequence[Slip]) -> Lines:
        """Return the notes' lines, those of the slips written wrong."""
        lines = vars(right_lines(self.network.cost)).copy()
        for slip in slips:
            lines[slip.line] = partial(slip.wrong, lines[slip.line], self)
        return Lines(**lines)

    def deltas(self, slips: Sequence[Slip] = (), down_to: int = 2) -> dict[int, Array]:
        """Propagate back: delta(L), ..., delta(2), or as far as is asked for.

        Above the layers that the slips are made in, these are the notes' own, computed once.
        """
        L, lines = self.network.L, self.lines(slips)
        delta: dict[int, Array] = {}
        for l in range(L, max(down_to, 2) - 1, -1):
            if slips and not any(slip.reaches(l, L) for slip in slips):
                delta[l] = self._right_deltas[l]
            elif l == L:
                delta[l] = lines.output(self.a[L], lines.labels(self.Y), self.z[L])
            else:
                g = self.network.activations[l - 2]
                above = delta[l + 1]
                delta[l] = lines.hidden(l, above, self.Thetas, self.a[l], self.z[l], g, lines)
        return delta

    @cached_property
    def _right_deltas(self) -> dict[int, Array]:
        return self.deltas()

    def terms(self, slips: Sequence[Slip] = ()) -> Terms:
        """Return the terms of a gradient with these slips."""
        lines = self.lines(slips)
        delta = self.deltas(slips)
        Deltas = [lines.Delta(l, delta, self.a, self.z) for l in range(1, self.network.L)]
        changed = {slip.line for slip in slips}
        layout = self._layout(lines) if changed & MOVING else self._right_layout
        columns = np.empty((self.network.size, 5))
        Delta = self._flat(Deltas, lines)
        columns[:, DELTA] = np.where(layout.bias, 0, Delta)
        columns[:, DELTA_BIAS] = np.where(layout.bias, Delta, 0)
        columns[:, WEIGHTS] = self._penalty(lines) if "penalty" in changed else layout.weights
        columns[:, BIASES] = layout.biases
        columns[:, ONES] = ~layout.bias
        return Terms(columns, layout)

    def layer_terms(self, l: int, slips: Sequence[Slip], some: Array) -> Array:
        """Return the terms of some components of Theta(l), of shape (2, k, 5).

        ``some`` holds their places in the matrix, counted row by row: k biases, then k weights.
        """
        lines, share = self.lines(slips), self.lams[l - 1]
        # One delta more than the notes' own Delta(l) takes: a slip may take it
        Delta = lines.Delta(l, self.deltas(slips, l), self.a, self.z).ravel()[some]
        columns = np.zeros((*some.shape, 5))
        columns[0, :, DELTA_BIAS], columns[1, :, DELTA] = Delta
        columns[:, :, WEIGHTS] = share * lines.penalty(l, self.penalised).ravel()[some]
        columns[0, :, BIASES] = share * self.penalised[l - 1].ravel()[some[0]]
        columns[1, :, ONES] = 1
        return columns

    @cached_property
    def _right_layout(self) -> Layout:
        return self._layout(self.lines([]))

    def _layout(self, lines: Lines) -> Layout:
        where = [np.full(T.shape, float(l)) for l, T in enumerate(self.Thetas, start=1)]
        bias = [_biases(np.ones_like(T)) for T in self.Thetas]
        shared = [share * _biases(T) for share, T in zip(self.lams, self.penalised, strict=True)]
        return Layout(
            self._flat(where, lines).astype(int),
            self._flat(bias, lines) > 0.5,
            self._penalty(lines),
            self._flat(shared, lines),
        )

    def _penalty(self, lines: Lines) -> Array:
        numbered = enumerate(self.lams, start=1)
        return self._flat(
            [share * lines.penalty(l, self.penalised) for l, share in numbered], lines
        )

    def _flat(self, matrices: list[Array], lines: Lines) -> Array:
        unrolled = [lines.unroll(l, T, self.packing) for l, T in enumerate(matrices, start=1)]
        return pack(lines.order(unrolled), lines.packing(self.packing))

    def of_examples(self) -> Array:
        """Return what each example adds to Delta, of shape (m, n), in the learner's order."""
        delta = self.deltas()
        one_by_one = [
            np.einsum("ti,tj->tij", delta[l + 1], with_bias(self.a[l]))
            for l in range(1, self.network.L)
        ]
        return np.stack(
            [pack([T[t] for T in one_by_one], self.packing) for t in range(len(self.Y))]
        )

    def of_outputs(self) -> Array:
        """Return what each output unit's error adds to Delta, of shape (K, n)."""

        def alone(k: int) -> Slip:
            mask = np.arange(self.network.K) == k
            return Slip("", "output", "", lambda f, p, h, Y, z: f(h, Y, z) * mask)

        def Delta(k: int) -> Array:
            columns = self.terms([alone(k)]).columns
            return np.asarray(columns[:, DELTA] + columns[:, DELTA_BIAS])

        return np.stack([Delta(k) for k in range(self.network.K)])


def _biases(Theta: Array) -> Array:
    return np.hstack([Theta[:, :1], np.zeros_like(Theta[:, 1:])])

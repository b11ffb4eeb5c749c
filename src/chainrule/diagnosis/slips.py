"""The lines of backpropagation as functions, and the known slips in them as data.

A mistake in backpropagation is a line of the notes written wrong.  `Lines` holds the notes' own
lines; a `Slip` is a mistake's name, the line it is made in, and what becomes of that line.  To
teach the checker another mistake, add its words to ``MISTAKES`` and its slip to ``SLIPS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.notes.activations import ACTIVATIONS, Activation
from chainrule.notes.backprop import forward
from chainrule.notes.costs import Cost
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks


@dataclass(frozen=True)
class Lines:
    """The notes' lines, as functions; l is the layer as in the notes, matrices have their shapes.

    ``labels(Y)``, ``output(h, Y, z)``: delta(L), ``back(l, delta, Thetas)``: Theta(l)^T delta(l+1)
    without the bias unit, ``g_prime(l, a, z, g)``, ``hidden(l, delta, Thetas, a, z, g, lines)``:
    delta(l), ``Delta(l, delta, a, z)`` with a and z of all layers, ``order(matrices)``: the order
    of the layers, ``unroll(l, matrix, packing)``: the matrix as the vector will hold it.
    """

    labels: Callable[[Array], Array]
    output: Callable[[Array, Array, Array], Array]
    back: Callable[[int, Array, list[Array]], Array]
    g_prime: Callable[[int, Array, Array, Activation], Array]
    hidden: Callable[..., Array]
    Delta: Callable[..., Array]
    order: Callable[[list[Array]], list[Array]]
    unroll: Callable[[int, Array, str], Array]


def with_bias(a: Array) -> Array:
    """Put the bias unit's 1 in front of each row."""
    return np.hstack([np.ones((len(a), 1)), a])


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
        Delta=lambda l, delta, a, z: delta[l + 1].T @ with_bias(a[l]),
        order=lambda matrices: matrices,
        unroll=lambda l, matrix, packing: matrix,
    )


Change = Callable[[Any, "Problem"], Any]


@dataclass(frozen=True)
class Slip:
    """A known mistake as one line changed.

    Attributes
    ----------
    name : str
        The mistake's public name, a key of ``MISTAKES``.
    line : str
        The field of `Lines` that is changed.
    change : callable
        ``change(right, problem) -> wrong`` line; it may raise ValueError where shapes forbid it.
    words : str
        This variant's own words, for the evidence.
    """

    name: str
    line: str
    change: Change
    words: str


def _only(layer: int, slip: Slip) -> Slip:
    """Return the slip made in one layer alone."""

    def change(right: Any, problem: Problem) -> Any:
        wrong = slip.change(right, problem)
        return lambda l, *rest: (wrong if l == layer else right)(l, *rest)

    return replace(slip, change=change, words=f"{slip.words}, in layer {layer} only")


def _square(matrix: Array) -> Array:
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError("not square")
    return matrix.T


def _output_slope(problem: Problem, h: Array) -> Array:
    """G' of the output's own activation, elementwise, as a learner would write it."""
    name = problem.network.cost.name
    return h * (1 - h) if name in ("sigmoid", "softmax") else h if name == "exp" else 1 - h * h


def _swap_a(right: Any, problem: Problem) -> Any:
    def Delta(l: int, delta: Any, a: Any, z: Any) -> Array:
        other = {1: 2, 2: 1}.get(l, l - 1)
        if other not in a or a[other].shape != a[l].shape:
            raise ValueError("layers of different sizes")
        return np.asarray(right(l, delta, {**a, l: a[other]}, z))

    return Delta


def _other_Theta(step: int) -> Change:
    def change(right: Any, problem: Problem) -> Any:
        def back(l: int, delta: Array, Thetas: list[Array]) -> Array:
            other = l - 1 + step
            if not 0 <= other < len(Thetas) or Thetas[other].shape != Thetas[l - 1].shape:
                raise ValueError("layers of different sizes")
            return np.asarray(right(l, delta, [Thetas[other]] * len(Thetas)))

        return back

    return change


def _drop_last(right: Any, problem: Problem) -> Any:
    def hidden(l: int, delta: Array, Thetas: Any, a: Array, z: Array, g: Any, lines: Any) -> Array:
        # g' of all the units, the bias unit's included, then the wrong column dropped
        whole = (delta @ Thetas[l - 1]) * lines.g_prime(l, with_bias(a), with_bias(z), g)
        return np.asarray(whole[:, :-1])

    return hidden


def _shifted(Y: Array, by: int) -> Array:
    """Move the one of each row by one class; what falls off the end is lost."""
    if Y.shape[1] == 1:
        return Y + by
    out = np.zeros_like(Y)
    if by > 0:
        out[:, 1:] = Y[:, :-1]
    else:
        out[:, :-1] = Y[:, 1:]
    return out


def _zero_bias(Delta: Array) -> Array:
    out = Delta.copy()
    out[:, 0] = 0
    return out


def _slips() -> Iterator[Slip]:
    missing, point = "activation-derivative-missing", "activation-derivative-at-wrong-point"
    yield Slip(missing, "g_prime", lambda f, p: lambda l, a, z, g: np.ones_like(a), "no g'")
    yield Slip(
        point, "g_prime", lambda f, p: lambda l, a, z, g: g.slope(g.g(a), a), "g' taken at a"
    )
    yield Slip(
        point, "g_prime", lambda f, p: lambda l, a, z, g: g.g_prime(z), "g' written from z as if a"
    )
    for other in ACTIVATIONS.values():
        if other.name != "identity":
            yield Slip(
                "activation-derivative-of-another-activation",
                "g_prime",
                lambda f, p, other=other: lambda l, a, z, g: other.slope(a, z),  # type: ignore[misc]
                f"g' of {other.name}",
            )
    incomplete = "activation-derivative-incomplete"
    yield Slip(incomplete, "g_prime", lambda f, p: lambda l, a, z, g: a, "a in place of g'")
    yield Slip(incomplete, "g_prime", lambda f, p: lambda l, a, z, g: 1 - a, "1 - a for g'")
    extra = "output-derivative-extra"
    yield Slip(
        extra,
        "output",
        lambda f, p: lambda h, Y, z: f(h, Y, z) * _output_slope(p, h),
        "delta(L) = (a - y) .* g'",
    )
    yield Slip(
        extra,
        "output",
        lambda f, p: lambda h, Y, z: f(h, Y, z) * p.g_last.slope(p.g_last.g(h), h),
        "delta(L) = (a - y) .* g' taken at a",
    )
    yield Slip(
        extra,
        "output",
        lambda f, p: lambda h, Y, z: f(h, Y, z) * p.g_last.g_prime(h),
        "delta(L) = (a - y) .* the hidden layers' g'",
    )
    yield Slip(
        extra,
        "output",
        lambda f, p: lambda h, Y, z: f(h, Y, z) * p.g_last.g_prime(z),
        "delta(L) = (a - y) .* g' written from z",
    )
    yield Slip(
        "output-derivative-missing",
        "output",
        lambda f, p: lambda h, Y, z: f(h, Y, z) / _output_slope(p, h),
        "delta(L) = dJ/da",
    )
    yield Slip(
        "theta-transposed",
        "back",
        lambda f, p: lambda l, delta, Thetas: delta @ _square(Thetas[l - 1][:, 1:]),
        "Theta in place of Theta^T",
    )
    yield Slip(
        "theta-transposed",
        "Delta",
        lambda f, p: (
            lambda l, delta, a, z: np.hstack(
                [f(l, delta, a, z)[:, :1], _square(f(l, delta, a, z)[:, 1:])]
            )
        ),
        "a delta^T in place of delta a^T",
    )
    yield Slip(
        "unrolled-by-row",
        "back",
        lambda f, p: (
            lambda l, delta, Thetas: f(
                l,
                delta,
                [other_order(Theta, p.packing) for Theta in Thetas],
            )
        ),
        "Theta read in the other order on the way back",
    )
    yield Slip(
        "unrolled-by-row",
        "unroll",
        lambda f, p: lambda l, matrix, packing: other_order(matrix, packing),
        "D unrolled in the other order than theta",
    )
    yield Slip(
        "bias-in-delta",
        "back",
        lambda f, p: lambda l, delta, Thetas: delta @ Thetas[l - 1][:, :-1],
        "the last unit is dropped in place of the bias",
    )
    yield Slip(
        "bias-in-delta",
        "back",
        lambda f, p: lambda l, delta, Thetas: delta @ np.roll(Thetas[l - 1], -1, axis=1)[:, 1:],
        "the bias stands last and the first unit is dropped",
    )
    yield Slip("bias-in-delta", "hidden", _drop_last, "g' of the bias unit too, last unit dropped")
    yield Slip(
        "bias-gradient-missing",
        "Delta",
        lambda f, p: lambda l, delta, a, z: _zero_bias(f(l, delta, a, z)),
        "D(:, 1) is 0",
    )
    yield Slip(
        "bias-misplaced",
        "Delta",
        lambda f, p: lambda l, delta, a, z: np.roll(f(l, delta, a, z), -1, axis=1),
        "[delta a^T, delta] in place of [delta, delta a^T]",
    )
    yield Slip(
        "layers-swapped", "order", lambda f, p: lambda matrices: f(matrices)[::-1], "[D2(:); D1(:)]"
    )
    yield Slip("layers-swapped", "Delta", _swap_a, "a of the neighbouring layer in Delta")
    yield Slip("layers-swapped", "back", _other_Theta(-1), "Theta(l-1) in delta(l)")
    yield Slip("layers-swapped", "back", _other_Theta(1), "Theta(l+1) in delta(l)")
    for by in (1, -1):
        yield Slip(
            "labels-shifted",
            "labels",
            lambda f, p, by=by: lambda Y: np.roll(p.several(Y), by, axis=1),  # type: ignore[misc]
            f"classes moved by {by:+d}, the last to the first",
        )
        yield Slip(
            "labels-shifted",
            "labels",
            lambda f, p, by=by: lambda Y: _shifted(Y, by),  # type: ignore[misc]
            f"labels moved by {by:+d}",
        )
    yield Slip(
        "labels-shifted", "labels", lambda f, p: lambda Y: 1 - p.classes(Y), "labels exchanged"
    )
    yield Slip(
        "activation-forgotten",
        "Delta",
        lambda f, p: lambda l, delta, a, z: f(l, delta, {**a, l: z[l]}, z),
        "z(l) in place of a(l)",
    )
    for words, rows in (("last", slice(-1, None)), ("first", slice(0, 1))):
        yield Slip(
            "accumulator-overwritten",
            "Delta",
            lambda f, p, rows=rows: (
                lambda l, delta, a, z: f(  # type: ignore[misc]
                    l,
                    {i: d[rows] for i, d in delta.items()},
                    {i: v[rows] for i, v in a.items()},
                    {i: v[rows] for i, v in z.items()},
                )
            ),
            f"Delta of the {words} example alone",
        )
        yield Slip(
            "accumulator-overwritten",
            "Delta",
            lambda f, p, rows=rows: (
                lambda l, delta, a, z: np.hstack(  # type: ignore[misc]
                    [delta[l + 1][rows].T, f(l, delta, a, z)[:, 1:]]
                )
            ),
            f"Delta's bias column of the {words} example alone",
        )


SLIPS: tuple[Slip, ...] = tuple(_slips())

# What a J that is not the notes' may be: the same slips as in delta(L), since that is J's slope
COST_SLIPS: tuple[Slip, ...] = (
    Slip(
        "cost-inconsistent",
        "output",
        lambda f, p: lambda h, Y, z: -p.classes(Y) * (1 - h),
        "J has only y log h, without (1 - y) log(1 - h)",
    ),
    Slip(
        "cost-inconsistent",
        "output",
        lambda f, p: lambda h, Y, z: f(h, Y, z) * _output_slope(p, h),
        "J is the squared error",
    ),
    *(slip for slip in SLIPS if slip.line == "labels"),
)


PACKINGS: Mapping[str, Callable[[list[Array]], list[Array]]] = {
    # How learners unroll: the pieces, in their order, of matrices with the bias column first
    "columns": lambda Ts: [T.ravel(order="F") for T in Ts],  # the notes, Octave
    "rows": lambda Ts: [T.ravel() for T in Ts],  # NumPy
    "layers": lambda Ts: [part for T in Ts for part in (T[:, 1:].T.ravel(), T[:, 0])],
    "torch": lambda Ts: [part for T in Ts for part in (T[:, 1:].ravel(), T[:, 0])],
    "sklearn": lambda Ts: [T[:, 1:].T.ravel() for T in Ts] + [T[:, 0] for T in Ts],
    "rows, bias last": lambda Ts: [np.roll(T, -1, axis=1).ravel() for T in Ts],
}


def pack(matrices: list[Array], packing: str) -> Array:
    """Unroll matrices, bias column first, in one of the orders that learners use."""
    return np.concatenate(PACKINGS[packing](matrices))


def other_order(matrix: Array, packing: str) -> Array:
    """Return what a matrix becomes that is written in one order and read in the other."""
    if packing == "columns":
        return matrix.ravel().reshape(matrix.shape, order="F")
    if packing.startswith("rows"):
        return matrix.ravel(order="F").reshape(matrix.shape)
    W = matrix[:, 1:]
    if packing == "torch":
        W = W.ravel(order="F").reshape(W.shape)
    else:
        W = W.ravel().reshape(W.shape, order="F")
    return np.hstack([matrix[:, :1], W])


def _weights(Theta: Array) -> Array:
    return np.hstack([np.zeros((len(Theta), 1)), Theta[:, 1:]])


def _biases(Theta: Array) -> Array:
    return np.hstack([Theta[:, :1], np.zeros_like(Theta[:, 1:])])


@dataclass(frozen=True)
class Problem:
    """The network and its data at one theta, read in the order that the learner's J reads it."""

    network: Network
    Thetas: list[Array]
    a: dict[int, Array]  # a(1)..a(L)
    z: dict[int, Array]  # z(2)..z(L), z(1) = a(1)
    Y: Array
    packing: str
    lams: Array  # lambda of each Theta(l), relative to their mean

    @classmethod
    def at(
        cls, network: Network, theta: Array, X: Array, Y: Array, packing: str, lams: Array
    ) -> Problem:
        """Read theta in one order and propagate forward."""
        own = [block.T for block in blocks(network, np.arange(network.size))]
        ours = np.empty_like(theta)
        ours[pack(own, packing)] = theta
        activations, _ = forward(network, ours, X)
        a = dict(enumerate(activations, start=1))
        Thetas = [block.T for block in blocks(network, ours)]
        z = {1: a[1]} | {
            l + 1: with_bias(a[l]) @ Theta.T for l, Theta in enumerate(Thetas, start=1)
        }
        return cls(network, Thetas, a, z, Y, packing, lams)

    def J(self, lam: float) -> float:
        """Return the notes' J, with the regularisation of the weights."""
        costs = self.network.cost.per_example(self.z[self.network.L], self.Y)
        squares = sum(
            share * float(np.sum(Theta[:, 1:] ** 2))
            for share, Theta in zip(self.lams, self.Thetas, strict=True)
        )
        return float(costs.sum() + lam / 2 * squares) / len(self.Y)

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

    def terms(self, slips: Sequence[Slip]) -> tuple[Array, Array]:
        """Return the terms of a gradient with these slips, and each component's layer.

        Columns of the first, of shape (size, 5): Delta, the weights, the biases, ones in place of
        the weights, and Delta's bias columns once more by themselves.
        """
        lines = right_lines(self.network.cost)
        for slip in slips:
            wrong = slip.change(getattr(lines, slip.line), self)
            lines = replace(lines, **{slip.line: wrong})
        L = self.network.L
        delta = {L: lines.output(self.a[L], lines.labels(self.Y), self.z[L])}
        for l in range(L - 1, 1, -1):
            g = self.network.activations[l - 2]
            delta[l] = lines.hidden(l, delta[l + 1], self.Thetas, self.a[l], self.z[l], g, lines)
        Deltas = [lines.Delta(l, delta, self.a, self.z) for l in range(1, L)]
        weights = [share * _weights(T) for share, T in zip(self.lams, self.Thetas, strict=True)]
        biases = [share * _biases(T) for share, T in zip(self.lams, self.Thetas, strict=True)]
        ones = [_weights(np.ones_like(T)) for T in self.Thetas]
        layers = [np.full(T.shape, l) for l, T in enumerate(self.Thetas, start=1)]

        def flat(matrices: list[Array]) -> Array:
            unrolled = [
                lines.unroll(l, matrix, self.packing) for l, matrix in enumerate(matrices, start=1)
            ]
            return pack(lines.order(unrolled), self.packing)

        terms = (Deltas, weights, biases, ones, [_biases(T) for T in Deltas])
        return np.stack([flat(matrices) for matrices in terms], axis=1), flat(layers)

    def slips(self) -> list[Slip]:
        """Return the slips that this network's shapes allow, with those in one layer alone."""
        found: list[Slip] = []
        for slip in SLIPS:
            layers = {
                "g_prime": range(2, self.network.L),
                "back": range(2, self.network.L),
                "hidden": range(2, self.network.L),
                "Delta": range(1, self.network.L),
                "unroll": range(1, self.network.L),
            }.get(slip.line, range(0))
            single = [_only(l, slip) for l in layers] if len(layers) > 1 else []
            found += [s for s in [slip, *single] if self._possible(s)]
        return found

    def _possible(self, slip: Slip) -> bool:
        try:
            with np.errstate(all="ignore"):
                terms, _ = self.terms([slip])
                right, _ = self.terms([])
        except (ValueError, IndexError, KeyError):
            return False
        return bool(np.isfinite(terms).all()) and not np.allclose(terms, right, rtol=1e-9)

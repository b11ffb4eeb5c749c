"""The known slips, one a row: another one needs a row here, and its words in MISTAKES."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.diagnosis.lines import Slip
from chainrule.diagnosis.packing import PACKINGS, other_order
from chainrule.diagnosis.problem import Problem
from chainrule.notes.activations import ACTIVATIONS, Activation

# The wrong lines that take more than an expression.  Each is given the right line and the problem,
# then the line's own arguments.


def _square(matrix: Array) -> Array:
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError("not square")
    return matrix.T


def _output_slope(problem: Problem, h: Array) -> Array:
    """G' of the output's own activation, elementwise, as a learner would write it."""
    name = problem.network.cost.name
    return h * (1 - h) if name in ("sigmoid", "softmax") else h if name == "exp" else 1 - h * h


def _weights_transposed(right: Any, problem: Problem, *arguments: Any) -> Array:
    Delta = right(*arguments)
    return np.hstack([Delta[:, :1], _square(Delta[:, 1:])])


def _bias_zero(right: Any, problem: Problem, *arguments: Any) -> Array:
    Delta = right(*arguments).copy()
    Delta[:, 0] = 0
    return np.asarray(Delta)


def _same(value: Array, shape: tuple[int, ...]) -> Array:
    """Return value if it goes elementwise with an array of this shape."""
    return np.broadcast_to(value, shape)


def _slope_of(step: int) -> Callable[..., Array]:
    """G' of another layer."""

    def wrong(right: Any, problem: Problem, l: int, a: Array, z: Array, g: Any) -> Array:
        return _same(g.slope(problem.a[l + step], problem.z[l + step]), a.shape)

    return wrong


def _slope_by_sign_of_delta(
    right: Any, problem: Problem, l: int, delta: Array, Thetas: Any, a: Array, z: Array, *rest: Any
) -> Array:
    back = rest[1].back(l, delta, Thetas)
    return np.asarray(back * rest[0].slope(rest[0].g(back), back))


def _neighbours_delta(step: int) -> Callable[..., Array]:
    def wrong(right: Any, problem: Problem, l: int, delta: Any, a: Any, z: Any) -> Array:
        other = _same(delta[l + 1 + step], delta[l + 1].shape)
        return np.asarray(right(l, {**delta, l + 1: other}, a, z))

    return wrong


def _bias_of_all(mean: bool) -> Callable[..., Array]:
    """Sum (or average) the bias's Delta over the units too."""

    def wrong(right: Any, problem: Problem, *arguments: Any) -> Array:
        Delta = right(*arguments).copy()
        Delta[:, 0] = Delta[:, 0].mean() if mean else Delta[:, 0].sum()
        return np.asarray(Delta)

    return wrong


def _copied(one: int, into: int | None = None) -> Callable[..., list[Array]]:
    """Put D of one layer in place of another's, or of all the others'."""

    def wrong(right: Any, problem: Problem, matrices: list[Array]) -> list[Array]:
        return [
            _same(matrices[one - 1], matrix.shape) if into in (None, l) else matrix
            for l, matrix in enumerate(right(matrices), start=1)
        ]

    return wrong


def _exchanged(one: int, other: int) -> Callable[..., list[Array]]:
    """Put D of each of two layers in the other's place."""

    def wrong(right: Any, problem: Problem, matrices: list[Array]) -> list[Array]:
        found = list(right(matrices))
        found[one - 1], found[other - 1] = found[other - 1], found[one - 1]
        return found

    return wrong


def _summed(right: Any, problem: Problem, matrices: list[Array]) -> list[Array]:
    """Put the sum of all D(l) in place of each: one array has all their names."""
    added = right(matrices)
    return [np.asarray(sum(_same(other, matrix.shape) for other in added)) for matrix in added]


def _Delta_of(which: Callable[[list[Array]], Any]) -> Callable[..., Array]:
    """Put one Delta, made of those of all layers, in place of each; lambda's part stays its own."""

    def wrong(right: Any, problem: Problem, l: int, *arguments: Any) -> Array:
        Deltas = [right(k, *arguments) for k in range(1, problem.network.L)]
        return _same(np.asarray(which(Deltas)), Deltas[l - 1].shape)

    return wrong


def _softmax_of_examples(z: Array) -> Array:
    e = np.exp(z - z.max(axis=0))
    return np.asarray(e / e.sum(axis=0))


def _zeros_at(rows: slice, columns: slice) -> Callable[..., Array]:
    """Put the penalty's zeros elsewhere than in the bias column."""

    def wrong(right: Any, problem: Problem, l: int, Thetas: list[Array]) -> Array:
        Theta = Thetas[l - 1].copy()
        Theta[rows] = 0
        Theta[:, columns] = 0
        return np.asarray(Theta)

    return wrong


def _penalty_of(step: int) -> Callable[..., Array]:
    def wrong(right: Any, problem: Problem, l: int, Thetas: list[Array]) -> Array:
        if not 0 < l + step <= len(Thetas):
            raise ValueError("no such layer")
        return _same(right(l + step, Thetas), Thetas[l - 1].shape)

    return wrong


def _neighbours_a(right: Any, problem: Problem, l: int, delta: Any, a: Any, z: Any) -> Array:
    other = {1: 2, 2: 1}.get(l, l - 1)
    if other not in a or a[other].shape != a[l].shape:
        raise ValueError("layers of different sizes")
    return np.asarray(right(l, delta, {**a, l: a[other]}, z))


def _other_Theta(step: int) -> Callable[..., Array]:
    def wrong(right: Any, problem: Problem, l: int, delta: Array, Thetas: list[Array]) -> Array:
        other = l - 1 + step
        if not 0 <= other < len(Thetas) or Thetas[other].shape != Thetas[l - 1].shape:
            raise ValueError("layers of different sizes")
        return np.asarray(right(l, delta, [Thetas[other]] * len(Thetas)))

    return wrong


ONE, ZERO = np.ones(1), np.zeros(1)
# What g' may be for the bias unit in a program that takes g' of all the units
BIAS_SLOPES: Mapping[str, Callable[[Activation], Array]] = {
    "1": lambda g: ONE,
    "0": lambda g: ZERO,
    "g'(1)": lambda g: g.slope(g.g(ONE), ONE),
    "g' written from a = 1": lambda g: g.g_prime(ONE),
    "g'(0)": lambda g: g.slope(g.g(ZERO), ZERO),
}


@cache
def _bias_slope(name: str, g: Activation) -> Array:
    """Return one of the bias unit's slopes, unless one before it is the same number."""
    before = list(BIAS_SLOPES)[: list(BIAS_SLOPES).index(name)]
    slope = BIAS_SLOPES[name](g)
    if any(BIAS_SLOPES[other](g) == slope for other in before):
        raise ValueError("tried already")
    return slope


def _all_slopes(name: str, slopes: Array, g: Activation) -> Array:
    """Put the bias unit's slope in front of the others'."""
    return np.column_stack([np.repeat(_bias_slope(name, g), len(slopes)), slopes])


def _wrong_unit_dropped(name: str, cut: Callable[[Array], Array]) -> Callable[..., Array]:
    """Take g' of all the units, the bias unit in front, then drop another one than it."""

    def wrong(right: Any, problem: Problem, l: int, delta: Array, Thetas: Any, *rest: Any) -> Array:
        a, z, g, lines = rest
        return cut((delta @ Thetas[l - 1]) * _all_slopes(name, lines.g_prime(l, a, z, g), g))

    return wrong


def _last_slope_dropped(name: str) -> Callable[..., Array]:
    """Take g' of all the units, the bias unit's included, then drop the last one's."""
    return lambda right, problem, l, a, z, g: _all_slopes(name, right(l, a, z, g), g)[:, :-1]


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


def _examples(rows: slice) -> Callable[..., Array]:
    """Delta of some examples alone."""

    def wrong(right: Any, problem: Problem, l: int, *layers: Any) -> Array:
        return np.asarray(right(l, *({i: v[rows] for i, v in part.items()} for part in layers)))

    return wrong


def _biases_examples(rows: slice) -> Callable[..., Array]:
    """Delta's bias column of some examples alone."""

    def wrong(right: Any, problem: Problem, l: int, delta: Any, a: Any, z: Any) -> Array:
        return np.hstack([delta[l + 1][rows].T, right(l, delta, a, z)[:, 1:]])

    return wrong


LAST, FIRST, ALL, NONE = slice(-1, None), slice(0, 1), slice(None), slice(0, 0)
POINT = "activation-derivative-at-wrong-point"
OTHER = "activation-derivative-of-another-activation"
# D written in one of the orders, whichever theta is read in
WRITTEN = {
    name: Slip(
        "packed-otherwise",
        "packing",
        f"D is written {order.words}",
        lambda right, problem, packing, name=name: name,
    )
    for name, order in PACKINGS.items()
}
# g' of a few activations, written from a as textbooks do
SLOPE_OF_A = {"sigmoid": "{a} * (1 - {a})", "tanh": "(1 - {a}**2)", "relu": "({a} > 0)"}
# f is the right line, p the problem; `chainrule.diagnosis.program` says what ``code`` may name.
# fmt: off
SLIPS: tuple[Slip, ...] = (
    # g'(z(l)), of the learner's own a(l) and z(l)
    Slip("activation-derivative-missing", "g_prime", "no g'",
         lambda f, p, l, a, z, g: np.ones_like(a), code=""),
    Slip(POINT, "g_prime", "g' taken at a", lambda f, p, l, a, z, g: g.slope(g.g(a), a),
         code="{g}({a})"),
    Slip(POINT, "g_prime", "g' written from z as if a", lambda f, p, l, a, z, g: g.g_prime(z),
         code="{slope_of_z}"),
    *(
        Slip(OTHER, "g_prime", f"g' of {other.name}",
             lambda f, p, l, a, z, g, other=other: other.slope(a, z),
             code=SLOPE_OF_A.get(other.name))
        for other in ACTIVATIONS.values()
        if other.name != "identity"
    ),
    *(
        Slip(OTHER, "g_prime", f"g' of {other.name} at z",
             lambda f, p, l, a, z, g, other=other: other.slope(other.g(z), z),
             code=f"{other.name}_prime({{z}})")
        for other in ACTIVATIONS.values()
        if other.name != "identity"
    ),
    *(
        Slip(POINT, "g_prime", f"g'(z(l{step:+d})) in place of g'(z(l))", _slope_of(step),
             code={1: "{g}({z_next})", -1: "{g}({z_before})"}.get(step))
        for step in (1, -1, 2, -2, 3, -3)
    ),
    Slip("activation-derivative-twice", "g_prime", "g' .* g'",
         lambda f, p, l, a, z, g: f(l, a, z, g) ** 2, code="{right}**2"),
    Slip(POINT, "hidden", "g' taken at Theta^T delta", _slope_by_sign_of_delta,
         code="{back} * {g}({back})"),
    Slip("activation-derivative-incomplete", "g_prime", "a in place of g'",
         lambda f, p, l, a, z, g: a, code="{a}"),
    Slip("activation-derivative-incomplete", "g_prime", "1 - a for g'",
         lambda f, p, l, a, z, g: 1 - a, code="(1 - {a})"),
    # delta(L)
    Slip("output-derivative-extra", "output", "delta(L) = (a - y) .* g'",
         lambda f, p, h, Y, z: f(h, Y, z) * _output_slope(p, h),
         code="({right}) * {output_slope}"),
    Slip("output-derivative-extra", "output", "delta(L) = (a - y) .* g' taken at a",
         lambda f, p, h, Y, z: f(h, Y, z) * p.g_last.slope(p.g_last.g(h), h),
         code="({right}) * {g}({h})"),
    Slip("output-derivative-extra", "output", "delta(L) = (a - y) .* the hidden layers' g'",
         lambda f, p, h, Y, z: f(h, Y, z) * p.g_last.g_prime(h)),
    Slip("output-derivative-extra", "output", "delta(L) = (a - y) .* g' written from z",
         lambda f, p, h, Y, z: f(h, Y, z) * p.g_last.g_prime(z)),
    Slip("output-derivative-missing", "output", "delta(L) = dJ/da",
         lambda f, p, h, Y, z: f(h, Y, z) / _output_slope(p, h),
         code="({right}) / ({output_slope})"),
    Slip("output-derivative-incomplete", "output", "delta(L) = -y .* (1 - a)",
         lambda f, p, h, Y, z: -p.classes(Y) * (1 - h), code="-{Y} * (1 - {h})"),
    Slip("output-derivative-incomplete", "output", "delta(L) = (1 - y) .* a",
         lambda f, p, h, Y, z: (1 - p.classes(Y)) * h, code="(1 - {Y}) * {h}"),
    Slip("activation-forgotten", "output", "delta(L) = z(L) - y", lambda f, p, h, Y, z: z - Y,
         code="{z} - {Y}"),
    Slip("output-rounded", "output", "delta(L) = (a >= 0.5) - y",
         lambda f, p, h, Y, z: (h >= 0.5) - p.classes(Y), code="({h} >= 0.5) - {Y}"),
    Slip("output-rounded", "output", "delta(L) = 1 at the largest a, less y",
         lambda f, p, h, Y, z: (h == h.max(axis=1, keepdims=True)) - p.several(p.classes(Y)),
         code="({h} == {h}.max(axis=1, keepdims=True)) - {Y}"),
    Slip("softmax-axis", "output", "softmax along the examples in delta(L)",
         lambda f, p, h, Y, z: _softmax_of_examples(z) - p.several(p.classes(Y)),
         code="softmax({z}, axis=0) - {Y}"),
    # Theta(l)^T delta(l+1), then delta(l) and Delta(l)
    Slip("theta-transposed", "back", "Theta in place of Theta^T",
         lambda f, p, l, delta, Thetas: delta @ _square(Thetas[l - 1][:, 1:]),
         code="{delta} @ {Theta}[:, 1:].T"),
    Slip("theta-transposed", "Delta", "a delta^T in place of delta a^T", _weights_transposed,
         code="np.c_[{delta}.sum(0), {a}.T @ {delta}]"),
    Slip("unrolled-by-row", "back", "Theta read in the other order on the way back",
         lambda f, p, l, delta, Thetas: f(l, delta, [other_order(T, p.packing) for T in Thetas]),
         code='{delta} @ {Theta}.ravel().reshape({Theta}.shape, order="F")[:, 1:]'),
    Slip("unrolled-by-row", "unroll", "D unrolled in the other order than theta",
         lambda f, p, l, matrix, packing: other_order(matrix, packing), code="{D}.ravel()"),
    Slip("bias-in-delta", "back", "the last unit is dropped in place of the bias",
         lambda f, p, l, delta, Thetas: delta @ Thetas[l - 1][:, :-1],
         code="{delta} @ {Theta}[:, :-1]"),
    Slip("bias-in-delta", "back", "the bias stands last and the first unit is dropped",
         lambda f, p, l, delta, Thetas: delta @ np.roll(Thetas[l - 1], -1, axis=1)[:, 1:]),
    *(
        Slip("bias-in-delta", "hidden", f"{words} (the bias's g' is {slope})",
             _wrong_unit_dropped(slope, cut))
        for words, cut in (
            ("the last unit is dropped in place of the bias", lambda units: units[:, :-1]),
            ("the bias stands last and the first unit is dropped",
             lambda units: np.roll(units, -1, axis=1)[:, 1:]),
        )
        for slope in BIAS_SLOPES
    ),
    *(
        Slip("bias-in-delta", "g_prime", "g' of the last unit is dropped in place of the bias's, "
             f"which is {slope}", _last_slope_dropped(slope))
        for slope in BIAS_SLOPES
    ),
    Slip("bias-gradient-missing", "Delta", "D(:, 1) is 0", _bias_zero, code="no_bias({right})"),
    Slip("bias-misplaced", "Delta", "[delta a^T, delta] in place of [delta, delta a^T]",
         lambda f, p, *arguments: np.roll(f(*arguments), -1, axis=1),
         code="{delta}.T @ np.c_[{a}, np.ones(m)]"),
    Slip("layers-swapped", "order", "[D2(:); D1(:)]", lambda f, p, matrices: f(matrices)[::-1],
         code="{reversed}"),
    Slip("layers-swapped", "Delta", "a of the neighbouring layer in Delta", _neighbours_a,
         code="{delta}.T @ bias({other_a})"),
    Slip("layers-swapped", "Delta", "delta(l) in place of delta(l+1)", _neighbours_delta(-1),
         code="{delta_below}.T @ bias({a})"),
    Slip("layers-swapped", "Delta", "delta(l+2) in place of delta(l+1)", _neighbours_delta(1),
         code="{delta_above}.T @ bias({a})"),
    Slip("layer-copied", "order", "every D(l) is D(1)", _copied(1), code="{first_for_all}"),
    Slip("layer-copied", "order", "every D(l) is D(L-1)", _copied(0), code="{last_for_all}"),
    Slip("layer-copied", "order", "every D(l) is the sum of all", _summed),
    Slip("layer-copied", "Delta", "Delta(1) in place of Delta(l)", _Delta_of(lambda all: all[0])),
    Slip("layer-copied", "Delta", "Delta(L-1) in place of Delta(l)",
         _Delta_of(lambda all: all[-1])),
    Slip("layer-copied", "Delta", "the sum of all Deltas in place of Delta(l)", _Delta_of(sum)),
    Slip("layers-swapped", "back", "Theta(l-1) in delta(l)", _other_Theta(-1),
         code="{delta} @ {Theta_before}[:, 1:]"),
    Slip("layers-swapped", "back", "Theta(l+1) in delta(l)", _other_Theta(1),
         code="{delta} @ {Theta_next}[:, 1:]"),
    # y
    Slip("labels-shifted", "labels", "classes moved by +1, the last to the first",
         lambda f, p, Y: np.roll(p.several(Y), 1, axis=1), code="np.roll({right}, 1, axis=1)"),
    Slip("labels-shifted", "labels", "labels moved by +1", lambda f, p, Y: _shifted(Y, 1)),
    Slip("labels-shifted", "labels", "classes moved by -1, the last to the first",
         lambda f, p, Y: np.roll(p.several(Y), -1, axis=1), code="np.roll({right}, -1, axis=1)"),
    Slip("labels-shifted", "labels", "labels moved by -1", lambda f, p, Y: _shifted(Y, -1)),
    Slip("labels-shifted", "labels", "labels exchanged", lambda f, p, Y: 1 - p.classes(Y),
         code="(1 - {right})"),
    Slip("labels-missing", "labels", "delta(L) = a(L), no y", lambda f, p, Y: np.zeros_like(Y),
         code="0 * {right}"),
    Slip("labels-missing", "labels", "delta(L) = a(L) - 1",
         lambda f, p, Y: np.ones_like(p.classes(Y)), code="np.ones_like({right})"),
    Slip("one-label-for-all", "labels", "y of the first example for all",
         lambda f, p, Y: np.broadcast_to(Y[:1], Y.shape), code="{right}[0]"),
    Slip("one-label-for-all", "labels", "y of the last example for all",
         lambda f, p, Y: np.broadcast_to(Y[-1:], Y.shape), code="{right}[-1]"),
    Slip("labels-wrong-axis", "labels", "Y is reshaped where it should be transposed",
         lambda f, p, Y: p.several(Y).T.reshape(Y.shape), code="{right}.T.reshape({right}.shape)"),
    Slip("labels-wrong-axis", "labels", "Y is reshaped where it should be transposed",
         lambda f, p, Y: p.several(Y).ravel().reshape(Y.shape, order="F")),
    # Delta(l)
    Slip("activation-forgotten", "Delta", "z(l) in place of a(l)",
         lambda f, p, l, delta, a, z: f(l, delta, {**a, l: z[l]}, z),
         code="{delta}.T @ bias({z})"),
    Slip("accumulator-overwritten", "Delta", "Delta of the last example alone", _examples(LAST),
         code="{delta}[-1:].T @ bias({a}[-1:])"),
    Slip("accumulator-overwritten", "Delta", "Delta's bias column of the last example alone",
         _biases_examples(LAST)),
    Slip("accumulator-overwritten", "Delta", "Delta of the first example alone", _examples(FIRST),
         code="{delta}[:1].T @ bias({a}[:1])"),
    Slip("accumulator-overwritten", "Delta", "Delta's bias column of the first example alone",
         _biases_examples(FIRST)),
    Slip("example-left-out", "Delta", "the first example is left out", _examples(slice(1, None)),
         code="{delta}[1:].T @ bias({a}[1:])"),
    Slip("example-left-out", "Delta", "the last example is left out", _examples(slice(-1)),
         code="{delta}[:-1].T @ bias({a}[:-1])"),
    Slip("bias-gradient-summed", "Delta", "the bias's Delta summed over the units too",
         _bias_of_all(mean=False),
         code="np.c_[np.full({units}, {delta}.sum()), {delta}.T @ {a}]"),
    Slip("bias-gradient-summed", "Delta", "the bias's Delta averaged over the units too",
         _bias_of_all(mean=True)),
    # lambda
    Slip("lambda-misplaced", "penalty", "0 in the last column, not in the first",
         _zeros_at(NONE, LAST), code="np.c_[{Theta}[:, :-1], np.zeros({units})]"),
    Slip("lambda-misplaced", "penalty", "0 in the first column, where the bias stands last",
         _zeros_at(NONE, slice(1, 2))),
    Slip("lambda-misplaced", "penalty", "0 in the first row, not in the first column",
         _zeros_at(FIRST, NONE), code="np.r_[np.zeros((1, {columns})), {Theta}[1:]]"),
    Slip("lambda-misplaced", "penalty", "0 in the last row, not in the first column",
         _zeros_at(LAST, NONE)),
    Slip("lambda-misplaced", "penalty", "0 in the first row too", _zeros_at(FIRST, FIRST),
         code="np.r_[np.zeros((1, {columns})), {right}[1:]]"),
    Slip("lambda-misplaced", "penalty", "Theta^T in place of Theta",
         lambda f, p, l, Thetas: _weights_transposed(f, p, l, Thetas),
         code="np.c_[0 * {Theta}[:, 0], {Theta}[:, 1:].T]"),
    Slip("lambda-misplaced", "penalty", "only the bias column", lambda f, p, l, Thetas: (
         Thetas[l - 1] - f(l, Thetas)), code="({Theta} - {right})"),
    Slip("lambda-of-another-layer", "penalty", "Theta(l+1) in place of Theta(l)", _penalty_of(1),
         code="no_bias({Theta_next})"),
    Slip("lambda-of-another-layer", "penalty", "Theta(l-1) in place of Theta(l)", _penalty_of(-1),
         code="no_bias({Theta_before})"),
    Slip("lambda-factor", "penalty", "Theta .^ 2 in place of Theta",
         lambda f, p, l, Thetas: f(l, Thetas) ** 2, code="{right}**2"),
    Slip("lambda-factor", "penalty", "sign(Theta) in place of Theta",
         lambda f, p, l, Thetas: np.sign(f(l, Thetas)), code="np.sign({right})"),
    # [D1(:); D2(:)]
    *WRITTEN.values(),
)

# fmt: on

# The layers in which a line stands, from and up to which (of L); the other lines stand once
PER_LAYER = {
    "g_prime": 2, "back": 2, "hidden": 2, "Delta": 1, "penalty": 1, "D": 1, "unroll": 1
}  # fmt: skip


def tried_slips(L: int) -> Iterator[Slip]:
    """Yield the slips, each in all layers and then in one layer alone, for a network of L layers.

    Some are impossible with a network's shapes: its lines then raise ValueError.
    """
    for everywhere in SLIPS:
        yield everywhere
        yield from in_one_layer(everywhere, L)
    for one, other in permutations(range(1, L), 2) if 3 < L < 7 else ():
        yield Slip("layer-copied", "order", f"D({one}) is D({other})", _copied(other, one))
        if one < other:
            words = f"D({one}) and D({other}) in each other's place"
            yield Slip("layers-swapped", "order", words, _exchanged(one, other))


def in_one_layer(slip: Slip, L: int) -> Iterator[Slip]:
    """Yield the slip made in one layer alone, for each of those where its line stands."""
    layers = range(PER_LAYER.get(slip.line, L), L)
    if len(layers) > 1:
        for layer in layers:
            yield _only(layer, slip)


def _only(layer: int, slip: Slip) -> Slip:
    """Return the slip made in one layer alone, its words with that layer's number."""

    def wrong(right: Any, problem: Problem, l: int, *rest: Any) -> Any:
        return slip.wrong(right, problem, l, *rest) if l == layer else right(l, *rest)

    words = re.sub(r"\(l([+-]\d)?\)", lambda step: f"({layer + int(step[1] or 0)})", slip.words)
    return replace(slip, wrong=wrong, words=f"{words}, in layer {layer} only", layer=layer)


# Lines that can be written wrong twice over; in the others the second slip undoes the first
TWICE = ("output", "hidden", "Delta", "order")


def go_together(one: Slip, other: Slip) -> bool:
    """Whether two slips can both be made."""
    apart = None not in (one.layer, other.layer) and one.layer != other.layer
    packed = "packing" in (one.line, other.line)  # `Search.reordering` tries these
    alike = one.name == other.name and one.line != other.line
    if packed or (alike and not apart):
        return False
    return one.line != other.line or one.line in TWICE or apart

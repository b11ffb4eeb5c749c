"""Every value of one example's way forward and back, named as in the notes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.common.shown import summary
from chainrule.common.types import Array, Squares
from chainrule.notes.backprop import accumulate, backward, finish, forward
from chainrule.notes.formulas import (
    activation_formulas,
    bracketed,
    cost_formulas,
    in_letters,
    in_numbers,
)
from chainrule.notes.network import Network
from chainrule.notes.regularisation import check_lam, per_layer
from chainrule.notes.theta import blocks, reshape

WIDTH = 80  # columns of a terminal
WHERE = ", where "  # begins what a formula's letters stand for
LEFT = 'style="text-align: left; vertical-align: top; min-width: 5em"'
MOST_NUMBERS, EDGE = 60, 3  # of a matrix with more numbers, this many are shown at each end
MOST_TERMS = 40  # terms of a sum that are written out; of more, the middle ones are added up
MOST_LETTERS = 4  # terms of a sum that are written in letters
COMPUTED = ("a(", "z(", "delta(", "Delta(", "D(")


class Line(NamedTuple):
    """One line of a trace: the name of a value, its formula (empty if it is given), the value."""

    name: str
    formula: str
    value: Array | float


@dataclass(frozen=True)
class Trace:
    """Every value of one example's way forward and back, named as in the notes.

    Lists start at the notes' first index: ``a[0]`` is a(1), ``z[0]`` is z(2), ``delta[0]`` is
    delta(2), ``Theta[0]`` is Theta(1), ``Delta[0]`` is Delta(1), ``D[0]`` is D(1).  ``print`` shows
    them all, each with its formula and six decimals: enough to check each line by hand from the
    lines above it.

    Attributes
    ----------
    network : Network
    a : list of ndarray of shape (s_l,)
    z, delta : list of ndarray of shape (s_{l+1},)
    Delta, D : list of ndarray of shape (s_{l+1}, s_l + 1)
    cost : float
        cost(t), without regularisation.
    Theta : list of ndarray of shape (s_{l+1}, s_l + 1)
    y : ndarray of shape (K,)
        The target values.
    lam : float or sequence of L - 1 float
        lambda, as J and D have it.
    J : float
        1/m (cost + lambda/2 sum of the squared weights, without the biases').
    m : int
        The number of examples in J and D: 1.

    Examples
    --------
    >>> shown = trace(Network((2, 3, 1)), np.zeros(13), [2.0, 1.0], 1)
    >>> shown.a[1], shown.delta[-1]  # a(2) and delta(3)
    (array([0.5, 0.5, 0.5]), array([-0.5]))
    >>> shown.with_bias[1], shown.y
    (array([1. , 0.5, 0.5, 0.5]), array([1.]))
    """

    network: Network
    a: list[Array]
    z: list[Array]
    delta: list[Array]
    Delta: list[Array]
    D: list[Array]
    cost: float
    Theta: list[Array]
    y: Array
    lam: Squares
    J: float
    m: int = 1

    __repr__ = summary

    @property
    def with_bias(self) -> list[Array]:
        """[1; a(l)] for l = 1 to L - 1: the bias unit a_0 = 1, then a(l)."""
        return [np.concatenate([np.ones(1, a_l.dtype), a_l]) for a_l in self.a[:-1]]

    @property
    def slopes(self) -> list[Array]:
        """g'(z(l)) for l = 2 to L - 1."""
        inner = zip(self.network.activations, self.a[1:-1], self.z[:-1], strict=True)
        return [g.slope(a_l, z_l) for g, a_l, z_l in inner]

    @property
    def handed_back(self) -> list[Array]:
        """(Theta(l))^T delta(l+1) for l = 2 to L - 1, without row 0, the bias unit's."""
        inner = zip(self.Theta[1:], self.delta[1:], strict=True)
        return [Theta[:, 1:].T @ delta for Theta, delta in inner]

    def lines(self) -> Iterator[Line]:
        """Yield every value with its name in the notes and its formula, in the order of computing.

        Yields
        ------
        Line
            A tuple ``name, formula, value``; the formula of a value that is given is empty.

        Examples
        --------
        >>> shown = trace(Network((2, 1)), np.zeros(3), [2.0, 1.0], 1)
        >>> for name, formula, value in list(shown.lines())[5:7]:
        ...     print(name, "=", formula, "=", value)
        z(2) = Theta(1) [1; a(1)] = [0.]
        a(2) = h(z(2)), where h(z) = 1 / (1 + e^-z) = [0.5]
        """
        L, output = self.network.L, cost_formulas(self.network.cost)
        yield Line("lambda", "", np.asarray(self.lam) if np.ndim(self.lam) else float(self.lam))  # type: ignore[arg-type]
        yield Line("m", "", self.m)
        yield Line("a(1)", "x", self.a[0])
        for l in range(1, L):
            yield Line(f"[1; a({l})]", "", self.with_bias[l - 1])
            yield Line(f"Theta({l})", "", self.Theta[l - 1])
            yield Line(f"z({l + 1})", f"Theta({l}) [1; a({l})]", self.z[l - 1])
            yield Line(f"a({l + 1})", self._activation(l + 1), self.a[l])
        yield Line("y", "", self.y)
        yield Line("cost", f"{output.cost}{WHERE}h = a({L})", self.cost)
        yield Line("J", "1/m (cost + lambda/2 sum of Theta_ij^2 over all layers, j > 0)", self.J)
        yield Line(f"delta({L})", output.delta.format(L=L), self.delta[-1])
        for l in range(L - 1, 1, -1):
            slope = in_letters(activation_formulas(self.network.activations[l - 2])[1])
            formula = f"(Theta({l})^T delta({l + 1})) .* g'(z({l})) without row 0 (the bias)"
            yield Line(f"delta({l})", f"{formula}{WHERE}g'(z) = {slope}", self.delta[l - 2])
        for l, lam in enumerate(per_layer(self.network, self.lam), start=1):
            yield Line(f"Delta({l})", f"delta({l + 1}) [1; a({l})]^T", self.Delta[l - 1])
            formula = f"1/m (Delta({l}) + lambda Theta({l})), column 0: 1/m Delta({l})"
            used = f"lambda = {lam:g}, m = {self.m}"
            yield Line(f"D({l})", f"{formula}{WHERE}{used}", self.D[l - 1])

    def _activation(self, l: int) -> str:
        """Return the formula of a(l)."""
        if l == self.network.L:
            return f"h(z({l})){WHERE}h(z) = {cost_formulas(self.network.cost).h}"
        g, _ = activation_formulas(self.network.activations[l - 2])
        return f"g(z({l})){WHERE}g(z) = {in_letters(g)}"

    def values(self) -> dict[str, Array]:
        """Return every computed value by its name in the notes, in the order of computing.

        Returns
        -------
        dict of str to ndarray
            ``a(1)``, ``z(2)``, ``a(2)``, ..., ``delta(L)``, ..., ``delta(2)``, ``Delta(1)``,
            ``D(1)``, ...

        Examples
        --------
        >>> list(trace(Network((2, 1)), np.zeros(3), [2.0, 1.0], 1).values())
        ['a(1)', 'z(2)', 'a(2)', 'delta(2)', 'Delta(1)', 'D(1)']
        """
        return {
            line.name: np.asarray(line.value)
            for line in self.lines()
            if line.name.startswith(COMPUTED)
        }

    def __str__(self) -> str:
        lines = [
            f"{self.network}",
            "column 0 of Theta, Delta and D belongs to the bias unit, which is 1",
        ]
        for name, formula, value in self.lines():
            if np.ndim(value) == 0 and not formula:
                lines.append(f"{name} = {_number(value)}")
                continue
            shape = "" if np.ndim(value) == 0 else f"  [{' x '.join(map(str, np.shape(value)))}]"
            lines += _wrapped(f"{name}{shape}" + (f"  = {formula}" if formula else ""))
            lines += ["    " + row for row in _numbers(np.asarray(value)).splitlines()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the values with their formulas as a table, for notebooks."""
        from html import escape

        rows = []
        for name, formula, value in self.lines():
            shape = " x ".join(map(str, np.shape(value)))
            cells = [f"<b>{escape(name)}</b>", escape(formula), shape]
            numbers = f'<pre style="margin: 0">{escape(_numbers(np.asarray(value)))}</pre>'
            rows.append("".join(f"<td {LEFT}>{cell}</td>" for cell in [*cells, numbers]))
        return (
            f'<div style="overflow-x: auto"><p>{escape(repr(self.network))}; column 0 of Theta, '
            "Delta and D belongs to the bias unit, which is 1</p><table><tr>"
            + "".join(f"<th {LEFT}>{head}</th>" for head in ("", "formula", "shape", "value"))
            + f"</tr><tr>{'</tr><tr>'.join(rows)}</tr></table></div>"
        )

    def arithmetic(self, layer: int, unit: int) -> str:
        """Return one unit's z, a, delta and D, written out with their numbers.

        Parameters
        ----------
        layer : int
            2 to L, as the notes count.
        unit : int
            1 to s_l.

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If there is no such unit, or it is an input, for which nothing is computed.

        Examples
        --------
        >>> shown = trace(Network((1, 1)), [0.5, -1.0], [2.0], 1)
        >>> print(shown.arithmetic(2, 1))
        unit 1 of layer 2
        z_1^(2) = Theta_10 * 1 + Theta_11 * x_1, where Theta = Theta(1)
            = 0.5 * 1 + (-1) * 2
            = -1.5
        a_1^(2) = h(z) = 1 / (1 + e^-z)
            = 1 / (1 + e^-(-1.5))
            = 0.182426
        delta_1^(2) = a_1^(2) - y_1
            = 0.182426 - 1
            = -0.817574
        D_1j^(1) = 1/m (delta_1^(2) * a_j^(1) + lambda * Theta_1j^(1) if j > 0),
              where lambda = 0, m = 1
            D_10 = (-0.817574) * 1 = -0.817574
            D_11 = (-0.817574) * 2 = -1.635149
        """
        lines = [f"unit {unit} of layer {layer}"]
        for first, *more in self.equations(layer, unit).values():
            lines += _wrapped(first)
            for line in more:
                lines += _wrapped(f"    = {line}")
        return "\n".join([*lines, *self._arithmetic_D(layer, unit)])

    def equations(self, layer: int, unit: int) -> dict[str, list[str]]:
        """Return the equations of one unit's z, a and delta, as `arithmetic` prints them.

        Parameters
        ----------
        layer : int
            2 to L, as the notes count.
        unit : int
            1 to s_l.

        Returns
        -------
        dict of str to list of str
            Of ``z``, ``a`` and ``delta``: the formula in letters, the same in numbers, the result.

        Raises
        ------
        ValueError
            If there is no such unit, or it is an input, for which nothing is computed.

        Examples
        --------
        >>> trace(Network((1, 1)), [0.5, -1.0], [2.0], 1).equations(2, 1)["delta"]
        ['delta_1^(2) = a_1^(2) - y_1', '0.182426 - 1', '-0.817574']
        """
        self._check_unit(layer, unit)
        return {
            "z": self._arithmetic_z(layer, unit),
            "a": self._arithmetic_a(layer, unit),
            "delta": self._arithmetic_delta(layer, unit),
        }

    def _check_unit(self, layer: int, unit: int) -> None:
        layers = self.network.layers
        if layer == 1:
            raise ValueError("layer 1 is the input, a(1) = x: nothing is computed for its units")
        if not 2 <= layer <= len(layers):
            raise ValueError(f"there is no layer {layer}: take one of 2 to {len(layers)}")
        if not 1 <= unit <= layers[layer - 1]:
            raise ValueError(
                f"layer {layer} has no unit {unit}: take one of 1 to {layers[layer - 1]} (the "
                "bias unit is always 1, and has no delta)"
            )

    def _arithmetic_z(self, l: int, i: int) -> list[str]:
        before = self.with_bias[l - 2]
        weights = self.Theta[l - 2][i - 1]
        unit = "x_{}" if l == 2 else f"a_{{}}^({l - 1})"
        letters = [
            f"Theta_{_index(i, j)} * {unit.format(j) if j else '1'}" for j in range(len(before))
        ]
        return [
            f"z_{i}^({l}) = {_sum(letters, MOST_LETTERS)}{WHERE}Theta = Theta({l - 1})",
            _products(weights, before),
            _number(self.z[l - 2][i - 1]),
        ]

    def _arithmetic_a(self, l: int, i: int) -> list[str]:
        z, a = self.z[l - 2], _number(self.a[l - 1][i - 1])
        if l < self.network.L:
            g, _ = activation_formulas(self.network.activations[l - 2])
            letters, template = f"g(z) = {in_letters(g)}", g
        else:
            output = cost_formulas(self.network.cost)
            letters, template = f"h(z) = {output.h}", output.unit
        numbers = [in_numbers(template, _number(z[i - 1]), a)] if template else []
        if l == self.network.L and self.network.cost.name == "softmax":
            powers = [f"e^{bracketed(_number(z_k))}" for z_k in z]
            total = float(np.exp(z - z.max()).sum() * np.exp(z.max()))
            bottom = " + ".join(powers) if len(powers) <= MOST_TERMS else _number(total)
            numbers = [f"{powers[i - 1]} / ({bottom})"]
        if letters == "h(z) = z":
            return [f"a_{i}^({l}) = {letters}", a]
        return [f"a_{i}^({l}) = {letters}", *numbers, a]

    def _arithmetic_delta(self, l: int, i: int) -> list[str]:
        a, z, result = self.a[l - 1][i - 1], self.z[l - 2][i - 1], self.delta[l - 2][i - 1]
        name = f"delta_{i}^({l})"
        if l == self.network.L:
            formula = cost_formulas(self.network.cost).delta.format(L=l)
            letters = formula.replace(f"a({l}) - y", f"a_{i}^({l}) - y_{i}")
            difference = f"{_number(a)} - {bracketed(_number(self.y[i - 1]))}"
            numbers = formula.replace(f"a({l}) - y", difference)
            # A cost of one's own, whose formula is not known, has no arithmetic
            return [f"{name} = {letters}", *[numbers] * (numbers != formula), _number(result)]
        weights, after = self.Theta[l - 1][:, i], self.delta[l - 1]
        products = [f"Theta_{_index(k, i)} * delta_{k}^({l + 1})" for k in range(1, len(after) + 1)]
        _, slope = activation_formulas(self.network.activations[l - 2])
        numbers = in_numbers(slope, _number(z), _number(a))
        return [
            f"{name} = ({_sum(products, MOST_LETTERS)}) * g'(z){WHERE}Theta = Theta({l}), "
            f"g'(z) = {in_letters(slope)}",
            f"({_products(weights, after)}) * ({numbers})",
            _number(result),
        ]

    def _arithmetic_D(self, l: int, i: int) -> list[str]:
        lam = per_layer(self.network, self.lam)[l - 2]
        delta = bracketed(_number(self.delta[l - 2][i - 1]))
        lines = _wrapped(
            f"D_{_index(i, 'j')}^({l - 1}) = 1/m (delta_{i}^({l}) * a_j^({l - 1}) + "
            f"lambda * Theta_{_index(i, 'j')}^({l - 1}) if j > 0){WHERE}"
            f"lambda = {lam:g}, m = {self.m}"
        )
        row = list(zip(self.with_bias[l - 2], self.Theta[l - 2][i - 1], strict=True))
        for j, (a_j, weight) in enumerate(row[:MOST_TERMS]):
            product = f"{delta} * {bracketed(_number(a_j))}"
            if j and lam:
                product += f" + {lam:g} * {bracketed(_number(weight))}"
            D_ij = _number(self.D[l - 2][i - 1, j])
            lines.append(f"    D_{_index(i, j)} = {product} = {D_ij}")
        if len(row) > MOST_TERMS:
            lines.append(f"    ... and in the same way to D_{_index(i, len(row) - 1)}")
        return lines


def _number(value: Any) -> str:
    """Return a number with six decimals, so that what is printed adds up, or four digits.

    What is left of terms that cancel is 0.
    """
    number = round(float(value), 12) + 0.0
    if abs(number) >= 1e6 or 0 < abs(number) < 1e-3:
        return f"{number:.9g}" if abs(number) > 1 else f"{number:.4g}"
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _numbers(values: Array) -> str:
    """Return a number, or the rows of a vector or matrix; of a large one the corners."""
    ends = [[*range(EDGE), *range(-EDGE, 0)] if n > 2 * EDGE else range(n) for n in values.shape]
    seen = values[np.ix_(*ends)] if values.size > MOST_NUMBERS else values
    width = max(len(_number(value)) for value in seen.flat)
    return np.array2string(
        values,
        formatter={"float_kind": lambda value: _number(value).rjust(width)},
        threshold=MOST_NUMBERS,
        edgeitems=EDGE,
        max_line_width=WIDTH - 4,
    )


def _wrapped(line: str) -> list[str]:
    """Break a long line before its "where", then at spaces; what follows is indented."""
    indent = " " * (len(line) - len(line.lstrip())) + "      "
    parts = line.replace(WHERE, f",\n{indent}where ") if len(line) > WIDTH else line
    return [
        row
        for part in parts.splitlines()
        for row in textwrap.wrap(part, WIDTH, subsequent_indent=indent, break_long_words=False)
    ]


def _index(i: int, j: int | str) -> str:
    """Return the index of a weight: 31, or 3,10 where the digits would run together."""
    return f"{i}{j}" if i < 10 and (isinstance(j, str) or j < 10) else f"{i},{j}"


def _sum(terms: Sequence[str], most: int) -> str:
    """Return the terms, the middle ones left out where there are many."""
    if len(terms) > most:
        terms = [*terms[: most - 1], "...", terms[-1]]
    return " + ".join(terms)


def _products(weights: Array, values: Array) -> str:
    """Return a sum of products in numbers; the middle ones of many are added up."""
    terms = [
        f"{bracketed(_number(weight))} * {bracketed(_number(value))}"
        for weight, value in zip(weights, values, strict=True)
    ]
    if len(terms) > MOST_TERMS:
        some = MOST_TERMS // 2
        middle = slice(some, len(terms) - some)
        added = bracketed(_number(float(weights[middle] @ values[middle])))
        together = f"{added} [from {len(terms) - 2 * some} more terms]"
        terms = [*terms[:some], together, *terms[-some:]]
    return " + ".join(terms)


def trace(
    network: Network, theta: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike, lam: Squares = 0.0
) -> Trace:
    """Return every a(l), z(l), delta(l), Delta(l) and D(l) of one example.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    x : array of shape (s_1,)
    y : int, float, or array of shape (K,)
        The class code, the number, or the target values.
    lam : float or sequence of L - 1 float, default=0.0

    Returns
    -------
    Trace
        Matrices in the notes' orientation: Delta(l) and D(l) of shape (s_{l+1}, s_l + 1).

    Notes
    -----
    Notes, *Backpropagation Algorithm*, with m = 1.

    Examples
    --------
    >>> print(trace(Network((2, 1)), [0.0, 1.0, -1.0], [2.0, 1.0], 1, lam=0.5))
    Network(layers=(2, 1), hidden='sigmoid', output='sigmoid')
    column 0 of Theta, Delta and D belongs to the bias unit, which is 1
    lambda = 0.5
    m = 1
    a(1)  [2]  = x
        [2 1]
    [1; a(1)]  [3]
        [1 2 1]
    Theta(1)  [1 x 3]
        [[ 0  1 -1]]
    z(2)  [1]  = Theta(1) [1; a(1)]
        [1]
    a(2)  [1]  = h(z(2)), where h(z) = 1 / (1 + e^-z)
        [0.731059]
    y  [1]
        [1]
    cost  = -sum_k [y_k log h_k + (1 - y_k) log(1 - h_k)], where h = a(2)
        0.313262
    J  = 1/m (cost + lambda/2 sum of Theta_ij^2 over all layers, j > 0)
        0.813262
    delta(2)  [1]  = a(2) - y
        [-0.268941]
    Delta(1)  [1 x 3]  = delta(2) [1; a(1)]^T
        [[-0.268941 -0.537883 -0.268941]]
    D(1)  [1 x 3]  = 1/m (Delta(1) + lambda Theta(1)), column 0: 1/m Delta(1),
          where lambda = 0.5, m = 1
        [[-0.268941 -0.037883 -0.768941]]
    """
    theta = network.check_theta(theta)
    X = network.check_inputs(np.asarray(x)[None])
    Y = network.check_targets(np.asarray(y)[None], 1)
    check_lam(network, lam)
    a, _ = forward(network, theta, X)
    Thetas_T = blocks(network, theta)
    z = [a_l @ Theta_T[1:] + Theta_T[0] for a_l, Theta_T in zip(a, Thetas_T, strict=False)]
    cost, Delta, m = accumulate(network, theta, X, Y)
    J, D = finish(network, theta, cost, Delta.copy(), m, lam)

    def rows(values: list[Any]) -> list[Array]:
        return [value[0] for value in values]

    return Trace(
        network,
        a=rows(a),
        z=rows(z),
        delta=rows(backward(network, theta, a, Y)),
        Delta=[block.T for block in blocks(network, Delta)],
        D=[block.T for block in blocks(network, D)],
        cost=cost,
        Theta=reshape(network, theta.copy()),
        y=Y[0].copy(),
        lam=lam,
        J=J,
        m=int(m),
    )

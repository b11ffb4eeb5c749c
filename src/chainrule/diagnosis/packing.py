"""The orders in which learners unroll their matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array
from chainrule.notes.network import Network


@dataclass(frozen=True)
class Packing:
    """An order of the numbers in theta.

    Attributes
    ----------
    words : str
        What it is, for the report.
    pieces : callable
        ``pieces(Thetas)``: the vectors that theta is put together from, in their order.  Each
        Theta(l) has its bias column first.
    by_column : bool
        Whether the weights of a matrix run down the columns, as in Octave.
    bias_inside : bool
        Whether the bias is a column of the matrix that is unrolled.
    """

    words: str
    pieces: Callable[[list[Array]], list[Array]]
    by_column: bool
    bias_inside: bool = False


def _columns(T: Array) -> Array:
    return T[:, 1:].T.ravel()


def _rows(T: Array) -> Array:
    return T[:, 1:].ravel()


def _bias(T: Array) -> Array:
    return T[:, 0]


def _by_layer(*parts: Callable[[Array], Array]) -> Callable[[list[Array]], list[Array]]:
    return lambda Ts: [part(T) for T in Ts for part in parts]


def _by_kind(*parts: Callable[[Array], Array]) -> Callable[[list[Array]], list[Array]]:
    return lambda Ts: [part(T) for part in parts for T in Ts]


# The notes' and Octave's first, then NumPy's.  W is (outputs, inputs), as in the notes.
PACKINGS: Mapping[str, Packing] = {
    "columns": Packing("column by column", _by_layer(_bias, _columns), True, True),
    "rows": Packing("row by row", lambda Ts: [T.ravel() for T in Ts], False, True),
    "layers": Packing("W(1)', b(1), W(2)', b(2), ... by row", _by_layer(_columns, _bias), True),
    "torch": Packing("W(1), b(1), W(2), b(2), ... by row", _by_layer(_rows, _bias), False),
    "sklearn": Packing("every W', then every b, by row", _by_kind(_columns, _bias), True),
    "rows, bias last": Packing(
        "row by row, the bias last",
        lambda Ts: [np.roll(T, -1, axis=1).ravel() for T in Ts],
        False,
        True,
    ),
    "bias, rows": Packing("b(1), W(1), b(2), W(2), ... by row", _by_layer(_bias, _rows), False),
    "weights, biases": Packing("every W, then every b, by row", _by_kind(_rows, _bias), False),
    "biases, weights": Packing("every b, then every W, by row", _by_kind(_bias, _rows), False),
    "biases, columns": Packing("every b, then every W', by row", _by_kind(_bias, _columns), True),
}


def pack(matrices: list[Array], packing: str) -> Array:
    """Unroll matrices, bias column first, in one of the orders that learners use."""
    return np.concatenate(PACKINGS[packing].pieces(matrices))


def places(network: Network, packing: str) -> list[tuple[str, Array]]:
    """Return where each Theta(l)'s bias and weights stand in theta, in the matrices' own shapes.

    Examples
    --------
    >>> for name, where in places(Network((2, 1)), "rows, bias last"):
    ...     print(name, where.tolist())
    Theta(1) bias [2]
    Theta(1) weights [[0, 1]]
    """
    return [
        (f"Theta({l}) {kind}", where)
        for l, matrix in enumerate(numbered(network, packing), start=1)
        for kind, where in (("bias", matrix[:, 0]), ("weights", matrix[:, 1:]))
    ]


def numbered(network: Network, packing: str) -> list[Array]:
    """Return matrices of the Thetas' shapes that say where in theta each of their numbers is."""
    stops = np.cumsum([rows * columns for rows, columns in network.shapes])
    numbered = [
        np.arange(stop - rows * columns, stop).reshape(rows, columns)
        for stop, (rows, columns) in zip(stops, network.shapes, strict=True)
    ]
    place = np.argsort(pack(numbered, packing))
    return [place[matrix] for matrix in numbered]


def read_in(network: Network, order: str, packing: str) -> Array:
    """Return where a theta written in one order has the components of another, in its order.

    Examples
    --------
    >>> read_in(Network((2, 1)), "rows, bias last", "columns")
    array([2, 0, 1])
    """
    return pack(numbered(network, order), packing)


def place_of(network: Network, packing: str, i: int) -> str:
    """Say where component i of theta stands in its matrix, rows and columns counted from 1.

    Examples
    --------
    >>> place_of(Network((2, 1)), "rows, bias last", 2)
    'Theta(1), row 1, column 1'
    """
    return next(
        f"Theta({l}), row {row + 1}, column {column + 1}"
        for l, matrix in enumerate(numbered(network, packing), start=1)
        for row, column in np.argwhere(matrix == i)
    )


def other_order(matrix: Array, packing: str) -> Array:
    """Return what a matrix becomes that is written in one order and read in the other."""
    kept = PACKINGS[packing]
    part = matrix if kept.bias_inside else matrix[:, 1:]
    if kept.by_column:
        other = part.ravel().reshape(part.shape, order="F")
    else:
        other = part.ravel(order="F").reshape(part.shape)
    return other if kept.bias_inside else np.hstack([matrix[:, :1], other])

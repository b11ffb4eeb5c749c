"""The answer of the Unit panel: one unit's z as a sum, its a, and what an error would teach it."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.handwriting.frames import known_digits
from chainrule.model_file import Model
from chainrule.notes.formulas import activation_formulas, cost_formulas, in_letters, in_numbers
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks
from chainrule.notes.trace import Trace, trace
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk, Opened
from chainrule.web.wire import as_bytes

MOST = 12  # examples that are shown of those that switch a unit on
CURVE = np.linspace(-1, 1, 121)  # points of g that are drawn, in units of the largest |z|


def unit(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Explain unit j of layer l for the picture x; with a target y, its delta and row of Delta.

    x is the picture as it is seen, row by row; so are the answer's numbers of its pixels.
    """
    opened = desk.reader
    network = opened.model.network
    [x] = pixels_of(opened.model, asked)
    if "y" not in asked.values:
        return by_rows(opened.model, explained(opened, asked, x))
    y = asked.whole("y", 0, network.K - 1)
    target = y if network.K == 1 else np.eye(network.K)[y]
    return by_rows(opened.model, explained(opened, asked, x, target))


def explained(opened: Opened, asked: Asked, x: Array, target: Any = None) -> dict[str, Any]:
    """Explain the unit that is asked for, for an example x that is not standardised yet."""
    network = opened.model.network
    l, j = unit_of(network, asked)
    a = opened.activations(x)
    answer = summed(network, opened.theta, a, l, j)
    if target is not None:
        answer |= taught(trace(network, opened.theta, a[0], target), l, j)
    return answer


def unit_of(network: Network, asked: Asked) -> tuple[int, int]:
    """Return the layer l and the number j of the unit that was asked for."""
    l = asked.whole("l", 2, network.L)
    return l, asked.whole("j", 1, network.layers[l - 1])


def summed(network: Network, theta: Array, a: list[Array], l: int, j: int) -> dict[str, Any]:
    """Return the terms of the z of unit j of layer l, and its a; a has a(1), ..., a(L)."""
    weights = blocks(network, theta)[l - 2][:, j - 1]  # row j of Theta(l-1)
    values = np.concatenate([np.ones(1), a[l - 2]])
    adds = weights * values
    z = float(adds.sum())
    return {
        "l": l,
        "j": j,
        "weights": weights,
        "values": values,
        "adds": adds,
        "z": z,
        "a": float(a[l - 1][j - 1]),
    } | _activation(network, l, z)


def taught(shown: Trace, l: int, j: int) -> dict[str, Any]:
    """Return delta and the row of Delta of a unit."""
    return {
        "delta": float(shown.delta[l - 2][j - 1]),
        "Delta": np.ascontiguousarray(shown.Delta[l - 2][j - 1]),
        "cost": float(shown.cost),
    }


def examples(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the digits that switch a unit on most: pictures, what they are, and the unit's a."""
    opened = desk.reader
    model = opened.model
    l, j = unit_of(model.network, asked)
    X, labels = known_digits(model)
    a = opened.layers(X)[l - 1][:, j - 1]
    most = np.argsort(-a, kind="stable")[:MOST]
    return {
        "a": a[most],
        "labels": [str(labels[i]) for i in most],
        "pictures": as_bytes(model.encoder.images(X[most])),
        "of": len(X),
    }


def pixels_of(model: Model, asked: Asked) -> Array:
    """Return the picture x, given as it is seen, as the network has it, of shape (1, n)."""
    x = asked.numbers("x", (model.network.layers[0],))
    return model.encoder.pixels(x.reshape(1, *(model.encoder.image_shape or ())))


def by_rows(model: Model, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with what belongs to a pixel each as a picture is seen, row by row."""
    if answer["l"] > 2:
        return answer
    order = model.encoder.images(np.arange(model.network.layers[0])[None]).ravel() + 1
    order = np.concatenate([[0], order])  # the bias comes first
    seen = {"weights", "values", "adds", "Delta", "D"} & set(answer)
    return answer | {name: np.ascontiguousarray(answer[name][order]) for name in seen}


def _activation(network: Network, l: int, z: float) -> dict[str, Any]:
    """Return the unit's g as a formula, with its number, and as a curve around z."""
    if l == network.L:
        output = cost_formulas(network.cost)
        numbers = in_numbers(output.unit, f"{z:.4g}", "") if output.unit else ""
        return {"g": network.cost.name, "formula": output.h, "numbers": numbers}
    g = network.activations[l - 2]
    template, _ = activation_formulas(g)
    zs = CURVE * max(4.0, 1.25 * abs(z))
    return {
        "g": g.name,
        "formula": in_letters(template),
        "numbers": in_numbers(template, f"{z:.4g}", ""),
        "curve_z": zs,
        "curve_a": np.asarray(g.g(zs[None])[0]),
    }

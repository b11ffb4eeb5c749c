"""The answers of the Step view: every value of the notes' Backpropagation Algorithm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from chainrule.common.types import Array
from chainrule.datasets import Dataset
from chainrule.handwriting.frames import inputs
from chainrule.handwriting.reading import reads_digits
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.backprop import accumulate, cost, cost_and_gradient, forward
from chainrule.notes.costs import COSTS
from chainrule.notes.formulas import activation_formulas, cost_formulas, in_letters
from chainrule.notes.network import Network
from chainrule.notes.regularisation import penalty
from chainrule.notes.theta import blocks, random_theta
from chainrule.notes.trace import Trace, trace
from chainrule.optimize import SGD
from chainrule.photos import normalise
from chainrule.photos.strokes import draw_digit
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk, Opened
from chainrule.web.rows import answered, columns_of, read_row, targets
from chainrule.web.unit import by_rows, pixels_of, summed, taught, unit_of

MOST_LAYERS, MOST_UNITS, MOST_EXAMPLES = 6, 32, 50  # of a network typed in
SMALL = 2000  # weights of a network whose Theta, Delta and D are shown whole
MOST_DESCENTS = {True: 1000, False: 20}  # of a small network, and of a large one
OUTPUTS = [*COSTS, "absolute", "huber:1"]
CASES: dict[str, dict[str, Any]] = {
    # Notes, "Testing your linear NN": as printed there
    "linear": {
        "layers": [1, 4, 1],
        "hidden": ["tanh"],
        "output": "identity",
        "theta": [3.1, 1.6, 1.5, -2.9, -1.3, -0.8, -0.7, 1.3, 5.4, -1.7, -1.1, -0.9, 1.6],
        "X": [[1], [2], [3]],
        "Y": [[1], [4], [9]],
        "lam": 0.01,
        "alpha": 0.1,
        "J": "0.020815",
        "D": [
            "-0.0131002", "-0.0110085", "-0.0070569", "0.0189212", "-0.0189639", "-0.0192539",
            "-0.0102291", "0.0344732", "0.0024947", "0.0080624", "0.0021964", "0.0031675",
            "-0.0064244",
        ],
    },
    "xor": {
        "layers": [2, 2, 1],
        "hidden": ["tanh"],
        "output": "sigmoid",
        "theta": [0.5, 0.6, 0.6, 1.5, -1.0, -1.4, 0.4, 1.4, -1.1],
        "X": [[0, 0], [0, 1], [1, 0], [1, 1]],
        "Y": [[0], [1], [1], [0]],
        "lam": 0.0,
        "alpha": 2.0,
    },
    "own": {
        "layers": [2, 3, 1],
        "hidden": ["sigmoid"],
        "output": "sigmoid",
        "X": [[0.5, -1]],
        "Y": [[1]],
        "lam": 0.0,
        "alpha": 1.0,
    },
    "digit": {"lam": 0.0, "alpha": 0.1},
}  # fmt: skip


class Problem(NamedTuple):
    """A network with weights, the training set {(x(1), y(1)), ..., (x(m), y(m))}, and lambda."""

    network: Network
    theta: Array
    X: Array
    Y: Array
    lam: float


class Row(NamedTuple):
    """A row of a table as it was read, and its x and y, if it has one, as the network has them."""

    data: Dataset
    X: Array
    Y: Array | None


def step_cases(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the cases that the view begins with, and what can be chosen."""
    model = desk.opened.model
    cases = dict(CASES)
    if not reads_digits(model):
        del cases["digit"]
        cases["open"] = {"lam": 0.0, "alpha": 0.1, "cells": {}, "columns": columns_of(model)}
    return {"cases": cases, "activations": list(ACTIVATIONS), "outputs": OUTPUTS}


def step(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return all that the algorithm computes of example t, and what it ends with."""
    opened, row = desk.opened, _row(desk, asked) if "cells" in asked.values else None
    if row and row.Y is None:
        return _forward(opened, row)
    problem = _problem(desk, asked)
    network, _, X, Y, lam = problem
    t = asked.whole("t", 1, len(X))
    descent = _descended(problem, asked)
    theta = descent.theta
    shown = trace(network, theta, X[t - 1], Y[t - 1], lam)
    answer = {
        "layers": list(network.layers),
        "t": t,
        "y": shown.y,
        "costs": np.array([cost(network, theta, X[i:][:1], Y[i:][:1])[0] for i in range(len(X))]),
        "penalty": penalty(network, theta, lam),
        "J": np.array(descent.J),
        "formulas": _formulas(network),
    }
    lists = {"a": shown.a, "z": shown.z, "delta": shown.delta}
    lists |= {"slope": shown.slopes, "back": shown.handed_back}
    for name, values in lists.items():
        answer |= {f"{name}{l}": v for l, v in enumerate(values, start=1 if name == "a" else 2)}
    if network.size <= SMALL:
        answer |= {
            "theta": theta,
            "before": _Delta(problem, theta, t - 1),
            "Delta": _Delta(problem, theta, t),
            "D": descent.D,
            "after": descent.after,
            "index": _index(network),
        }
    if row:
        model = replace(opened.model, theta=theta) if len(descent.J) > 2 else opened.model
        answer |= answered(model, row.data)
    return answer


def _forward(opened: Opened, row: Row) -> dict[str, Any]:
    """Return what the lines of the way forward compute of a row without a target."""
    network = opened.model.network
    shown = _without_target(opened, row)
    answer = {"layers": list(network.layers), "t": 1, "formulas": _formulas(network)}
    answer |= {f"a{l}": a_l for l, a_l in enumerate(shown.a, start=1)}
    answer |= {f"z{l}": z_l for l, z_l in enumerate(shown.z, start=2)}
    if network.size <= SMALL:
        answer |= {"theta": opened.theta, "index": _index(network)}
    return answer | answered(opened.model, row.data)


def _without_target(opened: Opened, row: Row) -> Trace:
    # The answer itself takes the place of y, on which neither z nor a depend
    a, _ = forward(opened.model.network, opened.theta, row.X)
    return trace(opened.model.network, opened.theta, row.X[0], a[-1][0])


def step_unit(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Explain unit j of layer l for example t: its equations, its rows of Delta and D."""
    if "cells" in asked.values:
        names = {"names": list(desk.opened.model.encoder.feature_names)}
        row = _row(desk, asked)
        if row.Y is None:
            shown = _without_target(desk.opened, row)
            l, j = unit_of(shown.network, asked)
            answer = summed(shown.network, desk.opened.theta, shown.a, l, j) | names
            equations = shown.equations(l, j)
            return answer | {"equations": {name: equations[name] for name in ("z", "a")}}
    problem = _problem(desk, asked)
    network, _, X, Y, lam = problem
    t = asked.whole("t", 1, len(X))
    l, j = unit_of(network, asked)
    descent = _descended(problem, asked)
    shown = trace(network, descent.theta, X[t - 1], Y[t - 1], lam)
    answer = summed(network, descent.theta, shown.a, l, j) | taught(shown, l, j)
    for name, flat in {"Delta": _Delta(problem, descent.theta, t), "D": descent.D}.items():
        answer[name] = np.ascontiguousarray(blocks(network, flat)[l - 2][:, j - 1])
    if {"digit", "x"} & set(asked.values):
        answer = by_rows(desk.opened.model, answer)
    if "cells" in asked.values:
        answer |= names
    return answer | {"equations": shown.equations(l, j)}


def descended(desk: Desk, asked: Asked) -> Problem:
    """Return the problem that is asked for, with theta where its descent has come to."""
    problem = _problem(desk, asked)
    return problem._replace(theta=_descended(problem, asked).theta)


class Descent(NamedTuple):
    """Where n steps of gradient descent end: theta, its D, and theta after one step more.

    J has one value for each theta: before each step, at theta, after it.
    """

    theta: Array
    D: Array
    after: Array
    J: list[float]


@np.errstate(over="ignore", invalid="ignore")  # of a descent that diverges, J tells
def _descended(problem: Problem, asked: Asked) -> Descent:
    """Take theta := theta - alpha D as often as asked."""
    alpha = asked.number("alpha", 0, 1e6)
    n = asked.whole("descents", 0, MOST_DESCENTS[problem.network.size <= SMALL], 0)
    rule = SGD(alpha, momentum=0.0, nesterov=False)
    after, J_of = problem.theta, []
    for i in range(n + 1):
        theta, (J, D) = after, _J_and_D(problem, after)
        if not np.isfinite(J):
            raise ValueError(f"after {i} steps J is not finite: alpha = {alpha:g} is too large")
        J_of.append(J)
        after = theta.copy()
        rule.update(after, D, rule.init(after), t=1)
    return Descent(theta, D, after, [*J_of, _J_and_D(problem, after)[0]])


def _J_and_D(problem: Problem, theta: Array) -> tuple[float, Array]:
    if not np.isfinite(theta).all():
        return np.inf, theta
    return cost_and_gradient(problem.network, theta, problem.X, problem.Y, problem.lam)


def _problem(desk: Desk, asked: Asked) -> Problem:
    lam = asked.number("lam", 0, 1e6)
    if "cells" in asked.values:
        opened, row = desk.opened, _row(desk, asked)
        if row.Y is None:
            raise ValueError("without a target there is no delta, and no D")
        network = opened.model.network
        return Problem(network, opened.theta, row.X, network.check_targets(row.Y, 1), lam)
    if "x" in asked.values or "digit" in asked.values:
        return _digit(desk, asked, lam)
    layers = asked.wholes("layers", 1, MOST_UNITS)
    if not 2 <= len(layers) <= MOST_LAYERS:
        raise ValueError(f"a network here has 2 to {MOST_LAYERS} layers, not {len(layers)}")
    hidden = asked.choices("hidden", list(ACTIVATIONS), len(layers) - 2)
    network = Network(layers, hidden=hidden, output=asked.choice("output", OUTPUTS))
    if network.size > SMALL:
        raise ValueError(f"layers {layers} have {network.size} weights: at most {SMALL} are shown")
    if "theta" in asked.values:
        theta = asked.numbers("theta", (network.size,))
    else:
        theta = random_theta(network, asked.whole("seed", 0, 2**31, 0))
    X = asked.rows("X", layers[0], MOST_EXAMPLES)
    Y = network.check_targets(asked.numbers("Y", (len(X), network.K)), len(X))
    return Problem(network, theta, X, Y, lam)


def _row(desk: Desk, asked: Asked) -> Row:
    """Return the row that is asked for as the open network has it."""
    model = desk.opened.model
    data = read_row(model, asked)
    X = np.asarray(model.scaling.apply(data.X) if model.scaling else data.X, np.float64)
    return Row(data, X, targets(model, data))


def _digit(desk: Desk, asked: Asked, lam: float) -> Problem:
    """Return the open network with a picture x, or with a digit in one of many hands."""
    opened = desk.reader
    network, scaling = opened.model.network, opened.model.scaling
    if "x" in asked.values:
        X = pixels_of(opened.model, asked)
    else:
        rng = np.random.default_rng(asked.whole("seed", 0, 2**31, 0))
        picture = normalise(draw_digit(asked.whole("digit", 0, 9), rng))
        X = inputs(opened.model, picture[None]).astype(np.float64)
    Y = network.check_targets(np.array([asked.whole("y", 0, network.K - 1)]), 1)
    return Problem(network, opened.theta, scaling.apply(X) if scaling else X, Y, lam)


def _Delta(problem: Problem, theta: Array, t: int) -> Array:
    """Return Delta after the first t examples."""
    network, _, X, Y, _ = problem
    return accumulate(network, theta, X[:t], Y[:t])[1] if t else np.zeros(network.size)


def _index(network: Network) -> Array:
    """Return l, i and j of each theta_k, which is Theta(l)_ij, as rows."""
    index = np.zeros((3, network.size), np.int32)
    for l, (rows, columns) in enumerate(network.shapes, start=1):
        l_of, i_of, j_of = (blocks(network, each)[l - 1] for each in index)
        l_of[:], i_of[:], j_of[:] = l, np.arange(1, rows + 1), np.arange(columns)[:, None]
    return index.T


def _formulas(network: Network) -> dict[str, Any]:
    """Return g and g' of the hidden layers, h, cost(t) and delta(L), in the notes' letters."""
    pairs = [activation_formulas(g) for g in network.activations]
    output = cost_formulas(network.cost)
    return {
        "g": [in_letters(g) for g, _ in pairs],
        "slope": [in_letters(slope) for _, slope in pairs],
        "h": output.h,
        "cost": output.cost,
        "delta": output.delta.format(L=network.L),
    }

"""Small tables that are computed, with two inputs or one, so that all of a fit can be drawn.

Each has a name, under which `chainrule.datasets.load` and ``chainrule train`` know it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from chainrule.common.types import Array
from chainrule.datasets.contents import Contents

Made = tuple[Array, Array]  # inputs of shape (m, 2) or (m, 1), and the target
PLANE, CURVE = 300, 80  # rows of a table with two inputs, and with one


def xor(rng: np.random.Generator) -> Made:
    """Call it class 1 where the two inputs have different signs; no line parts that."""
    X = rng.uniform(0.1, 1.0, (PLANE, 2)) * rng.choice([-1.0, 1.0], (PLANE, 2))
    return X, (X[:, 0] * X[:, 1] < 0).astype(np.int64)


def moons(rng: np.random.Generator) -> Made:
    """Put one half circle into the other's mouth."""
    y, turn = np.arange(PLANE) % 2, rng.uniform(0, np.pi, PLANE)
    X = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    X = np.where(y[:, None] == 1, [1.0, 0.5] - X, X)
    return X + rng.normal(0, 0.12, X.shape), y


def ring(rng: np.random.Generator) -> Made:
    """Put a ring around a disc."""
    y, turn = np.arange(PLANE) % 2, rng.uniform(0, 2 * np.pi, PLANE)
    radius = np.where(y == 1, rng.uniform(0.7, 1.0, PLANE), 0.5 * np.sqrt(rng.uniform(size=PLANE)))
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1), y


def spiral(rng: np.random.Generator) -> Made:
    """Wind three arms around each other."""
    y, out = np.arange(PLANE) % 3, rng.uniform(0.05, 1.0, PLANE)
    turn = 2 * np.pi * y / 3 + 4 * out + rng.normal(0, 0.12, PLANE)
    return np.stack([out * np.cos(turn), out * np.sin(turn)], axis=1), y


def sine(rng: np.random.Generator) -> Made:
    """Add noise of standard deviation 0.1 to a wave."""
    x = np.sort(rng.uniform(-np.pi, np.pi, CURVE))
    return x[:, None], np.sin(x) + rng.normal(0, 0.1, CURVE)


def bend(rng: np.random.Generator) -> Made:
    """Bend a line upwards and leave few points of it: a large network learns them by heart."""
    x = np.sort(rng.uniform(-50, 40, 15))
    return x[:, None], np.maximum(3.0, 12 + 0.4 * x + 0.01 * x**2) + rng.normal(0, 1.5, 15)


INVENTED: dict[str, Callable[[np.random.Generator], Made]] = {
    function.__name__: function for function in (xor, moons, ring, spiral, sine, bend)
}


def read(name: str) -> Contents:
    """Return the table of a name; its rows are always the same.

    Examples
    --------
    >>> contents = read("moons")
    >>> {column: values.shape for column, values in contents.table.items()}, contents.target
    ({'x1': (300,), 'x2': (300,)}, 'class')
    """
    X, y = INVENTED[name](np.random.default_rng(0))
    inputs = ["x"] if X.shape[1] == 1 else ["x1", "x2"]
    target = "y" if X.shape[1] == 1 else "class"
    sha256 = hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()
    return Contents(name, sha256, dict(zip(inputs, X.T, strict=True)), target, y, named=False)

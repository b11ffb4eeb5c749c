"""The settings of the suite: a small data set, with the network meant for it, and a theta."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Setting:
    """What a learner has on the desk.

    Attributes
    ----------
    layers, hidden, output : tuple of int, str, str
        The network.
    X : ndarray of shape (m, s_1)
    y : ndarray
        The targets as the learner's function takes them (labels from 1, codes from 0, values).
    Y : ndarray of shape (m, K)
        The same as the checker takes them.
    lam : float, or a tuple of one for each Theta(l)
    theta : ndarray of shape (size,)
        Uniform within [-1, 1].
    """

    layers: tuple[int, ...]
    hidden: str
    output: str
    X: Any
    y: Any
    Y: Any
    lam: float | tuple[float, ...]
    theta: Any

    @property
    def arguments(self) -> dict[str, Any]:
        """What a caller of the checker passes."""
        network = (self.layers, self.hidden, self.output)
        return {"network": network, "X": self.X, "Y": self.Y, "lam": self.lam}


def draw(
    layers: tuple[int, ...],
    hidden: str,
    output: str,
    *,
    m: int,
    lam: float | tuple[float, ...],
    first_label: int = 0,
    seed: int = 0,
) -> Setting:
    """Draw X, targets that suit the output, and theta."""
    rng = np.random.default_rng(seed)
    n, K = layers[0], layers[-1]
    X = rng.uniform(-2, 2, (m, n))
    if output == "identity":
        Y = rng.normal(0, 1, (m, K)) + X[:, :1]
    elif output == "exp":
        Y = rng.poisson(2, (m, K)).astype(float)
    elif K == 1:
        Y = (X[:, :1] + rng.normal(0, 1, (m, 1)) > 0).astype(float)
    else:
        codes = rng.permutation(np.arange(m) % K)
        Y = np.eye(K)[codes]
    if K > 1 and output in ("sigmoid", "softmax"):
        y = Y.argmax(axis=1) + first_label
    else:
        y = Y[:, 0] if K == 1 else Y
    size = sum(out * (inn + 1) for inn, out in pairwise(layers))
    return Setting(layers, hidden, output, X, y, Y, lam, rng.uniform(-1, 1, size))


def digits(seed: int = 0) -> Setting:
    """The course's network, small: labels 1 to 4, the last standing for the digit 0."""
    return draw((6, 5, 4), "sigmoid", "sigmoid", m=9, lam=1.5, first_label=1, seed=seed)


def square(seed: int = 0) -> Setting:
    """As many units in each layer, so that every confusion of matrices runs."""
    return draw((4, 4, 4), "sigmoid", "sigmoid", m=7, lam=0.9, seed=seed)


def deep(seed: int = 0) -> Setting:
    """Four layers."""
    return draw((5, 4, 4, 3), "sigmoid", "sigmoid", m=8, lam=0.7, seed=seed)


def deep_tanh(seed: int = 0) -> Setting:
    """Four layers of the same size, tanh, softmax."""
    return draw((4, 4, 4, 4), "tanh", "softmax", m=9, lam=0.8, seed=seed)


def curve(seed: int = 0) -> Setting:
    """The notes' linear network: tanh hidden units, one linear output."""
    return draw((2, 4, 1), "tanh", "identity", m=10, lam=1.3, seed=seed)


def two_curves(seed: int = 0) -> Setting:
    """A linear network of two outputs."""
    return draw((3, 4, 2), "tanh", "identity", m=8, lam=0.6, seed=seed)


def flowers(seed: int = 0) -> Setting:
    """Three classes, softmax."""
    return draw((4, 5, 3), "tanh", "softmax", m=11, lam=1.1, seed=seed)


def relu_flowers(seed: int = 0) -> Setting:
    """Three classes, softmax, relu hidden units."""
    return draw((4, 6, 3), "relu", "softmax", m=9, lam=0.6, seed=seed)


def relu_curve(seed: int = 0) -> Setting:
    """One linear output, relu hidden units."""
    return draw((3, 4, 1), "relu", "identity", m=8, lam=0.5, seed=seed)


def admitted(seed: int = 0) -> Setting:
    """Logistic regression: two layers."""
    return draw((3, 1), "sigmoid", "sigmoid", m=12, lam=2.0, seed=seed)


def houses(seed: int = 0) -> Setting:
    """Linear regression: two layers."""
    return draw((3, 1), "sigmoid", "identity", m=10, lam=1.2, seed=seed)


def visits(seed: int = 0) -> Setting:
    """Counts: tanh hidden units, exp output, the Poisson cost."""
    return draw((3, 4, 1), "tanh", "exp", m=9, lam=0.8, seed=seed)


def wine(seed: int = 0) -> Setting:
    """Three classes with labels from 1, softmax."""
    return draw((5, 4, 3), "tanh", "softmax", m=13, lam=0.7, first_label=1, seed=seed)


def letters(seed: int = 0) -> Setting:
    """Six labels from 1, a narrow hidden layer."""
    return draw((7, 4, 6), "sigmoid", "sigmoid", m=13, lam=2.2, first_label=1, seed=seed)


def clicks(seed: int = 0) -> Setting:
    """Yes or no: one logistic output."""
    return draw((4, 5, 1), "sigmoid", "sigmoid", m=14, lam=1.7, seed=seed)


def exclusive_or(seed: int = 0) -> Setting:
    """The smallest network: two inputs, three hidden units, one logistic output."""
    return draw((2, 3, 1), "sigmoid", "sigmoid", m=16, lam=0.25, seed=seed)


def five(seed: int = 0) -> Setting:
    """Five layers, no two matrices in a row of one shape."""
    return draw((3, 4, 3, 4, 2), "tanh", "sigmoid", m=10, lam=0.5, seed=seed)


def square_five(seed: int = 0) -> Setting:
    """Five layers of one size."""
    return draw((3, 3, 3, 3, 3), "tanh", "softmax", m=10, lam=0.4, seed=seed)


def box(seed: int = 0) -> Setting:
    """Three layers of one size, softmax."""
    return draw((5, 5, 5), "tanh", "softmax", m=12, lam=1.0, seed=seed)


def relu_deep(seed: int = 0) -> Setting:
    """Four layers, relu."""
    return draw((4, 5, 4, 3), "relu", "softmax", m=11, lam=0.5, seed=seed)


def leaky(seed: int = 0) -> Setting:
    """Three classes, leaky relu."""
    return draw((4, 5, 3), "leaky_relu", "softmax", m=10, lam=0.9, seed=seed)


def leaky_deep(seed: int = 0) -> Setting:
    """Four layers, leaky relu, two linear outputs."""
    return draw((3, 4, 4, 2), "leaky_relu", "identity", m=9, lam=0.3, seed=seed)


def elu_curves(seed: int = 0) -> Setting:
    """Two linear outputs, elu."""
    return draw((3, 5, 2), "elu", "identity", m=9, lam=0.8, seed=seed)


def soft_counts(seed: int = 0) -> Setting:
    """Counts, softplus hidden units."""
    return draw((3, 4, 1), "softplus", "exp", m=11, lam=0.6, seed=seed)


def soft_deep(seed: int = 0) -> Setting:
    """Four layers, softplus, sigmoid outputs."""
    return draw((4, 3, 3, 3), "softplus", "sigmoid", m=9, lam=1.2, seed=seed)


def rates(seed: int = 0) -> Setting:
    """Poisson regression of two counts: two layers."""
    return draw((4, 2), "sigmoid", "exp", m=10, lam=0.9, seed=seed)


def scores(seed: int = 0) -> Setting:
    """Linear regression of three values: two layers."""
    return draw((4, 3), "sigmoid", "identity", m=9, lam=1.4, seed=seed)


def species(seed: int = 0) -> Setting:
    """Softmax regression: two layers."""
    return draw((5, 4), "sigmoid", "softmax", m=15, lam=1.6, seed=seed)


def prices(seed: int = 0) -> Setting:
    """Three linear outputs, with a lam for each Theta(l)."""
    return draw((4, 5, 3), "tanh", "identity", m=8, lam=(0.4, 1.9), seed=seed)

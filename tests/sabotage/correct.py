"""Right implementations as learners write them: a gradient checker must not accuse them.

``KINDS[name](seed)`` gives (objective, theta, arguments): the function theta -> (J, grad), where to
check it, and what a caller of the checker would pass (network, X, Y, lam).  One textbook
implementation makes a kind of each pair of hidden activation and output; the others differ in how
they are written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import data
from .data import Setting, draw

Made = tuple[Callable[[Any], tuple[float, Any]], Any, dict[str, Any]]

KINDS: dict[str, Callable[[int], Made]] = {}


def correct(setting: Callable[..., Setting]) -> Callable[..., Callable[..., Any]]:
    """Return the decorator that makes a kind of a learner's function on a setting's data."""

    def record(learner: Callable[..., Any]) -> Callable[..., Any]:
        KINDS[learner.__name__] = partial(make, setting, learner)
        return learner

    return record


def make(setting: Callable[..., Setting], learner: Callable[..., Any], seed: int) -> Made:
    """Bind a learner's function to the data of a seed."""
    s = setting(seed=seed)
    return lambda theta: learner(theta, s.X, s.y, s.lam), s.theta, s.arguments


# --- one textbook implementation, every hidden activation with every output -----------------

# g(z), g'(z)
HIDDEN = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.exp(z) - 1), lambda z: np.where(z > 0, 1, np.exp(z))),
    "softplus": (lambda z: np.log(1 + np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
    "identity": (lambda z: z, lambda z: np.ones(z.shape)),
}

# a(L), the sum of the costs
OUTPUT = {
    "sigmoid": (
        lambda z: 1 / (1 + np.exp(-z)),
        lambda h, Y: -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)),
    ),
    "softmax": (
        lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
        lambda h, Y: -np.sum(Y * np.log(h)),
    ),
    "identity": (lambda z: z, lambda h, Y: np.sum((h - Y) ** 2) / 2),
    "exp": (np.exp, lambda h, Y: np.sum(h - Y * np.log(h))),
}


def textbook(layers, hidden, output, seed):
    """Any number of layers, lists of z and a."""
    s = draw(layers, hidden, output, m=8, lam=0.9, seed=seed)
    g, g_prime = HIDDEN[hidden]
    g_out, cost_sum = OUTPUT[output]
    m, L = len(s.X), len(layers)

    def objective(theta):
        Theta, used = [], 0
        for l in range(L - 1):
            shape = (layers[l + 1], layers[l] + 1)
            size = shape[0] * shape[1]
            Theta.append(theta[used : used + size].reshape(shape, order="F"))
            used += size
        a, z = [s.X], [None]
        for l in range(L - 1):
            z.append(a[l] @ Theta[l][:, 1:].T + Theta[l][:, 0])
            a.append((g if l < L - 2 else g_out)(z[-1]))
        J = cost_sum(a[-1], s.Y) / m
        J += s.lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Theta)
        delta = a[-1] - s.Y
        grads = []
        for l in reversed(range(L - 1)):
            weights = delta.T @ a[l] / m + s.lam / m * Theta[l][:, 1:]
            grads.insert(0, np.column_stack([delta.mean(axis=0), weights]).ravel(order="F"))
            if l:
                delta = delta @ Theta[l][:, 1:] * g_prime(z[l])
        return J, np.concatenate(grads)

    return objective, s.theta, s.arguments


KINDS |= {
    f"{hidden}_{output}": partial(textbook, (4, 5, 3), hidden, output)
    for hidden in HIDDEN
    for output in OUTPUT
}
KINDS["five_layers"] = partial(textbook, (3, 4, 3, 4, 2), "tanh", "sigmoid")
KINDS["softmax_regression"] = partial(textbook, (4, 3), "sigmoid", "softmax")
KINDS["poisson_regression"] = partial(textbook, (4, 1), "sigmoid", "exp")


# --- written otherwise ----------------------------------------------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@correct(data.digits)
def course_port(theta, X, y, lam):
    """nnCostFunction of the course."""
    m = X.shape[0]
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1 @ Theta1.T
    a2 = np.hstack([np.ones((m, 1)), sigmoid(z2)])
    h = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y - 1]
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = h - Y
    delta2 = delta3 @ Theta2[:, 1:] * sigmoid(z2) * (1 - sigmoid(z2))
    Theta1_grad = delta2.T @ a1 / m
    Theta2_grad = delta3.T @ a2 / m
    Theta1_grad[:, 1:] += lam / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([Theta1_grad.ravel(order="F"), Theta2_grad.ravel(order="F")])


@correct(data.digits)
def course_port_by_row(theta, X, y, lam):
    """The same with NumPy's own order in both directions: other components, no mistake."""
    m = X.shape[0]
    Theta1 = theta[:35].reshape(5, 7)
    Theta2 = theta[35:].reshape(4, 6)
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
    h = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y - 1]
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = h - Y
    delta2 = (delta3 @ Theta2 * a2 * (1 - a2))[:, 1:]
    reg1, reg2 = lam / m * Theta1, lam / m * Theta2
    reg1[:, 0], reg2[:, 0] = 0, 0
    return J, np.append(delta2.T @ a1 / m + reg1, delta3.T @ a2 / m + reg2)


@correct(data.digits)
def loop_over_examples(theta, X, y, lam):
    """The notes' algorithm, example by example."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    J, Delta1, Delta2 = 0, np.zeros((5, 7)), np.zeros((4, 6))
    for t in range(m):
        yt = (np.arange(1, 5) == y[t]).astype(float)
        a1 = np.append(1, X[t])
        a2 = np.append(1, sigmoid(Theta1 @ a1))
        a3 = sigmoid(Theta2 @ a2)
        J += np.sum(-yt * np.log(a3) - (1 - yt) * np.log(1 - a3)) / m
        d3 = a3 - yt
        d2 = (Theta2.T @ d3 * a2 * (1 - a2))[1:]
        Delta1 += np.outer(d2, a1)
        Delta2 += np.outer(d3, a2)
    for Theta, Delta in ((Theta1, Delta1), (Theta2, Delta2)):
        J += lam / (2 * m) * np.sum(Theta[:, 1:] ** 2)
        Delta[:, 1:] += lam * Theta[:, 1:]
    return J, np.concatenate([Delta1.ravel(order="F"), Delta2.ravel(order="F")]) / m


@correct(data.deep)
def four_layers_columns(theta, X, y, lam):
    """Examples in columns, as the notes have them."""
    m = len(X)
    T1 = theta[:24].reshape(4, 6, order="F")
    T2 = theta[24:44].reshape(4, 5, order="F")
    T3 = theta[44:].reshape(3, 5, order="F")
    Y = np.eye(3)[:, y]
    one = np.ones((1, m))
    A1 = np.vstack([one, X.T])
    A2 = np.vstack([one, sigmoid(T1 @ A1)])
    A3 = np.vstack([one, sigmoid(T2 @ A2)])
    A4 = sigmoid(T3 @ A3)
    J = -np.sum(Y * np.log(A4) + (1 - Y) * np.log(1 - A4)) / m
    d4 = A4 - Y
    d3 = (T3.T @ d4 * A3 * (1 - A3))[1:]
    d2 = (T2.T @ d3 * A2 * (1 - A2))[1:]
    grads = []
    for T, d, A in ((T1, d2, A1), (T2, d3, A2), (T3, d4, A3)):
        J += lam / (2 * m) * np.sum(T[:, 1:] ** 2)
        D = d @ A.T / m
        D[:, 1:] += lam / m * T[:, 1:]
        grads.append(D.flatten(order="F"))
    return J, np.concatenate(grads)


@correct(data.square)
def equal_layers(theta, X, y, lam):
    """Square matrices, each the right way round; J from z, as it stays finite."""
    m = len(X)
    B1, B2 = theta[:20].reshape(5, 4), theta[20:].reshape(5, 4)  # Theta transposed
    Y = np.eye(4)[y]
    a2 = sigmoid(X @ B1[1:] + B1[0])
    z3 = a2 @ B2[1:] + B2[0]
    J = np.sum(np.logaddexp(0, z3) - Y * z3) / m
    J += lam / (2 * m) * (np.sum(B1[1:] ** 2) + np.sum(B2[1:] ** 2))
    d3 = sigmoid(z3) - Y
    d2 = d3 @ B2[1:].T * a2 * (1 - a2)
    G1 = np.vstack([d2.sum(axis=0), X.T @ d2 + lam * B1[1:]])
    G2 = np.vstack([d3.sum(axis=0), a2.T @ d3 + lam * B2[1:]])
    return J, np.append(G1, G2) / m


@correct(data.curve)
def notes_linear_network(theta, X, y, lam):
    """nnCostFunctionLinear of the notes."""
    m = len(y)
    Theta1 = theta[:12].reshape(4, 3, order="F")
    Theta2 = theta[12:].reshape(1, 5, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), np.tanh(a1 @ Theta1.T)])
    a3 = a2 @ Theta2.T
    d3 = a3 - y[:, None]
    J = np.sum(d3**2) / (2 * m)
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d2 = d3 @ Theta2[:, 1:] * (1 - a2[:, 1:] ** 2)
    D1, D2 = d2.T @ a1 / m, d3.T @ a2 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@correct(data.flowers)
def softmax_loop(theta, X, y, lam):
    """Softmax, example by example, the 1 subtracted at the right class."""
    m = len(X)
    Theta1 = theta[:25].reshape(5, 5, order="F")
    Theta2 = theta[25:].reshape(3, 6, order="F")
    J = lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D1, D2 = lam * Theta1, lam * Theta2
    D1[:, 0], D2[:, 0] = 0, 0
    for x, code in zip(X, y, strict=True):
        a1 = np.append(1, x)
        a2 = np.append(1, np.tanh(Theta1 @ a1))
        scores = np.exp(Theta2 @ a2)
        p = scores / scores.sum()
        J -= np.log(p[code]) / m
        p[code] -= 1
        D2 += np.outer(p, a2)
        D1 += np.outer((Theta2.T @ p)[1:] * (1 - a2[1:] ** 2), a1)
    return J, np.append(D1.ravel(order="F"), D2.ravel(order="F")) / m


@correct(data.admitted)
def logistic_regression(theta, X, y, lam):
    """Two layers, one logistic unit."""
    m = len(y)
    X = np.hstack([np.ones((m, 1)), X])
    h = sigmoid(X @ theta)
    reg = np.append(0, theta[1:])
    J = -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / m + lam / (2 * m) * reg @ reg
    return J, X.T @ (h - y) / m + lam / m * reg


@correct(data.houses)
def linear_regression(theta, X, y, lam):
    """Two layers, one linear unit."""
    m = len(y)
    error = theta[0] + X @ theta[1:] - y
    J = (error @ error + lam * theta[1:] @ theta[1:]) / (2 * m)
    return J, np.append(error.sum(), X.T @ error + lam * theta[1:]) / m

"""No mistake in the formulas, and yet the check fails: kinks, chance, few digits."""

from __future__ import annotations

import numpy as np

from .data import (
    admitted,
    clicks,
    curve,
    digits,
    flowers,
    leaky,
    relu_curve,
    relu_flowers,
    scores,
    wine,
)
from .entries import sabotage
from .pieces import (
    add_ones,
    read_layers,
    sigmoid,
    softmax,
    write_layers,
)

rng = np.random.default_rng(0)  # of the costs that change from call to call


@sabotage(relu_flowers, "not-differentiable", at_kink=True)
def relu_unit_at_its_kink(theta, X, y, lam):
    """Right, but all weights into a relu unit are 0: it sits at its kink for every example."""
    m = len(X)
    W1, W2 = theta[:30].reshape(5, 6), theta[30:].reshape(7, 3)
    z2 = add_ones(X) @ W1
    a2 = add_ones(np.maximum(z2, 0))
    p = softmax(a2 @ W2)
    J = -np.mean(np.log(p[np.arange(m), y]))
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    d3 = (p - np.eye(3)[y]) / m
    d2 = d3 @ W2[1:].T * (z2 > 0)
    grad1, grad2 = add_ones(X).T @ d2, a2.T @ d3
    grad1[1:] += lam / m * W1[1:]
    grad2[1:] += lam / m * W2[1:]
    return J, np.concatenate([grad1.ravel(), grad2.ravel()])


@sabotage(relu_curve, "not-differentiable", at_kink=True)
def relu_loop_slope_1_at_its_kink(theta, X, y, lam):
    """Right, with slope 1 at the kink (z >= 0), where a unit's weights are all 0."""
    m = len(y)
    Theta1 = theta[:16].reshape(4, 4, order="F")
    Theta2 = theta[16:]
    J = lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[1:] ** 2))
    D1, D2 = lam * Theta1 / m, lam * Theta2 / m
    D1[:, 0], D2[0] = 0, 0
    for x, target in zip(X, y, strict=True):
        a1 = np.append(1, x)
        z2 = Theta1 @ a1
        a2 = np.append(1, np.where(z2 >= 0, z2, 0))
        error = Theta2 @ a2 - target
        J += error**2 / (2 * m)
        D2 += error * a2 / m
        D1 += np.outer(np.where(z2 >= 0, error * Theta2[1:], 0), a1) / m
    return J, np.append(D1.ravel(order="F"), D2)


@sabotage(flowers, "not-deterministic")
def softmax_dropout_in_the_cost(theta, X, y, lam):
    """Dropout with new random units at each call."""
    m = len(X)
    W1, W2 = theta[:25].reshape(5, 5), theta[25:].reshape(6, 3)
    A1 = add_ones(X)
    hidden = np.tanh(A1 @ W1)
    keep = (rng.random(hidden.shape) < 0.8) / 0.8
    A2 = add_ones(hidden * keep)
    P = softmax(A2 @ W2)
    J = -np.mean(np.log(P[np.arange(m), y]))
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    d3 = (P - np.eye(3)[y]) / m
    d2 = d3 @ W2[1:].T * keep * (1 - hidden**2)
    G1, G2 = A1.T @ d2, A2.T @ d3
    G1[1:] += lam / m * W1[1:]
    G2[1:] += lam / m * W2[1:]
    return J, np.concatenate([G1.ravel(), G2.ravel()])


@sabotage(admitted, "not-deterministic")
def logistic_regression_on_a_random_batch(theta, X, y, lam):
    """Each call draws another half of the examples."""
    rows = rng.permutation(len(y))[: len(y) // 2]
    X, y = add_ones(X[rows]), y[rows]
    m = len(y)
    h = sigmoid(X @ theta)
    reg = np.append(0, theta[1:])
    J = -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / m + lam / (2 * m) * reg @ reg
    return J, X.T @ (h - y) / m + lam / m * reg


@sabotage(digits, "precision")
def digits_in_float32(theta, X, y, lam):
    """Right, and computed in float32."""
    m = len(X)
    theta, X = theta.astype(np.float32), X.astype(np.float32)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    one = np.ones((m, 1), dtype=np.float32)
    a1 = np.hstack([one, X])
    a2 = np.hstack([one, sigmoid(a1 @ Theta1.T)])
    a3 = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4, dtype=np.float32)[y - 1]
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - Y
    d2 = (d3 @ Theta2 * a2 * (1 - a2))[:, 1:]
    D1, D2 = d2.T @ a1, d3.T @ a2
    D1[:, 1:] += lam * Theta1[:, 1:]
    D2[:, 1:] += lam * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")]) / m


@sabotage(curve, "precision")
def curve_cost_rounded_for_printing(theta, X, y, lam):
    """Right, but J is rounded to six decimals before it is returned."""
    m = len(y)
    Theta1 = theta[:12].reshape(4, 3, order="F")
    Theta2 = theta[12:]
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ Theta1.T))
    error = a2 @ Theta2 - y
    J = np.mean(error**2) / 2
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[1:] ** 2))
    D2 = a2.T @ error / m
    D1 = (error[:, None] * Theta2[1:] * (1 - a2[:, 1:] ** 2)).T @ a1 / m
    D2[1:] += lam / m * Theta2[1:]
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    return round(J, 6), np.append(D1.ravel(order="F"), D2)


@sabotage(leaky, "not-differentiable", at_kink=True)
def leaky_unit_started_at_zero(theta, X, y, lam):
    """Right, but the weights into one leaky unit are all 0: it sits at its kink."""
    m = len(X)
    T1, T2 = read_layers(theta, (4, 5, 3))
    z = add_ones(X) @ T1.T
    a = add_ones(np.where(z > 0, z, 0.01 * z))
    p = softmax(a @ T2.T)
    J = -np.log(p[np.arange(m), y]).mean()
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    e = (p - np.eye(3)[y]) / m
    back = e @ T2[:, 1:] * np.where(z > 0, 1, 0.01)
    G1, G2 = back.T @ add_ones(X), e.T @ a
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, write_layers([G1, G2])


@sabotage(clicks, "not-deterministic")
def inputs_jittered_on_every_call(theta, X, y, lam):
    """Noise is added to the inputs within the cost, new at each call."""
    m = len(y)
    X = X + 0.05 * rng.standard_normal(X.shape)
    T1, T2 = read_layers(theta, (4, 5, 1))
    a2 = add_ones(sigmoid(add_ones(X) @ T1.T))
    h = sigmoid(a2 @ T2[0])
    J = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = (h - y)[:, None]
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    G1, G2 = d2.T @ add_ones(X) / m, d3.T @ a2 / m
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, write_layers([G1, G2])


@sabotage(wine, "precision", order="torch")
def softmax_in_single_precision(theta, X, y, lam):
    """Right; all of it in float32, as on a graphics card."""
    theta, X = np.float32(theta), np.float32(X)
    m = len(X)
    W1, b1 = theta[:20].reshape(4, 5), theta[20:24]
    W2, b2 = theta[24:36].reshape(3, 4), theta[36:]
    H = np.tanh(X @ W1.T + b1)
    P = softmax(H @ W2.T + b2)
    J = -np.log(P[np.arange(m), y - 1]).mean()
    J += np.float32(lam / (2 * m)) * (np.sum(W1 * W1) + np.sum(W2 * W2))
    P[np.arange(m), y - 1] -= 1
    back = P @ W2 * (1 - H * H)
    decay = np.float32(lam)
    parts = [back.T @ X + decay * W1, back.sum(0), P.T @ H + decay * W2, P.sum(0)]
    return float(J), np.concatenate([part.ravel() for part in parts]).astype(float) / m


@sabotage(scores, "precision")
def regression_cost_returned_as_float32(theta, X, Y, lam):
    """Right; the cost alone is cut down to float32 at the end."""
    m = len(X)
    T = read_layers(theta, (4, 3))[0]
    E = T @ add_ones(X).T - Y.T
    J = np.float32((np.sum(E**2) + lam * np.sum(T[:, 1:] ** 2)) / (2 * m))
    G = E @ add_ones(X) / m
    G[:, 1:] += lam / m * T[:, 1:]
    return J, write_layers([G])

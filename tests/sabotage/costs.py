"""J is wrong, its gradient right."""

from __future__ import annotations

import numpy as np

from .data import (
    curve,
    deep,
    digits,
    elu_curves,
    flowers,
    relu_deep,
    soft_counts,
)
from .entries import sabotage
from .pieces import (
    add_ones,
    read_layers,
    sigmoid,
    softmax,
    write_layers,
)


@sabotage(digits, "cost-inconsistent")
def digits_cost_sums_all_pairs_of_outputs(theta, X, y, lam):
    """sum(Y' * log(h)) as a matrix product: every y_k meets every h_j."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
    h = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y - 1]
    J = -1 / m * np.sum(Y.T @ np.log(h) + (1 - Y).T @ np.log(1 - h))
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = h - Y
    d2 = d3 @ Theta2[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    D1 = d2.T @ a1 / m
    D2 = d3.T @ a2 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(flowers, "cost-inconsistent")
def softmax_cost_regularises_bias(theta, X, y, lam):
    """J sums the squares of all theta, bias included; the gradient leaves it out."""
    m = len(X)
    W1, W2 = theta[:25].reshape(5, 5), theta[25:].reshape(6, 3)
    A1 = add_ones(X)
    A2 = add_ones(np.tanh(A1 @ W1))
    Z3 = A2 @ W2
    J = np.mean(np.log(np.exp(Z3).sum(axis=1)) - Z3[np.arange(m), y])
    J += lam / (2 * m) * np.sum(theta**2)
    D3 = (softmax(Z3) - np.eye(3)[y]) / m
    D2 = (D3 @ W2.T * (1 - A2**2))[:, 1:]
    dW1, dW2 = A1.T @ D2, A2.T @ D3
    dW1[1:] += lam / m * W1[1:]
    dW2[1:] += lam / m * W2[1:]
    return J, np.concatenate([dW1.ravel(), dW2.ravel()])


@sabotage(curve, "cost-inconsistent")
def curve_cost_with_lam_over_m(theta, X, y, lam):
    """J has lam/m in front of the squares, not lam/(2m); the gradient is right."""
    m = len(y)
    Theta1 = theta[:12].reshape(4, 3, order="F")
    Theta2 = theta[12:]
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), np.tanh(a1 @ Theta1.T)]
    error = a2 @ Theta2 - y
    J = 1 / (2 * m) * error @ error
    J += lam / m * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[1:] ** 2))
    Theta2_grad = error @ a2 / m
    back = error[:, None] * Theta2[1:] * (1 - a2[:, 1:] ** 2)
    Theta1_grad = back.T @ a1 / m
    Theta1_grad[:, 1:] += lam / m * Theta1[:, 1:]
    Theta2_grad[1:] += lam / m * Theta2[1:]
    return J, np.append(Theta1_grad.ravel(order="F"), Theta2_grad)


@sabotage(deep, "cost-inconsistent")
def deep_cost_without_one_minus_y(theta, X, y, lam):
    """J is softmax's -sum y log h, while the outputs are sigmoids: the second half is missing."""
    m = len(X)
    T1 = theta[:24].reshape(4, 6, order="F")
    T2 = theta[24:44].reshape(4, 5, order="F")
    T3 = theta[44:].reshape(3, 5, order="F")
    Y = np.eye(3)[y]
    a1 = add_ones(X)
    a2 = add_ones(sigmoid(a1 @ T1.T))
    a3 = add_ones(sigmoid(a2 @ T2.T))
    h = sigmoid(a3 @ T3.T)
    J = -np.sum(Y * np.log(h)) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in (T1, T2, T3))
    d4 = h - Y
    d3 = (d4 @ T3 * a3 * (1 - a3))[:, 1:]
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    unrolled = []
    for T, d, a in ((T1, d2, a1), (T2, d3, a2), (T3, d4, a3)):
        D = d.T @ a / m
        D[:, 1:] += lam / m * T[:, 1:]
        unrolled.append(D.ravel(order="F"))
    return J, np.concatenate(unrolled)


@sabotage(soft_counts, "cost-inconsistent")
def softplus_counts_penalty_not_in_the_cost(theta, X, y, lam):
    """The gradient has weight decay, the cost has no penalty."""
    m = len(y)
    W1, W2 = theta[:16].reshape(4, 4), theta[16:]
    z2 = X @ W1[1:] + W1[0]
    a2 = np.log1p(np.exp(z2))
    z3 = a2 @ W2[1:] + W2[0]
    J = np.mean(np.exp(z3) - y * z3)
    d3 = (np.exp(z3) - y) / m
    d2 = np.outer(d3, W2[1:]) * sigmoid(z2)
    g1 = np.vstack([d2.sum(axis=0), X.T @ d2 + lam / m * W1[1:]])
    return J, np.concatenate([g1.ravel(), [d3.sum()], a2.T @ d3 + lam / m * W2[1:]])


@sabotage(elu_curves, "cost-inconsistent")
def elu_mean_squared_error_without_the_half(theta, X, Y, lam):
    """J is the mean squared error, the gradient that of half of it."""
    m = len(X)
    T1, T2 = read_layers(theta, (3, 5, 2))
    z = add_ones(X) @ T1.T
    a = add_ones(np.where(z > 0, z, np.exp(z) - 1))
    err = a @ T2.T - Y
    J = np.sum(err**2) / m + lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    back = err @ T2[:, 1:] * np.where(z > 0, 1, np.exp(z))
    G1, G2 = back.T @ add_ones(X) / m, err.T @ a / m
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, write_layers([G1, G2])


@sabotage(relu_deep, "cost-inconsistent")
def relu_cost_penalises_lam_over_2(theta, X, y, lam):
    """The cost's penalty is lam/2, without the 1/m that the gradient's has."""
    m = len(y)
    Ts = read_layers(theta, (4, 5, 4, 3))
    a = [X]
    for T in Ts:
        z = add_ones(a[-1]) @ T.T
        a.append(np.maximum(z, 0))
    P = softmax(z)
    J = -np.mean(np.log(P[np.arange(m), y])) + lam / 2 * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d = (P - np.eye(3)[y]) / m
    grads = [None] * 3
    for i in (2, 1, 0):
        grads[i] = d.T @ add_ones(a[i]) + lam / m * np.c_[np.zeros(len(Ts[i])), Ts[i][:, 1:]]
        d = d @ Ts[i][:, 1:] * (a[i] > 0)
    return J, write_layers(grads)

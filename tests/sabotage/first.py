"""Wrong backpropagations, first half: single mistakes, then pairs.

Each function is one learner's cost function, whole, with what is wrong in its docstring.  They
differ as learners' code does: whole matrices or a loop over examples, examples in rows or in
columns, theta read column by column as Octave does or row by row as NumPy does.
"""

from __future__ import annotations

import numpy as np

from . import Sabotage, recorder
from .data import (
    admitted,
    curve,
    deep,
    deep_tanh,
    digits,
    flowers,
    houses,
    relu_curve,
    relu_flowers,
    square,
    two_curves,
    visits,
)

FIRST: list[Sabotage] = []
sabotage = recorder(FIRST)

rng = np.random.default_rng(0)  # of the costs that change from call to call


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_gradient(z):
    g = sigmoid(z)
    return g * (1 - g)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def add_ones(a):
    return np.hstack([np.ones((len(a), 1)), a])


# --- 1/m ------------------------------------------------------------------------------------


@sabotage(admitted, "missing-1-over-m")
def logistic_regression_without_1_over_m(theta, X, y, lam):
    """The sum over the examples is not divided by m; the penalty is."""
    m = len(y)
    X = add_ones(X)
    h = sigmoid(X @ theta)
    J = -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / m + lam / (2 * m) * theta[1:] @ theta[1:]
    grad = X.T @ (h - y)
    grad[1:] += lam / m * theta[1:]
    return J, grad


@sabotage(digits, "missing-1-over-m")
def digits_loop_without_1_over_m_in_layer_1(theta, X, y, lam):
    """Delta2 is divided by m, Delta1 is not."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    Y = np.eye(4)[y - 1]
    J = 0
    Delta1, Delta2 = np.zeros((5, 7)), np.zeros((4, 6))
    for t in range(m):
        a1 = np.concatenate([[1], X[t]])
        a2 = np.concatenate([[1], sigmoid(Theta1 @ a1)])
        a3 = sigmoid(Theta2 @ a2)
        J -= np.sum(Y[t] * np.log(a3) + (1 - Y[t]) * np.log(1 - a3)) / m
        d3 = a3 - Y[t]
        d2 = (Theta2.T @ d3 * a2 * (1 - a2))[1:]
        Delta1 += np.outer(d2, a1)
        Delta2 += np.outer(d3, a2)
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D1 = Delta1
    D2 = Delta2 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(flowers, "missing-1-over-m")
def softmax_without_1_over_m_anywhere(theta, X, y, lam):
    """Neither the sum over the examples nor the penalty's gradient is divided by m."""
    m = len(X)
    W1 = theta[:25].reshape(5, 5)  # (inputs + 1, units): the bias is row 0
    W2 = theta[25:].reshape(6, 3)
    H = np.tanh(add_ones(X) @ W1)
    P = softmax(add_ones(H) @ W2)
    J = -np.log(P[np.arange(m), y]).mean()
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    dZ = P.copy()
    dZ[np.arange(m), y] -= 1
    dW2 = add_ones(H).T @ dZ
    dW1 = add_ones(X).T @ (dZ @ W2[1:].T * (1 - H**2))
    dW2[1:] += lam * W2[1:]
    dW1[1:] += lam * W1[1:]
    return J, np.concatenate([dW1.ravel(), dW2.ravel()])


@sabotage(deep, "extra-1-over-m")
def deep_columns_with_1_over_m_twice(theta, X, y, lam):
    """delta(4) is divided by m already, then D divides again (examples are columns)."""
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
    penalty = sum(np.sum(T[:, 1:] ** 2) for T in (T1, T2, T3))
    J = -np.sum(Y * np.log(A4) + (1 - Y) * np.log(1 - A4)) / m + lam / (2 * m) * penalty
    d4 = (A4 - Y) / m
    d3 = (T3.T @ d4 * A3 * (1 - A3))[1:]
    d2 = (T2.T @ d3 * A2 * (1 - A2))[1:]
    grads = []
    for T, d, A in ((T1, d2, A1), (T2, d3, A2), (T3, d4, A3)):
        D = d @ A.T / m
        D[:, 1:] += lam / m * T[:, 1:]
        grads.append(D.flatten(order="F"))
    return J, np.concatenate(grads)


@sabotage(houses, "extra-1-over-m")
def linear_regression_divided_by_m_squared(theta, X, y, lam):
    """np.mean, and the division by m besides, over everything."""
    m = len(y)
    X = add_ones(X)
    error = X @ theta - y
    J = np.mean(error**2) / 2 + lam * np.sum(theta[1:] ** 2) / (2 * m)
    penalty = lam * theta / m
    penalty[0] = 0
    grad = (np.mean(X * error[:, None], axis=0) + penalty) / m
    return J, grad


# --- regularisation -------------------------------------------------------------------------


@sabotage(flowers, "lambda-forgotten")
def softmax_penalty_only_in_cost(theta, X, y, lam):
    """J is regularised, the gradient is not."""
    m, n = X.shape
    Theta1 = theta[: 5 * (n + 1)].reshape(n + 1, 5).T
    Theta2 = theta[5 * (n + 1) :].reshape(6, 3).T
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ Theta1.T))
    h = softmax(a2 @ Theta2.T)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h)) / m
    J += lam / 2 / m * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = h - Y
    delta2 = delta3 @ Theta2[:, 1:] * (1 - a2[:, 1:] ** 2)
    Theta1_grad = delta2.T @ a1 / m
    Theta2_grad = delta3.T @ a2 / m
    return J, np.r_[Theta1_grad.T.ravel(), Theta2_grad.T.ravel()]


@sabotage(deep, "lambda-forgotten")
def deep_penalty_forgotten_in_layer_2(theta, X, y, lam):
    """Three matrices, but only the first and the last get their penalty's gradient."""
    m = len(X)
    shapes = [(4, 6), (4, 5), (3, 5)]
    Thetas, used = [], 0
    for rows, columns in shapes:
        block = theta[used : used + rows * columns]
        Thetas.append(block.reshape(columns, rows).T)
        used += rows * columns
    Y = np.eye(3)[y]
    a = [add_ones(X)]
    for Theta in Thetas[:-1]:
        a.append(add_ones(sigmoid(a[-1] @ Theta.T)))
    h = sigmoid(a[-1] @ Thetas[-1].T)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * sum((Theta[:, 1:] ** 2).sum() for Theta in Thetas)
    delta = h - Y
    grads = [None, None, None]
    for l in (2, 1, 0):
        grads[l] = delta.T @ a[l] / m
        if l:
            delta = (delta @ Thetas[l] * a[l] * (1 - a[l]))[:, 1:]
    grads[0][:, 1:] += lam / m * Thetas[0][:, 1:]
    grads[2][:, 1:] += lam / m * Thetas[2][:, 1:]
    return J, np.concatenate([grad.T.ravel() for grad in grads])


@sabotage(digits, "bias-regularised")
def digits_penalty_on_whole_theta(theta, X, y, lam):
    """The gradient of the penalty takes in the bias columns of both matrices."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1 @ Theta1.T
    a2 = np.hstack([np.ones((m, 1)), sigmoid(z2)])
    h = sigmoid(a2 @ Theta2.T)
    Y = np.zeros((m, 4))
    Y[np.arange(m), y - 1] = 1
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = h - Y
    delta2 = delta3 @ Theta2[:, 1:] * sigmoid_gradient(z2)
    Theta1_grad = delta2.T @ a1 / m + lam / m * Theta1
    Theta2_grad = delta3.T @ a2 / m + lam / m * Theta2
    return J, np.concatenate([Theta1_grad.ravel(order="F"), Theta2_grad.ravel(order="F")])


@sabotage(curve, "bias-regularised")
def curve_penalty_on_output_bias(theta, X, y, lam):
    """The bias column is left out in Theta1, forgotten to be left out in Theta2."""
    m = len(y)
    Theta1 = np.reshape(theta[:12], (4, 3), order="F")
    Theta2 = np.reshape(theta[12:], (1, 5), order="F")
    J, D1, D2 = 0.0, np.zeros_like(Theta1), np.zeros_like(Theta2)
    for x, target in zip(X, y, strict=True):
        a1 = np.r_[1, x]
        a2 = np.r_[1, np.tanh(Theta1 @ a1)]
        a3 = Theta2 @ a2
        J += np.sum((a3 - target) ** 2) / (2 * m)
        d3 = a3 - target
        d2 = Theta2[:, 1:].T @ d3 * (1 - a2[1:] ** 2)
        D1 += np.outer(d2, a1) / m
        D2 += np.outer(d3, a2) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D1 += lam / m * np.c_[np.zeros(4), Theta1[:, 1:]]
    D2 += lam / m * Theta2
    return J, np.concatenate([D1.flatten("F"), D2.flatten("F")])


@sabotage(digits, "lambda-factor", order="rows")
def digits_by_row_with_lam_over_2m(theta, X, y, lam):
    """lam/(2m), J's factor, is used in the gradient too (theta is read row by row)."""
    m = X.shape[0]
    Theta1 = theta[: 5 * 7].reshape(5, 7)
    Theta2 = theta[5 * 7 :].reshape(4, 6)
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
    a3 = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y - 1]
    reg = lam / (2 * m)
    J = -1 / m * np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3))
    J += reg * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - Y
    d2 = (d3 @ Theta2)[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    D1 = d2.T @ a1 / m
    D2 = d3.T @ a2 / m
    D1[:, 1:] += reg * Theta1[:, 1:]
    D2[:, 1:] += reg * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(), D2.ravel()])


@sabotage(two_curves, "lambda-factor")
def two_curves_lam_not_divided(theta, X, y, lam):
    """lam Theta is added after the division by m: no 1/m under lam."""
    m = len(X)
    Theta1 = theta[:16].reshape(4, 4, order="F")
    Theta2 = theta[16:].reshape(2, 5, order="F")
    hidden = np.tanh(Theta1[:, 1:] @ X.T + Theta1[:, :1])
    out = Theta2[:, 1:] @ hidden + Theta2[:, :1]
    error = out - y.T
    J = 0.5 / m * np.sum(error**2)
    J += 0.5 * lam / m * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    back = Theta2[:, 1:].T @ error * (1 - hidden**2)
    grad2 = np.column_stack([error.sum(axis=1), error @ hidden.T]) / m
    grad1 = np.column_stack([back.sum(axis=1), back @ X]) / m
    grad2[:, 1:] += lam * Theta2[:, 1:]
    grad1[:, 1:] += lam * Theta1[:, 1:]
    return J, np.append(grad1.T.ravel(), grad2.T.ravel())


@sabotage(admitted, "lambda-factor")
def logistic_regression_sum_of_theta(theta, X, y, lam):
    """lam/m times the sum of all theta, a number, is added to every component but the bias."""
    m = len(y)
    z = theta[0] + X @ theta[1:]
    h = sigmoid(z)
    J = np.mean(-y * np.log(h) - (1 - y) * np.log(1 - h)) + lam / (2 * m) * sum(theta[1:] ** 2)
    grad = np.zeros(len(theta))
    grad[0] = np.mean(h - y)
    for j in range(1, len(theta)):
        grad[j] = np.mean((h - y) * X[:, j - 1]) + lam / m * np.sum(theta[1:])
    return J, grad


# --- g' -------------------------------------------------------------------------------------


@sabotage(digits, "activation-derivative-missing")
def digits_columns_without_g_prime(theta, X, y, lam):
    """delta2 = Theta2' * delta3, and that is all (examples are columns)."""
    m = len(X)
    Theta1 = theta[:35].reshape(7, 5).T
    Theta2 = theta[35:].reshape(6, 4).T
    Y = np.eye(4)[y - 1].T
    A1 = np.vstack([np.ones(m), X.T])
    A2 = np.vstack([np.ones(m), sigmoid(Theta1 @ A1)])
    A3 = sigmoid(Theta2 @ A2)
    J = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = A3 - Y
    delta2 = (Theta2.T @ delta3)[1:]
    reg1, reg2 = lam * Theta1, lam * Theta2
    reg1[:, 0] = reg2[:, 0] = 0
    D1 = (delta2 @ A1.T + reg1) / m
    D2 = (delta3 @ A2.T + reg2) / m
    return J, np.concatenate([D1.T.ravel(), D2.T.ravel()])


@sabotage(deep_tanh, "activation-derivative-missing")
def deep_tanh_without_g_prime_in_layer_2(theta, X, y, lam):
    """delta(3) has its 1 - a^2, delta(2) was forgotten."""
    m = len(X)
    T1, T2, T3 = (theta[i : i + 20].reshape(5, 4).T for i in (0, 20, 40))
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ T1.T))
    a3 = add_ones(np.tanh(a2 @ T2.T))
    h = softmax(a3 @ T3.T)
    J = -np.sum(np.log(h[range(m), y])) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in (T1, T2, T3))
    d4 = h - np.eye(4)[y]
    d3 = d4 @ T3[:, 1:] * (1 - a3[:, 1:] ** 2)
    d2 = d3 @ T2[:, 1:]
    grads = []
    for d, a, T in ((d2, a1, T1), (d3, a2, T2), (d4, a3, T3)):
        grad = d.T @ a
        grad[:, 1:] += lam * T[:, 1:]
        grads.append(grad.T.ravel() / m)
    return J, np.concatenate(grads)


@sabotage(digits, "activation-derivative-at-wrong-point")
def digits_sigmoid_gradient_of_a(theta, X, y, lam):
    """sigmoidGradient(a2) in place of sigmoidGradient(z2)."""
    m = X.shape[0]
    Theta1 = theta[:35].reshape((5, 7), order="F")
    Theta2 = theta[35:].reshape((4, 6), order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1.dot(Theta1.T)
    a2 = np.hstack([np.ones((m, 1)), sigmoid(z2)])
    z3 = a2.dot(Theta2.T)
    a3 = sigmoid(z3)
    y_matrix = (y[:, None] == np.arange(1, 5)).astype(float)
    J = np.sum(-y_matrix * np.log(a3) - (1 - y_matrix) * np.log(1 - a3)) / m
    J = J + lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - y_matrix
    d2 = d3.dot(Theta2[:, 1:]) * sigmoid_gradient(a2[:, 1:])
    Theta1_reg, Theta2_reg = Theta1.copy(), Theta2.copy()
    Theta1_reg[:, 0] = 0
    Theta2_reg[:, 0] = 0
    Theta1_grad = d2.T.dot(a1) / m + lam / m * Theta1_reg
    Theta2_grad = d3.T.dot(a2) / m + lam / m * Theta2_reg
    return J, np.concatenate([Theta1_grad.flatten("F"), Theta2_grad.flatten("F")])


@sabotage(curve, "activation-derivative-at-wrong-point")
def curve_one_minus_z_squared(theta, X, y, lam):
    """1 - z^2 in place of 1 - a^2 under the tanh."""
    m = len(y)
    b1, W1 = theta[:4], theta[4:12].reshape(2, 4)
    b2, W2 = theta[12], theta[13:]
    z = X @ W1 + b1
    a = np.tanh(z)
    h = a @ W2 + b2
    J = np.sum((h - y) ** 2) / (2 * m) + lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d3 = (h - y) / m
    d2 = np.outer(d3, W2) * (1 - z**2)
    grad_W1 = X.T @ d2 + lam / m * W1
    grad_W2 = a.T @ d3 + lam / m * W2
    return J, np.concatenate([d2.sum(axis=0), grad_W1.ravel(), [d3.sum()], grad_W2])


@sabotage(deep, "activation-derivative-at-wrong-point")
def deep_loop_z_times_one_minus_z(theta, X, y, lam):
    """z (1 - z) in place of a (1 - a), in both hidden layers."""
    m = len(X)
    T1 = theta[:24].reshape(4, 6, order="F")
    T2 = theta[24:44].reshape(4, 5, order="F")
    T3 = theta[44:].reshape(3, 5, order="F")
    J = 0
    D1, D2, D3 = np.zeros(T1.shape), np.zeros(T2.shape), np.zeros(T3.shape)
    for i in range(m):
        target = np.zeros(3)
        target[y[i]] = 1
        a1 = np.append(1, X[i])
        z2 = T1 @ a1
        a2 = np.append(1, sigmoid(z2))
        z3 = T2 @ a2
        a3 = np.append(1, sigmoid(z3))
        a4 = sigmoid(T3 @ a3)
        J += -np.sum(target * np.log(a4) + (1 - target) * np.log(1 - a4))
        d4 = a4 - target
        d3 = T3[:, 1:].T @ d4 * z3 * (1 - z3)
        d2 = T2[:, 1:].T @ d3 * z2 * (1 - z2)
        D3 += d4[:, None] * a3
        D2 += d3[:, None] * a2
        D1 += d2[:, None] * a1
    J = J / m
    grad = []
    for T, D in ((T1, D1), (T2, D2), (T3, D3)):
        J += lam / (2 * m) * np.sum(T[:, 1:] ** 2)
        D[:, 1:] += lam * T[:, 1:]
        grad.extend(D.ravel(order="F") / m)
    return J, np.array(grad)


@sabotage(deep_tanh, "activation-derivative-at-wrong-point")
def deep_tanh_g_prime_of_other_layer(theta, X, y, lam):
    """delta(3) is multiplied by g'(z(2)): same shape, wrong layer."""
    m = len(X)
    T1, T2, T3 = (block.reshape(5, 4) for block in np.split(theta, 3))  # transposed
    a1 = X
    a2 = np.tanh(a1 @ T1[1:] + T1[0])
    a3 = np.tanh(a2 @ T2[1:] + T2[0])
    h = softmax(a3 @ T3[1:] + T3[0])
    J = -np.mean(np.log(h[np.arange(m), y]))
    J += lam / (2 * m) * (np.sum(T1[1:] ** 2) + np.sum(T2[1:] ** 2) + np.sum(T3[1:] ** 2))
    d4 = h - np.eye(4)[y]
    d3 = d4 @ T3[1:].T * (1 - a2**2)
    d2 = d3 @ T2[1:].T * (1 - a2**2)
    grads = []
    for T, a, d in ((T1, a1, d2), (T2, a2, d3), (T3, a3, d4)):
        grads.append(np.vstack([d.sum(axis=0), a.T @ d + lam * T[1:]]).ravel() / m)
    return J, np.concatenate(grads)


@sabotage(curve, "activation-derivative-of-another-activation")
def curve_sigmoid_gradient_under_tanh(theta, X, y, lam):
    """The hidden layer was changed to tanh, a (1 - a) of the sigmoid stayed."""
    m = len(y)
    Theta1 = theta[:12].reshape(4, 3, order="F")
    Theta2 = theta[12:].reshape(1, 5, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), np.tanh(a1 @ Theta1.T)])
    a3 = a2 @ Theta2.T
    y = y.reshape(-1, 1)
    J = np.sum((a3 - y) ** 2) / (2 * m)
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - y
    d2 = (d3 @ Theta2[:, 1:]) * a2[:, 1:] * (1 - a2[:, 1:])
    D1 = d2.T @ a1 / m
    D2 = d3.T @ a2 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


# --- delta(L) -------------------------------------------------------------------------------


@sabotage(digits, "output-derivative-extra")
def digits_delta3_times_g_prime(theta, X, y, lam):
    """delta3 = (a3 - y) .* a3 .* (1 - a3), as for the squared error."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    Y = np.array([[float(label == k) for k in (1, 2, 3, 4)] for label in y])
    a1 = np.column_stack([np.ones(m), X])
    a2 = np.column_stack([np.ones(m), sigmoid(a1 @ Theta1.T)])
    a3 = sigmoid(a2 @ Theta2.T)
    J = -(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)).sum() / m
    J += lam / (2 * m) * ((Theta1[:, 1:] ** 2).sum() + (Theta2[:, 1:] ** 2).sum())
    d3 = (a3 - Y) * a3 * (1 - a3)
    d2 = (d3 @ Theta2 * a2 * (1 - a2))[:, 1:]
    D1 = np.einsum("ti,tj->ij", d2, a1) / m
    D2 = np.einsum("ti,tj->ij", d3, a2) / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.hstack([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(admitted, "output-derivative-extra")
def logistic_regression_error_times_g_prime(theta, X, y, lam):
    """The error is multiplied by h (1 - h)."""
    m, n = X.shape
    J = 0
    grad = np.zeros(n + 1)
    for i in range(m):
        x = np.append(1, X[i])
        h = sigmoid(theta @ x)
        J += -np.log(h) if y[i] == 1 else -np.log(1 - h)
        grad += (h - y[i]) * h * (1 - h) * x
    J = J / m + lam / (2 * m) * np.sum(theta[1:] ** 2)
    grad = grad / m
    grad[1:] += lam / m * theta[1:]
    return J, grad


@sabotage(visits, "output-derivative-extra")
def poisson_error_times_h(theta, X, y, lam):
    """The derivative of exp, which the Poisson cost has cancelled, is multiplied in."""
    m = len(y)
    W1 = theta[:16].reshape(4, 4)
    W2 = theta[16:]
    hidden = np.tanh(W1[0] + X @ W1[1:])
    z = W2[0] + hidden @ W2[1:]
    h = np.exp(z)
    J = np.mean(h - y * z) + lam / (2 * m) * (np.sum(W1[1:] ** 2) + W2[1:] @ W2[1:])
    delta = (h - y) * h / m
    back = delta[:, None] * W2[1:] * (1 - hidden**2)
    grad1 = np.vstack([back.sum(axis=0), X.T @ back + lam / m * W1[1:]])
    grad2 = np.append(delta.sum(), hidden.T @ delta + lam / m * W2[1:])
    return J, np.append(grad1, grad2)


# --- matrices mixed up ----------------------------------------------------------------------


@sabotage(square, "theta-transposed")
def square_theta2_not_transposed(theta, X, y, lam):
    """delta3 * Theta2' where Theta2 is meant: square, so it runs."""
    m = len(X)
    Theta1 = theta[:20].reshape(4, 5, order="F")
    Theta2 = theta[20:].reshape(4, 5, order="F")
    Y = np.eye(4)[y]
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1 @ Theta1.T
    a2 = np.hstack([np.ones((m, 1)), sigmoid(z2)])
    h = sigmoid(a2 @ Theta2.T)
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = h - Y
    delta2 = delta3 @ Theta2[:, 1:].T * sigmoid_gradient(z2)
    Theta1_grad = delta2.T @ a1 / m
    Theta2_grad = delta3.T @ a2 / m
    Theta1_grad[:, 1:] += lam / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([Theta1_grad.ravel("F"), Theta2_grad.ravel("F")])


@sabotage(deep_tanh, "theta-transposed")
def deep_tanh_columns_theta3_not_transposed(theta, X, y, lam):
    """The ' is missing behind Theta3 only (examples are columns)."""
    m = len(X)
    T1, T2, T3 = (part.reshape(4, 5, order="F") for part in np.split(theta, 3))
    A1 = X.T
    A2 = np.tanh(T1[:, 1:] @ A1 + T1[:, [0]])
    A3 = np.tanh(T2[:, 1:] @ A2 + T2[:, [0]])
    H = softmax((T3[:, 1:] @ A3 + T3[:, [0]]).T).T
    J = -np.log(H[y, np.arange(m)]).sum() / m
    J += lam / (2 * m) * sum((T[:, 1:] ** 2).sum() for T in (T1, T2, T3))
    d4 = H - np.eye(4)[:, y]
    d3 = T3[:, 1:] @ d4 * (1 - A3**2)
    d2 = T2[:, 1:].T @ d3 * (1 - A2**2)
    grads = []
    for T, d, A in ((T1, d2, A1), (T2, d3, A2), (T3, d4, A3)):
        bias = d.sum(axis=1, keepdims=True)
        grads.append(np.hstack([bias, d @ A.T + lam * T[:, 1:]]).ravel(order="F") / m)
    return J, np.concatenate(grads)


@sabotage(digits, "unrolled-by-row")
def digits_gradient_unrolled_by_row(theta, X, y, lam):
    """theta is read column by column, the gradient is unrolled with a plain ravel()."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
    a3 = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y - 1]
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - Y
    d2 = d3 @ Theta2[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    Theta1_grad = d2.T @ a1 / m
    Theta2_grad = d3.T @ a2 / m
    Theta1_grad[:, 1:] += lam / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([Theta1_grad.ravel(), Theta2_grad.ravel()])


@sabotage(two_curves, "unrolled-by-row")
def two_curves_layer_1_unrolled_by_row(theta, X, y, lam):
    """The second gradient is unrolled as theta is, the first is not."""
    m = len(X)
    Theta1 = theta[:16].reshape((4, 4), order="F")
    Theta2 = theta[16:].reshape((2, 5), order="F")
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ Theta1.T))
    d3 = a2 @ Theta2.T - y
    J = (d3**2).sum() / (2 * m)
    J += lam / (2 * m) * ((Theta1[:, 1:] ** 2).sum() + (Theta2[:, 1:] ** 2).sum())
    d2 = (d3 @ Theta2 * (1 - a2**2))[:, 1:]
    no_bias = np.array([0, 1, 1, 1])
    Theta1_grad = (d2.T @ a1 + lam * Theta1 * no_bias) / m
    Theta2_grad = (d3.T @ a2 + lam * Theta2 * np.append(no_bias, 1)) / m
    return J, np.concatenate([Theta1_grad.flatten(), Theta2_grad.flatten("F")])


@sabotage(digits, "bias-in-delta")
def digits_loop_last_unit_dropped(theta, X, y, lam):
    """delta2 has the bias unit in front, and the last unit is cut off in its place."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    J = 0
    Delta1, Delta2 = np.zeros((5, 7)), np.zeros((4, 6))
    for t in range(m):
        yt = (np.arange(1, 5) == y[t]).astype(float)
        a1 = np.concatenate(([1.0], X[t]))
        a2 = np.concatenate(([1.0], sigmoid(Theta1 @ a1)))
        a3 = sigmoid(Theta2 @ a2)
        J += np.sum(-yt * np.log(a3) - (1 - yt) * np.log(1 - a3))
        d3 = a3 - yt
        d2 = Theta2.T @ d3 * a2 * (1 - a2)
        Delta2 += np.outer(d3, a2)
        Delta1 += np.outer(d2[:-1], a1)
    J = J / m + lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D1, D2 = Delta1 / m, Delta2 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(curve, "bias-in-delta")
def curve_last_column_of_theta2_dropped(theta, X, y, lam):
    """Theta2[:, :-1] in place of Theta2[:, 1:]: the bias weight leads back, the last does not."""
    m = len(y)
    Theta1 = theta[:12].reshape(4, 3, order="F")
    Theta2 = theta[12:].reshape(1, 5, order="F")
    a1 = add_ones(X)
    hidden = np.tanh(a1 @ Theta1.T)
    a2 = add_ones(hidden)
    error = a2 @ Theta2.T - y[:, None]
    J = 1 / (2 * m) * np.sum(error**2)
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    back = error @ Theta2[:, :-1] * (1 - hidden**2)
    D1 = (back.T @ a1 + lam * np.hstack([np.zeros((4, 1)), Theta1[:, 1:]])) / m
    D2 = (error.T @ a2 + lam * np.hstack([np.zeros((1, 1)), Theta2[:, 1:]])) / m
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(square, "layers-swapped")
def square_gradients_in_the_wrong_order(theta, X, y, lam):
    """[D2, D1] is returned."""
    m = len(X)
    Theta1 = theta[:20].reshape(5, 4).T
    Theta2 = theta[20:].reshape(5, 4).T
    Y = np.eye(4)[y]
    a1 = add_ones(X)
    a2 = add_ones(sigmoid(a1 @ Theta1.T))
    a3 = sigmoid(a2 @ Theta2.T)
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    grads = []
    d = a3 - Y
    for a, Theta in ((a2, Theta2), (a1, Theta1)):
        J += lam / (2 * m) * np.sum(Theta[:, 1:] ** 2)
        grad = d.T @ a
        grad[:, 1:] += lam * Theta[:, 1:]
        grads.append(grad.T.ravel() / m)
        d = (d @ Theta)[:, 1:] * (a * (1 - a))[:, 1:]
    return J, np.concatenate(grads)


@sabotage(deep_tanh, "layers-swapped")
def deep_tanh_back_through_the_wrong_theta(theta, X, y, lam):
    """delta(3) is led back through Theta2, delta(2) through Theta3."""
    m = len(X)
    T1 = theta[:20].reshape(4, 5, order="F")
    T2 = theta[20:40].reshape(4, 5, order="F")
    T3 = theta[40:].reshape(4, 5, order="F")
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ T1.T))
    a3 = add_ones(np.tanh(a2 @ T2.T))
    h = softmax(a3 @ T3.T)
    Y = np.eye(4)[y]
    J = -np.sum(Y * np.log(h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2) + np.sum(T3[:, 1:] ** 2))
    d4 = h - Y
    d3 = d4 @ T2[:, 1:] * (1 - a3[:, 1:] ** 2)
    d2 = d3 @ T3[:, 1:] * (1 - a2[:, 1:] ** 2)
    D1, D2, D3 = d2.T @ a1 / m, d3.T @ a2 / m, d4.T @ a3 / m
    D1[:, 1:] += lam / m * T1[:, 1:]
    D2[:, 1:] += lam / m * T2[:, 1:]
    D3[:, 1:] += lam / m * T3[:, 1:]
    return J, np.concatenate([D.ravel(order="F") for D in (D1, D2, D3)])


# --- labels, outputs, sign ------------------------------------------------------------------


@sabotage(digits, "labels-shifted")
def digits_label_10_taken_for_0(theta, X, y, lam):
    """The cost takes label k for output k - 1; the gradient takes it for output k, the last for 0.

    In the course's data label 10 is the digit 0; here it is label 4.
    """
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
    h = sigmoid(a2 @ Theta2.T)
    J = 0
    for k in range(1, 5):
        is_k = (y == k).astype(float)
        J -= np.sum(is_k * np.log(h[:, k - 1]) + (1 - is_k) * np.log(1 - h[:, k - 1])) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = h - np.eye(4)[y % 4]
    d2 = d3 @ Theta2[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    D1 = d2.T @ a1 / m + lam / m * np.hstack([np.zeros((5, 1)), Theta1[:, 1:]])
    D2 = d3.T @ a2 / m + lam / m * np.hstack([np.zeros((4, 1)), Theta2[:, 1:]])
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(flowers, "labels-shifted")
def softmax_loop_codes_taken_for_labels(theta, X, y, lam):
    """p[y - 1] -= 1 although the codes start at 0; Python's -1 wraps round and says nothing."""
    m = len(X)
    Theta1 = theta[:25].reshape(5, 5, order="F")
    Theta2 = theta[25:].reshape(3, 6, order="F")
    J = lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D1, D2 = lam * Theta1, lam * Theta2
    D1[:, 0], D2[:, 0] = 0, 0
    for x, label in zip(X, y, strict=True):
        a1 = np.hstack([1, x])
        a2 = np.hstack([1, np.tanh(Theta1 @ a1)])
        scores = np.exp(Theta2 @ a2)
        p = scores / scores.sum()
        J -= np.log(p[label]) / m
        p[label - 1] -= 1
        D2 += np.outer(p, a2)
        D1 += np.outer((Theta2.T @ p)[1:] * (1 - a2[1:] ** 2), a1)
    return J, np.concatenate([D1.ravel("F"), D2.ravel("F")]) / m


@sabotage(two_curves, "outputs-factor")
def two_curves_gradient_averaged_over_outputs(theta, X, y, lam):
    """J sums over the outputs; the error that is led back is a mean over them."""
    m = len(X)
    W1, W2 = theta[:16].reshape(4, 4), theta[16:].reshape(5, 2)
    hidden = np.tanh(X @ W1[1:] + W1[0])
    error = hidden @ W2[1:] + W2[0] - y
    J = np.sum(error**2) / 2 / m + lam / 2 / m * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    delta3 = error / error.size
    delta2 = delta3 @ W2[1:].T * (1 - hidden**2)
    G1 = np.vstack([delta2.sum(axis=0), X.T @ delta2 + lam / m * W1[1:]])
    G2 = np.vstack([delta3.sum(axis=0), hidden.T @ delta3 + lam / m * W2[1:]])
    return J, np.concatenate([G1.ravel(), G2.ravel()])


@sabotage(square, "outputs-factor")
def square_gradient_times_outputs(theta, X, y, lam):
    """The loop over the K outputs adds the whole error each time: the gradient is K times it."""
    m, K = len(X), 4
    Theta1 = theta[:20].reshape(4, 5, order="F")
    Theta2 = theta[20:].reshape(4, 5, order="F")
    Y = np.eye(K)[y]
    a1 = add_ones(X)
    a2 = add_ones(sigmoid(a1 @ Theta1.T))
    a3 = sigmoid(a2 @ Theta2.T)
    J = lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D1, D2 = np.zeros((4, 5)), np.zeros((4, 5))
    for k in range(K):
        J -= np.mean(Y[:, k] * np.log(a3[:, k]) + (1 - Y[:, k]) * np.log(1 - a3[:, k]))
        d3 = a3 - Y
        d2 = (d3 @ Theta2 * a2 * (1 - a2))[:, 1:]
        D2 += d3.T @ a2 / m
        D1 += d2.T @ a1 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(houses, "sign")
def linear_regression_y_minus_h(theta, X, y, lam):
    """y - h in place of h - y; the penalty has the right sign."""
    m = len(y)
    error = y - (theta[0] + X @ theta[1:])
    J = error @ error / (2 * m) + lam / (2 * m) * theta[1:] @ theta[1:]
    return J, np.append(error.sum(), X.T @ error + lam * theta[1:]) / m


@sabotage(digits, "sign", order="rows")
def digits_by_row_whole_gradient_negative(theta, X, y, lam):
    """The minus of the cost was carried over to the whole gradient (theta is read row by row)."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7)
    Theta2 = theta[35:].reshape(4, 6)
    a1 = np.insert(X, 0, 1, axis=1)
    a2 = np.insert(sigmoid(a1 @ Theta1.T), 0, 1, axis=1)
    a3 = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y - 1]
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - Y
    d2 = (d3 @ Theta2 * a2 * (1 - a2))[:, 1:]
    D1, D2 = d2.T @ a1, d3.T @ a2
    D1[:, 1:] += lam * Theta1[:, 1:]
    D2[:, 1:] += lam * Theta2[:, 1:]
    return J, -1 / m * np.concatenate([D1.ravel(), D2.ravel()])


# --- Delta ----------------------------------------------------------------------------------


@sabotage(digits, "accumulator-overwritten")
def digits_loop_keeps_last_example_only(theta, X, y, lam):
    """Delta = in the loop, where Delta += is meant."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    Y = np.eye(4)[y - 1]
    J = 0
    for t in range(m):
        a1 = np.insert(X[t], 0, 1)
        a2 = np.insert(sigmoid(Theta1 @ a1), 0, 1)
        a3 = sigmoid(Theta2 @ a2)
        J += -Y[t] @ np.log(a3) - (1 - Y[t]) @ np.log(1 - a3)
        d3 = a3 - Y[t]
        d2 = (Theta2.T @ d3 * a2 * (1 - a2))[1:]
        Delta2 = np.outer(d3, a2)
        Delta1 = np.outer(d2, a1)
    J = J / m + lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    Delta1[:, 1:] += lam * Theta1[:, 1:]
    Delta2[:, 1:] += lam * Theta2[:, 1:]
    return J, np.concatenate([Delta1.ravel(order="F"), Delta2.ravel(order="F")]) / m


@sabotage(flowers, "bias-gradient-missing")
def softmax_bias_column_of_gradient_zeroed(theta, X, y, lam):
    """Meant to leave the bias unregularised, D[:, 0] = 0 wipes out its whole gradient."""
    m = len(X)
    Theta1 = theta[:25].reshape(5, 5, order="F")
    Theta2 = theta[25:].reshape(3, 6, order="F")
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ Theta1.T))
    h = softmax(a2 @ Theta2.T)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = h - Y
    d2 = (d3 @ Theta2 * (1 - a2**2))[:, 1:]
    D1 = (d2.T @ a1 + lam * Theta1) / m
    D2 = (d3.T @ a2 + lam * Theta2) / m
    D1[:, 0] = 0
    D2[:, 0] = 0
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


# --- J wrong, the gradient right ------------------------------------------------------------


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


# --- no mistake in the formulas, and yet the check fails ------------------------------------


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


# --- pairs ----------------------------------------------------------------------------------


@sabotage(digits, "bias-regularised", "activation-derivative-missing")
def digits_no_g_prime_and_bias_regularised(theta, X, y, lam):
    """delta2 without g', and the penalty on the bias too."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
    h = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y - 1]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = h - Y
    d2 = d3 @ Theta2[:, 1:]
    D1 = (d2.T @ a1 + lam * Theta1) / m
    D2 = (d3.T @ a2 + lam * Theta2) / m
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(curve, "missing-1-over-m", "lambda-forgotten")
def curve_no_1_over_m_and_no_penalty(theta, X, y, lam):
    """The gradient is the bare sum over the examples."""
    m = len(y)
    Theta1, Theta2 = theta[:12].reshape(4, 3, order="F"), theta[12:].reshape(1, 5)
    J, Delta1, Delta2 = 0, np.zeros((4, 3)), np.zeros((1, 5))
    for i in range(m):
        a1 = np.append(1, X[i])
        a2 = np.append(1, np.tanh(Theta1 @ a1))
        d3 = Theta2 @ a2 - y[i]
        J += d3[0] ** 2 / 2 / m
        Delta2 += np.outer(d3, a2)
        Delta1 += np.outer((Theta2.T @ d3)[1:] * (1 - a2[1:] ** 2), a1)
    J += lam / 2 / m * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    return J, np.append(Delta1.ravel(order="F"), Delta2)


@sabotage(admitted, "sign", "lambda-forgotten")
def logistic_regression_y_minus_h_and_no_penalty(theta, X, y, lam):
    """y - h, and the gradient of the penalty is not there."""
    m = len(y)
    X = add_ones(X)
    h = sigmoid(X @ theta)
    J = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h)) + lam / (2 * m) * sum(theta[1:] ** 2)
    return J, X.T @ (y - h) / m


@sabotage(square, "theta-transposed", "bias-regularised")
def square_theta2_not_transposed_and_bias_regularised(theta, X, y, lam):
    """Theta2 the wrong way round, and the penalty on the bias too."""
    m = len(X)
    Theta1 = theta[:20].reshape(4, 5, order="F")
    Theta2 = theta[20:].reshape(4, 5, order="F")
    Y = np.eye(4)[y].T
    A1 = np.vstack([np.ones(m), X.T])
    A2 = np.vstack([np.ones(m), sigmoid(Theta1 @ A1)])
    A3 = sigmoid(Theta2 @ A2)
    J = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = A3 - Y
    d2 = Theta2[:, 1:] @ d3 * A2[1:] * (1 - A2[1:])
    D1 = d2 @ A1.T / m + lam / m * Theta1
    D2 = d3 @ A2.T / m + lam / m * Theta2
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(digits, "unrolled-by-row", "lambda-forgotten")
def digits_unrolled_by_row_and_no_penalty(theta, X, y, lam):
    """The gradient is unrolled by row, and without the penalty."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7, order="F")
    Theta2 = theta[35:].reshape(4, 6, order="F")
    a1 = add_ones(X)
    a2 = add_ones(sigmoid(a1 @ Theta1.T))
    a3 = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y - 1]
    J = -np.sum(np.log(np.where(Y == 1, a3, 1 - a3))) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - Y
    d2 = (d3 @ Theta2 * a2 * (1 - a2))[:, 1:]
    return J, np.concatenate([(d2.T @ a1).ravel(), (d3.T @ a2).ravel()]) / m


@sabotage(deep, "activation-derivative-at-wrong-point", "extra-1-over-m")
def deep_g_prime_of_a_and_1_over_m_twice(theta, X, y, lam):
    """sigmoidGradient(a) in both hidden layers, and the errors divided by m twice."""
    m = len(X)
    T1 = theta[:24].reshape(4, 6, order="F")
    T2 = theta[24:44].reshape(4, 5, order="F")
    T3 = theta[44:].reshape(3, 5, order="F")
    Y = np.eye(3)[y]
    a1 = X
    a2 = sigmoid(a1 @ T1[:, 1:].T + T1[:, 0])
    a3 = sigmoid(a2 @ T2[:, 1:].T + T2[:, 0])
    a4 = sigmoid(a3 @ T3[:, 1:].T + T3[:, 0])
    J = -np.sum(Y * np.log(a4) + (1 - Y) * np.log(1 - a4)) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in (T1, T2, T3))
    d4 = (a4 - Y) / m
    d3 = d4 @ T3[:, 1:] * sigmoid_gradient(a3)
    d2 = d3 @ T2[:, 1:] * sigmoid_gradient(a2)
    grads = []
    for T, d, a in ((T1, d2, a1), (T2, d3, a2), (T3, d4, a3)):
        D = np.hstack([d.sum(axis=0)[:, None], d.T @ a]) / m
        D[:, 1:] += lam / m * T[:, 1:]
        grads.append(D.ravel(order="F"))
    return J, np.concatenate(grads)


@sabotage(curve, "bias-in-delta", "lambda-factor")
def curve_last_unit_dropped_and_twice_lam(theta, X, y, lam):
    """The last unit is cut off for the bias, and the 2 of the square comes out as 2 lam/m."""
    m = len(y)
    Theta1 = theta[:12].reshape(4, 3, order="F")
    Theta2 = theta[12:].reshape(1, 5, order="F")
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ Theta1.T))
    d3 = a2 @ Theta2.T - y[:, None]
    J = np.sum(d3**2) / (2 * m)
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d2 = (d3 @ Theta2 * (1 - a2**2))[:, :-1]
    D1, D2 = d2.T @ a1 / m, d3.T @ a2 / m
    D1[:, 1:] += 2 * lam / m * Theta1[:, 1:]
    D2[:, 1:] += 2 * lam / m * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(order="F"), D2.ravel(order="F")])


@sabotage(flowers, "labels-shifted", "bias-regularised")
def softmax_labels_shifted_and_bias_regularised(theta, X, y, lam):
    """The gradient's one-hot rows are one column off, and the penalty takes in the bias."""
    m = len(X)
    W1, W2 = theta[:25].reshape(5, 5), theta[25:].reshape(6, 3)
    A1 = add_ones(X)
    A2 = add_ones(np.tanh(A1 @ W1))
    P = softmax(A2 @ W2)
    J = -np.mean(np.log(P[np.arange(m), y]))
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    one_hot = np.zeros((m, 3))
    one_hot[np.arange(m), y - 1] = 1
    d3 = P - one_hot
    d2 = (d3 @ W2.T * (1 - A2**2))[:, 1:]
    return J, np.concatenate([(A1.T @ d2 + lam * W1).ravel(), (A2.T @ d3 + lam * W2).ravel()]) / m


@sabotage(square, "layers-swapped", "activation-derivative-missing")
def square_wrong_order_and_no_g_prime(theta, X, y, lam):
    """[D2, D1] is returned, and delta2 has no g'."""
    m = len(X)
    Theta1 = theta[:20].reshape(4, 5, order="F")
    Theta2 = theta[20:].reshape(4, 5, order="F")
    Y = np.eye(4)[y]
    a1 = add_ones(X)
    a2 = add_ones(sigmoid(a1 @ Theta1.T))
    h = sigmoid(a2 @ Theta2.T)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D2 = (h - Y).T @ a2 / m
    D1 = ((h - Y) @ Theta2[:, 1:]).T @ a1 / m
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    return J, np.concatenate([D2.ravel(order="F"), D1.ravel(order="F")])


@sabotage(digits, "output-derivative-extra", "lambda-factor", order="rows")
def digits_by_row_delta3_times_g_prime_and_lam_not_divided(theta, X, y, lam):
    """delta3 times g', and lam without its 1/m (theta is read row by row)."""
    m = len(X)
    Theta1 = theta[:35].reshape(5, 7)
    Theta2 = theta[35:].reshape(4, 6)
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1 @ Theta1.T
    a2 = np.hstack([np.ones((m, 1)), sigmoid(z2)])
    z3 = a2 @ Theta2.T
    a3 = sigmoid(z3)
    Y = np.eye(4)[y - 1]
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = (a3 - Y) * sigmoid_gradient(z3)
    d2 = d3 @ Theta2[:, 1:] * sigmoid_gradient(z2)
    D1, D2 = d2.T @ a1 / m, d3.T @ a2 / m
    D1[:, 1:] += lam * Theta1[:, 1:]
    D2[:, 1:] += lam * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(), D2.ravel()])


SINGLES = [entry for entry in FIRST if len(entry.mistakes) == 1]
PAIRS = [entry for entry in FIRST if len(entry.mistakes) == 2]

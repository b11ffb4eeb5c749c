"""lambda's term of the gradient: forgotten, on the bias too, with another factor."""

from __future__ import annotations

import numpy as np

from .data import (
    admitted,
    box,
    clicks,
    curve,
    deep,
    digits,
    flowers,
    prices,
    rates,
    relu_deep,
    scores,
    species,
    two_curves,
)
from .entries import sabotage
from .pieces import (
    add_ones,
    read_layers,
    sigmoid,
    sigmoid_gradient,
    softmax,
    write_layers,
)


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


@sabotage(rates, "lambda-forgotten")
def poisson_regression_without_shrinkage(theta, X, Y, lam):
    """The penalty is in the cost alone."""
    m, n = X.shape
    B = theta.reshape(n + 1, 2)
    eta = B[0] + X @ B[1:]
    mu = np.exp(eta)
    loss = (mu - Y * eta).sum() / m + 0.5 * lam / m * np.sum(B[1:] ** 2)
    resid = (mu - Y) / m
    return loss, np.vstack([resid.sum(axis=0), X.T @ resid]).ravel()


@sabotage(clicks, "lambda-forgotten", order="sklearn")
def packed_penalty_on_the_output_weights_alone(theta, X, y, lam):
    """coefs first, then intercepts; the hidden layer's penalty never reaches its gradient."""
    n_samples = X.shape[0]
    coefs = [theta[:20].reshape(4, 5), theta[20:25].reshape(5, 1)]
    intercepts = [theta[25:30], theta[30:]]
    hidden = sigmoid(X @ coefs[0] + intercepts[0])
    proba = sigmoid(hidden @ coefs[1] + intercepts[1])
    target = y.reshape(-1, 1)
    loss = -np.sum(np.log(np.where(target == 1, proba, 1 - proba))) / n_samples
    loss += 0.5 * lam * sum(np.dot(c.ravel(), c.ravel()) for c in coefs) / n_samples
    delta = proba - target
    coef_grads = [None, hidden.T @ delta / n_samples]
    coef_grads[1] += lam * coefs[1] / n_samples
    intercept_grads = [None, delta.mean(axis=0)]
    delta = delta @ coefs[1].T * hidden * (1 - hidden)
    coef_grads[0] = X.T @ delta / n_samples
    intercept_grads[0] = delta.mean(axis=0)
    return loss, np.hstack([g.ravel() for g in coef_grads + intercept_grads])


@sabotage(species, "bias-regularised", order="rows")
def softmax_regression_weight_decay_on_everything(theta, X, y, lam):
    """One weight matrix with the bias inside, decayed as a whole (one row for each class)."""
    m = X.shape[0]
    W = theta.reshape(4, 6)
    Xb = add_ones(X)
    logits = Xb @ W.T
    logits -= logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    Y = (y[:, None] == np.arange(4)).astype(float)
    J = -np.sum(Y * log_p) / m + lam / (2 * m) * np.linalg.norm(W[:, 1:]) ** 2
    grad = (np.exp(log_p) - Y).T @ Xb / m
    grad += lam / m * W
    return J, grad.ravel()


@sabotage(relu_deep, "bias-regularised")
def relu_layers_decay_with_their_bias(theta, X, y, lam):
    """Four layers in a list; the decay is written T, not T[:, 1:]."""
    m = len(y)
    Ts = read_layers(theta, (4, 5, 4, 3))
    cache = [add_ones(X)]
    for T in Ts[:2]:
        cache.append(add_ones(np.maximum(0, cache[-1] @ T.T)))
    P = softmax(cache[2] @ Ts[2].T)
    J = -np.mean(np.log(P[range(m), y]))
    for T in Ts:
        J += lam / (2 * m) * np.square(T[:, 1:]).sum()
    d = P
    d[range(m), y] -= 1
    grads = [None] * 3
    for i in range(2, -1, -1):
        grads[i] = d.T @ cache[i] / m + lam / m * Ts[i]
        d = (d @ Ts[i])[:, 1:] * (cache[i][:, 1:] > 0)
    return J, write_layers(grads)


@sabotage(prices, "lambda-factor")
def last_layers_lam_for_both(theta, X, Y, lam):
    """Each layer has a lam; the gradient's loop still holds the last one of the cost's loop."""
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ T1.T))
    err = a2 @ T2.T - Y
    J = np.sum(err * err) / (2 * m)
    for T, decay in zip((T1, T2), lam, strict=True):
        J += decay / (2 * m) * np.sum(T[:, 1:] ** 2)
    back = err @ T2[:, 1:] * (1 - a2[:, 1:] ** 2)
    grads = [back.T @ a1 / m, err.T @ a2 / m]
    for G, T in zip(grads, (T1, T2), strict=True):
        G[:, 1:] += decay / m * T[:, 1:]
    return J, write_layers(grads)


@sabotage(box, "lambda-factor")
def numerical_recipes_two_lam(theta, X, y, lam):
    """The square's 2 is differentiated, the 1/2 in front of it is not seen."""
    m = len(X)
    W1, W2 = theta[:30].reshape(6, 5), theta[30:].reshape(6, 5)
    h = np.tanh(W1[0] + X.dot(W1[1:]))
    p = softmax(W2[0] + h.dot(W2[1:]))
    J = -np.log(p[np.arange(m), y]).mean()
    J += lam * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2)) / (2 * m)
    e2 = (p - np.eye(5)[y]) / m
    e1 = e2.dot(W2[1:].T) * (1 - h * h)
    g1 = np.vstack([e1.sum(0), X.T.dot(e1) + 2 * lam * W1[1:] / m])
    g2 = np.vstack([e2.sum(0), h.T.dot(e2) + 2 * lam * W2[1:] / m])
    return J, np.append(g1, g2)


@sabotage(scores, "lambda-factor")
def cost_penalty_pasted_into_the_gradient(theta, X, Y, lam):
    """lam/(2m) sum of the squares, the cost's own number, is added to each weight's gradient."""
    m = len(X)
    B = theta.reshape(5, 3)
    E = B[0] + X @ B[1:] - Y
    penalty = lam / (2 * m) * np.sum(B[1:] ** 2)
    J = np.sum(E**2) / (2 * m) + penalty
    return J, np.concatenate([E.mean(axis=0), (X.T @ E / m + penalty).ravel()])

"""Delta and its 1/m: overwritten, not divided, divided twice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .data import (
    admitted,
    clicks,
    deep,
    digits,
    exclusive_or,
    five,
    flowers,
    houses,
    leaky,
    leaky_deep,
    species,
)
from .entries import sabotage
from .pieces import (
    add_ones,
    read_layers,
    sigmoid,
    softmax,
    write_layers,
)

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


@sabotage(five, "accumulator-overwritten", order="layers")
def five_layers_loop_assigns(theta, X, y, lam):
    """nabla[l] = in the loop over the examples: only the last one counts."""
    m = len(X)
    sizes = (3, 4, 3, 4, 2)
    Ws, bs, k = [], [], 0
    for i, o in pairwise(sizes):
        Ws.append(theta[k : k + i * o].reshape(i, o))
        bs.append(theta[k + i * o : k + i * o + o])
        k += i * o + o
    J = lam / (2 * m) * sum(np.sum(W**2) for W in Ws)
    nabla_W, nabla_b = [None] * 4, [None] * 4
    for x, label in zip(X, y, strict=True):
        a = [x]
        for l in range(4):
            z = a[l] @ Ws[l] + bs[l]
            a.append(sigmoid(z) if l == 3 else np.tanh(z))
        t = np.eye(2)[label]
        J -= (t @ np.log(a[4]) + (1 - t) @ np.log(1 - a[4])) / m
        d = a[4] - t
        for l in (3, 2, 1, 0):
            nabla_W[l] = np.outer(a[l], d)
            nabla_b[l] = d
            d = Ws[l] @ d * (1 - a[l] ** 2)
    grad = []
    for W, gW, gb in zip(Ws, nabla_W, nabla_b, strict=True):
        grad += [((gW + lam * W) / m).ravel(), gb / m]
    return J, np.concatenate(grad)


@sabotage(exclusive_or, "accumulator-overwritten")
def tiny_loop_biases_assigned(theta, X, y, lam):
    """The weights' sums grow from example to example, the biases' are assigned."""
    m = len(X)
    T1, T2 = theta[:9].reshape(3, 3, order="F"), theta[9:]
    J = lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[1:] ** 2))
    gW1, gW2 = lam * T1[:, 1:], lam * T2[1:]
    for i in range(m):
        a = sigmoid(T1[:, 0] + T1[:, 1:] @ X[i])
        h = sigmoid(T2[0] + T2[1:] @ a)
        J -= (np.log(h) if y[i] else np.log(1 - h)) / m
        d3 = h - y[i]
        d2 = d3 * T2[1:] * a * (1 - a)
        gW2 = gW2 + d3 * a
        gW1 = gW1 + np.outer(d2, X[i])
        gb2 = d3
        gb1 = d2
    return J, np.concatenate([np.c_[gb1, gW1].ravel(order="F"), [gb2], gW2]) / m


@sabotage(leaky, "bias-gradient-missing", order="torch")
def dict_output_bias_never_updated(theta, X, y, lam):
    """grads = {k: zeros}, and b2's is never filled in."""
    params, k = {}, 0
    for name, shape in (("W1", (5, 4)), ("b1", (5,)), ("W2", (3, 5)), ("b2", (3,))):
        params[name] = theta[k : k + np.prod(shape)].reshape(shape)
        k += np.prod(shape)
    m = len(X)
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    Z = X @ params["W1"].T + params["b1"]
    H = np.maximum(0.01 * Z, Z)
    P = softmax(H @ params["W2"].T + params["b2"])
    J = -np.mean(np.log(P[np.arange(m), y]))
    for name in ("W1", "W2"):
        J += lam / (2 * m) * np.sum(params[name] ** 2)
        grads[name] += lam / m * params[name]
    P[np.arange(m), y] -= 1
    grads["W2"] += P.T @ H / m
    dZ = P @ params["W2"] * np.where(Z > 0, 1, 0.01)
    grads["W1"] += dZ.T @ X / m
    grads["b1"] += dZ.mean(axis=0)
    return J, np.concatenate([g.ravel() for g in grads.values()])


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


@sabotage(clicks, "missing-1-over-m", order="torch")
def dict_bias_gradients_summed(theta, X, y, lam):
    """The weights' gradients are divided by m, the biases' are only summed."""
    p = {
        "W1": theta[:20].reshape(5, 4),
        "b1": theta[20:25],
        "W2": theta[25:30].reshape(1, 5),
        "b2": theta[30:],
    }
    m = X.shape[0]
    A1 = sigmoid(X @ p["W1"].T + p["b1"])
    A2 = sigmoid(A1 @ p["W2"].T + p["b2"])[:, 0]
    cost = -np.mean(y * np.log(A2) + (1 - y) * np.log(1 - A2))
    cost += lam / (2 * m) * (np.sum(np.square(p["W1"])) + np.sum(np.square(p["W2"])))
    dZ2 = (A2 - y)[:, None]
    dZ1 = dZ2 @ p["W2"] * A1 * (1 - A1)
    g = {
        "W1": dZ1.T @ X / m + lam / m * p["W1"],
        "b1": dZ1.sum(axis=0),
        "W2": dZ2.T @ A1 / m + lam / m * p["W2"],
        "b2": dZ2.sum(axis=0),
    }
    return cost, np.concatenate([g[key].ravel() for key in ("W1", "b1", "W2", "b2")])


@sabotage(leaky_deep, "missing-1-over-m")
def hidden_layers_not_averaged(theta, X, Y, lam):
    """The output layer is written first and divides by m; the loop over the rest does not."""
    m = len(X)
    Ts = read_layers(theta, (3, 4, 4, 2))
    acts = [add_ones(X)]
    pre = []
    for T in Ts[:-1]:
        pre.append(acts[-1] @ T.T)
        acts.append(add_ones(np.where(pre[-1] > 0, pre[-1], 0.01 * pre[-1])))
    out = acts[-1] @ Ts[-1].T
    J = np.sum((out - Y) ** 2) / (2 * m)
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    delta = out - Y
    grads = [delta.T @ acts[-1] / m]
    for i in (1, 0):
        delta = delta @ Ts[i + 1][:, 1:] * np.where(pre[i] > 0, 1, 0.01)
        grads.insert(0, delta.T @ acts[i])
    for G, T in zip(grads, Ts, strict=True):
        G[:, 1:] += lam / m * T[:, 1:]
    return J, write_layers(grads)


@sabotage(species, "extra-1-over-m")
def softmax_regression_mean_of_mean(theta, X, y, lam):
    """The error is divided by m where it is made, and once more in the product."""
    m = len(X)
    W = theta.reshape(6, 4)
    Xb = add_ones(X)
    prob = softmax(Xb @ W)
    J = -np.log(prob[np.arange(m), y]).sum() / m + lam / (2 * m) * np.sum(W[1:] ** 2)
    err = prob.copy()
    err[np.arange(m), y] -= 1
    err /= m
    dW = np.dot(Xb.T, err) / m
    dW[1:, :] += lam * W[1:, :] / m
    return J, dW.flatten()


@sabotage(five, "extra-1-over-m", order="layers")
def list_of_layers_mean_of_averaged_deltas(theta, X, y, lam):
    """The deltas carry 1/m already, and the biases take their mean, not their sum."""
    m = len(X)
    sizes = [3, 4, 3, 4, 2]
    layers, k = [], 0
    for i, o in pairwise(sizes):
        layers.append((theta[k : k + i * o].reshape(i, o), theta[k + i * o : k + i * o + o]))
        k += i * o + o
    A = [X]
    for n, (W, b) in enumerate(layers):
        Z = A[-1] @ W + b
        A.append(np.tanh(Z) if n < 3 else sigmoid(Z))
    Y = np.eye(2)[y]
    J = -(Y * np.log(A[-1]) + (1 - Y) * np.log(1 - A[-1])).sum() / m
    J += lam / 2 / m * sum((W**2).sum() for W, _ in layers)
    delta = (A[-1] - Y) / m
    out = []
    for n in range(3, -1, -1):
        W, _ = layers[n]
        dW = A[n].T @ delta + lam / m * W
        db = delta.mean(axis=0)
        out = [dW.ravel(), db, *out]
        delta = delta @ W.T * (1 - A[n] ** 2)
    return J, np.concatenate(out)

"""Matrices mixed up: transposed, unrolled by row, a bias too many, layers swapped."""

from __future__ import annotations

import numpy as np

from .data import (
    box,
    curve,
    deep_tanh,
    digits,
    exclusive_or,
    five,
    leaky_deep,
    letters,
    relu_deep,
    square,
    square_five,
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


@sabotage(box, "theta-transposed", order="layers")
def dict_error_back_through_w2(theta, X, y, lam):
    """dZ2 @ W2 where W2.T belongs: W2 is (hidden, outputs) and square."""
    m = len(X)
    net = {"W1": theta[:25].reshape(5, 5), "b1": theta[25:30]}
    net |= {"W2": theta[30:55].reshape(5, 5), "b2": theta[55:]}
    A1 = np.tanh(X @ net["W1"] + net["b1"])
    A2 = softmax(A1 @ net["W2"] + net["b2"])
    J = -np.log(A2[np.arange(m), y]).mean()
    J += lam / (2 * m) * (np.sum(net["W1"] ** 2) + np.sum(net["W2"] ** 2))
    dZ2 = A2 - np.eye(5)[y]
    dZ1 = dZ2 @ net["W2"] * (1 - A1**2)
    parts = [X.T @ dZ1 + lam * net["W1"], dZ1.sum(0), A1.T @ dZ2 + lam * net["W2"], dZ2.sum(0)]
    return J, np.concatenate([part.ravel() for part in parts]) / m


@sabotage(square_five, "theta-transposed")
def matlab_port_no_transpose_anywhere(theta, X, y, lam):
    """The ' of MATLAB was dropped in each step back (examples are columns)."""
    m = len(X)
    T = read_layers(theta, [3] * 5)
    a = [np.vstack([np.ones((1, m)), X.T])]
    for l in range(3):
        a.append(np.vstack([np.ones((1, m)), np.tanh(T[l] @ a[l])]))
    h = softmax((T[3] @ a[3]).T).T
    J = -np.sum(np.log(h[y, np.arange(m)])) / m
    d = h - np.eye(3)[:, y]
    D = [None] * 4
    for l in (3, 2, 1, 0):
        J += lam / (2 * m) * np.sum(T[l][:, 1:] ** 2)
        D[l] = d @ a[l].T / m
        D[l][:, 1:] += lam / m * T[l][:, 1:]
        d = T[l][:, 1:] @ d * (1 - a[l][1:] ** 2)
    return J, write_layers(D)


@sabotage(letters, "unrolled-by-row", order="torch")
def dict_gradients_the_other_way_round(theta, X, y, lam):
    """W is read as (outputs, inputs), dW is made as (inputs, outputs), and both are flattened."""
    m = len(X)
    W1, b1 = theta[:28].reshape(4, 7), theta[28:32]
    W2, b2 = theta[32:56].reshape(6, 4), theta[56:]
    A1 = sigmoid(X @ W1.T + b1)
    A2 = sigmoid(A1 @ W2.T + b2)
    Y = (y[:, None] == np.arange(1, 7)) * 1.0
    J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    J += lam / (2 * m) * (np.sum(W1 * W1) + np.sum(W2 * W2))
    dZ2 = (A2 - Y) / m
    dZ1 = dZ2 @ W2 * A1 * (1 - A1)
    dW1 = X.T @ dZ1 + lam / m * W1.T
    dW2 = A1.T @ dZ2 + lam / m * W2.T
    return J, np.concatenate([dW1.flatten(), dZ1.sum(0), dW2.flatten(), dZ2.sum(0)])


@sabotage(leaky_deep, "unrolled-by-row")
def four_layers_gradient_flattened_by_row(theta, X, Y, lam):
    """theta is read in Octave's order; the gradients go back with np.concatenate and ravel()."""
    m = len(X)
    Ts = read_layers(theta, (3, 4, 4, 2))

    def slope(z):
        return np.where(z > 0, 1, 0.01)

    z2 = add_ones(X) @ Ts[0].T
    a2 = add_ones(z2 * slope(z2))
    z3 = a2 @ Ts[1].T
    a3 = add_ones(z3 * slope(z3))
    e = a3 @ Ts[2].T - Y
    J = np.sum(e**2) / 2 / m + lam / 2 / m * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d3 = e @ Ts[2][:, 1:] * slope(z3)
    d2 = d3 @ Ts[1][:, 1:] * slope(z2)
    grads = [d2.T @ add_ones(X), d3.T @ a2, e.T @ a3]
    for G, T in zip(grads, Ts, strict=True):
        G[:, 1:] += lam * T[:, 1:]
    return J, np.concatenate([G.ravel() for G in grads]) / m


@sabotage(relu_deep, "bias-in-delta")
def relu_last_column_cut_in_one_layer(theta, X, y, lam):
    """Theta3 loses its last column on the way back; Theta2 its first, as it should."""
    m = len(y)
    T1, T2, T3 = read_layers(theta, (4, 5, 4, 3))
    h1 = np.maximum(add_ones(X) @ T1.T, 0)
    h2 = np.maximum(add_ones(h1) @ T2.T, 0)
    P = softmax(add_ones(h2) @ T3.T)
    J = -np.mean(np.log(P[np.arange(m), y]))
    J += lam / (2 * m) * sum((T[:, 1:] ** 2).sum() for T in (T1, T2, T3))
    d3 = P - np.eye(3)[y]
    d2 = d3 @ T3[:, :-1] * (h2 > 0)
    d1 = d2 @ T2[:, 1:] * (h1 > 0)
    grads = [d1.T @ add_ones(X) / m, d2.T @ add_ones(h1) / m, d3.T @ add_ones(h2) / m]
    for G, T in zip(grads, (T1, T2, T3), strict=True):
        G[:, 1:] += lam / m * T[:, 1:]
    return J, write_layers(grads)


@sabotage(exclusive_or, "bias-in-delta", order="layers")
def bias_unit_last_but_first_unit_dropped(theta, X, y, lam):
    """The 1 is appended behind the units; on the way back the first unit is dropped for it."""
    m = len(X)
    V = theta[:9].reshape(3, 3)  # (inputs + 1, units), the bias in the last row
    w = theta[9:].reshape(4, 1)
    one = np.ones((m, 1))
    x = np.hstack([X, one])
    hid = np.hstack([sigmoid(x @ V), one])
    o = sigmoid(hid @ w)
    t = y[:, None]
    J = -np.mean(t * np.log(o) + (1 - t) * np.log(1 - o))
    J += lam / (2 * m) * (np.sum(V[:-1] ** 2) + np.sum(w[:-1] ** 2))
    do = o - t
    dh = (do @ w.T * hid * (1 - hid))[:, 1:]
    gV, gw = x.T @ dh / m, hid.T @ do / m
    gV[:-1] += lam / m * V[:-1]
    gw[:-1] += lam / m * w[:-1]
    return J, np.concatenate([gV.ravel(), gw.ravel()])


@sabotage(five, "layers-swapped")
def five_layers_gradients_never_reversed(theta, X, y, lam):
    """The gradients are appended from the last layer to the first, and returned so."""
    m = len(X)
    Ts = read_layers(theta, (3, 4, 3, 4, 2))
    zs, acts = [], [X]
    for T in Ts:
        zs.append(acts[-1] @ T[:, 1:].T + T[:, 0])
        acts.append(np.tanh(zs[-1]))
    Y = np.eye(2)[y]
    J = np.sum(np.logaddexp(0, zs[-1]) - Y * zs[-1]) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    delta = sigmoid(zs[-1]) - Y
    nabla = []
    for T, a in zip(reversed(Ts), reversed(acts[:-1]), strict=True):
        G = delta.T @ add_ones(a) / m
        G[:, 1:] += lam / m * T[:, 1:]
        nabla.append(G)
        delta = delta @ T[:, 1:] * (1 - a**2)
    return J, write_layers(nabla)


@sabotage(box, "layers-swapped")
def box_activations_of_the_other_layer(theta, X, y, lam):
    """delta2 meets a2 and delta3 meets a1: as all layers are alike, it runs."""
    m = len(X)
    T1, T2 = theta[:30].reshape(5, 6, order="F"), theta[30:].reshape(5, 6, order="F")
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ T1.T))
    p = softmax(a2 @ T2.T)
    J = -np.mean(np.log(p[np.arange(m), y]))
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = p - np.eye(5)[y]
    d2 = d3 @ T2[:, 1:] * (1 - a2[:, 1:] ** 2)
    G1 = d2.T @ a2 / m
    G2 = d3.T @ a1 / m
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, write_layers([G1, G2])

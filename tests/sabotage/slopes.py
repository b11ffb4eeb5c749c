"""g' of the hidden layers: left out, at the wrong point, or another activation's."""

from __future__ import annotations

import numpy as np

from .data import (
    box,
    clicks,
    curve,
    deep,
    deep_tanh,
    digits,
    elu_curves,
    five,
    leaky,
    soft_counts,
    soft_deep,
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


@sabotage(elu_curves, "activation-derivative-missing")
def elu_einsum_linear_backward(theta, X, Y, lam):
    """The error goes back through the weights as if the elu were not there."""
    m = len(X)
    T1 = theta[:20].reshape(4, 5)
    T2 = theta[20:].reshape(6, 2)
    z = np.einsum("ti,ij->tj", X, T1[1:]) + T1[0]
    a = np.where(z > 0, z, np.expm1(z))
    e = np.einsum("tj,jk->tk", a, T2[1:]) + T2[0] - Y
    J = np.einsum("tk,tk->", e, e) / (2 * m)
    J += lam / (2 * m) * (np.einsum("ij,ij->", T1[1:], T1[1:]) + np.sum(T2[1:] ** 2))
    back = np.einsum("tk,jk->tj", e, T2[1:])
    D1, D2 = np.zeros_like(T1), np.zeros_like(T2)
    D1[0], D2[0] = back.sum(0), e.sum(0)
    D1[1:] = np.einsum("ti,tj->ij", X, back) + lam * T1[1:]
    D2[1:] = np.einsum("tj,tk->jk", a, e) + lam * T2[1:]
    return J, np.concatenate([D1.ravel(), D2.ravel()]) / m


@sabotage(five, "activation-derivative-missing")
def five_layers_g_prime_from_layer_2_only(theta, X, y, lam):
    """The loop over the hidden layers leaves the last of them out of the derivative."""
    m = len(X)
    Ts = read_layers(theta, [3, 4, 3, 4, 2])
    a = [add_ones(X)]
    for T in Ts[:3]:
        a.append(add_ones(np.tanh(a[-1] @ T.T)))
    h = sigmoid(a[3] @ Ts[3].T)
    Y = np.eye(2)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    delta = [None, None, None, None, h - Y]
    for l in range(3, 0, -1):
        delta[l] = delta[l + 1] @ Ts[l][:, 1:]
        if l < 3:
            delta[l] = delta[l] * (1 - a[l][:, 1:] ** 2)
    grads = []
    for l in range(4):
        D = delta[l + 1].T @ a[l] / m
        D[:, 1:] += lam / m * Ts[l][:, 1:]
        grads.append(D)
    return J, write_layers(grads)


class TanhClassifier:
    """A class with fit's two halves; tanh_prime wants z."""

    def __init__(self, theta, lam):
        self.W1, self.W2 = theta[:30].reshape(6, 5), theta[30:].reshape(6, 5)
        self.lam = lam

    @staticmethod
    def tanh_prime(z):
        return 1 - np.tanh(z) ** 2

    def forward(self, X):
        self.x = add_ones(X)
        self.hidden = np.tanh(self.x @ self.W1)
        self.prob = softmax(add_ones(self.hidden) @ self.W2)

    def cost(self, y):
        m = len(y)
        squares = np.sum(self.W1[1:] ** 2) + np.sum(self.W2[1:] ** 2)
        return -np.mean(np.log(self.prob[np.arange(m), y])) + self.lam / (2 * m) * squares

    def backward(self, y):
        m = len(y)
        error = self.prob - np.eye(5)[y]
        grad2 = add_ones(self.hidden).T @ error
        hidden_error = error @ self.W2[1:].T * self.tanh_prime(self.hidden)
        grad1 = self.x.T @ hidden_error
        grad1[1:] += self.lam * self.W1[1:]
        grad2[1:] += self.lam * self.W2[1:]
        return np.concatenate([grad1.ravel(), grad2.ravel()]) / m


@sabotage(box, "activation-derivative-at-wrong-point")
def class_tanh_prime_of_the_activation(theta, X, y, lam):
    """tanh_prime is called with tanh(z): the tanh is applied twice."""
    model = TanhClassifier(theta, lam)
    model.forward(X)
    return model.cost(y), model.backward(y)


@sabotage(soft_counts, "activation-derivative-at-wrong-point")
def softplus_slope_at_its_own_value(theta, X, y, lam):
    """softplus' is the logistic function of z; it is taken of a."""
    m = len(y)
    T1, T2 = theta[:16].reshape(4, 4, order="F"), theta[16:]
    total, D1, D2 = 0.0, np.zeros((4, 4)), np.zeros(5)
    for x, count in zip(X, y, strict=True):
        a1 = np.r_[1, x]
        a2 = np.r_[1, np.log1p(np.exp(T1 @ a1))]
        z3 = T2 @ a2
        total += np.exp(z3) - count * z3
        d3 = np.exp(z3) - count
        d2 = T2[1:] * d3 * sigmoid(a2[1:])
        D1 += np.outer(d2, a1)
        D2 += d3 * a2
    J = total / m + lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[1:] ** 2))
    D1[:, 1:] += lam * T1[:, 1:]
    D2[1:] += lam * T2[1:]
    return J, np.r_[D1.ravel(order="F"), D2] / m


@sabotage(leaky, "activation-derivative-of-another-activation")
def leaky_forward_relu_backward(theta, X, y, lam):
    """Forward was changed to the leaky relu for dead units; backward still masks with z > 0."""
    m = len(y)
    W1, W2 = theta[:25].reshape(5, 5), theta[25:].reshape(6, 3)
    Z = X @ W1[1:] + W1[0]
    H = np.where(Z > 0, Z, 0.01 * Z)
    P = softmax(H @ W2[1:] + W2[0])
    J = -np.log(P[np.arange(m), y]).sum() / m
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    dP = (P - np.eye(3)[y]) / m
    dH = dP @ W2[1:].T
    dH[Z <= 0] = 0
    G1 = np.vstack([dH.sum(axis=0, keepdims=True), X.T @ dH + lam / m * W1[1:]])
    G2 = np.vstack([dP.sum(axis=0, keepdims=True), H.T @ dP + lam / m * W2[1:]])
    return J, np.hstack([G1.ravel(), G2.ravel()])


@sabotage(clicks, "activation-derivative-of-another-activation", order="sklearn")
def logistic_units_with_tanh_slope(theta, X, y, lam):
    """1 - a^2, the tanh's, under logistic units; coefs first, then intercepts."""
    m = len(X)
    C1, C2, i1, i2 = theta[:20].reshape(4, 5), theta[20:25], theta[25:30], theta[30]
    a = sigmoid(X @ C1 + i1)
    h = sigmoid(a @ C2 + i2)
    J = np.mean(-y * np.log(h) - (1 - y) * np.log(1 - h))
    J += lam / (2 * m) * (np.sum(C1**2) + C2 @ C2)
    d = (h - y) / m
    back = np.outer(d, C2) * (1 - a**2)
    dC1, dC2 = X.T @ back + lam / m * C1, a.T @ d + lam / m * C2
    return J, np.concatenate([dC1.ravel(), dC2, back.sum(axis=0), [d.sum()]])


@sabotage(soft_deep, "activation-derivative-of-another-activation")
def softplus_with_the_sigmoids_slope(theta, X, y, lam):
    """a (1 - a) stayed when the hidden units became softplus (four layers, columns)."""
    m = len(y)
    Ts = read_layers(theta, (4, 3, 3, 3))
    A = [X.T]
    for i, T in enumerate(Ts):
        Z = T[:, 1:] @ A[-1] + T[:, :1]
        A.append(sigmoid(Z) if i == 2 else np.log(1 + np.exp(Z)))
    Y = np.eye(3)[y].T
    J = np.sum(-Y * np.log(A[3]) - (1 - Y) * np.log(1 - A[3])) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    E = A[3] - Y
    grads = []
    for i in (2, 1, 0):
        W = Ts[i][:, 1:]
        grads = [np.hstack([E.sum(1, keepdims=True), E @ A[i].T + lam * W]) / m, *grads]
        E = W.T @ E * A[i] * (1 - A[i])
    return J, write_layers(grads)

"""Wrong backpropagations, second half: single mistakes, then pairs.

Other hands than the first half's: classes, dictionaries, lists of layers, einsum; weights and
biases apart and packed as PyTorch or scikit-learn pack them; up to five layers; logistic, Poisson
and multi-output regression; leaky relu, elu and softplus; a lam for each layer.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from . import Sabotage, recorder
from .data import (
    box,
    clicks,
    elu_curves,
    exclusive_or,
    five,
    leaky,
    leaky_deep,
    letters,
    prices,
    rates,
    relu_deep,
    scores,
    soft_counts,
    soft_deep,
    species,
    square_five,
    wine,
)

SECOND: list[Sabotage] = []
sabotage = recorder(SECOND)

rng = np.random.default_rng(1)  # of the costs that change from call to call


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def softmax_rows(scores):
    exps = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return exps / np.sum(exps, axis=1, keepdims=True)


def with_bias(A):
    return np.c_[np.ones(A.shape[0]), A]


def read_layers(theta, sizes):
    """Return the list of Theta(l) out of Octave's [Theta1(:); Theta2(:); ...]."""
    matrices, start = [], 0
    for n_in, n_out in pairwise(sizes):
        stop = start + n_out * (n_in + 1)
        matrices.append(theta[start:stop].reshape(n_out, n_in + 1, order="F"))
        start = stop
    return matrices


def write_layers(matrices):
    return np.concatenate([M.flatten(order="F") for M in matrices])


# --- 1/m ------------------------------------------------------------------------------------


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
    A1 = logistic(X @ p["W1"].T + p["b1"])
    A2 = logistic(A1 @ p["W2"].T + p["b2"])[:, 0]
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
    acts = [with_bias(X)]
    pre = []
    for T in Ts[:-1]:
        pre.append(acts[-1] @ T.T)
        acts.append(with_bias(np.where(pre[-1] > 0, pre[-1], 0.01 * pre[-1])))
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
    Xb = with_bias(X)
    prob = softmax_rows(Xb @ W)
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
        A.append(np.tanh(Z) if n < 3 else logistic(Z))
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


# --- regularisation -------------------------------------------------------------------------


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
    hidden = logistic(X @ coefs[0] + intercepts[0])
    proba = logistic(hidden @ coefs[1] + intercepts[1])
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
    Xb = with_bias(X)
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
    cache = [with_bias(X)]
    for T in Ts[:2]:
        cache.append(with_bias(np.maximum(0, cache[-1] @ T.T)))
    P = softmax_rows(cache[2] @ Ts[2].T)
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
    a1 = with_bias(X)
    a2 = with_bias(np.tanh(a1 @ T1.T))
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
    p = softmax_rows(W2[0] + h.dot(W2[1:]))
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


# --- g' -------------------------------------------------------------------------------------


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
    a = [with_bias(X)]
    for T in Ts[:3]:
        a.append(with_bias(np.tanh(a[-1] @ T.T)))
    h = logistic(a[3] @ Ts[3].T)
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
        self.x = with_bias(X)
        self.hidden = np.tanh(self.x @ self.W1)
        self.prob = softmax_rows(with_bias(self.hidden) @ self.W2)

    def cost(self, y):
        m = len(y)
        squares = np.sum(self.W1[1:] ** 2) + np.sum(self.W2[1:] ** 2)
        return -np.mean(np.log(self.prob[np.arange(m), y])) + self.lam / (2 * m) * squares

    def backward(self, y):
        m = len(y)
        error = self.prob - np.eye(5)[y]
        grad2 = with_bias(self.hidden).T @ error
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
        d2 = T2[1:] * d3 * logistic(a2[1:])
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
    P = softmax_rows(H @ W2[1:] + W2[0])
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
    a = logistic(X @ C1 + i1)
    h = logistic(a @ C2 + i2)
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
        A.append(logistic(Z) if i == 2 else np.log(1 + np.exp(Z)))
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


# --- delta(L) -------------------------------------------------------------------------------


@sabotage(wine, "output-derivative-extra")
def softmax_error_times_p_one_minus_p(theta, X, y, lam):
    """p (1 - p), "the softmax's derivative", is multiplied into p - y."""
    m = X.shape[0]
    W1, W2 = np.split(theta, [24])
    W1, W2 = W1.reshape(6, 4), W2.reshape(5, 3)
    H = with_bias(np.tanh(with_bias(X) @ W1))
    P = softmax_rows(H @ W2)
    onehot = np.eye(3)[y - 1]
    J = -np.sum(onehot * np.log(P)) / m
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    dscores = (P - onehot) * P * (1 - P) / m
    dW2 = H.T @ dscores
    dW1 = with_bias(X).T @ ((dscores @ W2.T) * (1 - H**2))[:, 1:]
    dW2[1:] += lam / m * W2[1:]
    dW1[1:] += lam / m * W1[1:]
    return J, np.concatenate([dW1.ravel(), dW2.ravel()])


@sabotage(elu_curves, "output-derivative-extra")
def linear_outputs_with_the_hidden_slope(theta, X, Y, lam):
    """The loop applies the hidden units' g' to every layer, the linear outputs among them."""
    m = len(X)
    Ts = read_layers(theta, (3, 5, 2))
    Z1 = with_bias(X) @ Ts[0].T
    A1 = np.where(Z1 > 0, Z1, np.exp(Z1) - 1)
    Z2 = with_bias(A1) @ Ts[1].T
    J = 0.5 * np.sum((Z2 - Y) ** 2) / m
    J += 0.5 * lam * (np.sum(Ts[0][:, 1:] ** 2) + np.sum(Ts[1][:, 1:] ** 2)) / m
    delta = Z2 - Y
    grads = []
    for Z, before, T in ((Z2, A1, Ts[1]), (Z1, X, Ts[0])):
        delta = delta * np.where(Z > 0, 1, np.exp(Z))
        D = delta.T @ with_bias(before) / m
        D[:, 1:] += lam / m * T[:, 1:]
        grads.insert(0, D)
        delta = delta @ T[:, 1:]
    return J, write_layers(grads)


@sabotage(five, "output-derivative-extra", order="rows")
def five_layers_squared_error_delta(theta, X, y, lam):
    """The tutorial's delta for the squared error, under the cross-entropy (theta by row)."""
    m = len(X)
    T1, T2, T3, T4 = np.split(theta, [16, 31, 47])
    T1, T2, T3, T4 = T1.reshape(4, 4), T2.reshape(3, 5), T3.reshape(4, 4), T4.reshape(2, 5)
    a1 = with_bias(X)
    a2 = with_bias(np.tanh(a1 @ T1.T))
    a3 = with_bias(np.tanh(a2 @ T2.T))
    a4 = with_bias(np.tanh(a3 @ T3.T))
    out = logistic(a4 @ T4.T)
    Y = np.eye(2)[y]
    J = -np.mean(np.sum(Y * np.log(out) + (1 - Y) * np.log(1 - out), axis=1))
    d5 = (out - Y) * out * (1 - out)
    d4 = (d5 @ T4)[:, 1:] * (1 - a4[:, 1:] ** 2)
    d3 = (d4 @ T3)[:, 1:] * (1 - a3[:, 1:] ** 2)
    d2 = (d3 @ T2)[:, 1:] * (1 - a2[:, 1:] ** 2)
    grad = []
    for T, d, a in ((T1, d2, a1), (T2, d3, a2), (T3, d4, a3), (T4, d5, a4)):
        J += lam / (2 * m) * np.sum(T[:, 1:] ** 2)
        decay = lam * T
        decay[:, 0] = 0
        grad.append(((d.T @ a + decay) / m).ravel())
    return J, np.concatenate(grad)


# --- matrices mixed up ----------------------------------------------------------------------


@sabotage(box, "theta-transposed", order="layers")
def dict_error_back_through_w2(theta, X, y, lam):
    """dZ2 @ W2 where W2.T belongs: W2 is (hidden, outputs) and square."""
    m = len(X)
    net = {"W1": theta[:25].reshape(5, 5), "b1": theta[25:30]}
    net |= {"W2": theta[30:55].reshape(5, 5), "b2": theta[55:]}
    A1 = np.tanh(X @ net["W1"] + net["b1"])
    A2 = softmax_rows(A1 @ net["W2"] + net["b2"])
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
    h = softmax_rows((T[3] @ a[3]).T).T
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
    A1 = logistic(X @ W1.T + b1)
    A2 = logistic(A1 @ W2.T + b2)
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

    z2 = with_bias(X) @ Ts[0].T
    a2 = with_bias(z2 * slope(z2))
    z3 = a2 @ Ts[1].T
    a3 = with_bias(z3 * slope(z3))
    e = a3 @ Ts[2].T - Y
    J = np.sum(e**2) / 2 / m + lam / 2 / m * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d3 = e @ Ts[2][:, 1:] * slope(z3)
    d2 = d3 @ Ts[1][:, 1:] * slope(z2)
    grads = [d2.T @ with_bias(X), d3.T @ a2, e.T @ a3]
    for G, T in zip(grads, Ts, strict=True):
        G[:, 1:] += lam * T[:, 1:]
    return J, np.concatenate([G.ravel() for G in grads]) / m


@sabotage(relu_deep, "bias-in-delta")
def relu_last_column_cut_in_one_layer(theta, X, y, lam):
    """Theta3 loses its last column on the way back; Theta2 its first, as it should."""
    m = len(y)
    T1, T2, T3 = read_layers(theta, (4, 5, 4, 3))
    h1 = np.maximum(with_bias(X) @ T1.T, 0)
    h2 = np.maximum(with_bias(h1) @ T2.T, 0)
    P = softmax_rows(with_bias(h2) @ T3.T)
    J = -np.mean(np.log(P[np.arange(m), y]))
    J += lam / (2 * m) * sum((T[:, 1:] ** 2).sum() for T in (T1, T2, T3))
    d3 = P - np.eye(3)[y]
    d2 = d3 @ T3[:, :-1] * (h2 > 0)
    d1 = d2 @ T2[:, 1:] * (h1 > 0)
    grads = [d1.T @ with_bias(X) / m, d2.T @ with_bias(h1) / m, d3.T @ with_bias(h2) / m]
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
    hid = np.hstack([logistic(x @ V), one])
    o = logistic(hid @ w)
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
    delta = logistic(zs[-1]) - Y
    nabla = []
    for T, a in zip(reversed(Ts), reversed(acts[:-1]), strict=True):
        G = delta.T @ with_bias(a) / m
        G[:, 1:] += lam / m * T[:, 1:]
        nabla.append(G)
        delta = delta @ T[:, 1:] * (1 - a**2)
    return J, write_layers(nabla)


@sabotage(box, "layers-swapped")
def box_activations_of_the_other_layer(theta, X, y, lam):
    """delta2 meets a2 and delta3 meets a1: as all layers are alike, it runs."""
    m = len(X)
    T1, T2 = theta[:30].reshape(5, 6, order="F"), theta[30:].reshape(5, 6, order="F")
    a1 = with_bias(X)
    a2 = with_bias(np.tanh(a1 @ T1.T))
    p = softmax_rows(a2 @ T2.T)
    J = -np.mean(np.log(p[np.arange(m), y]))
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = p - np.eye(5)[y]
    d2 = d3 @ T2[:, 1:] * (1 - a2[:, 1:] ** 2)
    G1 = d2.T @ a2 / m
    G2 = d3.T @ a1 / m
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, write_layers([G1, G2])


# --- labels, outputs, sign ------------------------------------------------------------------


@sabotage(letters, "labels-shifted")
def letters_one_hot_cut_on_the_wrong_side(theta, X, y, lam):
    """np.eye(K + 1)[y] has an empty column 0; the gradient cuts off the last one instead."""
    m, K = len(X), 6
    T1, T2 = read_layers(theta, (7, 4, K))
    a1 = with_bias(X)
    a2 = with_bias(logistic(a1 @ T1.T))
    h = logistic(a2 @ T2.T)
    Y = np.eye(K + 1)[y]
    J = -np.sum(Y[:, 1:] * np.log(h) + (1 - Y[:, 1:]) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = h - Y[:, :K]
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    G1, G2 = d2.T @ a1, d3.T @ a2
    G1[:, 1:] += lam * T1[:, 1:]
    G2[:, 1:] += lam * T2[:, 1:]
    return J, write_layers([G1, G2]) / m


@sabotage(species, "labels-shifted")
def softmax_regression_codes_compared_from_1(theta, X, y, lam):
    """The codes start at 0, the gradient compares them with 1 to K: no row for class 0."""
    m = len(y)
    W = theta.reshape(6, 4)
    Xb = with_bias(X)
    S = Xb @ W
    J = np.mean(np.log(np.exp(S).sum(axis=1)) - S[np.arange(m), y])
    J += lam / (2 * m) * np.sum(W[1:] ** 2)
    P = softmax_rows(S)
    G = np.zeros_like(W)
    for k in range(1, 5):
        G[:, k - 1] = Xb.T @ (P[:, k - 1] - (y == k)) / m
    G[1:] += lam / m * W[1:]
    return J, G.ravel()


@sabotage(wine, "outputs-factor", order="sklearn")
def softmax_error_divided_by_its_size(theta, X, y, lam):
    """(P - Y) / P.size: divided by m K where m is meant; coefs first, then intercepts."""
    m = len(X)
    C1, C2 = theta[:20].reshape(5, 4), theta[20:32].reshape(4, 3)
    c1, c2 = theta[32:36], theta[36:]
    H = np.tanh(X @ C1 + c1)
    P = softmax_rows(H @ C2 + c2)
    J = -np.sum(np.log(P[np.arange(m), y - 1])) / m
    J += lam / (2 * m) * (np.sum(C1**2) + np.sum(C2**2))
    err = (P - np.eye(3)[y - 1]) / P.size
    back = err @ C2.T * (1 - H**2)
    dC1, dC2 = X.T @ back + lam / m * C1, H.T @ err + lam / m * C2
    return J, np.concatenate([dC1.ravel(), dC2.ravel(), back.sum(axis=0), err.sum(axis=0)])


@sabotage(scores, "outputs-factor")
def regression_gradient_averaged_over_all_values(theta, X, Y, lam):
    """The whole gradient, penalty too, is divided by Y.size in place of len(Y)."""
    m = len(Y)
    B = theta.reshape(5, 3)
    Xb = with_bias(X)
    E = Xb @ B - Y
    decay = lam * B
    decay[0] = 0
    J = (np.sum(E**2) + lam * np.sum(B[1:] ** 2)) / (2 * m)
    return J, ((Xb.T @ E + decay) / Y.size).ravel()


class TinyNet:
    """The first network of many tutorials: error = y - output."""

    def __init__(self, theta):
        self.b1, self.w1 = theta[:3], theta[3:9].reshape(2, 3)
        self.b2, self.w2 = theta[9], theta[10:]

    def feedforward(self, X):
        self.layer1 = logistic(X @ self.w1 + self.b1)
        return logistic(self.layer1 @ self.w2 + self.b2)


@sabotage(exclusive_or, "sign")
def class_hidden_layer_climbs(theta, X, y, lam):
    """error = y - output; the output layer's gradient gets its minus, the hidden layer's none."""
    net = TinyNet(theta)
    m = len(y)
    output = net.feedforward(X)
    J = -np.mean(np.where(y == 1, np.log(output), np.log(1 - output)))
    J += lam / (2 * m) * (np.sum(net.w1**2) + np.sum(net.w2**2))
    error = y - output
    hidden_error = np.outer(error, net.w2) * net.layer1 * (1 - net.layer1)
    d_w2 = -net.layer1.T @ error / m + lam / m * net.w2
    d_b2 = -error.mean()
    d_w1 = X.T @ hidden_error / m + lam / m * net.w1
    d_b1 = hidden_error.mean(axis=0)
    return J, np.concatenate([d_b1, d_w1.ravel(), [d_b2], d_w2])


@sabotage(rates, "sign")
def poisson_score_for_the_log_likelihood(theta, X, Y, lam):
    """J falls to its minimum; the gradient is that of the log-likelihood, which rises."""
    m = len(X)
    B = read_layers(theta, (4, 2))[0]
    eta = with_bias(X) @ B.T
    J = np.sum(np.exp(eta) - Y * eta) / m + lam / (2 * m) * np.sum(B[:, 1:] ** 2)
    score = (Y - np.exp(eta)).T @ with_bias(X) / m
    score[:, 1:] += lam / m * B[:, 1:]
    return J, score.ravel(order="F")


# --- Delta ----------------------------------------------------------------------------------


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
            a.append(logistic(z) if l == 3 else np.tanh(z))
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
        a = logistic(T1[:, 0] + T1[:, 1:] @ X[i])
        h = logistic(T2[0] + T2[1:] @ a)
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
    P = softmax_rows(H @ params["W2"].T + params["b2"])
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


# --- J wrong, the gradient right ------------------------------------------------------------


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
    d2 = np.outer(d3, W2[1:]) * logistic(z2)
    g1 = np.vstack([d2.sum(axis=0), X.T @ d2 + lam / m * W1[1:]])
    return J, np.concatenate([g1.ravel(), [d3.sum()], a2.T @ d3 + lam / m * W2[1:]])


@sabotage(elu_curves, "cost-inconsistent")
def elu_mean_squared_error_without_the_half(theta, X, Y, lam):
    """J is the mean squared error, the gradient that of half of it."""
    m = len(X)
    T1, T2 = read_layers(theta, (3, 5, 2))
    z = with_bias(X) @ T1.T
    a = with_bias(np.where(z > 0, z, np.exp(z) - 1))
    err = a @ T2.T - Y
    J = np.sum(err**2) / m + lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    back = err @ T2[:, 1:] * np.where(z > 0, 1, np.exp(z))
    G1, G2 = back.T @ with_bias(X) / m, err.T @ a / m
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
        z = with_bias(a[-1]) @ T.T
        a.append(np.maximum(z, 0))
    P = softmax_rows(z)
    J = -np.mean(np.log(P[np.arange(m), y])) + lam / 2 * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d = (P - np.eye(3)[y]) / m
    grads = [None] * 3
    for i in (2, 1, 0):
        grads[i] = d.T @ with_bias(a[i]) + lam / m * np.c_[np.zeros(len(Ts[i])), Ts[i][:, 1:]]
        d = d @ Ts[i][:, 1:] * (a[i] > 0)
    return J, write_layers(grads)


# --- no mistake in the formulas, and yet the check fails ------------------------------------


@sabotage(leaky, "not-differentiable", at_kink=True)
def leaky_unit_started_at_zero(theta, X, y, lam):
    """Right, but the weights into one leaky unit are all 0: it sits at its kink."""
    m = len(X)
    T1, T2 = read_layers(theta, (4, 5, 3))
    z = with_bias(X) @ T1.T
    a = with_bias(np.where(z > 0, z, 0.01 * z))
    p = softmax_rows(a @ T2.T)
    J = -np.log(p[np.arange(m), y]).mean()
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    e = (p - np.eye(3)[y]) / m
    back = e @ T2[:, 1:] * np.where(z > 0, 1, 0.01)
    G1, G2 = back.T @ with_bias(X), e.T @ a
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, write_layers([G1, G2])


@sabotage(clicks, "not-deterministic")
def inputs_jittered_on_every_call(theta, X, y, lam):
    """Noise is added to the inputs within the cost, new at each call."""
    m = len(y)
    X = X + 0.05 * rng.standard_normal(X.shape)
    T1, T2 = read_layers(theta, (4, 5, 1))
    a2 = with_bias(logistic(with_bias(X) @ T1.T))
    h = logistic(a2 @ T2[0])
    J = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = (h - y)[:, None]
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    G1, G2 = d2.T @ with_bias(X) / m, d3.T @ a2 / m
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
    P = softmax_rows(H @ W2.T + b2)
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
    E = T @ with_bias(X).T - Y.T
    J = np.float32((np.sum(E**2) + lam * np.sum(T[:, 1:] ** 2)) / (2 * m))
    G = E @ with_bias(X) / m
    G[:, 1:] += lam / m * T[:, 1:]
    return J, write_layers([G])


# --- pairs ----------------------------------------------------------------------------------


@sabotage(leaky, "unrolled-by-row", "activation-derivative-missing")
def leaky_by_row_and_no_slope(theta, X, y, lam):
    """Two structural: no g' under the leaky units, and ravel() for Octave's order."""
    m = len(X)
    T1, T2 = read_layers(theta, (4, 5, 3))
    Z = with_bias(X) @ T1.T
    A = with_bias(np.maximum(Z, 0.01 * Z))
    P = softmax_rows(A @ T2.T)
    J = -np.mean(np.log(P[np.arange(m), y]))
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    P[np.arange(m), y] -= 1
    G1, G2 = (P @ T2[:, 1:]).T @ with_bias(X), P.T @ A
    G1[:, 1:] += lam * T1[:, 1:]
    G2[:, 1:] += lam * T2[:, 1:]
    return J, np.concatenate([G1.ravel(), G2.ravel()]) / m


@sabotage(square_five, "theta-transposed", "output-derivative-extra")
def square_five_not_transposed_and_p_one_minus_p(theta, X, y, lam):
    """Two structural: p (1 - p) at the output, and no ' in any step back."""
    m = len(X)
    Ts = read_layers(theta, [3] * 5)
    a = [with_bias(X)]
    for T in Ts[:-1]:
        a.append(with_bias(np.tanh(a[-1] @ T.T)))
    P = softmax_rows(a[-1] @ Ts[-1].T)
    J = -np.log(P[np.arange(m), y]).mean()
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d = (P - np.eye(3)[y]) * P * (1 - P) / m
    grads = []
    for T, inputs in zip(Ts[::-1], a[::-1], strict=True):
        grads.append(d.T @ inputs + lam / m * T * [0, 1, 1, 1])
        d = d @ T[:, 1:].T * (1 - inputs[:, 1:] ** 2)
    return J, write_layers(grads[::-1])


@sabotage(letters, "labels-shifted", "missing-1-over-m")
def letters_y_mod_k_and_only_summed(theta, X, y, lam):
    """Structural and scaling: label 6 is taken for 0, and the errors are summed over m."""
    m = len(X)
    T1, T2 = read_layers(theta, (7, 4, 6))
    J, S1, S2 = 0.0, np.zeros(T1.shape), np.zeros(T2.shape)
    for x, label in zip(X, y, strict=True):
        a1 = np.r_[1, x]
        a2 = np.r_[1, logistic(T1 @ a1)]
        a3 = logistic(T2 @ a2)
        J -= (np.log(a3[label - 1]) + np.log(1 - np.delete(a3, label - 1)).sum()) / m
        d3 = a3.copy()
        d3[label % 6] -= 1
        d2 = (d3 @ T2 * a2 * (1 - a2))[1:]
        S1 += np.outer(d2, a1)
        S2 += np.outer(d3, a2)
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    S1[:, 1:] += lam / m * T1[:, 1:]
    S2[:, 1:] += lam / m * T2[:, 1:]
    return J, write_layers([S1, S2])


@sabotage(soft_counts, "bias-in-delta", "extra-1-over-m")
def softplus_last_weight_cut_and_averaged_twice(theta, X, y, lam):
    """Structural and scaling: T2[:-1] leads back, and the errors are averaged twice."""
    m = len(y)
    T1, T2 = theta[:16].reshape(4, 4, order="F"), theta[16:]
    z2 = with_bias(X) @ T1.T
    a2 = with_bias(np.logaddexp(0, z2))
    z3 = a2 @ T2
    J = np.mean(np.exp(z3) - y * z3)
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[1:] ** 2))
    d3 = (np.exp(z3) - y) / m
    d2 = np.outer(d3, T2[:-1]) * logistic(z2)
    G1, G2 = d2.T @ with_bias(X) / m, d3 @ a2 / m
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[1:] += lam / m * T2[1:]
    return J, np.r_[G1.ravel(order="F"), G2]


@sabotage(five, "layers-swapped", "lambda-forgotten")
def five_layers_reversed_and_no_decay(theta, X, y, lam):
    """Structural and scaling: from the last layer to the first, and no penalty."""
    m = len(X)
    Ts = read_layers(theta, (3, 4, 3, 4, 2))
    a = [X]
    for i, T in enumerate(Ts):
        z = a[-1] @ T[:, 1:].T + T[:, 0]
        a.append(np.tanh(z) if i < 3 else logistic(z))
    Y = np.stack([1 - y, y], axis=1)
    J = -np.sum(Y * np.log(a[4]) + (1 - Y) * np.log(1 - a[4])) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d = a[4] - Y
    grads = []
    for i in reversed(range(4)):
        grads.append(d.T @ with_bias(a[i]) / m)
        d = d @ Ts[i][:, 1:] * (1 - a[i] ** 2)
    return J, write_layers(grads)


@sabotage(
    elu_curves, "activation-derivative-of-another-activation", "missing-1-over-m", order="layers"
)
def elu_with_relu_mask_and_only_summed(theta, X, Y, lam):
    """Structural and scaling: the relu's mask under the elu, and no 1/m anywhere."""
    m = len(X)
    W1, b1 = theta[:15].reshape(3, 5), theta[15:20]
    W2, b2 = theta[20:30].reshape(5, 2), theta[30:]
    z = X @ W1 + b1
    h = np.where(z > 0, z, np.exp(z) - 1)
    e = h @ W2 + b2 - Y
    J = (np.sum(e**2) + lam * (np.sum(W1**2) + np.sum(W2**2))) / (2 * m)
    back = (e @ W2.T) * (z > 0)
    parts = (X.T @ back + lam * W1, back.sum(0), h.T @ e + lam * W2, e.sum(0))
    return J, np.concatenate([part.ravel() for part in parts])


@sabotage(species, "cost-inconsistent", "bias-regularised")
def softmax_regression_no_penalty_in_cost_but_on_bias(theta, X, y, lam):
    """Cost and scaling: J has no penalty, and the gradient's takes in the bias."""
    m = len(X)
    W = theta.reshape(6, 4)
    P = softmax_rows(with_bias(X) @ W)
    J = -np.log(P[np.arange(m), y]).mean()
    P[np.arange(m), y] -= 1
    return J, ((with_bias(X).T @ P + lam * W) / m).ravel()


@sabotage(scores, "cost-inconsistent", "missing-1-over-m")
def regression_cost_without_penalty_and_gradient_summed(theta, X, Y, lam):
    """Cost and scaling: J has no penalty, and the errors are summed, not averaged."""
    m = len(X)
    B = theta.reshape(5, 3)
    E = with_bias(X) @ B - Y
    G = with_bias(X).T @ E
    G[1:] += lam / m * B[1:]
    return 0.5 * np.mean(np.sum(E**2, axis=1)), G.ravel()


@sabotage(leaky_deep, "outputs-factor", "lambda-forgotten")
def two_outputs_mean_over_all_and_no_decay(theta, X, Y, lam):
    """Two scalings: the error is divided by m K, and there is no penalty in the gradient."""
    m = len(X)
    Ts = read_layers(theta, (3, 4, 4, 2))
    A, slopes = [X], []
    for T in Ts[:2]:
        Z = with_bias(A[-1]) @ T.T
        slopes.append(np.where(Z > 0, 1, 0.01))
        A.append(Z * slopes[-1])
    E = with_bias(A[2]) @ Ts[2].T - Y
    J = np.sum(E**2) / (2 * m) + lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d = E / E.size
    grads = [None, None, d.T @ with_bias(A[2])]
    for i in (1, 0):
        d = d @ Ts[i + 1][:, 1:] * slopes[i]
        grads[i] = d.T @ with_bias(A[i])
    return J, write_layers(grads)


@sabotage(exclusive_or, "sign", "activation-derivative-missing")
def tiny_y_minus_output_and_no_slope(theta, X, y, lam):
    """Sign and structural: y - output all the way back, and no slope on the way."""
    net = TinyNet(theta)
    m = len(y)
    output = net.feedforward(X)
    J = -np.mean(y * np.log(output) + (1 - y) * np.log(1 - output))
    J += lam / (2 * m) * (np.sum(net.w1**2) + np.sum(net.w2**2))
    error = (y - output) / m
    hidden_error = np.outer(error, net.w2)
    d_w1 = X.T @ hidden_error + lam / m * net.w1
    d_w2 = net.layer1.T @ error + lam / m * net.w2
    return J, np.concatenate([hidden_error.sum(axis=0), d_w1.ravel(), [error.sum()], d_w2])


@sabotage(wine, "accumulator-overwritten", "bias-regularised")
def wine_last_example_only_and_bias_decayed(theta, X, y, lam):
    """Structural and scaling: D = in the loop, and the whole of each matrix decays."""
    m = len(X)
    T1, T2 = read_layers(theta, (5, 4, 3))
    J = lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    for i in range(m):
        a1 = np.append(1, X[i])
        a2 = np.append(1, np.tanh(T1 @ a1))
        p = np.exp(T2 @ a2)
        p /= p.sum()
        J -= np.log(p[y[i] - 1]) / m
        p[y[i] - 1] -= 1
        D2 = np.outer(p, a2)
        D1 = np.outer(T2[:, 1:].T @ p * (1 - a2[1:] ** 2), a1)
    return J, write_layers([(D1 + lam * T1) / m, (D2 + lam * T2) / m])


@sabotage(letters, "bias-gradient-missing", "output-derivative-extra", order="sklearn")
def packed_no_intercept_gradient_and_squared_error_delta(theta, X, y, lam):
    """Two structural: h (1 - h) in the output's error, and zeros for the intercepts."""
    m = len(X)
    C1, C2 = theta[:28].reshape(7, 4), theta[28:52].reshape(4, 6)
    a = logistic(X @ C1 + theta[52:56])
    h = logistic(a @ C2 + theta[56:])
    Y = np.eye(6)[y - 1]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(C1**2) + np.sum(C2**2))
    e = (h - Y) * h * (1 - h)
    d = e @ C2.T * a * (1 - a)
    dC1, dC2 = X.T @ d + lam * C1, a.T @ e + lam * C2
    return J, np.concatenate([dC1.ravel(), dC2.ravel(), np.zeros(10)]) / m


@sabotage(box, "activation-derivative-at-wrong-point", "lambda-factor")
def box_tanh_of_tanh_and_lam_not_divided(theta, X, y, lam):
    """Structural and scaling: 1 - tanh(a)^2, and lam without its 1/m."""
    m = len(X)
    W1, W2 = theta[:30].reshape(6, 5), theta[30:].reshape(6, 5)
    hidden = np.tanh(with_bias(X) @ W1)
    P = softmax_rows(with_bias(hidden) @ W2)
    J = -np.log(P[np.arange(m), y]).sum() / m
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    e = (P - np.eye(5)[y]) / m
    back = e @ W2[1:].T * (1 - np.tanh(hidden) ** 2)
    G1, G2 = with_bias(X).T @ back, with_bias(hidden).T @ e
    G1[1:] += lam * W1[1:]
    G2[1:] += lam * W2[1:]
    return J, np.concatenate([G1, G2]).ravel()


SINGLES = [entry for entry in SECOND if len(entry.mistakes) == 1]
PAIRS = [entry for entry in SECOND if len(entry.mistakes) == 2]

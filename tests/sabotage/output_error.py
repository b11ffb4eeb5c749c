"""delta(L) = a(L) - y, and what learners make of it: slopes, labels, signs."""

from __future__ import annotations

import numpy as np

from .data import (
    admitted,
    digits,
    elu_curves,
    exclusive_or,
    five,
    flowers,
    houses,
    letters,
    rates,
    scores,
    species,
    square,
    two_curves,
    visits,
    wine,
)
from .entries import sabotage
from .pieces import (
    TinyNet,
    add_ones,
    read_layers,
    sigmoid,
    softmax,
    write_layers,
)

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


@sabotage(wine, "output-derivative-extra")
def softmax_error_times_p_one_minus_p(theta, X, y, lam):
    """p (1 - p), "the softmax's derivative", is multiplied into p - y."""
    m = X.shape[0]
    W1, W2 = np.split(theta, [24])
    W1, W2 = W1.reshape(6, 4), W2.reshape(5, 3)
    H = add_ones(np.tanh(add_ones(X) @ W1))
    P = softmax(H @ W2)
    onehot = np.eye(3)[y - 1]
    J = -np.sum(onehot * np.log(P)) / m
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    dscores = (P - onehot) * P * (1 - P) / m
    dW2 = H.T @ dscores
    dW1 = add_ones(X).T @ ((dscores @ W2.T) * (1 - H**2))[:, 1:]
    dW2[1:] += lam / m * W2[1:]
    dW1[1:] += lam / m * W1[1:]
    return J, np.concatenate([dW1.ravel(), dW2.ravel()])


@sabotage(elu_curves, "output-derivative-extra")
def linear_outputs_with_the_hidden_slope(theta, X, Y, lam):
    """The loop applies the hidden units' g' to every layer, the linear outputs among them."""
    m = len(X)
    Ts = read_layers(theta, (3, 5, 2))
    Z1 = add_ones(X) @ Ts[0].T
    A1 = np.where(Z1 > 0, Z1, np.exp(Z1) - 1)
    Z2 = add_ones(A1) @ Ts[1].T
    J = 0.5 * np.sum((Z2 - Y) ** 2) / m
    J += 0.5 * lam * (np.sum(Ts[0][:, 1:] ** 2) + np.sum(Ts[1][:, 1:] ** 2)) / m
    delta = Z2 - Y
    grads = []
    for Z, before, T in ((Z2, A1, Ts[1]), (Z1, X, Ts[0])):
        delta = delta * np.where(Z > 0, 1, np.exp(Z))
        D = delta.T @ add_ones(before) / m
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
    a1 = add_ones(X)
    a2 = add_ones(np.tanh(a1 @ T1.T))
    a3 = add_ones(np.tanh(a2 @ T2.T))
    a4 = add_ones(np.tanh(a3 @ T3.T))
    out = sigmoid(a4 @ T4.T)
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


@sabotage(letters, "labels-shifted")
def letters_one_hot_cut_on_the_wrong_side(theta, X, y, lam):
    """np.eye(K + 1)[y] has an empty column 0; the gradient cuts off the last one instead."""
    m, K = len(X), 6
    T1, T2 = read_layers(theta, (7, 4, K))
    a1 = add_ones(X)
    a2 = add_ones(sigmoid(a1 @ T1.T))
    h = sigmoid(a2 @ T2.T)
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
    Xb = add_ones(X)
    S = Xb @ W
    J = np.mean(np.log(np.exp(S).sum(axis=1)) - S[np.arange(m), y])
    J += lam / (2 * m) * np.sum(W[1:] ** 2)
    P = softmax(S)
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
    P = softmax(H @ C2 + c2)
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
    Xb = add_ones(X)
    E = Xb @ B - Y
    decay = lam * B
    decay[0] = 0
    J = (np.sum(E**2) + lam * np.sum(B[1:] ** 2)) / (2 * m)
    return J, ((Xb.T @ E + decay) / Y.size).ravel()


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
    eta = add_ones(X) @ B.T
    J = np.sum(np.exp(eta) - Y * eta) / m + lam / (2 * m) * np.sum(B[:, 1:] ** 2)
    score = (Y - np.exp(eta)).T @ add_ones(X) / m
    score[:, 1:] += lam / m * B[:, 1:]
    return J, score.ravel(order="F")

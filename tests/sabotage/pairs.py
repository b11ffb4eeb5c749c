"""Two mistakes at once."""

from __future__ import annotations

import numpy as np

from .data import (
    admitted,
    box,
    curve,
    deep,
    digits,
    elu_curves,
    exclusive_or,
    five,
    flowers,
    leaky,
    leaky_deep,
    letters,
    scores,
    soft_counts,
    species,
    square,
    square_five,
    wine,
)
from .entries import sabotage
from .pieces import (
    TinyNet,
    add_ones,
    read_layers,
    sigmoid,
    sigmoid_gradient,
    softmax,
    write_layers,
)


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


@sabotage(leaky, "unrolled-by-row", "activation-derivative-missing")
def leaky_by_row_and_no_slope(theta, X, y, lam):
    """Two structural: no g' under the leaky units, and ravel() for Octave's order."""
    m = len(X)
    T1, T2 = read_layers(theta, (4, 5, 3))
    Z = add_ones(X) @ T1.T
    A = add_ones(np.maximum(Z, 0.01 * Z))
    P = softmax(A @ T2.T)
    J = -np.mean(np.log(P[np.arange(m), y]))
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    P[np.arange(m), y] -= 1
    G1, G2 = (P @ T2[:, 1:]).T @ add_ones(X), P.T @ A
    G1[:, 1:] += lam * T1[:, 1:]
    G2[:, 1:] += lam * T2[:, 1:]
    return J, np.concatenate([G1.ravel(), G2.ravel()]) / m


@sabotage(square_five, "theta-transposed", "output-derivative-extra")
def square_five_not_transposed_and_p_one_minus_p(theta, X, y, lam):
    """Two structural: p (1 - p) at the output, and no ' in any step back."""
    m = len(X)
    Ts = read_layers(theta, [3] * 5)
    a = [add_ones(X)]
    for T in Ts[:-1]:
        a.append(add_ones(np.tanh(a[-1] @ T.T)))
    P = softmax(a[-1] @ Ts[-1].T)
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
        a2 = np.r_[1, sigmoid(T1 @ a1)]
        a3 = sigmoid(T2 @ a2)
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
    z2 = add_ones(X) @ T1.T
    a2 = add_ones(np.logaddexp(0, z2))
    z3 = a2 @ T2
    J = np.mean(np.exp(z3) - y * z3)
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[1:] ** 2))
    d3 = (np.exp(z3) - y) / m
    d2 = np.outer(d3, T2[:-1]) * sigmoid(z2)
    G1, G2 = d2.T @ add_ones(X) / m, d3 @ a2 / m
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
        a.append(np.tanh(z) if i < 3 else sigmoid(z))
    Y = np.stack([1 - y, y], axis=1)
    J = -np.sum(Y * np.log(a[4]) + (1 - Y) * np.log(1 - a[4])) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d = a[4] - Y
    grads = []
    for i in reversed(range(4)):
        grads.append(d.T @ add_ones(a[i]) / m)
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
    P = softmax(add_ones(X) @ W)
    J = -np.log(P[np.arange(m), y]).mean()
    P[np.arange(m), y] -= 1
    return J, ((add_ones(X).T @ P + lam * W) / m).ravel()


@sabotage(scores, "cost-inconsistent", "missing-1-over-m")
def regression_cost_without_penalty_and_gradient_summed(theta, X, Y, lam):
    """Cost and scaling: J has no penalty, and the errors are summed, not averaged."""
    m = len(X)
    B = theta.reshape(5, 3)
    E = add_ones(X) @ B - Y
    G = add_ones(X).T @ E
    G[1:] += lam / m * B[1:]
    return 0.5 * np.mean(np.sum(E**2, axis=1)), G.ravel()


@sabotage(leaky_deep, "outputs-factor", "lambda-forgotten")
def two_outputs_mean_over_all_and_no_decay(theta, X, Y, lam):
    """Two scalings: the error is divided by m K, and there is no penalty in the gradient."""
    m = len(X)
    Ts = read_layers(theta, (3, 4, 4, 2))
    A, slopes = [X], []
    for T in Ts[:2]:
        Z = add_ones(A[-1]) @ T.T
        slopes.append(np.where(Z > 0, 1, 0.01))
        A.append(Z * slopes[-1])
    E = add_ones(A[2]) @ Ts[2].T - Y
    J = np.sum(E**2) / (2 * m) + lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d = E / E.size
    grads = [None, None, d.T @ add_ones(A[2])]
    for i in (1, 0):
        d = d @ Ts[i + 1][:, 1:] * slopes[i]
        grads[i] = d.T @ add_ones(A[i])
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
    a = sigmoid(X @ C1 + theta[52:56])
    h = sigmoid(a @ C2 + theta[56:])
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
    hidden = np.tanh(add_ones(X) @ W1)
    P = softmax(add_ones(hidden) @ W2)
    J = -np.log(P[np.arange(m), y]).sum() / m
    J += lam / (2 * m) * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2))
    e = (P - np.eye(5)[y]) / m
    back = e @ W2[1:].T * (1 - np.tanh(hidden) ** 2)
    G1, G2 = add_ones(X).T @ back, add_ones(hidden).T @ e
    G1[1:] += lam * W1[1:]
    G2[1:] += lam * W2[1:]
    return J, np.concatenate([G1, G2]).ravel()

"""Known kinds of mistakes in NumPy functions: loops, whole matrices, dictionaries."""

import numpy as np
from learners.records import (
    ALL,
    B1,
    B2,
    B3,
    LAYER_1,
    W1,
    W2,
    W3,
    classes,
    numbers,
    wrong,
)

COURSE = classes(4, 5, 3)
FROM_ONE = classes(4, 5, 3, labels=1)
ONE_HOT = classes(4, 5, 3, labels="one-hot")
ONE_HOT_COLUMNS = classes(4, 5, 3, labels="one-hot", columns=True)
SQUARE = classes(4, 4, 4)
SOFTMAX = classes(4, 6, 3, hidden="relu", output="softmax", lam=0.7, seen_lam=0.05)  # 2 reg m
TANH_SOFTMAX = classes(3, 5, 4, hidden="tanh", output="softmax", lam=0.8)
BINARY_COLUMNS = classes(3, 4, 1, hidden="tanh", lam=0.6, columns=True, m=8)
BINARY = classes(3, 4, 1, hidden="tanh", lam=0, columns=True, m=8)
LINEAR = numbers(2, 4, 1)
TWO_OUTPUTS = numbers(3, 4, 2)
DEEP = classes(3, 5, 5, 2)
LOGISTIC = classes(4, 1, lam=1.0, m=9)

WB = "W1 b1 W2 b2"
ROWS = "T1 T2"


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def unpack(theta, *shapes):
    """Cut theta into arrays."""
    out, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        out.append(theta[start : start + size].reshape(shape))
        start += size
    return out


def ravel(*arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


@wrong(
    "template, only the cost is done",
    FROM_ONE,
    kind="zero gradient",
    mistake="backpropagation is not written: the gradient is the zeros of the template",
    parts=ALL,
    factor=0,
    packing=ROWS,
)
def gradient_not_written(theta, X, y, lam):
    m = len(y)
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    J = 0
    T1_grad, T2_grad = np.zeros(T1.shape), np.zeros(T2.shape)
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ T1.T)]
    a3 = sigmoid(a2 @ T2.T)
    for k in range(1, 4):
        yk = (y == k) * 1
        J += -yk @ np.log(a3[:, k - 1]) - (1 - yk) @ np.log(1 - a3[:, k - 1])
    J = J / m + lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    # TODO backpropagation
    return J, ravel(T1_grad, T2_grad)


@wrong(
    "loop, dictionaries of gradients",
    COURSE,
    kind="zero layer",
    mistake="the gradient of layer 1 is prepared but never filled",
    parts=LAYER_1,
    factor=0,
    packing=WB,
)
def first_layer_never_filled(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (5, 4), 5, (3, 5), 3)
    m = len(X)
    grads = {"W1": np.zeros((5, 4)), "b1": np.zeros(5), "W2": np.zeros((3, 5)), "b2": np.zeros(3)}
    J = lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    for i in range(m):
        a = sigmoid(W1 @ X[i] + b1)
        h = sigmoid(W2 @ a + b2)
        t = np.eye(3)[y[i]]
        J -= (t @ np.log(h) + (1 - t) @ np.log(1 - h)) / m
        delta = h - t
        grads["W2"] += np.outer(delta, a) / m
        grads["b2"] += delta / m
        delta = W2.T @ delta * a * (1 - a)
    grads["W2"] += lam / m * W2
    return J, ravel(*grads.values())


@wrong(
    "dictionary, softmax",
    TANH_SOFTMAX,
    kind="zero part",
    mistake="the gradients of the biases are never filled",
    parts=(B1, B2),
    factor=0,
    packing=WB,
)
def biases_never_filled(theta, X, y, lam):
    params = dict(zip(["W1", "b1", "W2", "b2"], unpack(theta, (3, 5), 5, (5, 4), 4), strict=True))
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    N = X.shape[0]
    a = np.tanh(X @ params["W1"] + params["b1"])
    scores = a @ params["W2"] + params["b2"]
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean()
    loss += lam / (2 * N) * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    p[np.arange(N), y] -= 1
    grads["W2"] = a.T @ p / N + lam / N * params["W2"]
    da = p @ params["W2"].T * (1 - a**2)
    grads["W1"] = X.T @ da / N + lam / N * params["W1"]
    return loss, ravel(*grads.values())


def sigmoid_gradient_template(z):
    g = np.zeros(np.shape(z))
    # your code here
    return g


@wrong(
    "whole matrices, sigmoidGradient of the template",
    COURSE,
    kind="g' not written",
    mistake="sigmoid_gradient still returns zeros, so delta2 is 0",
    parts=LAYER_1,
)
def slope_not_written(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    a1 = np.c_[np.ones(m), X]
    z2 = a1 @ T1.T
    a2 = np.c_[np.ones(m), sigmoid(z2)]
    h = sigmoid(a2 @ T2.T)
    Y = np.eye(3)[y]
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = h - Y
    d2 = d3 @ T2[:, 1:] * sigmoid_gradient_template(z2)
    R1, R2 = lam * T1, lam * T2
    R1[:, 0] = R2[:, 0] = 0
    return J, np.r_[(d2.T @ a1 + R1).ravel("F"), (d3.T @ a2 + R2).ravel("F")] / m


@wrong(
    "the empty template",
    COURSE,
    kind="J is zero",
    mistake="nothing is written: J is 0 and so is the gradient",
)
def empty_template(theta, X, y, lam):
    J = 0
    Theta1_grad = np.zeros((5, 5))
    Theta2_grad = np.zeros((3, 6))
    # ====================== YOUR CODE HERE ======================
    return J, np.r_[Theta1_grad.ravel(), Theta2_grad.ravel()]


@wrong(
    "closure over the first weights",
    COURSE,
    kind="J does not depend on theta",
    built=True,
    mistake="J and the gradient are those of the weights of the first call, not of theta",
)
def initial_weights_used(X, y, lam):
    weights = {}

    def objective(theta):
        if not weights:  # initialise
            weights.update(
                zip(("W1", "b1", "W2", "b2"), unpack(theta, (4, 5), 5, (5, 3), 3), strict=True)
            )
        m, Y = len(X), np.eye(3)[y]
        a = sigmoid(X @ weights["W1"] + weights["b1"])
        h = sigmoid(a @ weights["W2"] + weights["b2"])
        J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
        J += lam / (2 * m) * (np.sum(weights["W1"] ** 2) + np.sum(weights["W2"] ** 2))
        d = (h - Y) / m
        e = d @ weights["W2"].T * a * (1 - a)
        dW1, dW2 = X.T @ e + lam / m * weights["W1"], a.T @ d + lam / m * weights["W2"]
        return J, ravel(dW1, e.sum(0), dW2, d.sum(0))

    return objective


@wrong(
    "deeplearning.ai, gradient checking exercise",
    BINARY,
    kind="factor in a part",
    mistake="dW2 has a factor 2 too many",
    parts=(W2,),
    factor=2,
    packing=WB,
)
def dw2_times_2(theta, X, Y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 3), (4, 1), (1, 4), (1, 1))
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = sigmoid(W2 @ A1 + b2)
    cost = -1.0 / m * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    dZ2 = A2 - Y
    dW2 = 1.0 / m * np.dot(dZ2, A1.T) * 2
    db2 = 1.0 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(W2.T, dZ2) * (1 - A1**2)
    dW1 = 1.0 / m * np.dot(dZ1, X.T)
    db1 = 1.0 / m * np.sum(dZ1, axis=1, keepdims=True)
    return cost, ravel(dW1, db1, dW2, db2)


@wrong(
    "deeplearning.ai, gradient checking exercise, relu, three layers",
    classes(4, 5, 3, 1, hidden="relu", lam=0, columns=True),
    kind="factor in a part",
    mistake="db1 has 4/m where it should have 1/m",
    parts=(B1,),
    factor=4,
    packing="W1 b1 W2 b2 W3 b3",
)
def db1_times_4(theta, X, Y, lam):
    W1, b1, W2, b2, W3, b3 = unpack(theta, (5, 4), (5, 1), (3, 5), (3, 1), (1, 3), (1, 1))
    m = X.shape[1]
    Z1 = np.dot(W1, X) + b1
    A1 = np.maximum(Z1, 0)
    Z2 = np.dot(W2, A1) + b2
    A2 = np.maximum(Z2, 0)
    A3 = sigmoid(np.dot(W3, A2) + b3)
    logprobs = np.multiply(-np.log(A3), Y) + np.multiply(-np.log(1 - A3), 1 - Y)
    cost = 1.0 / m * np.sum(logprobs)
    dZ3 = A3 - Y
    dW3 = 1.0 / m * np.dot(dZ3, A2.T)
    db3 = 1.0 / m * np.sum(dZ3, axis=1, keepdims=True)
    dZ2 = np.multiply(np.dot(W3.T, dZ3), np.int64(A2 > 0))
    dW2 = 1.0 / m * np.dot(dZ2, A1.T)
    db2 = 1.0 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.multiply(np.dot(W2.T, dZ2), np.int64(A1 > 0))
    dW1 = 1.0 / m * np.dot(dZ1, X.T)
    db1 = 4.0 / m * np.sum(dZ1, axis=1, keepdims=True)
    return cost, ravel(dW1, db1, dW2, db2, dW3, db3)


@wrong(
    "loop over examples, regression",
    numbers(3, 4, 5),
    kind="factor in a part",
    mistake="the gradient of W1, b1 is divided by 2m, as J is",
    parts=LAYER_1,
    factor=0.5,
    packing=WB,
)
def first_layer_halved(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 3), 4, (5, 4), 5)
    m, J = len(X), 0.0
    gW1, gb1, gW2, gb2 = np.zeros((4, 3)), np.zeros(4), np.zeros((5, 4)), np.zeros(5)
    for x, t in zip(X, y, strict=True):
        a = np.tanh(W1 @ x + b1)
        e = W2 @ a + b2 - t
        J += e @ e / (2 * m)
        d = (W2.T @ e) * (1 - a**2)
        gW1 += np.outer(d, x)
        gb1 += d
        gW2 += np.outer(e, a)
        gb2 += e
    J += lam / (2 * m) * ((W1**2).sum() + (W2**2).sum())
    return J, ravel((gW1 + lam * W1) / (2 * m), gb1 / (2 * m), (gW2 + lam * W2) / m, gb2 / m)


@wrong(
    "whole matrices, rows",
    COURSE,
    kind="lambda leaves out the wrong row",
    mistake="row 0 of Theta is left out of the penalty in place of column 0",
    parts=ALL,
    packing=ROWS,
)
def lambda_leaves_out_row_0(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ T1.T)])
    h = sigmoid(a2 @ T2.T)
    Y = np.eye(3)[y]
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = h - Y
    d2 = d3 @ T2[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    g1, g2 = d2.T @ a1 / m, d3.T @ a2 / m
    g1[1:] += lam / m * T1[1:]
    g2[1:] += lam / m * T2[1:]
    return J, ravel(g1, g2)


@wrong(
    "whole matrices, Octave's order",
    COURSE,
    kind="lambda leaves out the wrong column",
    mistake="the last column of Theta is left out of the penalty in place of the first",
    parts=ALL,
)
def lambda_leaves_out_last_column(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ T1.T)])
    h = sigmoid(a2 @ T2.T)
    Y = np.eye(3)[y]
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = h - Y
    d2 = d3 @ T2[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    g1, g2 = d2.T @ a1 / m, d3.T @ a2 / m
    g1[:, :-1] += lam / m * T1[:, :-1]
    g2[:, :-1] += lam / m * T2[:, :-1]
    return J, np.r_[g1.ravel("F"), g2.ravel("F")]


@wrong(
    "columns as examples",
    ONE_HOT_COLUMNS,
    kind="lambda in one layer only",
    mistake="only the second layer's gradient has its penalty",
    parts=(W1,),
)
def lambda_in_second_layer_only(theta, X, Y, lam):
    m = X.shape[1]
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    A1 = np.vstack([np.ones(m), X])
    A2 = np.vstack([np.ones(m), sigmoid(T1 @ A1)])
    A3 = sigmoid(T2 @ A2)
    J = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    D3 = A3 - Y
    D2 = (T2.T @ D3)[1:] * A2[1:] * (1 - A2[1:])
    G1, G2 = D2 @ A1.T / m, D3 @ A2.T / m
    G2 += lam / m * np.c_[np.zeros(3), T2[:, 1:]]
    return J, np.r_[G1.ravel("F"), G2.ravel("F")]


@wrong(
    "dictionary, softmax",
    TANH_SOFTMAX,
    kind="lambda subtracted",
    mistake="the penalty's gradient is subtracted",
    parts=(W1, W2),
    packing=WB,
)
def lambda_subtracted(theta, X, y, lam):
    p = dict(zip(["W1", "b1", "W2", "b2"], unpack(theta, (3, 5), 5, (5, 4), 4), strict=True))
    N = len(X)
    a = np.tanh(X.dot(p["W1"]) + p["b1"])
    s = a.dot(p["W2"]) + p["b2"]
    q = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    loss = -np.sum(np.log(q[np.arange(N), y])) / N
    loss += lam / (2 * N) * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))
    q[np.arange(N), y] -= 1
    g = {"W2": (a.T.dot(q) - lam * p["W2"]) / N, "b2": q.sum(axis=0) / N}
    d = q.dot(p["W2"].T) * (1 - a**2)
    g["W1"] = (X.T.dot(d) - lam * p["W1"]) / N
    g["b1"] = d.sum(axis=0) / N
    return loss, ravel(*(g[k] for k in p))


@wrong(
    "loop, labels from 1",
    FROM_ONE,
    kind="lambda on the gradient",
    mistake="lambda/m times the gradient is added in place of lambda/m times Theta",
    parts=(W1, W2),
    packing=ROWS,
)
def lambda_times_gradient(theta, X, y, lam):
    m = X.shape[0]
    Theta1, Theta2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    J, grad1, grad2 = 0, np.zeros((5, 5)), np.zeros((3, 6))
    for t in range(m):
        a1 = np.concatenate(([1], X[t]))
        a2 = np.concatenate(([1], sigmoid(Theta1 @ a1)))
        a3 = sigmoid(Theta2 @ a2)
        yt = np.array([y[t] == k for k in (1, 2, 3)]).astype(float)
        J += np.sum(-yt * np.log(a3) - (1 - yt) * np.log(1 - a3)) / m
        d3 = a3 - yt
        d2 = (Theta2.T @ d3)[1:] * a2[1:] * (1 - a2[1:])
        grad1 += d2[:, None] * a1
        grad2 += d3[:, None] * a2
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    grad1 /= m
    grad2 /= m
    grad1[:, 1:] += lam / m * grad1[:, 1:]
    grad2[:, 1:] += lam / m * grad2[:, 1:]
    return J, ravel(grad1, grad2)


@wrong(
    "whole matrices, as many hidden units as inputs",
    SQUARE,
    kind="lambda of another layer",
    mistake="both layers' penalties use Theta1",
    parts=(W2,),
)
def lambda_of_other_layer(theta, X, y, lam):
    m = len(X)
    Theta1, Theta2 = theta[:20].reshape(4, 5, order="F"), theta[20:].reshape(4, 5, order="F")
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ Theta1.T)]
    h = sigmoid(a2 @ Theta2.T)
    Y = np.eye(4)[y]
    J = -np.mean(np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h), axis=1))
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = h - Y
    delta2 = (delta3 @ Theta2)[:, 1:] * (a2 * (1 - a2))[:, 1:]
    Theta1_grad = delta2.T @ a1 / m
    Theta2_grad = delta3.T @ a2 / m
    Theta1_grad[:, 1:] += lam / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += lam / m * Theta1[:, 1:]
    return J, np.r_[Theta1_grad.ravel("F"), Theta2_grad.ravel("F")]


@wrong(
    "logistic regression",
    LOGISTIC,
    kind="bias regularised",
    mistake="theta_0 is regularised in the gradient, not in J",
    parts=(B1,),
)
def bias_regularised_logistic(theta, X, y, lam):
    m = len(y)
    A = np.insert(X, 0, 1, axis=1)
    h = sigmoid(A @ theta)
    J = (-y @ np.log(h) - (1 - y) @ np.log(1 - h)) / m + lam / (2 * m) * np.sum(theta[1:] ** 2)
    return J, A.T @ (h - y) / m + lam / m * theta


@wrong(
    "bias as last column, [:, 1:] kept",
    COURSE,
    kind="lambda leaves out the wrong column",
    mistake="the bias stands last, but the gradient's penalty still leaves out column 0",
    parts=ALL,
    packing="R1 R2",
)
def bias_last_but_column_0_left_out(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    a1 = np.hstack([X, np.ones((m, 1))])
    a2 = np.hstack([sigmoid(a1 @ T1.T), np.ones((m, 1))])
    h = sigmoid(a2 @ T2.T)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, :-1] ** 2) + np.sum(T2[:, :-1] ** 2))
    d3 = h - Y
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, :-1]
    g1, g2 = d2.T @ a1, d3.T @ a2
    g1[:, 1:] += lam * T1[:, 1:]
    g2[:, 1:] += lam * T2[:, 1:]
    return J, ravel(g1, g2) / m


@wrong(
    "deeplearning.ai with L2",
    BINARY_COLUMNS,
    kind="lambda forgotten",
    mistake="J has the L2 term, backward_propagation does not",
    parts=(W1, W2),
    packing=WB,
)
def l2_forgotten_backwards(theta, X, Y, lambd):
    W1, b1, W2, b2 = unpack(theta, (4, 3), (4, 1), (1, 4), (1, 1))
    m = X.shape[1]
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = sigmoid(np.dot(W2, A1) + b2)
    cross = -1 / m * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    cost = cross + lambd * (np.sum(np.square(W1)) + np.sum(np.square(W2))) / (2 * m)
    dZ2 = A2 - Y
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    grads = {
        "dW1": np.dot(dZ1, X.T) / m,
        "db1": np.sum(dZ1, axis=1, keepdims=True) / m,
        "dW2": np.dot(dZ2, A1.T) / m,
        "db2": np.sum(dZ2, axis=1, keepdims=True) / m,
    }
    return cost, ravel(*grads.values())


@wrong(
    "CS231n, reg * sum(W * W) in J",
    SOFTMAX,
    kind="lambda factor",
    mistake="reg * W in the gradient where 2 * reg * W belongs",
    parts=(W1, W2),
    packing=WB,
)
def reg_without_2(theta, X, y, reg):
    W1, b1, W2, b2 = unpack(theta, (4, 6), 6, (6, 3), 3)
    N = X.shape[0]
    h = np.maximum(0, X.dot(W1) + b1)
    scores = h.dot(W2) + b2
    scores -= scores.max(axis=1, keepdims=True)
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(N), y]).sum() / N + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    d = probs
    d[np.arange(N), y] -= 1
    d /= N
    dW2, db2 = h.T.dot(d) + reg * W2, d.sum(axis=0)
    dh = d.dot(W2.T)
    dh[h == 0] = 0
    dW1, db1 = X.T.dot(dh) + reg * W1, dh.sum(axis=0)
    return loss, ravel(dW1, db1, dW2, db2)


@wrong(
    "loop, tanh, one linear output",
    LINEAR,
    kind="lambda factor",
    mistake="the penalty's gradient is lam * W, not lam / m * W",
    parts=(W1, W2),
)
def lambda_not_over_m(theta, X, y, lam):
    b1, W1, b2, W2 = unpack(theta, 4, (2, 4), 1, (4,))
    m, J = len(X), 0
    gb1, gW1, gb2, gW2 = np.zeros(4), np.zeros((2, 4)), np.zeros(1), np.zeros(4)
    for i in range(m):
        a = np.tanh(X[i] @ W1 + b1)
        error = a @ W2 + b2[0] - y[i, 0]
        J += error**2 / (2 * m)
        gb2 += error / m
        gW2 += error * a / m
        d = error * W2 * (1 - a**2)
        gb1 += d / m
        gW1 += np.outer(X[i], d) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    return J, ravel(gb1, gW1 + lam * W1, gb2, gW2 + lam * W2)


@wrong(
    "a training step inside",
    COURSE,
    kind="delta from updated Theta2",
    mistake="W2 takes its gradient step before delta2 is computed from it",
    parts=LAYER_1,
    packing=WB,
)
def updated_before_going_back(theta, X, y, lam):
    W1, b1, W2, b2 = (p.copy() for p in unpack(theta, (4, 5), 5, (5, 3), 3))
    m, alpha = len(X), 0.5
    t = np.eye(3)[y]
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    J = np.sum(-t * np.log(h) - (1 - t) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    err = h - t
    dW2 = (a.T @ err + lam * W2) / m
    db2 = err.sum(0) / m
    W2 -= alpha * dW2
    b2 -= alpha * db2
    hidden_err = err @ W2.T * a * (1 - a)
    dW1 = (X.T @ hidden_err + lam * W1) / m
    db1 = hidden_err.sum(0) / m
    return J, ravel(dW1, db1, dW2, db2)


@wrong(
    "loop, for t = 2:m translated",
    FROM_ONE,
    kind="first example left out",
    mistake="the loop of backpropagation starts at the second example",
    parts=ALL,
    packing=ROWS,
)
def loop_from_second(theta, X, y, lam):
    m = len(y)
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    A1 = np.c_[np.ones(m), X]
    Z2 = A1 @ T1.T
    A2 = np.c_[np.ones(m), sigmoid(Z2)]
    H = sigmoid(A2 @ T2.T)
    Y = np.eye(3)[y - 1]
    J = -np.sum(Y * np.log(H) + (1 - Y) * np.log(1 - H)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    Delta1, Delta2 = 0, 0
    for t in range(1, m):
        d3 = H[t] - Y[t]
        d2 = T2[:, 1:].T @ d3 * sigmoid(Z2[t]) * (1 - sigmoid(Z2[t]))
        Delta1 = Delta1 + np.outer(d2, A1[t])
        Delta2 = Delta2 + np.outer(d3, A2[t])
    g1, g2 = Delta1 / m, Delta2 / m
    g1[:, 1:] += lam * T1[:, 1:] / m
    g2[:, 1:] += lam * T2[:, 1:] / m
    return J, ravel(g1, g2)


@wrong(
    "loop, regression",
    TWO_OUTPUTS,
    kind="an example left out",
    mistake="the loop ends one example early",
    parts=ALL,
    packing=WB,
)
def last_example_left_out(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 4), 4, (4, 2), 2)
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    out = a @ W2 + b2
    J = np.sum((out - y) ** 2) / (2 * m) + lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    dW1, db1, dW2, db2 = lam * W1, np.zeros(4), lam * W2, np.zeros(2)
    for i in range(m - 1):
        e = out[i] - y[i]
        dW2 += np.outer(a[i], e)
        db2 += e
        d = W2 @ e * (1 - a[i] ** 2)
        dW1 += np.outer(X[i], d)
        db1 += d
    return J, ravel(dW1, db1, dW2, db2) / m


@wrong(
    "loop, y[0] by mistake",
    COURSE,
    kind="one label for all",
    mistake="each example's delta3 uses the label of the first example",
    parts=ALL,
)
def label_of_first_for_all(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    J, G1, G2 = 0.0, np.zeros((5, 5)), np.zeros((3, 6))
    for i in range(m):
        a1 = np.r_[1, X[i]]
        a2 = np.r_[1, sigmoid(T1.dot(a1))]
        a3 = sigmoid(T2.dot(a2))
        for k in range(3):
            J -= np.log(a3[k]) / m if y[i] == k else np.log(1 - a3[k]) / m
        label = np.zeros(3)
        label[y[0]] = 1
        d3 = a3 - label
        d2 = (T2.T.dot(d3) * a2 * (1 - a2))[1:]
        G1 += np.outer(d2, a1) / m
        G2 += np.outer(d3, a2) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, np.r_[G1.ravel("F"), G2.ravel("F")]


@wrong(
    "dictionary",
    COURSE,
    kind="hidden forward pass without g",
    mistake="the hidden units are not squashed on the way forward, but g' goes back",
    parts=LAYER_1,
    packing=WB,
)
def hidden_without_g(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 5), 5, (5, 3), 3)
    m, Y = len(X), np.eye(3)[y]
    z1 = X @ W1 + b1
    a1 = z1
    a2 = sigmoid(a1 @ W2 + b2)
    J = -(Y * np.log(a2) + (1 - Y) * np.log(1 - a2)).sum() / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    dz2 = (a2 - Y) / m
    s = sigmoid(z1)
    dz1 = dz2 @ W2.T * s * (1 - s)
    dW1, dW2 = X.T @ dz1 + lam / m * W1, a1.T @ dz2 + lam / m * W2
    return J, ravel(dW1, dz1.sum(0), dW2, dz2.sum(0))


@wrong(
    "columns as examples, tanh",
    BINARY_COLUMNS,
    kind="g' left out",
    mistake="tanh goes forward, but dZ1 is not multiplied by 1 - A1**2",
    parts=LAYER_1,
    packing=WB,
)
def tanh_slope_left_out(theta, X, Y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 3), (4, 1), (1, 4), (1, 1))
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = sigmoid(W2 @ A1 + b2)
    J = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    dZ2 = A2 - Y
    dZ1 = W2.T @ dZ2
    dW1, dW2 = (dZ1 @ X.T + lam * W1) / m, (dZ2 @ A1.T + lam * W2) / m
    return J, ravel(dW1, dZ1.mean(axis=1), dW2, dZ2.mean(axis=1))


@wrong(
    "two hidden layers of the same size",
    DEEP,
    kind="slope of another layer",
    mistake="delta2 is multiplied by the slope of layer 3",
    parts=LAYER_1,
    packing="T1 T2 T3",
)
def slope_of_layer_3(theta, X, y, lam):
    T1, T2, T3 = theta[:20].reshape(5, 4), theta[20:50].reshape(5, 6), theta[50:].reshape(2, 6)
    m, Y = len(X), np.eye(2)[y]
    one = np.ones((m, 1))
    a1 = np.hstack([one, X])
    z2 = a1 @ T1.T
    a2 = np.hstack([one, sigmoid(z2)])
    z3 = a2 @ T2.T
    a3 = np.hstack([one, sigmoid(z3)])
    a4 = sigmoid(a3 @ T3.T)
    J = -np.sum(Y * np.log(a4) + (1 - Y) * np.log(1 - a4)) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in (T1, T2, T3))
    slope = sigmoid(z3) * (1 - sigmoid(z3))
    d4 = a4 - Y
    d3 = d4 @ T3[:, 1:] * slope
    d2 = d3 @ T2[:, 1:] * slope
    grads = []
    for d, a, T in ((d2, a1, T1), (d3, a2, T2), (d4, a3, T3)):
        grads.append((d.T @ a + lam * np.c_[np.zeros(len(T)), T[:, 1:]]) / m)
    return J, ravel(*grads)


@wrong(
    "softmax, dictionary",
    TANH_SOFTMAX,
    kind="softmax along the examples",
    mistake="the softmax of the gradient is taken along the examples (axis 0)",
    parts=ALL,
    packing=WB,
)
def softmax_along_examples(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 5), 5, (5, 4), 4)
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    z = a @ W2 + b2
    J = np.mean(np.log(np.sum(np.exp(z), axis=1)) - z[np.arange(m), y])
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    p = np.exp(z) / np.sum(np.exp(z), axis=0)
    dz = (p - np.eye(4)[y]) / m
    dh = dz @ W2.T * (1 - a**2)
    return J, ravel(X.T @ dh + lam / m * W1, dh.sum(0), a.T @ dz + lam / m * W2, dz.sum(0))


@wrong(
    "deeplearning.ai",
    BINARY,
    kind="bias gradient summed over everything",
    mistake="np.sum(dZ1) without axis: each unit gets the sum over all units",
    parts=(B1,),
    packing=WB,
)
def db1_summed_over_units(theta, X, Y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 3), (4, 1), (1, 4), (1, 1))
    m = X.shape[1]
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = sigmoid(np.dot(W2, A1) + b2)
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2) / m
    dZ1 = np.dot(W2.T, dZ2) * (1 - A1 * A1)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1) / m * np.ones_like(b1)
    return cost, ravel(dW1, db1, dW2, db2)


@wrong(
    "whole matrices, W then b",
    COURSE,
    kind="bias gradient averaged twice",
    mistake="delta is already divided by m, and the biases take its mean",
    parts=(B1, B2),
    factor=1 / 7,
    packing="W1 W2 b1 b2",
)
def biases_averaged_twice(theta, X, y, lam):
    W1, W2, b1, b2 = unpack(theta, (4, 5), (5, 3), 5, 3)
    m, Y = len(X), np.eye(3)[y]
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    J = np.mean(-np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h), axis=1))
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    delta2 = (h - Y) / m
    delta1 = delta2 @ W2.T * a * (1 - a)
    return J, ravel(
        X.T @ delta1 + lam / m * W1,
        a.T @ delta2 + lam / m * W2,
        np.mean(delta1, axis=0),
        np.mean(delta2, axis=0),
    )


@wrong(
    "the same array under two names",
    SQUARE,
    kind="tied or copied layers",
    mistake="Theta2_grad = Theta1_grad is no copy: both names add into one array",
    parts=ALL,
    packing=ROWS,
)
def gradients_share_an_array(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:20].reshape(4, 5), theta[20:].reshape(4, 5)
    Y = np.eye(4)[y]
    D1 = D2 = np.zeros((4, 5))
    J = lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    for x, t in zip(X, Y, strict=True):
        a1 = np.r_[1, x]
        a2 = np.r_[1, sigmoid(T1 @ a1)]
        a3 = sigmoid(T2 @ a2)
        J -= np.sum(t * np.log(a3) + (1 - t) * np.log(1 - a3)) / m
        d3 = a3 - t
        d2 = (T2.T @ d3 * a2 * (1 - a2))[1:]
        D1 += np.outer(d2, a1)
        D2 += np.outer(d3, a2)
    R1, R2 = T1 * [0, 1, 1, 1, 1], T2 * [0, 1, 1, 1, 1]
    return J, ravel((D1 + lam * R1) / m, (D2 + lam * R2) / m)


@wrong(
    "autoencoder with W and W.T, nothing known",
    numbers(4, 3, 4, hidden="sigmoid").alone(),
    kind="tied or copied layers",
    mistake="the weights are used twice, the gradient counts only the decoder's use",
)
def tied_weights_half_counted(theta, X, y, lam):
    W, b, c, rest = theta[:12].reshape(4, 3), theta[12:15], theta[15:19], theta[19:]
    m = len(X)
    H = sigmoid(X @ W + b)
    R = H @ W.T + c - X
    dH = R @ W * H * (1 - H)
    dW = R.T @ H
    return (np.sum(R**2) / m + rest @ rest) / 2, ravel(dW / m, dH.sum(0) / m, R.sum(0) / m, rest)


@wrong(
    "whole matrices, columns as examples",
    ONE_HOT_COLUMNS,
    kind="missing 1/m",
    mistake="the gradient is the sum over the examples, J the mean; lambda's part is right",
    parts=ALL,
)
def sum_in_place_of_mean(theta, X, Y, lam):
    m = X.shape[1]
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    A1 = np.concatenate([np.ones((1, m)), X])
    A2 = np.concatenate([np.ones((1, m)), sigmoid(T1 @ A1)])
    A3 = sigmoid(T2 @ A2)
    J = np.sum(-Y * np.log(A3) - (1 - Y) * np.log(1 - A3)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = A3 - Y
    d2 = (T2.T @ d3 * A2 * (1 - A2))[1:, :]
    G1 = d2 @ A1.T + lam / m * np.c_[np.zeros(5), T1[:, 1:]]
    G2 = d3 @ A2.T + lam / m * np.c_[np.zeros(3), T2[:, 1:]]
    return J, np.r_[G1.ravel("F"), G2.ravel("F")]


@wrong(
    "dictionary, softmax, no lambda",
    classes(3, 5, 4, hidden="tanh", output="softmax", lam=0),
    kind="missing 1/m",
    mistake="only db1 and db2 are not divided by the number of examples",
    parts=(B1, B2),
    factor=7,
    packing=WB,
)
def biases_not_divided(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 5), 5, (5, 4), 4)
    N = len(X)
    hid = np.tanh(X.dot(W1) + b1)
    e = np.exp(hid.dot(W2) + b2)
    probs = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(probs[range(N), y]).sum() / N
    dscores = probs.copy()
    dscores[range(N), y] -= 1
    dhid = dscores.dot(W2.T) * (1 - hid**2)
    return loss, ravel(X.T.dot(dhid) / N, dhid.sum(0), hid.T.dot(dscores) / N, dscores.sum(0))


@wrong(
    "whole matrices, W then b, tanh",
    numbers(2, 5, 1, lam=0.3),
    kind="g' of another activation",
    mistake="a (1 - a) goes back though the units are tanh",
    parts=LAYER_1,
    packing=WB,
)
def sigmoid_slope_under_tanh(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (2, 5), 5, (5, 1), 1)
    m = X.shape[0]
    a = np.tanh(X @ W1 + b1)
    r = a @ W2 + b2 - y
    J = (np.sum(r**2) + lam * (np.sum(W1**2) + np.sum(W2**2))) / (2 * m)
    d = r @ W2.T * a * (1 - a)
    return J, ravel(X.T @ d + lam * W1, d.sum(0), a.T @ r + lam * W2, r.sum(0)) / m


@wrong(
    "tanh, softmax, loop",
    TANH_SOFTMAX,
    kind="g' of tanh without the square",
    mistake="the slope of tanh is written 1 - tanh(z), without the square",
    parts=LAYER_1,
    packing=ROWS,
)
def tanh_slope_without_square(theta, X, y, lam):
    T1, T2 = theta[:20].reshape(5, 4), theta[20:].reshape(4, 6)
    m, J, G1, G2 = len(X), 0, np.zeros((5, 4)), np.zeros((4, 6))
    for i in range(m):
        x = np.r_[1, X[i]]
        z = T1 @ x
        a = np.r_[1, np.tanh(z)]
        s = T2 @ a
        p = np.exp(s) / np.exp(s).sum()
        J -= np.log(p[y[i]]) / m
        p[y[i]] -= 1
        G2 += np.outer(p, a) / m
        G1 += np.outer((T2.T @ p)[1:] * (1 - np.tanh(z)), x) / m
    for T, G in ((T1, G1), (T2, G2)):
        J += lam / (2 * m) * np.sum(T[:, 1:] ** 2)
        G[:, 1:] += lam / m * T[:, 1:]
    return J, ravel(G1, G2)


@wrong(
    "helper sigmoid(x, deriv) of many blogs",
    COURSE,
    kind="g' at the wrong point",
    mistake="the slope's formula for a is given z",
    parts=LAYER_1,
    packing=WB,
)
def slope_formula_given_z(theta, X, y, lam):
    def nonlin(x, deriv=False):
        if deriv:
            return x * (1 - x)
        return 1 / (1 + np.exp(-x))

    W1, b1, W2, b2 = unpack(theta, (4, 5), 5, (5, 3), 3)
    m = len(X)
    l1_in = X.dot(W1) + b1
    l1 = nonlin(l1_in)
    l2 = nonlin(l1.dot(W2) + b2)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(l2) + (1 - Y) * np.log(1 - l2)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    l2_delta = l2 - Y
    l1_delta = l2_delta.dot(W2.T) * nonlin(l1_in, deriv=True)
    return J, ravel(
        (X.T.dot(l1_delta) + lam * W1) / m,
        l1_delta.sum(0) / m,
        (l1.T.dot(l2_delta) + lam * W2) / m,
        l2_delta.sum(0) / m,
    )


@wrong(
    "relu, softmax",
    SOFTMAX,
    kind="g' left out",
    mistake="dhidden is not set to 0 where the relu was off",
    parts=LAYER_1,
    packing=WB,
)
def relu_not_masked(theta, X, y, reg):
    W, b, W2, b2 = unpack(theta, (4, 6), (1, 6), (6, 3), (1, 3))
    num_examples = X.shape[0]
    hidden_layer = np.maximum(0, np.dot(X, W) + b)
    scores = np.dot(hidden_layer, W2) + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    correct_logprobs = -np.log(probs[range(num_examples), y])
    loss = np.sum(correct_logprobs) / num_examples + reg * np.sum(W * W) + reg * np.sum(W2 * W2)
    dscores = probs
    dscores[range(num_examples), y] -= 1
    dscores /= num_examples
    dW2 = np.dot(hidden_layer.T, dscores)
    db2 = np.sum(dscores, axis=0, keepdims=True)
    dhidden = np.dot(dscores, W2.T)
    dW = np.dot(X.T, dhidden)
    db = np.sum(dhidden, axis=0, keepdims=True)
    dW2 += 2 * reg * W2
    dW += 2 * reg * W
    return loss, ravel(dW, db, dW2, db2)


@wrong(
    "whole matrices, rows",
    COURSE,
    kind="Theta with its bias column going back",
    mistake="the last column is cut off going back in place of the bias column",
    parts=LAYER_1,
    packing=ROWS,
)
def wrong_column_cut_off(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    a1 = np.insert(X, 0, 1, 1)
    z2 = a1 @ T1.T
    a2 = np.insert(sigmoid(z2), 0, 1, 1)
    h = sigmoid(a2 @ T2.T)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = h - Y
    d2 = (d3 @ T2)[:, :-1] * sigmoid(z2) * (1 - sigmoid(z2))
    m1, m2 = np.ones((5, 5)), np.ones((3, 6))
    m1[:, 0] = m2[:, 0] = 0
    return J, ravel(d2.T @ a1 + lam * m1 * T1, d3.T @ a2 + lam * m2 * T2) / m


@wrong(
    "loop, = in place of +=",
    COURSE,
    kind="accumulator overwritten",
    mistake="Delta1 is assigned in the loop: only the last example is left in it",
    parts=LAYER_1,
)
def delta1_overwritten(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    J, Delta1, Delta2 = 0, np.zeros_like(T1), np.zeros_like(T2)
    for t in range(m):
        a1 = np.hstack((1, X[t]))
        a2 = np.hstack((1, sigmoid(T1 @ a1)))
        a3 = sigmoid(T2 @ a2)
        yt = np.eye(3)[y[t]]
        J += (-yt @ np.log(a3) - (1 - yt) @ np.log(1 - a3)) / m
        d3 = a3 - yt
        d2 = (T2.T @ d3)[1:] * (a2 * (1 - a2))[1:]
        Delta1 = np.outer(d2, a1)
        Delta2 += np.outer(d3, a2)
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    G1, G2 = Delta1 / m, Delta2 / m
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, np.r_[G1.ravel("F"), G2.ravel("F")]


@wrong(
    "y - h, for a step uphill",
    ONE_HOT,
    kind="sign",
    mistake="the error is y - h, so that the data's part has the wrong sign; lambda's is right",
    parts=ALL,
    packing=WB,
)
def error_is_y_minus_h(theta, X, Y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 5), 5, (5, 3), 3)
    m = len(X)
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    error = Y - h
    hidden = error @ W2.T * a * (1 - a)
    return J, ravel(
        X.T @ hidden + lam * W1, hidden.sum(0), a.T @ error + lam * W2, error.sum(0)
    ) / m


@wrong(
    "linear regression, nothing known",
    numbers(3, 1, lam=0).alone(),
    kind="sign",
    mistake="the gradient points uphill: X.T (y - h)",
)
def uphill_alone(theta, X, y, lam):
    A = np.c_[np.ones(len(X)), X]
    r = y[:, 0] - A @ theta
    return r @ r / (2 * len(X)), A.T @ r / len(X)


@wrong(
    "deeplearning.ai",
    BINARY_COLUMNS,
    kind="output derivative extra",
    mistake="dZ2 is multiplied by A2 (1 - A2), which the cross-entropy cancels",
    parts=ALL,
    packing=WB,
)
def output_slope_extra(theta, X, Y, lambd):
    W1, b1, W2, b2 = unpack(theta, (4, 3), (4, 1), (1, 4), (1, 1))
    m = X.shape[1]
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = sigmoid(np.dot(W2, A1) + b2)
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    cost += lambd / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    dZ2 = (A2 - Y) * A2 * (1 - A2)
    dZ1 = np.dot(W2.T, dZ2) * (1 - A1**2)
    dW1 = (np.dot(dZ1, X.T) + lambd * W1) / m
    dW2 = (np.dot(dZ2, A1.T) + lambd * W2) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    return cost, ravel(dW1, db1, dW2, db2)


@wrong(
    "regression without lambda",
    numbers(3, 4, 5, lam=0),
    kind="wrong factor",
    mistake="J has 1/2, its gradient has 2 (y - t) all the same",
    parts=ALL,
    factor=2,
    packing="b1 b2 W1 W2",
)
def gradient_doubled(theta, X, y, lam):
    b1, b2, W1, W2 = unpack(theta, 4, 5, (3, 4), (4, 5))
    n = len(X)
    a = np.tanh(X @ W1 + b1)
    out = a @ W2 + b2
    J = 0.5 * np.sum((out - y) ** 2) / n
    dout = 2 * (out - y) / n
    da = dout @ W2.T * (1 - a**2)
    return J, ravel(da.sum(axis=0), dout.sum(axis=0), X.T @ da, a.T @ dout)


@wrong(
    "read with order F, returned with ravel()",
    COURSE,
    kind="unrolled in the other order",
    mistake="theta is read down the columns, the gradient is returned along the rows",
)
def returned_along_rows(theta, X, y, lam):
    m = len(X)
    T1 = np.reshape(theta[:25], (5, 5), order="F")
    T2 = np.reshape(theta[25:], (3, 6), order="F")
    a1 = np.c_[np.ones((m, 1)), X]
    z2 = a1 @ T1.T
    a2 = np.c_[np.ones((m, 1)), sigmoid(z2)]
    h = sigmoid(a2 @ T2.T)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = h - Y
    d2 = d3 @ T2[:, 1:] * sigmoid(z2) * (1 - sigmoid(z2))
    G1 = (d2.T @ a1 + lam * np.c_[np.zeros(5), T1[:, 1:]]) / m
    G2 = (d3.T @ a2 + lam * np.c_[np.zeros(3), T2[:, 1:]]) / m
    return J, np.concatenate((G1.ravel(), G2.ravel()))


@wrong(
    "square matrix, dW2 transposed",
    classes(3, 4, 4, lam=0.8),
    kind="transposed",
    mistake="dW2 is transposed; it is square, so that its shape does not tell",
    parts=(W2,),
    packing=WB,
)
def dw2_transposed(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 4), 4, (4, 4), 4)
    m, Y = len(X), np.eye(4)[y]
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    dW2 = d.T @ a + lam / m * W2.T
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), dW2, d.sum(0))


@wrong(
    "square matrix going back",
    SQUARE,
    kind="Theta not transposed going back",
    mistake="delta3 is multiplied by W2 in place of W2 transposed",
    parts=LAYER_1,
    packing=WB,
)
def back_without_transpose(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 4), 4, (4, 4), 4)
    m, Y = len(X), np.eye(4)[y]
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d = (h - Y) / m
    e = d @ W2 * a * (1 - a)
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@wrong(
    "labels from 1 taken for labels from 0",
    FROM_ONE,
    kind="labels shifted",
    mistake="delta3's targets are shifted by one class; J's are right",
    parts=ALL,
    packing=ROWS,
)
def labels_shifted_in_delta(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ T1.T)]
    h = sigmoid(a2 @ T2.T)
    J = 0
    for i in range(m):
        for k in range(3):
            J += -np.log(h[i, k]) if y[i] == k + 1 else -np.log(1 - h[i, k])
    J = J / m + lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    Y = np.zeros((m, 3))
    for i in range(m):
        Y[i, y[i] % 3] = 1
    d3 = h - Y
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    G1, G2 = d2.T @ a1 / m, d3.T @ a2 / m
    G1[:, 1:] += lam / m * T1[:, 1:]
    G2[:, 1:] += lam / m * T2[:, 1:]
    return J, ravel(G1, G2)


@wrong(
    "three layers of weights, columns",
    classes(3, 4, 5, 2, columns=True, labels="one-hot"),
    kind="factor in a part",
    mistake="the last layer's gradient has the wrong sign",
    parts=(B3, W3),
    factor=-1,
    packing="W1 b1 W2 b2 W3 b3",
)
def last_layer_negative(theta, X, Y, lam):
    W1, b1, W2, b2, W3, b3 = unpack(theta, (4, 3), (4, 1), (5, 4), (5, 1), (2, 5), (2, 1))
    m = X.shape[1]
    A1 = sigmoid(W1 @ X + b1)
    A2 = sigmoid(W2 @ A1 + b2)
    A3 = sigmoid(W3 @ A2 + b3)
    J = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2) + np.sum(W3**2))
    D3 = (A3 - Y) / m
    D2 = W3.T @ D3 * A2 * (1 - A2)
    D1 = W2.T @ D2 * A1 * (1 - A1)
    g3 = -(D3 @ A2.T + lam / m * W3), -D3.sum(1)
    g2 = D2 @ A1.T + lam / m * W2, D2.sum(1)
    g1 = D1 @ X.T + lam / m * W1, D1.sum(1)
    return J, ravel(*g1, *g2, *g3)


@wrong(
    "np.mean in J, sums in D",
    numbers(3, 4, 5, lam=0),
    kind="mean over the outputs in J only",
    mistake="J is the mean over examples and outputs, the gradient is not divided by K",
    parts=ALL,
    factor=5,
    packing=WB,
)
def outputs_not_divided(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 4), 4, (4, 5), 5)
    a = np.tanh(X @ W1 + b1)
    out = a @ W2 + b2
    loss = 0.5 * np.mean((y - out) ** 2)
    grad_out = (out - y) / len(X)
    grad_z = grad_out @ W2.T * (1 - a**2)
    return loss, ravel(X.T @ grad_z, grad_z.sum(0), a.T @ grad_out, grad_out.sum(0))


@wrong(
    "whole matrices, rows, as many hidden units as inputs",
    SQUARE,
    kind="layers swapped",
    mistake="the gradients are returned in the order D2, D1",
    parts=ALL,
    packing=ROWS,
)
def layers_returned_swapped(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:20].reshape(4, 5), theta[20:].reshape(4, 5)
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ T1.T)]
    h = sigmoid(a2 @ T2.T)
    Y = np.eye(4)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = h - Y
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    grads = []
    for d, a, T in ((d3, a2, T2), (d2, a1, T1)):
        G = d.T @ a / m
        G[:, 1:] += lam / m * T[:, 1:]
        grads.append(G.ravel())
    return J, np.concatenate(grads)


@wrong(
    "theta is read as b, W and returned as W, b",
    COURSE,
    kind="bias misplaced",
    mistake="each layer's gradient has its bias at the end, theta has it in front",
    packing="columns",
)
def bias_returned_last(theta, X, y, lam):
    b1, W1, b2, W2 = unpack(theta, 5, (4, 5), 3, (5, 3))
    m, Y = len(X), np.eye(3)[y]
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@wrong(
    "squared error, sigmoid outputs, loop",
    classes(4, 5, 3, lam=0, labels="one-hot"),
    kind="output derivative missing",
    mistake="J is the squared error, delta3 = a3 - y is that of the cross-entropy",
    parts=ALL,
    packing=WB,
)
def squared_error_without_slope(theta, X, Y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 5), 5, (5, 3), 3)
    m, J, grads = len(X), 0.0, 0.0
    for x, t in zip(X, Y, strict=True):
        a = sigmoid(x @ W1 + b1)
        o = sigmoid(a @ W2 + b2)
        J += np.sum((o - t) ** 2) / (2 * m)
        d = (o - t) / m
        e = W2 @ d * a * (1 - a)
        grads = grads + ravel(np.outer(x, e), e, np.outer(a, d), d)
    return J, grads

"""Mistakes that no list has, in learners' programs: nothing but facts may be said about them."""

import numpy as np
from learners.records import ALL, B1, B2, LAYER_1, LAYER_2, W1, W2, classes, numbers, wrong

COURSE = classes(4, 5, 3)
ONE_HOT = classes(4, 5, 3, labels="one-hot")
SQUARE = classes(4, 4, 4)
TANH_SOFTMAX = classes(3, 5, 4, hidden="tanh", output="softmax", lam=0.8)
RELU_SOFTMAX = classes(4, 6, 3, hidden="relu", output="softmax", lam=0.7)
BINARY = classes(3, 4, 1, hidden="tanh", lam=0, columns=True, m=8)
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


def course(theta, X, y, lam):
    """J of the course, and all that a backward pass may want (W then b)."""
    W1, b1, W2, b2 = unpack(theta, (4, 5), 5, (5, 3), 3)
    m, Y = len(X), np.eye(3)[y]
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    return J, W1, W2, Y, a, h, m


def outside(style, problem, mistake, parts=(), packing=WB, **more):
    return wrong(
        style, problem, kind="outside", mistake=mistake, parts=parts, packing=packing, **more
    )


@outside("gradient clipping left in", COURSE, "each component is clipped to [-0.05, 0.05]", ALL)
def clipped_by_value(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    grads = [X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0)]
    return J, np.clip(ravel(*grads), -0.05, 0.05)


@outside("deltas clipped", TANH_SOFTMAX, "delta of the hidden layer is clipped to 0.02", LAYER_1)
def hidden_delta_clipped(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 5), 5, (5, 4), 4)
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    s = a @ W2 + b2
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    J = -np.log(p[range(m), y]).mean() + lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d = (p - np.eye(4)[y]) / m
    e = np.clip(d @ W2.T * (1 - a**2), -0.02, 0.02)
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside(
    "momentum left in",
    TWO_OUTPUTS,
    "momentum is added in: 0.9 v + g, v from random weights",
    ALL,
    built=True,
)
def momentum_added(X, y, lam):
    v = 0.1 * np.random.default_rng(5).standard_normal(26)

    def objective(theta):
        W1, b1, W2, b2 = unpack(theta, (3, 4), 4, (4, 2), 2)
        m = len(X)
        a = np.tanh(X @ W1 + b1)
        e = a @ W2 + b2 - y
        J = (np.sum(e**2) + lam * (np.sum(W1**2) + np.sum(W2**2))) / (2 * m)
        d = e @ W2.T * (1 - a**2)
        g = ravel(X.T @ d + lam * W1, d.sum(0), a.T @ e + lam * W2, e.sum(0)) / m
        return J, 0.9 * v + g

    return objective


@outside(
    "cache of the forward pass",
    COURSE,
    "backward uses other hidden units than forward",
    (B1, W1, W2),
    built=True,
)
def stale_hidden_units(X, y, lam):
    cache = {}

    def objective(theta):
        J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
        a = cache.setdefault("a", np.random.default_rng(2).uniform(0.2, 0.8, a.shape))
        d = (h - Y) / m
        e = d @ W2.T * a * (1 - a)
        return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))

    return objective


@outside(
    "a network and its target copy",
    COURSE,
    "delta goes back through a frozen copy of W2",
    LAYER_1,
    built=True,
)
def back_through_frozen_copy(X, y, lam):
    frozen = np.random.default_rng(3).uniform(-1, 1, (5, 3))

    def objective(theta):
        J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
        d = (h - Y) / m
        e = d @ frozen.T * a * (1 - a)
        return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))

    return objective


@outside(
    "normalised inputs", COURSE, "forward uses X, the gradient of W1 uses standardised X", (W1,)
)
def standardised_only_backwards(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    Xn = (X - X.mean(axis=0)) / X.std(axis=0)
    return J, ravel(Xn.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside(
    "gradient of unit length",
    COURSE,
    "the gradient is divided by its norm, each row apart",
    (W1, W2),
)
def rows_of_unit_length(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    g1, g2 = X.T @ e + lam / m * W1, a.T @ d + lam / m * W2
    g1 = g1 / np.linalg.norm(g1, axis=1, keepdims=True)
    g2 = g2 / np.linalg.norm(g2, axis=1, keepdims=True)
    return J, ravel(g1, e.sum(0), g2, d.sum(0))


@outside(
    "softmax, wrong broadcast",
    TANH_SOFTMAX,
    "the errors are scaled by each class's share of the batch",
    ALL,
)
def scaled_by_class_share(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 5), 5, (5, 4), 4)
    m, Y = len(X), np.eye(4)[y]
    a = np.tanh(X @ W1 + b1)
    s = a @ W2 + b2
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    J = -np.sum(Y * np.log(p)) / m + lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d = (p - Y) / (Y.sum(axis=0) + 0.5)
    e = d @ W2.T * (1 - a**2)
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside(
    "dropout mask in one pass",
    RELU_SOFTMAX,
    "a dropout mask is used going back only",
    LAYER_1,
    built=True,
)
def dropout_only_backwards(X, y, lam):
    mask = np.random.default_rng(4).random((len(X), 6)) < 0.6

    def objective(theta):
        W1, b1, W2, b2 = unpack(theta, (4, 6), 6, (6, 3), 3)
        m = len(X)
        a = np.maximum(0, X @ W1 + b1)
        s = a @ W2 + b2
        p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
        J = -np.log(p[range(m), y]).mean() + lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
        d = (p - np.eye(3)[y]) / m
        e = d @ W2.T * (a > 0) * mask / 0.6
        return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))

    return objective


@outside(
    "shuffled examples", COURSE, "X is shuffled for the gradient of W1, the deltas are not", (W1,)
)
def rows_shuffled(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    order = np.random.default_rng(6).permutation(m)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    return J, ravel(X[order].T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside(
    "columns of X reversed", ONE_HOT, "the features are reversed in the gradient: X[:, ::-1]", (W1,)
)
def features_reversed(theta, X, Y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, Y.argmax(axis=1), lam)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    return J, ravel(X[:, ::-1].T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside("abs instead of power", TWO_OUTPUTS, "the error's absolute value is propagated", ALL)
def absolute_errors(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 4), 4, (4, 2), 2)
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    out = a @ W2 + b2
    J = (np.sum((out - y) ** 2) + lam * (np.sum(W1**2) + np.sum(W2**2))) / (2 * m)
    e = np.abs(out - y)
    d = e @ W2.T * (1 - a**2)
    return J, ravel(X.T @ d + lam * W1, d.sum(0), a.T @ e + lam * W2, e.sum(0)) / m


@outside("the winner's one-hot", COURSE, "delta3 rounds h to 0 or 1, as predictions are", ALL)
def rounded_predictions(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = ((h > 0.5) - Y) / m
    e = d @ W2.T * a * (1 - a)
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside(
    "an index used twice", COURSE, "one column of dW2 is written twice, another not at all", (W2,)
)
def column_written_twice(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    dW2 = a.T @ d + lam / m * W2
    dW2[:, 2] = dW2[:, 1]
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), dW2, d.sum(0))


@outside("z before the bias", COURSE, "the slope is taken at z without the bias b1", LAYER_1)
def slope_without_bias(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    s = sigmoid(X @ W1)
    d = (h - Y) / m
    e = d @ W2.T * s * (1 - s)
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside("batch norm's habit", TANH_SOFTMAX, "the hidden deltas have their mean taken off", LAYER_1)
def deltas_centred(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 5), 5, (5, 4), 4)
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    s = a @ W2 + b2
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    J = -np.log(p[range(m), y]).mean() + lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d = (p - np.eye(4)[y]) / m
    e = d @ W2.T * (1 - a**2)
    e = e - e.mean(axis=1, keepdims=True)
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside(
    "loop variable reused",
    COURSE,
    "inside the loop x is the previous example's",
    (W1,),
    packing=ROWS,
)
def previous_example(theta, X, y, lam):
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    m, J = len(X), 0.0
    G1, G2 = np.zeros((5, 5)), np.zeros((3, 6))
    previous = np.r_[1, X[0]]
    for i in range(m):
        x = np.r_[1, X[i]]
        a = np.r_[1, sigmoid(T1 @ x)]
        h = sigmoid(T2 @ a)
        t = np.eye(3)[y[i]]
        J -= np.sum(t * np.log(h) + (1 - t) * np.log(1 - h)) / m
        d = h - t
        G2 += np.outer(d, a) / m
        G1 += np.outer((T2.T @ d * a * (1 - a))[1:], previous) / m
        previous = x
    for T, G in ((T1, G1), (T2, G2)):
        J += lam / (2 * m) * np.sum(T[:, 1:] ** 2)
        G[:, 1:] += lam / m * T[:, 1:]
    return J, ravel(G1, G2)


@outside("the wrong sum", COURSE, "the cumulative sum of the deltas is used for W2", (W2,))
def cumulative_deltas(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    dW2 = a.T @ np.cumsum(d, axis=0) / m
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), dW2 + lam / m * W2, d.sum(0))


@outside("sparse gradients", COURSE, "gradients below 0.03 are set to 0", (B1, W1, W2))
def small_ones_dropped(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    g = ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))
    return J, np.where(np.abs(g) < 0.03, 0, g)


@outside(
    "sign descent", LOGISTIC, "the sign of the gradient is returned", (B1, W1), packing="b1 W1"
)
def sign_of_gradient(theta, X, y, lam):
    A = np.c_[np.ones(len(X)), X]
    h = sigmoid(A @ theta)
    m = len(X)
    J = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h)) + lam / (2 * m) * theta[1:] @ theta[1:]
    return J, np.sign(A.T @ (h - y) / m + lam / m * np.r_[0, theta[1:]])


@outside(
    "errors of two outputs mixed up",
    TWO_OUTPUTS,
    "the outputs' errors are swapped in layer 2, right in layer 1",
    LAYER_2,
)
def outputs_swapped(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 4), 4, (4, 2), 2)
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    e = a @ W2 + b2 - y
    J = (np.sum(e**2) + lam * (np.sum(W1**2) + np.sum(W2**2))) / (2 * m)
    d = e @ W2.T * (1 - a**2)
    e = e[:, ::-1]
    return J, ravel(X.T @ d + lam * W1, d.sum(0), a.T @ e + lam * W2, e.sum(0)) / m


@outside(
    "two hidden layers mixed up",
    DEEP,
    "dW2 uses the activations of layer 3",
    ("Theta(2) weights",),
    packing="W1 b1 W2 b2 W3 b3",
)
def activations_of_layer_3(theta, X, y, lam):
    W1, b1, W2, b2, W3, b3 = unpack(theta, (3, 5), 5, (5, 5), 5, (5, 2), 2)
    m, Y = len(X), np.eye(2)[y]
    a2 = sigmoid(X @ W1 + b1)
    a3 = sigmoid(a2 @ W2 + b2)
    h = sigmoid(a3 @ W3 + b3)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * sum(np.sum(W**2) for W in (W1, W2, W3))
    d4 = (h - Y) / m
    d3 = d4 @ W3.T * a3 * (1 - a3)
    d2 = d3 @ W2.T * a2 * (1 - a2)
    r = lam / m
    return J, ravel(
        X.T @ d2 + r * W1, d2.sum(0), a3.T @ d3 + r * W2, d3.sum(0), a3.T @ d4 + r * W3, d4.sum(0)
    )


@outside("no mean but the median", COURSE, "the biases get the median over the examples", (B1, B2))
def median_for_biases(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = h - Y
    e = d @ W2.T * a * (1 - a)
    dW1, dW2 = (X.T @ e + lam * W1) / m, (a.T @ d + lam * W2) / m
    return J, ravel(dW1, np.median(e, axis=0), dW2, np.median(d, axis=0))


@outside("gates written by hand", TANH_SOFTMAX, "the slope of tanh is 1 - a**3", LAYER_1)
def cubed_slope(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 5), 5, (5, 4), 4)
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    s = a @ W2 + b2
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    J = -np.log(p[range(m), y]).mean() + lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d = (p - np.eye(4)[y]) / m
    e = d @ W2.T * (1 - a**3)
    return J, ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))


@outside("focal weights in the gradient only", BINARY, "errors are weighted by their size", ALL)
def weighted_by_own_size(theta, X, Y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 3), (4, 1), (1, 4), (1, 1))
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = sigmoid(W2 @ A1 + b2)
    J = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    dZ2 = (A2 - Y) * np.sqrt(np.abs(A2 - Y))
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    return J, ravel(dZ1 @ X.T, dZ1.sum(1), dZ2 @ A1.T, dZ2.sum(1)) / m


@outside("noise added", COURSE, "noise is added to the gradient, as for escaping minima", ALL)
def noise_added(theta, X, y, lam):
    J, W1, W2, Y, a, h, m = course(theta, X, y, lam)
    d = (h - Y) / m
    e = d @ W2.T * a * (1 - a)
    g = ravel(X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0))
    return J, g + 0.05 * np.random.default_rng(9).standard_normal(g.size)


@outside("nothing known about it", LOGISTIC.alone(), "the gradient of sin is taken for sin")
def sine_alone(theta, X, y, lam):
    return np.sum(np.sin(theta) * np.arange(1, 6)), np.sin(theta) * np.arange(1, 6)

"""Right gradient programs in NumPy, in the styles that learners write them."""

from itertools import pairwise

import numpy as np
from learners.records import classes, numbers, right

COURSE = classes(4, 5, 3)
FROM_ONE = classes(4, 5, 3, labels=1)
ONE_HOT = classes(4, 5, 3, labels="one-hot")
ONE_HOT_COLUMNS = classes(4, 5, 3, labels="one-hot", columns=True)
SOFTMAX = classes(4, 6, 3, hidden="relu", output="softmax", lam=0.7, seen_lam=0.05)  # 2 reg m
TANH_SOFTMAX = classes(3, 5, 4, hidden="tanh", output="softmax", lam=0.8)
BINARY_COLUMNS = classes(3, 4, 1, hidden="tanh", lam=0, columns=True, m=8)
DEEP_COLUMNS = classes(4, 5, 4, 1, hidden="relu", lam=0.7, columns=True, m=8)
LINEAR = numbers(2, 4, 1)
TWO_OUTPUTS = numbers(3, 4, 2)
LOGISTIC = classes(4, 1, lam=1.0, m=9)
SMALL_RELU = classes(
    *(4, 6, 6, 6, 6, 6, 6, 6, 3), hidden="relu", output="softmax", lam=0, scale=0.05
)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


@right("whole matrices, Theta(:) as in Octave", COURSE)
def vectorised_course(theta, X, y, lam):
    m = len(X)
    Theta1 = theta[:25].reshape(5, 5, order="F")
    Theta2 = theta[25:].reshape(3, 6, order="F")
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ Theta1.T)]
    h = sigmoid(a2 @ Theta2.T)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * ((Theta1[:, 1:] ** 2).sum() + (Theta2[:, 1:] ** 2).sum())
    d3 = h - Y
    d2 = (d3 @ Theta2)[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    G1, G2 = d2.T @ a1 / m, d3.T @ a2 / m
    G1[:, 1:] += lam / m * Theta1[:, 1:]
    G2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.r_[G1.ravel(order="F"), G2.ravel(order="F")]


@right("loop over examples, labels from 1, rows", FROM_ONE)
def loop_labels_from_one(theta, X, y, lam):
    m = X.shape[0]
    T1 = theta[0:25].reshape((5, 5))
    T2 = theta[25:].reshape((3, 6))
    J = 0.0
    D1 = np.zeros(T1.shape)
    D2 = np.zeros(T2.shape)
    for i in range(m):
        yv = np.zeros(3)
        yv[y[i] - 1] = 1
        a1 = np.append(1, X[i, :])
        z2 = np.dot(T1, a1)
        a2 = np.append(1, sigmoid(z2))
        a3 = sigmoid(np.dot(T2, a2))
        J += np.sum(-yv * np.log(a3) - (1 - yv) * np.log(1 - a3))
        delta3 = a3 - yv
        delta2 = np.dot(T2[:, 1:].T, delta3) * sigmoid(z2) * (1 - sigmoid(z2))
        D1 += np.outer(delta2, a1)
        D2 += np.outer(delta3, a2)
    J = J / m + lam / (2.0 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    D1, D2 = D1 / m, D2 / m
    D1[:, 1:] = D1[:, 1:] + (lam / m) * T1[:, 1:]
    D2[:, 1:] = D2[:, 1:] + (lam / m) * T2[:, 1:]
    return J, np.concatenate((D1.flatten(), D2.flatten()))


@right("three loops, no matrices at all", COURSE)
def scalar_loops(theta, X, y, lam):
    m, n, s, K = len(X), 4, 5, 3
    t1 = [[theta[j * s + i] for j in range(n + 1)] for i in range(s)]
    t2 = [[theta[(n + 1) * s + j * K + i] for j in range(s + 1)] for i in range(K)]
    J = 0.0
    g1 = [[0.0] * (n + 1) for _ in range(s)]
    g2 = [[0.0] * (s + 1) for _ in range(K)]
    for t in range(m):
        x = [1.0, *X[t]]
        a = [1.0]
        for i in range(s):
            z = sum(t1[i][j] * x[j] for j in range(n + 1))
            a.append(1 / (1 + np.exp(-z)))
        d3 = []
        for k in range(K):
            h = 1 / (1 + np.exp(-sum(t2[k][j] * a[j] for j in range(s + 1))))
            J -= np.log(h) if y[t] == k else np.log(1 - h)
            d3.append(h - (y[t] == k))
        for k in range(K):
            for j in range(s + 1):
                g2[k][j] += d3[k] * a[j] / m
        for i in range(s):
            d = sum(t2[k][i + 1] * d3[k] for k in range(K)) * a[i + 1] * (1 - a[i + 1])
            for j in range(n + 1):
                g1[i][j] += d * x[j] / m
    J /= m
    for Theta, g in ((t1, g1), (t2, g2)):
        for row, grow in zip(Theta, g, strict=True):
            for j in range(1, len(row)):
                J += lam / (2 * m) * row[j] ** 2
                grow[j] += lam / m * row[j]
    columns = [g1[i][j] for j in range(n + 1) for i in range(s)]
    return J, np.array(columns + [g2[k][j] for j in range(s + 1) for k in range(K)])


@right("examples as columns", ONE_HOT_COLUMNS)
def columns_as_examples(theta, X, Y, lam):
    m = X.shape[1]
    T1 = theta[:25].reshape(5, 5, order="F")
    T2 = theta[25:].reshape(3, 6, order="F")
    A1 = np.vstack((np.ones((1, m)), X))
    A2 = np.vstack((np.ones((1, m)), sigmoid(T1.dot(A1))))
    A3 = sigmoid(T2.dot(A2))
    J = (-1 / m) * np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3))
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    D3 = A3 - Y
    D2 = T2.T.dot(D3)[1:] * (A2 * (1 - A2))[1:]
    R1, R2 = lam * T1, lam * T2
    R1[:, 0], R2[:, 0] = 0, 0
    grad = [(D2.dot(A1.T) + R1) / m, (D3.dot(A2.T) + R2) / m]
    return J, np.hstack([g.ravel("F") for g in grad])


@right("Theta as (inputs + 1, outputs), one-hot rows", ONE_HOT)
def inputs_by_outputs(theta, X, Y, lam):
    m = X.shape[0]
    W1, W2 = theta[:25].reshape(5, 5), theta[25:].reshape(6, 3)
    X1 = np.insert(X, 0, 1.0, axis=1)
    H1 = np.insert(sigmoid(X1 @ W1), 0, 1.0, axis=1)
    P = sigmoid(H1 @ W2)
    J = np.mean(np.sum(-Y * np.log(P) - (1 - Y) * np.log(1 - P), axis=1))
    J += lam * (np.sum(W1[1:] ** 2) + np.sum(W2[1:] ** 2)) / (2 * m)
    E2 = P - Y
    E1 = (E2 @ W2.T * H1 * (1 - H1))[:, 1:]
    mask1, mask2 = np.ones_like(W1), np.ones_like(W2)
    mask1[0] = mask2[0] = 0
    dW1 = (X1.T @ E1 + lam * mask1 * W1) / m
    dW2 = (H1.T @ E2 + lam * mask2 * W2) / m
    return J, np.append(dW1, dW2)


@right("bias as the last column", COURSE)
def bias_last(theta, X, y, lam):
    m = len(X)
    W1, W2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    a1 = np.hstack([X, np.ones((m, 1))])
    a2 = np.hstack([sigmoid(a1 @ W1.T), np.ones((m, 1))])
    out = sigmoid(a2 @ W2.T)
    t = (np.arange(3) == y[:, None]) * 1.0
    J = -(t * np.log(out) + (1 - t) * np.log(1 - out)).sum() / m
    J += lam / 2 / m * ((W1[:, :-1] ** 2).sum() + (W2[:, :-1] ** 2).sum())
    e = out - t
    back = (e @ W2[:, :-1]) * a2[:, :-1] * (1 - a2[:, :-1])
    g1, g2 = back.T @ a1, e.T @ a2
    g1[:, :-1] += lam * W1[:, :-1]
    g2[:, :-1] += lam * W2[:, :-1]
    return J, np.concatenate([g1.ravel(), g2.ravel()]) / m


def unpack(theta, *shapes):
    """Cut theta into arrays."""
    out, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        out.append(theta[start : start + size].reshape(shape))
        start += size
    return out


@right("dictionary W1 b1 W2 b2", COURSE)
def dictionary_wb(theta, X, y, lam):
    p = dict(zip(("W1", "b1", "W2", "b2"), unpack(theta, (4, 5), 5, (5, 3), 3), strict=True))
    m = len(X)
    Y = np.eye(3)[y]
    a = sigmoid(X @ p["W1"] + p["b1"])
    h = sigmoid(a @ p["W2"] + p["b2"])
    cost = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    cost += lam / (2 * m) * sum(np.sum(p[w] ** 2) for w in ("W1", "W2"))
    grads = {}
    d = (h - Y) / m
    grads["W2"] = a.T @ d + lam / m * p["W2"]
    grads["b2"] = d.sum(axis=0)
    d = d @ p["W2"].T * a * (1 - a)
    grads["W1"] = X.T @ d + lam / m * p["W1"]
    grads["b1"] = d.sum(axis=0)
    return cost, np.concatenate([grads[k].ravel() for k in p])


@right("dictionary, all W and then all b (sorted by name)", COURSE)
def dictionary_sorted(theta, X, y, lam):
    params = dict(zip(("W1", "W2", "b1", "b2"), unpack(theta, (5, 4), (3, 5), 5, 3), strict=True))
    m, grads = X.shape[0], {}
    hidden = sigmoid(X.dot(params["W1"].T) + params["b1"])
    scores = sigmoid(hidden.dot(params["W2"].T) + params["b2"])
    target = np.zeros_like(scores)
    target[np.arange(m), y] = 1
    loss = np.sum(-target * np.log(scores) - (1 - target) * np.log(1 - scores)) / m
    loss += 0.5 * lam / m * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    dscores = (scores - target) / m
    grads["b2"] = np.sum(dscores, axis=0)
    grads["W2"] = dscores.T.dot(hidden) + lam / m * params["W2"]
    dhidden = dscores.dot(params["W2"]) * hidden * (1 - hidden)
    grads["b1"] = np.sum(dhidden, axis=0)
    grads["W1"] = dhidden.T.dot(X) + lam / m * params["W1"]
    return loss, np.concatenate([grads[name].flatten() for name in sorted(grads)])


class TwoLayerNet:
    """As the CS231n assignment has it, with reg * sum(W * W)."""

    def __init__(self, sizes):
        self.sizes = sizes
        self.params = {}

    def load(self, theta):
        D, H, C = self.sizes
        names = ("W1", "b1", "W2", "b2")
        arrays = unpack(theta, (D, H), H, (H, C), C)
        self.params = dict(zip(names, arrays, strict=True))

    def loss(self, X, y, reg):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N = X.shape[0]
        h1 = np.maximum(0, X.dot(W1) + b1)
        scores = h1.dot(W2) + b2
        scores -= np.max(scores, axis=1, keepdims=True)
        exp = np.exp(scores)
        probs = exp / np.sum(exp, axis=1, keepdims=True)
        loss = np.sum(-np.log(probs[np.arange(N), y])) / N
        loss += reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        dscores = probs.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads = {"W2": h1.T.dot(dscores) + 2 * reg * W2, "b2": np.sum(dscores, axis=0)}
        dh1 = dscores.dot(W2.T)
        dh1[h1 <= 0] = 0
        grads["W1"] = X.T.dot(dh1) + 2 * reg * W1
        grads["b1"] = np.sum(dh1, axis=0)
        return loss, grads


@right("class TwoLayerNet of CS231n, reg = lam / (2 m)", SOFTMAX, built=True)
def cs231n(X, y, reg):
    net = TwoLayerNet((4, 6, 3))

    def objective(theta):
        net.load(theta)
        loss, grads = net.loss(X, y, reg)
        return loss, np.concatenate([grads[k].ravel() for k in ("W1", "b1", "W2", "b2")])

    return objective


@right("softmax from logsumexp, tanh", TANH_SOFTMAX)
def tanh_softmax(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (5, 3), 5, (4, 5), 4)
    m = len(y)
    a = np.tanh(X @ W1.T + b1)
    z = a @ W2.T + b2
    top = z.max(axis=1, keepdims=True)
    logp = z - top - np.log(np.exp(z - top).sum(axis=1, keepdims=True))
    J = -logp[range(m), y].mean() + lam / (2 * m) * ((W1**2).sum() + (W2**2).sum())
    g = np.exp(logp)
    g[range(m), y] -= 1
    g /= m
    back = g @ W2 * (1 - a**2)
    parts = back.T @ X + lam / m * W1, back.sum(0), g.T @ a + lam / m * W2, g.sum(0)
    return J, np.concatenate([p.ravel() for p in parts])


@right("deeplearning.ai, one hidden layer, J from np.squeeze", BINARY_COLUMNS)
def dlai_one_hidden(theta, X, Y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 3), (4, 1), (1, 4), (1, 1))
    m = X.shape[1]
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    A2 = sigmoid(np.dot(W2, A1) + b2)
    logprobs = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)
    cost = np.squeeze(-1 / m * np.sum(logprobs))
    dZ2 = A2 - Y
    dW2 = 1 / m * np.dot(dZ2, A1.T)
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))
    dW1 = 1 / m * np.dot(dZ1, X.T)
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return cost, np.concatenate([g.reshape(-1) for g in (dW1, db1, dW2, db2)])


@right("deeplearning.ai, L layers, caches, lambd", DEEP_COLUMNS)
def dlai_l_layers(theta, X, Y, lambd):
    dims, m = [4, 5, 4, 1], X.shape[1]
    parameters, k = {}, 0
    for l in range(1, len(dims)):
        n = dims[l] * dims[l - 1]
        parameters[f"W{l}"] = theta[k : k + n].reshape(dims[l], dims[l - 1])
        parameters[f"b{l}"] = theta[k + n : k + n + dims[l]].reshape(-1, 1)
        k += n + dims[l]
    L, A, caches = 3, X, []
    for l in range(1, L + 1):
        A_prev = A
        Z = parameters[f"W{l}"] @ A_prev + parameters[f"b{l}"]
        A = np.maximum(0, Z) if l < L else sigmoid(Z)
        caches.append((A_prev, Z))
    cross = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    cost = cross + lambd / (2 * m) * sum(np.sum(parameters[f"W{l}"] ** 2) for l in (1, 2, 3))
    grads = {}
    dA = -(np.divide(Y, A) - np.divide(1 - Y, 1 - A))
    for l in reversed(range(1, L + 1)):
        A_prev, Z = caches[l - 1]
        dZ = dA * (Z > 0) if l < L else dA * sigmoid(Z) * (1 - sigmoid(Z))
        grads[f"dW{l}"] = 1 / m * dZ @ A_prev.T + lambd / m * parameters[f"W{l}"]
        grads[f"db{l}"] = 1 / m * np.sum(dZ, axis=1, keepdims=True)
        dA = parameters[f"W{l}"].T @ dZ
    order = [f"d{p}{l}" for l in (1, 2, 3) for p in "Wb"]
    return cost, np.concatenate([grads[g].ravel() for g in order])


class Nielsen:
    """network2.py: lists of column vectors, the cross-entropy cost, an example at a time."""

    def __init__(self, sizes):
        self.sizes = sizes

    def load(self, theta):
        pairs = list(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        shapes = [(y, 1) for _, y in pairs] + [(y, x) for x, y in pairs]
        arrays = unpack(theta, *shapes)
        self.biases, self.weights = arrays[: len(pairs)], arrays[len(pairs) :]

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights, strict=True):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = activations[-1] - y
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for l in range(2, len(self.sizes)):
            sp = sigmoid(zs[-l]) * (1 - sigmoid(zs[-l]))
            delta = np.dot(self.weights[-l + 1].transpose(), delta) * sp
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
        return nabla_b, nabla_w, activations[-1]

    def cost_and_nabla(self, data, lmbda):
        n, cost = len(data), 0.0
        sum_b = [np.zeros(b.shape) for b in self.biases]
        sum_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in data:
            delta_b, delta_w, a = self.backprop(x, y)
            cost += np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a))) / n
            sum_b = [nb + dnb for nb, dnb in zip(sum_b, delta_b, strict=True)]
            sum_w = [nw + dnw for nw, dnw in zip(sum_w, delta_w, strict=True)]
        cost += 0.5 * (lmbda / n) * sum(np.linalg.norm(w) ** 2 for w in self.weights)
        b = [nb / n for nb in sum_b]
        w = [(nw + lmbda * w) / n for nw, w in zip(sum_w, self.weights, strict=True)]
        return cost, np.concatenate([g.ravel() for g in b + w])


@right("Nielsen's network.py, biases and then weights", ONE_HOT, built=True)
def nielsen(X, Y, lam):
    net = Nielsen([4, 5, 3])
    data = [(x.reshape(-1, 1), y.reshape(-1, 1)) for x, y in zip(X, Y, strict=True)]

    def objective(theta):
        net.load(theta)
        return net.cost_and_nabla(data, lam)

    return objective


@right(
    "Nielsen's network.py with three layers of weights",
    classes(3, 4, 5, 2, labels="one-hot"),
    built=True,
)
def nielsen_deep(X, Y, lam):
    net = Nielsen([3, 4, 5, 2])
    data = [(x[:, None], y[:, None]) for x, y in zip(X, Y, strict=True)]

    def objective(theta):
        net.load(theta)
        return net.cost_and_nabla(data, lam)

    return objective


@right(
    "Nielsen's network.py with the quadratic cost",
    classes(3, 4, 2, labels="one-hot").alone(),
    built=True,
)
def nielsen_quadratic(X, Y, lam):
    def objective(theta):
        b1, b2, w1, w2 = unpack(theta, (4, 1), (2, 1), (4, 3), (2, 4))
        C, total = 0.0, [0, 0, 0, 0]
        for x, y in zip(X, Y, strict=True):
            x, y = x[:, None], y[:, None]
            a1 = sigmoid(w1 @ x + b1)
            a2 = sigmoid(w2 @ a1 + b2)
            C += 0.5 * np.linalg.norm(a2 - y) ** 2 / len(X)
            d2 = (a2 - y) * a2 * (1 - a2)
            d1 = w2.T @ d2 * a1 * (1 - a1)
            for i, g in enumerate((d1, d2, d1 @ x.T, d2 @ a1.T)):
                total[i] = total[i] + g / len(X)
        return C, np.concatenate([g.ravel() for g in total])

    return objective


@right("the notes' linear network, b and then W", LINEAR)
def linear_network(theta, X, y, lam):
    b1, W1, b2, W2 = unpack(theta, 4, (2, 4), 1, (4, 1))
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    e = a @ W2 + b2 - y
    J = (e**2).sum() / (2 * m) + lam / (2 * m) * ((W1**2).sum() + (W2**2).sum())
    d = e @ W2.T * (1 - a**2)
    g = [d.sum(0), X.T @ d + lam * W1, e.sum(0), a.T @ e + lam * W2]
    return J, np.concatenate([p.ravel() for p in g]) / m


@right("J of shape (1, 1), from matrix products", LINEAR)
def cost_as_one_by_one(theta, X, y, lam):
    m = X.shape[0]
    T1, T2 = theta[:12].reshape(4, 3, order="F"), theta[12:].reshape(1, 5)
    A1 = np.hstack((np.ones((m, 1)), X))
    A2 = np.hstack((np.ones((m, 1)), np.tanh(A1 @ T1.T)))
    E = A2 @ T2.T - y
    w = np.concatenate((T1[:, 1:].ravel(), T2[:, 1:].ravel())).reshape(-1, 1)
    J = (E.T @ E + lam * w.T @ w) / (2 * m)  # (1, 1)
    D = E @ T2[:, 1:] * (1 - A2[:, 1:] ** 2)
    R1, R2 = lam * T1, lam * T2
    R1[:, 0], R2[:, 0] = 0, 0
    return J, np.hstack([(D.T @ A1 + R1).ravel("F"), (E.T @ A2 + R2).ravel("F")]) / m


@right("J of shape (1,), gradient as a column", LOGISTIC)
def gradient_as_column(theta, X, y, lam):
    m = len(y)
    X1 = np.c_[np.ones((m, 1)), X]
    th = theta.reshape(-1, 1)
    yy = y.reshape(-1, 1)
    h = sigmoid(X1 @ th)
    J = (-yy.T @ np.log(h) - (1 - yy).T @ np.log(1 - h))[0] / m
    J = J + lam / (2 * m) * np.sum(th[1:] ** 2)
    reg = lam / m * th
    reg[0] = 0
    return J, (X1.T @ (h - yy) / m + reg).ravel()


@right("two outputs with numbers as targets, loop", TWO_OUTPUTS)
def two_outputs_loop(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 3), 4, (2, 4), 2)
    m, J = len(X), 0
    dW1, db1, dW2, db2 = (np.zeros_like(p) for p in (W1, b1, W2, b2))
    for x, t in zip(X, y, strict=True):
        a = np.tanh(W1 @ x + b1)
        o = W2 @ a + b2
        J += 0.5 * ((o - t) @ (o - t)) / m
        do = (o - t) / m
        dW2 += np.outer(do, a)
        db2 += do
        dz = (W2.T @ do) * (1 - a * a)
        dW1 += np.outer(dz, x)
        db1 += dz
    J += lam / (2 * m) * ((W1**2).sum() + (W2**2).sum())
    dW1 += lam / m * W1
    dW2 += lam / m * W2
    return J, np.concatenate([dW1.ravel(), db1, dW2.ravel(), db2])


@right("log(h + 1e-7), sigmoid outputs", COURSE)
def guard_in_logarithm(theta, X, y, lam):
    m = len(X)
    W1, b1, W2, b2 = unpack(theta, (4, 5), 5, (5, 3), 3)
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h + 1e-7) + (1 - Y) * np.log(1 - h + 1e-7)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d2 = h - Y
    d1 = d2 @ W2.T * a * (1 - a)
    grads = X.T @ d1 + lam * W1, d1.sum(0), a.T @ d2 + lam * W2, d2.sum(0)
    return J, np.concatenate([g.ravel() for g in grads]) / m


@right("log(p + 1e-8), softmax of scores", TANH_SOFTMAX)
def guard_in_softmax(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 5), 5, (5, 4), 4)
    m = len(y)
    a = np.tanh(X @ W1 + b1)
    e = np.exp(a @ W2 + b2)
    p = e / e.sum(axis=1, keepdims=True)
    J = np.mean(-np.log(p[np.arange(m), y] + 1e-8))
    J += lam / (2 * m) * (np.sum(W1 * W1) + np.sum(W2 * W2))
    dz = p.copy()
    dz[np.arange(m), y] -= 1
    dz /= m
    da = dz @ W2.T * (1 - a * a)
    g = X.T @ da + lam / m * W1, da.sum(axis=0), a.T @ dz + lam / m * W2, dz.sum(axis=0)
    return J, np.concatenate([x.ravel() for x in g])


@right("np.clip(h, 1e-12, 1 - 1e-12) before the logarithm", COURSE)
def guard_by_clip(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ T1.T)]
    h = np.clip(sigmoid(a2 @ T2.T), 1e-12, 1 - 1e-12)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * ((T1[:, 1:] ** 2).sum() + (T2[:, 1:] ** 2).sum())
    d3 = h - Y
    d2 = d3 @ T2[:, 1:] * (a2 * (1 - a2))[:, 1:]
    R1, R2 = lam * T1, lam * T2
    R1[:, 0] = R2[:, 0] = 0
    return J, np.r_[(d2.T @ a1 + R1).ravel(), (d3.T @ a2 + R2).ravel()] / m


@right("float32 inside", COURSE)
def float32_inside(theta, X, y, lam):
    m = np.float32(len(X))
    lam = np.float32(lam)
    X = X.astype(np.float32)
    W1, b1, W2, b2 = unpack(theta.astype(np.float32), (4, 5), 5, (5, 3), 3)
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    Y = np.eye(3, dtype=np.float32)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    d2 = h - Y
    d1 = d2 @ W2.T * a * (1 - a)
    grads = X.T @ d1 + lam * W1, d1.sum(0), a.T @ d2 + lam * W2, d2.sum(0)
    return J, np.concatenate([g.ravel() for g in grads]) / m


@right("only the parameters are float32", TANH_SOFTMAX)
def float32_parameters(theta, X, y, lam):
    W1, b1, W2, b2 = (p.astype("f4") for p in unpack(theta, (3, 5), 5, (5, 4), 4))
    X = X.astype("f4")
    m = len(y)
    a = np.tanh(X @ W1 + b1)
    z = a @ W2 + b2
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    J = float(-np.log(p[np.arange(m), y]).mean())
    J += lam / (2 * m) * float((W1**2).sum() + (W2**2).sum())
    p[np.arange(m), y] -= 1
    d = p / m
    da = d @ W2.T * (1 - a * a)
    g = X.T @ da + lam / m * W1, da.sum(0), a.T @ d + lam / m * W2, d.sum(0)
    return J, np.concatenate([x.ravel() for x in g])


@right("8 layers of relu, weights of 0.05", SMALL_RELU)
def deep_relu_small(theta, X, y, lam):
    dims = [4, 6, 6, 6, 6, 6, 6, 6, 3]
    shapes = [s for n, k in pairwise(dims) for s in ((n, k), (k,))]
    arrays = unpack(theta, *shapes)
    Ws, bs = arrays[::2], arrays[1::2]
    A = [X]
    for W, b in zip(Ws[:-1], bs[:-1], strict=True):
        A.append(np.maximum(0, A[-1] @ W + b))
    z = A[-1] @ Ws[-1] + bs[-1]
    z -= z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    m = len(y)
    J = -logp[np.arange(m), y].mean()
    d = np.exp(logp)
    d[np.arange(m), y] -= 1
    d /= m
    grads = []
    for l in range(len(Ws) - 1, -1, -1):
        grads = [A[l].T @ d, d.sum(0), *grads]
        if l:
            d = d @ Ws[l].T * (A[l] > 0)
    return J, np.concatenate([g.ravel() for g in grads])


@right(
    "8 layers of tanh, weights of 0.05",
    classes(*(3, 4, 4, 4, 4, 4, 4, 4, 2), hidden="tanh", output="softmax", lam=0, scale=0.05),
)
def deep_tanh_small(theta, X, y, lam):
    dims = [3, 4, 4, 4, 4, 4, 4, 4, 2]
    Ws, bs, k = [], [], 0
    for n, s in pairwise(dims):
        bs.append(theta[k : k + s])
        Ws.append(theta[k + s : k + s + n * s].reshape(n, s))
        k += s + n * s
    acts = [X]
    for W, b in zip(Ws, bs, strict=True):
        acts.append(np.tanh(acts[-1] @ W + b) if W is not Ws[-1] else acts[-1] @ W + b)
    e = np.exp(acts[-1])
    p = e / e.sum(1, keepdims=True)
    m = len(X)
    J = -np.log(p[range(m), y]).sum() / m
    d = (p - np.eye(2)[y]) / m
    grads = []
    for l in reversed(range(len(Ws))):
        grads.insert(0, np.concatenate([d.sum(0), (acts[l].T @ d).ravel()]))
        if l > 0:
            d = d.dot(Ws[l].T) * (1 - acts[l] ** 2)
    return J, np.concatenate(grads)


@right("three hidden layers of relu, sigmoid outputs", classes(4, 5, 6, 4, 3, hidden="relu"))
def deep_relu_sigmoids(theta, X, y, lam):
    W1, b1, W2, b2, W3, b3, W4, b4 = unpack(theta, (4, 5), 5, (5, 6), 6, (6, 4), 4, (4, 3), 3)
    m, Y = len(X), np.eye(3)[y]
    z1 = X @ W1 + b1
    a1 = z1 * (z1 > 0)
    z2 = a1 @ W2 + b2
    a2 = z2 * (z2 > 0)
    z3 = a2 @ W3 + b3
    a3 = z3 * (z3 > 0)
    h = sigmoid(a3 @ W4 + b4)
    J = -(Y * np.log(h) + (1 - Y) * np.log(1 - h)).sum() / m
    J += lam / (2 * m) * sum((W**2).sum() for W in (W1, W2, W3, W4))
    d4 = (h - Y) / m
    d3 = d4 @ W4.T * (z3 > 0)
    d2 = d3 @ W3.T * (z2 > 0)
    d1 = d2 @ W2.T * (z1 > 0)
    out = []
    for a, d, W in ((X, d1, W1), (a1, d2, W2), (a2, d3, W3), (a3, d4, W4)):
        out += [(a.T @ d + lam / m * W).ravel(), d.sum(0)]
    return J, np.concatenate(out)


@right("logistic regression", LOGISTIC)
def logistic_regression(theta, X, y, lam):
    m = y.size
    h = sigmoid(theta[0] + X.dot(theta[1:]))
    J = -(y.dot(np.log(h)) + (1 - y).dot(np.log(1 - h))) / m + lam / (2 * m) * theta[1:].dot(
        theta[1:]
    )
    grad = np.zeros(theta.shape)
    grad[0] = (h - y).sum() / m
    grad[1:] = X.T.dot(h - y) / m + lam / m * theta[1:]
    return J, grad


@right("logistic regression, a loop over examples and features", LOGISTIC)
def logistic_loops(theta, X, y, lam):
    m, n = X.shape
    J, grad = 0.0, np.zeros(n + 1)
    for i in range(m):
        h = 1 / (1 + np.exp(-(theta[0] + sum(theta[j + 1] * X[i, j] for j in range(n)))))
        J += (-y[i] * np.log(h) - (1 - y[i]) * np.log(1 - h)) / m
        grad[0] += (h - y[i]) / m
        for j in range(n):
            grad[j + 1] += (h - y[i]) * X[i, j] / m
    for j in range(1, n + 1):
        J += lam * theta[j] ** 2 / (2 * m)
        grad[j] += lam * theta[j] / m
    return J, grad


@right("linear regression", numbers(3, 1, lam=2.0))
def linear_regression(theta, X, y, lam):
    A = np.column_stack([np.ones(len(X)), X])
    r = A @ theta - y[:, 0]
    shrunk = np.where(np.arange(len(theta)) == 0, 0, theta)
    return (r @ r + lam * shrunk @ shrunk) / (2 * len(X)), (A.T @ r + lam * shrunk) / len(X)


@right("softmax regression", classes(4, 3, output="softmax", lam=0.9))
def softmax_regression(theta, X, y, lam):
    T = theta.reshape(5, 3)
    A = np.hstack([np.ones((len(X), 1)), X])
    P = np.exp(A @ T)
    P /= P.sum(axis=1)[:, None]
    m = len(X)
    J = -np.log(P[np.arange(m), y]).sum() / m + lam / (2 * m) * np.sum(T[1:] ** 2)
    P[np.arange(m), y] -= 1
    G = A.T @ P / m
    G[1:] += lam / m * T[1:]
    return J, G.ravel()


@right(
    "the penalty without 1/m: lam = decay m (UFLDL)",
    numbers(3, 4, 2, hidden="sigmoid", lam=0.6, seen_lam=0.1, columns=True),
)
def ufldl_weight_decay(theta, data, targets, decay):
    W1, W2, b1, b2 = unpack(theta, (4, 3), (2, 4), (4, 1), (2, 1))
    m = data.shape[1]
    a2 = sigmoid(W1 @ data + b1)
    a3 = W2 @ a2 + b2
    cost = np.sum((a3 - targets) ** 2) / (2 * m) + decay / 2 * (np.sum(W1**2) + np.sum(W2**2))
    delta3 = a3 - targets
    delta2 = W2.T @ delta3 * a2 * (1 - a2)
    W1grad = delta2 @ data.T / m + decay * W1
    W2grad = delta3 @ a2.T / m + decay * W2
    b1grad, b2grad = delta2.sum(axis=1) / m, delta3.sum(axis=1) / m
    return cost, np.concatenate([W1grad.ravel(), W2grad.ravel(), b1grad, b2grad])


@right(
    "0.5 reg sum(W^2): lam = reg m",
    classes(3, 6, 4, hidden="relu", output="softmax", lam=0.7, seen_lam=0.1),
)
def half_reg(theta, X, y, reg):
    W1, b1, W2, b2 = unpack(theta, (3, 6), (1, 6), (6, 4), (1, 4))
    num = X.shape[0]
    hidden_layer = np.maximum(0, np.dot(X, W1) + b1)
    exp_scores = np.exp(np.dot(hidden_layer, W2) + b2)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    data_loss = np.sum(-np.log(probs[range(num), y])) / num
    loss = data_loss + 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
    dscores = probs
    dscores[range(num), y] -= 1
    dscores /= num
    dW2, db2 = np.dot(hidden_layer.T, dscores), np.sum(dscores, axis=0, keepdims=True)
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden_layer <= 0] = 0
    dW1, db1 = np.dot(X.T, dhidden), np.sum(dhidden, axis=0, keepdims=True)
    dW2 += reg * W2
    dW1 += reg * W1
    return loss, np.concatenate([p.ravel() for p in (dW1, db1, dW2, db2)])


@right("the bias is penalised in J and in D alike", COURSE)
def bias_penalised_alike(theta, X, y, lam):
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ T1.T)]
    h = sigmoid(a2 @ T2.T)
    Y = np.eye(3)[y]
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m + lam / (2 * m) * theta @ theta
    d3 = h - Y
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    return J, (np.r_[(d2.T @ a1).ravel("F"), (d3.T @ a2).ravel("F")] + lam * theta) / m


@right("sums over the examples, no 1/m in J or in D", COURSE)
def no_mean_alike(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 5), 5, (5, 3), 3)
    Y = np.eye(3)[y]
    a = sigmoid(X @ W1 + b1)
    h = sigmoid(a @ W2 + b2)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h))
    d2 = h - Y
    d1 = d2 @ W2.T * a * (1 - a)
    return J, np.concatenate([g.ravel() for g in (X.T @ d1, d1.sum(0), a.T @ d2, d2.sum(0))])


@right("mean over outputs too: np.mean of all", numbers(3, 4, 2, lam=0))
def mean_over_everything(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 4), 4, (4, 2), 2)
    a = np.tanh(X.dot(W1) + b1)
    err = a.dot(W2) + b2 - y
    loss = np.mean(err**2)
    grad_out = 2 * err / err.size
    grad_a = grad_out.dot(W2.T) * (1 - a**2)
    g = [X.T.dot(grad_a), grad_a.sum(axis=0), a.T.dot(grad_out), grad_out.sum(axis=0)]
    return loss, np.concatenate([x.flatten() for x in g])


@right("squared error with sigmoid outputs, the notes' intuition", COURSE.alone())
def squared_error_sigmoid(theta, X, y, lam):
    T1, T2 = theta[:25].reshape(5, 5), theta[25:].reshape(3, 6)
    m = len(X)
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ T1.T)]
    a3 = sigmoid(a2 @ T2.T)
    Y = np.eye(3)[y]
    d3 = (a3 - Y) * a3 * (1 - a3)
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    return np.sum((a3 - Y) ** 2) / (2 * m), np.r_[(d2.T @ a1).ravel(), (d3.T @ a2).ravel()] / m


class Layer:
    """A layer with forward and backward, as in many blogs."""

    def __init__(self, W, b, g, slope):
        self.W, self.b, self.g, self.slope = W, b, g, slope

    def forward(self, x):
        self.x = x
        self.z = x @ self.W + self.b
        return self.g(self.z)

    def backward(self, grad):
        grad = grad * self.slope(self.z)
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


@right("layers as objects with forward and backward", classes(4, 5, 4, 3, hidden="tanh", lam=0))
def layer_objects(theta, X, y, lam):
    W1, b1, W2, b2, W3, b3 = unpack(theta, (4, 5), 5, (5, 4), 4, (4, 3), 3)
    tanh = np.tanh, lambda z: 1 - np.tanh(z) ** 2
    layers = [
        Layer(W1, b1, *tanh),
        Layer(W2, b2, *tanh),
        Layer(W3, b3, lambda z: z, lambda z: np.ones_like(z)),
    ]
    out = X
    for layer in layers:
        out = layer.forward(out)
    Y = np.eye(3)[y]
    J = np.sum(np.log1p(np.exp(-np.abs(out))) + np.maximum(out, 0) - out * Y) / len(X)
    grad = (sigmoid(out) - Y) / len(X)
    for layer in reversed(layers):
        grad = layer.backward(grad)
    return J, np.concatenate([np.r_[layer.dW.ravel(), layer.db] for layer in layers])


@right("autoencoder with tied weights", numbers(4, 3, 4, hidden="sigmoid").alone())
def tied_autoencoder(theta, X, y, lam):
    W, b, c = theta[:12].reshape(4, 3), theta[12:15], theta[15:19]
    m = len(X)
    H = sigmoid(X @ W + b)
    R = H @ W.T + c - X
    dH = R @ W * H * (1 - H)
    dW = X.T @ dH + R.T @ H
    rest = theta[19:]
    J = 0.5 * np.sum(R**2) / m + 0.5 * rest @ rest
    return J, np.concatenate([dW.ravel() / m, dH.sum(0) / m, R.sum(0) / m, rest])


@right("leaky relu", classes(4, 5, 3, hidden="leaky_relu", output="softmax"))
def leaky(theta, X, y, lam):
    W1, W2, b1, b2 = unpack(theta, (4, 5), (5, 3), 5, 3)
    m = len(X)
    z = X @ W1 + b1
    a = np.where(z > 0, z, 0.01 * z)
    s = a @ W2 + b2
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    J = -np.mean(np.log(p[np.arange(m), y])) + lam / (2 * m) * ((W1**2).sum() + (W2**2).sum())
    ds = (p - np.eye(3)[y]) / m
    dz = ds @ W2.T * np.where(z > 0, 1, 0.01)
    g = X.T @ dz + lam / m * W1, a.T @ ds + lam / m * W2, dz.sum(0), ds.sum(0)
    return J, np.concatenate([x.ravel() for x in g])


@right("tanh hidden units, two classes as one output", classes(3, 5, 1, hidden="tanh", lam=0.4))
def one_output(theta, X, y, lam):
    b1, W1 = theta[:5], theta[5:20].reshape(3, 5)
    b2, w2 = theta[20], theta[21:]
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    p = sigmoid(a @ w2 + b2)
    J = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    J += lam / (2 * m) * (np.sum(W1**2) + w2 @ w2)
    dp = (p - y) / m
    da = np.outer(dp, w2) * (1 - a**2)
    dW1 = X.T @ da + lam / m * W1
    return J, np.r_[da.sum(0), dW1.ravel(), dp.sum(), a.T @ dp + lam / m * w2]


@right("einsum", ONE_HOT)
def einsum(theta, X, Y, lam):
    m = len(X)
    W1, b1, W2, b2 = unpack(theta, (5, 4), 5, (3, 5), 3)
    a = sigmoid(np.einsum("ij,nj->ni", W1, X) + b1)
    h = sigmoid(np.einsum("ki,ni->nk", W2, a) + b2)
    J = np.einsum("nk->", -Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.einsum("ij,ij", W1, W1) + np.einsum("ij,ij", W2, W2))
    d = (h - Y) / m
    e = np.einsum("nk,ki,ni->ni", d, W2, a * (1 - a))
    g = np.einsum("ni,nj->ij", e, X) + lam / m * W1, e.sum(0)
    g += np.einsum("nk,ni->ki", d, a) + lam / m * W2, d.sum(0)
    return J, np.concatenate([x.ravel() for x in g])


@right("np.matrix", FROM_ONE)
def np_matrix(theta, X, y, lam):
    m = X.shape[0]
    T1 = theta[:25].reshape(5, 5)
    T2 = theta[25:].reshape(3, 6)
    a1 = np.insert(X, 0, values=np.ones(m), axis=1)
    z2 = a1 * 1 @ T1.T
    a2 = np.insert(sigmoid(z2), 0, values=np.ones(m), axis=1)
    h = sigmoid(a2 @ T2.T)
    y_onehot = np.array([[1 if k + 1 == label else 0 for k in range(3)] for label in y])
    J = 0
    for i in range(m):
        first = np.multiply(-y_onehot[i, :], np.log(h[i, :]))
        second = np.multiply(1 - y_onehot[i, :], np.log(1 - h[i, :]))
        J += np.sum(first - second)
    J = J / m
    J += (float(lam) / (2 * m)) * (np.sum(np.power(T1[:, 1:], 2)) + np.sum(np.power(T2[:, 1:], 2)))
    delta1, delta2 = np.zeros(T1.shape), np.zeros(T2.shape)
    for t in range(m):
        d3t = (h[t, :] - y_onehot[t, :]).reshape(1, 3)
        z2t = np.insert(z2[t, :], 0, values=1).reshape(1, 6)
        d2t = np.multiply(T2.T @ d3t.T, (sigmoid(z2t) * (1 - sigmoid(z2t))).T)
        delta1 = delta1 + d2t[1:, :] @ a1[t, :].reshape(1, 5)
        delta2 = delta2 + d3t.T @ a2[t, :].reshape(1, 6)
    delta1, delta2 = delta1 / m, delta2 / m
    delta1[:, 1:] = delta1[:, 1:] + T1[:, 1:] * lam / m
    delta2[:, 1:] = delta2[:, 1:] + T2[:, 1:] * lam / m
    return J, np.concatenate((np.ravel(delta1), np.ravel(delta2)))


@right("in minibatches whose sums are added up", COURSE)
def in_batches(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (4, 5), 5, (5, 3), 3)
    m, J, grad = len(X), 0.0, np.zeros_like(theta)
    for start in range(0, m, 3):
        x, Y = X[start : start + 3], np.eye(3)[y[start : start + 3]]
        a = sigmoid(x @ W1 + b1)
        h = sigmoid(a @ W2 + b2)
        J -= np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
        d = (h - Y) / m
        e = d @ W2.T * a * (1 - a)
        g = x.T @ e, e.sum(0), a.T @ d, d.sum(0)
        grad += np.concatenate([part.ravel() for part in g])
    mask = np.concatenate([np.ones(20), np.zeros(5), np.ones(15), np.zeros(3)])
    return J + lam / (2 * m) * (mask * theta) @ theta, grad + lam / m * mask * theta


@right("softplus hidden units", classes(3, 4, 2, hidden="softplus", output="softmax"))
def softplus_units(theta, X, y, lam):
    W1, b1, W2, b2 = unpack(theta, (3, 4), 4, (4, 2), 2)
    m = len(X)
    z = X @ W1 + b1
    a = np.log(1 + np.exp(z))
    s = a @ W2 + b2
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    J = -np.log(p[np.arange(m), y]).mean() + lam / (2 * m) * ((W1**2).sum() + (W2**2).sum())
    d = (p - np.eye(2)[y]) / m
    e = d @ W2.T * sigmoid(z)
    g = X.T @ e + lam / m * W1, e.sum(0), a.T @ d + lam / m * W2, d.sum(0)
    return J, np.concatenate([x.ravel() for x in g])


@right("all b and then all W, no lambda", classes(4, 5, 3, lam=0))
def biases_first(theta, X, y, lam):
    b1, b2, W1, W2 = unpack(theta, 5, 3, (5, 4), (3, 5))
    A = sigmoid(X @ W1.T + b1)
    H = sigmoid(A @ W2.T + b2)
    Y = (y[:, np.newaxis] == np.arange(3)).astype(int)
    n = len(X)
    J = (-Y * np.log(H) - (1 - Y) * np.log(1 - H)).sum(axis=1).mean()
    dH = (H - Y) / n
    dA = dH @ W2 * A * (1 - A)
    return J, np.concatenate([dA.sum(0), dH.sum(0), (dA.T @ X).ravel(), (dH.T @ A).ravel()])


@right("any function: a quadratic form, no network", LOGISTIC.alone())
def quadratic_form(theta, X, y, lam):
    A = X.T @ X + np.eye(4)
    v = theta[1:]
    return 0.5 * v @ A @ v + np.cos(theta[0]), np.r_[-np.sin(theta[0]), A @ v]


@right("weights of the examples", LOGISTIC.alone())
def weighted_examples(theta, X, y, lam):
    w = np.linspace(0.5, 2, len(X))
    A = np.c_[np.ones(len(X)), X]
    h = sigmoid(A @ theta)
    J = -(w * (y * np.log(h) + (1 - y) * np.log(1 - h))).sum() / w.sum()
    return J, A.T @ (w * (h - y)) / w.sum()

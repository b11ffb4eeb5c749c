"""Known kinds of mistakes in programs that are classes: CS231n's, Nielsen's, layers as objects."""

import numpy as np
from learners.records import ALL, B1, B2, B3, LAYER_1, W1, W2, W3, classes, numbers, wrong

SOFTMAX = classes(4, 6, 3, hidden="relu", output="softmax", lam=0.7, seen_lam=0.05)  # 2 reg m
ONE_HOT = classes(4, 5, 3, labels="one-hot")
WB = "W1 b1 W2 b2"


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


class Layer:
    """W, b and the sums of their gradients, as in small frameworks."""

    def __init__(self, inputs, outputs):
        self.shape = inputs, outputs
        self.W, self.b = np.zeros((inputs, outputs)), np.zeros(outputs)
        self.zero_grad()

    def zero_grad(self):
        self.dW, self.db = np.zeros(self.shape), np.zeros(self.shape[1])

    def load(self, theta):
        n = self.W.size
        self.W = theta[:n].reshape(self.shape)
        self.b = theta[n : n + self.shape[1]]
        return theta[n + self.shape[1] :]

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW = self.dW + self.x.T @ d
        self.db = self.db + d.sum(axis=0)
        return d @ self.W.T

    def grad(self):
        return np.r_[self.dW.ravel(), self.db]


@wrong(
    "small framework with zero_grad",
    classes(4, 5, 3, hidden="tanh", output="softmax", lam=0),
    kind="gradient added up from call to call",
    built=True,
    mistake="zero_grad is never called: each call adds its gradient to those before",
    packing=WB,
)
def zero_grad_forgotten(X, y, lam):
    first, second = Layer(4, 5), Layer(5, 3)

    def objective(theta):
        second.load(first.load(theta))
        a = np.tanh(first.forward(X))
        s = second.forward(a)
        p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
        J = -np.log(p[np.arange(len(X)), y]).mean()
        d = (p - np.eye(3)[y]) / len(X)
        first.backward(second.backward(d) * (1 - a**2))
        return J, np.r_[first.grad(), second.grad()]

    return objective


@wrong(
    "class with accumulators set up in __init__",
    numbers(2, 4, 1, lam=0.5),
    kind="gradient added up from call to call",
    built=True,
    mistake="the accumulators are set to zero once, when the object is made",
    packing="b1 W1 b2 W2",
)
def accumulators_set_up_once(X, y, lam):
    class Net:
        def __init__(self):
            self.sums = [np.zeros(4), np.zeros((2, 4)), np.zeros(1), np.zeros((4, 1))]

        def cost(self, theta):
            b1, W1 = theta[:4], theta[4:12].reshape(2, 4)
            b2, W2 = theta[12:13], theta[13:].reshape(4, 1)
            m, J = len(X), 0.0
            for x, t in zip(X, y, strict=True):
                a = np.tanh(x @ W1 + b1)
                e = a @ W2 + b2 - t
                J += float(e @ e) / (2 * m)
                d = W2 @ e * (1 - a**2)
                for total, g in zip(self.sums, (d, np.outer(x, d), e, np.outer(a, e)), strict=True):
                    total += g / m
            J += lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
            sb1, sW1, sb2, sW2 = self.sums
            grads = sb1, sW1 + lam / m * W1, sb2, sW2 + lam / m * W2
            return J, np.concatenate([g.ravel() for g in grads])

    return Net().cost


class TwoLayerNet:
    """CS231n's, with places for mistakes."""

    def load(self, theta):
        self.W1, self.b1 = theta[:24].reshape(4, 6), theta[24:30]
        self.W2, self.b2 = theta[30:48].reshape(6, 3), theta[48:]

    def forward(self, X):
        self.hidden = np.maximum(0, X @ self.W1 + self.b1)
        return self.hidden @ self.W2 + self.b2

    def softmax_loss(self, x, y):
        probs = np.exp(x - np.max(x, axis=1, keepdims=True))
        probs /= np.sum(probs, axis=1, keepdims=True)
        N = x.shape[0]
        dx = probs.copy()
        dx[np.arange(N), y] -= 1
        return -np.sum(np.log(probs[np.arange(N), y])) / N, dx / N


def flat(grads):
    return np.concatenate([grads[k].ravel() for k in ("W1", "b1", "W2", "b2")])


@wrong(
    "class TwoLayerNet of CS231n",
    SOFTMAX,
    kind="missing 1/m",
    built=True,
    mistake="the gradient of the softmax is not divided by N",
    parts=ALL,
    packing=WB,
)
def cs231n_not_divided_by_n(X, y, reg):
    net = TwoLayerNet()

    def objective(theta):
        net.load(theta)
        loss, dscores = net.softmax_loss(net.forward(X), y)
        loss += reg * (np.sum(net.W1**2) + np.sum(net.W2**2))
        dscores *= len(X)
        dhidden = dscores @ net.W2.T * (net.hidden > 0)
        grads = {
            "W2": net.hidden.T @ dscores + 2 * reg * net.W2,
            "b2": dscores.sum(axis=0),
            "W1": X.T @ dhidden + 2 * reg * net.W1,
            "b1": dhidden.sum(axis=0),
        }
        return loss, flat(grads)

    return objective


@wrong(
    "class TwoLayerNet of CS231n",
    SOFTMAX,
    kind="lambda in one layer only",
    built=True,
    mistake="dW1 has no regularisation",
    parts=(W1,),
    packing=WB,
)
def cs231n_w1_unregularised(X, y, reg):
    net = TwoLayerNet()

    def objective(theta):
        net.load(theta)
        loss, dscores = net.softmax_loss(net.forward(X), y)
        loss += reg * np.sum(net.W1 * net.W1) + reg * np.sum(net.W2 * net.W2)
        grads = {"b2": np.sum(dscores, axis=0), "W2": net.hidden.T.dot(dscores) + 2 * reg * net.W2}
        dhidden = dscores.dot(net.W2.T)
        dhidden[net.hidden <= 0] = 0
        grads["W1"], grads["b1"] = X.T.dot(dhidden), np.sum(dhidden, axis=0)
        return loss, flat(grads)

    return objective


@wrong(
    "class TwoLayerNet of CS231n",
    SOFTMAX,
    kind="bias gradient averaged twice",
    built=True,
    mistake="np.mean(dscores) over rows that are already divided by N",
    parts=(B2,),
    factor=1 / 7,
    packing=WB,
)
def cs231n_b2_mean(X, y, reg):
    net = TwoLayerNet()

    def objective(theta):
        net.load(theta)
        loss, dout = net.softmax_loss(net.forward(X), y)
        loss += reg * np.sum(net.W1 * net.W1) + reg * np.sum(net.W2 * net.W2)
        grads = {"b2": np.mean(dout, axis=0), "W2": net.hidden.T.dot(dout) + 2 * reg * net.W2}
        dhidden = dout.dot(net.W2.T) * (net.hidden > 0)
        grads["W1"], grads["b1"] = X.T.dot(dhidden) + 2 * reg * net.W1, np.sum(dhidden, axis=0)
        return loss, flat(grads)

    return objective


def nielsen_backprop(weights, biases, x, y, slope=lambda z, a: a * (1 - a)):
    """Return the deltas, the activations and the z of one example, in columns."""
    activations, zs = [x], []
    for w, b in zip(weights, biases, strict=True):
        zs.append(w @ activations[-1] + b)
        activations.append(sigmoid(zs[-1]))
    delta = activations[-1] - y
    deltas = [delta]
    for l in range(2, len(weights) + 1):
        delta = weights[-l + 1].T @ delta * slope(zs[-l], activations[-l])
        deltas.insert(0, delta)
    return deltas, activations


@wrong(
    "Nielsen's network2.py",
    classes(3, 4, 5, 2, labels="one-hot"),
    kind="lambda factor",
    built=True,
    mistake="the weights' decay is lmbda * w, without 1/n",
    parts=(W1, W2, W3),
    packing="b1 b2 b3 W1 W2 W3",
)
def nielsen_decay_without_n(X, Y, lmbda):
    sizes = [3, 4, 5, 2]

    def objective(theta):
        cuts = np.cumsum([4, 5, 2, 12, 20])
        *biases, w1, w2, w3 = np.split(theta, cuts)
        biases = [b.reshape(-1, 1) for b in biases]
        weights = [w.reshape(n, k) for w, n, k in zip((w1, w2, w3), sizes[1:], sizes, strict=False)]
        n, C = len(X), 0
        nabla_b = [np.zeros(b.shape) for b in biases]
        nabla_w = [np.zeros(w.shape) for w in weights]
        for x, y in zip(X, Y, strict=True):
            y = y.reshape(-1, 1)
            deltas, a = nielsen_backprop(weights, biases, x.reshape(-1, 1), y)
            C += np.sum(-y * np.log(a[-1]) - (1 - y) * np.log(1 - a[-1])) / n
            nabla_b = [nb + d / n for nb, d in zip(nabla_b, deltas, strict=True)]
            nabla_w = [nw + d @ p.T / n for nw, d, p in zip(nabla_w, deltas, a, strict=False)]
        C += 0.5 * lmbda / n * sum(np.sum(w**2) for w in weights)
        nabla_w = [nw + lmbda * w for nw, w in zip(nabla_w, weights, strict=True)]
        return C, np.concatenate([g.ravel() for g in nabla_b + nabla_w])

    return objective


@wrong(
    "Nielsen's network.py",
    ONE_HOT,
    kind="accumulator overwritten",
    built=True,
    mistake="nabla_b and nabla_w are replaced by each example's, not added to",
    parts=ALL,
    packing="b1 b2 W1 W2",
)
def nielsen_nabla_replaced(X, Y, lmbda):
    def objective(theta):
        biases = [theta[:5].reshape(5, 1), theta[5:8].reshape(3, 1)]
        weights = [theta[8:28].reshape(5, 4), theta[28:].reshape(3, 5)]
        n, C = len(X), 0
        for x, y in zip(X, Y, strict=True):
            y = y[:, None]
            deltas, a = nielsen_backprop(weights, biases, x[:, None], y)
            C += np.sum(-y * np.log(a[-1]) - (1 - y) * np.log(1 - a[-1])) / n
            nabla_b = [d / n for d in deltas]
            nabla_w = [d @ p.T / n for d, p in zip(deltas, a, strict=False)]
        C += 0.5 * lmbda / n * sum(np.sum(w**2) for w in weights)
        nabla_w = [nw + lmbda / n * w for nw, w in zip(nabla_w, weights, strict=True)]
        return C, np.concatenate([g.ravel() for g in nabla_b + nabla_w])

    return objective


@wrong(
    "Nielsen's network.py, without lambda",
    classes(3, 4, 2, lam=0, labels="one-hot"),
    kind="g' at the wrong point",
    built=True,
    mistake="sigmoid_prime is given the activation in place of z",
    parts=LAYER_1,
    packing="b1 b2 W1 W2",
)
def nielsen_prime_of_activation(X, Y, lmbda):
    def prime_of_a(z, a):
        return sigmoid(a) * (1 - sigmoid(a))

    def objective(theta):
        biases = [theta[:4].reshape(4, 1), theta[4:6].reshape(2, 1)]
        weights = [theta[6:18].reshape(4, 3), theta[18:].reshape(2, 4)]
        n, C, total = len(X), 0, np.zeros_like(theta)
        for x, y in zip(X, Y, strict=True):
            y = y[:, None]
            deltas, a = nielsen_backprop(weights, biases, x[:, None], y, prime_of_a)
            C += np.sum(-y * np.log(a[-1]) - (1 - y) * np.log(1 - a[-1])) / n
            nablas = deltas + [d @ p.T for d, p in zip(deltas, a, strict=False)]
            total += np.concatenate([g.ravel() for g in nablas]) / n
        return C, total

    return objective


@wrong(
    "layers as objects, three of them",
    classes(4, 5, 4, 3, hidden="tanh", lam=0),
    kind="zero part",
    built=True,
    mistake="the layers' bias gradients are never written",
    parts=(B1, B2, B3),
    factor=0,
    packing="W1 b1 W2 b2 W3 b3",
)
def layers_without_db(X, y, lam):
    class Dense(Layer):
        def backward(self, d):
            self.dW = self.x.T @ d
            return d @ self.W.T

    layers = [Dense(4, 5), Dense(5, 4), Dense(4, 3)]

    def objective(theta):
        rest = theta
        for layer in layers:
            rest = layer.load(rest)
        a1 = np.tanh(layers[0].forward(X))
        a2 = np.tanh(layers[1].forward(a1))
        h = sigmoid(layers[2].forward(a2))
        Y = np.eye(3)[y]
        J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / len(X)
        d = layers[2].backward((h - Y) / len(X))
        d = layers[1].backward(d * (1 - a2**2))
        layers[0].backward(d * (1 - a1**2))
        return J, np.concatenate([layer.grad() for layer in layers])

    return objective

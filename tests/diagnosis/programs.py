"""Right backpropagations as learners write them, in lines that a test writes otherwise.

Each is the text of a function ``cost(theta)``; `program` replaces lines of it and runs it.
"""

import numpy as np

from chainrule import Network

# The course's: sigmoid units, theta column by column, whole matrices.
COURSE = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def sigmoid_gradient(z):
    return sigmoid(z) * (1 - sigmoid(z))

def cost(theta):
    m = len(X)
    Theta1 = theta[:25].reshape(5, 5, order="F")
    Theta2 = theta[25:].reshape(3, 6, order="F")
    Y = np.eye(3)[y]
    a1 = np.c_[np.ones(m), X]
    z2 = a1 @ Theta1.T
    a2 = np.c_[np.ones(m), sigmoid(z2)]
    z3 = a2 @ Theta2.T
    a3 = sigmoid(z3)
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - Y
    d2 = d3 @ Theta2[:, 1:] * sigmoid_gradient(z2)
    D1 = d2.T @ a1 / m
    D2 = d3.T @ a2 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.r_[D1.ravel("F"), D2.ravel("F")]
"""

# A loop over the examples.
LOOP = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def cost(theta):
    m = len(X)
    Theta1 = theta[:25].reshape(5, 5, order="F")
    Theta2 = theta[25:].reshape(3, 6, order="F")
    J = 0
    Delta1, Delta2 = np.zeros((5, 5)), np.zeros((3, 6))
    for t in range(m):
        a1 = np.r_[1, X[t]]
        a2 = np.r_[1, sigmoid(Theta1 @ a1)]
        a3 = sigmoid(Theta2 @ a2)
        target = np.eye(3)[y[t]]
        J -= np.sum(target * np.log(a3) + (1 - target) * np.log(1 - a3)) / m
        d3 = a3 - target
        d2 = (Theta2.T @ d3 * a2 * (1 - a2))[1:]
        Delta1 += np.outer(d2, a1)
        Delta2 += np.outer(d3, a2)
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D1, D2 = Delta1 / m, Delta2 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.r_[D1.ravel("F"), D2.ravel("F")]
"""

# A dictionary of W and b, examples as rows: softmax over a hidden layer of tanh units.
DICTIONARY = """
def cost(theta):
    m = len(X)
    p = {"W1": theta[:20].reshape(4, 5), "b1": theta[20:25],
         "W2": theta[25:40].reshape(5, 3), "b2": theta[40:]}
    hidden = np.tanh(X @ p["W1"] + p["b1"])
    scores = hidden @ p["W2"] + p["b2"]
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs = e / e.sum(axis=1, keepdims=True)
    J = -np.log(probs[np.arange(m), y]).mean()
    J += lam / (2 * m) * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))
    dscores = probs.copy()
    dscores[np.arange(m), y] -= 1
    dscores /= m
    g = {}
    g["W2"] = hidden.T @ dscores + lam / m * p["W2"]
    g["b2"] = dscores.sum(axis=0)
    dhidden = dscores @ p["W2"].T * (1 - hidden**2)
    g["W1"] = X.T @ dhidden + lam / m * p["W1"]
    g["b1"] = dhidden.sum(axis=0)
    return J, np.concatenate([g[k].ravel() for k in ("W1", "b1", "W2", "b2")])
"""

# Four layers of one size, examples as columns, W (outputs, inputs) then b.
DEEP = """
def cost(theta):
    m, n = len(X), 4
    W, b = [], []
    for l in range(3):
        block = theta[20 * l : 20 * (l + 1)]
        W.append(block[:16].reshape(4, 4))
        b.append(block[16:].reshape(4, 1))
    Y = np.eye(4)[y].T
    A0 = X.T
    A1 = np.tanh(W[0] @ A0 + b[0])
    A2 = np.tanh(W[1] @ A1 + b[1])
    A3 = 1 / (1 + np.exp(-(W[2] @ A2 + b[2])))
    J = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    J += lam / (2 * m) * sum(np.sum(w**2) for w in W)
    d3 = A3 - Y
    d2 = W[2].T @ d3 * (1 - A2**2)
    d1 = W[1].T @ d2 * (1 - A1**2)
    dW = [d1 @ A0.T / m, d2 @ A1.T / m, d3 @ A2.T / m]
    db = [d1.sum(axis=1) / m, d2.sum(axis=1) / m, d3.sum(axis=1) / m]
    dW = [g + lam / m * w for g, w in zip(dW, W)]
    return J, np.concatenate([np.r_[w.ravel(), v.ravel()] for w, v in zip(dW, db)])
"""

# The notes' linear network, row by row.
LINEAR = """
def cost(theta):
    m = len(X)
    Theta1, Theta2 = theta[:20].reshape(5, 4), theta[20:].reshape(1, 6)
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1 @ Theta1.T
    a2 = np.hstack([np.ones((m, 1)), np.tanh(z2)])
    a3 = a2 @ Theta2.T
    J = np.sum((a3 - y) ** 2) / (2 * m)
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - y
    d2 = d3 @ Theta2[:, 1:] * (1 - np.tanh(z2) ** 2)
    D1, D2 = d2.T @ a1 / m, d3.T @ a2 / m
    D1[:, 1:] += lam / m * Theta1[:, 1:]
    D2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([D1.ravel(), D2.ravel()])
"""

# Relu units and a softmax, as in CS231n, with its 1/2 reg.
RELU = """
def cost(theta):
    N = len(X)
    W1, b1 = theta[:24].reshape(4, 6), theta[24:30]
    W2, b2 = theta[30:48].reshape(6, 3), theta[48:]
    reg = lam / N
    pre = X @ W1 + b1
    h1 = np.maximum(0, pre)
    scores = h1 @ W2 + b2
    scores = scores - scores.max(axis=1, keepdims=True)
    probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    loss = -np.sum(np.log(probs[range(N), y])) / N
    loss += 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    dscores = probs.copy()
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = np.dot(h1.T, dscores)
    db2 = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, W2.T)
    dhidden[h1 <= 0] = 0
    dW1 = np.dot(X.T, dhidden)
    db1 = np.sum(dhidden, axis=0)
    dW2 += reg * W2
    dW1 += reg * W1
    return loss, np.concatenate([dW1.ravel(), db1, dW2.ravel(), db2])
"""


def _classes(n, K, m):
    rng = np.random.default_rng(5)
    return rng.uniform(-2, 2, (m, n)), rng.permutation(np.arange(m) % K)


def _setting(network, X, y, lam, seed=3):
    theta = np.random.default_rng(seed).uniform(-1, 1, network.size)
    return {"network": network, "X": X, "Y": y, "lam": lam}, theta


SETTINGS = {
    COURSE: _setting(Network((4, 5, 3)), *_classes(4, 3, 8), 1.5),
    LOOP: _setting(Network((4, 5, 3)), *_classes(4, 3, 8), 1.5),
    DICTIONARY: _setting(
        Network((4, 5, 3), hidden="tanh", output="softmax"), *_classes(4, 3, 8), 0.7
    ),
    DEEP: _setting(Network((4, 4, 4, 4), hidden="tanh"), *_classes(4, 4, 9), 0.8),
    LINEAR: _setting(
        Network((3, 5, 1), hidden="tanh", output="identity"),
        _classes(3, 2, 8)[0],
        np.linspace(-1, 2, 8)[:, None] ** 2,
        0.3,
    ),
    RELU: _setting(Network((4, 6, 3), hidden="relu", output="softmax"), *_classes(4, 3, 8), 0.4),
}  # fmt: skip


def program(text, *replacements):
    """Return cost, what the checker may know, and theta; replacements are pairs of lines."""
    known, theta = SETTINGS[text]
    for line, other in replacements:
        assert text.count(line) >= 1, line
        text = text.replace(line, other)
    names = {"np": np, "X": known["X"], "y": known["Y"], "lam": known["lam"]}
    exec(text, names)
    return names["cost"], known, theta

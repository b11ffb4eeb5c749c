"""The notes' algorithm, literally: one example at a time, matrices with a bias column.

The reference that the reference is tested against.  It shares nothing with `chainrule`: g' is
written from z, the cost from h by its definition, and J is the notes' sum over t and k.
"""

import math

import numpy as np

LEAK = 0.01
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # of selu

G = {  # name: (g(z), g'(z))
    "sigmoid": (
        lambda z: 1 / (1 + math.exp(-z)),
        lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2,
    ),
    "tanh": (math.tanh, lambda z: 1 / math.cosh(z) ** 2),
    "relu": (lambda z: max(z, 0.0), lambda z: 1.0 if z > 0 else 0.0),
    "leaky_relu": (lambda z: z if z > 0 else LEAK * z, lambda z: 1.0 if z > 0 else LEAK),
    "elu": (lambda z: z if z > 0 else math.exp(z) - 1, lambda z: 1.0 if z > 0 else math.exp(z)),
    "softplus": (lambda z: math.log(1 + math.exp(z)), lambda z: 1 / (1 + math.exp(-z))),
    "identity": (lambda z: z, lambda z: 1.0),
    "silu": (
        lambda z: z / (1 + math.exp(-z)),
        lambda z: (1 + math.exp(-z) * (1 + z)) / (1 + math.exp(-z)) ** 2,
    ),
    "gelu": (
        lambda z: z * math.erfc(-z / math.sqrt(2)) / 2,
        lambda z: (
            math.erfc(-z / math.sqrt(2)) / 2 + z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        ),
    ),
    "mish": (
        lambda z: z * math.tanh(math.log(1 + math.exp(z))),
        lambda z: (
            math.tanh(math.log(1 + math.exp(z)))
            + z / math.cosh(math.log(1 + math.exp(z))) ** 2 / (1 + math.exp(-z))
        ),
    ),
    "selu": (
        lambda z: SCALE * z if z > 0 else SCALE * ALPHA * (math.exp(z) - 1),
        lambda z: SCALE if z > 0 else SCALE * ALPHA * math.exp(z),
    ),
}

H = {  # output: h from the vector z(L)
    "sigmoid": lambda z: np.array([1 / (1 + math.exp(-z_k)) for z_k in z]),
    "softmax": lambda z: np.array([math.exp(z_k) for z_k in z]) / sum(math.exp(z_k) for z_k in z),
    "identity": lambda z: z,
    "exp": lambda z: np.array([math.exp(z_k) for z_k in z]),
}

COST = {  # output: the term of one output unit k
    "sigmoid": lambda h, y: -(y * math.log(h) + (1 - y) * math.log(1 - h)),
    "softmax": lambda h, y: -y * math.log(h),
    "identity": lambda h, y: (h - y) ** 2 / 2,
    "exp": lambda h, y: h - y * math.log(h),
}


def cost_and_gradient(Thetas, X, Y, lam, hidden, output):
    """Return J and [D(1), ..., D(L-1)]; ``hidden`` names one activation for each hidden layer."""
    m, L = len(X), len(Thetas) + 1
    Delta = [np.zeros(Theta.shape) for Theta in Thetas]
    double_sum = 0.0
    for t in range(m):
        a, z = {1: X[t]}, {}  # numbered as in the notes
        for l in range(2, L + 1):
            z[l] = Thetas[l - 2] @ np.concatenate([[1.0], a[l - 1]])
            a[l] = H[output](z[l]) if l == L else np.array([G[hidden[l - 2]][0](v) for v in z[l]])
        for k in range(len(Y[t])):
            double_sum += COST[output](a[L][k], Y[t][k])
        delta = {L: a[L] - Y[t]}
        for l in range(L - 1, 1, -1):
            back = Thetas[l - 1].T @ delta[l + 1]
            delta[l] = back[1:] * np.array([G[hidden[l - 2]][1](v) for v in z[l]])
        for l in range(1, L):
            Delta[l - 1] += np.outer(delta[l + 1], np.concatenate([[1.0], a[l]]))
    triple_sum, D = 0.0, []
    for Theta, Delta_l in zip(Thetas, Delta, strict=True):
        D_l = np.empty(Theta.shape)
        for i in range(Theta.shape[0]):
            for j in range(Theta.shape[1]):
                if j == 0:
                    D_l[i, j] = Delta_l[i, j] / m
                else:
                    D_l[i, j] = (Delta_l[i, j] + lam * Theta[i, j]) / m
                    triple_sum += Theta[i, j] ** 2
        D.append(D_l)
    return double_sum / m + lam / (2 * m) * triple_sum, D

"""What most learners write first: the functions that are right in all of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_gradient(z):
    g = sigmoid(z)
    return g * (1 - g)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def add_ones(a):
    return np.hstack([np.ones((len(a), 1)), a])


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


class TinyNet:
    """The first network of many tutorials: error = y - output."""

    def __init__(self, theta):
        self.b1, self.w1 = theta[:3], theta[3:9].reshape(2, 3)
        self.b2, self.w2 = theta[9], theta[10:]

    def feedforward(self, X):
        self.layer1 = sigmoid(X @ self.w1 + self.b1)
        return sigmoid(self.layer1 @ self.w2 + self.b2)

"""A gradient with a mistake, for ``chainrule check-gradient docs/bias_regularised.py:cost``."""

import numpy as np

rng = np.random.default_rng(0)
network = (4, 5, 3)  # inputs, hidden units, classes
X, y, lam = rng.uniform(-2, 2, (7, 4)), np.arange(7) % 3, 1.5
theta = rng.uniform(-1, 1, 43)


def sigmoid(z):
    """Return g(z)."""
    return 1 / (1 + np.exp(-z))


def cost(theta):
    """Return J and a gradient that regularises the bias columns too."""
    m = len(X)
    Theta1 = theta[:25].reshape(5, 5, order="F")
    Theta2 = theta[25:].reshape(3, 6, order="F")
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
    h = sigmoid(a2 @ Theta2.T)
    Y = np.eye(3)[y]
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = h - Y
    delta2 = delta3 @ Theta2[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    Theta1_grad = (delta2.T @ a1 + lam * Theta1) / m
    Theta2_grad = (delta3.T @ a2 + lam * Theta2) / m
    return J, np.concatenate([Theta1_grad.ravel(order="F"), Theta2_grad.ravel(order="F")])

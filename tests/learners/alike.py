"""Wrong in J and in the gradient alike: the check passes, and only J itself can tell."""

import numpy as np
from learners.records import classes, numbers, right

COURSE = classes(4, 5, 3)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def course(theta, X, Y, lam):
    """Return the course's J and gradient with targets Y."""
    m = len(X)
    T1, T2 = theta[:25].reshape(5, 5, order="F"), theta[25:].reshape(3, 6, order="F")
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ T1.T)]
    h = sigmoid(a2 @ T2.T)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))
    d3 = h - Y
    d2 = (d3 @ T2 * a2 * (1 - a2))[:, 1:]
    G1 = (d2.T @ a1 + lam * np.c_[np.zeros(5), T1[:, 1:]]) / m
    G2 = (d3.T @ a2 + lam * np.c_[np.zeros(3), T2[:, 1:]]) / m
    return J, np.r_[G1.ravel("F"), G2.ravel("F")]


@right("labels along the wrong axis: eye(m) cut to K columns", COURSE)
def labels_along_the_wrong_axis(theta, X, y, lam):
    return course(theta, X, np.eye(len(y))[:, :3], lam)


@right("the first example's label for all", COURSE)
def first_label_for_all(theta, X, y, lam):
    return course(theta, X, np.tile(np.eye(3)[y[0]], (len(y), 1)), lam)


@right("1 where 0 belongs", COURSE)
def labels_the_other_way_round(theta, X, y, lam):
    return course(theta, X, 1 - np.eye(3)[y], lam)


@right("the targets' rows in another order than those of X", COURSE)
def labels_reversed(theta, X, y, lam):
    return course(theta, X, np.eye(3)[y[::-1]], lam)


@right("the penalty left out of both", COURSE)
def penalty_left_out(theta, X, y, lam):
    return course(theta, X, np.eye(3)[y], 0)


@right("targets of shape (m, 1) against errors of shape (m,): all pairs", numbers(2, 4, 1))
def targets_broadcast(theta, X, y, lam):
    b1, W1 = theta[:4], theta[4:12].reshape(2, 4)
    b2, w2 = theta[12], theta[13:]
    m = len(X)
    a = np.tanh(X @ W1 + b1)
    e = a @ w2 + b2 - y  # (m, m)
    J = np.sum(e**2) / (2 * m) + lam / (2 * m) * (np.sum(W1**2) + w2 @ w2)
    e = e.sum(axis=0)
    d = np.outer(e, w2) * (1 - a**2)
    grads = d.sum(0), X.T @ d + lam * W1, e.sum(), a.T @ e + lam * w2
    return J, np.concatenate([np.ravel(g) for g in grads]) / m

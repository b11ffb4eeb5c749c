"""The reference of `chainrule.notes.backprop`: NumPy and its BLAS."""

import numpy as np

from chainrule.notes.backprop import accumulate, finish


def gradient(task):
    network, theta, X, Y = task.network, task.theta, task.X, task.Y

    def run():
        J, D = finish(network, theta, *accumulate(network, theta, X, Y))
        return np.append(J, D)

    return run


public_gradient = gradient

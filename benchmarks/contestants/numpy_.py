"""The reference of `chainrule.backprop`: NumPy and its BLAS."""

import numpy as np

from chainrule.backprop import accumulate, finish


def gradient(task):
    network, theta, X, Y = task.network, task.theta, task.X, task.Y

    def run():
        J, D = finish(network, theta, *accumulate(network, theta, X, Y))
        return np.append(J, D)

    return run

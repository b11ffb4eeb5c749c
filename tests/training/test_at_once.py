"""Second-order trainings at once, each in a thread: each as alone, and BLAS as it was."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from chainrule import Network, train

OPTIMIZERS = ("scg", "lm", "br", "newton-cg")
NETWORK = Network((4, 12, 1), hidden="tanh", output="identity")


def fit(optimizer, begin=None):
    """Train for a while, from the moment on at which another one begins, too."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    if begin is not None:
        begin.wait()
    return train(NETWORK, X, y, optimizer=optimizer, max_iter=25, check=False)


@pytest.fixture(scope="module")
def alone():
    return {optimizer: fit(optimizer) for optimizer in OPTIMIZERS}


def blas_threads():
    return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]


@pytest.mark.parametrize("pair", [*combinations_with_replacement(OPTIMIZERS, 2)])
def test_two_at_once_have_the_bits_of_each_alone_and_leave_blas_as_it_was(alone, pair):
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        begin = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(fit, pair, [begin, begin]))
        assert blas_threads() == before
    for optimizer, result in zip(pair, found, strict=True):
        np.testing.assert_array_equal(result.theta, alone[optimizer].theta)
        assert result.history.J == alone[optimizer].history.J

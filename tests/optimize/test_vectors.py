"""At how many threads BLAS is held, and by whom."""

import threading
from contextlib import nullcontext

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from chainrule.common.types import Stopped
from chainrule.kernel import asking
from chainrule.optimize import vectors
from chainrule.optimize.vectors import LONG, blas_threads, heard, one_blas_thread


def at_work():
    """Return how many threads BLAS has."""
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


@pytest.fixture(autouse=True)
def four():
    np.ones(2) @ np.ones(2)
    with threadpool_limits(4, user_api="blas"):
        yield


def test_the_lowest_of_several_holders_counts_and_the_last_gives_back():
    with blas_threads(3):
        assert at_work() == 3
        with one_blas_thread():
            assert at_work() == 1
            with blas_threads(2):
                assert at_work() == 1
        assert at_work() == 3
    assert at_work() == 4


def test_holders_may_end_in_any_order():
    outer, inner = blas_threads(1), blas_threads(2)
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert at_work() == 2
    inner.__exit__(None, None, None)
    assert at_work() == 4


def test_nobody_gets_more_threads_than_there_were():
    for asked in (None, 4, 64):
        with blas_threads(asked):
            assert at_work() == 4


def test_an_error_gives_them_back():
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        1 / 0  # noqa: B018
    assert at_work() == 4


def test_any_thread_may_hold_blas():
    with one_blas_thread():
        pass
    seen = []

    def hold():
        with blas_threads(2):
            seen.append(at_work())
        seen.append(at_work())

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert seen == [2, 4]


class Blas:
    """A BLAS of eight threads that remembers what it was set to."""

    def __init__(self):
        self.set = [8]

    num_threads = property(lambda self: self.set[-1])

    def set_num_threads(self, threads):
        self.set.append(threads)


def test_at_no_moment_do_those_who_compute_get_more_threads(monkeypatch):
    blas = Blas()
    monkeypatch.setattr(vectors, "_blas", lambda: [blas])
    first, second, third = one_blas_thread(), one_blas_thread(), blas_threads(4)
    first.__enter__()
    second.__enter__()
    third.__enter__()
    first.__exit__(None, None, None)
    assert blas.set == [8, 1]  # the second still counts on one thread
    second.__exit__(None, None, None)
    third.__exit__(None, None, None)
    assert blas.set == [8, 1, 4, 8]


def test_lapack_can_be_left_while_it_computes():
    over = threading.Event()

    def ask():
        raise Stopped("enough")

    before = set(threading.enumerate())
    with pytest.raises(Stopped, match="enough"):
        heard(ask, lambda matrix: over.wait(), np.eye(LONG))
    (left,) = set(threading.enumerate()) - before
    try:
        # A process that ends while it gives work to BLAS's other threads would wait for ever
        assert at_work() == 1
    finally:
        over.set()
    left.join()
    assert at_work() == 4


def test_what_is_heard_is_what_is_computed():
    for n in (3, LONG):
        np.testing.assert_array_equal(heard(lambda: None, np.linalg.inv, np.eye(n)), np.eye(n))
        with pytest.raises(np.linalg.LinAlgError):
            heard(lambda: None, np.linalg.inv, np.zeros((n, n)))


def test_without_a_thread_the_caller_computes(no_threads):
    assert heard(lambda: None, np.trace, np.eye(LONG)) == LONG


@pytest.mark.parametrize("built", [True, False])
def test_two_loops_are_the_inverse_hessian_of_their_pairs(monkeypatch, built):
    monkeypatch.setattr(vectors, "BUILT", built and vectors.BUILT)
    rng = np.random.default_rng(0)
    A = rng.normal(size=(4, 4))
    A = A @ A.T + np.eye(4)  # of a quadratic: y = A s
    S = rng.normal(size=(2, 4))
    pairs = tuple((s, A @ s, s @ A @ s) for s in S)
    H = 0.3 * np.eye(4)
    for s, y, sy in pairs:  # Nocedal and Wright, (7.16)
        V = np.eye(4) - np.outer(y, s) / sy
        H = V.T @ H @ V + np.outer(s, s) / sy
    D = rng.normal(size=4)
    np.testing.assert_allclose(vectors.two_loop(D, pairs, 0.3), -H @ D, rtol=1e-10)


@pytest.mark.skipif(not vectors.BUILT, reason="NumPy hears Ctrl-C between its calls")
@pytest.mark.parametrize(("n", "questions"), [(1_000_000, 2), (90_000, 0)])
def test_the_two_loops_of_long_vectors_hear_who_asks_them_to_stop(n, questions):
    ones = np.ones(n)
    pairs = tuple((ones, ones, float(n)) for _ in range(12))
    asked = []
    with asking(lambda: asked.append(1)):
        whole = vectors.two_loop(ones, pairs, 1.0)
    assert len(asked) == questions
    np.testing.assert_allclose(whole, -ones)

    def ask():
        raise Stopped("enough")

    with asking(ask), pytest.raises(Stopped, match="enough") if questions else nullcontext():
        vectors.two_loop(ones, pairs, 1.0)

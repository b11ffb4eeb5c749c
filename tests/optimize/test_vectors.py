"""At how many threads BLAS is held, and by whom."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from chainrule.optimize.vectors import blas_threads, one_blas_thread


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

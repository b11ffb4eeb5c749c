"""Work is done where it was asked for when the system starts no more threads."""

import threading
from concurrent.futures import CancelledError, Future

import pytest

from chainrule.common.threads import aside, begins, with_calls_back


def test_work_is_done_in_another_thread():
    assert aside(threading.get_ident).result() != threading.get_ident()


def test_without_threads_work_is_done_here(no_threads):
    assert not begins(threading.Thread(target=int))
    assert aside(threading.get_ident).result() == threading.get_ident()


def test_what_fails_without_threads_fails_as_in_one(no_threads):
    with pytest.raises(ZeroDivisionError):
        aside(divmod, 1, 0).result()


def test_work_in_another_thread_calls_back_in_this_one():
    def work(one, two):
        return threading.get_ident(), one(), two(7, 2)

    of_work, of_one, of_two = with_calls_back(int, work, threading.get_ident, divmod)
    assert of_work != threading.get_ident() == of_one
    assert of_two == (3, 1)


def test_what_work_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        with_calls_back(int, lambda call: divmod(1, 0), divmod)


def press_ctrl_c(*given):
    raise KeyboardInterrupt


def left_by(ask, function):
    """Return what becomes of work that nobody waits for any longer."""
    waits, gone = threading.Event(), Future()

    def work(call):
        try:
            call(waits)
            waits.wait(60)
            call(waits)
        except BaseException as error:
            gone.set_result(type(error))

    with pytest.raises(KeyboardInterrupt):
        with_calls_back(ask, work, function)
    waits.set()
    return gone.result(60)


def test_ctrl_c_leaves_work_that_hears_nothing():
    asked = []

    def ask():
        asked.append(1)
        if len(asked) == 5:  # as a signal would
            raise KeyboardInterrupt

    assert left_by(ask, lambda waits: None) is CancelledError


def test_what_a_function_raises_ends_the_work_as_well():
    assert left_by(int, press_ctrl_c) is CancelledError


def test_without_threads_calls_back_are_calls(no_threads):
    def work(call):
        return threading.get_ident(), call()

    assert with_calls_back(int, work, threading.get_ident) == (threading.get_ident(),) * 2
    with pytest.raises(KeyboardInterrupt):
        with_calls_back(int, lambda call: call(), press_ctrl_c)

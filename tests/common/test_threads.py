"""Work is done where it was asked for when the system starts no more threads."""

import threading

import pytest

from chainrule.common.threads import aside, begins


def test_work_is_done_in_another_thread():
    assert aside(threading.get_ident).result() != threading.get_ident()


def test_without_threads_work_is_done_here(no_threads):
    assert not begins(threading.Thread(target=int))
    assert aside(threading.get_ident).result() == threading.get_ident()


def test_what_fails_without_threads_fails_as_in_one(no_threads):
    with pytest.raises(ZeroDivisionError):
        aside(divmod, 1, 0).result()

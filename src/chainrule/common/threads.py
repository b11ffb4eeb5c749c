"""Work in a thread of its own, or here where the system starts no more threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def begins(thread: Thread) -> bool:
    """Start a thread; return whether the system starts one more."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def aside(function: Callable[..., T], *given: Any, daemon: bool = True) -> Future[T]:
    """Call a function in a thread that ends with the process; without threads, here and now.

    The process waits for a thread that is no daemon.

    Examples
    --------
    >>> aside(divmod, 7, 2).result()
    (3, 1)
    """
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(function(*given))
        except BaseException as error:
            answer.set_exception(error)

    if not begins(Thread(target=copy_context().run, args=(work,), daemon=daemon)):
        work()
    return answer

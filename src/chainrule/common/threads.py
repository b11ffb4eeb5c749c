"""Work in a thread of its own, or here where the system starts no more threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Thread, get_ident
from typing import Any, TypeVar

T = TypeVar("T")
OFTEN = 0.02  # seconds after which whoever waits for a thread asks whether to go on


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


def with_calls_back(
    ask: Callable[[], object], work: Callable[..., T], *functions: Callable[..., Any]
) -> T:
    """Return work(*functions), done in another thread, which calls the functions in this one.

    So Ctrl-C is heard though the work hears none.  It, what ``ask`` raises, and what a function
    raises end the wait; the other thread is ended when it calls again, and the process waits for
    that.

    Examples
    --------
    >>> with_calls_back(lambda: None, lambda square: square(2) + square(3), lambda x: x * x)
    13
    """
    here = get_ident()
    calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
    answers: SimpleQueue[tuple[Any] | None] = SimpleQueue()

    def calling_back(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if get_ident() == here:  # no thread could be started
                return function(*given)
            calls.put((function, given))
            if (answer := answers.get()) is None:
                raise CancelledError
            return answer[0]

        return call

    found = aside(work, *map(calling_back, functions), daemon=False)
    found.add_done_callback(lambda _: calls.put(None))
    try:
        while True:
            ask()
            with suppress(Empty):
                if (call := calls.get(timeout=OFTEN)) is None:
                    return found.result()
                function, given = call
                answers.put((function(*given),))
    finally:
        answers.put(None)

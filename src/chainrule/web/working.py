"""Long work as a stream: it runs in a thread, and what it tells is sent while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any

Values = Mapping[str, Any]


class GivenUp(Exception):
    """The reader has gone, and nobody waits for the work any more."""


def worked(work: Callable[[Callable[[Values], None]], Values]) -> Iterator[Values]:
    """Yield what a piece of work tells while it runs, and at last what it returns.

    Parameters
    ----------
    work : callable
        ``work(tell)``, called in a thread of its own.  ``tell(values)`` sends a message; it raises
        `GivenUp` once the reader has gone, which ends the work.

    Yields
    ------
    mapping of str to Any

    Examples
    --------
    >>> def count(tell):
    ...     tell({"i": 1})
    ...     return {"i": 2}
    >>> list(worked(count))
    [{'i': 1}, {'i': 2}]
    """
    told: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    gone = threading.Event()

    def tell(values: Values) -> None:
        if gone.is_set():
            raise GivenUp
        told.put(("told", values))

    def run() -> None:
        try:
            told.put(("done", work(tell)))
        except BaseException as error:  # it belongs to whoever waits for the work
            told.put(("failed", error))

    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            what, value = told.get()
            if what == "failed":
                raise value
            yield value
            if what == "done":
                return
    finally:
        gone.set()

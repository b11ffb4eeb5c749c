"""Long work as a stream: it runs in a thread, and what it tells is sent while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from chainrule.common.threads import aside

Values = Mapping[str, Any]


class GivenUp(Exception):
    """The reader has gone, and nobody waits for the work any more."""


async def worked(work: Callable[[Callable[[Values], None]], Values]) -> AsyncGenerator[Values]:
    """Yield what a piece of work tells while it runs, and at last what it returns.

    No thread waits for it, so that any number of streams leaves the threads to other answers.

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
    >>> async def listed(stream):
    ...     return [values async for values in stream]
    >>> asyncio.run(listed(worked(count)))
    [{'i': 1}, {'i': 2}]
    """
    told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    gone = threading.Event()

    def put(what: str, value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the server has ended, and nobody reads
            loop.call_soon_threadsafe(told.put_nowait, (what, value))

    def tell(values: Values) -> None:
        if gone.is_set():
            raise GivenUp
        put("told", values)

    def run() -> None:
        try:
            put("done", work(tell))
        except BaseException as error:  # it belongs to whoever waits for the work
            put("failed", error)

    aside(run)
    try:
        while True:
            what, value = await told.get()
            if what == "failed":
                raise value
            yield value
            if what == "done":
                return
    finally:
        gone.set()

"""Wrong? Learn it: the open network goes on learning with digits of the reader's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.handwriting import learning
from chainrule.handwriting.reading import recognise
from chainrule.optimize import Step
from chainrule.photos import SIDE
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk, Opened
from chainrule.web.working import Values, worked

REHEARSED = (1000, 500)  # drawn digits and other drawings: fewer than the command takes


def learn(desk: Desk, asked: Asked) -> AsyncIterator[Values]:
    """Learn that the picture x is the digit y, and tell how far that is; the last message has both.

    All digits taught so far are learnt anew from the network as it was opened.
    """
    x, y = asked.numbers("x", (SIDE * SIDE,)), asked.whole("y", 0, 9)
    return worked(lambda tell: _learnt(desk, x.astype(np.float32), y, tell))


def _learnt(desk: Desk, x: Any, y: int, tell: Callable[[Values], None]) -> Values:
    if not desk.teaching.acquire(blocking=False):
        raise ValueError("the network is learning already: wait until it has ended")
    try:
        base, own, before = desk.base, [*desk.own, (x, y)], desk.reader
        if desk.rehearsed is None:
            desk.rehearsed = learning.drawings(
                *REHEARSED, 0, lambda share: tell({"what": "drawing", "share": share})
            )[0]

        def callback(step: Step) -> None:
            tell({"what": "learning", "share": step.iteration / learning.OWN_EPOCHS})

        X, Y = (np.array(column) for column in zip(*own, strict=True))
        result = learning.adapted(base.model, X, Y, desk.rehearsed, callback=callback)
        if desk.base is not base:
            raise ValueError("another network was opened meanwhile: nothing was learnt")
        after = Opened(replace(base.model, theta=result.theta), base.name)
        desk.own, desk.opened = own, after
    finally:
        desk.teaching.release()
    picture = x.reshape(1, SIDE, SIDE)
    sure = [float(recognise(opened.model, picture)[0, y]) for opened in (before, after)]
    return {"y": y, "before": sure[0], "after": sure[1], "own": len(own)}


def forget(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Forget all that the reader taught: the network is again as it was opened."""
    with desk.teaching:
        desk.own, desk.opened = [], desk.base
    return {"own": 0}

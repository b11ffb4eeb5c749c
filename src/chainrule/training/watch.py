"""What ends a training early: patience, max_time, and whoever asks it to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from chainrule.common.types import Stopped
from chainrule.optimize.loop import measure
from chainrule.optimize.result import SO_FAR, Ending, Step

TOLERANCE = 1e-4  # relative to |J|: a smaller gain does not count as progress
PATIENCE = "{}: {} has not fallen by a relative {:g} for {} iterations (patience)"


class Limits:
    """The limits that a training checks within its iterations, too: each call may raise `Stopped`.

    Parameters
    ----------
    max_time : float or None
        At most this many seconds from now on; checked only after the first step, so that there is
        a J to return.
    stop : callable or None
        ``stop() -> bool``, the user's: whether to stop.
    """

    def __init__(self, max_time: float | None, stop: Callable[[], bool] | None) -> None:
        self.max_time, self.stop = max_time, stop
        self.deadline = math.inf if max_time is None else time.monotonic() + max_time
        self.started = False

    def go_on(self, used: float) -> None:
        """Count the seconds that the training took before as well."""
        self.deadline -= used

    def start(self, step: Step) -> None:
        """Check max_time from now on: a first step is there."""
        self.started = True

    def __call__(self) -> None:
        """Raise `Stopped` if the training is to end."""
        if self.stop is not None and self.stop():
            raise Stopped(SO_FAR.format("asked to stop"), at_once=True)
        if self.started and time.monotonic() >= self.deadline:
            raise Stopped(SO_FAR.format(f"max_time = {self.max_time:g} s is over"))


class Patience:
    """The rule that ends a training when J_val, or J, has not fallen for a while.

    Parameters
    ----------
    patience : int
        How many iterations in a row may bring no new best by more than a relative 1e-4.
    """

    remembers = ("waited", "to_beat")

    def __init__(self, patience: int) -> None:
        self.patience, self.waited = patience, -1  # -1: the start itself is still to come
        self.to_beat = math.inf

    def __call__(self, step: Step) -> Ending | None:
        """Return why to stop, if there is a reason."""
        lowest = measure(step)
        if self.waited < 0:
            self.waited = 0
        elif self.to_beat - lowest > TOLERANCE * abs(lowest):
            self.to_beat, self.waited = lowest, 0
        else:
            self.waited += 1
        if self.waited < self.patience:
            return None
        validated = step.J_val is not None
        verdict, name = ("stopped early", "J_val") if validated else ("converged", "J")
        why = PATIENCE.format(verdict, name, TOLERANCE, self.patience)
        return Ending(why, converged=not validated)

"""What every training has, whatever minimises: history, the best theta so far, ways to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from chainrule.common.types import Array
from chainrule.optimize import Callback, History, Iterate, Optimizer, Result, Step
from chainrule.optimize.loop import norm
from chainrule.optimize.result import Objective

T = TypeVar("T")

TOLERANCE = 1e-4  # of |J|: an iteration that gains less is none that patience waits for
SO_FAR = "stopped: {}; this is the best theta so far"
INTERRUPTED = SO_FAR.format("interrupted by Ctrl-C")


class Ended(Exception):
    """Raised to end a training from within.  Its text says why."""

    def __init__(self, why: str, *, converged: bool = False, at_once: bool = False) -> None:
        super().__init__(why)
        self.converged, self.at_once = converged, at_once  # at once: the user waits


class Watch:
    """The history and the best theta of one training, and the rules that end it early.

    Parameters
    ----------
    theta : ndarray of shape (n,)
        The start.
    max_time : float or None
        Seconds at most, from now on.
    callback : callable or None
        The user's, called with a `Step` after each iteration.
    J_val : callable or None
        ``J_val(theta) -> float``, the cost on the validation examples.  With it the best theta is
        the one of the lowest J_val, otherwise the one of the lowest J.
    patience : int or None
        How many iterations in a row may bring no new best by more than a relative 1e-4.

    Attributes
    ----------
    history : History
    theta : ndarray of shape (n,)
        The best so far.
    J : float
        The J it was offered with.
    iteration : int
        The iteration it was found in.
    """

    def __init__(
        self,
        theta: Array,
        *,
        max_time: float | None = None,
        callback: Callback | None = None,
        J_val: Callable[[Array], float] | None = None,
        patience: int | None = None,
    ) -> None:
        self.history = History()
        self.theta, self.J, self.iteration = theta, np.inf, 0
        self.validated = J_val is not None
        self._max_time, self._J_val, self._callback = max_time, J_val, callback
        self._deadline = np.inf if max_time is None else time.monotonic() + max_time
        self._patience, self._waited = patience, 0
        self._lowest, self._to_beat = np.inf, np.inf

    def check_time(self) -> None:
        """Raise `Ended` if max_time is over."""
        if time.monotonic() >= self._deadline:
            raise Ended(SO_FAR.format(f"max_time = {self._max_time:g} s is over"))

    def offer(self, theta: Array, J: float, measure: float) -> None:
        """Keep theta if its measure, J or J_val, is the lowest so far."""
        if measure < self._lowest:
            self._lowest, self.J, self.theta = measure, J, theta.copy()
            self.iteration = len(self.history)

    def start(
        self,
        J: float,
        gradient_norm: float,
        *,
        counts: bool = True,
        extra: Mapping[str, float] | None = None,
    ) -> None:
        """Take down the start: entry 0 of the history, and a best theta where its J counts."""
        self.J = J
        J_val = self._J_val(self.theta) if self._J_val else None
        if counts or J_val is not None:
            self.offer(self.theta, J, J if J_val is None else J_val)
        self.history.append(J, gradient_norm, J_val, extra)

    def after(self, step: Step) -> bool:
        """Take down an iteration; true, or `Ended`, ends the training."""
        if self._J_val:
            step = replace(step, J_val=self._J_val(step.theta))
        measure = step.J if step.J_val is None else step.J_val
        self.offer(step.theta, step.J, measure)
        self.history.append(step.J, step.gradient_norm, step.J_val, step.extra)
        if self._callback is not None and self._callback(step):
            return True
        if self._to_beat - measure > TOLERANCE * abs(measure):
            self._to_beat, self._waited = measure, 0
        else:
            self._waited += 1
        if self._patience is not None and self._waited >= self._patience:
            name = "J_val" if self.validated else "J"
            raise Ended(
                f"{'stopped early' if self.validated else 'converged'}: {name} has not fallen by "
                f"a relative {TOLERANCE:g} for {self._patience} iterations (patience); this is "
                f"the theta of iteration {self.iteration}, of the lowest {name}",
                converged=not self.validated,
            )
        return False

    def until_ended(self, run: Callable[[], T]) -> T | Ended:
        """Return what run returns, or, if it was ended early, why."""
        try:
            return run()
        except Ended as ended:
            return ended
        except KeyboardInterrupt:
            return Ended(INTERRUPTED, at_once=True)

    def minimize(
        self,
        minimizer: Optimizer,
        objective: Objective,
        start: Array,
        max_iter: int,
        state: Iterate | None = None,
    ) -> Result:
        """Minimise J with an optimizer that sees all the rows at once, under these rules."""
        options = {}
        if state is not None:  # the start has been evaluated before
            options["state"] = state
            self.start(state.J, norm(state.D), extra=state.extra)
        watched = Watched(objective, self)

        def after(step: Step) -> bool:
            nonlocal state
            state = step.state
            return self.after(step)

        found = self.until_ended(
            lambda: minimizer(watched, start, max_iter=max_iter, callback=after, **options)
        )
        if isinstance(found, Ended):
            n_iter = max(len(self.history) - 1, 0)
            return Result(
                self.theta, self.J, self.history, n_iter, watched.n_eval, str(found),
                found.converged, state,
            )  # fmt: skip
        if self.validated:
            found.history.J_val = self.history.J_val
            found.theta, found.J = self.theta, self.J
            found.stopped += (
                f"; this is the theta of iteration {self.iteration}, of the lowest J_val"
            )
        return found


class Watched:
    """An objective whose every evaluation a `Watch` sees.  What else it offers is passed on.

    Attributes
    ----------
    n_eval : int
        Evaluations so far.
    """

    def __init__(self, objective: Any, watch: Watch) -> None:
        self._objective, self._watch, self.n_eval = objective, watch, 0

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return J and D."""
        J, D = self._objective(theta)
        self._seen(theta, J, D)
        return J, D

    def _normal_equations(self, theta: Array) -> tuple[float, Array, Array]:
        J, D, H = self._objective.normal_equations(theta)
        self._seen(theta, J, D)
        return J, D, H

    def _seen(self, theta: Array, J: float, D: Array) -> None:
        self.n_eval += 1
        if not len(self._watch.history):
            self._watch.start(J, norm(D))
        elif not self._watch.validated:
            self._watch.offer(theta, J, J)
        self._watch.check_time()

    def __getattr__(self, name: str) -> Any:
        offered = getattr(self._objective, name)
        return self._normal_equations if name == "normal_equations" else offered

    @property
    def lam(self) -> Any:
        """The objective's lambda, which Bayesian regularisation sets."""
        return self._objective.lam

    @lam.setter
    def lam(self, lam: float) -> None:
        self._objective.lam = lam

"""The one loop of every training: write each step down, keep the best, ask the rules.

It follows whatever makes the steps: an algorithm over all the rows, minibatches, or somebody else's
minimizer.  Any rules of stopping go with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, Objective, Stopped
from chainrule.optimize.iterate import Iterate, Steps, step_of
from chainrule.optimize.result import (
    AT_MAX_ITER,
    BY_CALLBACK,
    FLAT,
    INTERRUPTED,
    LOST,
    NO_GAIN,
    NO_MORE,
    NOT_FINITE,
    OF_LOWEST,
    ROSE,
    Callback,
    Ending,
    History,
    Result,
    State,
    Step,
)

GRADIENT_TOLERANCE = 1e-6  # max |D_i| of a slope that counts as flat
COST_TOLERANCE = 1e-10  # relative to |J|: where the gain is smaller, nothing is left to gain
FAR = 10.0  # times J of the start: a J above it is no noise

StoppingRule = Callable[[Step], Ending | None]
"""Asked after each step; what it returns ends the training."""
Minimizer = Callable[..., Result]
"""``minimize(objective, theta, *, max_iter, callback) -> Result``: somebody else's optimizer."""


def still_finite(step: Step) -> Ending | None:
    """Return why to stop where J or theta is not finite: a rule of every training."""
    if step.iteration == 0:
        slope = 0.0 if isinstance(step.state, State) else step.gradient_norm
        return None if math.isfinite(step.J + slope) else Ending(NOT_FINITE)
    return None if usable(step) else Ending(LOST.format(step.iteration), cut=True)


def usable(step: Step) -> bool:
    """Whether J and theta are finite."""
    return math.isfinite(step.J) and bool(np.isfinite(step.theta).all())


def called(step: Step) -> str:
    """Return what sentences call a step."""
    return f"iteration {step.iteration}"


def far_above(J: float, start: float) -> bool:
    """Whether J has risen so far above that of the start that a training has diverged."""
    return not start + (FAR - 1) * abs(start) >= J


class MaxIter:
    """The rule that ends a training after max_iter iterations.

    Parameters
    ----------
    max_iter : int
        Counted from the first step on.
    """

    remembers: tuple[str, ...] = ("first",)

    def __init__(self, max_iter: int) -> None:
        self.max_iter = max_iter
        self.first: int | None = None  # the iteration that the first step told of

    def __call__(self, step: Step) -> Ending | None:
        """Return why to stop, if there is a reason."""
        if self.first is None:
            self.first = step.iteration
        ended = step.iteration >= self.first + self.max_iter
        return Ending(AT_MAX_ITER.format(self.max_iter)) if ended else None


class Tolerances(MaxIter):
    """The rules of an optimizer over the whole training set: converged, or out of iterations."""

    remembers = ("first", "before")

    def __init__(self, max_iter: int) -> None:
        super().__init__(max_iter)
        self.before = math.inf  # J of the step before; inf before the start

    def __call__(self, step: Step) -> Ending | None:
        """Return why to stop, if there is a reason."""
        before, self.before = self.before, step.J
        gain = abs(before - step.J)
        if self.first is not None and gain <= COST_TOLERANCE * max(abs(step.J), abs(before)):
            return Ending(NO_GAIN.format(COST_TOLERANCE), converged=True)
        if (ended := super().__call__(step)) is not None:
            return ended
        # Where the norm is larger, some component is too: most steps need not look at each
        if step.gradient_norm <= GRADIENT_TOLERANCE * math.sqrt(step.theta.size):
            D = getattr(step.state, "D", None)
            slope = step.gradient_norm if D is None else float(np.abs(D).max())
            if slope <= GRADIENT_TOLERANCE:
                return Ending(FLAT.format(slope), converged=True)
        return None


class Keeper(Protocol):
    """Who keeps a run, so that it can go on in another process."""

    def keep(self, run: Run, step: Step) -> None:
        """Be told of a step that is written down, before the callback and the rules are asked."""

    def end(self, run: Run) -> None:
        """Be told that the run has ended."""


@dataclass
class Run:
    """One training as it goes: its history, the best step so far, and where it stands.

    Parameters
    ----------
    start : ndarray of shape (n,)
        The result where a run is stopped before its first step.
    rules : list of callable
        Asked in turn after each step; the first that returns an `Ending` ends the run.
    callback : callable, optional
        The user's, called with each `Step` before the rules are asked; true ends the run.
    J_val : callable, optional
        ``J_val(theta) -> float``, the cost on the validation examples.
    keep_best : bool, default=False
        Whether the result is the best step, not the last one; with J_val it always is.
    start_counts : bool, default=True
        Whether the start may be the best: not where the J of later steps is a mean over an epoch.
    state : State or Iterate, optional
        What the run goes on from.
    every : int, optional
        The callback also hears of the steps within an epoch that are this many batches apart.
    keeper : Keeper, optional
        Told of each step before anybody else is.

    Attributes
    ----------
    history : History
    errors : dict
        How NumPy is to treat overflows within the callback: as the user had it.
    last : Step or None
        The newest whole step.
    best : Step or None
        The step of the lowest J_val or, without validation examples, of the lowest J; None where
        not one is finite.
    ended : Ending or None

    A run with a ``last`` step goes on from it, where another process left it: the callback is told
    that step again, and the rules are asked about it with the memory that they had before it.
    """

    start: Array
    rules: list[StoppingRule] = field(default_factory=list)
    callback: Callback | None = None
    J_val: Callable[[Array], float] | None = None
    keep_best: bool = False
    start_counts: bool = True
    state: Any = None
    every: int | None = None
    keeper: Keeper | None = None
    history: History = field(default_factory=History)
    errors: Any = field(default_factory=np.geterr)
    last: Step | None = None
    best: Step | None = None
    ended: Ending | None = None

    __repr__ = summary

    def follow(self, steps: Steps) -> Result:
        """Take one step after another until a rule, Ctrl-C or the algorithm itself ends it."""

        def run() -> Ending:
            going_on = self.last
            if going_on is not None and (ended := self._ask(going_on)) is not None:
                return ended
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    return end.value if isinstance(end.value, Ending) else Ending(NO_MORE)
                if going_on is not None:  # the start of these steps was told long ago
                    going_on = None
                elif (ended := self.take(step)) is not None:
                    return ended

        try:
            return self.result(self._until_ended(run))
        finally:
            if isinstance(steps, Generator):  # what it holds, such as BLAS, it lets go of now
                steps.close()

    def follow_minimizer(self, minimize: Minimizer, objective: Objective, max_iter: int) -> Result:
        """Do the same where the optimizer calls back: SciPy's, or one of the user's."""
        ended: Ending | None = None

        def told(step: Step) -> bool:
            nonlocal ended
            if step.iteration > 0:  # run tells the start
                ended = self.take(replace(step, n_eval=step.n_eval + 1))
            return ended is not None

        def run() -> Ending:
            J, D = objective(self.start)
            first = step_of(Iterate(self.start, J, D, 1, 0))
            if (at_once := self.take(first)) is not None:
                return at_once
            if max_iter == 0:  # some of SciPy's would take a step all the same
                return Ending(AT_MAX_ITER.format(0))
            found = minimize(objective, self.start, max_iter=max_iter, callback=told)
            n_eval = found.n_eval + 1  # of the start
            end = replace(self.last or first, theta=found.theta, J=found.J, n_eval=n_eval)
            if ended is not None:
                return ended
            if self.best is None or (usable(end) and end.J <= self.best.J):
                return Ending(found.stopped, found.converged, step=end)
            why = OF_LOWEST.format(found.stopped, called(self.best), "J")
            return Ending(why, step=end, cut=True)

        return self.result(self._until_ended(run))

    def take(self, step: Step) -> Ending | None:
        """Write a step down, and return what ends the run, if anything does."""
        whole = not step.batch
        if whole:
            if self.J_val is not None:
                step = replace(step, J_val=self.J_val(step.theta))
            self.history.append(step.J, step.gradient_norm, step.J_val, step.extra)
            self._offer(step)
        if self.keeper is not None:
            self.keeper.keep(self, step)
        return self._ask(step)

    def _ask(self, step: Step) -> Ending | None:
        """Tell the callback of a step and ask the rules; return what ends the run."""
        whole = not step.batch
        try:
            if self._hears(step) and self.callback is not None:
                with np.errstate(**self.errors):
                    if self.callback(step):
                        return Ending(BY_CALLBACK)
        except Stopped:
            raise
        except Exception as error:
            ended = Ending("stopped: the callback raised an exception", cut=True)
            save_in(error, self.result(ended))
            raise
        for rule in self.rules if whole else []:
            if (verdict := rule(step)) is not None:
                return verdict
        return None

    def _until_ended(self, run: Callable[[], Ending]) -> Ending:
        """Return why a run ended."""
        try:
            return run()
        except (Stopped, KeyboardInterrupt) as cut:
            return cut_short(cut)
        except Exception as error:  # such as rows that cannot be read any more
            if self.best is not None and not hasattr(error, "result"):
                why = f"stopped: {str(error) or type(error).__name__}"
                save_in(error, self.result(Ending(why, cut=True)))
            raise

    def _hears(self, step: Step) -> bool:
        """Whether the callback is told of a step: not where it is for the keeper alone."""
        return not step.batch or (self.every is not None and step.batch % self.every == 0)

    def _offer(self, step: Step) -> None:
        self.last = step
        is_start = len(self.history) == 1
        if is_start and not self.start_counts and step.J_val is None:
            return
        if not (usable(step) and math.isfinite(measure(step))):
            return
        if self.best is None or measure(step) < measure(self.best):
            self.best = step

    def result(self, ended: Ending) -> Result:
        """Return what the run has come to."""
        self.ended = ended
        if self.keeper is not None:
            self.keeper.end(self)
        last = ended.step or self.last
        if last is None:
            return Result(
                self.start, np.nan, self.history, n_iter=0, n_eval=0, stopped=ended.why,
                converged=False, state=self.state, interrupted=ended.at_once,
            )  # fmt: skip
        chosen, why, converged = last, ended.why, ended.converged
        if ended.cut or self.keep_best or self.J_val is not None:
            chosen = self.best or last
            if chosen.iteration != last.iteration and not ended.cut:
                name = "J" if self.J_val is None else "J_val"
                why = OF_LOWEST.format(why, called(chosen), name)
        elif self.best is not None and "lam" not in last.extra:  # br's J is of another lambda
            first = self.history.J[0]
            if far_above(last.J, first):
                chosen, converged = self.best, False
                why = ROSE.format(first, last.J, called(chosen))
        before = 0 if self.state is None else evaluations(self.state)
        return Result(
            theta=chosen.theta,
            J=chosen.J,
            history=self.history,
            n_iter=len(self.history) - 1,
            n_eval=last.n_eval - before,
            stopped=why,
            converged=converged,
            state=last.state,
            interrupted=ended.at_once,
        )


def evaluations(state: Any) -> int:
    """Return how many evaluations, or batches, a state has behind it."""
    return int(state.steps if isinstance(state, State) else state.n_eval)


def measure(step: Step) -> float:
    """Return what steps are compared by: the best has the least."""
    return step.J if step.J_val is None else step.J_val


def save_in(error: Exception, result: Result) -> None:
    """Let an exception have the training so far."""
    error.result = result  # type: ignore[attr-defined]
    error.add_note("The training so far is the `result` of this exception.")


def cut_short(cut: Stopped | KeyboardInterrupt) -> Ending:
    """Say what cut a run short."""
    if isinstance(cut, Stopped):
        return Ending(str(cut), cut=True, at_once=cut.at_once)
    by = cut.args[0] if cut.args else "Ctrl-C"  # a program may give a signal's name
    return Ending(INTERRUPTED.format(by), cut=True, at_once=True)

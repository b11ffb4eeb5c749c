"""Trainings that go on while nobody looks: each in a thread of its own, with every theta kept."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from chainrule.common.checks import counted
from chainrule.common.types import Array, Stopped
from chainrule.engine.cores import available_threads
from chainrule.evaluation.stop_report import SETTINGS, StopReport, stop_report
from chainrule.model_file import Model
from chainrule.notes.network import Network
from chainrule.optimize import History, Result, Step, find, is_minimizer, is_rule
from chainrule.training.checkpoint import InMemory
from chainrule.web.problems import Problem
from chainrule.workbench.beside import advice, comparisons, shown
from chainrule.workbench.pipeline import Outcome, Prepared, first_five, minimised, prepare
from chainrule.workbench.request import OPTIMIZER, Request

KEPT = 8  # runs
MOST_BYTES = 256 * 10**6  # of the thetas of all runs
# It is told why a training went as it did from some examples: so many, or fewer of a large network
LOOKED_AT, PRODUCTS = 1000, 2 * 10**8
LAST_SECONDS = 5.0  # that a training has to end when the server does
PREPARING, TRAINING, WAITING, PAUSED, OVER = "preparing", "training", "waiting", "paused", "over"


def threads() -> int:
    """Return how many cores a training takes: one is left for the page."""
    return max(1, available_threads() - 1)


class Run:
    """One training: what is asked, how far it is, every theta that it went through.

    It is who the workbench tells how the training goes.

    Attributes
    ----------
    id : int
    name : str
        What the page calls its data.
    request : Request
    zero : bool
        Whether it starts from a theta of zeros, to show why nobody does.
    settings : mapping
        What the page asked for, in its own words.
    group : int
        The id of the first of those that it was started with.
    prepared : Prepared or None
        The examples and the plan; None until they are there.
    thetas : dict of int to ndarray
        Those that are kept, by the iteration after which they were reached.
    stride : int
        Every so many iterations one is kept.
    history : History
    seconds, n_eval : list
        For each iteration the thread time since the start, and the evaluations of J.
    steps : list of str
        What each of the notes' six steps gave, as far as they are done.
    notes : list of (str, bool)
        What else was told, and whether it is a heading.
    state : str
        "preparing", "training", "waiting" for its turn, "paused" or "over".
    outcome : Outcome or None
    report : StopReport or None
        Why it ended and what to try.
    scores : dict of str to str or None
        How well it answers, and what that is compared with; None until that is known.
    advice : list of str
        What stands out about the scores, and what to type.
    taken : int or None
        The iteration whose theta is the result.
    trouble : Exception or None
        What ended it before there was a result.
    saved : bool
        Whether the reader has a copy of its network.
    version : int
        Grows with each change.
    """

    def __init__(self, runs: Runs, id: int, asked: Problem, request: Request, group: int) -> None:
        self.id, self.group, self.request = id, group, request
        self.name, self.data, self.zero = asked.name, asked.data, asked.zero
        self.settings = asked.settings
        self.prepared: Prepared | None = None
        self.thetas: dict[int, Array] = {}
        self.stride = 1
        self.history = History()
        self.seconds: list[float] = []
        self.n_eval: list[int] = []
        self.steps: list[str] = []
        self.notes: list[tuple[str, bool]] = []
        self.share: tuple[str, float] | None = None
        self.state = PREPARING
        self.outcome: Outcome | None = None
        self.report: StopReport | None = None
        self.scores: dict[str, str] | None = None
        self.advice: list[str] = []
        self.taken: int | None = None
        self.trouble: Exception | None = None
        self.saved = False
        self.version = 0
        self.going, self.ending = True, False  # what the reader wants
        self.until = math.inf  # the iteration after which it pauses by itself
        self._runs, self._keeper = runs, InMemory()
        self._began = 0.0  # thread time at which iteration 0 would have been, without pauses
        self.thread = threading.Thread()

    def __str__(self) -> str:
        layers = "" if self.prepared is None else "-".join(map(str, self.network.layers)) + ", "
        done = counted(len(self) - 1, "iteration")
        return f"run {self.id} ({self.name}, {layers}{self.optimizer}, {done})"

    def __len__(self) -> int:
        """Return how many iterations are done, the start among them."""
        return len(self.seconds)

    @property
    def network(self) -> Network:
        """The network that is trained."""
        return self.ready().plan.network

    @property
    def lam(self) -> float:
        """Lambda."""
        return self.ready().plan.lam

    @property
    def max_iter(self) -> int:
        """At most this many iterations."""
        return int(self.ready().plan.arguments["max_iter"])

    @property
    def result(self) -> Result | None:
        """What `train` returned; None while it runs."""
        return None if self.outcome is None else self.outcome.result

    @property
    def optimizer(self) -> str:
        """The optimizer's name."""
        return self.request.optimizer or OPTIMIZER

    @property
    def can_go_on(self) -> bool:
        """Whether more iterations can follow those that are done."""
        optimizer: Any = find(self.optimizer)
        return is_rule(optimizer) or not is_minimizer(optimizer)

    def theta(self, iteration: int) -> Array:
        """Return theta as it was after an iteration."""
        theta = self.thetas.get(iteration)
        if theta is None:
            near = [str(i) for i in [*self.thetas] if abs(i - iteration) <= self.stride]
            instead = f": those after {' and '.join(near)} are" if near else ""
            raise ValueError(f"theta after iteration {iteration} is not there{instead}")
        return theta

    def model(self, iteration: int) -> Model:
        """Return the network as it was after an iteration, and all that it takes to use it."""
        theta, prepared = self.theta(iteration), self.ready()
        if self.outcome is not None and iteration == self.taken:
            return self.outcome.model
        lams = self.history.extra.get("lam")
        lam = prepared.plan.lam if lams is None else lams[iteration]
        J = self.history.J[iteration]
        return prepared.model(theta, lam, J, f"after iteration {iteration}")

    def ready(self) -> Prepared:
        """Return the examples and the plan, once they are there."""
        if self.prepared is None:
            raise ValueError("the run has no network yet: wait until its data are read")
        return self.prepared

    # What the workbench tells, from the thread that trains

    def step(self, number: int, found: str = "") -> None:
        """Write down what one of the six steps gave."""
        self.steps[number - 1 :] = [found]
        self.version += 1

    def note(self, text: str, *, heading: bool = False) -> None:
        """Write down what is told."""
        self.notes.append((text, heading))
        self.version += 1

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[float], None]]:
        """Write down how far some work is."""

        def tell(share: float) -> None:
            self.share = what, share
            self.version += 1

        yield tell
        self.share = None

    def iteration(self, step: Step, max_iter: int) -> None:
        """Write an iteration down, and pause where that is wanted."""
        if step.batch or step.iteration < len(self):  # the last one before it went on
            return
        self._runs.keep(self, step.iteration, step.theta)
        self.history.append(step.J, step.gradient_norm, step.J_val, step.extra)
        self.n_eval.append(step.n_eval)
        self.seconds.append(time.thread_time() - self._began)
        self.version += 1
        if step.iteration >= self.until:
            self.going, self.until = False, math.inf
        if step.iteration < max_iter:
            self.asked()

    def asked(self) -> bool:
        """Tell the training whether it is to stop; wait here where it is to pause."""
        if not (self.going and self._runs.at_work is self):
            self._runs.wait_for_turn(self)
        return self.ending

    # Its life

    def start(self) -> None:
        """Train in a thread."""
        self.thread = threading.Thread(target=self._train, name=f"run {self.id}", daemon=True)
        self.thread.start()

    def more(self, iterations: int) -> None:
        """Go on from the end for some more iterations than were done."""
        if self.state != OVER or self.prepared is None or not len(self):
            raise ValueError("only a run that has ended can have more iterations")
        if not self.can_go_on:
            raise ValueError(
                "SciPy's minimizers keep their state to themselves and cannot go on: raise "
                "max_iter and train again"
            )
        max_iter = len(self) - 1 + iterations
        plan = self.prepared.plan
        self.prepared = replace(
            self.prepared,
            request=replace(self.request, max_iter=max_iter),
            plan=replace(plan, arguments={**plan.arguments, "max_iter": max_iter}),
        )
        self.request = self.prepared.request
        self.outcome = self.report = self.scores = self.taken = None
        self.advice = []
        self.going, self.ending, self.saved = True, False, False
        self.start()

    def _train(self) -> None:
        try:
            self._enter(PREPARING if self.prepared is None else TRAINING)
            self.asked()
            if self.prepared is None:
                first = self._runs.kept.get(self.group)
                if first is not None and first.prepared is not None:  # it has chosen lambda for all
                    self.request = replace(self.request, lam=first.lam)
                self.prepared = prepare(self.request, self.data, self, self.asked)
                zeros = np.zeros(self.network.size) if self.zero else None
                self._started = first_five(self.prepared, self, self.asked, zeros)
            self._enter(TRAINING)
            self._began = time.thread_time() - (self.seconds[-1] if self.seconds else 0.0)
            keeper = self._keeper if self.can_go_on else None
            outcome = minimised(self.prepared, self._started, self, self.asked, keeper)
            thetas = [*self.thetas.items()]
            equal = [i for i, theta in thetas if np.array_equal(theta, outcome.result.theta)]
            self.taken, self.outcome = max(equal, default=None), outcome
        except (ValueError, MemoryError, Stopped) as error:
            self.trouble = error
            return
        except Exception as error:
            self.trouble = error
            raise
        finally:
            self._enter(OVER)
            self._runs.over(self)
        self._report(outcome)

    def _enter(self, state: str) -> None:
        self.state = state
        self.version += 1

    def _report(self, outcome: Outcome) -> None:
        """Say why it ended and what to try; nobody who wants it to stop waits for that."""
        result, prepared = outcome.result, self.ready()
        rows = min(LOOKED_AT, max(1, PRODUCTS // self.network.size))
        X, Y = (part[:rows] for part in prepared.trained_on)
        by_rate = is_rule(find(prepared.plan.arguments["optimizer"]))
        report = stop_report(
            self.network, result.theta, X, self.network.check_targets(Y, len(Y)),
            why=result.stopped, lam=outcome.lam, converged=result.converged,
            settings=SETTINGS[0 if by_rate else 1 : 2],
        )  # fmt: skip
        prepared.forget()
        if self.outcome is outcome:  # else it has gone on meanwhile
            self.report = report
            self.version += 1
        beside = comparisons(outcome)
        scores = {**outcome.evaluations, **beside} if beside else {}
        told = advice(outcome, beside)
        if self.outcome is outcome:
            self.scores = {name: shown(score) for name, score in scores.items()}
            self.advice = told
            self.version += 1


class Runs:
    """The runs that are kept; one of them is at work at a time.

    Attributes
    ----------
    kept : dict of int to Run
        The last `KEPT`, by their ids.
    at_work : Run or None
    said : str
        What was dropped last.
    version : int
        Grows with each run that comes.
    """

    def __init__(self) -> None:
        self.kept: dict[int, Run] = {}
        self.at_work: Run | None = None
        self.said = ""
        self.version = 0
        self._changed = threading.Condition(threading.RLock())
        self._numbers = count(1)

    def run(self, id: int) -> Run:
        """Return a run that is kept."""
        if id not in self.kept:
            raise ValueError(f"run {id} is not there: the last {KEPT} are kept")
        return self.kept[id]

    def start(self, asked: Problem, requests: Sequence[Request]) -> list[Run]:
        """Train as asked, one after another, from the same start; other runs pause."""
        ids = [next(self._numbers) for _ in requests]
        runs = [Run(self, id, asked, each, ids[0]) for id, each in zip(ids, requests, strict=True)]
        with self._changed:
            self._pause_all()
            self.kept |= {run.id: run for run in runs}
            for old in [*self.kept.values()][:-KEPT]:
                del self.kept[old.id]
                self.stop([old])
                self.said = f"{old} was dropped: the last {KEPT} are kept"
            self.version += 1
        for run in runs:
            run.start()
        return runs

    def pause(self, runs: Sequence[Run]) -> None:
        """Let runs wait where they are."""
        with self._changed:
            for run in runs:
                run.going = False

    def resume(self, runs: Sequence[Run], iterations: float = math.inf) -> None:
        """Let runs go on, for some iterations; other runs pause."""
        with self._changed:
            self._pause_all()
            for run in runs:
                run.going, run.until = True, len(run) - 1 + iterations
            self._changed.notify_all()

    def stop(self, runs: Sequence[Run]) -> None:
        """End runs with the best theta so far."""
        with self._changed:
            for run in runs:
                run.ending = True
            self._changed.notify_all()

    def more(self, run: Run, iterations: int) -> None:
        """Let a run that has ended go on; other runs pause."""
        with self._changed:
            self._pause_all()
            run.more(iterations)

    def end(self) -> list[Run]:
        """End all runs; return those of which the reader has no copy."""
        runs = [*self.kept.values()]
        self.stop(runs)
        for run in runs:
            if run.thread.ident is not None:
                run.thread.join(LAST_SECONDS)
        return [run for run in runs if len(run) and not run.saved]

    def wait_for_turn(self, run: Run) -> None:
        """Return when a run may compute: nobody else does, and it is not to pause."""
        with self._changed:
            state = run.state
            while not run.ending:
                if run.going and self.at_work in (None, run) and self._first() is run:
                    self.at_work = run
                    break
                self._let_go(run)
                run._enter(WAITING if run.going else PAUSED)
                self._changed.wait()
            if run.state != state:
                run._enter(state)

    def over(self, run: Run) -> None:
        """Let another run compute: one has ended."""
        with self._changed:
            self._let_go(run)
            self._changed.notify_all()

    def _let_go(self, run: Run) -> None:
        if self.at_work is run:
            self.at_work = None
            self._changed.notify_all()

    def keep(self, run: Run, iteration: int, theta: Array) -> None:
        """Keep a theta; where all need too much memory, every second of the largest run goes."""
        with self._changed:
            last = next(reversed(run.thetas), 0)
            if last % run.stride:
                del run.thetas[last]
            run.thetas[iteration] = theta
            while self._bytes() > MOST_BYTES:
                many = [each for each in self.kept.values() if len(each.thetas) > 1]
                if not many:
                    break
                largest = max(many, key=_bytes)
                largest.stride *= 2
                last = next(reversed(largest.thetas))
                largest.thetas = {
                    i: theta
                    for i, theta in largest.thetas.items()
                    if i % largest.stride == 0 or i == last
                }

    def _bytes(self) -> int:
        return sum(map(_bytes, self.kept.values()))

    def _first(self) -> Run | None:
        """Return the run whose turn is next."""
        waiting = (run for run in self.kept.values() if run.going and run.state != OVER)
        return next(waiting, None)

    def _pause_all(self) -> None:
        self.pause([run for run in self.kept.values() if run.state != OVER])


def _bytes(run: Run) -> int:
    return sum(theta.nbytes for theta in run.thetas.values())

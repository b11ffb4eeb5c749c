"""Training in minibatches: epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from chainrule.common.types import Array, Rule, Stopped
from chainrule.engine.examples import Buffer
from chainrule.engine.lanes import Lanes
from chainrule.engine.rows import Rows
from chainrule.kernel import asking
from chainrule.notes.minibatch import Minibatches
from chainrule.optimize.iterate import Steps
from chainrule.optimize.loop import Run, cut_short, far_above, save_in
from chainrule.optimize.result import OF_LOWEST, ROSE, Ending, Result, State, Step
from chainrule.training.objective import TrainingObjective

# An engine call is kept this small so that Ctrl-C and max_time take effect soon.  Its size depends
# on shapes, not on the clock: sums must come out the same each time.
MOST_PRODUCTS = 1e10  # rows times weights
MOST_BATCHES = 500
Distort = Callable[[Array, np.random.Generator], Array]
"""``distort(X, rng)``: what an epoch sees in place of X, an array of the same shape."""
DIVERGED = (
    "diverged: J is not finite in epoch {}; this is the best theta before: a smaller learning_rate "
    "(now {:g}) or standardised inputs may help"
)
SMALLER = ": a smaller learning_rate or standardised inputs may help"


def steps(
    objective: TrainingObjective,
    start: State,
    how: Minibatches,
    rule: Rule,
    *,
    learning_rate: float | Callable[[int], float] | None = None,
    distort: Distort | None = None,
    shuffle: bool = True,
    every: int | None = None,
    due: Callable[[], bool] | None = None,
    lanes: Lanes | None = None,
) -> Steps:
    """Go through the rows epoch after epoch, a step of the rule for each batch.

    The J of an epoch is the mean over its batches, each at the theta that it met.  The order of
    epoch number n depends on the seed and n alone: a training that goes on from its state ends
    where an uninterrupted one does.

    Parameters
    ----------
    objective : TrainingObjective
    start : State
        Not changed.
    how : Minibatches
    rule : Rule
    learning_rate, distort, shuffle, every
        As in `train`.
    due : callable, optional
        ``due() -> bool``, asked after each call of the engine: whether a step within the epoch is
        wanted now.
    lanes : Lanes, optional
        Who goes through the rows, side by side.
    """
    if lanes is not None:
        return (
            yield from steps_in_lanes(objective, start, how, rule, lanes, learning_rate, shuffle)
        )
    network, ask = objective.network, objective.ask
    now, theta, slots = start, start.theta.copy(), start.slots.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        J = objective.J(theta)
    yield Step(now.epoch, J, np.nan, now.theta, now.steps, state=now)
    while True:
        number = now.epoch
        of_epoch = at_rate(rule, learning_rate, number)
        done, batch, cost_sum, weight = now.steps, now.batch, now.cost_sum, now.weight
        buffers = objective.rows.buffers(how.seed, number, how.batch_size, shuffle, batch)
        if distort is not None:
            buffers = distorted(buffers, distort, how.seed, number)
        try:
            for piece in pieces(buffers, batch, how.batch_size, network.size, every):
                ask()
                with np.errstate(over="ignore", invalid="ignore"):  # a divergence is told in words
                    sums = piece.rows.epoch(
                        network, theta, piece.order, how, rule=of_epoch, state=slots, steps=done,
                        number=number, since=now.steps - now.batch + piece.since, names=piece.names,
                    )  # fmt: skip
                batches = -(-len(piece.order) // how.batch_size)
                done, batch = done + batches, batch + batches
                cost_sum, weight = cost_sum + sums[0], weight + sums[1]
                if not (np.isfinite(cost_sum) and np.isfinite(theta).all()):
                    rate = getattr(of_epoch, "learning_rate", np.nan)
                    return Ending(DIVERGED.format(number + 1, rate), cut=True)
                J = cost_sum / (weight or 1.0) + objective.penalty(theta)
                wanted = (due is not None and due()) or (every is not None and batch % every == 0)
                if wanted and batch * how.batch_size < len(objective.rows):
                    here = State(theta.copy(), slots.copy(), number, done, batch, cost_sum, weight)
                    yield Step(number, J, np.nan, here.theta, done, state=here, batch=batch)
        except (Stopped, KeyboardInterrupt) as cut:
            return replace(cut_short(cut), step=Step(number, J, np.nan, theta, done, state=now))
        now = State(theta.copy(), slots.copy(), number + 1, done)
        yield Step(now.epoch, J, np.nan, now.theta, done, state=now)


def steps_in_lanes(
    objective: TrainingObjective,
    start: State,
    how: Minibatches,
    rule: Rule,
    lanes: Lanes,
    learning_rate: float | Callable[[int], float] | None = None,
    shuffle: bool = True,
) -> Steps:
    """Go through the rows epoch after epoch in lanes, see `chainrule.engine.lanes`."""
    now = start
    with np.errstate(over="ignore", invalid="ignore"):
        J = objective.J(now.theta)
    yield Step(now.epoch, J, np.nan, now.theta, now.steps, state=now)
    while True:
        of_epoch = at_rate(rule, learning_rate, now.epoch)
        try:
            objective.ask()
            theta, slots, cost_sum, w = lanes.epoch(
                objective.network, now.theta, now.slots, how, rule=of_epoch, number=now.epoch,
                steps=now.steps, shuffle=shuffle,
            )  # fmt: skip
        except (Stopped, KeyboardInterrupt) as cut:
            return replace(cut_short(cut), step=Step(now.epoch, J, np.nan, now.theta, now.steps))
        if not (np.isfinite(cost_sum) and np.isfinite(theta).all()):
            rate = getattr(of_epoch, "learning_rate", np.nan)
            return Ending(DIVERGED.format(now.epoch + 1, rate), cut=True)
        now = State(theta, slots, now.epoch + 1, now.steps + lanes.steps(how.batch_size))
        J = cost_sum / w + objective.penalty(theta)
        yield Step(now.epoch, J, np.nan, theta, now.steps, state=now)


class Piece(NamedTuple):
    """What one call of the engine learns from.

    Attributes
    ----------
    rows : Rows
    names : ndarray of int or None
        The rows' numbers in the table, where they are not 0, 1, 2, ...
    order : ndarray of int
        The rows in the order of visit.
    since : int
        The batch at which the call would begin if nobody watched.  The kernel counts from there, so
        that watching changes no bit.
    """

    rows: Rows
    names: Array | None
    order: Array
    since: int


def pieces(
    buffers: Iterator[Buffer], batch: int, batch_size: int, size: int, every: int | None
) -> Iterator[Piece]:
    """Cut the rest of an epoch, from a batch on, into one piece per call of the engine.

    Examples
    --------
    >>> rows = Rows(np.zeros((7, 1)), np.zeros((7, 1)))
    >>> cut = pieces(rows.buffers(0, 0, 2, False), 1, 2, size=10, every=2)
    >>> [(piece.since, piece.order.tolist()) for piece in cut]
    [(0, [2, 3]), (0, [4, 5, 6])]
    """
    most = min(max(int(MOST_PRODUCTS / (batch_size * size)), 1), MOST_BATCHES)
    for rows, order, names, first in buffers:
        end = first - (-len(order) // batch_size)
        while batch < end:
            take = most - batch % most
            if every is not None:
                take = min(take, every - batch % every)
            since, begin = batch - batch % most, (batch - first) * batch_size
            yield Piece(rows, names, order[begin : begin + take * batch_size], since)
            batch = min(batch + take, end)


def distorted(
    buffers: Iterator[Buffer], distort: Distort, seed: int, number: int
) -> Iterator[Buffer]:
    """Yield the buffers with other examples in place of theirs."""
    for buffer in buffers:
        key = (seed, number, 1, buffer.batch) if buffer.batch else (seed, number, 1)
        X = distort(buffer.rows.X, np.random.default_rng(key))
        yield buffer._replace(rows=replace(buffer.rows, X=X))


def at_rate(rule: Rule, learning_rate: float | Callable[[int], float] | None, number: int) -> Rule:
    """Return the rule with the learning rate of an epoch, counted from 0."""
    if learning_rate is None:
        rate = getattr(rule, "learning_rate", None)
        if rate is None:
            return rule
    else:
        rate = learning_rate(number) if callable(learning_rate) else learning_rate
    if not 0 < rate < np.inf:
        raise ValueError(f"learning_rate must be a number > 0, got {rate!r} for epoch {number}")
    if learning_rate is None:
        return rule
    adjustable: Any = rule
    if not is_dataclass(rule) or "learning_rate" not in {field.name for field in fields(rule)}:
        raise ValueError(
            f"learning_rate cannot be set in {rule!r}: make it a dataclass with a field "
            "learning_rate, or leave learning_rate out"
        )
    return replace(adjustable, learning_rate=float(rate))


def first_state(rule: Rule, theta: Array, state: State | None) -> State:
    """Return what a training begins with: the given state, or theta and a fresh memory."""
    fresh = rule.init(theta)
    if state is None:
        return State(theta, fresh)
    if state.slots.shape != fresh.shape or state.slots.dtype != theta.dtype:
        raise ValueError(
            f"state has slots of shape {state.slots.shape} and {state.slots.dtype}, from another "
            f"optimizer, network or dtype; {rule} needs {fresh.shape} and {theta.dtype}"
        )
    return state


def with_J_of_all(objective: TrainingObjective, run: Run, result: Result) -> Result:
    """Put the J over all the rows in place of the mean over an epoch, unless somebody waits.

    Where it is above that of the start, the start is the best theta.
    """
    waits = run.ended is None or run.ended.at_once
    if not waits:
        # Nobody is asked: the time that is over has ended the training already
        with asking(lambda: None), suppress(KeyboardInterrupt):
            try:
                result.J = objective.J(result.theta)
            except Exception as error:
                save_in(error, result)
                raise
    if run.J_val is not None or not run.history.J:
        return result
    first = run.history.J[0]
    far = far_above(result.J, first)
    if far or (not waits and first < result.J):
        why = result.stopped
        if far and not why.startswith("diverged"):
            why = ROSE.format(first, result.J, "the start") + SMALLER
        elif not far:
            why = OF_LOWEST.format(why.partition("; this is the theta")[0], "the start", "J")
        converged = result.converged and not far
        return replace(result, theta=run.start, J=first, stopped=why, converged=converged)
    return result

"""How scikit-learn's solvers go on: the steps that the one loop follows.

The order of the rows comes from a `RandomState`.  A batch divides its penalty by its own rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from chainrule.common.checks import warn_user
from chainrule.common.shown import summary
from chainrule.common.types import Array, Lambda, Objective
from chainrule.engine.examples import Buffer
from chainrule.engine.rows import Rows
from chainrule.estimators.progress import Memory, Progress
from chainrule.estimators.stopping import (
    UNUSABLE,
    Fit,
    FullBatchStopping,
    MinibatchStopping,
    Parameters,
)
from chainrule.estimators.unit import Unit
from chainrule.notes.backprop import finish, is_sparse
from chainrule.notes.minibatch import Minibatches
from chainrule.notes.regularisation import divided, parts, penalty
from chainrule.notes.second_order import check_residuals
from chainrule.optimize import OPTIMIZERS, SGD, Adam, Algorithm, State, Step, lbfgs
from chainrule.optimize.iterate import Steps
from chainrule.optimize.loop import Run, Tolerances, still_finite
from chainrule.optimize.result import NOT_FINITE, Ending
from chainrule.training.checkpoint import Checkpoint, Made, arrays_of, fingerprint
from chainrule.training.objective import TrainingObjective
from chainrule.training.steps import lowest

STOCHASTIC = ("sgd", "adam", "adamw", "rmsprop")
LEAST_SQUARES = ("lm", "br")  # solvers that need residuals
MEMORY = 10  # steps that SciPy's, and so scikit-learn's, L-BFGS remembers
CHANGES_NO_BIT = ("callback", "verbose", "max_iter", "max_fun")  # up to where they end a fit
CUT = "stopped: interrupted by Ctrl-C"


def best_of(
    fit: Fit, starts: Iterable[Progress], rng: np.random.RandomState
) -> tuple[Progress, Ending, list[Progress]]:
    """Train from each start and return the best, why it ended, and the others.

    Ctrl-C ends them all.  The training that it cuts short may be the best, but is no other.
    """
    runs: list[tuple[Progress, Ending]] = []
    interrupted = False
    try:
        for number, progress in enumerate(starts):
            runs.append((progress, train_once(fit, progress, rng, fit.keeper(number))))
            if runs[-1][1].at_once:
                break
    except KeyboardInterrupt:  # between two trainings
        if not runs:
            raise
        interrupted = True
    (best, why), _ = lowest(runs, lambda run: run[0].badness())
    others = [progress for progress, end in runs if progress is not best and not end.cut]
    return best, replace(why, at_once=interrupted or runs[-1][1].at_once), others


@dataclass(frozen=True)
class Epochs(State):
    """Where scikit-learn's epochs stand: the order of the rows and of those to come, the rate."""

    order: Any = None
    random: tuple[Any, ...] = ()  # the random state
    seed: int = 0  # of dropout
    learning_rate: float = 0.0

    __repr__ = summary


def train_once(
    fit: Fit, progress: Progress, rng: np.random.RandomState, keeper: Checkpoint | None
) -> Ending:
    """Train once, from the theta of progress or from where its checkpoint was written.

    Raises
    ------
    ValueError
        If the loss is not finite from the start, or the solver needs residuals and the loss has
        none or X is sparse.
    """
    p = fit.parameters
    fit.publish(progress)
    run = Run(progress.theta, J_val=fit.validation_loss, keeper=keeper)
    by_epochs = p.solver in STOCHASTIC
    if by_epochs:
        run.rules = [MinibatchStopping(fit, progress)]
    else:
        run.rules = [FullBatchStopping(fit, progress), still_finite, Tolerances(p.max_iter)]
    start: Any = None
    if keeper is not None:
        state = cast(tuple[Any, ...], rng.get_state())
        random = fingerprint(progress.theta, state[1], np.array(state[2:]))[:8]
        keeper.open(run, lambda: made_of(fit, random))
        start = keeper.state
    if run.last is not None:
        progress.theta[:] = run.last.theta
    if isinstance(start, Epochs):
        progress.memory = Memory(start.slots.copy(), start.learning_rate, start.steps)
        rng.set_state(start.random)
    if by_epochs:
        steps = epochs(fit, progress, rng, start, kept=keeper is not None)
    else:
        steps = over_all_rows(fit, progress.theta.copy() if start is None else start)
    with np.errstate(all="ignore"):  # a divergence is told in words
        run.follow(steps)
    ended = cast(Ending, run.ended)
    if ended.why == NOT_FINITE:
        raise ValueError(UNUSABLE)
    if ended.converged or not fit.going_on:  # `partial_fit` goes on from where it is
        progress.restore_best()
    return replace(ended, why=CUT) if ended.at_once else ended


def made_of(fit: Fit, random: str) -> Made:
    """Return what a fit is made of; random tells its theta and its random state."""
    p, rows = fit.parameters, fit.rows
    asked = {f.name: getattr(p, f.name) for f in fields(p) if f.name not in CHANGES_NO_BIT}
    by = rows.computed_by(fit.network)
    return Made.of(fit.network, arrays_of(rows, fit.watched), asked | {"random state": random}, by)


def epochs(
    fit: Fit,
    progress: Progress,
    rng: np.random.RandomState,
    begun: Epochs | None = None,
    *,
    kept: bool = False,
) -> Steps:
    """Go through the rows epoch after epoch, as scikit-learn does; theta is that of progress.

    Each batch has its penalty at the theta that it starts from: the mean over the epoch is taken as
    if the penalty went from its value before the epoch to that after it in equal steps.

    Parameters
    ----------
    fit : Fit
    progress : Progress
    rng : RandomState
    begun : Epochs, optional
        Where a checkpoint was written; progress and rng stand there already.
    kept : bool, default=False
        Whether each step has a state to go on from.
    """
    p, network, rows, theta, m = fit.parameters, fit.network, fit.rows, progress.theta, fit.rows.m
    rule = rule_of(p)
    if begun is None and (not fit.going_on or progress.memory is None):
        progress.memory = Memory(rule.init(theta), float(p.learning_rate_init))
    memory = cast(Memory, progress.memory)
    dropout = p.dropout or None
    seed = 0 if begun is None else begun.seed
    in_memory = isinstance(rows, Rows)
    if begun is None and not (dropout is None and in_memory):  # drawn only where it is used
        seed = int(rng.randint(2**31))
    size = clipped_batch_size(p.batch_size, len(rows))
    squares, absolutes = parts(p.lam)
    how = Minibatches(size, squares, by_batch=True, dropout=dropout, seed=seed, absolutes=absolutes)
    batches = -(-len(rows) // size)
    order = np.arange(len(rows) if in_memory else 0) if begun is None else begun.order
    finite, slots = theta.copy(), memory.slots.copy()
    end = penalty(network, theta, fit.lam)
    number = 0
    if begun is not None:
        number = begun.epoch
        yield Step(number, np.nan, np.nan, theta, memory.steps, state=begun)
    while True:
        if (
            p.shuffle and in_memory
        ):  # as sklearn.utils.shuffle does, which takes half as long again to check
            moved = np.arange(len(order))
            rng.shuffle(moved)
            order = order[moved]
        if rule.learning_rate != memory.learning_rate:
            rule = replace(rule, learning_rate=memory.learning_rate)
        if in_memory:
            buffers = iter([Buffer(rows, order, None, 0)])
        else:
            buffers = rows.buffers(seed, number, size, p.shuffle)
        cost_sum = w = 0.0
        for buffer in buffers:
            sums = buffer.rows.epoch(
                network, theta, buffer.order, how, rule=rule, state=memory.slots,
                steps=memory.steps + buffer.batch, since=memory.steps, number=number,
                names=buffer.names,
            )  # fmt: skip
            cost_sum, w = cost_sum + sums[0], w + sums[1]
        progress.t += len(rows)
        start, end = end, penalty(network, theta, fit.lam)
        J = cost_sum / (w or 1.0) + (batches * start + (batches - 1) * (end - start) / 2) / m
        if not (
            math.isfinite(cost_sum) and all(np.isfinite(v).all() for v in (theta, memory.slots))
        ):
            # What the rule remembers of these batches would spoil each step to come
            theta[:], memory.slots[:], J = finite, slots, np.nan
        else:
            memory.steps += batches
        number += 1
        state = None
        if kept:
            state = Epochs(
                theta.copy(), memory.slots.copy(), number, memory.steps, order=order, seed=seed,
                random=cast(tuple[Any, ...], rng.get_state()), learning_rate=memory.learning_rate,
            )  # fmt: skip
        yield Step(
            number, J, np.nan, theta if state is None else state.theta, memory.steps, state=state
        )
        finite[:], slots[:] = theta, memory.slots


def rule_of(p: Parameters) -> SGD | Adam:
    """Return the rule that the solver's parameters describe."""
    if p.solver == "rmsprop":  # Adam that goes down the gradient itself, not the mean of the last
        return Adam(beta1=0.0, beta2=p.beta_2, epsilon=p.epsilon)
    if p.solver in ("adam", "adamw"):
        decay = float(p.alpha) if p.solver == "adamw" else 0.0
        return Adam(beta1=p.beta_1, beta2=p.beta_2, epsilon=p.epsilon, decay=decay)
    return SGD(momentum=p.momentum, nesterov=bool(p.nesterovs_momentum))


def clipped_batch_size(batch_size: int | str, m: int) -> int:
    """Return how many rows a batch has.

    Examples
    --------
    >>> clipped_batch_size("auto", 1000), clipped_batch_size("auto", 50), clipped_batch_size(32, 50)
    (200, 50, 32)
    """
    if batch_size == "auto":
        return min(200, m)
    if int(batch_size) > m:
        warn_user(
            f"Got `batch_size` = {batch_size}, more than the {m} rows: it is going to be clipped"
        )
    return min(int(batch_size), m)


def over_all_rows(fit: Fit, start: Any) -> Steps:
    """Return the steps of a solver that sees all the rows at once, from a theta or a state."""
    network, rows, solver = fit.network, fit.rows, fit.parameters.solver

    def first_order(theta: Array) -> tuple[float, Array]:
        return finish(network, theta, *rows.accumulate(network, theta), fit.lam)

    objective: Objective = first_order
    if solver in LEAST_SQUARES:
        check_residuals(network)
    if not (isinstance(rows, Rows) and is_sparse(rows.X)):
        objective = TrainingObjective(network, rows, fit.lam)
    elif solver in LEAST_SQUARES:
        raise ValueError(f"solver={solver!r} needs a dense X: give X.toarray()")
    if solver == "br":
        unit = Unit.of(network, rows)
        inside = TrainingObjective(network, unit.inside(rows), fit.lam)
        if isinstance(start, np.ndarray) and not fit.random:
            start = unit.inward(start)
        return unit.steps(cast(Algorithm, OPTIMIZERS[solver])(inside, start))
    if solver == "lbfgs":
        # As far as scikit-learn's goes in max_iter or max_fun, and no further
        return lbfgs.steps(objective, start, memory=MEMORY, longer=0.0)
    return cast(Algorithm, OPTIMIZERS[solver])(objective, start)


def lam_of(fit: Fit, progress: Progress) -> Lambda:
    """Return lambda of the loss that a training has come to: alpha's, or what it has found."""
    if progress.alpha is None:
        return fit.lam
    return divided(Unit.of(fit.network, fit.rows).lam(progress.alpha), fit.loss.scale)


def settings_of(solver: str) -> tuple[str, ...]:
    """Return what a solver leaves to the user, as `stop_report` names it.

    Examples
    --------
    >>> [settings_of(solver) for solver in ("lbfgs", "br")]
    [('regularisation', 'scale of y'), ()]
    """
    if solver == "br":  # which finds both
        return ()
    found = ("regularisation", "scale of y")
    return ("learning rate", *found) if solver in STOCHASTIC else found


def warn_unless_converged(ended: Ending) -> None:
    """Say what ended a fit that did not converge."""
    if ended.at_once:
        warn_user("Training interrupted by user.")
    elif not (ended.converged or ended.why.startswith("stopped by")):
        warn_user(ended.why, ConvergenceWarning)

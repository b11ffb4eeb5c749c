"""How scikit-learn's solvers go from one iteration to the next, and when they stop.

Its rules are not those of `chainrule.train`: the order of the batches comes from a `RandomState`,
tolerances are absolute, the last theta is kept and not the best.  Here they are, over the same
engine and the same optimizers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from chainrule.common.types import Array, Objective
from chainrule.notes.backprop import finish
from chainrule.notes.minibatch import Minibatches
from chainrule.notes.network import Network
from chainrule.notes.regularisation import penalty
from chainrule.notes.second_order import check_residuals
from chainrule.optimize import OPTIMIZERS, SGD, Adam, Step, lbfgs, minimize
from chainrule.optimize.result import INTERRUPTED, NOT_FINITE
from chainrule.training.objective import TrainingObjective

if TYPE_CHECKING:
    from chainrule.engine.rows import Rows
    from chainrule.estimators.base import BaseMLP

LEAST_SQUARES = ("lm", "br")  # solvers that need residuals
SMALLEST_RATE = 1e-6  # of learning_rate="adaptive"
ADAPT = 5.0  # what it is divided by
LEAST_GAIN = 1e7 * np.finfo(float).eps  # SciPy's, which scikit-learn's L-BFGS ends by
MEMORY = 10  # steps that SciPy's, and so scikit-learn's, L-BFGS remembers
MAX_ITER = "stopped at max_iter = {}, before convergence: a larger max_iter may lower the loss"
MAX_FUN = "stopped at max_fun = {} evaluations, before convergence: a larger max_fun may help"
NO_PROGRESS = "{}: the {} has not improved by more than tol = {:g} for {} iterations"
NO_GAIN = "converged: an iteration has lowered the loss by less than {:.2g}"
FLAT = "converged: the gradient is flat (max |D_i| <= tol = {:g})"
DIVERGED = (
    "diverged: the loss is not finite in iteration {}; kept is the last finite theta: standardise "
    "the inputs or choose a smaller learning_rate_init"
)
UNUSABLE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


@dataclass
class Memory:
    """What `partial_fit` goes on from: the rule's memory, the steps done, the learning rate."""

    slots: Array
    learning_rate: float
    steps: int = 0


@dataclass
class Ended:
    """Why a fit ended."""

    why: str
    converged: bool = False
    gradient_norm: float = np.nan


class Progress:
    """What a fit writes down after each iteration, and the rules by which it ends.

    Parameters
    ----------
    estimator : BaseMLP
        Gets the curves and counts as its attributes.
    network : Network
    theta : ndarray of shape (size,)
        The one that is being trained.
    validation : Rows or None
    score : callable or None
        ``score() -> float`` on the validation rows; early stopping goes by it.
    constant : tuple of (float, float)
        What to add to the loss on the training and the validation rows.
    notify : callable or None
        ``notify() -> bool``: tells scikit-learn's callbacks; true ends the fit.
    """

    def __init__(
        self,
        estimator: BaseMLP,
        network: Network,
        theta: Array,
        *,
        validation: Rows | None,
        score: Callable[[], float] | None,
        constant: tuple[float, float],
        notify: Callable[[], bool] | None,
    ) -> None:
        self.estimator, self.network, self.theta = estimator, network, theta
        self.validation, self.score, self.notify = validation, score, notify
        self.constant = constant

    def after(self, data_loss: float, regularisation: float, step: Step) -> Ended | None:
        """Take down an iteration; what ends the fit, if anything does."""
        est = self.estimator
        est.n_iter_ += 1
        est.loss_ = data_loss + self.constant[0] + regularisation
        est.loss_curve_.append(est.loss_)
        if est.verbose:
            print(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")
        J_val = None
        if self.validation is not None:
            J_val = est._loss_scale(self.network) * self.validation.cost(self.network, self.theta)
            J_val += self.constant[1]
            est.validation_loss_curve_.append(J_val)
        if self.score is not None:
            self._take_score(self.score() if np.isfinite(est.loss_) else np.nan)
        else:
            est._no_improvement_count = (
                est._no_improvement_count + 1 if est.loss_ > est.best_loss_ - est.tol else 0
            )
            est.best_loss_ = min(est.best_loss_, est.loss_)
        if self.notify is not None and self.notify():
            return Ended("stopped by a callback")
        shown = replace(step, iteration=est.n_iter_, J=est.loss_, J_val=J_val)
        if est.callback is not None and est.callback(shown):
            return Ended("stopped by the callback")
        return None

    def _take_score(self, score: float) -> None:
        est = self.estimator
        est.validation_scores_.append(score)
        if est.verbose:
            print(f"Validation score: {score:f}")
        count = est._no_improvement_count
        est._no_improvement_count = count + 1 if score < est.best_validation_score_ + est.tol else 0
        if score > est.best_validation_score_:
            est.best_validation_score_ = score
            est._best_theta = self.theta.copy()

    def stalled(self) -> Ended | None:
        """Return why to stop when n_iter_no_change iterations have brought too little."""
        est = self.estimator
        if est._no_improvement_count <= est.n_iter_no_change:
            return None
        by_score = self.score is not None
        what = "validation score" if by_score else "loss"
        verdict = "stopped early" if by_score else "converged"
        return Ended(
            NO_PROGRESS.format(verdict, what, est.tol, est.n_iter_no_change), converged=True
        )

    def restore_best(self) -> None:
        """Go back to the theta of the best validation score, where early stopping asked for it."""
        if self.score is not None and self.estimator._best_theta is not None:
            self.theta[:] = self.estimator._best_theta


@np.errstate(all="ignore")  # a divergence is told in words
def run_minibatches(
    progress: Progress, rows: Rows, rng: np.random.RandomState, *, epochs: int, going_on: bool
) -> Ended:
    """Train by SGD or Adam as scikit-learn does.

    Parameters
    ----------
    progress : Progress
    rows : Rows
    rng : RandomState
        Of the order of the rows: each epoch's is that of the one before, shuffled.
    epochs : int
        At most.
    going_on : bool
        Whether the rule's memory is that of the last `partial_fit`.

    Returns
    -------
    Ended
    """
    est, network, theta = progress.estimator, progress.network, progress.theta
    rule = rule_of(est)
    if not going_on or getattr(est, "_optimizer", None) is None:
        est._optimizer = Memory(rule.init(theta), float(est.learning_rate_init))
    memory = est._optimizer
    batch_size = clipped_batch_size(est.batch_size, len(rows))
    scale, m = est._loss_scale(network), rows.m
    dropout = est.dropout or None
    seed = 0 if dropout is None else int(rng.randint(2**31))  # drawn only where it is used
    how = Minibatches(batch_size, float(est.alpha), by_batch=True, dropout=dropout, seed=seed)
    order = np.arange(len(rows))
    before, end = theta.copy(), penalty(network, theta, est.alpha)
    for number in range(epochs):
        if est.shuffle:  # as sklearn.utils.shuffle does, which takes half as long again to check
            moved = np.arange(len(order))
            rng.shuffle(moved)
            order = order[moved]
        try:
            cost_sum, w = rows.epoch(
                network, theta, order, how, rule=replace(rule, learning_rate=memory.learning_rate),
                state=memory.slots, steps=memory.steps, number=number,
            )  # fmt: skip
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
            return Ended("stopped: interrupted by Ctrl-C")
        batches = -(-len(rows) // batch_size)
        memory.steps += batches
        est.t_ += len(rows)
        finite = np.isfinite(cost_sum) and np.isfinite(theta).all()
        if not finite:
            theta[:] = before
            cost_sum = np.nan
        # Each batch has its penalty at the theta that it starts from: summed up here as if it went
        # from its value before the epoch to that after it in equal steps
        start, end = end, penalty(network, theta, est.alpha)
        weight_cost = batches * start + (batches - 1) * (end - start) / 2
        step = Step(0, 0.0, np.nan, theta, memory.steps)
        ended = progress.after(scale * cost_sum / (w or 1.0), weight_cost / m, step)
        if not finite:
            if number == 0 and not np.isfinite(rows.cost(network, theta)):
                raise ValueError(UNUSABLE)
            return Ended(DIVERGED.format(est.n_iter_))
        if ended:
            return ended
        before[:] = theta
        if est.solver == "sgd" and est.learning_rate == "invscaling":
            memory.learning_rate = est.learning_rate_init / (est.t_ + 1) ** est.power_t
        ended = progress.stalled()
        if ended and not slowed_down(est, memory):
            return ended
    return Ended(MAX_ITER.format(est.max_iter))


def rule_of(est: BaseMLP) -> SGD | Adam:
    """Return the rule that the solver's parameters describe."""
    if est.solver == "adam":
        return Adam(beta1=est.beta_1, beta2=est.beta_2, epsilon=est.epsilon)
    return SGD(momentum=est.momentum, nesterov=bool(est.nesterovs_momentum))


def slowed_down(est: BaseMLP, memory: Memory) -> bool:
    """Divide an adaptive learning rate, if it is not too small already, and go on."""
    if est.solver != "sgd" or est.learning_rate != "adaptive":
        return False
    if memory.learning_rate <= SMALLEST_RATE:
        return False
    memory.learning_rate /= ADAPT
    if est.verbose:
        print(f"Learning rate is now {memory.learning_rate:g}")
    est._no_improvement_count = 0
    return True


def clipped_batch_size(batch_size: int | str, m: int) -> int:
    """Return how many rows a batch has."""
    if batch_size == "auto":
        return min(200, m)
    if int(batch_size) > m:
        warnings.warn(
            f"Got `batch_size` = {batch_size}, more than the {m} rows: it is going to be clipped",
            stacklevel=5,
        )
    return min(int(batch_size), m)


@np.errstate(all="ignore")
def run_full_batch(progress: Progress, rows: Rows) -> Ended:
    """Train over all the rows at once, with the tolerances of scikit-learn's L-BFGS.

    Parameters
    ----------
    progress : Progress
    rows : Rows

    Returns
    -------
    Ended

    Raises
    ------
    ValueError
        If the solver needs residuals, and the loss has none or X is sparse.
    """
    est, network, theta = progress.estimator, progress.network, progress.theta
    scale = est._loss_scale(network)
    lam = float(est.alpha) / scale  # the loss is scale times the notes' J, its penalty is alpha's
    ended: Ended | None = None
    before = np.inf  # the loss of the last iteration
    m = rows.m

    def first_order(theta: Array) -> tuple[float, Array]:
        return finish(network, theta, *rows.accumulate(network, theta), lam)

    objective: Objective = first_order
    if est.solver in LEAST_SQUARES:
        check_residuals(network)
    if isinstance(rows.X, np.ndarray):
        objective = TrainingObjective(network, rows, lam)
    elif est.solver in LEAST_SQUARES:
        raise ValueError(f"solver={est.solver!r} needs a dense X: give X.toarray()")

    def after(step: Step) -> bool:
        nonlocal ended, before
        if not step.iteration:
            return False
        theta[:] = step.theta
        if est.solver == "br":
            est.alpha_ = scale * step.extra["lam"]
        regularisation = scale * penalty(network, theta, step.extra.get("lam", lam)) / m
        ended = progress.after(
            scale * step.J - regularisation,
            regularisation,
            replace(step, gradient_norm=scale * step.gradient_norm),
        )
        if ended is None and progress.score is not None:
            ended = progress.stalled()
        if ended is None and step.n_eval >= est.max_fun:  # before flatness, as SciPy asks
            ended = Ended(MAX_FUN.format(est.max_fun))
        if ended is None and scale * np.abs(step.state.D).max() <= est.tol:
            ended = Ended(FLAT.format(est.tol), converged=True)
        least = LEAST_GAIN * max(abs(before), abs(est.loss_), 1.0)
        # Bayesian regularisation minimises another loss in each iteration
        if ended is None and est.solver != "br" and before - est.loss_ <= least < np.inf:
            ended = Ended(NO_GAIN.format(least), converged=True)
        before = est.loss_
        if ended is not None:
            ended.gradient_norm = scale * step.gradient_norm
        return ended is not None

    if est.solver == "br":
        est.alpha_ = float(est.alpha)  # where it starts from
    steps: Any = OPTIMIZERS[est.solver]
    if est.solver == "lbfgs":
        # As far as scikit-learn's goes in max_iter or max_fun, and no further
        steps = partial(lbfgs.steps, memory=MEMORY, longer=0.0)
    found = minimize(objective, theta.copy(), steps, max_iter=est.max_iter, callback=after)
    if found.stopped == INTERRUPTED:
        warnings.warn("Training interrupted by user.", stacklevel=4)
        return Ended("stopped: interrupted by Ctrl-C")
    if found.stopped == NOT_FINITE:
        raise ValueError(UNUSABLE)
    if est.solver == "br":
        est.alpha_ = scale * found.state.lam
    if not found.n_iter:
        est.loss_ = scale * found.J + progress.constant[0]
    if ended is not None:
        return ended
    why = found.stopped if found.n_iter < est.max_iter else MAX_ITER.format(est.max_iter)
    return Ended(why, found.converged, scale * found.history.gradient_norm[-1])


def warn_unless_converged(ended: Ended) -> None:
    """Say what ended a fit that did not converge."""
    if not ended.converged and not ended.why.startswith(("stopped by", "stopped: interrupted")):
        warnings.warn(ended.why, ConvergenceWarning, stacklevel=5)

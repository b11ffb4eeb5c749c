"""scikit-learn's rules: what it writes down after each iteration, and when its solvers stop.

They are not those of `chainrule.train`: tolerances are absolute, and the last theta is kept and not
the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, ElasticNet, Lambda
from chainrule.engine.examples import Examples
from chainrule.estimators.progress import Memory, Progress
from chainrule.notes.network import Network
from chainrule.notes.regularisation import divided
from chainrule.optimize import Step
from chainrule.optimize.result import BY_CALLBACK, Ending
from chainrule.training.checkpoint import Checkpoint

SMALLEST_RATE = 1e-6  # of learning_rate="adaptive"
ADAPT = 5.0  # what it is divided by
LEAST_GAIN = 1e7 * np.finfo(float).eps  # SciPy's, which scikit-learn's L-BFGS ends by
MAX_ITER = "stopped at max_iter = {}, before convergence: a larger max_iter may lower the loss"
MAX_FUN = "stopped at max_fun = {} evaluations, before convergence: a larger max_fun may help"
NO_PROGRESS = "{}: the {} has not improved by more than tol = {:g} for {} iterations"
NO_GAIN = "converged: an iteration has lowered the loss by less than {:.2g}"
FLAT = "converged: the gradient is flat (max |D_i| <= tol = {:g})"
DIVERGED = "diverged: the loss is not finite in iteration {}; kept is the best finite theta: {}"
UNUSABLE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


@dataclass(frozen=True)
class Parameters:
    """The parameters of an estimator that its fit goes by, under scikit-learn's names."""

    solver: str
    alpha: float
    batch_size: int | str
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    tol: float
    verbose: bool
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    dropout: float | Sequence[float]
    callback: Callable[[Step], Any] | None
    l1_ratio: float

    @property
    def lam(self) -> Lambda:
        """Lambda of a loss whose scale is 1: alpha, in its two parts where l1_ratio asks for them.

        AdamW's alpha is no part of the loss: see `fitting.rule_of`.
        """
        alpha = 0.0 if self.solver == "adamw" else float(self.alpha)
        if not self.l1_ratio:
            return alpha
        return ElasticNet(alpha * (1 - self.l1_ratio), alpha * self.l1_ratio)


@dataclass(frozen=True)
class Loss:
    """scikit-learn's loss on some rows: scale J + constant, J the notes'."""

    scale: float
    constant: float = 0.0

    def __call__(self, J: float) -> float:
        """Return the loss for a J."""
        return self.scale * J + self.constant


@dataclass(frozen=True)
class Fit:
    """What is fitted, by which parameters, and who is told.

    Attributes
    ----------
    parameters : Parameters
    network : Network
    rows : Examples
    loss : Loss
    publish : callable
        ``publish(progress)`` makes it the estimator's attributes.
    validation_loss : callable or None
        ``validation_loss(theta) -> float``.
    score : callable or None
        ``score() -> float`` on the validation rows, of what is published.
    notify : callable or None
        ``notify() -> bool``: tells scikit-learn's callbacks; true ends the fit.
    going_on : bool
        Whether the rule's memory is that of the last `partial_fit`.
    random : bool
        Whether the weights to begin with are random.
    watched : Examples or None
        The validation rows.
    keeper : callable
        ``keeper(number) -> Checkpoint or None``: what keeps each of several trainings.
    """

    parameters: Parameters
    network: Network
    rows: Examples
    loss: Loss
    publish: Callable[[Progress], None]
    validation_loss: Callable[[Array], float] | None = None
    score: Callable[[], float] | None = None
    notify: Callable[[], bool] | None = None
    going_on: bool = False
    random: bool = False
    watched: Examples | None = None
    keeper: Callable[[int], Checkpoint | None] = lambda number: None

    __repr__ = summary

    @property
    def lam(self) -> Lambda:
        """The notes' lambda: the loss is scale times J, and its penalty is alpha's."""
        return divided(self.parameters.lam, self.loss.scale)


class StoppingRules:
    """What scikit-learn does after each iteration: write it down, tell it, and ask whether to stop.

    Parameters
    ----------
    fit : Fit
    progress : Progress
        Is changed.
    """

    remedy = "standardise the inputs"  # of a loss that diverges
    remembers = ("kept",)  # by a checkpoint

    def __init__(self, fit: Fit, progress: Progress) -> None:
        self.fit, self.progress, self.parameters = fit, progress, fit.parameters

    @property
    def kept(self) -> dict[str, Any]:
        """What a checkpoint keeps of the fit's progress."""
        return self.progress.kept()

    @kept.setter
    def kept(self, kept: dict[str, Any]) -> None:
        self.progress.restore(kept)

    def __call__(self, step: Step) -> Ending | None:
        """Return why to stop, if there is a reason."""
        progress = self.progress
        progress.theta[:] = step.theta
        progress.n_iter = step.iteration
        loss = self.fit.loss(step.J)
        if not step.iteration:  # scikit-learn begins to count after the first iteration
            progress.loss = loss
            return None
        self.write_down(loss, step)
        told = self.tell(step)
        return self.diverged(step) or told or self.ends(step)

    def write_down(self, loss: float, step: Step) -> None:
        """Let the estimator have what is known of the iteration."""
        fit, progress, p = self.fit, self.progress, self.parameters
        progress.add(loss, step.J_val, p.tol)
        fit.publish(progress)
        if p.verbose:
            print(f"Iteration {progress.n_iter}, loss = {loss:.8f}")
        if fit.score is not None:
            score = fit.score() if math.isfinite(loss) else np.nan
            progress.add_score(score, p.tol)
            fit.publish(progress)
            if p.verbose:
                print(f"Validation score: {score:f}")

    def tell(self, step: Step) -> Ending | None:
        """Tell scikit-learn's callbacks and the user's; each may end the fit."""
        if self.fit.notify is not None and self.fit.notify():
            return Ending("stopped by a callback")
        callback = self.parameters.callback
        if callback is not None:
            slope = self.fit.loss.scale * step.gradient_norm
            if callback(replace(step, J=self.progress.loss, gradient_norm=slope)):
                return Ending(BY_CALLBACK)
        return None

    def diverged(self, step: Step) -> Ending | None:
        """Refuse a loss that was never finite, and stop where it is no longer."""
        if math.isfinite(step.J):
            return None
        rows, network = self.fit.rows, self.fit.network
        if step.iteration == 1 and not np.isfinite(rows.cost(network, step.theta)):
            raise ValueError(UNUSABLE)
        self.progress.restore_lowest()
        return Ending(DIVERGED.format(step.iteration, self.remedy))

    def stalled(self) -> Ending | None:
        """Return why to stop when n_iter_no_change iterations have brought too little."""
        p, progress = self.parameters, self.progress
        if progress.no_improvement <= p.n_iter_no_change:
            return None
        verdict, what = (
            ("stopped early", "validation score") if progress.by_score else ("converged", "loss")
        )
        why = NO_PROGRESS.format(verdict, what, p.tol, p.n_iter_no_change)
        return Ending(why, converged=True)

    def ends(self, step: Step) -> Ending | None:
        """Return why the solver stops, if it does."""
        p = self.parameters
        return Ending(MAX_ITER.format(p.max_iter)) if step.iteration >= p.max_iter else None


class MinibatchStopping(StoppingRules):
    """The rules of SGD and Adam, with the learning rate that they change."""

    remedy = "standardise the inputs or choose a smaller learning_rate_init"

    def ends(self, step: Step) -> Ending | None:
        """Return why the solver stops, if it does."""
        p, memory = self.parameters, cast(Memory, self.progress.memory)
        if p.solver == "sgd" and p.learning_rate == "invscaling":
            memory.learning_rate = p.learning_rate_init / (self.progress.t + 1) ** p.power_t
        ended = self.stalled()
        if ended and not self.slowed_down(memory):
            return ended
        return super().ends(step)

    def slowed_down(self, memory: Memory) -> bool:
        """Divide an adaptive learning rate, if it is not too small already, and go on."""
        p = self.parameters
        if p.solver != "sgd" or p.learning_rate != "adaptive":
            return False
        if memory.learning_rate <= SMALLEST_RATE:
            return False
        memory.learning_rate /= ADAPT
        if p.verbose:
            print(f"Learning rate is now {memory.learning_rate:g}")
        self.progress.no_improvement = 0
        return True


class FullBatchStopping(StoppingRules):
    """The rules of scikit-learn's L-BFGS, for each solver that sees all the rows at once."""

    def __call__(self, step: Step) -> Ending | None:
        """Return why to stop, if there is a reason."""
        if "lam" in step.extra:  # of Bayesian regularisation
            self.progress.alpha = self.fit.loss.scale * step.extra["lam"]
        return super().__call__(step)

    def ends(self, step: Step) -> Ending | None:
        """Return why the solver stops, if it does."""
        p, progress = self.parameters, self.progress
        if progress.by_score and (ended := self.stalled()):
            return ended
        if step.n_eval >= p.max_fun:  # before flatness, as SciPy asks
            return Ending(MAX_FUN.format(p.max_fun))
        if self.fit.loss.scale * np.abs(step.state.D).max() <= p.tol:
            return Ending(FLAT.format(p.tol), converged=True)
        # Bayesian regularisation minimises another loss in each iteration
        if step.iteration > 1 and p.solver != "br":
            before, loss = progress.loss_curve[-2:]
            least = LEAST_GAIN * max(abs(before), abs(loss), 1.0)
            if before - loss <= least:
                return Ending(NO_GAIN.format(least), converged=True)
        return super().ends(step)

"""How far a fit has got: what scikit-learn writes down of it, iteration after iteration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.training.checkpoint import Prefix

CURVES = ("loss_curve", "validation_loss_curve", "validation_scores")
COUNTS = (
    "n_iter", "t", "loss", "best_loss", "best_validation_score", "no_improvement", "best_theta",
    "alpha",
)  # fmt: skip


@dataclass
class Memory:
    """What `partial_fit` goes on from: the rule's memory, the learning rate, the batches done."""

    slots: Array
    learning_rate: float
    steps: int = 0

    __repr__ = summary


@dataclass
class Progress:
    """One fit as it goes, or one of several restarts.

    Attributes
    ----------
    theta : ndarray of shape (size,)
        Changed in place: the estimator's coefs_ and intercepts_ are views of it.
    by_score : bool
        Whether the fit goes by a validation score, and not by the loss.
    no_improvement : int
        How many iterations in a row have brought too little.
    best_theta : ndarray of shape (size,) or None
        The theta of the best validation score, or of the lowest loss.
    alpha : float or None
        What Bayesian regularisation has found so far.
    memory : Memory or None
        None where all the rows are seen at once.

    The others are scikit-learn's attributes of these names, see `attributes`.

    Examples
    --------
    >>> progress = Progress(np.zeros(2), by_score=False)
    >>> for loss in (3.0, 2.0, 1.99):
    ...     progress.add(loss, None, tol=0.1)
    >>> progress.loss, progress.no_improvement, progress.attributes()["loss_curve_"]
    (1.99, 1, [3.0, 2.0, 1.99])
    """

    theta: Array
    by_score: bool
    n_iter: int = 0
    t: int = 0
    loss: float = np.nan
    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    best_loss: float = np.inf
    best_validation_score: float = -np.inf
    no_improvement: int = 0
    best_theta: Array | None = None
    alpha: float | None = None
    memory: Memory | None = None

    __repr__ = summary

    @classmethod
    def going_on(cls, theta: Array, by_score: bool, attributes: Mapping[str, Any]) -> Self:
        """Return where warm_start and `partial_fit` go on: an estimator's attributes tell."""
        known = {name: value for name, value in attributes.items() if value is not None}
        return cls(
            theta,
            by_score,
            t=known["t_"],
            loss=known.get("loss_", np.nan),
            loss_curve=known["loss_curve_"],
            validation_loss_curve=known.get("validation_loss_curve_", []),
            validation_scores=known.get("validation_scores_", []),
            best_loss=known.get("best_loss_", np.inf),
            best_validation_score=known.get("best_validation_score_", -np.inf),
            no_improvement=known["_no_improvement_count"],
            best_theta=known.get("_best_theta"),
            memory=known.get("_optimizer"),
        )

    def anew(self, by_score: bool) -> Self:
        """Return where a warm fit begins: counters and early stopping start anew, curves go on."""
        return type(self)(
            self.theta,
            by_score,
            t=self.t,
            loss=self.loss,
            loss_curve=self.loss_curve,
            validation_loss_curve=self.validation_loss_curve,
            validation_scores=self.validation_scores,
        )

    def kept(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it, besides theta and what the rule remembers."""
        counts = {name: getattr(self, name) for name in COUNTS}
        return counts | {name: Prefix(now := getattr(self, name), len(now)) for name in CURVES}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Stand where a checkpoint was written."""
        for name, value in kept.items():
            setattr(self, name, value.tolist() if name in CURVES else value)

    def attributes(self) -> dict[str, Any]:
        """Return what scikit-learn has as attributes of an estimator, by its names."""
        by_score = self.by_score
        found = {
            "n_iter_": self.n_iter,
            "t_": self.t,
            "loss_": self.loss,
            "loss_curve_": self.loss_curve,
            "validation_loss_curve_": self.validation_loss_curve,
            "validation_scores_": self.validation_scores if by_score else None,
            "best_validation_score_": self.best_validation_score if by_score else None,
            "best_loss_": None if by_score else self.best_loss,
            "_no_improvement_count": self.no_improvement,
            "_best_theta": self.best_theta,
        }
        if self.alpha is not None:
            found["alpha_"] = self.alpha
        if self.memory is not None:
            found["_optimizer"] = self.memory
        return found

    def add(self, loss: float, validation_loss: float | None, tol: float) -> None:
        """Write down the losses after an iteration; less than tol is no improvement."""
        self.loss = loss
        self.loss_curve.append(loss)
        if validation_loss is not None:
            self.validation_loss_curve.append(validation_loss)
        if not self.by_score:
            self.no_improvement = self.no_improvement + 1 if loss > self.best_loss - tol else 0
            if loss < self.best_loss:
                self.best_loss, self.best_theta = loss, self.theta.copy()

    def add_score(self, score: float, tol: float) -> None:
        """Write down the validation score after an iteration, and theta, if it is the best."""
        self.validation_scores.append(score)
        worse = score < self.best_validation_score + tol
        self.no_improvement = self.no_improvement + 1 if worse else 0
        if score > self.best_validation_score:
            self.best_validation_score, self.best_theta = score, self.theta.copy()

    def restore_lowest(self) -> None:
        """Go back to the theta of the lowest loss, after one that is not finite."""
        if not self.by_score and self.best_theta is not None:
            self.theta[:], self.loss = self.best_theta, self.best_loss

    def restore_best(self) -> None:
        """Go back to the theta of the best validation score, where the fit goes by it."""
        if self.by_score and self.best_theta is not None:
            self.theta[:] = self.best_theta

    def badness(self) -> float:
        """Return what the best of several restarts has least of."""
        if self.by_score:
            return -self.best_validation_score
        return (self.validation_loss_curve or [self.loss])[-1]

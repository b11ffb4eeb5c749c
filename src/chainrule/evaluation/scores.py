"""How good a network's answers are: accuracy and confusion matrix, or RMSE and R2.

As scikit-learn defines them.  It is not asked, because importing it takes a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array


@dataclass(frozen=True)
class Evaluation:
    """What a network answered on some examples, beside the truth.

    Parameters
    ----------
    h : ndarray of shape (m, K)
        The hypothesis for each example; of a regression, in the target's own units.
    truth : ndarray of shape (m,) or (m, K)
        Class codes 0..K-1, or the target's values in its own units.
    classes : sequence of str or int, optional
        The names of the classes, in the order of the codes; None for a regression.

    Examples
    --------
    >>> h = np.array([[0.9, 0.2], [0.6, 0.7], [0.1, 0.8]])
    >>> evaluation = Evaluation(h, np.array([0, 0, 1]), classes=["no", "yes"])
    >>> round(evaluation.accuracy, 3), evaluation.mistakes
    (0.667, array([1]))
    >>> evaluation.confusion
    array([[1, 1],
           [0, 1]])
    >>> Evaluation(np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 4.0])).as_dict()
    {'examples': 3, 'rmse': 0.577..., 'r2': 0.785...}
    """

    h: Array
    truth: Array
    classes: Sequence[object] | None = None

    __repr__ = summary

    @cached_property
    def answer(self) -> Array:
        """Class codes of shape (m,); one sigmoid unit is split at 0.5.  For a regression, h."""
        if self.classes is None:
            return self.h.reshape(self.truth.shape)
        if self.h.shape[1] == 1:
            return np.asarray(self.h[:, 0] > 0.5, dtype=np.intp)
        return np.asarray(self.h.argmax(axis=1))

    @cached_property
    def accuracy(self) -> float:
        """The part of the examples whose class is right."""
        return float(np.mean(self.answer == self.truth))

    @cached_property
    def mistakes(self) -> Array:
        """The examples (row numbers) with a wrong class; first those where h was surest."""
        wrong = np.flatnonzero(self.answer != self.truth)
        sure = self.h.max(axis=1) if self.h.shape[1] > 1 else np.abs(self.h[:, 0] - 0.5)
        return np.asarray(wrong[np.argsort(-sure[wrong], kind="stable")])

    @cached_property
    def confusion(self) -> Array:
        """Of shape (K, K): how many examples of the row's class were given the column's."""
        K = len(self.classes or ())
        return np.bincount(K * self.truth + self.answer, minlength=K * K).reshape(K, K)

    @cached_property
    def rmse(self) -> float:
        """The root of the mean squared error, in the target's units; the mean of the columns'."""
        return float(np.sqrt(np.square(self.truth - self.answer).mean(axis=0)).mean())

    @cached_property
    def r2(self) -> float:
        """The part of the target's variance that is explained; nan with fewer than 2 examples.

        The mean of the columns'.  A column that is constant counts as 1 if h is the same, else 0.
        """
        if len(self.truth) < 2:
            return float("nan")
        left = np.square(self.truth - self.answer).sum(axis=0)
        all_of_it = np.square(self.truth - self.truth.mean(axis=0)).sum(axis=0)
        varies = all_of_it > 0
        return float(np.where(varies, 1 - left / np.where(varies, all_of_it, 1), left == 0).mean())

    @property
    def score(self) -> float:
        """The accuracy, or R2: higher is better."""
        return self.r2 if self.classes is None else self.accuracy

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        numbers: dict[str, Any] = {"examples": len(self.truth)}
        if self.classes is None:
            return numbers | {"rmse": self.rmse, "r2": None if np.isnan(self.r2) else self.r2}
        return numbers | {
            "accuracy": self.accuracy,
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
        }

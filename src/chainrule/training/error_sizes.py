"""How large the error of a prediction is likely to be, by what is predicted and from what.

A network without hidden layers learns the logarithm of the out-of-fold errors' sizes.  Divided by
the sizes that it says, the errors are alike, so that one quantile of them bounds all: Lei and
others, *Distribution-free predictive inference for regression* (2018), section 5.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.engine.predicting import predict
from chainrule.notes.network import Network
from chainrule.training.steps import train

LAM = 100.0  # errors are mostly chance: little can be learnt of their sizes
MAX_ITER = 50
SMALL = 0.1  # the part of the errors that count as equally small


@dataclass(frozen=True, eq=False)
class ErrorSizes:
    """What says how large errors are.

    Attributes
    ----------
    theta : ndarray of shape (n + 3,)
        Of the network, which sees the n inputs, the prediction and its square.
    least, most : float
        The logarithms of the sizes lie between these, as those of training do.

    Examples
    --------
    >>> sizes = ErrorSizes(np.array([0.0, 1.0, 0.0, 0.0]), -1.0, 1.0)
    >>> sizes.at(np.array([[0.0], [0.5], [9.0]]), np.zeros(3)).round(2)
    array([1.  , 1.65, 2.72])
    """

    theta: Array
    least: float
    most: float

    __repr__ = summary

    def at(self, X: Array, z: Array) -> Array:
        """Return the size of the error of each row, of shape (m,).

        Parameters
        ----------
        X : array of shape (m, n)
            Standardised.
        z : array of shape (m,)
            What is predicted, standardised as well.
        """
        seen = _seen(X, z)
        logarithms = predict(_network(seen), self.theta, seen)[:, 0]
        return np.asarray(np.exp(np.clip(logarithms, self.least, self.most)))


def error_sizes(
    X: Array,
    z: Array,
    wrong: Array,
    splits: Sequence[tuple[Array, Array]],
    *,
    threads: int | None = None,
) -> tuple[ErrorSizes, Array]:
    """Learn how large errors are; return that, and each row's size by what has not seen it.

    Parameters
    ----------
    X : array of shape (m, n)
    z, wrong : array of shape (m,)
        What is predicted of each row without it, and how far that is off; NaN where it is not.
    splits : sequence of (rows, rows)
        As for `chainrule.training.committee.train_committee`: the first of each are learnt from.
    threads : int, optional

    Returns
    -------
    sizes : ErrorSizes
        1 everywhere where no split has an error to learn from.
    of_rows : ndarray of shape (m,)

    Examples
    --------
    Errors that grow with the input:

    >>> X = np.linspace(-1, 1, 400)[:, None]
    >>> wrong = np.abs(np.random.default_rng(0).normal(size=400)) * np.exp(2 * X[:, 0])
    >>> rows = np.arange(400)
    >>> splits = [(rows[rows % 4 != j], rows[rows % 4 == j]) for j in range(4)]
    >>> sizes, _ = error_sizes(X, np.zeros(400), wrong, splits)
    >>> left, right = sizes.at(np.array([[-1.0], [1.0]]), np.zeros(2))
    >>> bool(right > 2 * left)
    True
    """
    known = ~np.isnan(wrong)
    floor = max(float(np.quantile(wrong[known], SMALL)), np.finfo(np.float32).eps)
    seen = _seen(X, np.where(known, z, 0))
    target = np.log(np.where(known, wrong, 0) + floor)
    network = _network(seen)
    thetas, total, times = [], np.zeros(len(X)), np.zeros(len(X))
    for rows, tried in splits:
        some = rows[known[rows]]
        if not len(some):
            continue
        result = train(
            network, seen[some], target[some], lam=LAM, max_iter=MAX_ITER, check=False,
            threads=threads,
        )  # fmt: skip
        if result.interrupted:
            raise KeyboardInterrupt
        thetas.append(result.theta)
        total[tried] += predict(network, result.theta, seen[tried], threads=threads)[:, 0]
        times[tried] += 1
    if not thetas:
        return ErrorSizes(np.zeros(network.size), 0.0, 0.0), np.ones(len(X))
    theta = np.mean(thetas, axis=0).astype(np.float64)
    logarithms = np.where(times > 0, total / np.maximum(times, 1), target[known].mean())
    least, most = float(logarithms.min()), float(logarithms.max())
    return ErrorSizes(theta, least, most), np.exp(logarithms)


def _seen(X: Array, z: Array) -> Array:
    return np.column_stack([X, z, z**2])


def _network(seen: Array) -> Network:
    return Network((seen.shape[1], 1), output="identity")

"""How much each row counts: its sample weight times the weight of its class."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight

from chainrule.common.types import Array


def row_weights(X: Any, y: Any, sample_weight: Any, class_weight: Any) -> Array | None:
    """Return the weight of each row, or None where all are alike.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (m, n)
    y : ndarray of shape (m,) or (m, n_columns)
        Classes, where there is a class_weight.
    sample_weight : array-like of shape (m,), number or None
    class_weight : dict, list of dict, 'balanced' or None

    Raises
    ------
    ValueError
        If a weight is negative, or all are 0.

    Examples
    --------
    >>> X, y = np.zeros((3, 1)), np.array([0, 1, 1])
    >>> row_weights(X, y, [1.0, 1.0, 3.0], {0: 1, 1: 2})
    array([1., 2., 6.])
    """
    weights: Array | None = None
    if sample_weight is not None:
        weights = np.asarray(_check_sample_weight(sample_weight, X, ensure_non_negative=True))
    if class_weight is None:
        return weights
    if isinstance(class_weight, str) and class_weight == "balanced":
        return balanced(y, np.ones(X.shape[0]) if weights is None else weights)
    by_class = np.asarray(compute_sample_weight(class_weight, y))
    if not (by_class >= 0).all():
        raise ValueError(f"class_weight must be numbers >= 0, got {class_weight!r}")
    return by_class if weights is None else weights * by_class


def balanced(y: Any, weights: Array) -> Array:
    """Return weights times factors that give each class of y, in each column, the same weight.

    A class gets  sum of all weights / (number of classes  sum of its weights):  rows of weight 0
    are absent, one of weight 3 is three rows.

    Examples
    --------
    >>> balanced(np.array([0, 1, 1, 2]), np.array([3.0, 1.0, 1.0, 0.0]))
    array([2.5 , 1.25, 1.25, 0.  ])
    """
    y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    found = weights
    for column in y.reshape(len(y), -1).T:
        _, codes = np.unique(column, return_inverse=True)
        of_class = np.bincount(codes, weights)
        present = np.count_nonzero(of_class)
        factor = np.divide(
            weights.sum(), present * of_class, out=np.zeros_like(of_class), where=of_class > 0
        )
        found = found * factor[codes]
    return found


def with_weight(weights: Array | None, *arrays: Any) -> tuple[Any, ...]:
    """Return arrays and weights without the rows whose weight is 0.

    Examples
    --------
    >>> with_weight(np.array([1.0, 0.0, 2.0]), np.array([5, 6, 7]))
    (array([5, 7]), array([1., 2.]))
    """
    if weights is None or weights.all():
        return *arrays, weights
    kept = np.flatnonzero(weights)
    return *(array[kept] for array in arrays), weights[kept]


def among_known(Y: Array, weights: Array | None) -> Array | None:
    """Return weights in which a row of which no target is known, all of Y being NaN, has 0.

    Examples
    --------
    >>> among_known(np.array([[1.0, np.nan], [np.nan, np.nan]]), None)
    array([1., 0.])
    """
    if Y.dtype.kind != "f" or not np.isnan(Y).any():
        return weights
    known = 1.0 - np.isnan(Y).all(axis=1)
    return np.asarray(known if weights is None else weights * known)


def by_output(
    Y: Array, weights: Array | None, output_weights: Any, levels: int = 1
) -> tuple[Array, Array | None]:
    """Return Y without NaN, and weights of shape (m, K) where the outputs' are not all alike.

    Parameters
    ----------
    Y : ndarray of shape (m, K)
        Where it is NaN, the weight is 0.
    weights : ndarray of shape (m,), or None
    output_weights : array-like of shape (n_outputs,), or None
        Their mean counts as 1.
    levels : int, default=1
        How many columns of Y each output has.

    Examples
    --------
    >>> Y = np.array([[1.0, np.nan], [2.0, 3.0]])
    >>> by_output(Y, None, [3.0, 1.0])
    (array([[1., 0.],
           [2., 3.]]), array([[1.5, 0. ],
           [1.5, 0.5]]))
    """
    m, K = Y.shape
    unknown = np.isnan(Y) if Y.dtype.kind == "f" else np.zeros(1, bool)
    if output_weights is None and not unknown.any():
        return Y, weights
    of_outputs = np.ones(K)
    if output_weights is not None:
        given = np.asarray(output_weights, dtype=np.float64)
        if given.shape != (K // levels,):
            raise ValueError(
                f"output_weights must be {K // levels} numbers, one for each column of y, got "
                f"{output_weights!r}"
            )
        if not (np.isfinite(given).all() and (given >= 0).all() and given.any()):
            raise ValueError(
                f"output_weights must be numbers >= 0, and not all 0, got {output_weights!r}"
            )
        of_outputs = np.repeat(given / given.mean(), levels)
    each = (np.ones(m) if weights is None else weights)[:, None] * of_outputs
    return np.where(unknown, 0, Y), np.where(unknown, 0, each)

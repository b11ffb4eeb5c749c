"""Numbers standardised, and brought back into their own units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array


@dataclass(frozen=True, eq=False)
class Scaling:
    """A mean and a scale for each column: standardised = (value - mean) / scale.

    Attributes
    ----------
    mean, scale : ndarray of shape (n,)
        In the units of the column; a constant column has scale 1.

    Examples
    --------
    >>> X = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> scaling = Scaling.fit(X)
    >>> scaling.apply(X)
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> scaling.undo(scaling.apply(X))
    array([[1., 5.],
           [3., 5.]])
    """

    mean: Array
    scale: Array

    __repr__ = summary

    @classmethod
    def fit(cls, values: Array, weights: Array | None = None) -> Self:
        """Return the scaling after which every column has mean 0 and standard deviation 1.

        Parameters
        ----------
        values : array of shape (m,) or (m, n)
            A vector is one column.  NaN does not count.
        weights : array of shape (m,), optional
            Weight of each row; 2 is the row twice.

        Returns
        -------
        Scaling
        """
        total, weight = sums(values, weights)
        mean = total / weight
        return cls.of(mean, squares(values, mean, weights) / weight)

    @classmethod
    def of(cls, mean: Array, variance: Array) -> Self:
        """Return the scaling of columns by their means and variances.

        The spread of a constant column is rounding error, and no scale.
        """
        scale = np.sqrt(variance)
        constant = scale <= 1e-12 * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, scale))

    def apply(self, values: Array) -> Array:
        """Standardise values of shape (m,) or (m, n); float32 and float64 are kept."""
        return ((self._columns(values) - self.mean) / self.scale).astype(
            values.dtype if values.dtype == np.float32 else np.float64
        ).reshape(values.shape)  # fmt: skip

    def undo(self, values: Array) -> Array:
        """Return standardised values, of shape (m,) or (m, n), in their own units again."""
        return (self._columns(values) * self.scale + self.mean).reshape(values.shape)

    def _columns(self, values: Array) -> Array:
        return values.reshape(len(values), len(self.mean))


def sums(values: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Return the sum of each column, and the sum of its weights; NaN does not count.

    Those of blocks of rows add up to those of all rows.

    Examples
    --------
    >>> sums(np.array([[1.0, 5.0], [3.0, np.nan]]))
    (array([4., 5.]), array([2., 1.]))
    """
    values, w = _weighed(values, weights)
    if w is None:
        return values.sum(axis=0), np.full(values.shape[1], float(len(values)))
    return (w * values).sum(axis=0), w.sum(axis=0)


def squares(values: Array, mean: Array, weights: Array | None = None) -> Array:
    """Return for each column the sum of squared differences to a mean; NaN does not count."""
    values, w = _weighed(values, weights)
    differences = values - mean
    if w is None:
        return np.asarray(np.multiply(differences, differences, out=differences).sum(axis=0))
    return np.asarray((w * differences**2).sum(axis=0))


def _weighed(values: Array, weights: Array | None) -> tuple[Array, Array | None]:
    """Return values as columns in float64 without NaN, and the weight of each, if any is not 1."""
    values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    if weights is None and not np.isnan(values).any():
        return values, None
    w = np.ones(len(values)) if weights is None else weights
    return np.nan_to_num(values), np.where(np.isnan(values), 0, w[:, None])

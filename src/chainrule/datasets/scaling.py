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
        values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
        if weights is None and not np.isnan(values).any():
            mean, scale = values.mean(axis=0), values.std(axis=0)
        else:
            w = np.ones(len(values)) if weights is None else weights
            w = np.where(np.isnan(values), 0, w[:, None])
            total, values = w.sum(axis=0), np.nan_to_num(values)
            mean = (w * values).sum(axis=0) / total
            scale = np.sqrt((w * (values - mean) ** 2).sum(axis=0) / total)
        # The spread of a constant column is rounding error, not a scale
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

"""The hill: a direction as activations of many output units, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chainrule.common.types import Array


@dataclass(frozen=True)
class Hill:
    """A number as a hill of activations over a row of units, as ALVINN's outputs.

    Parameters
    ----------
    low, high : float
        The numbers that the first and the last unit stand for.
    units : int, default=30
    spread : float, default=10.0
        Unit i of a hill around d is exp(-(i - d)^2 / spread).

    Notes
    -----
    Pomerleau (1992), *Neural network perception for mobile robot guidance*: neighbouring
    units stand for similar answers, so a whole group of them carries the answer, and none has to
    jump from 0 to 1.

    Examples
    --------
    >>> hill = Hill(0.0, 4.0, units=5)
    >>> hill.encode([1.0]).round(2)
    array([[0.9 , 1.  , 0.9 , 0.67, 0.41]], dtype=float32)
    >>> float(hill.decode(hill.encode([1.3])[0]))
    1.3...
    """

    low: float
    high: float
    units: int = 30
    spread: float = 10.0

    def encode(self, values: Array) -> Array:
        """Return the hills around values.

        Parameters
        ----------
        values : array of shape (m,)
            Values outside low to high are moved to the border.

        Returns
        -------
        ndarray of shape (m, units), float32
        """
        values = np.clip(np.asarray(values, float), self.low, self.high)
        d = (values - self.low) / (self.high - self.low) * (self.units - 1)
        i = np.arange(self.units)
        return np.exp(-np.square(i - d[:, None]) / self.spread).astype(np.float32)

    @cached_property
    def _fits(self) -> tuple[Array, Array, Array]:
        """Twenty hills for each unit: their values, themselves, half their squared norms."""
        values = np.linspace(self.low, self.high, 20 * (self.units - 1) + 1)
        hills = self.encode(values)
        return values, hills, np.square(hills).sum(axis=1) / 2

    def decode(self, activations: Array) -> float:
        """Return the value whose hill is nearest to activations, by least squares.

        Parameters
        ----------
        activations : array of shape (units,)

        Returns
        -------
        float
            To a twentieth of a unit.
        """
        values, hills, half_norms = self._fits
        # |activations - hill|^2 is smallest where activations . hill - |hill|^2 / 2 is largest
        return float(values[np.argmax(hills @ activations - half_norms)])

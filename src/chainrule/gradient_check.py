"""Gradient checking: the notes' central difference against the gradient of any J.

Knows nothing of networks: an objective is any function ``theta -> (J, D)``.  A network, where one
is given, only says which components belong to which Theta(l), so that the report can be read by
layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chainrule.activations import Array

Objective = Callable[[Array], tuple[float, Array]]

RELATIVE_TOLERANCE = 1e-7  # of |D| + |num|: the central difference's own error at epsilon = 1e-4
ROUNDING = 10  # units in the last place of J that both its evaluations may be off


class Shaped(Protocol):
    """What a report by layer needs to know of a network."""

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape (s_{l+1}, s_l + 1) of each Theta(l)."""


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradient` found.  ``print(report)`` shows it; it is true where ``ok`` is.

    Attributes
    ----------
    ok : bool
        Whether |D - num| <= 1e-7 (|D| + |num|) + 10 eps |J| sqrt(n) / epsilon, in the Euclidean
        norm over the n compared values.  The second term is what rounding in J alone can cause.
    largest_relative_error : float
        The largest |D_i - num_i| / (|D_i| + |num_i|) of those components whose difference is more
        than rounding in J can cause; 0.0 where there are none.
    where : int
        The component (or the direction) that has it, counted from 0.
    J : float
        The cost at theta.
    epsilon : float
    D, numerical : ndarray of shape (n,)
        The compared values: components of the gradient, or slopes along directions.
    directions : int or None
        How many random directions were compared; None where it was all components.
    rows : list of (str, int, float)
        The table by layer: name, number of values, |D - num| / (|D| + |num|).

    Examples
    --------
    >>> report = check_gradient(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0])
    >>> bool(report), report.D, report.numerical.round(6)
    (True, array([2., 4.]), array([2., 4.]))
    """

    ok: bool
    largest_relative_error: float
    where: int
    J: float
    epsilon: float
    D: Array
    numerical: Array
    directions: int | None
    rows: list[tuple[str, int, float]] = field(default_factory=list)

    @property
    def relative_errors(self) -> Array:
        """|D_i - num_i| / (|D_i| + |num_i|) of each compared value, rounding and all."""
        sizes = np.abs(self.D) + np.abs(self.numerical)
        return np.asarray(np.abs(self.D - self.numerical) / np.where(sizes > 0, sizes, 1))

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        what = "components" if self.directions is None else "random directions"
        verdict = "passed" if self.ok else "FAILED"
        i = self.where
        lines = [
            f"gradient check {verdict}: {len(self.D)} {what}, epsilon = {self.epsilon:g}, "
            f"J = {self.J:.6g}",
            f"largest relative error {self.largest_relative_error:.2g} at {what[:-1]} {i}: "
            f"D = {self.D[i]:.9g}, numerical = {self.numerical[i]:.9g}",
        ]
        if self.rows:
            lines.append(f"{'layer':<18}{'values':>8}  |D - num| / (|D| + |num|)")
            lines += [f"{name:<18}{count:>8}  {error:.2g}" for name, count, error in self.rows]
        return "\n".join(lines)


def numerical_gradient(objective: Objective, theta: npt.ArrayLike, epsilon: float = 1e-4) -> Array:
    """Approximate the gradient of J by the notes' loop, two evaluations for each component.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``; D is not used.
    theta : array of shape (n,)
    epsilon : float, default=1e-4

    Returns
    -------
    ndarray of shape (n,)
        (J(theta + epsilon e_i) - J(theta - epsilon e_i)) / (2 epsilon).

    Notes
    -----
    Notes, *Gradient Checking*.

    Examples
    --------
    >>> numerical_gradient(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0]).round(6)
    array([2., 4.])
    """
    theta = np.array(theta, dtype=np.float64)
    approx = np.empty_like(theta)
    for i, value in enumerate(theta):
        theta[i] = value + epsilon
        J_plus = objective(theta)[0]
        theta[i] = value - epsilon
        J_minus = objective(theta)[0]
        theta[i] = value
        approx[i] = (J_plus - J_minus) / (2 * epsilon)
    return approx


def check_gradient(
    objective: Objective,
    theta: npt.ArrayLike,
    *,
    epsilon: float = 1e-4,
    directions: int | None = None,
    seed: int = 0,
    network: Shaped | None = None,
) -> GradientReport:
    """Compare the gradient that an objective returns with a numerical one.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``: anyone's cost and gradient, D of theta's shape.
    theta : array of shape (n,)
        Where to check.  Random values within 1 are a good choice.
    epsilon : float, default=1e-4
        The notes' choice.
    directions : int, optional
        Compare the slopes along so many random directions (two evaluations each), for a large
        theta; every other one leans along D.  Default: every component, the notes' loop.
    seed : int, default=0
        Of the random directions.
    network : Network, optional
        Adds the table by layer.

    Returns
    -------
    GradientReport
        ``report.ok``; printable.

    Raises
    ------
    ValueError
        If D has another shape than theta, or J or D is not finite at theta.

    Notes
    -----
    Notes, *Gradient Checking*.  A passed check shows that J and D agree; where a unit of a relu
    layer sits at its kink, a correct gradient may differ.

    Examples
    --------
    >>> report = check_gradient(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0])
    >>> report.ok
    True
    >>> print(check_gradient(lambda theta: (theta @ theta, theta), [1.0, 2.0]))
    gradient check FAILED: 2 components, epsilon = 0.0001, J = 5
    largest relative error 0.33 at component ...
    """
    theta = np.array(theta, dtype=np.float64)
    if theta.ndim != 1 or not theta.size:
        raise ValueError(f"theta must be a flat vector (see unroll), got shape {theta.shape}")
    if not epsilon > 0:
        raise ValueError(f"epsilon must be greater than 0, got {epsilon!r}")
    J, D = objective(theta.copy())
    J, D = float(J), np.array(D, dtype=np.float64)
    if D.shape != theta.shape:
        raise ValueError(
            f"the objective's gradient has shape {D.shape}, theta has {theta.shape}: return it "
            "unrolled, one value for each component"
        )
    if not (np.isfinite(J) and np.isfinite(D).all()):
        raise ValueError(f"J or its gradient is not finite at theta (J = {J:g})")
    if directions is None:
        numerical = numerical_gradient(objective, theta, epsilon)
    else:
        if directions < 1:
            raise ValueError(f"directions must be at least 1, got {directions!r}")
        along = np.random.default_rng(seed).standard_normal((directions, theta.size))
        # In n dimensions a random direction sees 1/sqrt(n) of the slope, soon less than rounding:
        # every other one leans to where D says that the slope is
        if D.any():
            along[1::2] = np.abs(along[1::2]) * D
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        numerical = np.array(
            [
                (objective(theta + epsilon * v)[0] - objective(theta - epsilon * v)[0])
                / (2 * epsilon)
                for v in along
            ]
        )
        D = along @ D
    noise = ROUNDING * np.finfo(np.float64).eps * abs(J) / epsilon
    difference = np.abs(D - numerical)
    sizes = np.abs(D) + np.abs(numerical)
    # A difference within the noise says nothing, however small the component
    errors = np.where(difference > noise, difference, 0) / np.where(sizes > 0, sizes, 1)
    allowed = RELATIVE_TOLERANCE * (np.linalg.norm(D) + np.linalg.norm(numerical))
    return GradientReport(
        ok=bool(np.linalg.norm(difference) <= allowed + noise * np.sqrt(len(D))),
        largest_relative_error=float(errors.max()),
        where=int(errors.argmax()),
        J=J,
        epsilon=epsilon,
        D=D,
        numerical=numerical,
        directions=directions,
        rows=_by_layer(network.shapes, D, numerical)
        if network is not None and directions is None
        else [],
    )


def _by_layer(
    shapes: Sequence[tuple[int, int]], D: Array, numerical: Array
) -> list[tuple[str, int, float]]:
    rows, start = [], 0
    for l, (out, columns) in enumerate(shapes, start=1):
        for part, count in (("bias", out), ("weights", out * (columns - 1))):
            d, n = D[start : start + count], numerical[start : start + count]
            size = np.linalg.norm(d) + np.linalg.norm(n)
            error = float(np.linalg.norm(d - n) / size) if size else 0.0
            rows.append((f"Theta({l}) {part}", count, error))
            start += count
    return rows

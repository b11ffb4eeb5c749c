"""Gradient checking: the notes' central difference against the gradient of any J.

Knows nothing of networks: an objective is any function ``theta -> (J, D)``.  A network, where one
is given, only says which components belong to which Theta(l), so that the report can be read by
layer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array
from chainrule.notes.gradient_report import EVERY_COMPONENT, GradientReport, Part

Objective = Callable[[Array], tuple[float, Array]]
RELATIVE_TOLERANCE = 1e-7  # of |D| + |num|: the central difference's own error at epsilon = 1e-4
ROUNDING = 10 * np.finfo(np.float64).eps  # of |J|: what two evaluations may be off by rounding
SMALLER = (1e-5, 1e-6, 1e-7, 1e-8)  # epsilons tried in turn where a larger one fails
COMPLEX_STEP = 1e-20j


class Shaped(Protocol):
    """What a report by layer needs to know of a network."""

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape (s_{l+1}, s_l + 1) of each Theta(l)."""


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
    return np.array([slope(objective, theta, i, epsilon) for i in range(theta.size)])


def slope(
    objective: Objective, theta: Array, along: int | Array, epsilon: float | complex
) -> float:
    """Return the central difference of J along one component, or along a direction.

    With an imaginary epsilon it is the complex step, Im J(theta + epsilon v) / |epsilon|: no
    difference is taken, so nothing is lost to rounding (Squire and Trapp 1998).
    """
    if isinstance(epsilon, complex):
        aside = theta.astype(complex)
        if isinstance(along, int):
            aside[along] += epsilon
        else:
            aside += epsilon * along
        return float(np.imag(objective(aside)[0]) / epsilon.imag)
    if isinstance(along, int):
        plus, minus = theta.copy(), theta.copy()
        plus[along] += epsilon
        minus[along] -= epsilon
    else:
        plus, minus = theta + epsilon * along, theta - epsilon * along
    return float((float(objective(plus)[0]) - float(objective(minus)[0])) / (2 * epsilon))


def compare(
    objective: Objective,
    theta: npt.ArrayLike,
    *,
    epsilon: float | str = 1e-4,
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
    epsilon : float or "auto", default=1e-4
        The notes' choice; ``"auto"`` takes the one with the smallest error of its own: the
        complex step where the function takes complex numbers, else a real one.
    directions : int, optional
        Compare the slopes along so many random directions (two evaluations each).  Default: every
        component (the notes' loop) of a theta of at most 2,000, else 5 directions.  Where these
        disagree, the layers and then ever smaller halves are compared, down to one component.
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
    Notes, *Gradient Checking*.  A component that disagrees is tried again with smaller epsilons:
    where a relu's kink lies within epsilon, or J bends sharply, a correct gradient agrees with one
    of them, and a wrong one with none.

    Examples
    --------
    >>> compare(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0]).ok
    True
    >>> print(compare(lambda theta: (theta @ theta, theta), [1.0, 2.0]))
    gradient check FAILED: 2 components, epsilon = 0.0001, J = 5
    largest relative error 0.33 at component ...: D = ..., numerical = ...
    """
    theta = np.array(theta, dtype=np.float64)
    if theta.ndim != 1 or not theta.size:
        raise ValueError(f"theta must be a flat vector (see unroll), got shape {theta.shape}")
    n_eval = 0

    def counted(theta: Array) -> tuple[float, Array]:
        nonlocal n_eval
        n_eval += 1
        return objective(theta)

    J, D = evaluate(counted, theta)
    if network is not None and sum(a * b for a, b in network.shapes) != theta.size:
        raise ValueError(
            f"theta has {theta.size} values, but the network's shapes {network.shapes} need "
            f"{sum(a * b for a, b in network.shapes)}"
        )
    rng = np.random.default_rng(seed)
    step: float | complex
    if epsilon == "auto":
        step = best_epsilon(counted, theta, rng)
    elif isinstance(epsilon, str) or not epsilon > 0:
        raise ValueError(f"epsilon must be a number greater than 0, or 'auto', got {epsilon!r}")
    else:
        step = epsilon
    if directions is None and theta.size > EVERY_COMPONENT:
        directions = 5
    alongs: list[int] | list[Array]
    if directions is None:
        alongs, slopes = list(range(theta.size)), D
    elif directions >= 1:
        alongs = [direction(rng, D) for _ in range(directions)]
        # No BLAS for long vectors: its threads would go on spinning on cores that training needs
        slopes = np.array([np.sum(along * D) for along in alongs])
    else:
        raise ValueError(f"directions must be at least 1, got {directions!r}")
    raw = np.array([slope(counted, theta, along, step) for along in alongs])
    patience = 5 if directions is None else 1
    numerical, noise = _refine(counted, theta, alongs, slopes, raw, step, J, patience)

    difference = np.abs(slopes - numerical)
    sizes = np.abs(slopes) + np.abs(numerical)
    # A difference within the noise says nothing, however small the component
    errors = np.where(difference > noise, difference, 0) / np.where(sizes > 0, sizes, 1)
    where = int(errors.argmax() if errors.any() else sizes.argmax())
    ok = _agree(slopes, numerical, noise)
    parts, component = [], None
    if network is not None and directions is None:
        parts = [
            _part(name, start, stop, D[start:stop], numerical[start:stop], noise[start:stop])
            for name, start, stop in parts_of(network)
        ]
    elif directions is not None and not ok:

        def within(start: int, stop: int) -> tuple[Array, Array, Array]:
            along = np.zeros(theta.size)
            along[start:stop] = direction(rng, D[start:stop])
            d, n = np.array([np.sum(along * D)]), np.array([slope(counted, theta, along, step)])
            return d, n, _rounding(J, step, n)

        ranges = [("theta", 0, theta.size)] if network is None else list(parts_of(network))
        parts = [_part(name, start, stop, *within(start, stop)) for name, start, stop in ranges]
        worst = max(parts, key=lambda part: part.error)
        component = _bisect(within, worst.start, worst.stop)
        parts = parts if network is not None else []
    # Of a complex step both are nothing: its error is that of arithmetic alone
    wider = [slope(counted, theta, along, 2 * step) for along in alongs[-3:]]
    truncation = float(np.abs(np.array(wider) - raw[-3:]).max()) / 3
    rounding = float(_rounding(J, step, raw[-3:]).max()) / 10
    return GradientReport(
        ok=ok,
        largest_relative_error=float((difference / np.where(sizes > 0, sizes, 1))[where]),
        where=where,
        J=J,
        epsilon=abs(step),
        complex_step=isinstance(step, complex),
        error_estimate=truncation + rounding,
        D=slopes,
        numerical=numerical,
        directions=directions,
        parts=parts,
        component=component,
        n_eval=n_eval,
    )


def evaluate(objective: Objective, theta: Array) -> tuple[float, Array]:
    """Return J and D as a float and a float64 vector, or raise an error that says what is wrong."""
    J, D = objective(theta.copy())
    J, D = float(J), np.array(D, dtype=np.float64)
    if D.shape != theta.shape:
        raise ValueError(
            f"the objective's gradient has shape {D.shape}, theta has {theta.shape}: return it "
            "unrolled, one value for each component"
        )
    if not (np.isfinite(J) and np.isfinite(D).all()):
        raise ValueError(f"J or its gradient is not finite at theta (J = {J:g})")
    return J, D


def best_epsilon(objective: Objective, theta: Array, rng: np.random.Generator) -> float | complex:
    """Return the epsilon with the smallest error of its own.

    The complex step where J allows it, else the epsilon whose central differences change least
    from one epsilon to the next.
    """
    along = rng.choice([-1.0, 1.0], size=theta.size) / np.sqrt(theta.size)
    ladder = 10.0 ** -np.arange(1, 9.5, 0.5)
    slopes = np.array([slope(objective, theta, along, epsilon) for epsilon in ladder])
    changes = np.abs(np.diff(slopes))
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")  # of a complex number's imaginary part cast away
            exact = slope(objective, theta, along, COMPLEX_STEP)
    except Exception:  # a function of someone else's, written for real numbers only
        exact = np.nan
    if np.abs(slopes - exact).min() <= 1e-6 * abs(exact):
        return COMPLEX_STEP
    return float(ladder[1 + int(np.argmin(changes[:-1] + changes[1:]))])


def parts_of(network: Shaped) -> Iterator[tuple[str, int, int]]:
    """Yield the name, start and stop of each Theta(l)'s bias and weights."""
    start = 0
    for l, (out, columns) in enumerate(network.shapes, start=1):
        yield f"Theta({l}) bias", start, start + out
        yield f"Theta({l}) weights", start + out, start + out * columns
        start += out * columns


def direction(rng: np.random.Generator, D: Array) -> Array:
    """Return a random direction that no wrong component of D can hide from.

    It leans to where D says that the slope is: any other direction sees about 1/sqrt(n) of the
    slope, in a large theta soon less than rounding.
    """
    typical = np.sqrt(np.mean(D * D)) or 1.0
    drawn = rng.uniform(-2, 2, size=len(D))
    along = np.copysign(1 + np.abs(drawn * D) / typical, np.where(D == 0, drawn, D))
    return np.asarray(along / np.sqrt(np.sum(along * along)))


def _refine(
    objective: Objective,
    theta: Array,
    alongs: list[int] | list[Array],
    slopes: Array,
    raw: Array,
    epsilon: float | complex,
    J: float,
    patience: int,
) -> tuple[Array, Array]:
    """Try smaller epsilons where the slopes disagree; a wrong slope agrees with none.

    Returns the numerical slopes and what rounding in J may have put into each.  After as many
    slopes as patience says that no epsilon mends, the gradient is taken for wrong.
    """
    numerical, noise = raw.copy(), _rounding(J, epsilon, raw)
    share = RELATIVE_TOLERANCE * np.linalg.norm(slopes) / np.sqrt(len(slopes))
    for i in np.argsort(-np.abs(slopes - raw), kind="stable"):
        if abs(slopes[i] - raw[i]) <= share + noise[i] or not patience:
            break
        # Where the slope is nearly 0, what J bends within epsilon shows, and a smaller epsilon
        # would drown it in rounding
        bend = abs(slope(objective, theta, alongs[i], 2 * epsilon) - raw[i]) / 3
        if bend <= 10 * noise[i]:
            noise[i] += 2 * bend
        for smaller in (e for e in SMALLER if e < abs(epsilon)):
            again = slope(objective, theta, alongs[i], smaller)
            rounding = ROUNDING * abs(J) / smaller
            if rounding > abs(slopes[i] - raw[i]) / 2:
                continue  # too coarse to tell a right slope from this one
            if abs(slopes[i] - again) <= RELATIVE_TOLERANCE * abs(slopes[i]) + rounding:
                numerical[i], noise[i] = again, rounding
                break
        else:
            patience -= 1
    return numerical, noise


def _rounding(J: float, epsilon: float | complex, slopes: Array) -> Array:
    """Return what rounding may have put into numerical slopes."""
    if isinstance(epsilon, complex):
        return ROUNDING * np.abs(slopes)
    return np.full(len(slopes), ROUNDING * abs(J) / epsilon)


def _agree(D: Array, numerical: Array, noise: Array) -> bool:
    allowed = RELATIVE_TOLERANCE * (np.linalg.norm(D) + np.linalg.norm(numerical))
    return bool(np.linalg.norm(D - numerical) <= allowed + np.linalg.norm(noise))


def _part(name: str, start: int, stop: int, D: Array, numerical: Array, noise: Array) -> Part:
    size = np.linalg.norm(D) + np.linalg.norm(numerical)
    error = float(np.linalg.norm(D - numerical) / size) if size else 0.0
    return Part(name, start, stop, error, _agree(D, numerical, noise))


def _bisect(within: Callable[[int, int], tuple[Array, Array, Array]], start: int, stop: int) -> int:
    """Halve [start, stop), whose slope is wrong, down to one component that is."""
    while stop - start > 1:
        middle = (start + stop) // 2
        if _agree(*within(start, middle)):
            start = middle
        else:
            stop = middle
    return start

"""Gradient checking: the notes' central difference against the gradient of any J.

Knows nothing of networks: an objective is any function ``theta -> (J, D)``.  A network, where one
is given, only says which components belong to which Theta(l), so that the report can be read by
layer.

====================  ============================================================================
name                  what
====================  ============================================================================
num                   the numerical slopes, the notes' gradApprox
along                 a component of theta, counted from 0, or a direction, as long as theta
noise                 what rounding in J may have put into each numerical slope
stop                  asked before each evaluation of J; where it says yes, `Stopped` is raised
====================  ============================================================================
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from chainrule.common.shown import summary
from chainrule.common.types import Array, Stopped
from chainrule.notes.gradient_report import (
    EVERY_COMPONENT,
    RELATIVE_TOLERANCE,
    GradientReport,
    Part,
    Shaped,
    agree,
    largest_error,
    part_of,
    parts_of,
)

Objective = Callable[[Array], tuple[float, Array]]
Stop = Callable[[], bool]
ROUNDING = 10 * np.finfo(np.float64).eps  # of |J|: what two evaluations may be off by rounding
NOTHING = 1e-60  # a cost that is smaller may be computed as 0: every class is certain
SMALLER = (1e-5, 1e-6, 1e-7, 1e-8)  # epsilons tried in turn where a larger one fails
COMPLEX_STEP = 1e-20j
DIRECTIONS = 5  # compared where theta is too long for every component
PATIENCE = 5  # wrong components that no smaller epsilon mends, then D is taken for wrong


def numerical_gradient(
    objective: Objective, theta: npt.ArrayLike, epsilon: float = 1e-4, *, stop: Stop | None = None
) -> Array:
    """Approximate the gradient of J by the notes' loop, two evaluations for each component.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``; D is not used.
    theta : array of shape (n,)
    epsilon : float, default=1e-4
    stop : callable, optional
        ``stop() -> bool``, asked before each evaluation.

    Returns
    -------
    ndarray of shape (n,)
        (J(theta + epsilon e_i) - J(theta - epsilon e_i)) / (2 epsilon).

    Raises
    ------
    Stopped
        Where stop says yes.

    Notes
    -----
    Notes, *Gradient Checking*.

    Examples
    --------
    >>> numerical_gradient(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0]).round(6)
    array([2., 4.])
    """
    theta = np.array(theta, dtype=np.float64)
    objective = Counted(objective, stop)
    return np.array([slope(objective, theta, i, epsilon) for i in range(theta.size)])


@dataclass
class Counted:
    """An objective that counts its evaluations, and raises `Stopped` where stop says so."""

    objective: Objective
    stop: Stop | None = None
    n_eval: int = 0

    __repr__ = summary

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return J and D."""
        self.ask()
        self.n_eval += 1
        return self.objective(theta)

    def ask(self) -> None:
        """Raise `Stopped` where stop says so."""
        if self.stop is not None and self.stop():
            raise Stopped


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


@dataclass(frozen=True)
class Differences:
    """The central differences of J at one theta with one epsilon."""

    objective: Objective
    theta: Array
    J: float
    epsilon: float | complex

    __repr__ = summary

    def slopes(self, alongs: list[int] | list[Array], wider: int = 1) -> Array:
        """Return num along each, with epsilon times wider."""
        steps = wider * self.epsilon
        return np.array([slope(self.objective, self.theta, along, steps) for along in alongs])

    def noise(self, num: Array) -> Array:
        """Return what rounding may have put into num."""
        if isinstance(self.epsilon, complex):
            return np.asarray(ROUNDING * np.abs(num))
        return np.full(len(num), ROUNDING * max(abs(self.J), NOTHING) / self.epsilon)

    def error(self, alongs: list[int] | list[Array], num: Array) -> float:
        """Return what num may be off: truncation, from twice the epsilon, and rounding."""
        # For a complex step both are nothing: its error is that of arithmetic alone
        truncation = float(np.abs(self.slopes(alongs, wider=2) - num).max()) / 3
        return truncation + float(self.noise(num).max()) / 10


def compare(
    objective: Objective,
    theta: npt.ArrayLike,
    *,
    epsilon: float | str = 1e-4,
    directions: int | None = None,
    seed: int = 0,
    network: Shaped | None = None,
    stop: Stop | None = None,
) -> GradientReport:
    """Compare the gradient that an objective returns with a numerical one.

        |D - num| <= 1e-7 (|D| + |num|) + |noise|

    A component that disagrees is tried again with smaller epsilons: where a relu's kink lies within
    epsilon, or J bends sharply, a correct gradient agrees with one of them, a wrong one with none.
    (Notes, *Gradient Checking*.)

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
        Along how many random directions to compare slopes (two evaluations each).  Default: every
        component (the notes' loop) of a theta of at most 2,000, else 5 directions.  Where these
        disagree, the layers and then ever smaller halves are compared, down to one component.
    seed : int, default=0
        Seed of the random directions.
    network : Network, optional
        Adds the table by layer.
    stop : callable, optional
        ``stop() -> bool``, asked before each evaluation; where it says yes, Stopped is raised.

    Returns
    -------
    GradientReport
        ``report.ok``; printable.

    Raises
    ------
    ValueError
        If D has another shape than theta, or J or D is not finite at theta.

    Examples
    --------
    >>> compare(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0]).ok
    True
    >>> print(compare(lambda theta: (theta @ theta, theta), [1.0, 2.0]))
    gradient check FAILED: 2 components, epsilon = 0.0001, J = 5
    largest relative error of one component: 0.33 at component ...: D = ..., numerical = ...
    """
    theta = np.array(theta, dtype=np.float64)
    if theta.ndim != 1 or not theta.size:
        raise ValueError(f"theta must be a flat vector (see unroll), got shape {theta.shape}")
    counted = Counted(objective, stop)
    J, D = evaluate(counted, theta)
    check_shapes(network, theta)
    rng = np.random.default_rng(seed)
    differences = Differences(counted, theta, J, _chosen(epsilon, counted, theta, rng))
    if directions is None and theta.size > EVERY_COMPONENT:
        directions = DIRECTIONS
    alongs, slopes = _compared(D, directions, rng, counted.ask)
    raw = differences.slopes(alongs)
    patience = PATIENCE if directions is None else 1
    num, noise = _refine(differences, alongs, slopes, raw, patience)

    ok = agree(slopes, num, noise)
    parts: list[Part] = []
    component = None
    if directions is not None and not ok:
        parts, component = _search(differences, D, rng, network)
    elif directions is None and network is not None:
        parts = [
            part_of(name, i, j, D[i:j], num[i:j], noise[i:j]) for name, i, j in parts_of(network)
        ]
    largest, where = largest_error(slopes, num, noise)
    return GradientReport(
        ok=ok,
        largest_relative_error=largest,
        where=where,
        J=J,
        epsilon=abs(differences.epsilon),
        complex_step=isinstance(differences.epsilon, complex),
        error_estimate=differences.error(alongs[-3:], raw[-3:]),
        D=slopes,
        numerical=num,
        directions=directions,
        parts=parts,
        component=component,
        n_eval=counted.n_eval,
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
        raise ValueError(
            f"J or its gradient is not finite at theta (J = {J:g}): take inputs or a theta of "
            "smaller size"
        )
    return J, D


def check_shapes(network: Shaped | None, theta: Array) -> None:
    """Raise ValueError where a network is given and theta is not of its size."""
    if network is None:
        return
    size = sum(a * b for a, b in network.shapes)
    if size != theta.size:
        raise ValueError(
            f"theta has {theta.size} values, but the network's shapes {network.shapes} need {size}"
        )


def _chosen(
    epsilon: float | str, objective: Objective, theta: Array, rng: np.random.Generator
) -> float | complex:
    """Return the epsilon that a user's ``epsilon`` asks for."""
    if epsilon == "auto":
        return best_epsilon(objective, theta, rng)
    if isinstance(epsilon, str) or not epsilon > 0:
        raise ValueError(f"epsilon must be a number greater than 0, or 'auto', got {epsilon!r}")
    return epsilon


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
    except Stopped:
        raise
    except Exception:  # a function of someone else's, written for real numbers only
        exact = np.nan
    if np.abs(slopes - exact).min() <= 1e-6 * abs(exact):
        return COMPLEX_STEP
    return float(ladder[1 + int(np.argmin(changes[:-1] + changes[1:]))])


def _compared(
    D: Array, directions: int | None, rng: np.random.Generator, ask: Callable[[], None]
) -> tuple[list[int] | list[Array], Array]:
    """Return along what to compare, every component or random directions, and D's slopes there."""
    if directions is None:
        return list(range(len(D))), D
    if directions < 1:
        raise ValueError(f"directions must be at least 1, got {directions!r}")
    alongs = []
    for _ in range(directions):  # of a long theta each takes as long as an evaluation
        ask()
        alongs.append(direction(rng, D))
    # No BLAS for long vectors: its threads would go on spinning on cores that training needs
    return alongs, np.array([np.sum(along * D) for along in alongs])


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
    differences: Differences,
    alongs: list[int] | list[Array],
    slopes: Array,
    raw: Array,
    patience: int,
) -> tuple[Array, Array]:
    """Try smaller epsilons where the slopes disagree; return num and its noise.

    After as many slopes as patience says that no epsilon mends, the gradient is taken for wrong.
    """
    num, noise = raw.copy(), differences.noise(raw)
    share = RELATIVE_TOLERANCE * np.linalg.norm(slopes) / np.sqrt(len(slopes))
    for i in np.argsort(-np.abs(slopes - raw), kind="stable"):
        if abs(slopes[i] - raw[i]) <= share + noise[i] or not patience:
            break
        # Where the slope is nearly 0, what J bends within epsilon shows, and a smaller epsilon
        # would drown it in rounding
        bend = abs(differences.slopes(alongs[i : i + 1], wider=2)[0] - raw[i]) / 3
        if bend <= 10 * noise[i]:
            noise[i] += 2 * bend
        for smaller in (e for e in SMALLER if e < abs(differences.epsilon)):
            finer = replace(differences, epsilon=smaller)
            again, rounding = finer.slopes(alongs[i : i + 1])[0], finer.noise(raw[i : i + 1])[0]
            if rounding > abs(slopes[i] - raw[i]) / 2:
                continue  # too coarse to tell a right slope from this one
            if abs(slopes[i] - again) <= RELATIVE_TOLERANCE * abs(slopes[i]) + rounding:
                num[i], noise[i] = again, rounding
                break
        else:
            patience -= 1
    return num, noise


def _search(
    differences: Differences, D: Array, rng: np.random.Generator, network: Shaped | None
) -> tuple[list[Part], int]:
    """Find where D is wrong: the table by layer, if the network is known, and a component."""

    def within(start: int, stop: int) -> tuple[Array, Array, Array]:
        along = np.zeros(len(D))
        along[start:stop] = direction(rng, D[start:stop])
        num = differences.slopes([along])
        return np.array([np.sum(along * D)]), num, differences.noise(num)

    ranges = [("theta", 0, len(D))] if network is None else list(parts_of(network))
    parts = [part_of(name, start, stop, *within(start, stop)) for name, start, stop in ranges]
    worst = max(parts, key=lambda part: part.error)
    component = _bisect(within, worst.start, worst.stop)
    return parts if network is not None else [], component


def _bisect(within: Callable[[int, int], tuple[Array, Array, Array]], start: int, stop: int) -> int:
    """Halve [start, stop), whose slope is wrong, down to one component that is."""
    while stop - start > 1:
        middle = (start + stop) // 2
        if agree(*within(start, middle)):
            start = middle
        else:
            stop = middle
    return start

"""The gradient check that says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Lambda
from chainrule.diagnosis.explain import Named, explain_by_pattern, explain_with_data, merge, norm
from chainrule.diagnosis.mistakes import MISTAKES
from chainrule.notes.gradient_check import (
    Objective,
    compare,
    evaluate,
    numerical_gradient,
)
from chainrule.notes.gradient_report import EVERY_COMPONENT, Finding, GradientReport
from chainrule.notes.network import Network


def check_gradient(
    objective: Objective,
    theta: npt.ArrayLike,
    *,
    network: Network | None = None,
    X: npt.ArrayLike | None = None,
    Y: npt.ArrayLike | None = None,
    lam: Lambda | None = None,
    epsilon: float | str = 1e-4,
    directions: int | None = None,
    seed: int = 0,
) -> GradientReport:
    """Check a gradient against a numerical one, and say which mistake a wrong one shows.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``: anyone's cost and gradient, D of theta's shape.
    theta : array of shape (n,)
        Where to check.  Random values within 1 are a good choice.
    network : Network, optional
        Adds the table by layer, and lets the diagnosis speak of layers.
    X : array of shape (m, s_1), optional
    Y : array of shape (m,) or (m, K), optional
    lam : float or sequence of L - 1 float, optional
        What the objective was given: with all of them, a wrong gradient is compared with those of
        the known mistakes and of pairs of them.  Without, the pattern alone speaks.
    epsilon : float or "auto", default=1e-4
        The notes' choice; ``"auto"`` takes the one with the smallest error of its own: the
        complex step where the function takes complex numbers, else a real one.
    directions : int, optional
        Compare the slopes along so many random directions (two evaluations each).  Default: every
        component (the notes' loop) of a theta of at most 2,000, else 5 directions.  Where these
        disagree, the layers and then ever smaller halves are compared, down to one component.
    seed : int, default=0
        Of the random directions.

    Returns
    -------
    GradientReport
        ``report.ok``; ``report.diagnosis``: mistakes with ``name``, ``evidence`` and ``note``,
        likeliest first; printable.

    Raises
    ------
    ValueError
        If D has another shape than theta, or J or D is not finite at theta.

    Notes
    -----
    Notes, *Gradient Checking*.

    Examples
    --------
    >>> from chainrule import Network, cost_and_gradient, random_theta
    >>> network = Network((2, 3, 2))
    >>> X, Y, theta = np.array([[0.0, 1.0], [2.0, 1.0]]), np.array([0, 1]), random_theta(network)
    >>> def cost(theta):
    ...     J, D = cost_and_gradient(network, theta, X, Y, lam=0.5)
    ...     return J, -D
    >>> report = check_gradient(cost, theta, network=network, X=X, Y=Y, lam=0.5)
    >>> report.ok, report.diagnosis[0].name
    (False, 'sign')
    """
    report = compare(
        objective,
        theta,
        epsilon=epsilon,
        directions=directions,
        seed=seed,
        network=network,
    )
    theta = np.array(theta, dtype=np.float64)
    steady = _not_deterministic(objective, theta)
    if report.ok and not steady:
        return report
    if steady:
        return replace(report, ok=False, diagnosis=findings([steady]))
    first = _not_a_mistake(objective, theta, report)
    explained: list[Named] = []
    if not first:
        J, D = evaluate(objective, theta)
        small = theta.size <= EVERY_COMPONENT
        numerical = numerical_gradient(objective, theta) if small else None
        if network is not None and X is not None and Y is not None:
            X = network.check_inputs(X).astype(np.float64)
            Y = network.check_targets(Y, len(X)).astype(np.float64)
            explained += explain_with_data(J, D, numerical, network, theta, X, Y, lam)
        if numerical is not None and not explained:
            explained += explain_by_pattern(D, numerical, theta, network)
        if not explained and compare(objective, 0 * theta, network=network).ok:
            zero = "the same check passes at theta = 0"
            explained.append([("right-only-at-zero", zero)])
    return replace(report, diagnosis=findings([*first, *explained]))


def findings(explained: Sequence[Named]) -> list[Finding]:
    """Return the mistakes in their order, each once, with their words and the notes' line."""
    return [
        Finding(name, *MISTAKES[name][:1], evidence, MISTAKES[name][1])
        for name, evidence in merge(explained)
    ][:8]


def _not_deterministic(objective: Objective, theta: Array) -> Named:
    values = [evaluate(objective, theta) for _ in range(3)]
    J, D = values[0]
    for other_J, other_D in values[1:]:
        if abs(other_J - J) > 1e-9 * abs(J) or norm(other_D - D) > 1e-9 * norm(D):
            evidence = f"at the same theta J was {J:.9g}, then {other_J:.9g}"
            return [("not-deterministic", evidence)]
    return []


def _not_a_mistake(objective: Objective, theta: Array, report: GradientReport) -> list[Named]:
    """Tell a kink and coarse arithmetic from a mistake."""
    rng = np.random.default_rng(1)
    nearby = theta + 1e-3 * rng.uniform(0.5, 1, theta.size) * rng.choice([-1, 1], theta.size)
    n_kinks = 0
    if report.directions is None:
        off = np.abs(report.D - report.numerical)
        worst = [int(i) for i in np.argsort(-off)[:5] if off[i] > 1e-6 * norm(report.D)]
        n_kinks = sum(_kink(objective, theta, i, report.J) for i in worst)
        if worst and n_kinks == len(worst) and compare(objective, nearby).ok:
            evidence = (
                f"the slopes to the left and right of component {worst[0]} differ however small "
                "epsilon is; a step of 0.001 aside the same check passes"
            )
            return [[("not-differentiable", evidence)]]
    noise = _noise(objective, theta, rng)
    if noise > 1e-12 * abs(report.J):
        wide = (3 * noise / max(abs(report.J), 1e-300)) ** (1 / 3)
        coarse = compare(objective, theta, epsilon=wide, directions=10)
        allowed = 100 * noise / wide + 10 * coarse.error_estimate
        if norm(coarse.D - coarse.numerical) <= np.sqrt(10) * allowed:
            evidence = (
                f"J is noisy by {noise:.1g}: at epsilon = {wide:.1g} the gradient agrees to within "
                "that noise; compute in float64"
            )
            return [[("precision", evidence)]]
    return []


def _kink(objective: Objective, theta: Array, i: int, J: float) -> bool:
    """Whether the one-sided slopes of J along component i differ at every epsilon."""
    gaps = []
    for epsilon in (1e-4, 1e-5, 1e-6):
        plus, minus = theta.copy(), theta.copy()
        plus[i] += epsilon
        minus[i] -= epsilon
        right, left = float(objective(plus)[0]) - J, J - float(objective(minus)[0])
        gaps.append(abs(right - left) / epsilon)
    return min(gaps) > 0.5 * max(gaps) > 0


def _noise(objective: Objective, theta: Array, rng: np.random.Generator) -> float:
    """Estimate the noise of J from differences of high order along a line.

    Differences of a smooth J vanish with their order; those of noise do not (More and Wild,
    *Estimating computational noise*, 2011).
    """
    along = rng.choice([-1.0, 1.0], theta.size)
    for h in 10.0 ** np.arange(-12, -4):
        values = np.array([float(objective(theta + i * h * along)[0]) for i in range(8)])
        if len(np.unique(values)) >= 5:
            break
    else:
        h = 0.0
    levels = []
    for order in range(1, 6):
        values = np.diff(values)
        if order >= 3:
            # the variance of the difference of this order is C(2 order, order) sigma^2
            choose = np.prod([(order + i) / i for i in range(1, order + 1)])
            levels.append(np.sqrt(np.mean(values**2) / choose))
    return float(np.median(levels))

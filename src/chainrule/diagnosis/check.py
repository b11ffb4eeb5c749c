"""The gradient check that says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Lambda
from chainrule.diagnosis.cost import UNKNOWN_J, Belief, Setting, believe
from chainrule.diagnosis.explain import Explanation, explain_with_data
from chainrule.diagnosis.facts import Region, advice, norm, sure_facts, wrong_parts
from chainrule.diagnosis.mistakes import LITTLE, UNKNOWN, Named, words
from chainrule.diagnosis.packing import place_of, places
from chainrule.diagnosis.pattern import explain_by_pattern
from chainrule.diagnosis.reading import merge
from chainrule.notes.gradient_check import (
    ROUNDING,
    Counted,
    Objective,
    Stop,
    compare,
    evaluate,
)
from chainrule.notes.gradient_report import Finding, GradientReport, part_of
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
    stop: Stop | None = None,
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
        Seed of the random directions.
    stop : callable, optional
        ``stop() -> bool``, asked before each evaluation; where it says yes, Stopped is raised.

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
    theta = np.array(theta, dtype=np.float64)
    objective = Counted(_one_number(objective), stop)
    unsteady = _unsteady(objective, theta) if theta.ndim == 1 and theta.size else []
    report = compare(
        objective,
        theta,
        epsilon=epsilon,
        directions=directions,
        seed=seed,
        network=network,
    )
    given = _given(network, theta, X, Y, lam)
    if unsteady:
        return replace(_unnamed(report), ok=False, diagnosis=_findings(unsteady, network))
    J, D = evaluate(objective, theta)
    numerical = report.numerical if report.directions is None else None
    beliefs = [] if given is None else believe(J, numerical, given)
    case = Case(objective, theta, network, given, report, J, D, numerical, beliefs)
    if constant := _constant(case):
        return replace(_unnamed(report), ok=False, diagnosis=_findings(constant, network))
    report = replace(_with_parts(case), about_J=about_J(case))
    if report.ok:
        return report
    if named := _unused(case) or _kinks(case) or _coarse(case):
        return replace(report, diagnosis=_findings(named, network))
    explanations = _explanations(case)
    if case.known is None and explanations and explanations[0].belief is not None:
        # J is not known, but D tells in which order theta is read
        case = replace(case, order=explanations[0].belief.problem.packing)
        report = replace(_with_parts(case), about_J=about_J(case))
    if reason := _right_all_the_same(case, explanations):
        return replace(report, ok=True, about_J=report.about_J or reason)
    return replace(report, diagnosis=_diagnosis(case, explanations))


@dataclass(frozen=True)
class Case:
    """What is known when a gradient has been compared."""

    objective: Objective
    theta: Array
    network: Network | None
    given: Setting | None  # None without X and Y
    report: GradientReport
    J: float
    D: Array
    numerical: Array | None  # None where directions were compared
    beliefs: list[Belief]
    order: str | None = None  # in which D was found to be written, where J does not tell

    @property
    def packing(self) -> str | None:
        """The order in which theta is read, where that is known."""
        return self.order if self.known is None else self.known.problem.packing

    @property
    def known(self) -> Belief | None:
        """What J is, where that is known."""
        return self.beliefs[0] if self.beliefs and self.beliefs[0].words != UNKNOWN_J else None

    @property
    def right(self) -> Array | None:
        """What D should be."""
        if self.numerical is not None or self.known is None:
            return self.numerical
        return self.known.gradient

    @property
    def noise(self) -> float:
        """What rounding in J may put into a numerical slope."""
        return ROUNDING * abs(self.J) / self.report.epsilon * (not self.report.complex_step)

    @property
    def regions(self) -> list[Region]:
        """The parts of theta: those of the network where J tells where they stand."""
        if self.packing is not None and self.given is not None:
            found = places(self.given.network, self.packing)
            return [Region(name, where.ravel(), where.shape) for name, where in found]
        if self.report.parts and self.report.directions is None:
            return [Region(p.name, np.arange(p.start, p.stop)) for p in _unnamed(self.report).parts]
        return [Region(f"components 0 to {len(self.D) - 1}", np.arange(len(self.D)))]

    @property
    def wrong(self) -> list[bool]:
        """Whether D is wrong in each region; in all where that is not known."""
        if self.right is None:
            return [True] * len(self.regions)
        return wrong_parts(self.D, self.right, self.regions)


def _explanations(case: Case) -> list[Explanation]:
    if not case.D.any():
        return [Explanation([("gradient-zero", "D is all zeros, J's slope is not")], 1)]
    if case.given is not None:
        return explain_with_data(case.D, case.beliefs, case.given, np.array(case.wrong))
    if case.numerical is None:
        return []
    named = explain_by_pattern(case.D, case.numerical, case.theta, case.network)
    return [Explanation(named, 1)] if named else []


def _right_all_the_same(case: Case, explanations: list[Explanation]) -> str:
    """Return why D is right although it differs from the numerical gradient, if it is."""
    if case.known is not None:
        to_rounding = any(not explanation.named for explanation in explanations)
        return EXACT if to_rounding else ""
    return NEARLY if not explanations and _next_to_right(case) else ""


def _diagnosis(case: Case, explanations: list[Explanation]) -> list[Finding]:
    """Return the mistakes; where none explains all of D, what is sure and what to try."""
    found = _findings(merge([e.named for e in explanations]), case.network)
    if explanations and not explanations[0].in_part:
        return found
    facts = ["D differs"]
    if case.right is not None:
        facts = sure_facts(case.D, case.right, case.theta, case.regions, case.known)
    said, _ = words(UNKNOWN, case.network)
    if case.given is None:
        said = f"{LITTLE}; give network, X, Y and lam"
    L = case.network.L if case.known and case.network else None
    unknown = Finding(UNKNOWN, said, "; ".join(facts), advice(case.wrong, case.regions, L))
    return [*(replace(part, words=f"in part: {part.words}") for part in found), unknown]


def _one_number(objective: Objective) -> Objective:
    """Let J be any array of one element."""

    def one(theta: Array) -> tuple[float, Array]:
        J, D = objective(theta)
        return (J if np.ndim(J) == 0 else np.asarray(J).reshape(()).item()), D

    return one


def _given(
    network: Network | None,
    theta: Array,
    X: npt.ArrayLike | None,
    Y: npt.ArrayLike | None,
    lam: Lambda | None,
) -> Setting | None:
    if network is None or X is None or Y is None:
        return None
    X = network.check_inputs(X).astype(np.float64)
    Y = network.check_targets(Y, len(X)).astype(np.float64)
    return Setting(network, theta, X, Y, lam)


def _findings(named: Named, network: Network | None) -> list[Finding]:
    """Return the mistakes with their words and the notes' line."""
    found = []
    for name, evidence in named:
        said, note = words(name, network)
        found.append(Finding(name, said, evidence, note))
    return found


def about_J(case: Case) -> str:
    """Say whether J is the notes' J, in a sentence; nothing where it is."""
    known, given = case.known, case.given
    if given is None or given.lam is None or (known and known.sure and not known.words):
        return ""
    notes = given.problem(case.packing or "columns").J(given.notes)
    if known is not None and known.harmless:
        return f"J is the notes' J {known.words}: harmless"
    said = f"J = {case.J:.6g}; the notes' J here is {notes:.6g}"
    if known is not None and not known.words:
        differs = abs(case.J - notes) > 1e-5 * abs(notes)
        return f"{said}. Its gradient is that of the notes' J" if differs else ""
    if case.packing is None:
        return f"{said}, if theta is read column by column"
    return said if known is None else f"{said}. J is the notes' J {known.words}"


def _unnamed(report: GradientReport) -> GradientReport:
    """Return the report with a table that does not say which part is which."""
    parts = [
        replace(part, name=f"components {part.start} to {part.stop - 1}") for part in report.parts
    ]
    return replace(report, parts=parts)


def _with_parts(case: Case) -> GradientReport:
    """Return the report with its table in the order in which J was found to read theta."""
    report, D, right = case.report, case.D, case.right
    if case.packing is None or right is None:
        return _unnamed(report)
    if report.directions is None and case.given is not None:
        report = replace(report, place=place_of(case.given.network, case.packing, report.where))
    if case.packing == "columns":
        return report
    parts = []
    for region in case.regions:
        components = np.sort(region.where)
        start, stop = int(components[0]), int(components[-1]) + 1
        noise = np.full(len(components), case.noise)
        part = part_of(region.name, start, stop, D[components], right[components], noise)
        apart = components.tolist() if stop - start > len(components) else None
        parts.append(replace(part, ok=part.ok or report.ok, components=apart))
    return replace(report, parts=parts)


def _unsteady(objective: Objective, theta: Array) -> Named:
    """Name what is not the same from call to call."""
    calls = [evaluate(objective, theta) for _ in range(3)]
    (J, D), *others = calls
    J_stays = all(abs(other - J) <= 1e-9 * abs(J) for other, _ in others)
    D_stays = all(norm(other - D) <= 1e-9 * norm(D) for _, other in others)
    if J_stays and D_stays:
        return []
    if not J_stays:
        told = "D stays" if D_stays else "D changes too"
        evidence = f"at the same theta J was {J:.9g}, then {others[0][0]:.9g}; {told}"
        return [("not-deterministic", evidence)]
    D_2, D_3 = others[0][1], others[1][1]
    evidence = f"at the same theta J stays {J:.9g} and D changes"
    if norm((D_3 - D_2) - (D_2 - D)) > 1e-9 * norm(D_3):
        return [("not-deterministic", evidence)]
    multiple = norm(D_2 - 2 * D) <= 1e-9 * norm(D_2)
    told = "D(n) = n D(1) at the n-th call" if multiple else "it grows by the same at each call"
    return [("gradient-accumulates", f"{evidence}: {told}")]


NEAR = 2e-5  # of |D|: what a constant of 1e-7 inside a logarithm may change
NEARLY = (
    "D is the gradient of a J that is nearly this one, with a small constant inside its "
    "logarithm, say: harmless"
)
EXACT = "J and D are the notes' to rounding; the numerical gradient is less exact here"


def _next_to_right(case: Case) -> bool:
    """Whether D is the gradient of something that differs from J by next to nothing.

    D is a gradient where its derivative is symmetric: u' D'(theta) v = v' D'(theta) u.
    """
    D, theta = case.D, case.theta
    if case.numerical is None or norm(D - case.numerical) > NEAR * norm(D):
        return False
    rng, h = np.random.default_rng(3), 1e-4

    def along(u: Array, v: Array) -> float:
        plus, minus = case.objective(theta + h * v)[1], case.objective(theta - h * v)[1]
        return float(u @ (np.asarray(plus, dtype=float) - np.asarray(minus, dtype=float)))

    for _ in range(3):
        u, v = rng.choice([-1.0, 1.0], size=(2, theta.size))
        one, other = along(u, v), along(v, u)
        if abs(one - other) > 1e-7 * (abs(one) + abs(other) + h * norm(D)):
            return False
    return True


def _unused(case: Case) -> Named:
    """Name a Theta(l) that J does not depend on."""
    if case.known is not None or case.network is None or case.numerical is None:
        return []
    found, stop = [], 0
    for l, (out, columns) in enumerate(case.network.shapes, start=1):
        start, stop = stop, stop + out * columns
        if np.abs(case.numerical[start:stop]).max() <= case.noise:
            found.append(f"components {start} to {stop - 1}, Theta({l}),")
    if not found or len(found) == case.network.L - 1:
        return []
    return [("parameters-unused", f"the numerical gradient of {' and '.join(found)} is 0")]


def _constant(case: Case) -> Named:
    """Name a J that is the same wherever theta is, and a D that is then 0 too."""
    if np.abs(case.report.numerical).max() > ROUNDING * abs(case.J) / case.report.epsilon:
        return []
    rng = np.random.default_rng(2)
    for size in (0.1, 1.0, 3.0, 10.0):
        with np.errstate(all="ignore"):
            J = float(case.objective(case.theta + size * rng.normal(size=case.theta.size))[0])
        if not abs(J - case.J) <= 1e-15 * abs(case.J):
            return []
    constant = [("cost-constant", f"J is {case.J:.6g} at this theta and at any other")]
    return constant if case.D.any() else [*constant, ("gradient-zero", "D is all zeros")]


def _kinks(case: Case) -> Named:
    """Tell a kink of J at this theta from a mistake."""
    if case.numerical is None:
        return []
    rng, theta = np.random.default_rng(1), case.theta
    nearby = theta + 1e-3 * rng.uniform(0.5, 1, theta.size) * rng.choice([-1, 1], theta.size)
    off = np.abs(case.D - case.numerical)
    worst = [int(i) for i in np.argsort(-off)[:5] if off[i] > 1e-6 * norm(case.D)]
    if not worst or not all(_kink(case.objective, theta, i, case.J) for i in worst):
        return []
    if not compare(case.objective, nearby).ok:
        return []
    evidence = (
        f"the slopes to the left and right of component {worst[0]} differ however small "
        "epsilon is; a step of 0.001 aside the same check passes"
    )
    return [("not-differentiable", evidence)]


def _coarse(case: Case) -> Named:
    """Tell coarse arithmetic from a mistake."""
    objective, J = case.objective, case.J
    noise = _noise(objective, case.theta, np.random.default_rng(2))
    if noise <= 1e-12 * abs(J):
        return []
    wide = (3 * noise / max(abs(J), 1e-300)) ** (1 / 3)
    coarse = compare(objective, case.theta, epsilon=wide, directions=10)
    allowed = 100 * noise / wide + 10 * coarse.error_estimate
    if norm(coarse.D - coarse.numerical) > np.sqrt(10) * allowed:
        return []
    evidence = (
        f"J is noisy by {noise:.1g}: at epsilon = {wide:.1g} the gradient agrees to within "
        "that noise; compute in float64"
    )
    return [("precision", evidence)]


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

"""What the learner's J is: the notes' J, read in one order or another, or one that differs from it.

J is one number, and the notes' J for the same theta, X, Y and lambda is another.  Where they are
equal, the order in which theta is read is known.  Where they are not, the usual departures are
tried: another activation or cost, other labels, another factor before the sum over the examples or
before the penalty.  What matches J to rounding is believed; else the numerical gradient has to say
what J is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, permutations, product

import numpy as np

from chainrule.common.types import Array, Lambda
from chainrule.diagnosis.fit import FLOOR, left_over, solve
from chainrule.diagnosis.packing import PACKINGS
from chainrule.diagnosis.problem import DELTA, DELTA_BIAS, Problem
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.costs import COSTS, Cost, softmax
from chainrule.notes.network import Network

UNKNOWN_J = "unknown"
SAME = 1e-10  # of |J|: what two ways to compute the same J may differ
NOISY = 1e-6  # the same where one of them is computed in float32
GUARDS = tuple(10.0**-power for power in range(2, 13))  # constants inside a logarithm


@dataclass(frozen=True)
class Belief:
    """What J is taken to be.

    Attributes
    ----------
    problem : Problem
    k : ndarray of shape (3,)
        The coefficients of Delta, weights and biases in J's own gradient.
    words : str
        How this J differs from the notes'; empty where it does not.
    extra : list of (str, str)
        The mistakes, with their evidence, that are made if D is measured against this J.
    doubt : float
    harmless : bool
        Whether J is the notes' but for a constant inside its logarithm.
    sure : bool
        Whether J's value says so, not only the numerical gradient.
    """

    problem: Problem
    k: Array
    words: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    doubt: float = 0.0
    harmless: bool = False
    sure: bool = True

    @property
    def gradient(self) -> Array:
        """J's own gradient."""
        k = self.k
        return np.asarray(self.problem.terms().columns @ np.array([k[0], k[1], k[2], 0, k[0]]))


@dataclass(frozen=True)
class Reading:
    """A network that J may be the cost of."""

    network: Network
    words: str = ""
    mistake: str = ""
    tie: Callable[[list[Array]], list[Array]] | None = None
    tie_penalty: bool = False


def near(x: float, y: float) -> bool:
    """Whether two coefficients are the same but for the error of a numerical gradient."""
    return abs(x - y) <= 1e-4 * max(abs(x), abs(y)) or abs(x - y) < 1e-12


def readings(network: Network) -> Iterator[Reading]:
    """Yield the network itself, then those that learners' J may be the cost of in its place."""
    yield Reading(network)
    own = {g.name for g in network.activations}
    for g in ACTIVATIONS.values() if own else ():
        if own != {g.name}:
            linear = g.name == "identity"
            words = "without g in the hidden layers" if linear else f"with {g.name} hidden units"
            mistake = "forward-without-g" if linear else ""
            yield Reading(replace(network, hidden=g), words, mistake)
    cost = network.cost
    for other in COSTS.values():
        if other.name != cost.name and cost.targets in ("classes", "distribution"):
            kind = "linear" if other.name == "identity" else other.name
            yield Reading(replace(network, output=other), f"with {kind} output units")
    if cost.name == "softmax":
        words = "with the softmax taken along the examples"
        for less in (0, 1):  # or of what is left when each example's largest z is taken off
            along = Cost("softmax", _along_examples(less), _cross_entropy(_along_examples(less)))
            yield Reading(replace(network, output=along), words, "softmax-axis")
    if cost.name in ("sigmoid", "softmax"):
        squared = replace(cost, per_example=_squared(cost), delta=_squared_slope(cost))
        yield Reading(replace(network, output=squared), "as the squared error")
    if cost.name == "sigmoid":
        half = replace(cost, per_example=_half, delta=lambda h, Y: -Y * (1 - h))
        words = "with only y log h, without (1 - y) log(1 - h)"
        yield Reading(replace(network, output=half), words)


def tied(network: Network) -> Iterator[Reading]:
    """Yield the network with one layer's matrix, or its weights, in the place of another's."""
    for one, into in permutations(range(network.L - 1), 2):
        if network.shapes[one] == network.shapes[into]:
            for part, columns in (("Theta", slice(None)), ("the weights of Theta", slice(1, None))):

                def tie(Thetas: list[Array], one=one, into=into, columns=columns) -> list[Array]:  # type: ignore[no-untyped-def]
                    copied = Thetas[into].copy()
                    copied[:, columns] = Thetas[one][:, columns]
                    return [copied if l == into else T for l, T in enumerate(Thetas)]

                words = f"with {part}({one + 1}) in the place of Theta({into + 1})"
                for penalty, too in ((False, ""), (True, ", in the penalty too")):
                    yield Reading(network, words + too, "parameters-unused", tie, penalty)


def _along_examples(less: int) -> Callable[[Array], Array]:
    return lambda z: softmax((z - less * z.max(axis=1, keepdims=True)).T).T


def _cross_entropy(g: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda z, Y: np.asarray(-(Y * np.log(g(z))).sum(axis=1))


def _half(z: Array, Y: Array) -> Array:
    return np.asarray((Y * np.logaddexp(0, -z)).sum(axis=1))


def _squared(cost: Cost) -> Callable[[Array, Array], Array]:
    return lambda z, Y: np.asarray(((cost.g(z) - Y) ** 2).sum(axis=1) / 2)


def _squared_slope(cost: Cost) -> Callable[[Array, Array], Array]:
    def delta(h: Array, Y: Array) -> Array:
        e = (h - Y) * h
        return (
            np.asarray(e * (1 - h))
            if cost.name == "sigmoid"
            else e - h * e.sum(axis=1, keepdims=True)
        )

    return delta


def labels(Y: Array, classes: bool) -> Iterator[tuple[str, Array]]:
    """Yield Y, then what learners make of it."""
    yield "", Y
    if not classes:
        return
    yield "with labels that are 1 for 0 and 0 for 1", 1 - Y
    yield "with the first example's label for all", np.broadcast_to(Y[:1], Y.shape)
    yield "with the last example's label for all", np.broadcast_to(Y[-1:], Y.shape)
    if Y.shape[1] > 1:
        for by in (1, -1):
            yield f"with the classes moved by {by:+d}", np.roll(Y, by, axis=1)
            yield f"with the labels moved by {by:+d}, one class lost", _lost(Y, by)
        along = "with labels built along the wrong axis"
        yield along, Y.T.reshape(Y.shape)
        yield along, Y.ravel().reshape(Y.shape, order="F")
        yield "with 1 at every class", np.ones_like(Y)
    yield "without any label (all y are 0)", np.zeros_like(Y)


def _lost(Y: Array, by: int) -> Array:
    out = np.roll(Y, by, axis=1)
    out[:, 0 if by > 0 else -1] = 0
    return out


def factors(m: float, K: int, lam: float) -> Iterator[tuple[list[str], Array]]:
    """Yield the notes' coefficients of a gradient, then those of J as learners write it.

    Each comes with how it departs from the notes', a phrase for each departure.
    """
    data = {
        "": 1 / m,
        "summed over the examples, without 1/m": 1.0,
        "divided by K too": 1 / (m * K),
        "divided by m twice": 1 / m**2,
        "doubled": 2 / m,
        "halved": 1 / (2 * m),
        "with the sign changed": -1 / m,
        "doubled and divided by K": 2 / (m * K),
        "doubled, without 1/m": 2.0,
    }
    penalty = {
        "": lam / m,
        "with no penalty": 0.0,
        "with lambda/m before the penalty": 2 * lam / m,
        "with lambda/2 before the penalty": lam,
        "with lambda before the penalty": 2 * lam,
        "with lambda/(4m) before the penalty": lam / (2 * m),
        "with the penalty subtracted": -lam / m,
        "with a penalty without lambda": 1 / m,
    }
    for (data_words, a), (words, b), bias in product(data.items(), penalty.items(), (False, True)):
        too = "with the bias in the penalty" if bias else ""
        told = [part for part in (data_words, words, too) if part]
        yield told, np.array([a, b, b if bias else 0.0])
        if data_words and not (words or bias):
            # A factor before the whole of J is as simple as one before the data's part
            yield [f"{data_words}, the penalty too"], a * m * np.array([1 / m, lam / m, 0.0])


@dataclass(frozen=True)
class Setting:
    """What `check_gradient` was told beside the function."""

    network: Network
    theta: Array
    X: Array
    Y: Array
    lam: Lambda | None

    @property
    def m(self) -> float:
        """The number of examples."""
        return float(len(self.X))

    @property
    def lams(self) -> Array:
        """Lambda of each Theta(l)."""
        lam = 0.0 if self.lam is None else np.asarray(self.lam, dtype=float)
        return np.broadcast_to(lam, self.network.L - 1)

    @property
    def mean_lam(self) -> float:
        """Their mean."""
        return float(self.lams.mean())

    @property
    def notes(self) -> Array:
        """The notes' coefficients of Delta, weights and biases."""
        return np.array([1 / self.m, self.mean_lam / self.m, 0.0])

    def problem(self, packing: str, reading: Reading | None = None) -> Problem:
        """Read theta in an order, and propagate forward."""
        mean = self.mean_lam
        shares = self.lams / mean if mean else np.ones(self.network.L - 1)
        reading = reading or Reading(self.network)
        ties = reading.tie, reading.tie_penalty
        return Problem.at(reading.network, self.theta, self.X, self.Y, packing, shares, *ties)


def believe(J: float, numerical: Array | None, given: Setting) -> list[Belief]:
    """Return what J may be, likeliest first."""
    exact = _by_value(J, given) or _guarded(J, given)
    if exact is None and numerical is not None:
        exact = _nearly(J, given) or _by_gradient(numerical, given)
    if exact is None:
        notes = given.problem("columns").J(given.notes)
        words = "J is made of other terms than the notes' J"
        if numerical is None:
            words = f"J is {J:.6g}, the notes' J is {notes:.6g}"
        wrong = (("cost-inconsistent", words),)
        problems = [given.problem(packing) for packing in PACKINGS]
        return [Belief(p, given.notes, UNKNOWN_J, wrong, sure=False) for p in problems]
    if not exact.words or exact.harmless:
        return [exact]
    mean = given.network.cost.name == "identity" and near(exact.k[0] * given.m * given.network.K, 1)
    # A mean over the outputs of a squared error is a usual J: then it is D that lacks the factor.
    # Any other J that is not the notes' is likelier itself the mistake than a D that is theirs.
    usual = mean and given.network.K > 1
    theirs = Belief(
        given.problem(exact.problem.packing),
        given.notes,
        exact.words,
        (("cost-inconsistent", f"J is the notes' J {exact.words}"),),
        0.5 if usual else 0.0,
    )
    own = replace(exact, doubt=0.0 if usual else 0.5)
    return [own] if given.lam is None else [own, theirs]


def is_notes_J(J: float, given: Setting) -> bool:
    """Whether J is the notes' J, in whichever order theta is read."""
    allowed = SAME * abs(J)
    return any(abs(given.problem(p).J(given.notes) - J) <= allowed for p in PACKINGS)


def _by_value(J: float, given: Setting) -> Belief | None:
    """Find the J of the simplest words that is equal to the learner's."""
    single = float(np.float32(J)) == J
    allowed = (NOISY if single else SAME) * abs(J)
    most = 1 if single else 2
    found: list[tuple[int, Belief]] = []
    coefficients = list(factors(given.m, given.network.K, given.mean_lam))
    table = np.array([k for _, k in coefficients])
    for reading in chain(readings(given.network), tied(given.network)):
        classes = reading.network.cost.targets in ("classes", "distribution")
        for packing in PACKINGS:
            problem = given.problem(packing, reading)
            weights, biases = problem.squares
            for label_words, Y in labels(given.Y, classes and not reading.words):
                relabelled = replace(problem, Y=Y)
                with np.errstate(all="ignore"):
                    costs = relabelled.costs.sum()
                Js = table @ np.array([costs, weights / 2, biases / 2])
                for i in np.flatnonzero(np.abs(Js - J) <= allowed):
                    told = [w for w in (reading.words, label_words, *coefficients[i][0]) if w]
                    if len(told) <= most:
                        found.append((len(told), _belief(relabelled, table[i], told, reading)))
                    if not told:
                        return found[-1][1]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _belief(
    problem: Problem, k: Array, told: list[str], reading: Reading, sure: bool = True
) -> Belief:
    words = "; ".join(told)
    extra = ((reading.mistake, f"J is the notes' J {words}"),) if reading.mistake else ()
    return Belief(problem, k, words, extra, sure=sure)


def _guarded(J: float, given: Setting) -> Belief | None:
    """Find a J whose logarithms have a small constant inside."""
    cost = given.network.cost
    if cost.name not in ("sigmoid", "softmax"):
        return None
    for packing in PACKINGS:
        problem = given.problem(packing)
        h, rest = problem.a[given.network.L], problem.J(given.notes) - problem.costs.sum() / given.m
        for guard, (first, second) in product(GUARDS, ((1, 1), (1, 0), (0, 1))):
            with np.errstate(all="ignore"):
                terms = given.Y * np.log(h + guard * first)
                if cost.name == "sigmoid":
                    terms = terms + (1 - given.Y) * np.log(1 - h + guard * second)
            if abs(rest - terms.sum() / given.m - J) <= SAME * abs(J):
                words = f"with a constant of {guard:g} inside its logarithm"
                return Belief(problem, given.notes, words, harmless=True)
    return None


def _nearly(J: float, given: Setting) -> Belief | None:
    """Find the notes' J, computed in float32 on the way."""
    for packing in PACKINGS:
        problem = given.problem(packing)
        if abs(problem.J(given.notes) - J) <= NOISY * abs(J):
            return Belief(problem, given.notes, sure=False)
    return None


def _by_gradient(numerical: Array, given: Setting) -> Belief | None:
    """Find what J is made of from its numerical gradient."""
    for reading in readings(given.network):
        classes = reading.network.cost.targets in ("classes", "distribution")
        for packing in PACKINGS:
            problem = given.problem(packing, reading)
            for label_words, Y in labels(given.Y, classes and not reading.words):
                relabelled = replace(problem, Y=Y)
                terms = relabelled.terms()
                columns = terms.columns[:, :3].copy()
                columns[:, DELTA] += terms.columns[:, DELTA_BIAS]
                c = solve(columns, numerical)
                left = left_over(numerical, columns @ c, np.zeros_like(terms.layout.layers))[0]
                if left < 1e-5 and c[0] > 0 and len(numerical) >= 6:
                    return _snapped(relabelled, c, columns, reading, label_words, given)
    return None


def _snapped(
    problem: Problem, c: Array, columns: Array, reading: Reading, label_words: str, given: Setting
) -> Belief:
    """Return the belief in coefficients from a numerical gradient, the usual ones made exact."""
    size = np.linalg.norm(columns @ c)
    c = np.where(np.abs(c) * np.linalg.norm(columns, axis=0) < max(1e-5, FLOOR) * size, 0, c)
    told = ["but with the gradient {:.6g} Delta + {:.6g} Theta + {:.6g} bias".format(*c)]
    told[0] += ", not {:.6g} Delta + {:.6g} Theta".format(*given.notes[:2])
    for words, k in factors(given.m, given.network.K, given.mean_lam):
        if all(near(a, b) for a, b in zip(c, k, strict=True)):
            c, told = k, words
            break
    if given.lam is None and near(c[0], 1 / given.m):
        told = []
    told = [w for w in (reading.words, label_words, *told) if w]
    return _belief(problem, c, told, reading, sure=False)

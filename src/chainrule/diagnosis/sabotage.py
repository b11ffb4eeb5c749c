"""Networks whose backpropagation somebody has changed: what a check says can then be compared.

The mistakes are the slips that a diagnosis looks for, as far as they can be written as a program,
and those that it reads from factors: 1/m, lambda, a sign.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.diagnosis.check import check_gradient
from chainrule.diagnosis.lines import Slip
from chainrule.diagnosis.problem import BIASES, DELTA, DELTA_BIAS, WEIGHTS, Problem
from chainrule.diagnosis.program import program
from chainrule.diagnosis.slips import go_together, in_one_layer, tried_slips
from chainrule.notes.gradient_check import Objective, Stop
from chainrule.notes.gradient_report import GradientReport
from chainrule.notes.network import Network

LEVELS = (1, 2, 3)  # a line in all layers, a line of one layer, two lines
SAME = 1e-6  # of |D|: two gradients that are closer are one
TRIES = 40  # pairs whose diagnosis is looked at until one is named as it is


def _times(data: Callable[[Problem], float], penalty: float, bias: float | None = None) -> Any:
    """Multiply Delta and lambda's part of D by factors; ``bias``: lambda's factor of the bias."""

    def wrong(right: Any, problem: Problem, l: int, lam: float) -> Array:
        k = right(l, lam)
        k[[DELTA, DELTA_BIAS]] *= data(problem)
        k[WEIGHTS] *= penalty
        k[BIASES] = 0 if bias is None else bias * lam
        return np.asarray(k)

    return wrong


def _on_gradient(right: Any, problem: Problem, l: int, lam: float) -> Array:
    k = right(l, lam)
    k[DELTA] += lam / len(problem.Y)
    k[WEIGHTS] = 0
    return np.asarray(k)


def _one(problem: Problem) -> float:
    return 1.0


def _two(problem: Problem) -> float:
    if 2 in (problem.network.K, len(problem.Y)):
        raise ValueError("two is a factor with another name here")
    return 2.0


# What a diagnosis reads from factors: D(l) := 1/m (Delta(l) + lambda Theta(l)) written wrong.  The
# line is m D(l)'s coefficients of Delta, the weights, the biases, a constant, and Delta's biases.
# fmt: off
FACTORS: tuple[Slip, ...] = (
    Slip("sign", "output", "delta(L) = y - a", lambda f, p, h, Y, z: -f(h, Y, z),
         code="{Y} - {h}"),
    Slip("missing-1-over-m", "D", "1/m is missing", _times(lambda p: len(p.Y), 1),
         code="{Delta} + lam / m * {penalty}"),
    Slip("extra-1-over-m", "D", "1/m twice", _times(lambda p: 1 / len(p.Y), 1),
         code="({Delta} / m + lam * {penalty}) / m"),
    Slip("wrong-factor", "D", "2 Delta", _times(_two, 1),
         code="(2 * {Delta} + lam * {penalty}) / m"),
    Slip("outputs-factor", "D", "Delta / K", _times(lambda p: 1 / p.network.K, 1),
         code="({Delta} / {K} + lam * {penalty}) / m"),
    Slip("lambda-forgotten", "D", "no lambda Theta", _times(_one, 0), code="{Delta} / m"),
    Slip("lambda-factor", "D", "lambda/2", _times(_one, 0.5),
         code="({Delta} + lam / 2 * {penalty}) / m"),
    Slip("lambda-subtracted", "D", "- lambda Theta", _times(_one, -1),
         code="({Delta} - lam * {penalty}) / m"),
    Slip("lambda-on-gradient", "D", "lambda Delta in place of lambda Theta", _on_gradient,
         code="({Delta} + lam / m * no_bias({Delta})) / m"),
    Slip("bias-regularised", "D", "lambda Theta with its bias column", _times(_one, 1, 1),
         code="({Delta} + lam * {Theta}) / m"),
)
# fmt: on


def objective(
    network: Network, X: Array, Y: Array, lam: float, slips: Sequence[Slip] = ()
) -> Objective:
    """Return the notes' J with a gradient in which slips are made.

    Parameters
    ----------
    network : Network
    X : ndarray of shape (m, s_1)
    Y : ndarray of shape (m, K)
    lam : float
    slips : sequence of Slip

    Returns
    -------
    callable
        ``objective(theta) -> (J, D)``; it raises ValueError, IndexError or KeyError where the
        network's shapes forbid a slip.

    Examples
    --------
    >>> from chainrule import check_gradient, random_theta
    >>> from chainrule.diagnosis.slips import SLIPS
    >>> network, X, Y = Network((2, 3, 1)), np.array([[0.5, 1.0], [2.0, 1.0]]), np.array([[0], [1]])
    >>> wrong = objective(network, X, Y, 1.0, SLIPS[:1])
    >>> report = check_gradient(wrong, random_theta(network), network=network, X=X, Y=Y, lam=1.0)
    >>> report.diagnosis[0].name
    'activation-derivative-missing'
    """
    lines = [slip for slip in slips if slip.line != "D"]
    factors = [slip for slip in slips if slip.line == "D"]
    m, layers = len(Y), range(1, network.L)

    def right(l: int, lam: float) -> Array:
        return np.array([1.0, lam, 0.0, 0.0, 1.0])

    def J_and_D(theta: Array) -> tuple[float, Array]:
        problem = Problem.at(network, theta, X, Y, "columns", np.ones(network.L - 1))
        terms = problem.terms(lines)
        k = np.array([right(l, lam) for l in layers])
        for slip in factors:
            for l in layers:
                if slip.layer in (None, l):
                    k[l - 1] = slip.wrong(right, problem, l, lam)
        D = (terms.columns * k[terms.layout.layers - 1]).sum(axis=1) / m
        return problem.J(right(1, lam) / m), D

    return J_and_D


@dataclass(frozen=True, eq=False)
class Workshop:
    """A network with its examples, at one theta, in whose program slips can be made.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (network.size,)
    X : ndarray of shape (m, s_1)
    Y : ndarray of shape (m, K)
    lam : float

    Examples
    --------
    >>> from chainrule import random_theta
    >>> network = Network((2, 3, 1))
    >>> X, Y = np.array([[0.5, 1.0], [2.0, 1.0], [1.0, 0.0]]), np.array([[0.0], [1.0], [1.0]])
    >>> workshop = Workshop(network, random_theta(network), X, Y, 1.0)
    >>> [slip] = workshop.drawn(level=1, seed=3)
    >>> workshop.check([slip]).diagnosis[0].name in workshop.names(slip)
    True
    """

    network: Network
    theta: Array
    X: Array
    Y: Array
    lam: float

    def objective(self, slips: Sequence[Slip] = ()) -> Objective:
        """Return J with a gradient in which slips are made."""
        return objective(self.network, self.X, self.Y, self.lam, slips)

    def check(
        self, slips: Sequence[Slip] = (), epsilon: float = 1e-4, stop: Stop | None = None
    ) -> GradientReport:
        """Return what `check_gradient` says of them."""
        return check_gradient(
            self.objective(slips),
            self.theta,
            network=self.network,
            X=self.X,
            Y=self.Y,
            lam=self.lam,
            epsilon=epsilon,
            stop=stop,
        )

    @cached_property
    def slips(self) -> list[Slip]:
        """The slips that change D here and can be written: in all layers, then in one layer."""
        return [slip for slip, _ in self._gradients]

    def names(self, slip: Slip) -> list[str]:
        """Return what a slip is called; several names where others are the same function here."""
        D = next(D for other, D in self._gradients if other.words == slip.words)
        alike = [other.name for other, E in self._gradients if _near(D, E)]
        return list(dict.fromkeys([slip.name, *alike]))

    def drawn(self, level: int, seed: int) -> list[Slip]:
        """Draw slips that a check names: one in all layers, one in a single layer, or two.

        Parameters
        ----------
        level : int
            One of `LEVELS`.
        seed : int
            The same slips each time.

        Returns
        -------
        list of Slip

        Raises
        ------
        ValueError
            If this network has none.
        """
        draw = random.Random(f"{level} {seed}")
        for _, slips in zip(range(TRIES), self._candidates(level, draw), strict=False):
            if self._named_as_they_are(slips):
                return slips
        raise ValueError(
            f"no mistake of level {level} can be named in this network: take more layers, or "
            "another level"
        )

    @cached_property
    def _gradients(self) -> list[tuple[Slip, Array]]:
        """The slips with the D that each makes."""
        _, right = self.objective()(self.theta)
        text = program(self.network)
        found = []
        for slip in _all(self.network.L):
            try:
                written = program(self.network, [slip])
                with np.errstate(all="ignore"):
                    _, D = self.objective([slip])(self.theta)
            except (ValueError, IndexError, KeyError):
                continue  # the network's shapes forbid it, or it is more than an expression
            if np.isfinite(D).all() and not _near(D, right) and written != text:
                found.append((slip, D))
        return found

    def _candidates(self, level: int, draw: random.Random) -> Iterator[list[Slip]]:
        """Yield what may be drawn, each name as often as any other."""
        single = [slip for slip in self.slips if level == 3 or (slip.layer is None) == (level == 1)]
        names = sorted({slip.name for slip in single})
        while names:
            some = draw.sample(names, min(len(names), 2 if level == 3 else 1))
            slips = [draw.choice([slip for slip in single if slip.name == n]) for n in some]
            if level < 3 or (len(slips) == 2 and _apart(*slips)):
                yield slips

    def _named_as_they_are(self, slips: list[Slip]) -> bool:
        try:
            found = [finding.name for finding in self.check(slips).diagnosis[: len(slips)]]
        except (ValueError, IndexError, KeyError):  # two that cannot be made together
            return False
        called = [self.names(slip) for slip in slips]
        return len(found) == len(slips) and all(set(found) & set(names) for names in called)


def _near(D: Array, E: Array) -> bool:
    return bool(np.linalg.norm(D - E) <= SAME * (np.linalg.norm(D) + np.linalg.norm(E)))


def _all(L: int) -> Iterator[Slip]:
    """Yield all slips that have a program's line, for a network of L layers."""
    for slip in FACTORS:
        yield slip
        yield from in_one_layer(slip, L)
    for slip in tried_slips(L):
        if slip.code is not None:
            yield slip


def _apart(one: Slip, other: Slip) -> bool:
    """Whether two slips stand in lines of their own."""
    both = {one.line, other.line}
    return go_together(one, other) and len(both) == 2 and both != {"D", "penalty"}

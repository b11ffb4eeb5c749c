"""What explains a wrong gradient: slips, and the coefficients of the terms it is made of.

The learner's D is fitted by its terms, for the notes' own lines, for each known slip and for each
pair of slips; where a fit leaves nothing over, the slips and the coefficients are the explanation.
A factor such as 1/m, a lambda forgotten or a wrong sign needs no slip: the coefficients tell.

A mistake is named only where it explains D to rounding.  One that leaves a tenth of what the notes'
own lines leave, and makes no part wrong that is right, is named as a part of the explanation.
Anything else is left unnamed, however much of D it may explain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.diagnosis.cost import UNKNOWN_J, Belief, Setting
from chainrule.diagnosis.examples import by_example, by_output
from chainrule.diagnosis.fit import SINGLE, fits, left_over, precision, unexplained, wrong_layers
from chainrule.diagnosis.lines import Slip, without_bias
from chainrule.diagnosis.mistakes import Named
from chainrule.diagnosis.packing import PACKINGS, numbered, read_in
from chainrule.diagnosis.problem import MOVING, Problem, Terms, drawn
from chainrule.diagnosis.reading import merge, read, signed
from chainrule.diagnosis.slips import OTHER, WRITTEN, go_together, tried_slips

PAIRS_WORK = 10_000_000  # rows times weights up to which pairs of slips are tried too
MOST_PAIRS = 3000
MOST_FITTED = 200  # pairs that are fitted, of those that some coefficients may make D of
ENOUGH = 8  # wrong components, to name a mistake that explains them in part
IN_PART = 0.1  # of what no slip leaves: what a mistake may leave that explains D in part


@dataclass(frozen=True)
class Explanation:
    """Mistakes that together make D.

    Attributes
    ----------
    named : list of (str, str)
        The mistakes with their evidence.
    doubt : float
        The fewer mistakes, and the fewer numbers of their own, the likelier.
    in_part : bool
        Whether something of D is left unexplained.
    belief : Belief or None
        What J is taken to be.
    """

    named: Named
    doubt: float
    in_part: bool = False
    belief: Belief | None = None


@dataclass(frozen=True)
class Tried:
    """A slip that a network's shapes allow, with what it makes of the gradient."""

    slip: Slip
    terms: Terms
    touched: frozenset[int]  # the layers whose gradient it changes
    explained: frozenset[int]  # the layers whose D it explains, whatever the coefficients
    orders: tuple[str, ...]  # in which D may be written if the slip is to explain all of it


Candidate = tuple[Terms, Sequence[Slip], Array]  # what slips make of the gradient, and D


class Search:
    """The search for what makes D, where J is what a belief says."""

    def __init__(self, D: Array, belief: Belief, given: Setting) -> None:
        self.D, self.belief, self.given = D, belief, given
        self.problem: Problem = belief.problem
        self.tolerance = max(precision(D), 0 if belief.sure else SINGLE)
        self.right = self.problem.terms()
        self.layers = frozenset(range(1, given.network.L))
        self.reordered = self._reordered() if belief.words != UNKNOWN_J else {}
        self.explained = self.layers - wrong_layers(D[:, None], self.right, self.tolerance)[0]
        self.scales = signed(given.m, given.network.K)
        # Of each Theta(l): some of D's biases and weights, and their places in the matrix
        self.samples = {}
        for l, where in enumerate(numbered(given.network, self.problem.packing), start=1):
            places = np.arange(where.size).reshape(where.shape)
            some = np.stack([drawn(places[:, 0]), drawn(places[:, 1:].ravel())])
            self.samples[l] = (D[where.ravel()[some]][:, :, None], some)
        self.size = np.asarray(np.linalg.norm([of for of, _ in self.samples.values()]))

    def _reordered(self) -> dict[str, Array]:
        """Return what D is in theta's order if it is written in another one."""
        network, packing = self.given.network, self.problem.packing
        where = {order: read_in(network, order, packing) for order in PACKINGS}
        same = np.arange(network.size)
        return {order: self.D[i] for order, i in where.items() if not np.array_equal(i, same)}

    def read(
        self, terms: Terms, slips: Sequence[Slip], D: Array | None = None
    ) -> Iterator[Explanation]:
        """Yield the explanation by these slips, where their terms make D to rounding."""
        D = self.D if D is None else D
        for fit in fits(D, terms, self.belief.k, self.scales, self.tolerance):
            shown = read(
                fit,
                self.belief.k,
                self.given.m,
                self.given.network.K,
                self.given.mean_lam,
                any_factor=not slips,
            )
            if shown is not None:
                named = merge([self._named(slips), list(self.belief.extra), shown])
                # Fewer mistakes are likelier, and one in all layers alike than in one alone
                doubt = len(named) + self.belief.doubt + 0.1 * fit.free * bool(slips)
                doubt += 0.1 * (fit.form != "whole") + 0.01 * len(slips)
                yield Explanation(named, doubt, belief=self.belief)
                return

    def _named(self, slips: Sequence[Slip]) -> Named:
        """Name the slips; a J without g in its forward pass explains the g' that is wrong then."""
        without_g = any(name == "forward-without-g" for name, _ in self.belief.extra)
        return [
            (s.name, f"{s.words}: explains D") for s in slips if not (without_g and s.name == OTHER)
        ]

    def none(self) -> list[Explanation]:
        """Explain D without any slip."""
        if self.explained < self.layers:
            return []
        return list(self.read(self.right, ()))

    def tried(self) -> Iterator[Tried]:
        """Yield the slips that the shapes allow and that change the gradient."""
        Ds = np.column_stack([self.D, *self.reordered.values()])
        for slip in tried_slips(self.given.network.L):
            terms = self.terms([slip])
            if terms is None:
                continue
            changed = ~np.isclose(terms.columns, self.right.columns, rtol=1e-9).all(axis=1)
            if changed.any():
                # Both places of a number that a slip moves to another layer
                layers = (terms.layout.layers, self.right.layout.layers)
                touched = np.concatenate([of[changed] for of in layers])
                wrong, *others = wrong_layers(Ds, terms, self.tolerance)
                orders = [order for order, of in zip(self.reordered, others, strict=True) if not of]
                yield Tried(
                    slip, terms, frozenset(touched.tolist()), self.layers - wrong, tuple(orders)
                )

    def terms(self, slips: Sequence[Slip]) -> Terms | None:
        """Return the terms of a gradient with these slips; None where the shapes forbid them."""
        try:
            with np.errstate(all="ignore"):
                terms = self.problem.terms(slips)
        except (ValueError, IndexError, KeyError):
            return None
        return terms if np.isfinite(terms.columns).all() else None

    def single(self, tried: Sequence[Tried]) -> list[Explanation]:
        """Explain D by one slip."""
        return [
            explanation
            for one in tried
            if one.explained >= self.layers
            for explanation in self.read(one.terms, [one.slip])
        ]

    def reordering(self, tried: Sequence[Tried]) -> list[Explanation]:
        """Explain D by one slip, and by the order that D is written in."""
        return self._fitted(
            (one.terms, [one.slip, WRITTEN[order]], self.reordered[order])
            for one in tried
            if one.slip.line != "packing"
            for order in one.orders
        )

    def pairs(self, tried: Sequence[Tried]) -> list[Explanation]:
        """Explain D by two slips."""
        return self._fitted(self._screened_pairs(tried))

    def _fitted(self, candidates: Iterable[Candidate]) -> list[Explanation]:
        """Fit what may explain D: a few, for of a tiny network nearly everything may."""
        return [
            explanation
            for candidate in islice(candidates, MOST_FITTED)
            for explanation in self.read(*candidate)
        ]

    def _screened_pairs(self, tried: Sequence[Tried]) -> Iterator[Candidate]:
        for one, two in islice(self._possible_pairs(tried), MOST_PAIRS):
            # The order in which one line is changed twice matters
            orders = [(one, two), (two, one)] if one.slip.line == two.slip.line else [(one, two)]
            for first, second in orders:
                slips = [first.slip, second.slip]
                if not self._may_explain(slips, one.touched & two.touched):
                    continue
                terms = self.terms(slips)
                if terms and not wrong_layers(self.D[:, None], terms, self.tolerance)[0]:
                    yield terms, slips, self.D

    def _may_explain(self, slips: Sequence[Slip], layers: frozenset[int]) -> bool:
        """Whether slips may explain the last of the layers that they change, the soonest computed.

        Those that only one of them changes, it explains by itself.
        """
        if not layers or {slip.line for slip in slips} & MOVING:
            return True
        l = max(layers)
        D, some = self.samples[l]
        try:
            with np.errstate(all="ignore"):
                G = self.problem.layer_terms(l, slips, some)
        except (ValueError, IndexError, KeyError):
            return True  # a slip takes what is not computed for this layer alone
        finite = bool(np.isfinite(G).all())
        return finite and not unexplained(D, G, self.tolerance, self.size).any()

    def _possible_pairs(self, tried: Sequence[Tried]) -> Iterator[tuple[Tried, Tried]]:
        """Yield the pairs that may explain D: what one alone touches, it has to explain alone."""
        for one, two in combinations(tried, 2):
            if not go_together(one.slip, two.slip):
                continue
            untouched = self.layers - one.touched - two.touched
            if (
                untouched <= self.explained
                and one.touched - two.touched <= one.explained
                and two.touched - one.touched <= two.explained
            ):
                yield one, two

    def updated_Theta(self) -> list[Explanation]:
        """Explain D by a delta(l) that is computed with a Theta(l) already stepped down D(l).

        Below the last hidden layer, D is the right one less alpha times the gradient that has D(l)
        in place of Theta(l): a straight line in alpha, which one layer tells, the others confirm.
        """
        L = self.given.network.L
        if L < 3 or self.problem.Thetas[-1].size < 2:
            return []
        k, Theta = self.belief.k, self.problem.Thetas[-1]
        lines = self.problem.lines([])
        data = k[0] * lines.Delta(L - 1, self.problem.deltas(), self.problem.a, self.problem.z)
        return [
            explanation
            for step in (data + k[1] * without_bias(Theta), data)
            for alpha in self._alpha(L - 1, step)
            for explanation in self._stepped(alpha, step)
        ]

    def _slip_of_step(self, alpha: float, step: Array) -> Slip:
        L = self.given.network.L

        def back(f: Any, p: Problem, l: int, delta: Array, Thetas: list[Array]) -> Any:
            Theta = Thetas[l - 1] - alpha * step if l == L - 1 else Thetas[l - 1]
            return f(l, delta, [*Thetas[: l - 1], Theta, *Thetas[l:]])

        words = f"Theta({L - 1}) - {alpha:.6g} D({L - 1}) in delta({L - 1})"
        return Slip("theta-updated", "back", words, back)

    def _alpha(self, l: int, step: Array) -> list[float]:
        """Return the step that D(l-1) shows."""
        rows = self.right.layout.layers == l - 1
        base = self._sum(self.right)[rows]
        stepped = self.terms([self._slip_of_step(1.0, step)])
        if stepped is None:
            return []
        change = self._sum(stepped)[rows] - base
        size = float(change @ change)
        return [float((self.D[rows] - base) @ change) / size] if size else []

    def _sum(self, terms: Terms) -> Array:
        k = self.belief.k
        return np.asarray(terms.columns @ np.array([k[0], k[1], k[2], 0, k[0]]))

    def _stepped(self, alpha: float, step: Array) -> Iterator[Explanation]:
        slip = self._slip_of_step(alpha, step)
        terms = self.terms([slip])
        if alpha and terms is not None:
            E = self._sum(terms)
            n = int((self.right.layout.layers < self.given.network.L - 1).sum())
            if n >= 3 and (left_over(self.D, E, terms.layout.parts) <= self.tolerance).all():
                yield Explanation(self._named([slip]), 1 + self.belief.doubt)

    def in_part(self, tried: Sequence[Tried], wrong: Array) -> list[Explanation]:
        """Name slips that leave at most a tenth of what none leaves, and harm no right part."""
        parts = self.right.layout.parts
        if np.isin(parts, np.flatnonzero(wrong)).sum() < ENOUGH:
            return []
        size = float(np.linalg.norm(self.D))
        none = float(np.linalg.norm(self.D - self._sum(self.right)))
        found = []
        for one in tried:
            E = self._sum(one.terms)
            left = float(np.linalg.norm(self.D - E))
            harmed = left_over(self.D, E, parts)[~wrong] > 1e-5
            # Of a small D, whatever makes the gradient smaller leaves less than no slip does
            if left <= IN_PART * min(none, size) and not harmed.any():
                words = (
                    f"{one.slip.words}: leaves {left / size:.2g} of |D|, no slip {none / size:.2g}"
                )
                found.append(Explanation([(one.slip.name, words)], left, in_part=True))
        return found


def explain_with_data(
    D: Array, beliefs: Sequence[Belief], given: Setting, wrong: Array
) -> list[Explanation]:
    """Return what explains D, likeliest first.

    ``wrong`` says of each part (two a layer, its bias first) whether D is wrong there.
    """
    searches = [Search(D, belief, given) for belief in beliefs]
    found = [explanation for search in searches for explanation in search.none()]
    if found and min(e.doubt for e in found) < 2:
        return _likeliest(found)
    tried = [list(search.tried()) for search in searches]
    for search, slips in zip(searches, tried, strict=True):
        found += search.single(slips) + search.updated_Theta()
        if not found:
            found += _by_row(search, by_example) + _by_row(search, by_output)
    if not found:
        few = len(given.X) * given.network.size <= PAIRS_WORK
        for search, slips in zip(searches, tried, strict=True):
            if search.belief.words != UNKNOWN_J:
                found += search.reordering(slips) + (search.pairs(slips) if few else [])
    if not found:
        for search, slips in zip(searches, tried, strict=True):
            if not search.belief.extra:
                found += search.in_part(slips, wrong)
    return _likeliest(found)


def _by_row(search: Search, how: Callable[[Array, Belief, float], Named]) -> list[Explanation]:
    named = how(search.D, search.belief, search.tolerance)
    extra = list(search.belief.extra)
    return [Explanation(merge([extra, named]), 1.5 + search.belief.doubt)] if named else []


def _likeliest(found: Sequence[Explanation]) -> list[Explanation]:
    """Return the likeliest explanation: of two that are as likely, the one that is tried first."""
    return [min(found, key=lambda explanation: explanation.doubt)] if found else []

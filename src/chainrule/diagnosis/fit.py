"""D as a sum of terms: the simplest coefficients that leave nothing over.

Any gradient is a sum of five terms: Delta's weights and its bias columns, the weights, the biases
and a constant.  J says what each coefficient should be.  Of all the ways to depart from that, the
one with the fewest numbers of its own is taken, and only where far more components agree with it
than it has such numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from chainrule.common.types import Array
from chainrule.diagnosis.problem import BIASES, DELTA, DELTA_BIAS, ONES, WEIGHTS, Terms

EXACT = 1e-7  # of a part of D: what D in float64 may differ from the explanation that is right
SINGLE = 2e-5  # the same for a D in float32, or an explanation from a numerical gradient
FLOOR = 1e-11  # of the whole of D: a part that is smaller is rounding
SCREEN = 200  # components on which coefficients are
FORMS = ("whole", "biases apart", "by layer", "by part")


@dataclass(frozen=True)
class Fit:
    """The coefficients of D's terms, one set for each layer or one for all.

    Attributes
    ----------
    form : str
        One of ``FORMS``.
    coefficients : tuple of ndarray of shape (5,)
    free : int
        How many of the coefficients are neither J's own nor a simple multiple of it.
    """

    form: str
    coefficients: tuple[Array, ...]
    free: int

    @property
    def by_layer(self) -> bool:
        """Whether each layer has its own coefficients."""
        return self.form.startswith("by")


def precision(D: Array) -> float:
    """Return what D may be off, as a share of it: more where D's numbers are float32's."""
    return SINGLE if np.array_equal(D, D.astype(np.float32)) else EXACT


def left_over(D: Array, E: Array, parts: Array) -> Array:
    """Return |D - E| of each part relative to the part's |D|, rounding in the whole aside."""
    n = int(parts.max()) + 1
    left = np.sqrt(np.bincount(parts, (D - E) ** 2, n))
    size = np.sqrt(np.bincount(parts, D**2, n))
    return np.asarray(left / np.maximum(size, FLOOR / EXACT * np.linalg.norm(D) + 1e-300))


def best(D: Array, columns: Array, groups: Array) -> Array:
    """Return the best sum of the columns for each group of components, whatever it takes."""
    E = np.zeros_like(D)
    for group in np.unique(groups):
        rows = groups == group
        E[rows] = columns[rows] @ solve(columns[rows], D[rows])
    return E


def solve(G: Array, d: Array) -> Array:
    """Return the least-squares coefficients of the columns of G; 0 for those that are all 0."""
    sizes = np.linalg.norm(G, axis=0)
    used = sizes > 0
    c = np.zeros(G.shape[1])
    if used.any():
        scaled = G[:, used] / sizes[used]
        c[used] = _scaled_solve(scaled, d) / sizes[used]
    return c


def _scaled_solve(G: Array, d: Array) -> Array:
    """Solve by the normal equations, refined; by a slower way where the columns are too alike."""
    if len(G) > G.shape[1]:
        gram = G.T @ G + 1e-15 * np.eye(G.shape[1])
        c = np.linalg.solve(gram, G.T @ d)
        for _ in range(2):
            c += np.linalg.solve(gram, G.T @ (d - G @ c))
        if abs(G.T @ (d - G @ c)).max() <= 1e-12 * np.linalg.norm(d):
            return np.asarray(c)
    return np.asarray(np.linalg.lstsq(G, d, rcond=1e-13)[0])


def wrong_layers(Ds: Array, terms: Terms, tolerance: float) -> list[set[int]]:
    """Return the layers whose part of D no coefficients can make out of the terms.

    Of each column of Ds, part by part, and on some components alone: where no layer is wrong, D
    has still to be fitted.
    """
    parts, rows = list(terms.layout.some), np.array(list(terms.layout.some.values()))
    D = Ds[rows]
    wrong = unexplained(D, terms.columns[rows], tolerance, np.linalg.norm(D, axis=(0, 1)))
    return [{parts[i] // 2 + 1 for i in np.flatnonzero(of_D)} for of_D in wrong.T]


def unexplained(D: Array, G: Array, tolerance: float, size: Array) -> Array:
    """Whether no coefficients make a part of D, whose size is that of the whole.

    D has shape (parts, components, Ds), G (parts, components, terms), the answer (parts, Ds).
    """
    sizes = np.linalg.norm(G, axis=1, keepdims=True)
    G = G / np.where(sizes > 0, sizes, 1)
    gram = G.mT @ G + (1e-13 + (sizes == 0)) * np.eye(5)
    left = np.linalg.norm(D - G @ np.linalg.solve(gram, G.mT @ D), axis=1)
    floor = FLOOR / EXACT * size + 1e-300
    return np.asarray(left > 100 * tolerance * np.maximum(np.linalg.norm(D, axis=1), floor))


def fits(
    D: Array, terms: Terms, k: Array, scales: Sequence[float], tolerance: float
) -> Iterator[Fit]:
    """Yield the fit of each form that leaves nothing over: one set of coefficients first."""
    of = terms.layout.layers
    layers = np.unique(of)
    for form in FORMS if len(layers) > 1 else FORMS[:2]:
        apart = form in ("biases apart", "by part")
        groups = [of == l for l in layers] if form.startswith("by ") else [of > 0]
        sets: list[tuple[Array, int]] = []
        for rows in groups:
            found = _simplest(D, terms, rows, k, tuple(scales), apart, tolerance)
            if found is None:
                break
            sets.append(found)
        else:
            yield Fit(form, tuple(c for c, _ in sets), sum(free for _, free in sets))


def _simplest(
    D: Array,
    terms: Terms,
    rows: Array,
    k: Array,
    scales: tuple[float, ...],
    apart: bool,
    tolerance: float,
) -> tuple[Array, int] | None:
    """Return the coefficients with the fewest free ones that make D in these rows."""
    G, d, parts = terms.columns[rows], D[rows], terms.layout.parts[rows]
    n_bias = int(terms.layout.bias[rows].sum())
    floor = FLOOR * float(np.linalg.norm(D))
    some = _some(len(d))
    for free, fixed in _departures(tuple(k), scales, apart):
        if not _enough(free, len(d) - n_bias, n_bias):
            continue
        # All that share these free directions at once, and on a few components first
        off = d[:, None] - G @ fixed.T if len(d) <= SCREEN else d[some, None] - G[some] @ fixed.T
        if len(free):
            F = (G if len(d) <= SCREEN else G[some]) @ free.T
            off = off - F @ np.linalg.lstsq(F, off, rcond=1e-13)[0]
        for which in np.flatnonzero(np.abs(off).max(axis=0) <= tolerance * abs(d).max() + floor):
            c = fixed[which]
            if len(free):
                c = c + free.T @ solve(G @ free.T, d - G @ c)
            left = np.sqrt(np.bincount(parts, (d - G @ c) ** 2))
            if (left <= tolerance * np.sqrt(np.bincount(parts, d**2)) + floor).all():
                return c, len(free)
    return None


@cache
def _some(n: int) -> Array:
    return np.sort(np.random.default_rng(0).permutation(n)[:SCREEN])


def _enough(free: Array, n_weights: int, n_bias: int) -> bool:
    """Whether clearly more components than free coefficients speak."""
    if not len(free):
        return True
    of_bias = (free[:, [BIASES, DELTA_BIAS]] != 0).any(axis=1)
    of_weights = (free[:, [DELTA, WEIGHTS, ONES]] != 0).any(axis=1)
    only_bias, only_weights = int((of_bias & ~of_weights).sum()), int((of_weights & ~of_bias).sum())
    return (
        n_bias + n_weights >= len(free) + 2
        and (not only_bias or n_bias > only_bias)
        and (not only_weights or n_weights > only_weights)
    )


UNIT = np.eye(5)
WHOLE = UNIT[DELTA] + UNIT[DELTA_BIAS]
Choice = tuple[Array, list[Array]]  # fixed coefficients, and the directions that are free


@cache
def _departures(
    k: tuple[float, ...], scales: tuple[float, ...], apart: bool
) -> list[tuple[Array, Array]]:
    """List what the coefficients may be, those with the fewest free ones first.

    Each is a matrix of free directions, one a row, and a matrix of the fixed coefficients, one a
    row, that go with them.
    """
    data, weights, biases = k[0], k[1], k[2]
    terms = (
        _of_Delta_apart(data, scales) if apart else _of_Delta(WHOLE, data, scales),
        _of_term(UNIT[WEIGHTS], (weights, 0.0, -weights)),
        _of_term(UNIT[BIASES], (biases, 0.0, weights)),
        _of_term(UNIT[ONES], (0.0,)),
    )
    found = [_together(choices) for choices in product(*terms)]
    found += _multiples(data, weights, biases, scales, apart)
    by_free: dict[bytes, tuple[Array, list[Array]]] = {}
    for fixed, free in found:
        directions = np.reshape(free, (-1, 5))
        by_free.setdefault(directions.tobytes(), (directions, []))[1].append(fixed)
    ordered = sorted(by_free.values(), key=lambda way: len(way[0]))
    return [(free, np.array(fixed)) for free, fixed in ordered]


def _of_term(unit: Array, values: tuple[float, ...]) -> list[Choice]:
    """Return the choices for one term's coefficient: some values, then any."""
    return [*((value * unit, []) for value in values), (0 * unit, [unit])]


def _of_Delta(unit: Array, data: float, scales: tuple[float, ...]) -> list[Choice]:
    """Return those for Delta's: as J has it, 0, a simple multiple, any."""
    return _of_term(unit, (data, 0.0, *(data * r for r in scales)))


def _of_Delta_apart(data: float, scales: tuple[float, ...]) -> list[Choice]:
    """Return those for Delta's weights and its bias columns, each with a coefficient of its own.

    Two simple multiples at once would be as many numbers as two free ones.
    """
    of_weights, of_biases = (_of_Delta(UNIT[i], data, scales) for i in (DELTA, DELTA_BIAS))
    plain, last = (0, 1), len(of_weights) - 1
    return [
        _together((of_weights[i], of_biases[j]))
        for i, j in product(range(last + 1), repeat=2)
        if i != j and (i in plain or j in plain)
    ] + [_together((of_weights[last], of_biases[last]))]


def _multiples(
    data: float, weights: float, biases: float, scales: tuple[float, ...], apart: bool
) -> list[Choice]:
    """Return the right gradient times a number, what lambda adds included: all of it, or a part."""
    right = data * WHOLE + weights * UNIT[WEIGHTS] + biases * UNIT[BIASES]
    if not apart:
        regularised = data * WHOLE + weights * (UNIT[WEIGHTS] + UNIT[BIASES])
        times: list[Choice] = [(r * vector, []) for vector in (right, regularised) for r in scales]
        return [*times, (0 * right, [right])]
    of_weights = right * (UNIT[DELTA] + UNIT[WEIGHTS])
    found: list[Choice] = []
    for one in (of_weights, right - of_weights):
        found += [(right + (r - 1) * one, []) for r in scales]
        found.append((right - one, [one]))
    return found


def _together(choices: tuple[Choice, ...]) -> Choice:
    fixed = np.sum([fixed for fixed, _ in choices], axis=0)
    return fixed, [direction for _, free in choices for direction in free]

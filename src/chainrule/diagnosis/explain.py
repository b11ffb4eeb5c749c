"""What explains a wrong gradient: slips, and the coefficients of the terms it is made of.

Any gradient of J is a sum of four terms, each with a coefficient: Delta, the weights, the biases
and a constant.  The learner's D is fitted by them, for the notes' own lines, for each known slip
and for each pair of slips; where a fit leaves nothing over, the slips and the coefficients are the
explanation.  A factor such as 1/m, a lambda forgotten or a wrong sign needs no slip: the
coefficients tell.  The numerical gradient tells in the same way what J itself is made of, so that
a wrong J under a right gradient is told from the reverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations

import numpy as np

from chainrule.common.types import Array, Lambda
from chainrule.diagnosis.slips import COST_SLIPS, PACKINGS, Problem, Slip
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks


@dataclass(frozen=True)
class Fit:
    """Coefficients of Delta, weights, biases and ones: one set for all layers, or one a layer.

    A fifth, where there is one, is that of Delta's bias columns; the first is then the rest's.
    """

    coefficients: tuple[Array, ...]
    residual: float  # relative to the fitted gradient's norm


def fit(D: Array, terms: Array, layers: Array | None = None, apart: bool = False) -> Fit:
    """Fit D by its terms, with one set of coefficients, or with one for each layer.

    ``apart``: with a coefficient of their own for Delta's bias columns.
    """
    terms = np.column_stack([terms[:, 0] - terms[:, 4], terms[:, 1:]]) if apart else terms[:, :4]
    masks = [np.ones(len(D), bool)] if layers is None else [layers == l for l in np.unique(layers)]
    left, coefficients = 0.0, []
    for mask in masks:
        G, d = terms[mask], D[mask]
        sizes = np.linalg.norm(G, axis=0)
        used = sizes > 0
        c = np.zeros(terms.shape[1])
        c[used] = np.linalg.lstsq(G[:, used] / sizes[used], d, rcond=1e-13)[0] / sizes[used]
        # A coefficient whose term is below rounding is none
        c[np.abs(c) * sizes <= 1e-9 * np.linalg.norm(D)] = 0
        coefficients.append(c)
        left += float(np.sum((d - G @ c) ** 2))
    return Fit(tuple(coefficients), float(np.sqrt(left) / max(np.linalg.norm(D), 1e-300)))


def near(x: float, y: float) -> bool:
    """Whether two coefficients are the same but for the error of a numerical gradient."""
    return abs(x - y) <= 1e-4 * max(abs(x), abs(y)) or abs(x - y) < 1e-12


Named = list[tuple[str, str]]  # mistakes with their evidence


def read(c: Array, k: Array, m: float | None, K: int | None, where: str) -> Named | None:
    """Name the mistakes that D's coefficients c show, where J's own coefficients are k.

    None where the scale of the data's term is none that has a meaning.
    """
    if k[0] == 0 or c[0] == 0:
        return None
    r = c[0] / k[0]
    found = _factor(r, m, K, f"the data's part is {r:.6g} times what J needs{where}")
    if found is None:
        return None
    if len(c) == 5:
        biases = c[4] / k[0]
        words = f"of Delta, the bias column is {biases:.6g} times what J needs{where}"
        apart = _factor(biases, m, K, words) if biases else [("bias-gradient-missing", words)]
        if apart is None:
            return None
        found += apart
    if c[3] != 0:
        found.append(("lambda-factor", f"the number {c[3]:.6g} is added to each weight{where}"))
    elif not (near(c[1], k[1]) or near(c[1], r * k[1])):
        if c[1] == 0:
            found.append(("lambda-forgotten", f"no trace of lambda Theta in D{where}"))
        else:
            against = f", {c[1] / k[1]:.6g} times what J needs" if k[1] else ", J has none"
            found.append(("lambda-factor", f"D has {c[1]:.6g} Theta{against}{where}"))
    if not (near(c[2], k[2]) or near(c[2], r * k[2])):
        found.append(
            ("bias-regularised", f"D's bias column has {c[2]:.6g} times the bias{where}")
            if c[2]
            else ("cost-inconsistent", "J regularises the bias, the gradient does not")
        )
    return found


def _factor(r: float, m: float | None, K: int | None, ratio: str) -> Named | None:
    """Name what a factor r of Delta shows; None where it is none that has a meaning."""
    scales: dict[float, list[str]] = {1.0: []}
    if m is not None and m > 1:
        scales |= {m: ["missing-1-over-m"], 1 / m: ["extra-1-over-m"]}
    if K is not None and K > 1:
        for scale in (float(K), 1 / K):
            scales.setdefault(scale, ["outputs-factor"])
        if m is not None:
            scales.setdefault(K * m, ["missing-1-over-m", "outputs-factor"])
            scales.setdefault(m / K, ["missing-1-over-m", "outputs-factor"])
            scales.setdefault(K / m, ["extra-1-over-m", "outputs-factor"])
    for scale in (2.0, 0.5):
        scales.setdefault(scale, ["wrong-factor"])
    names = next((n for scale, n in scales.items() if near(abs(r), scale)), None)
    if names is None:
        return None
    found = [(name, ratio + (f" (m = {m:g}, K = {K})" if m else "")) for name in names]
    return [*found, ("sign", ratio)] if r < 0 else found


def merge(readings: Sequence[Named]) -> Named:
    """Return the mistakes of several layers, each named once."""
    found: dict[str, str] = {}
    for reading in readings:
        for name, evidence in reading:
            found.setdefault(name, evidence)
    return list(found.items())


EXACT = 1e-7  # of |D|: what a gradient in float64 may differ from the explanation that is right
ROUGH = 1e-6  # of |D|: the same for an explanation that stands on a numerical gradient
PAIRS_WORK = 10_000_000  # rows times weights up to which pairs of slips are tried too


@dataclass(frozen=True)
class Belief:
    """What J is taken to be: how theta is read, the coefficients of J's own gradient, its slips."""

    problem: Problem
    J_slips: tuple[Slip, ...]
    k: Array
    extra: Named  # what has to be wrong with J for this to hold
    doubt: float


def beliefs(
    J: float,
    numerical: Array | None,
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    lam: Lambda | None,
) -> list[Belief]:
    """Return what J may be: the notes' J, or that of the numerical gradient where it differs.

    Of a large theta there is no numerical gradient: there J's value has to tell.
    """
    m = float(len(X))
    lams = np.broadcast_to(0.0 if lam is None else np.asarray(lam, dtype=float), network.L - 1)
    mean = float(lams.mean())
    shares = lams / mean if mean else np.ones(network.L - 1)
    problems = [Problem.at(network, theta, X, Y, packing, shares) for packing in PACKINGS]
    notes = None if lam is None else np.array([1 / m, mean / m, 0, 0])
    if numerical is None:
        k = np.array([1 / m, 0, 0, 0]) if notes is None else notes
        same = [p for p in problems if near(J, p.J(mean))]
        if same:
            return [Belief(same[0], (), k, [], 0.0)]
        words = f"J is {J:.6g}, the notes' J is {problems[0].J(mean):.6g}"
        wrong = [("cost-inconsistent", words)]
        return [Belief(problem, (), k, wrong, 0.0) for problem in problems[:2]]
    fits: list[tuple[int, Problem, tuple[Slip, ...], Fit]] = []
    for problem in problems:
        for slips in ((), *((slip,) for slip in COST_SLIPS)):
            try:
                fitted = fit(numerical, problem.terms(slips)[0])
            except ValueError:  # not for this cost
                continue
            if fitted.residual < 1e-5 and fitted.coefficients[0][0] > 0:
                fits.append((len(slips), problem, slips, fitted))
    if not fits:
        wrong = [("cost-inconsistent", "J is made of other terms than the notes' J")]
        k = np.array([1 / m, 0, 0, 0]) if notes is None else notes
        return [Belief(problem, (), k, wrong, 0.0) for problem in problems]
    _, problem, slips, fitted = min(fits, key=lambda f: f[0])
    k = fitted.coefficients[0]
    own = Belief(problem, slips, k, [], 0.0)
    if notes is None or (not slips and all(near(a, b) for a, b in zip(k, notes, strict=True))):
        return [own]
    if slips:
        words = slips[0].words
    else:
        words = "J's gradient is {:.6g} Delta + {:.6g} Theta + {:.6g} bias, the notes' ".format(*k)
        words += "{:.6g} Delta + {:.6g} Theta".format(*notes)
    # A mean over the outputs of a squared error is a usual J: then it is D that lacks the factor.
    # Any other J that is not the notes' is likelier itself the mistake than a D that is theirs.
    usual = network.cost.name == "identity" and network.K > 1 and near(k[0] * m * network.K, 1)
    theirs = Belief(problem, (), notes, [("cost-inconsistent", words)], 0.5 if usual else 0.0)
    return [replace(own, doubt=0.0 if usual else 0.5), theirs]


def explain_with_data(
    J: float,
    D: Array,
    numerical: Array | None,
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    lam: Lambda | None,
) -> list[Named]:
    """Return what explains D, likeliest first: sets of mistakes with their evidence."""
    found: list[tuple[float, Named]] = []
    close: list[tuple[float, Named]] = []
    held = beliefs(J, numerical, network, theta, X, Y, lam)
    tries = [(b, slips) for b in held for slips in [(), *((s,) for s in b.problem.slips())]]
    if len(X) * network.size <= PAIRS_WORK:
        tries += [(b, slips) for b in held for slips in _pairs(b.problem)]
    for belief, slips in tries:
        if len(slips) == 2 and found:
            break  # one slip explains it: no pair is likelier
        try:
            with np.errstate(all="ignore"):
                terms, layers = belief.problem.terms((*belief.J_slips, *slips))
        except (ValueError, IndexError, KeyError):  # shapes that do not go together
            continue
        if not np.isfinite(terms).all():
            continue
        whole = fit(D, terms)
        named = [
            (s.name, f"{s.words}: explains D but for {whole.residual:.1g} of it") for s in slips
        ]
        if whole.residual > EXACT and len(slips) == 1:
            close.append((whole.residual, named))
        for fitted in _fits(D, terms, layers, whole):
            scales = _scales(fitted, belief.k, float(len(X)), network.K, not slips and len(D) > 12)
            if scales is None:
                continue
            both = merge([named, belief.extra, scales])
            # Fewer mistakes are likelier, and one in all layers alike than in one alone
            doubt = len(both) + belief.doubt + 0.1 * (fitted is not whole)
            if both:
                found.append((doubt, both))
            break
    found.sort(key=lambda pair: pair[0])
    close.sort(key=lambda pair: pair[0])
    if found:
        return [named for _, named in found]
    return [named for left, named in close[:6] if left < 0.5]


def _pairs(problem: Problem) -> Iterator[tuple[Slip, Slip]]:
    for one, two in combinations(problem.slips(), 2):
        if one.name != two.name:
            yield one, two
            if one.line == two.line:  # the order in which one line is changed twice matters
                yield two, one


def _fits(D: Array, terms: Array, layers: Array, whole: Fit) -> Iterator[Fit]:
    if whole.residual <= EXACT:
        yield whole
        return
    by_layer = [fit(D, terms, layers)] if len(np.unique(layers)) > 1 else []
    for fitted in (*by_layer, fit(D, terms, apart=True)):
        if fitted.residual <= EXACT:
            yield fitted


def _scales(fitted: Fit, k: Array, m: float, K: int, alone: bool) -> Named | None:
    """Name what the coefficients of a fit show, or None where they make no sense."""
    several = len(fitted.coefficients) > 1
    readings = [
        read(c, k, m, K, f" in Theta({l})" if several else "")
        for l, c in enumerate(fitted.coefficients, start=1)
    ]
    sensible = [reading for reading in readings if reading is not None]
    if len(sensible) == len(readings):
        return merge(sensible)
    if alone and not several and len(fitted.coefficients[0]) == 4:
        r = fitted.coefficients[0][0] / k[0]
        return [("wrong-factor", f"the data's part is {r:.6g} times what J needs")]
    return None


def explain_by_pattern(
    D: Array, numerical: Array, theta: Array, network: Network | None
) -> list[Named]:
    """Return what the pattern of D against the numerical gradient alone can show."""
    if network is None:
        return _without_network(D, numerical, theta)
    parts = blocks(network, theta)
    is_bias = np.concatenate([np.arange(b.size) < b.shape[1] for b in parts])
    layers = np.concatenate([np.full(b.size, l) for l, b in enumerate(parts, start=1)])
    terms = np.stack(
        [numerical, np.where(is_bias, 0, theta), np.where(is_bias, theta, 0), ~is_bias], axis=1
    )
    found: list[Named] = []
    for split in (None, layers):
        fitted = fit(D, terms, split)
        if fitted.residual < ROUGH:
            several = len(fitted.coefficients) > 1
            readings = [
                _pattern(_clear(c, terms, D), network.K, f" in Theta({l})" if several else "")
                for l, c in enumerate(fitted.coefficients, start=1)
            ]
            found = [[named] for named in merge(readings)]
            break
    return [*found, *_rearranged(D, numerical, network), *_by_layer(D, numerical, network)]


def _without_network(D: Array, numerical: Array, theta: Array) -> list[Named]:
    """Say what D shows where it is not known which components are biases."""
    with np.errstate(all="ignore"):
        ratios = np.where(np.abs(numerical) > 1e-4 * np.abs(numerical).max(), D / numerical, np.nan)
    # The biases, at least, differ by nothing but the factor of the whole
    values, counts = np.unique(np.round(ratios[np.isfinite(ratios)], 5), return_counts=True)
    usual = []
    if counts.size and counts.max() > 1:
        value = values[counts.argmax()]
        usual = [float(np.median(ratios[np.abs(ratios - value) <= 1e-4 * abs(value)]))]
    candidates = [*usual, 1.0, -1.0]
    rests = [D - r * numerical for r in candidates]
    offs = [np.abs(rest) > ROUGH * np.abs(D).max() for rest in rests]
    # A factor of the whole is likelier than a factor with a part of theta beside it
    for r, rest, off in sorted(
        zip(candidates, rests, offs, strict=True), key=lambda tried: bool(tried[2].any())
    ):
        if not off.any():
            return [[named] for named in _pattern(np.array([r, 0, 0, 0]), None, "")]
        w = float(rest[off] @ theta[off] / (theta[off] @ theta[off]))
        if norm(rest[off] - w * theta[off]) <= 1e-5 * norm(rest[off]) and r and off.sum() > 1:
            few = off.sum() < len(D) / 2  # there are fewer biases than weights
            c = np.array([r, 0.0, w, 0.0]) if few and w > 0 else np.array([r, w, 0.0, 0.0])
            where = f" in {int(off.sum())} of {len(D)} components"
            return [[named] for named in _pattern(c, None, where)]
    if np.allclose(np.sort(D), np.sort(numerical), rtol=1e-5, atol=1e-8):
        same = "D has the numerical gradient's values in another order"
        return [[("unrolled-by-row", same)], [("layers-swapped", same)]]
    return []


def _clear(c: Array, terms: Array, D: Array) -> Array:
    """Return the coefficients without those that a numerical gradient's error may have made."""
    return np.where(np.abs(c) * np.linalg.norm(terms, axis=0) < 1e-5 * norm(D), 0, c)


def norm(v: Array) -> float:
    """Return the Euclidean norm."""
    return float(np.linalg.norm(v))


def _pattern(c: Array, K: int | None, where: str) -> Named:
    """Name what the coefficients of num, weights, biases and ones show, m and lambda not known."""
    r, weights, bias, ones = (float(x) for x in c)
    evidence = f"D is {r:.6g} times the numerical gradient{where}"
    named: Named = [("sign", evidence)] if r < 0 else []
    size = abs(r)
    if near(size, 1):
        pass
    elif K is not None and K > 1 and (near(size, K) or near(size, 1 / K)):
        named.append(("outputs-factor", f"{evidence}, K = {K}"))
    elif size >= 2 and near(size, round(size)):
        m_or_K = [("missing-1-over-m", f"{evidence}: m, if there are so many examples")]
        named += m_or_K if K else [*m_or_K, ("outputs-factor", f"{evidence}: K, if it is that")]
    elif 0 < size <= 0.5 and near(1 / size, round(1 / size)):
        m_or_K = [("extra-1-over-m", f"{evidence}: 1/m, if there are {1 / size:.0f} examples")]
        named += m_or_K if K else [*m_or_K, ("outputs-factor", f"{evidence}: 1/K, if it is that")]
    else:
        named.append(("wrong-factor", evidence))
    if ones:
        named.append(("lambda-factor", f"the number {ones:.6g} is added to each weight{where}"))
    elif weights:
        more = f"D is {r:.6g} num + {weights:.6g} Theta{where}"
        # What is missing is what J's lambda put into num; whether all of it, only lambda/m tells
        few = ["lambda-forgotten", "lambda-factor"]
        scaled = not near(size, 1)  # 1/m forgotten in the data's part alone, say
        names = [] if scaled else few if weights * r < 0 < r else ["lambda-factor"]
        named += [(name, more) for name in names if not (r < 0 < weights)]
    if bias > 0:
        named.append(("bias-regularised", f"D has {bias:.6g} times the bias{where}"))
    elif bias < 0:
        named.append(("cost-inconsistent", f"J regularises the bias, D does not{where}"))
    return named


def _rearranged(D: Array, numerical: Array, network: Network) -> list[Named]:
    """Find the numerical gradient's values in another order."""
    found: list[Named] = []
    parts = [block.T for block in blocks(network, numerical)]
    flats = [part.ravel(order="F") for part in parts]
    by_row = np.concatenate([part.ravel(order="C") for part in parts])
    back = np.concatenate(
        [
            f.reshape(part.shape, order="C").ravel(order="F")
            for f, part in zip(flats, parts, strict=True)
        ]
    )
    if any(norm(D - other) <= 1e-5 * norm(D) for other in (by_row, back)):
        found.append([("unrolled-by-row", "D's matrices are the right ones, row by row")])
    for order in permutations(range(len(flats))) if len(flats) <= 5 else ():
        moved = np.concatenate([flats[l] for l in order])
        if order != tuple(range(len(flats))) and norm(D - moved) <= 1e-5 * norm(D):
            names = ", ".join(f"D{l + 1}" for l in order)
            found.append([("layers-swapped", f"D is [{names}]")])
    return found


def _by_layer(D: Array, numerical: Array, network: Network) -> list[Named]:
    """Say what the layers that are right leave possible."""
    wrong, bias_zero, start = [], True, 0
    for l, (out, columns) in enumerate(network.shapes, start=1):
        d, n = D[start : start + out * columns], numerical[start : start + out * columns]
        bias_zero &= bool(np.all(d[:out] == 0)) and norm(n[:out]) > 0
        if norm(d - n) > 1e-5 * (norm(d) + norm(n)):
            wrong.append(l)
        start += out * columns
    last = network.L - 1
    found: list[Named] = []
    if bias_zero:
        found.append([("bias-gradient-missing", "D's bias columns are all 0")])
    if wrong and last not in wrong:
        evidence = f"Theta({last})'s gradient is right, that of Theta({wrong[-1]}) is not"
        names = ("activation-derivative-missing", "activation-derivative-at-wrong-point")
        found += [[(name, evidence)] for name in (*names, "bias-in-delta", "theta-transposed")]
    elif last in wrong:
        evidence = f"Theta({last})'s gradient, where delta(L) enters first, is wrong"
        found += [[(name, evidence)] for name in ("output-derivative-extra", "labels-shifted")]
    return found

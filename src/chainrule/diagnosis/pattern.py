"""What D against the numerical gradient shows when X and Y are not known."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from chainrule.common.types import Array
from chainrule.diagnosis.cost import near
from chainrule.diagnosis.facts import ROUGH, norm
from chainrule.diagnosis.mistakes import Named
from chainrule.diagnosis.packing import PACKINGS, places
from chainrule.diagnosis.reading import merge
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks

NUMERICAL = 1e-6  # of |D|: what an explanation that stands on a numerical gradient may leave


def explain_by_pattern(D: Array, numerical: Array, theta: Array, network: Network | None) -> Named:
    """Return what the pattern of D against the numerical gradient alone can show."""
    if network is None:
        return _without_network(D, numerical, theta)
    return (
        _factors(D, numerical, theta, network)
        or _rearranged(D, numerical, network)
        or _by_part(D, numerical, theta, network)
    )


def _fit(D: Array, columns: list[Array]) -> Array | None:
    """Return the coefficients, where they leave nothing over and far more components agree."""
    G = np.stack([column for column in columns if norm(column)], axis=1)
    if len(D) < 2 * G.shape[1] + 2:
        return None
    sizes = np.linalg.norm(G, axis=0)
    c = np.linalg.lstsq(G / sizes, D, rcond=1e-13)[0] / sizes
    return c if norm(D - G @ c) < NUMERICAL * norm(D) else None


def _factors(D: Array, numerical: Array, theta: Array, network: Network) -> Named:
    """Find D as the numerical gradient times a number, with a part of theta beside it."""
    for packing in PACKINGS:
        parts = places(network, packing)
        bias = np.zeros(len(D), bool)
        for name, where in parts:
            bias[where] = name.endswith("bias")
        weights, biases = np.where(bias, 0, theta), np.where(bias, theta, 0)
        # The fewest terms first
        for kept in ((), ("weights",), ("biases",), ("weights", "biases"), ("ones",)):
            terms = {"weights": weights, "biases": biases, "ones": (~bias).astype(float)}
            c = _fit(D, [numerical, *(terms[name] for name in kept)])
            if c is None:
                continue
            of = dict(zip(kept, c[1:], strict=False))
            return _pattern(
                c[0], of.get("weights", 0), of.get("biases", 0), of.get("ones", 0), network.K, ""
            )
    return []


def _by_part(D: Array, numerical: Array, theta: Array, network: Network) -> Named:
    """Find parts that are off by a factor, or that hold nothing of the data; the rest is right."""
    for packing in PACKINGS:
        found: list[Named] = []
        for name, place in places(network, packing):
            where = place.ravel()
            d, n = D[where], numerical[where]
            if norm(d - n) <= ROUGH * (norm(d) + norm(n)):
                continue
            named = _of_part(name, d, n, theta[where], network.K)
            if not named:
                break
            found.append(named)
        else:
            named = merge(found)
            whole = any(name == "gradient-zero" for name, _ in named)
            return [n for n in named if not (whole and n[0] == "bias-gradient-missing")]
    return []


def _of_part(name: str, d: Array, n: Array, theta: Array, K: int) -> Named:
    if not d.any():
        mistake = "bias-gradient-missing" if name.endswith("bias") else "gradient-zero"
        return [(mistake, f"D is 0 in {name}")]
    if len(d) < 3:
        return []
    for other, of_data in ((n, True), (theta, False)):
        c = float(d @ other) / max(float(other @ other), 1e-300)
        if norm(d - c * other) <= NUMERICAL * norm(d):
            if of_data:
                return _pattern(c, 0, 0, 0, K, f" in {name}")
            return [("gradient-zero", f"D is {c:.6g} Theta in {name}, with nothing of the data")]
    return []


def _without_network(D: Array, numerical: Array, theta: Array) -> Named:
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
    offs = [np.abs(rest) > NUMERICAL * np.abs(D).max() for rest in rests]
    # A factor of the whole is likelier than a factor with a part of theta beside it
    for r, rest, off in sorted(
        zip(candidates, rests, offs, strict=True), key=lambda tried: bool(tried[2].any())
    ):
        if not off.any():
            return _pattern(r, 0, 0, 0, None, "")
        w = float(rest[off] @ theta[off] / (theta[off] @ theta[off]))
        if norm(rest[off] - w * theta[off]) <= 1e-5 * norm(rest[off]) and r and off.sum() > 1:
            few = off.sum() < len(D) / 2  # there are fewer biases than weights
            where = f" in {int(off.sum())} of {len(D)} components"
            of_biases = few and w > 0
            return _pattern(r, 0 if of_biases else w, w if of_biases else 0, 0, None, where)
    return _in_a_run(D, numerical) or _moved(D, numerical)


def _in_a_run(D: Array, numerical: Array) -> Named:
    """Find components side by side that are off by one factor; the others are right."""
    off = np.flatnonzero(np.abs(D - numerical) > NUMERICAL * np.abs(D).max())
    if len(off) < 3:
        return []
    start, stop = int(off[0]), int(off[-1]) + 1
    d, n = D[start:stop], numerical[start:stop]
    where = f" in components {start} to {stop - 1}; the others are right"
    if not d.any():
        return [("gradient-zero", f"D is 0{where}")]
    r = float(d @ n) / max(float(n @ n), 1e-300)
    if norm(d - r * n) <= NUMERICAL * norm(d):
        return _pattern(r, 0, 0, 0, None, where)
    return []


def _pattern(
    r: float, weights: float, bias: float, ones: float, K: int | None, where: str
) -> Named:
    """Name what the coefficients of num, weights, biases and ones show, m and lambda not known."""
    evidence = f"D is {r:.6g} times the numerical gradient{where}"
    named: Named = [("sign", evidence)] if r < 0 else []
    size = abs(r)
    if near(size, 1):
        pass
    elif where and not (weights or bias or ones):
        # 1/m is forgotten, or not, in all parts alike: one part's factor may be any
        named.append(("wrong-factor", evidence))
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
        if weights * r < 0 < r:
            more += "; which of the two, only lambda can tell: give network, X, Y and lam"
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


def _rearranged(D: Array, numerical: Array, network: Network) -> Named:
    """Find the numerical gradient's values in another order."""
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
        return [("unrolled-by-row", "D's matrices are the right ones, row by row")]
    for order in permutations(range(len(flats))) if len(flats) <= 5 else ():
        moved = np.concatenate([flats[l] for l in order])
        if order != tuple(range(len(flats))) and norm(D - moved) <= 1e-5 * norm(D):
            names = ", ".join(f"D{l + 1}" for l in order)
            return [("layers-swapped", f"D is [{names}]")]
    return _moved(D, numerical)


def _moved(D: Array, numerical: Array) -> Named:
    same = np.allclose(np.sort(D), np.sort(numerical), rtol=1e-5, atol=1e-8 * np.abs(D).max())
    if same and norm(D - numerical) > 1e-3 * norm(D):
        return [("packed-otherwise", "D has the numerical gradient's values in another order")]
    return []

"""Which examples, or which outputs, D is made of."""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array
from chainrule.diagnosis.cost import Belief
from chainrule.diagnosis.fit import left_over, solve
from chainrule.diagnosis.mistakes import Named

MOST_WORK = 4_000_000  # examples times weights


def shares(D: Array, belief: Belief, rows: Array, tolerance: float) -> Array | None:
    """Return how many times each row is in D, where D is made of them to rounding, else None.

    ``rows`` adds up to Delta; each of them is an example's part of it, or an output unit's.
    """
    if len(D) < 2 * len(rows):
        return None  # as many coefficients as components explain anything
    right = belief.problem.terms().columns
    rest = D - belief.k[1] * right[:, 1] - belief.k[2] * right[:, 2]
    c = solve(rows.T, rest)
    one = np.zeros(len(D), int)
    if left_over(rest, rows.T @ c, one)[0] > tolerance:
        return None
    return np.asarray(c / belief.k[0])


def by_example(D: Array, belief: Belief, tolerance: float) -> Named:
    """Name what is done to one example, or to a few."""
    m = len(belief.problem.Y)
    if m * len(D) > MOST_WORK or m < 2:
        return []
    c = shares(D, belief, belief.problem.of_examples(), tolerance)
    if c is None:
        return []
    there = np.abs(c) > 1e-6
    kept = c[there]
    if there.any() and not there.all() and np.ptp(kept) < 1e-6 * abs(kept).max():
        out = ", ".join(str(t + 1) for t in np.flatnonzero(~there)[:5])
        share = float(kept.mean())
        others = "" if abs(share - 1) < 1e-6 else f"; the others are, {share:.6g} times"
        return [("example-left-out", f"{int((~there).sum())} of {m} are not in D: {out}{others}")]
    return []


def by_output(D: Array, belief: Belief, tolerance: float) -> Named:
    """Name what is done to one output unit's delta, or to a few."""
    if belief.problem.network.K < 2:
        return []
    c = shares(D, belief, belief.problem.of_outputs(), tolerance)
    if c is None:
        return []
    out = np.abs(c) < 1e-6
    told = ", ".join(f"{share:.6g}" for share in np.where(out, 0, c))
    if out.any():
        return [("class-left-out", f"delta(L) of the {len(c)} outputs is in D {told} times")]
    return []

"""What is sure about a wrong D when no known mistake explains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array
from chainrule.diagnosis.cost import Belief
from chainrule.diagnosis.examples import MOST_WORK
from chainrule.diagnosis.fit import solve

ROUGH = 1e-5  # of what is compared: a numerical gradient's own error, with room


@dataclass(frozen=True)
class Region:
    """A part of theta: its name, and where its components stand."""

    name: str
    where: Array  # in the matrix's own order
    shape: tuple[int, ...] = ()  # of the matrix, where it is known


def norm(v: Array) -> float:
    """Return the Euclidean norm."""
    return float(np.linalg.norm(v))


def wrong_parts(D: Array, right: Array, regions: Sequence[Region]) -> list[bool]:
    """Say of each part whether D is wrong there."""
    floor = 1e-9 * (norm(D) + norm(right))
    return [
        norm(D[part.where] - right[part.where])
        > ROUGH * (norm(D[part.where]) + norm(right[part.where])) + floor
        for part in regions
    ]


def sure_facts(
    D: Array,
    right: Array,
    theta: Array,
    regions: Sequence[Region],
    belief: Belief | None,
) -> list[str]:
    """Return what is sure: which parts are wrong, by what factor, and where D - right lies.

    ``right`` is what D is compared with: the numerical gradient.
    """
    wrong = wrong_parts(D, right, regions)
    names = [part.name for part, is_wrong in zip(regions, wrong, strict=True) if is_wrong]
    facts = []
    if 0 < len(names) < len(regions):
        good = [part.name for part, is_wrong in zip(regions, wrong, strict=True) if not is_wrong]
        facts.append(f"wrong: {', '.join(names)}; right: {', '.join(good)}")
    elif len(regions) > 1 and names:
        facts.append("all parts are wrong")
    else:
        facts += _extent(D, right)
    for part, is_wrong in zip(regions, wrong, strict=True):
        if is_wrong:
            facts += _of_part(part, D[part.where], right[part.where], theta[part.where])
    if belief is not None:
        facts += _of_rows(D - right, belief)
    return facts


def _extent(D: Array, right: Array) -> list[str]:
    """Say how many components are wrong, and from which to which, where not all are."""
    off = np.flatnonzero(np.abs(D - right) > ROUGH * (np.abs(D) + np.abs(right)).max())
    share = f"|D - numerical| is {norm(D - right) / max(norm(D), 1e-300):.2g} times |D|"
    if not len(off) or len(off) == len(D):
        return [share]
    return [f"{len(off)} of {len(D)} components are wrong, from {off[0]} to {off[-1]}", share]


def _of_part(part: Region, d: Array, n: Array, theta: Array) -> list[str]:
    if not d.any():
        return [f"D is 0 in {part.name}"]
    if len(d) < 3:
        return []
    off = d - n
    for words, other in (("the numerical gradient", n), ("theta", theta)):
        against = d if words != "theta" else off
        size = float(other @ other)
        if size:
            c = float(against @ other) / size
            if norm(against - c * other) <= ROUGH * norm(against):
                subject = "D is" if words != "theta" else "D - numerical is"
                return [f"{subject} {c:.6g} times {words} in {part.name}"]
    return _one_line(part, off) if len(part.shape) == 2 else []


def _one_line(part: Region, off: Array) -> list[str]:
    """Say whether one row or one column of a matrix holds all that is wrong."""
    matrix = off.reshape(part.shape)
    for axis, words in ((1, "row"), (0, "column")):
        sizes = np.linalg.norm(matrix, axis=axis)
        worst = int(sizes.argmax())
        if len(sizes) > 2 and norm(np.delete(sizes, worst)) <= ROUGH * sizes[worst]:
            return [f"D is wrong in {words} {worst + 1} of {part.name} alone"]
    return []


def _of_rows(off: Array, belief: Belief) -> list[str]:
    """Say whether one example or one class makes the difference."""
    problem = belief.problem
    m, K = len(problem.Y), problem.network.K
    kinds = []
    if m > 1 and m * len(off) <= MOST_WORK and len(off) >= 2 * m:
        kinds.append(("example", problem.of_examples()))
    if K > 1:
        kinds.append(("class", problem.of_outputs()))
    for words, rows in kinds:
        c = solve(rows.T, off)
        if norm(off - rows.T @ c) > ROUGH * norm(off):
            continue
        sizes = np.abs(c) * np.linalg.norm(rows, axis=1)
        worst = int(sizes.argmax())
        if norm(np.delete(sizes, worst)) <= 10 * ROUGH * sizes[worst]:
            share = c[worst] / belief.k[0]
            return [
                f"D - numerical is {share:.6g} times what {words} {worst + 1} "
                "(counted from 1) adds to the gradient"
            ]
    return []


def advice(wrong: Sequence[bool], regions: Sequence[Region], L: int | None) -> str:
    """Return what to try next."""
    general = (
        "check again with lambda = 0, then with one example: a mistake that goes away is in "
        "lambda, or in how the examples are put together"
    )
    if L is None or len(regions) != 2 * (L - 1):
        return general
    last = any(wrong[-2:])
    hidden = [l for l in range(1, L - 1) if any(wrong[2 * l - 2 : 2 * l])]
    biases_only = any(wrong[::2]) and not any(wrong[1::2])
    if biases_only:
        return "look at the line of the bias column alone: D(:, 1) = 1/m sum over t of delta(l+1)"
    if last and L >= 3 and not any(wrong[-4:-2]):
        return (
            f"D({L - 2}) is right, so delta({L}) is too: look at Delta({L - 1}) = "
            f"delta({L}) a({L - 1})^T, at a({L - 1}) and at lambda; " + general
        )
    for l in range(L - 1, 0, -1):
        if wrong[2 * l - 1] and not any(wrong[2 * l :]) and not wrong[2 * l - 2]:
            return (
                f"D({l})'s bias column is right, so delta({l + 1}) adds up to what it should: "
                f"look at a({l}), and whether both are of one example in Delta({l}) = "
                f"delta({l + 1}) a({l})^T, and at lambda; " + general
            )
    if last:
        return f"begin at the end, with delta({L}) and Delta({L - 1}); " + general
    if hidden:
        l = hidden[-1]
        return (
            f"D({l + 1}) is right, so delta({l + 2}) is too: look at delta({l + 1}) = "
            f"(Theta({l + 1})^T delta({l + 2})) .* g'(z({l + 1})) and at Delta({l}); " + general
        )
    return general

"""What the digits of a photo say together: numbers, and the rows and columns they stand in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from chainrule.handwriting.reading import WORD_GAP, Digit

# Gaps between digits, and distances of their middles, in heights of the higher one
SIGNED_GAP = 1.2  # widest gap in a number where a sign stands in it, if nothing else tells
SIGNED = 1.8  # widest distance in a number where a sign stands in it, in distances without
SPREAD_GAP = 0.7  # widest gap in a number where those between numbers are clearly wider
JUMP, FROM = 1.4, 1.2  # clearly: distances are so many times as wide, and at least this wide
EVEN = 1.4  # distances in a number, in those that points and commas show
Number = list[Digit]
"""Digits of one number, from the left."""


def numbers(digits: Sequence[Digit]) -> list[list[Number]]:
    """Return the numbers in each row; digits that stand close to each other are one number.

    How close that is, the photo's own distances tell: those between numbers are wider than those
    within, and where points and commas stand, there a number goes on.

    Parameters
    ----------
    digits : sequence of Digit
        In reading order, as `read_digits` returns them.

    Returns
    -------
    list of list of list of Digit
        For each row its numbers.

    Examples
    --------
    >>> digits = [Digit(i, 1.0, (x, 0, x + 20, 30), None, 0) for i, x in enumerate((0, 25, 80))]
    >>> [written(number) for row in numbers(digits) for number in row]
    ['01', '2']
    """
    rows: list[list[Number]] = []
    plain = _plain(digits)
    reach = _reach(digits, plain)
    within = [apart for apart, _ in plain if apart < reach]
    signed = SIGNED * median(within) if within else 0.0
    for before, digit in pairwise([None, *digits]):
        assert digit is not None
        if before is None or before.row != digit.row:
            rows.append([[digit]])
        elif _continues(before, digit, reach, signed):
            rows[-1][-1].append(digit)
        else:
            rows[-1].append([digit])
    return rows


def _continues(before: Digit, digit: Digit, reach: float, signed: float) -> bool:
    """Tell whether a digit belongs to the number that the one on its left is of."""
    if not (before.separator_after or digit.sign_before):
        return _apart(before, digit) < reach
    return _apart(before, digit) < signed if signed else _gap(before, digit) < SIGNED_GAP


def _plain(digits: Sequence[Digit]) -> list[tuple[float, float]]:
    """Return the distances and gaps of neighbours without a sign between them, sorted."""
    return sorted(
        (_apart(*pair), _gap(*pair))
        for pair in pairwise(digits)
        if pair[0].row == pair[1].row and not (pair[0].separator_after or pair[1].sign_before)
    )


def _reach(digits: Sequence[Digit], plain: list[tuple[float, float]]) -> float:
    """Return how far apart the middles of neighbours in a number are at most."""
    pointed = [
        _apart(*pair)
        for pair in pairwise(digits)
        if pair[0].row == pair[1].row and pair[0].separator_after
    ]
    if not plain:
        return 0.0
    jumps = [(far / near, near, far) for (near, _), (far, _) in pairwise(plain) if far > FROM]
    jump, near, far = max(jumps, default=(0.0, 0.0, 0.0))
    if jump >= JUMP:
        wide = median(gap for apart, gap in plain if apart <= near) >= SPREAD_GAP
        reach = 0.0 if wide else (near * far) ** 0.5
    else:
        wide = median(gap for _, gap in plain) >= WORD_GAP
        reach = 0.0 if wide else math.inf
    if pointed:
        reach = max(reach, EVEN * min(median(pointed), median(apart for apart, _ in plain)))
    return reach


def _gap(before: Digit, digit: Digit) -> float:
    """Return the gap between two digits, in heights of the higher one."""
    return (digit.box[0] - before.box[2]) / _height(before, digit)


def _apart(before: Digit, digit: Digit) -> float:
    """Return the distance of two digits' middles, in heights of the higher one."""
    middles = [(d.box[0] + d.box[2]) / 2 for d in (before, digit)]
    return (middles[1] - middles[0]) / _height(before, digit)


def _height(*digits: Digit) -> int:
    return max(digit.box[3] - digit.box[1] for digit in digits)


def written(number: Number) -> str:
    """Return a number as it is written, with a separator that stands after it.

    Examples
    --------
    >>> box = (0, 0, 20, 30)
    >>> written([Digit(3, 1.0, box, None, 0, "-", ","), Digit(7, 1.0, box, None, 0, "", ",")])
    '-3,7,'
    """
    return "".join(map(str, number))


def table(digits: Sequence[Digit]) -> list[list[str]]:
    """Return the numbers in rows and columns.

    In a grid they are those of its cells (`Digit.cell`).  Elsewhere numbers of several rows that
    stand above each other are a column, in which a row may have nothing.  Where rows have hardly a
    column in common, their numbers follow each other.

    Parameters
    ----------
    digits : sequence of Digit
        In reading order, as `read_digits` returns them.

    Returns
    -------
    list of list of str
        The cells of each row, as many in each; "" where nothing is written.  A separator that
        stands after a number is left out.

    Examples
    --------
    >>> places = [(0, 0, 0), (90, 0, 0), (2, 50, 1), (180, 100, 2)]
    >>> table([Digit(5, 1.0, (x, y, x + 20, y + 30), None, row) for x, y, row in places])
    [['5', '5', ''], ['5', '', ''], ['', '', '5']]
    """
    if digits and all(digit.cell for digit in digits):
        return _of_cells(digits)
    rows = numbers(digits)
    columns = _columns(rows)
    cells = [[columns.index(_around(number, columns)) for number in row] for row in rows]
    longest = max(map(len, rows), default=0)
    if len(columns) > longest + 1 or any(len(set(places)) < len(places) for places in cells):
        cells = [list(range(len(row))) for row in rows]
    width = 1 + max((place for places in cells for place in places), default=-1)
    filled = [[""] * width for _ in rows]
    for line, row, places in zip(filled, rows, cells, strict=True):
        for number, place in zip(row, places, strict=True):
            line[place] = written(number).rstrip(".,")
    return filled


def _of_cells(digits: Sequence[Digit]) -> list[list[str]]:
    """Return what stands in each cell of a grid; below and beside the last digits it has none."""
    found: dict[tuple[int, int], Number] = {}
    for digit in digits:
        assert digit.cell is not None
        found.setdefault(digit.cell, []).append(digit)
    last_row, last_column = (max(place) for place in zip(*found, strict=True))
    return [
        [written(found.get((i, j), [])).rstrip(".,") for j in range(last_column + 1)]
        for i in range(last_row + 1)
    ]


def _columns(rows: list[list[Number]]) -> list[tuple[int, int]]:
    """Return where columns begin and end: numbers that share a place across are in one."""
    columns: list[tuple[int, int]] = []
    for start, end in sorted(_across(number) for row in rows for number in row):
        if columns and start < columns[-1][1]:
            columns[-1] = columns[-1][0], max(columns[-1][1], end)
        else:
            columns.append((start, end))
    return columns


def _across(number: Number) -> tuple[int, int]:
    return number[0].box[0], number[-1].box[2]


def _around(number: Number, columns: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the column that a number is in."""
    start, _ = _across(number)
    return next(column for column in columns if column[0] <= start < column[1])

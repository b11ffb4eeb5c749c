"""Reading order: rows from the top, each from the left, on tilted pages too."""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[int, int, int, int]


def in_reading_order(boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """Return the boxes' positions in reading order, each with its row.

    A row is followed from each box to the next on its right, so that a tilted row stays together.

    Parameters
    ----------
    boxes : sequence of (x0, y0, x1, y1)

    Returns
    -------
    list of (int, int)
        (position in boxes, row counted from 0).

    Examples
    --------
    >>> in_reading_order([(50, 8, 60, 28), (0, 50, 10, 70), (0, 0, 10, 20)])
    [(2, 0), (0, 0), (1, 1)]
    """
    rows: list[list[int]] = []
    for i in sorted(range(len(boxes)), key=lambda i: boxes[i][0] + boxes[i][2]):
        candidates = [(_overlap(boxes[row[-1]], boxes[i]), r) for r, row in enumerate(rows)]
        best = max(candidates, default=(0.0, 0))
        if best[0] > 0.4:
            rows[best[1]].append(i)
        else:
            rows.append([i])
    rows.sort(key=lambda row: sum(boxes[i][1] + boxes[i][3] for i in row) / len(row))
    return [(i, r) for r, row in enumerate(rows) for i in row]


def _overlap(left: Box, right: Box) -> float:
    """Return the height that two boxes share, relative to the lower one's height."""
    common = min(left[3], right[3]) - max(left[1], right[1])
    return common / max(1, min(left[3] - left[1], right[3] - right[1]))

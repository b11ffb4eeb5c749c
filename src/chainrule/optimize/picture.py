"""The curve of a training as a picture for notebooks, which needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

import numpy as np

from chainrule.common.types import Array

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 460, 190, 62, 62, 12, 30  # pixels
MOST = 300  # places along a curve; of more, the lowest and the highest value around each is drawn
LOGARITHMIC = 30  # times: a curve that falls by more is drawn on a logarithmic scale
COLOURS = ("#0072b2", "#d55e00")  # told apart with any colour vision, light or dark


def curves(values: dict[str, Sequence[float]], first: int = 0) -> str:
    """Return curves over the iterations, each with its name at its end.

    Parameters
    ----------
    values : dict of str to sequence of float
        The curves by their names, at most two.
    first : int, optional
        The number of the first iteration.

    Returns
    -------
    str
        SVG; empty if no value is finite.

    Examples
    --------
    >>> picture = curves({"J": [2.0, 1.0, 0.5]})
    >>> picture.count("<polyline"), "iteration" in picture
    (1, True)
    """
    series = {name: np.asarray(given, np.float64) for name, given in values.items()}
    series = {name: y for name, y in series.items() if np.isfinite(y).any()}
    if not series:
        return ""
    finite = np.concatenate([y[np.isfinite(y)] for y in series.values()])
    low, high = finite.min(), finite.max()
    scale = np.log10 if low > 0 and high > LOGARITHMIC * low else np.asarray
    bottom, top = float(scale(low)), float(scale(high))
    right = WIDTH - RIGHT
    last = max(map(len, series.values())) - 1

    def across(i: Array) -> Array:
        return LEFT + (right - LEFT) * i / max(1, last)

    def down(y: Array) -> Array:
        return TOP + (HEIGHT - TOP - BOTTOM) * (top - scale(y)) / ((top - bottom) or 1.0)

    drawn = [
        f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{right}" fill="none" stroke="currentColor"/>'
    ]
    ticks = {
        LEFT: f"{first}",
        (LEFT + WIDTH - RIGHT) / 2: "iteration",
        WIDTH - RIGHT: f"{first + last}",
    }
    drawn += [_text(x, HEIGHT - 12, "middle", tick) for x, tick in ticks.items()]
    drawn += [
        _text(LEFT - 6, float(down(value)) + 4, "end", f"{value:.3g}")
        for value in dict.fromkeys([high, low])
    ]
    ends: list[float] = []
    for y, colour, dash in zip(series.values(), COLOURS, ("", "5 3"), strict=False):
        i = _shown(y)
        points = " ".join(f"{x:.1f},{v:.1f}" for x, v in zip(across(i), down(y[i]), strict=True))
        drawn.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dash}"/>'
        )
        ends.append(float(down(y[i[-1]])))
    if len(ends) == 2 and abs(ends[1] - ends[0]) < 14:  # so that no name lies on the other
        ends[1] = ends[0] + (14 if ends[1] >= ends[0] else -14)
    drawn += [
        _text(right + 6, end + 4, "start", name) for name, end in zip(series, ends, strict=False)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" style="max-width: 100%; height: auto" '
        'font-family="sans-serif" font-size="12">'
        f"<title>{escape(', '.join(series))} over {last} iterations</title>{''.join(drawn)}</svg>"
    )


def _shown(y: Array) -> Array:
    """Return which values of a curve are drawn: the finite ones, of many the extremes."""
    i = np.flatnonzero(np.isfinite(y))
    if len(i) <= 2 * MOST:
        return i
    edges = np.linspace(0, len(i), MOST + 1).astype(int)
    parts = [i[start:stop] for start, stop in pairwise(edges)]
    extremes = [part[[y[part].argmin(), y[part].argmax()]] for part in parts]
    return np.unique(np.concatenate([i[:1], *extremes, i[-1:]]))


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return (
        f'<text x="{x:.4g}" y="{y:.4g}" text-anchor="{anchor}" fill="currentColor">'
        f"{escape(text)}</text>"
    )

"""A network as a picture for notebooks: its layers, and its weights as lines between.

It takes the notebook's colour of text, so it is seen on light and on dark ground, and it needs no
script.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

import numpy as np

from chainrule.common.types import Array

MOST = 12  # units drawn of a layer; of a larger one the first and the last
ACROSS, DOWN, RADIUS, MARGIN, GAP, LABEL = 150, 22, 7, 70, 14, 28  # pixels
POSITIVE, NEGATIVE = "#0072b2", "#d55e00"  # told apart with any colour vision, light or dark


def svg(layers: Sequence[int], names: Sequence[str], weights: Sequence[Array] | None = None) -> str:
    """Return the picture of a network, and of its weights if they are given.

    Parameters
    ----------
    layers : sequence of int
        The number of units of each layer.
    names : sequence of str
        What stands below each layer.
    weights : sequence of array of shape (s_l, s_{l+1}), optional
        Those between each two layers; biases are not drawn.

    Returns
    -------
    str
        SVG.  A line is blue where its weight is positive, orange where it is negative, and as
        strong as the weight is large beside the others of its layer.

    Examples
    --------
    >>> picture = svg((2, 3, 1), ("inputs", "tanh", "sigmoid"))
    >>> picture.count("<circle"), picture.count("<line")
    (6, 9)
    """
    shown = [units_shown(size) for size in layers]
    height = DOWN * min(MOST, max(layers)) + GAP + LABEL
    width = ACROSS * (len(layers) - 1) + 2 * MARGIN

    def place(layer: int, position: int) -> tuple[float, float]:
        n = len(shown[layer])
        gap = 0 if n == layers[layer] else GAP if position >= n / 2 else -GAP
        middle = (height - LABEL) / 2
        return MARGIN + ACROSS * layer, middle + DOWN * (position - (n - 1) / 2) + gap / 2

    lines, units = [], []
    for layer, (rows, columns) in enumerate(pairwise(shown)):
        if weights is None:
            looks = np.full((len(rows), len(columns)), 'stroke="currentColor" opacity="0.3"')
        else:
            looks = _looks(weights[layer][np.ix_(rows, columns)])
        for (i, j), look in np.ndenumerate(looks):
            start, end = np.array(place(layer, i)), np.array(place(layer + 1, j))
            edge = RADIUS * (end - start) / np.linalg.norm(end - start)
            (x1, y1), (x2, y2) = start + edge, end - edge
            lines.append(f'<line x1="{x1:.4g}" y1="{y1:.4g}" x2="{x2:.4g}" y2="{y2:.4g}" {look}/>')
    for layer, (size, name) in enumerate(zip(layers, names, strict=True)):
        x, _ = place(layer, 0)
        for position in range(len(shown[layer])):
            _, y = place(layer, position)
            units.append(f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS}"/>')
        if len(shown[layer]) < size:  # in the gap, over the lines that cross it
            y = (height - LABEL) / 2 + 6
            units.append(f'<text x="{x:g}" y="{y:g}" font-size="18" {LETTERS}>⋮</text>')
        units.append(f'<text x="{x:g}" y="{height - 6:g}" {LETTERS}>{size:,} {escape(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" style="max-width: 100%; height: auto">'
        f"<title>{escape(' - '.join(map(str, layers)))}</title>"
        f'<g stroke-width="1.5">{"".join(lines)}</g><g fill="none" stroke="currentColor" '
        'stroke-width="1.2" text-anchor="middle" font-family="sans-serif" font-size="13">'
        f"{''.join(units)}</g></svg>"
    )


LETTERS = 'fill="currentColor" stroke="none"'


def _looks(W: Array) -> Array:
    """Return how the line of each weight looks."""
    strength = np.abs(W) / (np.abs(W).max() or 1.0)
    found = [
        f'stroke="{POSITIVE if weight > 0 else NEGATIVE}" opacity="{share:.2f}"'
        for weight, share in zip(W.ravel(), strength.ravel(), strict=True)
    ]
    return np.array(found).reshape(W.shape)


def units_shown(size: int) -> Array:
    """Return which units of a layer are drawn.

    Examples
    --------
    >>> units_shown(3), units_shown(100)
    (array([0, 1, 2]), array([ 0,  1,  2,  3,  4,  5, 94, 95, 96, 97, 98, 99]))
    """
    half = MOST // 2
    return np.arange(size) if size <= MOST else np.r_[:half, size - half : size]

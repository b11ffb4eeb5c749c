"""A fitted network as a picture for notebooks: its layers, and its weights as lines between."""

from __future__ import annotations

from html import escape

import numpy as np

from chainrule.common.types import Array
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks

MOST = 8  # units drawn of a layer; of a larger one the first and the last
ACROSS, DOWN, RADIUS, MARGIN, GAP, LABEL = 150, 26, 8, 70, 14, 28  # pixels
POSITIVE, NEGATIVE = "#0072b2", "#d55e00"  # told apart with any colour vision


def svg(network: Network, theta: Array) -> str:
    """Return the picture of a network and its weights.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)

    Returns
    -------
    str
        SVG.  A line is blue where its weight is positive, orange where it is negative, and as
        strong as the weight is large beside the others of its layer.  Biases are not drawn.

    Examples
    --------
    >>> picture = svg(Network((2, 3, 1), hidden="tanh"), np.arange(13.0))
    >>> picture.count("<circle"), picture.count("<line")
    (6, 9)
    """
    shown = [units_shown(size) for size in network.layers]
    height = DOWN * min(MOST, max(network.layers)) + GAP + LABEL
    width = ACROSS * (network.L - 1) + 2 * MARGIN
    names = ["inputs", *(g.name for g in network.activations), network.cost.name.partition(":")[0]]

    def place(layer: int, position: int) -> tuple[float, float]:
        n = len(shown[layer])
        gap = 0 if n == network.layers[layer] else GAP if position >= n / 2 else -GAP
        middle = (height - LABEL) / 2
        return MARGIN + ACROSS * layer, middle + DOWN * (position - (n - 1) / 2) + gap / 2

    lines, units = [], []
    for layer, block in enumerate(blocks(network, theta)):
        W = block[1:][np.ix_(shown[layer], shown[layer + 1])]
        strength = np.abs(W) / (np.abs(W).max() or 1.0)
        for (i, j), weight in np.ndenumerate(W):
            (x1, y1), (x2, y2) = place(layer, i), place(layer + 1, j)
            lines.append(
                f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" '
                f'stroke="{POSITIVE if weight > 0 else NEGATIVE}" stroke-width="1.5" '
                f'opacity="{strength[i, j]:.2f}"/>'
            )
    for layer, (size, name) in enumerate(zip(network.layers, names, strict=True)):
        x, _ = place(layer, 0)
        for position in range(len(shown[layer])):
            _, y = place(layer, position)
            units.append(f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS}"/>')
        if len(shown[layer]) < size:  # in the gap, over the lines that cross it
            y = (height - LABEL) / 2 + 6
            units.append(f'<text x="{x:g}" y="{y:g}" class="gap">⋮</text>')
        units.append(f'<text x="{x:g}" y="{height - 6:g}">{size:,} {escape(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" style="max-width: 100%; height: auto">'
        f"<title>{escape(' - '.join(map(str, network.layers)))}</title>"
        f'{"".join(lines)}<g fill="Canvas" stroke="currentColor" stroke-width="1.2" '
        'text-anchor="middle" font-family="sans-serif" font-size="13">'
        "<style>text {fill: currentColor; stroke: none} .gap {font-size: 18px}</style>"
        f"{''.join(units)}</g></svg>"
    )


def units_shown(size: int) -> Array:
    """Return which units of a layer are drawn.

    Examples
    --------
    >>> units_shown(3), units_shown(100)
    (array([0, 1, 2]), array([ 0,  1,  2,  3, 96, 97, 98, 99]))
    """
    half = MOST // 2
    return np.arange(size) if size <= MOST else np.r_[:half, size - half : size]

"""One example's way forward and back as a picture, for the blackboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.notes.network import Network
from chainrule.notes.trace import Trace
from chainrule.plots.panel import BLUE, GREY, ORANGE, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_UNITS = 5  # units a layer, the bias unit not counted, that a picture has room for
MOST_LAYERS = 5
# In inches: from unit to unit in a layer, from label to label along an edge, the radius of a unit,
# and how high the lowest unit stands
APART, LABEL, RADIUS, BOTTOM = 1.25, 0.95, 0.45, 1.1


def fits(network: Network) -> bool:
    """Whether a page has room for the network."""
    return network.L <= MOST_LAYERS and max(network.layers) <= MOST_UNITS


@dataclass
class TraceDisplay(Panel):
    r"""A network as nodes and edges: a and delta in each node, Theta and D on each edge.

    Theta, used on the way forward, is blue; D, found on the way back, is orange.  Dashed edges come
    from the bias unit.

    Parameters
    ----------
    trace : Trace

    Raises
    ------
    ValueError
        If the network is too large for a page.

    Examples
    --------
    >>> from chainrule import Network, trace
    >>> shown = trace(Network((2, 1)), [0.0, 1.0, -1.0], [2.0, 1.0], 1)
    >>> ax = TraceDisplay.from_trace(shown).plot().ax_
    >>> [text.get_text() for text in ax.texts if "delta" in text.get_text()]
    ['$a_1$ = 0.731\n$\\delta_1$ = -0.269']
    """

    trace: Trace

    __repr__ = summary

    def __post_init__(self) -> None:
        network = self.trace.network
        if not fits(network):
            raise ValueError(
                f"layers {network.layers} are too many to draw with their numbers: a picture has "
                f"room for {MOST_LAYERS} layers of {MOST_UNITS} units; print the trace, or one "
                "unit of it"
            )

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Return the display of what `chainrule.trace` found."""
        return cls(trace)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches, in which the numbers have room."""
        return float(self._places()[-1][0, 0]) + 1.0, APART * (
            max(self._heights()) - 1
        ) + BOTTOM + RADIUS + 0.45

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on ax, or on a new pyplot figure with room for all numbers."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(figsize=self.size, layout="constrained")[1]
        return super().plot(ax)

    def _heights(self) -> list[int]:
        """Return how many nodes each layer has, the bias unit counted."""
        *inner, K = self.trace.network.layers
        return [*(s + 1 for s in inner), K]

    def _places(self) -> list[Array]:
        """Return the x and y of each layer's nodes, the bias unit first."""
        heights, x, places = self._heights(), 0.9, []
        for l, n in enumerate(heights):
            y = (max(heights) - 1) / 2 * APART + APART * ((n - 1) / 2 - np.arange(n)) + BOTTOM
            places.append(np.column_stack([np.full(n, x), y]))
            x += 2 * RADIUS + LABEL * (min(n, [*self.trace.network.layers, 1][l + 1]) + 1)
        return places

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        found, places = self.trace, self._places()
        width, height = self.size
        ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
        ax.set_axis_off()
        for l, (Theta, D) in enumerate(zip(found.Theta, found.D, strict=True)):
            bias = 0 if l == found.network.L - 2 else 1  # the last layer has none
            self._edges(ax, places[l], places[l + 1][bias:], Theta, D)
        for l, (a_l, nodes) in enumerate(zip(found.a, places, strict=True), start=1):
            top = nodes[0, 1] + RADIUS + 0.15
            ax.text(nodes[0, 0], top, f"layer {l}", ha="center", va="bottom", color=GREY)
            letter = "x" if l == 1 else "a"
            texts = [f"${letter}_{i}$ = {value:.3g}" for i, value in enumerate(a_l, start=1)]
            if l > 1:
                deltas = enumerate(found.delta[l - 2], start=1)
                texts = [
                    f"{text}\n$\\delta_{i}$ = {value:.3g}"
                    for text, (i, value) in zip(texts, deltas, strict=True)
                ]
            if l < found.network.L:
                texts.insert(0, "bias\n1")
            for text, place in zip(texts, nodes, strict=True):
                self._node(ax, text, place)
        targets = ", ".join(f"{value:.3g}" for value in found.y)
        ax.text(0.1, 0.1, f"y = {targets}    cost = {found.cost:.4g}", va="bottom")
        for k, (name, colour) in enumerate((("D, back", ORANGE), ("Theta, forward", BLUE))):
            ax.text(width - 0.1, 0.1 + 0.25 * k, name, ha="right", va="bottom", color=colour)

    def _node(self, ax: Axes, text: str, place: Array) -> None:
        from matplotlib.patches import Circle

        ax.add_patch(Circle(tuple(place), RADIUS, facecolor="white", edgecolor="black", zorder=3))
        ax.text(place[0], place[1], text, ha="center", va="center", fontsize=7.5, zorder=4)

    def _edges(self, ax: Axes, before: Array, after: Array, Theta: Array, D: Array) -> None:
        """Draw the edges of a Theta(l); the numbers stand in columns, where edges are far apart."""
        by_source = len(before) <= len(after)
        columns = len(before) if by_source else len(after)
        for i, end in enumerate(after):
            for j, start in enumerate(before):
                ax.plot(*np.stack([start, end]).T, color=GREY, linewidth=0.7,
                        linestyle="-" if j else "--", zorder=1)  # fmt: skip
                column = j if by_source else i
                inside = np.abs(end - start)[0] - 2 * RADIUS
                along = RADIUS + inside * (column + 1) / (columns + 1)
                x, y = start + (end - start) * along / (end - start)[0]
                slope = float(np.degrees(np.arctan2(*(end - start)[::-1])))
                for value, colour, va in (
                    (Theta[i, j], BLUE, "bottom"), (D[i, j], ORANGE, "top")
                ):  # fmt: skip
                    ax.text(
                        x,
                        y,
                        f"{value:.3g}",
                        color=colour,
                        ha="center",
                        va=va,
                        fontsize=7.5,
                        rotation=slope,
                        rotation_mode="anchor",
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
                        zorder=2,
                    )

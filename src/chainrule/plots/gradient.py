"""The analytic beside the numerical gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.common.shown import summary
from chainrule.notes.gradient_report import GradientReport
from chainrule.plots.panel import GREY, LAYERS, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass
class GradientCheckDisplay(Panel):
    """Analytic against numerical gradient, each Theta(l) in its colour; both agree on the diagonal.

    A constant factor shows as another line through 0, a mistake in one layer as one colour off the
    diagonal, a regularised bias as crosses off it.

    Parameters
    ----------
    report : GradientReport

    Examples
    --------
    >>> from chainrule import check_gradient
    >>> report = check_gradient(lambda theta: (theta @ theta, -2 * theta), [1.0, 2.0])
    >>> GradientCheckDisplay.from_report(report).plot().ax_.get_title()
    'Gradient check failed: sign'
    """

    report: GradientReport

    __repr__ = summary

    @classmethod
    def from_report(cls, report: GradientReport) -> GradientCheckDisplay:
        """Return the display of what `check_gradient` found."""
        return cls(report)

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        report = self.report
        ax.axline((0, 0), slope=1, color=GREY, linewidth=1, zorder=1)
        by_component = report.directions is None
        parts = [(part.name, part.where) for part in report.parts if by_component]
        what = "components" if by_component else "slopes along random directions"
        for i, (name, where) in enumerate(parts or [(what, slice(None))]):
            layer, weights = divmod(i, 2)
            ax.scatter(
                report.numerical[where],
                report.D[where],
                label=name,
                color=LAYERS[layer % len(LAYERS)],
                marker="o" if weights or not parts else "x",
                s=28,
                alpha=0.75,
                linewidths=1.2 if parts and not weights else 0,
            )
        found = ": " + report.diagnosis[0].name if report.diagnosis else ""
        ax.set_title(f"Gradient check {'passed' if report.ok else 'failed'}{found}")
        ax.set(xlabel="numerical gradient", ylabel="analytic gradient D")
        ax.legend(frameon=False, fontsize="small")
        ax.grid(color="#dddddd", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)

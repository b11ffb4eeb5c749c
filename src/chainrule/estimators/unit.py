"""The unit of y in which Bayesian regularisation works, so that y in metres and in mm fit alike.

One lambda for all weights asks them to be alike in size.  Of a network with a linear output that is
fair only where y is of order 1: in another unit the last layer alone would be larger.  So the
algorithm is given (y - c) / s, with c the mean and s the spread of y, and what it finds is the
network of y with

    Theta(L-1) s, to whose biases c is added          lambda s^2 for each layer but the last one
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, cast

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.scaling import Scaling
from chainrule.engine.blocks import Standardised
from chainrule.engine.examples import Examples
from chainrule.engine.rows import Rows
from chainrule.engine.stream import Stream
from chainrule.engine.sums import Sums, summed
from chainrule.notes.backprop import by_output
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks
from chainrule.optimize import Step
from chainrule.optimize.iterate import Steps


@dataclass(frozen=True, eq=False)
class Unit:
    """What is taken from y, and what it is divided by.

    Attributes
    ----------
    network : Network
        With an identity output; of any other the unit is 1.
    centre : ndarray of shape (K,)
    scale : float
        One for all the outputs: the cost is the sum over them.

    Examples
    --------
    >>> network = Network((1, 2, 1), output="identity")
    >>> unit = Unit.of(network, Rows(np.zeros((2, 1)), np.array([[100.0], [300.0]])))
    >>> unit.centre, unit.scale, unit.inside(Rows(np.zeros((1, 1)), np.array([[400.0]]))).Y
    (array([200.]), 100.0, array([[2.]]))
    >>> unit.outward(np.array([0.0, 0, 1, 1, 0.5, 3, 4]))
    array([  0.,   0.,   1.,   1., 250., 300., 400.])
    >>> unit.lam(2.0)
    [20000.0, 2.0]
    """

    network: Network
    centre: Array
    scale: float

    __repr__ = summary

    @classmethod
    def of(cls, network: Network, rows: Examples) -> Self:
        """Return the unit of these rows' targets."""
        if network.cost.name != "identity":
            return cls(network, np.zeros(network.K), 1.0)

        def targets(i: int) -> tuple[Array, Array]:
            _, Y, weights = rows.block(i)
            w = np.ones((len(Y), 1)) if weights is None else by_output(weights, np.float64)
            return Y.astype(np.float64), w

        def first(i: int, _: int) -> Sums:
            Y, w = targets(i)
            return np.broadcast_to(w, Y.shape).sum(axis=0), (w * Y).sum(axis=0)

        def second(i: int, _: int) -> Sums:
            Y, w = targets(i)
            return ((w * (Y - centre) ** 2).sum(),)

        total, sums = summed(rows.n_blocks, first)
        centre = sums / np.where(total > 0, total, 1)  # an output may have no weight
        (squares,) = summed(rows.n_blocks, second)
        return cls(network, centre, float(np.sqrt(squares / total.sum())) or 1.0)

    def inside(self, rows: Examples) -> Examples:
        """Return rows with their targets in this unit."""
        if isinstance(rows, Stream):
            scaling = Scaling(self.centre, np.full_like(self.centre, self.scale))
            source = Standardised(rows.blocks.source, targets=scaling)
            return replace(rows, blocks=replace(rows.blocks, source=source))
        rows = cast(Rows, rows)
        return replace(rows, Y=((rows.Y - self.centre) / self.scale).astype(rows.Y.dtype))

    def inward(self, theta: Array) -> Array:
        """Return the theta that predicts y in this unit."""
        theta = theta.copy()
        last = blocks(self.network, theta)[-1]
        last[0] -= self.centre
        last /= self.scale
        return theta

    def outward(self, theta: Array) -> Array:
        """Return the theta that predicts y as it is."""
        theta = theta.copy()
        last = blocks(self.network, theta)[-1]
        last *= self.scale
        last[0] += self.centre
        return theta

    def lam(self, alpha: float) -> list[float]:
        """Return lambda for each Theta(l) that predicts y as it is."""
        return [alpha * self.scale**2] * (self.network.L - 2) + [alpha]

    def told(self, step: Step) -> Step:
        """Return a step inside as the user sees it: theta and J of y as it is."""
        return replace(step, theta=self.outward(step.theta), J=self.scale**2 * step.J)

    def steps(self, inside: Steps) -> Steps:
        """Go on with the steps inside, and tell each as the user sees it."""
        try:
            while True:
                yield self.told(next(inside))
        except StopIteration as end:
            ended = end.value
            return ended if ended.step is None else replace(ended, step=self.told(ended.step))
        finally:
            inside.close()

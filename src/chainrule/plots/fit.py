"""Pictures of a fit of one or two inputs: its curve and error bars, hidden units, regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.common.words import drawn
from chainrule.engine.predicting import predict
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.notes.backprop import forward
from chainrule.notes.network import Network
from chainrule.plots.panel import BLUE, ORANGE, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes


POINTS = 400  # points of a curve
GRID = 200  # points of a map, along each side
MARGIN = 0.05  # part of the training set's range that is drawn on either side of it
NORMAL_90 = 1.645  # standard deviations on either side of the mean that hold 90 %
MARKERS = "osD^vP*X"


@dataclass
class PredictionDisplay(Panel):
    """The training set and the predicted curve of a network with one input, with its error bars.

    Parameters
    ----------
    X, Y : ndarray of shape (m,)
        The training set.
    x, h : ndarray of shape (n,)
        The curve.
    band, std : ndarray of shape (n,), optional
        The standard deviation of h, and of a new y.

    Notes
    -----
    Notes, *Testing your linear NN*: "plot the training set and the predicted values".

    Examples
    --------
    >>> from chainrule import train
    >>> X, network = np.c_[-1:1:30j], Network((1, 3, 1), hidden="tanh", output="identity")
    >>> y = X[:, 0] ** 2 + 0.01 * np.resize([1, -1, -1], 30)
    >>> theta = train(network, X, y, optimizer="lm").theta
    >>> bars = ErrorBars.at(network, theta, X, y)
    >>> display = PredictionDisplay.from_theta(network, theta, X, y, bars).plot()
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['90 % of new y', '90 % band of h', 'h', 'training set']
    """

    X: Array
    Y: Array
    x: Array
    h: Array
    band: Array | None = None
    std: Array | None = None

    __repr__ = summary

    @classmethod
    def from_theta(
        cls,
        network: Network,
        theta: npt.ArrayLike,
        X: npt.ArrayLike,
        Y: npt.ArrayLike,
        bars: ErrorBars | None = None,
    ) -> PredictionDisplay:
        """Return the display of a network with one input and one output.

        Parameters
        ----------
        network : Network
        theta : array of shape (size,)
        X : array of shape (m, 1)
            The training set.
        Y : array of shape (m,) or (m, 1)
        bars : ErrorBars, optional
            Adds the intervals.

        Raises
        ------
        ValueError
            If the network has more inputs or outputs.
        """
        if (network.layers[0], network.K) != (1, 1):
            raise ValueError(
                f"a curve needs one input and one output, layers are {network.layers}: see "
                "RegressionDisplay for others"
            )
        X = network.check_inputs(X)
        Y = network.check_targets(Y, len(X))
        x = _beyond(X[:, 0], POINTS)
        if bars is None:
            return cls(X[:, 0], Y[:, 0], x, predict(network, theta, x[:, None])[:, 0])
        return cls(X[:, 0], Y[:, 0], x, *(part[:, 0] for part in bars.predict(x[:, None])))

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        for spread, alpha, label in (
            (self.std, 0.15, "90 % of new y"),
            (self.band, 0.3, "90 % band of h"),
        ):
            if spread is not None:
                low, high = self.h - NORMAL_90 * spread, self.h + NORMAL_90 * spread
                ax.fill_between(
                    self.x, low, high, color=BLUE, alpha=alpha, linewidth=0, label=label
                )
        ax.plot(self.x, self.h, color=BLUE, linewidth=2, label="h")
        ax.plot(self.X, self.Y, "x", color=ORANGE, markersize=7, markeredgewidth=2,
                label="training set")  # fmt: skip
        ax.set(title="Training set and predicted curve", xlabel="x", ylabel="y")
        ax.legend(frameon=False)
        ax.spines[["top", "right"]].set_visible(False)


@dataclass
class HiddenResponsesDisplay(Panel):
    """The activation of each unit of a hidden layer, over the range of a network's one input.

    Parameters
    ----------
    x : ndarray of shape (n,)
    a : ndarray of shape (n, s_l)
        The activations.

    Examples
    --------
    >>> from chainrule import random_theta
    >>> network = Network((1, 3, 1), hidden="tanh", output="identity")
    >>> display = HiddenResponsesDisplay.from_theta(network, random_theta(network), [[0.0], [1.0]])
    >>> len(display.plot().ax_.lines)
    3
    """

    x: Array
    a: Array

    __repr__ = summary

    @classmethod
    def from_theta(
        cls, network: Network, theta: npt.ArrayLike, X: npt.ArrayLike, layer: int = 2
    ) -> HiddenResponsesDisplay:
        """Return the display of a layer, over the range of X.

        Parameters
        ----------
        network : Network
            With one input.
        theta : array of shape (size,)
        X : array of shape (m, 1)
        layer : int, default=2
            2 is the first hidden layer, as in the notes.

        Raises
        ------
        ValueError
            If the network has more inputs, or no such hidden layer.
        """
        if network.layers[0] != 1 or not 2 <= layer < network.L:
            raise ValueError(
                f"the responses need one input and a hidden layer 2..L-1: layers are "
                f"{network.layers}, layer is {layer}"
            )
        x = _beyond(network.check_inputs(X)[:, 0], POINTS)
        a, _ = forward(network, network.check_theta(theta), x[:, None])
        return cls(x, a[layer - 1])

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        import matplotlib as mpl

        units = self.a.shape[1]
        colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, units))
        for unit in range(units):
            label = f"unit {unit + 1}" if units <= 10 else None
            ax.plot(self.x, self.a[:, unit], color=colours[unit], linewidth=1.5, label=label)
        ax.set(title="What the hidden units answer", xlabel="x", ylabel="a")
        if units <= 10:
            ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        ax.spines[["top", "right"]].set_visible(False)


@dataclass
class DecisionRegionsDisplay(Panel):
    """Which class a network of two inputs predicts where, with the examples on it.

    Parameters
    ----------
    X : ndarray of shape (m, 2)
    codes : ndarray of shape (m,)
        The examples' classes, from 0.
    extent : tuple of float
        Left, right, bottom and top of the map.
    answers : ndarray of shape (n, n)
        The predicted class at each point of the map, bottom row first.
    classes : sequence of str or int, optional
        Names of the classes, in the order of their codes.  Default: class 0, class 1 and so on.

    Examples
    --------
    >>> from chainrule import train
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> network = Network((2, 4, 1), hidden="tanh")
    >>> theta = train(network, X, y).theta
    >>> DecisionRegionsDisplay.from_theta(network, theta, X, y).plot().ax_.get_title()
    'Decision regions'
    """

    X: Array
    codes: Array
    extent: tuple[float, float, float, float]
    answers: Array
    classes: Sequence[object] | None = None

    __repr__ = summary

    @classmethod
    def from_theta(
        cls,
        network: Network,
        theta: npt.ArrayLike,
        X: npt.ArrayLike,
        Y: npt.ArrayLike,
        classes: Sequence[object] | None = None,
    ) -> DecisionRegionsDisplay:
        """Return the display of a classifier with two inputs.

        Parameters
        ----------
        network : Network
            With sigmoid or softmax outputs.
        theta : array of shape (size,)
        X : array of shape (m, 2)
        Y : array of shape (m,) or (m, K)
        classes : sequence of str or int, optional
            Names of the classes, in the order of their codes.

        Raises
        ------
        ValueError
            If the network has another number of inputs, or no classes.
        """
        if network.layers[0] != 2 or network.cost.targets not in ("classes", "distribution"):
            raise ValueError(
                "decision regions need a classifier (sigmoid or softmax output) with two inputs: "
                f"layers are {network.layers}, output is {network.cost.name!r}"
            )
        X = network.check_inputs(X)
        x1, x2 = (_beyond(column, GRID) for column in X.T)
        grid = np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)
        answers = _codes(predict(network, theta, grid)).reshape(GRID, GRID)
        extent = (x1[0], x1[-1], x2[0], x2[-1])
        return cls(X, _codes(network.check_targets(Y, len(X))), extent, answers, classes)

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        import matplotlib as mpl

        classes = int(max(self.codes.max(), self.answers.max())) + 1
        colours = mpl.colormaps["cividis"](np.linspace(0, 1, classes))
        shown = dict.fromkeys(self.codes.tolist())
        ax.imshow(
            colours[self.answers],
            origin="lower",
            extent=self.extent,
            aspect="auto",
            alpha=0.35,
            interpolation="nearest",
        )
        for code in sorted(shown):
            x1, x2 = self.X[self.codes == code].T
            ax.scatter(
                x1,
                x2,
                s=22,
                color=[colours[code]],
                marker=MARKERS[code % len(MARKERS)],
                edgecolors="white",
                linewidths=0.6,
                label=f"class {code}" if self.classes is None else drawn(self.classes[code]),
            )
        ax.set(title="Decision regions", xlabel="$x_1$", ylabel="$x_2$")
        ax.legend(frameon=True, framealpha=0.9)


def _beyond(values: Array, n: int) -> Array:
    """Return n evenly spaced points over the range of values and a margin."""
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, n)


def _codes(h: Array) -> Array:
    """Return the class of each row: the largest output, or 1 if the only output is above 1/2."""
    return (h[:, 0] > 0.5).astype(np.intp) if h.shape[1] == 1 else h.argmax(axis=1)

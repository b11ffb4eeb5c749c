"""The weights, and what the hidden units look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.common.words import drawn
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks, reshape
from chainrule.plots.panel import GREY, MOST_NAMES, Images, Panel, mosaic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from chainrule.estimators import MLPClassifier, MLPRegressor


MOST_UNITS = 100  # hidden units shown at most


@dataclass
class HiddenUnitsDisplay(Panel):
    """What each unit of the first hidden layer looks for: its weights, as a picture.

    Black: ink there switches the unit on.  White: ink there switches it off.  Mid grey: ink there
    makes no difference.  Each tile has its own scale, symmetric around zero.

    Parameters
    ----------
    weights : ndarray of shape (s_2, height, width)

    Examples
    --------
    >>> from chainrule import Network, random_theta
    >>> network = Network((9, 4, 1))
    >>> images = lambda rows: rows.reshape(-1, 3, 3)
    >>> display = HiddenUnitsDisplay.from_theta(network, random_theta(network), images).plot()
    >>> display.ax_.get_title()
    'What the 4 hidden units look for'
    """

    weights: Array

    __repr__ = summary

    @classmethod
    def from_theta(cls, network: Network, theta: Array, images: Images) -> HiddenUnitsDisplay:
        """Return the display of Theta(1), its bias column left out.

        Parameters
        ----------
        network : Network
        theta : array of shape (size,)
        images : callable
            Turns rows of inputs, of shape (r, s_1), into images of shape (r, height, width).
        """
        W = blocks(network, network.check_theta(theta))[0][1:]  # (s_1, s_2)
        return cls(images(W.T))

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        shown = self.weights[:MOST_UNITS]
        largest = np.abs(shown).max(axis=(1, 2), keepdims=True)
        mosaic(ax, shown / np.where(largest > 0, largest, 1), limit=(-1, 1))
        first = "first " if len(shown) < len(self.weights) else ""
        plural = "s look" if len(shown) > 1 else " looks"
        ax.set_title(f"What the {first}{len(shown)} hidden unit{plural} for")
        ax.set_xlabel("black: ink here switches it on · white: off", color=GREY)


@dataclass
class WeightsDisplay(Panel):
    """The weights of one layer as a map: a row for each unit, a column for each of its inputs.

    Red is positive, blue negative, white zero.  The first column is the bias, as in the notes'
    Theta(l).  For inputs that are images `HiddenUnitsDisplay` shows more.

    Parameters
    ----------
    Theta : ndarray of shape (s_{l+1}, s_l + 1)
    inputs, units : sequence of str, optional
        The names of the columns, without the bias, and of the rows.  Default: numbers, from 1.
    title : str, default="Weights"

    Examples
    --------
    >>> display = WeightsDisplay(np.array([[0.5, 1.0, -2.0]]), inputs=["size", "age"]).plot()
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['bias', 'size', 'age']
    >>> display.shares.round(2)
    array([0.33, 0.67])
    """

    Theta: Array
    inputs: Sequence[str] | None = None
    units: Sequence[str] | None = None
    title: str = "Weights"

    __repr__ = summary

    @property
    def shares(self) -> Array:
        """The part of each input, without the bias, in the sum of the weights' absolute values.

        Where the inputs are standardised, it tells which of them the layer looks at most.
        """
        sizes = np.abs(self.Theta[:, 1:]).sum(axis=0)
        return np.asarray(sizes / (sizes.sum() or 1.0))

    @classmethod
    def from_estimator(
        cls, estimator: MLPClassifier | MLPRegressor, layer: int = 1
    ) -> WeightsDisplay:
        """Return the display of a fitted estimator's weights.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
        layer : int, default=1
            l of Theta(l), 1 to L - 1: the layer that the weights come from.

        Raises
        ------
        ValueError
            If there is no such layer.

        Examples
        --------
        >>> from chainrule import MLPRegressor
        >>> net = MLPRegressor(hidden_layer_sizes=3, solver="lbfgs", random_state=0)
        >>> net = net.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
        >>> WeightsDisplay.from_estimator(net, layer=2).Theta.shape
        (1, 4)
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(estimator)
        network = estimator.network_
        if not 1 <= layer < network.L:
            raise ValueError(f"layer must be 1 to {network.L - 1}, got {layer!r}")
        Theta = reshape(network, estimator.theta_)[layer - 1]
        inputs = getattr(estimator, "feature_names_in_", None) if layer == 1 else None
        classes = getattr(estimator, "classes_", ())
        units = [str(c) for c in classes] if layer == network.L - 1 else []
        named = len(units) == len(Theta)  # two classes share a unit
        return cls(Theta, inputs, units if named else None, f"Weights: Theta({layer})")

    def draw(self, ax: Axes) -> None:
        """Draw on ax."""
        rows, columns = self.Theta.shape
        limit = float(np.abs(self.Theta).max()) or 1.0
        picture = ax.imshow(
            self.Theta, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto",
            interpolation="nearest",
        )  # fmt: skip
        inputs = self.inputs if self.inputs is not None else range(1, columns)
        units = self.units if self.units is not None else range(1, rows + 1)
        for axis, names in (
            (ax.xaxis, ["bias", *map(drawn, inputs)]),
            (ax.yaxis, [*map(drawn, units)]),
        ):
            every = -(-len(names) // MOST_NAMES)
            axis.set_ticks(range(0, len(names), every), names[::every])
        if max(map(len, map(str, inputs))) > 3:
            ax.tick_params(axis="x", labelrotation=90)
        ax.axvline(0.5, color=GREY, linewidth=1)
        ax.set(title=self.title, xlabel="from", ylabel="to unit" if self.units is None else "to")
        if (figure := ax.get_figure()) is not None:
            figure.colorbar(picture, ax=ax, label="weight")

"""`Network`: the shape of a network (layer sizes, activations, cost), without any weights."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import (
    _rectangular,
    by_name,
    check_weights,
    floats,
    refuse_non_finite,
)
from chainrule.common.types import Array
from chainrule.notes.activations import ACTIVATIONS, Activation
from chainrule.notes.costs import Cost, columns_of_a_target, find_cost


@dataclass(frozen=True)
class Network:
    """A feed-forward network: s_1 inputs, hidden layers, s_L = K outputs.

    It holds no weights: those are one flat vector theta (see `chainrule.notes.theta`).

    Parameters
    ----------
    layers : sequence of int
        The number of units s_l of each layer, bias units not counted, inputs first.
    hidden : str, Activation, or sequence of them, default="sigmoid"
        The activation g of the hidden layers: one for all, or one for each.  Names:
        ``sigmoid``, ``tanh``, ``relu``, ``leaky_relu``, ``elu``, ``softplus``, ``identity``,
        ``silu``, ``gelu`` (exact), ``mish``, ``selu``.
    output : str or Cost, default="sigmoid"
        The output activation with its cost: ``"sigmoid"`` (the notes: K logistic units),
        ``"softmax"``, ``"identity"`` (half the squared error, the notes' linear network),
        ``"exp"`` (Poisson); and those with parameters of `chainrule.notes.costs.find_cost`.

    Attributes
    ----------
    L : int
        Number of layers, the notes' L.
    K : int
        Number of output units.
    shapes : tuple of (int, int)
        The shape (s_{l+1}, s_l + 1) of each Theta(l).
    size : int
        The length of theta.
    activations : tuple of Activation
        One for each hidden layer.
    cost : Cost
        The output's canonical pair.

    Raises
    ------
    ValueError
        If a layer size is not a positive integer, or a name is unknown.

    Notes
    -----
    Notes, *Cost Function*: L, s_l, K; "the number of columns in our current theta matrix is equal
    to the number of nodes in our current layer (including the bias unit)".

    Examples
    --------
    >>> network = Network((400, 25, 10))
    >>> network.L, network.K, network.shapes, network.size
    (3, 10, ((25, 401), (10, 26)), 10285)
    >>> Network((1, 8, 1), hidden="tanh", output="identity")
    Network(layers=(1, 8, 1), hidden='tanh', output='identity')
    """

    layers: tuple[int, ...]
    hidden: str | Activation | tuple[str | Activation, ...]
    output: str | Cost

    def __init__(
        self,
        layers: Sequence[int],
        *,
        hidden: str | Activation | Sequence[str | Activation] = "sigmoid",
        output: str | Cost = "sigmoid",
    ) -> None:
        if isinstance(layers, str | bytes) or not isinstance(layers, Sequence | np.ndarray):
            raise ValueError(f"layers must be a sequence such as (400, 25, 10), not {layers!r}")
        if len(layers) < 2:
            raise ValueError(f"layers needs at least inputs and outputs, got {tuple(layers)!r}")
        for position, s in enumerate(layers, start=1):
            if not isinstance(s, numbers.Integral) or isinstance(s, bool) or s < 1:
                raise ValueError(f"layer {position} must have a whole number >= 1 of units: {s!r}")
        object.__setattr__(self, "layers", tuple(int(s) for s in layers))
        if isinstance(hidden, Sequence) and not isinstance(hidden, str):
            hidden = tuple(hidden)
            if len(hidden) != self.L - 2:
                raise ValueError(
                    f"hidden names {len(hidden)} activations, but layers {self.layers} has "
                    f"{self.L - 2} hidden layer(s): give one name, or one for each"
                )
        object.__setattr__(self, "hidden", hidden)
        object.__setattr__(self, "output", output)
        _ = self.activations, self.cost  # refuses unknown names now, not at first use
        if self.cost.targets == "distribution" and self.K < 2:
            raise ValueError(
                f"output={self.cost.name!r} needs at least 2 output units, got {self.K}: for two "
                "classes in one unit use output='sigmoid'"
            )
        if self.K % self.cost.units:
            raise ValueError(
                f"output={self.cost.name!r} needs a multiple of {self.cost.units} output units, "
                f"got {self.K}"
            )

    @classmethod
    def for_data(
        cls,
        X: Array,
        Y: Array,
        hidden_layers: int = 1,
        hidden_units: int | None = None,
        **options: Any,
    ) -> Network:
        """Return the network that the notes' defaults give for a training set.

        One input for each feature, one output for each class (or column of Y), one hidden layer,
        and the same number of units in every hidden layer.

        Parameters
        ----------
        X : array of shape (m, n)
            The examples, one a row.
        Y : array of shape (m,) or (m, K)
            Integer codes 0..K-1 of classes (two classes become one unit), a float vector
            (one output) or a matrix (K outputs).
        hidden_layers : int, default=1
            How many hidden layers.
        hidden_units : int, optional
            Units in each; by default 25, the course's choice, but at most 10 for each input.
        **options
            ``hidden`` and ``output``, as in `Network`.  With float targets in one column or
            outside [0, 1], output is ``"identity"`` unless given.

        Returns
        -------
        Network

        Notes
        -----
        Notes, *Putting it Together*.

        Examples
        --------
        >>> X, y = np.zeros((6, 4)), np.array([0, 1, 2, 0, 1, 2])
        >>> Network.for_data(X, y)
        Network(layers=(4, 25, 3), hidden='sigmoid', output='sigmoid')
        >>> Network.for_data(X, y / 3, hidden_layers=2, hidden_units=5).layers
        (4, 5, 5, 1)
        """
        X, Y = np.asarray(X), np.asarray(Y)
        if X.ndim != 2 or Y.ndim not in (1, 2) or len(X) != len(Y) or not X.size or not Y.size:
            raise ValueError(
                f"X must be (m, n) and Y (m,) or (m, K), with m >= 1; got {X.shape} and {Y.shape}"
            )
        if not isinstance(hidden_layers, numbers.Integral) or hidden_layers < 0:
            raise ValueError(f"hidden_layers must be a whole number >= 0, got {hidden_layers!r}")
        if Y.dtype.kind not in "iufb":
            raise ValueError(
                f"Y must hold numbers or the codes 0..K-1 of classes, got {Y.dtype}: "
                "numpy.unique(Y, return_inverse=True) turns labels into codes"
            )
        if Y.ndim == 2 and Y.shape[1] == 1 and Y.dtype.kind in "iub":
            Y = Y[:, 0]
        # Whole numbers are codes only for a classifier; counts and measurements are one output
        wanted = cls((1, 2), output=options.get("output", "sigmoid")).cost.targets
        if Y.ndim == 1 and Y.dtype.kind in "iub" and wanted in ("classes", "distribution"):
            K = int(Y.max()) + 1
            K = K if K > 2 else 2 if wanted == "distribution" else 1
        else:
            K = 1 if Y.ndim == 1 else Y.shape[1]
            if Y.ndim == 1 or Y.min() < 0 or Y.max() > 1:
                options.setdefault("output", "identity")
        units = min(25, 10 * X.shape[1]) if hidden_units is None else hidden_units
        return cls((X.shape[1], *(units,) * hidden_layers, K), **options)

    def _repr_html_(self) -> str:
        """Return the network, drawn, for notebooks."""
        from chainrule.notes.picture import svg

        return svg(self.layers, self.layer_names)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What each layer holds: inputs, units of an activation, outputs."""
        hidden = (activation.name for activation in self.activations)
        return ("inputs", *hidden, self.cost.name.partition(":")[0])

    @property
    def L(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def K(self) -> int:
        """Number of output units."""
        return self.layers[-1]

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape (s_{l+1}, s_l + 1) of each Theta(l)."""
        return tuple((out, inn + 1) for inn, out in pairwise(self.layers))

    @cached_property
    def size(self) -> int:
        """The length of theta."""
        return sum(rows * columns for rows, columns in self.shapes)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activation of each hidden layer."""
        hidden = self.hidden if isinstance(self.hidden, tuple) else (self.hidden,)
        found = tuple(
            g if isinstance(g, Activation) else by_name(g, ACTIVATIONS, "activation")
            for g in hidden
        )
        return found if isinstance(self.hidden, tuple) else found * (self.L - 2)

    @property
    def cost(self) -> Cost:
        """The output activation with its cost."""
        return self.output if isinstance(self.output, Cost) else find_cost(str(self.output))

    def check_inputs(self, X: npt.ArrayLike) -> Array:
        """Return X as a finite (m, s_1) float array, or raise an error that says what is wrong.

        Parameters
        ----------
        X : array of shape (m, s_1)
            The examples, one a row.  float32 and float64 are kept, other numbers become float64.

        Returns
        -------
        ndarray of shape (m, s_1)
            X itself where it already conforms.

        Raises
        ------
        ValueError
            If X has another shape, no rows, or a value that is not a finite number.

        Examples
        --------
        >>> Network((2, 1)).check_inputs([[1, 2], [3, float("nan")]])
        Traceback (most recent call last):
            ...
        ValueError: X has nan in row 1, column 1 (counted from 0): fill or drop it first
        """
        X = self.check_shape(X)
        refuse_non_finite(X, "X")
        return X

    def check_shape(self, X: npt.ArrayLike) -> Array:
        """Do as `check_inputs`, but let NaN and infinity pass, for whoever finds them later."""
        X = floats(X, "X")
        if X.ndim != 2 or X.shape[1] != self.layers[0] or not len(X):
            raise ValueError(
                f"X must have shape (m, {self.layers[0]}) with m >= 1, one example a row; "
                f"got {X.shape}"
            )
        return X

    def check_targets(self, Y: npt.ArrayLike, m: int, first: int = 0) -> Array:
        """Return Y as an (m, K) array of target values, or raise an error that says what is wrong.

        Parameters
        ----------
        Y : array of shape (m,) or (m, K)
            Target values, or integer codes 0..K-1 of K classes (0 and 1 for one sigmoid unit),
            which become one-hot rows.  Codes may stand in one column, of shape (m, 1).
        m : int
            The number of examples that X has.
        first : int, default=0
            The number of the first one in the table that errors speak of.

        Returns
        -------
        ndarray of shape (m, K)

        Raises
        ------
        ValueError
            If Y has another length or shape, or a value that the cost cannot take.

        Examples
        --------
        >>> Network((2, 3)).check_targets([0, 2], m=2)
        array([[1., 0., 0.],
               [0., 0., 1.]])
        """
        Y = _rectangular(Y, "Y")
        if Y.ndim not in (1, 2) or len(Y) != m:
            raise ValueError(
                f"X has {m} rows and Y has shape {Y.shape}: they must have the same length"
            )
        if Y.ndim == 2 and Y.shape[1] == 1 < self.K and Y.dtype.kind in "iub":
            Y = Y[:, 0]
        if Y.ndim == 1 and self.K > 1:
            classes = self.cost.targets in ("classes", "distribution")
            if not classes or Y.dtype.kind not in "iub":
                what = "(m,) integer codes 0..K-1 or " if classes else ""
                raise ValueError(
                    f"this network has {self.K} outputs: Y must be {what}of shape "
                    f"({m}, {self.K}), got {Y.shape} of {Y.dtype}"
                )
            if Y.min() < 0 or Y.max() >= self.K:
                raise ValueError(
                    f"Y has the class code {Y.min() if Y.min() < 0 else Y.max()}, but this "
                    f"network's codes are 0 to {self.K - 1}"
                )
            return np.eye(self.K)[Y.astype(np.intp)]
        Y = floats(Y.reshape(m, -1), "Y")
        if Y.shape[1] != self.K:
            raise ValueError(f"Y must have shape ({m}, {self.K}), got {Y.shape}")
        refuse_non_finite(Y, "Y", first)
        limits = {"classes": (0, 1), "distribution": (0, 1), "counts": (0, np.inf)}
        low, high = limits.get(self.cost.targets, (-np.inf, np.inf))
        if Y.min() < low or Y.max() > high:
            raise ValueError(
                f"output={self.cost.name!r} needs every y in [{low}, {high}], got values from "
                f"{Y.min():g} to {Y.max():g}"
            )
        if self.cost.targets == "distribution" and not np.allclose(Y.sum(axis=1), 1, atol=1e-5):
            raise ValueError(f"output={self.cost.name!r} needs every row of Y to add up to 1")
        return Y

    def known_targets(
        self,
        Y: npt.ArrayLike,
        m: int,
        weights: npt.ArrayLike | None = None,
        first: int | None = None,
    ) -> tuple[Array, Array | None]:
        """Return targets and weights, in which NaN in Y has become a weight of 0.

        Parameters
        ----------
        Y : array of shape (m,) or (m, K)
            As for `check_targets`; where there are several outputs, NaN is a target that nobody
            knows.  Of a softmax, and of several quantiles of a target, all or none are known.
        m : int
        weights : array of shape (m,) or (m, K), optional
            Weight of each example, or of each of its outputs.
        first : int, optional
            The number of the first row, where these are a part of a table: all of its weights may
            be 0.

        Returns
        -------
        Y : ndarray of shape (m, K)
        weights : ndarray of shape (m,) or (m, K), or None

        Raises
        ------
        ValueError
            If either does not fit.

        Examples
        --------
        >>> network = Network((1, 2), output="identity")
        >>> network.known_targets([[1.0, np.nan], [2.0, 3.0]], m=2)
        (array([[1., 0.],
               [2., 3.]]), array([[1., 0.],
               [1., 1.]]))
        """
        q = columns_of_a_target(self.cost, self.K)
        if weights is not None:
            weights = check_weights(weights, m, self.K, first)
        values = _rectangular(Y, "Y")
        unknown = np.isnan(values) if values.dtype.kind == "f" else np.zeros(1, bool)
        if self.K > 1 and values.shape == (m, self.K) and unknown.any():
            # A softmax's targets must add up to 1, whatever they are
            fill = 1 / self.K if self.cost.targets == "distribution" else 0.0
            values = np.where(unknown, np.asarray(fill, values.dtype), values)
            if weights is None or weights.ndim == 1:
                each = np.ones(m) if weights is None else weights
                weights = np.repeat(each[:, None], self.K, axis=1)
            weights = check_weights(np.where(unknown, 0, weights), m, self.K, first)
        if weights is not None and weights.ndim == 2:
            of_target = weights.reshape(m, -1, q)
            if not (of_target == of_target[:, :, :1]).all():
                raise ValueError(
                    f"output={self.cost.name!r}: of each target, {q} columns of Y are known (not "
                    "NaN) together, and have one weight"
                )
        return self.check_targets(values, m, first or 0), weights

    def check_theta(self, theta: npt.ArrayLike) -> Array:
        """Return theta as a finite flat float vector of this network's size, or raise ValueError.

        Parameters
        ----------
        theta : array of shape (size,)

        Returns
        -------
        ndarray of shape (size,)
            theta itself where it already conforms.

        Examples
        --------
        >>> Network((2, 1)).check_theta([1.0, 2.0])
        Traceback (most recent call last):
            ...
        ValueError: theta must have shape (3,) for layers (2, 1), got (2,)
        """
        theta = floats(theta, "theta")
        if theta.shape != (self.size,):
            raise ValueError(
                f"theta must have shape ({self.size},) for layers {self.layers}, got {theta.shape}"
            )
        refuse_non_finite(theta, "theta")
        return theta

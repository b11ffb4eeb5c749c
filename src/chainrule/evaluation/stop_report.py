"""Why a training ended, what stands out about the trained network, and one suggestion."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, Lambda
from chainrule.notes.backprop import accumulate, by_output, finish, forward, points
from chainrule.notes.network import Network

FLAT_SLOPE = 0.01  # a unit whose g' is below it for every example hardly learns
ORDER_OF_ONE = 10.0  # numbers whose mean and spread add up to more, or to less than 1 / 10 of 1,
# are far from standardised; and y, where its mean is more than 10 times its spread
ROUNDING = 1e-6  # relative: what of a spread may be computed for a constant column
SETTINGS = ("learning rate", "regularisation", "scale of y")
MORE = "more iterations"
NOTHING = "nothing stands out: compare the scores on training and validation examples"
MANY = 0.1  # share of a layer's units


@dataclass(frozen=True)
class StopReport:
    """Why a training ended and what stands out.  ``print`` shows it.

    Attributes
    ----------
    why : str
        Which rule ended it.
    converged : bool
        Whether that rule was convergence.
    gradient_norm : float
        The Euclidean norm of D on the examples looked at.
    dead : tuple of int
        For each hidden layer, how many units have g' = 0 for every example: they cannot learn.
    saturated : tuple of int
        For each hidden layer, how many others have g' < 0.01 for every example.
    badly_scaled : tuple of int
        Inputs, counted from 0, whose mean and standard deviation add up to more than 10 or to less
        than 0.1; not those that are constant, or 0 in most examples.
    suggestion : str
        What to try first.
    layers : tuple of int
    badly_scaled_targets : tuple of int
        Outputs, counted from 0, for numbers y of which the same is true, or whose mean is more than
        10 times their standard deviation.

    Examples
    --------
    >>> X, Y = np.array([[-4.0], [28.0]]), np.array([[0.0], [1.0]])
    >>> network, theta = Network((1, 2, 1), hidden="tanh"), np.array([0.0, 0, 1, 0, 0, 1, 1])
    >>> print(stop_report(network, theta, X, Y, why="stopped at max_iter = 1"))
    stopped at max_iter = 1
    gradient norm 4.31
    layer 2: 1 of 2 units saturated
    1 of 1 inputs far from order 1: input 0 first
    try: standardise the inputs
    """

    why: str
    converged: bool
    gradient_norm: float
    dead: tuple[int, ...]
    saturated: tuple[int, ...]
    badly_scaled: tuple[int, ...]
    suggestion: str
    layers: tuple[int, ...]
    badly_scaled_targets: tuple[int, ...] = ()

    __repr__ = summary

    def __str__(self) -> str:
        lines = [self.why, f"gradient norm {self.gradient_norm:.3g}"]
        for what, counts in (("dead", self.dead), ("saturated", self.saturated)):
            lines += [
                f"layer {l}: {count} of {self.layers[l - 1]} units {what}"
                for l, count in enumerate(counts, start=2)
                if count
            ]
        if self.badly_scaled:
            lines.append(
                f"{len(self.badly_scaled)} of {self.layers[0]} inputs far from order 1: "
                f"input {self.badly_scaled[0]} first"
            )
        if self.badly_scaled_targets:
            lines.append(
                f"y of {len(self.badly_scaled_targets)} of {self.layers[-1]} outputs far from "
                f"order 1: output {self.badly_scaled_targets[0]} first"
            )
        return "\n".join([*lines, f"try: {self.suggestion}"])


@np.errstate(over="ignore", invalid="ignore")  # a diverged network is what it may look at
def stop_report(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    *,
    why: str,
    weights: Array | None = None,
    lam: Lambda = 0.0,
    converged: bool = False,
    settings: Collection[str] = SETTINGS,
) -> StopReport:
    """Look at a trained network on some of its examples.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    X : array or scipy.sparse.csr_array of shape (m, s_1)
    Y : array of shape (m, K)
    why : str
        Which rule ended the training.
    weights : array of shape (m,) or (m, K), optional
    lam : float or sequence of L - 1 float, default=0.0
    converged : bool, default=False
    settings : collection of str
        What the optimizer leaves to the user, of ``SETTINGS``: no other is suggested.

    Returns
    -------
    StopReport

    Notes
    -----
    Notes, *Backpropagation Algorithm*: delta(l) has the factor g'(z(l)); a unit for which that is
    0 gets no update, and one for which it is small gets next to none.
    """
    _, D = finish(network, theta, *accumulate(network, theta, X, Y, weights), lam)
    a, _ = forward(network, theta, X)
    dead, saturated = [], []
    for at_l, g in zip(points(network, theta, a), network.activations, strict=True):
        slope = np.abs(g.g_prime(at_l)).max(axis=0)  # (s_l,)
        dead.append(int((slope == 0).sum()))
        saturated.append(int(((slope > 0) & (slope < FLAT_SLOPE)).sum()))
    mean = X.mean(axis=0, dtype=np.float64)
    squares = (X * X).mean(axis=0, dtype=np.float64)
    spread = np.sqrt(np.maximum(squares - mean**2, 0))
    size, filled = np.abs(mean) + spread, np.asarray((X != 0).sum(axis=0)).ravel() / X.shape[0]
    small = (size < 1 / ORDER_OF_ONE) & (spread > ROUNDING * size) & (filled > 0.5)
    badly_scaled = tuple(int(j) for j in np.flatnonzero((size > ORDER_OF_ONE) | small))
    far = far_targets(Y, weights) if network.cost.targets == "numbers" else ()
    few = [MANY * s for s in network.layers[1:-1]]
    scaled = ["the inputs"] * bool(badly_scaled)
    scaled += ["y (scale_y=True)"] * bool(far and "scale of y" in settings)
    if scaled:
        suggestion = "standardise " + " and ".join(scaled)
    elif why.startswith("diverged") and "learning rate" in settings:
        suggestion = "a smaller learning rate"
    elif any(count > least for count, least in zip(dead, few, strict=True)):
        suggestion = "an activation that is nowhere flat (leaky_relu)"
        if "learning rate" in settings:
            suggestion = f"a smaller learning rate, or {suggestion}"
    elif any(count > least for count, least in zip(saturated, few, strict=True)):
        suggestion = "smaller initial weights"
        if "regularisation" in settings:
            suggestion += ", or more regularisation"
    elif not converged:
        suggestion = MORE
    else:
        suggestion = NOTHING
    return StopReport(
        why=why,
        converged=converged,
        gradient_norm=float(np.linalg.norm(D)),
        dead=tuple(dead),
        saturated=tuple(saturated),
        badly_scaled=badly_scaled,
        suggestion=suggestion,
        layers=network.layers,
        badly_scaled_targets=far,
    )


def far_targets(Y: Array, weights: Array | None) -> tuple[int, ...]:
    """Return the outputs whose y is far from mean 0 and spread 1, among those that are known.

    Examples
    --------
    >>> far_targets(np.array([[1e6, 0.0, 50.0], [3e6, 2.0, 51.0]]), None)
    (0, 2)
    """
    known = np.ones(Y.shape, bool)
    if weights is not None:
        known &= by_output(weights, np.float64) > 0
    count = np.maximum(known.sum(axis=0), 1)  # of an output without weight none is known
    mean = Y.sum(axis=0, where=known, dtype=np.float64) / count
    spread = np.sqrt(np.square(Y - mean).sum(axis=0, where=known) / count)
    size = np.abs(mean) + spread
    far = (size > ORDER_OF_ONE) | (size < 1 / ORDER_OF_ONE) | (np.abs(mean) > ORDER_OF_ONE * spread)
    return tuple(int(k) for k in np.flatnonzero(far & (spread > 1e-12 * size)))

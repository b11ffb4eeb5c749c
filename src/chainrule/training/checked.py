"""Step 5 of the six: the gradient is checked once, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.common.types import Array, ElasticNet, Lambda
from chainrule.engine.summing import accumulate
from chainrule.notes.gradient_check import compare
from chainrule.notes.gradient_report import GradientReport
from chainrule.notes.network import Network
from chainrule.notes.regularisation import finish_spread, spread

CHECK_ROWS = 20  # examples that the gradient check before training looks at
CHECK_EPSILONS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)  # tried in turn until one agrees
BESIDE_0 = 1e-3  # farther than the first of them
CHECK_DIRECTIONS = 10  # random directions along which it compares slopes


class WrongGradientError(ArithmeticError):
    """Backpropagation and the numerical gradient disagree: training was not started.

    Its text is the report of the gradient check.

    Examples
    --------
    An activation whose derivative is wrong, 1 where it should be a(1 - a):

    >>> from chainrule import Network, train
    >>> from chainrule.notes.activations import Activation, sigmoid
    >>> wrong = Activation("wrong", sigmoid, np.ones_like)
    >>> train(Network((1, 2, 1), hidden=wrong), [[0.0], [1.0]], [0, 1])
    Traceback (most recent call last):
        ...
    chainrule.training.checked.WrongGradientError: gradient check FAILED: 10 random directions, ...
    """


def check_before_training(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    lam: Lambda = 0.0,
    seed: int = 0,
    *,
    rows: int = CHECK_ROWS,
    directions: int | None = CHECK_DIRECTIONS,
    engine: str | None = None,
    ask: Callable[[], object] = lambda: None,
) -> GradientReport:
    """Check the gradient on a few examples along a few directions, in float64.

    It costs the same whatever the size of the training set.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    X : array of shape (m, s_1)
    Y : array of shape (m, K)
    lam : float, sequence of L - 1 float or ElasticNet, default=0.0
    seed : int, default=0
        Seed of the choice of examples and directions.
    rows : int, default=20
        How many examples, at most.
    directions : int or None, default=10
        How many directions; None compares every component of theta.
    engine : {"kernel", "numpy"}, optional
        The engine whose gradient is checked.
    ask : callable, optional
        Called before each evaluation of J and each direction; it may raise `Stopped`.

    Returns
    -------
    GradientReport
        If it failed, it names the layers that are wrong.

    Notes
    -----
    Notes, *Gradient Checking*: "Once you've verified once that your backpropagation algorithm is
    correct, then you don't need to compute gradApprox again."

    Examples
    --------
    >>> from chainrule import random_theta
    >>> network = Network((2, 3, 1))
    >>> X, Y = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[1.0], [0.0]])
    >>> check_before_training(network, random_theta(network), X, Y).ok
    True
    """
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(len(X), size=min(rows, len(X)), replace=False))
    X, Y = X[drawn].astype(np.float64), Y[drawn].astype(np.float64)
    if isinstance(lam, ElasticNet):  # |w| has no slope at 0: it is checked beside it
        theta = np.where(theta == 0, BESIDE_0, theta)

    lams = spread(network, lam)

    def objective(theta: Array) -> tuple[float, Array]:
        return finish_spread(theta, *accumulate(network, theta, X, Y, engine=engine), lams)

    # Where J bends sharply, as with inputs in the thousands, only a small epsilon agrees.  Where J
    # is large, only a large one rises above rounding.  A wrong gradient agrees with none of them
    reports = []
    for epsilon in CHECK_EPSILONS:
        reports.append(
            compare(
                objective,
                theta,
                epsilon=epsilon,
                directions=directions,
                seed=seed,
                network=network,
                stop=lambda: bool(ask()),
            )
        )
        if reports[-1].ok:
            return reports[-1]
    return reports[0]

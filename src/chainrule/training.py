"""The notes' six steps of training a network: initialise, check the gradient once, minimise."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.activations import Array
from chainrule.backprop import Lambda, check_lam, finish
from chainrule.engine import accumulate
from chainrule.gradient_check import GradientReport, check_gradient
from chainrule.network import Network
from chainrule.optimize import Callback, History, Optimizer, Result, Step, find
from chainrule.optimize.result import Objective
from chainrule.theta import identical_units, random_theta

CHECK_ROWS = 20  # examples that the gradient check before training looks at
CHECK_DIRECTIONS = 10  # random directions along which it compares slopes
CHECK_EPSILONS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
INTERRUPTED = "interrupted by Ctrl-C"


class WrongGradientError(ArithmeticError):
    """Backpropagation and the numerical gradient disagree: training was not started.

    Its text is the report of the gradient check.

    Examples
    --------
    An activation whose derivative is wrong, 1 where it should be a(1 - a):

    >>> from chainrule.activations import Activation, sigmoid
    >>> wrong = Activation("wrong", sigmoid, np.ones_like)
    >>> train(Network((1, 2, 1), hidden=wrong), [[0.0], [1.0]], [0, 1])
    Traceback (most recent call last):
        ...
    chainrule.training.WrongGradientError: gradient check FAILED: 10 random directions, ...
    """


def train(
    network: Network,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    lam: Lambda = 0.0,
    optimizer: str | Optimizer = "lbfgs",
    max_iter: int = 100,
    max_time: float | None = None,
    theta: npt.ArrayLike | None = None,
    seed: int = 0,
    dtype: npt.DTypeLike | None = None,
    check: bool = True,
    allow_symmetry: bool = False,
    callback: Callback | None = None,
) -> Result:
    """Train a network by the notes' six steps.

    1. theta is initialised at random.  2.-4. Forward propagation, the cost and backpropagation
    are `chainrule.backprop`.  5. The gradient is checked once, on a few examples.  6. The
    optimizer minimises J.

    Parameters
    ----------
    network : Network
    X : array of shape (m, s_1)
        The examples, one a row.
    Y : array of shape (m,) or (m, K)
        Targets, or integer codes 0..K-1 of K classes.
    lam : float or sequence of L - 1 float, default=0.0
        lambda, the regularisation parameter, >= 0: one for all Theta(l), or one for each.
    optimizer : str or callable, default="lbfgs"
        ``"lbfgs"``, ``"gd"`` (gradient descent), ``"scipy:NAME"`` for a minimizer of
        `scipy.optimize.minimize` that takes a gradient, or a function
        ``minimize(objective, theta, *, max_iter, callback) -> Result``.
    max_iter : int, default=100
        Iterations at most.
    max_time : float, optional
        Seconds at most; the best theta so far is returned.
    theta : array of shape (size,), optional
        The start; random by default.
    seed : int, default=0
        Of the random start.
    dtype : dtype, optional
        float64 or float32: what to compute in.  Default: X's, or float64.
    check : bool, default=True
        Whether to check the gradient before the first iteration.
    allow_symmetry : bool, default=False
        Whether to start from a theta in which hidden units are identical.
    callback : callable, optional
        Called with a `Step` after each iteration; a true return value ends training.

    Returns
    -------
    Result
        The best theta so far, too, when Ctrl-C or max_time ended training.

    Raises
    ------
    ValueError
        If an argument does not fit, or hidden units of theta are identical.
    WrongGradientError
        If the gradient check fails.

    Notes
    -----
    Notes, *Training a Neural Network*.

    Examples
    --------
    XOR, which no network without a hidden layer can learn:

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> result = train(Network((2, 4, 1)), X, y, seed=1)
    >>> result.J < 0.01
    True
    """
    X = network.inputs(X)
    dtype = np.dtype(X.dtype if dtype is None else dtype)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype}")
    Y = network.targets(Y, len(X))
    check_lam(network, lam)
    if max_iter < 0:
        raise ValueError(f"max_iter must be >= 0, got {max_iter}")
    minimize = find(optimizer)
    start = random_theta(network, seed) if theta is None else network.theta(theta)  # step 1
    twins = None if allow_symmetry else identical_units(network, start)
    if twins:
        layer, i, j = twins
        raise ValueError(
            f"units {i} and {j} of layer {layer} have the same weights in and out: they would get "
            "the same update for ever and stay one unit (notes, Random Initialization); start "
            "from random_theta(network, seed), or pass allow_symmetry=True"
        )
    if check:  # step 5
        report = check_before_training(network, start, X, Y, lam, seed)
        if not report.ok:
            raise WrongGradientError(str(report))
    start, X, Y = (array.astype(dtype, copy=False) for array in (start, X, Y))

    def objective(theta: Array) -> tuple[float, Array]:  # steps 2 to 4
        return finish(network, theta, *accumulate(network, theta, X, Y), lam)

    return _run(minimize, objective, start, max_iter, max_time, callback)  # step 6


def check_before_training(
    network: Network, theta: Array, X: Array, Y: Array, lam: Lambda = 0.0, seed: int = 0
) -> GradientReport:
    """Check the gradient on a few examples along a few directions, in float64.

    It costs the same whatever the size of the training set.  Each epsilon from 1e-4 down to 1e-8
    gets its try until one agrees: with inputs in the thousands, or a relu's kink nearby, a
    correct gradient agrees only at a small epsilon; a wrong one agrees at none.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    X : array of shape (m, s_1)
    Y : array of shape (m, K)
    lam : float or sequence of L - 1 float, default=0.0
    seed : int, default=0
        Of the choice of examples and directions.

    Returns
    -------
    GradientReport
        The first that passed, or the one of the smallest error.

    Notes
    -----
    Notes, *Gradient Checking*: "Once you've verified once that your backpropagation algorithm is
    correct, then you don't need to compute gradApprox again."

    Examples
    --------
    >>> network = Network((2, 3, 1))
    >>> X, Y = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[1.0], [0.0]])
    >>> check_before_training(network, random_theta(network), X, Y).ok
    True
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(X), size=min(CHECK_ROWS, len(X)), replace=False))
    X, Y = X[rows].astype(np.float64), Y[rows].astype(np.float64)

    def objective(theta: Array) -> tuple[float, Array]:
        return finish(network, theta, *accumulate(network, theta, X, Y), lam)

    reports = []
    for epsilon in CHECK_EPSILONS:
        report = check_gradient(
            objective, theta, epsilon=epsilon, directions=CHECK_DIRECTIONS, seed=seed
        )
        if report.ok:
            return report
        reports.append(report)
    return min(reports, key=lambda report: report.largest_relative_error)


class _OutOfTime(Exception):
    """Raised inside the objective when max_time is over."""


def _run(
    minimize: Optimizer,
    objective: Objective,
    start: Array,
    max_iter: int,
    max_time: float | None,
    callback: Callback | None,
) -> Result:
    """Minimise, and keep the best theta so far if time or Ctrl-C ends it."""
    deadline = np.inf if max_time is None else time.monotonic() + max_time
    history = History()
    best_J, best, n_eval = np.inf, start, 0

    def watched(theta: Array) -> tuple[float, Array]:
        nonlocal best_J, best, n_eval
        J, D = objective(theta)
        n_eval += 1
        if not len(history):
            history.append(J, float(np.linalg.norm(D)))
        if best_J > J:
            best_J, best = J, theta.copy()
        if time.monotonic() >= deadline:
            raise _OutOfTime
        return J, D

    def after(step: Step) -> Any:
        history.append(step.J, step.gradient_norm)
        return callback is not None and callback(step)

    try:
        return minimize(watched, start, max_iter=max_iter, callback=after)
    except _OutOfTime:
        why = f"max_time = {max_time:g} s is over"
    except KeyboardInterrupt:
        why = INTERRUPTED
    n_iter = max(len(history) - 1, 0)
    stopped = f"stopped: {why}; this is the best theta so far"
    return Result(best, best_J, history, n_iter, n_eval, stopped, False)

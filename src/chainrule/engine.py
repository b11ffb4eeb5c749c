"""Where Delta is summed, and by what: everything that trains or predicts goes through here.

Two engines compute the same.  ``"kernel"`` is fused C++ and what runs by default; ``"numpy"`` is
the reference, for networks with activations or costs of the user's own, and for machines where
the kernel was not built.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from functools import cache, lru_cache
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule import backprop, minibatch, second_order
from chainrule.activations import ACTIVATIONS, Array
from chainrule.backprop import is_sparse
from chainrule.costs import COSTS
from chainrule.kernel import BUILT
from chainrule.minibatch import Rule
from chainrule.network import Network
from chainrule.optimize.adam import Adam
from chainrule.optimize.sgd import SGD

if BUILT:
    from chainrule.kernel._kernel import Kernel

ENGINES = ("kernel", "numpy")
BLOCK = 1024  # rows that predicting converts, or computes in NumPy, at a time
WORTH_A_THREAD = 1_000_000  # multiplications below which a second thread costs more than it gives
NOT_BUILT = (
    "chainrule's C++ kernel is not built (no C++20 compiler when it was installed): NumPy computes "
    "instead, more slowly; install a compiler, then chainrule again"
)

# The positions are the codes of kernel/kernel.hpp
ACTIVATION_CODES = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "identity")
OUTPUT_CODES = ("sigmoid", "softmax", "identity", "exp")


def chosen(network: Network, engine: str | None = None, X: Any = None) -> str:
    """Return which engine computes a network: ``"kernel"`` or ``"numpy"``.

    Parameters
    ----------
    network : Network
    engine : {"kernel", "numpy"}, optional
        What the user asks for.  Default: the kernel, where it was built and knows the network's
        activations and cost, and X is not sparse.
    X : array or scipy.sparse.csr_array, optional
        The examples.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such engine, or the kernel is asked for and cannot compute this.

    Examples
    --------
    >>> chosen(Network((2, 1)), "numpy")
    'numpy'
    """
    if engine not in (None, *ENGINES):
        raise ValueError(f"unknown engine {engine!r} (one of {', '.join(ENGINES)})")
    if engine == "numpy":
        return engine
    if is_sparse(X):
        if engine == "kernel":
            raise ValueError("the kernel knows no sparse X: for one, use engine='numpy'")
        return "numpy"
    if not BUILT:
        if engine == "kernel":
            raise ValueError(NOT_BUILT)
        _say_not_built()
        return "numpy"
    if _kernel(network) is None:
        if engine == "kernel":
            raise ValueError(
                "the kernel knows chainrule's own activations and costs only: for your own, use "
                "engine='numpy'"
            )
        return "numpy"
    return "kernel"


@cache
def _say_not_built() -> None:
    warnings.warn(NOT_BUILT, stacklevel=4)


def _chosen_kernel(network: Network, engine: str | None, X: Any = None) -> Kernel | None:
    """Return the kernel that computes a network, or None where NumPy does."""
    if engine is None and BUILT:
        return None if is_sparse(X) else _kernel(network)
    return _kernel(network) if chosen(network, engine, X) == "kernel" else None


@lru_cache(maxsize=64)
def _kernel(network: Network) -> Kernel | None:
    """Return the kernel of a network, or None where it has functions of the user's own."""
    if any(g is not ACTIVATIONS.get(g.name) for g in network.activations):
        return None
    if network.cost is not COSTS.get(network.cost.name):
        return None
    hidden = [ACTIVATION_CODES.index(g.name) for g in network.activations]
    return Kernel(network.layers, hidden, OUTPUT_CODES.index(network.cost.name))


@cache
def available_threads() -> int:
    """Return how many cores this process may use.

    The least of: the cores it may run on, its container's quota, ``OMP_NUM_THREADS``.

    Returns
    -------
    int

    Examples
    --------
    >>> available_threads() >= 1
    True
    """
    limits: list[float] = [_cores(), _quota()]
    wish = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if wish.isdecimal() and int(wish) > 0:
        limits.append(int(wish))
    return max(1, math.ceil(min(limits)))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Return how many cores' worth of time a Linux container gets, or inf."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]  # version 2
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text()
            period = (root / "cpu/cpu.cfs_period_us").read_text()
        except OSError:
            return math.inf
    return float(quota) / float(period) if quota != "max" and float(quota) > 0 else math.inf


def _threads(asked: int | None, network: Network, rows: int) -> int:
    if asked is not None:
        if not isinstance(asked, Integral) or asked < 1:
            raise ValueError(f"threads must be a whole number >= 1, got {asked!r}")
        return int(asked)
    if rows * network.size < WORTH_A_THREAD:
        return 1
    return available_threads()


def accumulate(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[float, Array, float]:
    """Add up the costs and the gradient terms of rows, see `chainrule.backprop.accumulate`.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
        Its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1)
    Y : array of shape (m, K)
    weights : array of shape (m,), optional
    engine : {"kernel", "numpy"}, optional
        See `chosen`.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.

    Returns
    -------
    cost_sum : float
    Delta : ndarray of shape (size,)
    m : float

    Examples
    --------
    >>> network = Network((1, 1))
    >>> X, Y = np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    >>> accumulate(network, np.zeros(2), X, Y)
    (1.386294361119..., array([ 0., -1.]), 2.0)
    """
    kernel = _chosen_kernel(network, engine, X)
    if kernel is None:
        return backprop.accumulate(network, theta, X, Y, weights)
    theta = np.ascontiguousarray(theta)
    X, Y, weights = _as(theta.dtype, X, Y, weights)
    Delta = np.empty_like(theta)
    count = _threads(threads, network, len(X))
    cost_sum, m = kernel.accumulate(theta, X, Y, weights, Delta, count)
    return cost_sum, Delta, m


def cost(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[float, float]:
    """Add up the costs of rows, where nobody asks for the gradient: in a third of its time.

    Parameters
    ----------
    network, theta, X, Y, weights, engine, threads
        As in `accumulate`.

    Returns
    -------
    cost_sum : float
    m : float

    Examples
    --------
    >>> network = Network((1, 1))
    >>> cost(network, np.zeros(2), np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]]))
    (1.386294361119..., 2.0)
    """
    kernel = _chosen_kernel(network, engine, X)
    if kernel is None:
        return backprop.cost(network, theta, X, Y, weights)
    theta = np.ascontiguousarray(theta)
    X, Y, weights = _as(theta.dtype, X, Y, weights)
    return kernel.cost(theta, X, Y, weights, _threads(threads, network, len(X)))


def normal_equations(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    lams: Array | None = None,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[float, Array, Array]:
    """Return J, D and the Gauss-Newton matrix, see `chainrule.second_order.normal_equations`.

    Parameters
    ----------
    network : Network
        With an identity output.
    theta, X, Y, weights, engine, threads
        As in `accumulate`.
    lams : array of shape (size,), optional
        lambda of each component of theta.

    Returns
    -------
    J : float
    D : ndarray of shape (size,)
    H : ndarray of shape (size, size)

    Raises
    ------
    ValueError
        If the cost is not the squared error.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")
    >>> normal_equations(network, np.zeros(2), np.array([[3.0]]), np.array([[1.0]]))
    (0.5, array([-1., -3.]), array([[1., 3.],
           [3., 9.]]))
    """
    second_order.check_residuals(network)
    kernel = _chosen_kernel(network, engine)
    if kernel is None:
        return second_order.normal_equations(network, theta, X, Y, weights, lams)
    theta = np.ascontiguousarray(theta)
    X, Y, weights = _as(theta.dtype, X, Y, weights)
    if lams is not None:
        lams = np.ascontiguousarray(lams, theta.dtype)
    H = np.empty((network.size, network.size), theta.dtype)
    D = np.empty_like(theta)
    # About a quarter of size^2 multiplications a row, where `accumulate` has three times the size
    count = _threads(threads, network, len(X) * network.size // 12)
    return kernel.normal_equations(theta, X, Y, weights, lams, H, D, count), D, H


def hessian_vector(
    network: Network,
    theta: Array,
    v: Array,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> Array:
    """Add up (the Hessian of cost(t)) v, see `chainrule.second_order.hessian_vector`.

    Parameters
    ----------
    v : array of shape (size,)
        The direction.
    network, theta, X, Y, weights, engine, threads
        As in `accumulate`.

    Returns
    -------
    ndarray of shape (size,)

    Raises
    ------
    ValueError
        If an activation or the cost has no second derivative to go by.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")
    >>> X, Y = np.array([[3.0]]), np.array([[1.0]])
    >>> hessian_vector(network, np.zeros(2), np.array([1.0, 0.0]), X, Y)
    array([1., 3.])
    """
    kernel = _chosen_kernel(network, engine)
    if kernel is None:
        return second_order.hessian_vector(network, theta, v, X, Y, weights)
    theta, v = np.ascontiguousarray(theta), np.ascontiguousarray(v, theta.dtype)
    X, Y, weights = _as(theta.dtype, X, Y, weights)
    RDelta = np.empty_like(theta)
    kernel.hessian_vector(theta, v, X, Y, weights, RDelta, _threads(threads, network, len(X)))
    return RDelta


def _as(
    dtype: npt.DTypeLike, X: Array, Y: Array, weights: Array | None
) -> tuple[Array, Array, Array | None]:
    """Return the three as the kernel takes them: contiguous, in one dtype."""
    w = None if weights is None else np.ascontiguousarray(weights, dtype)
    return np.ascontiguousarray(X, dtype), np.ascontiguousarray(Y, dtype), w


def predict(
    network: Network,
    theta: npt.ArrayLike,
    X: npt.ArrayLike,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> Array:
    """Return the hypothesis h for each example.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
        Its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1)
    engine : {"kernel", "numpy"}, optional
        Default: the kernel, where it was built and knows the network's activations and cost.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.

    Returns
    -------
    ndarray of shape (m, K)
        Beside it, memory is used for a block of rows only, however many X has.

    Raises
    ------
    ValueError
        If an array has another shape, or a value that is not a finite number.

    Notes
    -----
    Notes, *Cost Function*: h_Theta(x).

    Examples
    --------
    >>> predict(Network((2, 1)), [0.0, 1.0, -1.0], [[2.0, 2.0]])
    array([[0.5]])
    """
    kernel = _chosen_kernel(network, engine, X)
    if kernel is not None and isinstance(theta, np.ndarray) and isinstance(X, np.ndarray):
        # Most calls: arrays as the kernel takes them, in which it finds no NaN on its way
        try:
            h = np.empty((len(X), network.K), theta.dtype)
            if kernel.forward(theta, X, h, _threads(threads, network, len(X))):
                return h
        except (TypeError, ValueError):
            pass
    theta = np.ascontiguousarray(network.theta(theta))
    examples: Any = _sparse_inputs(network, X) if is_sparse(X) else network.inputs(X)
    m = examples.shape[0]  # a sparse X has no length
    h = np.empty((m, network.K), theta.dtype)
    for first in range(0, m, BLOCK):
        rows = slice(first, first + BLOCK)
        if kernel is None:
            h[rows] = backprop.forward(network, theta, examples[rows])[0][-1]
        else:
            x = np.ascontiguousarray(examples[rows], theta.dtype)
            kernel.forward(theta, x, h[rows], _threads(threads, network, len(x)))
    return h


def _sparse_inputs(network: Network, X: Any) -> Any:
    """Return a sparse X by rows, held to what `Network.inputs` asks of an array."""
    X = X.tocsr()
    if X.ndim != 2 or X.shape[1] != network.layers[0] or not X.shape[0]:
        raise ValueError(
            f"X must have shape (m, {network.layers[0]}) with m >= 1, one example a row; "
            f"got {X.shape}"
        )
    if not np.isfinite(X.data).all():
        raise ValueError("X has values that are not finite numbers: fill or drop them first")
    return X


def epoch(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    order: Array,
    *,
    rule: Rule,
    state: Array,
    steps: int,
    batch_size: int,
    penalty: Sequence[float],
    penalty_by_batch: bool = False,
    weights: Array | None = None,
    dropout: Sequence[float] | None = None,
    max_norm: float | None = None,
    seed: int = 0,
    number: int = 0,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[float, float]:
    """Go through the rows once, a step of the rule for each batch, see `chainrule.minibatch.epoch`.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (size,)
        Updated in place; its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1)
    Y : array of shape (m, K)
    order : array of shape (m,), int64
    rule : Rule
        The kernel knows `SGD` and `Adam`; NumPy takes any.
    state : ndarray of shape (k, size)
    steps, batch_size : int
    penalty : sequence of L - 1 float
    penalty_by_batch : bool, default=False
    weights : array of shape (m,), optional
    dropout : sequence of L - 1 float, optional
    max_norm : float, optional
    seed, number : int, default=0
    engine : {"kernel", "numpy"}, optional
        See `chosen`.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.

    Returns
    -------
    cost_sum, w : float

    Raises
    ------
    KeyboardInterrupt
        At Ctrl-C; theta and the state are those after the last finished step.

    Examples
    --------
    >>> network, rule = Network((1, 1)), SGD(learning_rate=0.1, momentum=0.0)
    >>> theta, X, Y = np.zeros(2), np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    >>> epoch(network, theta, X, Y, np.arange(2), rule=rule, state=rule.init(theta), steps=0,
    ...       batch_size=2, penalty=[0.0])
    (1.386294361119..., 2.0)
    >>> theta
    array([0.  , 0.05])
    """
    known = type(rule) in (SGD, Adam)
    if engine == "kernel" and not known:
        raise ValueError(f"the kernel knows the rules SGD and Adam, not {rule!r}")
    kernel = _chosen_kernel(network, engine, X) if known else None
    if kernel is None:
        return minibatch.epoch(
            network,
            theta,
            X,
            Y,
            order,
            rule=rule,
            state=state,
            steps=steps,
            batch_size=batch_size,
            penalty=penalty,
            penalty_by_batch=penalty_by_batch,
            weights=weights,
            dropout=dropout,
            max_norm=max_norm,
            seed=seed,
            number=number,
        )
    X, Y, weights = _as(theta.dtype, X, Y, weights)
    adam = rule if isinstance(rule, Adam) else Adam()
    sgd = rule if isinstance(rule, SGD) else SGD()
    return kernel.epoch(
        theta,
        X,
        Y,
        weights,
        np.ascontiguousarray(order, np.int64),
        2 if isinstance(rule, Adam) else int(sgd.nesterov),
        state,
        steps,
        batch_size,
        rule.learning_rate,
        sgd.momentum,
        adam.beta1,
        adam.beta2,
        adam.epsilon,
        rule.decay,
        list(penalty),
        penalty_by_batch,
        None if dropout is None else list(dropout),
        max_norm or 0.0,
        seed,
        number,
        _threads(threads, network, min(batch_size, len(order))),
    )

"""Where Delta is summed, and by what: everything that trains or predicts goes through here.

Two engines compute the same.  ``"kernel"`` is fused C++ and what runs by default; ``"numpy"`` is
the reference, for networks with activations or costs of the user's own, and for machines where
the kernel was not built.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Lambda, Rule
from chainrule.engine.choice import _chosen_kernel
from chainrule.engine.cores import _threads
from chainrule.notes import backprop, minibatch, second_order
from chainrule.notes.minibatch import Minibatches
from chainrule.notes.network import Network
from chainrule.notes.regularisation import check_lam, per_layer
from chainrule.optimize.adam import Adam
from chainrule.optimize.sgd import SGD
from chainrule.optimize.vectors import blas_threads

if TYPE_CHECKING:
    from chainrule.kernel._kernel import Kernel


def cost_and_gradient(
    network: Network,
    theta: npt.ArrayLike,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    lam: Lambda = 0.0,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[float, Array]:
    """Return J(Theta) and its gradient D.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
        float64 or float32: the dtype computed in.
    X : array of shape (m, s_1)
        The examples, one a row.
    Y : array of shape (m,) or (m, K)
        Targets, or integer codes 0..K-1 of K classes; with several outputs NaN is a target that
        nobody knows and that counts nothing.
    lam : float, sequence of L - 1 float or ElasticNet, default=0.0
        lambda, >= 0, one for all Theta(l) or one for each.
    engine : {"kernel", "numpy"}, optional
        What computes.  Default: the kernel, where it was built and knows the network's activations
        and cost; ``"numpy"`` is `chainrule.notes.backprop`, which reads as the notes do.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.

    Returns
    -------
    J : float
    D : ndarray of shape (size,)
        The gradient, unrolled as theta is; `reshape` gives D(1), ..., D(L-1).

    Raises
    ------
    ValueError
        If a shape, a value or lam does not fit.

    Notes
    -----
    Notes, *Cost Function* and *Backpropagation Algorithm*.

    Examples
    --------
    The notes' test case for a linear network:

    >>> network = Network((1, 4, 1), hidden="tanh", output="identity")
    >>> theta = np.array([31, 16, 15, -29, -13, -8, -7, 13, 54, -17, -11, -9, 16]) / 10
    >>> J, D = cost_and_gradient(network, theta, [[1], [2], [3]], [1, 4, 9], lam=0.01)
    >>> round(J, 6), D[:3].round(7)
    (0.020815, array([-0.0131002, -0.0110085, -0.0070569]))
    """
    theta = network.check_theta(theta)
    X = network.check_shape(X)
    Y, weights = network.known_targets(Y, len(X))
    check_lam(network, lam)
    sums = accumulate(network, theta, X, Y, weights, engine=engine, threads=threads)
    J, D = backprop.finish(network, theta, *sums, lam)
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(J + D.sum()):  # Delta has x as a factor: a NaN in X shows in D
            network.check_inputs(X)
    return J, D


def accumulate(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    masks: Sequence[Array] | None = None,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[float, Array, float]:
    """Add up the costs and the gradient terms of a block of rows.

    These are sums, never means: the sums of two halves of the rows add up to those of all rows.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
        Its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1)
    Y : array of shape (m, K)
    weights : array of shape (m,) or (m, K), optional
        Weight of each example; 2 is the same as the row twice.  Default: 1 for all.  Or of each of
        its outputs, 0 where nobody knows the target; NumPy computes with these.
    masks : sequence of array of shape (m, s_l), optional
        Dropout: what a(1), ..., a(L-1) are multiplied by on their way to the next layer.  NumPy
        computes with them.
    engine : {"kernel", "numpy"}, optional
        What computes, see `chosen`; ``"numpy"`` is `chainrule.notes.backprop`.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.

    Returns
    -------
    cost_sum : float
        The sum over t of cost(t), without regularisation.
    Delta : ndarray of shape (size,)
        The accumulator, unrolled as theta is.
    m : float
        The number of rows, or the sum of their weights, the mean over the outputs.

    Notes
    -----
    Notes, *Backpropagation Algorithm*: Delta(l) := Delta(l) + delta(l+1) (a(l))^T.

    Examples
    --------
    >>> network = Network((1, 1))
    >>> X, Y = np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    >>> accumulate(network, np.zeros(2), X, Y)
    (1.386294361119..., array([ 0., -1.]), 2.0)
    """
    kernel = _chosen_kernel(network, engine, X, weights) if masks is None else None
    if kernel is None:
        with blas_threads(threads):
            return backprop.accumulate(network, theta, X, Y, weights, masks)
    if np.ndim(Y) != 2:  # class codes, or a mistake that this names
        Y = network.check_targets(Y, len(X))
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
    """Add up the costs of rows without the gradient, in a third of the time.

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
    kernel = _chosen_kernel(network, engine, X, weights)
    if kernel is None:
        with blas_threads(threads):
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
    """Return J, D and the Gauss-Newton matrix, see `chainrule.notes.second_order.normal_equations`.

    Parameters
    ----------
    network : Network
        With an identity output; for another that `second_order.residuals` knows, NumPy computes.
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
        If the cost is no sum of squares, and cannot be taken for one.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")
    >>> normal_equations(network, np.zeros(2), np.array([[3.0]]), np.array([[1.0]]))
    (0.5, array([-1., -3.]), array([[1., 3.],
           [3., 9.]]))
    """
    second_order.check_residuals(network)
    kernel = _chosen_kernel(network, engine, weights=weights)
    if kernel is None or not second_order.are_squares(network):
        with blas_threads(threads):
            return second_order.normal_equations(network, theta, X, Y, weights, lams)
    if lams is not None:
        lams = np.ascontiguousarray(lams, theta.dtype)
    return _normal_equations(kernel, network, theta, X, Y, weights, lams, True, threads)


def gauss_newton(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[float, Array, float, Array]:
    """Add up cost, Delta, m and Jac^T Jac, see `chainrule.notes.second_order.gauss_newton`.

    Parameters
    ----------
    network, theta, X, Y, weights, engine, threads
        As in `normal_equations`.

    Returns
    -------
    cost_sum : float
    Delta : ndarray of shape (size,)
    m : float
    H : ndarray of shape (size, size)
        Sums, as those of `accumulate`.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")
    >>> gauss_newton(network, np.zeros(2), np.array([[3.0]]), np.array([[1.0]]))
    (0.5, array([-1., -3.]), 1.0, array([[1., 3.],
           [3., 9.]]))
    """
    second_order.check_residuals(network)
    kernel = _chosen_kernel(network, engine, weights=weights)
    if kernel is None or not second_order.are_squares(network):
        with blas_threads(threads):
            return second_order.gauss_newton(network, theta, X, Y, weights)
    found = _normal_equations(kernel, network, theta, X, Y, weights, None, False, threads)
    cost_sum, Delta, H = found
    return cost_sum, Delta, backprop.total_weight(Y, weights), H


def _normal_equations(
    kernel: Kernel,
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    weights: Array | None,
    lams: Array | None,
    mean: bool,
    threads: int | None,
) -> tuple[float, Array, Array]:
    theta = np.ascontiguousarray(theta)
    X, Y, weights = _as(theta.dtype, X, Y, weights)
    H = np.empty((network.size, network.size), theta.dtype)
    D = np.empty_like(theta)
    # About size^2 / 4 multiplications per row; `accumulate` has 3 size
    count = _threads(threads, network, len(X) * network.size // 12)
    return kernel.normal_equations(theta, X, Y, weights, lams, mean, H, D, count), D, H


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
    """Add up (the Hessian of cost(t)) v, see `chainrule.notes.second_order.hessian_vector`.

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
        If an activation or the cost has no second derivative.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")
    >>> X, Y = np.array([[3.0]]), np.array([[1.0]])
    >>> hessian_vector(network, np.zeros(2), np.array([1.0, 0.0]), X, Y)
    array([1., 3.])
    """
    kernel = _chosen_kernel(network, engine, weights=weights)
    if kernel is None:
        with blas_threads(threads):
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


def epoch(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    order: Array,
    how: Minibatches,
    *,
    rule: Rule,
    state: Array,
    steps: int = 0,
    number: int = 0,
    weights: Array | None = None,
    names: Array | None = None,
    since: int | None = None,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[float, float]:
    """Go through the rows once, a step of the rule for each batch: `minibatch.epoch`.

    Parameters
    ----------
    network, theta, X, Y, order, how, state, steps, number, weights, names
        As in `chainrule.notes.minibatch.epoch`.
    rule : Rule
        The kernel knows `SGD` and `Adam`; NumPy takes any.
    since : int, optional
        The kernel multiplies Adam's powers of beta up from this number of steps, at most ``steps``.
        Calls with the same ``since`` give the bits of a single call.  Default: steps.
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
    >>> epoch(network, theta, X, Y, np.arange(2), Minibatches(), rule=rule, state=rule.init(theta))
    (1.386294361119..., 2.0)
    >>> theta
    array([0.  , 0.05])
    """
    straight = any(per_layer(network, how.absolutes))
    known = type(rule) in (SGD, Adam) and not straight
    if engine == "kernel" and not known:
        raise ValueError(
            "the kernel knows no absolute values of weights: for them, use engine='numpy'"
            if straight
            else f"the kernel knows the rules SGD and Adam, not {rule!r}"
        )
    kernel = _chosen_kernel(network, engine, X, weights) if known else None
    if kernel is None:
        with blas_threads(threads):
            return minibatch.epoch(
                network, theta, X, Y, order, how, rule=rule, state=state, steps=steps,
                number=number, weights=weights, names=names,
            )  # fmt: skip
    X, Y, weights = _as(theta.dtype, X, Y, weights)
    adam = rule if isinstance(rule, Adam) else Adam()
    sgd = rule if isinstance(rule, SGD) else SGD()
    return kernel.epoch(
        theta,
        X,
        Y,
        weights,
        np.ascontiguousarray(order, np.int64),
        None if names is None else np.ascontiguousarray(names, np.int64),
        2 if isinstance(rule, Adam) else int(sgd.nesterov),
        state,
        steps,
        steps if since is None else since,
        int(how.batch_size),
        (adam if isinstance(rule, Adam) else sgd).learning_rate,
        sgd.momentum,
        adam.beta1,
        adam.beta2,
        adam.epsilon,
        (adam if isinstance(rule, Adam) else sgd).decay,
        per_layer(network, how.penalty),
        how.by_batch,
        how.rates(network),
        how.max_norm or 0.0,
        how.seed,
        number,
        _threads(threads, network, min(how.batch_size, len(order))),
    )

"""Forward propagation and backpropagation in NumPy: the reference, to be read beside the notes.

Notation, here and everywhere in chainrule
------------------------------------------
Examples are the rows of X and Y (in the notes, a column vector each).  For l = 1..L:

====================  ======================  ====================================================
name                  shape                   the notes
====================  ======================  ====================================================
X, Y                  (m, s_1), (m, K)        training set
theta                 (size,)                 thetaVector, all the weights unrolled
Theta(l)              (s_{l+1}, s_l + 1)      weights from layer l to l+1, column 0 the bias
b, W                  (s_{l+1},), (s_l, s_{l+1})   the two parts of Theta(l)^T: row 0, and the rest
z(l), a(l)            (m, s_l)                a(1) = X, z(l+1) = [1, a(l)] Theta(l)^T, a = g(z)
h                     (m, K)                  a(L), the hypothesis
delta(l)              (m, s_l)                "error" of the units of layer l; lower case
Delta                 as theta                the accumulator, sum over t of delta(l+1) a(l)^T
D                     as theta                the gradient of J, unrolled (deltaVector)
lam                   number                  lambda
====================  ======================  ====================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Lambda
from chainrule.notes.network import Network
from chainrule.notes.regularisation import check_lam, penalty, per_layer
from chainrule.notes.theta import blocks


def is_sparse(X: Any) -> bool:
    """Whether X is one of SciPy's sparse arrays or matrices."""
    return hasattr(X, "tocsr")


def forward(
    network: Network, theta: Array, X: Array, masks: Sequence[Array] | None = None
) -> tuple[list[Array], Array]:
    """Propagate examples forward.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    X : array or scipy.sparse.csr_array of shape (m, s_1)
        Of a sparse one only the values that are not 0 are multiplied.
    masks : sequence of array of shape (m, s_l), optional
        Dropout: what a(1), ..., a(L-1) are multiplied by on their way to the next layer.

    Returns
    -------
    a : list of ndarray of shape (m, s_l)
        The activations a(1), ..., a(L), not masked; ``a[-1]`` is the hypothesis h.
    z : ndarray of shape (m, K)
        z(L), from which the cost is computed.

    Notes
    -----
    Notes, *Backpropagation Algorithm*: "Perform forward propagation to compute a(l)".

    Examples
    --------
    >>> network = Network((2, 2, 1))
    >>> a, z = forward(network, np.zeros(9), np.array([[1.0, 2.0]]))
    >>> a
    [array([[1., 2.]]), array([[0.5, 0.5]]), array([[0.5]])]
    """
    theta = np.asarray(theta)
    if theta.shape != (network.size,):
        theta = network.check_theta(theta)
    dtype = theta.dtype
    a = [X.astype(dtype, copy=False) if is_sparse(X) else np.asarray(X, dtype)]  # a(1) := x
    g = [activation.g for activation in network.activations] + [network.cost.g]
    for l, (Theta_T, g_l) in enumerate(zip(blocks(network, theta), g, strict=True)):
        b, W = Theta_T[0], Theta_T[1:]
        a_l = a[l] * masks[l] if masks else a[l]
        z = a_l @ W  # (m, s_{l+1})
        z += b
        a.append(g_l(z))
    return a, z


def backward(
    network: Network, theta: Array, a: list[Array], Y: Array, masks: Sequence[Array] | None = None
) -> list[Array]:
    """Propagate the errors back.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    a : list of ndarray of shape (m, s_l)
        The activations, from `forward`.
    Y : array of shape (m, K)
    masks : sequence of array of shape (m, s_l), optional
        Dropout: those that `forward` was given.

    Returns
    -------
    list of ndarray of shape (m, s_l)
        delta(2), ..., delta(L).

    Notes
    -----
    Notes, *Backpropagation Algorithm*: delta(L) = a(L) - y, and
    delta(l) = ((Theta(l))^T delta(l+1)) .* g'(z(l)), the bias unit left out.

    Examples
    --------
    >>> network = Network((2, 2, 1))
    >>> theta = np.ones(9)
    >>> a, z = forward(network, theta, np.array([[0.0, -1.0]]))
    >>> backward(network, theta, a, np.array([[1.0]]))
    [array([[-0.02980073, -0.02980073]]), array([[-0.11920292]])]
    """
    return _errors(network, theta, a, network.cost.delta(a[-1], Y), masks)


def _errors(
    network: Network, theta: Array, a: list[Array], delta_L: Array, masks: Sequence[Array] | None
) -> list[Array]:
    """Step back from a given delta(L)."""
    delta = [delta_L]
    inner = zip(blocks(network, theta)[1:], a[1:-1], network.activations, strict=True)
    for l, (Theta_T, a_l, g) in reversed(list(enumerate(inner, start=1))):
        W = Theta_T[1:]  # the bias unit has no delta: nothing leads into it
        delta.insert(0, (delta[0] @ W.T) * g.g_prime(a_l))  # (m, s_l)
        if masks:
            delta[0] *= masks[l]  # a unit left out, or scaled up, hands its error back likewise
    return delta


# A network that diverges shows it by an infinite J, which the optimizers know how to report
@np.errstate(over="ignore", invalid="ignore")
def accumulate(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    masks: Sequence[Array] | None = None,
) -> tuple[float, Array, float]:
    """Add up the costs and the gradient terms of a block of rows.

    Sums, never means, so blocks add up: those of two halves of the rows are, added, those of the
    whole.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
        Its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1)
    Y : array of shape (m, K)
    weights : array of shape (m,), optional
        Weight of each example; 2 is the same as the row twice.  Default: 1 for all.
    masks : sequence of array of shape (m, s_l), optional
        Dropout, see `forward`.

    Returns
    -------
    cost_sum : float
        The sum over t of cost(t), without regularisation.
    Delta : ndarray of shape (size,)
        The accumulator, unrolled as theta is.
    m : float
        The number of rows, or the sum of their weights.

    Notes
    -----
    Notes, *Backpropagation Algorithm*: Delta(l) := Delta(l) + delta(l+1) (a(l))^T.

    Examples
    --------
    >>> network = Network((1, 1))
    >>> X, Y = np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    >>> accumulate(network, np.zeros(2), X, Y)
    (1.3862943611198906, array([ 0., -1.]), 2.0)
    """
    theta = np.asarray(theta)
    a, z = forward(network, theta, X, masks)
    Y = _targets(network, Y, z)
    cost_sum, m = _cost_of(network, z, Y, weights)
    delta = backward(network, theta, a, Y, masks)
    if masks:
        a = [a_l * mask for a_l, mask in zip(a, masks, strict=False)]
    if weights is not None:
        weights = np.asarray(weights, dtype=theta.dtype)
        # Every delta(l) is linear in delta(L), so weighting each row here weights its whole share
        delta = [delta_l * weights[:, None] for delta_l in delta]
    Delta = np.empty_like(theta)
    for Delta_T, a_l, delta_next in zip(blocks(network, Delta), a, delta, strict=False):
        Delta_T[0] = delta_next.sum(axis=0)  # the bias unit's activation is 1
        Delta_T[1:] = a_l.T @ delta_next
    return cost_sum, Delta, m


@np.errstate(over="ignore", invalid="ignore")
def cost(
    network: Network, theta: Array, X: Array, Y: Array, weights: Array | None = None
) -> tuple[float, float]:
    """Add up the costs of a block of rows: `accumulate` without the gradient terms.

    Parameters
    ----------
    network, theta, X, Y, weights
        As in `accumulate`.

    Returns
    -------
    cost_sum : float
        The sum over t of cost(t), without regularisation.
    m : float
        The number of rows, or the sum of their weights.

    Notes
    -----
    Notes, *Cost Function*.

    Examples
    --------
    >>> cost(Network((1, 1)), np.zeros(2), np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]]))
    (1.3862943611198906, 2.0)
    """
    z = forward(network, np.asarray(theta), X)[1]
    return _cost_of(network, z, _targets(network, Y, z), weights)


def _targets(network: Network, Y: Array, z: Array) -> Array:
    if np.shape(Y) != z.shape:  # class codes, or a mistake that this names
        Y = network.check_targets(Y, len(z))
    return np.asarray(Y, dtype=z.dtype)


def _cost_of(network: Network, z: Array, Y: Array, weights: Array | None) -> tuple[float, float]:
    costs = network.cost.per_example(z, Y)  # (m,)
    if weights is not None:
        weights = np.asarray(weights, dtype=z.dtype)
        costs = costs * weights
    return float(costs.sum(dtype=np.float64)), total_weight(z, weights)


def total_weight(rows: Array, weights: Array | None) -> float:
    """Return m: the number of rows, or the sum of their weights.

    Parameters
    ----------
    rows : array of shape (m, ...)
    weights : array of shape (m,) or None

    Returns
    -------
    float

    Examples
    --------
    >>> total_weight(np.zeros((3, 2)), None), total_weight(np.zeros((2, 2)), np.array([1.0, 0.5]))
    (3.0, 1.5)
    """
    return float(len(rows)) if weights is None else float(weights.sum(dtype=np.float64))


def finish(
    network: Network, theta: Array, cost_sum: float, Delta: Array, m: float, lam: Lambda = 0.0
) -> tuple[float, Array]:
    """Turn sums into J and its gradient D, with 1/m and lambda.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    cost_sum : float
    Delta : array of shape (size,)
        From `accumulate`, over all the rows.  Becomes D, in place.
    m : float
    lam : float or sequence of L - 1 float, default=0.0
        lambda, one for all Theta(l) or one for each; the bias columns are not regularised.

    Returns
    -------
    J : float
        cost_sum / m + lambda/(2m) times the sum of the squares of all weights but the biases.
    D : ndarray of shape (size,)
        (Delta + lambda Theta) / m, without lambda in the bias column (j = 0).

    Notes
    -----
    Notes, *Cost Function* and *Backpropagation Algorithm*.

    Examples
    --------
    >>> finish(Network((1, 1)), np.array([5.0, 2.0]), 6.0, np.array([3.0, 9.0]), 3.0, lam=0.5)
    (2.3333333333333335, array([1.        , 3.33333333]))
    """
    lams = per_layer(network, lam)
    if any(lams):
        for lam_l, Theta_T, Delta_T in zip(
            lams, blocks(network, theta), blocks(network, Delta), strict=True
        ):
            Delta_T[1:] += lam_l * Theta_T[1:]
    Delta /= m
    return cost_sum / m + penalty(network, theta, lam) / m, Delta


def cost_and_gradient(
    network: Network, theta: npt.ArrayLike, X: npt.ArrayLike, Y: npt.ArrayLike, lam: Lambda = 0.0
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
        Targets, or integer codes 0..K-1 of K classes.
    lam : float or sequence of L - 1 float, default=0.0
        lambda, >= 0, one for all Theta(l) or one for each.

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
    X = network.check_inputs(X)
    Y = network.check_targets(Y, len(X))
    check_lam(network, lam)
    return finish(network, theta, *accumulate(network, theta, X, Y), lam)


def input_gradient(
    network: Network, theta: npt.ArrayLike, X: npt.ArrayLike, outputs: npt.ArrayLike
) -> Array:
    """Return how an output's z(L) changes with each input: the errors, one layer further back.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    X : array of shape (m, s_1)
    outputs : int or array of shape (m,) of int
        Which unit of the last layer, 0..K-1: one for all examples, or one for each.

    Returns
    -------
    ndarray of shape (m, s_1)
        The derivative of z(L)_k by each x_j.

    Raises
    ------
    ValueError
        If an array does not fit, or there is no such unit.

    Notes
    -----
    Notes, *Backpropagation Algorithm*: delta(l) with delta(L) := 1 for the unit and 0 for all
    others; the inputs have no g', so delta(1) = (Theta(1))^T delta(2).

    Examples
    --------
    >>> input_gradient(Network((2, 1)), [0.0, 1.0, -1.0], [[2.0, 1.0]], 0)
    array([[ 1., -1.]])
    """
    theta, X = network.check_theta(theta), network.check_inputs(X)
    k = np.asarray(outputs)
    if k.dtype.kind not in "iu" or k.shape not in ((), (len(X),)):
        raise ValueError(f"outputs must be an integer, or {len(X)} of them, got {outputs!r}")
    if k.min() < 0 or k.max() >= network.K:
        raise ValueError(f"outputs must name units 0 to {network.K - 1}, got {outputs!r}")
    a, z = forward(network, theta, X)
    delta_L = np.zeros_like(z)
    delta_L[np.arange(len(X)), k] = 1
    W = blocks(network, theta)[0][1:]
    return np.asarray(_errors(network, theta, a, delta_L, None)[0] @ W.T)

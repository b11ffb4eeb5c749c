"""Forward propagation and backpropagation in NumPy: the reference, to be read beside the notes.

Notation, here and everywhere in chainrule
------------------------------------------
Examples are the rows of X and Y (in the notes, a column vector each).  For l = 1..L:

====================  ======================  ====================================================
name                  shape                   the notes
====================  ======================  ====================================================
network                                       a `Network`: L, s_l, K, each layer's g, the cost
X, Y                  (m, s_1), (m, K)        training set; X may be a scipy.sparse.csr_array
m                     number                  the number of rows, or the sum of their weights
weights               (m,)                    weight of each example, 2 is the row twice; default 1
weights               (m, K)                  or of each of its outputs: m is then their sum over K
theta                 (size,)                 thetaVector, all the weights unrolled
Theta(l)              (s_{l+1}, s_l + 1)      weights from layer l to l+1, column 0 the bias
b, W                  (s_{l+1},), (s_l, s_{l+1})   the two parts of Theta(l)^T: row 0, and the rest
z(l), a(l)            (m, s_l)                a(1) = X, z(l+1) = [1, a(l)] Theta(l)^T, a = g(z)
masks                 (m, s_l) for each l < L  dropout: what a(l) is multiplied by on its way on
h                     (m, K)                  a(L), the hypothesis
cost_sum              number                  sum over t of cost(t), without regularisation
delta(l)              (m, s_l)                "error" of the units of layer l; lower case
Delta                 as theta                the accumulator, sum over t of delta(l+1) a(l)^T
D                     as theta                the gradient of J, unrolled (deltaVector)
lam                   number, or L - 1        lambda, one for all Theta(l) or one for each
====================  ======================  ====================================================

theta's dtype, float64 or float32, is the one computed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Lambda
from chainrule.notes.costs import by_target, columns_of_a_target
from chainrule.notes.network import Network
from chainrule.notes.regularisation import check_lam, finish_spread, spread
from chainrule.notes.theta import blocks


def is_sparse(X: Any) -> bool:
    """Whether X is one of SciPy's sparse arrays or matrices."""
    return hasattr(X, "tocsr")


def forward(
    network: Network, theta: Array, X: Array, masks: Sequence[Array] | None = None
) -> tuple[list[Array], Array]:
    """Propagate examples forward; return the list a(1), ..., a(L), and z(L).

        a(1) = x        z(l+1) = [1, a(l)] Theta(l)^T        a(l+1) = g(z(l+1))

    The cost is computed from z(L), the hypothesis h is ``a[-1]``.  The a(l) returned are not
    masked.  (Notes, *Backpropagation Algorithm*: "Perform forward propagation to compute a(l)".)

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
        z = next_z(Theta_T, onward(a, masks, l))
        a.append(g_l(z))
    return a, z


def onward(a: list[Array], masks: Sequence[Array] | None, l: int) -> Array:
    """Return ``a[l]`` as the next layer gets it: multiplied by its dropout mask, if any."""
    return a[l] * masks[l] if masks else a[l]


def next_z(Theta_T: Array, a_l: Array) -> Array:
    """z(l+1) = [1, a(l)] Theta(l)^T."""
    b, W = Theta_T[0], Theta_T[1:]
    z = a_l @ W  # (m, s_{l+1})
    z += b
    return np.asarray(z)


def points(
    network: Network, theta: Array, a: list[Array], masks: Sequence[Array] | None = None
) -> list[Array]:
    """Return what g' and g'' of layers 2, ..., L-1 are written from: a(l), or z(l) if ``from_z``.

    z(l) is not kept on the way forward: it is computed again from a(l-1).

    Examples
    --------
    >>> network = Network((1, 1, 1), hidden="silu")
    >>> theta = np.array([1.0, 2.0, 0.0, 0.0])
    >>> a, z = forward(network, theta, np.array([[0.5]]))
    >>> points(network, theta, a)
    [array([[2.]])]
    """
    found = a[1:-1]
    for l, (g, Theta_T) in enumerate(
        zip(network.activations, blocks(network, theta), strict=False)
    ):
        if g.from_z:
            found[l] = next_z(Theta_T, onward(a, masks, l))
    return found


def backward(
    network: Network, theta: Array, a: list[Array], Y: Array, masks: Sequence[Array] | None = None
) -> list[Array]:
    """Propagate the errors back, from the a and the masks of `forward`; return delta(2..L).

        delta(L) = a(L) - y        delta(l) = ((Theta(l))^T delta(l+1)) .* g'(z(l))

    The bias unit has no delta.  (Notes, *Backpropagation Algorithm*.)

    Examples
    --------
    >>> network = Network((2, 2, 1))
    >>> theta = np.ones(9)
    >>> a, z = forward(network, theta, np.array([[0.0, -1.0]]))
    >>> backward(network, theta, a, np.array([[1.0]]))
    [array([[-0.02980073, -0.02980073]]), array([[-0.11920292]])]
    """
    return errors(network, theta, a, network.cost.delta(a[-1], Y), masks)


def errors(
    network: Network,
    theta: Array,
    a: list[Array],
    delta_L: Array,
    masks: Sequence[Array] | None = None,
) -> list[Array]:
    """Step back from a given delta(L)."""
    delta = [delta_L]
    at = points(network, theta, a, masks)
    inner = zip(blocks(network, theta)[1:], at, network.activations, strict=True)
    for l, (Theta_T, at_l, g) in reversed(list(enumerate(inner, start=1))):
        W = Theta_T[1:]  # the bias unit has no delta: nothing leads into it
        delta.insert(0, (delta[0] @ W.T) * g.g_prime(at_l))  # (m, s_l)
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
    """Add up the costs and the gradient terms of a block of rows; return cost_sum, Delta and m.

        Delta(l) := Delta(l) + delta(l+1) (a(l))^T

    Sums, never means: the sums of two blocks of rows, added, are those of both together.
    (Notes, *Backpropagation Algorithm*.)

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
    delta_L = network.cost.delta(a[-1], Y)
    if weights is not None:  # every delta(l) is linear in delta(L)
        delta_L = delta_L * by_output(weights, theta.dtype)
    delta = errors(network, theta, a, delta_L, masks)
    Delta = np.empty_like(theta)
    for l, (Delta_T, delta_next) in enumerate(zip(blocks(network, Delta), delta, strict=True)):
        Delta_T[0] = delta_next.sum(axis=0)  # the bias unit's activation is 1
        Delta_T[1:] = onward(a, masks, l).T @ delta_next
    return cost_sum, Delta, m


@np.errstate(over="ignore", invalid="ignore")
def cost(
    network: Network, theta: Array, X: Array, Y: Array, weights: Array | None = None
) -> tuple[float, float]:
    """Add up the costs of a block of rows; return cost_sum and m, as `accumulate` does."""
    z = forward(network, np.asarray(theta), X)[1]
    return _cost_of(network, z, _targets(network, Y, z), weights)


def _targets(network: Network, Y: Array, z: Array) -> Array:
    if np.shape(Y) != z.shape:  # class codes, or a mistake that this names
        Y = network.check_targets(Y, len(z))
    return np.asarray(Y, dtype=z.dtype)


def _cost_of(network: Network, z: Array, Y: Array, weights: Array | None) -> tuple[float, float]:
    if weights is None:
        costs = network.cost.per_example(z, Y)  # (m,)
    elif weights.ndim == 1:
        costs = network.cost.per_example(z, Y) * np.asarray(weights, dtype=z.dtype)
    else:  # of several columns that belong to one target, all have one weight
        w = weights[:, :: columns_of_a_target(network.cost, network.K)]
        costs = by_target(network.cost, z, Y) * w.astype(z.dtype, copy=False)
    return float(costs.sum(dtype=np.float64)), total_weight(z, weights)


def by_output(weights: Array, dtype: npt.DTypeLike) -> Array:
    """Return weights as they multiply arrays of shape (m, K): of shape (m, 1) or (m, K)."""
    weights = np.asarray(weights, dtype)
    return weights[:, None] if weights.ndim == 1 else weights


def total_weight(rows: Array, weights: Array | None) -> float:
    """Return m: the number of rows, or the sum of their weights, the mean over the outputs."""
    if weights is None:
        return float(len(rows))
    total = float(weights.sum(dtype=np.float64))
    return total if weights.ndim == 1 else total / weights.shape[1]


def finish(
    network: Network, theta: Array, cost_sum: float, Delta: Array, m: float, lam: Lambda = 0.0
) -> tuple[float, Array]:
    """Return J and D of the sums over all rows, with 1/m and lambda; Delta becomes D, in place.

        J = cost_sum / m + lambda/(2m) sum over all weights, biases left out, of Theta(l)_ij^2
        D(l)_ij = (Delta(l)_ij + lambda Theta(l)_ij) / m        D(l)_i0 = Delta(l)_i0 / m

    (Notes, *Cost Function* and *Backpropagation Algorithm*.)

    Examples
    --------
    >>> finish(Network((1, 1)), np.array([5.0, 2.0]), 6.0, np.array([3.0, 9.0]), 3.0, lam=0.5)
    (2.3333333333333335, array([1.        , 3.33333333]))
    """
    return finish_spread(np.asarray(theta), cost_sum, Delta, m, spread(network, lam))


def cost_and_gradient(
    network: Network, theta: npt.ArrayLike, X: npt.ArrayLike, Y: npt.ArrayLike, lam: Lambda = 0.0
) -> tuple[float, Array]:
    """Return J(Theta) and its gradient D.

    Parameters
    ----------
    Y : array of shape (m,) or (m, K)
        Targets, or integer codes 0..K-1 of K classes; with several outputs NaN is a target that
        nobody knows and that counts nothing.
    lam : float, sequence of L - 1 float or ElasticNet, default=0.0
        lambda, >= 0.

    Returns
    -------
    J : float
    D : ndarray of shape (size,)
        The gradient, unrolled as theta is; `reshape` gives D(1), ..., D(L-1).

    Raises ValueError if a shape, a value or lam does not fit.

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
    Y, weights = network.known_targets(Y, len(X))
    check_lam(network, lam)
    return finish(network, theta, *accumulate(network, theta, X, Y, weights), lam)


def input_gradient(
    network: Network, theta: npt.ArrayLike, X: npt.ArrayLike, outputs: npt.ArrayLike
) -> Array:
    """Return how z(L)_k of one unit k changes with each input: the errors, one layer further back.

        delta(L) = 1 for unit k, 0 for the others        dz(L)_k / dx = (Theta(1))^T delta(2)

    ``outputs`` is k, counted from 0: one unit for all examples, or one for each, shape (m,).  The
    inputs have no g'.  ValueError says which array does not fit, or that there is no such unit.

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
    return np.asarray(errors(network, theta, a, delta_L)[0] @ W.T)

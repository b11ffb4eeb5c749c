"""Second derivatives and Jacobians in NumPy: the reference, with the notation of `backprop`.

The kernel has a twin of each; `chainrule.engine` chooses.

The Hessian H of J is never formed.  Pearlmutter's R{.} (*Fast exact multiplication by the Hessian*,
Neural Computation 6, 1994) is the derivative along a direction v, R{f(theta)} = d/dr f(theta + r v)
at r = 0.  Put before every line of forward and backward propagation, it gives H v exactly, at the
cost of one more gradient:

====================  ============================================================================
name                  what
====================  ============================================================================
v, c, V               a direction, as long as theta, and its parts: c beside b, V beside W
Ra, Rz, Rdelta        R{a(l)}, R{z(l)}, R{delta(l)}
Jac                   (m K, size), the residuals' derivatives by theta, one row for each residual
r                     (m K,), the residuals h - y, one for each example and output
A                     (m, K, K), the derivative of delta(L) by z(L), of a cost that is no square
lams                  (size,), lambda of each component of theta, 0 for a bias
====================  ============================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from chainrule.common.types import Array
from chainrule.notes.backprop import (
    accumulate,
    by_output,
    errors,
    forward,
    points,
    total_weight,
)
from chainrule.notes.costs import Cost
from chainrule.notes.network import Network
from chainrule.notes.regularisation import finish_spread
from chainrule.notes.theta import blocks

T = TypeVar("T")

HELD = 2**20  # how many numbers of the Jacobian are held at a time: 8 MB


def hessian_vector(
    network: Network, theta: Array, v: Array, X: Array, Y: Array, weights: Array | None = None
) -> Array:
    """Add up (the Hessian of cost(t)) v over a block of rows; return R{Delta}, a sum as Delta is.

        R{z(l+1)} = R{a(l)} W + a(l) V + c        R{a(l)} = g'(z(l)) .* R{z(l)}
        R{delta(l)} = (R{delta(l+1)} W^T + delta(l+1) V^T) .* g'(z(l))
                      + (delta(l+1) W^T) .* g''(z(l)) .* R{z(l)}
        R{Delta(l)} = a(l)^T R{delta(l+1)} + R{a(l)}^T delta(l+1)

    ValueError names an activation or a cost that comes without its second derivative.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")  # cost = (b + w x - y)^2 / 2
    >>> X, Y = np.array([[3.0]]), np.array([[1.0]])
    >>> hessian_vector(network, np.zeros(2), np.array([1.0, 0.0]), X, Y)
    array([1., 3.])
    """
    delta_prime = _given(network.cost.delta_prime, network.cost.name)
    g_second = [_given(g.g_second, g.name) for g in network.activations]
    a, _ = forward(network, theta, X)
    Y = np.asarray(Y, dtype=theta.dtype)
    delta_L = network.cost.delta(a[-1], Y)
    w = 1 if weights is None else by_output(weights, theta.dtype)
    delta = errors(network, theta, a, delta_L * w)  # all that follows is linear in delta(L)
    at = points(network, theta, a)
    slopes = [g.g_prime(at_l) for g, at_l in zip(network.activations, at, strict=True)]
    parts, directions = blocks(network, theta), blocks(network, v)

    Ra = [np.zeros_like(a[0])]  # the inputs do not depend on theta
    Rz = []
    for l, (Theta_T, v_l) in enumerate(zip(parts, directions, strict=True)):
        Rz.append(Ra[l] @ Theta_T[1:] + a[l] @ v_l[1:] + v_l[0])  # (m, s_{l+1})
        if l < network.L - 2:
            Ra.append(slopes[l] * Rz[l])

    Rdelta = [delta_prime(a[-1], Y, Rz[-1]) * w]
    for l in range(network.L - 2, 0, -1):
        W, V = parts[l][1:], directions[l][1:]
        bend = g_second[l - 1](at[l - 1]) * Rz[l - 1]  # R{g'(z)} = g''(z) R{z}
        back = Rdelta[0] @ W.T + delta[l] @ V.T
        Rdelta.insert(0, back * slopes[l - 1] + (delta[l] @ W.T) * bend)

    total = np.empty_like(theta)
    for l, part in enumerate(blocks(network, total)):
        part[0] = Rdelta[l].sum(axis=0)
        part[1:] = a[l].T @ Rdelta[l] + Ra[l].T @ delta[l]
    return total


def _given(derivative: T | None, name: str) -> T:
    if derivative is None:
        raise ValueError(
            f"{name!r} comes without its second derivative (g_second, or delta_prime of a cost): "
            "add it, or choose an optimizer that needs none, such as 'lbfgs'"
        )
    return derivative


def jacobian(network: Network, theta: Array, X: Array) -> tuple[Array, Array]:
    """Return z(L) of a block of rows, and d z_k(L) / d theta of each example, (m, K, size).

    Backpropagation of K unit vectors in place of delta(L), without the sum over the examples.

    Examples
    --------
    >>> z, rows = jacobian(Network((1, 1)), np.array([1.0, 2.0]), np.array([[3.0]]))
    >>> z, rows
    (array([[7.]]), array([[[1., 3.]]]))
    """
    a, z = forward(network, theta, X)
    at = points(network, theta, a)
    m, K = z.shape
    rows = np.empty((m, K, network.size), dtype=theta.dtype)
    delta = np.broadcast_to(np.eye(K, dtype=theta.dtype), (m, K, K))  # (m, K, s_{l+1})
    parts, end = blocks(network, theta), network.size
    for l in range(network.L - 2, -1, -1):
        start = end - parts[l].size
        block = rows[:, :, start:end].reshape(m, K, *parts[l].shape)
        block[:, :, 0] = delta
        np.multiply(a[l][:, None, :, None], delta[:, :, None, :], out=block[:, :, 1:])
        if l:
            delta = (delta @ parts[l][1:].T) * network.activations[l - 1].g_prime(at[l - 1])[
                :, None
            ]
        end = start
    return z, rows


def rows_at_once(network: Network) -> int:
    """Return for how many examples the Jacobian is held at a time."""
    return max(1, HELD // (network.K * network.size))


def check_residuals(network: Network) -> None:
    """Raise an error where the cost is no sum of squares, and cannot be taken for one."""
    if network.cost.delta_prime is None:
        raise ValueError(
            f"output={network.cost.name!r} has no residuals: Levenberg-Marquardt and Bayesian "
            "regularisation are for the outputs identity, sigmoid, softmax and exp, or a Cost with "
            "delta_prime; choose another optimizer"
        )


def are_squares(network: Network) -> bool:
    """Whether the cost is half a sum of squares."""
    return network.cost.name == "identity"


def residuals(
    network: Network, theta: Array, X: Array, Y: Array, weights: Array | None = None
) -> Iterator[tuple[Array, Array]]:
    """Yield r = h - y of a squared-error network, and its rows of Jac = dr / dtheta, in blocks.

        sum of the cost(t) = r . r / 2

    Any other cost is taken for the squares that have its slope and, but for the second derivatives
    of z(L), its bend (Schraudolph, *Fast curvature matrix-vector products*, 2002):

        Jac = A^(1/2) dz / dtheta      r = A^(-1/2) delta(L)      A = d delta(L) / dz(L)

    so that Jac^T r is Delta.  A weight multiplies its example's rows by its square root.  A block
    holds about 8 MB, whatever m is.  Its size depends on the network alone, so the sums over all
    blocks always have the same bits.  ValueError says that the cost has no such squares.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")
    >>> list(residuals(network, np.zeros(2), np.array([[3.0]]), np.array([[1.0]])))
    [(array([-1.]), array([[1., 3.]]))]
    """
    check_residuals(network)
    step = rows_at_once(network)
    for start in range(0, len(X), step):
        block = slice(start, start + step)
        z, rows = jacobian(network, theta, X[block])
        if are_squares(network):
            r = z - Y[block]
        else:
            r, rows = as_squares(network.cost, z, np.asarray(Y[block], z.dtype), rows)
        r, rows = r.reshape(-1), rows.reshape(-1, network.size)
        if weights is not None:
            w = weights[block]
            w = w.reshape(-1) if w.ndim == 2 else np.repeat(w, network.K)
            root = np.sqrt(w.astype(theta.dtype))
            r, rows = root * r, root[:, None] * rows
        yield r, rows


def as_squares(cost: Cost, z: Array, Y: Array, slopes: Array) -> tuple[Array, Array]:
    """Return r and Jac, (m, K) and (m, K, size), of a cost that is no square; see `residuals`.

    Examples
    --------
    >>> from chainrule.notes.costs import COSTS
    >>> z, Y, slopes = np.array([[0.0]]), np.array([[1.0]]), np.array([[[1.0, 2.0]]])
    >>> as_squares(COSTS["sigmoid"], z, Y, slopes)  # A = 1/4
    (array([[-1.]]), array([[[0.5, 1. ]]]))
    """
    h, unit = cost.g(z), np.eye(z.shape[1], dtype=z.dtype)
    delta_prime = _given(cost.delta_prime, cost.name)
    A = np.stack([delta_prime(h, Y, np.broadcast_to(u, z.shape)) for u in unit], axis=-1)
    values, V = np.linalg.eigh(A)
    root = np.sqrt(np.maximum(values, 0))
    delta = (V.mT @ cost.delta(h, Y)[..., None])[..., 0]
    r = np.divide(delta, root, out=np.zeros_like(delta), where=root > 0)
    return r, root[..., None] * (V.mT @ slopes)


def normal_equations(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    lams: Array | None = None,
) -> tuple[float, Array, Array]:
    """Return J, D and the Gauss-Newton matrix H, of shape (size, size).

        J = (r . r + lams theta . theta) / (2m)        D = (Jac^T r + lams theta) / m
        H = (Jac^T Jac + diag(lams)) / m

    Jac^T r is Delta; H is the part of the Hessian that has no second derivatives.  Where the cost
    is no square, J and D are its own, and H is that of its `residuals`.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")
    >>> normal_equations(network, np.zeros(2), np.array([[3.0]]), np.array([[1.0]]))
    (0.5, array([-1., -3.]), array([[1., 3.],
           [3., 9.]]))
    """
    return finish_gauss_newton(theta, *gauss_newton(network, theta, X, Y, weights), lams)


def gauss_newton(
    network: Network, theta: Array, X: Array, Y: Array, weights: Array | None = None
) -> tuple[float, Array, float, Array]:
    """Add up the costs, Jac^T r and Jac^T Jac over a block of rows; return these sums with m.

    Examples
    --------
    >>> network = Network((1, 1), output="identity")
    >>> gauss_newton(network, np.zeros(2), np.array([[3.0]]), np.array([[1.0]]))
    (0.5, array([-1., -3.]), 1.0, array([[1., 3.],
           [3., 9.]]))
    """
    m = total_weight(X, weights)
    cost_sum, Delta = 0.0, np.zeros(network.size, dtype=theta.dtype)
    squares = are_squares(network)
    if not squares:
        cost_sum, Delta, _ = accumulate(network, theta, X, Y, weights)
    H = np.zeros((network.size, network.size), dtype=theta.dtype)
    for r, rows in residuals(network, theta, X, Y, weights):
        if squares:
            cost_sum += float(r @ r) / 2
            Delta += rows.T @ r
        H += rows.T @ rows
    return cost_sum, Delta, m, H


def finish_gauss_newton(
    theta: Array, cost_sum: float, Delta: Array, m: float, H: Array, lams: Array | None
) -> tuple[float, Array, Array]:
    """Return J, D and H of the sums over all rows, with 1/m and lambda.

    Examples
    --------
    >>> H = np.array([[1.0, 3.0], [3.0, 9.0]])
    >>> finish_gauss_newton(np.zeros(2), 1.0, np.array([-2.0, -6.0]), 2.0, H, None)
    (0.5, array([-1., -3.]), array([[0.5, 1.5],
           [1.5, 4.5]]))
    """
    if lams is not None:
        H += np.diag(lams)
    J, D = finish_spread(theta, cost_sum, Delta, m, lams)
    return J, D, H / m

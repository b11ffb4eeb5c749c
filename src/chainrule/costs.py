"""The canonical pairs: an output activation and the cost that makes delta(L) = a(L) - y.

The notes show it for the sigmoid and cross-entropy (*Explanation of Derivatives Used in
Backpropagation*): dJ/da times da/dz collapses to a - y.  The same happens for softmax with
cross-entropy, for the identity with half the squared error (the notes' linear network), and for
exp with the Poisson cost.  A cost is computed from z(L), not from a(L): that is where it is stable.

Costs are sums over the K outputs, one number for each example.  Nothing here divides by m or knows
lambda: both enter once, in `chainrule.backprop.finish`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.activations import Array, sigmoid, softplus


def canonical_delta(h: Array, Y: Array) -> Array:
    """delta(L) = a(L) - y, the notes' error of the last layer."""
    return h - Y


@dataclass(frozen=True)
class Cost:
    """An output activation with its cost.

    Parameters
    ----------
    name : str
        What users call it: the name of the output activation.
    g : callable
        ``g(z) -> h``: z(L), of shape (m, K), to the hypothesis a(L) = h, of shape (m, K).
    per_example : callable
        ``per_example(z, Y) -> cost`` of shape (m,): cost(t), summed over the K outputs.
    delta : callable
        ``delta(h, Y) -> delta(L)`` of shape (m, K): the derivative of cost(t) by z(L).
    delta_prime : callable or None
        ``delta_prime(h, Y, u)`` of shape (m, K): the derivative of delta(L) by z(L), a K x K
        matrix for each example, times a row of u, of shape (m, K).  For Hessian-vector products.
    targets : str
        What Y may hold: ``"classes"`` (every y_k in [0, 1]), ``"distribution"`` (in [0, 1], each
        row adds up to 1), ``"counts"`` (y >= 0) or ``"numbers"``.

    Examples
    --------
    >>> from chainrule.costs import COSTS
    >>> z, y = np.array([[0.0, 2.0]]), np.array([[1.0, 0.0]])
    >>> cost = COSTS["sigmoid"]
    >>> cost.per_example(z, y).round(4), cost.delta(cost.g(z), y).round(4)
    (array([2.8201]), array([[-0.5   ,  0.8808]]))
    """

    name: str
    g: Callable[[Array], Array]
    per_example: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array], Array] = canonical_delta
    targets: str = "numbers"
    delta_prime: Callable[[Array, Array, Array], Array] | None = None


def softmax(z: Array) -> Array:
    """e^z_k / sum_j e^z_j over the last axis, with no overflow."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _softmax_cross_entropy(z: Array, Y: Array) -> Array:
    """log(sum_j e^z_j) - sum_k y_k z_k, with the largest z taken out of both terms.

    What is left is log(1 + the others) - sum_k y_k (z_k - largest), without cancellation: a small
    cost keeps its digits.  The last term is 0 where a row of Y adds up to exactly 1.
    """
    top = z.max(axis=-1, keepdims=True)
    below = z - top
    others = np.exp(below)
    np.put_along_axis(others, z.argmax(axis=-1)[..., None], 0, axis=-1)
    rest = top[..., 0] * (1 - Y.sum(axis=-1))
    return np.asarray(np.log1p(others.sum(axis=-1)) - (Y * below).sum(axis=-1) + rest)


def _exp(z: Array) -> Array:
    # An h beyond the dtype's range is a diverged network; J turns infinite and the optimizer,
    # which can say so with its history, reports it.
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(z))


COSTS: Mapping[str, Cost] = {
    cost.name: cost
    for cost in (
        # -y log h - (1 - y) log(1 - h) with h = 1/(1 + e^-z) is log(1 + e^z) - y z.  Written so
        # that no two large terms cancel: a small cost keeps its digits, however large z is.
        Cost(
            "sigmoid",
            sigmoid,
            lambda z, Y: (np.where(z > 0, 1 - Y, -Y) * z + softplus(-np.abs(z))).sum(axis=-1),
            targets="classes",
            delta_prime=lambda h, Y, u: h * (1 - h) * u,
        ),
        Cost(
            "softmax",
            softmax,
            _softmax_cross_entropy,
            targets="distribution",
            delta_prime=lambda h, Y, u: h * (u - (h * u).sum(axis=-1, keepdims=True)),
        ),
        Cost(
            "identity",
            lambda z: z,
            lambda z, Y: 0.5 * ((z - Y) ** 2).sum(axis=-1),
            delta_prime=lambda h, Y, u: u,
        ),
        # Poisson, without the log(y!) that no theta changes
        Cost(
            "exp",
            _exp,
            lambda z, Y: (_exp(z) - Y * z).sum(axis=-1),
            targets="counts",
            delta_prime=lambda h, Y, u: h * u,
        ),
    )
}

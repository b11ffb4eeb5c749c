"""The canonical pairs: an output activation and the cost that makes delta(L) = a(L) - y.

The notes show it for the sigmoid and cross-entropy (*Explanation of Derivatives Used in
Backpropagation*): dJ/da times da/dz collapses to a - y.  The same happens for softmax with
cross-entropy, for the identity with half the squared error (the notes' linear network), and for
exp with the Poisson cost.  A cost is computed from z(L), where it is stable, not from a(L).

Costs are sums over the K outputs, one number for each example.  Nothing here divides by m or knows
lambda: see `chainrule.notes.regularisation`.

Other costs have parameters of their own, written in the name: ``"huber:1.35"``,
``"quantile:0.1,0.5,0.9"``.  They are the same three functions with another delta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from chainrule.common.checks import by_name
from chainrule.common.types import Array
from chainrule.notes.activations import sigmoid, softplus


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
    units : int
        K must be a multiple of it.

    Examples
    --------
    >>> from chainrule.notes.costs import COSTS
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
    units: int = 1


def by_target(cost: Cost, z: Array, Y: Array) -> Array:
    """Return cost(t) of each target apart, (m, K / q), where q columns belong to one target.

    A softmax is one target.  ValueError says that a cost of one's own cannot be taken apart.

    Examples
    --------
    >>> by_target(COSTS["identity"], np.array([[1.0, 2.0]]), np.array([[3.0, 2.5]]))
    array([[2.   , 0.125]])
    """
    m, K = z.shape
    q = columns_of_a_target(cost, K)
    costs = cost.per_example(z.reshape(m, -1, q), Y.reshape(m, -1, q))
    if np.shape(costs) != (m, K // q):
        raise ValueError(
            f"weights of each output need a cost per_example that adds up along axis=-1 alone, and "
            f"{cost.name!r} has another"
        )
    return costs


def columns_of_a_target(cost: Cost, K: int) -> int:
    """Return how many columns of Y belong to one target."""
    return K if cost.targets == "distribution" else cost.units


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
    # An h beyond the dtype's range is a diverged network: J turns infinite, and the optimizer
    # reports that, with its history
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
        # Poisson, without log(y!), which does not depend on theta
        Cost(
            "exp",
            _exp,
            lambda z, Y: (_exp(z) - Y * z).sum(axis=-1),
            targets="counts",
            delta_prime=lambda h, Y, u: h * u,
        ),
    )
}


def absolute() -> Cost:
    """Return the cost |h - y|, whose minimum is the median."""
    return Cost(
        "absolute",
        lambda z: z,
        lambda z, Y: np.abs(z - Y).sum(axis=-1),
        lambda h, Y: np.sign(h - Y),
    )


def huber(threshold: float = 1.0) -> Cost:
    """Return Huber's cost: half the square of h - y up to a threshold, straight beyond it."""
    if not 0 < threshold < np.inf:
        raise ValueError(f"huber's threshold must be a number > 0, got {threshold!r}")

    def per_example(z: Array, Y: Array) -> Array:
        e = np.abs(z - Y)
        inside = np.minimum(e, threshold)
        return np.asarray((inside * (e - inside / 2)).sum(axis=-1))

    return Cost(
        f"huber:{threshold!r}",
        lambda z: z,
        per_example,
        lambda h, Y: np.clip(h - Y, -threshold, threshold),
    )


def quantile(*levels: float) -> Cost:
    """Return the cost of quantiles at rising levels; a quantile never crosses the next one.

    Each target has q units, one for each level, and stands in q columns of Y.  The first unit is
    the lowest quantile, h_1 = z_1; each further one, h_k = h_{k-1} + softplus(z_k), lies above the
    one before.  The cost of h_k is max((1 - level) (h_k - y), -level (h_k - y)).
    """
    q = len(levels)
    if not q or not all(0 < level < 1 for level in levels) or sorted(set(levels)) != list(levels):
        raise ValueError(f"quantiles need rising levels between 0 and 1, got {levels!r}")

    def by_level(values: Array) -> Array:
        return values.reshape(*values.shape[:-1], -1, q)

    def g(z: Array) -> Array:
        steps = by_level(z).copy()
        steps[..., 1:] = softplus(steps[..., 1:])
        return np.cumsum(steps, axis=-1).reshape(z.shape)

    def per_example(z: Array, Y: Array) -> Array:
        e, tau = by_level(g(z) - Y), np.array(levels, z.dtype)
        return np.asarray(np.maximum((1 - tau) * e, -tau * e).sum(axis=(-2, -1)))

    def delta(h: Array, Y: Array) -> Array:
        slopes = (by_level(h) > by_level(Y)).astype(h.dtype) - np.array(levels, h.dtype)
        # z_k moves h_k and every quantile above it by the same amount
        slopes = np.cumsum(slopes[..., ::-1], axis=-1)[..., ::-1]
        # softplus' = 1 - e^-softplus, written from what softplus(z_k) gave
        slopes[..., 1:] *= -np.expm1(-np.diff(by_level(h), axis=-1))
        return slopes.reshape(h.shape)

    name = "quantile:" + ",".join(map(repr, levels))
    return Cost(name, g, per_example, delta, units=q)


def softmax_groups(*sizes: float) -> Cost:
    """Return the cost of several classifications at once: a softmax over each group of units."""
    if not sizes or not all(size == int(size) and size >= 2 for size in sizes):
        raise ValueError(f"groups of softmax units need whole numbers >= 2, got {sizes!r}")
    borders = np.cumsum(np.array(sizes, dtype=int))

    def groups(values: Array) -> list[Array]:
        return np.split(values, borders[:-1], axis=-1)

    def per_example(z: Array, Y: Array) -> Array:
        pairs = zip(groups(z), groups(Y), strict=True)
        return np.asarray(sum(_softmax_cross_entropy(z_g, Y_g) for z_g, Y_g in pairs))

    return Cost(
        "softmax:" + ",".join(f"{size:g}" for size in sizes),
        lambda z: np.concatenate([softmax(z_g) for z_g in groups(z)], axis=-1),
        per_example,
        targets="classes",
        units=int(borders[-1]),
    )


WITH_PARAMETERS: Mapping[str, Callable[..., Cost]] = {
    "absolute": absolute,
    "huber": huber,
    "quantile": quantile,
    "softmax": softmax_groups,
}


@cache
def find_cost(name: str) -> Cost:
    """Return the cost that a name stands for.

    Parameters
    ----------
    name : str
        ``"sigmoid"``, ``"softmax"``, ``"identity"``, ``"exp"``; or, with parameters of its own,
        ``"absolute"``, ``"huber:threshold"`` (default 1), ``"quantile:level,level,..."``,
        ``"softmax:units,units,..."`` (several classifications at once).

    Returns
    -------
    Cost

    Raises
    ------
    ValueError
        If there is no such cost, or its parameters do not fit.

    Examples
    --------
    Three quantiles of one target; z_2 and z_3 say how far apart they are:

    >>> find_cost("quantile:0.1,0.5,0.9").g(np.array([[1.0, 0.0, -3.0]])).round(3)
    array([[1.   , 1.693, 1.742]])
    """
    if name in COSTS:
        return COSTS[name]
    family, colon, parameters = name.partition(":")
    by_name(family, {**COSTS, **WITH_PARAMETERS}, "output")
    make = by_name(family, WITH_PARAMETERS, "output with parameters")
    try:
        values = [float(value) for value in parameters.split(",")] if colon else []
        return make(*values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"output {name!r}: {error}") from None

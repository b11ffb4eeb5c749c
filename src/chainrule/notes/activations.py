"""Hidden activations g and their derivatives, written from a = g(z) as the notes write them.

The notes (*Backpropagation Algorithm*) write g'(z) = a .* (1 - a): the derivative needs only the
activation, which forward propagation has already computed, never z again.  Every activation here
has that property, so a network keeps its a(l) and forgets its z(l).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array

LEAK = 0.01  # slope of the leaky relu left of zero


@dataclass(frozen=True)
class Activation:
    """An activation function and its derivative.

    Parameters
    ----------
    name : str
        What users call it.
    g : callable
        ``g(z) -> a``, elementwise, any shape, dtype kept.
    g_prime : callable
        ``g_prime(a) -> g'(z)``, elementwise, written from a = g(z).
    g_second : callable or None
        ``g_second(a) -> g''(z)``, elementwise, written from a = g(z), for Hessian-vector products.

    Examples
    --------
    >>> from chainrule.notes.activations import ACTIVATIONS
    >>> sigmoid = ACTIVATIONS["sigmoid"]
    >>> a = sigmoid.g(np.array([0.0]))
    >>> a, sigmoid.g_prime(a)
    (array([0.5]), array([0.25]))
    """

    name: str
    g: Callable[[Array], Array]
    g_prime: Callable[[Array], Array]
    g_second: Callable[[Array], Array] | None = None


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), with no overflow and full relative precision at both ends."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def softplus(z: Array) -> Array:
    """log(1 + e^z), with no overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


ACTIVATIONS: Mapping[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation(
            "sigmoid",
            sigmoid,
            lambda a: a * (1 - a),
            g_second=lambda a: a * (1 - a) * (1 - 2 * a),
        ),
        Activation("tanh", np.tanh, lambda a: 1 - a * a, g_second=lambda a: -2 * a * (1 - a * a)),
        Activation(
            "relu",
            lambda z: np.maximum(z, 0),
            lambda a: (a > 0).astype(a.dtype),
            g_second=np.zeros_like,
        ),
        Activation(
            "leaky_relu",
            lambda z: np.maximum(z, LEAK * z),
            lambda a: np.where(a > 0, a.dtype.type(1), a.dtype.type(LEAK)),
            g_second=np.zeros_like,
        ),
        Activation(
            "elu",
            lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
            lambda a: np.where(a > 0, a.dtype.type(1), a + 1),
            g_second=lambda a: np.where(a > 0, a.dtype.type(0), a + 1),
        ),
        # e^z = e^a - 1, hence g'(z) = e^z / (1 + e^z) = 1 - e^-a, and g'' = g' (1 - g')
        Activation(
            "softplus",
            softplus,
            lambda a: -np.expm1(-a),
            g_second=lambda a: -np.expm1(-a) * np.exp(-a),
        ),
        Activation("identity", lambda z: z, np.ones_like, g_second=np.zeros_like),
    )
}

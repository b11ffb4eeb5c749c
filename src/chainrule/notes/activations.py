"""Hidden activations g and their derivatives g' and g''.

The notes (*Backpropagation Algorithm*) write g'(z) = a .* (1 - a): from a = g(z), which forward
propagation keeps, so z can be forgotten.  silu, gelu and mish first fall and then rise: two values
of z give the same a, with different slopes.  Their derivatives are written from z (``from_z``),
which backpropagation computes again from the layer before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array

LEAK = 0.01  # slope of the leaky relu left of zero
# With these two, selu keeps a mean of 0 and a variance of 1 (Klambauer et al. 2017)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


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
    from_z : bool, default=False
        Whether g_prime and g_second take z in place of a.

    Examples
    --------
    >>> from chainrule.notes.activations import ACTIVATIONS
    >>> sigmoid = ACTIVATIONS["sigmoid"]
    >>> a = sigmoid.g(np.array([0.0]))
    >>> a, sigmoid.g_prime(a)
    (array([0.5]), array([0.25]))

    An activation of one's own, with g'(z) = cos z:

    >>> sine = Activation("sine", np.sin, np.cos, lambda z: -np.sin(z), from_z=True)
    """

    name: str
    g: Callable[[Array], Array]
    g_prime: Callable[[Array], Array]
    g_second: Callable[[Array], Array] | None = None
    from_z: bool = False

    def slope(self, a: Array, z: Array) -> Array:
        """g'(z), from whichever of a = g(z) and z it is written from."""
        return self.g_prime(z if self.from_z else a)


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), with no overflow and full relative precision at both ends."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def softplus(z: Array) -> Array:
    """log(1 + e^z), with no overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def silu_prime(z: Array) -> Array:
    """g'(z) = s (1 + z (1 - s)), where s = sigmoid(z)."""
    return np.asarray(sigmoid(z) * (1 + z * sigmoid(-z)))


def silu_second(z: Array) -> Array:
    """g''(z) = s (1 - s) (2 + z (1 - 2 s)), where s = sigmoid(z)."""
    s, rest = sigmoid(z), sigmoid(-z)
    return np.asarray(s * rest * (2 + z * (rest - s)))


def normal_cdf(z: Array) -> Array:
    """(1 + erf(z / sqrt(2))) / 2, the probability of a standard normal value below z."""
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


def normal_density(z: Array) -> Array:
    """e^(-z^2 / 2) / sqrt(2 pi)."""
    near = np.clip(z, -40, 40)  # beyond, the density is 0, and z^2 may overflow
    return np.asarray(np.exp(-near * near / 2) / math.sqrt(2 * math.pi))


def gelu_second(z: Array) -> Array:
    """g''(z) = (2 - z^2) e^(-z^2 / 2) / sqrt(2 pi)."""
    p = normal_density(z)
    return np.asarray(2 * p - z * (z * p))


def _mish_parts(z: Array) -> tuple[Array, Array, Array]:
    """Return w = tanh(softplus(z)), its derivative w', and w'' / w'."""
    s, rest = sigmoid(z), sigmoid(-z)
    w, q = np.tanh(softplus(z)), rest * rest  # q = e^(-2 softplus(z))
    return w, s * 4 * q / (1 + q) ** 2, rest - 2 * w * s  # w' = s (1 - w^2), without cancellation


def mish_prime(z: Array) -> Array:
    """g'(z) = w + z w', where w = tanh(softplus(z))."""
    w, w_prime, _ = _mish_parts(z)
    return np.asarray(w + z * w_prime)


def mish_second(z: Array) -> Array:
    """g''(z) = 2 w' + z w'', where w = tanh(softplus(z))."""
    _, w_prime, ratio = _mish_parts(z)
    return np.asarray(w_prime * (2 + z * ratio))


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
        Activation("silu", lambda z: z * sigmoid(z), silu_prime, silu_second, from_z=True),
        Activation(
            "gelu",
            lambda z: z * normal_cdf(z),
            lambda z: normal_cdf(z) + z * normal_density(z),
            gelu_second,
            from_z=True,
        ),
        Activation(
            "mish", lambda z: z * np.tanh(softplus(z)), mish_prime, mish_second, from_z=True
        ),
        Activation(
            "selu",
            lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
            lambda a: np.where(a > 0, a.dtype.type(SELU_SCALE), a + SELU_SCALE * SELU_ALPHA),
            g_second=lambda a: np.where(a > 0, a.dtype.type(0), a + SELU_SCALE * SELU_ALPHA),
        ),
    )
}

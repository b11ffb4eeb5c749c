"""Every value of one example's way forward and back, named as in the notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Lambda
from chainrule.notes.backprop import accumulate, backward, finish, forward
from chainrule.notes.network import Network
from chainrule.notes.regularisation import check_lam
from chainrule.notes.theta import blocks


@dataclass(frozen=True)
class Trace:
    """Every value of one example's way forward and back, named as in the notes.

    Lists start at the notes' first index: ``a[0]`` is a(1), ``z[0]`` is z(2), ``delta[0]`` is
    delta(2), ``Delta[0]`` is Delta(1), ``D[0]`` is D(1).  ``print`` shows them all.

    Attributes
    ----------
    network : Network
    a : list of ndarray of shape (s_l,)
    z, delta : list of ndarray of shape (s_{l+1},)
    Delta, D : list of ndarray of shape (s_{l+1}, s_l + 1)
    cost : float
        cost(t), without regularisation.

    Examples
    --------
    >>> shown = trace(Network((2, 3, 1)), np.zeros(13), [2.0, 1.0], 1)
    >>> shown.a[1], shown.delta[-1]  # a(2) and delta(3)
    (array([0.5, 0.5, 0.5]), array([-0.5]))
    """

    network: Network
    a: list[Array]
    z: list[Array]
    delta: list[Array]
    Delta: list[Array]
    D: list[Array]
    cost: float

    def values(self) -> dict[str, Array]:
        """Return every value by its name in the notes, in the order in which it is computed.

        Returns
        -------
        dict of str to ndarray
            ``a(1)``, ``z(2)``, ``a(2)``, ..., ``delta(L)``, ..., ``delta(2)``, ``Delta(1)``,
            ``D(1)``, ...

        Examples
        --------
        >>> list(trace(Network((2, 1)), np.zeros(3), [2.0, 1.0], 1).values())
        ['a(1)', 'z(2)', 'a(2)', 'delta(2)', 'Delta(1)', 'D(1)']
        """
        L = self.network.L
        named = {"a(1)": self.a[0]}
        for l in range(2, L + 1):
            named |= {f"z({l})": self.z[l - 2], f"a({l})": self.a[l - 1]}
        named |= {f"delta({l})": self.delta[l - 2] for l in range(L, 1, -1)}
        for l in range(1, L):
            named |= {f"Delta({l})": self.Delta[l - 1], f"D({l})": self.D[l - 1]}
        return named

    def __str__(self) -> str:
        lines = [f"{self.network}", f"cost = {self.cost:.6g}"]
        for name, value in self.values().items():
            text = np.array2string(value, precision=4, suppress_small=True, threshold=60)
            shape = " x ".join(str(n) for n in value.shape)
            lines += [f"{name}  [{shape}]", *("    " + line for line in text.splitlines())]
        return "\n".join(lines)


def trace(
    network: Network, theta: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike, lam: Lambda = 0.0
) -> Trace:
    """Return every a(l), z(l), delta(l), Delta(l) and D(l) of one example.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    x : array of shape (s_1,)
    y : int, float, or array of shape (K,)
        The class code, the number, or the target values.
    lam : float or sequence of L - 1 float, default=0.0

    Returns
    -------
    Trace
        Matrices in the notes' orientation: Delta(l) and D(l) of shape (s_{l+1}, s_l + 1).

    Notes
    -----
    Notes, *Backpropagation Algorithm*, with m = 1.

    Examples
    --------
    >>> print(trace(Network((2, 1)), [0.0, 1.0, -1.0], [2.0, 1.0], 1))
    Network(layers=(2, 1), hidden='sigmoid', output='sigmoid')
    cost = 0.313262
    a(1)  [2]
        [2. 1.]
    z(2)  [1]
        [1.]
    a(2)  [1]
        [0.7311]
    delta(2)  [1]
        [-0.2689]
    Delta(1)  [1 x 3]
        [[-0.2689 -0.5379 -0.2689]]
    D(1)  [1 x 3]
        [[-0.2689 -0.5379 -0.2689]]
    """
    theta = network.check_theta(theta)
    X = network.check_inputs(np.asarray(x)[None])
    Y = network.check_targets(np.asarray(y)[None], 1)
    check_lam(network, lam)
    a, _ = forward(network, theta, X)
    Thetas_T = blocks(network, theta)
    z = [a_l @ Theta_T[1:] + Theta_T[0] for a_l, Theta_T in zip(a, Thetas_T, strict=False)]
    cost, Delta, m = accumulate(network, theta, X, Y)
    _, D = finish(network, theta, cost, Delta.copy(), m, lam)

    def rows(values: list[Any]) -> list[Array]:
        return [value[0] for value in values]

    return Trace(
        network,
        a=rows(a),
        z=rows(z),
        delta=rows(backward(network, theta, a, Y)),
        Delta=[block.T for block in blocks(network, Delta)],
        D=[block.T for block in blocks(network, D)],
        cost=cost,
    )

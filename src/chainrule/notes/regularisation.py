"""Regularisation: what lambda adds to J and to its gradient (notes, *Cost Function*).

Blocks of examples give sums.  lambda and 1/m enter once, where the sums become J and D: in
`chainrule.notes.backprop.finish`, layer by layer as the notes write it, or in `finish_spread`, in
which lambda is one vector as long as theta.  There are two exceptions.  An epoch of minibatches
takes a step after each block, so it divides there (`chainrule.notes.minibatch`).  The Gauss-Newton
matrix and Hessian-vector products add lambda to the diagonal of H themselves
(`chainrule.notes.second_order`).

====================  ====================  ======================================================
name                  shape                 the notes
====================  ====================  ======================================================
lam                   number, or L - 1      lambda, one for all Theta(l) or one for each
lams                  (size,)               lambda of each component of theta: 0 for a bias
====================  ====================  ======================================================
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.common.checks import floats
from chainrule.common.types import Array, Lambda
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks


def penalty(network: Network, theta: Array, lam: Lambda) -> float:
    """Return m times the regularisation part of J, summed in float64.

        lambda/2  sum_l sum_i sum_j (Theta(l)_ji)^2      the biases, i = 0, left out

    Examples
    --------
    >>> penalty(Network((1, 1)), np.array([5.0, 2.0]), lam=0.5)
    1.0
    """
    lams = per_layer(network, lam)
    if not any(lams):
        return 0.0
    return sum(
        lam_l / 2 * float(np.sum(np.square(Theta_T[1:], dtype=np.float64)))
        for lam_l, Theta_T in zip(lams, blocks(network, theta), strict=True)
    )


def per_layer(network: Network, lam: Lambda) -> list[float]:
    """Return lambda for each of Theta(1), ..., Theta(L-1)."""
    if isinstance(lam, float | int):  # the usual case, and asked for in each evaluation
        return [float(lam)] * (network.L - 1)
    return [float(lam_l) for lam_l in np.broadcast_to(lam, network.L - 1)]


def by_theta(network: Network, lam: Lambda) -> Array:
    """Return lams: lambda spread over theta, 0 for a bias.

    Examples
    --------
    >>> by_theta(Network((1, 1)), 0.5)
    array([0. , 0.5])
    """
    lams = np.zeros(network.size)
    for lam_l, part in zip(per_layer(network, lam), blocks(network, lams), strict=True):
        part[1:] = lam_l
    return lams


def spread(network: Network, lam: Lambda) -> Array | None:
    """Return lams for `finish_spread`: None where lambda is 0, so that nothing is added."""
    return by_theta(network, lam) if any(per_layer(network, lam)) else None


def finish_spread(
    theta: Array,
    cost_sum: float,
    Delta: Array,
    m: float,
    lams: Array | None = None,
    dot: Callable[[Array, Array], float] = lambda u, v: float(np.sum(u * v)),
) -> tuple[float, Array]:
    """Turn sums into J and D, with lambda spread over theta; Delta becomes D, in place.

        J = (cost_sum + lams theta . theta / 2) / m        D = (Delta + lams theta) / m

    The regularisation is computed in float64.  A dot that gives the same bits for any number of
    threads, as the kernel's does, gives such a J.  BLAS's does not, and its threads go on spinning
    on cores that training needs.

    Examples
    --------
    >>> lams = by_theta(Network((1, 1)), 0.5)
    >>> finish_spread(np.array([5.0, 2.0]), 6.0, np.array([3.0, 9.0]), 3.0, lams)
    (2.3333333333333335, array([1.        , 3.33333333]))
    """
    if lams is not None:
        wide = theta.astype(np.float64, copy=False)
        slope = lams * wide
        cost_sum += float(dot(wide, slope)) / 2
        Delta += slope
    Delta /= m
    return cost_sum / m, Delta


def check_lam(network: Network, lam: Lambda) -> None:
    """Raise ValueError unless lam is one finite number >= 0, or one for each Theta(l)."""
    values = floats(lam, "lam (lambda)")
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ValueError(f"lam (lambda) must be a finite number >= 0, got {lam!r}")
    if values.shape not in ((), (network.L - 1,)):
        raise ValueError(
            f"lam (lambda) must be one number, or {network.L - 1}, one for each Theta(l); "
            f"got shape {values.shape}"
        )

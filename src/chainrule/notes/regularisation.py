"""Regularisation: what lambda adds to J and to its gradient (notes, *Cost Function*).

Blocks of examples give sums.  lambda and 1/m enter once, where the sums become J and D: in
`chainrule.notes.backprop.finish`, layer by layer as the notes write it, or in `finish_spread`, in
which lambda is one vector as long as theta.  There are two exceptions.  An epoch of minibatches
takes a step after each block, so it divides there (`chainrule.notes.minibatch`).  The Gauss-Newton
matrix and Hessian-vector products add lambda to the diagonal of H themselves
(`chainrule.notes.second_order`).

An `ElasticNet` in the place of lambda adds the weights' absolute values, which the notes do not
have.  They pull each weight towards 0 with the same force, however small it is, and so leave
weights of 0.

====================  ====================  ======================================================
name                  shape                 the notes
====================  ====================  ======================================================
lam                   number, or L - 1      lambda, one for all Theta(l) or one for each
lams                  (size,)               lambda of each component of theta: 0 for a bias
lams                  (2, size)             the same of an `ElasticNet`: of squares, of |w|
====================  ====================  ======================================================
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.common.checks import floats
from chainrule.common.types import Array, ElasticNet, Lambda, Squares
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks


def parts(lam: Lambda) -> tuple[Squares, Squares]:
    """Return lambda of the squares and of the absolute values."""
    return (lam.squares, lam.absolutes) if isinstance(lam, ElasticNet) else (lam, 0.0)


def divided(lam: Lambda, by: float) -> Lambda:
    """Return lambda, whatever its form, divided by a number.

    Examples
    --------
    >>> divided(3.0, 2.0), divided(ElasticNet(1.0, 3.0), 2.0)
    (1.5, ElasticNet(squares=0.5, absolutes=1.5))
    """
    if isinstance(lam, ElasticNet):
        return ElasticNet(*(divided(part, by) for part in parts(lam)))  # type: ignore[arg-type]
    return float(lam) / by if np.ndim(lam) == 0 else [lam_l / by for lam_l in lam]  # type: ignore


@np.errstate(over="ignore")
def penalty(network: Network, theta: Array, lam: Lambda) -> float:
    """Return m times the regularisation part of J, summed in float64.

        lambda/2  sum_l sum_i sum_j (Theta(l)_ji)^2      the biases, i = 0, left out

    Examples
    --------
    >>> penalty(Network((1, 1)), np.array([5.0, 2.0]), lam=0.5)
    1.0
    >>> penalty(Network((1, 1)), np.array([5.0, -2.0]), ElasticNet(squares=0.5, absolutes=3.0))
    7.0
    """
    squares, absolutes = parts(lam)
    total = 0.0
    for lams, of_weight, factor in ((squares, np.square, 0.5), (absolutes, np.abs, 1.0)):
        by_layer = per_layer(network, lams)
        if any(by_layer):
            total += sum(
                factor * lam_l * float(np.sum(of_weight(Theta_T[1:], dtype=np.float64)))
                for lam_l, Theta_T in zip(by_layer, blocks(network, theta), strict=True)
            )
    return total


def per_layer(network: Network, lam: Squares) -> list[float]:
    """Return lambda for each of Theta(1), ..., Theta(L-1)."""
    if isinstance(lam, float | int):  # the usual case, and asked for in each evaluation
        return [float(lam)] * (network.L - 1)
    if isinstance(lam, ElasticNet):
        raise ValueError("an ElasticNet cannot stand here: give a number, lambda of the squares")
    return [float(lam_l) for lam_l in np.broadcast_to(lam, network.L - 1)]


def by_theta(network: Network, lam: Squares) -> Array:
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
    squares, absolutes = parts(lam)
    if any(per_layer(network, absolutes)):
        return np.stack([by_theta(network, squares), by_theta(network, absolutes)])
    return by_theta(network, squares) if any(per_layer(network, squares)) else None


@np.errstate(over="ignore", invalid="ignore")  # an infinite J tells of a diverged network
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

    lams of shape (2, size) add the absolute values of theta, see `ElasticNet`.

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
        squares, absolutes = (lams, None) if lams.ndim == 1 else lams
        slope = squares * wide
        cost_sum += float(dot(wide, slope)) / 2
        Delta += slope
        if absolutes is not None:
            cost_sum += float(dot(absolutes, np.abs(wide)))
            Delta += slope_of_absolutes(theta, Delta, absolutes)
    Delta /= m
    return cost_sum / m, Delta


def slope_of_absolutes(w: Array, slope: Array, lam: float | Array) -> Array:
    """Return what lam |w| adds to a slope: lam sign(w), and where w = 0 what makes it least.

    Examples
    --------
    >>> slope_of_absolutes(np.array([2.0, -2.0, 0.0, 0.0]), np.array([5.0, 5.0, 5.0, 0.5]), 1.0)
    array([ 1. , -1. , -1. , -0.5])
    """
    return np.where(w == 0, -np.clip(slope, -lam, lam), lam * np.sign(w)).astype(slope.dtype)


def check_lam(network: Network, lam: Lambda) -> None:
    """Raise ValueError unless lam is one finite number >= 0, or one for each Theta(l)."""
    if isinstance(lam, ElasticNet):
        check_lam(network, lam.squares)
        check_lam(network, lam.absolutes)
        return
    values = floats(lam, "lam (lambda)")
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ValueError(f"lam (lambda) must be a finite number >= 0, got {lam!r}")
    if values.shape not in ((), (network.L - 1,)):
        raise ValueError(
            f"lam (lambda) must be one number, or {network.L - 1}, one for each Theta(l); "
            f"got shape {values.shape}"
        )

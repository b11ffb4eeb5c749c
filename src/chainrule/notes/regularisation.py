"""Regularisation: what lambda adds to J and to its gradient (notes, *Cost Function*)."""

from __future__ import annotations

import numpy as np

from chainrule.common.checks import floats
from chainrule.common.types import Array, Lambda
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks


def penalty(network: Network, theta: Array, lam: Lambda) -> float:
    """Return lambda/2 times the sum of the squares of all weights but the biases.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    lam : float or sequence of L - 1 float

    Returns
    -------
    float
        m times the regularisation part of J; summed in float64.

    Notes
    -----
    Notes, *Cost Function*: the triple sum.

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
    if isinstance(lam, float | int):  # much the usual case, and asked for in each evaluation
        return [float(lam)] * (network.L - 1)
    return [float(lam_l) for lam_l in np.broadcast_to(lam, network.L - 1)]


def by_theta(network: Network, lam: Lambda) -> Array:
    """Return lambda for each component of theta, of shape (size,): 0 for a bias."""
    spread = np.zeros(network.size)
    lams = per_layer(network, lam)
    for lam_l, part in zip(lams, blocks(network, spread), strict=True):
        part[1:] = lam_l
    return spread


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

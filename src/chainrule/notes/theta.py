"""The flat vector theta: unrolled, reshaped, and randomly initialised.

The notes unroll with ``[Theta1(:); Theta2(:); ...]``.  Octave's ``(:)`` runs down the columns, and
the bias is the first column: so a Theta(l) of shape (s_{l+1}, s_l + 1) is, in the flat vector, the
same bytes as a C-ordered block of shape (s_l + 1, s_{l+1}): the bias row, then the weights as
(inputs, outputs).  The gradient D and the accumulator Delta have the same layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array
from chainrule.notes.network import Network


def blocks(network: Network, theta: Array) -> list[Array]:
    """Return each Theta(l)^T, (s_l + 1, s_{l+1}), bias row first, as a view of theta.

    Writing to a view writes to theta.

    Examples
    --------
    >>> for block in blocks(Network((2, 3, 1)), np.arange(13.0)):
    ...     print(block)
    [[0. 1. 2.]
     [3. 4. 5.]
     [6. 7. 8.]]
    [[ 9.]
     [10.]
     [11.]
     [12.]]
    """
    views, start = [], 0
    for rows, columns in network.shapes:
        views.append(theta[start : start + rows * columns].reshape(columns, rows))
        start += rows * columns
    return views


def reshape(network: Network, theta: npt.ArrayLike) -> list[Array]:
    """Return Theta(1), ..., Theta(L-1), the notes' matrices, as views of theta.

    Parameters
    ----------
    network : Network
    theta : array of shape (network.size,)

    Returns
    -------
    list of ndarray of shape (s_{l+1}, s_l + 1)
        Column 0 is the bias.  Views: writing to one writes to theta.

    Raises
    ------
    ValueError
        If theta has another length.

    Notes
    -----
    Notes, *Implementation Note: Unrolling Parameters*: ``reshape(thetaVector(1:110), 10, 11)``.

    Examples
    --------
    >>> Theta1, Theta2 = reshape(Network((2, 3, 1)), np.arange(13.0))
    >>> Theta1
    array([[0., 3., 6.],
           [1., 4., 7.],
           [2., 5., 8.]])
    >>> Theta2
    array([[ 9., 10., 11., 12.]])
    """
    return [block.T for block in blocks(network, network.check_theta(theta))]


def unroll(Thetas: Sequence[npt.ArrayLike]) -> Array:
    """Return ``[Theta1(:); Theta2(:); ...]``, one flat vector.

    Parameters
    ----------
    Thetas : sequence of array of shape (s_{l+1}, s_l + 1)
        The notes' matrices, bias column first.

    Returns
    -------
    ndarray of shape (size,)
        A view if the matrices lie one behind the other in one vector, as those from `reshape` do;
        else a new vector.

    Raises
    ------
    ValueError
        If there is no matrix, or one is not two-dimensional, or they do not follow each other.

    Notes
    -----
    Notes, *Implementation Note: Unrolling Parameters*.

    Examples
    --------
    >>> unroll([np.array([[0, 2], [1, 3]]), np.array([[4, 5, 6]])])
    array([0, 1, 2, 3, 4, 5, 6])
    """
    matrices = [np.asarray(Theta) for Theta in Thetas]
    if not matrices or any(Theta.ndim != 2 for Theta in matrices):
        raise ValueError(
            "unroll takes a list of matrices Theta(l) of shape (s_{l+1}, s_l + 1), got shapes "
            f"{[Theta.shape for Theta in matrices]}"
        )
    for l, (Theta, after) in enumerate(pairwise(matrices), start=1):
        if after.shape[1] != Theta.shape[0] + 1:
            raise ValueError(
                f"Theta({l + 1}) of shape {after.shape} does not follow Theta({l}) of shape "
                f"{Theta.shape}: it needs {Theta.shape[0]} + 1 columns, the bias first"
            )
    flat = [Theta.ravel(order="F") for Theta in matrices]
    whole = flat[0].base
    if isinstance(whole, np.ndarray) and whole.ndim == 1 and whole.flags.c_contiguous:
        start = _address(flat[0])
        ends = np.cumsum([0, *(part.nbytes for part in flat)])
        adjacent = all(
            part.base is whole and part.dtype == whole.dtype and _address(part) == start + end
            for part, end in zip(flat, ends, strict=False)
        )
        if adjacent:
            first = (start - _address(whole)) // whole.itemsize
            return np.asarray(whole[first : first + ends[-1] // whole.itemsize])
    return np.concatenate(flat)


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def random_theta(
    network: Network, seed: int | None = 0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """Return a random theta: each Theta(l) uniform in [-e, e], e = sqrt(6)/sqrt(L_in + L_out).

    Parameters
    ----------
    network : Network
    seed : int or None, default=0
        The same seed gives the same theta; None gives another one each time.
    dtype : dtype, default=float64
        float64 or float32 (the same numbers, rounded).

    Returns
    -------
    ndarray of shape (network.size,)

    Notes
    -----
    Notes, *Random Initialization*; L_in = s_l and L_out = s_{l+1}.

    Examples
    --------
    >>> theta = random_theta(Network((400, 25, 10)), seed=0)
    >>> theta.shape, bool(abs(theta[: 25 * 401]).max() <= np.sqrt(6 / 425))
    ((10285,), True)
    """
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [
            rng.uniform(-e, e, size=out * (inn + 1))
            for inn, out in pairwise(network.layers)
            for e in [np.sqrt(6) / np.sqrt(inn + out)]
        ]
    ).astype(dtype)


def identical_units(network: Network, theta: Array) -> tuple[int, int, int] | None:
    """Find two hidden units that no gradient step could ever tell apart; return (layer, i, j).

    Two units of a layer with the same weights in and the same weights out have the same
    activation, the same delta, and so the same update, for ever.  (Notes, *Random Initialization*:
    "all nodes will update to the same value repeatedly".)  The first hidden layer is 2, as in the
    notes; units are counted from 1.

    Examples
    --------
    >>> network = Network((2, 3, 1))
    >>> identical_units(network, np.zeros(13))
    (2, 1, 2)
    >>> identical_units(network, random_theta(network)) is None
    True
    """
    Thetas = reshape(network, theta)
    for l, (into, out) in enumerate(pairwise(Thetas), start=2):
        weights = np.hstack([into, out[:, 1:].T])  # (s_l, all its weights)
        # A unit's weights are sorted as one string of bytes; adding 0.0 turns -0 into 0
        rows = np.ascontiguousarray(weights + 0.0)
        order = np.argsort(rows.view(f"V{rows.shape[1] * rows.itemsize}").ravel(), kind="stable")
        same = (weights[order[1:]] == weights[order[:-1]]).all(axis=1)
        if same.any():
            first = int(np.flatnonzero(same)[0])
            i, j = sorted((int(order[first]) + 1, int(order[first + 1]) + 1))
            return l, i, j
    return None

"""theta as scikit-learn has it: coefs_ and intercepts_, and how they are chosen at random."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks, unroll


def views(network: Network, theta: Array) -> tuple[list[Array], list[Array]]:
    """Return coefs and intercepts as views of theta.

    Examples
    --------
    >>> views(Network((2, 1)), np.array([3.0, 1.0, 2.0]))
    ([array([[1.],
           [2.]])], [array([3.])])
    """
    both = blocks(network, theta)
    return [block[1:] for block in both], [block[0] for block in both]


def flat(network: Network, coefs: Sequence[Any], intercepts: Sequence[Any]) -> Array:
    """Return the theta that has these weights and biases, in a vector of its own.

    Parameters
    ----------
    network : Network
    coefs : sequence of array of shape (s_l, s_{l+1})
    intercepts : sequence of array of shape (s_{l+1},)

    Returns
    -------
    ndarray of shape (network.size,)
        float32 where all the weights are.

    Raises
    ------
    ValueError
        If a shape does not fit the network.

    Examples
    --------
    >>> flat(Network((2, 1)), [[[1.0], [2.0]]], [[3.0]])
    array([3., 1., 2.])
    """
    arrays = [np.asarray(values) for values in (*coefs, *intercepts)]
    small = all(array.dtype == np.float32 for array in arrays)
    theta = np.empty(network.size, np.float32 if small else np.float64)
    for l, block in enumerate(blocks(network, theta)):
        for what, part, given in (
            ("coefs", block[1:], coefs),
            ("intercepts", block[0], intercepts),
        ):
            shape = np.shape(given[l]) if l < len(given) else None
            if shape != part.shape:
                raise ValueError(f"{what}[{l}] must have shape {part.shape}, got {shape}")
            part[...] = given[l]
    return theta


def given_theta(network: Network, theta: Any) -> Array:
    """Return the user's initial weights as a flat vector.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,), list of Theta(l), or tuple (coefs, intercepts)
        Flat; the notes' matrices, bias column first; or scikit-learn's two lists.

    Returns
    -------
    ndarray of shape (size,)

    Raises
    ------
    ValueError
        If a shape does not fit the network.

    Examples
    --------
    >>> network = Network((2, 1))
    >>> given_theta(network, [np.array([[3.0, 1.0, 2.0]])])
    array([3., 1., 2.])
    >>> given_theta(network, ([[[1.0], [2.0]]], [[3.0]]))
    array([3., 1., 2.])
    """
    if isinstance(theta, tuple):
        if len(theta) != 2:
            raise ValueError(
                f"theta as a tuple is (coefs, intercepts), got {len(theta)} parts; matrices "
                "Theta(l) go into a list"
            )
        return flat(network, *theta)
    if isinstance(theta, list) and theta and np.ndim(theta[0]) == 2:
        shapes = tuple(np.shape(Theta) for Theta in theta)
        if shapes != network.shapes:
            raise ValueError(f"theta has matrices of shapes {shapes}, needed are {network.shapes}")
        return np.array(unroll(theta), dtype=np.float64)
    return np.asarray(theta)


def random_theta(network: Network, rng: np.random.RandomState, without_hidden: Any) -> Array:
    """Return scikit-learn's random weights, drawn in its order.

        W, b uniform in (-e, e),  e = sqrt(c / (inputs + outputs)),  c = 2 for sigmoid units, else 6

    The last layer takes after the one before it; where there is none, after the activation
    ``without_hidden``.

    Examples
    --------
    >>> theta = random_theta(Network((2, 1)), np.random.RandomState(0), "sigmoid")
    >>> bool((np.abs(theta) < np.sqrt(2 / 3)).all()), theta.shape
    (True, (3,))
    """
    theta = np.empty(network.size)
    names = [g.name for g in network.activations] or [without_hidden]
    for l, (block, (inn, out)) in enumerate(
        zip(blocks(network, theta), pairwise(network.layers), strict=True)
    ):
        name = names[min(l, len(names) - 1)]
        e = np.sqrt((2 if name == "sigmoid" else 6) / (inn + out))
        block[1:] = rng.uniform(-e, e, (inn, out))
        block[0] = rng.uniform(-e, e, out)
    return theta


def with_more_classes(
    network: Network, theta: Array, grown: Network, start: Array, places: Array
) -> Array:
    """Return the theta of a network that has more classes, and tells the old ones apart as before.

    Parameters
    ----------
    network : Network
        Of C classes: one logistic unit for C = 2 (and 1), else one unit for each.
    theta : ndarray of shape (network.size,)
    grown : Network
        The same with more classes.
    start : ndarray of shape (grown.size,)
        Where the units of new classes take their weights from.
    places : ndarray of shape (C,)
        Where the old classes stand among all.

    Returns
    -------
    ndarray of shape (grown.size,)

    Examples
    --------
    z of the one logistic unit says how far the second class is before the first:

    >>> two, three = Network((1, 1)), Network((1, 3), output="softmax")
    >>> with_more_classes(two, np.array([1.0, 4.0]), three, np.zeros(6), np.array([0, 2]))
    array([-0.5,  0. ,  0.5, -2. ,  0. ,  2. ])
    """
    theta_of_all = start.astype(theta.dtype)
    parts, last = blocks(network, theta), blocks(grown, theta_of_all)[-1]
    for old, new in zip(parts[:-1], blocks(grown, theta_of_all)[:-1], strict=True):
        new[...] = old
    by_class = np.array(last) if grown.K > 1 else np.zeros((len(last), len(places) + 1))
    if network.K > 1:
        shares = np.eye(network.K)
    else:  # of a softmax only differences count: half on either side
        far = 0.5 if grown.cost.targets == "distribution" and len(places) == 2 else 1.0
        shares = np.array([[-far, far]])[:, : len(places)]
    by_class[:, places] = parts[-1] @ shares
    last[...] = by_class if grown.K > 1 else by_class[:, 1:] - by_class[:, :1]
    return theta_of_all

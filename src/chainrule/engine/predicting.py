"""The hypothesis h for any number of examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import as_dtype, refuse_path
from chainrule.common.types import Array
from chainrule.engine.blocks import Source, block_rows
from chainrule.engine.choice import _chosen_kernel
from chainrule.engine.cores import _threads
from chainrule.engine.stream import ahead
from chainrule.notes import backprop
from chainrule.notes.backprop import is_sparse
from chainrule.notes.network import Network
from chainrule.optimize.vectors import blas_threads

BLOCK = 1024  # rows that predicting converts, or computes in NumPy, at a time


def forward(
    network: Network,
    theta: Array,
    X: Any,
    masks: Sequence[Array] | None = None,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> tuple[list[Array], Array]:
    """Propagate examples forward.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
        Its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1)
        Where it is sparse, only the values that are not 0 are multiplied.
    masks : sequence of array of shape (m, s_l), optional
        Dropout: what a(1), ..., a(L-1) are multiplied by on their way to the next layer.  NumPy
        computes with them.
    engine : {"kernel", "numpy"}, optional
        What computes, see `chosen`; ``"numpy"`` is `chainrule.notes.backprop`.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.

    Returns
    -------
    a : list of ndarray of shape (m, s_l)
        The activations a(1), ..., a(L), not masked; ``a[-1]`` is the hypothesis h.
    z : ndarray of shape (m, K)
        z(L), from which the cost is computed.

    Notes
    -----
    Notes, *Backpropagation Algorithm*: "Perform forward propagation to compute a(l)".

    Examples
    --------
    >>> network = Network((2, 2, 1))
    >>> a, z = forward(network, np.zeros(9), np.array([[1.0, 2.0]]))
    >>> a
    [array([[1., 2.]]), array([[0.5, 0.5]]), array([[0.5]])]
    """
    kernel = _chosen_kernel(network, engine, X) if masks is None else None
    if kernel is None:
        with blas_threads(threads):
            return backprop.forward(network, theta, X, masks)
    theta = np.ascontiguousarray(theta)
    if theta.shape != (network.size,):
        theta = network.check_theta(theta)
    a = [np.ascontiguousarray(X, theta.dtype)]  # a(1) := x
    a += [np.empty((len(a[0]), s), theta.dtype) for s in network.layers[1:]]
    z = np.empty_like(a[-1])
    kernel.activations(theta, a[0], a[1:], z, _threads(threads, network, len(z)))
    return a, z


def predict(
    network: Network,
    theta: npt.ArrayLike,
    X: npt.ArrayLike | Source,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> Array:
    """Return the hypothesis h for each example.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
        Its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1), or Source
    engine : {"kernel", "numpy"}, optional
        Default: the kernel, where it was built and knows the network's activations and cost.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.

    Returns
    -------
    ndarray of shape (m, K)
        Besides h, memory is needed for one block of rows only.

    Raises
    ------
    ValueError
        If an array has another shape, or a value that is not a finite number.

    Notes
    -----
    Notes, *Cost Function*: h_Theta(x).

    Examples
    --------
    >>> predict(Network((2, 1)), [0.0, 1.0, -1.0], [[2.0, 2.0]])
    array([[0.5]])
    """
    if isinstance(X, Source):
        h, end = np.empty((X.m, network.K), network.check_theta(theta).dtype), 0
        for part in answers(network, theta, X, engine=engine, threads=threads):
            h[end : end + len(part)] = part
            end += len(part)
        return h
    kernel = _chosen_kernel(network, engine, X)
    # Most calls have arrays that the kernel takes as they are; it looks for NaN itself
    if (
        kernel is not None
        and isinstance(theta, np.ndarray)
        and isinstance(X, np.ndarray)
        and _fit_as_they_are(network, theta, X)
    ):
        h = np.empty((len(X), network.K), theta.dtype)
        if kernel.forward(theta, X, h, _threads(threads, network, len(X))):
            return h
    refuse_path(X)
    theta = np.ascontiguousarray(network.check_theta(theta))
    examples: Any = _sparse_inputs(network, X) if is_sparse(X) else network.check_inputs(X)
    m = examples.shape[0]  # a sparse X has no length
    h = np.empty((m, network.K), theta.dtype)
    with blas_threads(threads if kernel is None else None):
        for first in range(0, m, BLOCK):
            rows = slice(first, first + BLOCK)
            x = as_dtype(examples[rows], theta.dtype, "X")
            if kernel is None:
                h[rows] = backprop.forward(network, theta, x)[0][-1]
            else:
                x = np.ascontiguousarray(x)
                kernel.forward(theta, x, h[rows], _threads(threads, network, len(x)))
    return h


def answers(
    network: Network,
    theta: npt.ArrayLike,
    source: Source,
    *,
    engine: str | None = None,
    threads: int | None = None,
) -> Iterator[Array]:
    """Yield the hypothesis h of one block of rows after the other; the next one is read meanwhile.

    Parameters
    ----------
    network, theta, engine, threads
        As for `predict`.
    source : Source
        Its targets, if it has any, are not looked at.

    Yields
    ------
    ndarray of shape (rows of the block, K)

    Raises
    ------
    DataError, ValueError
        If rows cannot be read, or do not fit the network.

    Examples
    --------
    >>> from chainrule.engine.blocks import Arrays
    >>> network, X = Network((3000, 1)), np.zeros((1500, 3000), np.uint8)
    >>> [h.shape for h in answers(network, np.zeros(3001), Arrays(X))]
    [(1024, 1), (476, 1)]
    """
    rows = block_rows(source.n, source.K, np.float64)
    stored = (
        source.read(first, min(first + rows, source.m))[0] for first in range(0, source.m, rows)
    )
    for X in ahead(stored):
        yield predict(network, theta, X, engine=engine, threads=threads)


def _fit_as_they_are(network: Network, theta: Array, X: Array) -> bool:
    """Whether the kernel takes two arrays without a conversion."""
    return (
        theta.dtype == X.dtype
        and theta.dtype in (np.float32, np.float64)
        and theta.shape == (network.size,)
        and X.ndim == 2
        and X.shape[1] == network.layers[0]
        and len(X) > 0
        and theta.flags.c_contiguous
        and X.flags.c_contiguous
    )


def _sparse_inputs(network: Network, X: Any) -> Any:
    """Return a sparse X by rows, checked as `Network.check_inputs` checks an array."""
    X = X.tocsr()
    if X.ndim != 2 or X.shape[1] != network.layers[0] or not X.shape[0]:
        raise ValueError(
            f"X must have shape (m, {network.layers[0]}) with m >= 1, one example a row; "
            f"got {X.shape}"
        )
    if not np.isfinite(X.data).all():
        raise ValueError("X has values that are not finite numbers: fill or drop them first")
    return X

"""Which engine computes a network: the kernel or NumPy."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from chainrule.common.checks import warn_user
from chainrule.common.types import Array
from chainrule.kernel import BUILT
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.backprop import is_sparse
from chainrule.notes.costs import COSTS
from chainrule.notes.network import Network

if BUILT:
    import chainrule.kernel._kernel as built
    from chainrule.kernel._kernel import Kernel

ENGINES = ("kernel", "numpy")
NOT_BUILT = (
    "chainrule's C++ kernel is not built (no C++20 compiler when it was installed): NumPy computes "
    "instead, more slowly; install a compiler, then chainrule again"
)


def chosen(
    network: Network, engine: str | None = None, X: Any = None, weights: Array | None = None
) -> str:
    """Return which engine computes a network: ``"kernel"`` or ``"numpy"``.

    Parameters
    ----------
    network : Network
    engine : {"kernel", "numpy"}, optional
        What the user asks for.  Default: the kernel, where it was built and knows the network's
        activations and cost, X is not sparse, and no output has weights of its own.
    X : array or scipy.sparse.csr_array, optional
        The examples.
    weights : array of shape (m,) or (m, K), optional

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such engine, or the kernel is asked for and cannot compute this.

    Examples
    --------
    >>> chosen(Network((2, 1)), "numpy")
    'numpy'
    """
    if engine not in (None, *ENGINES):
        raise ValueError(f"unknown engine {engine!r} (one of {', '.join(ENGINES)})")
    if engine == "numpy":
        return engine
    if is_sparse(X):
        if engine == "kernel":
            raise ValueError("the kernel knows no sparse X: for one, use engine='numpy'")
        return "numpy"
    if _by_output(weights):
        if engine == "kernel":
            raise ValueError(
                "the kernel knows no weights of single outputs, nor unknown targets: for them, use "
                "engine='numpy'"
            )
        return "numpy"
    if not BUILT:
        if engine == "kernel":
            raise ValueError(NOT_BUILT)
        _say_not_built()
        return "numpy"
    if _kernel(network) is None:
        if engine == "kernel":
            raise ValueError(
                f"the kernel knows the activations {', '.join(built.ACTIVATIONS)} and the costs of "
                f"the outputs {', '.join(built.OUTPUTS)}: for any other, use engine='numpy'"
            )
        return "numpy"
    return "kernel"


@cache
def _say_not_built() -> None:
    warn_user(NOT_BUILT)


def _chosen_kernel(
    network: Network, engine: str | None, X: Any = None, weights: Array | None = None
) -> Kernel | None:
    """Return the kernel that computes a network, or None where NumPy does."""
    if engine is None and BUILT:
        return None if is_sparse(X) or _by_output(weights) else _kernel(network)
    return _kernel(network) if chosen(network, engine, X, weights) == "kernel" else None


def _by_output(weights: Array | None) -> bool:
    return weights is not None and weights.ndim == 2


@lru_cache(maxsize=64)
def _kernel(network: Network) -> Kernel | None:
    """Return the kernel of a network, or None where it has functions that the kernel lacks."""
    hidden, output = [g.name for g in network.activations], network.cost.name
    if any(g is not ACTIVATIONS.get(g.name) for g in network.activations):
        return None
    if network.cost is not COSTS.get(output):
        return None
    if output not in built.OUTPUTS or not set(hidden) <= set(built.ACTIVATIONS):
        return None
    codes = [built.ACTIVATIONS.index(name) for name in hidden]
    return Kernel(network.layers, codes, built.OUTPUTS.index(output))

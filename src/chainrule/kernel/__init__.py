"""The fused C++ twin of `accumulate`, `forward` and the minibatch epoch, where it could be built.

No policy lives here: `chainrule.engine` decides what runs.  How it works, and why so:
docs/kernel.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from chainrule.common.types import Array

try:
    import chainrule.kernel._kernel as _kernel
except ModuleNotFoundError:  # not built; any other error is one of the kernel that was
    BUILT, ISA = False, ""
    BUILDS: tuple[str, ...] = ()
else:
    BUILT, ISA = True, _kernel.isa
    BUILDS = _kernel.BUILDS


@contextmanager
def asking(ask: Callable[[], object]) -> Iterator[None]:
    """Let this thread's long kernel calls ask; an exception that ``ask`` raises ends them."""
    if not BUILT:
        yield
        return
    before = _kernel.ask(ask)
    try:
        yield
    finally:
        _kernel.ask(before)


def heed() -> None:
    """Ask what this thread's long calls ask, see `asking`: for whoever waits for others."""
    if BUILT:
        ask = _kernel.ask(None)
        _kernel.ask(ask)
        if ask is not None:
            ask()


@contextmanager
def computed_by(build: str | None) -> Iterator[None]:
    """Let this thread's kernel calls be computed by one of `BUILDS`; None is the best one.

    Each build has bits of its own: machines that share a sum take one that all of them can run.

    Examples
    --------
    >>> with computed_by(BUILDS[-1] if BUILT else None):
    ...     dot(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    11.0
    """
    if not BUILT:
        yield
        return
    before = _kernel.use(build)
    try:
        yield
    finally:
        _kernel.use(before)


def agreed() -> str | None:
    """Return which of `BUILDS` computes this thread's calls, or None for the best one."""
    if not BUILT:
        return None
    name = _kernel.use(None)
    _kernel.use(name)
    return name


def dot(u: Array, v: Array) -> float:
    """Return u . v, accumulated in float64, with the same bits for any number of threads.

    Parameters
    ----------
    u, v : ndarray of shape (n,)
        Both float64 or both float32.

    Returns
    -------
    float

    Examples
    --------
    >>> dot(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    11.0
    """
    if BUILT and u.dtype == v.dtype:
        return _kernel.dot(u, v)
    return float(np.dot(u.astype(np.float64, copy=False), v.astype(np.float64, copy=False)))

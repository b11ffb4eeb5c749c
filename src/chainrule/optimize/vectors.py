"""The optimizers' arithmetic on vectors: by the kernel where it was built, the same bits each time.

BLAS adds up in an order that depends on its threads.  So products are the kernel's, and LAPACK
runs at one thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from threading import Lock
from typing import Any, ClassVar, TypeVar

import numpy as np

from chainrule.common.checks import check_count
from chainrule.common.threads import OFTEN, aside
from chainrule.common.types import Array
from chainrule.kernel import BUILT, dot

if BUILT:
    import chainrule.kernel._kernel as _kernel

T = TypeVar("T")
Pair = tuple[Array, Array, float]
"""A step s, the change y of D along it, and s . y."""

__all__ = [
    "Pair",
    "blas_threads",
    "check_pairs",
    "dot",
    "heard",
    "norm",
    "one_blas_thread",
    "solve_damped",
    "two_loop",
]


def norm(v: Array) -> float:
    """Return the Euclidean norm, accumulated in float64."""
    return math.sqrt(dot(v, v))


def check_pairs(pairs: tuple[Pair, ...]) -> None:
    """Refuse pairs of a state that describe no inverse Hessian."""
    if not all(sy > 0 and y.any() for _, y, sy in pairs):
        raise ValueError("state has steps along which D does not rise: start anew from its theta")


def two_loop(D: Array, pairs: tuple[Pair, ...], scale: float) -> Array:
    """Return -H D; the pairs describe H, the inverse Hessian, which elsewhere is scale.

    Nocedal and Wright, *Numerical Optimization* (2006), algorithm 7.4.
    """
    if BUILT:
        p = np.empty_like(D)
        steps, changes, products = zip(*pairs, strict=True)
        _kernel.two_loop(D, steps, changes, products, scale, p)
        return p
    q = D.copy()
    alphas = []
    for s, y, sy in reversed(pairs):
        alpha = dot(s, q) / sy
        alphas.append(alpha)
        q -= alpha * y
    q *= scale
    for (s, y, sy), alpha in zip(pairs, reversed(alphas), strict=True):
        q += (alpha - dot(y, q) / sy) * s
    return -q


def solve_damped(H: Array, D: Array, scale: Array, damping: float) -> tuple[Array, float, float]:
    """Solve (H + damping diag(scale)) p = -D by Cholesky.

    Returns
    -------
    p : ndarray of shape (n,)
    share : float
        The least squared pivot relative to its diagonal: at most 0 or nan where p is not set.
    gain : float
        By how much J falls as the model predicts.
    """
    if BUILT:
        D = np.ascontiguousarray(D)
        H, scale = np.ascontiguousarray(H, D.dtype), np.ascontiguousarray(scale, D.dtype)
        p = np.empty_like(D)
        return p, *_kernel.solve_damped(H, scale, damping, D, p)
    from scipy.linalg.lapack import dposv  # cho_factor and cho_solve, at a fraction of the time

    damped = damping * scale
    A = H + np.diag(damped)
    diagonal = A.diagonal().copy()
    factor, p, failed = dposv(A.T, -D, overwrite_a=True)  # A.T: in LAPACK's order
    share = 0.0 if failed else (np.square(factor.diagonal()) / diagonal).min()
    return p, share, foretold(p, D, damped)


def foretold(p: Array, D: Array, damped: Array) -> float:
    """Return by how much the model says J falls: -D.p - p.Hp/2, where (H + damped) p = -D."""
    return (dot(p, damped * p) - dot(D, p)) / 2


class _Held:
    """At how many threads BLAS is held, by whom there is: the last to let go gives it back."""

    lock = Lock()
    holders: ClassVar[list[int]] = []
    before: ClassVar[list[tuple[Any, int]]] = []  # each BLAS, and how many threads it had


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS and LAPACK at one thread, so that their sums have the same bits each time."""
    with blas_threads(1):
        yield


@contextmanager
def blas_threads(most: int | None) -> Iterator[None]:
    """Hold BLAS and LAPACK at no more threads than the user asked for, if they asked.

    BLAS knows one number for the whole process: where several hold it, the lowest counts.
    """
    if most is None:
        yield
        return
    check_count(most, "threads")
    with _Held.lock:
        if not _Held.holders:
            _Held.before = [(library, library.num_threads) for library in _blas()]
        if most < min(_Held.holders, default=math.inf):
            _hold(most)
        _Held.holders.append(most)
    try:
        yield
    finally:
        with _Held.lock:
            _Held.holders.remove(most)
            if not _Held.holders:
                for library, threads in _Held.before:
                    _set(library, threads)
            elif most < min(_Held.holders):
                _hold(min(_Held.holders))


def _hold(most: int) -> None:
    """Let each BLAS have this many threads, but no more than before anybody held it."""
    for library, threads in _Held.before:
        if library.num_threads != min(most, threads):  # at no moment more, for others compute
            _set(library, min(most, threads))


def _set(library: Any, threads: int) -> None:
    """Let a BLAS have this many threads, whichever thread asks: `_Held.lock` keeps the order.

    From its version 3.8 threadpoolctl hears only the thread that set a number first.
    """
    anyone_may = getattr(library, "clear_controlling_thread", lambda force: None)
    anyone_may(force=True)
    library.set_num_threads(threads)
    anyone_may(force=True)


@cache
def _blas() -> list[Any]:
    """Return what controls each BLAS; finding out what is loaded takes as long as a small fit."""
    import scipy.linalg  # noqa: F401  (it brings a BLAS of its own, which has to be held as well)
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().lib_controllers
    return [library for library in found if library.user_api == "blas"]


LONG = 250  # rows of a matrix for which LAPACK takes longer than a thread takes to start


def heard(ask: Callable[[], object], compute: Callable[..., T], matrix: Array, *more: Any) -> T:
    """Return compute(matrix, *more); Ctrl-C, and what ask raises, ends the wait for it.

    LAPACK cannot be stopped: a thread that nobody waits for any longer brings it to its end, with
    one thread of BLAS until then.  A process that ends waits for it, because BLAS takes its memory
    away from under it.

    Examples
    --------
    >>> heard(lambda: None, np.trace, np.eye(300))
    np.float64(300.0)
    """
    if len(matrix) < LONG:
        return compute(matrix, *more)
    hold = ExitStack()
    hold.enter_context(one_blas_thread())
    found = aside(compute, matrix, *more, daemon=False)
    found.add_done_callback(lambda _: hold.close())
    while not found.done():
        ask()
        with suppress(TimeoutError):
            found.exception(timeout=OFTEN)
    return found.result()

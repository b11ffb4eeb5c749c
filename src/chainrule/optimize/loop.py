"""The loop that all optimizers over the whole training set share: one iteration after another.

An algorithm is an `Iterate`, what it carries from one iteration to the next, and a function
``advance(objective, now) -> Iterate`` that makes the next one.  Everything else (history,
callbacks, the rules that end it, going on after a stop) is here, once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, TypeVar

import numpy as np

from chainrule.common.types import Array
from chainrule.kernel import dot
from chainrule.optimize.result import (
    AT_MAX_ITER,
    BY_CALLBACK,
    COST_TOLERANCE,
    FLAT,
    GRADIENT_TOLERANCE,
    NO_DESCENT,
    NO_GAIN,
    NOT_FINITE,
    Callback,
    History,
    Objective,
    Result,
    Step,
)


@dataclass(frozen=True)
class Iterate:
    """Where an algorithm stands between two iterations: all that it needs to go on.

    Each algorithm adds what it remembers.  Nothing in it is ever changed in place.

    Attributes
    ----------
    theta : ndarray of shape (n,)
    J : float
    D : ndarray of shape (n,)
        The gradient at theta.
    n_eval : int
        Evaluations so far: of the objective, of a Hessian-vector product, of a Jacobian.

    Examples
    --------
    >>> Iterate.at(lambda theta: (float(theta @ theta), 2 * theta), np.array([3.0, 4.0]))
    Iterate(theta=array([3., 4.]), J=25.0, D=array([6., 8.]), n_eval=1)
    """

    theta: Array
    J: float
    D: Array
    n_eval: int

    @classmethod
    def at(cls, objective: Objective, theta: Array) -> Self:
        """Return the iterate that an algorithm starts with."""
        J, D = objective(theta)
        return cls(theta, J, D, 1)

    @property
    def extra(self) -> dict[str, float]:
        """What the history keeps of each iteration besides J and the gradient's norm."""
        return {}


I = TypeVar("I", bound=Iterate)


def run(
    advance: Callable[[Any, I], I],
    objective: Objective,
    kind: type[I],
    theta: Array,
    *,
    max_iter: int,
    callback: Callback | None,
    state: I | None,
) -> Result:
    """Advance until a rule ends it.

    Parameters
    ----------
    advance : callable
        ``advance(objective, now) -> Iterate``, one iteration.  It returns ``now`` with the same
        theta where no step lowers J.
    objective : callable
        ``objective(theta) -> (J, D)``.
    kind : subclass of Iterate
        What advance advances.
    theta : ndarray of shape (n,)
        The start; not changed.
    max_iter : int
        Iterations at most, those before ``state`` not counted.
    callback : callable or None
        Called with a `Step` after each iteration; true ends it.
    state : Iterate or None
        The ``state`` of an earlier `Result`, to start from instead of theta.

    Returns
    -------
    Result
        Its ``state`` is the last iterate: started from it, the run goes on with the same bits as
        if it had never stopped.

    Raises
    ------
    ValueError
        If state is another optimizer's.

    Examples
    --------
    >>> def bowl(theta):
    ...     return float(theta @ theta), 2 * theta
    >>> def halve(objective, now):
    ...     return Iterate.at(objective, now.theta / 2)
    >>> options = dict(max_iter=2, callback=None, state=None)
    >>> run(halve, bowl, Iterate, np.array([3.0, 4.0]), **options).history.J
    [25.0, 6.25, 1.5625]
    """
    if not isinstance(state, kind | None):
        raise ValueError(
            f"state is a {type(state).__name__}, of another optimizer: this one goes on from a "
            f"{kind.__name__}"
        )
    now = kind.at(objective, theta) if state is None else state
    evaluated_before = 0 if state is None else state.n_eval
    history, iteration = History(), 0
    gradient_norm = norm(now.D)
    history.append(now.J, gradient_norm, extra=now.extra)

    def result(stopped: str, converged: bool = False) -> Result:
        n_eval = now.n_eval - evaluated_before
        return Result(now.theta, now.J, history, iteration, n_eval, stopped, converged, now)

    if not np.isfinite(now.J + gradient_norm):
        return result(NOT_FINITE)
    flat = GRADIENT_TOLERANCE * math.sqrt(theta.size)  # no norm is larger where no D_i is
    while iteration < max_iter:
        if gradient_norm <= flat and (slope := float(np.abs(now.D).max())) <= GRADIENT_TOLERANCE:
            return result(FLAT.format(slope), converged=True)
        before, now = now, advance(objective, now)
        if now.theta is before.theta:
            return result(NO_DESCENT)
        iteration += 1
        gradient_norm = norm(now.D)
        history.append(now.J, gradient_norm, extra=now.extra)
        if callback is not None:
            n_eval = now.n_eval - evaluated_before
            step = Step(
                iteration, now.J, gradient_norm, now.theta, n_eval, extra=now.extra, state=now
            )
            if callback(step):
                return result(BY_CALLBACK)
        if abs(before.J - now.J) <= COST_TOLERANCE * max(abs(now.J), abs(before.J)):
            return result(NO_GAIN.format(COST_TOLERANCE), converged=True)
    return result(AT_MAX_ITER.format(max_iter))


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS and LAPACK at one thread, so that their sums have the same bits each time."""
    with _blas().limit(limits=1, user_api="blas"):
        yield


@cache
def _blas() -> Any:
    """Return who controls BLAS: finding out what is loaded takes as long as a small fit."""
    import scipy.linalg  # noqa: F401  (it brings a BLAS of its own, which has to be held as well)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def hessian_vector(objective: Any, now: Iterate, v: Array) -> Array:
    """Return H v, the Hessian at now.theta times v.

    Exact where the objective has a method ``hvp(theta, v)``; otherwise the difference of two
    gradients along v, one evaluation.
    """
    if hasattr(objective, "hvp"):
        return np.asarray(objective.hvp(now.theta, v))
    t = np.sqrt(np.finfo(now.theta.dtype).eps) * (1 + norm(now.theta)) / norm(v)
    return np.asarray((objective(now.theta + t * v)[1] - now.D) / t)


def norm(v: Array) -> float:
    """Return the Euclidean norm, accumulated in float64."""
    return math.sqrt(dot(v, v))

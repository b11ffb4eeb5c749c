"""Levenberg-Marquardt: Gauss-Newton steps, damped more where the last ones failed.

Levenberg (1944) and Marquardt (1963), for neural networks Hagan and Menhaj (1994).  The damping
follows Nielsen (*Damping parameter in Marquardt's method*, 1999): it falls the more, the better the
model predicted the gain, and each failure in a row raises it by twice the factor of the one before.
As in MINPACK (More 1978), each component is damped by the largest diagonal element of Jac^T Jac
that it has had: a unit that saturates, and no longer changes J, is then not moved far.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, Objective
from chainrule.optimize.iterate import Iterate, Steps, iterate
from chainrule.optimize.vectors import foretold, heard, one_blas_thread, solve_damped

START = 30.0  # the first damping: short steps from a random theta, where the model is a bad guide
SMALLEST, LARGEST = 1e-15, 1e15
ENOUGH = 1e-4  # share of the predicted gain: less is a failure
MATRICES = 4  # of size n x n that are held at a time: H before and after a step, and what solves it
ILL_CONDITIONED = 1e10  # the normal equations lose half of the digits: from here on QR


class LeastSquares(Protocol):
    """What Levenberg-Marquardt asks of an objective besides J and D."""

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return J and D."""

    def normal_equations(self, theta: Array) -> tuple[float, Array, Array]:
        """Return J, D and H = Jac^T Jac, of shape (n, n)."""

    def residuals(self, theta: Array) -> Iterator[tuple[Array, Array]]:
        """Yield blocks of residuals r and of their Jacobian, so that J is the sum of r^2 / 2."""


@dataclass(frozen=True)
class Damped(Iterate):
    """An iterate of Levenberg-Marquardt: H at theta, the scale of each component, the damping."""

    H: Array
    scale: Array
    damping: float = START

    __repr__ = summary

    @classmethod
    def at(cls, objective: Any, theta: Array) -> Self:
        """Return the iterate that the algorithm starts with."""
        check_room(len(theta))
        if not hasattr(objective, "normal_equations"):
            raise ValueError(
                "Levenberg-Marquardt needs an objective with normal_equations(theta) and "
                "residuals(theta): use train, or another optimizer"
            )
        J, D, H = objective.normal_equations(theta)
        diagonal = H.diagonal()
        # A component that changes no residual yet may do so after a step: it is damped as well
        return cls(theta, J, D, 1, 0, H, np.maximum(diagonal, 1e-12 * diagonal.max()))

    @property
    def extra(self) -> dict[str, float]:
        """The damping."""
        return {"damping": self.damping}


def check_room(n: int) -> None:
    """Raise ValueError where the matrices of n parameters would not fit into memory."""
    needed, room = MATRICES * 8 * n**2, memory()
    if needed > room:
        raise ValueError(
            f"{n:,} parameters are too many for 'lm' and 'br': {MATRICES} matrices of {n:,} x "
            f"{n:,} numbers need {needed / 1e9:,.3g} GB of memory, and there are "
            f"{room / 1e9:,.3g} GB; choose 'lbfgs' or 'scg', which keep a few vectors, or a "
            "smaller network"
        )


def memory() -> float:
    """Return how many bytes of memory this process may use: the machine's, or its container's."""
    found = [math.inf]
    with suppress(AttributeError, ValueError, OSError):  # Windows does not tell
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # of Linux' cgroups 2 and 1
        with suppress(ValueError, OSError):  # "max" where there is no limit
            found.append(int((Path("/sys/fs/cgroup") / name).read_text()))
    return min(found)


def steps(objective: Objective, start: Array | Damped) -> Steps:
    """Go down by Levenberg-Marquardt; J must be a sum of squares.

    The history tells the damping, relative to the diagonal of Jac^T Jac.

    Examples
    --------
    >>> from chainrule import Network, train
    >>> network, X = Network((1, 5, 1), hidden="tanh", output="identity"), np.c_[0:1:20j]
    >>> train(network, X, np.sin(6 * X), optimizer="lm").J < 1e-6
    True
    """
    with one_blas_thread():
        return (yield from iterate(advance, objective, Damped, start))


def advance(objective: LeastSquares, now: Damped) -> Damped:
    """Take one step; a trial that does not lower J raises the damping, and is made again.

    A trial asks for J, D and H at once, because most trials are accepted and then need D and H.
    What it returns is a plain `Damped`, whatever now is.
    """
    damping, growth, n_eval = now.damping, 2.0, now.n_eval
    triangle = None
    while damping <= LARGEST:
        step = cholesky_step(now.H, now.D, now.scale, damping)
        if step is None:
            if triangle is None:
                triangle, n_eval = triangular(objective, now.theta), n_eval + 1
            step = qr_step(triangle, now.D, damping * now.scale, asked_by(objective))
        if step is None:
            damping, growth = damping * growth, 2 * growth
            continue
        p, gain = step
        theta = (now.theta + p).astype(now.theta.dtype, copy=False)
        J, D, H = objective.normal_equations(theta)
        n_eval += 1
        share = (now.J - J) / gain if gain > 0 else -np.inf
        if share >= ENOUGH and now.J > J:
            damping = max(SMALLEST, damping * max(1 / 3, 1 - (2 * min(share, 2.0) - 1) ** 3))
            scale = np.maximum(now.scale, H.diagonal())
            return Damped(theta, J, D, n_eval, now.iteration + 1, H, scale, damping)
        damping, growth = damping * growth, 2 * growth
    return Damped(now.theta, now.J, now.D, n_eval, now.iteration, now.H, now.scale, now.damping)


def cholesky_step(H: Array, D: Array, scale: Array, damping: float) -> tuple[Array, float] | None:
    """Solve (H + damping diag(scale)) p = -D; return p and the predicted gain.

    Return None where that is too ill-conditioned.
    """
    p, share, gain = solve_damped(H, D, scale, damping)
    return (p, gain) if share >= 1 / ILL_CONDITIONED else None


def triangular(objective: LeastSquares, theta: Array) -> Array:
    """Return R of the QR decomposition of (Jac | r), a block of rows at a time."""
    n = len(theta) + 1
    R = np.zeros((0, n))
    for r, rows in objective.residuals(theta):
        block = np.vstack([R, np.column_stack([rows, r])])
        R = heard(asked_by(objective), triangle_of, block)
    return R


def triangle_of(rows: Array) -> Array:
    """Return R of the QR decomposition."""
    return np.asarray(np.linalg.qr(rows, mode="r"))


def asked_by(objective: Any) -> Callable[[], object]:
    """Return what an objective asks before each evaluation, which may end the training."""
    ask: Callable[[], object] = getattr(objective, "ask", lambda: None)
    return ask


def qr_step(
    R: Array, D: Array, damped: Array, ask: Callable[[], object] = lambda: None
) -> tuple[Array, float] | None:
    """Do as `cholesky_step`, from R: the condition number is that of Jac, not its square.

    Return None where the network is so flat that nothing can be solved.
    """
    n = len(damped)
    below = np.column_stack([np.diag(np.sqrt(damped)), np.zeros(n)])
    R = heard(ask, triangle_of, np.vstack([R, below]))
    try:
        p = np.asarray(heard(ask, np.linalg.solve, R[:n, :n], -R[:n, n]))
    except np.linalg.LinAlgError:
        return None
    return p, foretold(p, D, damped)

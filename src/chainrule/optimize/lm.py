"""Levenberg-Marquardt: Gauss-Newton steps, damped as far as the last ones failed.

Levenberg (1944) and Marquardt (1963), for neural networks Hagan and Menhaj (1994).  The damping
follows Nielsen (*Damping parameter in Marquardt's method*, 1999): how well the model foretold the
gain decides by how much it falls, and each failure in a row raises it by twice the factor.  As in
MINPACK (More 1978), each component is damped by the largest diagonal of Jac^T Jac it has had: a
unit that saturates, and is felt no more, stays within reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from chainrule.common.types import Array
from chainrule.kernel import BUILT, dot
from chainrule.optimize.loop import Iterate, one_blas_thread, run
from chainrule.optimize.result import Callback, Objective, Result

if BUILT:
    import chainrule.kernel._kernel as _kernel

START = 30.0  # the first damping: short steps from a random theta, where the model is a bad guide
SMALLEST, LARGEST = 1e-15, 1e15
ENOUGH = 1e-4  # of the gain that was foretold: less is a failure
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

    @classmethod
    def at(cls, objective: Any, theta: Array) -> Self:
        """Return the iterate that the algorithm starts with."""
        if not hasattr(objective, "normal_equations"):
            raise ValueError(
                "Levenberg-Marquardt needs an objective with normal_equations(theta) and "
                "residuals(theta): use train, or another optimizer"
            )
        J, D, H = objective.normal_equations(theta)
        diagonal = H.diagonal()
        # A component that no residual feels yet may be felt after a step: it is damped as well
        return cls(theta, J, D, 1, H, np.maximum(diagonal, 1e-12 * diagonal.max()))

    @property
    def extra(self) -> dict[str, float]:
        """The damping."""
        return {"damping": self.damping}


def minimize(
    objective: Objective,
    theta: Array,
    *,
    max_iter: int = 100,
    callback: Callback | None = None,
    state: Damped | None = None,
) -> Result:
    """Minimise a J that is a sum of squares by Levenberg-Marquardt.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)`` that offers `LeastSquares`' methods.
    theta : ndarray of shape (n,)
        The start; not changed.
    max_iter : int, default=100
    callback : callable, optional
        Called with a `Step` after each iteration; true ends it.
    state : Damped, optional
        ``result.state`` of an earlier run, to go on from instead of theta.

    Returns
    -------
    Result
        ``history.extra["damping"]`` is the damping, relative to the diagonal of Jac^T Jac.

    Raises
    ------
    ValueError
        If the objective has no residuals.

    Examples
    --------
    >>> from chainrule import Network, random_theta
    >>> from chainrule.training.objective import TrainingObjective
    >>> network, X = Network((1, 5, 1), hidden="tanh", output="identity"), np.c_[0:1:20j]
    >>> result = minimize(TrainingObjective(network, X, np.sin(6 * X)), random_theta(network))
    >>> result.J < 1e-6
    True
    """
    with one_blas_thread():
        return run(
            advance, objective, Damped, theta, max_iter=max_iter, callback=callback, state=state
        )


def advance(objective: LeastSquares, now: Damped) -> Damped:
    """Take one step; a trial that does not lower J raises the damping, and is made again.

    A trial asks for J with D and H at once: most trials are taken, and need them next.  What comes
    back is a plain `Damped`, whatever now is.
    """
    damping, growth, n_eval = now.damping, 2.0, now.n_eval
    triangle = None
    while damping <= LARGEST:
        step = cholesky_step(now.H, now.D, now.scale, damping)
        if step is None:
            if triangle is None:
                triangle, n_eval = triangular(objective, now.theta), n_eval + 1
            step = qr_step(triangle, now.D, damping * now.scale)
        p, gain = step
        theta = (now.theta + p).astype(now.theta.dtype, copy=False)
        J, D, H = objective.normal_equations(theta)
        n_eval += 1
        share = (now.J - J) / gain if gain > 0 else -np.inf
        if share >= ENOUGH and now.J > J:
            damping = max(SMALLEST, damping * max(1 / 3, 1 - (2 * min(share, 2.0) - 1) ** 3))
            scale = np.maximum(now.scale, H.diagonal())
            return Damped(theta, J, D, n_eval, H, scale, damping)
        damping, growth = damping * growth, 2 * growth
    return Damped(now.theta, now.J, now.D, n_eval, now.H, now.scale, now.damping)


def cholesky_step(H: Array, D: Array, scale: Array, damping: float) -> tuple[Array, float] | None:
    """Solve (H + damping diag(scale)) p = -D; return p and the gain that is foretold.

    Return None where that is too ill-conditioned.
    """
    if BUILT:
        D = np.ascontiguousarray(D)
        H, scale = np.ascontiguousarray(H, D.dtype), np.ascontiguousarray(scale, D.dtype)
        p = np.empty_like(D)
        share, gain = _kernel.solve_damped(H, scale, damping, D, p)
    else:
        from scipy.linalg.lapack import dposv  # cho_factor and cho_solve, at a fraction of the time

        damped = damping * scale
        A = H + np.diag(damped)
        diagonal = A.diagonal().copy()
        factor, p, failed = dposv(A.T, -D, overwrite_a=True)  # A.T: in LAPACK's order
        share = 0.0 if failed else (np.square(factor.diagonal()) / diagonal).min()
        gain = foretold(p, D, damped)
    return (p, gain) if share >= 1 / ILL_CONDITIONED else None


def foretold(p: Array, D: Array, damped: Array) -> float:
    """Return by how much the model says J falls: -D.p - p.Hp/2, where (H + damped) p = -D."""
    return (dot(p, damped * p) - dot(D, p)) / 2


def triangular(objective: LeastSquares, theta: Array) -> Array:
    """Return R of the QR decomposition of (Jac | r), a block of rows at a time."""
    n = len(theta) + 1
    R = np.zeros((0, n))
    for r, rows in objective.residuals(theta):
        R = np.asarray(np.linalg.qr(np.vstack([R, np.column_stack([rows, r])]), mode="r"))
    return R


def qr_step(R: Array, D: Array, damped: Array) -> tuple[Array, float]:
    """Do as `cholesky_step`, from the least squares problem's R: no square of its condition."""
    n = len(damped)
    below = np.column_stack([np.diag(np.sqrt(damped)), np.zeros(n)])
    R = np.asarray(np.linalg.qr(np.vstack([R, below]), mode="r"))
    p = np.asarray(np.linalg.solve(R[:n, :n], -R[:n, n]))
    return p, foretold(p, D, damped)

"""Bayesian regularisation: Levenberg-Marquardt that finds lambda from the training set itself.

MacKay, *Bayesian interpolation* (Neural Computation 4, 1992), in the Gauss-Newton form of Foresee
and Hagan (1997).  With noise of variance s^2 on every y, and weights that are normal around 0 with
variance s^2 / lambda, the lambda that the data make most probable satisfies

    lambda = (gamma_w / sum of w^2) s^2,      s^2 = SSE / (N - gamma)

gamma = n - lambda tr((Jac^T Jac + lambda R)^-1 R) is the number of parameters that the data, not
the penalty, determine; R is 1 for a weight and 0 for a bias, gamma_w counts the weights alone.
After each step lambda is estimated anew, and J changes with it.  For a cross-entropy s^2 is 1,
because it is -log of a probability (MacKay, *The evidence framework applied to classification
networks*, 1992).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, ElasticNet
from chainrule.optimize import lm
from chainrule.optimize.iterate import Steps, iterate
from chainrule.optimize.vectors import heard, one_blas_thread

FIRST_LAM = 1.0  # where the user gives none; the first steps replace it


class Regularised(lm.LeastSquares, Protocol):
    """What Bayesian regularisation asks of an objective besides its residuals."""

    lam: Any  # is set before each step
    m: float
    N: float
    has_noise: bool
    regularised: Array


@dataclass(frozen=True)
class Evidence(lm.Damped):
    """An iterate of Bayesian regularisation: lambda, gamma, and the variance s^2 of the noise."""

    lam: float = FIRST_LAM
    gamma: float = 0.0
    variance: float = 0.0

    __repr__ = summary

    @classmethod
    def at(cls, objective: Any, theta: Array) -> Self:
        """Return the iterate that the algorithm starts with."""
        lam = np.unique(objective.lam)
        if len(lam) > 1 or isinstance(objective.lam, ElasticNet):
            raise ValueError("Bayesian regularisation finds one lambda: give one number, or none")
        first = float(lam[0]) or FIRST_LAM
        objective.lam = first
        return replace(super().at(objective, theta), lam=first, gamma=float(len(theta)))

    def resumed(self, objective: Any) -> Self:
        """Return this iterate, to go on from with the lambda that it has found."""
        objective.lam = self.lam
        return super().resumed(objective)

    @property
    def extra(self) -> dict[str, float]:
        """The damping, lambda, and the effective number of parameters."""
        return super().extra | {"lam": self.lam, "effective parameters": self.gamma}


def steps(objective: Regularised, start: Array | Evidence) -> Steps:
    """Go down by Levenberg-Marquardt, and find lambda on the way.

    One lambda for the weights of all layers is fair where y is of order 1: scale it before, as
    `chainrule.MLPRegressor` does.  J has the lambda found so far, ``result.state.lam``.  It may
    rise from one iteration to the next, because lambda changes.  ``result.state.gamma`` is the
    effective number of parameters.  The history tells both for each iteration.

    Examples
    --------
    A sine that noise was added to, and a network with many more units than it needs:

    >>> from chainrule import Network, train
    >>> X = np.linspace(-3, 3, 60)[:, None]
    >>> y = np.sin(X) + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    >>> network = Network((1, 20, 1), hidden="tanh", output="identity")
    >>> state = train(network, X, y, optimizer="br", max_iter=300).state
    >>> network.size, state.gamma < 20, abs(state.variance**0.5 - 0.1) < 0.03
    (61, True, True)
    """
    with one_blas_thread():
        return (yield from iterate(advance, objective, Evidence, start))


def advance(objective: Regularised, now: Evidence) -> Evidence:
    """Take a step with the current lambda, and estimate lambda anew."""
    objective.lam = now.lam
    stepped = lm.advance(objective, now)
    if stepped.theta is now.theta:
        return replace(now, n_eval=stepped.n_eval)
    theta = stepped.theta.astype(np.float64, copy=False)
    R, m = objective.regularised, objective.m
    squares = float(theta @ (R * theta))
    ask = lm.asked_by(objective)
    gamma, free = heard(ask, effective_parameters, m * stepped.H, now.lam, R)
    sse = max(2 * m * stepped.J - now.lam * squares, 0.0)
    variance = sse / max(objective.N - gamma, 1.0) if objective.has_noise else 1.0
    lam = free * variance / squares if squares else now.lam
    rise = (lam - now.lam) / m  # J, D and H are linear in lambda: nothing is evaluated again
    return Evidence(
        stepped.theta,
        J=stepped.J + rise * squares / 2,
        D=(stepped.D + rise * R * theta).astype(stepped.D.dtype),
        n_eval=stepped.n_eval,
        iteration=stepped.iteration,
        H=stepped.H + np.diag(rise * R),
        scale=stepped.scale,
        damping=stepped.damping,
        lam=lam,
        gamma=gamma,
        variance=variance,
    )


def effective_parameters(A: Array, lam: float, R: Array) -> tuple[float, float]:
    """Return gamma and gamma_w, for A = Jac^T Jac + lambda R.

    A direction that changes neither the residuals nor the penalty, such as the bias of a saturated
    unit, does not count: its eigenvalue of A is 0.

    Examples
    --------
    >>> effective_parameters(np.diag([4.0, 2.0, 0.0]), 1.0, np.array([0.0, 1.0, 0.0]))
    (1.5, 0.5)
    """
    values, vectors = np.linalg.eigh(A)
    felt = values > len(A) * np.finfo(np.float64).eps * values[-1]
    penalty = lam * float(R @ (np.square(vectors[:, felt]) @ (1 / values[felt])))
    return float(felt.sum()) - penalty, max(0.0, float(R.sum()) - penalty)

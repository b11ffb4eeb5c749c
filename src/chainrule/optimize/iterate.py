"""What an algorithm over the whole training set is: one iterate after another.

An algorithm is an `Iterate`, what it carries from one iteration to the next, and a function
``advance(objective, now) -> Iterate`` that makes the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, Objective
from chainrule.optimize.result import NO_DESCENT, Ending, Step
from chainrule.optimize.vectors import norm

Steps = Generator[Step, None, Ending]
"""The steps of an algorithm, the start first; it returns why it cannot go on."""
AGREEMENT = 1e-4  # relative: another engine's rounding changes J by less, another lam by more


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
    iteration : int
        Iterations so far.

    Examples
    --------
    >>> Iterate.at(lambda theta: (float(theta @ theta), 2 * theta), np.array([3.0, 4.0]))
    Iterate(theta=array([3., 4.]), J=25.0, D=array([6., 8.]), n_eval=1, iteration=0)
    """

    theta: Array
    J: float
    D: Array
    n_eval: int
    iteration: int

    __repr__ = summary

    @classmethod
    def at(cls, objective: Objective, theta: Array) -> Self:
        """Return the iterate that an algorithm starts with."""
        J, D = objective(theta)
        return cls(theta, J, D, 1, 0)

    def resumed(self, objective: Objective) -> Self:
        """Return this iterate, to go on from, or raise ValueError where J is another by now."""
        J, D = objective(self.theta)
        if np.shape(self.D) != D.shape:
            raise ValueError(
                f"state has a gradient of shape {np.shape(self.D)}, and theta {len(D)} numbers: "
                "start anew from theta=state.theta"
            )
        rounding = np.finfo(self.theta.dtype).eps  # of a J near 0
        if not abs(J - self.J) <= AGREEMENT * abs(self.J) + rounding:
            raise ValueError(
                f"state is from a training with another J, {self.J:g} at its theta where J is now "
                f"{J:g} (other examples, lam or weights?): start anew from theta=state.theta"
            )
        return self

    @property
    def extra(self) -> dict[str, float]:
        """What the history keeps of each iteration besides J and the gradient's norm."""
        return {}


I = TypeVar("I", bound=Iterate)


def iterate(
    advance: Callable[[Any, I], I], objective: Objective, kind: type[I], start: Array | Iterate
) -> Steps:
    """Advance as long as somebody asks for the next step.

    Parameters
    ----------
    advance : callable
        ``advance(objective, now) -> Iterate``, one iteration.  It returns an iterate with the same
        theta where no step lowers J.
    objective : callable
        ``objective(theta) -> (J, D)``.
    kind : subclass of Iterate
        What advance takes and returns.
    start : ndarray of shape (n,), or kind
        Where to begin, or the ``state`` of an earlier step to go on from.

    Raises
    ------
    ValueError
        If the state belongs to another optimizer, or to a training with another J.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from itertools import islice
    >>> def bowl(theta):
    ...     return float(theta @ theta), 2 * theta
    >>> def halve(objective, now):
    ...     return replace(Iterate.at(objective, now.theta / 2), iteration=now.iteration + 1)
    >>> steps = iterate(halve, bowl, Iterate, np.array([3.0, 4.0]))
    >>> [(step.iteration, step.J) for step in islice(steps, 3)]
    [(0, 25.0), (1, 6.25), (2, 1.5625)]
    """
    if isinstance(start, kind):
        now = start.resumed(objective)
    elif isinstance(start, np.ndarray):
        now = kind.at(objective, start)
    else:
        raise ValueError(
            f"state is a {type(start).__name__}, of another optimizer: this one goes on from a "
            f"{kind.__name__}"
        )
    while True:
        yield step_of(now)
        before, now = now, advance(objective, now)
        if now.theta is before.theta:
            return Ending(NO_DESCENT, step=step_of(now))


def step_of(now: Iterate) -> Step:
    """Return the step that tells of an iterate."""
    return Step(
        now.iteration, now.J, norm(now.D), now.theta, now.n_eval, extra=now.extra, state=now
    )


def hessian_vector(objective: Any, now: Iterate, v: Array) -> Array:
    """Return H v, the Hessian at now.theta times v.

    Exact where the objective has a method ``hvp(theta, v)``; otherwise the difference of two
    gradients along v, one evaluation.
    """
    if hasattr(objective, "hvp"):
        return np.asarray(objective.hvp(now.theta, v))
    t = np.sqrt(np.finfo(now.theta.dtype).eps) * (1 + norm(now.theta)) / norm(v)
    return np.asarray((objective(now.theta + t * v)[1] - now.D) / t)

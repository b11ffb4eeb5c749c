"""Wrong backpropagations as learners write them: what a gradient checker should be able to name.

`data` holds the settings (a small data set with a network and a theta each), `first` the wrong
implementations, `correct` the right ones.  Nothing in them uses chainrule: the functions are what
people bring along.  An entry of the suite says what its author did wrong, and what a caller of the
checker would pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .data import Setting

MISTAKES = (
    "missing-1-over-m",
    "extra-1-over-m",
    "lambda-forgotten",
    "bias-regularised",
    "lambda-factor",
    "activation-derivative-missing",
    "activation-derivative-at-wrong-point",
    "output-derivative-extra",
    "theta-transposed",
    "unrolled-by-row",
    "bias-in-delta",
    "layers-swapped",
    "labels-shifted",
    "outputs-factor",
    "sign",
    "cost-inconsistent",
    "not-differentiable",
    "not-deterministic",
    "precision",
    # Common in learners' code, and not one of the above:
    "activation-derivative-of-another-activation",  # a (1 - a) left behind under a tanh
    "accumulator-overwritten",  # Delta = in place of Delta +=
    "bias-gradient-missing",  # "the bias is not regularised" read as "its D is 0"
)


@dataclass(frozen=True)
class Sabotage:
    """One learner's wrong function.

    Attributes
    ----------
    name : str
    mistakes : tuple of str
        The public names of what is wrong with it: one, or two for a pair.
    learner : callable
        ``learner(theta, X, y, lam) -> (J, grad)``.
    setting : callable
        ``setting() -> Setting``: its data, network and theta.
    by_row : bool
        Whether the learner reads theta, and returns grad, row by row (NumPy's order) where the
        notes go column by column.  Consistent, so no mistake by itself.
    at_kink : bool
        Whether the check is done at a theta with a hidden unit whose weights are all 0.
    """

    name: str
    mistakes: tuple[str, ...]
    learner: Callable[..., tuple[float, Any]]
    setting: Callable[[], Setting]
    by_row: bool = False
    at_kink: bool = False

    def cost(self, theta: Any) -> tuple[float, Any]:
        """Return (J, grad) of the learner's function on its data."""
        s = self.setting()
        return self.learner(theta, s.X, s.y, s.lam)

    @property
    def theta(self) -> Any:
        """Where to check."""
        s = self.setting()
        theta = s.theta.copy()
        if self.at_kink:
            columns = theta[: (s.layers[0] + 1) * s.layers[1]].reshape(-1, s.layers[1])
            columns[:, 1] = 0  # all the weights into the second hidden unit
        return theta

    @property
    def arguments(self) -> dict[str, Any]:
        """What the caller passes: network (layers, hidden, output), X, Y, lam."""
        return self.setting().arguments


def recorder(suite: list[Sabotage]) -> Callable[..., Callable[..., Any]]:
    """Return the decorator that puts a learner's function into a suite."""

    def sabotage(setting: Callable[[], Setting], *mistakes: str, **how: bool) -> Any:
        def record(learner: Callable[..., Any]) -> Callable[..., Any]:
            suite.append(Sabotage(learner.__name__, mistakes, learner, setting, **how))
            return learner

        return record

    return sabotage

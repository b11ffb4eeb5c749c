"""What every optimizer takes, tells and returns.

An optimizer is a function ``minimize(objective, theta, *, max_iter, callback, state) -> Result``.
It sees ``objective(theta) -> (J, D)``, and whatever else the objective offers (Hessian-vector
products, residuals), but never a matrix Theta(l) or X.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.common.types import Array

Objective = Callable[[Array], tuple[float, Array]]

GRADIENT_TOLERANCE = 1e-6  # of max |D_i|: a slope this flat is a minimum for our purposes
COST_TOLERANCE = 1e-10  # of |J|: an iteration that lowers J by less has nothing left to gain


@dataclass(frozen=True)
class Step:
    """One finished iteration, as a callback sees it.

    Attributes
    ----------
    iteration : int
        Counted from 1; 0 is the start.
    J : float
    gradient_norm : float
        The Euclidean norm of D; nan after an epoch of minibatches, see `History`.
    theta : ndarray of shape (n,)
        Not to be changed; copy it to keep it.
    n_eval : int
        Evaluations of the objective so far; for minibatches, batches.
    J_val : float or None
        The cost on the validation examples, where there are any.
    extra : dict of str to float
        What else this optimizer tells, see `History`.
    state : object
        What ``train(..., state=)`` goes on from after this iteration.

    Examples
    --------
    >>> step = Step(iteration=1, J=0.5, gradient_norm=0.1, theta=np.zeros(3), n_eval=2)
    >>> f"{step.iteration}: J = {step.J}"
    '1: J = 0.5'
    """

    iteration: int
    J: float
    gradient_norm: float
    theta: Array
    n_eval: int
    J_val: float | None = None
    extra: Mapping[str, float] = field(default_factory=dict)
    state: Any = None


Callback = Callable[[Step], Any]
"""Called after each iteration; a true return value ends the minimisation."""


@dataclass
class History:
    """J and the gradient's norm, at the start (entry 0) and after each iteration.

    An iteration over minibatches is an epoch.  Its J is the mean over the epoch's batches, each at
    the theta it met, and no full gradient is ever computed there: its gradient_norm is nan.

    Attributes
    ----------
    J : list of float
    gradient_norm : list of float
    J_val : list of float
        The mean cost on the validation examples, without regularisation; empty without any.
    extra : dict of str to list of float
        What else an optimizer tells: ``"damping"`` of Levenberg-Marquardt, Bayesian regularisation
        and scaled conjugate gradient; ``"lam"`` and ``"effective parameters"`` of Bayesian
        regularisation.

    Examples
    --------
    >>> history = History()
    >>> history.append(2.0, 0.5)
    >>> history.J, len(history)
    ([2.0], 1)
    """

    J: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    J_val: list[float] = field(default_factory=list)
    extra: dict[str, list[float]] = field(default_factory=dict)

    def append(
        self,
        J: float,
        gradient_norm: float,
        J_val: float | None = None,
        extra: Mapping[str, float] | None = None,
    ) -> None:
        """Add an iteration."""
        self.J.append(float(J))
        self.gradient_norm.append(float(gradient_norm))
        if J_val is not None:
            self.J_val.append(float(J_val))
        for name, value in (extra or {}).items():
            self.extra.setdefault(name, []).append(float(value))

    def __len__(self) -> int:
        return len(self.J)


@dataclass(frozen=True)
class State:
    """Where minibatch training stood after its last whole epoch: all it takes to go on.

    Attributes
    ----------
    theta : ndarray of shape (n,)
        The last theta, which need not be the best.
    slots : ndarray of shape (k, n)
        What the rule remembers: the velocity of SGD, the two means of Adam.
    epoch, steps : int
        Epochs and batches done since the random start.

    Examples
    --------
    >>> from chainrule import Network, train
    >>> result = train(Network((1, 1)), [[0.0], [1.0]], [0, 1], optimizer="adam", max_iter=3)
    >>> result.state.epoch, result.state.slots.shape
    (3, (2, 2))
    """

    theta: Array
    slots: Array
    epoch: int = 0
    steps: int = 0


@dataclass
class Result:
    """Where a minimisation ended, how it went, and why it stopped.

    Attributes
    ----------
    theta : ndarray of shape (n,)
        The best theta found.
    J : float
        The cost there.
    history : History
    n_iter, n_eval : int
        Iterations, and evaluations of the objective (for minibatches: epochs, and batches).
    stopped : str
        A sentence: which rule ended it, and what to try where that was not convergence.
    converged : bool
        Whether that rule was convergence.
    state : State, Iterate or None
        What ``train(..., state=)`` goes on from, bit for bit: where the last whole iteration
        ended.  None from SciPy's minimizers, which cannot go on.
    minima : list of float
        Of ``train(..., n_restarts=)``: the J, or lowest J_val, that each start led to.

    Examples
    --------
    >>> from chainrule.optimize.gd import minimize
    >>> def bowl(theta):
    ...     return float(theta @ theta), 2 * theta
    >>> result = minimize(bowl, np.array([3.0, 4.0]), max_iter=0)
    >>> result.J, result.history.J, result.converged
    (25.0, [25.0], False)
    >>> result.stopped
    'stopped at max_iter = 0, before convergence: a larger max_iter may lower J further'
    """

    theta: Array
    J: float
    history: History
    n_iter: int
    n_eval: int
    stopped: str
    converged: bool
    state: Any = None
    minima: list[float] = field(default_factory=list)


AT_MAX_ITER = "stopped at max_iter = {}, before convergence: a larger max_iter may lower J further"
FLAT = "converged: the gradient is flat (max |D_i| = {:.2g})"
NO_GAIN = "converged: the last iteration lowered J by less than a relative {:g}"
BY_CALLBACK = "stopped by the callback"
NO_DESCENT = (
    "stopped: no step along the search direction lowers J any further; if the gradient norm is "
    "not small, check the gradient (check_gradient) and the scale of the inputs"
)
NOT_FINITE = (
    "diverged: J is not finite at the starting theta; standardise the inputs or start from "
    "smaller weights"
)

"""What every optimizer tells and returns.

An optimizer sees ``objective(theta) -> (J, D)``, and whatever else the objective offers
(Hessian-vector products, residuals), but never a matrix Theta(l) or X.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.common.shown import summary
from chainrule.common.types import Array


@dataclass(frozen=True)
class Step:
    """One finished iteration, as a callback sees it; iteration 0 is the start.

    Attributes
    ----------
    iteration : int
        Counted on from the ``state`` that a training starts from.
    J : float
    gradient_norm : float
        The Euclidean norm of D; nan after an epoch of minibatches, see `History`.
    theta : ndarray of shape (n,)
        Not to be changed; copy it to keep it.
    n_eval : int
        Evaluations of the objective so far, those before ``state`` too; for minibatches, batches.
    J_val : float or None
        The cost on the validation examples, where there are any.
    extra : dict of str to float
        What else the optimizer tells, see `History`.
    state : State or Iterate
        What ``train(..., state=)`` goes on from after this iteration.
    batch : int
        0 after a whole iteration.  With ``train(..., every=)``, how many batches of the epoch
        under way are done: J is then the mean over those.

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
    batch: int = 0

    __repr__ = summary


Callback = Callable[[Step], Any]
"""Called at the start and after each iteration; a true return value ends the minimisation."""


@dataclass(frozen=True)
class Ending:
    """Why a training ended.

    Attributes
    ----------
    why : str
        A sentence, and what to try where this was not convergence.
    converged : bool
    step : Step or None
        Where the algorithm stood, if that is past the last step that it told.
    cut : bool
        Whether it was cut short, by Ctrl-C or a limit: the best theta is then kept, not the last.
    at_once : bool
        Whether somebody waits for the end: then nothing more is computed.
    """

    why: str
    converged: bool = False
    step: Step | None = None
    cut: bool = False
    at_once: bool = False

    __repr__ = summary


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

    __repr__ = summary

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
        Whole epochs and all batches done since the random start.
    batch : int
        Batches done of the epoch under way; 0 between epochs.
    cost_sum, weight : float
        What those batches add to the mean over the epoch.

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
    batch: int = 0
    cost_sum: float = 0.0
    weight: float = 0.0

    __repr__ = summary


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
        ended.  SciPy's minimizers keep theirs for themselves and cannot go on.
    minima : list of float
        Of ``train(..., n_restarts=)``: the J, or lowest J_val, that each start led to.
    interrupted : bool
        Whether Ctrl-C or ``stop`` ended it.  J is then the last one known: in minibatches the mean
        over an epoch.

    Examples
    --------
    >>> from chainrule.optimize import minimize
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
    interrupted: bool = False

    __repr__ = summary

    def _repr_html_(self) -> str:
        """Return the curve of J, and why it stopped, as an HTML fragment for notebooks."""
        from html import escape

        from chainrule.optimize.picture import curves

        curve = curves({"J": self.history.J, "J_val": self.history.J_val})
        told = f"J = {self.J:.6g} after {self.n_iter} iterations: {self.stopped}"
        return f"<div>{curve}<p>{escape(told)}</p></div>"


AT_MAX_ITER = "stopped at max_iter = {}, before convergence: a larger max_iter may lower J further"
FLAT = "converged: the gradient is flat (max |D_i| = {:.2g})"
NO_GAIN = "converged: the last iteration lowered J by less than a relative {:g}"
NO_MORE = "stopped: the algorithm makes no more steps"
BY_CALLBACK = "stopped by the callback"
SO_FAR = "stopped: {}; this is the best theta so far"
BY_SIGNAL = "interrupted by"
INTERRUPTED = SO_FAR.format(BY_SIGNAL + " {}")
NO_DESCENT = (
    "stopped: no step along the search direction lowers J any further; if the gradient norm is "
    "not small, check the gradient (check_gradient) and the scale of the inputs"
)
NOT_FINITE = (
    "diverged: J is not finite at the starting theta; standardise the inputs, start from smaller "
    "weights or take a smaller lam"
)
LOST = (
    "diverged: J or theta is not finite in iteration {}; this is the best theta before: "
    "standardise the inputs"
)
ROSE = "diverged: J rose from {:.4g} to {:.4g}; this is the theta of {}, of the lowest J"
OF_LOWEST = "{}; this is the theta of {}, of the lowest {}"

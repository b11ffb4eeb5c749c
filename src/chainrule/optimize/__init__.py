"""Optimizers: they see ``objective(theta) -> (J, D)``, no network, and go from step to step.

An algorithm over all the rows is a function ``steps(objective, start) -> Iterator[Step]``.  Its
start is a theta, an array of shape (n,) that is not changed, or the ``state`` of an earlier step,
to go on from with the same bits as if there had been no pause.  The first step is the start itself.
A rule over minibatches (`SGD`, `Adam`, or your own) is ``init`` and ``update`` on the flat vector.

`minimize` follows an algorithm on any function; `chainrule.train` follows it on a network.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard, cast

import numpy as np

from chainrule.common.checks import by_name, floats
from chainrule.common.types import Array, Objective, Rule
from chainrule.optimize import br, cg, gd, lbfgs, lm, newton_cg, scg, scipy
from chainrule.optimize.adam import Adam
from chainrule.optimize.iterate import Iterate, Steps
from chainrule.optimize.loop import Minimizer, Run, Tolerances, still_finite
from chainrule.optimize.result import Callback, History, Result, State, Step
from chainrule.optimize.sgd import SGD

Algorithm = Callable[..., Steps]
"""``steps(objective, start) -> Iterator[Step]``."""
Optimizer = Algorithm | Minimizer
"""What sees all the rows at once."""

OPTIMIZERS: Mapping[str, Algorithm | Rule] = {
    "lbfgs": lbfgs.steps,
    "cg": cg.steps,
    "scg": scg.steps,
    "newton-cg": newton_cg.steps,
    "lm": lm.steps,
    "br": br.steps,
    "gd": gd.steps,
    "sgd": SGD(),
    "adam": Adam(),
    "adamw": Adam(decay=0.01),
}


CANNOT_GO_ON = (
    "this optimizer keeps its state to itself and cannot go on from one: start again from "
    "theta=state.theta"
)


def minimize(
    objective: Objective,
    theta: Array | None,
    optimizer: str | Optimizer = "lbfgs",
    *,
    max_iter: int = 100,
    callback: Callback | None = None,
    state: Iterate | None = None,
) -> Result:
    """Minimise any function whose gradient is known.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``.
    theta : ndarray of shape (n,) or None
        The start; not changed.  None with a state.
    optimizer : str or callable, default="lbfgs"
        See `find`; one that sees all the rows at once.
    max_iter : int, default=100
        At most this many iterations, without those before ``state``.
    callback : callable, optional
        Called with a `Step` at the start and after each iteration; a true return value ends it.
    state : Iterate, optional
        The ``state`` of an earlier `Result` or `Step`, to go on from instead of theta.

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        If there is no such optimizer, or the state belongs to another optimizer or another J.

    Examples
    --------
    >>> result = minimize(lambda theta: (float(theta @ theta), 2 * theta), np.array([3.0, 4.0]))
    >>> result.J < 1e-12
    True
    """
    method: Any = find(optimizer)
    if is_rule(method):
        raise ValueError(f"{method!r} is a rule over minibatches: give it to chainrule.train")
    start: Any = state
    if state is None:
        if theta is None:
            raise ValueError("there is nothing to start from: give theta, or a state")
        start = floats(theta, "theta")
    run = Run(start if state is None else state.theta, callback=callback, state=state)
    run.rules = [still_finite]
    if is_minimizer(method):
        if state is not None:
            raise ValueError(CANNOT_GO_ON)
        with np.errstate(all="ignore"):  # a divergence is told in words
            return run.follow_minimizer(method, objective, max_iter)
    run.rules += [Tolerances(max_iter)]
    with np.errstate(all="ignore"):
        return run.follow(method(objective, start))


def find(optimizer: str | Optimizer | Rule) -> Optimizer | Rule:
    """Return the algorithm or the rule that a name stands for; anything else is returned as it is.

    Parameters
    ----------
    optimizer : str, callable or Rule
        A name in ``OPTIMIZERS``; ``"scipy:NAME"``; an algorithm ``steps(objective, start)``; a
        function ``minimize(objective, theta, *, max_iter, callback) -> Result``; or a minibatch
        rule.

    Returns
    -------
    callable or Rule

    Raises
    ------
    ValueError
        If there is no optimizer of this name.

    Examples
    --------
    >>> find("lbfgs") is lbfgs.steps
    True
    >>> find("sgd")
    SGD(learning_rate=0.01, momentum=0.9, nesterov=True, decay=0.0)
    """
    if isinstance(optimizer, type):
        raise ValueError(f"optimizer must be an object: {optimizer.__name__}(), not its class")
    if is_rule(optimizer) or callable(optimizer):
        return optimizer
    if isinstance(optimizer, str) and optimizer.startswith("scipy:"):
        method = optimizer.removeprefix("scipy:")
        by_name(method.lower(), scipy.METHODS, "SciPy minimizer")
        return functools.partial(scipy.minimize, method=method)
    return by_name(cast(str, optimizer), OPTIMIZERS, "optimizer")


def is_rule(optimizer: object) -> TypeGuard[Rule]:
    """Whether an optimizer is a rule over minibatches."""
    return hasattr(optimizer, "init") and hasattr(optimizer, "update")


def is_minimizer(optimizer: Optimizer) -> bool:
    """Whether an optimizer minimises by itself and calls back, as SciPy's do."""
    if optimizer in OPTIMIZERS.values():
        return False
    parameters = inspect.signature(optimizer).parameters.values()
    return any(
        parameter.name == "callback" or parameter.kind is parameter.VAR_KEYWORD
        for parameter in parameters
    )


__all__ = [
    "CANNOT_GO_ON",
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "Algorithm",
    "Callback",
    "History",
    "Iterate",
    "Optimizer",
    "Result",
    "Rule",
    "State",
    "Step",
    "find",
    "is_minimizer",
    "is_rule",
    "minimize",
]

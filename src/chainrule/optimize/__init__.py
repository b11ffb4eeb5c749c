"""Optimizers: each sees ``objective(theta) -> (J, D)``, no network, and returns a `Result`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from chainrule.common.checks import by_name
from chainrule.optimize import br, cg, gd, lbfgs, lm, newton_cg, scg, scipy
from chainrule.optimize.adam import Adam
from chainrule.optimize.loop import Iterate
from chainrule.optimize.result import Callback, History, Result, State, Step
from chainrule.optimize.sgd import SGD

Optimizer = Callable[..., Result]
Rule = SGD | Adam

OPTIMIZERS: Mapping[str, Optimizer | Rule] = {
    "lbfgs": lbfgs.minimize,
    "cg": cg.minimize,
    "scg": scg.minimize,
    "newton-cg": newton_cg.minimize,
    "lm": lm.minimize,
    "br": br.minimize,
    "gd": gd.minimize,
    "sgd": SGD(),
    "adam": Adam(),
    "adamw": Adam(decay=0.01),
}


def find(optimizer: str | Optimizer | Rule) -> Optimizer | Rule:
    """Return the function or the rule that an optimizer's name stands for; others as they are.

    Parameters
    ----------
    optimizer : str, callable, SGD or Adam
        A name in ``OPTIMIZERS``, ``"scipy:NAME"``, a function
        ``minimize(objective, theta, *, max_iter, callback) -> Result``, or a minibatch rule.

    Returns
    -------
    callable, SGD or Adam

    Raises
    ------
    ValueError
        If there is no optimizer of this name.

    Examples
    --------
    >>> find("lbfgs") is lbfgs.minimize
    True
    >>> find("sgd")
    SGD(learning_rate=0.01, momentum=0.9, nesterov=True, decay=0.0)
    """
    if callable(optimizer) or isinstance(optimizer, Rule):
        return optimizer
    if isinstance(optimizer, str) and optimizer.startswith("scipy:"):
        method = optimizer.removeprefix("scipy:")
        by_name(method.lower(), scipy.METHODS, "SciPy minimizer")
        return functools.partial(scipy.minimize, method=method)
    return by_name(optimizer, OPTIMIZERS, "optimizer")


__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "Callback",
    "History",
    "Iterate",
    "Optimizer",
    "Result",
    "Rule",
    "State",
    "Step",
    "find",
]

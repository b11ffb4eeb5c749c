"""Optimizers: each sees ``objective(theta) -> (J, D)`` and nothing else, and returns a `Result`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from chainrule.activations import by_name
from chainrule.optimize import gd, lbfgs, scipy
from chainrule.optimize.result import Callback, History, Result, Step

Optimizer = Callable[..., Result]

OPTIMIZERS: Mapping[str, Optimizer] = {"lbfgs": lbfgs.minimize, "gd": gd.minimize}


def find(optimizer: str | Optimizer) -> Optimizer:
    """Return the function that an optimizer's name stands for; a callable is returned as it is.

    Parameters
    ----------
    optimizer : str or callable
        A name in ``OPTIMIZERS``, ``"scipy:NAME"``, or a function
        ``minimize(objective, theta, *, max_iter, callback) -> Result``.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If there is no optimizer of this name.

    Examples
    --------
    >>> find("lbfgs") is lbfgs.minimize
    True
    """
    if callable(optimizer):
        return optimizer
    if optimizer.startswith("scipy:"):
        method = optimizer.removeprefix("scipy:")
        by_name(method.lower(), scipy.METHODS, "SciPy minimizer")
        return functools.partial(scipy.minimize, method=method)
    return by_name(optimizer, OPTIMIZERS, "optimizer")


__all__ = ["OPTIMIZERS", "Callback", "History", "Optimizer", "Result", "Step", "find"]

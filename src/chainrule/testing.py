"""For tests of one's own: `assert_gradient`, in the manner of NumPy's ``numpy.testing``."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from chainrule.diagnosis import check_gradient
from chainrule.notes.gradient_check import Objective


def assert_gradient(objective: Objective, theta: npt.ArrayLike, **options: Any) -> None:
    """Raise AssertionError, with the report for its message, unless a gradient is right.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``.
    theta : array of shape (n,)
        Where to check.
    **options
        As `check_gradient` takes them: ``network``, ``X``, ``Y``, ``lam``, ``epsilon``, ...

    Raises
    ------
    AssertionError
        If the gradient is wrong.
    ValueError
        If D has another shape than theta, or J or D is not finite at theta.

    Notes
    -----
    Notes, *Gradient Checking*.

    Examples
    --------
    >>> assert_gradient(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0])
    >>> assert_gradient(lambda theta: (theta @ theta, -2 * theta), [1.0, 2.0])
    Traceback (most recent call last):
    AssertionError: gradient check FAILED: 2 components, epsilon = 0.0001, J = 5
    ...
    1. sign: the sign is wrong
    ...
    """
    __tracebackhide__ = True  # pytest shows the caller's line
    report = check_gradient(objective, theta, **options)
    if not report:
        raise AssertionError(str(report))

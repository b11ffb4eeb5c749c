"""For tests of one's own: `assert_gradient`, in the manner of NumPy's ``numpy.testing``.

`flat` and `unflat` make dictionaries and lists of W and b into theta, and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array
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


def flat(values: Any, like: Any = None) -> Array:
    """Return all the numbers in a dictionary or list of arrays, one after the other.

    Parameters
    ----------
    values : array, or dict, list or tuple of them, nested as one likes
        Each array is unrolled row by row.
    like : the same, optional
        Another structure whose keys give the order, theta's parameters say: a gradient's
        dictionary may have them in another one, and with a ``d`` before each (``dW1`` for ``W1``).

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If a key of ``like`` is missing.

    Examples
    --------
    >>> parameters = {"W1": [[1.0, 2.0]], "b1": [3.0]}
    >>> flat(parameters)
    array([1., 2., 3.])
    >>> flat({"db1": [0.3], "dW1": [[0.1, 0.2]]}, like=parameters)
    array([0.1, 0.2, 0.3])
    """
    if isinstance(like, Mapping):
        values = {key: _entry(values, key) for key in like}
    if _nested(values):
        parts = values.values() if isinstance(values, Mapping) else values
        return np.concatenate([flat(part) for part in parts])
    return np.asarray(values, dtype=np.float64).ravel()


def unflat(theta: npt.ArrayLike, like: Any) -> Any:
    """Return the numbers of theta in the structure and the shapes that another one has.

    Parameters
    ----------
    theta : array of shape (n,)
    like : array, or dict, list or tuple of them, nested as one likes

    Returns
    -------
    The inverse of `flat`: ``flat(unflat(theta, like))`` is theta.

    Raises
    ------
    ValueError
        If theta has another number of values than ``like``.

    Examples
    --------
    >>> unflat([4.0, 5.0, 6.0], {"W1": [[1.0, 2.0]], "b1": [3.0]})
    {'W1': array([[4., 5.]]), 'b1': array([6.])}
    """
    theta = np.asarray(theta, dtype=np.float64)
    n = len(flat(like))
    if theta.shape != (n,):
        raise ValueError(f"theta must have shape ({n},), as many values as like, got {theta.shape}")
    if not _nested(like):
        return theta.reshape(np.shape(like)).copy()
    parts = list(like.values()) if isinstance(like, Mapping) else like
    borders = np.cumsum([len(flat(part)) for part in parts])
    pieces = np.split(theta, borders[:-1])
    arrays = [unflat(piece, part) for piece, part in zip(pieces, parts, strict=True)]
    return dict(zip(like, arrays, strict=True)) if isinstance(like, Mapping) else type(like)(arrays)


def _nested(values: Any) -> bool:
    """Whether values are several arrays; a list of numbers is one array."""
    if isinstance(values, list | tuple):
        return any(isinstance(part, np.ndarray) or _nested(part) for part in values)
    return isinstance(values, Mapping) and len(values) > 0


def _entry(values: Mapping[str, Any], key: str) -> Any:
    for name in (key, f"d{key}"):
        if name in values:
            return values[name]
    raise ValueError(f"no {key} and no d{key} among {', '.join(map(str, values))}")

"""What a learner's function returns, made (J, grad)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.testing import flat

COSTS = ("J", "cost", "loss", "j")
GRADIENTS = ("grad", "grads", "gradient", "gradients", "D", "dtheta")
WANTED = "return (J, grad), grad unrolled as theta is"


def cost_and_gradient_of(answer: Any, name: str) -> tuple[float, Array]:
    """Return J and the flat gradient that an answer holds.

    Accepted are (J, grad) and (grad, J), J any array of one element, grad flat or of any shape, a
    dictionary or a list of arrays, and a dictionary with the names of both.

    Raises
    ------
    ValueError
        With a sentence that says what was returned and what to return.

    Examples
    --------
    >>> cost_and_gradient_of((np.array([[1.5]]), {"W": [[1.0, 2.0]], "b": [3.0]}), "cost")
    (1.5, array([1., 2., 3.]))
    """
    if isinstance(answer, Mapping):
        J = next((answer[key] for key in COSTS if key in answer), None)
        D = next((answer[key] for key in GRADIENTS if key in answer), None)
        answer = answer if J is None or D is None else (J, D)
    if answer is None:
        raise ValueError(f"{name} returned None: {WANTED}")
    if not isinstance(answer, tuple | list) or len(answer) < 2:
        what = "a number alone" if np.size(answer) == 1 else f"one value, {_shape(answer)}"
        raise ValueError(
            f"{name} returned {what}: {WANTED}, or name both functions, as in FILE.py:{name},grad"
        )
    J, D = answer[0], answer[1] if len(answer) == 2 else list(answer[1:])
    if _numbers(J) != 1 and _numbers(D) == 1:
        J, D = D, J
    if _numbers(J) != 1:
        raise ValueError(f"{name} returned J of {_shape(J)}: J is one number; {WANTED}")
    return float(flat(J)[0]), flat(D)


def _numbers(value: Any) -> int:
    return 0 if value is None else len(flat(value))


def _shape(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"a dictionary of {', '.join(map(str, value))}"
    return f"shape {np.shape(value)}" if not isinstance(value, list | tuple) else "a list"

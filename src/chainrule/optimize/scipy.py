"""Any minimizer of `scipy.optimize.minimize` that takes a gradient, as ``"scipy:NAME"``."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.activations import Array, by_name
from chainrule.optimize.result import (
    BY_CALLBACK,
    Callback,
    History,
    Objective,
    Result,
    Step,
)

METHODS = {name.lower(): name for name in ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG")}


def minimize(
    objective: Objective,
    theta: Array,
    *,
    method: str,
    max_iter: int = 100,
    callback: Callback | None = None,
) -> Result:
    """Minimise J by one of SciPy's minimizers.

    Parameters
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``.
    theta : ndarray of shape (n,)
        The start; not changed.  SciPy computes in float64; the result has theta's dtype.
    method : str
        ``CG``, ``BFGS``, ``L-BFGS-B``, ``TNC``, ``SLSQP`` or ``Newton-CG``.
    max_iter : int, default=100
    callback : callable, optional
        Called with a `Step` after each iteration; true ends it.

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        If SciPy has no such minimizer, or it takes no gradient.

    Examples
    --------
    >>> start = np.array([3.0, 4.0])
    >>> result = minimize(lambda theta: (float(theta @ theta), 2 * theta), start, method="CG")
    >>> result.J < 1e-12
    True
    """
    import scipy.optimize

    method = by_name(method.lower(), METHODS, "SciPy minimizer")
    dtype = theta.dtype
    last: dict[str, Any] = {}

    def fun(vector: Array) -> tuple[float, Array]:
        J, D = objective(vector.astype(dtype))
        last.update(vector=vector.copy(), J=J, D=D)
        evaluations[0] += 1
        return J, np.asarray(D, dtype=np.float64)

    evaluations = [0]
    history = History()
    J, D = fun(np.asarray(theta, dtype=np.float64))
    history.append(J, float(np.linalg.norm(D)))
    stopped_early: list[bool] = []

    def after(vector: Array) -> None:
        if not np.array_equal(last["vector"], vector):  # the line search ended on another trial
            fun(vector)
        J, gradient_norm = last["J"], float(np.linalg.norm(last["D"]))
        history.append(J, gradient_norm)
        step = Step(len(history) - 1, J, gradient_norm, vector.astype(dtype), evaluations[0])
        if callback is not None and callback(step):
            stopped_early.append(True)
            raise StopIteration

    found = scipy.optimize.minimize(
        fun,
        np.asarray(theta, dtype=np.float64),
        jac=True,
        method=method,
        callback=after,
        options={"maxfun": 100 * max_iter} | {"maxiter": max_iter}
        if method in ("L-BFGS-B", "TNC")
        else {"maxiter": max_iter},
    )
    said = found.message if isinstance(found.message, str) else str(found.message)
    verdict = "converged" if found.success else "stopped"
    return Result(
        theta=found.x.astype(dtype),
        J=float(found.fun),
        history=history,
        n_iter=int(found.nit),
        n_eval=evaluations[0],
        stopped=BY_CALLBACK if stopped_early else f"{verdict}: SciPy's {method} says: {said}",
        converged=bool(found.success) and not stopped_early,
    )

"""Any minimizer of `scipy.optimize.minimize` that takes a gradient, as ``"scipy:NAME"``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.common.checks import by_name
from chainrule.common.threads import with_calls_back
from chainrule.common.types import Array, Objective
from chainrule.kernel import heed
from chainrule.optimize.iterate import Iterate, step_of
from chainrule.optimize.result import (
    AT_MAX_ITER,
    BY_CALLBACK,
    Callback,
    History,
    Result,
)

METHODS = {name.lower(): name for name in ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG")}
MANY = 500  # components of theta for which BFGS multiplies matrices of theirs for 10 ms or more


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
        At least 1.
    callback : callable, optional
        Called with a `Step` after each iteration; true ends it.

    Returns
    -------
    Result
        Without a history: the callback writes it.

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
    n_eval = n_iter = 0
    last: dict[str, Any] = {}

    def fun(vector: Array) -> tuple[float, Array]:
        nonlocal n_eval
        J, D = objective(vector.astype(dtype))
        last.update(vector=vector.copy(), J=J, D=D)
        n_eval += 1
        return J, np.asarray(D, dtype=np.float64)

    def after(vector: Array) -> None:
        nonlocal n_iter
        if not np.array_equal(last["vector"], vector):  # the line search ended on another trial
            fun(vector)
        n_iter += 1
        now = Iterate(vector.astype(dtype), last["J"], last["D"], n_eval, n_iter)
        step = step_of(now)
        if callback is not None and callback(step):
            raise _StoppedError(step, BY_CALLBACK)
        if method == "TNC" and n_iter >= max_iter:
            raise _StoppedError(step, AT_MAX_ITER.format(max_iter))

    options: dict[str, Any] = {"maxiter": max_iter}
    if method == "L-BFGS-B":
        options["maxfun"] = 100 * max_iter  # its default ends long runs before max_iter does
    elif method == "TNC":
        options = {"maxfun": 100 * max_iter}  # it counts no iterations: after() does
    elif method == "Newton-CG":
        options["eps"] = np.sqrt(np.finfo(dtype).eps)  # the step of its difference of gradients
    start = np.asarray(theta, dtype=np.float64)

    def run(fun: Objective, after: Callable[[Array], None]) -> Any:
        return scipy.optimize.minimize(
            fun, start, jac=True, method=method, callback=after, options=options
        )

    try:
        if method == "BFGS" and len(start) >= MANY:
            found = with_calls_back(heed, run, fun, after)
        else:
            found = run(fun, after)
    except _StoppedError as stop:
        step, why = stop.args
        return Result(step.theta, step.J, History(), n_iter, n_eval, why, False)
    verdict = "converged" if found.success else "stopped"
    return Result(
        theta=found.x.astype(dtype),
        J=float(found.fun),
        history=History(),
        n_iter=int(found.nit),
        n_eval=n_eval,
        stopped=f"{verdict}: SciPy's {method} says: {found.message}",
        converged=bool(found.success),
    )


class _StoppedError(Exception):
    """Raised inside the callback: SciPy's own StopIteration does not end every minimizer."""

"""Arrays and dataframes of Dask given to an estimator: workers sum over them, and answer rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from chainrule import kernel
from chainrule.common.types import Array
from chainrule.engine.cluster import Workers, current_client
from chainrule.engine.remote import is_dask, source_of


def on_workers(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Let a fit take Dask's arrays; over all the rows at once the current client's workers sum."""

    @wraps(fit)
    def fitted(
        self: Any,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        **how: Any,
    ) -> Any:
        if is_dask(X_val):
            X_val = source_of(X_val, y_val, sample_weight_val)
            y_val = sample_weight_val = None
        held_out = (X_val, y_val, sample_weight_val)
        if not is_dask(X):
            return fit(self, X, y, sample_weight, *held_out, **how)
        source = source_of(X, y, sample_weight)
        if self.solver in ("sgd", "adam", "adamw", "rmsprop"):  # minibatches are read here
            return fit(self, source, None, None, *held_out, **how)
        self._workers = Workers(current_client())
        try:
            self._workers.agree(by_kernel=kernel.BUILT and self.engine != "numpy")
            with kernel.computed_by(self._workers.build):
                return fit(self, source, None, None, *held_out, **how)
        finally:
            self.__dict__.pop("_workers").close()

    return fitted


def answered(estimator: Any, method: str, X: Any, **options: Any) -> Any:
    """Return what a method answers for Dask's rows, as an array of Dask: nothing is computed yet.

    Parameters
    ----------
    estimator : Predictor
    method : str
    X : array or dataframe of Dask
    **options
        The method's.

    Returns
    -------
    dask.array.Array of shape (m,) or (m, K)
    """
    check_is_fitted(estimator)
    rows = X.to_dask_array() if hasattr(X, "to_dask_array") else X
    if rows.numblocks[1] > 1:
        rows = rows.rechunk({1: -1})
    block = partial(answer, estimator, method, options)
    one = block(np.zeros((1, rows.shape[1]), rows.dtype))
    if not isinstance(one, np.ndarray):
        raise ValueError(f"for Dask's arrays {method} gives one answer: leave return_std out")
    meta = np.empty((0,) * one.ndim, one.dtype)
    if one.ndim == 1:
        return rows.map_blocks(block, dtype=one.dtype, drop_axis=1, meta=meta)
    chunks = (rows.chunks[0], (one.shape[1],))
    return rows.map_blocks(block, dtype=one.dtype, chunks=chunks, meta=meta)


def answer(estimator: Any, method: str, options: dict[str, Any], X: Array) -> Any:
    """Return what a method answers for a block of rows."""
    with warnings.catch_warnings():  # a block of a dataframe is an array
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        return getattr(estimator, method)(X, **options)

"""Tables that an estimator reads in blocks: what its network learns from them, and their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from scipy.sparse import issparse, vstack
from sklearn.utils.validation import check_is_fitted

from chainrule.common.checks import as_dtype, refuse_non_finite
from chainrule.common.types import Array
from chainrule.datasets.scaling import Scaling
from chainrule.engine import passes
from chainrule.engine.blocks import Rows, Source, View
from chainrule.engine.remote import is_dask
from chainrule.engine.stream import ahead
from chainrule.estimators.on_dask import answered
from chainrule.estimators.weights import by_output
from chainrule.notes.backprop import is_sparse

P = ParamSpec("P")
Learn = Callable[[Array, Array | None], tuple[Array, Array | None]]
"""``learn(y, weights) -> (Y, weights)``: what a network learns of some rows."""
T = TypeVar("T")
TARGET_WITHIN = "X is a table with a target and weights of its own: leave {} out"


class Learnt(View):
    """A source whose targets and weights are what a network learns.

    Parameters
    ----------
    source : Source
    learn : callable
        ``learn(y, weights) -> (Y, weights)``; it is pickled, so a function of a module.
    outputs : int
        How many output units the network has.

    Examples
    --------
    >>> from chainrule.engine.blocks import Arrays
    >>> source = Arrays(np.zeros((2, 1)), np.array(["no", "yes"]))
    >>> Learnt(source, Codes(np.array(["no", "yes"]), None), 1).read(0, 2)[1]
    array([0, 1])
    """

    def __init__(self, source: Source, learn: Learn, outputs: int) -> None:
        super().__init__(source)
        self.learn, self.outputs = learn, outputs

    def read(self, first: int, last: int) -> Rows:
        """Return the rows, with what is learnt of them."""
        X, y, weights = self.source.read(first, last)
        if y is None:
            raise ValueError("the table has no target: name one")
        return X, *self.learn(y, weights)

    def state(self) -> tuple[Any, ...]:
        """Return the source's, and what is learnt."""
        return (*self.source.state(), repr(vars(self.learn)))


class Codes:
    """The code of each target among the classes, and weights by class.

    Parameters
    ----------
    classes : ndarray of shape (K,)
        Sorted.
    stored : sequence or None
        The label of each code, where the table has codes.
    by_class : ndarray of shape (K,), optional
        The weight of each class.
    """

    def __init__(self, classes: Array, stored: Any, by_class: Array | None = None) -> None:
        self.classes, self.by_class = classes, by_class
        self.places = None if stored is None else self._among(np.array(stored))

    def __call__(self, y: Array, weights: Array | None) -> tuple[Array, Array | None]:
        """Return codes and weights."""
        codes = self._among(y) if self.places is None else self.places[y]
        if self.by_class is None:
            return codes, weights
        each = self.by_class[codes]
        return codes, each if weights is None else each * weights

    def _among(self, labels: Array) -> Array:
        codes = np.minimum(np.searchsorted(self.classes, labels), len(self.classes) - 1)
        strange = self.classes[codes] != labels
        if strange.any():
            wrong = labels[strange].tolist()[0]
            raise ValueError(f"y has the class {wrong!r}, which training did not have")
        return codes


class Numbers:
    """Columns of numbers: scaled, one for each level of a quantile, and weights by output."""

    def __init__(
        self, levels: int, scaling: Scaling | None, output_weights: Any, share: float
    ) -> None:
        self.levels, self.scaling = levels, scaling
        self.output_weights, self.share = output_weights, share

    def __call__(self, y: Array, weights: Array | None) -> tuple[Array, Array | None]:
        """Return Y, of shape (m, K), and weights."""
        Y = np.repeat(y.reshape(len(y), -1), self.levels, axis=1)
        if self.scaling is not None:
            Y = self.scaling.apply(Y.astype(np.float64))
        if weights is not None and self.share != 1:
            weights = weights * self.share
        return by_output(Y, weights, self.output_weights, self.levels)


def labels_of(source: Source) -> Array:
    """Return the different targets, sorted, from a pass over the table."""
    found: Array = np.array([])
    for i, (_, _, y, _) in enumerate(passes.parts(source)):
        if y is None:
            raise ValueError("the table has no target: name one")
        found = np.unique(y if not i else np.concatenate([found, np.unique(y)]))
        if len(found) > passes.MOST_VALUES:
            raise ValueError(
                f"y has over {passes.MOST_VALUES} different values, which are no classes: "
                "MLPRegressor predicts numbers"
            )
    return found


def weights_of_classes(source: Source, codes: Codes) -> Array:
    """Return the sum of the weights of each class, from a pass over the table."""
    K = len(codes.classes)

    def of_block(X: Any, y: Array, weights: Any) -> tuple[Array]:
        return (np.bincount(codes(y, None)[0], weights, K).astype(np.float64),)

    (found,) = passes.added_up(source, of_block)
    return np.asarray(found)


def mean_weight(source: Source) -> float:
    """Return the mean of the weights, from a pass over the table."""
    m, total = passes.added_up(source, lambda X, y, w: (len(w), float(w.sum(dtype=np.float64))))
    return float(total / m)


def learn_columns(estimator: Any, source: Source, *, reset: bool) -> None:
    """Let an estimator know the columns, as scikit-learn has it; or refuse others than it knows."""
    names = np.array(source.names, dtype=object) if source.names else None
    if reset:
        estimator.n_features_in_ = source.n
        estimator.__dict__.pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = names
        return
    if source.n != estimator.n_features_in_:
        raise ValueError(
            f"X has {source.n} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input"
        )
    known = getattr(estimator, "feature_names_in_", None)
    if known is not None and names is not None and not np.array_equal(known, names):
        wrong = next(i for i in range(source.n) if known[i] != names[i])
        raise ValueError(
            f"the table's column {wrong + 1} is {names[wrong]!r}, and in training it was "
            f"{known[wrong]!r}: give the same columns in the same order"
        )


def in_blocks(
    method: Callable[Concatenate[Any, Any, P], T],
) -> Callable[Concatenate[Any, Any, P], T]:
    """Let a method that answers each row take a table that is read in blocks."""

    @wraps(method)
    def answer(self: Any, X: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if is_dask(X):
            found: T = answered(self, method.__name__, X, **kwargs)
            return found
        if not isinstance(X, Source):
            return method(self, X, *args, **kwargs)
        answers = [method(self, x, *args, **kwargs) for x, _, _ in blocks_for(self, X)]
        found = together(answers)
        return found

    return answer


def blocks_for(estimator: Any, source: Source) -> Iterator[tuple[Any, Any, Any]]:
    """Yield X, y and weights of one block after the other; the estimator takes each X as it is."""
    check_is_fitted(estimator)
    learn_columns(estimator, source, reset=False)
    dtype = estimator.theta_.dtype
    for first, X, y, weights in ahead(passes.parts(source)):
        x: Any = X.tocsr() if is_sparse(X) else np.ascontiguousarray(X)
        if X.dtype.kind == "f":
            refuse_non_finite(x.data if is_sparse(x) else x, "X", first)
        estimator._checked = x = as_dtype(x, dtype, "X")
        try:
            yield x, y, weights
        finally:
            del estimator._checked


def together(parts: list[Any]) -> Any:
    """Return the answers to blocks as one answer.

    Examples
    --------
    >>> together([(np.zeros(1), np.ones(1)), (np.zeros(2), np.ones(2))])
    (array([0., 0., 0.]), array([1., 1., 1.]))
    """
    if isinstance(parts[0], tuple | list):
        return type(parts[0])(together(list(of_one)) for of_one in zip(*parts, strict=True))
    return vstack(parts, format="csr") if issparse(parts[0]) else np.concatenate(parts)

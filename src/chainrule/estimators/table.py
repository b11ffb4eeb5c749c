"""`TableClassifier` and `TableRegressor`: committees of small networks on tables as they come."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import assert_all_finite, check_array, check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from chainrule import __version__, model_file
from chainrule.common.types import Array
from chainrule.datasets import pieces
from chainrule.datasets.columns import Column
from chainrule.datasets.contents import Contents
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.frames import NAME, contents_of
from chainrule.datasets.scaling import Scaling
from chainrule.engine.predicting import predict
from chainrule.estimators.inputs import whole_numbers
from chainrule.model_file import Model, ModelFileError, Provenance
from chainrule.training.committee import Kind, train_committee

FOLDS = 8
NUMBER, PIECE = "number", "piece"
SHARES = np.linspace(0, 1, 1001)  # of the rows, whose errors are kept
LARGE = 1 << 22  # numbers in X: of more, float32 is computed with
TOLD = "{} inputs{}: lambda {:.3g}, cost {:.4g} on rows not seen"
Splits = list[tuple[Array, Array]]


class BaseTable(BaseEstimator):
    """How both are fitted; a subclass says what y is."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left"), BaseCrossValidator, "cv_object"],
        "random_state": ["random_state"],
        "threads": [Interval(Integral, 1, None, closed="left"), None],
        "verbose": ["boolean"],
        "callback": [callable, None],
    }

    encoder_: Encoder
    J_: float | None

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, X_val: Any, y_val: Any
    ) -> Array:
        """Fit the committee; return the targets of the rows, those of X_val last."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        table = self._table(X, reset=True)
        y = self._targets(y, reset=True)
        check_consistent_length(*table.table.values(), y)
        m = len(y)
        if m < 2:
            raise ValueError(f"n_samples={m}: to fit, and to try what was fitted, takes 2 rows")
        weights = self._weights(y, sample_weight)
        columns, self.left_out_ = pieces.learn_pieces(table.table, weights)
        if not columns:
            why = ", ".join(f"{name!r} {reason}" for name, reason in self.left_out_.items())
            raise ValueError(f"no column tells anything: {why}")
        self.encoder_ = Encoder(
            columns, dropped=tuple(self.left_out_), missing="category", reading=table.reading
        )
        encoded = self._encoded(table)
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together: give both, or none")
        if X_val is None:
            splits = self._splits(y, groups)
        else:
            tried = self._encoded(self._table(X_val, reset=False))
            encoded, y = np.vstack([encoded, tried]), np.append(y, self._targets(y_val))
            splits = [(np.arange(m), np.arange(m, len(y)))] * FOLDS
            weights = None if weights is None else np.append(weights, np.ones(len(y) - m))
        kinds = np.array([kind for column in columns for kind in kinds_of(column)])
        scaling = Scaling.fit(encoded[:m], None if weights is None else weights[:m])
        self.scaling_ = replace(scaling, scale=np.where(kinds == NUMBER, scaling.scale, 1.0))
        if encoded.size > LARGE:
            encoded = encoded.astype(np.float32)
        whole = np.ones(len(kinds), bool)
        self.committee_ = train_committee(
            self.scaling_.apply(encoded),
            self._columns(y),
            splits,
            output=self._output(),
            columns=np.repeat(np.arange(len(columns)), [len(c.inputs) for c in columns]),
            views=[kinds != PIECE, whole] if (kinds == PIECE).any() else [whole],
            weights=weights,
            hidden=self.hidden,
            max_iter=self.max_iter,
            seed=int(check_random_state(self.random_state).randint(2**30)),
            threads=self.threads,
            told=self._told,
        )
        found = self.committee_
        self.network_, self.theta_, self.J_ = found.network, found.theta, found.J
        self.n_iter_ = max(kind.n_iter for kind in found.kinds)
        return y

    def _told(self, kind: Kind) -> None:
        if self.verbose:
            how = ", by relevance" if kind.by_relevance else ""
            print(TOLD.format(int(kind.inputs.sum()), how, kind.lam, kind.J))
        if self.callback is not None:
            self.callback(kind)

    def _table(self, X: Any, *, reset: bool) -> Contents:
        """Return X as columns, after scikit-learn's rules for their number and names."""
        like = None if reset else self.encoder_.reading
        contents = contents_of(X, like)
        shape = len(next(iter(contents.table.values()), X)), len(contents.table)
        if 0 in shape:
            what = "feature(s)" if shape[0] else "sample(s)"
            raise ValueError(
                f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required."
            )
        validate_data(self, names_of(X, contents), reset=reset, skip_check_array=True)
        return contents

    def _encoded(self, contents: Contents) -> Array:
        """Return the inputs of the network, not yet standardised."""
        return self.encoder_.encode(contents.table, NAME, part=True)[0]

    def _weights(self, y: Array, sample_weight: Any) -> Array | None:
        """Return the weight of each row."""
        if sample_weight is None:
            return None
        weights: Array = _check_sample_weight(sample_weight, y, ensure_non_negative=True)
        return weights

    def _splits(self, y: Array, groups: Any) -> Splits:
        """Return the rows that each member is trained on, and those that it is tried on."""
        if not isinstance(self.cv, Integral):
            cv = self.cv
            given = cv.split(np.zeros((len(y), 1)), y, groups) if hasattr(cv, "split") else cv
            return [(np.arange(len(y))[rows], np.arange(len(y))[tried]) for rows, tried in given]
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**30))
        if groups is None:
            parts = even_parts(y, int(self.cv), rng)
        else:
            names, group = np.unique(groups, return_inverse=True)
            if len(names) < 2:
                raise ValueError("groups has one group only, and members are tried on another")
            parts = even_parts(np.arange(len(names)), int(self.cv), rng)[group]
        rows = np.arange(len(y))
        return [(rows[parts != j], rows[parts == j]) for j in range(int(parts.max()) + 1)]

    def _predicted(self, X: Any) -> Array:
        """Return h for each row, of shape (m, K)."""
        check_is_fitted(self)
        inputs = self._encoded(self._table(X, reset=False))
        inputs = self.scaling_.apply(inputs).astype(self.theta_.dtype, copy=False)
        return predict(self.network_, self.theta_, inputs, threads=self.threads)

    @property
    def notes_(self) -> list[str]:
        """What was decided about each column, a sentence each."""
        check_is_fitted(self)
        return pieces.notes(self.encoder_.columns, self.left_out_)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to a model file, which the command and `load` read.

        Parameters
        ----------
        path : path
            Usually ``something.safetensors``.

        Raises
        ------
        chainrule.model_file.ModelFileError
            If it cannot be written.
        """
        check_is_fitted(self)
        named = getattr(self, "feature_names_in_", None)
        options = {
            "estimator": type(self).__name__,
            "parameters": {
                name: value
                for name, value in self.get_params(deep=False).items()
                if value is None or isinstance(value, bool | int | float | str)
            },
            "features": self.n_features_in_,
            "names": None if named is None else [*map(str, named)],
            "left_out": self.left_out_,
            **self._facts(),
        }
        about = Provenance(version=__version__, options=options, J=self.J_)
        model = Model(self.network_, self.theta_, self.encoder_, self.scaling_, self._unit(), about)
        model_file.save(path, model)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a fitted estimator from a model file that `save` wrote.

        Parameters
        ----------
        path : path

        Returns
        -------
        TableClassifier or TableRegressor
            It predicts the same; how it was trained (``committee_``) is not in the file.

        Raises
        ------
        chainrule.model_file.ModelFileError
            If it is no such file.
        """
        model = model_file.load(path)
        options = model.provenance.options
        if options.get("estimator") != cls.__name__:
            raise ModelFileError(
                f"{os.fspath(path)}: not saved by {cls.__name__} but by "
                f"{options.get('estimator', 'the command or chainrule.train')}"
            )
        try:
            self = cls(**options["parameters"])
            self.network_, self.theta_ = model.network, model.theta
            self.encoder_ = model.encoder
            self.scaling_ = cast(Scaling, model.scaling)
            self.left_out_ = dict(options["left_out"])
            self.n_features_in_, self.J_ = int(options["features"]), model.provenance.J
            if options["names"] is not None:
                self.feature_names_in_ = np.array(options["names"], dtype=object)
            self._learn_facts(options, model)
        except Exception as error:  # what the header has is of another type than `save` writes
            raise ModelFileError(
                f"{os.fspath(path)}: not an estimator that can be used "
                f"({type(error).__name__}: {error})"
            ) from error
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


class TableClassifier(ClassifierMixin, BaseTable):
    """A committee of small networks that tells classes apart in a table as it comes.

    Numbers, text, categories, booleans, dates, missing values: what each column becomes is decided
    here, said by ``notes_`` and kept in the model file.  The members are trained by L-BFGS without
    an eighth of the rows, on which lambda is found and what they see; see
    `chainrule.training.committee`.  Together they are one network, ``network_``.

    Parameters
    ----------
    hidden : int, default=16
        Hidden units of each member.
    max_iter : int, default=100
        Iterations of each member.
    cv : int, splitter of scikit-learn or iterable of (rows, rows), default=8
        How many members of each kind there are, each trained without one part of the rows; or
        which rows each is trained on and which it is tried on, as for groups or for times.
    class_weight : dict, 'balanced' or None, default=None
        The weight of each class, times the sample weights.
    random_state : int, RandomState or None, default=0
        Of the parts and of the random starts.
    threads : int, optional
        Default: the cores this process may use.  The result has the same bits for any number.
    verbose : bool, default=False
        Whether to print what each kind of members came to.
    callback : callable, optional
        Is told of each `chainrule.training.committee.Kind` when its lambda has been found.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    network_ : chainrule.Network
    theta_ : ndarray of shape (network_.size,)
    encoder_ : chainrule.datasets.encoding.Encoder
        How a table becomes the inputs.
    scaling_ : chainrule.datasets.scaling.Scaling
        By which they are standardised.
    n_iter_ : int
        The iterations of the member that took the most.
    committee_ : chainrule.training.committee.Committee
        The kinds of members with their lambdas and shares, and what each row's unseen members say.
    left_out_ : dict of str to str
        The columns that tell nothing, and why.

    See Also
    --------
    TableRegressor : The same for numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> net = TableClassifier(cv=4).fit(X[::2], y[::2])
    >>> net.score(X[1::2], y[1::2]) > 0.9
    True
    >>> net.predict_proba(X[:1]).shape
    (1, 3)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseTable._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        hidden: int = 16,
        max_iter: int = 100,
        cv: Any = FOLDS,
        class_weight: Any = None,
        random_state: Any = 0,
        threads: int | None = None,
        verbose: bool = False,
        callback: Callable[[Kind], Any] | None = None,
    ) -> None:
        self.hidden = hidden
        self.max_iter = max_iter
        self.cv = cv
        self.class_weight = class_weight
        self.random_state = random_state
        self.threads = threads
        self.verbose = verbose
        self.callback = callback

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Fit the committee.

        Parameters
        ----------
        X : dataframe of pandas or Polars, table of Arrow, or array-like of shape (m, n)
        y : array-like of shape (m,)
        sample_weight : array-like of shape (m,), optional
            2 is the same as the row twice.
        groups : array-like of shape (m,), optional
            Rows of one group are never parted between training and trying.
        X_val, y_val : as X and y, optional
            Rows to try the members on, which all are then trained on all of X.

        Returns
        -------
        TableClassifier
            Itself.
        """
        self._fit(X, y, sample_weight, groups, X_val, y_val)
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """Return the probability of each class.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (m, n_classes)
        """
        h = self._predicted(X)
        return np.hstack([1 - h, h]) if h.shape[1] == 1 else h

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (m,)
        """
        codes = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[codes])

    def _targets(self, y: Any, *, reset: bool = False) -> Array:
        """Return the code of each label."""
        y = column_or_1d(whole_numbers(y), warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        if reset:
            self.classes_ = np.unique(y)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y has one class only, {self.classes_[0]!r}: nothing to tell apart"
                )
        if len(new := np.setdiff1d(y, self.classes_)):
            raise ValueError(f"y_val has the class {new[0]}, which is not in y")
        return np.searchsorted(self.classes_, y)

    def _columns(self, codes: Array) -> Array:
        if len(self.classes_) == 2:
            return codes.astype(np.float64)[:, None]
        return np.eye(len(self.classes_))[codes]

    def _output(self) -> str:
        return "sigmoid" if len(self.classes_) == 2 else "softmax"

    def _weights(self, y: Array, sample_weight: Any) -> Array | None:
        weights = super()._weights(y, sample_weight)
        if self.class_weight is None:
            return weights
        by_class: Array = compute_sample_weight(self.class_weight, self.classes_[y])
        return by_class if weights is None else weights * by_class

    def _unit(self) -> None:
        return None

    def _facts(self) -> dict[str, Any]:
        return {"classes": self.classes_.tolist(), "dtype": self.classes_.dtype.str}

    def _learn_facts(self, options: Mapping[str, Any], model: Model) -> None:
        self.classes_ = np.array(options["classes"], dtype=options["dtype"])


class TableRegressor(RegressorMixin, BaseTable):
    """A committee of small networks that predicts numbers from a table as it comes.

    See `TableClassifier`.  The numbers are standardised, and no prediction lies beyond those of
    training.

    Parameters
    ----------
    hidden, max_iter, cv, random_state, threads, verbose, callback
        As for `TableClassifier`.

    Attributes
    ----------
    network_, theta_, encoder_, scaling_, committee_, left_out_
        As for `TableClassifier`.
    target_scaling_ : chainrule.datasets.scaling.Scaling
        Of y.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = TableRegressor(cv=4).fit(X[::2], y[::2])
    >>> net.score(X[1::2], y[1::2]) > 0.4
    True

    Nine in ten of the true numbers lie in an interval of 90 %:

    >>> guess, low, high = net.predict(X[1::2], interval=0.9)
    >>> bool(0.85 < np.mean((low <= y[1::2]) & (y[1::2] <= high)) < 0.95)
    True
    """

    def __init__(
        self,
        *,
        hidden: int = 16,
        max_iter: int = 100,
        cv: Any = FOLDS,
        random_state: Any = 0,
        threads: int | None = None,
        verbose: bool = False,
        callback: Callable[[Kind], Any] | None = None,
    ) -> None:
        self.hidden = hidden
        self.max_iter = max_iter
        self.cv = cv
        self.random_state = random_state
        self.threads = threads
        self.verbose = verbose
        self.callback = callback

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Fit the committee.

        Parameters
        ----------
        X, y, sample_weight, groups, X_val, y_val
            As for `TableClassifier.fit`; y are numbers.

        Returns
        -------
        TableRegressor
            Itself.
        """
        y = self._fit(X, y, sample_weight, groups, X_val, y_val)
        wrong = np.abs(self.target_scaling_.undo(self.committee_.z)[:, 0] - y)
        self.errors_ = np.quantile(wrong[~np.isnan(wrong)], SHARES, method="higher")
        return self

    def predict(
        self, X: Any, interval: float | None = None
    ) -> npt.NDArray[Any] | tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the predicted number of each row.

        Parameters
        ----------
        X : as in `fit`
        interval : float, optional
            Which part of the true numbers shall lie between the bounds, such as 0.9.

        Returns
        -------
        ndarray of shape (m,), or three of them
            With `interval` the prediction, the lower and the upper bound.

        Notes
        -----
        The bounds are as far away as the rows that a member was tried on were wrong: Barber and
        others, *Predictive inference with the jackknife+* (2021).
        """
        h = self._predicted(X)
        guess = np.clip(self.target_scaling_.undo(h)[:, 0], *self.range_)
        if interval is None:
            return guess
        if not 0 < interval < 1:
            raise ValueError(f"interval must lie between 0 and 1, got {interval!r}")
        width = self.errors_[math.ceil(interval * (len(SHARES) - 1))]
        return guess, guess - width, guess + width

    def _targets(self, y: Any, *, reset: bool = False) -> Array:
        """Return y as numbers."""
        y = column_or_1d(check_array(y, ensure_2d=False, input_name="y"), warn=True)
        return np.asarray(y, dtype=np.float64)

    def _weights(self, y: Array, sample_weight: Any) -> Array | None:
        """Return the weight of each row; learn y's mean, spread and range by them."""
        weights = super()._weights(y, sample_weight)
        counts = y if weights is None else y[weights > 0]
        self.target_scaling_ = Scaling.fit(y, weights)
        self.range_ = float(counts.min()), float(counts.max())
        return weights

    def _columns(self, y: Array) -> Array:
        return self.target_scaling_.apply(y)[:, None]

    def _output(self) -> str:
        return "identity"

    def _unit(self) -> Scaling:
        return self.target_scaling_

    def _facts(self) -> dict[str, Any]:
        return {"range": list(self.range_), "errors": self.errors_.tolist()}

    def _learn_facts(self, options: Mapping[str, Any], model: Model) -> None:
        if model.target_scaling is None:
            raise ValueError("no scaling of y")
        self.target_scaling_ = model.target_scaling
        low, high = options["range"]
        self.range_ = float(low), float(high)
        self.errors_ = np.array(options["errors"], dtype=np.float64)


def names_of(X: Any, contents: Contents) -> Any:
    """Return what scikit-learn can ask for the number of columns and, if any, their names."""
    if hasattr(X, "iloc"):
        return X
    if isinstance(X, np.ndarray | list | tuple):
        return np.empty((1, len(contents.table)))
    import polars as pl

    return pl.DataFrame(schema=[*contents.table])


def kinds_of(column: Column) -> list[str]:
    """Return what each input of a column is.

    Examples
    --------
    >>> kinds_of(Column("age", squash=(40.0, 9.0), edges=(20.0, 40.0, 60.0), gaps=True))
    ['number', 'piece', 'piece', 'flag']
    """
    plain = len(column.parts) or (1 if column.categories is None else 0)
    pieces = max(len(column.edges) - 1, 0)
    flags = len(column.inputs) - plain - pieces
    return [NUMBER] * plain + [PIECE] * pieces + ["flag"] * flags


def even_parts(y: Array, parts: int, rng: np.random.Generator) -> Array:
    """Return the part of each row, by chance, so that each part has its share of every y.

    Examples
    --------
    >>> y = np.array([5, 7, 5, 7, 7, 5])
    >>> parts = even_parts(y, 3, np.random.default_rng(0))
    >>> [sorted(y[parts == j].tolist()) for j in range(3)]
    [[5, 7], [5, 7], [5, 7]]
    """
    m = len(y)
    order = np.lexsort((rng.random(m), y))
    parts = min(parts, m)
    rows = -(-m // parts)
    found = np.empty(m, dtype=int)
    found[order] = np.concatenate([rng.permutation(parts) for _ in range(rows)])[:m]
    return found

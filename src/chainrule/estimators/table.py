"""`TableClassifier` and `TableRegressor`: committees of small networks on tables as they come."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils import assert_all_finite, check_array, check_random_state, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
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
from chainrule.datasets.frames import contents_of, frame_of, has_names
from chainrule.datasets.pieces import NAME
from chainrule.datasets.scaling import Scaling, squares, sums
from chainrule.datasets.vectors import Place, refuse_unusable
from chainrule.engine.predicting import forward, predict
from chainrule.estimators.files import plain, read, saved_by, written
from chainrule.estimators.inputs import whole_numbers
from chainrule.evaluation.importance import Importances, by_shuffling
from chainrule.model_file import Model, Provenance
from chainrule.training.committee import Kind, train_committee
from chainrule.training.error_sizes import ErrorSizes, error_sizes

FOLDS = 8
NUMBER, PIECE = "number", "piece"
SHARES = np.linspace(0, 1, 1001)  # of the rows, whose errors are kept
LARGE = 1 << 16  # numbers in X: of more, float32 is computed with, which takes half the time
ROWS = 1 << 12  # that are predicted at a time
TOLD = "{} inputs{}, {} hidden units: lambda {:.3g}, out-of-fold cost {:.4g}"
Splits = list[tuple[Array, Array]]


class BaseTable(BaseEstimator):
    """How both are fitted; a subclass says what y is."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods("split"), list, tuple],
        "random_state": ["random_state"],
        "threads": [Interval(Integral, 1, None, closed="left"), None],
        "verbose": ["boolean"],
        "callback": [callable, None],
    }

    encoder_: Encoder
    J_: float | None

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, X_val: Any, y_val: Any
    ) -> tuple[Array, Array, Array | None, Splits]:
        """Fit the committee; return inputs, y and weights of all rows, X_val's last, and splits."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        table, name = self._table(X, reset=True), str(getattr(y, "name", None) or "y")
        y = self._targets(y, reset=True)
        check_consistent_length(*table.table.values(), y, groups)
        m = len(y)
        weights = self._weights(y, sample_weight)
        counts = np.ones(m, bool) if weights is None else weights > 0
        if (rows := int(counts.sum())) < 2:
            raise ValueError(f"n_samples={rows}: to fit, and to try what was fitted, takes 2 rows")
        columns, self.left_out_ = pieces.learn_pieces(table.table, weights, named=table.named)
        if not columns:
            why = ", ".join(f"{name!r} {reason}" for name, reason in self.left_out_.items())
            raise ValueError(f"no column tells anything: {why}")
        self.encoder_ = Encoder(
            columns,
            target=None if name in table.table else name,
            classes=self._labels(),
            dropped=tuple(self.left_out_),
            missing="category",
            reading=table.reading,
        )
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together: give both, or none")
        if X_val is None:
            tables, splits = [table], self._splits(y, groups, counts)
        else:
            if groups is not None or not isinstance(self.cv, Integral):
                raise ValueError("X_val says which rows are tried: leave groups and splits out")
            held_out, y_val = self._table(X_val, reset=False), self._targets(y_val)
            check_consistent_length(*held_out.table.values(), y_val)
            tables, y = [table, held_out], np.append(y, y_val)
            splits = [(np.flatnonzero(counts), np.arange(m, len(y)))] * int(self.cv)
            weights = None if weights is None else np.append(weights, np.ones(len(y) - m))
        kinds = np.array([kind for column in columns for kind in kinds_of(column)])
        inputs = self._standardised(tables, len(y), kinds == NUMBER, weights)
        whole = np.ones(len(kinds), bool)
        self.committee_ = found = train_committee(
            inputs,
            self._columns(y),
            splits,
            output=self._output(),
            columns=np.repeat(np.arange(len(columns)), [len(c.inputs) for c in columns]),
            views=[kinds != PIECE, whole] if (kinds == PIECE).any() else [whole],
            weights=self._by_class(y, weights),
            hidden=self.hidden,
            max_iter=self.max_iter,
            seed=int(check_random_state(self.random_state).randint(2**30)),
            threads=self.threads,
            told=self._told,
        )
        self.network_, self.theta_, self.J_ = found.network, found.theta, found.J
        self.n_iter_ = max(kind.n_iter for kind in found.kinds)
        self._numbers = pieces.Numbers.among(columns, self.columns_)
        return inputs, y, weights, splits

    def _told(self, kind: Kind) -> None:
        if self.verbose:
            how = ", by relevance" if kind.by_relevance else ""
            print(TOLD.format(int(kind.inputs.sum()), how, kind.hidden, kind.lam, kind.J))
        if self.callback is not None:
            self.callback(kind)

    def _table(self, X: Any, *, reset: bool) -> Contents:
        """Return X as columns, after scikit-learn's rules for their number and names."""
        frame = frame_of(X)
        if 0 in frame.shape:
            what = "feature(s)" if frame.shape[0] else "sample(s)"
            raise ValueError(
                f"Found array with 0 {what} (shape={frame.shape}) while a minimum of 1 is required."
            )
        named = has_names(X)
        known = (X if hasattr(X, "iloc") else frame) if named else np.empty((1, frame.shape[1]))
        validate_data(self, known, reset=reset, skip_check_array=True)
        if reset:
            contents = replace(contents_of(frame), named=named)
            self.columns_ = tuple(contents.table)
            return contents
        by_name = named and hasattr(self, "feature_names_in_")
        return contents_of(frame, self.encoder_.reading, None if by_name else self.columns_)

    def _standardised(
        self, tables: list[Contents], m: int, numbers: Array, weights: Array | None
    ) -> Array:
        """Return the inputs of the m rows of all tables, by the mean and spread of the first's.

        Only those of numbers have a spread.  A part of the rows is in float64 at a time.
        """
        dtype = np.float32 if m * len(numbers) > LARGE else np.float64
        inputs = np.empty((m, len(numbers)), dtype)
        first = 0
        for table in tables:
            for encoded in self._parts(table):
                inputs[first : first + len(encoded)] = encoded
                first += len(encoded)
        of = rows_of(tables[0])
        parts = [slice(at, min(at + ROWS, of)) for at in range(0, of, ROWS)]
        w = np.ones(of) if weights is None else weights[:of]
        total, weight = np.sum([sums(inputs[part], w[part]) for part in parts], axis=0)
        mean = total / weight
        spread = np.sum([squares(inputs[part], mean, w[part]) for part in parts], axis=0) / weight
        scaling = Scaling.of(mean, spread)
        self.scaling_ = replace(scaling, scale=np.where(numbers, scaling.scale, 1.0))
        for at in range(0, m, ROWS):
            inputs[at : at + ROWS] = self.scaling_.apply(inputs[at : at + ROWS])
        return inputs

    def _parts(self, contents: Contents) -> Iterator[Array]:
        """Return the inputs of some rows at a time, not yet standardised."""
        for first in range(0, rows_of(contents), ROWS):
            some = {name: v[first : first + ROWS] for name, v in contents.table.items()}
            yield self._encoded(replace(contents, table=some), first)

    def _encoded(self, contents: Contents, first: int = 0) -> Array:
        """Return the inputs of the network, not yet standardised, of rows from `first` on."""
        m = rows_of(contents)
        rows = np.arange(first + 1, first + m + 1)
        return self.encoder_.encode(contents.table, NAME, rows, part=True)[0]

    def _weights(self, y: Array, sample_weight: Any) -> Array | None:
        """Return the weight of each row, at least 1 in the mean, as lambda is made for."""
        if sample_weight is None:
            return None
        return at_least_one(_check_sample_weight(sample_weight, y, ensure_non_negative=True))

    def _by_class(self, y: Array, weights: Array | None) -> Array | None:
        """Return the weights times those of the classes."""
        return weights

    def _splits(self, y: Array, groups: Any, counts: Array) -> Splits:
        """Return the rows that each member is trained on, and those that it is tried on."""
        rows = np.arange(len(y))
        if not isinstance(self.cv, Integral):
            cv = self.cv
            given = cv.split(np.zeros((len(y), 1)), y, groups) if hasattr(cv, "split") else cv
            splits = [(rows[some], rows[others]) for some, others in given]
        else:
            rng = np.random.default_rng(check_random_state(self.random_state).randint(2**30))
            folds = np.full(len(y), -1)
            if groups is None:
                folds[counts] = even_folds(y[counts], int(self.cv), rng)
            else:
                names, group = np.unique(np.asarray(groups)[counts], return_inverse=True)
                if len(names) < 2:
                    raise ValueError("groups has one group only, and members are tried on another")
                folds[counts] = even_folds(np.arange(len(names)), int(self.cv), rng)[group]
            splits = [(rows[folds != j], rows[folds == j]) for j in range(int(folds.max()) + 1)]
        splits = [(some[counts[some]], others[counts[others]]) for some, others in splits]
        if not splits or not all(len(part) for split in splits for part in split):
            raise ValueError("cv has a split without a row of weight above 0 on one of its sides")
        return splits

    def _predicted(self, X: Any) -> Array:
        """Return h for each row, of shape (m, K)."""
        inputs = self._at_once(X)
        if inputs is not None:
            return self._hypothesis(inputs)
        check_is_fitted(self)
        found = list(map(self._hypothesis, self._parts(self._table(X, reset=False))))
        return found[0] if len(found) == 1 else np.vstack(found)

    def _at_once(self, X: Any) -> Array | None:
        """Return the inputs of a few rows of numbers, which need no ceremony."""
        own = self.__dict__
        numbers: pieces.Numbers | None = own.get("_numbers")
        if not (
            numbers is not None
            and type(X) is np.ndarray
            and X.dtype == np.float64
            and X.ndim == 2
            and 0 < len(X) <= ROWS
            and "feature_names_in_" not in own
            and X.shape[1] == self.n_features_in_
        ):
            return None
        return numbers.encode(X)

    def _hypothesis(self, encoded: Array) -> Array:
        """Return h; what is given is standardised in its place."""
        encoded -= self.scaling_.mean
        encoded /= self.scaling_.scale
        inputs = encoded.astype(self.theta_.dtype, copy=False)
        return predict(self.network_, self.theta_, inputs, threads=self.threads)

    def importances(
        self, X: Any, y: Any, *, repeats: int = 5, random_state: Any = 0
    ) -> Importances:
        """Return by how much the mean cost J rises when a column is shuffled.

        The cost is the log loss, or half the squared error of standardised numbers.

        Parameters
        ----------
        X, y : as in `fit`
            Rows that it was not fitted on.
        repeats : int, default=5
            How often each column is shuffled.
        random_state : int, RandomState or None, default=0
            Of the shuffles.

        Returns
        -------
        chainrule.evaluation.importance.Importances

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> X = {"told": rng.normal(size=200), "noise": rng.normal(size=200)}
        >>> net = TableRegressor(cv=2, hidden=4).fit(X, X["told"] ** 2)
        >>> net.importances(X, X["told"] ** 2).names
        ('told', 'noise')
        """
        check_is_fitted(self)
        encoded, Y = self._encoded(self._table(X, reset=False)), self._columns(self._targets(y))
        check_consistent_length(encoded, Y)

        def cost(inputs: Array) -> float:
            inputs = self.scaling_.apply(inputs).astype(self.theta_.dtype, copy=False)
            z = forward(self.network_, self.theta_, inputs, threads=self.threads)[1]
            return float(np.mean(self.network_.cost.per_example(z, Y)))

        columns = self.encoder_.columns
        ends = np.cumsum([len(column.inputs) for column in columns])
        inputs = {
            column.name: np.arange(end - len(column.inputs), end)
            for column, end in zip(columns, ends, strict=True)
        }
        seed = int(check_random_state(random_state).randint(2**30))
        return by_shuffling(cost, encoded, inputs, repeats=repeats, seed=seed)

    @property
    def notes_(self) -> list[str]:
        """What was decided about the columns, in sentences."""
        check_is_fitted(self)
        return pieces.notes(self.encoder_.columns, self.left_out_)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to a model file, which the command and `load` read.

        Not in it are ``committee_``, the callback, and a ``cv`` that is no number.

        Parameters
        ----------
        path : path
            Usually ``something.safetensors``.

        Raises
        ------
        chainrule.model_file.ModelFileError
            If it cannot be written.
        """
        model_file.save(path, self.to_model())

    def to_model(self) -> Model:
        """Return what `save` writes: the network with its columns, as the command has it.

        Returns
        -------
        chainrule.model_file.Model
        """
        check_is_fitted(self)
        named = getattr(self, "feature_names_in_", None)
        asked = self.get_params(deep=False) | {"callback": None}
        if not isinstance(self.cv, Integral):
            asked["cv"] = FOLDS
        options = {
            "estimator": type(self).__name__,
            "parameters": {name: written(name, value) for name, value in asked.items()},
            "columns": list(self.columns_),
            "named": named is not None,
            "left_out": self.left_out_,
            **self._facts(),
        }
        about = Provenance(version=__version__, options=options, J=self.J_)
        return Model(self.network_, self.theta_, self.encoder_, self.scaling_, self._unit(), about)

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
        with saved_by(cls.__name__, path) as model:
            options = model.provenance.options
            self = cls(**{name: read(value) for name, value in options["parameters"].items()})
            self._validate_params()
            self.network_, self.theta_ = model.network, model.theta
            if model.scaling is None:
                raise ValueError("the inputs have no scaling")
            self.encoder_, self.scaling_, self.J_ = model.encoder, model.scaling, model.provenance.J
            self.columns_ = tuple(map(str, options["columns"]))
            if not {column.name for column in self.encoder_.columns} <= {*self.columns_}:
                raise ValueError("an input is none of the columns")
            self.left_out_ = {str(name): str(why) for name, why in options["left_out"].items()}
            self.n_features_in_ = len(self.columns_)
            if options["named"]:
                self.feature_names_in_ = np.array(self.columns_, dtype=object)
            self._learn_facts(options, model)
            self._numbers = pieces.Numbers.among(self.encoder_.columns, self.columns_)
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
    hidden : int, optional
        Hidden units of each member.  Default: 16; of large tables up to 144, where that pays.
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
    J_ : float
        The mean cost of rows by the members that have not seen them, without lambda.
    committee_ : chainrule.training.committee.Committee
        The kinds of members with their lambdas and shares, and what each row's unseen members say.
    columns_ : tuple of str
        All columns of the table.
    left_out_ : dict of str to str
        Those that tell nothing, and why.
    notes_ : list of str
        What was decided about them, in sentences.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        As scikit-learn has them; the latter of tables with names alone.

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
        hidden: int | None = None,
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
        if y.dtype == object:
            missing = [value is None or value != value for value in y.tolist()]
            if any(missing):
                raise ValueError(f"y has no class in row {missing.index(True)}: leave it out")
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        if reset:
            self.classes_ = np.unique(y)
            if len(self.classes_) < 2:
                only = self.classes_[:1].tolist()[0]
                raise ValueError(f"y has one class only, {only!r}: nothing to tell apart")
        if len(new := np.setdiff1d(y, self.classes_)):
            raise ValueError(f"y_val has the class {new[0]}, which is not in y")
        return np.searchsorted(self.classes_, y)

    def _labels(self) -> tuple[int | str, ...]:
        """Return the classes as the command has them: True and 1.0 are 1."""
        return tuple(v if isinstance(v, str) else int(v) for v in self.classes_.tolist())

    def _columns(self, codes: Array) -> Array:
        if len(self.classes_) == 2:
            return codes.astype(np.float64)[:, None]
        return np.eye(len(self.classes_))[codes]

    def _output(self) -> str:
        return "sigmoid" if len(self.classes_) == 2 else "softmax"

    def _by_class(self, y: Array, weights: Array | None) -> Array | None:
        if self.class_weight is None:
            return weights
        by_class: Array = compute_sample_weight(self.class_weight, self.classes_[y])
        return at_least_one(by_class if weights is None else weights * by_class)

    def _unit(self) -> None:
        return None

    def _facts(self) -> dict[str, Any]:
        kind = self.classes_.dtype
        return {"classes": plain(self.classes_), "dtype": None if kind.kind == "U" else kind.str}

    def _learn_facts(self, options: Mapping[str, Any], model: Model) -> None:
        kind = options["dtype"]
        if kind is not None and np.dtype(kind).kind not in "biufO":
            raise ValueError(f"classes are no {kind!r}")
        self.classes_ = np.array(options["classes"], dtype=kind)
        if self.classes_.ndim != 1 or len(self.classes_) != max(2, model.network.K):
            raise ValueError(f"{model.network} does not tell {len(self.classes_)} classes apart")


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
    network_, theta_, encoder_, scaling_, n_iter_, J_, committee_, columns_, left_out_, notes_
        As for `TableClassifier`.
    target_scaling_ : chainrule.datasets.scaling.Scaling
        Of y.
    range_ : (float, float)
        The least and the largest y.
    errors_ : ndarray of shape (1001,)
        Quantiles of the absolute out-of-fold errors over their sizes, by thousandths.
    sizes_ : chainrule.training.error_sizes.ErrorSizes
        How large an error is expected to be.

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
        hidden: int | None = None,
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
        inputs, y, weights, splits = self._fit(X, y, sample_weight, groups, X_val, y_val)
        z = self.committee_.z[:, 0]
        wrong = np.abs(self.target_scaling_.undo(self.committee_.z)[:, 0] - y)
        self.sizes_, sizes = error_sizes(
            inputs, z, wrong / self.target_scaling_.scale[0], splits, threads=self.threads
        )
        tried = ~np.isnan(wrong)
        self.errors_ = np.quantile(
            (wrong / sizes)[tried],
            SHARES,
            weights=None if weights is None else weights[tried],
            method="inverted_cdf",
        )
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
        The bounds are a quantile of the out-of-fold errors away, each in the measure of the size
        that is expected of it by `chainrule.training.error_sizes`: Barber and others, *Predictive
        inference with the jackknife+* (2021), the cross-validated intervals of section 1.2.
        lambda was chosen on the same rows, which makes them a little narrow.
        """
        if interval is None:
            return self._within(self._predicted(X)[:, 0])
        if not isinstance(interval, Real) or not 0 < interval < 1:
            raise ValueError(f"interval must lie between 0 and 1, got {interval!r}")
        check_is_fitted(self)
        answers, sizes = [], []
        for part in self._parts(self._table(X, reset=False)):
            z = self._hypothesis(part)[:, 0]
            answers.append(z)
            sizes.append(self.sizes_.at(part, z))  # which is standardised by now
        guess = self._within(np.concatenate(answers))
        width = self.errors_[math.ceil(interval * (len(SHARES) - 1))] * np.concatenate(sizes)
        return guess, guess - width, guess + width

    def _within(self, z: Array) -> Array:
        """Return answers in y's unit, none beyond those of training."""
        low, high = self.range_
        return np.minimum(np.maximum(self.target_scaling_.undo(z[:, None])[:, 0], low), high)

    def _targets(self, y: Any, *, reset: bool = False) -> Array:
        """Return y as numbers."""
        y = column_or_1d(check_array(y, ensure_2d=False, input_name="y"), warn=True)
        y = np.asarray(y, dtype=np.float64)
        refuse_unusable(y, Place(NAME, "y", np.arange(1, len(y) + 1), what="target"))
        return y

    def _labels(self) -> None:
        return None

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
        sizes = self.sizes_
        return {
            "range": list(self.range_),
            "errors": self.errors_.tolist(),
            "sizes": {"theta": sizes.theta.tolist(), "least": sizes.least, "most": sizes.most},
        }

    def _learn_facts(self, options: Mapping[str, Any], model: Model) -> None:
        if model.target_scaling is None:
            raise ValueError("no scaling of y")
        self.target_scaling_ = model.target_scaling
        low, high = options["range"]
        self.range_ = float(low), float(high)
        self.errors_ = np.array(options["errors"], dtype=np.float64)
        if self.errors_.shape != SHARES.shape or not (np.diff(self.errors_) >= 0).all():
            raise ValueError("errors do not rise")
        if not (np.isfinite(self.errors_).all() and -math.inf < low <= high < math.inf):
            raise ValueError("range or errors are not finite")
        sizes = options["sizes"]
        theta = np.array(sizes["theta"], dtype=np.float64)
        if theta.shape != (model.network.layers[0] + 3,):
            raise ValueError("sizes of errors are not by these inputs")
        self.sizes_ = ErrorSizes(theta, float(sizes["least"]), float(sizes["most"]))
        if not (np.isfinite(theta).all() and -math.inf < self.sizes_.least <= self.sizes_.most):
            raise ValueError("sizes of errors are not finite")


def rows_of(contents: Contents) -> int:
    """Return how many rows a table has."""
    return len(next(iter(contents.table.values())))


def at_least_one(weights: Array) -> Array:
    """Return weights whose mean, over the rows that count, is 1 or more.

    Examples
    --------
    >>> at_least_one(np.array([0.0, 0.1, 0.3])), at_least_one(np.array([0.0, 1.0, 2.0]))
    (array([0. , 0.5, 1.5]), array([0., 1., 2.]))
    """
    return weights * max(1.0, np.count_nonzero(weights) / (weights.sum() or 1.0))


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


def even_folds(y: Array, folds: int, rng: np.random.Generator) -> Array:
    """Return the fold of each row, by chance, so that each fold has its share of every y.

    It is scikit-learn's StratifiedKFold for numbers, and for classes of fewer rows than folds, too.

    Examples
    --------
    >>> y = np.array([5, 7, 5, 7, 7, 5])
    >>> found = even_folds(y, 3, np.random.default_rng(0))
    >>> [sorted(y[found == j].tolist()) for j in range(3)]
    [[5, 7], [5, 7], [5, 7]]
    """
    m = len(y)
    order = np.lexsort((rng.random(m), y))
    folds = min(folds, m)
    found = np.empty(m, dtype=int)
    found[order] = np.concatenate([rng.permutation(folds) for _ in range(-(-m // folds))])[:m]
    return found

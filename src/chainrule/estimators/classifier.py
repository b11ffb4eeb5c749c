"""`MLPClassifier`: labels become columns of zeros and ones, and probabilities labels again."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer, OneHotEncoder
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from chainrule.common.types import Array
from chainrule.engine.blocks import Source
from chainrule.engine.examples import Examples
from chainrule.engine.remote import is_dask, source_of
from chainrule.engine.sums import Tree
from chainrule.estimators.base import BaseMLP, fitting, fitting_in_parts, refuse_beside_source
from chainrule.estimators.coefs import random_theta, with_more_classes
from chainrule.estimators.documentation import documented
from chainrule.estimators.fitted import Labels
from chainrule.estimators.inputs import known_targets, one_column, validated, whole_numbers
from chainrule.estimators.predictor import core_name
from chainrule.estimators.progress import Progress
from chainrule.estimators.sources import (
    Codes,
    Learnt,
    blocks_for,
    in_blocks,
    labels_of,
    weights_of_classes,
)
from chainrule.estimators.stopping import Loss
from chainrule.notes.activations import softplus
from chainrule.notes.costs import COSTS, Cost, softmax
from chainrule.notes.network import Network
from chainrule.optimize import Step


@documented
class MLPClassifier(ClassifierMixin, BaseMLP):
    """A network that tells classes apart: scikit-learn's MLPClassifier, on chainrule's core.

    With scikit-learn's parameters alone, the same ``random_state`` gives the same initial weights,
    the same batches and, up to rounding, the same network.

    Parameters
    ----------
    {parameters}
    output : {'softmax', 'sigmoid'} or Cost, default='softmax'
        For three classes and more: one softmax, or the notes' K logistic units.  Two classes are
        one logistic unit, several labels at once one for each label.
    class_weight : dict, list of dict, 'balanced' or None, default=None
        The weight of each class, times the sample weights.

    Attributes
    ----------
    {attributes}
    classes_ : ndarray of shape (n_classes,), or list of them
        A list where y has several columns of classes.

    See Also
    --------
    MLPRegressor : The same for numbers.

    Notes
    -----
    Notes, *Cost Function*.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier(10, solver="lbfgs", alpha=1, tol=1e-3, random_state=0).fit(X, y)
    >>> net.predict(X[::50])
    array([0, 1, 2])

    A validation set of one's own, another activation for each layer, dropout:

    >>> net = MLPClassifier((10, 5), activation=("tanh", "elu"), dropout=0.1, early_stopping=True,
    ...                     scoring="neg_log_loss", learning_rate_init=0.01, random_state=0)
    >>> net.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2]).score(X, y) > 0.9
    True
    """

    classes_: Any

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseMLP._parameter_constraints,
        "output": [StrOptions({"softmax", "sigmoid"}), Cost],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        output: Any = "softmax",
        class_weight: Any = None,
        l1_ratio: float = 0.0,
        output_weights: Any = None,
        dropout: float | Sequence[float] = 0.0,
        scoring: Any = None,
        callback: Callable[[Step], Any] | None = None,
        n_restarts: int = 1,
        average: bool = False,
        theta: Any = None,
        transform_layer: int | None = None,
        check_gradient: bool | None = None,
        dtype: Any = None,
        threads: int | None = None,
        engine: str | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.output = output
        self.class_weight = class_weight
        self.l1_ratio = l1_ratio
        self.output_weights = output_weights
        self.dropout = dropout
        self.scoring = scoring
        self.callback = callback
        self.n_restarts = n_restarts
        self.average = average
        self.theta = theta
        self.transform_layer = transform_layer
        self.check_gradient = check_gradient
        self.dtype = dtype
        self.threads = threads
        self.engine = engine
        self.checkpoint = checkpoint

    @fitting
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Source
            A source is a table with its target, read in blocks; so are the rows that `predict`,
            `predict_proba`, `transform` and `score` may be given.  Give no y and no sample_weight
            beside it.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Classes; an indicator matrix for several labels at once, with NaN where nobody knows; or
            several columns of classes.
        sample_weight : array-like of shape (n_samples,), optional
            2 is the same as the row twice; rows of weight 0 are left out.
        X_val, y_val : as X and y, optional
            Validation rows, instead of those that early stopping would set aside.
        sample_weight_val : array-like of shape (n_samples,), optional
            Their weights, in the validation loss and in the score.

        Returns
        -------
        MLPClassifier
            Itself.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    @fitting_in_parts
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Go once over these rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
        classes : array-like of shape (n_classes,), or list of them, optional
            All the classes, a list where y has several columns of classes; needed in the first
            call.  Where y is one column, a later call may name more: the network gets units for
            them, tells the old classes apart as before, and the optimizer's memory starts anew.
        X_val, y_val, sample_weight_val : optional
            Validation rows, as in `fit`; early stopping needs them, see ``stopped_early_``.

        Returns
        -------
        MLPClassifier
            Itself.
        """
        if not hasattr(self, "classes_"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            self._learn_all_classes(y, classes)
        elif classes is not None:
            known = self.classes_ if self._several else [self.classes_]
            given = list(classes) if self._several else [classes]
            if len(known) != len(given) or not all(
                np.array_equal(of_column, np.unique(new))
                for of_column, new in zip(known, given, strict=True)
            ):
                self._learn_more_classes(X, np.unique(classes) if self._kind == "classes" else None)
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val, incremental=True)

    def _learn_more_classes(self, X: Any, classes: Array | None) -> None:
        """Let the network have units for more classes than it has learnt, if these are more."""
        if classes is None or len(np.setdiff1d(self.classes_, classes)):
            raise ValueError(
                f"classes is not the same as on the last call to partial_fit: {self.classes_}; "
                "where y is one column it may name more, but must name these"
            )
        if not hasattr(self, "coefs_"):  # the first call has failed
            self._learn_classes(classes)
            return
        network, theta = self._current()
        self._inputs(X)  # a call that X makes fail changes nothing
        places = np.searchsorted(classes, self.classes_)
        self._learn_classes(classes)
        grown = self._network(network.layers[0], 1 if len(classes) < 3 else len(classes))
        rng = check_random_state(self.random_state)

        def more(theta: Array) -> Array:
            start = random_theta(grown, rng, core_name(self.activation))
            return with_more_classes(network, theta, grown, start, places)

        members = [Progress.going_on(theta, self.early_stopping, vars(self)), *self._committee]
        best, *self._committee = [
            replace(member.anew(self.early_stopping), theta=more(member.theta))
            for member in members
        ]
        self._optimizer = None
        self._publish(grown, best)

    @in_blocks
    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Sparse where y was: an indicator matrix of several labels.
        """
        h = self._hypothesis(X)
        if self._several or len(self.classes_) < 2 or self._multilabel:
            labels = self._label_binarizer.inverse_transform(h)
            return labels if issparse(labels) else np.asarray(labels)
        if h.shape[1] == 1:
            codes = (h[:, 0] > 0.5).astype(np.intp)
        else:
            codes = self._shares(h, X).argmax(axis=1)
        return np.asarray(self.classes_[codes])

    @in_blocks
    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            Rows add up to 1, except for several labels at once.  With ``output='sigmoid'``, those
            of K logistic units are divided by their sum.  A list where y has several columns of
            classes.
        """
        h = self._hypothesis(X)
        if h.shape[1] == 1:
            both = np.empty((len(h), 2), h.dtype)
            np.subtract(1, h[:, 0], out=both[:, 0])
            both[:, 1] = h[:, 0]
            return both
        if self._several:
            sizes = [len(classes) for classes in self.classes_]
            return np.split(h, np.cumsum(sizes)[:-1], axis=1)
        return h if self._multilabel else self._shares(h, X)

    def _shares(self, h: Array, X: Any) -> Array:
        """Return the probabilities of K classes, which add up to 1.

        Of K logistic units h_k is divided by the sum of all.  Far from the data each may be too
        small for a number: then by way of log(h_k) = -softplus(-z_k).
        """
        if self.out_activation_ == "softmax":
            return h
        total = h.sum(axis=1, keepdims=True)
        p = np.divide(h, total, out=np.full_like(h, 1 / h.shape[1]), where=total > 0)
        lost = np.flatnonzero(total[:, 0] < np.sqrt(np.finfo(h.dtype).tiny))
        if len(lost) and self.network_.cost is COSTS["sigmoid"]:
            z = self._outputs(self._inputs(X)[lost])
            logs = np.logaddexp.reduce([-softplus(-z_i) for z_i in z], axis=0)
            p[lost] = softmax(logs)
        return p

    def score(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return which part of the rows is right; where y has several columns, in all of them.

        A label that is NaN is neither right nor wrong.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_columns)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        float

        Examples
        --------
        >>> X, y = [[0.0], [1.0]], [["no", "a"], ["yes", "b"]]
        >>> MLPClassifier(4, solver="lbfgs", random_state=0).fit(X, y).score(X, y)
        1.0
        """
        check_is_fitted(self)
        if is_dask(X):
            X, y, sample_weight = source_of(X, y, sample_weight), None, None
        if isinstance(X, Source):
            refuse_beside_source(y=y, sample_weight=sample_weight)
            return self._score_of_source(X)
        filled, known = known_targets(y)
        if known is not None:
            right = ((np.asarray(self.predict(X)) == filled) | ~known).all(axis=1)
            seen = known.any(axis=1)
            each = seen if sample_weight is None else seen * np.asarray(sample_weight)
            return float(np.average(right, weights=each))
        if not self._several:
            return float(super().score(X, whole_numbers(y), sample_weight))
        right = (np.asarray(self.predict(X)) == np.asarray(y)).all(axis=1)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        return float(np.average(right, weights=weights))

    def _score_of_source(self, source: Source) -> float:
        """Return which part of the rows is right, from the sums over blocks."""
        tree = Tree()
        labels = None if source.classes is None else np.array(source.classes)
        for i, (X, y, weights) in enumerate(blocks_for(self, source)):
            right = self.predict(X) == (y if labels is None else labels[y])
            w = np.ones(len(right)) if weights is None else np.asarray(weights, np.float64)
            tree.add(i, (float((w * right).sum()), float(w.sum())))
        right, total = tree.total()
        return float(right / total)

    @in_blocks
    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
        """
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):  # a probability may be 0
            return [np.log(p_j) for p_j in p] if isinstance(p, list) else np.log(p)

    def input_gradient(self, X: Any, output: Any = None) -> Array:
        """Return how much each input pushes a class: the derivative of its z(L) by the inputs.

        Two classes share one z(L): what pushes the second holds the first back.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        output : int or array-like of shape (n_samples,), optional
            Which class, by its place in ``classes_`` (with several columns of classes, which output
            unit).  Default: for each row the one predicted.

        Returns
        -------
        ndarray of shape (n_samples, n_features)

        Examples
        --------
        >>> X, y = np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]), [0, 0, 1, 1]
        >>> net = MLPClassifier(3, solver="lbfgs", random_state=0).fit(X, y)
        >>> np.sign(net.input_gradient(X)[:, 0])
        array([-1., -1.,  1.,  1.])
        """
        check_is_fitted(self)
        X = self._inputs(X)
        h = self._hypothesis(X)
        if h.shape[1] > 1:
            return self._saliency(X, h.argmax(axis=1) if output is None else output)
        k = np.asarray(h[:, 0] > 0.5 if output is None else output)
        if not np.isin(k, (0, 1)).all():
            raise ValueError(f"output must be 0 or 1, the place of a class, got {output!r}")
        return np.where(k == 1, 1, -1).reshape(-1, 1) * self._saliency(X, 0)

    # ------------------------------------------------------------------ labels and columns

    @property
    def _several(self) -> bool:
        """Whether y has several columns of classes."""
        return isinstance(self.classes_, list)

    @property
    def _kind(self) -> str:
        if self._several:
            return "several columns"
        return "several labels" if self._multilabel else "classes"

    @property
    def _multilabel(self) -> bool:
        return not self._several and self._label_binarizer.y_type_.startswith("multilabel")

    def _encode(
        self, X: Any, y: Any, *, incremental: bool, reset: bool
    ) -> tuple[Any, Array, Array]:
        y, known = known_targets(whole_numbers(y))
        X, y = validated(self, X, y, reset=reset, multi_output=True)
        y = one_column(y)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._learn_classes(y)
        elif not self._several:
            kind_of_labels(y)
            classes = unique_labels(y)
            if self.warm_start and set(classes) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the "
                    f"previous call to fit. Previously got {self.classes_}, `y` has {classes}"
                )
            if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
                raise ValueError(
                    f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}."
                    f" 'y' has {classes}; partial_fit(classes=) may name more classes."
                )
        if self.output_weights is not None and not self._multilabel:
            raise ValueError(
                "output_weights is for several labels at once: class_weight weighs classes"
            )
        return X, *self._known(y, known)

    def _learnt(self, source: Source, *, reset: bool) -> Learnt:
        """Return the source of codes; learn the classes, if need be from a pass over the table."""
        if reset:
            stored = source.classes
            self._learn_classes(labels_of(source) if stored is None else np.array(stored))
        if self._kind != "classes" or source.K > 1:
            raise ValueError("several columns of classes are learnt from arrays: give X and y")
        learn = Codes(self.classes_, source.classes)
        K = len(self.classes_)
        if isinstance(self.class_weight, str):  # "balanced"
            each = weights_of_classes(source, learn)
            present = np.maximum(each, np.finfo(float).tiny)
            learn.by_class = each.sum() / (np.count_nonzero(each) * present)
        elif self.class_weight is not None:
            learn.by_class = compute_sample_weight(self.class_weight, self.classes_)
        return Learnt(source, learn, 1 if K < 3 else K)

    def _known(self, y: Any, known: Array | None) -> tuple[Any, Array]:
        """Return y and its columns, with NaN again where a label is unknown."""
        Y = self._columns(y)
        if known is None:
            return y, Y
        if not self._multilabel or self.class_weight is not None:
            raise ValueError(
                "y has NaN: labels may be unknown where several are given at once, as 0 and 1, and "
                "without class_weight; leave those rows out"
            )
        return np.where(known, y, np.nan), np.where(known, Y, np.nan)

    def _learn_classes(self, y: Any) -> None:
        kind = kind_of_labels(y)
        if kind == "multiclass-multioutput":
            self._learn_columns([np.unique(column) for column in y.T])
        else:
            if kind == "multilabel-indicator" and isinstance(y, np.ndarray):
                y = np.eye(y.shape[1], dtype=int)  # all there is to learn is how many labels
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_

    def _learn_all_classes(self, y: Any, classes: Any) -> None:
        """Learn the classes that `partial_fit` is told of."""
        if any(np.ndim(of_column) for of_column in classes):
            self._learn_columns([np.unique(of_column) for of_column in classes])
            return
        labels = y is not None and type_of_target(y).startswith("multilabel")
        self._label_binarizer = LabelBinarizer().fit(y if labels else classes)
        self.classes_ = np.unique(classes)

    def _learn_columns(self, columns: list[Array]) -> None:
        """Learn the classes of each of several columns, sorted."""
        few = [j for j, classes in enumerate(columns) if len(classes) < 2]
        if few:
            raise ValueError(f"column {few[0]} of y has one class only: leave it out")
        width = max(map(len, columns))
        rows = np.column_stack([np.resize(classes, width) for classes in columns])
        encoder = OneHotEncoder(categories=columns, sparse_output=False, dtype=bool)
        self._label_binarizer = encoder.fit(rows)
        self.classes_ = columns

    def _labels(self) -> Labels:
        return Labels(self._kind, self.classes_)

    def _learn_labels(self, labels: Labels) -> None:
        """Learn the classes that a model file tells of."""
        if labels.kind == "several columns":
            self._learn_columns(labels.classes)
        elif labels.kind == "several labels":
            self._learn_classes(np.eye(len(labels.classes), dtype=int))
        else:
            self._learn_classes(labels.classes)

    def _columns(self, y: Any) -> Array:
        """Return y as an (m, K) array of bool."""
        Y = self._label_binarizer.transform(y)
        Y = Y.toarray() if hasattr(Y, "toarray") else np.asarray(Y)
        return Y.astype(bool).reshape(len(Y), -1)

    def _encode_validation(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        y, known = known_targets(whole_numbers(y))
        X, y = validated(self, X, y, reset=False, multi_output=True)
        if not self._several and not self._multilabel:
            new = np.setdiff1d(y, self.classes_)
            if len(new):
                raise ValueError(f"y_val has the class {new[0]}, which is not in y")
        return X, *self._known(y, known)

    def _output(self) -> str | Cost:
        if isinstance(self.output, Cost):
            return self.output
        if self._several:
            return "softmax:" + ",".join(str(len(classes)) for classes in self.classes_)
        several_units = self._label_binarizer.y_type_ == "multiclass"
        return "softmax" if several_units and self.output == "softmax" else "sigmoid"

    def _strata(self, Y: Array) -> Array | None:
        if self._several or self._multilabel:
            return None
        if Y.shape[1] == 1:
            return Y
        codes = Y.argmax(axis=1)
        counts = np.bincount(codes)
        codes[counts[codes] == 1] = counts.argmax()  # of a single row there are no shares
        m, classes = len(codes), np.count_nonzero(counts > 1)
        in_validation = math.ceil(self.validation_fraction * m)
        return codes if classes <= min(in_validation, m - in_validation) else None

    def _loss(self, network: Network, rows: Examples) -> Loss:
        return Loss(scale=1.0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def kind_of_labels(y: Any) -> str:
    """Return what scikit-learn calls the kind of these labels; refuse what are no classes.

    Examples
    --------
    >>> kind_of_labels(np.array([0, 2, 1]))
    'multiclass'
    """
    kind = str(type_of_target(y, input_name="y"))
    if kind.startswith("continuous"):
        raise ValueError(
            "Unknown label type: y holds numbers with a fraction, which are no classes: "
            "MLPRegressor predicts numbers"
        )
    if kind == "unknown":
        raise ValueError(
            "Unknown label type: y must be whole numbers or text, all of one kind, one for each row"
        )
    return kind

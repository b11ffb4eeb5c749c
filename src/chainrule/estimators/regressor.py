"""`MLPRegressor`: numbers, counts and quantiles."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from chainrule.common.types import Array
from chainrule.datasets.scaling import Scaling
from chainrule.engine import passes
from chainrule.engine.blocks import Source
from chainrule.engine.examples import Examples
from chainrule.engine.remote import is_dask, source_of
from chainrule.engine.rows import dense
from chainrule.engine.sums import Sums, Tree, summed
from chainrule.estimators.base import BaseMLP, fitting, fitting_in_parts, refuse_beside_source
from chainrule.estimators.documentation import documented
from chainrule.estimators.inputs import known_targets, one_column, validated
from chainrule.estimators.sources import Learnt, Numbers, blocks_for, in_blocks, mean_weight
from chainrule.estimators.stopping import Loss
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.notes.backprop import by_output
from chainrule.notes.costs import Cost, find_cost
from chainrule.notes.network import Network
from chainrule.optimize import Step

OUTPUTS = {"squared_error": "identity", "poisson": "exp", "absolute_error": "absolute"}


@documented
class MLPRegressor(RegressorMixin, BaseMLP):
    """A network that predicts numbers: scikit-learn's MLPRegressor, on chainrule's core.

    With scikit-learn's parameters alone, the same ``random_state`` gives the same initial weights,
    the same batches and, up to rounding, the same network.

    Parameters
    ----------
    loss : str or Cost, default='squared_error'
        ``'squared_error'`` (half of it, its mean over several outputs), ``'poisson'`` (half the
        deviance; h = e^z), ``'absolute_error'``, ``'huber'``, ``'quantile'``; or a
        `chainrule.notes.costs.Cost` of your own.
    {parameters}
    quantile : float or sequence of float, default=0.5
        The levels of ``loss='quantile'``, rising.  Several are learnt at once and never cross.
    huber_threshold : float, default=1.0
        The error from which on ``loss='huber'`` is straight, in the units of y, or with scale_y of
        its standard deviation.
    weights_as : {'counts', 'precisions'}, default='counts'
        What sample weights mean.  A count of 3 is the row three times.  A precision is
        1 / sigma^2 of the row's noise, up to a common factor: however large all of them are, there
        are as many rows as there are.  ``'br'``, error bars and the share of alpha depend on it.
    scale_y : bool, default=False
        Whether the network learns y less its mean, divided by its standard deviation.  `predict`,
        `score` and error bars are in y's own units; ``coefs_``, alpha and the losses belong to the
        scaled y.  `partial_fit` and warm starts keep the scale of the first fit.

    Attributes
    ----------
    {attributes}

    See Also
    --------
    MLPClassifier : The same for classes.

    Notes
    -----
    Notes, *Bonus: NN for linear systems*.

    Examples
    --------
    >>> X = np.linspace(0, 1, 50)[:, None]
    >>> y = np.sin(6 * X[:, 0])
    >>> net = MLPRegressor(hidden_layer_sizes=10, activation="tanh", solver="lbfgs",
    ...                    max_iter=1000, random_state=0)
    >>> net.fit(X, y).score(X, y) > 0.99
    True

    The middle and a band around it, from one network:

    >>> net.set_params(loss="quantile", quantile=[0.1, 0.5, 0.9]).fit(X, y).predict(X).shape
    (50, 3)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions({*OUTPUTS, "huber", "quantile"}), Cost],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "weights_as": [StrOptions({"counts", "precisions"})],
        "scale_y": ["boolean"],
        "huber_threshold": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        loss: Any = "squared_error",
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
        quantile: float | Sequence[float] = 0.5,
        huber_threshold: float = 1.0,
        weights_as: str = "counts",
        scale_y: bool = False,
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
        self.loss = loss
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
        self.quantile = quantile
        self.huber_threshold = huber_threshold
        self.weights_as = weights_as
        self.scale_y = scale_y
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
            `transform` and `score` may be given.  Give no y and no sample_weight
            beside it.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            With several columns NaN is a number that nobody knows: it counts nothing.
        sample_weight : array-like of shape (n_samples,), optional
            2 is the same as the row twice, unless ``weights_as`` says otherwise; rows of weight 0
            are left out.
        X_val, y_val : as X and y, optional
            Validation rows, instead of those that early stopping would set aside.
        sample_weight_val : array-like of shape (n_samples,), optional
            Their weights, in the validation loss and in the score.

        Returns
        -------
        MLPRegressor
            Itself.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    @fitting_in_parts
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
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
        X_val, y_val, sample_weight_val : optional
            Validation rows, as in `fit`; early stopping needs them, see ``stopped_early_``.

        Returns
        -------
        MLPRegressor
            Itself.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val, incremental=True)

    @in_blocks
    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the prediction for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return, as well, the standard deviation of a new y: of the noise and of the
            prediction together, see `chainrule.ErrorBars`.  After a fit with ``solver='lm'`` or
            ``'br'``.  With ``weights_as='precisions'`` that of a y of mean weight; with
            ``average=True`` how far the networks differ is part of it.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            With q levels of ``loss='quantile'``: q columns for each output, rising.
        std : ndarray of the same shape
            With ``return_std``.

        Examples
        --------
        >>> X = np.linspace(-3, 3, 60)[:, None]
        >>> y = np.sin(X[:, 0]) + 0.1 * np.random.default_rng(0).normal(size=60)
        >>> net = MLPRegressor(hidden_layer_sizes=8, activation="tanh", solver="br",
        ...                    random_state=0).fit(X, y)
        >>> _, std = net.predict(X, return_std=True)
        >>> bool(0.08 < std.mean() < 0.12)
        True
        """
        h = self._hypothesis(X)
        predicted = h[:, 0] if h.shape[1] == 1 else h
        if not return_std:
            return predicted
        bars = self._bars()
        spreads = [of_one.predict(dense(self._inputs(X))) for of_one in bars]
        variance = np.mean([std**2 for _, _, std in spreads], axis=0)
        if len(bars) > 1:  # of a mixture: the mean variance, and the variance of the means
            variance += np.var([h for h, _, _ in spreads], axis=0)
        return predicted, (self._scale_of_y * np.sqrt(variance)).reshape(predicted.shape)

    def _bars(self) -> list[ErrorBars]:
        """Return the error bars of each network whose mean predicts, or say why there are none."""
        how = "chainrule.ErrorBars.at makes error bars from network_, theta_ and a training set"
        bars = getattr(self, "_error_bars", [])
        if isinstance(bars, ValueError):
            raise bars
        if not bars:
            raise ValueError(
                f"return_std=True needs an estimator fitted here with solver='lm' or 'br'; {how}"
            )
        if not np.array_equal(bars[0].theta, self.theta_):
            raise ValueError(
                f"coefs_ or intercepts_ were changed after the fit, return_std knows the weights "
                f"of the fit: fit again; {how}"
            )
        return bars

    def score(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return R2; with several quantiles, which part of the pinball loss they do away with.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        float
            Of several outputs their mean, each in the rows in which it is known.  At most 1; 0 for
            a constant.  With several quantiles the mean of their
            `sklearn.metrics.d2_pinball_score`.

        Examples
        --------
        >>> import numpy as np
        >>> X = np.linspace(0, 1, 50)[:, None]
        >>> net = MLPRegressor("quantile", 4, solver="lbfgs", random_state=0, quantile=[0.1, 0.9])
        >>> bool(net.fit(X, X[:, 0]).score(X, X[:, 0]) > 0.8)
        True
        """
        if is_dask(X):
            X, y, sample_weight = source_of(X, y, sample_weight), None, None
        if isinstance(X, Source):
            refuse_beside_source(y=y, sample_weight=sample_weight)
            return self._score_of_source(X)
        y, known = known_targets(y)
        if known is not None:
            return self._score_of_known(X, y, known, sample_weight)
        if self._levels == 1:
            return float(super().score(X, y, sample_weight))
        y = np.asarray(y).reshape(len(y), -1)
        h = self._hypothesis(X).reshape(len(y), y.shape[1], -1)
        scores = [
            d2_pinball_score(y, h[..., q], sample_weight=sample_weight, alpha=level)
            for q, level in enumerate(np.ravel(self.quantile))
        ]
        return float(np.mean(scores))

    def _score_of_source(self, source: Source) -> float:
        """Return R2, from the sums over blocks."""
        if self._levels > 1:
            raise ValueError("of several quantiles, arrays alone have a score: give X and y")
        tree, origin = Tree(), None
        for i, (X, y, weights) in enumerate(blocks_for(self, source)):
            Y = y.reshape(len(y), -1).astype(np.float64)
            w = np.ones((len(Y), 1)) if weights is None else by_output(weights, np.float64)
            w = np.where(np.isnan(Y), 0, w)
            Y = np.nan_to_num(Y)
            origin = Y.mean(axis=0) if origin is None else origin  # differences cancel less
            off, missed = Y - origin, Y - self._hypothesis(X).astype(np.float64)
            tree.add(
                i, tuple((w * v).sum(axis=0) for v in (np.ones_like(Y), off, off**2, missed**2))
            )
        total, first, second, missed = tree.total()
        spread = second - first**2 / total
        return float(np.mean(np.where(spread > 0, 1 - missed / spread, missed == 0)))

    def _score_of_known(self, X: Any, y: Array, known: Array, sample_weight: Any) -> float:
        """Return the mean over the outputs of what each scores in the rows where it is known."""
        check_is_fitted(self)
        h = self._hypothesis(X).reshape(len(y), y.shape[1], -1)
        w = None if sample_weight is None else np.asarray(sample_weight)
        scores = [
            d2_pinball_score(y[rows, j], h[rows, j, q], sample_weight=of_rows, alpha=level)
            if self._levels > 1
            else r2_score(y[rows, j], h[rows, j, q], sample_weight=of_rows)
            for j, rows in enumerate(known.T)
            for of_rows in (None if w is None else w[rows],)
            for q, level in enumerate(np.ravel(self.quantile)[: self._levels])
        ]
        return float(np.mean(scores))

    def input_gradient(self, X: Any, output: Any = 0) -> Array:
        """Return how the prediction changes with each input.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        output : int or array-like of shape (n_samples,), default=0
            Which output unit.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The derivative of z(L): of the prediction itself, of its logarithm for
            ``loss='poisson'``.

        Examples
        --------
        >>> X = np.array([[0.0, 3.0], [1.0, 4.0], [2.0, 3.0]])
        >>> net = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, tol=1e-8,
        ...                    random_state=0).fit(X, 2 * X[:, 0])
        >>> bool(np.allclose(net.input_gradient(X), [2, 0], atol=1e-3))
        True
        """
        check_is_fitted(self)
        scale = np.broadcast_to(self._scale_of_y, self.network_.K)
        return self._saliency(self._inputs(X), output) * scale[output][..., None]

    # ------------------------------------------------------------------ targets and columns

    def _encode(
        self, X: Any, y: Any, *, incremental: bool, reset: bool
    ) -> tuple[Any, Array, Array]:
        refuse_dates(y)
        y, known = known_targets(y)
        X, y = validated(self, X, y, reset=reset, multi_output=True, y_numeric=True)
        y = one_column(y if isinstance(y, np.ndarray) else y.toarray())
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(f"loss='poisson' needs y >= 0, got {y.min():g}")
        if known is not None:
            y = np.where(known, y, np.nan)
        return X, y, np.repeat(y.reshape(len(y), -1), self._levels, axis=1)

    def _learnt(self, source: Source, *, reset: bool) -> Learnt:
        if reset:
            self._y_scaling = None
            if self.scale_y:
                self._refuse_scaling()
                self._y_scaling = passes.target_scaling(source)
        share = 1.0
        if source.weighted and self.weights_as != "counts":
            share = 1 / mean_weight(source)
        learn = Numbers(self._levels, self._y_scaling, self.output_weights, share)
        return Learnt(source, learn, source.K * self._levels)

    def _as_counts(self, weights: Array | None) -> Array | None:
        if weights is None or self.weights_as == "counts":
            return weights
        return np.asarray(weights / weights.mean())

    def _learn_scale(self, Y: Array, weights: Array | None) -> Array:
        self._y_scaling = None
        if self.scale_y:
            self._refuse_scaling()
            self._y_scaling = Scaling.fit(Y, weights)
        return self._to_scale(Y)

    def _refuse_scaling(self) -> None:
        """Refuse scale_y where the cost needs y as it is."""
        output = self._output()
        cost = output if isinstance(output, Cost) else find_cost(output)
        if cost.targets != "numbers":
            raise ValueError(
                f"scale_y=True is for losses of numbers, and {self.loss!r} needs y as it is"
            )

    def _to_scale(self, Y: Array) -> Array:
        scaling = self._y_scaling
        return Y if scaling is None else scaling.apply(Y.astype(np.float64))

    @property
    def _scale_of_y(self) -> Any:
        """What a step of 1 of the network's outputs is, in the units of y."""
        scaling = self._y_scaling
        return 1.0 if scaling is None else scaling.scale

    def _hypothesis(self, X: Any) -> Array:
        h = super()._hypothesis(X)
        scaling = self._y_scaling
        return h if scaling is None else scaling.undo(h).astype(h.dtype)

    def _encode_validation(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        return self._encode(X, y, incremental=False, reset=False)

    def _labels(self) -> None:
        """Numbers have none."""

    @property
    def _levels(self) -> int:  # type: ignore[override]
        """How many units each column of y has."""
        return np.size(self.quantile) if self.loss == "quantile" else 1

    def _output(self) -> str | Cost:
        if self.loss == "huber":
            return f"huber:{float(self.huber_threshold)!r}"
        if self.loss == "quantile":
            levels = np.atleast_1d(np.asarray(self.quantile, dtype=np.float64)).tolist()
            return "quantile:" + ",".join(map(repr, levels))
        return self.loss if isinstance(self.loss, Cost) else OUTPUTS[self.loss]

    def _loss(self, network: Network, rows: Examples) -> Loss:
        """Return scikit-learn's loss, a mean over the outputs where J is a sum.

        Its Poisson loss is half the deviance: another part of it no theta changes.
        """
        if self.loss != "poisson":
            return Loss(1.0 / network.K)
        from scipy.special import xlogy

        def of_block(i: int, _: int) -> Sums:
            _, Y, weights = rows.block(i)
            w = 1.0 if weights is None else by_output(weights, np.float64)
            return ((w * (xlogy(Y, Y) - Y)).sum(),)

        (constant,) = summed(rows.n_blocks, of_block)
        return Loss(1.0, float(constant / rows.m))


def refuse_dates(y: Any) -> None:
    """Raise ValueError where y holds dates, times or spans of time.

    Examples
    --------
    >>> refuse_dates(np.array(["2024-02-29"], dtype="datetime64[D]"))
    Traceback (most recent call last):
        ...
    ValueError: y holds dates or times; MLPRegressor predicts numbers: give, for example, days ...
    """
    values = np.asarray(y)
    if values.dtype.kind in "mM" or (
        values.dtype == object and any(isinstance(v, (date, time, timedelta)) for v in values.flat)
    ):
        raise ValueError(
            "y holds dates or times; MLPRegressor predicts numbers: give, for example, days since "
            "a first day, (y - y.min()) / numpy.timedelta64(1, 'D')"
        )

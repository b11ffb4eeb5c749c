"""What the two estimators share: parameters turned into a network, fitting, and the way back."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Integral, Real
from operator import is_, itemgetter
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np
import sklearn.neural_network
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from chainrule import engine
from chainrule.common.types import Array
from chainrule.engine.rows import DENSE, Rows, blocks_of, dense, multiplied_as_it_is
from chainrule.estimators import files
from chainrule.estimators.fitting import (
    LEAST_SQUARES,
    Ended,
    Progress,
    run_full_batch,
    run_minibatches,
    warn_unless_converged,
)
from chainrule.estimators.picture import svg
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.evaluation.stop_report import stop_report
from chainrule.notes.activations import Activation
from chainrule.notes.backprop import forward, input_gradient
from chainrule.notes.costs import Cost
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks, unroll
from chainrule.training.checked import WrongGradientError, check_before_training
from chainrule.training.steps import lowest

CORE_NAMES = {"logistic": "sigmoid"}  # where scikit-learn calls it otherwise
SKLEARN_NAMES = {core: name for name, core in CORE_NAMES.items()}
STOCHASTIC = ("sgd", "adam")
SOLVERS = ("lbfgs", "cg", "scg", "newton-cg", "gd")  # that see all the rows at once
MOST_NAMES = 5  # of features that an error lists
REPORTED_ROWS = 500  # that the stop report looks at
CHECKED_ROWS = 200  # that the gradient check before the first step chooses among


class Labelled(NamedTuple):
    """Validation examples, with the targets as the user has them for a scorer."""

    X: Any
    y: Any
    Y: Array
    weights: Array | None = None


class BaseMLP(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, CallbackSupportMixin, BaseEstimator
):
    """The shell around a `Network` and its theta that scikit-learn's tools can use.

    A subclass says how targets become columns of numbers and back: ``_encode``, ``_output``,
    ``_loss_scale``, ``_constant``, and its ``predict``.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **sklearn.neural_network.MLPClassifier._parameter_constraints,
        "activation": [str, Activation, list, tuple],
        "solver": [StrOptions({*STOCHASTIC, *SOLVERS})],
        "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple, None],
        "scoring": [str, callable, None],
        "callback": [callable, None],
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
        "average": ["boolean"],
        "theta": ["array-like", None],
        "transform_layer": [Interval(Integral, 2, None, closed="left"), None],
        "check_gradient": ["boolean", None],
        "dtype": "no_validation",
        "threads": [Interval(Integral, 1, None, closed="left"), None],
        "engine": [str, None],
    }

    validation_scores_: Any
    best_validation_score_: Any
    best_loss_: Any

    # ------------------------------------------------------------------ fitting

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        *,
        incremental: bool = False,
    ) -> Self:
        given = {"X": X, "y": y, "metadata": {"sample_weight": sample_weight}}
        fresh = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.dropout and self.solver not in STOCHASTIC:
            raise ValueError("dropout is for minibatches: choose solver='sgd' or 'adam'")
        X, y, Y = self._encode(X, y, incremental=incremental, reset=fresh)
        weights = self._weights(X, y, sample_weight, incremental=incremental)
        if weights is not None and not weights.all():
            kept = np.flatnonzero(weights)
            X, y, Y, weights = X[kept], y[kept], Y[kept], weights[kept]
        network = self._network(X.shape[1], Y.shape[1])
        self.n_outputs_ = Y.shape[1]
        rng = self._random_state = check_random_state(self.random_state)
        if fresh:
            theta = self._start(network, rng, self._dtype(X))
            self._forget(network)
        else:
            theta = self._continued(network)
        self._hold(network, theta)

        held_out = self._validation(X_val, y_val)
        if held_out is None and self.early_stopping:
            X, Y, weights, held_out = self._split(X, y, Y, weights, rng)
        validation = score = None
        if held_out is not None:
            validation = self._rows(held_out.X, held_out.Y, held_out.weights, theta.dtype)
            score = self._scorer(held_out) if self.early_stopping else None
        rows = self._rows(X, Y, weights, theta.dtype)
        self._check_gradient(network, theta, rows)
        constant = self._constant(rows), 0.0 if validation is None else self._constant(validation)
        progress = Progress(
            self,
            network,
            theta,
            validation=validation,
            score=score,
            constant=constant,
            notify=None if incremental else self._callbacks(given),
        )
        ended = self._restarted(progress, rows, rng, fresh=fresh, incremental=incremental)
        self._error_bars = self._spread(network, theta, rows)
        if not incremental:
            few = rows.sample(REPORTED_ROWS)
            self.stop_report_ = stop_report(
                network,
                theta,
                few.X,
                few.Y,
                why=ended.why,
                weights=few.weights,
                lam=self._alpha() * len(few) / len(rows),
                converged=ended.converged,
            )
        if not incremental or "diverged" in ended.why:
            warn_unless_converged(ended)
        return self

    def _weights(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Array | None:
        """Return the weight of each row, or None where all are alike."""
        if sample_weight is None:
            return None
        return np.asarray(_check_sample_weight(sample_weight, X, ensure_non_negative=True))

    def _dtype(self, X: Any) -> np.dtype[Any]:
        dtype = np.dtype(X.dtype if self.dtype is None else self.dtype)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, got {self.dtype!r}")
        return dtype

    def _rows(self, X: Any, Y: Array, weights: Array | None, dtype: np.dtype[Any]) -> Rows:
        weights = None if weights is None else weights.astype(dtype, copy=False)
        if isinstance(X, np.ndarray):  # of a DataFrame, often column after column
            X = np.ascontiguousarray(X, dtype)
        else:
            X = csr_array(X).astype(dtype, copy=False)
        return Rows(X, np.ascontiguousarray(Y, dtype), weights, self.engine, self.threads)

    def _network(self, inputs: int, outputs: int) -> Network:
        """Return the network that the parameters describe."""
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        hidden = self.activation
        hidden = (
            tuple(core_name(g) for g in hidden)
            if isinstance(hidden, list | tuple)
            else core_name(hidden)
        )
        return Network((inputs, *map(int, sizes), outputs), hidden=hidden, output=self._output())

    def _start(self, network: Network, rng: np.random.RandomState, dtype: np.dtype[Any]) -> Array:
        """Return the initial theta: the user's, or scikit-learn's random numbers in its order."""
        if self.theta is not None:
            return network.check_theta(given_theta(network, self.theta)).astype(dtype)
        theta = np.empty(network.size)
        g = network.activations or (None,)  # the last layer takes after the one before it
        for l, (block, (inn, out)) in enumerate(
            zip(blocks(network, theta), pairwise(network.layers), strict=True)
        ):
            name = getattr(g[min(l, len(g) - 1)], "name", core_name(self.activation))
            e = np.sqrt((2 if name == "sigmoid" else 6) / (inn + out))
            block[1:] = rng.uniform(-e, e, (inn, out))
            block[0] = rng.uniform(-e, e, out)
        return theta.astype(dtype)

    def _forget(self, network: Network) -> None:
        """Set what a fit writes down to its beginning."""
        self.t_ = 0
        self.n_layers_ = network.L
        out = network.cost.name
        self.out_activation_ = SKLEARN_NAMES.get(out, out)
        self.loss_curve_: list[float] = []
        self.validation_loss_curve_: list[float] = []
        self._no_improvement_count = 0
        self._best_theta: Array | None = None
        by_score = self.early_stopping
        self.validation_scores_: list[float] | None = [] if by_score else None
        self.best_validation_score_ = -np.inf if by_score else None
        self.best_loss_ = None if by_score else np.inf
        self._committee: list[Array] = []

    def _continued(self, network: Network) -> Array:
        """Return the theta that warm_start and partial_fit go on from."""
        try:
            return flat(network, self.coefs_, self.intercepts_)
        except ValueError as error:
            raise ValueError(
                f"this estimator was fitted with other layers, it cannot go on with {network}: "
                f"{error}"
            ) from None

    def _validation(self, X_val: Any, y_val: Any) -> Labelled | None:
        """Return the validation examples of `fit`'s arguments."""
        if X_val is None and y_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError("X_val and y_val go together: give both, or none")
        return Labelled(*self._encode_validation(X_val, y_val))

    def _split(
        self, X: Any, y: Any, Y: Array, weights: Array | None, rng: np.random.RandomState
    ) -> tuple[Any, Array, Array | None, Labelled]:
        """Set validation_fraction of the rows aside, as scikit-learn does."""
        arrays = [X, Y, y] if weights is None else [X, Y, y, weights]
        parts = train_test_split(
            *arrays,
            random_state=rng,
            test_size=self.validation_fraction,
            stratify=Y if self._stratified() else None,
        )
        if parts[1].shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' "
                "or the size of your dataset."
            )
        X, X_val, Y, Y_val, _, y_val, *rest = parts
        weights, w_val = rest or (None, None)
        return X, Y, weights, Labelled(X_val, y_val, Y_val, w_val)

    def _scorer(self, held_out: Labelled) -> Callable[[], float]:
        """Return the function that scores the estimator as it stands on the validation rows."""
        scorer = check_scoring(self, self.scoring)
        X, y, _, weights = held_out
        how = {} if weights is None else {"sample_weight": weights}

        def score() -> float:
            self._checked = X  # validated when it was split off, and has lost its names since
            try:
                return float(scorer(self, X, y, **how))
            except ValueError:
                if np.isfinite(self._hypothesis(X)).all():
                    raise
                return np.nan  # the scorer refused the predictions of a diverged network
            finally:
                del self._checked

        return score

    def _check_gradient(self, network: Network, theta: Array, rows: Rows) -> None:
        """Check the gradient of functions of the user's own, or of any network on request."""
        own = isinstance(network.output, Cost) or any(
            isinstance(g, Activation) for g in np.atleast_1d(np.array(network.hidden, dtype=object))
        )
        if self.check_gradient if self.check_gradient is not None else own:
            few = rows.sample(min(CHECKED_ROWS, max(1, DENSE // rows.X.shape[1])))
            report = check_before_training(network, theta, dense(few.X), few.Y, float(self.alpha))
            if not report.ok:
                raise WrongGradientError(str(report))

    def _callbacks(self, given: dict[str, Any]) -> Callable[[], bool] | None:
        """Return what tells scikit-learn's callbacks of an iteration, where there are any."""
        if not getattr(self, "_skl_callbacks", None):
            return None
        context = self._init_callback_context(max_subtasks=self.max_iter * self.n_restarts)
        context.call_on_fit_task_begin(estimator=self, **given)

        def notify() -> bool:
            task = context.subcontext(task_name="iteration")
            task.call_on_fit_task_begin(estimator=self, **given)
            now = {
                "coefs_": [W.copy() for W in self.coefs_],
                "intercepts_": [b.copy() for b in self.intercepts_],
            }
            return bool(
                task.call_on_fit_task_end(estimator=self, reconstruction_attributes=now, **given)
            )

        return notify

    def _restarted(
        self,
        progress: Progress,
        rows: Rows,
        rng: np.random.RandomState,
        *,
        fresh: bool,
        incremental: bool,
    ) -> Ended:
        """Train, and n_restarts - 1 times more from other random weights; keep the best."""
        network, theta = progress.network, progress.theta
        runs: list[tuple[float, Array, Ended, dict[str, Any]]] = []
        n_runs = self.n_restarts if fresh and self.theta is None else 1
        for restart in range(n_runs):
            if restart:
                theta[:] = self._start(network, rng, theta.dtype)
                self._forget(network)
            ended = self._trained(progress, rows, rng, incremental=incremental)
            badness = self._badness() if n_runs > 1 else 0.0
            runs.append((badness, theta.copy(), ended, self._written_down()))
        best, _ = lowest(runs, itemgetter(0))
        _, theta[:], ended, written_down = best
        self.__dict__.update(written_down)
        self._committee = [run[1] for run in runs if run is not best and self.average]
        return ended

    def _trained(
        self, progress: Progress, rows: Rows, rng: np.random.RandomState, *, incremental: bool
    ) -> Ended:
        """Train once, from the theta that is there."""
        self.n_iter_ = 0
        if self.early_stopping and self.validation_scores_ is None:
            self.validation_scores_, self.best_validation_score_ = [], -np.inf
        if self.solver in STOCHASTIC:
            epochs = 1 if incremental else self.max_iter
            ended = run_minibatches(progress, rows, rng, epochs=epochs, going_on=incremental)
        else:
            ended = run_full_batch(progress, rows)
        progress.restore_best()
        return ended

    def _spread(self, network: Network, theta: Array, rows: Rows) -> ErrorBars | ValueError | None:
        """Return the error bars of a least-squares solver's fit, or why there are none."""
        if self.solver not in LEAST_SQUARES:
            return None
        lam = self._alpha() / self._loss_scale(network)
        try:
            return ErrorBars.at(network, theta, rows.X, rows.Y, lam, rows.weights)
        except ValueError as error:
            return error

    def _alpha(self) -> float:
        """Return the alpha of the loss that was minimised: the one found, where it was."""
        return float(self.alpha_ if self.solver == "br" else self.alpha)

    def _badness(self) -> float:
        """Return what the best of several restarts has least of."""
        if self.early_stopping:
            return float(-self.best_validation_score_)
        return float((self.validation_loss_curve_ or [self.loss_])[-1])

    def _written_down(self) -> dict[str, Any]:
        names = (
            "loss_ loss_curve_ validation_loss_curve_ validation_scores_ best_validation_score_ "
            "best_loss_ n_iter_ t_ alpha_ _no_improvement_count _best_theta _optimizer"
        )
        return {name: vars(self)[name] for name in names.split() if name in vars(self)}

    def _check_solver(self) -> bool:
        if self.solver not in STOCHASTIC:
            raise AttributeError(
                f"partial_fit is only available for minibatches: solver={self.solver!r} sees all "
                "the rows at once"
            )
        return True

    # ------------------------------------------------------------------ theta and its views

    def _hold(self, network: Network, theta: Array) -> None:
        """Make coefs_ and intercepts_ views of theta."""
        views = blocks(network, theta)
        self.network_, self._theta = network, theta
        self.coefs_ = [block[1:] for block in views]
        self.intercepts_ = [block[0] for block in views]
        self._views = (*self.coefs_, *self.intercepts_)

    def _current(self) -> tuple[Network, Array]:
        """Return the network and theta, after whatever was put into coefs_ and intercepts_."""
        now = (*self.coefs_, *self.intercepts_)
        views = self.__dict__.get("_views", ())
        if len(now) != len(views) or not all(map(is_, now, views)):
            network = self.__dict__.get("network_") or self._network(
                self.n_features_in_, len(self.intercepts_[-1])
            )
            self._hold(network, flat(network, self.coefs_, self.intercepts_))
        return self.network_, self._theta

    @property
    def theta_(self) -> Array:
        """The flat vector theta: coefs_ and intercepts_ are views of it."""
        return self._current()[1]

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        for name in ("_theta", "_views"):  # made again from coefs_ and intercepts_
            state.pop(name, None)
        return state

    # ------------------------------------------------------------------ using what was fitted

    def _inputs(self, X: Any) -> Any:
        """Validate X; an array that conforms needs no ceremony."""
        own = self.__dict__
        if (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype == own["_theta"].dtype
            and X.shape[1] == own["n_features_in_"]
            and len(X)
            and "feature_names_in_" not in own
            and math.isfinite(np.vdot(X, X))  # NaN and infinity are refused below, with words
        ) or own.get("_checked") is X:
            return X
        return self._validated(X, reset=False)

    def _validated(self, X: Any, *y: Any, reset: bool, **how: Any) -> Any:
        """Return X, and y if given, as scikit-learn validates them; NaN is refused by its place."""
        how |= {"accept_sparse": ["csr", "csc"], "dtype": (np.float64, np.float32)}
        try:
            return validate_data(self, X, *y, reset=reset, **how)
        except ValueError as error:
            if not str(error).startswith("Input X contains"):
                raise
            what = str(error).splitlines()[0].rstrip(".")
            raise ValueError(
                f"{what}: {not_finite(X)}; leave those rows out or fill them in, for example with "
                "sklearn.impute.SimpleImputer"
            ) from None

    def _hypothesis(self, X: Any) -> Array:
        """Return h for each row of X, of shape (m, K)."""
        if "coefs_" not in self.__dict__:
            check_is_fitted(self)
        network, theta = self._current()
        X = self._inputs(X)
        h = self._predicted(network, theta, X)
        if self.__dict__.get("_committee"):
            others = [self._predicted(network, other, X) for other in self._committee]
            h = np.mean([h, *others], axis=0, dtype=h.dtype)
        return h

    def _predicted(self, network: Network, theta: Array, X: Any) -> Array:
        how = {"engine": self.engine, "threads": self.threads}
        X = X if isinstance(X, np.ndarray) else X.tocsr()
        if multiplied_as_it_is(X, self.engine):
            return engine.predict(network, theta, X, **how)
        parts = blocks_of(X, self.engine)
        return np.vstack([engine.predict(network, theta, x, **how) for _, x in parts])

    def transform(self, X: Any) -> Array:
        """Return the activations of a hidden layer: what the network has made of the inputs.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, s_l)
            a(l) of the layer ``transform_layer``.

        Raises
        ------
        ValueError
            If there is no such hidden layer.

        Notes
        -----
        Notes, *Backpropagation Algorithm*: a(l), l counted from 1 for the inputs.

        Examples
        --------
        >>> from chainrule import MLPRegressor
        >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 4.0])
        >>> net = MLPRegressor(hidden_layer_sizes=(5, 3), solver="lbfgs", random_state=0)
        >>> net.fit(X, y).transform(X).shape
        (3, 3)
        """
        check_is_fitted(self)
        network, theta = self._current()
        X, l = self._inputs(X), self._transform_layer(network)
        if not isinstance(X, np.ndarray):
            X = X.tocsr()
        return np.vstack([forward(network, theta, x)[0][l - 1] for _, x in blocks_of(X)])

    def _transform_layer(self, network: Network) -> int:
        l = network.L - 1 if self.transform_layer is None else self.transform_layer
        if network.L == 2:
            raise ValueError("transform returns a hidden layer, and this network has none")
        if not 2 <= l <= network.L - 1:
            raise ValueError(
                f"transform_layer must name a hidden layer, 2 to {network.L - 1}, got {l!r}"
            )
        return int(l)

    @property
    def _n_features_out(self) -> int:
        network, _ = self._current()
        try:
            return network.layers[self._transform_layer(network) - 1]
        except ValueError as error:  # what looks at all attributes must not fail
            raise AttributeError(str(error)) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to a model file, which the command and `load` read.

        Parameters
        ----------
        path : path
            Usually ``something.safetensors``.  A parameter that is a function, a random state or
            an array is not kept; functions of your own in the network cannot be saved.

        Raises
        ------
        chainrule.model_file.ModelFileError
            If the network or the classes cannot be held by a file (functions of your own, the mean
            of several restarts), or it cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from chainrule import MLPRegressor
        >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 4.0])
        >>> net = MLPRegressor(hidden_layer_sizes=3, solver="lbfgs", random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.save(folder + "/net.safetensors")
        ...     again = MLPRegressor.load(folder + "/net.safetensors")
        >>> bool((again.predict(X) == net.predict(X)).all())
        True
        """
        check_is_fitted(self)
        files.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a fitted estimator from a model file that `save` wrote.

        Parameters
        ----------
        path : path

        Returns
        -------
        MLPClassifier or MLPRegressor
            What can be predicted is the same; `partial_fit` starts with a fresh memory.

        Raises
        ------
        chainrule.model_file.ModelFileError
            If it is no such file.
        """
        return cast(Self, files.load(cls, path))

    def _saliency(self, X: Any, outputs: Any) -> Array:
        network, theta = self._current()
        return input_gradient(network, theta, dense(X), outputs)

    def _html_repr(self) -> str:
        """Return scikit-learn's representation for notebooks, and below it the network, if any."""
        html = str(super()._html_repr())
        return html + svg(*self._current()) if "coefs_" in self.__dict__ else html

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def core_name(activation: Any) -> Any:
    """Return what chainrule calls one of scikit-learn's activations."""
    return CORE_NAMES.get(activation, activation) if isinstance(activation, str) else activation


def not_finite(X: Any) -> str:
    """Say which features of X have values that are not finite, and in which row the first is.

    Examples
    --------
    >>> not_finite([[1.0, 2.0], [3.0, np.nan], [4.0, np.inf]])
    'feature 1 in 2 rows, the first is row 1'
    """
    names = [repr(str(name)) for name in getattr(X, "columns", ())]
    values = check_array(X, accept_sparse="csc", ensure_all_finite=False, dtype=np.float64)
    if isinstance(values, np.ndarray):
        rows, columns = np.nonzero(~np.isfinite(values))
    else:
        values = values.tocoo()
        wrong = ~np.isfinite(values.data)
        rows, columns = values.row[wrong], values.col[wrong]
    features = [names[j] if names else str(j) for j in np.unique(columns)]
    shown = ", ".join(features[:MOST_NAMES]) + (", ..." if len(features) > MOST_NAMES else "")
    m = len(np.unique(rows))
    return (
        f"feature{'s' * (len(features) > 1)} {shown} in {m} row{'s' * (m > 1)}, "
        f"{'the first is' if m > 1 else 'that is'} row {rows.min()}"
    )


def flat(network: Network, coefs: Sequence[Any], intercepts: Sequence[Any]) -> Array:
    """Return the theta that has these weights and biases, in a vector of its own.

    Parameters
    ----------
    network : Network
    coefs : sequence of array of shape (s_l, s_{l+1})
    intercepts : sequence of array of shape (s_{l+1},)

    Returns
    -------
    ndarray of shape (network.size,)
        float32 where all the weights are.

    Raises
    ------
    ValueError
        If a shape does not fit the network.

    Examples
    --------
    >>> flat(Network((2, 1)), [[[1.0], [2.0]]], [[3.0]])
    array([3., 1., 2.])
    """
    arrays = [np.asarray(values) for values in (*coefs, *intercepts)]
    small = all(array.dtype == np.float32 for array in arrays)
    theta = np.empty(network.size, np.float32 if small else np.float64)
    for l, block in enumerate(blocks(network, theta)):
        for what, part, given in (
            ("coefs", block[1:], coefs),
            ("intercepts", block[0], intercepts),
        ):
            shape = np.shape(given[l]) if l < len(given) else None
            if shape != part.shape:
                raise ValueError(f"{what}[{l}] must have shape {part.shape}, got {shape}")
            part[...] = given[l]
    return theta


def given_theta(network: Network, theta: Any) -> Array:
    """Return the user's initial weights as a flat vector.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,), list of Theta(l), or tuple (coefs, intercepts)
        Flat; the notes' matrices, bias column first; or scikit-learn's two lists.

    Returns
    -------
    ndarray of shape (size,)

    Raises
    ------
    ValueError
        If a shape does not fit the network.

    Examples
    --------
    >>> network = Network((2, 1))
    >>> given_theta(network, [np.array([[3.0, 1.0, 2.0]])])
    array([3., 1., 2.])
    >>> given_theta(network, ([[[1.0], [2.0]]], [[3.0]]))
    array([3., 1., 2.])
    """
    if isinstance(theta, tuple):
        if len(theta) != 2:
            raise ValueError(
                f"theta as a tuple is (coefs, intercepts), got {len(theta)} parts; matrices "
                "Theta(l) go into a list"
            )
        return flat(network, *theta)
    if isinstance(theta, list) and theta and np.ndim(theta[0]) == 2:
        shapes = tuple(np.shape(Theta) for Theta in theta)
        if shapes != network.shapes:
            raise ValueError(f"theta has matrices of shapes {shapes}, needed are {network.shapes}")
        return np.array(unroll(theta), dtype=np.float64)
    return np.asarray(theta)

"""What the two estimators share: parameters turned into a network, fitting, and the way back."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from inspect import signature
from numbers import Integral, Real
from operator import is_
from typing import Any, ClassVar, Concatenate, NamedTuple, ParamSpec, Self, TypeVar, cast

import numpy as np
import sklearn.neural_network
from scipy.sparse import csr_array
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from chainrule import engine
from chainrule.common.checks import as_dtype, weights_as_dtype
from chainrule.common.types import Array, Squares
from chainrule.datasets.scaling import Scaling
from chainrule.engine.predicting import forward
from chainrule.engine.rows import DENSE, Rows, blocks_of, dense, multiplied_as_it_is
from chainrule.estimators import files
from chainrule.estimators.coefs import flat, given_theta, random_theta, views
from chainrule.estimators.fitted import Fitted
from chainrule.estimators.fitting import (
    LEAST_SQUARES,
    STOCHASTIC,
    best_of,
    lam_of,
    settings_of,
    warn_unless_converged,
)
from chainrule.estimators.inputs import validated
from chainrule.estimators.picture import svg
from chainrule.estimators.progress import Progress
from chainrule.estimators.stopping import Fit, Parameters
from chainrule.estimators.weights import among_known, by_output, row_weights, with_weight
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.evaluation.stop_report import stop_report
from chainrule.notes.activations import ACTIVATIONS, Activation
from chainrule.notes.backprop import input_gradient
from chainrule.notes.costs import COSTS, Cost
from chainrule.notes.network import Network
from chainrule.notes.regularisation import divided
from chainrule.optimize.result import Ending
from chainrule.optimize.vectors import blas_threads
from chainrule.training.checked import WrongGradientError, check_before_training
from chainrule.training.checkpoint import Checkpoint

CORE_NAMES = {"logistic": "sigmoid"}  # where scikit-learn calls it otherwise
SKLEARN_NAMES = {core: name for name, core in CORE_NAMES.items()}
PARAMETERS = [field.name for field in fields(Parameters)]
SOLVERS = ("lbfgs", "cg", "scg", "newton-cg", "gd")  # that see all the rows at once
REPORTED_ROWS = 500  # that the stop report looks at
CHECKED_ROWS = 200  # that the gradient check before the first step chooses among


P = ParamSpec("P")
R = TypeVar("R")


def on_its_threads(
    method: Callable[Concatenate[BaseMLP, P], R],
) -> Callable[Concatenate[BaseMLP, P], R]:
    """Let NumPy have no more threads than the parameter ``threads`` says, while a method runs.

    What overflows there is told in words, not by NumPy's warnings.
    """

    def held(self: BaseMLP, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(all="ignore"), blas_threads(self.threads):
            return method(self, *args, **kwargs)

    return held


Method = TypeVar("Method", bound=Callable[..., Any])


def fitting(method: Method) -> Method:
    """Put a method into scikit-learn's context of a fit; its type stays, for those who check."""
    return cast(Method, with_callbacks(_fit_context(prefer_skip_nested_validation=True)(method)))


def fitting_in_parts(method: Method) -> Method:
    """Do the same for `partial_fit`, which solvers over minibatches have."""
    in_context = _fit_context(prefer_skip_nested_validation=True)(method)
    return cast(Method, available_if(lambda net: net._check_solver())(in_context))


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
    ``_loss``, ``_labels``, and its ``predict``.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **sklearn.neural_network.MLPClassifier._parameter_constraints,
        "hidden_layer_sizes": ["array-like", Integral, str],
        "activation": [str, Activation, list, tuple],
        "solver": [StrOptions({*STOCHASTIC, *SOLVERS, *LEAST_SQUARES})],
        "output_weights": ["array-like", None],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
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
        "checkpoint": [str, os.PathLike, None],
    }

    _y_scaling: Scaling | None = None  # of a regressor that scales y
    _levels = 1  # how many units each column of y has

    # ------------------------------------------------------------------ fitting

    @on_its_threads
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        *,
        incremental: bool = False,
    ) -> Self:
        given = {"X": X, "y": y, "metadata": {"sample_weight": sample_weight}}
        fresh = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        self._refuse_combinations(incremental=incremental, held_out=X_val is not None)
        X, y, Y = self._encode(X, y, incremental=incremental, reset=fresh)
        weights = row_weights(X, y, sample_weight, getattr(self, "class_weight", None))
        X, y, Y, weights = with_weight(among_known(Y, weights), X, y, Y)
        weights = self._as_counts(weights)
        Y = self._learn_scale(Y, weights) if fresh else self._to_scale(Y)
        network = self._network(X.shape[1], Y.shape[1])
        rng = self._random_state = check_random_state(self.random_state)
        theta = self._start(network, rng, self._dtype(X)) if fresh else self._continued(network)

        held_out = self._validation(X_val, y_val, sample_weight_val)
        if held_out is None and self.early_stopping:
            X, Y, weights, held_out = self._split(X, y, Y, weights, rng)
        rows = self._rows(X, Y, weights, theta.dtype)
        self._check_gradient(network, theta, rows)
        watched = None
        if held_out is not None:
            watched = self._rows(held_out.X, held_out.Y, held_out.weights, theta.dtype)
        fit = Fit(
            self._parameters(incremental=incremental),
            network,
            rows,
            self._loss(network, rows),
            publish=lambda progress: self._publish(network, progress),
            validation_loss=None if watched is None else self._rows_loss(network, watched),
            score=self._scorer(held_out) if held_out and self.early_stopping else None,
            notify=None if incremental else self._callbacks(given),
            going_on=incremental,
            random=fresh and self.theta is None,
            watched=watched,
            keeper=self._keeper(incremental=incremental),
        )
        members = [] if fresh else self._members(theta, incremental=incremental)
        best, ended, others = best_of(fit, members or self._starts(network, theta, rng), rng)
        fit.publish(best)
        if members:  # none is lost, whether Ctrl-C let it go on or not
            others = [member for member in members if member is not best]
        self._committee = others if self.average else []
        if incremental and self.early_stopping:
            self.stopped_early_ = ended.converged
        self._report(fit, best, ended, incremental=incremental)
        if not incremental or ended.at_once or "diverged" in ended.why:
            warn_unless_converged(ended)
        return self

    def _refuse_combinations(self, *, incremental: bool, held_out: bool) -> None:
        """Refuse parameters that do not go together."""
        if self.early_stopping and incremental and not held_out:
            raise ValueError(
                "partial_fit does not support early_stopping=True without validation rows, because "
                "those set aside in one call would be learnt in another: give X_val and y_val"
            )
        if incremental and getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all the rows, partial_fit sees some: pass the "
                "weights as a dict"
            )
        if self.dropout and self.solver not in STOCHASTIC:
            raise ValueError("dropout is for minibatches: choose solver='sgd' or 'adam'")
        if self.l1_ratio and self.solver in ("adamw", *LEAST_SQUARES):
            raise ValueError(
                f"l1_ratio has no part in solver={self.solver!r}, whose alpha is for squares: "
                "leave it at 0, or choose another solver"
            )

    def _parameters(self, *, incremental: bool) -> Parameters:
        """Return what fitting goes by; `partial_fit` is one epoch."""
        found = Parameters(**{name: getattr(self, name) for name in PARAMETERS})
        return replace(found, max_iter=1) if incremental else found

    def _dtype(self, X: Any) -> np.dtype[Any]:
        dtype = np.dtype(X.dtype if self.dtype is None else self.dtype)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, got {self.dtype!r}")
        return dtype

    def _rows(self, X: Any, Y: Array, weights: Array | None, dtype: np.dtype[Any]) -> Rows:
        Y, weights = by_output(Y, weights, self.output_weights, self._levels)
        weights = None if weights is None else weights_as_dtype(weights, dtype)
        if isinstance(X, np.ndarray):  # of a DataFrame, often column after column
            X = np.ascontiguousarray(as_dtype(X, dtype, "X"))
        else:
            X = as_dtype(csr_array(X), dtype, "X")
        Y = np.ascontiguousarray(as_dtype(Y, dtype, "y"))
        return Rows(X, Y, weights, self.engine, self.threads)

    def _network(self, inputs: int, outputs: int) -> Network:
        """Return the network that the parameters describe."""
        sizes = layer_sizes(self.hidden_layer_sizes)
        hidden = self.activation
        hidden = (
            tuple(core_name(g) for g in hidden)
            if isinstance(hidden, list | tuple)
            else core_name(hidden)
        )
        output = self._output()
        if isinstance(output, Cost) and output is COSTS.get(output.name):
            output = output.name
        return Network((inputs, *sizes, outputs), hidden=hidden, output=output)

    def _start(self, network: Network, rng: np.random.RandomState, dtype: np.dtype[Any]) -> Array:
        """Return the initial theta: the user's, or scikit-learn's random numbers in its order."""
        if self.theta is not None:
            return network.check_theta(given_theta(network, self.theta)).astype(dtype)
        # Where there are no hidden layers, the outputs take after the activation all the same
        return random_theta(network, rng, core_name(self.activation)).astype(dtype)

    def _starts(
        self, network: Network, theta: Array, rng: np.random.RandomState
    ) -> Iterator[Progress]:
        """Yield where each of n_restarts trainings begins, the first at theta."""
        self._committee = []
        yield Progress(theta, self.early_stopping)
        for _ in range(self.n_restarts - 1 if self.theta is None else 0):
            theta = self._start(network, rng, theta.dtype)
            yield Progress(theta, self.early_stopping)

    def _members(self, theta: Array, *, incremental: bool) -> list[Progress]:
        """Return where warm_start and `partial_fit` go on: each network whose mean predicts."""
        by_score = self.early_stopping
        others = self._committee if self.average else []
        self._committee = []
        members = [Progress.going_on(theta, by_score, vars(self)), *others]
        return members if incremental else [member.anew(by_score) for member in members]

    def _publish(self, network: Network, progress: Progress) -> None:
        """Let the estimator stand where a training does."""
        if self.__dict__.get("_theta") is not progress.theta:
            self._hold(network, progress.theta)
        self.__dict__.update(progress.attributes())

    def _continued(self, network: Network) -> Array:
        """Return the theta that warm_start and partial_fit go on from."""
        try:
            return flat(network, self.coefs_, self.intercepts_)
        except ValueError as error:
            raise ValueError(
                f"this estimator was fitted with other layers, it cannot go on with {network}: "
                f"{error}"
            ) from None

    def _validation(self, X_val: Any, y_val: Any, sample_weight_val: Any) -> Labelled | None:
        """Return the validation examples of `fit`'s arguments."""
        if X_val is None and y_val is None:
            if sample_weight_val is not None:
                raise ValueError("sample_weight_val are the weights of X_val's rows: give X_val")
            return None
        if X_val is None or y_val is None:
            raise ValueError("X_val and y_val go together: give both, or none")
        X, y, Y = self._encode_validation(X_val, y_val)
        weights = row_weights(X, y, sample_weight_val, None)
        X, y, Y, weights = with_weight(among_known(Y, weights), X, y, Y)
        return Labelled(X, y, self._to_scale(Y), weights)

    def _as_counts(self, weights: Array | None) -> Array | None:
        """Return weights as numbers of rows; only a regressor's may mean something else."""
        return weights

    def _learn_scale(self, Y: Array, weights: Array | None) -> Array:
        """Return Y as the network learns it, and remember how; only a regressor scales."""
        return Y

    def _to_scale(self, Y: Array) -> Array:
        """Return Y as the network learns it, in the scale of its first fit."""
        return Y

    def _split(
        self, X: Any, y: Any, Y: Array, weights: Array | None, rng: np.random.RandomState
    ) -> tuple[Any, Array, Array | None, Labelled]:
        """Set validation_fraction of the rows aside, as scikit-learn does."""
        arrays = [X, Y, y] if weights is None else [X, Y, y, weights]
        parts = train_test_split(
            *arrays,
            random_state=rng,
            test_size=self.validation_fraction,
            stratify=self._strata(Y),
        )
        if parts[1].shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' "
                "or the size of your dataset."
            )
        X, X_val, Y, Y_val, _, y_val, *rest = parts
        weights, w_val = rest or (None, None)
        return X, Y, weights, Labelled(X_val, y_val, Y_val, w_val)

    def _strata(self, Y: Array) -> Array | None:
        """Return the classes of which the validation rows have the same shares as all the rows."""
        return None

    def _rows_loss(self, network: Network, rows: Rows) -> Callable[[Array], float]:
        """Return the loss on the validation rows as a function of theta, without alpha's part."""
        loss = self._loss(network, rows)
        return lambda theta: loss(rows.cost(network, theta))

    def _keeper(self, *, incremental: bool) -> Callable[[int], Checkpoint | None]:
        """Return what keeps each of n_restarts trainings; one alone has the path as it is."""
        if self.checkpoint is None or incremental:
            return lambda number: None
        keeper = Checkpoint(self.checkpoint, otherwise="remove the file to begin anew")
        return keeper.part if self.n_restarts > 1 else lambda number: keeper

    def _scorer(self, held_out: Labelled) -> Callable[[], float]:
        """Return the function that scores the estimator as it stands on the validation rows."""
        scorer = check_scoring(self, self.scoring)
        X, y, _, weights = held_out
        how = {"sample_weight": weights} if weights is not None and takes_weights(scorer) else {}

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
            lam = self._parameters(incremental=False).lam
            report = check_before_training(network, theta, dense(few.X), few.Y, lam)
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

    def _report(self, fit: Fit, best: Progress, ended: Ending, *, incremental: bool) -> None:
        """Write down the error bars of a least-squares solver, and what stands out."""
        network, rows, theta = fit.network, fit.rows, best.theta
        self._error_bars: list[ErrorBars] | ValueError = []
        if self.solver in LEAST_SQUARES:
            try:
                self._error_bars = [error_bars(fit, member) for member in (best, *self._committee)]
            except ValueError as error:  # raised where somebody asks for them
                self._error_bars = error
        if incremental:
            return
        few = rows.sample(REPORTED_ROWS)
        self.stop_report_ = stop_report(
            network,
            theta,
            few.X,
            few.Y,
            why=ended.why,
            weights=few.weights,
            lam=divided(lam_of(fit, best), rows.m / few.m),
            converged=ended.converged,
            settings=settings_of(self.solver),
        )

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
        self.network_, self._theta = network, theta
        self.coefs_, self.intercepts_ = views(network, theta)
        self._views = (*self.coefs_, *self.intercepts_)
        self.n_layers_, self.n_outputs_ = network.L, network.K
        out = network.cost.name
        self.out_activation_ = SKLEARN_NAMES.get(out, out)

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
            and X.dtype == self._current()[1].dtype
            and X.shape[1] == own["n_features_in_"]
            and len(X)
            and "feature_names_in_" not in own
            and has_finite_sum(X)  # NaN and infinity are refused below, with words
        ) or own.get("_checked") is X:
            return X
        return as_dtype(validated(self, X, reset=False), self.theta_.dtype, "X")

    def _hypothesis(self, X: Any) -> Array:
        """Return h for each row of X, of shape (m, K)."""
        if "coefs_" not in self.__dict__:
            check_is_fitted(self)
        network, theta = self._current()
        X = self._inputs(X)
        h = self._predicted(network, theta, X)
        if self.__dict__.get("_committee"):
            others = [self._predicted(network, other.theta, X) for other in self._committee]
            h = np.mean([h, *others], axis=0, dtype=h.dtype)
        return h

    def _predicted(self, network: Network, theta: Array, X: Any) -> Array:
        how = {"engine": self.engine, "threads": self.threads}
        X = X if isinstance(X, np.ndarray) else X.tocsr()
        if multiplied_as_it_is(X, self.engine):
            return engine.predict(network, theta, X, **how)
        parts = blocks_of(X, self.engine)
        return np.vstack([engine.predict(network, theta, x, **how) for _, x in parts])

    def _outputs(self, X: Any) -> list[Array]:
        """Return z(L) of each network that predicts, all numbers finite."""
        network, theta = self._current()
        thetas = [theta, *(other.theta for other in self._committee)]
        X = X if isinstance(X, np.ndarray) else X.tocsr()
        most = np.finfo(theta.dtype).max
        return [
            np.vstack(
                [np.clip(self._forward(network, theta, x)[1], -most, most) for _, x in blocks_of(X)]
            )
            for theta in thetas
        ]

    def _forward(self, network: Network, theta: Array, X: Any) -> tuple[list[Array], Array]:
        with np.errstate(over="ignore"):
            how = {"engine": self.engine, "threads": self.threads}
            return forward(network, theta, X, **(how if isinstance(X, np.ndarray) else {}))

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
        return np.vstack([self._forward(network, theta, x)[0][l - 1] for _, x in blocks_of(X)])

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
            Usually ``something.safetensors``.  Every parameter is kept with its type.

        Raises
        ------
        chainrule.model_file.ModelFileError
            If the network, the classes or a parameter cannot be held by a file (functions of your
            own, the mean of several restarts), or it cannot be written.

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
        files.save(self._fitted(), path)

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
        return cls._of(files.load(cls.__name__, path))

    def _fitted(self) -> Fitted:
        """Return what was fitted, or raise NotFittedError."""
        check_is_fitted(self)
        network, theta = self._current()
        names = getattr(self, "feature_names_in_", None)
        return Fitted(
            type(self).__name__,
            {**self.get_params(deep=False), "checkpoint": None},  # it is of one fit
            network,
            (theta, *(other.theta for other in self._committee)),
            None if names is None else tuple(map(str, names)),
            self._labels(),
            float(self.loss_),
            getattr(self, "stop_report_", None),
            self._y_scaling,
        )

    @classmethod
    def _of(cls, fitted: Fitted) -> Self:
        """Return the estimator that was fitted."""
        known = cls._get_param_names()
        self = cls(**{name: v for name, v in fitted.parameters.items() if name in known})
        self.n_features_in_ = fitted.network.layers[0]
        if fitted.names is not None:
            self.feature_names_in_ = np.array(fitted.names, dtype=object)
        if fitted.labels is not None:
            self._learn_labels(fitted.labels)
        self._y_scaling = fitted.scaling
        loss = np.nan if fitted.loss is None else fitted.loss
        best, *self._committee = (
            Progress(theta, self.early_stopping, loss=loss) for theta in fitted.thetas
        )
        self._hold(fitted.network, best.theta)
        self.__dict__.update(best.attributes())
        if fitted.stop_report is not None:
            self.stop_report_ = fitted.stop_report
        return self

    @on_its_threads
    def _saliency(self, X: Any, outputs: Any) -> Array:
        """Return the derivative of z(L) by the inputs, its mean over the networks that predict."""
        network, theta = self._current()
        thetas = [theta, *(other.theta for other in self._committee)]
        each = [input_gradient(network, theta, dense(X), outputs) for theta in thetas]
        return each[0] if len(each) == 1 else np.mean(each, axis=0)

    def _html_repr(self) -> str:
        """Return scikit-learn's representation for notebooks, and below it the network, if any."""
        html = str(super()._html_repr())
        return html + svg(*self._current()) if "coefs_" in self.__dict__ else html

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def layer_sizes(given: Any) -> list[int]:
    """Return the units of each hidden layer, of a number, a sequence, or text.

    Examples
    --------
    >>> layer_sizes(100), layer_sizes((50, 20)), layer_sizes("50, 20"), layer_sizes("")
    ([100], [50, 20], [50, 20], [])
    """
    if isinstance(given, str):
        words = given.strip("()[] ").replace(",", " ").split()
        sizes: list[Any] = [int(word) if word.isdecimal() else word for word in words]
    else:
        sizes = list(given) if hasattr(given, "__iter__") else [given]
    for size in sizes:
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise ValueError(
                f"hidden_layer_sizes must be whole numbers, such as (50, 20) or '50,20'; got "
                f"{given!r}"
            )
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def error_bars(fit: Fit, member: Progress) -> ErrorBars:
    """Return the error bars of one of the networks that were fitted."""
    rows, lam = fit.rows, cast(Squares, lam_of(fit, member))
    return ErrorBars.at(fit.network, member.theta, rows.X, rows.Y, lam, rows.weights)


def takes_weights(scorer: Any) -> bool:
    """Whether a scorer, or a plain function of (estimator, X, y), takes sample weights.

    Examples
    --------
    >>> takes_weights(lambda net, X, y: 0.0)
    False
    """
    if hasattr(scorer, "_accept_sample_weight"):  # scikit-learn's own
        return bool(scorer._accept_sample_weight())
    parameters = signature(scorer).parameters
    any_name = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return any_name or "sample_weight" in parameters


def has_finite_sum(X: Array) -> bool:
    """Whether the sum of X is finite: not where any value is not.

    NumPy adds it up on one thread, without BLAS.

    Examples
    --------
    >>> has_finite_sum(np.array([[1.0, np.inf]]))
    False
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(X.sum())


def core_name(activation: Any) -> Any:
    """Return what chainrule calls one of scikit-learn's activations, or one of its own."""
    if isinstance(activation, Activation) and activation is ACTIVATIONS.get(activation.name):
        return activation.name
    return CORE_NAMES.get(activation, activation) if isinstance(activation, str) else activation

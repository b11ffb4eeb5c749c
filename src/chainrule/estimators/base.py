"""How the two estimators are fitted: parameters, validation rows, starts, callbacks, reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from inspect import signature
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self, TypeVar, cast

import numpy as np
import sklearn.neural_network
from scipy.sparse import csr_array
from sklearn.base import _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from chainrule.common.checks import as_dtype, weights_as_dtype
from chainrule.common.types import Array, Squares
from chainrule.engine.blocks import Source
from chainrule.engine.examples import Examples
from chainrule.engine.remote import Remote
from chainrule.engine.rows import DENSE, Rows, dense
from chainrule.engine.stream import examples_of
from chainrule.estimators.coefs import flat, given_theta, random_theta
from chainrule.estimators.fitting import (
    LEAST_SQUARES,
    STOCHASTIC,
    best_of,
    lam_of,
    settings_of,
    warn_unless_converged,
)
from chainrule.estimators.on_dask import on_workers
from chainrule.estimators.predictor import Predictor, core_name, on_its_threads
from chainrule.estimators.progress import Progress
from chainrule.estimators.sources import TARGET_WITHIN, learn_columns
from chainrule.estimators.stopping import Fit, Parameters
from chainrule.estimators.weights import among_known, by_output, row_weights, with_weight
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.evaluation.stop_report import stop_report
from chainrule.notes.activations import Activation
from chainrule.notes.costs import Cost
from chainrule.notes.network import Network
from chainrule.notes.regularisation import divided
from chainrule.optimize.result import Ending
from chainrule.training.checked import WrongGradientError, check_before_training
from chainrule.training.checkpoint import Checkpoint

PARAMETERS = [field.name for field in fields(Parameters)]
SOLVERS = ("lbfgs", "cg", "scg", "newton-cg", "gd")  # that see all the rows at once
REPORTED_ROWS = 500  # that the stop report looks at
CHECKED_ROWS = 200  # that the gradient check before the first step chooses among

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
    Y: Array | None
    weights: Array | None = None


class BaseMLP(CallbackSupportMixin, Predictor):
    """A `Predictor` that is fitted by scikit-learn's rules.

    A subclass says how targets become columns of numbers: ``_encode``, ``_encode_validation`` and
    ``_loss``.
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

    _levels = 1  # how many units each column of y has

    @on_workers
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
        Y: Any = None
        weights = None
        if isinstance(X, Source):
            refuse_beside_source(y=y, sample_weight=sample_weight)
            learn_columns(self, X, reset=fresh)
            known = incremental and hasattr(self, "classes_")  # partial_fit was told of them
            X = self._learnt(X, reset=fresh and not known)
            network = self._network(X.n, X.outputs)
        else:
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
            if isinstance(X, Source):
                raise ValueError(
                    "early_stopping=True would set rows of X aside, and those of a table that is "
                    "read in blocks stay where they are: give X_val, another table"
                )
            X, Y, weights, held_out = self._split(X, y, Y, weights, rng)
        rows = self._rows(network, X, Y, weights, theta.dtype)
        self._check_gradient(network, theta, rows)
        watched = None
        if held_out is not None:
            watched = self._rows(network, held_out.X, held_out.Y, held_out.weights, theta.dtype)
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
        dtype: np.dtype[Any]
        if self.dtype is not None:
            dtype = np.dtype(self.dtype)
        elif isinstance(X, Source):
            stored = X.read(0, 1)[0].dtype
            dtype = np.dtype(np.float32 if stored == np.float32 else np.float64)
        else:
            dtype = np.dtype(X.dtype)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, got {self.dtype!r}")
        return dtype

    def _rows(
        self,
        network: Network,
        X: Any,
        Y: Array | None,
        weights: Array | None,
        dtype: np.dtype[Any],
    ) -> Examples:
        if Y is None:
            if (workers := self.__dict__.get("_workers")) is not None:
                mine = workers if workers.free else workers.others()
                return Remote.held(network, X, mine, dtype, self.engine, self.threads)
            return examples_of(network, X, dtype=dtype, engine=self.engine, threads=self.threads)
        Y, weights = by_output(Y, weights, self.output_weights, self._levels)
        weights = None if weights is None else weights_as_dtype(weights, dtype)
        if isinstance(X, np.ndarray):  # of a DataFrame, often column after column
            X = np.ascontiguousarray(as_dtype(X, dtype, "X"))
        else:
            X = as_dtype(csr_array(X), dtype, "X")
        Y = np.ascontiguousarray(as_dtype(Y, dtype, "y"))
        return Rows(X, Y, weights, self.engine, self.threads)

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
        if isinstance(X_val, Source):
            refuse_beside_source(y_val=y_val, sample_weight_val=sample_weight_val)
            learn_columns(self, X_val, reset=False)
            return Labelled(self._learnt(X_val, reset=False), None, None)
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

    def _rows_loss(self, network: Network, rows: Examples) -> Callable[[Array], float]:
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
        X, y, Y, weights = held_out
        if Y is None:
            if self.scoring is not None:
                raise ValueError(
                    "scoring takes arrays, and X_val is read in blocks: leave one of them out"
                )
            return lambda: self.score(X.source)
        scorer = check_scoring(self, self.scoring)
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

    def _check_gradient(self, network: Network, theta: Array, rows: Examples) -> None:
        """Check the gradient of functions of the user's own, or of any network on request."""
        own = isinstance(network.output, Cost) or any(
            isinstance(g, Activation) for g in np.atleast_1d(np.array(network.hidden, dtype=object))
        )
        if self.check_gradient if self.check_gradient is not None else own:
            few = rows.sample(min(CHECKED_ROWS, max(1, DENSE // network.layers[0])))
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def error_bars(fit: Fit, member: Progress) -> ErrorBars:
    """Return the error bars of one of the networks that were fitted."""
    rows, lam = fit.rows, cast(Squares, lam_of(fit, member))
    if not isinstance(rows, Rows):
        raise ValueError("error bars need a training set in memory, and X was read in blocks")
    return ErrorBars.at(fit.network, member.theta, rows.X, rows.Y, lam, rows.weights)


def refuse_beside_source(**given: Any) -> None:
    """Refuse targets and weights beside a table that has its own."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(TARGET_WITHIN.format(name))


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

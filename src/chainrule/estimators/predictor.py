"""What a fitted estimator holds, and what it does: predictions, hidden layers, model files."""

from __future__ import annotations

import os
from collections.abc import Callable
from numbers import Integral
from operator import is_
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from chainrule import engine
from chainrule.common.checks import as_dtype
from chainrule.common.types import Array
from chainrule.datasets.scaling import Scaling
from chainrule.engine.predicting import forward
from chainrule.engine.rows import blocks_of, dense, multiplied_as_it_is
from chainrule.estimators import files
from chainrule.estimators.coefs import flat, views
from chainrule.estimators.fitted import Fitted
from chainrule.estimators.inputs import has_finite_sum, validated
from chainrule.estimators.progress import Progress
from chainrule.estimators.sources import in_blocks
from chainrule.notes.activations import ACTIVATIONS, Activation
from chainrule.notes.backprop import input_gradient
from chainrule.notes.costs import COSTS, Cost
from chainrule.notes.network import Network
from chainrule.notes.picture import svg
from chainrule.notes.theta import blocks
from chainrule.optimize.vectors import blas_threads

CORE_NAMES = {"logistic": "sigmoid"}  # where scikit-learn calls it otherwise
SKLEARN_NAMES = {core: name for name, core in CORE_NAMES.items()}


P = ParamSpec("P")
R = TypeVar("R")


def on_its_threads(
    method: Callable[Concatenate[Predictor, P], R],
) -> Callable[Concatenate[Predictor, P], R]:
    """Let NumPy have no more threads than the parameter ``threads`` says, while a method runs.

    What overflows there is told in words, not by NumPy's warnings.
    """

    def held(self: Predictor, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(all="ignore"), blas_threads(self.threads):
            return method(self, *args, **kwargs)

    return held


class Predictor(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A `Network` and its theta, behind the attributes and methods that scikit-learn's tools use.

    A subclass says what its targets are: ``_output``, ``_labels``, ``_learn_labels``, and its
    ``predict``.
    """

    _committee: list[Progress]  # the other networks whose mean predicts
    _y_scaling: Scaling | None = None  # of a regressor that scales y

    # ------------------------------------------------------------------ theta and its views

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

    @in_blocks
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
        if "coefs_" not in self.__dict__:
            return html
        network, theta = self._current()
        weights = [block[1:] for block in blocks(network, theta)]
        return html + svg(network.layers, network.layer_names, weights)


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


def core_name(activation: Any) -> Any:
    """Return what chainrule calls one of scikit-learn's activations, or one of its own."""
    if isinstance(activation, Activation) and activation is ACTIVATIONS.get(activation.name):
        return activation.name
    return CORE_NAMES.get(activation, activation) if isinstance(activation, str) else activation

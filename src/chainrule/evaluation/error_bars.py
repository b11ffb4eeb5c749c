"""Error bars of a squared-error network: how far h may be off, and how far a new y.

Near the minimum J is a bowl, whose curvature is the Gauss-Newton matrix; theta is then about
normally distributed around the minimum (Laplace's approximation; MacKay, *A practical Bayesian
framework for backpropagation networks*, Neural Computation 4, 1992):

    A = Jac^T Jac + lambda R          s^2 = SSE / (N - gamma)          cov(theta) = s^2 A^-1

gamma is the effective number of parameters, as in `chainrule.optimize.br`.  If g_k(x) is the
gradient of h_k(x) by theta, the variance of h_k(x) is g_k cov(theta) g_k, and that of a new y_k is
larger by s^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Squares
from chainrule.engine.rows import Rows
from chainrule.notes.network import Network
from chainrule.notes.regularisation import by_theta, check_lam
from chainrule.notes.second_order import jacobian, rows_at_once
from chainrule.optimize.vectors import one_blas_thread
from chainrule.training.objective import TrainingObjective


@dataclass(frozen=True)
class ErrorBars:
    """The spread of a trained network's answers, see `ErrorBars.at`.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (size,)
    gamma : float
        The effective number of parameters.
    variance : float
        s^2, the variance of the noise on y.
    root : ndarray of shape (size, r)
        A square root of A^-1: cov(theta) is s^2 root root^T.

    Notes
    -----
    The intervals assume that the network is right: some theta is the truth, the noise is normal and
    equal everywhere, and the minimum found is the right one.  They say nothing about x outside the
    range of the training set, where no data correct h: a 90 % interval may cover only a third of
    new y there (``tests/evaluation/test_error_bars.py`` has an example).  Where training was
    stopped early, theta is at no minimum, and the intervals are too narrow or too wide.

    Examples
    --------
    >>> from chainrule import train
    >>> X = np.linspace(-3, 3, 60)[:, None]
    >>> y = np.sin(X) + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    >>> network = Network((1, 5, 1), hidden="tanh", output="identity")
    >>> result = train(network, X, y, optimizer="lm", lam=0.001)
    >>> bars = ErrorBars.at(network, result.theta, X, y, lam=0.001)
    >>> h, band, std = bars.predict([[0.0], [1.0]])
    >>> h.shape, bool((band < std).all()), 0.08 < bars.variance**0.5 < 0.12
    ((2, 1), True, True)
    """

    network: Network
    theta: Array
    gamma: float
    variance: float
    root: Array

    @classmethod
    def at(
        cls,
        network: Network,
        theta: npt.ArrayLike,
        X: npt.ArrayLike,
        Y: npt.ArrayLike,
        lam: Squares = 0.0,
        weights: Array | None = None,
    ) -> ErrorBars:
        """Return the error bars of a network at the minimum that training found.

        Parameters
        ----------
        network : Network
            With an identity output.
        theta : array of shape (size,)
        X : array of shape (m, s_1)
            The training set.
        Y : array of shape (m,) or (m, K)
        lam : float or sequence of L - 1 float, default=0.0
            The lambda trained with; after Bayesian regularisation, ``result.state.lam``.
        weights : array of shape (m,), optional

        Returns
        -------
        ErrorBars

        Raises
        ------
        ValueError
            If an argument does not fit, or the cost is not the squared error, or the training set
            is too small to tell the noise from the network.
        """
        theta, X = network.check_theta(theta).astype(np.float64), network.check_inputs(X)
        Y = network.check_targets(Y, len(X))
        check_lam(network, lam)
        if network.cost.name != "identity":
            raise ValueError(
                f"error bars are for squared error (output='identity'), not {network.cost.name!r}"
            )
        data = TrainingObjective(network, Rows(X, Y, weights))
        with one_blas_thread():
            J, _, H = data.normal_equations(theta)
            A = data.m * H + np.diag(by_theta(network, lam))
            values, vectors = np.linalg.eigh(A)
            # A direction with an eigenvalue of 0 (a saturated unit's) changes no answer
            felt = values > len(A) * np.finfo(np.float64).eps * values[-1]
            root = vectors[:, felt] / np.sqrt(values[felt])
            gamma = float(felt.sum() - (root**2).sum(axis=1) @ by_theta(network, lam))
        if gamma >= data.N:
            raise ValueError(
                f"{data.N:g} values of y determine {gamma:.3g} parameters, which leaves nothing to "
                "estimate the noise from: take a smaller network, a larger lam, or more data"
            )
        return cls(network, theta, gamma, 2 * data.m * J / (data.N - gamma), root)

    def predict(self, X: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Return the hypothesis with its spread.

        Parameters
        ----------
        X : array of shape (m, s_1)

        Returns
        -------
        h : ndarray of shape (m, K)
        band : ndarray of shape (m, K)
            The standard deviation of h: how well the training set determines it.
        std : ndarray of shape (m, K)
            The standard deviation of a new y, sqrt(band^2 + s^2): h - 1.645 std to h + 1.645 std
            is a 90 % prediction interval.
        """
        X = self.network.check_inputs(X).astype(np.float64, copy=False)
        h = np.empty((len(X), self.network.K))
        band = np.empty_like(h)
        step = rows_at_once(self.network)
        for start in range(0, len(X), step):
            rows = slice(start, start + step)
            h[rows], g = jacobian(self.network, self.theta, X[rows])
            band[rows] = np.sqrt(self.variance * np.square(g @ self.root).sum(axis=-1))
        return h, band, np.sqrt(band**2 + self.variance)

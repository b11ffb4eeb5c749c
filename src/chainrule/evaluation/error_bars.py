"""Error bars of a squared-error network: how far h may be off, and how far a new y.

Near the minimum J is a bowl, whose curvature is the Gauss-Newton matrix; theta is then about
normally distributed around the minimum (Laplace's approximation; MacKay, *A practical Bayesian
framework for backpropagation networks*, Neural Computation 4, 1992):

    A = Jac^T Jac + lambda R          s^2 = SSE / (N - gamma)          cov(theta) = s^2 A^-1

gamma is the effective number of parameters, as in `chainrule.optimize.br`.  If g_k(x) is the
gradient of h_k(x) by theta, the variance of h_k(x) is g_k cov(theta) g_k, and that of a new y_k is
larger by s^2.

Of several outputs each has a noise of its own.  With Jac_k, the rows of Jac that belong to y_k,

    gamma_k = tr(A^-1 Jac_k^T Jac_k)      s_k^2 = SSE_k / (m - gamma_k)
    cov(theta) = A^-1 (sum_k s_k^2 Jac_k^T Jac_k + s^2 lambda R) A^-1

which is the formula above where all the s_k are s.  The gamma_k add up to gamma.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chainrule.common.shown import summary
from chainrule.common.types import Array, Squares
from chainrule.engine.rows import Rows
from chainrule.notes.network import Network
from chainrule.notes.regularisation import by_theta, check_lam
from chainrule.notes.second_order import jacobian, rows_at_once
from chainrule.notes.theta import blocks
from chainrule.optimize.lm import check_room
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
        s^2, the variance of the noise on y; of several outputs, their mean.
    root : ndarray of shape (size, r)
        cov(theta) is s^2 root root^T.
    noise : ndarray of shape (K,)
        s_k^2, the variance of the noise on each output.

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
    noise: Array

    __repr__ = summary

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
            How often each example counts: 2 is the example twice, and N is the sum of the weights
            times K.  Where they are 1 / sigma^2 of each example's noise, divide them, and lam, by
            the mean of the weights: N is then K m, and s^2 the noise of an example of mean weight.

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
        Y, weights = network.known_targets(Y, len(X), weights)
        check_lam(network, lam)
        if network.cost.name != "identity":
            raise ValueError(
                f"error bars are for squared error (output='identity'), not {network.cost.name!r}"
            )
        check_room(network.size)
        rows = Rows(X, Y, weights)
        data = TrainingObjective(network, rows)
        lams = by_theta(network, lam)
        with one_blas_thread():
            J, _, H = data.normal_equations(theta)
            A = data.m * H + np.diag(lams)
            # Each Theta(l) in a unit of its own: in a large unit of y, rounding would hide a layer
            unit = np.empty(network.size)
            for part, in_A in zip(
                blocks(network, unit), blocks(network, A.diagonal()), strict=True
            ):
                part[...] = 1 / np.sqrt(in_A.max() or 1.0)
            values, vectors = np.linalg.eigh(unit[:, None] * A * unit)
            # A direction with an eigenvalue of 0 (a saturated unit's) changes no answer
            felt = values > len(A) * np.finfo(np.float64).eps * values[-1]
            root = unit[:, None] * vectors[:, felt] / np.sqrt(values[felt])
            gamma = float(felt.sum() - (root**2).sum(axis=1) @ lams)
            counts, gammas, sse = np.array([[data.m], [gamma], [2 * data.m * J]])
            if network.K > 1:
                counts, gammas, sse = _of_each_output(network, theta, rows, root)
            if (gammas >= counts).any():
                k = int((counts - gammas).argmin())
                raise ValueError(
                    f"{counts[k]:g} values of y determine {gammas[k]:.3g} parameters, which leaves "
                    "nothing to estimate the noise from: take a smaller network, a larger lam, or "
                    "more data"
                )
            noise, variance = sse / (counts - gammas), float(sse.sum() / (counts - gammas).sum())
            if network.K > 1 and variance:
                root = _spread(network, theta, rows, root, noise / variance, lams)
        return cls(network, theta, gamma, variance, root, noise)

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
        with one_blas_thread():
            for start in range(0, len(X), step):
                rows = slice(start, start + step)
                h[rows], g = jacobian(self.network, self.theta, X[rows])
                band[rows] = np.sqrt(self.variance * np.square(g @ self.root).sum(axis=-1))
        return h, band, np.sqrt(band**2 + self.noise)


def _of_each_output(network: Network, theta: Array, rows: Rows, root: Array) -> Array:
    """Return the number of values, gamma_k and SSE_k of each output, of shape (3, K)."""
    sums = np.zeros((3, network.K))
    for h, g, y, w in _jacobians(network, theta, rows):
        felt = np.square(g @ root).sum(axis=-1)
        sums += [w.sum(axis=0), (w * felt).sum(axis=0), (w * (h - y) ** 2).sum(axis=0)]
    return sums


def _spread(
    network: Network, theta: Array, rows: Rows, root: Array, shares: Array, lams: Array
) -> Array:
    """Return the root of cov(theta) / s^2, where output k has the share s_k^2 / s^2 of the noise.

    The middle of cov(theta) is B = sum_k shares_k Jac_k^T Jac_k + lambda R, and A^-1 B A^-1 is
    root (root^T B root) root^T.
    """
    middle = root.T @ (lams[:, None] * root)
    for _, g, _, w in _jacobians(network, theta, rows):
        felt = (g @ root) * np.sqrt(w * shares)[..., None]
        felt = felt.reshape(-1, root.shape[1])
        middle += felt.T @ felt
    values, vectors = np.linalg.eigh(middle)
    return np.asarray(root @ (vectors * np.sqrt(np.maximum(values, 0))))


def _jacobians(
    network: Network, theta: Array, rows: Rows
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Yield h, its Jacobian, y and weights, of shape (m, K), of one block of rows after another."""
    weights = np.ones((len(rows), network.K)) if rows.weights is None else rows.weights
    weights = np.broadcast_to(weights.reshape(len(rows), -1), (len(rows), network.K))
    for start in range(0, len(rows), rows_at_once(network)):
        block = slice(start, start + rows_at_once(network))
        X = rows.X[block].astype(np.float64, copy=False)
        yield *jacobian(network, theta, X), rows.Y[block], weights[block].astype(np.float64)

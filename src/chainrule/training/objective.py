"""J of one network on one training set: the function that an optimizer is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from chainrule.common.types import Array, Lambda
from chainrule.engine.examples import Examples
from chainrule.kernel import dot
from chainrule.notes import second_order
from chainrule.notes.network import Network
from chainrule.notes.regularisation import by_theta, finish_spread, penalty, spread

NO_SQUARES = (
    "an ElasticNet's absolute values of weights are no squares, of which Levenberg-Marquardt and "
    "Bayesian regularisation are made: choose another optimizer, or give lambda as a number"
)


class TrainingObjective:
    """J(theta) and its gradient, and for those optimizers that ask, second-order information.

    Parameters
    ----------
    network : Network
    rows : Examples
        The training set.
    lam : float, sequence of L - 1 float or ElasticNet, default=0.0
        lambda.
    ask : callable, optional
        Called before each evaluation; it raises `Stopped` where the training is to end.

    Attributes
    ----------
    lam : float, sequence of L - 1 float or ElasticNet
        May be set between two calls.
    m : float
        The number of examples, or the sum of their weights.
    N : float
        The number of residuals, K m.
    has_noise : bool
        Whether the cost is a squared error, whose noise has a variance of its own to be found.  A
        cross-entropy says by itself how far y may be from h: its variance counts as 1.
    regularised : ndarray of shape (size,)
        1 for each weight, 0 for each bias: lambda applies to the weights alone.

    Examples
    --------
    >>> from chainrule.engine.rows import Rows
    >>> network = Network((1, 1), output="identity")
    >>> rows = Rows(np.array([[3.0]]), np.array([[1.0]]))
    >>> objective = TrainingObjective(network, rows, lam=2.0)
    >>> theta = np.array([0.0, 1.0])
    >>> J, D = objective(theta)
    >>> J, D, objective.hvp(theta, np.array([0.0, 1.0]))
    (3.0, array([2., 8.]), array([ 3., 11.]))
    >>> objective.normal_equations(theta)
    (3.0, array([2., 8.]), array([[ 1.,  3.],
           [ 3., 11.]]))
    """

    def __init__(
        self,
        network: Network,
        rows: Examples,
        lam: Lambda = 0.0,
        ask: Callable[[], None] = lambda: None,
    ) -> None:
        self.network, self.rows, self.ask = network, rows, ask
        self.m = rows.m
        self.N = self.m * network.K
        self.has_noise = second_order.are_squares(network)
        self.regularised = by_theta(network, 1.0)
        self.lam = lam

    @property
    def lam(self) -> Lambda:
        """Lambda."""
        return self._lam

    @lam.setter
    def lam(self, lam: Lambda) -> None:
        self._lam = lam
        self._lams = spread(self.network, lam)
        self._squares = self._lams if self._lams is None or self._lams.ndim == 1 else self._lams[0]

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return J and D."""
        self.ask()
        sums = self.rows.accumulate(self.network, theta)
        return finish_spread(theta, *sums, self._lams, dot)

    def J(self, theta: Array) -> float:
        """Return J alone, in a third of the time."""
        return self.rows.cost(self.network, theta) + self.penalty(theta)

    def penalty(self, theta: Array) -> float:
        """Return the part of J that lambda adds."""
        return penalty(self.network, theta, self.lam) / self.m

    def hvp(self, theta: Array, v: Array) -> Array:
        """Return H v, the Hessian of J at theta times v."""
        self.ask()
        sums = self.rows.hessian_vector(self.network, theta, v)
        if self._squares is not None:  # absolute values are straight: they bend J nowhere
            sums += self._squares * v
        return sums / self.m

    def residuals(self, theta: Array) -> Iterator[tuple[Array, Array]]:
        """Yield residuals r with their Jacobian, in blocks, so that J is the sum of all r^2 / 2.

        In float64, scaled by 1 / sqrt(m).  The last block holds the residuals of the
        regularisation, one for each component of theta.
        """
        theta = theta.astype(np.float64, copy=False)
        scale = 1 / np.sqrt(self.m)
        for r, rows in self.rows.residuals(self.network, theta):
            self.ask()
            yield scale * r, np.multiply(scale, rows, out=rows)
        if self._squares is not None:
            root = scale * np.sqrt(self._squares)
            yield root * theta, np.diag(root)

    def normal_equations(self, theta: Array) -> tuple[float, Array, Array]:
        """Return J, D and the Gauss-Newton matrix, the sum of Jac^T Jac over the residuals.

        In float64.  ValueError says that absolute values of weights are no sum of squares.
        """
        self.ask()
        if self._lams is not self._squares:
            raise ValueError(NO_SQUARES)
        theta = theta.astype(np.float64, copy=False)
        return self.rows.normal_equations(self.network, theta, self._lams)

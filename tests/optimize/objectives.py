"""What the optimizers are tried on, and which of them can take it."""

import numpy as np

from chainrule import Network
from chainrule.optimize import OPTIMIZERS, is_rule

OURS = [name for name, found in OPTIMIZERS.items() if not is_rule(found)]
ANY_COST = [name for name in OURS if name not in ("lm", "br")]  # those two want a squared error
START = np.array([3.0, -4.0, 1.0])
SINE = Network((1, 5, 1), hidden="tanh", output="identity")


def bowl(theta):
    """Return a convex quadratic, smallest at (1, 2, 3), steeper along the later axes."""
    away = theta - np.array([1, 2, 3], theta.dtype)
    scale = np.array([1, 4, 9], theta.dtype)
    return float(away @ (scale * away)) / 2, scale * away


def rosenbrock(theta):
    x, y = theta
    D = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    return float((1 - x) ** 2 + 100 * (y - x * x) ** 2), np.array(D, theta.dtype)


def valley(theta):
    """Return Rosenbrock's function of each two neighbours, summed."""
    J, D = 0.0, np.zeros_like(theta)
    for i in range(len(theta) - 1):
        part, slope = rosenbrock(theta[i : i + 2])
        J, D[i : i + 2] = J + part, D[i : i + 2] + slope
    return J, D


class Quadratic:
    """|A theta - b|^2 / 2 with everything an objective may offer."""

    def __init__(self, n, rows=None, seed=0):
        rng = np.random.default_rng(seed)
        self.A = rng.normal(size=(rows or 2 * n, n)) / np.sqrt(rows or 2 * n)
        self.b = rng.normal(size=len(self.A))
        self.start = rng.normal(size=n)
        self.minimum = np.linalg.lstsq(self.A, self.b, rcond=None)[0]

    def __call__(self, theta):
        r = self.A @ theta - self.b
        return float(r @ r) / 2, self.A.T @ r

    def hvp(self, theta, v):
        return self.A.T @ (self.A @ v)

    def residuals(self, theta):
        yield self.A @ theta - self.b, self.A

    def normal_equations(self, theta):
        return *self(theta), self.A.T @ self.A


def sine(m=30):
    X = np.linspace(-3, 3, m)[:, None]
    return X, np.sin(X)

"""How much each column of a table tells a network: by how much the cost rises without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array


@dataclass(frozen=True, eq=False)
class Importances:
    """By how much the cost of some rows rises when a column is shuffled, the largest rise first.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    rises : ndarray of shape (len(names), repeats)
        Below 0 where the shuffled column was better by chance: it tells nothing.
    J : float
        The cost of the rows as they are.

    Examples
    --------
    >>> found = Importances(("age", "town"), np.array([[0.4, 0.5], [0.0, 0.1]]), 0.3)
    >>> for name, rise in zip(found.names, found.means, strict=True):
    ...     print(name, rise)
    age 0.45
    town 0.05
    """

    names: tuple[str, ...]
    rises: Array
    J: float

    __repr__ = summary

    @property
    def means(self) -> Array:
        """The mean rise of each column, of shape (len(names),)."""
        return np.asarray(self.rises.mean(axis=1))

    def as_dict(self) -> dict[str, float]:
        """Return each column's mean rise, ready for JSON."""
        return dict(zip(self.names, self.means.tolist(), strict=True))


def by_shuffling(
    cost: Callable[[Array], float],
    X: Array,
    columns: Mapping[str, Array],
    *,
    repeats: int = 5,
    seed: int = 0,
) -> Importances:
    """Shuffle the inputs of one column at a time among the rows, and see what the cost does.

    Breiman, *Random forests* (2001), section 10.  Rows that the network was not trained on show
    what a column is good for; two columns that tell the same each hide the other's importance.

    Parameters
    ----------
    cost : callable
        ``cost(X) -> J``.
    X : array of shape (m, n)
    columns : mapping of str to array of int
        Which inputs each column has become: they are shuffled together.
    repeats : int, default=5
        How often each column is shuffled.
    seed : int, default=0
        Of the shuffles.

    Returns
    -------
    Importances

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]])
    >>> found = by_shuffling(lambda X: float(((X[:, 0] - np.arange(4)) ** 2).mean()), X,
    ...                      {"constant": np.array([1]), "told": np.array([0])})
    >>> found.names, bool(found.means[0] > 1), float(found.means[1])
    (('told', 'constant'), True, 0.0)
    """
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(X)) for _ in range(repeats)]
    J, shuffled = cost(X), X.copy()
    rises = np.empty((len(columns), repeats))
    for row, inputs in zip(rises, columns.values(), strict=True):
        for k, order in enumerate(orders):
            shuffled[:, inputs] = X[np.ix_(order, inputs)]
            row[k] = cost(shuffled) - J
        shuffled[:, inputs] = X[:, inputs]
    first = np.argsort(-rises.mean(axis=1), kind="stable")
    names = tuple(columns)
    return Importances(tuple(names[j] for j in first), rises[first], J)

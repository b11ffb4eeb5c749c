"""First passes over a table: sums over blocks of rows by the one tree, as training is.

They answer, without the table in memory, what is asked before a training: whether all numbers are
finite, which targets there are and how often, the mean and the scale of each column, and whether
the rows lie in the order of their targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.common.checks import DataError
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets import scaling
from chainrule.datasets.scaling import Scaling
from chainrule.engine.blocks import Source, block_rows
from chainrule.engine.sums import Sums, Tree
from chainrule.notes.backprop import is_sparse

Told = Callable[[float], None]
"""Told which share of a table is read, 0 to 1."""
MOST_VALUES = 1000  # different targets that are counted; more are no classes
IN_ORDER = 0.1  # share of the targets' variance between blocks, above which the order matters


def parts(source: Source, told: Told = lambda share: None) -> Iterator[tuple[int, Any, Any, Any]]:
    """Yield the blocks of a table: the first row of each, X, y and weights."""
    rows = block_rows(source.n, source.K, np.float64)
    for first in range(0, source.m, rows):
        last = min(first + rows, source.m)
        yield first, *source.read(first, last)
        told(last / source.m)


def added_up(
    source: Source, sums: Callable[[Any, Any, Any], Sums], told: Told = lambda share: None
) -> Sums:
    """Return the sums over all rows of what ``sums(X, y, weights)`` returns for a block."""
    tree = Tree()
    for i, (_, X, y, weights) in enumerate(parts(source, told)):
        tree.add(i, sums(X, y, weights))
    return tree.total()


def input_scaling(source: Source, told: Told = lambda share: None) -> Scaling:
    """Return the scaling after which every column of X has mean 0 and standard deviation 1.

    In two passes; of one block, the bits are those of `Scaling.fit`.

    Examples
    --------
    >>> from chainrule.engine.blocks import Arrays
    >>> input_scaling(Arrays(np.array([[1.0], [3.0]]))).mean
    array([2.])
    """
    return _scaling(source, lambda X, y: X.toarray() if is_sparse(X) else X, told)


def target_scaling(source: Source, told: Told = lambda share: None) -> Scaling:
    """Return the same of the targets, where they are numbers."""
    return _scaling(source, lambda X, y: y, told)


def _scaling(source: Source, of: Callable[[Any, Any], Array], told: Told) -> Scaling:
    def first(X: Any, y: Any, weights: Any) -> Sums:
        return scaling.sums(of(X, y), weights)

    total, weight = added_up(source, first, lambda share: told(share / 2))
    mean = total / weight

    def second(X: Any, y: Any, weights: Any) -> Sums:
        return (scaling.squares(of(X, y), mean, weights),)

    (squares,) = added_up(source, second, lambda share: told((1 + share) / 2))
    return Scaling.of(mean, squares / weight)


@dataclass(frozen=True)
class Targets:
    """What the targets of a table are.

    Attributes
    ----------
    counts : dict or None
        How often each different one comes, in order; None where they are many, or several a row.
    between : float
        The share of their variance that lies between blocks: about 0 in random order, 1 where each
        block has targets of its own.
    """

    counts: dict[Any, int] | None
    between: float

    __repr__ = summary

    @property
    def in_order(self) -> bool:
        """Whether rows of one target, or of like ones, lie together for longer than a block."""
        return self.between > IN_ORDER


def targets(source: Source, K: int | None = None, told: Told = lambda share: None) -> Targets:
    """Return what the targets of a table are, from one pass over it.

    Where they are codes of K classes, they vary as the columns of 0 and 1 do that they stand for.

    Examples
    --------
    >>> from chainrule.engine.blocks import Arrays
    >>> y = np.repeat([0, 1, 2], 2000)
    >>> found = targets(Arrays(np.zeros((6000, 2000)), y), K=3)
    >>> found.counts, found.in_order
    ({0: 2000, 1: 2000, 2: 2000}, True)
    >>> targets(Arrays(np.zeros((6000, 2000)), np.tile([0.5, 1.5], 3000))).in_order
    False
    """
    counts: dict[Any, int] | None = {}
    origin: Array | None = None

    def sums(X: Any, y: Array, weights: Any) -> Sums:
        """Return the known values of each column, their sum, squares, and squared sum by value."""
        nonlocal counts, origin
        if y.ndim == 2 or counts is None:
            counts = None
        else:
            values, often = np.unique(y, return_counts=True)
            for value, n in zip(values.tolist(), often.tolist(), strict=True):
                counts[value] = counts.get(value, 0) + n
            counts = counts if len(counts) <= MOST_VALUES else None
        if K is not None:
            total = np.bincount(y, minlength=K).astype(np.float64)
            return float(len(y)), total, total.copy(), total**2 / len(y)
        columns = y.reshape(len(y), -1).astype(np.float64)
        origin = np.nan_to_num(columns[0]) if origin is None else origin  # differences cancel less
        known = (~np.isnan(columns)).sum(axis=0, dtype=np.float64)
        columns = np.nan_to_num(columns - origin)  # what nobody knows counts nothing
        total = columns.sum(axis=0)
        return known, total, (columns**2).sum(axis=0), total**2 / np.maximum(known, 1)

    m, total, squared, by_block = added_up(source, sums, told)
    whole = total**2 / np.maximum(m, 1)
    variance = float((squared - whole).sum())
    between = float((by_block - whole).sum()) / variance if variance > 0 else 0.0
    return Targets(None if counts is None else dict(sorted(counts.items())), between)


def refuse_non_finite(source: Source, told: Told = lambda share: None) -> None:
    """Raise DataError that names the row, if a value of X, y or the weights is no finite number.

    NaN in targets of several columns is one that nobody knows.

    Examples
    --------
    >>> from chainrule.engine.blocks import Arrays
    >>> refuse_non_finite(Arrays(np.array([[1.0], [np.inf]]), np.zeros(2)))
    Traceback (most recent call last):
        ...
    chainrule.common.checks.DataError: X has inf in row 1, column 0 (counted from 0): fill or drop \
it first
    """
    from chainrule.common.checks import refuse_non_finite as refuse

    for first, X, y, weights in parts(source, told):
        for name, values in (("X", X), ("y", y), ("weights", weights)):
            if values is None or (name == "y" and y.ndim == 2):
                continue
            values = values.data if is_sparse(values) else values
            if values.dtype.kind == "f":
                try:
                    refuse(values, name, first)
                except ValueError as error:
                    raise DataError(str(error)) from None

"""Examples over which the workers of a cluster sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from chainrule.common.checks import refuse_weights
from chainrule.common.shown import summary
from chainrule.engine.blocks import Arrays, Blocks, Source
from chainrule.engine.choice import chosen
from chainrule.engine.cluster import LARGE, Loaded, Workers
from chainrule.engine.examples import Part
from chainrule.engine.stream import Stream, fitting_dtype
from chainrule.engine.sums import Sums
from chainrule.notes.backprop import is_sparse, total_weight
from chainrule.notes.network import Network

IN_MEMORY = (
    "{what} in the memory of this process, and the workers of a cluster read by themselves: save "
    "it where all of them can, as .npy (numpy.save) or Zarr, and give chainrule.blocks(path, "
    "target=...); or give collections of Dask that are made of files, as by dask.array.from_zarr"
)
OF_MEMORY = "the table, or the Dask collection that is given, was made of an array or a dataframe"


@dataclass(frozen=True)
class Remote(Stream):
    """Examples of a source that workers read, to the bits of `Stream`.

    Parameters
    ----------
    blocks, total, engine, threads, sparse
        As of a `Stream`.  In a task one thread computes.
    workers : Workers
    """

    workers: Workers = field(kw_only=True)

    __repr__ = summary

    @classmethod
    def held(
        cls,
        network: Network,
        source: Source,
        workers: Workers,
        dtype: npt.DTypeLike | None = None,
        engine: str | None = None,
        threads: int | None = None,
    ) -> Remote:
        """Return a source's examples, which the workers have looked at, and keep if they can."""
        import cloudpickle

        if len(cloudpickle.dumps(source)) > LARGE:
            what = "X is" if isinstance(source, Arrays) else OF_MEMORY
            raise ValueError(IN_MEMORY.format(what=what))
        dtype = fitting_dtype(network, source, dtype)
        workers.agree(by_kernel=chosen(network, engine) == "kernel")
        blocks = Blocks(source, network, dtype)
        workers.hold(blocks)
        m, by_output, sparse = workers.sums(looked_at)
        if source.weighted:
            refuse_weights(m, m, dtype)
        if by_output:
            blocks = Blocks(source, network, dtype, by_output=True)
            workers.hold(blocks)
        return cls(blocks, m, engine, threads, sparse > 0, workers=workers)

    def _summed(
        self,
        network: Network,
        sums_of: Callable[[Part, dict[str, Any]], Sums],
        *,
        alone: bool = False,
    ) -> Sums:
        """Return the sum over the blocks, by the workers."""
        on = self._on(1)

        def leaf(loaded: Loaded) -> Sums:
            return sums_of(loaded, on)

        leaf.__qualname__ = sums_of.__qualname__
        return self.workers.sums(leaf)


def looked_at(loaded: Loaded) -> Sums:
    """Return the weight of a block's rows, and whether it has weights by output, or is sparse."""
    X, Y, weights = loaded
    each = weights is not None and weights.ndim == 2
    return total_weight(Y, weights), int(each), int(is_sparse(X))


def is_dask(X: Any) -> bool:
    """Whether X is an array or a dataframe of Dask."""
    return hasattr(X, "__dask_graph__")


def source_of(X: Any, Y: Any = None, weights: Any = None) -> Source:
    """Return a user's examples as a source."""
    if isinstance(X, Source):
        if Y is not None or weights is not None:
            raise ValueError("the table has its own target and weights: leave Y and weights out")
        return X
    from chainrule.engine.readers import blocks

    if hasattr(X, "to_dask_array"):  # a dataframe, whose target has to be one of its columns
        X, Y = with_column(X, Y, "target")
        X, weights = with_column(X, weights, "weights")
    return blocks(X, Y, weights=weights)


def with_column(frame: Any, column: Any, name: str) -> tuple[Any, Any]:
    """Return a dataframe of Dask with a series of its rows as a column, and the column's name."""
    if not is_dask(column):
        return frame, column
    name = str(column.name or name)
    while name in frame.columns:
        name += "_"
    return frame.assign(**{name: column}), name

"""An epoch in lanes: each learns from blocks of its own, then their thetas are averaged.

K lanes begin an epoch with the same theta and slots.  Lane k goes through its blocks, a range of
the table's, as training on one machine does, and its theta and slots count in the mean by the
weight of its rows:

    theta := sum over k of w_k theta_k / sum of w_k                      and the slots likewise

The mean is a sum of the tree over the lanes' numbers.  So an epoch is a pure function of K and the
seed, whoever computes which lane.  It is another algorithm than an epoch on one machine: it takes
a K-th of the steps one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array, Rule
from chainrule.engine.blocks import Block, Blocks
from chainrule.engine.cluster import Node, cut
from chainrule.engine.cores import available_threads
from chainrule.engine.remote import Remote
from chainrule.engine.stream import Stream
from chainrule.engine.sums import Sums, summed
from chainrule.notes.minibatch import Minibatches
from chainrule.notes.network import Network


@dataclass(frozen=True)
class Some(Blocks):
    """Some of a source's blocks."""

    some: Sequence[Block] = ()

    def __len__(self) -> int:
        return len(self.some)

    def __getitem__(self, i: Any) -> Any:
        return self.some[i]


@dataclass(frozen=True)
class Epoch:
    """What the lanes of an epoch are told.

    Parameters
    ----------
    network : Network
    theta, slots : ndarray
        What all lanes begin with.
    how : Minibatches
    rule : Rule
    number, steps : int
        Which epoch this is, and how many steps are done.
    shuffle : bool
    engine : {"kernel", "numpy"} or None
    sparse : bool
        See `Stream`.
    """

    network: Network
    theta: Array
    slots: Array
    how: Minibatches
    rule: Rule
    number: int
    steps: int
    shuffle: bool
    engine: str | None
    sparse: bool

    __repr__ = summary

    def lane(self, k: int, blocks: Sequence[Block]) -> Sums:
        """Return a lane's theta and slots, times the weight of its rows, its costs and the weight.

        Examples
        --------
        >>> from chainrule.engine.blocks import Arrays
        >>> from chainrule.optimize.sgd import SGD
        >>> network, rule = Network((1, 1)), SGD(learning_rate=0.1, momentum=0.0)
        >>> block = Block(Arrays(np.array([[1.0], [3.0]]), np.array([0.0, 1.0])), 0, 2, network,
        ...     np.dtype("float64"))
        >>> epoch = Epoch(network, np.zeros(2), np.zeros((1, 2)), Minibatches(), rule, 0, 0, True,
        ...     None, False)
        >>> epoch.lane(0, [block])[0] / 2
        array([0.  , 0.05])
        """
        first = blocks[0]
        some = Some(first.source, first.network, first.dtype, first.by_output, some=blocks)
        stream = Stream(some, 0.0, self.engine, 1, self.sparse)
        theta, slots, steps = self.theta.copy(), self.slots.copy(), self.steps
        cost_sum = w = 0.0
        size = self.how.batch_size
        rng = np.random.default_rng((self.how.seed, self.number, k))
        with np.errstate(over="ignore", invalid="ignore"):  # a divergence is told in words
            for buffer in stream.by_blocks(rng, size, self.shuffle):
                sums = buffer.rows.epoch(
                    self.network, theta, buffer.order, self.how, rule=self.rule, state=slots,
                    steps=steps, number=self.number, names=buffer.names,
                )  # fmt: skip
                steps += -(-len(buffer.order) // size)
                cost_sum, w = cost_sum + sums[0], w + sums[1]
            return theta * w, slots * w, cost_sum, w

    def part(self, of: range, blocks: Sequence[Block], borders: list[range]) -> list[Node]:
        """Return what a lane comes to as a node of the tree: a task."""
        k = borders.index(of)
        return [(k, 1, self.lane(k, blocks))]


class Lanes:
    """K lanes over the blocks of a stream.

    Parameters
    ----------
    rows : Stream
        Over a `Remote` one, the workers compute the lanes.
    K : int

    Raises
    ------
    ValueError
        If there are fewer blocks.
    """

    def __init__(self, rows: Stream, K: int) -> None:
        if rows.n_blocks < K:
            raise ValueError(
                f"lanes={K} needs as many blocks of {rows.blocks.rows:,} rows, and the table of "
                f"{len(rows):,} rows has {rows.n_blocks}: give at most that many lanes"
            )
        self.rows, self.borders = rows, cut(rows.n_blocks, K)
        if isinstance(rows, Remote):
            rows.workers.hold(rows.blocks, self.borders)

    def steps(self, batch_size: int) -> int:
        """Return how many steps the longest lane takes in an epoch."""
        sizes = (sum(len(self.rows.blocks[i]) for i in of) for of in self.borders)
        return -(-max(sizes) // batch_size)

    def epoch(
        self,
        network: Network,
        theta: Array,
        slots: Array,
        how: Minibatches,
        *,
        rule: Rule,
        number: int,
        steps: int,
        shuffle: bool,
    ) -> tuple[Array, Array, float, float]:
        """Return the lanes' mean theta and slots, the sum of the costs, and that of the weights."""
        rows = self.rows
        told = Epoch(
            network, theta, slots, how, rule, number, steps, shuffle, rows.engine, rows.sparse
        )
        if isinstance(rows, Remote):
            sums = rows.workers.total(told.part, self.borders, kind="lane")
        else:
            sums = summed(
                len(self.borders),
                lambda k, _: told.lane(k, [rows.blocks[i] for i in self.borders[k]]),
                rows.threads or available_threads(),
            )
        theta_sum, slots_sum, cost_sum, w = sums
        with np.errstate(over="ignore", invalid="ignore"):
            return theta_sum / w, slots_sum / w, cost_sum, w

"""One epoch of minibatches in NumPy, with dropout and max-norm: the reference, to be read.

An epoch goes through the rows once, in a given order, one batch after the other.  For each batch b:

1. accumulate Delta_b over its rows, as the notes say;
2. D_b = Delta_b / w_b + lambda/m Theta, without lambda for the biases;
3. a rule (`chainrule.optimize.sgd`, `chainrule.optimize.adam`) moves theta by D_b;
4. with `absolutes`, a weight that has crossed 0 stops there.

The m of step 2 is that of the *whole* training set: so the D_b of an epoch are, on average, the
gradient of the notes' J.

====================  ============================================================================
name                  what
====================  ============================================================================
w_b                   the sum of the weights of a batch's rows: their number, where none are given
order                 (m,), the rows in the order in which they are visited
state                 (k, size), what a rule remembers from step to step
t                     the number of a step, counted from 1 over all epochs
penalty               for each Theta(l) the lambda/m that multiplies it in D_b
absolutes             the same for the absolute values of an `ElasticNet`
dropout               for each layer 1, ..., L-1 the share of its units to leave out, in [0, 1)
seed, number          the seed of training, and which epoch this is, counted from 0
====================  ============================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Rule, Squares
from chainrule.notes.backprop import accumulate
from chainrule.notes.network import Network
from chainrule.notes.regularisation import per_layer, slope_of_absolutes
from chainrule.notes.theta import blocks

# splitmix64 (Steele, Lea and Flood, 2014): its increment and the multipliers of its finaliser
GOLDEN_64 = 0x9E3779B97F4A7C15
SPLITMIX_64 = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
# lowbias32 (Wellons, 2018), and 2^32 / golden ratio, which sets neighbouring units apart
LOWBIAS_32 = (0x7FEB352D, 0x846CA68B)
GOLDEN_32 = 0x9E3779B9
PIECE = 32768  # how many components of theta a rule moves at a time: they stay in the cache


@dataclass(frozen=True)
class Minibatches:
    """How an epoch goes over the rows.

    Parameters
    ----------
    batch_size : int, default=200
        Rows in a batch; the last batch has what is left.
    penalty : float or sequence of L - 1 float, default=0.0
        lambda/m, one for all Theta(l) or one for each: what multiplies W in D_b.
    by_batch : bool, default=False
        scikit-learn's way: penalty is lambda, and each batch divides it by its own weight sum,
        D_b = (Delta_b + penalty W) / w_b.
    dropout : float or sequence of L - 1 float, optional
        The share of units left out at random: one for all hidden layers, or one for each of the
        layers 1..L-1, the inputs first; see `dropout_masks`.
    max_norm : float, optional
        After each step the weights into a unit, the bias left out, are scaled down to a norm of
        at most this.
    seed : int, default=0
        With the epoch's number it keys the dropout.
    absolutes : float or sequence of L - 1 float, default=0.0
        As penalty, for the absolute values of the weights.  NumPy computes with them.

    Raises
    ------
    ValueError
        If a value makes no sense.

    Examples
    --------
    >>> Minibatches(batch_size=32, dropout=0.5).rates(Network((4, 3, 3, 2)))
    [0.0, 0.5, 0.5]
    """

    batch_size: int = 200
    penalty: Squares = 0.0
    by_batch: bool = False
    dropout: float | Sequence[float] | None = None
    max_norm: float | None = None
    seed: int = 0
    absolutes: Squares = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.batch_size, Integral) or self.batch_size < 1:
            raise ValueError(f"batch_size must be a whole number >= 1, got {self.batch_size!r}")
        if self.max_norm is not None and not 0 < self.max_norm < np.inf:
            raise ValueError(f"max_norm must be a number > 0, got {self.max_norm!r}")

    def rates(self, network: Network) -> list[float] | None:
        """Return the dropout rate of each layer 1..L-1, or None without dropout."""
        if self.dropout is None:
            return None
        hidden = network.L - 2
        given = self.dropout
        rates = [0.0] + [given] * hidden if isinstance(given, float | int) else list(given)
        if len(rates) != hidden + 1 or not all(0 <= rate < 1 for rate in rates):
            raise ValueError(
                f"dropout must be a rate in [0, 1) for all hidden layers, or {hidden + 1} rates, "
                f"one for each of the layers 1 to {hidden + 1}; got {given!r}"
            )
        return rates


def epoch(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    order: Array,
    how: Minibatches,
    *,
    rule: Rule,
    state: Array,
    steps: int = 0,
    number: int = 0,
    weights: Array | None = None,
    names: Array | None = None,
) -> tuple[float, float]:
    """Go through the rows once, one step of the rule for each batch; theta and state in place.

    Returns the weighted sum of cost(t) over all rows, each at the theta that its batch met, without
    penalty; and the sum of all weights.

    ``steps`` batches were done before.  The last batch has the rows that are left.  A batch whose
    weights add up to 0 is skipped.  Where X is a block of a larger training set, ``names`` are its
    rows' numbers there, of shape (m,): dropout depends on them.

    Examples
    --------
    One batch of all rows and plain SGD is a step of gradient descent:

    >>> from chainrule.optimize.sgd import SGD
    >>> network, rule = Network((1, 1)), SGD(learning_rate=0.1, momentum=0.0)
    >>> theta, X, Y = np.zeros(2), np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    >>> epoch(network, theta, X, Y, np.arange(2), Minibatches(), rule=rule, state=rule.init(theta))
    (1.3862943611198906, 2.0)
    >>> theta
    array([0.  , 0.05])
    """
    total, total_w = 0.0, 0.0
    rates, penalty = how.rates(network), per_layer(network, how.penalty)
    absolutes = per_layer(network, how.absolutes)
    decay: Any = getattr(rule, "decay", 0.0)
    shrink = decay and decay * getattr(rule, "learning_rate", 1.0)
    for t, first in enumerate(range(0, len(order), how.batch_size), start=steps + 1):
        rows = order[first : first + how.batch_size]
        masks = None
        if rates is not None:
            named = rows if names is None else names[rows]
            masks = dropout_masks(network, rates, named, how.seed, number, theta.dtype)
        w_rows = None if weights is None else weights[rows]
        cost_sum, D, w = accumulate(network, theta, X[rows], Y[rows], w_rows, masks)
        if w == 0:
            continue
        D /= w
        share = 1 / w if how.by_batch else 1.0
        for c, c_abs, D_T, Theta_T in zip(
            penalty, absolutes, blocks(network, D), blocks(network, theta), strict=True
        ):
            W = Theta_T[1:]
            D_T[1:] += (c / w if how.by_batch else c) * W
            if c_abs:
                D_T[1:] += slope_of_absolutes(W, D_T[1:], share * c_abs)
            if shrink:
                W *= 1 - shrink
        before = theta.copy() if any(absolutes) else theta
        for begin in range(0, len(theta), PIECE):
            part = slice(begin, begin + PIECE)
            rule.update(theta[part], D[part], state[:, part], t)
        if before is not theta:
            stop_at_zero(network, before, theta, D, absolutes)
        if how.max_norm is not None:
            limit_norms(network, theta, how.max_norm)
        total += cost_sum
        total_w += w
    return total, total_w


def stop_at_zero(
    network: Network, before: Array, theta: Array, D: Array, absolutes: Sequence[float]
) -> None:
    """Set each weight that a step has carried across 0 to 0, where absolute values count.

    A weight that was 0 and has no slope stays 0, whatever the rule remembers of earlier slopes.

    Examples
    --------
    >>> before, theta = np.array([1.0, 1.0, 0.0, 1.0]), np.array([-1.0, -1.0, 0.1, 2.0])
    >>> stop_at_zero(Network((3, 1)), before, theta, np.zeros(4), [0.5])
    >>> theta  # the first is the bias
    array([-1.,  0.,  0.,  2.])
    """
    parts = (blocks(network, each) for each in (before, theta, D))
    for c, old_T, new_T, D_T in zip(absolutes, *parts, strict=True):
        if c:
            held = (old_T[1:] == 0) & (D_T[1:] == 0)
            new_T[1:][held | (old_T[1:] * new_T[1:] < 0)] = 0


def dropout_masks(
    network: Network,
    dropout: Sequence[float],
    rows: Array,
    seed: int = 0,
    number: int = 0,
    dtype: npt.DTypeLike = np.float64,
) -> list[Array]:
    """Return the masks, (m, s_l) for l = 1..L-1: 0, or 1 / (1 - rate) where a unit is kept.

    What is kept is scaled up here, so that prediction needs no change (Srivastava et al. 2014,
    *Dropout*).  A unit's fate is a hash of (seed, epoch, layer, row, unit): a row meets the same
    masks in any order, with any batch size and any number of threads, and any one of them can be
    computed alone.  With all arithmetic modulo 2^64 (k) or 2^32 (u), l = 1 for the inputs, and
    rows and units j counted from 0::

        k = mix(mix(mix(mix(seed) ^ epoch) ^ l) ^ row)
        u = lowbias32(lowbias32(low(k) ^ (j * 0x9E3779B9)) + high(k))
        unit j is kept if u >= floor(rate * 2^32)

    where low and high are the two halves of k.

    Examples
    --------
    >>> dropout_masks(Network((4, 2, 1)), [0.5, 0.0], np.array([0, 7]))
    [array([[2., 2., 0., 2.],
           [2., 2., 0., 0.]]), array([[1., 1.],
           [1., 1.]])]
    """
    masks = []
    of_epoch = mix(mix(np.array([seed], np.uint64)) ^ np.uint64(number))
    for l, rate in enumerate(dropout, start=1):
        key = mix(mix(of_epoch ^ np.uint64(l)) ^ rows.astype(np.uint64))[:, None]  # (m, 1)
        low, high = key.astype(np.uint32), (key >> np.uint64(32)).astype(np.uint32)
        j = np.arange(network.layers[l - 1], dtype=np.uint32)
        u = lowbias32(lowbias32(low ^ (j * np.uint32(GOLDEN_32))) + high)  # (m, s_l)
        kept = u >= np.uint32(rate * 2**32)
        masks.append(np.where(kept, 1 / (1 - rate), 0.0).astype(dtype))
    return masks


def mix(x: Array) -> Array:
    """Return the number that splitmix64 gives from state x; x is an array of uint64."""
    x = x + np.uint64(GOLDEN_64)
    for shift, multiplier in zip((30, 27), SPLITMIX_64, strict=True):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(multiplier)
    return np.asarray(x ^ (x >> np.uint64(31)))


def lowbias32(x: Array) -> Array:
    """Return lowbias32's hash of x, an array of uint32."""
    for shift, multiplier in zip((16, 15), LOWBIAS_32, strict=True):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(multiplier)
    return np.asarray(x ^ (x >> np.uint32(16)))


def limit_norms(network: Network, theta: Array, max_norm: float) -> None:
    """Scale each unit's weights in, the bias left out, to a norm of at most max_norm, in place.

        Theta(l)_i := Theta(l)_i min(1, max_norm / |Theta(l)_i|)        for each row i

    Examples
    --------
    >>> theta = np.array([9.0, 9.0, 3.0, 0.1, 4.0, 0.2])
    >>> limit_norms(Network((2, 2)), theta, 1.0)
    >>> theta
    array([9. , 9. , 0.6, 0.1, 0.8, 0.2])
    """
    for Theta_T in blocks(network, theta):
        W = Theta_T[1:]  # a unit's weights in are a column
        norm = np.sqrt(np.sum(np.square(W), axis=0))
        W *= max_norm / np.maximum(norm, max_norm)

"""One epoch of minibatches in NumPy, with dropout and max-norm: the reference, to be read.

An epoch goes through the rows once, in a given order, a batch at a time.  For each batch b, of
weight sum w_b (its number of rows, where examples have no weights):

- Delta_b is accumulated over its rows as the notes say;
- D_b = Delta_b / w_b, plus lambda/m W for the weights (not the biases), m that of the *whole*
  training set: so the D_b of an epoch are, on average, the gradient of the notes' J;
- a rule (`chainrule.optimize.sgd`, `chainrule.optimize.adam`) moves theta by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array
from chainrule.notes.backprop import accumulate
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks

# splitmix64 (Steele, Lea and Flood, 2014): its increment and the multipliers of its finaliser
GOLDEN_64 = 0x9E3779B97F4A7C15
SPLITMIX_64 = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
# lowbias32 (Wellons, 2018), and 2^32 over the golden ratio to set neighbouring units apart
LOWBIAS_32 = (0x7FEB352D, 0x846CA68B)
GOLDEN_32 = 0x9E3779B9
PIECE = 32768  # components of theta that a rule moves at a time: they stay in the cache


class Rule(Protocol):
    """How a batch's gradient moves theta: pure arithmetic on flat vectors."""

    @property
    def learning_rate(self) -> float:
        """Alpha."""

    @property
    def decay(self) -> float:
        """By what the weights shrink at each step, times alpha."""

    def init(self, theta: Array) -> Array:
        """Return the state before the first step, of shape (k, n)."""

    def update(self, theta: Array, D: Array, state: Array, t: int) -> None:
        """Take step t, counted from 1: each component of theta and the state changes in place.

        It is called for one part of theta after the other, so a component may depend on none but
        its own theta, D and state.
        """


def epoch(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    order: Array,
    *,
    rule: Rule,
    state: Array,
    steps: int,
    batch_size: int,
    penalty: Sequence[float],
    penalty_by_batch: bool = False,
    weights: Array | None = None,
    dropout: Sequence[float] | None = None,
    max_norm: float | None = None,
    seed: int = 0,
    number: int = 0,
) -> tuple[float, float]:
    """Go through the rows once, a step of the rule for each batch.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (size,)
        Updated in place; its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1)
    Y : array of shape (m, K)
    order : array of shape (m,), int64
        The rows in the order to be visited in.
    rule : Rule
        An `SGD` or an `Adam`.
    state : ndarray of shape (k, size)
        The rule's, from ``rule.init(theta)``; updated in place.
    steps : int
        Batches done in earlier epochs: this epoch's first step is number steps + 1.
    batch_size : int
        Rows in a batch; the last batch has what is left.
    penalty : sequence of L - 1 float
        For each Theta(l) the lambda/m that multiplies W in D_b.
    penalty_by_batch : bool, default=False
        scikit-learn's way: each batch divides the penalty, too, by its own weight sum,
        D_b = (Delta_b + penalty W) / w_b.
    weights : array of shape (m,), optional
        Weight of each example.  A batch whose weights add up to 0 is passed over.
    dropout : sequence of L - 1 float, optional
        For each layer 1..L-1 the share of its units to leave out, see `dropout_masks`.
    max_norm : float, optional
        After each step the weights into a unit, the bias left out, are scaled down to a norm of
        at most this.
    seed, number : int, default=0
        The seed of training, and which epoch this is, counted from 0: they key the dropout.

    Returns
    -------
    cost_sum : float
        The weighted sum of cost(t) over all rows, each at the theta its batch met, without
        penalty.
    w : float
        The sum of all weights.

    Notes
    -----
    Notes, *Backpropagation Algorithm*, for each batch.

    Examples
    --------
    One batch of all rows and plain SGD is a step of gradient descent:

    >>> from chainrule.optimize.sgd import SGD
    >>> network, rule = Network((1, 1)), SGD(learning_rate=0.1, momentum=0.0)
    >>> theta, X, Y = np.zeros(2), np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    >>> epoch(network, theta, X, Y, np.arange(2), rule=rule, state=rule.init(theta), steps=0,
    ...       batch_size=2, penalty=[0.0])
    (1.3862943611198906, 2.0)
    >>> theta
    array([0.  , 0.05])
    """
    total, total_w = 0.0, 0.0
    for t, first in enumerate(range(0, len(order), batch_size), start=steps + 1):
        rows = order[first : first + batch_size]
        masks = None
        if dropout is not None:
            masks = dropout_masks(network, dropout, rows, seed, number, theta.dtype)
        w_rows = None if weights is None else weights[rows]
        cost_sum, D, w = accumulate(network, theta, X[rows], Y[rows], w_rows, masks)
        if w == 0:
            continue
        D /= w
        for c, D_T, Theta_T in zip(
            penalty, blocks(network, D), blocks(network, theta), strict=True
        ):
            W = Theta_T[1:]
            D_T[1:] += (c / w if penalty_by_batch else c) * W
            if rule.decay:
                W *= 1 - rule.learning_rate * rule.decay
        for begin in range(0, len(theta), PIECE):
            part = slice(begin, begin + PIECE)
            rule.update(theta[part], D[part], state[:, part], t)
        if max_norm is not None:
            limit_norms(network, theta, max_norm)
        total += cost_sum
        total_w += w
    return total, total_w


def dropout_masks(
    network: Network,
    dropout: Sequence[float],
    rows: Array,
    seed: int = 0,
    number: int = 0,
    dtype: npt.DTypeLike = np.float64,
) -> list[Array]:
    """Return what dropout multiplies each a(l) by: 0, or 1 / (1 - rate) where a unit is kept.

    A unit's fate is a hash of (seed, epoch, layer, row, unit): whatever the order, the batch size
    or the number of threads, a row meets the same masks, and any one of them can be asked for.

    Parameters
    ----------
    network : Network
    dropout : sequence of L - 1 float
        The rate of each layer 1..L-1, in [0, 1).
    rows : array of shape (m,)
        Which rows of the training set.
    seed, number : int, default=0
        The seed of training, and the epoch, counted from 0.
    dtype : dtype, default=float64

    Returns
    -------
    list of ndarray of shape (m, s_l)
        For l = 1..L-1.

    Notes
    -----
    Srivastava et al. (2014), *Dropout*; inverted: what is kept is scaled up here, so that nothing
    is to be done at prediction.  With all arithmetic modulo 2^64 (k) or 2^32 (u), and l = 1 for the
    inputs, rows and units j counted from 0::

        k = mix(mix(mix(mix(seed) ^ epoch) ^ l) ^ row)
        u = lowbias32(lowbias32(low(k) ^ (j * 0x9E3779B9)) + high(k))
        unit j is kept if u >= floor(rate * 2^32)

    where low and high are the two halves of k, and mix(x) is splitmix64's next number from the
    state x.

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

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (size,)
    max_norm : float

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

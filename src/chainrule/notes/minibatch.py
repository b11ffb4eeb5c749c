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
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array, Lambda, Rule
from chainrule.notes.backprop import accumulate
from chainrule.notes.network import Network
from chainrule.notes.regularisation import per_layer
from chainrule.notes.theta import blocks

# splitmix64 (Steele, Lea and Flood, 2014): its increment and the multipliers of its finaliser
GOLDEN_64 = 0x9E3779B97F4A7C15
SPLITMIX_64 = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
# lowbias32 (Wellons, 2018), and 2^32 over the golden ratio to set neighbouring units apart
LOWBIAS_32 = (0x7FEB352D, 0x846CA68B)
GOLDEN_32 = 0x9E3779B9
PIECE = 32768  # components of theta that a rule moves at a time: they stay in the cache


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
    penalty: Lambda = 0.0
    by_batch: bool = False
    dropout: float | Sequence[float] | None = None
    max_norm: float | None = None
    seed: int = 0

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
    """Go through the rows once, a step of the rule for each batch.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (size,)
        Updated in place; its dtype is the one computed in.
    X : array or scipy.sparse.csr_array of shape (m, s_1)
    Y : array of shape (m, K)
    order : array of int64
        The rows in the order to be visited in.
    how : Minibatches
    rule : Rule
        An `SGD` or an `Adam`, or one's own.
    state : ndarray of shape (k, size)
        The rule's, from ``rule.init(theta)``; updated in place.
    steps : int, default=0
        Batches done in earlier epochs: this epoch's first step is number steps + 1.
    number : int, default=0
        Which epoch this is, counted from 0.
    weights : array of shape (m,), optional
        Weight of each example.  A batch whose weights add up to 0 is passed over.
    names : array of shape (m,), int64, optional
        The numbers of the rows in the whole training set, where X is a block of it: dropout
        depends on them.  Default: 0, 1, ..., m - 1.

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
    >>> epoch(network, theta, X, Y, np.arange(2), Minibatches(), rule=rule, state=rule.init(theta))
    (1.3862943611198906, 2.0)
    >>> theta
    array([0.  , 0.05])
    """
    total, total_w = 0.0, 0.0
    rates, penalty = how.rates(network), per_layer(network, how.penalty)
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
        for c, D_T, Theta_T in zip(
            penalty, blocks(network, D), blocks(network, theta), strict=True
        ):
            W = Theta_T[1:]
            D_T[1:] += (c / w if how.by_batch else c) * W
            if shrink:
                W *= 1 - shrink
        for begin in range(0, len(theta), PIECE):
            part = slice(begin, begin + PIECE)
            rule.update(theta[part], D[part], state[:, part], t)
        if how.max_norm is not None:
            limit_norms(network, theta, how.max_norm)
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

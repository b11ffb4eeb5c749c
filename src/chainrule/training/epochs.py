"""Training in minibatches: epoch after epoch, until a rule ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np

from chainrule import engine
from chainrule.common.types import Array, Lambda
from chainrule.notes.backprop import total_weight
from chainrule.notes.network import Network
from chainrule.notes.regularisation import penalty, per_layer
from chainrule.optimize import Result, Rule, State, Step
from chainrule.optimize.result import AT_MAX_ITER, BY_CALLBACK, NOT_FINITE
from chainrule.training.watch import Ended, Watch

# One call of the engine does so much and no more, so that Ctrl-C and max_time are heard soon.  What
# it does depends on shapes, not on the clock: sums must come out the same each time.
MOST_PRODUCTS = 1e10  # rows times weights
MOST_BATCHES = 500
Distort = Callable[[Array, np.random.Generator], Array]
"""``distort(X, rng)``: what an epoch sees in place of X, an array of the same shape."""
DIVERGED = (
    "diverged: J is not finite in epoch {}; this is the best theta before: a smaller learning_rate "
    "(now {:g}) or standardised inputs may help"
)


def minimize(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    watch: Watch,
    *,
    rule: Rule,
    learning_rate: float | Callable[[int], float] | None = None,
    batch_size: int | None = None,
    max_iter: int = 100,
    lam: Lambda = 0.0,
    weights: Array | None = None,
    dropout: float | Sequence[float] | None = None,
    max_norm: float | None = None,
    distort: Distort | None = None,
    shuffle: bool = True,
    penalty_by_batch: bool = False,
    seed: int = 0,
    state: State | None = None,
    **on: Any,
) -> Result:
    """Minimise J over minibatches.

    Parameters
    ----------
    network, X, Y, lam, weights, max_iter, seed
        As in `train`, checked there.
    theta : ndarray of shape (size,)
        The start; not changed.
    watch : Watch
    rule : SGD or Adam
    learning_rate, batch_size, dropout, max_norm, distort, shuffle, penalty_by_batch, state
        As in `train`, checked here.
    **on
        ``engine`` and ``threads``, as in `train`.

    Returns
    -------
    Result
        The theta of the epoch of the lowest J_val or, without validation examples, of the lowest
        J; where training ended within its first epoch, the theta it had got to.  After Ctrl-C
        ``J`` is that epoch's mean, else the full J at theta.

    Raises
    ------
    ValueError
        If an argument does not fit.

    Notes
    -----
    The order of epoch number n depends on the seed and n alone: so a training that goes on from
    its state ends where an uninterrupted one does.
    """
    batch_size = 200 if batch_size is None else batch_size
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise ValueError(f"batch_size must be a whole number >= 1, got {batch_size!r}")
    if max_norm is not None and not 0 < max_norm < np.inf:
        raise ValueError(f"max_norm must be a number > 0, got {max_norm!r}")
    rates = layer_rates(network, dropout)
    rate = rule.learning_rate if learning_rate is None else learning_rate
    state = State(theta, rule.init(theta)) if state is None else state
    if state.slots.shape != rule.init(theta).shape or state.slots.dtype != theta.dtype:
        raise ValueError(
            f"state has slots of shape {state.slots.shape} and {state.slots.dtype}, from another "
            f"optimizer, network or dtype; {rule} on {network} needs "
            f"{rule.init(theta).shape} and {theta.dtype}"
        )

    def full_J(theta: Array) -> float:
        cost_sum, m = engine.cost(network, theta, X, Y, weights, **on)
        return cost_sum / m + penalty(network, theta, lam) / m

    m = total_weight(Y, weights)
    lams = per_layer(network, lam)
    step = partial(
        engine.epoch,
        batch_size=batch_size,
        penalty=lams if penalty_by_batch else [lam_l / m for lam_l in lams],
        penalty_by_batch=penalty_by_batch,
        weights=weights,
        dropout=rates,
        max_norm=max_norm,
        seed=seed,
        **on,
    )
    theta, slots = theta.copy(), state.slots.copy()
    first = steps = state.steps
    J = np.inf
    affordable = int(MOST_PRODUCTS / (batch_size * network.size))
    piece = batch_size * min(max(affordable, 1), MOST_BATCHES)  # rows in one call of the engine

    def one_epoch(number: int) -> None:
        """Move theta through all the rows once, and J to the mean over them."""
        nonlocal steps, J
        now = at_rate(rule, rate, number)
        order = np.arange(len(X))
        if shuffle:
            np.random.default_rng((seed, number)).shuffle(order)
        seen = X if distort is None else distort(X, np.random.default_rng((seed, number, 1)))
        cost_sum = w = 0.0
        while len(order):
            watch.check_time()
            rows, order = np.split(order, [piece])
            sums = step(
                network, theta, seen, Y, rows, rule=now, state=slots, steps=steps, number=number
            )
            steps += -(-len(rows) // batch_size)
            cost_sum, w = cost_sum + sums[0], w + sums[1]
            if not (np.isfinite(cost_sum) and np.isfinite(theta).all()):
                theta[:] = watch.theta
                raise Ended(DIVERGED.format(number + 1, now.learning_rate))
            J = cost_sum / (w or 1.0) + penalty(network, theta, lams) / m

    def run() -> Ended:
        nonlocal state
        J_start = full_J(theta)
        # A mean over an epoch, taken while theta moves, is no match for J at one theta
        watch.start(J_start, np.nan, counts=False)
        if not np.isfinite(J_start):
            return Ended(NOT_FINITE)
        for iteration in range(1, max_iter + 1):
            one_epoch(state.epoch)
            state = State(theta.copy(), slots.copy(), state.epoch + 1, steps)
            if watch.after(Step(iteration, J, np.nan, state.theta, steps - first)):
                return Ended(BY_CALLBACK)
        return Ended(AT_MAX_ITER.format(max_iter))

    with np.errstate(over="ignore", invalid="ignore"):  # a divergence is told in words
        ended = watch.until_ended(run)
        n_iter = max(len(watch.history) - 1, 0)
        best, J = (watch.theta, watch.J) if n_iter else (theta, J)
        if not ended.at_once:
            J = full_J(best)
    return Result(best, J, watch.history, n_iter, steps - first, str(ended), ended.converged, state)


def at_rate(rule: Rule, learning_rate: float | Callable[[int], float], number: int) -> Rule:
    """Return the rule with the learning rate of an epoch, counted from 0."""
    rate = learning_rate(number) if callable(learning_rate) else learning_rate
    if not 0 < rate < np.inf:
        raise ValueError(f"learning_rate must be a number > 0, got {rate!r} for epoch {number}")
    return replace(rule, learning_rate=float(rate))


def layer_rates(network: Network, dropout: float | Sequence[float] | None) -> list[float] | None:
    """Return the dropout rate of each layer 1..L-1; a single number is that of hidden layers.

    Examples
    --------
    >>> layer_rates(Network((4, 3, 3, 2)), 0.5)
    [0.0, 0.5, 0.5]
    """
    if dropout is None:
        return None
    hidden = network.L - 2
    rates = [0.0] + [dropout] * hidden if isinstance(dropout, float | int) else list(dropout)
    if len(rates) != hidden + 1 or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(
            f"dropout must be a rate in [0, 1) for all hidden layers, or {hidden + 1} rates, one "
            f"for each of the layers 1 to {hidden + 1}; got {dropout!r}"
        )
    return rates

"""Choosing lambda and the hidden units by cross-validation."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from chainrule.common.types import Array, Stopped
from chainrule.engine.predicting import predict
from chainrule.evaluation.scores import Evaluation
from chainrule.notes.network import Network
from chainrule.optimize.result import BY_SIGNAL
from chainrule.training.checkpoint import Checkpoint, Made, described
from chainrule.training.steps import keeper_of, train

CHANGES_NO_BIT = ("stop", "callback", "every", "threads", "check")  # options of `train`


class Choice(NamedTuple):
    """A network and a lambda with their mean score over the folds: accuracy, or R2."""

    network: Network
    lam: float
    score: float


def cross_validate(
    networks: Sequence[Network],
    lams: Sequence[float],
    X: Array,
    Y: Array,
    *,
    classes: Sequence[object] | None = None,
    folds: int = 3,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    checkpoint_every: float = 30.0,
    resume: bool | str = True,
    **options: Any,
) -> Iterator[Choice]:
    """Train every network with every lambda on all folds but one, in turn, and score it on that.

    Parameters
    ----------
    networks : sequence of Network
    lams : sequence of float
    X : array of shape (m, s_1)
    Y : array of shape (m,)
        Codes of the classes, or the target's values.
    classes : sequence, optional
        The names of the classes; None for a regression.
    folds : int, default=3
    seed : int, default=0
        Seed of the folds and of every random start.
    checkpoint, checkpoint_every, resume
        As for `train`: the file keeps the scores of the folds that are done.
    **options
        More arguments of `train`.

    Yields
    ------
    Choice
        As soon as it is scored: networks in the order given, each with the lambdas in theirs.

    Raises
    ------
    ValueError
        If there are fewer than two examples per fold.

    Examples
    --------
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> networks = [Network((1, s, 1), hidden="tanh", output="identity") for s in (1, 8)]
    >>> choices = cross_validate(networks, [0.0], X, X[:, 0] ** 2)
    >>> max(choices, key=lambda choice: choice.score).network.layers
    (1, 8, 1)
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if len(X) < 2 * folds:
        raise ValueError(f"cross-validation in {folds} folds needs {2 * folds} examples or more")
    stratify = classes is not None and np.bincount(Y).min() >= folds
    splitter = (StratifiedKFold if stratify else KFold)(folds, shuffle=True, random_state=seed)
    pairs = list(splitter.split(X, Y))
    keeper = keeper_of(checkpoint, checkpoint_every, resume)
    known = (
        {}
        if keeper is None
        else kept_scores(keeper, X, Y, {"folds": folds, "seed": seed, **options})
    )

    def score(network: Network, lam: float, number: int) -> float:
        name = f"{described(network)}, lam {lam!r}, fold {number}"
        if name in known:
            return known[name]
        rest, fold = pairs[number]
        result = train(network, X[rest], Y[rest], lam=lam, seed=seed, **options)
        if BY_SIGNAL in result.stopped:  # an unfinished training must not decide
            raise KeyboardInterrupt
        if result.interrupted:
            raise Stopped(result.stopped)
        known[name] = Evaluation(predict(network, result.theta, X[fold]), Y[fold], classes).score
        if keeper is not None:
            keeper.note("scores", known)
        return known[name]

    try:
        for network, lam in product(networks, lams):
            scores = [score(network, lam, number) for number in range(folds)]
            yield Choice(network, lam, float(np.mean(scores)))
    except BaseException:
        if keeper is not None and known:
            keeper.write()
        raise
    if keeper is not None and keeper is not checkpoint:  # nobody else writes it
        keeper.write()


def kept_scores(
    keeper: Checkpoint, X: Array, Y: Array, options: dict[str, Any]
) -> dict[str, float]:
    """Return the scores of the folds that are done, by network, lambda and fold.

    Raises
    ------
    CheckpointError
        If the file is of another cross-validation.
    """
    keeper.read()
    bits = {name: value for name, value in options.items() if name not in CHANGES_NO_BIT}
    now = Made.of("", (X, Y), bits, str(options.get("engine") or "kernel"))
    before = keeper.notes.get("folds of")
    if before is not None:
        keeper.refuse_another(now, Made(**before))
    keeper.notes["folds of"] = asdict(now)
    return dict(keeper.notes.get("scores", {}))


def search(
    networks: Sequence[Network],
    lams: Sequence[float],
    X: Array,
    Y: Array,
    *,
    first: Sequence[slice] = (slice(None), slice(None)),
    **options: Any,
) -> Iterator[Choice]:
    """Cross-validate some networks with some lambdas; go on around the best until none is better.

    Parameters
    ----------
    networks : sequence of Network
        In the order of their size.
    lams : sequence of float
        In their order.
    X, Y : arrays
        As for `cross_validate`.
    first : (slice, slice), optional
        The networks and the lambdas to begin with.  After them come the neighbours of the best:
        the next network and the next lambda to either side.
    **options
        More arguments of `cross_validate`.

    Yields
    ------
    Choice
        As soon as it is scored.

    Examples
    --------
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> network = Network((1, 8, 1), hidden="tanh", output="identity")
    >>> lams = [0.001, 0.01, 0.1, 1.0]
    >>> first = (slice(None), slice(2, None))
    >>> [choice.lam for choice in search([network], lams, X, X[:, 0] ** 2, first=first)]
    [0.1, 1.0, 0.01, 0.001]
    """
    tried: dict[tuple[int, int], Choice] = {}
    todo = list(product(range(len(networks))[first[0]], range(len(lams))[first[1]]))
    while todo:
        for i, j in todo:
            (tried[i, j],) = cross_validate([networks[i]], [lams[j]], X, Y, **options)
            yield tried[i, j]
        i, j = max(tried, key=lambda pair: tried[pair].score)
        todo = [
            (i + down, j + right)
            for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1))
            if 0 <= i + down < len(networks) and 0 <= j + right < len(lams)
        ]
        todo = [pair for pair in todo if pair not in tried]

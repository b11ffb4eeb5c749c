"""An ensemble of small networks, which is one network: a *committee*.

Each member is trained on some folds of the rows and *tried* on the others, as in cross-validation.
By the cost of these out-of-fold answers lambda is found, which inputs the members see, and how much
each kind of member counts.  Where there are many rows, two members are enough to find lambda with.

The committee's z(L) is the weighted mean of its members' z(L).  So it is a network itself: the
members' hidden units side by side, with no weights from one to another (`side_by_side`).

Hansen and Salamon, *Neural network ensembles* (1990); Caruana and others, *Ensemble selection from
libraries of models* (2004).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from threading import Event, Lock
from typing import NamedTuple, TypeVar

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.threads import aside
from chainrule.common.types import Array, Stopped
from chainrule.engine.cores import available_threads
from chainrule.engine.predicting import forward
from chainrule.notes.network import Network
from chainrule.notes.theta import reshape, unroll
from chainrule.optimize.result import BY_SIGNAL
from chainrule.training.steps import train

T = TypeVar("T")
LAMS = tuple(10.0 ** (k / 2) for k in range(-6, 7))  # 0.001, 0.0032, ... 1000
FIRST = LAMS.index(10.0)  # where the search begins
UNITS, MOST_UNITS = 16, 144  # hidden ones of each member, three times as many each time
MANY = 1250  # rows that a member is trained on, from which on more units are tried
SCOUTS = 2  # members that lambda is then found with; the others are trained at that one alone
WORTH = 0.01  # by what part of the cost they must be better to go on
LEAST = 0.03  # of an input's mean relevance: less would take it away for good
COUNTED = 8  # how often kinds of members are chosen for the mean; the same may come again


@dataclass(frozen=True, eq=False)
class Kind:
    """Members that differ in the rows that they were trained on, and in their random start.

    Attributes
    ----------
    inputs : ndarray of bool, of shape (n,)
        Which inputs they see.
    by_relevance : bool
        Whether inputs were scaled by what the same member without that had learnt of them.
    hidden : int
        Hidden units of each.
    lam : float
        The lambda that was found for them.
    J : float
        Their mean cost on the rows that they have not seen, without lambda.
    share : float
        How much they count in the committee, 0 to 1.
    n_iter : int
        The iterations of the member that took the most.
    """

    inputs: Array
    by_relevance: bool
    hidden: int
    lam: float
    J: float
    share: float
    n_iter: int

    __repr__ = summary


@dataclass(frozen=True, eq=False)
class Committee:
    """What `train_committee` found.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (network.size,)
    kinds : tuple of Kind
    z : ndarray of shape (m, K)
        z(L) of each row by the members that were tried on it; NaN of a row that none was.
    J : float
        The mean cost of z, without lambda.
    """

    network: Network
    theta: Array
    kinds: tuple[Kind, ...]
    z: Array
    J: float

    __repr__ = summary


class _Member(NamedTuple):
    """One network, and what it says of the rows it was tried on."""

    theta: Array
    z: Array
    n_iter: int


@dataclass(frozen=True, eq=False)
class _Tried:
    """A kind of members at one lambda."""

    inputs: Array
    scales: list[Array]  # of the inputs, for each member
    by_relevance: bool
    hidden: int
    lam: float
    thetas: list[Array]
    z: Array
    n_iter: int
    J: float

    __repr__ = summary

    def kind(self, share: float = 0.0) -> Kind:
        return Kind(
            self.inputs, self.by_relevance, self.hidden, self.lam, self.J, share, self.n_iter
        )


def train_committee(
    X: Array,
    Y: Array,
    splits: Sequence[tuple[Array, Array]],
    *,
    output: str,
    columns: Array,
    views: Sequence[Array],
    weights: Array | None = None,
    hidden: int | None = None,
    max_iter: int = 100,
    seed: int = 0,
    threads: int | None = None,
    stop: Callable[[], bool] | None = None,
    told: Callable[[Kind], None] | None = None,
) -> Committee:
    """Train a committee of networks with one hidden layer by L-BFGS.

    For each view there are two kinds of members: those that see the inputs as they are, and those
    that see them scaled by their relevance.  This is the square root of the mean square of the
    weights from an input's column, as the same member has learnt them before: a column without use
    is then held back by a lambda that is larger for it (MacKay's automatic relevance
    determination, by one step).

    Parameters
    ----------
    X : array of shape (m, n)
        Its dtype, float32 or float64, is computed in.
    Y : array of shape (m, K)
    splits : sequence of (rows, rows)
        For a member of each kind the numbers of the rows that it is trained on, and of those that
        it is tried on.
    output : str
        See `chainrule.Network`.
    columns : array of shape (n,) of int
        Inputs with one number come from one column of a table, and share their relevance.
    views : sequence of array of bool, of shape (n,)
        Which inputs the members of a kind see.
    weights : array of shape (m,), optional
        The weight of each row; 2 is the row twice.
    hidden : int, optional
        Hidden units of each member.  Default: 16; where each is trained on 1,250 rows, then three
        and nine times as many, as long as the cost falls by a hundredth.
    max_iter : int, default=100
        Iterations of each member.
    seed : int, default=0
        Of the random starts.
    threads : int, optional
        How many members are trained at the same time.  The result has the same bits for any number.
    stop : callable, optional
        ``stop() -> bool``, asked again and again; where it returns true, `Stopped` is raised.
    told : callable, optional
        Is told of each kind when its lambda has been found.

    Returns
    -------
    Committee

    Raises
    ------
    Stopped
        If it was asked to stop.

    Examples
    --------
    A step in one column, and another column without use:

    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = (X[:, :1] > 0).astype(float)
    >>> rows = np.arange(200)
    >>> splits = [(rows[rows % 4 != j], rows[rows % 4 == j]) for j in range(4)]
    >>> found = train_committee(X, y, splits, output="sigmoid", columns=np.arange(2),
    ...                         views=[np.ones(2, bool)])
    >>> found.J < 0.05, found.network.layers[0]
    (True, 2)
    """
    training = _Training(X, Y, splits, output, weights, max_iter, seed, threads, stop)
    found: list[_Tried] = []
    at = FIRST
    for view in views:
        scales = [np.ones(int(view.sum()), X.dtype) for _ in splits]
        for by_relevance in (False, True):
            best, at = training.best(view, scales, hidden or UNITS, at, by_relevance=by_relevance)
            found.append(best)
            if told is not None:
                told(best.kind())
            scales = [
                relevance(theta, scale, columns[view], training.network(view, best.hidden))
                for theta, scale in zip(best.thetas, scales, strict=True)
            ]
    while hidden is None and len(splits[0][0]) >= MANY:
        best = min(found, key=lambda kind: kind.J)
        if best.hidden == MOST_UNITS:
            break
        at = LAMS.index(best.lam)
        larger, _ = training.best(
            best.inputs, best.scales, 3 * best.hidden, at, by_relevance=best.by_relevance
        )
        found.append(larger)
        if told is not None:
            told(larger.kind())
        if larger.J > (1 - WORTH) * best.J:
            break
    counts, z, J = _blend(found, training.cost)
    shares = counts / counts.sum()
    members = [
        (training.network(kind.inputs, kind.hidden), theta, kind.inputs, scale, share / len(splits))
        for kind, share in zip(found, shares, strict=True)
        if share
        for theta, scale in zip(kind.thetas, kind.scales, strict=True)
    ]
    network, theta = side_by_side(members)
    kinds = tuple(kind.kind(float(share)) for kind, share in zip(found, shares, strict=True))
    return Committee(network, theta, kinds, z, J)


class _Training:
    """The rows with their splits, and how members are trained on them."""

    def __init__(
        self,
        X: Array,
        Y: Array,
        splits: Sequence[tuple[Array, Array]],
        output: str,
        weights: Array | None,
        max_iter: int,
        seed: int,
        threads: int | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self.X, self.Y, self.splits, self.weights = X, Y.astype(X.dtype), splits, weights
        self.output = output
        self.max_iter, self.seed, self.stop = max_iter, seed, stop
        many = len(splits[0][0]) >= MANY
        self.scouts = range(len(splits))[-SCOUTS:] if many else range(len(splits))
        self.threads, self.over = threads or available_threads(), Event()

    def network(self, inputs: Array, hidden: int) -> Network:
        """Return the network of members that see these inputs."""
        layers = (int(inputs.sum()), hidden, self.Y.shape[1])
        return Network(layers, hidden="tanh", output=self.output)

    def cost(self, z: Array) -> float:
        """Return the mean cost of z where there is one, without lambda."""
        tried = ~np.isnan(z[:, 0])
        per_example = self.network(np.ones(1, bool), 1).cost.per_example
        costs = per_example(z[tried], self.Y[tried].astype(np.float64))
        return float(
            np.average(costs, weights=None if self.weights is None else self.weights[tried])
        )

    def best(
        self, inputs: Array, scales: list[Array], hidden: int, at: int, *, by_relevance: bool
    ) -> tuple[_Tried, int]:
        """Go from a lambda to its neighbours as long as the scouts' cost on unseen rows falls."""
        X = self.X if inputs.all() else np.ascontiguousarray(self.X[:, inputs])
        tried: dict[int, dict[int, _Member]] = {}
        costs: dict[int, float] = {}

        def of(k: int) -> float:
            if not 0 <= k < len(LAMS):
                return math.inf
            if k not in tried:
                tried[k] = self.trained(X, scales, hidden, LAMS[k], self.scouts)
                costs[k] = self.cost(self.unseen(tried[k]))
            return costs[k]

        while True:
            if of(at + 1) < of(at):
                at += 1
            elif of(at - 1) < of(at):
                at -= 1
            else:
                break
        others = range(len(self.splits) - len(self.scouts))
        found = self.trained(X, scales, hidden, LAMS[at], others) | tried[at]
        members, z = [found[j] for j in range(len(self.splits))], self.unseen(found)
        return _Tried(
            inputs, scales, by_relevance, hidden, LAMS[at], [member.theta for member in members],
            z, max(member.n_iter for member in members), self.cost(z),
        ), at  # fmt: skip

    def trained(
        self, X: Array, scales: list[Array], hidden: int, lam: float, numbers: Iterable[int]
    ) -> dict[int, _Member]:
        """Return the members of these numbers."""
        network = self.network(np.ones(X.shape[1], bool), hidden)

        def member(j: int) -> _Member:
            rows, tried = self.splits[j]
            seen = X[rows]
            seen *= scales[j]
            result = train(
                network,
                seen,
                self.Y[rows],
                lam=lam,
                weights=None if self.weights is None else self.weights[rows],
                max_iter=self.max_iter,
                patience=None,
                seed=self.seed + j,
                threads=1,
                check=j == self.scouts[0],
                stop=self._asked_to_stop,
            )
            if BY_SIGNAL in result.stopped:
                raise KeyboardInterrupt
            if self._asked_to_stop():
                raise Stopped("the committee is not complete")
            z = forward(network, result.theta, X[tried] * scales[j], threads=1)[1]
            return _Member(result.theta, z, result.n_iter)

        return self._together(member, numbers)

    def unseen(self, members: Mapping[int, _Member]) -> Array:
        """Return the mean z(L) of each row by the members that were tried on it, or NaN."""
        total, tries = np.zeros(self.Y.shape), np.zeros(len(self.Y))
        for j in sorted(members):
            total[self.splits[j][1]] += members[j].z
            np.add.at(tries, self.splits[j][1], 1)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / tries[:, None])

    def _asked_to_stop(self) -> bool:
        return self.over.is_set() or (self.stop is not None and self.stop())

    def _together(self, member: Callable[[int], T], numbers: Iterable[int]) -> dict[int, T]:
        """Return what each member comes to, of which some are trained at the same time.

        This thread trains members as well: it hears Ctrl-C, and the others then end soon.
        """
        found: dict[int, T] = {}
        to_do, lock = iter(numbers), Lock()

        def work() -> None:
            while not self.over.is_set():
                with lock:
                    j = next(to_do, None)
                if j is None:
                    return
                found[j] = member(j)

        def help_along() -> None:
            try:
                work()
            except BaseException:
                self.over.set()
                raise

        helping = [aside(help_along) for _ in range(min(self.threads, len(self.splits)) - 1)]
        try:
            work()
        except BaseException:
            self.over.set()
            raise
        finally:
            wait(helping)
        for helper in helping:
            helper.result()
        return found


def relevance(theta: Array, scale: Array, columns: Array, network: Network) -> Array:
    """Return the scale of each input by what a member has learnt of its column; mean square 1."""
    weights = reshape(network, theta)[0][:, 1:] * scale
    square = np.mean(weights.astype(np.float64) ** 2, axis=0)
    _, place = np.unique(columns, return_inverse=True)
    square = (np.bincount(place, square) / np.bincount(place))[place]
    scales = np.maximum(np.sqrt(square / (square.mean() or 1.0)), LEAST)
    return np.asarray(scales / np.sqrt(np.mean(scales**2)), dtype=theta.dtype)


def _blend(found: Sequence[_Tried], cost: Callable[[Array], float]) -> tuple[Array, Array, float]:
    """Return how often each kind counts, and the mean z(L) of unseen rows with its cost.

    One after another that kind is added, perhaps again, which makes the mean the best.
    """
    counts, total = np.zeros(len(found), int), np.zeros_like(found[0].z)
    for n in range(1, COUNTED + 1):
        costs = [cost((total + kind.z) / n) for kind in found]
        best = int(np.argmin(costs))
        counts[best] += 1
        total = total + found[best].z
    return counts, total / COUNTED, cost(total / COUNTED)


def side_by_side(
    members: Sequence[tuple[Network, Array, Array, Array, float]],
) -> tuple[Network, Array]:
    """Return the network whose z(L) is a weighted sum of those of networks with one hidden layer.

    Parameters
    ----------
    members : sequence of (network, theta, inputs, scale, share)
        Which of all inputs a network sees (bool), by what it multiplies them, and its share.

    Returns
    -------
    network : Network
    theta : ndarray of shape (network.size,)

    Examples
    --------
    >>> one, two = Network((1, 1, 1), hidden="tanh"), Network((1, 2, 1), hidden="tanh")
    >>> a, b = np.arange(4.0), np.arange(7.0)
    >>> first, second = np.array([True, False]), np.array([False, True])
    >>> network, theta = side_by_side([(one, a, first, 1.0, 0.5), (two, b, second, 2.0, 0.5)])
    >>> network.layers
    (2, 3, 1)
    >>> X = np.array([[0.3, 0.1]])
    >>> z = (forward(one, a, X[:, :1])[1] + forward(two, b, 2 * X[:, 1:])[1]) / 2
    >>> np.allclose(forward(network, theta, X)[1], z)
    True
    """
    first, last, bias = [], [], []
    for network, theta, inputs, scale, share in members:
        into_hidden, into_output = reshape(network, theta)
        of_all = np.zeros((len(into_hidden), 1 + len(inputs)), theta.dtype)
        of_all[:, 0] = into_hidden[:, 0]
        of_all[:, 1:][:, inputs] = into_hidden[:, 1:] * scale
        first.append(of_all)
        last.append(share * into_output[:, 1:])
        bias.append(share * into_output[:, :1])
    like = members[0][0]
    layers = (len(members[0][2]), sum(map(len, first)), like.K)
    network = Network(layers, hidden=like.hidden, output=like.output)
    outputs = np.hstack([np.sum(bias, axis=0), *last])
    return network, unroll([np.vstack(first), outputs.astype(members[0][1].dtype)])

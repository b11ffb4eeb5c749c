"""The notes' six steps of training a network: initialise, check the gradient once, minimise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import check_weights
from chainrule.common.types import Array, Lambda
from chainrule.engine.cores import available_threads
from chainrule.engine.summing import accumulate, cost
from chainrule.notes.backprop import finish
from chainrule.notes.gradient_check import compare
from chainrule.notes.gradient_report import GradientReport
from chainrule.notes.network import Network
from chainrule.notes.regularisation import check_lam
from chainrule.notes.theta import identical_units, random_theta
from chainrule.optimize import Callback, Iterate, Optimizer, Result, Rule, State, find
from chainrule.training import epochs
from chainrule.training.epochs import Distort
from chainrule.training.objective import TrainingObjective
from chainrule.training.watch import Watch

T = TypeVar("T")

CHECK_ROWS = 20  # examples that the gradient check before training looks at
CHECK_EPSILONS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)  # tried in turn until one agrees
CHECK_DIRECTIONS = 10  # random directions along which it compares slopes


class WrongGradientError(ArithmeticError):
    """Backpropagation and the numerical gradient disagree: training was not started.

    Its text is the report of the gradient check.

    Examples
    --------
    An activation whose derivative is wrong, 1 where it should be a(1 - a):

    >>> from chainrule.notes.activations import Activation, sigmoid
    >>> wrong = Activation("wrong", sigmoid, np.ones_like)
    >>> train(Network((1, 2, 1), hidden=wrong), [[0.0], [1.0]], [0, 1])
    Traceback (most recent call last):
        ...
    chainrule.training.steps.WrongGradientError: gradient check FAILED: 10 random directions, ...
    """


def train(
    network: Network,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    lam: Lambda = 0.0,
    weights: npt.ArrayLike | None = None,
    optimizer: str | Optimizer | Rule = "lbfgs",
    learning_rate: float | Callable[[int], float] | None = None,
    batch_size: int | None = None,
    dropout: float | Sequence[float] | None = None,
    max_norm: float | None = None,
    distort: Distort | None = None,
    shuffle: bool = True,
    penalty_by_batch: bool = False,
    X_val: npt.ArrayLike | None = None,
    Y_val: npt.ArrayLike | None = None,
    patience: int | None = 10,
    max_iter: int = 100,
    max_time: float | None = None,
    theta: npt.ArrayLike | None = None,
    state: State | Iterate | None = None,
    seed: int = 0,
    n_restarts: int = 1,
    dtype: npt.DTypeLike | None = None,
    engine: str | None = None,
    threads: int | None = None,
    check: bool = True,
    allow_symmetry: bool = False,
    callback: Callback | None = None,
) -> Result:
    """Train a network by the notes' six steps.

    1. theta is initialised at random.  2.-4. Forward propagation, the cost and backpropagation
    are `chainrule.notes.backprop`.  5. The gradient is checked once, on a few examples.  6. The
    optimizer minimises J.

    Parameters
    ----------
    network : Network
    X : array of shape (m, s_1)
        The examples, one a row.
    Y : array of shape (m,) or (m, K)
        Targets, or integer codes 0..K-1 of K classes.
    lam : float or sequence of L - 1 float, default=0.0
        lambda, the regularisation parameter, >= 0: one for all Theta(l), or one for each.
    weights : array of shape (m,), optional
        Weight of each example, >= 0: 2 is the same as the row twice, and m in J is their sum.
    optimizer : str, callable, SGD or Adam, default="lbfgs"
        Over all the rows at once: ``"lbfgs"``, ``"cg"`` (conjugate gradient), ``"scg"`` (scaled
        conjugate gradient), ``"newton-cg"``, ``"gd"`` (gradient descent); for squared error
        ``"lm"`` (Levenberg-Marquardt) and ``"br"`` (Bayesian regularisation, which finds lambda
        by itself); ``"scipy:NAME"`` for a minimizer of
        `scipy.optimize.minimize` that takes a gradient; or a function
        ``minimize(objective, theta, *, max_iter, callback) -> Result``.  Over minibatches:
        ``"sgd"``, ``"adam"``, ``"adamw"``, or `SGD` or `Adam` with parameters of your own.
    learning_rate : float or callable, optional
        Of a minibatch rule, instead of the rule's own; or a function of the epoch, counted from
        0, such as ``lambda epoch: 0.01 / (1 + epoch / 10)``.
    batch_size : int, optional
        Examples in a minibatch.  Default: 200.
    dropout : float or sequence of L - 1 float, optional
        The share of units to leave out at random in each hidden layer, or in each of the layers
        1..L-1 (the inputs first).  Minibatches only.
    max_norm : float, optional
        After each step the weights into a unit are scaled down to a norm of at most this.
        Minibatches only.
    distort : callable, optional
        ``distort(X, rng)`` returns what an epoch sees in place of X: new examples from old, as
        those of `chainrule.datasets.distortions`.  Minibatches only.
    shuffle : bool, default=True
        Whether each epoch visits the rows in another order, which seed determines.
    penalty_by_batch : bool, default=False
        Whether lambda means what scikit-learn's alpha does: each minibatch divides the penalty by
        its own number of rows, not by m.
    X_val, Y_val : arrays as X and Y, optional
        Validation examples.  With them theta is the one of the lowest J_val, the mean cost on
        them without regularisation.
    patience : int or None, default=10
        Training ends when for so many iterations J_val, or in minibatches J, has not fallen by
        more than a relative 1e-4.
    max_iter : int, default=100
        Iterations at most; over minibatches, epochs.
    max_time : float, optional
        Seconds at most; the best theta so far is returned.
    theta : array of shape (size,), optional
        The start; random by default.
    state : State or Iterate, optional
        ``result.state`` of an earlier training: goes on, bit for bit, as if there had been no
        pause.  Instead of theta; the other arguments as before.
    seed : int, default=0
        Of the random start, the order of the rows, and dropout.
    n_restarts : int, default=1
        How many random starts to train from, seed, seed + 1, and so on, at the same time on the
        cores that there are.  The best is returned: the lowest J, or J_val where there are
        validation examples; its ``minima`` has them all.  ``max_time`` is for each.
    dtype : dtype, optional
        float64 or float32: what to compute in.  Default: X's, or float64.
    engine : {"kernel", "numpy"}, optional
        What computes.  Default: the fused kernel, where it was built and knows the network's
        activations and cost; NumPy is the reference.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.
    check : bool, default=True
        Whether to check the gradient before the first iteration.
    allow_symmetry : bool, default=False
        Whether to start from a theta in which hidden units are identical.
    callback : callable, optional
        Called with a `Step` after each iteration; a true return value ends training.

    Returns
    -------
    Result
        The best theta so far, too, when Ctrl-C or max_time ended training.

    Raises
    ------
    ValueError
        If an argument does not fit, or hidden units of theta are identical.
    WrongGradientError
        If the gradient check fails.

    Notes
    -----
    Notes, *Training a Neural Network*.

    Examples
    --------
    XOR, which no network without a hidden layer can learn:

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> result = train(Network((2, 4, 1)), X, y, seed=1)
    >>> result.J < 0.01
    True

    The same over minibatches of 2, for 100 epochs, and then for 200 more:

    >>> options = {"optimizer": "adam", "learning_rate": 0.1, "batch_size": 2}
    >>> result = train(Network((2, 4, 1)), X, y, max_iter=100, **options)
    >>> result = train(Network((2, 4, 1)), X, y, max_iter=200, state=result.state, **options)
    >>> result.J < 0.01
    True
    """
    if n_restarts != 1:
        return _best_of(**locals())
    X = network.check_inputs(X)
    dtype = np.dtype(X.dtype if dtype is None else dtype)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype}")
    Y = network.check_targets(Y, len(X))
    check_lam(network, lam)
    if max_iter < 0:
        raise ValueError(f"max_iter must be >= 0, got {max_iter}")
    if patience is not None and patience < 1:
        raise ValueError(f"patience must be a whole number >= 1, or None; got {patience!r}")
    if weights is not None:
        weights = check_weights(weights, len(X)).astype(dtype, copy=False)
    minimizer = find(optimizer)
    on: dict[str, Any] = {"engine": engine, "threads": threads}
    in_batches: dict[str, Any] = {
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "dropout": dropout,
        "max_norm": max_norm,
        "distort": distort,
    }
    given = [name for name, value in in_batches.items() if value is not None]
    if given and not isinstance(minimizer, Rule):
        raise ValueError(
            f"{given[0]} is for minibatches, and optimizer={optimizer!r} sees all the rows at "
            "once: leave it out, or choose 'sgd', 'adam' or 'adamw'"
        )
    if state is not None:
        if theta is not None:
            raise ValueError("theta and state are two places to start from: give one of them")
        theta = state.theta
    start = random_theta(network, seed) if theta is None else network.check_theta(theta)  # step 1
    twins = None if allow_symmetry else identical_units(network, start)
    if twins:
        layer, i, j = twins
        raise ValueError(
            f"units {i} and {j} of layer {layer} have the same weights in and out: they would get "
            "the same update for ever and stay one unit (notes, Random Initialization); start "
            "from random_theta(network, seed), or pass allow_symmetry=True"
        )
    if check:  # step 5
        report = check_before_training(network, start, X, Y, lam, seed, engine=engine)
        if not report.ok:
            raise WrongGradientError(str(report))
    # Rows one after another, here and not anew in each iteration
    start, X, Y = (np.ascontiguousarray(array, dtype) for array in (start, X, Y))
    J_val = None
    if X_val is not None or Y_val is not None:
        J_val = validation_cost(network, X_val, Y_val, dtype, **on)
    elif not isinstance(minimizer, Rule):
        patience = None  # these optimizers know by themselves when J stops falling
    watch = Watch(start, max_time=max_time, callback=callback, J_val=J_val, patience=patience)
    if isinstance(state, Iterate if isinstance(minimizer, Rule) else State):
        raise ValueError(f"state is from another optimizer than {optimizer!r}")
    if isinstance(minimizer, Rule):  # step 6
        return epochs.minimize(
            network, start, X, Y, watch, rule=minimizer, lam=lam, weights=weights, seed=seed,
            max_iter=max_iter, shuffle=shuffle, penalty_by_batch=penalty_by_batch,
            state=cast(State | None, state),
            **in_batches, **on,
        )  # fmt: skip

    objective = TrainingObjective(network, X, Y, lam, weights, **on)  # steps 2 to 4
    return watch.minimize(
        minimizer, objective, start, max_iter, cast(Iterate | None, state)
    )  # step 6


def _best_of(
    *, n_restarts: int, seed: int, theta: Any, state: Any, callback: Any, **options: Any
) -> Result:
    """Train from several random starts, in processes of their own, and return the best."""
    from joblib import Parallel, delayed

    if n_restarts < 1:
        raise ValueError(f"n_restarts must be >= 1, got {n_restarts}")
    given = {"theta": theta, "state": state, "callback": callback}
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name} is for a single training: leave it out, or n_restarts=1")
    workers = min(n_restarts, available_threads())
    options["threads"] = options["threads"] or 1  # each core has a training of its own
    results: list[Result] = Parallel(n_jobs=workers)(
        delayed(train)(seed=seed + restart, **options) for restart in range(n_restarts)
    )
    best, minima = lowest(results, lambda result: min(result.history.J_val, default=result.J))
    best.minima = minima
    return best


def lowest(runs: Sequence[T], measure: Callable[[T], float]) -> tuple[T, list[float]]:
    """Return the best of several trainings, and what each was measured by.

    Parameters
    ----------
    runs : sequence
    measure : callable
        ``measure(run) -> float``, such as J; the lowest is the best, one that is not finite the
        worst.

    Returns
    -------
    best : one of runs
    measures : list of float

    Examples
    --------
    >>> lowest(["far", "lost", "near"], {"far": 3.0, "lost": np.nan, "near": 1.0}.get)
    ('near', [3.0, nan, 1.0])
    """
    measures = [measure(run) for run in runs]
    return runs[int(np.argmin(np.nan_to_num(measures, nan=np.inf)))], measures


def validation_cost(
    network: Network,
    X_val: npt.ArrayLike | None,
    Y_val: npt.ArrayLike | None,
    dtype: np.dtype[Any],
    **on: Any,
) -> Callable[[Array], float]:
    """Return the function J_val(theta), or raise an error that says what is wrong.

    Parameters
    ----------
    network : Network
    X_val : array of shape (m_val, s_1)
    Y_val : array of shape (m_val,) or (m_val, K)
    dtype : dtype
        float64 or float32: what to compute in.
    **on
        ``engine`` and ``threads``, as in `train`.

    Returns
    -------
    callable
        ``J_val(theta) -> float``: the mean cost, without regularisation.

    Raises
    ------
    ValueError
        If one is missing, or they do not fit the network.

    Examples
    --------
    >>> J_val = validation_cost(Network((1, 1)), [[3.0]], [1], np.dtype(float))
    >>> J_val(np.zeros(2))
    0.693147180559945...
    """
    if X_val is None or Y_val is None:
        raise ValueError("X_val and Y_val go together: give both, or none")
    try:
        X = np.ascontiguousarray(network.check_inputs(X_val), dtype)
        Y = network.check_targets(Y_val, len(X)).astype(dtype, copy=False)
    except ValueError as error:
        raise ValueError(f"X_val and Y_val: {error}") from None

    def J_val(theta: Array) -> float:
        cost_sum, m = cost(network, theta, X, Y, **on)
        return cost_sum / m

    return J_val


def check_before_training(
    network: Network,
    theta: Array,
    X: Array,
    Y: Array,
    lam: Lambda = 0.0,
    seed: int = 0,
    *,
    rows: int = CHECK_ROWS,
    directions: int | None = CHECK_DIRECTIONS,
    engine: str | None = None,
) -> GradientReport:
    """Check the gradient on a few examples along a few directions, in float64.

    It costs the same whatever the size of the training set.

    Parameters
    ----------
    network : Network
    theta : array of shape (size,)
    X : array of shape (m, s_1)
    Y : array of shape (m, K)
    lam : float or sequence of L - 1 float, default=0.0
    seed : int, default=0
        Of the choice of examples and directions.
    rows : int, default=20
        How many examples, at most.
    directions : int or None, default=10
        How many directions; None compares every component of theta.
    engine : {"kernel", "numpy"}, optional
        Whose gradient is checked.

    Returns
    -------
    GradientReport
        Where it failed, with the layers that are wrong.

    Notes
    -----
    Notes, *Gradient Checking*: "Once you've verified once that your backpropagation algorithm is
    correct, then you don't need to compute gradApprox again."

    Examples
    --------
    >>> network = Network((2, 3, 1))
    >>> X, Y = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[1.0], [0.0]])
    >>> check_before_training(network, random_theta(network), X, Y).ok
    True
    """
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(len(X), size=min(rows, len(X)), replace=False))
    X, Y = X[drawn].astype(np.float64), Y[drawn].astype(np.float64)

    def objective(theta: Array) -> tuple[float, Array]:
        return finish(network, theta, *accumulate(network, theta, X, Y, engine=engine), lam)

    # With inputs in the thousands J bends so sharply that only a small epsilon agrees, and is so
    # large that only a large one rises above rounding: a wrong gradient agrees with none of them
    reports = []
    for epsilon in CHECK_EPSILONS:
        reports.append(
            compare(
                objective, theta, epsilon=epsilon, directions=directions, seed=seed, network=network
            )
        )
        if reports[-1].ok:
            return reports[-1]
    return reports[0]

"""The notes' six steps of training a network: initialise, check the gradient once, minimise."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import replace
from numbers import Integral
from threading import Event, Thread
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import as_dtype, check_count
from chainrule.common.threads import begins
from chainrule.common.types import Array, Lambda, Rule, Stopped
from chainrule.engine.blocks import Source
from chainrule.engine.cluster import MAX_LOST, Workers, current_client
from chainrule.engine.cores import available_threads
from chainrule.engine.examples import Examples
from chainrule.engine.lanes import Lanes
from chainrule.engine.remote import Remote, is_dask, source_of
from chainrule.engine.stream import Stream, examples_of
from chainrule.kernel import agreed, asking, computed_by
from chainrule.notes.minibatch import Minibatches
from chainrule.notes.network import Network
from chainrule.notes.regularisation import check_lam, divided, parts
from chainrule.notes.theta import identical_units, random_theta
from chainrule.optimize import (
    CANNOT_GO_ON,
    Callback,
    Iterate,
    Optimizer,
    Result,
    State,
    find,
    is_minimizer,
    is_rule,
)
from chainrule.optimize.loop import MaxIter, Run, Tolerances, cut_short, still_finite
from chainrule.optimize.result import BY_SIGNAL
from chainrule.optimize.vectors import blas_threads
from chainrule.training import epochs
from chainrule.training.checked import WrongGradientError, check_before_training
from chainrule.training.checkpoint import CANNOT_GO_ON as NO_CHECKPOINT
from chainrule.training.checkpoint import Checkpoint, Made, arrays_of, fingerprint
from chainrule.training.epochs import Distort
from chainrule.training.objective import TrainingObjective
from chainrule.training.watch import Limits, Patience

T = TypeVar("T")
WITHOUT_LANES = (
    "over minibatches a cluster trains in lanes, another algorithm than {} on one machine: "
    "give lanes=8, or another number, of which the result depends; or leave client out"
)
SOON = 0.02  # seconds between two looks at whether Ctrl-C was pressed


def train(
    network: Network,
    X: npt.ArrayLike | Source,
    Y: npt.ArrayLike | None = None,
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
    X_val: npt.ArrayLike | Source | None = None,
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
    client: Any = None,
    max_lost: float = MAX_LOST,
    lanes: int | None = None,
    check: bool = True,
    allow_symmetry: bool = False,
    callback: Callback | None = None,
    every: int | None = None,
    stop: Callable[[], bool] | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    checkpoint_every: float = 30.0,
    resume: bool | str = True,
) -> Result:
    """Train a network by the notes' six steps.

    1. theta is initialised at random.  2.-4. Forward propagation, the cost and backpropagation
    are `chainrule.notes.backprop`.  5. The gradient is checked once, on a few examples.  6. The
    optimizer minimises J.

    Parameters
    ----------
    network : Network
    X : array of shape (m, s_1), or Source
        The examples, one a row.  What lies in a file (a `chainrule.engine.blocks.Source`, an array
        that NumPy has mapped from one), or would have to be copied to be computed with, is read a
        block of rows at a time, again for each iteration: training takes no more memory, however
        many rows there are.
    Y : array of shape (m,) or (m, K), optional
        Targets, or integer codes 0..K-1 of K classes.  With several outputs NaN is a target that
        nobody knows and that counts nothing.  A source has targets and weights of its own.
    lam : float, sequence of L - 1 float or ElasticNet, default=0.0
        lambda, the regularisation parameter, >= 0: one for all Theta(l), or one for each; or an
        `ElasticNet`, which adds the absolute values of the weights.
    weights : array of shape (m,) or (m, K), optional
        Weight of each example, >= 0: 2 is the same as the row twice, and m in J is their sum.  Or
        of each of its outputs: m is then the mean of the outputs' sums.
    optimizer : str, callable or minibatch rule, default="lbfgs"
        Over all the rows at once: ``"lbfgs"``, ``"cg"`` (conjugate gradient), ``"scg"`` (scaled
        conjugate gradient), ``"newton-cg"``, ``"gd"`` (gradient descent), ``"lm"``
        (Levenberg-Marquardt) and ``"br"`` (Bayesian regularisation, which finds lambda
        by itself); ``"scipy:NAME"`` for a minimizer of `scipy.optimize.minimize` that takes a
        gradient; or a function of your own, ``steps(objective, start)``, which yields a `Step`
        after each iteration, or ``minimize(objective, theta, *, max_iter, callback) -> Result``.
        Over minibatches: ``"sgd"``, ``"adam"``, ``"adamw"``; `SGD` or `Adam` with parameters of
        your own; or a rule of your own, an object with ``init`` and ``update`` on the flat vector
        (`chainrule.common.types.Rule` has one as an example; NumPy computes its epochs).
    learning_rate : float or callable, optional
        The learning rate of a minibatch rule, in place of the rule's own; or a function of the
        epoch, counted from 0, such as ``lambda epoch: 0.01 / (1 + epoch / 10)``.
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
        Whether each epoch visits the rows in another order, which seed determines.  Of what is read
        from files it shuffles the blocks, and then the rows of a few blocks together: their own
        order must be random, or as good as that.
    penalty_by_batch : bool, default=False
        Whether lambda means what scikit-learn's alpha does: each minibatch divides the penalty by
        its own number of rows, not by m.
    X_val, Y_val : as X and Y, optional
        Validation examples.  With them theta is the one of the lowest J_val, the mean cost on
        them without regularisation.
    patience : int or None, default=10
        Training ends when J_val, or in minibatches J, has not fallen by more than a relative 1e-4
        for this many iterations.
    max_iter : int, default=100
        At most this many iterations or, over minibatches, epochs.
    max_time : float, optional
        At most this many seconds; then the best theta so far is returned.
    theta : array of shape (size,), optional
        The start; random by default.
    state : State or Iterate, optional
        ``result.state`` of an earlier training, or the ``state`` of one of its steps: training goes
        on, bit for bit, as if there had been no pause.  It takes the place of theta; the other
        arguments must be as before.
    seed : int, default=0
        Seed of the random start, the order of the rows, and dropout.
    n_restarts : int, default=1
        How many random starts to train from, with the seeds seed, seed + 1, ..., at the same time
        on all cores.  The best is returned: the lowest J, or J_val where there are validation
        examples; its ``minima`` has them all.  ``max_time`` is for each start.
    dtype : dtype, optional
        float64 or float32: what to compute in.  Default: X's, or float64.
    engine : {"kernel", "numpy"}, optional
        What computes.  Default: the fused kernel, where it was built and knows the network's
        activations and cost; NumPy is the reference.
    threads : int, optional
        Default: the cores this process may use, or one where the work is small.  The result has
        the same bits for any number.
    client : distributed.Client or chainrule.engine.cluster.Workers, optional
        Lets the workers of a Dask cluster read X and sum over it, to the bits of one machine,
        whatever happens to them.  X is then a table that they can read, `chainrule.blocks`, or an
        array of Dask, for which the current client is the default.  docs/cluster.md has more.
    max_lost : float, default=10
        For how many minutes a training waits for a scheduler that is gone, or for a first worker;
        then it ends with the best theta so far.
    lanes : int, optional
        Minibatches of K = lanes trainings side by side, each on its own part of the rows; after
        each epoch all go on from their mean.  The result depends on K and the seed, never on who
        computes.  It is another algorithm than without lanes: it takes a K-th of the steps.
    check : bool, default=True
        Whether to check the gradient before the first iteration.
    allow_symmetry : bool, default=False
        Whether to start from a theta in which hidden units are identical.
    callback : callable, optional
        Called with a `Step` at the start and after each iteration; a true return value ends
        training.  An exception that it raises ends training as well; its ``result`` attribute is
        the training so far.
    every : int, optional
        In minibatches, the callback is also called each time this many batches are done.
        `Step.batch` says how many of the epoch are done.  No bit of theta changes.
    stop : callable, optional
        ``stop() -> bool``, which the training thread asks again and again, also in the gradient
        check and within a long call of the kernel.  Where it returns true, training ends with the
        best theta so far.  With ``threading.Event().is_set`` another thread can end it.
    checkpoint : path, optional
        A file that keeps the training while it runs, and how it ended.  The same call goes on from
        it, bit for bit, whatever killed the process; it returns at once where the training was
        over.  ``max_iter`` and ``max_time`` may be larger then; they count what was done before as
        well.  The callback is told the last step again.  Where the file cannot be written, a
        warning says so and training goes on.  With ``n_restarts`` each start has a file of its
        own, the path with its seed added.
    checkpoint_every : float, default=30.0
        Seconds between two writings, also within an epoch; more where writing would take over 2 %
        of the time.
    resume : bool or "anyway", default=True
        Whether to go on from checkpoint where there is one; False begins anew and replaces it.
        Other data, another network, other options, versions or instructions are refused;
        ``"anyway"`` goes on with them where it can, though not to the same bits.

    Returns
    -------
    Result
        If Ctrl-C or max_time ended training, with the best theta so far.

    Raises
    ------
    ValueError
        If an argument does not fit, or hidden units of theta are identical.
    WrongGradientError
        If the gradient check fails.
    DataError
        If rows cannot be read, or were changed while they were in use.  Its ``result`` is the
        training so far, as that of any exception after the first iteration.

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
        return best_of(**locals())
    if not isinstance(client, Workers) and (client is not None or is_dask(X)):
        return on_cluster(**locals())
    limits = Limits(max_time, stop)
    if lanes is not None:
        check_count(lanes, "lanes")
    rows: Examples
    if isinstance(client, Workers):
        rows = Remote.held(network, source_of(X, Y, weights), client, dtype, engine, threads)
    elif lanes is not None:
        rows = Stream.checked(network, source_of(X, Y, weights), dtype, engine, threads)
    else:
        rows = examples_of(network, X, Y, weights, dtype, engine, threads)
    check_lam(network, lam)
    for part in parts(lam):
        as_dtype(np.asarray(part, np.float64), rows.dtype, "lam")
    check_count(max_iter, "max_iter", 0)
    if every is not None and (not isinstance(every, Integral) or every < 1):
        raise ValueError(f"every must be a whole number of batches >= 1, got {every!r}")
    method: Any = find(optimizer)
    by_epochs = is_rule(method)
    by_itself = not by_epochs and is_minimizer(method)
    keeper = keeper_of(checkpoint, checkpoint_every, resume)
    if keeper is not None and by_itself:
        raise ValueError(NO_CHECKPOINT.format(optimizer))
    refuse_state_of_another(optimizer, method, state, rows.dtype)
    if not by_epochs:
        refuse_beside(
            optimizer, learning_rate=learning_rate, batch_size=batch_size, dropout=dropout,
            max_norm=max_norm, distort=distort, every=every, lanes=lanes,
        )  # fmt: skip
    elif isinstance(client, Workers) and lanes is None:
        raise ValueError(WITHOUT_LANES.format(optimizer))
    if lanes is not None and (distort is not None or every is not None):
        raise ValueError("distort and every are not for lanes: leave them out, or lanes")

    # 1. Randomly initialise the weights
    start = first_theta(network, theta, state, seed, allow_symmetry=allow_symmetry)

    # 2. to 4. Forward propagation, the cost, backpropagation: J(theta) and its gradient
    objective = TrainingObjective(network, rows, lam, limits)
    validation = validation_rows(network, X_val, Y_val, rows)
    run = Run(
        as_dtype(start, rows.dtype, "theta"),
        rules=[limits.start, still_finite],
        callback=callback,
        J_val=None if validation is None else functools.partial(validation.cost, network),
        keep_best=by_epochs,
        start_counts=not by_epochs,
        state=state,
        every=every,
        keeper=keeper,
    )
    run.rules += patience_rule(patience, run)
    if not by_itself:  # SciPy's minimizers are given max_iter, and have rules of their own
        run.rules += [MaxIter(max_iter) if by_epochs else Tolerances(max_iter)]
    now: Any = state
    if keeper is not None:
        options = {
            "optimizer": optimizer if isinstance(optimizer, str) else method, "lam": lam,
            "learning_rate": learning_rate, "batch_size": batch_size, "dropout": dropout,
            "max_norm": max_norm, "distort": distort, "shuffle": shuffle,
            "penalty_by_batch": penalty_by_batch, "patience": patience, "seed": seed,
            "dtype": rows.dtype, "random start": fingerprint(start)[:8], "lanes": lanes,
        }  # fmt: skip

        def made() -> Made:
            return Made.of(network, arrays_of(rows, validation), options, rows.computed_by(network))

        limits.go_on(keeper.open(run, made))
        now = state if keeper.state is None else keeper.state
        refuse_state_of_another(optimizer, method, now, rows.dtype)

    # 5. Check the gradient, once
    # What overflows is told in words, by the result
    build = client.build if isinstance(client, Workers) else agreed()
    with (
        np.errstate(all="ignore"), blas_threads(threads), asking(limits), computed_by(build)
    ):  # fmt: skip
        if check and run.last is None:  # one that goes on has been checked
            try:
                report = check_before_training(
                    network, start, *rows.few(), lam, seed, engine=engine, ask=limits
                )
            except Stopped as stopped:
                return run.result(cut_short(stopped))
            if not report.ok:
                raise WrongGradientError(str(report))

        # 6. Minimise J
        if by_epochs:
            penalty, absolutes = parts(lam if penalty_by_batch else divided(lam, rows.m))
            size = 200 if batch_size is None else batch_size
            how = Minibatches(size, penalty, penalty_by_batch, dropout, max_norm, seed, absolutes)
            first = epochs.first_state(method, run.start, cast(State | None, now))
            steps = epochs.steps(
                objective, first, how, method, learning_rate=learning_rate, distort=distort,
                shuffle=shuffle, every=every, due=None if keeper is None else keeper.due,
                lanes=None if lanes is None else Lanes(cast(Stream, rows), lanes),
            )  # fmt: skip
            return epochs.with_J_of_all(objective, run, run.follow(steps))
        if by_itself:
            return run.follow_minimizer(method, objective, max_iter)
        return run.follow(method(objective, run.start if now is None else now))


def on_cluster(*, client: Any, max_lost: float, X: Any, **options: Any) -> Result:
    """Train with the workers of a Dask cluster, and let go of what they hold."""
    if isinstance(client, str) or not hasattr(client or current_client(), "scheduler"):
        raise ValueError(
            f"client must be a distributed.Client, got {client!r}: client = distributed.Client("
            "'tcp://host:8786') is one"
        )
    if not max_lost > 0:
        raise ValueError(f"max_lost must be a number of minutes > 0, got {max_lost!r}")
    workers = Workers(current_client() if client is None else client, max_lost)
    try:
        return train(X=X, client=workers, max_lost=max_lost, **options)
    finally:
        workers.close()


def first_theta(
    network: Network,
    theta: npt.ArrayLike | None,
    state: State | Iterate | None,
    seed: int,
    *,
    allow_symmetry: bool,
) -> Array:
    """Return the theta to start from: the state's, the given one, or a random one."""
    if state is not None:
        if theta is not None:
            raise ValueError("theta and state are two places to start from: give one of them")
        theta = state.theta
    start = random_theta(network, seed) if theta is None else network.check_theta(theta)
    twins = None if allow_symmetry else identical_units(network, start)
    if twins:
        layer, i, j = twins
        raise ValueError(
            f"units {i} and {j} of layer {layer} have the same weights in and out: they would get "
            "the same update for ever and stay one unit (notes, Random Initialization); start "
            "from random_theta(network, seed), or pass allow_symmetry=True"
        )
    return start


def keeper_of(
    checkpoint: str | os.PathLike[str] | Checkpoint | None, every: float, resume: bool | str
) -> Checkpoint | None:
    """Return who keeps the training, if anybody is asked to."""
    if checkpoint is None or isinstance(checkpoint, Checkpoint):
        return checkpoint
    return Checkpoint(checkpoint, every, resume)


def refuse_beside(optimizer: object, **in_batches: object) -> None:
    """Refuse arguments for minibatches where the optimizer sees all the rows at once."""
    for name, value in in_batches.items():
        if value is not None:
            raise ValueError(
                f"{name} is for minibatches, and optimizer={optimizer!r} sees all the rows at "
                "once: leave it out, or choose 'sgd', 'adam' or 'adamw'"
            )


def refuse_state_of_another(
    optimizer: object, method: Any, state: Any, dtype: np.dtype[Any]
) -> None:
    """Refuse a state that another kind of optimizer has left."""
    if state is None:
        return
    if not isinstance(state, State if is_rule(method) else Iterate):
        raise ValueError(f"state is from another optimizer than {optimizer!r}")
    if state.theta.dtype != dtype:
        raise ValueError(
            f"state is from another optimizer, network or dtype: its theta is {state.theta.dtype}, "
            f"this training computes in {dtype}: give dtype={str(state.theta.dtype)!r}, or start "
            "anew from theta=state.theta"
        )
    if not is_rule(method) and is_minimizer(method):
        raise ValueError(CANNOT_GO_ON)


def patience_rule(patience: int | None, run: Run) -> list[Patience]:
    """Return the rule of patience, where it holds: with validation examples, and in minibatches.

    The other optimizers know by themselves when J stops falling.
    """
    if patience is not None:
        check_count(patience, "patience (or None)")
    if patience is None or not (run.keep_best or run.J_val is not None):
        return []
    return [Patience(patience)]


def best_of(
    *,
    n_restarts: int,
    seed: int,
    theta: Any,
    state: Any,
    callback: Any,
    checkpoint: Any,
    **options: Any,
) -> Result:
    """Train from several random starts, in threads of their own, and return the best.

    The kernel computes without Python's lock.  Where no thread can be started, they are trained
    here, one after the other.  Ctrl-C ends them all, and the best so far is kept.
    """
    check_count(n_restarts, "n_restarts")
    given = {"theta": theta, "state": state, "callback": callback}
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name} is for a single training: leave it out, or n_restarts=1")
    workers = min(n_restarts, available_threads())
    options["threads"] = options["threads"] or 1  # each core has a training of its own
    over, asked = Event(), options.pop("stop")
    options["stop"] = over.is_set if asked is None else lambda: over.is_set() or asked()
    keeper = keeper_of(checkpoint, options["checkpoint_every"], options["resume"])
    runs: list[Future[Result]] = [Future() for _ in range(n_restarts)]
    todo = iter([*enumerate(runs, seed)])  # each thread takes the next

    def trained(one: int) -> Result:
        return train(seed=one, checkpoint=keeper and keeper.part(one), **options)

    def work() -> None:
        for one, run in todo:
            if run.set_running_or_notify_cancel():
                try:
                    run.set_result(trained(one))
                except BaseException as error:
                    run.set_exception(error)

    cut: KeyboardInterrupt | None = None
    at_work: list[Thread] = []
    try:
        threads = [Thread(target=work) for _ in range(workers)]
        at_work = [thread for thread in threads if begins(thread)]
        for one, run in todo if not at_work else ():
            run.set_result(trained(one))
            if BY_SIGNAL in run.result().stopped:
                raise KeyboardInterrupt
        # Where another thread gets the signal, a wait without end would not hear of it
        while wait(runs, SOON, FIRST_EXCEPTION).not_done and not over.is_set():
            if any(run.done() and run.exception() for run in runs):
                over.set()
    except KeyboardInterrupt as pressed:
        cut = pressed
    begun = [run for run in runs if not run.cancel()]  # after an end before its time, not all
    if cut is not None:
        over.set()
    for thread in at_work:
        thread.join()
    if cut is not None and not begun:
        raise cut
    results = [run.result() for run in begun]
    best, minima = lowest(results, lambda result: min(result.history.J_val, default=result.J))
    best.minima = minima
    if cut is not None:
        best = replace(best, stopped=cut_short(cut).why, converged=False, interrupted=True)
    return best


def lowest(runs: Sequence[T], measure: Callable[[T], float]) -> tuple[T, list[float]]:
    """Return the best of several trainings, and the measure of each.

    Parameters
    ----------
    runs : sequence
    measure : callable
        ``measure(run) -> float``, such as J; the lowest is the best, and one that is not
        finite is the worst.

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


def validation_rows(
    network: Network,
    X_val: npt.ArrayLike | Source | None,
    Y_val: npt.ArrayLike | None,
    rows: Examples,
) -> Examples | None:
    """Return the validation examples, if there are any; they compute as the training rows do."""
    if X_val is None and Y_val is None:
        return None
    if X_val is None or (Y_val is None and not isinstance(X_val, Source)):
        raise ValueError("X_val and Y_val go together: give both, or none")
    try:
        if isinstance(rows, Remote) and (isinstance(X_val, Source) or is_dask(X_val)):
            source, workers = source_of(X_val, Y_val), rows.workers.others()
            return Remote.held(network, source, workers, rows.dtype, rows.engine, rows.threads)
        return examples_of(network, X_val, Y_val, None, rows.dtype, rows.engine, rows.threads)
    except ValueError as error:
        raise ValueError(f"X_val and Y_val: {error}") from None

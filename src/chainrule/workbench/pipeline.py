"""How a training is done: from what is asked to a trained network and its scores.

`run` is a few calls of the library in the order that the command promises, with what is told in
between.  It prints nothing and writes no file.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from chainrule import __version__, datasets
from chainrule.common.checks import DataError, counted
from chainrule.common.types import Array, Stopped
from chainrule.datasets import Dataset
from chainrule.datasets.contents import Contents
from chainrule.datasets.encoding import Reading
from chainrule.datasets.formats import read
from chainrule.datasets.scaling import Scaling
from chainrule.datasets.tables import Asked, rows_aside
from chainrule.engine import passes
from chainrule.engine.cluster import Workers
from chainrule.engine.predicting import predict
from chainrule.engine.stream import examples_of
from chainrule.evaluation.scores import Evaluation
from chainrule.evaluation.selection import Choice, search
from chainrule.handwriting import learning
from chainrule.kernel import asking
from chainrule.model_file import Model, Provenance
from chainrule.notes.backprop import finish
from chainrule.notes.gradient_report import GradientReport
from chainrule.notes.network import Network
from chainrule.notes.theta import random_theta
from chainrule.optimize import Result, Step, find, is_rule
from chainrule.optimize.result import AT_MAX_ITER, BY_SIGNAL
from chainrule.training.checked import WrongGradientError, check_before_training
from chainrule.training.checkpoint import Checkpoint
from chainrule.training.recipes import RECIPES
from chainrule.training.steps import train
from chainrule.workbench import spooling
from chainrule.workbench.on_cluster import Shares
from chainrule.workbench.request import (
    ACTIVATION,
    CV_FIRST,
    CV_HIDDEN,
    CV_LAMS,
    FEWEST,
    HIDDEN,
    LAM,
    LAM_OF_FEW,
    LAMS,
    LAMS_FIRST,
    MAX_ITER,
    MINIBATCHES,
    OPTIMIZER,
    Request,
)
from chainrule.workbench.spooling import Large, Spooled
from chainrule.workbench.telling import (
    Telling,
    gradient_check,
    in_options,
    number,
    percent,
    vector,
)

Stop = Callable[[], bool]

MOST = 5000  # rows on which lambda is chosen: more would take longer and choose the same


@dataclass(frozen=True, eq=False)
class Plan:
    """What is trained, and how.

    Attributes
    ----------
    network : Network
    lam : float
    arguments : mapping
        Of `train`: optimizer, max_iter and, from a recipe, others.
    choices : tuple of Choice
        What cross-validation compared; empty where none was asked for.
    """

    network: Network
    lam: float
    arguments: Mapping[str, Any]
    choices: tuple[Choice, ...] = ()


Examples = tuple[Any, Any]
"""X and Y as the network sees them; of a large table a source that has both, and None."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A problem that is ready for the six steps: its examples, and what was decided.

    Attributes
    ----------
    request : Request
    data : Dataset
        The whole table.
    training, held_out : Dataset
        Its two parts, as they were read; held_out may be None.
    scaling, target_scaling : Scaling or None
        How they become what the network sees.
    plan : Plan
    watched : ndarray of bool or None
        Which of the training examples J_val is watched on.
    spooled : Spooled or None
        The table in a scratch folder, where it does not fit memory.
    """

    request: Request
    data: Dataset
    training: Dataset
    held_out: Dataset | None
    scaling: Scaling | None
    target_scaling: Scaling | None
    plan: Plan
    watched: Array | None = None
    spooled: Spooled | None = None

    @cached_property
    def trained_on(self) -> Examples:
        """X and Y of the examples that J is the mean over."""
        if self.spooled is not None:
            return self._part(spooling.TRAINED)
        X, Y = standardised(self.training, self.scaling, self.target_scaling)
        return (X, Y) if self.watched is None else (X[~self.watched], Y[~self.watched])

    @cached_property
    def validation(self) -> Examples | None:
        """X and Y of the examples that J_val is watched on."""
        if self.watched is None:
            return None
        if self.spooled is not None:
            return self._part(spooling.WATCHED)
        X, Y = standardised(self.training, self.scaling, self.target_scaling)
        return X[self.watched], Y[self.watched]

    @cached_property
    def test(self) -> Examples | None:
        """X and Y of the examples that are held out."""
        if self.held_out is None:
            return None
        return standardised(self.held_out, self.scaling, self.target_scaling)

    def _part(self, part: str) -> Examples:
        assert self.spooled is not None
        return self.spooled.examples(part, self.scaling, self.target_scaling), None

    def forget(self) -> None:
        """Let go of the arrays above, which can be computed again."""
        for name in ("trained_on", "validation", "test"):
            self.__dict__.pop(name, None)

    def model(self, theta: Array, lam: float, J: float, stopped: str) -> Model:
        """Return the network with some theta, and all that is needed to use it elsewhere."""
        origin = provenance(self.request, self.data, self.plan, lam, J, stopped)
        network, encoder = self.plan.network, self.training.encoder
        return Model(network, theta, encoder, self.scaling, self.target_scaling, origin)


@dataclass(frozen=True)
class Started:
    """What the first five steps gave.

    Attributes
    ----------
    theta : ndarray of shape (size,)
        Where the training starts.
    check : GradientReport or None
        None where the check was skipped.
    """

    theta: Array
    check: GradientReport | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a request.

    Attributes
    ----------
    request : Request
    training : Dataset
    held_out : Dataset or None
    plan : Plan
    check : GradientReport or None
        The gradient check before training; None where it was skipped.
    result : Result
    lam : float
        The lambda that was trained with; Bayesian regularisation finds its own.
    model : Model
        The network, its theta, and all that is needed to use it on another table.
    spooled : Spooled or None
        The table in a scratch folder, where it does not fit memory.
    """

    request: Request
    training: Dataset
    held_out: Dataset | None
    plan: Plan
    check: GradientReport | None
    result: Result
    lam: float
    model: Model
    spooled: Spooled | None = None

    @cached_property
    def evaluations(self) -> dict[str, Evaluation]:
        """The scores on "trained on" and, where there are any, on "held out" examples.

        They are computed when first asked for, so that the model can be saved before.
        """
        if self.spooled is not None:
            return self.spooled.evaluations(self.model)
        parts = {"trained on": self.training, "held out": self.held_out}
        return {
            name: evaluate(self.model, data) for name, data in parts.items() if data is not None
        }


def run(
    request: Request,
    tell: Telling,
    stop: Stop = lambda: False,
    checkpoint: Checkpoint | None = None,
    workers: Workers | None = None,
    contents: Contents | Large | None = None,
) -> Outcome:
    """Train a network by the notes' six steps, as asked.

    Parameters
    ----------
    request : Request
    tell : Telling
        Told what is decided, what each step gives, and each iteration.
    stop : callable, optional
        Asked again and again, as `train` does: true ends the training, and the best theta so far is
        handed back.  With ``threading.Event().is_set`` another thread can stop a run.
    checkpoint : Checkpoint, optional
        What keeps the run while it goes on.
    workers : Workers, optional
        Who sum over the rows in step 6, where the request names a cluster.
    contents : optional
        The request's source, as `opened` returns it, where it has been read already.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If something asked for does not fit; `DataError` if the data cannot be used.
    WrongGradientError
        If the gradient check fails.
    Stopped
        If it is stopped before step 6, so that there is no network to hand back.

    Examples
    --------
    >>> class Quiet:
    ...     step = note = iteration = lambda *said, **more: None
    >>> outcome = run(Request("digits", hidden=(10,), max_iter=20), Quiet())
    >>> outcome.evaluations["held out"].accuracy > 0.8
    True
    """
    prepared = prepare(request, loaded(request, contents), tell, stop, checkpoint)
    started = first_five(prepared, tell, stop)
    return minimised(prepared, started, tell, stop, checkpoint, workers)


def opened(request: Request) -> Contents | Large:
    """Read the source that is asked for, unless it is a table to be read in blocks."""
    by_workers = request.cluster is not None or request.lanes is not None
    large = Large.of(request.source, request.memory, always=by_workers)
    if large is not None:
        return large
    if by_workers:
        raise DataError(
            f"{request.source}: --cluster and --lanes are for tables in files, csv or Parquet"
        )
    reading = Reading(request.header, request.encoding)
    return read(request.source, asked_of(request).array, reading)


def asked_of(request: Request) -> Asked:
    """Return what is asked of the columns."""
    return Asked.of(
        request.target, request.drop, request.missing, request.kind, request.na, request.keep
    )


def loaded(request: Request, contents: Contents | Large | None = None) -> Dataset | Large:
    """Return the examples that are asked for, unless they are to be read in blocks."""
    contents = opened(request) if contents is None else contents
    return contents if isinstance(contents, Large) else asked_of(request).dataset(contents)


def prepare(
    request: Request,
    data: Dataset | Large,
    tell: Telling,
    stop: Stop = lambda: False,
    checkpoint: Checkpoint | None = None,
) -> Prepared:
    """Set examples aside, and decide on the network and the training; see `run`."""
    spooled = None
    if isinstance(data, Large):
        spooled = spooling.spooled(request, data, tell, lambda: ask(stop))
        data, training, held_out = spooled.data, spooled.training, spooled.held_out
    else:
        training, held_out = datasets.split(data, request.test_size, request.seed)
    if request.recipe == "photos":
        training, held_out = learning.prepared(training, held_out, request.seed, tell.progress)
    scaling, target_scaling = scalings(request, training, spooled)
    X: Any
    Y: Any
    if spooled is None:
        X, Y = standardised(training, scaling, target_scaling)
    else:
        X, Y = spooled.rows(scaling, target_scaling)
    refuse_what_does_not_fit(request, training, X, Y)
    tell_data(tell, data, training, held_out, scaling, target_scaling)
    if request.memory is not None and spooled is None and not spooling.in_blocks(request.source):
        tell.note(spooling.WHOLE)
    plan = planned(request, training, X, Y, tell, stop, checkpoint)
    ask(stop)
    watched = None
    if request.validation is not None:
        watched = rows_aside(training, request.validation, request.seed)
        tell.note(f"J_val is watched on {watched.sum():,} of the training examples")
    if spooled is not None:
        by_batches = is_rule(find(plan.arguments["optimizer"]))
        spooled.ready(request, watched, tell, lambda: ask(stop), by_batches=by_batches)
        training = spooled.training
    return Prepared(
        request, data, training, held_out, scaling, target_scaling, plan, watched, spooled
    )


def scalings(
    request: Request, training: Dataset, spooled: Spooled | None = None
) -> tuple[Scaling | None, Scaling | None]:
    """Return how the inputs and a regression's target are standardised, where they are."""
    standardise = training.image_shape is None if request.scale is None else request.scale
    if not standardise:
        return None, None
    numbers = training.classes is None and request.output in (None, "identity")
    if spooled is not None:
        source = spooled.examples(spooling.TRAINED)
        return passes.input_scaling(source), passes.target_scaling(source) if numbers else None
    return Scaling.fit(training.X), Scaling.fit(true_values(training)) if numbers else None


def tell_data(
    tell: Telling,
    data: Dataset,
    training: Dataset,
    held_out: Dataset | None,
    scaling: Scaling | None,
    target_scaling: Scaling | None,
) -> None:
    """Say what the data are, what was decided about them, and what is done to them."""
    kind = "regression" if data.classes is None else f"{len(data.classes)} classes"
    shape = f"{counted(len(data), 'example')}, {counted(data.X.shape[1], 'input')}"
    tell.note(f"{data.source}: {shape}, {kind}", heading=True)
    for note in data.notes:
        tell.note(in_options(note))
    aside = "none" if held_out is None else f"{len(held_out):,}"
    tell.note(f"training on {counted(len(training), 'example')}, held out: {aside}")
    if scaling is not None:
        tell.note("inputs standardised to mean 0 and standard deviation 1")
    if target_scaling is not None:
        unit = number(float(target_scaling.scale[0]))
        tell.note(f"target standardised: J is in scaled units, 1 is {unit} of {data.target}")


def refuse_what_does_not_fit(request: Request, training: Dataset, X: Array, Y: Array) -> None:
    """Refuse what these data do not allow, before anything is told."""
    if request.recipe is not None:
        from_recipe(request.recipe, training)
        return
    share = request.validation
    if share is not None and not rows_aside(training, share, request.seed).any():
        raise ValueError(f"--validation {share:g}: not one of {len(X):,} training rows: take more")
    network = network_for(request, X, Y, training.classes, request.hidden or HIDDEN)
    if request.optimizer in ("lm", "br") and network.output != "identity":
        raise ValueError(
            f"--optimizer {request.optimizer} fits numbers, and the target has classes: leave "
            "--optimizer out"
        )


def planned(
    request: Request,
    training: Dataset,
    X: Array,
    Y: Array,
    tell: Telling,
    stop: Stop,
    checkpoint: Checkpoint | None,
) -> Plan:
    """Decide on the network, lambda and the arguments of `train`."""
    if request.recipe is not None:
        return from_recipe(request.recipe, training)
    arguments: dict[str, Any] = {
        "optimizer": request.optimizer or OPTIMIZER,
        "max_iter": MAX_ITER if request.max_iter is None else request.max_iter,
    }
    for name in (*MINIBATCHES, "patience", "threads"):
        if (value := getattr(request, name)) is not None:
            arguments[name] = value
    a_table = training.image_shape is None and request.optimizer != "br"
    nobodys = request.lam is None and a_table
    choices = []
    if request.cv or (nobodys and len(X) >= FEWEST):
        choices = cross_validated(request, training, X, Y, arguments, tell, stop, checkpoint)
    if request.n_restarts != 1:
        arguments["n_restarts"] = request.n_restarts
    if choices:
        network, lam, _ = max(choices, key=lambda choice: choice.score)
        return Plan(network, lam, arguments, tuple(choices))
    network = network_for(request, X, Y, training.classes, request.hidden or HIDDEN)
    lam = LAM_OF_FEW if nobodys else LAM if request.lam is None else request.lam
    return Plan(network, lam, arguments)


def from_recipe(name: str, data: Dataset) -> Plan:
    """Return what a recipe asks for."""
    shape, classes = data.image_shape, data.classes
    if classes is None or shape is None or shape[0] != shape[1]:
        raise DataError(f"{data.source}: a recipe needs square pictures of classes, such as mnist")
    recipe = RECIPES[name]
    layers = (data.X.shape[1], *recipe.hidden, len(classes))
    network = Network(layers, hidden="relu", output="softmax")
    return Plan(network, recipe.lam, recipe.arguments())


def network_for(
    request: Request,
    X: Array,
    Y: Array,
    classes: Sequence[object] | None,
    units: tuple[int, ...],
) -> Network:
    """Return the network that is asked for: two classes share one sigmoid unit."""
    output = request.output or ("identity" if classes is None else "sigmoid")
    if classes is None and output == "softmax":
        raise ValueError(
            "--output softmax predicts classes and the target has numbers: leave --output out, or "
            "add --kind classes"
        )
    if classes is None:
        K = 1 if Y.ndim == 1 else Y.shape[1]
    else:
        K = 1 if len(classes) == 2 and output != "softmax" else len(classes)
    network = Network(
        (X.shape[1], *units, K), hidden=request.activation or ACTIVATION, output=output
    )
    if classes is not None and network.cost.targets not in ("classes", "distribution"):
        raise ValueError(
            f"--output {output} predicts numbers and the target has classes: leave --output out, "
            "or add --kind numbers"
        )
    return network


def cross_validated(
    request: Request,
    training: Dataset,
    X: Array,
    Y: Array,
    arguments: Mapping[str, Any],
    tell: Telling,
    stop: Stop,
    checkpoint: Checkpoint | None,
) -> list[Choice]:
    """Compare networks and lambdas on parts of the training set, and say how each does.

    Without --cv only lambda is chosen, on at most `MOST` rows.  It is a part of J, so that one
    optimizer may choose it for all.  With max_time, nothing else is tried after half of that.
    """
    deadline = time.monotonic() + (math.inf if request.max_time is None else request.max_time / 2)
    classes, rows = training.classes, np.arange(len(X))
    grid: Sequence[tuple[int, ...]] = CV_HIDDEN if request.hidden is None else (request.hidden,)
    lams: Sequence[float] = CV_LAMS if request.lam is None else (request.lam,)
    first = CV_FIRST
    if not isinstance(X, np.ndarray):
        rows = np.random.default_rng(request.seed).permutation(len(X))[:MOST]
    if not request.cv:
        grid, lams, first = (request.hidden or HIDDEN,), LAMS, LAMS_FIRST
        rows = np.random.default_rng(request.seed).permutation(len(X))[:MOST]
        max_iter = min(arguments["max_iter"], MAX_ITER)
        arguments = {"optimizer": OPTIMIZER, "max_iter": max_iter, "threads": request.threads}
    networks = [network_for(request, X, Y, classes, units) for units in grid]
    some = "" if len(rows) == len(X) else f", on {len(rows):,} of the rows"
    how = "" if request.cv else ", for lambda (--lam sets it)"
    tell.note(f"cross-validation in 3 folds{some}{how}", heading=True)
    tell.note(f"{'hidden units':>12}  {'lam':>6}  {'R2' if classes is None else 'accuracy':>8}")
    choices: list[Choice] = []
    decided = None  # after how many choices an earlier process went on to train
    if checkpoint is not None:
        checkpoint.read()
        decided = checkpoint.notes.get("choices")
    for choice in search(
        networks,
        lams,
        X[rows],
        Y[rows],
        first=tuple(slice(None) if len(axis) == 1 else first for axis in (networks, lams)),
        classes=classes,
        seed=request.seed,
        stop=stop,
        check=False,
        checkpoint=checkpoint,
        **arguments,
    ):
        ask(stop)
        shown = f"{choice.score:.4f}" if classes is None else percent(choice.score)
        tell.note(f"{_units(choice):>12}  {choice.lam:>6g}  {shown:>8}")
        choices.append(choice)
        if len(choices) == decided or (decided is None and time.monotonic() > deadline):
            break
    if checkpoint is not None:
        checkpoint.note("choices", len(choices))
    best = max(choices, key=lambda choice: choice.score)
    tell.note(f"best: {_units(best)} hidden units, lam = {best.lam:g}{_at_the_edge(best, choices)}")
    return choices


def _at_the_edge(best: Choice, choices: Sequence[Choice]) -> str:
    """Say where the best lambda is the first or the last of those tried."""
    lams = sorted({choice.lam for choice in choices})
    if len(lams) < 2 or best.lam not in (lams[0], lams[-1]):
        return ""
    what, further = (
        ("smallest", best.lam / 10) if best.lam == lams[0] else ("largest", best.lam * 10)
    )
    return f", the {what} of those tried: --lam {further:g} may do better"


def _units(choice: Choice) -> str:
    return ",".join(str(s) for s in choice.network.layers[1:-1])


def first_five(
    prepared: Prepared,
    tell: Telling,
    stop: Stop = lambda: False,
    theta: Array | None = None,
) -> Started:
    """Take the notes' steps 1 to 5, one call of the library for each, and say what each gave.

    theta is where to start, in place of a random one.
    """
    plan, seed = prepared.plan, prepared.request.seed
    network, lam = plan.network, plan.lam
    examples = examples_of(network, *prepared.trained_on, threads=prepared.request.threads)
    X, Y = examples.few()
    drawn = f"drawn with seed {seed}" if theta is None else "given" if theta.any() else "all 0"
    theta = random_theta(network, seed) if theta is None else network.check_theta(theta)
    tell.step(1, f"theta has {network.size:,} weights, {drawn}")
    tell.step(2, f"h(x) of the first example: {vector(predict(network, theta, X[:1])[0])}")
    with asking(lambda: ask(stop)):
        sums = examples.accumulate(network, theta)
    J, D = finish(network, theta, *sums, lam)
    tell.step(3, f"J = {J:.4g} at this theta, lam = {lam:g}")
    tell.step(4, f"D has {len(D):,} partial derivatives, |D| = {np.linalg.norm(D):.2g}")
    checked = prepared.request.check
    check = (
        check_before_training(network, theta, X, Y, lam, seed, ask=lambda: ask(stop))
        if checked
        else None
    )
    tell.step(5, gradient_check(check) + ("; from here on it is off" if checked else ""))
    if check is not None and not check:
        raise WrongGradientError(str(check))
    return Started(theta, check)


def minimised(
    prepared: Prepared,
    started: Started,
    tell: Telling,
    stop: Stop = lambda: False,
    checkpoint: Checkpoint | None = None,
    workers: Workers | None = None,
) -> Outcome:
    """Take the notes' step 6, and return what came of all.

    It does not ask whether units of a theta that was given are identical.
    """
    request, plan = prepared.request, prepared.plan
    (X, Y), aside = prepared.trained_on, prepared.validation
    tell.step(6)
    shares = None if workers is None else Shares(workers, tell)

    def told(step: Step) -> None:
        tell.iteration(step, plan.arguments["max_iter"])
        if shares is not None:
            shares()

    start: dict[str, Any] = {"theta": started.theta, "callback": told, "allow_symmetry": True}
    if request.n_restarts != 1:  # each start draws its own, and they run side by side
        tell.note(f"from {request.n_restarts} random starts, the best of which is taken")
        start = {"seed": request.seed}
    if aside is not None:
        start |= {"X_val": aside[0], "Y_val": aside[1]}
    result = train(
        plan.network,
        X,
        Y,
        lam=plan.lam,
        max_time=request.max_time,
        check=False,
        stop=stop,
        checkpoint=checkpoint,
        client=workers,
        lanes=request.lanes,
        **start,
        **plan.arguments,
    )
    if shares is not None:
        shares.say()
    if not len(result.history):
        if BY_SIGNAL in result.stopped:
            raise KeyboardInterrupt
        raise Stopped(result.stopped)
    limit = plan.arguments.get("max_iter")
    at_limit = result.stopped == AT_MAX_ITER.format(limit)
    why = f"stopped after the {limit} iterations of --max-iter" if at_limit else result.stopped
    tell.note(f"J went from {result.history.J[0]:.4g} to {result.J:.4g}; {why}")
    lam = getattr(result.state, "lam", plan.lam)
    model = prepared.model(result.theta, lam, result.J, result.stopped)
    if request.recipe == "photos" and prepared.held_out is not None:
        model = calibrated(model, prepared.held_out)
    return Outcome(
        request, prepared.training, prepared.held_out, plan, started.check, result, lam, model,
        prepared.spooled,
    )  # fmt: skip


def ask(stop: Stop) -> None:
    """Raise `Stopped` if the run is to stop."""
    if stop():
        raise Stopped("asked to stop before the training began")


def provenance(
    request: Request, data: Dataset, plan: Plan, lam: float, J: float, stopped: str
) -> Provenance:
    """Return what the model's file says of where the model came from.

    No bit depends on the number of threads, which it leaves out.
    """
    how: dict[str, Any] = dict(plan.arguments)
    if request.recipe is not None:
        how = {"recipe": request.recipe}
    if request.lanes is not None:
        how["lanes"] = request.lanes
    how.pop("threads", None)
    options = how | {"lam": lam, "test_size": request.test_size, "max_time": request.max_time}
    source = request.source if isinstance(request.source, str) else data.source
    return Provenance(__version__, request.seed, options, source, data.sha256, J, stopped)


def calibrated(model: Model, held_out: Dataset) -> Model:
    """Return the model with its probabilities made true on examples it was not trained on."""
    theta, temperature = learning.calibrated(
        model.network, model.theta, held_out.X, true_values(held_out)
    )
    options = {**model.provenance.options, "temperature": round(temperature, 4)}
    return replace(model, theta=theta, provenance=replace(model.provenance, options=options))


def standardised(
    data: Dataset, scaling: Scaling | None, target_scaling: Scaling | None
) -> tuple[Array, Array]:
    """Return X and Y as the network sees them."""
    X, Y = data.X, true_values(data)
    return (
        X if scaling is None else scaling.apply(X),
        Y if target_scaling is None else target_scaling.apply(Y),
    )


def true_values(data: Dataset) -> Array:
    """Return Y, or raise an error where the table has no target."""
    if data.Y is None:
        raise DataError(f"{data.source}: there is no target {data.target!r} to compare with")
    return data.Y


def evaluate(model: Model, data: Dataset) -> Evaluation:
    """Compare the model's answers on a dataset with the true ones."""
    return Evaluation(model.predict(data.X), true_values(data), model.classes)


def evaluated(model: Model, parts: Iterable[Dataset]) -> Evaluation:
    """Compare the model's answers with the true ones on a dataset that comes in parts."""
    found = [(model.predict(data.X), true_values(data)) for data in parts]
    if not found:
        raise DataError(f"there is no row with a target {model.encoder.target!r} to compare with")
    h, truth = (np.concatenate(values) for values in zip(*found, strict=True))
    return Evaluation(h, truth, model.classes)

"""A committee trained on a table, for the command: what is done, and its scores.

`plainly` says where one network by the notes' six steps is trained in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from chainrule import datasets
from chainrule.common.checks import DataError, counted
from chainrule.common.types import Array
from chainrule.datasets import Dataset, pieces
from chainrule.datasets.columns import Column
from chainrule.datasets.contents import Contents
from chainrule.datasets.doubts import doubts, numbers_the_rows
from chainrule.datasets.encoding import Encoder, Table
from chainrule.datasets.images import find_image
from chainrule.datasets.invented import INVENTED
from chainrule.datasets.scaling import Scaling
from chainrule.datasets.targets import understand_target
from chainrule.datasets.vectors import Place, held, refuse_unusable
from chainrule.engine import memory
from chainrule.engine.spool import in_bytes
from chainrule.evaluation.importance import Importances
from chainrule.evaluation.scores import Evaluation
from chainrule.model_file import Model
from chainrule.notes.network import Network
from chainrule.training.committee import Kind
from chainrule.workbench.beside import always_the_same, straight, surely_better
from chainrule.workbench.pipeline import asked_of, evaluate, true_values
from chainrule.workbench.request import Request
from chainrule.workbench.spooling import SHARE, Large
from chainrule.workbench.telling import Telling, in_options

if TYPE_CHECKING:
    from chainrule.estimators.table import TableClassifier, TableRegressor

ONE_NETWORK = "one network by the notes' six steps, as with --plain"
COPIES = 4  # of its inputs that a training has in memory
SHUFFLED = 2000  # held-out rows that columns are shuffled in: more would say the same


def plainly(request: Request, contents: Contents | Large) -> str | None:
    """Say why one network is trained, on what is asked for; None where a committee is.

    It is "" where that goes without saying, since this is no table with columns.
    """
    if isinstance(contents, Large):
        return f"a table in blocks of rows: {ONE_NETWORK}"
    apart = contents.target is not None or contents.image_shape is not None
    if apart or request.source in INVENTED or _of_pictures(request, contents):
        return ""
    if option := request.one_network:
        return f"{option}: {ONE_NETWORK}"
    targets = asked_of(request).part(contents).found.names
    if len(targets) > 1:
        return f"{len(targets)} targets: {ONE_NETWORK}"
    takes, free = _memory(contents.table), memory.available()
    if free is not None and takes > SHARE * free:
        return f"a committee would take about {in_bytes(takes)} of memory: {ONE_NETWORK}"
    return None


def _of_pictures(request: Request, contents: Contents) -> bool:
    """Whether the columns of a table are the pixels of pictures."""
    table = asked_of(request).part(contents).table
    vectors = list(table.values())
    if not vectors or any(v.dtype.kind not in "biuf" for v in vectors):
        return False
    X = np.column_stack(vectors)
    return bool(np.isfinite(X).all()) and find_image(X, contents)[0] is not None


def _memory(table: Table) -> int:
    """Return about how many bytes the training on a table takes."""
    text, number = pieces.MOST_CATEGORIES, pieces.PIECES + 2
    inputs = sum(text if vector.dtype == object else number for vector in table.values())
    m = len(next(iter(table.values())))
    return COPIES * 8 * m * inputs


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of a table: its columns, what is predicted, and their numbers in the file."""

    table: Table
    data: Dataset
    numbers: Array

    def encoded(self, encoder: Encoder) -> Dataset:
        """Return them as inputs."""
        X, _ = encoder.encode(self.table, self.data.source, self.numbers, part=True)
        return replace(self.data, X=X, encoder=encoder)


@dataclass(frozen=True, eq=False)
class Committed:
    """What came of a request.

    Attributes
    ----------
    request : Request
    net : TableClassifier or TableRegressor
    model : Model
        The same with all that is needed to use it on another table.
    training : Rows
    held_out : Rows or None
    """

    request: Request
    net: TableClassifier | TableRegressor
    model: Model
    training: Rows
    held_out: Rows | None

    @cached_property
    def evaluations(self) -> dict[str, Evaluation]:
        """The scores on the rows trained on, "out of fold", and on "held out" ones."""
        network, z = self.net.network_, self.net.committee_.z
        tried = ~np.isnan(z[:, 0])
        h = network.cost.g(z[tried])
        if self.model.target_scaling is not None:
            h = self.model.target_scaling.undo(h)
        truth = true_values(self.training.data)[tried]
        found = {"out of fold": Evaluation(h, truth, self.model.classes)}
        if self.held_out is not None:
            found["held out"] = evaluate(self.model, self.held_out.encoded(self.model.encoder))
        return found

    @cached_property
    def comparisons(self) -> dict[str, Evaluation]:
        """The scores on held-out rows of what a committee should be better than."""
        if self.held_out is None:
            return {}
        return {
            "a linear model": self._linear(self.held_out),
            **always_the_same(self.training.data, self.held_out.data),
        }

    def _linear(self, held_out: Rows) -> Evaluation:
        """Return the score of logistic or ridge regression, on the numbers as they are."""
        model = self.model
        columns = tuple(replace(c, squash=None, edges=()) for c in model.encoder.columns)
        encoder = replace(model.encoder, columns=columns)
        data = self.training.encoded(encoder)
        scaling, of_y = Scaling.fit(data.X), model.target_scaling
        network = Network((data.X.shape[1], model.network.K), output=model.network.output)
        Y = true_values(data)
        examples = scaling.apply(data.X), Y if of_y is None else of_y.apply(Y)
        line = straight(network, examples, (encoder, scaling, of_y))
        return evaluate(line, held_out.encoded(encoder))

    @cached_property
    def importances(self) -> Importances | None:
        """How much the cost of held-out rows rises when a column is shuffled."""
        if self.held_out is None:
            return None
        table, Y = self.held_out.table, true_values(self.held_out.data)
        y = Y if self.model.classes is None else np.array(self.model.classes)[Y]
        rows = np.random.default_rng(self.request.seed).permutation(len(y))[:SHUFFLED]
        some = {name: vector[rows] for name, vector in table.items()}
        return self.net.importances(some, y[rows], random_state=self.request.seed)


def run(request: Request, contents: Contents, tell: Telling) -> Committed:
    """Train a committee on a table.

    Parameters
    ----------
    request : Request
    contents : Contents
        Its source, as `chainrule.workbench.pipeline.opened` returns it.
    tell : Telling
        Told what is decided, and of each kind of members.

    Returns
    -------
    Committed

    Raises
    ------
    DataError
        If the table cannot be used.
    KeyboardInterrupt
        If a signal ends it: then there is no network.
    """
    if request.max_time is not None:
        raise ValueError(
            f"--max-time {request.max_time:g}: a committee is trained to its end, or not at all: "
            "leave that out, or add --plain"
        )
    training, held_out = split(request, contents, tell)
    net = fitted(request, training, tell)
    model = net.to_model()
    asked = {"seed": request.seed, "test_size": request.test_size}
    origin = replace(
        model.provenance,
        seed=request.seed,
        options={**model.provenance.options, **asked},
        source=str(request.source),
        data_sha256=contents.sha256,
    )
    asked_for = training.data.encoder
    encoder = replace(
        model.encoder,
        target=asked_for.target,
        dropped=(*model.encoder.dropped, *asked_for.dropped),
        reading=asked_for.reading,
        na=asked_for.na,
    )
    net.encoder_ = encoder
    return Committed(
        request, net, replace(model, encoder=encoder, provenance=origin), training, held_out
    )


def split(request: Request, contents: Contents, tell: Telling) -> tuple[Rows, Rows | None]:
    """Understand the target, set rows aside, and say so."""
    asked = asked_of(request)
    part = asked.part(contents)
    if not len(part.rows):
        raise asked.no_rows(contents, part)
    table, found = part.table, part.found
    Y, classes, what = understand_target(found, request.kind, contents, part.rows)
    for name, vector in table.items():
        if held(vector) is None:
            refuse_unusable(vector, Place(contents.name, name, part.rows))
    counting = _counting(table) if contents.named else {}
    table = {name: vector for name, vector in table.items() if name not in counting}
    if not table:
        name, why = next(iter(counting.items()))
        raise DataError(f"{contents.name}: column {name!r} {why}, and there is no other")
    m = len(part.rows)
    encoder = Encoder(
        (Column("row"),), found.name, classes, (*part.dropped, *counting), reading=contents.reading,
        na=request.na,
    )  # fmt: skip
    data = Dataset(np.arange(m)[:, None], Y, encoder, contents.name, contents.sha256)
    some, others = datasets.split(data, request.test_size, request.seed)

    def rows_of(data: Dataset) -> Rows:
        rows = data.X[:, 0]
        return Rows({name: v[rows] for name, v in table.items()}, data, part.rows[rows])

    training, held_out = rows_of(some), None if others is None else rows_of(others)
    kind = "regression" if classes is None else f"{len(classes)} classes"
    shape = f"{counted(m, 'example')}, {counted(len(part.table), 'column')}"
    tell.note(f"{contents.name}: {shape}, {kind}", heading=True)
    columns, left_out = pieces.learn_pieces(training.table)
    odd = [
        f"column {name!r} has {stray}, which is no number or date: taken as missing"
        for name, stray in contents.strays.items()
        if name in table
    ]
    doubtful = doubts({c.name: table[c.name] for c in columns}, Y, classes, found.name)
    for note in (
        *contents.notes,
        *part.left_out.notes(found.name),
        f"target {found.name!r}{found.why}: {what}",
        *pieces.notes(columns, {**counting, **left_out}),
        *odd,
        *(doubtful if contents.named else ()),
    ):
        tell.note(in_options(note))
    aside = "none" if held_out is None else f"{len(held_out.numbers):,}"
    tell.note(f"training on {counted(len(training.numbers), 'example')}, held out: {aside}")
    return training, held_out


def _counting(table: Table) -> dict[str, str]:
    """Return which columns number the rows, and why: some of the rows alone do not show it."""
    numbers = {name: v for name, v in table.items() if v.dtype != object}
    told = {name: numbers_the_rows(name, v, alone=len(table) == 1) for name, v in numbers.items()}
    return {name: why for name, why in told.items() if why is not None}


def fitted(request: Request, training: Rows, tell: Telling) -> TableClassifier | TableRegressor:
    """Train, and tell of each kind of members."""
    from chainrule.estimators.table import TableClassifier, TableRegressor

    tell.note("a committee of small networks, chosen by their cost on unseen rows", heading=True)
    tell.note(f"{'inputs':>20} {'units':>6} {'lam':>8} {'J_val':>8}")

    def told(kind: Kind) -> None:
        how = ", by relevance" if kind.by_relevance else ""
        inputs = f"{int(kind.inputs.sum()):,}{how}"
        tell.note(f"{inputs:>20} {kind.hidden:>6} {kind.lam:>8.3g} {kind.J:>8.4g}")

    classes, Y = training.data.classes, true_values(training.data)
    kind = TableRegressor if classes is None else TableClassifier
    net = kind(random_state=request.seed, threads=request.threads, callback=told)
    try:
        net.fit(training.table, Y if classes is None else np.array(classes)[Y])
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{training.data.source}: {error}") from error
    layers = "-".join(map(str, net.network_.layers))
    tell.note(f"together: J_val {net.J_:.4g}, as one network, {layers}")
    return net


def advice(outcome: Committed) -> list[str]:
    """Say what stands out about the scores."""
    if outcome.held_out is None:
        return []
    held_out = outcome.evaluations["held out"]
    better = [name for name, other in outcome.comparisons.items() if surely_better(other, held_out)]
    return [f"{name} does better on held-out rows: the columns tell no more" for name in better]

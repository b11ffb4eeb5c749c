"""A table that does not fit memory, made ready for a training in a scratch folder.

Two passes go over its files: one decides what its columns mean, the other writes what they become.
From then on nothing of it is in memory but a few blocks of rows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.common.checks import counted
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets import Dataset, scanning
from chainrule.datasets.encoding import Reading
from chainrule.datasets.invented import INVENTED
from chainrule.datasets.scaling import Scaling
from chainrule.datasets.scanning import Scan
from chainrule.datasets.tables import Asked, reading_like, rows_aside
from chainrule.engine import learning, memory, passes
from chainrule.engine.blocks import BYTES, Source, Standardised, block_rows
from chainrule.engine.spool import Spool, in_bytes
from chainrule.evaluation.scores import Evaluation
from chainrule.model_file import Model
from chainrule.workbench.request import Request
from chainrule.workbench.telling import Telling

Stop = Callable[[], None]
"""Asked again and again; it raises an error where the work is to end."""

SHIPPED = ("digits", "mnist", "-", *INVENTED)
WHOLE = "read whole, whatever --memory says: only text, Parquet and Arrow are read in blocks"
SHARE = 0.7  # of the memory that is free, which a table may take as a whole
READING = 250 << 20  # bytes that reading a few blocks of text or columns takes
BLOCKS = 12  # of 8 MB, that a training has in memory: two buffers of 4, and those that are summed
OF_A_ROW = 20  # bytes that the split takes for each row
WITH_PARTS = 1.3  # times the size of the table, while rows are held out
ROWS = 65_536  # that are predicted at a time
TRAINED, WATCHED, TESTED = "", "watched-", "tested-"  # how the names of the parts' arrays begin


@dataclass(frozen=True, eq=False)
class Large:
    """A table that is read in blocks, and the memory that may be used."""

    scan: Scan
    limit: int | None

    @classmethod
    def of(cls, source: Any, limit: int | None, *, always: bool = False) -> Large | None:
        """Return the table that a source is, if it has several files or would not fit memory.

        With always, it is one that fits, too.
        """
        scan = _scan(source)
        if scan is None:
            return None
        if limit is None and (free := memory.available()) is not None:
            limit = int(SHARE * free)
        fits = limit is None or scan.memory <= limit
        alone = scan.files == (Path(source),)
        return None if fits and alone and not always else cls(scan, limit)

    @property
    def why(self) -> str:
        """Say what it is, and why it is not read as a whole."""
        scan = self.scan
        size = f"{in_bytes(scan.size)} in {counted(len(scan.files), 'file')}"
        if self.limit is None or scan.memory <= self.limit:
            return f"{size}: read in blocks"
        return (
            f"{size}, which would take about {in_bytes(scan.memory)} of memory, and "
            f"{in_bytes(self.limit)} may be used for it: read in blocks"
        )


def in_blocks(source: Any) -> bool:
    """Whether a source is of a kind that is read in blocks, where it would not fit memory."""
    return _scan(source) is not None


def _scan(source: Any) -> Scan | None:
    if not isinstance(source, str | os.PathLike) or source in SHIPPED:
        return None
    return scanning.opened(source)


@dataclass(eq=False)
class Spooled:
    """A table in a scratch folder, split as the request says.

    Attributes
    ----------
    spool : Spool
    data : Dataset
        The whole table: what was decided, and how many rows and inputs it has, all 0.
    training : Dataset
        Its rows to train on, mapped to memory.
    held_out : Dataset or None
    origin : tuple
        What all this was made of.
    watched : bool
        Whether some rows of the training set are watched.
    steps : list of str
        How it was split and put in another order.
    answers : iterator of int
        The numbers of the files of answers.
    """

    spool: Spool
    data: Dataset
    training: Dataset
    held_out: Dataset | None
    origin: tuple[Any, ...]
    watched: bool = False
    steps: list[str] = field(default_factory=list)
    answers: Iterator[int] = field(default_factory=count)

    __repr__ = summary

    def examples(
        self, part: str, scaling: Scaling | None = None, target_scaling: Scaling | None = None
    ) -> Source:
        """Return the rows of a part as the network sees them."""
        origin = (*self.origin, part, *self.steps)
        source = self.spool.source(f"{part}X", f"{part}Y", origin)
        if scaling is None and target_scaling is None:
            return source
        return Standardised(source, scaling, target_scaling)

    def rows(self, scaling: Scaling | None, target_scaling: Scaling | None) -> tuple[Rows, Rows]:
        """Return X and Y of the rows to train on, of which some can be asked for."""
        Y = self.spool.array(f"{TRAINED}Y")
        return Rows(self.training.X, scaling), Rows(Y, target_scaling)

    def ready(
        self, request: Request, watched: Array | None, tell: Telling, ask: Stop, *, by_batches: bool
    ) -> None:
        """Take out the rows that are watched; put the others in another order, if they need one.

        Only minibatches ask for it.
        """
        if watched is not None:
            self._take_out(watched, WATCHED)
            self.watched = True
            self.steps.append(f"watched {int(watched.sum())}")
        if not by_batches:
            return
        K = None if self.data.classes is None else len(self.data.classes)
        source = self.examples(TRAINED)
        if not passes.targets(source, K).in_order:
            return
        size = self.training.X.nbytes
        tell.note(
            "the rows lie in the order of their targets: shuffled over the whole table, which "
            f"takes another {in_bytes(size)} meanwhile"
        )
        self.spool.refuse_no_room(size)
        self.training = self._nothing()
        with tell.progress("shuffling") as told:
            self.spool.shuffle("XY", request.seed, asking(told, ask))
        self.steps.append(f"shuffled {request.seed}")
        self.training = self._part(TRAINED)

    def split(self, request: Request) -> None:
        """Hold rows out, the same ones as of a table in memory."""
        share = 0.2 if request.test_size is None else request.test_size
        self.training = self._part(TRAINED)
        rows = rows_aside(self.training, share, request.seed)
        self.steps.append(f"held out {share} {request.seed}")
        if rows.any():
            self._take_out(rows, TESTED)
            self.held_out = self._part(TESTED)

    def evaluations(self, model: Model) -> dict[str, Evaluation]:
        """Return the scores on trained-on and held-out rows."""
        parts = (TRAINED, WATCHED) if self.watched else (TRAINED,)
        found = {"trained on": self.evaluation(model, parts)}
        if self.held_out is not None:
            found["held out"] = self.evaluation(model, (TESTED,))
        return found

    def evaluation(self, model: Model, parts: Sequence[str]) -> Evaluation:
        """Compare a model's answers on parts of the table with the truth; h goes to the folder."""
        found = [self._part(part) for part in parts]
        name = f"h-{next(self.answers)}"
        h = ((model.predict(rows),) for data in found for rows in _blocks(data.X))
        self.spool.write(sum(map(len, found)), {name: ((model.network.K,), np.float64)}, h)
        truths = [data.Y for data in found if data.Y is not None]
        truth = truths[0] if len(truths) == 1 else np.concatenate(truths)
        return Evaluation(self.spool.array(name), truth, model.classes)

    def _take_out(self, rows: Array, into: str) -> None:
        self.training = self._nothing()
        self.spool.take_out({name: f"{into}{name}" for name in "XY"}, rows)
        self.training = self._part(TRAINED)

    def _nothing(self) -> Dataset:
        """Return no rows: of a file that is cut none may be mapped."""
        return replace(self.data, X=self.data.X[:0], Y=None)

    def _part(self, part: str) -> Dataset:
        return replace(self.data, X=self.spool.array(f"{part}X"), Y=self.spool.array(f"{part}Y"))


class Rows:
    """Rows of a part as the network sees them, of which some are asked for by their numbers."""

    def __init__(self, values: Array, scaling: Scaling | None) -> None:
        self.values, self.scaling = values, scaling
        self.shape, self.ndim = values.shape, values.ndim

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> Array:
        found = np.asarray(self.values[rows])
        return found if self.scaling is None else self.scaling.apply(found)


def spooled(request: Request, large: Large, tell: Telling, ask: Stop) -> Spooled:
    """Read a large table, say what is found, and write it to a scratch folder, split."""
    if request.recipe is not None:
        raise ValueError(
            f"--recipe {request.recipe} needs the table in memory: raise --memory, or leave it out"
        )
    scan = large.scan
    asked = Asked.of(
        request.target, request.drop, request.missing, request.kind, request.na, request.keep
    )
    tell.note(f"{scan.name}: {large.why}", heading=True)
    with tell.progress(f"looking at {scan.name}") as told:
        reading = Reading(request.header, request.encoding)
        found = learning.learn(scan, asked, reading, asking(told, ask))
    encoder, m, n = found.encoder, found.m, len(found.encoder.feature_names)
    outputs = len(encoder.outputs) if encoder.classes is None else 0
    kinds = {
        "X": ((n,), np.float64),
        "Y": ((outputs,) if outputs else (), np.float64 if encoder.classes is None else np.int64),
    }
    size = 8 * m * (n + max(1, outputs))
    spool = Spool(request.spool)
    spool.refuse_no_room(int(WITH_PARTS * size))
    rows = block_rows(n, 1, np.float64)
    need = max(READING, BLOCKS * BYTES) + OF_A_ROW * m
    tell.note(
        f"{counted(m, 'row')} of {counted(n, 'input')} in {counted(-(-m // rows), 'block')}; "
        f"a pass reads {in_bytes(size)}; the blocks take about {in_bytes(need)} of memory beside "
        "the program's own, whatever --memory says"
    )
    tell.note(
        f"cells are dear to read again and again: spooled to {spool.folder}, "
        f"{in_bytes(WITH_PARTS * size)} at most, until the end"
    )
    with tell.progress(f"spooling {scan.name}") as told:
        like = reading_like(encoder, request.header, request.encoding)
        spool.write(m, kinds, learning.encoded(scan, asked, encoder, like, asking(told, ask)))
    sha256 = scan.sha256
    rows_of_0 = np.broadcast_to(np.float64(0), (m, n))
    data = Dataset(rows_of_0, None, encoder, scan.name, sha256, found.notes)
    made = Spooled(spool, data, data, None, (sha256, json.dumps(encoder.to_json())))
    made.split(request)
    return made


def few(data: Dataset, most: int = 5000) -> Dataset:
    """Return some rows of a table, evenly spread, in memory.

    Examples
    --------
    >>> from chainrule.datasets import load
    >>> len(few(load("digits"), 10))
    10
    """
    rows = np.linspace(0, len(data) - 1, min(most, len(data))).astype(int)
    Y = None if data.Y is None else np.asarray(data.Y[rows])
    return replace(data, X=np.asarray(data.X[rows]), Y=Y)


def asking(told: Callable[[float], None], ask: Stop) -> Callable[[float], None]:
    """Return what is told of progress, and asks whether to stop."""

    def both(share: float) -> None:
        ask()
        told(share)

    return both


def _blocks(X: Array) -> Iterator[Array]:
    """Yield the rows of an array in blocks."""
    for first in range(0, len(X), ROWS):
        yield X[first : first + ROWS]

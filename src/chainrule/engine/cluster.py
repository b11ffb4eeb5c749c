"""Sums over blocks by workers of Dask, which may come, go, stop or be late.

A worker is told which blocks to read, what to add up and at which theta; it answers with the nodes
of the tree (`chainrule.engine.sums`) that its blocks make up.  Every task is a pure function of a
description: whatever is lost is computed again, by whoever is there, to the same bits.  So no task
is tied to a worker, nothing is scattered, and no worker has a state of its own.

All of Dask is behind two methods of `Workers`: `hold`, which lets workers read blocks and keep
them, and `sums`.
"""

from __future__ import annotations

import math
import statistics
import time
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

import numpy as np

from chainrule import kernel
from chainrule.common.checks import DataError, counted, shortened
from chainrule.common.shown import summary
from chainrule.common.types import Array, Stopped
from chainrule.engine.blocks import Block, Blocks, FileState
from chainrule.engine.sums import Sums, Tree

A_THREAD = 2  # ranges of blocks for each thread of a worker: the last to answer is less late
LATE = 5.0  # medians of how long a range takes, after which others are asked
FIRST = 30.0  # seconds that a range may take, as long as nobody knows
SOON = 1.0  # seconds before which nobody is late
LARGE = 2**20  # bytes of theta and the like from which they are a task of their own
FILLED = 0.5  # the share of the workers' memory that blocks may fill
SILENT = 10.0  # seconds that a scheduler or a worker has to say something simple
MAX_LOST = 10.0  # minutes without a scheduler, or without workers, after which training ends
LOOK = 2.0  # seconds between two looks at who is there
PATIENT = 3.0  # seconds without a scheduler, or without workers, after which it is told
TICK = 0.05  # seconds between two looks at whether the training is to end
KILLED = 3  # times that a range may take its workers down with it

Loaded = tuple[Any, Any, Any]
"""X, Y and weights of a block."""
Node = tuple[int, int, Sums]
"""A node of the tree: its first block, how many blocks, and their sums."""
Part = Callable[..., list[Node]]
"""``part(range, blocks, *args)``: what a task does with a range of blocks."""


class ClusterError(ValueError):
    """A cluster that cannot be used; the message says why and what to do."""


class Lost(Exception):
    """The connection to the scheduler was lost, and all that was asked with it."""


def current_client() -> Any:
    """Return the client that was started last, for what is Dask's."""
    from distributed import get_client

    try:
        return get_client()
    except ValueError:
        raise ClusterError(
            "X is Dask's, and there is no client: start one, client = distributed.Client()"
        ) from None


# What a worker does


@dataclass(frozen=True)
class Alike:
    """What all machines must have in common for the same bits.

    Parameters
    ----------
    chainrule, numpy : str
        Their versions.
    build : str or None
        Which of the kernel's builds computes (`chainrule.kernel.BUILDS`); None where NumPy does.
    """

    chainrule: str
    numpy: str
    build: str | None

    @classmethod
    def here(cls, build: str | None) -> Alike:
        """Return what this machine has."""
        from chainrule import __version__

        return cls(__version__, np.__version__, build)

    def check(self) -> None:
        """Raise ClusterError where this machine has something else."""
        ours = Alike.here(self.build)
        if ours != self:
            raise ClusterError(
                f"worker {address()} has come with {ours.versions}, and the training has "
                f"{self.versions}: install the same there"
            )
        if self.build is not None and self.build not in kernel.BUILDS:
            raise ClusterError(
                f"worker {address()} has come, and cannot run the kernel's build {self.build} by "
                "which the training computes: it has to be there from the start"
            )

    @property
    def versions(self) -> str:
        """The versions in words."""
        return f"chainrule {self.chainrule} with NumPy {self.numpy}"


def told() -> tuple[Alike, tuple[str, ...]]:
    """Return the versions of this machine, and the kernel's builds that it can run."""
    return Alike.here(None), kernel.BUILDS


def agreed(workers: Mapping[str, tuple[Alike, tuple[str, ...]]], by_kernel: bool) -> Alike:
    """Return what this machine and all workers have in common, the best build that all can run.

    Examples
    --------
    >>> here, builds = told()
    >>> agreed({"tcp://a:1": (here, builds)}, by_kernel=False).build is None
    True
    """
    here, builds = told()
    for address, (theirs, _) in workers.items():
        if theirs != here:
            raise ClusterError(
                f"worker {address} has {theirs.versions}, and this machine {here.versions}: the "
                "bits are the same only with the same versions; install them there"
            )
    if not by_kernel:
        return here
    for build in builds:
        if all(build in theirs for _, theirs in workers.values()):
            return Alike.here(build)
    lacking = next(address for address, (_, theirs) in workers.items() if not {*theirs} & {*builds})
    raise ClusterError(
        f"worker {lacking} has no build of the kernel that runs here ({', '.join(builds)}): "
        "install chainrule there with a C++20 compiler, or train with engine='numpy'"
    )


@dataclass(frozen=True)
class Here(Block):
    """A block on a worker, which may keep what it has read; what goes wrong says which and where.

    Parameters
    ----------
    source, first, last, network, dtype, by_output
        As of a `Block`.
    worker : str
        The address.
    parts : tuple, optional
        X, Y and weights.
    """

    worker: str = ""
    parts: Loaded | None = None

    @classmethod
    def of(cls, block: Block) -> Here:
        """Return a block as one that is here."""
        of_block = {each.name: getattr(block, each.name) for each in fields(Block)}
        return cls(**of_block, worker=address())

    def load(self, check: bool = False, out: Array | None = None) -> Loaded:
        """Return X, Y and weights, see `Block.load`; they are looked at when they are read."""
        if self.parts is None:
            with named(self):
                return super().load(True, out)
        if out is None:
            return self.parts
        out[...] = self.parts[0]
        return out, *self.parts[1:]


def kept(blocks: Sequence[Block], alike: Alike) -> list[Here]:
    """Return blocks that have been read: a task whose answer workers keep."""
    alike.check()
    here = [Here.of(block) for block in blocks]
    return [replace(block, parts=block.load()) for block in here]


@contextmanager
def named(block: Here) -> Iterator[None]:
    """Let what goes wrong with a block say which rows of which file, and where."""
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        files = [part.path for part in block.source.state() if isinstance(part, FileState)]
        place = block.source.where(block.first)
        if not any(file in place for file in files):
            place = next(iter(files), "")
        where = "" if not place or any(file in said for file in files) else f"{place}: "
        rows = f"rows {block.first} to {block.last - 1} on worker {block.worker}"
        raise DataError(f"{where}{said} ({rows})") from None


def address() -> str:
    """Return the address of the worker that this code runs on."""
    from distributed import get_worker

    return str(get_worker().address)


def worked(
    of: range, blocks: Sequence[Block], alike: Alike, asked: bytes
) -> tuple[str, float, list[Node]]:
    """Do what is asked with a range of blocks: a task.

    Return the worker's address, the seconds that it took, and the tree's nodes.
    """
    import cloudpickle

    began = time.perf_counter()
    alike.check()
    part, args = cloudpickle.loads(asked)
    here = [block if isinstance(block, Here) else Here.of(block) for block in blocks]
    with kernel.computed_by(alike.build):
        nodes = part(of, here, *args)
    return address(), time.perf_counter() - began, nodes


def summed(of: range, blocks: Sequence[Block], leaf: Callable[[Loaded], Sums]) -> list[Node]:
    """Return the tree's nodes of a range of blocks."""
    tree = Tree()
    for i, block in zip(of, blocks, strict=True):
        tree.add(i, leaf(block.load()))
    return list(tree.parts())


def same(asked: bytes) -> bytes:
    """Return what it is given: the task from which many others take a large theta."""
    return asked


# Who asks the workers


@dataclass
class Share:
    """What a worker has done: how many rows it has summed, and in how many seconds of its own."""

    rows: int = 0
    seconds: float = 0.0


@dataclass(eq=False)
class Range:
    """A range of blocks that is a task, and the future of its rows where workers keep them."""

    of: range
    blocks: list[Block]
    rows: Any = None
    killed: int = 0

    __repr__ = summary

    def __str__(self) -> str:
        return f"rows {self.blocks[0].first} to {self.blocks[-1].last - 1}"


@dataclass
class Workers:
    """The workers of a Dask cluster, who hold blocks and sum over them.

    Parameters
    ----------
    client : distributed.Client
    max_lost : float, default=10
        For how many minutes to wait for a scheduler that is gone, or while there is no worker.
    group : int, optional
        How many blocks a task has.  Default: two tasks for each thread.  It changes no bit.
    tell : callable, optional
        Told a line where a worker is lost, and where workers are waited for.

    Attributes
    ----------
    shares : dict of str to Share
        What each worker has done, by its address.
    alike : Alike or None
        What all machines compute with, once it is agreed.
    """

    client: Any
    max_lost: float = MAX_LOST
    group: int | None = None
    shares: dict[str, Share] = field(default_factory=dict)
    alike: Alike | None = None
    tell: Callable[[str], object] | None = None

    __repr__ = summary

    def __post_init__(self) -> None:
        self._own: Any = None  # the client that has taken the place of one that was lost
        self._more: list[Workers] = []
        self._token = uuid.uuid4().hex[:12]
        self._count = 0
        self._ranges: list[Range] = []
        self._blocks: Any = ()
        self._borders: list[range] | None = None
        self.keeps = True
        self.times: dict[Any, deque[float]] = {}
        self.late: list[Any] = []
        self._looked = -math.inf
        self._answered = False
        self._there: set[str] = set()  # the workers at the last look
        self._told_until = math.nan  # until when a wait that was told lasts at most

    def agree(self, by_kernel: bool) -> Alike:
        """Settle what all machines compute with, or raise ClusterError in one sentence."""
        until = time.monotonic() + 60 * self.max_lost
        try:
            while not (workers := self.threads()):
                self.wait(until, "has no workers")
        except Lost:
            raise ClusterError(
                f"the client does not reach its scheduler (it is {self.client.status}): start "
                "another one"
            ) from None
        try:
            said = self.client.run(told, on_error="return", callback_timeout=SILENT)
        except TimeoutError:  # whoever says nothing has to agree when it computes
            said = {}
            for worker in workers:
                with suppress(TimeoutError):
                    said |= self.client.run(
                        told, workers=[worker], on_error="return", callback_timeout=SOON
                    )
        for worker, answer in said.items():
            if isinstance(answer, Exception):
                raise ClusterError(
                    f"worker {worker} cannot use chainrule ({answer}): install it there"
                )
        self.alike = agreed(said, by_kernel)
        return self.alike

    def hold(self, blocks: Blocks, borders: list[range] | None = None) -> None:
        """Let workers read blocks, and keep them where their memory is large enough.

        Parameters
        ----------
        blocks : Blocks
        borders : list of range, optional
            The ranges of blocks that are a task each.
        """
        self._blocks, self._borders, self._ranges = blocks, borders, []

    def sums(self, leaf: Callable[[Loaded], Sums]) -> Sums:
        """Return the sum over all blocks of ``leaf((X, Y, weights))``."""
        return self.total(summed, leaf, kind=leaf.__qualname__)

    def total(self, part: Part, *args: Any, kind: str) -> Sums:
        """Return the sum of the nodes that ``part(range, blocks, *args)`` has for each range.

        Evaluations of one kind take about the same time.
        """
        import cloudpickle

        until, asked = math.inf, cloudpickle.dumps((part, args))
        while True:
            tree = Tree()
            try:
                for nodes in Evaluation(self, asked, kind).answers():
                    for first, size, sums in nodes:
                        tree.add(first, sums, size)
            except Lost:
                until = min(until, time.monotonic() + 60 * self.max_lost)
                self._reconnect(until)
            else:
                self._answered = True
                return tree.total()

    def close(self) -> None:
        """Let go of what workers hold; the client that was given stays open."""
        self._ranges, self.late = [], []
        for workers in self._more:
            workers.close()
        if self._own is not None:
            self._own.close(timeout=SILENT)

    def others(self) -> Workers:
        """Return the same workers, to hold other blocks."""
        more = Workers(self.client, self.max_lost, self.group, alike=self.alike, tell=self.tell)
        more._there = self._there  # who is lost is told once
        self._more.append(more)
        return more

    @property
    def free(self) -> bool:
        """Whether they hold no blocks yet."""
        return not len(self._blocks)

    @property
    def build(self) -> str | None:
        """The kernel's build that all have agreed on, if any."""
        return None if self.alike is None else self.alike.build

    def end(self, why: str) -> NoReturn:
        """End a training: with the best theta so far, where there is one."""
        if self._answered:
            raise Stopped(f"stopped: {why}")
        raise ClusterError(why)

    # Who has which blocks

    def ranges(self) -> list[Range]:
        """Return the ranges of blocks, cut anew where more workers have come."""
        if self.client.status != "running":
            raise Lost
        if self._ranges and time.monotonic() < self._looked + LOOK:
            return self._ranges
        self._looked = time.monotonic()
        threads = sum(self.threads().values())
        fixed = self._borders is not None or self.group is not None
        if not self._ranges or (threads > len(self._ranges) < len(self._blocks) and not fixed):
            n = len(self._blocks)
            borders = self._borders
            if borders is None and self.group is not None:
                borders = [range(i, min(i + self.group, n)) for i in range(0, n, self.group)]
            if borders is None:
                borders = cut(n, A_THREAD * max(1, threads))
            self.keeps = self._fit()
            self._ranges = [Range(of, [self._blocks[i] for i in of]) for of in borders]
        return self._ranges

    def _fit(self) -> bool:
        """Whether the blocks fit into the workers' memory."""
        limits = [each["memory_limit"] for each in self.scheduler("identity")["workers"].values()]
        if not limits or not all(limits):  # 0 and None are no limit
            return True
        first = self._blocks[0]
        a_row = (first.source.n + first.network.K) * first.dtype.itemsize
        return bool(sum(map(len, self._blocks)) * a_row <= FILLED * sum(limits))

    def threads(self) -> dict[str, int]:
        """Return the workers' addresses and how many threads each has; tell who is lost."""
        threads = dict(self.scheduler("ncores", workers=None))
        lost = sorted(self._there - {*threads})
        if lost and self.tell is not None:
            them = f"{counted(len(lost), 'worker')} ({shortened(lost)})"
            self.tell(f"lost {them}: the rows that were there are read again")
        self._there.clear()
        self._there.update(threads)
        return threads

    def scheduler(self, what: str, **options: Any) -> Any:
        """Return what the scheduler says, or raise Lost where it says nothing."""
        client = self.client
        if client.status != "running":
            raise Lost
        try:
            return client.sync(getattr(client.scheduler, what), callback_timeout=SILENT, **options)
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            raise Lost from error

    # Tasks

    def submit(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Return the future of a task, under a name that no other has."""
        self._count += 1
        with warnings.catch_warnings():  # a large theta has to travel
            warnings.filterwarnings("ignore", "Sending large graph")
            return self.client.submit(
                function, *args, key=f"chainrule-{name}-{self._token}-{self._count}"
            )

    def rows_of(self, each: Range, anew: bool) -> Any:
        """Return the future of a range's rows, or the blocks where workers read them each time."""
        if not self.keeps:
            return each.blocks
        if each.rows is None or anew:
            each.rows = self.submit("read", kept, each.blocks, self.alike)
        return each.rows

    # A scheduler that is gone

    def _reconnect(self, until: float) -> None:
        """Wait for the scheduler, or take a new client, until there are workers."""
        self._ranges, self.late = [], []
        while True:
            self.wait(until, "is gone")
            if self.client.status == "closed":
                self._own = self._new_client()
                self.client = self.client if self._own is None else self._own
            with suppress(Lost):
                if self.threads():
                    return

    def wait(self, until: float, what: str) -> None:
        """Wait a moment, and tell it once; or end the training where it is too late."""
        kernel.heed()
        now, why = time.monotonic(), f"the scheduler {self.client.scheduler.address} {what}"
        if now > until:
            self.end(f"{why}, and that for {self.max_lost:g} minutes")
        late = now > until - 60 * self.max_lost + PATIENT
        if late and self._told_until != until and self.tell is not None:
            self._told_until = until
            self.tell(f"{why}: waiting for a worker (at most {self.max_lost:g} min)")
        time.sleep(0.1)

    def _new_client(self) -> Any:
        from distributed import Client

        by_file = getattr(self.client, "scheduler_file", None)
        where = (
            {"scheduler_file": by_file} if by_file else {"address": self.client.scheduler.address}
        )
        try:
            return Client(
                **where, security=self.client.security, timeout=SOON, set_as_default=False
            )
        except (OSError, TimeoutError, ValueError):
            return None


class Evaluation:
    """One sum, from the first question to the last answer.

    Ranges that are late are asked for again, from their description, as many at a time as those
    who have answered have threads: these are idle, so Dask gives the tasks to them.  The late tasks
    are not cancelled.  Dask therefore takes their worker for a busy one, and leaves it out, until
    it answers or is found to be lost.
    """

    def __init__(self, workers: Workers, what: bytes, kind: str) -> None:
        self.workers, self.what = workers, what
        workers.late = [future for future in workers.late if not future.done()]
        self.missing = dict(enumerate(workers.ranges()))
        self.asked: dict[Any, tuple[int, list[Any]]] = {}  # futures, of which range, of what
        self.finished: SimpleQueue[tuple[Any, Any]] = SimpleQueue()  # futures and their answers
        reads = any(each.rows is None for each in self.missing.values()) and workers.keeps
        self.times = workers.times.setdefault((kind, reads), deque(maxlen=99))
        self.enough = -(-len(self.missing) // 2)
        self.responsive: set[str] = set()
        self.threads: dict[str, int] = {}  # of the workers that are there
        self.turns: list[int] = []  # ranges that are to be asked for again
        self.fresh: set[int] = set()  # and those that were

    def answers(self) -> Iterator[list[Node]]:
        """Yield the nodes of each range as they come."""
        self.begun = self.last = self.heard = time.monotonic()
        given = self._given()
        for i in self.missing:
            self._ask(i, given)
        patience = 1
        while self.missing:
            kernel.heed()
            try:
                future, answer = self.finished.get(timeout=TICK)
            except Empty:
                future = answer = None
            now = time.monotonic()
            i, _ = self.asked.pop(future, (-1, []))
            if i in self.missing:
                if isinstance(answer, BaseException):
                    self._failed(i, answer)
                    self._ask(i, given, anew=True)
                else:
                    yield self._answer(i, answer, now)
            if now > self.heard + SOON:
                self._wait_for_workers()
                if self._is_late(now, patience):
                    self._give_up_waiting()
                    given, patience, self.last = self._given(), 2 * patience, now
                    self.turns, self.fresh = list(self.missing), set()
            while self.turns and self._idle():
                self._ask(self.turns.pop(0), given, anew=True)
        self.workers.late += [future for future in self.asked if not future.done()]

    def _answer(self, i: int, answer: tuple[str, float, list[Node]], now: float) -> list[Node]:
        """Note who has answered, and return the nodes."""
        worker, seconds, nodes = answer
        each = self.missing.pop(i)
        self.times.append(now - self.begun)
        self.responsive.add(worker)
        self.turns = [j for j in self.turns if j != i]
        self.fresh.discard(i)
        share = self.workers.shares.setdefault(worker, Share())
        share.rows += sum(map(len, each.blocks))
        share.seconds += seconds
        return nodes

    def _ask(self, i: int, given: Any, anew: bool = False) -> None:
        """Ask for a range."""
        each, workers = self.missing[i], self.workers
        rows = workers.rows_of(each, anew)
        future = workers.submit("sum", worked, each.of, rows, workers.alike, given)
        self.asked[future] = i, [each for each in (rows, given) if hasattr(each, "key")]
        if anew:
            self.fresh.add(i)

        async def follow() -> None:
            try:
                answer = await future._result()
            except BaseException as error:
                answer = error
            self.finished.put((future, answer))

        workers.client.loop.add_callback(follow)

    def _given(self) -> Any:
        """Return what is asked for, or where it is large the future of it."""
        if len(self.what) < LARGE:
            return self.what
        return self.workers.submit("theta", same, self.what)

    def _is_late(self, now: float, patience: int) -> bool:
        """Whether the ranges that are missing are late, so that others are to be asked."""
        typical = FIRST
        if len(self.times) >= self.enough:
            typical = statistics.median(self.times)
        elif known := [max(times) for times in self.workers.times.values() if times]:
            typical = max(known)  # of what was asked before; too few have answered this
        return now - self.last > patience * max(SOON, LATE * typical)

    def _wait_for_workers(self) -> None:
        """Look who is there, and wait for somebody; raise Lost where the scheduler is gone."""
        until = time.monotonic() + 60 * self.workers.max_lost
        while not (threads := self.workers.threads()):
            self.workers.wait(until, "has no workers")
        self.threads, self.heard = threads, time.monotonic()

    def _give_up_waiting(self) -> None:
        """Cancel the tasks that wait for what a worker has that may have been stopped.

        Those stay that are being computed, or would be, by a worker that has all they need.
        """
        tasks = self.workers.scheduler("processing", workers=None)
        at = {key: worker for worker, keys in tasks.items() for key in keys}
        needs = {need.key for _, needs in self.asked.values() for need in needs}
        have = self.workers.scheduler("who_has", keys=[*needs])
        for future, (_, its) in list(self.asked.items()):
            worker = at.get(future.key)
            if not all(need.key in at or worker in have[need.key] for need in its):
                del self.asked[future]
                future.cancel()

    def _idle(self) -> bool:
        """Whether somebody who has answered has a thread of which nothing was asked."""
        answered = self.responsive & set(self.threads) or set(self.threads)
        return len(self.fresh) < sum(self.threads[worker] for worker in answered)

    def _failed(self, i: int, error: BaseException) -> None:
        """Look at why a range has no answer; raise, unless it can be asked for again."""
        from distributed import KilledWorker

        if isinstance(error, CancelledError | OSError) or not isinstance(error, Exception):
            raise Lost
        each = self.missing[i]
        if isinstance(error, KilledWorker) and each.killed < KILLED:
            each.killed += 1
            return
        if isinstance(error, KilledWorker):
            self.workers.end(
                f"{each} have taken {KILLED} times several workers down with them: "
                "they may need more memory than a worker has"
            )
        if not isinstance(error, DataError | ClusterError):
            self.workers.end(f"{each}: {type(error).__name__}: {error}")
        self.workers.end(str(error))


def cut(n: int, parts: int) -> list[range]:
    """Cut blocks 0, ..., n - 1 into that many ranges, or n, of lengths that differ by at most one.

    Examples
    --------
    >>> cut(5, 2), cut(2, 3)
    ([range(0, 2), range(2, 5)], [range(0, 1), range(1, 2)])
    """
    parts = min(n, parts)
    return [range(i * n // parts, (i + 1) * n // parts) for i in range(parts)]

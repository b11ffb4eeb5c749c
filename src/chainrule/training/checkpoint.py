"""A training kept in a file while it runs, so that another process can go on with it.

The file is a ``.safetensors`` like the model file: a JSON header and numbers, sealed with a hash;
nothing in it is ever executed.  It holds what the one loop has written down, what the optimizer and
the rules of stopping remember, and fingerprints of all that theta's bits depend on.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from chainrule import kernel
from chainrule.common.checks import warn_user
from chainrule.common.files import clear_litter, read_bytes, reason, write_atomically
from chainrule.common.sealed import checksum
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.engine.examples import Examples
from chainrule.optimize import History, Iterate, State, Step
from chainrule.optimize.loop import Run

FORMAT = 1
KEY = "chainrule checkpoint"  # key of the JSON header in the file's metadata
SHARE = 0.02  # of the time: what writing may take
ENGINES = {"kernel": "the kernel", "numpy": "NumPy"}
OFFERS = 10  # how many times in an interval minibatches offer a state, for an end that comes early
ANEW_OR_ANYWAY = (
    "resume=False begins anew, resume='anyway' goes on all the same, where that can be done"
)
CANNOT_GO_ON = (
    "optimizer={!r} keeps its state to itself and cannot go on from a checkpoint: leave checkpoint "
    "out, or choose one that can, such as 'lbfgs'"
)


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says why and what to type."""


@dataclass(frozen=True)
class Made:
    """What a training was made of: all that the bits of theta depend on.

    Attributes
    ----------
    network, data : str
        The data by a hash of the arrays.
    options : mapping
        What `train` was asked for, in words.
    versions : str
        Of chainrule and NumPy.
    computed : str
        By which engine and which instructions.
    """

    network: str
    data: str
    options: Mapping[str, str]
    versions: str
    computed: str

    __repr__ = summary

    @classmethod
    def of(
        cls, network: object, arrays: Iterable[Array], options: Mapping[str, object], engine: str
    ) -> Made:
        """Return what a training is made of."""
        from chainrule import __version__

        return cls(
            network=described(network),
            data=fingerprint(*arrays),
            options={name: described(value) for name, value in options.items()},
            versions=f"chainrule {__version__}, NumPy {np.__version__}",
            computed=f"{ENGINES.get(engine, engine)} on {kernel.ISA or platform.machine()}",
        )

    def differences(self, then: Made) -> Iterator[str]:
        """Yield in a few words what was otherwise then."""
        if self.network != then.network:
            yield f"another network ({then.network} then, {self.network} now)"
        if self.data != then.data:
            yield "other data"
        for name in {**then.options, **self.options}:
            before, now = then.options.get(name, "none"), self.options.get(name, "none")
            if before != now:
                yield f"another {name} ({before} then, {now} now)"
        for before, now in ((then.versions, self.versions), (then.computed, self.computed)):
            if before != now:
                yield f"{before}, not {now}"


class Prefix(NamedTuple):
    """The first n entries of a list of numbers that goes on; kept as an array."""

    entries: list[float]
    n: int


@dataclass(frozen=True)
class Kept:
    """What is kept of a run: where it stood before the rules were asked about its last step.

    Attributes
    ----------
    n : int
        How many entries the history had.
    last, best : Step or None
    within : State or None
        Where the epoch under way stands.
    rules : mapping
        What each rule remembers, by the rule's name.
    """

    n: int
    last: Step
    best: Step | None
    within: State | None
    rules: Mapping[str, Mapping[str, Any]]

    __repr__ = summary

    @property
    def state(self) -> Any:
        """What the optimizer goes on from."""
        return self.last.state if self.within is None else self.within


class Checkpoint:
    """The keeper of a run: writes it to a file now and then, and at its end.

    Parameters
    ----------
    path : path
    every : float, default=30.0
        Seconds from one writing to the next; more where writing would take over 2 % of the time.
    resume : bool or "anyway", default=True
        Whether to go on from the file, where there is one.  ``"anyway"`` goes on with other data,
        options, versions or instructions, too.
    first : float, default=0.0
        Seconds before which nothing is written, not even at the end.
    otherwise : str, optional
        What the user can do where the file is of another training.
    tell : callable, optional
        ``tell(text)`` for what went wrong, and from where the training goes on.  Default: what went
        wrong is a warning.

    Attributes
    ----------
    notes : dict
        What else is kept, as JSON: the scores of a cross-validation's finished folds.

    Examples
    --------
    >>> import tempfile
    >>> from chainrule import Network, train
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = folder + "/xor.ckpt"
    ...     half = train(Network((2, 4, 1)), X, y, max_iter=10, checkpoint=path)
    ...     whole = train(Network((2, 4, 1)), X, y, max_iter=20, checkpoint=path)
    >>> half.n_iter, whole.n_iter
    (10, 20)
    >>> whole.J == train(Network((2, 4, 1)), X, y, max_iter=20).J
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: float = 30.0,
        resume: bool | str = True,
        *,
        first: float = 0.0,
        tell: Callable[[str], None] | None = None,
        otherwise: str = ANEW_OR_ANYWAY,
    ) -> None:
        seconds: object = every
        if not (isinstance(seconds, Real) and float(seconds) >= 0):
            raise ValueError(f"checkpoint_every must be seconds >= 0, got {every!r}")
        if not (isinstance(resume, bool) or resume == "anyway"):
            raise ValueError(f"resume must be True, False or 'anyway', got {resume!r}")
        self.path = Path(path)
        self.every = float(every)
        self.resume, self.tell, self.otherwise = resume, tell, otherwise
        self.notes: dict[str, Any] = {}
        self._parts: list[Checkpoint] = []
        self._saved: Saved | None = None
        self._read = False
        self._made: Callable[[], Made] | Made | None = None
        self._kept: Kept | None = None
        self._history = History()
        self._written: tuple[Kept | None, str] = (None, "")
        self._began = time.monotonic()
        self._offered = self._began
        self._not_before = self._began + first
        self._next = max(self._began + self.every, self._not_before)
        self._used = 0.0  # seconds, in processes before this one
        self._failed = ""

    def part(self, name: object) -> Checkpoint:
        """Return the checkpoint of one of several trainings: a file of its own beside this."""
        part = Checkpoint(
            f"{self.path}.{name}", self.every, self.resume, tell=self.tell, otherwise=self.otherwise
        )
        part._not_before = self._not_before
        part._next = max(part._next, self._not_before)
        self._parts.append(part)
        return part

    def remove(self) -> None:
        """Remove the file, and those of its parts: what it kept is safe elsewhere."""
        for part in (self, *self._parts):
            with suppress(OSError):
                part.path.unlink(missing_ok=True)

    def read(self) -> None:
        """Read the file, where there is one, and with it what was noted.

        Raises
        ------
        CheckpointError
            If there is a file that is no checkpoint.
        """
        if self._read:
            return
        folder = self.path.absolute().parent
        if not folder.is_dir():
            raise CheckpointError(f"checkpoint {self.path}: there is no folder {folder}")
        if not os.access(folder, os.W_OK):
            self._complain("permission denied")
        clear_litter(self.path)
        if self.path.exists():
            saved = load(self.path)
            if self.resume:
                self._saved, self.notes = saved, saved.notes
        self._read = True

    def open(self, run: Run, made: Callable[[], Made]) -> float:
        """Let a run stand where its file has it; return the seconds that it took up to there.

        Raises
        ------
        CheckpointError
            If there is a file that is no checkpoint, or it is one of another training.
        """
        self.read()
        self._made, saved = made, self._saved
        if saved is None or saved.kept is None or saved.made is None:
            return 0.0
        self._made = made()
        self.refuse_another(self._made, saved.made)
        kept = saved.kept
        with refused(self.path):
            self._restore(run, kept, saved.history)
        self._written = kept, saved.stopped
        self._used = saved.used
        if self.tell is not None:
            what = "epoch" if isinstance(kept.state, State) else "iteration"
            ago = datetime.now(UTC) - saved.date
            where = f"{what} {kept.last.iteration} of {self.path}"
            self.tell(f"going on from {where} ({spoken(ago.total_seconds())} ago)")
        return self._used

    def _restore(self, run: Run, kept: Kept, history: History) -> None:
        """Let a run stand where it was when it was kept; ValueError if that is not this run's."""
        for step in (kept.last, kept.best):
            if step is not None and step.theta.shape != run.start.shape:
                raise ValueError(f"its theta has shape {step.theta.shape}, not {run.start.shape}")
        self._kept, self._history = kept, history
        run.history, run.last, run.best = history, kept.last, kept.best
        for rule in run.rules:
            fresh = remembered(rule)
            for name, value in kept.rules.get(type(rule).__name__, {}).items():
                kind: Any = {dict: dict, type(None): int | None}.get(type(fresh[name]), int | float)
                if not isinstance(value, kind):
                    raise ValueError(f"{name} of {type(rule).__name__} is {value!r}")
                setattr(rule, name, value)

    def refuse_another(self, now: Made, then: Made) -> None:
        """Refuse to go on with another training than that of the file, unless told to."""
        differences = list(now.differences(then))
        if differences and self.resume != "anyway":
            raise CheckpointError(
                f"{self.path} is of a training with {'; '.join(differences)}: {self.otherwise}"
            )

    def note(self, name: str, value: Any) -> None:
        """Keep something else, a value of JSON, and write it down if it is time."""
        self.notes[name] = value
        if time.monotonic() >= self._next:
            self._write("")

    @property
    def state(self) -> Any:
        """What the optimizer goes on from, or None where it begins."""
        return None if self._kept is None else self._kept.state

    def due(self) -> bool:
        """Whether a state within an epoch is wanted now."""
        return time.monotonic() - self._offered >= self.every / OFFERS

    def keep(self, run: Run, step: Step) -> None:
        """Note where the run stands, and write that down if it is time."""
        if step.batch and self._kept is not None:
            self._kept = replace(self._kept, within=step.state)
        elif run.last is not None:
            best = run.best if run.best is run.last or run.best is None else without_state(run.best)
            rules = {type(rule).__name__: remembered(rule) for rule in run.rules}
            if self._kept is None:
                refuse_unkeepable(step.state)
            self._kept = Kept(len(run.history), run.last, best, None, rules)
            self._history = run.history
        self._offered = time.monotonic()
        if self._offered >= self._next:
            self._write("")

    def end(self, run: Run) -> None:
        """Write down where the run ended."""
        stopped = "" if run.ended is None or run.ended.at_once else run.ended.why
        kept, said = self._written
        if self._kept is not None and (self._kept is not kept or stopped != said):
            self.write(stopped)

    def write(self, stopped: str = "") -> None:
        """Write the file now, unless that is too early."""
        if time.monotonic() >= self._not_before or self.path.exists():
            with suppress(KeyboardInterrupt):  # a second one: what was written before is there
                self._write(stopped)

    def _write(self, stopped: str) -> None:
        began = time.monotonic()
        try:
            write_atomically(self.path, self._content(stopped))
            self._written, self._failed = (self._kept, stopped), ""
        except OSError as error:
            self._complain(reason(error))
        except MemoryError:
            self._complain("not enough memory")
        took = time.monotonic() - began
        self._next = time.monotonic() + max(self.every, took / SHARE)

    def _complain(self, why: str) -> None:
        """Say once why the file cannot be written."""
        if why != self._failed:
            self._failed = why
            text = f"{self.path}: the checkpoint cannot be written ({why}); training goes on"
            (self.tell or warn_user)(text)

    def _content(self, stopped: str) -> bytes:
        from safetensors.numpy import save as to_bytes

        if callable(self._made):
            self._made = self._made()
        tensors: dict[str, Array] = {}
        names: dict[int, str] = {}
        past = first_of(self._history, 0 if self._kept is None else self._kept.n)
        header = {
            "format": FORMAT,
            "made": None if self._made is None else asdict(self._made),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "used": self._used + time.monotonic() - self._began,
            "stopped": stopped,
            "kept": encoded(self._kept, tensors, names),
            "history": encoded(past, tensors, names),
            "notes": self.notes,
        }
        text = json.dumps(header)
        return to_bytes(tensors, {KEY: text, "sha256": checksum(text, tensors)})


class InMemory(Checkpoint):
    """The keeper of a run that goes on in this process: it writes no file.

    Given to a second call of `train` with a larger ``max_iter`` and all else as before, it lets
    that call go on where the first one ended, to the same bits as if there had been no end.

    Examples
    --------
    >>> from chainrule import Network, train
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> keeper = InMemory()
    >>> half = train(Network((2, 4, 1)), X, y, max_iter=10, checkpoint=keeper)
    >>> more = train(Network((2, 4, 1)), X, y, max_iter=20, checkpoint=keeper)
    >>> more.history == train(Network((2, 4, 1)), X, y, max_iter=20).history
    True
    """

    def __init__(self) -> None:
        super().__init__("", every=math.inf)
        self._read = True

    def open(self, run: Run, made: Callable[[], Made]) -> float:
        """Let a run stand where the one before it ended."""
        if self._kept is not None:
            self._restore(run, self._kept, deepcopy(self._history))
        return 0.0

    def end(self, run: Run) -> None:
        """Write nothing."""


@dataclass(frozen=True)
class Saved:
    """What a file holds."""

    made: Made | None
    kept: Kept | None
    history: History
    used: float
    date: datetime
    stopped: str
    notes: dict[str, Any]

    __repr__ = summary


def load(path: Path) -> Saved:
    """Return what a file holds, or raise CheckpointError."""
    from safetensors.numpy import load as from_bytes

    with refused(path):
        content = read_bytes(path)
        tensors = from_bytes(content)
        n = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + n]).get("__metadata__", {})
        if KEY not in metadata:
            raise ValueError("it is a .safetensors file, but no checkpoint")
        if checksum(metadata[KEY], tensors) != metadata.get("sha256"):
            raise ValueError("its checksum does not match: it was altered")
        header = json.loads(metadata[KEY])
        if header["format"] != FORMAT:
            raise ValueError(f"its format {header['format']!r} is not {FORMAT}")
        return checked(
            Saved(
                None if header["made"] is None else checked(Made(**header["made"])),
                decoded(header["kept"], tensors),
                history_of(decoded(header["history"], tensors)),
                float(header["used"]),
                datetime.fromisoformat(header["date"]).astimezone(UTC),
                header["stopped"],
                header["notes"],
            )
        )


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Turn what is raised because of a file's contents into a CheckpointError."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        why = f"it is truncated, altered or no .safetensors file ({error})"
    except OSError as error:
        why = reason(error)
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        why = " ".join(str(error).split())
    except RecursionError:
        why = "it is nested too deeply"
    else:
        return
    raise CheckpointError(
        f"{path}: not a checkpoint that can be used ({why}): move it away or name another file"
    )


# What is kept, as JSON and tensors


def encoded(value: Any, tensors: dict[str, Array], names: dict[int, str]) -> Any:
    """Return a value as JSON, its arrays by their names in tensors; an array once, if it is shared.

    Examples
    --------
    >>> theta, tensors = np.array([1.0, 2.0]), {}
    >>> encoded((theta, theta, 0.5), tensors, {}), tensors
    ([{'array': '0'}, {'array': '0'}, 0.5], {'0': array([1., 2.])})
    """
    if isinstance(value, np.ndarray):
        if id(value) not in names:
            names[id(value)] = str(len(names))
            tensors[names[id(value)]] = np.ascontiguousarray(value)
        return {"array": names[id(value)]}
    if isinstance(value, np.generic):  # its dtype decides in what a product is computed
        name = f"scalar {len(tensors)}"
        tensors[name] = np.asarray(value)
        return {"number": name}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Prefix):
        return encoded(np.array(value.entries[: value.n], np.float64), tensors, names)
    if isinstance(value, tuple | list):
        return [encoded(part, tensors, names) for part in value]
    if isinstance(value, Mapping):
        return {"map": {name: encoded(part, tensors, names) for name, part in value.items()}}
    if not is_dataclass(value) or kinds().get(type(value).__name__) is not type(value):
        raise ValueError(
            "a checkpoint keeps numbers, arrays, tuples and subclasses of "
            f"chainrule.optimize.Iterate that are dataclasses of them; {type(value).__name__} is "
            "none: leave checkpoint out"
        )
    parts = {f.name: encoded(getattr(value, f.name), tensors, names) for f in fields(value)}
    return {"is": type(value).__name__, **parts}


def decoded(value: Any, tensors: Mapping[str, Array]) -> Any:
    """Return what was encoded; lists as tuples."""
    if isinstance(value, list):
        return tuple(decoded(part, tensors) for part in value)
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return tensors[value["array"]]
    if "number" in value:
        return tensors[value["number"]][()]
    if "map" in value:
        return {name: decoded(part, tensors) for name, part in value["map"].items()}
    parts = {name: decoded(part, tensors) for name, part in value.items() if name != "is"}
    kind = kinds().get(value["is"])
    if kind is None:
        raise ValueError(f"{value['is']} is the state of an optimizer that is not defined here")
    return checked(kind(**parts))


T = TypeVar("T")


def checked(value: T) -> T:
    """Return a dataclass whose fields are what they are declared to be, or raise ValueError."""
    try:
        hints = get_type_hints(type(value))
    except NameError:  # a user's class may name what only a type checker imports
        return value
    for name, declared in hints.items():
        if not fits(getattr(value, name), declared):
            raise ValueError(f"{name} of {type(value).__name__} is no {declared}")
    return value


def fits(value: object, declared: Any) -> bool:
    """Whether a value is what an annotation says.

    Examples
    --------
    >>> fits(1, float), fits("1", float), fits((1.0, 2.0), tuple[float, ...])
    (True, False, True)
    """
    kind, parts = get_origin(declared) or declared, get_args(declared)
    if kind is Any:
        return True
    if kind in (Union, UnionType):
        return any(fits(value, part) for part in parts)
    if kind in (int, float):
        number = isinstance(value, Integral if kind is int else Real)
        huge = isinstance(value, int) and abs(value) >> 63
        return number and not huge and not isinstance(value, bool)
    if kind is list:  # which is kept as a tuple
        kind, parts = tuple, (*parts, ...)
    if not isinstance(value, kind):
        return False
    if isinstance(value, tuple):
        of = parts[:1] * len(value) if parts[-1] is ... else parts
        return len(of) == len(value) and all(map(fits, value, of))
    if isinstance(value, Mapping):
        return all(fits(k, parts[0]) and fits(v, parts[1]) for k, v in value.items())
    return True


def kinds() -> dict[str, type[Any]]:
    """Return the classes that may be kept, by name: those that this process knows."""
    known: list[type[Any]] = [Kept, Step, State, Iterate]
    for kind in known:
        known += [below for below in kind.__subclasses__() if below not in known]
    return {kind.__name__: kind for kind in known}


def refuse_unkeepable(state: object) -> None:
    """Refuse, at the start, an optimizer whose state a checkpoint cannot keep."""
    if state is None:
        raise ValueError("this optimizer's steps have no state to go on from: leave checkpoint out")
    encoded(state, {}, {})


def first_of(history: History, n: int) -> dict[str, Any]:
    """Return the first n entries of a history."""
    lists = {"J": history.J, "gradient_norm": history.gradient_norm, "J_val": history.J_val}
    extra = {name: Prefix(entries, n) for name, entries in history.extra.items()}
    return {**{name: Prefix(entries, n) for name, entries in lists.items()}, "extra": extra}


def history_of(arrays: Mapping[str, Any]) -> History:
    """Return a history that can grow."""
    extra = {name: numbers_of(entries) for name, entries in arrays["extra"].items()}
    J, norm, J_val = (numbers_of(arrays[name]) for name in ("J", "gradient_norm", "J_val"))
    if len(J) != len(norm):
        raise ValueError(f"its history has {len(J)} costs and {len(norm)} gradients")
    return History(J, norm, J_val, extra)


def numbers_of(entries: Array) -> list[float]:
    """Return the list that an array was."""
    if entries.ndim != 1 or entries.dtype != np.float64:
        raise ValueError(f"its history has {entries.dtype} of shape {entries.shape}")
    return list(entries.tolist())


def without_state(step: Step) -> Step:
    """Return a step without what the optimizer remembers there, which can be large."""
    return replace(step, state=None)


def remembered(rule: object) -> dict[str, Any]:
    """Return what a rule of stopping knows of the steps before."""
    return {name: getattr(rule, name) for name in getattr(rule, "remembers", ())}


# Fingerprints


def described(value: object) -> str:
    """Return a value in words that are the same in each process.

    Examples
    --------
    >>> described(1.0), described(np.float32(0.5)), described((2, 0.5)), described(len)
    ('1', '0.5', '(2, 0.5)', '<built-in function len>')
    """
    if isinstance(value, str | Integral | np.bool_):
        return str(value)
    if isinstance(value, Real):
        return repr(float(value)).removesuffix(".0")
    if isinstance(value, list | tuple | np.ndarray):
        return f"({', '.join(described(part) for part in value)})"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def fingerprint(*arrays: Array) -> str:
    """Return the SHA-256 of arrays, their dtypes and shapes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def arrays_of(*parts: Examples | None) -> Iterator[Array]:
    """Yield all that is known of some examples, as arrays."""
    for rows in parts:
        if rows is not None:
            yield from rows.content()


def spoken(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> spoken(7), spoken(130), spoken(7260), spoken(200000)
    ('7 s', '2 min 10 s', '2 h 1 min', '2 d 7 h')
    """
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    left = max(int(seconds), 0)
    said: list[str] = []
    for unit, size in units:
        count, left = divmod(left, size)
        if count or (unit == "s" and not said):
            said.append(f"{count} {unit}")
    return " ".join(said[:2])

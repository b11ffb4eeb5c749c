"""What the page can train on, and with which settings: data by name, the reader's own tables."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple

from chainrule import datasets
from chainrule.datasets import Dataset
from chainrule.datasets.formats import local_mnist
from chainrule.web import apart
from chainrule.web.asked import NamedFile
from chainrule.workbench.pipeline import network_for, true_values
from chainrule.workbench.request import HIDDEN, Request

MOST_WEIGHTS = 20_000_000
MOST_LAYERS, MOST_UNITS = 20, 20_000
MOST_NAMES, LONGEST = 1000, 200  # columns that are named, and characters of a name
MOST_ITERATIONS = 1_000_000
TABLES = 4  # of the reader's own that are kept
LOADED = 3  # data sets that are kept as they were read
# What each data set is trained with at first: settings under which it goes well
DATA: Mapping[str, Mapping[str, Any]] = {
    "digits": {"hidden": [25], "activation": "sigmoid", "lam": 1.0, "optimizer": "lbfgs"},
    "mnist": {
        "hidden": [100], "activation": "relu", "output": "softmax", "lam": 1.0,
        "optimizer": "adam", "max_iter": 10,
    },
    "xor": {"hidden": [4], "activation": "tanh", "lam": 0.0, "optimizer": "lbfgs"},
    "moons": {"hidden": [8], "activation": "tanh", "lam": 0.01, "optimizer": "lbfgs"},
    "ring": {"hidden": [8], "activation": "tanh", "lam": 0.01, "optimizer": "lbfgs"},
    "spiral": {
        "hidden": [16, 16], "activation": "tanh", "lam": 0.01, "optimizer": "lbfgs",
        "max_iter": 300,
    },
    "sine": {"hidden": [10], "activation": "tanh", "optimizer": "br"},
    "bend": {"hidden": [10], "activation": "tanh", "optimizer": "br"},
}  # fmt: skip


# Settings that show something: by name those that go beside the data's own
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "works": {"data": "moons"},
    "diverges": {"data": "sine", "optimizer": "sgd", "learning_rate": 3.0, "lam": 0.0},
    "dead units": {
        "data": "moons", "activation": "relu", "optimizer": "sgd", "learning_rate": 10.0,
        "lam": 0.0,
    },
    "zero start": {"data": "digits", "hidden": [16], "start": "zero"},
}  # fmt: skip


class Problem(NamedTuple):
    """What is to be trained on, and how."""

    name: str
    request: Request
    data: Dataset
    zero: bool = False
    settings: Mapping[str, Any] = MappingProxyType({})


class Problems:
    """The reader's own tables, and the data sets that were read last.

    Runs with the same data share them.
    """

    def __init__(self) -> None:
        self._tables: OrderedDict[int, tuple[str, bytes]] = OrderedDict()
        self._loaded: OrderedDict[tuple[Any, ...], Future[Dataset]] = OrderedDict()
        self._numbers = count(1)
        self._lock = threading.Lock()

    def add(self, file: NamedFile) -> int:
        """Keep a table; return its number."""
        number = next(self._numbers)
        with self._lock:
            self._tables[number] = file.name, file.getvalue()
            while len(self._tables) > TABLES:
                self._tables.popitem(last=False)
        return number

    def problem(self, settings: Mapping[str, Any]) -> Problem:
        """Return what some settings of the page ask for, or raise ValueError.

        Examples
        --------
        >>> problem = Problems().problem({"data": "digits", "hidden": [8], "lam": 0.5})
        >>> problem.request.hidden, len(problem.data)
        ((8,), 1797)
        """
        values = dict(settings)
        zero = checked("start", values.pop("start", "random"), choice("random", "zero")) == "zero"
        name, source = self._source(values.pop("data", None), values.pop("table", None))
        refuse_unknown(values)
        given = {field: checked(field, value, FIELDS[field]) for field, value in values.items()}
        request = Request(source, **given)
        options = {field: value for field, value in given.items() if field in READING}
        return Problem(name, request, self._read(source, options, settings), zero, settings)

    def _read(
        self, source: str | NamedFile, options: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> Dataset:
        key = (settings.get("table", source), *map(options.get, READING))
        with self._lock:
            data = self._loaded.get(key)
            first = data is None
            if data is None:
                data = self._loaded[key] = Future()
            self._loaded.move_to_end(key)
            while len(self._loaded) > LOADED:
                self._loaded.popitem(last=False)
        if first:
            try:
                data.set_result(
                    datasets.load(source, **options)
                    if isinstance(source, str)
                    else apart.load(source, options)
                )
            except BaseException as error:
                data.set_exception(error)
                with self._lock:
                    if self._loaded.get(key) is data:
                        del self._loaded[key]
        return data.result()  # who asks for the same at the same time waits for it

    def _source(self, data: Any, table: Any) -> tuple[str, str | NamedFile]:
        if table is None:
            name = checked("data", data, choice(*names()))
            return name, name
        kept = self._tables.get(checked("table", table, whole(1, 2**31)))
        if kept is None:
            raise ValueError(f"only the last {TABLES} tables are kept: give this one again")
        stream = NamedFile(kept[1])
        stream.name = kept[0]
        return kept[0], stream


def names() -> list[str]:
    """Return the names of the data sets that are there."""
    return [name for name in DATA if name != "mnist" or local_mnist() is not None]


def refuse_unknown(values: Mapping[str, Any]) -> None:
    """Raise ValueError for a setting that there is none of."""
    unknown = next((name for name in values if name not in FIELDS), None)
    if unknown is not None:
        raise ValueError(f"there is no setting {unknown[:40]!r}")


def refuse_large(problem: Problem) -> None:
    """Raise ValueError for a network that is too large for the page."""
    request, data = problem.request, problem.data
    network = network_for(
        request, data.X, true_values(data), data.classes, request.hidden or HIDDEN
    )
    if network.size > MOST_WEIGHTS:
        raise ValueError(
            f"this network has {network.size:,} weights, and the page trains at most "
            f"{MOST_WEIGHTS:,}: give hidden fewer units, or type chainrule train in a terminal"
        )


# The settings: names of Request's fields, and what they may be

Parser = Callable[[Any], Any]


def checked(name: str, value: Any, parse: Parser) -> Any:
    """Return a setting as the library takes it, or raise ValueError that names it."""
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError(f"{name} must be {error}") from None


def whole(low: int, high: int) -> Parser:
    """Take a whole number."""

    def parse(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a whole number from {low:,} to {high:,}")
        return value

    return parse


def real(low: float, high: float) -> Parser:
    """Take a number."""

    def parse(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return float(value)

    return parse


def choice(*choices: str) -> Parser:
    """Take one of a few names."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return parse


def text(value: Any) -> str:
    """Take a name; the library says whether there is such a one."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        raise ValueError(f"a name of at most {LONGEST} characters")
    return value


def flag(value: Any) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def several(parse: Parser, most: int) -> Parser:
    """Take a list."""

    def parse_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"a list of at most {most:,}")
        return tuple(map(parse, value))

    return parse_all


def one_or_several(parse: Parser, most: int) -> Parser:
    """Take a value, or a list of them."""
    parse_all = several(parse, most)
    return lambda value: parse_all(value) if isinstance(value, list) else parse(value)


SHARE = real(0, 1)
NAMES = several(text, MOST_NAMES)
READING: Mapping[str, Parser] = {
    "target": one_or_several(text, MOST_NAMES),
    "drop": NAMES,
    "missing": choice("mean", "drop", "category"),
    "kind": choice("classes", "numbers"),
    "header": flag,
    "encoding": text,
    "na": NAMES,
    "keep": NAMES,
}
FIELDS: Mapping[str, Parser] = {
    **READING,
    "test_size": SHARE,
    "hidden": several(whole(1, MOST_UNITS), MOST_LAYERS),
    "activation": one_or_several(text, MOST_LAYERS),
    "output": text,
    "scale": flag,
    "lam": real(0, 1e12),
    "optimizer": text,
    "max_iter": whole(0, MOST_ITERATIONS),
    "learning_rate": real(0, 1e12),
    "batch_size": whole(1, 10**9),
    "dropout": one_or_several(SHARE, MOST_LAYERS + 1),
    "patience": whole(1, MOST_ITERATIONS),
    "validation": SHARE,
    "seed": whole(0, 2**31),
}

"""No repr of a dataclass fills a screen."""

import dataclasses
import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest

import chainrule
from chainrule import Network, random_theta, trace, train
from chainrule.common.shown import LINES, brief, summary
from chainrule.datasets import load

NOT_PUBLIC = ("commands", "diagnosis", "web", "workbench", "kernel")
MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(chainrule.__path__, "chainrule.")
    if module.name.split(".")[1] not in NOT_PUBLIC
]
CLASSES = {
    f"{module.__name__}.{name}": found
    for module in MODULES
    for name, found in vars(module).items()
    if inspect.isclass(found)
    and dataclasses.is_dataclass(found)
    and found.__module__ == module.__name__
}
LARGE = {  # what a field may hold, by a word of its type; the first that fits
    "dict": {f"name {i}": np.zeros(1000) for i in range(1000)},
    "Mapping": {f"name {i}": np.zeros(1000) for i in range(1000)},
    "list": [np.zeros((1000, 50))] * 1000,
    "tuple": tuple(map(float, range(5000))),
    "Sequence": tuple(map(float, range(5000))),
    "Array": np.zeros((1000, 50)),
    "Callable": np.tanh,
    "str": "a word " * 1000,
    "int": 7**20,
    "float": 1 / 3,
    "bool": True,
}


def filled(one):
    """Return an instance of a class whose fields hold thousands of values."""
    made = object.__new__(one)
    for field in dataclasses.fields(one):
        fits = [value for word, value in LARGE.items() if word in field.type]
        object.__setattr__(made, field.name, (fits or [np.zeros((1000, 50))])[0])
    return made


@pytest.mark.parametrize("name", CLASSES)
def test_a_repr_has_one_to_four_lines(name):
    made = filled(CLASSES[name])
    if CLASSES[name].__repr__ is not summary:  # what has no room for much tells all
        shown = [field.type for field in dataclasses.fields(made) if field.repr]
        large = re.search("Array|list", re.sub(r"Callable\[.*\]", "", " ".join(shown)))
        assert not large, f"{name} needs __repr__ = summary"
        return
    shown = repr(made)
    assert shown.startswith(f"{CLASSES[name].__name__}(")
    assert shown.count("\n") < LINES
    assert len(shown) < 1000


def test_what_people_meet_at_a_prompt():
    network = Network((2, 30, 1))
    X, y = [[0.0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    result = train(network, X, y, max_iter=3)
    history = f"History(J={brief(result.history.J)}, gradient_norm={brief(result.history.J)})"
    assert " ".join(repr(result).split()) == (
        f"Result(theta=<float64 121>, J={result.J!r}, history={history}, n_iter={result.n_iter}, "
        f"n_eval={result.n_eval}, stopped={result.stopped!r}, converged=False, "
        "state=<QuasiNewton>)"
    )
    shown = repr(trace(network, random_theta(network), X[1], 1))
    assert shown.startswith("Trace(network=Network(layers=(2, 30, 1), hidden='sigmoid', ")
    assert "Delta=[<float64 30 x 3>, <float64 1 x 31>]" in shown
    assert repr(load("digits")).startswith(
        "Dataset(X=<float64 1797 x 64>, Y=<int64 1797>, encoder=<Encoder>, source='digits',"
    )


def test_a_repr_without_much_in_it_tells_all():
    @dataclasses.dataclass
    class Small:
        a: int
        b: object = None
        c: str = "c"
        d: list = dataclasses.field(default_factory=list)
        e: int = dataclasses.field(default=1, repr=False)

        __repr__ = summary

    assert repr(Small(1)) == "Small(a=1)"
    assert repr(Small(1, 2, "x\n", [0.5], 3)) == r"Small(a=1, b=2, c='x\n', d=[0.5])"
    assert repr(Small(1, np.array([1, 2]), d=[(1,)])) == "Small(a=1, b=array([1, 2]), d=[(1,)])"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.float64(0.1), "np.float64(0.1)"),
        (np.zeros((0, 3)), "array([], shape=(0, 3), dtype=float64)"),
        ([[0.0] * 100] * 2, "[<100 values>, <100 values>]"),
        ({"a": np.zeros(99)}, "{'a': <float64 99>}"),
        (["long " * 20] * 5, "<5 values>"),
        (set(range(9)), "<9 values>"),
        (np.tanh, "<tanh>"),
        (object, "<object>"),
    ],
)
def test_values_told_in_few_words(value, shown):
    assert brief(value) == shown

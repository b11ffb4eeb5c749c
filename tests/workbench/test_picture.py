"""Which pictures a training gets."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest

from chainrule.workbench import picture
from chainrule.workbench.pipeline import run
from chainrule.workbench.request import Request


class Silence:
    """A Telling that says nothing."""

    def step(self, *said): ...
    def note(self, *said, **more): ...
    def iteration(self, *said): ...


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def outcome_of(y, **asked):
    """Train on as many inputs as asked for, in no time."""
    X = np.random.default_rng(0).normal(size=(len(y), asked.pop("inputs", 1)))
    names = ["x1", "x2", "x3"][: X.shape[1]]
    rows = [",".join([*map(str, row), str(value)]) for row, value in zip(X, y, strict=True)]
    source = io.BytesIO("\n".join([",".join([*names, "y"]), *rows]).encode())
    return run(Request(source, hidden=(2,), max_iter=2, **asked), Silence())


def titles(outcome):
    return [ax.get_title() for ax in picture.page(outcome, "net").axes]


NUMBERS, CLASSES = np.arange(60) ** 1.5, np.resize(["no", "yes"], 60)
ERRORS = ["Predicted against true y", "Errors"]


@pytest.mark.parametrize(
    ("y", "inputs", "panels"),
    [
        (NUMBERS, 3, [*ERRORS, "Error histogram"]),
        (NUMBERS, 1, [*ERRORS, "Training set and predicted curve", "Error histogram"]),
        (CLASSES, 2, ["Confusion matrix", "Decision regions"]),
        (CLASSES, 3, ["Confusion matrix"]),
    ],
)
def test_the_panels_are_those_that_the_network_allows(y, inputs, panels):
    assert titles(outcome_of(y, inputs=inputs)) == ["Training curve", *panels]


def test_the_title_names_the_network_and_its_score():
    outcome = outcome_of(CLASSES, test_size=0)
    title = picture.page(outcome, "net").get_suptitle()
    assert title.startswith("net, 1-2-1: ")
    assert title.endswith("% right (60 examples trained on)")


def test_only_an_optimizer_that_tells_more_has_a_second_picture():
    assert picture.state(outcome_of(NUMBERS)) is None
    names = [ax.get_ylabel() for ax in picture.state(outcome_of(NUMBERS, optimizer="br")).axes]
    assert names == ["J", "gradient norm", "damping", "lam", "effective parameters"]

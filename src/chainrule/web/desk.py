"""What lies open on the page: networks, photos, data and trainings, code of the reader's own."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import PurePath

import numpy as np

from chainrule.common.types import Array
from chainrule.driving.driver import Driver, at_wheel
from chainrule.handwriting.reading import Reading, reads_digits
from chainrule.model_file import Model
from chainrule.notes.backprop import forward
from chainrule.notes.gradient_report import GradientReport
from chainrule.web.own_code import OwnCode
from chainrule.web.problems import Problems
from chainrule.web.runs import Runs

KEPT = 4  # photos whose marks can still be clicked


@dataclass(frozen=True, eq=False)
class Opened:
    """A model and the name that the page shows for it."""

    model: Model
    name: str

    @cached_property
    def theta(self) -> Array:
        """The weights in float64, so that the terms of a sum add up to the last digit shown."""
        return self.model.theta.astype(np.float64)

    def activations(self, x: Array) -> list[Array]:
        """Return a(1), ..., a(L) of one example that is not standardised yet."""
        return [a_l[0] for a_l in self.layers(np.asarray(x).reshape(1, -1))]

    def layers(self, X: Array) -> list[Array]:
        """Return a(1), ..., a(L) of examples that are not standardised yet, of shape (m, s_l)."""
        X = np.asarray(X, np.float64)
        scaling = self.model.scaling
        return forward(self.model.network, self.theta, scaling.apply(X) if scaling else X)[0]


@dataclass
class Desk:
    """All that the server remembers between two requests.

    Attributes
    ----------
    opened : Opened
        Replaced as a whole, so that each answer is of one model.
    base : Opened
        The model as it was opened, before the reader taught it anything.
    driver : Driver or None
        The reader's own, in place of the one that is shipped.
    driver_name : str
        Its file's.
    own : list of (x, y)
        What the reader taught.
    rehearsed : ndarray or None
        Drawings whose readings are to stay as they are, once they are made.
    teaching : Lock
        Held while the network learns or forgets.
    photos : OrderedDict of int to Reading
        The last `KEPT`, by number.
    numbers : iterator of int
        Those of the photos to come.
    problems : Problems
        What can be trained on.
    runs : Runs
        The trainings.
    listeners : int
        How many streams tell of them.
    own_code : OwnCode or None
        A file of the reader's own that is checked.
    report : GradientReport or None
        What a check in a notebook found.
    checking : int
        How many streams check it.
    closing : Event
        Set where the server ends, so that streams end, too.
    """

    opened: Opened
    base: Opened = field(init=False)
    driver: Driver | None = None
    driver_name: str = ""
    own: list[tuple[Array, int]] = field(default_factory=list)
    rehearsed: Array | None = None
    teaching: threading.Lock = field(default_factory=threading.Lock)
    photos: OrderedDict[int, Reading] = field(default_factory=OrderedDict)
    numbers: count[int] = field(default_factory=lambda: count(1))
    problems: Problems = field(default_factory=Problems)
    runs: Runs = field(default_factory=Runs)
    listeners: int = 0
    own_code: OwnCode | None = None
    report: GradientReport | None = None
    checking: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.base = self.opened

    @property
    def reader(self) -> Opened:
        """The network that is open, where it reads pictures of digits."""
        if not reads_digits(self.opened.model):
            raise ValueError(
                f"{self.opened.name} reads no pictures of digits: see it in the view Step, or open "
                "a model that does"
            )
        return self.opened

    def lay(self, model: Model, name: str) -> str:
        """Put a model on the desk; return the view that shows it."""
        driver = at_wheel(model)
        if driver is None:
            self.open(Opened(model, name))
            return "draw" if reads_digits(model) else "step&case=open"
        if driver.network.L != 3:
            raise ValueError(f"{name}: the view Drive shows networks of one hidden layer")
        self.driver, self.driver_name = driver, PurePath(name).name
        return "drive"

    def open(self, opened: Opened) -> None:
        """Put another model in the place of the one that is open."""
        self.base = self.opened = opened
        self.own = []

    def keep(self, reading: Reading, number: int | None = None) -> int:
        """Remember a photo, or another reading of one that is remembered; return its number."""
        number = number or next(self.numbers)
        self.photos[number] = reading
        while len(self.photos) > KEPT:
            self.photos.popitem(last=False)
        return number

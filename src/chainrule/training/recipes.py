"""Trainings that are known to go well on MNIST, each a name for all of its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.datasets.distortions import Distortion


@dataclass(frozen=True)
class Recipe:
    """What a training needs besides the data.

    Attributes
    ----------
    what : str
        A line that says what it is.
    hidden : tuple of int
        Units of the hidden layers, relu; the output is softmax.
    epochs : int
    rate : float
        Learning rate of the first epoch; it falls linearly towards 0.
    lam : float, default=0.0
        lambda.
    more : mapping
        More arguments of `chainrule.train`.

    Examples
    --------
    >>> recipe = Recipe("short", (10,), epochs=4, rate=0.1)
    >>> [round(recipe.learning_rate(epoch), 3) for epoch in range(4)]
    [0.1, 0.075, 0.05, 0.025]
    """

    what: str
    hidden: tuple[int, ...]
    epochs: int
    rate: float = 0.001
    lam: float = 0.0
    more: Mapping[str, Any] = field(default_factory=dict)

    def learning_rate(self, epoch: int) -> float:
        """Return alpha in an epoch, counted from 0."""
        return self.rate * (1 - epoch / self.epochs)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `chainrule.train`, all but network, X, Y, lam and seed."""
        rate: Callable[[int], float] = self.learning_rate
        common = {"optimizer": "adam", "learning_rate": rate, "max_iter": self.epochs}
        return {**common, "patience": None, "dtype": "float32", **self.more}


DROPOUT = {"dropout": (0.2, 0.5, 0.5), "max_norm": 3.0}
RECIPES = {
    "plain": Recipe("two wide layers, no dropout, no distortion", (800, 800), epochs=20, lam=2.0),
    "dropout": Recipe(
        "dropout and bounded weights, no distortion", (2000, 2000), epochs=100, more=DROPOUT
    ),
    "distorted": Recipe(
        "pictures turned, scaled, slanted and bent anew in each epoch",
        (1000, 500),
        epochs=150,
        rate=0.1,
        more={
            "optimizer": "sgd",
            "batch_size": 100,
            "distort": Distortion(turn=0.13, slant=0.13, scale=0.1, move=0.8, bend=1.2),
        },
    ),
    "photos": Recipe(
        "for photos: evened strokes, drawn digits, things that are no digits, distorted",
        (400, 100),
        epochs=30,
        more={
            "distort": Distortion(0.1, 0.13, 0.1, 0.8, 1.0, thicken=0.4),
            "dropout": (0.05, 0.1, 0.0),
        },
    ),
}

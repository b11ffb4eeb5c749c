"""Laps on tracks that nobody has seen, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.common.types import Array
from chainrule.driving import retina
from chainrule.driving.driver import Driver
from chainrule.driving.game import HALF_WIDTH, LOOKS_EVERY, Orders, Race
from chainrule.driving.teacher import Line, Teacher
from chainrule.engine.cores import in_processes

Look = Callable[[Array, Race, Orders, Orders], None]
"""Called where the network looks: with the frame, the race, the teacher's orders and its own."""


@dataclass(frozen=True)
class Lap:
    """How a lap went.

    Attributes
    ----------
    seed : int
        Of the track.
    score : float
        The game's.
    completed : bool
        Whether the car got round in time, over at least 95 % of the tiles.
    lateral_mean, lateral_p95 : float
        The distance between the car and the middle of the road: the mean over all frames, and the
        95th percentile; in half widths of the road, so that 1 is its edge.
    """

    seed: int
    score: float
    completed: bool
    lateral_mean: float
    lateral_p95: float


def drive(driver: Driver | None, seed: int, look: Look | None = None) -> Lap:
    """Drive a lap.

    Parameters
    ----------
    driver : Driver or None
        A network, which sees nothing but the frames; None lets the teacher drive.
    seed : int
        Of the track.
    look : callable, optional
        Called at each look of the network, for an onlooker.

    Returns
    -------
    Lap
    """
    race = Race(seed)
    teacher, middle = Teacher(race), Line(race.track)
    along, lateral = None, []
    while not race.done:
        if driver is None:
            orders, speed = teacher(), race.speed
        elif race.frames % LOOKS_EVERY == 0:
            frame = race.frame()
            orders, speed = driver(frame, race.frames), retina.speed(frame)
            if look is not None:
                look(frame, race, teacher(), orders)
        race.step(orders, speed)
        along, right = middle.locate(race.position, along)
        lateral.append(abs(right) / HALF_WIDTH)
    mean, p95 = float(np.mean(lateral)), float(np.percentile(lateral, 95))
    return Lap(seed, race.score, race.completed, mean, p95)


def drive_all(
    driver: Driver | None, seeds: Iterable[int], workers: int | None = None
) -> Iterator[Lap]:
    """Drive many laps at the same time, on all cores.

    Parameters
    ----------
    driver : Driver or None
    seeds : iterable of int
    workers : int, optional
        Default: the cores this process may use.

    Yields
    ------
    Lap
        In the order of the seeds, as they come in.
    """
    yield from in_processes(drive, ((driver, seed) for seed in seeds), workers)

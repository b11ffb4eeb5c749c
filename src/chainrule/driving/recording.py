"""A lap that is kept: what the retina saw, and what the network and the teacher ordered.

So a network can be watched at work, and other networks can look at the same road, without the game.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Any, BinaryIO

import numpy as np

from chainrule.common.files import write_whole
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.driving import driver as drivers
from chainrule.driving import retina
from chainrule.driving.driver import Driver
from chainrule.driving.game import Orders, Race
from chainrule.driving.laps import drive

LEVELS = 2 * retina.GRASS  # steps from road, or grass, to halfway between the two


@dataclass(frozen=True, eq=False)
class Recording:
    """A lap, look by look.

    Attributes
    ----------
    track : int
        Its seed.
    grass : ndarray of shape (n, 960), uint16
        How much grass each receptor saw at each look: from 0, road, to 400.
    orders : ndarray of shape (n, 2), float64
        The steering and the speed that the network ordered.
    teacher : ndarray of shape (n, 2), float64
        Those that the teacher would have ordered there.
    """

    track: int
    grass: Array
    orders: Array
    teacher: Array

    __repr__ = summary

    @property
    def images(self) -> Array:
        """What the retina saw, to the bit, of shape (n, 960): -1 for grass, 1 for road."""
        return 1 - self.grass.astype(np.float32) / LEVELS


def record(driver: Driver, track: int) -> Recording:
    """Let a network drive a lap, and keep it.

    Parameters
    ----------
    driver : Driver
    track : int
        Seed of the track.

    Returns
    -------
    Recording

    Raises
    ------
    NotInstalledError
        If the simulator is not installed.
    """
    looks: list[tuple[Array, Orders, Orders]] = []

    def look(frame: Array, race: Race, teacher: Orders, orders: Orders) -> None:
        looks.append((retina.see(frame, race.frames), orders, teacher))

    drive(driver, track, look)
    images, orders, teacher = zip(*looks, strict=True)
    grass = np.rint(LEVELS * (1 - np.stack(images))).astype(np.uint16)
    own, his = (np.array([[o.steering, o.speed] for o in given]) for given in (orders, teacher))
    return Recording(track, grass, own, his)


def save(path: str | os.PathLike[str], recording: Recording) -> None:
    """Write a lap to a file, an .npz."""

    def write(file: BinaryIO) -> None:
        arrays: dict[str, Any] = asdict(recording)
        np.savez_compressed(file, **arrays)

    write_whole(path, write)


def load(path: str | os.PathLike[str]) -> Recording:
    """Read a lap from a file that `save` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        lap = {name: arrays[name] for name in ("grass", "orders", "teacher")}
        return Recording(int(arrays["track"]), **lap)


@cache
def shipped() -> tuple[Driver, Recording]:
    """Return the driver that comes with the library, and a lap of its; docs/driving.md has how.

    Examples
    --------
    >>> driver, lap = shipped()
    >>> driver.network.layers, lap.images.shape[1]
    ((960, 4, 60), 960)
    """
    data = files("chainrule") / "data"
    with as_file(data / "alvinn.safetensors") as model, as_file(data / "lap.npz") as lap:
        return drivers.load(model), load(lap)

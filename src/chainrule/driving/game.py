"""The road: Gymnasium's CarRacing-v3, a car on a random track, seen from above.

The game draws every frame, which takes a hundred times as long as the physics; `Race` lets it draw
only the frames that somebody looks at, and only the parts of the ground that are in view.  What it
then draws is the game's own frame, pixel by pixel.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from chainrule.common.types import Array

FRAMES_A_SECOND = 50
LOOKS_EVERY = 2  # frames from one look and decision of a driver to the next: 25 looks a second
MOST_FRAMES = 1000  # a lap's limit, as registered in Gymnasium
HALF_WIDTH = 40 / 6  # of the road, in the game's units of length
LOCK = 0.4  # the front wheels' largest angle, in radians
PLAYFIELD = 2000 / 6  # from the middle of the world to its border
PATCH = PLAYFIELD / 20  # side of a patch of brighter grass
WINDOW = (1000, 800)  # in pixels, which the game then shrinks to 96x96

# Tuned with the teacher's, on the tracks 1 to 40
GAS, BRAKE = 0.11, 0.1  # for each unit of speed that is missing, or too much
MOST_BRAKE = 0.42  # the wheels do not lock
NOT_INSTALLED = "driving needs the simulator: pip install 'gymnasium[box2d]'"


class NotInstalledError(ValueError):
    """The simulator is not installed; the text says what to install."""


@dataclass(frozen=True)
class Orders:
    """What a driver wants: an angle of the front wheels and a speed.

    Parameters
    ----------
    steering : float
        In radians, to the right positive; the wheels turn as far as 0.4.
    speed : float
        In units of length a second.  The road is 13.3 units wide.
    """

    steering: float
    speed: float


def pedals(orders: Orders, speed: float) -> tuple[float, float]:
    """Return the gas and the brake that bring the car to the wanted speed without skidding.

    Parameters
    ----------
    orders : Orders
    speed : float
        The car's.

    Returns
    -------
    gas, brake : float
        From 0 to 1.

    Notes
    -----
    The engine's power is constant, so its force is larger where the car is slower: the wheels spin
    above ``0.03 + 0.01 speed`` of the gas.  A wheel that steers has less grip left for it.

    Examples
    --------
    >>> gas, brake = pedals(Orders(steering=0.0, speed=60.0), speed=20.0)
    >>> round(gas, 2), brake
    (0.23, 0.0)
    >>> pedals(Orders(steering=0.0, speed=60.0), speed=80.0)
    (0.0, 0.42)
    """
    missing = orders.speed - speed
    grip = 1 - 0.53 * min(1.0, abs(orders.steering) / LOCK)
    gas = min(1.0, max(0.0, GAS * missing), (0.03 + 0.01 * speed) * grip)
    return gas, min(MOST_BRAKE, max(0.0, BRAKE * (-missing - 1)))


class Race:
    """A lap on a random track.

    Parameters
    ----------
    seed : int
        Seed of the track.

    Attributes
    ----------
    frames : int
        Frames that have passed; 50 are a second.
    score : float
        The game's: 1000 shared among the tiles of the road, minus 0.1 a frame.
    done, completed : bool
        Whether the lap has ended; whether the car got round it in time, over 95 % of the tiles.
    track : ndarray of shape (n, 2)
        The middle of the road, for a teacher.

    Raises
    ------
    NotInstalledError
        If Gymnasium or its simulator of physics is not installed.
    """

    def __init__(self, seed: int) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # A window would make the process, and its children, deaf to SIGTERM
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")
        try:
            import gymnasium

            env: Any = gymnasium.make("CarRacing-v3")
        except ImportError as error:  # Gymnasium's own error of a missing Box2D is one too
            raise NotInstalledError(NOT_INSTALLED) from error
        self._env = env.unwrapped
        self._draw = self._env._render
        self._env._render = self._look_away
        self._env._render_road = self._render_ground
        self._env.reset(seed=seed)
        self.frames, self.score, self.done, self.completed = 0, 0.0, False, False
        self.track = np.array(self._env.track)[:, 2:]
        self._ground = _ground(self._env)
        self._middles = np.array([np.mean(shape, axis=0) for shape, _ in self._ground[1:]])

    def step(self, orders: Orders, speed: float) -> None:
        """Let a frame pass.

        Parameters
        ----------
        orders : Orders
        speed : float
            The car's, as far as the driver knows it.
        """
        action = np.clip([orders.steering, *pedals(orders, speed)], (-1, 0, 0), 1)
        _, reward, ended, _, info = self._env.step(action)
        self.frames += 1
        self.score += float(reward)
        self.completed = bool(info.get("lap_finished", False))
        self.done = ended or self.frames == MOST_FRAMES

    @property
    def position(self) -> Array:
        """The middle of the car, of shape (2,)."""
        return np.array(self._env.car.hull.position)

    @property
    def heading(self) -> float:
        """The car's angle in radians: 0 is along the second axis, to the left positive."""
        return float(self._env.car.hull.angle)

    @property
    def speed(self) -> float:
        """The car's true speed, in units of length a second."""
        return math.hypot(*self._env.car.hull.linearVelocity)

    def frame(self, mode: str = "state_pixels") -> Array:
        """Return what the game shows now.

        Parameters
        ----------
        mode : {"state_pixels", "rgb_array", "human"}, default="state_pixels"
            96x96 pixels, or 400x600 with skid marks, or a window on the screen.

        Returns
        -------
        ndarray of shape (96, 96, 3) or (400, 600, 3), uint8
        """
        after, self._env.reward = self._env.reward, self._shown_score
        frame = self._draw(mode)
        self._env.reward = after
        return cast(Array, frame)

    def _look_away(self, mode: str) -> None:
        self._shown_score = self._env.reward  # which the game changes after it has drawn

    def _render_ground(self, zoom: float, translation: Any, angle: float) -> None:
        """Draw the ground as the game does, without what lies outside the window."""
        c, s = math.cos(angle), math.sin(angle)
        x, y = self._middles.T * zoom
        reach = PATCH * zoom  # no point of a patch or a tile is farther from its middle
        half = (WINDOW[0] / 2, WINDOW[1] / 2)
        across = np.abs(c * x - s * y + translation[0] - half[0]) < half[0] + reach
        along = np.abs(s * x + c * y + translation[1] - half[1]) < half[1] + reach
        for index in (0, *(1 + np.flatnonzero(across & along))):
            shape, colour = self._ground[index]
            rgb = [int(part) for part in colour]  # a tile's changes when the car touches it
            self._env._draw_colored_polygon(
                self._env.surf, shape, rgb, zoom, translation, angle, clip=False
            )


def _ground(env: Any) -> list[tuple[list[Any], Any]]:
    """Return what the game paints and its colour, in order: the plain, patches of grass, road."""
    plain = [(PLAYFIELD * x, PLAYFIELD * y) for x, y in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
    patches = [
        [(PATCH * (x + dx), PATCH * (y + dy)) for dx, dy in ((1, 0), (0, 0), (0, 1), (1, 1))]
        for x in range(-20, 20, 2)
        for y in range(-20, 20, 2)
    ]
    road = [([tuple(point) for point in shape], colour) for shape, colour in env.road_poly]
    return [(plain, env.bg_color), *((patch, env.grass_color) for patch in patches), *road]

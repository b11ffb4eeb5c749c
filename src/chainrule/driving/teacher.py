"""The teacher: drives by the track's geometry, which the network never sees.

It steers by pure pursuit, toward a point of its line some way ahead, and plans its speed from how
sharply that line turns.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from chainrule.common.types import Array
from chainrule.driving.game import HALF_WIDTH, LOCK, Orders, Race

TILE = 3.5  # length of a piece of the road

# Tuned for the score on the tracks 1 to 40
SMOOTHED = 8.5  # standard deviation, in units of length, of what makes the line cut bends
INSIDE = 0.55 * HALF_WIDTH  # how far at most it leaves the middle of the road for that
GRIP = 180.0  # acceleration across the line, in units of length a second squared
BRAKING = 85.0  # along it
TOP_SPEED = 100.0
OFF_LINE = 0.8 * HALF_WIDTH  # he takes over from a driver who is farther off the line,
DIFFERENT = 0.15  # or whose steering differs from his by more than this, in radians
WHEELBASE = 4.6  # longer than the car's, 3.24: its tyres slip in bends


def look_ahead(speed: float) -> float:
    """Return how far ahead a driver aims, in units of length."""
    return 7.0 + 0.2 * speed


def pursue(right: npt.ArrayLike, forward: npt.ArrayLike) -> Array:
    """Return the steering that brings the car to a point, on an arc.

    Parameters
    ----------
    right, forward : float or array of shape (n,)
        Where the point is, seen from the car.

    Returns
    -------
    ndarray of shape () or (n,)
        The front wheels' angle in radians, to the right positive.

    Examples
    --------
    >>> pursue([0.0, 1.0], [10.0, 10.0]).round(3)
    array([0.   , 0.091])
    """
    distance: Array = np.hypot(right, forward)
    right = np.where(np.less(forward, 0), np.copysign(distance, right), right)  # behind: turn
    steering: Array = np.arctan(WHEELBASE * 2 * right / distance**2)
    return np.clip(steering, -LOCK, LOCK)


def pursued(steering: float, distance: float) -> tuple[float, float]:
    """Return the point at a distance that a steering leads to: `pursue` the other way round.

    Parameters
    ----------
    steering : float
        The front wheels' angle in radians, to the right positive.
    distance : float

    Returns
    -------
    right, forward : float

    Examples
    --------
    >>> right, forward = pursued(0.1, 20.0)
    >>> round(float(pursue(right, forward)), 6)
    0.1
    """
    right = distance * max(-1.0, min(1.0, math.tan(steering) / WHEELBASE * distance / 2))
    return right, math.sqrt(distance * distance - right * right)


class Line:
    """A closed line of short straight pieces.

    Parameters
    ----------
    points : array of shape (n, 2)

    Examples
    --------
    >>> square = Line(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]]))
    >>> along, right = square.locate(np.array([1.0, 1.0]))
    >>> float(along), float(right), square.at(18.0)
    (1.0, 1.0, array([0., 2.]))
    """

    def __init__(self, points: Array) -> None:
        self.points = points
        self.pieces = np.roll(points, -1, axis=0) - points
        self.lengths = np.linalg.norm(self.pieces, axis=1)
        self.along = np.concatenate([[0.0], np.cumsum(self.lengths)])  # (n + 1,)

    def locate(self, position: Array, near: float | None = None) -> tuple[float, float]:
        """Return how far along the line a position is, and how far to the right of it.

        Parameters
        ----------
        position : array of shape (2,)
        near : float, optional
            How far along it was a moment ago: another stretch of the road may be close by.
        """
        n = len(self.points)
        if near is None:
            which = np.arange(n)
        else:
            which = (int(np.searchsorted(self.along, near, "right")) + np.arange(-9, 15)) % n
        piece, length = self.pieces[which], self.lengths[which]
        away = position - self.points[which]
        part = np.clip((away * piece).sum(axis=1) / length, 0, length)
        distance = np.linalg.norm(away - piece * (part / length)[:, None], axis=1)
        i = int(np.argmin(distance))
        side = away[i, 0] * piece[i, 1] - away[i, 1] * piece[i, 0]
        return float(self.along[which[i]] + part[i]), float(np.copysign(distance[i], side))

    def at(self, along: float) -> Array:
        """Return the point at a distance along the line."""
        along %= self.along[-1]
        i = int(np.searchsorted(self.along, along, "right")) - 1
        point: Array = self.points[i] + self.pieces[i] * (along - self.along[i]) / self.lengths[i]
        return point


class Teacher:
    """A driver who sees the track's geometry.

    Parameters
    ----------
    race : Race

    Notes
    -----
    His orders depend on where the car is and how it is turned, not on its speed: so a network that
    sees the road sees all that they depend on.
    """

    def __init__(self, race: Race) -> None:
        self.line = Line(racing_line(race.track))
        speeds = planned_speeds(self.line)
        self._round = np.append(speeds, speeds[0])
        self._race = race
        self._along: float | None = None
        self._off_line, self._orders = 0.0, Orders(0.0, 0.0)

    def __call__(self) -> Orders:
        """Return what to do now."""
        race, line = self._race, self.line
        position = race.position
        self._along, self._off_line = line.locate(position, self._along)
        planned = float(np.interp(self._along, line.along, self._round))
        dx, dy = line.at(self._along + look_ahead(planned)) - position
        c, s = math.cos(race.heading), math.sin(race.heading)
        steering = pursue(c * dx + s * dy, c * dy - s * dx)
        soon = (self._along + 0.1 * planned) % line.along[-1]
        wanted = np.interp(soon, line.along, self._round)
        curvature = abs(math.tan(steering)) / WHEELBASE
        allowed = math.sqrt(GRIP / max(curvature, 1e-6))
        self._orders = Orders(float(steering), min(float(wanted), allowed))
        return self._orders

    def objects_to(self, orders: Orders) -> bool:
        """Say whether another driver's orders are unacceptable where he last gave his own."""
        different = abs(orders.steering - self._orders.steering)
        return abs(self._off_line) > OFF_LINE or different > DIFFERENT


def racing_line(track: Array) -> Array:
    """Return a line that cuts bends a little.

    Parameters
    ----------
    track : array of shape (n, 2)
        The middle of the road.

    Returns
    -------
    ndarray of shape (n, 2)
        The track's running mean, but no farther than INSIDE from it.
    """
    from scipy.ndimage import gaussian_filter1d

    line = gaussian_filter1d(track, SMOOTHED / TILE, axis=0, mode="wrap")
    cut = line - track
    size = np.linalg.norm(cut, axis=1, keepdims=True)
    inside: Array = track + cut * np.minimum(1, INSIDE / np.maximum(size, 1e-9))
    return inside


def planned_speeds(line: Line) -> Array:
    """Return the speed at each point: what grip allows in bends, slowing down early enough.

    Parameters
    ----------
    line : Line
        Of n points.

    Returns
    -------
    ndarray of shape (n,)
    """
    before = line.points - np.roll(line.points, 2, axis=0)
    after = np.roll(line.points, -2, axis=0) - line.points
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.abs(np.arctan2(cross, (before * after).sum(axis=1)))
    length = (np.linalg.norm(before, axis=1) + np.linalg.norm(after, axis=1)) / 2
    speeds: Array = np.minimum(TOP_SPEED, np.sqrt(GRIP * length / np.maximum(turn, 1e-6)))
    for i in reversed(range(-len(speeds), len(speeds))):  # twice round: it is a closed line
        after_i = speeds[(i + 1) % len(speeds)]
        speeds[i] = min(speeds[i], math.sqrt(after_i**2 + 2 * BRAKING * line.lengths[i]))
    return speeds

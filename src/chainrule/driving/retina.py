"""The eye: 30x32 receptors that look at the ground in front of the car, from the game's own frame.

The frame is seen from above, so that a receptor is a place on the ground, and another view of the
same ground, from a car that stands a little to the side or is a little turned, is a matter of
looking at other pixels.  Nothing but pixels comes in: one contrast, how much greener than red a
pixel is, and the height of the game's own speed bar.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from chainrule.common.types import Array

ROWS, COLUMNS = 30, 32
CELL = 4 / 3  # side of a receptor's square of ground, in units of length
BEHIND = 4.0  # how far behind the middle of the car the last row ends

# In the frame, a window of 1000x800 shrunk to 96x96 pixels, once its camera has zoomed in
CAR = (72.0, 48.0)  # row and column
SCALE = (16.2 * 96 / 800, 16.2 * 96 / 1000)  # pixels a unit of length, along rows and columns
HORIZON = 84  # rows; below them are the instruments
GRASS = 100  # its green exceeds its red by at least this much; that of road, kerb and car does not
SPEED_BAR = 13  # a column inside it
BAR = 0.02 * 20 * 96 / 800  # its height in pixels, for a speed of 1
ROUNDED = 3.0  # the bar is drawn a pixel of the window and a little too high


def grass(frames: Array) -> Array:
    """Return how green the ground is.

    Parameters
    ----------
    frames : array of shape (..., 96, 96, 3), uint8

    Returns
    -------
    ndarray of shape (..., 84, 96), uint8
        From 0, road, to 100, grass.
    """
    ground = frames[..., :HORIZON, :, :].astype(np.int16)
    greens: Array = np.clip(ground[..., 1] - ground[..., 0], 0, GRASS).astype(np.uint8)
    return greens


def speed(frame: Array) -> float:
    """Return the speed that the frame's own indicator bar shows.

    Parameters
    ----------
    frame : array of shape (96, 96, 3), uint8

    Returns
    -------
    float
        In units of length a second, to the nearest 2.5.

    Examples
    --------
    >>> frame = np.zeros((96, 96, 3), np.uint8)
    >>> frame[90:93, 12:14] = 255
    >>> round(speed(frame), 3)
    59.5
    """
    return max(0.0, float(frame[HORIZON:, SPEED_BAR, 0].sum()) / 255 / BAR - ROUNDED)


def zoom(frame_number: int) -> float:
    """Return the camera's zoom as a share of its final one: the game zooms in for the first second.

    Examples
    --------
    >>> zoom(49), round(zoom(24), 3)
    (1.0, 0.519)
    """
    t = min((frame_number + 1) / 50, 1.0)
    return t + 0.6 / 16.2 * (1 - t)


def pixels(shift: Array, turn: Array, zoom: float = 1.0) -> Array:
    """Return which pixels the receptors of displaced eyes look at, four each.

    Parameters
    ----------
    shift : array of shape (n,)
        How far to the right of the car the eye stands.
    turn : array of shape (n,)
        How far it is turned to the right, in radians.
    zoom : float, default=1.0
        The camera's, see `zoom`.

    Returns
    -------
    ndarray of shape (n, 960, 4), int64
        Indices into a frame's ``grass``, flattened; places outside it are taken at its edge.
    """
    halves = np.arange(0.25, 1, 0.5)
    y = (ROWS - (np.arange(ROWS)[:, None] + halves)) * CELL - BEHIND  # forward, (30, 2)
    x = (np.arange(COLUMNS)[:, None] + halves - COLUMNS / 2) * CELL  # to the right, (32, 2)
    X, Y = np.broadcast_arrays(x[None, :, None, :], y[:, None, :, None])  # (30, 32, 2, 2)
    X, Y = X.reshape(1, -1, 4), Y.reshape(1, -1, 4)
    c, s = (f(np.asarray(turn, float))[:, None, None] for f in (np.cos, np.sin))
    right = np.asarray(shift, float)[:, None, None] + c * X + s * Y
    forward = c * Y - s * X
    row = np.clip(CAR[0] - zoom * SCALE[0] * forward, 0, HORIZON - 1).astype(np.int64)
    column = np.clip(CAR[1] + zoom * SCALE[1] * right, 0, 95).astype(np.int64)
    indices: Array = row * 96 + column
    return indices


def receptors(greens: Array, pixels: Array) -> Array:
    """Return what receptors see: -1 for grass, 1 for road.

    Parameters
    ----------
    greens : array of shape (84, 96), uint8
        Of `grass`.
    pixels : array of shape (..., 960, 4)
        Of `pixels`.

    Returns
    -------
    ndarray of shape (..., 960), float32
    """
    seen: Array = np.take(greens, pixels).sum(axis=-1, dtype=np.float32)
    return 1 - seen / (2 * GRASS)


@cache
def straight_ahead(frame_number: int) -> Array:
    """Return `pixels` of the eye in its place, for the zoom of a frame."""
    here: Array = pixels(np.zeros(1), np.zeros(1), zoom(frame_number))[0]
    return here


def see(frame: Array, frame_number: int = 50) -> Array:
    """Return the retina's image of a frame.

    Parameters
    ----------
    frame : array of shape (96, 96, 3), uint8
    frame_number : int, default=50
        How many frames have passed since the start, for the camera's zoom.

    Returns
    -------
    ndarray of shape (960,), float32
        30 rows of 32 receptors, the farthest row first: -1 for grass, 1 for road.

    Examples
    --------
    >>> frame = np.zeros((96, 96, 3), np.uint8)
    >>> frame[:, :48, 1] = 200  # grass to the left
    >>> see(frame).reshape(30, 32)[0, [0, 15, 16, 31]]
    array([-1., -1.,  1.,  1.], dtype=float32)
    """
    return receptors(grass(frame), straight_ahead(min(frame_number, 50)))


def places(right: Array, forward: Array) -> Array:
    """Return where the retina sees places on the ground.

    Parameters
    ----------
    right, forward : array of shape (...)
        From the middle of the car, in units of length.

    Returns
    -------
    ndarray of shape (..., 2)
        Row and column; receptor i, k covers rows i to i + 1 and columns k to k + 1.

    Examples
    --------
    >>> places(np.array(0.0), np.array(0.0))  # the car itself
    array([27., 16.])
    """
    row = ROWS - (np.asarray(forward) + BEHIND) / CELL
    return np.stack([row, COLUMNS / 2 + np.asarray(right) / CELL], axis=-1)


def mirrored(images: Array) -> Array:
    """Return images of shape (n, 960) with left and right exchanged."""
    return images.reshape(-1, ROWS, COLUMNS)[:, :, ::-1].reshape(-1, ROWS * COLUMNS)

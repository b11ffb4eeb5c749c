"""Views: what the eye would see beside the line or askew, and how to steer from there.

A good driver is almost never in trouble, so a network that watches one learns nothing about how to
get out of it.  Pomerleau's answer: shift and turn each image, and correct the steering for it, so
that the car gets back to the point of the road that the driver was making for.
"""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array
from chainrule.driving import retina
from chainrule.driving.game import Orders
from chainrule.driving.teacher import look_ahead, pursue, pursued

SHIFT = 3.0  # to either side at most, in units of length: nearly half of the road's half width
TURN = 0.15  # to either side at most, in radians


def displaced(orders: Orders, shift: Array, turn: Array) -> Array:
    """Return the steering for cars that stand beside the driver's, or askew.

    Parameters
    ----------
    orders : Orders
        The driver's own.
    shift : array of shape (n,)
        How far to the right of the driver's car they stand.
    turn : array of shape (n,)
        How far they are turned to the right, in radians.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    To the right of the line, or turned to the right, one steers to the left:

    >>> displaced(Orders(0.0, 50.0), np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.1])).round(3)
    array([ 0.   , -0.032, -0.054])
    """
    right, forward = pursued(orders.steering, look_ahead(orders.speed))
    c, s = np.cos(turn), np.sin(turn)
    x = right - shift
    return pursue(c * x - s * forward, s * x + c * forward)


def views(
    frame: Array, frame_number: int, orders: Orders, number: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return a frame as the retina sees it, from where it is and from random places around.

    Each view is, with a chance of one half, a mirror image: so left and right are in balance.

    Parameters
    ----------
    frame : array of shape (96, 96, 3), uint8
    frame_number : int
        How many frames have passed since the start, for the camera's zoom.
    orders : Orders
        The driver's.
    number : int
        How many displaced views.
    rng : numpy.random.Generator

    Returns
    -------
    images : ndarray of shape (1 + number, 960), float32
    targets : ndarray of shape (1 + number, 2)
        The steering and the speed.
    """
    shift, turn = np.array([[SHIFT], [TURN]]) * rng.uniform(-1, 1, (2, 1 + number))
    shift[0] = turn[0] = 0
    pixels = retina.pixels(shift, turn, retina.zoom(frame_number))
    images = retina.receptors(retina.grass(frame), pixels)
    targets = np.stack([displaced(orders, shift, turn), np.full(1 + number, orders.speed)], axis=1)
    mirrored = rng.random(1 + number) < 0.5
    images[mirrored] = retina.mirrored(images[mirrored])
    targets[mirrored, 0] *= -1
    return images, targets

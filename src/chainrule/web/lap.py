"""The answers of the Drive view: a recorded lap, and what a network orders at each look."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.driving import retina
from chainrule.driving.driver import Code, Driver
from chainrule.driving.game import FRAMES_A_SECOND, LOOKS_EVERY
from chainrule.driving.hill import Hill
from chainrule.driving.recording import Recording, shipped
from chainrule.driving.teacher import pursued
from chainrule.notes.theta import blocks
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk

COVERS = {"nothing": 0.0, "grass": -1.0, "road": 1.0}  # what covered receptors see
AHEAD = np.arange(0.0, retina.ROWS * retina.CELL, 2.0)  # of the points of a path, in length


def lap(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what the lap shows whatever the reader does to the network."""
    driver, recording = at_work(desk)
    network = driver.network
    into, out_of = blocks(network, driver.theta)
    side = (-1, retina.ROWS, retina.COLUMNS)
    return {
        "layers": list(network.layers),
        "a_second": FRAMES_A_SECOND // LOOKS_EVERY,
        "hills": [limits(driver.steering), limits(driver.speed)],
        "covers": list(COVERS),
        "retina": np.rint(255 * (recording.images + 1) / 2).astype(np.uint8).reshape(side),
        "teacher": recording.teacher.astype(np.float32),
        "y": taught(driver, recording.teacher),
        "teacher_paths": paths(recording.teacher),
        "car": retina.places(np.zeros(()), np.zeros(())).tolist(),
        "weights": into[1:].T.reshape(side),
        "votes": out_of[1:],
    }


def drive(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what the network orders at each look, with units off and receptors covered."""
    driver, recording = at_work(desk)
    changed = driver.without(asked.wholes("off", 1, driver.network.layers[1]))
    images = recording.images
    if "cover" in asked.values:
        covered(images, asked)
    hidden, outputs = (np.stack(a) for a in zip(*map(changed.activations, images), strict=True))
    orders = np.array([[o.steering, o.speed] for o in map(changed.orders, outputs)])
    return {
        "hidden": hidden,
        "outputs": outputs,
        "orders": orders.astype(np.float32),
        "paths": paths(orders),
        "delta": driver.network.cost.delta(outputs, taught(driver, recording.teacher)),
        "apart": np.abs(orders - recording.teacher).mean(axis=0),
    }


def at_work(desk: Desk) -> tuple[Driver, Recording]:
    """Return the network that is shown, and the lap on which it is."""
    driver, recording = shipped()
    return desk.driver or driver, recording


def limits(hill: Code) -> list[float]:
    """Return what a hill's first and last unit stand for, and how many they are."""
    assert isinstance(hill, Hill)
    return [hill.low, hill.high, hill.units]


def covered(images: Array, asked: Asked) -> None:
    """Cover a rectangle of receptors, at every look."""
    top, left, bottom, right, value = card(asked)
    seen = images.reshape(-1, retina.ROWS, retina.COLUMNS)
    seen[:, top:bottom, left:right] = value


def card(asked: Asked) -> tuple[int, int, int, int, float]:
    """Return the edges of what is covered, and what is seen there."""
    top, left = asked.whole("top", 0, retina.ROWS), asked.whole("left", 0, retina.COLUMNS)
    bottom = asked.whole("bottom", top, retina.ROWS)
    right = asked.whole("right", left, retina.COLUMNS)
    return top, left, bottom, right, COVERS[asked.choice("cover", list(COVERS))]


def taught(driver: Driver, orders: Array) -> Array:
    """Return the hills that mean the orders: the targets y of the network, of shape (n, K)."""
    return np.hstack([driver.steering.encode(orders[:, 0]), driver.speed.encode(orders[:, 1])])


def paths(orders: Array) -> Array:
    """Return where orders lead to, on the retina: rows and columns, of shape (n, points, 2)."""
    ground = np.array(
        [[pursued(steering, far) for far in AHEAD] for steering, _ in orders.tolist()]
    )
    return retina.places(ground[..., 0], ground[..., 1]).astype(np.float32)

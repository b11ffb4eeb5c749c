"""The network at the wheel: from a frame to orders; its file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any, Protocol

from chainrule import model_file
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.driving import retina
from chainrule.driving.game import Orders
from chainrule.driving.hill import Hill
from chainrule.engine.predicting import predict
from chainrule.notes.backprop import forward
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks


class Code(Protocol):
    """A number as activations of output units: a `Hill`, or another way for comparison."""

    @property
    def units(self) -> int:
        """How many units it takes."""

    def encode(self, values: Array) -> Array:
        """Return activations of shape (m, units)."""

    def decode(self, activations: Array) -> float:
        """Return the value that activations of shape (units,) mean."""


STEERING = Hill(-0.3, 0.3)  # radians: even a teacher who recovers rarely steers more
SPEED = Hill(20.0, 104.0)


@dataclass(frozen=True, eq=False)
class Driver:
    """A trained network and what its outputs mean.

    Parameters
    ----------
    network : Network
        960 inputs; its first outputs are the steering's, the others the speed's.
    theta : ndarray of shape (network.size,)
    steering, speed : Hill

    Examples
    --------
    >>> network = Network((960, 4, 60))
    >>> driver = Driver(network, np.zeros(network.size))
    >>> driver.orders(np.concatenate([STEERING.encode([0.0]), SPEED.encode([62.0])], axis=1)[0])
    Orders(steering=0.0, speed=62.0)
    """

    network: Network
    theta: Array
    steering: Code = STEERING
    speed: Code = SPEED

    __repr__ = summary

    def __call__(self, frame: Array, frame_number: int) -> Orders:
        """Return what to do.

        Parameters
        ----------
        frame : array of shape (96, 96, 3), uint8
            As the game shows it.
        frame_number : int
            How many frames have passed since the start, for the camera's zoom.

        Returns
        -------
        Orders
        """
        image = retina.see(frame, frame_number)
        return self.orders(predict(self.network, self.theta, image[None])[0])

    def orders(self, outputs: Array) -> Orders:
        """Return what the outputs' activations, of shape (K,), mean."""
        first = self.steering.units
        return Orders(self.steering.decode(outputs[:first]), self.speed.decode(outputs[first:]))

    def activations(self, image: Array) -> tuple[Array, Array]:
        """Return the activations of the hidden units, (s_2,), and of the outputs, (K,).

        Parameters
        ----------
        image : array of shape (960,)
            What the retina sees.
        """
        a = forward(self.network, self.theta, image[None])[0]
        return a[1][0], a[-1][0]

    def without(self, units: Iterable[int]) -> Driver:
        """Return this driver with some hidden units switched off.

        Parameters
        ----------
        units : iterable of int
            Their numbers, from 1.  They still have activations, but no output hears them.

        Returns
        -------
        Driver

        Examples
        --------
        >>> network = Network((960, 4, 60))
        >>> driver = Driver(network, np.full(network.size, 0.1)).without([1, 3])
        >>> round(float(driver.activations(np.zeros(960))[1][0]), 3)  # g(0.1 + 2 * 0.1 * g(0.1))
        0.551
        """
        theta = self.theta.copy()
        blocks(self.network, theta)[1][list(units)] = 0  # row 0 is the bias's
        return replace(self, theta=theta)


def save(path: str | os.PathLike[str], driver: Driver, seed: int, options: dict[str, Any]) -> None:
    """Write a driver to a model file, with the hills' limits and what it was trained with."""
    columns = tuple(
        Column(f"row {row} column {column}")
        for row in range(retina.ROWS)
        for column in range(retina.COLUMNS)
    )
    encoder = Encoder(columns, target="orders", image_shape=(retina.ROWS, retina.COLUMNS))
    hills = {name: asdict(getattr(driver, name)) for name in ("steering", "speed")}
    provenance = model_file.Provenance(
        seed=seed, options={**options, **hills}, source="CarRacing-v3"
    )
    model = model_file.Model(driver.network, driver.theta, encoder, provenance=provenance)
    model_file.save(path, model)


def load(path: str | os.PathLike[str]) -> Driver:
    """Read a driver from a model file.

    Raises
    ------
    ModelFileError
        If it cannot be read, or holds another kind of network.

    Examples
    --------
    >>> import tempfile
    >>> network = Network((960, 4, 60))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/alvinn.safetensors", Driver(network, np.ones(network.size)), 0, {})
    ...     load(f"{folder}/alvinn.safetensors").steering
    Hill(low=-0.3, high=0.3, units=30, spread=10.0)
    """
    driver = at_wheel(model_file.load(path))
    if driver is None:
        raise model_file.ModelFileError(
            f"{os.fspath(path)}: this network drives no car: train one with 'chainrule drive'"
        )
    return driver


def at_wheel(model: model_file.Model) -> Driver | None:
    """Return a model as a driver, or None if it is another kind of network."""
    try:
        steering, speed = (Hill(**model.provenance.options[name]) for name in ("steering", "speed"))
        fits = model.network.layers[0] == 960 and steering.units + speed.units == model.network.K
        fits &= all(isinstance(v, int | float) for v in (*astuple(steering), *astuple(speed)))
    except (KeyError, TypeError):
        return None
    return Driver(model.network, model.theta, steering, speed) if fits else None

"""The buffer of patterns, kept balanced: straight roads must not crowd out the bends."""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array


class Buffer:
    """Patterns to train on; when it is full, a new one replaces one of the commonest kind.

    Parameters
    ----------
    capacity : int
        How many patterns it holds.
    limits : array of shape (k - 1,)
        The borders between k kinds of patterns, which differ in steering, ascending.
    rng : numpy.random.Generator
        Chooses what is replaced.

    Examples
    --------
    Six patterns of the middle kind and one to the left, in a buffer of four:

    >>> buffer = Buffer(4, np.array([-0.1, 0.1]), np.random.default_rng(0))
    >>> buffer.add(np.zeros((7, 960)), np.array([[0, 50], [-0.2, 40]] + [[0, 50]] * 5))
    >>> buffer.targets[:, 0]
    array([ 0. , -0.2,  0. ,  0. ])
    """

    def __init__(self, capacity: int, limits: Array, rng: np.random.Generator) -> None:
        self._images = np.empty((capacity, 960), np.float32)
        self._targets = np.empty((capacity, 2))
        self._kinds = np.empty(capacity, np.int64)
        self._sizes = np.zeros(len(limits) + 1, np.int64)  # of each kind
        self._limits, self._rng = limits, rng

    @property
    def images(self) -> Array:
        """The patterns it holds now, as the retina saw them."""
        return self._images[: self._sizes.sum()]

    @property
    def targets(self) -> Array:
        """Their steering and speed."""
        return self._targets[: self._sizes.sum()]

    def add(self, images: Array, targets: Array) -> None:
        """Add patterns, one after the other.

        Parameters
        ----------
        images : array of shape (n, 960)
        targets : array of shape (n, 2)
        """
        kinds = np.digitize(targets[:, 0], self._limits)
        for image, target, kind in zip(images, targets, kinds, strict=True):
            place = self._sizes.sum()
            if place == len(self._images):
                place = self._rng.choice(np.flatnonzero(self._kinds == self._sizes.argmax()))
                self._sizes[self._kinds[place]] -= 1
            self._images[place], self._targets[place], self._kinds[place] = image, target, kind
            self._sizes[kind] += 1

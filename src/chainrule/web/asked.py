"""What a page asked for, checked: each value has the type, size and range that it needs."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.common.types import Array

LONGEST_NAME = 100  # characters shown of a file's name


class Asked:
    """The values of one request.

    Each method returns one of them, or raises ValueError with a line for the page.

    Examples
    --------
    >>> asked = Asked({"l": 2, "kind": "relu"})
    >>> asked.whole("l", 2, 4), asked.whole("j", 1, 9, 5), asked.choice("kind", ["relu", "tanh"])
    (2, 5, 'relu')
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number from low to high; a default makes it optional."""
        value = self.values.get(name, default)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name} must be a whole number from {low} to {high}")
        return value

    def wholes(self, name: str, low: int, high: int) -> list[int]:
        """Return a list of whole numbers from low to high, which may be empty."""
        values = self.values.get(name)
        if not isinstance(values, list) or not all(
            type(value) is int and low <= value <= high for value in values
        ):
            raise ValueError(f"{name} must be a list of whole numbers from {low} to {high}")
        return values

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return one of a few names."""
        value = self.values.get(name)
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """Return a number from low to high."""
        value = self.values.get(name)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise ValueError(f"{name} must be a number from {low:g} to {high:g}")
        return float(value)

    def choices(self, name: str, choices: Sequence[str], count: int) -> list[str]:
        """Return a list of a few names, each of which may stand there more than once."""
        value = self.values.get(name)
        if (
            not isinstance(value, list)
            or len(value) != count
            or not all(isinstance(each, str) and each in choices for each in value)
        ):
            raise ValueError(f"{name} must be {count} of {', '.join(choices)}")
        return value

    def numbers(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return an array of finite numbers of a shape, as float64."""
        value = self.values.get(name)
        if not isinstance(value, np.ndarray) or value.shape != shape:
            raise ValueError(f"{name} must be an array of shape {shape}")
        if not np.isfinite(value).all():
            raise ValueError(f"{name} must have finite numbers alone")
        return value.astype(np.float64)

    def rows(self, name: str, columns: int, most: int) -> Array:
        """Return 1 to `most` rows of finite numbers."""
        value = self.values.get(name)
        m = len(value) if isinstance(value, np.ndarray) and value.ndim else 0
        if not 1 <= m <= most:
            raise ValueError(f"{name} must have 1 to {most} rows")
        return self.numbers(name, (m, columns))

    def picture(self, name: str, most_side: int) -> Array:
        """Return a grey picture sent as bytes, from 0 for paper to 1 for ink, as float32."""
        value = self.values.get(name)
        if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 2:
            raise ValueError(f"{name} must be a picture: bytes of shape (height, width)")
        if min(value.shape) < 8 or max(value.shape) > most_side:
            raise ValueError(f"{name} must have from 8x8 to {most_side}x{most_side} pixels")
        return value.astype(np.float32) / 255

    def file(self) -> NamedFile:
        """Return the file that was given, as a stream with the name that its owner knows."""
        content, name = self.values.get("file"), self.values.get("name", "")
        if not isinstance(content, np.ndarray) or content.dtype != np.uint8:
            raise ValueError("there is no file in this request")
        shown = "".join(c for c in str(name) if c.isprintable())[:LONGEST_NAME]
        stream = NamedFile(content.tobytes())
        stream.name = shown or "your file"
        return stream


class NamedFile(io.BytesIO):
    """A file in memory, with the name by which errors call it."""

    name = ""

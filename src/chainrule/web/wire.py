"""How numbers travel between the page and the server, in both directions.

A message is the length of a header in four bytes, the header as JSON, then the arrays one after
another, all little endian.  The header has the plain values, and dtype and shape of each array::

    {"plain": {"label": 7}, "arrays": {"x": ["f4", [28, 28]]}}

So NaN and infinity pass, no digit of a number is lost, and a matrix needs no parsing.  A stream is
one message after another, each behind its own length in four bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from chainrule.common.types import Array

DTYPES = {"f4": "<f4", "f8": "<f8", "u1": "u1", "i4": "<i4"}  # those that browsers have arrays of
MOST_HEADER = 64 * 1024  # bytes of what a page sends beside arrays


class WireError(ValueError):
    """Bytes that are no message."""


def pack(values: Mapping[str, Any]) -> bytes:
    """Return values as a message; arrays keep their dtype if a browser has it.

    Parameters
    ----------
    values : mapping of str to Any
        NumPy arrays, and what JSON holds.

    Returns
    -------
    bytes

    Examples
    --------
    >>> unpack(pack({"label": 7, "z": np.array([0.5, np.inf])}))
    {'label': 7, 'z': array([0.5, inf])}
    """
    plain, arrays, blocks = {}, {}, []
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            code = f"{value.dtype.kind}{value.dtype.itemsize}"
            if code not in DTYPES:
                raise TypeError(f"{name}: no browser has arrays of {value.dtype}")
            arrays[name] = [code, value.shape]
            blocks.append(np.ascontiguousarray(value, DTYPES[code]).tobytes())
        else:
            plain[name] = value
    header = json.dumps({"plain": plain, "arrays": arrays}, allow_nan=False).encode()
    return b"".join([len(header).to_bytes(4, "little"), header, *blocks])


def as_bytes(pixels: Array) -> Array:
    """Return pixels from 0 to 1 as bytes."""
    return np.ascontiguousarray(np.clip(np.rint(255 * pixels), 0, 255), np.uint8)


def unpack(message: bytes) -> dict[str, Any]:
    """Return the values of a message from a page, which may hold anything.

    Parameters
    ----------
    message : bytes

    Returns
    -------
    dict of str to Any

    Raises
    ------
    WireError
        If it is no message.
    """
    try:
        n = int.from_bytes(message[:4], "little")
        if len(message) < 4 + n or n > MOST_HEADER:
            raise WireError("it is cut short, or its header is too long")
        header = json.loads(message[4 : 4 + n], parse_constant=_refuse_constant)
        values = dict(header["plain"])
        at = 4 + n
        for name, (code, shape) in dict(header["arrays"]).items():
            values[name], at = _array(message, at, DTYPES[code], shape)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WireError(f"this is no message of the page ({type(error).__name__})") from None
    if at != len(message):
        raise WireError("this is no message of the page (it has bytes left over)")
    return values


def _array(message: bytes, at: int, dtype: str, shape: Any) -> tuple[Array, int]:
    """Return the array that begins at a byte, and where it ends."""
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise WireError("a shape is a list of whole numbers")
    size = math.prod(shape)
    end = at + size * np.dtype(dtype).itemsize
    if len(shape) > 4 or end > len(message):
        raise WireError("an array is cut short")
    return np.frombuffer(message, dtype, size, at).reshape(shape), end


def _refuse_constant(name: str) -> NoReturn:
    raise WireError(f"{name} travels in an array")

"""Objects that hold much, told in a few lines at a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from dataclasses import MISSING, Field, fields
from typing import Any

import numpy as np

WIDTH, LINES = 88, 4  # of what `summary` returns
LONG = 72  # characters of a value's own repr; a longer one is told by its kind
SENTENCE = 150  # characters of a text
MANY = 6  # elements; more of them are counted
COLLECTIONS = (list, tuple, set, frozenset, Mapping)


def summary(self: Any) -> str:
    """Return the repr of a dataclass in at most four lines: what is large in it told by its size.

    A class takes it by ``__repr__ = summary``.  Fields that have their defaults are left out.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Fit:
    ...     theta: np.ndarray
    ...     J: float
    ...     history: list
    ...     why: str = ""
    ...     __repr__ = summary
    >>> Fit(np.zeros((25, 401)), 0.25, list(range(300)))
    Fit(theta=<float64 25 x 401>, J=0.25, history=<300 values>)
    """
    name = type(self).__name__
    lines, indent = [f"{name}("], " " * min(len(name) + 1, 8)
    told = [f"{field.name}={brief(value)}" for field, value in _told(self)]
    for i, part in enumerate(told):
        if i and len(lines[-1]) + len(part) >= WIDTH:
            if len(lines) == LINES:
                return "\n".join(lines) + " ...)"
            lines.append(indent)
        lines[-1] += " " * (lines[-1][-1] == ",") + part + ("," if i + 1 < len(told) else "")
    return "\n".join(lines) + ")"


def _told(self: Any) -> Iterator[tuple[Field[Any], Any]]:
    """Yield the fields that say something, with their values."""
    for field in fields(self):
        value = getattr(self, field.name, None)
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        if field.repr and value is not None and not _same(value, default):
            yield field, value


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(np.all(value == default))


def brief(value: Any) -> str:
    """Return a value's repr if that is short, else what it is and how large.

    Examples
    --------
    >>> brief(np.zeros(1000)), brief([np.zeros((2, 30)), np.ones(2)]), brief(list("abcdefgh"))
    ('<float64 1000>', '[<float64 2 x 30>, array([1., 1.])]', '<8 values>')
    >>> brief(0.5), brief(len), brief({"m": 7}), brief("a" * 1000) == repr("a" * 147 + "...")
    ('0.5', '<len>', "{'m': 7}", True)
    """
    if isinstance(value, str):
        return repr(value if len(value) <= SENTENCE else value[: SENTENCE - 3] + "...")
    text = _whole(value)
    if text is not None and len(text) <= LONG:
        return text
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {' x '.join(map(str, value.shape))}>"
    if isinstance(value, COLLECTIONS):
        return f"<{len(value)} values>"
    size = f" of {len(value)}" if isinstance(value, Sized) else ""
    return f"<{type(value).__name__}{size}>"


def _whole(value: Any) -> str | None:
    """Return a value's repr in one line, or None if that would be long."""
    if isinstance(value, COLLECTIONS) and len(value) > MANY:
        return None
    if isinstance(value, np.ndarray) and value.size > MANY:
        return None
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {brief(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        inside = ", ".join(map(brief, value)) + "," * (isinstance(value, tuple) and len(value) == 1)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if callable(value) and hasattr(value, "__name__"):
        return f"<{value.__name__}>"
    return " ".join(repr(value).split())

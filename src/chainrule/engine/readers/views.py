"""Sources made from others: encoded as a table in memory is, or kept in memory once read."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from chainrule.common.checks import DataError
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.tables import like, reading_like
from chainrule.engine.blocks import Rows, Source, View


class Encoded(View):
    """A table whose columns become inputs, and whose target becomes Y, as an encoder learnt it.

    Parameters
    ----------
    source : Frames, Stored or Svmlight
    encoder : Encoder
        Of a table with the same columns, such as ``chainrule.datasets.load(some_rows).encoder``.
    """

    def __init__(self, source: Any, encoder: Encoder) -> None:
        super().__init__(source)
        self.encoder, self.classes = encoder, encoder.classes
        self.n, self.names = len(encoder.feature_names), encoder.feature_names
        self.K = 1 if encoder.classes else max(1, len(encoder.targets))
        self._like = reading_like(encoder, None, None)
        inputs, weights = (
            [column.name for column in encoder.columns],
            getattr(source, "weights", None),
        )
        self._aside = [weights] if isinstance(weights, str) and weights not in inputs else []

    def read(self, first: int, last: int) -> Rows:
        """Return the rows as `chainrule.datasets.load_like` would."""
        contents = self.source.contents(first, last, self._like)
        found = like(self.encoder, contents, self._aside, first=first)
        if len(found) < last - first:
            raise DataError(
                f"{found.source}: {found.notes[-1]}, and in a table that is read in blocks each "
                "row has its number: leave such rows out of the file, or fill them with the "
                "encoder of load(..., missing='mean')"
            )
        weights = self.source.weights_of(first, last) if self.weighted else None
        return found.X, found.Y, weights

    def state(self) -> tuple[Any, ...]:
        """Return the source's, and what it is encoded by."""
        return (*self.source.state(), repr(self.encoder.to_json()))


class Kept(View):
    """A source of which rows are kept once they were read, as far as memory was given for it.

    The first that are read are kept, as all are read again before these are needed again.

    Parameters
    ----------
    source : Source
    memory : int
        Bytes.

    Examples
    --------
    >>> from chainrule.engine.blocks import Arrays
    >>> source = Kept(Arrays(np.zeros((4, 1)), np.zeros(4)), memory=100)
    >>> source.read(0, 4)[0] is source.read(0, 4)[0]
    True
    """

    def __init__(self, source: Source, memory: int) -> None:
        super().__init__(source)
        self.memory = memory
        self._forget()

    def read(self, first: int, last: int) -> Rows:
        """Return rows that are kept, or read them."""
        if (first, last) in self._kept:
            return self._kept[first, last]
        found: Rows = self.source.read(first, last)
        size = sum(_bytes_of(part) for part in found if part is not None)
        with self._lock:
            if size <= self._left and (first, last) not in self._kept:
                self._kept[first, last] = found
                self._left -= size
        return found

    def _forget(self) -> None:
        self._kept: dict[tuple[int, int], Rows] = {}
        self._left, self._lock = self.memory, threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name[0] != "_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()


def _bytes_of(part: Any) -> int:
    """Return the memory of an array, which may be sparse."""
    return int(part.nbytes) if isinstance(part, np.ndarray) else int(3 * part.data.nbytes)

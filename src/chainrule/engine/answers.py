"""What a network answers to a table of any size, written to a file block by block."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.common.checks import DataError
from chainrule.common.files import drafted, reason
from chainrule.common.types import Array


def write(
    path: str | os.PathLike[str], parts: Iterable[Array], m: int, names: Sequence[str] = ()
) -> None:
    """Write rows, which come in parts, to a file of the format .npy or .parquet.

    The file is there once it is whole.

    Parameters
    ----------
    path : path
    parts : iterable of ndarray of shape (rows, K)
    m : int
        How many rows they have together.
    names : sequence of str, optional
        Of the columns, for .parquet.  Default: h1, h2, ...

    Raises
    ------
    DataError
        If the name has another ending, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/h.npy", iter([np.zeros((2, 1)), np.ones((1, 1))]), 3)
    ...     np.load(f"{folder}/h.npy").tolist()
    [[0.0], [0.0], [1.0]]
    """
    path = Path(path)
    writers: dict[str, Callable[[Path, Iterator[Array], int, Sequence[str]], None]]
    writers = {".npy": _write_npy, ".parquet": _write_parquet}
    if path.suffix.lower() not in writers:
        raise DataError(f"{path}: answers are written as {' or '.join(writers)}: name such a file")
    try:
        with drafted(path) as draft:
            writers[path.suffix.lower()](draft, iter(parts), m, names)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({reason(error)})") from None


def _write_npy(path: Path, parts: Iterator[Array], m: int, names: Sequence[str]) -> None:
    rows = 0
    with open(path, "wb") as file:
        for h in parts:
            if not rows:
                header = {"descr": h.dtype.str, "fortran_order": False, "shape": (m, *h.shape[1:])}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(h).data)
            rows += len(h)
    if rows != m:
        raise ValueError(f"the parts have {rows} rows together, and m is {m}")


def _write_parquet(path: Path, parts: Iterator[Array], m: int, names: Sequence[str]) -> None:
    import polars as pl

    def frame(h: Array) -> pl.DataFrame:
        columns = list(names) or [f"h{k + 1}" for k in range(h.shape[1])]
        return pl.DataFrame(h, schema=columns, orient="row")

    to_parquet(path, map(frame, parts))


def to_parquet(path: Path, frames: Iterator[Any]) -> None:
    """Write Polars frames one below the other, of which one at a time is in memory."""
    import polars as pl
    from polars.io.plugins import register_io_source

    first = next(frames, None)
    if first is None:
        raise ValueError(f"{path}: there is no row to write")
    wrong: list[Exception] = []

    def each(*_: object) -> Iterator[pl.DataFrame]:
        yield first
        try:
            yield from frames
        except Exception as error:  # which Polars would tell in its own words
            wrong.append(error)
            raise

    try:
        register_io_source(each, schema=first.schema).sink_parquet(path)
    except pl.exceptions.PolarsError:
        if wrong:
            raise wrong[0] from None
        raise

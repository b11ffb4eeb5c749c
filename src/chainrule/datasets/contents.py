"""What a file holds, before anything is decided about it: the readers of all formats return it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chainrule.common.checks import DataError, counted
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.cells import ReadColumn
from chainrule.datasets.encoding import Reading, Table
from chainrule.datasets.vectors import Label

MOST_COLUMNS = 200_000  # more than any picture has pixels that a network can take
MOST_TEXT_COLUMNS = 100_000  # each takes time, and 7 kB
SPARE_BYTES, UNPACKED_PER_BYTE = 16 << 20, 100  # what a compressed file may become


def check_width(name: str, width: int, most: int = MOST_COLUMNS) -> None:
    """Refuse a table of too many columns before each of them takes time and memory."""
    if width > most:
        raise DataError(
            f"{name}: has {counted(width, 'column')}, and at most {most:,} are read: is "
            "each row an example?"
        )


def most_unpacked(size: int) -> int:
    """Return how many bytes a compressed file of this size may become."""
    return SPARE_BYTES + UNPACKED_PER_BYTE * size


def bomb(name: str, size: int) -> DataError:
    """Return the error for a compressed file of this size that would become too large."""
    return DataError(
        f"{name}: {size:,} bytes would become more than {most_unpacked(size) >> 20:,} MiB: unpack "
        "it first, or save it without compression"
    )


@dataclass(frozen=True)
class Contents:
    """What a file holds, before anything is decided."""

    name: str
    sha256: str
    table: Table
    target: str | None = None  # name of the target, where the file keeps it apart from the inputs
    y: Array | None = None
    others: tuple[str, ...] = ()  # other arrays that could be the target
    named: bool = True  # whether somebody named the columns, so that the names mean something
    image_shape: tuple[int, int] | None = None
    column_major: bool = False
    classes: tuple[Label, ...] | None = None  # in the order of a convention, where there is one
    held_out: tuple[Table, Array] | None = None
    notes: tuple[str, ...] = ()  # what was read as what, a sentence each
    reading: Reading = field(default_factory=Reading)
    read: Mapping[str, ReadColumn] = field(default_factory=dict)  # what became of columns of text

    __repr__ = summary

    @property
    def strays(self) -> dict[str, str]:
        """Cells that cannot be read as the others are, by column: "'#ERR' in data row 9"."""
        return {name: column.stray for name, column in self.read.items() if column.stray}

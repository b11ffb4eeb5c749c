"""What a file holds, before anything is decided about it: the readers of all formats return it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chainrule.common.types import Array
from chainrule.datasets.encoding import Label, Reading, Table


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
    strays: Mapping[str, str] = field(default_factory=dict)  # by column: "'#ERR' in data row 9"

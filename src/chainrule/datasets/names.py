"""Columns by the names that users give, and what they may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from chainrule.common.checks import DataError, shortened


def columns_named(
    wanted: Sequence[str], names: Sequence[str], what: str, source: str
) -> tuple[str, ...]:
    """Return the columns meant by names, by positions from 1 or from -1, or by a list with commas.

    Examples
    --------
    >>> columns_named(["a,c", "-2"], ["a", "b,1", "c", "d"], "column {!r}", "t.csv")
    ('a', 'c')
    >>> columns_named(["b,1"], ["a", "b,1"], "column {!r}", "t.csv")
    ('b,1',)
    """
    found: dict[str, None] = {}
    for word in wanted:
        for name in [word] if word in names else (part.strip() for part in word.split(",")):
            position = int(name) if name.lstrip("-").isdecimal() else 0
            if name in names:
                found[name] = None
            elif 1 <= abs(position) <= len(names):
                found[names[position - 1 if position > 0 else position]] = None
            else:
                raise no_such(what.format(name), name, names, source)
    return tuple(found)


def no_such(what: str, wanted: str, names: Sequence[str], source: str) -> DataError:
    """Return the error for a name that is not there; it offers the nearest one."""
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), lower, n=1, cutoff=0.5)
    hint = (
        f"did you mean {lower[near[0]]!r}?" if near else f"there is {shortened(names) or 'nothing'}"
    )
    return DataError(f"{source}: there is no {what}: {hint}")

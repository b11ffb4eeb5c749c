"""How much memory this process may still use, and how people say it."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
OF_A_GROUP = (  # of processes: its limit, what it uses, and for what, in both versions of groups
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)


def available() -> int | None:
    """Return how many bytes this process may still use; None where the system does not say.

    They are what the machine has free, or what is left to a group of processes with a limit.  What
    the system keeps of files that were read counts as free: it gives that up for a process.
    """
    found = []
    with suppress(OSError, ValueError, IndexError):
        [line] = [row for row in MEMINFO.read_text().splitlines() if row.startswith("MemAvailable")]
        found.append(1024 * int(line.split()[1]))
    for most, used, stat in OF_A_GROUP:
        with suppress(OSError, ValueError):  # "max" is no number
            limit, now = (int((GROUP / name).read_text()) for name in (most, used))
            found.append(max(0, limit - now + _of_files(GROUP / stat)))
    return min(found, default=None)


def _of_files(stat: Path) -> int:
    """Return how many bytes of files the system keeps in memory for a group of processes.

    Version 1 tells a group's own and, under total_, those of the groups within it as well.
    """
    with suppress(OSError):
        told = stat.read_text()
        own = "total_" if "total_active_file" in told else ""
        return sum(
            int(line.split()[1])
            for line in told.splitlines()
            if line.startswith((f"{own}active_file ", f"{own}inactive_file "))
        )
    return 0


def bytes_of(memory: int | str) -> int:
    """Return a number of bytes that may be written as "2GB", or "2GiB" in powers of 1024.

    Examples
    --------
    >>> bytes_of("1.5 GB"), bytes_of("300m"), bytes_of("1KiB"), bytes_of(10)
    (1500000000, 300000000, 1024, 10)
    """
    if isinstance(memory, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *(?:([KMGT])(I?))?B?", memory.strip().upper())
        if found:
            base = 1024 if found[3] else 1000
            return int(float(found[1]) * base ** " KMGT".index(found[2] or " "))
    elif isinstance(memory, int) and not isinstance(memory, bool) and memory >= 0:
        return memory
    raise ValueError(f"memory must be a number of bytes, as '2GB', got {memory!r}")

"""How much memory this process may still use."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
OF_A_GROUP = (  # of processes: its limit and what it uses, in both versions of such groups
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


def available() -> int | None:
    """Return how many bytes this process may still use; None where the system does not say.

    They are what the machine has free, or what is left to a group of processes with a limit.
    """
    found = []
    with suppress(OSError, ValueError, IndexError):
        [line] = [row for row in MEMINFO.read_text().splitlines() if row.startswith("MemAvailable")]
        found.append(1024 * int(line.split()[1]))
    for most, used in OF_A_GROUP:
        with suppress(OSError, ValueError):  # "max" is no number
            limit, now = (int((GROUP / name).read_text()) for name in (most, used))
            found.append(max(0, limit - now))
    return min(found, default=None)

"""How much memory this process may still use."""

from __future__ import annotations

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

"""A command run and watched: its time, its CPU time, its anonymous memory, when it said what.

The memory is limited by a cgroup of its own where this user may make one.  Its page cache counts
there, and the kernel takes it back: a program passes that needs little memory of its own, whatever
it reads.  Elsewhere RLIMIT_DATA limits what a process allocates.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

EVERY = 0.005  # seconds between two looks at the memory
CGROUPS = Path("/sys/fs/cgroup")


@dataclass
class Found:
    """What a command's run came to."""

    code: int = 0
    seconds: float = 0.0
    cpu: float = 0.0  # seconds, of it and of the processes it has waited for
    anonymous: int = 0  # bytes, the most at one look, its descendants' with it
    read: int = 0  # bytes from the disk, its own
    limited: str = "nothing"
    lines: list[tuple[float, str]] = field(default_factory=list)  # when, and what it printed

    def __str__(self) -> str:
        ended = "" if self.code == 0 else f"exit code {self.code}, "
        return (
            f"{ended}{self.seconds:.1f} s, CPU {self.cpu:.1f} s, anonymous memory "
            f"{self.anonymous / 1e6:,.0f} MB, {self.read / 1e6:,.0f} MB read from the disk"
        )


def run(
    command: Sequence[str],
    *,
    limit: int | None = None,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float | None = None,
) -> Found:
    """Run a command under a limit of its memory in bytes; what it prints is in ``lines``."""
    found = Found()
    with _group(limit) as group:
        found.limited = "nothing" if limit is None else "RLIMIT_DATA" if group is None else "cgroup"

        def enter() -> None:
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))
            elif limit is not None:
                resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, text=True, errors="replace", preexec_fn=enter,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip

        def listen() -> None:
            with process.stdout:
                for line in process.stdout:
                    found.lines.append((time.perf_counter() - began, line.rstrip()))

        listener = threading.Thread(target=listen)
        listener.start()
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            found.anonymous = max(found.anonymous, anonymous(process.pid))
            found.read = max(found.read, _bytes_read(process.pid))
            if timeout is not None and time.perf_counter() - began > timeout:
                process.kill()
            time.sleep(EVERY)
        found.seconds = time.perf_counter() - began
        process.returncode = found.code = os.waitstatus_to_exitcode(status)
        found.cpu = used.ru_utime + used.ru_stime
        listener.join()
    return found


def family(pid: int) -> Iterator[int]:
    """Yield a process and its descendants."""
    yield pid
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                yield from family(int(child))


def anonymous(pid: int) -> int:
    """Return the bytes that a process and its descendants hold beyond files that they map."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{member}/status").read_text().splitlines():
                if line.startswith("RssAnon"):
                    total += int(line.split()[1]) * 1024
    return total


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of its living and ended descendants."""
    ticks = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            # utime, stime, and those of children that were waited for, after the name in brackets
            after = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(number) for number in after[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Return the median with the smallest and the largest, as ``1.02 (0.98 to 1.1)``."""
    low, middle, high = min(values), median(values), max(values)
    return f"{middle:.{digits}g} ({low:.{digits}g} to {high:.{digits}g})"


def _bytes_read(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/io").read_text().split("read_bytes:")[1].split()[0])
    return 0


@contextlib.contextmanager
def _group(limit: int | None) -> Iterator[Path | None]:
    """Make a memory cgroup of version 1 or 2 for one run, or give None where that is refused."""
    old = (CGROUPS / "memory").is_dir()
    group = CGROUPS / ("memory" if old else "") / f"chainrule-bench-{os.getpid()}"
    if limit is None:
        yield None
        return
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(limit))
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        yield None
        return
    try:
        yield group
    finally:
        for _ in range(100):  # its processes have ended; Linux may need a moment to see it
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.05)

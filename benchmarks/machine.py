"""The machine's own limit: multiply-adds, reading from memory, a line's way from core to core."""

import math
import os
import platform
import subprocess
import time
from pathlib import Path


def build(folder: Path) -> Path | None:
    """Compile machine.cpp for this machine; None, and a word of it, where there is no compiler."""
    program = folder / "machine"
    compiler = os.environ.get("CXX", "c++")
    source = Path(__file__).with_name("machine.cpp")
    flags = ["-std=c++20", "-O3", "-march=native", "-pthread"]
    try:
        subprocess.run([compiler, *flags, str(source), "-o", str(program)], check=True)
    except FileNotFoundError:
        print(f"No compiler ({compiler}): the machine's limit is not measured")
        return None
    return program


def limits(program: Path, threads: int) -> dict[str, float]:
    """Return GFLOP/s of float32 and of float64, and GB/s of reading."""
    return dict(zip(("float32", "float64", "GB/s"), run(program, str(threads)), strict=True))


def handover(program: Path | None, near: float = math.inf, patience: int = 60) -> float:
    """Return a line's nanoseconds from core to core, when it needs no more than `near`.

    Where it needs more for `patience` seconds, that; 0 where there is no program or one core.
    """
    if program is None or cores() == 1:
        return 0.0
    began = time.monotonic()
    while (ns := run(program, "handover")[0]) > near and time.monotonic() - began < patience:
        time.sleep(1)
    return ns


def run(program: Path, what: str) -> list[float]:
    """Return what the program prints."""
    output = subprocess.run([str(program), what], check=True, capture_output=True, text=True)
    return [float(number) for number in output.stdout.split()]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def description() -> str:
    """Return the processor's name and what it is run by."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{(model or [platform.machine()])[0]}, {cores()} cores, {platform.system()}"

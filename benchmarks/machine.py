"""The machine's own limit: multiply-adds, reading from memory, a line's way from core to core."""

import os
import platform
import subprocess
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
    """Return GFLOP/s of float32 and of float64, GB/s of reading; of two cores, a line's ns."""
    output = subprocess.run(
        [str(program), str(threads)], check=True, capture_output=True, text=True
    ).stdout
    numbers = [float(number) for number in output.split()]
    return dict(zip(("float32", "float64", "GB/s", "handover"), numbers, strict=False))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def description() -> str:
    """Return the processor's name and what it is run by."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{(model or [platform.machine()])[0]}, {cores()} cores, {platform.system()}"

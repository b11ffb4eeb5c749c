"""The machine's own limit: a bare loop of fused multiply-adds, and reading from memory."""

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


def limits(program: Path, threads: int, repeats: int = 3) -> dict[str, float]:
    """Return the best of some runs: GFLOP/s of float32 and of float64, GB/s of reading."""
    runs = []
    for _ in range(repeats):
        output = subprocess.run(
            [str(program), str(threads)], check=True, capture_output=True, text=True
        ).stdout
        runs.append([float(number) for number in output.split()])
    best = [max(column) for column in zip(*runs, strict=True)]
    return dict(zip(("float32", "float64", "GB/s"), best, strict=True))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def description() -> str:
    """Return the processor's name and what it is run by."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{(model or [platform.machine()])[0]}, {cores()} cores, {platform.system()}"

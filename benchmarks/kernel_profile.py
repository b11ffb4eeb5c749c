"""Where the kernel's time goes: ``python -m benchmarks.kernel_profile [WORDS]``.

The cases of the benchmarks that have one of the words in their names (all, without) run for some
seconds in a kernel that keeps its symbols, on one core and on all, while ``perf record`` samples
them.  A sample belongs to the innermost function, inlined or not, that PARTS names.  Needs Linux's
perf and addr2line, and what ``benchmarks.kernel_tricks`` needs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from benchmarks import kernel_tricks, machine
from benchmarks.cases import CASES, Task, prepare
from benchmarks.worker import contestant, environment

SECONDS = 3.0
KINDS = ("gradient", "epoch", "predict")  # of cases that are one call of the kernel
# The kernel comes first: whatever else is imported imports chainrule
WORK = """
import sys
from pathlib import Path
from benchmarks.kernel_tricks import load
load(Path(sys.argv[1]))
from benchmarks.kernel_profile import work
work(*sys.argv[2:])
"""
PARTS = {
    "tiles": ("tile", "narrow_product", "row_times_matrix"),
    "lists of what is not 0": ("list_nonzero", "list_rows", "list_columns"),
    "activations and outputs": ("activate_all", "slope_all", "outputs", "outputs_of_rows"),
    "rows gathered": ("gather_inputs", "gather_outputs"),
    "theta moved": ("update", "collect"),
    "W packed": ("pack", "pack_block", "pack_turned"),
    "waiting": ("wait", "wait_while", "take"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        kernel = Path(scratch) / "kernel"
        kernel_tricks.build(kernel, build_type="RelWithDebInfo")  # nanobind strips a Release
        (module,) = (kernel / "build").glob("_kernel*.so")
        print(
            f"{machine.description()}; of X, the share that is not 0: of a row, of one of 4 rows\n"
        )
        print(f"| work | {' | '.join(PARTS)} | the rest | X |\n|---|{'---:|' * (len(PARTS) + 2)}")
        words = sys.argv[1:] or [""]
        for case in CASES:
            if case.kind not in KINDS or not any(word in case.name for word in words):
                continue
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                prepare(case, Path(folder))
                X = Task(case, Path(folder)).X
                full = ", ".join(f"{share_of_nonzero(X, n):.0%}" for n in (1, 4) if n <= len(X))
                for threads in sorted({1, machine.cores()}):
                    found = sample(module, case.name, Path(folder), threads)
                    shares = [found[part] / found.total() for part in (*PARTS, "the rest")]
                    name = f"{case.name}, {threads} thread{'s' if threads > 1 else ''}"
                    row = " | ".join(f"{share:.0%}" for share in shares)
                    print(f"| {name} | {row} | {full} |", flush=True)


def share_of_nonzero(X: np.ndarray, rows: int) -> float:
    """Return the share of inputs that are not 0 in at least one of so many rows."""
    groups = X[: len(X) // rows * rows].reshape(-1, rows, X.shape[1])
    return float((groups[:5000] != 0).any(axis=1).mean())


def sample(module: Path, case: str, folder: Path, threads: int) -> Counter[str]:
    """Return how many samples fell into each part of the module."""
    recording = folder / "perf.data"
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-o", str(recording)]
    command += [sys.executable, "-c", WORK, str(module), case, str(folder), str(threads)]
    subprocess.run(command, check=True, env=environment(threads, folder))
    script = ["perf", "script", "-i", recording, "-F", "ip,dso", "--show-mmap-events"]
    lines = subprocess.run(script, check=True, capture_output=True, text=True).stdout.splitlines()
    # Where the module's code lies in memory, and in its file: the linker counts as the file does
    begin, length, in_file = next(
        (int(number, 16) for number in found.groups())
        for line in lines
        if module.name in line
        and (found := re.search(r"\[0x(\w+)\(0x(\w+)\) @ (?:0x)?(\w+) .* r-xp", line))
    )
    samples = Counter(
        int(line.split()[0], 16) - begin + in_file
        for line in lines
        if module.name in line and "PERF_RECORD" not in line
    )
    assert all(in_file <= address < in_file + length for address in samples)
    parts: Counter[str] = Counter()
    for address, functions in inlined(module, list(samples)).items():
        parts[part_of(functions)] += samples[address]
    return parts


def inlined(module: Path, addresses: list[int]) -> dict[int, list[str]]:
    """Return the functions that lie around each address of the module, the innermost first."""
    command = ["addr2line", "--exe", module, "-a", "-f", "-i", "-C"]
    text = subprocess.run(
        command, input="\n".join(map(hex, addresses)), check=True, capture_output=True, text=True
    ).stdout
    found: dict[int, list[str]] = {}
    for line in text.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            functions = found.setdefault(int(line, 16), [])
            continue
        functions.append(line)
    return {address: lines[::2] for address, lines in found.items()}  # each is followed by a place


def part_of(functions: list[str]) -> str:
    """Return the part that the innermost function belongs to which belongs to one."""
    for function in functions:
        plain = function.replace("(anonymous namespace)::", "").replace("chainrule::", "")
        name = re.match(r"(?:[\w:&* ]+[ :&*])?(\w+)", plain)
        for part, names in PARTS.items():
            if name and name[1] in names:
                return part
    return "the rest"


def work(name: str, folder: str, threads: str) -> None:
    """Do a case's work for some seconds."""
    if threads == "1":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    case = next(case for case in CASES if case.name == name)
    run, began = contestant(Task(case, Path(folder)), "chainrule", {}), time.monotonic()
    while time.monotonic() - began < SECONDS:
        run()


if __name__ == "__main__":
    main()

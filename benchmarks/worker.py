"""One contestant in a process of its own, told over a pipe when to run.

Own processes keep the libraries' thread pools apart; taking turns, one repetition at a time, makes
whatever else the machine does fall on all alike.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.agreement import BATCHES
from benchmarks.cases import CASES, Case, Settings, Task
from benchmarks.contestants import MODULES

AT_LEAST = 0.05  # seconds: shorter work is done in a loop, so that it meets warm caches
REST = 0.1  # seconds for the last one's pool to fall asleep: OpenBLAS spins for 2^26 cycles


@dataclass(frozen=True)
class Contestant:
    """A library with its settings and its number of threads."""

    package: str
    settings: tuple[tuple[str, object], ...]
    threads: int

    def __str__(self) -> str:
        names = {"compiled": lambda on: "compiled" if on else "eager"}
        words = [names.get(key, f"{key} {{}}".format)(value) for key, value in self.settings]
        return ", ".join([*words, f"{self.threads} thread{'s' if self.threads > 1 else ''}"])


class Worker:
    """The runner's end of the pipe."""

    def __init__(self, contestant: Contestant, case: Case, folder: Path):
        self.contestant = contestant
        arguments = [
            str(folder),
            case.name,
            contestant.package,
            json.dumps(dict(contestant.settings)),
            str(contestant.threads),
        ]
        self.answer_file = folder / f"answer-{id(self)}.npy"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", *arguments, str(self.answer_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(contestant.threads, folder),
        )
        self.seconds: list[float] = []
        self.far = 0  # repetitions that were kept although the cores were not near each other
        self.facts: dict = {}

    def wait_until_ready(self) -> None:
        """Wait for the preparation and the warm-up; facts then holds what it told."""
        self.facts = self._listen()

    def run(self, seed: int) -> float:
        """Do one repetition; return, and note, its seconds."""
        time.sleep(REST)
        self.process.stdin.write(f"{seed}\n")
        self.process.stdin.flush()
        answer = self._listen()
        self.facts.update(answer)
        self.seconds.append(answer["seconds"])
        return answer["seconds"]

    def answer(self) -> np.ndarray:
        """Return what the contestant computed."""
        return np.load(self.answer_file)

    def close(self) -> None:
        """End the process; doing it twice does no harm."""
        self.process.stdin.close()
        self.process.wait()

    def _listen(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.contestant.package} ({self.contestant}) has died")
        return json.loads(line)


def environment(threads: int, folder: Path) -> dict[str, str]:
    """Return a contestant's environment: its threads, and no kernel forced upon a BLAS."""
    forced = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # where set, they slow NumPy down
    env = {name: value for name, value in os.environ.items() if name not in forced}
    env |= {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    # What PyTorch compiles is kept here: an interrupted run must not leave a half-written library
    return env | {"TORCHINDUCTOR_CACHE_DIR": str(folder / "torchinductor")}


def peak_memory() -> int:
    """Return the most memory this process has held, in bytes; 0 where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def blas() -> list[str]:
    """Return the BLAS libraries in this process, with the kernels they chose and their threads."""
    from threadpoolctl import threadpool_info

    return [
        f"{pool['internal_api']} {pool.get('architecture', '')} x {pool['num_threads']}"
        for pool in threadpool_info()
    ]


def main() -> None:
    folder, name, library, settings, threads, answer_file = sys.argv[1:]
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is not for the runner
    if threads == "1":  # some pools know no other way to stay on one core
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    case = next(case for case in CASES if case.name == name)
    task = Task(case, Path(folder))
    run = contestant(task, library, json.loads(settings))
    seeded = case.kind == "accuracy"  # too long to be warmed up: done once, when asked
    loops = 1
    if not seeded:
        checked = run
        if case.kind == "epoch":
            checked = contestant(task.first_batches(BATCHES), library, json.loads(settings))
        np.save(answer_file, checked())
        timed(run, 1)
        seconds = timed(run, 1)
        loops = max(1, round(AT_LEAST / seconds))

    def tell(**facts: object) -> None:
        pipe.write(json.dumps(facts | {"peak_memory": peak_memory()}) + "\n")
        pipe.flush()

    tell(loops=loops, blas=blas())
    for line in sys.stdin:
        if seeded:
            began = time.perf_counter()
            answer = run(int(line))
            seconds = time.perf_counter() - began
            np.save(answer_file, answer)
        else:
            timed(run, loops // 10)  # the others have had the caches meanwhile
            seconds = timed(run, loops)
        tell(seconds=seconds)


def contestant(task: Task, library: str, settings: Settings):
    module = importlib.import_module(f"benchmarks.contestants.{MODULES[library]}")
    return getattr(module, task.case.kind)(task, **settings)


def timed(run, loops: int) -> float:
    """Return the seconds that one of a number of repetitions took."""
    began = time.perf_counter()
    for _ in range(loops):
        run()
    return (time.perf_counter() - began) / max(loops, 1)


if __name__ == "__main__":
    main()

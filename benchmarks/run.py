"""Run the benchmarks: ``python -m benchmarks.run [--quick] [--case WORDS] [--out FOLDER]``.

For each case every library first tries its settings; then all take turns, a repetition each, with
the fastest of them.  The table is of these turns.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path

from benchmarks import agreement, machine, report
from benchmarks.cases import CASES, CONTESTANTS, Case, Task, prepare, stored
from benchmarks.worker import Contestant, Worker

TRIES = 6  # of a repetition, where the cores are to be near each other
PACKAGES = ("chainrule", "numpy", "scikit-learn", "torch", "jax", "onnxruntime")


def main() -> int:
    options = arguments()
    began = time.monotonic()
    cases = [case for case in CASES if case.quick or not options.quick]
    cases = [case for case in cases if options.case.lower() in case.name.lower()]
    if not cases:
        sys.exit(f"No case has {options.case!r} in its name; leave --case out to see them all")
    results: dict = {
        "machine": machine.description(),
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "quick": options.quick,
        "versions": versions(),
        "cases": [],
    }
    threads = sorted({1, machine.cores()})
    with tempfile.TemporaryDirectory() as scratch:
        program = machine.build(Path(scratch))
        # Before each case and after the last, since a machine's clock and neighbours change
        limits: dict[int, list[dict]] = {n: [] for n in threads}
        for case in cases:
            if case.kind == "accuracy" and stored("mnist.npz") is None:
                print(f"{case.name}: skipped, mnist.npz is absent (set CHAINRULE_DATA)")
                continue
            if program:
                for n in threads:
                    limits[n].append(machine.limits(program, n))
            print(case.name, flush=True)
            before = machine.handover(program, options.near)
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                found = measure(case, Path(folder), threads, options, program)
            results["cases"].append(found | {"handover": (before, machine.handover(program))})
            results["limits"] = {
                str(n): {key: statistics.median(limit[key] for limit in runs) for key in runs[0]}
                for n, runs in limits.items()
                if runs
            }
            results["minutes"] = round((time.monotonic() - began) / 60, 1)
            report.write(results, options.out)  # after each case: an interrupted run loses none
    print(report.table(results))
    wrong = [case["name"] for case in results["cases"] if not case["agreed"]]
    if wrong:
        print("NOT the same results: " + "; ".join(wrong), file=sys.stderr)
    return bool(wrong)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the short cases, in under 2 minutes")
    parser.add_argument("--case", default="", help="only cases whose name has these words")
    parser.add_argument("--seconds", type=float, help="for the turns of a case (20; quick: 2)")
    parser.add_argument(
        "--near",
        type=float,
        default=math.inf,
        help="keep a repetition if a line goes from core to core in so many ns, before and after",
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder of results")
    options = parser.parse_args()
    options.seconds = options.seconds or (2 if options.quick else 20)
    return options


def versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            print(f"{package} is not installed: left out")
    return found


def measure(
    case: Case, folder: Path, threads: list[int], options: argparse.Namespace, program: Path | None
) -> dict:
    """Return all figures of a case."""
    source = prepare(case, folder)
    task = Task(case, folder)
    # How many epochs an accuracy takes is chance: a few seeds choose the setting, others measure it
    tries, turns = (3, 5) if case.kind == "accuracy" else (1, 3)
    best, trials = [], []
    repeat = partial(repeat_near, program=program, near=options.near)
    with ExitStack() as stack:
        # One library's settings at a time: dozens of processes at once would not fit in memory
        for _, group in groupby(line_up(case, threads, options), key=lambda one: one.package):
            workers = [Worker(contestant, case, folder) for contestant in group]
            for worker in workers:
                stack.callback(worker.close)
            for worker in workers:
                worker.wait_until_ready()
            take_turns(workers, repeat, 0 if options.quick else options.seconds / 8, tries)
            trials += [entry(worker, case) for worker in workers]
            best.append(min(workers, key=median))
            for worker in workers:
                if worker is not best[-1]:
                    worker.close()
        for worker in best:
            worker.seconds.clear()
            worker.far = 0
        take_turns(best, repeat, options.seconds, turns, first=tries)
    libraries = [entry(worker, case) for worker in best]
    agreed = compare(task, best, libraries)
    return {
        "name": case.name,
        "kind": case.kind,
        "data": source,
        "dtype": case.dtype,
        "activations": [case.hidden, case.output],
        "flops": case.flops(task.X),
        "streamed_bytes": case.streamed_bytes,
        "targets": case.targets,
        "libraries": libraries,
        "trials": trials,
        "agreed": agreed,
    }


def line_up(case: Case, threads: list[int], options: argparse.Namespace) -> list[Contestant]:
    """Return every library with each of its settings; a short run leaves out what compiles long."""
    return [
        Contestant(library, tuple(settings.items()), n)
        for library, choices in CONTESTANTS[case.kind].items()
        for settings in choices
        for n in threads
        if not (options.quick and settings.get("compiled"))
    ]


def take_turns(
    workers: list[Worker],
    repeat: Callable[[Worker, int], None],
    seconds: float,
    at_least: int,
    first: int = 0,
) -> None:
    """Let the workers run in turn, a repetition each, until the time is over; `first` is a seed."""
    began, turn = time.monotonic(), 0
    while turn < at_least or time.monotonic() - began < seconds:
        for worker in workers:
            repeat(worker, first + turn)
        turn += 1


def repeat_near(worker: Worker, seed: int, program: Path | None, near: float) -> None:
    """Let a worker do its repetition, again if the cores were not near each other all the while."""
    for left in reversed(range(TRIES)):
        before = machine.handover(program, near) if near < math.inf else 0.0
        worker.run(seed=seed)
        if near == math.inf or max(before, machine.handover(program)) <= near:
            return
        if before > near or not left:  # they stay far: kept all the same
            break
        worker.seconds.pop()
    worker.far += 1


def median(worker: Worker) -> float:
    return statistics.median(worker.seconds)


def entry(worker: Worker, case: Case) -> dict:
    """Return what is kept of a contestant's repetitions."""
    quarter = sorted(worker.seconds)
    return {
        "library": worker.contestant.package,
        "settings": str(worker.contestant),
        "threads": worker.contestant.threads,
        "median": median(worker),
        "low": quarter[len(quarter) // 4],
        "high": quarter[-1 - len(quarter) // 4],
        "repetitions": len(quarter),
        "repetitions_far": worker.far,  # kept although the cores were not near each other
        "peak_memory_beyond_data": worker.facts["peak_memory"] - case.streamed_bytes,
        "blas": worker.facts["blas"],
    }


def compare(task: Task, workers: list[Worker], libraries: list[dict]) -> bool:
    """Add to each entry what its answer amounts to; return whether all computed the same."""
    answers = [worker.answer() for worker in workers]
    numbers = [
        agreement.check(task, answer, None)[1]
        for worker, answer in zip(workers, answers, strict=True)
        if worker.contestant.package != "chainrule"
    ]
    best_peer = statistics.median(numbers) if task.case.kind == "epoch" else min(numbers)
    for library, answer in zip(libraries, answers, strict=True):
        words, _, fits = agreement.check(task, answer, best_peer)
        library |= {"answer": words, "agrees": fits}
    return all(library["agrees"] for library in libraries)


if __name__ == "__main__":
    sys.exit(main())

"""How soon Ctrl-C and SIGTERM end the command: ``python -m benchmarks.latency [WORDS]...``.

Each case is a command.  It is started again and again and gets SIGINT, as the whole group of a
terminal's processes does, or SIGTERM, as a batch system sends it, at a random moment of its life.
What its stderr said last is the phase in which the signal came.  For each phase, the table has the
longest time until the process has said that it was interrupted, and until it has ended, and what
is wrong: another exit code, a traceback, a process that is left.

Other programs that keep the cores busy are not the command's fault.  Linux counts how long a thread
has waited for a core (/proc/PID/schedstat): the times are without what the main thread waited, and
those in brackets are with it.  Words choose the cases whose names hold one of them; ``MOMENTS=3``
in the environment sets how many signals of each kind a case gets.
"""

from __future__ import annotations

import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from chainrule.photos.strokes import draw_digit
from chainrule.photos.synthetic import Scene, photograph

MOMENTS = int(os.environ.get("MOMENTS", "6"))
COMMAND = str(Path(sys.executable).with_name("chainrule"))
LONGEST = 6.0  # seconds: no later moment is tried
LEFT = 2.0  # seconds after the end in which a child process may still be there
WORD = b"interrupted"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
SCRIPT = """
import sys
import numpy as np
from chainrule import Network, train
rng = np.random.default_rng(0)
X = rng.normal(size=(3000, 20))
Y = np.eye(3)[rng.integers(0, 3, len(X))]
network = Network((20, 60, 3), output={output!r})
print("begun", file=sys.stderr, flush=True)
result = train(network, X, Y, optimizer={optimizer!r}, max_iter=10**6)
print(result.stopped, file=sys.stderr, flush=True)
"""


def cases() -> Iterator[tuple[str, list[str]]]:
    """Yield each case's name and its command, to be run in the folder of `prepare`."""
    train = [COMMAND, "train", "--max-iter", "1000000", "--hidden", "60"]
    yield "version", [COMMAND, "--version"]
    yield "read a table", [COMMAND, "train", "big.csv", "--max-iter", "1", "--lam", "1"]
    yield "read a Parquet file", [COMMAND, "train", "big.parquet", "--max-iter", "1", "--lam", "1"]
    yield "check a large network", [*train[:4], "wide.csv", "--hidden", "1500,1500", "--lam", "1"]
    for optimizer in (
        "lbfgs", "gd", "cg", "scg", "newton-cg", "adam", "adamw", "sgd", "scipy:BFGS", "scipy:CG",
    ):  # fmt: skip
        yield optimizer, [*train, "classes.csv", "--lam", "1", "--optimizer", optimizer]
    for optimizer in ("lm", "br"):
        yield optimizer, [*train, "numbers.csv", "--lam", "1", "--optimizer", optimizer]
        for output in ("sigmoid", "softmax"):
            script = SCRIPT.format(optimizer=optimizer, output=output)
            yield f"{optimizer} of a classifier, {output}", [sys.executable, "-c", script]
    yield "draw", [COMMAND, "train", "classes.csv", "--lam", "1", "--max-iter", "2"]
    yield "cross-validation", [*train[:4], "classes.csv", "--cv"]
    yield "restarts", [*train, "classes.csv", "--lam", "1", "--n-restarts", "8"]
    yield "evaluate", [COMMAND, "evaluate", "classes.safetensors", "classes.csv"]
    yield "classify a photo", [COMMAND, "classify", "photo.png", "--show", "shown.png"]
    yield "train on photos", [COMMAND, "train", "own", "--from", "shipped"]
    yield "check-gradient", [COMMAND, "check-gradient", "own.py"]
    yield "drive", [COMMAND, "drive", "--minutes", "0.5", "--tracks", "2"]
    yield "drive train", [COMMAND, "drive", "train", "watched.npz"]
    yield "drive go", [COMMAND, "drive", "go", "alvinn.safetensors", "--tracks", "4"]


OWN = """
import numpy as np
from chainrule import Network, cost_and_gradient
network = Network((40, 60, 5))
rng = np.random.default_rng(0)
X, y, theta = rng.random((500, 40)), np.arange(500) % 5, rng.normal(size=network.size) / 9
def cost(theta):
    J, D = cost_and_gradient(network, theta, X, y)
    return J, D * 1.001
"""


def prepare(folder: Path) -> None:
    """Write what the commands read."""
    rng = np.random.default_rng(0)
    for name, m, n in (("big", 200_000, 20), ("classes", 4_000, 20), ("wide", 1_000, 300)):
        X = rng.normal(size=(m, n)).round(4)
        y = (X[:, :3] + rng.normal(size=(m, 3))).argmax(axis=1)
        table = np.column_stack([X, y])
        header = ",".join([*(f"x{i}" for i in range(n)), "class"])
        np.savetxt(folder / f"{name}.csv", table, "%g", ",", header=header, comments="")
    X = rng.normal(size=(2_000, 20)).round(4)
    table = np.column_stack([X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2]])
    header = ",".join([*(f"x{i}" for i in range(20)), "y"])
    np.savetxt(folder / "numbers.csv", table, "%g", ",", header=header, comments="")
    import polars

    polars.read_csv(folder / "big.csv").write_parquet(folder / "big.parquet")
    for name, rows in (("photo", ["0123456789"] * 6), ("one", ["0123456789"])):
        rgb, _ = photograph(rows, Scene(), draw_digit, rng)
        Image.fromarray(rgb).save(folder / f"{name}.png")
    (folder / "own.py").write_text(OWN)
    quick = ["--max-iter", "5", "--lam", "1", "--out", "classes.safetensors"]
    for made in (
        ["train", "classes.csv", *quick],
        ["collect", "one.png", "--label", "0123456789", "--folder", "own"],
        ["drive", "watch", "--minutes", "0.5"],
        ["drive", "train", "watched.npz"],
    ):
        subprocess.run([COMMAND, *made], cwd=folder, check=False, capture_output=True)


@dataclass(frozen=True)
class Found:
    """What one signal came to; times in seconds, with the wait for a core beside."""

    phase: str
    word: tuple[float, float] | None
    end: tuple[float, float]
    computed: float  # of all its threads, until the end
    wrong: str


def main() -> None:
    words = sys.argv[1:]
    rng = random.Random(int(os.environ.get("SEED", "0")))
    worst: list[float] = []
    print("| case | phase | signals | ms to the word | ms to the end | ms computed | wrong |")
    print("|---|---|---:|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        for case, command in cases():
            if words and not any(word in case for word in words):
                continue
            phases: defaultdict[str, list[Found]] = defaultdict(list)
            _, lasts = run(command, Path(name), None, signal.SIGTERM)
            for number in CODES:
                tries = 0
                done = 0
                while done < MOMENTS and tries < 3 * MOMENTS:
                    tries += 1
                    found, _ = run(command, Path(name), rng.uniform(0, lasts), number)
                    if found is not None:
                        done += 1
                        phases[found.phase].append(found)
            for phase, all_found in phases.items():
                ends = [found.end for found in all_found]
                spoken = [found.word for found in all_found if found.word is not None]
                wrong = ", ".join(sorted({found.wrong for found in all_found} - {""}))
                print(
                    f"| {case} | {phase} | {len(all_found)} | {largest(spoken)} | {largest(ends)} "
                    f"| {1e3 * max(found.computed for found in all_found):.0f} | {wrong} |",
                    flush=True,
                )
                worst += [end[0] for end in ends]
    if worst:
        late = sum(seconds > 0.1 for seconds in worst)
        print(f"\n{len(worst)} signals, {late} took over 100 ms, the worst {1e3 * max(worst):.0f}")


def largest(times: list[tuple[float, float]]) -> str:
    """Return the longest, in milliseconds, and with the wait for a core in brackets."""
    if not times:
        return "-"
    own, wall = max(times)
    return f"{1e3 * own:.0f} ({1e3 * wall:.0f})"


def run(
    command: list[str], folder: Path, moment: float | None, number: signal.Signals
) -> tuple[Found | None, float]:
    """Start a command, send a signal at a moment; return what was found and how long it ran."""
    with tempfile.TemporaryDirectory() as name:
        own = Path(name, "work")
        shutil.copytree(folder, own, copy_function=os.link)
        return run_in(command, own, moment, number)


def run_in(
    command: list[str], folder: Path, moment: float | None, number: signal.Signals
) -> tuple[Found | None, float]:
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0,
        start_new_session=True,
    )  # fmt: skip
    pid, pipe = process.pid, process.stderr
    assert pipe is not None
    os.set_blocking(pipe.fileno(), False)
    over = os.pidfd_open(pid)
    said, sent, phase = b"", None, ""
    word: tuple[float, float] | None = None
    waited = computed = 0.0
    while True:
        now = time.monotonic()
        if sent is None and now - began >= (LONGEST if moment is None else moment):
            if moment is None:
                os.killpg(pid, signal.SIGKILL)
            said += pipe.read() or b""
            phase = phase_of(said, pid)
            waited, computed = delay(pid), time.clock_gettime(~pid << 3 | 2)
            sent = time.monotonic()
            (os.killpg if number == signal.SIGINT else os.kill)(pid, number)
        pause = None if sent is not None else max(0.0, began + (moment or LONGEST) - now)
        ready = select.select([pipe, over], [], [], pause)[0]
        now = time.monotonic()
        if pipe in ready and (more := pipe.read()):
            if sent is not None and word is None and WORD in more:
                word = now - sent - (delay(pid) - waited), now - sent
            said += more
        elif over in ready:
            break
        elif pipe in ready:  # it has closed its stderr
            select.select([over], [], [])
            now = time.monotonic()
            break
    lasts = now - began
    delayed = delay(pid) - waited
    _, status, used = os.wait4(pid, 0)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    cpu = used.ru_utime + used.ru_stime - computed
    pipe.close()
    os.close(over)
    left = processes_left(pid)
    if moment is None or sent is None or code == 0:
        return None, lasts
    wrong = ""
    if b"Traceback" in said or b"Exception ignored" in said:
        wrong = f"a traceback ({code})"
    elif code != CODES[number] and not (command[0] == sys.executable and code in (0, -15)):
        wrong = f"exit code {code}"
    if wrong and (log := os.environ.get("LOG")):
        with Path(log).open("ab") as file:
            file.write(
                b"%s, %s: %s\n%s\n" % (*(w.encode() for w in (command[-1], phase, wrong)), said)
            )
    if left:
        wrong += f" {left} processes left"
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return Found(phase, word, (now - sent - delayed, now - sent), cpu, wrong.strip()), lasts


def phase_of(said: bytes, pid: int) -> str:
    """Return the phase of a command by what it said last."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode(errors="replace"))
    steps = re.findall(r"^([1-6] [A-Z].*)$|^(.*\bJ went from\b.*)$", text, re.M)
    if steps:
        last = steps[-1]
        return "after training" if last[1] else f"step {last[0][:40].strip()}"
    if text.strip():
        return "after the first word"
    caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    heeds = caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1
    return "before the first word" if heeds else "the interpreter starts"


def delay(pid: int) -> float:
    """Return how many seconds a process's main thread has waited for a core."""
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError):
        return 0.0


def processes_left(group: int) -> int:
    """Return how many processes of a group are still there a while after its leader's end."""
    until = time.monotonic() + LEFT
    while (left := at_work(group)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def at_work(group: int) -> int:
    """Return how many processes of a group have not ended, whoever has yet to ask how they did."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has gone meanwhile
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            count += state != "Z" and int(its_group) == group
    return count


if __name__ == "__main__":
    main()

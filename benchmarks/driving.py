"""How well networks drive that learnt on the fly, and what each trick of ALVINN's is worth.

    python -m benchmarks.driving 4 8 29 1988 --teacher
    python -m benchmarks.driving no-views one-hot --tracks 20
    python -m benchmarks.driving 4 --minutes 0.5 1 2 3 5 --tracks 20 --first-seed 100
    python -m benchmarks.driving 4 8 29 1988 --tracks 0     # only learn: the seconds of training

Every row learns anew from five simulated minutes and drives tracks that nobody has seen; the
numbers are written as they come in.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from chainrule.driving import learning, retina
from chainrule.driving.driver import Driver
from chainrule.driving.hill import Hill
from chainrule.driving.laps import Lap, drive_all
from chainrule.driving.learning import Student, learn
from chainrule.engine.predicting import predict

FIRST_TRACK = 1000


class OneUnit:
    """A number as the activation of one linear unit."""

    units = 1

    def __init__(self, hill: Hill) -> None:
        self.middle, self.scale = (hill.low + hill.high) / 2, (hill.high - hill.low) / 2

    def encode(self, values):
        return ((np.asarray(values)[:, None] - self.middle) / self.scale).astype(np.float32)

    def decode(self, activations):
        return float(activations[0] * self.scale + self.middle)


class Constant:
    """A number that is always the same and takes no unit: cruise control."""

    units = 0

    def __init__(self, value: float) -> None:
        self.value = value

    def encode(self, values):
        return np.empty((len(values), 0), np.float32)

    def decode(self, activations):
        return self.value


STEERING, SPEED = learning.STEERING, learning.SPEED
NARROW = 1e-3  # the spread of a hill of which one unit is left
ROWS = {
    "4": ("4 hidden units", {}, {}),
    "8": ("8 hidden units", {"hidden": 8}, {}),
    "29": ("29 hidden units", {"hidden": 29}, {}),
    "1988": (
        "29 hidden, 45 outputs, the hill of 1988",
        {"hidden": 29, "steering": Hill(STEERING.low, STEERING.high, 45, 8.0)},
        {},
    ),
    "no-views": ("no displaced views", {"displaced": 0}, {}),
    "no-mixture": ("the teacher drives all the time", {}, {"mixture": False}),
    "no-views-no-mixture": ("neither of the two", {"displaced": 0}, {"mixture": False}),
    "small-buffer": ("a buffer of 200 patterns", {"capacity": 200}, {}),
    "no-buffer": ("no buffer: the latest 1,500 patterns", {}, {}),
    "one-hot": (
        "one-hot targets",
        {
            "steering": Hill(STEERING.low, STEERING.high, 30, NARROW),
            "speed": Hill(SPEED.low, SPEED.high, 30, NARROW),
        },
        {},
    ),
    "one-unit": (
        "one linear output each",
        {"steering": OneUnit(STEERING), "speed": OneUnit(SPEED), "output": "identity"},
        {},
    ),
    **{
        f"cruise-{speed}": (f"cruise control at {speed}", {"speed": Constant(speed)}, {})
        for speed in (50, 60, 70)
    },
}


class Latest:
    """The newest patterns, about a lap's, whatever they are: no buffer in Pomerleau's sense."""

    def __init__(self) -> None:
        self.images, self.targets = np.empty((0, 960), np.float32), np.empty((0, 2))

    def add(self, images, targets) -> None:
        self.images = np.vstack([self.images, images])[-1500:]
        self.targets = np.vstack([self.targets, targets])[-1500:]


def learnt(name: str, minutes: float, seed: int) -> tuple[Driver, float]:
    """Return a row's driver and the seconds of its training."""
    _, student_options, lesson = ROWS[name]
    student = Student(**{"seed": seed, **student_options})
    if name == "no-buffer":
        student.buffer = Latest()
    driver = learn(student, minutes=minutes, seed=seed, **lesson)
    return driver, student.seconds


def cells(laps: list[Lap]) -> str:
    """Return the table cells of laps."""
    if not laps:
        return " | | | "
    scores = [lap.score for lap in laps]
    return (
        f"{np.mean(scores):.1f} | {sum(lap.completed for lap in laps)} of {len(laps)} | "
        f"{np.mean([lap.lateral_mean for lap in laps]):.2f} | "
        f"{np.mean([lap.lateral_p95 for lap in laps]):.2f}"
    )


HEADING = "| | mean score | laps | off the middle | 95 % | training, s |\n|---|---|---|---|---|---|"


def microseconds(call, repeats=2000) -> float:
    """Return the median time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e6 * float(np.median(times))


def decision(driver: Driver) -> str:
    """Return how long a decision takes, and the network's part in it."""
    frame = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    image = retina.see(frame, 50)[None]
    whole = microseconds(lambda: driver(frame, 50))
    network = microseconds(lambda: predict(driver.network, driver.theta, image))
    return f"one decision: {whole:.0f} microseconds, of which the network {network:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", help=", ".join(ROWS))
    parser.add_argument("--tracks", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=FIRST_TRACK)
    parser.add_argument("--minutes", type=float, nargs="+", default=[5.0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--teacher", action="store_true", help="the teacher's row too")
    parser.add_argument("--out", type=Path, help="a file to add the rows to")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.tracks)

    def tell(line: str) -> None:
        print(line, flush=True)
        if options.out is not None:
            with options.out.open("a") as file:
                file.write(line + "\n")

    tell(HEADING)
    if options.teacher:
        tell(f"| the teacher | {cells(list(drive_all(None, seeds)))} | |")
    for name in options.rows:
        for minutes in options.minutes:
            driver, seconds = learnt(name, minutes, options.seed)
            what = ROWS[name][0] + (f", {minutes:g} minutes" if len(options.minutes) > 1 else "")
            tell(f"| {what} | {cells(list(drive_all(driver, seeds)))} | {seconds:.1f} |")
            print(decision(driver), flush=True)


if __name__ == "__main__":
    main()

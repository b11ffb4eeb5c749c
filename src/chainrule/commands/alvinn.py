"""What ``chainrule drive`` does and says: watch, train, go, and all in one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from chainrule.commands import keeping, terminal
from chainrule.commands.exits import fail, saved
from chainrule.common.checks import DataError
from chainrule.common.files import read_bytes, write_whole
from chainrule.common.types import Array
from chainrule.datasets.arrays import npz_arrays
from chainrule.driving import driver as drivers
from chainrule.driving.drawing import Film, hidden_units
from chainrule.driving.game import (
    FRAMES_A_SECOND,
    LOCK,
    LOOKS_EVERY,
    MOST_FRAMES,
    Orders,
    Race,
)
from chainrule.driving.laps import Lap, drive, drive_all
from chainrule.driving.learning import FIRST_TRACK, LAST_EPOCHS, Instructor, Student, learn
from chainrule.driving.person import KEYS, LessonOver, Person, close_window
from chainrule.driving.teacher import Teacher
from chainrule.workbench.telling import percent
from chainrule_command import at_stake, interrupted

Teach = Literal["geometry", "keyboard"]
INSTRUCTORS: dict[Teach, type[Teacher] | type[Person]] = {"geometry": Teacher, "keyboard": Person}
FASTEST = 1000.0  # a speed that nobody orders


@contextmanager
def _bar(what: str, total: float) -> Iterator[Any]:
    """Yield a function (done, note) that moves a bar on stderr."""
    with terminal.Bar(
        TextColumn(what),
        BarColumn(bar_width=24, complete_style="cyan", finished_style="cyan"),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(compact=True),
    ) as progress:
        task = progress.add_task("", total=total, note="")
        yield lambda done, note="": progress.update(task, completed=done, note=note)


@contextmanager
def _lesson(what: str, minutes: float, teach: Teach) -> Iterator[Any]:
    """Yield a bar for a lesson; its place and time are seconds of driving."""
    INSTRUCTORS[teach](Race(FIRST_TRACK))  # an error comes before the bar is drawn
    if teach == "keyboard":
        terminal.say(f"press a key in the window to start: {KEYS}")
    with _bar(what, minutes * 60) as bar:
        yield bar
    if teach == "keyboard":
        close_window()


def watch(out: Path, minutes: float, seed: int, teach: Teach) -> None:
    """Record a teacher: the frames at which a driver looks, and what the teacher orders.

    A signal ends the lesson; what was watched until then is written.
    """
    most = round(minutes * 60 * FRAMES_A_SECOND)
    looks: list[tuple[Array, int, tuple[float, float]]] = []
    lap, cut = 0, False
    at_stake.set()
    try:
        with _lesson("watching", minutes, teach) as bar, suppress(LessonOver):
            while len(looks) * LOOKS_EVERY < most:
                race = Race(FIRST_TRACK + 1000 * seed + lap)
                instructor: Instructor = INSTRUCTORS[teach](race)
                lap += 1
                while not race.done and len(looks) * LOOKS_EVERY < most:
                    if race.frames % LOOKS_EVERY == 0:
                        order = instructor()
                        looks.append((race.frame(), race.frames, (order.steering, order.speed)))
                        bar(len(looks) * LOOKS_EVERY / FRAMES_A_SECOND, f"lap {lap}")
                    race.step(order, race.speed)
    except KeyboardInterrupt:
        if not looks:
            raise
        terminal.say("interrupted: what was watched so far is being written")
        cut = True
    if not looks:
        raise ValueError("no driving was watched, so nothing is written")
    frames, numbers, orders = zip(*looks, strict=True)

    def write(file: BinaryIO) -> None:
        np.savez_compressed(file, frames=frames, numbers=numbers, orders=orders, seed=seed)

    write_whole(out, write)
    terminal.say(
        f"{out}: {len(frames):,} frames of {lap} lap{'s' * (lap > 1)}, each with the teacher's "
        "orders"
    )
    if cut:
        sys.exit(interrupted())


def train(recording: Path, out: Path, hidden: int, seed: int) -> None:
    """Train on a recording, without ever taking the wheel."""
    student = Student(hidden, seed)
    for frame, number, order in zip(*watched(recording), strict=True):
        student.watch(frame, int(number), Orders(*order.tolist()))
    terminal.say(f"training {hidden} hidden units on {len(student.buffer.images):,} views")
    at_stake.set()
    with terminal.Terminal() as tell:
        keeper = keeping.beside(out, tell)
        result = student.practise(LAST_EPOCHS, settle=True, checkpoint=keeper)
    _save(out, student, seed)
    keeping.end_if_interrupted(result, out, keeper)
    keeper.remove()
    _draw(out, student)


def watched(recording: Path) -> tuple[Array, Array, Array]:
    """Return what `watch` has written: frames, their numbers in the lap, and the orders."""
    try:
        arrays = npz_arrays(str(recording), read_bytes(recording))
        frames, numbers, orders = (arrays[name] for name in ("frames", "numbers", "orders"))
        m = frames.size // (96 * 96 * 3)
        fits = (
            m > 0
            and frames.shape == (m, 96, 96, 3)
            and numbers.shape == (m,)
            and orders.shape == (m, 2)
            and [a.dtype.kind for a in (frames, numbers, orders)] == ["u", "i", "f"]
            and ((numbers >= 0) & (numbers < MOST_FRAMES)).all()
            and (np.abs(orders - (0, FASTEST / 2)) <= (LOCK, FASTEST / 2)).all()
        )
    except (DataError, KeyError):
        fits = False
    if not fits:
        raise DataError(f"{recording}: is no recording of 'chainrule drive watch', or is damaged")
    return frames, numbers, orders


def learn_on_the_fly(
    out: Path, minutes: float, hidden: int, seed: int, teach: Teach
) -> dict[str, float]:
    """Learn while watching, and take over more and more; return facts about the lesson."""
    student = Student(hidden, seed)
    at_stake.set()
    with _saving_if_cut(out, student, seed), _lesson("learning", minutes, teach) as bar:

        def progress(frame: int, own: float) -> None:
            if frame % 50 == 0:
                bar(frame / FRAMES_A_SECOND, f"this lap: {percent(own)} by the network")

        learn(student, minutes=minutes, seed=seed, instructor=INSTRUCTORS[teach], progress=progress)
    _save(out, student, seed)
    _draw(out, student)
    return {"minutes": round(student.minutes, 2), "training_seconds": round(student.seconds, 2)}


@contextmanager
def _saving_if_cut(out: Path, student: Student, seed: int) -> Iterator[None]:
    """Save what a student has learnt, where a signal ends the lesson after its first lap."""
    try:
        yield
    except KeyboardInterrupt:
        if not student.has_practised:
            raise
        _save(out, student, seed)
        watched = terminal.duration(60 * round(student.minutes, 2))
        fail(
            f"interrupted: what was learnt in {watched} min of driving is saved in {out}: "
            f"chainrule drive go {out}",
            interrupted(),
        )


def _save(out: Path, student: Student, seed: int) -> None:
    drivers.save(out, student.driver(), seed, {"minutes": round(student.minutes, 2)})


def _draw(out: Path, student: Student) -> None:
    """Draw what a network has learnt to look for, and say what is saved."""
    picture = out.with_suffix(".png")
    with saved(f"the network is saved in {out}, but not its picture"):
        write_whole(picture, hidden_units(student.driver()).savefig)
    watched = terminal.duration(60 * round(student.minutes, 2))
    terminal.say(
        f"trained in {student.seconds:.1f} s on {watched} min of driving: {out}, and what its "
        f"hidden units look for: {picture}"
    )


def go(model: Path, tracks: int, first_seed: int, film: Path, as_json: bool, **facts: Any) -> None:
    """Let a network drive unseen tracks, and the teacher too, and say how it went."""
    driver = drivers.load(model)
    seeds = range(first_seed, first_seed + tracks)
    Race(first_seed)  # an error comes before the bar is drawn
    teachers: list[Lap] = []
    laps: list[Lap] = []
    with _bar("driving", 2 * tracks + 1) as bar:
        for lap in drive_all(None, seeds):
            teachers.append(lap)
            bar(len(teachers), "the teacher, for comparison")
        for lap in drive_all(driver, seeds):
            laps.append(lap)
            note = f"mean score {np.mean([lap.score for lap in laps]):.0f}, {_completed(laps)}"
            bar(tracks + len(laps), note)
        recorder = Film(driver)
        drive(driver, first_seed, recorder)
        recorder.save(film)
        bar(2 * tracks + 1, note)
    terminal.say(f"the first of them, seen by the network: {film}")
    if as_json:
        told = {
            "tracks": [asdict(lap) for lap in laps],
            "teacher": [asdict(lap) for lap in teachers],
            "mean": _means(laps),
            "teacher_mean": _means(teachers),
            "hidden": driver.network.layers[1],
            **facts,
        }
        print(json.dumps(told))
    else:
        _table(laps, teachers)


def _means(laps: list[Lap]) -> dict[str, float]:
    """Return the means over laps, and how many were completed."""
    names = ("score", "lateral_mean", "lateral_p95")
    means = {name: float(np.mean([getattr(lap, name) for lap in laps])) for name in names}
    return {**means, "completed": sum(lap.completed for lap in laps)}


def _completed(laps: list[Lap]) -> str:
    return f"{sum(lap.completed for lap in laps)} of {len(laps)} laps completed"


def _table(laps: list[Lap], teachers: list[Lap]) -> None:
    """Print a line for each track, and the means."""
    table = Table(box=None, pad_edge=False)
    for heading in ("track", "score", "lap", "off the middle", "95 %", "teacher", "off", "95 %"):
        table.add_column(heading, justify="right")

    def row(name: str, lap: str, own: dict[str, Any], his: dict[str, Any]) -> None:
        cells = [f"{own['score']:.1f}", lap]
        cells += [f"{own['lateral_mean']:.2f}", f"{own['lateral_p95']:.2f}"]
        cells += [f"{his['score']:.1f}", f"{his['lateral_mean']:.2f}", f"{his['lateral_p95']:.2f}"]
        table.add_row(name, *cells)

    for lap, teacher in zip(laps, teachers, strict=True):
        row(str(lap.seed), "done" if lap.completed else "no", asdict(lap), asdict(teacher))
    row("mean", f"{sum(lap.completed for lap in laps)}", _means(laps), _means(teachers))
    terminal.data_console().print(table)
    print("off the middle of the road: mean and 95th percentile, in half widths of the road")

"""Learning on the fly: the network watches a driver and takes over more and more.

The teacher drives the first lap.  After each lap the network practises on what it has seen; from
then on the network drives.  The teacher says at every frame what he would do, and takes over for
half a second where the network goes wrong.  So it sees how its own mistakes are put right (a
mixture of two drivers, as in DAgger: Ross, Gordon and Bagnell 2011).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import numpy as np

from chainrule.common.types import Array
from chainrule.driving import retina
from chainrule.driving.buffer import Buffer
from chainrule.driving.driver import SPEED, STEERING, Code, Driver
from chainrule.driving.game import FRAMES_A_SECOND, LOOKS_EVERY, Orders, Race
from chainrule.driving.person import LessonOver
from chainrule.driving.teacher import Teacher
from chainrule.driving.views import views
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks
from chainrule.optimize import Result, State
from chainrule.training.checkpoint import Checkpoint
from chainrule.training.steps import train

LEARNING_RATE = 0.004
LAM = (100.0, 0.0)  # without it a receptor that rarely sees road gets a huge weight
EPOCHS, LAST_EPOCHS = 30, 200  # of practice after a lap, and after the last one
KINDS = np.linspace(-0.28, 0.28, 25)  # the limits of the buffer's kinds of steering
HELD = 12  # looks, half a second, for which a teacher who has taken over keeps the wheel
FIRST_TRACK = 1_000_000  # seeds from here on are tracks to watch; those below, to drive


class Student:
    """A network that learns to drive while it watches.

    Parameters
    ----------
    hidden : int, default=4
        The number of its hidden units.
    seed : int, default=0
        Seed of its first weights, the displaced views, the buffer and the order of practice.
    capacity : int, default=20000
        Patterns in the buffer.  A large one costs only memory here; Pomerleau's held 200.
    displaced : int, default=3
        How many displaced views of each frame it makes for itself.
    steering, speed : Code
        What its output units mean.
    output : str, default="sigmoid"
        The output units' activation.

    Attributes
    ----------
    minutes : float
        Simulated minutes of driving watched so far.
    seconds : float
        Seconds of practice so far.
    """

    def __init__(
        self,
        hidden: int = 4,
        seed: int = 0,
        *,
        capacity: int = 20_000,
        displaced: int = 3,
        steering: Code = STEERING,
        speed: Code = SPEED,
        output: str = "sigmoid",
    ) -> None:
        self.network = Network((960, hidden, steering.units + speed.units), output=output)
        self.buffer = Buffer(capacity, KINDS, np.random.default_rng(seed))
        self.minutes = self.seconds = 0.0
        self._codes = steering, speed
        self._displaced, self._seed = displaced, seed
        self._rng = np.random.default_rng((seed, 1))
        self._state: State | None = None
        self._mean = np.zeros(960, np.float32)

    def watch(self, frame: Array, frame_number: int, orders: Orders) -> None:
        """Remember a frame and what the driver did, with displaced views of it."""
        seen = views(frame, frame_number, orders, self._displaced, self._rng)
        self.buffer.add(*seen)
        self.minutes += LOOKS_EVERY / FRAMES_A_SECOND / 60

    def practise(
        self,
        epochs: int = EPOCHS,
        *,
        settle: bool = False,
        checkpoint: Checkpoint | None = None,
    ) -> Result:
        """Train on what is in the buffer.

        Parameters
        ----------
        epochs : int
        settle : bool, default=False
            Whether the learning rate falls to almost nothing meanwhile.
        checkpoint : Checkpoint, optional
            As for `chainrule.train`.

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            If it has watched nothing.
        """
        if not len(self.buffer.images):
            raise ValueError("there is nothing to learn from: no driving was watched")
        start = time.perf_counter()
        steering, speed = self._codes
        if self._state is None:  # most receptors see grass: only what varies is worth learning
            self._mean = self.buffer.images.mean(axis=0)
        targets = self.buffer.targets
        result = train(
            self.network,
            self.buffer.images - self._mean,
            np.hstack([steering.encode(targets[:, 0]), speed.encode(targets[:, 1])]),
            lam=LAM,
            optimizer="adam",
            learning_rate=_settling(self._state, epochs) if settle else LEARNING_RATE,
            batch_size=64,
            max_iter=epochs,
            patience=None,
            state=self._state,
            check=self._state is None,
            seed=self._seed,
            dtype=np.float32,
            checkpoint=checkpoint,
            threads=1,  # batches are small: on busy cores two threads mostly wait for each other
        )
        assert isinstance(result.state, State)
        self._state = result.state
        self.seconds += time.perf_counter() - start
        return result

    @property
    def has_practised(self) -> bool:
        """Whether there is a network that can drive."""
        return self._state is not None

    def driver(self) -> Driver:
        """Return the network as it is now, at the wheel."""
        assert self._state is not None, "it has not practised yet"
        theta = self._state.theta.copy()
        Theta_T = blocks(self.network, theta)[0]
        Theta_T[0] -= self._mean @ Theta_T[1:]  # the mean goes into the biases
        return Driver(self.network, theta, *self._codes)


def _settling(state: State | None, epochs: int) -> Callable[[int], float]:
    """Return learning rates that go from the usual one to almost nothing, along a cosine."""
    first = 0 if state is None else state.epoch
    return lambda epoch: (
        LEARNING_RATE * (0.505 + 0.495 * math.cos(math.pi * (epoch - first) / epochs))
    )


class Instructor(Protocol):
    """Whom the network watches: `Teacher`, or a person, who may end the lesson early."""

    def __call__(self) -> Orders:
        """Return what to do now, or raise `LessonOver`."""

    def objects_to(self, orders: Orders) -> bool:
        """Say whether another driver's orders are unacceptable."""


def learn(
    student: Student,
    *,
    minutes: float = 5.0,
    seed: int = 0,
    instructor: Callable[[Race], Instructor] = Teacher,
    mixture: bool = True,
    progress: Callable[[int, float], None] = lambda frame, share: None,
) -> Driver:
    """Let a student learn on the fly.

    Parameters
    ----------
    student : Student
    minutes : float, default=5.0
        Minutes of driving that it watches, whoever drives: every frame has the teacher's orders.
    seed : int, default=0
        Seed of the tracks.
    instructor : callable, default=Teacher
        Makes the instructor for a `Race`.
    mixture : bool, default=True
        Whether the network takes over after the first lap, or the teacher drives all the time.
    progress : callable, optional
        Called after each frame with how many have passed, and which share of this lap's frames
        the network drove.

    Returns
    -------
    Driver

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C ends the lesson; the student has what it has learnt up to then.
    """
    frames, lap, most = 0, 0, round(minutes * 60 * FRAMES_A_SECOND)
    driver: Driver | None = None
    with suppress(LessonOver):
        while frames < most:
            race = Race(FIRST_TRACK + 1000 * seed + lap)
            teacher = instructor(race)
            held = own = 0
            while not race.done and frames < most:
                if race.frames % LOOKS_EVERY == 0:
                    frame = race.frame()
                    at_wheel = orders = teacher()
                    student.watch(frame, race.frames, orders)
                    if driver is not None:
                        tried = driver(frame, race.frames)
                        held = HELD if teacher.objects_to(tried) else held - 1
                        at_wheel = orders if held > 0 else tried
                    own += at_wheel is not orders
                race.step(at_wheel, retina.speed(frame))
                frames += 1
                progress(frames, own * LOOKS_EVERY / race.frames)
            lap += 1
            refuse_interrupted(student.practise())
            if mixture:
                driver = student.driver()
    refuse_interrupted(student.practise(LAST_EPOCHS, settle=True))
    return student.driver()


def refuse_interrupted(practice: Result) -> None:
    """Let a signal that ended the practice end the lesson."""
    if practice.interrupted:
        raise KeyboardInterrupt

"""A person as the teacher, with the keyboard."""

from __future__ import annotations

from typing import Any

from chainrule.driving.driver import SPEED
from chainrule.driving.game import FRAMES_A_SECOND, LOOKS_EVERY, Orders, Race

WHEEL = 0.2  # the steering of an arrow key that is held, in radians
TURNING = 1.0 * LOOKS_EVERY / FRAMES_A_SECOND  # how far the wheel turns between two looks
ACCELERATION = 40.0 * LOOKS_EVERY / FRAMES_A_SECOND
KEYS = "left and right steer, up and down set the speed, Escape ends the lesson"


class LessonOver(Exception):
    """The person has ended the lesson."""


class Person:
    """A driver at the keyboard: arrows left and right steer, up and down change the speed.

    The car keeps the speed that was set, as with cruise control, so that there is an answer to
    learn at every frame.  Time stands still until the first key: nobody is ready at once.

    Parameters
    ----------
    race : Race

    Raises
    ------
    ValueError
        If there is no screen.

    Notes
    -----
    Escape, or closing the window, raises `LessonOver`.
    """

    def __init__(self, race: Race) -> None:
        import pygame

        try:
            pygame.display.init()
        except pygame.error:
            seen = False
        else:
            seen = pygame.display.get_driver() != "offscreen"  # what SDL draws to without a screen
        if not seen:
            raise ValueError("--teach keyboard: there is no screen here: run it where there is one")
        self._pygame: Any = pygame
        self._race = race
        self._begun = False
        self._held: set[int] = set()
        self._steering, self._speed = 0.0, SPEED.low
        self._clock = pygame.time.Clock()

    def __call__(self) -> Orders:
        """Show the road and return what the keys say."""
        self._look()
        while not self._begun:
            self._look()
        pygame, held = self._pygame, self._held
        wanted = WHEEL * ((pygame.K_RIGHT in held) - (pygame.K_LEFT in held))
        turn = max(-TURNING, min(TURNING, wanted - self._steering))
        faster = ACCELERATION * ((pygame.K_UP in held) - (pygame.K_DOWN in held))
        self._steering += turn
        self._speed = max(SPEED.low, min(SPEED.high, self._speed + faster))
        return Orders(self._steering, self._speed)

    def _look(self) -> None:
        """Show the road, wait until the next look is due, and take in which keys are held."""
        pygame = self._pygame
        self._race.frame("human")
        pygame.display.set_caption(KEYS if self._begun else f"press a key to start: {KEYS}")
        self._clock.tick(FRAMES_A_SECOND / LOOKS_EVERY)
        for event in pygame.event.get((pygame.KEYDOWN, pygame.KEYUP, pygame.QUIT)):
            if event.type == pygame.QUIT or getattr(event, "key", None) == pygame.K_ESCAPE:
                raise LessonOver
            if event.type == pygame.KEYDOWN:
                self._begun = True
                self._held.add(event.key)
            else:
                self._held.discard(event.key)

    def objects_to(self, orders: Orders) -> bool:
        """Say that nobody else drives."""
        return True


def close_window() -> None:
    """Close the window of the lessons, where there was one."""
    import pygame

    pygame.display.quit()

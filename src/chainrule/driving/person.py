"""A person as the teacher, with the keyboard."""

from __future__ import annotations

import os
import sys
from typing import Any

from chainrule.driving.driver import SPEED
from chainrule.driving.game import FRAMES_A_SECOND, LOOKS_EVERY, Orders, Race

WHEEL = 0.2  # the steering of an arrow key that is held, in radians
TURNING = 1.0 * LOOKS_EVERY / FRAMES_A_SECOND  # how far the wheel turns between two looks
ACCELERATION = 40.0 * LOOKS_EVERY / FRAMES_A_SECOND


class Person:
    """A driver at the keyboard: arrows left and right steer, up and down change the speed.

    The car keeps the speed that was set, as with cruise control, so that there is an answer to
    learn at every frame.  Escape ends the lesson as Ctrl-C does.

    Parameters
    ----------
    race : Race

    Raises
    ------
    ValueError
        If there is no screen.
    """

    def __init__(self, race: Race) -> None:
        linux = sys.platform.startswith("linux")
        if linux and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
            raise ValueError("--teach keyboard: there is no screen here: run it where there is one")
        import pygame

        self._pygame: Any = pygame
        self._race = race
        self._held: set[int] = set()
        self._steering, self._speed = 0.0, SPEED.low
        self._clock = pygame.time.Clock()

    def __call__(self) -> Orders:
        """Show the road and return what the keys say."""
        pygame, held = self._pygame, self._held
        self._race.frame("human")
        self._clock.tick(FRAMES_A_SECOND / LOOKS_EVERY)
        for event in pygame.event.get((pygame.KEYDOWN, pygame.KEYUP, pygame.QUIT)):
            if event.type == pygame.QUIT or getattr(event, "key", None) == pygame.K_ESCAPE:
                raise KeyboardInterrupt
            (held.add if event.type == pygame.KEYDOWN else held.discard)(event.key)
        wanted = WHEEL * ((pygame.K_RIGHT in held) - (pygame.K_LEFT in held))
        turn = max(-TURNING, min(TURNING, wanted - self._steering))
        faster = ACCELERATION * ((pygame.K_UP in held) - (pygame.K_DOWN in held))
        self._steering += turn
        self._speed = max(SPEED.low, min(SPEED.high, self._speed + faster))
        return Orders(self._steering, self._speed)

    def objects_to(self, orders: Orders) -> bool:
        """Say that nobody else drives."""
        return True

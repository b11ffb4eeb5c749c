"""The pictures of the page in the README: ``python -m benchmarks.page_pictures docs``.

It writes page.png, and page.gif: a digit is drawn and read, a unit explained, the notes' algorithm
stepped through, a training shown again, a mistake named, a lap driven.  It needs what
`benchmarks.page` needs.
"""

from __future__ import annotations

import io
import sys
from itertools import count
from pathlib import Path

from benchmarks.page import looking, opened, write
from PIL import Image
from playwright.sync_api import Page

VIEWPORT = {"width": 1280, "height": 800}
SHOWN = (768, 480)  # pixels of the animation
COLOURS = 64
OF_POINTS = 8  # of the pen one is shown
PATIENCE = 60_000  # milliseconds that a busy machine may take for a scene


class Film:
    """Frames of a page, each with how long it is shown."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.times: list[int] = []

    def take(self, milliseconds: int = 120) -> None:
        """Add what the page shows."""
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.frames.append(shot.resize(SHOWN, Image.Resampling.LANCZOS))
        self.times.append(milliseconds)

    def save(self, path: Path) -> None:
        """Write the frames as a GIF; all have the colours of one palette."""
        every = Image.new("RGB", (SHOWN[0], SHOWN[1] * len(self.frames)))
        for i, frame in enumerate(self.frames):
            every.paste(frame, (0, i * SHOWN[1]))
        palette = every.quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
        first, *others = (
            frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames
        )
        first.save(path, save_all=True, append_images=others, duration=self.times, loop=0)


def main() -> None:
    folder = Path(sys.argv[1])
    with looking() as (port, token), opened() as browser:
        page = browser.new_page(
            viewport=VIEWPORT, color_scheme="light", reduced_motion="reduce", locale="en-GB"
        )
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://127.0.0.1:{port}/#draw&token={token}")
        page.wait_for_selector(".terms")
        film = Film(page)
        for scene in (draw, step, train, check, drive):
            page.goto(f"http://127.0.0.1:{port}/#{scene.__name__}")
            page.evaluate("scrollTo(0, 0)")
            scene(film)
            if scene is draw:
                page.screenshot(path=folder / "page.png")
        film.save(folder / "page.gif")
    for name in ("page.png", "page.gif"):
        print(f"{folder / name}: {(folder / name).stat().st_size / 1e3:.0f} kB")


def draw(film: Film) -> None:
    """Draw a 3, and let a unit be explained."""
    film.page.get_by_role("button", name="Clear").click()
    film.take(400)
    points = count()
    write(film.page, 3, lambda: next(points) % OF_POINTS or film.take(200))
    film.page.wait_for_function("() => document.querySelector('.read .label').textContent === '3'")
    film.take(900)
    film.page.get_by_role("slider").nth(1).click(position={"x": 40, "y": 72})
    film.page.wait_for_selector("text=of layer 3")
    film.page.wait_for_timeout(500)
    film.take(1800)


def step(film: Film) -> None:
    """Go through the first lines of the notes' algorithm."""
    film.page.wait_for_selector(".unit .terms")
    for _ in range(7):
        film.take(600)
        film.page.keyboard.press("ArrowRight")
        film.page.wait_for_timeout(400)
    film.take(1500)


def train(film: Film) -> None:
    """Show a training on two moons from its start."""
    film.page.goto(film.page.url.partition("#")[0] + "#train&data=moons&seed=1")
    film.page.wait_for_selector(".stopped strong")
    film.page.wait_for_timeout(1000)
    slider = film.page.locator(".slide input")
    last = int(slider.get_attribute("max") or 0)
    for i in [*range(0, last, max(1, last // 5)), last]:
        slider.evaluate(
            "(e, i) => { e.value = i; e.dispatchEvent(new Event('input', { bubbles: true })); }", i
        )
        film.page.wait_for_timeout(600)
        film.take(300)
    film.take(1500)


def check(film: Film) -> None:
    """Check a right gradient, then one with a mistake."""
    film.page.wait_for_selector(".passed")
    film.page.wait_for_timeout(500)
    film.take(1500)
    film.page.keyboard.press("n")
    film.page.wait_for_timeout(1000)
    film.take(1000)
    film.page.keyboard.press("c")
    film.page.wait_for_timeout(3000)
    film.take(2500)


def drive(film: Film) -> None:
    """Drive a piece of the lap."""
    film.page.wait_for_selector(".orders strong")
    for _ in range(5):
        film.take(300)
        film.page.keyboard.press("Shift+ArrowRight")
        film.page.wait_for_timeout(300)


if __name__ == "__main__":
    main()

"""Pictures: the network at work, and what its hidden units look for."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from chainrule.common.files import write_whole
from chainrule.common.types import Array
from chainrule.driving import retina
from chainrule.driving.driver import Driver
from chainrule.driving.game import Orders, Race
from chainrule.driving.hill import Hill
from chainrule.notes.theta import blocks
from chainrule.plots.panel import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN_EVERY = 6  # frames of the game
WIDTH, HEIGHT = 620, 344
WIDE = 290  # of the panels to the right of the game
PALETTE = (  # greys, the game's colours, those of the two answers
    *((grey, grey, grey) for grey in range(0, 256, 17)),
    *((102, 204, 102), (102, 230, 102), (102, 153, 102), (204, 0, 0), (255, 0, 0), (102, 0, 0)),
    *((0, 255, 0), (0, 0, 255), (0, 0, 128), (255, 128, 128)),
    *((0x00, 0x72, 0xB2), (0x80, 0xB8, 0xD8), (0xD5, 0x5E, 0x00), (0xEA, 0xAE, 0x80)),
)


class Film:
    """An animation of the network at work, for the ``look`` of `chainrule.driving.laps.drive`.

    It shows what the game shows, what the retina sees, the activations of the hidden units, and
    both hills: the outputs, where they are decoded, and what the teacher would do.

    Parameters
    ----------
    driver : Driver
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._pages: list[Image.Image] = []

    def __call__(self, frame: Array, race: Race, teacher: Orders, orders: Orders) -> None:
        """Draw a page for one frame in DRAWN_EVERY."""
        if race.frames % DRAWN_EVERY == 0:
            self._pages.append(page(self._driver, frame, race.frames, teacher, orders))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the animation, a GIF at the game's own speed."""
        few = Image.new("P", (1, 1))
        few.putpalette([part for colour in PALETTE for part in colour])
        first, *rest = (
            page.quantize(palette=few, dither=Image.Dither.NONE) for page in self._pages
        )
        duration = 20 * DRAWN_EVERY  # milliseconds
        how: dict[str, Any] = {"append_images": rest, "duration": duration, "loop": 0}
        write_whole(path, lambda file: first.save(file, "GIF", save_all=True, **how))


def page(
    driver: Driver, frame: Array, frame_number: int, teacher: Orders, orders: Orders
) -> Image.Image:
    """Return one page of a film, of 620x344 pixels.

    Parameters
    ----------
    driver : Driver
    frame : array of shape (96, 96, 3), uint8
    frame_number : int
        How many frames have passed since the start.
    teacher, orders : Orders
        What the teacher would do, and what the network does.
    """
    image = retina.see(frame, frame_number)
    hidden, outputs = driver.activations(image)
    sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(sheet)
    draw.font = _font()
    draw.fontmode = "1"  # the palette lacks the greys between letters and paper
    draw.text((12, 4), f"the game, {frame_number / 50:.1f} s", fill=GREY)
    sheet.paste(Image.fromarray(frame).resize((288, 288), Image.Resampling.NEAREST), (12, 24))
    draw.text((316, 4), "the retina, 30x32", fill=GREY)
    receptors = 255 * (image.reshape(retina.ROWS, retina.COLUMNS) + 1) / 2
    sheet.paste(
        Image.fromarray(np.kron(receptors.astype(np.uint8), np.ones((4, 4), np.uint8))), (316, 24)
    )
    draw.rectangle((315, 23, 444, 144), outline=GREY)
    draw.text((460, 4), f"{len(hidden)} hidden units, 0 to 1", fill=GREY)
    _bars(draw, (460, 24, 606, 144), hidden)
    first = driver.steering.units
    panels = (
        ("steering", "left", "right", driver.steering, outputs[:first], orders, teacher),
        ("speed", "slow", "fast", driver.speed, outputs[first:], orders, teacher),
    )
    for top, (name, low, high, hill, activations, own, his) in zip((150, 236), panels, strict=True):
        assert isinstance(hill, Hill)
        draw.text((316, top), low, fill=GREY)
        draw.text((316 + WIDE / 2, top), name, fill=GREY, anchor="ma")
        draw.text((316 + WIDE, top), high, fill=GREY, anchor="ra")
        _hill(draw, (316, top + 18), hill, activations, getattr(own, name), getattr(his, name))
    told = f"{orders.steering:+.2f} rad, speed {orders.speed:.0f}"
    draw.text((12, 322), f"the network: {told}", fill=BLUE)
    draw.text((316, 322), "blue: the network", fill=BLUE)
    draw.text((316 + WIDE, 322), "orange: the teacher", fill=ORANGE, anchor="ra")
    return sheet


@cache
def _font() -> Any:
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 12)


def _bars(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], activations: Array) -> None:
    """Draw activations from 0 to 1 as bars from left to right, one below the other."""
    left, top, right, bottom = box
    pitch = min(30.0, (bottom - top) / len(activations))
    for i, activation in enumerate(activations):
        y = top + pitch * i
        end = y + max(0.0, pitch - 2)
        draw.rectangle((left, y, left + (right - left) * float(activation), end), fill="#888888")
        draw.rectangle((left, y, right, end), outline=GREY if pitch > 6 else None)


def _hill(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    hill: Hill,
    activations: Array,
    own: float,
    his: float,
) -> None:
    """Draw a row of output units as bars, and two answers as lines through them."""
    left, top = corner
    wide, high = WIDE / hill.units, 52
    for i, activation in enumerate(activations):
        x = left + wide * i
        height = high * float(np.clip(activation, 0, 1))
        draw.rectangle((x, top + high - height, x + wide - 2, top + high), fill="#bbbbbb")
    draw.line((left, top + high, left + WIDE, top + high), fill=GREY)
    for value, colour, shift in ((his, ORANGE, 0), (own, BLUE, 2)):
        part = np.clip((value - hill.low) / (hill.high - hill.low), 0, 1)
        x = left + wide * (float(part) * (hill.units - 1) + 0.5) - 1 + shift
        draw.line((x, top - 2, x, top + high + 4), fill=colour, width=2)


def hidden_units(driver: Driver) -> Figure:
    """Return a picture of each hidden unit: where it looks, and what it then votes for.

    Parameters
    ----------
    driver : Driver

    Returns
    -------
    matplotlib.figure.Figure

    Notes
    -----
    After the figures of Pomerleau's papers: above, the weights to the outputs; below, those from
    the retina.

    Examples
    --------
    >>> from chainrule import Network, random_theta
    >>> network = Network((960, 2, 60))
    >>> len(hidden_units(Driver(network, random_theta(network))).axes)
    6
    """
    from matplotlib.figure import Figure

    first, second = blocks(driver.network, driver.theta)[:2]
    W = first[1:].T.reshape(-1, retina.ROWS, retina.COLUMNS)  # (s_2, 30, 32)
    votes = np.split(second[1:], [driver.steering.units], axis=1)  # (s_2, units) each
    shown = min(len(W), 8)
    figure = Figure(figsize=(2.4 * shown + 0.6, 4.4), dpi=100, layout="constrained")
    rows = figure.subplots(3, shown, squeeze=False, height_ratios=(1, 1, 4))
    for j in range(shown):
        for ax, name, vote in zip(rows[:2, j], ("steering", "speed"), votes, strict=True):
            units = np.arange(vote.shape[1])
            ax.bar(units, vote[j], width=1, color=np.where(vote[j] > 0, ORANGE, BLUE))
            ax.axhline(0, color=GREY, linewidth=0.6)
            ax.set(xticks=[], yticks=[])
            if j == 0:
                ax.set_ylabel(name)
        limit = np.abs(W[j]).max() or 1.0
        ax = rows[2, j]
        ax.imshow(W[j], cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set(xticks=[], yticks=[], xlabel=f"unit {j + 1}")
    rows[0, 0].set_title("left … right", fontsize="small", color=GREY)
    rows[1, 0].set_title("slow … fast", fontsize="small", color=GREY)
    figure.suptitle(
        "What each hidden unit looks for (below: road there switches it on, red, or off, blue)\n"
        "and what it then votes for, orange, or against, blue (above)",
        fontsize="medium",
    )
    return figure

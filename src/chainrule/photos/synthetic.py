"""Photos that nobody took: digits on paper, with all that goes wrong in photos, each in any amount.

For choosing how photos are read, and for tests and tables of what the reading bears.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.activations import Array
from chainrule.photos.marks import Box

CELL = 150  # pixels of the square in which a digit is written, at scale 1
Hand = Callable[[int, np.random.Generator], Array]
"""``hand(label, rng)``: a picture of a digit, 0 for paper to 1 for ink."""


@dataclass(frozen=True)
class Scene:
    """What a photo is taken of, and how.

    Parameters
    ----------
    scale : float
        Of the digits; 1 is about 100 pixels high.
    turn : float
        Of the page, in degrees.
    pen : float
        Width of strokes, in pixels at scale 1.
    contrast : float
        Of ink to paper, from 0 to 1.
    shadow : float
        How much light a hard shadow across the page takes, from 0 to 1.
    gradient : float
        How much darker one side of the page is than the other, from 0 to 1.
    blur : float
        Standard deviation, in pixels.
    noise : float
        Standard deviation, of the brightness of white paper.
    texture : float
        Standard deviation of the paper's own spots.
    ruled : float
        Contrast of ruled lines; 0 for none.
    edge : bool
        Whether the table shows beside the page.
    blue : bool
        Whether the ink is blue, not black.
    chalk : bool
        Whether the writing is light on dark.
    """

    scale: float = 1.0
    turn: float = 0.0
    pen: float = 9.0
    contrast: float = 0.75
    shadow: float = 0.0
    gradient: float = 0.1
    blur: float = 1.0
    noise: float = 0.01
    texture: float = 0.01
    ruled: float = 0.0
    edge: bool = False
    blue: bool = False
    chalk: bool = False

    @classmethod
    def random(cls, rng: np.random.Generator) -> Scene:
        """Return a scene as people's photos have them: some things wrong, not all."""

        def sometimes(share: float, low: float, high: float) -> float:
            return float(rng.uniform(low, high)) if rng.random() < share else 0.0

        return cls(
            scale=float(np.exp(rng.uniform(np.log(0.5), np.log(3.0)))),
            turn=float(rng.normal(0, 4)),
            pen=float(rng.uniform(4, 16)),
            contrast=float(rng.uniform(0.35, 0.9)),
            shadow=sometimes(0.4, 0.1, 0.5),
            gradient=float(rng.uniform(0, 0.5)),
            blur=float(rng.uniform(0.3, 2)) + sometimes(0.3, 1, 5),
            noise=float(rng.uniform(0, 0.03)),
            texture=float(rng.uniform(0, 0.02)),
            ruled=sometimes(0.25, 0.1, 0.35),
            edge=rng.random() < 0.2,
            blue=rng.random() < 0.3,
            chalk=rng.random() < 0.1,
        )


def photograph(
    rows: Sequence[str], scene: Scene, hand: Hand, rng: np.random.Generator
) -> tuple[Array, list[Box]]:
    """Write rows of digits on a page and photograph it.

    Parameters
    ----------
    rows : sequence of str
        Digits; a space is a wide gap.
    scene : Scene
    hand : callable
        ``hand(label, rng)``: a picture of a digit, such as `chainrule.photos.strokes.draw_digit`.
    rng : Generator

    Returns
    -------
    rgb : ndarray of shape (height, width, 3), uint8
    boxes : list of tuple of int
        (x0, y0, x1, y1) of each digit, in reading order.

    Examples
    --------
    >>> from chainrule.photos.strokes import draw_digit
    >>> rng = np.random.default_rng(0)
    >>> rgb, boxes = photograph(["12", "3"], Scene(), draw_digit, rng)
    >>> rgb.shape, len(boxes)
    ((624, 624, 3), 3)
    """
    from scipy import ndimage

    cell = round(CELL * scene.scale)
    margin = max(round(1.08 * cell), 60)
    columns = max(map(len, rows))
    height, width = 2 * margin + len(rows) * cell, 2 * margin + columns * cell
    ink = np.zeros((height, width), np.float32)
    owner = np.zeros((height, width), np.uint16)
    n = 0
    for r, row in enumerate(rows):
        for c, character in enumerate(row):
            if character == " ":
                continue
            n += 1
            picture = _written(
                hand(int(character), rng), round(0.85 * cell * rng.uniform(0.8, 1)), scene
            )
            shift = rng.normal(0, 0.03 * cell, 2)
            y = round(margin + (r + 0.5) * cell + shift[0] - picture.shape[0] / 2)
            x = round(margin + (c + 0.5) * cell + shift[1] - picture.shape[1] / 2)
            y, x = max(y, 0), max(x, 0)
            picture = picture[: height - y, : width - x]
            part = (slice(y, y + picture.shape[0]), slice(x, x + picture.shape[1]))
            ink[part] = np.maximum(ink[part], picture)
            owner[part][picture > 0.5] = n
    turned = {"reshape": False, "mode": "constant"}
    ink = ndimage.rotate(ink, scene.turn, order=1, **turned)
    owner = ndimage.rotate(owner, scene.turn, order=0, **turned)
    boxes = [
        (s[1].start, s[0].start, s[1].stop, s[0].stop) if s else (0, 0, 0, 0)
        for s in ndimage.find_objects(owner, n)
    ]
    return _exposed(ink, scene, rng), boxes


def _written(picture: Array, side: int, scene: Scene) -> Array:
    """Return a digit in its size on the page, with the pen's width."""
    from PIL import Image
    from scipy import ndimage

    image = Image.fromarray(np.ascontiguousarray(picture, np.float32))
    big = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))
    mask = big > 0.5
    inside = ndimage.distance_transform_edt(mask)
    width = 4 * float(inside[mask].mean()) if mask.any() else 1.0
    grow = max((scene.pen * scene.scale - width) / 2, -0.25 * width)  # thinner, it would break
    page = 0.5 + grow - ndimage.distance_transform_edt(~mask) + inside
    return np.asarray(np.clip(page, 0, 1), np.float32)


def _exposed(ink: Array, scene: Scene, rng: np.random.Generator) -> Array:
    """Return the photo of a page with this ink on it."""
    from scipy import ndimage

    height, width = ink.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    spots = ndimage.gaussian_filter(rng.standard_normal(ink.shape, np.float32), 2.0)
    paper = 1 + spots * np.float32(scene.texture / max(float(spots.std()), 1e-6))
    colour = np.array([0.15, 0.2, 0.75] if scene.blue else [0.0, 0.0, 0.0], np.float32)
    page = np.repeat(paper[..., None], 3, axis=2)
    if scene.ruled:
        page = page * (1 - scene.ruled * _lines(height, width, scene, rng)[..., None])
    share = scene.contrast * ink[..., None]
    page = page * (1 - share) + share * colour
    if scene.chalk:
        page = 1.1 - page
    if scene.edge:
        along, at = rng.uniform(0, 2 * np.pi), rng.uniform(0.95, 1.05)
        table = np.clip((np.cos(along) * x + np.sin(along) * y - at) * 200, 0, 1)
        page = page * (1 - table[..., None]) + 0.3 * table[..., None]
    light = np.float32(rng.uniform(0.65, 0.9)) * _light(x, y, scene, rng)
    page = page * light[..., None] * np.array([1.0, rng.uniform(0.93, 1), rng.uniform(0.85, 1)])
    page = ndimage.gaussian_filter(page, (scene.blur, scene.blur, 0))
    page += rng.normal(0, scene.noise, page.shape)
    return np.asarray(255 * np.clip(page, 0, 1), np.uint8)


def _lines(height: int, width: int, scene: Scene, rng: np.random.Generator) -> Array:
    """Return the coverage of ruled lines: thin, far apart, nearly level."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    apart = CELL * scene.scale * rng.uniform(0.5, 1.1)
    thick = max(1.0, 0.02 * apart)
    place = (
        y + np.tan(np.radians(scene.turn + rng.normal(0, 1))) * -x + rng.uniform(0, apart)
    ) % apart
    return np.asarray(np.clip(thick - np.abs(place - apart / 2) + 0.5, 0, 1))


def _light(x: Array, y: Array, scene: Scene, rng: np.random.Generator) -> Array:
    """Return how much light falls on the page: fading to one side, cut by a shadow's edge."""
    along = rng.uniform(0, 2 * np.pi)
    side = np.cos(along) * x + np.sin(along) * y
    light = 1 - scene.gradient * (1 + side / np.sqrt(2)) / 2
    if scene.shadow:
        along, at, soft = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.3), rng.uniform(0.01, 0.1)
        side = np.cos(along) * x + np.sin(along) * y
        light = light * (1 - scene.shadow / (1 + np.exp(np.clip((side - at) / soft, -30, 30))))
    return np.asarray(light, np.float32)

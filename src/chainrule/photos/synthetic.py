"""Made-up photos: digits on paper, with everything that goes wrong in photos, in any amount.

They serve to choose how photos are read, and to test and tabulate when the reading fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from chainrule.common.types import Array
from chainrule.photos.marks import Box
from chainrule.photos.strokes import draw_sign, print_text

CELL = 150  # pixels of the square that a digit is written in, at scale 1
ROOM = {".": 0.4, ",": 0.4, "-": 0.8}  # that a sign takes, of a digit's
WORDS = "the lakes of the north and what their fishers told us about them all that summer "
Hand = Callable[[int, np.random.Generator], Array]
"""``hand(label, rng)``: a picture of a digit, 0 for paper to 1 for ink."""
Colour = tuple[float, float, float]
BLACK, BLUE, PENCIL = (0.0, 0.0, 0.0), (0.15, 0.2, 0.75), (0.3, 0.3, 0.32)
RED, GREEN = (0.8, 0.1, 0.15), (0.1, 0.55, 0.25)
WHITE, YELLOW, PINK, MINT = (1.0, 1.0, 1.0), (1.0, 0.92, 0.45), (1.0, 0.72, 0.78), (0.7, 0.95, 0.8)


@dataclass(frozen=True)
class Scene:
    """What a photo is taken of, and how.

    Parameters
    ----------
    scale : float
        Size of the digits; at 1 they are about 100 pixels high.
    apart : float
        Distance from one digit of a row to the next, in squares; below about 0.7 some touch.
    margin : float
        Empty space around the digits, in squares.
    turn : float
        Rotation of the page, in degrees.
    perspective : float
        How far the camera is held aslant: the share by which a corner of the page moves inwards.
    pen : float
        Width of strokes, in pixels at scale 1.
    gaps : float
        Share of the ink that is missing, as where a pen is dry.
    contrast : float
        Contrast of ink to paper, from 0 to 1.
    ink, paper : tuple of float
        Their red, green and blue.
    shadow : float
        How much light a hard shadow across the page takes, from 0 to 1.
    soft : tuple of float
        Narrowest and widest edge of that shadow, in halves of the picture.
    gradient : float
        How much darker one side of the page is than the other, from 0 to 1.
    vignette : float
        How much darker the corners are than the middle, from 0 to 1.
    glare : float
        How much white a lamp's reflection adds where it is brightest.
    blur : float
        Standard deviation of the blur, in pixels.
    noise : float
        Standard deviation of the noise, relative to the brightness of white paper.
    jpeg : int
        Quality of the file.
    texture : float
        Standard deviation of the paper's own spots.
    ruled : float
        Contrast of ruled lines; 0 for none.
    squared : bool
        Whether lines run both ways.
    specks : int
        How many dots of dirt there are.
    edge : bool
        Whether the table shows beside the page.
    table : bool
        Whether a dark table shows all around the page.
    beside : str
        What else is in the picture: "", "text", "pen" or "finger".
    chalk : bool
        Whether the writing is light on dark.
    """

    scale: float = 1.0
    apart: float = 1.0
    margin: float = 1.08
    turn: float = 0.0
    perspective: float = 0.0
    pen: float = 9.0
    gaps: float = 0.0
    contrast: float = 0.75
    ink: Colour = BLACK
    paper: Colour = WHITE
    shadow: float = 0.0
    soft: tuple[float, float] = (0.01, 0.1)
    gradient: float = 0.1
    vignette: float = 0.0
    glare: float = 0.0
    blur: float = 1.0
    noise: float = 0.01
    jpeg: int = 85
    texture: float = 0.01
    ruled: float = 0.0
    squared: bool = False
    specks: int = 0
    edge: bool = False
    table: bool = False
    beside: str = ""
    chalk: bool = False

    @classmethod
    def random(cls, rng: np.random.Generator) -> Scene:
        """Return a scene as in people's photos: some things go wrong, not all."""

        def sometimes(share: float, low: float, high: float) -> float:
            return float(rng.uniform(low, high)) if rng.random() < share else 0.0

        return cls(
            scale=float(np.exp(rng.uniform(np.log(0.5), np.log(3.0)))),
            turn=float(rng.normal(0, 4)),
            perspective=sometimes(0.3, 0.02, 0.1),
            pen=float(rng.uniform(4, 16)),
            gaps=sometimes(0.1, 0.02, 0.1),
            contrast=float(rng.uniform(0.35, 0.9)),
            ink=(BLACK, BLACK, BLUE, BLUE, PENCIL, RED, GREEN)[rng.integers(7)],
            paper=(WHITE, WHITE, WHITE, WHITE, YELLOW, PINK, MINT)[rng.integers(7)],
            shadow=sometimes(0.4, 0.1, 0.5),
            gradient=float(rng.uniform(0, 0.5)),
            vignette=sometimes(0.2, 0.1, 0.5),
            glare=sometimes(0.1, 0.1, 0.4),
            blur=float(rng.uniform(0.3, 2)) + sometimes(0.3, 1, 5),
            noise=float(rng.uniform(0, 0.03)),
            jpeg=int(rng.integers(40, 95)),
            texture=float(rng.uniform(0, 0.02)),
            ruled=sometimes(0.3, 0.1, 0.35),
            squared=rng.random() < 0.4,
            specks=int(sometimes(0.2, 1, 12)),
            edge=rng.random() < 0.15,
            table=rng.random() < 0.1,
            beside=str(rng.choice(["text", "pen", "finger"])) if rng.random() < 0.2 else "",
            chalk=rng.random() < 0.1,
        )


def photograph(
    rows: Sequence[str], scene: Scene, hand: Hand, rng: np.random.Generator
) -> tuple[Array, list[Box]]:
    """Write rows of digits on a page and photograph it.

    Parameters
    ----------
    rows : sequence of str
        Digits; a space is a wide gap.  Points, commas and minus signs take less room.
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
    margin = round(scene.margin * cell)
    places = [_middles(row) for row in rows]
    columns = 1 + scene.apart * max(place[-1] for place in places)
    shape = (2 * margin + len(rows) * cell, 2 * margin + round(columns * cell))
    ink = np.zeros(shape, np.float32)
    owner = np.zeros(shape, np.uint16)
    n = 0
    for r, row in enumerate(rows):
        for c, character in enumerate(row):
            if character == " ":
                continue
            digit = character.isdigit()
            n += digit
            drawing = hand(int(character), rng) if digit else draw_sign(character, rng)
            picture = written(drawing, round(0.85 * cell * rng.uniform(0.8, 1)), scene)
            shift = rng.normal(0, 0.03 * cell, 2)
            y = margin + (r + 0.5) * cell + shift[0]
            x = margin + (scene.apart * places[r][c] + 0.5) * cell + shift[1]
            put(picture, (y, x), ink, owner, n if digit else 0)
    if scene.gaps:
        spots = ndimage.gaussian_filter(rng.standard_normal(shape, np.float32), 0.02 * cell)
        ink *= spots > np.quantile(spots, scene.gaps)
    for _ in range(scene.specks):
        y, x = (int(rng.integers(0, side)) for side in shape)
        r = max(1, round(cell * rng.uniform(0.005, 0.025)))
        ink[max(y - r, 0) : y + r, max(x - r, 0) : x + r] = 1
    if scene.beside == "text":
        ink = np.maximum(ink, _text(shape, margin, cell, rng))
    return take(ink, owner, n, scene, rng)


def put(picture: Array, middle: tuple[float, float], ink: Array, owner: Array, number: int) -> None:
    """Write on a page, the middle at (y, x); a digit's number, from 1, goes to its ink's owner."""
    y, x = (round(m - side / 2) for m, side in zip(middle, picture.shape, strict=True))
    picture = picture[max(-y, 0) :, max(-x, 0) :]
    y, x = max(y, 0), max(x, 0)
    picture = picture[: max(ink.shape[0] - y, 0), : max(ink.shape[1] - x, 0)]
    part = (slice(y, y + picture.shape[0]), slice(x, x + picture.shape[1]))
    ink[part] = np.maximum(ink[part], picture)
    if number:
        owner[part][picture > 0.5] = number


def take(
    ink: Array, owner: Array, n: int, scene: Scene, rng: np.random.Generator
) -> tuple[Array, list[Box]]:
    """Photograph a page.

    Parameters
    ----------
    ink : array of shape (height, width)
        0 for paper to 1 for ink.
    owner : array of shape (height, width)
        1 to n where the ink is a digit's, 0 elsewhere.
    n : int
    scene : Scene
    rng : Generator

    Returns
    -------
    rgb, boxes
        As of `photograph`.
    """
    from scipy import ndimage

    v, u = _page_places(ink.shape, scene, rng)
    ink = ndimage.map_coordinates(ink, (v, u), order=1)
    owner = ndimage.map_coordinates(owner, (v, u), order=0)
    boxes = [
        (s[1].start, s[0].start, s[1].stop, s[0].stop) if s else (0, 0, 0, 0)
        for s in ndimage.find_objects(owner, n)
    ]
    return _exposed(ink, (v, u), scene, rng), boxes


def _middles(row: str) -> Array:
    """Return how far the middle of each character is from the first one's, in digits."""
    room = np.array([ROOM.get(character, 1.0) for character in row])
    middles = np.cumsum(room) - room / 2
    return np.asarray(middles - middles[0])


def written(picture: Array, side: int, scene: Scene) -> Array:
    """Return a digit as large as it is on the page, with strokes as wide as the pen."""
    from PIL import Image
    from scipy import ndimage

    image = Image.fromarray(np.ascontiguousarray(picture, np.float32))
    big = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))
    mask = big > 0.5
    inside = ndimage.distance_transform_edt(mask)
    width = 4 * float(inside[mask].mean()) if mask.any() else 1.0
    grow = max(
        (scene.pen * scene.scale - width) / 2, -0.25 * width
    )  # thinner, the stroke would break
    page = 0.5 + grow - ndimage.distance_transform_edt(~mask) + inside
    return np.asarray(np.clip(page, 0, 1), np.float32)


def _text(shape: tuple[int, int], margin: int, cell: int, rng: np.random.Generator) -> Array:
    """Print a line of words above the digits and one below."""
    page = np.zeros(shape, np.float32)
    high = int(rng.uniform(0.12, 0.4) * cell)
    line = print_text(WORDS[int(rng.integers(40)) :], high, rng)[:, : shape[1] - margin // 2]
    for y in (0.35 * margin, shape[0] - 0.65 * margin):
        top = round(y - line.shape[0] / 2)
        part = page[max(top, 0) : top + line.shape[0], margin // 4 : margin // 4 + line.shape[1]]
        part[:] = line[: part.shape[0]]
    return page


def _page_places(
    shape: tuple[int, int], scene: Scene, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the place on the page, down and across, that each pixel of the picture shows."""
    height, width = shape
    turn = np.radians(scene.turn)
    lean = rng.uniform(-1, 1, 2) * scene.perspective / max(shape)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    far = 1 + lean[0] * y + lean[1] * x
    v = (np.cos(turn) * y + np.sin(turn) * x) / far + (height - 1) / 2
    u = (np.cos(turn) * x - np.sin(turn) * y) / far + (width - 1) / 2
    return v, u


def _exposed(
    ink: Array, places: tuple[Array, Array], scene: Scene, rng: np.random.Generator
) -> Array:
    """Return the photo of a page with this ink on it."""
    from PIL import Image
    from scipy import ndimage

    height, width = ink.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    spots = ndimage.gaussian_filter(rng.standard_normal(ink.shape, np.float32), 2.0)
    paper = 1 + spots * np.float32(scene.texture / max(float(spots.std()), 1e-6))
    page = paper[..., None] * np.array(scene.paper, np.float32)
    if scene.ruled:
        page = page * (1 - scene.ruled * _lines(places, scene, rng)[..., None])
    share = scene.contrast * ink[..., None]
    page = page * (1 - share) + share * np.array(scene.ink, np.float32)
    if scene.chalk:
        page = 1.1 - page
    if scene.edge:
        along, at = rng.uniform(0, 2 * np.pi), rng.uniform(0.95, 1.05)
        page = _covered(page, (np.cos(along) * x + np.sin(along) * y - at) * 200, (0.3, 0.3, 0.3))
    if scene.table:
        rim = 0.45 * scene.margin * CELL * scene.scale
        v, u = places
        beyond = np.maximum(rim - np.minimum(v, u), np.maximum(v - height, u - width) + rim)
        page = _covered(page, beyond, rng.uniform(0.1, 0.4) * np.array([1.0, 0.8, 0.6]))
    if scene.beside in ("pen", "finger"):
        page = _with_thing(page, scene, rng)
    light = np.float32(rng.uniform(0.65, 0.9)) * _light(x, y, scene, rng)
    page = page * light[..., None] * np.array([1.0, rng.uniform(0.93, 1), rng.uniform(0.85, 1)])
    if scene.glare:
        y0, x0 = rng.uniform(-0.8, 0.8, 2)
        spot = np.exp(-((y - y0) ** 2 + (x - x0) ** 2) / rng.uniform(0.1, 0.5))
        page = page + scene.glare * spot[..., None]
    page = ndimage.gaussian_filter(page, (scene.blur, scene.blur, 0))
    page += rng.normal(0, scene.noise, page.shape)
    file = BytesIO()
    Image.fromarray(np.uint8(255 * np.clip(page, 0, 1))).save(file, "JPEG", quality=scene.jpeg)
    return np.array(Image.open(file))


def _covered(page: Array, depth: Array, colour: Sequence[float] | Array) -> Array:
    """Return the page with something on it, where depth, in pixels from its outline, is above 0."""
    cover = np.clip(depth, 0, 1)[..., None]
    return np.asarray(page * (1 - cover) + cover * np.asarray(colour, np.float32))


def _with_thing(page: Array, scene: Scene, rng: np.random.Generator) -> Array:
    """Lay a pen along a border of the page, or hold it by a finger that comes in from outside."""
    height, width = page.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    if rng.random() < 0.5:
        y, x, height, width = x, y, width, height
    if rng.random() < 0.5:
        y = height - 1 - y
    cell = CELL * scene.scale
    if scene.beside == "finger":
        across, deep = rng.uniform(0.25, 0.4) * cell, scene.margin * cell * rng.uniform(0.4, 0.9)
        r = np.hypot((x - rng.uniform(0.1, 0.9) * width) / across, y / deep)
        shade = np.array([0.75, 0.5, 0.4]) * rng.uniform(0.4, 1)
        return _covered(page, (1 - r) * across, shade)
    middle = scene.margin * cell * rng.uniform(0.2, 0.6) + (x - width / 2) * rng.normal(0, 0.05)
    thick = rng.uniform(0.06, 0.12) * cell
    low, high = np.sort(rng.uniform([-0.2, 0.6], [0.3, 1.2])) * width
    along = np.clip(np.minimum(x - low, high - x) / (3 * thick), 0, 1)  # a pen ends in a point
    return _covered(page, thick * along - np.abs(y - middle), rng.uniform(0.05, 0.5, 3))


def _lines(places: tuple[Array, Array], scene: Scene, rng: np.random.Generator) -> Array:
    """Return the coverage of ruled lines: thin, and far apart unless they run both ways."""
    share = rng.uniform(0.2, 0.5) if scene.squared else rng.uniform(0.5, 1.1)
    apart = CELL * scene.scale * share
    thick = max(1.0, 0.02 * apart)
    lean = np.tan(np.radians(rng.normal(0, 1)))  # the writer's rows lean too
    v, u = places
    both = (v - lean * u, u + lean * v) if scene.squared else (v - lean * u,)
    lines = [
        np.clip(thick - np.abs((place + rng.uniform(0, apart)) % apart - apart / 2) + 0.5, 0, 1)
        for place in both
    ]
    return np.asarray(np.max(lines, axis=0))


def _light(x: Array, y: Array, scene: Scene, rng: np.random.Generator) -> Array:
    """Return how much light falls on the page: fading to one side, cut by a shadow's edge."""
    along = rng.uniform(0, 2 * np.pi)
    side = np.cos(along) * x + np.sin(along) * y
    light = 1 - scene.gradient * (1 + side / np.sqrt(2)) / 2
    light = light * (1 - scene.vignette * (x**2 + y**2) / 2)
    if scene.shadow:
        along, at, soft = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.3), rng.uniform(*scene.soft)
        side = np.cos(along) * x + np.sin(along) * y
        light = light * (1 - scene.shadow / (1 + np.exp(np.clip((side - at) / soft, -30, 30))))
    return np.asarray(light, np.float32)

"""Digits drawn as people draw them in many countries, and things that are no digits.

MNIST's writers were American: hardly any 1 of theirs has a base, or any 7 a bar.  Here each way to
write a digit is a few strokes through points, and hands differ in where the points lie.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.common.types import Array

CANVAS = 96  # pixels of a drawing's side; the unit square lies in it with a margin
MARGIN = 16
Stroke = tuple[str, str]
"""("curve" or "lines", "x,y x,y ..."), in hundredths of the unit square, y down."""

O = "50,0 22,14 10,50 22,86 50,100 78,86 90,50 78,14 50,0"
DIGITS: dict[int, tuple[tuple[Stroke, ...], ...]] = {
    0: (
        (("curve", O),),
        (("curve", "60,2 30,10 12,50 30,92 55,98 84,60 80,20 55,0 38,10"),),
        (("curve", "50,0 30,14 22,50 30,86 50,100 70,86 78,50 70,14 50,0"),),
    ),
    1: (
        (("lines", "50,0 50,100"),),
        (("lines", "28,26 54,0 54,100"),),
        (("lines", "22,30 52,0 52,100"), ("lines", "18,100 86,100")),
        (("lines", "30,24 52,0 52,98"), ("lines", "8,100 96,98")),
        (("lines", "12,44 56,0 56,100"),),
        (("lines", "60,0 40,100"),),
    ),
    2: (
        (("curve", "10,24 30,3 60,0 82,20 74,48 40,76 10,98"), ("lines", "10,98 92,98")),
        (("curve", "14,20 40,0 74,8 78,34 50,70 22,96 8,88 22,74 50,88 90,98"),),
        (("curve", "24,18 46,0 68,14 60,50 36,88 14,92 8,74 28,64 56,80 84,100"),),
        (("curve", "8,22 30,2 58,8 62,36 36,72 6,98"), ("lines", "6,98 120,94")),
        (("lines", "12,10 80,6 10,98 90,96"),),
    ),
    3: (
        (("curve", "14,14 42,0 76,14 70,40 40,47 76,56 84,80 50,100 10,86"),),
        (("lines", "14,4 80,2 44,42"), ("curve", "44,42 78,52 84,78 52,100 12,90")),
        (("curve", "20,10 60,0 74,24 36,44 38,46 80,62 70,94 30,98 8,84"),),
    ),
    4: (
        (("lines", "24,2 10,60 90,58"), ("lines", "64,28 60,100")),
        (("lines", "66,100 66,0 8,66 96,66"),),
        (("lines", "22,0 20,56 84,54"), ("lines", "84,30 84,100")),
        (("lines", "60,0 6,70 98,66"), ("lines", "64,44 60,100")),
        (("curve", "20,4 14,40 30,56 74,50"), ("lines", "82,4 70,100")),
    ),
    5: (
        (("lines", "84,2 24,4 20,42"), ("curve", "20,42 56,36 84,58 74,88 40,100 10,90")),
        (("lines", "22,6 20,46"),
         ("curve", "20,46 60,40 80,66 60,96 12,98"), ("lines", "24,4 92,0")),
        (("curve", "84,4 40,6 26,40 62,44 78,70 56,96 10,94"),),
        (("lines", "26,8 22,44"),
         ("curve", "22,44 62,40 82,70 52,98 10,92"), ("lines", "38,2 94,2")),
    ),
    6: (
        (("curve", "70,2 36,22 14,60 26,94 58,100 82,78 70,54 40,54 18,74"),),
        (("curve", "52,0 30,36 18,72 34,98 68,96 76,70 54,56 26,70"),),
        (("curve", "84,2 44,16 12,58 24,96 60,100 86,76 66,56 34,60 16,80"),),
    ),
    7: (
        (("lines", "8,4 88,2 40,100"),),
        (("lines", "8,6 86,2 42,100"), ("lines", "30,50 84,48")),
        (("lines", "10,22 12,4 84,4 48,100"),),
        (("lines", "6,6 76,4 74,100"), ("lines", "44,54 96,52")),
        (("lines", "20,4 80,4 76,100"), ("lines", "4,64 76,58")),
        (("curve", "6,12 30,4 60,8 90,2 62,40 50,100"),),
    ),
    8: (
        (("curve", "76,14 46,0 22,18 40,44 72,66 74,92 46,100 22,86 34,60 66,38 76,14"),),
        (("curve", "50,46 26,28 36,4 64,2 76,24 50,46 20,66 18,94 50,100 82,92 78,66 50,46"),),
        (("curve", "80,8 50,0 30,20 60,56 78,84 50,100 20,84 42,52 72,26 84,4"),),
    ),
    9: (
        (("curve", "78,24 50,2 22,22 34,50 62,48 78,24"), ("lines", "78,20 72,100")),
        (("curve", "80,20 50,0 20,24 40,52 70,40 80,16 78,60 56,98 20,94"),),
        (("curve", "76,16 44,2 20,30 48,50 76,28"), ("lines", "76,8 76,100")),
        (("curve", "74,22 46,2 22,26 46,50 72,34"), ("curve", "74,10 72,56 40,100")),
    ),
}  # fmt: skip
# What stands between digits, in the square of a digit before it or after it
SIGNS: dict[str, tuple[tuple[Stroke, ...], ...]] = {
    ".": (
        (("lines", "50,96 50,98"),),
        (("lines", "46,97 54,96"),),
        (("lines", "48,93 51,99"),),
    ),
    ",": (
        (("lines", "54,92 42,118"),),
        (("curve", "50,92 56,100 52,110 40,120"),),
        (("lines", "52,90 48,112"),),
        (("lines", "50,94 52,97"), ("curve", "52,96 52,106 42,118")),
    ),
    "-": (
        (("lines", "20,50 80,50"),),
        (("lines", "30,52 74,48"),),
        (("curve", "14,54 40,48 84,50"),),
    ),
}  # fmt: skip
# Letters that look like no digit, upper and lower case, and signs
NO_DIGITS = "ACEFGHKLMNPQRTUVWXYadefhkmnprtuvwxy&%@#?!*+=<>$~^{}"


def draw_digit(label: int, rng: np.random.Generator) -> Array:
    """Draw a digit in one of the ways in which people do, each time in another hand.

    Parameters
    ----------
    label : int
        0 to 9.
    rng : Generator

    Returns
    -------
    ndarray of shape (96, 96), float32
        0 for paper to 1 for ink.

    Examples
    --------
    >>> draw_digit(7, np.random.default_rng(0)).shape
    (96, 96)
    """
    return _draw(digit_paths(label, rng), rng)


def draw_sign(sign: str, rng: np.random.Generator) -> Array:
    """Draw a point, a comma or a minus sign where it stands in the square of a digit.

    Parameters
    ----------
    sign : str
        One of `SIGNS`.
    rng : Generator

    Returns
    -------
    ndarray of shape (96, 96), float32

    Examples
    --------
    >>> ink = draw_sign("-", np.random.default_rng(0))
    >>> bool(ink[:30].any()), bool(ink[30:66].any())
    (False, True)
    """
    ways = SIGNS[sign]
    moved = rng.normal(0, 0.03, 2)
    paths = [_path(stroke, rng, 0.015) + moved for stroke in ways[rng.integers(len(ways))]]
    return _draw(paths, rng)


def digit_paths(label: int, rng: np.random.Generator) -> list[Array]:
    """Return the strokes of a digit in one of the ways in which people write it.

    Parameters
    ----------
    label : int
        0 to 9.
    rng : Generator

    Returns
    -------
    list of ndarray of shape (n, 2)
        Points (x, y) through which the pen goes, about in the unit square, y down.

    Examples
    --------
    >>> [path.shape for path in digit_paths(7, np.random.default_rng(8))]
    [(3, 2), (2, 2)]
    """
    ways = DIGITS[label]
    strokes = ways[rng.integers(len(ways))]
    return [_path(stroke, rng) for stroke in strokes]


def draw_no_digit(rng: np.random.Generator) -> Array:
    """Draw a letter, a sign, a scribble, a frame, a line, a blob or a texture.

    Parameters
    ----------
    rng : Generator

    Returns
    -------
    ndarray of shape (96, 96), float32
    """
    kinds = (_letter, _letter, _letter, _scribble, _frame, _lying_line, _texture, _texture)
    return kinds[rng.integers(len(kinds))](rng)


def _path(stroke: Stroke, rng: np.random.Generator, moved: float = 0.035) -> Array:
    """Return the points of a stroke, each moved a little; a curve goes through them smoothly."""
    from scipy.interpolate import CubicSpline

    kind, text = stroke
    points = np.array([[float(v) for v in pair.split(",")] for pair in text.split()]) / 100
    points += rng.normal(0, moved, points.shape)
    if kind == "lines":
        return points
    t = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T) ** 0.5 + 1e-3)])
    return np.asarray(CubicSpline(t, points)(np.linspace(0, t[-1], 60)))


def _draw(paths: list[Array], rng: np.random.Generator, width: float | None = None) -> Array:
    """Draw paths with a round pen, slanted, turned and stretched as a whole."""
    from PIL import Image, ImageDraw

    turn, slant = rng.normal(0, 0.07), rng.normal(0, 0.12)
    stretch = np.exp(rng.normal(-0.15, 0.2))  # most people write narrower than a square
    width = rng.uniform(3.5, 13) if width is None else width
    matrix = np.array([[stretch, -slant], [0, 1]]) @ np.array(
        [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )
    big, size = 2, CANVAS - 2 * MARGIN
    image = Image.new("L", (CANVAS * big, CANVAS * big))
    pen = ImageDraw.Draw(image)
    for path in paths:
        spots = ((path - 0.5) @ matrix.T * size + CANVAS / 2) * big
        pen.line([tuple(spot) for spot in spots], fill=255, width=round(width * big), joint="curve")
        r = width * big / 2 - 0.5
        for x, y in (spots[0], spots[-1]):
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return np.asarray(image.reduce(big), np.float32) / 255


def print_text(text: str, height: int, rng: np.random.Generator) -> Array:
    """Print text in one of the fonts that Matplotlib brings.

    Parameters
    ----------
    text : str
    height : int
        Pixels, from the highest letters' top to the lowest ones' end.
    rng : Generator
        Chooses the font.

    Returns
    -------
    ndarray of shape (about height, width), float32
        0 for paper to 1 for ink.
    """
    from PIL import Image, ImageDraw

    font = _font(str(rng.choice(FONTS)), height)
    box = font.getbbox(text)
    image = Image.new("L", (int(box[2]), int(box[3])))
    ImageDraw.Draw(image).text((0, 0), text, 255, font)
    return np.asarray(image, np.float32) / 255


def _letter(rng: np.random.Generator) -> Array:
    """Print one to three letters in one of the fonts that Matplotlib brings."""
    from PIL import Image, ImageDraw

    text = "".join(rng.choice(list(NO_DIGITS), rng.choice([1, 1, 1, 2, 3])))
    image = Image.new("L", (CANVAS, CANVAS))
    font = _font(str(rng.choice(FONTS)), int(rng.integers(36, 64) / len(text) ** 0.6))
    ImageDraw.Draw(image).text((CANVAS / 2, CANVAS / 2), text, 255, font, anchor="mm")
    image = image.rotate(rng.normal(0, 5))
    return np.asarray(image, np.float32) / 255


FONTS = ("DejaVuSans", "DejaVuSerif-Italic", "DejaVuSansMono", "STIXGeneral", "STIXGeneralItalic")


def _font(name: str, size: int) -> Any:
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", size)


def _scribble(rng: np.random.Generator) -> Array:
    """Draw a tangle: a smooth path through many random points."""
    n = int(rng.integers(6, 16))
    points = " ".join(f"{x},{y}" for x, y in rng.integers(0, 100, (n, 2)))
    kind = "curve" if rng.random() < 0.7 else "lines"
    return _draw([_path((kind, points), rng)], rng)


def _frame(rng: np.random.Generator) -> Array:
    """Draw a box, a triangle, a cross, a bracket or parallel lines."""
    shapes = (
        ["0,0 100,0 100,100 0,100 0,0"],
        ["50,0 100,100 0,100 50,0"],
        ["0,0 100,100", "100,0 0,100"],
        ["0,50 100,50", "50,0 50,100"],
        ["0,100 0,0 100,0"],
        ["0,0 0,100 100,100"],
        ["0,20 100,20", "0,80 100,80"],
        ["20,0 20,100", "80,0 80,100"],
        ["0,60 35,100 100,0"],
        ["0,0 50,100 100,0"],
        ["0,0 100,0 100,100 0,100 0,0", "0,50 100,50", "50,0 50,100"],
    )
    return _draw([_path(("lines", p), rng) for p in shapes[rng.integers(len(shapes))]], rng)


def _lying_line(rng: np.random.Generator) -> Array:
    """Draw a stroke that lies flat: no 1, even if the page is turned a little."""
    y0, y1 = rng.integers(25, 75, 2)
    return _draw([_path(("lines", f"0,{y0} 100,{y1}"), rng)], rng)


def _texture(rng: np.random.Generator) -> Array:
    """Cut a piece of random spots: fur, cloth, leaves, a stain."""
    from scipy import ndimage

    sigma = rng.uniform(2, 14)
    noise = ndimage.gaussian_filter(
        rng.normal(size=(CANVAS, CANVAS)), sigma * rng.uniform(0.5, 1.5, 2)
    )
    mask = noise > np.quantile(noise, rng.uniform(0.4, 0.8))
    y, x = np.mgrid[-1 : 1 : CANVAS * 1j, -1 : 1 : CANVAS * 1j]
    mask &= np.hypot(x * rng.uniform(1, 1.6), y) < rng.uniform(0.5, 0.95)
    labels, n = ndimage.label(mask)
    if n == 0:
        return _texture(rng)
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return np.asarray(ndimage.gaussian_filter((labels == largest).astype(np.float32), 0.7))

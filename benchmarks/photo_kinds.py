"""What people photograph beside plain rows of digits, by kind: which digits are read.

    python -m benchmarks.photo_kinds [--mnist mnist.npz] [--photos 20] [--kind print ...] [--final]

Every picture is made up.  Digits are drawn by strokes, every second picture's taken from MNIST's
test set if it is given.  The first half of that test set, and one range of seeds, are for choosing
how photos are read; ``--final`` takes the other half and other seeds, on which nothing was chosen.
Signs between digits have their own, `benchmarks.photo_numbers`.
A digit is found when a reading's middle lies in its box; a reading in no digit's box is invented.
"""

import argparse
import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.photo_failures import Numbers, any_of, judge
from PIL import Image, ImageDraw

from chainrule.engine.cores import in_processes
from chainrule.handwriting.reading import read
from chainrule.photos.strokes import FONTS, _font, draw_digit, draw_no_digit
from chainrule.photos.synthetic import BLACK, BLUE, PENCIL, Hand, Scene, put, take, written

Picture = tuple[np.ndarray, list[int], list[tuple[int, int, int, int]]]
"""A picture, its digits and their boxes."""
FINAL = 1_000_000  # seeds from here on are for the final figures


@dataclass
class Page:
    """A page that digits are written on."""

    shape: tuple[int, int]
    labels: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ink = np.zeros(self.shape, np.float32)
        self.owner = np.zeros(self.shape, np.uint16)

    def write(self, picture: np.ndarray, label: int, middle: tuple[float, float]) -> None:
        """Write a digit."""
        self.labels.append(label)
        put(picture, middle, self.ink, self.owner, len(self.labels))

    def draw(self, strokes: Callable[[ImageDraw.ImageDraw], object], depth: float = 1.0) -> None:
        """Draw something that is no digit, with Pillow."""
        image = Image.new("L", self.shape[::-1])
        strokes(ImageDraw.Draw(image))
        self.ink = np.maximum(self.ink, np.asarray(image, np.float32) * (depth / 255))

    def photo(self, scene: Scene, rng: Numbers) -> Picture:
        """Photograph it."""
        rgb, boxes = take(self.ink, self.owner, len(self.labels), scene, rng)
        return rgb, self.labels, boxes


def usual(rng: Numbers, **more: Any) -> Scene:
    """Return a scene with the usual troubles: light to one side, a little turn, pens, noise."""
    return replace(
        Scene(),
        **{
            "turn": rng.normal(0, 2),
            "pen": rng.uniform(5, 12),
            "contrast": rng.uniform(0.5, 0.9),
            "ink": any_of(rng, BLACK, BLUE, PENCIL),
            "gradient": rng.uniform(0, 0.4),
            "noise": rng.uniform(0.003, 0.02),
            "blur": rng.uniform(0.5, 1.5),
            **more,
        },
    )


def digit(side: float, scene: Scene, hand: Hand, rng: Numbers) -> tuple[np.ndarray, int]:
    """Return a digit as high as side, by a pen that suits its size, and which it is."""
    label = int(rng.integers(10))
    pen = replace(scene, scale=side / 100)
    return tight(written(hand(label, rng), round(1.5 * side * rng.uniform(0.85, 1)), pen)), label


def tight(ink: np.ndarray) -> np.ndarray:
    """Cut away what is empty around."""
    y, x = np.nonzero(ink > 0.3)
    return ink[y.min() : y.max() + 1, x.min() : x.max() + 1]


def sheet(rows: int, columns: int, rng: Numbers, hand: Hand, **more: Any) -> tuple[Page, Scene]:
    """Return a page of digits in rows; more has size, apart, down, margin, and a Scene's own."""
    size = more.pop("size", rng.uniform(70, 130))
    apart, down = more.pop("apart", 1.2) * size, more.pop("down", 1.6) * size
    margin = more.pop("margin", 1.0) * size
    scene = usual(rng, **more)
    page = Page((round(2 * margin + rows * down), round(2 * margin + columns * apart)))
    for r in range(rows):
        for c in range(columns):
            shift = rng.normal(0, 0.04 * size, 2)
            middle = (margin + (r + 0.5) * down + shift[0], margin + (c + 0.5) * apart + shift[1])
            page.write(*digit(size, scene, hand, rng), middle)
    return page, scene


# Kinds without a digit


@cache
def words() -> list[str]:
    """Return English words with their commas and points: those of Python's own manual."""
    from pydoc_data.topics import topics

    text = " ".join(topics[name] for name in sorted(topics))
    return [w for w in text.split() if w.strip(".,;:()\"'").isalpha()]


def printed(rng: Numbers, hand: Hand) -> Picture:
    """Print a page, as a whole, a column of it, or cut so that its lines reach the border."""
    height, width = 900, any_of(rng, 700, 1200)
    size, text = rng.uniform(14, 44), words()
    margin = any_of(rng, -0.2, -0.2, 0.03, 0.1) * width
    font = _font(str(rng.choice(FONTS)), round(size))
    columns = any_of(rng, 1, 1, 2)
    page = Page((height, width))

    def lines(pen):
        wide = (width - 2 * margin) / columns
        for column in range(columns):
            y, start = max(margin, -size), margin + column * wide
            while y < height - max(margin, 0):
                line, at = "", int(rng.integers(len(text)))
                while font.getlength(line + " " + text[at]) < wide - size:
                    line, at = line + " " + text[at], (at + 1) % len(text)
                short = rng.random() < 0.1
                pen.text((start, y), line[: len(line) // 2] if short else line, 255, font)
                y += size * (rng.uniform(2, 3) if rng.random() < 0.08 else 1.35)

    page.draw(lines)
    ruled = rng.uniform(0.1, 0.3) if rng.random() < 0.15 else 0.0
    return page.photo(usual(rng, ink=BLACK, ruled=ruled), rng)


def no_digits(rng: Numbers, hand: Hand) -> Picture:
    """Draw letters, scribbles and signs; empty sheets, forms and grids; spots."""
    scene = replace(Scene.random(rng), scale=1.0)
    what = rng.integers(4)
    page = Page((700, 900))
    if what == 0:  # by hand
        side = rng.uniform(80, 160)
        for _ in range(rng.integers(1, 12)):
            picture = written(draw_no_digit(rng), round(side), scene)
            put(picture, tuple(rng.uniform(0.15, 0.85, 2) * page.shape), page.ink, page.owner, 0)
    elif what == 1:
        grid(page, (60, 60), rng.uniform(60, 140), int(rng.integers(2, 5)), rng.integers(2, 6), rng)
    elif what == 2:  # lines for answers, with words before them
        font = _font(str(rng.choice(FONTS)), int(rng.integers(20, 40)))

        def form(pen):
            for y in range(90, 640, int(rng.integers(70, 140))):
                at = int(rng.integers(len(words())))
                pen.text((60, y - 40), " ".join(words()[at : at + 3]), 255, font)
                pen.line([(60, y), (840, y)], 255, 3)

        page.draw(form)
    else:
        scene = replace(scene, ruled=rng.uniform(0.1, 0.5))
    rgb, _, _ = page.photo(scene, rng)
    return rgb, [], []


# Kinds with digits


def cropped(rng: Numbers, hand: Hand) -> Picture:
    """Write one to four digits; the picture ends a few pixels from their strokes."""
    columns = any_of(rng, 1, 1, 2, 4)
    size = rng.uniform(90, 260)
    rgb, labels, boxes = _photo(sheet(1, columns, rng, hand, size=size, turn=rng.normal(0, 1)), rng)
    x0, y0 = np.min(boxes, axis=0)[:2]
    x1, y1 = np.max(boxes, axis=0)[2:]
    left, top, right, bottom = rng.integers(3, 26, 4) if rng.random() < 0.6 else (60, 60, 60, 8)
    x0, y0 = max(x0 - left, 0), max(y0 - top, 0)
    rgb = rgb[y0 : y1 + bottom, x0 : x1 + right]
    return rgb, labels, [(a - x0, b - y0, c - x0, d - y0) for a, b, c, d in boxes]


def _photo(given: tuple[Page, Scene], rng: Numbers) -> Picture:
    page, scene = given
    return page.photo(scene, rng)


def dark_beside(rng: Numbers, hand: Hand) -> Picture:
    """Put a dark table, a thing or a deep shadow over a part of the picture without digits."""
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 6))
    rgb, labels, boxes = _photo(sheet(rows, columns, rng, hand), rng)
    deep = round(rng.uniform(0.08, 0.45) * min(rgb.shape[:2]))
    turns = int(rng.integers(4))  # below, to the left, above, to the right
    x0, y0 = np.min(boxes, axis=0)[:2]
    x1, y1 = np.max(boxes, axis=0)[2:]
    low = (y1, rgb.shape[1] - x0, rgb.shape[0] - y0, x1)[turns] + 10
    rgb = np.pad(np.rot90(rgb, turns), ((0, deep), (0, 0), (0, 0)), "edge")  # more of the page
    right, down = ((0, 0), (deep, 0), (0, deep), (0, 0))[turns]
    boxes = [(a + right, b + down, c + right, d + down) for a, b, c, d in boxes]
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    kind = any_of(rng, "shadow", "table", "corner", "thing")
    lean = rng.uniform(1, 4) if kind == "corner" else np.tan(np.radians(rng.normal(0, 3)))
    depth = y - low + lean * (x - width * (lean > 0))  # grows from an edge beyond the digits
    depth -= rng.uniform(0, 0.5) * depth.max()
    if kind == "thing":
        middle, half = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.3) * width
        depth = np.minimum(depth, half - np.abs(x - middle))
    soft = rng.uniform(1, 6) if kind == "shadow" else 1.0
    cover = 1 / (1 + np.exp(-np.clip(depth / soft, -30, 30)))[..., None]
    grain = rng.normal(0, rng.uniform(1, 8), (height, width, 1))
    colour = 255 * rng.uniform(0.02, 0.35) * np.array([1.0, 0.8, 0.65])
    dark = rgb * rng.uniform(0.05, 0.4) if kind == "shadow" else colour + grain
    rgb = np.rot90(np.clip(rgb * (1 - cover) + cover * dark, 0, 255), -turns)
    return np.ascontiguousarray(rgb, np.uint8), labels, boxes


def dense(rng: Numbers, hand: Hand) -> Picture:
    """Write some eighty digits in close rows that slant."""
    size = rng.uniform(40, 60)
    return _photo(
        sheet(
            int(rng.integers(7, 11)),
            int(rng.integers(7, 12)),
            rng,
            hand,
            size=size,
            apart=rng.uniform(0.95, 1.2),
            down=rng.uniform(1.15, 1.4),
            turn=rng.uniform(-9, 9),
            margin=2.0,
            pen=rng.uniform(6, 12),
        ),
        rng,
    )


def grid(page: Page, corner, cell, rows, columns, rng, gap: float = 0.0) -> None:
    """Draw boxes side by side, or apart; by hand they wobble."""
    y0, x0 = corner
    width = any_of(rng, 2, 3, 4)
    wobble = any_of(rng, 0.0, 0.02) * cell
    heavy = any_of(rng, 1, 1, 2)

    def boxes(pen):
        if gap:
            for r in range(rows):
                for c in range(columns):
                    y, x = y0 + r * cell, x0 + c * cell
                    inner = gap * cell / 2
                    pen.rectangle(
                        (x + inner, y + inner, x + cell - inner, y + cell - inner), None, 255, width
                    )
            return
        for lines, across in ((rows, True), (columns, False)):
            for i in range(lines + 1):
                n = columns if across else rows
                along = np.arange(n + 1) * cell
                side = i * cell + rng.normal(0, wobble, n + 1)
                points = (x0 + along, y0 + side) if across else (x0 + side, y0 + along)
                wide = width * (heavy if i % 3 == 0 else 1)
                pen.line(list(zip(*points, strict=True)), 255, wide)

    page.draw(boxes, rng.uniform(0.4, 1.0))


def boxes(rng: Numbers, hand: Hand) -> Picture:
    """Draw boxes of a form in a row, apart or joined; a sudoku; a table; a grid drawn by hand."""
    rows, columns, gap, filled = any_of(
        rng, (1, 5, 0.0, 1.0), (1, 6, 0.15, 1.0), (2, 6, 0.0, 1.0), (9, 9, 0.0, 0.35),
        (4, 4, 0.0, 0.8), (3, 5, 0.0, 1.0), (5, 3, 0.0, 1.0),
    )  # fmt: skip
    cell = rng.uniform(70, 90) if rows == 9 else rng.uniform(80, 150)
    margin = rng.uniform(0.4, 1.0) * cell
    scene = usual(rng, turn=rng.normal(0, 1.5))
    page = Page((round(2 * margin + rows * cell), round(2 * margin + columns * cell)))
    for r in range(rows):
        for c in range(columns):
            if rng.random() > filled:
                continue
            size = cell * rng.uniform(0.5, 0.72)
            shift = rng.normal(0, 0.05 * cell, 2)
            middle = (margin + (r + 0.5) * cell + shift[0], margin + (c + 0.5) * cell + shift[1])
            page.write(*digit(size, scene, hand, rng), middle)
    grid(page, (margin, margin), cell, rows, columns, rng, gap)
    return page.photo(scene, rng)


def turned(rng: Numbers, hand: Hand) -> Picture:
    """Lay a page of eight digits or more on its side, or head down."""
    rows, columns = int(rng.integers(2, 5)), int(rng.integers(4, 7))
    rgb, labels, boxes = _photo(sheet(rows, columns, rng, hand), rng)
    quarters = int(rng.integers(1, 4))
    boxes = _turned_boxes(boxes, rgb.shape[:2], quarters)
    return np.ascontiguousarray(np.rot90(rgb, quarters)), labels, boxes


def _turned_boxes(boxes, shape, quarters: int):
    """Return boxes in a picture of this shape where they are when it is turned to the left."""
    for side in (shape[1], shape[0], shape[1])[:quarters]:
        boxes = [(y0, side - x1, y1, side - x0) for x0, y0, x1, y1 in boxes]
    return boxes


def touching(rng: Numbers, hand: Hand) -> Picture:
    """Write numbers whose digits touch, on ruled or squared paper, by a pen or a marker."""
    size = rng.uniform(70, 120)
    scene = usual(
        rng, ruled=rng.uniform(0.15, 0.35), squared=rng.random() < 0.3, pen=rng.uniform(6, 14)
    )
    page = Page((round(6 * size), round(9 * size)))
    for r in range(3):
        x, y = rng.uniform(1, 1.5) * size, (1.5 + 1.5 * r) * size
        for i in range(int(rng.integers(4, 7))):
            picture, label = digit(size, scene, hand, rng)
            close = -0.04 if i and rng.random() < 0.6 else 0.2
            x += picture.shape[1] / 2 + close * size
            page.write(picture, label, (y + rng.normal(0, 0.03 * size), x))
            x += picture.shape[1] / 2
    return page.photo(scene, rng)


def marker(rng: Numbers, hand: Hand) -> Picture:
    """Write with a marker: strokes a fifth of their height or more."""
    pen = rng.uniform(17, 24)
    return _photo(sheet(2, 4, rng, hand, pen=pen, apart=1.35, ink=BLACK, contrast=0.9), rng)


def white_on_black(rng: Numbers, hand: Hand) -> Picture:
    """Write with chalk: light digits on a dark ground that goes to the border."""
    return _photo(
        sheet(2, 4, rng, hand, chalk=True, texture=rng.uniform(0, 0.02), pen=rng.uniform(6, 16)),
        rng,
    )


def screen(rng: Numbers, hand: Hand) -> Picture:
    """Draw with a mouse in a program: hard edges, pure colours, large on a small canvas."""
    n = any_of(rng, 1, 1, 2, 3)
    size = rng.uniform(110, 200)
    scene = Scene(pen=rng.uniform(3, 12))
    page = Page((round(1.6 * size), round((0.6 + n) * size)))
    for i in range(n):
        page.write(*digit(size, scene, hand, rng), (0.8 * size, (0.8 + i) * size))
    grey = 255 * (page.ink < 0.5)
    if rng.random() < 0.5:
        grey = 255 - grey
    from scipy import ndimage

    found = ndimage.find_objects(page.owner)
    boxes = [(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in found]
    return np.repeat(grey[..., None], 3, 2).astype(np.uint8), page.labels, boxes


def montage(rng: Numbers, hand: Hand) -> Picture:
    """Put small pictures of one digit each side by side: each has its own ground."""
    side, rows, columns = round(rng.uniform(56, 110)), 4, int(rng.integers(4, 9))
    gap = any_of(rng, 0, 2, 8)
    ground = int(any_of(rng, 0, 255))
    step = side + gap
    rgb = np.full((rows * step + gap, columns * step + gap, 3), ground, np.uint8)
    labels, boxes = [], []
    negative, mixed = rng.random() < 0.5, rng.random() < 0.6
    for r in range(rows):
        for c in range(columns):
            size = side * rng.uniform(0.5, 0.75)
            page = Page((side, side))
            scene = usual(rng, turn=0.0, gradient=0.1)
            page.write(*digit(size, scene, hand, rng), (side / 2, side / 2))
            if mixed:
                tile, (label,), (box,) = page.photo(scene, rng)
            else:
                tile = np.repeat(255 * (1 - page.ink)[..., None], 3, 2)
                y, x = np.nonzero(page.owner)
                (label,), box = page.labels, (x.min(), y.min(), x.max() + 1, y.max() + 1)
            y, x = gap + r * step, gap + c * step
            rgb[y : y + side, x : x + side] = 255 - tile if negative else tile
            labels.append(label)
            boxes.append((box[0] + x, box[1] + y, box[2] + x, box[3] + y))
    return rgb, labels, boxes


def among_letters(rng: Numbers, hand: Hand) -> Picture:
    """Write digits beside letters and signs: lines such as a = 37, or No. 5."""
    size = rng.uniform(70, 120)
    page, scene = Page((round(6 * size), round(9 * size))), usual(rng)
    names = ("Ex", "x =", "a =", "N", "Room", "+", "km", "Tel", "kg", "%", "Math", "A", "M")
    for r in range(3):
        x, y = rng.uniform(0.8, 1.5) * size, (1.5 + 1.5 * r) * size
        parts = any_of(rng, "wd", "dw", "wdw", "dwd")
        for part in parts:
            if part == "w":
                font = _font(str(rng.choice(FONTS)), round(1.1 * size))
                word = str(rng.choice(names))
                image = Image.new("L", (round(font.getlength(word)) + 4, round(1.6 * size)))
                ImageDraw.Draw(image).text((0, 0), word, 255, font)
                picture = tight(np.asarray(image, np.float32) / 255)
                put(picture, (y, x + picture.shape[1] / 2), page.ink, page.owner, 0)
                x += picture.shape[1] + 0.5 * size
                continue
            for _ in range(int(rng.integers(1, 3 if len(parts) == 3 else 4))):
                picture, label = digit(size, scene, hand, rng)
                page.write(picture, label, (y, x + picture.shape[1] / 2))
                x += picture.shape[1] + 0.2 * size
            x += 0.3 * size
    return page.photo(scene, rng)


KINDS: dict[str, Callable[[Numbers, Hand], Picture]] = {
    "print": printed,
    "other without digits": no_digits,
    "cropped close": cropped,
    "dark beside the page": dark_beside,
    "dense, slanting": dense,
    "boxes and grids": boxes,
    "turned": turned,
    "touching, ruled paper": touching,
    "thick marker": marker,
    "white on black": white_on_black,
    "drawn on a screen": screen,
    "montage": montage,
    "among letters": among_letters,
}


@cache
def mnist(path: str | None, final: bool) -> tuple[np.ndarray, np.ndarray] | None:
    """Return one half of MNIST's test set."""
    if path is None:
        return None
    half = slice(5000, None) if final else slice(5000)
    with np.load(path) as file:
        return file["X_test"][half] / 255, file["y_test"][half]


def picture(kind: str, number: int, path: str | None, final: bool = False) -> Picture:
    """Return one picture of a kind."""
    rng = np.random.default_rng([number + FINAL * final, *kind.encode()])
    theirs = mnist(path, final) if number % 2 else None

    def hand(label: int, rng: Numbers) -> np.ndarray:
        if theirs is None:
            return draw_digit(label, rng)
        X, y = theirs
        return X[rng.choice(np.flatnonzero(y == label))]

    return KINDS[kind](rng, hand)


def judged(kind: str, number: int, path: str | None, final: bool) -> tuple[int, int, int, int]:
    """Return how many digits a picture has, how many are right, wrong and invented."""
    rgb, labels, places = picture(kind, number, path, final)
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=1)
    file.seek(0)
    reading = read(file)
    places = _turned_boxes(places, rgb.shape[:2], reading.found.photo.turned // 90)
    missed, wrong, invented = judge(reading.digits, labels, places)
    return len(labels), len(labels) - missed - len(wrong), len(wrong), invented


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", help="a mnist.npz: its test set's hands")
    parser.add_argument("--photos", type=int, default=20, help="of each kind")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS), help="only these")
    parser.add_argument("--final", action="store_true", help="those on which nothing was chosen")
    parser.add_argument("--keep", type=Path, help="a folder for the photos that are read wrong")
    given = parser.parse_args()
    print("| kind | photos | digits | right | misread | invented | photos with one invented |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind in given.kind:
        calls = [(kind, number, given.mnist, given.final) for number in range(given.photos)]
        counts = np.array(list(in_processes(judged, calls)))
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            for number in np.flatnonzero((counts[:, 1] < counts[:, 0]) | (counts[:, 3] > 0)):
                image = Image.fromarray(picture(kind, int(number), given.mnist, given.final)[0])
                image.save(given.keep / f"{kind}-{number}.png")
        digits, right, wrong, invented = counts.sum(axis=0)
        share = f"{right} ({right / digits:.1%})" if digits else "none"
        print(
            f"| {kind} | {len(calls)} | {digits} | {share} | {wrong} | {invented} "
            f"| {(counts[:, 3] > 0).sum()} |",
            flush=True,
        )


if __name__ == "__main__":
    from benchmarks import photo_kinds  # by this name the other processes know its functions

    photo_kinds.main()

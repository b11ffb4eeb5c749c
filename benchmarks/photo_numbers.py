"""What is read of numbers as they are written: points, commas, signs, digits of other schools.

    python -m benchmarks.photo_numbers --mnist mnist.npz [--photos 200] [--half reported]

Half of the photos' digits are MNIST's test set, half are drawn.  A digit is right if it is found,
is read as what it is, and has the right separator after it and sign before it.  The photos are in
two halves: settings were chosen on one, `chosen`, and figures are told of the other, `reported`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.photo_failures import any_of
from PIL import Image, ImageDraw

from chainrule.handwriting.reading import Digit, read
from chainrule.photos.strokes import Stroke, _draw, _path, draw_digit
from chainrule.photos.synthetic import BLACK, BLUE, PENCIL, WHITE, YELLOW, Scene, photograph

HALVES = ("chosen", "reported")
Numbers = np.random.Generator
# Digits as other schools teach them; none is a way of `strokes.DIGITS`
SCHOOLS: dict[str, tuple[tuple[Stroke, ...], ...]] = {
    "open fours": (
        (("lines", "18,0 12,52 88,52"), ("lines", "70,10 70,100")),
        (("lines", "30,0 8,58 84,56"), ("lines", "78,0 62,100")),
        (("curve", "16,0 10,30 22,54 50,52 82,44"), ("lines", "82,0 80,100")),
        (("lines", "12,4 10,50 78,54 80,6"), ("lines", "80,6 78,100")),
    ),
    "European ones": (
        (("lines", "8,58 56,0 56,100"),),
        (("lines", "16,46 60,2 54,100"),),
        (("lines", "4,48 50,0 52,100"),),
        (("curve", "6,56 30,36 58,0"), ("lines", "58,0 56,100")),
        (("lines", "14,40 58,0 58,100"), ("lines", "34,100 82,100")),
    ),
}  # fmt: skip


def decimal(mark: str, rng: Numbers) -> str:
    """Return a number with a decimal mark."""
    whole = str(rng.integers(0, any_of(rng, 10, 100, 1000)))
    return whole + mark + "".join(map(str, rng.integers(0, 10, rng.integers(1, 4))))


def thousands(rng: Numbers) -> str:
    """Return a number whose digits are in threes, sometimes with a fraction."""
    group, mark = any_of(rng, (",", "."), (".", ","))
    groups = [str(rng.integers(1, any_of(rng, 10, 100, 1000)))]
    groups += [f"{any_of(rng, 0, rng.integers(1000)):03d}" for _ in range(rng.integers(1, 3))]
    fraction = f"{mark}{rng.integers(100):02d}" if rng.random() < 0.3 else ""
    return group.join(groups) + fraction


def negative(rng: Numbers) -> str:
    """Return a number with a minus sign, at times a decimal."""
    return "-" + (decimal(".", rng) if rng.random() < 0.3 else str(rng.integers(1000)))


def with_many(digit: int, rng: Numbers) -> str:
    """Return some digits, half of them this one."""
    return "".join(str(any_of(rng, digit, rng.integers(10))) for _ in range(rng.integers(2, 6)))


WRITTEN = {
    "points": lambda rng: decimal(".", rng),
    "commas": lambda rng: decimal(",", rng),
    "thousands": thousands,
    "minus signs": negative,
    "crossed sevens": lambda rng: with_many(7, rng),
    "open fours": lambda rng: with_many(4, rng),
    "European ones": lambda rng: with_many(1, rng),
    "short ones": lambda rng: with_many(1, rng),
    "dirt": lambda rng: "".join(map(str, rng.integers(0, 10, rng.integers(2, 6)))),
    "broken strokes": lambda rng: "".join(map(str, rng.integers(0, 10, rng.integers(2, 6)))),
}


def scene_of(kind: str, rng: Numbers) -> Scene:
    """Return how a photo of this kind is taken: nothing goes wrong but what the kind says."""
    return Scene(
        scale=rng.uniform(0.6, 1.4),
        apart=rng.uniform(0.5, 0.8),
        turn=rng.normal(0, 2),
        pen=rng.uniform(4, 14),
        ink=any_of(rng, BLACK, BLUE, PENCIL),
        paper=any_of(rng, WHITE, WHITE, YELLOW),
        contrast=rng.uniform(0.5, 0.9),
        gradient=rng.uniform(0, 0.4),
        shadow=any_of(rng, 0.0, 0.0, rng.uniform(0.1, 0.4)),
        ruled=any_of(rng, 0.0, 0.0, rng.uniform(0.1, 0.3)),
        squared=rng.random() < 0.4,
        blur=rng.uniform(0.3, 2),
        noise=rng.uniform(0, 0.03),
        specks=int(rng.integers(3, 15)) if kind == "dirt" else 0,
        gaps=rng.uniform(0.03, 0.12) if kind == "broken strokes" else 0.0,
    )


def crossed(seven: np.ndarray, rng: Numbers) -> np.ndarray:
    """Draw a bar across the stem of a 7."""
    side = seven.shape[0]
    rows, columns = np.nonzero(seven > 0.5)
    top, bottom = rows.min(), rows.max()
    y = top + rng.uniform(0.45, 0.65) * (bottom - top)
    stem = columns[np.abs(rows - y) < 1.5]
    x = stem.mean() if len(stem) else columns.mean()
    width, slope = rng.uniform(0.15, 0.35) * (bottom - top), rng.normal(0, 0.15)
    big = Image.fromarray(np.uint8(255 * seven)).resize((4 * side, 4 * side), Image.BICUBIC)
    ends = [4 * v for v in (x - width, y + slope * width, x + width, y - slope * width)]
    thick = round(4 * len(rows) / (2.2 * (bottom - top)))
    ImageDraw.Draw(big).line(ends, 255, max(3, thick))
    return np.asarray(big.reduce(4), np.float32) / 255


def short(one: np.ndarray, rng: Numbers) -> np.ndarray:
    """Make a digit lower; it stays on the base line."""
    side = one.shape[0]
    low = round(side * rng.uniform(0.55, 0.8))
    image = Image.fromarray(np.float32(one)).resize((low, low))
    rows = np.flatnonzero(np.asarray(one).max(axis=1) > 0.5)
    base = round(rows.max() * (1 - low / side)) if len(rows) else side - low
    page = np.zeros_like(one, np.float32)
    left = (side - low) // 2
    page[min(base, side - low) :][:low, left : left + low] = np.asarray(image)
    return page


def photo_of(kind: str, rng: Numbers, X, y) -> tuple[np.ndarray, list[str], list]:
    """Return a photo of this kind, what is written in its rows, and the digits' boxes."""
    scene = scene_of(kind, rng)
    rows = [WRITTEN[kind](rng) for _ in range(rng.integers(1, 4))]
    if rng.random() < 0.3 and max(map(len, rows)) < 6:
        rows = [f"{row} {WRITTEN[kind](rng)}" for row in rows]
    theirs = X is not None and rng.random() < 0.5

    def hand(label: int, rng: Numbers) -> np.ndarray:
        school = {"open fours": 4, "European ones": 1}.get(kind)
        if label == school:
            ways = SCHOOLS[kind]
            paths = [_path(stroke, rng) for stroke in ways[rng.integers(len(ways))]]
            return _draw(paths, rng)
        picture = X[rng.choice(np.flatnonzero(y == label))] if theirs else draw_digit(label, rng)
        if kind == "crossed sevens" and label == 7 and theirs:
            return crossed(picture, rng)
        return short(picture, rng) if kind == "short ones" and label == 1 else picture

    rgb, boxes = photograph(rows, scene, hand, rng)
    return rgb, rows, boxes


def truth(rows: list[str]) -> list[tuple[int, str, str]]:
    """Return for each digit what it is, the sign before it and the separator after it."""
    told = []
    for row in rows:
        around = f" {row} "
        for before, digit, after in zip(around, around[1:], around[2:], strict=False):
            if digit.isdigit():
                sign = before if before == "-" else ""
                told.append((int(digit), sign, after if after in ".," else ""))
    return told


def judge(digits: list[Digit], told, boxes) -> np.ndarray:
    """Return how many digits there are, are right, missed, misread, signed wrongly, invented."""
    left, missed, misread, signs, right = list(digits), 0, 0, 0, 0
    for (label, sign, separator), (x0, y0, x1, y1) in zip(told, boxes, strict=True):
        inside = [
            d
            for d in left
            if x0 <= (d.box[0] + d.box[2]) / 2 <= x1 and y0 <= (d.box[1] + d.box[3]) / 2 <= y1
        ]
        if not inside:
            missed += 1
            continue
        found = max(inside, key=lambda d: d.box[3] - d.box[1])
        left.remove(found)
        if found.label != label:
            misread += 1
        elif (found.sign_before, found.separator_after) != (sign, separator):
            signs += 1
        else:
            right += 1
    return np.array([len(told), right, missed, misread, signs, len(left)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, help="a mnist.npz: its test set's hands")
    parser.add_argument("--photos", type=int, default=200, help="of each kind")
    parser.add_argument("--half", choices=HALVES, default="reported")
    parser.add_argument("--kind", nargs="+", choices=WRITTEN, default=list(WRITTEN))
    parser.add_argument("--keep", type=Path, help="a folder for the photos that are read wrong")
    given = parser.parse_args()
    X = y = None
    if given.mnist:
        with np.load(given.mnist) as mnist:
            X, y = mnist["X_test"] / 255, mnist["y_test"]
    print("| kind | digits | right | not found | misread | sign wrong | invented |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "photo.png")
        for kind in given.kind:
            counts = np.zeros(6, int)
            for number in range(given.photos):
                rng = np.random.default_rng([HALVES.index(given.half), number, *kind.encode()])
                rgb, rows, boxes = photo_of(kind, rng, X, y)
                Image.fromarray(rgb).save(file, compress_level=1)
                digits = read(file).digits
                judged = judge(digits, truth(rows), boxes)
                counts += judged
                if given.keep and (judged[1] != judged[0] or judged[5]):
                    said = "_".join(rows).replace(" ", "+")
                    got = "".join(f"{d.sign_before}{d.label}{d.separator_after}" for d in digits)
                    given.keep.mkdir(parents=True, exist_ok=True)
                    file.rename(given.keep / f"{kind}-{number}-{said}-as-{got}.png")
            share = f"{counts[1]} ({100 * counts[1] / counts[0]:.1f} %)"
            print(f"| {kind} | {counts[0]} | {share} | {' | '.join(map(str, counts[2:]))} |")


if __name__ == "__main__":
    main()

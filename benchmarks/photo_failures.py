"""What the reader of photos gets wrong, by what goes wrong in the photo: a table.

    python -m benchmarks.photo_failures [--mnist mnist.npz] [--photos 20] [--kind "thin pen" ...]

Photos are made up, each kind with one thing as bad as people's photos have it, the last kind with
several at once.  Half of them show one digit, half a sheet of 2 rows.  Digits are drawn by strokes,
every second photo's taken from MNIST's test set if it is given, which are other hands.  A digit is
found when a reading's middle lies in its box, and a reading in no digit's box is invented.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from chainrule.handwriting.reading import read
from chainrule.photos.strokes import draw_digit, draw_no_digit
from chainrule.photos.synthetic import (
    BLUE,
    GREEN,
    MINT,
    PENCIL,
    PINK,
    RED,
    YELLOW,
    Scene,
    photograph,
)

Numbers = np.random.Generator


def any_of(rng: Numbers, *values):
    """Return one of some values."""
    return values[rng.integers(len(values))]


KINDS: dict[str, Callable[[Numbers], dict[str, object]]] = {
    "nothing": lambda rng: {},
    "soft shadow": lambda rng: {"shadow": rng.uniform(0.3, 0.7), "soft": (0.1, 0.3)},
    "sharp shadow": lambda rng: {"shadow": rng.uniform(0.3, 0.7), "soft": (0.002, 0.01)},
    "dark to one side": lambda rng: {"gradient": rng.uniform(0.5, 0.8)},
    "dark corners": lambda rng: {"vignette": rng.uniform(0.4, 0.8)},
    "a lamp's reflection": lambda rng: {"glare": rng.uniform(0.2, 0.6)},
    "ruled paper": lambda rng: {"ruled": rng.uniform(0.15, 0.4), "turn": rng.normal(0, 3)},
    "squared paper": lambda rng: {
        "ruled": rng.uniform(0.1, 0.3), "squared": True, "turn": rng.normal(0, 3),
    },
    "coloured paper": lambda rng: {"paper": any_of(rng, YELLOW, PINK, MINT)},
    "coloured pen": lambda rng: {"ink": any_of(rng, BLUE, RED, GREEN)},
    "pencil, faint": lambda rng: {"ink": PENCIL, "contrast": rng.uniform(0.2, 0.4)},
    "thin pen": lambda rng: {"pen": rng.uniform(2, 4)},
    "thick marker": lambda rng: {"pen": rng.uniform(16, 26)},
    "broken strokes": lambda rng: {"gaps": rng.uniform(0.05, 0.2)},
    "specks": lambda rng: {"specks": int(rng.integers(3, 25))},
    "tilted": lambda rng: {"turn": any_of(rng, -1, 1) * rng.uniform(6, 15)},
    "camera aslant": lambda rng: {"perspective": rng.uniform(0.1, 0.3)},
    "small in the picture": lambda rng: {"margin": rng.uniform(3, 6)},
    "few pixels": lambda rng: {"scale": rng.uniform(0.18, 0.3), "blur": 0.6, "jpeg": 50},
    "out of focus": lambda rng: {"blur": rng.uniform(3, 6)},
    "noisy, poor JPEG": lambda rng: {"noise": rng.uniform(0.04, 0.12), "jpeg": 25},
    "near the edge": lambda rng: {"margin": rng.uniform(0.0, 0.12)},
    "table on one side": lambda rng: {"edge": True},
    "table all around": lambda rng: {"table": True, "turn": rng.normal(0, 4)},
    "text around": lambda rng: {"beside": "text"},
    "a pen beside": lambda rng: {"beside": "pen"},
    "a finger": lambda rng: {"beside": "finger"},
    "chalk": lambda rng: {"chalk": True, "texture": rng.uniform(0.01, 0.03)},
    "written close": lambda rng: {"apart": rng.uniform(0.65, 0.8)},
    "touching": lambda rng: {"apart": rng.uniform(0.5, 0.6)},
    "several at once": lambda rng: vars(Scene.random(rng)),
}  # fmt: skip


def photos_of(kind: str, n: int, X, y) -> Iterator[tuple[np.ndarray, list[int], list]]:
    """Yield photos of a kind: the picture, its digits in reading order, their boxes."""
    for number in range(n):
        rng = np.random.default_rng([number, *kind.encode()])
        if kind == "no digits":
            yield (
                photograph([any_of(rng, "0", "000")], Scene.random(rng), _no_digit, rng)[0],
                [],
                [],
            )
            continue
        scene = replace(Scene(), **KINDS[kind](rng))
        if number % 2:
            rows = ["".join(map(str, row)) for row in rng.integers(0, 10, (2, 4))]
            scene = replace(scene, scale=min(scene.scale, 1.2))
        else:
            rows = [str(number // 2 % 10)]
        theirs = X is not None and number % 4 < 2

        def hand(label, rng, theirs=theirs):
            return X[rng.choice(np.flatnonzero(y == label))] if theirs else draw_digit(label, rng)

        rgb, boxes = photograph(rows, scene, hand, rng)
        yield rgb, [int(c) for c in "".join(rows)], boxes


def _no_digit(label: int, rng: Numbers) -> np.ndarray:
    return draw_no_digit(rng)


def judge(digits, labels, boxes) -> tuple[int, list[str], int]:
    """Return how many digits were not found, what was misread, and how many were invented."""
    left, wrong, missed = list(digits), [], 0
    for label, (x0, y0, x1, y1) in zip(labels, boxes, strict=True):
        places = [((d.box[0] + d.box[2]) / 2, (d.box[1] + d.box[3]) / 2) for d in left]
        inside = [
            d for d, (x, y) in zip(left, places, strict=True) if x0 <= x <= x1 and y0 <= y <= y1
        ]
        if not inside:
            missed += 1
            continue
        found = max(inside, key=lambda d: d.box[3] - d.box[1])
        left.remove(found)
        if found.label != label:
            wrong.append(f"{label} as {found.label}")
    return missed, wrong, len(left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, help="a mnist.npz: its test set's hands")
    parser.add_argument("--photos", type=int, default=20, help="of each kind")
    parser.add_argument("--kind", nargs="+", choices=[*KINDS, "no digits"], help="only these")
    parser.add_argument("--keep", type=Path, help="a folder for the photos that are read wrong")
    given = parser.parse_args()
    X = y = None
    if given.mnist:
        with np.load(given.mnist) as mnist:
            X, y = mnist["X_test"] / 255, mnist["y_test"]
    total = np.zeros(4, int)
    print("| what goes wrong | digits | not found | misread | invented | misread as |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in given.kind or [*KINDS, "no digits"]:
            counts, said = np.zeros(4, int), []
            for number, (rgb, labels, boxes) in enumerate(photos_of(kind, given.photos, X, y)):
                file = Path(folder, "photo.png")
                Image.fromarray(rgb).save(file, compress_level=1)
                missed, wrong, invented = judge(read(file).digits, labels, boxes)
                counts += [len(labels), missed, len(wrong), invented]
                said += wrong
                if given.keep and (missed or wrong or invented):
                    given.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, given.keep / f"{kind}-{number}.png")
            print(f"| {kind} | {' | '.join(map(str, counts))} | {', '.join(said)} |", flush=True)
            total += counts
    print(f"| all | {' | '.join(map(str, total))} | |")


if __name__ == "__main__":
    main()

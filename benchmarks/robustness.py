"""How much of what goes wrong in photos the reader of digits bears: a table and a picture.

    python -m benchmarks.robustness --out docs/robustness.png [--mnist mnist.npz]

One thing at a time is changed in photos that are made up: sheets of 3 rows of 4 digits, drawn by
strokes or, with --mnist, taken from MNIST's test set, which are other hands.  A digit counts as
read when it is found in its place and told right.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from chainrule.handwriting.reading import read
from chainrule.photos.strokes import draw_digit
from chainrule.photos.synthetic import Scene, photograph

CHANGES = {
    "turn": ("rotation (degrees)", (0, 5, 10, 15, 20, 30)),
    "scale": ("size (1: about 100 pixels)", (0.2, 0.3, 0.5, 1, 2, 4)),
    "shadow": ("shadow (share of the light)", (0, 0.2, 0.4, 0.6, 0.8)),
    "blur": ("blur (pixels)", (0.5, 2, 4, 6, 8, 12)),
    "noise": ("noise (of white)", (0, 0.02, 0.05, 0.1, 0.2)),
    "pen": ("stroke width (pixels)", (2, 4, 8, 12, 18, 24)),
    "contrast": ("contrast of the ink", (0.05, 0.1, 0.2, 0.4, 0.8)),
    "ruled": ("ruled lines (contrast)", (0, 0.1, 0.2, 0.3, 0.5)),
}
ROWS, COLUMNS = 3, 4


def read_right(scene: Scene, hand, seed: int, folder: Path) -> tuple[int, int]:
    """Return how many digits of a sheet are read right, and how many readings are of none."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(ROWS * COLUMNS) % 10)
    rows = ["".join(map(str, row)) for row in labels.reshape(ROWS, COLUMNS)]
    rgb, boxes = photograph(rows, scene, hand, rng)
    Image.fromarray(rgb).save(folder / "photo.jpg", quality=85)
    left, right = list(read(folder / "photo.jpg").digits), 0
    for label, (x0, y0, x1, y1) in zip(labels, boxes, strict=True):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        inside = (d for d in left if d.box[0] <= x <= d.box[2] and d.box[1] <= y <= d.box[3])
        found = next(inside, None)
        if found is not None:
            left.remove(found)
            right += found.label == label
    return right, len(left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("robustness.png"))
    parser.add_argument("--mnist", type=Path, help="a mnist.npz: its test set's hands")
    parser.add_argument("--sheets", type=int, default=5, help="for each value")
    given = parser.parse_args()
    hand = draw_digit
    if given.mnist:
        with np.load(given.mnist) as mnist:
            X, y = mnist["X_test"] / 255, mnist["y_test"]

        def hand(label, rng):
            return X[rng.choice(np.flatnonzero(y == label))]

    figure = Figure(figsize=(13, 6), dpi=100, layout="constrained")
    panels = np.ravel(figure.subplots(2, 4, sharey=True))
    n = given.sheets * ROWS * COLUMNS
    print(f"{n} digits for each value: read right, and readings where there is no digit\n")
    with tempfile.TemporaryDirectory() as folder:
        for panel, (name, (words, values)) in zip(panels, CHANGES.items(), strict=True):
            shares, cells = [], []
            for value in values:
                scene = replace(Scene(), **{name: value})
                seeds = range(given.sheets)
                pairs = [read_right(scene, hand, seed, Path(folder)) for seed in seeds]
                right, invented = map(sum, zip(*pairs, strict=True))
                shares.append(100 * right / n)
                cells.append(
                    f"{value:g}: {shares[-1]:.0f} %" + (f" (+{invented})" if invented else "")
                )
            print(f"| {words} | " + " | ".join(cells) + " |", flush=True)
            panel.plot(values, shares, "o-", color="#0072b2")
            panel.set(xlabel=words, ylim=(-3, 103))
            panel.grid(color="#dddddd", linewidth=0.6)
    for panel in panels[::4]:
        panel.set_ylabel("digits read right (%)")
    figure.savefig(given.out)


if __name__ == "__main__":
    main()

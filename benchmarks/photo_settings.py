"""Whether the photo reader's settings would be others had some of the photos not been seen.

    python -m benchmarks.photo_settings FOLDER [--mnist mnist.npz]

Each setting is tried lower and higher, on the labelled photos of FOLDER (see
`benchmarks.real_photos`) and on photos that are made up.  Errors are told for each source; and for
each source what would have been chosen by the other sources, and what it then gets wrong there.
The shipped value wins where it is no worse.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.photo_failures import judge, photos_of
from benchmarks.real_photos import rows_of, sheet, single
from PIL import Image

from chainrule.handwriting import reading
from chainrule.photos import ink, lines, marks

SETTINGS = (
    (marks, "FAINTEST", (0.04, 0.09)),
    (marks, "OVER_NOISE", (3.0, 6.0)),
    (marks, "OF_STRONG", (0.3, 0.5)),
    (ink, "WINDOW", (0.2, 0.4)),
    (lines, "LENGTH", (0.2, 0.45)),
    (reading, "STRANGERS", ((0.2, 2.0), (1.0, 2.0))),
)
MADE_UP = "made up"


def real_errors(folder: Path) -> dict[str, int]:
    """Return for each source the digits that are not read right, and those invented."""
    errors = {}
    for source in sorted(file.parent for file in folder.glob("*/labels.csv")):
        boxes = rows_of(source / "boxes.csv") if (source / "boxes.csv").exists() else []
        errors[source.name] = 0
        for row in rows_of(source / "labels.csv"):
            read = reading.read(source / row["file"])
            if row["layout"] == "multi":
                _, invented, wrong = sheet(read, [b for b in boxes if b["file"] == row["file"]])
                errors[source.name] += len(wrong) + invented
            elif row["kind"] != "object":
                errors[source.name] += not single(read, row["label"])
    return errors


def made_up_errors(n: int, X, y) -> int:
    """Return the same of photos that are made up."""
    errors = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "photo.png")
        for rgb, labels, boxes in photos_of("several at once", n, X, y):
            Image.fromarray(rgb).save(file, compress_level=1)
            missed, wrong, invented = judge(reading.read(file).digits, labels, boxes)
            errors += missed + len(wrong) + invented
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mnist", type=Path, help="a mnist.npz: its test set's hands")
    parser.add_argument("--photos", type=int, default=16, help="that are made up")
    given = parser.parse_args()
    X = y = None
    if given.mnist:
        with np.load(given.mnist) as mnist:
            X, y = mnist["X_test"] / 255, mnist["y_test"]

    def errors() -> dict[str, int]:
        return real_errors(given.folder) | {MADE_UP: made_up_errors(given.photos, X, y)}

    shipped = errors()
    print("| setting | " + " | ".join(shipped) + " |")
    print("|---" * (len(shipped) + 1) + "|")
    print("| as shipped | " + " | ".join(map(str, shipped.values())) + " |", flush=True)
    left_out = {source: [] for source in shipped if source != MADE_UP}
    alone = []  # what the photos that are made up would have chosen
    for module, name, values in SETTINGS:
        before = getattr(module, name)
        tried = {before: shipped}
        for value in values:
            setattr(module, name, value)
            tried[value] = errors()
            print(
                f"| {name} {value} | " + " | ".join(map(str, tried[value].values())) + " |",
                flush=True,
            )
        setattr(module, name, before)
        for source, changes in left_out.items():
            others = {
                value: sum(n for name, n in counts.items() if name not in (source, MADE_UP))
                for value, counts in tried.items()
            }
            chosen = min(others, key=others.__getitem__)  # the first of equals: as shipped
            if chosen != before:
                changes.append(f"{name} {chosen}: {tried[chosen][source]} wrong")
        chosen = min(tried, key=lambda value: tried[value][MADE_UP])
        if chosen != before:
            alone.append(f"{name} {chosen}: {sum(tried[chosen].values())} wrong in all")
    print()
    for source, changes in left_out.items():
        print(
            f"without {source}: "
            + (", ".join(changes) or "the same settings")
            + f"; as shipped {shipped[source]} wrong"
        )
    print("by photos made up alone: " + (", ".join(alone) or "the same settings"))


if __name__ == "__main__":
    main()

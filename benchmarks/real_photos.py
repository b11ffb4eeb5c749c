"""What the photo reader makes of real photos: a folder of sources with labels.csv and boxes.csv.

    python -m benchmarks.real_photos FOLDER [--model M]

labels.csv has file, label, kind, layout: of a "single" photo the label is its digit, of a "multi"
one its digits in reading order.  boxes.csv has file, x0, y0, x1, y1, label for each digit of a
sheet.  A digit of a sheet is found if half of its box and half of a reading's are in common.
"""

import argparse
import csv
from collections import Counter
from pathlib import Path

from chainrule.handwriting.reading import Reading, read
from chainrule.model_file import load


def rows_of(file):
    """Return the rows of a csv file as dictionaries."""
    with open(file, newline="") as lines:
        return list(csv.DictReader(lines))


def single(reading: Reading, label: str) -> bool:
    """Tell whether a photo of one digit was read as that digit and nothing else."""
    return [str(digit.label) for digit in reading.digits] == [label]


def sheet(reading: Reading, boxes) -> tuple[int, int, list[str]]:
    """Return how many of a sheet's digits are right, the readings of nothing, and the wrong."""
    right, wrong, left = 0, [], list(reading.digits)
    for box in boxes:
        place = [int(box[name]) for name in ("x0", "y0", "x1", "y1")]
        found = max(left, key=lambda digit: common(digit.box, place), default=None)
        if found is None or common(found.box, place) < 0.5:
            wrong.append(f"{box['label']} not found")
            continue
        left.remove(found)
        if str(found.label) == box["label"]:
            right += 1
        else:
            wrong.append(f"{box['label']} as {found.label} ({found.probability:.2f})")
    return right, len(left), wrong


def common(a, b) -> float:
    """Return the part that two boxes have in common, of the larger one."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if min(width, height) <= 0:
        return 0.0
    return width * height / max((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (a, b))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    model = load(given.model) if given.model else None
    total = Counter()
    for source in sorted(file.parent for file in given.folder.glob("*/labels.csv")):
        boxes = rows_of(source / "boxes.csv") if (source / "boxes.csv").exists() else []
        for row in rows_of(source / "labels.csv"):
            reading = read(source / row["file"], model)
            name, kind = f"{source.name}/{row['file']}", row["kind"]
            if row["layout"] == "multi":
                own = [box for box in boxes if box["file"] == row["file"]]
                right, invented, wrong = sheet(reading, own)
                total += Counter(sheet_right=right, sheet_digits=len(own), invented=invented)
                print(f"{name}: {right} of {len(own)} right, {invented} invented", *wrong, sep="  ")
                continue
            total[f"{kind} {'right' if single(reading, row['label']) else 'wrong'}"] += 1
            if not single(reading, row["label"]):
                said = [f"{d.label} ({d.probability:.2f})" for d in reading.digits] or ["no digit"]
                print(f"{name}: {row['label']} read as", *said, sep="  ")
    print(*(f"{name}: {n}" for name, n in sorted(total.items())), sep="\n")


if __name__ == "__main__":
    main()

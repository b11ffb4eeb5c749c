"""The answers of the Draw view: what becomes of ink, and what a network makes of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from chainrule.handwriting.frames import fitted
from chainrule.handwriting.reading import (
    NO_CODE,
    NO_DIGIT,
    Reading,
    read_found,
    read_ink,
    reads_digits,
)
from chainrule.handwriting.table import numbers, written
from chainrule.model_file import load
from chainrule.photos import Mark, find, stages
from chainrule.photos.strokes import digit_paths
from chainrule.web.asked import Asked
from chainrule.web.desk import KEPT, Desk, Opened
from chainrule.web.wire import as_bytes

MOST_SIDE = 560  # pixels of the pad
SHOWN_SIDE = 800  # pixels of a photo's longer side on the page
STAGES = ("cut", "upright", "even")


def network(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Tell which network is open."""
    return described(desk.opened) | {"own": len(desk.own)}


def open_model(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Open a model file in place of the network that is open; tell the view that shows it."""
    file = asked.file()
    view = desk.lay(load(file), file.name)
    return network(desk, asked) | {"view": view}


def described(opened: Opened) -> dict[str, Any]:
    """Return what the page says of a network."""
    model = opened.model
    reads = reads_digits(model)
    activations = [g.name for g in model.network.activations]
    return {
        "name": opened.name,
        "layers": list(model.network.layers),
        "activations": [*activations, model.network.cost.name],
        "classes": [str(label) for label in model.classes or ()],
        "image": list(model.encoder.image_shape or ()) if reads else None,
        **(asdict(fitted(model)) if reads else {"frame": None, "right": None}),
    }


def example(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the strokes of a digit in one of many hands; `strokes` tells the points of each."""
    rng = np.random.default_rng(asked.whole("seed", 0, 2**31))
    paths = digit_paths(asked.whole("digit", 0, 9), rng)
    return {"strokes": [len(path) for path in paths], "points": np.concatenate(paths)}


def ink(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Read a drawing, and show one of its marks: the largest, or the one asked for."""
    opened = desk.reader
    reading = read_ink(asked.picture("ink", MOST_SIDE), opened.model)
    marks = reading.found.marks
    answer = read_marks(reading)
    if marks:
        largest = max(range(len(marks)), key=lambda i: marks[i].size)
        shown = asked.whole("mark", 0, len(marks) - 1, largest)
        answer |= {"shown": shown} | looked_into(opened, marks[shown])
    return answer


def photo(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Read a photo; return the steps until its marks, what each reads as, and one of them.

    A photo that was given before is named by its number, and read anew by the network of now.
    """
    opened = desk.reader
    number = asked.whole("photo", 1, 2**31) if "photo" in asked.values else None
    found = kept(desk, asked).found if number else find(asked.file())
    reading = read_found(found, opened.model)
    found = reading.found
    step = -(-max(found.mask.shape) // SHOWN_SIDE)
    smaller = (slice(None, None, step), slice(None, None, step))
    answer = read_marks(reading) | {
        "photo": desk.keep(reading, number),
        "rgb": np.ascontiguousarray(found.photo.rgb[smaller]),
        "contrast": as_bytes(1 - found.contrast[smaller]),
        "mask": as_bytes(1 - found.mask[smaller]),
        "boxes": np.array([mark.box for mark in found.marks], np.float64).reshape(-1, 4) / step,
        "numbers": [[written(number) for number in row] for row in numbers(reading.digits)],
        "notes": found.photo.notes,
    }
    shown = next((i for i in range(len(found.marks)) if reading.is_digit(i)), 0)
    if found.marks:
        answer |= {"shown": shown} | looked_into(opened, found.marks[shown])
    return answer


def mark(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the steps of one mark of a photo that was read before."""
    reading = kept(desk, asked)
    i = asked.whole("mark", 0, len(reading.found.marks) - 1)
    return {"shown": i} | looked_into(desk.reader, reading.found.marks[i])


def kept(desk: Desk, asked: Asked) -> Reading:
    """Return the photo that is asked for by its number."""
    reading = desk.photos.get(asked.whole("photo", 0, 2**31))
    if reading is None:
        raise ValueError(f"only the last {KEPT} photos are kept: give this one again")
    return reading


def read_marks(reading: Reading) -> dict[str, Any]:
    """Return where the marks are, what each reads as, and how sure that is."""
    h = reading.h
    codes = [int(p[:NO_CODE].argmax()) if reading.is_digit(i) else NO_CODE for i, p in enumerate(h)]
    return {
        "boxes": np.array([reading.found.box(i) for i in range(len(h))], np.int32).reshape(-1, 4),
        "labels": [NO_DIGIT if code == NO_CODE else str(code) for code in codes],
        "probabilities": h[np.arange(len(h)), codes],
    }


def looked_into(opened: Opened, mark: Mark) -> dict[str, Any]:
    """Return each step from a mark to the network's answer: pictures, then a(2), ..., a(L)."""
    *before, normal = stages(mark.ink)
    pictures = {name: as_bytes(picture) for name, picture in zip(STAGES, before, strict=True)}
    x = fitted(opened.model).frame(normal[None])
    a = opened.activations(opened.model.encoder.pixels(x))
    layers = {f"a{l}": a_l for l, a_l in enumerate(a[1:], start=2)}
    return {**pictures, "normal": normal, "x": x[0], **layers}

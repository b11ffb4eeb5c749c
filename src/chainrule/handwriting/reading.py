"""Reading the digits in a photo: the steps of `chainrule.photos`, then a network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import as_file, files

import numpy as np

from chainrule import photos
from chainrule.common.files import File
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.distortions import Distortion
from chainrule.handwriting.frames import inputs
from chainrule.model_file import Model, ModelFileError, load
from chainrule.photos import Found
from chainrule.photos.grids import cell_numbers
from chainrule.photos.marks import Box, Mark
from chainrule.photos.signs import MINUS
from chainrule.photos.touching import LAST, pieces

NO_DIGIT = "none"  # the class of marks that are no digit
DIGITS = tuple(range(10))
NO_CODE = 10  # code of that class
LOOKS = 8  # distorted copies of each picture, whose readings are averaged
JITTER = Distortion(turn=0.05, slant=0.05, scale=0.04, move=0.4, bend=0.3)
UNSURE = 0.9  # a reading with a lower probability is told to be doubtful
WORD_GAP = 0.5  # marks closer than this are in one word, in heights of the higher one
TEXT_LINE = 6  # a row with at least this many marks may be a line of text
SIGN_GAP, SIGN_BELOW = 1.5, 0.5  # of a sign to the digit after it, in that digit's heights
PRINT = 30  # as many marks that are no digits, and more than there are digits, are print
LETTER = 1.5  # what is lower than this, in heights of print's letters, is a letter
PEN = 2.0  # a 1 longer than this, in lengths of the longest other digit, is no digit
# A page on its side: how sure its marks are as digits at most; turned, at least, and how much surer
# than turned in any other way
UPRIGHT, TURNED = 0.9, (0.75, 0.06)
LEAST_TURNED, MOST_TURNED = 4, 40  # marks that are needed, and about as many that are looked at
# Digits that touch: a mark below UNKNOWN may be cut, a piece from SURE on is a digit
UNKNOWN, SURE = 0.5, 0.9
WIDE = (0.7, 8.0)  # widths, in its heights, of a mark that may be several digits
OF_HEIGHT = (0.6, 1.7)  # heights of such a mark, in heights of the other digits
STRANGERS = (0.5, 2.0)  # marks counted in advance as no digit and as digits, see `_without`


@dataclass(frozen=True, eq=False)
class Digit:
    """A digit read in a photo.

    Attributes
    ----------
    label : int
        0 to 9.
    probability : float
        That it is this digit, calibrated on digits the network was not trained on.
    box : tuple of int
        (x0, y0, x1, y1) in pixels of the upright photo.
    picture : ndarray of shape (28, 28), float32
        0 for paper to 1 for ink; what the network saw of it, see `chainrule.handwriting.frames`.
    row : int
        Counted from 0, from the top.
    sign_before : str
        "-" after a minus sign, else "".
    separator_after : str
        "." or "," where one stands before the next digit, else "".
    cell : tuple of int, optional
        Row and column of the box or the grid's cell that it is written in, counted from 0.

    Examples
    --------
    >>> digit = Digit(7, 0.98, (10, 20, 40, 80), np.zeros((28, 28)), 0, separator_after=",")
    >>> digit.label, str(digit)
    (7, '7,')
    """

    label: int
    probability: float
    box: tuple[int, int, int, int]
    picture: Array = field(repr=False)
    row: int
    sign_before: str = ""
    separator_after: str = ""
    cell: tuple[int, int] | None = None

    def __str__(self) -> str:
        return f"{self.sign_before}{self.label}{self.separator_after}"


@dataclass(frozen=True, eq=False)
class Reading:
    """A photo read.

    Attributes
    ----------
    found : Found
        Every step on the way.
    h : ndarray of shape (n, 11), float64
        For each mark the probabilities of the digits 0 to 9 and of no digit.
    """

    found: Found
    h: Array

    __repr__ = summary

    def is_digit(self, i: int) -> bool:
        """Tell whether mark i is more probably a digit than not."""
        return bool(self.h[i, NO_CODE] < 0.5)

    @property
    def digits(self) -> list[Digit]:
        """The digits in reading order; rows are counted among digits alone."""
        found = [i for i in range(len(self.h)) if self.is_digit(i)]
        digits = []
        for place, row in photos.in_reading_order([self.found.box(i) for i in found]):
            i = found[place]
            label = int(self.h[i, :NO_CODE].argmax())
            probability = float(self.h[i, label])
            digits.append(Digit(label, probability, self.found.box(i), self.found.pictures[i], row))
        return _with_cells(_with_signs(digits, self.found), self.found)

    @property
    def strangers(self) -> list[Box]:
        """The boxes of marks that are no digit."""
        return [self.found.box(i) for i in range(len(self.h)) if not self.is_digit(i)]


def _with_cells(digits: list[Digit], found: Found) -> list[Digit]:
    """Return the digits with the cells that their middles lie in."""
    cells = [found.in_file(cell) for cell in found.cells]
    numbers = cell_numbers(found.cells)

    def cell_of(box: Box) -> tuple[int, int] | None:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        for (x0, y0, x1, y1), number in zip(cells, numbers, strict=True):
            if x0 <= x <= x1 and y0 <= y <= y1:
                return number
        return None

    return [replace(digit, cell=cell_of(digit.box)) for digit in digits]


def _with_signs(digits: list[Digit], found: Found) -> list[Digit]:
    """Return the digits with the signs that stand between each and the one before it in its row."""
    signed = list(digits)
    for sign in found.signs:
        x0, y0, x1, y1 = found.in_file(sign.box)
        for i, digit in enumerate(digits):
            left, top, right, bottom = digit.box
            height = bottom - top
            before = digits[i - 1] if i and digits[i - 1].row == digit.row else None
            beside = x0 + x1 < left + right and left - x1 < SIGN_GAP * height
            level = top < (y0 + y1) / 2 < bottom + SIGN_BELOW * height
            past = before is None or x0 + x1 > before.box[0] + before.box[2]
            if not (beside and level and past):
                continue
            if sign.kind == MINUS:
                signed[i] = replace(signed[i], sign_before=MINUS)
            elif before is not None:
                signed[i - 1] = replace(signed[i - 1], separator_after=sign.kind)
            break
    return signed


def read_digits(photo: File, model: Model | None = None) -> list[Digit]:
    """Read the digits in a photo.

    Parameters
    ----------
    photo : path or binary stream
        A JPEG, PNG, WebP, BMP, TIFF, GIF or PPM file.
    model : Model, optional
        A network whose inputs are the pixels of a square and whose classes are digits.  Other than
        28x28 pixels are made as its training pictures seem to have been: see
        `chainrule.handwriting.frames`.  Default: the network that is shipped.

    Returns
    -------
    list of Digit
        In reading order; empty where there is no digit.

    Raises
    ------
    DataError
        If the file is no image, damaged or too large.
    ModelFileError
        If the model does not read pictures of digits.

    Notes
    -----
    Notes, *Bonus: classify your own images of digits*.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image, ImageDraw
    >>> image = Image.new("L", (400, 300), 210)
    >>> ImageDraw.Draw(image).line([(120, 60), (220, 60), (160, 240)], 40, 14)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     image.save(Path(folder, "seven.png"))
    ...     digits = read_digits(Path(folder, "seven.png"))
    >>> [digit.label for digit in digits], digits[0].box
    ([7], (120, 54, 228, 243))
    """
    return read(photo, model).digits


def read(photo: File, model: Model | None = None) -> Reading:
    """Read the digits in a photo, and keep what each step gave; else as `read_digits`."""
    return read_found(photos.find(photo), model)


def read_ink(ink: Array, model: Model | None = None) -> Reading:
    """Read the digits of a drawing.

    Parameters
    ----------
    ink : array of shape (height, width)
        0 for paper to 1 for ink.
    model : Model, optional
        As for `read_digits`.

    Returns
    -------
    Reading

    Examples
    --------
    >>> ink = np.zeros((140, 140))
    >>> ink[20:120, 65:75] = 1
    >>> [digit.label for digit in read_ink(ink).digits]
    [1]
    """
    return read_found(photos.find_in_ink(ink), model)


def read_found(found: Found, model: Model | None = None) -> Reading:
    """Read what was found in a photo or a drawing; the model is as for `read_digits`."""
    model = check_model(shipped_model() if model is None else model)
    reading = _read_marks(model, found)
    if quarters := _quarters(model, reading):
        found = found.turned(quarters)
        reading = _read_marks(model, found)
    marks = _parted(model, reading)
    return (
        reading if len(marks) == len(found.marks) else _read_marks(model, found.with_marks(marks))
    )


def _quarters(model: Model, reading: Reading) -> int:
    """Return by how many quarters to the left the photo is to be turned for its digits to stand.

    The marks are then clearly better digits than turned in any other way, and most are other than
    a 1, as which any line may be read.
    """
    marks = reading.found.marks[:: max(1, len(reading.h) // MOST_TURNED)]
    now = reading.h[:, :NO_CODE].max(axis=1)
    if len(marks) < LEAST_TURNED or now.mean() > UPRIGHT:
        return 0
    sure = []
    for quarters in range(4):
        seen = np.stack([photos.normalise(np.rot90(mark.ink, quarters)) for mark in marks])
        p = _looked_at(model, seen)[:, :NO_CODE]
        other = p.argmax(axis=1) != 1
        sure.append(p.max(axis=1).mean() if (p.max(axis=1) * other).mean() > 0.5 else 0.0)
    best = int(np.argmax(sure))
    return best if sure[best] > max(TURNED[0], sorted(sure)[-2] + TURNED[1]) else 0


def _read_marks(model: Model, found: Found) -> Reading:
    h = recognise(model, found.pictures)
    return Reading(found, _in_context(h, [mark.box for mark in found.marks]))


def recognise(model: Model, pictures: Array) -> Array:
    """Return the probability of each digit, and of none, for the marks of one photo.

    Parameters
    ----------
    model : Model
    pictures : array of shape (n, 28, 28)

    Returns
    -------
    ndarray of shape (n, 11)
        Digits 0 to 9, then no digit.
    """
    return _without(_looked_at(model, pictures)) if len(pictures) else np.zeros((0, NO_CODE + 1))


def _looked_at(model: Model, pictures: Array) -> Array:
    """Return the probabilities of each mark, whatever is around it, of shape (n, 11)."""
    rng = np.random.default_rng(0)
    X = pictures.reshape(len(pictures), -1).astype(np.float32)
    looks = np.concatenate([X, *(JITTER(X, rng) for _ in range(LOOKS))])
    seen = inputs(model, looks.reshape(-1, *pictures.shape[1:]))
    h = model.predict(seen).reshape(LOOKS + 1, len(X), -1).mean(axis=0)
    p = np.zeros((len(X), NO_CODE + 1))
    for code, label in enumerate(model.classes or ()):
        p[:, NO_CODE if label == NO_DIGIT else int(label)] = h[:, code]
    return p


def _parted(model: Model, reading: Reading) -> list[Mark]:
    """Return the marks; digits that touch each other are parted.

    Such a mark is about as high as the photo's digits but wider, reads as no digit, and all its
    pieces do read as digits.  Where more marks than digits remain that are neither, it is a letter:
    the arches of an m look like ones and sevens.
    """
    marks, p = reading.found.marks, reading.h[:, :NO_CODE].max(axis=1, initial=0)
    heights = [mark.height for mark, known in zip(marks, p, strict=True) if known >= SURE]
    if len(heights) < 2:
        return marks
    low, high = (factor * float(np.median(heights)) for factor in OF_HEIGHT)
    parted: list[Mark] = []
    strangers = 0
    for mark, known in zip(marks, p, strict=True):
        wide = low < mark.height < high and WIDE[0] < mark.width / mark.height < WIDE[1]
        row = _pieces_known(model, mark) if wide and known < UNKNOWN else [mark]
        strangers += len(row) == 1 and known < 0.5
        parted += row
    return parted if strangers <= len(heights) else marks


def _pieces_known(model: Model, mark: Mark) -> list[Mark]:
    """Return the most probable row of pieces that are all digits, or the mark as it is."""
    parts = pieces(mark)
    if not parts:
        return [mark]
    pictures = np.stack([photos.normalise(part.ink) for part in parts.values()])
    p = _looked_at(model, pictures)[:, :NO_CODE].max(axis=1)
    rows: dict[int, tuple[float, list[Mark]]] = {0: (1.0, [])}  # the best row up to each cut
    for ((start, end), part), known in zip(parts.items(), p, strict=True):
        if known >= SURE and start in rows:
            probability, row = rows[start]
            if probability * known > rows.get(end, (0.0,))[0]:
                rows[end] = (float(probability * known), [*row, part])
    return rows.get(LAST, (1.0, [mark]))[1]


def _without(p: Array) -> Array:
    """Return the probabilities, given the share of this photo's marks that are no digits.

    Among letters, or in a cat's fur, a mark that might be a 1 is no digit; on a sheet of digits it
    is one.  The share is the most probable one given the photo's marks and `STRANGERS`, a few marks
    counted in advance.
    """
    usual = STRANGERS[0] / sum(STRANGERS)
    share = usual
    for _ in range(30):
        odds = share / (1 - share) * (1 - usual) / usual
        none = p[:, NO_CODE] * odds / (p[:, NO_CODE] * odds + p[:, :NO_CODE].sum(axis=1))
        share = (STRANGERS[0] + none.sum()) / (sum(STRANGERS) + len(p))
    weighted = p.copy()
    weighted[:, NO_CODE] *= odds
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))


def _in_context(h: Array, boxes: list[Box]) -> Array:
    """Return the readings, given where the marks are: letters are no digits, a pen is no 1.

    An o between letters is no 0: a word, or a line of text, has no digits if most of its marks are
    none.  In a page of print what is no larger than its letters is a letter.  A 1 far larger than
    all other digits is a thing.
    """
    h = h.copy()
    strange = h[:, NO_CODE] >= 0.5
    height = np.array([y1 - y0 for _, y0, _, y1 in boxes])
    if strange.sum() >= max(PRINT, len(h) / 2):
        h[height < LETTER * np.median(height[strange]), :NO_CODE] = 0
        strange = h[:, :NO_CODE].sum(axis=1) < 0.5
    letters = [marks for marks in _words(boxes) if strange[marks].mean() > 0.5]
    for marks in letters:
        h[marks, :NO_CODE] *= 1 - strange[marks].mean()
    strange[[i for marks in letters for i in marks]] = True
    label = h[:, :NO_CODE].argmax(axis=1)
    size = np.array([max(x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes])
    others = size[~strange & (label != 1)]
    if len(others):
        h[~strange & (label == 1) & (size > PEN * others.max()), :NO_CODE] = 0
    h[:, NO_CODE] = 1 - h[:, :NO_CODE].sum(axis=1)
    return h


def _words(boxes: list[Box]) -> list[list[int]]:
    """Return the words: marks close to each other in a row, and whole rows of many marks."""
    words: list[list[int]] = []
    rows: dict[int, list[int]] = {}
    for i, r in photos.in_reading_order(boxes):
        row = rows.setdefault(r, [])
        before = boxes[row[-1]] if row else None
        x0, y0, _, y1 = boxes[i]
        if before and x0 - before[2] < WORD_GAP * max(y1 - y0, before[3] - before[1]):
            words[-1].append(i)
        else:
            words.append([i])
        row.append(i)
    return words + [row for row in rows.values() if len(row) >= TEXT_LINE]


@cache
def shipped_model() -> Model:
    """Return the model that comes with the library; docs/photos.md describes its training.

    Returns
    -------
    Model

    Examples
    --------
    >>> shipped_model().network.layers[0]
    784
    """
    with as_file(files("chainrule") / "data" / "photos.safetensors") as path:
        return load(path)


def reads_digits(model: Model) -> bool:
    """Whether a model takes square pictures, and has the digits among its classes."""
    shape = model.encoder.image_shape
    square = shape is not None and shape[0] == shape[1]
    return square and set(DIGITS) <= set(model.classes or ())


def check_model(model: Model) -> Model:
    """Return the model if it reads square pictures of digits, or raise ModelFileError."""
    if not reads_digits(model):
        classes = model.classes or ()
        raise ModelFileError(
            "to read digits a model needs the pixels of a square picture as inputs, and the digits "
            f"0 to 9 as classes; this one has {len(model.encoder.feature_names)} inputs and "
            f"{'no classes' if model.classes is None else f'classes {classes[0]} to {classes[-1]}'}"
        )
    return model

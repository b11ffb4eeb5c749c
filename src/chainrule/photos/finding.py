"""All the steps in order: from a file to the pictures that a network is shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.common.files import File
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.photos.grids import remove_grids
from chainrule.photos.ink import flatten
from chainrule.photos.lines import remove_lines
from chainrule.photos.marks import Box, Mark, binarise, find_marks
from chainrule.photos.normal import SIDE, normalise
from chainrule.photos.opening import Photo, open_photo
from chainrule.photos.rows import in_reading_order
from chainrule.photos.signs import Sign, part_signs


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in a photo, and what each step gave.

    Attributes
    ----------
    photo : Photo
    contrast : ndarray of shape (height, width), float32
    mask : ndarray of shape (height, width), bool
        Ink, frames and ruled lines taken out.
    marks : list of Mark
        In reading order.
    pictures : ndarray of shape (n, 28, 28), float32
        Each mark as a network sees it.
    signs : list of Sign
        Points, commas and minus signs beside the marks.
    cells : list of tuple of int
        (x0, y0, x1, y1) of the boxes that digits may be written in, in the working picture.
    """

    photo: Photo
    contrast: Array
    mask: Array
    marks: list[Mark]
    pictures: Array
    signs: list[Sign]
    cells: list[Box] = field(default_factory=list)

    __repr__ = summary

    def box(self, i: int) -> Box:
        """Return the box of mark i in pixels of the upright photo in the file."""
        return self.in_file(self.marks[i].box)

    def in_file(self, box: Box) -> Box:
        """Return a box of the working picture in pixels of the upright photo in the file."""
        x0, y0, x1, y1 = (round(v * self.photo.scale) for v in box)
        return x0, y0, min(x1, self.photo.size[0]), min(y1, self.photo.size[1])

    def with_marks(self, marks: list[Mark]) -> Found:
        """Return the same photo with other marks, in any order."""
        marks = [marks[i] for i, _ in in_reading_order([mark.box for mark in marks])]
        pictures = np.zeros((len(marks), SIDE, SIDE), np.float32)
        for picture, mark in zip(pictures, marks, strict=True):
            picture[:] = normalise(mark.ink)
        return replace(self, marks=marks, pictures=pictures)

    def turned(self, quarters: int) -> Found:
        """Return what is found in the photo turned to the left by 1 to 3 quarters."""
        cells, width, size = self.cells, self.mask.shape[1], self.photo.size
        for side in (width, self.mask.shape[0], width)[:quarters]:
            cells = [(y0, side - x1, y1, side - x0) for x0, y0, x1, y1 in cells]
            size = size[::-1]
        rgb, contrast, mask = (
            np.ascontiguousarray(np.rot90(picture, quarters))
            for picture in (self.photo.rgb, self.contrast, self.mask)
        )
        turn = ("a quarter to the left", "half a turn", "a quarter to the right")[quarters - 1]
        notes = [*self.photo.notes, f"its digits do not stand upright: it is read turned by {turn}"]
        photo = replace(self.photo, rgb=rgb, size=size, notes=notes, turned=90 * quarters)
        return _gathered(photo, contrast, mask, cells)


def find(file: File) -> Found:
    """Open a photo and take it through all the steps.

    Parameters
    ----------
    file : path or binary stream

    Returns
    -------
    Found

    Raises
    ------
    DataError
        If the file is no image, damaged or too large.
    """
    photo = open_photo(file)
    contrast = flatten(photo.rgb)
    mask, cells = remove_grids(binarise(contrast), contrast)
    return _gathered(photo, contrast, remove_lines(mask, contrast), cells)


def _gathered(photo: Photo, contrast: Array, mask: Array, cells: list[Box]) -> Found:
    """Gather the ink of a photo into marks."""
    marks, signs = part_signs(mask, find_marks(contrast, mask))
    nothing = Found(photo, contrast, mask, [], np.zeros((0, SIDE, SIDE), np.float32), signs, cells)
    return nothing.with_marks(marks)


def find_in_ink(ink: Array) -> Found:
    """Find the marks of a drawing: it has no light to divide out, and no ruled lines.

    Parameters
    ----------
    ink : array of shape (height, width)
        0 for paper to 1 for ink.  Strokes may touch the border.

    Returns
    -------
    Found

    Examples
    --------
    >>> ink = np.zeros((100, 100))
    >>> ink[:80, 40:50] = 1
    >>> [mark.box for mark in find_in_ink(ink).marks]
    [(40, 0, 50, 80)]
    """
    ink = np.asarray(ink, np.float32)
    margin = max(ink.shape) // 4  # what touches the border of a photo is taken for the page's edge
    wide = np.pad(ink, margin)
    marks, signs = part_signs(wide >= 0.5, find_marks(wide, wide >= 0.5))
    marks = [replace(mark, box=_moved(mark.box, -margin)) for mark in marks]
    signs = [replace(sign, box=_moved(sign.box, -margin)) for sign in signs]
    grey = (255 * (1 - ink)).astype(np.uint8)
    photo = Photo(np.repeat(grey[..., None], 3, axis=2), 1.0, ink.shape[::-1])
    nothing = Found(photo, ink, ink >= 0.5, [], np.zeros((0, SIDE, SIDE), np.float32), signs)
    return nothing.with_marks(marks)


def _moved(box: Box, by: int) -> Box:
    """Return a box that lies by so many pixels further to the right and down."""
    x0, y0, x1, y1 = box
    return x0 + by, y0 + by, x1 + by, y1 + by

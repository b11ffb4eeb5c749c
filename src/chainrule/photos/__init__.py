"""A photo becomes pictures as the training set has them, one function a step.

`open_photo`, `flatten`, `binarise`, `remove_grids`, `remove_lines`, `find_marks`, `part_signs`,
`in_reading_order`, `normalise`: each takes what the one before gave, and each result can be shown;
`find` does all of them.
"""

from chainrule.photos.finding import Found, find, find_in_ink
from chainrule.photos.grids import remove_grids
from chainrule.photos.ink import flatten
from chainrule.photos.lines import remove_lines
from chainrule.photos.marks import Mark, binarise, find_marks
from chainrule.photos.normal import SIDE, normalise, stages
from chainrule.photos.opening import Photo, open_photo
from chainrule.photos.rows import in_reading_order
from chainrule.photos.signs import Sign, part_signs

__all__ = [
    "SIDE",
    "Found",
    "Mark",
    "Photo",
    "Sign",
    "binarise",
    "find",
    "find_in_ink",
    "find_marks",
    "flatten",
    "in_reading_order",
    "normalise",
    "open_photo",
    "part_signs",
    "remove_grids",
    "remove_lines",
    "stages",
]

"""Whether the inputs of a table are the pixels of an image."""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array
from chainrule.datasets.arrays import square
from chainrule.datasets.contents import Contents

EVIDENCE_ROWS = 2000  # rows that are looked at to tell images from tables
FULL_PIXELS = (1.0, 16.0, 255.0, 65535.0)  # values of a full pixel that are in use
FEWEST_ROWS = 8  # of pixels, and columns: smaller arrays are more likely series


def find_image(X: Array, contents: Contents) -> tuple[tuple[int, int] | None, float, list[str]]:
    """Tell whether the inputs are pixels: the image's shape, a full pixel's value, and why."""
    shape, why = contents.image_shape, "as the file says"
    if shape is None:
        width = square(X.shape[1])
        if width is None or len(X) < 30:
            return None, 1.0, []
        looks, why = _looks_like_an_image(X, width)
        if not looks:
            return None, 1.0, [f"{X.shape[1]} inputs, but no image ({why}): a table"]
        shape = (width, width)
    full = _full_pixel(X, broken=contents.image_shape is None)
    size = f"{shape[0]}x{shape[1]}"
    if full is None or min(shape) < FEWEST_ROWS:
        why = f"values from {X.min():.4g} to {X.max():.4g}"
        what = f"{size} inputs, but no image ({why}): a table, standardised; pixels are in [0, 1], "
        what += f"or whole numbers from 0 to 255, in at least {FEWEST_ROWS}x{FEWEST_ROWS}"
        return None, 1.0, [what]
    scaled = f", divided by {full:g}" if full != 1 else ""
    return shape, full, [f"inputs are images of {size} pixels ({why}){scaled}"]


def _full_pixel(X: Array, *, broken: bool) -> float | None:
    """Return the value of a full pixel, or None where the values are not those of pixels.

    Enlarging leaves values that are broken, and it overshoots: in the course's file a full pixel is
    1, the values go from -0.13 to 1.13.
    """
    low, top = float(X.min()), float(X.max())
    full = next((full for full in FULL_PIXELS if top <= 1.5 * full), None)
    if full is None or low < -full / 4 or (full == FULL_PIXELS[-1] and 32 * top < full):
        return None
    if full == 1 or (broken and full == 255):
        return full
    return full if low >= 0 and bool((X % 1 == 0).all()) else None


def _looks_like_an_image(X: Array, width: int) -> tuple[bool, str]:
    """Tell whether rows of X show square images, and by what.

    In an image, neighbours across and down are alike, and pixels half a row apart are not.  The
    columns of a table, whatever its width, show no such pattern.  In a series, values half a row
    apart are more alike than values a whole row apart.
    """
    sample = X[:: -(-len(X) // EVIDENCE_ROWS)].astype(np.float64)
    spread = sample.std(axis=0)
    Z = (sample - sample.mean(axis=0)) / np.where(spread > 0, spread, 1)
    across, down, half = (
        float((Z[:, :-lag] * Z[:, lag:]).mean()) for lag in (1, width, width // 2)
    )
    reach = np.ptp(sample, axis=0)
    alike = bool((reach > 0.5 * np.ptp(sample)).mean() >= 0.25)
    why = (
        f"neighbours correlate by {across:.2f} across and {down:.2f} down, pixels half a row apart "
        f"by {half:.2f}"
    )
    return alike and min(across, down) > 0.2 and abs(half) < 0.5 * min(across, down), why

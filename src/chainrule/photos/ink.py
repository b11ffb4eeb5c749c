"""Where there is ink: the light is divided out, then ink is told from paper."""

from __future__ import annotations

import numpy as np

from chainrule.common.types import Array

COARSE, COARSEST = 160, 60  # pixels along the longer side of the reduced pictures
WINDOW = 0.3  # part of the shorter side: wider than any stroke
AROUND = 0.4  # part of the shorter side: the surroundings whose median is what is common
TWO_TONES = 0.85  # part of the picture's variance that a page and a table explain
DARK = 0.27  # of the paper's brightness: a broad part at the border that is darker is no paper
BROAD = 0.06  # of the shorter side: its least width
NIGHT = 16.0  # grey levels added before the logarithm, so that dark noise counts little
LUMINANCE = (0.299, 0.587, 0.114)


def flatten(rgb: Array) -> Array:
    """Divide the light out; what is left is how much darker each pixel is than the paper.

    Parameters
    ----------
    rgb : array of shape (height, width, 3), uint8

    Returns
    -------
    ndarray of shape (height, width), float32
        0 is paper, towards 1 is ink, whichever of the two is the darker.
    """
    from scipy import ndimage

    grey = rgb @ np.array(LUMINANCE, np.float32)
    grey = ndimage.gaussian_filter(grey, 1.0, truncate=2.5)
    page, beside = page_on_table(grey), np.float32(0)
    if page is None and (page := page_beside_dark(grey)) is not None:
        grey, beside = _filled(grey, page), np.float32(1)  # an edge, with all that hangs on it
    contrast = _contrast(grey if ink_is_dark(grey, page) else 255 - grey)
    return contrast if page is None else np.where(page, contrast, beside)


def ink_is_dark(grey: Array, page: Array | None = None) -> bool:
    """Tell whether ink is dark: the rare dark pixels lie farther from the median than the light.

    Parameters
    ----------
    grey : array of shape (height, width)
        0 to 255.
    page : array of shape (height, width), bool, optional
        From `page_on_table`: where alone to look.

    Returns
    -------
    bool
    """
    from scipy import ndimage

    light = np.log(grey + NIGHT)
    coarse, step = _coarse(light, COARSEST)
    if page is not None:  # the table takes the values of the page's nearest pixels
        outside = _coarse(page, COARSEST)[0] < 1
        nearest = ndimage.distance_transform_edt(
            outside, return_distances=False, return_indices=True
        )
        coarse = coarse[tuple(nearest)]
    common = ndimage.median_filter(coarse, max(3, round(AROUND * min(coarse.shape))) | 1)
    rare = light - _enlarge(common, step, light.shape)
    rare = rare[::2, ::2] if page is None else rare[page]
    low, middle, high = np.percentile(rare, [0.5, 50, 99.5])
    return bool(middle - low >= high - middle)


def page_on_table(grey: Array) -> Array | None:
    """Find a page, or a board, that lies wholly in the picture on a darker or lighter ground.

    Two brightnesses explain the picture: one is a single broad rectangle, seen from any angle, and
    the other is nearly everything around it.

    Parameters
    ----------
    grey : array of shape (height, width)
        0 to 255.

    Returns
    -------
    ndarray of shape (height, width), bool, or None
        The inside of the page without its rim; None where there is no such thing.

    Notes
    -----
    Otsu (1979), *A threshold selection method from gray-level histograms*: the threshold that
    leaves the least variance on its two sides.
    """
    from scipy import ndimage

    coarse, step = _coarse(np.log(grey + NIGHT), COARSEST)
    counts, edges = np.histogram(coarse, 64)
    parts = counts / coarse.size
    below, total = np.cumsum(parts)[:-1], np.cumsum(parts * (edges[1:] + edges[:-1]) / 2)
    between = (total[-1] * below - total[:-1]) ** 2 / np.maximum(below * (1 - below), 1e-9)
    if between.max() < TWO_TONES * coarse.var():
        return None
    bright = coarse > edges[1 + int(between.argmax())]
    for side in (bright, ~bright):
        labels, n = ndimage.label(side)
        if not n:
            continue
        largest = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
        page = ndimage.binary_fill_holes(largest)
        sides = page[0], page[-1], page[:, 0], page[:, -1]
        along = max(side.mean() for side in sides) > 0.9  # a strip beside the page is not it
        if page.mean() < 0.15 or along or np.concatenate(sides).mean() > 0.3:
            continue
        if rectangular(page) < 0.82:
            continue
        inside = ndimage.binary_erosion(page, iterations=2)
        plain = largest[page].mean() > 0.85 and side[~page].mean() < 0.1
        if plain and inside.any():
            return _enlarge(inside.astype(np.float32), step, grey.shape) > 0.5
    return None


def page_beside_dark(grey: Array) -> Array | None:
    """Find the page where a dark table, a thing or a deep shadow reaches into the picture.

    What is beside the page is broad, as strokes are not, and goes round a corner of the picture.

    Parameters
    ----------
    grey : array of shape (height, width)
        0 to 255.

    Returns
    -------
    ndarray of shape (height, width), bool, or None
        The page without its rim; None where nothing dark lies beside it, or more than half is dark.
    """
    from scipy import ndimage

    coarse, step = _coarse(grey, COARSE)
    dark = coarse < DARK * np.percentile(coarse, 80)
    if not 0 < dark.mean() < 0.5:
        return None
    side = max(3, round(BROAD * min(coarse.shape)))
    wide = np.pad(dark, side, "edge")  # it goes on beyond the picture
    core = ndimage.binary_opening(wide, np.ones((side, side)))[side:-side, side:-side]
    labels, _ = ndimage.label(ndimage.binary_propagation(core, mask=dark))
    corners = labels[[0, 0, -1, -1], [0, -1, 0, -1]]
    if not corners.any():
        return None
    page = ndimage.binary_erosion(
        ~np.isin(labels, corners[corners > 0]), iterations=2, border_value=1
    )
    return _enlarge(page.astype(np.float32), step, grey.shape) > 0.5


def _filled(grey: Array, page: Array) -> Array:
    """Return the picture with what is beside the page as bright as the page's nearest part."""
    from scipy import ndimage

    coarse, step = _coarse(grey, COARSE)
    outside = _coarse(page, COARSE)[0] < 1
    nearest = ndimage.distance_transform_edt(outside, return_distances=False, return_indices=True)
    return np.where(page, grey, _enlarge(coarse[tuple(nearest)], step, grey.shape))


def rectangular(mask: Array) -> float:
    """Return the part that a shape fills of the smallest rectangle around it, at any angle."""
    angles = np.radians(np.arange(0, 90, 3))
    across = np.argwhere(mask) @ np.stack([np.cos(angles), np.sin(angles)])
    down = np.argwhere(mask) @ np.stack([-np.sin(angles), np.cos(angles)])
    areas = (np.ptp(across, axis=0) + 1) * (np.ptp(down, axis=0) + 1)
    return float(mask.sum() / areas.min())


def _contrast(grey: Array) -> Array:
    """Return 1 - grey / paper; a closing wider than any stroke leaves the paper."""
    from scipy import ndimage

    coarse, step = _coarse(grey, COARSE)
    window = max(3, round(WINDOW * min(coarse.shape))) | 1
    paper = ndimage.gaussian_filter(ndimage.grey_closing(coarse, window), 1.0)
    return np.clip(1 - grey / np.maximum(_enlarge(paper, step, grey.shape), 8.0), 0, 1)


def _coarse(grey: Array, long_side: int) -> tuple[Array, int]:
    """Return the means of squares, about long_side along the longer side, and a square's width."""
    step = max(1, min(round(max(grey.shape) / long_side), *grey.shape))
    height, width = (side // step for side in grey.shape)
    squares = grey[: height * step, : width * step].reshape(height, step, width, step)
    return squares.mean((1, 3)), step


def _enlarge(coarse: Array, step: int, shape: tuple[int, ...]) -> Array:
    """Undo `_coarse`, linearly between the squares' centres."""
    for axis in (0, 1):
        coarse = _between(coarse, (np.arange(shape[axis]) + 0.5) / step - 0.5, axis)
    return coarse


def _between(values: Array, places: Array, axis: int) -> Array:
    """Interpolate linearly along an axis, at places within it."""
    places = np.clip(places, 0, values.shape[axis] - 1)
    low = np.minimum(places.astype(np.intp), max(values.shape[axis] - 2, 0))
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = (places - low).astype(np.float32)
    share = share[:, None] if axis == 0 else share
    return np.asarray(values.take(low, axis) * (1 - share) + values.take(high, axis) * share)

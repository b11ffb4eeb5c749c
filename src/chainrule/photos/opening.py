"""From a file to an upright picture of a size to work with; other files are refused."""

from __future__ import annotations

import ctypes
import io
import logging
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.common.checks import DataError
from chainrule.common.files import File, name_of, read_bytes, reason
from chainrule.common.shown import summary
from chainrule.common.types import Array

logging.getLogger("PIL").addHandler(logging.NullHandler())  # or Python prints what it logs

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
MOST_PIXELS = 150_000_000  # more than any phone's camera takes; decompression bombs have more
DECODED, DECODED_WEBP = 36_000_000, 12_500_000  # pixels of what is decoded whole, as JPEG is not
PIXELS_PER_BYTE = 2.5  # by which a large file may have more of them
REDUCED = 6_000_000  # pixels; a larger picture is made smaller before its colours are
SIGNATURES = (
    b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM", b"GIF8", b"II", b"MM",
    *(b"P%d" % kind for kind in range(1, 8)), b"PF", b"Pf", b"Py",
)  # fmt: skip
LEAST_SIDE = 8  # pixels; no digit can be read in a smaller picture
LONG_SIDE = (800, 1600)  # range of the longer side; pictures outside it are resized


@dataclass(frozen=True, eq=False)
class Photo:
    """An upright photo, as it is worked on.

    Attributes
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
    scale : float
        Pixels of the file per pixel of `rgb`.
    size : tuple of int
        (width, height) of the upright photo in the file.
    notes : list of str
        What was decided about an unusual file.
    turned : int
        Degrees to the left by which the photo was turned, beyond what the camera noted.
    """

    rgb: Array
    scale: float
    size: tuple[int, int]
    notes: list[str] = field(default_factory=list)
    turned: int = 0

    __repr__ = summary


def open_photo(file: File) -> Photo:
    """Read a photo, turn it upright and bring it to a size to work with.

    Parameters
    ----------
    file : path or binary stream
        A JPEG, PNG, WebP, BMP, TIFF, GIF or PPM file of at most 150 megapixels.

    Returns
    -------
    Photo

    Raises
    ------
    DataError
        If it is no such file, or a damaged one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (3000, 2000), 200).save(Path(folder, "blank.png"))
    ...     photo = open_photo(Path(folder, "blank.png"))
    >>> photo.rgb.shape, photo.scale, photo.size
    ((1067, 1600, 3), 1.875, (3000, 2000))
    """
    from PIL import Image, UnidentifiedImageError

    name = name_of(file)
    try:
        content = read_bytes(file, _look)
    except UnidentifiedImageError:
        raise DataError(_no_image(name)) from None
    except FileNotFoundError:
        raise DataError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise DataError(f"{name}: is a folder: give the photos in it") from None
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({reason(error)})") from None
    with warnings.catch_warnings():
        # Pillow warns of large sizes and damaged tags: both are judged here
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _silence(image)
                return _upright(image, name, len(content))
        except UnidentifiedImageError:
            raise DataError(_no_image(name)) from None
        except Image.DecompressionBombError:
            raise DataError(_too_large(name, MOST_PIXELS)) from None
        except DataError:
            raise
        except Exception as error:  # decoders raise struct.error, zlib.error and almost any other
            raise DataError(_damaged(name, error)) from None


def _silence(image: Any) -> None:
    """Keep Pillow's libtiff from printing what it thinks of a file; the error says enough."""
    if image.format == "TIFF":
        from PIL import _imaging

        with suppress(OSError, AttributeError):  # where it is part of Pillow and has no name
            ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


def _no_image(name: str) -> str:
    return f"{name}: not an image that can be read: save the photo as JPEG or PNG"


def _damaged(name: str, error: Exception) -> str:
    return f"{name}: the image is damaged or cut short ({error}): take it again from the camera"


def _too_large(name: str, most: int) -> str:
    return (
        f"{name}: the image says it has more than {most // 1_000_000} megapixels: make it "
        "smaller, 12 are enough for a page"
    )


def _look(head: bytes) -> None:
    """Refuse by its first bytes what is no picture, and may have no end."""
    from PIL import UnidentifiedImageError

    if not head.startswith(SIGNATURES):
        raise UnidentifiedImageError


def _most_pixels(image: Any, size: int) -> int:
    """Return how many pixels a picture in a file of this size may have."""
    if image.format in ("JPEG", "MPO") and not image.info.get("progressive"):
        return MOST_PIXELS  # decoded small, a block at a time
    most = DECODED_WEBP if image.format == "WEBP" else DECODED
    return min(MOST_PIXELS, max(most, int(PIXELS_PER_BYTE * size)))


def _upright(image: Any, name: str, size: int) -> Photo:
    from PIL import Image, ImageOps

    width, height = image.size
    if width * height > _most_pixels(image, size):
        raise DataError(_too_large(name, _most_pixels(image, size)))
    if min(width, height) < LEAST_SIDE:
        raise DataError(f"{name}: {width}x{height} pixels are too few to show a digit")
    notes = []
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        notes.append(f"it has {image.n_frames} frames: the first one is read")
    full = (width, height)
    if image.format in ("JPEG", "MPO"):  # decoded small, in a fraction of the time
        image.draft("RGB", (LONG_SIDE[1], LONG_SIDE[1]))
    image.load()
    if image.width * image.height > REDUCED:
        image = _reduced(image)
    turned = ImageOps.exif_transpose(_in_colours(image))
    if turned.size[0] != turned.size[1] and (turned.size[0] > turned.size[1]) != (
        full[0] > full[1]
    ):
        full = full[::-1]
    long = max(turned.size)
    fitting = min(max(long, LONG_SIDE[0]), LONG_SIDE[1])
    if fitting != long:
        sides = [max(1, round(side * fitting / long)) for side in turned.size]
        if long > 2 * fitting:
            turned = turned.reduce(long // fitting)
        turned = turned.resize(sides, Image.Resampling.BILINEAR)
    rgb = np.asarray(turned)
    return Photo(rgb, max(full) / max(turned.size), full, notes)


def _reduced(image: Any) -> Any:
    """Return a large image smaller, still larger than what it will be worked on."""
    exif, info = image.getexif(), image.info
    if image.mode in ("1", "P", "PA"):
        image = image.convert("RGBA" if "transparency" in info else "RGB")
    elif image.mode.startswith("I;"):
        image = image.convert("I")
    image = image.reduce(max(2, max(image.size) // LONG_SIDE[1]))
    image.getexif().update(exif)
    return image


def _in_colours(image: Any) -> Any:
    """Return the image in RGB, whatever its mode; transparent parts become paper."""
    from PIL import Image

    exif = image.getexif()
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits, whole numbers or not
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        low, high = np.percentile(values, [0.5, 99.5])
        image = Image.fromarray(
            np.uint8(255 * np.clip((values - low) / max(high - low, 1e-9), 0, 1))
        )
    elif image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"), dtype=np.float64)
        grey = np.asarray(image.convert("L"))
        # Light strokes on a transparent ground are meant to be seen on black
        light = alpha.sum() > 0 and np.average(grey, weights=alpha) > 128 and alpha.mean() < 128
        paper = Image.new("RGBA", image.size, "black" if light else "white")
        image = Image.alpha_composite(paper, image)
    image = image.convert("RGB")
    image.getexif().update(exif)
    return image

"""Octave's ``.mat`` files in and out, with the course's conventions.

In the course's files an image is a row of X, stored column by column, and label 10 means the
digit 0, since Octave counts from 1.
"""

from __future__ import annotations

import io
import os
from importlib.util import find_spec
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import DataError
from chainrule.common.files import File, name_of, read_bytes, reason, write_atomically
from chainrule.common.types import Array
from chainrule.datasets import foreign

DIGITS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 0)
"""The digits that the course's classes 1..10 mean, in the order of its networks' output units."""


def read(file: File) -> dict[str, Array]:
    """Read the matrices of a ``.mat`` file (of Octave's or MATLAB's formats up to ``-v7``).

    Parameters
    ----------
    file : path or binary stream

    Returns
    -------
    dict of str to ndarray of shape (rows, columns)
        Every matrix of numbers; a vector keeps its two dimensions.

    Raises
    ------
    DataError
        If the file is absent or not readable as one.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/weights.mat", Theta1=np.eye(2), y=[10, 1])
    ...     read(f"{folder}/weights.mat")
    {'Theta1': array([[1., 0.],
           [0., 1.]]), 'y': array([[10],
           [ 1]])}
    """
    name = name_of(file)
    try:
        content = read_bytes(file)
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({reason(error)})") from None
    return matrices(content, name)


def matrices(content: bytes, name: str) -> dict[str, Array]:
    """Return the matrices that a ``.mat`` file holds, as `read` does; name is for errors."""
    return {
        key: value
        for key, value in values(content, name).items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub"
    }


def values(content: bytes, name: str) -> dict[str, Any]:
    """Return all that a ``.mat`` file holds: arrays of numbers or of text, and sparse matrices."""
    hdf5 = content[:8] == b"\x89HDF\r\n\x1a\n" or content[:10] == b"MATLAB 7.3"
    if hdf5 and find_spec("h5py") is None:
        raise DataError(
            f"{name}: to read MATLAB's -v7.3 format, type pip install 'chainrule[matlab]', or save "
            "it with -v7"
        )
    try:
        names, blobs = foreign.read("hdf5" if hdf5 else "mat", content)
        return {key: _value(io.BytesIO(blob)) for key, blob in zip(names, blobs, strict=True)}
    except ValueError as error:
        raise DataError(f"{name}: not a .mat file that can be read ({error})") from None


def _value(blob: BinaryIO) -> Any:
    """Return an array, or the sparse matrix that an npz holds."""
    zipped = blob.read(2) == b"PK"
    blob.seek(0)
    return foreign.sparse(blob) if zipped else np.load(blob, allow_pickle=False)


def write(file: File, /, **matrices: npt.ArrayLike) -> None:
    """Write matrices to a ``.mat`` file that Octave's ``load`` reads.

    Parameters
    ----------
    file : path or binary stream
        A file is replaced wholly or not at all.
    **matrices : array of shape (rows, columns) or (m,)
        By the name that Octave is to use; a vector becomes a column.

    Raises
    ------
    OSError
        If it cannot be written; then nothing has changed.
    """
    from scipy.io import savemat

    content = io.BytesIO()
    savemat(content, dict(matrices), oned_as="column", do_compression=True)
    if isinstance(file, str | os.PathLike):
        write_atomically(file, content.getvalue())
    else:
        file.write(content.getvalue())


def digits(labels: npt.ArrayLike) -> Array:
    """Return the digits that the course's labels 1..10 mean: 10 is 0.

    Examples
    --------
    >>> digits([1, 9, 10])
    array([1, 9, 0])
    """
    labels = np.asarray(labels)
    return np.where(labels == 10, 0, labels)


def labels(digits: npt.ArrayLike) -> Array:
    """Return the course's labels 1..10 of digits: 0 is 10.

    Examples
    --------
    >>> labels([1, 9, 0])
    array([ 1,  9, 10])
    """
    digits = np.asarray(digits)
    return np.where(digits == 0, 10, digits)


def transpose_images(X: npt.ArrayLike, height: int, width: int) -> Array:
    """Return images stored row by row as the course stores them, column by column.

    Parameters
    ----------
    X : array of shape (m, height * width)
        Each image row by row.
    height, width : int
        In pixels.

    Returns
    -------
    ndarray of shape (m, height * width)
        Each image column by column.  Called on this with width and height exchanged, it gives X.

    Examples
    --------
    >>> transpose_images([[1, 2, 3, 4, 5, 6]], height=2, width=3)
    array([[1, 4, 2, 5, 3, 6]])
    """
    X = np.asarray(X)
    return X.reshape(len(X), height, width).transpose(0, 2, 1).reshape(len(X), -1)

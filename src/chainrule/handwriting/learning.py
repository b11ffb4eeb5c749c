"""What the network that reads photos is trained on: MNIST, drawings, one's own sheets.

All of it goes through `chainrule.photos.normalise`, as a mark in a photo does.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import photos
from chainrule.common.checks import DataError, counted
from chainrule.common.types import Array
from chainrule.datasets import Dataset
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.engine.cores import available_threads, in_processes
from chainrule.engine.predicting import predict
from chainrule.handwriting.frames import inputs
from chainrule.handwriting.reading import DIGITS, NO_DIGIT
from chainrule.model_file import Model
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks
from chainrule.optimize import Callback, Result
from chainrule.photos.strokes import draw_digit, draw_no_digit
from chainrule.training.checkpoint import Checkpoint
from chainrule.training.recipes import RECIPES
from chainrule.training.steps import train

DRAWN, STRANGE = 15_000, 18_000  # drawn digits and other drawings, added to MNIST's 60,000
PART = 500  # pictures that a worker normalises at a time
LABELS = "labels.csv"
REHEARSED = (3000, 1500)  # drawn digits and other drawings, so that nothing is forgotten
OWN_SHARE, OWN_EPOCHS = 1, 15  # copies of one's own examples per drawing, and epochs


def encoder() -> Encoder:
    """Return the encoder of a model with 28x28 pixels as inputs, and digits and none as classes."""
    side = photos.SIDE
    columns = tuple(Column(f"pixel_{i}") for i in range(side * side))
    return Encoder(columns, "digit", (*DIGITS, NO_DIGIT), image_shape=(side, side))


def prepared(
    training: Dataset,
    held_out: Dataset | None,
    seed: int,
    progress: Callable[[str], AbstractContextManager[Callable[[float], None]]],
) -> tuple[Dataset, Dataset]:
    """Make from MNIST what the network that reads photos is trained and calibrated on.

    Parameters
    ----------
    training, held_out : Dataset
        28x28 pictures of the digits 0 to 9; both are needed.
    seed : int
        Of the drawings.
    progress : callable
        ``progress(what)``: a context manager, given the shares that are done.

    Returns
    -------
    training, held_out : Dataset
        The pictures normalised, with drawn digits and other drawings added.

    Raises
    ------
    DataError
        If the data are something else.
    """
    if held_out is None or training.classes != DIGITS or training.image_shape != (photos.SIDE,) * 2:
        raise DataError(
            f"{training.source}: the recipe photos needs 28x28 pictures of the digits 0 to 9, some "
            "held out: give mnist, or the path of a mnist.npz"
        )
    parts = []
    for data, n_digits, n_strange, number in (
        (training, DRAWN, STRANGE, 2 * seed),
        (held_out, DRAWN // 6, STRANGE // 6, 2 * seed + 1),
    ):
        with progress(f"bringing {len(data):,} pictures to what photos become") as told:
            X = normalised(data.X.reshape(-1, photos.SIDE, photos.SIDE), told)
        with progress(f"drawing {n_digits + n_strange:,} digits and other things") as told:
            X_drawn, y_drawn = drawings(n_digits, n_strange, number, told)
        Y = np.concatenate([np.asarray(data.Y), y_drawn])
        parts.append(replace(data, X=np.concatenate([X, X_drawn]), Y=Y, encoder=encoder()))
    return parts[0], parts[1]


def normalised(pictures: Array, progress: Callable[[float], None] = lambda share: None) -> Array:
    """Return pictures of digits normalised as the marks of a photo are.

    Parameters
    ----------
    pictures : array of shape (m, height, width)
        0 for paper to 1 for ink.
    progress : callable, optional
        Told the share that is done, from 0 to 1.

    Returns
    -------
    ndarray of shape (m, 784), float32

    Examples
    --------
    >>> normalised(np.ones((2, 40, 10))).shape
    (2, 784)
    """
    return _in_parallel(
        [(_normalise, part) for part in np.array_split(pictures, -(-len(pictures) // PART))],
        progress,
    )


def drawings(
    n_digits: int, n_strange: int, seed: int, progress: Callable[[float], None] = lambda share: None
) -> tuple[Array, Array]:
    """Draw digits and things that are no digits, normalised.

    Parameters
    ----------
    n_digits, n_strange : int
    seed : int
    progress : callable, optional

    Returns
    -------
    X : ndarray of shape (n_digits + n_strange, 784), float32
    y : ndarray of shape (n_digits + n_strange,), int64
        0 to 9, and 10 for things that are no digit.

    Examples
    --------
    >>> X, y = drawings(10, 2, seed=0)
    >>> X.shape, y.tolist()
    ((12, 784), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10])
    """
    y = np.concatenate([np.arange(n_digits) % 10, np.full(n_strange, 10)])
    parts = np.array_split(np.arange(len(y)), -(-len(y) // PART))
    X = _in_parallel(
        [(_draw, (y[part], (seed, number))) for number, part in enumerate(parts)], progress
    )
    return X, y


def _in_parallel(
    calls: list[tuple[Callable[..., Array], Any]], progress: Callable[[float], None]
) -> Array:
    parts = []
    workers = min(available_threads(), len(calls))
    for part in in_processes(_called, calls, workers):
        parts.append(part)
        progress(len(parts) / len(calls))
    return np.concatenate(parts)


def _called(function: Callable[..., Array], argument: Any) -> Array:
    return function(argument)


def _normalise(pictures: Array) -> Array:
    return np.stack([photos.normalise(picture).ravel() for picture in pictures])


def _draw(what: tuple[Array, tuple[int, int]]) -> Array:
    y, seed = what
    rng = np.random.default_rng(seed)
    drawn = [draw_no_digit(rng) if label == 10 else draw_digit(int(label), rng) for label in y]
    return _normalise(np.stack(drawn))


def calibrated(network: Network, theta: Array, X: Array, y: Array) -> tuple[Array, float]:
    """Make a network's probabilities true by dividing its last z by a temperature.

    Parameters
    ----------
    network : Network
        With a softmax output.
    theta : array of shape (size,)
    X : array of shape (m, s_1)
        Examples that it was not trained on.
    y : array of shape (m,)
        Their classes.

    Returns
    -------
    theta : ndarray of shape (size,)
        Its last Theta is divided by the temperature.
    temperature : float
        Above 1 where the network was too sure.

    Notes
    -----
    Guo et al. (2017), *On calibration of modern neural networks*: the one number that maximises the
    likelihood of the classes.
    """
    from scipy.optimize import minimize_scalar

    z = np.log(np.maximum(predict(network, theta, X), 1e-30))

    def cost(log_temperature: float) -> float:
        scaled = z / np.exp(log_temperature)
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float((total - scaled[np.arange(len(y)), y]).mean())

    temperature = float(np.exp(minimize_scalar(cost, bounds=(-2, 2), method="bounded").x))
    theta = theta.copy()
    blocks(network, theta)[-1][:] /= temperature
    return theta, temperature


def adapted(
    model: Model,
    X: Array,
    y: Array,
    rehearsed: Array,
    seed: int = 0,
    callback: Callback | None = None,
    checkpoint: Checkpoint | None = None,
) -> Result:
    """Go on from a model with a few digits of one's own, without forgetting those of others.

    Each epoch sees one's own digits and, beside them, drawings of digits and other things, whose
    targets are what the model predicted for them before.

    Parameters
    ----------
    model : Model
        One that reads photos.
    X : array of shape (m, 784)
    y : array of shape (m,)
        0 to 9.
    rehearsed : array of shape (n, 784)
        Pictures, such as `drawings`, whose readings are to stay.
    seed : int, default=0
    callback, checkpoint : optional
        As for `chainrule.train`.

    Returns
    -------
    Result

    Notes
    -----
    Li and Hoiem (2016), *Learning without forgetting*.
    """
    classes = list(model.classes or ())
    own = np.eye(len(classes))[[classes.index(label) for label in y]]
    copies = max(1, OWN_SHARE * len(rehearsed) // len(X))
    side = photos.SIDE
    X, rehearsed = (inputs(model, each.reshape(-1, side, side)) for each in (X, rehearsed))
    as_drawn = model.encoder.image_shape == (side, side)
    return train(
        model.network,
        np.concatenate([rehearsed, np.tile(X, (copies, 1))]),
        np.concatenate([model.predict(rehearsed), np.tile(own, (copies, 1))]),
        optimizer="adam",
        learning_rate=lambda epoch: 3e-4 * (1 - epoch / OWN_EPOCHS),
        max_iter=OWN_EPOCHS,
        patience=None,
        distort=RECIPES["photos"].more["distort"] if as_drawn else None,  # it is in their pixels
        theta=model.theta,
        dtype="float32",
        seed=seed,
        check=False,
        callback=callback,
        checkpoint=checkpoint,
    )


def collect(path: str | os.PathLike[str], label: str, folder: str | os.PathLike[str]) -> int:
    """Add a labelled photo to a folder of them.

    Parameters
    ----------
    path : path
        A photo of digits.
    label : str
        The digits in it in reading order; other characters are skipped.
    folder : path
        Created if absent.  It holds copies of the photos and labels.csv.

    Returns
    -------
    int
        How many digits there are.

    Raises
    ------
    DataError
        If the photo does not show as many marks as the label has digits.
    """
    digits = [c for c in label if c in "0123456789"]
    if not digits:
        raise DataError(f"--label {label!r} has no digit: give those of the photo in reading order")
    found = photos.find(path).marks
    if len(found) != len(digits):
        raise DataError(
            f"{os.fspath(path)}: {counted(len(digits), 'digit')} in the label and "
            f"{counted(len(found), 'mark')} in the photo: see them with classify --show, write the "
            "digits apart, and leave nothing else in the picture"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    taken = {file.name for file in folder.iterdir()}
    source = Path(path)
    name, number = source.name, 1
    while name in taken:
        number += 1
        name = f"{source.stem}-{number}{source.suffix}"
    shutil.copyfile(source, folder / name)
    new = LABELS not in taken
    with open(folder / LABELS, "a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["file", "label"])
        writer.writerow([name, "".join(digits)])
    return len(digits)


def collected(folder: str | os.PathLike[str]) -> tuple[Array, Array]:
    """Return the digits of a folder that `collect` filled, as a network sees them.

    Parameters
    ----------
    folder : path

    Returns
    -------
    X : ndarray of shape (m, 784), float32
    y : ndarray of shape (m,), int64

    Raises
    ------
    DataError
        If it has no labels.csv, or a photo does not fit its label.
    """
    file = Path(folder) / LABELS
    if not file.is_file():
        raise DataError(
            f"{os.fspath(folder)}: has no {LABELS}: add photos with chainrule collect PHOTO "
            f"--label 0123456789 --folder {os.fspath(folder)}"
        )
    try:
        with open(file, newline="", encoding="utf-8") as lines:
            rows = [(row["file"] or "", row["label"] or "") for row in csv.DictReader(lines)]
    except (csv.Error, UnicodeError, KeyError) as error:
        raise DataError(f"{file}: needs the columns file and label, in UTF-8 ({error})") from None
    X: list[Array] = []
    y: list[int] = []
    for name, written in rows:
        if Path(name).name != name or not name or "\0" in name:
            raise DataError(f"{file}: {name!r} is no file of this folder: it may name no other")
        pictures = photos.find(Path(folder, name)).pictures
        label = [int(c) for c in written if c in "0123456789"]
        if len(pictures) != len(label):
            raise DataError(
                f"{file}: {name} has {len(pictures)} marks and the label {written!r} "
                f"{len(label)} digits: correct the label, or remove the line"
            )
        X.extend(pictures)
        y += label
    if not X:
        raise DataError(f"{file}: has no photo in it")
    return np.stack(X).reshape(len(X), -1), np.array(y)


def sha256(X: Array, y: Array) -> str:
    """Return the hash of the examples' bytes, which identifies them."""
    return hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()

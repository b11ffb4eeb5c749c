"""Images told from tables."""

import numpy as np
import pytest
from tables import write

from chainrule.datasets import formats, images
from chainrule.datasets.tables import load


def test_images_are_told_from_tables():
    rng = np.random.default_rng(0)

    def shape(X):
        table = {f"x{j}": column for j, column in enumerate(X.T)}
        contents = formats.Contents("t.npz", "", table, "y", np.arange(len(X)) % 2)
        return images.find_image(X, contents)[0]

    digits = load("digits").X
    assert shape(digits) == (8, 8)
    assert shape(digits[:, rng.permutation(64)]) is None  # the same columns, in no order
    assert shape(rng.normal(size=(500, 64))) is None
    assert shape(rng.normal(size=(500, 100)).cumsum(axis=1)) is None  # a series
    assert shape(rng.normal(size=(500, 5)) @ rng.normal(size=(5, 64))) is None  # related columns
    waves = np.sin(np.arange(100) * 0.628 + rng.uniform(0, 6, (500, 1)))
    assert shape(waves) is None  # a series with the period of a row
    assert shape(digits * 10 ** rng.uniform(0, 4, 64)) is None  # not equally scaled


SERIES = np.random.default_rng(3).normal(size=(60, 20, 12)).cumsum(axis=1)


@pytest.mark.parametrize(
    "X",
    [
        SERIES,
        100 * SERIES,
        abs(100 * SERIES),  # broken
        100 + SERIES.round() * 8,  # whole, from 0, but far below the 65,535 of a full pixel
        np.round(SERIES),  # whole, but negative
        abs(SERIES.round())[:, :, :3],  # too narrow
    ],
)
def test_series_and_other_arrays_of_three_axes_are_tables(X, tmp_path):
    data = load(write(tmp_path, "t.npz", X=X, y=np.arange(60) % 2))
    assert data.image_shape is None
    np.testing.assert_array_equal(data.X, X.reshape(60, -1))
    size = f"{X.shape[1]}x{X.shape[2]}"
    assert any(note.startswith(f"{size} inputs, but no image (values") for note in data.notes)


@pytest.mark.parametrize(
    ("full", "kind"), [(1, "f4"), (16, "f8"), (255, "u1"), (255, "f4"), (4095, "u2"), (65535, "u2")]
)
def test_pixels_of_every_scale_are_pictures(full, kind, tmp_path):
    X = np.random.default_rng(0).uniform(0, full, (40, 8, 9))
    X = (X if full == 1 else X.round()).astype(kind)
    data = load(write(tmp_path, "t.npz", X=X, y=np.arange(40) % 2))
    assert data.image_shape == (8, 9)
    assert data.encoder.divisor == (65535 if full == 4095 else full)


def test_pixels_that_were_standardised_are_a_table(tmp_path):
    X = load("digits").X
    data = load(write(tmp_path, "t.npz", X=3 * (X - X.mean()) / X.std(), y=np.arange(len(X)) % 2))
    assert data.image_shape is None


def test_the_numbers_of_pictures_are_classes(tmp_path):
    letters = np.resize(np.arange(26), 208)
    X = np.random.default_rng(0).integers(0, 256, (208, 9, 9)).astype(np.uint8)
    data = load(write(tmp_path, "t.npz", X=X, y=letters))
    assert data.image_shape == (9, 9)
    assert data.classes == tuple(range(26))
    assert load(tmp_path / "t.npz", kind="numbers").classes is None
    assert load(write(tmp_path, "u.npz", X=X[:, 0, :5], y=letters)).classes is None  # a table

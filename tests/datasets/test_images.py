"""Images told from tables."""

import numpy as np
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


def test_the_numbers_of_pictures_are_classes(tmp_path):
    letters = np.resize(np.arange(26), 208)
    X = np.random.default_rng(0).integers(0, 256, (208, 9, 9)).astype(np.uint8)
    data = load(write(tmp_path, "t.npz", X=X, y=letters))
    assert data.image_shape == (9, 9)
    assert data.classes == tuple(range(26))
    assert load(tmp_path / "t.npz", kind="numbers").classes is None
    assert load(write(tmp_path, "u.npz", X=X[:, 0, :5], y=letters)).classes is None  # a table

"""How columns become inputs, the same way later; means and scales."""

import numpy as np
from tables import refused, write

from chainrule.datasets.encoding import Encoder, Scaling
from chainrule.datasets.tables import load, load_like


def test_text_becomes_one_hot_and_is_read_the_same_way_later(tmp_path):
    data = load(write(tmp_path, "t.csv", "size,price\ns,1.5\nm,2\nm,3.5\n12,9\n"))
    assert data.feature_names == ("size=12", "size=m", "size=s")
    np.testing.assert_array_equal(data.X, [[0, 0, 1], [0, 1, 0], [0, 1, 0], [1, 0, 0]])
    later = load_like(write(tmp_path, "u.csv", "size\n12\n13\n13\n"), data.encoder)
    np.testing.assert_array_equal(later.X, [[1, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert later.Y is None
    assert later.notes == [
        "column 'size': 2 values not seen in training, '13' in data row 2 first: all zeros"
    ]


def test_missing_values_are_filled_only_when_asked(tmp_path):
    path = write(tmp_path, "t.csv", "a,size,price\n1,s,1.5\n,m,2\nNA,m,3.5\n4,?,9\n")
    refused(
        "t.csv: column 'a' has 2 missing values, in data row 2 first: fill them in, choose "
        "missing=mean, or drop the column",
        load, path,
    )  # fmt: skip
    refused(
        "t.csv: column 'size' has 1 missing value, in data row 4 first: fill them in, choose "
        "missing=mean, or drop the column",
        load, path, drop=["a"],
    )  # fmt: skip
    data = load(path, missing="mean")
    np.testing.assert_array_equal(data.X, [[1, 0, 1], [2.5, 1, 0], [2.5, 1, 0], [4, 0, 0]])
    assert "column 'a': 2 missing values filled with 2.5" in data.notes
    later = load_like(write(tmp_path, "u.csv", "a,size\n,\n"), data.encoder)
    np.testing.assert_array_equal(later.X, [[2.5, 0, 0]])  # the mean of training


def test_an_encoder_survives_json(tmp_path):
    data = load(write(tmp_path, "t.csv", "a,size,price\n1,s,1.5\n,m,2\n4,m,9\n"), missing="mean")
    for encoder in (data.encoder, load("digits").encoder):
        assert Encoder.from_json(encoder.to_json()) == encoder


def test_scaling_of_constant_columns_and_targets():
    X = np.array([[0.1, 1.0], [0.1, 3.0], [0.1, 8.0]])
    scaling = Scaling.fit(X)
    assert scaling.scale[0] == 1
    np.testing.assert_allclose(scaling.apply(X).std(axis=0), [0, 1])
    np.testing.assert_allclose(scaling.undo(scaling.apply(X)), X)
    y = X[:, 1]
    assert Scaling.fit(y).apply(y).shape == (3,)
    assert scaling.apply(X.astype(np.float32)).dtype == np.float32

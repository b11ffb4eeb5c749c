"""How columns become inputs, the same way later; means and scales."""

import numpy as np
import pytest
from tables import refused, write

from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
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


def test_many_columns_that_are_filled_are_told_of_in_one_line(tmp_path):
    names = "abcdefg"
    text = ",".join([*names, "y"]) + "\n" + 3 * ",,,,,,,1\n" + 9 * "1,2,3,4,5,6,7,0\n"
    data = load(write(tmp_path, "t.csv", text + "2,3,4,5,6,7,8,1\n"), missing="mean")
    filled = [note for note in data.notes if "filled" in note]
    listed = ", ".join(map(repr, names))
    assert filled == [f"missing values of 7 columns filled as in training: {listed}"]


def test_missing_values_are_filled_only_when_asked(tmp_path):
    path = write(tmp_path, "t.csv", "a,size,price\n1,s,1.5\n,m,2\nNA,m,3.5\n4,?,9\n")
    refused(
        "t.csv: column 'a' has 2 missing values, in data row 2 first; column 'size' has 1 "
        "missing value, in data row 4 first: missing='mean'",
        load, path,
    )  # fmt: skip
    refused(
        "t.csv: column 'size' has 1 missing value, in data row 4 first: missing='mean'",
        load, path, drop=["a"],
    )  # fmt: skip
    data = load(path, missing="mean")
    np.testing.assert_allclose(data.X, [[1, 1], [2.5, 0], [2.5, 0], [4, 1 / 3]])
    assert "column 'a': 2 missing values filled with 2.5" in data.notes
    later = load_like(write(tmp_path, "u.csv", "a,size\n,\n"), data.encoder)
    np.testing.assert_allclose(later.X, [[2.5, 1 / 3]])  # the means of training


def test_an_encoder_survives_json(tmp_path):
    data = load(write(tmp_path, "t.csv", "a,size,price\n1,s,1.5\n,m,2\n4,m,9\n"), missing="mean")
    day = Column("day", mean=0.0, parts=("year", "hour"), gaps=True)
    rich = Encoder((day,), "a, b", outputs=("a", "b"), missing="category", na=("-999",))
    for encoder in (data.encoder, load("digits").encoder, rich):
        assert Encoder.from_json(encoder.to_json()) == encoder


def test_the_encoder_of_an_older_model_is_read():
    fields = {
        "columns": [
            {"name": "area", "categories": None, "mean": None},
            {"name": "heating", "categories": ["gas", "oil"], "mean": None},
        ],
        "target": "price", "classes": None, "dropped": [], "missing": None,
        "image_shape": None, "column_major": False, "divisor": 1.0,
    }  # fmt: skip
    encoder = Encoder.from_json(fields)
    assert encoder.feature_names == ("area", "heating=gas", "heating=oil")
    table = {"area": np.array([1.0]), "heating": np.array(["oil"], dtype=object)}
    np.testing.assert_array_equal(encoder.encode(table, "t.csv")[0], [[1, 0, 1]])


@pytest.mark.parametrize(
    ("field", "value"),
    [("two", True), ("parts", ["century"]), ("gaps", "yes"), ("parts", "year")],
)
def test_an_encoder_that_cannot_be_is_refused(field, value):
    fields = Encoder((Column("a"),)).to_json()
    fields["columns"][0][field] = value
    with pytest.raises(ValueError, match="bad encoder"):
        Encoder.from_json(fields)

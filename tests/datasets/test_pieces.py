"""Any column becomes inputs, or is left out with the reason."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.datasets.columns import Column, in_pieces, squashed
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.pieces import learn_pieces, notes

TEXT = np.array(["b", "a", "b", "a", "c", None], dtype=object)
NUMBERS = np.array([3.0, np.nan, 1.0, 2.0, 5.0, 8.0])


def learnt(**table):
    columns, left_out = learn_pieces({name: np.array(v) for name, v in table.items()})
    return {column.name: column for column in columns}, left_out


def test_numbers_get_pieces_and_say_where_they_lack():
    columns, _ = learnt(x=NUMBERS)
    assert columns["x"].edges == (1.0, 2.0, 3.0, 5.0, 8.0)
    assert columns["x"].inputs == ("x", "x>1", "x>2", "x>3", "x>5", "x=missing")
    X, _ = Encoder((columns["x"],), missing="category").encode({"x": NUMBERS}, "t")
    np.testing.assert_array_equal(X[4, 1:], [1, 1, 1, 0, 0])
    np.testing.assert_array_equal(X[1, 1:], [1, 1, 0, 0, 1])  # filled with the median


def test_many_numbers_have_as_many_rows_in_each_piece():
    x = np.random.default_rng(0).lognormal(size=5000)
    columns, _ = learnt(x=x)
    counts, _ = np.histogram(x, columns["x"].edges)
    assert len(counts) == 12
    assert np.abs(counts - 5000 / 12).max() <= 2


def test_numbers_that_nearly_all_are_0_have_pieces_all_the_same():
    x = np.zeros(100)
    x[:8] = np.arange(1, 9)
    columns, _ = learnt(x=x)
    assert len(columns["x"].edges) > 3


def test_text_becomes_its_frequent_categories():
    columns, _ = learnt(kind=TEXT)
    assert columns["kind"].categories == ("a", "b")  # c came once, and so did the gap
    X, told = Encoder((columns["kind"],), missing="category").encode({"kind": TEXT}, "t")
    np.testing.assert_array_equal(X, [[0, 1], [1, 0], [0, 1], [1, 0], [0, 0], [0, 0]])
    assert "not seen in training" in told[0]


def test_of_very_many_texts_the_most_frequent_are_known():
    rng = np.random.default_rng(0)
    words = np.array([f"w{k}" for k in rng.geometric(0.02, 2000)], dtype=object)
    columns, _ = learnt(word=words)
    assert len(columns["word"].categories) == 40
    assert {"w1", "w2", "w3"} <= set(columns["word"].categories)


def test_two_texts_share_an_input():
    columns, _ = learnt(sex=np.array(["f", "m", "f"] * 4, dtype=object))
    assert columns["sex"].inputs == ("sex=m",)


@pytest.mark.parametrize(
    ("vector", "why"),
    [
        ([np.nan] * 6, "has no value"),
        ([4.0] * 6, "has one value"),
        (np.array(["x"] * 6, dtype=object), "has one value"),
        (np.array(list("uvwxyz"), dtype=object), "has another text in each row"),
        (np.array(["u", "v", "w", "x", None, "z"], dtype=object), "has another text in each row"),
        (np.array([pl.List] * 6, dtype=object), "holds lists, no numbers or text"),
        (NUMBERS, "is the same as 'first'"),
        (np.array(["2024-01-01"] * 6, dtype="datetime64[s]"), "has one value"),
    ],
)
def test_what_tells_nothing_is_left_out(vector, why):
    columns, left_out = learnt(first=NUMBERS, other=vector)
    assert left_out == {"other": why}
    assert list(columns) == ["first"]


def test_a_column_that_numbers_the_rows_would_be_learnt_by_heart():
    table = {"first": np.sin(np.arange(40)), "Unnamed: 0": np.arange(40.0)}
    assert learn_pieces(table)[1] == {"Unnamed: 0": "numbers the rows"}
    assert learn_pieces(table, named=False)[1] == {}


def test_a_constant_with_gaps_tells_where_they_are():
    x = np.array([7.0, np.nan, 7.0, 7.0, np.nan, 7.0])
    columns, left_out = learnt(first=NUMBERS, x=x)
    assert not left_out
    X, _ = Encoder((columns["x"],), missing="category").encode({"x": x}, "t")
    np.testing.assert_array_equal(X[:, 0], 0)
    np.testing.assert_array_equal(X[:, 1], [0, 1, 0, 0, 1, 0])


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6).filter(any))
def test_weight_2_is_the_row_twice(weights):
    table = {"x": NUMBERS, "kind": TEXT, "y": np.arange(6.0) ** 2}
    w = np.array(weights)
    repeated = {name: np.repeat(vector, w) for name, vector in table.items()}
    weighed, twice = learn_pieces(table, w.astype(float)), learn_pieces(repeated)
    assert weighed[1] == twice[1]
    for one, other in zip(weighed[0], twice[0], strict=True):
        assert (one.inputs, one.edges, one.squash) == (other.inputs, other.edges, other.squash)


@given(st.floats(-1e300, 1e300), st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_squashing_keeps_the_order_and_the_bounds(x, centre, spread):
    near, far = squashed(np.array([centre, x]), centre, spread)
    assert near == 0
    assert abs(far) <= 3
    assert np.sign(far) == np.sign(x - centre)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=9, unique=True), st.floats(-200, 200))
def test_pieces_add_up_to_the_number(edges, x):
    edges = np.sort(edges)
    widths = np.diff(edges)
    if widths.min() < 1e-6:
        return
    total = edges[0] + in_pieces(np.array([x]), edges)[0] @ widths
    np.testing.assert_allclose(total, np.clip(x, edges[0], edges[-1]), atol=1e-9)


def test_what_was_decided_is_said():
    columns, left_out = learn_pieces({"x": NUMBERS, "kind": TEXT, "id": np.ones(6)})
    assert notes(columns, left_out) == [
        "1 column of numbers, in up to 4 pieces: x",
        "1 column of text, by their frequent categories: kind (2)",
        "missing values are told by an input: x",
        "left out: 'id' has one value",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"squash": [1.0, 0.0]}, {"squash": [1.0]}, {"squash": ["a", 1.0]}, {"edges": [1.0]},
        {"edges": [2.0, 1.0]}, {"edges": [1.0, 1.0]}, {"edges": [0.0, 10**400]}, {"edges": "12"},
        {"edges": [0.0, 1.0], "categories": ["a", "b"]}, {"squash": [0.0, 1.0], "parts": ["year"]},
    ],
)  # fmt: skip
def test_a_file_whose_pieces_cannot_be_is_refused(change):
    fields = Encoder((Column("x", squash=(0.0, 1.0), edges=(0.0, 1.0)),)).to_json()
    assert Encoder.from_json(fields).columns[0].edges == (0.0, 1.0)
    plain = fields["columns"][0] | {"squash": None, "edges": []}
    fields["columns"] = [plain | change]
    with pytest.raises(ValueError, match="bad encoder"):
        Encoder.from_json(fields)

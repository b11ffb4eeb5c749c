"""What columns become, the same way later: dates by their parts, text by its categories, gaps."""

import numpy as np
from tables import refused, write

from chainrule.datasets import formats
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.meaning import learn_columns
from chainrule.datasets.tables import load, load_like


def dated(dates, **columns):
    table = {"day": np.array(dates, dtype="datetime64[s]")}
    return table | {name: np.array(values) for name, values in columns.items()}


def test_dates_become_those_of_their_parts_that_vary():
    table = dated(["2024-02-29T06:30", "2025-03-03T18:00", "2025-03-04T18:00"])
    contents = formats.Contents("t.csv", "", table)
    (column,), faults, notes = learn_columns(table, None, contents, np.arange(1, 4), ())
    assert (faults, notes) == (
        [],
        ["column 'day' holds dates: year, month, weekday, hour, elapsed"],
    )
    X, _ = Encoder((column,)).encode(table, "t.csv")
    np.testing.assert_allclose(
        X[:, :4], [[2024, 2, 4, 6.5], [2025, 3, 1, 18], [2025, 3, 2, 18]]
    )  # that was a Thursday, a Monday and a Tuesday
    np.testing.assert_allclose(np.diff(X[:, 4]), [368.479167, 1.0], rtol=1e-6)
    days = dated(["2024-05-06", "2024-05-13", "2024-05-20"])  # three Mondays in one May
    (column,), _, _ = learn_columns(days, None, contents, np.arange(1, 4), ())
    assert column.inputs == ("day.elapsed",)


def test_missing_dates_are_filled_or_refused():
    table = dated(["2024-01-01", "NaT", "2024-01-03"])
    contents, rows = formats.Contents("t.csv", "", table), np.arange(1, 4)
    _, (fault,), _ = learn_columns(table, None, contents, rows, ())
    assert str(fault) == (
        "t.csv: column 'day' has 1 missing value, in data row 2 first: missing='mean'"
    )
    (column,), _, _ = learn_columns(table, "category", contents, rows, ())
    X, notes = Encoder((column,), missing="category").encode(table, "t.csv")
    assert column.inputs == ("day.weekday", "day.elapsed", "day=missing")
    np.testing.assert_array_equal(X[1] - X[0], [1, 1, 1])
    assert notes == ["column 'day': 1 missing value filled with 2024-01-02T00:00:00"]


def test_text_where_training_had_dates_is_refused():
    encoder = Encoder((Column("day", parts=("year", "elapsed")),))
    words = {"day": np.array(["2024-01-01", "soon"], dtype=object)}
    refused(
        "u.csv: column 'day' has 'soon' in data row 2, where training had dates: correct it",
        encoder.encode, words, "u.csv",
    )  # fmt: skip
    refused(
        "u.csv: column 'a' has 2024-01-01T00:00:00 in data row 1, where training had numbers: "
        "correct it",
        Encoder((Column("a"),)).encode, {"a": dated(["2024-01-01"])["day"]}, "u.csv",
    )  # fmt: skip


def test_two_values_become_one_input(tmp_path):
    path = write(tmp_path, "t.csv", "smokes,sex,price\nyes,m,1.5\nno,f,2\nno,f,3.5\nno,m,9\n")
    data = load(path)
    assert data.feature_names == ("smokes=yes", "sex=m")
    np.testing.assert_array_equal(data.X, [[1, 1], [0, 0], [0, 0], [0, 1]])
    assert "column 'smokes': no is 0, yes is 1" in data.notes
    later = load_like(write(tmp_path, "u.csv", "smokes,sex\nmaybe,m\n"), data.encoder)
    np.testing.assert_array_equal(later.X, [[0.25, 1]])  # as often as in training
    assert later.notes == [
        "column 'smokes': 1 value not seen in training, 'maybe' in data row 1 first: taken as 0.25"
    ]


def test_missing_values_can_be_a_category(tmp_path):
    path = write(tmp_path, "t.csv", "a,size,price\n1,s,1.5\n,m,2\nNA,m,3.5\n4,?,9\n")
    data = load(path, missing="category")
    assert data.feature_names == ("a", "a=missing", "size=m", "size=missing", "size=s")
    np.testing.assert_array_equal(
        data.X, [[1, 0, 0, 0, 1], [2.5, 1, 1, 0, 0], [2.5, 1, 1, 0, 0], [4, 0, 0, 1, 0]]
    )
    later = load_like(write(tmp_path, "u.csv", "a,size\n,\n"), data.encoder)
    np.testing.assert_array_equal(later.X, [[2.5, 1, 0, 1, 0]])


CITIES = Encoder(
    (Column("city", ("Bonn", "Kiel", "Ulm")), Column("age", mean=30.0)), missing="mean"
)


def persons(cities, ages=None):
    ages = np.arange(len(cities)) + 0.5 if ages is None else ages
    return {"city": np.array(cities, dtype=object), "age": np.array(ages, dtype=float)}


def test_a_column_of_which_nothing_is_known_is_refused():
    refused(
        "u.csv: column 'city' has 39 values of 40 not seen in training, 'Rom' in data row 1 first, "
        "where training had Bonn, Kiel, Ulm: correct it, or train without it",
        CITIES.encode, persons(["Rom"] * 39 + ["Ulm"]), "u.csv",
    )  # fmt: skip
    refused(
        "u.csv: column 'city' has no value in 40 rows, where training had Bonn, Kiel, Ulm: fill it "
        "in, or train without it",
        CITIES.encode, persons([None] * 40), "u.csv",
    )  # fmt: skip
    refused(
        "u.csv: column 'age' has no value in 40 rows, where training had numbers: fill it in, or "
        "train without it",
        CITIES.encode, persons(["Ulm"] * 40, [np.nan] * 40), "u.csv",
    )  # fmt: skip


def test_a_column_of_which_little_is_known_is_told():
    _, (note,) = CITIES.encode(persons(["Rom"] * 30 + ["Ulm"] * 10), "u.csv")
    assert note == (
        "column 'city': most values, 30 of 40, not seen in training, 'Rom' in data row 1 first: "
        "all zeros"
    )
    X, notes = CITIES.encode(persons(["Rom", None, None], [np.nan] * 3), "u.csv")  # a few rows may
    np.testing.assert_array_equal(X, [[0, 0, 0, 30]] * 3)
    assert len(notes) == 3
    gaps = Encoder((Column("age", mean=30.0, gaps=True),), missing="category")
    X, _ = gaps.encode({"age": np.full(40, np.nan)}, "u.csv")  # missing is something to learn from
    np.testing.assert_array_equal(X, [[30, 1]] * 40)

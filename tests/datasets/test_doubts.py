"""What is doubtful in a table is said, with the option that settles it."""

import io

import numpy as np
import pytest

from chainrule.common.checks import DataError
from chainrule.datasets.tables import load

RNG = np.random.default_rng(0)
M = 60
SIZES = RNG.normal(size=M).round(3)
KINDS = np.where(RNG.random(M) < 0.5, "x", "y")


def table(**columns):
    """Return a stream of csv: some columns, then a size and a kind with nothing to learn."""
    columns |= {"size": SIZES, "kind": KINDS}
    rows = zip(*columns.values(), strict=True)
    return io.BytesIO(
        "\n".join([",".join(columns), *(",".join(map(str, r)) for r in rows)]).encode()
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Nr", np.arange(M)),
        ("anything", np.arange(1, M + 1)),
        ("anything", RNG.permutation(M)),
        ("index", np.arange(M) * 2 + 7),
        ("PassengerId", RNG.permutation(10 * M)[:M]),
        ("customer_id", RNG.permutation(10 * M)[:M]),
        ("Name", [f"person {i}" for i in range(M)]),
    ],
)
def test_what_numbers_the_rows_is_refused_under_any_name_and_can_be_kept(name, values):
    with pytest.raises(DataError) as caught:
        load(table(**{name: values}))
    assert caught.value.options == {"drop": [name]}
    assert str(caught.value).endswith(f": drop={name!r}")
    assert load(table(**{name: values}), drop=[name]).feature_names == ("size",)
    assert len(load(table(**{name: values}), keep=[name]).feature_names) > 1


@pytest.mark.parametrize(
    "values",
    [
        np.arange(M) / 2,  # a time in halves
        RNG.integers(0, M, M),  # a count
        np.resize(np.arange(12), M),  # a month
        RNG.permutation(1000 * M)[:M],  # amounts that happen to differ
    ],
)
def test_numbers_that_mean_something_are_left_alone(values):
    data = load(table(amount=values))
    assert data.feature_names == ("amount", "size")


def test_the_only_input_of_a_curve_may_count():
    rows = "".join(f"{t},{np.sin(t):.4f}\n" for t in range(40))
    assert load(io.BytesIO(f"t,signal\n{rows}".encode())).feature_names == ("t",)


def told(word, stream, **options):
    """Return the one note that has a word in it."""
    (note,) = [note for note in load(stream, **options).notes if word in note]
    return note


def test_a_column_that_rises_from_row_to_row_is_said():
    values = np.cumsum(RNG.integers(1, 5, M)) + 100
    assert told("one direction", table(number=values)).endswith("drop='number'")


def test_columns_that_hold_one_value_are_said():
    stream = table(a=np.full(M, 3), b=np.full(M, "same"))
    assert told("of no use", stream) == (
        "2 columns are the same in all rows and of no use (a, b): drop=['a', 'b'] leaves them out"
    )


@pytest.mark.parametrize(
    "copy", [KINDS, np.where(KINDS == "x", 1, 0), np.where(KINDS == "x", 2.5, -1) + SIZES / 100]
)
def test_a_column_that_gives_the_class_by_itself_is_said(copy):
    assert told("alone gives", table(copy=copy)).endswith("drop='copy'")


def test_classes_that_several_columns_tell_apart_are_simply_far_apart():
    near = np.where(KINDS == "x", 2.5, -1) + SIZES / 100
    assert not [n for n in load(table(one=near, two=1 / near)).notes if "alone gives" in n]
    codes = np.where(KINDS == "x", 7, 8)
    notes = load(table(one=near, two=1 / near, code=codes)).notes
    assert [n.split("'")[1] for n in notes if "alone gives" in n] == ["code"]


def test_a_column_that_is_the_target_on_another_scale_is_said():
    y = np.exp(RNG.normal(size=M))
    other = y + RNG.normal(size=M)
    for copy in (np.log(y), -1 / y, np.round(np.log(y), 12)):
        note = told("alone gives", table(copy=copy, price=y, other=other), target="price")
        assert note.endswith("drop='copy'")
    few = np.resize([1.0, 2.0, 4.0], M)
    notes = load(table(few=few**2, other=other, y=few + 0.5), "y", kind="numbers").notes
    assert not [note for note in notes if "alone gives" in note]


def test_a_column_that_is_the_target_in_other_units_is_said():
    y = RNG.normal(size=M)
    stream = table(fahrenheit=y * 1.8 + 32, celsius=y, other=y + RNG.normal(size=M))
    note = told("alone gives", stream, target="celsius")
    assert note.startswith("column 'fahrenheit' alone gives 'celsius'")


@pytest.mark.parametrize(
    ("value", "low", "high"), [(-999, 0, 50), (-200, -2, 45), (999, 0, 27), (-99, 90, 4000)]
)
def test_a_value_far_from_all_others_is_said_and_can_mean_missing(value, low, high):
    values = RNG.integers(low, high, M).astype(float) + 0.5
    values[[3, 30]] = value
    note = told("far from", table(reading=values))
    assert note.endswith(f"na='{value}', missing='mean'")
    assert "'reading' (2)" in note
    data = load(table(reading=values), na=str(value), missing="mean")
    assert data.X[3, 0] == pytest.approx(values[values != value].mean())
    assert not [note for note in data.notes if "far from" in note]
    assert data.encoder.na == (str(value),)


def test_a_value_that_means_missing_in_one_column_is_looked_for_in_the_others():
    near, far = RNG.uniform(0, 5, M).round(2), RNG.uniform(0, 5000, M).round(2)
    near[[3, 30]] = far[[4, 5, 6]] = -200
    assert "'near' (2), 'far' (3)" in told("-200", table(near=near, far=far))


def test_a_large_value_alone_is_no_mark():
    values = RNG.uniform(0, 5, M).round(2)
    values[3] = 5000
    assert not [note for note in load(table(income=values)).notes if "far from" in note]


def test_numbers_near_the_end_of_their_range_are_compared_in_silence():
    text = "a,b,y\n" + "".join(f"{k % 7}e149,{k * 3 % 5}e-310,{k * k % 11}.5\n" for k in range(40))
    assert load(io.BytesIO(text.encode()), name="t.csv").X.shape == (40, 2)

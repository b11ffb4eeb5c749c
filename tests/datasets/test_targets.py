"""Which column is the target, and whether it holds classes or numbers."""

import io

import numpy as np
import pytest
from tables import refused, write

from chainrule.datasets.tables import load, load_like

ROWS = "a,b,kind\n1,2.5,x\n2,0.5,y\n4,1.5,x\n3,1,y\n"


@pytest.mark.parametrize(
    ("target", "name"), [("a", "a"), ("1", "a"), ("-1", "kind"), ("-3", "a"), (None, "kind")]
)
def test_the_target_is_named_or_counted(tmp_path, target, name):
    assert load(write(tmp_path, "t.csv", ROWS), target).target == name


def test_a_column_called_label_is_the_target(tmp_path):
    data = load(write(tmp_path, "t.csv", "Label,a\n0,1.5\n1,2\n0,3\n1,5\n"))
    assert data.target == "Label"
    assert data.notes[0] == (
        "target 'Label' (by its name): 4 numbers, 2 distinct: classes 0, 1 "
        "(kind='numbers' for numbers)"
    )


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 1, 0], (0, 1)),
        (["true", "false", "true", "false"], ("false", "true")),
        ([3.0, 5.0, 3.0, 5.0], (3, 5)),
        ([1, 4, 9], None),  # as many as rows: the notes' linear example
        ([0.5, 1.5, 0.5, 1.5], None),
        (list(range(31)) * 3, None),
        (list(range(10)) * 3, tuple(range(10))),
        (list(range(11)) * 3, None),  # more than ten are an amount
        ([1, 2, 3, 5, 6, 7] * 5, (1, 2, 3, 5, 6, 7)),
        (list(range(0, 160, 20)) * 3, None),  # and so are some that lie far apart
        ([11, 21, 95] * 3, (11, 21, 95)),
    ],
)
def test_classes_and_numbers_are_told_apart(values, classes):
    text = "a,b\n" + "".join(f"{i * i / 2},{value}\n" for i, value in enumerate(values))
    data = load(io.BytesIO(text.encode()))
    assert data.classes == classes
    assert ("regression" in data.notes[0]) == (classes is None)
    if classes is None:
        np.testing.assert_array_equal(data.Y, values)


def test_the_kind_can_be_said(tmp_path):
    path = write(tmp_path, "t.csv", "a,b\n1,0\n2,3\n4,3\n5,0\n")
    assert load(path).classes == (0, 3)
    numbers = load(path, kind="numbers")
    assert numbers.classes is None
    np.testing.assert_array_equal(numbers.Y, [0, 3, 3, 0])
    assert load(write(tmp_path, "u.csv", "a,b\n1,1\n2,4\n3,9\n"), kind="classes").classes == (
        1,
        4,
        9,
    )


TWO = "a,b,c,d\n" + "".join(
    f"{i * 7 % 13},{i * i % 11},{i / 2},{i / 3 + 1:.3f}\n" for i in range(20)
)


@pytest.mark.parametrize("target", ["c,d", ["c", "d"], "3,-1", ["3", "d"]])
def test_several_targets_are_several_outputs_and_never_inputs(tmp_path, target):
    data = load(write(tmp_path, "t.csv", TWO), target)
    assert (data.feature_names, data.target, data.classes) == (("a", "b"), "c, d", None)
    np.testing.assert_array_equal(data.Y[:, 0], np.arange(20) / 2)
    later = load_like(write(tmp_path, "u.csv", TWO), data.encoder)
    np.testing.assert_array_equal(later.Y, data.Y)
    assert load_like(write(tmp_path, "v.csv", "b,a\n1,2\n"), data.encoder).Y is None
    refused("t.csv: target 'kind' is text, and several targets must be numbers: train a network "
            "for each", load, write(tmp_path, "t.csv", ROWS), "a,kind")  # fmt: skip


def test_a_one_hot_target_is_classes(tmp_path):
    codes = np.arange(30) % 3
    X, Y = np.random.default_rng(0).normal(size=(30, 2)), np.eye(3)[codes]
    data = load(write(tmp_path, "t.npz", X=X, y=Y))
    assert data.classes == (0, 1, 2)
    np.testing.assert_array_equal(data.Y, codes)
    assert load(tmp_path / "t.npz", kind="numbers").Y.shape == (30, 3)
    np.testing.assert_array_equal(load_like(tmp_path / "t.npz", data.encoder).Y, codes)
    rows = "".join(f"{x[0]},{y[0]:g},{y[1]:g},{y[2]:g}\n" for x, y in zip(X, Y, strict=True))
    path = write(tmp_path, "t.csv", "size,red,green,blue\n" + rows)
    data = load(path, "red,green,blue")
    assert (data.classes, data.feature_names) == (("red", "green", "blue"), ("size",))
    np.testing.assert_array_equal(load_like(path, data.encoder).Y, codes)
    refused(
        "t.csv: target 'size, red' is not one-hot in data row 1: several columns are classes where "
        "one is 1 and the others are 0",
        load, path, "size,red", kind="classes",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "other"),
    [
        (list(range(5)) * 4, "(kind='numbers' for numbers)"),
        (list(range(15)) * 4, "(kind='classes' for classes)"),
        ([0.5, 1.5] * 10, "(kind='classes' for classes)"),
        ([i / 2 for i in range(20)], "regression"),
        (list(range(20)), "regression"),
        (["a", "b"] * 10, "classes a, b"),
    ],
)
def test_the_other_kind_is_offered_where_there_is_one(values, other):
    text = "a,b\n" + "".join(f"{i * i / 2},{value}\n" for i, value in enumerate(values))
    assert load(io.BytesIO(text.encode())).notes[0].endswith(other)


def test_ratings_in_halves_are_classes_for_somebody_who_says_so(tmp_path):
    stars = [1, 1.5, 2, 2.5] * 5
    text = "a,b\n" + "".join(f"{i * i / 2},{value}\n" for i, value in enumerate(stars))
    data = load(write(tmp_path, "t.csv", text), kind="classes")
    assert data.classes == (1, "1.5", 2, "2.5")
    assert data.Y.tolist() == [0, 1, 2, 3] * 5
    assert load_like(io.BytesIO(text.encode()), data.encoder).Y.tolist() == data.Y.tolist()


@pytest.mark.parametrize("amounts", [range(60), [i / 4 for i in range(20)] * 1, range(0, 400, 2)])
def test_amounts_are_no_classes_whoever_says_so(amounts):
    text = "a,b\n" + "".join(f"{i * i / 2},{value}\n" for i, value in enumerate(amounts))
    m = len(amounts)
    refused(
        f"<stream>: target 'b' has {m} different numbers in {m} rows, too many for classes: "
        "kind='numbers'",
        load, io.BytesIO(text.encode()), kind="classes",
    )  # fmt: skip


def test_one_row_is_too_little():
    refused(
        "<stream>: 1 row has a target, and it takes more to learn from",
        load, io.BytesIO(b"a,b\n1,2\n"),
    )  # fmt: skip


LONG = [str(2**53 + i // 2) for i in range(400)]  # which float64 cannot tell apart


def test_long_whole_numbers_are_text_and_numbers_where_that_is_asked_for(tmp_path):
    path = write(
        tmp_path, "t.csv", "a,b\n" + "".join(f"{i % 7}.5,{n}\n" for i, n in enumerate(LONG))
    )
    refused(
        "t.csv: target 'b' has 200 classes in 400 rows, more than 100: name another column, as "
        "target='a'",
        load, path,
    )  # fmt: skip
    data = load(path, kind="numbers")
    np.testing.assert_array_equal(data.Y, np.array(LONG, dtype=np.float64))
    np.testing.assert_array_equal(load_like(path, data.encoder).Y, data.Y)
    refused(
        "t.csv: target 'kind' has 'x' in data row 1: not a number",
        load, write(tmp_path, "t.csv", ROWS), kind="numbers",
    )  # fmt: skip

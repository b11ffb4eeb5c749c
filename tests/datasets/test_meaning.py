"""What is decided about a table: target, classes or numbers, images."""

import io

import numpy as np
import pytest
from tables import refused, write

from chainrule.common.checks import DataError
from chainrule.datasets import formats, meaning
from chainrule.datasets.tables import load, load_like

ROWS = "a,b,kind\n1,2.5,x\n2,0.5,y\n4,1.5,x\n3,1,y\n"
NINES = "".join(f"{i * i},{i % 2}\n" for i in range(9))


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
        (list(range(11)) * 3, None),  # more than ten consecutive numbers are an amount
        (list(range(5, 300, 10)) * 3, tuple(range(5, 300, 10))),
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b\n1,0.5\n2,1\n3,inf\n",
            "t.csv: target 'b' has inf in data row 3: only finite numbers can be used",
        ),
        (
            "a,b\n1,0\n2,1\ninf,1\n4,0\n",
            "t.csv: column 'a' has inf in data row 3, and only finite numbers can be used: "
            "na='inf', missing='mean'",
        ),
        ("a,b\n,0\n,1\n,1\n,0\n", "t.csv: column 'a' has no value at all: drop='a'"),
        (
            "a,b\n1,x\n2,x\n",
            "t.csv: target 'b' is 'x' in all rows: there is nothing to tell apart",
        ),
        (
            "a,b\n1,x\n2,y\n3,z\n",
            "t.csv: target 'b' has 3 classes in 3 rows, more than can be told apart (at most "
            "100): name another column",
        ),
        ("b\n0\n1\n0\n1\n", "t.csv: no column is left for the inputs besides 'b'"),
        ("n,a,b\n" + "".join(f"{i},{i * i},{i % 2}\n" for i in range(12)),
         "t.csv: column 'n' numbers the rows: drop='n'"),
        ("user_id,b\n" + NINES, "t.csv: column 'user_id' looks like an identifier: drop='user_id'"),
        (
            "name,b\nann,0\nbob,1\ncat,0\ndan,1\n",
            "t.csv: column 'name' is text that differs in every row, like an identifier: "
            "drop='name'",
        ),
        (
            "a,b\n" + NINES + "4 kg,1\n",
            "t.csv: column 'a' has 1 missing value, in data row 10 first ('4 kg' in data row 10 is "
            "no number): missing='mean'",
        ),
        (
            "a,b\n,1\n" + NINES + "4 kg,1\n",
            "t.csv: column 'a' has 2 missing values, in data row 1 first ('4 kg' in data row 11 is "
            "no number): missing='mean'",
        ),
        (
            "a,b\n" + "".join(f"t{i % 101},{i % 2}\n" for i in range(300)),
            "t.csv: column 'a' is text with 101 different values, more than 100: drop='a'",
        ),
    ],
)  # fmt: skip
def test_bad_columns_are_refused_by_name(tmp_path, content, message):
    refused(message, load, write(tmp_path, "t.csv", content))


def test_images_are_told_from_tables():
    rng = np.random.default_rng(0)

    def shape(X):
        table = {f"x{j}": column for j, column in enumerate(X.T)}
        contents = formats.Contents("t.npz", "", table, "y", np.arange(len(X)) % 2)
        return meaning.find_image(X, contents)[0]

    digits = load("digits").X
    assert shape(digits) == (8, 8)
    assert shape(digits[:, rng.permutation(64)]) is None  # the same columns, in no order
    assert shape(rng.normal(size=(500, 64))) is None
    assert shape(rng.normal(size=(500, 100)).cumsum(axis=1)) is None  # a series
    assert shape(rng.normal(size=(500, 5)) @ rng.normal(size=(5, 64))) is None  # related columns
    waves = np.sin(np.arange(100) * 0.628 + rng.uniform(0, 6, (500, 1)))
    assert shape(waves) is None  # a series with the period of a row
    assert shape(digits * 10 ** rng.uniform(0, 4, 64)) is None  # not equally scaled


# Several targets, one-hot targets, targets that are missing


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


def test_a_name_with_a_comma_is_one_column(tmp_path):
    path = write(tmp_path, "t.csv", 'a,"b,c",d\n1,2.5,x\n2,0.5,y\n4,1.5,x\n3,1,y\n')
    assert load(path, "b,c", drop="d").target == "b,c"
    assert load(path, drop=["b,c"]).feature_names == ("a",)


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


def test_rows_without_a_target_are_left_out_and_counted(tmp_path):
    path = write(tmp_path, "t.csv", "a,kind\n1,x\n2,y\n3,\n4,x\n5,?\n6,y\ninf,x\n")
    refused(
        "t.csv: column 'a' has inf in data row 7, and only finite numbers can be used: na='inf', "
        "missing='mean'",
        load, path,
    )  # fmt: skip
    data = load(path, na="inf", missing="drop")
    np.testing.assert_array_equal(data.X[:, 0], [1, 2, 4, 6])
    assert data.notes[:3] == [
        "column 'kind': 1 value '?' (data row 5 first) taken as missing",
        "target 'kind' is missing in 2 rows, data row 3 first: left out",
        "1 row with missing values, data row 7 first: left out",
    ]
    later = write(tmp_path, "u.csv", "a,kind\n1,x\n2,\n")
    assert len(load_like(later, data.encoder)) == 1
    assert len(load_like(later, data.encoder, labelled=False)) == 2
    refused("v.csv: target 'kind' has no value at all: name another", load,
            write(tmp_path, "v.csv", "a,kind\n1,\n2,\n"), "kind")  # fmt: skip


@pytest.mark.parametrize(
    ("values", "other"),
    [
        (list(range(5)) * 4, "(kind='numbers' for numbers)"),
        (list(range(15)) * 4, "(kind='classes' for classes)"),
        ([0.5, 1.5] * 10, "regression"),
        (["a", "b"] * 10, "classes a, b"),
    ],
)
def test_the_other_kind_is_offered_where_there_is_one(values, other):
    text = "a,b\n" + "".join(f"{i * i / 2},{value}\n" for i, value in enumerate(values))
    assert load(io.BytesIO(text.encode())).notes[0].endswith(other)


def test_all_that_is_wrong_is_said_at_once_and_mended_at_once(tmp_path):
    rows = [f"{i},n{i},{'' if i % 9 == 1 else i % 5},,{i % 2}\n" for i in range(1, 41)]
    path = write(tmp_path, "t.csv", "nr,name,age,empty,won\n" + "".join(rows))
    with pytest.raises(DataError) as caught:
        load(path)
    error = caught.value
    assert error.faults == (
        "column 'nr' numbers the rows",
        "column 'name' is text that differs in every row, like an identifier",
        "column 'age' has 5 missing values, in data row 1 first",
        "column 'empty' has no value at all",
    )
    assert str(error).endswith("drop=['nr', 'name', 'empty'], missing='mean'")
    assert load(path, **error.options).feature_names == ("age",)


def test_a_column_that_is_mostly_missing_is_better_dropped(tmp_path):
    rows = "".join(f"{i * i},{'' if i % 3 else i},{i % 2}\n" for i in range(40))
    with pytest.raises(DataError) as caught:
        load(write(tmp_path, "t.csv", "a,b,won\n" + rows))
    assert caught.value.options == {"drop": ["b"]}


def test_many_columns_of_text_are_told_in_one_line(tmp_path):
    names = [f"t{j}" for j in range(12)]
    rows = [",".join([f"v{(i + j) % 3}" for j in range(12)] + [str(i / 3)]) for i in range(1, 40)]
    data = load(write(tmp_path, "t.csv", ",".join([*names, "y"]) + "\n" + "\n".join(rows)))
    assert data.notes[1] == (
        "12 text columns become 0/1 inputs, by their categories: t0 (3), t1 (3), t2 (3), t3 (3), "
        "t4 (3), t5 (3), ..., t11 (3)"
    )


def test_the_numbers_of_pictures_are_classes(tmp_path):
    letters = np.resize(np.arange(26), 208)
    X = np.random.default_rng(0).integers(0, 256, (208, 9, 9)).astype(np.uint8)
    data = load(write(tmp_path, "t.npz", X=X, y=letters))
    assert data.image_shape == (9, 9)
    assert data.classes == tuple(range(26))
    assert load(tmp_path / "t.npz", kind="numbers").classes is None
    assert load(write(tmp_path, "u.npz", X=X[:, 0, :5], y=letters)).classes is None  # a table

"""What is decided about a table: target, classes or numbers, images."""

import io

import numpy as np
import pytest
from tables import refused, write

from chainrule.datasets import formats, meaning
from chainrule.datasets.tables import load

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
    assert data.notes[0] == ("target 'Label' (by its name): 4 numbers, 2 distinct: classes 0, 1")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 1, 0], (0, 1)),
        (["true", "false", "true", "false"], ("false", "true")),
        ([3.0, 5.0, 3.0, 5.0], (3, 5)),
        ([1, 4, 9], None),  # as many as rows: the notes' linear example
        ([0.5, 1.5, 0.5, 1.5], None),
        (list(range(31)) * 3, None),
        (list(range(30)) * 3, tuple(range(30))),
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
            "a,b\n1,0\n2,1\n3,\n4,0\n",
            "t.csv: target 'b' is missing in 1 row, data row 3 first: remove those rows",
        ),
        (
            "a,b\n1,0.5\n2,1\n3,inf\n",
            "t.csv: target 'b' has inf in data row 3: only finite numbers can be used",
        ),
        (
            "a,b\n1,0\n2,1\ninf,1\n4,0\n",
            "t.csv: column 'a' has inf in data row 3: only finite numbers can be used",
        ),
        ("a,b\n,0\n,1\n,1\n,0\n", "t.csv: column 'a' has no value at all: drop it"),
        (
            "a,b\n1,x\n2,x\n",
            "t.csv: target 'b' is 'x' in all rows: there is nothing to tell apart",
        ),
        (
            "a,b\n1,x\n2,y\n3,z\n",
            "t.csv: target 'b' has 3 classes in 3 rows, more than can be told apart (at most "
            "100): name another column",
        ),
        (
            "a,b\n" + "".join(f"{i},{i / 2}\n" for i in range(8)) + "8,n.a.\n",
            "t.csv: target 'b' has 9 classes in 9 rows, more than can be told apart (at most "
            "100): data row 9 has 'n.a.' where most have numbers; correct it or drop it",
        ),
        ("b\n0\n1\n0\n1\n", "t.csv: no column is left for the inputs besides 'b'"),
        ("n,b\n" + "".join(f"{i},{i % 2}\n" for i in range(12)),
         "t.csv: column 'n' numbers the rows: drop it"),
        ("user_id,b\n" + NINES, "t.csv: column 'user_id' looks like an identifier: drop it"),
        (
            "name,b\nann,0\nbob,1\ncat,0\ndan,1\n",
            "t.csv: column 'name' is text that differs in every row, like an identifier: drop it",
        ),
        (
            "a,b\n" + NINES + "4 kg,1\n",
            "t.csv: column 'a' is text that differs in every row, like an identifier: data row 10 "
            "has '4 kg' where most have numbers; correct it or drop it",
        ),
        (
            "a,b\n,1\n" + NINES + "4 kg,1\n",
            "t.csv: column 'a' is text that differs in every row, like an identifier: data row 11 "
            "has '4 kg' where most have numbers; correct it or drop it",
        ),
        (
            "a,b\n" + "".join(f"t{i % 101},{i % 2}\n" for i in range(300)),
            "t.csv: column 'a' is text with 101 different values, more than 100: drop it",
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

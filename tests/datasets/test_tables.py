"""Tables: what is decided about them, and every way in which one can be refused."""

import hashlib
import io
import re
import sys

import numpy as np
import polars as pl
import pytest

from chainrule import Network
from chainrule.common.checks import DataError
from chainrule.datasets import octave
from chainrule.datasets.encoding import Encoder, Scaling
from chainrule.datasets.tables import load, load_like, split


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a csv, or arrays as an npz, and gives its path."""

    def to(name, content=None, **arrays):
        path = tmp_path / name
        if arrays:
            np.savez(path, **arrays)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to


def refused(message, function, *arguments, **options):
    """Call, and check that it is refused with exactly this one line."""
    with pytest.raises(DataError) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)
    assert re.sub(r"\S*/", "", str(caught.value)) == message


ROWS = "a,b,kind\n1,2.5,x\n2,0.5,y\n4,1.5,x\n3,1,y\n"


def test_a_csv_becomes_inputs_and_classes(write):
    path = write("t.csv", ROWS)
    data = load(path)
    np.testing.assert_array_equal(data.X, [[1, 2.5], [2, 0.5], [4, 1.5], [3, 1]])
    np.testing.assert_array_equal(data.Y, [0, 1, 0, 1])
    assert (data.feature_names, data.classes, data.target) == (("a", "b"), ("x", "y"), "kind")
    assert data.image_shape is None
    assert data.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert data.notes == ["target 'kind' (the last column): 4 texts, 2 distinct: classes x, y"]


@pytest.mark.parametrize(
    ("target", "name"), [("a", "a"), ("1", "a"), ("-1", "kind"), ("-3", "a"), (None, "kind")]
)
def test_the_target_is_named_or_counted(write, target, name):
    assert load(write("t.csv", ROWS), target).target == name


def test_a_column_called_label_is_the_target(write):
    data = load(write("t.csv", "Label,a\n0,1.5\n1,2\n0,3\n1,5\n"))
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


def test_the_kind_can_be_said(write):
    path = write("t.csv", "a,b\n1,0\n2,3\n4,3\n5,0\n")
    assert load(path).classes == (0, 3)
    numbers = load(path, kind="numbers")
    assert numbers.classes is None
    np.testing.assert_array_equal(numbers.Y, [0, 3, 3, 0])
    assert load(write("u.csv", "a,b\n1,1\n2,4\n3,9\n"), kind="classes").classes == (1, 4, 9)


def test_text_becomes_one_hot_and_is_read_the_same_way_later(write):
    data = load(write("t.csv", "size,price\ns,1.5\nm,2\nm,3.5\n12,9\n"))
    assert data.feature_names == ("size=12", "size=m", "size=s")
    np.testing.assert_array_equal(data.X, [[0, 0, 1], [0, 1, 0], [0, 1, 0], [1, 0, 0]])
    later = load_like(write("u.csv", "size\n12\n13\n13\n"), data.encoder)
    np.testing.assert_array_equal(later.X, [[1, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert later.Y is None
    assert later.notes == [
        "column 'size': 2 values not seen in training, '13' in data row 2 first: all zeros"
    ]


def test_missing_values_are_filled_only_when_asked(write):
    path = write("t.csv", "a,size,price\n1,s,1.5\n,m,2\nNA,m,3.5\n4,?,9\n")
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
    later = load_like(write("u.csv", "a,size\n,\n"), data.encoder)
    np.testing.assert_array_equal(later.X, [[2.5, 0, 0]])  # the mean of training


def test_other_ways_to_write_a_csv(write, monkeypatch):
    expected = load(write("t.csv", ROWS)).X
    for content in (
        "\ufeff" + ROWS,
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        ROWS.replace("\n", "\r\n"),
        ROWS.replace(",", " , "),
        ROWS.rstrip(),
        ROWS.replace("x", '"x"'),
    ):
        np.testing.assert_array_equal(load(write("u.csv", content)).X, expected)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ROWS.encode())))
    data = load("-")
    np.testing.assert_array_equal(data.X, expected)
    assert data.source == "<standard input>"


def test_a_csv_without_header_is_noticed(write):
    data = load(write("t.csv", "1,2,0.5\n3,5,1.5\n"))
    np.testing.assert_array_equal(data.X, [[1, 2], [3, 5]])
    assert data.feature_names == ("x1", "x2")
    assert data.notes[0] == "the first line is all numbers: taken as data, not as a header"


def test_parquet_reads_as_csv_does(write, tmp_path):
    expected = load(write("t.csv", ROWS))
    frame = pl.read_csv(io.BytesIO(ROWS.encode())).with_columns(pl.col("kind").cast(pl.Categorical))
    frame.write_parquet(tmp_path / "t.parquet")
    data = load(tmp_path / "t.parquet")
    np.testing.assert_array_equal(data.X, expected.X)
    np.testing.assert_array_equal(data.Y, expected.Y)
    dated = frame.with_columns(pl.lit("2020-01-01").str.to_date().alias("day"))
    dated.write_parquet(tmp_path / "d.parquet")
    refused(
        "d.parquet: column 'day' holds Date: turn it into numbers or text, or drop it",
        load, tmp_path / "d.parquet", "kind",
    )  # fmt: skip
    assert load(tmp_path / "d.parquet", "kind", drop=["day"]).feature_names == ("a", "b")


NINES = "".join(f"{i * i},{i % 2}\n" for i in range(9))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.csv: the file is empty"),
        ("\n", "t.csv: the file is empty"),
        ("a,b\n", "t.csv: there is a header, but no data row"),
        (b"a,b\n\xff\xfe,1\n", "t.csv: not text in UTF-8: save it as csv in UTF-8"),
        (b"\xff\xfea,b\n1,2\n", "t.csv: not text in UTF-8: save it as csv in UTF-8"),
        (
            "a,b\n1,2\n3,4,5\n",
            "t.csv: line 3 has 3 fields where the first line has 2: correct that line",
        ),
        (
            "a,b,c\n1,2,3\n4,5\n6,7,8\n",
            "t.csv: line 3 has 2 fields where the first line has 3: correct that line",
        ),
        ("a,a,b\n1,2,3\n", "t.csv: two columns are called 'a': rename one"),
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
def test_bad_tables_are_refused_by_name(write, content, message):
    refused(message, load, write("t.csv", content))


def test_bad_arguments_are_refused_by_name(write, tmp_path):
    path = write("t.csv", ROWS)
    refused("t.csv: there is no target column 'knd': did you mean 'kind'?", load, path, "knd")
    refused("t.csv: there is no target column '4': there is a, b, kind", load, path, "4")
    refused("t.csv: there is no target column '0': there is a, b, kind", load, path, "0")
    refused("t.csv: there is no column 'bb' to drop: did you mean 'b'?", load, path, drop=["bb"])
    refused("t.csv: target 'kind' has 'x' in data row 1: not a number", load, path, kind="numbers")
    refused(
        "t.csv: target 'b' has 2.5 in data row 1: classes are whole numbers or text",
        load, path, "b", kind="classes",
    )  # fmt: skip
    refused("missing must be 'mean' or absent, got 'median'", load, path, missing="median")
    refused("absent.csv: there is no such file", load, tmp_path / "absent.csv")
    refused("digit: there is no such file; did you mean 'digits'?", load, "digit")
    refused(
        "t.doc: a file's name must end in .csv, .tsv, .parquet, .npz, .mat; for csv of another "
        "name use standard input",
        load, write("t.doc", ROWS),
    )  # fmt: skip
    (tmp_path / "folder.csv").mkdir()
    refused("folder.csv: cannot be read (is a directory)", load, tmp_path / "folder.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,kind\n1,x\n", "u.csv: column 'b' is missing; training had the columns a, b"),
        ("a,b,c\n1,2,3\n", "u.csv: column 'c' was not there in training: remove or drop it"),
        (
            "a,b\n1,2\n3,many\n",
            "u.csv: column 'b' has 'many' in data row 2, where training had numbers: correct it",
        ),
        (
            "a,b,kind\n1,2,x\n3,4,z\n",
            "u.csv: column 'kind' has 'z' in data row 2, which is none of the classes x, y",
        ),
        (
            "a,b\n1,2\n,4\n",
            "u.csv: column 'a' has 1 missing value, in data row 2 first: fill them in, choose "
            "missing=mean, or drop the column",
        ),
        ("a,b\n1,-inf\n", "u.csv: column 'b' has -inf in data row 1: only finite numbers can be "
         "used"),
    ],
)  # fmt: skip
def test_a_later_table_that_differs_is_refused_by_name(write, content, message):
    encoder = load(write("t.csv", ROWS)).encoder
    refused(message, load_like, write("u.csv", content), encoder)


def test_a_later_table_may_order_drop_and_add(write):
    data = load(write("t.csv", ROWS), drop=["b"])
    later = load_like(write("u.csv", "kind,b,a,c\ny,1,7,1\n"), data.encoder, drop=["c"])
    np.testing.assert_array_equal(later.X, [[7]])
    np.testing.assert_array_equal(later.Y, [1])
    empty = load_like(write("v.csv", "a,kind\n7,\n8,\n"), data.encoder)
    assert empty.Y is None  # a target column with nothing in it is none


def test_text_where_a_regression_learnt_numbers_is_refused(write):
    encoder = load(write("t.csv", "a,b\n1,0.5\n2,1.5\n3,7\n")).encoder
    refused(
        "u.csv: target 'b' has 'x' in data row 2, where training had numbers",
        load_like, write("u.csv", "a,b\n1,2\n2,x\n"), encoder,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"A": np.ones((2, 2))}, "t.npz: needs an array X (or X_train); it has A"),
        (
            {"X": np.ones((3, 2)), "y": np.arange(4)},
            "t.npz: X has 3 rows and y has 4: they must be as many",
        ),
        (
            {"X": np.ones(3), "y": np.arange(3)},
            "t.npz: X must be numbers of shape (m, n) or (m, height, width); it is float64 of "
            "shape (3,)",
        ),
        ({"X": np.ones((3, 2)), "Y": np.ones(3)},
         "t.npz: there is no target 'y': did you mean 'Y'?"),
        ({"X": np.array([[1.0], [np.nan], [3.0], [1]]), "y": np.array([0, 1, 0, 1])},
         "t.npz: column 'x1' has 1 missing value, in data row 2 first: fill them in, choose "
         "missing=mean, or drop the column"),
        ({"X": np.ones((3, 2)), "y": np.array([None, 1, 2])},
         "t.npz: not an npz file that can be read (Object arrays cannot be loaded when "
         "allow_pickle=False)"),
        ({"X": np.ones((300, 2)), "y": np.arange(300) % 150},
         None),
    ],
)  # fmt: skip
def test_bad_arrays_are_refused_by_name(write, arrays, message):
    path = write("t.npz", **arrays)
    if message is None:
        message = (
            "t.npz: target 'y' has 150 classes in 300 rows, more than can be told apart (at most "
            "100): treat it as numbers"
        )
        refused(message, load, path, kind="classes")
    else:
        refused(message, load, path)


def test_damaged_files_are_refused(write, tmp_path):
    np.savez(tmp_path / "t.npz", X=np.ones((9, 3)), y=np.arange(9) % 2)
    octave.write(tmp_path / "t.mat", X=np.ones((9, 3)), y=np.arange(9) % 2)
    pl.DataFrame({"a": [1.0, 2], "b": ["x", "y"]}).write_parquet(tmp_path / "t.parquet")
    rng = np.random.default_rng(0)
    messages = []
    for file in ("t.npz", "t.mat", "t.parquet"):
        content = (tmp_path / file).read_bytes()
        for _ in range(60):
            damaged = bytearray(content[: rng.integers(1, len(content) + 1)])
            damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
            (tmp_path / f"d{file}").write_bytes(damaged)
            try:
                load(tmp_path / f"d{file}")
            except DataError as error:
                messages.append(str(error))
    assert len(messages) > 100
    assert all(re.search(r"/dt\.\w+: ", message) and "\n" not in message for message in messages)


def test_images_are_told_from_tables():
    rng = np.random.default_rng(0)

    def read(X):
        file = io.BytesIO()
        np.savez(file, X=X, y=np.arange(len(X)) % 2)
        return file.getvalue()

    def shape(X, tmp="t.npz"):
        from chainrule.datasets import formats, meaning

        table = formats._read_npz(tmp, read(X), None)
        matrix = np.column_stack(list(table.table.values()))
        return meaning._image(matrix, table)[0]

    digits = load("digits").X
    assert shape(digits) == (8, 8)
    assert shape(digits[:, rng.permutation(64)]) is None  # the same columns, in no order
    assert shape(rng.normal(size=(500, 64))) is None
    assert shape(rng.normal(size=(500, 100)).cumsum(axis=1)) is None  # a series
    assert shape(rng.normal(size=(500, 5)) @ rng.normal(size=(5, 64))) is None  # related columns
    waves = np.sin(np.arange(100) * 0.628 + rng.uniform(0, 6, (500, 1)))
    assert shape(waves) is None  # a series with the period of a row
    assert shape(digits * 10 ** rng.uniform(0, 4, 64)) is None  # not equally scaled


def test_split_takes_of_each_class_its_share_and_never_the_last():
    data = load("digits")
    training, test = split(data, 0.25, seed=3)
    assert len(training) + len(test) == len(data)
    assert len(test) == round(0.25 * len(data))
    share = np.bincount(test.Y) / np.bincount(data.Y)
    assert abs(share - 0.25).max() < 2 / 174
    rows = {row.tobytes() for row in data.X}
    assert len(rows) == len(data)  # so the two parts can be told apart
    assert {row.tobytes() for part in (training, test) for row in part.X} == rows
    np.testing.assert_array_equal(split(data, 0.25, seed=3)[1].X, test.X)
    assert not np.array_equal(split(data, 0.25, seed=4)[1].X, test.X)
    assert split(data, 0)[1] is None
    with pytest.raises(ValueError, match="test_size must be at least 0 and less than 1, got 1"):
        split(data, 1)
    few = load(io.BytesIO(b"a,b\n1,x\n2,y\n3,y\n4,y\n5,y\n6,z\n"))
    for seed in range(20):
        training, test = split(few, 0.6, seed)
        assert set(training.Y) == {0, 1, 2}
        assert len(test) == 3  # one row of each of three classes stays


def test_split_gives_the_files_own_test_set(write):
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])
    data = load(write("t.npz", X_train=X, y_train=y, X_test=X[:2], y_test=y[:2]))
    training, test = split(data)
    assert (len(training), len(test), test.classes) == (6, 2, (0, 1))
    training, test = split(data, 0.5)
    assert (len(training), len(test)) == (3, 3)


def test_an_encoder_survives_json(write):
    data = load(write("t.csv", "a,size,price\n1,s,1.5\n,m,2\n4,m,9\n"), missing="mean")
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


def test_the_courses_digits(data):
    digits = load(data("course/ex4data1.mat"))
    assert digits.X.shape == (5000, 400)
    assert digits.classes == octave.DIGITS
    assert digits.image_shape == (20, 20)
    assert digits.encoder.column_major
    assert digits.encoder.divisor == 1
    np.testing.assert_array_equal(np.bincount(digits.Y), 500)
    assert digits.classes[digits.Y[0]] == 0  # the file starts with its class 10
    # Upright, a one is higher than wide: its ink spreads more down than across
    ones = digits.encoder.images(digits.X[digits.Y == 0]).clip(0).sum(axis=0)
    down, across = ones.sum(axis=1), ones.sum(axis=0)
    places = np.arange(20)
    assert np.cov(places, aweights=down) > 2 * np.cov(places, aweights=across)
    assert Network.for_data(digits.X, digits.Y).layers == (400, 25, 10)


def test_the_courses_water_level(data):
    water = load(data("course/ex5data1.mat"))
    assert (water.X.shape, water.Y.shape, water.classes) == ((12, 1), (12,), None)
    training, test = split(water)
    assert (len(training), len(test)) == (12, 21)


def test_mnist(data):
    mnist = load(data("mnist.npz"))
    assert (mnist.X.shape, mnist.X.dtype, mnist.X.max()) == ((60000, 784), np.float32, 1)
    assert mnist.image_shape == (28, 28)
    assert split(mnist)[1].X.shape == (10000, 784)


@pytest.mark.parametrize(
    ("name", "shape", "K"),
    [("letter", (20000, 16), 26), ("magic", (19020, 10), 2), ("diamonds", (53940, 9), None),
     ("kc_house", (21613, 17), None)],
)  # fmt: skip
def test_tables_are_no_images(data, name, shape, K):
    table = load(data(f"tables/{name}.npz"))
    assert table.X.shape == shape
    assert (table.classes and len(table.classes)) == K
    assert table.image_shape is None
    assert table.encoder.divisor == 1

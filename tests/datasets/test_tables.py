"""Tables to train on, later ones read the same way, and rows set aside."""

import hashlib
import io
import json

import numpy as np
import pytest
from tables import refused, write

from chainrule import Network
from chainrule.common.checks import DataError
from chainrule.datasets import octave
from chainrule.datasets.dataset import Dataset
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.tables import load, load_like, rows_aside, split

ROWS = "a,b,kind\n1,2.5,x\n2,0.5,y\n4,1.5,x\n3,1,y\n"


def test_a_csv_becomes_inputs_and_classes(tmp_path):
    path = write(tmp_path, "t.csv", ROWS)
    data = load(path)
    np.testing.assert_array_equal(data.X, [[1, 2.5], [2, 0.5], [4, 1.5], [3, 1]])
    np.testing.assert_array_equal(data.Y, [0, 1, 0, 1])
    assert (data.feature_names, data.classes, data.target) == (("a", "b"), ("x", "y"), "kind")
    assert data.image_shape is None
    assert data.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert data.notes == ["target 'kind' (the last column): 4 texts, 2 distinct: classes x, y"]


def test_bad_arguments_are_refused_by_name(tmp_path):
    path = write(tmp_path, "t.csv", ROWS)
    refused("t.csv: there is no target column 'knd': did you mean 'kind'?", load, path, "knd")
    refused("t.csv: there is no target column '4': there is a, b, kind", load, path, "4")
    refused("t.csv: there is no target column '0': there is a, b, kind", load, path, "0")
    refused("t.csv: there is no column 'bb' to drop: did you mean 'b'?", load, path, drop=["bb"])
    refused("t.csv: target 'kind' has 'x' in data row 1: not a number", load, path, kind="numbers")
    refused(
        "t.csv: target 'b' has 4 different numbers in 4 rows, too many for classes: kind='numbers'",
        load, path, "b", kind="classes",
    )  # fmt: skip
    refused(
        "missing must be 'mean', 'drop' or 'category', got 'median'", load, path, missing="median"
    )
    refused("absent.csv: there is no such file", load, tmp_path / "absent.csv")
    refused("digit: there is no such file; did you mean 'digits'?", load, "digit")
    np.testing.assert_array_equal(load(write(tmp_path, "t.doc", ROWS)).X, load(path).X)
    (tmp_path / "folder.csv").mkdir()
    refused("folder.csv: it is a folder: name a file in it", load, tmp_path / "folder.csv")
    with pytest.raises(DataError, match=r"nothing is fetched from an address: download it"):
        load("https://example.org/iris.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,kind\n1,x\n", "u.csv: column 'b' is missing; training had the columns a, b"),
        ("a,b,c\n1,2,3\n", "u.csv: column 'c' was not there in training: drop='c'"),
        (
            "a,b\n1,2\n3,many\n",
            "u.csv: column 'b' has 'many' in data row 2, where training had numbers or dates: "
            "correct it",
        ),
        (
            "a,b,kind\n1,2,x\n3,4,z\n",
            "u.csv: column 'kind' has 'z' in data row 2, which is none of the classes x, y",
        ),
        (
            "a,b\n1,2\n,4\n",
            "u.csv: column 'a' has 1 missing value, in data row 2 first, and training had none: "
            "fill them in, or train with missing='mean'",
        ),
        ("a,b\n1,-inf\n", "u.csv: column 'b' has -inf in data row 1: only finite numbers can be "
         "used"),
    ],
)  # fmt: skip
def test_a_later_table_that_differs_is_refused_by_name(tmp_path, content, message):
    encoder = load(write(tmp_path, "t.csv", ROWS)).encoder
    refused(message, load_like, write(tmp_path, "u.csv", content), encoder)


def test_a_later_table_may_order_drop_and_add(tmp_path):
    data = load(write(tmp_path, "t.csv", ROWS), drop=["b"])
    later = load_like(write(tmp_path, "u.csv", "kind,b,a,c\ny,1,7,1\n"), data.encoder, drop=["c"])
    np.testing.assert_array_equal(later.X, [[7]])
    np.testing.assert_array_equal(later.Y, [1])
    empty = load_like(write(tmp_path, "v.csv", "a,kind\n7,\n8,\n"), data.encoder)
    assert empty.Y is None  # a target column with nothing in it is none


def test_text_where_a_regression_learnt_numbers_is_refused(tmp_path):
    encoder = load(write(tmp_path, "t.csv", "a,b\n1,0.5\n2,1.5\n3,7\n")).encoder
    refused(
        "u.csv: column 'b' has 'x' in data row 2, where training had numbers or dates: correct it",
        load_like, write(tmp_path, "u.csv", "a,b\n1,2\n2,x\n"), encoder,
    )  # fmt: skip


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


def test_split_gives_the_files_own_test_set(tmp_path):
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])
    data = load(write(tmp_path, "t.npz", X_train=X, y_train=y, X_test=X[:2], y_test=y[:2]))
    training, test = split(data)
    assert (len(training), len(test), test.classes) == (6, 2, (0, 1))
    training, test = split(data, 0.5)
    assert (len(training), len(test)) == (3, 3)


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


def test_a_later_file_is_read_as_the_training_file_was(tmp_path):
    rows = "5.1,3.5,low\n4.9,3,high\n6.2,2.9,low\n5,3.1,high\n"
    data = load(write(tmp_path, "t.csv", rows), header=False)
    assert (data.feature_names, data.target, len(data)) == (("x1", "x2"), "x3", 4)
    encoder = Encoder.from_json(json.loads(json.dumps(data.encoder.to_json())))
    for later in (rows, "5.1,3.5\n4.9,3\n6.2,2.9\n5,3.1\n"):  # with and without the target
        np.testing.assert_array_equal(load_like(io.BytesIO(later.encode()), encoder).X, data.X)
    first = load(write(tmp_path, "t.csv", rows), "1", header=False)  # the target stands first
    later = load_like(io.BytesIO(b"3.5,low\n3,high\n"), first.encoder)
    np.testing.assert_array_equal(later.X, [[3.5, 1], [3, 0]])
    headed = load(write(tmp_path, "t.csv", "1,2\n0.5,1.5\n7,2.5\n"), header=True)
    assert (headed.feature_names, headed.target, len(headed)) == (("1",), "2", 2)
    np.testing.assert_array_equal(load_like(io.BytesIO(b"1\n5\n"), headed.encoder).X, [[5]])


def test_an_encoding_is_named_once(tmp_path):
    table = "größe,y\n1,ja\n2,nein\n4,ja\n3,nein\n"
    data = load(write(tmp_path, "t.csv", table.encode("utf-16-le")), encoding="utf-16-le")
    assert data.feature_names == ("größe",)
    later = load_like(io.BytesIO("größe\n7\n".encode("utf-16-le")), data.encoder)
    np.testing.assert_array_equal(later.X, [[7]])
    refused("there is no encoding 'latn': try latin-1, cp1252 or utf-16",
            load, tmp_path / "t.csv", encoding="latn")  # fmt: skip


LONG = [2**53 + k for k in range(3)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_whole_numbers_that_float64_cannot_tell_apart_stay_apart(tmp_path, ending):
    import polars as pl

    labels = np.array(LONG)[np.arange(30) % 3]
    frame = pl.DataFrame({"x": np.arange(30.0) % 7, "label": labels})
    path = tmp_path / f"long.{ending}"
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    data = load(path)
    assert [str(label) for label in data.classes] == [str(label) for label in LONG]
    assert (np.arange(30) % 3 == data.Y).all()


def test_the_line_that_mends_other_faults_names_another_target_than_the_one_guessed():
    ages = ["" if i == 5 else i for i in range(40)]
    rows = "".join(f"{i / 7},{i % 3},{i * i},{age},car {i}\n" for i, age in enumerate(ages))
    content = ("size,doors,price,age,name\n" + rows).encode()
    with pytest.raises(DataError) as caught:
        load(io.BytesIO(content))
    assert caught.value.options == {"target": "age", "drop": ["name"], "missing": "mean"}
    assert load(io.BytesIO(content), **caught.value.options).target == "age"
    with pytest.raises(DataError) as caught:  # a target that somebody named stays
        load(io.BytesIO(content), "name")
    assert caught.value.options == {"missing": "mean"}


@pytest.mark.parametrize(
    "dates",
    [("2023-10-05", "2023-11-25"), ("10/5/2023", "11/25/2023"), ("5-Oct-2023", "25-Nov-2023")],
)
def test_a_later_file_may_write_its_dates_otherwise(dates):
    days = [f"{1 + i % 28:02}.{1 + i % 12:02}.2023,{i}\n" for i in range(40)]
    data = load(io.BytesIO(("day,sold\n" + "".join(days)).encode()), "sold")
    as_there, otherwise = (
        load_like(io.BytesIO(f"day\n{first}\n{second}\n".encode()), data.encoder).X
        for first, second in [("05.10.2023", "25.11.2023"), dates]
    )
    np.testing.assert_array_equal(otherwise, as_there)


@pytest.mark.parametrize("K", [2, 7, 300])
def test_rows_are_set_aside_class_by_class_in_one_random_order(K):
    """As written down with whole arrays of int64, which take three times the memory."""
    rng = np.random.default_rng(K)
    codes = rng.integers(0, K, 900)
    codes[:K] = np.arange(K)
    encoder = Encoder((), "kind", tuple(range(K)))
    data = Dataset(np.zeros((900, 1)), codes, encoder, "t.csv", "")
    order = np.random.default_rng(5).permutation(900)
    order = order[np.argsort(codes[order], kind="stable")]
    firsts = order[np.unique(codes[order], return_index=True)[1]]
    choice = order[~np.isin(order, firsts)]
    n = min(180, len(choice))
    expected = choice[((np.arange(n) + 0.5) * (len(choice) / n)).astype(np.intp)]
    assert sorted(expected) == np.flatnonzero(rows_aside(data, 0.2, 5)).tolist()

"""What an encoder makes of blocks of rows is what it makes of the whole table."""

import datetime
import pickle

import numpy as np
import polars as pl
import pytest
from one_table import table

from chainrule import blocks
from chainrule.common.checks import DataError
from chainrule.datasets import load
from chainrule.engine.readers import Encoded, text

M = 300


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(text, "PIECE", 2000)


def mixed(gaps=False):
    """Return a frame with a column of each kind that becomes inputs."""
    rng = np.random.default_rng(2)
    word = [["red", "blue", None if gaps else "green"][i % 3] for i in range(M)]
    day = [datetime.date(2020, 1 + i % 12, 1 + i % 28) for i in range(M)]
    size = rng.standard_normal(M).tolist()
    if gaps:
        size[5] = size[250] = None
    return pl.DataFrame(
        {
            "size": size,
            "colour": word,
            "day": day,
            "sold": [i % 2 == 0 for i in range(M)],
            "count": rng.integers(0, 50, M),
            "price": rng.standard_normal(M),
        }
    )


def equal(source, data):
    assert (source.m, source.n, source.names) == (*data.X.shape, data.feature_names)
    for first in range(0, source.m, 41):
        last = min(first + 41, source.m)
        X, y, _ = source.read(first, last)
        assert X.tobytes() == data.X[first:last].tobytes()
        assert y.tobytes() == data.Y[first:last].tobytes()


@pytest.mark.parametrize("kind", ["parquet", "ipc", "csv"])
@pytest.mark.parametrize("missing", [None, "mean", "category"])
def test_text_dates_truth_and_gaps_become_what_load_makes_of_them(tmp_path, kind, missing):
    frame = mixed(gaps=missing is not None)
    for k, (first, last) in enumerate(((0, 100), (100, 101), (101, M))):
        getattr(frame[first:last], f"write_{kind}")(tmp_path / f"part-{k}.{kind}")
    whole = tmp_path / "whole"
    getattr(frame, f"write_{kind}")(whole)
    data = load(whole, "price", missing=missing)
    source = blocks(f"{tmp_path}/part-*", encoder=data.encoder)
    equal(source, data)
    equal(pickle.loads(pickle.dumps(source)), data)


@pytest.mark.parametrize("target", ["sold", "colour", "price,count"])
def test_targets_of_any_kind(tmp_path, target):
    path = tmp_path / "t.parquet"
    mixed().write_parquet(path)
    data = load(path, target)
    source = blocks(path, encoder=data.encoder)
    assert (source.classes, source.K) == (data.classes, 1 if data.Y.ndim == 1 else 2)
    equal(source, data)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("drop", ["count", []])
def test_weights_stand_beside_what_an_encoder_makes(tmp_path, kind, drop):
    frame, path = mixed(), tmp_path / f"t.{kind}"
    getattr(frame, f"write_{kind}")(path)
    data = load(path, "price", drop=drop)
    source = blocks(path, weights="count", encoder=data.encoder)
    equal(source, data)
    assert source.weighted
    weights = pickle.loads(pickle.dumps(source)).read(7, 50)[2]
    assert weights.tolist() == frame["count"][7:50].to_list()


def test_weights_that_were_no_column_in_training(tmp_path):
    path, known = tmp_path / "t.parquet", tmp_path / "known.parquet"
    mixed().write_parquet(path)
    mixed().drop("count").write_parquet(known)
    data = load(known, "price")
    equal(blocks(path, weights="count", encoder=data.encoder), data)


def test_weights_of_an_array_stand_beside_what_an_encoder_makes(tmp_path):
    X, y, w = np.eye(6), np.arange(6) % 2, np.arange(6.0)
    np.savez(tmp_path / "t.npz", X=X, y=y, w=w)
    np.savez(tmp_path / "known.npz", X=X, y=y)
    encoder = load(tmp_path / "known.npz").encoder
    source = blocks(tmp_path / "t.npz", weights="w", encoder=encoder)
    assert source.read(2, 5)[2].tolist() == [2, 3, 4]


def test_what_an_encoder_decides_is_not_asked_for_otherwise(tmp_path):
    path = tmp_path / "t.parquet"
    mixed().write_parquet(path)
    encoder = load(path, "price").encoder
    assert blocks(path, "price", encoder=encoder).m == M
    with pytest.raises(DataError, match="encoder's target is price, and target names count: leave"):
        blocks(path, "count", encoder=encoder)
    with pytest.raises(DataError, match="leave columns out"):
        blocks(path, columns=["size"], encoder=encoder)


def test_pictures_are_divided_by_their_full_pixel(tmp_path):
    rng = np.random.default_rng(4)
    X = rng.integers(0, 256, (60, 8, 8)).astype(np.uint8)
    np.savez_compressed(tmp_path / "t.npz", X=X, y=rng.integers(0, 2, 60))
    data = load(tmp_path / "t.npz")
    assert data.image_shape == (8, 8)
    equal(blocks(tmp_path / "t.npz", encoder=data.encoder), data)
    assert blocks(tmp_path / "t.npz").read(0, 9)[0].dtype == np.uint8


@pytest.mark.parametrize("described", ["columns", "words", "text"])
def test_arrays_that_say_what_their_columns_and_classes_are_called(tmp_path, described):
    X, y = table(90)
    more = {
        "columns": {"names": np.array(["a", "bb", "c", "d", "e"]), "y": y},
        "words": {"names": np.array(["kind:red,blue,green"]), "y": y},
        "text": {"y": np.array(["red", "blue", "green"])[y]},
    }[described]
    np.savez(tmp_path / "t.npz", X=X, **more)
    data = load(tmp_path / "t.npz")
    equal(blocks(tmp_path / "t.npz", encoder=data.encoder), data)
    plain = blocks(tmp_path / "t.npz")
    assert plain.names == (("a", "bb", "c", "d", "e") if described == "columns" else ())
    classes = {"words": ("red", "blue", "green"), "text": ("blue", "green", "red")}.get(described)
    assert plain.classes == classes  # in the order of the codes that the file has, or of the words
    labels = [int(code) if classes is None else classes[code] for code in plain.read(0, 9)[1]]
    assert labels == [data.classes[code] for code in data.Y[:9]]


def test_row_names_of_pandas_are_left_out_as_load_leaves_them_out(tmp_path):
    pytest.importorskip("pyarrow")
    X, y = table(40)
    index = {"named": np.arange(40) + 7, None: np.arange(40)[::-1]}
    for name, values in index.items():
        frame = pl.DataFrame(X, schema=list("abcde")).to_pandas().assign(target=y)
        frame.index = values
        frame.index.name = name
        frame.to_parquet(tmp_path / "t.parquet")
        assert blocks(tmp_path / "t.parquet").names == load(tmp_path / "t.parquet").feature_names


def test_a_row_that_load_would_leave_out_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    mixed(gaps=True).write_parquet(path)
    data = load(path, "price", missing="drop", drop="colour")
    source = blocks(path, encoder=data.encoder)
    source.read(0, 5)
    with pytest.raises(DataError, match=r"row with missing values, data row 251 first: left out"):
        source.read(240, 260)


def test_a_word_that_training_had_not_is_named_with_its_row(tmp_path):
    mixed().write_parquet(tmp_path / "t.parquet")
    data = load(tmp_path / "t.parquet", "colour")
    mixed().with_columns(colour=pl.lit("pink")).write_parquet(tmp_path / "u.parquet")
    source = blocks(tmp_path / "u.parquet", encoder=data.encoder)
    with pytest.raises(DataError, match=r"'pink' in data row 33, which is none of the classes"):
        source.read(32, 40)


def test_an_array_is_not_encoded():
    encoder = load("xor").encoder
    with pytest.raises(DataError, match="encoder is for tables in files"):
        blocks(np.zeros((3, 2)), np.zeros(3), encoder=encoder)


def test_the_state_tells_encoders_apart(tmp_path):
    path = tmp_path / "t.parquet"
    mixed(gaps=True).write_parquet(path)
    encoders = [load(path, "price", missing=missing).encoder for missing in ("mean", "category")]
    one, other = (Encoded(blocks(path), encoder) for encoder in encoders)
    assert one.state() == Encoded(blocks(path), encoders[0]).state() != other.state()

"""A network's answers to a table of any size are those to the array."""

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_array

from chainrule import Network, predict, random_theta
from chainrule.common.checks import DataError
from chainrule.engine import blocks
from chainrule.engine.answers import write
from chainrule.engine.blocks import Arrays, Npy
from chainrule.engine.predicting import answers


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(blocks, "LEAST", 8)
    monkeypatch.setattr(blocks, "BYTES", 100)


X = np.random.default_rng(0).integers(0, 9, (45, 3))
NETWORK = Network((3, 4, 2), output="softmax")
THETA = random_theta(NETWORK, 0)


@pytest.mark.parametrize("given", [X, X.astype(np.uint8), np.asfortranarray(X)])
def test_blocks_have_the_answers_of_the_array(given):
    parts = list(answers(NETWORK, THETA, Arrays(given)))
    assert [len(h) for h in parts] == [8, 8, 8, 8, 8, 5]
    assert np.array_equal(np.vstack(parts), predict(NETWORK, THETA, X))
    assert np.array_equal(predict(NETWORK, THETA, Arrays(given)), predict(NETWORK, THETA, X))


def test_sparse_rows_have_the_answers_of_dense_ones():
    h = predict(NETWORK, THETA, Arrays(csr_array(X)))
    np.testing.assert_allclose(h, predict(NETWORK, THETA, X), rtol=1e-14)


def test_a_file_of_answers_is_as_it_would_be_from_memory(tmp_path):
    np.save(tmp_path / "X.npy", X)
    wanted = predict(NETWORK, THETA, X)
    for name in ("h.npy", "h.parquet"):
        write(tmp_path / name, answers(NETWORK, THETA, Npy(tmp_path / "X.npy")), len(X), ["a", "b"])
    assert np.array_equal(np.load(tmp_path / "h.npy"), wanted)
    frame = pl.read_parquet(tmp_path / "h.parquet")
    assert frame.columns == ["a", "b"]
    assert np.array_equal(frame.to_numpy(), wanted)
    write(tmp_path / "h.parquet", iter([wanted]), len(X))
    assert pl.read_parquet(tmp_path / "h.parquet").columns == ["h1", "h2"]


@pytest.mark.parametrize("name", ["h.npy", "h.parquet"])
def test_a_file_that_cannot_be_made_whole_is_not_there(tmp_path, name):
    bad = X.astype(float)
    bad[44, 0] = np.nan
    (tmp_path / name).write_text("as it was")
    with pytest.raises(Exception, match="nan"):
        write(tmp_path / name, answers(NETWORK, THETA, Arrays(bad)), len(X))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "as it was"


def test_another_ending_and_a_folder_that_is_not_there_are_said(tmp_path):
    parts = [np.zeros((1, 1))]
    with pytest.raises(DataError, match=r"are written as \.npy or \.parquet"):
        write(tmp_path / "h.txt", parts, 1)
    with pytest.raises(DataError, match="cannot be written"):
        write(tmp_path / "none" / "h.npy", parts, 1)


@pytest.mark.parametrize("name", ["h.npy", "h.parquet"])
def test_parts_that_are_not_the_rows_leave_no_file(tmp_path, name):
    with pytest.raises(ValueError, match=r"no row to write|have 0 rows together, and m is 3"):
        write(tmp_path / name, iter([]), 3)
    with pytest.raises(ValueError, match="have 2 rows together, and m is 3"):
        write(tmp_path / "h.npy", iter([np.zeros((2, 1))]), 3)
    assert not list(tmp_path.iterdir())

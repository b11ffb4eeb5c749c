"""Blocks hold the same rows, in what is computed with, whatever the source stores and where."""

import os
import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array

from chainrule import Network
from chainrule.common.checks import DataError
from chainrule.datasets.scaling import Scaling
from chainrule.engine import blocks
from chainrule.engine.blocks import Arrays, Blocks, Npy, Standardised, block_rows
from chainrule.engine.readers.views import Kept
from chainrule.estimators.sources import Codes, Learnt

SINGLE, DOUBLE = np.dtype("float32"), np.dtype("float64")


@pytest.mark.parametrize("n", [1, 28, 64, 784, 3000, 100_000])
@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
def test_a_block_is_a_power_of_two_and_as_large_as_8_megabytes_allow(n, dtype):
    rows = block_rows(n, 10, dtype)
    of_row = (n + 10) * dtype.itemsize
    assert rows & (rows - 1) == 0
    assert rows == 1024 or rows * of_row <= 2**23 < 2 * rows * of_row


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(blocks, "LEAST", 4)
    monkeypatch.setattr(blocks, "BYTES", 100)


def stored(kind):
    """Return whole numbers below 100 as a kind of array stores them."""
    X = np.random.default_rng(1).integers(0, 100, (11, 3))
    if kind == "fortran":
        return np.asfortranarray(X, np.float64)
    if kind == "sparse":
        return csr_array(X * (X < 5))
    if kind == "foreign":
        return X.astype(">f4")
    return X.astype(kind)


KINDS = ["int8", "uint8", "uint64", "bool", "float16", "float32", "float64", "foreign", "fortran"]


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
@pytest.mark.parametrize("kind", [*KINDS, "sparse"])
def test_what_is_stored_is_converted_in_the_block(small, kind, dtype):
    X = stored(kind)
    y, w = np.arange(11) % 3, np.linspace(0, 1, 11)
    cut = Blocks(Arrays(X, y, w), Network((3, 3), output="softmax"), dtype)
    parts = [block.load(check=True) for block in cut]
    assert [len(block) for block in cut] == [4, 4, 3]
    xs = [x.toarray() if kind == "sparse" and hasattr(x, "tocsr") else x for x, _, _ in parts]
    dense = X.toarray() if kind == "sparse" else X
    assert all(x.flags.c_contiguous and x.dtype == dtype for x in xs)
    assert np.array_equal(np.vstack(xs), dense.astype(dtype))
    assert np.array_equal(np.vstack([Y for _, Y, _ in parts]), np.eye(3)[y])
    assert np.array_equal(np.hstack([w for _, _, w in parts]), w.astype(dtype))


def test_rows_that_are_as_they_must_be_are_not_copied():
    X = np.zeros((8, 3), np.float32)
    (block,) = Blocks(Arrays(X, np.zeros(8)), Network((3, 1)), SINGLE)
    assert np.shares_memory(block.load()[0], X)
    out = np.ones((8, 3), np.float32)
    assert block.load(out=out)[0] is out
    assert not out.any()


def test_a_value_that_cannot_be_used_is_named_by_the_row_of_the_table(small):
    X, y = np.zeros((11, 3)), np.zeros(11)
    X[9, 1] = np.nan
    cut = Blocks(Arrays(X, y), Network((3, 1)), DOUBLE)
    with pytest.raises(ValueError, match="nan in row 9, column 1"):
        cut[2].load(check=True)
    X[9, 1], y[5] = 0, np.inf
    with pytest.raises(ValueError, match="inf in row 5"):
        cut[1].load()
    X[9, 1], y[5] = 1e39, 0
    with pytest.raises(ValueError, match="float32 ends at"):
        Blocks(Arrays(X, y), Network((3, 1)), SINGLE)[2].load(check=True)


def test_weights_of_a_block_may_all_be_0_and_unknown_targets_weigh_nothing(small):
    Y = np.ones((11, 2))
    Y[10, 1] = np.nan
    network = Network((3, 2), output="identity")
    cut = Blocks(Arrays(np.zeros((11, 3)), Y, np.r_[np.zeros(8), np.ones(3)]), network, DOUBLE)
    assert not cut[0].load()[2].any()
    assert cut[2].load()[2].tolist() == [[1, 1], [1, 1], [1, 0]]
    each = Blocks(cut.source, network, DOUBLE, by_output=True)
    assert each[0].load()[2].shape == (4, 2)


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 9, (11, 3)).astype(np.int8), rng.integers(0, 2, 11)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    return X, y, tmp_path / "X.npy", tmp_path / "y.npy"


def test_a_npy_file_has_the_rows_of_the_array_and_travels_as_its_path(small, files):
    X, y, *paths = files
    source = Npy(*paths)
    source.read(0, 3)
    text = pickle.dumps(source)
    assert len(text) < 1000
    for one in (source, pickle.loads(text)):
        for block in Blocks(one, Network((3, 1)), SINGLE):
            x, Y, w = block.load(check=True)
            rows = slice(block.first, block.last)
            assert np.array_equal(x, X[rows])
            assert np.array_equal(Y[:, 0], y[rows])
            assert w is None
    assert source.state() == pickle.loads(text).state()


def test_where_nothing_can_be_mapped_the_file_is_read(small, files, monkeypatch):
    X, y, *paths = files
    monkeypatch.setattr(np, "load", lambda *_, **__: (_ for _ in ()).throw(OSError(12, "memory")))
    x, t, _ = Npy(*paths).read(4, 9)
    assert np.array_equal(x, X[4:9])
    assert np.array_equal(t, y[4:9])


def test_a_file_that_was_changed_is_refused(files):
    X, _, path, _ = files
    source = Npy(path)
    np.save(path, X + 1)
    os.utime(path, ns=(1, 1))
    with pytest.raises(DataError, match="was changed"):
        source.read(0, 1)
    path.unlink()
    with pytest.raises(DataError, match="cannot be read any more"):
        source.read(0, 1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no array", "not a .npy file"),
        (np.zeros(3), "must have shape"),
        (np.zeros((0, 3)), "has no rows"),
        (np.array([["a"]]), "must hold numbers"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, content, why):
    path = tmp_path / "bad.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(DataError, match=why):
        Npy(path)


def test_a_file_that_is_cut_off_or_absent_or_of_another_length_is_said(files, tmp_path):
    _, _, path, y = files
    np.save(tmp_path / "long.npy", np.zeros(12))
    with pytest.raises(DataError, match="has 11 rows and y has shape"):
        Npy(path, tmp_path / "long.npy")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="cut off"):
        Npy(path, y)
    with pytest.raises(DataError, match="cannot be read"):
        Npy(tmp_path / "none.npy")


def test_arrays_are_known_by_their_values_and_wrong_lengths_are_said():
    X = np.arange(6.0).reshape(2, 3)
    assert Arrays(X).state() == Arrays(X.copy()).state() != Arrays(X + 1).state()
    assert Arrays(csr_array(X)).state() != Arrays(csr_array(X + 1)).state()
    with pytest.raises(ValueError, match="2 rows and y has 3"):
        Arrays(X, np.zeros(3))


def test_a_standardised_source_has_scaled_rows():
    X, y = np.array([[1.0, 2.0], [3.0, 6.0]]), np.array([5.0, 7.0])
    source = Arrays(X, y)
    scaled = Standardised(source, Scaling.fit(X), Scaling.fit(y))
    x, t, _ = scaled.read(0, 2)
    assert x.tolist() == [[-1, -1], [1, 1]]
    assert t.tolist() == [-1, 1]
    assert scaled.state() != source.state()


def test_what_is_made_of_a_source_tells_rows_by_its_names(monkeypatch):
    source, none = Arrays(np.zeros((2, 1)), np.zeros(2)), Codes(np.zeros(1), None)
    monkeypatch.setattr(source, "where", lambda row: f"a.csv, row {row + 1}")
    made = [Standardised(source), Kept(source, 0), Learnt(source, none, 1)]
    assert [each.where(1) for each in made] == ["a.csv, row 2"] * 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"(3, 2)", b"(3, (("),  # NumPy raises a tokenizer's error
        (b"(3, 2)", b"(-3,2)"),
        (b"(3, 2)", b"(3L, 2)"[:6]),
        (b"'<f8'", b"'<f\xff'"),
    ],
)
def test_an_altered_header_is_told_in_one_line(tmp_path, before, after):
    np.save(tmp_path / "X.npy", np.zeros((3, 2)))
    content = (tmp_path / "X.npy").read_bytes()
    assert before in content
    (tmp_path / "X.npy").write_bytes(content.replace(before, after))
    with pytest.raises(DataError, match=r"X\.npy: not a \.npy file that can be used") as refused:
        Npy(tmp_path / "X.npy")
    assert "\n" not in str(refused.value)


def test_a_source_says_what_it_holds():
    source = Arrays(np.zeros((3, 2)), np.zeros(3, int))
    assert repr(source) == "<Arrays: 3 rows, 2 columns>"
    source.classes = ("cat", "dog")
    assert repr(source) == "<Arrays: 3 rows, 2 columns, classes cat, dog>"

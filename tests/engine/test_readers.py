"""`chainrule.blocks` gives the same rows whatever a table is stored as, or says what to type."""

import gzip
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_table import NAMES, NEEDS, WRITERS, frame, table, write
from scipy.sparse import csr_array, save_npz

from chainrule import Network, blocks, train
from chainrule.common.checks import DataError
from chainrule.engine import blocks as core
from chainrule.engine.blocks import Blocks
from chainrule.engine.readers import door, frames, spans, stored, text

SINGLE = np.dtype("float32")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Cut text, and what is unpacked, into pieces of a few rows."""
    monkeypatch.setattr(text, "PIECE", 1500)
    monkeypatch.setattr(spans, "PIECE", 400)
    monkeypatch.setattr(spans, "APART", 900)
    monkeypatch.setattr(frames, "SPAN", 6 * 64)


def same(source, X, y, first, last):
    """Whether rows of a source are those of X and y, bit for bit, as they are computed with."""
    found, Y, weights = source.read(first, last)
    found = found.toarray() if hasattr(found, "toarray") else found
    known = (found.astype(np.float32).tobytes(), Y.tolist()) == (
        X[first:last].tobytes(), y[first:last].tolist()
    )  # fmt: skip
    return known and found.shape == X[first:last].shape and weights is None


def opened(folder, form, X, y, cuts=()):
    if form in NEEDS:
        pytest.importorskip(NEEDS[form])
    return blocks(write(folder, form, X, y, cuts))


def test_rows_of_a_large_parquet_group_are_decoded_once_for_many_blocks(tmp_path, monkeypatch):
    X, y = table(300)
    frame(X, y).write_parquet(tmp_path / "one.parquet", row_group_size=300)
    source, decoded, decode = blocks(tmp_path / "one.parquet"), [], frames.Scanned.frame
    monkeypatch.setattr(
        frames.Scanned,
        "frame",
        lambda self, first, last, columns: (
            decoded.append((first, last)) or decode(self, first, last, columns)
        ),
    )
    for first in range(0, 300, 8):
        assert same(source, X, y, first, min(first + 8, 300))
    assert decoded == [(a, min(a + 64, 300)) for a in range(0, 300, 64)]
    assert pickle.loads(pickle.dumps(source))._span is None
    decoded.clear()
    for first in (8, 240, 120, 16, 200):  # in no order: each pays for itself alone
        assert same(source, X, y, first, first + 8)
    assert decoded == [(8, 16), (240, 248), (120, 128), (16, 24), (200, 208)]


@pytest.mark.parametrize("form", WRITERS)
def test_the_rows_are_the_same_bit_for_bit_in_every_format_split_over_files(tmp_path, form):
    X, y = table(300)
    whole = opened(tmp_path / "one", form, X, y)
    split = opened(tmp_path / "four", form, X, y, (1, 64, 299))
    for source in (whole, split, pickle.loads(pickle.dumps(split))):
        assert (source.m, source.n, source.K) == (300, 5, 1)
        assert same(source, X, y, 0, 300)
        for first in range(0, 300, 32):
            assert same(source, X, y, first, min(first + 32, 300))
        assert same(source, X, y, 63, 65)
        assert same(source, X, y, 0, 1)  # and back


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_borders_of_files_groups_and_blocks_give_the_same_rows(tmp_path_factory, data):
    form = data.draw(st.sampled_from([form for form in WRITERS if form not in NEEDS]))
    m = data.draw(st.integers(2, 60))
    X, y = table(m, seed=m)
    cuts = data.draw(st.sets(st.integers(1, m - 1), max_size=4))
    rows = data.draw(st.integers(1, m + 1))
    source = opened(tmp_path_factory.mktemp("any"), form, X, y, cuts)
    for first in range(0, m, rows):
        assert same(source, X, y, first, min(first + rows, m))


@pytest.mark.parametrize("form", WRITERS)
def test_blocks_for_a_network_are_those_of_the_arrays_in_memory(tmp_path, monkeypatch, form):
    monkeypatch.setattr(core, "LEAST", 16)
    monkeypatch.setattr(core, "BYTES", 1000)
    X, y = table(70)
    network = Network((5, 3), output="softmax")
    source = opened(tmp_path, form, X, y, (10, 33))
    ours, theirs = (Blocks(s, network, SINGLE) for s in (source, blocks(X, y)))
    assert len(ours) == len(theirs) > 2
    for block, other in zip(ours, theirs, strict=True):
        (a, b, _), (c, d, _) = block.load(check=True), other.load(check=True)
        a = a.toarray() if hasattr(a, "toarray") else a
        assert a.tobytes() == c.tobytes()
        assert b.tobytes() == d.tobytes()


def result(source, optimizer):
    """Return theta's bytes and the history of J after a training."""
    network = Network((5, 4, 3), output="softmax")
    found = train(network, source, optimizer=optimizer, dtype="float32", max_iter=3, seed=1)
    return found.theta.tobytes(), list(found.history.J)


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_training_has_the_same_bits_from_every_format(tmp_path, monkeypatch, form, optimizer):
    monkeypatch.setattr(core, "LEAST", 64)
    monkeypatch.setattr(core, "BYTES", 2000)
    X, y = table(500)
    np.save(tmp_path / "X.npy", X)
    memory = blocks(X, y) if optimizer == "lbfgs" else blocks(tmp_path / "X.npy", y)
    source = opened(tmp_path / "files", form, X, y, (1, 300))
    assert result(source, optimizer) == result(memory, optimizer)


def test_arrays_in_memory_are_trained_on_as_they_are_without_blocks():
    X, y = table(300)
    network = Network((5, 3), output="softmax")
    ours, theirs = (train(network, *data, optimizer="adam", max_iter=2, seed=3) for data in (
        (blocks(X, y),), (X, y)
    ))  # fmt: skip
    assert ours.theta.tobytes() == theirs.theta.tobytes()


@pytest.mark.parametrize("form", WRITERS)
def test_many_threads_read_at_once(tmp_path, form):
    X, y = table(200)
    source = opened(tmp_path, form, X, y, (50, 120))
    right = []

    def read(seed):
        rng = np.random.default_rng(seed)
        right.extend(same(source, X, y, k, k + 10) for k in rng.integers(0, 190, 8))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 32


@pytest.mark.parametrize("form", WRITERS)
def test_a_file_that_was_changed_is_refused(tmp_path, form):
    X, y = table(40)
    source = opened(tmp_path, form, X, y, (20,))
    source.read(0, 40)
    state = source.state()
    changed = sorted(p for p in tmp_path.rglob("*") if p.is_file() and "part-1" in str(p))[0]
    os.utime(changed, (2e9, 2e9))
    with pytest.raises(DataError, match=r"was changed while it was in use: begin anew with"):
        source.read(15, 25)
    assert blocks(tmp_path / "*").state() != state


@pytest.mark.parametrize("form", WRITERS)
def test_a_file_that_is_gone_is_named(tmp_path, form):
    X, y = table(40)
    source = opened(tmp_path, form, X, y, (20,))
    gone = sorted(p for p in tmp_path.rglob("*") if p.is_file() and "part-1" in str(p))[0]
    gone.unlink()
    with pytest.raises(DataError, match="part-1"):
        source.read(0, 40)


@pytest.mark.parametrize("form", ["packed npz", "csv", "csv.gz", "zip of csv", "svmlight"])
def test_what_is_dear_to_read_says_so(tmp_path, form):
    assert opened(tmp_path, form, *table(9)).dear


@pytest.mark.parametrize("form", ["npy", "npz", "parquet, groups of 7", "arrow"])
def test_what_is_read_like_npy_is_not_dear(tmp_path, form):
    assert not opened(tmp_path, form, *table(9)).dear


def test_arrays_maps_and_sparse_matrices(tmp_path):
    X, y = table(30)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for source in (blocks(X, y), blocks(mapped, y), blocks(csr_array(X), y), blocks(mapped[:], y)):
        assert same(source, X, y, 3, 29)
    assert len(pickle.dumps(blocks(mapped, y))) < 1500  # the path, not X
    assert blocks(mapped[5:], y[5:]).read(0, 1)[0].tolist() == X[5:6].tolist()
    pictures = X.reshape(30, 1, 5)
    assert same(blocks(pictures, y), X, y, 0, 30)


def test_files_of_a_folder_are_in_the_order_of_their_numbers(tmp_path):
    for part in range(12):
        pl.DataFrame({"x": [part], "y": [0.5]}).write_csv(tmp_path / f"part-{part}.csv")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part-0.csv.crc").write_bytes(b"crc")
    for what in (tmp_path, tmp_path / "*"):
        assert blocks(what).read(0, 12)[0].ravel().tolist() == list(range(12))
    named = blocks([tmp_path / "part-3.csv", tmp_path / "part-1.csv"])
    assert named.read(0, 2)[0].ravel().tolist() == [3, 1]


def test_columns_target_and_weights_are_named_or_counted(tmp_path):
    path = tmp_path / "t.parquet"
    values = {"w": [1.0, 2.0], "b": [3, 4], "price": [5.5, 6.5], "a": [7, 8], "size": [9, 10]}
    pl.DataFrame(values).write_parquet(path)
    X, y, w = blocks(path, "price", weights="w", columns=["a", "b"]).read(0, 2)
    assert (X.tolist(), y.tolist(), w.tolist()) == ([[7, 3], [8, 4]], [5.5, 6.5], [1, 2])
    assert blocks(path, "-1").read(0, 1)[1].tolist() == [9]
    two = blocks(path, ["price", "size"])
    assert (two.K, two.read(0, 1)[1].tolist(), two.names) == (2, [[5.5, 9.0]], ("w", "b", "a"))
    assert blocks(path).read(0, 1)[1] is None  # nothing is called target


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "float32", "float64", "bool"])
@pytest.mark.parametrize("form", ["npy", "npz", "packed npz", "parquet", "arrow"])
def test_the_dtype_is_that_of_the_disk(tmp_path, dtype, form):
    X = (np.arange(12).reshape(4, 3) % 2).astype(dtype)
    if form in ("parquet", "arrow"):
        path = tmp_path / f"t.{form}"
        table_ = pl.DataFrame(X, schema=["a", "b", "c"])
        (table_.write_parquet if form == "parquet" else table_.write_ipc)(path)
        source = blocks(path)
    else:
        opened_ = {"npy": np.save, "npz": np.savez, "packed npz": np.savez_compressed}[form]
        path = tmp_path / f"X.{form[-3:]}"
        opened_(path, X)
        source = blocks(path)
    found = source.read(1, 4)[0]
    assert found.dtype == dtype
    assert found.tolist() == X[1:].tolist()


def test_a_column_of_a_matrix_is_the_target(tmp_path):
    np.save(tmp_path / "t.npy", np.arange(12.0).reshape(4, 3))
    for target in ("x2", "2", "-2"):
        X, y, _ = blocks(tmp_path / "t.npy", target).read(1, 3)
        assert (X.tolist(), y.tolist()) == ([[3, 5], [6, 8]], [4, 7])


def test_targets_and_weights_in_files_of_their_own(tmp_path):
    X, y = table(20)
    for first, last in ((0, 5), (5, 20)):
        np.save(tmp_path / f"in{first}.npy", X[first:last])
        np.save(tmp_path / f"out{first}.npy", y[first:last])
        np.save(tmp_path / f"w{first}.npy", y[first:last] + 1.0)
    source = blocks(f"{tmp_path}/in*.npy", f"{tmp_path}/out*.npy", weights=f"{tmp_path}/w*.npy")
    found, targets, weights = source.read(3, 9)
    assert source.weighted
    assert found.tobytes() == X[3:9].tobytes()
    assert targets.tolist() == y[3:9].tolist()
    assert weights.tolist() == (y[3:9] + 1.0).tolist()
    assert blocks(f"{tmp_path}/in0.npy", y[:5]).read(0, 5)[1].tolist() == y[:5].tolist()


def test_members_of_npz_by_name(tmp_path):
    X, y = table(9)
    words = np.array(["no", "yes"])[y % 2]
    np.savez_compressed(tmp_path / "t.npz", inputs=X, labels=words, price=y * 1.5, w=y + 1.0)
    source = blocks(tmp_path / "t.npz")
    assert source.classes == ("no", "yes")
    assert source.read(0, 9)[1].tolist() == (y % 2).tolist()
    _, price, weights = blocks(tmp_path / "t.npz", "price", weights="w").read(2, 9)
    assert (price.tolist(), weights.tolist()) == ((y[2:] * 1.5).tolist(), (y[2:] + 1.0).tolist())


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_text_in_the_target_is_classes_in_order(tmp_path, kind):
    for part, words in enumerate((["b", "a"], ["c", "a"])):
        column = pl.Series(words, dtype=pl.String).cast(kind)
        pl.DataFrame({"x": [1.0, 2.0], "kind": column}).write_parquet(tmp_path / f"{part}.parquet")
    source = blocks(tmp_path, "kind")
    assert source.classes == ("a", "b", "c")
    assert source.read(1, 4)[1].tolist() == [0, 2, 0]


def test_memory_keeps_rows_that_were_read(tmp_path, monkeypatch):
    X, y = table(40)
    path = tmp_path / "t.csv"
    frame(X, y).write_csv(path)
    source = blocks(path, memory="1 kB")
    assert same(source, X, y, 0, 20)
    monkeypatch.setattr(type(source.source), "read", None)  # nothing is read any more
    assert same(source, X, y, 0, 20)
    with pytest.raises(TypeError):
        source.read(20, 40)
    with pytest.raises(ValueError, match="memory must be a number of bytes, as '2GB', got 'lots'"):
        blocks(path, memory="lots")


def fault(*args, **options):
    with pytest.raises(DataError) as caught:
        blocks(*args, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_not_there_is_said_with_what_is(tmp_path):
    frame(*table(3)).write_parquet(tmp_path / "a.parquet")
    assert "*.csv: no file matches; in " in fault(f"{tmp_path}/*.csv")
    assert "there is a.parquet" in fault(f"{tmp_path}/*.csv")
    assert "there is no such file or folder" in fault(tmp_path / "b.parquet")
    (tmp_path / "none").mkdir()
    assert "none: the folder has no files" in fault(tmp_path / "none")
    assert "did you mean 'target'?" in fault(tmp_path / "a.parquet", "taget")
    assert "did you mean 'a1'?" in fault(tmp_path / "a.parquet", columns=["a0", "aa1"])
    assert "column 'a0' is no input" in fault(tmp_path / "a.parquet", "a0", columns=["a0", "a1"])


def test_what_is_no_table_is_refused(tmp_path):
    for nothing in (None, "", [], ()):
        assert "the table is empty: name a file" in fault(nothing)
    assert "it is <U1 of shape (1, 1)" in fault(np.array([["a"]]), np.zeros(1))
    assert "X must be numbers of shape (m, n)" in fault(np.zeros(3))
    save_npz(tmp_path / "sparse.npz", csr_array(np.eye(3)))
    assert "a sparse matrix as SciPy saves it: give blocks(scipy" in fault(tmp_path / "sparse.npz")
    np.savez(tmp_path / "o.npz", X=np.array([[1, "a"]], dtype=object))
    assert "X holds Python objects, which could run code" in fault(tmp_path / "o.npz")
    frame(*table(3)).write_parquet(tmp_path / "a.parquet")
    assert "no column is left for the inputs" in fault(tmp_path / "a.parquet", columns=[])
    assert "target must be the name of a column, got " in fault(tmp_path / "a.parquet", 3)
    assert "one column has the weights" in fault(tmp_path / "a.parquet", weights="a1,a2")
    frame(*table(3))[:0].write_parquet(tmp_path / "none.parquet")
    assert "none.parquet: there is no data row" in fault(tmp_path / "none.parquet")


def test_a_value_that_is_no_number_is_named_with_file_row_and_column(tmp_path):
    X, y = table(30)
    for part, first in enumerate((0, 10, 20)):
        rows = X[first : first + 10].copy()
        rows[7, 1] = np.nan if part == 2 else 0
        frame(rows, y[first : first + 10]).write_parquet(tmp_path / f"part-{part}.parquet")
    told = r"part-2.parquet, row 8: column 'a1' has nan: fill it, or leave out that row or column"
    with pytest.raises(DataError, match=told):
        train(Network((5, 3), output="softmax"), blocks(tmp_path), max_iter=1)


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_dataframes_in_memory(library):
    X, y = table(40)
    held = frame(X, y)
    if library == "pandas":
        held = pytest.importorskip("pandas").DataFrame(
            {c: held[c].to_numpy() for c in held.columns}
        )
    source = blocks(held)
    assert same(source, X, y, 3, 39)
    assert source.state() == blocks(held).state() != blocks(held[:39]).state()
    words = np.array(["no", "yes", "so"], dtype=object)[y]
    held = held.with_columns(word=words) if library == "polars" else held.assign(word=words)
    source = blocks(held, "word", columns="a1,a3")
    assert (source.classes, source.names) == (("no", "so", "yes"), ("a1", "a3"))
    assert source.read(0, 40)[1].tolist() == [[0, 2, 1][code] for code in y]


def test_files_that_do_not_fit_together(tmp_path):
    frame(*table(3)).write_parquet(tmp_path / "1.parquet")
    frame(*table(3)).drop("a3").write_parquet(tmp_path / "2.parquet")
    assert "2.parquet has no column 'a3', unlike " in fault(tmp_path)
    frame(*table(3)).with_columns(b=pl.lit(1)).write_parquet(tmp_path / "2.parquet")
    assert "2.parquet has a column 'b', unlike " in fault(tmp_path)
    frame(*table(3)).write_csv(tmp_path / "2.csv")
    assert "name the files of one format, as in " in fault(tmp_path)
    year = tmp_path / "year=2020"
    year.mkdir()
    (tmp_path / "1.parquet").rename(year / "1.parquet")
    assert "a column stands in the name of a folder" in fault(f"{tmp_path}/*/1.parquet")
    assert blocks(year).m == blocks(f"{year}/*").m == blocks(year / "1.parquet").m == 3


def test_a_folder_of_folders_of_zarr(tmp_path):
    X, y = table(30)
    opened(tmp_path / "all", "zarr", X, y, (10,))
    assert same(blocks(tmp_path / "all"), X, y, 0, 30)


def test_columns_in_another_order_and_of_another_width_are_the_same_table(tmp_path):
    pl.DataFrame({"a": [1], "b": [2.5]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"b": [3.5], "a": [0.5]}).write_parquet(tmp_path / "2.parquet")
    source = blocks(tmp_path)
    assert source.read(0, 2)[0].tolist() == [[1, 2.5], [0.5, 3.5]]
    assert source.read(0, 1)[0].dtype == source.read(1, 2)[0].dtype == np.float64


def test_what_no_network_takes_is_refused_with_a_remedy(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"x": [1.0, None], "cut": ["a", "b"], "y": [1, 2]}).write_parquet(path)
    with pytest.raises(
        DataError, match=r"column 'cut' holds String, no numbers.*load\(\.\.\.\)\.encoder"
    ):
        blocks(path).read(0, 2)
    with pytest.raises(DataError, match=r"t.parquet, row 2: column 'x' has a missing value: fill"):
        blocks(path, columns=["x"]).read(0, 2)
    for broken in ("t.npz", "t.parquet", "t.arrow", "t.npy"):
        (tmp_path / broken).write_bytes(b"broken" * 30)
        assert "read" in fault(tmp_path / broken) or "used" in fault(tmp_path / broken)
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    assert "t.xlsx: excel is not read in blocks: save the table as parquet" in fault(
        tmp_path / "t.xlsx"
    )


def test_arrays_that_do_not_fit(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.zeros((3, 2)), y=np.zeros(4))
    assert "X has 3 rows, and the target " in fault(tmp_path / "t.npz")
    assert "did you mean 'y'" in fault(tmp_path / "t.npz", "Y")
    np.savez(tmp_path / "f.npz", X=np.asfortranarray(np.zeros((3, 2, 2))), y=np.zeros(3))
    assert "X is stored column by column: save it by rows" in fault(tmp_path / "f.npz")
    np.save(tmp_path / "X-1.npy", np.zeros((3, 2)))
    np.save(tmp_path / "y-1.npy", np.zeros(3))
    np.save(tmp_path / "X-2.npy", np.zeros((3, 2)))
    assert "X-2.npy: has no partner: name the files in pairs" in fault(f"{tmp_path}/*.npy")
    np.save(tmp_path / "y-2.npy", np.zeros(3))
    np.save(tmp_path / "X-2.npy", np.zeros((3, 4)))
    assert "must have the same columns" in fault(f"{tmp_path}/*.npy")


READ_UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
from chainrule import blocks

source = blocks(sys.argv[1])
source.read(0, 1000)
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + (24 << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
print(sum(source.read(k, k + 1000)[0].sum() for k in range(0, source.m, 1000)))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("form", ["npz", "packed npz", "hdf5"])
def test_a_limit_of_addresses_is_none_of_the_file(tmp_path, form):
    if form in NEEDS:
        pytest.importorskip(NEEDS[form])
    X = np.ones((20_000, 500), np.float32)  # 40 MB
    WRITERS[form](tmp_path / "t", X, np.zeros(20_000))
    (path,) = tmp_path.iterdir()
    run = [sys.executable, "-c", READ_UNDER_A_LIMIT, str(path)]
    assert float(subprocess.check_output(run)) == 1e7


def test_columns_of_a_large_file_are_read_some_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "LARGE", 0)
    X, y = table(60)
    assert same(opened(tmp_path, "parquet, groups of 70,000", X, y), X, y, 7, 41)


def test_arrays_of_dask():
    da = pytest.importorskip("dask.array")
    X, y = table(90)
    source = blocks(da.from_array(X, chunks=(17, 2)), da.from_array(y, chunks=31))
    assert same(source, X, y, 3, 80)
    with pytest.raises(DataError, match="call its compute_chunk_sizes"):
        blocks(da.from_array(X)[da.from_array(y) > 0])


def test_dataframes_of_dask():
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)  # it needs PyArrow
    X, y = table(90)
    source = blocks(dd.from_pandas(frame(X, y).to_pandas(), npartitions=4))
    assert same(source, X, y, 3, 80)
    assert source.where(50) == "the Dask dataframe, row 51"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("most", [0, 1 << 26])
def test_a_matrix_by_columns_is_read_by_rows(tmp_path, monkeypatch, save, most):
    monkeypatch.setattr(stored, "AT_A_TIME", most)
    X, y = table(60)
    save(tmp_path / "t.npz", X=np.asfortranarray(X), y=y)
    source = blocks(tmp_path / "t.npz")
    assert same(source, X, y, 7, 41)
    assert source.read(7, 41)[0].flags.c_contiguous


def test_a_gzip_file_that_is_cut_off_is_damaged(tmp_path):
    path = tmp_path / "t.csv.gz"
    packed = gzip.compress(frame(*table(300)).write_csv().encode())
    path.write_bytes(packed[: len(packed) // 2])
    assert "damaged, it cannot be unpacked" in fault(path)
    Path(path).write_bytes(packed)
    assert blocks(path).m == 300
    assert list(blocks(path).names) == NAMES


@pytest.mark.parametrize(("form", "extra"), [("zarr", "zarr"), ("hdf5", "hdf5")])
def test_a_library_that_is_not_there_is_named(tmp_path, monkeypatch, form, extra):
    opened(tmp_path, form, *table(5))
    monkeypatch.setattr(door, "find_spec", lambda name: None)
    assert f"type pip install 'chainrule[{extra}]'" in fault(tmp_path / "*")


def test_groups_within_hdf5_and_matlabs_files(tmp_path):
    h5py = pytest.importorskip("h5py")
    X, y = table(20)
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["training/X"], file["training/y"] = X, y
    source = blocks(tmp_path / "t.h5", "training/y")
    assert same(source, X, y, 2, 20)
    with h5py.File(tmp_path / "t.h5", "r") as file:
        held = blocks(file["training/X"], file["training/y"])
    assert same(held, X, y, 2, 20)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["X"] = X.T
        file["X"].attrs["MATLAB_class"] = np.bytes_("double")
    assert "MATLAB's, with examples in columns: it is read as a whole" in fault(tmp_path / "m.h5")
    (tmp_path / "bad.h5").write_bytes(b"broken")
    assert "bad.h5: not an HDF5 file that can be read" in fault(tmp_path / "bad.h5")


def test_arrays_of_zarr(tmp_path):
    zarr = pytest.importorskip("zarr")
    X, y = table(20)
    array = zarr.create_array(tmp_path / "X.zarr", data=X, chunks=(6, 2), shards=(12, 4))
    assert same(blocks(array, y), X, y, 2, 20)
    assert blocks(tmp_path / "X.zarr", y).read(3, 5)[1].tolist() == y[3:5].tolist()
    group = zarr.open_group(tmp_path / "g.zarr", mode="w")
    group.create_array("part/X", data=X)
    group.create_array("part/y", data=y)
    assert same(blocks(tmp_path / "g.zarr", "part/y"), X, y, 2, 20)
    (tmp_path / "bad.zarr").mkdir()
    (tmp_path / "bad.zarr" / "zarr.json").write_text("broken")
    assert "bad.zarr: not a Zarr folder that can be read" in fault(tmp_path / "bad.zarr")

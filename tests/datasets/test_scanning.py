"""Tables in blocks of rows: the same rows and meanings as a table in memory, from any file."""

import bz2
import gzip
import lzma
import zipfile

import numpy as np
import polars as pl
import pytest

from chainrule.common.checks import DataError
from chainrule.datasets import scanning
from chainrule.datasets.encoding import Reading
from chainrule.datasets.formats import read
from chainrule.datasets.scanning import opened

TEXT = "size,colour,when\n" + "".join(
    f'{i}.5,"re""d, {i % 3}",2024-0{1 + i % 9}-1{i % 7}\n' for i in range(50)
)
BLOCKS = [7, 20, 50, 1000]


def table(path, rows=7):
    """Return the columns of a table that is read in blocks."""
    found = list(opened(path).blocks(Reading(), rows=rows))
    assert all(len(contents.table["size"]) == rows for contents in found[:-1])
    return {
        name: np.concatenate([contents.table[name] for contents in found])
        for name in found[0].table
    }


def assert_same(one, other):
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch):
    monkeypatch.setattr(scanning, "PIECE", 300)
    monkeypatch.setattr(scanning, "LONGEST_ROW", 2400)


@pytest.mark.parametrize("rows", BLOCKS)
def test_blocks_are_those_of_the_table_in_memory(tmp_path, rows):
    path = tmp_path / "t.csv"
    path.write_text(TEXT)
    assert_same(table(path, rows), read(path, None).table)


@pytest.mark.parametrize("how", ["gz", "bz2", "xz", "zip"])
def test_compressed_text_is_unpacked_as_it_is_read(tmp_path, how):
    path = tmp_path / f"t.csv.{how}"
    if how == "zip":
        path = tmp_path / "t.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", TEXT)
    else:
        pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[how]
        path.write_bytes(pack(TEXT.encode()))
    assert_same(table(path), read(path, None).table)


@pytest.mark.parametrize(
    "written",
    [
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("red", "rosé").encode("utf-16"),
        ("\ufeff" + TEXT).encode(),
        TEXT.replace(",", ";").encode(),
        (TEXT + "\n\nSource: the office\n").encode(),
        TEXT.replace("\n9.5", "\n\n9.5").encode(),
    ],
    ids=["windows", "mac", "utf-16", "mark", "semicolons", "source", "empty line"],
)
def test_texts_are_read_as_in_memory(tmp_path, written):
    path = tmp_path / "t.csv"
    path.write_bytes(written)
    assert_same(table(path), read(path, None).table)


def test_a_quoted_cell_may_have_lines(tmp_path):
    path = tmp_path / "t.csv"
    cell = "\n".join("line" for _ in range(100))
    path.write_text("size,colour\n" + f'1,"{cell}"\n2,b\n' * 9)
    assert table(path)["colour"].tolist() == [cell, "b"] * 9


def test_a_quote_that_nothing_closes_is_none(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("size,colour\n" + "1,a\n" * 50 + '2,5" pipe\n' + "3,b\n" * 2000)
    assert len(table(path)["size"]) == len(read(path, None).table["size"])


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
@pytest.mark.parametrize("group", [3, 50])
def test_types_are_those_of_the_table_in_memory(tmp_path, kind, group):
    path = tmp_path / f"t.{kind}"
    frame = pl.read_csv(TEXT.encode()).with_columns(
        size=pl.col("size").cast(pl.Int32), ok=pl.col("size") > 9, when=pl.col("when").str.to_date()
    )
    if kind == "parquet":
        frame.write_parquet(path, row_group_size=group)
    else:
        frame.write_ipc(path, record_batch_size=group)
    assert_same(table(path), read(path, None).table)


def test_a_folder_is_one_table_in_the_order_of_its_numbers(tmp_path):
    lines = TEXT.splitlines()
    for i in range(12):
        rows = lines[1 + 4 * i : 5 + 4 * i if i < 11 else None]
        (tmp_path / f"part-{i}.csv").write_text("\n".join([lines[0], *rows]))
    (tmp_path / "_SUCCESS").touch()
    whole = tmp_path / "whole"
    whole.write_text(TEXT)
    expected = read(whole, None, name="t.csv").table
    assert_same(table(tmp_path / "part-*.csv"), expected)
    whole.unlink()
    assert_same(table(tmp_path), expected)


def test_a_pattern_may_go_into_folders(tmp_path):
    for part in ("a/b", "a/c"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "t.csv").write_text("size\n1\n")
    assert len(opened(f"{tmp_path}/**/*.csv").files) == 2


def test_the_column_that_differs_is_named_and_where_only_the_order_does(tmp_path):
    wide = {f"x{i}": [i] for i in range(30)}
    ways = {
        "has no column 'x28'": {name: wide[name] for name in wide if name != "x28"},
        "has a column 'more'": {**wide, "more": [1]},
        "has Float64 in column 'x29', not Int64": {**wide, "x29": [0.5]},
        "has the same columns in another order": dict(reversed(wide.items())),
    }
    for told, other in ways.items():
        pl.DataFrame(wide).write_parquet(tmp_path / "a.parquet")
        pl.DataFrame(other).write_parquet(tmp_path / "b.parquet")
        with pytest.raises(DataError, match=rf"b\.parquet: {told}, unlike .*a\.parquet: give"):
            list(opened(tmp_path).blocks(Reading()))


def test_files_of_other_columns_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.csv").write_text("a,c\n1,2\n")
    with pytest.raises(
        DataError, match=r"b\.csv: has a column 'c' and has no column 'b', unlike .*a\.csv:"
    ):
        list(opened(tmp_path).blocks(Reading()))
    for name in "ab":
        (tmp_path / f"{name}.csv").unlink()
        pl.DataFrame({name: [1]}).write_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(
        DataError, match=r"has a column 'b' and has no column 'a', unlike .*a\.parquet"
    ):
        list(opened(tmp_path).blocks(Reading()))


def test_folders_of_several_kinds_and_empty_ones_are_refused(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        opened(tmp_path)
    (tmp_path / "a.csv").write_text("a\n1\n")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="of more than one kind"):
        opened(tmp_path)
    (tmp_path / "a.parquet").unlink()
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"not read in blocks, as .*a\.npy is"):
        opened(tmp_path)


def test_other_files_are_not_read_in_blocks(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 3)))
    assert opened(tmp_path / "a.npy") is None
    assert opened("digits") is None
    assert opened("x" * 5000) is None
    assert opened("a\0b") is None


def test_a_file_that_changes_under_way_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TEXT)
    blocks = opened(path).blocks(Reading(), rows=7)
    next(blocks)
    path.write_text(TEXT + "1,a,2024-01-01\n")
    with pytest.raises(DataError, match="it has changed while it was read"):
        list(blocks)


@pytest.mark.parametrize("how", ["gz", "bz2", "xz"])
def test_a_packed_file_that_is_damaged_further_on_is_named(tmp_path, how, monkeypatch):
    monkeypatch.setattr(scanning, "PIECE", 2**18)
    path = tmp_path / f"t.csv.{how}"
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{a},{b}" for a, b in rng.normal(size=(40_000, 2)))
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[how]
    content = pack(f"a,b\n{rows}\n".encode())
    path.write_bytes(content[: 3 * len(content) // 4])
    with pytest.raises(DataError, match=rf"not a {how} file that can be unpacked"):
        list(opened(path).blocks(Reading()))


def test_a_packed_file_that_is_damaged_at_once_is_not_read_in_blocks(tmp_path):
    path = tmp_path / "t.gz"
    path.write_bytes(b"\x1f\x8b\x08" + bytes(60))
    assert opened(path) is None


def test_errors_name_the_line_of_the_whole_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 400 + "1,2,3\n" + "1,2\n" * 400)
    with pytest.raises(DataError, match="line 402 has 3 fields where the first line has 2"):
        list(opened(path).blocks(Reading()))


def test_progress_ends_with_the_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TEXT)
    told = []
    list(opened(path).blocks(Reading(), told=told.append))
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_memory_that_parquet_would_take_is_that_of_its_values_however_small_it_is(tmp_path):
    zeros = np.zeros(200_000, np.uint8)
    pl.DataFrame({"a": zeros, "b": zeros}).write_parquet(tmp_path / "zeros.parquet")
    scan = opened(tmp_path / "zeros.parquet")
    assert scan.size * 11 < 2 * zeros.size
    assert scan.memory >= 2 * zeros.size * 8
    (tmp_path / "broken.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    assert opened(tmp_path / "broken.parquet").memory == 108 * 11

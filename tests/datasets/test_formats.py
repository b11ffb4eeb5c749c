"""The formats: every way in which a file can be written, or be damaged."""

import gzip
import io
import os
import re
import sys
import threading
import zipfile
from datetime import datetime

import numpy as np
import polars as pl
import pytest
from scipy.io import savemat
from tables import refused, write

from chainrule.common.checks import DataError
from chainrule.datasets import formats, octave
from chainrule.datasets.tables import load, load_like

ROWS = "a,b,kind\n1,2.5,x\n2,0.5,y\n4,1.5,x\n3,1,y\n"


def test_other_ways_to_write_a_csv(tmp_path, monkeypatch):
    expected = load(write(tmp_path, "t.csv", ROWS)).X
    for content in (
        "\ufeff" + ROWS,
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        ROWS.replace("\n", "\r\n"),
        ROWS.replace(",", " , "),
        ROWS.rstrip(),
        ROWS.replace("x", '"x"'),
    ):
        np.testing.assert_array_equal(load(write(tmp_path, "u.csv", content)).X, expected)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ROWS.encode())))
    data = load("-")
    np.testing.assert_array_equal(data.X, expected)
    assert data.source == "<standard input>"


def test_a_csv_without_header_is_noticed(tmp_path):
    data = load(write(tmp_path, "t.csv", "1,2,0.5\n3,5,1.5\n"))
    np.testing.assert_array_equal(data.X, [[1, 2], [3, 5]])
    assert data.feature_names == ("x1", "x2")
    assert data.notes[0] == (
        "the first line is data, since '1' is a number: columns are called x1, x2 ... "
        "(header=True if it is one)"
    )


def test_parquet_reads_as_csv_does(tmp_path):
    expected = load(write(tmp_path, "t.csv", ROWS))
    frame = pl.read_csv(io.BytesIO(ROWS.encode())).with_columns(pl.col("kind").cast(pl.Categorical))
    frame.write_parquet(tmp_path / "t.parquet")
    data = load(tmp_path / "t.parquet")
    np.testing.assert_array_equal(data.X, expected.X)
    np.testing.assert_array_equal(data.Y, expected.Y)
    dated = frame.with_columns(pl.lit("2020-01-01").str.to_date().alias("day"))
    dated.write_parquet(tmp_path / "d.parquet")
    contents = formats.read(tmp_path / "d.parquet", "kind")
    assert contents.table["day"].tolist() == [datetime(2020, 1, 1)] * 4
    assert load(tmp_path / "d.parquet", "kind", drop=["day"]).feature_names == ("a", "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.csv: the file is empty"),
        ("\n", "t.csv: the file is empty"),
        ("a,b\n", "t.csv: there is a header, but no data row"),
        (
            "a,b\nдом,1\n".encode("cp1251"),
            "t.csv: not text in UTF-8: name its encoding, as in encoding='cp1251' (or gbk, "
            "shift_jis ...), or save it as csv in UTF-8",
        ),
        (b"a,b\n\0\1\2\3,1\n",
         "t.csv: of no format that is read: save it as csv"),
        (
            "a,b\n1,2\n3,4,5\n",
            "t.csv: line 3 has 3 fields where the first line has 2: correct that line",
        ),
        (
            "a,b,c\n1,2,3\n4,5\n6,7,8\n",
            "t.csv: line 3 has 2 fields where the first line has 3: correct that line",
        ),
    ],
)  # fmt: skip
def test_bad_csv_files_are_refused_by_name(tmp_path, content, message):
    refused(message, load, write(tmp_path, "t.csv", content))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.4\n%\xe2\xe3\n1 0 obj\n<<>>\nendobj\n", "a PDF"),
        (b"%PDF-1.4\n1 0 obj\n<< /Kids [1, 2], >>\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "an image (PNG)"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "an image (JPEG)"),
        (b"GIF89a\1\0\1\0", "an image (GIF)"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "an image (WebP)"),
        (b"\n<!DOCTYPE html>\n<table><tr><td>1,2</td></tr></table>\n", "a web page (HTML)"),
        (b"<?xml version='1.0'?>\n<a>1,2</a>\n", "XML"),
        (b"{\\rtf1 a, b\n1, 2\n}", "a text with layout (RTF)"),
        (b"SQLite format 3\0\x10\0", "a database (SQLite)"),
        (b"7z\xbc\xaf'\x1c\0\4", "an archive (7z)"),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.xls", "t.txt", "t.csv.gz"])
def test_what_is_no_table_is_called_what_it_is_whatever_its_name(tmp_path, name, content, what):
    if name.endswith(".gz"):
        content = gzip.compress(content)
    path = write(tmp_path, name, content)
    refused(f"{name}: it is {what}, no table: save the table in it as csv", load, path)


def test_a_document_is_no_table(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.csv", "w") as file:
        file.writestr("word/document.xml", "<a/>")
        file.writestr("[Content_Types].xml", "<a/>")
    said = "t.csv: it is a document of Office, no table: save the table in it as csv"
    refused(said, load, tmp_path / "t.csv")


def test_an_empty_name_is_refused():
    refused("the name of the data is empty: name a file, or data such as digits", load, "")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"A": np.ones((1, 2)), "B": np.arange(0)},
            "t.npz: has no matrix of inputs, a row for each example; it has A (float64 (1, 2)), B "
            "(int64 (0,))",
        ),
        (
            {"X": np.ones((3, 2)), "y": np.arange(4)},
            "t.npz: X has 3 rows and y has 4: they must be as many",
        ),
        (
            {"X": np.ones((3, 2, 2, 2, 2)), "y": np.arange(3)},
            "t.npz: X must be numbers of shape (m, n) or (m, height, width); it is float64 of "
            "shape (3, 2, 2, 2, 2)",
        ),
        ({"X": np.ones((3, 2)), "yy": np.ones(3)},
         "t.npz: no array is called y or labels; there is yy: target='yy'"),
        ({"X": np.array([[1.0], [np.nan], [3.0], [1]]), "y": np.array([0, 1, 0, 1])},
         "t.npz: column 'x1' has 1 missing value, in data row 2 first: missing='mean'"),
        ({"X": np.ones((3, 2)), "y": np.array([None, 1, 2])},
         "t.npz: y.npy holds Python objects, which could run code: save numbers or text, as with "
         ".astype(str)"),
        ({"X": np.ones((300, 2)), "y": np.arange(300) % 150},
         None),
    ],
)  # fmt: skip
def test_bad_arrays_are_refused_by_name(tmp_path, arrays, message):
    path = write(tmp_path, "t.npz", **arrays)
    if message is None:
        message = (
            "t.npz: target 'y' has 150 different numbers in 300 rows, too many for classes: "
            "kind='numbers'"
        )
        refused(message, load, path, kind="classes")
    else:
        refused(message, load, path)


def test_damaged_files_are_refused(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.ones((9, 3)), y=np.arange(9) % 2)
    octave.write(tmp_path / "t.mat", X=np.ones((9, 3)), y=np.arange(9) % 2)
    pl.DataFrame({"a": [1.0, 2], "b": ["x", "y"]}).write_parquet(tmp_path / "t.parquet")
    rng = np.random.default_rng(0)
    messages = []
    for file, times in (("t.npz", 90), ("t.mat", 8), ("t.parquet", 8)):
        content = (tmp_path / file).read_bytes()
        for _ in range(times):
            damaged = bytearray(content[: rng.integers(1, len(content) + 1)])
            damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
            (tmp_path / f"d{file}").write_bytes(damaged)
            try:
                load(tmp_path / f"d{file}")
            except DataError as error:
                messages.append(str(error))
    assert len(messages) > 80
    assert all(re.search(r"/dt\.\w+: ", message) and "\n" not in message for message in messages)


# Streams


def named(content, name):
    """Return a stream as an upload is: bytes with a name."""
    stream = io.BytesIO(content)
    stream.name = name
    return stream


def files():
    """Return one table in every format, as bytes by ending."""
    X, y = np.array([[1.0, 2.5], [2, 0.5], [4, 1.5], [3, 1]]), np.array([0, 1, 0, 1])
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": y})
    content = {ending: io.BytesIO() for ending in ("npz", "mat", "parquet", "csv", "tsv")}
    np.savez(content["npz"], X=X, y=y)
    savemat(content["mat"], {"X": X, "y": y[:, None]})
    frame.write_parquet(content["parquet"])
    frame.write_csv(content["csv"])
    frame.write_csv(content["tsv"], separator="\t")
    return {ending: stream.getvalue() for ending, stream in content.items()}


FILES = files()


@pytest.mark.parametrize("ending", FILES)
def test_a_stream_reads_as_the_file_of_its_name_does(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    path.write_bytes(FILES[ending])
    expected = load(path)
    upload = load(named(FILES[ending], f"t.{ending}"))
    unnamed = load(io.BytesIO(FILES[ending]), name=f"other.{ending.upper()}")
    with path.open("rb") as stream:
        opened = load(stream)
    for data in (upload, unnamed, opened):
        np.testing.assert_array_equal(data.X, expected.X)
        np.testing.assert_array_equal(data.Y, expected.Y)
        assert (data.notes, data.sha256) == (expected.notes, expected.sha256)
    assert upload.source == f"t.{ending}"
    assert unnamed.source == f"other.{ending.upper()}"
    later = load_like(io.BytesIO(FILES[ending]), expected.encoder, name=f"t.{ending}")
    np.testing.assert_array_equal(later.X, expected.X)


@pytest.mark.parametrize("name", [None, "<stdin>", "upload", 3])
def test_a_stream_whose_name_has_no_ending_is_csv(name):
    stream = io.BytesIO(FILES["csv"]) if name is None else named(FILES["csv"], name)
    data = load(stream)
    np.testing.assert_array_equal(data.Y, [0, 1, 0, 1])
    assert data.source == (name if isinstance(name, str) else "<stream>")


def test_a_bad_stream_is_refused_by_its_name():
    refused("t.npz: the file is empty", load, named(b"", "t.npz"))
    refused("t.doc: there is a header, but no data row", load, named(b"a,b", "t.doc"))
    refused("u.csv: there is a header, but no data row", load, io.BytesIO(b"a,b\n"), name="u.csv")


def test_an_endless_file_is_refused_by_its_first_bytes(tmp_path):
    class Zeros(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            self.given += size
            assert 0 < self.given < 10**7, "read on without an end"
            return bytes(size)

    refused("<stream>: of no format that is read: save it as csv", load, Zeros())
    refused("zero: cannot be read (it is a device, not a file)", load, "/dev/zero")
    pipe = tmp_path / "t.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"a,y\n" + b"1,2\n3,4\n" * 9,))
    writer.start()
    assert len(load(pipe)) == 18
    writer.join()


def test_a_stream_without_an_end_is_given_up(monkeypatch):
    class Rows(io.RawIOBase):
        def read(self, size=-1):
            return b"1,2\n" * (size // 4)

    monkeypatch.setattr("chainrule.common.files.MOST_BYTES", 10**7)
    refused(
        "<stream>: cannot be read (it has more than 10,000,000 bytes: give a file)", load, Rows()
    )


def test_an_npz_that_would_become_far_larger_is_refused(monkeypatch):
    monkeypatch.setattr("chainrule.datasets.contents.SPARE_BYTES", 0)
    file = io.BytesIO()
    np.savez_compressed(file, X=np.zeros((10, 10**5), bool), y=np.zeros(10))
    with pytest.raises(DataError, match=r"t\.npz: [\d,]+ bytes would become more than 0 MiB"):
        load(io.BytesIO(file.getvalue()), name="t.npz")


def test_more_columns_than_any_network_takes_are_refused():
    file = io.BytesIO()
    np.savez_compressed(file, X=np.zeros((2, 200_001), np.uint8), y=np.zeros(2))
    with pytest.raises(DataError, match=r"t\.npz: has 200,001 columns, and at most 200,000"):
        load(io.BytesIO(file.getvalue()), name="t.npz")
    with pytest.raises(DataError, match=r"t\.csv: has 100,001 columns, and at most 100,000"):
        load(io.BytesIO(b"1," * 100_000 + b"1\n"), name="t.csv")
    with pytest.raises(DataError, match="300,000,000 columns, and at most"):
        load(io.BytesIO(b"1 300000000:1\n2 1:1\n"), name="t.svm")


def test_an_array_of_nothing_has_no_shape_without_bounds():
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|S0", "fortran_order": False, "shape": (10**15,)}
    )
    with pytest.raises(DataError, match=r"its header says shape \(1000000000000000,\)"):
        load(io.BytesIO(file.getvalue()), name="t.npy")


def test_whatever_a_reader_raises_is_one_line_with_its_cause(monkeypatch):
    def fails(*_):
        raise KeyError("within\na library")

    monkeypatch.setattr("chainrule.datasets.delimited.read", fails)
    with pytest.raises(DataError, match=r"^t\.csv: not a file that can be read \(KeyError: .*\)$"):
        load(io.BytesIO(b"a,b\n1,2\n"), name="t.csv")


def test_no_memory_for_a_file_is_one_line(monkeypatch):
    def fails(*_):
        raise MemoryError

    monkeypatch.setattr("chainrule.datasets.delimited.read", fails)
    refused("t.csv: there is not enough memory to read it", load, named(b"a,b\n1,2\n", "t.csv"))


def test_tens_of_thousands_of_columns_are_read():
    names, row = ",".join(f"c{j}" for j in range(24_000)), ",".join(["0.5"] * 23_999)
    data = load(io.BytesIO("\n".join([names, *(f"{row},{i}.5" for i in range(3))]).encode()))
    assert data.X.shape == (3, 23_999)


def test_a_table_without_columns_is_refused():
    file = io.BytesIO()
    pl.DataFrame({"__index_level_0__": [1, 2]}).write_parquet(file)
    refused("t.parquet: has no column", load, io.BytesIO(file.getvalue()), name="t.parquet")


def test_named_fields_of_an_npy_may_be_bytes():
    file, fields = io.BytesIO(), [("a", "f8"), ("k", "S1")]
    np.save(file, np.array([(1.0, b"u"), (2.5, b"v"), (0.5, b"u"), (3.5, b"v")], fields))
    assert load(io.BytesIO(file.getvalue()), name="t.npy").classes == ("u", "v")

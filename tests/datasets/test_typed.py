"""Tables that say what their columns hold, and what compresses them."""

import io
import json
import sys
import zipfile

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import dump_svmlight_file
from tables import refused

from chainrule.common.checks import DataError
from chainrule.datasets import formats
from chainrule.datasets.encoding import Reading
from chainrule.datasets.tables import load, load_like

FRAME = pl.DataFrame(
    {
        "n": [1, 2, None],
        "x": [0.5, None, 2.5],
        "kind": ["a", "b", None],
        "yes": [True, False, True],
        "day": ["2020-01-05", "2020-01-06", None],
    }
).with_columns(pl.col("day").str.to_date())
DAYS = np.array(["2020-01-05", "2020-01-06", "NaT"], dtype="datetime64[s]")


def contents(content, name, **like):
    """Return what a file holds."""
    return formats.read(io.BytesIO(content), None, Reading(**like), name)


def written(write):
    """Return the bytes that a function writes to a stream."""
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def xlsx(rows):
    """Return a workbook with two sheets, as Excel writes it."""

    def cell(value):
        if value is None:
            return "<c/>"
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="One" '
        'sheetId="1" r:id="a"/><sheet name="Two" sheetId="2" r:id="b"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="a" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="b" Type="{office}/worksheet" Target="worksheets/sheet2.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{sheet}</sheetData></worksheet>",
        "xl/worksheets/sheet2.xml": f"<worksheet {main}><sheetData/></worksheet>",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.parquet", written(FRAME.write_parquet)),
        ("t.feather", written(FRAME.write_ipc)),
        ("t.arrow", written(FRAME.write_ipc)),
        ("t.arrows", written(FRAME.write_ipc_stream)),
        ("t.jsonl", written(FRAME.write_ndjson)),
        ("t.ndjson", written(FRAME.write_ndjson)),
        ("t.json", written(FRAME.write_json)),
        ("t.csv", written(FRAME.write_csv)),
    ],
)
def test_one_table_in_all_formats(name, content):
    named = [name, "t.unknown"] if name != "t.arrows" else ["t.ipc"]
    for called in named:
        read = contents(content, called)
        np.testing.assert_array_equal(read.table["n"], [1, 2, np.nan])
        np.testing.assert_array_equal(read.table["x"], [0.5, np.nan, 2.5])
        assert read.table["kind"].tolist() == ["a", "b", None]
        assert read.table["yes"].tolist() == ["true", "false", "true"]
        np.testing.assert_array_equal(read.table["day"], DAYS)


def test_excel(monkeypatch):
    pytest.importorskip("fastexcel")
    rows = [["n", "price", "kind"], [1, "$5", "a"], [], [2, None, "b"], [3, 6.5, "a"]]
    for name in ("t.xlsx", "upload"):
        read = contents(xlsx(rows), name)
        np.testing.assert_array_equal(read.table["n"], [1, 2, 3])
        np.testing.assert_array_equal(read.table["price"], [5, np.nan, 6.5])
        assert read.table["kind"].tolist() == ["a", "b", "a"]
        assert read.notes[0] == "the first sheet, 'One'; 1 other not read"
    assert contents(b"n\tm\n1\t2\n", "t.xls").table["m"].tolist() == [2]  # as many programs write
    assert list(contents(xlsx([[1.5, 2], [2.5, 3]]), "t.xlsx").table) == ["x1", "x2"]
    refused("t.xlsx: the sheet 'One' is empty", contents, xlsx([]), "t.xlsx")
    with pytest.raises(ValueError, match=r"t\.xlsx: not an Excel file that can be read"):
        contents(b"PK\3\4\0 no more", "t.xlsx")
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    refused(
        "t.xlsx: to read Excel's files, type pip install 'chainrule[excel]', or save it as csv",
        contents, xlsx(rows), "t.xlsx",
    )  # fmt: skip


ARFF = b"""% about flowers
@RELATION iris

@ATTRIBUTE 'petal length' NUMERIC
@attribute width real
@attribute rank {0,1}
@attribute note string
@attribute day date "yyyy-MM-dd"
@attribute class {'Iris setosa',virginica}

@DATA
5.1,?,0,'a, b',2020-01-05,'Iris setosa'
% in between
4.9,3.0,1,?,2020-01-06,virginica
"""


def test_arff():
    for name in ("t.arff", "t.txt"):
        read = contents(ARFF, name)
        np.testing.assert_array_equal(read.table["petal length"], [5.1, 4.9])
        np.testing.assert_array_equal(read.table["width"], [np.nan, 3])
        assert read.table["rank"].tolist() == ["0", "1"]
        assert read.table["note"].tolist() == ["a, b", None]
        np.testing.assert_array_equal(read.table["day"], DAYS[:2])
        assert read.table["class"].tolist() == ["Iris setosa", "virginica"]
    refused(
        "t.arff: not an ARFF file that can be read (it has no line @data)",
        contents, ARFF.split(b"@DATA")[0], "t.arff",
    )  # fmt: skip
    refused(
        "t.arff: a sparse ARFF file is not read: save it as csv or svmlight",
        contents, b"@relation r\n@attribute a numeric\n@data\n{0 5}\n", "t.arff",
    )  # fmt: skip


@pytest.mark.parametrize("zero_based", [False, True])
def test_svmlight(zero_based):
    X = np.array([[0.0, 1.5, 0, 2], [3, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 1]])
    y = np.array([1.0, -1, 1, -1])
    stream = io.BytesIO()
    dump_svmlight_file(X, y, stream, zero_based=zero_based)
    content = stream.getvalue()
    for name in ("t.svm", "t.libsvm", "t.txt", "heart_scale"):
        data = load(io.BytesIO(content), name=name)
        np.testing.assert_array_equal(data.X, X)
        assert data.classes == (-1, 1)
        later = load_like(io.BytesIO(b"1 2:5\n"), data.encoder, name=name)  # the others are 0
        column = 2 if zero_based else 1
        np.testing.assert_array_equal(later.X, [np.eye(4)[column] * 5])
        np.testing.assert_array_equal(later.Y, [1])


def test_columns_are_read_as_in_training_whatever_the_format():
    data = load(io.BytesIO(written(FRAME[:2].select("kind", "n").write_parquet)), name="t.parquet")
    assert data.encoder.reading.forms == {"kind": "text"}
    training = b"zip,y\n01,1.5\n02,2.5\nA,3\nB,1\n01,2\nA,4.5\n"
    encoder = load(io.BytesIO(training)).encoder
    numbers = pl.DataFrame({"zip": [12.0, 13.0], "y": [1.5, 2.0]})
    read = contents(written(numbers.write_parquet), "u.parquet", forms=encoder.reading.forms)
    assert read.table["zip"].tolist() == ["12", "13"]


def test_a_text_file_may_have_the_dates_and_times_of_a_table_with_types():
    frame = pl.DataFrame({"day": ["2024-02-01", "2025-05-03"], "at": ["06:30:00", "12:15:00"]})
    typed = frame.with_columns(
        pl.col("day").str.to_date(), pl.col("at").str.to_time(), y=pl.int_range(2)
    )
    encoder = load(io.BytesIO(written(typed.write_parquet)), "y", name="t.parquet").encoder
    later = load_like(io.BytesIO(b"day,at\n01.02.2024,6:30 am\n03.05.2025,12:15\n"), encoder)
    same = load_like(io.BytesIO(written(typed.write_parquet)), encoder, name="t.parquet")
    np.testing.assert_array_equal(later.X, same.X)


def test_pandas_index_is_left_out_and_said():
    frame = pl.DataFrame({"a": [1, 2], "__index_level_0__": [5, 7]})
    read = contents(written(frame.write_parquet), "t.parquet")
    assert list(read.table) == ["a"]
    assert read.notes == (LEFT_OUT.format("__index_level_0__"),)


LEFT_OUT = "column {!r} is pandas' index: left out (reset_index() makes it a column)"


def indexed(frame, *index):
    """Return a parquet file whose last columns were pandas' index, as it writes them."""
    names = [name for name in index if isinstance(name, str)]
    beside = json.dumps({"index_columns": [*index], "columns": [{"name": n} for n in names]})
    frame = frame.select(pl.exclude(names), *names)
    return written(lambda file: frame.write_parquet(file, metadata={"pandas": beside}))


def test_an_index_with_a_name_is_neither_the_target_nor_an_input():
    frame = pl.DataFrame({"patient": [531, 17, 88, 90], "a": [1.5, 2, 3, 5], "b": [2.5, 1, 4, 8]})
    data = load(io.BytesIO(indexed(frame, "patient")), name="t.parquet")
    assert (data.feature_names, data.target) == (("a",), "b")
    assert LEFT_OUT.format("patient") in data.notes
    again = contents(indexed(frame, "patient"), "t.parquet", forms={"patient": "numbers"})
    assert list(again.table) == ["patient", "a", "b"]  # training had it
    ranges = indexed(frame, {"kind": "range", "name": None})
    assert list(contents(ranges, "t.parquet").table) == ["patient", "a", "b"]


@pytest.mark.parametrize("index", [["group"], ["day"], ["group", "day"]])
def test_an_index_of_dates_or_of_values_that_come_again_is_an_input(index):
    frame = pl.DataFrame({"group": [1, 1, 2, 2], "day": range(4), "b": [2.5, 1, 4, 8]})
    frame = frame.with_columns(pl.date(2024, 1, pl.col("day") + 1).alias("day"))
    read = contents(indexed(frame, *index), "t.parquet")
    assert list(read.table)[-1] == "b"
    assert (set(read.table), read.notes) == ({"group", "day", "b"}, ())


@pytest.mark.parametrize(
    ("values", "what"),
    [([[1, 2], [3]], "lists"), ([{"p": 1}, {"p": 2}], "records"), ([b"a", b"b"], "bytes")],
)
@pytest.mark.parametrize("write", ["write_parquet", "write_ipc"])
def test_columns_of_lists_and_records_are_refused_as_inputs_and_as_targets(values, what, write):
    frame = pl.DataFrame({"a": [1.5, 2.5], "b": [3.5, 1], "nested": values})
    content = written(getattr(frame, write))
    said = f"'nested' holds {what}, no numbers or text: "
    target = "t.parquet: target " + said + "name another column, as target='b'"
    refused(target, load, io.BytesIO(content), name="t.parquet")
    column = "t.parquet: column " + said + "drop='nested'"
    refused(column, load, io.BytesIO(content), "b", name="t.parquet")
    several = f"t.parquet: target 'nested' is {what}, and several targets must be numbers: train a "
    several += "network for each"
    refused(several, load, io.BytesIO(content), "b,nested", name="t.parquet")
    assert load(io.BytesIO(content), "b", drop="nested", name="t.parquet").X.shape == (2, 1)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2], "b": [3, 4]}',
        '{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}',
        '{"columns": ["a"], "index": [0, 1], "data": [[1], [2]]}',
        '{"schema": {"fields": [{"name": "a"}]}, "data": [{"a": 1}]}',
        "[[1, 2], [3, 4]]",
    ],
)
def test_json_without_records_says_how_to_write_some(text):
    with pytest.raises(DataError, match=r"save it with df\.to_json\(path, orient='records'\)"):
        contents(text.encode(), "t.json")


def test_durations_and_times_are_hours():
    frame = pl.DataFrame({"a": ["01:30:00"]}).select(pl.col("a").str.to_time())
    frame = frame.with_columns(pl.duration(minutes=15).alias("b"))
    table = contents(written(frame.write_parquet), "t.parquet").table
    assert {name: vector.tolist() for name, vector in table.items()} == {"a": [1.5], "b": [0.25]}


# Compressed files


def packed(kind, content, name="t.csv"):
    """Return a file's bytes, compressed."""
    import bz2
    import gzip
    import lzma

    if kind != "zip":
        return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind](content)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
        file.writestr(f"__MACOSX/._{name}", "x")
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zip"])
def test_a_compressed_file_is_read_as_what_is_in_it(kind):
    table = b"a,b\n1,x\n2,y\n"
    for name in (f"t.csv.{kind}", "t.csv", "upload"):
        read = contents(packed(kind, table), name)
        assert read.table["a"].tolist() == [1, 2]
    inner = packed(kind, ARFF, "t.arff")
    assert "petal length" in contents(inner, f"t.arff.{kind}").table
    damaged = packed(kind, table * 50)[:-12]
    with pytest.raises(ValueError, match=rf"t.{kind}: not a {kind} file that can be unpacked"):
        contents(damaged, f"t.{kind}")


def test_a_zip_of_several_files_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("a.csv", "1")
        file.writestr("b.csv", "2")
    refused(
        "t.zip: has 2 files (a.csv, b.csv): unpack it and give one of them",
        contents, stream.getvalue(), "t.zip",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zip"])
def test_what_is_unpacked_is_bounded(kind, monkeypatch):
    monkeypatch.setattr("chainrule.datasets.contents.SPARE_BYTES", 0)
    content = packed(kind, b"0\n" * 500_000)
    refused(
        f"t.{kind}: {len(content):,} bytes would become more than 0 MiB: unpack it first, or save "
        "it without compression",
        contents, content, f"t.{kind}",
    )  # fmt: skip


def test_files_that_are_no_tables_say_so():
    for content in (b"%PDF-1.7\n\0\1", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\x80\x04\x95\0\0.\0"):
        with pytest.raises(ValueError, match=r"t\.csv: .*save .* as csv"):
            contents(content, "t.csv")

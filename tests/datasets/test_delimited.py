"""Tables of text: separators, headers, what stands before and between the rows, encodings."""

import io

import numpy as np
import pytest
from tables import refused, write

from chainrule.datasets import delimited, formats
from chainrule.datasets.encoding import Reading
from chainrule.datasets.tables import load, load_like

NUMBERS = {"a": [1.0, 3, 5], "b": [2.5, 4, 6]}


def contents(text, **like):
    """Return what a text holds."""
    text = text if isinstance(text, bytes) else text.encode()
    return formats.read(io.BytesIO(text), None, Reading(**like), "t.txt")


def holds(text, **like):
    """Return the columns of a text as lists."""
    return {name: vector.tolist() for name, vector in contents(text, **like).table.items()}


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2.5\n3,4\n5,6\n",
        "a;b\n1;2,5\n3;4\n5;6\n",
        "a\tb\n1\t2.5\n3\t4\n5\t6\n",
        "a|b\n1|2.5\n3|4\n5|6\n",
        "a b\n1 2.5\n3 4\n5 6\n",
        "  a    b\n  1  2.5 \n  3    4\n  5    6\n",
        "a \t b\n1\t 2.5\n3 \t4\n5  6\n",
        '"a" "b"\n"Mazda 1" 1 2.5\n"Datsun" 3 4\n"Fiat" 5 6\n',  # R's write.table
        "a,b\n1,2.5,\n3,4,\n5,6,\n",
        "a,b,\n1,2.5,\n3,4,\n5,6,\n",
        "sep=;\na;b\n1;2,5\n3;4\n5;6\n",
        "a,b\r\n1,2.5\r\n3,4\r\n5,6\r\n",
        "a,b\r1,2.5\r3,4\r5,6\r",
        "\n\na,b\n\n1,2.5\n\n3,4\n,\n5,6\n\n,\n\n",
        "# made in 2020\n# by hand\n\na,b\n1,2.5\n3,4\n5,6\n",
        "% made, in 2020\na,b\n1,2.5\n3,4\n5,6\n",
        "a,b\n1,2.5\n# half\n3,4\n5,6\n# end\n",
        "a,b\ns,m/s\n1,2.5\n3,4\n5,6\n",  # units
        "| a | b |\n|---|:--|\n| 1 | 2.5 |\n| 3 | 4 |\n| 5 | 6 |\n",
        "a,b\n1,2.5\n3,4\n5,6\n\x1a",
        "# a b\n1 2.5\n3 4\n5 6\n",  # NumPy's savetxt with a header
        "a,b\n1,2.5\n3,4\na,b\n5,6\n",
        ",a,b\n0,1,2.5\n1,3,4\n2,5,6\n",  # pandas' index
        "Unnamed: 0,a,b\n10,1,2.5\n4,3,4\n7,5,6\n",
        '"","a","b"\n"x",1,2.5\n"y",3,4\n"z",5,6\n',  # R's write.csv
        "Unnamed: 0.1,Unnamed: 0,a,b\n0,0,1,2.5\n1,1,3,4\n2,2,5,6\n",
    ],
)
def test_one_table_in_many_ways_to_write_it(text):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        assert holds(text.encode(encoding)) == NUMBERS, encoding
    if not text.startswith("sep"):
        assert holds(text.rstrip()) == NUMBERS


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("5.1,3.5,setosa\n4.9,3,setosa\n6.2,2.9,virginica\n", ["x1", "x2", "x3"]),
        ("1,1,2\n3,4,5\n", ["x1", "x2", "x3"]),  # no column is called '1' twice
        ("M,0.455,15\nF,0.53,9\n", ["x1", "x2", "x3"]),
        ("p,x,s\ne,x,y\np,b,s\n", ["x1", "x2", "x3"]),  # all text, each of which comes again
        ("2020-01-05,12\n2020-01-06,13\n", ["x1", "x2"]),
        ("$5,red\n$6,blue\n", ["x1", "x2"]),
        ("?,3.5,a\n4.9,3,b\n", ["x1", "x2", "x3"]),
        ("5.1 3.5 1\n4.9 3.0 0\n", ["x1", "x2", "x3"]),
        ("a,b\n1,2\n", ["a", "b"]),
        ("1stFlr,2nd\n1,2\n3,4\n", ["1stFlr", "2nd"]),
        ("0,1,2\n0.5,1.5,7\n2.5,3.5,9\n", ["0", "1", "2"]),  # as pandas calls columns
        (",0,1,2\n0,0.5,1.5,7\n1,2.5,3.5,9\n", ["0", "1", "2"]),
        ("id,2018,2019\n1,5,6\n2,7,8\n", ["id", "2018", "2019"]),
        ("name,colour\nann,red\nbob,blue\n", ["name", "colour"]),
        ("#,Name,HP\n1,Bulba,45\n2,Ivy,60\n", ["#", "Name", "HP"]),
        ("a,,c\n1,2,3\n4,5,6\n", ["a", "x2", "c"]),
    ],
)
def test_headers_are_told_from_data(text, names):
    assert list(contents(text).table) == names


def test_what_was_decided_about_a_header_is_said_with_its_option():
    (note,) = contents("5.1,3.5,setosa\n4.9,3,setosa\n").notes
    assert note == (
        "the first line is data, since '5.1' is a number: columns are called x1, x2 ... "
        "(header=True if it is one)"
    )
    (note,) = contents("name,colour\nann,red\nbob,blue\n").notes
    assert note == "the first line is taken as the header (header=False if it is data)"
    assert contents("a,b\n1,2\n").notes == ()
    text = "1,2,setosa\n4.9,3,setosa\n"
    assert list(holds(text, header=True)) == ["1", "2", "setosa"]
    assert list(holds("a,b\nc,d\n", header=False)) == ["x1", "x2"]


def test_a_headerless_model_reads_files_with_a_header_too(tmp_path):
    data = load(write(tmp_path, "t.data", "5.1,3.5,low\n4.9,3,high\n6.2,2.9,low\n5,3.1,high\n"))
    for text in (
        "x1,x2\n5,3\n",
        "x1,x2,x3\n5,3,low\n",
        "length,width\n5,3\n",
        "5,3\n",
        "5,3,low\n",
    ):
        later = load_like(io.BytesIO(text.encode()), data.encoder)
        np.testing.assert_array_equal(later.X, [[5, 3]])


def test_row_names_are_said_and_read_alike_later(tmp_path):
    data = load(write(tmp_path, "t.csv", ",a,y\n0,1,0.5\n1,3,1.5\n2,4,2\n"), "y")
    assert data.feature_names == ("a",)
    assert data.notes[0] == (
        "column 1 has no name and differs in every row: taken for row names, left out"
    )
    np.testing.assert_array_equal(load_like(io.BytesIO(b",a\n9,7\n"), data.encoder).X, [[7]])
    kept = load(write(tmp_path, "t.csv", ",a,y\n5,1,0.5\n5,3,1.5\n7,4,2\n"), "y")
    assert kept.feature_names == ("x1", "a")
    np.testing.assert_array_equal(load_like(io.BytesIO(b",a\n9,7\n"), kept.encoder).X, [[9, 7]])


def test_a_decimal_comma_is_remembered(tmp_path):
    data = load(write(tmp_path, "t.csv", "a;b;y\n0,5;1;1\n1,25;2;0\n7,5;5;0\n"), "y")
    later = load_like(io.BytesIO(b"a;b\n1,881;2,125\n"), data.encoder)
    np.testing.assert_array_equal(later.X, [[1.881, 2.125]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c,d\n1,2,3\n4,5,6\n",
         "t.csv: line 1 has 4 fields where most lines have 3: correct it, or put # before it if it "
         "is a comment"),
        ("# x\na,b,c\n1,2,3\n4,5\n6,7,8\n",
         "t.csv: line 4 has 2 fields where the first line has 3: correct that line"),
        ("a b c\n1 2 3\n4 5 6\n7 8\n1 2 3\n4 5 6\n1 2 3\n4 5 6\n1 2 3\n4 5 6\n1 2 3\n4 5 6\n",
         "t.csv: line 4 has 2 fields where the first line has 3: correct that line"),
        ("a,b\n\n,\n", None),
        ("a,b\n\n\n", "t.csv: there is a header, but no data row"),
        ("# nothing\n\n", "t.csv: the file is empty"),
        ("\n \n", "t.csv: the file is empty"),
    ],
)  # fmt: skip
def test_bad_lines_are_named(tmp_path, text, message):
    path = write(tmp_path, "t.csv", text)
    if message is not None:
        refused(message, formats.read, path, None)
    else:
        assert len(formats.read(path, None).table["a"]) >= 1


def test_a_lone_quote_is_part_of_the_text():
    assert holds('a,b\n5" pipe,1\n6" pipe,2\n') == {"a": ['5" pipe', '6" pipe'], "b": [1, 2]}


def test_encodings_by_themselves_where_that_is_safe():
    table = "größe,straße\n1,süß\n2,café\n3,50 °C\n"
    expected = {"größe": [1, 2, 3], "straße": ["süß", "café", "50 °C"]}
    for encoding in ("utf-8", "utf-16", "latin-1", "cp1252"):
        read = contents(table.encode(encoding))
        assert {name: v.tolist() for name, v in read.table.items()} == expected
        assert any("Windows-1252" in note for note in read.notes) == (
            encoding in ("latin-1", "cp1252")
        )
    for text, encoding in (
        ("размер,цвет\n1,красный\n", "cp1251"),
        ("大きさ,色\n1,赤い\n", "shift_jis"),
        ("大小,颜色\n1,红色\n", "gbk"),
        ("크기,색\n1,빨강\n", "euc_kr"),
    ):
        refused(
            "t.txt: not text in UTF-8: name its encoding, as in encoding='cp1251' (or gbk, "
            "shift_jis ...), or save it as csv in UTF-8",
            contents, text.encode(encoding),
        )  # fmt: skip
        assert list(holds(text.encode(encoding), encoding=encoding)) == text.split("\n")[0].split(
            ","
        )


def test_a_quoted_header_may_have_two_lines():
    assert list(holds('"size\n(cm)",b\n1,2\n3,4\n').values()) == [[1, 3], [2, 4]]


def test_the_notes_say_what_is_left_out():
    assert contents("a,b\ns,m/s\n1,2\n3,4\n5,6\n").notes == (
        "line 2 has no numbers, as 's': left out",
    )
    assert contents("a,b\n1,2\n\n3,4\n").notes == (
        "1 line without data left out, and not counted as data rows",
    )
    assert delimited.decoded("t", b"a\xe9", None)[0] == "aé".encode()


HOLDS_ABC = {"a": [1, 4, 7], "b": [2, 5, 8], "c": [3, 6, 9]}


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Sales of 2020\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", "line 1 stands above the table"),
        ("Sales, 2020\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", "line 1 stands above the table"),
        ("Sales,,\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", "line 1 stands above the table"),
        ("a,b,c\n1,2,3\n4,5,6\n7,8,9\nSource: a city\n", "line 5 stands below the table"),
        ("a,b,c\n1,2,3\n4,5,6\n7,8,9\n\nBy hand, 2020\n", "line 6 stands below the table"),
        ("a,b,c\n1,2,3\n4,5,6\n7,8,9\nTotal,15,18\n", "begins with 'Total'"),
        ("a,b,c\n1,2,3\n4,5,6\n7,8,9\n,Grand total,18\nmean,,6\n", "begins with 'Grand total'"),
        ("a,b,c\n1,2,3\n \t \n4,5,6\n7,8,9\n  \n\t\n", "1 line without data"),
        ("a\tb\t\tc\n1\t2\t3\n4\t\t5\t6\n7\t8\t9\n \n", ""),
        ("a,b,c\n1,2,3,\n4,5,6\n7,8,9,,\n", ""),
        ("a,b,c\r\n1,2,3\n4,5,6\r7,8,9\r\n\x1a", ""),
        ("a,b,c\r\r\n1,2,3\r\r\n4,5,6\r\r\n7,8,9\x1a\x1a\r\n", ""),
    ],
)
def test_what_stands_around_a_table_is_left_out_and_said(text, note):
    contents = formats.read(io.BytesIO(text.encode()), None)
    assert {name: vector.tolist() for name, vector in contents.table.items()} == HOLDS_ABC
    assert note in " ".join(contents.notes)
    assert note or not contents.notes


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,total\n3,y\n4,total\n",  # a category
        'a,b\n1,x\n2,x\n3,x\n4,"some\nlines"\n',
        "a\nx\ny\nz\ntotals of\n",
        "a\tb\n1\tx\n2\tx\n3\tx\n4\t\n",
    ],
)
def test_rows_are_not_taken_for_what_stands_around_a_table(text):
    assert next(len(vector) for vector in holds(text).values()) == 4


def test_a_name_that_comes_twice_is_told_apart():
    contents = formats.read(io.BytesIO(b"a,b,a,a.1,a\n1,2,3,4,5\n"), None)
    assert list(contents.table) == ["a", "b", "a.2", "a.1", "a.3"]
    assert contents.notes[0] == "two columns have one name: 'a' is now 'a.2', 'a' is now 'a.3'"


@pytest.mark.parametrize("cell", ["1" + " " * 300_000 + "x", " " * 300_000 + "x", "1," * 150_000])
@pytest.mark.timeout(120)
def test_a_cell_that_is_nearly_a_number_is_looked_at_once(cell):
    lines = ["a;b", *(f"{cell};{i}" for i in range(3))]
    assert holds("\n".join(lines)).keys() == {"a", "b"}  # which took minutes, beyond the timeout

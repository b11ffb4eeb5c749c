"""Tables of text: separators, headers, what stands before and between the rows, encodings."""

import io

import numpy as np
import pytest
from tables import refused, write
from texts import contents, holds

from chainrule.datasets import decoding, formats
from chainrule.datasets.tables import load, load_like

NUMBERS = {"a": [1.0, 3, 5], "b": [2.5, 4, 6]}


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


def test_the_notes_say_what_is_left_out():
    assert contents("a,b\ns,m/s\n1,2\n3,4\n5,6\n").notes == (
        "line 2 has no numbers, as 's': left out",
    )
    assert contents("a,b\n1,2\n\n3,4\n").notes == (
        "1 line without data left out, and not counted as data rows",
    )
    assert decoding.decoded("t", b"a\xe9", None)[0] == "aé".encode()


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


@pytest.mark.parametrize("cell", ["1" + " " * 300_000 + "x", " " * 300_000 + "x", "1," * 150_000])
@pytest.mark.timeout(120)
def test_a_cell_that_is_nearly_a_number_is_looked_at_once(cell):
    lines = ["a;b", *(f"{cell};{i}" for i in range(3))]
    assert holds("\n".join(lines)).keys() == {"a", "b"}  # which took minutes, beyond the timeout

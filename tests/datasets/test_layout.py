"""Separators and headers, told from the first lines."""

import io

import numpy as np
import pytest
from tables import write
from texts import contents, holds

from chainrule.datasets import formats
from chainrule.datasets.tables import load, load_like


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


def test_a_quoted_header_may_have_two_lines():
    assert list(holds('"size\n(cm)",b\n1,2\n3,4\n').values()) == [[1, 3], [2, 4]]


def test_a_name_that_comes_twice_is_told_apart():
    contents = formats.read(io.BytesIO(b"a,b,a,a.1,a\n1,2,3,4,5\n"), None)
    assert list(contents.table) == ["a", "b", "a.2", "a.1", "a.3"]
    assert contents.notes[0] == "two columns have one name: 'a' is now 'a.2', 'a' is now 'a.3'"

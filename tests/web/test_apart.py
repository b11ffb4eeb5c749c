"""A table is read in a process of its own: one that is too large is one line, and no more."""

import gzip
import resource

import pytest

from chainrule.common.checks import DataError
from chainrule.datasets import load as load_here
from chainrule.web import apart
from chainrule.web.asked import NamedFile


def file(content, name="t.csv"):
    stream = NamedFile(content)
    stream.name = name
    return stream


HOMES = b"id,size,colour\n" + b"".join(
    b"%d,%d,%s\n" % (i, i * i % 7, b"red" if i % 2 else b"blue") for i in range(30)
)
LARGE = {  # a table, and how it would use up the memory of a page
    "many rows": b"a,b,y\n" + b"0,1,1\n1,0,0\n" * 2_500_000,
    "many columns": b",".join(b"c%d" % i for i in range(90_000)) + b"\n" + b"0," * 89_999 + b"1\n",
    "many categories": b"a,y\n" + b"".join(b"w%d,%d\n" % (i % 100, i % 2) for i in range(400_000)),
}


def test_it_is_read_as_the_library_reads_it():
    apart_read, here = (
        reading(file(HOMES), {"drop": ("id",), "target": "size"})
        for reading in (apart.load, lambda stream, options: load_here(stream, **options))
    )
    assert apart_read.notes == here.notes
    assert apart_read.encoder == here.encoder
    assert (apart_read.X == here.X).all()
    assert apart_read.sha256 == here.sha256


def test_what_would_mend_it_comes_back():
    with pytest.raises(DataError, match="column 'id' numbers the rows") as caught:
        apart.load(file(HOMES), {})
    assert caught.value.options == {"drop": ["id"]}


@pytest.mark.parametrize("what", LARGE)
def test_a_table_that_is_too_large_for_the_page_is_one_line(what, monkeypatch):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = LARGE[what] if what != "many columns" else LARGE[what] + LARGE[what][-180_000:] * 200
    with pytest.raises(DataError) as caught:
        apart.load(file(content), {})
    assert str(caught.value).startswith("t.csv: this table is too large for the page (")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 500_000  # KiB


def test_a_bomb_is_refused():
    content = gzip.compress(b"a,b,y\n" + b"0,1,1\n1,0,0\n" * 2_500_000)
    with pytest.raises(DataError, match=r"t\.csv\.gz: "):
        apart.load(file(content, "t.csv.gz"), {})


def test_modules_beside_the_page_s_user_are_not_imported(tmp_path, monkeypatch):
    for name in ("polars", "random", "chainrule"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    assert len(apart.load(file(b"a,b,y\n1,0.5,2.5\n2,0.5,3.5\n4,0.7,5.5\n"), {"target": "y"})) == 3

"""Text that is read in pieces means what it means in memory, however it is written."""

import numpy as np
import pytest

from chainrule import blocks
from chainrule.common.checks import DataError
from chainrule.datasets import load
from chainrule.engine.readers import text

M = 400


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(text, "PIECE", 1000)


def lines(write, m=M):
    rng = np.random.default_rng(5)
    return [write(i, rng.standard_normal(), ["red", "blue", "green"][i % 3]) for i in range(m)]


def plain(i, x, word):
    return f"{x:.4f},{i % 7},{word},{x * i:.3f}"


HEAD = "width,level,colour,price\n"


def joined(rows, head=HEAD, end="\n"):
    return head + end.join(rows) + end


def with_rows(where, *more):
    rows = lines(plain)
    for at, row in zip(where, more, strict=True):
        rows.insert(at, row)
    return joined(rows)


QUOTED = joined(lines(lambda i, x, w: f'{x:.4f},{i % 7},"{w}, ""the\n{i % 2}""",{x * i:.3f}'))
WAYS = {
    "plain": joined(lines(plain)),
    "no end of line at the end": joined(lines(plain)).rstrip("\n"),
    "Windows": joined(lines(plain)).replace("\n", "\r\n"),
    "old Macs": joined(lines(plain)).replace("\n", "\r"),
    "a byte order mark": "\ufeff" + joined(lines(plain)),
    "blank lines": with_rows((0, 5, 99, 250, 401), "", "", "   ", "\t", ""),
    "lines of separators": with_rows((3, 120), ",,,", ",,,"),
    "comments": with_rows((0, 50, 51, 390), "# a", "# b", "#, c", "# d"),
    "the header said again": with_rows((60, 200), HEAD[:-1], HEAD[:-1]),
    "a total at the end": with_rows((M,), "Total,3,red,99"),
    "words below": joined(lines(plain)) + "Source: a book of prices\n",
    "a title above": "Prices of the year\n\n" + joined(lines(plain)),
    "quotes with separators and ends of lines": QUOTED,
    "inches": joined(lines(lambda i, x, w: f'{x:.4f},{i % 7},{i % 3}" {w},{x * i:.3f}')),
    "inches in a row": with_rows((200,), '1.5,2,5" red,2.5'),
    "quotes and blank lines": QUOTED.replace(",1,", "\n,1,".replace("\n", ""), 1) + "\n\n",
    "spaces around": joined(lines(lambda i, x, w: f" {x:.4f} , {i % 7},{w} , {x * i:.3f}")),
    "semicolons and decimal commas": joined(
        [plain(i, x, "w").replace(",", ";").replace(".", ",") for i, x in enumerate(
            np.random.default_rng(1).standard_normal(M))], HEAD.replace(",", ";")),
    "tabs": joined(lines(plain)).replace(",", "\t"),
    "white space": joined(
        lines(lambda i, x, w: f"  {x:8.4f}   {i % 7}  {x * i:12.3f}"), "width level price\n"
    ),
    "no header": joined(lines(plain), ""),
    "row names": joined(lines(lambda i, x, w: f"{i},{plain(i, x, w)}"), "," + HEAD),
    "units under the header": HEAD + "cm,,,EUR\n" + joined(lines(plain), ""),
    "money and dates": joined(
        lines(lambda i, x, w: f'"$1,{i:03}.50",{1 + i % 28}.{1 + i % 12}.2020,{w},{x:.3f}')
    ),
    "yes and no": joined(lines(lambda i, x, w: f"{x:.4f},{['yes', 'No'][i % 2]},{w},{x:.3f}")),
    "letters of Europe": joined(lines(lambda i, x, w: f"{x:.4f},{i % 7},größe {w},{x:.3f}")),
    "trailing separators": joined([row + "," for row in lines(plain)], HEAD[:-1] + ",\n"),
    "a row longer than a piece": with_rows((77,), f"1.5,2,{'long ' * 400},7.5"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_rows_are_those_that_load_has_bit_for_bit(tmp_path, way):
    path = tmp_path / "t.csv"
    path.write_bytes(WAYS[way].encode())
    data = load(path, keep=["x1"] if way == "no header" else ())
    source = blocks(path, encoder=data.encoder)
    assert (source.m, source.names) == (len(data), data.feature_names)
    assert len(source.source.sheets[0].pieces) > 3
    for first in range(0, source.m, 37):
        last = min(first + 37, source.m)
        X, y, _ = source.read(first, last)
        assert X.tobytes() == data.X[first:last].tobytes()
        assert y.tobytes() == data.Y[first:last].tobytes()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1251", "gbk", "shift_jis"])
def test_other_encodings_are_named(tmp_path, encoding):
    word = {"latin-1": "größe", "cp1251": "Привет", "gbk": "你好", "shift_jis": "テスト"}[encoding]
    path = tmp_path / "t.csv"
    path.write_bytes(joined(lines(lambda i, x, w: f"{x:.4f},1{i},{word},{w}")).encode(encoding))
    source = blocks(path, "colour", encoding=encoding, columns=["width", "level"])
    assert source.classes == (word,)
    assert source.m == M


def test_each_file_has_its_header_or_only_the_first(tmp_path):
    rows = lines(plain)
    (tmp_path / "1.csv").write_text(joined(rows[:150]))
    (tmp_path / "2.csv").write_text(joined(rows[150:], ""))
    (tmp_path / "3.csv").write_text(joined(rows))
    columns = ["width", "level"]
    source = blocks([tmp_path / f"{k}.csv" for k in (1, 2)], "price", columns=columns)
    whole = blocks(tmp_path / "3.csv", "price", columns=columns)
    assert source.m == whole.m == M
    for a, b in zip(source.read(100, 300)[:2], whole.read(100, 300)[:2], strict=True):
        assert a.tobytes() == b.tobytes()


def fault(call):
    with pytest.raises(DataError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_word_among_numbers_is_named_with_its_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(with_rows((300,), "1.5,many,red,2.5"))
    source = blocks(path, "price", columns=["width", "level"])
    told = fault(lambda: source.read(290, 310))
    assert "column 'level' has 'many' in data row 301, where the first rows have numbers" in told
    path.write_text(with_rows((300,), "1.5,,red,2.5"))
    source = blocks(path, "price", columns=["width", "level"])
    told = fault(lambda: source.read(290, 310))
    assert "t.csv, row 301: column 'level' has a missing value" in told


def test_a_row_of_another_width_is_named_with_its_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(with_rows((300,), "1.5,2,red,2.5,9"))
    source = blocks(path, "price", columns=["width"])
    assert "line 302 has 5 fields where the first line has 4" in fault(
        lambda: source.read(290, 310)
    )


def test_texts_that_are_not_read_in_blocks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(joined(lines(plain)).encode("utf-16"))
    assert "utf-16 is not read in blocks: save it as csv in UTF-8" in fault(lambda: blocks(path))
    path.write_bytes(b"BZh91AY")
    assert "unpack it, or pack it with gzip" in fault(lambda: blocks(path))
    path.write_text("")
    assert "the file is empty" in fault(lambda: blocks(path))
    path.write_text(HEAD)
    assert "there is a header, but no data row" in fault(lambda: blocks(path))


def test_svmlight_means_what_it_means_in_memory(tmp_path):
    path = tmp_path / "t.svm"
    rng = np.random.default_rng(3)
    rows = [
        f"{rng.integers(0, 2) * 2 - 1} " + " ".join(f"{j}:{rng.random():.3f}" for j in chosen)
        for chosen in (sorted(rng.choice(9, 3, replace=False)) for _ in range(200))
    ]
    path.write_text("# a comment\n" + "\n".join(rows) + "\n")
    data = load(path)
    source = blocks(path)
    assert (source.m, source.n) == data.X.shape
    X, y, _ = source.read(20, 150)
    assert X.toarray().tobytes() == data.X[20:150].tobytes()
    assert y.tolist() == [int(row.split()[0]) for row in rows[20:150]]
    coded = blocks(path, encoder=data.encoder)
    assert coded.read(20, 150)[1].tolist() == data.Y[20:150].tolist()
    path.write_text("1 1:2 nonsense\n")
    assert "line 1 or one below is not svmlight" in fault(lambda: blocks(path))

"""The encodings of texts."""

from tables import refused
from texts import contents, holds


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

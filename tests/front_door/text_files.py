"""Texts: separators, encodings, packed files, formats of other programs that are texts."""

import json

from .case import Corpus
from .material import (
    HOUSES,
    SAME_HOUSE,
    gappy,
    houses,
    moved,
    packed,
    petals,
    text,
    with_line,
)

case = Corpus("texts")
X, CODES = petals()

# Separators and endings of names

for name, sep in (
    ("tabs.tsv", "\t"),
    ("tabs.csv", "\t"),
    ("semicolons.csv", ";"),
    ("upper.CSV", ","),
):
    who = f"columns parted by {sep!r} in a file called {name}"
    case(name, who, text(HOUSES, sep), **SAME_HOUSE)

case(
    "text_with_commas.csv",
    "semicolons, and commas within the words",
    text({"place": [("Paris, Nord", "Lyon, Sud, Est")[i % 2] for i in range(60)], **HOUSES}, ";"),
    rows=60,
    uses=("area",),
)
case(
    "quoted_commas.csv",
    "commas within quotes",
    text({"place": [('"Paris, Nord"', '"Lyon, Sud"')[i % 2] for i in range(60)], **HOUSES}),
    rows=60,
    uses=("area",),
)
case(
    "open_quote.csv",
    "a quote is opened in one row and never closed",
    text({"place": gappy(["north", "south"] * 30, '"north', [9]), **HOUSES}),
    else_says=("line 11|quote",),
    rows=60,
)
case(
    "short_row.csv",
    "one row has a cell too few",
    with_line(text(HOUSES), 6, "80.5,2,1"),
    else_says=("line 6",),
    inputs=3,
)
case("one_column.csv", "one column", text({"price": HOUSES["price"]}), kind=None, says=("price",))
case("names_only.csv", "names and no rows", text(houses(0)), kind=None, says=("row",))
case("empty.csv", "nothing", "", kind=None, says=("empty",))
case(
    "picture.csv",
    "a picture under a wrong name",
    b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9,
    kind=None,
    says=("PNG|picture|text|encoding",),
)
case(
    "page.csv",
    "a login page, saved in place of the data",
    "<!DOCTYPE html>\n<html><body>Please log in</body></html>\n",
    kind=None,
    says=("html",),
)
case(
    "pointer.csv",
    "Git LFS left a pointer in place of the data",
    f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d7a' * 16}\nsize 12345\n",
    kind=None,
    says=("git lfs|git-lfs|line",),
)

# Encodings

UMLAUT = {
    "Fläche": HOUSES["area"],
    "Ort": [("Köln", "Düsseldorf")[i % 2] for i in range(60)],
    "Preis": HOUSES["price"],
}
GERMAN = {"rows": 60, "uses": ("Fläche", "Ort")}
case("utf8.csv", "names with umlauts in UTF-8", text(UMLAUT), **GERMAN)
case(
    "bom.csv",
    "UTF-8 with a mark at its start, from Excel",
    b"\xef\xbb\xbf" + text(UMLAUT).encode(),
    **GERMAN,
)
case(
    "bom_target.csv",
    "the same, and the first column is the target",
    b"\xef\xbb\xbf" + text(moved(HOUSES, "price")).encode(),
    "--target price",
    **SAME_HOUSE,
)
case(
    "utf16_no_mark.csv",
    "UTF-16 without its mark, and its owner knows",
    text(UMLAUT).encode("utf-16-le"),
    "--encoding utf-16-le",
    **GERMAN,
)
case(
    "latin1.csv",
    "Latin-1, nothing typed",
    text(UMLAUT).encode("latin-1"),
    typed="--encoding latin-1",
    **GERMAN,
)
case(
    "latin1_said.csv",
    "Latin-1, and its owner knows",
    text(UMLAUT).encode("latin-1"),
    "--encoding latin-1",
    **GERMAN,
)
case(
    "cp1252.csv",
    "Windows: a euro sign",
    text({"Preis in €": HOUSES["area"], "price": HOUSES["price"]}).encode("cp1252"),
    "--encoding cp1252",
    rows=60,
    uses=("Preis in €",),
)
case(
    "cp1250.csv",
    "Polish Windows",
    text({"Łódź": HOUSES["area"], "cena": HOUSES["price"]}).encode("cp1250"),
    "--encoding cp1250",
    rows=60,
    uses=("Łódź",),
)
case(
    "cp1251.csv",
    "Russian Windows",
    text({"площадь": HOUSES["area"], "цена": HOUSES["price"]}).encode("cp1251"),
    "--encoding cp1251",
    rows=60,
    uses=("площадь",),
)
case(
    "cp1251_unsaid.csv",
    "the same, nothing typed",
    text({"площадь": HOUSES["area"], "цена": HOUSES["price"]}).encode("cp1251"),
    else_says=("--encoding",),
    rows=60,
    uses=("площадь",),
)
case(
    "shift_jis.csv",
    "Japanese",
    text({"面積": HOUSES["area"], "価格": HOUSES["price"]}).encode("shift_jis"),
    "--encoding shift_jis",
    rows=60,
    uses=("面積",),
)
case(
    "unknown_encoding.csv",
    "an encoding that there is not",
    text(HOUSES),
    "--encoding utf-99",
    kind=None,
    says=("encoding", "utf-99"),
)

# Packed

case("not_packed.csv.gz", "packed by its name only", text(HOUSES), else_says=("gz",), **SAME_HOUSE)
case(
    "broken.csv.gz",
    "a download broke off",
    packed("gz", text(houses(400)))[:900],
    kind=None,
    says=("gz",),
)

# Texts of other programs

RECORDS = [
    dict(zip(HOUSES, map(float, row), strict=True)) for row in zip(*HOUSES.values(), strict=True)
]
case(
    "houses.json", "a list of objects", json.dumps(RECORDS), else_says=("jsonl|csv",), **SAME_HOUSE
)
case(
    "houses_octave.txt",
    "Octave's save: a text of its own",
    "# Created by Octave 8.4.0, Mon Mar 01 10:00:00 2021 UTC <me@host>\n# name: data\n"
    "# type: matrix\n# rows: 60\n# columns: 4\n"
    + "".join(" " + " ".join(row) + "\n" for row in zip(*HOUSES.values(), strict=True)),
    else_says=("octave|-v7|-6",),
    **SAME_HOUSE,
)
case(
    "excel_save.xls",
    "many programs call a text with tabs .xls",
    text(HOUSES, "\t"),
    else_says=("csv",),
    **SAME_HOUSE,
)
case("stdin.csv", "from a pipe", text(HOUSES), stdin=True, **SAME_HOUSE)
case(
    "stdin_no_names.csv",
    "from a pipe, without names",
    text(HOUSES, header=False),
    "--no-header",
    stdin=True,
    **SAME_HOUSE,
)

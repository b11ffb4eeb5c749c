"""Texts: separators, encodings, packed files, formats of other programs that are texts."""

import json

from .case import Corpus
from .material import (
    FLOWERS,
    HOUSE,
    HOUSES,
    IRIS,
    SAME_HOUSE,
    SAME_IRIS,
    archive,
    arff,
    draw,
    gappy,
    houses,
    moved,
    packed,
    petals,
    quoted,
    rooms,
    sparse_lines,
    text,
    with_line,
)

case = Corpus("texts")
X, CODES = petals()

# Separators and endings of names

for name, sep in (
    ("tabs.tsv", "\t"),
    ("tabs.csv", "\t"),
    ("tabs.txt", "\t"),
    ("tabs.tab", "\t"),
    ("semicolons.csv", ";"),
    ("semicolons.txt", ";"),
    ("bars.txt", "|"),
    ("bars.csv", "|"),
    ("bars_spaces.csv", " | "),
    ("commas.txt", ","),
    ("commas.data", ","),
    ("commas.dat", ","),
    ("spaces.txt", " "),
    ("spaces.dat", "   "),
    ("spaces.csv", " "),
    ("upper.CSV", ","),
    ("no_ending", ","),
    ("version.2024", ","),
):
    who = f"columns parted by {sep!r} in a file called {name}"
    case(name, who, text(HOUSES, sep), **SAME_HOUSE)

case(
    "housing.data",
    "UCI: right-aligned numbers, no names, spaces at both ends",
    "".join(
        "".join(f"{cell:>10}" for cell in row) + " \n" for row in zip(*HOUSES.values(), strict=True)
    ),
    **SAME_HOUSE,
)
case(
    "seeds_dataset.txt",
    "UCI: tabs, in places two of them, and no names",
    text(
        {**{n: FLOWERS[n] for n in list(FLOWERS)[:4]}, "c": [str(c + 1) for c in CODES]},
        "\t",
        header=False,
    ).replace("\t", "\t\t", 3),
    **SAME_IRIS,
)
case(
    "auto-mpg.data",
    "UCI: spaces, ? for some, a quoted name at the end",
    "".join(
        f'{float(p) / 10_000:<7.1f}{r:<4}{a:<12}{g:<6}\t"ford model {i}"\n'
        for i, (a, r, g, p) in enumerate(
            zip(
                gappy(HOUSES["area"], "?"),
                *[HOUSES[n] for n in ("rooms", "age", "price")],
                strict=True,
            )
        )
    ),
    "--target 1",
    typed="--missing mean --drop x5",
    inputs=3,
    rows=60,
)
case(
    "adult.data",
    "UCI: a space after each comma, no names, ? for some",
    text(
        {
            "age": FLOWERS["petal_length"],
            "work": gappy([("Private", "State-gov")[i % 2] for i in range(60)], "?"),
            "income": [("<=50K", ">50K")[int(c == 0)] for c in CODES],
        },
        ", ",
        header=False,
    ),
    typed="--missing category",
    kind="classes",
    outputs=2,
    rows=60,
    score=0.9,
)
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
    "single_quotes.csv",
    "Weka's: words between single quotes",
    text({"'place'": [("'north'", "'south'")[i % 2] for i in range(60)], **HOUSES}),
    rows=60,
    uses=("area",),
)
case(
    "inches.csv",
    "a sign for inches within words",
    text({"screen": [('5.5" LCD', '6.1" OLED')[i % 2] for i in range(60)], **HOUSES}),
    rows=60,
    uses=("area", "screen"),
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
case(
    "one_row.csv",
    "one row",
    text(houses(1)),
    kind=None,
    says=("1 row|1 data row|one row|1 example",),
)
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
    "unicode.txt",
    "Excel's 'Unicode text': UTF-16 and tabs",
    text(UMLAUT, "\t", end="\r\n").encode("utf-16"),
    **GERMAN,
)
case(
    "utf16be.csv",
    "UTF-16, the other way round",
    b"\xfe\xff" + text(UMLAUT).encode("utf-16-be"),
    **GERMAN,
)
case(
    "utf16_no_mark.csv",
    "UTF-16 without its mark, and its owner knows",
    text(UMLAUT).encode("utf-16-le"),
    "--encoding utf-16-le",
    **GERMAN,
)
case(
    "utf16_no_mark_unsaid.csv",
    "the same, nothing typed",
    text(UMLAUT).encode("utf-16-le"),
    else_says=("--encoding utf-16",),
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
    "late_umlaut.csv",
    "the first umlaut of Latin-1 comes after 2,000 rows",
    text({"Ort": ["Bonn"] * 2050 + ["Köln"] * 50, **houses(2100)}).encode("latin-1"),
    typed="--encoding latin-1",
    rows=2100,
)
case(
    "unknown_encoding.csv",
    "an encoding that there is not",
    text(HOUSES),
    "--encoding utf-99",
    kind=None,
    says=("encoding", "utf-99"),
)
case(
    "wrong_encoding.csv",
    "an encoding that cannot be the file's",
    text(UMLAUT).encode("latin-1"),
    "--encoding utf-8",
    kind=None,
    says=("--encoding", "utf-8"),
)

# Packed

for how in ("gz", "bz2", "xz"):
    case(f"houses.csv.{how}", f"packed by {how}", packed(how, text(HOUSES)), **SAME_HOUSE)
case("houses.csv.zip", "one file in a zip", archive({"houses.csv": text(HOUSES)}), **SAME_HOUSE)
case(
    "houses.zip",
    "one file in a zip, under another name",
    archive({"data/train.csv": text(HOUSES)}),
    **SAME_HOUSE,
)
case(
    "mac.zip",
    "a Mac adds its own files",
    archive({"houses.csv": text(HOUSES), "__MACOSX/._houses.csv": b"\0\5\26\7"}),
    **SAME_HOUSE,
)
case(
    "two.zip",
    "two tables in a zip",
    archive({"train.csv": text(HOUSES), "test.csv": text(HOUSES)}),
    kind=None,
    says=("train.csv", "test.csv"),
)
case(
    "pipes.data.gz",
    "packed, with bars and no names",
    packed("gz", text(HOUSES, "|", header=False)),
    **SAME_HOUSE,
)
case("not_packed.csv.gz", "packed by its name only", text(HOUSES), else_says=("gz",), **SAME_HOUSE)
case(
    "packed.csv",
    "packed, but not by its name",
    packed("gz", text(HOUSES)),
    else_says=("gz",),
    **SAME_HOUSE,
)
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
    "houses.jsonl", "an object a line", "".join(json.dumps(r) + "\n" for r in RECORDS), **SAME_HOUSE
)
case(
    "houses.ndjson",
    "the same under another name",
    "".join(json.dumps(r) + "\n" for r in RECORDS),
    **SAME_HOUSE,
)
case(
    "gaps.jsonl",
    "some objects lack a key, in others it is null",
    "".join(
        json.dumps(
            {k: v for k, v in r.items() if k != "age" or i != 3}
            | ({"area": None} if i == 8 else {})
        )
        + "\n"
        for i, r in enumerate(RECORDS)
    ),
    typed="--missing mean",
    **HOUSE,
)
case(
    "houses.json", "a list of objects", json.dumps(RECORDS), else_says=("jsonl|csv",), **SAME_HOUSE
)
NOMINAL = {"species": "{setosa,versicolor,virginica}"}
case("iris.arff", "Weka", arff(FLOWERS, NOMINAL), **SAME_IRIS)
case(
    "IRIS_UPPER.arff",
    "Weka, in capitals",
    arff(FLOWERS, NOMINAL)
    .replace("@attribute", "@ATTRIBUTE")
    .replace("numeric", "REAL")
    .replace("@data", "@DATA")
    .replace("@relation", "@RELATION"),
    **SAME_IRIS,
)
case(
    "missing.arff",
    "Weka, ? for some",
    arff(FLOWERS | {"sepal_width": gappy(FLOWERS["sepal_width"], "?")}, NOMINAL),
    typed="--missing mean",
    **IRIS,
)
case(
    "quoted.arff",
    "Weka: quoted names, words with spaces",
    arff(
        {
            **{f"'{n}'": c for n, c in HOUSES.items() if n != "price"},
            "'heat source'": [("'heat pump'", "gas")[i % 2] for i in range(60)],
            "price": HOUSES["price"],
        },
        {"'heat source'": "{'heat pump', gas}"},
    ),
    rows=60,
    uses=("area", "heat source"),
)
case(
    "class_first.arff",
    "Weka, its class first",
    arff(moved(FLOWERS, "species"), NOMINAL),
    "--target species",
    **SAME_IRIS,
)
case(
    "codes.arff",
    "Weka: the classes are 0 and 1",
    arff(
        {**{n: FLOWERS[n] for n in list(FLOWERS)[:4]}, "class": [str(int(c == 0)) for c in CODES]},
        {"class": "{0,1}"},
    ),
    kind="classes",
    outputs=2,
    inputs=4,
    rows=60,
    score=0.95,
)
case(
    "heart_scale.svm",
    "svmlight: -1 and +1, from 1",
    sparse_lines(X, [("-1", "+1")[int(c == 0)] for c in CODES]),
    kind="classes",
    outputs=2,
    inputs=4,
    rows=60,
    score=0.95,
)
case("iris.libsvm", "libsvm: three classes", sparse_lines(X, CODES + 1), **SAME_IRIS)
case(
    "zero_based.svm",
    "svmlight from 0, with a comment",
    "# written by scikit-learn\n" + sparse_lines(X, CODES, 0),
    **SAME_IRIS,
)
case(
    "housing_scale.txt",
    "libsvm's own regressions are called .txt or nothing",
    sparse_lines(rooms()[0], rooms()[1].astype(int)),
    inputs=3,
    rows=60,
)
case(
    "sparse.svm",
    "most numbers are zero",
    sparse_lines(
        (draw(18).random((80, 30)) < 0.1) * 1.0, (draw(18).random((80, 30)) < 0.1)[:, :4].any(1) * 1
    ),
    kind="classes",
    outputs=2,
    rows=80,
    inputs=30,
    score=0.6,
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
case(
    "spss.csv",
    "SPSS: semicolons, decimal commas, #NULL! for missing",
    text(
        {
            n: gappy([c.replace(".", ",") for c in cells], "#NULL!", (4, 9))
            if n == "area"
            else cells
            for n, cells in HOUSES.items()
        },
        ";",
    ),
    typed="--missing mean",
    **HOUSE,
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
case(
    "quoted_numbers.csv",
    "R's write.csv2: quotes, semicolons, decimal commas",
    text(
        {f'"{n}"': quoted(c.replace(".", ",") for c in cells) for n, cells in HOUSES.items()}, ";"
    ),
    **SAME_HOUSE,
)

"""Which line names the columns, and which lines are no rows at all."""

from .case import Corpus
from .material import (
    FLOWERS,
    HOUSE,
    HOUSES,
    SAME_HOUSE,
    SAME_IRIS,
    draw,
    gappy,
    houses,
    moved,
    quoted,
    text,
    with_line,
)

case = Corpus("headers and lines")

# No line of names

case(
    "iris.data",
    "UCI: no names, and an empty line at the end",
    text(FLOWERS, header=False) + "\n",
    says=("--header",),
    **SAME_IRIS,
)
case(
    "iris_no_names.csv",
    "the same, and its owner knows",
    text(FLOWERS, header=False),
    "--no-header",
    **SAME_IRIS,
)
case(
    "wine.data",
    "UCI: no names, the class is the first number",
    text(
        moved(FLOWERS | {"species": [str(i % 3 + 1) for i in range(60)]}, "species"), header=False
    ),
    "--target 1",
    says=("--header",),
    **SAME_IRIS,
)
case(
    "wine_says_no_header.data",
    "the same with both options",
    text(
        moved(FLOWERS | {"species": [str(i % 3 + 1) for i in range(60)]}, "species"), header=False
    ),
    "--no-header --target 1",
    **SAME_IRIS,
)
case(
    "housing_no_names.csv",
    "numbers only; the last column is predicted",
    text(HOUSES, header=False),
    says=("--header",),
    **SAME_HOUSE,
)


def votes() -> str:
    """Return rows of 0 and 1, whose first line has several cells alike, and an answer."""
    bits = draw(4).integers(0, 2, (80, 6))
    bits[0] = [1, 1, 0, 1, 1, 0]
    return "".join(",".join(map(str, [*row, int(row[0] or row[1])])) + "\n" for row in bits)


case(
    "votes.data",
    "cells of the first line are alike: no column is called '1' twice",
    votes(),
    says=("--header",),
    kind="classes",
    outputs=2,
    rows=80,
    inputs=6,
    score=0.9,
)


def cars() -> str:
    """Return rows of words only, the first of which could be names, but for repetition."""
    rng = draw(5)
    lines = ["vhigh,vhigh,2,2,small,low,unacc"]
    for _ in range(99):
        buying, persons = (
            rng.choice(["vhigh", "high", "med", "low"]),
            rng.choice(["2", "4", "more"]),
        )
        safety = rng.choice(["low", "med", "high"])
        good = "unacc" if safety == "low" or persons == "2" else "acc"
        doors, boot = rng.choice(["2", "3", "4", "5more"]), rng.choice(["small", "big"])
        lines.append(
            f"{buying},{rng.choice(['low', 'vhigh'])},{doors},{persons},{boot},{safety},{good}"
        )
    return "\n".join(lines) + "\n"


case(
    "car.data",
    "UCI: words only, no names",
    cars(),
    typed="--no-header",
    kind="classes",
    outputs=2,
    rows=100,
    score=0.9,
)
case(
    "mushroom.data",
    "UCI: letters only, the class first",
    "".join(
        f"{'p' if odour in 'fn' else 'e'},x,{colour},{odour},x\n"
        for odour, colour in draw(6).choice(list("fnal"), (80, 2))
    ),
    "--no-header --target 1",
    kind="classes",
    outputs=2,
    rows=80,
    score=0.95,
)
case(
    "names_are_numbers.csv",
    "pandas wrote an array: its columns are called 0, 1, 2, 3",
    text(dict(zip("0123", HOUSES.values(), strict=True))),
    "--header",
    **SAME_HOUSE,
)
case(
    "names_may_be_numbers.csv",
    "the same, and nothing is said about it",
    text(dict(zip("0123", HOUSES.values(), strict=True))),
    says=("--header|--no-header",),
    inputs=3,
)
case(
    "years_as_names.csv",
    "a column for each year: 2018, 2019, 2020, and words for the first and the last",
    text(
        {
            "country": [f"{('north', 'south', 'east')[i % 3]}" for i in range(60)],
            "2018": HOUSES["area"],
            "2019": HOUSES["rooms"],
            "2020": HOUSES["age"],
            "gdp": HOUSES["price"],
        }
    ),
    "--header",
    rows=60,
    uses=("2018", "2019"),
)

case(
    "names_with_digits.csv",
    "names that begin with digits",
    text(dict(zip(("1stFlr", "2ndFlr", "3Season", "price"), HOUSES.values(), strict=True))),
    **SAME_HOUSE,
)
case(
    "no_names_first_missing.csv",
    "no names, and the first cell is missing",
    text(HOUSES | {"area": gappy(HOUSES["area"], "?", [0])}, header=False),
    typed="--missing mean",
    **HOUSE,
)
case(
    "pima.csv",
    "no names, the last column is 0 or 1",
    text(HOUSES | {"price": [str(int(float(p) > 290_000)) for p in HOUSES["price"]]}, header=False),
    kind="classes",
    outputs=2,
    inputs=3,
    rows=60,
)
case(
    "names_by_tabs.txt",
    "tabs between the names, spaces between the numbers",
    "\t".join(HOUSES) + "\n" + text(HOUSES, " ", header=False),
    **SAME_HOUSE,
)
case("hash_names.tsv", "the names begin with #", "#" + text(HOUSES, "\t"), **SAME_HOUSE)

# Lines that are no rows

case(
    "station_above.csv",
    "a station's data stand above the names",
    "Station: 17\nLat: 48.1\nLon: 11.5\n\n" + text(HOUSES),
    else_says=("line",),
    **SAME_HOUSE,
)
case(
    "source_below.csv",
    "the source stands below the rows",
    text(HOUSES) + "\nSource: statistics office\n",
    else_says=("line 6",),
    **SAME_HOUSE,
)
case("slash_comments.csv", "comments as in C", "// by hand\n" + text(HOUSES), **SAME_HOUSE)

case(
    "blank_lines.csv",
    "an editor left blank lines between the rows and at the end",
    text(HOUSES).replace("\n", "\n\n", 7) + "\n\n\n",
    **SAME_HOUSE,
)
case(
    "lines_of_spaces.csv",
    "blank lines of spaces and tabs",
    text(HOUSES) + "   \n\t\n",
    **SAME_HOUSE,
)
case(
    "lines_of_commas.csv",
    "Excel kept lines whose cells were emptied",
    text(HOUSES) + ",,,\n" * 5,
    **SAME_HOUSE,
)
case(
    "semicolons_at_end.csv",
    "the same in a German Excel",
    text(HOUSES, ";") + ";;;\n" * 3,
    **SAME_HOUSE,
)
case(
    "one_column_gap.csv",
    "an empty first line, then the names",
    "\n" + text(HOUSES),
    **SAME_HOUSE,
)
case(
    "comments.csv",
    "an instrument writes comments before the names",
    "# Logger 17\n# calibrated on 3 May, by hand\n" + text(HOUSES),
    **SAME_HOUSE,
)
case(
    "names_in_comment.dat",
    "numpy.savetxt(header=...): the names stand in a comment",
    "# area rooms age price\n" + text(HOUSES, " ", header=False),
    **SAME_HOUSE,
)
case(
    "comments_between.csv",
    "comments between the rows, too",
    text(HOUSES).replace("\n", "\n# pause\n", 20),
    **SAME_HOUSE,
)
case(
    "percent_comments.txt",
    "MATLAB's comments, then tabs",
    "% written by export.m\n" + text(HOUSES, "\t"),
    **SAME_HOUSE,
)
case(
    "title_above.csv",
    "a report's title stands in a line of its own above the names",
    "Sales of houses 2023\n\n" + text(HOUSES),
    else_says=("line 1|line 3",),
    **SAME_HOUSE,
)
case(
    "units_below.csv",
    "a second line gives the units",
    text(
        {
            name: [unit, *HOUSES[name]]
            for name, unit in zip(HOUSES, ("m2", "-", "years", "EUR"), strict=True)
        }
    ),
    typed="--missing drop",
    inputs=3,
    rows=60,
    says=("left out|m2",),
)
case(
    "total_at_end.csv",
    "the last line has the sums",
    text(HOUSES) + "Total,,,9999999\n",
    typed="--missing drop",
    inputs=3,
    rows=60,
    says=("Total",),
)
case(
    "names_again.csv",
    "files were joined by cat: the names come again in the middle",
    text(houses(40)) + text(houses(30)),
    typed="--missing drop",
    inputs=3,
    rows=70,
    says=("left out|row 41|line 42",),
)
case(
    "sep_line.csv",
    "Excel's own first line says the separator",
    "sep=;\n" + text(HOUSES, ";"),
    **SAME_HOUSE,
)

# Ends of lines, and of the file

case("windows.csv", "lines end as in Windows", text(HOUSES, end="\r\n"), **SAME_HOUSE)
case(
    "old_mac.csv",
    "Excel for Mac: lines end with a carriage return",
    text(HOUSES, end="\r"),
    **SAME_HOUSE,
)
case(
    "mixed_ends.csv",
    "an editor has mixed the ends of lines",
    text(HOUSES, end="\r\n").replace("\r\n", "\n", 30),
    **SAME_HOUSE,
)
case(
    "three_ends.csv",
    "Windows, Unix and an old Mac wrote in turns, and DOS ended the file",
    text(HOUSES, end="\r\n").replace("\r\n", "\n", 20).replace("\n", "\r", 10) + "\x1a\r\n",
    **SAME_HOUSE,
)
case("no_newline_at_end.csv", "the last line has no end", text(HOUSES).rstrip("\n"), **SAME_HOUSE)
case(
    "separator_at_end.csv",
    "each line ends with a comma, the names too",
    text(HOUSES, after=","),
    "--target price",
    **SAME_HOUSE,
)
case(
    "separator_at_end_no_target.csv",
    "the same, and the target is said to be the last column",
    text(HOUSES, after=","),
    **SAME_HOUSE,
)
case(
    "separator_after_rows_only.csv",
    "each row ends with a comma, the line of names does not",
    ",".join(HOUSES) + "\n" + text(HOUSES, header=False, after=","),
    **SAME_HOUSE,
)
case(
    "end_of_file_mark.csv",
    "DOS ended files with a Ctrl-Z",
    text(HOUSES) + "\x1a",
    **SAME_HOUSE,
)

# Names

case(
    "spaces_round_names.csv",
    "a space after each comma",
    text(HOUSES, ", "),
    "--target price",
    **SAME_HOUSE,
)
case(
    "quoted_names.csv",
    "everything is quoted, numbers too",
    text({f'"{name}"': quoted(cells) for name, cells in HOUSES.items()}),
    "--target price",
    **SAME_HOUSE,
)
case(
    "names_twice.csv",
    "two columns have one name, as after a join in SQL",
    text(HOUSES).replace("area,rooms", "size,size", 1),
    typed="--drop size",
    score=-1,
)
case(
    "long_names.csv",
    "names with spaces, brackets and units",
    text(
        dict(
            zip(
                ("Area (m2)", "No. of rooms", "Age [years]", "Price / EUR"),
                HOUSES.values(),
                strict=True,
            )
        )
    ),
    "--target 'Price / EUR'",
    **SAME_HOUSE,
)
case(
    "name_missing.csv",
    "one column has no name",
    text(HOUSES).replace("rooms", "", 1),
    inputs=3,
    rows=60,
)
case(
    "index_and_name.csv",
    "R's write.csv: the rows are numbered in a column without a name",
    text({'""': quoted(map(str, range(1, 61))), **HOUSES}),
    **SAME_HOUSE,
)
case(
    "write_table.txt",
    "R's write.table: a column more than names, for the row names, all parted by spaces",
    " ".join(quoted(HOUSES))
    + "\n"
    + text({"": quoted(map(str, range(1, 61))), **HOUSES}, " ", header=False),
    **SAME_HOUSE,
)
case(
    "to_csv.csv",
    "pandas' to_csv with its index",
    text({"": [str(i) for i in range(60)], **HOUSES}),
    **SAME_HOUSE,
)
case(
    "unnamed_twice.csv",
    "read and written twice by pandas",
    text({"": [str(i) for i in range(60)], "Unnamed: 0": [str(i) for i in range(60)], **HOUSES}),
    **SAME_HOUSE,
)
case(
    "too_many_cells.csv",
    "one row has a cell too many",
    with_line(text(HOUSES), 6, "80.5,2,1,9,180000"),
    else_says=("line 6",),
)

"""Which line names the columns, and which lines are no rows at all."""

from .case import Corpus
from .material import (
    FLOWERS,
    HOUSES,
    SAME_HOUSE,
    SAME_IRIS,
    quoted,
    text,
    with_line,
)

case = Corpus("headers and lines")

# No line of names

case(
    "iris_no_names.csv",
    "the same, and its owner knows",
    text(FLOWERS, header=False),
    "--no-header",
    **SAME_IRIS,
)
case(
    "housing_no_names.csv",
    "numbers only; the last column is predicted",
    text(HOUSES, header=False),
    says=("--header",),
    **SAME_HOUSE,
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

# Lines that are no rows

case(
    "blank_lines.csv",
    "an editor left blank lines between the rows and at the end",
    text(HOUSES).replace("\n", "\n\n", 7) + "\n\n\n",
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

# Ends of lines, and of the file

case("windows.csv", "lines end as in Windows", text(HOUSES, end="\r\n"), **SAME_HOUSE)
case("no_newline_at_end.csv", "the last line has no end", text(HOUSES).rstrip("\n"), **SAME_HOUSE)
case(
    "separator_at_end.csv",
    "each line ends with a comma, the names too",
    text(HOUSES, after=","),
    "--target price",
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

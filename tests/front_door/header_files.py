"""Which line names the columns, and which lines are no rows at all."""

from .case import Corpus
from .material import flowers, houses, quoted, text, with_line

case = Corpus("headers and lines")
FLOWERS, HOUSES = flowers(), houses()
IRIS = {"kind": "classes", "outputs": 3, "inputs": 4, "rows": 60, "score": 0.9}
HOUSE = {"inputs": 3, "rows": 60}

# No line of names

case(
    "iris_no_names.csv",
    "the same, and its owner knows",
    text(FLOWERS, header=False),
    "--no-header",
    **IRIS,
)
case(
    "housing_no_names.csv",
    "numbers only; the last column is predicted",
    text(HOUSES, header=False),
    says=("--header",),
    **HOUSE,
)


case(
    "names_are_numbers.csv",
    "pandas wrote an array: its columns are called 0, 1, 2, 3",
    text(dict(zip("0123", HOUSES.values(), strict=True))),
    "--header",
    **HOUSE,
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


# Ends of lines, and of the file

case("windows.csv", "lines end as in Windows", text(HOUSES, end="\r\n"), **HOUSE)
case("no_newline_at_end.csv", "the last line has no end", text(HOUSES).rstrip("\n"), **HOUSE)

# Names

case(
    "spaces_round_names.csv",
    "a space after each comma",
    text(HOUSES, ", "),
    "--target price",
    **HOUSE,
)
case(
    "quoted_names.csv",
    "everything is quoted, numbers too",
    text({f'"{name}"': quoted(cells) for name, cells in HOUSES.items()}),
    "--target price",
    **HOUSE,
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
    **HOUSE,
)
case(
    "name_missing.csv",
    "one column has no name",
    text(HOUSES).replace("rooms", "", 1),
    inputs=3,
    rows=60,
)
case(
    "too_many_cells.csv",
    "one row has a cell too many",
    with_line(text(HOUSES), 6, "80.5,2,1,9,180000"),
    else_says=("line 6",),
)

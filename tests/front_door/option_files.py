"""Options: lists by comma, wrong ones, and what is said of them before anything is read."""

from .case import Corpus
from .material import flowers, houses, text

case = Corpus("options")
FLOWERS, HOUSES = flowers(), houses()
TABLE = text(HOUSES)
WIDE = text({"street": [f"Way {i}" for i in range(60)], "code": ["x"] * 60, **HOUSES})

case("drop_again.csv", "--drop twice", WIDE, "--drop street --drop code", inputs=3, rows=60)
case(
    "drop_comma_in_name.csv",
    "a name with a comma",
    text({'"street, town"': [f"Way {i}" for i in range(60)], **HOUSES}),
    "--drop 'street, town'",
    inputs=3,
    rows=60,
)
case(
    "drop_target.csv",
    "--drop of the target",
    TABLE,
    "--target price --drop price",
    kind=None,
    says=("--drop", "price"),
)
case(
    "drop_number.csv",
    "--drop by number",
    WIDE,
    "--drop 1,2",
    inputs=3,
    rows=60,
    else_says=("street",),
)
for words, says in (
    ("--kind class", ("--kind", "classes", "numbers")),
    ("--hidden ten", ("--hidden", "ten")),
    ("--test-size 1.5", ("test", "1.5")),
    ("--target 9", ("target", "9", "price")),
    ("--targt price", ("--targt", "--target")),
):
    name = words.strip("-").replace(" ", "_").replace(".", "")
    case(f"wrong_{name}.csv", f"{words} is wrong", TABLE, words, kind=None, says=says)
for words, says in (("--hidden 0", ("hidden",)),):
    name = words.strip("-").split()[0]
    case(
        f"wrong_and_unreadable_{name}.csv",
        f"{words} is wrong, which is said before the file is read",
        "",
        words,
        kind=None,
        says=says,
    )
case("hidden_spaces.csv", "hidden units with a space", TABLE, "--hidden '10, 5'", inputs=3)
case("hidden_comma.csv", "two hidden layers", TABLE, "--hidden 10,5", inputs=3)
case("adam.csv", "minibatches", text(houses(200)), "--optimizer adam", inputs=3, score=0.5)
case("held_out_none.csv", "nothing held out", TABLE, "--test-size 0", inputs=3)

"""Options: lists by comma, wrong ones, and what is said of them before anything is read."""

from .case import Corpus
from .material import FLOWERS, HOUSES, houses, text

case = Corpus("options")
TABLE = text(HOUSES)
WIDE = text({"street": [f"Way {i}" for i in range(60)], "code": ["x"] * 60, **HOUSES})

case("drop_two.csv", "--drop by comma", WIDE, "--drop street,code", inputs=3, rows=60)
case(
    "drop_spaces.csv", "--drop by comma and space", WIDE, "--drop 'street, code'", inputs=3, rows=60
)
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
    "drop_misspelt.csv",
    "--drop of a misspelt name",
    WIDE,
    "--drop street,cod",
    kind=None,
    says=("cod", "code"),
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
    "drop_all.csv",
    "--drop of all inputs",
    TABLE,
    "--drop area,rooms,age",
    kind=None,
    says=("input",),
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
    ("--missing median", ("--missing", "mean", "drop", "category")),
    ("--kind class", ("--kind", "classes", "numbers")),
    ("--optimizer adamm", ("optimizer", "adam")),
    ("--activation rely", ("activation", "relu")),
    ("--output softmx", ("output", "softmax")),
    ("--hidden 0", ("hidden",)),
    ("--hidden ten", ("--hidden", "ten")),
    ("--test-size 1.5", ("test", "1.5")),
    ("--target 9", ("target", "9", "price")),
    ("--targt price", ("--targt", "--target")),
):
    name = words.strip("-").replace(" ", "_").replace(".", "")
    case(f"wrong_{name}.csv", f"{words} is wrong", TABLE, words, kind=None, says=says)
for words, says in (
    ("--optimizer adamm", ("optimizer", "adam")),
    ("--activation rely", ("activation", "relu")),
    ("--output softmx", ("output", "softmax")),
    ("--hidden 0", ("hidden",)),
    ("--test-size 1.5", ("test", "1.5")),
):
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
case(
    "learning_rate.csv",
    "the rate of the minibatches",
    text(houses(200)),
    "--optimizer adam --learning-rate 0.02 --batch-size 20",
    inputs=3,
    score=0.5,
)
case("patience.csv", "an early end", text(houses(200)), "--validation 0.2 --patience 10", inputs=3)
case("restarts.csv", "several starts on one thread", TABLE, "--n-restarts 2 --threads 1", inputs=3)
case(
    "dropout.csv",
    "dropout",
    text(houses(200)),
    "--optimizer adam --dropout 0.1",
    inputs=3,
    score=0.3,
)
case(
    "classes_as_numbers.csv",
    "words cannot be numbers",
    text(FLOWERS),
    "--kind numbers",
    kind=None,
    says=("species", "setosa"),
)
case(
    "numbers_as_classes.csv",
    "amounts cannot be classes",
    TABLE,
    "--kind classes",
    kind=None,
    says=("--kind", "price"),
)
case(
    "softmax_on_numbers.csv",
    "an output for classes, a target of numbers",
    TABLE,
    "--output softmax",
    kind=None,
    says=("--output", "--kind"),
)
case("held_out_none.csv", "nothing held out", TABLE, "--test-size 0", inputs=3)

"""Missing inputs, sentinels, constants, columns that number the rows, leaks."""

from .case import Corpus
from .material import draw, flowers, gappy, houses, passengers, text

case = Corpus("columns")
FLOWERS, HOUSES = flowers(), houses()
HOUSE = {"inputs": 3, "rows": 60}

# Real tables' troubles, all at once

case(
    "titanic_drop_repeated.csv",
    "the same, an option for each column",
    text(passengers()),
    "--target Survived --missing mean --drop PassengerId --drop Name --drop Ticket --drop Cabin",
    kind="classes",
    outputs=2,
    rows=100,
    score=0.8,
    without=("Name", "Ticket", "Cabin"),
)


# Missing

WORDS = [("gas", "oil", "wood")[i % 3] for i in range(60)]
HEATED = {"heating": gappy(WORDS, "", (1, 8, 30)), **HOUSES}
case("heating_mean.csv", "missing words are filled", text(HEATED), "--missing mean", rows=60)


# Sentinels

case(
    "no_sentinel.csv",
    "temperatures below zero are no sentinels",
    text({"degrees": [f"{v:.1f}" for v in draw(14).normal(-5, 9, 60)], **HOUSES}),
    never_says=("--missing",),
    inputs=4,
    rows=60,
)

# Constants, and columns that number the rows

case(
    "numbers_only_look_like_ids.csv",
    "amounts that are all different stay an input",
    text({"income": [f"{v:.0f}" for v in draw(17).normal(40_000, 9000, 60)], **HOUSES}),
    never_says=("--drop",),
    inputs=4,
    rows=60,
)
case(
    "many_towns.csv",
    "forty towns among sixty rows",
    text({"town": [f"Town {i % 40}" for i in range(60)], **HOUSES}),
    rows=60,
    score=0.3,
    says=("town",),
)

# Leaks

case(
    "no_leak.csv",
    "one input that decides nearly all is no leak",
    text(HOUSES),
    never_says=("--drop",),
    **HOUSE,
)

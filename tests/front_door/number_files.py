"""Numbers and dates that look otherwise, and marks for what is missing."""

from datetime import datetime, timedelta

import numpy as np

from .case import Corpus
from .material import HOUSE, HOUSES, SAME_HOUSE, draw, each, gappy, german, houses, moments, text

case = Corpus("numbers and dates")

# Decimal commas and thousands

case(
    "ganze_tausender.csv",
    "thousands with points and no decimals",
    text(each(HOUSES, "price", lambda v: german(v, 0)), ";"),
    **HOUSE,
)


case(
    "points_in_semicolons.csv",
    "semicolons, but decimal points",
    text(HOUSES, ";"),
    **SAME_HOUSE,
)


# Signs, exponents, padding

case(
    "exponents.csv",
    "exponents, large and small",
    text(each(each(HOUSES, "price", lambda v: f"{v:.4E}"), "area", lambda v: f"{v:.3e}")),
    **HOUSE,
)
case(
    "plus.csv",
    "a plus before positive numbers, points without digits",
    text(each(each(HOUSES, "area", lambda v: f"{v - 140:+.1f}"), "age", lambda v: f"{v:.0f}.")),
    **HOUSE,
)
case(
    "padded.csv",
    "cells padded to a width",
    text({name: [f"{cell:>12}" for cell in cells] for name, cells in HOUSES.items()}),
    **HOUSE,
)
case(
    "leading_zeros.csv",
    "numbers filled up with zeros",
    text(each(HOUSES, "area", lambda v: f"{v:07.1f}")),
    **HOUSE,
)
case(
    "first_whole.csv",
    "whole numbers for 300 rows, and then fractions",
    text(
        {
            name: [f"{float(c):.0f}" if i < 300 else c for i, c in enumerate(cells)]
            for name, cells in houses(360).items()
        }
    ),
    inputs=3,
    rows=360,
)
case(
    "infinite.csv",
    "pandas wrote inf after a division",
    text(HOUSES | {"area": gappy(HOUSES["area"], "inf", [4])}),
    typed="--missing mean",
    **HOUSE,
)

# Marks for what is missing: two or three among sixty numbers

for mark, who in (
    ("", "an empty cell"),
    (" ", "a blank"),
    ("?", "a question mark, as UCI does"),
    ("N/A", "N/A"),
    ("NA", "NA, as R does"),
    ("NULL", "NULL, as databases do"),
    ("null", "null"),
    ("NaN", "NaN"),
    ("nan", "nan"),
    ("None", "None, as Python prints it"),
):
    name = "".join(c if c.isalnum() else f"x{ord(c):02x}" for c in mark) or "empty"
    case(
        f"mark_{name}.csv",
        f"missing is {who}",
        text(HOUSES | {"area": gappy(HOUSES["area"], mark)}),
        typed="--missing mean",
        says=("row 4|line 5",),
        **HOUSE,
    )
case(
    "mark_quoted.csv",
    "missing is a quoted empty cell",
    text(HOUSES | {"area": gappy(HOUSES["area"], '""')}),
    typed="--missing mean",
    **HOUSE,
)

# Two values

for yes, no in (("yes", "no"), ("TRUE", "FALSE"), ("True", "False"), ("t", "f"), ("Y", "N")):
    flag = draw(7).random(60) < 0.5
    price = [f"{float(p) + 80_000 * f:.0f}" for p, f in zip(HOUSES["price"], flag, strict=True)]
    case(
        f"garden_{yes}.csv",
        f"an input is {yes} or {no}",
        text({"garden": [yes if f else no for f in flag], **HOUSES, "price": price}),
        uses=("garden",),
        rows=60,
    )

# Dates and times

START = datetime(2021, 3, 1)


def dated(write: str, every: timedelta, m: int = 120) -> dict[str, list[str]]:
    """Return a log whose amount rises with time and depends on the hour and on an input."""
    when = moments(START, every, m)
    load = draw(8).uniform(0, 10, m)
    amount = np.arange(m) * 2.0 + 5 * load + [30 * (8 <= w.hour < 18) for w in when]
    return {
        "time": [w.strftime(write) for w in when],
        "load": [f"{v:.2f}" for v in load],
        "amount": [f"{v:.1f}" for v in amount],
    }


DATED = {"rows": 120, "uses": ("time", "load"), "score": 0.85}
DAY, HOURS = timedelta(days=1), timedelta(hours=5)
case("compact.csv", "days as 20210301", text(dated("%Y%m%d", DAY)), **DATED)
STAMPS = [str(1_614_556_800_000 + 18_000_000 * i) for i in range(120)]
case(
    "milliseconds.csv",
    "milliseconds since 1970",
    text(dated("", HOURS) | {"time": STAMPS}),
    **DATED | {"score": 0.7},
)


case(
    "unix_seconds.csv",
    "seconds since 1970",
    text(dated("", HOURS) | {"time": [str(1_614_556_800 + 18_000 * i) for i in range(120)]}),
    **DATED | {"score": 0.7},
)
case(
    "day_and_clock.csv",
    "the day in one column, the time in another",
    text(
        {
            "day": dated("%d.%m.%Y", HOURS)["time"],
            "clock": dated("%H:%M:%S", HOURS)["time"],
            "load": dated("", HOURS)["load"],
            "amount": dated("", HOURS)["amount"],
        },
        ";",
    ),
    rows=120,
    uses=("day", "clock", "load"),
    score=0.85,
)

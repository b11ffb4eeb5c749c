"""Numbers and dates that look otherwise, and marks for what is missing."""

from datetime import datetime, timedelta

import numpy as np

from .case import Corpus
from .material import HOUSE, HOUSES, SAME_HOUSE, draw, each, gappy, german, houses, moments, text

case = Corpus("numbers and dates")

# Decimal commas and thousands

case(
    "haeuser.csv",
    "a German Excel: semicolons, decimal commas",
    text(each(HOUSES, "area", german), ";"),
    **HOUSE,
)
case(
    "preise.csv",
    "the same with points between thousands, in the target too",
    text(each(each(HOUSES, "area", german), "price", lambda v: german(v, 2)), ";"),
    **HOUSE,
)
case(
    "ganze_tausender.csv",
    "thousands with points and no decimals",
    text(each(HOUSES, "price", lambda v: german(v, 0)), ";"),
    **HOUSE,
)
case(
    "maisons.csv",
    "a French Excel: a narrow space that does not break between thousands",
    text(each(HOUSES, "price", lambda v: f"{v:,.0f}".replace(",", "\u202f")), ";"),
    **HOUSE,
)
case(
    "maisons_nbsp.csv",
    "an older one: the wider space, and decimal commas",
    text(each(HOUSES, "price", lambda v: f"{v:,.1f}".replace(",", "\xa0").replace(".", ",")), ";"),
    **HOUSE,
)
case(
    "haeuser_tab.txt",
    "decimal commas between tabs",
    text(each(HOUSES, "area", german), "\t"),
    **HOUSE,
)
case(
    "haeuser_quoted.csv",
    "decimal commas in quotes, between commas",
    text(each(HOUSES, "area", lambda v: f'"{german(v)}"')),
    **HOUSE,
)
case(
    "us_prices.csv",
    "the thousands of an American export, quoted",
    text(each(HOUSES, "price", lambda v: f'"{v:,.0f}"')),
    **HOUSE,
)
case(
    "us_inputs.csv",
    "thousands among the inputs, some numbers without",
    text(each(HOUSES, "area", lambda v: f'"{10 * v:,.0f}"')),
    **HOUSE,
)
case(
    "swiss.csv",
    "Swiss thousands: an apostrophe",
    text(each(HOUSES, "price", lambda v: f"{v:,.0f}".replace(",", "'"))),
    **HOUSE,
)


def lakh(value: float) -> str:
    """Write a number as in India: 12,34,567."""
    digits = f"{value:.0f}"
    head, tail = digits[:-3], digits[-3:]
    while len(head) > 2:
        head, tail = head[:-2], head[-2:] + "," + tail
    return f'"{head},{tail}"' if head else tail


case("india.csv", "thousands as in India", text(each(HOUSES, "price", lakh)), **HOUSE)

case(
    "millionen.csv",
    "millions with two points, others with one",
    text(each(HOUSES, "price", lambda v: german(10 * v, 0)), ";"),
    **HOUSE | {"same": SAME_HOUSE["same"] * [1, 1, 1, 10]},
)
case(
    "points_in_semicolons.csv",
    "semicolons, but decimal points",
    text(HOUSES, ";"),
    **SAME_HOUSE,
)
case(
    "both_commas.csv",
    "decimal commas in one column, decimal points in another",
    text(each(each(HOUSES, "area", german), "age", lambda v: f"{v:.1f}"), ";"),
    **SAME_HOUSE,
)
case(
    "some_thousands.csv",
    "thousands have a comma, smaller numbers have none",
    text(each(HOUSES, "area", lambda v: f'"{20 * v:,.0f}"')),
    **HOUSE,
)

# Currencies, percent, units


def bracketed(value: float) -> str:
    """Write an amount less 200,000 in dollars, in brackets where it is below zero."""
    return losses(value) if value >= 2e5 else f'"(${2e5 - value:,.0f})"'


def losses(value: float) -> str:
    """Write an amount less 200,000 in dollars, with the minus before the sign."""
    return f'"{"-" if value < 2e5 else ""}${abs(value - 2e5):,.0f}"'


for name, who, write in (
    ("dollars.csv", "dollars with thousands", lambda v: f'"${v:,.2f}"'),
    ("dollars_plain.csv", "dollars", lambda v: f"${v:.2f}"),
    ("pounds.csv", "pounds", lambda v: f'"£{v:,.0f}"'),
    ("euros.csv", "euros before the number", lambda v: f"€ {v:.0f}"),
    ("euros_after.csv", "euros after it", lambda v: f"{v:.2f} €"),
    ("dollar_space.csv", "dollars and a space", lambda v: f'"$ {v:,.0f}"'),
    ("losses.csv", "dollars below zero", losses),
    ("losses_brackets.csv", "dollars, losses in brackets", bracketed),
    ("kroner.csv", "kroner", lambda v: f"{v:,.0f} kr".replace(",", " ")),
    ("yen.csv", "yen", lambda v: f'"¥{v:,.0f}"'),
    ("usd.csv", "the currency's letters", lambda v: f"USD {v:.0f}"),
):
    case(name, f"prices in {who}", text(each(HOUSES, "price", write)), **HOUSE)
case(
    "euro_haeuser.csv",
    "German euros",
    text(each(HOUSES, "price", lambda v: german(v, 2) + " €"), ";"),
    **HOUSE,
)
case(
    "dollar_inputs.csv",
    "dollars among the inputs",
    text(each(HOUSES, "area", lambda v: f"${v:.2f}")),
    **HOUSE,
)
case(
    "debts.csv",
    "an accountant's negative amounts stand in brackets",
    text(each(HOUSES, "price", lambda v: f"({250_000 - v:.0f})" if v < 250_000 else f"{v:.0f}")),
    inputs=3,
    rows=60,
    score=0.8,
)
case(
    "percent.csv",
    "an input in percent",
    text(each(HOUSES, "area", lambda v: f"{v / 3:.1f}%")),
    **HOUSE,
)
case(
    "percent_space.csv",
    "percent after a space, with decimal commas",
    text(each(HOUSES, "area", lambda v: f"{german(v / 3)} %"), ";"),
    **HOUSE,
)
case(
    "percent_target.csv",
    "the target in percent",
    text(each(HOUSES, "price", lambda v: f"{v / 5000:.1f}%")),
    **HOUSE,
)
case(
    "units.csv",
    "the unit stands in each cell",
    text(each(HOUSES, "area", lambda v: f"{v:.1f} m2")),
    typed="--drop area",
    uses=("area",),
    rows=60,
)
for unit, who in ((" kg", "kilograms"), ("cm", "no space before it"), (" min", "minutes")):
    case(
        f"unit_{unit.strip()}.csv",
        f"the unit stands in each cell: {who}",
        text(each(HOUSES, "area", lambda v, unit=unit: f"{v:.1f}{unit}")),
        uses=("area",),
        rows=60,
    )
case(
    "ranges.csv",
    "each cell is a range: 40 - 50",
    text(each(HOUSES, "area", lambda v: f"{v:.0f} - {v + 10:.0f}")),
    typed="--drop area",
    uses=("area",),
    rows=60,
)
case(
    "wide_digits.csv",
    "digits as a Japanese keyboard types them",
    text(
        each(HOUSES, "area", lambda v: f"{v:.1f}".translate({48 + d: 65296 + d for d in range(10)}))
    ),
    **HOUSE,
)
case(
    "kilo.csv",
    "amounts as k and M, as in app stores",
    text(each(HOUSES, "area", lambda v: f"{v * 10:.0f}k" if v < 100 else f"{v / 100:.3f}M")),
    typed="--drop area",
    uses=("area",),
    rows=60,
)

# Signs, exponents, padding

case(
    "true_minus.csv",
    "Wikipedia's minus, U+2212",
    text(each(HOUSES, "area", lambda v: f"{v - 140:.1f}".replace("-", "\u2212"))),
    **HOUSE,
)
case(
    "exponents.csv",
    "exponents, large and small",
    text(each(each(HOUSES, "price", lambda v: f"{v:.4E}"), "area", lambda v: f"{v:.3e}")),
    **HOUSE,
)
case(
    "exponents_fortran.dat",
    "Fortran's exponents",
    text(each(HOUSES, "area", lambda v: f"{v:.4E}".replace("E", "D")), " "),
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
    "late_mark.csv",
    "one n/a after 2,000 rows of numbers",
    text(houses(2100) | {"area": gappy(houses(2100)["area"], "n/a", [2050])}),
    typed="--missing mean",
    inputs=3,
    rows=2100,
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
    ("-", "a dash, as in reports"),
    ("--", "two dashes"),
    ("—", "a long dash"),
    (".", "a point, as SAS and Stata write it"),
    ("?", "a question mark, as UCI does"),
    ("n/a", "n/a, as people type it"),
    ("N/A", "N/A"),
    ("NA", "NA, as R does"),
    ("#N/A", "#N/A, as Excel does"),
    ("#DIV/0!", "an error of Excel"),
    ("#NULL!", "#NULL!, as SPSS writes it"),
    ("NULL", "NULL, as databases do"),
    ("null", "null"),
    (r"\N", r"\N, as MySQL does"),
    ("NaN", "NaN"),
    ("nan", "nan"),
    ("None", "None, as Python prints it"),
    ("<NA>", "<NA>, as newer pandas do"),
    ("*", "a star, as statistical offices write it"),
    ("..", "two points, as they do, too"),
    (":", "a colon, as Eurostat does"),
    ("#REF!", "another error of Excel"),
    ("#VALUE!", "a third one"),
    ("TBD", "to be done"),
    ("not available", "two words"),
    ("\xa0", "a blank that does not break"),
    ("missing", "a word"),
    ("unknown", "another word"),
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
case(
    "stray_letter.csv",
    "one number was typed with a letter o",
    text(HOUSES | {"area": gappy(HOUSES["area"], "1o2.5", [8])}),
    typed="--missing mean",
    says=("1o2.5",),
    **HOUSE,
)
case(
    "stray_question.csv",
    "someone doubted two numbers",
    text(HOUSES | {"area": gappy(HOUSES["area"], "120.5?", [8, 9])}),
    typed="--missing mean",
    says=("120.5?",),
    **HOUSE,
)
case(
    "below_detection.csv",
    "a laboratory: less than it can detect",
    text(HOUSES | {"age": gappy(HOUSES["age"], "<5", [1, 5, 9, 22])}),
    typed="--missing mean",
    says=("<5",),
    **HOUSE,
)
case(
    "open_range.csv",
    "the greatest are written 90+",
    text(HOUSES | {"age": gappy(HOUSES["age"], "90+", [3, 30])}),
    typed="--missing mean",
    says=("90+",),
    **HOUSE,
)
case(
    "marks_mixed.csv",
    "several people typed: N/A, -, ?, and empty cells",
    text(
        HOUSES
        | {
            "area": gappy(gappy(HOUSES["area"], "N/A", [2]), "-", [30]),
            "age": gappy(gappy(HOUSES["age"], "?", [11]), "", [12]),
        }
    ),
    typed="--missing mean",
    says=("area", "age"),
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
DAYS = dated("%Y-%m-%d", DAY)
case("iso_dates.csv", "days as 2021-03-01", text(DAYS), **DATED)
case(
    "iso_times.csv",
    "a sensor: 2021-03-01 05:00:00",
    text(dated("%Y-%m-%d %H:%M:%S", HOURS)),
    **DATED,
)
case(
    "iso_zulu.csv",
    "a service: 2021-03-01T05:00:00Z",
    text(dated("%Y-%m-%dT%H:%M:%SZ", HOURS)),
    **DATED,
)
case(
    "iso_offset.csv",
    "with fractions of a second and an offset",
    text(dated("%Y-%m-%dT%H:%M:%S.250+01:00", HOURS)),
    **DATED,
)
case("tage.csv", "German days: 01.03.2021", text(dated("%d.%m.%Y", DAY), ";"), **DATED)
case(
    "tage_zeit.csv",
    "German times: 01.03.2021 05:00",
    text(dated("%d.%m.%Y %H:%M", HOURS), ";"),
    **DATED,
)
case("us_dates.csv", "American days: 03/01/2021", text(dated("%m/%d/%Y", DAY)), **DATED)
case("uk_dates.csv", "British days: 01/03/2021", text(dated("%d/%m/%Y", DAY)), **DATED)
case(
    "us_times.csv",
    "American times: 03/01/2021 05:00 AM",
    text(dated("%m/%d/%Y %I:%M %p", HOURS)),
    **DATED,
)
case("long_dates.csv", "days in words: 01 Mar 2021", text(dated("%d %b %Y", DAY)), **DATED)
case(
    "longer_dates.csv",
    "days in words, quoted: March 01, 2021",
    text(dated('"%B %d, %Y"', DAY)),
    **DATED,
)
case("slashes.csv", "days as 2021/03/01", text(dated("%Y/%m/%d", DAY)), **DATED)
case("compact.csv", "days as 20210301", text(dated("%Y%m%d", DAY)), **DATED)
case(
    "months.csv",
    "months as 2021-03",
    text(dated("%Y-%m", timedelta(days=31), 90)),
    **DATED | {"rows": 90},
)
case("short_years.csv", "American days: 03/01/21", text(dated("%m/%d/%y", DAY)), **DATED)
case("oracle.csv", "a database's days: 01-MAR-21", text(dated("%d-%b-%y", DAY)), **DATED)
case("iso_minutes.csv", "2021-03-01T05:00", text(dated("%Y-%m-%dT%H:%M", HOURS)), **DATED)
STAMPS = [str(1_614_556_800_000 + 18_000_000 * i) for i in range(120)]
case(
    "milliseconds.csv",
    "milliseconds since 1970",
    text(dated("", HOURS) | {"time": STAMPS}),
    **DATED | {"score": 0.7},
)
case(
    "quarters.csv",
    "quarters: 2021-Q1",
    text(
        {
            "time": [f"{1990 + i // 4}-Q{1 + i % 4}" for i in range(120)],
            "amount": [f"{3.0 * i + 40 * (i % 4 == 3):.1f}" for i in range(120)],
        }
    ),
    **DATED | {"uses": ("time",)},
)


def lap(minutes: float) -> str:
    """Write a duration as 1:02:30.

    Examples
    --------
    >>> lap(62.5)
    '1:02:30'
    """
    return f"{int(minutes) // 60}:{int(minutes) % 60:02}:{int(60 * minutes) % 60:02}"


case("laps.csv", "durations: 1:02:30", text(each(HOUSES, "area", lap)), rows=60, uses=("area",))
case(
    "clock_only.csv",
    "the time of day: 05:00 PM",
    text(dated("%I:%M %p", timedelta(minutes=11))),
    rows=120,
    uses=("time",),
    score=0.7,
)
case(
    "two_days.csv",
    "two columns of days: ordered, delivered",
    text(
        {
            "ordered": dated("%Y-%m-%d", DAY)["time"],
            "delivered": [f"{d:%Y-%m-%d}" for d in moments(datetime(2021, 3, 8), DAY)],
            **{n: dated("", DAY)[n] for n in ("load", "amount")},
        }
    ),
    rows=120,
    uses=("ordered", "delivered", "load"),
    score=0.85,
)
case(
    "stray_date.csv",
    "one day was typed otherwise",
    text(DAYS | {"time": gappy(DAYS["time"], "end of May", [90])}),
    typed="--missing mean",
    says=("end of May",),
    **DATED | {"score": 0.7},
)
case(
    "date_gaps.csv",
    "some days are missing",
    text(DAYS | {"time": gappy(DAYS["time"], "")}),
    typed="--missing mean",
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
case(
    "only_the_date.csv",
    "a day and an amount, nothing else",
    text({k: v for k, v in dated("%Y-%m-%d", DAY).items() if k != "load"}),
    rows=120,
    uses=("time",),
    score=0.7,
)
case(
    "date_is_target.csv",
    "the day is asked for",
    text(dated("%Y-%m-%d", DAY)),
    "--target time",
    kind=None,
    says=("time", "date", "--target"),
)
case(
    "air_quality.csv",
    "UCI's: dates, times with points, decimal commas, -200 for missing, two empty columns",
    text(
        {
            "Date": dated("%d/%m/%Y", HOURS)["time"],
            "Time": dated("%H.%M.%S", HOURS)["time"],
            "CO": gappy(
                [german(float(v)) for v in dated("", HOURS)["load"]], "-200", range(9, 120, 20)
            ),
            "NOx": dated("", HOURS)["amount"],
        },
        ";",
        after=";;",
    )
    + ";;;;;\n" * 3,
    "--target NOx",
    rows=120,
    says=("-200", "--missing"),
    uses=("Date", "CO"),
    score=0.5,
)

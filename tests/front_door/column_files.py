"""Missing inputs, sentinels, constants, columns that number the rows, leaks."""

import numpy as np

from .case import Corpus
from .material import FLOWERS, HOUSE, HOUSES, SPECIES, draw, gappy, passengers, subscribers, text

case = Corpus("columns")

# Real tables' troubles, all at once

case(
    "titanic.csv",
    "Kaggle's Titanic: one corrected command",
    text(passengers()),
    "--target Survived",
    typed="--missing mean --drop Name,Ticket",
    kind="classes",
    outputs=2,
    rows=100,
    score=0.8,
    says=("PassengerId",),
    uses=("Sex", "Age"),
)
case(
    "titanic_corrected.csv",
    "the same, typed by someone who knows it",
    text(passengers()),
    "--target Survived --missing mean --drop PassengerId,Name,Ticket,Cabin",
    kind="classes",
    outputs=2,
    rows=100,
    score=0.8,
    without=("Name", "Ticket", "Cabin"),
)
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
case(
    "titanic_missing_only.csv",
    "the gaps are seen to, the names are not",
    text(passengers()),
    "--target Survived --missing mean",
    typed="--drop Name,Ticket",
    kind="classes",
    outputs=2,
    rows=100,
    score=0.8,
)
case(
    "telco.csv",
    "telephone customers: a customer's number, blanks in total charges",
    text(subscribers()),
    typed="--missing mean --drop customerID",
    kind="classes",
    outputs=2,
    rows=120,
    score=0.8,
    says=("TotalCharges",),
    uses=("tenure",),
)


def staff(m: int = 100) -> dict[str, list[str]]:
    """Return a table as IBM's of people who leave: constants, and numbers of employees."""
    rng = draw(11)
    income, overtime = rng.uniform(1000, 20_000, m), rng.random(m) < 0.5
    leaves = (income < 9000) & overtime
    return {
        "Age": [str(v) for v in rng.integers(18, 60, m)],
        "Attrition": ["Yes" if v else "No" for v in leaves],
        "EmployeeCount": ["1"] * m,
        "EmployeeNumber": [str(i + 1) for i in range(m)],
        "MonthlyIncome": [f"{v:.0f}" for v in income],
        "Over18": ["Y"] * m,
        "OverTime": ["Yes" if v else "No" for v in overtime],
        "StandardHours": ["80"] * m,
    }


case(
    "attrition.csv",
    "people who leave: three constants and the employee's number",
    text(staff()),
    "--target Attrition",
    kind="classes",
    outputs=2,
    rows=100,
    score=0.8,
    says=("EmployeeCount", "Over18", "StandardHours", "EmployeeNumber", "--drop"),
)
case(
    "kaggle_houses.csv",
    "house prices: Id, and NA where there is no alley",
    text(
        {
            "Id": [str(i + 1) for i in range(60)],
            **{n: HOUSES[n] for n in ("area", "rooms", "age")},
            "Alley": ["Grvl" if i % 9 == 0 else "NA" for i in range(60)],
            "SalePrice": HOUSES["price"],
        }
    ),
    typed="--missing category",
    rows=60,
    says=("Id", "Alley"),
    uses=("area",),
)
case(
    "breast_cancer.csv",
    "random numbers of patients first, an empty column last",
    text(
        {
            "id": [str(v) for v in draw(12).permutation(900_000)[:60]],
            "diagnosis": [("M", "B")[s == "setosa"] for s in FLOWERS["species"]],
            **{n: FLOWERS[n] for n in list(FLOWERS)[:4]},
        },
        after=",",
    ),
    "--target diagnosis",
    kind="classes",
    outputs=2,
    rows=60,
    score=0.9,
    says=("id",),
)

# Missing

WORDS = [("gas", "oil", "wood")[i % 3] for i in range(60)]
HEATED = {"heating": gappy(WORDS, "", (1, 8, 30)), **HOUSES}
case(
    "heating_category.csv",
    "missing words are a category of their own",
    text(HEATED),
    "--missing category",
    rows=60,
)
case("heating_mean.csv", "missing words are filled", text(HEATED), "--missing mean", rows=60)
case(
    "heating_drop.csv",
    "rows with gaps are left out",
    text(HEATED),
    "--missing drop",
    rows=57,
    says=("3",),
)
case(
    "heating.csv",
    "gaps among words, nothing typed",
    text(HEATED),
    typed="--missing category",
    rows=60,
)
case(
    "heating_question.csv",
    "the same, marked by ?",
    text({"heating": gappy(WORDS, "?"), **HOUSES}),
    typed="--missing category",
    rows=60,
    says=("3",),
)
case(
    "area_category.csv",
    "--missing category, and numbers are missing",
    text(HOUSES | {"area": gappy(HOUSES["area"], "")}),
    "--missing category",
    typed="--missing mean",
    rows=60,
)
case(
    "area_drop.csv",
    "rows without an area are left out",
    text(HOUSES | {"area": gappy(HOUSES["area"], "NA")}),
    "--missing drop",
    inputs=3,
    rows=57,
    says=("3",),
)
case(
    "all_empty.csv",
    "a column without any entry",
    text({"Unnamed: 32": [""] * 60, **HOUSES}),
    says=("Unnamed: 32",),
    **HOUSE,
)
case(
    "nearly_empty.csv",
    "a column with two entries",
    text({"pool": gappy([""] * 60, "51.2", (4, 50)), **HOUSES}),
    typed="--drop pool",
    says=("pool",),
    **HOUSE,
)
case(
    "flag_gaps.csv",
    "yes, no, or nothing",
    text({"garden": gappy([("yes", "no")[i % 2] for i in range(60)], ""), **HOUSES}),
    typed="--missing category",
    rows=60,
)


def survey(m: int = 90) -> dict[str, list[str]]:
    """Return answers on a scale in words, with N/A and dashes, and an age with dashes."""
    rng = draw(13)
    scale = ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree")
    first, second = rng.integers(0, 5, (2, m))
    return {
        "respondent": [f"R-{1000 + i}" for i in range(m)],
        "age": gappy([str(v) for v in rng.integers(18, 80, m)], "-", (3, 33, 63)),
        "Q1": gappy([scale[v] for v in first], "N/A", (5, 25)),
        "Q2": gappy([scale[v] for v in second], "-", (7, 70)),
        "satisfied": ["yes" if a + b > 4 else "no" for a, b in zip(first, second, strict=True)],
    }


case(
    "survey.csv",
    "a survey with N/A and dashes, and the number of each respondent",
    text(survey()),
    typed="--missing mean --drop respondent",
    kind="classes",
    outputs=2,
    rows=90,
    score=0.75,
    says=("age", "Q1", "Q2"),
)
case(
    "qualtrics.csv",
    "three lines of names: short ones, the questions, and ids",
    text({n: [f"Question on {n}", f'"{{""ImportId"":""{n}""}}"', *c] for n, c in HOUSES.items()}),
    typed="--missing drop",
    says=("left out|Question on area",),
    **HOUSE,
)

# Sentinels

for value, who in (("-999", "-999"), ("-9999.0", "-9999.0"), ("-200", "-200"), ("99999", "99999")):
    case(
        f"sentinel_{value.strip('-').replace('.', '_')}.csv",
        f"{who} where the sensor gave nothing",
        text(HOUSES | {"area": gappy(HOUSES["area"], value, (2, 20, 33, 47))}),
        rows=60,
        score=-5,
        says=("area", value.removesuffix(".0"), "--missing"),
    )
case(
    "no_sentinel.csv",
    "temperatures below zero are no sentinels",
    text({"degrees": [f"{v:.1f}" for v in draw(14).normal(-5, 9, 60)], **HOUSES}),
    never_says=("--missing",),
    inputs=4,
    rows=60,
)

case(
    "sentinel_target.csv",
    "-999 where the price is not known",
    text(HOUSES | {"price": gappy(HOUSES["price"], "-999", (2, 9))}),
    rows=60,
    score=-99,
    says=("price", "-999"),
)
case(
    "sentinel_age.csv",
    "999 for an age that is not known",
    text(HOUSES | {"age": gappy(HOUSES["age"], "999", (2, 8, 30))}),
    rows=60,
    says=("age", "999", "--missing"),
)
case(
    "one_large.csv",
    "one large house is no sentinel",
    text(HOUSES | {"area": gappy(HOUSES["area"], "900", [2])}),
    rows=60,
    score=-9,
    never_says=("--missing",),
)

# Constants, and columns that number the rows

case(
    "constant.csv",
    "a column of one value",
    text({"country": ["DE"] * 60, "year": ["2021"] * 60, **HOUSES}),
    says=("country", "year"),
    rows=60,
)
for name, numbers in (
    ("Rec", range(1, 61)),
    ("nr", range(60)),
    ("case_no", range(1001, 1061)),
    ("step", range(10, 610, 10)),
    ("No.", draw(15).permutation(60) + 1),
    ("order", range(60, 0, -1)),
):
    case(
        f"numbers_rows_{name.strip('.').lower()}.csv",
        f"a column {name!r} numbers the rows: {numbers[0]}, {numbers[1]}, {numbers[2]} ...",
        text({name: [str(v) for v in numbers], **HOUSES}),
        rows=60,
        says=(f"--drop {name}",),
    )
case(
    "uuid.csv",
    "a code for each row",
    text(
        {
            "key": [
                f"{v:08x}-{i:04x}" for i, v in enumerate(draw(16).integers(1 << 30, 1 << 31, 60))
            ],
            **HOUSES,
        }
    ),
    typed="--drop key",
    **HOUSE,
)
case(
    "emails.csv",
    "addresses",
    text({"mail": [f"person{i}@example.org" for i in range(60)], **HOUSES}),
    typed="--drop mail",
    **HOUSE,
)
case(
    "reviews.csv",
    "a text of several lines in each row",
    text({"review": [f'"Very nice, {i} times\nover, ""really"""' for i in range(60)], **HOUSES}),
    typed="--drop review",
    **HOUSE,
)
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
    "leak_codes.csv",
    "the species again, as a code",
    text(
        {
            **{n: FLOWERS[n] for n in list(FLOWERS)[:4]},
            "code": [
                {"setosa": "7", "versicolor": "8", "virginica": "9"}[s] for s in FLOWERS["species"]
            ],
            "species": FLOWERS["species"],
        }
    ),
    kind="classes",
    outputs=3,
    rows=60,
    says=("--drop code",),
)
case(
    "leak_words.csv",
    "the class again, in words",
    text(
        {
            "status": [("stayed", "left")[i % 3 == 0] for i in range(90)],
            "age": [str(20 + i % 50) for i in range(90)],
            "churn": [str(int(i % 3 == 0)) for i in range(90)],
        }
    ),
    kind="classes",
    outputs=2,
    rows=90,
    says=("--drop status",),
)
case(
    "leak_price.csv",
    "the price again, in another currency",
    text(
        {
            **{n: HOUSES[n] for n in ("area", "rooms", "age")},
            "price_usd": [f"{float(p) * 1.0837:.2f}" for p in HOUSES["price"]],
            "price": HOUSES["price"],
        }
    ),
    rows=60,
    says=("--drop price_usd",),
)
case(
    "leak_copy.csv",
    "the price twice",
    text({"price_copy": HOUSES["price"], **HOUSES}),
    rows=60,
    says=("--drop price_copy",),
)
case(
    "leak_rest.csv",
    "what is left of a budget",
    text({"rest": [f"{1e6 - float(p):.0f}" for p in HOUSES["price"]], **HOUSES}),
    rows=60,
    says=("--drop rest",),
)
case(
    "leak_one_hot.csv",
    "the classes again, as three columns of 0 and 1",
    text({s: [str(int(x == s)) for x in FLOWERS["species"]] for s in SPECIES} | FLOWERS),
    kind="classes",
    outputs=3,
    rows=60,
    says=("--drop",),
)
case(
    "leak_log.csv",
    "the logarithm of the price",
    text({"log_price": [f"{np.log(float(p)):.5f}" for p in HOUSES["price"]], **HOUSES}),
    rows=60,
    says=("--drop log_price",),
)
case(
    "no_leak.csv",
    "one input that decides nearly all is no leak",
    text(HOUSES),
    never_says=("--drop",),
    **HOUSE,
)

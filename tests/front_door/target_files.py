"""What is predicted: classes or numbers, one or several, and where it is missing."""

import numpy as np

from .case import Corpus
from .material import FLOWERS, HOUSES, SPECIES, draw, flowers, gappy, mat, npz, petals, rooms, text

case = Corpus("targets")
X, CODES = petals()


def measured(values: object, name: str = "y") -> str:
    """Return a table of flowers with another target than their species."""
    lengths = {n: cells for n, cells in flowers(len(values)).items() if n != "species"}
    return text(lengths | {name: [str(v) for v in values]})


def ranked(levels: int, m: int, first: int = 1) -> str:
    """Return a table whose target is one of some whole numbers, which follow an input."""
    rng = draw(9)
    size = rng.uniform(0, 1, m)
    y = first + np.minimum((size * levels).astype(int), levels - 1)
    y[:levels] = first + np.arange(levels)
    size[:levels] = (np.arange(levels) + 0.5) / levels
    noise = rng.normal(0, 1, m)
    frame = {"size": [f"{v:.3f}" for v in size], "other": [f"{v:.2f}" for v in noise]}
    return text(frame | {"level": [str(v) for v in y]})


# Whole numbers

case(
    "quality.csv",
    "wine's quality from 3 to 8",
    ranked(6, 120, 3),
    kind="classes",
    outputs=6,
    score=0.6,
    says=("--kind numbers",),
)
case("quality_as_numbers.csv", "the same, as numbers", ranked(6, 120, 3), "--kind numbers")
case("rings.csv", "abalone's rings from 1 to 29", ranked(29, 400), says=("--kind classes",))
case(
    "rings_as_classes.csv",
    "the same, as classes",
    ranked(29, 400),
    "--kind classes",
    kind="classes",
    outputs=29,
    score=0.2,
)
case("ages.csv", "ages in years", ranked(70, 300, 18), says=("--kind classes",))
case("years.csv", "years from 1990 to 2015", ranked(26, 300, 1990), score=0.7)
case(
    "answers.csv",
    "answers from 1 to 5, some missing",
    text(
        {
            "first": [str(i % 5) for i in range(90)],
            "second": [str(i % 7) for i in range(90)],
            "answer": [str(1 + i % 5) if i % 9 else "" for i in range(90)],
        }
    ),
    kind="classes",
    outputs=5,
    rows=80,
    says=("10 ",),
)
case(
    "big_codes.csv",
    "codes 10, 20, 30",
    measured([(10, 20, 30)[c] for c in CODES]),
    kind="classes",
    outputs=3,
)
case("twelve.csv", "twelve whole numbers", ranked(12, 240), says=("--kind classes",))
case(
    "digit.csv",
    "the ten digits",
    ranked(10, 300, 0),
    kind="classes",
    outputs=10,
    score=0.5,
    says=("--kind numbers",),
)
case(
    "glass.csv",
    "codes of kinds with a gap: 1, 2, 3, 5, 6, 7",
    measured([(1, 2, 3, 5, 6, 7)[(i % 3) + 3 * (i % 2)] for i in range(120)]),
    kind="classes",
    outputs=6,
    score=0.4,
)
case(
    "zero_one.csv",
    "0 and 1",
    measured((CODES == 0).astype(int)),
    kind="classes",
    outputs=2,
    score=0.95,
)
case(
    "one_two.csv",
    "1 and 2, as SPSS codes answers",
    measured(1 + (CODES == 0)),
    kind="classes",
    outputs=2,
    score=0.95,
)
case(
    "minus_one.csv",
    "-1 and +1, as for support vector machines",
    measured([f"{v:+d}" for v in np.where(CODES == 0, 1, -1)]),
    kind="classes",
    outputs=2,
    score=0.95,
)
case(
    "float_codes.csv",
    "pandas made 1.0, 2.0, 3.0 of the codes",
    measured(1.0 + CODES),
    kind="classes",
    outputs=3,
    score=0.9,
)
case(
    "rentals.csv",
    "counts from 0 to some hundreds, many of them more than once",
    measured(((X[:, 2] - 1) * 8).round().astype(int).clip(0)),
)
case(
    "round_prices.csv",
    "prices in hundreds, each several times",
    measured((200 + 100 * (X[:, 2] * 3).round()).astype(int)),
    says=("--kind classes",),
)
case(
    "salaries.csv",
    "eight different amounts of money",
    text(
        {
            "years": [str(i % 8) for i in range(80)],
            "office": [("a", "b")[i % 3 == 0] for i in range(80)],
            "salary": [str(31_000 + 4_500 * (i % 8)) for i in range(80)],
        }
    ),
    says=("--kind classes",),
)
case(
    "stars.csv",
    "a rating in halves",
    measured((X[:, 2] * 2).round() / 2),
    says=("--kind classes",),
)

# Words

case(
    "income.csv",
    "two brackets: >50K and <=50K",
    measured(np.where(CODES == 0, ">50K", "<=50K")),
    kind="classes",
    outputs=2,
    score=0.95,
)
case(
    "padded_classes.csv",
    "some answers have a space before or after",
    measured(
        [
            f" {SPECIES[c]}" if i % 4 == 0 else SPECIES[c] + " " * (i % 2)
            for i, c in enumerate(CODES)
        ]
    ),
    kind="classes",
    outputs=3,
    score=0.9,
)
case(
    "yes_no.csv",
    "yes and no",
    measured(np.where(CODES == 0, "yes", "no")),
    kind="classes",
    outputs=2,
    score=0.95,
)
case(
    "true_false.csv",
    "True and False",
    measured(CODES == 0),
    kind="classes",
    outputs=2,
    score=0.95,
)
case(
    "rare_class.csv",
    "one class has one example",
    measured([*np.array(SPECIES)[CODES[:-1]], "unknown orchid"]),
    kind="classes",
    outputs=4,
    score=0.8,
)
case(
    "names_last.csv",
    "the last column holds names, each once",
    text(HOUSES | {"owner": [f"Surname{i}" for i in range(60)]}),
    kind=None,
    says=("owner", "--target"),
)
case(
    "comment_last.csv",
    "the last column is a remark, mostly empty",
    text(HOUSES | {"remark": ["" if i % 20 else f"see note {i}" for i in range(60)]}),
    kind=None,
    says=("remark", "--target"),
)
case(
    "one_class.csv",
    "all answers are alike",
    measured(["setosa"] * 60),
    kind=None,
    says=("y", "setosa", "--target"),
)
case(
    "one_number.csv",
    "all amounts are alike",
    measured([12.5] * 60),
    kind=None,
    says=("y", "12.5", "--target"),
)

# Which column

case(
    "class_in_the_middle.csv",
    "the help says that a column called class is the default",
    text({"width": HOUSES["area"], "class": FLOWERS["species"], "length": FLOWERS["petal_length"]}),
    kind="classes",
    outputs=3,
    score=0.8,
    without=("class",),
)
case(
    "target_first.csv",
    "a column called target stands first",
    text({"target": HOUSES["price"], **{n: HOUSES[n] for n in ("area", "rooms", "age")}}),
    inputs=3,
)
case(
    "target_by_number.csv",
    "the target by its place from the end",
    text({**HOUSES, "zone": [str(i % 7) for i in range(60)]}),
    "--target=-2",
    inputs=4,
)
case(
    "target_by_case.csv",
    "price, typed as Price",
    text(HOUSES),
    "--target Price",
    else_says=("price",),
    inputs=3,
)
case(
    "target_misspelt.csv",
    "price, misspelt",
    text(HOUSES),
    "--target pirce",
    kind=None,
    says=("pirce", "price"),
)

# Several

Y = np.eye(3)[CODES]
case(
    "one_hot.csv",
    "the classes are three columns of 0 and 1",
    text(
        {n: FLOWERS[n] for n in list(FLOWERS)[:4]}
        | {s: [f"{v:.0f}" for v in y] for s, y in zip(SPECIES, Y.T, strict=True)}
    ),
    "--target setosa,versicolor,virginica",
    kind="classes",
    outputs=3,
    inputs=4,
    score=0.9,
)
case(
    "one_hot.npz",
    "Keras's to_categorical",
    npz(X=X, y=Y),
    kind="classes",
    outputs=3,
    inputs=4,
    score=0.9,
)
case(
    "one_hot.mat",
    "MATLAB's targets for patternnet, an example a row",
    mat(X=X, y=Y),
    kind="classes",
    outputs=3,
    inputs=4,
    score=0.9,
)
ENERGY = HOUSES | {
    "cooling": [
        f"{float(p) / 3000 + 2 * float(a):.1f}"
        for p, a in zip(HOUSES["price"], HOUSES["area"], strict=True)
    ]
}
case(
    "energy.csv",
    "heating and cooling load at once, by comma",
    text(ENERGY),
    "--target price,cooling",
    outputs=2,
    inputs=3,
    rows=60,
)
case(
    "energy_again.csv",
    "the same, with the option twice",
    text(ENERGY),
    "--target price --target cooling",
    outputs=2,
    inputs=3,
    rows=60,
)
case(
    "energy.npz",
    "y has two columns",
    npz(X=rooms()[0], y=np.column_stack([rooms()[1], rooms()[0][:, 0]])),
    outputs=2,
    inputs=3,
    rows=60,
)
case(
    "mixed_targets.csv",
    "a class and a number at once",
    text({**HOUSES, "species": FLOWERS["species"]}),
    "--target price,species",
    kind=None,
    says=("species",),
)

# Missing

for mark, who in (("", "empty"), ("NA", "NA"), ("?", "?"), ("n/a", "n/a")):
    case(
        f"price_missing_{who.replace('?', 'mark').replace('/', '')}.csv",
        f"five prices are not known: {who}",
        text(HOUSES | {"price": gappy(HOUSES["price"], mark, (2, 11, 23, 40, 59))}),
        inputs=3,
        rows=55,
        says=("5 ",),
    )
case(
    "species_missing.csv",
    "four species are not known",
    text(FLOWERS | {"species": gappy(FLOWERS["species"], "", (2, 11, 23, 40))}),
    kind="classes",
    outputs=3,
    inputs=4,
    rows=56,
    score=0.9,
    says=("4 ",),
)
case(
    "species_na.csv",
    "the same, marked NA",
    text(FLOWERS | {"species": gappy(FLOWERS["species"], "NA", (2, 11, 23, 40))}),
    kind="classes",
    outputs=3,
    rows=56,
    score=0.9,
    says=("4 ",),
)
case(
    "kaggle_test_joined.csv",
    "a test set without answers was appended to the training set",
    text(HOUSES | {"price": gappy(HOUSES["price"], "", range(40, 60))}),
    inputs=3,
    rows=40,
    says=("20 ",),
)
case(
    "nan_target.npz",
    "y has NaN",
    npz(X=rooms()[0], y=np.where(np.arange(60) < 6, np.nan, rooms()[1])),
    inputs=3,
    rows=54,
    says=("6 ",),
)
case(
    "no_answers.csv",
    "no price is known",
    text(HOUSES | {"price": [""] * 60}),
    kind=None,
    says=("price", "--target"),
)
case(
    "stray_in_target.csv",
    "one price was not sold",
    text(HOUSES | {"price": gappy(HOUSES["price"], "withdrawn", [20])}),
    typed="--missing drop",
    inputs=3,
    rows=59,
    says=("withdrawn",),
)

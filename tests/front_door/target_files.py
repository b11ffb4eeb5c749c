"""What is predicted: classes or numbers, one or several, and where it is missing."""

import numpy as np

from .case import Corpus
from .material import SPECIES, draw, flowers, houses, npz, petals, rooms, text

case = Corpus("targets")
FLOWERS, HOUSES = flowers(), houses()
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

case("quality_as_numbers.csv", "the same, as numbers", ranked(6, 120, 3), "--kind numbers")
case(
    "rings_as_classes.csv",
    "the same, as classes",
    ranked(29, 400),
    "--kind classes",
    kind="classes",
    outputs=29,
    score=0.2,
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
    "target_misspelt.csv",
    "price, misspelt",
    text(HOUSES),
    "--target pirce",
    kind=None,
    says=("pirce", "price"),
)

# Several

case(
    "energy.npz",
    "y has two columns",
    npz(X=rooms()[0], y=np.column_stack([rooms()[1], rooms()[0][:, 0]])),
    outputs=2,
    inputs=3,
    rows=60,
)

"""Arrays and tables in the formats of NumPy, MATLAB, Excel, Arrow and others."""

import io
import pickle

import numpy as np
import polars as pl

from .case import Corpus
from .material import (
    HOUSE,
    HOUSES,
    IRIS,
    SAME_HOUSE,
    SAME_IRIS,
    SPECIES,
    mat,
    npy,
    npz,
    petals,
    rooms,
    text,
)

case = Corpus("arrays and workbooks")
X, CODES = petals()
AREA, PRICE = rooms()
WORDS = np.array(SPECIES)[CODES]
PICTURES = np.zeros((90, 8, 8), np.uint8)
for i, picture in enumerate(PICTURES):
    picture[:, 3 * (i % 3 - 1) + 3] = 200 + i % 50
SHAPES = {"kind": "classes", "outputs": 3, "rows": 90, "inputs": 64, "score": 0.9}

# NumPy

case("iris.npz", "X and y", npz(X=X, y=CODES), **SAME_IRIS)
case("words.npz", "y is words", npz(X=X, y=WORDS), **SAME_IRIS)
case("column.npz", "y is a column", npz(X=X, y=CODES[:, None]), **SAME_IRIS)
case(
    "floats.npz",
    "y is floats, X of half precision",
    npz(X=X.astype(np.float16), y=CODES.astype(np.float32)),
    **IRIS,
)
case(
    "sklearn.npz",
    "X_train, y_train, X_test, y_test",
    npz(X_train=X[:40], y_train=CODES[:40], X_test=X[40:], y_test=CODES[40:]),
    **SAME_IRIS,
)
case(
    "colour.npz",
    "pictures in colour",
    npz(X=np.repeat(PICTURES[..., None], 3, axis=3), y=np.arange(90) % 3),
    else_says=("colour|channel|(90, 8, 8, 3)",),
    kind="classes",
    outputs=3,
    rows=90,
)
case(
    "objects.npz",
    "a table of objects, which only pickle can read",
    npz(X=X.astype(object), y=CODES),
    kind=None,
    says=("pickle|object",),
)
case(
    "nan.npz",
    "X has NaN",
    npz(X=np.where(np.arange(240).reshape(60, 4) % 71 == 3, np.nan, X), y=CODES),
    typed="--missing mean",
    **IRIS,
)
case(
    "lengths.npz", "X and y differ in length", npz(X=X, y=CODES[:50]), kind=None, says=("60", "50")
)
case(
    "transposed.npz",
    "X has the examples in columns",
    npz(X=X.T, y=CODES),
    else_says=("60",),
    **SAME_IRIS,
)
case("complex.npz", "X is complex", npz(X=X + 1j, y=CODES), kind=None, says=("complex",))
case(
    "pickled.npy",
    "a dict, saved by pickle",
    npy(np.array({"X": X}, dtype=object), allow_pickle=True),
    kind=None,
    says=("pickle|object",),
)

# MATLAB and Octave

case("course.mat", "the course's: X and y", mat(X=X, y=CODES[:, None]), **SAME_IRIS)
case(
    "logical.mat",
    "y is logical",
    mat(X=X, y=(CODES == 0)[:, None]),
    kind="classes",
    outputs=2,
    inputs=4,
    rows=60,
    score=0.95,
)
case(
    "x_xtest.mat",
    "the course's fifth: X, y, Xval, yval, Xtest, ytest",
    mat(
        X=AREA[:40],
        y=PRICE[:40, None],
        Xval=AREA[40:50],
        yval=PRICE[40:50, None],
        Xtest=AREA[40:],
        ytest=PRICE[40:, None],
    ),
    **SAME_HOUSE,
)
case("pictures.mat", "(m, 8, 8)", mat(X=PICTURES, y=(np.arange(90) % 3)[:, None]), **SHAPES)


# Arrow, Parquet

NUMBERS = pl.DataFrame({name: [float(c) for c in cells] for name, cells in HOUSES.items()})


def written(frame: pl.DataFrame, how: str) -> bytes:
    """Return a frame as Parquet, Arrow's file or Arrow's stream."""
    stream = io.BytesIO()
    getattr(frame, f"write_{how}")(stream)
    return stream.getvalue()


case("houses.parquet", "numbers", written(NUMBERS, "parquet"), **SAME_HOUSE)
case(
    "gaps.parquet",
    "nulls and NaN",
    written(
        NUMBERS.with_columns(
            pl.when(pl.int_range(60) == 7)
            .then(None)
            .when(pl.int_range(60) == 8)
            .then(float("nan"))
            .otherwise("area")
            .alias("area")
        ),
        "parquet",
    ),
    typed="--missing mean",
    **HOUSE,
)
case(
    "lists.parquet",
    "a column of lists",
    written(
        NUMBERS.with_columns(pl.Series("tags", [["a", "b"]] * 60)).select("tags", *HOUSES),
        "parquet",
    ),
    typed="--drop tags",
    **SAME_HOUSE,
)
case(
    "pandas.parquet",
    "pandas kept its index",
    written(NUMBERS.with_columns(pl.Series("__index_level_0__", range(60))), "parquet"),
    "--target price",
    says=("__index_level_0__",),
    **SAME_HOUSE,
)

# What cannot be read: one sentence that says how it can

case("model.pkl", "a pickle", pickle.dumps({"X": X.tolist()}), kind=None, says=("csv",))
case(
    "houses.sav",
    "SPSS's own",
    b"$FL2@(#) IBM SPSS STATISTICS".ljust(400, b"\0"),
    kind=None,
    says=("csv",),
)
case(
    "houses.dta",
    "Stata's own",
    b"<stata_dta><header><release>118</release>".ljust(400, b"\0"),
    kind=None,
    says=("csv",),
)
case(
    "houses.sas7bdat",
    "SAS's own",
    bytes(12) + b"\xc2\xea\x81\x60".ljust(400, b"\0"),
    kind=None,
    says=("csv",),
)
case("houses.RData", "R's own", b"\x1f\x8b\x08" + bytes(60), kind=None, says=("csv",))
case("houses.rds", "R's own, of one object", b"\x1f\x8b\x08" + bytes(60), kind=None, says=("csv",))
case(
    "houses.xls",
    "Excel's old format",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(400),
    kind=None,
    says=("csv|xlsx",),
)
case(
    "houses.ods",
    "LibreOffice's own",
    b"PK\x03\x04" + bytes(30) + b"mimetypeapplication/vnd.oasis",
    kind=None,
    says=("csv|xlsx",),
)
case("houses.pdf", "a report", b"%PDF-1.7\n" + bytes(200), kind=None, says=("csv",))
case(
    "houses.sqlite", "a database", b"SQLite format 3\0".ljust(400, b"\0"), kind=None, says=("csv",)
)
case(
    "broken.parquet",
    "a download broke off",
    written(NUMBERS, "parquet")[:300],
    kind=None,
    says=("parquet",),
)
case("broken.npz", "a download broke off", b"PK\x03\x04" + bytes(40), kind=None, says=("npz",))
case("text.mat", "a text called .mat", text(HOUSES), else_says=("mat",), **SAME_HOUSE)

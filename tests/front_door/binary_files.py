"""Arrays and tables in the formats of NumPy, MATLAB, Excel, Arrow and others."""

import io
import pickle
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from .case import Corpus
from .material import (
    FLOWERS,
    HOUSE,
    HOUSES,
    IRIS,
    SAME_HOUSE,
    SAME_IRIS,
    SPECIES,
    grid,
    mat,
    moments,
    npy,
    npz,
    petals,
    rooms,
    text,
    words_in_cells,
    workbook,
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
case("row.npz", "y is a row", npz(X=X, y=CODES[None]), **SAME_IRIS)
case(
    "floats.npz",
    "y is floats, X of half precision",
    npz(X=X.astype(np.float16), y=CODES.astype(np.float32)),
    **IRIS,
)
case(
    "keras.npz",
    "Keras: x_train, y_train, x_test, y_test",
    npz(
        x_train=PICTURES[:60],
        y_train=np.arange(60) % 3,
        x_test=PICTURES[60:],
        y_test=np.arange(30) % 3,
    ),
    **SHAPES,
)
case(
    "keras_flat.npz",
    "the same of rows",
    npz(x_train=X[:40], y_train=CODES[:40], x_test=X[40:], y_test=CODES[40:]),
    **SAME_IRIS,
)
case(
    "sklearn.npz",
    "X_train, y_train, X_test, y_test",
    npz(X_train=X[:40], y_train=CODES[:40], X_test=X[40:], y_test=CODES[40:]),
    **SAME_IRIS,
)
case(
    "train_val.npz",
    "a validation set, too",
    npz(
        x_train=X[:30],
        y_train=CODES[:30],
        x_val=X[30:45],
        y_val=CODES[30:45],
        x_test=X[45:],
        y_test=CODES[45:],
    ),
    kind="classes",
    outputs=3,
    inputs=4,
    score=0.85,
)
case(
    "unnamed.npz",
    "savez without names: arr_0 and arr_1",
    lambda path: np.savez(path, X, CODES),
    **SAME_IRIS,
)
case(
    "unnamed_one.npz",
    "savez of one table: its last column is the target",
    lambda path: np.savez(path, np.column_stack([AREA, PRICE])),
    **SAME_HOUSE,
)
case(
    "bunch.npz",
    "data and target, as scikit-learn says",
    npz(
        data=X,
        target=CODES,
        feature_names=np.array(list(FLOWERS)[:4]),
        target_names=np.array(SPECIES),
    ),
    **SAME_IRIS,
)
case("features.npz", "features and labels", npz(features=X, labels=WORDS), **SAME_IRIS)
case("inputs.npz", "inputs and outputs", npz(inputs=AREA, outputs=PRICE), **SAME_HOUSE)
case(
    "odd_names.npz",
    "names that say nothing",
    npz(foo=AREA, bar=PRICE),
    else_says=("foo", "bar", "--target"),
    **SAME_HOUSE,
)
case(
    "medmnist.npz",
    "train_images, train_labels, ...",
    npz(
        train_images=PICTURES[:60],
        train_labels=(np.arange(60) % 3)[:, None],
        test_images=PICTURES[60:],
        test_labels=(np.arange(30) % 3)[:, None],
    ),
    **SHAPES,
)
case(
    "channel_last.npz",
    "pictures with a channel: (m, 8, 8, 1)",
    npz(X=PICTURES[..., None], y=np.arange(90) % 3),
    **SHAPES,
)
case(
    "channel_first.npz",
    "PyTorch: (m, 1, 8, 8)",
    npz(X=PICTURES[:, None], y=np.arange(90) % 3),
    **SHAPES,
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
    "x_only.npz",
    "no array is a target",
    npz(X=np.column_stack([AREA, PRICE]), names=np.array(list(HOUSES))),
    else_says=("y", "--target"),
    **SAME_HOUSE,
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
    "houses.npy",
    "a table: its last column is the target",
    npy(np.column_stack([AREA, PRICE])),
    **SAME_HOUSE,
)
case(
    "target_first.npy",
    "a table: its first column is the target",
    npy(np.column_stack([CODES, X])),
    "--target 1",
    **SAME_IRIS,
)
case(
    "records.npy",
    "NumPy's records",
    npy(np.rec.fromarrays([*AREA.T, PRICE], names=list(HOUSES))),
    **SAME_HOUSE,
)
case("vector.npy", "one column", npy(PRICE), kind=None, says=("input",))
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
    "fisheriris.mat",
    "MATLAB's own: meas and species, which is cells",
    mat(meas=X, species=words_in_cells(WORDS)),
    **SAME_IRIS,
)
case("data_labels.mat", "data and labels", mat(data=X, labels=CODES[:, None]), **SAME_IRIS)
case("row.mat", "y is a row", mat(X=X, y=CODES[None]), **SAME_IRIS)
case("char_rows.mat", "y is a table of letters", mat(X=X, y=WORDS), **SAME_IRIS)
case("sparse.mat", "X is sparse", mat(X=csr_matrix(X), y=CODES[:, None]), **SAME_IRIS)
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
    "house_dataset.mat",
    "MATLAB's own: houseInputs and houseTargets, an example a column",
    mat(houseInputs=AREA.T, houseTargets=PRICE[None]),
    else_says=("houseInputs", "--target"),
    **SAME_HOUSE,
)
case(
    "train_test.mat",
    "Xtrain, ytrain, Xtest, ytest",
    mat(Xtrain=X[:40], ytrain=CODES[:40, None], Xtest=X[40:], ytest=CODES[40:, None]),
    **SAME_IRIS,
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
case(
    "one_matrix.mat",
    "one matrix: its last column is the target",
    mat(wine=np.column_stack([AREA, PRICE])),
    **SAME_HOUSE,
)
case(
    "struct.mat",
    "a struct with fields X and y",
    mat(dataset={"X": X, "y": CODES[:, None]}),
    else_says=("dataset",),
    **SAME_IRIS,
)
case("pictures.mat", "(m, 8, 8)", mat(X=PICTURES, y=(np.arange(90) % 3)[:, None]), **SHAPES)


def hdf5(path: Path) -> None:
    """Write what MATLAB's ``save -v7.3`` writes: matrices the other way round."""
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in (("X", X.T), ("y", CODES[None].astype(float))):
            file.create_dataset(name, data=values).attrs["MATLAB_class"] = np.bytes_("double")
    content = bytearray(path.read_bytes())
    content[:116] = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116)
    content[124:128] = b"\x00\x02IM"
    path.write_bytes(content)


case("big.mat", "MATLAB's save -v7.3", hdf5, needs="h5py", **SAME_IRIS)

# Excel

case("houses.xlsx", "a sheet", workbook(("Sheet1", grid(HOUSES))), **SAME_HOUSE, needs="fastexcel")
case(
    "iris.xlsx",
    "words in the last column",
    workbook(("Sheet1", grid(FLOWERS))),
    **SAME_IRIS,
    needs="fastexcel",
)
case(
    "gaps.xlsx",
    "empty cells",
    workbook(
        (
            "Data",
            grid(
                HOUSES | {"area": ["" if i in (4, 9) else c for i, c in enumerate(HOUSES["area"])]}
            ),
        )
    ),
    typed="--missing mean",
    **HOUSE,
    needs="fastexcel",
)
case(
    "empty_rows.xlsx",
    "empty rows at the end",
    workbook(("Data", [*grid(HOUSES), [None] * 4, [None] * 4])),
    **SAME_HOUSE,
    needs="fastexcel",
)
case(
    "text_numbers.xlsx",
    "numbers that Excel holds for text",
    workbook(
        (
            "Data",
            [list(HOUSES), *[[f"{c} " for c in row] for row in zip(*HOUSES.values(), strict=True)]],
        )
    ),
    **SAME_HOUSE,
    needs="fastexcel",
)
case(
    "no_names.xlsx",
    "no names",
    workbook(("Data", grid(HOUSES)[1:])),
    says=("--header",),
    **SAME_HOUSE,
    needs="fastexcel",
)
case(
    "two_sheets.xlsx",
    "notes on a second sheet",
    workbook(("Data", grid(HOUSES)), ("Notes", [["made", "by me"]])),
    says=("Data",),
    **SAME_HOUSE,
    needs="fastexcel",
)
case(
    "dates.xlsx",
    "days in cells",
    workbook(
        (
            "Data",
            [
                ["day", "load", "amount"],
                *[
                    [d, float(i % 7), 2.0 * i + 9 * (i % 7)]
                    for i, d in enumerate(moments(datetime(2021, 3, 1), timedelta(days=1)))
                ],
            ],
        )
    ),
    rows=120,
    uses=("day", "load"),
    needs="fastexcel",
)
case(
    "flags.xlsx",
    "TRUE and FALSE",
    workbook(
        (
            "Data",
            [
                ["area", "garden", "price"],
                *[
                    [float(a), i % 2 == 0, float(p) + 60_000 * (i % 2 == 0)]
                    for i, (a, p) in enumerate(zip(HOUSES["area"], HOUSES["price"], strict=True))
                ],
            ],
        )
    ),
    rows=60,
    inputs=2,
    needs="fastexcel",
)

# Arrow, Parquet

NUMBERS = pl.DataFrame({name: [float(c) for c in cells] for name, cells in HOUSES.items()})
KINDS = NUMBERS.with_columns(
    pl.Series("heating", ["gas", "oil", "wood"] * 20, pl.Categorical),
    pl.Series("garden", [True, False] * 30),
    pl.Series("sold", [datetime(2021, 3, 1) + timedelta(days=i) for i in range(60)]),
    pl.Series("nothing", [None] * 60),
    pl.Series("cost", [f"{i % 9}.50" for i in range(60)]).cast(pl.Decimal(8, 2)),
).select(pl.all().exclude("price"), "price")


def written(frame: pl.DataFrame, how: str) -> bytes:
    """Return a frame as Parquet, Arrow's file or Arrow's stream."""
    stream = io.BytesIO()
    getattr(frame, f"write_{how}")(stream)
    return stream.getvalue()


case("houses.parquet", "numbers", written(NUMBERS, "parquet"), **SAME_HOUSE)
case(
    "kinds.parquet",
    "categories, flags, times, decimals, a column of nothing",
    written(KINDS, "parquet"),
    rows=60,
    uses=("heating", "garden", "sold", "cost"),
    says=("nothing",),
)
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
case("houses.feather", "Feather", written(NUMBERS, "ipc"), **SAME_HOUSE)
case("houses.arrow", "Arrow's file", written(NUMBERS, "ipc"), **SAME_HOUSE)
case("stream.arrow", "Arrow's stream", written(NUMBERS, "ipc_stream"), **SAME_HOUSE)

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
    says=("excel",),
)
case(
    "houses.ods",
    "LibreOffice's own",
    b"PK\x03\x04" + bytes(30) + b"mimetypeapplication/vnd.oasis",
    kind=None,
    says=("excel|ods",),
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

"""One table in every format that `chainrule.blocks` reads, split over files as a test wants."""

import gzip
import itertools
import zipfile
from pathlib import Path

import numpy as np
import polars as pl

NAMES = [f"a{j}" for j in range(5)]


def table(m, seed=0):
    """Return X of float32 and codes of three classes."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, len(NAMES))).astype(np.float32), rng.integers(0, 3, m)


def frame(X, y):
    return pl.DataFrame(X, schema=NAMES).with_columns(target=pl.Series(y))


def _npy(path, X, y):
    np.save(path.with_name(f"X-{path.name}.npy"), X)
    np.save(path.with_name(f"y-{path.name}.npy"), y)


def _parquet(group):
    return lambda path, X, y: frame(X, y).write_parquet(f"{path}.parquet", row_group_size=group)


def _gz(path, X, y):
    with gzip.open(f"{path}.csv.gz", "wb") as file:
        frame(X, y).write_csv(file)


def _zip(path, X, y):
    with zipfile.ZipFile(f"{path}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", frame(X, y).write_csv())


def _svmlight(path, X, y):
    rows = (
        f"{label} " + " ".join(f"{j}:{value}" for j, value in enumerate(row, start=1))
        for label, row in zip(y, X, strict=True)
    )
    Path(f"{path}.svm").write_text("\n".join(rows) + "\n")


def _zarr(path, X, y):
    import zarr

    group = zarr.open_group(f"{path}.zarr", mode="w")
    group.create_array("X", data=X, chunks=(max(1, len(X) // 3), 2))
    group.create_array("y", data=y)


def _hdf5(path, X, y):
    import h5py

    with h5py.File(f"{path}.h5", "w") as file:
        file["X"] = X
        file.create_dataset("y", data=y, chunks=(1,), compression="gzip")


WRITERS = {
    "npy": _npy,
    "npz": lambda path, X, y: np.savez(f"{path}.npz", X=X, y=y),
    "packed npz": lambda path, X, y: np.savez_compressed(f"{path}.npz", X=X, y=y),
    "parquet, groups of 7": _parquet(7),
    "parquet, groups of 1,000": _parquet(1_000),
    "parquet, groups of 70,000": _parquet(70_000),
    "arrow": lambda path, X, y: frame(X, y).write_ipc(f"{path}.arrow"),
    "packed feather": lambda path, X, y: frame(X, y).write_ipc(
        f"{path}.feather", compression="zstd"
    ),
    "csv": lambda path, X, y: frame(X, y).write_csv(f"{path}.csv"),
    "csv.gz": _gz,
    "zip of csv": _zip,
    "svmlight": _svmlight,
    "zarr": _zarr,
    "hdf5": _hdf5,
}
NEEDS = {"zarr": "zarr", "hdf5": "h5py"}


def write(folder, form, X, y, cuts=()):
    """Write the rows between cuts to a file each; return what opens them."""
    folder.mkdir(parents=True, exist_ok=True)
    borders = [0, *sorted(cuts), len(X)]
    for k, (first, last) in enumerate(itertools.pairwise(borders)):
        if last > first:
            WRITERS[form](folder / f"part-{k}", X[first:last], y[first:last])
    return folder / "*"

"""Which rows of a table become examples."""

from datetime import date

import numpy as np
import polars as pl
from tables import refused, write

from chainrule.datasets.tables import load, load_like


def test_rows_with_missing_values_can_be_left_out(tmp_path):
    path = write(tmp_path, "t.csv", "a,b,price\n1,,1.5\n,2,2\n7,2,3.5\n4,1,9\n")
    assert len(load(path, missing="drop")) == 2
    data = load(path, missing="drop", drop="b")
    assert len(data) == 3  # what is not used may be missing
    assert len(load_like(path, data.encoder)) == 3
    refused(
        "t.csv: column 'a' has 1 missing value, in data row 2 first, and such rows were left out "
        "of training: fill them in, or train with missing='mean'",
        lambda: load_like(path, data.encoder, labelled=False),
    )  # fmt: skip


def test_rows_without_a_target_are_left_out_and_counted(tmp_path):
    path = write(tmp_path, "t.csv", "a,kind\n1,x\n2,y\n3,\n4,x\n5,?\n6,y\ninf,x\n")
    refused(
        "t.csv: column 'a' has inf in data row 7, and only finite numbers can be used: na='inf', "
        "missing='mean'",
        load, path,
    )  # fmt: skip
    data = load(path, na="inf", missing="drop")
    np.testing.assert_array_equal(data.X[:, 0], [1, 2, 4, 6])
    assert data.notes[:3] == [
        "column 'kind': 1 value '?' (data row 5 first) taken as missing",
        "target 'kind' is missing in 2 rows, data row 3 first: left out",
        "1 row with missing values, data row 7 first: left out",
    ]
    later = write(tmp_path, "u.csv", "a,kind\n1,x\n2,\n")
    assert len(load_like(later, data.encoder)) == 1
    assert len(load_like(later, data.encoder, labelled=False)) == 2
    refused(
        "v.csv: target 'kind' has no value at all: name another column, as target='a'",
        load, write(tmp_path, "v.csv", "a,kind\n1,\n2,\n"), "kind",
    )  # fmt: skip


def test_a_later_target_of_another_kind_is_refused(tmp_path):
    numbers = load(write(tmp_path, "t.csv", "a,b\n1.5,0.5\n2.5,1.25\n3.5,1.75\n4,0.25\n"))
    later = tmp_path / "u.parquet"
    pl.DataFrame({"a": [0.5], "b": [date(2024, 2, 29)]}).write_parquet(later)
    refused(
        "u.parquet: target 'b' has 2024-02-29T00:00:00 in data row 1: not a number",
        load_like, later, numbers.encoder,
    )  # fmt: skip
    classes = load(write(tmp_path, "t.csv", "a,b\n1.5,0\n2.5,1\n3.5,1\n4,0\n"))
    refused(
        "u.csv: column 'b' has 7 in data row 2, which is none of the classes 0, 1",
        load_like, write(tmp_path, "u.csv", "a,b\n1.5,1\n2,7\n"), classes.encoder,
    )  # fmt: skip

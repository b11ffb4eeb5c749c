"""What the columns of a table mean, and what is refused."""

import io

import pytest
from tables import refused, write

from chainrule.common.checks import DataError
from chainrule.datasets.tables import load

NINES = "".join(f"{i * i},{i % 2}\n" for i in range(9))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b\n1,0.5\n2,1\n3,inf\n",
            "t.csv: target 'b' has inf in data row 3: only finite numbers can be used",
        ),
        (
            "a,b\n1,0\n2,1\ninf,1\n4,0\n",
            "t.csv: column 'a' has inf in data row 3, and only finite numbers can be used: "
            "na='inf', missing='mean'",
        ),
        ("a,b\n,0\n,1\n,1\n,0\n", "t.csv: column 'a' has no value at all: drop='a'"),
        (
            "a,b\n1,x\n2,x\n",
            "t.csv: target 'b' is 'x' in all rows: there is nothing to tell apart: name another "
            "column, as target='a'",
        ),
        (
            "a,b\n1,x\n2,y\n3,z\n",
            "t.csv: target 'b' has 3 classes in 3 rows, each of them once: name another column, as "
            "target='a'",
        ),
        ("b\n0\n1\n0\n1\n", "t.csv: no column is left for the inputs besides 'b'"),
        ("n,a,b\n" + "".join(f"{i},{i * i},{i % 2}\n" for i in range(12)),
         "t.csv: column 'n' numbers the rows: drop='n'"),
        ("user_id,b\n" + NINES, "t.csv: column 'user_id' looks like an identifier: drop='user_id'"),
        (
            "name,b\nann,0\nbob,1\ncat,0\ndan,1\n",
            "t.csv: column 'name' is text that differs in every row, like an identifier: "
            "drop='name'",
        ),
        (
            "a,b\n" + NINES + "4 kg,1\n",
            "t.csv: column 'a' has 1 missing value, in data row 10 first ('4 kg' in data row 10 is "
            "no number): missing='mean'",
        ),
        (
            "a,b\n,1\n" + NINES + "4 kg,1\n",
            "t.csv: column 'a' has 2 missing values, in data row 1 first ('4 kg' in data row 11 is "
            "no number): missing='mean'",
        ),
        (
            "a,b\n" + "".join(f"{2**53 + i // 2},{i % 2}\n" for i in range(300)),
            "t.csv: column 'a' is text with 150 different values, each an input, more "
            "than 100 (keep='a' keeps it): drop='a'",
        ),
        (
            "a,b\n" + "".join(f"t{i % 101},{i % 2}\n" for i in range(300)),
            "t.csv: column 'a' is text with 101 different values, each an input, more "
            "than 100 (keep='a' keeps it): drop='a'",
        ),
    ],
)  # fmt: skip
def test_bad_columns_are_refused_by_name(tmp_path, content, message):
    refused(message, load, write(tmp_path, "t.csv", content))


def test_all_that_is_wrong_is_said_at_once_and_mended_at_once(tmp_path):
    rows = [f"{i},n{i},{'' if i % 9 == 1 else i % 5},,{i % 2}\n" for i in range(1, 41)]
    path = write(tmp_path, "t.csv", "nr,name,age,empty,won\n" + "".join(rows))
    with pytest.raises(DataError) as caught:
        load(path)
    error = caught.value
    assert error.faults == (
        "column 'nr' numbers the rows",
        "column 'name' is text that differs in every row, like an identifier",
        "column 'age' has 5 missing values, in data row 1 first",
        "column 'empty' has no value at all",
    )
    assert str(error).endswith("drop=['nr', 'name', 'empty'], missing='mean'")
    assert load(path, **error.options).feature_names == ("age",)


def test_a_column_that_is_mostly_missing_is_better_dropped(tmp_path):
    rows = "".join(f"{i * i},{'' if i % 3 else i},{i % 2}\n" for i in range(40))
    with pytest.raises(DataError) as caught:
        load(write(tmp_path, "t.csv", "a,b,won\n" + rows))
    assert caught.value.options == {"drop": ["b"]}


def test_many_columns_of_text_are_told_in_one_line(tmp_path):
    names = [f"t{j}" for j in range(12)]
    rows = [",".join([f"v{(i + j) % 3}" for j in range(12)] + [str(i / 3)]) for i in range(1, 40)]
    data = load(write(tmp_path, "t.csv", ",".join([*names, "y"]) + "\n" + "\n".join(rows)))
    assert data.notes[1] == (
        "12 text columns become 0/1 inputs, by their categories: t0 (3), t1 (3), t2 (3), t3 (3), "
        "t4 (3), t5 (3), ..., t11 (3)"
    )


def test_a_column_of_many_categories_and_one_that_is_mostly_empty_can_be_kept():
    rows = "".join(f"town {i % 120},{i % 2}\n" for i in range(240))
    assert load(io.BytesIO(f"a,b\n{rows}".encode()), keep="a").X.shape == (240, 120)
    rows = "".join(f"{i},{'x' if i % 3 == 0 else ''},{i % 2}\n" for i in (3, 5, 7, 9, 11, 13, 2, 4))
    refused(
        "<stream>: column 'a' has 6 missing values, in data row 2 first, which is most "
        "(missing='category' keeps it): drop='a'",
        load, io.BytesIO(f"n,a,b\n{rows}".encode()),
    )  # fmt: skip

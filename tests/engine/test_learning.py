"""What a large table's columns mean: the same as in memory, whatever the blocks."""

import numpy as np
import polars as pl
import pytest

from chainrule.common.checks import DataError
from chainrule.datasets import load, scanning
from chainrule.datasets.encoding import Reading
from chainrule.datasets.tables import Asked
from chainrule.engine.learning import encoded, learn

M = 400


def columns(seed=0):
    """Return a table with columns of every kind; what is odd comes late."""
    rng = np.random.default_rng(seed)
    return {
        "size": rng.normal(size=M).round(3),
        "colour": np.where(np.arange(M) > 300, rng.choice(["blue", "green"], M), "red"),
        "when": [f"20{20 + i // 200}-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(M)],
        "ok": rng.choice(["yes", "no"], M),
        "price": [f"${value}" for value in rng.integers(1, 99, M)],
        "gap": ["" if i in (210, 390) else str(i % 7) for i in range(M)],
        "label": rng.choice(["a", "b"], M),
    }


def both(path, rows, monkeypatch, **how):
    """Return a table as it is in memory, and in blocks."""
    monkeypatch.setattr(scanning, "block_rows", lambda width: rows)
    names = ("target", "drop", "missing", "kind", "na", "keep")
    asked = Asked.of(**{name: how[name] for name in names if name in how})
    scan = scanning.opened(path)
    answers = []
    for learnt in (lambda: load(path, **how), lambda: learn(scan, asked, Reading())):
        try:
            answers.append(learnt())
        except DataError as error:
            answers.append(str(error))
    memory, found = answers
    if isinstance(memory, str) or isinstance(found, str):
        return memory, found, None, None
    reading = found.encoder.reading
    parts = encoded(scan, asked, found.encoder, Reading(reading.header, None, reading.forms))
    X, Y = (np.concatenate(part) for part in zip(*parts, strict=True))
    return memory, found, X, Y


def assert_same(memory, found, X, Y):
    assert not isinstance(memory, str), memory
    assert not isinstance(found, str), found
    for mine, its in zip(found.encoder.columns, memory.encoder.columns, strict=True):
        assert (mine.name, mine.inputs) == (its.name, its.inputs)
    assert found.encoder.classes == memory.classes
    assert found.encoder.to_json().keys() == memory.encoder.to_json().keys()
    assert found.m == len(memory)
    np.testing.assert_allclose(X, memory.X, rtol=1e-12)
    np.testing.assert_array_equal(Y, memory.Y)


def write(path, table):
    frame = pl.DataFrame(table)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
@pytest.mark.parametrize("rows", [37, 100, 4096])
@pytest.mark.parametrize("missing", ["mean", "drop", "category"])
@pytest.mark.parametrize("target", ["label", "size", "colour", "size,price"])
def test_columns_codes_and_values_are_those_in_memory(
    tmp_path, name, rows, missing, target, monkeypatch
):
    write(tmp_path / name, columns())
    memory, found, X, Y = both(tmp_path / name, rows, monkeypatch, target=target, missing=missing)
    assert_same(memory, found, X, Y)
    if rows > M:
        assert found.encoder == memory.encoder
        assert found.notes == memory.notes
        np.testing.assert_array_equal(X, memory.X)


def test_what_is_filled_and_left_out_is_counted_over_all_rows(tmp_path, monkeypatch):
    table = columns()
    table["label"][[250, 399]] = ""
    write(tmp_path / "t.csv", table)
    for missing, told in (
        ("mean", "column 'gap': 2 missing values filled with"),
        ("drop", "2 rows with missing values, data row 211 first: left out"),
    ):
        _, found, _, _ = both(tmp_path / "t.csv", 37, monkeypatch, missing=missing)
        assert any(told in note for note in found.notes), found.notes
        assert any("missing in 2 rows, data row 251 first" in note for note in found.notes)


REFUSED = {
    "missing values": ({}, {}),
    "one row number": ({"id": np.arange(1, M + 1)}, {"missing": "mean"}),
    "row numbers in another order": (
        {"id": np.random.default_rng(1).permutation(M)},
        {"missing": "mean"},
    ),
    "many categories": ({"name": [f"n{i // 2}" for i in range(M)]}, {"missing": "mean"}),
    "an infinity": ({"far": ["inf" if i == 333 else "0.5" for i in range(M)]}, {"missing": "mean"}),
    "an empty column": ({"none": [""] * M}, {"missing": "mean"}),
    "no such target": ({}, {"target": "nobody"}),
    "a target of one value": ({"one": ["x"] * M}, {"target": "one", "missing": "mean"}),
    "a target of dates": ({}, {"target": "when", "missing": "mean"}),
    "a target of too many classes": (
        {"name": [f"n{i // 2}" for i in range(M)]},
        {"target": "name", "missing": "mean"},
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_in_memory_is_refused_in_the_same_words(tmp_path, case, monkeypatch):
    more, how = REFUSED[case]
    write(tmp_path / "t.csv", {**columns(), **more} | {"label": columns()["label"]})
    memory, found, _, _ = both(tmp_path / "t.csv", 37, monkeypatch, **how)
    assert isinstance(memory, str)
    assert found == memory


LATE = {
    "text": ["1"] * 100 + ["red", "blue", "teal"] * 100,
    "dates": [""] * 100 + [f"2024-01-{1 + i % 28:02}" for i in range(300)],
    "a category": ["red", "blue"] * 190 + ["teal"] * 20,
    "a stray": ["0.5", "1.5"] * 190 + ["#ERR"] * 20,
    "a month": ["2024-01-07"] * 399 + ["2025-03-09"],
    "true": ["true", "false"] * 190 + ["TRUE", "False"] * 10,
}


@pytest.mark.parametrize("case", LATE)
def test_what_only_later_rows_show_is_seen(tmp_path, case, monkeypatch):
    write(tmp_path / "t.csv", {"late": LATE[case], **columns()})
    assert_same(*both(tmp_path / "t.csv", 50, monkeypatch, missing="mean"))


def test_pictures_are_seen(tmp_path, monkeypatch):
    digits = load("digits")
    table = {f"p{j}": (16 * digits.X[:, j]).astype(int) for j in range(64)}
    write(tmp_path / "t.csv", {**table, "digit": digits.Y})
    memory, found, X, Y = both(tmp_path / "t.csv", 256, monkeypatch)
    assert_same(memory, found, X, Y)
    assert found.encoder.image_shape == (8, 8)
    assert found.encoder.divisor == memory.encoder.divisor == 16


def test_doubts_are_of_all_rows(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    table = {
        "rises": np.cumsum(rng.integers(1, 9, M)),
        "turns": np.r_[np.arange(0, 900, 3), np.arange(100)],
        "one": np.ones(M, int),
        "another": np.r_[np.ones(M - 1, int), 2],
        "x": rng.normal(size=M),
        "label": rng.choice(["a", "b"], M),
    }
    write(tmp_path / "t.csv", table)
    memory, found, _, _ = both(tmp_path / "t.csv", 64, monkeypatch)
    assert found.notes == memory.notes
    assert any("'rises' goes in one direction" in note for note in found.notes)
    assert any("column 'one' is the same in all rows" in note for note in found.notes)


def test_numbers_that_begin_again_do_not_number_the_rows(tmp_path, monkeypatch):
    write(tmp_path / "t.csv", {"step": np.arange(M) % 150, **columns()})
    assert_same(*both(tmp_path / "t.csv", 50, monkeypatch, missing="mean"))


def test_some_rows_without_any_target(tmp_path, monkeypatch):
    table = columns()
    table["label"][:200] = ""
    write(tmp_path / "t.csv", table)
    assert_same(*both(tmp_path / "t.csv", 50, monkeypatch, missing="mean"))

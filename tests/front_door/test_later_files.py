"""A later file, brought to a model: it is read as the training file was, however it is written."""

import json
import re
import shlex

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule.commands.app import app
from front_door.case import outcomes
from front_door.material import (
    HOUSES,
    each,
    flowers,
    gappy,
    german,
    grid,
    houses,
    moved,
    packed,
    petals,
    quoted,
    text,
    workbook,
)

HOMES = {"heating": ["gas", "oil", "wood"] * 20, **HOUSES}
NO_PRICE = {name: HOMES[name] for name in HOMES if name != "price"}


def run(*words):
    """Run the command in this process, without pictures; a traceback would raise."""
    with outcomes():
        return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def typed(*words):
    """Run the command, and if it says what to type, type that."""
    found = run(*words)
    line = re.search(r"type: chainrule (.*)", found.stderr)
    return run(*shlex.split(line[1])) if found.exit_code and line else found


def bring(folder, name, content):
    path = folder / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def trained(folder, name, content, *words):
    """Train on a file and return the model's path."""
    out = folder / "model.safetensors"
    source = bring(folder, name, content)
    quick = ("--lam", "0.1", "--hidden", "5", "--max-iter", "40", "--no-check")
    found = run("train", source, *words, *quick, "--out", out)
    assert found.exit_code == 0, found.stderr
    return out


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """Return a model of homes, and what it predicts for the file that it was trained on."""
    folder = tmp_path_factory.mktemp("homes")
    model = trained(folder, "homes.csv", text(HOMES))
    found = run("predict", model, folder / "homes.csv")
    assert found.stdout.count("\n") == 61
    return model, found.stdout


RECORDS = [dict(zip(HOMES, row, strict=True)) for row in zip(*HOMES.values(), strict=True)]
SAME = {
    "no_price.csv": text(NO_PRICE),
    "price_empty.csv": text(NO_PRICE | {"price": [""] * 60}),
    "other_order.csv": text(moved(HOMES, "age", "price")),
    "one_more.csv": text({"colour": ["red", "blue"] * 30, **HOMES}),
    "index.csv": text({"": [str(i) for i in range(60)], **NO_PRICE}),
    "bom.csv": b"\xef\xbb\xbf" + text(NO_PRICE).encode(),
    "utf16.txt": text(NO_PRICE, "\t").encode("utf-16"),
    "deutsch.csv": text(each(NO_PRICE, "area", german), ";"),
    "bars.txt": text(NO_PRICE, "|"),
    "blank_end.csv": text(NO_PRICE) + "\n,,,\n\n",
    "comment.csv": "# today\n" + text(NO_PRICE),
    "quoted.csv": text({f'"{name}"': quoted(cells) for name, cells in NO_PRICE.items()}),
    "windows.csv": text(NO_PRICE, end="\r\n"),
    "packed.csv.gz": packed("gz", text(NO_PRICE)),
    "padded.csv": text(NO_PRICE, " , "),
    "homes.xlsx": workbook(("Data", grid(NO_PRICE))),
    "homes.jsonl": "".join(json.dumps(record) + "\n" for record in RECORDS),
}


@pytest.mark.parametrize("name", SAME)
def test_predictions_do_not_depend_on_how_the_file_is_written(homes, name, tmp_path):
    if name.endswith(".xlsx"):
        pytest.importorskip("fastexcel")
    model, expected = homes
    found = typed("predict", model, bring(tmp_path, name, SAME[name]))
    assert found.exit_code == 0, found.stderr
    assert found.stdout == expected


SENTENCES = {
    "no_area.csv": (text({n: c for n, c in HOMES.items() if n != "area"}), ("area",)),
    "no_names.csv": (text(HOMES, header=False), ("heating", "area")),
    "names_only.csv": (text({n: [] for n in HOMES}), ("row",)),
    "stray.csv": (text(HOMES | {"area": gappy(HOMES["area"], "wide", [7])}), ("area", "wide")),
    "other_table.csv": (text(flowers()), ("heating",)),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_file_that_does_not_fit_is_refused_with_one_sentence(homes, name, tmp_path):
    model, _ = homes
    content, words = SENTENCES[name]
    found = run("predict", model, bring(tmp_path, name, content))
    assert found.exit_code
    assert found.stderr.strip().count("\n") == 0
    assert all(word in found.stderr for word in words), found.stderr


def test_a_word_that_training_did_not_have_is_said(homes, tmp_path):
    content = text(NO_PRICE | {"heating": gappy(NO_PRICE["heating"], "coal", [4])})
    found = run("predict", homes[0], bring(tmp_path, "coal.csv", content))
    assert found.exit_code == 0
    assert "coal" in found.stderr


def test_columns_that_training_dropped_may_come_again(tmp_path):
    table = {"street": [f"Way {i}" for i in range(60)], **HOMES}
    model = trained(tmp_path, "streets.csv", text(table), "--drop", "street")
    found = run("predict", model, bring(tmp_path, "later.csv", text(table)))
    assert found.exit_code == 0, found.stderr
    assert found.stdout.count("\n") == 61


def test_gaps_are_filled_as_in_training(tmp_path):
    table = HOMES | {"area": gappy(HOMES["area"], "n/a", [7])}
    model = trained(tmp_path, "gaps.csv", text(table), "--missing", "mean")
    later = text(NO_PRICE | {"area": gappy(HOMES["area"], "-", [2])})
    found = run("predict", model, bring(tmp_path, "later.csv", later))
    assert found.exit_code == 0, found.stderr
    assert found.stdout.count("\n") == 61


def test_a_gap_that_training_did_not_have_is_said_with_its_row(homes, tmp_path):
    content = text(NO_PRICE | {"area": gappy(NO_PRICE["area"], "-", [4])})
    found = run("predict", homes[0], bring(tmp_path, "gap.csv", content))
    assert "area" in found.stderr
    assert "row 5" in found.stderr or "line 6" in found.stderr


def test_rows_without_the_answer_are_left_out_of_an_evaluation(homes, tmp_path):
    content = text(HOMES | {"price": gappy(HOMES["price"], "NA", [4, 5])})
    found = run("evaluate", homes[0], bring(tmp_path, "gaps.csv", content))
    assert found.exit_code == 0, found.stderr
    assert "58" in found.stdout
    assert "2" in found.stderr


def test_a_model_of_a_file_without_names_reads_the_next_one_alike(tmp_path):
    model = trained(tmp_path, "iris.data", text(flowers(), header=False))
    later = bring(tmp_path, "bezdek.data", text(flowers(30), header=False))
    found = run("evaluate", model, later, "--json")
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout)["accuracy"] > 0.9


def test_percent_and_thousands_are_read_in_the_next_file_too(tmp_path):
    table = each(each(houses(), "price", lambda v: f'"${v:,.0f}"'), "age", lambda v: f"{v:.0f}%")
    model = trained(tmp_path, "rates.csv", text(table))
    later = {name: cells for name, cells in table.items() if name != "price"}
    found = run("predict", model, bring(tmp_path, "later.csv", text(later)))
    assert found.exit_code == 0, found.stderr
    first = float(found.stdout.split()[1])
    assert 50_000 < first < 500_000


def test_days_after_the_last_one_are_predicted(tmp_path):
    days = [f"2021-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(112)]
    model = trained(
        tmp_path, "days.csv", text({"day": days, "y": [f"{2.0 * i}" for i in range(112)]})
    )
    found = run("predict", model, bring(tmp_path, "june.csv", "day\n2021-06-01\n2021-06-15\n"))
    assert found.exit_code == 0, found.stderr
    answers = [float(line) for line in found.stdout.split()[1:]]
    assert np.isfinite(answers).all()
    assert answers[1] > 200


@pytest.mark.parametrize("names", [("x_test", "y_test"), ("X_test", "y_test"), ("Xtest", "ytest")])
def test_a_file_of_a_test_set_alone_is_evaluated(names, tmp_path):
    X, y = petals()

    def both(path):
        np.savez(path, x_train=X[:40], y_train=y[:40], x_test=X[40:], y_test=y[40:])

    model = trained(tmp_path, "both.npz", both)
    later = bring(
        tmp_path, "test.npz", lambda path: np.savez(path, **dict(zip(names, (X, y), strict=True)))
    )
    found = run("evaluate", model, later, "--json")
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout)["accuracy"] > 0.9

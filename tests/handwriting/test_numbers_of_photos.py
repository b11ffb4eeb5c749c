"""Digits as numbers, and numbers as a table: on places made up for it, and from the command."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from chainrule.commands.app import app
from chainrule.handwriting.reading import Digit
from chainrule.handwriting.table import numbers, table, written
from chainrule.photos.strokes import draw_digit
from chainrule.photos.synthetic import Scene, photograph


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)


def digit(label, x, row, before="", after="", wide=20):
    return Digit(label, 1.0, (x, 50 * row, x + wide, 50 * row + 30), None, row, before, after)


def line(text, x, row):
    """Return the digits of a text of one row; a space is a wide gap."""
    digits, before = [], ""
    for character in text:
        if character in ".,":
            digits[-1] = digit(
                digits[-1].label, digits[-1].box[0], row, digits[-1].sign_before, character
            )
        elif character.isdigit():
            digits.append(digit(int(character), x, row, before))
            before = ""
        elif character == "-":
            before = character
        x += 60 if character == " " else 5 if character in ".," else 24
    return digits


def test_digits_close_to_each_other_are_a_number():
    rows = numbers([*line("-12.50 3,75 4", 0, 0), *line("1,000", 0, 1)])
    assert [[written(number) for number in row] for row in rows] == [
        ["-12.50", "3,75", "4"],
        ["1,000"],
    ]
    assert numbers([]) == []


def test_points_tell_how_far_the_digits_of_a_number_are_apart():
    def wide(*texts):
        """Return digits 50 apart, of height 30; after each text there are 50 more."""
        digits, x = [], 0
        for text in texts:
            for label, after in zip(text, [*text[1:], ""], strict=True):
                if label.isdigit():
                    digits.append(digit(int(label), x, 0, "", after if after == "." else ""))
                    x += 50
            x += 50
        return table(digits)

    assert wide("12.34", "5.6") == [["12.34", "5.6"]]
    assert wide("1.2", "3.4") == [["1.2", "3.4"]]
    assert wide("12") == [["1", "2"]]


def test_wider_gaps_part_numbers_unless_all_are_wide():
    def spaced(*distances):
        places = np.cumsum([0, *distances]).tolist()
        return table([digit(i, x, 0) for i, x in enumerate(places)])

    assert spaced(38, 34, 80, 36) == [["012", "34"]]  # gaps of 14 to 18, and 60, of 30
    assert spaced(38, 34, 36, 40) == [list("01234")]  # all alike, half a digit's height
    assert spaced(30, 28, 32) == [["0123"]]
    assert spaced(50, 52, 100, 48) == [list("01234")]  # one is missing in a row of single digits


def test_a_comma_before_a_wide_gap_is_no_part_of_the_number():
    for text in ("3, 5, 7", "12, 15, 18"):
        digits = line(text, 0, 0)
        assert [[written(number) for number in row] for row in numbers(digits)] == [text.split()]
        assert table(digits) == [text.replace(",", "").split()]


def test_numbers_above_each_other_are_a_column():
    digits = [*line("12 7", 0, 0), *line("5", 110, 1), *line("100 42", -24, 2)]
    assert table(digits) == [["12", "7"], ["", "5"], ["100", "42"]]


def test_rows_without_columns_in_common_are_filled_from_the_left():
    digits = [*line("1 2 3", 0, 0), *line("123456789", 0, 1)]
    assert table(digits) == [["1", "2", "3"], ["123456789", "", ""]]
    assert table([]) == []


def test_a_grid_has_its_own_rows_and_columns():
    places = [(4, (0, 1)), (1, (1, 0)), (2, (1, 0)), (7, (1, 2))]
    digits = [replace(digit(label, 30 * i, 0), cell=cell) for i, (label, cell) in enumerate(places)]
    assert table(digits) == [["", "4", ""], ["12", "", "7"]]
    beside = [*digits, digit(9, 500, 0)]  # one that is in no cell: a grid does not tell all
    assert len(table(beside)) == 1


@pytest.fixture(scope="module")
def bill(tmp_path_factory):
    """Return a photo of two rows of numbers, in a file whose name a spreadsheet would compute."""
    file = tmp_path_factory.mktemp("bill") / "=bill.png"
    rng = np.random.default_rng(5)
    rgb, _ = photograph(["-3,75 12", "1,25 40"], Scene(apart=0.55), draw_digit, rng)
    Image.fromarray(rgb).save(file)
    return file


def test_csv_has_a_line_for_each_row(bill):
    found = run("classify", bill, "--csv")
    assert found.exit_code == 0
    assert list(csv.reader(io.StringIO(found.stdout))) == [["-3,75", "12"], ["1,25", "40"]]
    assert found.stderr == f"{bill}: 10 digits\n"


def test_csv_of_several_photos_begins_with_their_names(bill, tmp_path, monkeypatch):
    monkeypatch.chdir(bill.parent)
    (tmp_path / "none.png").write_bytes(b"")
    found = run("classify", bill.name, tmp_path / "none.png", bill.name, "--csv")
    assert found.exit_code == 3
    lines = list(csv.reader(io.StringIO(found.stdout)))
    assert lines == 2 * [["'=bill.png", "-3,75", "12"], ["'=bill.png", "1,25", "40"]]
    assert "none.png" in found.stderr


def test_the_printed_reading_and_json_have_the_numbers(bill):
    lines = run("classify", bill).stdout.splitlines()
    assert lines[0] == f"{bill}: 10 digits"
    assert lines[1].startswith("  -3,75 (")
    assert "  12 (" in lines[1]
    assert lines[1].count("%") == 2
    (photo,) = json.loads(run("classify", bill, "--json").stdout)
    assert photo["table"] == [["-3,75", "12"], ["1,25", "40"]]
    assert [d["separator_after"] for d in photo["digits"][:2]] == [",", ""]
    assert photo["digits"][0]["sign_before"] == "-"


def test_csv_and_json_together_are_refused(bill):
    found = run("classify", bill, "--csv", "--json")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "give one of them" in found.stderr


def test_doubtful_digits_are_counted(tmp_path):
    image = Image.new("L", (500, 300), 220)
    pen = ImageDraw.Draw(image)
    pen.line([(120, 60), (220, 60), (160, 240)], 40, 14)
    pen.line([(320, 80), (400, 90), (340, 150), (410, 200), (330, 235), (300, 150)], 40, 14)
    image.save(tmp_path / "doubt.png")
    (photo,) = json.loads(run("classify", tmp_path / "doubt.png", "--json").stdout)
    doubtful = sum(d["probability"] < 0.9 for d in photo["digits"])
    assert doubtful == 1
    assert ", 1 doubtful" in run("classify", tmp_path / "doubt.png").stdout

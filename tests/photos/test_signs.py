"""Points, commas and minus signs: told beside the digits, and never read as digits."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from chainrule import photos, read_digits
from chainrule.handwriting.reading import read_ink
from chainrule.photos.strokes import draw_digit, draw_sign
from chainrule.photos.synthetic import Scene, photograph

PEN = 6


def drawing(*lines, size=(360, 200)):
    """Draw lines with a round pen: ink is 1, paper 0."""
    image = Image.new("L", size)
    pen = ImageDraw.Draw(image)
    for points in lines:
        pen.line(points, 255, PEN, joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - PEN / 2, y - PEN / 2, x + PEN / 2, y + PEN / 2), 255)
    return np.asarray(image, np.float32) / 255


def bar(x, top=40, bottom=140):
    return [(x, top), (x, bottom)]


POINT, COMMA, MINUS = [(150, 138), (151, 138)], [(152, 134), (142, 164)], [(40, 92), (80, 88)]


def kinds(*lines):
    return [sign.kind for sign in photos.find_in_ink(drawing(*lines)).signs]


def test_a_point_is_round_and_a_comma_has_a_tail():
    assert kinds(bar(110), POINT, bar(190)) == ["."]
    assert kinds(bar(110), COMMA, bar(190)) == [","]


def test_a_minus_sign_lies_before_a_digit_at_mid_height():
    assert kinds(MINUS, bar(110)) == ["-"]
    assert kinds(bar(110), [(130, 90), (165, 90)], bar(190)) == ["-"]
    assert kinds(bar(110), [(130, 90), (165, 90)]) == []


@pytest.mark.parametrize(
    "lines",
    [
        [bar(110), bar(150, 90), bar(190)],  # a 1 half as high as the others
        [bar(110), POINT, [(150, 90), (151, 90)], bar(190)],  # a colon
        [MINUS, [(40, 72), (80, 68)], bar(110)],  # equal
        [bar(110), [(150, 42), (151, 42)], bar(190)],  # at the top
        [bar(110), POINT],  # before nothing
        [bar(4), [(170, 138), (171, 138)], bar(210)],  # far from the one before
        [[(84, 40), (140, 40), (110, 140)], [(95, 90), (150, 90)]],  # the bar of a 7
    ],
)
def test_what_is_no_sign(lines):
    assert kinds(*lines) == []


def test_signs_are_no_marks_whether_they_are_near_a_digit_or_large():
    for comma in ([(128, 134), (121, 160)], [(152, 120), (138, 170)]):
        found = photos.find_in_ink(drawing(bar(110), comma, bar(190)))
        assert [mark.box for mark in found.marks] == [(107, 37, 114, 144), (187, 37, 194, 144)]
        assert [sign.kind for sign in found.signs] == [","]


def test_nothing_has_no_signs():
    assert photos.part_signs(np.zeros((50, 50), bool), []) == ([], [])


@pytest.mark.parametrize("sign", ".,-")
def test_signs_are_drawn_where_they_are_written(sign):
    for seed in range(20):
        y, x = np.nonzero(draw_sign(sign, np.random.default_rng(seed)) > 0.5)
        assert 20 < x.mean() < 76
        low, high = (36, 62) if sign == "-" else (66, 96)
        assert low < y.mean() < high


def test_numbers_are_read_as_they_are_written(tmp_path):
    rows = ["-3,75", "12.50", "1,000"]
    right = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rgb, boxes = photograph(rows, Scene(apart=0.7), draw_digit, rng)
        assert len(boxes) == 11  # of digits
        Image.fromarray(rgb).save(tmp_path / "numbers.png")
        read = ["", "", ""]
        for digit in read_digits(tmp_path / "numbers.png"):
            read[digit.row] += str(digit)
        right += sum(a == b for a, b in zip(read, rows, strict=True))
    assert right >= 16


def test_what_is_drawn_on_the_page_has_its_signs_too():
    digits = read_ink(drawing(MINUS, bar(110), COMMA, bar(190))).digits
    assert [(d.sign_before, d.label, d.separator_after) for d in digits] == [
        ("-", 1, ","),
        ("", 1, ""),
    ]

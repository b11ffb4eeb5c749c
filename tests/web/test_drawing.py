"""The Draw view's answers are those of the library."""

import io
import struct
import zlib

import numpy as np
import pytest
from asgi import ask, desk

from chainrule import Network, model_file, random_theta
from chainrule.handwriting.reading import read, read_ink, shipped_model
from chainrule.photos import normalise
from chainrule.photos.strokes import draw_digit
from chainrule.web import drawing
from chainrule.web.desk import KEPT


def drawn(label, seed=0):
    return np.uint8(255 * draw_digit(label, np.random.default_rng(seed)))


@pytest.mark.parametrize("label", range(10))
def test_a_drawing_reads_as_the_library_reads_it(label):
    ink = drawn(label)
    answer = ask(drawing.ink, desk(), ink=ink)
    reading = read_ink(ink / np.float32(255))
    assert answer["labels"] == [str(digit.label) for digit in reading.digits] == [str(label)]
    assert answer["probabilities"].tolist() == [digit.probability for digit in reading.digits]
    np.testing.assert_array_equal(answer["x"], reading.found.pictures[0])
    np.testing.assert_array_equal(answer["x"], normalise(reading.found.marks[0].ink))


def test_the_layers_are_the_networks_activations_of_this_picture_alone():
    answer = ask(drawing.ink, desk(), ink=drawn(3))
    h = shipped_model().predict(answer["x"].reshape(1, -1))[0]
    np.testing.assert_allclose(answer["a4"], h, rtol=1e-4, atol=1e-7)  # float32 beside float64
    assert [answer[f"a{l}"].shape for l in (2, 3, 4)] == [(400,), (100,), (11,)]


def test_of_several_marks_the_one_asked_for_is_shown():
    ink = np.zeros((140, 280), np.uint8)
    ink[20:116, 10:106] = drawn(2)
    ink[20:116, 170:266] = drawn(7)
    answer = ask(drawing.ink, desk(), ink=ink)
    assert answer["labels"] == ["2", "7"]
    assert answer["boxes"].shape == (2, 4)
    for mark in (0, 1):
        shown = ask(drawing.ink, desk(), ink=ink, mark=mark)
        assert shown["shown"] == mark
        assert shown["a4"].argmax() == (2, 7)[mark]


def test_strokes_may_touch_the_border():
    ink = np.zeros((140, 140), np.uint8)
    ink[:, 60:75] = 255
    assert ask(drawing.ink, desk(), ink=ink)["labels"] == ["1"]


def test_paper_without_ink_has_no_mark():
    answer = ask(drawing.ink, desk(), ink=np.zeros((140, 140), np.uint8))
    assert answer["labels"] == []
    assert "x" not in answer


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"ink": "ink"},
        {"ink": np.zeros((140, 140), np.float32)},
        {"ink": np.zeros(140 * 140, np.uint8)},
        {"ink": np.zeros((4, 140), np.uint8)},
        {"ink": np.zeros((140, 4000), np.uint8)},
        {"ink": drawn(3), "mark": 1},
        {"ink": drawn(3), "mark": -1},
        {"ink": drawn(3), "mark": True},
    ],
)
def test_what_is_no_drawing_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        ask(drawing.ink, desk(), **wrong)


def test_an_example_is_strokes_that_read_as_its_digit():
    answer = ask(drawing.example, desk(), digit=7, seed=21)
    assert sum(answer["strokes"]) == len(answer["points"])
    assert (np.abs(answer["points"] - 0.5) < 1).all()
    with pytest.raises(ValueError, match="digit must be a whole number from 0 to 9"):
        ask(drawing.example, desk(), digit=10, seed=0)


def saved(layers, encoder):
    stream = io.BytesIO()
    network = Network(layers)
    model_file.save(stream, model_file.Model(network, random_theta(network), encoder))
    return np.frombuffer(stream.getvalue(), np.uint8)


def test_a_model_is_opened_in_place_of_another():
    at = desk()
    encoder = shipped_model().encoder
    answer = ask(drawing.open_model, at, file=saved((784, 5, 11), encoder), name="own.safetensors")
    assert answer == ask(drawing.network, at) | {"view": "draw"}
    assert answer["name"] == "own.safetensors"
    assert answer["layers"] == [784, 5, 11]
    assert answer["classes"][-1] == "none"
    assert ask(drawing.ink, at, ink=drawn(3))["a2"].shape == (5,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.frombuffer(b"no model", np.uint8), "C:\\\\own.safetensors: not a model that"),
        ("text", "there is no file"),
    ],
)
def test_a_file_that_is_no_such_model_leaves_the_one_that_is_open(content, message):
    at = desk()
    with pytest.raises(ValueError, match=message):
        ask(drawing.open_model, at, file=content, name="C:\\own\n.safetensors")
    assert at.opened.name == "shipped digits"


def test_a_photo_reads_as_the_library_reads_it(sheet):
    at = desk()
    content = np.frombuffer(sheet.read_bytes(), np.uint8)
    answer = ask(drawing.photo, at, file=content, name="sheet.jpg")
    reading = read(sheet)
    digits = reading.digits
    assert answer["labels"] == [str(digit.label) for digit in digits]
    assert answer["numbers"] == [list("01234"), list("56789")]
    assert max(answer["rgb"].shape) <= drawing.SHOWN_SIDE
    for i in (0, 4):
        one = ask(drawing.mark, at, photo=answer["photo"], mark=i)
        np.testing.assert_array_equal(one["x"], digits[i].picture)


def test_a_photo_is_read_anew_by_its_number(sheet):
    at = desk()
    content = np.frombuffer(sheet.read_bytes(), np.uint8)
    first = ask(drawing.photo, at, file=content, name="sheet.jpg")
    again = ask(drawing.photo, at, photo=first["photo"])
    assert again.keys() == first.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(again[name], value)
    assert list(at.photos) == [first["photo"]]


def test_only_the_last_photos_are_kept(sheet):
    at = desk()
    reading = read(sheet)
    first, *_ = [at.keep(reading) for _ in range(KEPT + 1)]
    assert len(at.photos) == KEPT
    with pytest.raises(ValueError, match="only the last 4 photos are kept: give this one again"):
        ask(drawing.mark, at, photo=first, mark=0)
    with pytest.raises(ValueError, match="mark must be"):
        ask(drawing.mark, at, photo=first + 1, mark=10)


def png(width, height):
    """Return a PNG that says it has this many pixels, and holds none."""

    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image that can be read"),
        (b"<html><script>", "not an image that can be read"),
        (png(40_000, 40_000), "make it smaller"),
        (png(12_000, 9_000), "make it smaller"),
        (png(1000, 1000), "damaged or cut short"),
        (png(3, 3), "too few to show a digit"),
    ],
)
def test_a_file_that_is_no_photo_is_refused_by_its_owners_name(content, message):
    file = np.frombuffer(content, np.uint8)
    with pytest.raises(ValueError, match=rf"^\.\./Ü\.png: .*{message}"):
        ask(drawing.photo, desk(), file=file, name="../Ü\n.png")

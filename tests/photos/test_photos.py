"""From a photo to pictures: every step on photos made up for it, and on what is no photo."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from chainrule import photos
from chainrule.common.checks import DataError
from chainrule.photos import ink, normal, rows
from chainrule.photos.grids import remove_grids
from chainrule.photos.marks import Mark
from chainrule.photos.strokes import draw_digit, draw_no_digit
from chainrule.photos.synthetic import Scene, photograph
from chainrule.photos.touching import LAST, pieces


def seven(size=(400, 300), paper=210, pen=40):
    """Return the photo of a 7 between (113, 53) and (226, 247)."""
    image = Image.new("L", size, paper)
    ImageDraw.Draw(image).line([(120, 60), (220, 60), (160, 240)], pen, 14)
    return image


def found_in(image, folder, name="photo.png", **options):
    image.save(folder / name, **options)
    return photos.find(folder / name)


# Opening


def test_a_stream_shows_what_a_file_does(tmp_path):
    path = tmp_path / "seven.png"
    seven().save(path)
    expected = photos.open_photo(path)
    with path.open("rb") as file:
        np.testing.assert_array_equal(photos.open_photo(file).rgb, expected.rgb)
    stream = io.BytesIO(path.read_bytes())
    assert photos.find(stream).box(0) == photos.find(path).box(0)
    assert not stream.closed
    with pytest.raises(DataError, match=r"^<stream>: not an image that can be read"):
        photos.open_photo(io.BytesIO(b"no photo"))
    upload = io.BytesIO(path.read_bytes()[:200])
    upload.name = "cut.png"
    with pytest.raises(DataError, match=r"^cut\.png: the image is damaged or cut short"):
        photos.open_photo(upload)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("L", "a.jpg"), ("RGB", "a.jpg"), ("CMYK", "a.jpg"), ("1", "a.png"), ("P", "a.png"),
        ("LA", "a.png"), ("RGBA", "a.webp"), ("L", "a.bmp"), ("L", "a.pgm"), ("I", "a.tif"),
        ("F", "a.tif"), ("L", "a.gif"),
    ],
)  # fmt: skip
def test_every_kind_of_image_shows_the_same_mark(tmp_path, mode, name):
    found = found_in(seven().convert(mode), tmp_path, name)
    assert len(found.marks) == 1
    assert np.abs(np.subtract(found.box(0), (114, 53, 226, 245))).max() <= 6


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("1", "a.png"), ("P", "a.png"), ("LA", "a.png"), ("RGBA", "a.png"), ("I;16", "a.png"),
        ("F", "a.tif"), ("RGB", "a.webp"), ("CMYK", "a.tif"), ("L", "a.gif"),
    ],
)  # fmt: skip
def test_a_large_image_of_every_kind_is_reduced_first(tmp_path, monkeypatch, mode, name):
    monkeypatch.setattr("chainrule.photos.opening.REDUCED", 10**6)
    found = found_in(seven().resize((2000, 1500)).convert(mode), tmp_path, name)
    assert len(found.marks) == 1
    assert found.photo.size == (2000, 1500)
    assert np.abs(np.divide(found.box(0), 5) - (114, 53, 226, 245)).max() <= 6


def test_a_large_image_is_still_turned_upright(tmp_path, monkeypatch):
    monkeypatch.setattr("chainrule.photos.opening.REDUCED", 10**6)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = seven().resize((2000, 1500)).rotate(90, expand=True)
    assert found_in(turned, tmp_path, "a.png", exif=exif).photo.size == (2000, 1500)


@pytest.mark.parametrize(
    ("side", "name", "options", "most"),
    [
        (6100, "a.png", {}, 36), (6100, "a.gif", {}, 36), (6100, "a.bmp", {}, None),
        (6100, "a.tif", {"compression": "tiff_adobe_deflate"}, 36), (3600, "a.webp", {}, 12),
        (6100, "a.jpg", {"progressive": True}, 36), (6100, "a.jpg", {}, None),
    ],
)  # fmt: skip
def test_what_becomes_far_larger_when_decoded_is_refused_before(
    tmp_path, side, name, options, most
):
    Image.new("L", (side, side), 200).save(tmp_path / name, **options)
    if most is None:  # decoded small, or as large as the file
        assert photos.open_photo(tmp_path / name).size == (side, side)
        return
    with pytest.raises(DataError, match=f"says it has more than {most} megapixels"):
        photos.open_photo(tmp_path / name)


def test_a_stream_without_an_end_is_no_photo():
    class Zeros(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            self.given += size
            assert 0 < self.given < 10**7, "read on without an end"
            return bytes(size)

    with pytest.raises(DataError, match="<stream>: not an image that can be read"):
        photos.open_photo(Zeros())
    with pytest.raises(DataError, match=r"cannot be read \(it is a device, not a file\)"):
        photos.open_photo("/dev/zero")


def test_sixteen_bits_are_scaled_not_cut(tmp_path):
    values = np.asarray(seven()).astype(np.uint16) * 200
    found = found_in(Image.fromarray(values), tmp_path)
    assert len(found.marks) == 1


@pytest.mark.parametrize("pen", [0, 255])
def test_strokes_on_nothing_are_seen_on_paper_of_the_other_kind(tmp_path, pen):
    image = Image.new("RGBA", (400, 300), (pen, pen, pen, 0))
    colour = (pen, pen, pen, 255)
    ImageDraw.Draw(image).line([(120, 60), (220, 60), (160, 240)], colour, 14)
    assert len(found_in(image, tmp_path).marks) == 1


@pytest.mark.parametrize(("tag", "turn"), [(3, 180), (6, 90), (8, 270)])
def test_a_photo_is_turned_upright_as_the_camera_says(tmp_path, tag, turn):
    exif = Image.Exif()
    exif[0x0112] = tag
    found = found_in(seven().rotate(turn, expand=True), tmp_path, "a.jpg", exif=exif)
    assert found.photo.size == (400, 300)
    assert np.abs(np.subtract(found.box(0), (114, 53, 226, 245))).max() <= 6


def test_the_first_frame_of_an_animation_is_read_and_that_is_said(tmp_path):
    more = [Image.new("L", (400, 300), 0)]
    found = found_in(seven(), tmp_path, "a.gif", save_all=True, append_images=more)
    assert found.photo.notes == ["it has 2 frames: the first one is read"]
    assert len(found.marks) == 1


def test_the_first_frame_of_an_animated_webp_is_read_too(tmp_path):
    more = [Image.new("RGB", (400, 300))]
    found = found_in(seven().convert("RGB"), tmp_path, "a.webp", save_all=True, append_images=more)
    assert found.photo.notes == ["it has 2 frames: the first one is read"]
    assert len(found.marks) == 1


def test_what_is_wholly_transparent_shows_nothing(tmp_path):
    assert not found_in(Image.new("RGBA", (400, 300), (255, 0, 0, 0)), tmp_path).marks


def png(width, height, data=b"\0" * 1000):
    """Return a PNG that claims a size."""

    def chunk(kind, content):
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part) for part in ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an image"),
        (b"hello", "not an image"),
        (b"%PDF-1.4 hello", "not an image"),
        (png(60000, 60000), "more than 150 megapixels"),
        (png(15000, 15000), "more than 150 megapixels"),
        (png(3000, 3000), "damaged or cut short"),
        (png(4, 4, b"\0" * 20), "too few"),
    ],
)
def test_what_is_no_photo_is_refused_in_a_line_that_names_it(tmp_path, content, words):
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    with pytest.raises(DataError, match=words) as error:
        photos.open_photo(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


@settings(max_examples=60)
@given(st.data())
@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff", "webp", "bmp"])
def test_a_damaged_file_is_read_or_refused_but_never_breaks(tmp_path_factory, kind, data):
    file = tmp_path_factory.mktemp("damaged") / f"photo.{kind}"
    seven((120, 90)).save(file)
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(DataError):
        assert photos.open_photo(file).rgb.dtype == np.uint8


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "webp", "bmp"])
def test_half_a_file_is_damaged_or_cut_short(tmp_path, kind):
    file = tmp_path / f"photo.{kind}"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (200, 300, 3), dtype=np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DataError, match=r"damaged or cut short|not an image"):
        photos.open_photo(file)


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        photos.open_photo(tmp_path / "none.jpg")
    with pytest.raises(DataError, match="is a folder: give the photos in it"):
        photos.open_photo(tmp_path)


# Ink and marks


@pytest.mark.parametrize("brightness", ["blank", "gradient", "noise", "black"])
def test_where_nothing_is_written_nothing_is_found(tmp_path, brightness):
    rng = np.random.default_rng(0)
    picture = {
        "blank": np.full((600, 800), 220.0),
        "gradient": np.tile(np.linspace(80, 220, 800), (600, 1)),
        "noise": rng.normal(200, 6, (600, 800)),
        "black": np.zeros((600, 800)),
    }[brightness]
    assert not found_in(Image.fromarray(np.uint8(picture)), tmp_path).marks


@pytest.mark.parametrize("size", [(8, 8), (20000, 9), (9, 3000), (801, 13)])
def test_any_shape_of_picture_is_looked_through(tmp_path, size):
    assert not found_in(Image.new("L", size, 200), tmp_path).marks


@pytest.mark.parametrize("chalk", [False, True])
@pytest.mark.parametrize("shadow", [0.0, 0.5])
def test_a_sheet_gives_each_digit_once_in_its_place(tmp_path, chalk, shadow):
    rng = np.random.default_rng(3)
    scene = Scene(chalk=chalk, shadow=shadow, turn=3.0, gradient=0.3)
    rgb, boxes = photograph(["314", "159", "265"], scene, draw_digit, rng)
    found = found_in(Image.fromarray(rgb), tmp_path)
    assert len(found.marks) == 9
    for i, box in enumerate(boxes):
        assert np.abs(np.subtract(found.box(i), box)).max() <= 8


def test_ruled_lines_go_and_strokes_that_cross_them_stay(tmp_path):
    rng = np.random.default_rng(5)
    rgb, boxes = photograph(["27", "80"], Scene(ruled=0.35, turn=2.0), draw_digit, rng)
    found = found_in(Image.fromarray(rgb), tmp_path)
    assert len(found.marks) == len(boxes) == 4


def test_rows_of_letters_and_columns_of_digits_are_no_ruled_lines():
    mask = np.zeros((400, 400), bool)
    for x in range(0, 400, 12):  # stems with a bar between each two: print that fills the width
        mask[100:124, x : x + 3] = mask[110:113, x : x + 8] = True
    assert (photos.remove_lines(mask, mask.astype(float)) == mask).all()
    mask[300:303] = True
    left = photos.remove_lines(mask, mask.astype(float))
    assert not left[300:303].any()
    assert (left[:200] == mask[:200]).all()


@pytest.mark.parametrize("room", [4, 8, 16])
def test_digits_keep_their_stems_where_the_picture_ends_a_few_pixels_below(tmp_path, room):
    rng = np.random.default_rng(4)
    rgb, boxes = photograph(["4179"], Scene(scale=2.0, margin=0.8), draw_digit, rng)
    cut = rgb[: max(box[3] for box in boxes) + room]
    found = found_in(Image.fromarray(cut), tmp_path)
    assert len(found.marks) == 4
    for i, box in enumerate(boxes):
        assert np.abs(np.subtract(found.box(i), box)).max() <= 12


def test_the_table_beside_the_page_is_no_mark(tmp_path):
    rng = np.random.default_rng(1)
    rgb, _ = photograph(["4"], Scene(edge=True), draw_digit, rng)
    assert len(found_in(Image.fromarray(rgb), tmp_path).marks) == 1


@pytest.mark.parametrize("chalk", [False, True])
def test_a_page_on_a_dark_table_is_found_and_what_is_written_on_it(tmp_path, chalk):
    rng = np.random.default_rng(1)
    scene = Scene(table=True, turn=4.0, perspective=0.1)
    rgb, boxes = photograph(["4"], scene, draw_digit, rng)
    found = found_in(Image.fromarray(255 - rgb if chalk else rgb), tmp_path)
    assert len(found.marks) == 1
    assert np.abs(np.subtract(found.box(0), boxes[0])).max() <= 6


def darkened(rgb, kind):
    """Return the photo with a dark table, shadow or thing over its lowest sixth or its corner."""
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width]
    low = y > 5 * height / 6
    cover = {"corner": x + y > 1.75 * height, "thing": low & (abs(x - width / 2) < width / 4)}
    noise = np.random.default_rng(0).normal(0, 6, (height, width, 1))
    dark = rgb * 0.1 if kind == "shadow" else 30 + noise
    return np.uint8(np.clip(np.where(cover.get(kind, low)[..., None], dark, rgb), 0, 255))


@pytest.mark.parametrize("chalk", [False, True])
@pytest.mark.parametrize("kind", ["table", "shadow", "corner", "thing"])
def test_what_is_dark_beside_the_page_changes_nothing_on_it(tmp_path, kind, chalk):
    rgb, boxes = photograph(["314", "159"], Scene(), draw_digit, np.random.default_rng(3))
    rgb = darkened(np.pad(rgb, ((0, 150), (0, 0), (0, 0)), "edge"), kind)
    found = found_in(Image.fromarray(255 - rgb if chalk else rgb), tmp_path)
    assert len(found.marks) == 6
    for i, box in enumerate(boxes):
        assert np.abs(np.subtract(found.box(i), box)).max() <= 8


def test_a_strip_of_table_along_a_side_is_no_page():
    grey = np.full((600, 800), 180.0, np.float32)
    grey[480:] = 60
    assert ink.page_on_table(grey) is None
    assert ink.page_on_table(255 - grey) is None


def test_a_thick_digit_that_fills_the_picture_is_no_page():
    for label in (0, 6, 8):
        for seed in range(5):
            picture = draw_digit(label, np.random.default_rng(seed))[12:-12, 12:-12]
            grey = 255 * np.kron(picture, np.ones((8, 8), np.float32))
            assert ink.page_on_table(grey) is None
            assert ink.page_on_table(255 - grey) is None
            assert ink.page_beside_dark(255 - grey) is None


def test_the_table_does_not_make_the_strokes_thick(tmp_path):
    """Digits one above the other stay apart however much of the mask is table."""
    rng = np.random.default_rng([1, *b"table all around"])
    scene = Scene(table=True, turn=float(rng.normal(0, 4)))
    rgb, boxes = photograph(["5812", "3687"], scene, draw_digit, rng)
    assert len(found_in(Image.fromarray(rgb), tmp_path).marks) == len(boxes)


def test_faint_ruled_lines_go_though_they_are_broken(tmp_path):
    rng = np.random.default_rng(2)
    scene = Scene(ruled=0.16, turn=1.0, noise=0.02, texture=0.02)
    rgb, boxes = photograph(["2718", "3141"], scene, draw_digit, rng)
    assert len(found_in(Image.fromarray(rgb), tmp_path).marks) == len(boxes)


@pytest.mark.parametrize("beside", ["text", "pen", "finger"])
def test_made_up_things_beside_the_digits_change_nothing_in_their_boxes(beside):
    rgb, boxes = photograph(["12"], Scene(beside=beside), draw_digit, np.random.default_rng(0))
    assert rgb.shape[2] == 3
    assert all(x1 > x0 and y1 > y0 for x0, y0, x1, y1 in boxes)


def test_a_bar_belongs_to_its_5_and_a_base_to_its_1(tmp_path):
    image = Image.new("L", (800, 400), 210)
    pen = ImageDraw.Draw(image)
    pen.line([(150, 90), (200, 60), (200, 260)], 40, 12)
    pen.line([(130, 300), (270, 300)], 40, 12)
    pen.line([(500, 90), (500, 160), (580, 180), (580, 260), (500, 290)], 40, 12)
    pen.line([(520, 60), (600, 60)], 40, 12)
    assert len(found_in(image, tmp_path).marks) == 2


def test_a_line_that_is_left_hides_no_small_digit():
    mask = np.zeros((800, 800), bool)
    mask[100:106, 100:700] = mask[300:340, 200:230] = True
    boxes = [mark.box for mark in photos.find_marks(mask.astype(np.float32), mask)]
    assert boxes == [(100, 100, 700, 106), (200, 300, 230, 340)]


def test_digits_that_touch_do_not_swallow_those_around_them():
    mask = np.zeros((800, 800), bool)
    places = [(x, y) for y in (240, 442) for x in (270, 330, 390)] + [(418, 300), (418, 372)]
    for x, y, width, height in [(300, 300, 108, 132), *((x, y, 50, 50) for x, y in places)]:
        mask[y : y + height, x : x + width] = True
        mask[y + 6 : y + height - 6, x + 6 : x + width - 6] = False
    assert len(photos.find_marks(mask.astype(np.float32), mask)) == 9


def test_a_digit_in_a_box_is_a_mark_of_its_own(tmp_path):
    image = seven((400, 320))
    ImageDraw.Draw(image).rectangle((70, 20, 280, 290), outline=60, width=5)
    found = found_in(image, tmp_path)
    assert len(found.marks) == len(found.cells) == 1
    assert np.abs(np.subtract(found.box(0), (114, 53, 226, 245))).max() <= 6


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 5.0), st.floats(0.0, 60.0))
@settings(max_examples=25)
def test_which_side_is_ink_is_the_same_in_any_light(seed, gain, offset):
    rng = np.random.default_rng(seed)
    picture = np.full((120, 160), 150.0)
    picture[30:90, 70:78] = 60
    picture += rng.normal(0, 1, picture.shape)
    light = np.clip(picture * gain / 5 + offset, 0, 255)
    assert ink.ink_is_dark(light)
    assert not ink.ink_is_dark(255 - light)


def joined(page, rows, columns, cell, corner=(60, 60), width=3):
    """Draw joined boxes on a picture of ink."""
    y0, x0 = corner
    for r in range(rows + 1):
        y = y0 + r * cell
        page[y : y + width, x0 : x0 + columns * cell + width] = 1
    for c in range(columns + 1):
        x = x0 + c * cell
        page[y0 : y0 + rows * cell + width, x : x + width] = 1


@pytest.mark.parametrize("touch", [0, 30])
def test_the_frame_of_joined_boxes_goes_and_what_is_written_in_them_stays(tmp_path, touch):
    page = np.zeros((520, 920), np.float32)
    joined(page, 2, 4, 200)
    for r in range(2):
        for c in range(4):  # a 7 with its bar, its stem perhaps through the line below
            y, x = 100 + 200 * r, 110 + 200 * c
            page[y : y + 9, x : x + 90] = 1
            page[y : y + 120 + touch + 20 * (touch > 0), x + 81 : x + 90] = 1
    found = found_in(Image.fromarray(np.uint8(220 - 170 * page)), tmp_path)
    assert len(found.marks) == 8
    assert len(found.cells) == 8
    for i, mark in enumerate(found.marks):
        x0, y0 = 110 + 200 * (i % 4), 100 + 200 * (i // 4)
        assert np.abs(np.subtract(found.box(i)[:2], (x0, y0))).max() <= 4
        assert abs(mark.width * found.photo.scale - 90) <= 6


def test_a_digit_with_a_hole_is_no_frame():
    for label in (0, 6, 8, 9):
        for seed in range(10):
            ink = draw_digit(label, np.random.default_rng(seed))
            mask = np.kron(np.pad(ink, 20), np.ones((4, 4))) > 0.5
            left, cells = remove_grids(mask, mask.astype(np.float32))
            assert left is mask
            assert not cells


# Reading order


@given(st.integers(1, 4), st.integers(1, 6), st.floats(-0.15, 0.15), st.randoms())
def test_rows_are_followed_on_a_tilted_page(n_rows, n_columns, tilt, random):
    places = [(r, c) for r in range(n_rows) for c in range(n_columns)]
    random.shuffle(places)
    boxes = []
    for r, c in places:
        x, y = 60 * c, round(100 * r + tilt * 60 * c)
        boxes.append((x, y, x + 40, y + 60))
    order = rows.in_reading_order(boxes)
    assert [places[i] for i, _ in order] == sorted(places)
    assert [row for _, row in order] == [r for r, _ in sorted(places)]


# What the network sees


def test_the_pieces_of_a_mark_side_by_side_are_the_mark():
    rng = np.random.default_rng(0)
    ink = np.concatenate([draw_digit(3, rng)[:, 16:80], draw_digit(5, rng)[:, 16:80]], axis=1)
    parts = pieces(Mark((10, 20, 138, 116), ink))
    ends = {end for _, end in parts if end != LAST}
    both = [
        (parts[0, end], parts[end, LAST]) for end in ends if {(0, end), (end, LAST)} <= {*parts}
    ]
    assert both
    for pair in both:
        page = np.zeros((150, 150), np.float32)
        for part in pair:
            x0, y0, x1, y1 = part.box
            page[y0:y1, x0:x1] = np.maximum(page[y0:y1, x0:x1], part.ink)
        assert ((page[20:116, 10:138] >= 0.5) == (ink >= 0.5)).all()


@pytest.mark.parametrize("seed", range(4))
def test_no_ink_is_in_two_of_three_pieces_side_by_side(seed):
    rng = np.random.default_rng(seed)
    ink = np.concatenate([draw_digit(d, rng)[:, 16:80] for d in (3, 0, 5)], axis=1)
    parts = pieces(Mark((0, 0, ink.shape[1], ink.shape[0]), ink))
    rows = [
        (i, j) for i, j in parts if i > 0 and j != LAST and (0, i) in parts and (j, LAST) in parts
    ]
    assert rows
    for i, j in rows:
        page = np.zeros(ink.shape, int)
        for part in (parts[0, i], parts[i, j], parts[j, LAST]):
            x0, y0, x1, y1 = part.box
            page[y0:y1, x0:x1] += part.ink >= 0.5
        np.testing.assert_array_equal(page, ink >= 0.5)


def test_a_shape_that_is_filled_is_not_cut():
    assert list(pieces(Mark((0, 0, 90, 100), np.ones((100, 90), np.float32)))) == [(0, LAST)]


def test_a_digit_looks_the_same_from_any_pen_and_any_size():
    rng = np.random.default_rng(0)
    from chainrule.photos.strokes import DIGITS, _draw, _path

    path = [_path(stroke, rng) for stroke in DIGITS[2][0]]
    pictures = [
        normal.normalise(np.kron(_draw(path, np.random.default_rng(1), width), np.ones((k, k))))
        for width, k in ((4.0, 1), (7.0, 2), (11.0, 3))
    ]
    for picture in pictures[1:]:
        assert np.corrcoef(picture.ravel(), pictures[0].ravel())[0, 1] > 0.9


@given(st.integers(0, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_a_picture_fits_the_box_and_is_centred(label, seed):
    picture = normal.normalise(draw_digit(label, np.random.default_rng(seed)))
    ink = np.argwhere(picture > 0)
    assert picture.shape == (28, 28)
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert (np.ptp(ink, axis=0) + 1 <= normal.BOX).all()
    y, x = np.average(np.indices((28, 28)).reshape(2, -1), axis=1, weights=picture.ravel())
    assert max(abs(y - 13.5), abs(x - 13.5)) <= 4.1  # moved no further than the box allows


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_whatever_is_drawn_can_be_normalised(seed):
    picture = normal.normalise(draw_no_digit(np.random.default_rng(seed)))
    assert np.isfinite(picture).all()

"""Reading digits with the shipped network: on photos made up for it, real ones, and none at all."""

import csv
import json
import re

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from chainrule import Network, model_file, photos, random_theta, read_digits
from chainrule.commands.app import app
from chainrule.common.checks import DataError
from chainrule.handwriting import learning
from chainrule.handwriting.figure import reading_figure
from chainrule.handwriting.reading import _in_context, read, recognise, shipped_model
from chainrule.photos.strokes import draw_digit
from chainrule.photos.synthetic import Scene, photograph
from chainrule.training.checkpoint import Checkpoint


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """Return a photo of two rows of five digits."""
    file = tmp_path_factory.mktemp("sheet") / "sheet.jpg"
    rng = np.random.default_rng(8)
    rgb, _ = photograph(["01234", "56789"], Scene(turn=2, shadow=0.3), draw_digit, rng)
    Image.fromarray(rgb).save(file)
    return file


def text_page(file):
    """Print a page of words."""
    from chainrule.photos.strokes import _font

    image = Image.new("L", (1000, 700), 235)
    words = "the network learns to read letters from a printed page about lakes and forests"
    pen, font = ImageDraw.Draw(image), _font("DejaVuSans", 24)
    for line in range(15):
        pen.text((50, 40 + 40 * line), words, 30, font)
    image.save(file)


# The shipped network


def test_the_shipped_model_is_small_and_says_where_it_came_from():
    model = shipped_model()
    assert model.network.size * 2 < 1_000_000
    assert model.provenance.options["recipe"] == "photos"
    assert model.provenance.seed == 0
    assert model.classes == (*range(10), "none")


def test_every_digit_of_a_sheet_is_read_in_its_row(sheet):
    digits = read_digits(sheet)
    assert [digit.label for digit in digits] == list(range(10))
    assert [digit.row for digit in digits] == [0] * 5 + [1] * 5
    assert all(digit.picture.shape == (28, 28) for digit in digits)
    assert all(0 < digit.probability <= 1 for digit in digits)


def test_a_stream_is_read_as_a_file_is(sheet):
    with open(sheet, "rb") as stream:
        found = read_digits(stream)
    assert [digit.label for digit in found] == list(range(10))


def test_photos_as_people_take_them_are_read():
    """40 photos of one digit with everything wrong that goes wrong, drawn by chance."""
    import tempfile
    from pathlib import Path

    right = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(40):
            rng = np.random.default_rng(500 + seed)
            rgb, _ = photograph([str(seed % 10)], Scene.random(rng), draw_digit, rng)
            Image.fromarray(rgb).save(Path(folder, "photo.jpg"), quality=85)
            found = read_digits(Path(folder, "photo.jpg"))
            right += [digit.label for digit in found] == [seed % 10]
    assert right >= 36


def test_a_page_of_text_and_a_textured_picture_have_no_confident_digit(tmp_path):
    from scipy import ndimage

    text_page(tmp_path / "text.png")
    rng = np.random.default_rng(0)
    fur = sum(
        ndimage.gaussian_filter(rng.normal(size=(600, 800)), sigma) * sigma for sigma in (1, 4, 12)
    )
    fur = np.uint8(255 * (fur - fur.min()) / np.ptp(fur))
    Image.fromarray(fur).save(tmp_path / "fur.png")
    for name in ("text.png", "fur.png"):
        assert not [digit for digit in read_digits(tmp_path / name) if digit.probability > 0.5]


@pytest.mark.parametrize("beside", ["text", "pen", "finger"])
def test_only_the_digits_are_read_beside_other_things(tmp_path, beside):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rgb, _ = photograph([str(seed + 2)], Scene(beside=beside), draw_digit, rng)
        Image.fromarray(rgb).save(tmp_path / "photo.png")
        assert [digit.label for digit in read_digits(tmp_path / "photo.png")] == [seed + 2]


def test_the_arches_of_letters_are_no_touching_digits(tmp_path):
    from chainrule.photos.strokes import _font

    image = Image.new("L", (1000, 700), 215)
    pen, font = ImageDraw.Draw(image), _font("DejaVuSans", 110)
    rows = [("k", "8", "m"), ("m", "7", "M"), ("km", "4", "N")]
    for row, texts in enumerate(rows):
        for x, text in zip((60, 400, 700), texts, strict=True):
            pen.text((x, 40 + 200 * row), text, 40, font)
    image.save(tmp_path / "units.png")
    assert [digit.label for digit in read_digits(tmp_path / "units.png")] == [8, 7, 4]


def test_digits_that_look_like_letters_are_lost_in_words_alone():
    h = np.zeros((6, 11))
    h[[0, 1], 10], h[2, 0] = 1, 1  # two letters and an o, close together
    h[[3, 4, 5], [2, 5, 1]] = 1  # 2 and 5 a space further, and a pen
    boxes = [
        (0, 0, 20, 30),
        (25, 0, 45, 30),
        (50, 10, 70, 30),
        (100, 0, 120, 30),
        (140, 0, 160, 30),
    ]
    changed = _in_context(h, [*boxes, (0, 50, 10, 150)])
    assert changed.argmax(axis=1).tolist() == [10, 10, 10, 2, 5, 10]
    np.testing.assert_allclose(changed.sum(axis=1), 1)
    alone = _in_context(h[5:], [(0, 50, 10, 150)])
    assert alone.argmax() == 1


def test_in_a_page_of_print_only_what_is_larger_than_its_letters_is_a_digit():
    h = np.zeros((80, 11))
    h[:50, 10], h[50:, 1] = 1, 1
    boxes = [
        (90 * (i // 5), 60 * (i % 5), 90 * (i // 5) + 15, 60 * (i % 5) + 20) for i in range(80)
    ]
    assert (_in_context(h, boxes)[:, 10] == 1).all()
    boxes[79] = (1500, 300, 1530, 350)
    assert _in_context(h, boxes)[79, 1] == 1
    few = _in_context(h[40:60], boxes[40:60])
    assert (few[10:, 1] == 1).any()


def test_strangers_around_make_a_doubtful_mark_one_of_them():
    model = shipped_model()
    X, _ = learning.drawings(10, 40, 3)
    pictures = X.reshape(-1, 28, 28)
    alone = recognise(model, pictures[:10])[:, 10]
    among = recognise(model, pictures)[:10, 10]
    assert (among >= alone - 1e-9).all()


@pytest.mark.parametrize("seed", [1, 2, 5, 7])
def test_digits_that_touch_are_told_apart(tmp_path, seed):
    rng = np.random.default_rng(seed)
    rgb, boxes = photograph(["31826", "50794"], Scene(apart=0.52), draw_digit, rng)
    Image.fromarray(rgb).save(tmp_path / "touching.png")
    assert len(photos.find(tmp_path / "touching.png").marks) < 10
    digits = read_digits(tmp_path / "touching.png")
    assert [digit.label for digit in digits] == [3, 1, 8, 2, 6, 5, 0, 7, 9, 4]
    for digit, box in zip(digits, boxes, strict=True):
        np.testing.assert_allclose(digit.box, box, atol=10)


def test_a_digit_in_a_grid_has_its_row_and_column(tmp_path):
    rng = np.random.default_rng(8)
    rgb, _ = photograph(["01 34", "5 789"], Scene(), draw_digit, rng)
    image = Image.fromarray(rgb)
    pen, edge, cell = ImageDraw.Draw(image), 162, 150
    for i in range(6):
        pen.line([(edge + i * cell, edge), (edge + i * cell, edge + 2 * cell)], (40, 40, 40), 3)
    for i in range(3):
        pen.line([(edge, edge + i * cell), (edge + 5 * cell, edge + i * cell)], (40, 40, 40), 3)
    image.save(tmp_path / "grid.png")
    digits = read_digits(tmp_path / "grid.png")
    assert [digit.label for digit in digits] == [0, 1, 3, 4, 5, 7, 8, 9]
    assert [digit.cell for digit in digits] == [
        (0, 0), (0, 1), (0, 3), (0, 4), (1, 0), (1, 2), (1, 3), (1, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("turn", "words"), [(90, "a quarter to the right"), (180, "half a turn"), (270, "to the left")]
)
def test_a_page_on_its_side_is_turned_and_that_is_said(sheet, tmp_path, turn, words):
    with Image.open(sheet) as image:
        image.rotate(turn, expand=True).save(tmp_path / "turned.png")
        size = image.size
    reading = read(tmp_path / "turned.png")
    assert [digit.label for digit in reading.digits] == list(range(10))
    assert [digit.row for digit in reading.digits] == [0] * 5 + [1] * 5
    assert (reading.found.photo.turned, reading.found.photo.size) == (360 - turn, size)
    for digit, upright in zip(reading.digits, read(sheet).digits, strict=True):
        np.testing.assert_allclose(digit.box, upright.box, atol=6)
    found = run("classify", tmp_path / "turned.png", "--json")
    assert words in found.stderr
    assert json.loads(found.stdout)[0]["turned"] == 360 - turn


def test_a_page_that_stands_upright_is_not_turned(sheet, tmp_path):
    assert read(sheet).found.photo.turned == 0
    image = Image.new("L", (600, 400), 220)  # dashes would be ones if they stood
    for i in range(5):
        ImageDraw.Draw(image).line([(200, 60 + 60 * i), (400, 62 + 60 * i)], 40, 12)
    image.save(tmp_path / "dashes.png")
    assert not read(tmp_path / "dashes.png").digits


def test_recognising_is_the_same_each_time_and_sums_to_one():
    X, _ = learning.drawings(5, 2, 1)
    pictures = X.reshape(-1, 28, 28)
    first, again = (recognise(shipped_model(), pictures) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first.sum(axis=1), 1)


# Real photos


def test_of_the_real_single_photos_at_most_one_is_misread(data):
    folder, wrong = data("photos"), []
    for file in sorted(folder.glob("*/labels.csv")):
        with open(file, newline="") as lines:
            for row in csv.DictReader(lines):
                if row["layout"] == "single" and row["kind"] != "object":
                    read = [digit.label for digit in read_digits(file.parent / row["file"])]
                    if read != [int(row["label"])]:
                        wrong.append((file.parent.name, row["file"], read))
    assert len(wrong) <= 1, wrong


def test_of_the_real_sheets_nearly_every_digit_is_read(data):
    folder, right, read = data("photos"), 0, 0
    for file in sorted(folder.glob("*/labels.csv")):
        with open(file, newline="") as lines:
            for row in csv.DictReader(lines):
                if row["layout"] == "multi":
                    digits = read_digits(file.parent / row["file"])
                    rows = [""] * (digits[-1].row + 1)
                    for digit in digits:
                        rows[digit.row] += str(digit.label)
                    truth = row["label"].replace("/", "")
                    right += sum(a == b for a, b in zip("".join(rows), truth, strict=False))
                    read += len(digits)
    assert right >= 57
    assert read <= 61


# The commands


def test_classify_prints_a_line_a_row_and_json(sheet):
    found = run("classify", sheet)
    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    assert lines[0] == f"{sheet}: 10 digits"
    assert lines[1].startswith("  0 (")
    assert len(lines) == 3
    (photo,) = json.loads(run("classify", sheet, "--json").stdout)
    assert [digit["label"] for digit in photo["digits"]] == list(range(10))
    assert photo["no_digits"] == []
    assert len(photo["digits"][0]["box"]) == 4


def test_classify_goes_on_after_a_bad_file_and_ends_with_3(sheet, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"nothing")
    found = run("classify", tmp_path / "bad.jpg", sheet)
    assert found.exit_code == 3
    assert "10 digits" in found.stdout
    assert found.stderr.count("\n") == 1
    assert "bad.jpg: not an image" in found.stderr
    alone = run("classify", tmp_path / "bad.jpg")
    assert (alone.exit_code, alone.stdout) == (3, "")


def test_classify_of_a_blank_page_says_that_nothing_is_written(tmp_path):
    Image.new("L", (800, 600), 220).save(tmp_path / "blank.png")
    found = run("classify", tmp_path / "blank.png")
    assert found.exit_code == 0
    assert found.stdout == f"{tmp_path / 'blank.png'}: no digit, nothing written\n"
    text_page(tmp_path / "text.png")
    found = run("classify", tmp_path / "text.png")
    assert re.fullmatch(r".*text\.png: no digit, \d+ marks that are no digit\n", found.stdout)


def test_show_draws_the_photo_and_every_step(sheet, tmp_path):
    assert run("classify", sheet, "--show", tmp_path / "steps.png").exit_code == 0
    with Image.open(tmp_path / "steps.png") as image:
        assert image.size[0] > 800
    two = run("classify", sheet, sheet, "--show", tmp_path / "steps.png")
    assert (two.exit_code, two.stderr.count("\n")) == (2, 1)
    elsewhere = run("classify", sheet, "--show", tmp_path / "none" / "steps.png")
    assert elsewhere.exit_code == 2


def test_a_large_photo_is_drawn_from_about_as_many_pixels_as_are_seen(sheet, tmp_path):
    with Image.open(sheet) as image:
        large = image.resize((1800, 1800 * image.height // image.width))
    large.save(tmp_path / "large.png")
    found = read(tmp_path / "large.png")
    height, width = found.found.mask.shape
    photo, *others = reading_figure(found, "sheet").findobj(AxesImage)
    steps = [image for image in others if image.get_extent() == photo.get_extent()]
    assert photo.get_extent() == [-0.5, width - 0.5, height - 0.5, -0.5]
    assert max(photo.get_array().shape) <= 1400 < width
    assert [max(image.get_array().shape) <= 500 for image in steps] == 3 * [True]
    for image, whole in zip(steps, (1 - found.found.contrast, ~found.found.mask), strict=False):
        assert image.get_array().mean() == pytest.approx(whole.mean(), abs=1e-3)


@pytest.mark.parametrize(("columns", "apart"), [(3, 1.0), (10, 0.8), (14, 0.7)])
def test_the_picture_of_a_reading_is_readable_however_many_digits_there_are(
    tmp_path, columns, apart
):
    rng = np.random.default_rng(0)
    rows = ["".join(map(str, rng.integers(0, 10, columns))) for _ in range(columns)]
    rgb, _ = photograph(rows, Scene(turn=1, scale=0.6, apart=apart), draw_digit, rng)
    Image.fromarray(rgb).save(tmp_path / "dense.png")
    found = read(tmp_path / "dense.png")
    figure = reading_figure(found, "dense.png")
    figure.canvas.draw()
    photo, *others = figure.findobj(Axes)
    labels = [text for text in photo.texts if text.get_text()]
    assert [label.get_text()[0] for label in labels] == [str(d.label) for d in found.digits]
    places = [label.get_window_extent() for label in labels]
    crowded = sum(a.overlaps(b) for i, a in enumerate(places) for b in places[:i])
    assert crowded <= 0.05 * len(labels)
    title = photo.title.get_window_extent()
    assert figure.bbox.x0 <= title.x0
    assert title.x1 <= min(panel.get_window_extent().x0 for panel in others)
    assert [tick.get_text() for tick in photo.get_yticklabels()] == [
        str(row + 1) for row in range(columns)
    ]


def test_a_model_that_cannot_read_photos_is_refused(sheet, tmp_path):
    from chainrule.datasets.columns import Column
    from chainrule.datasets.encoding import Encoder

    model = model_file.Model(Network((1, 1)), np.array([0.5, 1.0]), Encoder((Column("size"),)))
    model_file.save(tmp_path / "size.safetensors", model)
    found = run("classify", sheet, "--model", tmp_path / "size.safetensors")
    assert found.exit_code == 4
    assert "pixels of a square" in found.stderr


# One's own hand


def test_a_sheet_is_collected_and_a_model_goes_on_from_it(sheet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run("collect", sheet, "--label", "01234/56789", "--folder", "mine")
    assert found.exit_code == 0
    assert "10 digits added to mine" in found.stdout
    run("collect", sheet, "--label", "0123456789", "--folder", "mine")
    assert sorted(file.name for file in (tmp_path / "mine").iterdir()) == [
        "labels.csv",
        "sheet-2.jpg",
        "sheet.jpg",
    ]
    monkeypatch.setattr(learning, "REHEARSED", (200, 100))
    trained = run("train", "mine", "--from", "shipped", "--json")
    assert trained.exit_code == 0
    assert json.loads(trained.stdout)["right"]["after"] == 20
    assert "drawing 300 not to be forgotten" in trained.stderr
    assert run("classify", sheet, "--model", "mine.safetensors").exit_code == 0


def test_a_label_that_does_not_fit_the_photo_is_refused(sheet, tmp_path):
    found = run("collect", sheet, "--label", "012", "--folder", tmp_path / "mine")
    assert found.exit_code == 3
    assert "3 digits in the label and 10 marks" in found.stderr
    assert not (tmp_path / "mine").exists()
    with pytest.raises(DataError, match="has no digit"):
        learning.collect(sheet, "abc", tmp_path / "mine")
    with pytest.raises(DataError, match=r"no labels\.csv"):
        learning.collected(tmp_path)


def test_going_on_from_a_model_that_is_killed_goes_on_to_the_same_bits(tmp_path):
    rng = np.random.default_rng(0)
    own, rehearsed = rng.random((4, 784)), rng.random((60, 784))
    data = (shipped_model(), own, np.array([4, 4, 7, 1]), rehearsed)
    whole = learning.adapted(*data)

    def stop(step):
        if step.iteration == 2:
            raise KeyboardInterrupt

    path = tmp_path / "own.ckpt"
    cut = learning.adapted(*data, callback=stop, checkpoint=Checkpoint(path))
    result = learning.adapted(*data, checkpoint=Checkpoint(path))
    assert cut.interrupted
    np.testing.assert_array_equal(result.theta, whole.theta)
    assert result.history.J == whole.history.J


@pytest.mark.slow
def test_going_on_from_a_few_strange_digits_forgets_nothing(data):
    """A hand that writes 7 as others write 1 with a hook: learnt, and MNIST is read as before."""
    with np.load(data("mnist.npz")) as mnist:
        X = learning.normalised(mnist["X_test"][:2000] / 255)
        y = mnist["y_test"][:2000]
    model = shipped_model()
    own = X[y == 4][:10][:, ::-1]  # turned upside down: nobody's 4
    before = np.mean(np.array(model.labels(X)) == y)
    rehearsed, _ = learning.drawings(*learning.REHEARSED, seed=0)
    result = learning.adapted(model, own, np.full(10, 4), rehearsed)
    from dataclasses import replace

    new = replace(model, theta=result.theta)
    assert new.labels(own) == [4] * 10
    assert np.mean(np.array(new.labels(X)) == y) >= before - 0.005


# Calibration


def test_the_temperature_makes_an_overconfident_network_modest():
    rng = np.random.default_rng(0)
    network = Network((2, 3), output="softmax")
    theta = random_theta(network, 0)
    X = rng.normal(size=(4000, 2))
    from chainrule import predict

    y = np.array([rng.choice(3, p=p) for p in predict(network, theta, X)])
    found, temperature = learning.calibrated(network, theta * 5, X, y)
    assert temperature == pytest.approx(5, rel=0.3)
    np.testing.assert_allclose(found, theta * 5 / temperature)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"file,label\n../secret.jpg,1\n", r"'\.\./secret\.jpg' is no file of this folder"),
        (b"file,label\n/etc/passwd,1\n", "'/etc/passwd' is no file of this folder"),
        (b"file,label\n,1\n", "'' is no file of this folder"),
        (b"file,label\na\0.jpg,1\n", "is no file of this folder"),
        (b"file,label\nabsent.jpg\n", "there is no such file"),
        (b"photo,label\na.jpg,1\n", "needs the columns file and label"),
        (b"file,label\n\xff\xfe,1\n", "needs the columns file and label, in UTF-8"),
        (b"file,label\n", "has no photo in it"),
    ],
)
def test_labels_name_files_of_their_folder_only(tmp_path, content, message):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        learning.collected(tmp_path)


def test_a_folder_in_the_place_of_the_labels_is_none(tmp_path):
    (tmp_path / "labels.csv").mkdir()
    with pytest.raises(DataError, match=r"has no labels\.csv"):
        learning.collected(tmp_path)

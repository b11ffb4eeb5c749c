"""New examples from old, and the recipes that train on them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule import Network, train
from chainrule.commands.app import app
from chainrule.datasets.distortions import CHUNK, Distortion
from chainrule.training.recipes import RECIPES

STILL = {"turn": 0.0, "slant": 0.0, "scale": 0.0, "move": 0.0, "bend": 0.0}
ALL = Distortion(turn=0.1, slant=0.1, scale=0.1, move=1.0, bend=1.0, thicken=0.5)


def rng(seed=0):
    return np.random.default_rng(seed)


def blots(m, side=28):
    """Return pictures of a round blot in the middle."""
    at = np.arange(side) - (side - 1) / 2
    blot = np.exp(-(at[:, None] ** 2 + at**2) / 20).astype(np.float32)
    return np.repeat(blot.reshape(1, -1), m, axis=0)


def centres(X):
    """Return where each picture's ink has its centre of mass, y and x."""
    side = round(X.shape[1] ** 0.5)
    pictures = X.reshape(-1, side, side)
    y, x = np.indices((side, side))
    ink = pictures.sum(axis=(1, 2))
    return (pictures * y).sum(axis=(1, 2)) / ink, (pictures * x).sum(axis=(1, 2)) / ink


# Distortions


def test_no_distortion_leaves_a_picture_as_it_is():
    X = rng().random((5, 784), np.float32)
    np.testing.assert_allclose(Distortion(**STILL)(X, rng()), X, atol=1e-5)


def test_the_pictures_given_are_not_changed_and_the_seed_decides():
    X = rng().random((CHUNK + 3, 64), np.float32)
    before = X.copy()
    one, same, other = ALL(X, rng(1)), ALL(X, rng(1)), ALL(X, rng(2))
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(one, same)
    assert one.dtype == np.float32
    assert (one != other).any(axis=1).all()


def test_each_picture_is_distorted_in_its_own_way():
    out = ALL(blots(CHUNK + 50), rng())
    assert len(np.unique(out, axis=0)) == len(out)
    assert out.min() >= 0
    assert out.max() <= 1


def test_move_is_the_standard_deviation_of_the_shift():
    y, x = centres(Distortion(**STILL | {"move": 1.5})(blots(4000), rng()))
    for shift in (y - 13.5, x - 13.5):
        assert abs(shift.mean()) < 0.1
        assert shift.std() == pytest.approx(1.5, rel=0.05)


def test_bend_is_the_standard_deviation_of_a_pixels_displacement():
    y, x = Distortion(**STILL | {"bend": 1.2})._places(4000, 28, rng())
    rows, columns = np.indices((28, 28))
    for shift in (y - rows, x - columns):
        np.testing.assert_allclose(shift.std(axis=0), 1.2, rtol=0.1)
        # and a smooth one: what is beside a pixel goes nearly where the pixel goes
        assert np.diff(shift, axis=2).std() < 0.3


def test_turn_and_scale_do_what_they_say():
    side = 28
    at = np.arange(side) - (side - 1) / 2
    bar = np.exp(-(at[:, None] ** 2) / 4 - at**2 / 24).astype(np.float32)  # along x
    X = np.repeat(bar.reshape(1, -1), 2000, axis=0)

    def moments(X):
        pictures = X.reshape(-1, side, side).astype(float)
        ink = pictures.sum(axis=(1, 2))
        y, x = np.meshgrid(at, at, indexing="ij")
        return [(pictures * term).sum(axis=(1, 2)) / ink for term in (y * y, x * x, x * y)]

    yy, xx, xy = moments(Distortion(**STILL | {"turn": 0.2})(X, rng()))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    assert abs(angle.mean()) < 0.02
    assert angle.std() == pytest.approx(0.2, rel=0.06)
    _, xx, _ = moments(Distortion(**STILL | {"scale": 0.1})(X, rng()))
    factor = 0.5 * np.log(xx / moments(X)[1])
    assert factor.std() == pytest.approx(0.1, rel=0.1)


def test_thicken_grows_some_strokes_and_shrinks_others():
    stroke = np.zeros((28, 28), np.float32)
    stroke[12:16, 4:24] = 1
    X = np.repeat(stroke.reshape(1, -1), 500, axis=0)
    ink = Distortion(**STILL, thicken=0.5)(X, rng()).sum(axis=1) / stroke.sum()
    assert ink.min() < 0.85
    assert ink.max() > 1.2
    assert (ink < 1).mean() == pytest.approx(0.5, abs=0.1)


def test_training_goes_on_from_a_state_with_the_same_distortions():
    X, y = rng().random((40, 64), np.float32), np.arange(40) % 4
    network = Network((64, 8, 4), hidden="relu", output="softmax")
    options = {"optimizer": "sgd", "distort": ALL, "batch_size": 10, "patience": None}
    whole = train(network, X, y, max_iter=5, **options)
    part = train(network, X, y, max_iter=2, **options)
    rest = train(network, X, y, max_iter=3, state=part.state, **options)
    np.testing.assert_array_equal(rest.state.theta, whole.state.theta)
    assert not np.array_equal(whole.theta, train(network, X, y, max_iter=5, **options | {
        "distort": None}).theta)  # fmt: skip


# Recipes


@pytest.fixture
def bars(tmp_path, monkeypatch):
    """28x28 pictures of a bar that lies or stands or is bent, and some more to test on."""
    monkeypatch.chdir(tmp_path)
    noise = rng(7)
    y = np.arange(360) % 3
    X = noise.integers(0, 60, (360, 28, 28))
    for picture, label in zip(X, y, strict=True):
        row, column = noise.integers(10, 18, 2)
        if label in (0, 2):
            picture[row - 1 : row + 2, 6:22] = 230
        if label in (1, 2):
            picture[6:22, column - 1 : column + 2] = 230
    X = X.astype(np.uint8)
    np.savez("bars.npz", X_train=X[:300], y_train=y[:300], X_test=X[300:], y_test=y[300:])
    return "bars.npz"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", ["plain", "dropout", "distorted"])
def test_a_recipe_is_one_command_that_learns_and_counts_its_mistakes(bars, name, monkeypatch):
    monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], hidden=(40, 30), epochs=30))
    found = run("train", bars, "--recipe", name, "--seed", 1)
    assert found.exit_code == 0, found.stderr
    held_out = next(line for line in found.stdout.splitlines() if line.startswith("held out"))
    examples, accuracy, _, wrong = held_out.split()[2:]
    assert examples == "60"
    assert float(accuracy) > 85
    assert int(wrong) == round(60 * (1 - float(accuracy) / 100))
    told = json.loads(run("info", "bars.safetensors", "--json").stdout)
    assert told["options"]["recipe"] == name
    assert (told["seed"], told["network"]["layers"]) == (1, [784, 40, 30, 3])


def test_a_recipe_decides_its_settings_and_needs_pictures(bars, tmp_path):
    found = run("train", bars, "--recipe", "plain", "--lam", 1)
    assert found.exit_code == 2
    assert "--recipe plain decides --lam itself" in found.stderr
    (tmp_path / "table.csv").write_text("a,b,y\n" + "0.5,1.5,p\n2.5,0.1,q\n" * 20)
    found = run("train", "table.csv", "--recipe", "distorted")
    assert found.exit_code == 3
    assert "table.csv: a recipe needs square pictures of classes, such as mnist" in found.stderr


def test_the_rate_of_a_recipe_falls_along_a_line_and_stays_above_0():
    for recipe in RECIPES.values():
        rates = [recipe.learning_rate(epoch) for epoch in range(recipe.epochs)]
        assert rates[0] == recipe.rate
        assert min(rates) > 0
        np.testing.assert_allclose(np.diff(rates), -recipe.rate / recipe.epochs)

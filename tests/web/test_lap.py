"""The Drive view's answers are the driver's own."""

import numpy as np
import pytest
from asgi import ask, desk

from chainrule import Network, random_theta
from chainrule.commands.looking import _lay_model
from chainrule.driving import retina
from chainrule.driving.driver import Driver, save
from chainrule.driving.recording import shipped
from chainrule.driving.teacher import pursued
from chainrule.web.drawing import open_model
from chainrule.web.lap import COVERS, drive, lap

DRIVER, LAP = shipped()


def test_the_lap_is_the_shipped_one():
    answer = ask(lap, desk())
    looks = len(LAP.orders)
    assert answer["layers"] == [960, 4, 60]
    assert answer["a_second"] == 25
    assert answer["hills"] == [[-0.3, 0.3, 30], [20.0, 104.0, 30]]
    assert answer["retina"].shape == (looks, 30, 32)
    shown = answer["retina"].reshape(looks, 960) / 127.5 - 1
    np.testing.assert_allclose(shown, LAP.images, atol=1 / 255)
    np.testing.assert_array_equal(answer["teacher"], LAP.teacher.astype(np.float32))
    for i in (0, 100):
        read_off = DRIVER.orders(answer["y"][i])
        steering, speed = LAP.teacher[i]
        assert read_off.steering == pytest.approx(max(steering, -0.3), abs=0.001)
        assert read_off.speed == pytest.approx(speed, abs=0.1)
    Theta = DRIVER.theta[: 961 * 4].reshape(961, 4)
    np.testing.assert_array_equal(answer["weights"][2].ravel(), Theta[1:, 2])


def activations(driver, images):
    return [np.stack(a) for a in zip(*map(driver.activations, images), strict=True)]


@pytest.mark.parametrize("off", [[], [3], [1, 2, 3, 4]])
def test_the_hills_are_the_drivers_activations(off):
    answer = ask(drive, desk(), off=off)
    hidden, outputs = activations(DRIVER.without(off), LAP.images)
    np.testing.assert_array_equal(answer["hidden"], hidden)
    np.testing.assert_array_equal(answer["outputs"], outputs)
    np.testing.assert_array_equal(answer["delta"], outputs - ask(lap, desk())["y"])
    orders = np.array([[o.steering, o.speed] for o in map(DRIVER.orders, outputs)])
    np.testing.assert_array_equal(answer["orders"], orders.astype(np.float32))
    if not off:
        np.testing.assert_allclose(orders, LAP.orders, atol=2e-3)
    apart = np.abs(orders - LAP.teacher).mean(axis=0)
    np.testing.assert_allclose(answer["apart"], apart)


@pytest.mark.parametrize("cover", COVERS)
def test_covered_receptors_see_what_the_cover_shows(cover):
    card = {"top": 3, "left": 0, "bottom": 15, "right": 20}
    answer = ask(drive, desk(), off=[2], cover=cover, **card)
    images = LAP.images.reshape(-1, 30, 32).copy()
    images[:, 3:15, :20] = {"nothing": 0, "grass": -1, "road": 1}[cover]
    _, outputs = activations(DRIVER.without([2]), images.reshape(-1, 960))
    np.testing.assert_array_equal(answer["outputs"], outputs)


def test_the_lap_itself_stays_as_it_is():
    at = desk()
    ask(drive, at, off=[1], cover="road", top=0, left=0, bottom=30, right=32)
    np.testing.assert_allclose(ask(drive, at, off=[])["orders"], LAP.orders, atol=2e-3)


def test_a_path_is_where_the_steering_leads():
    answer = ask(drive, desk(), off=[])
    steering = float(answer["orders"][100, 0])
    places = [retina.places(*pursued(steering, far)) for far in (0.0, 2.0, 4.0)]
    np.testing.assert_allclose(answer["paths"][100, :3], places, atol=1e-4)


def test_a_driver_of_the_readers_own_takes_the_place_of_the_shipped_one(tmp_path):
    network = Network((960, 6, 60))
    own = Driver(network, random_theta(network, 0))
    save(tmp_path / "own.safetensors", own, 0, {})
    file = np.frombuffer((tmp_path / "own.safetensors").read_bytes(), np.uint8)
    at = desk()
    answer = ask(open_model, at, file=file, name="own.safetensors")
    assert answer["view"] == "drive"
    assert answer["name"] == "shipped digits"  # which is open as before
    assert ask(lap, at)["layers"] == [960, 6, 60]
    answer = ask(drive, at, off=[6])
    np.testing.assert_allclose(answer["outputs"], activations(own.without([6]), LAP.images)[1])
    assert _lay_model(desk(), str(tmp_path / "own.safetensors")) == "drive"


def test_a_driver_of_two_hidden_layers_is_refused_in_a_line(tmp_path):
    network = Network((960, 4, 4, 60))
    save(tmp_path / "deep.safetensors", Driver(network, random_theta(network, 0)), 0, {})
    with pytest.raises(ValueError, match=r"^deep\.safetensors: .* networks of one hidden layer"):
        _lay_model(desk(), str(tmp_path / "deep.safetensors"))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"off": 1},
        {"off": [0]},
        {"off": [5]},
        {"off": [1.0]},
        {"off": [True]},
        {"off": ["1"]},
        {"off": [], "cover": "snow", "top": 0, "left": 0, "bottom": 3, "right": 3},
        {"off": [], "cover": "road"},
        {"off": [], "cover": "road", "top": 9, "left": 0, "bottom": 3, "right": 3},
        {"off": [], "cover": "road", "top": 0, "left": 0, "bottom": 31, "right": 3},
    ],
)
def test_what_is_no_change_is_refused_in_a_line(wrong):
    with pytest.raises(ValueError, match="must be"):
        ask(drive, desk(), **wrong)

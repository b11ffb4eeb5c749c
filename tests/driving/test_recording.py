"""A kept lap is what was driven."""

import numpy as np
import pytest

from chainrule.driving import recording, retina
from chainrule.driving.recording import load, record, save, shipped


def test_the_shipped_lap_is_to_the_bit_what_the_shipped_driver_saw_and_ordered():
    driver, lap = shipped()
    assert lap.images.dtype == np.float32
    assert lap.images.min() == -1
    assert lap.images.max() == 1
    orders = [driver.orders(driver.activations(image)[1]) for image in lap.images]
    np.testing.assert_allclose([[o.steering, o.speed] for o in orders], lap.orders, atol=2e-3)
    assert np.abs(lap.orders - lap.teacher).mean(axis=0) == pytest.approx([0.009, 2.2], rel=0.05)


def test_a_lap_is_driven_kept_and_read_again(tmp_path, monkeypatch):
    pytest.importorskip("gymnasium", reason="driving needs pip install 'gymnasium[box2d]'")
    pytest.importorskip("Box2D", reason="driving needs pip install 'gymnasium[box2d]'")
    monkeypatch.setattr("chainrule.driving.game.MOST_FRAMES", 60)
    driver, _ = shipped()
    seen = []
    see = retina.see
    monkeypatch.setattr(retina, "see", lambda *frame: seen.append(see(*frame)) or seen[-1])
    lap = record(driver, 7)
    assert lap.track == 7
    np.testing.assert_array_equal(lap.images, seen[1::2])  # once by the driver, once to keep it
    np.testing.assert_array_equal(lap.images, seen[::2])
    save(tmp_path / "lap.npz", lap)
    again = load(tmp_path / "lap.npz")
    assert again.track == 7
    for name in ("grass", "orders", "teacher"):
        np.testing.assert_array_equal(getattr(again, name), getattr(lap, name))


def test_the_package_holds_the_lap_in_less_than_half_a_megabyte():
    from importlib.resources import files

    data = files(recording.__package__.split(".")[0]) / "data"
    assert len((data / "lap.npz").read_bytes()) < 500_000

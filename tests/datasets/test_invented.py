"""The computed tables: what they promise to show, and that their rows never change."""

import hashlib

import numpy as np
import pytest
from tables import refused

from chainrule.datasets import load
from chainrule.datasets.invented import INVENTED


@pytest.mark.parametrize("name", INVENTED)
def test_a_computed_table_is_loaded_by_its_name_with_the_same_rows_each_time(name):
    data, again = load(name), load(name)
    assert data.source == name
    assert data.sha256 == again.sha256
    assert data.sha256 == hashlib.sha256(data.X.tobytes() + data.Y.tobytes()).hexdigest()
    np.testing.assert_array_equal(data.X, again.X)
    assert data.X.shape[1] == (1 if name in ("sine", "bend") else 2)
    assert np.isfinite(data.X).all()


@pytest.mark.parametrize(
    ("name", "classes"), [("xor", 2), ("moons", 2), ("ring", 2), ("spiral", 3)]
)
def test_tables_of_two_inputs_have_classes_of_about_the_same_size(name, classes):
    data = load(name)
    assert data.classes == tuple(range(classes))
    counts = np.bincount(data.Y)
    assert counts.min() > 0.7 * counts.max()


def test_what_each_shows():
    xor, ring, sine = load("xor"), load("ring"), load("sine")
    np.testing.assert_array_equal(xor.Y, np.prod(xor.X, axis=1) < 0)
    radius = np.hypot(*ring.X.T)
    assert radius[ring.Y == 0].max() < radius[ring.Y == 1].min()
    assert sine.classes is None
    assert np.std(sine.Y - np.sin(sine.X[:, 0])) == pytest.approx(0.1, abs=0.02)


def test_a_name_that_is_nearly_one_is_told():
    refused("spirals: there is no such file; did you mean 'spiral'?", load, "spirals")

"""The curve of a training in a notebook."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from chainrule import Network, train
from chainrule.optimize.picture import HEIGHT, MOST, WIDTH, curves


def drawn(picture):
    """Return the texts of a picture, and the points of each curve."""
    parsed = ElementTree.fromstring(picture)
    texts = [node.text for node in parsed.iter() if node.text]
    lines = [node.get("points") for node in parsed.iter() if node.tag.endswith("polyline")]
    points = [np.array([p.split(",") for p in line.split()], float) for line in lines]
    for line in points:
        assert (line >= 0).all()
        assert (line <= [WIDTH, HEIGHT]).all()
    return texts, points


def test_a_result_is_its_curve_and_why_it_stopped():
    result = train(Network((1, 2, 1)), [[0.0], [1.0]], [0, 1], max_iter=5)
    html = result._repr_html_()
    texts, [points] = drawn(html[len("<div>") : html.index("<p>")])
    assert texts[0] == f"J over {result.n_iter} iterations"
    assert len(points) == len(result.history)
    assert (np.diff(points[:, 1]) >= 0).all()  # J falls, and y grows downwards
    assert f"after {result.n_iter} iterations: {result.stopped}" in html
    told = replace(result, stopped="<script>&")._repr_html_()
    assert "&lt;script&gt;&amp;" in told
    assert "<script" not in told


def test_two_curves_have_their_names_at_their_ends():
    texts, lines = drawn(curves({"J": [3.0, 2.0, 1.0], "J_val": [3.0, 2.5, 1.01]}))
    assert texts == ["J, J_val over 2 iterations", "0", "iteration", "2", "3", "1", "J", "J_val"]
    assert len(lines) == 2


def test_a_curve_that_falls_far_is_logarithmic():
    _, [points] = drawn(curves({"J": [1.0, 0.1, 0.01]}))
    np.testing.assert_allclose(np.diff(points[:, 1], 2), 0, atol=0.2)
    _, [points] = drawn(curves({"J": [1.0, 0.1, 0.0]}))
    assert np.diff(points[:, 1])[0] > 5 * np.diff(points[:, 1])[1]


def test_of_many_values_the_extremes_are_drawn():
    y = np.ones(100_000)
    y[777], y[88_888] = 5, 0.5
    texts, [points] = drawn(curves({"J": y}))
    assert len(points) <= 2 * MOST + 2
    assert {"5", "0.5"} <= set(texts)
    assert np.ptp(points[:, 1]) == HEIGHT - 12 - 30


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, np.nan]])
def test_without_a_finite_value_nothing_is_drawn(values):
    assert curves({"J": values}) == ""


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0], [np.nan, 2.0, np.inf, 1.0], [-1.0, -2.0]])
def test_odd_curves_are_drawn(values):
    _, [points] = drawn(curves({"J": values}))
    assert len(points) == np.isfinite(values).sum()

"""The weights, and what the hidden units look for."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_iris

from chainrule import MLPClassifier, Network, random_theta, reshape
from chainrule.plots.weights import HiddenUnitsDisplay, WeightsDisplay


def images(rows):
    return rows.reshape(-1, 8, 8)


@pytest.fixture
def ax():
    return Figure().subplots()


def test_hidden_unit_tiles_are_the_rows_of_theta_1_without_the_bias():
    network = Network((64, 5, 3))
    theta = random_theta(network)
    Theta1 = reshape(network, theta)[0]
    display = HiddenUnitsDisplay.from_theta(network, theta, images)
    np.testing.assert_array_equal(display.weights[3].ravel(), Theta1[3, 1:])


def test_hidden_unit_tiles_share_a_scale_that_is_symmetric_around_zero(ax):
    network = Network((64, 4, 1))
    HiddenUnitsDisplay.from_theta(network, 100 * random_theta(network), images).plot(ax)
    (page,) = ax.images
    assert page.get_clim() == (-1, 1)
    assert np.nanmax(np.abs(page.get_array())) == 1


def test_a_unit_without_weights_is_grey_not_an_error(ax):
    HiddenUnitsDisplay(np.zeros((1, 8, 8))).plot(ax)
    assert ax.get_title() == "What the 1 hidden unit looks for"
    assert not ax.images[0].get_array().any()


def test_the_weights_of_an_estimator_are_named(ax):
    polars = pytest.importorskip("polars")
    X, y = load_iris(return_X_y=True, as_frame=False)
    frame = polars.DataFrame(X, schema=["sepal l", "sepal w", "petal l", "petal w"])
    net = MLPClassifier((5, 40), solver="lbfgs", alpha=1.0, tol=0.1, random_state=0)
    net.fit(frame, np.array(["a", "b", "c"])[y])

    def names(axis):
        return [label.get_text() for label in axis.get_ticklabels()]

    WeightsDisplay.from_estimator(net).plot(ax)
    assert names(ax.xaxis) == ["bias", *frame.columns]
    np.testing.assert_array_equal(ax.images[0].get_array()[:, 1:], net.coefs_[0].T)
    WeightsDisplay.from_estimator(net, layer=3).plot(ax)
    assert names(ax.yaxis) == ["a", "b", "c"]
    assert names(ax.xaxis)[:3] == ["bias", "2", "4"]  # no room for all 40
    with pytest.raises(ValueError, match="layer must be 1 to 3, got 4"):
        WeightsDisplay.from_estimator(net, layer=4)

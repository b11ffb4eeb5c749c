"""The displays of a fit: the numbers they draw."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from chainrule import ErrorBars, Network, predict, random_theta, train
from chainrule.plots.fit import DecisionRegionsDisplay, HiddenResponsesDisplay, PredictionDisplay

CURVE = Network((1, 4, 1), hidden="tanh", output="identity")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def fit():
    X = np.linspace(-2, 2, 40)[:, None]
    y = np.sin(2 * X[:, 0]) + 0.1 * np.random.default_rng(0).normal(size=40)
    return X, y, train(CURVE, X, y, optimizer="br", max_iter=100)


def test_the_curve_is_the_hypothesis_and_the_bands_are_the_error_bars(fit):
    X, y, result = fit
    bars = ErrorBars.at(CURVE, result.theta, X, y, result.state.lam)
    display = PredictionDisplay.from_theta(CURVE, result.theta, X, y, bars).plot()
    x = display.x[:, None]
    np.testing.assert_allclose(display.h, predict(CURVE, result.theta, x)[:, 0], rtol=1e-10)
    assert (display.std > display.band).all()
    assert x[0, 0] < X.min() < X.max() < x[-1, 0]
    plain = PredictionDisplay.from_theta(CURVE, result.theta, X, y).plot()
    np.testing.assert_allclose(plain.h, display.h)
    assert len(plain.ax_.collections) == 0
    assert len(display.ax_.collections) == 2


def test_responses_are_the_activations():
    theta = random_theta(CURVE)
    display = HiddenResponsesDisplay.from_theta(CURVE, theta, [[-1.0], [1.0]])
    b, w = theta[:4], theta[4:8]
    np.testing.assert_allclose(display.a, np.tanh(display.x[:, None] * w + b))


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_regions_are_the_answers(output):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] > X[:, 1]).astype(int)
    network = Network((2, 3, 1 if output == "sigmoid" else 2), hidden="tanh", output=output)
    theta = train(network, X, y, lam=0.1).theta
    display = DecisionRegionsDisplay.from_theta(network, theta, X, y).plot()
    np.testing.assert_array_equal(display.codes, y)
    left, right, bottom, top = display.extent
    above = display.answers[-1, 0], display.answers[0, -1]  # top left, bottom right
    assert (left < right, bottom < top, above) == (True, True, (0, 1))


def test_the_regions_name_their_classes():
    network, X, y = Network((2, 1)), [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    display = DecisionRegionsDisplay.from_theta(network, random_theta(network), X, y, ["no", "yes"])
    assert [text.get_text() for text in display.plot().ax_.get_legend().get_texts()] == [
        "no",
        "yes",
    ]


def test_networks_that_have_no_such_picture_are_named():
    network = Network((2, 3, 1))
    theta, X = random_theta(network), np.zeros((2, 2))
    with pytest.raises(ValueError, match="a curve needs one input and one output"):
        PredictionDisplay.from_theta(network, theta, X, [0, 1])
    with pytest.raises(ValueError, match="the responses need one input"):
        HiddenResponsesDisplay.from_theta(network, theta, X)
    with pytest.raises(ValueError, match="decision regions need a classifier"):
        DecisionRegionsDisplay.from_theta(CURVE, random_theta(CURVE), [[1.0]], [1.0])

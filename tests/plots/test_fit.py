"""The displays of a fit: the numbers they draw."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from chainrule import ErrorBars, Network, predict, random_theta, train
from chainrule.optimize import History
from chainrule.plots.answers import ErrorHistogramDisplay, RegressionDisplay
from chainrule.plots.fit import DecisionRegionsDisplay, HiddenResponsesDisplay, PredictionDisplay
from chainrule.plots.training import TrainingStateDisplay

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


def test_the_line_through_output_and_target_is_least_squares():
    y = np.arange(5.0)
    display = RegressionDisplay(y, 0.5 * y + 1).plot()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["output = target", "output = 0.5 target +1"]


def test_the_histogram_counts_every_example():
    y = np.random.default_rng(0).normal(size=77)
    display = ErrorHistogramDisplay(y, np.zeros(77), bins=9).plot()
    assert sum(patch.get_height() for patch in display.ax_.patches) == 77


def test_the_training_state_has_a_panel_for_all_that_was_told(fit):
    display = TrainingStateDisplay(fit[2].history).plot()
    names = [ax.get_ylabel() for ax in display.figure_.axes]
    assert names == ["J", "gradient norm", "damping", "lam", "effective parameters"]


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


def test_few_errors_get_few_bars():
    y = np.linspace(0, 1, 16)
    assert len(ErrorHistogramDisplay(y, np.zeros(16)).plot().ax_.patches) == 8
    assert len(ErrorHistogramDisplay(np.resize(y, 200), np.zeros(200)).plot().ax_.patches) == 20


def test_every_panel_of_the_state_has_numbers_to_read():
    history = History(J=[3.0, 2.4], gradient_norm=[30.0, 4.0], extra={"damping": [1e3, 1e-3]})
    figure = TrainingStateDisplay(history).plot().figure_
    figure.canvas.draw()
    for ax in figure.axes:
        low, high = ax.get_ylim()
        shown = [t.get_text() for t in ax.get_yticklabels() if low <= t.get_position()[1] <= high]
        assert len([text for text in shown if text]) >= 2


def test_networks_that_have_no_such_picture_are_named():
    network = Network((2, 3, 1))
    theta, X = random_theta(network), np.zeros((2, 2))
    with pytest.raises(ValueError, match="a curve needs one input and one output"):
        PredictionDisplay.from_theta(network, theta, X, [0, 1])
    with pytest.raises(ValueError, match="the responses need one input"):
        HiddenResponsesDisplay.from_theta(network, theta, X)
    with pytest.raises(ValueError, match="decision regions need a classifier"):
        DecisionRegionsDisplay.from_theta(CURVE, random_theta(CURVE), [[1.0]], [1.0])


def test_of_minibatches_the_training_state_has_no_panel_of_gradients_nobody_computed():
    X, y = np.zeros((10, 1)), np.zeros((10, 1))
    history = train(CURVE, X, y, optimizer="adam", max_iter=2).history
    names = [ax.get_ylabel() for ax in TrainingStateDisplay(history).plot().figure_.axes]
    assert names == ["J"]

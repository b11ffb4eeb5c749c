"""How a training went, drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from chainrule import History, MLPClassifier, Network, train
from chainrule.plots.training import TrainingCurveDisplay, TrainingStateDisplay

CURVE = Network((1, 4, 1), hidden="tanh", output="identity")


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def fit():
    X = np.linspace(-2, 2, 40)[:, None]
    y = np.sin(2 * X[:, 0]) + 0.1 * np.random.default_rng(0).normal(size=40)
    return X, y, train(CURVE, X, y, optimizer="br", max_iter=100)


@pytest.mark.parametrize(("J", "scale"), [([9.0, 1.0], "log"), ([2.0, 1.9], "linear"),
                                          ([9.0, -1.0], "linear"), ([3.0], "linear")])  # fmt: skip
def test_training_curve_is_logarithmic_where_that_helps(ax, J, scale):
    TrainingCurveDisplay.from_history(History(J=J, gradient_norm=J)).plot(ax)
    assert ax.get_yscale() == scale


def test_the_training_curve_of_an_estimator_has_all_that_it_wrote_down(ax):
    X, y = load_iris(return_X_y=True)
    net = MLPClassifier(8, learning_rate_init=0.05, early_stopping=True, random_state=0)
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(net)
    net.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    TrainingCurveDisplay.from_estimator(net).plot(ax)
    iterations = np.arange(1, net.n_iter_ + 1)
    scores = ax.get_figure().axes[1]
    for line, values in zip(
        [*ax.lines, *scores.lines],
        [net.loss_curve_, net.validation_loss_curve_, net.validation_scores_],
        strict=True,
    ):
        np.testing.assert_array_equal(line.get_xdata(), iterations)
        np.testing.assert_array_equal(line.get_ydata(), values)


def test_the_training_state_has_a_panel_for_all_that_was_told(fit):
    display = TrainingStateDisplay(fit[2].history).plot()
    names = [ax.get_ylabel() for ax in display.figure_.axes]
    assert names == ["J", "gradient norm", "damping", "lam", "effective parameters"]


def test_every_panel_of_the_state_has_numbers_to_read():
    history = History(J=[3.0, 2.4], gradient_norm=[30.0, 4.0], extra={"damping": [1e3, 1e-3]})
    figure = TrainingStateDisplay(history).plot().figure_
    figure.canvas.draw()
    for ax in figure.axes:
        low, high = ax.get_ylim()
        shown = [t.get_text() for t in ax.get_yticklabels() if low <= t.get_position()[1] <= high]
        assert len([text for text in shown if text]) >= 2


def test_of_minibatches_the_training_state_has_no_panel_of_gradients_nobody_computed():
    X, y = np.zeros((10, 1)), np.zeros((10, 1))
    history = train(CURVE, X, y, optimizer="adam", max_iter=2).history
    names = [ax.get_ylabel() for ax in TrainingStateDisplay(history).plot().figure_.axes]
    assert names == ["J"]

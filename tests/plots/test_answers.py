"""What a network predicted, beside what is true."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from chainrule.evaluation.scores import Evaluation
from chainrule.plots.answers import ErrorHistogramDisplay, MistakesDisplay, RegressionDisplay


def images(rows):
    return rows.reshape(-1, 8, 8)


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_mistakes_are_shown_worst_first(ax):
    h = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])
    X = np.arange(4 * 64.0).reshape(4, 64)
    evaluation = Evaluation(h, np.array([1, 1, 0, 1]), classes=["cat", "dog"])
    display = MistakesDisplay.from_evaluation(evaluation, X, images).plot(ax)
    assert display.captions == ["dog→cat", "cat→dog", "dog→cat"]
    np.testing.assert_array_equal(display.images, images(X[[0, 2, 1]]))
    assert ax.get_title() == "The 3 examples it got wrong (true→predicted)"


def test_no_mistake_is_said(ax):
    evaluation = Evaluation(np.array([[0.9, 0.1]]), np.array([0]), classes=[0, 1])
    MistakesDisplay.from_evaluation(evaluation, np.zeros((1, 64)), images).plot(ax)
    assert [text.get_text() for text in ax.texts] == ["none"]


def test_the_line_through_true_and_predicted_is_least_squares():
    y = np.arange(5.0)
    display = RegressionDisplay(y, 0.5 * y + 1).plot()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["predicted = true", "predicted = 0.5 true +1"]


def test_the_histogram_counts_every_example():
    y = np.random.default_rng(0).normal(size=77)
    display = ErrorHistogramDisplay(y, np.zeros(77), bins=9).plot()
    assert sum(patch.get_height() for patch in display.ax_.patches) == 77


def test_few_errors_get_few_bars():
    y = np.linspace(0, 1, 16)
    assert len(ErrorHistogramDisplay(y, np.zeros(16)).plot().ax_.patches) == 8
    assert len(ErrorHistogramDisplay(np.resize(y, 200), np.zeros(200)).plot().ax_.patches) == 20

"""The displays: what they show, on data where it can be known."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from chainrule import (
    History,
    MLPClassifier,
    Network,
    check_gradient,
    cost_and_gradient,
    random_theta,
    train,
)
from chainrule.evaluation.scores import Evaluation
from chainrule.plots.answers import MistakesDisplay
from chainrule.plots.gradient import GradientCheckDisplay
from chainrule.plots.page import training_figure
from chainrule.plots.training import TrainingCurveDisplay
from chainrule.plots.weights import HiddenUnitsDisplay, WeightsDisplay


def images(rows):
    return rows.reshape(-1, 8, 8)


@pytest.fixture
def ax():
    return Figure().subplots()


def test_hidden_unit_tiles_are_the_rows_of_theta_1_without_the_bias():
    network = Network((64, 5, 3))
    theta = random_theta(network)
    from chainrule import reshape

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


def test_mistakes_are_shown_worst_first(ax):
    h = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])
    X = np.arange(4 * 64.0).reshape(4, 64)
    evaluation = Evaluation(h, np.array([1, 1, 0, 1]), classes=["cat", "dog"])
    display = MistakesDisplay.from_evaluation(evaluation, X, images).plot(ax)
    assert display.captions == ["dog→cat", "cat→dog", "dog→cat"]
    np.testing.assert_array_equal(display.images, images(X[[0, 2, 1]]))
    assert ax.get_title() == "The 3 examples it got wrong (truth→answer)"


def test_no_mistake_is_said(ax):
    evaluation = Evaluation(np.array([[0.9, 0.1]]), np.array([0]), classes=[0, 1])
    MistakesDisplay.from_evaluation(evaluation, np.zeros((1, 64)), images).plot(ax)
    assert [text.get_text() for text in ax.texts] == ["none"]


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


def test_a_page_for_images_has_four_panels_and_can_be_saved(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 64)), rng.integers(0, 3, 40)
    network = Network((64, 5, 3))
    result = train(network, X, y, max_iter=3)
    evaluation = Evaluation(rng.random((40, 3)), y, classes=["a", "b", "a long name"])
    figure = training_figure(
        "noise", network, result.theta, result.history, evaluation, X, images=images
    )
    assert len(figure.axes) == 4
    figure.savefig(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


def test_many_classes_get_a_matrix_without_numbers(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 26, 500)
    network = Network((2, 26))
    figure = training_figure(
        "letters",
        network,
        random_theta(network),
        History(J=[1.0], gradient_norm=[1.0]),
        Evaluation(rng.random((500, 26)), y, classes=[chr(65 + i) for i in range(26)]),
        rng.random((500, 2)),
    )
    assert [ax.get_title() for ax in figure.axes[:2]] == ["Training curve", "Confusion matrix"]
    assert not figure.axes[1].texts
    figure.savefig(tmp_path / "page.png")


def test_a_gradient_check_puts_each_part_where_its_two_gradients_say(ax):
    network = Network((2, 3, 2))
    theta, X, Y = random_theta(network), np.array([[1.0, 2.0], [3.0, -1.0]]), [0, 1]

    def doubled_in_layer_2(theta):
        J, D = cost_and_gradient(network, theta, X, Y)
        return J, np.r_[D[:9], 2 * D[9:]]

    report = check_gradient(doubled_in_layer_2, theta, network=network)
    GradientCheckDisplay.from_report(report).plot(ax)
    assert [group.get_label() for group in ax.collections] == [part.name for part in report.parts]
    points = np.concatenate([group.get_offsets() for group in ax.collections])
    np.testing.assert_allclose(points, np.column_stack([report.numerical, report.D]))
    colours = [tuple(group.get_facecolor()[0][:3]) for group in ax.collections]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert ax.get_title().startswith("Gradient check failed: ")


def test_a_gradient_check_along_directions_is_one_group(ax):
    report = check_gradient(lambda theta: (theta @ theta, 2 * theta), np.ones(9), directions=4)
    GradientCheckDisplay.from_report(report).plot(ax)
    assert len(ax.collections[0].get_offsets()) == 4
    assert ax.get_title() == "Gradient check passed"

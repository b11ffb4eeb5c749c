"""A training on one page."""

import numpy as np

from chainrule import History, Network, random_theta, train
from chainrule.evaluation.scores import Evaluation
from chainrule.plots.page import training_figure


def images(rows):
    return rows.reshape(-1, 8, 8)


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

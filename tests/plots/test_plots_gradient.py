"""The analytic beside the numerical gradient."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from chainrule import Network, check_gradient, cost_and_gradient, random_theta
from chainrule.plots.gradient import GradientCheckDisplay


@pytest.fixture
def ax():
    return Figure().subplots()


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

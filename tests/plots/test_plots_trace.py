"""The picture of a trace."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from chainrule import Network, random_theta, trace
from chainrule.plots.trace import TraceDisplay


@pytest.fixture
def ax():
    return Figure().subplots()


def shown(layers, **options):
    network = Network(layers, **options)
    return trace(network, random_theta(network), np.ones(layers[0]), np.zeros(layers[-1]), 0.5)


def test_every_number_of_a_trace_is_drawn_once(ax):
    found = shown((2, 3, 1), hidden="tanh", output="identity")
    TraceDisplay.from_trace(found).plot(ax)
    texts = [text.get_text() for text in ax.texts]
    assert len([patch for patch in ax.patches if isinstance(patch, Circle)]) == 2 + 3 + 1 + 2
    assert len(ax.lines) == found.network.size
    for matrix in (*found.Theta, *found.D):
        for value in matrix.flat:
            assert f"{value:.3g}" in texts
    for i, (a, delta) in enumerate(zip(found.a[1], found.delta[0], strict=True), start=1):
        assert f"$a_{i}$ = {a:.3g}\n$\\delta_{i}$ = {delta:.3g}" in texts


@pytest.mark.parametrize("layers", [(1, 4, 1), (5, 5), (3, 2, 3, 2)])
def test_no_node_and_no_number_lies_outside_the_page(layers):
    display = TraceDisplay.from_trace(shown(layers))
    figure = Figure(figsize=display.size, dpi=100)
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1))
    display.plot(ax)
    page = ax.get_window_extent()
    for artist in (*ax.texts, *ax.patches):
        box = artist.get_window_extent(canvas.get_renderer())
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1


@pytest.mark.parametrize("layers", [(6, 2), (2, 6, 1), (1, 1, 1, 1, 1, 1)])
def test_a_network_that_fits_no_page_is_refused(layers):
    with pytest.raises(ValueError, match=r"too many to draw .* 5 layers of 5 units; print"):
        TraceDisplay.from_trace(shown(layers))

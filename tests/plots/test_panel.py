"""What every display is drawn on."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from chainrule.plots.panel import Panel, mosaic


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class Titled(Panel):
    """A panel of nothing but a title."""

    def draw(self, ax):
        ax.set_title("drawn")


def test_a_panel_is_drawn_on_the_axes_given_or_on_a_new_figure(ax):
    assert Titled().plot(ax).ax_ is ax
    assert ax.get_title() == "drawn"
    assert plt.get_fignums() == []
    assert Titled().plot().ax_.get_title() == "drawn"
    assert len(plt.get_fignums()) == 1


def test_a_panel_that_draws_nothing_is_an_error(ax):
    with pytest.raises(NotImplementedError):
        Panel().plot(ax)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (4, 2), (5, 3), (10, 4)])
def test_tiles_stand_in_a_square_as_far_as_they_go(ax, n, columns):
    tiles = np.arange(1.0, n + 1)[:, None, None] * np.ones((n, 10, 10))
    mosaic(ax, tiles)
    page = ax.images[0].get_array()
    gap = 1
    assert page.shape[1] == columns * (10 + gap) - gap
    for i in range(n):
        row, column = divmod(i, columns)
        top, left = row * (10 + gap) + gap, column * (10 + gap)
        assert (page[top : top + 10, left : left + 10] == i + 1).all()
    assert np.ma.masked_invalid(page).count() == n * 100


def test_captions_stand_above_their_tiles(ax):
    mosaic(ax, np.ones((3, 8, 8)), captions=["a", "b", "c"])
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"]
    assert [text.get_position()[0] for text in ax.texts] == [3.5, 12.5, 3.5]

"""A network that the reader trained is opened and drawn into."""

import numpy as np
import pytest
from browsing import NARROW, axe, read
from conftest import looking

from chainrule import Network, train
from chainrule.datasets import load
from chainrule.model_file import Model, save
from chainrule.photos.strokes import digit_paths

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return the file of a network like that of `make demo`."""
    data = load("digits")
    network = Network((64, 25, 10))
    result = train(network, data.X, data.Y, lam=1.0, max_iter=100, check=False)
    file = tmp_path_factory.mktemp("own") / "small.safetensors"
    save(file, Model(network, result.theta, data.encoder))
    return file


def test_a_network_of_8x8_pixels_is_drawn_into(visit, small):
    with looking(str(small)) as (_, port, token), visit((port, token)) as page:
        read(page, "7")
        assert "small.safetensors, 64-25-10" in page.locator("#opened").text_content()
        shown = page.locator(".stages figcaption:visible").all_text_contents()
        assert shown == ["cut out", "upright", "even strokes", "28×28", "8×8: what it sees"]
        side = "canvas => [canvas.width, canvas.height]"
        assert page.locator(".stages canvas").last.evaluate(side) == [8, 8]
        assert "takes 8×8 pixels" in page.locator(".framed").text_content()
        page.wait_for_selector(".terms th:has-text('row')")
        box = page.locator(".pad").bounding_box()
        page.get_by_role("button", name="Clear").click()
        for path in digit_paths(0, np.random.default_rng(1)):
            places = [(box["x"], box["y"]) + box["width"] * (0.2 + 0.6 * at) for at in path]
            page.mouse.move(*places[0])
            page.mouse.down()
            for place in places[1:]:
                page.mouse.move(*place)
            page.mouse.up()
        read(page, "0")
        assert axe(page) == []
        page.set_viewport_size(NARROW)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

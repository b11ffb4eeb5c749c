"""The picture of a network."""

from dataclasses import replace
from xml.etree import ElementTree

from chainrule import Network
from chainrule.notes.activations import ACTIVATIONS


def test_a_network_without_weights_is_drawn_in_the_colour_of_text():
    picture = Network((2, 13, 1), hidden="relu", output="identity")._repr_html_()
    parsed = ElementTree.fromstring(picture)
    texts = [node.text for node in parsed.iter() if node.text]
    assert texts == ["2 - 13 - 1", "2 inputs", "⋮", "13 relu", "1 identity"]
    assert picture.count("<circle") == 2 + 12 + 1
    assert picture.count("<line") == 2 * 12 + 12
    colours = {node.get(name) for node in parsed.iter() for name in ("stroke", "fill")}
    assert colours == {"currentColor", "none", None}
    assert "<style" not in picture  # it would be the whole notebook's


def test_a_name_is_text():
    own = replace(ACTIVATIONS["tanh"], name="<b>&")
    assert "3 &lt;b&gt;&amp;" in Network((2, 3, 1), hidden=own)._repr_html_()

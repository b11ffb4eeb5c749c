"""The picture of a fitted network."""

from xml.etree import ElementTree

import pytest
from irises import X, iris

from chainrule import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_notebook_shows_the_network_below_scikit_learns_representation():
    net = MLPClassifier((16, 5), activation=("tanh", "relu"), max_iter=3, random_state=0)
    assert "<svg" not in net._repr_html_()
    html = net.fit(X, iris)._repr_mimebundle_()["text/html"]
    assert "sk-top-container" in html
    picture = html[html.index("<svg") :]
    texts = [node.text for node in ElementTree.fromstring(picture).iter() if node.text]
    assert texts[0] == "4 - 16 - 5 - 3"
    assert texts[-5:] == ["4 inputs", "⋮", "16 tanh", "5 relu", "3 softmax"]
    assert picture.count("<line") == 4 * 12 + 12 * 5 + 5 * 3
    shallow = MLPClassifier((), max_iter=3).fit(X, iris)  # which has nothing to transform to
    assert shallow._repr_html_().count("<circle") == 7
    with pytest.raises(ValueError, match="this network has none"):
        shallow.transform(X)

"""Each parameter and attribute of the estimators is documented."""

import inspect
import re

import pytest
from irises import X, iris

from chainrule import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_every_parameter_and_every_attribute_is_documented(kind):
    doc = inspect.getdoc(kind)
    documented = {
        name.strip() for names in re.findall(r"^([a-z]\w*(?:, \w+)*) :", doc, re.M)
        for name in names.split(",")
    }  # fmt: skip
    assert documented >= set(kind().get_params())
    net = kind(max_iter=1).fit(X, iris)
    assert documented >= {name for name in vars(net) if name.endswith("_")}

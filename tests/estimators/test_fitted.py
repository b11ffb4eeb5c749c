"""A fitted estimator as one value."""

import numpy as np
import pytest
from irises import X, fitted
from sklearn.exceptions import NotFittedError

from chainrule import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_the_value_has_what_predicts():
    net = fitted("mean of three")
    value = net._fitted()
    assert value.estimator == "MLPClassifier"
    assert value.parameters == net.get_params(deep=False)
    assert value.labels.kind == "classes"
    assert len(value.thetas) == 3
    again = MLPClassifier._of(value)
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    assert (again.n_iter_, again.t_, again.loss_curve_) == (0, 0, [])
    for name in ("loss_", "n_layers_", "n_outputs_", "n_features_in_", "out_activation_"):
        assert getattr(again, name) == getattr(net, name)
    assert fitted("two")._fitted().labels is None
    with pytest.raises(NotFittedError):
        MLPClassifier()._fitted()

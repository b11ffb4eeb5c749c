"""Estimators in and out of the model file."""

import json

import numpy as np
import pytest
from irises import FITTED, X, fitted, iris

from chainrule import MLPClassifier, MLPRegressor
from chainrule.notes.activations import Activation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("kind", [kind for kind in FITTED if kind != "mean of three"])
def test_a_saved_estimator_is_the_same_when_loaded(tmp_path, kind):
    net = fitted(kind)
    net.save(tmp_path / "net.safetensors")
    again = type(net).load(tmp_path / "net.safetensors")
    for call in ("predict", "predict_proba", "transform"):
        if hasattr(net, call):
            for mine, other in zip(getattr(again, call)(X), getattr(net, call)(X), strict=True):
                np.testing.assert_array_equal(mine, other)
    assert json.dumps(again.get_params()) == json.dumps(net.get_params())  # lists for tuples
    assert again.stop_report_ == net.stop_report_
    again.partial_fit(X, FITTED[kind][1])
    other = MLPClassifier if isinstance(net, MLPRegressor) else MLPRegressor
    with pytest.raises(ValueError, match=f"not saved by {other.__name__}"):
        other.load(tmp_path / "net.safetensors")


@pytest.mark.parametrize("dtype", [bool, float, int, str])
def test_classes_of_every_type_survive_the_file(tmp_path, dtype):
    y = (iris > 0).astype(dtype)
    net = MLPClassifier(5, max_iter=3).fit(X, y)
    net.save(tmp_path / "net.safetensors")
    again = MLPClassifier.load(tmp_path / "net.safetensors").predict(X)
    np.testing.assert_array_equal(again, net.predict(X))
    assert again.dtype == y.dtype


def test_feature_names_are_kept_in_the_file_and_functions_are_refused(tmp_path):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=list("abcd"))
    MLPClassifier(5, max_iter=3).fit(frame, iris).save(tmp_path / "net.safetensors")
    again = MLPClassifier.load(tmp_path / "net.safetensors")
    assert again.predict(frame).shape == (150,)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame.rename({"a": "z"}))
    own = Activation("mine", np.tanh, lambda a: 1 - a * a)
    with pytest.raises(ValueError, match="average=True predicts with 3"):
        fitted("mean of three").save(tmp_path / "mean")
    with pytest.raises(ValueError, match="functions of your own"):
        MLPClassifier(5, max_iter=3, activation=own).fit(X, iris).save(tmp_path / "own")

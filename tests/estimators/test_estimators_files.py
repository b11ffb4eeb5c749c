"""Estimators in and out of the model file."""

from dataclasses import replace

import numpy as np
import pytest
from irises import FITTED, X, fitted, iris
from sklearn.metrics import accuracy_score, get_scorer, log_loss, make_scorer

from chainrule import MLPClassifier, MLPRegressor, model_file
from chainrule.estimators.files import read
from chainrule.notes.activations import ACTIVATIONS, Activation
from chainrule.notes.costs import COSTS

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
    assert again.get_params() == net.get_params()
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


def own(net, X, y):
    return 1.0


@pytest.mark.parametrize(
    "parameters",
    [
        {"class_weight": {0: 1.0, 1: 2, 2: np.float64(0.5)}},
        {"class_weight": {np.int64(0): 1, 1: 1, 2: 1}, "tol": np.float32(1e-3)},
        {"n_iter_no_change": np.inf, "max_fun": np.int64(300), "early_stopping": np.True_},
        {"dtype": np.float32},
        {"dtype": np.dtype("float64")},
        {"dtype": "float32", "hidden_layer_sizes": (np.int32(4), 3)},
        {"hidden_layer_sizes": np.array([4, 3], dtype=np.int16)},
        {"hidden_layer_sizes": [4, 3], "activation": ("tanh", "elu"), "dropout": (0.1, 0.0, 0.0)},
        {"activation": ACTIVATIONS["gelu"], "output": COSTS["sigmoid"]},
        {"theta": ([np.ones((4, 3)), np.eye(3)], [np.arange(3.0), np.zeros(3)])},
        {"theta": np.linspace(-1, 1, 27, dtype=np.float32)},
        {"random_state": np.random.RandomState(7)},
        {"scoring": get_scorer("neg_log_loss"), "early_stopping": True},
        {"scoring": make_scorer(accuracy_score)},
        {"callback": None, "batch_size": "auto", "power_t": np.nan},
    ],
    ids=lambda parameters: ", ".join(parameters),
)
def test_every_parameter_comes_back_with_its_type(tmp_path, parameters):
    net = MLPClassifier(**{"hidden_layer_sizes": 3, "max_iter": 2} | parameters)
    if "power_t" in parameters:
        net.power_t = 0.5
    net.fit(X, iris).set_params(**parameters)
    net.save(tmp_path / "net.safetensors")
    again = MLPClassifier.load(tmp_path / "net.safetensors").get_params()
    for name, value in net.get_params().items():
        same(again[name], value)


def same(found, value):
    """Assert that two values are the same, types included."""
    assert type(found) is type(value)
    if isinstance(value, list | tuple):
        assert len(found) == len(value)
        for one, other in zip(found, value, strict=True):
            same(one, other)
    elif isinstance(value, dict):
        same(list(found.items()), list(value.items()))
    elif isinstance(value, np.random.RandomState):
        assert found.randint(1000) == value.randint(1000)
    elif hasattr(value, "_score_func"):
        assert vars(found) == vars(value)
    else:
        np.testing.assert_array_equal(found, value)
        assert getattr(found, "dtype", None) == getattr(value, "dtype", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("callback", print), ("scoring", own), ("callback", lambda step: None),
     ("scoring", make_scorer(log_loss, labels=[0, 1, 2])), ("dtype", object())],
)  # fmt: skip
def test_a_parameter_that_a_file_cannot_hold_is_named(tmp_path, name, value):
    net = MLPClassifier(3, max_iter=2).fit(X, iris).set_params(**{name: value})
    with pytest.raises(ValueError, match=rf"^{name} is .*set_params\({name}=None\) before save"):
        net.save(tmp_path / "net")
    assert not (tmp_path / "net").exists()
    net.set_params(**{name: None}).save(tmp_path / "net")


def test_what_an_earlier_version_wrote_is_read_as_it_was():
    for value in ({"0": 1.0, "1": 2.0}, {"0": 1.0}, [5, 3], "auto", None):
        assert read(value) == value


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float32, object, "<U7"])
def test_classes_come_back_with_their_dtype(tmp_path, dtype):
    y = iris.astype(str if dtype is object else dtype).astype(dtype)
    net = MLPClassifier(3, max_iter=2).fit(X, y)
    net.save(tmp_path / "net")
    again = MLPClassifier.load(tmp_path / "net")
    assert again.classes_.dtype == net.classes_.dtype
    assert again.predict(X).dtype == net.predict(X).dtype


@pytest.mark.parametrize(
    "options",
    [
        {"parameters": []},
        {"parameters": {"alpha": {"dtype": "no such"}}},
        {"parameters": {"alpha": {"RandomState": [1]}}},
        {"labels": {"kind": "classes"}},
        {"labels": {"kind": "classes", "classes": [1], "dtypes": ["O", "O"]}},
        {"stop_report": {"gradient_norm": []}},
        {"named": None, "parameters": None},
    ],
)
def test_a_header_of_other_types_is_one_line(tmp_path, options):
    path = tmp_path / "net.safetensors"
    MLPClassifier(5, max_iter=3).fit(X, iris).save(path)
    model = model_file.load(path)
    about = replace(model.provenance, options={**model.provenance.options, **options})
    model_file.save(path, replace(model, provenance=about))
    with pytest.raises(model_file.ModelFileError, match="not an estimator that can be used") as e:
        MLPClassifier.load(path)
    assert "\n" not in str(e.value)

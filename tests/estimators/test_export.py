"""ONNX Runtime predicts what the exported estimator does."""

import numpy as np
import pytest
from irises import FITTED, X, fitted, iris
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import MLPClassifier, MLPRegressor
from chainrule.estimators import to_onnx

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FITTED)
@pytest.mark.parametrize("scaled", [False, True])
def test_onnx_runtime_predicts_the_same(kind, scaled):
    onnxruntime = pytest.importorskip("onnxruntime", reason="make test-slow installs it")
    pytest.importorskip("onnx", reason="make test-slow installs it")
    net = fitted(kind)
    model = make_pipeline(StandardScaler(), net).fit(X, FITTED[kind][1]) if scaled else net
    session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString())
    got = session.run(None, {"X": X.astype(np.float32)})
    if isinstance(net, MLPRegressor):
        expected = [model.predict(X).reshape(150, -1)]
    else:
        np.testing.assert_array_equal(got.pop(0), model.predict(X))
        expected = model.predict_proba(X)
        expected = expected if isinstance(expected, list) else [expected]
    for mine, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_what_onnx_export_cannot_take_is_named():
    with pytest.raises(NotFittedError, match="MLPClassifier instance is not fitted"):
        to_onnx(MLPClassifier())
    with pytest.raises(TypeError, match="not LogisticRegression: skl2onnx"):
        to_onnx(make_pipeline(StandardScaler(), LogisticRegression()))
    parts = ColumnTransformer([("scaled", StandardScaler(), [0, 1])], remainder="passthrough")
    mixed = make_pipeline(parts, MLPClassifier(3, solver="lbfgs", max_iter=2)).fit(X, iris)
    with pytest.raises(ValueError, match=r"'columntransformer' is a ColumnTransformer.* skl2onnx"):
        to_onnx(mixed)


def test_the_sklearn_onnx_converter_works_on_ours():
    skl2onnx = pytest.importorskip("skl2onnx", reason="make test-slow installs it")
    onnxruntime = pytest.importorskip("onnxruntime", reason="make test-slow installs it")
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from skl2onnx.operator_converters.multilayer_perceptron import (
        convert_sklearn_mlp_classifier,
        convert_sklearn_mlp_regressor,
    )

    skl2onnx.update_registered_converter(
        MLPClassifier, "ChainruleMLPClassifier", calculate_linear_classifier_output_shapes,
        convert_sklearn_mlp_classifier,
        options={"zipmap": [False], "output_class_labels": [False], "nocl": [False]},
    )  # fmt: skip
    skl2onnx.update_registered_converter(
        MLPRegressor, "ChainruleMLPRegressor", calculate_linear_regressor_output_shapes,
        convert_sklearn_mlp_regressor,
    )  # fmt: skip
    for kind in ("three classes", "two classes", "one"):
        net = fitted(kind).set_params(activation="relu").fit(X, FITTED[kind][1])
        options = {"zipmap": False} if kind != "one" else None
        proto = skl2onnx.convert_sklearn(
            net, initial_types=[("X", FloatTensorType([None, 4]))], options=options
        )
        session = onnxruntime.InferenceSession(proto.SerializeToString())
        got = session.run(None, {"X": X.astype(np.float32)})[-1]
        expected = net.predict(X)[:, None] if kind == "one" else net.predict_proba(X)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)

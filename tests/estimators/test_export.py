"""ONNX Runtime predicts what the exported estimator does."""

import numpy as np
import pytest
from irises import FITTED, X, fitted, iris
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import MLPClassifier, MLPRegressor
from chainrule.estimators import register_converters, to_onnx

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
    agree(net, model, got)


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", FITTED)
def test_onnxs_own_checker_and_reference_evaluator_accept_every_file(kind, tmp_path):
    onnx = pytest.importorskip("onnx", reason="make test-slow installs it")
    from onnx.reference import ReferenceEvaluator

    net = fitted(kind)
    to_onnx(net, tmp_path / "net.onnx")
    onnx.checker.check_model(str(tmp_path / "net.onnx"), full_check=True)
    got = ReferenceEvaluator(str(tmp_path / "net.onnx")).run(None, {"X": X.astype(np.float32)})
    agree(net, net, got)


def agree(net, model, got):
    """Assert that an ONNX model's outputs are what a model predicts."""
    if isinstance(net, MLPRegressor):
        expected = [model.predict(X).reshape(150, -1)]
    else:
        np.testing.assert_array_equal(got.pop(0), model.predict(X))
        expected = model.predict_proba(X)
        expected = expected if isinstance(expected, list) else [expected]
    for mine, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5 * max(1, np.abs(other).max()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in FITTED if "columns" not in kind])
@pytest.mark.parametrize("behind", ["nothing", "columns"])
def test_one_call_lets_skl2onnx_convert_ours(kind, behind):
    skl2onnx = pytest.importorskip("skl2onnx", reason="make test-slow installs it")
    onnx = pytest.importorskip("onnx", reason="make test-slow installs it")
    onnxruntime = pytest.importorskip("onnxruntime", reason="make test-slow installs it")
    from onnx.reference import ReferenceEvaluator

    register_converters()
    net = fitted(kind)
    model = net
    if behind == "columns":
        parts = ColumnTransformer([("scaled", StandardScaler(), [0, 1])], remainder="passthrough")
        model = make_pipeline(parts, clone(net)).fit(X, FITTED[kind][1])
    options = {} if isinstance(net, MLPRegressor) else {"options": {"zipmap": False}}
    proto = skl2onnx.to_onnx(model, X[:1].astype(np.float32), target_opset=17, **options)
    onnx.checker.check_model(proto, full_check=True)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    agree(net, model, session.run(None, {"X": X.astype(np.float32)}))
    agree(net, model, ReferenceEvaluator(proto).run(None, {"X": X.astype(np.float32)}))


@pytest.mark.slow
def test_skl2onnx_is_told_what_it_cannot_have():
    skl2onnx = pytest.importorskip("skl2onnx", reason="make test-slow installs it")
    register_converters()
    with pytest.raises(ValueError, match="several columns of classes: export it with"):
        skl2onnx.to_onnx(fitted("several columns"), X[:1].astype(np.float32))

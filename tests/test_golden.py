"""A file of each format version is read for ever: those in tests/golden are never written again."""

import io
from pathlib import Path

import numpy as np

from chainrule import MLPClassifier, model_file
from chainrule.datasets import load_like
from chainrule.training import checkpoint

GOLDEN = Path(__file__).parent / "golden"
FIRST_FIELDS = "model-1-first.safetensors"  # before dates, filled gaps and ways of reading


def test_every_version_has_a_file():
    kinds = {"model": model_file.FORMAT, "estimator": model_file.FORMAT}
    kinds["checkpoint"] = checkpoint.FORMAT
    names = {path.stem for path in GOLDEN.iterdir()}
    for kind, newest in kinds.items():
        assert {f"{kind}-{version}" for version in range(1, newest + 1)} <= names


def test_a_model_of_format_1():
    model = model_file.load(GOLDEN / "model-1.safetensors")
    inputs = ("size", "colour=red", "day.month", "day.weekday", "day.elapsed")
    assert model.encoder.feature_names == inputs
    assert (model.encoder.missing, model.encoder.na) == ("category", ("-999",))
    assert model.provenance.options["lam"] == 0.1
    rows = b"size,colour,day\n10,red,2020-03-11\n1,blue,2020-03-11\n"
    X = load_like(io.BytesIO(rows), model.encoder).X
    assert model.labels(X) == ["big", "small"]
    np.testing.assert_allclose(model.predict(X)[:, 0], [9.99681258e-01, 2.56120326e-04], rtol=1e-6)


def test_a_model_with_the_first_fields_of_format_1():
    model = model_file.load(GOLDEN / FIRST_FIELDS)
    assert (model.theta.dtype, model.encoder.dropped) == (np.float32, ("day",))
    h = model.predict(np.array([[1.0, 0, 1]]))
    np.testing.assert_allclose(h, [[0.44795287, 0.5520471]], rtol=1e-5)


def test_an_estimator_of_format_1():
    net = MLPClassifier.load(GOLDEN / "estimator-1.safetensors")
    assert (net.solver, net.alpha, net.hidden_layer_sizes) == ("lbfgs", 0.01, 3)
    np.testing.assert_array_equal(net.predict([[6.0, 1], [1, 1]]), ["yes", "no"])
    np.testing.assert_allclose(net.predict_proba([[6.0, 1]])[0, 0], 1.22785921e-05, rtol=1e-6)


def test_a_checkpoint_of_format_1():
    saved = checkpoint.load(GOLDEN / "checkpoint-1.ckpt")
    assert len(saved.history.J) == 8
    assert saved.made is not None
    assert saved.kept is not None
    assert "the callback raised an exception" in saved.stopped

"""ONNX Runtime reads a table's columns as its committee does."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import TableClassifier, TableRegressor
from chainrule.datasets.frames import contents_of, frame_of
from chainrule.estimators import to_onnx

QUICK = {"cv": 2, "max_iter": 15, "hidden": 3}
RNG = np.random.default_rng(0)


def table(m=200):
    """Return columns of every kind, with gaps, and with dates of five centuries."""
    days = RNG.integers(-130_000, 60_000, m)
    days[:6] = [0, -1, 59, 11_016, 10_957, -25_509]  # around 1970, leap days, 1900
    X = pd.DataFrame(
        {
            "size": RNG.normal(50, 10, m),
            "heavy": RNG.lognormal(0, 8, m),
            "few": RNG.integers(0, 4, m).astype(float),
            "two": RNG.choice(["no", "yes"], m),
            "town": RNG.choice(["Bonn", "Jena", "Ulm"], m),
            "since": np.array(days, "datetime64[D]") + RNG.integers(0, 86_400, m).astype("m8[s]"),
        }
    )
    y = 3 * X["size"] + 9 * (X["town"] == "Ulm") + X["since"].dt.month + RNG.normal(size=m)
    for name in ("heavy", "town", "since"):
        X.loc[RNG.random(m) < 0.1, name] = None
    return X, y.to_numpy()


def inputs(net, X):
    """Return a table's columns as the ONNX model takes them."""
    contents = contents_of(frame_of(X), net.encoder_.reading).table
    found = {}
    for column in net.encoder_.columns:
        values = contents[column.name]
        if column.categories is not None:
            values = np.array(["" if v is None else v for v in values], dtype=object)
        elif column.parts:
            values = values.astype("datetime64[s]").astype(np.int64)
        else:
            values = values.astype(np.float32)
        found[column.name] = values[:, None]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["numbers", "two classes", "three classes", "flags"])
def test_onnx_runtime_predicts_the_same(kind, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="make test-slow installs it")
    pytest.importorskip("onnx", reason="make test-slow installs it")
    X, y = table()
    cut = {"two classes": np.array(["low", "high"])[(y > 160).astype(int)],
           "three classes": np.digitize(y, [140, 170]), "flags": y > 160}  # fmt: skip
    net = (TableRegressor if kind == "numbers" else TableClassifier)(**QUICK)
    net.fit(X, cut.get(kind, y))
    to_onnx(net, tmp_path / "net.onnx")
    later, _ = table(80)
    later.loc[0, ["size", "town", "two"]] = [np.nan, "Rom", "perhaps"]
    later.loc[1, "heavy"] = 1e30
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    got = session.run(None, inputs(net, later))
    if kind == "numbers":
        np.testing.assert_allclose(got[0][:, 0], net.predict(later), rtol=1e-4)
        return
    np.testing.assert_array_equal(got[0], net.predict(later))
    np.testing.assert_allclose(got[1], net.predict_proba(later), atol=1e-4)


@pytest.mark.slow
def test_dates_have_numpys_parts():
    pytest.importorskip("onnx", reason="make test-slow installs it")
    from onnx.reference import ReferenceEvaluator

    from chainrule.datasets.columns import DATE_PARTS, Column
    from chainrule.estimators.columns_export import columns_from_inputs
    from chainrule.estimators.graph import Graph

    graph = Graph()
    column = Column("day", mean=0.0, parts=tuple(DATE_PARTS), gaps=True)
    value = columns_from_inputs(graph, [column])
    graph.output("variable", value, 1, 6)
    dates = np.datetime64("0001-01-01", "s") + np.arange(0, 3000 * 365 * 86_400, 1_234_567)
    given = {"day": np.append(dates.astype(np.int64), np.iinfo(np.int64).min)[:, None]}
    (got,) = ReferenceEvaluator(graph.model()).run(None, given)
    for j, part in enumerate(DATE_PARTS.values()):
        np.testing.assert_allclose(got[:-1, j], part(dates), rtol=1e-6, atol=1e-6)
    assert got[-1].tolist() == [1970, 1, 4, 0, 0, 1]


@pytest.mark.slow
def test_what_cannot_be_exported_is_named():
    pytest.importorskip("onnx", reason="make test-slow installs it")
    X = RNG.normal(size=(40, 2))
    net = TableRegressor(**QUICK)
    with pytest.raises(NotFittedError, match="TableRegressor instance is not fitted"):
        to_onnx(net)
    with pytest.raises(TypeError, match="those of tables by themselves"):
        to_onnx(make_pipeline(StandardScaler(), net).fit(X, X[:, 0]))
    net.fit({"label": X[:, 0], "b": X[:, 1]}, X[:, 0])
    with pytest.raises(ValueError, match="a column is called 'label'"):
        to_onnx(net)

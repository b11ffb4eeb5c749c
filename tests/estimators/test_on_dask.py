"""An estimator that is fitted on Dask's arrays is the one of arrays in memory."""

import dask_workers
import numpy as np
import pytest
from dask_workers import distributed

from chainrule import MLPClassifier, MLPRegressor
from chainrule.engine import blocks
from chainrule.engine.blocks import Arrays
from chainrule.engine.cluster import ClusterError

da = pytest.importorskip("dask.array")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
local = dask_workers.local  # a fixture
M = 5000
RNG = np.random.default_rng(0)
X = RNG.normal(size=(M, 6))
LABELS = np.array(["no", "perhaps", "yes"])[X[:, :3].argmax(axis=1)]
NUMBERS = X[:, 0] - X[:, 1] ** 2
ROWS, NAMED, MEASURED = (da.from_array(v, chunks=700) for v in (X, LABELS, NUMBERS))
HOW = {"hidden_layer_sizes": 4, "max_iter": 4, "random_state": 1}


@pytest.fixture(autouse=True)
def _blocks_of_1024_rows(monkeypatch):
    monkeypatch.setattr(blocks, "BYTES", 1)


@pytest.fixture
def current(local):
    with distributed.Client(local) as client:
        client.wait_for_workers(2, timeout=60)
        yield client


def same(one, other):
    np.testing.assert_array_equal(one.theta_, other.theta_)
    assert one.n_iter_ == other.n_iter_


def test_a_classifier(current):
    memory = MLPClassifier(**HOW, solver="lbfgs").fit(Arrays(X, LABELS))
    got = MLPClassifier(**HOW, solver="lbfgs").fit(ROWS, NAMED)
    same(got, memory)
    assert got.classes_.tolist() == ["no", "perhaps", "yes"]
    for method in ("predict", "predict_proba"):
        lazy = getattr(got, method)(ROWS)
        assert isinstance(lazy, da.Array)
        answers = lazy.compute()
        np.testing.assert_array_equal(answers, getattr(memory, method)(X))
        assert answers.shape == lazy.shape
    assert got.score(ROWS, NAMED) == pytest.approx(memory.score(X, LABELS), rel=1e-12)
    assert "_workers" not in vars(got)


def test_a_regressor_with_validation_rows(current):
    how = HOW | {"solver": "lbfgs"}
    memory = MLPRegressor(**how).fit(Arrays(X, NUMBERS), None, X_val=Arrays(X, NUMBERS))
    got = MLPRegressor(**how).fit(ROWS, MEASURED, X_val=ROWS, y_val=MEASURED)
    same(got, memory)


def test_minibatches_are_read_here(current):
    how = HOW | {"solver": "adam", "shuffle": False}
    same(MLPClassifier(**how).fit(ROWS, NAMED), MLPClassifier(**how).fit(Arrays(X, LABELS)))


def test_without_a_client_it_is_said():
    with pytest.raises(ClusterError, match=r"start one, client = distributed\.Client\(\)"):
        MLPClassifier(**HOW, solver="lbfgs").fit(ROWS, NAMED)

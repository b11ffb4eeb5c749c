"""The estimators among scikit-learn's tools: searches, ensembles, displays, parallel jobs."""

import os

import joblib
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from chainrule import MLPClassifier, MLPRegressor, engine

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, iris = load_iris(return_X_y=True)


def small():
    """Return an estimator that learns the irises in a moment, alone and behind a scaler."""
    net = MLPClassifier(8, max_iter=30, random_state=0, learning_rate_init=0.05)
    return net, make_pipeline(StandardScaler(), net)


def test_grid_search():
    net, piped = small()
    grid = GridSearchCV(piped, {"mlpclassifier__alpha": [1e-4, 1.0]}, cv=2).fit(X, iris)
    assert grid.best_score_ > 0.7
    space = {"hidden_layer_sizes": [5, (5, 3)], "activation": ["tanh", "elu"]}
    assert (
        RandomizedSearchCV(net, space, n_iter=3, cv=2, random_state=0).fit(X, iris).best_score_
        > 0.6
    )


def test_cross_validation():
    _, piped = small()
    p = cross_val_predict(piped, X, iris, method="predict_proba", cv=2)
    assert p.shape == (150, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    found = cross_validate(
        piped, X, iris, cv=2, scoring=["accuracy", "neg_log_loss", "roc_auc_ovr"]
    )
    assert found["test_accuracy"].min() > 0.7


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_calibration(method):
    _, piped = small()
    calibrated = CalibratedClassifierCV(piped, method=method, cv=2).fit(X, iris)
    assert calibrated.score(X, iris) > 0.8
    frozen = CalibratedClassifierCV(FrozenEstimator(piped.fit(X, iris)), method=method)
    assert frozen.fit(X, iris).score(X, iris) > 0.8


def test_pipelines_and_column_transformers():
    net, piped = small()
    columns = ColumnTransformer([("scaled", StandardScaler(), [0, 1])], remainder="passthrough")
    assert make_pipeline(columns, net).fit(X, iris).score(X, iris) > 0.7
    hidden = make_pipeline(StandardScaler(), net, LogisticRegression()).fit(X, iris)
    assert hidden.score(X, iris) > 0.9
    assert list(hidden[:-1].get_feature_names_out())[:2] == ["mlpclassifier0", "mlpclassifier1"]
    weighted = piped.fit(X, iris, mlpclassifier__sample_weight=np.where(iris == 2, 0, 1))
    assert set(weighted.predict(X)) == {0, 1}
    target = TransformedTargetRegressor(
        MLPRegressor(hidden_layer_sizes=5, solver="lbfgs", random_state=0),
        transformer=StandardScaler(),
    )
    assert target.fit(X, 1e6 * X[:, 2]).score(X, 1e6 * X[:, 2]) > 0.95


def test_ensembles():
    net, piped = small()
    voting = VotingClassifier([("a", net), ("b", piped)], voting="soft", n_jobs=1).fit(X, iris)
    assert voting.score(X, iris) > 0.8
    stacked = StackingClassifier([("a", net), ("b", piped)], cv=2).fit(X, iris)
    assert stacked.score(X, iris) > 0.8
    assert BaggingClassifier(piped, 3, random_state=0).fit(X, iris).score(X, iris) > 0.8
    assert AdaBoostClassifier(net, n_estimators=3, random_state=0).fit(X, iris).score(X, iris) > 0.8


def test_permutation_importance():
    _, piped = small()
    importances = permutation_importance(piped.fit(X, iris), X, iris, random_state=0)
    assert importances.importances_mean.argmax() in (2, 3)


def test_scikit_learns_own_displays_take_ours():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from sklearn.inspection import DecisionBoundaryDisplay, PartialDependenceDisplay
    from sklearn.metrics import ConfusionMatrixDisplay, PredictionErrorDisplay, RocCurveDisplay
    from sklearn.model_selection import LearningCurveDisplay, ValidationCurveDisplay

    net, _ = small()
    with matplotlib.rc_context({"figure.max_open_warning": 0}):
        ConfusionMatrixDisplay.from_estimator(net.fit(X, iris), X, iris)
        PartialDependenceDisplay.from_estimator(net, X, [2], target=0, grid_resolution=5)
        RocCurveDisplay.from_estimator(net.fit(X, iris > 0), X, iris > 0)
        DecisionBoundaryDisplay.from_estimator(net.fit(X[:, :2], iris), X[:, :2])
        PredictionErrorDisplay.from_estimator(
            MLPRegressor(hidden_layer_sizes=5).fit(X, X[:, 2]), X, X[:, 2]
        )
        LearningCurveDisplay.from_estimator(net, X, iris, cv=2, train_sizes=[0.5, 1.0])
        ValidationCurveDisplay.from_estimator(
            net, X, iris, cv=2, param_name="alpha", param_range=[0.1, 1.0]
        )
        matplotlib.pyplot.close("all")


def test_two_jobs_do_not_oversubscribe_the_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # nothing is said: joblib's default
    counts = {  # asked where the fit has run, as scores
        "score": "accuracy",
        "kernel": lambda *_: engine.available_threads(),
        "blas": lambda *_: max(pool["num_threads"] for pool in threadpool_info()),
        "process": lambda *_: os.getpid(),
    }
    net = MLPClassifier(8, max_iter=30, random_state=0, learning_rate_init=0.05)
    search = GridSearchCV(
        net, {"alpha": [1e-4, 1e-2, 1.0]}, cv=2, n_jobs=2, scoring=counts, refit="score"
    )
    found = search.fit(X, iris).cv_results_
    assert found["mean_test_score"].max() > 0.7
    assert os.getpid() not in found["split0_test_process"]
    share = max(1, joblib.cpu_count() // 2)  # of the cores, for each of two jobs
    assert set(found["mean_test_kernel"]) == {share}
    assert max(found["mean_test_blas"]) <= share

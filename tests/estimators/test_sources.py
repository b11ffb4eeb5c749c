"""An estimator that reads its table in blocks is the one that was fitted on arrays."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris

from chainrule import MLPClassifier, MLPRegressor
from chainrule.engine import blocks, stream
from chainrule.engine.blocks import Arrays, Npy

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SOLVERS = ["lbfgs", "cg", "scg", "newton-cg", "gd", "sgd", "adam", "adamw", "rmsprop"]


@pytest.fixture(params=["one", "many"], autouse=True)
def small(request, monkeypatch):
    """Blocks of 8 rows; a buffer of two, or all in memory."""
    monkeypatch.setattr(blocks, "LEAST", 8)
    monkeypatch.setattr(blocks, "BYTES", 100)
    monkeypatch.setattr(stream, "BUFFER", 2 if request.param == "many" else 1000)
    return request.param


X, CODES = load_iris(return_X_y=True)
LABELS = np.array(["setosa", "versicolor", "virginica"])[CODES]
NUMBERS = X[:, 3] * 100
X = X[:, :3]


class Named(Arrays):
    """Arrays with names and classes, as a table in a file has them."""

    def __init__(self, X, y=None, weights=None, names=(), classes=None):
        super().__init__(X, y, weights)
        self.names, self.classes = names, classes


def same(one, other):
    np.testing.assert_array_equal(one.theta_, other.theta_)
    assert one.n_iter_ == other.n_iter_


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("K", [2, 3])
def test_a_classifier_is_the_one_of_arrays(solver, K, small):
    kept = CODES < K
    how = {"hidden_layer_sizes": 4, "solver": solver, "max_iter": 3, "random_state": 1}
    how["shuffle"] = small != "many"  # a file's rows are shuffled in buffers
    memory = MLPClassifier(**how).fit(X[kept], LABELS[kept])
    read = MLPClassifier(**how).fit(Arrays(X[kept], LABELS[kept]))
    same(read, memory)
    assert read.classes_.tolist() == memory.classes_.tolist()
    source = Arrays(X[kept], LABELS[kept])
    for method in ("predict", "predict_proba", "predict_log_proba", "transform"):
        answers = [getattr(read, method)(given) for given in (source, X[kept])]
        np.testing.assert_array_equal(*answers)
    assert read.score(source) == pytest.approx(memory.score(X[kept], LABELS[kept]), rel=1e-14)


@pytest.mark.parametrize("solver", [*SOLVERS, "lm", "br"])
def test_a_regressor_is_the_one_of_arrays(solver, small, tmp_path):
    how = {"hidden_layer_sizes": 3, "solver": solver, "max_iter": 3, "random_state": 1}
    how["shuffle"] = small != "many"
    np.save(tmp_path / "X.npy", X)
    memory = MLPRegressor(**how).fit(X, NUMBERS)
    read = MLPRegressor(**how).fit(Npy(tmp_path / "X.npy", NUMBERS))
    same(read, memory)
    source = Npy(tmp_path / "X.npy", NUMBERS)
    np.testing.assert_array_equal(read.predict(source), memory.predict(X))
    assert read.score(source) == pytest.approx(memory.score(X, NUMBERS), rel=1e-12)


@pytest.mark.parametrize(
    "how",
    [
        {"loss": "poisson"},
        {"loss": "quantile", "quantile": [0.1, 0.9]},
        {"loss": "huber"},
        {"weights_as": "precisions"},
        {"l1_ratio": 0.5},
        {"n_restarts": 2},
    ],
)
def test_the_losses_of_a_regressor_are_those_of_arrays(how):
    how = {"hidden_layer_sizes": 3, "solver": "lbfgs", "max_iter": 3, "random_state": 1} | how
    w = np.linspace(0.5, 3, len(X))
    memory = MLPRegressor(**how).fit(X, NUMBERS, w)
    read = MLPRegressor(**how).fit(Arrays(X, NUMBERS, w))
    np.testing.assert_allclose(read.theta_, memory.theta_, rtol=1e-9, atol=1e-9)
    assert read.loss_ == pytest.approx(memory.loss_, rel=1e-10)
    if how.get("loss") == "quantile":
        with pytest.raises(ValueError, match="several quantiles"):
            read.score(Arrays(X, NUMBERS))
    else:
        score = memory.score(X, NUMBERS, w)
        assert read.score(Arrays(X, NUMBERS, w)) == pytest.approx(score, rel=1e-9)


def test_scaled_and_several_targets_and_outputs_with_weights(small):
    Y = np.column_stack([NUMBERS, X[:, 0]])
    Y[5, 1] = np.nan
    how = {"hidden_layer_sizes": 3, "solver": "lbfgs", "max_iter": 3, "random_state": 1}
    for more in ({"scale_y": True}, {"output_weights": [1, 3]}):
        memory = MLPRegressor(**how, **more).fit(X, Y)
        read = MLPRegressor(**how, **more).fit(Arrays(X, Y))
        np.testing.assert_allclose(read.theta_, memory.theta_, rtol=1e-9, atol=1e-9)
        assert read.score(Arrays(X, Y)) == pytest.approx(memory.score(X, Y), rel=1e-9)


@pytest.mark.parametrize("class_weight", ["balanced", {"setosa": 2, "virginica": 0.5}])
def test_class_weights_are_those_of_arrays(class_weight):
    w = np.linspace(0.5, 3, len(X))
    how = {"hidden_layer_sizes": 3, "solver": "lbfgs", "max_iter": 3, "random_state": 1}
    memory = MLPClassifier(class_weight=class_weight, **how).fit(X, LABELS, w)
    classes = ("virginica", "setosa", "versicolor")  # a table's own order
    codes = np.array([classes.index(label) for label in LABELS])
    for source in (Arrays(X, LABELS, w), Named(X, codes, w, classes=classes)):
        read = MLPClassifier(class_weight=class_weight, **how).fit(source)
        assert read.classes_.tolist() == memory.classes_.tolist()
        np.testing.assert_allclose(read.theta_, memory.theta_, rtol=1e-9, atol=1e-9)
        assert read.score(source) == pytest.approx(memory.score(X, LABELS, w), rel=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_early_stopping_takes_another_table(solver):
    how = {"hidden_layer_sizes": 3, "solver": solver, "max_iter": 20, "random_state": 1}
    how |= {"early_stopping": True, "n_iter_no_change": 3, "shuffle": False}
    memory = MLPClassifier(**how).fit(X[::2], LABELS[::2], X_val=X[1::2], y_val=LABELS[1::2])
    read = MLPClassifier(**how).fit(
        Arrays(X[::2], LABELS[::2]), X_val=Arrays(X[1::2], LABELS[1::2])
    )
    same(read, memory)
    np.testing.assert_allclose(read.validation_scores_, memory.validation_scores_)
    with pytest.raises(ValueError, match="give X_val, another table"):
        MLPClassifier(**how).fit(Arrays(X, LABELS))
    with pytest.raises(ValueError, match="scoring takes arrays"):
        MLPClassifier(scoring="accuracy", **how).fit(Arrays(X, LABELS), X_val=Arrays(X, LABELS))


def test_partial_fit_goes_once_over_a_table():
    read = MLPClassifier(4, random_state=1).partial_fit(
        Arrays(X[:100], LABELS[:100]), classes=[*"z", *np.unique(LABELS)]
    )
    assert read.classes_.tolist() == ["setosa", "versicolor", "virginica", "z"]
    read.partial_fit(Arrays(X, LABELS))
    assert (read.t_, len(read.loss_curve_)) == (100 + len(X), 2)
    numbers = MLPRegressor(hidden_layer_sizes=4, random_state=1).partial_fit(Arrays(X, NUMBERS))
    numbers.partial_fit(Arrays(X, NUMBERS))
    assert numbers.t_ == 2 * len(X)


def test_a_fit_that_is_killed_goes_on_to_the_same_bits(tmp_path):
    how = {"hidden_layer_sizes": 3, "random_state": 1, "max_iter": 6, "dropout": 0.2}
    wanted = MLPClassifier(**how).fit(Arrays(X, LABELS))

    class Killed(Exception):
        pass

    def kill(step):
        if step.iteration == 3:
            raise Killed

    path = tmp_path / "fit.state"
    with pytest.raises(Killed):
        MLPClassifier(checkpoint=path, callback=kill, **how).fit(Arrays(X, LABELS))
    same(MLPClassifier(checkpoint=path, **how).fit(Arrays(X, LABELS)), wanted)


def test_a_batch_may_be_larger_than_a_buffer(tmp_path):
    np.save(tmp_path / "X.npy", X)
    how = {"hidden_layer_sizes": 3, "random_state": 1, "max_iter": 3, "batch_size": 40}
    read = MLPRegressor(shuffle=False, **how).fit(Npy(tmp_path / "X.npy", NUMBERS))
    same(read, MLPRegressor(shuffle=False, **how).fit(X, NUMBERS))
    assert MLPRegressor(**how).fit(Npy(tmp_path / "X.npy", NUMBERS)).n_iter_ == 3


def test_the_columns_have_names_and_must_be_the_same():
    names = ("a", "b", "c")
    how = {"hidden_layer_sizes": 3, "solver": "lbfgs", "max_iter": 2, "random_state": 1}
    net = MLPClassifier(**how).fit(Named(X, LABELS, names=names))
    assert net.feature_names_in_.tolist() == [*names]
    assert net.n_features_in_ == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.predict(Named(X, names=names))
    with pytest.raises(ValueError, match="column 2 is 'c', and in training it was 'b'"):
        net.predict(Named(X, names=("a", "c", "b")))
    with pytest.raises(ValueError, match="X has 2 features"):
        net.predict(Arrays(X[:, :2]))
    net.warm_start = True
    with pytest.raises(ValueError, match="'rose', which training did not have"):
        net.fit(Named(X, np.array(["rose"] * len(X)), names=names))


def test_what_does_not_go_with_a_table_is_said():
    source = Arrays(X, LABELS)
    with pytest.raises(ValueError, match="leave y out"):
        MLPClassifier().fit(source, LABELS)
    with pytest.raises(ValueError, match="leave sample_weight out"):
        MLPRegressor().fit(source, sample_weight=np.ones(len(X)))
    with pytest.raises(ValueError, match="leave y_val out"):
        MLPClassifier().fit(source, X_val=source, y_val=LABELS)
    with pytest.raises(ValueError, match="no target"):
        MLPRegressor().fit(Arrays(X))
    with pytest.raises(ValueError, match="from arrays"):
        MLPClassifier().fit(Named(X, np.column_stack([CODES, CODES]), classes=(0, 1, 2)))
    net = MLPRegressor(hidden_layer_sizes=2, solver="lm", max_iter=2).fit(Arrays(X, NUMBERS))
    bad = X.copy()
    bad[140, 1] = np.nan
    with pytest.raises(ValueError, match="nan in row 140, column 1"):
        net.predict(Arrays(bad))

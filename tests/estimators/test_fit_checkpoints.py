"""A fit that is killed goes on from its checkpoint, to the same bits."""

import os
from dataclasses import fields

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone

from chainrule import MLPClassifier, MLPRegressor
from chainrule.estimators.progress import COUNTS, CURVES, Progress
from chainrule.training import checkpoint as module
from chainrule.training.checkpoint import CheckpointError

SOLVERS = ["lbfgs", "cg", "scg", "newton-cg", "gd", "sgd", "adam", "adamw", "rmsprop"]
pytestmark = pytest.mark.filterwarnings("ignore:stopped at max_iter")


class KilledError(BaseException):
    """What ends a fit as a signal that cannot be caught does."""


@pytest.fixture
def often(monkeypatch):
    """Write at each step, and kill after every few."""
    monkeypatch.setattr(module, "SHARE", 1e9)
    init, write, written = module.Checkpoint.__init__, module.Checkpoint._write, [0]

    def at_each_step(self, path, every=0.0, *given, **more):
        init(self, path, 0.0, *given, **more)

    def killing(self, stopped):
        write(self, stopped)
        written[0] += 1
        if written[0] % 4 == 0:
            raise KilledError

    monkeypatch.setattr(module.Checkpoint, "__init__", at_each_step)
    monkeypatch.setattr(module.Checkpoint, "_write", killing)


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 4))
    return X, (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)


def fitted_in_spite_of_kills(net, *data):
    kills = 0
    while True:
        try:
            return clone(net).fit(*data), kills
        except KilledError:
            kills += 1


def assert_same(net, other):
    np.testing.assert_array_equal(net.theta_, other.theta_)
    assert net.loss_curve_ == other.loss_curve_
    assert (net.n_iter_, net.loss_, net.t_) == (other.n_iter_, other.loss_, other.t_)
    assert net.validation_loss_curve_ == other.validation_loss_curve_
    assert net.validation_scores_ == other.validation_scores_
    assert str(net.stop_report_) == str(other.stop_report_)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.usefixtures("often")
def test_killed_every_few_steps_it_ends_where_an_uninterrupted_one_does(
    examples, solver, early_stopping, tmp_path
):
    options = {"solver": solver, "max_iter": 15, "early_stopping": early_stopping}
    options |= {"hidden_layer_sizes": 6, "random_state": 3}
    if solver in ("sgd", "adam"):
        options |= {"dropout": 0.1, "learning_rate": "adaptive", "tol": 0.01, "n_iter_no_change": 3}
    whole = MLPClassifier(**options).fit(*examples)
    net = MLPClassifier(**options, checkpoint=tmp_path / "fit.ckpt")
    result, kills = fitted_in_spite_of_kills(net, *examples)
    assert kills >= 1
    assert_same(result, whole)
    assert_same(clone(net).fit(*examples), whole)  # it was over: at once
    assert os.listdir(tmp_path) == ["fit.ckpt"]


@pytest.mark.parametrize("solver", ["lm", "br"])
@pytest.mark.usefixtures("often")
def test_a_least_squares_fit_goes_on(examples, solver, tmp_path):
    X = examples[0]
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    options = {"solver": solver, "max_iter": 15, "hidden_layer_sizes": 4, "random_state": 1}
    whole = MLPRegressor(**options).fit(X, y)
    net = MLPRegressor(**options, checkpoint=str(tmp_path / "fit.ckpt"))
    result, kills = fitted_in_spite_of_kills(net, X, y)
    assert kills >= 1
    np.testing.assert_array_equal(result.theta_, whole.theta_)
    assert result.loss_curve_ == whole.loss_curve_


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.usefixtures("often")
def test_restarts_that_are_over_are_kept_and_the_others_go_on(examples, average, tmp_path):
    options = {"solver": "adam", "max_iter": 6, "n_restarts": 3, "random_state": 2}
    options |= {"hidden_layer_sizes": 5, "average": average}
    whole = MLPClassifier(**options).fit(*examples)
    net = MLPClassifier(**options, checkpoint=tmp_path / "fit.ckpt")
    result, _ = fitted_in_spite_of_kills(net, *examples)
    assert_same(result, whole)
    np.testing.assert_array_equal(
        result.predict_proba(examples[0]), whole.predict_proba(examples[0])
    )
    assert sorted(os.listdir(tmp_path)) == ["fit.ckpt.0", "fit.ckpt.1", "fit.ckpt.2"]


@pytest.mark.usefixtures("often")
def test_sparse_rows_and_validation_rows_go_on(examples, tmp_path):
    X, y = examples
    net = MLPClassifier(5, max_iter=8, random_state=0, batch_size=20)
    options = {"X_val": csr_array(X[:30]), "y_val": y[:30]}
    whole = net.fit(csr_array(X), y, **options)
    again = clone(net).set_params(checkpoint=tmp_path / "fit.ckpt")
    while not hasattr(again, "stop_report_"):
        try:
            again.fit(csr_array(X), y, **options)
        except KilledError:
            again = clone(again)
    assert_same(again, whole)


def test_another_fit_is_refused_in_one_sentence(examples, tmp_path):
    X, y = examples
    net = MLPClassifier(5, max_iter=3, random_state=0, checkpoint=tmp_path / "fit.ckpt").fit(X, y)
    for change, says in (
        ({"alpha": 0.5}, r"another alpha \(0.0001 then, 0.5 now\)"),
        ({"random_state": 1}, "another random state"),
        ({"hidden_layer_sizes": 6}, "another network"),
    ):
        with pytest.raises(CheckpointError, match=f"{says}.*: remove the file to begin anew"):
            clone(net).set_params(**change).fit(X, y)
    with pytest.raises(CheckpointError, match="other data"):
        clone(net).fit(X + 1, y)
    assert clone(net).set_params(max_iter=9).fit(X, y).n_iter_ == 9


def test_partial_fit_keeps_nothing(examples, tmp_path):
    net = MLPClassifier(5, checkpoint=tmp_path / "fit.ckpt", random_state=0)
    net.partial_fit(*examples, classes=[0, 1])
    assert os.listdir(tmp_path) == []


def test_what_is_saved_knows_no_checkpoint(examples, tmp_path):
    net = MLPClassifier(5, max_iter=3, random_state=0, checkpoint=tmp_path / "fit.ckpt")
    net.fit(*examples).save(tmp_path / "net.safetensors")
    assert MLPClassifier.load(tmp_path / "net.safetensors").checkpoint is None


def test_all_of_a_fits_progress_is_kept():
    known = {field.name for field in fields(Progress)}
    assert known == {*COUNTS, *CURVES, "theta", "by_score", "memory"}

"""Importances: what a column's shuffling costs, of fixed seed, block by block."""

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss

from chainrule import TableClassifier, TableRegressor
from chainrule.evaluation.importance import by_shuffling

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def fitted():
    """A classifier on a column that tells, one with gaps, and noise."""
    m = 300
    X = pd.DataFrame({"noise": RNG.normal(size=m), "size": RNG.normal(size=m)})
    X["town"] = RNG.choice(["Bonn", "Jena", "Ulm"], m)
    y = np.where((X["size"] > 0) ^ (X["town"] == "Ulm"), "a", "b")
    X.loc[::9, "noise"] = np.nan
    return TableClassifier(cv=3, hidden=6, max_iter=40).fit(X[:200], y[:200]), X[200:], y[200:]


def test_the_columns_that_tell_come_first(fitted):
    net, X, y = fitted
    found = net.importances(X, y)
    assert set(found.names[:2]) == {"size", "town"}
    assert found.rises.shape == (3, 5)
    assert found.means[2] < 0.1 * found.means[0]
    assert pytest.approx(log_loss(y, net.predict_proba(X))) == found.J
    assert found.as_dict()["size"] == found.means[found.names.index("size")]


def test_it_agrees_with_shuffling_the_table_itself(fitted):
    net, X, y = fitted
    found = net.importances(X, y, repeats=30)
    other = permutation_importance(net, X, y, scoring="neg_log_loss", n_repeats=30, random_state=1)
    by_name = dict(zip(X.columns, other.importances_mean, strict=True))
    for name, rise in found.as_dict().items():
        assert rise == pytest.approx(by_name[name], abs=0.06)


def test_the_random_state_decides(fitted):
    net, X, y = fitted
    one, two, other = (net.importances(X, y, random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.rises, two.rises)
    assert not np.array_equal(one.rises, other.rises)


def test_numbers_have_half_the_squared_error():
    x = RNG.normal(size=(200, 2))
    y = 7 * np.sin(x[:, 0])
    net = TableRegressor(cv=3, hidden=4, max_iter=40).fit(x[:150], y[:150])
    found = net.importances(x[150:], y[150:])
    error = (net.predict(x[150:]) - y[150:]) / net.target_scaling_.scale
    assert found.names[0] == "x0"
    assert pytest.approx(np.mean(error**2) / 2, rel=0.2) == found.J  # which cuts nothing off


def test_labels_of_other_lengths_are_refused(fitted):
    net, X, y = fitted
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net.importances(X, y[1:])


def test_what_is_shuffled_is_put_back():
    X = np.arange(12.0).reshape(4, 3)
    before = X.copy()
    seen = []
    by_shuffling(lambda X: float(len(seen.append(X.copy()) or seen)), X,
                 {"a": np.array([0, 1]), "b": np.array([2])}, repeats=1)  # fmt: skip
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(seen[1][:, 2], X[:, 2])
    np.testing.assert_array_equal(seen[1][:, 1] - seen[1][:, 0], 1)  # one column's inputs together
    np.testing.assert_array_equal(seen[2][:, :2], X[:, :2])

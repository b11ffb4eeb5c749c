"""A committee is one network; lambda, relevance and shares are found on rows not seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Network, forward, random_theta, train
from chainrule.common.types import Stopped
from chainrule.training.committee import LAMS, side_by_side, train_committee

ROWS = np.arange(240)
FOLDS = [(ROWS[j != ROWS % 4], ROWS[j == ROWS % 4]) for j in range(4)]


def examples(useful=2, useless=6):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(len(ROWS), useful + useless))
    y = np.sin(2 * X[:, :1]) + X[:, 1:2] * X[:, :1] + 0.1 * rng.normal(size=(len(ROWS), 1))
    return X, y


def committee(X, y, **given):
    n = X.shape[1]
    asked = {"output": "identity", "columns": np.arange(n), "views": [np.ones(n, bool)]} | given
    return train_committee(X, y, FOLDS, **asked)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.floats(0.1, 2)), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_side_by_side_is_the_weighed_sum_of_z(members, K, seed):
    rng = np.random.default_rng(seed)
    X, total, given = rng.normal(size=(5, 6)), 0, []
    for units, share in members:
        inputs = rng.random(6) < 0.5
        inputs[0] = True
        network = Network((int(inputs.sum()), units, K), hidden="tanh", output="identity")
        theta, scale = random_theta(network, seed=seed), rng.normal(size=inputs.sum())
        given.append((network, theta, inputs, scale, share))
        total = total + share * forward(network, theta, X[:, inputs] * scale)[1]
    network, theta = side_by_side(given)
    assert network.layers == (6, sum(units for units, _ in members), K)
    np.testing.assert_allclose(forward(network, theta, X)[1], total, atol=1e-12)


def test_columns_without_use_are_held_back():
    X, y = examples()
    found = committee(X, y)
    plain, by_relevance = found.kinds
    assert (plain.by_relevance, by_relevance.by_relevance) == (False, True)
    assert by_relevance.J < 0.8 * plain.J
    assert by_relevance.share > plain.share
    assert plain.lam in LAMS
    assert sum(kind.share for kind in found.kinds) == 1


def test_what_is_said_of_unseen_rows_is_what_the_committee_is_judged_by():
    X, y = examples()
    found = committee(X, y)
    assert pytest.approx(np.mean((found.z - y) ** 2) / 2) == found.J
    assert min(kind.J for kind in found.kinds) * (1 + 1e-12) >= found.J
    z = forward(found.network, found.theta, X)[1]  # each row was seen by most members
    assert np.mean((z - y) ** 2) < np.mean((found.z - y) ** 2)


def test_the_same_bits_for_any_number_of_threads():
    X, y = examples()
    one, three = committee(X, y, threads=1), committee(X, y, threads=3)
    np.testing.assert_array_equal(one.theta, three.theta)
    np.testing.assert_array_equal(one.z, three.z)


def test_weight_2_is_the_row_twice_and_weight_0_no_row():
    X, y = examples()
    w = np.random.default_rng(1).integers(0, 3, len(X)).astype(float)
    weighed = committee(X, y, weights=w, max_iter=15)
    times = np.repeat(ROWS, w.astype(int))
    folds = [(np.isin(times, rows).nonzero()[0], np.isin(times, tried).nonzero()[0])
             for rows, tried in FOLDS]  # fmt: skip
    repeated = train_committee(
        X[times], y[times], folds, output="identity", columns=np.arange(8),
        views=[np.ones(8, bool)], max_iter=15,
    )  # fmt: skip
    assert [kind.lam for kind in weighed.kinds] == [kind.lam for kind in repeated.kinds]
    np.testing.assert_allclose(weighed.theta, repeated.theta, atol=1e-5)


def test_rows_that_no_member_was_tried_on_count_for_nothing():
    X, y = examples()
    first, second = FOLDS[0], FOLDS[1]
    found = train_committee(
        X, y, [first, second], output="identity", columns=np.arange(8), views=[np.ones(8, bool)]
    )
    assert np.isnan(found.z[ROWS % 4 > 1]).all()
    assert np.isfinite(found.z[ROWS % 4 < 2]).all()
    assert np.isfinite(found.J)


def test_float32_is_kept():
    X, y = examples()
    assert committee(X.astype(np.float32), y).theta.dtype == np.float32


def test_a_stop_is_heard():
    X, y = examples()
    with pytest.raises(Stopped):
        committee(X, y, stop=lambda: True)


def test_each_kind_is_told():
    X, y = examples()
    told = []
    found = committee(X, y, told=told.append)
    assert [kind.lam for kind in told] == [kind.lam for kind in found.kinds]


def test_larger_networks_are_tried_where_there_are_rows_for_them(monkeypatch):
    monkeypatch.setattr("chainrule.training.committee.MANY", 100)
    rng = np.random.default_rng(0)
    X = rng.uniform(-3, 3, size=(240, 2))
    y = np.sin(4 * X[:, :1]) * np.cos(3 * X[:, 1:])
    hard, easy = committee(X, y), committee(X, X[:, :1])
    assert [kind.hidden for kind in hard.kinds][:3] == [16, 16, 48]
    assert [kind.hidden for kind in easy.kinds] in ([16, 16, 48], [16, 16, 48, 144])
    used = sum(4 * kind.hidden for kind in hard.kinds if kind.share)
    assert hard.network.layers[1] == used
    assert {kind.hidden for kind in committee(X, y, hidden=5).kinds} == {5}


def test_two_members_find_lambda_for_all_where_there_are_many_rows(monkeypatch):
    trained, until = [], []

    def noted(*args, lam, seed, **given):
        trained.append((lam, seed))
        return train(*args, lam=lam, seed=seed, **given)

    monkeypatch.setattr("chainrule.training.committee.train", noted)
    monkeypatch.setattr("chainrule.training.committee.MANY", 100)
    X, y = examples()
    found = committee(X, y, hidden=4, threads=1, told=lambda kind: until.append(len(trained)))
    lam = found.kinds[0].lam
    of_first = trained[: until[0]]
    assert sorted(seed for tried, seed in of_first if tried == lam) == [0, 1, 2, 3]
    others = {tried for tried, _ in of_first if tried != lam}
    assert len(others) > 1
    assert sorted(of_first[:-2]) == sorted(
        (tried, seed) for tried in {*others, lam} for seed in (2, 3)
    )

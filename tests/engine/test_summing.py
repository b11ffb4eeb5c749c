"""The public J and D, and epochs in pieces."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problems

import chainrule
from chainrule import Adam, Network, random_theta
from chainrule.common.types import Stopped
from chainrule.engine import summing
from chainrule.engine.rows import Rows
from chainrule.kernel import BUILT, asking
from chainrule.notes import backprop, minibatch, second_order
from chainrule.notes.minibatch import Minibatches


@given(problems())
@settings(max_examples=50)
def test_the_public_J_and_D_are_the_references_to_rounding(problem):
    network, theta, X, Y, lam = problem
    J, D = chainrule.cost_and_gradient(network, theta, X, Y, lam)
    expected, gradient = chainrule.cost_and_gradient(network, theta, X, Y, lam, engine="numpy")
    reference = backprop.cost_and_gradient(network, theta, X, Y, lam)
    assert (expected, gradient.tolist()) == (reference[0], reference[1].tolist())
    scale = 1 + np.abs(gradient).max()
    assert abs(J - expected) <= 1e-12 * (1 + abs(expected))
    np.testing.assert_allclose(D, gradient, rtol=0, atol=1e-11 * scale)


@given(problems(), st.sampled_from([np.nan, np.inf, -np.inf]), st.data())
@settings(max_examples=100)
def test_the_public_J_refuses_what_is_no_number_by_its_place(problem, bad, data):
    network, theta, X, Y, lam = problem
    i = data.draw(st.integers(0, len(X) - 1))
    j = data.draw(st.integers(0, X.shape[1] - 1))
    X = X.copy()
    X[i, j] = bad
    with pytest.raises(ValueError, match=rf"X has -?(nan|inf) in row {i}, column {j} "):
        chainrule.cost_and_gradient(network, theta, X, Y, lam)


@pytest.mark.parametrize("engine", ["kernel", "numpy"])
def test_dropout_depends_on_a_rows_number_in_the_whole_training_set(engine):
    if engine == "kernel" and not BUILT:
        pytest.skip("the kernel was not built: no C++20 compiler")
    rng = np.random.default_rng(0)
    network, rule = Network((6, 5, 2), hidden="tanh"), Adam(0.01)
    X, Y = rng.normal(size=(40, 6)), rng.integers(0, 2, (40, 2)).astype(float)
    how, order = Minibatches(7, dropout=[0.2, 0.3], seed=5), rng.permutation(40)
    found = []
    for gathered in (False, True):
        theta = random_theta(network)
        state = rule.init(theta)
        on = {"rule": rule, "state": state, "number": 3, "engine": engine}
        if gathered:
            rows = np.arange(40)
            summing.epoch(network, theta, X[order], Y[order], rows, how, names=order, **on)
        else:
            summing.epoch(network, theta, X, Y, order, how, **on)
        found.append(theta)
    np.testing.assert_array_equal(found[0], found[1])


def test_a_sparse_x_and_the_same_x_dense_give_one_network_with_dropout(monkeypatch):
    from scipy.sparse import csr_array

    from chainrule.engine import rows as rows_module

    monkeypatch.setattr(rows_module, "DENSE", 60)  # ten rows of six columns
    rng = np.random.default_rng(0)
    network, rule = Network((6, 5, 2), hidden="tanh"), Adam(0.01)
    X, Y = rng.normal(size=(40, 6)), rng.integers(0, 2, (40, 2)).astype(float)
    how, order = Minibatches(5, dropout=[0.2, 0.3], seed=5), rng.permutation(40)
    found, costs = [], []
    for examples in (X, csr_array(X)):
        theta = random_theta(network)
        state = rule.init(theta)
        sums = Rows(examples, Y).epoch(
            network, theta, order, how, rule=rule, state=state, steps=0, number=1
        )
        found.append(theta)
        costs.append(sums)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    np.testing.assert_allclose(costs[0], costs[1], rtol=1e-12)


@pytest.mark.parametrize("engine", [None, "numpy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_sparse_x_in_blocks_has_the_sums_of_the_same_x_dense(monkeypatch, engine, weighted):
    from scipy.sparse import csr_array

    from chainrule.engine import rows as rows_module

    monkeypatch.setattr(rows_module, "DENSE", 60)  # ten rows of six columns
    monkeypatch.setattr(rows_module, "MANY", 10)
    rng = np.random.default_rng(0)
    network = Network((6, 5, 2), hidden="tanh")
    theta = random_theta(network)
    X, Y = rng.normal(size=(45, 6)), rng.integers(0, 2, (45, 2)).astype(float)
    weights = rng.uniform(1, 3, 45) if weighted else None
    dense, sparse = (Rows(x, Y, weights, engine) for x in (X, csr_array(X)))
    expected, found = dense.accumulate(network, theta), sparse.accumulate(network, theta)
    for sums in zip(found, expected, strict=True):
        np.testing.assert_allclose(*sums, rtol=1e-10)
    assert sparse.cost(network, theta) == pytest.approx(expected[0] / expected[2])


@pytest.mark.parametrize("engine", [None, "numpy"])
def test_an_epoch_is_the_notes_first_where_nothing_else_is_said(engine):
    rng = np.random.default_rng(0)
    network, rule = Network((6, 5, 2), hidden="tanh"), Adam(0.01)
    X, Y = rng.normal(size=(40, 6)), rng.integers(0, 2, (40, 2)).astype(float)
    how, order = Minibatches(7, dropout=[0.2, 0.3], seed=5), rng.permutation(40)
    found = []
    for epoch, on in ((minibatch.epoch, {}), (summing.epoch, {"engine": engine})):
        theta = random_theta(network)
        epoch(network, theta, X, Y, order, how, rule=rule, state=rule.init(theta), **on)
        found.append(theta)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10)


@pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")
def test_a_long_call_of_the_kernel_asks_whether_to_go_on():
    network = Network((100, 100, 1), hidden="relu")
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20_000, 100)), np.zeros((20_000, 1))
    theta, rule, asked = random_theta(network), Adam(), []
    order = np.tile(np.arange(20_000), 1000)  # a minute of work

    def ask():
        asked.append(threading.get_ident())
        if len(asked) == 3:
            raise Stopped("enough")

    with asking(ask), pytest.raises(Stopped, match="enough"):
        summing.epoch(network, theta, X, Y, order, Minibatches(), rule=rule, state=rule.init(theta))
    assert asked == [threading.get_ident()] * 3
    summing.accumulate(network, theta, X, Y)  # nobody is asked any more
    assert len(asked) == 3


@pytest.mark.parametrize("output", ["identity", "softmax"])
def test_the_normal_equations_are_those_of_the_notes(output):
    network = Network((3, 4, 2), hidden="tanh", output=output)
    theta, X = random_theta(network), np.random.default_rng(0).normal(size=(7, 3))
    Y, weights = np.eye(2)[np.arange(7) % 2], np.linspace(0.5, 2, 7)
    lams = np.linspace(0, 1, network.size)
    found = summing.normal_equations(network, theta, X, Y, weights, lams)
    expected = second_order.normal_equations(network, theta, X, Y, weights, lams)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)

"""The kernel agrees with the reference."""

from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from problems import targets

from chainrule import Network, engine, random_theta
from chainrule.kernel import BUILT, dot
from chainrule.notes import backprop, minibatch
from chainrule.notes.minibatch import Minibatches
from chainrule.notes.theta import blocks
from chainrule.optimize.adam import Adam
from chainrule.optimize.sgd import SGD

if BUILT:
    from chainrule.kernel._kernel import ACTIVATIONS, OUTPUTS, Kernel
else:
    ACTIVATIONS = OUTPUTS = ("sigmoid", "identity")

pytestmark = pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")

TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
RULES = (
    Adam(0.001),
    Adam(0.001, beta1=0.8, beta2=0.9, epsilon=1e-6, decay=0.1),
    SGD(0.001, nesterov=True),
    SGD(0.001, momentum=0.5, nesterov=False, decay=0.1),
)


def close(got, wanted, tolerance):
    """Whether got is wanted within a tolerance relative to wanted's norm."""
    got, wanted = (np.asarray(values, np.float64) for values in (got, wanted))
    return np.linalg.norm(got - wanted) <= tolerance * max(np.linalg.norm(wanted), 1e-3)


def problem(layers, hidden, output, m, dtype=np.float64, seed=0, zeros=0.0):
    rng = np.random.default_rng(seed)
    network = Network(layers, hidden=hidden, output=output)
    X = (0.5 * rng.normal(size=(m, layers[0]))).astype(dtype)
    if zeros:  # which the kernel then passes over
        X[rng.random(X.shape) < zeros] = 0
    return network, random_theta(network, seed, dtype), X, targets(rng, network, m).astype(dtype)


@st.composite
def drawn(draw, most_rows=700):
    """Sizes about and between multiples of a vector and of a tile; rows in one slab and in many."""
    output = draw(st.sampled_from(OUTPUTS))
    layers = [draw(st.integers(1, 70)) for _ in range(draw(st.integers(1, 4)))]
    if draw(st.integers(0, 4)) == 0:
        layers[0] = draw(st.integers(250, 300))  # an epoch cuts so many inputs into blocks
    least = 2 if output == "softmax" else 1
    layers.append(draw(st.one_of(st.integers(least, 4), st.integers(least, 35))))
    hidden = tuple(draw(st.sampled_from(ACTIVATIONS)) for _ in layers[1:-1])
    m = draw(st.one_of(st.integers(1, 30), st.integers(1, most_rows)))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    seed, zeros = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.0, 0.9, 1.0]))
    return *problem(layers, hidden, output, m, dtype, seed, zeros), dtype


@given(drawn(), st.booleans(), st.integers(1, 4))
@settings(max_examples=150)
def test_accumulate_cost_and_predict_agree_with_the_reference(drawn, weighted, threads):
    network, theta, X, Y, dtype = drawn
    weights = np.random.default_rng(0).random(len(X)).astype(dtype) if weighted else None
    cost, Delta, m = backprop.accumulate(network, theta, X, Y, weights)
    got = engine.accumulate(network, theta, X, Y, weights, engine="kernel", threads=threads)
    # A cost that is a difference of large terms is known to their precision only
    scale = max(abs(cost), float(np.abs(Y).sum()))
    assert abs(got[0] - cost) <= TOLERANCE[dtype] * scale
    # So is an h that is one, b + a W, where nothing else follows
    a = backprop.forward(network, theta, X)[0]
    h_expected = h_terms = a[-1]
    if network.output == "identity":
        b_and_W = np.abs(blocks(network, theta)[-1])
        h_terms = b_and_W[0] + np.abs(a[-2]) @ b_and_W[1:]
    # And a Delta, of delta(L) = h - y
    terms = backprop.accumulate(network, theta, X, h_expected - h_terms, weights)[1]
    allowed = TOLERANCE[dtype] * max(np.linalg.norm(Delta), np.linalg.norm(terms))
    assert np.linalg.norm(got[1] - Delta) <= allowed
    assert got[1].dtype == dtype
    assert got[2] == pytest.approx(m, rel=1e-12)
    alone = engine.cost(network, theta, X, Y, weights, engine="kernel", threads=threads)
    assert abs(alone[0] - cost) <= TOLERANCE[dtype] * scale
    assert alone[1] == got[2]
    h = engine.predict(network, theta, X, engine="kernel", threads=threads)
    assert np.linalg.norm(h - h_expected) <= TOLERANCE[dtype] * max(np.linalg.norm(h_terms), 1e-3)
    assert h.dtype == dtype


@given(
    drawn(most_rows=90),
    st.sampled_from(RULES),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 0.2, 1.0]),
)
@settings(max_examples=100)
def test_an_epoch_agrees_with_the_reference(drawn, rule, batches, weighted, by_batch, max_norm):
    network, theta, X, Y, dtype = drawn
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 3, len(X)).astype(dtype) if weighted else None
    # Dropout of 0.8 makes inputs five times as large, and e^z multiplies the rounding of z by z
    rates = [0.0, 0.3] if network.output == "exp" and dtype == np.float32 else [0.0, 0.3, 0.8]
    how = Minibatches(
        batch_size=-(-len(X) // batches),
        penalty=rng.random(network.L - 1) * 0.1,
        by_batch=by_batch,
        dropout=rng.choice(rates, network.L - 1),
        max_norm=max_norm,
        seed=7,
    )
    options = {"rule": rule, "steps": 3, "weights": weights, "number": 2}
    order = rng.permutation(len(X))
    results = []
    for run in (minibatch.epoch, lambda *a, **k: engine.epoch(*a, engine="kernel", threads=2, **k)):
        mine, state = theta.copy(), rule.init(theta)
        with np.errstate(over="ignore", invalid="ignore"):
            sums = run(network, mine, X, Y, order, how, state=state, **options)
        results.append((*sums, mine, state))
    (cost, w, expected, states), (got_cost, got_w, got, got_states) = results
    # Dropout of 0.8 makes inputs five times as large: h = e^z may be beyond any number, or so large
    # that the steps diverge and multiply a difference in the last bit beyond all bounds
    assume(np.abs(expected).max() < 100)
    assert got_w == pytest.approx(w, rel=1e-12)
    # Steps multiply a difference in the last bit: Adam divides by the gradient's own size
    tolerance = 1e-9 if dtype == np.float64 else 1e-5
    scale = max(abs(cost), float(np.abs(Y).sum()))
    assert abs(got_cost - cost) <= tolerance * scale
    assert close(got, expected, tolerance)
    assert close(got_states, states, tolerance)
    assert got.dtype == dtype


@pytest.mark.parametrize(
    ("layers", "batch_size", "zeros"),
    # Several slabs in a batch; lists of a block that take more room than those of all inputs would
    [((600, 20, 3), 501, 0.0), ((8193, 100, 2), 128, 0.9)],
)
@pytest.mark.parametrize("threads", [2, 3])  # a block's rows whole, and cut
def test_an_epoch_of_wide_rows_agrees_with_the_reference(layers, batch_size, zeros, threads):
    network, theta, X, Y = problem(layers, "tanh", "identity", 510, np.float32, zeros=zeros)
    rule, order, thetas = Adam(0.01), np.arange(len(X)), []
    how = Minibatches(batch_size, 0.1)
    kernel = partial(engine.epoch, engine="kernel", threads=threads)
    for run in (minibatch.epoch, kernel):
        thetas.append(theta.copy())
        run(network, thetas[-1], X, Y, order, how, rule=rule, state=rule.init(theta))
    assert close(thetas[1], thetas[0], 1e-4)


@pytest.mark.parametrize("off", [-1e-2, 1e-5, 0.5])
def test_softmax_rows_that_do_not_add_up_to_1_cost_what_the_reference_says(off):
    network, theta, X, Y = problem((3, 4, 3), "tanh", "softmax", 40)
    Y = Y + off / 3
    expected = backprop.accumulate(network, 30 * theta, X, Y)[0]
    got = engine.accumulate(network, 30 * theta, X, Y, engine="kernel")[0]
    assert got == pytest.approx(expected, rel=1e-12)


def test_dropout_knows_rows_by_their_names():
    network, theta, X, Y = problem((6, 20, 3), "gelu", "softmax", 90)
    names, how, rule, thetas = np.arange(90)[::-1] * 7, Minibatches(30, dropout=0.5), SGD(0.1), []
    for run, called in ((minibatch.epoch, names), (engine.epoch, names), (engine.epoch, None)):
        thetas.append(theta.copy())
        options = {"rule": rule, "state": rule.init(theta), "names": called}
        run(network, thetas[-1], X, Y, np.arange(90), how, **options)
    assert close(thetas[1], thetas[0], 1e-12)
    assert not close(thetas[2], thetas[0], 1e-3)
    options |= {"names": names[1:]}
    with pytest.raises(ValueError, match="names must have one"):
        engine.epoch(network, theta, X, Y, np.arange(90), how, **options)


def test_a_batch_of_no_weight_moves_nothing_but_counts_as_a_step():
    network, theta, X, Y = problem((3, 4, 2), "tanh", "softmax", 6)
    weights, rule, thetas = np.array([1.0, 0, 0, 2, 1, 1]), Adam(0.1), []
    for run in (minibatch.epoch, engine.epoch):
        mine, state = theta.copy(), rule.init(theta)
        options = {"rule": rule, "state": state, "weights": weights}
        run(network, mine, X, Y, np.arange(6), Minibatches(1), **options)
        thetas.append(mine)
    np.testing.assert_allclose(thetas[1], thetas[0], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("output", [name for name in OUTPUTS if name != "exp"])
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "softplus", "elu"])
def test_extreme_z_give_a_finite_cost_and_gradient(dtype, output, hidden):
    network, theta, X, Y = problem((3, 4, 2), hidden, output, 9, dtype)
    theta, X = 1000 * np.sign(theta), np.sign(X)
    cost, Delta, _ = engine.accumulate(network, theta, X, Y, engine="kernel")
    expected, Delta_expected, _ = backprop.accumulate(network, theta, X, Y)
    assert np.isfinite(cost)
    assert np.isfinite(Delta).all()
    assert cost == pytest.approx(expected, rel=TOLERANCE[dtype])
    assert close(Delta, Delta_expected, TOLERANCE[dtype])


def test_a_diverged_network_shows():
    network, theta, X, Y = problem((3, 4, 2), "relu", "identity", 9)
    theta[0] = np.nan
    cost, Delta, _ = engine.accumulate(network, theta, X, Y, engine="kernel")
    assert np.isnan(cost)
    assert np.isnan(Delta).any()


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("hidden", ["relu", "sigmoid"])
@pytest.mark.parametrize("m", [1, 30])
def test_an_infinite_theta_or_x_is_refused_before_a_row_is_predicted(value, m, hidden):
    network, theta, X, _ = problem((3, 4, 2), hidden, "sigmoid", m)
    bad_theta, bad_X = theta.copy(), X.copy()
    bad_theta[-1], bad_X[-1, 0] = value, value
    for arguments in ((bad_theta, X), (theta, bad_X)):
        with pytest.raises(ValueError, match=r"has (-?inf|nan)") as by_kernel:
            engine.predict(network, *arguments, engine="kernel")
        with pytest.raises(ValueError, match=r"has (-?inf|nan)") as by_numpy:
            engine.predict(network, *arguments, engine="numpy")
        assert str(by_kernel.value) == str(by_numpy.value)


def test_arrays_of_the_wrong_size_are_refused():
    network, theta, X, Y = problem((3, 4, 2), "relu", "identity", 9)
    with pytest.raises(ValueError, match="theta does not fit"):
        engine.accumulate(network, theta[1:], X, Y, engine="kernel")
    with pytest.raises(ValueError, match="X must be"):
        engine.accumulate(network, theta, X[:, 1:], Y, engine="kernel")
    with pytest.raises(ValueError, match="X must be"):
        engine.accumulate(network, theta, X[:0], Y[:0], engine="kernel")
    with pytest.raises(ValueError, match="Y must be"):
        engine.accumulate(network, theta, X, Y[1:], engine="kernel")
    for layers in ((0, 2), (3, 0, 2), (3, 0)):
        with pytest.raises(ValueError, match="at least one unit"):
            Kernel(layers, [0] * (len(layers) - 2), 0)
        with pytest.raises(ValueError, match="layer"):
            Network(layers)
    with pytest.raises(ValueError, match="batch_size"):
        Minibatches(batch_size=0)
    with pytest.raises(ValueError, match="name at least one row"):
        engine.epoch(
            network, theta, X, Y, np.arange(0), Minibatches(), rule=SGD(), engine="kernel",
            state=np.zeros((1, network.size)),
        )  # fmt: skip


def test_no_threads_are_refused():
    network, theta, X, Y = problem((3, 4, 2), "relu", "identity", 9)
    kernel, Delta = Kernel(network.layers, [2], 2), np.empty_like(theta)
    for threads in (0, -1):
        with pytest.raises(ValueError, match="threads must be >= 1"):
            kernel.accumulate(theta, X, Y, None, Delta, threads)
        with pytest.raises(ValueError, match="threads must be >= 1"):
            kernel.forward(theta, X, np.empty_like(Y), threads)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dot_sums_in_float64(dtype):
    rng = np.random.default_rng(0)
    for n in (0, 1, 15, 16, 1001):
        u, v = rng.normal(size=(2, n)).astype(dtype)
        assert dot(u, v) == pytest.approx(float(u.astype(np.float64) @ v), rel=1e-12, abs=1e-12)

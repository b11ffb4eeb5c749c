"""One epoch: its gradient, its steps, scikit-learn's meaning of alpha, dropout, max-norm."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from chainrule import Network, cost_and_gradient, random_theta, unroll
from chainrule.diagnosis import check_gradient
from chainrule.notes.backprop import accumulate
from chainrule.notes.minibatch import Minibatches, dropout_masks, epoch, limit_norms, lowbias32, mix
from chainrule.notes.theta import blocks
from chainrule.optimize import is_rule
from chainrule.optimize.adam import Adam
from chainrule.optimize.sgd import SGD

NETWORK = Network((5, 7, 4, 3), hidden=("tanh", "sigmoid"), output="softmax")


@pytest.fixture
def examples():
    rng = np.random.default_rng(1)
    return rng.normal(size=(23, 5)), np.eye(3)[rng.integers(0, 3, 23)]


def run(network, theta, X, Y, rule, epochs=1, order=None, **options):
    """Run epochs from a copy of theta; the rows in their own order unless one is given."""
    theta, m = theta.copy(), len(X)
    state = rule.init(theta)
    weights = options.pop("weights", None)
    how = Minibatches(**{"batch_size": m} | options)
    per_epoch = -(-m // how.batch_size)
    order = np.arange(m) if order is None else order
    for number in range(epochs):
        epoch(
            network, theta, X, Y, order, how, rule=rule, state=state, steps=number * per_epoch,
            number=number, weights=weights,
        )  # fmt: skip
    return theta


def test_the_gradient_with_masks_held_fixed_passes_the_gradient_check(examples):
    X, Y = examples
    masks = dropout_masks(NETWORK, [0.2, 0.5, 0.3], np.arange(len(X)), seed=3)
    weights = np.linspace(0, 2, len(X))

    def objective(theta):
        cost_sum, Delta, m = accumulate(NETWORK, theta, X, Y, weights, masks)
        return cost_sum / m, Delta / m

    report = check_gradient(objective, random_theta(NETWORK, 2))
    assert report, report


def test_the_batches_are_the_order_cut_into_pieces(examples):
    """Each step of plain SGD is theta - alpha D_b, written here with cost_and_gradient."""
    X, Y = examples
    order, alpha, lam = np.random.default_rng(5).permutation(23), 0.3, 0.7
    theta = random_theta(NETWORK)
    expected = theta.copy()
    for rows in (order[:10], order[10:20], order[20:]):
        _, D = cost_and_gradient(NETWORK, expected, X[rows], Y[rows], lam * len(rows) / 23)
        expected = expected - alpha * D
    rule = SGD(alpha, momentum=0.0, nesterov=False)
    found = run(NETWORK, theta, X, Y, rule, order=order, batch_size=10, penalty=[lam / 23] * 3)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("rule", [SGD(0.1), Adam(0.01)])
def test_weight_2_is_the_row_twice(examples, rule):
    X, Y = examples
    weights = np.ones(23)
    weights[4] = 2.0
    twice = np.append(np.arange(23), 4)
    theta, penalty = random_theta(NETWORK), [0.5 / 24] * 3
    one = run(NETWORK, theta, X, Y, rule, 3, weights=weights, penalty=penalty)
    two = run(NETWORK, theta, X[twice], Y[twice], rule, 3, penalty=penalty)
    np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


def test_what_an_epoch_returns_is_the_weighted_sum_of_costs_and_of_weights(examples):
    X, Y = examples
    theta, weights = random_theta(NETWORK), np.linspace(0.5, 2, 23)
    rule = SGD(learning_rate=0.0)
    cost_sum, _, m = accumulate(NETWORK, theta, X, Y, weights)
    total, w = epoch(
        NETWORK, theta, X, Y, np.arange(23), Minibatches(6), rule=rule, state=rule.init(theta),
        weights=weights,
    )  # fmt: skip
    assert (total, w) == (pytest.approx(cost_sum, rel=1e-14), pytest.approx(m, rel=1e-14))


@pytest.mark.parametrize("by_batch", [False, True])
def test_absolute_values_add_their_slope_and_no_weight_crosses_0(examples, by_batch):
    X, Y = examples
    weights = np.linspace(0.5, 2, 23)
    theta, alpha, squares, absolutes = random_theta(NETWORK), 0.1, [0.02, 0.3, 0.1], [0.4, 0.0, 0.2]
    W = [Theta[1:] for Theta in blocks(NETWORK, theta)]
    W[0][0, 0] = W[2][1, 1] = 0.0
    W[0][1, 1], W[2][0, 2] = 1e-9, -1e-9  # each step carries them across 0, or away from it
    expected = theta.copy()
    for rows in (np.arange(15), np.arange(15, 23)):
        _, D, w = accumulate(NETWORK, expected, X[rows], Y[rows], weights[rows])
        D, before, share = D / w, expected.copy(), 1 / w if by_batch else 1.0
        parts = (blocks(NETWORK, each) for each in (D, before))
        for D_T, Theta, c, c_abs in zip(*parts, squares, absolutes, strict=True):
            slope = D_T[1:] + share * c * Theta[1:]
            still = (Theta[1:] == 0) & (np.abs(slope) <= share * c_abs)
            sign = np.where(Theta[1:] == 0, -np.sign(slope), np.sign(Theta[1:]))
            D_T[1:] = np.where(still, 0.0, slope + share * c_abs * sign)
        expected = before - alpha * D
        parts = (blocks(NETWORK, each) for each in (before, expected))
        for Theta, after, c_abs in zip(*parts, absolutes, strict=True):
            after[1:][(Theta[1:] * after[1:] < 0) & (c_abs > 0)] = 0.0
    options = {"batch_size": 15, "penalty": squares, "absolutes": absolutes, "by_batch": by_batch}
    rule = SGD(alpha, momentum=0.0, nesterov=False)
    found = run(NETWORK, theta, X, Y, rule, weights=weights, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@dataclass(frozen=True)
class RMSprop:
    """A user's own rule."""

    learning_rate: float = 0.01
    decay: float = 0.0

    def init(self, theta):
        return np.zeros((1, len(theta)), theta.dtype)

    def update(self, theta, D, state, t):
        (mean_square,) = state
        mean_square *= 0.9
        mean_square += 0.1 * D * D
        theta -= self.learning_rate * D / (np.sqrt(mean_square) + 1e-8)


def test_a_rule_of_ones_own_moves_theta(examples):
    X, Y = examples
    theta = random_theta(NETWORK)
    assert is_rule(RMSprop())
    assert not is_rule(object())
    moved = run(NETWORK, theta, X, Y, RMSprop())
    D = cost_and_gradient(NETWORK, theta, X, Y)[1]
    np.testing.assert_allclose(moved, theta - 0.01 * D / (np.sqrt(0.1) * abs(D) + 1e-8))


def test_a_batch_without_weight_is_passed_over(examples):
    X, Y = examples
    theta, rule = random_theta(NETWORK), SGD(0.1)
    weights = np.where(np.arange(23) < 6, 0.0, 1.0)
    found = run(NETWORK, theta, X, Y, rule, batch_size=6, weights=weights)
    np.testing.assert_array_equal(found, run(NETWORK, theta, X[6:], Y[6:], rule, batch_size=6))


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (Adam(0.01), {"solver": "adam", "learning_rate_init": 0.01}),
        (SGD(0.05), {"solver": "sgd", "learning_rate_init": 0.05}),
        (
            SGD(0.05, momentum=0.5, nesterov=False),
            {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.5},
        ),
    ],
)
def test_scikit_learn_reaches_the_same_weights(examples, rule, options):
    """Five epochs, a short last batch, and alpha as each batch of scikit-learn divides it."""
    X, Y = examples
    network = Network((5, 6, 3), hidden="tanh", output="softmax")
    nesterov = getattr(rule, "nesterov", True)
    peer = MLPClassifier(
        (6,), activation="tanh", batch_size=9, shuffle=False, max_iter=5, random_state=0,
        alpha=0.3, nesterovs_momentum=nesterov, tol=0.0, **options,
    )  # fmt: skip
    start = MLPClassifier(
        (6,), activation="tanh", batch_size=9, shuffle=False, max_iter=1, random_state=0,
        solver="sgd", learning_rate_init=1e-300,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        peer.fit(X, Y.argmax(axis=1))
        start.fit(X, Y.argmax(axis=1))

    def theta_of(model):
        pairs = zip(model.intercepts_, model.coefs_, strict=True)
        return unroll([np.vstack([b, W]).T for b, W in pairs])

    options = {"batch_size": 9, "penalty": [0.3, 0.3], "by_batch": True}
    found = run(network, theta_of(start), X, Y, rule, epochs=5, **options)
    assert np.abs(found - theta_of(start)).max() > 0.01
    np.testing.assert_allclose(found, theta_of(peer), rtol=0, atol=1e-10)


def test_splitmix64_and_lowbias32_give_their_published_numbers():
    # splitmix64 from state 1234567; lowbias32 of 1 worked out by hand with Python's integers
    assert mix(np.array([1234567], np.uint64))[0] == 6457827717110365317
    x = 1
    x = (x * 0x7FEB352D) % 2**32
    x ^= x >> 15
    x = (x * 0x846CA68B) % 2**32
    assert lowbias32(np.array([1], np.uint32))[0] == x ^ (x >> 16)


def test_dropout_leaves_out_the_share_asked_for_and_keeps_the_mean():
    network = Network((300, 200, 2))
    inputs, hidden = dropout_masks(network, [0.2, 0.5], np.arange(1000), seed=7, number=3)
    for mask, rate in ((inputs, 0.2), (hidden, 0.5)):
        spread = np.sqrt(rate * (1 - rate))
        assert set(np.unique(mask)) == {0.0, 1 / (1 - rate)}
        # 4.5 standard deviations of a fair draw: for all units, for each row and for each unit
        left_out = mask == 0
        assert abs(left_out.mean() - rate) < 4.5 * spread / np.sqrt(mask.size)
        for axis in (0, 1):
            z = (left_out.mean(axis=axis) - rate) * np.sqrt(mask.shape[axis]) / spread
            assert np.abs(z).max() < 4.5
            assert abs(z.std() - 1) < 0.15


def test_dropout_masks_of_neighbours_are_unrelated():
    network = Network((64, 64, 2))
    rows = np.arange(2000)
    base = dropout_masks(network, [0.5, 0.5], rows, seed=7, number=3)
    others = {
        "layer": base[1],
        "row": dropout_masks(network, [0.5, 0.5], rows + 1, seed=7, number=3)[0],
        "epoch": dropout_masks(network, [0.5, 0.5], rows, seed=7, number=4)[0],
        "seed": dropout_masks(network, [0.5, 0.5], rows, seed=8, number=3)[0],
        "unit": np.roll(base[0], 1, axis=1),
    }
    for what, other in others.items():
        same = ((base[0] > 0) == (other > 0)).mean()
        assert abs(same - 0.5) < 4.5 * 0.5 / np.sqrt(other.size), what


def test_a_row_meets_the_same_masks_in_any_order_and_batch():
    rows = np.random.default_rng(2).permutation(50)
    whole = dropout_masks(NETWORK, [0.1, 0.5, 0.4], np.arange(50), seed=1, number=9)
    shuffled = dropout_masks(NETWORK, [0.1, 0.5, 0.4], rows, seed=1, number=9)
    for mask, of_rows in zip(whole, shuffled, strict=True):
        np.testing.assert_array_equal(of_rows, mask[rows])


def test_max_norm_holds_after_every_step_and_leaves_biases_alone(examples):
    X, Y = examples
    theta = 5 * random_theta(NETWORK)
    limited = theta.copy()
    limit_norms(NETWORK, limited, 0.8)
    for before, after in zip(blocks(NETWORK, theta), blocks(NETWORK, limited), strict=True):
        np.testing.assert_array_equal(after[0], before[0])
        np.testing.assert_allclose(np.linalg.norm(after[1:], axis=0), 0.8, rtol=1e-15)
    found = run(NETWORK, theta, X, Y, SGD(0.5), 3, batch_size=4, max_norm=0.8)
    for block in blocks(NETWORK, found):
        assert np.linalg.norm(block[1:], axis=0).max() <= 0.8 * (1 + 1e-15)


@pytest.mark.parametrize("rule", [SGD(0.1), Adam(0.01, decay=0.1)])
def test_float32_stays_float32_and_follows_float64(examples, rule):
    X, Y = examples
    options = {"batch_size": 6, "penalty": [0.01] * 3, "dropout": [0.1, 0.5, 0.0], "max_norm": 2.0}
    double = run(NETWORK, random_theta(NETWORK), X, Y, rule, 3, **options)
    single = run(
        NETWORK,
        random_theta(NETWORK, dtype=np.float32),
        X.astype(np.float32),
        Y.astype(np.float32),
        rule,
        3,
        **options,
    )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=0, atol=2e-5)


def test_a_batch_has_one_row_or_more(examples):
    X, Y = examples
    one_by_one = run(NETWORK, random_theta(NETWORK), X, Y, SGD(0.1, momentum=0.0), batch_size=1)
    theta = random_theta(NETWORK)
    for x, y in zip(X, Y, strict=True):
        theta -= 0.1 * cost_and_gradient(NETWORK, theta, x[None], y[None])[1]
    np.testing.assert_allclose(one_by_one, theta, rtol=1e-10)
    with pytest.raises(ValueError, match="batch_size must be a whole number >= 1, got 0"):
        Minibatches(batch_size=0)


@pytest.mark.parametrize("dropout", [1.0, -0.1, [0.5, 0.5], [0.0, 0.5, 1.0]])
def test_a_rate_of_dropout_is_less_than_1_and_there_is_one_for_each_layer(dropout):
    with pytest.raises(ValueError, match=r"dropout must be a rate in \[0, 1\)"):
        Minibatches(dropout=dropout).rates(NETWORK)
    assert Minibatches(dropout=0.0).rates(NETWORK) == [0.0, 0.0, 0.0]

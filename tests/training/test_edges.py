"""Numbers at the edge of what a dtype holds: the best finite theta is kept, and nothing warns."""

import warnings

import numpy as np
import pytest

from chainrule import Network, train
from chainrule.optimize import OPTIMIZERS, Result, Step, minimize
from chainrule.optimize.result import History
from chainrule.optimize.scipy import METHODS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
NETWORK = Network((3, 4, 1), hidden="relu", output="identity")
CLASSIFIER = Network((3, 4, 3), hidden="tanh", output="softmax")
Y = {NETWORK: X[:, :1], CLASSIFIER: np.eye(3)[np.arange(12) % 3]}
EVERY = [*OPTIMIZERS, *(f"scipy:{name}" for name in METHODS.values())]
OF_NUMBERS = [name for name in EVERY if name not in ("lm", "br")]


def trained(network=NETWORK, scale=1.0, **options):
    """Train with every warning an error, also those that NumPy hides unless asked."""
    with warnings.catch_warnings(), np.errstate(over="warn", invalid="warn", divide="warn"):
        warnings.simplefilter("error")
        return train(network, X * scale, Y[network], check=False, max_iter=15, seed=1, **options)


def is_sound(result, optimizer):
    """Whether the result is finite and no worse than the start, where that was finite."""
    first = result.history.J[0]
    if not np.isfinite(first):
        return result.stopped.startswith("diverged") and np.isfinite(result.theta).all()
    finite = np.isfinite(result.theta).all() and np.isfinite(result.J)
    return finite and (optimizer == "br" or first * (1 + 1e-5) >= result.J)


@pytest.mark.parametrize("optimizer", EVERY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_and_thetas_of_any_size_leave_a_sound_result(optimizer, dtype):
    for scale in (1e-300, 1e10, 1e19, 1e30, 3e37):
        result = trained(scale=scale, optimizer=optimizer, dtype=dtype)
        assert is_sound(result, optimizer), (scale, result)
    for size in (1e10, 1e20, 1e38):
        theta = np.random.default_rng(3).normal(size=NETWORK.size) * size
        result = trained(theta=theta, optimizer=optimizer, dtype=dtype)
        assert is_sound(result, optimizer), (size, result)


@pytest.mark.parametrize("optimizer", OF_NUMBERS)
@pytest.mark.parametrize("network", [NETWORK, CLASSIFIER])
def test_any_lam_and_any_weights_leave_a_sound_result(optimizer, network):
    for lam in (1e-300, 1e30, 3e38):
        result = trained(network, optimizer=optimizer, dtype="float32", lam=lam)
        assert is_sound(result, optimizer), (lam, result)
    for weight in (1e-30, 1e30):
        weights = np.full(12, weight)
        result = trained(network, optimizer=optimizer, dtype="float32", weights=weights)
        assert is_sound(result, optimizer), (weight, result)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"weights": np.full(12, 1e-300)}, "weights end at 1e-300"),
        ({"weights": np.full(12, 1e-300), "dtype": "float32"}, "float32 computes with weights"),
        ({"weights": np.full(12, 1e308)}, "weights end at 1e[+]308 and add up to inf"),
        ({"weights": np.full(12, 3e37), "dtype": "float32"}, "add up to 3.6e[+]38"),
        ({"weights": np.full(12, 1e39), "dtype": "float32"}, "weights has 1e[+]39"),
        ({"weights": np.full((12, 1), 1e-300)}, "weights end at 1e-300"),
        ({"lam": 1e39, "dtype": "float32"}, "lam has 1e[+]39, and float32 ends"),
        ({"lam": [0.0, 1e39], "dtype": "float32"}, "lam has 1e[+]39, and float32 ends"),
        ({"theta": np.arange(21) * 1e39, "dtype": "float32"}, "theta has 1e[+]39, and float32"),
    ],
)
def test_what_a_dtype_cannot_hold_is_refused_by_name(options, what):
    with pytest.raises(ValueError, match=what):
        trained(**options)


def test_weights_multiplied_with_lam_by_one_number_leave_J_as_it_is():
    one = trained(weights=np.full(12, 1.0), lam=0.5)
    other = trained(weights=np.full(12, 2.0**-20), lam=0.5 * 2.0**-20)
    assert pytest.approx(other.J, rel=1e-9) == one.J


@pytest.mark.parametrize("rate", [0.5, 3.0, 1e3, 1e30])
def test_a_training_in_minibatches_that_rises_keeps_the_start_and_says_so(rate):
    rule = {"optimizer": "sgd", "learning_rate": rate, "batch_size": 4}
    for epochs in (1, 2, 15):
        result = train(NETWORK, X * 10, Y[NETWORK], check=False, seed=1, max_iter=epochs, **rule)
        assert result.stopped.startswith("diverged: J ")
        assert "smaller learning_rate" in result.stopped
        assert result.history.J[0] == result.J
        assert not result.converged


def test_a_training_in_minibatches_a_little_above_its_start_keeps_it():
    best = train(NETWORK, X, Y[NETWORK], optimizer="lm", lam=0.1, max_iter=300)
    result = trained(optimizer="sgd", lam=0.1, theta=best.theta, learning_rate=0.05, batch_size=4)
    assert pytest.approx(best.J) == result.J
    assert result.stopped.endswith("this is the theta of the start, of the lowest J")
    np.testing.assert_array_equal(result.theta, best.theta)


def test_an_interrupted_divergence_keeps_the_start():
    told = []
    result = train(
        NETWORK, X * 10, Y[NETWORK], check=False, optimizer="sgd", learning_rate=0.5, batch_size=4,
        callback=told.append, stop=lambda: len(told) > 1,
    )  # fmt: skip
    assert result.interrupted
    assert result.history.J[0] == result.J


def bowl(theta):
    return float(theta @ theta), 2 * theta


@pytest.mark.parametrize("J", [np.nan, np.inf, 50.0, 1e46])
def test_a_minimizer_that_ends_where_J_is_higher_leaves_the_best_step(J):
    def lost(objective, theta, *, max_iter, callback):
        callback(Step(1, 4.0, 4.0, theta / 2, 2))
        return Result(theta * J, J, History(), 1, 2, "converged: so it says", True)

    result = minimize(bowl, np.array([2.0, 2.0]), lost)
    assert result.J == 4.0
    np.testing.assert_array_equal(result.theta, [1.0, 1.0])
    assert not result.converged
    assert result.stopped.endswith("this is the theta of iteration 1, of the lowest J")


def test_an_algorithm_of_ones_own_that_rises_leaves_the_best_step():
    def away(objective, start):
        for iteration, factor in enumerate([1.0, 0.5, 100.0, 1e5]):
            J, D = objective(start * factor)
            yield Step(iteration, J, float(np.linalg.norm(D)), start * factor, iteration + 1)

    result = minimize(bowl, np.array([2.0, 2.0]), away)
    assert result.J == 2.0
    assert result.stopped == (
        "diverged: J rose from 8 to 8e+10; this is the theta of iteration 1, of the lowest J"
    )


def test_an_algorithm_of_ones_own_that_is_lost_leaves_the_best_step():
    def lost(objective, start):
        yield Step(0, 8.0, 1.0, start, 1)
        yield Step(1, 2.0, 1.0, start / 2, 2)
        yield Step(2, 1.0, 1.0, start * np.nan, 3)
        yield Step(3, 0.0, 0.0, start * 0, 4)

    result = minimize(bowl, np.array([2.0, 2.0]), lost)
    assert (result.J, result.converged) == (2.0, False)
    assert result.stopped.startswith("diverged: J or theta is not finite in iteration 2")


def test_bayesian_regularisation_may_end_with_a_higher_J_of_another_lambda():
    y = X[:, :1] + 10 * RNG.normal(size=(12, 1))
    result = train(NETWORK, X, y, optimizer="br", lam=1e-6, check=False)
    assert result.state.lam > 1e-6
    np.testing.assert_array_equal(result.theta, result.state.theta)


def test_the_callback_has_numpys_warnings_as_they_were():
    heard = []
    with np.errstate(over="raise", under="print"):
        expected = np.geterr()
        train(NETWORK, X, Y[NETWORK], max_iter=1, callback=lambda step: heard.append(np.geterr()))
    assert heard == [expected, expected]


def test_a_network_so_flat_that_nothing_can_be_solved_ends_levenberg_marquardt():
    network = Network((3, 4, 1), hidden="sigmoid", output="identity")
    theta = np.random.default_rng(3).normal(size=network.size) * 1e10
    result = train(network, X, Y[NETWORK], theta=theta, optimizer="lm", check=False)
    assert np.isfinite(result.J)

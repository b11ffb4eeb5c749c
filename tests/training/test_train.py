"""train: what every optimizer shares (history, validation, how it ends), and minibatches."""

import dataclasses
import signal
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from chainrule import SGD, Adam, Network, cost_and_gradient, predict, random_theta, train
from chainrule.engine import summing
from chainrule.notes import backprop, minibatch
from chainrule.notes.activations import Activation
from chainrule.optimize import OPTIMIZERS, State

NETWORK = Network((4, 6, 2), hidden="tanh", output="sigmoid")
RULES = ["sgd", "adam", "adamw"]
WHOLE = ["lbfgs", "gd", "scipy:CG"]


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 4))
    return X, (X @ rng.normal(size=(4, 2)) + rng.normal(size=(120, 2)) > 0).astype(float)


@pytest.fixture(scope="module")
def validation():
    """Targets that have nothing to do with X: learning the training set soon does harm here."""
    rng = np.random.default_rng(4)
    return {"X_val": rng.normal(size=(60, 4)), "Y_val": rng.integers(0, 2, (60, 2))}


def mean_cost(theta, X, Y):
    return cost_and_gradient(NETWORK, theta, X, Y)[0]


# Minibatches


@pytest.mark.parametrize("optimizer", RULES)
def test_each_rule_lowers_J_and_tells_how(examples, optimizer):
    X, Y = examples
    result = train(
        NETWORK, X, Y, optimizer=optimizer, learning_rate=0.02, batch_size=16, max_iter=30, lam=0.1
    )
    J, _ = cost_and_gradient(NETWORK, random_theta(NETWORK), X, Y, 0.1)
    assert result.history.J[0] == pytest.approx(J, rel=1e-14)
    assert np.isnan(result.history.gradient_norm).all()
    assert pytest.approx(cost_and_gradient(NETWORK, result.theta, X, Y, 0.1)[0]) == result.J
    assert result.J < 0.6 * J
    assert (len(result.history), result.n_iter, result.n_eval) == (31, 30, 30 * 8)
    assert result.stopped.startswith("stopped at max_iter = 30")
    assert not result.converged


def test_a_batch_of_all_rows_and_plain_sgd_is_gradient_descent_by_hand(examples):
    X, Y = examples
    rule = SGD(0.5, momentum=0.0, nesterov=False)
    result = train(NETWORK, X, Y, optimizer=rule, batch_size=500, max_iter=5, lam=(0.3, 0.0))
    theta = random_theta(NETWORK)
    costs = []
    for _ in range(5):
        J, D = cost_and_gradient(NETWORK, theta, X, Y, lam=(0.3, 0.0))
        costs.append(J)
        theta = theta - 0.5 * D
    np.testing.assert_allclose(result.state.theta, theta, rtol=1e-12, atol=1e-15)
    # An epoch's J: the costs met on the way, and the penalty of the theta it ended at
    np.testing.assert_allclose(result.history.J[1:], costs, rtol=2e-3)


def test_going_on_from_the_state_is_as_if_there_had_been_no_pause(examples):
    X, Y = examples
    options = {
        "optimizer": "adam",
        "batch_size": 32,
        "dropout": 0.3,
        "max_norm": 2.0,
        "seed": 5,
        "lam": 0.1,
    }
    whole = train(NETWORK, X, Y, max_iter=7, **options)
    first = train(NETWORK, X, Y, max_iter=3, **options)
    second = train(NETWORK, X, Y, max_iter=4, state=first.state, **options)
    np.testing.assert_array_equal(second.state.theta, whole.state.theta)
    np.testing.assert_array_equal(second.state.slots, whole.state.slots)
    assert (second.state.epoch, second.state.steps) == (7, 28)
    assert first.history.J[1:] + second.history.J[1:] == whole.history.J[1:]


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_order(examples):
    X, Y = examples
    options = {"optimizer": "sgd", "batch_size": 32, "max_iter": 3, "theta": random_theta(NETWORK)}
    one, two, three = (train(NETWORK, X, Y, seed=seed, **options) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.theta, two.theta)
    assert not np.array_equal(one.theta, three.theta)


def test_shuffling_can_be_left_out(examples):
    X, Y = examples
    rule, theta = SGD(0.1, momentum=0.0), random_theta(NETWORK)
    result = train(NETWORK, X, Y, optimizer=rule, batch_size=50, max_iter=1, shuffle=False)
    for rows in (slice(50), slice(50, 100), slice(100, None)):
        theta = theta - 0.1 * cost_and_gradient(NETWORK, theta, X[rows], Y[rows])[1]
    np.testing.assert_allclose(result.theta, theta, rtol=1e-13)


def test_a_learning_rate_may_be_a_function_of_the_epoch(examples):
    X, Y = examples
    options = {"optimizer": "adam", "batch_size": 32}
    falling = train(
        NETWORK, X, Y, max_iter=2, learning_rate=lambda epoch: 0.1 / (1 + epoch), **options
    )
    first = train(NETWORK, X, Y, max_iter=1, learning_rate=0.1, **options)
    second = train(NETWORK, X, Y, max_iter=1, learning_rate=0.05, state=first.state, **options)
    np.testing.assert_array_equal(falling.state.theta, second.state.theta)


def test_penalty_by_batch_is_lambda_larger_by_the_number_of_batches(examples):
    """With equal batches m / w_b is the number of batches."""
    X, Y = examples
    options = {"optimizer": "sgd", "batch_size": 30, "max_iter": 4}
    ours = train(NETWORK, X, Y, lam=4.0, **options)
    theirs = train(NETWORK, X, Y, lam=1.0, penalty_by_batch=True, **options)
    np.testing.assert_allclose(ours.state.theta, theirs.state.theta, rtol=1e-12)


def test_dropout_of_one_number_spares_the_inputs(examples):
    X, Y = examples
    options = {"optimizer": "adam", "batch_size": 32, "max_iter": 2}
    one = train(NETWORK, X, Y, dropout=0.5, **options)
    both = train(NETWORK, X, Y, dropout=[0.0, 0.5], **options)
    neither = train(NETWORK, X, Y, **options)
    np.testing.assert_array_equal(one.theta, both.theta)
    assert not np.array_equal(one.theta, neither.theta)


def test_minibatches_end_where_J_has_not_fallen_for_patience_epochs(examples):
    X, Y = examples
    result = train(NETWORK, X, Y, optimizer=Adam(1e-9), batch_size=60, max_iter=100, patience=4)
    assert result.converged
    assert result.n_iter == 5
    assert "J has not fallen by a relative 0.0001 for 4 iterations" in result.stopped
    unending = train(NETWORK, X, Y, optimizer=Adam(1e-9), batch_size=60, max_iter=20, patience=None)
    assert unending.n_iter == 20


def test_a_divergence_keeps_the_last_finite_theta_and_says_what_to_do(examples):
    X, Y = examples
    network = Network((4, 6, 2), hidden="relu", output="identity")
    result = train(network, X * 100, Y, optimizer="sgd", learning_rate=10.0, batch_size=10)
    assert result.stopped.startswith("diverged: J is not finite in epoch 1;")
    assert "smaller learning_rate (now 10)" in result.stopped
    np.testing.assert_array_equal(result.theta, random_theta(network))
    assert np.isfinite(result.J)
    assert not result.converged


@pytest.mark.parametrize("optimizer", [*RULES, "lbfgs", "gd"])
def test_float32_stays_float32(examples, optimizer):
    X, Y = examples
    result = train(
        NETWORK, X, Y, optimizer=optimizer, dtype="float32", max_iter=3, weights=np.ones(120)
    )
    assert result.theta.dtype == np.float32
    assert not isinstance(result.state, State) or result.state.slots.dtype == np.float32
    double = train(NETWORK, X, Y, optimizer=optimizer, max_iter=3)
    assert pytest.approx(double.J, rel=1e-4) == result.J


# What every optimizer shares


@pytest.mark.parametrize("optimizer", [*WHOLE, "adam"])
def test_weight_2_is_the_row_twice(examples, optimizer):
    X, Y = examples
    weights = np.ones(120)
    weights[7] = 2.0
    twice = np.append(np.arange(120), 7)
    options = {"optimizer": optimizer, "max_iter": 5, "lam": 0.5, "shuffle": False, "check": False}
    one = train(NETWORK, X, Y, weights=weights, **options)
    two = train(NETWORK, X[twice], Y[twice], **options)
    np.testing.assert_allclose(one.history.J, two.history.J, rtol=1e-9)
    np.testing.assert_allclose(one.theta, two.theta, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("optimizer", [*WHOLE, "adam"])
def test_a_validation_set_ends_training_early_at_its_best_theta(examples, validation, optimizer):
    X, Y = examples
    options = {"learning_rate": 0.05} if optimizer in RULES else {}
    result = train(
        NETWORK, X, Y, optimizer=optimizer, max_iter=500, patience=5, **validation, **options
    )
    J_val = result.history.J_val
    assert len(J_val) == len(result.history.J)
    assert "stopped early: J_val has not fallen" in result.stopped
    assert not result.converged
    best = int(np.argmin(J_val))
    assert best >= result.n_iter - 6
    assert f"the theta of iteration {best}," in result.stopped
    found = mean_cost(result.theta, validation["X_val"], validation["Y_val"])
    assert found == pytest.approx(min(J_val), rel=1e-12)
    assert pytest.approx(mean_cost(result.theta, X, Y), rel=1e-12) == result.J


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_the_best_validated_theta_is_kept_at_max_iter_too(examples, validation, optimizer):
    X, Y = examples
    result = train(NETWORK, X, Y, optimizer=optimizer, max_iter=40, patience=None, **validation)
    assert result.n_iter == 40
    found = mean_cost(result.theta, validation["X_val"], validation["Y_val"])
    assert found == pytest.approx(min(result.history.J_val), rel=1e-12)


@pytest.mark.parametrize("optimizer", [*WHOLE, *RULES])
def test_a_callback_sees_each_iteration_and_may_end_it(examples, validation, optimizer):
    X, Y = examples
    seen = []

    def callback(step):
        seen.append(step)
        return step.iteration == 3

    result = train(NETWORK, X, Y, optimizer=optimizer, callback=callback, **validation)
    assert [step.iteration for step in seen] == [0, 1, 2, 3]
    assert [step.J_val for step in seen] == result.history.J_val
    assert [step.J for step in seen] == result.history.J
    assert all(step.state is not None for step in seen)
    assert result.stopped.startswith("stopped by the callback")


@pytest.mark.parametrize("optimizer", [*WHOLE, *RULES])
def test_an_interrupt_keeps_the_best_theta_so_far(examples, optimizer):
    X, Y = examples

    def callback(step):
        if step.iteration == 4:
            raise KeyboardInterrupt

    result = train(NETWORK, X, Y, optimizer=optimizer, callback=callback)
    assert result.stopped == "stopped: interrupted by Ctrl-C; this is the best theta so far"
    assert result.n_iter == 4
    assert pytest.approx(min(result.history.J[1:]), rel=1e-12) == result.J
    assert mean_cost(result.theta, X, Y) < result.history.J[0]
    assert not isinstance(result.state, State) or result.state.epoch == 4


def test_ctrl_c_within_the_first_epoch_keeps_what_it_had_got_to(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 4))
    Y = (X[:, :1] > 0).astype(float)
    network, calls, epoch = Network((4, 3, 1)), [], summing.epoch

    def interrupted(*arguments, **options):
        calls.append(len(arguments[4]))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return epoch(*arguments, **options)

    monkeypatch.setattr(summing, "epoch", interrupted)
    result = train(network, X, Y, optimizer="sgd", batch_size=2, max_iter=1)
    assert calls == [1000, 1000, 1000]  # rows: an epoch is cut into calls, to hear Ctrl-C soon
    assert result.stopped == "stopped: interrupted by Ctrl-C; this is the best theta so far"
    assert (result.n_iter, result.n_eval) == (0, 1000)
    assert cost_and_gradient(network, result.theta, X, Y)[0] < result.J < result.history.J[0]
    assert (result.state.epoch, result.state.steps) == (0, 0)


@pytest.mark.parametrize("optimizer", [*WHOLE, *RULES])
def test_max_time_ends_training(examples, optimizer):
    X, Y = examples
    result = train(NETWORK, X, Y, optimizer=optimizer, max_time=0.0)
    assert result.stopped == "stopped: max_time = 0 s is over; this is the best theta so far"
    np.testing.assert_array_equal(result.theta, random_theta(NETWORK))
    assert np.isfinite(result.J)
    if optimizer in RULES:
        result = train(NETWORK, X, Y, optimizer=optimizer, max_time=0.05, max_iter=10**9,
                       patience=None)  # fmt: skip
        assert result.n_iter > 0
        assert "max_time = 0.05 s" in result.stopped


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_the_engine_is_a_choice_and_all_that_it_changes_is_rounding(
    examples, validation, optimizer, monkeypatch
):
    X, Y = examples
    options = {"optimizer": optimizer, "max_iter": 3, "patience": None, "lam": 0.1, **validation}
    asked = []
    for name in ("accumulate", "epoch"):
        true = getattr(backprop if name == "accumulate" else minibatch, name)
        monkeypatch.setattr(
            backprop if name == "accumulate" else minibatch,
            name,
            lambda *args, true=true, name=name, **kw: asked.append(name) or true(*args, **kw),
        )
    reference = train(NETWORK, X, Y, engine="numpy", **options)
    assert "accumulate" in asked
    assert ("epoch" in asked) == (optimizer == "adam")
    default = train(NETWORK, X, Y, threads=2, **options)
    np.testing.assert_allclose(default.history.J, reference.history.J, rtol=1e-10)
    np.testing.assert_allclose(default.history.J_val, reference.history.J_val, rtol=1e-10)
    with pytest.raises(ValueError, match="unknown engine 'gpu'"):
        train(NETWORK, X, Y, engine="gpu")
    for threads in (0, 1.5, "2"):
        with pytest.raises(ValueError, match="threads must be a whole number >= 1"):
            train(NETWORK, X, Y, threads=threads)


def test_max_iter_0_returns_the_start(examples):
    X, Y = examples
    for optimizer in set(OPTIMIZERS) - {"lm", "br"}:  # these are for squared error
        result = train(NETWORK, X, Y, optimizer=optimizer, max_iter=0)
        np.testing.assert_array_equal(result.theta, random_theta(NETWORK))
        assert pytest.approx(mean_cost(result.theta, X, Y)) == result.J


# Bad input


@pytest.mark.parametrize(
    "option",
    [{"dropout": 0.5}, {"batch_size": 10}, {"learning_rate": 0.1}, {"max_norm": 1.0}],
)
@pytest.mark.parametrize("optimizer", WHOLE)
def test_what_is_for_minibatches_is_refused_elsewhere(examples, optimizer, option):
    (name,) = option
    with pytest.raises(ValueError, match=f"{name} is for minibatches, and optimizer='{optimizer}'"):
        train(NETWORK, *examples, optimizer=optimizer, **option)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number >= 1, got 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number >= 1, got 2.5"),
        ({"learning_rate": -0.1}, "learning_rate must be a number > 0, got -0.1"),
        ({"learning_rate": lambda epoch: 1.0 - epoch}, r"got 0\.0 for epoch 1"),
        ({"optimizer": SGD(float("nan"))}, "learning_rate must be a number > 0, got nan"),
        ({"dropout": 1.0}, r"dropout must be a rate in \[0, 1\) for all hidden layers, or 2"),
        ({"dropout": [0.1]}, r"dropout must be a rate .* layers 1 to 2; got \[0.1\]"),
        ({"max_norm": 0.0}, "max_norm must be a number > 0, got 0"),
        (
            {"weights": np.ones(3)},
            r"X has 120 rows: weights must have shape \(120,\), or \(120, 2\) with one",
        ),
        ({"weights": -np.ones(120)}, "weights must be >= 0, and not all 0; got -1 to -1"),
        ({"weights": np.full(120, np.nan)}, "weights has nan in position 0"),
        ({"X_val": [[1.0] * 4]}, "X_val and Y_val go together"),
        ({"X_val": [[1.0]], "Y_val": [[1, 0]]}, r"X_val and Y_val: X must have shape \(m, 4\)"),
        ({"lam": [1.0, 2.0, 3.0]}, "lam .lambda. must be one number, or 2, one for each Theta"),
        ({"lam": [1.0, -2.0]}, "lam .lambda. must be a finite number >= 0"),
        ({"patience": 0}, r"patience \(or None\) must be a whole number >= 1, got 0"),
        ({"patience": 2.5}, r"patience \(or None\) must be a whole number >= 1, got 2.5"),
        ({"max_iter": 2.5}, "max_iter must be a whole number >= 0, got 2.5"),
    ],
)
def test_bad_input_is_named(examples, options, message):
    options = {"optimizer": "adam"} | options
    with pytest.raises(ValueError, match=message):
        train(NETWORK, *examples, **options)


def test_a_state_of_something_else_is_refused(examples):
    state = train(NETWORK, *examples, optimizer="adam", max_iter=1).state
    with pytest.raises(ValueError, match="from another optimizer, network or dtype"):
        train(NETWORK, *examples, optimizer="sgd", state=state)
    with pytest.raises(ValueError, match="from another optimizer, network or dtype"):
        train(NETWORK, *examples, optimizer="adam", state=state, dtype="float32")
    with pytest.raises(ValueError, match="two places to start from"):
        train(NETWORK, *examples, optimizer="adam", state=state, theta=state.theta)
    with pytest.raises(ValueError, match="theta must have shape"):
        train(NETWORK, *examples, state=dataclasses.replace(state, theta=np.zeros(3)),
              optimizer="adam")  # fmt: skip


# Several random starts


def test_the_best_of_several_starts_is_the_one_that_training_alone_finds(examples):
    X, Y = examples
    options = {"optimizer": "lbfgs", "max_iter": 15, "lam": 0.1}
    best = train(NETWORK, X, Y, n_restarts=4, seed=10, **options)
    alone = [train(NETWORK, X, Y, seed=seed, **options) for seed in range(10, 14)]
    assert best.minima == [result.J for result in alone]
    assert min(best.minima) == best.J
    np.testing.assert_array_equal(best.theta, min(alone, key=lambda result: result.J).theta)


def test_validation_examples_choose_among_the_starts(examples, validation):
    options = {"optimizer": "cg", "max_iter": 15, **validation}
    best = train(NETWORK, *examples, n_restarts=3, **options)
    assert min(best.history.J_val) == min(best.minima)
    assert len(best.minima) == 3


def interrupted(examples):
    """Train from many starts until Ctrl-C, half a second later."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        options = {"optimizer": "adam", "max_iter": 10**9, "patience": None, "check": False}
        return train(NETWORK, *examples, n_restarts=100, **options)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_ctrl_c_keeps_the_best_of_several_starts(examples):
    best = interrupted(examples)
    assert best.interrupted
    assert not best.converged
    assert best.stopped.startswith("stopped: interrupted")
    assert 0 < len(best.minima) < 100  # of those that had begun
    assert np.nanmin(best.minima) == best.J
    assert best.n_iter > 0


def test_restarts_hear_ctrl_c_when_another_thread_gets_it(examples):
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        options = {"optimizer": "adam", "max_iter": 300_000, "patience": None, "check": False}
        best = train(NETWORK, *examples, n_restarts=2, **options)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGALRM, before)
        over.set()
        other.join()
    assert best.interrupted
    assert best.stopped.startswith("stopped: interrupted")


@pytest.mark.parametrize("most", [0, 1])
def test_starts_that_get_no_thread_are_trained_all_the_same(examples, monkeypatch, most):
    monkeypatch.setattr("chainrule.training.steps.available_threads", lambda: 3)
    options = {"max_iter": 15, "n_restarts": 4, "seed": 10}
    meant = train(NETWORK, *examples, **options)
    begun, start = [], threading.Thread.start

    def start_few(thread):
        if len(begun) == most:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_few)
    best = train(NETWORK, *examples, **options)
    assert len(begun) == most
    assert best.minima == meant.minima
    np.testing.assert_array_equal(best.theta, meant.theta)


def test_without_threads_ctrl_c_keeps_the_best_and_begins_no_other(examples, no_threads):
    best = interrupted(examples)
    assert best.interrupted
    assert best.stopped.startswith("stopped: interrupted")
    assert best.minima == [best.J]


def test_without_threads_a_start_that_fails_ends_them_all(examples, no_threads):
    class Rule(SGD):
        def init(self, theta):
            raise RuntimeError("out of ideas")

    with pytest.raises(RuntimeError, match="out of ideas"):
        train(NETWORK, *examples, n_restarts=50, optimizer=Rule(), max_iter=10**6)


def test_one_start_that_fails_ends_them_all(examples):
    class Rule(SGD):
        def init(self, theta):
            raise RuntimeError("out of ideas")

    with pytest.raises(RuntimeError, match="out of ideas"):
        train(NETWORK, *examples, n_restarts=50, optimizer=Rule(), max_iter=10**6)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"n_restarts": 0}, "n_restarts must be a whole number >= 1, got 0"),
        ({"n_restarts": 2, "callback": print}, "callback is for a single training"),
        ({"n_restarts": 2, "theta": np.zeros(3)}, "theta is for a single training"),
    ],
)
def test_what_restarts_cannot_take_is_named(examples, option, message):
    with pytest.raises(ValueError, match=message):
        train(NETWORK, *examples, **option)


def test_identical_hidden_units_are_refused_unless_forced():
    network = Network((2, 3, 1))
    X, Y = [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    with pytest.raises(ValueError, match="units 1 and 2 of layer 2 have the same weights in and"):
        train(network, X, Y, theta=np.zeros(network.size))
    forced = train(network, X, Y, theta=np.zeros(network.size), allow_symmetry=True, max_iter=5)
    units = forced.theta[:9].reshape(3, 3)
    np.testing.assert_array_equal(units, units[:, :1].repeat(3, axis=1))  # one unit, still


def test_codes_may_stand_in_a_column():
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 3
    network = Network.for_data(X, y[:, None])
    assert network == Network.for_data(X, y)
    column, row = (train(network, X, Y, max_iter=3).theta for Y in (y[:, None], y))
    np.testing.assert_array_equal(column, row)


def test_float32_names_what_is_beyond_its_range():
    X, y = np.ones((4, 2)), np.array([0, 1, 0, 1])
    X[2, 1] = -1e39
    with pytest.raises(ValueError, match=r"X has -1e\+39, and float32 ends at 3.4e\+38"):
        train(Network((2, 1)), X, y, dtype=np.float32)
    with pytest.raises(ValueError, match=r"X has -1e\+39, and float32 ends at 3.4e\+38"):
        predict(Network((2, 1)), np.zeros(3, np.float32), X)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_one_thread_is_one_for_numpys_blas_too(optimizer):
    counts = []

    def g(z):
        blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        counts.append(max(pool["num_threads"] for pool in blas))
        return np.tanh(z)

    network = Network((2, 3, 1), hidden=Activation("own", g, lambda a: 1 - a * a))
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    with threadpool_limits(2, user_api="blas"):
        theta = train(network, X, y, optimizer=optimizer, max_iter=2, threads=1).theta
        predict(network, theta, X, threads=1)
        cost_and_gradient(network, theta, X, y, threads=1)
    assert set(counts) == {1}

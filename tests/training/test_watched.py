"""Training that somebody watches, stops from outside, or goes on with."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from chainrule import Network, train
from chainrule.optimize import Iterate, State, minimize
from chainrule.optimize.scipy import METHODS

NETWORK = Network((4, 6, 2), hidden="tanh")
SQUARES = Network((4, 5, 1), hidden="tanh", output="identity")
ALL_ROWS = ["lbfgs", "cg", "scg", "newton-cg", "gd", "lm", "br"]
RULES = ["sgd", "adam", "adamw"]
SCIPY = [f"scipy:{name}" for name in METHODS.values()]


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 4))
    return X, (X @ rng.normal(size=(4, 2)) + rng.normal(size=(120, 2)) > 0).astype(float)


def network_and_targets(optimizer, Y):
    return (SQUARES, Y[:, :1]) if optimizer in ("lm", "br") else (NETWORK, Y)


# Steps


@pytest.mark.parametrize("optimizer", [*ALL_ROWS, *RULES, *SCIPY])
def test_every_optimizer_tells_the_start_and_where_it_could_go_on(examples, optimizer):
    X, Y = examples
    network, Y = network_and_targets(optimizer, Y)
    seen = []
    train(network, X, Y, optimizer=optimizer, max_iter=3, callback=seen.append)
    assert [step.iteration for step in seen] == list(range(len(seen)))
    kind = State if optimizer in RULES else Iterate
    assert all(isinstance(step.state, kind) for step in seen)
    for step in seen:
        np.testing.assert_array_equal(step.state.theta, step.theta)


@pytest.mark.parametrize("optimizer", [*ALL_ROWS, *RULES])
def test_numbers_go_on_after_a_resume(examples, optimizer):
    X, Y = examples
    network, Y = network_and_targets(optimizer, Y)
    whole, first, second = [], [], []
    options = {"optimizer": optimizer, "patience": None}
    train(network, X, Y, max_iter=6, callback=whole.append, **options)
    half = train(network, X, Y, max_iter=3, callback=first.append, **options)
    rest = train(network, X, Y, max_iter=3, state=half.state, callback=second.append, **options)
    told = [*first, *second[1:]]
    assert [step.iteration for step in told] == [step.iteration for step in whole]
    assert [step.n_eval for step in told] == [step.n_eval for step in whole]
    assert second[0].iteration == 3
    np.testing.assert_array_equal(told[-1].theta, whole[-1].theta)
    assert (rest.n_iter, half.n_eval + rest.n_eval) == (3, whole[-1].n_eval)


def test_minibatches_can_be_watched_within_an_epoch_without_changing_a_bit(examples):
    X, Y = examples
    options = {"optimizer": "adam", "batch_size": 16, "max_iter": 3, "dropout": 0.2}
    unwatched = train(NETWORK, X, Y, **options)
    for every in (1, 3, 8, 100):
        seen = []
        result = train(NETWORK, X, Y, every=every, callback=seen.append, **options)
        np.testing.assert_array_equal(result.theta, unwatched.theta)
        np.testing.assert_allclose(result.history.J, unwatched.history.J, rtol=1e-14)
        within = [(step.iteration, step.batch) for step in seen if step.batch]
        assert within == [(n, b) for n in range(3) for b in range(every, 8, every)]


@pytest.mark.parametrize("every", [1, 3])
def test_a_training_goes_on_from_within_an_epoch_bit_for_bit(examples, every):
    X, Y = examples
    options = {"optimizer": "adam", "batch_size": 16, "dropout": 0.2, "seed": 4}
    whole = train(NETWORK, X, Y, max_iter=3, **options)

    def leave(step):
        return step.iteration == 1 and step.batch == 2 * every

    seen = []
    cut = train(
        NETWORK, X, Y, max_iter=3, every=every, callback=lambda s: seen.append(s) or leave(s),
        **options,
    )  # fmt: skip
    assert cut.stopped == "stopped by the callback"
    within = seen[-1].state
    assert (within.epoch, within.batch, within.steps) == (1, 2 * every, 8 + 2 * every)
    rest = train(NETWORK, X, Y, max_iter=2, state=within, **options)
    np.testing.assert_array_equal(rest.state.theta, whole.state.theta)
    np.testing.assert_array_equal(rest.state.slots, whole.state.slots)
    np.testing.assert_allclose(rest.history.J[1:], whole.history.J[2:], rtol=1e-14)


# Ends


@pytest.mark.parametrize("optimizer", [*ALL_ROWS, *RULES, "scipy:CG", "scipy:L-BFGS-B"])
def test_an_exception_in_the_callback_hands_back_what_was_trained(examples, optimizer):
    X, Y = examples
    network, Y = network_and_targets(optimizer, Y)

    def fail(step):
        if step.iteration == 2:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full") as caught:
        train(network, X, Y, optimizer=optimizer, callback=fail, max_iter=50)
    result = caught.value.result
    assert result.stopped == "stopped: the callback raised an exception"
    assert (result.n_iter, len(result.history)) == (2, 3)
    assert min(result.history.J) <= result.J < result.history.J[0]
    assert np.isfinite(result.theta).all()


@pytest.mark.parametrize("engine", ["kernel", "numpy"])
@pytest.mark.parametrize("optimizer", [*ALL_ROWS, *RULES, "scipy:BFGS"])
def test_another_thread_may_stop_a_training(examples, optimizer, engine):
    X, Y = examples
    network, Y = network_and_targets(optimizer, Y)
    asked, begun = threading.Event(), threading.Event()

    def wait(step):
        begun.set()
        asked.wait(20)

    threading.Thread(target=lambda: begun.wait(20) and asked.set()).start()
    result = train(
        network, X, Y, optimizer=optimizer, engine=engine, max_iter=10**6, patience=None,
        stop=asked.is_set, callback=wait,
    )  # fmt: skip
    assert result.stopped == "stopped: asked to stop; this is the best theta so far"
    assert np.isfinite(result.J)
    assert result.n_iter == 0


def test_stop_is_heard_within_the_gradient_check(examples):
    X, Y = examples
    asked = iter([False] * 5)
    result = train(NETWORK, X, Y, stop=lambda: next(asked, True))
    assert result.stopped == "stopped: asked to stop; this is the best theta so far"
    assert (result.n_iter, result.n_eval, len(result.history)) == (0, 0, 0)
    assert np.isnan(result.J)


def test_restarts_can_be_stopped_too(examples):
    X, Y = examples
    result = train(NETWORK, X, Y, n_restarts=3, max_iter=10**6, check=False, stop=lambda: True)
    assert result.stopped.startswith("stopped: asked to stop")


# What goes on with another J, and one's own rules


def test_a_state_of_a_training_with_another_J_is_refused(examples):
    X, Y = examples
    state = train(NETWORK, X, Y, lam=0.1, max_iter=5).state
    with pytest.raises(ValueError, match=r"another J, .* start anew from theta=state\.theta"):
        train(NETWORK, X, Y, lam=5.0, state=state)
    with pytest.raises(ValueError, match="another J"):
        train(NETWORK, X[:60], Y[:60], lam=0.1, state=state)
    assert train(NETWORK, X, Y, lam=0.1, state=state, engine="numpy", max_iter=3).n_iter == 3


@dataclass(frozen=True)
class RMSprop:
    learning_rate: float = 0.01

    def init(self, theta):
        return np.zeros((1, len(theta)), theta.dtype)

    def update(self, theta, D, state, t):
        (v,) = state
        v *= 0.9
        v += 0.1 * D * D
        theta -= self.learning_rate * D / (np.sqrt(v) + 1e-8)


class Plain:
    """A rule with nothing but init and update."""

    def init(self, theta):
        return np.zeros((0, len(theta)), theta.dtype)

    def update(self, theta, D, state, t):
        theta -= 0.1 * D


@pytest.mark.parametrize("rule", [RMSprop(), Plain()])
def test_a_rule_of_ones_own_trains(examples, rule):
    X, Y = examples
    result = train(NETWORK, X, Y, optimizer=rule, batch_size=16, max_iter=20)
    assert result.history.J[-1] < 0.9 * result.history.J[0]
    assert isinstance(result.state, State)
    half = train(NETWORK, X, Y, optimizer=rule, batch_size=16, max_iter=10)
    rest = train(NETWORK, X, Y, optimizer=rule, batch_size=16, max_iter=10, state=half.state)
    np.testing.assert_array_equal(rest.state.theta, result.state.theta)


def test_the_learning_rate_of_ones_own_rule_is_set_where_it_can_be(examples):
    X, Y = examples
    options = {"batch_size": 16, "max_iter": 2}
    one = train(NETWORK, X, Y, optimizer=RMSprop(0.02), **options)
    two = train(NETWORK, X, Y, optimizer=RMSprop(), learning_rate=0.02, **options)
    np.testing.assert_array_equal(one.theta, two.theta)
    with pytest.raises(ValueError, match="make it a dataclass with a field"):
        train(NETWORK, X, Y, optimizer=Plain(), learning_rate=0.02, **options)
    with pytest.raises(ValueError, match="the kernel knows the rules SGD and Adam"):
        train(NETWORK, X, Y, optimizer=RMSprop(), engine="kernel", **options)


def test_an_algorithm_of_ones_own_is_a_generator_of_steps(examples):
    X, Y = examples

    def signs(objective, start):
        from chainrule import Step

        theta, rate, iteration = start, 0.1, 0
        while True:
            J, D = objective(theta)
            now = Iterate(theta, J, D, iteration + 1, iteration)
            yield Step(iteration, J, float(np.linalg.norm(D)), theta, iteration + 1, state=now)
            theta, rate, iteration = theta - rate * np.sign(D), rate * 0.9, iteration + 1

    result = train(NETWORK, X, Y, optimizer=signs, max_iter=20)
    assert result.n_iter == 20
    assert result.history.J[-1] < result.history.J[0]


def test_minimize_takes_any_function_and_every_optimizer_over_all_rows():
    def bowl(theta):
        return float(theta @ theta), 2 * theta

    for name in ("lbfgs", "cg", "scg", "newton-cg", "gd", *SCIPY):
        assert minimize(bowl, np.array([3.0, 4.0]), name).J < 1e-8
    half = minimize(bowl, np.array([3.0, 4.0]), "gd", max_iter=0)
    assert minimize(bowl, None, "gd", state=half.state).J < 1e-12
    with pytest.raises(ValueError, match="keeps its state to itself"):
        minimize(bowl, None, "scipy:CG", state=half.state)


# Ends that are hard to get right


@pytest.mark.parametrize("how", ["max_time", "stop"])
def test_the_last_J_of_a_training_that_is_over_is_computed(examples, how):
    X, Y = examples
    over = threading.Event()
    limits = {"max_time": 1e-6} if how == "max_time" else {"stop": over.is_set}

    def last(step):
        if step.iteration == 3:
            over.set()

    result = train(
        NETWORK, X, Y, optimizer="adam", max_iter=3, callback=last, check=False, **limits
    )
    assert np.isfinite(result.J)


def test_blas_is_given_back_whoever_ends_first(examples):
    from threadpoolctl import threadpool_info

    X, Y = examples

    def threads():
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]

    train(SQUARES, X, Y[:, :1], optimizer="lm", max_iter=1)  # BLAS is loaded
    before = threads()
    first_began, second_began, first_over = (threading.Event() for _ in range(3))

    def first(step):
        first_began.set()
        second_began.wait(20)

    def second(step):
        second_began.set()
        first_over.wait(20)

    def run(callback, over=None):
        train(SQUARES, X, Y[:, :1], optimizer="lm", max_iter=2, callback=callback, check=False)
        if over is not None:
            over.set()

    one = threading.Thread(target=run, args=(first, first_over))
    one.start()
    first_began.wait(20)
    two = threading.Thread(target=run, args=(second,))
    two.start()
    one.join(30)
    two.join(30)
    assert threads() == before


@pytest.mark.parametrize("optimizer", ["lm", "br", "lbfgs"])
def test_a_float32_training_near_J_0_goes_on(optimizer):
    X = np.linspace(0, 1, 20)[:, None]
    y = np.sin(6 * X)
    network = Network((1, 5, 1), hidden="tanh", output="identity")
    options = {"optimizer": optimizer, "dtype": "float32"}
    half = train(network, X, y, max_iter=60, **options)
    rest = train(network, X, y, max_iter=1, state=half.state, **options)
    assert rest.history.J[0] == half.history.J[-1]


def test_a_training_that_stops_at_once_keeps_the_state_that_it_was_given(examples):
    X, Y = examples
    for optimizer in ("lbfgs", "adam"):
        state = train(NETWORK, X, Y, optimizer=optimizer, max_iter=3).state
        result = train(NETWORK, X, Y, optimizer=optimizer, state=state, stop=lambda: True)
        assert result.state is state
        assert result.interrupted


def test_an_algorithm_of_ones_own_may_end_and_need_not_have_a_state(examples):
    from itertools import islice

    from chainrule import Step
    from chainrule.optimize import lbfgs

    X, Y = examples

    def ends(objective, start):
        J, _ = objective(start)
        yield Step(0, J, 0.0, start, 1)

    assert train(NETWORK, X, Y, optimizer=ends).stopped.startswith("converged")

    def three(objective, start):
        return islice(lbfgs.steps(objective, start), 3)

    result = train(NETWORK, X, Y, optimizer=three)
    assert result.stopped == "stopped: the algorithm makes no more steps"
    assert result.n_iter == 2


@pytest.mark.parametrize("every", [0, -1, 1.5])
def test_every_must_be_a_number_of_batches(examples, every):
    X, Y = examples
    with pytest.raises(ValueError, match="every must be a whole number of batches >= 1"):
        train(NETWORK, X, Y, optimizer="adam", every=every)


def test_a_state_of_another_dtype_is_refused(examples):
    X, Y = examples
    for optimizer in ("lbfgs", "adam"):
        state = train(NETWORK, X, Y, optimizer=optimizer, max_iter=2, dtype="float32").state
        with pytest.raises(ValueError, match="its theta is float32, this training computes in"):
            train(NETWORK, X, Y, optimizer=optimizer, state=state)


def test_batches_are_counted_on_from_within_the_first_epoch(examples):
    X, Y = examples
    options = {"optimizer": "sgd", "batch_size": 30}
    seen = []
    train(NETWORK, X, Y, every=1, max_iter=1, callback=seen.append, **options)
    within = seen[2].state
    assert (within.epoch, within.batch) == (0, 2)
    assert train(NETWORK, X, Y, state=within, max_iter=1, **options).n_eval == 2


def test_a_stop_that_uses_the_kernel_itself_is_heard(examples):
    from chainrule import predict

    X, Y = examples
    big = np.tile(X, (2000, 1))
    theta, calls = np.zeros(NETWORK.size), []

    def stop():
        calls.append(predict(NETWORK, theta, big)[0, 0])
        return len(calls) > 3

    assert train(NETWORK, X, Y, max_iter=10**6, stop=stop).interrupted


def test_minimize_says_what_it_cannot_take():
    def bowl(theta):
        return float(theta @ theta), 2 * theta

    assert minimize(bowl, [3.0, 4.0]).J < 1e-12
    with pytest.raises(ValueError, match="nothing to start from"):
        minimize(bowl, None)
    with pytest.raises(ValueError, match="a rule over minibatches"):
        minimize(bowl, [3.0, 4.0], "adam")
    with pytest.raises(ValueError, match=r"an object: Plain\(\), not its class"):
        minimize(bowl, [3.0, 4.0], Plain)

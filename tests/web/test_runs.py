"""Trainings behind the page: the same bits as the library's, however often they pause."""

import re
import threading

import numpy as np
import pytest

from chainrule import train
from chainrule.web import runs as module
from chainrule.web.problems import Problem, Problems
from chainrule.web.runs import OVER, PAUSED, TRAINING, Runs
from chainrule.workbench.pipeline import run as in_one_go
from chainrule.workbench.request import Request

DIGITS = {"hidden": (8,), "lam": 0.5}
PATIENCE = 60  # seconds


class Quiet:
    step = note = iteration = lambda *said, **more: None


@pytest.fixture(scope="module")
def digits():
    return Problems().problem({"data": "digits"}).data


@pytest.fixture
def runs():
    made = Runs()
    yield made
    made.end()


def until(holds):
    """Wait until something holds."""
    waited = threading.Event()
    for _ in range(100 * PATIENCE):
        if holds():
            return
        waited.wait(0.01)
    raise AssertionError("it never happened")


def ended(run):
    run.thread.join(PATIENCE)
    assert run.state == OVER
    if run.trouble is not None:
        raise run.trouble
    return run


def started(runs, digits, **options):
    return begun(runs, digits, Request("digits", **(DIGITS | options)))[0]


def begun(runs, digits, *requests, zero=False):
    return runs.start(Problem("digits", requests[0], digits, zero), requests)


def same(run, outcome):
    """Tell whether a run came to the bits that an undisturbed one does."""
    return (
        run.history == outcome.result.history
        and np.array_equal(run.result.theta, outcome.result.theta)
        and run.result.stopped == outcome.result.stopped
    )


def test_a_run_is_the_library_s_training_to_the_bit(runs, digits):
    run = ended(started(runs, digits, max_iter=30, seed=3))
    outcome = in_one_go(Request("digits", **DIGITS, max_iter=30, seed=3), Quiet())
    assert same(run, outcome)
    prepared = run.prepared
    alone = train(prepared.plan.network, *prepared.trained_on, lam=0.5, max_iter=30, seed=3)
    assert alone.history == run.history
    seventeen = train(prepared.plan.network, *prepared.trained_on, lam=0.5, max_iter=17, seed=3)
    np.testing.assert_array_equal(run.theta(17), seventeen.theta)
    assert sorted(run.thetas) == list(range(31))
    assert len(run.seconds) == len(run.n_eval) == len(run) == 31


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "lbfgs"},
        {"optimizer": "scg"},
        {"optimizer": "adam", "batch_size": 50, "dropout": 0.2, "patience": 4},
        {"optimizer": "sgd", "learning_rate": 0.5, "validation": 0.2, "patience": 3},
    ],
    ids=lambda options: options["optimizer"],
)
def test_pause_resume_and_more_iterations_change_no_bit(runs, digits, options):
    with runs._changed:  # so that it pauses before its first iteration
        run = started(runs, digits, max_iter=9, **options)
        runs.pause([run])
    until(lambda: run.state == PAUSED)
    for iterations, at in ((1, 0), (1, 1), (3, 4)):
        runs.resume([run], iterations)
        until(lambda at=at: run.state == PAUSED and len(run) == at + 1)
    runs.resume([run])
    ended(run)
    runs.more(run, 100)
    ended(run)
    whole = in_one_go(Request("digits", **DIGITS, max_iter=109, **options), Quiet())
    assert same(run, whole)
    np.testing.assert_array_equal(run.theta(run.taken), whole.result.theta)


def test_one_that_was_stopped_goes_on_too(runs, digits):
    run = started(runs, digits, max_iter=100_000, optimizer="adam")
    until(lambda: len(run) > 3)
    runs.stop([run])
    ended(run)
    done = len(run) - 1
    assert "asked to stop" in run.result.stopped
    runs.more(run, 5)
    ended(run)
    whole = in_one_go(Request("digits", **DIGITS, max_iter=done + 5, optimizer="adam"), Quiet())
    assert same(run, whole)


def test_one_is_at_work_and_the_others_pause(runs, digits):
    first = started(runs, digits, max_iter=100_000, optimizer="adam")
    until(lambda: len(first) > 1)
    second = started(runs, digits, max_iter=100_000, optimizer="adam", seed=1)
    until(lambda: first.state == PAUSED and len(second) > 1)
    runs.resume([first])
    until(lambda: second.state == PAUSED and first.state == TRAINING)
    runs.stop([first, second])
    assert ended(first).result.interrupted
    assert ended(second).result.interrupted


def test_several_optimizers_run_one_after_another_from_one_start(runs, digits):
    requests = [Request("digits", **DIGITS, max_iter=4, optimizer=name) for name in ("cg", "gd")]
    one, other = begun(runs, digits, *requests)
    ended(other)
    assert one.state == OVER
    np.testing.assert_array_equal(one.theta(0), other.theta(0))
    assert one.history.J[0] == other.history.J[0]


def test_a_ninth_run_drops_the_oldest(runs, digits):
    first = started(runs, digits, max_iter=100_000, optimizer="adam")
    for seed in range(8):
        started(runs, digits, max_iter=0, seed=seed)
    assert len(runs.kept) == 8
    assert re.fullmatch(
        r"run 1 \(digits, (64-8-10, )?adam, .* iterations?\) was dropped: the last 8 are kept",
        runs.said,
    )
    until(lambda: first.state == OVER)
    with pytest.raises(ValueError, match="run 1 is not there"):
        runs.run(first.id)


def test_where_thetas_need_too_much_memory_every_second_goes(runs, digits, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 10 * 610 * 8)
    run = ended(started(runs, digits, max_iter=31))
    assert run.stride == 4
    assert list(run.thetas) == [0, 4, 8, 12, 16, 20, 24, 28, 31]
    with pytest.raises(ValueError, match="after iteration 17 is not there: those after 16 and 20"):
        run.theta(17)


def test_a_divergence_is_told_and_the_best_theta_is_kept(runs, digits):
    run = ended(
        started(runs, digits, hidden=(), lam=0.0, optimizer="sgd", learning_rate=1e308, max_iter=9)
    )
    assert run.report.why.startswith("diverged")
    assert run.report.suggestion == "a smaller learning rate"
    assert np.isfinite(run.result.theta).all()


def test_zeros_as_a_start_leave_all_hidden_units_the_same(runs, digits):
    [run] = begun(runs, digits, Request("digits", **DIGITS, max_iter=20), zero=True)
    ended(run)
    Theta1 = run.result.theta[: 8 * 65].reshape(65, 8)
    np.testing.assert_array_equal(Theta1, Theta1[:, :1] * np.ones(8))


def test_the_end_stops_all_and_names_what_nobody_saved(digits):
    runs = Runs()
    waiting = [started(runs, digits, max_iter=100_000, optimizer="adam") for _ in range(2)]
    until(lambda: len(waiting[1]) > 1)
    done = ended(started(runs, digits, max_iter=1))
    done.saved = True
    assert waiting[1] in runs.end()
    assert done not in runs.end()
    assert not any(run.thread.is_alive() for run in waiting)


def test_what_cannot_be_trained_ends_with_its_trouble(runs, digits):
    run = started(runs, digits, optimizer="lm")
    until(lambda: run.state == OVER)
    assert "fits numbers, and the target has classes" in str(run.trouble)


def test_a_minimizer_of_scipy_is_trained_with_and_cannot_go_on(runs, digits):
    run = ended(started(runs, digits, optimizer="scipy:CG", max_iter=3))
    outcome = in_one_go(Request("digits", optimizer="scipy:CG", max_iter=3, **DIGITS), Quiet())
    np.testing.assert_array_equal(run.result.theta, outcome.result.theta)
    with pytest.raises(ValueError, match="cannot go on"):
        runs.more(run, 1)

"""A training for any face: what is told, what comes of it, and what is left alone."""

import io
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from recording import Recording

from chainrule import train
from chainrule.common.checks import DataError
from chainrule.common.types import Stopped
from chainrule.evaluation.selection import Choice
from chainrule.notes.network import Network
from chainrule.workbench.pipeline import _at_the_edge, first_five, loaded, minimised, prepare, run
from chainrule.workbench.request import Request
from chainrule.workbench.telling import SIX_STEPS

QUICK = {"hidden": (8,), "max_iter": 5}


@pytest.fixture
def tell():
    return Recording()


def noise(m=60, classes=True):
    """Return a csv stream of two inputs and a target."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(m, 2))
    y = [("big" if row.sum() > 0 else "small") if classes else f"{row.sum():.3f}" for row in X]
    rows = "\n".join(f"{a},{b},{value}" for (a, b), value in zip(X, y, strict=True))
    return io.BytesIO(f"a,b,kind\n{rows}\n".encode())


def test_all_that_a_page_needs_comes_back_and_no_file_is_written(tell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request = Request("digits", **QUICK, seed=3)
    outcome = run(request, tell)
    assert outcome.request is request
    assert (len(outcome.training), len(outcome.held_out)) == (1438, 359)
    assert outcome.model.network.layers == (64, 8, 10)
    np.testing.assert_array_equal(outcome.model.theta, outcome.result.theta)
    assert outcome.check.ok
    assert outcome.evaluations["held out"].accuracy > 0.3
    assert os.listdir() == []


def test_the_six_steps_the_iterations_and_the_data_are_told(tell):
    outcome = run(Request("digits", **QUICK), tell)
    assert (
        [number for number, _ in tell.steps]
        == [1, 2, 3, 4, 5, 6]
        == [number for number, _ in enumerate(SIX_STEPS, start=1)]
    )
    assert tell.steps[0][1] == "theta has 610 weights, drawn with seed 0"
    assert tell.headings == ["digits: 1,797 examples, 64 inputs, 10 classes"]
    assert tell.notes[-2] == "training on 1,438 examples, held out: 359"
    assert tell.notes[-1].endswith("; stopped after the 5 iterations of --max-iter")
    assert [iteration for iteration, _, _ in tell.iterations] == [0, 1, 2, 3, 4, 5]
    assert tell.iterations[-1][1:] == (outcome.result.J, 5)


def test_the_network_is_the_one_that_train_gives(tell):
    outcome = run(Request("digits", **QUICK, lam=0.5, seed=2), tell)
    X, Y = outcome.training.X, outcome.training.Y
    result = train(outcome.model.network, X, Y, lam=0.5, seed=2, max_iter=5)
    np.testing.assert_array_equal(outcome.result.theta, result.theta)


def test_a_choice_by_cross_validation_is_told_line_by_line(tell):
    outcome = run(Request(noise(), cv=True, lam=0.1, max_iter=3), tell)
    units = [choice.network.layers[1] for choice in outcome.plan.choices]
    assert units[:3] == [10, 25, 50]
    assert tell.headings[-1] == "cross-validation in 3 folds"
    start = tell.notes.index("hidden units     lam  accuracy")
    told = [line.split()[0] for line in tell.notes[start + 1 : start + len(units) + 2]]
    assert told == [*map(str, units), "best:"]
    assert outcome.model.network == outcome.plan.network


def test_another_thread_can_stop_a_training_and_gets_the_best_theta_so_far(tell):
    stopped, outcomes = threading.Event(), []
    tell.iteration = lambda step, max_iter: stopped.set() if step.iteration == 3 else None
    request = Request("digits", hidden=(8,), max_iter=10**6, optimizer="gd")
    thread = threading.Thread(target=lambda: outcomes.append(run(request, tell, stopped.is_set)))
    thread.start()
    thread.join(60)
    assert "asked to stop; this is the best theta so far" in outcomes[0].result.stopped
    assert outcomes[0].evaluations["trained on"].accuracy > 0


@pytest.mark.parametrize("cv", [False, True])
def test_a_run_that_is_stopped_before_the_training_hands_nothing_back(tell, cv):
    with pytest.raises(Stopped):
        run(Request(noise(), cv=cv, max_iter=3), tell, lambda: True)
    assert tell.steps == []


def test_the_gradient_check_can_be_stopped_too(tell):
    def stop():
        return len(tell.steps) == 4

    with pytest.raises(Stopped, match="before the training began"):
        run(Request(noise(), **QUICK), tell, stop)


def test_the_model_says_where_it_came_from(tell):
    outcome = run(Request(noise(classes=False), optimizer="br", max_iter=10), tell)
    origin = outcome.model.provenance
    assert origin.source == "<stream>"
    assert dict(origin.options) == {
        "optimizer": "br", "max_iter": 10, "lam": outcome.lam, "test_size": None, "max_time": None,
    }  # fmt: skip
    assert outcome.lam == outcome.result.state.lam != 1.0


def test_what_does_not_fit_is_one_line(tell):
    with pytest.raises(ValueError, match="did you mean 'lbfgs'"):
        run(Request("absent.csv", optimizer="lbfg"), tell)
    with pytest.raises(DataError, match="drop='kind' is the target"):
        run(Request(noise(), target="kind", drop=("kind",)), tell)
    with pytest.raises(ValueError, match="--output identity predicts numbers"):
        run(Request(noise(), output="identity"), tell)
    with pytest.raises(DataError, match="a recipe needs square pictures"):
        run(Request(noise(), recipe="plain"), tell)


def test_neither_the_pipeline_nor_its_pictures_know_a_terminal():
    program = (
        "import sys, chainrule.workbench.pipeline, chainrule.workbench.picture\n"
        "sys.exit(any(name.split('.')[0] in ('rich', 'typer') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_the_pipeline_prints_nothing(tell, capfd):
    run(Request(noise(), **QUICK), tell)
    assert capfd.readouterr() == ("", "")


def test_a_lambda_at_the_edge_of_those_tried_is_said():
    network = Network((1, 2, 1))
    choices = [Choice(network, lam, score) for lam, score in ((0.1, 0.5), (1.0, 0.7), (10.0, 0.6))]
    assert _at_the_edge(choices[1], choices) == _at_the_edge(choices[0], choices[:1]) == ""
    end = _at_the_edge(choices[2], choices)
    assert end == ", the largest of those tried: --lam 100 may do better"
    assert "smallest of those tried: --lam 0.01" in _at_the_edge(choices[0], choices)


def test_what_ended_a_training_is_said_in_the_command_s_words(tell):
    run(Request(noise(), lam=0.0, max_iter=2), tell)
    assert tell.notes[-1].endswith("; stopped after the 2 iterations of --max-iter")
    run(Request(noise(), lam=0.0, max_iter=2, check=False), tell)
    assert tell.steps[-2] == (5, "not checked, as --no-check asks")


def test_lambda_is_chosen_for_tables_where_nobody_did(tell):
    outcome = run(Request(noise(300), max_iter=30), tell)
    assert tell.headings[1] == "cross-validation in 3 folds, for lambda (--lam sets it)"
    assert f"best: 25 hidden units, lam = {outcome.lam:g}" in " ".join(tell.notes)
    best = max(outcome.plan.choices, key=lambda choice: choice.score)
    assert (best.lam, best.network) == (outcome.lam, outcome.model.network)
    for request in (Request(noise(), lam=1.0, max_iter=3), Request("digits", **QUICK)):
        assert run(request, tell).plan.choices == ()


def test_validation_rows_are_no_training_rows(tell):
    outcome = run(Request(noise(200), validation=0.25, patience=3, lam=0.0, max_iter=200), tell)
    assert "J_val is watched on 40 of the training examples" in tell.notes
    assert len(outcome.result.history.J_val) == len(outcome.result.history)
    assert "of the lowest J_val" in outcome.result.stopped


def test_the_options_of_minibatches_reach_the_training(tell):
    asked = {"optimizer": "adam", "batch_size": 7, "learning_rate": 0.1, "dropout": 0.25}
    outcome = run(Request(noise(), lam=0.0, max_iter=2, **asked), tell)
    assert asked.items() <= outcome.model.provenance.options.items()
    assert outcome.result.n_eval == 2 * 7  # batches of 7 among 48 rows


def test_what_was_prepared_is_what_the_network_sees(tell):
    request = Request(noise(), lam=0.0, validation=0.25, test_size=0.2)
    prepared = prepare(request, loaded(request), tell)
    sizes = [len(X) for X, _ in (prepared.trained_on, prepared.validation, prepared.test)]
    assert sizes == [36, 12, 12]
    seen = np.concatenate([prepared.trained_on[0], prepared.validation[0]])
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-12)
    model = prepared.model(np.zeros(prepared.plan.network.size), 0.5, 0.6, "after iteration 3")
    np.testing.assert_array_equal(model.predict(prepared.held_out.X), np.full((12, 1), 0.5))
    assert (model.provenance.J, model.provenance.options["lam"]) == (0.6, 0.5)


def test_a_theta_that_is_given_is_where_it_starts(tell):
    request = Request(noise(), lam=0.0, max_iter=3)
    prepared = prepare(request, loaded(request), tell)
    started = first_five(prepared, tell, theta=np.zeros(prepared.plan.network.size))
    assert tell.steps[0] == (1, "theta has 101 weights, all 0")
    outcome = minimised(prepared, started, tell)
    assert outcome.result.history.J[0] == pytest.approx(np.log(2))


def test_the_number_of_threads_leaves_no_trace_in_the_model(tell):
    one, other = (
        run(Request("digits", **QUICK, threads=threads), tell).model.provenance
        for threads in (None, 1)
    )
    assert one.options == other.options


def test_several_starts_keep_the_best(tell):
    outcome = run(Request(noise(), lam=0.0, max_iter=5, n_restarts=3, threads=1), tell)
    assert len(outcome.result.minima) == 3
    assert min(outcome.result.minima) == outcome.result.J


def test_a_training_that_diverged_is_said_so(tell):
    request = Request(noise(classes=False), optimizer="sgd", learning_rate=2.0, lam=0.0, max_iter=4)
    outcome = run(request, tell)
    assert "diverged: J rose from" in tell.notes[-1]
    assert "a smaller learning_rate" in tell.notes[-1]
    assert outcome.result.history.J[0] == outcome.result.J  # of the start, the best there is


def test_lambda_of_a_few_rows_does_not_flatten_them(tell):
    rows = "".join(f"{i},{i * i / 10}\n" for i in range(12))
    outcome = run(Request(io.BytesIO(f"x,y\n{rows}".encode()), test_size=0), tell)
    assert outcome.lam == 0.01
    assert outcome.evaluations["trained on"].r2 > 0.95


def test_what_the_data_do_not_allow_is_refused_before_anything_is_told(tell):
    for asked in (
        {"output": "identity"},
        {"optimizer": "lm"},
        {"recipe": "plain"},
        {"validation": 0},
    ):
        with pytest.raises(ValueError, match=r"--|recipe"):
            run(Request(noise(), **asked), tell)
    assert tell.headings == tell.notes == tell.steps == []

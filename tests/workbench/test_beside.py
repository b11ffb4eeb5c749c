"""What a score is compared with, and what is said where it compares badly."""

import io

import numpy as np
import pytest

from chainrule.evaluation.scores import Evaluation
from chainrule.workbench.beside import advice, comparisons, surely_better
from chainrule.workbench.pipeline import run
from chainrule.workbench.request import Request

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 6))
NOISE = RNG.normal(size=200)


class Silence:
    """A Telling that says nothing."""

    def step(self, *said): ...
    def note(self, *said, **more): ...
    def iteration(self, *said): ...


def outcome_of(y, **asked):
    y = np.reshape(y, (len(X), -1))
    rows = [",".join(map(str, (*x, *values))) for x, values in zip(X, y, strict=True)]
    names = ["a,b,c,d,e,f,y", "z"][: y.shape[1]]
    source = io.BytesIO("\n".join([",".join(names), *rows]).encode())
    return run(Request(source, check=False, **asked), Silence())


def test_a_linear_target_is_found_by_the_linear_model():
    outcome = outcome_of(X @ [1, 2, 3, 0, 0, 0] + 50, max_iter=5, lam=1.0)
    beside = comparisons(outcome)
    assert beside["a linear model"].r2 > 0.999
    (mean,) = [name for name in beside if name.startswith("always")]
    assert float(mean.split()[1]) == pytest.approx(outcome.training.Y.mean(), rel=1e-3)
    assert beside[mean].r2 < 0.01


def test_the_commonest_class_is_the_one_of_training():
    outcome = outcome_of(np.where(NOISE > -1, "many", "few"), max_iter=5, lam=1.0)
    always = comparisons(outcome)["always many"]
    assert always.accuracy == np.mean(np.array(outcome.held_out.Y) == 1)


def test_several_outputs_are_compared_too():
    outcome = outcome_of(X[:, :2] ** 2, target=("y", "z"), lam=1.0, max_iter=9)
    assert outcome.training.Y.shape == (160, 2)
    assert comparisons(outcome)["always the means"].truth.shape == (40, 2)


def test_nothing_is_compared_without_held_out_examples():
    outcome = outcome_of(NOISE, test_size=0, max_iter=5, lam=1.0)
    assert (comparisons(outcome), advice(outcome, {})) == ({}, [])


@pytest.mark.parametrize(
    ("asked", "typed"),
    [
        ({"lam": 0.1}, "type --lam 1, or --cv in place of --lam"),
        ({"lam": 0.0}, "type --lam 1, or --cv in place of --lam"),
        ({"lam": 0.001, "cv": True}, "type --hidden"),
    ],
)
def test_rows_learnt_by_heart_are_said_with_what_to_type(asked, typed):
    outcome = outcome_of(NOISE > 0, **asked)
    (line,) = advice(outcome, {})
    assert line.startswith("held out is far below trained on (")
    assert typed in line


def test_a_better_linear_model_is_said_with_what_to_type():
    outcome = outcome_of(X @ [1, 2, 3, 0, 0, 0] + NOISE, lam=0.0, hidden=(50,), test_size=0.5)
    (line,) = advice(outcome, comparisons(outcome))
    assert (
        line
        == "a linear model does better on held-out rows: type --lam 1, or --cv in place of --lam"
    )


def test_an_answer_that_is_always_the_same_is_said_with_what_to_type():
    labels = np.where(NOISE > -1, "many", "few")
    outcome = outcome_of(labels, lam=1000.0)
    assert advice(outcome, comparisons(outcome)) == [
        "the answer is always many, as without a network: type --lam 100"
    ]
    outcome = outcome_of(X[:, 0] + NOISE > 0, lam=1000.0, test_size=0.5)
    first, second = advice(outcome, comparisons(outcome))
    assert first in [f"the answer is always {word}, as without a network" for word in (True, False)]
    assert second.startswith("a linear model does better")


def test_a_good_fit_is_left_alone():
    outcome = outcome_of(X[:, 0] ** 2 + X[:, 1], hidden=(10,), lam=0.1, max_iter=300)
    assert advice(outcome, comparisons(outcome)) == []


def test_one_score_is_better_only_beyond_the_noise_of_pairs():
    truth = np.zeros(100, dtype=int)
    right, often, once = (np.repeat([[1.0, 0.0]], 100, axis=0) for _ in range(3))
    often[:10], once[:1] = [0.0, 1.0], [0.0, 1.0]
    good, bad, near = (Evaluation(h, truth, "ab") for h in (right, often, once))
    assert surely_better(good, bad)
    assert not surely_better(good, near)
    assert not surely_better(bad, good)


def test_a_training_that_was_cut_short_is_to_go_on():
    outcome = outcome_of(X @ [1, 2, 3, 0, 0, 0] + NOISE, lam=0.01, max_iter=2, test_size=0.5)
    (line,) = advice(outcome, comparisons(outcome))
    assert line == "a linear model does better on held-out rows: type --max-iter 20"

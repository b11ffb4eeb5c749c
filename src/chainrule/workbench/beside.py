"""What a score is compared with: an answer that is always the same, and a linear model.

A network that is no better than these has learnt nothing that they do not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.datasets import Dataset
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.scaling import Scaling
from chainrule.evaluation.scores import Evaluation
from chainrule.model_file import Model
from chainrule.notes.network import Network
from chainrule.training.steps import train
from chainrule.workbench.pipeline import Outcome, evaluate, standardised, true_values
from chainrule.workbench.spooling import TESTED, TRAINED
from chainrule.workbench.telling import number, percent

FAR = 0.1  # how far held out is below trained on, in accuracy or R2, where that is said
SURE = 2.0  # standard errors by which one score is told from another
ITERATIONS = 100


def comparisons(
    outcome: Outcome, told: Callable[[float], None] = lambda share: None
) -> dict[str, Evaluation]:
    """Return the scores on the held-out examples of what a network should be better than.

    There are none without held-out examples, nor for a recipe, whose scores are known.  ``told`` is
    told which share of the linear model's training is done.

    Examples
    --------
    >>> from chainrule.workbench.pipeline import run
    >>> from chainrule.workbench.request import Request
    >>> class Quiet:
    ...     step = note = iteration = lambda *said, **more: None
    >>> for name, score in comparisons(run(Request("digits", max_iter=20), Quiet())).items():
    ...     print(name, round(score.accuracy, 1))
    a linear model 1.0
    always 1 0.1
    """
    if outcome.held_out is None or outcome.request.recipe is not None:
        return {}
    return {
        "a linear model": linear(outcome, told),
        **always_the_same(outcome.training, outcome.held_out),
    }


def always_the_same(training: Dataset, held_out: Dataset) -> dict[str, Evaluation]:
    """Return the score of the commonest class, or of the mean, under its name."""
    m, Y = len(held_out), true_values(training)
    if training.classes is None:
        mean = Y.mean(axis=0)
        h = np.broadcast_to(mean, (m, mean.size)).astype(np.float64)
        shown = f"always {number(float(mean))}" if Y.ndim == 1 else "always the means"
        return {shown: Evaluation(h, true_values(held_out))}
    counts = np.bincount(Y, minlength=len(training.classes))
    h = np.broadcast_to(counts == counts.max(), (m, len(counts))).astype(np.float64)
    common = training.classes[int(counts.argmax())]
    return {f"always {common}": Evaluation(h, true_values(held_out), training.classes)}


def linear(outcome: Outcome, told: Callable[[float], None]) -> Evaluation:
    """Return the score of the network without its hidden layers: logistic or ridge regression."""
    model, spooled = outcome.model, outcome.spooled
    network = Network((model.network.layers[0], model.network.K), output=model.network.output)
    parts = model.encoder, model.scaling, model.target_scaling
    if spooled is not None:
        examples: tuple[Any, Any] = spooled.examples(TRAINED, *parts[1:]), None
        return spooled.evaluation(straight(network, examples, parts, told), (TESTED,))
    assert outcome.held_out is not None
    examples = standardised(outcome.training, *parts[1:])
    return evaluate(straight(network, examples, parts, told), outcome.held_out)


def straight(
    network: Network,
    examples: tuple[Any, Any],
    parts: tuple[Encoder, Scaling | None, Scaling | None],
    told: Callable[[float], None] = lambda share: None,
) -> Model:
    """Return the model of a network without hidden layers, trained on standardised examples."""
    fit = train(
        network,
        *examples,
        lam=1.0,
        max_iter=ITERATIONS,
        check=False,
        callback=lambda step: told(step.iteration / ITERATIONS),
    )
    told(1.0)  # it may have converged before
    if fit.interrupted:
        raise KeyboardInterrupt
    return Model(network, fit.theta, *parts)


def advice(outcome: Outcome, beside: Mapping[str, Evaluation]) -> list[str]:
    """Say what stands out about the scores, and what to type."""
    if outcome.held_out is None:
        return []
    trained, held_out = outcome.evaluations["trained on"], outcome.evaluations["held out"]
    told = []
    better = [name for name, other in beside.items() if surely_better(other, held_out)]
    if always := _always_one(held_out):
        more = "" if better else _less(outcome)
        told.append(f"the answer is always {always}, as without a network{more}")
    if better:
        name = better[-1]
        short = not outcome.result.converged and trained.score < beside[name].score
        mend = f"type --max-iter {10 * outcome.result.n_iter or 100}" if short else _remedy(outcome)
        told.append(f"{name} does better on held-out rows: {mend}")
    elif not always and trained.score - held_out.score > max(FAR, SURE * spread(held_out)):
        told.append(
            f"held out is far below trained on ({shown(held_out)} against {shown(trained)}): the "
            f"network has learnt rows by heart; more rows help, or {_remedy(outcome)}"
        )
    return told


def _always_one(held_out: Evaluation) -> str:
    """Return the class that every row is given, where the rows are of several; else ""."""
    if held_out.classes is None or len(np.unique(held_out.truth)) < 2:
        return ""
    answers = np.unique(held_out.answer)
    return str(held_out.classes[int(answers[0])]) if len(answers) == 1 else ""


def _less(outcome: Outcome) -> str:
    """Say what may give the network more freedom."""
    request, result = outcome.request, outcome.result
    if request.lam:
        return f": type --lam {request.lam / 10:g}"
    short = not result.converged and not result.interrupted
    return f": type --max-iter {10 * result.n_iter or 100}" if short else ": no input tells more"


def _remedy(outcome: Outcome) -> str:
    request, units = outcome.request, outcome.model.network.layers[1:-1]
    if request.cv or outcome.request.recipe is not None:
        return f"type --hidden {max(1, min(units) // 2)}"
    if request.lam is not None:
        return f"type --lam {10 * request.lam or 1:g}, or --cv in place of --lam"
    return "type --cv"


def shown(evaluation: Evaluation) -> str:
    """Return the score in a few characters."""
    if evaluation.classes is None:
        return f"R2 {evaluation.score:.3f}"
    return percent(evaluation.score)


def spread(evaluation: Evaluation) -> float:
    """Return the standard error of an accuracy; of R2, of its mean squared error's share."""
    return float(np.std(losses(evaluation)) / math.sqrt(len(evaluation.truth)))


def losses(evaluation: Evaluation) -> Array:
    """Return each example's part of 1 - score: 1 for a wrong class, or its share of 1 - R2."""
    if evaluation.classes is not None:
        return np.asarray(evaluation.answer != evaluation.truth, dtype=np.float64)
    m = len(evaluation.truth)
    truth, answer = (a.reshape(m, -1) for a in (evaluation.truth, evaluation.answer))
    variance = truth.var(axis=0)
    shares = (truth - answer) ** 2 / np.where(variance > 0, variance, 1)
    return np.asarray(shares.mean(axis=1))


def surely_better(one: Evaluation, other: Evaluation) -> bool:
    """Tell whether one score is better by more than the noise of the examples, taken in pairs."""
    gain = losses(other) - losses(one)
    return bool(gain.mean() > SURE * gain.std() / math.sqrt(len(gain)))

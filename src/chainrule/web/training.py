"""The answers of the Train view: what can be trained on, and how runs go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.common.checks import DataError
from chainrule.common.words import printable
from chainrule.datasets import Dataset
from chainrule.evaluation.stop_report import MORE, NOTHING, StopReport
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.costs import COSTS
from chainrule.optimize import OPTIMIZERS, find, is_rule
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk
from chainrule.web.problems import (
    DATA,
    PRESETS,
    checked,
    choice,
    names,
    refuse_large,
    several,
    whole,
)
from chainrule.web.runs import KEPT, Run, threads
from chainrule.workbench.request import MINIBATCHES, Request
from chainrule.workbench.telling import SIX_STEPS, in_options

COMPARED = 6  # optimizers at most
LISTENERS = 50  # streams at most
GAP = 0.05  # seconds from one message of a stream to the next
MOST_MORE = 100_000  # iterations
SHOWN_COLUMNS = 500
GONE = {"gone": True}


def problems(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Tell what can be trained on, the settings that go well, and the names to choose from."""
    return {
        "data": {name: DATA[name] for name in names()},
        "presets": PRESETS,
        "steps": SIX_STEPS,
        "optimizers": list(OPTIMIZERS),
        "rules": [name for name in OPTIMIZERS if is_rule(find(name))],
        "activations": list(ACTIVATIONS),
        "outputs": list(COSTS),
    }


def table(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Keep a table of the reader's own."""
    file = asked.file()
    return {"table": desk.problems.add(file), "name": file.name}


def data(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Tell what was decided about the data that some settings name, or what would mend them."""
    try:
        return described_data(desk.problems.problem(settings_of(asked)).data)
    except DataError as error:
        if not error.options:
            raise
        trouble = ": ".join([error.where, "; ".join(error.faults)])
        return {"trouble": printable(trouble), "mend": error.options}


def described_data(data: Dataset) -> dict[str, Any]:
    """Return what the page says of a data set."""
    encoder = data.encoder
    columns = [column.name for column in encoder.columns][:SHOWN_COLUMNS]
    return {
        "name": data.source,
        "rows": len(data),
        "inputs": data.X.shape[1],
        "classes": None if data.classes is None else [str(label) for label in data.classes],
        "target": data.target,
        "columns": [] if data.image_shape else [*columns, str(data.target)],
        "image": data.image_shape,
        "notes": [in_options(note) for note in data.notes],
    }


def train(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Begin to train as asked; with several optimizers one after another, on one core each."""
    problem = desk.problems.problem(settings_of(asked))
    refuse_large(problem)
    request = replace(problem.request, threads=threads())
    requests = [request]
    if "optimizers" in asked.values:
        optimizers = checked(
            "optimizers", asked.values["optimizers"], several(choice(*OPTIMIZERS), COMPARED)
        )
        requests = [with_optimizer(request, name) for name in optimizers]
    runs = desk.runs.start(problem, requests)
    return {"runs": [run.id for run in runs]}


def with_optimizer(request: Request, name: str) -> Request:
    """Return what is asked for with another optimizer and on one core, so that seconds are fair."""
    given: dict[str, Any] = {"optimizer": name, "threads": 1}
    if not is_rule(find(name)):
        given |= dict.fromkeys(MINIBATCHES)
        given |= {} if request.validation is not None else {"patience": None}
    return replace(request, **given)


def runs(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what is said of all runs."""
    kept = [*desk.runs.kept.values()]
    return {"runs": [described(run) for run in kept], "said": desk.runs.said}


def run(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what is said of a run, and the iterations whose theta is kept."""
    one = kept_run(desk, asked)
    if one is None:
        return GONE
    return described(one) | {"kept": np.array([*one.thetas], np.int32)}


def described(run: Run) -> dict[str, Any]:
    """Return what the page says of a run."""
    prepared, request, result = run.prepared, run.request, run.result
    report = run.report
    return {
        "run": run.id,
        "name": run.name,
        "state": run.state,
        "optimizer": run.optimizer,
        "seed": request.seed,
        "settings": dict(run.settings),
        "group": run.group,
        "layers": None if prepared is None else list(prepared.plan.network.layers),
        "lam": None if prepared is None else run.lam,
        "max_iter": None if prepared is None else run.max_iter,
        "epochs": is_rule(find(run.optimizer)),
        "steps": run.steps,
        "notes": [{"text": text, "heading": heading} for text, heading in run.notes],
        "iterations": len(run) - 1,
        "stride": run.stride,
        "taken": run.taken,
        "stopped": None if result is None else result.stopped,
        "converged": result is not None and result.converged,
        "report": None if report is None else said_of(report, bool(run.scores)),
        "scores": None if run.scores is None else [*run.scores.items()],
        "advice": run.advice,
        "trouble": None if run.trouble is None else " ".join(str(run.trouble).split()),
        "can_go_on": run.can_go_on,
    }


def said_of(report: StopReport, compared: bool) -> list[str]:
    """Return why a run ended, what stands out, and what to try; the page has |D| from elsewhere.

    Where scores are compared, what is said of them takes the place of what can always be tried.
    """
    why, _, *others = str(report).splitlines()
    if compared and report.suggestion in (MORE, NOTHING):
        others.pop()
    return [why, *others]


def pause(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Let runs wait."""
    desk.runs.pause(runs_of(desk, asked))
    return {}


def resume(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Let runs go on, for some iterations where a number is given."""
    few = {}
    if "iterations" in asked.values:
        few = {"iterations": asked.whole("iterations", 1, MOST_MORE)}
    desk.runs.resume(runs_of(desk, asked), **few)
    return {}


def stop(desk: Desk, asked: Asked) -> dict[str, Any]:
    """End runs."""
    desk.runs.stop(runs_of(desk, asked))
    return {}


def more(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Let a run that has ended go on."""
    desk.runs.more(run_of(desk, asked), asked.whole("iterations", 1, MOST_MORE))
    return {}


def history(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the numbers of each iteration of a run from one on."""
    run, since = kept_run(desk, asked), asked.whole("since", 0, 2**31, 0)
    if run is None:
        return GONE
    n = len(run)
    written = run.history
    columns: dict[str, list[Any]] = {
        "J": written.J, "gradient_norm": written.gradient_norm, "J_val": written.J_val,
        "seconds": run.seconds, "n_eval": run.n_eval, **written.extra,
    }  # fmt: skip
    arrays = {name: np.array(values[since:n], np.float64) for name, values in columns.items()}
    return {"run": run.id, "since": since} | {
        name: array for name, array in arrays.items() if array.size
    }


async def listened(desk: Desk) -> AsyncIterator[dict[str, Any]]:
    """Yield where each run stands, at once and whenever that has changed."""
    if desk.listeners >= LISTENERS:
        raise ValueError(f"{LISTENERS} pages listen already: close one, and reload this one")
    desk.listeners += 1
    heard: dict[int, int] = {}
    try:
        while not desk.closing.is_set():
            messages = [*news(desk, heard)]
            for message in messages:
                yield message
                await asyncio.sleep(GAP)
            if not messages:
                await asyncio.sleep(GAP)
    finally:
        desk.listeners -= 1


def news(desk: Desk, heard: dict[int, int]) -> Iterator[dict[str, Any]]:
    """Yield what a listener has not heard: runs that are gone, and those that have moved on."""
    for gone in heard.keys() - desk.runs.kept.keys():
        del heard[gone]
        yield {"run": gone, "state": "dropped"}
    for run in [*desk.runs.kept.values()]:
        if heard.get(run.id) != run.version:
            heard[run.id] = run.version
            yield event(run)


def events(desk: Desk, asked: Asked) -> AsyncIterator[dict[str, Any]]:
    """Tell how the runs go, for as long as the reader listens; what was missed is in `history`."""
    return listened(desk)


def event(run: Run) -> dict[str, Any]:
    """Return where a run stands: its newest numbers, and how much was told."""
    state = run.state  # read before n: one that pauses has no number to come
    n = len(run)
    J, norm = (values[n - 1 : n] for values in (run.history.J, run.history.gradient_norm))
    words = len(run.steps) + len(run.notes) + (run.report is not None) + (run.scores is not None)
    told = {"run": run.id, "state": state, "n": n - 1, "told": words}
    numbers = np.array([*J, *norm, *run.seconds[n - 1 : n]] if n else [], np.float64)
    if run.share is not None:
        told |= {"what": run.share[0], "share": run.share[1]}
    return told | {"now": numbers}


def settings_of(asked: Asked) -> dict[str, Any]:
    """Return the settings in a request."""
    settings = asked.values.get("settings")
    if not isinstance(settings, dict):
        raise ValueError("settings are missing")
    return settings


def run_of(desk: Desk, asked: Asked) -> Run:
    """Return the run that is asked for."""
    return desk.runs.run(asked.whole("run", 1, 2**31))


def kept_run(desk: Desk, asked: Asked) -> Run | None:
    """Return the run that is asked for, unless it was dropped while the page asked."""
    return desk.runs.kept.get(asked.whole("run", 1, 2**31))


def runs_of(desk: Desk, asked: Asked) -> list[Run]:
    """Return the runs that are asked for."""
    ids = checked("runs", asked.values.get("runs"), several(whole(1, 2**31), KEPT))
    return [desk.runs.run(id) for id in ids]

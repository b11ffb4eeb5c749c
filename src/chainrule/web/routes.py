"""What a page can ask for: the table of all answers.

A view adds its rows here and nowhere else.  The guard stands before all of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

from chainrule.web import checking, drawing, lap, looks, stepping, teaching, training, unit, ways
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk

KIB, MIB = 2**10, 2**20
Values = Mapping[str, Any]


class Route(NamedTuple):
    """The function that answers ``POST /api/NAME``, and the most bytes that it may be sent.

    It returns the values of one message, or an async iterator over those of a stream of messages.
    """

    answer: Callable[[Desk, Asked], Values | AsyncIterator[Values]]
    most: int = 64 * KIB


ROUTES: dict[str, Route] = {
    "network": Route(drawing.network),
    "open": Route(drawing.open_model, 64 * MIB),
    "example": Route(drawing.example),
    "ink": Route(drawing.ink, MIB),
    "photo": Route(drawing.photo, 40 * MIB),
    "mark": Route(drawing.mark),
    "learn": Route(teaching.learn),
    "forget": Route(teaching.forget),
    "unit": Route(unit.unit),
    "examples": Route(unit.examples),
    "step_cases": Route(stepping.step_cases),
    "step": Route(stepping.step),
    "step_unit": Route(stepping.step_unit),
    "problems": Route(training.problems),
    "table": Route(training.table, 64 * MIB),
    "data": Route(training.data),
    "train": Route(training.train),
    "runs": Route(training.runs),
    "run": Route(training.run),
    "pause": Route(training.pause),
    "resume": Route(training.resume),
    "stop": Route(training.stop),
    "more": Route(training.more),
    "history": Route(training.history),
    "events": Route(training.events),
    "checks": Route(checking.checks),
    "code": Route(checking.code),
    "check": Route(checking.check),
    "answer": Route(checking.answer),
    "errors": Route(checking.errors),
    "own_code": Route(checking.watched),
    "looks": Route(looks.looks),
    "cell": Route(looks.cell),
    "run-unit": Route(looks.run_unit),
    "copied": Route(ways.copied),
    "download": Route(ways.download),
    "opened-model": Route(ways.opened_model),
    "own": Route(ways.own),
    "lap": Route(lap.lap),
    "drive": Route(lap.drive),
}

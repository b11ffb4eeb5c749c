"""The answers of the Check view: a gradient compared with a numerical one, and what is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.common.files import reason
from chainrule.common.types import Array
from chainrule.diagnosis.lines import Slip
from chainrule.diagnosis.mistakes import MISTAKES
from chainrule.diagnosis.program import changed, program
from chainrule.diagnosis.sabotage import LEVELS, Workshop
from chainrule.engine.summing import cost_and_gradient
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.costs import COSTS, Cost
from chainrule.notes.gradient_check import slope
from chainrule.notes.gradient_report import EVERY_COMPONENT, GradientReport, part_of, parts_of
from chainrule.notes.network import Network
from chainrule.web import own_code
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk
from chainrule.web.own_code import OwnCode
from chainrule.web.working import Values, worked

MOST_LAYERS, MOST_ROWS, MOST_LAM = 7, 200, 1000
MOST_SEED = 10**6
LOOKS = 0.3  # seconds from one look at the reader's file to the next
MOST_LINES = 2000  # of it that the page shows
MOST_READERS = 4  # pages that may run it at once
PIECES = 60  # messages in which the numerical gradient comes
OFTEN = 200  # evaluations of J from one sign of life to the next
EPSILONS = 10.0 ** -np.arange(1, 12.25, 0.5)
# Networks to begin with, as the page asks for them
PRESETS = {
    "three classes": {"layers": "4-5-3", "hidden": "sigmoid", "output": "sigmoid"},
    "softmax": {"layers": "4-5-3", "hidden": "tanh", "output": "softmax"},
    "one number, deep": {"layers": "2-4-4-1", "hidden": "tanh", "output": "identity"},
    "relu": {"layers": "3-6-2", "hidden": "relu", "output": "softmax"},
    "layers of one size": {"layers": "4-4-4-4", "hidden": "sigmoid", "output": "softmax"},
}
Tell = Callable[[Values], None]


def checks(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Tell what can be chosen, and which code of the reader's own is there to be checked."""
    return {
        "presets": PRESETS,
        "activations": list(ACTIVATIONS),
        "outputs": list(COSTS),
        "epsilons": EPSILONS,
        "kinds": {name: said.split("{")[0] for name, (said, _) in MISTAKES.items()},
        "own": _own(desk),
        "path": None if desk.own_code is None else str(desk.own_code.path),
    }


def _own(desk: Desk) -> str | None:
    """Return what the page calls the reader's own code."""
    if desk.report is not None:
        return "your gradient"
    return None if desk.own_code is None else Path(desk.own_code.name).name


def code(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the program that is to be checked, and what could be wrong in it."""
    at = workshop(asked)
    slips = chosen(at, asked)
    names = dict.fromkeys(slip.name for slip in at.slips)
    return {
        "lines": program(at.network, slips),
        "mistakes": len(slips),
        "weights": at.network.size,
        "slips": [[slip.name, slip.words] for slip in at.slips],
        "kinds": list(names),
    }


def check(desk: Desk, asked: Asked) -> AsyncIterator[Values]:
    """Compare component by component, then name what is wrong; the last message has the verdict.

    ``guess`` holds lines, counted from 0, and ``kind`` a mistake's name: what the reader thinks.
    """
    at = workshop(asked)
    slips = chosen(at, asked)
    epsilon = asked.number("epsilon", 1e-12, 0.1)
    guess = asked.wholes("guess", 0, len(program(at.network)) - 1)[: len(slips)]
    kind = asked.values.get("kind")
    return worked(lambda tell: _checked(at, slips, epsilon, guess, kind, tell))


def answer(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Tell what was changed, to who gives up."""
    at = workshop(asked)
    return solution(at, chosen(at, asked))


def errors(desk: Desk, asked: Asked) -> AsyncIterator[Values]:
    """Return, for one epsilon after the other, the numerical gradient and how far D is from it."""
    at = workshop(asked)
    slips = chosen(at, asked)
    return worked(lambda tell: _with_each_epsilon(at, slips, tell))


async def watched(desk: Desk, asked: Asked) -> AsyncIterator[dict[str, Any]]:
    """Check the file, and again at each save, until the reader leaves; or tell a report, once.

    A check that a save overtakes is given up: so a file that runs for ever can be mended.  A
    message with ``lines`` or ``gone`` ends what was said of the version before.
    """
    if desk.report is not None:
        yield compared(desk.report, [])
        return
    own = desk.own_code
    if own is None:
        raise ValueError("there is no code of your own: start chainrule look cost.py:cost")
    if desk.checking >= MOST_READERS:
        raise ValueError("another page checks this file already: close it, or stop it there")
    desk.checking += 1
    before: list[str] | None = None
    looks = 0  # in vain, one after the other
    try:
        while not desk.closing.is_set():
            try:
                saved, lines = own.saved(), own.lines()
            except OSError as error:
                looks += 1
                if looks == 2:  # at the first one an editor may be writing the file anew
                    yield {"gone": f"{own.path.name}: cannot be read ({reason(error)})"}
                await asyncio.sleep(LOOKS)
                continue
            looks = 0
            changed_lines = [] if before is None else own_code.changes(before, lines)
            yield {"lines": lines[:MOST_LINES], "length": len(lines), "changes": changed_lines}
            before = lines
            async with contextlib.aclosing(_outcome(desk, own, saved)) as outcome:
                async for message in outcome:
                    yield message
    finally:
        desk.checking -= 1


async def _outcome(desk: Desk, own: OwnCode, saved: Any) -> AsyncGenerator[dict[str, Any]]:
    """Yield what a check says; end at the next save."""
    check = asyncio.create_task(_told(own))
    try:
        told = False
        while not desk.closing.is_set():
            if told:
                await asyncio.sleep(LOOKS)
            else:
                await asyncio.wait([check], timeout=LOOKS)
            if check.done() and not told:
                told = True
                yield check.result()
            with contextlib.suppress(OSError):
                if own.saved() != saved:
                    return
    finally:
        check.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await check


async def _told(own: OwnCode) -> dict[str, Any]:
    """Check the file; an error in it is a message like any other."""
    try:
        report, told = await own_code.checked(own)
    except ValueError as error:
        said = " ".join(str(error).split())
        place = re.match(rf"{re.escape(own.path.name)}, line (\d+)", said)
        return {"failed": said, "line": int(place[1]) if place else None}
    return compared(report, told)


def compared(report: GradientReport, told: list[str]) -> dict[str, Any]:
    """Return a gradient beside the numerical one, what the report says, and what was told."""
    n = len(report.D)
    parts = report.parts if report.directions is None else []
    part = np.zeros(n, np.int32)
    for i, each in enumerate(parts):
        part[each.where] = i
    return {
        "told": told,
        "names": [each.name for each in parts],
        "part": part,
        "D": report.D,
        "numerical": report.numerical,
        "directions": report.directions,
        "J": report.J,
    } | verdict(report)


def workshop(asked: Asked) -> Workshop:
    """Return the network that is asked for, with random examples and weights."""
    layers = asked.values.get("layers")
    if not isinstance(layers, str) or not re.fullmatch(r"\d{1,4}(-\d{1,4})+", layers):
        raise ValueError("layers must be sizes as in 4-5-3")
    sizes = tuple(map(int, layers.split("-")))
    if len(sizes) > MOST_LAYERS:
        raise ValueError(f"layers must be at most {MOST_LAYERS}")
    return made(
        Network(
            sizes,
            hidden=asked.choice("hidden", list(ACTIVATIONS)),
            output=asked.choice("output", list(COSTS)),
        ),
        asked.number("lam", 0, MOST_LAM),
        asked.whole("rows", 1, MOST_ROWS),
    )


@lru_cache(maxsize=8)
def made(network: Network, lam: float, m: int) -> Workshop:
    """Return a network with m random examples; its weights are random, too, and never the same."""
    if network.size > EVERY_COMPONENT:
        raise ValueError(
            f"this network has {network.size:,} weights: take at most {EVERY_COMPONENT:,}, for "
            "each is moved by epsilon twice"
        )
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (m, network.layers[0]))
    Y = targets(network.cost, network.K, m, rng)
    return Workshop(network, rng.uniform(-1, 1, network.size), X, Y, lam)


def targets(cost: Cost, K: int, m: int, rng: np.random.Generator) -> Array:
    """Return targets of the kind that a cost takes: classes in turn, counts, or numbers."""
    if cost.targets == "numbers":
        return rng.normal(size=(m, K))
    if cost.targets == "counts":
        return rng.poisson(2, (m, K)).astype(float)
    return np.eye(max(K, 2))[np.arange(m) % max(K, 2)][:, -K:]


def chosen(at: Workshop, asked: Asked) -> list[Slip]:
    """Return the slips in the program: none, the one of a number, or those that a seed draws."""
    if "level" in asked.values:
        level = asked.whole("level", min(LEVELS), max(LEVELS))
        return drawn(at, level, asked.whole("seed", 0, MOST_SEED))
    if "slip" in asked.values:
        return [at.slips[asked.whole("slip", 0, len(at.slips) - 1)]]
    return []


@lru_cache(maxsize=64)
def drawn(at: Workshop, level: int, seed: int) -> list[Slip]:
    """Return what a seed draws; drawing means to check, so it is remembered."""
    return at.drawn(level, seed)


def solution(at: Workshop, slips: Sequence[Slip]) -> dict[str, Any]:
    """Return what is wrong: for each slip its names, its words, and its lines."""
    lines = changed(at.network, slips)
    return {
        "right": program(at.network),
        "slips": [
            {"names": at.names(slip), "words": slip.words, "lines": where}
            for slip, where in zip(slips, lines, strict=True)
        ],
    }


def found(solved: dict[str, Any], guess: Sequence[int], kind: Any) -> list[bool]:
    """Return which of the slips a guess hits: by one of its lines, or by its name."""
    return [
        bool(set(guess) & set(slip["lines"])) or kind in slip["names"] for slip in solved["slips"]
    ]


def _checked(
    at: Workshop, slips: list[Slip], epsilon: float, guess: list[int], kind: Any, tell: Tell
) -> Values:
    J, D = at.objective(slips)(at.theta)
    n = at.network.size
    part = np.zeros(n, np.int32)
    for i, (_, start, stop_) in enumerate(parts_of(at.network)):
        part[start:stop_] = i
    names = [name for name, _, _ in parts_of(at.network)]
    tell({"J": J, "D": D, "names": names, "part": part})
    pieces = np.array_split(np.arange(n), min(n, PIECES))
    for piece in pieces:
        tell({"start": int(piece[0]), "numerical": _slopes(at, piece, epsilon)})
    evaluations = 0

    def stop() -> bool:
        nonlocal evaluations
        evaluations += 1
        if evaluations % OFTEN == 0:
            tell({"evaluations": evaluations})  # which ends the check if nobody reads it
        return False

    report = at.check(slips, epsilon, stop)
    solved = solution(at, slips)
    return verdict(report) | solved | {"found": found(solved, guess, kind)}


def verdict(report: GradientReport) -> dict[str, Any]:
    """Return what a report says."""
    return {
        "ok": report.ok,
        "epsilon": report.epsilon,
        "largest": report.largest_relative_error,
        "where": report.where,
        "place": report.place,
        "about_J": report.about_J,
        "table": [
            {"name": part.name, "size": part.size, "error": part.error, "ok": part.ok}
            for part in report.parts
        ],
        "diagnosis": [
            {
                "name": finding.name,
                "words": finding.words,
                "evidence": finding.evidence,
                "source": finding.source,
                "note": finding.note,
            }
            for finding in report.diagnosis
        ],
    }


def _slopes(at: Workshop, components: Array, epsilon: float) -> Array:
    """Return the numerical slopes of J along some components."""

    def J(theta: Array) -> tuple[float, Array]:
        return cost_and_gradient(at.network, theta, at.X, at.Y, lam=at.lam)

    return np.array([slope(J, at.theta, int(i), epsilon) for i in components])


def _with_each_epsilon(at: Workshop, slips: list[Slip], tell: Tell) -> Values:
    _, right = at.objective()(at.theta)
    _, D = at.objective(slips)(at.theta)
    n = at.network.size
    for i, epsilon in enumerate(EPSILONS):
        pieces = []
        for piece in np.array_split(np.arange(n), -(-n // OFTEN)):
            pieces.append(_slopes(at, piece, epsilon))
            tell({"share": (i + len(pieces) / (1 + n // OFTEN)) / len(EPSILONS)})
        numerical = np.concatenate(pieces)
        tell(
            {
                "epsilon": float(epsilon),
                "numerical": numerical,
                "off": _error(D, numerical),
                "right_off": _error(right, numerical),
                "parts": np.array(
                    [_error(D[a:b], numerical[a:b]) for _, a, b in parts_of(at.network)]
                ),
            }
        )
    return {"share": 1.0}


def _error(D: Array, numerical: Array) -> float:
    return part_of("", 0, len(D), D, numerical, np.zeros(len(D))).error

"""Who is told how a training goes, and the words for what is told."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from chainrule.common.types import Array
from chainrule.common.words import word
from chainrule.evaluation.scores import Evaluation
from chainrule.notes.gradient_report import GradientReport
from chainrule.optimize import Step

SIX_STEPS = (  # the words of the notes, Training a Neural Network
    "Randomly initialize the weights",
    "Implement forward propagation to get h(x)",
    "Implement the cost function",
    "Implement backpropagation to compute partial derivatives",
    "Use gradient checking to confirm that your backpropagation works",
    "Minimize the cost function with the weights in theta",
)


class Telling(Protocol):
    """Who is told how a training goes: a terminal, a page, a test.

    Every method is called from the thread that trains.
    """

    def step(self, number: int, found: str = "") -> None:
        """Tell one of the notes' `SIX_STEPS`, counted from 1, and what it gave."""

    def note(self, text: str, *, heading: bool = False) -> None:
        """Tell a line on the data, a choice or the training; a heading has lines below it."""

    def progress(self, what: str) -> AbstractContextManager[Callable[[float], None]]:
        """Tell that some work begins; `with` gives what takes the share that is done, 0 to 1."""
        ...

    def iteration(self, step: Step, max_iter: int) -> None:
        """Tell that an iteration, or an epoch, has ended; there are at most max_iter."""


def gradient_check(report: GradientReport | None) -> str:
    """Return a few words on the gradient check before training; None where it was skipped."""
    if report is None:
        return "not checked, as --no-check asks"
    return (
        f"{'passed' if report.ok else 'FAILED'}: largest relative error "
        f"{report.relative_errors.max():.1e} along {len(report.D)} directions"
    )


ARGUMENT = re.compile(
    r"\b(target|drop|missing|kind|na|keep|header|encoding|resume)="
    r"(\[[^\]]*\]|'[^']*'|\"[^\"]*\"|True|False)(?:, (?=\w+=))?"
)


def in_options(text: str) -> str:
    """Return a message of `chainrule.datasets` in the words of the command.

    Examples
    --------
    >>> in_options("column 'id' numbers the rows: drop=['id', 'the name'], missing='mean'")
    "column 'id' numbers the rows: --drop 'id,the name' --missing mean"
    """

    def typed(found: re.Match[str]) -> str:
        after = " " if found[0].endswith(", ") else ""
        return options_typed({found[1]: ast.literal_eval(found[2])}) + after

    return ARGUMENT.sub(typed, text)


def options_typed(options: Mapping[str, object]) -> str:
    """Return options as they are typed in a shell.

    Examples
    --------
    >>> options_typed({"drop": ["a", "b c", "d,e"], "test_size": 0.5, "cv": True, "header": False})
    "--drop 'a,b c' --drop d,e --test-size 0.5 --cv --no-header"
    """
    words = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
            continue
        values = [str(part) for part in value] if isinstance(value, list | tuple) else [str(value)]
        # A name with a comma in it stands by itself
        listed = [",".join(part for part in values if "," not in part)]
        listed += [part for part in values if "," in part]
        words += [f"{option} {shlex.quote(part)}" for part in listed if part]
    return " ".join(words)


def vector(values: Array) -> str:
    """Return the first few values of a vector.

    Examples
    --------
    >>> vector(np.array([0.5, 0.25])), vector(np.arange(9.0))
    ('0.5, 0.25', '0, 1, 2, 3, ... (9 values)')
    """
    few = ", ".join(f"{value:.3g}" for value in values[:4])
    return few if len(values) <= 4 else f"{few}, ... ({len(values)} values)"


def headline(evaluation: Evaluation, target: str) -> str:
    """Return the result in a few words.

    Examples
    --------
    >>> headline(Evaluation(np.array([[2.0], [3.0]]), np.array([2.0, 4.0])), "price")
    'RMSE 0.7071 (price), R2 0.5'
    """
    if evaluation.classes is not None:
        return f"{percent(evaluation.accuracy)} right"
    return f"RMSE {number(evaluation.rmse)} ({word(target)}), R2 {evaluation.r2:.4g}"


def percent(part: float) -> str:
    """Return a part of one as a percentage; 100.0 % and 0.0 % only where that is exact.

    Examples
    --------
    >>> percent(0.9753), percent(0.99999), percent(1)
    ('97.5 %', '>99.9 %', '100.0 %')
    """
    if 0.9995 <= part < 1:
        return ">99.9 %"
    if 0 < part < 0.0005:
        return "<0.1 %"
    return f"{100 * part:.1f} %"


def number(value: float) -> str:
    """Return a number with four digits, and thousands apart.

    Examples
    --------
    >>> number(584.26123), number(12345.6), number(0.00012345)
    ('584.3', '12,346', '0.0001234')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"

"""What the command says: the six steps and their progress on stderr, results on stdout."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from chainrule.common.checks import counted, shortened
from chainrule.common.types import Array
from chainrule.datasets import Dataset
from chainrule.datasets.encoding import Scaling
from chainrule.evaluation.scores import Evaluation
from chainrule.evaluation.selection import Choice
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
MOST_CLASSES = 12  # up to which a confusion matrix fits a terminal of 80 columns
MOST_CONFUSIONS = 5  # pairs named where it does not


def message_console() -> Console:
    """Return the console for messages: stderr."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def data_console() -> Console:
    """Return the console for data: stdout."""
    return Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a message as it is."""
    message_console().print(escape(text))


def data(
    data: Dataset,
    training: Dataset,
    held_out: Dataset | None,
    scaling: Scaling | None,
    target_scaling: Scaling | None,
) -> None:
    """Say what the data are, what was decided about them, and what is done to them."""
    kind = "regression" if data.classes is None else f"{len(data.classes)} classes"
    shape = f"{counted(len(data), 'example')}, {counted(data.X.shape[1], 'input')}"
    message_console().print(f"[bold]{escape(data.source)}[/]: {shape}, {kind}")
    notes = list(data.notes)
    aside = "none" if held_out is None else f"{len(held_out):,}"
    notes.append(f"training on {counted(len(training), 'example')}, held out: {aside}")
    if scaling is not None:
        notes.append("inputs standardised to mean 0 and standard deviation 1")
    if target_scaling is not None:
        unit = float(target_scaling.scale[0])
        notes.append(
            f"target standardised: J is in scaled units, 1 is {number(unit)} of {data.target}"
        )
    for note in notes:
        say(f"  {note}")


def step(number: int, found: str = "") -> None:
    """Print one of the notes' six steps, and what it gave."""
    console = message_console()
    console.print(f"[bold cyan]{number}[/] [bold]{SIX_STEPS[number - 1]}[/]")
    if found:
        console.print(f"  {escape(found)}")


def gradient_check(report: GradientReport | None) -> str:
    """Return a few words on the gradient check before training; None where it was skipped."""
    if report is None:
        return "not checked"
    return (
        f"{'passed' if report.ok else 'FAILED'}: largest relative error "
        f"{report.relative_errors.max():.1e} along {len(report.D)} directions"
    )


def vector(values: Array) -> str:
    """Return the first few values of a vector.

    Examples
    --------
    >>> vector(np.array([0.5, 0.25])), vector(np.arange(9.0))
    ('0.5, 0.25', '0, 1, 2, 3, ... (9 values)')
    """
    few = ", ".join(f"{value:.3g}" for value in values[:4])
    return few if len(values) <= 4 else f"{few}, ... ({len(values)} values)"


def plain(value: object) -> str:
    """Return a value of a model's header as people read it, a long list cut short.

    Examples
    --------
    >>> plain((8, 8)), plain({"layers": (2, 1), "seed": None}), plain(True)
    ('8, 8', 'layers 2, 1; seed -', 'yes')
    """
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {plain(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return shortened([plain(part) for part in value])
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class Live:
    """A line that follows the minimisation: J, the gradient's norm, the rate, the time left.

    A callback for `train`, and a context manager.
    """

    def __init__(self, max_iter: int, max_time: float | None) -> None:
        self._max_iter, self._max_time = max_iter, max_time
        self._progress = Progress(
            BarColumn(bar_width=16, complete_style="cyan", finished_style="cyan"),
            TextColumn("{task.fields[line]}"),
            console=message_console(),
        )
        self._task = self._progress.add_task("", total=max_iter, line="starting")
        self._start = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        self._start = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, step: Step) -> None:
        """Show a finished iteration."""
        if step.iteration == 0:
            return
        taken = time.monotonic() - self._start
        rate = step.iteration / max(taken, 1e-9)
        left = (self._max_iter - step.iteration) / rate
        if self._max_time is not None:
            left = min(left, max(self._max_time - taken, 0))
        speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        # Minibatches have no gradient of all rows
        norm = "" if math.isnan(step.gradient_norm) else f"|D| {step.gradient_norm:.2g}  "
        self._progress.update(
            self._task,
            completed=step.iteration,
            line=f"{step.iteration}/{self._max_iter}  J {step.J:.4g}  {norm}{speed} it/s  "
            f"{duration(left)} left",
        )


@contextmanager
def progress(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar for some work; it is told the share that is done, from 0 to 1."""
    with Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=16, complete_style="cyan", finished_style="cyan"),
        TextColumn("{task.percentage:.0f} %"),
        console=message_console(),
    ) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def duration(seconds: float) -> str:
    """Return a time as people write it.

    Examples
    --------
    >>> duration(0.2), duration(75), duration(3700)
    ('0:00', '1:15', '1:01:40')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def headline(evaluation: Evaluation, target: str) -> str:
    """Return the result in a few words.

    Examples
    --------
    >>> headline(Evaluation(np.array([[2.0], [3.0]]), np.array([2.0, 4.0])), "price")
    'RMSE 0.7071 (price), R2 0.5'
    """
    if evaluation.classes is not None:
        return f"{percent(evaluation.accuracy)} right"
    return f"RMSE {number(evaluation.rmse)} ({target}), R2 {evaluation.r2:.4g}"


def norm(values: Array) -> float:
    """Return the Euclidean norm."""
    return float(np.linalg.norm(values))


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


def results(evaluations: Mapping[str, Evaluation], target: str) -> None:
    """Print a line for each set of examples, and the confusion matrix of the last one."""
    console = data_console()
    table = Table(box=None, pad_edge=False)
    table.add_column("", style="bold")
    table.add_column("examples", justify="right")
    regression = next(iter(evaluations.values())).classes is None
    for heading in (f"RMSE ({target})", "R2") if regression else ("accuracy", "wrong"):
        table.add_column(escape(heading), justify="right")
    for name, evaluation in evaluations.items():
        cells = (
            (number(evaluation.rmse), f"{evaluation.r2:.4f}")
            if regression
            else (percent(evaluation.accuracy), f"{len(evaluation.mistakes):,}")
        )
        table.add_row(name, f"{len(evaluation.truth):,}", *cells)
    console.print(table)
    if not regression:
        name, evaluation = list(evaluations.items())[-1]
        console.print()
        confusion(evaluation, name, console)
    console.print()


def confusion(evaluation: Evaluation, name: str, console: Console) -> None:
    """Print the confusion matrix, or the commonest confusions of many classes."""
    classes = [str(label) for label in evaluation.classes or ()]
    counts = evaluation.confusion
    if len(classes) > MOST_CLASSES or sum(map(len, classes)) > 4 * MOST_CLASSES:
        wrong = counts - np.diag(np.diag(counts))
        order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
        pairs = [divmod(int(i), len(classes)) for i in order]
        named = [f"{classes[i]} as {classes[j]} ({wrong[i, j]:,})" for i, j in pairs if wrong[i, j]]
        console.print(f"most often confused, {name}: {escape(', '.join(named) or 'nothing')}")
        return
    table = Table(
        title=f"confusion matrix, {name}: a row for the truth, a column for the answer",
        title_justify="left",
        title_style="",
        box=None,
        pad_edge=False,
    )
    table.add_column("", style="bold", justify="right")
    for label in classes:
        table.add_column(escape(label), justify="right")
    for i, label in enumerate(classes):
        cells = [
            f"[green]{n:,}[/]" if i == j and n else f"[bold]{n:,}[/]" if n else "[dim]·[/]"
            for j, n in enumerate(counts[i])
        ]
        table.add_row(escape(label), *cells)
    console.print(table)


def choices(found: Iterable[Choice], score: str) -> list[Choice]:
    """Print a cross-validation's choices as they come, then the best; return them."""
    say("cross-validation in 3 folds")
    say(f"  {'hidden units':>12}  {'lam':>6}  {score:>8}")
    seen = []
    for choice in found:
        hidden = ",".join(str(s) for s in choice.network.layers[1:-1])
        shown = percent(choice.score) if score == "accuracy" else f"{choice.score:.4f}"
        say(f"  {hidden:>12}  {choice.lam:>6g}  {shown:>8}")
        seen.append(choice)
    best = max(seen, key=lambda choice: choice.score)
    hidden = ",".join(str(s) for s in best.network.layers[1:-1])
    say(f"  best: {hidden} hidden units, lam = {best.lam:g}")
    return seen


def facts(rows: Mapping[str, str]) -> None:
    """Print names and values in two columns, no value broken: a path can be copied."""
    console, width = data_console(), max(map(len, rows))
    for name, value in rows.items():
        console.print(f"[bold]{name:<{width}}[/]  {escape(value)}")

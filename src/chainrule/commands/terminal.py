"""What the command says: the six steps and their progress on stderr, results on stdout."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import numpy as np
from rich import markup
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.table import Table

from chainrule.common.checks import shortened
from chainrule.common.words import printable, word
from chainrule.evaluation.importance import Importances
from chainrule.evaluation.scores import Evaluation
from chainrule.optimize import Step
from chainrule.workbench.telling import SIX_STEPS, number, percent
from chainrule_command import at_stake

MOST_CLASSES = 12  # a confusion matrix of more does not fit a terminal of 80 columns
MOST_COLUMNS, BAR = 10, 24  # columns with their importances, and the longest of their bars
MOST_CONFUSIONS = 5  # pairs of classes named where it does not fit


def message_console() -> Console:
    """Return the console for messages: stderr."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def data_console() -> Console:
    """Return the console for data: stdout."""
    return Console(highlight=False, soft_wrap=True)


class Bar(Progress):
    """A bar on stderr."""

    def __init__(self, *columns: ProgressColumn) -> None:
        super().__init__(*columns, console=message_console())

    def start(self) -> None:
        """Show it; where no thread can be started to move it, it is drawn again at its end."""
        with suppress(RuntimeError):
            super().start()


def shown(text: object) -> str:
    """Return a text as Rich prints it: as it is, but for what would move the terminal."""
    return markup.escape(printable(text))


def say(text: str) -> None:
    """Print a message as it is."""
    message_console().print(shown(text))


def plain(value: object) -> str:
    """Return a value of a model's header for people to read, a long list cut short.

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


class Terminal:
    """Tells a training on stderr; a context manager, at whose end no bar is left moving.

    Parameters
    ----------
    max_time : float, optional
        Seconds after which the training ends, for the time that is left.
    """

    def __init__(self, max_time: float | None = None) -> None:
        self._max_time = max_time
        self._line: Live | None = None
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self._end_line()

    def step(self, number: int, found: str = "") -> None:
        """Print one of the notes' six steps, and what it gave."""
        self._end_line()
        console = message_console()
        console.print(f"[bold cyan]{number}[/] [bold]{SIX_STEPS[number - 1]}[/]")
        if found:
            console.print(f"  {shown(found)}")

    def note(self, text: str, *, heading: bool = False) -> None:
        """Print a line, a heading in bold and other lines below it."""
        if heading:  # what is asked was read: from now on there is work to save
            at_stake.set()
        self._end_line()
        message_console().print(f"[bold]{shown(text)}[/]" if heading else f"  {shown(text)}")

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[float], None]]:
        """Show a bar for some work."""
        self._end_line()
        with Bar(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=16, complete_style="cyan", finished_style="cyan"),
            TextColumn("{task.percentage:.0f} %"),
        ) as bar:
            task = bar.add_task(what, total=1.0)
            yield lambda share: bar.update(task, completed=share)
        self._since = time.monotonic()

    def iteration(self, step: Step, max_iter: int) -> None:
        """Show an iteration in the line that follows the training until something else is told."""
        if self._line is None:
            self._line = Live(max_iter, self._max_time, self._since)
        self._line(step)

    def _end_line(self) -> None:
        if self._line is not None:
            self._line.stop()
            self._line = None
        self._since = time.monotonic()


class Live:
    """A line that follows the minimisation: J, the gradient's norm, the rate, the time left.

    Parameters
    ----------
    max_iter : int
    max_time : float or None
    since : float
        When the training began, by `time.monotonic`.
    """

    def __init__(self, max_iter: int, max_time: float | None, since: float) -> None:
        self._max_iter, self._max_time, self._since = max_iter, max_time, since
        self._progress = Bar(
            BarColumn(bar_width=16, complete_style="cyan", finished_style="cyan"),
            TextColumn("{task.fields[line]}"),
        )
        self._task = self._progress.add_task("", total=max_iter, line="")
        self._progress.start()

    def stop(self) -> None:
        """Leave the line as it is."""
        self._progress.stop()

    def __call__(self, step: Step) -> None:
        """Show a finished iteration."""
        # Minibatches have no gradient of all rows
        norm = "" if math.isnan(step.gradient_norm) else f"|D| {step.gradient_norm:.2g}  "
        self._progress.update(
            self._task,
            completed=step.iteration,
            line=f"{step.iteration}/{self._max_iter}  J {step.J:.4g}  {norm}"
            + (self._pace(step.iteration) if step.iteration else ""),
        )

    def _pace(self, iteration: int) -> str:
        taken = time.monotonic() - self._since
        rate = iteration / max(taken, 1e-9)
        left = (self._max_iter - iteration) / rate
        if self._max_time is not None:
            left = min(left, max(self._max_time - taken, 0))
        speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        return f"{speed} it/s  {duration(left)} left"


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


def results(
    evaluations: Mapping[str, Evaluation],
    target: str,
    beside: Mapping[str, Evaluation] | None = None,
) -> None:
    """Print a line for each set of examples, and the confusion matrix of the last one.

    Scores that these are compared with stand below, set in.
    """
    console = data_console()
    table = Table(box=None, pad_edge=False)
    table.add_column("", style="bold")
    table.add_column("examples", justify="right")
    regression = next(iter(evaluations.values())).classes is None
    for heading in (f"RMSE ({word(target)})", "R2") if regression else ("accuracy", "wrong"):
        table.add_column(shown(heading), justify="right")
    set_in = {f"  {name}": evaluation for name, evaluation in (beside or {}).items()}
    for name, evaluation in {**evaluations, **set_in}.items():
        cells = (
            (", ".join(map(number, each_rmse(evaluation))), f"{evaluation.r2:.4f}")
            if regression
            else (percent(evaluation.accuracy), f"{len(evaluation.mistakes):,}")
        )
        table.add_row(shown(name), f"{len(evaluation.truth):,}", *cells)
    console.print(table)
    if not regression:
        name, evaluation = list(evaluations.items())[-1]
        console.print()
        confusion(evaluation, name, console)
    console.print()


def importances(found: Importances) -> None:
    """Print a bar for each of the columns that tell most."""
    console = data_console()
    console.print(f"rise of J on held-out rows, {found.J:.3g}, when a column is shuffled")
    top = list(zip(found.names, found.means, strict=True))[:MOST_COLUMNS]
    width, most = max(len(word(name)) for name, _ in top), max(float(found.means[0]), 1e-12)
    for name, mean in top:
        bar = "█" * round(BAR * max(float(mean), 0) / most)
        console.print(
            f"[bold]{shown(f'{word(name):<{width}}')}[/]  [cyan]{bar:<{BAR}}[/] {mean:.3g}"
        )
    if len(found.names) > len(top):
        console.print(f"and {len(found.names) - len(top)} columns that tell less")
    console.print()


def each_rmse(evaluation: Evaluation) -> list[float]:
    """Return the RMSE of each output, in its own units; R2 is their mean."""
    errors = (evaluation.answer - evaluation.truth).reshape(len(evaluation.truth), -1)
    return [float(value) for value in np.sqrt((errors**2).mean(axis=0))]


def confusion(evaluation: Evaluation, name: str, console: Console) -> None:
    """Print the confusion matrix, or the commonest confusions of many classes."""
    classes = [word(label) for label in evaluation.classes or ()]
    counts = evaluation.confusion
    if len(classes) > MOST_CLASSES or sum(map(len, classes)) > 4 * MOST_CLASSES:
        wrong = counts - np.diag(np.diag(counts))
        order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
        pairs = [divmod(int(i), len(classes)) for i in order]
        named = [f"{classes[i]} as {classes[j]} ({wrong[i, j]:,})" for i, j in pairs if wrong[i, j]]
        console.print(f"most often confused, {name}: {shown(', '.join(named) or 'nothing')}")
        return
    table = Table(
        title=f"confusion matrix, {name}: a row for the true class, a column for the predicted",
        title_justify="left",
        title_style="",
        box=None,
        pad_edge=False,
    )
    table.add_column("", style="bold", justify="right")
    for label in classes:
        table.add_column(shown(label), justify="right")
    for i, label in enumerate(classes):
        cells = [
            f"[green]{n:,}[/]" if i == j and n else f"[bold]{n:,}[/]" if n else "[dim]·[/]"
            for j, n in enumerate(counts[i])
        ]
        table.add_row(shown(label), *cells)
    console.print(table)


def facts(rows: Mapping[str, str]) -> None:
    """Print names and values in two columns; values are not wrapped, so a path can be copied."""
    console, width = data_console(), max(map(len, rows))
    for name, value in rows.items():
        console.print(f"[bold]{name:<{width}}[/]  {shown(value)}")

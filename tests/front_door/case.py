"""A file as somebody brings it, what should come of it, and what does.

Somebody types ``chainrule train FILE`` and perhaps some options.  Either a sensible model comes of
it, or one sentence that says what to type; then that is typed, and a sensible model comes of it.
"""

from __future__ import annotations

import io
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from typer.main import get_command

from chainrule.commands.app import app
from chainrule.workbench import picture

WORKS = "works"
SAYS = "said what to type"
SILENT = "silently wrong"
STUCK = "refused without a way out"
CRASH = "crash"
OUTCOMES = (WORKS, SAYS, SILENT, STUCK, CRASH)

QUICK = (("--lam", "0.1"), ("--max-iter", "100"), ("--no-check",))

COMMAND = get_command(app)  # once: this takes as long as many of the trainings

Content = str | bytes | Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A file, what is typed, and what should come of it.

    Attributes
    ----------
    file : str
        Its name, which is all that people say of its format.
    who : str
        Where such files come from, and what is special about this one.
    content : str, bytes or function of a path
        A string is written in UTF-8.
    words : str
        Options that are typed at first.
    typed : str
        Options that a refusal may ask for where it does not give the whole line to type.  They are
        then typed as well, and it must work.
    kind : "classes", "numbers" or None
        None where nothing can come of the file; the sentence then holds all that `says` says.
    outputs : int
        How many classes, or how many numbers, are predicted.
    rows, inputs : int or None
        How many there are for the network; None where more than one answer is sensible.
    score : float
        The least accuracy or R2, on held out rows.
    same : ndarray, optional
        The numbers that must be read: the inputs, and the target (or its code) as last column.
    says : tuple of str
        What must be printed on the way, in any case of letters; ``a|b`` is one of them.
    never_says : tuple of str
        What must not be printed, since it would be a false alarm.
    else_says : tuple of str
        What a refusal must say that is as good as a model, since no option can help.
    without, uses : tuple of str
        Columns that must not, and that must, become inputs.
    needs : str
        A module that reads the format; without it the file is not tried.
    stdin : bool
        Whether the file comes by standard input.
    """

    file: str
    who: str
    content: Content
    words: str = ""
    typed: str = ""
    kind: str | None = "numbers"
    outputs: int = 1
    rows: int | None = None
    inputs: int | None = None
    score: float = 0.8
    same: np.ndarray | None = None
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    else_says: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    needs: str = ""
    stdin: bool = False
    theme: str = ""

    @property
    def can_be_tried(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or find_spec(self.needs) is not None


@dataclass(frozen=True)
class Verdict:
    """What came of a case, whether it is what should have come, and why not."""

    outcome: str
    right: bool
    why: str = ""


@dataclass(frozen=True)
class Run:
    """What one run of the command gave: what was printed, and the outcome or the exception."""

    printed: str
    outcome: Any
    crash: BaseException | None

    @property
    def refused(self) -> bool:
        """Whether nothing was trained."""
        return self.outcome is None

    @property
    def lines(self) -> list[str]:
        """What was printed, line by line."""
        return [line for line in self.printed.splitlines() if line.strip()]

    @property
    def to_type(self) -> list[str]:
        """The options of the line that a refusal says to type, if it gives one."""
        found = re.search(r"type: chainrule train (.*)", self.printed)
        return shlex.split(found[1])[1:] if found else []

    @property
    def sentence(self) -> str:
        """What was printed, in one line."""
        return " ".join(self.printed.split())


@dataclass
class Corpus:
    """The cases of one theme, in the order of the file that holds them."""

    theme: str
    cases: list[Case] = field(default_factory=list)

    def __call__(self, file: str, who: str, content: Content, words: str = "", **then: Any) -> None:
        """Add a case."""
        self.cases.append(Case(file, who, content, words, theme=self.theme, **then))


def judge(case: Case, folder: Path) -> Verdict:
    """Bring the file as its owner would, and say what came of it."""
    path = folder / case.file
    if callable(case.content):
        case.content(path)
    else:
        content = case.content.encode() if isinstance(case.content, str) else case.content
        path.write_bytes(content)
    words = shlex.split(case.words)
    run = train(path, words, case.stdin)
    if run.crash is not None:
        return Verdict(CRASH, False, f"{type(run.crash).__name__}: {run.crash}")
    if not run.refused:
        return of_training(case, run, run.sentence)
    if case.kind is not None and run.to_type:
        return of_second_try(case, run, train(path, run.to_type, case.stdin))
    if case.typed and not lacking(case.typed, run.sentence):
        again = train(path, [*words, *shlex.split(case.typed)], case.stdin)
        return of_second_try(case, run, again)
    needed = case.says if case.kind is None else case.else_says
    unsaid = not_heard(needed, run.sentence)
    if len(run.lines) > 1:
        unsaid.append("it says more than one line")
    if needed and not unsaid:
        return Verdict(SAYS, True)
    if case.typed:
        unsaid.append(lacking(case.typed, run.sentence))
    return Verdict(STUCK, False, f"refused: {run.sentence} [{'; '.join(unsaid)}]")


def of_second_try(case: Case, first: Run, second: Run) -> Verdict:
    """Say what came of typing what a refusal asked for."""
    if second.crash is not None:
        return Verdict(CRASH, False, f"{type(second.crash).__name__}: {second.crash}")
    if second.refused:
        return Verdict(STUCK, False, f"{first.sentence} | that typed: {second.sentence}")
    verdict = of_training(case, second, f"{first.sentence} {second.sentence}")
    return Verdict(SAYS, True) if verdict.right else verdict


def of_training(case: Case, run: Run, said: str) -> Verdict:
    """Say whether a training that was not refused is what should have come."""
    if case.kind is None:
        return Verdict(SILENT, False, "it was trained on")
    wrong = [*differences(case, run.outcome), *not_heard(case.says, said)]
    wrong += [f"it says {words!r}" for words in case.never_says if words in said]
    return Verdict(SILENT, False, "; ".join(wrong)) if wrong else Verdict(WORKS, True)


def not_heard(needed: tuple[str, ...], said: str) -> list[str]:
    """Return which words were not said; those parted by ``|`` stand for each other."""
    return [
        f"it does not say {words!r}"
        for words in needed
        if not any(one.lower() in said.lower() for one in words.split("|"))
    ]


def lacking(typed: str, sentence: str) -> str:
    """Return what a sentence does not say of the options that help, or an empty string.

    Examples
    --------
    >>> lacking("--missing mean --drop A,B", "add --missing mean and --drop A")
    'it does not say B'
    """
    for option in re.split(r" (?=--)", typed):
        name, *value = shlex.split(option)
        parts = [name, *value[0].split(",")] if name == "--drop" else [" ".join([name, *value])]
        for words in parts:
            if not re.search(rf"(?<!\w){re.escape(words)}(?!\w)", sentence):
                return f"it does not say {words}"
    return ""


def differences(case: Case, outcome: Any) -> Iterator[str]:
    """Yield what is not as expected in a training."""
    data, held_out = outcome.training, outcome.held_out
    kind = "numbers" if data.classes is None else "classes"
    if kind != case.kind:
        yield f"the target is read as {kind}"
    elif kind == "classes" and len(data.classes) != case.outputs:
        yield f"there are {len(data.classes)} classes, {data.classes[:4]}"
    elif kind == "numbers" and data.Y.size != case.outputs * len(data):
        yield f"Y has the shape {data.Y.shape}"
    rows = len(data) + (0 if held_out is None else len(held_out))
    if case.rows is not None and rows != case.rows:
        yield f"there are {rows} rows, not {case.rows}"
    if case.inputs is not None and data.X.shape[1] != case.inputs:
        yield f"there are {data.X.shape[1]} inputs, {data.feature_names[:6]}, not {case.inputs}"
    if case.same is not None and kind == case.kind:
        parts = [np.column_stack([part.X, part.Y]) for part in (data, held_out) if part is not None]
        if not alike(np.vstack(parts), case.same):
            yield "other numbers were read"
    for name in case.without:
        if any(feature.startswith(name) for feature in data.feature_names):
            yield f"{name} is an input"
    for name in case.uses:
        if not any(feature.startswith(name) for feature in data.feature_names):
            yield f"{name} is no input"
    evaluation = outcome.evaluations.get("held out") or outcome.evaluations["trained on"]
    score = evaluation.r2 if evaluation.classes is None else evaluation.accuracy
    if kind == case.kind and not score >= case.score:
        yield f"the score is {score:.2f}, not {case.score}"


def alike(table: np.ndarray, other: np.ndarray) -> bool:
    """Whether two tables have the same rows, in whatever order."""
    if table.shape != other.shape:
        return False
    return np.allclose(table[np.lexsort(table.T)], other[np.lexsort(other.T)], rtol=1e-6)


def train(path: Path, words: list[str], stdin: bool) -> Run:
    """Run ``chainrule train``, all of it but the picture."""
    added = (*QUICK, ("--out", str(path.parent / "model.safetensors")))
    quick = [word for option in added if option[0] not in words for word in option]
    source, stream = ("-", path.read_bytes()) if stdin else (str(path), b"")
    printed, crash = io.StringIO(), None
    with (
        outcomes() as seen,
        redirect_stdout(printed),
        redirect_stderr(printed),
        patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stream))),
        patch.dict("os.environ", CHAINRULE_TRACEBACK="1"),
    ):
        try:
            COMMAND.main(["train", source, *words, *quick], prog_name="chainrule")
        except SystemExit:
            pass
        except Exception as error:
            crash = error
    return Run(printed.getvalue(), next(iter(seen), None), crash)


class NoPicture:
    """In place of the page of a training, which takes longer than these trainings."""

    def savefig(self, path: object) -> None:
        """Save nothing."""


@contextmanager
def outcomes() -> Iterator[list[Any]]:
    """Draw no pictures, and give the outcomes of the trainings that were to be drawn."""
    seen: list[Any] = []

    def page(outcome: Any, *_: object) -> NoPicture:
        outcome.evaluations  # noqa: B018  (computed on demand: a failure is the command's)
        seen.append(outcome)
        return NoPicture()

    with patch.object(picture, "page", page), patch.object(picture, "state", lambda _: None):
        yield seen


def table_of(cases: list[Case], verdicts: list[Verdict]) -> str:
    """Return the number of cases by theme and outcome, as a Markdown table.

    Examples
    --------
    >>> table = table_of([Case("a.csv", "", "", theme="texts")], [Verdict(WORKS, True)])
    >>> for line in table.splitlines()[1:]:
    ...     print(line)
    |---|---:|---:|---:|---:|---:|---:|
    | texts | 1 | 1 | 0 | 0 | 0 | 0 |
    | all | 1 | 1 | 0 | 0 | 0 | 0 |
    """
    counts: dict[str, Counter[str]] = {}
    for case, verdict in zip(cases, verdicts, strict=True):
        counts.setdefault(case.theme, Counter())[verdict.outcome] += 1
    counts["all"] = sum(counts.values(), Counter())
    lines = ["| theme | files | " + " | ".join(OUTCOMES) + " |", "|---|---:|" + "---:|" * 5]
    lines += [
        f"| {theme} | {count.total()} | " + " | ".join(str(count[o]) for o in OUTCOMES) + " |"
        for theme, count in counts.items()
    ]
    return "\n".join(lines)

"""The command that sets an exercise: a small backpropagation program with a mistake to find.

The right programs, and the slips as a table, are files in ``data/exercises``.  The answer travels
in the exercise as a comment that cannot be read at a glance.
"""

from __future__ import annotations

import base64
import binascii
import json
import random
import re
import secrets
import textwrap
import tomllib
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

Language = Literal["python", "octave"]
SUFFIXES: dict[Language, str] = {"python": ".py", "octave": ".m"}
COMMENTS: dict[Language, str] = {"python": "#", "octave": "%"}
SEALED = "sealed answer:"


@dataclass(frozen=True)
class Slip:
    """A mistake as a small edit of a right program.

    Attributes
    ----------
    program : str
        The right program: ``number`` or ``classes``.
    name : str
        Its name among `chainrule.diagnosis.MISTAKES`.
    words : str
        What is wrong, for the answer.
    start : int
        Where it is in the right program.
    right, wrong : str
        What stands there in the right program, and what stands there instead.
    """

    program: str
    name: str
    words: str
    start: int
    right: str
    wrong: str


def _data(name: str) -> str:
    return files("chainrule").joinpath("data", "exercises", name).read_text("utf-8")


def slips(level: int, language: Language) -> list[Slip]:
    """Return a level's slips; one that may be in either layer is two of them."""
    found: dict[Slip, None] = {}
    for row in tomllib.loads(_data("slips.toml"))["slip"]:
        for program in row["programs"] if level in row["levels"] else ():
            right = template(program, language)
            for layer in ("1", "2"):
                words, old, new = (
                    text.replace("L", layer) for text in (row["words"], *row[language])
                )
                found[Slip(program, row["name"], words, right.index(old), old, new)] = None
    return list(found)


def choices(level: int, language: Language) -> list[tuple[Slip, ...]]:
    """Return the exercises of a level: a slip each, at level 3 a pair of them."""
    single = slips(level, language)
    found: list[tuple[Slip, ...]] = [(slip,) for slip in single]
    if level == 3:
        pairs = combinations([slip for slip in single if slip.program == "classes"], 2)
        found = [pair for pair in pairs if _apart(*pair)]
    random.Random(level).shuffle(found)  # so that seeds in a row give exercises of many kinds
    return found


def _apart(one: Slip, other: Slip) -> bool:
    """Whether two slips are of different kinds and neither edits what the other does."""
    first, second = sorted((one, other), key=lambda slip: slip.start)
    kinds = {slip.name.split("-")[0] for slip in (one, other)}
    return len(kinds) == 2 and first.start + len(first.right) <= second.start


def template(program: str, language: Language) -> str:
    """Return a right program, with names in braces for what each exercise fills in."""
    return _data(f"{program}{SUFFIXES[language]}.txt")


def filled(text: str, **fill: Any) -> str:
    """Return a template with its names filled in."""
    for name, value in fill.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def edited(right: str, slips: Sequence[Slip]) -> str:
    """Return a program with slips in it."""
    for slip in sorted(slips, key=lambda slip: -slip.start):  # what stands before stays in place
        end = slip.start + len(slip.right)
        right = right[: slip.start] + slip.wrong + right[end:]
    return right


@dataclass(frozen=True)
class Answer:
    """One mistake of an exercise, as the answer tells it.

    Attributes
    ----------
    name, words : str
        As in `Slip`.
    line : int
        Where it is in the exercise, counted from 1.
    wrong, right : str
        What stands there, empty where a line is missing, and what should.
    """

    name: str
    words: str
    line: int
    wrong: str
    right: str


def answers(right: str, slips: Sequence[Slip]) -> list[Answer]:
    """Return where the slips are in the edited program, and what should stand there."""
    found = []
    for slip in slips:
        before = [other for other in slips if other.start < slip.start]
        # From the first letter that is edited: a slip that is a whole line begins with its indent
        start = slip.start + len(slip.right) - len(slip.right.lstrip())
        line = edited(right[:start], before).count("\n")
        missing = slip.wrong == "" and slip.right.endswith("\n")
        found.append(
            Answer(
                slip.name,
                slip.words,
                line + 1,
                "" if missing else edited(right, slips).splitlines()[line].strip(),
                right.splitlines()[right[:start].count("\n")].strip(),
            )
        )
    return found


def made(level: int, seed: int, language: Language) -> tuple[str, str]:
    """Return an exercise's file name and text.

    Examples
    --------
    >>> name, text = made(1, 0, "python")
    >>> name, text.splitlines()[2]
    ('exercise_1_0.py', 'Is it right?     chainrule check-gradient exercise_1_0.py:cost')
    """
    possible = choices(level, language)
    chosen = possible[seed % len(possible)]
    right = template(chosen[0].program, language)
    stem = f"exercise_{level}_{seed}"
    draw = random.Random(seed)
    n, hidden, K = draw.sample((3, 4, 5), 3)
    text = filled(
        edited(right, chosen),
        file=stem + SUFFIXES[language],
        function=stem,
        mistakes="is one mistake" if len(chosen) == 1 else "are two mistakes",
        n=n,
        hidden=hidden,
        K=K,
        m=draw.choice((6, 7, 8)),
        lam=draw.choice((0.5, 1.5, 2)),
        seed=seed,
    )
    return stem + SUFFIXES[language], f"{text}\n{sealed(answers(right, chosen), language)}"


def sealed(found: Sequence[Answer], language: Language) -> str:
    """Return the answer as a comment that cannot be read at a glance."""
    content = json.dumps([asdict(answer) for answer in found]).encode()
    text = base64.b64encode(zlib.compress(content, 9)).decode()
    mark = COMMENTS[language]
    return "".join(f"{mark} {SEALED} {part}\n" for part in textwrap.wrap(text, 72))


def opened(path: Path) -> list[Answer]:
    """Return the answer that is sealed in an exercise."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    parts = re.findall(rf"^[#%] {SEALED} (\S+)$", text, re.MULTILINE)
    if not parts:
        raise ValueError(
            f"{path}: has no sealed answer; the files that chainrule exercise writes have one at "
            "their end"
        )
    try:
        content = zlib.decompress(base64.b64decode("".join(parts), validate=True))
        return [Answer(**answer) for answer in json.loads(content)]
    except (binascii.Error, zlib.error, ValueError, TypeError):
        raise ValueError(
            f"{path}: its sealed answer is damaged; write the exercise again"
        ) from None


def exercise(
    level: Annotated[
        int,
        typer.Option(min=1, max=3, help="1: a plain mistake, 2: a subtle one, 3: two at once."),
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Which exercise.  (default: another one each time)"),
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the program.")] = "python",
    out: Annotated[Path, typer.Option(help="The folder for the file.")] = Path(),
    answer: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Open the sealed answer of an exercise.")
    ] = None,
) -> None:
    """Write a small backpropagation program with a mistake to find.

    check-gradient says whether you have repaired it; --answer FILE tells what
    was wrong.
    """
    if answer is not None:
        for found in opened(answer):
            print(f"{found.name}: {found.words}")
            print(f"  line {found.line}: {found.wrong or '(a line is missing before it)'}")
            print(f"  right:  {' ' * len(str(found.line))}{found.right}")
        return
    seed = secrets.randbelow(100_000) if seed is None else seed
    name, text = made(level, seed, language)
    if not out.is_dir():
        raise ValueError(f"--out {out}: must be a folder that exists")
    path = out / name
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ValueError(f"{path}: exists already; move it away, or take another --seed") from None
    function = ":cost" if language == "python" else ""
    print(f"{path}: find the mistake{'s' if level == 3 else ''} in it")
    print(f"is it right?  chainrule check-gradient {path}{function}")
    print(f"given up?     chainrule exercise --answer {path}")

"""The commands about photos: classify and collect, and training on one's own hand."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.commands import keeping
from chainrule.commands.exits import BAD_DATA, check_writable, complain, saved
from chainrule.commands.options import Json
from chainrule.common.checks import DataError, counted
from chainrule.common.files import write_whole
from chainrule.common.words import cell
from chainrule_command import at_stake

if TYPE_CHECKING:
    from chainrule.common.types import Array
    from chainrule.handwriting.reading import Reading
    from chainrule.model_file import Model


def classify(
    paths: Annotated[list[str], typer.Argument(metavar="PHOTO...", help="Photos of digits.")],
    model: Annotated[
        str | None, typer.Option(help="A model of one's own.  (default: the one shipped)")
    ] = None,
    show: Annotated[
        Path | None,
        typer.Option(help="Draw the photo with its readings, and every step: a .png file."),
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[
        bool,
        typer.Option(
            "--csv",
            help="The numbers in rows and columns as csv on stdout, after the file's name if "
            "several photos are given.",
        ),
    ] = False,
) -> None:
    """Read the digits in photos: a line a row, each number with its digits' probabilities."""
    from chainrule import model_file
    from chainrule.handwriting.reading import check_model, read, shipped_model
    from chainrule.handwriting.table import table

    if show is not None:
        check_writable("--show", show, ".png")
    if show is not None and len(paths) > 1:
        raise ValueError(f"--show draws one photo at a time: {len(paths)} were given")
    if as_json and as_csv:
        raise ValueError("--json and --csv both write to stdout: give one of them")
    network = shipped_model() if model is None else check_model(model_file.load(model))
    answers: list[dict[str, Any]] = []
    failed = 0
    for path in paths:
        try:
            reading = read(path, network)
        except DataError as error:
            if len(paths) == 1:
                raise
            complain(str(error))
            answers.append({"file": path, "error": str(error), "digits": []})
            failed += 1
            continue
        for note in reading.found.photo.notes:
            print(f"{path}: {note}", file=sys.stderr)
        answers.append({"file": path} | as_dict(reading))
        if as_csv:
            print(f"{path}: {said(reading)}", file=sys.stderr)
            name = [cell(path)] if len(paths) > 1 else []
            rows = table(reading.digits)
            csv.writer(sys.stdout, lineterminator="\n").writerows(
                name + [cell(text) for text in row] for row in rows
            )
        elif not as_json:
            print_reading(path, reading)
        if show is not None:
            from chainrule.handwriting.figure import reading_figure

            write_whole(show, reading_figure(reading, Path(path).name).savefig)
    if as_json:
        print(json.dumps(answers))
    if failed:
        raise typer.Exit(BAD_DATA)


def as_dict(reading: Reading) -> dict[str, Any]:
    """Return a reading as JSON holds it."""
    from chainrule.handwriting.table import table

    digits = reading.digits
    return {
        "size": reading.found.photo.size,
        "turned": reading.found.photo.turned,
        "digits": [
            {
                "label": d.label,
                "probability": round(d.probability, 4),
                "box": d.box,
                "row": d.row,
                "sign_before": d.sign_before,
                "separator_after": d.separator_after,
                "cell": d.cell,
            }
            for d in digits
        ],
        "table": table(digits),
        "no_digits": reading.strangers,
    }


def print_reading(path: str, reading: Reading) -> None:
    """Print a photo's digits, a line a row."""
    from chainrule.handwriting.table import numbers, written

    print(f"{path}: {said(reading)}")
    for row in numbers(reading.digits):
        cells = []
        for number in row:
            sure = " ".join(f"{min(100 * d.probability, 99.9):.1f}" for d in number)
            cells.append(f"{written(number)} ({sure} %)")
        print("  " + "  ".join(cells))


def said(reading: Reading) -> str:
    """Return how many digits there are, how many are doubtful, and what else there is."""
    from chainrule.handwriting.reading import UNSURE

    digits, strangers = reading.digits, len(reading.strangers)
    aside = f"{counted(strangers, 'mark')} that {'is' if strangers == 1 else 'are'} no digit"
    if not digits:
        nothing = "nothing of a digit's size" if reading.found.mask.any() else "nothing written"
        return f"no digit, {aside if strangers else nothing}"
    doubtful = sum(digit.probability < UNSURE for digit in digits)
    parts = [counted(len(digits), "digit")]
    parts += [f"{doubtful} doubtful"] * bool(doubtful) + [aside] * bool(strangers)
    return ", ".join(parts)


def collect(
    path: Annotated[str, typer.Argument(metavar="PHOTO", help="A photo of your digits.")],
    label: Annotated[str, typer.Option(help="The digits in reading order, as 0123456789.")],
    folder: Annotated[Path, typer.Option(help="Where labelled photos are kept.")] = Path("digits"),
) -> None:
    """Keep a labelled photo of your own digits, for train FOLDER --from MODEL."""
    from chainrule.handwriting import learning

    n = learning.collect(path, label, folder)
    print(f"{path}: {counted(n, 'digit')} added to {folder}")


def train_on_own(folder: str, start: Path, out: Path | None, seed: int, as_json: bool) -> None:
    """Go on from a model with the labelled photos of a folder."""
    from chainrule import __version__, model_file
    from chainrule.commands import terminal
    from chainrule.handwriting import learning
    from chainrule.handwriting.reading import check_model, shipped_model

    out = out or Path(f"{Path(folder).resolve().name}.safetensors")
    check_writable("--out", out, ".safetensors")
    old = shipped_model() if str(start) == "shipped" else check_model(model_file.load(start))
    X, y = learning.collected(folder)
    terminal.say(f"{folder}: {counted(len(X), 'digit')} of your own")
    with terminal.Terminal() as tell:
        with tell.progress(f"drawing {sum(learning.REHEARSED):,} not to be forgotten") as done:
            kept = learning.drawings(*learning.REHEARSED, seed, done)[0]
        keeper = keeping.beside(out, tell)
        at_stake.set()
        result = learning.adapted(
            old, X, y, kept, seed, lambda step: tell.iteration(step, learning.OWN_EPOCHS), keeper
        )
    provenance = model_file.Provenance(
        __version__,
        seed,
        {"from": str(start), "digits": len(X), "before": asdict(old.provenance)},
        folder,
        learning.sha256(X, y),
        result.J,
        result.stopped,
    )
    new = replace(old, theta=result.theta, provenance=provenance)
    keeping.save(out, new, half=True)
    keeping.end_if_interrupted(result, out, keeper)
    keeper.remove()
    with saved(f"the network is saved in {out}"):
        _tell(out, old, new, X, y, as_json)


def _tell(out: Path, old: Model, new: Model, X: Array, y: Array, as_json: bool) -> None:
    """Print how many digits are read rightly, before and after."""
    from chainrule.commands import terminal

    right = {
        name: sum(a == b for a, b in zip(model.labels(X), y.tolist(), strict=True))
        for name, model in (("before", old), ("after", new))
    }
    if as_json:
        print(json.dumps({"digits": len(X), "right": right, "model": str(out)}))
    else:
        told = (f"{n} of {len(X)} of your digits right" for n in right.values())
        terminal.facts(dict(zip(right, told, strict=True)) | {"model": str(out)})

"""What keeps a command's training, and where its network goes when the folder of --out fails."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chainrule.commands.exits import BAD_MODEL, complain, fail
from chainrule_command import interrupted

if TYPE_CHECKING:
    from chainrule.commands.terminal import Terminal
    from chainrule.model_file import Model
    from chainrule.optimize import Result
    from chainrule.training.checkpoint import Checkpoint

FIRST = 60.0  # seconds; a shorter training is soon done again


def beside(out: Path, tell: Terminal, resume: bool | str = True) -> Checkpoint:
    """Return what keeps a training of more than a minute, in a file beside its model's."""
    from chainrule.training.checkpoint import Checkpoint

    path = out.with_name(f"{out.name}.ckpt")
    return Checkpoint(path, resume=resume, first=FIRST, tell=tell.note)


def end_if_interrupted(result: Result, out: Path, keeper: Checkpoint | None) -> None:
    """Name what is saved, and end, where a signal has ended the training."""
    if result.interrupted:
        say_interrupted(result, out, keeper)
        raise typer.Exit(interrupted())


def say_interrupted(result: Result, out: Path, keeper: Checkpoint | None) -> None:
    """Name what is saved where a signal has ended the training."""
    there = keeper is not None and keeper.path.exists()
    more = f"; the same command goes on from {keeper.path}" if keeper and there else ""
    complain(f"interrupted: the best theta so far (J = {result.J:.4g}) is saved in {out}{more}")


def save(out: Path, model: Model, *, half: bool) -> None:
    """Write a model, and where that fails write it elsewhere, say so and end."""
    from chainrule import model_file

    try:
        model_file.save(out, model, half=half)
        return
    except model_file.ModelFileError as error:
        what = str(error)
    for folder in (Path.cwd(), Path.home(), Path(tempfile.gettempdir())):
        elsewhere = folder / out.name
        if elsewhere.exists():
            continue
        try:
            model_file.save(elsewhere, model, half=half)
        except model_file.ModelFileError:
            continue
        fail(f"{what}; the network is saved in {elsewhere} instead", BAD_MODEL)
    fail(what, BAD_MODEL)

"""The options of ``chainrule drive``; what it does is in `chainrule.commands.alvinn`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from chainrule.commands.exits import check_writable, saved
from chainrule.commands.options import Json

app = typer.Typer(
    invoke_without_command=True,
    help="ALVINN: a network watches a driver for a few minutes, then steers by itself (on "
    "Gymnasium's CarRacing-v3).  Without watch, train or go: all in one, the network taking over "
    "more and more while it learns.",
)
Minutes = Annotated[float, typer.Option(min=0.1, max=100, help="Of driving to watch, simulated.")]
Units = Annotated[int, typer.Option(min=1, help="Hidden units.")]
Tracks = Annotated[int, typer.Option(min=1, help="How many unseen tracks to drive.")]
FirstSeed = Annotated[int, typer.Option(min=0, max=999_999, help="Of the first unseen track.")]
Teach = Annotated[
    Literal["geometry", "keyboard"],
    typer.Option(help="Whom to watch: a driver who sees the track's geometry, or you."),
]
DriverSeed = Annotated[int, typer.Option(min=0, help="Of the learning and the tracks watched.")]


@app.callback()
def drive(
    ctx: typer.Context,
    minutes: Minutes = 5.0,
    hidden: Units = 4,
    tracks: Tracks = 10,
    first_seed: FirstSeed = 1000,
    teach: Teach = "geometry",
    seed: DriverSeed = 0,
    out: Annotated[
        Path, typer.Option(help="The model file; an animation and a picture go beside it.")
    ] = Path("alvinn.safetensors"),
    quick: Annotated[bool, typer.Option("--quick", help="--minutes 1 --tracks 3.")] = False,
    as_json: Json = False,
) -> None:
    """Learn on the fly, then drive unseen tracks."""
    given = {
        name
        for name in ctx.params
        if (source := ctx.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
    if ctx.invoked_subcommand is not None:
        if given:
            raise ValueError(f"drive {ctx.invoked_subcommand}: its options go after its name")
        return
    from chainrule.commands import alvinn

    if quick:
        minutes = minutes if "minutes" in given else 1.0
        tracks = tracks if "tracks" in given else 3
    check_writable("--out", out, ".safetensors")
    lesson = alvinn.learn_on_the_fly(out, minutes, hidden, seed, teach)
    with saved(f"the network is saved in {out}: chainrule drive go {out}"):
        alvinn.go(out, tracks, first_seed, out.with_suffix(".gif"), as_json, **lesson)


@app.command("watch")
def watch(
    minutes: Minutes = 5.0,
    teach: Teach = "geometry",
    seed: DriverSeed = 0,
    out: Annotated[Path, typer.Option(help="The recording.")] = Path("watched.npz"),
) -> None:
    """Record a teacher who drives."""
    from chainrule.commands import alvinn

    check_writable("--out", out, ".npz")
    alvinn.watch(out, minutes, seed, teach)


@app.command("train")
def train(
    recording: Annotated[Path, typer.Argument(help="Of 'chainrule drive watch'.")],
    hidden: Units = 4,
    seed: DriverSeed = 0,
    out: Annotated[Path, typer.Option(help="The model file.")] = Path("alvinn.safetensors"),
) -> None:
    """Train a network on a recording."""
    from chainrule.commands import alvinn

    check_writable("--out", out, ".safetensors")
    alvinn.train(recording, out, hidden, seed)


@app.command("go")
def go(
    path: Annotated[Path, typer.Argument(metavar="MODEL", help="Of 'chainrule drive'.")],
    tracks: Tracks = 10,
    first_seed: FirstSeed = 1000,
    out: Annotated[
        Path | None, typer.Option(help="The animation, a .gif.  (default: beside the model)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a network drive unseen tracks."""
    from chainrule.commands import alvinn

    film = path.with_suffix(".gif") if out is None else out
    check_writable("--out", film, ".gif")
    alvinn.go(path, tracks, first_seed, film, as_json)

"""The commands for tables: train, predict, evaluate, info."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from chainrule.commands import keeping, photos
from chainrule.commands.exits import BAD_DATA, check_writable, complain, fail, faulty, saved
from chainrule.commands.options import (
    Drop,
    Encoding,
    Files,
    Header,
    Json,
    Memory,
    ModelPath,
    Source,
)
from chainrule.common.checks import DataError, counted
from chainrule.common.files import reason, write_whole
from chainrule.workbench.request import (
    ACTIVATION,
    FEWEST,
    LAM,
    LAM_OF_FEW,
    MAX_ITER,
    OPTIMIZER,
    Request,
)
from chainrule_command import interrupted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from chainrule.commands.terminal import Terminal
    from chainrule.datasets import Dataset
    from chainrule.datasets.contents import Contents
    from chainrule.evaluation.scores import Evaluation
    from chainrule.model_file import Model
    from chainrule.training.checkpoint import Checkpoint
    from chainrule.workbench.committee import Committed
    from chainrule.workbench.pipeline import Outcome

LEAST_BARE = 10**6  # bytes that are asked for without a unit: fewer are meant as megabytes


def train(
    ctx: typer.Context,
    source: Source,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="The column to predict, by name or position (1, -1); several with commas between. "
            " (default: the one called target, label, class or y, else the last)"
        ),
    ] = None,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain",
            help="For a table, too: one network by the notes' six steps.  Options of such a "
            "network (--hidden, --lam, --optimizer, --missing, --keep, --checkpoint and others) "
            "mean it as well.",
        ),
    ] = False,
    hidden: Annotated[
        str | None, typer.Option(help="Hidden units, one number a layer: 25, or 25,25.")
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            help="g of the hidden layers: one name, or one a layer (tanh,relu).  (default: "
            f"{ACTIVATION})"
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            help="sigmoid, softmax, identity or exp.  (default: sigmoid for classes, identity "
            "for numbers)"
        ),
    ] = None,
    lam: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="lambda, the regularisation.  (default: for a table the best of several in a "
            f"3-fold cross-validation, or {LAM_OF_FEW:g} with fewer than {FEWEST} rows; for "
            f"pictures {LAM:g})",
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="lbfgs, gd (gradient descent), cg, scg, newton-cg, lm, br, scipy:NAME as "
            f"scipy:CG; over minibatches adam, adamw, sgd.  (default: {OPTIMIZER})"
        ),
    ] = None,
    max_iter: Annotated[
        int | None, typer.Option(min=0, help=f"Iterations at most.  (default: {MAX_ITER})")
    ] = None,
    max_time: Annotated[float | None, typer.Option(min=0, help="Seconds at most.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random start and of the split.")] = 0,
    test_size: Annotated[
        float | None,
        typer.Option(
            help="Share of the rows that is held out; 0 for none.  (default: the file's own test "
            "set, else 0.2)"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The model file; the picture goes beside it.  (default: by SOURCE)"),
    ] = None,
    scale: Annotated[
        bool | None,
        typer.Option(
            "--scale/--no-scale",
            help="Standardise inputs and a regression's target.  (default: tables, not images)",
        ),
    ] = None,
    drop: Drop = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns to use although they look like identifiers, or have many categories."
        ),
    ] = None,
    missing: Annotated[
        Literal["mean", "drop", "category"] | None,
        typer.Option(
            help="mean: fill in missing values; drop: leave their rows out; category: tell the "
            "network where they were.  (default: refuse them)"
        ),
    ] = None,
    na: Annotated[
        list[str] | None,
        typer.Option(help="Values that mean a missing one, such as -999."),
    ] = None,
    cv: Annotated[
        bool,
        typer.Option(
            "--cv",
            help="Choose lam and the hidden units by 3-fold cross-validation: 0.1, 1, 10 and 10, "
            "25, 50, and further where that is better; one that is given stays.",
        ),
    ] = False,
    kind: Annotated[
        Literal["classes", "numbers"] | None,
        typer.Option(help="Of the target: classes or numbers.  (default: by its values)"),
    ] = None,
    header: Header = None,
    encoding: Encoding = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of adam, adamw, sgd.  (default: the optimizer's own)")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Rows in a minibatch.  (default: 200)")
    ] = None,
    dropout: Annotated[
        str | None,
        typer.Option(
            help="Share of units to leave out, of all hidden layers, or a list, inputs "
            "first.  Minibatches only."
        ),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(
            help="Share of the training rows to watch: the network is the one of the "
            "lowest J_val on them."
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Iterations without a gain before training ends.  (default: 10, in "
            "minibatches and with --validation)"
        ),
    ] = None,
    n_restarts: Annotated[
        int, typer.Option(help="Random starts to train from; the best is kept.")
    ] = 1,
    threads: Annotated[
        int | None, typer.Option(help="Cores to use.  (default: all, where that is faster)")
    ] = None,
    recipe: Annotated[
        Literal["plain", "dropout", "distorted", "photos"] | None,
        typer.Option(help="For mnist: network and training that are known to go well on it."),
    ] = None,
    from_model: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Go on from a model that reads photos, or from 'shipped': SOURCE is a folder of "
            "collect's.",
        ),
    ] = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Skip the gradient check before training.")
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="A file that keeps the training, for the same command to go on from.  (default: "
            "beside --out, in runs of more than a minute, until the model is saved)"
        ),
    ] = None,
    no_checkpoint: Annotated[
        bool, typer.Option("--no-checkpoint", help="Keep nothing but the model.")
    ] = False,
    resume: Annotated[
        Literal["yes", "anyway"],
        typer.Option(help="anyway: go on from a checkpoint of other data, options or versions."),
    ] = "yes",
    no_resume: Annotated[
        bool, typer.Option("--no-resume", help="Begin anew where there is a checkpoint.")
    ] = False,
    memory: Memory = None,
    spool: Annotated[
        Path | None,
        typer.Option(
            help="The folder for the scratch files of a table that is read in blocks.  (default: "
            "TMPDIR's, or /var/tmp)"
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="A Dask scheduler's address, as tcp://host:8786, or local:4 for 4 processes here: "
            "its workers sum over the rows, and have to reach the folder of --spool."
        ),
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(
            help="Learn by minibatches on so many parts of the rows side by side, averaged after "
            "each epoch: another algorithm than without."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train on a table or on pictures; save the model and a picture.

    A table gives a committee of small networks, its text, dates and gaps as they
    come; pictures, or --plain, one network by the notes' six steps.
    """
    if from_model is not None:
        return photos.train_on_own(source, from_model, out, seed, as_json)
    request = Request(
        source,
        tuple(target) if target else None,
        drop=tuple(drop or ()),
        missing=missing,
        kind=kind,
        header=header,
        encoding=encoding,
        na=tuple(na or ()),
        keep=tuple(keep or ()),
        test_size=test_size,
        hidden=None if hidden is None else _units(hidden),
        activation=None if activation is None else _names(activation),
        output=output,
        scale=scale,
        lam=lam,
        optimizer=optimizer,
        max_iter=max_iter,
        cv=cv,
        learning_rate=learning_rate,
        batch_size=batch_size,
        dropout=None if dropout is None else _shares(dropout),
        patience=patience,
        validation=validation,
        n_restarts=n_restarts,
        threads=threads,
        recipe=recipe,
        max_time=max_time,
        seed=seed,
        check=not no_check,
        memory=_bytes(memory),
        spool=spool,
        cluster=cluster,
        lanes=lanes,
    )
    if spool is not None and not (spool.is_dir() and os.access(spool, os.W_OK | os.X_OK)):
        raise ValueError(f"--spool {spool}: name a folder that exists and that you can write to")
    if cluster is not None:
        from chainrule.workbench import on_cluster

        on_cluster.check(cluster)
    out = out or Path(f"{_stem(source)}.safetensors")
    check_writable("--out", out, ".safetensors")
    how = False if no_resume else "anyway" if resume == "anyway" else True

    from chainrule.engine.spool import cleared

    with cleared():
        _train(
            ctx,
            request,
            out,
            None if no_checkpoint else (checkpoint, how),
            as_json,
            plain=plain or checkpoint is not None,
        )


def _train(
    ctx: typer.Context,
    request: Request,
    out: Path,
    kept: tuple[Path | None, bool | str] | None,
    as_json: bool,
    *,
    plain: bool,
) -> None:
    """Train, save and tell; `kept` says where a checkpoint is, and whether to go on from it."""
    from chainrule.commands import terminal
    from chainrule.datasets.contents import Contents
    from chainrule.workbench import committee
    from chainrule.workbench.beside import advice, comparisons
    from chainrule.workbench.on_cluster import workers_of
    from chainrule.workbench.pipeline import opened, run

    with terminal.Terminal(request.max_time) as tell, workers_of(request.cluster, tell) as workers:
        keeper = None if kept is None else _keeper(*kept, out, request.optimizer, tell)
        try:
            contents = opened(request)
            why = None if plain else committee.plainly(request, contents)
            if why is None and not plain:
                assert isinstance(contents, Contents)
                return _train_committee(request, contents, out, tell, as_json)
            if why and isinstance(contents, Contents):
                contents = replace(contents, notes=(*contents.notes, why))
            elif why:
                tell.note(why)
            outcome = run(request, tell, checkpoint=keeper, workers=workers, contents=contents)
        except DataError as error:
            faulty(error, ctx)
    replaced = out.exists()
    keeping.save(out, outcome.model, half=outcome.request.recipe == "photos")
    if replaced:
        terminal.say(f"{out} was there: it is replaced")
    if outcome.result.interrupted:  # the scores come soon, a picture does not
        keeping.say_interrupted(outcome.result, out, keeper)
        _tell(outcome, {}, {"model": str(out)}, as_json)
        raise typer.Exit(interrupted())
    if keeper is not None and kept is not None and kept[0] is None:
        keeper.remove()  # the network that it was for is safe
    with saved(f"the network is saved in {out}, but not its picture"):
        picture = _draw(outcome, out)
    with saved(f"the network is saved in {out}, its picture in {picture}"):
        large = outcome.spooled is not None and outcome.held_out is not None
        with _bar("training a linear model, to compare with", large) as told:
            beside = comparisons(outcome, told)
        _tell(outcome, beside, {"model": str(out), "picture": str(picture)}, as_json)
        for line in advice(outcome, beside):
            terminal.say(line)


def _bar(what: str, shown: bool) -> AbstractContextManager[Callable[[float], None]]:
    """Return what takes the share that is done, and shows it where the work is long."""
    from chainrule.commands import terminal

    return terminal.Terminal().progress(what) if shown else nullcontext(lambda share: None)


def _train_committee(
    request: Request, contents: Contents, out: Path, tell: Terminal, as_json: bool
) -> None:
    """Train a committee on a table, save it and tell."""
    from chainrule.commands import terminal
    from chainrule.workbench import committee, picture

    try:
        outcome = committee.run(request, contents, tell)
    except KeyboardInterrupt:
        complain("interrupted: nothing is saved, since a committee is of use when it is complete")
        raise typer.Exit(interrupted()) from None
    replaced = out.exists()
    keeping.save(out, outcome.model, half=False)
    if replaced:
        terminal.say(f"{out} was there: it is replaced")
    with saved(f"the network is saved in {out}, but not its picture"):
        path = _drawn(lambda: picture.committee(outcome, out.stem), out)
    files = {"model": str(out), "picture": str(path)}
    with saved(f"the network is saved in {out}, its picture in {path}"):
        evaluations, beside, tells = outcome.evaluations, outcome.comparisons, outcome.importances
        if as_json:
            print(json.dumps({**_summary_of_committee(outcome), **files}))
            return
        terminal.results(evaluations, str(outcome.model.encoder.target), beside)
        if tells is not None:
            terminal.importances(tells)
        terminal.facts(files)
        for line in committee.advice(outcome):
            terminal.say(line)


def _summary_of_committee(outcome: Committed) -> dict[str, Any]:
    """Return what ``--json`` prints about a committee."""
    evaluations, tells = outcome.evaluations, outcome.importances
    held_out = evaluations.get("held out")
    kinds = outcome.net.committee_.kinds
    return {
        "network": asdict(outcome.model.network),
        "seed": outcome.request.seed,
        "J_val": outcome.net.J_,
        "columns": outcome.net.notes_,
        "kinds": [
            {
                "inputs": int(kind.inputs.sum()),
                "by_relevance": kind.by_relevance,
                "hidden": kind.hidden,
                "lam": kind.lam,
                "J_val": kind.J,
                "share": kind.share,
            }
            for kind in kinds
        ],
        "out_of_fold": evaluations["out of fold"].as_dict(),
        "held_out": held_out and held_out.as_dict(),
        "beside": {name: found.as_dict() for name, found in outcome.comparisons.items()},
        "importances": tells and tells.as_dict(),
    }


def _tell(
    outcome: Outcome, beside: Mapping[str, Evaluation], files: Mapping[str, str], as_json: bool
) -> None:
    """Print the scores, what they are compared with, and the files."""
    from chainrule.commands import terminal

    if as_json:
        scores = {name: evaluation.as_dict() for name, evaluation in beside.items()}
        print(json.dumps({**_summary(outcome), "beside": scores, **files}))
    else:
        terminal.results(outcome.evaluations, str(outcome.training.target), beside)
        terminal.facts(files)


def _keeper(
    path: Path | None, resume: bool | str, out: Path, optimizer: str | None, tell: Terminal
) -> Checkpoint | None:
    """Return what keeps the training: without a path only one of more than a minute."""
    from chainrule.training.checkpoint import CANNOT_GO_ON, Checkpoint

    if optimizer is not None and optimizer.startswith("scipy:"):
        if path is not None:
            raise ValueError(CANNOT_GO_ON.format(optimizer))
        tell.note("no checkpoint is kept: SciPy's minimizers cannot go on from one")
        return None
    if path is not None:
        return Checkpoint(path, resume=resume, tell=tell.note)
    return keeping.beside(out, tell, resume)


def _stem(source: str) -> str:
    """Return how the model of some data is called: as their file, or the folder of their files.

    Examples
    --------
    >>> [_stem(source) for source in ("a/homes.csv", "a/homes/*.parquet", "-", "*.csv")]
    ['homes', 'homes', 'stdin', 'model']
    """
    path = Path(source)
    path = path.parent if set(path.name) & set("*?[") and not path.exists() else path
    return "stdin" if source == "-" else path.stem or "model"


def _bytes(memory: str | None) -> int | None:
    """Return --memory as a number of bytes."""
    if memory is None:
        return None
    from chainrule.engine.memory import bytes_of

    found = 0
    with suppress(ValueError):
        found = bytes_of(memory)
    if not found:
        raise ValueError(f"--memory {memory!r}: give a size, as 2GB or 500MB")
    if found < LEAST_BARE and not memory.strip()[-1].isalpha():
        raise ValueError(
            f"--memory {memory}: a number alone is one of bytes: type {memory.strip()}MB"
        )
    return found


def _units(hidden: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in hidden.split(","))
    except ValueError:
        raise ValueError(f"--hidden {hidden!r}: give whole numbers, as 25 or 25,25") from None


def _shares(dropout: str) -> float | tuple[float, ...]:
    try:
        shares = tuple(float(part) for part in dropout.split(","))
    except ValueError:
        raise ValueError(f"--dropout {dropout!r}: give shares, as 0.5 or 0.2,0.5") from None
    return shares[0] if len(shares) == 1 else shares


def _names(activation: str) -> str | tuple[str, ...]:
    names = tuple(activation.split(","))
    return names[0] if len(names) == 1 else names


def _draw(outcome: Outcome, out: Path) -> Path:
    """Draw a network's pictures beside its file; return the path of the training's page."""
    from chainrule.workbench import picture

    path = _drawn(lambda: picture.page(outcome, out.stem), out)
    state = picture.state(outcome)
    if state is not None:
        _drawn(lambda: state, out.with_name(f"{out.stem}-state.png"))
    return path


def _drawn(draw: Callable[[], Figure], out: Path) -> Path:
    """Draw a picture beside a network's file; return its path."""
    path = out.with_suffix(".png")
    try:
        write_whole(path, draw().savefig)
    except OSError as error:
        fail(
            f"the network is saved in {out}, but its picture could not be ({reason(error)})",
            BAD_DATA,
        )
    return path


def _summary(outcome: Outcome) -> dict[str, Any]:
    """Return what ``--json`` prints about a training."""
    result, check, evaluations = outcome.result, outcome.check, outcome.evaluations
    held_out = evaluations.get("held out")
    return {
        "network": asdict(outcome.model.network),
        "lam": outcome.lam,
        "seed": outcome.request.seed,
        "optimizer": outcome.plan.arguments["optimizer"],
        "J": result.J,
        "iterations": result.n_iter,
        "evaluations": result.n_eval,
        "stopped": result.stopped,
        "converged": result.converged,
        "largest_relative_error": check and float(check.relative_errors.max()),
        "cross_validation": [
            {"layers": choice.network.layers, "lam": choice.lam, "score": choice.score}
            for choice in outcome.plan.choices
        ],
        "trained_on": evaluations["trained on"].as_dict(),
        "held_out": held_out and held_out.as_dict(),
    }


def predict(
    ctx: typer.Context,
    path: ModelPath,
    file: Files,
    drop: Drop = None,
    header: Header = None,
    encoding: Encoding = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A file for the answers, .csv or .parquet.  (default: csv on stdout)"),
    ] = None,
    memory: Memory = None,
    as_json: Json = False,
) -> None:
    """Print the model's answer for each row of a file, as csv."""
    from chainrule import model_file
    from chainrule.commands import answering

    if out is not None:
        check_writable("--out", out, ".csv", ".parquet")
    model = model_file.load(path)
    how: dict[str, Any] = {"header": header, "encoding": encoding, "drop": drop, "ctx": ctx}
    how |= {"labelled": False, "bar": out is not None or not sys.stdout.isatty()}
    parts = (data.X for data in parts_like_training(model, file, memory, **how))
    if as_json:
        h = np.concatenate([model.predict(X) for X in parts])
        numbers = model.classes is None
        answers = (h if h.shape[1] > 1 else h[:, 0]).tolist() if numbers else model.named(h)
        print(json.dumps({"predictions": answers, "h": h.tolist()}))
        return
    answering.write(out, model, parts)


def evaluate(
    ctx: typer.Context,
    path: ModelPath,
    file: Files,
    drop: Drop = None,
    header: Header = None,
    encoding: Encoding = None,
    memory: Memory = None,
    as_json: Json = False,
) -> None:
    """Compare what the model predicts with what is true in a file."""
    from chainrule import model_file
    from chainrule.commands import terminal
    from chainrule.workbench.pipeline import evaluated

    model = model_file.load(path)
    how: dict[str, Any] = {"header": header, "encoding": encoding, "drop": drop, "ctx": ctx}
    evaluation = evaluated(model, parts_like_training(model, file, memory, **how))
    if as_json:
        print(json.dumps(evaluation.as_dict()))
    else:
        terminal.results({file: evaluation}, str(model.encoder.target))


def info(path: ModelPath, as_json: Json = False) -> None:
    """Say what a model file holds and where it came from."""
    from chainrule import model_file
    from chainrule.commands import terminal

    model = model_file.load(path)
    encoder = model.encoder
    facts = {
        "network": asdict(model.network),
        "weights": model.network.size,
        "dtype": str(model.theta.dtype),
        "target": encoder.target,
        "classes": encoder.classes,
        "inputs": encoder.feature_names,
        "image": encoder.image_shape,
        "standardised": model.scaling is not None,
        "target_standardised": model.target_scaling is not None,
        **asdict(model.provenance),
    }
    if as_json:
        print(json.dumps(facts))
    else:
        terminal.facts({name: terminal.plain(value) for name, value in facts.items()})


def rows_like_training(
    model: Model,
    file: str,
    header: bool | None = None,
    encoding: str | None = None,
    drop: list[str] | None = None,
    ctx: typer.Context | None = None,
    *,
    labelled: bool = True,
) -> Dataset:
    """Read a file as the model's training data were read, and say what was found."""
    from chainrule import datasets
    from chainrule.commands import terminal
    from chainrule.workbench.telling import in_options

    how: dict[str, Any] = {"header": header, "encoding": encoding, "labelled": labelled}
    try:
        data = datasets.load_like(file, model.encoder, drop=drop or (), **how)
    except DataError as error:
        faulty(error, ctx)
    for note in data.notes:
        terminal.say(f"{file}: {in_options(note)}")
    return data


def parts_like_training(
    model: Model,
    file: str,
    memory: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    drop: list[str] | None = None,
    ctx: typer.Context | None = None,
    *,
    labelled: bool = True,
    bar: bool = True,
) -> Iterator[Dataset]:
    """Yield a file as `rows_like_training` reads it: in parts, where it would not fit memory.

    A bar shows how much is read; rows that are printed meanwhile would tear it apart.
    """
    from chainrule.commands import terminal
    from chainrule.datasets.tables import reading_like
    from chainrule.engine.learning import like_training
    from chainrule.workbench.spooling import WHOLE, Large, in_blocks
    from chainrule.workbench.telling import in_options

    try:
        large = Large.of(file, _bytes(memory))
        if large is None:
            if memory is not None and not in_blocks(file):
                terminal.say(f"{file}: {WHOLE}")
            data = rows_like_training(model, file, header, encoding, drop, ctx, labelled=labelled)
            if labelled and data.held_out is not None:
                size = counted(len(data.held_out), "row")
                terminal.say(f"{file}: its own test set is scored, {size}")
                data = data.held_out
            yield data
            return
        terminal.say(f"{file}: {large.why}")
        said = set[str]()
        reading = reading_like(model.encoder, header, encoding)
        with _bar(f"reading {file}", bar) as told:
            for data in like_training(
                large.scan,
                model.encoder,
                reading,
                drop or (),
                labelled=labelled,
                told=told,
            ):
                for note in data.notes:  # of a column the first says enough
                    if (what := note.partition(": ")[0]) not in said:
                        said.add(what)
                        terminal.say(f"{file}: {in_options(note)}")
                if len(data):
                    yield data
    except DataError as error:
        faulty(error, ctx)

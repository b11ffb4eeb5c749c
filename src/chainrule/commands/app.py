"""The command ``chainrule``: options turned into calls of the library.

Data go to stdout, messages to stderr.  Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 bad
data, 4 a bad model file, 130 ended by Ctrl-C.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup

from chainrule.commands import photos as photo_commands

if TYPE_CHECKING:
    from chainrule.datasets import Dataset
    from chainrule.evaluation.selection import Choice
    from chainrule.model_file import Model
    from chainrule.notes.gradient_report import GradientReport

USAGE_ERROR: type[Any] = typer.BadParameter.__mro__[1]  # UsageError: Click's, or Typer's own
CHECK_FAILED, USAGE, BAD_DATA, BAD_MODEL, CTRL_C = 1, 2, 3, 4, 130
LAM = 1.0  # the course's, in its exercise of handwritten digits
HIDDEN = "25"  # the course's too
CV_LAMS, CV_HIDDEN = (0.1, 1.0, 10.0), ("10", "25", "50")


class Commands(TyperGroup):
    """The commands; an error of theirs is one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, where a full disk can still be told
            return result
        except USAGE_ERROR as error:  # of a command's options: without the frame drawn around it
            fail(f"{error.format_message()} (see --help)", USAGE)
        except KeyboardInterrupt:
            fail("interrupted: nothing was saved", CTRL_C)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our stdout has had enough
                raise
            reason = (error.strerror or str(error)).lower()
            if error.filename is None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python tries again at its end
            fail(f"{error.filename or 'standard output'}: failed ({reason})", BAD_DATA)
        except MemoryError as error:
            fail(f"not enough memory ({error}): take fewer hidden units, or fewer rows", USAGE)
        except (ValueError, ArithmeticError) as error:
            from chainrule.common.checks import DataError
            from chainrule.model_file import ModelFileError
            from chainrule.training.checked import WrongGradientError

            codes = {DataError: BAD_DATA, ModelFileError: BAD_MODEL, WrongGradientError: 1}
            fail(str(error), codes.get(type(error), USAGE))


def fail(message: str, code: int) -> NoReturn:
    """Print an error as one line and end."""
    print("chainrule: " + " ".join(message.split()), file=sys.stderr)
    raise typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    help="Feed-forward neural networks whose gradient you can check and whose every value you "
    "can see.\n\nExit codes: 0 done, 1 a check failed, 2 wrong usage, 3 bad data, 4 bad model "
    "file, 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Source = Annotated[
    str,
    typer.Argument(
        help="digits (shipped with scikit-learn), mnist (a mnist.npz here, or fetched), a .csv, "
        ".parquet, .npz or .mat file, or - for "
        "csv on standard input."
    ),
]
ModelPath = Annotated[str, typer.Argument(metavar="MODEL", help="A model file (.safetensors).")]
File = Annotated[str, typer.Argument(metavar="FILE", help="Data, as SOURCE of train.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]


@app.command()
def train(
    context: typer.Context,
    source: Source,
    target: Annotated[
        str | None, typer.Option(help="The column to predict.  (default: the last)")
    ] = None,
    hidden: Annotated[
        str | None, typer.Option(help="Hidden units, one number a layer: 25, or 25,25.")
    ] = None,
    activation: Annotated[
        str, typer.Option(help="g of the hidden layers: one name, or one a layer (tanh,relu).")
    ] = "sigmoid",
    output: Annotated[
        str | None,
        typer.Option(
            help="sigmoid, softmax, identity or exp.  (default: sigmoid for classes, identity "
            "for numbers)"
        ),
    ] = None,
    lam: Annotated[
        float | None,
        typer.Option(min=0, help=f"lambda, the regularisation.  (default: {LAM:g})"),
    ] = None,
    optimizer: Annotated[
        str,
        typer.Option(
            help="lbfgs, gd (gradient descent), cg, scg, newton-cg, lm, br, scipy:NAME as "
            "scipy:CG; over minibatches adam, adamw, sgd."
        ),
    ] = "lbfgs",
    max_iter: Annotated[int, typer.Option(min=0, help="Iterations at most.")] = 100,
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
    drop: Annotated[
        list[str] | None, typer.Option(help="A column to leave out; may be repeated.")
    ] = None,
    missing: Annotated[
        Literal["mean"] | None,
        typer.Option(help="mean: fill in missing values.  (default: refuse them)"),
    ] = None,
    cv: Annotated[
        bool,
        typer.Option(
            "--cv",
            help="Choose lam and the hidden units by 3-fold cross-validation over "
            f"lam {', '.join(f'{value:g}' for value in CV_LAMS)} and {', '.join(CV_HIDDEN)} "
            "hidden units; one that is given stays.",
        ),
    ] = False,
    kind: Annotated[
        Literal["classes", "numbers"] | None,
        typer.Option(help="Of the target: classes or numbers.  (default: by its values)"),
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
    as_json: Json = False,
) -> None:
    """Train a network by the notes' six steps; save the model and a picture."""
    if from_model is not None:
        return photo_commands.train_on_own(source, from_model, out, seed, as_json)
    if recipe is not None:
        _refuse_beside_recipe(context, recipe)

    from chainrule import __version__, datasets, model_file
    from chainrule.datasets.encoding import Scaling
    from chainrule.handwriting import learning
    from chainrule.model_file import Model, Provenance
    from chainrule.optimize import find
    from chainrule.optimize.result import INTERRUPTED
    from chainrule.workbench import pipeline
    from chainrule.workbench import terminal as report

    find(optimizer)  # a wrong name is said before anything is read
    out = out or Path(f"{'stdin' if source == '-' else Path(source).stem}.safetensors")
    data = datasets.load(source, target, drop=tuple(drop or ()), missing=missing, kind=kind)
    if out.suffix != ".safetensors" or not out.absolute().parent.is_dir():
        raise ValueError(f"--out {out}: must be a .safetensors file in a folder that exists")
    if data.encoder.target in (drop or ()):
        raise ValueError(f"--drop {data.encoder.target}: that is the target, what to predict")
    training, held_out = datasets.split(data, test_size, seed)
    if recipe == "photos":
        training, held_out = learning.prepared(training, held_out, seed, report.progress)
    classes = training.encoder.classes
    output = output or ("identity" if classes is None else "sigmoid")
    standardise = data.encoder.image_shape is None if scale is None else scale
    scale_target = standardise and classes is None and output == "identity"
    scaling = Scaling.fit(training.X) if standardise else None
    target_scaling = Scaling.fit(pipeline.truth(training)) if scale_target else None
    report.data(data, training, held_out, scaling, target_scaling)
    X, Y = pipeline.standardised(training, scaling, target_scaling)

    how: dict[str, Any] = {"optimizer": optimizer, "max_iter": max_iter}
    chosen = LAM if lam is None else lam
    units = HIDDEN if hidden is None else hidden
    network = pipeline.network_for(X, Y, classes, units, activation, output)
    choices: list[Choice] = []
    if cv:
        from chainrule.evaluation.selection import cross_validate

        grid = CV_HIDDEN if hidden is None else (hidden,)
        networks = [
            pipeline.network_for(X, Y, classes, units, activation, output) for units in grid
        ]
        lams = CV_LAMS if lam is None else (lam,)
        found = cross_validate(networks, lams, X, Y, classes=classes, seed=seed, **how)
        choices = report.choices(found, "R2" if classes is None else "accuracy")
        network, chosen, _ = max(choices, key=lambda choice: choice.score)
    if recipe is not None:
        network, chosen, how = pipeline.from_recipe(recipe, training)

    result, check = pipeline.six_steps(network, X, Y, chosen, seed, not no_check, max_time, how)
    if recipe is not None:
        how = {"recipe": recipe}
    chosen = getattr(result.state, "lam", chosen)  # Bayesian regularisation finds it
    options = how | {"lam": chosen, "test_size": test_size, "max_time": max_time}
    theta = result.theta
    if recipe == "photos" and held_out is not None:
        theta, temperature = learning.calibrated(
            network, theta, held_out.X, pipeline.truth(held_out)
        )
        options["temperature"] = round(temperature, 4)
    provenance = Provenance(
        __version__, seed, options, source, data.sha256, result.J, result.stopped
    )
    model = Model(network, theta, training.encoder, scaling, target_scaling, provenance)
    model_file.save(out, model, half=recipe == "photos")
    try:
        evaluations = {"trained on": pipeline.evaluate(model, training)}
        if held_out is not None:
            evaluations["held out"] = pipeline.evaluate(model, held_out)
        picture = pipeline.draw(out, model, result, chosen, evaluations, training, held_out)
    except KeyboardInterrupt:
        fail(f"interrupted: the network is saved in {out}, but not its picture", CTRL_C)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        fail(f"the network is saved in {out}, but its picture could not be ({reason})", BAD_DATA)
    if as_json:
        summary = {
            "network": asdict(network),
            "lam": chosen,
            "seed": seed,
            "optimizer": optimizer,
            "J": result.J,
            "iterations": result.n_iter,
            "evaluations": result.n_eval,
            "stopped": result.stopped,
            "converged": result.converged,
            "largest_relative_error": check and float(check.relative_errors.max()),
            "cross_validation": [
                {"layers": choice.network.layers, "lam": choice.lam, "score": choice.score}
                for choice in choices
            ],
            "trained_on": evaluations["trained on"].as_dict(),
            "held_out": evaluations["held out"].as_dict() if held_out is not None else None,
            "model": str(out),
            "picture": str(picture),
        }
        print(json.dumps(summary))
    else:
        report.results(evaluations, str(data.encoder.target))
        gradient = report.gradient_check(check)
        report.facts({"gradient": gradient, "model": str(out), "picture": str(picture)})
    if INTERRUPTED in result.stopped:
        fail(f"interrupted: the best theta so far (J = {result.J:.4g}) is saved in {out}", CTRL_C)


def _refuse_beside_recipe(context: typer.Context, recipe: str) -> None:
    """Refuse options that a recipe decides."""
    for name in ("hidden", "activation", "output", "lam", "optimizer", "max_iter", "scale", "cv"):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = name.replace("_", "-")
            raise ValueError(f"--recipe {recipe} decides --{option} itself: leave one of them out")


@app.command()
def predict(path: ModelPath, file: File, as_json: Json = False) -> None:
    """Print the model's answer for each row of a file, as csv."""
    from chainrule import model_file

    model = model_file.load(path)
    X = _rows(model, file).X
    h = model.predict(X)
    answers = (
        (h if h.shape[1] > 1 else h[:, 0]).tolist() if model.classes is None else model.labels(X)
    )
    if as_json:
        print(json.dumps({"predictions": answers, "h": h.tolist()}))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if model.classes is None:
        writer.writerow([model.encoder.target] * h.shape[1])
        writer.writerows([f"{value:.9g}" for value in row] for row in h)
    else:
        sure = h.max(axis=1) if h.shape[1] > 1 else abs(h[:, 0] - 0.5) + 0.5
        writer.writerow([model.encoder.target, "probability"])
        writer.writerows((label, f"{p:.4f}") for label, p in zip(answers, sure, strict=True))


@app.command()
def evaluate(path: ModelPath, file: File, as_json: Json = False) -> None:
    """Compare the model's answers with the truth in a file."""
    from chainrule import model_file
    from chainrule.workbench import pipeline
    from chainrule.workbench import terminal as report

    model = model_file.load(path)
    evaluation = pipeline.evaluate(model, _rows(model, file))
    if as_json:
        print(json.dumps(evaluation.as_dict()))
    else:
        report.results({file: evaluation}, str(model.encoder.target))


@app.command()
def info(path: ModelPath, as_json: Json = False) -> None:
    """Say what a model file holds and where it came from."""
    from chainrule import model_file
    from chainrule.workbench import terminal as report

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
        report.facts({name: report.plain(value) for name, value in facts.items()})


@app.command("check-gradient")
def check_gradient(
    name: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="FILE.py:function, FILE.m (Octave), or a model file (.safetensors).",
        ),
    ],
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Examples: for a model, data as SOURCE of train; for a function with the course's "
            "signature, a .mat file with X and y.  (default there: a few random ones)",
        ),
    ] = None,
    lam: Annotated[
        float | None, typer.Option(min=0, help="lambda.  (default: as in training, or in FILE)")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many examples, drawn at random.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw, and of a random theta.")] = 0,
    plot: Annotated[
        Path | None, typer.Option(help="Draw analytic against numerical gradient: a .png file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a gradient with the notes' numerical one, and say which mistake a wrong one shows.

    Yours: a Python function cost(theta) that returns (J, grad). Beside it in
    its file stand theta or network = (4, 5, 3) and, if wanted, X, y and lam.

    The course's, in Python or Octave:
    nnCostFunction(nn_params, input_layer_size, hidden_layer_size,
    num_labels, X, y, lambda) or
    nnCostFunctionLinear(nn_params, il, hl, X, y, lambda).

    The file is run as your own program on this machine: check no file that
    you would not run.

    A model's: backpropagation at the model's theta.

    All components of theta are compared, or slopes along random directions
    where there are many. Exit code 1 where the two disagree.
    """
    from chainrule.commands import own_code

    if plot is not None and (plot.suffix != ".png" or not plot.absolute().parent.is_dir()):
        raise ValueError(f"--plot {plot}: must be a .png file in a folder that exists")
    if own_code.is_own_code(name):
        from chainrule import diagnosis

        with own_code.opened(name, file, lam=lam, rows=rows, seed=seed) as problem:
            found = diagnosis.check_gradient(problem.objective, problem.theta, **problem.arguments)
    elif file is None:
        raise ValueError(f"{name}: give the examples too, as in check-gradient {name} data.csv")
    else:
        found = _check_model(name, file, lam, rows, seed)
    if plot is not None:
        _draw(plot, found)
    print(found.to_json() if as_json else found)
    if not found:
        raise typer.Exit(CHECK_FAILED)


def _check_model(path: str, file: str, lam: float | None, rows: int, seed: int) -> GradientReport:
    from chainrule import model_file
    from chainrule.notes.gradient_report import EVERY_COMPONENT
    from chainrule.training.checked import check_before_training
    from chainrule.workbench import pipeline

    model = model_file.load(path)
    network = model.network
    X, Y = pipeline.standardised(_rows(model, file), model.scaling, model.target_scaling)
    return check_before_training(
        network,
        model.theta,
        X,
        network.check_targets(Y, len(X)),
        _lam(model, lam),
        seed,
        rows=rows,
        directions=None if network.size <= EVERY_COMPONENT else 100,
    )


def _draw(path: Path, report: GradientReport) -> None:
    from matplotlib.figure import Figure

    from chainrule.plots.gradient import GradientCheckDisplay

    figure = Figure(figsize=(6, 5), dpi=100, layout="constrained")
    GradientCheckDisplay.from_report(report).plot(figure.subplots())
    figure.savefig(path)


@app.command()
def trace(
    path: ModelPath,
    file: File,
    row: Annotated[int, typer.Option(help="The data row, counted from 1.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write them to a .mat file too, with Theta1, ..., y and lambda, for Octave's load."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print every a, z, delta, Delta and D of one example, named as in the notes."""
    from chainrule import model_file
    from chainrule.datasets import octave
    from chainrule.notes.theta import reshape
    from chainrule.notes.trace import trace as traced
    from chainrule.workbench import pipeline

    model = model_file.load(path)
    network, lam = model.network, _lam(model, None)
    X, Y = pipeline.standardised(_rows(model, file), model.scaling, model.target_scaling)
    if not 1 <= row <= len(X):
        raise ValueError(f"--row {row}: {file} has the data rows 1 to {len(X):,}")
    found = traced(network, model.theta, X[row - 1], Y[row - 1], lam)
    if out is not None:
        if out.suffix != ".mat":
            raise ValueError(f"--out {out}: must be a .mat file")
        values = {_octave_name(name): value for name, value in found.values().items()}
        for l, Theta in enumerate(reshape(network, model.theta), start=1):
            values[f"Theta{l}"] = Theta
        y = network.check_targets(Y[row - 1 : row], 1)[0]
        octave.write(out, **values, y=y, cost=[[found.cost]], **{"lambda": lam})
    if as_json:
        shown = {name: value.tolist() for name, value in found.values().items()}
        print(json.dumps({"network": asdict(network), "row": row, "cost": found.cost} | shown))
    else:
        print(found)


app.command()(photo_commands.classify)
app.command()(photo_commands.collect)


def _octave_name(name: str) -> str:
    """Return the notes' name of a value as a variable's: a1 for a(1)."""
    return name.replace("(", "").replace(")", "")


def _rows(model: Model, file: str) -> Dataset:
    """Read a file as the model's training data were read, and say what was found."""
    from chainrule import datasets
    from chainrule.workbench import terminal as report

    data = datasets.load_like(file, model.encoder)
    for note in data.notes:
        report.say(f"{file}: {note}")
    return data


def _lam(model: Model, lam: float | None) -> float:
    return float(model.provenance.options.get("lam", 0.0)) if lam is None else lam


driving = typer.Typer(
    invoke_without_command=True,
    help="ALVINN: a network watches a driver for a few minutes, then steers by itself (on "
    "Gymnasium's CarRacing-v3).  Without watch, train or go: all in one, the network taking over "
    "more and more while it learns.",
)
app.add_typer(driving, name="drive")

Minutes = Annotated[float, typer.Option(min=0.1, max=100, help="Of driving to watch, simulated.")]
Units = Annotated[int, typer.Option(min=1, help="Hidden units.")]
Tracks = Annotated[int, typer.Option(min=1, help="How many unseen tracks to drive.")]
FirstSeed = Annotated[int, typer.Option(min=0, max=999_999, help="Of the first unseen track.")]
Teach = Annotated[
    Literal["geometry", "keyboard"],
    typer.Option(help="Whom to watch: a driver who sees the track's geometry, or you."),
]
DriverSeed = Annotated[int, typer.Option(min=0, help="Of the learning and the tracks watched.")]


@driving.callback()
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
    from chainrule.commands import driving as command

    if quick:
        minutes = minutes if "minutes" in given else 1.0
        tracks = tracks if "tracks" in given else 3
    _check_out(out, ".safetensors")
    lesson = command.learn_on_the_fly(out, minutes, hidden, seed, teach)
    try:
        command.go(out, tracks, first_seed, out.with_suffix(".gif"), as_json, **lesson)
    except KeyboardInterrupt:
        fail(f"interrupted: the network is saved in {out}: chainrule drive go {out}", CTRL_C)


@driving.command("watch")
def drive_watch(
    minutes: Minutes = 5.0,
    teach: Teach = "geometry",
    seed: DriverSeed = 0,
    out: Annotated[Path, typer.Option(help="The recording.")] = Path("watched.npz"),
) -> None:
    """Record a teacher who drives."""
    from chainrule.commands import driving as command

    _check_out(out, ".npz")
    command.watch(out, minutes, seed, teach)


@driving.command("train")
def drive_train(
    recording: Annotated[Path, typer.Argument(help="Of 'chainrule drive watch'.")],
    hidden: Units = 4,
    seed: DriverSeed = 0,
    out: Annotated[Path, typer.Option(help="The model file.")] = Path("alvinn.safetensors"),
) -> None:
    """Train a network on a recording."""
    from chainrule.commands import driving as command

    _check_out(out, ".safetensors")
    command.train(recording, out, hidden, seed)


@driving.command("go")
def drive_go(
    path: Annotated[Path, typer.Argument(metavar="MODEL", help="Of 'chainrule drive'.")],
    tracks: Tracks = 10,
    first_seed: FirstSeed = 1000,
    out: Annotated[
        Path | None, typer.Option(help="The animation, a .gif.  (default: beside the model)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a network drive unseen tracks."""
    from chainrule.commands import driving as command

    film = path.with_suffix(".gif") if out is None else out
    _check_out(film, ".gif")
    command.go(path, tracks, first_seed, film, as_json)


def _check_out(out: Path, suffix: str) -> None:
    """Refuse, before the work, a file that could not be written after it."""
    if out.suffix != suffix or not os.access(out.absolute().parent, os.W_OK):
        raise ValueError(f"--out {out}: must be a {suffix} file in a folder you can write to")


def main() -> None:
    """Run the command."""
    app()

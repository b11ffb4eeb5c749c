"""The commands that look inside: a gradient checked, and every value of one example."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.commands.exits import CHECK_FAILED, check_writable
from chainrule.commands.options import File, Json, ModelPath
from chainrule.commands.tables import rows_like_training

if TYPE_CHECKING:
    from chainrule.model_file import Model
    from chainrule.notes.gradient_report import GradientReport


def check_gradient(
    name: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="FILE.py:function, FILE.py:cost,gradient, FILE.m (Octave), or a model file "
            "(.safetensors).",
        ),
    ],
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Examples: for a model, data as SOURCE of train; for a function that takes X and "
            "y, a .mat file with them.  (default there: a few random ones)",
        ),
    ] = None,
    lam: Annotated[
        float | None, typer.Option(min=0, help="lambda.  (default: as in training, or in FILE)")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many examples, drawn at random.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw, and of a random theta.")] = 0,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="S1,S2,...", help="Layer sizes, where a function's parameters do not say them."
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw analytic against numerical gradient: a .png file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a gradient with the notes' numerical one, and say which mistake a wrong one shows.

    Yours: a Python function cost(theta) that returns (J, grad). Beside it in
    its file stand theta or network = (4, 5, 3) and, if wanted, X, y and lam.

    The course's, in Python or Octave, its parameters in any order:
    nnCostFunction(nn_params, input_layer_size, hidden_layer_size,
    num_labels, X, y, lambda),
    nnCostFunctionLinear(nn_params, il, hl, X, y, lambda),
    lrCostFunction(theta, X, y, lambda), linearRegCostFunction(X, y,
    theta, lambda); with --network 4,5,6,3, f(theta, X, y, lambda).

    The file is run as your own program on this machine: check no file that
    you would not run.

    A model's: backpropagation at the model's theta.

    All components of theta are compared, or slopes along random directions
    where there are many. Exit code 1 where the two disagree.
    """
    from chainrule.commands import own_code

    if plot is not None:
        check_writable("--plot", plot, ".png")
    if own_code.is_own_code(name):
        from chainrule import diagnosis

        layers = None if network is None else own_code.layers_of(network)
        with own_code.opened(name, file, lam=lam, rows=rows, seed=seed, layers=layers) as problem:
            if problem.told:
                print(f"{name}: {problem.told}", file=sys.stderr)
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
    from chainrule.workbench.pipeline import standardised

    model = model_file.load(path)
    network = model.network
    X, Y = standardised(rows_like_training(model, file), model.scaling, model.target_scaling)
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
    from chainrule.workbench.pipeline import standardised

    model = model_file.load(path)
    network, lam = model.network, _lam(model, None)
    X, Y = standardised(rows_like_training(model, file), model.scaling, model.target_scaling)
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


def _octave_name(name: str) -> str:
    """Return the notes' name of a value as a variable's: a1 for a(1)."""
    return name.replace("(", "").replace(")", "")


def _lam(model: Model, lam: float | None) -> float:
    return float(model.provenance.options.get("lam", 0.0)) if lam is None else lam

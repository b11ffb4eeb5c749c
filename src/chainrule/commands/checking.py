"""The commands that look inside: a gradient checked, and every value of one example."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import typer

from chainrule.commands.exits import CHECK_FAILED, check_writable
from chainrule.commands.options import File, Json, ModelPath
from chainrule.commands.tables import rows_like_training
from chainrule.common.files import write_whole
from chainrule.common.words import word

if TYPE_CHECKING:
    from chainrule.datasets import Dataset
    from chainrule.model_file import Model
    from chainrule.notes.gradient_report import GradientReport
    from chainrule.notes.trace import Trace

QUIET = 1.0  # seconds of a check without a bar
MOST_ROWS = 20  # inputs whose raw and standardised values are printed


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
            help="Examples: data as SOURCE of train; a function that takes X and y gets those of a "
            ".mat file as they are.  (default there: a few random ones)",
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
            with bar_if_long(2 * len(problem.theta)) as tick:
                found = diagnosis.check_gradient(
                    problem.objective, problem.theta, **problem.arguments, stop=tick
                )
        found = _saying(found, problem.missing)
    elif file is None:
        raise ValueError(f"{name}: give the examples too, as in check-gradient {name} data.csv")
    else:
        found = _check_model(name, file, lam, rows, seed)
    if plot is not None:
        _draw(plot, found)
    print(found.to_json() if as_json else found)
    if not found:
        raise typer.Exit(CHECK_FAILED)


def _saying(report: GradientReport, missing: str) -> GradientReport:
    """Return a report that says what to write where little could be compared."""
    from chainrule.diagnosis.mistakes import LITTLE, UNKNOWN

    if not missing:
        return report
    diagnosis = [
        replace(finding, words=f"{LITTLE}; {missing}") if finding.name == UNKNOWN else finding
        for finding in report.diagnosis
    ]
    return replace(report, diagnosis=diagnosis)


@contextmanager
def bar_if_long(evaluations: int) -> Iterator[Callable[[], bool]]:
    """Yield what is called before each evaluation: once a second has passed, it draws a bar."""
    from chainrule.commands.terminal import Terminal

    began, counted = time.monotonic(), count(1)
    done: Callable[[float], None] | None = None
    with ExitStack() as open_bar:

        def tick() -> bool:
            nonlocal done
            share = min(next(counted) / evaluations, 1.0)
            if done is None and time.monotonic() - began > QUIET:
                done = open_bar.enter_context(Terminal().progress("comparing slopes"))
            if done is not None:
                done(share)
            return False

        yield tick


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
    write_whole(path, figure.savefig)


def trace(
    path: ModelPath,
    file: File,
    row: Annotated[int, typer.Option(help="The data row, counted from 1.")] = 1,
    lam: Annotated[
        float | None, typer.Option(min=0, help="lambda in J and D.  (default: as in training)")
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER,UNIT",
            help="Write out one unit's arithmetic: 2,3 is unit 3 of layer 2, as the notes count.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write them to a .mat file too, with Theta1, ..., y and lambda, for Octave's load."
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw a small network with its numbers: a .png file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print every a, z, delta, Delta and D of one example, each with its formula in the notes."""
    from chainrule import model_file
    from chainrule.notes.trace import trace as traced
    from chainrule.workbench.pipeline import standardised

    if plot is not None:
        check_writable("--plot", plot, ".png")
    if out is not None and out.suffix != ".mat":
        raise ValueError(f"--out {out}: must be a .mat file")
    model = model_file.load(path)
    data = rows_like_training(model, file)
    X, Y = standardised(data, model.scaling, model.target_scaling)
    if not 1 <= row <= len(X):
        raise ValueError(f"--row {row}: {file} has the data rows 1 to {len(X):,}")
    found = traced(model.network, model.theta, X[row - 1], Y[row - 1], _lam(model, lam))
    raw = _standardising(model, data, row)
    written = None if unit is None else found.arithmetic(*_unit(unit))
    if plot is not None:
        _draw_trace(plot, found)
    if out is not None:
        _write_trace(out, found, raw)
    if as_json:
        more = {} if written is None else {"arithmetic": written.splitlines()}
        print(json.dumps(_trace_as_dict(found, row, raw) | more))
    elif written is not None:
        print(written)
    else:
        print(*_table(raw), found, sep="\n")


def _unit(text: str) -> tuple[int, int]:
    """Return the layer and the unit that ``--unit`` names."""
    try:
        layer, unit = (int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"--unit {text!r}: give a layer and a unit, as in 2,3 for unit 3 of layer 2"
        ) from None
    return layer, unit


class Standardised(NamedTuple):
    """One number of a table and how it was standardised: scaled = (raw - mean) / scale."""

    name: str
    raw: float
    mean: float
    scale: float

    @property
    def scaled(self) -> float:
        """The number as the network sees it."""
        return (self.raw - self.mean) / self.scale


def _standardising(model: Model, data: Dataset, row: int) -> dict[str, list[Standardised]]:
    """Return x and y as the table has them, as far as they were standardised."""
    from chainrule.workbench.pipeline import true_values

    parts = {
        "x": (model.encoder.feature_names, data.X[row - 1], model.scaling),
        "y": ([str(model.encoder.target)] * model.network.K, true_values(data)[row - 1],
              model.target_scaling),
    }  # fmt: skip
    return {
        part: [
            Standardised(word(name), *map(float, numbers))
            for name, *numbers in zip(
                names, np.ravel(values), scaling.mean, scaling.scale, strict=True
            )
        ]
        for part, (names, values, scaling) in parts.items()
        if scaling is not None
    }


def _table(raw: dict[str, list[Standardised]]) -> list[str]:
    """Return raw and standardised numbers as a table."""
    if not raw:
        return []
    rows = [(part, number) for part, numbers in raw.items() for number in numbers]
    width = min(18, max(8, *(len(number.name) for _, number in rows)))
    lines = [
        f"{'standardised':<{width + 4}}{'raw':>12}{'mean':>12}{'scale':>12}"
        f"{'(raw - mean) / scale':>22}"
    ]
    for part, number in rows:
        numbers = f"{number.raw:>12.6g}{number.mean:>12.6g}{number.scale:>12.6g}"
        lines.append(f"  {part} {number.name[:width]:<{width}}{numbers}{number.scaled:>22.6f}")
    if len(lines) > MOST_ROWS + 1:
        left = len(lines) - MOST_ROWS
        lines[MOST_ROWS - 1 : -1] = [f"  ... {left} more; --json has them all"]
    return lines


def _trace_as_dict(found: Trace, row: int, raw: dict[str, list[Standardised]]) -> dict[str, Any]:
    """Return what ``--json`` prints of a trace."""
    lines = list(found.lines())
    values = {line.name: np.asarray(line.value).tolist() for line in lines}
    formulas = {line.name: line.formula for line in lines if line.formula}
    standardised = {
        part: [number._asdict() | {"scaled": number.scaled} for number in numbers]
        for part, numbers in raw.items()
    }
    head = {"network": asdict(found.network), "row": row, "standardised": standardised}
    return head | {"formulas": formulas} | values


def _write_trace(path: Path, found: Trace, raw: dict[str, list[Standardised]]) -> None:
    """Write a trace for Octave's load; x_raw, x_mean, ... where the table was standardised."""
    from chainrule.datasets import octave

    values: dict[str, Any] = {_octave_name(line.name): line.value for line in found.lines()}
    for part, numbers in raw.items():
        for key in ("raw", "mean", "scale"):
            values[f"{part}_{key}"] = np.array([getattr(number, key) for number in numbers])
    octave.write(path, **{name: np.atleast_1d(value) for name, value in values.items()})


def _draw_trace(path: Path, found: Trace) -> None:
    from matplotlib.figure import Figure

    from chainrule.plots.trace import TraceDisplay

    display = TraceDisplay.from_trace(found)
    figure = Figure(figsize=display.size, dpi=150, layout="constrained")
    display.plot(figure.subplots())
    write_whole(path, figure.savefig)


def _octave_name(name: str) -> str:
    """Return a value's name for Octave: a1 for a(1), a1_with_bias for [1; a(1)]."""
    if name.startswith("[1; "):
        name = name[len("[1; ") : -1] + "_with_bias"
    return name.replace("(", "").replace(")", "")


def _lam(model: Model, lam: float | None) -> float:
    """Return lambda as it was asked for, else as the model was trained with."""
    found = model.provenance.options.get("lam", 0.0) if lam is None else lam
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError(f"the model file has no number for lambda but {found!r}: give --lam")
    return float(found)

"""The ways out of the page: a run as text that does it again, and files to take along."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import platform
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

import numpy as np

from chainrule import __version__, model_file
from chainrule.common.types import Array
from chainrule.common.words import cell
from chainrule.datasets import octave
from chainrule.diagnosis.program import program
from chainrule.driving.retina import COLUMNS, ROWS
from chainrule.handwriting.reading import reads_digits, shipped_model
from chainrule.model_file import as_json
from chainrule.notes.theta import reshape
from chainrule.photos import SIDE
from chainrule.web import checking, lap, stepping
from chainrule.web.asked import Asked, NamedFile
from chainrule.web.desk import Desk, Opened
from chainrule.web.problems import names, refuse_unknown
from chainrule.web.runs import Run
from chainrule.web.training import run_of
from chainrule.workbench import copies

RECORD, FORMAT = "chainrule run", 1  # the first key of run.json, and its value
MATRICES, PHOTO, TABLE = "-run.mat", "page.jpg", "table.csv"


def copied(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return text that does again what is on show; each with the files that it needs.

    A run is a command, Python and Octave, the numbers of the Step view are Python and Octave, a
    program of the Check view and the lap of the Drive view are Python (``what``); else a photo is
    read with the open network.
    """
    if "what" in asked.values:
        return {"gradient": gradient, "lap": driven}[asked.choice("what", ["gradient", "lap"])](
            desk, asked
        )
    if "layers" in asked.values:
        return numbers(desk, asked)
    if "run" not in asked.values:
        return reading(desk.opened)
    run = run_of(desk, asked)
    prepared, done = run.ready(), iterations(run)
    request = copies.settled(prepared, done)
    table, octave_file = [] if isinstance(request.source, str) else [run.name], stem(run) + MATRICES
    answer: dict[str, Any] = {"python": copies.as_python(prepared, done, zero=run.zero)}
    if run.zero:
        answer["no_command"] = "zero"
    else:
        answer["command"] = copies.as_command(request)
    try:
        answer["octave"] = copies.as_octave(prepared, octave_file)
    except ValueError as error:
        answer["no_octave"] = str(error)
    return answer | {"needs": {"python": table, "command": table, "octave": [octave_file]}}


def numbers(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return how J and D of the numbers of the Step view are computed, theta as it is by now."""
    network, theta, X, Y, lam = stepping.descended(desk, asked)
    answer: dict[str, Any] = {"python": copies.numbers_as_python(network, theta, X, Y, lam)}
    try:
        answer["octave"] = copies.numbers_as_octave(network, theta, X, Y, lam)
    except ValueError as error:
        answer["no_octave"] = str(error)
    return answer | {"needs": {"python": [], "octave": []}}


def gradient(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the program of the Check view as a file that the command checks."""
    at = checking.workshop(asked)
    lines = program(at.network, checking.chosen(at, asked))
    text = copies.gradient_as_python(at.network, at.theta, at.X, at.Y, at.lam, lines)
    return {"python": text, "needs": {"python": []}}


def driven(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return how the lap of the Drive view is computed, with units off and receptors covered."""
    driver, _ = lap.at_work(desk)
    off = asked.wholes("off", 1, driver.network.layers[1])
    own = desk.driver is not None
    lines = [
        f"# chainrule {__version__}: the lap of the page's view Drive",
        "import numpy as np",
        "",
        *(
            ["from chainrule import model_file", "from chainrule.driving.driver import at_wheel"]
            if own
            else []
        ),
        "from chainrule.driving.recording import shipped",
        "",
        "driver, recording = shipped()",
        *([f"driver = at_wheel(model_file.load({desk.driver_name!r}))"] if own else []),
        "images = recording.images  # what the retina sees, a row for each look",
    ]
    if "cover" in asked.values:
        top, left, bottom, right, value = lap.card(asked)
        lines.append(
            f"images.reshape(-1, {ROWS}, {COLUMNS})[:, {top}:{bottom}, {left}:{right}] = {value!r}"
        )
    lines += [
        *([f"driver = driver.without({off!r})"] if off else []),
        "hidden, outputs = map(np.array, zip(*map(driver.activations, images)))",
        "orders = np.array([[o.steering, o.speed] for o in map(driver.orders, outputs)])",
        'print("apart from the teacher:", abs(orders - recording.teacher).mean(axis=0))',
    ]
    needs = [desk.driver_name] if own else []
    return {"python": "\n".join(lines) + "\n", "needs": {"python": needs}}


def reading(opened: Opened) -> dict[str, Any]:
    """Return how a photo, or a table, is read with a network, as Python and as a command."""
    shipped = np.array_equal(opened.model.theta, shipped_model().theta)
    file = model_name(opened)
    if not reads_digits(opened.model):
        return _predicting(file)
    needs = [PHOTO] if shipped else [PHOTO, file]
    python = [
        "from chainrule import read_digits",
        *([] if shipped else ["from chainrule.model_file import load"]),
        "",
        f"for digit in read_digits({PHOTO!r}{'' if shipped else f', load({file!r})'}):",
        '    print(digit.label, f"{digit.probability:.4f}", digit.box)',
    ]
    command = f"chainrule classify {PHOTO}{'' if shipped else f' --model {shlex.quote(file)}'}"
    return {
        "python": "\n".join(python) + "\n",
        "command": command,
        "needs": {"python": needs, "command": needs},
    }


def _predicting(file: str) -> dict[str, Any]:
    """Return how a table is predicted with a model file, as Python and as a command."""
    python = [
        "from chainrule.datasets import load_like",
        "from chainrule.model_file import load",
        "",
        f"model = load({file!r})",
        f"print(model.predict(load_like({TABLE!r}, model.encoder, labelled=False).X))",
    ]
    needs = [TABLE, file]
    return {
        "python": "\n".join(python) + "\n",
        "command": f"chainrule predict {shlex.quote(file)} {TABLE}",
        "needs": {"python": needs, "command": needs},
    }


def download(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return a file, as bytes with a name: of a run at one iteration."""
    what = asked.choice("what", list(FILES))
    run = run_of(desk, asked)
    run.ready()
    iteration = asked.whole("iteration", 0, 2**31)
    name, content = FILES[what](run, iteration)
    if what in ("model", "npz", "mat"):
        run.saved = True
    return as_file(f"{stem(run)}{name}", content)


def opened_model(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the network that is open as a file, with what it has learnt on the page."""
    opened = desk.opened
    stream = io.BytesIO()
    model_file.save(stream, opened.model)
    return as_file(model_name(opened), stream.getvalue())


def model_name(opened: Opened) -> str:
    """Return what the open network's file is called."""
    return f"{PurePath(opened.name).stem.replace(' ', '-')}.safetensors"


def own(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the drawings that the reader has labelled, as examples to train on."""
    if not desk.own:
        raise ValueError("nothing is labelled yet: draw a digit, and say what it is")
    X = np.array([x for x, _ in desk.own], np.float32).reshape(-1, SIDE, SIDE)
    return as_file("own-digits.npz", npz(X=X, y=np.array([y for _, y in desk.own])))


def iterations(run: Run) -> int | None:
    """Return how many iterations a run had that was ended before its time; else None."""
    cut = run.result is not None and run.result.interrupted
    return len(run) - 1 if cut else None


def stem(run: Run) -> str:
    """Return how the files of a run begin."""
    return PurePath(run.name).stem or "run"


def as_file(name: str, content: bytes) -> dict[str, Any]:
    """Return a file as an answer."""
    return {"name": name, "content": np.frombuffer(content, np.uint8)}


# The files of a run at an iteration: what comes after their stem, and what they hold


def model(run: Run, iteration: int) -> tuple[str, bytes]:
    """Return the network as a model file."""
    stream = io.BytesIO()
    model_file.save(stream, run.model(iteration))
    return ".safetensors", stream.getvalue()


def theta_npz(run: Run, iteration: int) -> tuple[str, bytes]:
    """Return theta and Theta(1), Theta(2), ... for NumPy."""
    theta = run.theta(iteration)
    Theta = {f"Theta{l}": part for l, part in enumerate(reshape(run.network, theta), start=1)}
    return "-theta.npz", npz(theta=theta, **Theta)


def theta_mat(run: Run, iteration: int) -> tuple[str, bytes]:
    """Return Theta1, ..., X, y and lambda for Octave."""
    stream = io.BytesIO()
    octave.write(stream, **copies.octave_matrices(run.ready(), run.theta(iteration)))
    return MATRICES, stream.getvalue()


def history(run: Run, iteration: int) -> tuple[str, bytes]:
    """Return a line of numbers for each iteration, as csv."""
    n = len(run)
    written = columns(run, n)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["iteration", *map(cell, written)])
    for i in range(n):
        writer.writerow([i, *(cell(each[i]) for each in written.values() if i < len(each))])
    return "-history.csv", text.getvalue().encode()


def picture(run: Run, iteration: int) -> tuple[str, bytes]:
    """Return the training on one page, as the command draws it."""
    from chainrule.workbench.picture import page

    if run.outcome is None:
        raise ValueError("the run is not over: stop it, or wait for its end")
    stream = io.BytesIO()
    page(replace(run.outcome, model=run.model(iteration)), stem(run)).savefig(stream, format="png")
    return ".png", stream.getvalue()


def record(run: Run, iteration: int) -> tuple[str, bytes]:
    """Return all that is known of a run, as JSON that `chainrule look` opens again."""
    prepared, n = run.ready(), len(run)
    request = copies.settled(prepared, iterations(run))
    theta, outcome = run.theta(iteration), run.outcome
    content: dict[str, Any] = {
        RECORD: FORMAT,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "chainrule": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
        },
        "data": {
            "source": run.name,
            "sha256": prepared.data.sha256,
            "examples": len(prepared.data),
            "notes": prepared.data.notes,
        },
        "request": copies.asked_for(request),
        "start": "zero" if run.zero else "random",
        "network": asdict(prepared.plan.network),
        "steps": run.steps,
        "iteration": iteration,
        "theta": {"size": theta.size, "dtype": str(theta.dtype), "sha256": theta_hash(theta)},
        "result": outcome
        and {
            "J": outcome.result.J,
            "iteration": run.taken,
            "stopped": outcome.result.stopped,
            "converged": outcome.result.converged,
            "report": str(run.report).splitlines(),
            "scores": {name: score.as_dict() for name, score in outcome.evaluations.items()},
        },
        "history": columns(run, n),
    }
    return "-run.json", (json.dumps(as_json(content), indent=1, allow_nan=False) + "\n").encode()


FILES: Mapping[str, Callable[[Run, int], tuple[str, bytes]]] = {
    "model": model,
    "record": record,
    "history": history,
    "npz": theta_npz,
    "mat": theta_mat,
    "picture": picture,
}


def columns(run: Run, n: int) -> dict[str, Sequence[float]]:
    """Return the numbers of the first n iterations, by name; those that there are."""
    written = run.history
    found: dict[str, Sequence[float]] = {
        "J": written.J, "J_val": written.J_val, "gradient_norm": written.gradient_norm,
        **written.extra, "seconds": run.seconds, "evaluations": run.n_eval,
    }  # fmt: skip
    return {name: values[:n] for name, values in found.items() if values}


def theta_hash(theta: Array) -> str:
    """Return the hash of a theta's bytes: equal for the same bits alone."""
    return hashlib.sha256(np.ascontiguousarray(theta).tobytes()).hexdigest()


def npz(**arrays: Array) -> bytes:
    """Return arrays as NumPy's file."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def is_record(content: bytes) -> bool:
    """Tell a run that was downloaded here from other JSON by its first key."""
    return content[:100].lstrip().startswith(b"{") and f'"{RECORD}"'.encode() in content[:100]


def settings_of(content: bytes, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of a run that was downloaded here, and what its data were.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        values = json.loads(content)
        if values[RECORD] != FORMAT:
            raise ValueError(f"its format {values[RECORD]!r} is unknown: upgrade chainrule")
        settings, data = dict(values["request"]), dict(values["data"])
        refuse_unknown(settings)  # their names stand in the page's address
        if values["start"] == "zero":
            settings["start"] = "zero"
        return settings, {"source": str(data["source"]), "sha256": data["sha256"]}
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name}: not a run that the page wrote ({error})") from None


def lay_record(desk: Desk, path: Path) -> str:
    """Make a run that was downloaded ready to be trained again; return the view that does it.

    A table of the reader's own is looked for beside it.
    """
    settings, data = settings_of(path.read_bytes(), str(path))
    source = data["source"]
    if source in names():
        settings["data"] = source
    else:
        table = path.parent / PurePath(source).name
        if not table.is_file():
            raise ValueError(f"{path}: {source}, which it was trained on, is not in this folder")
        stream = NamedFile(table.read_bytes())
        stream.name = table.name
        if hashlib.sha256(stream.getvalue()).hexdigest() != data["sha256"]:
            raise ValueError(f"{path}: {table.name} in this folder is not what it was trained on")
        settings["table"] = desk.problems.add(stream)
    return "&".join(["train", *(f"{name}={quote(_typed(v))}" for name, v in settings.items())])


def _typed(value: Any) -> str:
    """Return a setting as the page's address has it: 25,25 or true."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)

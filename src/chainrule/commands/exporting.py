"""The command export: a model for those who have no chainrule."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from chainrule.commands.exits import check_writable
from chainrule.commands.options import ModelPath
from chainrule.common.files import write_atomically


def export(
    path: ModelPath,
    out: Annotated[
        Path | None, typer.Option(help="The ONNX file.  (default: by the model's name)")
    ] = None,
) -> None:
    """Write a model as ONNX, with all that becomes of a table's columns."""
    from chainrule import model_file
    from chainrule.commands import terminal

    if find_spec("onnx") is None:
        raise ValueError(
            "ONNX files are written by the package onnx: pip install 'chainrule[onnx]'"
        )
    out = out or Path(path).with_suffix(".onnx")
    check_writable("--out", out, ".onnx")
    model = model_file.load(path)

    from chainrule.estimators.export import model_of_table

    proto = model_of_table(model)
    write_atomically(out, proto.SerializeToString())
    graph = proto.graph
    named = {"inputs": graph.input, "outputs": graph.output}
    facts = {what: terminal.plain([value.name for value in of]) for what, of in named.items()}
    terminal.facts({**facts, "file": str(out)})

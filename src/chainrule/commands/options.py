"""The arguments and options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

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

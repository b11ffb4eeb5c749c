"""The arguments and options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

IN_BLOCKS = "a folder, or a pattern in quotes, of Parquet, Arrow or text files"
Source = Annotated[
    str,
    typer.Argument(
        help="digits (shipped with scikit-learn), mnist (a mnist.npz here, or fetched), a small "
        "computed table (xor, moons, ring, spiral, sine, bend), a file (csv and other text, Excel, "
        "parquet, Arrow, JSON, ARFF, svmlight, npz, npy, mat; also compressed), "
        f"{IN_BLOCKS}, or - for standard input."
    ),
]
ModelPath = Annotated[str, typer.Argument(metavar="MODEL", help="A model file (.safetensors).")]
File = Annotated[str, typer.Argument(metavar="FILE", help="Data: one file, as train takes.")]
Files = Annotated[
    str, typer.Argument(metavar="FILE", help=f"Data, as SOURCE of train; also {IN_BLOCKS}.")
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first line of a text file names the columns.  (default: by what stands "
        "there; for a model, as in training)",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(help="Of a text file: latin-1, cp1251, utf-16 ...  (default: by its bytes)"),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(help="Columns to leave out, with commas between; may be repeated."),
]
Memory = Annotated[
    str | None,
    typer.Option(
        help="What the table may take, as 2GB: a larger one is read in blocks.  (default: most of "
        "what is free)"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]

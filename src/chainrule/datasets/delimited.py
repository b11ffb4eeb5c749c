"""Tables as text: csv and its kin, with any separator, with or without a header.

The first lines tell the separator, what stands before the table, and whether it has a header.  Then
Polars reads all fields as text, and `chainrule.datasets.cells` says what they mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chainrule.common.checks import DataError, counted
from chainrule.datasets import cells
from chainrule.datasets.contents import Contents
from chainrule.datasets.decoding import SAMPLE, decoded
from chainrule.datasets.encoding import Reading
from chainrule.datasets.layout import UNNAMED, WHITE_SPACE, Layout, fields_of, find_layout, of_width

TOTAL = re.compile(
    r"(?:(?:grand|sub|overall)[ -]?)?totals?:?|sums?:?|averages?:?|means?:?|gesamt\w*:?|summe:?",
    re.IGNORECASE,
)


def read(name: str, sha256: str, content: bytes, like: Reading, target: str | None) -> Contents:
    """Read a table of text.

    Parameters
    ----------
    name : str
        What errors call the file.
    sha256 : str
        Of the file's bytes.
    content : bytes
        The text, in any encoding.
    like : Reading
        What is known about how to read it.
    target : str or None
        A column that may be absent where the file is read like another one.

    Returns
    -------
    Contents

    Raises
    ------
    DataError
        If it is no table; a wrong line is named.
    """
    text, notes = decoded(name, content, like.encoding)
    layout = find_layout(name, text, like, target)
    return table(name, sha256, text, replace(layout, notes=notes + layout.notes), like)


def table(name: str, sha256: str, text: bytes, layout: Layout, like: Reading) -> Contents:
    """Read a table of text in UTF-8 whose layout is known; arguments as for `read`."""
    frame, left_out = rows_of(name, from_line(text, layout.start), layout)
    if not len(frame):
        raise DataError(f"{name}: there is a header, but no data row")
    frame, row_names = without_row_names(frame, layout, like.forms)
    return understood(name, sha256, frame, layout, like, (*layout.notes, *left_out, *row_names))


def understood(
    name: str,
    sha256: str,
    frame: Any,
    layout: Layout,
    like: Reading,
    notes: Sequence[str] = (),
    before: int = 0,
) -> Contents:
    """Return what a frame of text holds, and what was decided about its cells.

    So many rows of the table come before.
    """
    columns = cells.understand(frame, like.forms, layout.separator)
    columns = {name: column.moved(before) for name, column in columns.items()}
    return Contents(
        name,
        sha256,
        {name: column.values for name, column in columns.items()},
        notes=(*notes, *cells.notes(columns)),
        reading=Reading(
            layout.headed, like.encoding, {name: column.form for name, column in columns.items()}
        ),
        read=columns,
    )


def rows_of(name: str, body: bytes, layout: Layout, *, last: bool = True) -> tuple[Any, list[str]]:
    """Return all fields of some data rows as text, in a Polars frame, and what was left out.

    Parameters
    ----------
    name : str
    body : bytes
        Whole lines, of which the first is line `layout.start` of the file.
    layout : Layout
    last : bool
        Whether the table ends with them: a source or sums may stand there.
    """
    import polars as pl

    separator = layout.separator
    body = _without_blank_lines(_without_comments(body, layout), layout)
    body, below = _without_lines_below(body, layout) if last else (body, [])
    told = body.lstrip(b"\r\n")  # Polars takes the width from the first line
    layout = replace(layout, start=layout.start + body[: len(body) - len(told)].count(b"\n"))
    body = told
    if separator == WHITE_SPACE:
        body, separator = _tabs(body), "\t"
    schema = dict.fromkeys(layout.names, pl.String)
    try:
        frame = pl.read_csv(
            body, has_header=False, schema=schema, separator=separator, quote_char=layout.quote
        )
        if frame[:, -1].has_nulls():  # Polars fills short rows without a warning
            deque(_checked(name, body, separator, layout), maxlen=0)
    except pl.exceptions.NoDataError:
        frame = pl.DataFrame(schema=schema)
    except pl.exceptions.PolarsError:
        rows = [[field or None for field in row] for row in _checked(name, body, separator, layout)]
        frame = pl.DataFrame(rows, schema, orient="row")
    frame, notes = _without_empty_rows(body, frame, layout)
    frame, totals = _without_totals(frame) if last else (frame, [])
    return frame, below + notes + totals


def from_line(text: bytes, line: int) -> bytes:
    """Return a text without its first lines."""
    start = 0
    for _ in range(line):
        start = text.find(b"\n", start) + 1 or len(text)
    return text[start:]


def _without_comments(body: bytes, layout: Layout) -> bytes:
    """Empty the lines that begin with # and are no rows."""
    if b"\n#" not in body:
        return body
    width, separator = len(layout.names), layout.separator.encode()
    return b"\n".join(
        b"" if line.startswith(b"#") and len(line.split(separator)) != width else line
        for line in body.split(b"\n")
    )


def _without_blank_lines(body: bytes, layout: Layout) -> bytes:
    """Empty the lines of white space; between tabs they may be a row of empty fields."""
    if b"\n " not in body and b"\n\t" not in body:
        return body
    tabs = len(layout.names) - 1 if layout.separator == "\t" else 0

    def emptied(line: re.Match[bytes]) -> bytes:
        return line[0] if tabs and line[0].count(b"\t") == tabs else b""

    return re.sub(rb"(?m)^[ \t]+$", emptied, body)


def _without_lines_below(body: bytes, layout: Layout) -> tuple[bytes, list[str]]:
    """Cut off the words that stand below a table, as its source does; say which they are."""
    notes: list[str] = []
    width = len(layout.names)
    while width > 1:
        body = body.rstrip(b"\n")
        rest, _, last = body[-SAMPLE:].rpartition(b"\n")
        line = last.decode(errors="ignore").strip()
        fields = fields_of([line], layout.separator)[0]
        a_row = len(fields) >= width or not re.match(r'"?[^\W\d]', line) or '"' in line[1:-1]
        if a_row or not rest or (len(fields) > 1 and not rest.endswith(b"\n")):
            return body, notes
        if line.endswith('"') and not line.startswith('"'):  # the end of a longer text
            return body, notes
        number = layout.start + body.count(b"\n") + 1
        notes.insert(0, f"line {number} stands below the table, as {line[:40]!r}: left out")
        body = body[: -len(last)]
    return body, notes


def _without_totals(frame: Any) -> tuple[Any, list[str]]:
    """Leave out rows at the end that sum the others up."""
    notes: list[str] = []
    while len(frame) > 3:
        row = frame.row(-1)
        j = next((j for j, cell in enumerate(row) if cell), None)
        if j is None or not TOTAL.fullmatch(row[j].strip()) or (frame[:, j] == row[j]).sum() > 1:
            break
        notes.append(f"the last row sums the others up, as it begins with {row[j]!r}: left out")
        frame = frame[:-1]
    return frame, notes


def _tabs(body: bytes) -> bytes:
    """Return columns that white space parts as columns that one tab parts."""
    import polars as pl

    if b'"' in body:
        rows = fields_of([line for line in body.decode().split("\n") if line.strip()], WHITE_SPACE)
        return "\n".join("\t".join(row) for row in rows).encode()
    lines = pl.Series(body.decode().split("\n")).str.strip_chars().str.replace_all(r"\s+", "\t")
    return "\n".join(lines).encode()


def _checked(name: str, body: bytes, separator: str, layout: Layout) -> Iterator[list[str]]:
    """Yield the fields of each row; raise DataError that names the first row of another width."""
    reader = csv.reader(
        io.StringIO(body.decode(), newline=""), delimiter=separator, quotechar=layout.quote
    )
    width = len(layout.names)
    try:
        for fields in reader:
            fields = of_width(fields, width, separator)
            if len(fields) == width:
                yield fields
            elif fields:
                raise DataError(
                    f"{name}: line {layout.start + reader.line_num} has "
                    f"{counted(len(fields), 'field')} where the first line has {width}: correct "
                    "that line"
                )
    except csv.Error as error:
        raise DataError(
            f"{name}: line {layout.start + reader.line_num} cannot be read ({error})"
        ) from None


def _without_empty_rows(body: bytes, frame: Any, layout: Layout) -> tuple[Any, list[str]]:
    """Leave out empty rows and those that say the header again."""
    import polars as pl

    notes = []
    if frame[:, 0].is_null().any():
        told = ~frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        if not told.any() and layout.separator.encode() in body:
            return frame, []  # a row to predict from, of which nothing is known
        inside = int((~told[: (told.arg_true().max() or 0)]).sum())
        frame = frame.filter(told)
        if inside:
            notes.append(
                f"{counted(inside, 'line')} without data left out, and not counted as data rows"
            )
    if layout.headed and (frame[:, 0] == layout.names[0]).any():
        again = frame.select(pl.all_horizontal(pl.col(n) == n for n in layout.names)).to_series()
        if again.any():
            frame = frame.filter(~again.fill_null(False))
            notes.append(f"{counted(int(again.sum()), 'row')} that repeats the header left out")
    return frame, notes


def without_row_names(
    frame: Any, layout: Layout, forms: Mapping[str, str]
) -> tuple[Any, list[str]]:
    """Leave out what a program wrote beside the data: row names, and columns that are empty."""
    notes = []
    for j, name in enumerate(layout.names):
        column = frame[:, 0]
        if layout.headed and not name and column.null_count() == len(column):
            frame = frame[:, 1:]
            break
        if not UNNAMED.fullmatch(name) or len(frame.columns) == 1 or (name or "x1") in forms:
            break
        if (
            column.null_count()
            or column.n_unique() < len(column)
            or column.str.contains(r"\d\.\d").any()
        ):
            break
        title = "has no name" if not name else f"is called {name!r}"
        notes.append(
            f"column {j + 1} {title} and differs in every row: taken for row names, left out"
        )
        frame = frame[:, 1:]
    if "" in frame.columns:
        frame = frame.rename({"": "x1"})
    unnamed = [n for j, n in enumerate(layout.names, start=1) if layout.headed and n == f"x{j}"]
    empty = [name for name in unnamed if frame[name].null_count() == len(frame)]
    return frame.drop(empty), notes

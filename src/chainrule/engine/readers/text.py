"""Tables of text, csv and svmlight, plain or packed: an index of pieces that end where a row does.

A first pass finds the pieces and counts their rows.  Then a piece is read when one of its rows is
wanted, by what `chainrule.datasets` reads a whole file with, and its cells mean the same.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chainrule.common.checks import DataError
from chainrule.common.types import Array
from chainrule.datasets import cells
from chainrule.datasets.contents import Contents
from chainrule.datasets.decoding import decoded, marked_encoding
from chainrule.datasets.delimited import rows_of, without_row_names
from chainrule.datasets.encoding import Reading
from chainrule.datasets.layout import find_layout
from chainrule.engine.blocks import Source
from chainrule.engine.readers.frames import Sheet, whole_if_they_are
from chainrule.engine.readers.spans import Packed, Plain, Span, unreadable
from chainrule.engine.readers.stored import pieces, starts_of, zip_member

PIECE = 1 << 22  # bytes of text that are read and understood at once
LONGEST = 1 << 26  # bytes of a row


class Piece(NamedTuple):
    """Bytes of a text that hold whole rows, and the number of the line before them."""

    begin: int
    size: int
    line: int
    last: bool


def span_of(path: str) -> Span:
    """Return the text of a file, which gzip or zip may have packed."""
    suffix = Path(path).suffix.lower()
    try:
        with open(path, "rb") as file:
            head = file.read(6)
    except OSError as error:
        raise unreadable(path, error) from None
    if head.startswith(b"\x1f\x8b"):
        return Packed(path)
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        return zip_member(path)
    if head.startswith((b"BZh", b"\xfd7zXZ")):
        raise DataError(f"{path}: {suffix} is not read in blocks: unpack it, or pack it with gzip")
    return Plain(path)


def pieces_of(
    span: Span, begin: int, newline: bytes, quote: bytes
) -> Iterator[tuple[Piece, bytes]]:
    """Yield pieces of a text with their bytes; only the last one is shorter than the others."""
    start, line, rest, at = begin, span.read(0, begin).count(newline), b"", begin
    while True:
        more = span.read(at, PIECE)
        at, rest = at + len(more), rest + more
        if len(more) < PIECE:
            break
        while len(rest) >= 2 * PIECE:
            cut = _last_border(rest, PIECE, newline, quote)
            if cut is None:
                break
            piece, rest = rest[:cut], rest[cut:]
            yield Piece(start, cut, line, False), piece
            start, line = start + cut, line + piece.count(newline)
        if len(rest) > LONGEST:
            raise DataError(
                f"{span.state.path}: a row from line {line + 1:,} on has no end in {LONGEST:,} "
                "bytes: is a quote open?"
            )
    if rest:
        yield Piece(start, len(rest), line, True), rest


def _borders(text: bytes, newline: bytes, quote: bytes) -> Array:
    """Return where rows end: at ends of lines that stand in no quotes."""
    codes = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(codes == newline[0])
    if quote in text:
        quotes = np.flatnonzero(codes == quote[0])
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return ends


def _last_border(text: bytes, most: int, newline: bytes, quote: bytes) -> int | None:
    """Return the end of the last row that ends in the first bytes, or of the first row at all."""
    ends = _borders(text, newline, quote)
    k = int(np.searchsorted(ends, most))
    return int(ends[max(k - 1, 0)]) + 1 if len(ends) else None


class Csv(Sheet):
    """A file of text whose rows are lines, as csv has them.

    Parameters
    ----------
    path : str
        Plain, or packed by gzip or zip.
    like : Reading
        How it is to be read, as far as that is known: of the table's first file, or of training.
    target : str, optional
        A column that may be absent.
    """

    dear = True

    def __init__(self, path: str, like: Reading, target: str | None = None) -> None:
        self.name, self.span = path, span_of(path)
        self.state = self.span.state
        head = self._head(like.encoding)
        text, _ = decoded(path, head, like.encoding)
        self.layout = find_layout(path, text, like, target)
        self.newline = b"\n" if b"\n" in head or b"\r" not in head else b"\r"
        begin = _after_lines(head, self.layout.start, self.newline)
        self.encoding = like.encoding
        self.pieces: list[Piece] = []
        counts = []
        for piece, body in pieces_of(self.span, begin, self.newline, self.layout.quote.encode()):
            if not self.pieces:
                self._learn(body, piece, like)
            self.pieces.append(piece)
            counts.append(self._count(body, piece))
        if not self.pieces:
            raise DataError(f"{path}: there is a header, but no data row")
        self.starts = starts_of(counts)
        self.m = self.starts[-1]

    def _head(self, encoding: str | None) -> bytes:
        head = self.span.read(0, PIECE)
        if not head or head.isspace():
            raise DataError(f"{self.name}: the file is empty")
        found = encoding or marked_encoding(head) or ""
        if re.fullmatch(r"(?i)utf[-_]?(16|32).*", found):
            raise DataError(f"{self.name}: {found} is not read in blocks: save it as csv in UTF-8")
        end = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1  # no letter is cut in two
        return head if len(head) < PIECE else head[: end or len(head)]

    def _learn(self, body: bytes, piece: Piece, like: Reading) -> None:
        """Decide, by the first piece, which columns there are, and what their cells are."""
        frame = self._fields(body, piece)
        frame, _ = without_row_names(frame, self.layout, like.forms)
        understood = cells.understand(frame, like.forms, self.layout.separator)
        forms = {name: column.form for name, column in understood.items()}
        self.reading = Reading(self.layout.headed, like.encoding, forms)
        self.types = {n: _series(n, column.values).dtype for n, column in understood.items()}

    def _fields(self, body: bytes, piece: Piece) -> Any:
        """Return the fields of a piece as text."""
        text, _ = decoded(self.name, body, self.encoding)
        layout = replace(self.layout, start=piece.line - 1)
        # A line that is no row is known by the end of the line before it
        return rows_of(self.name, b"\n" + text, layout, last=piece.last)[0]

    def _count(self, body: bytes, piece: Piece) -> int:
        """Count the rows of a piece: its lines, or what is read where some may be no rows."""
        end, separator = self.newline, re.escape(self.layout.separator.encode())
        doubtful = rb"(?:^|%b)(?:[ \t#]|%b*\r?%b)" % (end, separator, end)
        again = self.newline + self.layout.names[0].encode() if self.layout.headed else end + end
        ends = len(_borders(body, self.newline, self.layout.quote.encode()))
        quoted = ends < body.count(end)  # by a quote within a field, as of 5", it may seem so
        if piece.last or quoted or again in body or re.search(doubtful, body):
            return len(self._fields(body, piece))
        return ends

    def frame(self, first: int, last: int, columns: Sequence[str]) -> Any:
        """Read the pieces that have these rows."""
        import polars as pl

        self.state.check()
        found = [
            _understood(self, k)[a:b].select(columns)
            for k, a, b in pieces(self.starts, first, last)
        ]
        return found[0] if len(found) == 1 else pl.concat(found)

    def understood(self, k: int) -> Any:
        """Return all columns of a piece as they are understood."""
        import polars as pl

        piece = self.pieces[k]
        frame = self._fields(self.span.read(piece.begin, piece.size), piece)
        if len(frame) != self.starts[k + 1] - self.starts[k]:
            raise DataError(
                f"{self.name}: from line {piece.line + 1:,} on, quotes or empty lines leave "
                f"{len(frame):,} rows where {self.starts[k + 1] - self.starts[k]:,} were counted: "
                "save it as csv once more, or as parquet"
            )
        if "x1" in self.types and "" in frame.columns:
            frame = frame.rename({"": "x1"})
        forms = self.reading.forms
        columns = cells.understand(frame.select(list(forms)), forms, self.layout.separator)
        for name, column in columns.items():
            if column.stray:
                cell, row = column.stray.rsplit(" in data row ", 1)
                raise DataError(
                    f"{self.name}: column {name!r} has {cell} in data row "
                    f"{self.starts[k] + int(row):,}, where the first rows have {forms[name]}: "
                    "correct it"
                )
        return pl.DataFrame([_series(name, column.values) for name, column in columns.items()])


class Svmlight(Source):
    """Files of svmlight's format: the target, then index:value for all that is not 0.

    X is sparse.  Its first column is that of the index 1, or 0 where a file has that.
    """

    dear = True

    def __init__(self, paths: Sequence[str]) -> None:
        self.spans = [span_of(path) for path in paths]
        self.places: list[tuple[Span, Piece]] = []
        counts, most, least = [], 0, 1
        for span in self.spans:
            for piece, body in pieces_of(span, 0, b"\n", b"\0"):
                X, y = self._parsed(span, piece, body, None)
                self.places.append((span, piece))
                counts.append(len(y))
                most = max(most, X.shape[1])
                least = min(least, int(X.indices.min(initial=1)))
        self.starts, self.begin, self.n = starts_of(counts), least, most - least
        self.m = self.starts[-1]
        if not self.m or not self.n:
            raise DataError(f"{paths[0]}: has no row of svmlight with an input")
        self.names = tuple(f"x{j}" for j in range(least, most))

    def read(self, first: int, last: int) -> tuple[Any, Array, None]:
        """Read the pieces that have these rows."""
        from scipy.sparse import vstack

        for span in self.spans:
            span.state.check()
        found = [(_parsed(self, k), a, b) for k, a, b in pieces(self.starts, first, last)]
        X = [part[a:b] for (part, _), a, b in found]
        y = np.concatenate([y[a:b] for (_, y), a, b in found])
        return X[0] if len(X) == 1 else vstack(X, format="csr"), whole_if_they_are(y), None

    def parsed(self, k: int) -> tuple[Any, Array]:
        """Return X and the target of a piece."""
        from scipy.sparse import csr_array

        span, piece = self.places[k]
        X, y = self._parsed(span, piece, span.read(piece.begin, piece.size), self.n + self.begin)
        return csr_array(X[:, self.begin :]), y

    def _parsed(self, span: Span, piece: Piece, body: bytes, n: int | None) -> Any:
        from sklearn.datasets import load_svmlight_file

        try:
            return load_svmlight_file(io.BytesIO(body), n_features=n, zero_based=True)
        except Exception as error:
            raise DataError(
                f"{span.state.path}: line {piece.line + 1:,} or one below is not svmlight ({error})"
            ) from None

    def contents(self, first: int, last: int, like: Reading | None = None) -> Contents:
        """Return some rows as `chainrule.datasets` reads a file that has no others."""
        X, y, _ = self.read(first, last)
        table = dict(zip(self.names, X.toarray().T, strict=True))
        forms = dict.fromkeys(self.names, cells.NUMBERS)
        return Contents(
            self.spans[0].state.path, "", table, "y", y, named=False, reading=Reading(forms=forms)
        )

    def where(self, row: int) -> str:
        """Return the file that has a row, and the row's number there, counted from 1."""
        k, first, _ = pieces(self.starts, row, row + 1)[0]
        while k and self.places[k - 1][0] is self.places[k][0]:
            k, first = k - 1, first + self.starts[k] - self.starts[k - 1]
        return f"{self.places[k][0].state.path}, row {first + 1:,}"

    def state(self) -> tuple[Any, ...]:
        """Return the states of the files."""
        return tuple(span.state for span in self.spans)


@lru_cache(maxsize=4)
def _understood(sheet: Csv, k: int) -> Any:
    """Return a piece; the last ones are kept, as the next block begins where one ends."""
    return sheet.understood(k)


@lru_cache(maxsize=4)
def _parsed(source: Svmlight, k: int) -> Any:
    return source.parsed(k)


def _series(name: str, values: Array) -> Any:
    """Return a column as Polars has it; a missing value is null."""
    import polars as pl

    if values.dtype == object:
        return pl.Series(name, values.tolist(), dtype=pl.String)
    values = values.astype("datetime64[us]") if values.dtype.kind == "M" else values
    return pl.Series(name, values, nan_to_null=True)


def _after_lines(head: bytes, lines: int, newline: bytes) -> int:
    start = 0
    for _ in range(lines):
        start = head.find(newline, start) + 1 or len(head)
    return start

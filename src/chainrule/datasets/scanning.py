"""Tables that do not fit memory: files read again and again, a block of rows at a time.

The rules are those of a table in memory.  Its first block says how cells are read, as a whole table
in memory does; later blocks are read like it.  Blocks end at the same rows whatever file holds
them, so that sums over blocks do not depend on the file.
"""

from __future__ import annotations

import bz2
import codecs
import glob
import gzip
import hashlib
import io
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any, BinaryIO

from chainrule.common.checks import DataError
from chainrule.common.files import reason
from chainrule.common.shown import summary
from chainrule.datasets import cells, decoding, delimited, typed
from chainrule.datasets.contents import MOST_TEXT_COLUMNS, Contents, check_width
from chainrule.datasets.encoding import Reading
from chainrule.datasets.formats import SIGNATURES, kind_of, only_member, refuse_no_table
from chainrule.datasets.layout import Layout, find_layout

BLOCK = 65_536  # rows that are looked at together, at most
CELLS, LEAST = 1 << 20, 1024  # in them, where rows are long; and rows at least
PIECE = 8 << 20  # bytes of text that are read at once
LONGEST_ROW = 8 * PIECE  # a quote that nothing closes is none
FOOTER = 1 << 20  # bytes at the end of a parquet file that say what its columns are
PACKED: dict[str, Callable[[BinaryIO], Any]] = {
    "gz": gzip.open,
    "bz2": bz2.open,
    "xz": lzma.open,
}
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)  # and errors without number
UNPACKED = 8  # times a compressed text's size, where nobody knows
TEXT, PARQUET, ARROW = "text", "parquet", "arrow"
IN_MEMORY = {TEXT: 5.0, PARQUET: 11.0, ARROW: 4.0}  # bytes of memory that a byte of a file takes
VALUE = 24  # bytes of memory that a value of a table takes

Told = Callable[[float], None]
"""Told which share of a table is read, 0 to 1."""


@dataclass(frozen=True)
class Scan:
    r"""A table in one file or several, of which no more than some blocks of rows are in memory.

    Attributes
    ----------
    name : str
        What errors call it.
    files : tuple of Path
        In the order of their rows.
    kind : "text", "parquet" or "arrow"
    stamps : tuple of (int, int)
        Size and time of the last change of each file: one that changes under way is refused.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for part in "ab":
    ...         _ = Path(folder, f"{part}.csv").write_text("size,colour\n1,red\n2,blue\n")
    ...     scan = opened(folder)
    ...     [contents] = scan.blocks(Reading())
    >>> scan.kind, contents.table["size"], contents.table["colour"]
    ('text', array([1., 2., 1., 2.]), array(['red', 'blue', 'red', 'blue'], dtype=object))
    """

    name: str
    files: tuple[Path, ...]
    kind: str
    stamps: tuple[tuple[int, int], ...]

    __repr__ = summary

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(size for size, _ in self.stamps)

    @property
    def memory(self) -> int:
        """About how many bytes of memory the table would take as a whole."""
        by_size = sum(
            size * IN_MEMORY[self.kind] * (UNPACKED if _packing(file) else 1)
            for file, (size, _) in zip(self.files, self.stamps, strict=True)
        )
        if self.kind == PARQUET:  # pictures with many zeros are packed ten times as small
            by_size = max(by_size, VALUE * sum(map(_values, self.files)))
        return int(by_size)

    @property
    def sha256(self) -> str:
        """The hash of the file's bytes; of several files, that of their hashes."""
        digests = []
        for file in self.files:
            with open(file, "rb") as stream:
                digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
        if len(digests) == 1:
            return digests[0]
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def refuse_changed(self) -> None:
        """Raise DataError if a file is not as it was when the table was opened."""
        for file, stamp in zip(self.files, self.stamps, strict=True):
            if _stamp(file) != stamp:
                raise DataError(f"{file}: it has changed while it was read: start again")

    def blocks(
        self,
        like: Reading,
        target: str | None = None,
        told: Told = lambda share: None,
        rows: int | None = None,
    ) -> Iterator[Contents]:
        """Yield the table in blocks of rows, each with what was found in it.

        Parameters
        ----------
        like : Reading
            What is known of how to read it.  What is not, the first block decides for all.
        target : str, optional
            A column that may be absent where the table is read like another one.
        told : callable, optional
        rows : int, optional
            Of a block.  Default: see `block_rows`.
        """
        parts = self._text(like, target, told) if self.kind == TEXT else self._typed(told)
        first: Contents | None = None
        before = 0
        for frame, understood in _of_rows(parts, rows):
            contents = understood(frame, like, first, before)
            first = first or contents
            before += len(frame)
            yield contents
        if first is None:
            raise DataError(f"{self.name}: there is no data row")
        self.refuse_changed()

    def alone(self, number: int, like: Reading) -> Contents:
        """Return a block as it would be read if it were the first."""
        like = Reading(like.header, like.encoding)
        nothing: Told = lambda share: None  # noqa: E731
        parts = self._text(like, None, nothing) if self.kind == TEXT else self._typed(nothing)
        frame, understood = next(islice(_of_rows(parts), number, None))
        return understood(frame, like, None, 0)

    def _text(self, like: Reading, target: str | None, told: Told) -> Iterator[_Part]:
        """Yield frames of text, and how they are understood."""
        header: Layout | None = None
        done = 0
        for file, (size, _) in zip(self.files, self.stamps, strict=True):
            name = os.fspath(file)
            layout, line = None, 0
            with open(file, "rb") as raw:
                for body, notes, last in _pieces(name, raw, like.encoding):
                    if layout is None:
                        layout = self._layout(name, body, notes, like, target, header)
                        line = layout.start
                        body = delimited.from_line(body, line)
                    lines = body.count(b"\n")
                    here = replace(layout, start=line)
                    frame, left_out = delimited.rows_of(name, body, here, last=last)
                    line += lines
                    told((done + raw.tell()) / self.size)
                    if len(frame):
                        yield frame, _of_text(self.name, layout, left_out)
                    if header is None:
                        header = layout
            done += size

    def _layout(
        self,
        name: str,
        body: bytes,
        notes: list[str],
        like: Reading,
        target: str | None,
        header: Layout | None,
    ) -> Layout:
        """Return how a file is written; all files have the columns of the first."""
        if header is not None:
            like = Reading(header.headed, like.encoding, like.forms)
        layout = find_layout(name, body, like, target)
        if header is not None:
            _refuse_other_columns(
                name, dict.fromkeys(layout.names), self.files[0], dict.fromkeys(header.names)
            )
        return replace(layout, notes=notes + layout.notes)

    def _typed(self, told: Told) -> Iterator[_Part]:
        """Yield frames of columns that have types, and how they are understood."""
        import polars as pl

        scan = pl.scan_parquet if self.kind == PARQUET else pl.scan_ipc
        what = "parquet" if self.kind == PARQUET else "Arrow"
        done, schema = 0, None
        for file, (size, _) in zip(self.files, self.stamps, strict=True):
            name = os.fspath(file)
            lazy = typed.read_or_refuse(name, partial(scan, file), what)
            found = typed.read_or_refuse(name, lazy.collect_schema, what)
            m = typed.read_or_refuse(name, lazy.select(pl.len()).collect, what).item()
            check_width(name, len(found), MOST_TEXT_COLUMNS)
            schema = schema or found
            _refuse_other_columns(name, found, self.files[0], schema)
            index = typed.pandas_index(_tail(file))
            rows = block_rows(len(found))
            for first in range(0, m, rows):
                frame = typed.read_or_refuse(name, lazy.slice(first, rows).collect, what)
                told((done + size * min(first + rows, m) / m) / self.size)
                yield frame, _of_types(self.name, index)
            done += size


def _refuse_other_columns(
    name: str, found: Mapping[str, Any], first: Path, wanted: Mapping[str, Any]
) -> None:
    """Refuse a file whose columns, with their types where they have any, are not the first's."""
    more = [column for column in found if column not in wanted]
    less = [column for column in wanted if column not in found]
    other = [column for column in found if column in wanted and found[column] != wanted[column]]
    if more or less:
        told = [f"has a column {more[0]!r}"] if more else []
        told += [f"has no column {less[0]!r}"] if less else []
        what = " and ".join(told)
    elif other:
        column = other[0]
        what = f"has {found[column]} in column {column!r}, not {wanted[column]}"
    elif [*found] != [*wanted]:
        what = "has the same columns in another order"
    else:
        return
    raise DataError(f"{name}: {what}, unlike {first}: give files of the same columns in one order")


def block_rows(width: int) -> int:
    """Return how many rows of so many columns are looked at together.

    Examples
    --------
    >>> block_rows(28), block_rows(785)
    (32768, 1024)
    """
    return min(BLOCK, max(LEAST, 1 << (CELLS // width).bit_length() - 1))


Understood = Callable[[Any, Reading, Contents | None, int], Contents]
_Part = tuple[Any, Understood]


def opened(source: str | os.PathLike[str]) -> Scan | None:
    """Return the table that a path, a folder or a pattern such as ``folder/*.parquet`` names.

    None where it is no file, or one that is not read in blocks: text, also compressed, parquet and
    Arrow are.

    Raises
    ------
    DataError
        If a folder or a pattern has no file, or files of several kinds.
    """
    name = os.fspath(source)
    try:
        files = _files(name)
    except OSError:  # a name that is too long, or a folder that nobody may look into
        return None
    if not files:
        return None
    kinds: dict[str | None, Path] = {}
    for file in files:
        kind = _kind(file)
        if kind is None and len(files) == 1 and files[0] == Path(name):
            return None
        kinds.setdefault(kind, file)
    if len(kinds) > 1 or None in kinds:
        odd = kinds.get(None, files[0])
        told = "of more than one kind" if None not in kinds else f"not read in blocks, as {odd} is"
        raise DataError(
            f"{name}: its files are {told}: name those to train on, as in 'folder/*.csv'"
        )
    return Scan(name, tuple(files), str(kind), tuple(map(_stamp, files)))


def _files(name: str) -> list[Path]:
    """Return the files that a name stands for, in the order of the numbers in their names."""
    path = Path(name)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.iterdir() if file.is_file()]
    elif glob.has_magic(name):
        found = [Path(file) for file in glob.glob(name, recursive=True) if os.path.isfile(file)]
    else:
        return []
    shown = [file for file in found if not file.name.startswith((".", "_"))]  # as Spark's _SUCCESS
    if not shown:
        where = "in it" if path.is_dir() else "of that name"
        raise DataError(f"{name}: there is no file {where}")
    return sorted(shown, key=natural)


def natural(file: Path) -> list[tuple[int, str]]:
    """Return what sorts part-2 before part-10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d+)", file.as_posix())
    ]


def _kind(file: Path) -> str | None:
    """Return text, parquet or arrow by a file's first bytes and its name, or None."""
    try:
        with open(file, "rb") as raw:
            head = raw.read(decoding.SAMPLE)
            name = file.name
            refuse_no_table(os.fspath(file), head)
            if packing := _packing(file):
                raw.seek(0)
                name, head = _unpacked_head(file, packing)
    except Exception:  # of a library, for damage: whoever reads all of it says what it is
        return None
    kind = kind_of(name, head)
    if kind not in (TEXT, PARQUET, ARROW) or (kind != TEXT and packing):
        return None
    return kind


def _packing(file: Path) -> str | None:
    """Return how a file is compressed, or None."""
    with open(file, "rb") as raw:
        head = raw.read(8)
    if head.startswith(b"PK\3\4"):
        return "zip" if file.suffix.lower() == ".zip" else None
    found = next((kind for signature, kind in SIGNATURES.items() if head.startswith(signature)), "")
    return found if found in PACKED else None


def _unpacked_head(file: Path, packing: str) -> tuple[str, bytes]:
    with open(file, "rb") as raw:
        inner = file.stem
        if packing == "zip":
            with zipfile.ZipFile(raw) as archive:
                inner = only_member(os.fspath(file), archive)
        return inner, _unpacked(os.fspath(file), raw, packing).read(decoding.SAMPLE)


def _unpacked(name: str, raw: BinaryIO, packing: str | None) -> Any:
    """Return a stream of a file's text, whether it is compressed or not."""
    if packing == "zip":
        archive = zipfile.ZipFile(raw)
        return archive.open(only_member(name, archive))
    return raw if packing is None else PACKED[packing](raw)


def _values(file: Path) -> int:
    """Return how many values a file of Parquet has; 0 where it is broken, as its reader says."""
    import polars as pl

    try:
        scan = pl.scan_parquet(file, glob=False)
        return len(scan.collect_schema()) * int(scan.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return 0


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({reason(error)})") from None
    return found.st_size, found.st_mtime_ns


def _tail(file: Path) -> bytes:
    with open(file, "rb") as raw:
        raw.seek(0, io.SEEK_END)
        raw.seek(max(0, raw.tell() - FOOTER))
        return raw.read()


def _of_text(name: str, layout: Layout, left_out: Sequence[str]) -> Understood:
    """Return what understands rows of text: the first decide which columns are none of the data."""

    def understood(frame: Any, like: Reading, first: Contents | None, before: int) -> Contents:
        if first is None:
            frame, row_names = delimited.without_row_names(frame, layout, like.forms)
            notes = (*layout.notes, *left_out, *row_names)
            return delimited.understood(name, "", frame, layout, like, notes)
        unnamed = {"": "x1"} if "" in frame.columns else {}
        frame = frame.rename(unnamed).select(list(first.table))
        return delimited.understood(name, "", frame, layout, first.reading, left_out, before)

    return understood


def _of_types(name: str, index: Sequence[str]) -> Understood:
    """Return what understands rows of a frame whose columns have types."""

    def understood(frame: Any, like: Reading, first: Contents | None, before: int) -> Contents:
        if first is None:
            frame, left_out = typed.without_index(frame, index, like)
            return typed.understood(name, "", frame, like, left_out)
        numbers = dict.fromkeys(first.table, cells.NUMBERS)  # those of text are in the reading
        known = Reading(forms={**numbers, **first.reading.forms})
        frame = frame.select(list(first.table))
        found = typed.understood(name, "", frame, known, (), before)
        return replace(found, reading=first.reading)

    return understood


def _of_rows(parts: Iterator[_Part], rows: int | None = None) -> Iterator[_Part]:
    """Yield frames of so many rows, the last of fewer, from frames of any number."""
    import polars as pl

    waiting: list[Any] = []
    understood: Understood | None = None
    for frame, how in parts:
        understood = understood or how
        rows = rows or block_rows(frame.width)
        waiting.append(frame)
        if sum(map(len, waiting)) < rows:
            continue
        frame = pl.concat(waiting) if len(waiting) > 1 else frame
        whole = len(frame) - len(frame) % rows
        for first in range(0, whole, rows):
            yield frame[first : first + rows], understood
            understood = how
        waiting = [frame[whole:]] if whole < len(frame) else []
        understood = how if waiting else None
    if waiting and understood is not None:
        yield pl.concat(waiting), understood


def _pieces(
    name: str, raw: BinaryIO, encoding: str | None
) -> Iterator[tuple[bytes, list[str], bool]]:
    """Yield a text in pieces of whole rows, in UTF-8, with notes and whether it is the last."""
    packing = _packing(Path(name))
    stream = _unpacked(name, raw, packing)
    try:
        parts = _whole_rows(_lines(name, stream, encoding))
        before: bytes | None = None
        for piece in parts:
            if before is not None and len(piece) < PIECE // 2:  # too few rows to tell what they are
                before += piece
                continue
            if before is not None:
                yield *_decoded(name, before, encoding), False
            before = piece
        if before is not None:
            yield *_decoded(name, before, encoding), True
    except (*DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"{name}: cannot be read ({reason(error)})") from None
        raise DataError(
            f"{name}: not a {packing} file that can be unpacked ({error}): save it as csv"
        ) from None


def _decoded(name: str, piece: bytes, encoding: str | None) -> tuple[bytes, list[str]]:
    return (piece, []) if encoding is not None else decoding.decoded(name, piece, None)


def _lines(name: str, stream: BinaryIO, encoding: str | None) -> Iterator[bytes]:
    r"""Yield a stream's bytes with \n at the ends of lines; in UTF-8 where another one is known."""
    head = stream.read(PIECE)
    known = encoding or decoding.marked_encoding(head)
    decode = None if known is None else codecs.getincrementaldecoder(known)()
    held = b""
    for i in count():
        part = head if i == 0 else stream.read(PIECE)
        if decode is not None:
            try:
                text = decode.decode(part, not part)
            except UnicodeError as error:
                raise decoding.not_in(name, str(known), error, named=encoding is not None) from None
            piece = text.removeprefix("\ufeff" if i == 0 else "").encode()
        else:
            piece = part
        piece = held + piece
        held = b""
        if part and piece.endswith(b"\r"):  # the rest of it may come
            kept = piece.rstrip(b"\r")
            piece, held = kept, piece[len(kept) :]
        yield decoding.with_newlines(piece)
        if not part:
            return


def _whole_rows(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut pieces where a line ends, and not within quotes."""
    held = b""
    for piece in pieces:
        held += piece
        end = _end_of_rows(held)
        if end == 0 and len(held) > LONGEST_ROW:
            end = held.rfind(b"\n") + 1
        if len(held) >= PIECE and end:
            yield held[:end]
            held = held[end:]
    if held:
        yield held


def _end_of_rows(text: bytes) -> int:
    r"""Return where the last line ends before which quotes come in pairs, or 0.

    Examples
    --------
    >>> _end_of_rows(b'a\n"b\nc"\n"d\n'), _end_of_rows(b'"a\n')
    (8, 0)
    """
    end = text.rfind(b"\n") + 1
    quotes = text.count(b'"', 0, end)
    while quotes % 2 and end:
        before = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', before, end)
        end = before
    return end

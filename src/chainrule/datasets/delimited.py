"""Tables as text: csv and its kin, with any separator, with or without a header.

The first lines tell the separator, what stands before the table, and whether it has a header.  Then
Polars reads all fields as text, and `chainrule.datasets.cells` says what they mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chainrule.common.checks import DataError, as_arguments, counted, shortened
from chainrule.datasets import cells
from chainrule.datasets.cells import MISSING
from chainrule.datasets.contents import MOST_TEXT_COLUMNS, Contents, check_width
from chainrule.datasets.encoding import Reading
from chainrule.datasets.vectors import is_number

SAMPLE, SAMPLE_LINES = 1 << 17, 200  # what is looked at to find out how a table is written
FEWEST_LINES = 20  # of that, even where they are long
COMMENTS = ("#", "%", "//", "!")
WHITE_SPACE = " "  # the separator of columns that spaces or tabs part
# Possessive, as *+ is, so that a cell of a megabyte is looked at once.  Dates are such numbers, too
NUMBER = re.compile(r"[-+−(<>~$€£¥\s]*+\.?\d[\d.,:/'\-\s]*+(?:[eE][-+]?\d++)?\s*+[%€$)]?")
COMMA_NUMBER = re.compile(r"\s*+[-+]?[\d.\s]*+,\d++\s*+")
UNNAMED = re.compile(r"(?:Unnamed: ?\d+(?:\.\d+)?)?")  # how pandas and R call row names
TOTAL = re.compile(
    r"(?:(?:grand|sub|overall)[ -]?)?totals?:?|sums?:?|averages?:?|means?:?|gesamt\w*:?|summe:?",
    re.IGNORECASE,
)
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    separator : str
    names : list of str
        One for each column; "" where the header has none.
    headed : bool
        Whether a line names the columns.
    start : int
        The line that the data start in, counted from 0.
    notes : list of str
        What was decided.
    quote : str
        What stands around a field that has separators.
    """

    separator: str
    names: list[str]
    headed: bool
    start: int
    notes: list[str]
    quote: str = '"'


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
    layout = _layout(name, text, like, target)
    return table(name, sha256, text, replace(layout, notes=notes + layout.notes), like)


def table(name: str, sha256: str, text: bytes, layout: Layout, like: Reading) -> Contents:
    """Read a table of text in UTF-8 whose layout is known; arguments as for `read`."""
    frame, left_out = _frame(name, text, layout)
    frame, row_names = _without_row_names(frame, layout, like.forms)
    columns = cells.understand(frame, like.forms, layout.separator)
    return Contents(
        name,
        sha256,
        {name: column.values for name, column in columns.items()},
        notes=(*layout.notes, *left_out, *row_names, *cells.notes(columns)),
        reading=Reading(
            layout.headed, like.encoding, {name: column.form for name, column in columns.items()}
        ),
        strays={name: column.stray for name, column in columns.items() if column.stray},
    )


# The encoding


def decoded(name: str, content: bytes, encoding: str | None) -> tuple[bytes, list[str]]:
    """Return a text in UTF-8 with newlines at the ends of lines, and what was decided."""
    notes = []
    found = encoding or _marked_encoding(content)
    if found is None:
        refuse_no_text(name, content)
    if found is not None:
        try:
            content = content.decode(found).encode()
        except LookupError:
            raise DataError(
                f"there is no encoding {encoding!r}: try latin-1, cp1252 or utf-16"
            ) from None
        except UnicodeError as error:
            why: object = error
            if isinstance(error, UnicodeDecodeError):
                why = f"{error.reason}, at byte {error.start + 1}"
            way = as_arguments(encoding="cp1252") if encoding else "save it as csv in UTF-8"
            raise DataError(
                f"{name}: not text in {as_arguments(encoding=found)} ({why}): try {way}"
            ) from None
        content = content.removeprefix("\ufeff".encode())
    else:
        try:
            content.decode()
        except UnicodeDecodeError:
            content = _western(name, content).encode()
            notes = [
                "not in UTF-8: read as Windows-1252, for Western Europe (encoding='cp1251' or "
                "another if letters are wrong)"
            ]
    if b"\0" in content[:SAMPLE]:
        raise DataError(f"{name}: no table of text: save it as csv")
    if b"\x1a" in content[-SAMPLE:]:
        content = content.rstrip(b"\x1a\r\n\t ")  # the end of a file, under DOS
    if b"\r" in content:  # Windows, old Macs, and what became of their files
        for end in (b"\r\r\n", b"\r\n", b"\r"):
            content = content.replace(end, b"\n")
    return content, notes


def refuse_no_text(name: str, content: bytes) -> None:
    """Refuse what begins as no text does: it has a zero, and not by an encoding."""
    if b"\0" in content[:SAMPLE] and _marked_encoding(content) is None:
        raise DataError(f"{name}: of no format that is read: save it as csv")


def _marked_encoding(content: bytes) -> str | None:
    """Return what the first bytes tell: a byte order mark, or the zeros of UTF-16 without one."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return encoding
    head = content[:2000]
    zeros = [head[first::2].count(0) * 2 / (len(head) or 1) for first in (0, 1)]
    if max(zeros) > 0.7 and min(zeros) < 0.1:
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    return None


def _western(name: str, content: bytes) -> str:
    """Return text of Western Europe: there, unlike elsewhere, accents stand among plain letters."""
    runs = len(re.findall(rb"[\x80-\xff]+", content))
    letters, signs = rb"[\xc0-\xff]{1,2}", rb"[\x80\x85\x91-\x97\x99\xa0-\xbf]"
    western = (
        rb"(?<=[A-Za-z])%b(?![\x80-\xff])|(?<![\x80-\xff])(?:%b(?=[A-Za-z])|%b(?![\x80-\xff]))"
    )
    try:
        if len(re.findall(western % (letters, letters, signs), content)) > 0.8 * runs:
            return content.decode("cp1252")
    except UnicodeDecodeError:
        pass
    raise DataError(
        f"{name}: not text in UTF-8: name its encoding, as in encoding='cp1251' (or gbk, "
        "shift_jis ...), or save it as csv in UTF-8"
    )


# The layout


def _layout(name: str, text: bytes, like: Reading, target: str | None) -> Layout:
    """Find out how a table is written, from its first lines."""
    size = SAMPLE
    while size < len(text) and text.count(b"\n", 0, size) < FEWEST_LINES:
        size *= 2  # a line of 40,000 columns is long
    lines = text[:size].decode(errors="ignore").split("\n")
    if len(text) > size:
        lines.pop()  # it may be cut off
    start, separator, comment = _before_the_table(lines)
    places = [i for i, line in enumerate(lines) if i >= start and line.strip()][:SAMPLE_LINES]
    if not places:
        raise DataError(f"{name}: the file is empty")
    lines = [lines[i] for i in places]
    separator = separator or _separator(lines, {len(like.forms), len(like.forms) - 1})
    rows = _rows(lines, separator)
    width = _width(rows)
    check_width(name, width, MOST_TEXT_COLUMNS)
    rows = [_of_width(row, width, separator) for row in rows]
    above = _lines_above(rows, width)
    notes = [
        f"line {i + 1} stands above the table, as {line.strip()[:40]!r}: left out"
        for i, line in zip(places[:above], lines, strict=False)
    ]
    start, lines, (first, *rest) = places[above], lines[above:], rows[above:]
    rest = [row for row in rest if row != first]  # a header may be said again
    titles = [] if comment is None else _rows([comment], separator)[0]
    if len(titles) == width > 1 and like.header is None and not _names_columns(first, rest):
        names, more = _named(titles)
        return Layout(separator, names, True, start, notes + more)
    headed, more = _headed(first, rest, like.header)
    notes += more
    known = [column for column in like.forms if column != target]
    if not like.header and set(known) and set(known) <= set(first):
        headed = True  # a later file may have been given the names that we gave
    if headed:
        names, more = _named(_completed(first, rest, width))
        notes += more
        if len(names) != width and sum(len(row) == width for row in rows) > 1:
            raise DataError(
                f"{name}: line {start + 1} has {counted(len(names), 'field')} where most lines "
                f"have {width}: correct it, or put # before it if it is a comment"
            )
        start += _lines_of_first(lines, separator)
        while rest and _stand_under_the_header(rest):
            line, *rest = rest
            start += 1
            notes.append(f"line {start} has no numbers, as {line[0] or line[1]!r}: left out")
        return Layout(separator, names, True, start, notes)
    if len(like.forms) == width:
        known = list(like.forms)
    if known and len(known) == width and _names_columns(first, rest):
        notes += ["the first line is a header, as training had none: columns taken by their places"]
        return Layout(separator, known, True, start + _lines_of_first(lines, separator), notes)
    return Layout(
        separator, known if len(known) == width else _numbered(width), False, start, notes
    )


def _before_the_table(lines: list[str]) -> tuple[int, str | None, str | None]:
    """Return the table's first line, the separator if a line says it, and the last comment."""
    separator, comment = None, None
    for start, line in enumerate(lines):
        said = re.fullmatch(r'"?sep=(.)"?', line.strip(), re.IGNORECASE)  # for Excel
        if said:
            separator = said[1]
        elif line.lstrip().startswith(COMMENTS):
            comment = re.sub(r"^(?:#|%|//|!)+\s*(?!,)", "", line.strip())  # "#,a" is a header
        elif line.strip():
            return start, separator, comment
    return len(lines), None, None


def _rows(lines: list[str], separator: str) -> list[list[str]]:
    """Return the fields of some lines."""
    if separator == WHITE_SPACE:
        lines = [line.replace("\t", " ").strip() for line in lines]
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator == WHITE_SPACE)
    try:
        return [[field.strip() for field in row] for row in reader] or [[]]
    except csv.Error:  # a lone quote takes all that follows for one field
        return [[field.strip() for field in line.split(separator)] for line in lines]


def _lines_of_first(lines: list[str], separator: str) -> int:
    """Return how many lines the header takes: a quoted name may have several."""
    reader = csv.reader(lines, delimiter=separator)
    next(reader)
    return reader.line_num


def _of_width(row: list[str], width: int, separator: str) -> list[str]:
    """Return a row without the empty fields that make it too long.

    Some lines end with a separator, and some programs write two tabs for one.
    """
    while len(row) > width and not row[-1]:
        row = row[:-1]
    if len(row) > width and separator == "\t":
        told = [field for field in row if field]
        return told if len(told) == width else row
    return row


def _lines_above(rows: list[list[str]], width: int) -> int:
    """Return how many lines are above the table, as a report's title: they are shorter."""
    told = [len(list(filter(None, row))) for row in rows]
    above = told.index(width) if width > 2 and width in told else 0
    lone = all(len(row) == 1 for row in rows[:above])
    short = all(len(row) < width or n == 1 for row, n in zip(rows[:above], told, strict=False))
    return above if lone or (short and _names_columns(rows[above], rows[above + 1 :])) else 0


def _width(rows: list[list[str]]) -> int:
    """Return the number of fields that most rows have; the first row's if that is no fewer."""
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width == len(rows[0])))


def _separator(lines: list[str], widths: set[int]) -> str:
    """Return what parts the fields: what gives nearly all the lines the same number of them.

    Tab, semicolon and bar come before the comma, which may be a decimal one beside them.
    """
    found = {}
    for separator in "\t;|,":
        rows = _rows(lines, separator)
        width = _width(rows)
        if width > 1 and not _has_commas_of_its_own(rows, separator):
            share = sum(len(row) == width for row in rows) / len(rows)
            found[separator] = (round(share, 1), width in widths)
    spaced = _rows(lines, WHITE_SPACE)
    width = _width(spaced)
    spaced = spaced[1:] or spaced  # R's header is shorter
    alike = sum(len(row) == width for row in spaced) >= 0.9 * len(spaced)
    cells = [cell for row in spaced for cell in row]
    numbers = 2 * sum(map(_is_number, cells)) >= len(cells)
    others = found and max(found.values())[0] >= 0.9 and not ("\t" in found and _packed(lines))
    if width > 1 and alike and numbers and not others:
        return WHITE_SPACE
    return max(found, key=lambda separator: found[separator], default=",")


def _has_commas_of_its_own(rows: list[list[str]], separator: str) -> bool:
    """Tell whether most fields with a comma are no numbers: then commas part the fields."""
    commas = [field for row in rows for field in row if "," in field]
    return separator != "," and len(commas) >= len(rows) > 2 * sum(
        map(bool, map(COMMA_NUMBER.fullmatch, commas))
    )


def _packed(lines: list[str]) -> bool:
    """Tell whether tabs part only some of the fields, and spaces the others."""
    packed = [re.match(r"\s*[-+.\d]+ +[-+.\d]+", line) for line in lines]
    return 2 * sum(map(bool, packed)) > len(packed)


def _is_number(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is not None or is_number(cell)


def _are_numbers(cells: list[str]) -> bool:
    """Tell whether a column holds numbers or dates, but for a few cells that say nothing."""
    told = [cell for cell in cells if cell not in MISSING and any(map(str.isalnum, cell))]
    return 10 * sum(map(_is_number, told)) >= 7 * len(told) > 0


def _names_columns(first: list[str], rest: list[list[str]]) -> bool:
    """Tell whether a word stands over a column of numbers."""
    return any(
        cell not in MISSING
        and not cell.startswith("#")
        and not _is_number(cell)
        and _are_numbers(column)
        for cell, column in _columns(first, rest)
    )


def _stand_under_the_header(rows: list[list[str]]) -> bool:
    """Tell whether the first row has units over numbers, or the rules of a drawn table."""
    told = [cell for cell in rows[0] if cell]
    if told and all(re.fullmatch(r":?[-=+]{2,}:?", cell) for cell in told):
        return True
    columns = [column for cell, column in _columns(rows[0], rows[1:]) if cell]
    words = all(
        re.search(r"[^\W\d_]|%|°", cell) and cell not in MISSING and not _is_number(cell)
        for cell in told
    )
    return len(told) > 1 and words and all(map(_are_numbers, columns))


def _columns(first: list[str], rest: list[list[str]]) -> list[tuple[str, list[str]]]:
    """Return each cell of the first line with what stands below it."""
    return [(cell, [row[j] for row in rest if len(row) > j]) for j, cell in enumerate(first)]


def _headed(first: list[str], rest: list[list[str]], known: bool | None) -> tuple[bool, list[str]]:
    """Decide whether the first line is a header, and say so where it is not plain."""
    if known is not None or _names_columns(first, rest):
        return known is not False, []
    columns = _columns(first, rest)
    numbers = [
        cell for cell, column in columns if _is_number(cell) and (_are_numbers(column) or not rest)
    ]
    if _counts(first) and not (rest and _counts(rest[0])):
        return True, [
            "the first line counts the columns: taken as the header (header=False if not)"
        ]
    if numbers:
        return False, [
            f"the first line is data, since {numbers[0]!r} is a number: columns are called x1, x2 "
            "... (header=True if it is one)"
        ]
    recurring = sum(cell in column for cell, column in columns)
    if rest and 2 * recurring >= len(columns):
        return False, [
            "the first line is data, since its words come again below: columns are called x1, x2 "
            "... (header=True if it is one)"
        ]
    words = rest and not any(_are_numbers(column) for _, column in columns)
    return True, [
        "the first line is taken as the header (header=False if it is data)"
    ] if words else []


def _counts(cells: list[str]) -> bool:
    """Tell whether cells are 0, 1, 2 ..., as pandas calls columns; an index has no name."""
    cells = cells[1:] if cells and UNNAMED.fullmatch(cells[0]) else cells
    return len(cells) > 2 and cells == [str(j) for j in range(len(cells))]


def _completed(first: list[str], rest: list[list[str]], width: int) -> list[str]:
    """Return a header with one name for each column, where it can be told."""
    if len(first) == width - 1 and rest:
        last = [row[-1] for row in rest if len(row) == width]
        if not any(last):  # each line ends with a separator
            return [*first, ""]
        if len({row[0] for row in rest}) == len(rest):  # R's row names have no title
            return ["", *first]
    return first


def _numbered(width: int) -> list[str]:
    return [f"x{j}" for j in range(1, width + 1)]


def _named(header: list[str]) -> tuple[list[str], list[str]]:
    """Return different names for all columns, and notes; the first may be unnamed, as row names.

    Examples
    --------
    >>> _named(["", "a", "", "a"])
    (['', 'a', 'x3', 'a.1'], ["two columns have one name: 'a' is now 'a.1'"])
    """
    names: dict[str, None] = {}
    again: Counter[str] = Counter()
    renamed, titles = [], set(header)
    for j, cell in enumerate(header, start=1):
        own = name = cell or f"x{j}"
        while own in names or (own != name and own in titles):
            again[name] += 1
            own = f"{name}.{again[name]}"
        if own != name:
            renamed.append(f"{name!r} is now {own!r}")
        names[own] = None
    notes = [f"two columns have one name: {shortened(renamed)}"] if renamed else []
    return ["" if name == "x1" and not header[0] else name for name in names], notes


# The rows


def _frame(name: str, text: bytes, layout: Layout) -> tuple[Any, list[str]]:
    """Return all fields of the data rows as text, in a Polars frame, and what was left out."""
    import polars as pl

    body, separator = _from_line(text, layout.start), layout.separator
    body = _without_blank_lines(_without_comments(body, layout), layout)
    body, below = _without_lines_below(body, layout)
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
    frame, notes = _without_empty_rows(name, body, frame, layout)
    frame, totals = _without_totals(frame)
    return frame, below + notes + totals


def _from_line(text: bytes, line: int) -> bytes:
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
        fields = _rows([line], layout.separator)[0]
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
        rows = _rows([line for line in body.decode().split("\n") if line.strip()], WHITE_SPACE)
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
            fields = _of_width(fields, width, separator)
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


def _without_empty_rows(
    name: str, body: bytes, frame: Any, layout: Layout
) -> tuple[Any, list[str]]:
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
    if not len(frame):
        raise DataError(f"{name}: there is a header, but no data row")
    return frame, notes


def _without_row_names(
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

"""How a table of text is written: its separator, its header, and what stands above it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass

from chainrule.common.checks import DataError, counted, shortened
from chainrule.common.shown import summary
from chainrule.datasets.arrays import numbered
from chainrule.datasets.cells import MARKS
from chainrule.datasets.contents import MOST_TEXT_COLUMNS, check_width
from chainrule.datasets.decoding import SAMPLE
from chainrule.datasets.encoding import Reading
from chainrule.datasets.vectors import is_number

SAMPLE_LINES = 200  # that are looked at, of the sample
FEWEST_LINES = 20  # of that, even where they are long
COMMENTS = ("#", "%", "//", "!")
WHITE_SPACE = " "  # the separator of columns that spaces or tabs part
# Possessive, as *+ is, so that a cell of a megabyte is looked at once.  Dates are such numbers, too
NUMBER = re.compile(r"[-+−(<>~$€£¥\s]*+\.?\d[\d.,:/'\-\s]*+(?:[eE][-+]?\d++)?\s*+[%€$)]?")
COMMA_NUMBER = re.compile(r"\s*+[-+]?[\d.\s]*+,\d++\s*+")
UNNAMED = re.compile(r"(?:Unnamed: ?\d+(?:\.\d+)?)?")  # how pandas and R call row names


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

    __repr__ = summary


def find_layout(name: str, text: bytes, like: Reading, target: str | None) -> Layout:
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
    rows = fields_of(lines, separator)
    width = _width(rows)
    check_width(name, width, MOST_TEXT_COLUMNS)
    rows = [of_width(row, width, separator) for row in rows]
    above = _lines_above(rows, width)
    notes = [
        f"line {i + 1} stands above the table, as {line.strip()[:40]!r}: left out"
        for i, line in zip(places[:above], lines, strict=False)
    ]
    start, lines, (first, *rest) = places[above], lines[above:], rows[above:]
    rest = [row for row in rest if row != first]  # a header may be said again
    titles = [] if comment is None else fields_of([comment], separator)[0]
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
    return Layout(separator, known if len(known) == width else numbered(width), False, start, notes)


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


def fields_of(lines: list[str], separator: str) -> list[list[str]]:
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


def of_width(row: list[str], width: int, separator: str) -> list[str]:
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
        rows = fields_of(lines, separator)
        width = _width(rows)
        if width > 1 and not _has_commas_of_its_own(rows, separator):
            share = sum(len(row) == width for row in rows) / len(rows)
            found[separator] = (round(share, 1), width in widths)
    spaced = fields_of(lines, WHITE_SPACE)
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
    told = [cell for cell in cells if cell not in MARKS and any(map(str.isalnum, cell))]
    return 10 * sum(map(_is_number, told)) >= 7 * len(told) > 0


def _names_columns(first: list[str], rest: list[list[str]]) -> bool:
    """Tell whether a word stands over a column of numbers."""
    return any(
        cell not in MARKS
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
        re.search(r"[^\W\d_]|%|°", cell) and cell not in MARKS and not _is_number(cell)
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

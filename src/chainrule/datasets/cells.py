"""What the cells of a table mean: numbers however they are written, dates, times of day, or text.

Each column is decided as a whole, since one cell says little: "1,881" is 1881 beside "$2.39", and
1.881 beside "0,5".  A few cells that do not fit never turn numbers into categories: they count as
missing, and a note says so.  The *form* of a column is what was decided, for later
files as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.common.checks import counted
from chainrule.common.shown import summary
from chainrule.common.types import Array

MARKS = (  # of a missing value, in any column
    "", "NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "null", "NULL", "Null", "None", "NaN", "nan",
    "NAN", "NaT", "?",
)  # fmt: skip
NO_NUMBER = (  # in a column of numbers or dates; in one of text, "-" and "none" may mean something
    r"(?i)^(?:#.*|[^\p{L}\p{N}]+|-?nan|-?1\.#\w+|err(?:or)?|invalid|bad|fail(?:ed|ure)?|"
    r"unk(?:nown)?|missing|none|nil|null|n\.?/?a\.?|n\.?d\.?|no (?:value|data)|tbd|undefined|"
    r"not? (?:available|applicable|known|recorded|reported)|unavailable|blank|empty)$"
)
MOST_STRAYS = 0.1  # a column with a larger share of cells that are no numbers is text
FEW = 20  # so many whole numbers that recur, beside words that recur, are categories
AT_ONCE = 500  # columns
SAMPLE = 1000  # different cells that are looked at first

NUMBERS, COMMA, TEXT, DATES, TIMES = "numbers", "numbers as 0,5", "text", "dates", "times"
TRUTH = "text as "  # and two words, which may come in any case: True, true, TRUE
PAIRS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}, {"on", "off"})

SIGN = r"[$€£¥₹₩₽₺₴฿]"
CODE = (
    r"(?:USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|CAD|AUD|NZD|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RUB|TRY|BRL|MXN|"
    r"ZAR|KRW|THB|Rs\.?|Rp\.?|Fr\.?|[Kk]r\.?|zł|Kč|Ft|元|円)"
)
GAP = r"['’\s]"  # between thousands; \s has the spaces that do not break, too
DOTTED = r"^[-+]?[1-9]\d{0,2}(?:\.\d{3})+$"  # 4.780
MAGNITUDES = {
    "k": 1e3, "K": 1e3, "thousand": 1e3, "M": 1e6, "mn": 1e6, "million": 1e6, "Mio": 1e6,
    "Mio.": 1e6, "B": 1e9, "bn": 1e9, "billion": 1e9, "Mrd": 1e9, "Mrd.": 1e9, "lakh": 1e5,
    "crore": 1e7,
}  # fmt: skip
DRESS = (  # what is written around a number, and what stays of it
    (r"^[–﹣－]", "-"),
    (r"^'([^']*)'?$", "${1}"),
    (r"(\d)[.,][-–—]{1,2}$", "${1}"),  # a price without cents
    (r"^(\d[\d.,]*)-$", "-${1}"),
    (r"^\((.*\d.*)\)$", "-${1}"),  # an accountant's minus
    (rf"^([-+]?)\s*(?:US|CA?|AU?|NZ|HK|R)?{SIGN}\s*([-+]?)", "${1}${2}"),
    (rf"^([-+]?)\s*{CODE}\s*([-+]?)", "${1}${2}"),
    (rf"\s*(?:{SIGN}|{CODE}|[%‰])$", ""),
    (r"^([-+])\s+", "${1}"),
    (r"^([-+]?\d*\.?\d*)[dD]([-+]?\d+)$", "${1}e${2}"),  # Fortran's exponent
)
UNIT = (
    rf"^([-+]?(?:\d|[.,]\d)(?:[\d.,]|{GAP}\d)*)\s*"
    r"(\p{L}[\p{L}²³/°.^*·\s-]*[23]?|°\s*[CFNSEW]?|[\"″]|\+)$"
)
RANGE = r"^([-+]?[\d.,]*\d)\s*(?:[-–—]|\bto\b)\s*([\d.,]*\d)$"

DAYS = (  # the formats of a date; where several fit, the first does, but for day and month
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%m-%y", "%m-%d-%y", "%d %b %Y", "%Y%m%d", "%b %d %Y",
    "%d-%b-%Y",    "%d-%b-%y", "%d/%b/%Y", "%d %b %y", "%Y-%b-%d", "%Y %m %d",
)  # fmt: skip
MONTHS = (  # the first of the month
    "%Y-%m",
    "%Y/%m",
    "%b-%y",
    "%b-%Y",
    "%b %Y",
    "%b %y",
    "%m/%Y",
    "%m-%Y",
)
WEEKS = "%G-W%V-%u"
FORMATS = (*DAYS, *MONTHS, WEEKS)
TIME = r"(\d{1,3}):(\d\d)(?::(\d\d(?:[.,]\d+)?))?(?:\s*([AaPp])\.?[Mm]\.?)?$"
DATE_LIKE = (
    r"\d[-\s]?[QqWw]\d|[QqWw]\d+[-\s/]*\d\d|\d年|\d[-/.:,\s]\s*(?:\d|[A-Za-z]{3})|[A-Za-z]{3}\.?[-/.,\s]+\d|^\d{8}T|"
    r"\d(?:st|nd|rd|th) [A-Z]"
)
DATE_DRESS = (
    (r"^[Qq]([1-4])[-\s/]*(\d{4})$", "${2}-Q${1}"),
    (r"^([1-4])[Qq][-\s/]*(\d{4})$", "${2}-Q${1}"),
    *((rf"^(\d{{4}})[-\s/]*[Qq]{q}$", f"${{1}}-{3 * q - 2:02}") for q in (1, 2, 3, 4)),
    (r"^(\d{4})-?[Ww](\d\d)$", "${1}-W${2}-1"),  # its Monday
    (r"^(\d{4})年\s*(\d+)月\s*(\d+)日", "${1}-${2}-${3}"),
    (r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", ""),
    (r"^(\d{4}-?\d\d-?\d\d)[T_](\d)", "${1} ${2}"),
    (r"^(\d{4}-?\d\d-?\d\d) (\d\d)(\d\d)(\d\d)?$", "${1} ${2}:${3}"),  # a compact time
    (r"(:\d\d(?:\.\d+)?)\s*(?:Z|[A-Z]{3,4}|[-+]\d\d:?(?:\d\d)?)$", "${1}"),  # its zone
    (r"(\d)(?:st|nd|rd|th)\b", "${1}"),
    (r"\b([A-Za-z]{3})[a-z]+\b\.?", "${1}"),  # the month's first three letters
)


@dataclass
class ReadColumn:
    """What became of a column of cells.

    Attributes
    ----------
    values : ndarray of shape (m,)
        float64, datetime64[s] or text, see `chainrule.datasets.vectors`.
    form : str
    notes : list of str
        What was read in another way than it is written.
    absent : list of (cell, count, data row)
        Cells that count as missing, each with the row of the first.
    stray : str
        The first that is no usual mark, and where; "" where there is none.
    fit, strays : int
        How many cells are what the form says, and how many are no usual mark.
    """

    values: Array
    form: str
    notes: list[str] = field(default_factory=list)
    absent: list[tuple[str, int, int]] = field(default_factory=list)
    stray: str = ""
    fit: int = 0
    strays: int = 0

    __repr__ = summary

    def moved(self, before: int) -> ReadColumn:
        """Return the column with the numbers of its rows in a table that has others before.

        Examples
        --------
        >>> column = ReadColumn(np.ones(1), "numbers", [], [("?", 1, 2)], "'#' in data row 3")
        >>> column.moved(10).absent, column.moved(10).stray
        ([('?', 1, 12)], "'#' in data row 13")
        """
        if not before:
            return self
        absent = [(cell, n, row + before) for cell, n, row in self.absent]
        what, _, row = self.stray.rpartition(" ")
        stray = f"{what} {int(row) + before}" if self.stray else ""
        return replace(self, absent=absent, stray=stray)


class _Different:
    """The different cells of a column, and how often each stands there."""

    def __init__(self, cells: Any) -> None:
        counts = cells.drop_nulls().value_counts()
        self.cells, self.words, self.counts = cells, counts.to_series(0), counts.to_series(1)
        self.m = int(self.counts.sum())

    def rows(self, values: Any) -> Any:
        """Return the value of each row, given that of each different cell."""
        return self.cells.replace_strict(
            self.words, values, default=None, return_dtype=values.dtype
        )

    def total(self, mask: Any) -> int:
        """Return how many rows have one of the cells that are marked."""
        return int(self.counts.filter(mask).sum())

    def listed(self, mask: Any) -> list[tuple[str, int, int]]:
        """Return the cells that are marked, each with its count and its first data row."""
        found = zip(self.words.filter(mask), self.counts.filter(mask), strict=True)
        return sorted(
            ((cell, count, int((self.cells == cell).arg_max()) + 1) for cell, count in found),
            key=lambda entry: entry[2],
        )

    def first(self, mask: Any) -> tuple[str, int]:
        """Return the first cell that is marked, and its data row."""
        row = int(self.cells.is_in(self.words.filter(mask).implode()).arg_max())
        return self.cells[row], row + 1


def understand(
    frame: Any, forms: Mapping[str, str], separator: str | None
) -> dict[str, ReadColumn]:
    """Decide what the cells of each column are.

    Parameters
    ----------
    frame : polars.DataFrame
        Of text.
    forms : mapping of str to str
        The forms that are known, by column.
    separator : str or None
        What stands between two fields: beside a comma there, one within a number is rare.
    """
    import polars as pl

    if not frame.columns:
        return {}
    every = pl.all()
    words = _each(frame, every.fill_null("").str.strip_chars())
    cells = _each(words, pl.when(every.is_in(MARKS)).then(None).otherwise(every).name.keep())
    numbers = _each(cells, every.cast(pl.Float64, strict=False))
    marked = _each(words, (every.is_in(MARKS) & (every != "")).any()).row(0, named=True)
    odd = [n for n in cells.columns if cells[n].null_count() != numbers[n].null_count()]
    comma = _has_decimal_commas(cells, odd, None if forms else separator)
    columns = {}
    for series in cells:
        name, form = series.name, forms.get(series.name)
        if form is not None and form.startswith(TEXT):
            column = _text(series, form)
        elif form is None and name not in odd and lose_digits(series, numbers[name]):
            column = _text(series, TEXT)
        elif name not in odd and form in (None, NUMBERS) and not (comma and _has_points(series)):
            column = _plain(series, numbers[name], form)
            column.form = COMMA if comma and form is None else column.form
        else:
            column = _odd(series, form, comma)
        if marked[name]:
            marks = _Different(words[name].set(series.is_not_null() | (words[name] == ""), None))
            column.absent = marks.listed(marks.counts > 0) + column.absent
        columns[name] = column
    return columns


def _each(frame: Any, expression: Any) -> Any:
    """Return an expression of each column; of some columns at a time, as a plan takes memory."""
    import polars as pl

    parts = [frame[:, k : k + AT_ONCE].select(expression) for k in range(0, frame.width, AT_ONCE)]
    return pl.concat(parts, how="horizontal")


def notes(columns: Mapping[str, ReadColumn]) -> list[str]:
    """Say what was read as what; a mark that many columns share is said once."""
    marks: dict[str, list[tuple[str, int, int]]] = {}
    for name, column in columns.items():
        for cell, count, row in column.absent:
            marks.setdefault(cell, []).append((name, count, row))
    shared = {cell for cell, places in marks.items() if len(places) > 3}
    said = []
    for name, column in columns.items():
        said += [f"column {name!r}: {note}" for note in column.notes]
        own = [entry for entry in column.absent if entry[0] not in shared]
        if own:
            said.append(f"column {name!r}: {_taken_as_missing(own)}")
    for cell in sorted(shared):
        places = marks[cell]
        total = sum(count for _, count, _ in places)
        said.append(
            f"{counted(total, 'value')} {cell!r} in {len(places)} columns taken as missing, column "
            f"{places[0][0]!r} in data row {places[0][2]} first"
        )
    return said


def _taken_as_missing(absent: list[tuple[str, int, int]]) -> str:
    told = [f"{counted(n, 'value')} {cell!r} (data row {row} first)" for cell, n, row in absent[:3]]
    rest = sum(n for _, n, _ in absent[3:])
    if rest:
        told.append(f"{counted(rest, 'other value')} that {'is' if rest == 1 else 'are'} no number")
    return f"{' and '.join(told)} taken as missing"


def lose_digits(words: Any, numbers: Any) -> bool:
    """Tell whether whole numbers, too long for float64, would be taken for one another.

    Examples
    --------
    >>> import polars as pl
    >>> long = pl.Series(["9007199254740992", "9007199254740993"])
    >>> lose_digits(long, long.cast(pl.Float64)), lose_digits(long[:1], long[:1].cast(pl.Float64))
    (True, False)
    """
    if max(abs(numbers.min() or 0), abs(numbers.max() or 0)) < 2**53:
        return False
    long = words.str.contains(r"^[-+]?\d{16,}$")
    return bool(long.all()) and words.n_unique() > numbers.n_unique()


def _text(cells: Any, form: str | None) -> ReadColumn:
    """Return a column of text, in which yes and no are two values however they are written."""
    form = form or _truth(cells) or TEXT
    if form.startswith(TRUTH):
        written = {word.lower(): word for word in form.removeprefix(TRUTH).split("/")}
        cells = cells.str.to_lowercase().replace_strict(written, default=cells)
    return ReadColumn(np.array(cells.to_list(), dtype=object), form)


def _truth(cells: Any) -> str | None:
    """Return the form of a column of yes and no, each as it is written most often."""
    first = cells.drop_nulls().head(1).str.to_lowercase()
    if len(first) == 0 or not any(first[0] in pair for pair in PAIRS):
        return None
    seen = _Different(cells)
    counts = sorted(zip(seen.counts, seen.words, strict=True))
    written = {word.lower(): word for _, word in counts}
    return f"{TRUTH}{'/'.join(sorted(written.values()))}" if set(written) in PAIRS else None


def _plain(cells: Any, numbers: Any, form: str | None) -> ReadColumn:
    """Return a column whose cells are numbers as Python writes them."""
    whole = r"^(?:19|20)\d{6}$"
    few = set(cells.head(9))  # are looked at first, since there may be many columns
    if (
        form is None
        and len(few) > 4
        and all(re.match(whole, cell) for cell in few if cell is not None)
        and cells.str.contains(whole).all()
    ):
        column = _dates(_Different(cells), f"{DATES} %Y%m%d")  # 20141013
        if column is not None and not column.stray:
            return column
    values = numbers.to_numpy()  # NaN where there is none
    return ReadColumn(values, NUMBERS, fit=len(values) - numbers.null_count())


def _odd(cells: Any, form: str | None, comma: bool) -> ReadColumn:
    """Return a column that has other cells than plain numbers."""
    if form is None:
        sample = _Different(cells.drop_nulls().head(SAMPLE))
        if not sample.words.str.contains(r"\d").any():
            return _text(cells, form)
        if _numbers(sample, None, comma) is None and _dates(sample, None) is None:
            return _text(cells, form)
    seen = _Different(cells)
    column = None
    if form is None or form in (NUMBERS, COMMA):
        column = _numbers(seen, form, comma)
    if column is None and (form is None or form.startswith((DATES, TIMES))):
        column = _dates(seen, form)
    return column or _text(cells, form)


def _fitted(seen: _Different, values: Any, form: str, known: bool) -> ReadColumn | None:
    """Return the column of these values, one for each different cell, or None where few fit."""
    import polars as pl

    fits = values.is_not_null()
    stray = ~fits & ~seen.words.str.contains(NO_NUMBER)
    n, strays = seen.total(fits), seen.total(stray)
    if not known:
        many = too_many(n, strays) and (stray.sum() > 3 or n < 2 * strays)
        if many or n == 0 or 20 * n < seen.m:
            return None
        if values.dtype == pl.Float64 and strays and _are_categories(seen, values, stray):
            return None
    first = "{!r} in data row {}".format(*seen.first(stray)) if strays else ""
    return ReadColumn(_vector(seen.rows(values)), form, [], seen.listed(~fits), first, n, strays)


def too_many(fit: int, strays: int) -> bool:
    """Tell whether too many cells of a column are none of the numbers or dates that others are."""
    return strays > MOST_STRAYS * (fit + strays)


def _are_categories(seen: _Different, values: Any, stray: Any) -> bool:
    """Tell 0, 1, 2, 3+ from numbers with a stray mark: there are few, and all come again."""
    fits = values.is_not_null()
    few = values.n_unique() <= FEW and bool((values.drop_nulls() % 1 == 0).all())
    recur = seen.total(fits) >= 2 * fits.sum() and seen.total(stray) >= 2 * stray.sum()
    return few and recur and seen.total(stray) >= 0.02 * seen.m


def _vector(values: Any) -> Array:
    import polars as pl

    if values.dtype == pl.Float64:
        vector: Array = values.fill_null(np.nan).to_numpy()
        return vector
    return np.asarray(values.to_numpy(), dtype="datetime64[s]")


# Numbers


def _numbers(seen: _Different, form: str | None, comma: bool) -> ReadColumn | None:
    """Return the column as numbers, or None where they are none."""
    import polars as pl

    comma = comma or form == COMMA or _has_decimal_comma(seen.words)
    plain = seen.words.cast(pl.Float64, strict=False)
    values = _amounts(seen, plain, comma)
    column = _fitted(seen, values, COMMA if comma else NUMBERS, form is not None)
    written = values.is_not_null() & (plain.is_null() | (plain != values))
    if column is not None and written.any():
        cell, row = seen.first(written)
        column.notes.append(
            f"{counted(seen.total(written), 'value')} written as {cell!r} read as numbers, data "
            f"row {row} first"
        )
        if re.match(DOTTED, cell):
            value = f"{column.values[row - 1]:.0f}"
            column.notes[-1] += f", as {value}: dots part thousands here ({cell}0 would be decimal)"
    return column


def _amounts(seen: _Different, plain: Any, comma: bool) -> Any:
    """Return the number that each different cell is, null where it is none."""
    import polars as pl

    words = _in_ascii(seen.words).str.replace_all("−", "-", literal=True)
    for pattern, rest in DRESS:
        words = words.str.replace(pattern, rest)
    if 2 * seen.total(plain.is_not_null()) >= seen.m:  # a limit of detection, a footnote
        words = words.str.replace(r"(\d)\s*(?:[*†‡]+|\[\w+\])$", "${1}")
        words = words.str.replace(r"^[<>≤≥~≈]=?\s*([-+.\d])", "${1}")
    bare, unit = words.str.extract(UNIT, 1), words.str.extract(UNIT, 2).str.strip_chars()
    unit = unit.set(words.str.contains(r"\d[eE][-+]?\d*$"), None)  # an exponent
    scale = unit.replace_strict(MAGNITUDES, default=None, return_dtype=pl.Float64)
    unit = unit.str.to_lowercase().str.strip_chars_end("s.")  # min, mins, Min.
    has_unit = unit.is_not_null() & scale.is_null()
    one = unit.filter(has_unit).n_unique() == 1 and 2 * seen.total(has_unit) >= seen.m
    words = bare.zip_with(scale.is_not_null() | (has_unit & one), words)
    values = _ungrouped(words, comma).cast(pl.Float64, strict=False) * scale.fill_null(1.0)
    return _with_middles(seen, words, values, comma)


def _in_ascii(words: Any) -> Any:
    """Return words in which digits of other scripts, and wide signs, are those of ASCII."""
    import polars as pl

    if not words.str.contains(r"[\p{Nd}\x{FF01}-\x{FF5E}--0-9]").any():
        return words
    return pl.Series(["".join(map(_narrow, word)) for word in words], dtype=pl.String)


def _narrow(sign: str) -> str:
    """Return a digit, or a wide sign, as it is in ASCII.

    Examples
    --------
    >>> "".join(map(_narrow, "１２．５％ ٣"))
    '12.5% 3'
    """
    if 0xFF01 <= ord(sign) <= 0xFF5E:
        return chr(ord(sign) - 0xFEE0)
    digit = unicodedata.decimal(sign, None)
    return sign if digit is None else str(digit)


def _with_middles(seen: _Different, words: Any, values: Any, comma: bool) -> Any:
    """Return the values, and the middle for each range such as 40 - 50.

    A few ranges that come again and again are categories.
    """
    import polars as pl

    low, high = (
        _ungrouped(words.str.extract(RANGE, k), comma).cast(pl.Float64, strict=False)
        for k in (1, 2)
    )
    ranges = low.is_not_null() & high.is_not_null() & values.is_null()
    rising = bool(((low < high) & (high <= 3 * low.abs() + 100)).filter(ranges).all())
    among_numbers = 2 * seen.total(values.is_not_null()) >= seen.m
    if not (rising and (among_numbers or ranges.sum() > FEW)):
        return values
    return ((low + high) / 2).zip_with(ranges, values)


def _ungrouped(words: Any, comma: bool) -> Any:
    """Return numbers without what groups their thousands, and with a decimal point."""
    if comma:
        grouped = words.str.contains(rf"^[-+]?[1-9]\d{{0,2}}(?:(?:\.|{GAP})\d{{3}})+(?:,\d*)?$")
        dots = words.str.contains(".", literal=True)
        if not (dots & ~grouped).any():
            words = words.str.replace_all(rf"\.|{GAP}", "").zip_with(grouped, words)
        return words.str.replace(",", ".", literal=True)
    by_comma = words.str.contains(
        rf"^[-+]?\d{{1,3}}(?:(?:,|{GAP})\d{{2,3}})*(?:,|{GAP})\d{{3}}(?:\.\d*)?$"
    )
    by_dot = words.str.contains(r"^[-+]?\d{1,3}(?:\.\d{3}){2,}$")
    words = words.str.replace_all(rf",|{GAP}", "").zip_with(by_comma, words)
    return words.str.replace_all(".", "", literal=True).zip_with(by_dot, words)


def _has_decimal_comma(words: Any) -> bool:
    """Tell whether commas are decimal: some can be nothing else, and none is anything else."""
    words = words.str.replace(r"(\d)[eE][-+]?\d+$", "${1}")
    number = r"^\D*\d[\d.'’\s]*,\d+\D*$|^\D*,\d+\D*$"
    commas = words.filter(words.str.contains(",", literal=True))
    decimal = commas.str.contains(
        r"^\D*\d*,(?:\d|\d\d|\d{4,})\D*$|^\D*0,\d+\D*$|[.'’\s]\d{3},\d|\d{4,},\d"
    )
    points = words.str.contains(r"^[^\d.]*\d*\.(?:\d|\d\d|\d{4,})\D*$")
    return bool(decimal.any() and commas.str.contains(number).all() and not points.any())


def _has_points(cells: Any) -> bool:
    return bool(cells.str.contains(".", literal=True).any())


def _has_decimal_commas(cells: Any, odd: list[str], separator: str | None) -> bool:
    """Tell whether a file writes 0,5 or 1.234 for a thousand: one column shows it for all.

    Where a comma parts fields, only dots between thousands do; after a semicolon, a comma does
    where no point is decimal.
    """
    for series in cells:
        words = series.drop_nulls().unique()
        if series.name not in odd:
            shown = _has_dotted_thousands(words)
        elif separator == ",":
            shown = _has_decimal_comma(words) and words.str.contains(r"\d\.\d{3},\d").any()
        else:
            shown = _has_decimal_comma(words)
        if shown:
            return True
    commas = any(cells[name].str.contains(r"^[-+]?\d{1,3},\d{3}$").any() for name in odd)
    points = any(series.str.contains(r"^[-+]?\d*\.\d+$").any() for series in cells)
    return separator == ";" and commas and not points


def _has_dotted_thousands(words: Any) -> bool:
    """Tell 926 and 4.780 from decimal numbers: of these, some would have another digit or none.

    Three numbers at least have no dot, since 0 or -999 may stand for a missing value.
    """
    dots = words.str.contains(".", literal=True)
    if dots.sum() < FEW // 2 or (~dots).sum() < 3:
        return False
    dotted = words.filter(dots).str.contains(DOTTED).all()
    return bool(dotted and words.filter(~dots).str.contains(r"^[-+]?\d{1,3}$").all())


# Dates and times


def _dates(seen: _Different, form: str | None) -> ReadColumn | None:
    """Return the column as dates, or as hours where it has times of day alone, or None."""
    import polars as pl

    words = _in_ascii(seen.words)
    if form is None and 2 * seen.total(words.str.contains(DATE_LIKE)) < seen.m:
        return None
    for pattern, rest in DATE_DRESS:
        words = words.str.replace_all(pattern, rest)
    seconds = _seconds(words)
    days = words.str.replace(rf"[\s,]*{TIME}", "").str.replace_all(r"[,\s]+", " ").str.strip_chars()
    alone = (days == "") & seconds.is_not_null()
    if form == TIMES or (form is None and 2 * seen.total(alone) > seen.m):
        hours = (seconds / 3600).set(~alone, None)
        return _told(seen, hours, _fitted(seen, hours, TIMES, form is not None), "hours")
    format = form.removeprefix(DATES).strip() if form is not None else ""
    if not format or 2 * _parsed(days, format).count() < days.count():
        format = _date_format(seen, days) or format  # a later file may write its dates otherwise
    if not format:
        return None
    since = (seconds.fill_null(0.0) * 1e6).cast(pl.Int64).cast(pl.Duration("us"))
    values = _parsed(days, format).cast(pl.Datetime("us")) + since
    column = _fitted(seen, values, f"{DATES} {format}", form is not None)
    return _told(seen, values, column, "dates")


def _told(seen: _Different, values: Any, column: ReadColumn | None, what: str) -> ReadColumn | None:
    """Note how one cell was read: that says whether the day or the month stands first."""
    fits = values.is_not_null()
    if column is not None and fits.any():
        cell, row = seen.first(fits)
        value = column.values[row - 1]
        read = f"{value:.4g}" if what == "hours" else str(value).removesuffix("T00:00:00")
        column.notes.append(
            f"{counted(seen.total(fits), 'value')} read as {what}, {cell!r} in data row {row} as "
            f"{read}"
        )
    return column


def _seconds(words: Any) -> Any:
    """Return the time that stands at the end of each cell, in seconds; null where none does."""
    import polars as pl

    clock = words.str.extract_groups(TIME).struct
    hour, minute, second = (
        clock.field(k).str.replace(",", ".", literal=True).cast(pl.Float64) for k in "123"
    )
    half = clock.field("4").str.to_lowercase()  # 12:30 am is 0:30, 1 pm is 13
    noon = (half == "p").fill_null(False).cast(pl.Float64)
    hour = hour.set(half.is_not_null() & (hour == 12), 0.0) + 12 * noon
    return hour * 3600 + minute * 60 + second.fill_null(0.0)


def _parsed(days: Any, format: str) -> Any:
    return days.to_frame("day").select(_date("day", format)).to_series()


def _date(column: str, format: str) -> Any:
    """Return the expression of a column's dates, null where a cell has another format."""
    import polars as pl

    days = pl.col(column)
    if "%d" not in format and format != WEEKS:
        days, format = days + " 01", format + " %d"
    dates = days.str.to_date(format, strict=False)
    return pl.when(dates.dt.year().is_between(1000, 2999)).then(dates)  # %Y takes 21 for a year


def _date_format(seen: _Different, days: Any) -> str:
    """Return the format that most days have, "" where none has most."""
    sample = days.drop_nulls().unique().sort()
    sample = sample.gather_every(-(-len(sample) // SAMPLE) or 1)
    parsed = sample.to_frame("day").select(_date("day", f).count().alias(f) for f in FORMATS)
    counts = parsed.row(0, named=True)
    most = max(counts.values())
    if 2 * most < len(sample) or not most:
        return ""
    fitting: list[str] = [format for format, count in counts.items() if count == most]
    first, *others = fitting
    swapped = first.translate(str.maketrans("dm", "md"))
    if swapped not in others:
        return first
    # Nothing tells day and month apart: rows in order of time do, and days that are all the first
    orders = {format: seen.rows(_parsed(days, format)).drop_nulls() for format in (first, swapped)}
    return min(
        orders, key=lambda f: (not orders[f].is_sorted(), orders[f].dt.day().n_unique(), f != first)
    )

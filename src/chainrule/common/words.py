"""Words of files, which strangers may have written, made fit for a terminal, a picture, a sheet."""

from __future__ import annotations

import re
import unicodedata

MOST_OF_A_WORD, MOST_OF_A_MESSAGE = 60, 20_000  # characters
JOINERS = "\u200c\u200d"  # harmless, and needed in Persian and in emoji
FORMULA = re.compile(r"\s*[=@+\-\t\r]")  # how a cell begins that a spreadsheet would compute
NUMBER = re.compile(r"[+-]?(?:\d[\d.,]*|\.\d+)(?:[eE][+-]?\d+)?|[+-]")


def printable(text: object, most: int = MOST_OF_A_MESSAGE) -> str:
    r"""Return a text in which nothing moves a terminal's cursor, its colours or the reading order.

    Parameters
    ----------
    text : object
        As `str` gives it.
    most : int, optional
        How many characters it may have; the middle of a longer one is left out.

    Examples
    --------
    >>> print(printable("a\x1b[2Jb \u202e c\n"), printable("naïve 数"))
    a\x1b[2Jb \u202e c\n naïve 数
    >>> printable("one long name of a column", 11)
    'one l...umn'
    """
    text = str(text)
    if len(text) > most:
        end = (most - 3) * 3 // 8
        text = f"{text[: most - 3 - end]}...{text[len(text) - end :]}"
    if text.isprintable():
        return text
    return "".join(c if _harmless(c) else ascii(c)[1:-1] for c in text)


def word(text: object) -> str:
    r"""Return a name or a label as it is printed among others: `printable`, and short.

    Examples
    --------
    >>> word("x" * 1000) == "x" * 36 + "..." + "x" * 21, word(7)
    (True, '7')
    """
    return printable(text, MOST_OF_A_WORD)


def drawn(text: object) -> str:
    r"""Return a text for a picture: `word`, in which $ is a dollar and begins no mathematics.

    Examples
    --------
    >>> print(drawn("$50K_to_$100K"))
    \$50K_to_\$100K
    """
    return word(text).replace("$", r"\$")


def cell(text: object) -> str:
    r"""Return a text for a cell of csv: `printable`, and none that a spreadsheet computes.

    Examples
    --------
    >>> cell("=1+2"), cell("-3.5"), cell("-1.000,5"), cell("-"), cell("yes")
    ("'=1+2", '-3.5', '-1.000,5', '-', 'yes')
    """
    text = printable(text)
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def _harmless(character: str) -> bool:
    return (
        character.isprintable() or character in JOINERS or unicodedata.category(character) == "Zs"
    )

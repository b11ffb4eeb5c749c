"""The encoding of a text: told by its first bytes, else UTF-8, or that of Western Europe."""

from __future__ import annotations

import re

from chainrule.common.checks import DataError, as_arguments

SAMPLE = 1 << 17  # bytes that are looked at
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def decoded(name: str, content: bytes, encoding: str | None) -> tuple[bytes, list[str]]:
    """Return a text in UTF-8 with newlines at the ends of lines, and what was decided."""
    notes = []
    found = encoding or marked_encoding(content)
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
            raise not_in(name, found, error, named=encoding is not None) from None
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
    return with_newlines(content), notes


def with_newlines(content: bytes) -> bytes:
    """Return a text with newlines at the ends of lines."""
    if b"\r" in content:  # Windows, old Macs, and what became of their files
        for end in (b"\r\r\n", b"\r\n", b"\r"):
            content = content.replace(end, b"\n")
    return content


def not_in(name: str, encoding: str, error: UnicodeError, *, named: bool) -> DataError:
    """Return the error for a text that is not in an encoding, which somebody has named or not."""
    why: object = error
    if isinstance(error, UnicodeDecodeError):
        why = f"{error.reason}, at byte {error.start + 1}"
    way = as_arguments(encoding="cp1252") if named else "save it as csv in UTF-8"
    return DataError(f"{name}: not text in {as_arguments(encoding=encoding)} ({why}): try {way}")


def refuse_no_text(name: str, content: bytes) -> None:
    """Refuse what begins as no text does: it has a zero, and not by an encoding."""
    if b"\0" in content[:SAMPLE] and marked_encoding(content) is None:
        raise DataError(f"{name}: of no format that is read: save it as csv")


def marked_encoding(content: bytes) -> str | None:
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

"""The formats that tables come in: which one a file has, by what stands in it and by its name."""

from __future__ import annotations

import bz2
import difflib
import glob
import gzip
import hashlib
import io
import lzma
import os
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from chainrule.common.checks import DataError, shortened
from chainrule.common.files import File, name_of, read_bytes, reason
from chainrule.datasets import arrays, decoding, delimited, invented, typed
from chainrule.datasets.contents import Contents, bomb, most_unpacked
from chainrule.datasets.encoding import Reading

SIGNATURES = {  # how files of a format begin
    b"\x93NUMPY": "npy",
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"MATLAB ": "mat",
    b"\x89HDF\r\n\x1a\n": "mat",
    b"\xd0\xcf\x11\xe0": "excel",
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
}
NO_TABLES = (  # how files begin that hold no table that is read, whatever their names
    (rb"%PDF-", "a PDF"),
    (rb"\x89PNG\r\n", "an image (PNG)"),
    (rb"\xff\xd8\xff", "an image (JPEG)"),
    (rb"GIF8[79]a", "an image (GIF)"),
    (rb"RIFF....WEBP", "an image (WebP)"),
    (rb"(?:II\*\0|MM\0\*)", "an image (TIFF)"),
    (rb"....ftyp(?:heic|heix|mif1|avif)", "an image (HEIC or AVIF)"),
    (rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)\b", "a web page (HTML)"),
    (rb"(?:\xef\xbb\xbf)?\s*<\?xml\b", "XML"),
    (rb"\{\\rtf", "a text with layout (RTF)"),
    (rb"SQLite format 3\0", "a database (SQLite)"),
    (rb"7z\xbc\xaf'\x1c", "an archive (7z)"),
    (rb"Rar!\x1a\x07", "an archive (RAR)"),
    (rb"\x28\xb5\x2f\xfd", "compressed (zstd)"),
)
ENDINGS = {
    ".npz": "npz", ".npy": "npy", ".mat": "mat", ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".xlsx": "excel", ".xls": "excel",
    ".xlsm": "excel", ".xlsb": "excel", ".ods": "excel", ".zip": "zip", ".gz": "gz", ".bz2": "bz2",
    ".xz": "xz", ".jsonl": "json", ".ndjson": "json", ".json": "json", ".arff": "arff",
    ".svm": "svmlight", ".svmlight": "svmlight", ".libsvm": "svmlight",
}  # fmt: skip
TEXTS = (  # what tells texts of a format from csv
    (rb"(?i)(?:%[^\n]*\n|\s)*+@relation\b", "arff"),
    (rb"\s*(?:\{\s*\"|\[\s*\{\s*\")", "json"),
    (
        rb"(?:#[^\n]*\n)*[-+.\deE,]+(?:[ \t]+qid:\d+)?"
        rb"(?:[ \t]+\d+:[-+.\deE]+)+[ \t]*(?:#[^\n]*)?\r?(?:\n|$)",
        "svmlight",
    ),
)


def read(
    source: File, target: str | None, like: Reading | None = None, name: str | None = None
) -> Contents:
    """Read a source of data, see `chainrule.datasets.load`.

    Parameters
    ----------
    source : str, path or binary stream
    target : str or None
        In a file of arrays, the array to use in place of ``y``.
    like : Reading
        How it is to be read, as far as that is known.
    name : str, optional
        Name of a stream's file.  Default: the stream's own.
    """
    if source == "digits":
        return _read_digits()
    if isinstance(source, str) and source in invented.INVENTED:
        return invented.read(source)
    if source == "mnist":
        local = local_mnist()
        if local is None:
            return _fetch_mnist()
        source = local
    if source == "-":
        name, source = "<standard input>", sys.stdin.buffer
    name = name or name_of(source)
    try:
        contents = _read(source, target, like or Reading(), name)
    except (DataError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except MemoryError:
        raise DataError(f"{name}: there is not enough memory to read it") from None
    except BaseException as error:  # of a library, for damage that nobody has thought of
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(f"{name}: not a file that can be read ({told})") from error
    if not contents.table:
        raise DataError(f"{name}: has no column")
    return contents


def _read(source: File, target: str | None, like: Reading, name: str) -> Contents:
    content = _content(source, name, like.encoding)
    if not content or content.isspace():
        raise DataError(f"{name}: the file is empty")
    sha256 = hashlib.sha256(content).hexdigest()
    inner, content = _unpacked(name, content)
    kind = kind_of(inner, content)
    if kind == "document":
        raise DataError(
            f"{name}: it is a document of Office, no table: save the table in it as csv"
        )
    if kind == "text":
        return delimited.read(name, sha256, content, like, target)
    if kind == "excel":
        return typed.read_excel(name, sha256, content, like, target)
    if kind in ARRAYS:
        return ARRAYS[kind](name, sha256, content, target)
    return TYPED[kind](name, sha256, content, like)


ARRAYS = {"npz": arrays.read_npz, "npy": arrays.read_npy, "mat": arrays.read_mat}
TYPED = {
    "parquet": typed.read_parquet,
    "arrow": typed.read_arrow,
    "json": typed.read_json,
    "arff": typed.read_arff,
    "svmlight": typed.read_svmlight,
}


def kind_of(name: str, content: bytes) -> str:
    """Return the format by the first bytes, else by the name's ending, else "text"."""
    for signature, kind in SIGNATURES.items():
        if content.startswith(signature):
            return kind
    ending = Path(name).suffix.lower()
    if content.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(content)):
        return _zipped_format(content)
    kind = ENDINGS.get(ending, "text")
    if kind == "text" or (kind == "excel" and b"\0" not in content):  # some call any table .xls
        head = content[:10_000]
        kind = next((kind for pattern, kind in TEXTS if re.match(pattern, head)), "text")
    return kind


def _zipped_format(content: bytes) -> str:
    """Tell npz files and Excel's, which are zip files, from others."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = file.namelist()
    if "word/document.xml" in members or "ppt/presentation.xml" in members:
        return "document"
    if any(member.endswith(".npy") for member in members):
        return "npz"
    office = any(member.startswith("xl/") or member == "content.xml" for member in members)
    return "excel" if office else "zip"


def _unpacked(name: str, content: bytes) -> tuple[str, bytes]:
    """Return a compressed file's own name and content; others as they are."""
    kind = kind_of(name, content)
    if kind not in ("gz", "bz2", "xz", "zip"):
        return name, content
    inner = name.removesuffix(Path(name).suffix)
    stream, most = io.BytesIO(content), most_unpacked(len(content))
    try:
        if kind == "zip":
            with zipfile.ZipFile(stream) as archive:
                inner = only_member(name, archive)
                with archive.open(inner) as file:
                    unpacked = file.read(most + 1)
        else:
            unpack: dict[str, Callable[[BinaryIO], Any]]
            unpack = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
            unpacked = unpack[kind](stream).read(most + 1)
    except DataError:
        raise
    except Exception as error:  # each has errors of its own for each kind of damage
        raise DataError(
            f"{name}: not a {kind} file that can be unpacked ({error}): save it as csv"
        ) from None
    if len(unpacked) > most:
        raise bomb(name, len(content))
    if not unpacked or unpacked.isspace():
        raise DataError(f"{name}: the file in it is empty")
    refuse_no_table(name, unpacked)
    return inner, unpacked


def refuse_no_table(name: str, head: bytes) -> None:
    """Refuse what is surely no table by its first bytes, and say what it is."""
    for pattern, what in NO_TABLES:
        if re.match(pattern, head, re.DOTALL):
            raise DataError(f"{name}: it is {what}, no table: save the table in it as csv")


def only_member(name: str, archive: zipfile.ZipFile) -> str:
    """Return the name of the one file in an archive, or raise DataError."""
    members = [
        member.filename
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX")
    ]
    if len(members) != 1:
        raise DataError(
            f"{name}: has {len(members)} files ({shortened(members)}): unpack it and give "
            "one of them"
        )
    return members[0]


def _content(source: File, name: str, encoding: str | None) -> bytes:
    def look(head: bytes) -> None:
        zipped = head.startswith(b"PK")  # which only its end proves
        refuse_no_table(name, head)
        if encoding is None and not zipped and kind_of(name, head) == "text":
            decoding.refuse_no_text(name, head)

    if not name:
        raise DataError("the name of the data is empty: name a file, or data such as digits")
    try:
        return read_bytes(source, look)
    except FileNotFoundError:
        near = difflib.get_close_matches(name, ["digits", *invented.INVENTED])
        hint = f"; did you mean {near[0]!r}?" if near else ""
        if glob.has_magic(name) and glob.glob(name, recursive=True):
            raise DataError(f"{name}: it is a pattern, and one file is read: name one") from None
        if "://" in name:
            hint = "; nothing is fetched from an address: download it, and name the file"
        raise DataError(f"{name}: there is no such file{hint}") from None
    except IsADirectoryError:
        raise DataError(f"{name}: it is a folder: name a file in it") from None
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({reason(error)})") from None


def _read_digits() -> Contents:
    from sklearn.datasets import load_digits

    digits = load_digits()
    sha256 = hashlib.sha256(digits.data.tobytes() + digits.target.tobytes()).hexdigest()
    table = dict(zip(digits.feature_names, digits.data.T, strict=True))
    return Contents("digits", sha256, table, "digit", digits.target, image_shape=(8, 8))


def local_mnist() -> Path | None:
    """Return the file of MNIST here or in the folder ``CHAINRULE_DATA``, if there is one."""
    folders = (".", os.environ.get("CHAINRULE_DATA", "."))
    return next((file for folder in folders if (file := Path(folder, "mnist.npz")).is_file()), None)


def _fetch_mnist() -> Contents:
    """Fetch MNIST from openml.org, once: scikit-learn keeps it in its data folder."""
    from sklearn.datasets import fetch_openml

    try:
        X, y = fetch_openml("mnist_784", version=1, as_frame=False, return_X_y=True)
    except (OSError, ValueError) as error:
        raise DataError(
            f"mnist: cannot be fetched from openml.org ({error}): put a file mnist.npz with "
            "X_train, y_train, X_test and y_test here, or give the path of one"
        ) from None
    X, y = X.astype(np.uint8), y.astype(np.int64)
    sha256 = hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()
    names = arrays.numbered(X.shape[1])
    training, test = (dict(zip(names, rows.T, strict=True)) for rows in (X[:60000], X[60000:]))
    return Contents(
        "mnist", sha256, training, "y", y[:60000],
        named=False, image_shape=(28, 28), held_out=(test, y[60000:]),
    )  # fmt: skip
